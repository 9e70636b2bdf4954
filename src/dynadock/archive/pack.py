"""Tar archives made on the fly: of a folder, of a file, of a build context.

Every iteration makes the archive anew from what is on disk at that time, a block at a time. So an
archive can be sent again, and is never held in memory as a whole. Members are in the order of their
names, with the modes of the files and their times in whole seconds. They belong to user and group
0, as in the docker command's build contexts, since ids of this machine mean nothing in a container.

Symlinks stay symlinks, and further names of the same file become hard links; fifos and devices are
headers without contents. Sockets are left out, as tar has no such type. It is an error if a file
cannot be read, or is removed or becomes something else meanwhile: see `archive.tree`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dynadock.archive.given import USUAL_MODE, Given, given_files, shown
from dynadock.archive.ignore import Ignore, read_ignore
from dynadock.archive.names import member_name, usable_path
from dynadock.archive.tree import Tree, open_file
from dynadock.archive.write import BLOCK, END, gathered, header, padding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from dynadock.archive.given import Files

DOCKERFILE = "Dockerfile"
IGNORE_FILE = ".dockerignore"

LARGEST_RULES = 4 * 1024 * 1024
"""Bytes of an ignore file."""

_KINDS = {
    stat.S_IFDIR: tarfile.DIRTYPE,
    stat.S_IFLNK: tarfile.SYMTYPE,
    stat.S_IFIFO: tarfile.FIFOTYPE,
    stat.S_IFCHR: tarfile.CHRTYPE,
    stat.S_IFBLK: tarfile.BLKTYPE,
}
_NO_RULES = Ignore()


class _Entry(NamedTuple):
    """A future member: its name in the archive, and where it is on disk."""

    name: str
    tree: Tree
    path: str


_Entries = Callable[[], "Iterator[_Entry | Given]"]


class _Rules(NamedTuple):
    """An ignore file: its path, None if there is no such file, and its contents."""

    path: Path | None
    text: bytes


class Packed:
    """A tar archive as an iterable of blocks of bytes, which can be iterated over again and again.

    Iterating raises the OSError of a file that cannot be read. It also raises an OSError that names
    the file or folder if one is gone, was replaced by something else, or became shorter meanwhile.
    A file that grew is cut off at its first size.
    """

    def __init__(self, entries: _Entries) -> None:
        self._entries = entries

    def __iter__(self) -> Iterator[bytes]:
        return gathered(_pieces(self._entries()))


class Context(Packed):
    """A build context; ``dockerfile`` is the Dockerfile's name in it, as sent to the engine."""

    def __init__(self, entries: _Entries, dockerfile: str) -> None:
        super().__init__(entries)
        self.dockerfile = dockerfile


class PackedFiles(Packed):
    """An archive of files whose contents are in memory; its repr is the call that makes it."""

    def __init__(self, files: Files, folder: str | None = None) -> None:
        self._files = dict(files)
        self._folder = folder
        given = given_files(self._files, folder)
        super().__init__(lambda: iter(given))

    def __repr__(self) -> str:
        folder = "" if self._folder is None else f", name={self._folder!r}"
        return f"pack({shown(self._files)}{folder})"


def pack(path: str | os.PathLike[str] | Files, *, name: str | None = None) -> Packed:
    r"""Pack everything in a folder, or one file under its own name, or files given as a mapping.

    ``name`` (its parts joined by ``/``) replaces a file's name; a folder is packed inside a folder
    of that name. A symlink given as ``path`` is followed; those within a folder are not. A mapping
    is from names to contents (text is encoded as UTF-8): ``pack({"Dockerfile": "FROM busybox"})``.
    A file has mode 0644, or the mode given with its contents:
    ``pack({"run.sh": ("#!/bin/sh\necho hello\n", 0o755)})``.

    Raises FileNotFoundError if there is nothing at ``path``. Raises ValueError if it is neither a
    file nor a folder, for a path that no system accepts, and for names that are absolute, empty,
    longer than 4095 bytes, or contain ``..`` or a zero byte. For a mapping, one ValueError lists
    everything that is wrong with it: duplicate names, invalid contents, invalid modes.
    """
    if name is not None:
        name = _checked_name(name)
    if isinstance(path, Mapping):
        return PackedFiles(path, name)
    given = Path(usable_path(path, "path")).absolute()
    mode = given.stat().st_mode
    real = os.path.realpath(given)
    if stat.S_ISDIR(mode):
        return Packed(lambda: _folder(real, name))
    if not stat.S_ISREG(mode):
        raise ValueError(f"{str(given)!r} is neither a file nor a folder")
    return Packed(lambda: _one(name or given.name, real))


