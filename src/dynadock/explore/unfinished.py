"""Code that is still being typed: where its cursor stands, without running any of it.

The text before the cursor is cut into tokens once, with a stack of the brackets that are open; then
it is looked at from the cursor outwards. What does not look like something that can be completed is
None: nothing here raises, and the time is linear in the text.
"""

from __future__ import annotations

import ast
import re
from keyword import iskeyword
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    Path = tuple[str | int, ...]
    """From a call to a value in its arguments: the argument's name or place, keys, indexes."""

# Compiled when somebody completes. A string that nothing ends is the text's last token, but for one
# on a line that goes on below, which is a mistake and taken for a lone quotation mark.
_PIECE = r"""
  (?P<space>   (?: [^\S\n] | \\\n )+ )
| (?P<comment> \#[^\n]* )
| (?P<string>  [rbuRBU]{0,2} (?: \"{3} (?:\\.|[^\\])*? \"{3} | '{3} (?:\\.|[^\\])*? '{3} ) )
| (?P<opened>  (?P<long_prefix> [rbufRBUF]{0,2} ) (?P<long_mark> \"{3} | '{3} ) .* )
| (?P<line>    [rbuRBU]{0,2} (?: \" (?:\\.|[^"\\\n])* \" | ' (?:\\.|[^'\\\n])* ' ) )
| (?P<begun>   (?P<prefix> [rbufRBUF]{0,2} ) (?P<mark> ["'] ) (?:\\.|[^\\\n])* \Z )
| (?P<name>    \w+ )
| (?P<other>   \*\* | . )
"""
_KINDS = {"line": "string", "opened": "begun"}
_OPENING = {"(": ")", "[": "]", "{": "}"}


class Token(NamedTuple):
    """A piece of code: ``kind`` is string, begun (a string that is open), name or other."""

    kind: str
    text: str
    start: int
    mark: str = ""

    @property
    def end(self) -> int:
        """Where the next one may begin."""
        return self.start + len(self.text)


class Unfinished(NamedTuple):
    """Where a cursor stands.

    ``start`` is where the fragment before it begins, ``mark`` the quotation mark around that, empty
    outside of strings. ``head`` is the expression that counts: what has the attribute, is called,
    gets a subscript, or is imported from, and ``kind`` says which: attribute, call, subscript,
    import. In a call ``path``
    leads to the place in its arguments, ``wants_name`` tells that a name belongs there (an
    argument's, a key's) and not a value, ``is_key`` that it is written as a key, and ``used`` has
    the names that are there already.
    """

    kind: str
    head: str
    start: int
    mark: str
    path: Path = ()
    wants_name: bool = False
    is_key: bool = False
    used: frozenset[str] = frozenset()


def unfinished(text: str) -> Unfinished | None:
    """Say where the end of ``text`` stands, None where nothing of ours can follow."""
    code = _Code(text)
    if code.ends_in_comment:
        return None
    last = code.tokens[-1] if code.tokens else Token("other", "", len(text))
    if last.kind == "begun":
        start = last.start + last.text.index(last.mark) + len(last.mark)
        return _inside(code, len(code.tokens) - 1, start, last.mark) if last.mark else None
    if last.kind != "name" or last.end < len(text):
        return _at_name(code, len(code.tokens), len(text))
    return _at_name(code, len(code.tokens) - 1, last.start) if last.text.isidentifier() else None


def _at_name(code: _Code, end: int, start: int) -> Unfinished | None:
    """Say where a name stands that begins at ``start``, or could, outside of strings."""
    if end > 1 and code.tokens[end - 1].text == ".":
        head = code.expression(end - 1)
        return Unfinished("attribute", head, start, "") if head else None
    module = code.imported_from(end)
    if module:
        return Unfinished("import", module, start, "")
    return _inside(code, end, start, "")


