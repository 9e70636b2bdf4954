"""How single values are encoded: one row for each encoding.

Checking a caller's value gives its normal form, the plain Python value that the call keeps; writing
that gives the text that engines read. Whatever passes the check can be written.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Collection, Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.call.values import (
    Mismatch,
    Refused,
    about,
    can_be_written,
    check_json,
    compact_json,
    json_text,
    plain_text,
    unexpected,
    utf8_text,
    whole_number,
)
from dynadock.secret import plain_string, reveal

if TYPE_CHECKING:
    from datetime import datetime

LONGEST_READ = 300
"""Digits of a number that is read from a text."""

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*={0,2}")
_UNIX_TIME = re.compile(r"-?\d+(\.\d{1,9})?", re.ASCII)
_FRACTION = re.compile(r"\.(\d+)")
_GO_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_LARGEST = 2**63
_DIGITS = 9
"""Digits of a second's fraction in nanoseconds."""

_SECOND = 1_000_000_000


class Encoding(NamedTuple):
    """How a value is encoded.

    ``check`` takes a caller's value and returns its normal form, or raises Mismatch; ``write``
    takes that and returns its text. ``read`` returns the value of a text that was not checked, or
    the text itself where it has no such value. ``receive`` returns what engines read in a text,
    which is more than anybody should write, or raises Refused with their words; it is given no
    empty text but for booleans. ``word`` names what may be given, ``python`` is its type in a
    signature, and ``example`` passes the check.
    """

    check: Callable[[Any], Any]
    write: Callable[[Any], str]
    word: str
    example: Any
    python: Any = Any
    read: Callable[[str], Any] = str
    receive: Callable[[str], Any] = str


class Json(NamedTuple):
    """A JSON value and its text.

    The text is kept because only writing tells whether that is possible; a caller's own is sent.
    """

    value: Any
    text: str


def _string(value: Any) -> str:
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str):
        raise unexpected("string", value)
    return plain_string(text)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise unexpected("boolean", value)
    return value


def _read_boolean(text: str) -> bool | str:
    return {"true": True, "false": False}.get(text, text)


def _integer(value: Any) -> int:
    return _whole(value, value, "integer")


def _whole(value: Any, given: Any, expected: str) -> int:
    number = whole_number(value)
    if number is None or not can_be_written(number):
        raise unexpected(expected, given)
    return number


def _read_integer(text: str) -> int | str:
    return int(text) if text.isdecimal() and len(text) <= LONGEST_READ else text


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not can_be_written(value):
        raise unexpected("number", value)
    return value


def _count(value: Any) -> int | str:
    return _string(value) if isinstance(value, str) else _integer(value)


def _seconds(value: Any) -> int:
    # A timedelta, without loading datetime for whoever gives a number.
    seconds = value.total_seconds() if hasattr(value, "total_seconds") else value
    return _whole(seconds, value, "whole seconds (an integer or a timedelta)")


def _timestamp(value: Any) -> str:
    """Return a moment as exact UNIX seconds, in decimal digits: a float has no nanoseconds.

    Engines refuse RFC 3339 text here (seen on 20.10).
    """
    from datetime import datetime

    if isinstance(value, datetime):
        return _unix_time(value)
    if isinstance(value, str):
        value = plain_string(value)
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
    from datetime import datetime

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


def _filters(value: Any) -> dict[str, Any] | Json:
    """Return a map of lists of texts: engines answer 500 to scalars and booleans in it."""
    ready = _ready_json(value, dict, "object") if isinstance(value, str) else None
    given = value if ready is None else ready.value
    # dict by itself first: asking an abstract class takes ten times as long.
    if not (isinstance(given, dict) or isinstance(given, Mapping)):  # noqa: SIM101
        raise unexpected("filters such as {'label': ['a=b']}, or their JSON text", value)
    normal = {key: _filter(key, wanted) for key, wanted in given.items()}
    return normal if ready is None or normal != given else ready


def _filter(key: Any, wanted: Any) -> list[str] | dict[str, bool]:
    if not isinstance(key, str):
        raise unexpected("the filter's name as text", key)
    place = f".{utf8_text(key)}"
    if isinstance(wanted, (str, bool, int)):
        wanted = [wanted]
    if wanted is None or (isinstance(wanted, Collection) and not wanted):
        problem = "expected what to look for, got {0}, which engines take for no filter at all"
        raise about(f"{problem}; leave {key!r} out if you mean that", wanted, place)
    if isinstance(wanted, Mapping):
        return _filter_as_map(wanted, place)
    if not isinstance(wanted, (list, tuple, AbstractSet)):
        raise unexpected("a list of strings", wanted, place)
    for position, member in enumerate(wanted):
        if not isinstance(member, (str, bool, int)):
            raise unexpected("string", member, f"{place}[{position}]")
    texts = [plain_text(member) for member in wanted]
    check_json(texts, (key,))
    return texts


