"""HTTP connections for urllib3's pools: what urllib3 and http.client leave to be desired."""

from __future__ import annotations

import io
from http.client import HTTPResponse, RemoteDisconnected
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection

from dynadock.options import CONNECT_TIMEOUT
from dynadock.transport.distrust import check_plain

if TYPE_CHECKING:
    import socket


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


class TcpConnection(HTTPConnection):
    """A connection that something else makes (`_open`).

    Connecting has a limit of its own; the caller's is for sending and receiving.
    """

    response_class = _Response

    def _new_conn(self) -> socket.socket:
        allowed = self.timeout
        self.timeout = _to_connect(allowed)
        try:
            connection = self._open()
        finally:
            self.timeout = allowed
        connection.settimeout(allowed)
        return connection

    def _open(self) -> socket.socket:
        """Connect within ``self.timeout``."""
        raise NotImplementedError


def _to_connect(allowed: float | None) -> float:
    return CONNECT_TIMEOUT if allowed is None else min(allowed, CONNECT_TIMEOUT)