def build_context(
    folder: str | os.PathLike[str], dockerfile: str | os.PathLike[str] | None = None
) -> Context:
    """Pack a folder for a build, without what its ``.dockerignore`` excludes.

    ``dockerfile`` is a path, relative to the folder unless it is absolute; None stands for
    ``Dockerfile``, or for ``dockerfile`` if only that exists. If it is a symlink, the engine gets
    the name of its target, as from the docker command. A Dockerfile outside of the folder is added
    under a generated name.

    ``<dockerfile>.dockerignore`` beside the Dockerfile has precedence over ``.dockerignore``, as
    with BuildKit, and is sent in its place. The Dockerfile and ``.dockerignore`` are sent even if
    they are excluded: the engine needs them, and then excludes them itself, by the rules in
    ``.dockerignore``. As with the docker command, these get lines that exclude the added files.

    Raises FileNotFoundError if the folder or the Dockerfile does not exist, NotADirectoryError if
    the folder is not a folder, and ValueError if the Dockerfile is not a file, for a path that no
    system accepts, and for an ignore file that has a malformed line or is larger than
    `LARGEST_RULES`.
    """
    root = _existing_folder(folder)
    given = _given_dockerfile(root, dockerfile)
    real = given.resolve()
    own_rules = given.with_name(given.name + IGNORE_FILE)
    rules = _first_rules(own_rules, root / IGNORE_FILE)
    ignore = _ignore_by(rules)
    added: dict[str, bytes | str] = {}
    if real.is_relative_to(root):
        name = real.relative_to(root).as_posix()
    else:
        name = _free_name(root, str(real))
        added[name] = str(real)
    if added or rules.path == own_rules:
        added[IGNORE_FILE] = _rules_to_send(root, rules, [*added])
    return Context(lambda: _chosen(str(root), ignore, name, added), name)


# What is packed


def _one(name: str, path: str) -> Iterator[_Entry]:
    folder, own_name = os.path.split(path)
    with Tree(folder) as tree:
        # If a link replaced it, that would be packed as a link, which nobody asked for.
        os.close(tree.opened(own_name))
        yield _Entry(name, tree, own_name)


def _folder(root: str, name: str | None) -> Iterator[_Entry]:
    with Tree(root) as tree:
        if name is not None:
            yield _Entry(name, tree, "")
        prefix = "" if name is None else f"{name}/"
        for path in _walk(tree):
            yield _Entry(prefix + path, tree, path)


def _chosen(
    root: str, ignore: Ignore, name: str, added: Mapping[str, bytes | str]
) -> Iterator[_Entry | Given]:
    """Yield what is in a context, and what is added to it: contents, or a file's path, by names."""
    left = dict(added)
    with Tree(root) as tree:
        for path in _walk(tree, ignore, (IGNORE_FILE, name)):
            if path in left:
                yield from _added(path, left.pop(path))
            else:
                yield _Entry(path, tree, path)
    for path, what in left.items():
        yield from _added(path, what)


def _added(name: str, what: bytes | str) -> Iterator[_Entry | Given]:
    if isinstance(what, bytes):
        yield Given(name, what)
    else:
        yield from _one(name, what)


def _walk(tree: Tree, ignore: Ignore = _NO_RULES, always: Collection[str] = ()) -> Iterator[str]:
    """Yield the paths in a tree, in order, except for those excluded and not in ``always``."""
    waiting = [(found, ignore.at_the_top) for found in tree.listed("")]
    while waiting:
        (path, is_folder), above = waiting.pop()
        verdict = ignore.judge(path, above)
        if not verdict.excluded or path in always:
            yield path
        if is_folder and (
            not verdict.excluded
            or ignore.may_hold_exceptions(path)
            or any(wanted.startswith(f"{path}/") for wanted in always)
        ):
            waiting += [(found, verdict) for found in tree.listed(path)]


def _checked_name(name: str) -> str:
    try:
        return member_name(name)
    except ValueError as error:
        raise ValueError(f"name: {error}") from None


# What belongs to a build


def _existing_folder(folder: str | os.PathLike[str]) -> Path:
    root = Path(usable_path(folder, "folder")).resolve()
    try:
        mode = root.stat().st_mode
    except FileNotFoundError:
        what = "there is no folder to build from"
        raise FileNotFoundError(errno.ENOENT, what, str(root)) from None
    if not stat.S_ISDIR(mode):
        raise NotADirectoryError(errno.ENOTDIR, "a build is made from a folder", str(root))
    return root


