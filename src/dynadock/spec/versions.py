"""API versions: their text, their order, and ranges of them as data files write them."""

from __future__ import annotations

import re
from typing import NamedTuple

from dynadock.errors import SpecError

_FORM = re.compile(r"v?(\d{1,4})\.(\d{1,6})")


class Version(NamedTuple):
    """An API version; compares by its numbers, so 1.9 is older than 1.30."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


def parse_version(text: str) -> Version:
    """Read ``1.42`` or ``v1.42``; anything else is a SpecError."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise SpecError(f"{text!r} is not an API version; one looks like '1.42'")
    return Version(int(match[1]), int(match[2]))


def looks_like_version(text: str) -> bool:
    """Tell a version's text from a file's name."""
    return _FORM.fullmatch(text.strip()) is not None


class VersionRange(NamedTuple):
    """Versions from ``first`` to ``last``, both included; None leaves that side open."""

    first: Version | None
    last: Version | None

    def __contains__(self, version: object) -> bool:
        if not isinstance(version, Version):
            return False
        return (self.first is None or self.first <= version) and (
            self.last is None or version <= self.last
        )

    @property
    def in_words(self) -> str:
        """The range as a sentence has it: ``since 1.30``, ``until 1.51``, ``1.39 to 1.51``."""
        if self.first and self.last:
            return f"{self.first} to {self.last}"
        return f"since {self.first}" if self.first else f"until {self.last}"

    def __str__(self) -> str:
        if self.first == self.last:
            return str(self.first or "all")
        return f"{self.first or ''}-{self.last or ''}"


def parse_range(text: str) -> VersionRange:
    """Read ``1.25-1.30``, ``1.31-``, ``-1.27``, ``1.27`` or ``all``."""
    if text == "all":
        return VersionRange(None, None)
    first, dash, last = text.partition("-")
    if not first and not last:
        raise SpecError(f"{text!r} is not a range of versions; it contains no API version")
    start = parse_version(first) if first else None
    if not dash:
        return VersionRange(start, start)
    return VersionRange(start, parse_version(last) if last else None)
