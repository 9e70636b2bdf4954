"""Bodies that come packed (Content-Encoding), without any input or output of its own."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from dynadock.errors import MalformedStream, TooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLAIN = ("", "identity")
_PACKED = ("gzip", "x-gzip", "deflate")
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


def unpacked(body: bytes, headers: Mapping[str, str], limit: int | None) -> bytes:
    """Return a whole body as it was before it was packed, at most ``limit`` bytes of it.

    Nobody asks engines for packed replies, but something between may send them. No more than the
    limit is ever held. Raises TooLarge, or MalformedStream for what cannot be unpacked.
    """
    coding = (headers.get("Content-Encoding") or "").strip().lower()
    if coding in _PLAIN or not body:
        return body
    if coding not in _PACKED:
        raise MalformedStream(f"the reply is packed in a way that is not understood: {coding!r}")
    parts: list[bytes] = []
    left = limit
    while body:
        part, body = _unpack(body, left)
        parts.append(part)
        left = None if left is None else left - len(part)
    return b"".join(parts)


def _unpack(body: bytes, limit: int | None) -> tuple[bytes, bytes]:
    """Unpack one member of perhaps several (RFC 1952, section 2.2); return it and what follows."""
    unpacker = zlib.decompressobj(wbits=_GZIP_OR_ZLIB)
    try:
        part = unpacker.decompress(body, 0 if limit is None else limit + 1)
    except zlib.error as error:
        raise MalformedStream(f"the packed reply cannot be unpacked: {error}") from error
    if limit is not None and len(part) > limit:
        raise too_large(limit, "unpacked")
    if not unpacker.eof:
        raise MalformedStream("the packed reply ends too early")
    return part, unpacker.unused_data


def too_large(limit: int, what: str = "") -> TooLarge:
    """Return the exception for a reply of more than ``limit`` bytes."""
    size = f"{limit} bytes, {what}" if what else f"{limit} bytes"
    return TooLarge(f"the reply is longer than {size}; with_options(limit=…) sets what is held")
