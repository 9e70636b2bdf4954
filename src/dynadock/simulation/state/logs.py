"""What a container has written, line by line, as the json-file driver keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_KEPT = 64 * 1024 * 1024
"""Bytes of a container's log; what is older is forgotten, as with rotated files."""

LONGEST_ENTRY = 16 * 1024
"""Bytes of a line that are kept together: longer ones are cut, as by the json-file driver."""

_WEIGHT = 128
"""Bytes that an entry takes beside its own, so that empty lines are bounded too."""


class Entry(NamedTuple):
    """A line, or a part of a long one: when, on which channel (1 or 2), its bytes, its number."""

    moment: int
    channel: int
    data: bytes
    number: int


class Log:
    """One container's log.

    Entries are numbered from 0 on, and keep their numbers when older ones are forgotten: `first` is
    the oldest that is there, `end` the number of the next one. All parts of a long line have the
    moment at which the first of them was written.
    """

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._size = 0
        self._unfinished = {1: bytearray(), 2: bytearray()}
        self._begun: dict[int, int] = {}
        self.first = 0

    @property
    def end(self) -> int:
        """The number that the next entry gets."""
        return self.first + len(self._entries)

    def entries(self, start: int, end: int | None = None) -> Iterator[Entry]:
        """Yield the entries from one on, while others may come and old ones go."""
        number = start
        while number < self.end and (end is None or number < end):
            number = max(number, self.first)
            yield self._entries[number - self.first]
            number += 1

    def write(self, moment: int, channel: int, data: bytes) -> None:
        """Add output; a line without its end is kept back until that comes."""
        rest = self._unfinished[channel]
        if rest:
            rest += data
            if len(rest) < LONGEST_ENTRY and b"\n" not in data:
                return
            data = bytes(rest)
            rest.clear()
        start = 0
        while start < len(data):
            newline = data.find(b"\n", start, start + LONGEST_ENTRY)
            end = newline + 1 if newline >= 0 else start + LONGEST_ENTRY
            if newline < 0 and end > len(data):
                rest += data[start:]
                return
            self._add(moment, channel, data[start:end])
            start = end

    def finish(self, moment: int) -> None:
        """Add what has no end of line, as nothing follows."""
        for channel, rest in self._unfinished.items():
            if rest:
                self._add(moment, channel, bytes(rest))
                rest.clear()
        self._begun.clear()

    def _add(self, moment: int, channel: int, data: bytes) -> None:
        moment = self._begun.pop(channel, moment)
        if not data.endswith(b"\n"):
            self._begun[channel] = moment
        self._entries.append(Entry(moment, channel, data, self.end))
        self._size += len(data) + _WEIGHT
        if self._size > MOST_KEPT:
            self._forget()

    def _forget(self) -> None:
        """Forget the oldest eighth, so that the rest is not moved for each entry."""
        count = 0
        while self._size > MOST_KEPT - MOST_KEPT // 8:
            self._size -= len(self._entries[count].data) + _WEIGHT
            count += 1
        del self._entries[:count]
        self.first += count

    def __deepcopy__(self, _memo: object) -> Log:
        """Return a log of its own with the same entries."""
        made = Log()
        made._entries = self._entries.copy()
        made._size, made.first = self._size, self.first
        made._unfinished = {channel: rest.copy() for channel, rest in self._unfinished.items()}
        made._begun = self._begun.copy()
        return made
