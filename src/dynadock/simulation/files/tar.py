"""Containers' files as tar archives: out of them, into them, and a whole root file system.

Behaves as Docker 26.1 does, down to its words, which were asked from it. What it calls missing is a
FileNotFoundError here, and becomes its 404; any other refusal is an `ArchiveRefused`, its 500.
"""

from __future__ import annotations

import errno
import posixpath
import tarfile
from datetime import UTC
from typing import TYPE_CHECKING, Any

from dynadock.archive.compressed import Blocks, decompressed
from dynadock.archive.read import Archive
from dynadock.archive.write import BLOCK, END, gathered, header, padding
from dynadock.errors import MalformedStream, TruncatedStream
from dynadock.simulation.files.nodes import Device, File, Folder, Link
from dynadock.simulation.files.paths import failure

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterable, Iterator

    from dynadock.simulation.files.files import Files
    from dynadock.simulation.files.nodes import Node, Stat

_SECOND = 1_000_000_000
_LATEST = 2**63 - 1
_DIGITS = len(str(_LATEST))
_HIGHEST_ID = 2**32 - 2
_MOST_LINKS = 255

_KINDS = {
    "file": tarfile.REGTYPE,
    "folder": tarfile.DIRTYPE,
    "link": tarfile.SYMTYPE,
    "fifo": tarfile.FIFOTYPE,
    "device": tarfile.CHRTYPE,
}

# The bits of Go's FileMode, which are others than Linux'.
_GO_KINDS = {
    "file": 0,
    "folder": 1 << 31,
    "link": 1 << 27,
    "device": 1 << 26 | 1 << 21,
    "fifo": 1 << 25,
}
_GO_BLOCK_DEVICE = 1 << 26
_GO_BITS = {0o4000: 1 << 23, 0o2000: 1 << 22, 0o1000: 1 << 20}


class ArchiveRefused(Exception):
    """What an engine says, with status 500, if it cannot do it."""


def go_mode(found: Stat) -> int:
    """Return the kind and permissions of a file as Go has them in one number."""
    kind = _GO_BLOCK_DEVICE if found.is_block else _GO_KINDS[found.kind]
    bits = sum(go for linux, go in _GO_BITS.items() if found.mode & linux)
    return kind | bits | found.mode & 0o777


def cleaned(path: str) -> str:
    """Return an absolute path without ``..`` and the like, links not looked at, as Docker does.

    A dot or a slash at its end stays: it says that a folder is meant, and what it is called.
    """
    cleaned = _absolute(path)
    if _base(path) == "." and path:
        return f"{cleaned.rstrip('/')}/."
    return f"{cleaned.rstrip('/')}/" if path.endswith("/") else cleaned


def path_stat(files: Files, path: str) -> dict[str, Any]:
    """Return what the header X-Docker-Container-Path-Stat says of a path.

    A link is not followed unless the path ends with a slash or a dot; ``linkTarget`` says where it
    leads in the end. HEAD takes the path as it is, GET what `cleaned` makes of it: after a link,
    ``..`` is something else. FileNotFoundError if nothing is there.
    """
    seen = files.for_engines()
    where = f"/{path.lstrip('/')}"
    found = _found(seen, where)
    return {
        "name": _base(path),
        "size": found.size,
        "mode": go_mode(found),
        "mtime": go_time(found.mtime),
        "linkTarget": _end_of_link(seen, where) if found.kind == "link" else "",
    }


def pack(files: Files, path: str) -> Iterator[bytes]:
    """Return the archive of a file, or of a folder with all that is in it, as it is now, in blocks.

    Its first member has the path's last name, ``.`` if the path ends with ``/.``. A link is packed
    as such unless the path ends with a slash. FileNotFoundError if nothing is there.
    """
    where = cleaned(path)
    seen = files.for_engines().snapshot()
    if _found(seen, where).kind == "link":
        # Docker follows it, whatever it needs that for, and says where that goes on for ever.
        _end_of_link(seen, where)
    top = _base(where)
    return gathered(_packed(seen.walk(where), lambda below: _named(top, below)))


