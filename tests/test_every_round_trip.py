"""Every bundled document, written as OpenAPI 3.1 and loaded again: calls are the same."""

from __future__ import annotations

from functools import cache

import pytest

from documents import VERSIONS, ZOO
from dynadock import openapi
from dynadock.spec.loader import load_spec
from dynadock.spec.schema import strict_schema

every_document = pytest.mark.parametrize("version", [*VERSIONS, str(ZOO)])

FACTS = (
    *("name", "python_name", "location", "type", "encoding", "required", "enum", "pattern"),
    *("bounds", "default", "send", "secret", "refuse", "collection", "credentials", "proxies"),
    *("content", "unreadable"),
)


@cache
def before(version):
    return load_spec(version)


@cache
def after(version):
    return load_spec(openapi(version))


def survives(parameter):
    """Tell whether OpenAPI has such parameters: it ignores a Content-Type."""
    return parameter.location != "header" or parameter.name.lower() != "content-type"


def facts_of(parameter):
    if parameter is None:
        return None
    facts = {name: getattr(parameter, name) for name in FACTS}
    if parameter.encoding in ("timestamp", "count"):
        # Numbers or texts by the documents, and texts in OpenAPI.
        facts |= {"type": "string", "default": str(parameter.default)}
    if parameter.encoding.startswith("json-") and parameter.default == "":
        # That is no JSON.
        facts["default"] = None
    return facts | {"items": facts_of(parameter.items)}


@every_document
def test_operations_are_the_same(version):
    one, other = before(version), after(version)
    assert list(other) == list(one)
    assert (other.version, other.base_path) == (one.version, one.base_path)
    assert (other.names, other.routes) == (one.names, one.routes)
    for name, operation in one.items():
        again = other[name]
        assert (again.method, again.path, again.tag) == (
            operation.method,
            operation.path,
            operation.tag,
        )
        assert again.deprecated == operation.deprecated


@every_document
def test_parameters_are_the_same(version):
    for name, operation in before(version).items():
        again = after(version)[name].parameters
        expected = [each for each in operation.parameters if survives(each)]
        for one, other in zip(expected, again, strict=True):
            if one.collection == "tsv":
                # OpenAPI has no style for tabs.
                assert (other.name, other.type) == (one.name, "string")
                continue
            assert facts_of(other) == facts_of(one)


@every_document
def test_bodies_are_checked_alike(version):
    for name, operation in before(version).items():
        one, other = operation.body, after(version)[name].body
        if one is None:
            assert other is None
            continue
        for fact in (
            "name",
            "python_name",
            "required",
            "kind",
            "send",
            "context",
            "proxies",
            "is_bare",
            "empty",
        ):
            assert getattr(other, fact) == getattr(one, fact)
        assert checks_of(other) == checks_of(one)


def checks_of(body):
    """Return what a body is checked by; branches of an allOf have names of their own each time."""
    strict = strict_schema(body.schema, body.definitions)
    found = {}
    names = {}

    def renamed(node):
        if isinstance(node, list):
            return [renamed(each) for each in node]
        if not isinstance(node, dict):
            return node
        if set(node) == {"$ref"} or "$ref" in node:
            name = node["$ref"].rpartition("/")[2]
            if name.startswith("_allOf_") and name not in names:
                names[name] = f"part {len(names)}"
                found[names[name]] = renamed(strict["$defs"][name])
            node = {**node, "$ref": names.get(name, name)}
        return {key: renamed(value) for key, value in node.items()}

    definitions = strict.pop("$defs", {})
    strict["$defs"] = definitions
    root = renamed({key: value for key, value in strict.items() if key != "$defs"})
    for name, schema in sorted(definitions.items()):
        if not name.startswith("_allOf_"):
            found[name] = renamed(schema)
    return root, found


@every_document
def test_replies_are_read_alike(version):
    for name, operation in before(version).items():
        one, other = operation.reply, after(version)[name].reply
        for fact in (
            "kind",
            "unless",
            "wait",
            "decode",
            "acts",
            "tty",
            "resize",
            "rows",
            "upgrade",
            "codes",
        ):
            assert getattr(other, fact) == getattr(one, fact), (name, fact)


@every_document
def test_what_is_written_again_is_the_same(version):
    assert (
        openapi(after(version), descriptions=False)["paths"]
        == openapi(before(version), descriptions=False)["paths"]
    )
