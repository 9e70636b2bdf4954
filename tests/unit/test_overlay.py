"""What each key of an overlay's entry does to a document."""

from __future__ import annotations

import copy

import pytest

from dynadock.errors import SpecError
from dynadock.spec.document import Document
from dynadock.spec.overlay import Overlay, Target

NAMES = {"type": "object", "properties": {"Name": {"type": "string"}, "Old": {"type": "string"}}}
DOCUMENT = {
    "swagger": "2.0",
    "info": {"version": "1.30"},
    "paths": {
        "/a": {
            "post": {
                "operationId": "A",
                "parameters": [
                    {"name": "q", "in": "query", "type": "string", "enum": ["x"]},
                    {"name": "b", "in": "body", "schema": {"$ref": "#/definitions/T"}},
                ],
                "responses": {"200": {"schema": copy.deepcopy(NAMES)}},
            }
        },
        "/b": {"get": {"operationId": "B", "responses": {}}},
    },
    "definitions": {
        "T": {"allOf": [{"$ref": "#/definitions/U"}, copy.deepcopy(NAMES)]},
        "U": {
            "type": "object",
            "properties": {
                "List": {"type": "array", "items": copy.deepcopy(NAMES)},
                "Map": {"type": "object", "additionalProperties": copy.deepcopy(NAMES)},
            },
        },
    },
}


def applied(section, **keys):
    """Apply one entry to the document; return what it matched and the document."""
    document = Document(copy.deepcopy(DOCUMENT), name="x")
    overlay = Overlay({section: [{"why": "It is so.", **keys}]})
    return {target.name for target in overlay.apply(document)}, document


def test_an_alias_of_an_operation():
    matched, document = applied("operations", operation=["A", "Gone"], alias="NewA")
    assert matched == {"A"}
    assert document.operations["A"].node["x-alias"] == "NewA"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"set": {"type": "integer"}}, {"type": "integer", "enum": ["x"]}),
        ({"unset": ["enum", "default"]}, {"type": "string"}),
        ({"replace": {"name": "q", "in": "query"}}, {}),
        (
            {"unset": ["enum"], "set": {"x-encoding": "filters"}},
            {"type": "string", "x-encoding": "filters"},
        ),
    ],
)
def test_a_corrected_parameter(keys, expected):
    matched, document = applied("parameters", operation="A", name="q", **keys)
    assert matched == {"A"}
    assert document.operations["A"].parameter("q") == {"name": "q", "in": "query", **expected}


@pytest.mark.parametrize(("on", "name"), [("A", "none"), ("A", "b"), ("B", "q"), ("C", "q")])
def test_a_parameter_that_is_not_there(on, name):
    matched, document = applied("parameters", operation=on, name=name, set={"type": "integer"})
    assert matched == set()
    assert document.operations["A"].parameter("q")["type"] == "string"


def test_an_added_parameter():
    matched, document = applied("parameters", operation=["A", "B"], name="q", add={"in": "header"})
    assert matched == {"B"}  # A has one of that name
    assert document.operations["B"].parameter("q") == {"name": "q", "in": "header"}


def test_a_corrected_body():
    matched, document = applied("bodies", operation=["A", "B"], set={"required": True})
    assert matched == {"A"}
    assert document.operations["A"].body["required"] is True


def test_a_reply():
    matched, document = applied("replies", operation=["A", "B", "C"], set={"kind": "frames"})
    assert matched == {"A", "B"}
    assert document.operations["B"].node["x-reply"] == {"kind": "frames"}


def test_more_said_of_one_reply():
    document = Document(copy.deepcopy(DOCUMENT), name="x")
    said = ({"kind": "tar"}, {"wait": "forever"})
    entries = [{"operation": "A", "set": each, "why": "So."} for each in said]
    matched = Overlay({"replies": entries}).apply(document)
    assert matched == {Target("replies", 0, "A"), Target("replies", 1, "A")}
    assert document.operations["A"].node["x-reply"] == {"kind": "tar", "wait": "forever"}


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ({"definition": "T", "field": "Name"}, ("T", "allOf", 1, "properties", "Name")),
        ({"definition": "U", "field": "List[].Name"}, ("U", "List", "items", "Name")),
        ({"definition": "U", "field": "Map{}.Name"}, ("U", "Map", "additionalProperties", "Name")),
        ({"definition": "U", "field": "List[]"}, ("U", "List", "items")),
        ({"definition": "U"}, ("U",)),
        ({"body": "A"}, ("body",)),
        ({"reply": "A", "field": "Name"}, ("reply", "Name")),
    ],
)
def test_a_corrected_schema(keys, place):
    matched, document = applied("schemas", **keys, set={"x-here": True})
    (root,) = (key for key in keys if key != "field")
    assert matched == {f"{root}:{keys[root]}"}
    assert schema(document, place)["x-here"] is True