def export(files: Files) -> Iterator[bytes]:
    """Return the archive of all that is not on mounts, as it is now, in blocks."""
    found = files.without_mounts().snapshot().walk("/")
    # The root itself is no member of it.
    next(found)
    return gathered(_packed(found, lambda below: below))


def unpack(
    files: Files,
    path: str,
    blocks: Iterable[bytes],
    *,
    no_overwrite_dir_non_dir: bool = False,
    owner: tuple[int, int] | None = None,
) -> None:
    """Put the members of an archive into a folder; it may be compressed by gzip, bzip2 or xz.

    Members replace what has their names, folders with all that is in them, but folders are kept for
    folders; with ``no_overwrite_dir_non_dir``, no folder replaces anything else, nor is replaced.
    They belong to the users of the archive, or else to ``owner``. Names and links that lead out of
    the folder are refused, and what came before them stays. All blocks are read, to the last one.

    FileNotFoundError if there is no such folder, or a hard link's target is missing; else
    ArchiveRefused, also for more than the files may have.
    """
    source = Blocks(iter(blocks))
    try:
        seen = files.for_engines()
        extraction = _Extraction(seen, _extraction_point(seen, path))
        extraction.no_overwrite = no_overwrite_dir_non_dir
        extraction.owner = owner
        # Anything longer would not fit into the files, unless it wrote the same ones again.
        extraction.read(Archive(decompressed(source, limit=2 * files.tree.limit), lenient=True))
    except TruncatedStream:
        raise ArchiveRefused("unexpected EOF") from None
    except MalformedStream:
        raise ArchiveRefused("archive/tar: invalid tar header") from None
    finally:
        source.drain()


# Paths, as Go cleans them


def _absolute(path: str) -> str:
    return posixpath.normpath(f"/{path.lstrip('/')}")


def _base(path: str) -> str:
    """Return the last name of a path; ``/`` of the root, and ``.`` if there is none."""
    usual = path.rstrip("/")
    if not usual:
        return "/" if path else "."
    return usual.rpartition("/")[2]


def _named(top: str, below: str) -> str:
    if not below:
        return top
    return f"/{below}" if top == "/" else f"{top}/{below}"


def _inner_name(name: str) -> str:
    """Return a member's name in the folder that it is unpacked into; none goes above the root."""
    if name.startswith("/"):
        return _absolute(name)[1:] or "."
    return posixpath.normpath(name)


def _said(error: OSError) -> str:
    """Return an error in Go's words: the system's, which begin with a small letter."""
    said = error.strerror or ""
    return said[:1].lower() + said[1:]


def _found(files: Files, path: str) -> Stat:
    """Return what is at a cleaned path; ArchiveRefused where Docker has words of its own."""
    try:
        return files.stat(path, follow=False)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ArchiveRefused(f"lstat {path}: {_said(error)}") from None


def _end_of_link(files: Files, path: str) -> str:
    """Return where a link leads in the end, though nothing may be there."""
    place = files.resolve(path, last=False)
    for _ in range(_MOST_LINKS):
        try:
            target = files.stat(place, follow=False).target
        except OSError:
            return place
        if not target:
            return files.resolve(place)
        place = _absolute(posixpath.join(posixpath.dirname(place), target))
    raise ArchiveRefused(f"evalSymlinksInScope: too many links in {path}")


def _extraction_point(files: Files, path: str) -> str:
    """Return the real path of the folder that something is unpacked into."""
    try:
        real = files.resolve(_absolute(path))
        is_folder = files.stat(real).kind == "folder"
    except FileNotFoundError:
        raise
    except OSError as error:
        said = _said(error)
        if error.errno == errno.ELOOP:
            said = "EvalSymlinks: too many links"
        elif error.errno == errno.ENAMETOOLONG:
            said = f"lstat {_absolute(path)}: {said}"
        raise ArchiveRefused(said) from None
    if not is_folder:
        raise ArchiveRefused("extraction point is not a directory")
    if files.is_read_only(real):
        what = "mounted volume" if files.is_mounted(real) else "container rootfs"
        raise ArchiveRefused(f"{what} is marked read-only")
    return real


