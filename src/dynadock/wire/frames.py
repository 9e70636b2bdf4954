"""The engine's framing of a container's streams, without any input or output of its own.

A frame is a header of eight bytes (which stream, three zero bytes, the payload's length as a
big-endian number) and its payload. A terminal's (TTY's) output comes without frames.
"""

from __future__ import annotations

from functools import partial
from io import BytesIO
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from dynadock.errors import MalformedStream, TruncatedStream

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER_SIZE = 8

CHANNELS = ("stdin", "stdout", "stderr")
"""By the number that a header begins with."""

_PADDING = b"\0\0\0"
_FAULT_BEGINS = b"\3\0\0\0"
_FAULT = "fault"
_MOST_HEADERS = 4096


class Frame(NamedTuple):
    """One piece of output: ``channel`` is stdin, stdout, stderr, or console for a terminal's."""

    channel: str
    data: bytes


class Pieces(NamedTuple):
    """Output in order: the channel of each block of data, whose frames may be cut or joined.

    Two lists, since these are made and read faster than one of pairs (bench/).
    """

    channels: list[str]
    blocks: list[bytes]

    @classmethod
    def of(cls, pairs: Sequence[tuple[str, bytes]]) -> Pieces:
        """Return pairs of a channel and its data, as `Frame` is one."""
        return cls([channel for channel, _ in pairs], [data for _, data in pairs])

    def runs(self) -> list[tuple[str, bytes]]:
        """Return channels and their data in order, neighbours joined, none empty."""
        groups = groupby(zip(self.channels, self.blocks, strict=True), itemgetter(0))
        runs = [(channel, b"".join([data for _, data in group])) for channel, group in groups]
        return [run for run in runs if run[1]]


class EngineFault(Exception):
    """The engine reports inside the stream that it failed (a frame of type 3)."""

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self.message = payload.decode("utf-8", "replace").strip()
        super().__init__(self.message)


class _Headers(dict[bytes, tuple[str, int]]):
    """Channels and lengths by header: looking a header up is much faster than unpacking it.

    What is no ordinary header stands for itself, as latin-1, and for all that follows.
    """

    def __missing__(self, header: bytes) -> tuple[str, int]:
        if len(header) < HEADER_SIZE or header[1:4] != _PADDING or header[0] >= len(CHANNELS):
            return (header.decode("latin-1"), -1)
        if len(self) >= _MOST_HEADERS:
            self.clear()
        meaning = self[header] = (CHANNELS[header[0]], int.from_bytes(header[4:], "big"))
        return meaning


_HEADERS = _Headers()
_meaning = _HEADERS.__getitem__


