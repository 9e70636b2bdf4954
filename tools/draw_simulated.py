#!/usr/bin/env python3
"""Write what the embedded engine simulates into docs/embedded.md, as the code has it.

    draw_simulated.py            write it; needed after a behaviour or its docstring changed
    draw_simulated.py --check    only say whether the page is what would be written

The exit code is 0, or 1 when --check finds a difference.
"""

from __future__ import annotations

import argparse
import re
import sys
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from dynadock.simulation.behaviour.refused import row_of
from dynadock.simulation.behaviour.table import names_of, simulated
from dynadock.simulation.programs.shell.builtins import BUILTINS
from dynadock.simulation.programs.shell.commands import APPLETS
from dynadock.spec.library import bundled_versions
from dynadock.spec.loader import load_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PAGE = Path(__file__).parents[1] / "docs" / "embedded.md"
WIDTH = 100

_MARKED = r"(<!-- drawn: {name} -->\n).*?(<!-- end -->)"


@cache
def operations() -> tuple[tuple[str, str], ...]:
    """Return the tag and the name of every operation of every bundled version, sorted.

    One that was renamed is there under its newest name.
    """
    specs = [load_version(version) for version in bundled_versions()]
    tags = {
        next((name for name in names_of(each) if name in specs[-1]), each.operation_id): each.tag
        for spec in specs
        for each in spec.values()
    }
    return tuple(sorted((tag, name) for name, tag in tags.items()))


def drawn(text: str) -> str:
    """Return the page's text with what the code says between its marks."""
    parts = {
        "simulated": _simulated(),
        "refused": _refused(),
        "not simulated": [_listed(_not_simulated())],
        "shell": [_listed(BUILTINS)],
        "commands": [_listed(APPLETS.keys() - {"busybox"})],
    }
    for name, lines in parts.items():
        found = re.search(_MARKED.format(name=name), text, re.DOTALL)
        if found is None:
            raise SystemExit(f"draw_simulated: {PAGE.name} has no place for what is {name}")
        told = "\n".join(["", *lines, "", ""])
        text = f"{text[: found.start()]}{found[1]}{told}{found[2]}{text[found.end() :]}"
    return text


def _simulated() -> list[str]:
    told = simulated()
    lines: list[str] = []
    for tag, found in groupby(operations(), key=lambda each: each[0]):
        rows = [f"| `{name}` | {_cell(told[name])} |" for _, name in found if name in told]
        if rows:
            lines += ["", f"| {tag} | what it does |", "|---|---|", *rows]
    return lines[1:]


def _cell(words: str) -> str:
    return words.replace("``", "`").replace("|", "\\|")


def _refused() -> list[str]:
    by_words: dict[str, list[str]] = {}
    for name, tag in _others():
        row = row_of(name, tag)
        if row is not None:
            by_words.setdefault(f"{row['status']} | `{row['message']}`", []).append(name)
    rows = [f"| {words} | {_names(names)} |" for words, names in by_words.items()]
    return ["| status | words | operations |", "|---|---|---|", *rows]


def _not_simulated() -> list[str]:
    return [name for name, tag in _others() if row_of(name, tag) is None]


def _others() -> Iterator[tuple[str, str]]:
    told = simulated()
    return ((name, tag) for tag, name in operations() if name not in told)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def _listed(names: Iterable[str]) -> str:
    """Return names in lines of the page's width."""
    lines = [""]
    for word in _names(names).split(" "):
        if len(lines[-1]) + len(word) >= WIDTH:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join(lines)


def main() -> int:
    """Carry out the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    text = PAGE.read_text(encoding="utf-8")
    fresh = drawn(text)
    if not arguments.check:
        PAGE.write_text(fresh, encoding="utf-8")
    elif fresh != text:
        print(f"draw_simulated: {PAGE.name} is not what the code says; draw it anew")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