# Time


def go_time(nanoseconds: int) -> str:
    """Return a time as Go writes it, in UTC, with as many digits as it takes."""
    from datetime import datetime

    seconds, rest = divmod(nanoseconds, _SECOND)
    whole = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{rest:09}".rstrip("0") if rest else ""
    return f"{whole}{fraction}Z"


def _time_of(member: tarfile.TarInfo) -> int:
    """Return a member's time in nanoseconds, 0 for one before 1970 or what is none at all."""
    said = member.pax_headers.get("mtime")
    whole, _, fraction = (str(member.mtime) if said is None else said).partition(".")
    digits = f"{fraction[:9]:0<9}"
    if not all(part.isascii() and part.isdecimal() for part in (whole, digits)):
        return 0
    return min(int(whole[:_DIGITS]) * _SECOND + int(digits), _LATEST)


# Out


def _packed(found: Iterator[tuple[str, Node]], named: Callable[[str], str]) -> Iterator[bytes]:
    first_names: dict[Node, str] = {}
    for below, node in found:
        name = named(below)
        first = name
        if node.links > 1 and not isinstance(node, Folder):
            first = first_names.setdefault(node, name)
        if first != name:
            yield header(_member(name, node, hard_link=first))
            continue
        yield header(_member(name, node))
        if isinstance(node, File):
            for offset in range(0, node.size, BLOCK):
                yield node.read_at(offset, BLOCK)
            yield padding(node.size)
    yield END


