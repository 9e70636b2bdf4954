"""Single values: from Python's types to the text that engines read, or what was expected."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from math import isfinite
from typing import TYPE_CHECKING, Any

from dynadock.spec.schema import python_pattern

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from dynadock.spec.model import Parameter

SHOWN = 60
"""How many characters of a wrong value a message shows."""

LONGEST_INTEGER = 1024
"""Bits; no parameter takes more, and Python writes no integer of thousands of digits."""

_SEPARATORS = {"csv": ",", "ssv": " ", "tsv": "\t", "pipes": "|"}
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*={0,2}")
_UNIX_TIME = re.compile(r"-?\d+(\.\d{1,9})?", re.ASCII)
_FRACTION = re.compile(r"\.(\d+)")


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
    return _about(problem, value, place)


def _about(problem: str, value: Any, place: str = "") -> Mismatch:
    """Make a Mismatch whose problem names a value, at ``{0}``."""
    # Not format: what was expected may hold braces.
    texts = [problem.replace("{0}", each) for each in (shown(value), not_shown(value))]
    return Mismatch(texts[0], place, texts[1])


def encode_value(parameter: Parameter, value: Any) -> list[str]:
    """Return the texts to send for a parameter: one, or one for each member of a ``multi`` array.

    Raises Mismatch where the value does not fit the parameter's type, enum, pattern or bounds.
    """
    if parameter.items is not None:
        return _encode_array(parameter, parameter.items, value)
    return [_encode_one(parameter, value)]


def _encode_one(parameter: Parameter, value: Any) -> str:
    if isinstance(value, Enum):
        value = value.value
    text = ENCODERS.get(parameter.encoding, _string)(value)
    _check_bounds(parameter, value, text)
    return text


def _encode_array(parameter: Parameter, item: Parameter, value: Any) -> list[str]:
    if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
        value = [value]
    texts = []
    for position, member in enumerate(value):
        try:
            texts.append(_encode_one(item, member))
        except Mismatch as mismatch:
            raise Mismatch(mismatch.problem, f"[{position}]", mismatch.discreet) from None
    if parameter.collection == "multi":
        return texts
    return [_SEPARATORS.get(parameter.collection, ",").join(texts)]


def _check_bounds(parameter: Parameter, value: Any, text: str) -> None:
    if parameter.enum and text not in [_plain_text(choice) for choice in parameter.enum]:
        choices = ", ".join(repr(choice) for choice in parameter.enum)
        raise unexpected(f"one of {choices}", value)
    if parameter.pattern and re.search(python_pattern(parameter.pattern), text) is None:
        raise unexpected(f"text that matches {parameter.pattern}", value)
    for keyword, bound in parameter.bounds.items():
        types, fits, expected = _BOUNDS[keyword]
        if parameter.type in types and not fits(text, bound, parameter.bounds):
            raise unexpected(expected.format(bound), value)
    if text in parameter.refuse:
        raise _about(f"{{0}} is not possible here: {parameter.refuse[text]}", value)


def _exact(text: str) -> float:
    """Read a number; a float would round integers beyond 2**53."""
    try:
        return int(text)
    except ValueError:
        return float(text)


_NUMBERS = ("integer", "number")

_BOUNDS: Mapping[
    str, tuple[tuple[str, ...], Callable[[str, Any, Mapping[str, Any]], bool], str]
] = {
    "minimum": (_NUMBERS, lambda text, bound, _: _exact(text) >= bound, "{0} or more"),
    "maximum": (_NUMBERS, lambda text, bound, _: _exact(text) <= bound, "{0} or less"),
    # In Swagger these two are flags beside the bound.
    "exclusiveMinimum": (
        _NUMBERS,
        lambda text, flag, bounds: not flag or _exact(text) != bounds.get("minimum"),
        "more than the minimum",
    ),
    "exclusiveMaximum": (
        _NUMBERS,
        lambda text, flag, bounds: not flag or _exact(text) != bounds.get("maximum"),
        "less than the maximum",
    ),
    "multipleOf": (_NUMBERS, lambda text, bound, _: _exact(text) % bound == 0, "a multiple of {0}"),
    "minLength": (
        ("string",),
        lambda text, bound, _: len(text) >= bound,
        "at least {0} characters",
    ),
    "maxLength": (("string",), lambda text, bound, _: len(text) <= bound, "at most {0} characters"),
}
"""For each limit: the types that it limits, whether a text keeps it, and how it is named."""


def utf8_text(text: str) -> str:
    """Return ``text`` if UTF-8 can write it; Mismatch for half of a surrogate pair."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise unexpected("text that UTF-8 can write", text) from None
    return text


def loose_texts(value: Any) -> list[str]:
    """Write any value as it is, unchecked: what ``validate=False`` and ``query=`` send.

    Mismatch for the few that no text can stand for: bytes, and what JSON cannot hold inside a dict.
    """
    if isinstance(value, (list, tuple, AbstractSet)):
        return [_plain_text(member) for member in value]
    return [_plain_text(value)]


