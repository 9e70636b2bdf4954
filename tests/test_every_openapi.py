"""Every bundled document as OpenAPI 3.1: it is valid, and holds all that its spec does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from documents import A_FEW, MAIN, VERSIONS, ZOO, operations_of
from dynadock import load, openapi
from dynadock.spec.loader import load_spec
from dynadock.spec.openapi import FILTERS, ITEM_SCHEMA, STYLES, convert
from dynadock.spec.openapi_schemas import COMPONENTS
from dynadock.spec.schema import flatten

every_version = pytest.mark.parametrize("version", VERSIONS)

JSON = "application/json"
BOUNDS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern")


@cache
def spec_of(version):
    return load_spec(version)


@cache
def converted(version):
    return convert(spec_of(version))


def inside(node):
    """Yield all mappings that a tree holds."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    for each in node if isinstance(node, list) else ():
        yield from inside(each)


class Parts:
    """Documents reduced to what was in none before: to check all of each takes minutes."""

    def __init__(self):
        self._seen = set()

    def unseen(self, document):
        components = document["components"]["schemas"]
        paths = {
            path: item
            for path, item in document["paths"].items()
            if self._is_unseen(item, components)
        }
        schemas = {
            name: schema
            for name, schema in components.items()
            if self._is_unseen(schema, components)
        }
        needed = self._needed([paths, schemas], components)
        return document | {"paths": paths, "components": {"schemas": schemas | needed}}

    def _is_unseen(self, node, components):
        whole = json.dumps([node, self._needed(node, components)], sort_keys=True)
        before = len(self._seen)
        self._seen.add(whole)
        return len(self._seen) > before

    def _needed(self, node, components):
        """Return the components that a node leads to."""
        found, waiting = {}, [node]
        while waiting:
            for each in inside(waiting.pop()):
                name = each.get("$ref", "").removeprefix(COMPONENTS)
                if name and name not in found:
                    found[name] = components[name]
                    waiting.append(components[name])
        return found


@pytest.mark.timeout(600)
def test_all_are_valid():
    parts = Parts()
    for version in VERSIONS:
        document = parts.unseen(openapi(version))
        found = [
            f"{version}: {[*each.absolute_path]}: {each.message[:200]}"
            for each in OpenAPIV31SpecValidator(document).iter_errors()
        ]
        assert not found


def test_the_zoo_is_valid_as_a_whole():
    OpenAPIV31SpecValidator(openapi(ZOO)).validate()


@every_version
def test_every_operation_is_where_its_spec_has_it(version):
    document = converted(version)
    found = [each["operationId"] for item in document["paths"].values() for each in item.values()]
    assert sorted(found) == sorted(operations_of(version))
    for operation in spec_of(version).values():
        node = document["paths"][operation.path][operation.method.lower()]
        assert node["operationId"] == operation.operation_id
        assert node.get("tags", [""]) == [operation.tag]
    assert document["info"]["version"] == version
    assert document["servers"] == [{"url": f"/v{version}"}]


@every_version
def test_every_parameter_is_there(version):
    document = converted(version)
    for operation in spec_of(version).values():
        node = document["paths"][operation.path][operation.method.lower()]
        found = {(each["in"], each["name"]): each for each in node.get("parameters", [])}
        for parameter in operation.parameters:
            if parameter.location == "header" and parameter.name.lower() == "content-type":
                continue
            each = found.pop((parameter.location, parameter.name))
            assert each.get("required", False) == parameter.required
            assert ("content" in each) == (
                parameter.encoding in ("filters", "json-object", "json-array")
            )
            if parameter.encoding == "filters":
                assert each["content"][JSON]["schema"] == FILTERS
            elif "content" not in each:
                check_value(parameter, each["schema"])
                if parameter.type == "array":
                    assert (each["style"], each["explode"]) == STYLES[parameter.collection]
        assert not found


def check_value(parameter, schema):
    assert isinstance(schema["type"], str)
    if parameter.encoding == parameter.type:
        assert schema["type"] == parameter.type
    assert tuple(schema.get("enum", ())) == parameter.enum
    assert schema.get("pattern") == parameter.pattern
    for keyword, bound in parameter.bounds.items():
        assert schema[keyword] == bound
    if parameter.default not in (None, ""):
        assert str(schema["default"]) == str(parameter.default)
    if parameter.items is not None:
        check_value(parameter.items, schema["items"])


@every_version
def test_every_body_and_reply_is_there(version):
    document = converted(version)
    definitions = spec_of(version).definitions
    for operation in spec_of(version).values():
        node = document["paths"][operation.path][operation.method.lower()]
        if operation.body is None:
            assert "requestBody" not in node
        else:
            content = node["requestBody"]["content"]
            assert node["requestBody"].get("required", False) == operation.body.required
            assert (JSON in content) == (operation.body.kind != "binary")
            for media_type in content.values():
                assert ("schema" in media_type) == (operation.body.kind != "binary")
                if media_type:
                    check_schema(operation.body.schema, media_type["schema"])
        assert sorted(node["responses"]) == sorted(operation.reply.codes)
        for code, response in operation.reply.responses.items():
            check_response(operation, code, response, node["responses"][code], definitions)


