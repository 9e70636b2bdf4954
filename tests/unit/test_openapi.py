"""Specs as OpenAPI 3.1, in their single parts, and the command that writes them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from documents import MAIN, ZOO
from dynadock import SpecError, openapi
from dynadock.spec.fields import Home
from dynadock.spec.loader import load_spec
from dynadock.spec.openapi import convert
from dynadock.spec.openapi_schemas import Schemas, component_names

JSON = "application/json"


def schema(given, names=("Thing",)):
    return Schemas({name: name for name in names}).convert(given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        ({"type": "string", "x-nullable": True}, {"type": ["string", "null"]}),
        ({"x-nullable": True}, {}),
        ({"type": "string", "x-nullable": False}, {"type": "string", "x-nullable": False}),
        (
            {"type": ["array", "string"], "x-nullable": True},
            {"type": ["array", "string", "null"]},
        ),
        (
            {"type": "string", "enum": ["a"], "x-nullable": True},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        ({"$ref": "#/definitions/Thing"}, {"$ref": "#/components/schemas/Thing"}),
        (
            {"$ref": "#/definitions/Thing", "x-nullable": True},
            {"anyOf": [{"$ref": "#/components/schemas/Thing"}, {"type": "null"}]},
        ),
        (
            {"allOf": [{"$ref": "#/definitions/Thing"}], "x-nullable": True},
            {"anyOf": [{"allOf": [{"$ref": "#/components/schemas/Thing"}]}, {"type": "null"}]},
        ),
        (
            {"type": "integer", "format": "uint8"},
            {"type": "integer", "format": "uint8", "minimum": 0, "maximum": 255},
        ),
        (
            {"type": "integer", "format": "uint8", "minimum": 1},
            {"type": "integer", "format": "uint8", "minimum": 1, "maximum": 255},
        ),
        ({"type": "string", "format": "dateTime"}, {"type": "string", "format": "date-time"}),
        (
            {"type": "number", "minimum": 1, "exclusiveMinimum": True},
            {"type": "number", "exclusiveMinimum": 1},
        ),
        ({"type": "number", "exclusiveMinimum": True}, {"type": "number"}),
        (
            {"type": "string", "x-secret": True},
            {"type": "string", "format": "password", "x-secret": True},
        ),
        (
            {"type": "string", "x-encoding": "base64"},
            {"type": "string", "contentEncoding": "base64"},
        ),
        (
            {"properties": {"A": {"x-nullable": True, "type": "object"}}},
            {"type": "object", "properties": {"A": {"type": ["object", "null"]}}},
        ),
        ({"additionalProperties": False}, {"additionalProperties": False}),
        ({"discriminator": "Kind"}, {"discriminator": {"propertyName": "Kind"}}),
    ],
)
def test_schemas(given, expected):
    before = json.dumps(given)
    assert schema(given) == expected
    assert json.dumps(given) == before


def test_texts_stand_beside_references():
    given = {"properties": {"A": {"$ref": "#/definitions/Thing"}, "B": {"type": "string"}}}
    words = {"A": "One.", "B": "Other."}
    schemas = Schemas({"Thing": "Thing"}, lambda home: words.get(home.path, ""))
    assert schemas.convert(given, Home("X", ""))["properties"] == {
        "A": {"description": "One.", "$ref": "#/components/schemas/Thing"},
        "B": {"description": "Other.", "type": "string"},
    }


def test_names_of_components_are_of_few_characters_and_distinct():
    names = component_names(["A b", "A_20_b", "Ä", "", "a/b", "a.b-c_d", "A~b"])
    assert names["A_20_b"] == "A_20_b"
    assert names["a.b-c_d"] == "a.b-c_d"
    assert names["A b"] == "A_20_b_"
    assert len({*names.values()}) == len(names)
    assert all(name.isascii() and "/" not in name and name for name in names.values())


def test_odd_names_are_valid_and_lead_to_each_other():
    tree = {
        "swagger": "2.0",
        "info": {"version": "1.0"},
        "paths": {
            "/x": {
                "get": {
                    "operationId": "X",
                    "responses": {
                        "200": {"schema": {"$ref": "#/definitions/A%20b"}},
                        "4xx": {"schema": {"$ref": "#/definitions/a~1b"}},
                        "odd": {},
                        "default": {"schema": {"type": "string"}},
                    },
                }
            }
        },
        "definitions": {"A b": {"type": "object"}, "a/b": {"type": "object"}},
    }
    document = openapi(tree)
    OpenAPIV31SpecValidator(document).validate()
    responses = document["paths"]["/x"]["get"]["responses"]
    assert list(responses) == ["200", "4XX", "default"]
    assert responses["200"]["content"][JSON]["schema"]["$ref"] == "#/components/schemas/A_20_b"
    # What a user's document holds is not ours to license.
    assert document["info"] == {"title": "Engine API", "version": "1.0"}
    assert document["servers"] == [{"url": "/"}]


def responses_of(operation_id):
    operation = load_spec(MAIN)[operation_id]
    return convert(load_spec(MAIN))["paths"][operation.path][operation.method.lower()]["responses"]


@pytest.mark.parametrize(
    ("operation_id", "code", "media_types"),
    [
        ("SystemPing", "200", ["text/plain"]),
        ("SystemPingHead", "200", []),
        ("ContainerInspect", "200", [JSON]),
        ("ContainerInspect", "404", [JSON]),
        ("ContainerStart", "304", []),
        ("ContainerExport", "200", ["application/x-tar", "application/octet-stream"]),
        ("PluginDelete", "200", []),
    ],
)
def test_what_replies_hold(operation_id, code, media_types):
    assert [*responses_of(operation_id)[code].get("content", {})] == media_types


def test_streams_of_json_have_the_schema_of_a_value_elsewhere():
    content = responses_of("SystemEvents")["200"]["content"]
    assert content[JSON] == {"x-itemSchema": {"$ref": "#/components/schemas/EventMessage"}}


def test_bytes_have_no_schema():
    contents = [
        *responses_of("ContainerLogs")["200"]["content"].values(),
        *responses_of("ImageGet")["200"]["content"].values(),
    ]
    assert contents
    assert not any(contents)


def test_an_operation_has_only_media_types_that_fit_its_body():
    paths = convert(load_spec(MAIN))["paths"]
    assert [*paths["/containers/create"]["post"]["requestBody"]["content"]] == [JSON]
    assert [*paths["/build"]["post"]["requestBody"]["content"]] == [
        "application/x-tar",
        "application/octet-stream",
    ]
    names = [each["name"].lower() for each in paths["/build"]["post"]["parameters"]]
    assert "content-type" not in names


def test_what_is_not_there():
    with pytest.raises(SpecError, match=r"no document for API 1\.99"):
        openapi("1.99")


def ran(*arguments):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "dynadock", "openapi", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_command_prints_json():
    found = ran(MAIN)
    assert (found.returncode, found.stderr) == (0, "")
    assert json.loads(found.stdout) == openapi(MAIN)


def test_the_command_writes_files(tmp_path):
    path = tmp_path / "engine.yaml"
    found = ran(MAIN, "--no-descriptions", "-o", str(path))
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
    assert yaml.safe_load(path.read_text()) == openapi(MAIN, descriptions=False)
    assert "&id" not in path.read_text()
    assert ran(str(path), "--format", "json").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["1.99"], "Error: there is no document for API 1.99"),
        ([MAIN, "-o", "/nowhere/x.json"], "Error: /nowhere/x.json cannot be written: No such file"),
        ([MAIN, "--format", "xml"], "'xml' is not one of"),
        ([], "Missing argument 'VERSION|FILE'"),
    ],
)
def test_what_the_command_refuses(arguments, problem):
    found = ran(*arguments)
    assert found.returncode != 0
    assert problem in found.stderr


def test_the_command_reads_files():
    found = ran(str(ZOO))
    assert json.loads(found.stdout) == openapi(ZOO)
