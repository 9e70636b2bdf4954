"""From the pieces of a container's output to its lines, without any input or output of its own."""

from __future__ import annotations

import codecs
import re
from datetime import datetime
from itertools import chain, repeat
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from dynadock.wire.frames import Pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_CONSOLE = "console"
_STAMPED = re.compile(rb"(\d{4}-\d\d-\d\dT[-+0-9:.Z]{9,24}) (.*)", re.DOTALL)


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
    """Lines and their channels, in order."""

    channels: list[str]
    lines: list[str]


_Lines = tuple[str, bytes, str | None]
"""A channel, lines but for the last one's end, and the time of them all."""


# Line's own constructor is a function in Python, which would take most of the time.
_new: Callable[[type[Line], tuple[str, str, str | None]], Line] = tuple.__new__

_last_byte = itemgetter(-1)
_LINE_FEED = {*b"\n"}


class LineAssembler:
    """Makes lines out of output as it comes; each channel's unfinished line is kept apart.

    Only a line feed ends a line: carriage returns and the separators of Unicode are text, but for
    the carriage return that a terminal (channel console) puts before a line feed.

    With ``timestamps``, times are taken from where engines put them: before each frame, where a
    long line comes in several frames, each with its own (Docker cuts at 16 KiB, Podman at 8), or,
    at a terminal, before each line and again every 16 KiB of a long one. What Podman repeats in a
    terminal's lines of more than 4 KiB stays in the text, where nothing tells it from output.

    Raises ValueError for an encoding without a line feed of one byte (UTF-16), LookupError for an
    unknown one.
    """

    def __init__(
        self, encoding: str = "utf-8", errors: str = "replace", timestamps: bool = False
    ) -> None:
        codecs.lookup_error(errors)
        if "\n".encode(encoding) != b"\n":
            raise ValueError(f"lines cannot be told apart in {encoding}")
        self._encoding = encoding
        self._errors = errors
        self._timestamps = timestamps
        self._begun: dict[str, list[bytes]] = {}
        self._stamps: dict[str, str | None] = {}

    def feed(self, pieces: Pieces) -> Iterable[Line]:
        """Take output; return the lines that are whole.

        With timestamps its blocks must be frames as they came; without, they may be joined or cut
        anywhere. Raises UnicodeDecodeError only if ``errors`` asks for it.
        """
        if self._timestamps:
            return self._lines(self._stamped(pieces))
        channels, blocks = pieces
        # What comes at a time usually begins and ends inside a frame; between are whole lines.
        start = 1 if self._begun else 0
        end = len(blocks)
        if end > start and not blocks[-1].endswith(b"\n"):
            end -= 1
        texts = _Texts([], [])
        self._split(channels[:start], blocks[:start], texts)
        self._split_whole(channels[start:end], blocks[start:end], texts)
        self._split(channels[end:], blocks[end:], texts)
        # Made as they are asked for: so many lines at once would take a quarter longer.
        return map(_new, repeat(Line), zip(*texts, repeat(None)))

    def _split(self, channels: list[str], blocks: list[bytes], texts: _Texts) -> None:
        """Add the lines of blocks that may be cut anywhere."""
        for channel, data in Pieces(channels, blocks).runs():
            whole = self._take(channel, data)
            if whole is not None:
                lines = whole.decode(self._encoding, self._errors).split("\n")
                texts.channels.extend(repeat(channel, len(lines)))
                texts.lines.extend(lines)

    def _split_whole(self, channels: list[str], blocks: list[bytes], texts: _Texts) -> None:
        """Add the lines of blocks each of which probably ends one, as engines send them."""
        if not {_CONSOLE, *self._begun}.isdisjoint(channels) or not _end_lines(blocks):
            self._split(channels, blocks, texts)
            return
        lines = b"".join(blocks).decode(self._encoding, self._errors).split("\n")
        lines.pop()
        if len(lines) > len(blocks):
            counts = [data.count(b"\n") for data in blocks]
            channels = [*chain.from_iterable(map(repeat, channels, counts))]
        texts.channels.extend(channels)
        texts.lines.extend(lines)

    def finish(self) -> list[Line]:
        """Return the last lines, which no line feed has ended, one a channel at most."""
        last: list[_Lines] = []
        for channel, parts in self._begun.items():
            whole = b"".join(parts)
            if self._timestamps and channel == _CONSOLE:
                last.append(_console_line(whole))
            else:
                last.append((channel, whole, self._stamps.get(channel)))
        self._begun.clear()
        self._stamps.clear()
        return self._lines(last)

    def _lines(self, taken: list[_Lines]) -> list[Line]:
        encoding, errors = self._encoding, self._errors
        return [
            Line(channel, text, stamp)
            for channel, whole, stamp in taken
            for text in whole.decode(encoding, errors).split("\n")
        ]

    def _take(self, channel: str, data: bytes) -> bytes | None:
        """Return the lines that ``data`` ends, without the last one's end; keep what is behind."""
        whole, line_feed, behind = data.rpartition(b"\n")
        begun = self._begun
        if channel in begun:
            if not line_feed:
                begun[channel].append(behind)
                return None
            whole = b"".join((*begun.pop(channel), whole))
        if behind:
            begun[channel] = [behind]
        if not line_feed:
            return None
        if channel == _CONSOLE:
            return whole.replace(b"\r\n", b"\n").removesuffix(b"\r")
        return whole

    def _stamped(self, frames: Pieces) -> list[_Lines]:
        taken: list[_Lines] = []
        for channel, data in zip(*frames, strict=True):
            if channel == _CONSOLE:
                whole = self._take(channel, data)
                taken += map(_console_line, [] if whole is None else whole.split(b"\n"))
            else:
                taken += self._stamped_frame(channel, data)
        return taken

    def _stamped_frame(self, channel: str, frame: bytes) -> Iterator[_Lines]:
        stamps = self._stamps
        stamp = None
        if found := _STAMPED.match(frame):
            prefix, frame = found.groups()
            stamp = prefix.decode("ascii")
        whole = self._take(channel, frame)
        if whole is not None and channel in stamps:
            # The time of a line is that of its first frame.
            first, line_feed, others = whole.partition(b"\n")
            yield (channel, first, stamps.pop(channel))
            whole = others if line_feed else None
        if whole is not None:
            yield (channel, whole, stamp)
        if channel in self._begun:
            stamps.setdefault(channel, stamp)


def _console_line(line: bytes) -> _Lines:
    found = _STAMPED.match(line)
    if found is None:
        return (_CONSOLE, line, None)
    stamp, text = found.groups()
    if b"." in stamp:
        # Docker repeats it, to the nanosecond, inside a long line. Podman's has whole seconds: a
        # program that prints its own time would print the same.
        text = text.replace(stamp + b" ", b"")
    return (_CONSOLE, text, stamp.decode("ascii"))


def _end_lines(blocks: list[bytes]) -> bool:
    """Tell whether each block ends with a line feed."""
    try:
        return _LINE_FEED.issuperset(map(_last_byte, blocks))
    except IndexError:
        return False
