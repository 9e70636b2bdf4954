"""The engine's time: a clock, real or moved by hand, and what is due at which moment.

Nothing here waits. Whoever asks the engine something first runs what has become due since anybody
asked the last time, each thing as of its own moment: `Clock.now` is that moment while it runs.
"""

from __future__ import annotations

import heapq
import time
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SECOND = 1_000_000_000
"""Nanoseconds."""

ZERO_TIME = "0001-01-01T00:00:00Z"
"""What engines write for a moment that has not come, Go's zero time."""


class Timer:
    """Something that is due at a moment, unless it is cancelled: ``act`` does it."""

    __slots__ = ("act", "is_cancelled", "when")

    def __init__(self, when: int, act: Callable[[], None]) -> None:
        self.when = when
        self.act = act
        self.is_cancelled = False

    def cancel(self) -> None:
        """Forget it; may be called again, and afterwards."""
        self.act = _nothing
        self.is_cancelled = True


def _nothing() -> None:
    """Do nothing at a moment that means nothing any more."""


class Clock:
    """Time in nanoseconds since the epoch.

    A ``manual`` one stands still until `advance` moves it; the other goes as the computer's does.
    ``start`` is where a manual one begins, the present by default.
    """

    def __init__(self, *, manual: bool = False, start: int | None = None) -> None:
        self.is_manual = manual
        self._stands_at = time.time_ns() if start is None else start
        self._ahead = 0
        self._moment: int | None = None
        self._due: list[tuple[int, int, Timer]] = []
        self._order = count()

    def now(self) -> int:
        """Return the moment of what runs just now, else the present."""
        return self.present() if self._moment is None else self._moment

    def present(self) -> int:
        """Return what the clock shows, whatever runs."""
        return (self._stands_at if self.is_manual else time.time_ns()) + self._ahead

    def at(self, when: int, act: Callable[[], None]) -> Timer:
        """Have something done at a moment; what is past is due at once."""
        timer = Timer(when, act)
        heapq.heappush(self._due, (when, next(self._order), timer))
        return timer

    def after(self, seconds: float, act: Callable[[], None]) -> Timer:
        """Have something done some seconds from now."""
        return self.at(self.now() + int(seconds * SECOND), act)

    def next(self) -> int | None:
        """Return the moment at which something is due, None if nothing is."""
        while self._due and self._due[0][2].is_cancelled:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def is_due(self, until: int) -> bool:
        """Tell whether something is due by that moment."""
        when = self.next()
        return when is not None and when <= until

    def begin_next(self) -> Timer:
        """Return the first thing that is due; until `leave` or the next one, `now` is its moment.

        Whoever does it cancels it, which takes it away from here.
        """
        timer = self._due[0][2]
        self._moment = max(timer.when, self._moment or 0)
        return timer

    @property
    def is_past(self) -> bool:
        """Whether `now` is the moment of something that was due, and not the present."""
        return self._moment is not None

    def leave(self) -> None:
        """Let `now` be the present again."""
        self._moment = None

    def seconds_until(self, when: int) -> float | None:
        """Return how long a moment is away in real seconds; None if only `advance` reaches it."""
        left = when - self.present()
        if left <= 0:
            return 0.0
        return None if self.is_manual else left / SECOND

    def __deepcopy__(self, _memo: object) -> Clock:
        """Return itself: there is one time."""
        return self

    def set_back(self, moment: int) -> None:
        """Let a manual clock show a moment that it has shown before."""
        if self.is_manual:
            self._ahead = moment - self._stands_at

    def move(self, nanoseconds: int) -> None:
        """Put the clock forward, without doing what becomes due by that."""
        if nanoseconds < 0:
            raise ValueError("a clock goes forward only")
        self._ahead += nanoseconds


def rfc3339(moment: int) -> str:
    """Write a moment as engines do: UTC with nanoseconds, whose last zeros are left out."""
    if not moment:
        return ZERO_TIME
    seconds, fraction = divmod(moment, SECOND)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    digits = f"{fraction:09d}".rstrip("0")
    return f"{text}.{digits}Z" if digits else f"{text}Z"


def log_time(moment: int) -> str:
    """Write a moment as in logs: all nine digits."""
    seconds, fraction = divmod(moment, SECOND)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{fraction:09d}Z"
