"""``$((…))``: whole numbers of 64 bits, with C's operators and assignments to variables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from dynadock.simulation.programs.shell.lexer import ScriptError

if TYPE_CHECKING:
    from collections.abc import Callable

_WORD = re.compile(
    r"\s*(?:(0[xX][0-9a-fA-F]+|\d+#\w+|\d+)|([A-Za-z_]\w*)"
    r"|(<<=|>>=|\*\*|\+\+|--|&&|\|\||[-+*/%&|^<>=!]=|<<|>>|[-+*/%&|^<>=!~?:(),]))"
)
_MOST_NESTED = 40
_MOST_VARIABLES = 4
_ASSIGNING = frozenset(["=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="])


class ArithmeticFailure(ScriptError):
    """An expression that has no value."""


class Variables(Protocol):
    """Where an expression's names are read and set."""

    def value(self, name: str) -> str | None:
        """Return a variable's text, or None if it is not set."""

    def assign(self, name: str, value: str) -> None:
        """Set a variable."""


def evaluate(text: str, variables: Variables) -> int:
    """Return what an expression comes to.

    Raises:
        ArithmeticFailure: It is no expression, or divides by zero.

    """
    if not text.strip():
        return 0
    reader = _Reader(text, variables)
    value = reader.comma(active=True)
    if reader.word:
        raise _syntax_error()
    return value


def _syntax_error() -> ArithmeticFailure:
    return ArithmeticFailure("arithmetic syntax error")


def _wrapped(value: int) -> int:
    return ((value + (1 << 63)) & ((1 << 64) - 1)) - (1 << 63)


def _quotient(left: int, right: int) -> int:
    if right == 0:
        raise ArithmeticFailure("divide by zero")
    whole = abs(left) // abs(right)
    return whole if (left < 0) == (right < 0) else -whole


def _power(left: int, right: int) -> int:
    if right < 0:
        raise ArithmeticFailure("exponent less than 0")
    return pow(left, right, 1 << 64)


_BINARY: dict[str, Callable[[int, int], int]] = {
    "*": lambda a, b: a * b,
    "/": _quotient,
    "%": lambda a, b: a - b * _quotient(a, b),
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "<<": lambda a, b: a << (b & 63),
    ">>": lambda a, b: a >> (b & 63),
    "<": lambda a, b: int(a < b),
    ">": lambda a, b: int(a > b),
    "<=": lambda a, b: int(a <= b),
    ">=": lambda a, b: int(a >= b),
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "&": lambda a, b: a & b,
    "^": lambda a, b: a ^ b,
    "|": lambda a, b: a | b,
    "**": _power,
}
_LEVELS = (
    {"|"},
    {"^"},
    {"&"},
    {"==", "!="},
    {"<", ">", "<=", ">="},
    {"<<", ">>"},
    {"+", "-"},
    {"*", "/", "%"},
)
"""From the loosest to the tightest; ``&&``, ``||``, ``?:`` and ``=`` stand above them."""


