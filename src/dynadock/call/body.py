"""Request bodies checked against the strict schema; what is wrong becomes faults."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dynadock.call.values import not_shown, place_of, shown
from dynadock.errors import Fault, UnknownFieldWarning
from dynadock.spec import history
from dynadock.spec.names import closest, respelt
from dynadock.spec.schema import document_pattern, strict_schema
from dynadock.warn import warn_caller

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jsonschema import Draft202012Validator

    from dynadock.spec.model import Body, Operation

SchemaError = Any
"""A jsonschema ValidationError; its stubs give each attribute a union that its users never see."""


def check_body(operation: Operation, body: Body, value: Any, unknown: str) -> Iterator[Fault]:
    """Yield what is wrong with a plain body.

    ``unknown`` says what becomes of keys that the schema does not name: ``error`` makes them
    faults, ``warn`` warns of them, ``send`` lets them pass. Those with an empty value always pass:
    the engine's own replies and the docker command are full of them, and engines drop them.
    """
    incomplete: set[tuple[object, ...]] = set()
    for error in validator_for(body).iter_errors(value):
        if error.validator == "additionalProperties":
            yield from _unknown_keys(operation, error, unknown)
        elif error.validator == "required":
            # There is one such error for each missing key, and those of an object are all alike.
            where = (tuple(error.absolute_path), tuple(error.absolute_schema_path))
            if where not in incomplete:
                incomplete.add(where)
                yield from _missing_keys(error)
        else:
            place = place_of(error.absolute_path) or body.name
            yield Fault(place, _problem(body, error), "body")


@lru_cache(maxsize=256)
def validator_for(body: Body) -> Draft202012Validator:
    """Return the validator of a body's strict schema, made once."""
    from jsonschema import Draft202012Validator

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
            warn_of_unknown(operation, f"{place}: unknown field{hint}")


def warn_of_unknown(operation: Operation, problem: str) -> None:
    """Warn of something unknown that is sent all the same, at the line that made the call."""
    message = f"{operation.operation_id} (API {operation.version}): {problem}"
    warn_caller(message, UnknownFieldWarning)


def hint_for_field(operation: Operation, known: Iterable[str], key: str, field_path: str) -> str:
    """Say what was probably meant by a field that the document does not know."""
    known = list(known)
    lifetime = history.of_field(operation.operation_id, field_path)
    if lifetime is not None and respelt(key, known) is None:
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
    """Yield a fault for each key that an object must have and has not."""
    for key in error.validator_value:
        if key not in error.instance:
            place = place_of((*error.absolute_path, key))
            yield Fault(place, "missing; it is required", "body", "missing")


def _problem(body: Body, error: SchemaError) -> str:
    from dynadock.spec.fields import touches_secret

    came = shown(error.instance)
    if touches_secret(body.schema, body.definitions, tuple(error.absolute_path)):
        came = not_shown(error.instance)
    expected = _EXPECTED.get(str(error.validator), "what the schema allows ({0})").format(
        _wanted(error)
    )
    hint = _hint_for_body(body, error)
    return f"expected {expected}, got {came}{hint}"


def _hint_for_body(body: Body, error: SchemaError) -> str:
    """Point from the body's own name to a field that looks like it (NetworkConnect's container)."""
    if error.absolute_path or error.validator != "type":
        return ""
    meant = closest(body.name, body.properties)
    return f"; did you mean {meant}?" if meant else ""


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
