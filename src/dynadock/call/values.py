"""Single values: what they are, how they are written, and how they are shown in messages."""

from __future__ import annotations

import json
import operator
from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING, Any

from dynadock.accounts import is_utf8
from dynadock.secret import plain_string, reveal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

Step = str | int
Path = tuple[Step, ...]

SHOWN = 60
"""How many characters of a wrong value a message shows."""

MOST_CHOICES = 50
"""How many choices a message shows; published documents have enums of fewer."""

LONGEST_INTEGER = 1024
"""Bits; no parameter takes more, and Python writes no integer of thousands of digits."""

DEEPEST = 100
"""Levels of a value that JSON is made of; deeper ones are cyclic or hostile."""

TOO_DEEP = f"expected at most {DEEPEST} levels; does it hold itself?"

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


class Refused(Exception):
    """A request says something that an engine does not take: ``status`` and ``message`` answer it.

    The message has the engine's own words where they are known. It never leaves the package.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


def shown(value: Any) -> str:
    """Write a value for a message: its repr, cut where it is long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        # Python refuses to write integers of thousands of digits, and what is nested as deeply.
        text = f"a huge {type(value).__name__}"
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def not_shown(value: Any) -> str:
    """Write what may be known of a secret value: its type."""
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind} that is not shown"


def unexpected(expected: str, value: Any, place: str = "") -> Mismatch:
    """Make the Mismatch that says what was expected and what came."""
    problem = f"expected {expected}, got {{0}}"
    return about(problem, value, place)


def about(problem: str, value: Any, place: str = "") -> Mismatch:
    """Make a Mismatch whose problem names a value, at ``{0}``."""
    # Not format: what was expected may hold braces.
    texts = [problem.replace("{0}", each) for each in (shown(value), not_shown(value))]
    return Mismatch(texts[0], place, texts[1])


def place_of(path: Iterable[Step]) -> str:
    """Write a path inside a body: ``HostConfig.PortBindings.80/tcp[0].HostPort``."""
    place = ""
    for step in path:
        if isinstance(step, int):
            place += f"[{step}]"
        else:
            place += f".{step}" if place else step
    return place


def utf8_text(text: str) -> str:
    """Return ``text`` if UTF-8 can write it; Mismatch for half of a surrogate pair.

    JSON can escape such a half, and engines read another character in its place.
    """
    if not is_utf8(text):
        raise about(_NO_UTF8 + _of_a_file_name(text), text)
    return text


_NO_UTF8 = "expected text that UTF-8 can write, got {0}"


def _of_a_file_name(text: str) -> str:
    """Say where such text often comes from: Python keeps strange bytes of file names that way."""
    if not any("\udc80" <= character <= "\udcff" for character in text):
        return ""
    return "; the name of a file, perhaps, whose bytes are not UTF-8: engines cannot be told it"


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
    except (ValueError, RecursionError):
        # Python writes no integers of thousands of digits, nor what is nested as deeply.
        raise about("{0} cannot be written as text", value) from None


def compact_json(value: Any) -> str:
    """Write JSON without blanks; ValueError for NaN and infinity, which JSON does not have."""
    return _COMPACT.encode(value)


def check_json(value: Any, path: Path = ()) -> None:
    """Raise Mismatch, with its place, for what is too deep or no text, whether key or value."""
    if isinstance(value, str):
        _check_inside(value, path)
    elif isinstance(value, (dict, list, tuple)):
        if len(path) >= DEEPEST:
            raise Mismatch(TOO_DEEP)
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for step, member in members:
            if isinstance(step, str):
                _check_inside(step, path)
            check_json(member, (*path, step))


def _check_inside(text: str, path: Path) -> None:
    try:
        utf8_text(text)
    except Mismatch as mismatch:
        dot = "." if path and isinstance(path[0], str) else ""
        raise Mismatch(mismatch.problem, dot + place_of(path), mismatch.discreet) from None


def json_text(value: Any) -> str:
    """Write JSON without blanks; Mismatch for what it cannot hold."""
    check_json(value)
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
