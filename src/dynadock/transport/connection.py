"""HTTP connections for urllib3's pools, over whatever `dial` connects.

They make good what http.client leaves to be desired.
"""

from __future__ import annotations

import io
from http.client import HTTPResponse, RemoteDisconnected
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from dynadock.options import CONNECT_TIMEOUT
from dynadock.transport.dial import dial
from dynadock.transport.distrust import check_plain

if TYPE_CHECKING:
    import socket

    from dynadock.transport.endpoint import Endpoint

NO_HOST = "localhost"
"""Engines ignore the Host header where no network leads to them, but HTTP/1.1 wants one."""


class _WholeLines(io.BufferedReader):
    """Refuses a line that the connection's end cuts short.

    http.client takes a head that ends anywhere for a whole one, and what it lacks for empty.
    """

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if not line.endswith(b"\n") and len(line) != size:
            check_plain(line)
            raise RemoteDisconnected("it ended in the middle of a line")
        return line


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = _WholeLines(self.fp.detach())


class DialledConnection(HTTPConnection):
    """A connection to an endpoint, however that is reached.

    Connecting has a limit of its own; the caller's is for sending and receiving.
    """

    response_class = _Response

    def __init__(self, *place: Any, endpoint: Endpoint, **options: Any) -> None:
        super().__init__(*place, **options)
        self._endpoint = endpoint

    def _new_conn(self) -> socket.socket:
        allowed = self.timeout
        limit = CONNECT_TIMEOUT if allowed is None else min(allowed, CONNECT_TIMEOUT)
        try:
            connection = dial(self._endpoint, limit)
        except TimeoutError as error:
            raise ConnectTimeoutError(self, str(error)) from error
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error
        connection.settimeout(allowed)
        return connection

    @property
    def is_connected(self) -> bool:
        """Whether a kept connection may be used again: nothing has come, not even the end."""
        idle = getattr(self.sock, "is_idle", None)
        # Pipes have no descriptor that urllib3 could look at.
        return super().is_connected if idle is None else bool(idle())


class DialledPool(HTTPConnectionPool):
    """A pool of connections to one endpoint."""

    ConnectionCls = DialledConnection

    def __init__(self, endpoint: Endpoint, **options: Any) -> None:
        host = endpoint.host if endpoint.scheme == "tcp" else NO_HOST
        # What a pool does not know itself, it hands to its connections.
        super().__init__(host, endpoint.port or None, endpoint=endpoint, **options)