def check_response(operation, code, response, converted, definitions):
    assert converted["description"]
    assert [*converted.get("headers", {})] == [*response.get("headers", {})]
    for name, header in response.get("headers", {}).items():
        schema = converted["headers"][name]["schema"]
        assert (schema["type"], schema.get("enum")) == (header["type"], header.get("enum"))
    content = converted.get("content", {})
    if operation.method == "HEAD" or code in ("101", "204", "304"):
        assert not content
    elif code >= "4":
        assert [*content] == ([JSON] if response.get("schema") else [])
    kind = operation.reply.kind
    for media_type, value in content.items():
        if kind == "json-stream" and code < "4":
            schema = value.get(ITEM_SCHEMA)
            assert "schema" not in value
        else:
            schema = value.get("schema")
        if schema is not None:
            check_schema(response["schema"], schema)
            if media_type != JSON and "json" not in media_type:
                assert flatten(response["schema"], definitions)["type"] == "string"
        else:
            assert kind != "value"


@every_version
def test_every_definition_is_there(version):
    schemas = converted(version)["components"]["schemas"]
    definitions = spec_of(version).definitions
    assert list(schemas) == list(definitions)
    for name, schema in definitions.items():
        check_schema(schema, schemas[name])


def check_schema(schema, found):
    """Hold a schema of OpenAPI to Swagger's, down to the last field."""
    if schema.get("x-nullable") is True and "anyOf" in found:
        found, null = found["anyOf"]
        assert null == {"type": "null"}
    elif schema.get("x-nullable") is True and "type" in found:
        assert "null" in found["type"]
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/definitions/")
        assert found["$ref"] == COMPONENTS + name
    else:
        check_value_itself(schema, found)
        check_what_is_inside(schema, found)


def check_value_itself(schema, found):
    declared = schema.get("type", "object" if "properties" in schema else [])
    assert types_in(found.get("type", [])) - {"null"} == types_in(declared) - {"null"}
    assert set(schema.get("required", ())) == set(found.get("required", ()))
    assert schema.get("default") == found.get("default")
    choices = schema.get("enum", [])
    is_opened = schema.get("x-nullable") is True and choices and None not in choices
    assert found.get("enum", []) == choices + [None] * bool(is_opened)
    for keyword in BOUNDS:
        if keyword in schema:
            assert found[keyword] == schema[keyword]
    if str(schema.get("format", "")).startswith(("int", "uint")):
        assert {"minimum", "maximum"} <= set(found)


def check_what_is_inside(schema, found):
    assert list(schema.get("properties", {})) == list(found.get("properties", {}))
    for name, inner in schema.get("properties", {}).items():
        check_schema(inner, found["properties"][name])
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            check_schema(schema[keyword], found[keyword])
        else:
            assert schema.get(keyword) == found.get(keyword)
    assert len(schema.get("allOf", ())) == len(found.get("allOf", ()))
    for inner, each in zip(schema.get("allOf", ()), found.get("allOf", ()), strict=True):
        check_schema(inner, each)


def types_in(declared):
    return {declared} if isinstance(declared, str) else set(declared)


@pytest.mark.parametrize("version", A_FEW)
def test_texts_are_added_and_change_nothing_else(version):
    with_texts = openapi(version)
    assert without_texts(with_texts) == without_texts(openapi(version, descriptions=False))
    operations = [each for item in with_texts["paths"].values() for each in item.values()]
    assert all(each["summary"] and each["description"] for each in operations)
    assert all(each["description"] for each in with_texts["tags"])
    for each in operations:
        for parameter in each.get("parameters", ()):
            assert parameter["description"]


def without_texts(node):
    if isinstance(node, list):
        return [without_texts(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        name: without_texts(value)
        for name, value in node.items()
        if name not in ("description", "summary") or not isinstance(value, str)
    }


def test_fields_have_the_texts_that_help_shows():
    document = openapi(MAIN)
    client = load(MAIN, host="unix:///nowhere.sock")
    fields = document["components"]["schemas"]["HostConfig"]["allOf"][1]["properties"]
    rows = {row.path: row.text for row in client.schema("HostConfig").rows(1)}
    assert {name: each["description"] for name, each in fields.items()}.items() <= rows.items()
    created = document["paths"]["/containers/create"]["post"]["requestBody"]["content"][JSON]
    own = created["schema"]["allOf"][1]["properties"]["HostConfig"]
    assert own["description"].startswith("The host's side of it")


@pytest.mark.parametrize("version", A_FEW)
def test_it_is_plain_and_shares_nothing(version):
    document = openapi(version)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    holders = [*inside(document)]
    assert len({id(each) for each in holders}) == len(holders)
    own = {id(each) for each in inside([*spec_of(version).definitions.values()])}
    assert own.isdisjoint(map(id, holders))


def test_it_is_the_same_in_every_process():
    code = f"import json, dynadock; print(json.dumps(dynadock.openapi({MAIN!r})))"
    for seed in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        )
        assert json.loads(ran.stdout) == openapi(MAIN)
        assert ran.stdout.strip() == json.dumps(openapi(MAIN))
