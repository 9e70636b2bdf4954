"""Schemas of OpenAPI 3.0 and 3.1 as those of Swagger 2.0, as far as these can say the same.

The opposite of `dynadock.spec.openapi_schemas`. What cannot be said is refused, with its place and
what to do; what describes without saying anything of a value (titles, examples) is left out.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from dynadock.errors import SpecError
from dynadock.spec.openapi_schemas import COMPONENTS, UNITS
from dynadock.spec.schema import bounds_of_format
from dynadock.spec.shape import DEFINITIONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from dynadock.spec.schema import Schema

_ONE_SCHEMA = "write one schema that allows what it allows"
_ONE_SHAPE = "name the fields under properties, and others under additionalProperties"

_REFUSED = {
    "not": "leave it out, or say what is allowed instead",
    "if": _ONE_SCHEMA,
    "then": _ONE_SCHEMA,
    "else": _ONE_SCHEMA,
    "dependentSchemas": _ONE_SCHEMA,
    "dependentRequired": "leave it out",
    "patternProperties": _ONE_SHAPE,
    "propertyNames": "leave it out",
    "unevaluatedProperties": _ONE_SHAPE,
    "prefixItems": "write one schema for all items",
    "unevaluatedItems": "write one schema for all items",
    "contains": "leave it out",
    "$defs": f"put it under {COMPONENTS}",
    "$id": "leave it out, and refer to components",
    "$anchor": f"refer to it by its name under {COMPONENTS}",
    "$dynamicRef": f"refer to it by its name under {COMPONENTS}",
}
"""Keywords that say something of a value that Swagger cannot, and what to do."""

_KEPT = (
    *("pattern", "minimum", "maximum", "multipleOf", "minLength", "maxLength"),
    *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
    *("exclusiveMinimum", "exclusiveMaximum", "required", "default", "deprecated", "readOnly"),
    *("format", "enum"),
)

_ABOUT = frozenset({"deprecated", "default", "readOnly"})
"""What says nothing of a value, and may stand beside a ``$ref`` without a meaning here."""


def described(value: Any) -> str:
    """Name what was found where something else was expected."""
    if value is None:
        return "nothing"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return repr(value)[:60]


class Reader:
    """Raises the faults of one document, each with its place."""

    def __init__(self, name: str) -> None:
        self._name = name

    def fail(self, place: str, problem: str) -> NoReturn:
        """Raise SpecError for what is at a place."""
        raise SpecError(f"{self._name}: {place}: {problem}")

    def unsupported(self, place: str, keyword: str, advice: str) -> NoReturn:
        """Raise SpecError for what OpenAPI has and a call here does not."""
        self.fail(f"{place}.{keyword}", f"it is not supported; {advice}")

    def mapping(self, node: Any, place: str) -> dict[str, Any]:
        """Return a node that is a mapping, or fail."""
        if not isinstance(node, dict):
            self.fail(place, f"expected a mapping, got {described(node)}")
        return node

    def mapping_at(self, node: Mapping[str, Any], key: str, place: str) -> dict[str, Any]:
        """Return the mapping at a key, empty where there is nothing."""
        found = node.get(key)
        return {} if found is None else self.mapping(found, f"{place}.{key}" if place else key)

    def list_at(self, node: Mapping[str, Any], key: str, place: str) -> list[Any]:
        """Return the list at a key, empty where there is nothing."""
        found = node.get(key)
        if found is None:
            return []
        if not isinstance(found, list):
            self.fail(
                f"{place}.{key}" if place else key, f"expected a list, got {described(found)}"
            )
        return found


class SchemaReader(Reader):
    """Reads schemas; what is wrong with what they hold is left to `Document` to refuse."""

    def schema(self, node: Any, place: str) -> Schema:
        """Return a schema of Swagger 2.0."""
        if node is True:
            return {}
        if node is False:
            self.fail(place, "a schema that allows nothing is not supported; leave it out")
        schema = self.mapping(node, place)
        for keyword, advice in _REFUSED.items():
            if keyword in schema:
                self.unsupported(place, keyword, advice)
        found, is_nullable = self._choice(schema, place)
        if "$ref" in schema:
            found = self._beside(found, {"$ref": self._reference(schema["$ref"], place)})
        nullable = schema.get("x-nullable", schema.get("nullable"))
        if is_nullable or nullable is True:
            found["x-nullable"] = True
        elif nullable is False and "x-nullable" in schema:
            found["x-nullable"] = False
        return found

    def _choice(self, schema: Schema, place: str) -> tuple[Schema, bool]:
        """Return what a schema says beside its ``$ref``, and whether it allows null."""
        found, is_nullable = self._own(schema, place)
        for keyword in ("anyOf", "oneOf"):
            if keyword not in schema:
                continue
            branches = self.list_at(schema, keyword, place)
            others = [each for each in branches if each != {"type": "null"}]
            if len(others) != 1:
                self.unsupported(place, keyword, _ONE_SCHEMA)
            is_nullable |= len(others) < len(branches)
            position = branches.index(others[0])
            found = self._beside(found, self.schema(others[0], f"{place}.{keyword}[{position}]"))
        return found, is_nullable

    @staticmethod
    def _beside(found: Schema, other: Schema) -> Schema:
        """Return what says both: one of them where the other says nothing of a value."""
        if not found.keys() - _ABOUT:
            return other
        return {"allOf": [other, found]}

    def _reference(self, reference: Any, place: str) -> str:
        if not isinstance(reference, str) or not reference.startswith(COMPONENTS):
            self.fail(place, f"$ref {reference!r} is refused: only '{COMPONENTS}…' is followed")
        return DEFINITIONS + reference.removeprefix(COMPONENTS)

    def _own(self, schema: Schema, place: str) -> tuple[Schema, bool]:
        found, is_nullable = self.value(schema)
        if isinstance(schema.get("discriminator"), dict):
            found["discriminator"] = schema["discriminator"].get("propertyName")
        if "allOf" in schema:
            branches = self.list_at(schema, "allOf", place)
            found["allOf"] = [
                self.schema(each, f"{place}.allOf[{position}]")
                for position, each in enumerate(branches)
            ]
        if "properties" in schema:
            found["properties"] = {
                name: self.schema(each, f"{place}.{name}")
                for name, each in self.mapping_at(schema, "properties", place).items()
            }
        if "items" in schema and schema["items"] is not True:
            found["items"] = self.schema(schema["items"], f"{place}[]")
        others = schema.get("additionalProperties")
        if others is not None:
            is_flag = isinstance(others, bool)
            found["additionalProperties"] = (
                others if is_flag else self.schema(others, f"{place}{{}}")
            )
        return found, is_nullable

    def value(self, node: Mapping[str, Any]) -> tuple[Schema, bool]:
        """Return what a node says of the value itself, and whether it allows null."""
        found = {key: node[key] for key in _KEPT if key in node}
        if "const" in node:
            found["enum"] = [node["const"]]
        types = node.get("type")
        is_nullable = False
        if isinstance(types, list) and len(types) > 1 and "null" in types:
            is_nullable = True
            types = [each for each in types if each != "null"]
        if types is not None:
            found["type"] = types[0] if isinstance(types, list) and len(types) == 1 else types
        if is_nullable and isinstance(found.get("enum"), list):
            found["enum"] = [each for each in found["enum"] if each is not None]
        is_bytes = node.get("contentEncoding") == "base64" and "contentMediaType" not in node
        if is_bytes and found.get("type") == "string":
            found.setdefault("format", "byte")
        if node.get("x-unit") in [*UNITS]:
            found["x-unit"] = node["x-unit"]
        if node.get("x-secret") is True or node.get("format") == "password":
            found["x-secret"] = True
        _read_bounds(found)
        return found, is_nullable


def _read_bounds(found: Schema) -> None:
    """Write exclusive bounds as flags, and leave out bounds that the format says already."""
    for exclusive, bound, is_tighter in (
        ("exclusiveMinimum", "minimum", operator.ge),
        ("exclusiveMaximum", "maximum", operator.le),
    ):
        limit = found.get(exclusive)
        if isinstance(limit, (int, float)) and not isinstance(limit, bool):
            other = found.get(bound, limit)
            if not isinstance(other, (int, float)) or is_tighter(limit, other):
                found[bound] = limit
                found[exclusive] = True
            else:
                del found[exclusive]
    if isinstance(found.get("format"), str) and isinstance(found.get("type"), str):
        for bound, limit in bounds_of_format(found).items():
            if found.get(bound) == limit:
                del found[bound]
