"""What containers write: frames, and the helpers that make lines, text and output of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.call.frames import ConsoleDecoder, EngineFault, Frame, FrameDecoder
from dynadock.call.lines import LineAssembler
from dynadock.streams.stream import DecodedStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from dynadock.call.lines import Line
    from dynadock.streams.stream import Origin, Source

Run = tuple[str, bytes]
"""Bytes of one channel, of one frame or of several in a row."""


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
        self._feed_runs: Callable[[bytes], list[Any]] = decoder.feed_runs

    def lines(
        self, *, encoding: str = "utf-8", errors: str = "replace", timestamps: bool = False
    ) -> Iterator[Line]:
        """Yield `Line`: ``channel``, ``text`` without its line break, and ``timestamp``.

        A line comes when it is whole; the channels' lines do not mix. ``timestamps=True`` takes the
        time in front of each line apart, which the logs operations write if asked to by their own
        ``timestamps``; ``line.time`` is it as a datetime. ``encoding`` and ``errors`` are those of
        `bytes.decode`.
        """
        lines = LineAssembler(encoding, errors, timestamps=timestamps)
        # A time stands in front of each frame, so that frames must not be joined then.
        for runs in self._groups(joined=not timestamps):
            yield from lines.feed(runs)
        yield from lines.finish()

    def text(self, *, encoding: str = "utf-8", errors: str = "replace") -> str:
        """Read to the end and return everything as text, the channels as they came."""
        with self:
            blocks = [data for runs in self._groups() for _, data in runs]
        return b"".join(blocks).decode(encoding, errors)

    def collect(self) -> Output:
        """Read to the end and return stdout and stderr apart."""
        stdout: list[bytes] = []
        stderr: list[bytes] = []
        with self:
            for runs in self._groups():
                for channel, data in runs:
                    (stderr if channel == "stderr" else stdout).append(data)
        return Output(b"".join(stdout), b"".join(stderr))

    def copy_to(self, stdout: BinaryIO, stderr: BinaryIO | None = None) -> None:
        """Read to the end and write each channel to its file, as it comes.

        Without ``stderr`` both go to ``stdout``. Not even a whole frame is held in memory.
        """
        with self:
            for runs in self._groups():
                for channel, data in runs:
                    target = stderr if channel == "stderr" and stderr is not None else stdout
                    target.write(data)

    def _groups(self, *, joined: bool = True) -> Iterator[list[Run]]:
        """Yield what comes at a time, as frames or with those of one channel joined."""
        yield [*self._ready]
        decode: Callable[[bytes], list[Any]] = self._feed_runs if joined else self._decoder.feed
        while (runs := self._next(decode)) is not None:
            yield runs

    def _placed(self, fault: Exception) -> Exception:
        if isinstance(fault, EngineFault):
            return self._stream_error(str(fault), fault)
        return super()._placed(fault)
