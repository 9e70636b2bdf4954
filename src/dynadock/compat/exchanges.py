"""Requests and replies put together from what passed over a connection, bounded and in order."""

from __future__ import annotations

import hashlib
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from dynadock.compat.dialogue import BODY, END, HEAD, RAW, Dialogue
from dynadock.errors import TransportError
from dynadock.wire.http1 import Head
from dynadock.wire.messages import SWITCHING_PROTOCOLS, Headers, media_type
from dynadock.wire.requests import RequestHead

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dynadock.compat.dialogue import Part

LONGEST_KEPT = 2**20
"""Bytes of a body that are kept; of a longer one the beginning is, and its size is counted."""

MOST_KEPT = 64 * 2**20
"""Bytes of all bodies that are kept at a time."""

BOTH = 2
"""Directions of a connection."""

_READ_TYPES = frozenset({"application/json", "text/plain"})
_JSON_SUFFIXES = ("json", "json-seq", "jsonl", "ndjson")


class Keeping:
    """Which bodies are kept, and how much of them there may still be.

    Those that are JSON or text are; with ``all_types`` all of them, for who records.
    """

    def __init__(self, *, all_types: bool = False) -> None:
        self.all_types = all_types
        self._left = MOST_KEPT
        self._lock = Lock()

    def body(self, headers: Mapping[str, str]) -> KeptBody:
        """Return where a message's body goes to."""
        kind = media_type(headers)
        is_read = not kind or kind in _READ_TYPES or kind.endswith(_JSON_SUFFIXES)
        return KeptBody(self, is_kept=self.all_types or is_read)

    def take(self, size: int) -> int:
        """Return how many of so many bytes may be kept."""
        with self._lock:
            granted = min(size, self._left)
            self._left -= granted
        return granted

    def give_back(self, size: int) -> None:
        """Have that much no longer."""
        with self._lock:
            self._left += size


class KeptBody:
    """A body's size, its digest, and its bytes as far as they are kept."""

    def __init__(self, keeping: Keeping, *, is_kept: bool) -> None:
        self.size = 0
        self._keeping = keeping
        self._room = LONGEST_KEPT if is_kept else 0
        self._kept = bytearray()
        self._digest = hashlib.sha256() if keeping.all_types else None

    @property
    def is_wanted(self) -> bool:
        """Whether more of its bytes are looked at."""
        return self._room > 0 or self._digest is not None

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        self.size += len(data)
        if self._digest is not None:
            self._digest.update(data)
        if self._room:
            granted = self._keeping.take(min(len(data), self._room))
            self._kept += data[:granted]
            self._room = self._room - granted if granted == len(data) else 0

    @property
    def data(self) -> bytes | None:
        """All of it, None if it was not kept or is longer."""
        return bytes(self._kept) if self.size == len(self._kept) else None

    @property
    def beginning(self) -> bytes:
        """As much as was kept."""
        return bytes(self._kept)

    @property
    def digest(self) -> str:
        """The SHA-256 of all of it, empty if nobody asked for that."""
        return self._digest.hexdigest() if self._digest is not None else ""

    def drop(self) -> None:
        """Keep nothing any longer."""
        self._keeping.give_back(len(self._kept))
        self._kept = bytearray()
        self._room = 0


class Passed:
    """One request that passed, and its reply, as far as it came.

    ``status`` is None if none came. ``is_whole`` tells that the reply came to its end;
    ``took_over`` that the connection became another protocol's: then ``sent_after`` counts what the
    client sent over it, and the reply's body is what the engine sent. ``fault`` is what made this
    unreadable: either side spoke no HTTP, or more came than could be read.
    """

    def __init__(self, connection: int, head: RequestHead, moment: float, body: KeptBody) -> None:
        self.connection = connection
        self.method = head.method
        self.target = head.target
        self.request_headers = head.headers
        self.request_body = body
        self.status: int | None = None
        self.reply_headers = Headers()
        self.reply_body: KeptBody | None = None
        self.begun = moment
        self.answered: float | None = None
        self.ended: float | None = None
        self.is_whole = False
        self.took_over = False
        self.sent_after = 0
        self.fault = ""

    @property
    def milliseconds(self) -> float | None:
        """From the request's first byte to the reply's last one; to its head if that took over."""
        end = self.answered if self.took_over else self.ended
        return None if end is None else (end - self.begun) * 1000

    def drop(self) -> None:
        """Keep no body any longer."""
        self.request_body.drop()
        if self.reply_body is not None:
            self.reply_body.drop()