class _Code:
    """The tokens of the last statement, and which of their brackets belong together."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[Token] = []
        self.opened: list[int] = []
        self.partner: dict[int, int] = {}
        self.ends_in_comment = False
        for found in re.finditer(_PIECE, text, re.VERBOSE | re.DOTALL):
            kind = found.lastgroup or ""
            self.ends_in_comment = kind == "comment"
            if kind not in ("space", "comment"):
                self._add(_token(found, kind))

    def _add(self, token: Token) -> None:
        if token.text in ("\n", ";") and not self.opened:
            self.tokens.clear()
            self.partner.clear()
            return
        if token.text == "\n":
            return
        if token.text in _OPENING and token.kind == "other":
            self.opened.append(len(self.tokens))
        elif token.text in _OPENING.values() and self.opened:
            self.partner[len(self.tokens)] = self.opened.pop()
        self.tokens.append(token)

    def expression(self, end: int) -> str:
        """Return the expression of names, calls and subscripts that ends before a token."""
        at = end - 1
        while at >= 0:
            token = self.tokens[at]
            if at in self.partner:
                at = self.partner[at]
                if at == 0 or not self._is_operand(at - 1):
                    break
                at -= 1
            elif token.kind in ("name", "string") and not iskeyword(token.text):
                if at == 0 or self.tokens[at - 1].text != ".":
                    break
                at -= 2
            else:
                return ""
        return self.text[self.tokens[at].start : self.tokens[end - 1].end] if at >= 0 else ""

    def imported_from(self, end: int) -> str:
        """Return the module from which a name before a token is imported, "" if none is."""
        words = [token.text for token in self.tokens[:end]]
        if words[:1] != ["from"] or "import" not in words:
            return ""
        return "".join(words[1 : words.index("import")])

    def level(self, bracket: int, end: int) -> _Level:
        """Return what stands between an open bracket and a token."""
        *before, item = self._items(bracket, end)
        text = self.tokens[bracket].text
        is_behind = bracket > 0 and text != "{" and self._is_operand(bracket - 1)
        head = self.expression(bracket) if is_behind else ""
        if text == "(":
            kind = "keywords" if head == "dict" else "call" if is_behind else "group"
            kind = "list" if kind == "group" and before else kind
        else:
            kind = "dict" if text == "{" else "subscript" if is_behind else "list"
        return _Level(kind, head, before, item)

    def _is_operand(self, at: int) -> bool:
        """Tell whether a bracket behind a token calls it or is its subscript."""
        token = self.tokens[at]
        return at in self.partner or (token.kind == "name" and not iskeyword(token.text))

    def _items(self, bracket: int, end: int) -> list[list[Token]]:
        """Return what stands between a bracket and a token, cut at its commas.

        Of brackets inside there is the closing one alone.
        """
        level: list[Token] = []
        at = end - 1
        while at > bracket:
            level.append(self.tokens[at])
            at = self.partner.get(at, at) - 1
        items: list[list[Token]] = [[]]
        for token in reversed(level):
            if token.text == "," and token.kind == "other":
                items.append([])
            else:
                items[-1].append(token)
        return items


def _token(found: re.Match[str], kind: str) -> Token:
    prefix = found["long_prefix"] or found["prefix"] or ""
    mark = found["long_mark"] or found["mark"] or ""
    # In a string that is formatted braces mean something else, in one of bytes nothing is known.
    is_plain = not {*prefix.lower()} & {"f", "b"}
    return Token(_KINDS.get(kind, kind), found[0], found.start(), mark if is_plain else "")


class _Level(NamedTuple):
    """An open bracket: its kind, what it calls, its finished items, and the one of the cursor."""

    kind: str
    head: str
    before: list[list[Token]]
    item: list[Token]

    def wants_name(self, mark: str) -> bool:
        """Tell whether a fragment that is all of the item is a name: an argument's or a key's."""
        return not self.item and (self.kind == "dict" or (self.kind in _NAMED and not mark))

    def step(self, *, wants_name: bool) -> Path | None:
        """Return what leads from the bracket to the item; None where no value of ours stands."""
        words = [token.text for token in self.item]
        if wants_name or (words == ["**"] and self.kind in ("call", "dict")):
            return ()
        if not words:
            return {"call": (len(self.before),), "list": (0,), "group": ()}.get(self.kind)
        name = self._name(self.item)
        return None if name is None or len(words) > _NAME_AND_SIGN else (name,)

    def used(self) -> frozenset[str]:
        """Return the names of the finished items."""
        return frozenset(name for name in map(self._name, self.before) if name is not None)

    def _name(self, item: list[Token]) -> str | None:
        """Return the argument's name, or the key, that an item begins with."""
        if len(item) < _NAME_AND_SIGN:
            return None
        first, sign = item[0], item[1].text
        if self.kind in _NAMED and first.kind == "name" and sign == "=":
            return first.text
        if self.kind == "dict" and first.kind == "string" and sign == ":":
            return _text_of(first)
        return None


_NAMED = ("call", "keywords")
_NAME_AND_SIGN = 2


def _text_of(string: Token) -> str | None:
    try:
        value = ast.literal_eval(string.text)
    except (SyntaxError, ValueError):
        return None
    return value if isinstance(value, str) else None


def _inside(code: _Code, end: int, start: int, mark: str) -> Unfinished | None:
    """Say where in a call, or in a subscript, a fragment stands that begins at a token."""
    path: Path = ()
    found = None
    for bracket in reversed(code.opened):
        level = code.level(bracket, end)
        is_innermost = found is None
        if level.kind == "subscript":
            is_key = is_innermost and not level.before and not level.item
            return Unfinished("subscript", level.head, start, mark) if is_key else None
        wants_name = is_innermost and level.wants_name(mark)
        found = found or Unfinished(
            "call", "", start, mark, (), wants_name, level.kind == "dict", level.used()
        )
        step = level.step(wants_name=wants_name)
        if step is None:
            return None
        path = (*step, *path)
        if level.kind == "call":
            is_somewhere = level.head and (path or found.wants_name)
            return found._replace(head=level.head, path=path) if is_somewhere else None
        end = bracket - (level.kind == "keywords")
    return None
