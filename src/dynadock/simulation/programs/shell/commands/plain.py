"""Commands that print what they are told, compare, count and wait."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dynadock.simulation.programs.shell import regex
from dynadock.simulation.programs.shell.descriptors import BLOCK
from dynadock.simulation.programs.shell.invocation import BANNER, UsageError
from dynadock.simulation.programs.shell.printing import Stopped, formatted, unescaped

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.simulation.programs.shell.invocation import Invocation
    from dynadock.simulation.programs.shell.jobs import Coroutine

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_MOST_SECONDS = 10**9
_TURN = 256


def run_true(_invocation: Invocation) -> int:
    """Succeed."""
    return 0


def run_false(_invocation: Invocation) -> int:
    """Fail."""
    return 1


def run_echo(invocation: Invocation) -> int:
    """Print the arguments; -n without a newline, -e with escapes."""
    words = [*invocation.arguments]
    flags = ""
    while words and re.fullmatch("-[neE]+", words[0]):
        flags += words.pop(0)[1:]
    text = " ".join(words)
    end = "" if "n" in flags else "\n"
    if "e" in flags and flags.rfind("e") > flags.rfind("E"):
        try:
            text = unescaped(text, zero_octal=True)
        except Stopped as stopped:
            text, end = stopped.text, ""
    invocation.print(text, end=end)
    return 0


def run_printf(invocation: Invocation) -> Coroutine[int]:
    """Print the arguments by a format, which is used again while there are more."""
    if not invocation.arguments:
        raise UsageError("usage: printf FORMAT [ARGUMENT...]", 2, with_usage=False)
    arguments = [*invocation.arguments]
    text = arguments.pop(0)
    if text == "--" and arguments:
        text = arguments.pop(0)
    count = 0
    while True:
        before = len(arguments)
        try:
            invocation.print(formatted(text, arguments, invocation.warn), end="")
        except Stopped as stopped:
            invocation.print(stopped.text, end="")
            break
        if not arguments or len(arguments) == before:
            break
        count += 1
        if invocation.is_due or count % _TURN == 0:
            yield from invocation.flush()
            yield invocation.now()
    return invocation.status


def run_yes(invocation: Invocation) -> Coroutine[int]:
    """Print the arguments, or ``y``, for ever."""
    line = (" ".join(invocation.arguments) or "y") + "\n"
    data = line.encode("utf-8", "surrogateescape")
    data *= max(BLOCK // len(data), 1)
    turns = 0
    while True:
        yield from invocation.write(data)
        turns += 1
        if turns % 16 == 0:
            yield invocation.now()


def run_sleep(invocation: Invocation) -> Coroutine[int]:
    """Wait for the sum of the arguments."""
    if not invocation.arguments:
        raise UsageError
    seconds = 0.0
    for argument in invocation.arguments:
        if argument in {"inf", "infinity"}:
            seconds = _MOST_SECONDS
            continue
        found = re.fullmatch(r"(\d+\.?\d*|\.\d+)([smhd]?)", argument)
        if not found:
            return invocation.warn(f"invalid number '{argument}'")
        seconds += float(found[1]) * _SECONDS[found[2]]
    return (yield from _sleep(invocation, seconds))


def run_usleep(invocation: Invocation) -> Coroutine[int]:
    """Wait for so many microseconds."""
    if not invocation.arguments:
        raise UsageError
    if not re.fullmatch(r"\d{1,18}", invocation.arguments[0]):
        return invocation.warn(f"invalid number '{invocation.arguments[0]}'")
    return (yield from _sleep(invocation, int(invocation.arguments[0]) / 1e6))


def _sleep(invocation: Invocation, seconds: float) -> Coroutine[int]:
    due = invocation.now() + round(min(seconds, _MOST_SECONDS) * 1e9)
    while invocation.now() < due:
        yield due
    return 0


def run_seq(invocation: Invocation) -> Coroutine[int]:
    """Print numbers; -s gives what stands between them, -w pads with zeros."""
    separator, pads, numbers = _seq_arguments(invocation)
    if not 1 <= len(numbers) <= 3 or not all(  # noqa: PLR2004 - FIRST, INCREMENT, LAST
        re.fullmatch(r"[-+]?(\d{1,18}\.?\d{0,9}|\.\d{1,9})", number) for number in numbers
    ):
        raise UsageError
    digits = max(len(number.partition(".")[2]) for number in numbers[:2] or numbers)
    if len(numbers) == 1:
        digits = 0
    scale = 10 ** max(len(number.partition(".")[2]) for number in numbers)
    values = [round(float(number) * scale) for number in numbers]
    last = values[-1]
    first = values[0] if len(values) > 1 else scale
    step = values[1] if len(values) == 3 else scale  # noqa: PLR2004
    width = max(len(f"{value / scale:.{digits}f}") for value in (first, last)) if pads else 0
    value = first
    is_first = True
    while value <= last if step >= 0 else value >= last:
        text = (
            f"{value / scale:0{width}.{digits}f}" if digits or scale > 1 else f"{value:0{width}d}"
        )
        invocation.print(text if is_first else separator + text, end="")
        is_first = False
        value += step
        if invocation.is_due:
            yield from invocation.flush()
            yield invocation.now()
    if not is_first:
        invocation.print()
    return 0


def _seq_arguments(invocation: Invocation) -> tuple[str, bool, list[str]]:
    separator, pads = "\n", False
    rest = [*invocation.arguments]
    while rest and re.match(r"-[a-zA-Z]", rest[0]):
        word = rest.pop(0)
        if word == "-w":
            pads = True
        elif word.startswith("-s"):
            separator = word[2:] or (rest.pop(0) if rest else "")
        else:
            raise UsageError(f"invalid option -- '{word[1]}'")
    return separator, pads, rest


def run_busybox(invocation: Invocation) -> int | Coroutine[int]:
    """Run one of the commands by its name, or say what there is."""
    from dynadock.simulation.programs.shell.commands import APPLETS, is_applet

    if not invocation.arguments:
        invocation.print(BANNER)
        invocation.print("\nUsage: busybox [function [arguments]...]\n")
        invocation.print("Currently defined functions:\n\t" + ", ".join(sorted(APPLETS)))
        return 0
    name = invocation.arguments[0]
    if name == "--list":
        for each in sorted(APPLETS):
            invocation.print(each)
        return 0
    if not is_applet(name):
        invocation.warn_plainly(f"{name}: applet not found")
        return 127
    return invocation.execute(invocation.arguments)


# test


class _TestFailure(Exception):
    pass


def run_test(invocation: Invocation) -> int:
    """Compare texts, numbers and files."""
    words = [*invocation.arguments]
    if invocation.name in {"[", "[["}:
        closing = "]" if invocation.name == "[" else "]]"
        if not words or words.pop() != closing:
            return invocation.warn(f"missing {closing}", 2)
    if not words:
        return 1
    try:
        return int(not _Test(invocation, words).whole())
    except _TestFailure as wrong:
        return invocation.warn(str(wrong), 2)


_NUMERIC: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b,
    "-ne": lambda a, b: a != b,
    "-gt": lambda a, b: a > b,
    "-ge": lambda a, b: a >= b,
    "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b,
}
_UNARY = frozenset("-" + letter for letter in "nzbcdefghkLOprsStuwxGN")
_TEXTUAL = frozenset({"=", "==", "!=", "<", ">", "=~", "-nt", "-ot", "-ef"})
_BINARY = _TEXTUAL | set(_NUMERIC)


class _Test:
    """Reads an expression: ``-o`` is looser than ``-a``, which is looser than ``!``."""

    def __init__(self, invocation: Invocation, words: list[str]) -> None:
        self._invocation = invocation
        self._words = words
        self._at = 0
        self._or, self._and = ("||", "&&") if invocation.name == "[[" else ("-o", "-a")
        self._depth = 0

    def whole(self) -> bool:
        value = self._any()
        if self._at < len(self._words):
            raise _TestFailure(f"{self._words[self._at]}: unknown operand")
        return value

    def _peek(self, ahead: int = 0) -> str | None:
        at = self._at + ahead
        return self._words[at] if at < len(self._words) else None

    def _any(self) -> bool:
        self._depth += 1
        if self._depth > 50:  # noqa: PLR2004 - brackets inside each other
            raise _TestFailure("too deep")
        value = self._all()
        while self._peek() == self._or:
            self._at += 1
            other = self._all()
            value = value or other
        self._depth -= 1
        return value

    def _all(self) -> bool:
        value = self._not()
        while self._peek() == self._and:
            self._at += 1
            other = self._not()
            value = value and other
        return value

    def _not(self) -> bool:
        negated = False
        while (
            self._peek() == "!"
            and self._peek(1) is not None
            and not (self._peek(1) in _BINARY and self._peek(2) is not None)
        ):
            self._at += 1
            negated = not negated
        return self._primary() != negated

    def _primary(self) -> bool:
        word = self._peek()
        if word is None:
            raise _TestFailure("argument expected")
        operator = self._peek(1)
        if operator in _BINARY and self._peek(2) is not None:
            right = self._words[self._at + 2]
            self._at += 3
            return self._compare(word, operator, right)
        if word == "(" and operator is not None:
            self._at += 1
            value = self._any()
            if self._peek() != ")":
                raise _TestFailure("closing paren expected")
            self._at += 1
            return value
        if word in _UNARY and operator is not None:
            self._at += 2
            return self._unary(word, operator)
        self._at += 1
        return word != ""

    def _compare(self, left: str, operator: str, right: str) -> bool:
        if operator in _NUMERIC:
            return _NUMERIC[operator](_test_number(left), _test_number(right))
        if self._invocation.name == "[[" and operator in {"=", "==", "!="}:
            from dynadock.simulation.programs.shell.patterns import is_match

            return is_match(right, left) == (operator != "!=")
        if operator == "=~":
            return regex.compiled(right, extended=True).search(left.encode()) is not None
        if operator in {"-nt", "-ot", "-ef"}:
            return self._compare_files(left, operator, right)
        return {
            "=": left == right,
            "==": left == right,
            "!=": left != right,
            "<": left < right,
            ">": left > right,
        }[operator]

    def _compare_files(self, left: str, operator: str, right: str) -> bool:
        disk = self._invocation.disk
        try:
            if operator == "-ef":
                return disk.files.resolve(disk.path(left)) == disk.files.resolve(disk.path(right))
            first, second = (self._invocation.stat(name).mtime for name in (left, right))
        except OSError:
            return False
        return first > second if operator == "-nt" else first < second

    def _unary(self, operator: str, operand: str) -> bool:
        if operator == "-n":
            return operand != ""
        if operator == "-z":
            return operand == ""
        if operator == "-t":
            stream = self._invocation.descriptors.get(_test_number(operand))
            return stream is not None and stream.is_terminal
        try:
            stat = self._invocation.stat(operand, follow=operator not in {"-L", "-h"})
        except (OSError, ValueError):
            return False
        return (
            _KINDS.get(operator, stat.kind) == stat.kind
            and (operator != "-s" or stat.size > 0)
            and (operator not in _BITS or stat.mode & _BITS[operator] != 0)
        )


_KINDS = {
    "-f": "file",
    "-d": "folder",
    "-L": "link",
    "-h": "link",
    "-p": "fifo",
    "-c": "device",
    "-b": "block device",
    "-S": "socket",
}
_BITS = {"-x": 0o111, "-u": 0o4000, "-g": 0o2000, "-k": 0o1000}


def _test_number(text: str) -> int:
    if not re.fullmatch(r"\s*[-+]?\d{1,19}\s*", text):
        raise _TestFailure(f"{text}: bad number")
    return int(text)


# expr


class _ExprFailure(Exception):
    pass


_EXPR_LEVELS = (
    ("|",),
    ("&",),
    ("<", "<=", "=", "==", "!=", ">=", ">"),
    ("+", "-"),
    ("*", "/", "%"),
)


def run_expr(invocation: Invocation) -> int:
    """Print what an expression comes to; 1 if that is nothing or 0."""
    words = [*invocation.arguments]
    if not words:
        return invocation.warn("too few arguments", 2)
    try:
        value = _Expression(words).whole()
    except _ExprFailure as wrong:
        return invocation.warn(str(wrong), 2)
    invocation.print(value)
    return int(value in {"", "0"})


class _Expression:
    def __init__(self, words: list[str]) -> None:
        self.words = words[::-1]
        self._depth = 0

    def whole(self) -> str:
        value = self.level(0)
        if self.words:
            raise _ExprFailure("syntax error")
        return value

    def level(self, number: int) -> str:
        if number == len(_EXPR_LEVELS):
            return self._match()
        left = self.level(number + 1)
        while self.words and self.words[-1] in _EXPR_LEVELS[number]:
            operator = self.words.pop()
            left = _expr(left, operator, self.level(number + 1))
        return left

    def _match(self) -> str:
        left = self._primary()
        while self.words and self.words[-1] == ":":
            self.words.pop()
            left = _expr_match(left, self._primary())
        return left

    def _primary(self) -> str:
        if not self.words:
            raise _ExprFailure("syntax error")
        word = self.words.pop()
        if word == "(":
            self._depth += 1
            if self._depth > 50:  # noqa: PLR2004 - brackets inside each other
                raise _ExprFailure("syntax error")
            value = self.level(0)
            if not self.words or self.words.pop() != ")":
                raise _ExprFailure("syntax error")
            return value
        if word == "length" and self.words:
            return str(len(self._primary()))
        if word == "match" and len(self.words) > 1:
            return _expr_match(self._primary(), self._primary())
        if word == "substr" and len(self.words) > 2:  # noqa: PLR2004 - text, place, length
            text, place, length = self._primary(), self._primary(), self._primary()
            begin, count = _expr_number(place), _expr_number(length)
            return text[begin - 1 : begin - 1 + count] if begin > 0 and count > 0 else ""
        if word == "index" and len(self.words) > 1:
            text, letters = self._primary(), self._primary()
            places = [text.find(letter) + 1 for letter in letters if letter in text]
            return str(min(places, default=0))
        return word


def _expr_number(text: str) -> int:
    if not re.fullmatch(r"-?\d{1,19}", text):
        raise _ExprFailure("non-numeric argument")
    return int(text)


def _expr(left: str, operator: str, right: str) -> str:
    if operator == "|":
        return left if left not in {"", "0"} else right
    if operator == "&":
        return left if left not in {"", "0"} and right not in {"", "0"} else "0"
    if operator in _EXPR_LEVELS[2]:
        try:
            a: int | str = _expr_number(left)
            b: int | str = _expr_number(right)
        except _ExprFailure:
            a, b = left, right
        below, same = a < b, a == b  # type: ignore[operator]
        return str(
            int(
                {
                    "<": below,
                    "<=": below or same,
                    "=": same,
                    "==": same,
                    "!=": not same,
                    ">=": not below,
                    ">": not below and not same,
                }[operator]
            )
        )
    x, y = _expr_number(left), _expr_number(right)
    if operator in "/%":
        if y == 0:
            raise _ExprFailure("division by zero")
        quotient = abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
        return str(quotient if operator == "/" else x - y * quotient)
    return str({"+": x + y, "-": x - y, "*": x * y}[operator])


def _expr_match(text: str, pattern: str) -> str:
    expression = regex.compiled(pattern)
    found = expression.match(text.encode("utf-8", "surrogateescape"))
    if expression.groups:
        return (found[1] or b"").decode("utf-8", "surrogateescape") if found else ""
    return str(found.end() if found else 0)
