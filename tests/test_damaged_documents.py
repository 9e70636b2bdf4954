"""Damaged documents: each is refused with a SpecError, or all of it works.

The invented document of the cases is damaged in one or two places, with values of any kind.
"""

from __future__ import annotations

import copy
import json
import re
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from documents import ZOO
from dynadock import Options, SpecError, ValidationError
from dynadock.call.bind import bind
from dynadock.call.encode import encode
from dynadock.explore.describe import describe
from dynadock.explore.signature import signature_of
from dynadock.spec.loader import load_spec
from dynadock.spec.openapi import convert
from dynadock.spec.reader import read_document
from samples import JSON_VALUES, Strict


@cache
def zoo():
    return read_document(ZOO.read_bytes(), name="zoo.yaml")


def _places(tree, path=()):
    yield path
    members = tree.items() if isinstance(tree, dict) else ()
    members = enumerate(tree) if isinstance(tree, list) else members
    for step, member in members:
        yield from _places(member, (*path, step))


ZOO_PLACES = list(_places(zoo()))
STRAYS = (
    JSON_VALUES
    | st.sampled_from([{"$ref": "#/definitions/Animal"}, {"$ref": "other.yaml"}, [[]], "a b", "("])
    | st.sampled_from([f"#/definitions/{name}" for name in zoo()["definitions"]])
)


NAME = ("definitions", "Named", "properties", "Name")
WEIGHT = ("definitions", "NewAnimal", "allOf", 1, "properties", "Weight")
PORTIONS = ("paths", "/animals/{name}", "patch", "parameters", 0, "schema")
WEIGHTS = ("paths", "/animals", "get", "parameters", 3)
LIMIT = ("parameters", "Limit")
KNOWN = [
    ((*PORTIONS, "uniqueItems"), "yes"),
    ((*PORTIONS, "minItems"), "1"),
    ((*PORTIONS, "items"), None),
    ((*NAME, "type"), ["string", "string"]),
    ((*NAME, "maxLength"), -1),
    ((*NAME, "pattern"), "("),
    ((*WEIGHT, "exclusiveMinimum"), "yes"),
    ((*WEIGHT, "multipleOf"), 0),
    ((*WEIGHT, "minimum"), None),
    (("definitions", "Named", "required"), [None]),
    (("definitions", "Named", "required"), ["Name", "Name"]),
    ((*WEIGHTS, "items", "type"), "array"),
    ((*WEIGHTS, "items", "enum"), 5),
    ((*WEIGHTS, "items"), [{}]),
    ((*WEIGHTS, "collectionFormat"), {}),
    ((*WEIGHTS, "required"), "no"),
    ((*LIMIT, "type"), None),
    ((*LIMIT, "type"), "string"),
    ((*LIMIT, "minimum"), "1"),
    ((*LIMIT, "enum"), {}),
    ((*LIMIT, "pattern"), 5),
    ((*LIMIT, "format"), []),
    (("paths", "/animals", "get", "tags"), {"Animal": 1}),
]
"""Damages that went unnoticed at first."""


def check(tree):
    before = copy.deepcopy(tree)
    try:
        spec = load_spec(tree)
        for operation in spec.values():
            _use(operation)
        assert json.dumps(convert(spec))
    except SpecError as error:
        problem = str(error)
    else:
        problem = ""
    assert "\n" not in problem
    assert tree == before


@pytest.mark.parametrize(("path", "value"), KNOWN)
def test_a_known_damage_is_refused_or_does_no_harm(path, value):
    tree = node = copy.deepcopy(zoo())
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    check(tree)


def test_the_document_itself_does_no_harm():
    check(copy.deepcopy(zoo()))
    assert load_spec(zoo())


@given(places=st.lists(st.sampled_from(ZOO_PLACES[1:]), min_size=1, max_size=2), data=st.data())
@settings(max_examples=200)
def test_a_damaged_document_is_refused_or_works(places, data):
    tree = copy.deepcopy(zoo())
    for path in places:
        node = tree
        for step in path[:-1]:
            node = node[step] if isinstance(node, dict | list) and step in _keys(node) else {}
        if isinstance(node, dict | list) and path[-1] in _keys(node):
            node[path[-1]] = data.draw(STRAYS)
    check(tree)


def _keys(node):
    return node if isinstance(node, dict) else range(len(node))


def _use(operation):
    assert describe(operation)
    assert signature_of(operation)
    if operation.body is not None:
        # Patterns may be of a dialect that Python does not read.
        Draft202012Validator.check_schema(Strict(operation.body).root, format_checker=None)
    arguments = {parameter.python_name: "x" for parameter in operation.parameters}
    for values in ({}, arguments, {"body": {"Name": "x", "Weight": 1, "Legs": 2}}):
        target = _target(operation, values)
        assert target is None or re.fullmatch(r"[\x21-\x7e]+", target)


def _target(operation, arguments):
    try:
        return encode(bind(operation, (), arguments, Options()), Options()).target
    except ValidationError:
        return None
