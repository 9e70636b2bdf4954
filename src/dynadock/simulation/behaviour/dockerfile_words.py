"""Words of a Dockerfile's instructions: quotes, escapes, variables, as Docker 26.1 reads them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from dynadock.simulation.refusal import bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping

_QUOTED = r"""'[^']*'?|"(?:\\.|[^"\\])*"?"""
_WORD = re.compile(rf"(?:{_QUOTED}|\\.|[^\s'\"\\]|\\$)+", re.DOTALL)
_NAME = re.compile(r"\$(?:(\w+)|\{(\w+)(?::([-+])([^{}]*))?\})", re.ASCII)
_PIECE = re.compile(rf"(?P<quoted>{_QUOTED})|\\(?P<escaped>.)|(?P<plain>[^'\"\\]+|.)", re.DOTALL)
_ESCAPED_IN_QUOTES = re.compile(r'\\(["$\\])|(\$(?:\w+|\{[^{}]*\}))', re.ASCII)
_QUOTES = {"'": "single-quote", '"': "double-quote"}


def words_of(text: str) -> list[str]:
    """Split at blanks that are neither quoted nor escaped; quotes and escapes stay as they are."""
    return _WORD.findall(text)


def meaning_of(word: str, variables: Mapping[str, str]) -> str:
    """Return what a word means: without its quotes, with the values of its variables.

    Refused, 400, if a quote is not closed.
    """
    return "".join(_meaning(found, word, variables) for found in _PIECE.finditer(word))


def _meaning(found: re.Match[str], word: str, variables: Mapping[str, str]) -> str:
    quoted = found["quoted"]
    if quoted is None:
        return found["escaped"] or _expanded(found["plain"], variables)
    quote, inside = quoted[0], quoted[1:-1]
    if len(quoted) == 1 or quoted[-1] != quote or (quote == '"' and _is_open(quoted)):
        raise bad_request(
            f"failed to process {json.dumps(word, ensure_ascii=False)}: unexpected end of statement"
            f" while looking for matching {_QUOTES[quote]}"
        )
    if quote == "'":
        return inside
    return _ESCAPED_IN_QUOTES.sub(lambda each: each[1] or _expanded(each[2], variables), inside)


def _is_open(quoted: str) -> bool:
    """Tell whether the last quotation mark is an escaped one."""
    before = quoted[1:-1]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _expanded(text: str, variables: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        known = variables.get(found[1] or found[2], "")
        if found[3] == "-":
            return known or found[4]
        if found[3] == "+":
            return found[4] if known else ""
        return known

    return _NAME.sub(value, text)


def words_of_json(text: str) -> list[str] | None:
    """Return the words of a list that is JSON, None for any other text.

    Refused, 400, for JSON that holds anything but texts.
    """
    if not text.startswith("["):
        return None
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(word, str) for word in words):
        raise bad_request("when using JSON array syntax, arrays must be comprised of strings only")
    return [str(word) for word in words]
