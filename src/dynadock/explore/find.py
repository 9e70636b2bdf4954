"""Finding operations by words: over names, paths, parameters and body fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.spec.model import Operation, Spec

_FIELD_DEPTH = 3


def find_operations(spec: Spec, words: str) -> list[Operation]:
    """Return the operations that every one of ``words`` fits, best first; all of them for no words.

    A word fits where it is part of a name, in any case. The name of an operation counts most, then
    its tag and path, then its parameters, then the fields of its body.
    """
    wanted = words.casefold().split()
    ranked = []
    for operation in spec.values():
        score = _score(operation, wanted)
        if score is not None:
            ranked.append((-score, operation.operation_id, operation))
    return [operation for *_, operation in sorted(ranked, key=lambda entry: entry[:2])]


def _score(operation: Operation, wanted: list[str]) -> int | None:
    """Add up how well the words fit; None if one of them does not fit at all."""
    total = 0
    for word in wanted:
        best = max((weight for weight, text in _texts(operation) if word in text), default=0)
        if best == 0:
            return None
        total += best
    return total


def _texts(operation: Operation) -> Iterator[tuple[int, str]]:
    yield 8, operation.operation_id.casefold()
    yield 8, operation.python_name
    yield 4, operation.tag.casefold()
    yield 4, f"{operation.method} {operation.path}".casefold()
    for parameter in operation.parameters:
        yield 2, parameter.name.casefold()
        yield 2, parameter.python_name.casefold()
    if operation.body is not None:
        for field in operation.body.fields(_FIELD_DEPTH):
            yield 1, field.name.casefold()
