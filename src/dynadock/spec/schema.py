"""Schemas of bodies: flattened, followed to a value, and made strict for checking."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dynadock.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Schema = dict[str, Any]

# Go decodes a number into the named type and refuses what does not fit.
_BOUNDS = {
    "int8": (-(2**7), 2**7 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "int": (-(2**63), 2**63 - 1),
    "uint8": (0, 2**8 - 1),
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
}

BOUNDS = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
)
"""The limits of single values."""

_KEPT = (
    *BOUNDS,
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "required",
    "x-unit",
    "x-words",
    "x-keys-in",
)


def reference_name(schema: Mapping[str, Any]) -> str | None:
    """Return the name of the definition that a ``$ref`` leads to, None without a ``$ref``."""
    reference = schema.get("$ref")
    return None if reference is None else reference.removeprefix("#/definitions/")


def flatten(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Return ``schema`` as one node without ``$ref`` and ``allOf`` at its top.

    What stands below (properties, items) is left as it is. SpecError where the way leads in a
    circle.
    """
    return _flatten(schema, definitions, ())


def _flatten(schema: Schema, definitions: Mapping[str, Schema], trail: tuple[str, ...]) -> Schema:
    name = reference_name(schema)
    if name is not None:
        if name in trail:
            raise SpecError(f"definition {name!r} is made of itself")
        return _flatten(definitions[name], definitions, (*trail, name))
    if "allOf" not in schema:
        return schema
    own = {key: value for key, value in schema.items() if key != "allOf"}
    merged: Schema = {}
    for branch in (*schema["allOf"], own):
        _merge(merged, _flatten(branch, definitions, trail))
    if "required" in merged:
        merged["required"] = list(merged["required"])
    return merged


def _merge(into: Schema, branch: Schema) -> None:
    for key, value in branch.items():
        if key == "properties":
            into.setdefault(key, {}).update(value)
        elif key == "required":
            into.setdefault(key, {}).update(dict.fromkeys(value))
        elif key == "enum" and key in into:
            known = {*map(_as_text, value)}
            into[key] = [choice for choice in into[key] if _as_text(choice) in known]
        else:
            into[key] = value


def _as_text(choice: Any) -> str:
    return json.dumps(choice, sort_keys=True)


def names_in(schema: Schema, definitions: Mapping[str, Schema]) -> frozenset[str]:
    """Return the names of the definitions that a schema is made of, by ``$ref`` and ``allOf``."""
    name = reference_name(schema)
    if name is not None:
        return names_in(definitions[name], definitions) | {name}
    found = (names_in(branch, definitions) for branch in schema.get("allOf", ()))
    return frozenset().union(*found)


def references_in(schema: Schema) -> Iterator[str]:
    """Yield the names of the definitions that a schema leads to directly, wherever they stand."""
    return (name for _, name in places_of_references(schema))


def places_of_references(schema: Schema) -> Iterator[tuple[str, str]]:
    """Yield the paths of a schema at which it leads to definitions, with their names.

    A path is ``A.B``, ``A[]`` or ``A{}``, as in `dynadock.spec.fields`, and "" for the schema
    itself and for what it is made of.
    """
    waiting: list[tuple[str, Any]] = [("", schema)]
    while waiting:
        path, node = waiting.pop()
        if not isinstance(node, dict):
            continue
        name = reference_name(node)
        if name is not None:
            yield path.removeprefix("."), name
            continue
        waiting += [(path, branch) for branch in node.get("allOf", ())]
        waiting += [(f"{path}.{key}", inner) for key, inner in node.get("properties", {}).items()]
        waiting += [(f"{path}[]", node.get("items"))]
        waiting += [(f"{path}{{}}", node.get("additionalProperties"))]


def kind_of(schema: Schema, definitions: Mapping[str, Schema]) -> str:
    """Say what a body is: object, array, binary, or the name of a plain type."""
    flat = flatten(schema, definitions)
    kind = flat.get("type", "object" if "properties" in flat else "any")
    if kind == "string":
        return "binary"
    return kind if isinstance(kind, str) else "any"


def schema_at(schema: Schema, definitions: Mapping[str, Schema], path: tuple[Any, ...]) -> Schema:
    """Return the schema that describes the value at ``path`` inside a body, ``{}`` if none does.

    Keys may be in any letters, as engines read them.
    """
    for step in path:
        flat = flatten(schema, definitions)
        inner = flat.get("items") if isinstance(step, int) else _property(flat, step)
        if not isinstance(inner, dict):
            return {}
        schema = inner
    return flatten(schema, definitions)


def encoding_in(flat: Schema) -> str:
    """Return how a field's value is encoded, empty if it is not; ``byte`` is Swagger's own word."""
    is_byte = flat.get("type") == "string" and flat.get("format") == "byte"
    return str(flat.get("x-encoding", "base64" if is_byte else ""))


def _property(flat: Schema, key: str) -> Any:
    known = flat.get("properties", {})
    if key in known or "additionalProperties" in flat:
        return known.get(key, flat.get("additionalProperties"))
    folded = key.casefold()
    return next((inner for name, inner in known.items() if name.casefold() == folded), None)


