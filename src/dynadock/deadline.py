"""How much time is left for something that has to be done within so many seconds from now on."""

from __future__ import annotations

import time

SHORTEST = 0.001
"""Seconds; a timeout of 0 would make a socket non-blocking."""


class Deadline:
    """A moment, ``seconds`` from now; None for never.

    ``end`` is that moment on the monotonic clock.
    """

    __slots__ = ("end", "seconds")

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self.end = None if seconds is None else time.monotonic() + seconds

    def left(self, most: float | None = None) -> float | None:
        """Return the seconds that are left, at most ``most``, None for no limit; always above 0."""
        if self.end is None:
            return most
        left = max(self.end - time.monotonic(), SHORTEST)
        return left if most is None else min(left, most)

    def is_over(self, pause: float = 0.0) -> bool:
        """Tell whether the moment has come, or will have come after a ``pause`` of seconds."""
        return self.end is not None and time.monotonic() + pause >= self.end
