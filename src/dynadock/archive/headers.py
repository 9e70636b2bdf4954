"""What stands before a member of a tar archive: its headers, one after the other.

tarfile decodes each block. What the blocks say together (long names, pax records, the maps of
sparse files) is read here: the tarfile of some releases searches hostile records in quadratic time,
calls itself for each header, and keeps whatever is said of all members. Here each byte is looked at
once, and what an archive may say is bounded:

- `LONGEST_HEADERS` bytes of headers before one member, the map of a sparse file among them, which
  holds a path and a link of Linux' PATH_MAX and a dozen extended attributes of its largest size
  (Go, which engines are written in, reads no single header that is longer);
- `LONGEST_FOR_ALL` characters of records that hold for all members to come;
- `LARGEST_FILE` bytes of a file.
"""

from __future__ import annotations

import tarfile
from tarfile import BLOCKSIZE, HeaderError
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_HEADERS = 1024 * 1024
LONGEST_FOR_ALL = 64 * 1024
LARGEST_FILE = 2**63 - 1

_LONG_NAMES = {tarfile.GNUTYPE_LONGNAME: "path", tarfile.GNUTYPE_LONGLINK: "linkpath"}
_RECORDS = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)

# Where GNU's oldest sparse files have pairs of an offset and a count, and what comes after these.
_PAIR = 24
_PAIRS_IN_HEADER = range(386, 386 + 4 * _PAIR, _PAIR)
_IS_CONTINUED = 482
_REAL_SIZE = slice(483, 495)
_PAIRS_IN_BLOCK = range(0, 21 * _PAIR, _PAIR)
_IS_CONTINUED_AGAIN = 504

_APPLIED = ("path", "linkpath", "size", "mtime", "uid", "gid", "uname", "gname", "GNU.sparse.name")
_LONGEST_NUMBER = 20
_BASE_256 = {0x80: 0, 0xFF: 1}
_Records = list[tuple[str, str]]
_Extents = list[tuple[int, int]]


class Bytes(Protocol):
    """What headers are read from."""

    def read(self, size: int, /) -> bytes:
        """Return ``size`` bytes, no fewer."""

    def tell(self) -> int:
        """Return how many bytes were read."""


class Member(NamedTuple):
    """A member, and where the bytes that belong to it end."""

    info: tarfile.TarInfo
    end: int


