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


def unpacked(body: bytes, headers: Mapping[str, str], limit: int | None) -> bytes:
    """Return a whole body, decompressed if its Content-Encoding says that it is compressed.

    dynadock does not ask engines for that, but a proxy in between may compress replies. Never more
    than ``limit`` bytes are held: TooLarge for a longer body, MalformedStream for one that cannot
    be decompressed.
    """
    coding = (headers.get("Content-Encoding") or "").strip().lower()
    if coding in _PLAIN or not body:
        return body
    if coding not in _COMPRESSED:
        raise MalformedStream(f"the reply has an unknown Content-Encoding: {coding!r}")
    parts: list[bytes] = []
    left = limit
    while body:
        part, body = _unpack(body, left)
        parts.append(part)
        left = None if left is None else left - len(part)
    return b"".join(parts)


def _unpack(body: bytes, limit: int | None) -> tuple[bytes, bytes]:
    """Decompress the first of perhaps several members (RFC 1952, section 2.2).

    Return it and the compressed bytes that follow.
    """
    unpacker = zlib.decompressobj(wbits=_GZIP_OR_ZLIB)
    try:
        part = unpacker.decompress(body, 0 if limit is None else limit + 1)
    except zlib.error as error:
        raise MalformedStream(f"the compressed reply cannot be decompressed: {error}") from error
    if limit is not None and len(part) > limit:
        raise too_large(limit, "decompressed")
    if not unpacker.eof:
        raise MalformedStream("the compressed reply ends too early")
    return part, unpacker.unused_data


def too_large(limit: int, what: str = "") -> TooLarge:
    """Return the exception for a reply of more than ``limit`` bytes."""
    size = f"{limit} bytes, {what}" if what else f"{limit} bytes"
    return TooLarge(f"the reply is longer than {size}; with_options(limit=…) sets what is held")
