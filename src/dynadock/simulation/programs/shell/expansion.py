"""Words to arguments: parameters, substitutions, arithmetic, splitting, file names, quotes."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from dynadock.simulation.programs.shell import patterns
from dynadock.simulation.programs.shell.arithmetic import evaluate
from dynadock.simulation.programs.shell.failures import Failure
from dynadock.simulation.programs.shell.syntax import Arithmetic, Parameter, Substitution, Text

if TYPE_CHECKING:
    from dynadock.simulation.programs.shell.interpreter import Shell
    from dynadock.simulation.programs.shell.jobs import Coroutine
    from dynadock.simulation.programs.shell.syntax import Part, Word

MOST = 1024 * 1024
"""Characters of a variable, of a substitution, and of one command's arguments."""

MOST_FIELDS = 100_000
"""Arguments of one command."""


class _Piece(NamedTuple):
    """Some of a word; what is not quoted may be a pattern, and may be split."""

    text: str
    quoted: bool
    split: bool


_Field = list[_Piece]
_BREAK = _Piece("", quoted=True, split=True)
"""Between the fields of ``"$@"``: known by its identity."""


def expand_words(shell: Shell, words: tuple[Word, ...]) -> Coroutine[list[str]]:
    """Return the arguments that words become.

    Raises:
        Failure: An expansion went wrong, which ends a shell that runs a script.

    """
    found: list[str] = []
    size = 0
    for word in words:
        pieces = yield from _pieces(shell, word)
        for field in _fields(pieces, shell.separators):
            found += _names(shell, field)
        size += sum(len(piece.text) for piece in pieces)
        if size > MOST or len(found) > MOST_FIELDS:
            raise Failure("Argument list too long")
    return found


def expand_text(shell: Shell, word: Word) -> Coroutine[str]:
    """Return a word's text, neither split nor taken for a pattern."""
    pieces = yield from _pieces(shell, word)
    return _limited("".join(" " if piece is _BREAK else piece.text for piece in pieces))


def expand_pattern(shell: Shell, word: Word) -> Coroutine[str]:
    """Return a word as a pattern, in which quoted characters stand for themselves."""
    pieces = yield from _pieces(shell, word)
    return _limited("".join(map(_as_pattern, pieces)))


def _limited(text: str) -> str:
    if len(text) > MOST:
        raise Failure("out of memory")
    return text


def _as_pattern(piece: _Piece) -> str:
    return patterns.escape(piece.text) if piece.quoted else piece.text


def _pieces(shell: Shell, word: Word) -> Coroutine[list[_Piece]]:
    found: list[_Piece] = []
    for index, part in enumerate(word.parts):
        if isinstance(part, Text):
            text = part.text
            if index == 0 and not part.quoted and text.startswith("~"):
                text = _home(shell, text)
            found.append(_Piece(text, part.quoted, split=False))
        else:
            found += yield from _expanded(shell, part)
    return found


def _home(shell: Shell, text: str) -> str:
    user, slash, rest = text[1:].partition("/")
    if user:
        return text
    home = shell.value("HOME")
    return text if home is None else home + slash + rest


def _expanded(shell: Shell, part: Part) -> Coroutine[list[_Piece]]:
    assert not isinstance(part, Text)
    if isinstance(part, Parameter):
        return (yield from _parameter(shell, part))
    if isinstance(part, Substitution):
        text = yield from shell.output_of(part.commands)
    else:
        assert isinstance(part, Arithmetic)
        expression = yield from expand_text(shell, part.expression)
        text = str(evaluate(expression, shell))
    return [_Piece(text, part.quoted, split=not part.quoted)]


def _parameter(shell: Shell, part: Parameter) -> Coroutine[list[_Piece]]:
    if part.operator == "length":
        return [_Piece(_length(shell, part.name), part.quoted, split=not part.quoted)]
    value = shell.parameter(part.name)
    kind = part.operator.lstrip(":")
    if kind in {"-", "=", "?", "+"} and part.operator != ":":
        if part.operator.startswith(":") and not value:
            value = None
        return (yield from _conditional(shell, part, kind, value))
    if value is None and "nounset" in shell.options and part.name not in {"@", "*"}:
        raise Failure(f"{part.name}: parameter not set")
    if part.name in {"@", "*"} and not part.operator:
        return _positional(shell, part)
    text = value or ""
    if part.operator:
        text = yield from _edited(shell, part, text)
    return [_Piece(text, part.quoted, split=not part.quoted)]


def _length(shell: Shell, name: str) -> str:
    if name in {"@", "*"}:
        return str(len(shell.arguments))
    value = shell.parameter(name)
    if value is None and "nounset" in shell.options:
        raise Failure(f"{name}: parameter not set")
    return str(len((value or "").encode("utf-8", "surrogateescape")))


