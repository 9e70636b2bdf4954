"""Both directions of a connection read as HTTP, without changing or losing a byte.

Each direction is given as it comes, cut anywhere, and comes out as parts that add up to it. What
comes behind a request is held until that is answered: only then is it known whether it is another
request, or belongs to whom the connection was handed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dynadock.errors import MalformedStream
from dynadock.wire.http1 import HeadReader, UntilClose, body_decoder
from dynadock.wire.messages import SWITCHING_PROTOCOLS
from dynadock.wire.requests import RequestReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dynadock.wire.http1 import BodyDecoder, Head
    from dynadock.wire.requests import RequestHead

HEAD, BODY, END, RAW = "head", "body", "end", "raw"

MOST_HELD = 256 * 1024
"""Bytes behind a request that is not answered; a connection with more is not read any further."""

_END_OF_HEAD = b"\r\n\r\n"


class Part(NamedTuple):
    """Some of the bytes of one direction, and what they are.

    ``kind`` is HEAD (with ``head`` if it ends here), BODY (``body`` is what it decodes to), END of
    a message, which has no bytes of its own, or RAW: what is no HTTP, or no longer.
    """

    kind: str
    raw: bytes = b""
    head: RequestHead | Head | None = None
    body: bytes = b""


class Dialogue:
    """What a client and an engine say to each other over one connection.

    ``is_raw`` tells that HTTP is over, since the connection was handed over, or the reply lasts
    until its end, or since what came is none; only then there is a ``fault``.
    """

    def __init__(self) -> None:
        self.is_raw = False
        self.fault = ""
        self._request = RequestReader()
        self._head = bytearray()
        self._held = bytearray()
        self._behind = bytearray()
        self._asked: RequestHead | None = None
        self._is_whole = False
        self._has_ended = False
        self._is_answered = False
        self._reply = HeadReader()
        self._decoder: BodyDecoder | None = None

    @property
    def is_holding(self) -> bool:
        """Whether `resume` would have something to return, now or after the reply's end."""
        return bool(self._held or (self.is_raw and self._head))

    @property
    def can_resume(self) -> bool:
        """Whether request and reply are both complete, or no longer HTTP."""
        return self.is_raw or (self._is_whole and self._has_ended)

    def skim(self, is_sent: bool) -> Callable[[bytes], int] | None:
        """Return what takes bytes of a direction without making parts of them, if anything can.

        It returns how many bytes of a body, or of another protocol, they were; or -1: then they
        are to be given as usual.
        """
        if self.is_raw:
            return len
        if not is_sent:
            return None if self._decoder is None else self._decoder.skim
        decoder = self._request.decoder
        return None if decoder is None or self._is_whole else decoder.skim

    def sent(self, data: bytes) -> list[Part]:
        """Take bytes of the client; return what can be told of them now."""
        if self.is_raw:
            return [Part(RAW, data)]
        if self._asked is None:
            return self._more_of_head(data)
        if not self._is_whole:
            return [*self._more_of_body(data, self._request.feed(data))]
        self._held += data
        if len(self._held) > MOST_HELD:
            return self._give_up("the client went on without waiting for the reply")
        return []

    def _more_of_head(self, data: bytes) -> list[Part]:
        self._head += data
        try:
            body = self._request.feed(data)
        except MalformedStream as fault:
            return self._give_up(str(fault))
        head = self._request.head
        if head is None:
            return []
        seen = self._taken(self._head)
        end = seen.find(_END_OF_HEAD) + len(_END_OF_HEAD)
        self._asked = head
        return [Part(HEAD, seen[:end], head), *self._more_of_body(seen[end:], body)]

    def _more_of_body(self, raw: bytes, body: bytes) -> Iterator[Part]:
        reader = self._request
        rest = reader.rest if reader.done else b""
        if own := raw[: len(raw) - len(rest)] if rest else raw:
            yield Part(BODY, own, None, body)
        if reader.fault is not None:
            yield from self._give_up(str(reader.fault))
        elif reader.done:
            self._is_whole = True
            self._request = RequestReader()
            self._held += rest
            yield Part(END)
            if self._is_answered:
                yield from self.resume()

    def end_of_sent(self) -> list[Part]:
        """Return what has come of a head that does not end."""
        return [Part(RAW, self._taken(self._head))] if self._head else []

    def received(self, data: bytes) -> list[Part]:
        """Take bytes of the engine; return what they are, up to the end of a reply.

        Once the client has them, `resume` has to be called, and this again, without bytes, for as
        long as there `is_more`.
        """
        parts: list[Part] = []
        data = self._taken(self._behind) + data if self._behind else data
        while data and not self.is_raw:
            try:
                data = self._of_reply(data, parts)
            except MalformedStream as fault:
                self._give_up_reading(str(fault))
            if parts and parts[-1].kind == END:
                self._behind += data
                return parts
        if data:
            parts.append(Part(RAW, data))
        return parts

    @property
    def is_more(self) -> bool:
        """Whether something has come behind the end of a reply."""
        return bool(self._behind)

    def _of_reply(self, data: bytes, parts: list[Part]) -> bytes:
        """Add the next part of a reply; return what comes behind it."""
        if self._decoder is not None:
            return self._of_body(self._decoder, data, parts)
        if self._asked is None or self._has_ended:
            raise MalformedStream("the engine sent what nobody had asked for")
        head = self._reply.feed(data)
        if head is None:
            parts.append(Part(HEAD, data))
            return b""
        rest = self._reply.rest
        parts.append(Part(HEAD, data[: len(data) - len(rest)], head))
        self._reply = HeadReader()
        decoder = body_decoder(head, self._asked.method)
        if head.status == SWITCHING_PROTOCOLS or isinstance(decoder, UntilClose):
            self.is_raw = True
            return rest
        self._decoder = decoder
        return self._of_body(decoder, rest, parts)

    def _of_body(self, decoder: BodyDecoder, data: bytes, parts: list[Part]) -> bytes:
        body = decoder.feed(data) if data else b""
        rest = decoder.rest if decoder.done else b""
        if own := data[: len(data) - len(rest)] if rest else data:
            parts.append(Part(BODY, own, None, body))
        if decoder.fault is not None:
            raise MalformedStream(str(decoder.fault))
        if decoder.done:
            self._decoder = None
            self._has_ended = True
            parts.append(Part(END))
        return rest

    def end_of_received(self) -> None:
        """Take note that the engine sends no more; TruncatedStream within a reply."""
        if self._decoder is not None:
            self._decoder.finish()
        elif self._asked is not None and not (self._has_ended or self.is_raw):
            self._reply.finish()

    def resume(self) -> list[Part]:
        """Go on to the next request if this one is done with; return what was held of it."""
        if self.is_raw:
            left = self._taken(self._head) + self._taken(self._held)
            return [Part(RAW, left)] if left else []
        self._is_answered = self._has_ended
        if not (self._is_whole and self._is_answered):
            return []
        self._asked, self._is_whole, self._is_answered, self._has_ended = None, False, False, False
        held = self._taken(self._held)
        return self.sent(held) if held else []

    def answer_ourselves(self) -> None:
        """Take the request whose head came last for answered: nobody else will do it."""
        self._has_ended = True

    def _give_up(self, why: str) -> list[Part]:
        self._give_up_reading(why)
        return self.resume()

    def _give_up_reading(self, why: str) -> None:
        self.is_raw, self.fault = True, why

    @staticmethod
    def _taken(buffer: bytearray) -> bytes:
        data = bytes(buffer)
        buffer.clear()
        return data
