"""A parameter's value: checked against all that is known of the parameter, and written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.call.encodings import ENCODINGS, Encoding, Json
from dynadock.call.values import (
    Mismatch,
    about,
    is_multiple,
    one_of,
    plain_text,
    unexpected,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.spec.model import Parameter

SEPARATORS = {"csv": ",", "ssv": " ", "tsv": "\t", "pipes": "|"}
_STRING = ENCODINGS["string"]


class Loose(NamedTuple):
    """What is sent unchecked: its ``texts``, and the ``value`` that the last of them stands for."""

    texts: list[str]
    value: Any


def encoding_of(parameter: Parameter) -> Encoding:
    """Return the row of a parameter's encoding; what is not known is text."""
    return ENCODINGS.get(parameter.encoding, _STRING)


def checked(parameter: Parameter, value: Any) -> Any:
    """Return a value in the normal form of its encoding, for an array a list of such.

    Raises Mismatch where the value does not fit the parameter's type, enum, pattern or bounds.
    """
    if parameter.items is not None:
        return _checked_array(parameter.items, value)
    return _checked_one(parameter, value)


def written(parameter: Parameter | None, value: Any) -> list[str]:
    """Return the texts to send for what was `checked`: of a ``multi`` array each, else one.

    A `Loose` value may belong to no known parameter, which is None then.
    """
    if parameter is None or isinstance(value, Loose):
        texts: list[str] = value.texts
        return texts
    if parameter.items is None:
        return [encoding_of(parameter).write(value)]
    members = [*map(encoding_of(parameter.items).write, value)]
    if parameter.collection == "multi":
        return members
    return [SEPARATORS.get(parameter.collection, ",").join(members)]


def loose(value: Any, parameter: Parameter | None = None) -> Loose:
    """Take any value as it is: what ``validate=False``, ``unknown=`` and ``query=`` send.

    Mismatch for the few that cannot be written as text.
    """
    if isinstance(value, (list, tuple, AbstractSet)):
        texts = [plain_text(member) for member in value]
    else:
        texts = [plain_text(value)]
    row = ENCODINGS["boolean"] if parameter is None else encoding_of(parameter.items or parameter)
    return Loose(texts, row.read(texts[-1]) if texts else None)


def plain(value: Any) -> Any:
    """Return what is sent as plain Python has it, without the text that goes with it."""
    if isinstance(value, (Json, Loose)):
        return value.value
    return [plain(member) for member in value] if isinstance(value, list) else value


def check_texts(value: Any, check: Callable[[str], object]) -> None:
    """Call ``check`` with every text in what is sent that may hold any character."""
    if isinstance(value, str):
        check(value)
    elif isinstance(value, Json):
        check(value.text)
    elif isinstance(value, (list, Loose)):
        for text in value.texts if isinstance(value, Loose) else value:
            check_texts(text, check)


def _checked_one(parameter: Parameter, value: Any) -> Any:
    if isinstance(value, Enum):
        value = value.value
    row = encoding_of(parameter)
    normal = row.check(value)
    if parameter.enum or parameter.pattern or parameter.bounds or parameter.refuse:
        _check_limits(parameter, value, normal, row.write(normal))
    return normal


def _checked_array(item: Parameter, value: Any) -> list[Any]:
    if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
        value = [value]
    members = []
    for position, member in enumerate(value):
        try:
            members.append(_checked_one(item, member))
        except Mismatch as mismatch:
            raise Mismatch(mismatch.problem, f"[{position}]", mismatch.discreet) from None
    return members


def _check_limits(parameter: Parameter, value: Any, normal: Any, text: str) -> None:
    if parameter.enum and text not in _choices_of(parameter):
        raise unexpected(one_of(parameter.enum), value)
    if parameter.pattern:
        from dynadock.spec.patterns import read_pattern

        if not read_pattern(parameter.pattern).fits(text):
            raise unexpected(f"text that matches {parameter.pattern}", value)
    measured = _exact(normal) if parameter.type in _NUMBERS else text
    for keyword, bound in parameter.bounds.items():
        types, fits, expected = _BOUNDS[keyword]
        if parameter.type in types and not fits(measured, bound, parameter.bounds):
            raise unexpected(expected.format(bound), value)
    if text in parameter.refuse:
        raise about(f"{{0}} is not possible here: {parameter.refuse[text]}", value)


@lru_cache(maxsize=256)
def _choices_of(parameter: Parameter) -> frozenset[str]:
    """Return a parameter's choices as they are sent, made once: an array asks for each member."""
    return frozenset(map(plain_text, parameter.enum))


def _exact(number: float | str) -> float:
    """Return a number from its normal form; a float would round integers beyond 2**53."""
    if not isinstance(number, str):
        return number
    try:
        return int(number)
    except ValueError:
        return float(number)


_NUMBERS = ("integer", "number")

_BOUNDS: Mapping[
    str, tuple[tuple[str, ...], Callable[[Any, Any, Mapping[str, Any]], bool], str]
] = {
    "minimum": (_NUMBERS, lambda value, bound, _: value >= bound, "{0} or more"),
    "maximum": (_NUMBERS, lambda value, bound, _: value <= bound, "{0} or less"),
    # In Swagger these two are flags beside the bound.
    "exclusiveMinimum": (
        _NUMBERS,
        lambda value, flag, bounds: not flag or value != bounds.get("minimum"),
        "more than the minimum",
    ),
    "exclusiveMaximum": (
        _NUMBERS,
        lambda value, flag, bounds: not flag or value != bounds.get("maximum"),
        "less than the maximum",
    ),
    "multipleOf": (
        _NUMBERS,
        lambda value, bound, _: is_multiple(value, bound),
        "a multiple of {0}",
    ),
    "minLength": (
        ("string",),
        lambda value, bound, _: len(value) >= bound,
        "at least {0} characters",
    ),
    "maxLength": (
        ("string",),
        lambda value, bound, _: len(value) <= bound,
        "at most {0} characters",
    ),
}
"""For each limit: the types that it limits, whether a number or a text keeps it, and its name."""
