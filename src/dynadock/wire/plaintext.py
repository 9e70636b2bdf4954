"""What a server of TLS answers to a request that comes without TLS.

It is a TLS alert or an empty 400, neither of which tells a caller that TLS is what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.errors import TlsError
from dynadock.wire.messages import BAD_REQUEST

if TYPE_CHECKING:
    from collections.abc import Mapping

_WANTS_TLS = "the engine wants TLS there; DOCKER_TLS_VERIFY=1 or a context with TLS speaks it"

_ALERT = b"\x15"
"""The first byte of an alert (RFC 8446, section 5.1), which may come alone; no HTTP begins so."""


def check_beginning(beginning: bytes) -> None:
    """Raise TlsError if a reply begins with a TLS alert, as OpenSSL's servers send it."""
    if beginning.startswith(_ALERT):
        raise TlsError(_WANTS_TLS)


def check_reply(status: int, headers: Mapping[str, str]) -> None:
    """Raise TlsError for the reply of Go's servers with TLS, engines among them.

    It is a 400 without a single header (seen on Docker 26.1 and 28.5).
    """
    if status == BAD_REQUEST and not headers:
        raise TlsError(_WANTS_TLS)
