"""Signatures: an operation's arguments as Python's own tools show them."""

from __future__ import annotations

import inspect
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from dynadock.explore.types import python_type
from dynadock.spec.schema import flatten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.spec.model import Body, Operation, Parameter


def signature_of(operation: Operation) -> inspect.Signature:
    """Return the signature of an operation.

    Path parameters come first and may be positional; the rest goes by name: parameters, then the
    body, then the topmost fields of a body that is an object. What may be left out is None.
    """
    arguments = [_positional(parameter) for parameter in operation.positional]
    named = [each for each in operation.parameters if each.location != "path"]
    taken = {argument.name for argument in arguments}
    for argument in [*map(_named, named), *_body_arguments(operation.body)]:
        if argument.name not in taken:
            taken.add(argument.name)
            arguments.append(argument)
    return inspect.Signature(arguments)


def _positional(parameter: Parameter) -> inspect.Parameter:
    return inspect.Parameter(
        parameter.python_name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=str
    )


def _named(parameter: Parameter) -> inspect.Parameter:
    must_be_given = parameter.required and parameter.send is None
    annotation = list if parameter.items is not None else python_type(parameter.encoding)
    return _keyword(parameter.python_name, annotation, must_be_given=must_be_given)


def _body_arguments(body: Body | None) -> Iterator[inspect.Parameter]:
    if body is None:
        return
    is_object = body.kind == "object"
    must_be_given = body.required and not is_object and body.send is None
    annotation = bytes if body.kind == "binary" else python_type(body.kind)
    yield _keyword(body.python_name, annotation, must_be_given=must_be_given)
    if is_object:
        for name, schema in body.properties.items():
            if name.isidentifier() and not iskeyword(name):
                kind = flatten(schema, body.definitions).get("type", "")
                word = kind if isinstance(kind, str) else ""
                yield _keyword(name, python_type(word), must_be_given=False)


def _keyword(name: str, annotation: Any, *, must_be_given: bool) -> inspect.Parameter:
    default = inspect.Parameter.empty if must_be_given else None
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
    )