def schema(document, place):
    first, *steps = place
    if first == "body":
        return document.operations["A"].body["schema"]
    node = document.operations["A"].success["schema"] if first == "reply" else None
    node = document.definitions[first] if node is None else node
    for step in steps:
        inside = isinstance(node, dict) and step not in node
        node = node["properties"][step] if inside else node[step]
    return node


@pytest.mark.parametrize(
    "keys",
    [
        {"definition": "V"},
        {"definition": "T", "field": "Nothing"},
        {"definition": "T", "field": "List"},  # behind a $ref
        {"definition": "U", "field": "List{}"},
        {"definition": "U", "field": "Map[]"},
        {"body": "B"},
        {"reply": "B"},
        {"reply": "C"},
    ],
)
def test_a_schema_that_is_not_there(keys):
    matched, document = applied("schemas", **keys, set={"x-here": True})
    assert matched == set()
    assert document.definitions == DOCUMENT["definitions"]


def test_added_properties():
    more = {"New": {"type": "integer"}, "Name": {"type": "integer"}}
    matched, document = applied("schemas", definition="T", add=more)
    assert matched == {"definition:T"}
    properties = document.definitions["T"]["allOf"][1]["properties"]
    assert properties["New"] == {"type": "integer"}
    assert properties["Name"] == {"type": "string"}
    assert "properties" not in document.definitions["T"]


def test_nothing_to_add():
    assert applied("schemas", definition="T", add={"Name": {"type": "integer"}})[0] == set()


def test_second_spellings():
    matched, document = applied("schemas", definition="T", alias={"Label": "Name", "Old": "Name"})
    assert matched == {"definition:T"}
    properties = document.definitions["T"]["allOf"][1]["properties"]
    assert properties["Label"] == {"type": "string"}
    assert properties["Old"] == {"type": "string"}


def test_properties_are_dropped_with_their_being_required():
    matched, document = applied("schemas", definition="T", drop=["Name", "Unknown"])
    assert matched == {"definition:T"}
    branch = document.definitions["T"]["allOf"][1]
    assert "Name" not in branch["properties"]
    assert "Name" not in branch.get("required", [])


def test_nothing_to_drop():
    assert applied("schemas", definition="T", drop=["Unknown"])[0] == set()


def test_a_renamed_property():
    entry = {"alias": {"Label": "Name"}, "drop": ["Name"]}
    _, document = applied("schemas", definition="T", **entry)
    properties = document.definitions["T"]["allOf"][1]["properties"]
    assert (properties["Label"], "Name" in properties) == ({"type": "string"}, False)


def test_the_entry_and_the_document_share_nothing():
    add = {"New": {"enum": ["x"]}}
    _, document = applied("schemas", definition="U", add=add)
    document.definitions["U"]["properties"]["New"]["enum"].append("y")
    assert add == {"New": {"enum": ["x"]}}


@pytest.mark.parametrize(
    ("versions", "counts"),
    [("all", True), ("1.30", True), ("1.29-1.30", True), ("1.31-", False), ("-1.29", False)],
)
def test_versions(versions, counts):
    assert applied("operations", operation="A", alias="Z", versions=versions)[0] == (
        {"A"} if counts else set()
    )


@pytest.mark.parametrize(
    ("tree", "part"),
    [
        ({"operation": []}, "no section operation"),
        ({"operations": [{"operation": "A", "alias": "B"}]}, "operations[0] gives no reason"),
        ({"replies": [{"operation": "A", "set": {}, "why": ""}]}, "replies[0] gives no reason"),
        (
            {"replies": [{"operation": "A", "why": "So.", "versions": "some"}]},
            "'some' is not an API version",
        ),
    ],
)
def test_a_broken_overlay(tree, part):
    with pytest.raises(SpecError) as caught:
        Overlay(tree)
    assert part in str(caught.value)


def test_an_empty_overlay():
    assert Overlay({"operations": None}).entries == []
