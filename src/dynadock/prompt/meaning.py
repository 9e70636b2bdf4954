"""What an expression means, without running it: no call is made, and no code of others is run."""

from __future__ import annotations

import ast
from inspect import getattr_static
from types import MethodType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.bound import BoundOperation
from dynadock.client import Client, Found, Groups, Operations, client_for, load
from dynadock.errors import DynadockError
from dynadock.record import Record, Records
from dynadock.spec.kinds import KINDS
from dynadock.spec.library import available_versions
from dynadock.spec.schema import schema_at
from dynadock.spec.versions import looks_like_version, parse_version
from dynadock.streams import opening
from dynadock.wire.messages import Headers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynadock.spec.model import Operation

PACKAGE = __name__.partition(".")[0]
_PLAIN = (dict, list, tuple, Record, Records)


class Expected(NamedTuple):
    """A value that nobody has yet: its class, and the schema of a reply or of a part of one."""

    of: type
    schema: dict[str, Any]
    definitions: Mapping[str, Any]

    @property
    def fields(self) -> list[str]:
        """The names of its fields, as its document has them."""
        return [*schema_at(self.schema, self.definitions, ()).get("properties", ())]

    def at(self, step: str | int) -> Expected:
        """Return what is expected in a field, or at a place of a list."""
        return _expected(schema_at(self.schema, self.definitions, (step,)), self.definitions)


def _expected(schema: dict[str, Any], definitions: Mapping[str, Any]) -> Expected:
    flat = schema_at(schema, definitions, ())
    kind = flat.get("type", "object" if "properties" in flat else "")
    classes = {"object": Record, "array": Records, "string": str, "integer": int, "boolean": bool}
    of = classes.get(kind, object) if isinstance(kind, str) else object
    return Expected(of, flat, definitions)


def meaning(expression: str, names: Mapping[str, Any]) -> Any:
    """Return the value that an expression has, or an `Expected`; None where that is not known.

    Known are names, attributes of plain objects and of ours, subscripts of ours, and what calls
    of operations, `load`, ``at`` and ``with_options`` would give. A version's document is read for
    that, and nothing is sent.
    """
    try:
        tree = ast.parse(expression.strip(), mode="eval")
        return _meaning(tree.body, names)
    except (SyntaxError, ValueError, RecursionError, MemoryError, DynadockError):
        # Code that is no code yet, or that nests without end; or a document that is broken.
        return None


def _meaning(node: ast.expr, names: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        return _attribute(_meaning(node.value, names), node.attr)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return _item(_meaning(node.value, names), node.slice.value)
    if isinstance(node, ast.Call):
        return _answer(_meaning(node.func, names), node)
    return None


def _attribute(value: Any, name: str) -> Any:
    if isinstance(value, Expected):
        return value.at(name) if value.of is Record else None
    if isinstance(value, (Record, Records)):
        return dict.get(value, name) if isinstance(value, Record) else None
    if isinstance(value, ModuleType):
        # Ours gives its names when they are asked for, of others only what is there is taken.
        is_ours = value.__name__ == PACKAGE
        return getattr(value, name, None) if is_ours else vars(value).get(name)
    if isinstance(value, (Client, BoundOperation, Operations)):
        return None if name.startswith("_") else getattr(value, name, None)
    found = getattr_static(value, name, None)
    return None if hasattr(type(found), "__get__") else found


def _item(value: Any, key: Any) -> Any:
    if isinstance(value, Expected):
        return value.at(key) if isinstance(key, (str, int)) else None
    if isinstance(value, (Found, Groups, Operations)) or type(value) in _PLAIN:
        try:
            return value[key]
        except LookupError:
            return None
    return None


def _answer(function: Any, call: ast.Call) -> Any:
    if isinstance(function, BoundOperation):
        return reply_of(function)
    if function is load:
        version = _version(call)
        return None if version is None else client_for(version)
    if isinstance(function, MethodType) and isinstance(function.__self__, Client):
        client, name = function.__self__, function.__name__
        version = _version(call)
        if name == "at" and version is not None:
            return client.at(version)
        return client if name == "with_options" else None
    return None


def operation_of(value: Any) -> Operation | None:
    """Return the operation whose arguments a callable takes, None if it is none of ours."""
    owner = value.__self__ if isinstance(value, MethodType) else value
    if not isinstance(owner, BoundOperation):
        return None
    is_call = owner is value or value.__name__ in ("prepare", "raw")
    return owner._operation if is_call else None  # noqa: SLF001 - one thing, seen from outside


def reply_of(function: BoundOperation) -> Expected | None:
    """Return what a call of an operation gives, None where that is nothing that is known."""
    operation = function._operation  # noqa: SLF001 - one thing, seen from outside
    reply, definitions = operation.reply, operation.spec.definitions
    stream = KINDS[reply.kind].stream
    if stream:
        return Expected(getattr(opening, stream), {}, definitions)
    if reply.kind == "headers":
        return Expected(Headers, {}, definitions)
    return None if reply.schema is None else _expected(reply.schema, definitions)


def _version(call: ast.Call) -> str | None:
    """Return the version that a call names as a text, if there is a document of it."""
    given = [*call.args, *(each.value for each in call.keywords if each.arg == "source")]
    first = given[0] if given else None
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        return None
    text = first.value
    is_known = looks_like_version(text) and parse_version(text) in available_versions()
    return text if is_known else None
