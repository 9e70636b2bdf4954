"""Documents' patterns: which of them may be run here, and how Python writes them.

Patterns are those of ECMA 262 (Swagger 2.0, "pattern"), and a document may be anybody's: with
Python's matcher, which tries one way after another, a short pattern can take for ever on a short
text. So a pattern is run only if it can be read here and

- has no back-reference,
- no unbounded repeat stands inside another or beside one,
- wherever there is a choice (`|`, a repeat that may go on or end) the next character decides, so
  that no other way is left to be tried with success,
- and, unless it begins with ``^``, it is sure to match or to fail within `SHORT` characters, as
  it is tried at each place of a text.

Then the time is linear in the text. All others are left to the engine.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import inf
from typing import NamedTuple, NoReturn

LONGEST = 250
"""Characters of a pattern that is looked at; those of published documents have some 40."""

LONG = 1000
"""A repeat of more than so many times is as good as unbounded."""

SHORT = 100
"""Characters that a pattern may take at each place of a text, to fail then."""

_DEEPEST = 20
"""Groups inside each other."""


class Pattern(NamedTuple):
    """What becomes of a pattern: the expression to run, or None and the reason why it is not."""

    expression: re.Pattern[str] | None
    reason: str = ""

    def fits(self, text: str) -> bool:
        """Tell whether a text matches, as far as that is checked here."""
        return self.expression is None or self.expression.search(text) is not None


@lru_cache(maxsize=1024)
def read_pattern(pattern: str) -> Pattern:
    """Decide about a document's pattern."""
    if len(pattern) > LONGEST:
        return Pattern(None, f"it has more than {LONGEST} characters")
    try:
        reader = _Reader(pattern)
        reader.check()
        return Pattern(re.compile(reader.in_python()))
    except _NotRunError as error:
        return Pattern(None, str(error))
    except (re.error, OverflowError):
        return Pattern(None, "it cannot be read here")


class _NotRunError(Exception):
    """Why a pattern is not run."""


# A set of characters is a number with a bit for each of ASCII, and one for all others together.
# So two sets may look as if they met where they do not, but never the other way round.
_ASCII = 128
_OTHERS = 1 << _ASCII
_ALL = (_OTHERS << 1) - 1


def _set_of(characters: str) -> int:
    mask = 0
    for character in characters:
        mask |= 1 << min(ord(character), _ASCII)
    return mask


def _range(first: str, last: str) -> int:
    low, high = (min(ord(each), _ASCII) for each in (first, last))
    return (1 << high + 1) - (1 << low)


def _inverse(mask: int) -> int:
    """Return the other characters; beyond ASCII some may be in both."""
    return _ALL & ~mask | _OTHERS


_DIGITS = _range("0", "9") | _OTHERS
_WORDS = _DIGITS | _range("a", "z") | _range("A", "Z") | _set_of("_")
_SPACES = _set_of("\t\n\v\f\r\x1c\x1d\x1e\x1f ") | _OTHERS
_SETS = {"d": _DIGITS, "w": _WORDS, "s": _SPACES}
_SETS |= {letter.upper(): _inverse(mask) for letter, mask in _SETS.items()}
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "0": "\0"}
_HEXADECIMAL = {"x": 2, "u": 4}


class _Part(NamedTuple):
    """What is known of a part of a pattern.

    ``first`` are the characters that it may begin with, ``more`` those with which it may go on
    where it might as well end; ``empty`` tells that it may match nothing, ``anchored`` that it
    matches at the beginning of a text only. ``longest`` is how many characters it may match,
    ``undecided`` how many it may take until it is sure to match, if nothing follows. ``open`` tells
    of an unbounded repeat in it, ``opens`` and ``closes`` of one at its beginning and its end.
    """

    first: int = 0
    more: int = 0
    empty: bool = False
    anchored: bool = False
    longest: float = 1
    undecided: float = 1
    open: bool = False
    opens: bool = False
    closes: bool = False


