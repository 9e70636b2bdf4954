"""The life of one request on the wire, as steps that somebody else carries out.

Nothing here waits. A method of `Exchange` is a generator: it yields what is to be done next with
the connection (a `Step`), and is sent what came of that; what it returns at its end is its result.
A driver, which may block or await, carries the steps out over a link::

    def run(steps, link):
        try:
            step = next(steps)
            while True:
                step = steps.send(step(link))
        except StopIteration as done:
            return done.value

A step is called with the link. It calls one of four of its methods: ``offer(data)`` sends some of
``data`` or receives what comes before that is taken, and gives how much was sent and what came;
``receive()`` gives some bytes, none at the end; ``send(data)`` sends all of it, ``close_sending()``
half-closes the connection. When the connection breaks, a driver throws a TransportError into the
generator, which may still have a reply to read.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from io import BytesIO
from operator import methodcaller
from typing import TYPE_CHECKING, Any, TypeVar

from dynadock.errors import ConnectionLost, MalformedStream, TooLarge, TransportError
from dynadock.wire.chunks import LAST_CHUNK, chunk
from dynadock.wire.coding import too_large, unpacker
from dynadock.wire.http1 import HeadReader, Sized, UntilClose, body_decoder, request_head
from dynadock.wire.messages import FIRST_REDIRECT, SWITCHING_PROTOCOLS
from dynadock.wire.plaintext import check_beginning, check_reply
from dynadock.wire.uploads import Measured

if TYPE_CHECKING:
    from dynadock.wire.coding import Unpacker
    from dynadock.wire.http1 import BodyDecoder, Head
    from dynadock.wire.messages import Data, Request

Result = TypeVar("Result")
Step = Callable[[Any], Any]
Steps = Generator[Step, Any, Result]

RECEIVE: Step = methodcaller("receive")
CLOSE_SENDING: Step = methodcaller("close_sending")

MOST_UNASKED = 64 * 1024 * 1024
"""Bytes of a reply that are buffered while the request is still being sent."""

_BLOCK = 64 * 1024
"""Bytes to send at a time: each block has the time allowed to itself."""


class Exchange:
    """One request and its reply: `begin`, then `receive` or `read_all`.

    ``head`` is the reply's once `begin` is done. ``has_heard`` tells whether a byte of the reply
    has come, ``has_failing_body`` whether an error is one that the request's own body raised.
    ``is_secure`` says that the connection speaks TLS.
    """

    __slots__ = (
        *("_behind", "_decoder", "_early", "_host", "_is_secure", "_is_sent", "_reader"),
        *("_request", "_waiting", "has_failing_body", "has_heard", "head"),
    )

    def __init__(self, request: Request, host: str, *, is_secure: bool = False) -> None:
        self.head: Head
        self.has_heard = False
        self.has_failing_body = False
        self._request = request
        self._host = host
        self._is_secure = is_secure
        self._is_sent = False
        self._reader = HeadReader()
        # What came while the request was sent: a head, and what stood behind it.
        self._early: Head | None = None
        self._behind = BytesIO()
        self._decoder: BodyDecoder
        self._waiting = b""

    def begin(self) -> Steps[None]:
        """Send the request and read the reply's head.

        A peer may refuse before it has read all: then its reply counts, and nothing more is sent.
        After an early success sending goes on, as builds report progress while they are sent.
        Raises a TransportError, what a driver throws into it, and what the request's own body
        raises.
        """
        broken = yield from self._send()
        head = self._early
        try:
            while head is None:
                head = self._hear((yield RECEIVE))
        except ConnectionLost as error:
            # Other errors (of ssh, of TLS) tell why sending broke, and pass; this one does not.
            if broken is None:
                raise
            raise broken from error
        finally:
            # The exception refers to this frame: a reference cycle, if this referred to it.
            del broken
        self.head = head
        if not self._is_secure:
            check_reply(head.status, head.headers)
        self._begin_body(head)

    def _send(self) -> Steps[TransportError | None]:
        """Send head and body; return what broke the connection, for there may be a reply still."""
        for block in self._views():
            left = block
            while left:
                try:
                    sent, came = yield methodcaller("offer", left)
                except ConnectionLost as error:
                    return error
                if came and self._is_refused_by(came):
                    return None
                if sent == len(left):
                    break
                left = left[sent:]
        self._is_sent = True
        return None

    def _views(self) -> Iterator[memoryview]:
        """Yield the blocks as views, whose repr tells nothing of the secrets in them."""
        return map(memoryview, self._blocks())

    def _blocks(self) -> Iterator[Data]:
        """Yield what is sent at a time, the head together with the first bytes of the body."""
        body = self._request.body
        if body is None:
            yield request_head(self._request, self._host)
        elif isinstance(body, bytes):
            yield request_head(self._request, self._host) + body[:_BLOCK]
            rest = memoryview(body)[_BLOCK:]
            for start in range(0, len(rest), _BLOCK):
                yield rest[start : start + _BLOCK]
        else:
            yield request_head(self._request, self._host)
            yield from self._blocks_of(body)

    def _blocks_of(self, body: Iterator[bytes]) -> Iterator[bytes]:
        try:
            if isinstance(body, Measured):
                yield from body
                return
            for block in body:
                yield chunk(block)
        except TransportError:
            # A body may itself be a stream, of this engine or of another one.
            self.has_failing_body = True
            raise
        yield LAST_CHUNK

    def _is_refused_by(self, came: bytes) -> bool:
        if self._early is None:
            self._early = self._hear(came)
        elif self._behind.write(came) and self._behind.tell() > MOST_UNASKED:
            raise TooLarge(f"more than {MOST_UNASKED} bytes came before the request was sent")
        return self._early is not None and self._early.status >= FIRST_REDIRECT

    def _hear(self, data: bytes) -> Head | None:
        if not data:
            self._reader.finish()
        if not self.has_heard:
            self.has_heard = True
            check_beginning(data)
        return self._reader.feed(data)

    def _begin_body(self, head: Head) -> None:
        if head.status == SWITCHING_PROTOCOLS and not self._request.asks_for_upgrade:
            raise MalformedStream("the reply switches protocols (101), which nobody asked for")
        self._decoder = body_decoder(head, self._request.method)
        rest = self._reader.rest
        if self._early is not None:
            rest += self._behind.getvalue()
        self._waiting = self._decoder.feed(rest) if rest else b""

    @property
    def is_upgraded(self) -> bool:
        """Whether the peer has switched protocols, and no longer speaks HTTP."""
        return self.head.status == SWITCHING_PROTOCOLS

    @property
    def is_reusable(self) -> bool:
        """Whether another request may be sent over the connection.

        The request went out whole, the reply was read to an end that its own framing gave it,
        nothing stood behind that, and the peer has not said that it would close.
        """
        decoder = self._decoder
        return (
            decoder.done
            and self._is_sent
            and self.head.is_persistent
            and not decoder.rest
            and not self._waiting
            and not isinstance(decoder, UntilClose)
        )

    def receive(self) -> Steps[bytes]:
        """Return some bytes of the body as soon as there are any, none at its end.

        Raises TruncatedStream where the body ends too early, MalformedStream where it is not HTTP.
        """
        if self._waiting:
            data, self._waiting = self._waiting, b""
            return data
        decoder = self._decoder
        while not decoder.done:
            if decoder.fault is not None:
                raise decoder.fault
            data = yield RECEIVE
            if not data:
                decoder.finish()
                return b""
            if body := decoder.feed(data):
                return body
        return b""

    def read_all(self, limit: int | None) -> Steps[bytes]:
        """Return the rest of the body, unpacked; TooLarge if that is more than ``limit`` bytes."""
        decoder = self._decoder
        if limit is not None and isinstance(decoder, Sized) and decoder.missing > limit:
            raise too_large(limit)
        body = yield from self.receive()
        packing = unpacker(self.head.headers, limit) if body else None
        if packing is not None:
            return (yield from self._read_packed(body, packing))
        if not decoder.done:
            whole = BytesIO(body)
            size = whole.seek(len(body))
            while data := (yield from self.receive()):
                size += whole.write(data)
                _check_size(size, limit)
            body = whole.getvalue()
        _check_size(len(body), limit)
        return body

    def _read_packed(self, came: bytes, packing: Unpacker) -> Steps[bytes]:
        """Unpack as it comes, so that neither time nor memory depends on what it is packed to."""
        whole = BytesIO()
        while came:
            whole.write(packing.feed(came))
            came = yield from self.receive()
        packing.finish()
        return whole.getvalue()

    def send(self, data: Data) -> Steps[None]:
        """Send bytes as they are to the peer, after an upgrade."""
        left = memoryview(data).cast("B")
        for start in range(0, len(left), _BLOCK):
            yield methodcaller("send", left[start : start + _BLOCK])

    def close_sending(self) -> Steps[None]:
        """Half-close: tell the peer that nothing more will be sent, and go on receiving."""
        yield CLOSE_SENDING


def _check_size(size: int, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise too_large(limit)
