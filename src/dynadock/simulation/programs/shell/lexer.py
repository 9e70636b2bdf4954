"""A script's text to tokens: operators, and words with what is to be expanded in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dynadock.simulation.programs.shell.syntax import (
    Arithmetic,
    Parameter,
    Part,
    Redirection,
    Substitution,
    Text,
    Word,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.simulation.programs.shell.syntax import Command

OPERATORS = ("<<-", "&&", "||", ";;", "<<", ">>", "<&", ">&", "&>", "<>", ">|")
OPERATORS_OF_ONE = ";&|()<>"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SPECIAL = frozenset("?$!#@*-0123456789")

MOST_NESTED = 60
"""Substitutions and compound commands inside each other; more is refused as a syntax error."""

_PLAIN = re.compile(r"[^\s\\'\"$`;&|()<>]+")
_QUOTED = re.compile(r"[^\\\"$`]+")
_IN_BRACES = re.compile(r"[^\\'\"$`}]+")
_PATTERN_OPERATOR = re.compile(r"##|#|%%|%|//|/|:[-=?+]|[-=?+]|:")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


class ScriptError(Exception):
    """What is wrong with a script, in the shell's words."""


class UnfinishedScript(ScriptError):
    """More text could make it right: an interactive shell asks for another line."""


class Token(NamedTuple):
    """An operator, a ``newline``, the ``end``, or a ``word``."""

    kind: str
    text: str
    word: Word | None = None
    line: int = 1


