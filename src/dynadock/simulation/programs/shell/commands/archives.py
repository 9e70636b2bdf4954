"""The commands tar, gzip, gunzip and zcat."""

from __future__ import annotations

import errno
import io
import tarfile
import zlib
from typing import TYPE_CHECKING

from dynadock.simulation.files.nodes import Stat
from dynadock.simulation.programs.shell import patterns
from dynadock.simulation.programs.shell.commands.folders import mode_text
from dynadock.simulation.programs.shell.commands.texts import whole
from dynadock.simulation.programs.shell.descriptors import failure
from dynadock.simulation.programs.shell.disk import Disk
from dynadock.simulation.programs.shell.invocation import UsageError, words_of, write
from dynadock.simulation.programs.shell.times import time_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.simulation.programs.shell.invocation import Invocation, Options
    from dynadock.simulation.programs.shell.jobs import Coroutine

_MOST = 256 * 1024 * 1024
_GZIP = 31
"""zlib's number for a gzip header and the largest window."""


def _compressed(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    return packer.compress(data) + packer.flush()


def _plain(data: bytes) -> bytes:
    """Return what gzip's bytes hold.

    Raises:
        OSError: They are not gzip's, cut short, or hold too much.

    """
    found: list[bytes] = []
    size = 0
    while data:
        unpacker = zlib.decompressobj(_GZIP)
        try:
            piece = unpacker.decompress(data, _MOST - size + 1)
        except zlib.error:
            raise OSError(22, "invalid magic" if not found else "crc error") from None
        size += len(piece)
        if size > _MOST:
            raise OSError(12, "Cannot allocate memory")
        if not unpacker.eof:
            raise OSError(22, "unexpected end of file")
        found.append(piece)
        data = unpacker.unused_data
    return b"".join(found)


def run_gzip(invocation: Invocation) -> Coroutine[int]:
    """Compress files: -d the reverse, -c to the output, -k keeps them, -f."""
    return (yield from _gzip(invocation, unpacks=False))


def run_gunzip(invocation: Invocation) -> Coroutine[int]:
    """Decompress files: -c to the output, -k keeps them."""
    return (yield from _gzip(invocation, unpacks=True))


def run_zcat(invocation: Invocation) -> Coroutine[int]:
    """Print what compressed files hold."""
    return (yield from _gzip(invocation, unpacks=True, prints=True))


def _gzip(invocation: Invocation, *, unpacks: bool, prints: bool = False) -> Coroutine[int]:
    options = invocation.options("cdfkt123456789vnq")
    unpacks = unpacks or "d" in options
    prints = prints or "c" in options
    disk = invocation.disk
    for name in options.operands or ["-"]:
        try:
            data = yield from whole(invocation.open(name))
        except (OSError, ValueError) as error:
            invocation.warn_of(name, error)
            continue
        try:
            made = _plain(data) if unpacks else _compressed(data)
        except OSError as error:
            invocation.warn(words_of(error))
            continue
        if name == "-" or prints:
            yield from invocation.write(made)
            continue
        if unpacks and not name.endswith((".gz", ".tgz")):
            invocation.warn(f"{name}: unknown suffix - ignored")
            continue
        target = name.removesuffix(".gz") if unpacks else f"{name}.gz"
        if disk.exists(target) and "f" not in options:
            invocation.warn(f"can't open '{target}': File exists")
            continue
        disk.files.write(disk.path(target), made, mode=invocation.stat(name).mode)
        if "k" not in options:
            disk.files.remove(disk.path(name))
        yield invocation.now()
    return invocation.status


def run_tar(invocation: Invocation) -> Coroutine[int]:
    """Make (c), extract (x) or list (t) archives: -f FILE, -C FOLDER, -z, -v, -O, -k."""
    words = [*invocation.arguments]
    if words and not words[0].startswith("-"):
        words[0] = "-" + words[0]
    invocation.arguments = words
    options = invocation.options(
        "cxtf:C:zvOmopkhaT:X:", {"strip-components": "S", "exclude": "E", "numeric-owner": "o"}
    )
    modes = [letter for letter in "cxt" if letter in options]
    if len(modes) != 1:
        raise UsageError
    disk = Disk(invocation.disk.files, invocation.disk.folder)
    if "C" in options:
        folder = options.values["C"]
        if disk.kind(folder) != "folder":
            return invocation.warn(
                f"can't change directory to '{folder}': No such file or directory"
            )
        disk.folder = disk.path(folder)
    name = options.values.get("f", "-")
    if modes == ["c"]:
        return (yield from _create(invocation, options, disk, name))
    try:
        data = yield from whole(invocation.open(name))
    except OSError as error:
        return invocation.warn_of(name, error, "can't open")
    if data[:2] == b"\x1f\x8b":
        data = _plain(data)
    return (yield from _Extraction(invocation, options, disk).run(data))


def _create(invocation: Invocation, options: Options, disk: Disk, name: str) -> Coroutine[int]:
    if not options.operands:
        return invocation.warn("empty archive")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for operand in options.operands:
            for path in _tree(invocation, disk, operand):
                stat = disk.files.stat(disk.path(path), follow="h" in options)
                if stat.kind in {"device", "fifo"}:
                    continue
                content = disk.files.read(disk.path(path)) if stat.kind == "file" else b""
                member = _member_of(path, stat)
                archive.addfile(member, io.BytesIO(content))
                if "v" in options:
                    invocation.print(member.name)
                if buffer.tell() > _MOST:
                    raise failure(errno.EFBIG)
                yield invocation.now()
    data = buffer.getvalue()
    if "z" in options:
        data = _compressed(data)
    stream = invocation.descriptors[1]
    if name != "-":
        stream = invocation.disk.writer(name, invocation.descriptors)
    yield from write(stream, data)
    return invocation.status


def _member_of(path: str, stat: Stat) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path.lstrip("/"))
    member.mode, member.mtime = stat.mode, stat.mtime // 10**9
    member.uid, member.gid = stat.uid, stat.gid
    member.uname = member.gname = "root" if stat.uid == 0 else ""
    if stat.kind == "folder":
        member.type = tarfile.DIRTYPE
        member.name += "/"
    elif stat.kind == "link":
        member.type, member.linkname = tarfile.SYMTYPE, stat.target
    else:
        member.size = stat.size
    return member