_NOTHING = _Part(empty=True, longest=0, undecided=0)
# An end is sure only once it has been seen: what stands before it may all be in vain.
_END = _NOTHING._replace(undecided=1)
_BEGINNING = _END._replace(anchored=True)


def _sequence(one: _Part, other: _Part) -> _Part:
    _check_joint(one, other)
    return _Part(
        first=one.first | (other.first if one.empty else 0),
        more=other.more | (one.more if other.empty else 0),
        empty=one.empty and other.empty,
        anchored=one.anchored,
        longest=one.longest + other.longest,
        undecided=one.longest + other.undecided if other.undecided else one.undecided,
        open=one.open or other.open,
        opens=one.opens or (one.empty and other.opens),
        closes=other.closes or (other.empty and one.closes),
    )


def _check_joint(one: _Part, other: _Part) -> None:
    if one.closes and other.opens:
        raise _NotRunError("two unbounded repeats stand beside each other")
    if one.more & other.first:
        raise _NotRunError(_AMBIGUOUS)


_AMBIGUOUS = "several ways may have to be tried"


def _choice(one: _Part, other: _Part) -> _Part:
    if one.first & other.first or (one.empty and other.empty):
        raise _NotRunError(_AMBIGUOUS)
    skipped = (other.first if one.empty else 0) | (one.first if other.empty else 0)
    return _Part(
        first=one.first | other.first,
        more=one.more | other.more | skipped,
        empty=one.empty or other.empty,
        anchored=one.anchored and other.anchored,
        longest=max(one.longest, other.longest),
        undecided=max(one.undecided, other.undecided),
        open=one.open or other.open,
        opens=one.opens or other.opens,
        closes=one.closes or other.closes,
    )


def _repeat(body: _Part, least: int, most: float) -> _Part:
    is_open = most > LONG
    if is_open and body.open:
        raise _NotRunError("an unbounded repeat stands inside another")
    if body.empty:
        raise _NotRunError(_AMBIGUOUS)
    if most > 1:
        _check_joint(body, body)
    return _Part(
        first=body.first,
        more=body.more | (body.first if least != most else 0),
        empty=least == 0,
        longest=_times(most, body.longest),
        # All but the last of those that there must be are to be gone through.
        undecided=_times(least - 1, body.longest) + body.undecided if least else 0,
        open=is_open or body.open,
        opens=is_open or body.opens,
        closes=is_open or body.closes,
    )


def _times(count: float, longest: float) -> float:
    # Nothing of what is unbounded is nothing: Python has no number for that.
    return count * longest if count else 0


