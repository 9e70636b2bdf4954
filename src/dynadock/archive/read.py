"""Tar archives read from a stream, member by member, and no further than the caller asks.

The archive is not compressed. Its stream is read forward only, to its end, a block at a time.
"""

from __future__ import annotations

import struct
import tarfile
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

from dynadock.errors import DynadockError, MalformedStream, StreamClosed, TruncatedStream

if TYPE_CHECKING:
    from collections.abc import Iterator

READ_AHEAD = 64 * 1024
"""Bytes read at a time of headers and small files."""

BLOCK = 256 * 1024
"""Bytes read at a time of a file's contents."""

LONGEST_HEADER = 1024 * 1024
"""Bytes of a long name or of extended attributes; Go reads no more either."""

LARGEST_FILE = 2**63

_END_MARK = bytes(tarfile.BLOCKSIZE)
_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}

# What tarfile raises for damaged headers, which differs among Python's releases.
_DAMAGE = (tarfile.TarError, ValueError, ArithmeticError, LookupError, RecursionError, struct.error)


class Readable(Protocol):
    """What an archive is read from: at its end, ``read`` returns no bytes."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, at least one before the end."""


def members(file: Readable) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    """Yield each member of a tar archive and its contents, which are None for anything but a file.

    Contents can be read until the next member is asked for; what was not read is skipped.
    TruncatedStream if the archive ends before its end mark, MalformedStream if it is no tar
    archive.
    """
    archive = Archive(file)
    while (member := archive.next()) is not None:
        yield member, archive.extractfile(member) if member.isreg() else None


class Source:
    """The bytes of an archive, read forward only; reading beyond their end is TruncatedStream."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._buffer = b""
        self._start = 0
        self._position = 0
        self.longest_read: int | None = None
        self.place = ""

    def tell(self) -> int:
        """Return how many bytes were read."""
        return self._position

    def seekable(self) -> bool:
        """Return False: the stream is read forward only."""
        return False

    def seek(self, position: int) -> None:
        """Skip the bytes before ``position``; StreamClosed if it lies before what was read."""
        if position < self._position:
            raise StreamClosed("a member can be read until the next one is asked for")
        while self._position < position:
            self.some(position - self._position)

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes, no fewer."""
        if self.longest_read is not None and not 0 <= size <= self.longest_read:
            raise tarfile.HeaderError(f"a header that claims to have {size} bytes")
        pieces = []
        while size > 0:
            pieces.append(self.some(size))
            size -= len(pieces[-1])
        return b"".join(pieces)

    def some(self, limit: int) -> bytes:
        """Return up to ``limit`` bytes, at least one; TruncatedStream if there are none."""
        if limit >= READ_AHEAD and self._start == len(self._buffer):
            piece = self._file.read(min(limit, BLOCK))
        else:
            self.peek(1)
            piece = self._buffer[self._start : self._start + limit]
            self._start += len(piece)
        if not piece:
            raise TruncatedStream(f"the archive ended {self.place}")
        self._position += len(piece)
        return piece

    def peek(self, size: int) -> bytes:
        """Return the next ``size`` bytes without taking them; fewer only at the end."""
        while len(self._buffer) - self._start < size:
            more = self._file.read(READ_AHEAD)
            if not more:
                break
            self._buffer = self._buffer[self._start :] + more
            self._start = 0
        return self._buffer[self._start : self._start + size]

    def drain(self) -> None:
        """Read on to the end, so that the connection can be used again."""
        while self._file.read(BLOCK):
            pass


class Archive(tarfile.TarFile):
    """Reads members up to the end mark; TarFile itself takes most damage for the end."""

    # TarFile's own attribute: the member that its constructor read, the first of next().
    firstmember: tarfile.TarInfo | None

    def __init__(self, file: Readable) -> None:
        self.source = Source(file)
        self._where = "before its first member"
        super().__init__(fileobj=cast("Any", self.source), encoding="utf-8")

    def next(self) -> tarfile.TarInfo | None:
        """Return the next member, None at the end mark; what is left of the last one is skipped."""
        first, self.firstmember = self.firstmember, None
        if first is not None:
            return first
        self.source.seek(self.offset)
        block = self.source.peek(tarfile.BLOCKSIZE)
        if block == _END_MARK:
            self.source.drain()
            return None
        if not block:
            raise TruncatedStream(f"the archive ended {self._where}, without its end mark")
        member = self._read_header(block)
        self._where = f"after the member {member.name!r}"
        self.source.place = f"inside the member {member.name!r}"
        return member

    def _read_header(self, block: bytes) -> tarfile.TarInfo:
        self.source.place = f"in a header, {self._where}"
        self.source.longest_read = LONGEST_HEADER
        try:
            member = self.tarinfo.fromtarfile(self)
            _check_sizes(member, self.offset)
        except DynadockError:
            raise
        except _DAMAGE as error:
            raise MalformedStream(self._complaint(block, error)) from error
        finally:
            self.source.longest_read = None
        return member

    def _complaint(self, block: bytes, error: Exception) -> str:
        for magic, name in _COMPRESSED.items():
            if self.offset == 0 and block.startswith(magic):
                return f"this is no plain tar archive: it is compressed by {name}"
        return f"this is no tar header, {self._where}: {error}"


def extents(member: tarfile.TarInfo) -> list[tuple[int, int]]:
    """Return where a file's bytes belong: pairs of an offset and a count."""
    if member.issparse():
        parts = cast("list[tuple[int, int]]", member.sparse)
        # GNU's oldest form fills its table up with empty parts.
        return [(offset, size) for offset, size in parts if size]
    return [(0, member.size)]


def _check_sizes(member: tarfile.TarInfo, end: int) -> None:
    """Raise HeaderError for sizes that no file has, or that go on beyond ``end``."""
    if not 0 <= member.size < LARGEST_FILE or end < member.offset_data:
        raise tarfile.HeaderError(f"a member of {member.size} bytes")
    if member.isreg():
        written = 0
        for offset, size in extents(member):
            if size < 0 or not written <= offset <= member.size - size:
                raise tarfile.HeaderError("a sparse file whose parts overlap or lie beyond its end")
            written = offset + size
        if sum(size for _, size in extents(member)) > end - member.offset_data:
            raise tarfile.HeaderError("a sparse file some of whose parts are missing")