def _positional(shell: Shell, part: Parameter) -> list[_Piece]:
    if part.quoted and part.name == "*":
        joint = shell.separators[:1]
        return [_Piece(joint.join(shell.arguments), quoted=True, split=False)]
    found: list[_Piece] = []
    for argument in shell.arguments:
        if found:
            found.append(_BREAK)
        found.append(_Piece(argument, part.quoted, split=not part.quoted))
    return found


def _conditional(
    shell: Shell, part: Parameter, kind: str, value: str | None
) -> Coroutine[list[_Piece]]:
    word = part.words[0]
    if (kind == "+") == (value is None):
        if kind == "+":
            return [_Piece("", part.quoted, split=False)] if part.quoted else []
        if part.name in {"@", "*"}:
            return _positional(shell, part)
        return [_Piece(value or "", part.quoted, split=not part.quoted)]
    if kind == "?":
        message = yield from expand_text(shell, word)
        unset = "parameter not set" + (" or null" if part.operator.startswith(":") else "")
        raise Failure(f"{part.name}: {message or unset}")
    if kind == "=":
        text = yield from expand_text(shell, word)
        if not part.name[0].isalpha() and part.name[0] != "_":
            raise Failure(f"{part.name}: bad variable name")
        shell.assign(part.name, text)
        return [_Piece(text, part.quoted, split=not part.quoted)]
    pieces = yield from _pieces(shell, word)
    if part.quoted:
        return pieces or [_Piece("", quoted=True, split=False)]
    return [piece if piece.quoted else piece._replace(split=True) for piece in pieces]


def _edited(shell: Shell, part: Parameter, text: str) -> Coroutine[str]:
    operator = part.operator
    if operator == ":":
        return (yield from _cut(shell, part, text))
    pattern = yield from expand_pattern(shell, part.words[0])
    if operator in {"/", "//"}:
        by = ""
        if len(part.words) > 1:
            by = yield from expand_text(shell, part.words[1])
        return _limited(patterns.replaced(text, pattern, by, every=operator == "//"))
    longest = len(operator) == 2  # noqa: PLR2004 - the operator is doubled
    if operator[0] == "#":
        return patterns.without_prefix(text, pattern, longest=longest)
    return patterns.without_suffix(text, pattern, longest=longest)


def _cut(shell: Shell, part: Parameter, text: str) -> Coroutine[str]:
    numbers = []
    for word in part.words:
        expression = yield from expand_text(shell, word)
        numbers.append(evaluate(expression, shell))
    begin = numbers[0]
    if begin < 0:
        begin = max(len(text) + begin, 0)
    if len(numbers) == 1:
        return text[begin:]
    return text[begin : begin + numbers[1] if numbers[1] >= 0 else numbers[1]]


def _fields(pieces: list[_Piece], separators: str) -> list[_Field]:
    """Split what is to be split; a field with a quoted piece exists even if it is empty."""
    fields: list[_Field] = []
    current: _Field = []
    for piece in pieces:
        if piece is _BREAK:
            fields.append(current or [_Piece("", quoted=True, split=False)])
            current = []
        elif piece.split and separators:
            current = _split(piece, separators, fields, current)
        elif piece.text or piece.quoted:
            current.append(piece)
    if current:
        fields.append(current)
    return fields


def _split(piece: _Piece, separators: str, fields: list[_Field], current: _Field) -> _Field:
    position = 0
    text = piece.text
    for found in _separator(separators).finditer(text):
        if found.start() > position:
            current.append(piece._replace(text=text[position : found.start()]))
        position = found.end()
        if current or found[0].strip():
            fields.append(current or [_Piece("", quoted=True, split=False)])
            current = []
    if position < len(text):
        current.append(piece._replace(text=text[position:]))
    return current


@lru_cache(maxsize=64)
def _separator(separators: str) -> re.Pattern[str]:
    blanks = "".join(re.escape(char) for char in separators if char in " \t\n")
    others = "".join(re.escape(char) for char in separators if char not in " \t\n")
    run = f"[{blanks}]" if blanks else "(?!)"
    if not others:
        return re.compile(f"{run}+")
    return re.compile(f"{run}*+[{others}]{run}*+|{run}+")


def _names(shell: Shell, field: _Field) -> list[str]:
    """Return the files that a field matches, or its own text."""
    text = "".join(piece.text for piece in field)
    is_pattern = any(not piece.quoted and patterns.MAGIC.search(piece.text) for piece in field)
    if not is_pattern or "noglob" in shell.options:
        return [text]
    return shell.files.matching("".join(map(_as_pattern, field))) or [text]
