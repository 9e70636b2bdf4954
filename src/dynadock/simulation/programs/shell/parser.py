"""Tokens to commands, one complete command line at a time, as a shell reads its scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from dynadock.simulation.programs.shell.lexer import (
    NAME,
    Lexer,
    ScriptError,
    Token,
    UnfinishedScript,
)
from dynadock.simulation.programs.shell.syntax import (
    Assignment,
    Background,
    Branch,
    Case,
    Either,
    For,
    Function,
    If,
    Pipeline,
    Redirected,
    Redirection,
    Sequence,
    Simple,
    Subshell,
    Text,
    While,
    Word,
)

if TYPE_CHECKING:
    from dynadock.simulation.programs.shell.syntax import Command

_RESERVED = "! { } case do done elif else esac fi for function if in then until while"
RESERVED = frozenset(_RESERVED.split())
_REDIRECTIONS = frozenset({"<", ">", ">>", "<<", "<<-", "<&", ">&", "&>", "<>", ">|"})
_ENDS = frozenset({"}", "do", "done", "elif", "else", "esac", "fi", "then"})


class Parser:
    """Reads the commands of a script's text one by one."""

    def __init__(self, text: str, *, is_whole: bool = True) -> None:
        self._lexer = Lexer(text, _commands_of, is_whole=is_whole)

    @property
    def position(self) -> int:
        """How many characters have been read."""
        return self._lexer.position

    @property
    def line(self) -> int:
        """The line that has been reached."""
        return self._lexer.line

    def next_commands(self) -> Command | None:
        """Return the next line's commands, or None at the end of the text.

        Raises:
            UnfinishedScript: The text ends too early.
            ScriptError: Something stands where it must not.

        """
        while self._lexer.peek().kind == "newline":
            self._lexer.take()
        if self._lexer.peek().kind == "end":
            return None
        return _Grammar(self._lexer).line()


def _commands_of(lexer: Lexer, end: str) -> Command | None:
    """Parse a substitution's commands up to ``end``, which is taken too."""
    grammar = _Grammar(lexer)
    commands = grammar.commands()
    if end:
        grammar.expect_operator(end)
    elif lexer.peek().kind != "end":
        grammar.refuse()
    return commands


