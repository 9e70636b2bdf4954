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
`FrameDecoder._note_where_it_ended` decides what they are: an incomplete header, a frame that comes
in pieces, an error of the engine, a line feed that Podman put between frames, or no frame at all.
Of these it takes no more than is needed for that; what is left of the block (``_unread`` bytes) is
fed again, in short blocks, since the way out of the loop copies the rest of a block.

Frames over two blocks. Where a block begins in the payload of one frame and ends in that of the
next, the payload's parts are joined directly (`FrameDecoder._take_over_two`), which copies them
only once.

Frames that are larger than `LARGEST_PIECE`, which engines have no reason to send, are given in
pieces of that size and a last one, so that no size in a header asks for memory. Where they are cut
follows from the frame alone: the same bytes are the same items in whatever blocks they come.

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
    from collections.abc import Iterator, Sequence

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

LARGEST_PIECE = 1024 * 1024
"""Bytes of a frame that are held until it is whole; engines send 32 KiB at the most."""

LONGEST_MESSAGE = 64 * 1024
"""Bytes of an engine's error message; the rest of a longer one is not waited for."""

_AFTER_LEAVING = 4096
"""Bytes of a block that are fed at a time once the fast path was left in it."""

_MOST_PARTS = 2
"""Parts of a payload that are kept as they came: mostly there are no more."""

_LINE_FEED = b"\n"

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
    """The engine reports inside the stream that it failed (a frame of type 3).

    ``payload`` is the frame's, at most `LONGEST_MESSAGE` bytes of it.
    """

    def __init__(self, payload: bytes) -> None:
        self.payload = payload[:LONGEST_MESSAGE]
        self.message = self.payload.decode("utf-8", "replace").strip()
        if len(payload) > LONGEST_MESSAGE:
            self.message += "…"
        super().__init__(self.message)


class _Headers(dict[bytes, tuple[str, int]]):
    """Channels and sizes by the headers of frames that come whole.

    Any other bytes have the size `_NOT_A_FRAME`; `_NOT_A_CHANNEL` and the bytes are their channel.
    """

    def __missing__(self, header: bytes) -> tuple[str, int]:
        size = _size(header)
        if not _is_of_output(header) or size > LARGEST_PIECE:
            return (_NOT_A_CHANNEL + header.decode("latin-1"), _NOT_A_FRAME)
        if len(self) >= _LARGEST_CACHE:
            self.clear()
        found = self[header] = (CHANNELS[header[0]], size)
        return found


def _is_of_output(header: bytes) -> bool:
    return len(header) == HEADER_SIZE and header[1:4] == _PADDING and header[0] < len(CHANNELS)


