"""Documents: the shape of Swagger 2.0 is checked, and each fault has its place."""

from __future__ import annotations

import copy
import re

import pytest

from dynadock import BodyError, load
from dynadock.errors import SpecError
from dynadock.explore.describe import describe
from dynadock.explore.signature import signature_of
from dynadock.spec import shape
from dynadock.spec.build import build_from_tree
from dynadock.spec.document import Document
from dynadock.spec.loader import load_spec

PATHS = {
    "/things/{id}": {
        "get": {
            "operationId": "ThingInspect",
            "parameters": [{"name": "id", "in": "path", "required": True, "type": "string"}],
            "responses": {"200": {"schema": {"$ref": "#/definitions/Thing"}}},
        },
        "post": {
            "operationId": "ThingUpdate",
            "parameters": [
                {"name": "id", "in": "path", "required": True, "type": "string"},
                {"name": "thing", "in": "body", "schema": {"$ref": "#/definitions/Thing"}},
            ],
            "responses": {"204": {}},
        },
    }
}
DOCUMENT = {
    "swagger": "2.0",
    "info": {"version": "1.42"},
    "basePath": "/v1.42",
    "paths": PATHS,
    "definitions": {"Thing": {"type": "object", "properties": {"Name": {"type": "string"}}}},
}

GET = ("paths", "/things/{id}", "get")
ID = (*GET, "parameters", 0)
OK = (*GET, "responses", "200")
THING = ("definitions", "Thing")
NAME = (*THING, "properties", "Name")
BODY = ("paths", "/things/{id}", "post", "parameters", 1)
GONE = object()


def holding(definitions, place):
    """Return the document with more definitions, of which the first is the schema of a place."""
    tree = changed(("definitions", "More"), {})
    tree["definitions"] |= copy.deepcopy(definitions)
    target = tree
    for step in place:
        target = target[step]
    holder = target if place is NAME else target["schema"]
    holder.clear()
    holder["$ref"] = "#/definitions/L0"
    return tree


def changed(path, value):
    """Return the document with another value at ``path``, or none."""
    tree = node = copy.deepcopy(DOCUMENT)
    for step in path[:-1]:
        node = node[step]
    if value is GONE:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return tree


def test_the_document_itself_is_one():
    spec = load_spec(DOCUMENT)
    assert set(spec) == {"ThingInspect", "ThingUpdate"}
    assert spec.base_path == "/v1.42"


