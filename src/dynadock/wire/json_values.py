r"""Successive JSON values, decoded out of bytes that are cut anywhere, without any I/O.

The input. Progress, events and stats come as JSON objects one after the other, with a line feed, a
record separator (RFC 7464) or nothing between them, in blocks that are cut anywhere::

    {"status": "Pulling"}\r\n{"status": "Down|loading", "id": "a1"}\r\n{"stat|us": "Done"}
                                             ^                               ^
                                             a block ends here               and here

Why there is no plain loop. To append each block to a text and try to decode it takes quadratic time
for a value that is longer than a block: 25 times as long as here for one of 2 MB in blocks of 16
KiB. Nor can the end be found by its line feed, as there may be none.

The fast path (`JsonDecoder._read_whole`). As long as an object or a list is whole within a block,
``json``'s own decoder reads it in place and tells where it ended.

Leaving it. A value that this decoder refuses is either incomplete or no JSON, and it does not tell
which. From the value's beginning on, an `_EndFinder` follows its brackets and quotes through all
blocks, looking at each character once, and at its end the whole value is decoded
(`JsonDecoder._continue_value`). Strings are read in this way too, and so are words: numbers and
literal names (``true``), which end only with the character after them. What cannot become a word
is a fault at once, since its end might never come.

Between two calls of ``feed``, ``_end_finder`` and ``_begun`` belong to a value whose end has not
come, or are None and empty.
"""

from __future__ import annotations

import codecs
import re
import sys
from bisect import bisect_left
from typing import Any

from dynadock.errors import MalformedStream, TransportError, TruncatedStream
from dynadock.record import DECODER, DEEPEST, LONGEST_SHALLOW, NestedTooDeeply, check_depth
from dynadock.wire.coding import too_large

LONGEST_WORD = 16 * 1024
"""Characters of a number or literal name."""

_MOST_PARTS = 1024
"""Parts of a value that are kept as they came."""

RECORD_SEPARATOR = "\x1e"

_BETWEEN = re.compile(r"[ \t\r\n\x1e]*")
_WORD = re.compile(r'[^ \t\r\n\x1e{}\[\]",:]*')
_IN_STRING = r'[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+'
_REST_OF_STRING = re.compile(_IN_STRING, re.DOTALL)
# Strings that end within the text are passed over whole; a quote is found if its string does not.
_BRACKET = re.compile(rf'(?:[^"{{}}\[\]]++|"{_IN_STRING}")*+(["{{}}\[\]])', re.DOTALL)
_CLOSING = {"{": "}", "[": "]"}
_NUMBER_BEGUN = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:(?<=[0-9])[eE][+-]?[0-9]*)?)?")
_LITERAL_NAMES = ("true", "false", "null", "NaN", "Infinity", "-Infinity")
_BYTE_ORDER_MARK = "\ufeff"

_decode = DECODER.raw_decode