class Headers:
    """The headers of an archive; HeaderError, or what else tarfile raises, for damaged ones."""

    def __init__(self, source: Bytes) -> None:
        self._source = source
        self._left = 0
        self._for_all: dict[str, str] = {}
        self._size_for_all = 0

    def next(self) -> Member:
        """Read the headers of the next member, up to its first byte."""
        start = self._source.tell()
        self._left = LONGEST_HEADERS
        names: dict[str, str] = {}
        records: _Records = []
        while True:
            header = self._header()
            kind = header.info.type
            if kind in _LONG_NAMES:
                names[_LONG_NAMES[kind]] = _text(self._body(header).partition(b"\0")[0])
            elif kind in _RECORDS:
                records += _records_in(self._body(header))
            elif kind == tarfile.XGLTYPE:
                self._keep_for_all(_records_in(self._body(header)))
            else:
                break
        member = header.info
        member.offset = start
        member.pax_headers = self._for_all | dict(records)
        said = member.pax_headers
        # An empty value takes back what another header said.
        _apply(member, names | {name: said[name] for name in _APPLIED if said.get(name)})
        return self._measured(header, records)

    def _header(self) -> _Header:
        block = self._read(BLOCKSIZE)
        return _Header(block, tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape"))

    def _body(self, header: _Header) -> bytes:
        size = header.info.size
        if size < 0:
            raise HeaderError(f"a header that claims to have {size} bytes")
        return self._read(size + -size % BLOCKSIZE)[:size]

    def _read(self, size: int) -> bytes:
        self._left -= size
        if self._left < 0:
            raise HeaderError(f"headers of more than {LONGEST_HEADERS} bytes before one member")
        return self._source.read(size)

    def _keep_for_all(self, records: _Records) -> None:
        for name, value in records:
            self._size_for_all += len(name) + len(value)
            if name in self._for_all:
                self._size_for_all -= len(name) + len(self._for_all[name])
            self._for_all[name] = value
        if self._size_for_all > LONGEST_FOR_ALL:
            raise HeaderError(f"more than {LONGEST_FOR_ALL} characters of global pax records")

    def _measured(self, header: _Header, records: _Records) -> Member:
        """Find out where a member's bytes are, and what they are of it."""
        member = header.info
        sparse: _Extents | None = None
        stored = member.size
        if not 0 <= stored <= LARGEST_FILE:
            raise HeaderError(f"a member of {stored} bytes")
        if member.type == tarfile.GNUTYPE_SPARSE:
            sparse = list(self._pairs(header.block))
            member.size = _number(header.block[_REAL_SIZE])
        member.offset_data = self._source.tell()
        is_stored = member.isreg() or member.type not in tarfile.SUPPORTED_TYPES
        end = member.offset_data + (stored + -stored % BLOCKSIZE if is_stored else 0)
        if member.isreg() and any(name.startswith("GNU.sparse.") for name, _ in records):
            sparse = self._sparse(member, records, end)
        cast("Any", member).sparse = sparse
        _check_sizes(member, end)
        return Member(member, end)

    def _pairs(self, block: bytes) -> Iterator[tuple[int, int]]:
        """Yield the offsets and counts of GNU's oldest sparse files."""
        places, is_continued = _PAIRS_IN_HEADER, block[_IS_CONTINUED]
        while True:
            for place in places:
                offset = _number(block[place : place + _PAIR // 2])
                count = _number(block[place + _PAIR // 2 : place + _PAIR])
                # The table is filled up with empty parts.
                if count:
                    yield offset, count
            if not is_continued:
                return
            block = self._read(BLOCKSIZE)
            places, is_continued = _PAIRS_IN_BLOCK, block[_IS_CONTINUED_AGAIN]

    def _sparse(self, member: tarfile.TarInfo, records: _Records, end: int) -> _Extents | None:
        """Return the map of a sparse file by GNU's pax records, of versions 0.0, 0.1 and 1.0."""
        said = dict(records)
        real_size = said.get("GNU.sparse.realsize") or said.get("GNU.sparse.size")
        if real_size is None:
            return None
        member.size = _decimal(real_size)
        if (said.get("GNU.sparse.major"), said.get("GNU.sparse.minor")) == ("1", "0"):
            numbers = self._map_before_contents(end)
            member.offset_data = self._source.tell()
        elif "GNU.sparse.map" in said:
            numbers = [_decimal(number) for number in said["GNU.sparse.map"].split(",") if number]
        else:
            wanted = ("GNU.sparse.offset", "GNU.sparse.numbytes")
            numbers = [_decimal(value) for name, value in records if name in wanted]
        return [(offset, count) for offset, count in _in_pairs(numbers) if count]

    def _map_before_contents(self, end: int) -> list[int]:
        lines = self._lines(end)
        count = _decimal(next(lines))
        return [_decimal(next(lines)) for _ in range(2 * count)]

    def _lines(self, end: int) -> Iterator[str]:
        """Yield the lines before a file's contents, each a number, and read no block too many."""
        rest = b""
        while self._source.tell() < end and len(rest) <= _LONGEST_NUMBER:
            *lines, rest = (rest + self._read(BLOCKSIZE)).split(b"\n")
            yield from map(_text, lines)
        raise HeaderError("a sparse file without a map")


class _Header(NamedTuple):
    block: bytes
    info: tarfile.TarInfo


def extents(member: tarfile.TarInfo) -> _Extents:
    """Return where a file's bytes belong: pairs of an offset and a count."""
    sparse = cast("_Extents | None", member.sparse)
    return [(0, member.size)] if sparse is None else sparse


def _records_in(body: bytes) -> _Records:
    """Return names and values: each record is its length, a blank, ``name=value``, a line feed."""
    records = []
    start = 0
    while start < len(body) and body[start]:
        blank = body.find(b" ", start, start + _LONGEST_NUMBER)
        length = body[start : max(blank, start)]
        end = start + int(length) if length.isdigit() else 0
        name, equals, value = body[blank + 1 : max(end - 1, 0)].partition(b"=")
        if not (blank + 1 < end <= len(body) and name and equals and body[end - 1] == ord("\n")):
            raise HeaderError(f"a pax header with a damaged record, {body[start : start + 40]!r}")
        records.append((_text(name), _text(value)))
        start = end
    return records


def _apply(member: tarfile.TarInfo, said: dict[str, str]) -> None:
    """Give a member what was said of it in other headers than its own."""
    member.name = said.get("GNU.sparse.name") or said.get("path", member.name)
    if "path" in said or member.isdir():
        member.name = member.name.rstrip("/")
    member.linkname = said.get("linkpath", member.linkname)
    if "size" in said:
        member.size = _decimal(said["size"])
    for attribute in {"uname", "gname"} & said.keys():
        setattr(member, attribute, said[attribute])
    for attribute, convert in {"uid": int, "gid": int, "mtime": float}.items():
        if attribute in said:
            setattr(member, attribute, _converted(said[attribute], convert))


def _check_sizes(member: tarfile.TarInfo, end: int) -> None:
    """Raise HeaderError for sizes that no file has, or that go on beyond ``end``."""
    if not 0 <= member.size <= LARGEST_FILE or end < member.offset_data:
        raise HeaderError(f"a member of {member.size} bytes")
    if member.isreg():
        written = stored = 0
        for offset, size in extents(member):
            if size < 0 or not written <= offset <= member.size - size:
                raise HeaderError("a sparse file whose parts overlap or lie beyond its end")
            written = offset + size
            stored += size
        if stored > end - member.offset_data:
            raise HeaderError("a sparse file some of whose parts are missing")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _in_pairs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    return zip(numbers[::2], numbers[1::2], strict=True)


def _decimal(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER):
        raise HeaderError(f"no number where one belongs, {text[:40]!r}")
    return int(text)


def _converted(text: str, convert: type[int | float]) -> float:
    """Return a number, 0 for what is none, as tarfile has it: it says nothing of the contents."""
    try:
        return convert(text[: 2 * _LONGEST_NUMBER])
    except ValueError:
        return 0


def _number(field: bytes) -> int:
    """Return a number of a header: octal digits, or base 256 after a first byte of 80 or FF."""
    if field[0] in _BASE_256:
        return int.from_bytes(field[1:], "big") - (_BASE_256[field[0]] << 8 * len(field) - 8)
    digits = field.partition(b"\0")[0].strip()
    return int(digits, 8) if digits else 0
