"""HTTP connections over unix sockets, for urllib3's pools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from dynadock.transport.connection import TcpConnection
from dynadock.transport.dial import dial_unix

if TYPE_CHECKING:
    import socket

HOST_HEADER = "localhost"
"""Engines ignore the Host header of a unix socket, but HTTP/1.1 wants one."""


class UnixConnection(TcpConnection):
    """A connection to a unix socket's path."""

    def __init__(self, socket_path: str, **options: Any) -> None:
        super().__init__(HOST_HEADER, **options)
        self._socket_path = socket_path

    def _open(self) -> socket.socket:
        try:
            return dial_unix(self._socket_path, self.timeout)
        except TimeoutError as error:
            raise ConnectTimeoutError(self, str(error)) from error
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error


class UnixPool(HTTPConnectionPool):
    """A pool of connections to one unix socket."""

    def __init__(self, socket_path: str, **options: Any) -> None:
        super().__init__(HOST_HEADER, **options)
        self._socket_path = socket_path

    def _new_conn(self) -> UnixConnection:
        self.num_connections += 1
        return UnixConnection(self._socket_path, timeout=self.timeout.connect_timeout)
