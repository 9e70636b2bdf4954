r"""Patterns of paths, compared with a path all at once, in time that is linear in its length.

A pattern is a row of places, and a path is read one character at a time. Each character moves a
place that is held on to the next, leaves it where it is, or drops it: a nondeterministic automaton,
which unlike the regular expressions of ``re`` never goes back. The places of all patterns are the
bits of one number, so that a step is a handful of operations on numbers. What a step leads to is
remembered: after some paths most steps are looked up.

What the patterns mean stands in `ignore`.
"""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_MOST_KEPT = 16 * 1024 * 1024
"""Bytes, roughly, of steps that are remembered; then all are forgotten."""

_ENTRY_SIZE = 256
"""Bytes, roughly, that remembering takes beside the numbers."""

_ITEM = r"(?:\\.|[^\\\]\-])"
_RANGE = re.compile(rf"(?P<low>{_ITEM})(?:-(?P<high>{_ITEM}))?", re.DOTALL)
_TOKEN = re.compile(
    rf"(?P<folders>\*\*/?)|(?P<name>\*)|(?P<one>\?)|\\(?P<escaped>.)"
    rf"|\[(?P<outside>\^?+)(?P<class>(?:{_ITEM}(?:-{_ITEM})?)+)\]|(?P<plain>[^*?\[\]\\]+|.)",
    re.DOTALL,
)
_SPECIAL = re.compile(r"[*?\[\]\\]")

# Kinds of tokens.
_SIGNS, _ONE, _CLASS = "signs", "one", "class"  # these characters, any one, one of a class
_NAME, _FOLDERS, _REST = "name", "folders", "rest"  # text without a slash, "" or a/b/, any text


class _Token(NamedTuple):
    kind: str
    text: str = ""
    """The characters of signs."""
    ranges: tuple[tuple[str, str], ...] = ()
    """The characters of a class, by first and last."""
    outside: bool = False
    """Whether a class has all characters but these."""

    def fits(self, sign: str) -> bool:
        return any(low <= sign <= high for low, high in self.ranges) is not self.outside


def is_plain(text: str) -> bool:
    """Tell whether a pattern matches its own text and nothing else."""
    return not _SPECIAL.search(text)


def check(text: str) -> None:
    """Raise ValueError for a pattern that is malformed."""
    if not is_plain(text):
        for _ in _tokens(text):
            pass


class State:
    """What a text has led to: ``matched`` are the groups with a pattern that matches it whole."""

    __slots__ = ("matched", "places", "steps")

    def __init__(self, places: int, matched: tuple[int, ...]) -> None:
        self.places = places
        self.matched = matched
        self.steps: dict[str, State] = {}


class Patterns:
    """Groups of patterns; `after` reads a text from ``start``, or on from where another one ended.

    ValueError for a pattern that is malformed.
    """

    def __init__(self, groups: Sequence[Iterable[str]]) -> None:
        places = _Places(groups)
        self._places = places
        self._stay, self._stay_in_name = places.mask(places.stay), places.mask(places.stay_in_name)
        self._enter, self._skip = places.mask(places.enter), places.mask(places.skip)
        self._one, self._ends = places.mask(places.one), places.mask(places.ends)
        self._size = places.count // 8 + _ENTRY_SIZE
        self._forget()
        self.start = self._state(self._closed(places.mask(places.starts)))

    def after(self, state: State, text: str) -> State:
        """Return the state that ``text`` leads to from ``state``."""
        for sign in text:
            step = state.steps.get(sign)
            if step is None:
                if not state.places:
                    break
                step = self._step(state, sign)
            state = step
        return state

    def _step(self, state: State, sign: str) -> State:
        held = state.places
        moved = (held & self._moving(sign)) << 1 | held & self._stay
        if sign != "/":
            moved |= held & self._stay_in_name
        if self._kept > _MOST_KEPT:
            self._forget()
        self._kept += _ENTRY_SIZE
        step = state.steps[sign] = self._state(self._closed(moved))
        return step

    def _closed(self, places: int) -> int:
        """Add the places that are reached without a character, two steps at most one after another.

        Folders are left out as a whole, or entered; a name, and the rest, may be empty.
        """
        entered = places & self._enter
        places |= entered << 1 | entered << 2
        return places | (places & self._skip) << 1

    def _moving(self, sign: str) -> int:
        """Return the places that a character moves on from."""
        moving = self._by_sign.get(sign)
        if moving is None:
            moving = self._places.mask(self._places.of_sign(sign))
            if sign != "/":
                moving |= self._one
            self._by_sign[sign] = moving
            self._kept += self._size
        return moving

    def _state(self, places: int) -> State:
        state = self._states.get(places)
        if state is None:
            state = self._states[places] = State(places, self._groups_at(places & self._ends))
            self._kept += self._size
        return state

    def _groups_at(self, ends: int) -> tuple[int, ...]:
        if not ends:
            return ()
        bits = bin(ends)[:1:-1]
        return tuple(
            group
            for group, (first, last) in enumerate(self._places.groups)
            if bits.find("1", first, last) >= 0
        )

    def _forget(self) -> None:
        # A walk holds some states still, and these the ones that they led to.
        for state in getattr(self, "_states", {}).values():
            state.steps.clear()
        self._states: dict[int, State] = {}
        self._by_sign: dict[str, int] = {}
        self._kept = 0