def _given_dockerfile(root: Path, dockerfile: str | os.PathLike[str] | None) -> Path:
    """Return the path of the Dockerfile as it was given, which may be a symlink."""
    given = root / usable_path(DOCKERFILE if dockerfile is None else dockerfile, "dockerfile")
    if dockerfile is None and not os.path.lexists(given):
        in_small_letters = root / DOCKERFILE.lower()
        given = in_small_letters if os.path.lexists(in_small_letters) else given
    try:
        mode = given.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        what = "there is no Dockerfile"
        if given.is_symlink():
            what += f" where this link leads, {str(given.resolve())!r}"
        raise FileNotFoundError(errno.ENOENT, what, str(given)) from None
    if not stat.S_ISREG(mode):
        raise ValueError(f"a Dockerfile has to be a file, and {str(given)!r} is not one")
    return given


def _first_rules(*paths: Path) -> _Rules:
    for path in paths:
        try:
            with open_file(str(path)) as file:
                rules = _Rules(path, file.read(LARGEST_RULES + 1))
        except FileNotFoundError:
            continue
        if len(rules.text) > LARGEST_RULES:
            raise ValueError(f"{path}: rules of more than {LARGEST_RULES} bytes")
        return rules
    return _Rules(None, b"")


def _ignore_by(rules: _Rules) -> Ignore:
    try:
        return Ignore(read_ignore(rules.text.decode("utf-8", "surrogateescape")))
    except ValueError as error:
        raise ValueError(f"{rules.path}: {error}") from None


def _rules_to_send(root: Path, rules: _Rules, names: list[str]) -> bytes:
    """Return the rules, and with them lines that exclude the added files of these names."""
    if not os.path.lexists(root / IGNORE_FILE):
        names.insert(0, IGNORE_FILE)
    parts = (rules.text, *map(os.fsencode, names))
    return b"\n".join(part for part in parts if part) + b"\n"


def _free_name(root: Path, dockerfile: str) -> str:
    with open_file(dockerfile) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    name = f".dockerfile.{digest[:20]}"
    while os.path.lexists(root / name):
        name += "_"
    return name


# How it is packed


def _pieces(entries: Iterator[_Entry | Given]) -> Iterator[bytes]:
    first_names: dict[tuple[int, int], str] = {}
    for entry in entries:
        if isinstance(entry, Given):
            size = len(entry.contents)
            yield _header(entry.name, tarfile.REGTYPE, mode=entry.mode, size=size)
            yield entry.contents + padding(size)
            continue
        status = entry.tree.status(entry.path)
        if stat.S_ISREG(status.st_mode):
            first = entry.name
            if status.st_nlink > 1:
                first = first_names.setdefault((status.st_dev, status.st_ino), entry.name)
            if first == entry.name:
                yield from _file(entry)
            else:
                yield _header(entry.name, tarfile.LNKTYPE, status, link=first)
        elif stat.S_IFMT(status.st_mode) in _KINDS:
            yield _header_alone(entry, status)
    yield END


def _file(entry: _Entry) -> Iterator[bytes]:
    with os.fdopen(entry.tree.opened(entry.path), "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        yield _header(entry.name, tarfile.REGTYPE, status, size=status.st_size)
        left = status.st_size
        while left:
            block = file.read(min(left, BLOCK))
            if not block:
                message = f"the file became {left} bytes shorter while it was packed"
                raise OSError(errno.EIO, message, entry.tree.whole(entry.path))
            left -= len(block)
            yield block
    yield padding(status.st_size)


def _header_alone(entry: _Entry, status: os.stat_result) -> bytes:
    kind = _KINDS[stat.S_IFMT(status.st_mode)]
    link = entry.tree.target(entry.path) if kind == tarfile.SYMTYPE else ""
    return _header(entry.name, kind, status, link=link)


def _header(
    name: str,
    kind: bytes,
    status: os.stat_result | None = None,
    *,
    mode: int = USUAL_MODE,
    size: int = 0,
    link: str = "",
) -> bytes:
    member = tarfile.TarInfo(name)
    member.mode = mode
    member.type = kind
    member.size = size
    member.linkname = link
    if status is not None:
        member.mode = stat.S_IMODE(status.st_mode)
        member.mtime = status.st_mtime_ns // 1_000_000_000
    if status is not None and kind in (tarfile.CHRTYPE, tarfile.BLKTYPE):
        member.devmajor = os.major(status.st_rdev)
        member.devminor = os.minor(status.st_rdev)
    return header(member)
