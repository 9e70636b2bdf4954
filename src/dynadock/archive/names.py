"""Which paths a system takes, and which names a member of an archive may have."""

from __future__ import annotations

import os

LONGEST_NAME = 4095
"""Bytes of a member's name: Linux' PATH_MAX, less the zero byte at the end."""


def usable_path(path: str | os.PathLike[str], argument: str) -> str:
    """Return a path as text; ValueError names the argument if no system takes such a path."""
    text = os.fspath(path)
    if "\0" in text:
        raise ValueError(f"{argument}: expected a path, got {text!r}, which has a zero byte in it")
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        message = (
            f"{argument}: expected a path, got {text!r}, which has half a surrogate pair in it"
        )
        raise ValueError(message) from None
    return text


def member_name(name: object) -> str:
    """Return a member's name without what means nothing in it; ValueError for one that is none."""
    if not isinstance(name, str):
        raise ValueError(f"expected a relative path as text, got {name!r}")  # noqa: TRY004
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or name.startswith("/"):
        raise ValueError(f"expected a relative path without '..', got {name!r}")
    try:
        encoded = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise ValueError(f"{name!r} has half a surrogate pair in it") from None
    if b"\0" in encoded:
        raise ValueError(f"{name!r} has a zero byte in it")
    if len(encoded) > LONGEST_NAME:
        raise ValueError(f"a name of {len(encoded)} bytes, where Linux takes {LONGEST_NAME}")
    return "/".join(parts)
