"""Schemas of Swagger 2.0 as those of OpenAPI 3.1, which are JSON Schema 2020-12.

What differs: null is a type, exclusive bounds are bounds themselves, integers of Go's types are
bounded (validators do not know their formats), and a ``$ref`` may have words beside it.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from dynadock.spec.schema import bounds_of_format, encoding_in, reference_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dynadock.spec.fields import Home
    from dynadock.spec.schema import Schema

    Describe = Callable[[Home], str]
    """Gives the text about a field, by the home that it is filed under; empty if there is none."""

COMPONENTS = "#/components/schemas/"

JSON = "application/json"

UNITS = ("nanoseconds", "seconds")
"""What ``x-unit`` may say of numbers that are durations."""

FORMATS = {"dateTime": "date-time"}
"""Formats that JSON Schema spells otherwise."""

_KEPT = (
    *("pattern", "minimum", "maximum", "multipleOf", "minLength", "maxLength"),
    *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
    *("required", "default", "deprecated", "readOnly"),
)

_NULL = {"type": "null"}

_UNFIT = re.compile(r"[^A-Za-z0-9._-]")


def component_names(definitions: Iterable[str]) -> dict[str, str]:
    """Return each definition's name among the components, whose names have few characters.

    A name that fits stays as it is; others are written with ``_`` and a number for what does not
    fit, and differ from all that are there.
    """
    names = {name: name for name in definitions if name and not _UNFIT.search(name)}
    taken = set(names)
    for name in definitions:
        if name not in names:
            found = _UNFIT.sub(lambda match: f"_{ord(match[0]):x}_", name) or "_"
            while found in taken:
                found += "_"
            names[name] = found
            taken.add(found)
    return names


def escaped_headers(nodes: Mapping[str, Any]) -> dict[str, Any]:
    """Return headers without Content-Type, which OpenAPI 3 ignores: it stands at the content."""
    return {name: node for name, node in nodes.items() if name.lower() != "content-type"}


class Schemas:
    """Converts schemas whose ``$ref`` lead to definitions with the given names.

    ``describe`` gives the texts about fields, none where it is None.
    """

    def __init__(self, names: Mapping[str, str], describe: Describe | None = None) -> None:
        self._names = names
        self._describe = describe

    def convert(
        self, schema: Schema, home: Home | None = None, describe: Describe | None = None
    ) -> Schema:
        """Return a schema of OpenAPI 3.1; it shares nothing with the one given.

        ``home`` is what the texts about its fields are filed under, without one there are none;
        ``describe`` gives those of an operation's own fields.
        """
        return self._schema(schema, home, describe or self._describe)

    def _schema(self, schema: Schema, home: Home | None, describe: Describe | None) -> Schema:
        name = reference_name(schema)
        if name is not None:
            found: Schema = {"$ref": COMPONENTS + self._names[name]}
        else:
            found = self._expanded(schema, home, describe)
        nullable = schema.get("x-nullable")
        if nullable is True:
            return _or_null(found)
        if nullable is False:
            # What is denied is more than what nothing is said about.
            found["x-nullable"] = False
        return found

    def _expanded(self, schema: Schema, home: Home | None, describe: Describe | None) -> Schema:
        found = plain_schema(schema)
        if isinstance(schema.get("discriminator"), str):
            found["discriminator"] = {"propertyName": schema["discriminator"]}
        if "allOf" in schema:
            found["allOf"] = [self._schema(each, home, describe) for each in schema["allOf"]]
        if "properties" in schema:
            found["properties"] = {
                name: self._property(inner, None if home is None else home.below(name), describe)
                for name, inner in schema["properties"].items()
            }
        for keyword, mark in (("items", "[]"), ("additionalProperties", "{}")):
            inner = schema.get(keyword)
            if isinstance(inner, dict):
                inside = None if home is None else home._replace(path=home.path + mark)
                found[keyword] = self._schema(inner, inside, describe)
            elif inner is not None:
                found[keyword] = bool(inner)
        return found

    def _property(self, schema: Schema, home: Home | None, describe: Describe | None) -> Schema:
        found = self._schema(schema, home, describe)
        text = describe(home) if home is not None and describe is not None else ""
        return {"description": text, **found} if text else found


def plain_schema(node: Mapping[str, Any]) -> Schema:
    """Return what a node says of the value itself: type, format, bounds, enum, default.

    Takes schemas, items and headers. Nothing is shared with the node.
    """
    found: Schema = {}
    if "type" in node or "properties" in node:
        found["type"] = copy.copy(node.get("type", "object"))
    if "format" in node:
        found["format"] = FORMATS.get(node["format"], node["format"])
    elif node.get("x-secret") and node.get("type") == "string":
        # Viewers show a field for passwords.
        found["format"] = "password"
    if encoding_in(dict(node)) == "base64":
        found["contentEncoding"] = "base64"
    found |= {key: node[key] for key in ("x-unit", "x-secret") if node.get(key)}
    found |= bounds_of_format(node)
    found |= {key: copy.deepcopy(node[key]) for key in _KEPT if key in node}
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if node.get(exclusive) is True and bound in found:
            found[exclusive] = found.pop(bound)
    if "enum" in node:
        found["enum"] = copy.deepcopy(list(node["enum"]))
    return found


def _or_null(found: Schema) -> Schema:
    """Return a schema that allows null too."""
    if "type" not in found:
        if "$ref" in found or "allOf" in found:
            return {"anyOf": [found, dict(_NULL)]}
        # Without a type it allows everything.
    else:
        types = found["type"] if isinstance(found["type"], list) else [found["type"]]
        if "allOf" in found:
            return {"anyOf": [found, dict(_NULL)]}
        found["type"] = list(dict.fromkeys([*types, "null"]))
    if "enum" in found and None not in found["enum"]:
        found["enum"].append(None)
    return found
