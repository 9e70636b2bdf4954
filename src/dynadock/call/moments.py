"""Moments as the filter ``until`` has them: how long ago, a date, or UNIX seconds.

All of these are what Docker 26.1 reads there. The parameters ``since`` and ``until`` of logs and
events take seconds alone (see `dynadock.call.encodings`).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from dynadock.call.values import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

_NUMBER = r"(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})"
_UNITS: Mapping[str, int] = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_PART = re.compile(rf"({_NUMBER})({'|'.join(_UNITS)})")
_DURATION = re.compile(rf"([+-]?)(0|(?:{_NUMBER}(?:{'|'.join(_UNITS)}))++)")
_DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:T([0-9]{1,2})(?::([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?)?)?"
    r"(?:Z|([+-])([0-9]{2}):([0-9]{2}))?"
)
_SECONDS = re.compile(r"([0-9]{1,11})(?:\.([0-9]+))?")
_SECOND = 10**9


def moment_of(text: str, now: int) -> int:
    """Return the moment that a text means, in nanoseconds of UNIX time.

    ``now`` is what a duration (``1h30m``) is subtracted from. A date may end behind any of its
    parts, and is UTC's if it names no zone. Raises Refused for any other text.
    """
    duration = _DURATION.fullmatch(text)
    if duration is not None:
        passed = sum(_exact(number, _UNITS[unit]) for number, unit in _PART.findall(duration[2]))
        return now + passed if duration[1] == "-" else now - passed
    date = _DATE.fullmatch(text)
    if date is not None:
        return _moment_of_date(text, date)
    seconds = _SECONDS.fullmatch(text)
    if seconds is None:
        raise Refused(f"failed to parse value as time or duration: {_quoted(text)}")
    return int(seconds[1]) * _SECOND + _nanoseconds(seconds[2])


def _moment_of_date(text: str, date: re.Match[str]) -> int:
    from datetime import UTC, datetime, timedelta

    *parts, fraction, sign, east, minutes = date.groups()
    year, month, day, hour, minute, second = (int(part or 0) for part in parts)
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise Refused(f"parsing time {_quoted(text)}: {error}") from None
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    if sign:
        offset = timedelta(hours=int(east), minutes=int(minutes))
        since += offset if sign == "-" else -offset
    return since // timedelta(seconds=1) * _SECOND + _nanoseconds(fraction)


def _exact(number: str, unit: int) -> int:
    whole, _, fraction = number.partition(".")
    scale: int = 10 ** len(fraction)
    return int(whole or 0) * unit + int(fraction or 0) * unit // scale


def _nanoseconds(fraction: str | None) -> int:
    return int((fraction or "")[:9].ljust(9, "0"))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
