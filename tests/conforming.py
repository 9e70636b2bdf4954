"""Whether a reply of the simulated engine is what its version's document says."""

from __future__ import annotations

from functools import cache

from jsonschema import Draft202012Validator

from dynadock.record import plain
from dynadock.spec.loader import load_spec
from dynadock.spec.schema import bounds_of_format, flatten, reference_name, types_of

NIL = {"array", "object"}
"""The types whose nothing Go writes as null."""

UNLIMITED = frozenset({"MemorySwappiness", "PidsLimit"})
"""Numbers that engines write as null where nobody set them, whatever documents say (26.1)."""


def conforms(version, operation_id, value, *, nulls=()):
    """Return ``value``, a reply or an item of a stream; AssertionError where the document differs.

    ``version`` is a version's text or a client. Required fields, types, enums, and the bounds of
    integers are checked; fields that the document does not know are fine, as on engines. Null is
    for what the document lets be null, and for lists and objects, which engines write so where
    there are none; ``nulls`` names further fields in which they do.
    """
    text = version if isinstance(version, str) else str(version.version)
    faults = [
        f"{'.'.join(map(str, fault.absolute_path)) or 'the reply'}: {fault.message[:300]}"
        for fault in _checker(text, operation_id, UNLIMITED.union(nulls)).iter_errors(plain(value))
    ]
    assert not faults, f"{operation_id} at {text}:\n" + "\n".join(faults)
    return value


@cache
def _checker(version, operation_id, nulls):
    spec = load_spec(version)
    schema = spec[operation_id].reply.schema
    assert schema is not None, f"the document of {version} says nothing of {operation_id}'s reply"
    schemas = _Schemas(spec.definitions, nulls)
    root = schemas.of(schema, can_be_nil=False)
    while schemas.needed:
        name = schemas.needed.pop()
        if name not in schemas.made:
            schemas.made[name] = {}
            schemas.made[name] = schemas.of(spec.definitions[name], can_be_nil=True)
    return Draft202012Validator({**root, "$defs": schemas.made})


class _Schemas:
    """JSON Schemas (2020-12) of a document's replies, and the definitions that they need."""

    def __init__(self, definitions, nulls):
        self.definitions = definitions
        self.nulls = nulls
        self.needed = []
        self.made = {}

    def of(self, schema, *, can_be_nil):
        name = reference_name(schema)
        if name is not None:
            self.needed.append(name)
            found = {"$ref": f"#/$defs/{name.replace('/', '~1')}"}
            is_nullable = can_be_nil and schema.get("x-nullable")
            return {"anyOf": [{"type": "null"}, found]} if is_nullable else found
        flat = flatten(schema, self.definitions)
        made = bounds_of_format(flat)
        types = types_of(flat)
        if can_be_nil and (flat.get("x-nullable") or NIL & {*types}):
            types = [*types, "null"]
        if types:
            made["type"] = types
        if "enum" in flat:
            # Go's zero value of a text stands for: not said.
            made["enum"] = [*flat["enum"], "", *([None] if "null" in types else [])]
        if "required" in flat:
            made["required"] = flat["required"]
        if "items" in flat:
            made["items"] = self.of(flat["items"], can_be_nil=False)
        if "properties" in flat:
            made["properties"] = {
                name: self.field(name, inner) for name, inner in flat["properties"].items()
            }
        if isinstance(flat.get("additionalProperties"), dict):
            made["additionalProperties"] = self.of(flat["additionalProperties"], can_be_nil=True)
        return made

    def field(self, name, schema):
        made = self.of(schema, can_be_nil=True)
        return {"anyOf": [{"type": "null"}, made]} if name in self.nulls else made
