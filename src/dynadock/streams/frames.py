"""What containers write: frames, and the helpers that make lines, text and output of them."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.call.frames import ConsoleDecoder, EngineFault, Frame, FrameDecoder
from dynadock.call.lines import LineAssembler
from dynadock.errors import TransportError
from dynadock.streams.stream import DecodedStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from dynadock.call.lines import Line
    from dynadock.streams.stream import Origin, Source

    Decode = Callable[[bytes], list[Any]]

Piece = tuple[str, bytes]
"""Bytes of one channel: a frame, a part of one, or several in a row."""


class Output(NamedTuple):
    """All that a container wrote, stderr apart from the rest.

    A terminal has one output only, which is given as ``stdout``; so is an echo of the input.
    """

    stdout: bytes
    stderr: bytes


class FrameStream(DecodedStream[Frame]):
    """An iterator of `Frame`: ``frame.channel`` and ``frame.data`` (bytes), in the engine's order.

    Channels are ``stdout`` and ``stderr`` (``stdin`` in some logs), or ``console`` for the output
    of a terminal, which is one and has no frames: there a frame is whatever came at a time. The
    helpers take what iterating has left.
    """

    def __init__(self, source: Source, origin: Origin, *, is_terminal: bool) -> None:
        decoder = ConsoleDecoder() if is_terminal else FrameDecoder()
        super().__init__(source, origin, decoder)
        self.is_terminal = is_terminal
        self._feed_pieces: Decode = decoder.feed_pieces
        self._feed_runs: Decode = decoder.feed_runs

    def lines(
        self, *, encoding: str = "utf-8", errors: str = "replace", timestamps: bool = False
    ) -> Iterator[Line]:
        """Iterate over `Line`: ``channel``, ``text`` without its line break, and ``timestamp``.

        A line comes when it is whole; the channels' lines do not mix. To go on after a break, keep
        the iterator: it holds what has come and was not given. ``timestamps=True`` takes the
        time in front of each line apart, which the logs operations write if asked to by their own
        ``timestamps``; ``line.time`` is it as a datetime. ``encoding`` and ``errors`` are those of
        `bytes.decode`.
        """
        lines = LineAssembler(encoding, errors, timestamps=timestamps)
        return chain.from_iterable(self._line_groups(lines, timestamps=timestamps))

    def _line_groups(self, lines: LineAssembler, *, timestamps: bool) -> Iterator[list[Line]]:
        # A time stands in front of each frame, which has to be whole then.
        try:
            for pieces in self._groups(self._decoder.feed if timestamps else self._feed_pieces):
                yield lines.feed(pieces)
        except TransportError:
            # What came of the last line is given before the error.
            yield lines.finish()
            raise
        yield lines.finish()

    def text(self, *, encoding: str = "utf-8", errors: str = "replace") -> str:
        """Read to the end and return everything as text, the channels as they came."""
        blocks: list[bytes] = []
        with self:
            # Joined at once: many small pieces would take much more memory, and time for it.
            groups = self._groups(self._feed_pieces)
            blocks += (b"".join([data for _, data in pieces]) for pieces in groups)
        return b"".join(blocks).decode(encoding, errors)

    def collect(self) -> Output:
        """Read to the end and return stdout and stderr apart."""
        stdout: list[bytes] = []
        stderr: list[bytes] = []
        with self:
            for pieces in self._groups(self._feed_pieces):
                stdout.append(b"".join([data for name, data in pieces if name != "stderr"]))
                stderr.append(b"".join([data for name, data in pieces if name == "stderr"]))
        return Output(b"".join(stdout), b"".join(stderr))

    def copy_to(self, stdout: BinaryIO, stderr: BinaryIO | None = None) -> None:
        """Read to the end and write each channel to its file, as it comes.

        Without ``stderr`` both go to ``stdout``. Not even a whole frame is held in memory.
        """
        with self:
            for runs in self._groups(self._feed_runs):
                for channel, data in runs:
                    target = stderr if channel == "stderr" and stderr is not None else stdout
                    target.write(data)

    def _groups(self, decode: Decode) -> Iterator[list[Piece]]:
        """Yield what comes at a time, as ``decode`` gives it, and before it what iterating left."""
        yield [*self._ready]
        while (pieces := self._next(decode)) is not None:
            yield pieces

    def _placed(self, fault: Exception) -> Exception:
        if isinstance(fault, EngineFault):
            return self._stream_error(str(fault), fault.payload)
        return super()._placed(fault)
