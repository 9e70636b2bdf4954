"""Programs of awk to rules and expressions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from dynadock.simulation.programs.shell.printing import Stopped, unescaped

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_NESTED = 30
_TOKEN = re.compile(
    r"(?P<blank>[ \t\r]+|\\\n|#[^\n]*)|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<text>\"(?:[^\"\\]|\\.)*\")|(?P<function>[A-Za-z_]\w*(?=\())|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<operator>\+\+|--|&&|\|\||[-+*/%^=!<>]=|!~|>>|[-+*/%^=!<>~?:$(){}\[\],;|\n])",
    re.DOTALL,
)
_REGEX = re.compile(r"/((?:[^/\\\n\[]|\\.|\[\^?\]?[^\]\n]*\])*)/")
_WORDS = """
BEGIN END if else while for do in print printf next exit break continue delete function
getline return
"""
_KEYWORDS = frozenset(_WORDS.split())
_BUILT_IN = {
    "length": (0, 1),
    "substr": (2, 3),
    "index": (2, 2),
    "split": (2, 3),
    "sub": (2, 3),
    "gsub": (2, 3),
    "match": (2, 2),
    "sprintf": (1, 99),
    "toupper": (1, 1),
    "tolower": (1, 1),
    "int": (1, 1),
    "sqrt": (1, 1),
    "exp": (1, 1),
    "log": (1, 1),
    "sin": (1, 1),
    "cos": (1, 1),
    "rand": (0, 0),
    "srand": (0, 1),
    "systime": (0, 0),
}
_COMPARING = frozenset({"<", "<=", "==", "!=", ">", ">="})
_ASSIGNING = frozenset({"=", "+=", "-=", "*=", "/=", "%=", "^="})
_LEVELS = (frozenset({"+", "-"}), frozenset({"*", "/", "%"}))


class AwkFailure(Exception):
    """What is wrong with a program, in awk's words."""


class _Token(NamedTuple):
    kind: str
    text: str


@dataclass(eq=False, repr=False, match_args=False)
class Expression:
    """An expression or a statement: what it does, with what."""

    kind: str
    parts: tuple[Expression, ...] = ()
    name: str = ""
    number: float = 0.0


@dataclass(eq=False, repr=False, match_args=False)
class Rule:
    """``first, last { body }``; no body prints the record."""

    kind: str
    first: Expression | None
    last: Expression | None
    body: Expression | None


