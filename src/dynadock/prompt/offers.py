"""What may follow the text at a prompt: the words to offer, and where they belong."""

from __future__ import annotations

import ast
import inspect
import sys
from types import MethodType
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.bound import BoundOperation
from dynadock.client import Client, Groups, Operations, load
from dynadock.errors import DynadockError
from dynadock.explore.choices import names_at, values_at
from dynadock.explore.unfinished import unfinished
from dynadock.prompt.meaning import PACKAGE, Expected, meaning, operation_of
from dynadock.record import Record
from dynadock.spec.library import available_versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dynadock.explore.unfinished import Unfinished

_OURS = (BoundOperation, Client, Operations, Record)
_BARE = ("attribute", "import")
_WITH_KEYS = (Groups, Operations, Record)


class Offers(NamedTuple):
    """Words that may stand in the place of the text from ``start`` on.

    ``are_all`` tells that nothing else can stand there; a place for an argument's name may hold any
    value as well.
    """

    start: int
    words: tuple[str, ...]
    are_all: bool


def offers(text: str, names: Mapping[str, Any]) -> Offers | None:
    """Return what may follow ``text`` at a prompt that has these names, None where we know nothing.

    Nothing is sent, and no code of others is run. A string is offered without the quotation mark
    at its end.
    """
    found = unfinished(text)
    if found is not None and found.kind == "import":
        names = sys.modules
    value = meaning(found.head, names) if found else None
    if found is None or value is None:
        return None
    try:
        known = _IN_KINDS[found.kind](found, value)
    except DynadockError:  # of a document that is broken
        return None
    fragment = text[found.start :]
    words = tuple(_written(each, found) for each in _fitting(known, fragment, found))
    is_name = found.kind == "call" and found.wants_name and not found.is_key
    return Offers(found.start, words, are_all=not is_name) if words else None


def _attributes(_found: Unfinished, value: Any) -> Iterable[str]:
    if isinstance(value, Expected):
        return [*value.fields, *dir(value.of)]
    return dir(value) if isinstance(value, _OURS) or value is sys.modules[PACKAGE] else ()


def _keys(_found: Unfinished, value: Any) -> Iterable[str]:
    if isinstance(value, Expected):
        return value.fields
    return [key for key in value if isinstance(key, str)] if isinstance(value, _WITH_KEYS) else ()


def _arguments(found: Unfinished, function: Any) -> Iterable[str]:
    operation = operation_of(function)
    if operation is None:
        return _of_our_own(found, function)
    if not found.wants_name:
        return values_at(operation, found.path)
    return [name for name in names_at(operation, found.path) if name not in found.used]


_IN_KINDS = {
    "attribute": _attributes,
    "import": _attributes,
    "subscript": _keys,
    "call": _arguments,
}


def _of_our_own(found: Unfinished, function: Any) -> Iterable[str]:
    """Return what `load` and the methods of our objects take."""
    owner = function.__self__ if isinstance(function, MethodType) else function
    is_ours = owner is load or isinstance(owner, (Client, BoundOperation))
    if not is_ours or not callable(function):
        return ()
    taken = inspect.signature(function).parameters
    if found.wants_name:
        return () if found.path else [name for name in taken if name not in found.used]
    if len(found.path) != 1:
        return ()
    (name,) = found.path
    if isinstance(name, int):
        in_order = [each for each in taken.values() if each.kind is not each.KEYWORD_ONLY]
        name = in_order[name].name if name < len(in_order) else ""
    if name == "source":
        return map(str, available_versions())
    if isinstance(owner, Client) and function.__name__ == "schema":
        return owner._spec.definitions  # noqa: SLF001 - one view
    return _literals(taken[name].annotation) if name in taken else ()


def _literals(annotation: str) -> list[str]:
    """Return the texts that an annotation lists as ``Literal``."""
    nodes = ast.walk(ast.parse(annotation, mode="eval"))
    lists = [
        each.slice
        for each in nodes
        if isinstance(each, ast.Subscript) and ast.unparse(each.value) == "Literal"
    ]
    constants = [each for one in lists for each in ast.walk(one) if isinstance(each, ast.Constant)]
    return [each.value for each in constants if isinstance(each.value, str)]


def _fitting(words: Iterable[str], fragment: str, found: Unfinished) -> Iterable[str]:
    """Yield the words that begin with a fragment, in other letters where none does as it stands."""
    known = [word for word in words if _may_be_shown(word, found)]
    if not fragment.startswith("_"):
        known = [word for word in known if not word.startswith("_")]
    exact = [word for word in known if word.startswith(fragment)]
    folded = fragment.casefold()
    return exact or [word for word in known if word.casefold().startswith(folded)]


def _may_be_shown(word: str, found: Unfinished) -> bool:
    """Tell whether a document's word can be typed where it would stand."""
    if found.kind in _BARE or (found.wants_name and not found.is_key):
        return word.isidentifier()
    return word.isprintable() and not {"\\", '"', "'"} & {*word}


def _written(word: str, found: Unfinished) -> str:
    if found.kind == "call" and found.wants_name and not found.is_key:
        return f"{word}="
    return word if found.mark or found.kind in _BARE else f'"{word}"'
