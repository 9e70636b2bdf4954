"""What is read out of a progress stream: errors, and the ids and digests of what was made."""

from __future__ import annotations

import re
from typing import Any

from dynadock.record import Record

_DIGEST = re.compile(r"Digest: (sha256:[0-9a-f]{64})")
_IMAGE_ID = re.compile(r"(sha256:[0-9a-f]{64})")
_LOADED = re.compile(r"Loaded image(?: ID)?s?: (.+)")
_PUSHED = re.compile(
    r"(?P<Tag>\S+): digest: (?P<Digest>sha256:[0-9a-f]{64}) size: (?P<Size>\d{1,20})"
)
_BUILT_QUIETLY = re.compile(r"((?:sha256:)?[0-9a-f]{64})")
_BUILT = re.compile(r"Successfully built ([0-9a-f]{12,64})")


def error_in(value: Any) -> str | None:
    """Return the message of a value that reports an error, None for any other.

    Docker sends ``errorDetail`` and ``error`` beside each other, Podman ``error`` alone or the
    error of its own API (``message``, ``cause``) with it (seen on 20.10 to 28.5 and 4.3).
    """
    if not isinstance(value, dict):
        return None
    detail = value.get("errorDetail")
    if isinstance(detail, dict) and isinstance(detail.get("message"), str) and detail["message"]:
        return str(detail["message"])
    error = value.get("error")
    if isinstance(error, str) and error:
        return error
    if error or detail:
        return f"an error without a message ({value})"
    return None


class Progress:
    """Gathers the results of an operation out of the values of its progress stream.

    ``made`` is a Record of them (``ID``, ``Digest``, ``Images``, …), empty if the stream reported
    none; ``last`` the last value, None without any.
    """

    def __init__(self) -> None:
        self.made = Record()
        self._images: list[Any] = []
        self.last: Any = None

    def note(self, value: Any) -> None:
        """Take in one value."""
        self.last = value
        if not isinstance(value, dict):
            return
        aux = value.get("aux")
        if isinstance(aux, dict):
            self.made.update(aux)
        for key, pattern, name in _SENTENCES:
            text = value.get(key)
            found = pattern.fullmatch(text.strip()) if isinstance(text, str) else None
            if found is not None:
                self._add(name, found[1])
        self._note_push(value.get("status"))

    def _note_push(self, text: Any) -> None:
        """Read what was pushed out of a sentence: Podman sends no ``aux`` for it (seen on 4.3)."""
        found = _PUSHED.fullmatch(text) if isinstance(text, str) else None
        if found is not None:
            self.made.update(found.groupdict(), Size=int(found["Size"]))

    def _add(self, name: str, text: str) -> None:
        if name == _IMAGES:
            # One line for each image from Docker, one for all from Podman.
            before = self.made.get(name)
            if before is not self._images:
                self._images = [*before] if isinstance(before, list) else []
            self._images += text.split(",")
            self.made[name] = self._images
        elif name != _ID or _ID not in self.made:
            self.made[name] = text


_IMAGES = "Images"
_ID = "ID"

_SENTENCES = (
    ("status", _DIGEST, "Digest"),
    ("status", _IMAGE_ID, _ID),
    ("stream", _LOADED, _IMAGES),
    ("stream", _BUILT, _ID),
    ("stream", _BUILT_QUIETLY, _ID),
)
"""Sentences in which engines report results that they send no ``aux`` for: the key that holds the
sentence, its form, and the name of the result in it."""
