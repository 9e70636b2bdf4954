"""The files of a folder, however they change while they are read: nothing outside of it is opened.

Folders are opened one inside the other and files inside of these, relative to what is open already
and never through a symlink. Whatever took the place of a file or a folder after it was looked at is
an error, and no system call waits for a fifo's other end.

Where the system opens nothing relative to an open folder (Windows), whole paths are opened: there a
symlink that takes the place of a folder or a file at the wrong moment is followed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, NamedTuple, Self

from dynadock.archive.names import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader

# Windows lacks some of these; the last is Windows' own, where files are text by default.
_NOFOLLOW, _NONBLOCK, _DIRECTORY, _BINARY = (
    getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_DIRECTORY", "O_BINARY")
)
_FOLDER = os.O_RDONLY | _NOFOLLOW | _DIRECTORY
_FILE = os.O_RDONLY | _NOFOLLOW | _NONBLOCK | _BINARY

# What is said of a link, a file, a socket and no link, where something else was wanted.
_REPLACED = {errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.EINVAL}


class Found(NamedTuple):
    """An entry of a folder: its path in the tree."""

    path: str
    is_folder: bool


class Tree:
    """A folder, open from its first use until the end of a ``with``.

    Paths are relative to it, joined by ``/``; "" is the folder itself. An OSError names the whole
    path, and says if it was removed or something else took its place.
    """

    def __init__(self, top: str) -> None:
        self.top = top
        self._top: int | None = None
        self._folder: tuple[str, int] | None = None
        needed = {os.open, os.stat, os.readlink}
        self._is_relative = needed <= os.supports_dir_fd and os.scandir in os.supports_fd

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave_folder()
        if self._top is not None:
            os.close(self._top)
            self._top = None

    def whole(self, path: str) -> str:
        """Return the path that messages name."""
        return os.path.join(self.top, *path.split("/")) if path else self.top  # noqa: PTH118

    def status(self, path: str) -> os.stat_result:
        """Return what is at ``path``, a symlink itself."""
        with self._naming(path):
            name, place = self._at(path)
            return os.stat(name, dir_fd=place, follow_symlinks=False)

    def target(self, path: str) -> str:
        """Return what a symlink says, as it says it."""
        with self._naming(path):
            name, place = self._at(path)
            return os.readlink(name, dir_fd=place)

    def opened(self, path: str) -> int:
        """Open a regular file for reading."""
        with self._naming(path):
            name, place = self._at(path)
            file = os.open(name, _FILE, dir_fd=place)
            if not stat.S_ISREG(os.fstat(file).st_mode):
                os.close(file)
                raise OSError(errno.ENXIO, "no file")
            return file

    def listed(self, path: str) -> list[Found]:
        """Return the entries of a folder, the last first."""
        with self._naming(path):
            folder = self._opened_folder(path) if self._is_relative else self.whole(path)
            with os.scandir(folder) as entries:
                found = [(each.name, each.is_dir(follow_symlinks=False)) for each in entries]
        prefix = f"{path}/" if path else ""
        found.sort(key=lambda each: os.fsencode(each[0]), reverse=True)
        longest = max((len(os.fsencode(name)) for name, _ in found), default=0)
        if len(os.fsencode(prefix)) + longest > LONGEST_NAME:
            says = f"nested too deep, paths of more than {LONGEST_NAME} bytes are in it"
            raise OSError(errno.ENAMETOOLONG, says, self.whole(path))
        return [Found(prefix + name, is_folder) for name, is_folder in found]

    def _at(self, path: str) -> tuple[str, int | None]:
        """Return how to name ``path`` in a system call, and relative to what."""
        if not self._is_relative:
            return self.whole(path), None
        folder, _, name = path.rpartition("/")
        return name or ".", self._opened_folder(folder)

    def _opened_folder(self, path: str) -> int:
        """Return an open folder; it stays open for what comes next, likely to be in it."""
        if self._top is None:
            self._top = os.open(self.top, _FOLDER)
        if not path:
            return self._top
        if self._folder is None or self._folder[0] != path:
            opened = self._entered(path, self._top)
            self._leave_folder()
            self._folder = (path, opened)
        return self._folder[1]

    def _entered(self, path: str, place: int) -> int:
        if self._folder is not None and path.startswith(f"{self._folder[0]}/"):
            place = self._folder[1]
            path = path.removeprefix(f"{self._folder[0]}/")
        opened = os.dup(place)
        for step in path.split("/"):
            try:
                below = os.open(step, _FOLDER, dir_fd=opened)
            finally:
                os.close(opened)
            opened = below
        return opened

    def _leave_folder(self) -> None:
        if self._folder is not None:
            os.close(self._folder[1])
            self._folder = None

    @contextlib.contextmanager
    def _naming(self, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            says = error.strerror
            if error.errno == errno.ENOENT:
                says = "it was removed before it was packed"
            elif error.errno in _REPLACED:
                says = "something else took its place before it was packed"
            raise OSError(error.errno, says, self.whole(path)) from None


def open_file(path: str) -> BufferedReader:
    """Open a regular file, or what a symlink leads to; ValueError for what is none."""
    # Looked at first, since a device may do something when it is opened.
    _check_regular(path, os.stat(path))  # noqa: PTH116
    file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115
    try:
        _check_regular(path, os.fstat(file.fileno()))
    except BaseException:
        file.close()
        raise
    return file


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | _NONBLOCK)


def _check_regular(path: str, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"expected a file, and {path!r} is not one")
