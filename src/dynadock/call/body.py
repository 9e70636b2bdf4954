"""Request bodies checked against the strict schema; what is wrong becomes faults."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dynadock.call.doubts import DOUBTS
from dynadock.call.forms import NO_FORM, converted, example
from dynadock.call.hints import hint_for_field
from dynadock.call.spelling import Spelling
from dynadock.call.values import not_shown, one_of, place_of, shown
from dynadock.errors import DoubtfulArgumentWarning, Fault, UnknownFieldWarning
from dynadock.spec.names import closest
from dynadock.spec.schema import schema_at, strict_schema, types_of
from dynadock.warn import warn_caller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema import Draft202012Validator

    from dynadock.spec.model import Body, Operation
    from dynadock.spec.schema import Schema

SchemaError = Any
"""A jsonschema ValidationError; its stubs give each attribute a union that its users never see."""

_OF_OTHERS = {"additionalProperties", "required", *DOUBTS}
"""Keywords whose errors are not about a single value."""


def check_body(operation: Operation, body: Body, value: Any, unknown: str) -> list[Fault]:
    """Return what is wrong with a plain body, as `faults_of_body` does.

    Where nothing is wrong, what is legal and surely a mistake is warned of.
    """
    faults, doubts = faults_of_body(operation, body, value, unknown)
    if all(unknown == "warn" and fault.kind == "unknown" for fault in faults):
        for doubt in doubts:
            warn_caller(doubt, DoubtfulArgumentWarning)
    return faults


def faults_of_body(
    operation: Operation, body: Body, value: Any, unknown: str
) -> tuple[list[Fault], list[str]]:
    """Return what is wrong with a plain body, and what is legal there and surely a mistake.

    ``unknown`` says what becomes of keys that the schema does not name: ``send`` lets them pass,
    else they are faults of the kind "unknown", which ``warn`` has the caller warn of. Those with an
    empty value always pass: the engine's own replies and the docker command are full of them, and
    engines drop them. A key that is a known one in other letters is checked as that: engines obey
    it in any.
    """
    validator = validator_for(body)
    errors = [*validator.iter_errors(value)]
    spelling = Spelling(value)
    if any(error.validator == "additionalProperties" for error in errors):
        spelling.correct(body, nearly=unknown == "error")
        errors = [*validator.iter_errors(spelling.value)]
    faults = [*_missing_keys(errors, spelling)]
    for error in _of_values(errors):
        place = spelling.place_of(error.absolute_path) or body.name
        faults.append(Fault(place, _problem(body, error), "body"))
    faults += _misspelt_keys(operation, body, spelling, unknown)
    for error in errors:
        if error.validator == "additionalProperties":
            faults += _unknown_keys(operation, error, spelling, unknown)
    return faults, [*_doubts(operation, errors, spelling)]


def _of_values(errors: list[SchemaError]) -> Iterator[SchemaError]:
    """Yield the errors about single values; one of the wrong type is not wrong otherwise, too."""
    mistyped = {tuple(error.absolute_path) for error in errors if error.validator == "type"}
    for error in errors:
        is_more = error.validator != "type" and tuple(error.absolute_path) in mistyped
        if not is_more and error.validator not in _OF_OTHERS:
            yield error


def _doubts(operation: Operation, errors: list[SchemaError], spelling: Spelling) -> Iterator[str]:
    for error in errors:
        if error.validator in DOUBTS:
            place = spelling.place_of(error.absolute_path)
            yield f"{operation.operation_id} (API {operation.version}): {place}: {error.message}"


@lru_cache(maxsize=256)
def validator_for(body: Body) -> Draft202012Validator:
    """Return the validator of a body's strict schema, made once."""
    from dynadock.call.limits import validator_of

    return validator_of(strict_schema(body.schema, body.definitions))


def _misspelt_keys(
    operation: Operation, body: Body, spelling: Spelling, unknown: str
) -> Iterator[Fault]:
    """Yield a fault for each key that is a known one, spelt otherwise."""
    for path, key in spelling.misspelt.items():
        if unknown == "send" or not spelling.at(path):
            continue
        *around, name = path
        place = place_of((*spelling.path_of(around), key))
        if str(name).casefold() != key.casefold():
            # To send it all the same would leave the required one out: that is no way out.
            problem = f"unknown field; did you mean {name!r}, which is required?"
            yield Fault(place, problem, "body", "missing")
            continue
        schema = schema_at(body.schema, body.definitions, tuple(around))
        hint = hint_for_field(operation, schema.get("properties", {}), key, key)
        yield Fault(place, f"unknown field{hint}", "body", "unknown")


