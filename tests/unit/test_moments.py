"""Moments in filters, as Docker 26.1 reads them."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynadock.call.moments import moment_of
from dynadock.call.values import Refused

SECOND = 10**9
NOW = 1_700_000_000 * SECOND
NEW_YEAR = 1_577_836_800 * SECOND


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        *(("10m", 600 * SECOND), ("-10m", -600 * SECOND), ("+5m", 300 * SECOND), ("0", 0)),
        *(
            ("1h30m10.5s", 5410 * SECOND + SECOND // 2),
            ("300ms", 300_000_000),
            (".5m", 30 * SECOND),
        ),
        *(
            ("1.5h", 5400 * SECOND),
            ("5us", 5000),
            ("5µs", 5000),
            ("7ns", 7),
            ("1.h", 3600 * SECOND),
        ),
    ],
)
def test_how_long_ago(text, ago):
    assert moment_of(text, NOW) == NOW - ago


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        *((text, NEW_YEAR) for text in ("2020-01-01", "2020-01-01T00", "2020-01-01T00:00")),
        *((text, NEW_YEAR) for text in ("2020-01-01Z", "2020-01-01T00Z", "2020-01-01T0:00:00Z")),
        ("2020-01-01T00:00:00.123456789Z", NEW_YEAR + 123_456_789),
        ("2020-01-01T00:00:00.5", NEW_YEAR + SECOND // 2),
        ("2020-01-01T02:00:00+02:00", NEW_YEAR),
        ("2019-12-31T22:00-02:00", NEW_YEAR),
        ("2020-01-01+02:00", NEW_YEAR - 7200 * SECOND),
        *(("1577836800", NEW_YEAR), ("1577836800.123456789", NEW_YEAR + 123_456_789)),
        *(("1577836800.1234567891", NEW_YEAR + 123_456_789), ("5", 5 * SECOND)),
    ],
)
def test_dates_and_seconds(text, moment):
    assert moment_of(text, NOW) == moment


@pytest.mark.parametrize(
    "text",
    [
        *("", "abc", "10x", "1d", "10M", "1h 5m", "1e3", "-5", "1577836800.", "2020-1-1", "."),
        *("2020-01-01 00:00:00", "2020-01-01T00:00:00z", "2020-01-01t00:00:00Z", "٣"),
        *("2020-13-01", "2020-01-01T25:00:00Z", "2020-01-01T00:00:00.Z", "0000-01-01"),
    ],
)
def test_what_is_no_moment(text):
    with pytest.raises(Refused) as caught:
        moment_of(text, NOW)
    assert caught.value.status == 400


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001
def test_every_moment_in_rfc_3339(moment):
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    exact = (since.days * 86400 + since.seconds) * SECOND + since.microseconds * 1000
    assert moment_of(moment.isoformat(), NOW) == exact


@pytest.mark.parametrize("text", ["1h" * 100_000 + "x", "1" * 100_000, "1." + "9" * 100_000])
def test_long_texts_take_linear_time(text):
    start = time.process_time()
    with contextlib.suppress(Refused):
        moment_of(text, NOW)
    assert time.process_time() - start < 1