class Lexer:
    """Reads tokens from ``text``; ``parse`` makes the commands of ``$(...)`` out of a lexer.

    If the text is not the whole script yet, here documents may lack their ends.
    """

    def __init__(
        self,
        text: str,
        parse: Callable[[Lexer, str], Command | None],
        *,
        is_whole: bool = True,
        outer: Lexer | None = None,
    ) -> None:
        self.text = text
        self.is_whole = is_whole
        self.position = 0
        self.depth: int = outer.depth if outer else 0
        self.line: int = outer.line if outer else 1
        self._parse = parse
        self._no_arithmetic: set[int] = set()
        self._peeked: Token | None = None
        self._documents: list[tuple[Redirection, str, bool, bool]] = []

    def peek(self) -> Token:
        """Return the next token without taking it."""
        if self._peeked is None:
            self._peeked = self._next()
        return self._peeked

    def take(self) -> Token:
        """Return the next token."""
        token = self.peek()
        self._peeked = None
        return token

    def expect_document(self, redirection: Redirection, end: Word, *, strip: bool) -> None:
        """Read a here document's body as soon as the present line ends."""
        quoted = any(isinstance(part, Text) and part.quoted for part in end.parts)
        word = "".join(part.text for part in end.parts if isinstance(part, Text))
        self._documents.append((redirection, word, strip, quoted))

    def deeper(self) -> None:
        """Count one more level of nesting.

        Raises:
            ScriptError: It is one too many.

        """
        self.depth += 1
        if self.depth > MOST_NESTED:
            raise ScriptError("syntax error: nested too deeply")

    def _next(self) -> Token:
        self._skip_blanks()
        if self.position >= len(self.text):
            self._read_documents()
            return Token("end", "", line=self.line)
        char = self.text[self.position]
        if char == "\n":
            self.position += 1
            token = Token("newline", "\n", line=self.line)
            self.line += 1
            self._read_documents()
            return token
        for operator in OPERATORS:
            if self.text.startswith(operator, self.position):
                self.position += len(operator)
                return Token("operator", operator, line=self.line)
        if char in OPERATORS_OF_ONE:
            self.position += 1
            return Token("operator", char, line=self.line)
        return self._word_token()

    def _word_token(self) -> Token:
        begin = self.position
        line = self.line
        word = Word(tuple(self._parts()))
        raw = self.text[begin : self.position]
        if raw.isdigit() and self.text[self.position : self.position + 1] in {"<", ">"}:
            return Token("number", raw, word, line)
        return Token("word", raw, word, line)

    def _skip_blanks(self) -> None:
        text = self.text
        while self.position < len(text):
            char = text[self.position]
            if char in " \t":
                self.position += 1
            elif char == "\\" and text.startswith("\\\n", self.position):
                self.position += 2
                self.line += 1
            elif char == "#":
                end = text.find("\n", self.position)
                self.position = len(text) if end < 0 else end
            else:
                return

    def _parts(self) -> list[Part]:
        parts: list[Part] = []
        text = self.text
        while self.position < len(text):
            char = text[self.position]
            plain = _PLAIN.match(text, self.position)
            if plain:
                self.position = plain.end()
                parts.append(Text(plain[0]))
            elif char.isspace() and char not in " \t\n":
                self.position += 1
                parts.append(Text(char))
            elif char.isspace() or char in OPERATORS_OF_ONE:
                break
            else:
                self._special_part(parts, char)
        return _joined(parts)

    def _special_part(self, parts: list[Part], char: str) -> None:
        if char == "\\":
            self._escaped(parts)
        elif char == "'":
            parts.append(Text(self._until_quote(), quoted=True))
        elif char == '"':
            self._double_quoted(parts)
        elif char == "`":
            parts.append(self._backquoted(quoted=False))
        elif self.text.startswith("$'", self.position):
            self.position += 1
            parts.append(Text(self._ansi_quoted(), quoted=True))
        else:
            parts.append(self._dollar(quoted=False))

    def _escaped(self, parts: list[Part]) -> None:
        following = self.text[self.position + 1 : self.position + 2]
        self.position += 2
        if following == "\n":
            self.line += 1
        elif following:
            parts.append(Text(following, quoted=True))
        else:
            self.position = len(self.text)
            parts.append(Text("\\", quoted=True))

    def _until_quote(self) -> str:
        end = self.text.find("'", self.position + 1)
        if end < 0:
            raise UnfinishedScript("syntax error: unterminated quoted string")
        inside = self.text[self.position + 1 : end]
        self.position = end + 1
        self.line += inside.count("\n")
        return inside

    def _ansi_quoted(self) -> str:
        self.position += 1
        found: list[str] = []
        while self.position < len(self.text):
            char = self.text[self.position]
            self.position += 1
            if char == "'":
                return "".join(found)
            if char == "\\" and self.position < len(self.text):
                escape = self.text[self.position]
                self.position += 1
                found.append(_ESCAPES.get(escape, escape if escape in "\\'\"" else "\\" + escape))
            else:
                found.append(char)
        raise UnfinishedScript("syntax error: unterminated quoted string")

    def _double_quoted(self, parts: list[Part]) -> None:
        self.position += 1
        inside = self._quoted_parts('"', "syntax error: unterminated quoted string")
        parts.extend(inside or [Text("", quoted=True)])

    def _quoted_parts(self, end: str, complaint: str) -> list[Part]:
        """Read what stands in double quotes, or in a here document if ``end`` is empty."""
        parts: list[Part] = []
        text = self.text
        plain_text = _QUOTED if end else re.compile(r"[^\\$`]+")
        while self.position < len(text):
            char = text[self.position]
            plain = plain_text.match(text, self.position)
            if plain:
                self.position = plain.end()
                self.line += plain[0].count("\n")
                parts.append(Text(plain[0], quoted=True))
            elif end and char == end:
                self.position += 1
                return _joined(parts)
            elif char == "\\":
                self._escaped_in_quotes(parts, end)
            elif char == "`":
                parts.append(self._backquoted(quoted=True))
            elif char == "$":
                parts.append(self._dollar(quoted=True))
            else:
                self.position += 1
                parts.append(Text(char, quoted=True))
        if end:
            raise UnfinishedScript(complaint)
        return _joined(parts)

    def _escaped_in_quotes(self, parts: list[Part], end: str) -> None:
        following = self.text[self.position + 1 : self.position + 2]
        self.position += 2
        if following == "\n":
            self.line += 1
        elif following and following in "$`\\" + end:
            parts.append(Text(following, quoted=True))
        else:
            parts.append(Text("\\" + following, quoted=True))

    def _backquoted(self, *, quoted: bool) -> Part:
        self.position += 1
        found: list[str] = []
        while self.position < len(self.text):
            char = self.text[self.position]
            if char == "`":
                self.position += 1
                return Substitution(self._commands_of("".join(found)), quoted)
            following = self.text[self.position + 1 : self.position + 2]
            if char == "\\" and following and following in ('$`\\"' if quoted else "$`\\"):
                char = following
                self.position += 1
            found.append(char)
            self.position += 1
        raise UnfinishedScript("syntax error: EOF in backquote substitution")

    def _commands_of(self, text: str) -> Command | None:
        inner = Lexer(text, self._parse, outer=self)
        inner.deeper()
        try:
            return self._parse(inner, "")
        except UnfinishedScript as unfinished:
            raise ScriptError(*unfinished.args) from None

    def _dollar(self, *, quoted: bool) -> Part:
        text = self.text
        if text.startswith("$((", self.position) and self.position not in self._no_arithmetic:
            arithmetic = self._arithmetic(quoted=quoted)
            if arithmetic is not None:
                return arithmetic
        if text.startswith("$(", self.position):
            return self._substitution(quoted=quoted)
        if text.startswith("${", self.position):
            return self._braced(quoted=quoted)
        self.position += 1
        following = text[self.position : self.position + 1]
        name = NAME.match(text, self.position)
        if name:
            self.position = name.end()
            return Parameter(name[0], quoted)
        if following and following in SPECIAL:
            self.position += 1
            return Parameter(following, quoted)
        return Text("$", quoted)

    def _substitution(self, *, quoted: bool) -> Part:
        inner = Lexer(self.text, self._parse, is_whole=self.is_whole, outer=self)
        inner.position = self.position + 2
        inner._no_arithmetic = self._no_arithmetic
        inner.deeper()
        commands = self._parse(inner, ")")
        self.position = inner.position
        self.line = inner.line
        return Substitution(commands, quoted)

    def _arithmetic(self, *, quoted: bool) -> Part | None:
        begin = self.position
        self.position += 3
        self.deeper()
        parts: list[Part] = []
        open_ones = 0
        text = self.text
        while self.position < len(text):
            char = text[self.position]
            if char == ")" and not open_ones:
                self.depth -= 1
                if text.startswith("))", self.position):
                    self.position += 2
                    return Arithmetic(Word(tuple(_joined(parts))), quoted)
                self.position = begin
                self._no_arithmetic.add(begin)
                return None
            open_ones += {"(": 1, ")": -1}.get(char, 0)
            if char in "$`\\":
                self._special_part(parts, char)
            else:
                self.position += 1
                if char != '"':
                    parts.append(Text(char, quoted=True))
        raise UnfinishedScript("syntax error: missing '))'")

    def _braced(self, *, quoted: bool) -> Part:
        self.position += 2
        self.deeper()
        part = self._parameter_in_braces(quoted=quoted)
        self.depth -= 1
        if self.position >= len(self.text):
            raise UnfinishedScript("syntax error: missing '}'")
        if self.text[self.position] != "}":
            raise ScriptError("syntax error: bad substitution")
        self.position += 1
        return part

    def _parameter_in_braces(self, *, quoted: bool) -> Part:
        text = self.text
        if (
            text.startswith("#", self.position)
            and text[self.position + 1 : self.position + 2] != "}"
        ):
            self.position += 1
            return Parameter(self._parameter_name(), quoted, "length")
        name = self._parameter_name()
        operator = _PATTERN_OPERATOR.match(text, self.position)
        if not operator:
            return Parameter(name, quoted)
        self.position = operator.end()
        words = [self._word_in_braces(operator[0], quoted=quoted)]
        separator = {"/": "/", "//": "/", ":": ":"}.get(operator[0])
        if separator and text.startswith(separator, self.position):
            self.position += 1
            words.append(self._word_in_braces("", quoted=quoted))
        return Parameter(name, quoted, operator[0], tuple(words))

    def _parameter_name(self) -> str:
        text = self.text
        found = NAME.match(text, self.position) or re.compile(r"\d+|[?$!#@*-]").match(
            text, self.position
        )
        if not found:
            if self.position >= len(text):
                raise UnfinishedScript("syntax error: missing '}'")
            raise ScriptError("syntax error: bad substitution")
        self.position = found.end()
        return found[0]

    def _word_in_braces(self, operator: str, *, quoted: bool) -> Word:
        """Read up to the brace that ends it; quotes in a quoted one still quote patterns."""
        is_pattern = operator in {"#", "##", "%", "%%", "/", "//"}
        end = "}" + {"/": "/", "//": "/", ":": ":"}.get(operator, "")
        parts: list[Part] = []
        text = self.text
        while self.position < len(text) and text[self.position] not in end:
            char = text[self.position]
            if quoted and not is_pattern and char in "\"'":
                self._quote_in_quotes(parts, char)
            elif quoted and not is_pattern and char == "\\":
                self._escaped_in_quotes(parts, '"}')
            elif char in "\\'\"$`":
                self._special_part_quoted(parts, char, quoted=quoted and not is_pattern)
            else:
                self.position += 1
                self.line += char == "\n"
                parts.append(Text(char, quoted=quoted and not is_pattern))
        return Word(tuple(_joined(parts)))

    def _quote_in_quotes(self, parts: list[Part], char: str) -> None:
        if char == '"':
            self._double_quoted(parts)
        else:
            self.position += 1
            parts.append(Text(char, quoted=True))

    def _special_part_quoted(self, parts: list[Part], char: str, *, quoted: bool) -> None:
        if quoted and char == "$":
            parts.append(self._dollar(quoted=True))
        elif quoted and char == "`":
            parts.append(self._backquoted(quoted=True))
        else:
            self._special_part(parts, char)

    def _read_documents(self) -> None:
        documents, self._documents = self._documents, []
        for redirection, end, strip, quoted in documents:
            body = self._document_lines(end, strip=strip)
            redirection.target = (
                Word((Text(body, quoted=True),)) if quoted else self._expanded_document(body)
            )

    def _document_lines(self, end: str, *, strip: bool) -> str:
        found: list[str] = []
        while self.position < len(self.text):
            stop = self.text.find("\n", self.position)
            line = self.text[self.position : stop if stop >= 0 else len(self.text)]
            self.position = stop + 1 if stop >= 0 else len(self.text)
            self.line += 1
            if strip:
                line = line.lstrip("\t")
            if line == end:
                return "".join(found)
            found.append(line + "\n" if stop >= 0 else line)
        if not self.is_whole:
            raise UnfinishedScript("here document without an end")
        return "".join(found)

    def _expanded_document(self, body: str) -> Word:
        inner = Lexer(body, self._parse, outer=self)
        inner.deeper()
        try:
            return Word(tuple(inner._quoted_parts("", "")))
        except UnfinishedScript as unfinished:
            raise ScriptError(*unfinished.args) from None


def _joined(parts: list[Part]) -> list[Part]:
    """Put texts together that are quoted alike."""
    found: list[Part] = []
    run: list[str] = []
    quoted = False
    for part in parts:
        if isinstance(part, Text):
            if run and part.quoted != quoted:
                found.append(Text("".join(run), quoted))
                run = []
            quoted = part.quoted
            run.append(part.text)
        else:
            if run:
                found.append(Text("".join(run), quoted))
                run = []
            found.append(part)
    if run:
        found.append(Text("".join(run), quoted))
    return found
