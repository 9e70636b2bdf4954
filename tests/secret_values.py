"""The secrets that tests use: unmistakable, so that they are found wherever they get to."""

from __future__ import annotations

import base64

MARK = "hunter2"
"""A mark in every secret of the tests."""

SECRET = f"{MARK}-of-mine"
"""A password, a token, a key."""

FORMS = (
    MARK,
    *(base64.b64encode(b" " * skipped + MARK.encode())[4:-4].decode() for skipped in range(3)),
)
"""The mark in clear, and what is seen of it in base64, wherever in there it begins."""


def is_told_by(text: str) -> bool:
    """Tell whether a text gives a secret away."""
    return any(form in text for form in FORMS)
