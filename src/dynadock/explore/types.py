"""Types as a reader wants them: from schemas and parameters to short words and to Python types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.call.encodings import ENCODINGS
from dynadock.call.values import Mismatch
from dynadock.spec.kinds import KINDS
from dynadock.spec.words import word_for_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynadock.spec.model import Body, Operation, Parameter

_CONTAINERS: Mapping[str, Any] = {"array": list, "object": dict}
"""The types that hold others, which only schemas have."""

_USE_OF_WORK = "Let .wait() run it to the end, or .show() with its progress, or iterate."

BYTES = "bytes, Path, open file, iterator or pack(…)"


def word_for_parameter(parameter: Parameter) -> str:
    """Name the type of value that a parameter takes: ``boolean``, ``list of string``."""
    if parameter.items is not None:
        return f"list of {word_for_parameter(parameter.items)}"
    row = ENCODINGS.get(parameter.encoding)
    return parameter.encoding if row is None else row.word


def word_for_reply(operation: Operation) -> str:
    """Name what a call gives back."""
    reply = operation.reply
    if reply.kind == "value" and reply.schema is not None:
        return word_for_schema(reply.schema, operation.spec.definitions)
    return KINDS[reply.kind].words


def word_for_body(body: Body) -> str:
    """Name what may be given as a body."""
    return BYTES if body.kind == "binary" else word_for_schema(body.schema, body.definitions)


def use_of_reply(operation: Operation) -> str:
    """Say what to do with a reply that is a stream, and when it is a value; "" for others."""
    reply = operation.reply
    use = _USE_OF_WORK if reply.acts else KINDS[reply.kind].use
    for name, value in reply.unless.items() if use else ():
        use += f" With {name}={value!r} it is not a stream but the value itself."
    return use


def python_type(word: str) -> Any:
    """Return the Python type for a parameter's encoding or a schema's type, Any where none fits."""
    row = ENCODINGS.get(word)
    return _CONTAINERS.get(word, Any) if row is None else row.python


def has_type(value: Any, word: str) -> bool:
    """Tell whether a value is what a parameter's encoding or a schema's type takes."""
    row = ENCODINGS.get(word)
    if row is None:
        return isinstance(value, _CONTAINERS.get(word, object))
    try:
        row.check(value)
    except Mismatch:
        return False
    return True
