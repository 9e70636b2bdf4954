"""What may stand in a header (RFC 9110): names, values, and which ones no caller may set."""

from __future__ import annotations

import re

from dynadock.errors import MalformedStream

LENGTHS = frozenset({"content-length", "transfer-encoding"})
"""Headers, in lower case, that say how long a body is: they follow from the body alone."""

OF_THE_CONNECTION = LENGTHS | {
    "connection",
    "sec-websocket-key",
    "sec-websocket-version",
    "upgrade",
}
"""Headers, in lower case, that only we set: a wrong one makes a peer read other requests."""

WITHOUT_CONTROLS = "expected text without line breaks and other controls, got some that has them"
"""What is said of a value that `has_controls`."""

BLANKS = " \t"
"""What may stand around a value (section 5.6.3); Latin-1 has more blanks, which are text."""

NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
"""A pattern of headers' names and of methods, which are tokens (section 5.6.2)."""

CONTROLS = r"\x00-\x08\x0a-\x1f\x7f"
"""What no value may hold (section 5.5), as it stands in a pattern's brackets."""

LINE_END = re.compile(r"\r?\n")
_FOLD = re.compile(r"\r?\n[ \t]+")

LENGTH = re.compile(r"[0-9]{1,20}")
"""What Content-Length tells."""

_TOKEN = re.compile(NAME)
_CONTROLS = re.compile(f"[{CONTROLS}]")


def is_token(text: str) -> bool:
    """Tell whether a text is a token (section 5.6.2), as methods and headers' names are."""
    return _TOKEN.fullmatch(text) is not None


def has_controls(value: str) -> bool:
    """Tell whether a header's value has control characters other than the tab (section 5.5).

    Some of them end a header and start another, the rest makes strict readers refuse the message.
    """
    return _CONTROLS.search(value) is not None


def fields_in(text: str) -> list[tuple[str, str]]:
    """Return names and values of the fields that are lines of a text, without the blanks around.

    Folded lines are obsolete; a reader joins them to a field (RFC 9112, section 5.2). Raises
    MalformedStream for a line that is no field.
    """
    fields: list[tuple[str, str]] = []
    for line in LINE_END.split(_FOLD.sub(" ", text)):
        name, colon, value = line.partition(":")
        if not colon or not is_token(name) or has_controls(value):
            raise MalformedStream(f"a line of the reply's head is not a header: {line[:60]!r}")
        fields.append((name, value.strip(BLANKS)))
    return fields


def length_in(field: str) -> int:
    """Return the length that Content-Length tells; MalformedStream if it is none.

    The same length more than once is one length (RFC 9112, section 6.3).
    """
    if LENGTH.fullmatch(field):
        return int(field)
    lengths = {value.strip(BLANKS) for value in field.split(",")}
    if len(lengths) > 1 or not LENGTH.fullmatch(length := lengths.pop()):
        raise MalformedStream(f"the reply's Content-Length is not a length: {field[:60]!r}")
    return int(length)


def check_coding(field: str) -> None:
    """Raise MalformedStream for a Transfer-Encoding other than the one that we read."""
    if field.strip(BLANKS).lower() != "chunked":
        raise MalformedStream(f"the body comes in an unknown transfer coding: {field[:60]!r}")