def _unknown_keys(
    operation: Operation, error: SchemaError, spelling: Spelling, unknown: str
) -> Iterator[Fault]:
    properties = error.schema.get("properties", {})
    for key, value in error.instance.items():
        if key in properties or not value or unknown == "send":
            continue
        place = place_of((*spelling.path_of(error.absolute_path), key))
        hint = hint_for_field(operation, properties, key, _field_path(error, key))
        yield Fault(place, f"unknown field{hint}", "body", "unknown")


def warn_of_unknown(operation: Operation, problem: str) -> None:
    """Warn of something unknown that is sent all the same, at the line that made the call."""
    message = f"{operation.operation_id} (API {operation.version}): {problem}"
    warn_caller(message, UnknownFieldWarning)


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


def _missing_keys(errors: list[SchemaError], spelling: Spelling) -> Iterator[Fault]:
    """Yield a fault for each key that an object must have and has not, once."""
    missing = {
        (*spelling.path_of(error.absolute_path), key): None
        for error in errors
        if error.validator == "required"
        for key in error.validator_value
        if key not in error.instance
    }
    for path in missing:
        yield Fault(place_of(path), "missing; it is required", "body", "missing")


def _problem(body: Body, error: SchemaError) -> str:
    from dynadock.spec.fields import touches_secret

    path = tuple(error.absolute_path)
    # That nothing was given is no secret.
    is_secret = error.instance is not None and touches_secret(body.schema, body.definitions, path)
    came = not_shown(error.instance) if is_secret else shown(error.instance)
    flat = schema_at(body.schema, body.definitions, path)
    expected = _EXPECTED.get(str(error.validator), "what the schema allows ({0})").format(
        _wanted(error, flat)
    )
    hint = _hint_for_body(body, error)
    if not hint and error.validator in ("type", "not"):
        hint = _right_form(body, error, flat, is_secret=is_secret)
    return f"expected {expected}, got {came}{hint}"


def _right_form(body: Body, error: SchemaError, flat: Schema, *, is_secret: bool) -> str:
    """Say how a value is written: itself where that is sure and no secret, else an example."""
    from dynadock.call.limits import validator_of

    path = tuple(error.absolute_path)
    root: Any = validator_for(body).schema
    strict = {**error.schema, "$defs": root.get("$defs", {})}
    fits = validator_of(strict).is_valid
    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    # An empty object in a list may mean much: among a port's bindings, one at all addresses.
    is_void = error.instance is None and isinstance(path[-1], int)
    meant = NO_FORM
    if not is_secret and not is_void:
        meant = converted(error.instance, flat, body.definitions, name)
    if meant is not NO_FORM and fits(meant):
        return f"; write {shown(meant)}"
    if error.instance is None:
        return "; null stands for nothing inside a list or a map: leave it out"
    form = example(flat, body.definitions, path, fits)
    return "" if form is NO_FORM else f"; for example {shown(form)}"


def _hint_for_body(body: Body, error: SchemaError) -> str:
    """Point from the body's own name to a field that looks like it (NetworkConnect's container)."""
    if error.absolute_path or error.validator != "type":
        return ""
    meant = closest(body.name, body.properties)
    return f"; did you mean {meant}?" if meant else ""


def _wanted(error: SchemaError, flat: Schema) -> str:
    wanted = error.validator_value
    if error.validator in ("type", "not"):
        names = types_of(flat)
        return " or ".join(name for name in names if name != "null")
    if error.validator == "enum":
        return one_of([choice for choice in wanted if choice not in (None, "")])
    return (
        f"{error.validator}: {shown(wanted)}" if error.validator not in _EXPECTED else str(wanted)
    )


_EXPECTED = {
    "type": "{0}",
    "not": "{0}",
    "enum": "{0}",
    "pattern": "text that matches {0}",
    "minimum": "{0} or more",
    "maximum": "{0} or less",
    "multipleOf": "a multiple of {0}",
    "minLength": "at least {0} characters",
    "maxLength": "at most {0} characters",
    "minItems": "at least {0} items",
    "maxItems": "at most {0} items",
    "uniqueItems": "no item twice",
    "x-encoding": "base64 text, or bytes, which are encoded",
}
