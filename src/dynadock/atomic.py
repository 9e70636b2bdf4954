"""A file replaced as a whole: at any moment there is the old content or the new, never half of it.

The new content is written to a file beside the old one, which is then renamed. tempfile is not used
for it since it takes milliseconds to import.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

UNFINISHED = ".tmp"
"""How the name of a file ends that is still being written; it begins with a dot."""


@contextlib.contextmanager
def replacing(
    path: str | os.PathLike[str],
    *,
    mode: int | None = None,
    synced: bool = False,
    anew: bool = False,
) -> Iterator[IO[bytes]]:
    """Give a new file to write to, which takes the place of the one at ``path`` at the end.

    A symlink is followed. The new file has the old one's owner, as far as we may give files away,
    and its permissions too if no ``mode`` is given; the mode is set when the file is created, less
    the umask. With ``anew`` nothing is taken from what is there: a symlink is replaced itself, and
    the new file is this user's. ``synced`` waits until the content is on the disk. If anything is
    raised, the old file stays and nothing else is left behind; an OSError names ``path``, not the
    file beside it.
    """
    target = os.path.abspath(path) if anew else os.path.realpath(path)
    folder, name = os.path.split(target)
    # A name that nobody else has: two processes may replace the same file at once.
    unfinished = os.path.join(folder, f".{name}.{os.urandom(8).hex()}{UNFINISHED}")
    try:
        with open(unfinished, "xb", opener=_opener(0o666 if mode is None else mode)) as file:
            yield file
            if synced:
                file.flush()
                os.fsync(file.fileno())
        if not anew:
            _make_alike(unfinished, target, keep_mode=mode is None)
        os.replace(unfinished, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)
        if isinstance(error, OSError) and error.filename == unfinished:
            raise type(error)(error.errno, error.strerror, os.fspath(path)) from None
        raise


def _opener(mode: int) -> Callable[[str, int], int]:
    return lambda path, flags: os.open(path, flags, mode)


def _make_alike(new: str, old: str, *, keep_mode: bool) -> None:
    """Give a new file the owner and, with ``keep_mode``, the permissions of the old one, if any."""
    try:
        status = os.stat(old)
    except FileNotFoundError:
        return
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            os.chown(new, status.st_uid, status.st_gid)
    if keep_mode:
        # After the owner: a change of owner takes some permissions away.
        os.chmod(new, stat.S_IMODE(status.st_mode))
