r"""Output of containers in frames, as it comes without a TTY, decoded and encoded without any I/O.

The input. A frame is a header of eight bytes and a payload (the Engine API's documents describe
this stream format at ContainerAttach). The output of a terminal (TTY) comes without frames::

    01  00 00 00  00 00 00 06   h  e  l  l  o \n
    ^   ^         ^             ^
    |   padding   size of the   payload: so many bytes of output
    |             payload, big-endian
    channel: 0 stdin, 1 stdout, 2 stderr, or 3: the payload is an error message of the engine

These bytes come in blocks that are cut anywhere, and a log has a frame for each line that was
written, so that there may be hundreds of thousands of short ones.

Why there is no plain loop. ``struct.unpack_from``, two comparisons, a slice and a call of `Frame`
for each frame of 100 bytes take about twice as long as `FrameDecoder.feed`, and four times as long
as `FrameDecoder.feed_pieces`.

The fast path. Programs write the same lengths again and again, so a dict gives channel and size for
the header's bytes as they are, and a frame is two reads: of the header, and of the payload. The
dict learns a header only if it is valid. `FrameDecoder.feed_pieces` does not even make frames, but
a list of channels and a list of payloads.

Leaving it. For any other bytes the dict gives -1 as the size, which makes ``read()`` take all that
is left, so that the loop ends by itself without a test for each frame; in the channel's place it
gives "?" and those bytes, as latin-1 text. They are therefore the loop's last item, and
`FrameDecoder._note_where_it_ended` decides what they are: an incomplete header, an error of the
engine, a line feed that Podman put between frames, or no frame at all.

Large frames. Where a block begins in the payload of one frame and ends in that of the next, the
payload's parts are joined directly (`FrameDecoder._take_large`), which copies them only once.

Between two blocks the decoder is in one of these states:

- in a header: ``_header`` is its beginning, ``_remaining`` is 0;
- in a payload: ``_remaining`` of its ``_size`` bytes are still to come, ``_parts`` are those that
  came and were not returned yet, and ``_header`` is empty;
- between frames: all three are empty.
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
"""Names of the channels, by the number that a header begins with."""

_PADDING = b"\0\0\0"
_ERROR_HEADER_BEGINS = b"\3\0\0\0"
_ERROR = "error"  # in the place of a channel while an error message is read

_NOT_A_FRAME = -1
"""The size that a lookup gives for bytes that are no header of output (see above)."""

_NOT_A_CHANNEL = "?"
"""What the channel begins with then: a terminal may print the word stdout."""

_LARGEST_CACHE = 4096
"""Entries; a full dict is emptied."""


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
    """Channels and sizes by header.

    Any other bytes have the size `_NOT_A_FRAME`; `_NOT_A_CHANNEL` and the bytes are their channel.
    """

    def __missing__(self, header: bytes) -> tuple[str, int]:
        if len(header) < HEADER_SIZE or header[1:4] != _PADDING or header[0] >= len(CHANNELS):
            return (_NOT_A_CHANNEL + header.decode("latin-1"), _NOT_A_FRAME)
        if len(self) >= _LARGEST_CACHE:
            self.clear()
        found = self[header] = (CHANNELS[header[0]], int.from_bytes(header[4:], "big"))
        return found


_HEADERS = _Headers()
_channel_and_size = _HEADERS.__getitem__


class FrameDecoder:
    """Decodes frames out of bytes that are cut anywhere.

    ``fault`` is set where the bytes are no frames (MalformedStream) or where the engine reports an
    error (`EngineFault`); what came before it is returned first.
    """

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self._header = b""  # the beginning of an incomplete header
        self._channel = ""  # of the last frame that began
        self._size = 0  # of its payload
        self._remaining = 0  # bytes of its payload that are still to come
        self._parts: list[bytes | memoryview] = []  # of its payload, as far as not returned yet
        self._after_line_feed: bytes | None = None  # bytes to decode: see _has_stray_line_feed

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes; return the frames that are whole, empty ones too.

        After `feed_pieces` has returned the first part of a frame, its other part is a frame here.
        """
        frames: list[Frame] = []
        self._feed(data, frames)
        while self._after_line_feed is not None:
            data, self._after_line_feed = self._after_line_feed, None
            frames.append(Frame(self._channel, b"\n"))
            self._feed(data, frames)
        return frames

    def _feed(self, data: bytes, frames: list[Frame]) -> None:
        if self._remaining and (large := self._take_large(data)):
            frames.append(large)
            return
        stream = self._resume(data)
        if self._parts and not self._remaining:
            frames.append(Frame(self._channel, self._payload()))
        if stream is not None:
            read = stream.read
            # Frame's own constructor is a function in Python, which would take most of the time.
            new = tuple.__new__
            frames += [
                new(Frame, (channel, read(size)))
                for channel, size in map(_channel_and_size, iter(partial(read, HEADER_SIZE), b""))
            ]
            # The last item may be no frame, but a line feed of the frame before it.
            if len(frames) > 1:
                self._channel = frames[-2].channel
            if not self._note_where_it_ended(*frames[-1], stream):
                frames.pop()
            elif self._remaining:
                self._parts.append(frames.pop().data)

    def _take_large(self, data: bytes) -> Frame | None:
        """Return the current frame if ``data`` ends in the payload of the very next frame.

        Else return None and change nothing. Large payloads are copied only once here.
        """
        start = self._remaining + HEADER_SIZE
        channel, size = _channel_and_size(data[self._remaining : start])
        received = len(data) - start
        if not 0 <= received < size or self._channel == _ERROR:
            return None
        view = memoryview(data)
        frame = Frame(self._channel, b"".join((*self._parts, view[: self._remaining])))
        self._parts = [view[start:]]
        self._channel = channel
        self._size = size
        self._remaining = size - received
        return frame

    def feed_pieces(self, data: bytes) -> Pieces:
        """Take bytes; return the output in them, faster than `feed` does.

        Frames are not kept until they are whole: the part of one that has come is returned at once.
        """
        pieces = Pieces([], [])
        self._feed_pieces(data, *pieces)
        while self._after_line_feed is not None:
            data, self._after_line_feed = self._after_line_feed, None
            pieces.channels.append(self._channel)
            pieces.blocks.append(b"\n")
            self._feed_pieces(data, *pieces)
        return pieces

    def _feed_pieces(self, data: bytes, channels: list[str], blocks: list[bytes]) -> None:
        stream = self._resume(data)
        if self._parts and self._channel != _ERROR:
            channels.append(self._channel)
            blocks.append(self._payload())
        if stream is not None:
            read = stream.read
            add_channel, add_block = channels.append, blocks.append
            for channel, size in map(_channel_and_size, iter(partial(read, HEADER_SIZE), b"")):
                add_channel(channel)
                add_block(read(size))
            # As in _feed: the last item may be no frame.
            if len(channels) > 1:
                self._channel = channels[-2]
            if not self._note_where_it_ended(channels[-1], blocks[-1], stream):
                channels.pop()
                blocks.pop()

    def finish(self) -> None:
        """Take note of the end of the stream; raises TruncatedStream inside a frame."""
        if self._header:
            received, size, where = len(self._header), HEADER_SIZE, "the header of a frame"
        elif self._remaining:
            received, size, where = self._size - self._remaining, self._size, "the data of a frame"
        else:
            return
        raise TruncatedStream(f"the stream ended inside {where}, after {received} of {size} bytes")

    def _resume(self, data: bytes) -> BytesIO | None:
        """Add ``data`` to the header or payload that was begun before it.

        Return a stream whose position is at the next header, None if no byte is left for one.
        """
        if self.fault is not None:
            return None
        if self._header:
            data = self._header + data
            self._header = b""
        stream = BytesIO(data)
        if self._remaining:
            part = stream.read(self._remaining)
            self._parts.append(part)
            self._remaining -= len(part)
            if self._channel == _ERROR:
                self._end_error()
        return stream if stream.tell() < len(data) and self.fault is None else None

    def _note_where_it_ended(self, channel: str, payload: bytes, stream: BytesIO) -> bool:
        """Set the state by the last item that was read; tell whether that item is output."""
        if channel in CHANNELS:
            start = stream.tell() - len(payload)
            self._channel = channel
            self._size = _channel_and_size(stream.getvalue()[start - HEADER_SIZE : start])[1]
            self._remaining = self._size - len(payload)
            return True
        header = channel.removeprefix(_NOT_A_CHANNEL).encode("latin-1")
        if self._channel and _has_stray_line_feed(header):
            self._after_line_feed = header[1:] + payload
        elif len(header) < HEADER_SIZE:
            self._header = header
        elif header.startswith(_ERROR_HEADER_BEGINS):
            self._channel = _ERROR
            self._size = int.from_bytes(header[4:], "big")
            self._parts.append(payload[: self._size])
            self._remaining = max(0, self._size - len(payload))
            self._end_error()
        else:
            self.fault = MalformedStream(
                f"no frame begins with {header!r}; this is probably the output of a terminal (TTY),"
                " which has no frames: with_options(tty=True) reads it so"
            )
        return False

    def _end_error(self) -> None:
        if not self._remaining:
            self.fault = EngineFault(self._payload())

    def _payload(self) -> bytes:
        payload = b"".join(self._parts)
        self._parts.clear()
        return payload


