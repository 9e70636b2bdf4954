r"""A container's output in lines, made of the blocks that `frames` decodes, without any I/O.

The input is `Pieces`: blocks of output in order, each of one channel. Engines send a frame for each
write of a program, or for each line that they have logged, so most blocks are one whole line::

    stdout  hello\n            a line
    stderr  a\nb\n             two lines
    stdout  wor                the beginning of a line: kept in _unfinished["stdout"]
    stderr  oops\n             a line; that of stdout goes on after it
    stdout  ld\n               the end of the line "world"

Why there is no plain loop. To split, decode and look for a beginning in each block costs four times
as long as the fast path for blocks of 100 bytes.

The fast path (`LineAssembler._split_whole`). Blocks that all end with a line feed, of channels
without an unfinished line, are joined, decoded and split once, whatever their channels: no line and
no character goes on from one block to the next. The lines are then in the order of their blocks,
and the channel of a block is repeated for each line feed in it.

Leaving it. What is read from a socket begins and ends anywhere in a line. So the first block, if a
line is unfinished, and the last one, if no line feed ends it, are left out of the fast path. These,
and all blocks where its conditions do not hold or a terminal's carriage returns must be removed,
are read by `LineAssembler._split`, which joins blocks only with their neighbours of the same
channel. With timestamps there is no fast path: each frame begins with one
(`LineAssembler._with_timestamps`).

Lines that are too long, and lines that no text can be made of, are faults. Whatever of them may be
in a block is then gone through line by line, so that the lines before a fault are the same however
the output was cut.

Between two calls of ``feed``, ``_unfinished`` holds a channel only if its last line has begun and
not ended; ``_first_timestamps`` then has the timestamp of the frame in which that line began.
"""

from __future__ import annotations

import codecs
import contextlib
import re
import sys
from datetime import datetime
from itertools import chain, repeat
from operator import itemgetter, methodcaller
from typing import TYPE_CHECKING, NamedTuple

from dynadock.wire.coding import too_large
from dynadock.wire.frames import Pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_CONSOLE = "console"
_TIMESTAMPED = re.compile(rb"(\d{4}-\d\d-\d\dT[-+0-9:.Z]{9,24}) (.*)", re.DOTALL)


class Line(NamedTuple):
    """One line of output without its end; ``timestamp`` is the engine's own text, if asked for."""

    channel: str
    text: str
    timestamp: str | None = None

    @property
    def time(self) -> datetime | None:
        """The timestamp as a datetime with its zone, cut to microseconds; None without one."""
        return None if self.timestamp is None else datetime.fromisoformat(self.timestamp)


class _Texts(NamedTuple):
    """Lines, and in another list of that length their channels."""

    channels: list[str]
    lines: list[str]


_Lines = tuple[str, bytes | bytearray, str | None]
"""A channel, lines of it without the last one's line feed, and the timestamp of all of them."""


# Line's own constructor is a function in Python, which would take most of the time.
_new_line: Callable[[type[Line], tuple[str, str, str | None]], Line] = tuple.__new__

_ASCII = bytes(range(128)) + b"\x1b$B!!"
"""All of ASCII, and what leaves it in ISO 2022."""

_last_byte = itemgetter(-1)
_LINE_FEED = {*b"\n"}