class _Reader:
    """Reads a pattern from its beginning to its end, once."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._place = 0
        self._ends: list[int] = []

    def check(self) -> None:
        """Raise _NotRunError unless the pattern may be run."""
        whole = self._alternatives(0)
        if self._peek():
            raise _NotRunError("a ) is too many")
        if not whole.anchored and whole.undecided > SHORT:
            raise _NotRunError("it may begin anywhere and be long")

    def in_python(self) -> str:
        r"""Return the pattern for Python, whose ``$`` would pass a line break; ``\Z`` does not."""
        pieces, before = [], 0
        for end in self._ends:
            pieces += [self._pattern[before:end], r"\Z"]
            before = end + 1
        return "".join([*pieces, self._pattern[before:]])

    def _peek(self, length: int = 1) -> str:
        return self._pattern[self._place : self._place + length]

    def _take(self, length: int = 1) -> str:
        taken = self._peek(length)
        if len(taken) < length:
            raise _NotRunError("it is unfinished")
        self._place += length
        return taken

    def _refuse(self, what: str) -> NoReturn:
        raise _NotRunError(f"not all dialects have {what}")

    def _alternatives(self, depth: int) -> _Part:
        if depth > _DEEPEST:
            raise _NotRunError(f"it is nested deeper than {_DEEPEST} levels")
        part = self._sequence(depth)
        while self._peek() == "|":
            self._take()
            part = _choice(part, self._sequence(depth))
        return part

    def _sequence(self, depth: int) -> _Part:
        part: _Part | None = None
        while self._peek() not in ("", "|", ")"):
            item = self._repeated(self._atom(depth))
            part = item if part is None else _sequence(part, item)
        return part or _NOTHING

    def _atom(self, depth: int) -> _Part:
        character = self._take()
        if character == "(":
            return self._group(depth)
        if character == "[":
            return _Part(self._class())
        if character == "\\":
            return self._escaped()
        if character == "^":
            return _BEGINNING
        if character == "$":
            self._ends.append(self._place - 1)
            return _END
        if character in "*+?":
            raise _NotRunError(f"there is nothing that {character} repeats")
        return _Part(_inverse(_set_of("\n")) if character == "." else _set_of(character))

    def _group(self, depth: int) -> _Part:
        if self._peek() == "?":
            kind = self._take(2)
            if kind != "?:":
                self._refuse(f"({kind}")
        part = self._alternatives(depth + 1)
        self._take()
        return part

    def _escaped(self) -> _Part:
        if self._peek() in ("b", "B"):
            self._take()
            return _END
        return _Part(self._escape()[0])

    def _escape(self) -> tuple[int, str]:
        """Return what an escape stands for as a set, and as a character unless it is a set."""
        letter = self._take()
        if letter in _SETS:
            return _SETS[letter], ""
        if letter in _HEXADECIMAL:
            digits = self._take(_HEXADECIMAL[letter])
            if not re.fullmatch("[0-9A-Fa-f]+", digits) or digits[:2] in _SURROGATES:
                self._refuse(f"\\{letter}{digits}")
            character = chr(int(digits, 16))
        elif letter == "k" or letter in "123456789":
            raise _NotRunError("it has a back-reference")
        elif letter in _CONTROLS and not (letter == "0" and self._peek().isdecimal()):
            character = _CONTROLS[letter]
        elif letter.isalnum():
            self._refuse(f"\\{letter}")
        else:
            character = letter
        return _set_of(character), character

    def _class(self) -> int:
        inverted = self._peek() == "^"
        if inverted:
            self._take()
        if self._peek() == "]":
            self._refuse("an empty [...]")
        mask = 0
        while self._peek() != "]":
            mask |= self._member()
        self._take()
        return _inverse(mask) if inverted else mask

    def _member(self) -> int:
        mask, first = self._one()
        if self._peek() != "-" or self._peek(2) == "-]":
            return mask
        self._take()
        _, last = self._one()
        if not first or not last or last < first:
            self._refuse("such a range")
        return _range(first, last)

    def _one(self) -> tuple[int, str]:
        # Python warns of these: it may take them for operators on sets one day.
        if self._peek() == "[" or self._peek(2) in ("--", "&&", "||", "~~"):
            self._refuse(f"{self._peek(2)} inside [...]")
        character = self._take()
        if character != "\\":
            return _set_of(character), character
        if self._peek() == "b":
            self._take()
            return _set_of("\b"), "\b"
        return self._escape()

    def _repeated(self, part: _Part) -> _Part:
        bounds = self._bounds()
        if bounds is None:
            return part
        if self._peek() == "?":
            self._take()
        if self._peek() and (self._peek() in "*+?" or self._bounds() is not None):
            self._refuse("a repeat of a repeat")
        return _repeat(part, *bounds)

    def _bounds(self) -> tuple[int, float] | None:
        character = self._peek()
        if character and character in _REPEATS:
            self._take()
            return _REPEATS[character]
        found = _COUNTS.match(self._pattern, self._place)
        if found is None:
            return None
        self._place = found.end()
        least, comma, most = found.groups()
        if not least:
            self._refuse(found[0])
        if not comma:
            return int(least), int(least)
        return int(least), int(most) if most else inf


_REPEATS: dict[str, tuple[int, float]] = {"*": (0, inf), "+": (1, inf), "?": (0, 1)}
_COUNTS = re.compile(r"\{([0-9]*)(?:(,)([0-9]*))?\}(?<!\{\})")
_SURROGATES = {f"{letter}{digit}" for letter in "dD" for digit in "89abcdefABCDEF"}
