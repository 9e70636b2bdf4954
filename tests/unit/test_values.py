"""Single values: integers, JSON, and how values are shown."""

from __future__ import annotations

import enum
import math

import pytest

from dynadock.call.values import compact_json, shown, whole_number


class Level(enum.IntEnum):
    HIGH = 7


class Index:
    def __index__(self):
        return 5


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *((5, 5), (5.0, 5), (1e9, 10**9), (-0.0, 0), (Level.HIGH, 7), (Index(), 5)),
        *((True, None), (5.5, None), ("5", None), (None, None), (math.nan, None), (math.inf, None)),
    ],
)
def test_whole_numbers(value, number):
    assert whole_number(value) == number
    assert type(whole_number(value)) is type(number)


def test_long_values_are_cut():
    assert shown("a" * 100) == "'" + "a" * 58 + "…"
    assert shown("short") == "'short'"


def test_compact_json():
    assert compact_json({"a": [1, "ü"]}) == '{"a":[1,"\\u00fc"]}'
    with pytest.raises(ValueError, match="JSON"):
        compact_json(math.nan)