def _tree(invocation: Invocation, disk: Disk, name: str) -> Iterator[str]:
    waiting = [name]
    while waiting:
        each = waiting.pop()
        kind = disk.kind(each, follow=False)
        if not kind:
            invocation.warn(f"{each}: No such file or directory")
            continue
        yield each
        if kind == "folder":
            inside = disk.files.names(disk.path(each))
            waiting += [f"{each.rstrip('/')}/{below}" for below in inside[::-1]]


class _Extraction:
    def __init__(self, invocation: Invocation, options: Options, disk: Disk) -> None:
        self._invocation = invocation
        self._options = options
        self._disk = disk

    def run(self, data: bytes) -> Coroutine[int]:
        seen: set[str] = set()
        try:
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
                for member in archive:
                    if self._is_wanted(member.name, seen):
                        source = archive.extractfile(member) if member.isreg() else None
                        content = source.read(_MOST) if source else b""
                        yield from self._member(member, content)
                    yield self._invocation.now()
        except tarfile.TarError:
            return self._invocation.warn("invalid tar magic" if data else "short read")
        for operand in self._options.operands:
            if operand.rstrip("/") not in seen:
                self._invocation.warn(f"{operand}: not found in archive")
        return self._invocation.status

    def _is_wanted(self, name: str, seen: set[str]) -> bool:
        if not self._options.operands:
            return True
        for operand in self._options.operands:
            bare = operand.rstrip("/")
            if name == bare or name.startswith(bare + "/") or patterns.is_match(operand, name):
                seen.add(bare)
                return True
        return False

    def _member(self, member: tarfile.TarInfo, content: bytes) -> Coroutine[None]:
        name = member.name + ("/" if member.isdir() else "")
        if "t" in self._options:
            self._invocation.print(_listed(member, name) if "v" in self._options else name)
            return
        if "O" in self._options:
            yield from self._invocation.write(content)
            return
        if "v" in self._options:
            self._invocation.print(name)
        if ".." in member.name.split("/"):
            self._invocation.warn(f"name with '..' skipped: '{member.name}'")
            return
        try:
            self._extract(member, content)
        except OSError as error:
            self._invocation.warn_of(member.name, error, "can't open")

    def _extract(self, member: tarfile.TarInfo, content: bytes) -> None:
        files = self._disk.files
        path = self._disk.path(member.name.lstrip("/") or ".")
        parent = path.rstrip("/").rpartition("/")[0] or "/"
        if not files.exists(parent):
            files.make_folder(parent, parents=True)
        if member.isdir():
            if self._disk.kind(path) != "folder":
                files.make_folder(path, member.mode)
            files.set_mode(path, member.mode)
            return
        if self._disk.kind(path, follow=False):
            if "k" in self._options:
                return
            files.remove(path)
        if member.issym():
            files.make_link(member.linkname, path)
        elif member.islnk():
            files.make_hard_link(self._disk.path(member.linkname), path)
        elif member.isreg():
            files.write(path, content, mode=member.mode)
            files.set_owner(path, member.uid, member.gid)
            files.set_mode(path, member.mode)
            files.touch(path, int(member.mtime) * 10**9)


def _listed(member: tarfile.TarInfo, name: str) -> str:
    kind = "folder" if member.isdir() else "link" if member.issym() else "file"
    stat = Stat(kind, member.mode & 0o7777, member.size, 0, member.uid, member.gid)
    owner = f"{member.uname or member.uid}/{member.gname or member.gid}"
    when = time_text("%Y-%m-%d %H:%M:%S", int(member.mtime) * 10**9)
    arrow = f" -> {member.linkname}" if member.linkname else ""
    return f"{mode_text(stat)} {owner} {member.size:9d} {when} {name}{arrow}"
