"""The head of a reply written as a server sends it: the reverse of `http1`'s reader."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dynadock.wire.fields import CONTROLS
from dynadock.wire.messages import SWITCHING_PROTOCOLS

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONTROLS = re.compile(f"[{CONTROLS}]")

_REASONS = {
    SWITCHING_PROTOCOLS: "UPGRADED",
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    301: "Moved Permanently",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout",
    409: "Conflict",
    413: "Request Entity Too Large",
    415: "Unsupported Media Type",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}
"""The words behind a status, of which that of 101 is engines' own."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
"""What whoever waits with a body is told (RFC 9110, section 10.1.1)."""


def reply_head(status: int, headers: Mapping[str, str]) -> bytes:
    """Return a reply's head up to its empty line.

    A control character in a value would end a header and begin another, and becomes a blank.
    """
    lines = "".join(f"{name}: {_CONTROLS.sub(' ', value)}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} {_REASONS.get(status, '')}\r\n{lines}\r\n"
    return head.encode("latin-1", "replace")
