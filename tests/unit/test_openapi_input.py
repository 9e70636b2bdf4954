"""Documents of OpenAPI 3 that users have: what is read of them, and what is refused where."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynadock import BodyError, SpecError, load
from dynadock.spec import shape
from dynadock.spec.loader import load_spec
from dynadock.spec.openapi import convert
from samples import JSON_VALUES

JSON = "application/json"

DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "Things", "version": "1.42"},
    "servers": [{"url": "http://localhost:2375/v1.42/"}],
    "tags": [{"name": "Thing", "description": "A thing."}],
    "paths": {
        "/things/{id}": {
            "parameters": [{"$ref": "#/components/parameters/Id"}],
            "get": {
                "operationId": "ThingInspect",
                "tags": ["Thing"],
                "description": "Look at it.",
                "parameters": [
                    {"name": "all", "in": "query", "schema": {"type": "boolean", "default": False}},
                    {
                        "name": "names",
                        "in": "query",
                        "schema": {"$ref": "#/components/schemas/Names"},
                    },
                    {
                        "name": "with",
                        "in": "query",
                        "style": "pipeDelimited",
                        "explode": False,
                        "schema": {
                            "type": "array",
                            "items": {"type": "integer", "format": "uint8"},
                        },
                    },
                    {
                        "name": "where",
                        "in": "query",
                        "content": {JSON: {"schema": {"$ref": "#/components/schemas/Where"}}},
                    },
                    {"name": "Accept", "in": "header", "schema": {"type": "string"}},
                    {
                        "name": "X-Key",
                        "in": "header",
                        "schema": {"type": "string", "format": "password"},
                    },
                ],
                "responses": {
                    "200": {
                        "description": "The thing.",
                        "headers": {"X-Age": {"$ref": "#/components/headers/Age"}},
                        "content": {JSON: {"schema": {"$ref": "#/components/schemas/Thing"}}},
                    },
                    "404": {"$ref": "#/components/responses/Missing"},
                },
            },
            "put": {
                "operationId": "ThingUpdate",
                "requestBody": {"$ref": "#/components/requestBodies/Thing"},
                "responses": {"204": {"description": "Done."}},
            },
            "post": {
                "operationId": "ThingFill",
                "requestBody": {"content": {"application/x-tar": {}}, "required": True},
                "responses": {
                    "200": {"description": "Done.", "content": {"application/x-tar": {}}}
                },
            },
        }
    },
    "components": {
        "parameters": {
            "Id": {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
        },
        "requestBodies": {
            "Thing": {
                "required": True,
                "content": {JSON: {"schema": {"$ref": "#/components/schemas/Thing"}}},
            }
        },
        "responses": {
            "Missing": {
                "description": "There is none.",
                "content": {JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
        },
        "headers": {"Age": {"description": "In days.", "schema": {"type": "integer"}}},
        "schemas": {
            "Names": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
            "Where": {"type": "object", "properties": {"City": {"type": "string"}}},
            "Problem": {"type": "object", "properties": {"message": {"type": "string"}}},
            "Thing": {
                "type": "object",
                "title": "A thing",
                "required": ["Name"],
                "properties": {
                    "Name": {"type": "string", "description": "Its name.", "example": "x"},
                    "Weight": {
                        "type": "integer",
                        "format": "int64",
                        "minimum": 0,
                        "exclusiveMinimum": True,
                        "nullable": True,
                    },
                    "Part": {"allOf": [{"$ref": "#/components/schemas/Thing"}], "nullable": True},
                    "Labels": {"type": "object", "additionalProperties": {"type": "string"}},
                    "Password": {"type": "string", "format": "password"},
                },
            },
        },
    },
}

PATH = ("paths", "/things/{id}")
GET = (*PATH, "get")
PUT = (*PATH, "put")
THING = ("components", "schemas", "Thing")
WEIGHT = (*THING, "properties", "Weight")
GONE = object()


def changed(place, value, document=DOCUMENT):
    tree = node = copy.deepcopy(document)
    for step in place[:-1]:
        node = node[step]
    if value is GONE:
        del node[place[-1]]
    elif isinstance(node, list) and place[-1] == len(node):
        node.append(value)
    else:
        node[place[-1]] = value
    return tree


@pytest.fixture
def spec():
    return load_spec(DOCUMENT)


def test_the_whole(spec):
    assert (str(spec.version), spec.base_path) == ("1.42", "/v1.42")
    assert list(spec) == ["ThingInspect", "ThingUpdate", "ThingFill"]
    assert spec["ThingInspect"].tag == "Thing"
    assert list(spec.definitions) == ["Names", "Where", "Problem", "Thing"]


def test_parameters(spec):
    found = {each.name: each for each in spec["ThingInspect"].parameters}
    assert list(found) == ["id", "all", "names", "with", "where", "X-Key"]
    assert (found["id"].location, found["id"].required) == ("path", True)
    assert (found["all"].type, found["all"].default) == ("boolean", False)
    assert (found["names"].collection, found["names"].items.enum) == ("multi", ("a", "b"))
    assert found["with"].collection == "pipes"
    assert found["with"].items.bounds == {"minimum": 0, "maximum": 255}
    assert found["where"].encoding == "json-object"
    assert found["where"].content["properties"] == {"City": {"type": "string"}}
    assert found["X-Key"].secret


def test_bodies_and_replies(spec):
    body = spec["ThingUpdate"].body
    assert (body.kind, body.required, body.python_name) == ("object", True, "body")
    assert spec["ThingFill"].body.kind == "binary"
    assert spec["ThingFill"].reply.kind == "tar"
    assert spec["ThingInspect"].reply.responses == {
        "200": {
            "schema": {"$ref": "#/definitions/Thing"},
            "headers": {"X-Age": {"type": "integer"}},
        },
        "404": {"schema": {"$ref": "#/definitions/Problem"}},
    }


def test_schemas_without_words(spec):
    assert spec.definitions["Thing"] == {
        "type": "object",
        "required": ["Name"],
        "properties": {
            "Name": {"type": "string"},
            "Weight": {
                "type": "integer",
                "format": "int64",
                "minimum": 0,
                "exclusiveMinimum": True,
                "x-nullable": True,
            },
            "Part": {"allOf": [{"$ref": "#/definitions/Thing"}], "x-nullable": True},
            "Labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "Password": {"type": "string", "format": "password", "x-secret": True},
        },
    }


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (True, {}),
        ({}, {}),
        ({"type": ["string", "null"]}, {"type": "string", "x-nullable": True}),
        ({"type": ["string"]}, {"type": "string"}),
        (
            {"type": ["array", "string", "null"], "items": True},
            {"type": ["array", "string"], "x-nullable": True},
        ),
        (
            {"type": ["string", "null"], "enum": ["a", None]},
            {"type": "string", "enum": ["a"], "x-nullable": True},
        ),
        ({"const": "a"}, {"enum": ["a"]}),
        ({"exclusiveMinimum": 3}, {"minimum": 3, "exclusiveMinimum": True}),
        ({"exclusiveMaximum": 3, "maximum": 2}, {"maximum": 2}),
        ({"exclusiveMaximum": 3, "maximum": 3}, {"maximum": 3, "exclusiveMaximum": True}),
        (
            {"anyOf": [{"$ref": "#/components/schemas/Where"}, {"type": "null"}], "title": "x"},
            {"$ref": "#/definitions/Where", "x-nullable": True},
        ),
        ({"oneOf": [{"type": "string"}]}, {"type": "string"}),
        (
            {"$ref": "#/components/schemas/Where", "description": "x", "deprecated": True},
            {"$ref": "#/definitions/Where"},
        ),
        (
            {"$ref": "#/components/schemas/Where", "minProperties": 1},
            {"allOf": [{"$ref": "#/definitions/Where"}, {"minProperties": 1}]},
        ),
        ({"type": "string", "contentEncoding": "base64"}, {"type": "string", "format": "byte"}),
        ({"additionalProperties": False}, {"additionalProperties": False}),
        ({"discriminator": {"propertyName": "Kind"}}, {"discriminator": "Kind"}),
        ({"type": "integer", "x-unit": "seconds"}, {"type": "integer", "x-unit": "seconds"}),
        ({"type": "integer", "x-unit": "miles"}, {"type": "integer"}),
    ],
)
def test_schemas(schema, expected):
    tree = changed((*THING, "properties"), {"Other": schema})
    tree["openapi"] = "3.1.0"
    assert load_spec(tree).definitions["Thing"]["properties"]["Other"] == expected


def test_calls_are_made_of_it():
    client = load(DOCUMENT, host="unix:///nowhere.sock")
    request = client.ThingInspect.prepare(
        "x", names=["a", "b"], with_=[1, 2], where={"City": "Ulm"}
    )
    assert request.target == (
        "/v1.42/things/x?names=a&names=b&with=1%7C2&where=%7B%22City%22%3A%22Ulm%22%7D"
    )
    with pytest.raises(BodyError, match=r"Weight.*expected .*, got 'heavy'|Weight"):
        client.ThingUpdate.prepare("x", Name="x", Weight="heavy")


def test_a_file_is_loaded(tmp_path):
    path = tmp_path / "things.json"
    path.write_text(json.dumps(DOCUMENT))
    assert list(load_spec(path)) == list(load_spec(DOCUMENT))


REFUSED = {
    "a number for the version": (
        ("openapi",),
        3.1,
        "openapi: expected 3.0 or 3.1 as text, got 3.1",
    ),
    "no version of the API": (("info",), {}, "info.version: expected text, got nothing"),
    "components that are none": (("components",), [], "components: expected a mapping, got a list"),
    "webhooks": (("webhooks",), {"x": {}}, "webhooks: not supported; leave them out"),
    "security": (("security",), [{"basic": []}], "security: not supported; leave it out, and give"),
    "security of one": ((*GET, "security"), [{"basic": []}], "get.security: not supported; leave"),
    "callbacks": ((*GET, "callbacks"), {"x": {}}, "get.callbacks: not supported; leave them out"),
    "an operation's servers": ((*GET, "servers"), [{"url": "/"}], "get.servers: not supported"),
    "a path's servers": ((*PATH, "servers"), [{"url": "/"}], "{id}.servers: not supported"),
    "variables": (
        ("servers", 0, "url"),
        "/{version}",
        "servers[0].url: variables are not supported; write the path without variables",
    ),
    "two paths": (("servers", 1), {"url": "/v2"}, "servers[1].url: a second path, '/v2', is not"),
    "a server without address": (("servers", 0), {}, "servers[0].url: expected text, got nothing"),
    "a method": ((*PATH, "trace"), {"operationId": "x"}, "{id}.trace: not supported; leave it out"),
    "cookies": (
        (*GET, "parameters", 0, "in"),
        "cookie",
        "get.parameters[0]: cookies are not supported; leave the parameter out, or use a header",
    ),
    "deepObject": (
        (*GET, "parameters", 2, "style"),
        "deepObject",
        "get.parameters[2].style: 'deepObject' is not supported; take form, spaceDelimited and",
    ),
    "a style of paths": (
        ("components", "parameters", "Id", "style"),
        "matrix",
        "components.parameters.Id.style: 'matrix' is not supported; 'form' and 'simple' are",
    ),
    "an object": (
        (*GET, "parameters", 0, "schema"),
        {"type": "object"},
        "parameters[0].schema: an object is not supported as a parameter; say content",
    ),
    "types of a parameter": (
        (*GET, "parameters", 0, "schema"),
        {"type": ["string", "integer"]},
        "parameters[0].schema.type: several types are not supported; give a parameter one type",
    ),
    "choices of a parameter": (
        (*GET, "parameters", 0, "schema"),
        {"oneOf": [{"type": "string"}]},
        "parameters[0].schema.oneOf: it is not supported; give a parameter one type",
    ),
    "XML in a parameter": (
        (*GET, "parameters", 3, "content"),
        {"text/xml": {}},
        "parameters[3].content: expected application/json and nothing else",
    ),
    "references inside JSON": (
        ("components", "schemas", "Where", "properties", "City"),
        {"$ref": "#/components/schemas/Names"},
        "'#/definitions/Names' is not followed inside a parameter; write out what it leads to",
    ),
    "a form": (
        (*PUT, "requestBody"),
        {"content": {"multipart/form-data": {}}},
        "put.requestBody.content: multipart/form-data is not supported; describe the body as",
    ),
    "a reference to nothing": (
        (*PUT, "requestBody"),
        {"$ref": "#/components/requestBodies/None"},
        "does not lead to one of components.requestBodies",
    ),
    "a reference to a file": (
        (*WEIGHT[:-1], "Weight"),
        {"$ref": "other.yaml"},
        "components.schemas.Thing.Weight: $ref 'other.yaml' is refused",
    ),
    "a path elsewhere": ((*PATH, "$ref"), "x.yaml", "$ref 'x.yaml' is refused"),
    **{
        keyword: (
            (*WEIGHT, keyword),
            [{"type": "string"}, {"type": "integer"}],
            f"components.schemas.Thing.Weight.{keyword}: it is not supported; ",
        )
        for keyword in ("oneOf", "anyOf", "not", "if", "patternProperties", "prefixItems", "$defs")
    },
    "nothing allowed": ((*THING, "properties", "Name"), False, "a schema that allows nothing"),
    "odd shapes": ((*WEIGHT, "type"), "text", "definitions.Thing.Weight.type: 'text' is not"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case):
    place, value, problem = REFUSED[case]
    with pytest.raises(SpecError) as refused:
        load_spec(changed(place, value))
    assert str(refused.value).startswith("document: ")
    assert problem in str(refused.value)


def places(tree, path=()):
    yield path
    members = tree.items() if isinstance(tree, dict) else ()
    members = enumerate(tree) if isinstance(tree, list) else members
    for step, member in members:
        yield from places(member, (*path, step))


STRAYS = JSON_VALUES | st.sampled_from(
    [
        {"$ref": "#/components/schemas/Thing"},
        {"$ref": "#/components/parameters/Id"},
        {"$ref": 5},
        {"type": ["null"]},
        {"anyOf": [{}, {"type": "null"}]},
        [[]],
        True,
        "(",
    ]
)


@given(place=st.sampled_from([*places(DOCUMENT)][1:]), value=STRAYS)
@settings(max_examples=200)
def test_a_damaged_document_is_refused_or_works(place, value):
    tree = changed(place, value)
    before = copy.deepcopy(tree)
    problem = ""
    try:
        json.dumps(convert(load_spec(tree)))
    except SpecError as error:
        problem = str(error)
    assert "\n" not in problem
    assert tree == before


def chain(length):
    """Return components that lead to each other."""
    return {f"N{i}": {"$ref": f"#/components/schemas/N{i + 1}"} for i in range(length)}


@pytest.mark.parametrize(
    ("schemas", "part"),
    [
        (chain(shape.DEEPEST * 2) | {f"N{shape.DEEPEST * 2}": {}}, "leads through more than 50"),
        ({"N0": {"$ref": "#/components/schemas/N0"}}, "leads through more than 50"),
        (chain(3), "leads nowhere"),
    ],
)
def test_references_without_end(schemas, part):
    parameter = {"name": "x", "in": "query", "schema": {"$ref": "#/components/schemas/N0"}}
    tree = changed((*GET, "parameters", 0), parameter)
    tree["components"]["schemas"] |= schemas
    with pytest.raises(SpecError, match=part):
        load_spec(tree)


@pytest.mark.timeout(60)
def test_what_many_refer_to_is_read_once():
    tree = copy.deepcopy(DOCUMENT)
    names = {"type": "string", "enum": [f"name-{i}" for i in range(20_000)]}
    tree["components"]["parameters"]["Big"] = {"name": "big", "in": "query", "schema": names}
    tree["components"]["responses"]["Big"] = {
        "description": "",
        "content": {JSON: {"schema": names}},
    }
    tree["paths"] = {
        f"/p{i}": {
            "get": {
                "operationId": f"P{i}",
                "parameters": [{"$ref": "#/components/parameters/Big"}],
                "responses": {"200": {"$ref": "#/components/responses/Big"}},
            }
        }
        for i in range(2_000)
    }
    assert len(load_spec(tree)) == 2_000
