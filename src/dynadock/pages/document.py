"""A whole page: one file that loads nothing, and says so to the browser."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dynadock import __version__
from dynadock.pages.markup import Content, Markup, element, markup
from dynadock.pages.palette import variables

if TYPE_CHECKING:
    from collections.abc import Sequence

_FOLDER = Path(__file__).parent

_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Cg fill='%230860ca'%3E%3Crect x='1' y='1' width='6' height='6' rx='1.5'/%3E"
    "%3Crect x='9' y='9' width='6' height='6' rx='1.5'/%3E%3C/g%3E"
    "%3Crect x='9' y='1' width='6' height='6' rx='1.5' fill='%232da44e'/%3E"
    "%3Crect x='1' y='9' width='6' height='6' rx='1.5' fill='%23d29922'/%3E%3C/svg%3E"
)


class Section(NamedTuple):
    """A part of a page with a heading; ``id`` is what links to it end in (``#id``)."""

    id: str
    title: str
    content: Content
    short: str = ""
    """What the page's navigation calls it, else its title."""


def document(
    title: str,
    sections: Sequence[Section],
    *,
    intro: Content = None,
    scripts: Sequence[str] = ("filter.js",),
    wide: bool = False,
) -> str:
    """Return a page as the text of its file.

    ``scripts`` names files of this package. ``wide`` lets the page be as wide as the window.
    Equal arguments give an equal page.
    """
    style = f"{variables()}{_file('page.css')}"
    script = "".join(map(_file, scripts))
    head = element(
        "head",
        element("meta", charset="utf-8"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">'),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="generator", content=f"dynadock {__version__}"),
        element("title", title),
        Markup(f'<link rel="icon" href="{_ICON}">'),
        Markup(f"<style>{style}</style>"),
    )
    body = element(
        "body",
        element("a", "Skip to the content", class_="skip", href="#main"),
        _banner(title, sections),
        element(
            "main",
            element("div", element("h1", title), intro, class_="intro"),
            (_section(each) for each in sections),
            id="main",
            class_="wide" if wide else None,
            tabindex="-1",
        ),
        element(
            "footer",
            element(
                "p", f"Made by dynadock {__version__}. This page is one file: it loads nothing."
            ),
        ),
        Markup(f"<script>{script}</script>") if script else None,
    )
    return f'<!doctype html>\n<html lang="en">\n{head}\n{body}\n</html>\n'


def _banner(title: str, sections: Sequence[Section]) -> Markup:
    links = (
        element("li", element("a", each.short or each.title, href=f"#{each.id}"))
        for each in sections
    )
    return element(
        "header",
        element("span", title, class_="brand"),
        element("nav", element("ul", links), aria_label="On this page"),
        class_="banner",
    )


def _section(section: Section) -> Markup:
    heading = f"{section.id}-heading"
    return markup(
        [
            "\n",
            element(
                "section",
                element("h2", section.title, id=heading),
                section.content,
                id=section.id,
                aria_labelledby=heading,
            ),
        ]
    )


def _policy(style: str, script: str) -> str:
    """Return what the page may do: run and wear what stands in it, and nothing else."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}';"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _file(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
