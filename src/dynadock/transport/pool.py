"""Sending requests and reading replies over urllib3's connection pools.

urllib3 is what requests itself stands on. Its pool costs a third less for each call than requests'
adapter above it (bench/), and `dynadock.transport.raw` makes requests' own Response for those who
want one.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from urllib3.exceptions import ClosedPoolError, EmptyPoolError
from urllib3.util.retry import Retry
from urllib3.util.timeout import Timeout

from dynadock.call.coding import too_large, unpacked
from dynadock.call.interpret import Reply
from dynadock.call.uploads import Measured
from dynadock.errors import MalformedStream, TooLarge
from dynadock.options import CONNECTIONS
from dynadock.transport import forks
from dynadock.transport.bounded import Slots
from dynadock.transport.connection import Stale, time_to_connect
from dynadock.transport.dialled import DialledPool
from dynadock.transport.distrust import SpeaksTls, check_reply
from dynadock.transport.faults import FOREIGN, exhausted, placed, translate
from dynadock.transport.log import answered, asked
from dynadock.transport.tries import Tries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3.response import BaseHTTPResponse

    from dynadock.call.request import Request
    from dynadock.options import Options
    from dynadock.transport.bounded import BoundedPool
    from dynadock.transport.endpoint import Endpoint


_NONE_OF_URLLIB3S = Retry(total=False, redirect=False)
"""What urllib3 makes of ``retries=False``, made once: it counts among the costs of a call."""


class Pool:
    """The connections to one endpoint, shared by every client made from the same one.

    ``slots`` bounds how many calls are under way at a time. Opens nothing before the first request.
    Redirects are not followed.
    """

    def __init__(self, endpoint: Endpoint, connections: int = CONNECTIONS) -> None:
        self.endpoint = endpoint
        self._slots = Slots(connections, str(endpoint))
        self._connections = _connections_to(endpoint, self._slots)
        forks.note(self)

    def send(self, request: Request, timeout: float | None, options: Options) -> Reply:
        """Send a request and read its whole reply.

        ``timeout`` is in seconds, for each wait for the engine, None for ever. Raises a
        TransportError where no whole reply comes, or one longer than the options allow.
        """
        with contextlib.closing(self.open(request, timeout, options.retries)) as response:
            try:
                body = _whole_body(response, options.limit)
            except TooLarge as fault:
                raise placed(fault, self.endpoint) from None
            except MalformedStream as fault:
                raise placed(fault, self.endpoint) from fault.__cause__
            except FOREIGN as error:
                raise translate(error, self.endpoint, timeout) from error
            response.release_conn()
        return Reply(response.status, response.headers, body)

    def open(self, request: Request, timeout: float | None, retries: int) -> BaseHTTPResponse:
        """Send a request and return the reply with its body unread; whoever asks closes it.

        It is tried again up to ``retries`` times where no try before had an effect.
        """
        framed = _framed(request)
        tries = Tries(request, retries)
        while True:
            try:
                return self._urlopen(request, framed, timeout)
            except ClosedPoolError:
                # A sibling closed the old connections just now; nothing was sent over them.
                continue
            except EmptyPoolError:
                limit = time_to_connect(timeout)
                raise exhausted(self.endpoint, self._slots.count, limit) from None
            except _BodyBroke as broke:
                raise broke.reason from None
            except FOREIGN as error:
                tries.fail(translate(error, self.endpoint, timeout), error, Stale)

    def _urlopen(
        self, request: Request, framed: dict[str, Any], timeout: float | None
    ) -> BaseHTTPResponse:
        begun = asked(self.endpoint, request)
        response = self._connections.urlopen(
            request.method,
            request.target,
            **framed,
            timeout=Timeout(connect=timeout, read=timeout),
            pool_timeout=time_to_connect(timeout),  # type: ignore[arg-type] # seconds of any kind
            retries=_NONE_OF_URLLIB3S,
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
        """Close idle connections, and those in use when their calls are done.

        A later request opens new ones.
        """
        idle = self._connections
        self._connections = _connections_to(self.endpoint, self._slots)
        idle.close()

    def let_go(self) -> None:
        """Leave connections that are a parent's, and places that its calls have."""
        inherited = self._connections
        self._slots = Slots(self._slots.count, self._slots.where)
        self._connections = _connections_to(self.endpoint, self._slots)
        inherited.let_go()


def _whole_body(response: BaseHTTPResponse, limit: int | None) -> bytes:
    """Read a body to its end, unpacked; TooLarge where that is more than ``limit`` bytes."""
    announced = response.length_remaining
    if limit is None:
        body = response.read(decode_content=False)
    elif announced is None:
        body = response.read(limit + 1, decode_content=False)
    elif announced <= limit:
        # Only reading to the end tells of an end that comes too early.
        body = response.read(decode_content=False)
    else:
        raise too_large(limit)
    if limit is not None and len(body) > limit:
        raise too_large(limit)
    return unpacked(body, response.headers, limit)


def _connections_to(endpoint: Endpoint, slots: Slots) -> BoundedPool:
    if endpoint.tls is None:
        return DialledPool(endpoint, slots=slots)
    # Imported here for start-up time: few engines are spoken to over TLS.
    from dynadock.transport.tls import TlsPool  # noqa: PLC0415

    return TlsPool(endpoint, endpoint.tls, slots=slots)


class _BodyBroke(Exception):
    """Carries what a caller's body raised past urllib3, which would blame the connection."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(reason)
        self.reason = reason


def _framed(request: Request) -> dict[str, Any]:
    """Return what urllib3 is to send, and how it tells where the body ends."""
    body, headers = request.body, request.headers
    if body is None or isinstance(body, bytes):
        return {"body": body, "headers": headers}
    if isinstance(body, Measured):
        headers = {**headers, "Content-Length": str(body.length)}
        return {"body": _guarded(body), "headers": headers}
    return {"body": _guarded(body), "headers": headers, "chunked": True}


def _guarded(chunks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from chunks
    except Exception as error:
        raise _BodyBroke(error) from error
