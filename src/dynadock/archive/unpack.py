"""Tar archives extracted into a folder, and never outside of it.

Archives are not trusted. Names and links are checked before anything is written; folders are opened
one inside the other, without following a symlink; and files are always created anew, so that
nothing is written through a link that existed before. tarfile is used only for reading: how it
extracts differs among Python's releases, and has had vulnerabilities.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from dynadock.archive.headers import extents
from dynadock.archive.names import LONGEST_NAME, usable_path
from dynadock.archive.read import Archive, Readable, Source, members, quoted
from dynadock.errors import UnsafeMember, Unsupported

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Callable

__all__ = ["extract", "members"]

# Windows has neither of these flags, and there nothing is extracted.
_NOFOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
_FOLDER: int = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW

_OWNER = stat.S_IRWXU
_PERMISSIONS = 0o777
_UNUSABLE_NAMES = {errno.ENAMETOOLONG, errno.EILSEQ}

DEEPEST = 200
"""Folders inside of one another, so that what was extracted can be removed again: shutil.rmtree
calls itself, and has a file open, for each."""

_T = TypeVar("_T")


def extract(
    file: Readable,
    folder: str | os.PathLike[str],
    *,
    unsafe: Literal["refuse", "skip"] = "refuse",
) -> list[str]:
    """Write the members of a tar archive into ``folder``, which is created if it does not exist.

    Files, symlinks and hard links replace what has their names, folders are kept and filled.
    Permissions and modification times are the archive's; owners are not, and setuid, setgid and
    sticky bits are dropped. Unsafe are

    - absolute names (engines send none), and names with ``..``;
    - members below a symlink or a file, whether of the archive or from before;
    - symlinks to absolute paths or out of the folder, or with a ``..`` after a name, which another
      symlink could turn into a way out;
    - hard links to anything but a file that is in the folder;
    - devices, fifos, members that would replace a folder, and names that the file system cannot
      hold;
    - members that are nested deeper than `DEEPEST`, or whose names are longer than `LONGEST_NAME`.

    With ``unsafe="refuse"`` the first such member raises UnsafeMember, and the members before it
    stay. With ``"skip"`` they are left out, and their names returned: the way to extract a whole
    root file system, where absolute symlinks are common.

    TruncatedStream and MalformedStream are raised as by ``members``; a file that was cut off is
    removed. OSError if the file system refuses, ValueError for a ``folder`` that cannot be a path.
    """
    if unsafe not in ("refuse", "skip"):
        raise ValueError(f"unsafe: expected 'refuse' or 'skip', got {unsafe!r}")
    skipped = []
    with _Tree(folder) as tree:
        archive = Archive(file)
        while (member := archive.next()) is not None:
            try:
                tree.put(member, archive.source)
            except UnsafeMember:
                if unsafe == "refuse":
                    raise
                skipped.append(member.name)
    return skipped


class _Unsafe(Exception):
    """Why a member is not written."""


class _Tree:
    """A folder while an archive is extracted into it.

    Everything in it is opened relative to an open folder, from the top one down, none of them a
    symlink: the system never resolves a whole path, which a symlink could redirect.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        if os.open not in os.supports_dir_fd:
            raise Unsupported(
                "extract: this system cannot open a file relative to an open folder, which is what"
                " keeps an archive inside of it; members() reads one without writing anything"
            )
        Path(usable_path(folder, "folder")).mkdir(parents=True, exist_ok=True)
        self._top = os.open(folder, _FOLDER)
        self._parent: tuple[list[str], int] | None = None
        self._folders: dict[str, tuple[int, float]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._finish_folders()
        finally:
            self._leave_parent()
            os.close(self._top)

    def put(self, member: tarfile.TarInfo, source: Source) -> None:
        """Write one member; UnsafeMember says why not."""
        try:
            self._put(member, source)
        except _Unsafe as error:
            raise _refused(member, str(error)) from None
        except OSError as error:
            if error.errno in _UNUSABLE_NAMES:
                raise _refused(member, "the file system cannot hold such a name") from error
            raise

    def _put(self, member: tarfile.TarInfo, source: Source) -> None:
        parts = _parts_of(member.name)
        if member.isdir():
            # A folder without a name is the target folder itself, which stays as it is.
            if parts:
                self._make_folder(parts, member)
        elif not parts:
            raise _Unsafe("it has no name")
        elif member.isreg():
            self._write_file(parts, member, source)
        elif member.issym():
            self._make_symlink(parts, member)
        elif member.islnk():
            self._make_link(parts, member)
        else:
            raise _Unsafe("it is a device, a fifo or of a kind that is not known")

    def _make_folder(self, parts: list[str], member: tarfile.TarInfo) -> None:
        name, place = parts[-1], self._parent_of(parts)
        try:
            os.mkdir(name, _OWNER, dir_fd=place)
        except FileExistsError:
            status = os.stat(name, dir_fd=place, follow_symlinks=False)
            if not stat.S_ISDIR(status.st_mode):
                os.unlink(name, dir_fd=place)
                os.mkdir(name, _OWNER, dir_fd=place)
            elif status.st_mode & _OWNER != _OWNER:
                os.chmod(name, _OWNER, dir_fd=place)
        # Applied at the end, so that a folder without write permission can be filled.
        self._folders["/".join(parts)] = (member.mode & _PERMISSIONS, member.mtime)

    def _write_file(self, parts: list[str], member: tarfile.TarInfo, source: Source) -> None:
        name, place = parts[-1], self._parent_of(parts)
        file = _replacing(name, place, lambda: os.open(name, _NEW_FILE, 0o600, dir_fd=place))
        try:
            _fill(file, member, source)
            os.fchmod(file, member.mode & _PERMISSIONS)
            _set_time(file, member.mtime)
        except BaseException:
            os.unlink(name, dir_fd=place)
            raise
        finally:
            os.close(file)

    def _make_symlink(self, parts: list[str], member: tarfile.TarInfo) -> None:
        _check_target(parts, member.linkname)
        name, place = parts[-1], self._parent_of(parts)
        _replacing(name, place, lambda: os.symlink(member.linkname, name, dir_fd=place))
        _set_time(name, member.mtime, dir_fd=place, follow_symlinks=False)

    def _make_link(self, parts: list[str], member: tarfile.TarInfo) -> None:
        target = _parts_of(member.linkname)
        home = self._opened(target[:-1], make=False)
        try:
            if not target or not _is_file(target[-1], home):
                raise _Unsafe(
                    f"it is a hard link to {quoted(member.linkname)}, which is not a file here"
                )
            if target != parts:
                name, place = parts[-1], self._parent_of(parts)
                _replacing(name, place, lambda: _link(target[-1], home, name, place))
        finally:
            os.close(home)

    def _parent_of(self, parts: list[str]) -> int:
        """Return the open parent folder; it stays open for the next member, likely to be in it."""
        above = parts[:-1]
        if self._parent is None or self._parent[0] != above:
            opened = self._opened(above, make=True)
            self._leave_parent()
            self._parent = (above, opened)
        return self._parent[1]

    def _leave_parent(self) -> None:
        if self._parent is not None:
            os.close(self._parent[1])
            self._parent = None

    def _opened(self, parts: list[str], *, make: bool) -> int:
        place = os.dup(self._top)
        for part in parts:
            try:
                below = _entered(part, place, make=make)
            finally:
                os.close(place)
            place = below
        return place

    def _finish_folders(self) -> None:
        """Give folders their permissions and times, inner ones first."""
        for name in sorted(self._folders, reverse=True):
            mode, changed = self._folders[name]
            try:
                folder = self._opened(name.split("/"), make=False)
            except _Unsafe:
                # Another process has removed it meanwhile.
                continue
            try:
                os.fchmod(folder, mode)
                _set_time(folder, changed)
            finally:
                os.close(folder)


def _refused(member: tarfile.TarInfo, reason: str) -> UnsafeMember:
    name = quoted(member.name)
    message = f"{name} is not extracted: {reason} (unsafe='skip' leaves such members out)"
    return UnsafeMember(message, member.name)


def _parts_of(name: str) -> list[str]:
    """Return the segments of a member's name, none for the target folder itself."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/"):
        raise _Unsafe(f"{quoted(name)} is absolute")
    if ".." in parts or "\0" in name:
        raise _Unsafe(f"{quoted(name)} has a '..' or a zero byte in it")
    if len(parts) > DEEPEST:
        raise _Unsafe(f"{quoted(name)} is nested deeper than {DEEPEST} folders")
    if len(name.encode("utf-8", "surrogateescape")) > LONGEST_NAME:
        raise _Unsafe(f"{quoted(name)} is longer than {LONGEST_NAME} bytes")
    return parts


def _check_target(parts: list[str], target: str) -> None:
    """Refuse a symlink's target that leads out of the folder, now or by means of other links.

    ``..`` is safe only at the beginning of the target, where it is the parent of the link's own
    folder. After a name it is the parent of whatever that name leads to, once it is a symlink.
    """
    steps = [step for step in target.split("/") if step not in ("", ".")]
    ups = next((index for index, step in enumerate(steps) if step != ".."), len(steps))
    shown = quoted(target)
    if not target or target.startswith("/") or "\0" in target:
        raise _Unsafe(f"it is a symlink to {shown}, which is not relative")
    if ups >= len(parts):
        raise _Unsafe(f"it is a symlink to {shown}, out of the folder")
    if ".." in steps[ups:]:
        raise _Unsafe(f"it is a symlink to {shown}, where a '..' follows a name")


def _entered(name: str, place: int, *, make: bool) -> int:
    try:
        return os.open(name, _FOLDER | _NOFOLLOW, dir_fd=place)
    except FileNotFoundError:
        if not make:
            raise _Unsafe(f"there is no folder {name!r}") from None
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ELOOP):
            raise _Unsafe(f"its parent {name!r} is a symlink or a file") from None
        raise
    os.mkdir(name, dir_fd=place)
    return os.open(name, _FOLDER | _NOFOLLOW, dir_fd=place)


def _replacing(name: str, place: int, make: Callable[[], _T]) -> _T:
    """Call ``make``, and again after removing the file or symlink that has the name already."""
    try:
        return make()
    except FileExistsError:
        status = os.stat(name, dir_fd=place, follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode):
        raise _Unsafe("it would replace a folder")
    os.unlink(name, dir_fd=place)
    return make()


def _is_file(name: str, place: int) -> bool:
    try:
        return stat.S_ISREG(os.stat(name, dir_fd=place, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _link(target: str, home: int, name: str, place: int) -> None:
    os.link(target, name, src_dir_fd=home, dst_dir_fd=place, follow_symlinks=False)


def _fill(file: int, member: tarfile.TarInfo, source: Source) -> None:
    for offset, size in extents(member):
        os.lseek(file, offset, os.SEEK_SET)
        left = size
        while left:
            piece = source.some(left)
            left -= len(piece)
            _write(file, piece)
    if member.issparse():
        os.ftruncate(file, member.size)


def _write(file: int, piece: bytes) -> None:
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(file, rest) :]


def _set_time(file: int | str, changed: float, **where: Any) -> None:
    # A time that this system cannot represent is not set.
    with suppress(OverflowError, ValueError):
        os.utime(file, (changed, changed), **where)
