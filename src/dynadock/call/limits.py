"""Values checked against a strict schema by jsonschema, which takes some keywords from here.

Its own ``pattern`` runs whatever there is, its ``uniqueItems`` compares each object with each, its
``enum`` all choices with each value, and its ``multipleOf`` divides floats, which are not exact and
not endless. ``x-encoding`` and the doubts are the overlay's own words, which it passes over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.call.doubts import DOUBTS
from dynadock.call.encodings import ENCODINGS
from dynadock.call.values import Mismatch, is_multiple
from dynadock.spec.patterns import read_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping

    from jsonschema import Draft202012Validator, ValidationError

    Check = Callable[[Any, Any, Any, Any], Iterator[ValidationError]]


def validator_of(schema: Mapping[str, Any]) -> Draft202012Validator:
    """Return what checks values against a schema, in time that is linear in them."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    checks = {**linear_checks(), "x-encoding": _keyword(_is_encoded, str), **DOUBTS}
    kind: type[Draft202012Validator] = extend(Draft202012Validator, checks)  # type: ignore[no-untyped-call]
    return kind(schema)


def linear_checks() -> dict[str, Check]:
    """Return functions for keywords of JSON Schema whose own may take longer than linear time.

    What they remember of schemas lives as long as they do: for each document, others are made.
    """
    return {
        "pattern": _keyword(lambda pattern, value: read_pattern(pattern).fits(value), str),
        "enum": _keyword(_Choices().hold),
        "multipleOf": _keyword(lambda of, value: is_multiple(value, of), (int, float)),
        "uniqueItems": _keyword(lambda wanted, value: not wanted or _are_unique(value), list),
    }


def _keyword(fits: Callable[[Any, Any], bool], types: Any = object) -> Check:
    """Make a keyword's function; values of other types, which a boolean is, fit all the same."""

    def check(
        _validator: object, wanted: Any, value: Any, _schema: object
    ) -> Iterator[ValidationError]:
        if not isinstance(value, types) or (isinstance(value, bool) and types is not object):
            return
        if not fits(wanted, value):
            from jsonschema import ValidationError

            # The text is our own (`dynadock.call.body`); its would hold the whole value.
            yield ValidationError("")

    return check


class _Choices:
    """The choices of enums, each list read once."""

    def __init__(self) -> None:
        self._read: dict[int, frozenset[Hashable]] = {}

    def hold(self, choices: list[Any], value: Any) -> bool:
        """Tell whether a value is one of the choices."""
        known = self._read.get(id(choices))
        if known is None:
            known = self._read[id(choices)] = frozenset(map(_identity, choices))
        return _identity(value) in known


def _is_encoded(encoding: str, value: str) -> bool:
    if encoding in ENCODINGS:
        try:
            ENCODINGS[encoding].check(value)
        except Mismatch:
            return False
    return True


def _are_unique(values: list[Any]) -> bool:
    return len({*map(_identity, values)}) == len(values)


def _identity(value: Any) -> Hashable:
    """Return what is equal for equal JSON values; unlike in Python, true and 1 are different."""
    if isinstance(value, list):
        return ("list", *map(_identity, value))
    if isinstance(value, dict):
        return frozenset((name, _identity(member)) for name, member in value.items())
    return (type(value), value) if isinstance(value, bool) else value