def _filter_as_map(wanted: Mapping[Any, Any], place: str) -> dict[str, bool]:
    """Return the other form that engines read: ``{"label": {"a=b": true}}``."""
    if not all(isinstance(k, str) and isinstance(v, bool) for k, v in wanted.items()):
        raise unexpected("a list of strings", wanted, place)
    for text, is_wanted in wanted.items():
        utf8_text(text)
        if not is_wanted:
            # Engines look at the keys alone (seen on Docker 20.10, 26.1 and 28.5).
            raise unexpected(
                "True, which engines read whatever is said", is_wanted, f"{place}.{text}"
            )
    return dict(wanted)


def _ready_json(text: str, kind: type, name: str) -> Json:
    text = plain_string(text)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, kind):
        raise unexpected(f"a JSON {name}", text)
    check_json(value)
    return Json(value, text)


def _json_object(value: Any) -> Json:
    if isinstance(value, str):
        return _ready_json(value, dict, "object")
    if not isinstance(value, Mapping):
        raise unexpected("an object (dict) or its JSON text", value)
    return _json(dict(value))


def _json_array(value: Any) -> Json:
    if isinstance(value, str):
        return _ready_json(value, list, "array")
    if not isinstance(value, (list, tuple)):
        raise unexpected("a list or its JSON text", value)
    return _json(list(value))


def _json(value: Any) -> Json:
    text = json_text(value)
    return Json(reveal(value), text)


def _write_json(value: Json | dict[str, Any]) -> str:
    return value.text if isinstance(value, Json) else compact_json(value)


def _read_json(text: str) -> Any:
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(text)
    return text


def _base64_json(value: Any) -> Json | str:
    """Return what is to be written as base64 of JSON, or such text itself."""
    if isinstance(value, str):
        text = plain_string(value)
        if text.lstrip().startswith("{"):
            return _json(_ready_json(text, dict, "object").value)
        if _BASE64URL.fullmatch(text) and len(text) % 4 == 0:
            return text
        raise Mismatch("expected a dict, its JSON text, or padded base64url text")
    if not isinstance(value, Mapping):
        raise Mismatch(f"expected a dict, got {type(value).__name__}")
    return _json(dict(value))


def _write_base64_json(value: Json | str) -> str:
    """Write JSON as padded base64url, as Go's base64.URLEncoding reads it."""
    if isinstance(value, str):
        return value
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(value.text.encode()).decode("ascii")


def _base64(value: Any) -> str:
    """Return the base64 (RFC 4648, section 4) of bytes; text is to be such already.

    As Go reads it: with its padding, and with line ends anywhere.
    """
    import binascii

    if isinstance(value, (bytes, bytearray, memoryview)):
        return binascii.b2a_base64(value, newline=False).decode("ascii")
    text = _string(value)
    try:
        binascii.a2b_base64(text.replace("\r", "").replace("\n", ""), strict_mode=True)
    except ValueError:
        raise unexpected("base64 text, or bytes, which are encoded", value) from None
    return text


def _receive_boolean(text: str) -> bool:
    return text.strip().lower() not in ("", "0", "no", "false", "none")


def _receive_integer(text: str) -> int:
    return _go_integer(text, "Atoi")


def _go_integer(text: str, function: str) -> int:
    """Return the integer that Go reads, or raise Refused with its words; Python reads more."""
    problem = "invalid syntax"
    if _GO_INTEGER.fullmatch(text):
        # No more digits are read than may matter: Python reads thousands of them in quadratic time.
        number = int(text) if len(text) <= LONGEST_READ else _LARGEST
        if -_LARGEST <= number < _LARGEST:
            return number
        problem = "value out of range"
    raise Refused(f"strconv.{function}: parsing {json.dumps(text, ensure_ascii=False)}: {problem}")


def _receive_number(text: str) -> float:
    with contextlib.suppress(ValueError):
        number = float(text)
        if "_" not in text and can_be_written(number):
            return number
    quoted = json.dumps(text, ensure_ascii=False)
    raise Refused(f"strconv.ParseFloat: parsing {quoted}: invalid syntax")


