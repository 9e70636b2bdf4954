"""Streams for blocking code: reading waits for what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Self

from dynadock.streams.flow import DecodedFlow, Flow, Item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from dynadock.streams.flow import Decoder, Origin, Source


class Stream(Flow):
    """A reply that comes bit by bit over a connection of its own.

    The request was sent when the operation was called. The connection is closed at the stream's
    end, by `close` (from any thread), by leaving a ``with`` block, or when something goes wrong;
    it is never used for another call. Dropping a stream may cancel the engine's work (a pull, a
    build); such a stream gives an UnreadStreamWarning if it is dropped before its end. Others that
    are left open give a ResourceWarning.
    """

    def __init__(self, source: Source, origin: Origin) -> None:
        super().__init__(source, origin)
        self._source = source

    def close(self) -> None:
        """Close the connection; a read that waits in another thread ends with StreamClosed."""
        if self._cut_off():
            self._warn_of_unread("closed")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_exception: object) -> None:
        # With an exception, a warning would say nothing new.
        if self._cut_off() and kind is None:
            self._warn_of_unread("closed")

    def _receive(self) -> bytes:
        """Return some bytes, none at the end, and then close."""
        if not self._may_receive():
            return b""
        try:
            data = self._source.receive()
        except BaseException as error:
            self._note_broken(error)
            raise
        self._note_received(data)
        return data


class DecodedStream(DecodedFlow[Item], Stream, Generic[Item]):
    """A stream of items. Iterating continues where an earlier loop stopped."""

    def __init__(self, source: Source, origin: Origin, decoder: Decoder[Item]) -> None:
        super().__init__(source, origin, decoder)

    def __iter__(self) -> Iterator[Item]:
        while True:
            # An iterator, so that the next loop gets what this one leaves.
            yield from self._ready
            items = self._next(self._decoder.feed)
            if items is None:
                return
            self._ready = iter(items)

    def __next__(self) -> Item:
        for item in self:
            return item
        raise StopIteration

    def _next(self, decode: Callable[[bytes], Any]) -> Any | None:
        """Decode the next bytes, or return what the end completes; None after the end."""
        if self._is_over():
            return None
        data = self._receive()
        return decode(data) if data else self._at_the_end()
