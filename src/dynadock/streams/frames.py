"""What containers write: frames, and the helpers that make lines, text and output of them."""

from __future__ import annotations

from itertools import chain, compress
from operator import not_
from typing import TYPE_CHECKING, NamedTuple

from dynadock.errors import TransportError
from dynadock.streams.flow import DecodedFlow
from dynadock.streams.stream import DecodedStream
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


class Apart:
    """Collects output, with stderr separate."""

    def __init__(self) -> None:
        self._stdout: list[bytes] = []
        self._stderr: list[bytes] = []

    def add(self, pieces: Pieces) -> None:
        """Take output as it came."""
        channels, blocks = pieces
        are_errors = [channel == "stderr" for channel in channels]
        # Joined at once: many small pieces would take much more memory, and time for it.
        self._stderr.append(b"".join(compress(blocks, are_errors)))
        self._stdout.append(b"".join(compress(blocks, map(not_, are_errors))))

    def output(self) -> Output:
        """Return all that was taken."""
        return Output(b"".join(self._stdout), b"".join(self._stderr))


class FrameStream(FrameFlow, DecodedStream[Frame]):
    """An iterator of `Frame`: ``frame.channel`` and ``frame.data`` (bytes), in the engine's order.

    Channels are ``stdout`` and ``stderr`` (``stdin`` in some logs), or ``console`` for a terminal.
    A terminal's output has no frames, so a frame is whatever came at a time. The helper methods
    take what iterating has left.
    """

    def __init__(self, source: Source, origin: Origin, *, is_terminal: bool) -> None:
        super().__init__(source, origin, is_terminal=is_terminal)

    def lines(
        self, *, encoding: str = "utf-8", errors: str = "replace", timestamps: bool = False
    ) -> Iterator[Line]:
        """Iterate over `Line`: ``channel``, ``text`` without its line break, and ``timestamp``.

        A line is returned when it is complete; lines of different channels do not mix. To go on
        after a ``break``, keep the iterator: it holds what was received but not returned yet.
        ``timestamps=True`` splits off the time in front of each line, which the engine writes if
        the logs operation was called with ``timestamps=True``; ``line.time`` is that time as a
        datetime. ``encoding`` and ``errors`` are those of `bytes.decode`.
        """
        lines = LineAssembler(encoding, errors, timestamps=timestamps)
        return chain.from_iterable(self._line_groups(lines, timestamps=timestamps))

    def _line_groups(self, lines: LineAssembler, *, timestamps: bool) -> Iterator[Iterable[Line]]:
        # Each frame begins with a time, so frames have to be complete here.
        try:
            for pieces in self._whole_frames() if timestamps else self._pieces():
                yield lines.feed(pieces)
        except TransportError:
            # The part of the last line that came is returned before the error.
            yield lines.finish()
            raise
        yield lines.finish()

    def text(self, *, encoding: str = "utf-8", errors: str = "replace") -> str:
        """Read to the end and return everything as text, all channels in the order they came."""
        blocks: list[bytes] = []
        with self:
            # Joined at once: many small pieces would take much more memory, and time for it.
            blocks += (b"".join(pieces.blocks) for pieces in self._pieces())
        return b"".join(blocks).decode(encoding, errors)

    def collect(self) -> Output:
        """Read to the end and return stdout and stderr separately."""
        apart = Apart()
        with self:
            for pieces in self._pieces():
                apart.add(pieces)
        return apart.output()

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