def strict_schema(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Make the JSON Schema (2020-12) that a request body is checked with.

    Differences from the document, each from what engines do (20.10 to 28.5, Podman 4.3):

    - null is allowed for every field: Go leaves it at its zero value; but in a list or a map it is
      an entry, which Go makes an empty one (an empty argument, a port at all addresses), so that
      only ``x-nullable`` allows it there;
    - properties that the document does not name are refused, since an engine would drop them in
      silence; maps (``additionalProperties``, or objects without properties) stay open;
    - an empty string passes every enum of strings: it is Go's zero value;
    - integers are bounded by their format;
    - an ``allOf`` is one object, so that one misspelling is one fault.
    """
    needed: Needed = []
    is_reference = reference_name(schema) is not None
    root = (_strict if is_reference else _expanded)(schema, definitions, needed)
    strict: dict[str, Schema] = {}
    while needed:
        name, inner = needed.pop()
        if name not in strict:
            expand = _strict if reference_name(inner) is not None else _expanded
            strict[name] = expand(inner, definitions, needed)
    return {**root, "$defs": strict} if strict else root


Needed = list[tuple[str, Schema]]
"""Schemas that a strict one refers to, by their names in it."""


def _escape(name: str) -> str:
    """Make a definition's name safe inside a JSON pointer in a URI fragment."""
    return "".join(c if c.isalnum() or c in "-." else f"_{ord(c):x}_" for c in name)


def _strict(schema: Schema, definitions: Mapping[str, Schema], needed: Needed) -> Schema:
    name = reference_name(schema)
    if name is not None:
        needed.append((_escape(name), definitions[name]))
        return {"$ref": f"#/$defs/{needed[-1][0]}"}
    if "allOf" in schema:
        # It may hold itself, by way of what it is made of. An escaped name is never like this.
        needed.append((f"_allOf_{id(schema)}", schema))
        return {"$ref": f"#/$defs/{needed[-1][0]}"}
    return _expanded(schema, definitions, needed)


def _expanded(schema: Schema, definitions: Mapping[str, Schema], needed: Needed) -> Schema:
    flat = flatten(schema, definitions)
    strict = {key: flat[key] for key in _KEPT if key in flat}
    encoding = encoding_in(flat)
    if encoding:
        strict["x-encoding"] = encoding
    _add_type(strict, flat)
    _add_bounds(strict, flat)
    if "enum" in flat:
        strict["enum"] = _open_enum(flat["enum"])
    if "items" in flat:
        strict["items"] = _entry(flat["items"], definitions, needed)
    _add_properties(strict, flat, definitions, needed)
    return strict


def _entry(schema: Schema, definitions: Mapping[str, Schema], needed: Needed) -> Schema:
    """Make the schema of a list's items or a map's values: null only where it says so itself."""
    strict = _strict(schema, definitions, needed)
    types = types_of(flatten(schema, definitions))
    # What a definition says of itself is about fields: documents say it of PortBinding too.
    if types and "null" not in types and not schema.get("x-nullable"):
        if "$ref" in strict:
            # A type beside it would find every other wrong value once more.
            strict["not"] = {"type": "null"}
        else:
            strict["type"] = types
    return strict


def types_of(flat: Mapping[str, Any]) -> list[str]:
    """Return the types that a flat schema allows, none where it allows any."""
    declared = flat.get("type", "object" if "properties" in flat else None)
    if declared is None:
        return []
    return [*declared] if isinstance(declared, list) else [declared]


def _add_type(strict: Schema, flat: Schema) -> None:
    types = types_of(flat)
    if types:
        strict["type"] = list(dict.fromkeys([*types, "null"]))


def bounds_of_format(node: Mapping[str, Any]) -> dict[str, int]:
    """Return the minimum and maximum that an integer's format sets, nothing for other types."""
    if node.get("type") != "integer" or node.get("format") not in _BOUNDS:
        return {}
    minimum, maximum = _BOUNDS[node["format"]]
    return {"minimum": minimum, "maximum": maximum}


def _add_bounds(strict: Schema, flat: Schema) -> None:
    for keyword, limit in bounds_of_format(flat).items():
        strict.setdefault(keyword, limit)
    # Swagger's exclusive bounds are flags beside the bound, those of 2020-12 are bounds themselves.
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if strict.pop(exclusive, False) is True and bound in strict:
            strict[exclusive] = strict.pop(bound)


def _open_enum(choices: list[Any]) -> list[Any]:
    extra: list[Any] = [None]
    if any(isinstance(choice, str) for choice in choices):
        extra.append("")
    return [*choices, *(value for value in extra if value not in choices)]


def _add_properties(
    strict: Schema, flat: Schema, definitions: Mapping[str, Schema], needed: Needed
) -> None:
    if "properties" in flat:
        strict["properties"] = {
            key: _strict(inner, definitions, needed) for key, inner in flat["properties"].items()
        }
        strict["additionalProperties"] = False
    others = flat.get("additionalProperties")
    if isinstance(others, dict):
        strict["additionalProperties"] = _entry(others, definitions, needed)
    elif others is not None:
        strict["additionalProperties"] = bool(others)
