"""Archives that came compressed, as the archives that they are: found out by their first bytes.

Whatever is decompressed is made a block at a time, so that a small archive of a huge one takes no
more memory than any other.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Protocol

from dynadock.errors import MalformedStream, TruncatedStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dynadock.archive.read import Readable

FORMATS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
"""The first bytes of a compressed archive, and by what it is compressed."""

_LONGEST_MAGIC = max(map(len, FORMATS))
_BLOCK = 64 * 1024
_MEMORY = 128 * 1024 * 1024
"""Bytes that xz may take: twice of what its highest usual level does."""

_GZIP = 16 + zlib.MAX_WBITS


class Decompressor(Protocol):
    """What bz2 and lzma have."""

    @property
    def eof(self) -> bool:
        """Whether the part is at its end."""

    @property
    def needs_input(self) -> bool:
        """Whether there is nothing more without more bytes."""

    @property
    def unused_data(self) -> bytes:
        """What came after the end."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Return up to ``max_length`` bytes."""


class Blocks:
    """Blocks of bytes, read like a file."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._block = b""
        self._start = 0

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, none at the end."""
        if not self.peek(1):
            return b""
        piece = self._block[self._start : self._start + size]
        self._start += len(piece)
        return piece

    def peek(self, size: int) -> bytes:
        """Return the next ``size`` bytes without taking them; fewer only at the end."""
        while len(self._block) - self._start < size:
            more = next(self._blocks, None)
            if more is None:
                break
            self._block = self._block[self._start :] + more
            self._start = 0
        return self._block[self._start : self._start + size]

    def drain(self) -> None:
        """Read on to the end."""
        self._block = b""
        self._start = 0
        for _ in self._blocks:
            pass


class _Unzip:
    """zlib's decompressor with the attributes of the others."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._member.eof

    @property
    def unused_data(self) -> bytes:
        return self._member.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        piece = self._member.decompress(self._member.unconsumed_tail + data, max_length)
        self.needs_input = len(piece) < max_length
        return piece


class _Decompressed:
    """A compressed archive, read as what it was made of; its parts follow one another."""

    def __init__(self, source: Blocks, begin: Callable[[], Decompressor], limit: int) -> None:
        self._source = source
        self._begin = begin
        self._left = limit
        self._part: Decompressor | None = None
        self._unused = b""

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, none at the end.

        TruncatedStream if it ends in the middle, MalformedStream for what is damaged, and for more
        than the limit.
        """
        while True:
            part = self._part
            if part is None or part.needs_input:
                data = self._unused or self._source.read(_BLOCK)
                self._unused = b""
                if not data:
                    if part is None:
                        return b""
                    raise TruncatedStream("the compressed archive ends in the middle")
            else:
                data = b""
            piece = self._decompressed(data, size)
            if piece:
                self._left -= len(piece)
                if self._left < 0:
                    raise MalformedStream("the archive is decompressed to more than may be")
                return piece

    def _decompressed(self, data: bytes, size: int) -> bytes:
        part = self._part = self._part or self._begin()
        try:
            piece = part.decompress(data, size)
        except Exception as error:
            # Each of them has an exception of its own, and OSError, EOFError, ValueError besides.
            raise MalformedStream(f"the archive cannot be decompressed: {error}") from error
        if part.eof:
            self._part, self._unused = None, part.unused_data
        return piece


def _bzip2() -> Decompressor:
    import bz2

    return bz2.BZ2Decompressor()


def _xz() -> Decompressor:
    import lzma

    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)


_DECOMPRESSORS: dict[str, Callable[[], Decompressor]] = {
    "gzip": _Unzip,
    "bzip2": _bzip2,
    "xz": _xz,
}


def format_of(beginning: bytes) -> str:
    """Return by what something is compressed that begins like this, "" if by nothing known."""
    for magic, name in FORMATS.items():
        if beginning.startswith(magic):
            return name
    return ""


def decompressed(source: Blocks, *, limit: int) -> Readable:
    """Return an archive as it was before it was compressed by gzip, bzip2 or xz; or as it is.

    Reading it raises MalformedStream if it is damaged, decompressed to more than ``limit`` bytes,
    or compressed by something else, and TruncatedStream if it ends too early.
    """
    name = format_of(source.peek(_LONGEST_MAGIC))
    if not name:
        return source
    if name not in _DECOMPRESSORS:
        raise MalformedStream(f"an archive that is compressed by {name}, which is not known here")
    return _Decompressed(source, _DECOMPRESSORS[name], limit)
