"""Streams of JSON values: progress of pulls, pushes and builds, events, statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.call.progress import Progress, error_in
from dynadock.streams.flow import DecodedFlow
from dynadock.streams.stream import DecodedStream
from dynadock.wire.json_values import JsonDecoder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from dynadock.streams.flow import Connection, Origin, Source


class JsonFlow(DecodedFlow[Any]):
    """A flow of JSON values, which remembers what they say about progress."""

    def __init__(self, connection: Connection, origin: Origin) -> None:
        super().__init__(connection, origin, JsonDecoder(origin.limit))
        self._progress = Progress()
        self._acts = origin.operation.reply.acts
        self._holding = origin.holding

    def _take(self, value: Any) -> None:
        """Note a value before it is returned; StreamError if it reports an error."""
        if self._holding is not None:
            self._holding.item(value)
        if isinstance(value, dict) and ("error" in value or "errorDetail" in value):
            message = error_in(value)
            if message is not None:
                self._fail(self._stream_error(message, value))
        if self._acts:
            self._progress.note(value)
        else:
            self._progress.last = value

    @property
    def _made(self) -> Any:
        """What was made, else the last value."""
        return self._progress.made or self._progress.last


class JsonStream(JsonFlow, DecodedStream[Any]):
    """An iterator of the values that an engine sends one after another, as Records.

    An error that the engine reports among them raises `StreamError`, after the values before it.
    """

    def __init__(self, source: Source, origin: Origin) -> None:
        super().__init__(source, origin)

    def __iter__(self) -> Iterator[Any]:
        take = self._take
        for value in super().__iter__():
            take(value)
            yield value
        if self._holding is not None:
            self._holding.end(self._made)

    def wait(self) -> Any:
        """Run to the end and return what was made, else the last value (None if there was none).

        What was made is described by a Record: ``ID`` of a built or imported image, ``Digest`` (and
        ``Tag``, ``Size``) of a pulled or pushed one, ``Images`` for those that were loaded. Raises
        `StreamError` as iterating does.
        """
        with self:
            for _ in self:
                pass
        return self._made

    def show(self, file: TextIO | None = None) -> Any:
        """Run to the end as `wait` does, and show the progress on ``file``, stdout by default.

        Writes only to a terminal or a notebook; there, it draws bars if rich is installed (the
        extra ``rich``).
        """
        from dynadock.show.progress import board

        with self, board(file) as shown:
            for value in self:
                shown.note(value)
        return self._made
