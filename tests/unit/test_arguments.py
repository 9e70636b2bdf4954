"""Values of parameters: their limits, arrays of them, and what is sent unchecked."""

from __future__ import annotations

import enum

import pytest

from dynadock.call.arguments import checked, loose, written
from dynadock.call.values import Mismatch
from dynadock.spec.model import Parameter


class Colour(enum.StrEnum):
    RED = "red"


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
    each = parameter(encoding, **keys)
    return written(each, checked(each, value))


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
    assert loose(value).texts == texts


@pytest.mark.parametrize(
    ("encoding", "value", "said"),
    [
        *(("boolean", "false", False), ("boolean", 1, "1"), ("seconds", "5", 5)),
        *(
            ("json-object", {"a": (1,)}, {"a": [1]}),
            ("string", ["a", "b"], "b"),
            ("string", [], None),
        ),
    ],
)
def test_what_is_sent_unchecked_is_read_as_its_parameter_takes_it(encoding, value, said):
    assert loose(value, parameter(encoding)).value == said


def test_unknown_names_are_read_as_booleans_or_not_at_all():
    assert [loose(value).value for value in (True, "false", "5")] == [True, False, "5"]


def test_an_enums_member_is_its_value():
    assert encoded("string", Colour.RED) == ["red"]
    assert encoded("integer", enum.Enum("Level", {"HIGH": 7}).HIGH) == ["7"]
