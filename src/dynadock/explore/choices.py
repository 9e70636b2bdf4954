"""What may stand at a place in a call, by its operation's document: names, keys, fixed values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.explore.signature import signature_of
from dynadock.spec.schema import schema_at

if TYPE_CHECKING:
    from dynadock.explore.unfinished import Path
    from dynadock.spec.model import Operation
    from dynadock.spec.schema import Schema


def names_at(operation: Operation, path: Path) -> list[str]:
    """Return the names of the arguments, or at a path the keys of the object that belongs there."""
    if not path:
        return [*signature_of(operation).parameters]
    return [*_schema(operation, path).get("properties", ())]


def values_at(operation: Operation, path: Path) -> list[str]:
    """Return the texts of which one belongs at a path; none where any may."""
    name, *rest = path
    if isinstance(name, int):
        in_path = operation.positional
        name = in_path[name].python_name if name < len(in_path) else ""
    parameter = operation.by_name.get(name)
    if parameter is None:
        choices: Any = _schema(operation, path).get("enum", ())
    else:
        # The members of a list, or of one that a caller writes as a single value.
        holder = parameter.items or parameter
        choices = (holder.enum or parameter.enum) if rest in ([], [0]) else ()
    return [choice for choice in choices if isinstance(choice, str) and choice]


def _schema(operation: Operation, path: Path) -> Schema:
    """Return the schema of the place in the body that a path leads to, ``{}`` if it is elsewhere.

    A parameter wins over a field of the same name, as it does in a call.
    """
    body = operation.body
    name, *rest = path
    if body is None or (name in operation.by_name and name != body.python_name):
        return {}
    if name in (body.python_name, "body"):
        return schema_at(body.schema, body.definitions, tuple(rest))
    return schema_at(body.schema, body.definitions, path)
