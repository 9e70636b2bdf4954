"""The right form of a wrong value in a body, for messages: converted, or an example of it."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from dynadock.spec.data import bundled_data
from dynadock.spec.schema import flatten, types_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dynadock.call.values import Path
    from dynadock.spec.schema import Schema

    Definitions = Mapping[str, Schema]
    Fits = Callable[[Any], bool]

NO_FORM: Any = object()
"""Stands for a form that is not known."""

EXAMPLES = "examples.yaml"

_PAIR = re.compile(r"\w[\w.-]*([=:]).+")
_MOST_FIELDS = 3
_DEEPEST = 3


def converted(value: Any, schema: Schema, definitions: Definitions, name: str) -> Any:
    """Return what a value of the wrong type was surely meant to be, `NO_FORM` where that is open.

    ``name`` is the field's own: how the examples write it tells how a map becomes a list of pairs.
    """
    return _Converter(definitions, name).of(value, schema)


class _Converter:
    """Makes values fit their schemas; what fits is left as it is."""

    def __init__(self, definitions: Definitions, name: str) -> None:
        self._definitions = definitions
        self._name = name
        self._around = 0  # lists that are being made around a value which is none

    def of(self, value: Any, schema: Schema) -> Any:
        flat = flatten(schema, self._definitions)
        types = types_of(flat)
        kind = _type_of(value)
        if not types or kind in types or (kind == "integer" and "number" in types):
            return self._inside(value, flat)
        for wanted in types:
            make = _MAKERS.get((kind, wanted))
            made = NO_FORM if make is None else make(self, value, flat)
            if made is not NO_FORM:
                return made
        return NO_FORM

    def _inside(self, value: Any, flat: Schema) -> Any:
        """Make what stands inside a list or an object fit."""
        if isinstance(value, dict):
            others = flat.get("additionalProperties")
            known = flat.get("properties", {})
            made = {
                key: self.of(each, known.get(key, others if isinstance(others, dict) else {}))
                for key, each in value.items()
            }
            return NO_FORM if NO_FORM in made.values() else made
        if isinstance(value, list):
            members = [self.of(each, flat.get("items", {})) for each in value]
            return NO_FORM if NO_FORM in members else members
        return value

    def as_pairs(self, value: dict[str, Any], flat: Schema) -> Any:
        """Make a list of ``A=1`` of a map, or of the one object that it is a list with it."""
        items = flatten(flat.get("items", {}), self._definitions)
        if "object" in types_of(items):
            member = self._inside(value, items)
            return NO_FORM if member is NO_FORM else [member]
        mark = _separator(self._name)
        if not mark or not all(_type_of(each) in _SCALARS for each in value.values()):
            return NO_FORM
        return [f"{key}{mark}{_text(each)}" for key, each in value.items()]

    def as_list(self, value: Any, flat: Schema) -> Any:
        """Make a list of one value, or of the words of a command."""
        if isinstance(value, str) and flat.get("x-words"):
            return words_of(value)
        if self._around == _DEEPEST:
            # A definition may be a list of itself.
            return NO_FORM
        self._around += 1
        member = self.of(value, flat.get("items", {}))
        self._around -= 1
        return NO_FORM if member is NO_FORM else [member]

    def as_map(self, value: list[Any], flat: Schema) -> Any:
        """Make a map of a list of ``A=1``, or of its keys where its values may be empty objects."""
        inner = flat.get("additionalProperties")
        if not isinstance(inner, dict) or not all(isinstance(each, str) for each in value):
            return NO_FORM
        types = types_of(flatten(inner, self._definitions))
        if "object" in types:
            return {each: {} for each in value}
        if "string" in types and all("=" in each for each in value):
            return dict(each.split("=", 1) for each in value)
        return NO_FORM

    def as_map_of_one(self, value: str, flat: Schema) -> Any:
        """Make a map of a single text, as of a list of it."""
        return self.as_map([value], flat)

    def as_object(self, _value: None, _flat: Schema) -> Any:
        """Make an empty object of null."""
        return {}

    def as_text(self, value: float, _flat: Schema) -> Any:
        """Write a number as text."""
        return str(value)

    def as_number(self, value: str, _flat: Schema) -> Any:
        """Read a number that was written as text."""
        text = value.strip()
        return int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else NO_FORM

    def as_flag(self, value: Any, _flat: Schema) -> Any:
        """Read a flag that was written as text or number."""
        return _FLAGS.get(str(value).lower(), NO_FORM)


_MAKERS: Mapping[tuple[str, str], Callable[[_Converter, Any, Schema], Any]] = {
    ("object", "array"): _Converter.as_pairs,
    ("string", "array"): _Converter.as_list,
    ("integer", "array"): _Converter.as_list,
    ("array", "object"): _Converter.as_map,
    ("string", "object"): _Converter.as_map_of_one,
    ("null", "object"): _Converter.as_object,
    ("integer", "string"): _Converter.as_text,
    ("number", "string"): _Converter.as_text,
    ("string", "integer"): _Converter.as_number,
    ("string", "boolean"): _Converter.as_flag,
    ("integer", "boolean"): _Converter.as_flag,
}
"""How a value of the first type becomes one of the second, where that leaves no doubt."""

_FLAGS = {"true": True, "false": False, "1": True, "0": False}
_SCALARS = ("string", "integer", "number", "boolean")


def words_of(text: str) -> Any:
    """Return the words of a command as a shell splits it, `NO_FORM` where a quote is open."""
    try:
        return shlex.split(text)
    except ValueError:
        return NO_FORM


def example(schema: Schema, definitions: Definitions, path: Path, fits: Fits) -> Any:
    """Return a list or an object that shows the form of the value at ``path`` in a body.

    It comes from ``specs/examples.yaml``, by the name of the field or of one around it, else from
    the schema. `NO_FORM` for other types, and where no value is found that ``fits``.
    """
    if not {"array", "object"}.intersection(types_of(schema)):
        return NO_FORM
    for end in range(len(path), 0, -1):
        value = bundled_data(EXAMPLES).get("values", {}).get(path[end - 1], NO_FORM)
        value = _below(value, path[end:])
        if value is not NO_FORM and fits(value):
            return value
    value = _made(schema, definitions, str(path[-1]) if path else "", _DEEPEST)
    return value if fits(value) else NO_FORM


def _below(value: Any, steps: Path) -> Any:
    """Return what an example has at some steps below it, whatever its keys are."""
    for _ in steps:
        members = [*value.values()] if isinstance(value, dict) else value
        if not isinstance(members, list) or not members:
            return NO_FORM
        value = members[0]
    return value


def _made(schema: Schema, definitions: Definitions, name: str, depth: int) -> Any:
    flat = flatten(schema, definitions)
    kind = next(iter(types_of(flat)), "string")
    if kind in ("array", "object") and not depth:
        return [] if kind == "array" else {}
    if kind == "array":
        return [_made(flat.get("items", {}), definitions, name.removesuffix("s"), depth - 1)]
    if kind == "object":
        members = {**flat.get("properties", {})}
        others = flat.get("additionalProperties")
        if not members and isinstance(others, dict):
            members = {"key": others}
        required = [key for key in members if key in flat.get("required", ())]
        names = required or [*members][:_MOST_FIELDS]
        return {key: _made(members[key], definitions, key, depth - 1) for key in names}
    choice = next((each for each in flat.get("enum", ()) if each), None)
    return choice or _PLAIN.get(kind, name.lower() or "text")


_PLAIN = {"boolean": True, "integer": 1, "number": 1}


def _separator(name: str) -> str:
    """Return what stands between the halves of a pair in a field's example, "" if it has none."""
    value = bundled_data(EXAMPLES).get("values", {}).get(name)
    first = value[0] if isinstance(value, list) and value else ""
    found = _PAIR.fullmatch(first) if isinstance(first, str) else None
    return found[1] if found else ""


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _type_of(value: Any) -> str:
    """Return the type that JSON has for a plain value."""
    return next(name for kind, name in _TYPES if isinstance(value, kind))


_TYPES: tuple[tuple[Any, str], ...] = (
    (bool, "boolean"),
    (str, "string"),
    (int, "integer"),
    (float, "number"),
    (dict, "object"),
    (list, "array"),
    (object, "null"),
)
