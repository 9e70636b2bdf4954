"""Encodings: what JSON cannot say in a case, such as moments, durations and enums."""

from __future__ import annotations

import enum
import math
import re
from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import pytest

from dynadock.call.encodings import ENCODINGS
from dynadock.call.values import Mismatch
from dynadock.spec.library import bundled_versions
from dynadock.spec.loader import load_version


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


def encoded(encoding, value):
    row = ENCODINGS[encoding]
    return row.write(row.check(value))


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
    ("filters", {"a": ""}, '{"a":[""]}'),
    ("filters", MappingProxyType({"a": "b"}), '{"a":["b"]}'),
    ("filters", {"a": ("b", Colour.RED)}, '{"a":["b","red"]}'),
    ("filters", {"a": {"b"}}, '{"a":["b"]}'),
    ("filters", {"a": {"b": 1}.keys()}, '{"a":["b"]}'),
    ("filters", {"a": [Level.HIGH, False]}, '{"a":["7","false"]}'),
    ("filters", {"a": MappingProxyType({"b": True})}, '{"a":{"b":true}}'),
    ("json-object", OrderedDict(b=1, a=None), '{"b":1,"a":null}'),
    ("json-object", MappingProxyType({"a": 1}), '{"a":1}'),
    ("json-array", ("a", {"b": 1}), '["a",{"b":1}]'),
    ("base64-json", MappingProxyType({"a": 1}), "eyJhIjoxfQ=="),
    ("base64-json", {"ü": "ü"}, "eyJcdTAwZmMiOiJcdTAwZmMifQ=="),
    ("base64-json", "", ""),
    ("base64-json", '{ "a": 1 }', "eyJhIjoxfQ=="),
    ("base64", b"s3cret", "czNjcmV0"),
    ("base64", "czNjcmV0", "czNjcmV0"),
]


@pytest.mark.parametrize(("encoding", "value", "text"), GOOD)
def test_what_is_written(encoding, value, text):
    assert encoded(encoding, value) == text


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
    ("filters", {"a": None}),
    ("filters", {"a": []}),
    ("filters", {"a": ()}),
    ("filters", {"a": {}}),
    ("filters", {"a": {}.keys()}),
    ("filters", {"a": ["b"], "c": []}),
    ("filters", {"a": {"b": False}}),
    ("filters", '{"a": null}'),
    ("filters", '{"a": {"b": false}}'),
    ("filters", "null"),
    ("filters", ""),
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
    ("base64", 5),
]


@pytest.mark.parametrize(("encoding", "value"), BAD)
def test_what_is_not(encoding, value):
    with pytest.raises(Mismatch) as caught:
        encoded(encoding, value)
    assert "expected" in caught.value.problem or "JSON" in caught.value.problem


def test_every_encoding_is_tried():
    assert {encoding for encoding, *_ in GOOD} == {encoding for encoding, _ in BAD}
    assert {encoding for encoding, *_ in GOOD} == set(ENCODINGS)


def test_a_structure_that_holds_itself():
    circle = {}
    circle["a"] = circle
    with pytest.raises(Mismatch):
        encoded("json-object", circle)
    with pytest.raises(Mismatch):
        encoded("filters", {"a": circle})


NORMAL_FORMS = [
    ("string", Colour.RED, "red"),
    ("boolean", True, True),
    ("integer", 5.0, 5),
    ("number", 1.5, 1.5),
    ("count", "all", "all"),
    ("count", 1e3, 1000),
    ("seconds", timedelta(minutes=1), 60),
    ("timestamp", DAY.replace(microsecond=500), f"{SECONDS}.000500"),
    ("filters", {"a": "b", "c": [True, 1]}, {"a": ["b"], "c": ["true", "1"]}),
]


@pytest.mark.parametrize(("encoding", "value", "normal"), NORMAL_FORMS)
def test_the_normal_form(encoding, value, normal):
    found = ENCODINGS[encoding].check(value)
    assert found == normal
    assert type(found) is type(normal)


@pytest.mark.parametrize(
    ("encoding", "text", "value"),
    [
        ("filters", '{"a": ["b"]}', {"a": ["b"]}),
        ("json-object", '{ "a": 1 }', {"a": 1}),
        ("json-array", "[1, 2]", [1, 2]),
    ],
)
def test_a_callers_own_json_is_known_and_sent_as_it_is(encoding, text, value):
    row = ENCODINGS[encoding]
    assert row.check(text).value == value
    assert row.write(row.check(text)) == text


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_example_can_be_sent(encoding):
    row = ENCODINGS[encoding]
    assert isinstance(row.write(row.check(row.example)), str)
    assert row.word


def test_contributors_are_told_every_encoding_that_the_overlay_may_name():
    text = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    told = re.search(r"`x-encoding` \(how a value is\s+written: (.*?)\)", text, re.DOTALL)
    of_documents = {"string", "boolean", "integer", "number"}
    assert {*re.findall(r"`([^`]+)`", told[1])} == ENCODINGS.keys() - of_documents


@pytest.mark.parametrize("version", bundled_versions(), ids=str)
def test_every_encoding_of_a_parameter_has_a_row(version):
    for operation in load_version(version).values():
        for parameter in operation.parameters:
            assert (parameter.items or parameter).encoding in ENCODINGS


@pytest.mark.parametrize(
    ("encoding", "text", "value"),
    [
        *(("boolean", "true", True), ("boolean", "false", False), ("boolean", "1", "1")),
        *(("seconds", "5", 5), ("seconds", "-1", "-1"), ("integer", "9" * 5000, "9" * 5000)),
        *(("string", "true", "true"), ("json-object", "{", "{"), ("json-object", "{}", {})),
        *(("filters", '{"a":1}', {"a": 1}), ("timestamp", "x", "x")),
    ],
)
def test_what_an_unchecked_text_says(encoding, text, value):
    assert ENCODINGS[encoding].read(text) == value