QUERY = {"name": "q", "in": "query", "type": "string"}
REFUSED = {
    "no version": (("info", "version"), "latest", "info.version: 'latest'"),
    "a number for the version": (("info", "version"), 1.42, "info.version"),
    "a list of paths": (("paths",), [], "paths"),
    "a path that is none": (("paths", "things"), {}, "paths.things"),
    "a path with a blank": (("paths", "/a b"), {"get": {"operationId": "A"}}, "/a b"),
    "a path with a line break": (("paths", "/a\r\nb"), {"get": {"operationId": "A"}}, "paths."),
    "a path with a query": (("paths", "/a?b=c"), {"get": {"operationId": "A"}}, "paths./a?b=c"),
    "a path beyond ASCII": (("paths", "/ä"), {"get": {"operationId": "A"}}, "paths./ä"),
    "a base path that is none": (("basePath",), "v1.42", "basePath"),
    "a base path with a blank": (("basePath",), "/v1 42", "basePath"),
    "a base path beyond ASCII": (("basePath",), "/vä", "basePath"),
    "a base path that is a list": (("basePath",), ["/v1"], "basePath"),
    "an operation that is none": (GET, "x", "paths./things/{id}.get: expected a mapping, got str"),
    "no operationId": ((*GET, "operationId"), GONE, "paths./things/{id}.get"),
    "an odd operationId": ((*GET, "operationId"), "Thing-Inspect", "'Thing-Inspect'"),
    "an operationId twice": ((*GET, "operationId"), "ThingUpdate", "is taken"),
    "parameters that are none": ((*GET, "parameters"), {}, "get.parameters: expected a list"),
    "a parameter that is none": (ID, "id", "get.parameters[0]: expected a mapping, got str"),
    "a parameter without a name": ((*ID, "name"), GONE, "get.parameters[0]: a parameter needs"),
    "a parameter in the form": ((*ID, "in"), "formData", "'id' is in 'formData'"),
    "a parameter that is nowhere": ((*ID, "in"), GONE, "'id' is in None"),
    "a template without its parameter": ((*GET, "parameters"), [], "differ: id"),
    "a parameter without its template": ((*ID, "name"), "name", "differ: id, name"),
    "a header that is not a token": (ID, {**QUERY, "in": "header", "name": "a:b"}, "parameters[0]"),
    "a parameter's odd type": ((*ID, "type"), {}, "parameters[0]"),
    "a parameter's unknown type": ((*ID, "type"), "text", "parameters[0]"),
    "a parameter's odd enum": ((*ID, "enum"), 5, "parameters[0]"),
    "a parameter's odd pattern": ((*ID, "pattern"), 5, "parameters[0]"),
    "a parameter's odd bound": ((*ID, "minimum"), "x", "parameters[0]"),
    "a parameter's odd items": (ID, {**QUERY, "type": "array", "items": []}, "parameters[0]"),
    "a parameter's odd collection": ((*ID, "collectionFormat"), [], "parameters[0]"),
    "a $ref to no parameter": (ID, {"$ref": "#/parameters/Id"}, "'#/parameters/Id' does not lead"),
    "a $ref to another file": (ID, {"$ref": "x.yaml#/parameters/Id"}, "does not lead"),
    "responses that are none": ((*GET, "responses"), [], "get.responses: expected a mapping"),
    "a response that is none": ((*GET, "responses", "200"), "x", "get.responses.200"),
    "headers that are none": ((*OK, "headers"), [], "200.headers: expected a mapping"),
    "a header that is none": ((*OK, "headers"), {"A": 5}, "200.headers.A: expected a mapping"),
    "a reply's header's name": ((*OK, "headers"), {"a b": {}}, "'a b' is not the name of a header"),
    "a reply's header's type": ((*OK, "headers"), {"A": {"type": "x"}}, "headers.A.type: 'x'"),
    "odd tags": ((*GET, "tags"), 5, "tags"),
    "a body that is no schema": ((*BODY, "schema"), [], "the body's schema is not a mapping"),
    "definitions that are none": (("definitions",), [5], "definitions: expected a mapping"),
    "a definition that is none": (THING, "x", "definitions.Thing: expected a mapping, got str"),
    "properties that are none": ((*THING, "properties"), [], "definitions.Thing.properties"),
    "a property that is none": (NAME, "string", "definitions.Thing.Name"),
    "no type at all": ((*NAME, "type"), [], "definitions.Thing.Name.type: expected a type"),
    "an odd type": ((*NAME, "type"), "text", "definitions.Thing.Name.type: 'text' is not a type"),
    "an odd list of types": ((*NAME, "type"), ["string", 5], "definitions.Thing.Name.type"),
    "an odd allOf": ((*THING, "allOf"), {}, "definitions.Thing.allOf: expected a list, got dict"),
    "an odd part of an allOf": ((*THING, "allOf"), [5], "definitions.Thing.allOf[0]"),
    "odd items": ((*NAME, "items"), [], "definitions.Thing.Name.items: expected a schema"),
    "an odd required": ((*THING, "required"), "Name", "definitions.Thing.required"),
    "required numbers": ((*THING, "required"), [5], "definitions.Thing.required"),
    "an odd enum": ((*NAME, "enum"), "x", "definitions.Thing.Name.enum"),
    "an odd bound": ((*NAME, "minimum"), "x", "definitions.Thing.Name.minimum"),
    "an odd length": ((*NAME, "maxLength"), [], "definitions.Thing.Name.maxLength"),
    "a multiple of nothing": ((*NAME, "multipleOf"), 0, "definitions.Thing.Name.multipleOf"),
    "odd unique items": ((*NAME, "uniqueItems"), "yes", "definitions.Thing.Name.uniqueItems"),
    "a pattern that is none": ((*NAME, "pattern"), 5, "definitions.Thing.Name.pattern"),
    "a property's name without end": (
        (*THING, "properties", "N" * 251),
        {},
        "the name has more than 250 characters",
    ),
    "a parameter's name without end": ((*ID, "name"), "n" * 251, "more than 250 characters"),
    "a definition's name without end": (("definitions", "N" * 251), {}, "more than 250 characters"),
    "an operationId without end": ((*GET, "operationId"), "N" * 251, "more than 250 characters"),
    "a path without end": (("paths", "/n" * 126), {}, "more than 250 characters"),
    "a $ref to nothing": (NAME, {"$ref": "#/definitions/No"}, "'#/definitions/No' leads nowhere"),
    "a $ref to a file": (NAME, {"$ref": "other.yaml"}, "'other.yaml' is refused"),
    "a $ref to an address": (NAME, {"$ref": "https://x/y.json"}, "is refused"),
    "a $ref to the document": (NAME, {"$ref": "#"}, "'#' is refused"),
    "a $ref that is not text": (NAME, {"$ref": 5}, "$ref 5 is refused"),
    "a $ref in an answer": (
        (*GET, "responses", "200", "schema", "$ref"),
        "file:///etc/passwd",
        "'file:///etc/passwd' is refused",
    ),
    "a definition that is itself": (THING, {"$ref": "#/definitions/Thing"}, "Thing"),
    "a definition made of itself": (THING, {"allOf": [{"$ref": "#/definitions/Thing"}]}, "Thing"),
}


