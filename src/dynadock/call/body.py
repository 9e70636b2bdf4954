"""Request bodies: made plain, checked against the strict schema, written as JSON."""

from __future__ import annotations

import base64
import warnings
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from dynadock.call.values import shown, whole_number
from dynadock.errors import Fault, UnknownFieldWarning
from dynadock.spec import history
from dynadock.spec.names import closest
from dynadock.spec.schema import document_pattern, schema_at, strict_schema

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

    from dynadock.spec.model import Body, Operation

Step = str | int
Path = tuple[Step, ...]
SchemaError = Any
"""A jsonschema ValidationError; its stubs give each attribute a union that its users never see."""

DEEPEST = 100
"""Levels of a body; deeper ones are cyclic or hostile."""

_AS_THEY_ARE = frozenset({str, int, bool, type(None)})


def place_of(path: Iterable[Step]) -> str:
    """Write a path inside a body: ``HostConfig.PortBindings.80/tcp[0].HostPort``."""
    place = ""
    for step in path:
        if isinstance(step, int):
            place += f"[{step}]"
        else:
            place += f".{step}" if place else step
    return place


class Plain:
    """Turns a body as Python writes it into one as JSON does, and gathers what cannot be.

    Mappings become dicts, tuples and sets lists, members of enums their values; a float that is a
    whole number becomes an integer (Go refuses ``1e9`` for one, and reads 5 for a float as well).
    ``bytes``, ``timedelta`` and ``datetime`` become what the field they stand in wants: base64,
    nanoseconds or seconds, RFC 3339.
    """

    def __init__(self, body: Body) -> None:
        self._body = body
        self.faults: list[Fault] = []

    def of(self, value: Any, path: Path = ()) -> Any:
        """Return ``value`` made plain; what cannot be is left out and noted in ``faults``."""
        if type(value) in _AS_THEY_ARE:
            return value
        if len(path) > DEEPEST:
            return self._fault(path, f"expected at most {DEEPEST} levels")
        # dict and list by themselves first: asking an abstract class takes ten times as long.
        if isinstance(value, dict) or isinstance(value, Mapping):  # noqa: SIM101
            return self._object(value, path)
        if isinstance(value, list) or isinstance(value, (tuple, AbstractSet)):  # noqa: SIM101
            return self._array(value, path)
        return self._scalar(value, path)

    def _object(self, value: Mapping[Any, Any], path: Path) -> dict[str, Any]:
        plain = {}
        for key, member in value.items():
            if not isinstance(key, str):
                self._fault(path, f"expected text for a key, got {shown(key)}")
            elif type(member) in _AS_THEY_ARE:
                plain[str.__str__(key)] = member
            else:
                plain[str.__str__(key)] = self.of(member, (*path, key))
        return plain

    def _array(self, value: Iterable[Any], path: Path) -> list[Any]:
        return [
            member if type(member) in _AS_THEY_ARE else self.of(member, (*path, place))
            for place, member in enumerate(value)
        ]

    def _scalar(self, value: Any, path: Path) -> Any:
        if isinstance(value, (str, PurePath)):
            return str.__str__(value) if isinstance(value, str) else str(value)
        if isinstance(value, float):
            return self._number(value, path)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return self._binary(bytes(value), path)
        if isinstance(value, timedelta):
            return self._duration(value, path)
        if isinstance(value, datetime):
            return value.astimezone().isoformat()
        return self._integer(value, path)

    def _integer(self, value: Any, path: Path) -> Any:
        number = whole_number(value)
        if number is None:
            return self._fault(path, f"{type(value).__name__} cannot be written as JSON")
        return number

    def _number(self, value: float, path: Path) -> Any:
        number = whole_number(value)
        if number is not None:
            return number
        if value != value or abs(value) == float("inf"):  # noqa: PLR0124 - NaN
            return self._fault(path, f"{value} cannot be written as JSON")
        return value

    def _binary(self, value: bytes, path: Path) -> Any:
        if self._schema(path).get("x-encoding") != "base64":
            return self._fault(path, "expected what JSON can hold, got bytes")
        return base64.b64encode(value).decode("ascii")

    def _duration(self, value: timedelta, path: Path) -> Any:
        unit = self._schema(path).get("x-unit")
        if unit == "nanoseconds":
            return value // timedelta(microseconds=1) * 1000
        if unit == "seconds" and value % timedelta(seconds=1) == timedelta():
            return value // timedelta(seconds=1)
        wanted = "whole seconds" if unit == "seconds" else "no duration"
        return self._fault(path, f"expected {wanted}, got {value!r}")

    def _schema(self, path: Path) -> dict[str, Any]:
        return schema_at(self._body.schema, self._body.definitions, path)

    def _fault(self, path: Path, problem: str) -> None:
        self.faults.append(Fault(place_of(path) or self._body.name, problem, "body"))


