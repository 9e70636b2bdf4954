"""POSIX's basic and extended regular expressions, as Python's of bytes."""

from __future__ import annotations

import re
from functools import lru_cache

from dynadock.simulation.programs.shell.patterns import CLASSES

MOST = 4096
"""Characters of an expression."""


class RegexFailure(ValueError):
    """What is no expression, in the words of the C library."""


@lru_cache(maxsize=128)
def compiled(
    text: str, *, extended: bool = False, ignore_case: bool = False, fixed: bool = False
) -> re.Pattern[bytes]:
    """Return an expression ready to search bytes with.

    Raises:
        RegexFailure: It is none, or too long.

    """
    if len(text) > MOST:
        raise RegexFailure("Regular expression too big")
    source = re.escape(text) if fixed else _Translation(text, extended=extended).run()
    flags = re.IGNORECASE if ignore_case else re.NOFLAG
    try:
        return re.compile(source.encode("utf-8", "surrogateescape"), flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise RegexFailure("Invalid regular expression") from error


class _Translation:
    def __init__(self, text: str, *, extended: bool) -> None:
        self._text = text
        self._extended = extended
        self._at = 0
        self._found: list[str] = []
        self._open: list[int] = []
        self._closed = 0

    def run(self) -> str:
        while self._at < len(self._text):
            self._step()
        if self._open:
            raise RegexFailure("Unmatched ( or \\(")
        return "".join(self._found)

    def _step(self) -> None:
        char = self._text[self._at]
        self._at += 1
        if char == "[":
            self._bracket()
        elif char == "\\":
            self._escaped()
        elif self._extended and char in "(){}|+?":
            self._operator(char)
        elif char == "*":
            self._repeat("*")
        elif char == "^":
            self._found.append("^" if self._extended or self._begins() else r"\^")
        elif char == "$":
            self._found.append(r"(?=\n?\Z)" if self._extended or self._ends() else r"\$")
        elif char == ".":
            self._found.append(".")
        else:
            self._found.append(self._character(char))

    @staticmethod
    def _character(char: str) -> str:
        """Return one character, as a group if it is several bytes."""
        return re.escape(char) if char.isascii() else f"(?:{char})"

    def _begins(self) -> bool:
        return not self._found or self._found[-1] in {"(", "|"}

    def _ends(self) -> bool:
        rest = self._text[self._at : self._at + 2]
        return rest in {"", "\\)", "\\|"}

    def _escaped(self) -> None:
        if self._at >= len(self._text):
            raise RegexFailure("Trailing backslash")
        char = self._text[self._at]
        self._at += 1
        if not self._extended and char in "(){}|+?":
            self._operator(char)
        elif char in "wWsSbB":
            self._found.append("\\" + char)
        elif char in "<>":
            self._found.append(r"\b(?=\w)" if char == "<" else r"\b(?<=\w)")
        elif char.isdigit() and char != "0":
            self._found.append(f"(?:\\{char})")
        elif char in "nt":
            self._found.append("\\" + char)
        else:
            self._found.append(self._character(char))

    def _operator(self, char: str) -> None:
        if char == "(":
            self._open.append(len(self._found))
            self._found.append("(")
        elif char == ")":
            if not self._open:
                if self._extended:
                    self._found.append(r"\)")
                    return
                raise RegexFailure("Unmatched ) or \\)")
            self._closed = self._open.pop()
            self._found.append(")")
        elif char == "|":
            self._found.append("|")
        elif char in "+?":
            self._repeat(char)
        elif char == "{":
            self._interval()
        else:
            self._found.append(r"\}")

    def _interval(self) -> None:
        end = "}" if self._extended else r"\}"
        found = re.compile(r"(\d{0,3})(,?)(\d{0,3})" + re.escape(end)).match(self._text, self._at)
        if not found or (not found[1] and not found[2]):
            if self._extended:
                self._found.append(r"\{")
                return
            raise RegexFailure("Invalid preceding regular expression")
        self._at = found.end()
        self._repeat(f"{{{found[1] or 0}{found[2]}{found[3]}}}")

    def _repeat(self, how: str) -> None:
        if not self._found or self._found[-1] in {"(", "|", "^"}:
            self._found.append(re.escape(how[0]))
            return
        last = self._found[-1]
        if last[-1] in "*+?}" and last[:1] != "\\":
            return
        if last == ")" and how in "*+":
            self._settle_group()
        self._found.append(how)

    def _settle_group(self) -> None:
        """Let a repeated group that may match in several ways try only the first of them.

        Else the ways would multiply with each repetition, and a short line could take for ever.
        """
        inside = self._found[self._closed + 1 : -1]
        if any(piece[:1] in {"|", "*", "+", "{"} for piece in inside):
            self._found[self._closed :] = ["(", "(?>", *inside, ")", ")"]

    def _bracket(self) -> None:
        text = self._text
        begin = self._at
        negated = text[begin : begin + 1] == "^"
        at = begin + negated
        items: list[str] = []
        first = True
        while at < len(text) and (first or text[at] != "]"):
            first = False
            named = re.compile(r"\[:(\w+):\]").match(text, at)
            if named:
                items.append(CLASSES.get(named[1], ""))
                at = named.end()
                continue
            low, at = text[at], at + 1
            high = low
            if text[at : at + 1] == "-" and text[at + 1 : at + 2] not in {"", "]"}:
                high, at = text[at + 1], at + 2
            items.append(_range(low, high))
        if at >= len(text):
            raise RegexFailure("Unmatched [, [^, [:, [., or [=")
        self._at = at + 1
        self._found.append(_set(items, negated=negated))


def _range(low: str, high: str) -> str:
    if low > high:
        raise RegexFailure("Invalid range end")
    if low == high:
        return re.escape(low)
    return f"{re.escape(low)}-{re.escape(high)}"


def _set(items: list[str], *, negated: bool) -> str:
    inside = "".join(item for item in items if item.isascii())
    others = [item for item in items if not item.isascii() and "-" not in item[1:]]
    if negated:
        return f"[^{inside}\\n]" if inside else r"[^\n]"
    if others:
        plain = [f"[{inside}]"] if inside else []
        return f"(?:{'|'.join(plain + others)})"
    return f"[{inside}]" if inside else "(?!)"
