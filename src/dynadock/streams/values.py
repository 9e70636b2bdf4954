"""Streams of JSON values: progress of pulls, pushes and builds, events, statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.call.json_values import JsonDecoder
from dynadock.call.progress import Progress, error_in
from dynadock.streams.stream import DecodedStream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from dynadock.streams.stream import Origin, Source


class JsonStream(DecodedStream[Any]):
    """An iterator of the values that an engine sends one after the other, as Records.

    An error that the engine reports among them raises `StreamError`, after the values before it.
    """

    def __init__(self, source: Source, origin: Origin) -> None:
        super().__init__(source, origin, JsonDecoder())
        self._progress = Progress()

    def __iter__(self) -> Iterator[Any]:
        note = self._progress.note if self._origin.operation.reply.acts else self._remember
        for value in super().__iter__():
            if isinstance(value, dict) and ("error" in value or "errorDetail" in value):
                self._check(value)
            note(value)
            yield value

    def _remember(self, value: Any) -> None:
        self._progress.last = value

    def wait(self) -> Any:
        """Run to the end and return what was made, else the last value (None if there was none).

        What was made is a Record: ``ID`` of a built or imported image, ``Digest`` (and ``Tag``,
        ``Size``) of a pulled or pushed one, ``Images`` that were loaded. Raises `StreamError` as
        iterating does.
        """
        with self:
            for _ in self:
                pass
        return self._progress.made or self._progress.last

    def show(self, file: TextIO | None = None) -> Any:
        """Run to the end as `wait` does, and show the progress on ``file``, stdout by default.

        On a terminal or in a notebook, with bars where rich is installed (the extra ``rich``);
        elsewhere nothing is written.
        """
        # Imported here for start-up time: most streams are not looked at.
        from dynadock.show.progress import board  # noqa: PLC0415

        with self, board(file) as shown:
            for value in self:
                shown.note(value)
        return self._progress.made or self._progress.last

    def _check(self, value: Any) -> None:
        message = error_in(value)
        if message is not None:
            self._fail(self._stream_error(message, value))