@pytest.mark.parametrize(("path", "value", "part"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_document(path, value, part):
    with pytest.raises(SpecError) as caught:
        load_spec(changed(path, value))
    assert str(caught.value).startswith("document: ")
    assert part in str(caught.value)


ACCEPTED = {
    "a definition without a word": (("definitions", "More"), {}),
    "a version with more text": (("info", "version"), "1.42 (revision 7)"),
    "a version with a letter": (("info", "version"), "v1.42"),
    "no base path": (("basePath",), ""),
    "a slash at the end": (("basePath",), "/v1.42/"),
    "no responses": ((*GET, "responses"), {}),
    "a property named like a keyword": (
        THING,
        {"type": "object", "properties": {"$ref": {"type": "string"}, "type": {"type": "string"}}},
    ),
    "an enum of anything": ((*NAME, "enum"), [{"$ref": "x"}, None, 5]),
    "a pattern that nobody can read": ((*NAME, "pattern"), "("),
    "a pattern of another dialect": ((*ID, "pattern"), "(?<name>x)"),
    "extensions": ((*GET, "x-anything"), {"$ref": 5}),
}


@pytest.mark.parametrize(("path", "value"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_what_is_one(path, value):
    spec = load_spec(changed(path, value))
    assert len(spec) == 2
    assert str(spec.version) == "1.42"
    assert spec.base_path in ("", "/v1.42")


@pytest.mark.parametrize("name", ["self", "class", "2nd", "a b", "ö", "__init__", "args"])
def test_any_name_of_a_parameter_can_be_shown(name):
    tree = changed((*GET, "parameters"), [PATHS["/things/{id}"]["get"]["parameters"][0]])
    tree["paths"]["/things/{id}"]["get"]["parameters"].append({**QUERY, "name": name})
    operation = load_spec(tree)["ThingInspect"]
    assert len(signature_of(operation).parameters) == 2
    assert operation.by_name[name].name == name
    assert operation.parameters[1].python_name in describe(operation)


@pytest.mark.parametrize("name", ["class", "a b", "2nd", "a.b"])
def test_any_name_of_a_field_can_be_shown(name):
    tree = changed((*THING, "properties", name), {"type": "string"})
    operation = load_spec(tree)["ThingUpdate"]
    assert "Name" in signature_of(operation).parameters
    assert f"\n  {name} " in describe(operation)


@pytest.mark.parametrize(
    ("name", "pointer"),
    [("A/B", "A~1B"), ("A~B", "A~0B"), ("A B", "A%20B"), ("A B", "A B"), ("Ä", "Ä")],
)
def test_pointers_to_odd_names(name, pointer):
    tree = changed(("definitions", name), {"type": "integer"})
    tree["definitions"]["Thing"]["properties"]["Name"] = {"$ref": f"#/definitions/{pointer}"}
    operation = load_spec(tree)["ThingUpdate"]
    assert [field.path for field in operation.body.fields()] == ["Name"]


def test_shared_parameters_and_those_of_a_path():
    shared = {"name": "id", "in": "path", "required": True, "type": "string"}
    tree = changed((*GET, "parameters"), [])
    tree["parameters"] = {"Id": shared}
    tree["paths"]["/things/{id}"]["parameters"] = [{"$ref": "#/parameters/Id"}]
    operation = load_spec(tree)["ThingInspect"]
    assert [parameter.name for parameter in operation.positional] == ["id"]


def test_one_and_the_same_shared_parameter_is_corrected_for_one_operation_only():
    tree = changed(("parameters",), {"Q": QUERY})
    for method in ("get", "post"):
        tree["paths"]["/things/{id}"][method]["parameters"].append({"$ref": "#/parameters/Q"})
    document = Document(tree, name="x")
    document.operations["ThingInspect"].parameter("q")["type"] = "integer"
    assert document.operations["ThingUpdate"].parameter("q")["type"] == "string"


BIG = 3000


def chain(links):
    """Return definitions each of which is nothing but the next."""
    found = {f"L{n}": {"$ref": f"#/definitions/L{n + 1}"} for n in range(links)}
    return {**found, f"L{links}": {"type": "string"}}


def doubling(levels):
    """Return definitions each of which is twice the next."""
    twice = {
        f"L{n}": {
            "allOf": [{"$ref": f"#/definitions/L{n + 1}"}, {"$ref": f"#/definitions/L{n + 1}"}]
        }
        for n in range(levels)
    }
    return {**twice, f"L{levels}": {"type": "object", "properties": {"A": {"type": "string"}}}}


def circle(length):
    """Return definitions that lead round and round."""
    return {f"L{n}": {"$ref": f"#/definitions/L{(n + 1) % length}"} for n in range(length)}


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    ("definitions", "place"),
    [
        (chain(BIG), BODY),
        (chain(BIG), NAME),
        (doubling(60), BODY),
        (doubling(60), NAME),
        (circle(1), BODY),
        (circle(1), NAME),
        (circle(BIG), BODY),
        (circle(BIG), NAME),
    ],
    ids=[
        f"{name} in {where}" for name in ("chain", "doubling", "self", "circle") for where in "bp"
    ],
)
def test_absurd_definitions_are_refused_or_work(definitions, place):
    tree = holding(definitions, place)
    problem = ""
    try:
        operation = load_spec(tree)["ThingUpdate"]
        describe(operation)
        signature_of(operation)
        list(operation.body.fields())
    except SpecError as error:
        problem = str(error)
    assert "\n" not in problem


def tree_of(levels, wide):
    """Return definitions each of which has the next for several of its fields."""
    found = {
        f"L{n}": {
            "type": "object",
            "properties": {f"F{m}": {"$ref": f"#/definitions/L{n + 1}"} for m in range(wide)},
        }
        for n in range(levels)
    }
    return {**found, f"L{levels}": {"type": "string"}}


def meshed(count):
    """Return definitions each of which has all for its fields."""
    fields = {f"F{n}": {"$ref": f"#/definitions/L{n}"} for n in range(count)}
    return {f"L{n}": {"type": "object", "properties": fields} for n in range(count)}


def nested(levels, wrap):
    """Return definitions each of which holds the next."""
    found = {f"L{n}": wrap({"$ref": f"#/definitions/L{n + 1}"}) for n in range(levels)}
    return {**found, f"L{levels}": {"type": "string"}}


FEWER = 5_000
MANY = f"the document has more than {FEWER} fields"
DEEP = "nested deeper than 100 levels"
BOMBS = {
    "6**20 fields": (tree_of(20, 6), MANY),
    "2**40 fields": (tree_of(40, 2), MANY),
    "every one in every one": (meshed(30), MANY),
    "lists in lists": (nested(BIG, lambda inner: {"type": "array", "items": inner}), DEEP),
    "maps in maps": (nested(BIG, lambda inner: {"additionalProperties": inner}), DEEP),
    "fields in fields": (nested(BIG, lambda inner: {"properties": {"A": inner}}), DEEP),
    "lists and maps": (
        nested(40, lambda inner: {"items": inner, "additionalProperties": inner}),
        MANY,
    ),
    "parts in parts in fields": (
        nested(40, lambda inner: {"allOf": [{"allOf": [{"properties": {"A": inner}}]}]}),
        DEEP,
    ),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
@pytest.mark.parametrize("place", [BODY, NAME], ids=["body", "field"])
def test_fields_without_end_are_refused(monkeypatch, bomb, place):
    # All the quicker: the published documents have twice as many.
    monkeypatch.setattr(shape, "MOST_FIELDS", FEWER)
    definitions, problem = bomb
    tree = holding(definitions, place)
    with pytest.raises(SpecError, match=re.escape(problem)):
        load_spec(tree)


DEEPEST = {
    "lists": (45, lambda inner: {"type": "array", "items": inner}, lambda value: [value]),
    "maps": (45, lambda inner: {"additionalProperties": inner}, lambda value: {"k": value}),
    "fields": (45, lambda inner: {"properties": {"A": inner}}, lambda value: {"A": value}),
    "parts": (
        23,
        lambda inner: {"allOf": [{"allOf": [{"properties": {"A": inner}}]}]},
        lambda value: {"A": value},
    ),
}


@pytest.mark.parametrize(("levels", "wrap", "hold"), DEEPEST.values(), ids=DEEPEST.keys())
def test_the_deepest_that_is_loaded_works(levels, wrap, hold):
    tree = changed(("definitions", "More"), {})
    tree["definitions"] |= nested(levels, wrap)
    tree["definitions"]["Thing"]["properties"]["Name"] = {"$ref": "#/definitions/L0"}
    client = load(tree, host="unix:///nowhere.sock")
    update = client.ThingUpdate
    assert describe(client._spec["ThingUpdate"], depth=100)
    assert client.schema("Thing").tree(100)
    assert update.prepare(**update.example(full=True))
    good, bad = "x", 5
    for _ in range(levels):
        good, bad = hold(good), hold(bad)
    assert update.prepare("x", Name=good)
    with pytest.raises(BodyError, match="expected string, got 5"):
        update.prepare("x", Name=bad)


SELF = {"$ref": "#/definitions/Self"}
ROUND = {
    "a field": {"type": "object", "properties": {"A": SELF, "B": {"type": "string"}}},
    "a list": {"type": "array", "items": SELF},
    "a map": {"type": "object", "additionalProperties": SELF},
    "a part of a field": {"type": "object", "properties": {"A": {"allOf": [SELF]}}},
    "a part of a list": {"type": "array", "items": {"allOf": [SELF, {"minItems": 1}]}},
    "a part of a map": {"type": "object", "additionalProperties": {"allOf": [{"allOf": [SELF]}]}},
}


@pytest.mark.parametrize("schema", ROUND.values(), ids=ROUND.keys())
def test_a_definition_may_hold_itself(schema):
    tree = changed(("definitions", "Self"), schema)
    tree["definitions"]["Thing"]["properties"]["Name"] = SELF
    client = load(tree, host="unix:///nowhere.sock")
    update = client.ThingUpdate
    assert describe(client._spec["ThingUpdate"])
    assert repr(client.schema("Thing"))
    assert client.find("thing")
    assert update.prepare(**update.example(full=True))
    assert update.prepare("x", Name=None)
    with pytest.raises(BodyError, match="Name: expected"):
        update.prepare("x", Name=5)


def test_what_a_definition_that_holds_itself_is_checked_for():
    tree = changed(("definitions", "Self"), ROUND["a part of a field"])
    tree["definitions"]["Thing"]["properties"]["Name"] = SELF
    update = load(tree, host="unix:///nowhere.sock").ThingUpdate.prepare
    assert update("x", Name={"A": {"A": {"A": None}}})
    with pytest.raises(BodyError, match=r"Name\.A\.A\.B: unknown field"):
        update("x", Name={"A": {"A": {"B": 1}}})


def test_the_tree_that_is_given_is_left_alone():
    before = copy.deepcopy(DOCUMENT)
    build_from_tree(DOCUMENT, name="x")
    assert before == DOCUMENT
