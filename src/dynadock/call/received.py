"""Bodies of requests, read as engines read them: the reverse of `plain` and of JSON's encoding.

Go finds a field by its name in any letters, and drops what it does not know. So a body comes out in
the document's spelling, whatever its sender's, and with nothing in it that the document has not.
"""

from __future__ import annotations

import binascii
import re
from functools import cached_property, lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any

from dynadock.call.json_text import BEHIND, kind_of_json, read_json_body
from dynadock.call.values import Refused, place_of
from dynadock.spec.schema import bounds_of_format, encoding_in, flatten, types_of
from dynadock.wire.fields import BLANKS, NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dynadock.call.values import Path
    from dynadock.errors import Fault
    from dynadock.spec.model import Body, Operation, Parameter
    from dynadock.spec.schema import Schema

LONGEST_BODY = 16 * 2**20
"""Bytes of a body of JSON: a secret has 500 KiB at most, and a container's creation a few."""

TOO_LARGE = 413
_ERROR = 500
_INVALID = "invalid JSON: "

_JSON = "application/json"
_MEDIA_PARAMETER = re.compile(rf'[ \t]*{NAME}[ \t]*=[ \t]*(?:{NAME}|"[^"]*")[ \t]*')
_INT64 = {"minimum": -(2**63), "maximum": 2**63 - 1}
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")


def read_body(
    operation: Operation, content_type: str | None, data: bytes, *, limit: int = LONGEST_BODY
) -> Any:
    """Return a body's value, for one that is no JSON ``data`` itself, None where there is none.

    Keys are in the document's spelling, at any depth that it describes, and those of maps as they
    came. Unknown fields are dropped, and so is null for a field; in a list or a map null is what Go
    makes of it, an empty value, unless the document allows null there. A whole body of null is an
    empty one. One text for a command (``Cmd``) is a list of it.

    Raises Refused where an engine refuses: another Content-Type than JSON's, JSON that is none,
    values of wrong types, numbers that do not fit, no body for the few operations whose reader asks
    for one; also beyond ``limit`` bytes, and for JSON of more levels than
    `dynadock.record.DEEPEST`.
    """
    body = operation.body
    if body is None or body.kind == "binary":
        return data or None
    if len(data) > limit:
        raise Refused("http: request body too large", TOO_LARGE)
    try:
        return _read(operation.operation_id, body, content_type, data)
    except Refused as refused:
        if body.is_bare:
            raise Refused(refused.message.removeprefix(_INVALID), _ERROR) from None
        raise


def _read(name: str, body: Body, content_type: str | None, data: bytes) -> Any:
    if (content_type or data) and not body.is_bare:
        _check_content_type(content_type or "")
    if not data:
        if body.empty:
            raise Refused(body.empty)
        return None
    value = _decoded(data)
    shape = shape_of(body)
    return shape.empty if value is None else _Reading(name).read(shape, value, ())


def read_content(parameter: Parameter, value: Any) -> Any:
    """Return what a parameter that is JSON holds, as a body's value; Refused as there."""
    from dynadock.call.content import body_of

    return _Reading(parameter.name).read(shape_of(body_of(parameter)), value, ())


def strict_faults_of_body(operation: Operation, data: bytes) -> list[Fault]:
    """Return what the document does not know of a body, or does not allow, as a client checks it.

    Raises Refused for what is no JSON.
    """
    from dynadock.call.body import faults_of_body

    body = operation.body
    if body is None or body.kind == "binary" or not (data or body.required):
        return []
    value = _decoded(data) if data else None
    if value is None:
        value = shape_of(body).empty
    return faults_of_body(operation, body, value, "error")[0]


def _decoded(data: bytes) -> Any:
    try:
        return read_json_body(data)
    except Refused as refused:
        if refused.message == BEHIND:
            raise
        raise Refused(_INVALID + refused.message) from None


def _check_content_type(field: str) -> None:
    media_type, *parameters = field.split(";")
    media_type = media_type.strip(BLANKS).lower()
    if not media_type:
        raise Refused(f"malformed Content-Type header ({field}): mime: no media type")
    if not all(_MEDIA_PARAMETER.fullmatch(each) for each in parameters if each.strip(BLANKS)):
        raise Refused(f"malformed Content-Type header ({field}): mime: invalid media parameter")
    if media_type != _JSON:
        raise Refused(f"unsupported Content-Type header ({media_type}): must be '{_JSON}'")


