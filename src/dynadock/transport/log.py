"""Requests and replies, logged to ``dynadock.calls`` at DEBUG.

One line for a request and one for its reply's head; secrets are masked as `Request` masks them, and
of bodies only the size is logged.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from dynadock.wire.messages import media_type
from dynadock.wire.uploads import Measured

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dynadock.transport.endpoint import Endpoint
    from dynadock.wire.messages import Request

_LOG = logging.getLogger("dynadock.calls")

# So that a program which configures no logging sees nothing (logging's advice to libraries).
logging.getLogger("dynadock").addHandler(logging.NullHandler())


def asked(endpoint: Endpoint, request: Request) -> float | None:
    """Log a request that is about to be sent; return the time, None if the logger is off."""
    if not _LOG.isEnabledFor(logging.DEBUG):
        return None
    target, headers = request.shown_target, request.shown_headers
    size = _size(request.body)
    _LOG.debug("%s %s to %s with %s and %s", request.method, target, endpoint, headers, size)
    return time.monotonic()


def _size(body: bytes | Iterator[bytes] | None) -> str:
    if body is None:
        return "no body"
    if isinstance(body, bytes):
        return f"a body of {len(body)} bytes"
    return f"a body of {body.length} bytes" if isinstance(body, Measured) else "a body in chunks"


def answered(
    begun: float | None, request: Request, status: int, headers: Mapping[str, str]
) -> None:
    """Log the reply to a request that `asked` logged, with the seconds until its head came."""
    if begun is not None:
        seconds = time.monotonic() - begun
        kind = media_type(headers) or "no type"
        line = "%d (%s) after %.3f s to %s %s"
        _LOG.debug(line, status, kind, seconds, request.method, request.shown_target)
