"""Schemas: flattened, walked, and made strict."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from dynadock.call.limits import validator_of
from dynadock.errors import SpecError
from dynadock.spec.fields import fields
from dynadock.spec.schema import (
    flatten,
    kind_of,
    schema_at,
    strict_schema,
)

STRING = {"type": "string"}
DEFINITIONS = {
    "Leaf": {"type": "object", "required": ["A"], "properties": {"A": STRING}},
    "Tree": {
        "allOf": [
            {"$ref": "#/definitions/Leaf"},
            {
                "required": ["A", "B"],
                "properties": {
                    "B": {"type": "array", "items": {"$ref": "#/definitions/Tree"}},
                    "M": {"type": "object", "additionalProperties": {"$ref": "#/definitions/Leaf"}},
                },
            },
        ]
    },
    "Alias": {"$ref": "#/definitions/Tree"},
    "Text": {"type": "string", "enum": ["a", "b"]},
    "Self": {"allOf": [{"$ref": "#/definitions/Self"}]},
    "Ping": {"$ref": "#/definitions/Pong"},
    "Pong": {"$ref": "#/definitions/Ping"},
}


def ref(name):
    return {"$ref": f"#/definitions/{name}"}


def test_flattening_an_all_of_behind_a_ref():
    flat = flatten(ref("Alias"), DEFINITIONS)
    assert flat["type"] == "object"
    assert sorted(flat["required"]) == ["A", "B"]
    assert list(flat["properties"]) == ["A", "B", "M"]
    assert "allOf" not in flat


@pytest.mark.parametrize(
    ("branches", "flat"),
    [
        ([{"enum": ["a", "b"]}, {"enum": ["b", "c"]}], {"enum": ["b"]}),
        (
            [{"properties": {"A": STRING}}, {"properties": {"B": {}}}],
            {"properties": {"A": STRING, "B": {}}},
        ),
        ([{"required": ["A"]}, {"required": ["B", "A"]}], {"required": ["A", "B"]}),
        ([STRING, {"pattern": "x"}], {"type": "string", "pattern": "x"}),
        ([], {}),
    ],
)
def test_what_branches_come_to(branches, flat):
    assert flatten({"allOf": branches}, {}) == flat


def test_what_stands_beside_an_all_of_counts_last():
    assert flatten({"allOf": [{"type": "object", "x": 1}], "x": 2}, {}) == {
        "type": "object",
        "x": 2,
    }


@pytest.mark.parametrize("name", ["Self", "Ping"])
def test_circles(name):
    with pytest.raises(SpecError, match="made of itself"):
        flatten(ref(name), DEFINITIONS)


def test_flattening_leaves_the_document_alone():
    before = repr(DEFINITIONS)
    flatten(ref("Alias"), DEFINITIONS)
    strict_schema(ref("Alias"), DEFINITIONS)
    assert repr(DEFINITIONS) == before


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        (ref("Alias"), "object"),
        ({"properties": {}}, "object"),
        ({"type": "array"}, "array"),
        ({"type": "string", "format": "binary"}, "binary"),
        ({"type": ["array", "string"]}, "any"),
        ({}, "any"),
    ],
)
def test_kinds(schema, kind):
    assert kind_of(schema, DEFINITIONS) == kind


def test_walking_enters_a_definition_once():
    found = [(field.path, field.required) for field in fields(ref("Tree"), DEFINITIONS)]
    assert found == [("A", True), ("B", True), ("M", False), ("M{}.A", True)]


def test_walking_only_so_deep():
    assert [field.path for field in fields(ref("Tree"), DEFINITIONS, depth=1)][:3] == [
        "A",
        "B",
        "M",
    ]
    assert list(fields(ref("Tree"), DEFINITIONS, depth=0)) == []


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ((), "object"),
        (("A",), "string"),
        (("B", 5, "A"), "string"),
        (("B", 0, "B", 1, "M", "any key", "A"), "string"),
        (("M",), "object"),
        (("X",), None),
        (("A", "B"), None),
        (("B", "A"), None),
        (("M", 0), None),
    ],
)
def test_the_schema_of_a_place(path, schema):
    assert schema_at(ref("Tree"), DEFINITIONS, path).get("type") == schema


def passes(schema, value, definitions=DEFINITIONS):
    strict = strict_schema(schema, definitions)
    Draft202012Validator.check_schema(strict)
    return validator_of(strict).is_valid(value)


STRICT = [
    # null is allowed for every field: type lists, enums, $ref siblings and allOf
    (STRING, [None, "", "x"], [5, True, [], {}]),
    ({"type": ["array", "string"]}, [None, [], "x"], [5, {}]),
    ({"type": ["string", "null"]}, [None, "x"], [5]),
    ({"enum": [1, 2], "type": "integer"}, [None, 1], [3, "", True]),
    ({"enum": [1, 2]}, [None, 1], [3]),
    (ref("Text"), [None, "", "a"], ["c", 5]),
    ({**ref("Text"), "x-nullable": False}, [None, "a"], ["c"]),
    ({"allOf": [ref("Text")]}, [None, "", "a"], ["c"]),
    ({"allOf": [ref("Text"), {"enum": ["b", "c"]}]}, [None, "", "b"], ["a", "c"]),
    ({"type": "boolean"}, [None, True], [0, 1, "true"]),
    ({"type": "object", "enum": [{}]}, [None, {}], [{"a": 1}, []]),
    # unknown keys
    (ref("Leaf"), [None, {"A": None}], [{"A": "x", "B": 1}, {"a": "x"}, {}]),
    (
        ref("Tree"),
        [{"A": "x", "B": [{"A": "y", "B": []}]}],
        [{"A": "x", "B": [{"A": "y", "b": []}]}],
    ),
    ({"type": "object"}, [{}, {"anything": 1}], [[]]),
    # null as an entry of a list or a map
    (
        {"type": "object", "additionalProperties": STRING},
        [{"a": "b"}, {}, None],
        [{"a": 1}, {"a": "b", "c": None}],
    ),
    ({"type": "array", "items": STRING}, [["a"], [], None], [[None], ["a", None]]),
    ({"type": "array", "items": ref("Text")}, [["a"]], [[None], ["c"]]),
    ({"type": "array", "items": {"allOf": [ref("Text")]}}, [["a"]], [[None]]),
    ({"type": "array", "items": {"properties": {}}}, [[{}]], [[None]]),
    ({"type": "array", "items": {"enum": ["a"], "type": "string"}}, [["a", ""]], [[None]]),
    ({"type": "array", "items": {"type": "array", "items": STRING}}, [[["a"]]], [[None], [[None]]]),
    ({"type": "array", "items": {"type": ["string", "null"]}}, [[None]], [[5]]),
    ({"type": "array", "items": {**STRING, "x-nullable": True}}, [[None, "a"]], [[5]]),
    (
        {"type": "object", "additionalProperties": {**ref("Text"), "x-nullable": True}},
        [{"a": None}],
        [],
    ),
    ({"type": "array", "items": {}}, [[None, 5]], []),
    (
        {
            "type": "object",
            "properties": {"A": STRING},
            "additionalProperties": {"type": "integer"},
        },
        [{"A": "x", "b": 5}],
        [{"A": 5}, {"b": "x"}],
    ),
    (
        {"properties": {"A": STRING}, "additionalProperties": True},
        [{"A": "x", "b": [1]}],
        [{"A": 1}],
    ),
    ({"properties": {"A": STRING}, "additionalProperties": False}, [{"A": "x"}], [{"b": 1}]),
    ({"type": "object", "additionalProperties": False}, [{}], [{"b": 1}]),
    # bounds
    ({"type": "integer", "format": "uint8"}, [0, 255, None], [-1, 256, 1.5]),
    ({"type": "integer", "format": "int64"}, [2**63 - 1, -(2**63)], [2**63]),
    ({"type": "integer", "format": "int64", "minimum": 0}, [0], [-1]),
    ({"type": "integer", "format": "no such"}, [2**80], [1.5]),
    ({"type": "integer"}, [5, 5.0, -(2**80)], [True, "5"]),
    ({"type": "number", "minimum": 0, "exclusiveMinimum": True}, [0.1], [0, -1]),
    ({"type": "number", "minimum": 0, "exclusiveMinimum": False}, [0], [-1]),
    ({"type": "number", "maximum": 9, "exclusiveMaximum": True}, [8.9], [9]),
    ({"type": "number", "exclusiveMaximum": True}, [9], ["x"]),
    ({"type": "integer", "format": "uint8", "maximum": 9, "exclusiveMaximum": True}, [8], [9, -1]),
    ({"type": "number", "multipleOf": 0.5}, [1.5], [1.2]),
    ({"type": "string", "minLength": 1, "maxLength": 2}, ["a", None], ["", "abc"]),
    ({"type": "string", "pattern": "^a+$"}, ["aa"], ["aab", "a\n"]),
    ({"type": "string", "pattern": r"a\$"}, ["a$b"], ["a"]),
    ({"type": "array", "minItems": 1, "maxItems": 2}, [[1], None], [[], [1, 2, 3]]),
    ({"type": "array", "uniqueItems": True}, [[1, 2]], [[1, 1]]),
    (
        {"type": "object", "minProperties": 1, "maxProperties": 1},
        [{"a": 1}],
        [{}, {"a": 1, "b": 2}],
    ),
    ({}, [None, 1, "x", [], {}], []),
]


@pytest.mark.parametrize(
    ("schema", "value"), [(schema, value) for schema, good, _ in STRICT for value in good]
)
def test_what_passes(schema, value):
    assert passes(schema, value)


@pytest.mark.parametrize(
    ("schema", "value"), [(schema, value) for schema, _, bad in STRICT for value in bad]
)
def test_what_does_not(schema, value):
    assert not passes(schema, value)


@pytest.mark.parametrize(
    "names", [("a.b", "a_2e_b"), ("A B", "A_20_B"), ("A/B", "A~1B"), ("Ä", "A")]
)
def test_definitions_of_unusual_names_are_distinct(names):
    definitions = {names[0]: STRING, names[1]: {"type": "integer"}}
    schema = {"properties": {"x": ref(names[0]), "y": ref(names[1])}}
    assert passes(schema, {"x": "s", "y": 5}, definitions)
    assert not passes(schema, {"x": 5}, definitions)
    assert not passes(schema, {"y": "s"}, definitions)


def test_only_definitions_that_are_needed_come_along():
    strict = strict_schema(ref("Tree"), DEFINITIONS)
    assert set(strict["$defs"]) == {"Tree", "Leaf"}
    assert "$defs" not in strict_schema(STRING, DEFINITIONS)
