"""Single values: what they are, how they are written, and how they are shown in messages."""

from __future__ import annotations

import json
import operator
from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

from dynadock.secret import plain_string, reveal

SHOWN = 60
"""How many characters of a wrong value a message shows."""

MOST_CHOICES = 50
"""How many choices a message shows; published documents have enums of fewer."""

LONGEST_INTEGER = 1024
"""Bits; no parameter takes more, and Python writes no integer of thousands of digits."""

_COMPACT = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


class Mismatch(Exception):
    """A value is not what was expected; ``place`` is where inside it (``[1]``).

    ``discreet`` is the problem without the value, for parameters that are secret. It never leaves
    the package: `bind` makes a Fault of it.
    """

    def __init__(self, problem: str, place: str = "", discreet: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.place = place
        self.discreet = discreet or problem


def shown(value: Any) -> str:
    """Write a value for a message: its repr, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:
        # Python refuses to write integers of thousands of digits.
        text = f"a huge {type(value).__name__}"
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def not_shown(value: Any) -> str:
    """Write what may be known of a secret value: its type."""
    return f"a {type(value).__name__} not shown here"


def unexpected(expected: str, value: Any, place: str = "") -> Mismatch:
    """Make the Mismatch that says what was expected and what came."""
    problem = f"expected {expected}, got {{0}}"
    return about(problem, value, place)


def about(problem: str, value: Any, place: str = "") -> Mismatch:
    """Make a Mismatch whose problem names a value, at ``{0}``."""
    # Not format: what was expected may hold braces.
    texts = [problem.replace("{0}", each) for each in (shown(value), not_shown(value))]
    return Mismatch(texts[0], place, texts[1])


def utf8_text(text: str) -> str:
    """Return ``text`` if UTF-8 can write it; Mismatch for half of a surrogate pair."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise unexpected("text that UTF-8 can write", text) from None
    return text


def plain_text(value: Any) -> str:
    """Write any value as it is; Mismatch for the few that no text can stand for.

    These are bytes, and what JSON cannot hold inside a dict or a list.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return plain_string(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise Mismatch(f"expected text, got {type(value).__name__}")
    if isinstance(value, (dict, list)):
        return json_text(value)
    try:
        return str(value)
    except ValueError:
        # Python writes no integers of thousands of digits.
        raise about("{0} cannot be written as text", value) from None


def compact_json(value: Any) -> str:
    """Write JSON without blanks; ValueError for NaN and infinity, which JSON does not have."""
    return _COMPACT.encode(value)


def json_text(value: Any) -> str:
    """Write JSON without blanks; Mismatch for what it cannot hold."""
    try:
        return compact_json(reveal(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise Mismatch(f"cannot be written as JSON: {error}") from None


def whole_number(value: Any) -> int | None:
    """Return the integer that ``value`` is, None if it is none; booleans are no integers."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    try:
        return operator.index(value)
    except TypeError:
        return None


def is_multiple(number: float, of: float) -> bool:
    """Tell whether a number is a multiple of another; 0.3 is one of 0.1, whatever floats say."""
    if isinstance(number, int) and isinstance(of, int):
        return number % of == 0
    from fractions import Fraction

    return Fraction(str(number)) % Fraction(str(of)) == 0


def one_of(choices: Collection[Any]) -> str:
    """Write what may be chosen for a message, the first of very many."""
    first = ", ".join(shown(choice) for choice in islice(choices, MOST_CHOICES))
    more = len(choices) - MOST_CHOICES
    return f"one of {first}, … ({more} more)" if more > 0 else f"one of {first}"


def can_be_written(number: float) -> bool:
    """Tell whether a number is neither infinite, nor none, nor as long as only a mistake is."""
    return number.bit_length() <= LONGEST_INTEGER if isinstance(number, int) else isfinite(number)
