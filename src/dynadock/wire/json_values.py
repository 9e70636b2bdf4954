"""JSON values in a row, cut out of bytes as they come, without any input or output of its own."""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

from dynadock.errors import MalformedStream, TruncatedStream
from dynadock.record import Record

LONGEST_VALUE = 64 * 1024 * 1024
"""Characters that are kept of a value whose end has not come."""

DEEPEST_VALUE = 100_000
"""Brackets that are open at a time; Python itself gives up far earlier, as its settings say."""

LONGEST_WORD = 16 * 1024
"""Characters of a number."""

RECORD_SEPARATOR = "\x1e"

_BETWEEN = re.compile(r"[ \t\r\n\x1e]*")
_WORD = re.compile(r'[^ \t\r\n\x1e{}\[\]",:]*')
_IN_STRING = r'[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+'
_REST_OF_STRING = re.compile(_IN_STRING, re.DOTALL)
# Strings that end within the text are passed over whole; a quote is found if its string does not.
_BRACKET = re.compile(rf'(?:[^"{{}}\[\]]++|"{_IN_STRING}")*+(["{{}}\[\]])', re.DOTALL)
_CLOSING = {"{": "}", "[": "]"}
_NUMBER_BEGUN = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:(?<=[0-9])[eE][+-]?[0-9]*)?)?")
_CONSTANTS = ("true", "false", "null", "NaN", "Infinity", "-Infinity")
_BYTE_ORDER_MARK = "\ufeff"

_decode = json.JSONDecoder(object_hook=Record).raw_decode


class JsonDecoder:
    """Cuts JSON values out of bytes as they come; objects are Records.

    Between values may stand white space, record separators (RFC 7464) or, behind objects, lists and
    strings, nothing. ``fault`` is set to MalformedStream where there is no JSON; what came before
    it is given first.

    What is no UTF-8 becomes U+FFFD: engines pass on what containers print, and one strange byte in
    some build's output must not end the reading of it.
    """

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun = False
        self._outline: _Outline | None = None  # of a value whose end has not come
        self._parts: list[str] = []  # what has come of it
        self._length = 0

    def feed(self, data: bytes) -> list[Any]:
        """Take bytes; return the values that are whole.

        Objects, lists and strings are whole with their last byte, other values with what follows.
        """
        return self._values(self._text.decode(data))

    def finish(self) -> list[Any]:
        """Take note of the end; return a last value that nothing followed, and may set ``fault``.

        Raises TruncatedStream inside a value.
        """
        values = self._values(self._text.decode(b"", final=True))
        if self._outline is None:
            return values
        begun = "".join(self._parts)
        if self._outline.is_word and _is_whole(begun):
            return values + self._values("\n")
        raise TruncatedStream(f"the stream ended inside a value that begins with {begun[:60]!r}")

    def _values(self, text: str) -> list[Any]:
        values: list[Any] = []
        if self.fault is not None or not text:
            return values
        if not self._begun:
            self._begun = True
            text = text.removeprefix(_BYTE_ORDER_MARK)
        position = self._carry_on(text, 0, values) if self._outline is not None else 0
        while position < len(text):
            position = self._read_whole(text, position, values)
            if position < len(text):
                self._outline = _Outline(text[position])
                self._parts.append(text[position])
                position = self._carry_on(text, position + 1, values)
        return values

    def _read_whole(self, text: str, position: int, values: list[Any]) -> int:
        """Read objects and lists while they are whole; return the place of what is not."""
        between = _BETWEEN.match
        while True:
            position = between(text, position).end()  # type: ignore[union-attr] # it always matches
            if not text.startswith(("{", "["), position):
                return position
            try:
                value, position = _decode(text, position)
            except (ValueError, RecursionError):
                # Either it has not all come or it is no JSON; its outline will tell.
                return position
            values.append(value)

    def _carry_on(self, text: str, position: int, values: list[Any]) -> int:
        """Read a value whose end is not known; return the place behind it or the text's end."""
        assert self._outline is not None
        end = self._outline.find_end(text, position)
        part = text[position:end]
        self._parts.append(part)
        self._length += len(part)
        if self._outline.is_word:
            self._check_word()
        elif RECORD_SEPARATOR in part:
            self._fail("a record begins within a value", "".join(self._parts))
        elif self._length > LONGEST_VALUE:
            self._fail(f"a value is longer than {LONGEST_VALUE} characters", "".join(self._parts))
        if self.fault is None and end is not None:
            document = "".join(self._parts)
            self._forget()
            self._read_document(document, values)
        return len(text) if end is None or self.fault is not None else end

    def _check_word(self) -> None:
        """Refuse at once what can be no number and no constant: its end may never come."""
        word = "".join(self._parts)
        if len(word) > LONGEST_WORD or not _can_begin(word):
            self._fail("no value begins like this", word)

    def _read_document(self, document: str, values: list[Any]) -> None:
        try:
            value, end = _decode(document)
        except (ValueError, RecursionError) as error:
            self._fail(str(error), document)
            return
        if end < len(document):
            self._fail(f"a value is followed by {document[end : end + 20]!r}", document)
        else:
            values.append(value)

    def _fail(self, reason: str, text: str) -> None:
        self._forget()
        self.fault = MalformedStream(f"no JSON ({reason}): {text[:60]!r}")

    def _forget(self) -> None:
        self._outline, self._parts, self._length = None, [], 0


def _can_begin(word: str) -> bool:
    """Tell whether a number or a constant may begin like this."""
    if _NUMBER_BEGUN.fullmatch(word):
        return True
    return any(constant.startswith(word) for constant in _CONSTANTS)


def _is_whole(word: str) -> bool:
    """Tell whether what may begin a number or a constant may also be one."""
    return word in _CONSTANTS or word[-1] in "0123456789"


class _Outline:
    """Follows one value through pieces of text to its end, by its brackets and quotes alone.

    Trying to decode all that has come with every piece would take quadratic time. A value that
    cannot be one ends where that shows; without that, all that follows would seem to be its own.
    """

    def __init__(self, first: str) -> None:
        self.is_word = first not in '{["'
        self._open = [first] if first in _CLOSING else []
        self._in_string = first == '"'
        self._escaped = False

    def find_end(self, text: str, position: int) -> int | None:
        """Return the place behind the value, looking on from ``position``; None if not within."""
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
        elif bracket in _CLOSING and len(self._open) < DEEPEST_VALUE:
            self._open.append(bracket)
        elif bracket in _CLOSING or _CLOSING[self._open.pop()] != bracket:
            self._open.clear()

    def _pass_string(self, text: str, position: int) -> int:
        """Return the place behind the string at hand, or the end of the text."""
        position += self._escaped
        end = _REST_OF_STRING.match(text, position).end()  # type: ignore[union-attr] # as above
        stop = text[end : end + 1]
        self._escaped = stop == "\\"
        self._in_string = self._escaped or not stop
        if stop and stop not in '"\\':
            self._open.clear()
        return end + len(stop)