def _has_stray_line_feed(header: bytes) -> bool:
    """Tell whether these bytes are a line feed and then a header, or the beginning of one.

    Podman 4.3, attaching with logs, writes sizes that do not count the line feed which ends the
    payload (seen): it then lies between two frames, and belongs to the first.
    """
    could_be_header = header[1:2] <= bytes([len(CHANNELS)]) and _PADDING.startswith(header[2:5])
    return header[:1] == b"\n" and could_be_header


class ConsoleDecoder:
    """Returns a terminal's output, which has no frames, as frames of the channel console."""

    def __init__(self) -> None:
        self.fault: Exception | None = None

    def feed(self, data: bytes) -> list[Frame]:
        """Return ``data`` as one frame; no bytes are no frame."""
        return [Frame("console", data)] if data else []

    def feed_pieces(self, data: bytes) -> Pieces:
        """Return ``data`` as one piece."""
        return Pieces.of(self.feed(data))

    def finish(self) -> None:
        """Do nothing: output without frames may end anywhere."""


def encode_frame(channel: str, data: bytes) -> bytes:
    """Return a frame as the engine sends it; ``channel`` is stdin, stdout or stderr."""
    return bytes((CHANNELS.index(channel), 0, 0, 0)) + len(data).to_bytes(4, "big") + data
