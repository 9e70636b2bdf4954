"""HTTP connections over whatever `dial` connects, for urllib3's pools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from dynadock.transport.connection import TcpConnection
from dynadock.transport.dial import dial

if TYPE_CHECKING:
    import socket

    from dynadock.transport.endpoint import Endpoint

HOST_HEADER = "localhost"
"""Engines ignore the Host header where no network leads to them, but HTTP/1.1 wants one."""


class DialledConnection(TcpConnection):
    """A connection to an endpoint that has no address of the network's."""

    def __init__(self, endpoint: Endpoint, **options: Any) -> None:
        super().__init__(HOST_HEADER, **options)
        self._endpoint = endpoint

    def _open(self) -> socket.socket:
        try:
            return dial(self._endpoint, self.timeout)
        except TimeoutError as error:
            raise ConnectTimeoutError(self, str(error)) from error
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error


class DialledPool(HTTPConnectionPool):
    """A pool of connections to one endpoint."""

    def __init__(self, endpoint: Endpoint, **options: Any) -> None:
        super().__init__(HOST_HEADER, **options)
        self._endpoint = endpoint

    def _new_conn(self) -> DialledConnection:
        self.num_connections += 1
        return DialledConnection(self._endpoint, timeout=self.timeout.connect_timeout)