def _receive_count(text: str) -> int | str:
    with contextlib.suppress(Refused):
        return _receive_integer(text)
    return text


def _receive_timestamp(text: str) -> int:
    """Return nanoseconds of UNIX seconds with a fraction.

    Docker 26.1 reads neither RFC 3339 nor durations here: commands make seconds of them before.
    """
    whole, point, fraction = text.partition(".")
    moment = _go_integer(whole, "ParseInt") * _SECOND
    if point:
        _go_integer(fraction[:LONGEST_READ], "ParseInt")
        moment += int(fraction[:_DIGITS].ljust(_DIGITS, "0"))
    return moment


def _receive_filters(text: str) -> dict[str, list[str]]:
    """Return what to look for by the filters' names, of either form that engines read.

    Those are ``{"label": ["a=b"]}`` and ``{"label": {"a=b": true}}``, where the value says nothing.
    """
    read = _read_json(text)
    if read is None:
        return {}
    if isinstance(read, dict):
        for form, of_member in ((dict, (bool, type(None))), (list, (str, type(None)))):
            if all(_is_filter(wanted, form, of_member) for wanted in read.values()):
                return {
                    name: [*dict.fromkeys(member or "" for member in wanted or ())]
                    for name, wanted in read.items()
                }
    raise Refused("invalid filter")


def _is_filter(wanted: Any, form: type[Any], of_member: tuple[type[Any], ...]) -> bool:
    if wanted is None:
        return True
    members = wanted.values() if isinstance(wanted, dict) else wanted
    return isinstance(wanted, form) and all(isinstance(each, of_member) for each in members)


def _receive_json(kind: type[Any]) -> Callable[[str], Any]:
    def receive(text: str) -> Any:
        from dynadock.call.json_text import kind_of_json, read_json_parameter

        value = read_json_parameter(text)
        if value is None:
            return kind()
        if not isinstance(value, kind):
            raise Refused(f"json: cannot unmarshal {kind_of_json(value)} into Go value")
        return value

    return receive


def _receive_base64_json(text: str) -> dict[str, Any]:
    """Return the object in base64url text, as engines do: an empty one where that is broken."""
    import binascii

    with contextlib.suppress(ValueError, RecursionError):
        plain = text.replace("-", "+").replace("_", "/")
        value = json.loads(binascii.a2b_base64(plain, strict_mode=True))
        if isinstance(value, dict):
            return value
    return {}


ENCODINGS: Mapping[str, Encoding] = {
    "string": Encoding(_string, str, "string", "text", str),
    "boolean": Encoding(
        _boolean,
        lambda value: "true" if value else "false",
        "boolean",
        example=True,
        python=bool,
        read=_read_boolean,
        receive=_receive_boolean,
    ),
    "integer": Encoding(_integer, str, "integer", 1, int, _read_integer, _receive_integer),
    "number": Encoding(_number, str, "number", 1.5, float, receive=_receive_number),
    "count": Encoding(
        _count, str, "integer or string", 1, read=_read_integer, receive=_receive_count
    ),
    "seconds": Encoding(
        _seconds,
        str,
        "seconds (integer or timedelta)",
        5,
        read=_read_integer,
        receive=_receive_integer,
    ),
    "timestamp": Encoding(
        _timestamp,
        str,
        "timestamp (datetime, UNIX seconds or RFC 3339)",
        1_700_000_000,
        receive=_receive_timestamp,
    ),
    "filters": Encoding(
        _filters,
        _write_json,
        "filters (dict of lists)",
        {"label": ["tier=web"]},
        dict,
        _read_json,
        _receive_filters,
    ),
    "json-object": Encoding(
        _json_object,
        _write_json,
        "object (dict)",
        {"os": "linux", "architecture": "amd64"},
        dict,
        _read_json,
        _receive_json(dict),
    ),
    "json-array": Encoding(
        _json_array, _write_json, "list", ["value"], list, _read_json, _receive_json(list)
    ),
    "base64-json": Encoding(
        _base64_json,
        _write_base64_json,
        "object (dict)",
        {"username": "me", "password": "s3cret"},
        dict,
        receive=_receive_base64_json,
    ),
    "base64": Encoding(_base64, str, "bytes or base64 text", "czNjcmV0", bytes),
}
"""By name: documents know the first four (their types), the overlay the rest."""
