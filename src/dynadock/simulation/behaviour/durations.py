"""Durations in the words that engines use in lists: ``Up 2 minutes``, ``Exited (0) 3 days ago``."""

from __future__ import annotations

from dynadock.simulation.clock import SECOND

_UNITS = (
    # up to so many seconds: the word, and how many seconds one is
    (1, "Less than a second", 0),
    (2, "1 second", 0),
    (60, "{} seconds", 1),
    (120, "About a minute", 0),
    (3600, "{} minutes", 60),
    (7200, "About an hour", 0),
    (48 * 3600, "{} hours", 3600),
    (14 * 86400, "{} days", 86400),
    (60 * 86400, "{} weeks", 7 * 86400),
    (730 * 86400, "{} months", 30 * 86400),
)


def in_words(nanoseconds: int) -> str:
    """Write a duration as one rounded number of one unit (seen on 20.10 to 28.5)."""
    seconds = max(nanoseconds, 0) // SECOND
    for below, words, unit in _UNITS:
        if seconds < below:
            return words.format(seconds // unit if unit else "")
    return f"{seconds // (365 * 86400)} years"
