"""Connections through an HTTP proxy, which CONNECT turns into connections to the engine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dynadock.call.http1 import HeadReader
from dynadock.errors import TransportError
from dynadock.transport.faults import NeverReached
from dynadock.transport.sockets import dial_tcp

if TYPE_CHECKING:
    import socket

    from dynadock.call.http1 import Head
    from dynadock.transport.endpoint import Endpoint
    from dynadock.transport.proxy import Proxy

_READ = 4096
_SUCCESS = range(200, 300)
_SHORTEST = 0.001


def dial_through(proxy: Proxy, endpoint: Endpoint, timeout: float | None) -> socket.socket:
    """Have a proxy connect to an endpoint, all within ``timeout`` seconds.

    NeverReached, with what the proxy says, where it is not reached or refuses; TimeoutError.
    """
    end = None if timeout is None else time.monotonic() + timeout
    place = f"the proxy {proxy}, from {proxy.origin},"
    try:
        connection = dial_tcp(proxy.host, proxy.port, timeout)
    except TimeoutError:
        raise
    except OSError as error:
        raise NeverReached(f"{place} is not reached: {error}") from None
    try:
        connection.sendall(_request(proxy, str(endpoint).partition("://")[2]))
        head = _read_head(connection, end)
        _check(head, place)
        connection.settimeout(timeout)
    except BaseException as error:
        connection.close()
        as_it_is = isinstance(error, (NeverReached, TimeoutError))
        if as_it_is or not isinstance(error, (OSError, TransportError)):
            raise
        raise NeverReached(f"{place} does not answer as one: {error}") from None
    return connection


def _check(head: Head, place: str) -> None:
    if head.status not in _SUCCESS:
        raise NeverReached(f"{place} refuses: {head.status} {head.reason}".rstrip())


def _request(proxy: Proxy, place: str) -> bytes:
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _read_head(connection: socket.socket, end: float | None) -> Head:
    reader = HeadReader()
    while True:
        if end is not None:
            connection.settimeout(max(end - time.monotonic(), _SHORTEST))
        data = connection.recv(_READ)
        if not data:
            reader.finish()
        # An engine says nothing before it is asked, so that there is nothing behind the head.
        if head := reader.feed(data):
            return head