def _size(header: bytes) -> int:
    return int.from_bytes(header[4:], "big")


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
        self._parts: list[bytes | bytearray | memoryview] = []  # of its payload, not returned yet
        self._held = 0  # bytes of these parts
        self._unread = 0  # bytes at the end of the last block that are to be fed again

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes; return the frames that are whole, empty ones too.

        One that is larger than `LARGEST_PIECE` is several here: so many bytes each, and the rest.
        After `feed_pieces` has returned the first part of a frame, its other part is a frame here.
        """
        frames: list[Frame] = []
        self._feed(data, frames)
        for block in self._unread_of(data) if self._unread else ():
            self._feed(block, frames)
        return frames

    def _unread_of(self, data: bytes) -> Iterator[bytes]:
        """Yield what was not read of ``data`` in short blocks; each may be read in part."""
        position = len(data) - self._unread
        while position < len(data) and self.fault is None:
            self._unread = 0
            block = data[position : position + _AFTER_LEAVING]
            yield block
            position += len(block) - self._unread
        self._unread = 0

    def _feed(self, data: bytes, frames: list[Frame]) -> None:
        if self._remaining and (frame := self._take_over_two(data)):
            frames.append(frame)
            return
        stream = self._resume(data)
        if self._parts and self._channel != _ERROR:
            if self._remaining or self._held > LARGEST_PIECE:
                frames += [Frame(self._channel, piece) for piece in self._whole_pieces()]
            else:
                frames.append(Frame(self._channel, self._payload()))
        if stream is not None:
            read = stream.read
            # Frame's own constructor is a function in Python, which would take most of the time.
            new = tuple.__new__
            before = len(frames)
            frames += [
                new(Frame, (channel, read(size)))
                for channel, size in map(_channel_and_size, iter(partial(read, HEADER_SIZE), b""))
            ]
            last = frames.pop()
            if len(frames) > before:
                self._channel = frames[-1].channel
            item = self._note_where_it_ended(*last, stream)
            if item is not None and self._remaining:
                self._hold(item.data)
            elif item is not None:
                frames.append(item)

    def _take_over_two(self, data: bytes) -> Frame | None:
        """Return the current frame if ``data`` ends in the payload of the very next frame.

        Else return None and change nothing. Large payloads are copied only once here.
        """
        start = self._remaining + HEADER_SIZE
        channel, size = _channel_and_size(data[self._remaining : start])
        received = len(data) - start
        if not 0 <= received < size or self._channel == _ERROR or self._size > LARGEST_PIECE:
            return None
        view = memoryview(data)
        frame = Frame(self._channel, b"".join((*self._parts, view[: self._remaining])))
        self._parts = [view[start:]]
        self._held = received
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
        for block in self._unread_of(data) if self._unread else ():
            self._feed_pieces(block, *pieces)
        return pieces

    def _feed_pieces(self, data: bytes, channels: list[str], blocks: list[bytes]) -> None:
        stream = self._resume(data)
        if self._parts and self._channel != _ERROR:
            channels.append(self._channel)
            blocks.append(self._payload())
        if stream is not None:
            read = stream.read
            add_channel, add_block = channels.append, blocks.append
            before = len(channels)
            for channel, size in map(_channel_and_size, iter(partial(read, HEADER_SIZE), b"")):
                add_channel(channel)
                add_block(read(size))
            # As in _feed: the last item may be no frame.
            last = channels.pop(), blocks.pop()
            if len(channels) > before:
                self._channel = channels[-1]
            item = self._note_where_it_ended(*last, stream)
            if item is not None:
                add_channel(item.channel)
                add_block(item.data)

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
            self._remaining -= len(part)
            self._hold(part)
            if self._channel == _ERROR:
                self._end_error()
        return stream if stream.tell() < len(data) and self.fault is None else None

    def _note_where_it_ended(self, channel: str, payload: bytes, stream: BytesIO) -> Frame | None:
        """Set the state by the last item that was read; return the output in it, if it is some."""
        if channel in CHANNELS:
            start = stream.tell() - len(payload)
            self._channel = channel
            self._size = _size(stream.getvalue()[start - HEADER_SIZE : start])
            self._remaining = self._size - len(payload)
            return Frame(channel, payload)
        header = channel.removeprefix(_NOT_A_CHANNEL).encode("latin-1")
        if self._channel and header.startswith(_LINE_FEED):
            return self._stray_line_feed(len(header) + len(payload))
        if len(header) < HEADER_SIZE:
            self._header = header
        elif _is_of_output(header):
            self._begin(CHANNELS[header[0]], header, payload)
        elif header.startswith(_ERROR_HEADER_BEGINS):
            self._begin(_ERROR, header, payload)
            self._end_error()
        else:
            self.fault = MalformedStream(
                f"no frame begins with {header!r}; this is probably the output of a terminal (TTY),"
                " which has no frames: with_options(tty=True) reads it so"
            )
        return None

    def _begin(self, channel: str, header: bytes, payload: bytes) -> None:
        """Begin a payload that is not taken at once."""
        self._channel = channel
        self._size = self._remaining = _size(header)
        self._unread = len(payload)

    def _stray_line_feed(self, size: int) -> Frame:
        """Take a line feed that stands between two frames, in ``size`` bytes, for the first's end.

        Podman 4.3, attaching with logs, writes sizes that do not count the line feed which ends the
        payload (seen). No header begins with one, and there is one at most behind a frame.
        """
        frame = Frame(self._channel, _LINE_FEED)
        self._channel = ""
        self._unread = size - len(_LINE_FEED)
        return frame

    def _end_error(self) -> None:
        if not self._remaining or self._held > LONGEST_MESSAGE:
            self._remaining = 0
            self.fault = EngineFault(self._payload())

    def _hold(self, part: bytes) -> None:
        """Keep a part of the payload; a payload in many short parts is not kept as these."""
        if not part:
            return
        self._held += len(part)
        if len(self._parts) < _MOST_PARTS:
            self._parts.append(part)
            return
        if not isinstance(self._parts[-1], bytearray):
            self._parts.append(bytearray())
        self._parts[-1] += part  # type: ignore[operator] # a bytearray

    def _whole_pieces(self) -> list[bytes]:
        """Return what of the payload can be given: all of it at its end, before that its pieces."""
        if self._remaining and self._held < LARGEST_PIECE:
            return []
        held = self._payload()
        end = len(held) - len(held) % LARGEST_PIECE if self._remaining else len(held)
        self._hold(held[end:])
        return [held[start : start + LARGEST_PIECE] for start in range(0, end, LARGEST_PIECE)]

    def _payload(self) -> bytes:
        payload = b"".join(self._parts)
        self._parts.clear()
        self._held = 0
        return payload


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