class FrameDecoder:
    """Cuts frames out of bytes as they come.

    ``fault`` is set where the bytes are no frames (MalformedStream) or where the engine reports an
    error (`EngineFault`); what came before it is given first.
    """

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self._header = b""  # what has come of a header
        self._channel = ""  # of the last frame that began
        self._size = 0  # of its payload
        self._missing = 0  # bytes of its payload still to come
        self._parts: list[bytes | memoryview] = []  # what has come of its payload and was not given
        self._behind_line_feed: bytes | None = None  # see _is_left_out

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes; return the frames that are whole, empty ones too.

        After `feed_pieces` has given the first part of a frame, the rest of it comes as a frame.
        """
        frames: list[Frame] = []
        self._feed(data, frames)
        while self._behind_line_feed is not None:
            behind, self._behind_line_feed = self._behind_line_feed, None
            frames.append(Frame(self._channel, b"\n"))
            self._feed(behind, frames)
        return frames

    def _feed(self, data: bytes, frames: list[Frame]) -> None:
        if self._missing and (large := self._take_large(data)):
            frames.append(large)
            return
        stream = self._resume(data)
        if self._parts and not self._missing:
            frames.append(Frame(self._channel, self._payload()))
        if stream is not None:
            read = stream.read
            # Frame's own constructor is a function in Python, which would take most of the time.
            new = tuple.__new__
            frames += [
                new(Frame, (channel, read(size)))
                for channel, size in map(_meaning, iter(partial(read, HEADER_SIZE), b""))
            ]
            if len(frames) > 1:
                self._channel = frames[-2].channel
            if not self._note_end(*frames[-1], stream):
                frames.pop()
            elif self._missing:
                self._parts.append(frames.pop().data)

    def _take_large(self, data: bytes) -> Frame | None:
        """Return the frame at hand if ``data`` goes from it into the next one and no further.

        So large frames come, which are copied only once here.
        """
        behind = self._missing + HEADER_SIZE
        channel, size = _meaning(data[self._missing : behind])
        came = len(data) - behind
        if not 0 <= came < size or self._channel == _FAULT:
            return None
        view = memoryview(data)
        frame = Frame(self._channel, b"".join((*self._parts, view[: self._missing])))
        self._parts = [view[behind:]]
        self._channel = channel
        self._size = size
        self._missing = size - came
        return frame

    def feed_pieces(self, data: bytes) -> Pieces:
        """Take bytes; return what is output among them.

        For those who need no frames: of one that is not whole, what there is comes at once.
        """
        pieces = Pieces([], [])
        self._feed_pieces(data, *pieces)
        while self._behind_line_feed is not None:
            behind, self._behind_line_feed = self._behind_line_feed, None
            pieces.channels.append(self._channel)
            pieces.blocks.append(b"\n")
            self._feed_pieces(behind, *pieces)
        return pieces

    def _feed_pieces(self, data: bytes, channels: list[str], blocks: list[bytes]) -> None:
        stream = self._resume(data)
        if self._parts and self._channel != _FAULT:
            channels.append(self._channel)
            blocks.append(self._payload())
        if stream is not None:
            read = stream.read
            note, keep = channels.append, blocks.append
            for channel, size in map(_meaning, iter(partial(read, HEADER_SIZE), b"")):
                note(channel)
                keep(read(size))
            if len(channels) > 1:
                self._channel = channels[-2]
            if not self._note_end(channels[-1], blocks[-1], stream):
                channels.pop()
                blocks.pop()

    def finish(self) -> None:
        """Take note of the end of the stream; raises TruncatedStream inside a frame."""
        if self._header:
            came, size, where = len(self._header), HEADER_SIZE, "the header of a frame"
        elif self._missing:
            came, size, where = self._size - self._missing, self._size, "the data of a frame"
        else:
            return
        raise TruncatedStream(f"the stream ended inside {where}, after {came} of {size} bytes")

    def _resume(self, data: bytes) -> BytesIO | None:
        """Give ``data`` to what was begun before it; return what begins with a header, if any."""
        if self.fault is not None:
            return None
        if self._header:
            data = self._header + data
            self._header = b""
        stream = BytesIO(data)
        if self._missing:
            part = stream.read(self._missing)
            self._parts.append(part)
            self._missing -= len(part)
            if self._channel == _FAULT:
                self._end_fault()
        return stream if stream.tell() < len(data) and self.fault is None else None

    def _note_end(self, channel: str, payload: bytes, stream: BytesIO) -> bool:
        """Note what the bytes ended in, by what was read last; tell whether that is output."""
        if channel in CHANNELS:
            start = stream.tell() - len(payload)
            self._channel = channel
            self._size = _meaning(stream.getvalue()[start - HEADER_SIZE : start])[1]
            self._missing = self._size - len(payload)
            return True
        header = channel.encode("latin-1")
        if self._channel and _is_left_out(header):
            self._behind_line_feed = header[1:] + payload
        elif len(header) < HEADER_SIZE:
            self._header = header
        elif header.startswith(_FAULT_BEGINS):
            self._channel = _FAULT
            self._size = int.from_bytes(header[4:], "big")
            self._parts.append(payload[: self._size])
            self._missing = max(0, self._size - len(payload))
            self._end_fault()
        else:
            self.fault = MalformedStream(
                f"no frame begins with {header!r}; this is probably the output of a terminal (TTY),"
                " which has no frames: with_options(tty=True) reads it so"
            )
        return False

    def _end_fault(self) -> None:
        if not self._missing:
            self.fault = EngineFault(self._payload())

    def _payload(self) -> bytes:
        payload = b"".join(self._parts)
        self._parts.clear()
        return payload


def _is_left_out(header: bytes) -> bool:
    """Tell whether a line feed stands before a header, or what there is of one.

    Podman 4.3 counts its lines without their ends when it attaches with logs (seen), so that these
    stand between the frames.
    """
    plausible = header[1:2] <= bytes([len(CHANNELS)]) and _PADDING.startswith(header[2:5])
    return header[:1] == b"\n" and plausible


class ConsoleDecoder:
    """Gives a terminal's output, which has no frames, as frames of the channel console."""

    def __init__(self) -> None:
        self.fault: Exception | None = None

    def feed(self, data: bytes) -> list[Frame]:
        """Return ``data`` as one frame; no bytes are no frame."""
        return [Frame("console", data)] if data else []

    def feed_pieces(self, data: bytes) -> Pieces:
        """Return ``data`` as one piece."""
        return Pieces.of(self.feed(data))

    def finish(self) -> None:
        """Take note of the end; there is nothing that it could cut."""


def encode_frame(channel: str, data: bytes) -> bytes:
    """Return a frame as the engine sends it; ``channel`` is stdin, stdout or stderr."""
    return bytes((CHANNELS.index(channel), 0, 0, 0)) + len(data).to_bytes(4, "big") + data