class Shape:
    """What a schema says of how a value is read; its parts are made when they are asked for."""

    def __init__(self, schema: Schema, shapes: _Shapes) -> None:
        flat = flatten(schema, shapes.definitions)
        self._shapes = shapes
        self._fields: dict[str, Schema] = flat.get("properties", {})
        self._items: Schema = flat.get("items", {})
        self._others = flat.get("additionalProperties")
        types = types_of(flat)
        self.takes_null = bool(schema.get("x-nullable")) or "null" in types
        self.types = tuple(each for each in types if each != "null")
        self.is_base64 = encoding_in(flat) == "base64"
        # An object without fields may hold anything, and so may a map.
        self.is_map = bool(self._others) or not self._fields
        self.is_words = bool(flat.get("x-words")) and "string" in self.types
        bounds = bounds_of_format(flat) or _INT64
        self.least, self.most = bounds["minimum"], bounds["maximum"]
        self.number: str = flat.get("format", "int64")

    @cached_property
    def items(self) -> Shape:
        """The shape of a list's items."""
        return self._shapes.of(self._items)

    @cached_property
    def others(self) -> Shape:
        """The shape of a map's values."""
        return self._shapes.of(self._others if isinstance(self._others, dict) else {})

    @cached_property
    def _folded(self) -> Mapping[str, str]:
        # Of two fields that differ in letters alone the first is meant.
        return {name.casefold(): name for name in reversed(self._fields)}

    def name_of(self, key: str) -> str | None:
        """Return the field that a key means, None for none."""
        return key if key in self._fields else self._folded.get(key.casefold())

    def field(self, name: str) -> Shape:
        """Return the shape of a field."""
        return self._shapes.of(self._fields[name])

    @property
    def empty(self) -> Any:
        """What Go makes of null: the empty value of its type."""
        make = _EMPTY.get(self.types[0]) if self.types else None
        return None if make is None or self.takes_null else make()

    @property
    def words(self) -> str:
        """The type, in Go's words."""
        if self.is_base64:
            return "[]uint8"
        kind = self.types[0] if self.types else "object"
        if kind == "array":
            return f"[]{self.items.words}"
        if kind == "object" and self._others:
            return f"map[string]{self.others.words}"
        if kind == "object" and not self._fields:
            return "struct {}"
        return {"integer": self.number, "number": "float64", "boolean": "bool"}.get(kind, kind)


_EMPTY: Mapping[str, Callable[[], Any]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
}


class _Shapes:
    """The shapes of one body's schemas; those of one definition are one, which may hold itself."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self.definitions = definitions
        self._made: dict[int, tuple[Schema, Shape]] = {}

    def of(self, schema: Schema) -> Shape:
        """Return the shape of a schema."""
        known = self._made.get(id(schema))
        if known is None:
            # With the schema, whose id is no other's as long as it is kept.
            known = self._made[id(schema)] = (schema, Shape(schema, self))
        return known[1]


@lru_cache(maxsize=256)
def shape_of(body: Body) -> Shape:
    """Return the shape of a body, made once."""
    return _Shapes(body.definitions).of(body.schema)


class _Reading:
    """Reads one value; ``name`` is what messages call the whole of it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def read(self, shape: Shape, value: Any, path: Path) -> Any:
        """Return a value that is not null as its shape has it; Refused if it has another one."""
        if isinstance(value, dict):
            return self._object(shape, value, path)
        if isinstance(value, list):
            self._check(shape, "array", value, path)
            return [self._entry(shape.items, each, (*path, n)) for n, each in enumerate(value)]
        if isinstance(value, str):
            return self._text(shape, value, path)
        if isinstance(value, bool):
            self._check(shape, "boolean", value, path)
            return value
        return self._number(shape, value, path)

    def _object(self, shape: Shape, value: dict[str, Any], path: Path) -> dict[str, Any]:
        self._check(shape, "object", value, path)
        if shape.is_map:
            return {
                _text(key): self._entry(self._value_in(shape, key), each, (*path, key))
                for key, each in value.items()
            }
        fields: dict[str, Any] = {}
        for key, each in value.items():
            name = shape.name_of(key)
            if name is not None and each is not None:
                fields[name] = self.read(shape.field(name), each, (*path, name))
        return fields

    def _value_in(self, shape: Shape, key: str) -> Shape:
        return shape.field(key) if shape.name_of(key) == key else shape.others

    def _entry(self, shape: Shape, value: Any, path: Path) -> Any:
        return shape.empty if value is None else self.read(shape, value, path)

    def _text(self, shape: Shape, value: str, path: Path) -> Any:
        text = _text(value)
        if shape.is_words:
            return [text]
        self._check(shape, "string", value, path)
        if shape.is_base64:
            _check_base64(text)
        return text

    def _number(self, shape: Shape, value: float, path: Path) -> float:
        if "number" in shape.types:
            if not isfinite(value):
                raise self._mismatch(shape, f"number {value}", path)
        elif shape.types:
            self._check(shape, "integer", value, path)
            if not (isinstance(value, int) and shape.least <= value <= shape.most):
                raise self._mismatch(shape, f"number {value}", path)
        return value

    def _check(self, shape: Shape, kind: str, value: Any, path: Path) -> None:
        if shape.types and kind not in shape.types:
            raise self._mismatch(shape, kind_of_json(value), path)

    def _mismatch(self, shape: Shape, came: str, path: Path) -> Refused:
        place = place_of((self._name, *path))
        where = f"Go struct field {place} of type {shape.words}" if path else "Go value"
        return Refused(f"{_INVALID}json: cannot unmarshal {came} into {where}")


def _text(text: str) -> str:
    """Return a text as Go reads it: half of a surrogate pair, which JSON can escape, is U+FFFD."""
    return text if text.isascii() else _HALF_A_PAIR.sub("\ufffd", text)


def _check_base64(text: str) -> None:
    try:
        binascii.a2b_base64(text.replace("\r", "").replace("\n", ""), strict_mode=True)
    except ValueError:
        raise Refused(f"{_INVALID}illegal base64 data") from None
