"""A record as a tree: rich's for a terminal, HTML that unfolds for a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.tree import Tree

MOST_ITEMS = 12
DEEPEST = 50
"""Levels that are shown; no engine sends as many."""


def rich_tree(value: Any, label: str, level: int = 1) -> Tree:
    """Return a dict or list as rich's Tree; rich has to be installed (the extra ``rich``)."""
    # rich is an extra.
    from rich.markup import escape as literal
    from rich.tree import Tree

    tree = Tree(f"[bold]{literal(label)}[/bold]")
    for name, each in _members(value, level):
        if isinstance(each, (dict, list)) and each:
            tree.add(rich_tree(each, name, level + 1))
        else:
            tree.add(f"{literal(name)}  [cyan]{literal(repr(each))}[/cyan]")
    return tree


def html_tree(value: Any, label: str) -> str:
    """Return a dict or list as nested lists in HTML; all but the topmost are folded at first."""
    return _html(value, label, 1)


def _html(value: Any, label: str, level: int) -> str:
    items = []
    for name, each in _members(value, level):
        if isinstance(each, (dict, list)) and each:
            items.append(f"<li>{_html(each, name, level + 1)}</li>")
        else:
            items.append(f"<li>{escape(name)}: <code>{escape(repr(each))}</code></li>")
    flag = " open" if level == 1 else ""
    return f"<details{flag}><summary>{escape(label)}</summary><ul>{''.join(items)}</ul></details>"


def _members(value: Any, level: int) -> list[tuple[str, Any]]:
    if level > DEEPEST:
        return [("…", f"{len(value)} more")]
    if isinstance(value, dict):
        return [(str(key), each) for key, each in value.items()]
    members = [(f"[{number}]", each) for number, each in enumerate(value)]
    if len(members) > MOST_ITEMS:
        members[MOST_ITEMS:] = [("…", f"{len(members) - MOST_ITEMS} more")]
    return members