def _member(name: str, node: Node, hard_link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = _KINDS[node.kind]
    member.mode = node.mode
    member.uid = node.uid
    member.gid = node.gid
    member.mtime = node.mtime // _SECOND
    if isinstance(node, Link):
        member.linkname = node.target
    elif isinstance(node, Device):
        member.devmajor, member.devminor = node.number
        member.type = tarfile.BLKTYPE if node.is_block else tarfile.CHRTYPE
    elif isinstance(node, File):
        member.size = node.size
    if hard_link:
        member.type, member.linkname, member.size = tarfile.LNKTYPE, hard_link, 0
    return member


# In


class _Extraction:
    """An archive while it is unpacked into a folder, by its members' kinds."""

    def __init__(self, files: Files, top: str) -> None:
        self._files = files
        self._top = top
        self._folders: dict[str, int] = {}
        self._parent = top
        self.no_overwrite = False
        self.owner: tuple[int, int] | None = None

    def read(self, archive: Archive) -> None:
        """Put all members in their places, and give folders their times when they are filled."""
        while (member := archive.next()) is not None:
            self._put(member, archive)
        for path, time in self._folders.items():
            try:
                self._files.stat(path, follow=False)
            except OSError:
                continue
            self._files.touch(path, time, follow=False)

    def _put(self, member: tarfile.TarInfo, archive: Archive) -> None:
        name = _inner_name(member.name)
        path = posixpath.join(self._top, name)
        if name == ".." or name.startswith("../"):
            raise ArchiveRefused(f'"{name}" is outside of "{self._top}"')
        if name == ".":
            return
        self._make_parents(posixpath.dirname(path))
        self._make_room(path, member)
        self._make(path, member, archive)
        self._describe(path, member)

    def _make_parents(self, path: str) -> None:
        """Make the folders above a member; the next one is likely to be in the same."""
        if path == self._parent:
            return
        try:
            self._files.stat(path, follow=False)
        except FileNotFoundError:
            self._try("mkdir", path, lambda: self._files.make_folder(path, parents=True))
        except OSError:
            # What is made below it says what is wrong with it.
            return
        self._parent = path

    def _make_room(self, path: str, member: tarfile.TarInfo) -> None:
        """Remove what has the name already, but no folder where a folder comes."""
        try:
            found = self._files.stat(path, follow=False).kind
        except OSError:
            return
        was_folder, is_folder = found == "folder", member.isdir()
        if self.no_overwrite and was_folder != is_folder:
            kinds = ("directory", "non-directory") if was_folder else ("non-directory", "directory")
            raise ArchiveRefused(
                f'cannot overwrite {kinds[0]} "{path}" with {kinds[1]} "{self._top}"'
            )
        if not (was_folder and is_folder):
            self._parent = self._top
            self._try("unlinkat", path, lambda: self._files.remove_tree(path))

    def _make(self, path: str, member: tarfile.TarInfo, archive: Archive) -> None:
        if member.isdir():
            if not self._is_folder(path):
                self._try("mkdir", path, lambda: self._files.make_folder(path))
            self._folders[path] = _time_of(member)
        elif member.isreg():
            self._fill(path, member, archive.contents(member))
        elif member.issym():
            self._make_link(path, member.linkname)
        elif member.islnk():
            self._make_hard_link(path, member.linkname)
        elif member.isfifo():
            self._try("", path, lambda: self._files.make_fifo(path))
        elif member.isdev():
            number, is_block = (member.devmajor, member.devminor), member.isblk()
            made = self._files.make_device
            self._try("", path, lambda: made(path, number, is_block=is_block))
        else:
            raise ArchiveRefused(f"unhandled tar header type {member.type[0]}")

    def _fill(self, path: str, member: tarfile.TarInfo, contents: io.BufferedReader) -> None:
        # Refused before it is read: what a header claims may be far more than what comes.
        block = contents.read1(BLOCK) if member.size <= BLOCK else b""
        self._try("open", path, lambda: self._files.write(path, block, mode=member.mode))
        left = member.size - len(block)
        self._try("write", path, lambda: self._files.check_room(path, left))
        while left and (block := contents.read1(BLOCK)):
            self._files.write(path, block, append=True)
            left -= len(block)

    def _make_link(self, path: str, target: str) -> None:
        leads_to = _absolute(f"{posixpath.dirname(path)}/{target}")
        if not self._is_inside(leads_to):
            raise ArchiveRefused(f'invalid symlink "{path}" -> "{target}"')
        self._try(f"symlink {target}", path, lambda: self._files.make_link(target, path))

    def _make_hard_link(self, path: str, target: str) -> None:
        first = _absolute(f"{self._top}/{target}")
        if not self._is_inside(first):
            raise ArchiveRefused(f'invalid hardlink "{first}" -> "{target}"')
        self._try(f"link {first}", path, lambda: self._files.make_hard_link(first, path))

    def _describe(self, path: str, member: tarfile.TarInfo) -> None:
        """Set owner, permissions and time."""
        uid, gid = self.owner or (member.uid, member.gid)
        if not (0 <= uid <= _HIGHEST_ID and 0 <= gid <= _HIGHEST_ID):
            self._try("lchown", path, lambda: _refuse_id(path))
        if member.islnk() and not self._is_seen_from_root(member.linkname):
            self._files.set_owner(path, uid, gid, follow=False)
            return
        mode = None if member.issym() else member.mode
        self._files.describe(path, mode, _time_of(member), (uid, gid))

    def _is_seen_from_root(self, name: str) -> bool:
        """Return whether a hard link's target is found where Docker looks for it, from the root.

        Only if it is, it gets the mode and time that the link's header has.
        """
        try:
            return self._files.stat(posixpath.join("/", name), follow=False).kind != "link"
        except OSError:
            return False

    def _is_folder(self, path: str) -> bool:
        try:
            return self._files.stat(path, follow=False).kind == "folder"
        except OSError:
            return False

    def _is_inside(self, path: str) -> bool:
        return path.startswith(self._top)

    @staticmethod
    def _try(what: str, path: str, change: Callable[[], None]) -> None:
        """Make a change; a missing file stays what it is, other errors are said in Go's way."""
        try:
            change()
        except FileNotFoundError:
            raise
        except OSError as error:
            said = f"{what} {path}: {_said(error)}" if what else _said(error)
            raise ArchiveRefused(said) from None


def _refuse_id(path: str) -> None:
    raise failure(errno.EINVAL, path)
