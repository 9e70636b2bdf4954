"""What containers write: frames, and the helpers that make lines, text and output of them."""

from __future__ import annotations

from io import BytesIO
from itertools import chain, compress
from operator import not_
from typing import TYPE_CHECKING, NamedTuple

from dynadock.errors import TransportError
from dynadock.streams.flow import DecodedFlow
from dynadock.streams.stream import DecodedStream
from dynadock.wire.coding import too_large
from dynadock.wire.frames import ConsoleDecoder, EngineFault, Frame, FrameDecoder, Pieces
from dynadock.wire.lines import LineAssembler

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from dynadock.streams.flow import Connection, Origin, Source
    from dynadock.wire.lines import Line


class Output(NamedTuple):
    """Everything that a container wrote, with stderr separate.

    A terminal has only one output, which is ``stdout``; an echo of the input is in it too.
    """

    stdout: bytes
    stderr: bytes


class FrameFlow(DecodedFlow[Frame]):
    """A flow of frames, or of a terminal's output."""

    def __init__(self, connection: Connection, origin: Origin, *, is_terminal: bool) -> None:
        decoder = ConsoleDecoder() if is_terminal else FrameDecoder()
        super().__init__(connection, origin, decoder)
        self.is_terminal = is_terminal
        self._feed_pieces = decoder.feed_pieces

    def _placed(self, fault: Exception) -> Exception:
        if isinstance(fault, EngineFault):
            return self._stream_error(str(fault), fault.payload)
        return super()._placed(fault)


class Gathered:
    """Output that is gathered: as one, or stderr apart from the rest."""

    def __init__(self, *, is_apart: bool = True) -> None:
        self._is_apart = is_apart
        # Not lists of blocks: of many short ones these would take much more memory.
        self._stdout = BytesIO()
        self._stderr = BytesIO()

    def add(self, pieces: Pieces, limit: int | None) -> None:
        """Take output as it came; TooLarge if all that was taken is more than ``limit`` bytes."""
        channels, blocks = pieces
        if self._is_apart:
            are_errors = [channel == "stderr" for channel in channels]
            self._stdout.write(b"".join(compress(blocks, map(not_, are_errors))))
            self._stderr.write(b"".join(compress(blocks, are_errors)))
        else:
            self._stdout.write(b"".join(blocks))
        if limit is not None and self._stdout.tell() + self._stderr.tell() > limit:
            raise too_large(limit, of="what is gathered of the stream")

    def output(self) -> Output:
        """Return all that was taken."""
        return Output(self._stdout.getvalue(), self._stderr.getvalue())


class FrameStream(FrameFlow, DecodedStream[Frame]):
    """An iterator of `Frame`: ``frame.channel`` and ``frame.data`` (bytes), in the engine's order.

    Channels are ``stdout`` and ``stderr`` (``stdin`` in some logs), or ``console`` for the output
    of a terminal, which is one and has no frames: there a frame is whatever came at a time. A frame
    of more than 1 MiB comes in pieces of that size. The helpers take what iterating has left; what
    they hold is bounded by the option ``limit``.
    """

    def __init__(self, source: Source, origin: Origin, *, is_terminal: bool) -> None:
        super().__init__(source, origin, is_terminal=is_terminal)

    def lines(
        self, *, encoding: str = "utf-8", errors: str = "replace", timestamps: bool = False
    ) -> Iterator[Line]:
        """Iterate over `Line`: ``channel``, ``text`` without its line break, and ``timestamp``.

        A line comes when it is whole; the channels' lines do not mix. To go on after a break, keep
        the iterator: it holds what was received and not returned yet. ``timestamps=True`` splits
        off the time in front of each line, which the logs operations write if their own argument
        ``timestamps`` asks for it; ``line.time`` is that time as a datetime. ``encoding`` and
        ``errors`` are those of `bytes.decode`.

        Raises TooLarge at a line of more bytes than the option ``limit``, after as much of it.
        """
        lines = LineAssembler(encoding, errors, timestamps, self._origin.limit)
        return chain.from_iterable(self._line_groups(lines, timestamps=timestamps))

    def _line_groups(self, lines: LineAssembler, *, timestamps: bool) -> Iterator[Iterable[Line]]:
        # Each frame begins with a time, so frames have to be complete here.
        try:
            for pieces in self._whole_frames() if timestamps else self._pieces():
                yield lines.feed(pieces)
                if isinstance(lines.fault, TransportError):
                    self._fail(self._placed(lines.fault))
                if lines.fault is not None:
                    raise lines.fault
        except TransportError:
            # The part of the last line that came is returned before the error.
            yield lines.finish()
            raise
        yield lines.finish()
        if lines.fault is not None:
            raise lines.fault

    def text(self, *, encoding: str = "utf-8", errors: str = "replace") -> str:
        """Read to the end and return everything as text, the channels as they came.

        Raises TooLarge if that is more than the option ``limit``.
        """
        gathered = Gathered(is_apart=False)
        self.gather(gathered)
        return gathered.output().stdout.decode(encoding, errors)

    def collect(self) -> Output:
        """Read to the end and return stdout and stderr apart; TooLarge as `text`."""
        gathered = Gathered()
        self.gather(gathered)
        return gathered.output()

    def gather(self, gathered: Gathered) -> None:
        """Read to the end as `collect` does; what came until an error is in ``gathered``."""
        with self, self._within_limit():
            for pieces in self._pieces():
                gathered.add(pieces, self._origin.limit)

    def copy_to(self, stdout: BinaryIO, stderr: BinaryIO | None = None) -> None:
        """Read to the end and write each channel to its file, as it comes.

        Without ``stderr``, both go to ``stdout``. Not even a whole frame is held in memory.
        """
        with self:
            for pieces in self._pieces():
                for channel, data in pieces.runs():
                    target = stderr if channel == "stderr" and stderr is not None else stdout
                    target.write(data)

    def _pieces(self) -> Iterator[Pieces]:
        """Yield what iterating left, and then what comes at a time."""
        yield Pieces.of([*self._ready])
        while (pieces := self._next(self._feed_pieces)) is not None:
            # The end completes nothing, as no decoder holds output back.
            if pieces:
                yield pieces

    def _whole_frames(self) -> Iterator[Pieces]:
        """Yield the frames that iterating left, and then those that come at a time."""
        yield Pieces.of([*self._ready])
        while (frames := self._next(self._decoder.feed)) is not None:
            yield Pieces.of(frames)
