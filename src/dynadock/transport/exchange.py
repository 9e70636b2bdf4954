"""One request and its reply over a connection of their own.

Streams and upgrades do not use the pool: a connection that a stream has read from is no use to the
next call, a kept connection may be stale at the moment when a build is sent over it, and a pool
takes the bytes behind a 101 for the start of the next reply.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from dynadock.call.chunks import LAST_CHUNK, chunk
from dynadock.call.coding import too_large, unpacked
from dynadock.call.http1 import HeadReader, Sized, body_decoder, request_head
from dynadock.call.uploads import Measured
from dynadock.errors import ConnectionLost, TransportError
from dynadock.options import CONNECT_TIMEOUT
from dynadock.transport.dial import dial
from dynadock.transport.distrust import check_plain, check_reply
from dynadock.transport.faults import never_reached, out_of_time, placed, translate
from dynadock.transport.link import SocketLink
from dynadock.transport.log import answered, asked
from dynadock.transport.tries import Tries, unsure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dynadock.call.http1 import BodyDecoder, Head
    from dynadock.call.record import Headers
    from dynadock.call.request import Data, Request
    from dynadock.options import Options
    from dynadock.transport.endpoint import Endpoint
    from dynadock.transport.link import Link

SWITCHING_PROTOCOLS = 101
FIRST_REFUSAL = 300

_BLOCK = 64 * 1024

_SHORTEST = 0.001
"""Seconds; a socket takes no time at all for not waiting."""

Result = TypeVar("Result")


class Patience:
    """How long to wait: ``idle`` seconds for each step, ``total`` for all of them from now on."""

    def __init__(self, idle: float | None, total: float | None) -> None:
        self.idle = idle
        self.total = total
        self._end = None if total is None else time.monotonic() + total

    def left(self, most: float | None) -> float | None:
        """Return the seconds that the next step may take, at most ``most``; never quite none."""
        if self._end is None:
            return most
        left = max(self._end - time.monotonic(), _SHORTEST)
        return left if most is None else min(left, most)

    @property
    def end(self) -> float | None:
        """When the deadline is (monotonic), None if there is none."""
        return self._end

    @property
    def is_over(self) -> bool:
        """Whether the deadline has passed."""
        return self._end is not None and time.monotonic() >= self._end


class Exchange:
    """One request, sent, and its reply: the head read, the body to be received.

    ``status`` and ``headers`` are the reply's. Made by `open_exchange`; whoever has it closes it.
    """

    def __init__(self, link: Link, endpoint: Endpoint, patience: Patience) -> None:
        self.endpoint = endpoint
        self._link = link
        self._patience = patience
        self._head: Head
        self._decoder: BodyDecoder
        self._waiting = b""
        # What came while the request was sent: a head, and what stood behind it.
        self._heard: Head | None = None
        self._early: list[bytes] = []
        link.allow(patience.idle)

    @property
    def status(self) -> int:
        """The reply's status code."""
        return self._head.status

    @property
    def headers(self) -> Headers:
        """The reply's headers."""
        return self._head.headers

    @property
    def is_upgraded(self) -> bool:
        """Whether the engine has switched protocols, and no longer speaks HTTP."""
        return self.status == SWITCHING_PROTOCOLS

    def start(self, request: Request, host: str) -> None:
        """Send the request and read the reply's head.

        An engine may refuse before it has read all: what it says then counts, and nothing more is
        sent.
        """
        begun = asked(self.endpoint, request)
        reader = HeadReader()
        broken = self._send_request(request, host, reader)
        try:
            self._head = self._heard or self._read_head(reader)
        except TransportError as error:
            # What ssh or TLS has to say is why the sending broke.
            if broken is None or not isinstance(error, ConnectionLost):
                raise unsure(error, request) from error.__cause__
            raise unsure(broken, request) from error
        answered(begun, request, self.status, self.headers)
        if self.endpoint.tls is None:
            self._step(partial(check_reply, self.status, self.headers))
        self._decoder = self._placing(
            lambda: body_decoder(self._head, request.method, upgraded=self.is_upgraded)
        )
        rest = b"".join([reader.rest, *self._early])
        self._waiting = self._decoder.feed(rest) if rest else b""

    def _send_request(
        self, request: Request, host: str, reader: HeadReader
    ) -> TransportError | None:
        """Send head and body; return what broke the connection, for there may be a reply still."""
        for block in _blocks(request_head(request, host), request.body or b""):
            # What a caller's body raises, which may be a stream itself, is not caught.
            try:
                self._offer(memoryview(block), reader)
            except ConnectionLost as error:
                return error
            if self._is_refused:
                break
        return None

    def _offer(self, left: memoryview, reader: HeadReader) -> None:
        """Send one block, unless the engine refuses meanwhile.

        An early success is none yet: builds tell of their progress while they are sent.
        """
        while left and not self._is_refused:
            sent, data = self._step(partial(self._link.offer, left))
            left = left[sent:]
            if data and self._heard is None:
                self._heard = self._placing(partial(reader.feed, data))
            elif data:
                self._early.append(data)

    @property
    def _is_refused(self) -> bool:
        return self._heard is not None and self._heard.status >= FIRST_REFUSAL

    def _read_head(self, reader: HeadReader) -> Head:
        while True:
            data = self._step(self._receive_head)
            if not data:
                self._placing(reader.finish)
            head = self._placing(partial(reader.feed, data))
            if head is not None:
                return head

    def _receive_head(self) -> bytes:
        data = self._link.receive()
        check_plain(data)
        return data

    def receive(self) -> bytes:
        """Return some bytes of the body as soon as there are any, none at its end.

        Raises a TransportError: TimedOut, ConnectionLost, TruncatedStream where the body ends too
        early, MalformedStream where it is not HTTP.
        """
        if self._waiting:
            data, self._waiting = self._waiting, b""
            return data
        decoder = self._decoder
        while not decoder.done:
            if decoder.fault is not None:
                raise self._placed(decoder.fault)
            data = self._step(self._link.receive)
            if not data:
                self._placing(decoder.finish)
                return b""
            if body := decoder.feed(data):
                return body
        return b""

    def read_all(self, limit: int | None) -> bytes:
        """Return the rest of the body, unpacked; TooLarge if that is more than ``limit`` bytes."""
        body = bytearray()
        if limit is not None and isinstance(self._decoder, Sized) and self._decoder.missing > limit:
            raise placed(too_large(limit), self.endpoint)
        for data in iter(self.receive, b""):
            body += data
            if limit is not None and len(body) > limit:
                raise placed(too_large(limit), self.endpoint)
        return self._placing(lambda: unpacked(bytes(body), self.headers, limit))

    def send(self, data: Data) -> None:
        """Send bytes as they are: of the request, or after an upgrade to the other side."""
        left = memoryview(data).cast("B")
        for start in range(0, len(left), _BLOCK):
            self._step(partial(self._link.send, left[start : start + _BLOCK]))

    def close_sending(self) -> None:
        """Tell the engine that nothing more will be sent, and go on receiving."""
        self._step(self._link.close_sending)

    def close(self) -> None:
        """Close the connection, ending what other threads wait for; may be called again."""
        self._link.close()

    def fileno(self) -> int:
        """Return the connection's descriptor, -1 once closed."""
        return self._link.fileno()

    def _step(self, action: Callable[[], Result]) -> Result:
        """Do one thing that may have to wait; TransportError where it fails."""
        patience = self._patience
        if patience.total is not None and patience.is_over:
            raise out_of_time(self.endpoint, patience.total)
        try:
            if patience.total is not None:
                self._link.allow(patience.left(patience.idle))
            return action()
        except OSError as error:
            if isinstance(error, TimeoutError) and patience.total is not None and patience.is_over:
                raise out_of_time(self.endpoint, patience.total) from error
            raise translate(error, self.endpoint, patience.idle) from error

    def _placing(self, action: Callable[[], Result]) -> Result:
        """Let a decoder do its work; what it complains of gets the place that it came from."""
        try:
            return action()
        except TransportError as error:
            raise self._placed(error) from None

    def _placed(self, error: Exception) -> Exception:
        """Return a decoder's complaint with the place that it came from."""
        return placed(error, self.endpoint) if isinstance(error, TransportError) else error