class _Places:
    """The places of all patterns, by what they do; at the end of each pattern there is one more."""

    def __init__(self, groups: Sequence[Iterable[str]]) -> None:
        self.count = 0
        self.groups: list[tuple[int, int]] = []
        self.starts, self.ends = array("L"), array("L")
        self.stay, self.stay_in_name = array("L"), array("L")
        self.enter, self.skip = array("L"), array("L")
        self.one = array("L")
        self._signs: dict[str, array[int]] = defaultdict(lambda: array("L"))
        self._classes: list[tuple[int, _Token]] = []
        for patterns in groups:
            first = self.count
            for pattern in patterns:
                self._add(pattern)
            self.groups.append((first, self.count))

    def mask(self, places: Iterable[int]) -> int:
        """Return places as the bits of a number."""
        bits = bytearray(self.count // 8 + 1)
        for place in places:
            bits[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(bits, "little")

    def of_sign(self, sign: str) -> Iterator[int]:
        """Yield the places that a character moves on from, but for those of a ``?``."""
        yield from self._signs.get(sign, ())
        for place, token in self._classes:
            if token.fits(sign):
                yield place

    def _add(self, pattern: str) -> None:
        self.starts.append(self.count)
        for token in _tokens(pattern):
            if token.kind == _FOLDERS:
                # Two places: before them, and within them, which a slash leads out of.
                self.enter.append(self.count)
                self.stay.append(self.count + 1)
                self._signs["/"].append(self.count + 1)
                self.count += 1
            elif token.kind == _SIGNS:
                for place, sign in enumerate(token.text, start=self.count):
                    self._signs[sign].append(place)
                self.count += len(token.text) - 1
            elif token.kind == _CLASS:
                self._classes.append((self.count, token))
            elif token.kind == _ONE:
                self.one.append(self.count)
            else:
                (self.stay if token.kind == _REST else self.stay_in_name).append(self.count)
                self.skip.append(self.count)
            self.count += 1
        self.ends.append(self.count)
        self.count += 1


def _tokens(text: str) -> Iterator[_Token]:
    if text.startswith("**") and text[2:3] != "/" and not _SPECIAL.search(text, 2):
        yield _Token(_REST)
        if rest := text[2:]:
            yield _Token(_SIGNS, rest)
        return
    last = None
    for found in _TOKEN.finditer(text):
        token = _token_of(found)
        # Folders and again folders are no more than folders.
        if token.kind != _FOLDERS or last != _FOLDERS:
            yield token
        last = token.kind


def _token_of(found: re.Match[str]) -> _Token:
    if found["folders"]:
        return _Token(_REST if found.end() == len(found.string) else _FOLDERS)
    if found["name"]:
        return _Token(_NAME)
    if found["one"]:
        return _Token(_ONE)
    if found["class"]:
        ranges = tuple(_range_of(each) for each in _RANGE.finditer(found["class"]))
        return _Token(_CLASS, ranges=ranges, outside=bool(found["outside"]))
    if found["plain"] == "[":
        raise ValueError("'[' begins no class of characters such as [a-z]")
    if found["plain"] == "\\":
        raise ValueError(r"nothing follows the '\'")
    return _Token(_SIGNS, found["escaped"] or found["plain"])


def _range_of(found: re.Match[str]) -> tuple[str, str]:
    low = found["low"][-1]
    high = (found["high"] or low)[-1]
    if low > high:
        raise ValueError(f"the range {found.group()} is empty")
    return low, high
