"""Tar archives read from a stream, member by member, and no further than the caller asks.

The archive is not compressed. Its stream is read forward only, to its end, a block at a time.
"""

from __future__ import annotations

import io
import tarfile
from typing import IO, TYPE_CHECKING, Protocol

from dynadock.archive.compressed import format_of
from dynadock.archive.headers import Headers, extents
from dynadock.errors import MalformedStream, StreamClosed, TruncatedStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import WriteableBuffer

READ_AHEAD = 64 * 1024
"""Bytes read at a time of headers and small files."""

BLOCK = 256 * 1024
"""Bytes read at a time of a file's contents."""

_SHOWN = 200
_END_MARK = bytes(tarfile.BLOCKSIZE)

# What tarfile raises for a damaged header, which differs among Python's releases; and Headers.
_DAMAGE = (tarfile.TarError, ValueError, ArithmeticError, LookupError)


class Readable(Protocol):
    """What an archive is read from: at its end, ``read`` returns no bytes."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, at least one before the end."""


def members(file: Readable) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    """Yield each member of a tar archive and its contents, which are None for anything but a file.

    Contents can be read until the next member is asked for; what was not read is skipped.
    TruncatedStream if the archive ends before its end mark, MalformedStream if it is no tar
    archive, or one whose headers are longer than `archive.headers` allows.
    """
    archive = Archive(file)
    while (member := archive.next()) is not None:
        yield member, archive.contents(member) if member.isreg() else None


class Source:
    """The bytes of an archive, read forward only; reading beyond their end is TruncatedStream."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._buffer = b""
        self._start = 0
        self._position = 0
        self.place = ""

    def tell(self) -> int:
        """Return how many bytes were read."""
        return self._position

    def seek(self, position: int) -> None:
        """Skip the bytes before ``position``; StreamClosed if it lies before what was read."""
        if position < self._position:
            raise StreamClosed("a member can be read until the next one is asked for")
        while self._position < position:
            self.some(position - self._position)

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes, no fewer."""
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


class Archive:
    """Reads members up to the end mark.

    One that is ``lenient`` may end after a member without that mark, as Go's reader has it; there,
    the mark is two blocks of zeros, or one at the end, and what comes after it is not read.
    """

    def __init__(self, file: Readable, *, lenient: bool = False) -> None:
        self.source = Source(file)
        self._is_lenient = lenient
        self._headers = Headers(self.source)
        self._end = 0
        self._where = "before its first member"

    def next(self) -> tarfile.TarInfo | None:
        """Return the next member, None at the end mark; what is left of the last one is skipped."""
        if self._is_lenient and self._ends_early():
            return None
        self.source.seek(self._end)
        block = self.source.peek(tarfile.BLOCKSIZE)
        if block == _END_MARK:
            if not self._is_lenient:
                self.source.drain()
            return None
        if not block:
            raise TruncatedStream(f"the archive ended {self._where}, without its end mark")
        self.source.place = f"in a header, {self._where}"
        try:
            member, self._end = self._headers.next()
        except _DAMAGE as error:
            raise MalformedStream(self._complaint(block, error)) from error
        name = quoted(member.name)
        self._where = f"after the member {name}"
        self.source.place = f"inside the member {name}"
        return member

    def _ends_early(self) -> bool:
        """Return whether Go takes this for the end; MalformedStream for half of an end mark."""
        padding = self._end - self.source.tell()
        if padding < tarfile.BLOCKSIZE and len(self.source.peek(padding)) < padding:
            return True
        self.source.seek(self._end)
        following = self.source.peek(tarfile.BLOCKSIZE)
        if following == _END_MARK and self.source.peek(2 * tarfile.BLOCKSIZE).strip(b"\0"):
            raise MalformedStream(f"there is half of an end mark, {self._where}")
        return not following

    def contents(self, member: tarfile.TarInfo) -> io.BufferedReader:
        """Return the contents of a file that `next` has just returned."""
        return io.BufferedReader(_Contents(self.source, member))

    def _complaint(self, block: bytes, error: Exception) -> str:
        name = format_of(block)
        if name and self._end == 0:
            return f"this is not a plain tar archive: it is compressed by {name}"
        return f"this is not a tar header, {self._where}: {error}"


class _Contents(io.RawIOBase):
    """A member's contents, out of the stream, and zeros where a sparse file has nothing."""

    def __init__(self, source: Source, member: tarfile.TarInfo) -> None:
        self._source = source
        self._size = member.size
        self._parts = iter([*extents(member), (member.size, 0)])
        self._part = next(self._parts)
        self._position = 0
        self._stored = member.offset_data

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        piece = self._some(len(view))
        view[: len(piece)] = piece
        return len(piece)

    def readall(self) -> bytes:
        return b"".join(iter(lambda: self._some(BLOCK), b""))

    def _some(self, limit: int) -> bytes:
        offset, size = self._part
        while self._position >= offset + size and self._position < self._size:
            offset, size = self._part = next(self._parts)
        if self._position < offset:
            piece = bytes(min(limit, offset - self._position, BLOCK))
        elif self._position == self._size or not limit:
            return b""
        else:
            self._source.seek(self._stored)
            piece = self._source.some(min(limit, offset + size - self._position))
            self._stored += len(piece)
        self._position += len(piece)
        return piece


def quoted(name: str) -> str:
    """Return a name as messages show it, a long one without its middle."""
    return repr(name if len(name) <= _SHOWN else f"{name[: _SHOWN // 2]}...{name[-_SHOWN // 2 :]}")
