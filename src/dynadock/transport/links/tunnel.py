"""Connections through an HTTP proxy, which CONNECT turns into connections to the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.deadline import Deadline
from dynadock.transport.driver import TimedLink, carry_out
from dynadock.transport.faults import NeverReached
from dynadock.transport.links.sockets import dial_tcp
from dynadock.transport.proxy import authorization
from dynadock.wire.exchange import Exchange
from dynadock.wire.messages import Request

if TYPE_CHECKING:
    import socket

    from dynadock.transport.endpoint import Endpoint
    from dynadock.transport.proxy import Proxy
    from dynadock.wire.http1 import Head
    from dynadock.wire.messages import Data

_READ = 4096
_SUCCESS = range(200, 300)


def dial_through(proxy: Proxy, endpoint: Endpoint, timeout: float | None) -> socket.socket:
    """Have a proxy connect to an endpoint, all within ``timeout`` seconds.

    NeverReached, with what the proxy says, where it is not reached or refuses; TimeoutError.
    """
    deadline = Deadline(timeout)
    place = f"the proxy {proxy}, from {proxy.origin},"
    try:
        connection = dial_tcp(proxy.host, proxy.port, timeout)
    except TimeoutError:
        raise
    except OSError as error:
        raise NeverReached(f"{place} is not reached: {error}") from None
    try:
        _check(_asked(connection, _connect_request(proxy, endpoint), deadline), place)
        connection.settimeout(timeout)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect_request(proxy: Proxy, endpoint: Endpoint) -> Request:
    credentials = authorization(proxy)
    headers = {"Proxy-Authorization": credentials} if credentials else {}
    return Request("CONNECT", endpoint.authority, headers)


def _asked(connection: socket.socket, request: Request, deadline: Deadline) -> Head | OSError:
    """Send a request and return the reply's head, or what went wrong."""
    exchange = Exchange(request, request.target)
    try:
        # Nothing follows the reply's head: an engine sends nothing before a request.
        carry_out(exchange.begin(), TimedLink(_ToProxy(connection), None, deadline))
    except OSError as error:
        return error
    return exchange.head


def _check(answer: Head | OSError, place: str) -> None:
    # Raised here: where an error arose, the credentials stand among the local variables.
    if isinstance(answer, TimeoutError):
        raise TimeoutError(*answer.args)
    if isinstance(answer, OSError):
        raise NeverReached(f"{place} does not answer as one: {answer}")
    if answer.status not in _SUCCESS:
        raise NeverReached(f"{place} refuses: {answer.status} {answer.reason}".rstrip())


class _ToProxy:
    """What a CONNECT needs of a link, over the socket that later leads to the engine."""

    def __init__(self, connection: socket.socket) -> None:
        self.allow = connection.settimeout
        self._socket = connection

    def offer(self, data: Data) -> tuple[int, bytes]:
        self._socket.sendall(data)
        return len(data), b""

    def receive(self) -> bytes:
        return self._socket.recv(_READ)
