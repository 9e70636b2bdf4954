"""Connections through an HTTP proxy, which CONNECT turns into connections to the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.deadline import Deadline
from dynadock.errors import TransportError
from dynadock.transport.driver import TimedLink, carry_out
from dynadock.transport.faults import NeverReached
from dynadock.transport.links.sockets import dial_tcp
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
        _check(_ask(connection, proxy, str(endpoint).partition("://")[2], deadline), place)
        connection.settimeout(timeout)
    except BaseException as error:
        connection.close()
        as_it_is = isinstance(error, (NeverReached, TimeoutError))
        if as_it_is or not isinstance(error, (OSError, TransportError)):
            raise
        raise NeverReached(f"{place} does not answer as one: {error}") from None
    return connection


def _ask(connection: socket.socket, proxy: Proxy, place: str, deadline: Deadline) -> Head:
    headers = {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}
    exchange = Exchange(Request("CONNECT", place, headers), place)
    # Nothing follows the reply's head: an engine sends nothing before a request.
    carry_out(exchange.begin(), TimedLink(_ToProxy(connection), None, deadline))
    return exchange.head


def _check(head: Head, place: str) -> None:
    if head.status not in _SUCCESS:
        raise NeverReached(f"{place} refuses: {head.status} {head.reason}".rstrip())


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