def _plain_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # An enum's member is its value, whatever its __str__ says.
        return str.__str__(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise Mismatch(f"expected text, got {type(value).__name__}")
    if isinstance(value, (dict, list)):
        return _json(value)
    try:
        return str(value)
    except ValueError:
        # Python writes no integers of thousands of digits.
        raise _about("{0} cannot be written as text", value) from None


def compact_json(value: Any) -> str:
    """Write JSON without blanks; ValueError for NaN and infinity, which JSON does not have."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


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


def can_be_written(number: float) -> bool:
    """Tell whether a number is neither infinite, nor none, nor as long as only a mistake is."""
    return number.bit_length() <= LONGEST_INTEGER if isinstance(number, int) else isfinite(number)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise unexpected("string", value)
    return _plain_text(value)


def _boolean(value: Any) -> str:
    if not isinstance(value, bool):
        raise unexpected("boolean", value)
    return _plain_text(value)


def _integer(value: Any) -> str:
    number = whole_number(value)
    if number is None or not can_be_written(number):
        raise unexpected("integer", value)
    return str(number)


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise unexpected("number", value)
    if not can_be_written(value):
        raise unexpected("number", value)
    return _plain_text(value)


def _count(value: Any) -> str:
    return _string(value) if isinstance(value, str) else _integer(value)


def _seconds(value: Any) -> str:
    # Imported here for start-up time, as below: few calls tell a time.
    from datetime import timedelta  # noqa: PLC0415

    whole = value.total_seconds() if isinstance(value, timedelta) else value
    number = whole_number(whole)
    if number is None or not can_be_written(number):
        raise unexpected("whole seconds (an integer or a timedelta)", value)
    return str(number)


def _timestamp(value: Any) -> str:
    """Write a moment as UNIX seconds; engines refuse RFC 3339 text here (seen on 20.10)."""
    # Imported here for start-up time.
    from datetime import datetime  # noqa: PLC0415

    if isinstance(value, datetime):
        return _unix_time(value)
    if isinstance(value, str):
        return value if _UNIX_TIME.fullmatch(value) else _parsed_time(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _no_timestamp(value)
    if not can_be_written(value):
        raise _no_timestamp(value)
    if isinstance(value, int) or value.is_integer():
        return str(int(value))
    return f"{value:.9f}".rstrip("0").rstrip(".")


def _unix_time(moment: datetime) -> str:
    try:
        whole = int(moment.replace(microsecond=0).timestamp())
    except (ValueError, OverflowError):
        raise _no_timestamp(moment) from None
    return f"{whole}.{moment.microsecond:06d}" if moment.microsecond else str(whole)


def _parsed_time(text: str) -> str:
    """Turn RFC 3339 text into UNIX seconds without losing nanoseconds, which datetime would."""
    # Imported here for start-up time.
    from datetime import datetime  # noqa: PLC0415

    fraction = _FRACTION.search(text)
    try:
        moment = datetime.fromisoformat(_FRACTION.sub("", text.upper(), count=1))
    except ValueError:
        raise _no_timestamp(text) from None
    whole = _unix_time(moment)
    return f"{whole}.{fraction[1][:9]}" if fraction else whole


def _no_timestamp(value: Any) -> Mismatch:
    return unexpected(
        "a timestamp (datetime, UNIX seconds or RFC 3339 text such as '2026-01-31T08:00:00Z')",
        value,
    )


def _filters(value: Any) -> str:
    """Write a JSON map of string lists: engines answer 500 to scalars and booleans in it."""
    if isinstance(value, str):
        return _ready_json(value, dict, "object")
    if not isinstance(value, Mapping):
        raise unexpected("filters such as {'label': ['a=b']}, or their JSON text", value)
    normal = {key: _filter(key, wanted) for key, wanted in value.items() if wanted is not None}
    return compact_json(normal)


def _filter(key: Any, wanted: Any) -> Any:
    if not isinstance(key, str):
        raise unexpected("the filter's name as text", key)
    if isinstance(wanted, Mapping):
        # The other form that engines read: {"label": {"a=b": true}}.
        if not all(isinstance(k, str) and isinstance(v, bool) for k, v in wanted.items()):
            raise unexpected("a list of strings", wanted, f".{key}")
        return dict(wanted)
    members = [wanted] if isinstance(wanted, (str, bool, int)) else wanted
    if not isinstance(members, (list, tuple, AbstractSet)):
        raise unexpected("a list of strings", wanted, f".{key}")
    for position, member in enumerate(members):
        if not isinstance(member, (str, bool, int)):
            raise unexpected("string", member, f".{key}[{position}]")
    return [_plain_text(member) for member in members]


def _ready_json(text: str, kind: type, name: str) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, kind):
        raise unexpected(f"a JSON {name}", text)
    return text


def _json_object(value: Any) -> str:
    if isinstance(value, str):
        return _ready_json(value, dict, "object")
    if not isinstance(value, Mapping):
        raise unexpected("an object (dict) or its JSON text", value)
    return _json(dict(value))


def _json_array(value: Any) -> str:
    if isinstance(value, str):
        return _ready_json(value, list, "array")
    if not isinstance(value, (list, tuple)):
        raise unexpected("a list or its JSON text", value)
    return _json(list(value))


def _json(value: Any) -> str:
    try:
        return compact_json(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise Mismatch(f"cannot be written as JSON: {error}") from None


def _base64_json(value: Any) -> str:
    """Write JSON as padded base64url, as Go's base64.URLEncoding reads it."""
    if isinstance(value, str):
        if value.lstrip().startswith("{"):
            value = json.loads(_ready_json(value, dict, "object"))
        elif _BASE64URL.fullmatch(value) and len(value) % 4 == 0:
            return value
        else:
            raise Mismatch("expected a dict, its JSON text, or padded base64url text")
    if not isinstance(value, Mapping):
        raise Mismatch(f"expected a dict, got {type(value).__name__}")
    # Imported here for start-up time: few calls bring credentials.
    import base64  # noqa: PLC0415

    return base64.urlsafe_b64encode(_json(dict(value)).encode()).decode("ascii")


ENCODERS: Mapping[str, Callable[[Any], str]] = {
    "string": _string,
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "count": _count,
    "seconds": _seconds,
    "timestamp": _timestamp,
    "filters": _filters,
    "json-object": _json_object,
    "json-array": _json_array,
    "base64-json": _base64_json,
}
"""How a value of each encoding is written; documents know the first four, the overlay the rest."""
