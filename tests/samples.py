"""Values made from parameters and schemas: the least that passes, and anything that passes."""

from __future__ import annotations

import base64
from typing import Any

from hypothesis import strategies as st

from dynadock.spec.schema import strict_schema

DEEPEST = 6
"""Levels of a drawn body; below them everything is null, or the least where that is refused."""

LEAST: dict[str, Any] = {
    "string": "x",
    "boolean": True,
    "integer": 1,
    "number": 1.5,
    "array": [],
    "object": {},
    "null": None,
    "count": 1,
    "seconds": 1,
    "timestamp": 1,
    "filters": {},
    "json-object": {},
    "json-array": [],
    "base64-json": {},
}
"""A value for each type and each encoding."""

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # Half of a surrogate pair is not text that UTF-8 can write.
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def least_arguments(operation):
    """Return what must be given, and no more: every required parameter, and the least body."""
    arguments = {
        parameter.python_name: _least_of_parameter(parameter)
        for parameter in operation.parameters
        if parameter.required
    }
    body = operation.body
    if body is not None and body.required:
        arguments[body.python_name] = b"tar" if body.kind == "binary" else least_body(body)
    return arguments


def _least_of_parameter(parameter):
    if parameter.items is not None:
        return [_least_of_parameter(parameter.items)]
    return parameter.enum[0] if parameter.enum else LEAST[parameter.encoding]


def least_body(body):
    """Return the least value that a body's strict schema takes besides null."""
    strict = Strict(body)
    return strict.least(strict.root)


class Strict:
    """A body's strict schema, with the way through its ``$ref``."""

    def __init__(self, body):
        self.root = strict_schema(body.schema, body.definitions)
        self._definitions = self.root.get("$defs", {})

    def resolve(self, node):
        while "$ref" in node:
            node = self._definitions[node["$ref"].removeprefix("#/$defs/")]
        return node

    def inner(self, node, step):
        """Return the schema of a member of what ``node`` describes, ``{}`` if none does."""
        node = self.resolve(node)
        if isinstance(step, int):
            return self.resolve(node.get("items", {}))
        others = node.get("additionalProperties")
        others = others if isinstance(others, dict) else {}
        return self.resolve(node.get("properties", {}).get(step, others))

    def takes_null(self, path):
        """Tell whether null passes at ``path``: for a field, and for an entry that may be empty."""
        if not path:
            return True
        *around, step = path
        node = self.at(around)
        keyword = "items" if isinstance(step, int) else "additionalProperties"
        is_field = step in node.get("properties", {})
        entry = {} if is_field else node.get(keyword)
        return not isinstance(entry, dict) or _may_be_null(entry)

    def least(self, node):
        """Return the least value that ``node`` takes besides null."""
        node = self.resolve(node)
        if "enum" in node:
            return node["enum"][0]
        kind = node.get("type", ["object"])[0]
        if kind == "object":
            return {key: self.least(self.inner(node, key)) for key in node.get("required", ())}
        if kind == "array":
            return [self.least(self.inner(node, 0))] * node.get("minItems", 0)
        return LEAST[kind]

    def at(self, steps):
        """Return the schema of what is at ``steps`` inside a body."""
        node = self.resolve(self.root)
        for step in steps:
            node = self.inner(node, step)
        return node

    def least_with(self, steps, value, node=None):
        """Return the least body that holds ``value`` at ``steps``."""
        if not steps:
            return value
        node = self.resolve(self.root if node is None else node)
        step, *rest = steps
        inner = self.least_with(rest, value, self.inner(node, step))
        return [inner] if isinstance(step, int) else {**self.least(node), step: inner}

    def nodes(self, value, path=(), node=None):
        """Yield every part of ``value`` as its path, itself and its schema, resolved."""
        node = self.resolve(self.root if node is None else node)
        yield path, value, node
        members = value.items() if isinstance(value, dict) else ()
        members = enumerate(value) if isinstance(value, list) else members
        for step, member in members:
            yield from self.nodes(member, (*path, step), self.inner(node, step))


def _may_be_null(node):
    return "not" not in node and "null" in node.get("type", ["null"])


@st.composite
def bodies(draw, strict):
    """Draw any JSON value that the strict schema takes, nulls among them, but an object or list."""
    return _draw(draw, strict, strict.root, 0, nullable=False)


def _draw(draw, strict, node, depth, *, nullable=True):
    nullable = nullable and _may_be_null(node)
    node = strict.resolve(node)
    if "enum" in node:
        choices = [each for each in node["enum"] if nullable or each is not None]
        return draw(st.sampled_from(choices))
    if not node.get("type"):
        return draw(JSON_VALUES)
    kinds = [kind for kind in node["type"] if kind != "null"]
    if depth > DEEPEST or (nullable and draw(st.integers(0, 9)) == 0):
        return None if nullable else strict.least(node)
    kind = draw(st.sampled_from(kinds))
    if kind == "object":
        return _draw_object(draw, strict, node, depth)
    if kind == "array":
        size = draw(st.integers(node.get("minItems", 0), min(node.get("maxItems", 2), 2)))
        return [_draw(draw, strict, node.get("items", {}), depth + 1) for _ in range(size)]
    return draw(_plain(kind, node))


def _draw_object(draw, strict, node, depth):
    known = sorted(node.get("properties", {}))
    keys = set(node.get("required", ()))
    if known:
        keys |= set(draw(st.lists(st.sampled_from(known), max_size=4)))
    drawn = {key: _draw(draw, strict, node["properties"][key], depth + 1) for key in sorted(keys)}
    others = node.get("additionalProperties", True)
    if others is not False:
        inner = others if isinstance(others, dict) else {}
        for key in draw(st.lists(st.text(max_size=6), max_size=2)):
            if key not in known:
                drawn[key] = _draw(draw, strict, inner, depth + 1)
    return drawn


def _plain(kind, node):
    if node.get("x-encoding") == "base64":
        return st.binary(max_size=6).map(base64.b64encode).map(bytes.decode)
    if kind == "boolean":
        return st.booleans()
    if kind == "integer":
        return st.integers(node.get("minimum"), node.get("maximum"))
    if kind == "number":
        return st.floats(
            node.get("minimum"), node.get("maximum"), allow_nan=False, allow_infinity=False
        )
    if "pattern" in node:
        return st.from_regex(node["pattern"].replace("$", r"\Z"))
    return st.text(min_size=node.get("minLength", 0), max_size=node.get("maxLength", 8))
