"""Shell patterns (``*``, ``?``, ``[a-z]``), matched without ever trying anything twice.

A pattern is a text in which a backslash takes away a character's meaning. Between stars, the
earliest match of a piece is always as good as any other, so nothing is ever tried twice.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

MAGIC = re.compile(r"[*?\[]")
_TO_ESCAPE = re.compile(r"([*?\[\]\\!^-])")
CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": r"\x21-\x7e",
    "lower": "a-z",
    "print": r"\x20-\x7e",
    "punct": r"!-/:-@\[-`{-~",
    "space": r" \t\n\r\f\v",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


def escape(text: str) -> str:
    """Return a pattern that matches just this text."""
    return _TO_ESCAPE.sub(r"\\\1", text)


def unescape(pattern: str) -> str:
    """Return the text that a pattern without wildcards stands for."""
    return re.sub(r"\\(.)", r"\1", pattern, flags=re.DOTALL)


class _Compiled(NamedTuple):
    whole: re.Pattern[str]
    shortest: re.Pattern[str]
    longest: re.Pattern[str]
    backward_shortest: re.Pattern[str]
    backward_longest: re.Pattern[str]
    beginning: re.Pattern[str]
    has_star: bool


def is_match(pattern: str, text: str) -> bool:
    """Tell whether the whole text matches."""
    return _compiled(pattern).whole.match(text) is not None


def without_prefix(text: str, pattern: str, *, longest: bool) -> str:
    """Return the text without what matches at its beginning."""
    compiled = _compiled(pattern)
    found = (compiled.longest if longest else compiled.shortest).match(text)
    return text[found.end() :] if found else text


def without_suffix(text: str, pattern: str, *, longest: bool) -> str:
    """Return the text without what matches at its end."""
    compiled = _compiled(pattern)
    backward = compiled.backward_longest if longest else compiled.backward_shortest
    found = backward.match(text[::-1])
    return text[: len(text) - found.end()] if found else text


def replaced(text: str, pattern: str, by: str, *, every: bool) -> str:
    """Return the text with the first or with every longest match replaced."""
    compiled = _compiled(pattern)
    parts = []
    position = 0
    while position <= len(text):
        begin = compiled.beginning.search(text, position)
        found = compiled.longest.match(text, begin.start()) if begin else None
        if begin is None or found is None or found.end() == found.start():
            break
        parts += [text[position : begin.start()], by]
        position = found.end()
        if not every:
            break
    parts.append(text[position:])
    return "".join(parts)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> _Compiled:
    pieces = _pieces(pattern)
    backward = [piece[::-1] for piece in pieces[::-1]]
    return _Compiled(
        re.compile(_joined(pieces, ".*") + r"\Z", re.DOTALL),
        re.compile(_joined(pieces, ".*?"), re.DOTALL),
        re.compile(_joined(pieces, ".*"), re.DOTALL),
        re.compile(_joined(backward, ".*?"), re.DOTALL),
        re.compile(_joined(backward, ".*"), re.DOTALL),
        re.compile("".join(pieces[0]), re.DOTALL),
        len(pieces) > 1,
    )


def _joined(pieces: list[list[str]], last_gap: str) -> str:
    first, *rest = ["".join(piece) for piece in pieces]
    if not rest:
        return first
    middle = "".join(f"(?>.*?{piece})" for piece in rest[:-1] if piece)
    return f"{first}{middle}(?>{last_gap}{rest[-1]})"


def _pieces(pattern: str) -> list[list[str]]:
    """Return what stands between the stars, each a list of expressions for one character."""
    pieces: list[list[str]] = [[]]
    position = 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "*":
            pieces.append([])
        elif char == "?":
            pieces[-1].append(".")
        elif char == "[":
            found, position = _bracket(pattern, position)
            pieces[-1].append(found)
        else:
            if char == "\\" and position < len(pattern):
                char = pattern[position]
                position += 1
            pieces[-1].append(re.escape(char))
    return pieces


def _bracket(pattern: str, begin: int) -> tuple[str, int]:
    """Return the expression of a bracket and where it ends; one without an end is a character."""
    position = begin
    negated = pattern[position : position + 1] in {"!", "^"}
    position += negated
    items: list[str] = []
    first = True
    while position < len(pattern) and (first or pattern[position] != "]"):
        first = False
        name = re.compile(r"\[:(\w+):\]").match(pattern, position)
        if name:
            items.append(CLASSES.get(name[1], ""))
            position = name.end()
            continue
        low, position = _member(pattern, position)
        high = low
        if pattern[position : position + 1] == "-" and pattern[position + 1 : position + 2] not in {
            "",
            "]",
        }:
            high, position = _member(pattern, position + 1)
        if low <= high:
            items.append(f"{re.escape(low)}-{re.escape(high)}")
    if position >= len(pattern):
        return r"\[", begin
    inside = "".join(items)
    if not inside:
        return (".", position + 1) if negated else (r"(?!)", position + 1)
    return f"[{'^' if negated else ''}{inside}]", position + 1


def _member(pattern: str, position: int) -> tuple[str, int]:
    if pattern[position] == "\\" and position + 1 < len(pattern):
        return pattern[position + 1], position + 2
    return pattern[position], position + 1
