"""HTTP connections over whatever `dial` connects, for urllib3's pools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from dynadock.transport.bounded import BoundedPool
from dynadock.transport.connection import TcpConnection
from dynadock.transport.dial import dial

if TYPE_CHECKING:
    import socket

    from dynadock.transport.endpoint import Endpoint

HOST_HEADER = "localhost"
"""Engines ignore the Host header where no network leads to them, but HTTP/1.1 wants one."""


class DialledConnection(TcpConnection):
    """A connection to an endpoint, however that is reached."""

    def __init__(self, *place: Any, endpoint: Endpoint, **options: Any) -> None:
        super().__init__(*place, **options)
        self._endpoint = endpoint

    def _open(self) -> socket.socket:
        try:
            return dial(self._endpoint, self.timeout)
        except TimeoutError as error:
            raise ConnectTimeoutError(self, str(error)) from error
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error

    @property
    def is_connected(self) -> bool:
        """Whether a kept connection may be used again: nothing has come, not even the end."""
        idle = getattr(self.sock, "is_idle", None)
        # Pipes have no descriptor that urllib3 could look at.
        return super().is_connected if idle is None else bool(idle())


class DialledPool(BoundedPool):
    """A pool of connections to one endpoint."""

    ConnectionCls = DialledConnection

    def __init__(self, endpoint: Endpoint, **options: Any) -> None:
        host = endpoint.host if endpoint.scheme == "tcp" else HOST_HEADER
        # What a pool does not know itself, it hands to its connections.
        super().__init__(host, endpoint.port or None, endpoint=endpoint, **options)
