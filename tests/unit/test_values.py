"""Single values: what JSON cannot say in a case, such as moments, durations and enums."""

from __future__ import annotations

import enum
import math
from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType

import pytest

from dynadock.call.values import (
    ENCODERS,
    Mismatch,
    compact_json,
    encode_value,
    loose_texts,
    shown,
    whole_number,
)
from dynadock.spec.model import Parameter


class Colour(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 7


class Index:
    def __index__(self):
        return 5


class Text(str):
    __slots__ = ()

    def __str__(self):
        return "not this"


def parameter(encoding, **keys):
    return Parameter(
        {
            "name": "p",
            "python_name": "p",
            "in": "query",
            "type": encoding,
            "encoding": encoding,
            **keys,
        }
    )


def encoded(encoding, value, **keys):
    return encode_value(parameter(encoding, **keys), value)


HOUR_EAST = timezone(timedelta(hours=1))
DAY = datetime(2026, 1, 31, 8, tzinfo=UTC)
SECONDS = "1769846400"

GOOD = [
    ("string", Colour.RED, "red"),
    ("string", Text("this"), "this"),
    ("boolean", True, "true"),
    ("integer", Level.HIGH, "7"),
    ("integer", Index(), "5"),
    ("integer", -0.0, "0"),
    ("integer", 1e300, str(int(1e300))),
    ("integer", 10**30, "1" + 30 * "0"),
    ("number", 1.5, "1.5"),
    ("number", Level.HIGH, "7"),
    ("number", 3, "3"),
    ("count", Level.HIGH, "7"),
    ("count", "all", "all"),
    ("count", 1e3, "1000"),
    ("seconds", timedelta(minutes=1), "60"),
    ("seconds", timedelta(0), "0"),
    ("seconds", -1, "-1"),
    ("seconds", 5.0, "5"),
    ("timestamp", DAY, SECONDS),
    ("timestamp", DAY.astimezone(HOUR_EAST), SECONDS),
    ("timestamp", DAY.replace(microsecond=500), f"{SECONDS}.000500"),
    ("timestamp", "2026-01-31T09:00:00+01:00", SECONDS),
    ("timestamp", "2026-01-31T08:00:00.000000001Z", f"{SECONDS}.000000001"),
    ("timestamp", "2026-01-31 08:00:00Z", SECONDS),
    ("timestamp", "2026-01-31t08:00:00z", SECONDS),
    ("timestamp", "1969-12-31T23:59:59Z", "-1"),
    ("timestamp", SECONDS, SECONDS),
    ("timestamp", 0, "0"),
    ("timestamp", 1.5, "1.5"),
    ("timestamp", 1e9, "1000000000"),
    ("timestamp", 1e-10, "0"),
    ("filters", {}, "{}"),
    ("filters", MappingProxyType({"a": "b"}), '{"a":["b"]}'),
    ("filters", {"a": ("b", Colour.RED)}, '{"a":["b","red"]}'),
    ("filters", {"a": {"b"}}, '{"a":["b"]}'),
    ("filters", {"a": {"b": 1}.keys()}, '{"a":["b"]}'),
    ("filters", {"a": []}, '{"a":[]}'),
    ("filters", {"a": [Level.HIGH, False]}, '{"a":["7","false"]}'),
    ("filters", {"a": MappingProxyType({"b": True})}, '{"a":{"b":true}}'),
    ("json-object", OrderedDict(b=1, a=None), '{"b":1,"a":null}'),
    ("json-object", MappingProxyType({"a": 1}), '{"a":1}'),
    ("json-array", ("a", {"b": 1}), '["a",{"b":1}]'),
    ("base64-json", MappingProxyType({"a": 1}), "eyJhIjoxfQ=="),
    ("base64-json", {"ü": "ü"}, "eyJcdTAwZmMiOiJcdTAwZmMifQ=="),
    ("base64-json", "", ""),
]


@pytest.mark.parametrize(("encoding", "value", "text"), GOOD)
def test_what_is_written(encoding, value, text):
    assert encoded(encoding, value) == [text]


def test_a_moment_without_a_zone_is_local():
    local = datetime(2026, 1, 31, 8)  # noqa: DTZ001
    assert encoded("timestamp", local) == encoded("timestamp", local.astimezone())
    assert encoded("timestamp", "2026-01-31T08:00:00") == encoded("timestamp", local)


BAD = [
    ("string", b"x"),
    ("string", 5),
    ("boolean", 0),
    ("boolean", "true"),
    ("integer", True),
    ("integer", "5"),
    ("integer", 1.5),
    ("integer", math.inf),
    ("integer", math.nan),
    ("integer", Decimal(5)),
    ("number", True),
    ("number", "1.5"),
    ("number", math.nan),
    ("number", math.inf),
    ("number", 1j),
    ("count", True),
    ("count", 1.5),
    ("seconds", timedelta(milliseconds=1500)),
    ("seconds", "5"),
    ("seconds", True),
    ("timestamp", "10m"),
    ("timestamp", ""),
    ("timestamp", "yesterday"),
    ("timestamp", "2026-13-01T00:00:00Z"),
    ("timestamp", "١٢٣"),
    ("timestamp", math.nan),
    ("timestamp", math.inf),
    ("timestamp", True),
    ("timestamp", date(2026, 1, 31)),
    ("timestamp", datetime(1, 1, 1)),  # noqa: DTZ001 - local, before the first year of UTC
    ("filters", 5),
    ("filters", [("a", "b")]),
    ("filters", {1: "a"}),
    ("filters", {"a": b"b"}),
    ("filters", {"a": [None]}),
    ("filters", {"a": 1.5}),
    ("filters", {"a": {"b": 1}}),
    ("filters", "[]"),
    ("filters", '{"a": '),
    ("json-object", [1]),
    ("json-object", "[1]"),
    ("json-object", {"a": b"x"}),
    ("json-object", {"a": math.nan}),
    ("json-array", {"a": 1}),
    ("json-array", "{}"),
    ("json-array", "a"),
    ("json-array", [object()]),
    ("base64-json", 5),
    ("base64-json", [1]),
    ("base64-json", b"e30="),
    ("base64-json", "e30"),
    ("base64-json", "e3?="),
    ("base64-json", '{"a"'),
    ("base64-json", {"a": {1, 2}}),
    ("base64-json", "===="),
]


@pytest.mark.parametrize(("encoding", "value"), BAD)
def test_what_is_not(encoding, value):
    with pytest.raises(Mismatch) as caught:
        encoded(encoding, value)
    assert "expected" in caught.value.problem or "JSON" in caught.value.problem


def test_every_encoding_is_tried():
    assert {encoding for encoding, *_ in GOOD} == {encoding for encoding, _ in BAD} == set(ENCODERS)


def test_a_structure_that_holds_itself():
    circle = {}
    circle["a"] = circle
    with pytest.raises(Mismatch):
        encoded("json-object", circle)
    with pytest.raises(Mismatch):
        encoded("filters", {"a": circle})


ITEMS = {"items": {"type": "string", "enum": ["a", "b"]}}


@pytest.mark.parametrize(
    ("collection", "value", "texts"),
    [
        ("multi", ["a", "b"], ["a", "b"]),
        ("multi", ("a",), ["a"]),
        ("multi", "a", ["a"]),
        ("multi", [], []),
        ("multi", iter(["a", "b"]), ["a", "b"]),
        ("csv", ["a", "b"], ["a,b"]),
        ("ssv", ["a", "b"], ["a b"]),
        ("tsv", ["a", "b"], ["a\tb"]),
        ("pipes", ["a", "b"], ["a|b"]),
        ("csv", "a", ["a"]),
    ],
)
def test_arrays(collection, value, texts):
    assert encoded("array", value, collection=collection, **ITEMS) == texts


@pytest.mark.parametrize(
    ("value", "place"),
    [(["a", "c"], "[1]"), ("c", "[0]"), (5, "[0]"), ([["a"]], "[0]"), ({"a": 1}, "[0]")],
)
def test_wrong_members_have_a_place(value, place):
    with pytest.raises(Mismatch) as caught:
        encoded("array", value, collection="multi", **ITEMS)
    assert caught.value.place == place


@pytest.mark.parametrize(
    ("keys", "good", "bad"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 3}, [1, 3], [0, 4]),
        ({"type": "number", "minimum": 0.5}, [0.5], [0.4]),
        ({"type": "number", "minimum": 1, "exclusiveMinimum": True}, [1.1], [1]),
        ({"type": "number", "maximum": 1, "exclusiveMaximum": True}, [0.9], [1]),
        ({"type": "integer", "enum": [1, 2]}, [1, 2.0], [3]),
        ({"type": "boolean", "enum": [True]}, [True], [False]),
        ({"type": "string", "pattern": "^a+$"}, ["aa"], ["ab", "a\n", ""]),
        ({"type": "string", "pattern": "b"}, ["abc"], ["ac"]),
        ({"type": "string", "minLength": 1, "maxLength": 2}, ["a", "ab"], ["", "abc"]),
    ],
)
def test_bounds(keys, good, bad):
    for value in good:
        assert encoded(keys["type"], value, **keys)
    for value in bad:
        with pytest.raises(Mismatch, match="expected "):
            encoded(keys["type"], value, **keys)


def test_what_is_refused_says_why():
    with pytest.raises(Mismatch, match="'2' is not possible here: the reason"):
        encoded("string", "2", refuse={"2": "the reason"})


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("a", ["a"]),
        (True, ["true"]),
        (None, ["None"]),
        (1.5, ["1.5"]),
        ({"a": [1, None]}, ['{"a":[1,null]}']),
        ([], []),
        (["a", 1, False, {"b": 1}], ["a", "1", "false", '{"b":1}']),
        ((1, 2), ["1", "2"]),
        ({"x"}, ["x"]),
        (Colour.RED, ["red"]),
    ],
)
def test_unchecked_values(value, texts):
    assert loose_texts(value) == texts


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
