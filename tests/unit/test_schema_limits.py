"""Keywords that are checked by our own code: in linear time, and exactly."""

from __future__ import annotations

import pytest

from dynadock import BodyError, ParameterError, load
from dynadock.call.limits import validator_of
from dynadock.call.values import MOST_CHOICES

MANY = 30_000


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("last", "fits"), [({"n": -1}, True), ({"n": 5}, False), ({"n": 5.0}, False), ([], True)]
)
def test_unique_items_of_a_long_list(last, fits):
    validator = validator_of({"uniqueItems": True})
    assert validator.is_valid([*({"n": n} for n in range(MANY)), last]) is fits


@pytest.mark.timeout(60)
def test_many_values_and_many_choices():
    choices = [*map(str, range(MANY)), {"a": [1]}]
    validator = validator_of({"items": {"enum": choices}})
    assert validator.is_valid([*choices, {"a": [1.0]}])
    assert not validator.is_valid([*choices, {"a": [True]}])


@pytest.mark.timeout(30)
def test_many_members_and_many_choices_of_a_parameter():
    choices = [f"c{n}" for n in range(MANY)]
    items = {"type": "string", "enum": choices}
    parameter = {"name": "q", "in": "query", "type": "array", "items": items}
    paths = {"/things": {"get": {"operationId": "ThingList", "parameters": [parameter]}}}
    document = {"swagger": "2.0", "info": {"version": "1.42"}, "paths": paths}
    prepare = load(document, host="unix:///nowhere.sock").ThingList.prepare
    assert prepare(q=choices)
    with pytest.raises(ParameterError, match=rf"q\[{MANY}\]: expected one of 'c0', "):
        prepare(q=[*choices, "c"])


@pytest.mark.parametrize(
    ("items", "fits"),
    [
        ([1, True], True),
        ([0, False, None, "", [], {}], True),
        ([1, 1.0], False),
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1}], False),
        ([[1, 2], [2, 1]], True),
        ([["list", 1], [1]], True),
        ([[{}], [[]]], True),
    ],
)
def test_what_is_unique(items, fits):
    assert validator_of({"uniqueItems": True}).is_valid(items) is fits


MULTIPLES = [
    (6, 3, True),
    (7, 3, False),
    (0.3, 0.1, True),
    (0.35, 0.1, False),
    (1e308, 1e-320, True),
    (2**1023 + 2**970, 0.5, True),
    (2**1023, 1.5, False),
    (10, 2.5, True),
]


def client():
    numbers = {
        f"n{place}": {"type": "number", "multipleOf": of}
        for place, (_, of, _) in enumerate(MULTIPLES)
    }
    choices = {"c": {"type": "string", "enum": [f"choice {n}" for n in range(1000)]}}
    operation = {
        "operationId": "ThingMake",
        "parameters": [
            *({"name": f"q{name}", "in": "query", **each} for name, each in numbers.items()),
            {"name": "qc", "in": "query", **choices["c"]},
            {"name": "body", "in": "body", "schema": {"properties": {**numbers, **choices}}},
        ],
    }
    paths = {"/things": {"post": operation}}
    document = {"swagger": "2.0", "info": {"version": "1.42"}, "paths": paths}
    return load(document, host="unix:///nowhere.sock")


@pytest.mark.parametrize("start", ["n", "qn"])
@pytest.mark.parametrize("place", range(len(MULTIPLES)))
def test_multiples(start, place):
    number, _, fits = MULTIPLES[place]
    arguments = {f"{start}{place}": number}
    if fits:
        assert client().ThingMake.prepare(**arguments)
    else:
        with pytest.raises((ParameterError, BodyError), match="a multiple of"):
            client().ThingMake.prepare(**arguments)


@pytest.mark.parametrize("name", ["c", "qc"])
def test_a_message_names_some_of_many_choices(name):
    with pytest.raises((ParameterError, BodyError)) as caught:
        client().ThingMake.prepare(**{name: "none"})
    (fault,) = caught.value.faults
    assert fault.problem.startswith("expected one of 'choice 0', 'choice 1', ")
    assert fault.problem.endswith(f", … ({1000 - MOST_CHOICES} more), got 'none'")