class LineAssembler:
    """Makes lines out of output that is cut anywhere; each channel has its own unfinished line.

    Only a line feed ends a line: carriage returns and the separators of Unicode are text, but for
    the carriage return that a terminal (channel console) puts before a line feed.

    With ``timestamps`` the engine's timestamps are taken out of the output. They are at the
    beginning of each frame; a long line comes in several frames, each with its own (Docker cuts at
    16 KiB, Podman at 8). At a terminal they are at the beginning of each line, and Docker repeats
    them every 16 KiB of a long one. Podman repeats them in a terminal's lines of more than 4 KiB;
    those stay in the text, as nothing tells them from output.

    ``fault`` is set to TooLarge by a line of more than ``limit`` bytes, of which `finish` still
    gives as many as that, and to UnicodeDecodeError if ``errors`` asks for it; the lines before it
    are returned first.

    Raises ValueError for an encoding without a line feed of one byte (UTF-16), LookupError for an
    unknown one.
    """

    def __init__(
        self,
        encoding: str = "utf-8",
        errors: str = "replace",
        timestamps: bool = False,
        limit: int | None = None,
    ) -> None:
        codecs.lookup_error(errors)
        if "\n".encode(encoding) != b"\n":
            raise ValueError(f"lines cannot be told apart in {encoding}")
        # With these (ISO 2022, HZ, UTF-7) a line is decoded by itself: how much is decoded at once
        # would make a difference. They give some characters of ASCII another meaning.
        self._is_stateful = _ASCII.decode(encoding, "replace") != _ASCII.decode()
        self._encoding = encoding
        self._errors = errors
        self.fault: Exception | None = None
        self._timestamps = timestamps
        self._limit = sys.maxsize if limit is None else limit
        self._unfinished: dict[str, bytes | bytearray] = {}  # the beginning of a line, by channel
        self._first_timestamps: dict[str, str | None] = {}  # of these lines

    def feed(self, pieces: Pieces) -> Iterable[Line]:
        """Take output; return the lines that are whole.

        With timestamps its blocks must be frames as they came; without, they may be joined or cut
        anywhere. None are returned after a fault.
        """
        if self.fault is not None:
            return []
        if self._timestamps:
            return self._lines(self._with_timestamps(pieces))
        channels, blocks = pieces
        # What comes at a time usually begins and ends inside a frame; between are whole lines.
        start = 1 if self._unfinished else 0
        end = len(blocks)
        if end > start and not blocks[-1].endswith(b"\n"):
            end -= 1
        texts = _Texts([], [])
        self._split(channels[:start], blocks[:start], texts)
        self._split_whole(channels[start:end], blocks[start:end], texts)
        self._split(channels[end:], blocks[end:], texts)
        # Made as they are asked for: so many lines at once would take a quarter longer.
        return map(_new_line, repeat(Line), zip(*texts, repeat(None)))

    def _split(self, channels: list[str], blocks: list[bytes], texts: _Texts) -> None:
        """Add the lines of blocks that may be cut anywhere."""
        for channel, data in Pieces(channels, blocks).runs():
            if self.fault is not None:
                return
            finished = self._finished(channel, data)
            if finished is not None:
                lines = self._decoded(finished)
                texts.channels.extend(repeat(channel, len(lines)))
                texts.lines.extend(lines)

    def _split_whole(self, channels: list[str], blocks: list[bytes], texts: _Texts) -> None:
        """Add the lines of blocks each of which probably ends one: the fast path."""
        if self.fault is not None:
            return
        joined = b"".join(blocks)
        if (
            len(joined) > self._limit
            or not {_CONSOLE, *self._unfinished}.isdisjoint(channels)
            or not _end_lines(blocks)
        ):
            self._split(channels, blocks, texts)
            return
        lines = self._decoded(joined)
        if self.fault is None:
            lines.pop()
        if len(lines) > len(blocks):
            counts = [data.count(b"\n") for data in blocks]
            channels = [*chain.from_iterable(map(repeat, channels, counts))]
        texts.channels.extend(channels)
        texts.lines.extend(lines)

    def finish(self) -> list[Line]:
        """Return the last lines, which no line feed has ended, one a channel at most."""
        last: list[_Lines] = []
        for channel, line in self._unfinished.items():
            if self._timestamps and channel == _CONSOLE:
                last.append(_console_line(line))
            else:
                last.append((channel, line, self._first_timestamps.get(channel)))
        self._unfinished.clear()
        self._first_timestamps.clear()
        return self._lines(last)

    def _lines(self, groups: list[_Lines]) -> list[Line]:
        lines: list[Line] = []
        for channel, data, timestamp in groups:
            lines += [Line(channel, text, timestamp) for text in self._decoded(data)]
            if isinstance(self.fault, UnicodeDecodeError):
                break
        return lines

    def _decoded(self, lines: bytes | bytearray) -> list[str]:
        """Return lines as text, as many as there are before the first that is none."""
        if not self._is_stateful:
            # Where a line is not text, it remains to be found which one.
            with contextlib.suppress(UnicodeDecodeError):
                return lines.decode(self._encoding, self._errors).split("\n")
        texts: list[str] = []
        decode = methodcaller("decode", self._encoding, self._errors)
        try:
            texts.extend(map(decode, lines.split(b"\n")))
        except UnicodeDecodeError as error:
            # It comes before a line that is too long, if there is one.
            self.fault = error
        return texts

    def _finished(self, channel: str, data: bytes) -> bytes | bytearray | None:
        """Return the lines that ``data`` finishes, without the last line feed, None for none.

        What follows that line feed becomes the channel's unfinished line.
        """
        unfinished = self._unfinished
        if len(data) + len(unfinished.get(channel, b"")) > self._limit:
            finished: bytes | bytearray | None = self._finished_within_limit(channel, data)
        else:
            finished, line_feed, begun = data.rpartition(b"\n")
            if line_feed and channel in unfinished:
                finished = unfinished.pop(channel) + finished
            if begun:
                self._add(channel, begun)
            if not line_feed:
                finished = None
        if finished is not None and channel == _CONSOLE:
            return finished.replace(b"\r\n", b"\n").removesuffix(b"\r")
        return finished

    def _finished_within_limit(self, channel: str, data: bytes) -> bytes | None:
        """Do the same where a line may be too long, line by line."""
        finished: list[bytes] = []
        *ended, begun = data.split(b"\n")
        for part in ended:
            if not self._add(channel, part):
                break
            finished.append(bytes(self._unfinished.pop(channel, b"")))
        else:
            self._add(channel, begun)
        return b"\n".join(finished) if finished else None

    def _add(self, channel: str, part: bytes) -> bool:
        """Add to a channel's unfinished line; tell whether it is within the limit."""
        begun = self._unfinished.get(channel)
        room = self._limit - len(begun or b"")
        if part and begun is None:
            self._unfinished[channel] = part[:room]
        elif begun is not None:
            # Not a list of parts: of many short ones that would take much more memory.
            self._unfinished[channel] = begun if isinstance(begun, bytearray) else bytearray(begun)
            self._unfinished[channel] += part[:room]
        if len(part) > room:
            self.fault = too_large(self._limit, of="a line")
        return len(part) <= room

    def _with_timestamps(self, frames: Pieces) -> list[_Lines]:
        groups: list[_Lines] = []
        for channel, data in zip(*frames, strict=True):
            if self.fault is not None:
                break
            if channel == _CONSOLE:
                finished = self._finished(channel, data)
                groups += map(_console_line, [] if finished is None else finished.split(b"\n"))
            else:
                groups += self._of_timestamped_frame(channel, data)
        return groups

    def _of_timestamped_frame(self, channel: str, frame: bytes) -> Iterator[_Lines]:
        timestamps = self._first_timestamps
        timestamp = None
        if found := _TIMESTAMPED.match(frame):
            prefix, frame = found.groups()
            timestamp = prefix.decode("ascii")
        finished = self._finished(channel, frame)
        if finished is not None and channel in timestamps:
            # The timestamp of a line is that of its first frame.
            first, line_feed, others = finished.partition(b"\n")
            yield (channel, first, timestamps.pop(channel))
            finished = others if line_feed else None
        if finished is not None:
            yield (channel, finished, timestamp)
        if channel in self._unfinished:
            timestamps.setdefault(channel, timestamp)


def _console_line(line: bytes | bytearray) -> _Lines:
    found = _TIMESTAMPED.match(line)
    if found is None:
        return (_CONSOLE, line, None)
    timestamp, text = found.groups()
    if b"." in timestamp:
        # Docker repeats it, to the nanosecond, inside a long line. Podman's has whole seconds: a
        # program that prints its own time would print the same.
        text = text.replace(timestamp + b" ", b"")
    return (_CONSOLE, text, timestamp.decode("ascii"))


def _end_lines(blocks: list[bytes]) -> bool:
    """Tell whether each block ends with a line feed."""
    try:
        return _LINE_FEED.issuperset(map(_last_byte, blocks))
    except IndexError:
        return False