def check_body(operation: Operation, body: Body, value: Any, unknown: str) -> Iterator[Fault]:
    """Yield what is wrong with a plain body.

    ``unknown`` says what becomes of keys that the schema does not name: ``error`` makes them
    faults, ``warn`` warns of them, ``send`` lets them pass. Those with an empty value always pass:
    the engine's own replies and the docker command are full of them, and engines drop them.
    """
    for error in validator_for(body).iter_errors(value):
        if error.validator == "additionalProperties":
            yield from _unknown_keys(operation, error, unknown)
        elif error.validator == "required":
            yield from _missing_keys(error)
        else:
            place = place_of(error.absolute_path) or body.name
            yield Fault(place, _problem(body, error), "body")


@lru_cache(maxsize=256)
def validator_for(body: Body) -> Draft202012Validator:
    """Return the validator of a body's strict schema, made once."""
    # Imported here for start-up time: only calls with a body need jsonschema.
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    return Draft202012Validator(strict_schema(body.schema, body.definitions))


def _unknown_keys(operation: Operation, error: SchemaError, unknown: str) -> Iterator[Fault]:
    properties = error.schema.get("properties", {})
    for key, value in error.instance.items():
        if key in properties or not value or unknown == "send":
            continue
        place = place_of((*error.absolute_path, key))
        hint = hint_for_field(operation, properties, key, _field_path(error, key))
        if unknown == "error":
            yield Fault(place, f"unknown field{hint}", "body", "unknown")
        else:
            warnings.warn(
                f"{operation.operation_id} (API {operation.version}): {place}: unknown field{hint}",
                UnknownFieldWarning,
                stacklevel=2,
            )


def hint_for_field(operation: Operation, known: Iterable[str], key: str, field_path: str) -> str:
    """Say what was probably meant by a field that the document does not know."""
    lifetime = history.of_field(operation.operation_id, field_path)
    if lifetime is not None:
        return f"; {lifetime.relative_to(operation.version)}"
    meant = closest(key, known)
    return f"; did you mean {meant!r}?" if meant else ""


def _field_path(error: SchemaError, key: str) -> str:
    """Write where a key stands as the history does: ``[]`` for items, ``{}`` for a map's values."""
    path = ""
    steps = iter(list(error.absolute_schema_path)[:-1])
    for step in steps:
        if step == "properties":
            path += f".{next(steps)}" if path else str(next(steps))
        elif step == "items":
            path += "[]"
        elif step == "additionalProperties":
            path += "{}"
    return f"{path}.{key}" if path else key


def _missing_keys(error: SchemaError) -> Iterator[Fault]:
    # jsonschema reports each missing key on its own, with the key only in its message.
    for key in error.validator_value:
        if key not in error.instance and repr(key) in error.message.split(" is a required")[0]:
            place = place_of((*error.absolute_path, key))
            yield Fault(place, "missing; it is required", "body", "missing")


def _problem(body: Body, error: SchemaError) -> str:
    came = f"a {type(error.instance).__name__} not shown here" if _is_secret(error.schema) else None
    expected = _EXPECTED.get(str(error.validator), "what the schema allows ({0})").format(
        _wanted(error)
    )
    hint = _hint_for_body(body, error)
    return f"expected {expected}, got {came or shown(error.instance)}{hint}"


def _hint_for_body(body: Body, error: SchemaError) -> str:
    """Point from the body's own name to a field that looks like it (NetworkConnect's container)."""
    if error.absolute_path or error.validator != "type":
        return ""
    meant = closest(body.name, body.properties)
    return f"; did you mean {meant}?" if meant else ""


def _is_secret(schema: Any) -> bool:
    properties = schema.get("properties", {}).values()
    return schema.get("writeOnly", False) or any(each.get("writeOnly") for each in properties)


def _wanted(error: SchemaError) -> str:
    wanted = error.validator_value
    if error.validator == "type":
        names = [wanted] if isinstance(wanted, str) else wanted
        return " or ".join(name for name in names if name != "null")
    if error.validator == "pattern":
        return document_pattern(str(wanted))
    if error.validator == "enum":
        return ", ".join(repr(choice) for choice in wanted if choice not in (None, ""))
    return (
        f"{error.validator}: {shown(wanted)}" if error.validator not in _EXPECTED else str(wanted)
    )


_EXPECTED = {
    "type": "{0}",
    "enum": "one of {0}",
    "pattern": "text that matches {0}",
    "minimum": "{0} or more",
    "maximum": "{0} or less",
    "minLength": "at least {0} characters",
    "maxLength": "at most {0} characters",
    "minItems": "at least {0} items",
    "maxItems": "at most {0} items",
    "uniqueItems": "no item twice",
}