def parse(source: str) -> list[Rule]:
    """Return a program's rules.

    Raises:
        AwkFailure: It is none.

    """
    return _Parser(source).rules()


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._depth = 0
        self._no_in = False
        self._token = self._read(after_value=False)

    # Tokens

    def _read(self, *, after_value: bool) -> _Token:
        while self._at < len(self._source):
            if self._source[self._at] == "/" and not after_value:
                found = _REGEX.match(self._source, self._at)
                if not found:
                    raise AwkFailure("Unexpected end of string")
                self._at = found.end()
                return _Token("regex", found[1].replace("\\/", "/"))
            match = _TOKEN.match(self._source, self._at)
            if not match or match.lastgroup is None:
                raise AwkFailure("Unexpected token")
            self._at = match.end()
            if match.lastgroup == "blank":
                continue
            word = match[0]
            if match.lastgroup in {"name", "function"} and word in _KEYWORDS:
                return _Token("keyword", word)
            return _Token(match.lastgroup, word)
        return _Token("end", "")

    def _take(self) -> _Token:
        token = self._token
        ends_value = token.kind in {"number", "text", "name", "regex"} or token.text in {
            ")",
            "]",
            "$",
        }
        self._token = self._read(after_value=ends_value and token.text != "$")
        return token

    def _is(self, *texts: str) -> bool:
        return self._token.kind in {"operator", "keyword"} and self._token.text in texts

    def _expect(self, text: str) -> None:
        if not self._is(text):
            self._refuse()
        self._take()

    def _refuse(self) -> NoReturn:
        raise AwkFailure(
            "Unexpected end of string" if self._token.kind == "end" else "Unexpected token"
        )

    def _skip(self, *texts: str) -> None:
        while self._is(*texts):
            self._take()

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _MOST_NESTED:
            raise AwkFailure("Too deep")

    # Rules and statements

    def rules(self) -> list[Rule]:
        found = []
        self._skip("\n", ";")
        while self._token.kind != "end":
            found.append(self._rule())
            self._skip("\n", ";")
        return found

    def _rule(self) -> Rule:
        if self._is("BEGIN", "END"):
            kind = self._take().text
            return Rule(kind, None, None, self._block())
        first = last = None
        if not self._is("{"):
            first = self._expression()
            if self._is(","):
                self._take()
                last = self._expression()
        return Rule("", first, last, self._block() if self._is("{") else None)

    def _block(self) -> Expression:
        self._deeper()
        self._expect("{")
        found = []
        self._skip("\n", ";")
        while not self._is("}"):
            found.append(self._statement())
            self._skip("\n", ";")
        self._take()
        self._depth -= 1
        return Expression("block", tuple(found))

    def _inner(self) -> Expression:
        """Read the statement of an if or a loop, which may be empty."""
        self._skip("\n")
        if self._is(";"):
            self._take()
            return Expression("block")
        return self._statement()

    def _statement(self) -> Expression:
        if self._is("{"):
            return self._block()
        if self._token.kind != "keyword":
            return self._ended(self._expression())
        self._deeper()
        word = self._take().text
        reader = {
            "if": self._if,
            "while": self._while,
            "do": self._do,
            "for": self._for,
            "print": self._print,
            "printf": self._print,
        }.get(word)
        if reader is not None:
            found = reader(word)
        elif word in {"next", "break", "continue"}:
            found = self._ended(Expression(word))
        elif word == "exit":
            has_status = not self._is(";", "\n", "}") and self._token.kind != "end"
            found = self._ended(Expression("exit", (self._expression(),) if has_status else ()))
        elif word == "delete":
            name = self._take().text
            parts = self._subscript() if self._is("[") else ()
            found = self._ended(Expression("delete", parts, name))
        else:
            self._refuse()
        self._depth -= 1
        return found

    def _ended(self, statement: Expression) -> Expression:
        if self._is(";", "\n"):
            self._take()
        elif not self._is("}") and self._token.kind != "end":
            self._refuse()
        return statement

    def _condition(self) -> Expression:
        self._expect("(")
        condition = self._expression()
        self._expect(")")
        return condition

    def _if(self, _word: str) -> Expression:
        condition = self._condition()
        then = self._inner()
        self._skip("\n", ";") if self._is_else_next() else None
        if self._is("else"):
            self._take()
            return Expression("if", (condition, then, self._inner()))
        return Expression("if", (condition, then))

    def _is_else_next(self) -> bool:
        return re.compile(r"[\s;]*else\b").match(self._source, self._at) is not None

    def _while(self, word: str) -> Expression:
        return Expression(word, (self._condition(), self._inner()))

    def _do(self, word: str) -> Expression:
        body = self._inner()
        self._skip("\n", ";")
        self._expect("while")
        return self._ended(Expression(word, (self._condition(), body)))

    def _for(self, word: str) -> Expression:
        self._expect("(")
        if re.compile(r"\s*in\s+\w+\s*\)").match(self._source, self._at):
            variable = Expression("variable", name=self._take().text)
            self._take()
            name = self._take().text
            self._expect(")")
            return Expression("in-loop", (variable, self._inner()), name)
        nothing = Expression("block")
        begin = nothing if self._is(";") else self._expression()
        self._expect(";")
        condition = Expression("number", number=1.0) if self._is(";") else self._expression()
        self._expect(";")
        step = nothing if self._is(")") else self._expression()
        self._expect(")")
        return Expression(word, (begin, condition, step, self._inner()))

    def _print(self, word: str) -> Expression:
        parts: list[Expression] = []
        if not self._is(";", "\n", "}") and self._token.kind != "end":
            parts.append(self._expression())
            while self._is(","):
                self._take()
                parts.append(self._expression())
        if len(parts) == 1 and parts[0].kind == "group":
            parts = [*parts[0].parts]
        if self._is(">", ">>", "|"):
            raise AwkFailure("output to files is not supported")
        if word == "printf" and not parts:
            self._refuse()
        return self._ended(Expression(word, tuple(parts)))

    # Expressions

    def _expression(self) -> Expression:
        self._deeper()
        found = self._assignment()
        self._depth -= 1
        return found

    def _assignment(self) -> Expression:
        left = self._choice()
        if self._token.kind == "operator" and self._token.text in _ASSIGNING:
            if left.kind not in {"variable", "field", "element"}:
                self._refuse()
            operator = self._take().text
            self._skip("\n")
            return Expression("assign", (left, self._expression()), operator)
        return left

    def _choice(self) -> Expression:
        condition = self._or()
        if not self._is("?"):
            return condition
        self._take()
        first = self._expression()
        self._expect(":")
        return Expression("?", (condition, first, self._expression()))

    def _or(self) -> Expression:
        left = self._and()
        while self._is("||"):
            self._take()
            self._skip("\n")
            left = Expression("||", (left, self._and()))
        return left

    def _and(self) -> Expression:
        left = self._membership()
        while self._is("&&"):
            self._take()
            self._skip("\n")
            left = Expression("&&", (left, self._membership()))
        return left

    def _membership(self) -> Expression:
        left = self._matching()
        while self._is("in"):
            self._take()
            parts = left.parts if left.kind == "group" else (left,)
            left = Expression("in", parts, self._take().text)
        return left

    def _matching(self) -> Expression:
        left = self._comparison()
        while self._is("~", "!~"):
            operator = self._take().text
            left = Expression(operator, (left, self._comparison()))
        return left

    def _comparison(self) -> Expression:
        left = self._concatenation()
        if self._token.kind == "operator" and self._token.text in _COMPARING:
            operator = self._take().text
            return Expression(operator, (left, self._concatenation()))
        return left

    def _concatenation(self) -> Expression:
        parts = [self._binary(0)]
        while self._begins_value():
            parts.append(self._binary(0))
        return parts[0] if len(parts) == 1 else Expression("concat", tuple(parts))

    def _begins_value(self) -> bool:
        return self._token.kind in {"number", "text", "name", "function"} or self._is(
            "$", "(", "!", "++", "--"
        )

    def _binary(self, level: int) -> Expression:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._token.kind == "operator" and self._token.text in _LEVELS[level]:
            operator = self._take().text
            left = Expression(operator, (left, self._binary(level + 1)))
        return left

    def _unary(self) -> Expression:
        if self._is("!", "-", "+"):
            self._deeper()
            operator = self._take().text
            inner = self._unary()
            self._depth -= 1
            return Expression({"-": "negative", "+": "positive"}.get(operator, "!"), (inner,))
        return self._power()

    def _power(self) -> Expression:
        base = self._stepped()
        if self._is("^"):
            self._deeper()
            self._take()
            exponent = self._unary()
            self._depth -= 1
            return Expression("^", (base, exponent))
        return base

    def _stepped(self) -> Expression:
        if self._is("++", "--"):
            operator = self._take().text
            return Expression("pre", (self._target(),), operator)
        value = self._primary()
        if self._is("++", "--") and value.kind in {"variable", "field", "element"}:
            return Expression("post", (value,), self._take().text)
        return value

    def _target(self) -> Expression:
        target = self._primary()
        if target.kind not in {"variable", "field", "element"}:
            self._refuse()
        return target

    def _primary(self) -> Expression:
        word = self._token.text
        reader: dict[str, Callable[[str], Expression]] = {
            "number": lambda word: Expression("number", number=float(word[:300])),
            "text": lambda word: Expression("text", name=_unquoted(word)),
            "regex": lambda word: Expression("regex", name=word),
            "name": self._variable,
        }
        found = reader.get(self._token.kind)
        if found is not None:
            self._take()
            return found(word)
        if self._token.kind == "function":
            return self._call()
        if self._is("("):
            return self._group()
        if not self._is("$"):
            self._refuse()
        self._deeper()
        self._take()
        inner = self._stepped()
        self._depth -= 1
        return Expression("field", (inner,))

    def _variable(self, name: str) -> Expression:
        if name == "length":
            return Expression("call", (), "length")
        if self._is("["):
            return Expression("element", self._subscript(), name)
        return Expression("variable", name=name)

    def _group(self) -> Expression:
        self._take()
        parts = [self._expression()]
        while self._is(","):
            self._take()
            parts.append(self._expression())
        self._expect(")")
        return parts[0] if len(parts) == 1 else Expression("group", tuple(parts))

    def _subscript(self) -> tuple[Expression, ...]:
        self._expect("[")
        parts = [self._expression()]
        while self._is(","):
            self._take()
            parts.append(self._expression())
        self._expect("]")
        return tuple(parts)

    def _call(self) -> Expression:
        name = self._take().text
        if name not in _BUILT_IN:
            raise AwkFailure("Call to undefined function")
        self._expect("(")
        parts: list[Expression] = []
        while not self._is(")"):
            parts.append(self._expression())
            if not self._is(")"):
                self._expect(",")
        self._take()
        fewest, most = _BUILT_IN[name]
        if not fewest <= len(parts) <= most:
            raise AwkFailure("Too few arguments" if len(parts) < fewest else "Too many arguments")
        return Expression("call", tuple(parts), name)


def _unquoted(literal: str) -> str:
    inside = literal[1:-1].replace('\\"', '"').replace("\\/", "/")
    try:
        return unescaped(inside)
    except Stopped as stopped:
        return stopped.text
