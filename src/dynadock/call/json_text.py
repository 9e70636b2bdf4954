"""JSON of a request, read as engines read it, and what they say of a text that is none."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

from dynadock.call.values import Refused
from dynadock.record import NestedTooDeeply, check_depth

if TYPE_CHECKING:
    from collections.abc import Mapping

BEHIND = "unexpected content after JSON"
"""What is said of a body that goes on behind its value."""

_PLACES: Mapping[str, str] = {
    "Expecting property name": "looking for beginning of object key string",
    "Expecting ':' delimiter": "after object key",
    "Expecting ',' delimiter": "after object key:value pair",
    "Invalid control character": "in string literal",
    "Invalid \\escape": "in string escape code",
    "Invalid \\uXXXX escape": "in \\u hexadecimal character escape",
}
"""By the beginnings of Python's words: where Go says that it was."""

_UNTERMINATED = "Unterminated string"
_LITERALS = ("true", "false", "null")
_BLANKS = re.compile(r"[ \t\r\n]*")


def read_json_parameter(text: str) -> Any:
    """Return the value of a parameter's JSON; Refused with what engines say of any other text."""
    value, end = _read(text, at_end="unexpected end of JSON input")
    if end < len(text):
        raise Refused(f"invalid character {_quoted(text[end])} after top-level value")
    return value


def read_json_body(data: bytes) -> Any:
    """Return the value of a body's JSON; Refused with what engines say of any other.

    What is no UTF-8 is read as U+FFFD, as in Go. Engines ask whether another value follows, so that
    closing brackets pass behind it (``{}}``, seen on Docker 26.1).
    """
    text = data.decode("utf-8", "replace")
    value, end = _read(text, at_end="unexpected EOF")
    if end < len(text) and text[end] not in "]}":
        raise Refused(BEHIND)
    return value


def _read(text: str, *, at_end: str) -> tuple[Any, int]:
    """Return the value at a text's beginning, and where the text goes on behind it and blanks.

    Nothing is read that has more levels than `dynadock.record.DEEPEST`.
    """
    try:
        check_depth(text.encode("utf-8", "surrogatepass"))
        value, end = _DECODER.raw_decode(text, _behind_blanks(text, 0))
    except json.JSONDecodeError as error:
        raise Refused(_problem(error, at_end)) from None
    except (NestedTooDeeply, RecursionError):
        raise Refused("exceeded max depth") from None
    except ValueError as error:
        # Python reads no integers of thousands of digits.
        raise Refused(str(error).partition(":")[0]) from None
    return value, _behind_blanks(text, end)


def _behind_blanks(text: str, start: int) -> int:
    blanks = _BLANKS.match(text, start)
    return start if blanks is None else blanks.end()


def kind_of_json(value: Any) -> str:
    """Return what Go calls a value."""
    if isinstance(value, bool):
        return "bool"
    return _KINDS.get(type(value), "number")


_KINDS: Mapping[type, str] = {dict: "object", list: "array", str: "string"}


def _no_constant(name: str) -> NoReturn:
    # NaN and the infinities, which Python reads, are no JSON.
    if name.startswith("-"):
        raise Refused(f"invalid character {_quoted(name[1])} in numeric literal")
    raise Refused(f"invalid character {_quoted(name[0])} looking for beginning of value")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def _problem(error: json.JSONDecodeError, at_end: str) -> str:
    position = error.pos
    place = next((each for words, each in _PLACES.items() if error.msg.startswith(words)), "")
    if not place:
        position, place = _in_literal(error.doc, position)
    elif error.msg.startswith("Invalid \\"):
        # Python means the backslash, Go what stands behind it.
        position += 1
    if error.msg.startswith(_UNTERMINATED) or position >= len(error.doc):
        return at_end
    return f"invalid character {_quoted(error.doc[position])} {place}"


def _in_literal(text: str, start: int) -> tuple[int, str]:
    """Return where no value begins, or what has begun like a literal is none, and Go's words."""
    for literal in _LITERALS:
        for length, letter in enumerate(literal):
            if text[start + length : start + length + 1] != letter:
                break
        if length:
            return start + length, f"in literal {literal} (expecting '{literal[length]}')"
    return start, "looking for beginning of value"


def _quoted(character: str) -> str:
    if character in "'\"":
        return r"'\''" if character == "'" else "'\"'"
    return f"'{json.dumps(character, ensure_ascii=False)[1:-1]}'"
