"""Compressed replies (Content-Encoding, RFC 9110, section 8.4), decompressed without any I/O."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from dynadock.errors import MalformedStream, TooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLAIN = ("", "identity")
_COMPRESSED = ("gzip", "x-gzip", "deflate")
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


_FIRST_BLOCK = 64
"""Bytes that a member is begun with; each block is twice the one before it.

What stands behind a member's end is copied, so that a long block of many short members would take
quadratic time.
"""


def unpacker(headers: Mapping[str, str], limit: int | None) -> Unpacker | None:
    """Return what decompresses a body whose Content-Encoding says that it is compressed, else None.

    dynadock does not ask engines for that, but a proxy in between may compress replies. Raises
    MalformedStream for an unknown coding, and for one in another.
    """
    coding = (headers.get("Content-Encoding") or "").strip().lower()
    if coding in _PLAIN:
        return None
    if coding not in _COMPRESSED:
        raise MalformedStream(f"the reply has an unknown Content-Encoding: {coding!r}")
    return Unpacker(limit)


class Unpacker:
    """Decompresses a body of one or several members (RFC 1952, section 2.2) as it comes.

    Neither the body nor what it is decompressed to may have more than ``limit`` bytes.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._came = 0
        self._given = 0
        self._member: zlib._Decompress | None = None  # None between two
        self._block = _FIRST_BLOCK

    def feed(self, data: bytes) -> bytes:
        """Return what bytes of the body are decompressed to.

        Raises TooLarge, and MalformedStream for what cannot be decompressed.
        """
        self._came += len(data)
        if self._limit is not None and self._came > self._limit:
            raise too_large(self._limit)
        parts: list[bytes] = []
        position = 0
        while position < len(data):
            block = data[position : position + self._block]
            part, unused = self._unpack(block)
            position += len(block) - unused
            if part:
                parts.append(part)
        return b"".join(parts)

    def _unpack(self, block: bytes) -> tuple[bytes, int]:
        """Decompress a block; return that, and how many bytes stand behind the member's end."""
        if self._member is None:
            self._member = zlib.decompressobj(wbits=_GZIP_OR_ZLIB)
        most = 0 if self._limit is None else self._limit - self._given + 1
        try:
            part = self._member.decompress(block, most)
        except zlib.error as error:
            problem = f"the compressed reply cannot be decompressed: {error}"
            raise MalformedStream(problem) from error
        self._given += len(part)
        if self._limit is not None and self._given > self._limit:
            raise too_large(self._limit, "decompressed")
        if not self._member.eof:
            self._block *= 2
            return part, 0
        unused = len(self._member.unused_data)
        self._member, self._block = None, _FIRST_BLOCK
        return part, unused

    def finish(self) -> None:
        """Raise MalformedStream at an end in the middle of a member."""
        if self._member is not None:
            raise MalformedStream("the compressed reply ends too early")


def too_large(limit: int, how: str = "", *, of: str = "the reply") -> TooLarge:
    """Return the exception for a reply, or a part ``of`` one, of more than ``limit`` bytes."""
    size = f"{limit} bytes, {how}" if how else f"{limit} bytes"
    return TooLarge(f"{of} is longer than {size}; with_options(limit=…) sets what is held")
