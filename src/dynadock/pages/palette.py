"""The colours of pages, as data: each by day and by night, and which text stands on which ground.

`tests/unit/test_pages_palette.py` computes the contrast of every pair.
"""

from __future__ import annotations

from typing import NamedTuple


class Colour(NamedTuple):
    """A colour by day (``light``) and by night (``dark``), as CSS writes it."""

    light: str
    dark: str


COLOURS = {
    "ground": Colour("#ffffff", "#0d1117"),
    "raised": Colour("#f6f8fa", "#151b23"),
    "sunken": Colour("#eaeef2", "#1f2630"),
    "line": Colour("#d1d9e0", "#30363d"),
    "text": Colour("#1f2328", "#e9eef5"),
    "quiet": Colour("#57606a", "#9aa4af"),
    "link": Colour("#0860ca", "#58a6ff"),
    "focus": Colour("#0860ca", "#58a6ff"),
    "edge": Colour("#7d8590", "#6e7681"),
    "good": Colour("#c6efd0", "#17402a"),
    "on-good": Colour("#0a5626", "#7ee2a0"),
    "bad": Colour("#cf222e", "#c5322f"),
    "on-bad": Colour("#ffffff", "#ffffff"),
    "warn": Colour("#f5c451", "#d29922"),
    "on-warn": Colour("#3a2500", "#1f1400"),
    "calm": Colour("#dccffb", "#3a2c63"),
    "on-calm": Colour("#4b2a8f", "#d6c2ff"),
    "info": Colour("#d3e8ff", "#14304f"),
    "on-info": Colour("#0a4a94", "#93c8ff"),
}

TONES = ("good", "bad", "warn", "calm", "info")
"""Grounds that mean something; each has a text of its own (``on-good``)."""

TEXT, SHAPE = 4.5, 3.0
"""The least contrast of texts, and of what is no text (WCAG 2.2, 1.4.3 and 1.4.11)."""

PAIRS = (
    *(("text", ground, TEXT) for ground in ("ground", "raised", "sunken")),
    *(("quiet", ground, TEXT) for ground in ("ground", "raised", "sunken")),
    *(("link", ground, TEXT) for ground in ("ground", "raised", "sunken")),
    *((f"on-{tone}", tone, TEXT) for tone in TONES),
    *(("focus", ground, SHAPE) for ground in ("ground", "raised", "sunken")),
    *(("edge", ground, SHAPE) for ground in ("ground", "raised")),
)
"""What stands on what, and how much contrast it needs."""


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (``#rrggbb``), from 1 to 21, as WCAG 2.2 defines it."""
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def variables() -> str:
    """Return the colours as CSS, by day and by night; paper is always white."""
    light, dark = (
        "".join(f"--{name}:{colour[side]};" for name, colour in COLOURS.items()) for side in (0, 1)
    )
    night = f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    return f":root{{{light}}}\n{night}\n"