class JsonDecoder:
    """Decodes JSON values out of bytes that are cut anywhere; objects are Records.

    Between values there may be white space, record separators (RFC 7464) or, after objects, lists
    and strings, nothing. ``fault`` is set to MalformedStream where there is not JSON; the values
    before it are returned first. It is TooLarge for a value of more than ``limit`` characters, and
    MalformedStream too for one of more than `dynadock.record.DEEPEST` levels.

    Bytes that are not UTF-8 become U+FFFD: engines pass on what containers print, and one invalid
    byte in a build's output must not end the stream.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.fault: Exception | None = None
        self._limit = sys.maxsize if limit is None else limit
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._started = False
        self._end_finder: _EndFinder | None = None  # of a value whose end has not come
        self._begun = _Text()  # of that value, as far as it has come

    def feed(self, data: bytes) -> list[Any]:
        """Take bytes; return the values that are whole.

        Objects, lists and strings are whole with their last byte, other values once a byte follows.
        """
        return self._values(self._text.decode(data))

    def finish(self) -> list[Any]:
        """Take note of the end; return a number or literal name that was ended by it.

        May set ``fault``; raises TruncatedStream inside a value.
        """
        values = self._values(self._text.decode(b"", final=True))
        if self._end_finder is None:
            return values
        begun = self._begun.value()
        if self._end_finder.is_word and _is_whole(begun):
            return values + self._values("\n")
        raise TruncatedStream(f"the stream ended inside a value that begins with {begun[:60]!r}")

    def _values(self, text: str) -> list[Any]:
        values: list[Any] = []
        if self.fault is not None or not text:
            return values
        if not self._started:
            self._started = True
            text = text.removeprefix(_BYTE_ORDER_MARK)
        position = self._continue_value(text, 0, values) if self._end_finder is not None else 0
        while position < len(text):
            position = self._read_whole(text, position, values)
            if position < len(text):
                self._end_finder = _EndFinder(text[position])
                self._begun.add(text[position])
                position = self._continue_value(text, position + 1, values)
        return values

    def _read_whole(self, text: str, position: int, values: list[Any]) -> int:
        """Read objects and lists as long as they are whole; return the position of what follows."""
        between = _BETWEEN.match
        unchecked = min(LONGEST_SHALLOW, self._limit)
        while True:
            position = between(text, position).end()  # type: ignore[union-attr] # it always matches
            if not text.startswith(("{", "["), position):
                return position
            try:
                value, end = _decode(text, position)
                if end - position > unchecked:
                    self._check_whole(text[position:end])
            except (ValueError, RecursionError, TransportError):
                # It is incomplete, no JSON, or too much of it, which the other way tells apart.
                return position
            position = end
            values.append(value)

    def _continue_value(self, text: str, position: int, values: list[Any]) -> int:
        """Read more of the value whose end has not come; return the position after it.

        That is the text's end if the value goes on or is malformed.
        """
        assert self._end_finder is not None
        end = self._end_finder.find(text, position)
        room = self._limit - self._begun.length
        part = text[position:end]
        if self._end_finder.is_word:
            self._begun.add(part)
            self._check_word()
        elif 0 <= (separator := part.find(RECORD_SEPARATOR)) < room:
            self._begun.add(part[:separator])
            self._fail("a record begins within a value", self._begun.value())
        elif len(part) > room:
            self._reset()
            self.fault = too_large(self._limit, of="a value in the stream")
        else:
            self._begun.add(part)
        if self.fault is None and end is not None:
            value = self._begun.value()
            if self._end_finder.is_too_deep:
                self._fail(str(NestedTooDeeply()), value)
            else:
                self._reset()
                self._decode_whole(value, values)
        return len(text) if end is None or self.fault is not None else end

    def _check_whole(self, text: str) -> None:
        """Raise the error of a whole value that is too long or too deep."""
        if len(text) > self._limit:
            raise too_large(self._limit)
        check_depth(text.encode("utf-8", "surrogatepass"))

    def _check_word(self) -> None:
        """Refuse at once what can become no number and no literal name: its end may never come."""
        word = self._begun.value()
        if len(word) > LONGEST_WORD or not _can_begin(word):
            # Only as far as it had to come to be refused, so that how it was cut changes nothing.
            ends = range(1, min(len(word), LONGEST_WORD + 1))
            wrong = bisect_left(ends, True, key=lambda end: not _can_begin(word[:end]))
            self._fail("no value begins like this", word[: wrong + 1])

    def _decode_whole(self, text: str, values: list[Any]) -> None:
        try:
            value, end = _decode(text)
        except (ValueError, RecursionError) as error:
            self._fail(str(error), text)
            return
        if end < len(text):
            self._fail(f"a value is followed by {text[end : end + 20]!r}", text)
        else:
            values.append(value)

    def _fail(self, reason: str, text: str) -> None:
        self._reset()
        self.fault = MalformedStream(f"no JSON ({reason}): {text[:60]!r}")

    def _reset(self) -> None:
        self._end_finder, self._begun = None, _Text()


class _Text:
    """A text that comes in parts, ``length`` characters so far."""

    def __init__(self) -> None:
        self.length = 0
        self._parts: list[str] = []
        self._latest: list[str] = []

    def add(self, part: str) -> None:
        """Add a part; many short ones are joined now and then, since they take much more memory."""
        self.length += len(part)
        self._latest.append(part)
        if len(self._latest) == _MOST_PARTS:
            self._parts.append("".join(self._latest))
            self._latest.clear()

    def value(self) -> str:
        """Return the text."""
        return "".join([*self._parts, *self._latest])


def _can_begin(word: str) -> bool:
    """Tell whether a number or a literal name may begin with ``word``."""
    if _NUMBER_BEGUN.fullmatch(word):
        return True
    return any(name.startswith(word) for name in _LITERAL_NAMES)


def _is_whole(word: str) -> bool:
    """Tell whether ``word``, which may begin a number or a literal name, is one already."""
    return word in _LITERAL_NAMES or word[-1] in "0123456789"


class _EndFinder:
    """Finds the end of one value, which comes in parts, by its brackets and quotes alone.

    ``first`` is the value's first character. A value that is malformed ends where that shows, at a
    wrong bracket or a control character in a string: else all that follows would seem a part of it.
    """

    def __init__(self, first: str) -> None:
        self.is_word = first not in '{["'
        self._open = [first] if first in _CLOSING else []
        self._in_string = first == '"'
        self._escaped = False
        self.is_too_deep = False

    def find(self, text: str, position: int) -> int | None:
        """Return the position after the value in the next part, ``text`` from ``position`` on.

        None if the value goes on after this part.
        """
        if self.is_word:
            end = _WORD.match(text, position).end()  # type: ignore[union-attr] # it always matches
            return end if end < len(text) else None
        while position < len(text):
            if self._in_string:
                position = self._pass_string(text, position)
            else:
                bracket = _BRACKET.match(text, position)
                if bracket is None:
                    return None
                position = bracket.end()
                self._note(bracket[1])
            if not self._open and not self._in_string:
                return position
        return None

    def _note(self, bracket: str) -> None:
        if bracket == '"':
            self._in_string = True
        elif bracket in _CLOSING:
            self._open.append(bracket)
            if len(self._open) > DEEPEST:
                self.is_too_deep = True
                self._open.clear()
        elif _CLOSING[self._open.pop()] != bracket:
            self._open.clear()

    def _pass_string(self, text: str, position: int) -> int:
        """Return the position after the current string, or the end of the text."""
        position += self._escaped
        end = _REST_OF_STRING.match(text, position).end()  # type: ignore[union-attr] # as above
        stop = text[end : end + 1]
        self._escaped = stop == "\\"
        self._in_string = self._escaped or not stop
        if stop and stop not in '"\\':
            self._open.clear()
        return end + len(stop)
