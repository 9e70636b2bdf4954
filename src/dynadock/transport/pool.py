"""Sending requests and reading replies over urllib3's connection pools.

urllib3 is what requests itself stands on. Its pool costs a third less for each call than requests'
adapter above it (bench/), and `dynadock.transport.raw` makes requests' own Response for those who
want one.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from urllib3.exceptions import ClosedPoolError
from urllib3.util.timeout import Timeout

from dynadock.call.interpret import Reply
from dynadock.transport.dialled import DialledPool
from dynadock.transport.distrust import SpeaksTls, check_reply
from dynadock.transport.faults import FOREIGN, translate
from dynadock.transport.log import answered, asked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3.connectionpool import HTTPConnectionPool
    from urllib3.response import BaseHTTPResponse

    from dynadock.call.request import Request
    from dynadock.transport.endpoint import Endpoint

POOL_SIZE = 32
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
                body = response.read(decode_content=True)
            except FOREIGN as error:
                raise translate(error, self.endpoint, timeout) from error
            response.release_conn()
        return Reply(response.status, response.headers, body)

    def open(self, request: Request, timeout: float | None) -> BaseHTTPResponse:
        """Send a request and return the reply with its body unread; whoever asks closes it."""
        body, in_chunks = request.body, False
        if body is not None and not isinstance(body, bytes):
            body, in_chunks = _guarded(body), True
        try:
            return self._urlopen(request, body, timeout, in_chunks=in_chunks)
        except ClosedPoolError:
            # A sibling closed the old connections just now; nothing was sent over them.
            return self.open(request, timeout)
        except _BodyBroke as broke:
            raise broke.reason from None
        except FOREIGN as error:
            raise translate(error, self.endpoint, timeout) from error

    def _urlopen(
        self, request: Request, body: Any, timeout: float | None, *, in_chunks: bool
    ) -> BaseHTTPResponse:
        begun = asked(self.endpoint, request)
        response = self._connections.urlopen(
            request.method,
            request.target,
            body=body,
            headers=request.headers,
            chunked=in_chunks,
            timeout=Timeout(connect=timeout, read=timeout),
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )
        answered(begun, request, response.status, response.headers)
        if self.endpoint.tls is None:
            try:
                check_reply(response.status, response.headers)
            except SpeaksTls:
                response.close()
                raise
        return response

    def close(self) -> None:
        """Close idle connections; a later request opens new ones."""
        idle, self._connections = self._connections, _connections_to(self.endpoint)
        idle.close()


def _connections_to(endpoint: Endpoint) -> HTTPConnectionPool:
    options: dict[str, Any] = {"maxsize": POOL_SIZE, "block": False}
    if endpoint.tls is None:
        return DialledPool(endpoint, **options)
    # Imported here for start-up time: few engines are spoken to over TLS.
    from dynadock.transport.tls import TlsPool  # noqa: PLC0415

    return TlsPool(endpoint, endpoint.tls, **options)


class _BodyBroke(Exception):
    """Carries what a caller's body raised past urllib3, which would blame the connection."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(reason)
        self.reason = reason


def _guarded(chunks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from chunks
    except Exception as error:
        raise _BodyBroke(error) from error
