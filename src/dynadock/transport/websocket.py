"""A websocket as a stream's source: the content of messages over a driver."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from typing import TYPE_CHECKING

from dynadock.errors import ConnectionLost, TransportError, Unsupported
from dynadock.transport.faults import placed
from dynadock.wire.coding import too_large
from dynadock.wire.websocket import WebSocketCodec, check_handshake

if TYPE_CHECKING:
    from dynadock.transport.driver import Driver
    from dynadock.wire.messages import Data, Headers, Request


def agreed(request: Request, driver: Driver, limit: int | None) -> WebSocketSource | Driver:
    """Return the websocket that the engine has agreed to; the driver as it is if it has not.

    ``request`` is the one with the handshake, ``limit`` are the bytes that a message may have.
    Raises MalformedStream for a wrong answer to the handshake.
    """
    if not driver.is_upgraded:
        return driver
    try:
        check_handshake(request, driver.headers)
    except TransportError as error:
        raise placed(error, driver.endpoint) from None
    return WebSocketSource(driver, limit)


class WebSocketSource:
    """Receives the content of a websocket's messages, one after the other, and sends messages."""

    def __init__(self, driver: Driver, limit: int | None) -> None:
        self._driver = driver
        self._codec = WebSocketCodec(limit)
        self._ready: deque[bytes] = deque()
        # Held while frames are sent, so that those of two threads do not mix.
        self._sending = threading.Lock()

    @property
    def status(self) -> int:
        """The reply's status code, 101."""
        return self._driver.status

    @property
    def headers(self) -> Headers:
        """The reply's headers."""
        return self._driver.headers

    def receive(self) -> bytes:
        """Return the next content, none after the close; raises a TransportError.

        It is a message's, or that of a fragment of one.
        """
        codec, ready = self._codec, self._ready
        while not ready and not codec.done:
            if codec.fault is not None:
                raise self._placed(codec.fault)
            data = self._driver.receive()
            if not data:
                self._finish()
                return b""
            ready += codec.feed(data)
            self._answer()
        return ready.popleft() if ready else b""

    def _finish(self) -> None:
        try:
            self._codec.finish()
        except TransportError as error:
            raise self._placed(error) from None

    def _answer(self) -> None:
        """Send the codec's own frames (pong, close), unless a thread that sends will do so."""
        if self._sending.acquire(blocking=False):
            try:
                # A peer that has closed needs no answer; what it sent before is still to be read.
                with contextlib.suppress(ConnectionLost):
                    self._send(self._codec.outgoing())
            finally:
                self._sending.release()

    def _send(self, frames: bytes) -> None:
        if frames:
            self._driver.send(frames)

    def _placed(self, error: Exception) -> Exception:
        return placed(error, self._driver.endpoint) if isinstance(error, TransportError) else error

    def read_all(self, limit: int | None) -> bytes:
        """Return the content of all messages; TooLarge if that is more than ``limit`` bytes."""
        content = bytearray()
        for data in iter(self.receive, b""):
            content += data
            if limit is not None and len(content) > limit:
                raise placed(too_large(limit), self._driver.endpoint)
        return bytes(content)

    def send(self, data: Data) -> None:
        """Send one binary message; raises a TransportError."""
        with self._sending:
            self._send(self._codec.message(data) + self._codec.outgoing())

    def close_sending(self) -> None:
        """Raise Unsupported: a websocket closes both ways or none."""
        raise Unsupported(
            "a websocket has no way to end the input and go on reading; attach without one does"
        )

    def close(self) -> None:
        """Close the connection; may be called again."""
        self._driver.close()

    def fileno(self) -> int:
        """Return the connection's descriptor, -1 once closed."""
        return self._driver.fileno()