class _Grammar:
    def __init__(self, lexer: Lexer) -> None:
        self._lexer = lexer

    def line(self) -> Command:
        """Read commands up to the end of the line."""
        found = []
        while True:
            found.append(self._terminated())
            token = self._lexer.peek()
            if token.kind in {"newline", "end"}:
                if token.kind == "newline":
                    self._lexer.take()
                return found[0] if len(found) == 1 else Sequence(tuple(found))

    def commands(self) -> Command | None:
        """Read commands up to something that cannot begin one."""
        found = []
        while True:
            self._skip_newlines()
            if self._is_at_end():
                break
            found.append(self._terminated(in_list=True))
            if self._lexer.peek().kind != "newline" and not self._was_terminated:
                break
        if not found:
            return None
        return found[0] if len(found) == 1 else Sequence(tuple(found))

    def expect_operator(self, operator: str) -> None:
        if self._lexer.peek()[:2] != ("operator", operator):
            self.refuse(operator)
        self._lexer.take()

    def refuse(self, expected: str = "") -> NoReturn:
        """Say what stands here, and what should.

        Raises:
            ScriptError: Always.

        """
        token = self._lexer.peek()
        what = _name_of(token)
        behind = f' (expecting "{expected}")' if expected else ""
        error = UnfinishedScript if token.kind == "end" else ScriptError
        raise error(f"syntax error: unexpected {what}{behind}")

    def _terminated(self, *, in_list: bool = False) -> Command:
        """Read one and-or list with the separator behind it."""
        command = self._either()
        token = self._lexer.peek()
        self._was_terminated = token.kind == "operator" and token.text in {";", "&"}
        if self._was_terminated:
            self._lexer.take()
            if token.text == "&":
                command = Background(command)
        elif token.kind not in {"newline", "end"} and not in_list:
            self.refuse()
        return command

    def _is_at_end(self) -> bool:
        token = self._lexer.peek()
        if token.kind == "operator":
            return token.text in {")", ";;"}
        return token.kind == "end" or self._reserved() in _ENDS

    def _reserved(self) -> str | None:
        token = self._lexer.peek()
        plain = token.word.plain if token.word and token.kind == "word" else None
        return plain if plain in RESERVED else None

    def _skip_newlines(self) -> None:
        while self._lexer.peek().kind == "newline":
            self._lexer.take()

    def _either(self) -> Command:
        first = self._pipeline()
        rest = []
        while self._lexer.peek()[:2] in {("operator", "&&"), ("operator", "||")}:
            operator = self._lexer.take().text
            self._skip_newlines()
            rest.append((operator, self._pipeline()))
        return Either(first, tuple(rest)) if rest else first

    def _pipeline(self) -> Command:
        is_negated = False
        while self._reserved() == "!":
            self._lexer.take()
            is_negated = not is_negated
        commands = [self._command()]
        while self._lexer.peek()[:2] == ("operator", "|"):
            self._lexer.take()
            self._skip_newlines()
            commands.append(self._command())
        if len(commands) == 1 and not is_negated:
            return commands[0]
        return Pipeline(tuple(commands), is_negated)

    def _command(self) -> Command:
        self._lexer.deeper()
        reserved = self._reserved()
        if self._lexer.peek()[:2] == ("operator", "("):
            command = self._redirected(self._subshell())
        elif reserved in _COMPOUND:
            self._lexer.take()
            command = self._redirected(_COMPOUND[reserved](self))
        elif reserved == "function":
            self._lexer.take()
            command = self._named_function()
        elif reserved in _ENDS:
            self.refuse()
        else:
            command = self._simple()
        self._lexer.depth -= 1
        return command

    def _redirected(self, command: Command) -> Command:
        redirections = []
        while self._is_redirection():
            redirections.append(self._redirection())
        return Redirected(command, tuple(redirections)) if redirections else command

    def _is_redirection(self) -> bool:
        token = self._lexer.peek()
        return token.kind == "number" or (token.kind == "operator" and token.text in _REDIRECTIONS)

    def _redirection(self) -> Redirection:
        token = self._lexer.take()
        number = None
        if token.kind == "number":
            number = min(int(token.text[:9]), 1 << 20)
            token = self._lexer.take()
        target = self._lexer.peek()
        if target.kind not in {"word", "number"} or target.word is None:
            self.refuse()
        self._lexer.take()
        operator = token.text
        default = 0 if operator[0] == "<" else 1
        redirection = Redirection(default if number is None else number, operator, target.word)
        if operator in {"<<", "<<-"}:
            self._lexer.expect_document(redirection, target.word, strip=operator == "<<-")
        return redirection

    def _simple(self) -> Command:
        assignments: list[Assignment] = []
        words: list[Word] = []
        redirections: list[Redirection] = []
        line = self._lexer.peek().line
        while True:
            token = self._lexer.peek()
            if words and words[0].plain == "[[" and words[-1].plain != "]]":
                if token.kind in {"newline", "end"}:
                    break
                self._lexer.take()
                words.append(token.word or Word((Text(token.text, quoted=True),)))
            elif self._is_redirection():
                redirections.append(self._redirection())
            elif token.kind == "word" and token.word is not None:
                self._lexer.take()
                assignment = None if words else _assignment(token.word)
                if assignment:
                    assignments.append(assignment)
                elif self._is_function_head(words or assignments or redirections):
                    return self._function(token.word.plain)
                else:
                    words.append(token.word)
            else:
                break
        if not (words or assignments or redirections):
            self.refuse()
        return Simple(tuple(assignments), tuple(words), tuple(redirections), line)

    def _is_function_head(self, before: object) -> bool:
        return not before and self._lexer.peek()[:2] == ("operator", "(")

    def _function(self, name: str | None) -> Command:
        self.expect_operator("(")
        if self._lexer.peek().kind == "word":
            raise ScriptError('syntax error: unexpected word (expecting ")")')
        self.expect_operator(")")
        if name is None or not NAME.fullmatch(name):
            raise ScriptError("syntax error: bad function name")
        self._skip_newlines()
        return Function(name, self._command())

    def _named_function(self) -> Command:
        token = self._lexer.take()
        name = token.word.plain if token.word else None
        if self._lexer.peek()[:2] == ("operator", "("):
            return self._function(name)
        if name is None or not NAME.fullmatch(name):
            raise ScriptError("syntax error: bad function name")
        self._skip_newlines()
        return Function(name, self._command())

    def _subshell(self) -> Command:
        self._lexer.take()
        body = self._body_before(")")
        self.expect_operator(")")
        return Subshell(body)

    def _body(self, *ends: str) -> Command:
        """Read a list that ends with one of the reserved words, which stays."""
        body = self._body_before(ends[0])
        if self._reserved() not in ends:
            self.refuse(ends[0])
        return body

    def _body_before(self, expected: str) -> Command:
        body = self.commands()
        if body is None:
            self.refuse(expected if self._lexer.peek().kind == "end" else "")
        return body

    def _expect(self, reserved: str) -> None:
        if self._reserved() != reserved:
            self.refuse(reserved)
        self._lexer.take()

    def _group(self) -> Command:
        body = self._body("}")
        self._lexer.take()
        return body if isinstance(body, Sequence) else Sequence((body,))

    def _if(self) -> Command:
        cases = []
        ending = "elif"
        while ending == "elif":
            condition = self._body("then")
            self._lexer.take()
            cases.append((condition, self._body("fi", "elif", "else")))
            ending = self._lexer.take().text
        otherwise: Command | None = None
        if ending == "else":
            otherwise = self._body("fi")
            self._lexer.take()
        return If(tuple(cases), otherwise)

    def _while(self) -> Command:
        return self._loop(until=False)

    def _until(self) -> Command:
        return self._loop(until=True)

    def _loop(self, *, until: bool) -> Command:
        condition = self._body("do")
        self._lexer.take()
        body = self._body("done")
        self._lexer.take()
        return While(condition, body, until)

    def _for(self) -> Command:
        token = self._lexer.peek()
        name = token.word.plain if token.word and token.kind == "word" else None
        if name is None or not NAME.fullmatch(name):
            raise ScriptError("syntax error: bad for loop variable")
        self._lexer.take()
        words = None
        self._skip_newlines()
        if self._reserved() == "in":
            self._lexer.take()
            words = []
            while (token := self._lexer.peek()).kind in {"word", "number"} and token.word:
                words.append(self._lexer.take().word)
            if (token.kind == "operator" and token.text != ";") or token.kind == "end":
                self.refuse()
            self._lexer.take()
        elif self._lexer.peek()[:2] == ("operator", ";"):
            self._lexer.take()
        self._skip_newlines()
        self._expect("do")
        body = self._body("done")
        self._lexer.take()
        return For(name, None if words is None else tuple(w for w in words if w), body)

    def _case(self) -> Command:
        token = self._lexer.peek()
        if token.kind not in {"word", "number"} or token.word is None:
            self.refuse()
        word = self._lexer.take().word
        assert word is not None
        self._skip_newlines()
        self._expect("in")
        branches = []
        self._skip_newlines()
        while self._reserved() != "esac":
            branches.append(self._branch())
            self._skip_newlines()
        self._lexer.take()
        return Case(word, tuple(branches))

    def _branch(self) -> Branch:
        if self._lexer.peek()[:2] == ("operator", "("):
            self._lexer.take()
        patterns = []
        while True:
            token = self._lexer.peek()
            if token.kind not in {"word", "number"} or token.word is None:
                self.refuse(")" if token.kind == "end" else "")
            patterns.append(token.word)
            self._lexer.take()
            if self._lexer.peek()[:2] != ("operator", "|"):
                break
            self._lexer.take()
        self.expect_operator(")")
        body = self.commands()
        if self._lexer.peek()[:2] == ("operator", ";;"):
            self._lexer.take()
        elif self._reserved() != "esac":
            self.refuse(";;")
        return Branch(tuple(patterns), body)


_COMPOUND = {
    "{": _Grammar._group,  # noqa: SLF001
    "if": _Grammar._if,  # noqa: SLF001
    "while": _Grammar._while,  # noqa: SLF001
    "until": _Grammar._until,  # noqa: SLF001
    "for": _Grammar._for,  # noqa: SLF001
    "case": _Grammar._case,  # noqa: SLF001
}


def _assignment(word: Word) -> Assignment | None:
    first = word.parts[0] if word.parts else None
    if not isinstance(first, Text) or first.quoted:
        return None
    name, equals, rest = first.text.partition("=")
    if not equals or not NAME.fullmatch(name):
        return None
    value = ((Text(rest),) if rest else ()) + word.parts[1:]
    return Assignment(name, Word(value))


def _name_of(token: Token) -> str:
    if token.kind == "end":
        return "end of file"
    if token.kind == "newline":
        return "newline"
    if token.kind == "number" or (token.kind == "operator" and token.text[0] in "<>"):
        return "redirection"
    if token.kind == "operator":
        return f'"{token.text}"'
    plain = token.word.plain if token.word else None
    return f'"{plain}"' if plain in RESERVED and plain != "in" else "word"
