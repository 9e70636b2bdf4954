"""Numbers together with what they count."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: ``1 request``, ``1,200 requests``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
