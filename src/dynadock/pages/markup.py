"""HTML as text that is known to be markup: everything else is escaped as it is put in."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

_KEPT = "\n\t"

# What HTML has without an end, of what pages use.
_EMPTY = frozenset({"br", "hr", "input", "link", "meta", "wbr"})


class Markup(str):
    """HTML that was made here, which is put into a page as it is."""

    __slots__ = ()


Content: TypeAlias = "Markup | str | int | float | Iterable[Content] | None"
"""What may be put into an element."""


def visible(text: str) -> str:
    r"""Return a text in which everything can be seen and written: the rest is escaped.

    Control characters, lone surrogates and marks that turn the direction of writing become
    ``\x1b``, ``\ud800``, ``\u202e``, as Python writes them. A line's end and a tab stay.
    """
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each in _KEPT else repr(each)[1:-1] for each in text
    )


def markup(content: Content) -> Markup:
    """Return content as markup: texts are escaped, markup stays, None is nothing."""
    if isinstance(content, Markup):
        return content
    if content is None:
        return Markup()
    if isinstance(content, str):
        # A text of another class may have other characters than it shows.
        return Markup(escape(visible(str(content))))
    if isinstance(content, (int, float)):
        return Markup(content)
    return Markup("".join(map(markup, content)))


def element(name: str, /, *content: Content, **attributes: object) -> Markup:
    """Return an element with its content, and with attributes.

    An attribute's name may end in ``_`` (``class_``) and has ``-`` for ``_`` inside. None and False
    leave it out, True gives it no value.
    """
    start = f"<{name}{''.join(_attribute(*pair) for pair in attributes.items())}>"
    if name in _EMPTY:
        return Markup(start)
    return Markup(f"{start}{markup(content)}</{name}>")


def _attribute(name: str, value: object) -> str:
    if value is None or value is False:
        return ""
    written = name.rstrip("_").replace("_", "-")
    return f" {written}" if value is True else f' {written}="{escape(visible(str(value)))}"'


def joined(items: Iterable[Content], between: Content) -> Markup:
    """Return items with something between each two of them."""
    return Markup(markup(between).join(map(markup, items)))
