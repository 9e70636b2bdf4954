"""A file replaced as a whole: at any moment there is the old content or the new, never half of it.

The new content is written to a file beside the old one, which is then renamed. tempfile is not used
for it since it takes milliseconds to import.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

UNFINISHED = ".tmp"
"""How the name of a file ends that is still being written; it begins with a dot."""

_PERMISSIONS = 0o777
_GROUP, _OTHERS = 0o070, 0o007


@contextlib.contextmanager
def replacing(
    path: str | os.PathLike[str],
    *,
    mode: int | None = None,
    synced: bool = False,
    anew: bool = False,
) -> Iterator[IO[bytes]]:
    """Give a new file to write to, which takes the place of the one at ``path`` at the end.

    A symlink is followed. A ``mode`` is what the new file is created with, less the umask. None
    stands for the old one's permissions, but for setuid and setgid, and from its creation on nobody
    may do more with the new file than with the old one. It has the old one's owner, as far as we
    may give files away; where we may not, its group gets no more than all others. With ``anew``
    nothing is taken from what is there: a symlink is replaced itself, and the new file is this
    user's. ``synced`` waits until the content is on the disk. If anything is raised, the old file
    stays and nothing else is left behind; an OSError names ``path``, not the file beside it.
    """
    target = os.path.abspath(path) if anew else os.path.realpath(path)
    folder, name = os.path.split(target)
    # A name that nobody else has: two processes may replace the same file at once.
    unfinished = os.path.join(folder, f".{name}.{os.urandom(8).hex()}{UNFINISHED}")
    created = _private_mode(target) if mode is None else mode
    try:
        with open(unfinished, "xb", opener=_opener(created)) as file:
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


def _private_mode(old: str) -> int:
    """Return what a file may be created with that replaces an old one, if there is one.

    The old one's group is not ours before the owner is changed, so that it gets nothing yet.
    """
    status = _status(old)
    return 0o666 if status is None else status.st_mode & 0o600


def _make_alike(new: str, old: str, *, keep_mode: bool) -> None:
    """Give a new file the owner and, with ``keep_mode``, the permissions of the old one, if any."""
    status = _status(old)
    if status is None:
        return
    mode = status.st_mode & _PERMISSIONS
    if sys.platform != "win32" and not _give(new, status):
        mode &= ~_GROUP | (mode & _OTHERS) << 3
    if keep_mode:
        # After the owner: a change of owner takes some permissions away.
        os.chmod(new, mode)


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _give(path: str, status: os.stat_result) -> bool:
    """Change a file's owner and group, or its group alone; tell whether it has that group."""
    for owner in (status.st_uid, -1):
        with contextlib.suppress(OSError):
            os.chown(path, owner, status.st_gid)
            return True
    return False
