"""What a run says at its end: a table for the terminal, and one for GitHub's step summary."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dynadock.testing.tally import IDLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dynadock.testing.engines import Engine
    from dynadock.testing.tally import Failure, Tally

VARIABLE = "GITHUB_STEP_SUMMARY"

LONGEST = 300
"""Characters of a reason in the summary, of which GitHub takes a megabyte."""

_MOST_ROWS = 500
_MOST_FAILURES = 20
_SPECIAL = r"\A[-+]|[\\`*_{}\[\]<>()#!|~&$@:]"


def lines_of(table: Sequence[Sequence[str]]) -> list[str]:
    """Lay a table out: the first two columns are words, all others numbers."""
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
    lines = []
    for row in table:
        cells = [
            text.ljust(width) if place < 2 else text.rjust(width)  # noqa: PLR2004
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def none_ran(tally: Tally) -> str:
    """Say that nothing ran though engines were asked for; empty if something did."""
    if tally.ran or not tally.idle:
        return ""
    counts = tally.totals
    what = ", ".join(f"{counts[name]} {name}" for name in IDLE if counts[name])
    return f"no test ran on an engine ({what}), so the run has failed"


def markdown(tally: Tally, engines: Iterable[Engine], notes: Iterable[str]) -> str:
    """Write the step summary."""
    table = tally.table()
    head, *rows = table
    engines = tuple(engines)
    lines = ["### Docker engines and API versions", ""]
    lines.append(_row(head))
    lines.append(_row(["---", "---", *["---:"] * (len(head) - 2)], plain=True))
    lines += [_row(row) for row in rows[:_MOST_ROWS]]
    if len(rows) > _MOST_ROWS:
        lines.append(_row([f"{len(rows) - _MOST_ROWS} more", *[""] * (len(head) - 1)]))
    lines.append("")
    lines += [f"- {escaped(str(each))}" for each in engines]
    lines += [f"- **{escaped(each)}**" for each in (none_ran(tally), *notes) if each]
    # Each test on an engine that is missing fails for the one reason that stands above.
    missing = {each.name for each in engines if each.fault}
    lines += _failures([each for each in tally.failures if each.key[0] not in missing])
    return "\n".join(lines) + "\n\n"


def _failures(failures: Sequence[Failure]) -> list[str]:
    if not failures:
        return []
    lines = ["", "Failures:", ""]
    lines += [f"- {escaped(f'{each.test}: {each.reason}')}" for each in failures[:_MOST_FAILURES]]
    more = len(failures) - _MOST_FAILURES
    return [*lines, f"- {more} more"] if more > 0 else lines


def _row(cells: Sequence[str], *, plain: bool = False) -> str:
    return "| " + " | ".join(each if plain else escaped(each) for each in cells) + " |"


def escaped(text: str) -> str:
    """Write a text so that Markdown and HTML have no say in it, on one line, and not too long."""
    line = " ".join(text.split())
    line = line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
    line = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line)
    return re.sub(_SPECIAL, lambda found: f"&#{ord(found[0])};", line)
