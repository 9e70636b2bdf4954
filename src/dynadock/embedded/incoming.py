"""Requests as they come over a socket: read with h11, and refused where they may mean two things.

h11 says where a request ends. A head must also be one to `dynadock.wire.requests`, which takes
only what RFC 9112 has senders write: what one of the two reads otherwise is refused.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

import h11

from dynadock.errors import MalformedStream
from dynadock.wire.http1 import LONGEST_HEAD
from dynadock.wire.requests import RequestReader

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from dynadock.wire.requests import RequestHead

BAD_REQUEST = 400
TOO_SLOW = 408
TOO_LARGE = 413
UNAVAILABLE = 503

MOST_AT_A_TIME = 2 * 2**30
"""Bytes of bodies that are being received or acted on, which are held in memory."""

_BLOCK = 64 * 1024
_SHORTEST_WAIT = 0.001
_END_OF_HEAD = b"\r\n\r\n"


class Patience(NamedTuple):
    """Seconds that a peer has: for a whole head, between two requests, for more of a body."""

    head: float = 30.0
    idle: float = 600.0
    body: float = 300.0


class Rejected(Exception):
    """A request that is refused before anybody is asked; its connection ends with that."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Room:
    """The bytes that bodies may take up at a time, those of all connections together."""

    def __init__(self, most: int = MOST_AT_A_TIME) -> None:
        self._left = most
        self._lock = Lock()

    def take(self, size: int) -> None:
        """Take up some of it; Rejected where so much is not left."""
        with self._lock:
            if size > self._left:
                raise Rejected(UNAVAILABLE, "other requests' bodies take up all memory")
            self._left -= size

    def give_back(self, size: int) -> None:
        """Have that much no longer."""
        with self._lock:
            self._left += size


class Incoming:
    """What comes over a connection, one request after another.

    Before each request ``begin`` has to be called for its head, then ``body``. ``rest`` is what
    has come behind the request.
    """

    def __init__(self, sock: socket.socket, patience: Patience, room: Room) -> None:
        self._sock = sock
        self._patience = patience
        self._room = room
        self._waiting = bytearray()
        self._reading = _connection()
        self._is_first = True

    def begin(self) -> RequestHead | None:
        """Return the head of the next request, None where the peer has no more of them."""
        seen = bytearray(self.rest())
        self._reading = _connection()
        if not seen:
            seen += self._first_bytes()
        self._reading.receive_data(bytes(seen))
        end = time.monotonic() + self._patience.head
        while (event := self._next_event()) is h11.NEED_DATA:
            data = self._receive(end - time.monotonic(), "the request's head")
            self._reading.receive_data(data)
            seen += data
        return _checked(bytes(seen)) if isinstance(event, h11.Request) else None

    def _first_bytes(self) -> bytes:
        seconds = self._patience.head if self._is_first else self._patience.idle
        self._is_first = False
        try:
            return self._receive(seconds, "a request")
        except Rejected:
            return b""

    @contextmanager
    def body(
        self, head: RequestHead, longest: int, go_on: Callable[[], None]
    ) -> Iterator[bytearray]:
        """Give the request's body, which counts as long as it is used.

        ``go_on`` is called if the peer waits for a word to send it. Rejected for more than
        ``longest`` bytes, as soon as that is known, and where there is no room for so many.
        """
        body = bytearray()
        try:
            self._read_body(body, head, longest, go_on)
            yield body
        finally:
            self._room.give_back(len(body))

    def _read_body(
        self, body: bytearray, head: RequestHead, longest: int, go_on: Callable[[], None]
    ) -> None:
        _check_length(int(head.headers.get("Content-Length", 0)), longest)
        waits = head.expects_continue
        while True:
            event = self._next_event()
            if event is h11.NEED_DATA:
                if waits:
                    go_on()
                    waits = False
                data = self._receive(self._patience.body, "the request's body")
                self._reading.receive_data(data)
            elif isinstance(event, h11.Data):
                _check_length(len(body) + len(event.data), longest)
                self._room.take(len(event.data))
                # Not a list: an object for each of many short chunks takes far more memory.
                body += event.data
            else:
                self._waiting += self._reading.trailing_data[0]
                return

    def rest(self) -> bytes:
        """Return, once, what has come behind the request."""
        waiting, self._waiting = bytes(self._waiting), bytearray()
        return waiting

    def keep(self, data: bytes) -> None:
        """Keep what came for a later request."""
        self._waiting += data

    @property
    def is_full(self) -> bool:
        """Whether so much has come for later requests that a peer should wait."""
        return len(self._waiting) >= _BLOCK

    def _next_event(self) -> object:
        try:
            return self._reading.next_event()
        except h11.RemoteProtocolError as error:
            raise Rejected(error.error_status_hint or BAD_REQUEST, str(error)) from error

    def _receive(self, seconds: float, what: str) -> bytes:
        try:
            # No time at all would mean not to wait, and to raise something else.
            self._sock.settimeout(max(seconds, _SHORTEST_WAIT))
            return self._sock.recv(_BLOCK)
        except TimeoutError:
            raise Rejected(TOO_SLOW, f"{what} takes too long") from None
        finally:
            self._sock.settimeout(None)


def _connection() -> h11.Connection:
    return h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)


def _checked(seen: bytes) -> RequestHead:
    reader = RequestReader()
    try:
        reader.feed(seen[: seen.find(_END_OF_HEAD) + len(_END_OF_HEAD)])
    except MalformedStream as fault:
        raise Rejected(BAD_REQUEST, str(fault)) from fault
    if reader.head is None:
        raise Rejected(BAD_REQUEST, "the request's head does not end as a head does")
    return reader.head


def _check_length(length: int, longest: int) -> None:
    if length > longest:
        raise Rejected(TOO_LARGE, "http: request body too large")
