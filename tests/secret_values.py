"""The secret that tests use: unmistakable, so that it is found wherever it gets to."""

from __future__ import annotations

import base64

SECRET = "hunter2-of-mine"
"""A password, a token, a key."""

FORMS = (
    SECRET,
    *(base64.b64encode(b" " * skipped + SECRET.encode())[4:-4].decode() for skipped in range(3)),
)
"""The secret in clear, and what is seen of it in base64, wherever in there it begins."""
