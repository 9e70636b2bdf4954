"""The shape of a schema: whether its keywords hold what Swagger 2.0 lets them hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TYPES = frozenset({"string", "integer", "number", "boolean", "array", "object", "null", "file"})

_KINDS: dict[str, tuple[type, str]] = {
    "properties": (dict, "a mapping"),
    "allOf": (list, "a list"),
    "required": (list, "a list"),
    "enum": (list, "a list"),
    "items": (dict, "a schema"),
    "pattern": (str, "text"),
    "format": (str, "text"),
}


def faults_of_schema(schema: Any, place: str, definitions: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with ``schema`` and what it holds, each with its place.

    A ``$ref`` must lead to one of ``definitions``: other files and addresses are never read.
    ``enum`` and ``default`` hold data, which is not looked into.
    """
    if not isinstance(schema, dict):
        yield f"{place}: expected a schema, got {type(schema).__name__}"
        return
    if "$ref" in schema:
        yield from _faults_of_reference(schema["$ref"], place, definitions)
    yield from _faults_of_keywords(schema, place)
    yield from _faults_inside(schema, place, definitions)


def _faults_of_reference(
    reference: Any, place: str, definitions: Mapping[str, Any]
) -> Iterator[str]:
    if not isinstance(reference, str) or not reference.startswith("#/definitions/"):
        yield f"{place}: $ref {reference!r} is refused: only '#/definitions/…' is followed"
    elif reference.removeprefix("#/definitions/") not in definitions:
        yield f"{place}: $ref {reference!r} leads nowhere"


def _faults_of_keywords(schema: dict[str, Any], place: str) -> Iterator[str]:
    for keyword, (kind, wanted) in _KINDS.items():
        if keyword in schema and not isinstance(schema[keyword], kind):
            yield f"{place}.{keyword}: expected {wanted}, got {type(schema[keyword]).__name__}"
    types = schema.get("type", [])
    for name in types if isinstance(types, list) else [types]:
        if not isinstance(name, str) or name not in TYPES:
            yield f"{place}.type: {name!r} is no type"


def _faults_inside(
    schema: dict[str, Any], place: str, definitions: Mapping[str, Any]
) -> Iterator[str]:
    inner: list[tuple[str, Any]] = []
    if isinstance(schema.get("properties"), dict):
        inner += [(f"{place}.{name}", node) for name, node in schema["properties"].items()]
    if isinstance(schema.get("allOf"), list):
        inner += [(f"{place}.allOf[{i}]", node) for i, node in enumerate(schema["allOf"])]
    if isinstance(schema.get("items"), dict):
        inner.append((f"{place}[]", schema["items"]))
    if isinstance(schema.get("additionalProperties"), dict):
        inner.append((f"{place}{{}}", schema["additionalProperties"]))
    for where, node in inner:
        yield from faults_of_schema(node, where, definitions)
