"""Percent-encoding of paths and queries (RFC 3986, section 2.1).

`urllib.parse.quote` writes the same, but loading it takes milliseconds of each start.
"""

from __future__ import annotations

import re

# Engines take "/", ":" and "@" in a path as they are: names such as library/alpine:3, digests.
_ODD_IN_PATH = re.compile(r"[^A-Za-z0-9_.~/:@-]+")
_ODD = re.compile(r"[^A-Za-z0-9_.~-]+")
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)


def quote(text: str) -> str:
    """Write a text as it may stand in a query; UnicodeEncodeError for what is no Unicode text."""
    return _ODD.sub(_encoded, text)


def quote_path(text: str) -> str:
    """Write a text as it may stand in a path, its slashes as they are; raises as `quote` does."""
    return _ODD_IN_PATH.sub(_encoded, text)


def unquote(text: str) -> str:
    """Read what is percent-encoded; bytes that are no UTF-8 become U+FFFD, a stray % is kept."""
    return _ESCAPES.sub(_decoded, text) if "%" in text else text


def first_bad_escape(text: str) -> str:
    """Return what a ``%`` begins that is no escape, as Go names it; empty if there is none."""
    found = _BAD_ESCAPE.search(text)
    return found[0] if found else ""


def _decoded(escapes: re.Match[str]) -> str:
    return bytes.fromhex(escapes[0].replace("%", "")).decode("utf-8", "replace")


def _encoded(odd: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in odd[0].encode())
