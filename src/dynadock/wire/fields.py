"""What may stand in a header (RFC 9110): names, values, and which ones no caller may set."""

from __future__ import annotations

import re

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
