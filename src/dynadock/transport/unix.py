"""HTTP connections over unix sockets, for urllib3's pools."""

from __future__ import annotations

import socket
import time
from typing import Any

from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from dynadock.transport.connection import TcpConnection

_PAUSE = 0.01

HOST_HEADER = "localhost"
"""Engines ignore the Host header of a unix socket, but HTTP/1.1 wants one."""


class UnixConnection(TcpConnection):
    """A connection to a unix socket's path."""

    def __init__(self, socket_path: str, **options: Any) -> None:
        super().__init__(HOST_HEADER, **options)
        self._socket_path = socket_path

    def _open(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(self.timeout)
            self._connect(connection)
        except TimeoutError as error:
            connection.close()
            raise ConnectTimeoutError(self, str(error)) from error
        except OSError as error:
            connection.close()
            raise NewConnectionError(self, str(error)) from error
        return connection

    def _connect(self, connection: socket.socket) -> None:
        """Connect; a unix socket whose queue is full refuses at once, whatever the time allowed."""
        deadline = time.monotonic() + (self.timeout or 0)
        while True:
            try:
                connection.connect(self._socket_path)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError("the socket's queue is full") from None
                time.sleep(_PAUSE)
            else:
                return


class UnixPool(HTTPConnectionPool):
    """A pool of connections to one unix socket."""

    def __init__(self, socket_path: str, **options: Any) -> None:
        super().__init__(HOST_HEADER, **options)
        self._socket_path = socket_path

    def _new_conn(self) -> UnixConnection:
        self.num_connections += 1
        return UnixConnection(self._socket_path, timeout=self.timeout.connect_timeout)
