"""Sending requests and reading replies over urllib3's connection pools.

urllib3 is what requests itself stands on. Its pool costs a third less for each call than requests'
adapter above it (bench/), and `dynadock.transport.raw` makes requests' own Response for those who
want one.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from urllib3.connectionpool import HTTPConnectionPool
from urllib3.util.timeout import Timeout

from dynadock.call.interpret import Reply
from dynadock.options import CONNECT_TIMEOUT
from dynadock.transport.faults import FOREIGN, translate
from dynadock.transport.unix import UnixPool

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

    from dynadock.call.request import Request
    from dynadock.transport.endpoint import Endpoint

POOL_SIZE = 10
"""Idle connections kept for the next call; more may be open at a time."""


class Pool:
    """The connections to one endpoint, shared by every client made from the same one.

    Opens nothing before the first request. Redirects are not followed and nothing is retried.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._connections = _connections_to(endpoint)

    def send(self, request: Request, timeout: float | None) -> Reply:
        """Send a request and read its whole reply.

        ``timeout`` is in seconds, for each wait for the engine, None for ever. Raises a
        TransportError where no whole reply comes.
        """
        with contextlib.closing(self.open(request, timeout)) as response:
            try:
                body = response.read()
            except FOREIGN as error:
                raise translate(error, self.endpoint, timeout) from error
            response.release_conn()
        return Reply(response.status, response.headers, body)

    def open(self, request: Request, timeout: float | None) -> BaseHTTPResponse:
        """Send a request and return the reply with its body unread; whoever asks closes it."""
        options: dict[str, Any] = {"chunked": not isinstance(request.body, (bytes, type(None)))}
        try:
            return self._connections.urlopen(
                request.method,
                request.target,
                body=request.body,
                headers=request.headers,
                timeout=_limits(timeout),
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
                **options,
            )
        except FOREIGN as error:
            raise translate(error, self.endpoint, timeout) from error

    def close(self) -> None:
        """Close idle connections; a later request opens new ones."""
        self._connections.close()
        self._connections = _connections_to(self.endpoint)


def _connections_to(endpoint: Endpoint) -> HTTPConnectionPool:
    options: dict[str, Any] = {"maxsize": POOL_SIZE, "block": False}
    if endpoint.scheme == "unix":
        return UnixPool(endpoint.path, **options)
    return HTTPConnectionPool(endpoint.host, endpoint.port, **options)


def _limits(timeout: float | None) -> Timeout:
    connect = CONNECT_TIMEOUT if timeout is None else min(timeout, CONNECT_TIMEOUT)
    return Timeout(connect=connect, read=timeout)
