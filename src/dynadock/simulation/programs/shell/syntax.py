"""What a script is made of, once it is parsed: words and commands."""

from __future__ import annotations

from typing import TypeAlias


class Text:
    """Characters that stand for themselves; quoted ones are neither split nor patterns."""

    def __init__(self, text: str, quoted: bool = False) -> None:
        self.text = text
        self.quoted = quoted


class Parameter:
    """``$name`` or ``${name operator words}``; the operator ``length`` is ``${#name}``."""

    def __init__(
        self, name: str, quoted: bool = False, operator: str = "", words: tuple[Word, ...] = ()
    ) -> None:
        self.name = name
        self.quoted = quoted
        self.operator = operator
        self.words = words


class Substitution:
    """``$(commands)`` or the same in backquotes."""

    def __init__(self, commands: Command | None, quoted: bool = False) -> None:
        self.commands = commands
        self.quoted = quoted


class Arithmetic:
    """``$((expression))``, whose words are expanded first."""

    def __init__(self, expression: Word, quoted: bool = False) -> None:
        self.expression = expression
        self.quoted = quoted


Part: TypeAlias = Text | Parameter | Substitution | Arithmetic


class Word:
    """One word of a command, as written."""

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self.parts = parts

    @property
    def plain(self) -> str | None:
        """Its text if nothing of it is quoted or expanded, as reserved words have to be."""
        if len(self.parts) != 1:
            return None
        part = self.parts[0]
        return part.text if isinstance(part, Text) and not part.quoted else None


class Assignment:
    """``name=value`` in front of a command or alone."""

    def __init__(self, name: str, value: Word) -> None:
        self.name = name
        self.value = value


class Redirection:
    """``3> file``, ``2>&1``, or a here document, whose body is read after the command's line."""

    def __init__(self, descriptor: int, operator: str, target: Word) -> None:
        self.descriptor = descriptor
        self.operator = operator
        self.target = target


class Simple:
    """A command with its arguments, or assignments alone."""

    def __init__(
        self,
        assignments: tuple[Assignment, ...],
        words: tuple[Word, ...],
        redirections: tuple[Redirection, ...],
        line: int = 1,
    ) -> None:
        self.assignments = assignments
        self.words = words
        self.redirections = redirections
        self.line = line


class Pipeline:
    """Commands whose outputs are the next ones' inputs; ``!`` turns the result around."""

    def __init__(self, commands: tuple[Command, ...], is_negated: bool = False) -> None:
        self.commands = commands
        self.is_negated = is_negated


class Either:
    """``first && second || third``, from left to right."""

    def __init__(self, first: Command, rest: tuple[tuple[str, Command], ...]) -> None:
        self.first = first
        self.rest = rest


class Sequence:
    """Commands one after another."""

    def __init__(self, commands: tuple[Command, ...]) -> None:
        self.commands = commands


class Background:
    """``command &``."""

    def __init__(self, command: Command) -> None:
        self.command = command


class Subshell:
    """``( commands )``."""

    def __init__(self, body: Command) -> None:
        self.body = body


class Redirected:
    """A compound command with redirections behind it."""

    def __init__(self, command: Command, redirections: tuple[Redirection, ...]) -> None:
        self.command = command
        self.redirections = redirections


class If:
    """``if`` and each ``elif``, as pairs of a condition and what is done then."""

    def __init__(
        self, cases: tuple[tuple[Command, Command], ...], otherwise: Command | None
    ) -> None:
        self.cases = cases
        self.otherwise = otherwise


class While:
    """``while`` and ``until``."""

    def __init__(self, condition: Command, body: Command, until: bool) -> None:
        self.condition = condition
        self.body = body
        self.until = until


class For:
    """``for name in words``; without ``in`` the words are the positional parameters."""

    def __init__(self, name: str, words: tuple[Word, ...] | None, body: Command) -> None:
        self.name = name
        self.words = words
        self.body = body


class Branch:
    """One branch of a case."""

    def __init__(self, patterns: tuple[Word, ...], body: Command | None) -> None:
        self.patterns = patterns
        self.body = body


class Case:
    """``case word in branches esac``."""

    def __init__(self, word: Word, branches: tuple[Branch, ...]) -> None:
        self.word = word
        self.branches = branches


class Function:
    """``name() body``."""

    def __init__(self, name: str, body: Command) -> None:
        self.name = name
        self.body = body


Command: TypeAlias = (
    Simple
    | Pipeline
    | Either
    | Sequence
    | Background
    | Subshell
    | Redirected
    | If
    | While
    | For
    | Case
    | Function
)