def open_exchange(
    endpoint: Endpoint, request: Request, idle: float | None, options: Options
) -> Exchange:
    """Connect, send a request and read its reply's head.

    ``idle`` are the seconds for each wait, None for ever; the options' deadline is for everything
    from now to the stream's end. To connect may be tried again, nothing else. Raises a
    TransportError; what a caller's body raises comes through as it is.
    """
    patience = Patience(idle, options.deadline)
    tries = Tries(request, options.retries, patience.end)
    link = _connected(endpoint, patience, tries)
    try:
        exchange = Exchange(link, endpoint, patience)
        exchange.start(request, host_header(endpoint))
    except BaseException:
        link.close()
        raise
    return exchange


def _connected(endpoint: Endpoint, patience: Patience, tries: Tries) -> Link:
    while True:
        limit = CONNECT_TIMEOUT if patience.idle is None else min(patience.idle, CONNECT_TIMEOUT)
        try:
            return connect(endpoint, patience.left(limit) or limit)
        except OSError as error:
            tries.fail(never_reached(error, endpoint), error)


def connect(endpoint: Endpoint, timeout: float) -> Link:
    """Return a connection to an endpoint, made within ``timeout`` seconds; OSError if it fails."""
    if endpoint.scheme == "npipe":
        # Imported here for start-up time: pipes are Windows' own.
        from dynadock.transport.npipe import PipeLink  # noqa: PLC0415

        return PipeLink(dial(endpoint, timeout))
    if endpoint.tls is None:
        return SocketLink(dial(endpoint, timeout))
    # Imported here for start-up time: few engines are spoken to over TLS.
    from dynadock.transport.tls import TlsLink, client_context  # noqa: PLC0415

    context = client_context(endpoint.tls)
    connection = dial(endpoint, timeout)
    try:
        link = TlsLink(connection, context, endpoint.host)
        link.shake_hands()
    except BaseException:
        connection.close()
        raise
    return link


def host_header(endpoint: Endpoint) -> str:
    """Return what the Host header says: engines ignore it, HTTP/1.1 wants it."""
    if endpoint.scheme != "tcp":
        return "localhost"
    return str(endpoint).partition("://")[2]


def _blocks(head: bytes, body: bytes | Iterator[bytes]) -> Iterator[Data]:
    """Yield what is sent at a time: each block has the time allowed to itself."""
    if isinstance(body, bytes):
        yield head + body[:_BLOCK]
        rest = memoryview(body)[_BLOCK:]
        for start in range(0, len(rest), _BLOCK):
            yield rest[start : start + _BLOCK]
    elif isinstance(body, Measured):
        yield head
        yield from body
    else:
        yield head
        for block in body:
            yield chunk(block)
        yield LAST_CHUNK