class _Reader:
    """Evaluates while it reads; what is not active is read and has no effect."""

    def __init__(self, text: str, variables: Variables, looked_up: tuple[str, ...] = ()) -> None:
        self._text = text
        self._variables = variables
        self._looked_up = looked_up
        self._position = 0
        self._depth = 0
        self.word = ""
        self._advance()

    def comma(self, *, active: bool) -> int:
        value = self._assignment(active=active)
        while self.word == ",":
            self._advance()
            value = self._assignment(active=active)
        return value

    def _advance(self) -> None:
        found = _WORD.match(self._text, self._position)
        if found:
            self.word = found[0].strip()
            self._position = found.end()
        elif self._text[self._position :].strip():
            raise _syntax_error()
        else:
            self.word = ""

    def _take(self, word: str) -> None:
        if self.word != word:
            raise _syntax_error()
        self._advance()

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _MOST_NESTED:
            raise _syntax_error()

    def _assignment(self, *, active: bool) -> int:
        self._deeper()
        name, before = self.word, self._position
        if name[:1].isalpha() or name[:1] == "_":
            self._advance()
            operator = self.word
            if operator in _ASSIGNING:
                self._advance()
                value = self._assignment(active=active)
                if active and operator != "=":
                    value = _BINARY[operator[:-1]](self._named(name), value)
                value = self._set(name, value, active=active)
                self._depth -= 1
                return value
            self.word, self._position = name, before
        value = self._choice(active=active)
        self._depth -= 1
        return value

    def _choice(self, *, active: bool) -> int:
        condition = self._or(active=active)
        if self.word != "?":
            return condition
        self._advance()
        first = self._assignment(active=active and bool(condition))
        self._take(":")
        second = self._assignment(active=active and not condition)
        return first if condition else second

    def _or(self, *, active: bool) -> int:
        value = self._and(active=active)
        while self.word == "||":
            self._advance()
            right = self._and(active=active and not value)
            value = int(bool(value) or bool(right))
        return value

    def _and(self, *, active: bool) -> int:
        value = self._binary(0, active=active)
        while self.word == "&&":
            self._advance()
            right = self._binary(0, active=active and bool(value))
            value = int(bool(value) and bool(right))
        return value

    def _binary(self, level: int, *, active: bool) -> int:
        if level == len(_LEVELS):
            return self._raised(active=active)
        value = self._binary(level + 1, active=active)
        while self.word in _LEVELS[level]:
            operator = self.word
            self._advance()
            right = self._binary(level + 1, active=active)
            value = _wrapped(_BINARY[operator](value, right)) if active else 0
        return value

    def _raised(self, *, active: bool) -> int:
        value = self._unary(active=active)
        if self.word == "**":
            self._advance()
            self._deeper()
            right = self._raised(active=active)
            self._depth -= 1
            value = _wrapped(_power(value, right)) if active else 0
        return value

    def _unary(self, *, active: bool) -> int:
        operator = self.word
        if operator in {"++", "--"}:
            return self._stepped(active=active)
        if operator in {"+", "-", "!", "~"}:
            self._deeper()
            self._advance()
            value = self._unary(active=active)
            self._depth -= 1
            return {"+": value, "-": _wrapped(-value), "!": int(not value), "~": ~value}[operator]
        return self._primary(active=active)

    def _stepped(self, *, active: bool) -> int:
        step = 1 if self.word == "++" else -1
        self._advance()
        name = self.word
        if not (name[:1].isalpha() or name[:1] == "_"):
            raise _syntax_error()
        self._advance()
        return self._set(name, self._named(name) + step if active else 0, active=active)

    def _primary(self, *, active: bool) -> int:
        word = self.word
        if word == "(":
            self._advance()
            value = self.comma(active=active)
            self._take(")")
            return value
        if word[:1].isdigit():
            self._advance()
            return _number(word)
        if not (word[:1].isalpha() or word[:1] == "_"):
            raise _syntax_error()
        self._advance()
        value = self._named(word) if active else 0
        if self.word in {"++", "--"}:
            step = 1 if self.word == "++" else -1
            self._advance()
            self._set(word, value + step, active=active)
        return value

    def _set(self, name: str, value: int, *, active: bool) -> int:
        value = _wrapped(value)
        if active:
            self._variables.assign(name, str(value))
        return value

    def _named(self, name: str) -> int:
        """Return a variable's value; one that holds an expression is evaluated in turn."""
        text = (self._variables.value(name) or "").strip()
        if not text:
            return 0
        number = re.fullmatch(r"([-+]?)(0[xX][0-9a-fA-F]+|\d+)", text)
        if number:
            value = _number(number[2])
            return _wrapped(-value) if number[1] == "-" else value
        if name in self._looked_up:
            raise ArithmeticFailure("expression recursion loop detected")
        inner = _Reader(text, self._variables, (*self._looked_up, name))
        value = inner.comma(active=True)
        if inner.word or len(self._looked_up) > _MOST_VARIABLES:
            raise _syntax_error()
        return value


def _number(text: str) -> int:
    base, sharp, digits = text.partition("#")
    try:
        if sharp:
            return _wrapped(int(digits, int(base[:3])))
        if text[:2] in {"0x", "0X"}:
            return _wrapped(int(text[:40], 16))
        if text[0] == "0":
            return _wrapped(int(text[:40], 8))
        return _wrapped(int(text[:40]))
    except ValueError:
        raise _syntax_error() from None
