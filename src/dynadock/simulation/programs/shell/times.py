"""Times as commands print and read them; the time zone is UTC."""

from __future__ import annotations

import calendar
import re
import time

NANOSECOND = 10**9

_FORMS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d",
    "%Y.%m.%d-%H:%M:%S",
)
_HALF_A_YEAR = 15768000


def iso_form(what: str) -> str:
    """Return the form of ``date -I``, up to the unit given."""
    return {
        "hours": "%Y-%m-%dT%H+00:00",
        "minutes": "%Y-%m-%dT%H:%M+00:00",
        "seconds": "%Y-%m-%dT%H:%M:%S+00:00",
    }.get(what, "%Y-%m-%d")


def time_text(shown: str, moment: int) -> str:
    """Return a moment, in nanoseconds, as strftime's form shows it.

    Raises:
        ValueError: There is no such year.

    """
    seconds = moment // NANOSECOND
    own = {
        "%s": str(seconds),
        "%N": f"{moment % NANOSECOND:09d}",
        "%z": "+0000",
        "%Z": "UTC",
        "%%": "%%",
    }
    shown = re.sub("%.", lambda found: own.get(found[0], found[0]), shown)
    return time.strftime(shown, time.gmtime(seconds)) if shown else ""


def moment_of(text: str, now: int) -> int | None:
    """Return the moment that a text means, in nanoseconds; None if it means none."""
    if re.fullmatch(r"@-?\d{1,11}", text):
        return int(text[1:]) * NANOSECOND
    if text == "now":
        return now
    for form in _FORMS:
        try:
            parsed = time.strptime(text.removesuffix("Z"), form)
        except ValueError:
            continue
        return calendar.timegm(parsed) * NANOSECOND
    return None


def listed_time(moment: int, now: int) -> str:
    """Return a file's time as ``ls -l`` shows it: the year instead of the hour if it is old."""
    age = (now - moment) // NANOSECOND
    is_recent = -_HALF_A_YEAR // 100 <= age <= _HALF_A_YEAR
    return time_text("%b %e %H:%M" if is_recent else "%b %e  %Y", moment)