class Reading:
    """Reads what passes over one connection; ``done`` is given each exchange, whole or broken.

    ``noise`` is told of a connection that is no HTTP at all, and why. ``handed_over`` is None but
    after a piece in which a reply's head ended that handed the connection over, or lasts until its
    end: then it is how many bytes came behind that head.
    """

    def __init__(
        self,
        connection: int,
        keeping: Keeping,
        done: Callable[[Passed], None],
        noise: Callable[[str], None],
    ) -> None:
        self._connection = connection
        self._keeping = keeping
        self._done = done
        self._noise = noise
        self._dialogue = Dialogue()
        self._current: Passed | None = None
        self._is_over = False
        self._ended: set[bool] = set()
        self.handed_over: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more is read."""
        return self._is_over

    @property
    def has_ended(self) -> bool:
        """Whether both directions have ended, so that nothing more comes."""
        return len(self._ended) == BOTH

    def feed(self, is_sent: bool, data: bytes) -> None:
        """Take bytes of a direction, none for its end."""
        self.handed_over = None
        if not data:
            self._ended.add(is_sent)
        if self._is_over:
            return
        dialogue = self._dialogue
        if not data:
            self._end(is_sent)
        elif is_sent:
            self._note_sent(dialogue.sent(data))
        else:
            self._receive(data)
        if dialogue.fault and not self._is_over:
            self.give_up(dialogue.fault)

    def _receive(self, data: bytes) -> None:
        dialogue = self._dialogue
        was_raw = dialogue.is_raw
        while True:
            parts = dialogue.received(data)
            for part in parts:
                self._note_received(part)
            if dialogue.is_raw and not was_raw and not dialogue.fault:
                self.handed_over = sum(len(part.raw) for part in parts if part.kind == RAW)
            if dialogue.can_resume:
                self._note_sent(dialogue.resume())
            if not dialogue.is_more:
                return
            data = b""

    def skim(self, is_sent: bool) -> Callable[[bytes], int] | None:
        """Return what takes bytes of a direction where only their number counts, None if none can.

        It returns that number, which is to be added up for `skimmed`, or -1: then they are fed.
        """
        current = self._current
        if current is None or self._is_over:
            return None
        body = current.request_body if is_sent else current.reply_body
        is_counted = (is_sent and self._dialogue.is_raw) or (body and not body.is_wanted)
        return self._dialogue.skim(is_sent) if is_counted else None

    def skimmed(self, is_sent: bool, size: int) -> None:
        """Take so many bytes of a direction for having been fed."""
        current = self._current
        if current is None:
            return
        if not is_sent and current.reply_body is not None:
            current.reply_body.size += size
        elif is_sent and self._dialogue.is_raw:
            current.sent_after += size
        elif is_sent:
            current.request_body.size += size

    def _note_sent(self, parts: list[Part]) -> None:
        for part in parts:
            current = self._current
            if part.kind == HEAD and isinstance(part.head, RequestHead):
                body = self._keeping.body(part.head.headers)
                self._current = Passed(self._connection, part.head, monotonic(), body)
            elif current is not None and part.kind == BODY:
                current.request_body.add(part.body)
            elif current is not None and part.kind != END:
                current.sent_after += len(part.raw)

    def _note_received(self, part: Part) -> None:
        current = self._current
        if current is None:
            return
        body = current.reply_body
        if isinstance(part.head, Head):
            current.status, current.reply_headers = part.head.status, part.head.headers
            current.answered = monotonic()
            current.took_over = part.head.status == SWITCHING_PROTOCOLS
            current.reply_body = self._keeping.body(part.head.headers)
        elif body is not None and part.kind == END:
            current.is_whole = True
            self._finish()
        elif body is not None:
            # What came in another protocol, or until the end, is the body as it is.
            body.add(part.body if part.kind == BODY else part.raw)

    def _end(self, is_sent: bool) -> None:
        if is_sent:
            if self._dialogue.end_of_sent() and not self._dialogue.is_raw:
                self._noise("the connection ended in the middle of a request's head")
        elif self._current is not None and self._dialogue.is_raw:
            self._current.is_whole = True
            self._finish()
        elif self._current is not None:
            self._note_break(self._current)
            self._finish()
        if self.has_ended:
            self._finish()
            self._is_over = True

    def _note_break(self, current: Passed) -> None:
        try:
            self._dialogue.end_of_received()
        except TransportError as fault:
            current.fault = str(fault)

    def give_up(self, why: str) -> None:
        """Read no further."""
        if self._current is not None:
            self._current.fault = why
            self._finish()
        else:
            self._noise(why)
        self._is_over = True

    def _finish(self) -> None:
        current, self._current = self._current, None
        if current is not None:
            current.ended = monotonic()
            self._done(current)
