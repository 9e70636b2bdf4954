"""What was measured, as Markdown tables."""

from __future__ import annotations

import os
import platform
import statistics
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True)
class Table:
    """One table of results, with a line that says what was done."""

    title: str
    explanation: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def lines(self) -> Iterable[str]:
        yield f"## {self.title}"
        yield ""
        yield self.explanation
        yield ""
        yield _row(self.columns)
        yield _row(["---"] + ["---:"] * (len(self.columns) - 1))
        yield from map(_row, self.rows)
        yield ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


@dataclass(frozen=True)
class Sample:
    """Several measurements of one thing; medians are compared, for single runs catch noise."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def least(self) -> float:
        return min(self.values)

    def __truediv__(self, other: Sample) -> float:
        return self.median / other.median


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds * 1000:.0f} ms"


def mebibytes(size: float) -> str:
    return f"{size / 2**20:.1f} MiB"


def times(ratio: float) -> str:
    return f"{ratio:.2f} x"


def significant(number: float) -> str:
    """Write a number with three digits that count, thousands apart."""
    return f"{float(f'{number:.3g}'):,.0f}" if number >= 100 else f"{number:.3g}"


def setting(engine: str, rounds: str) -> Iterable[str]:
    """Say where and with what the figures came about; nothing that names this machine."""
    packages = ("requests", "urllib3", "jsonschema", "PyYAML", "docker")
    yield f"- Date: {datetime.now(UTC):%Y-%m-%d}"
    yield f"- Python {platform.python_version()}, {os.cpu_count()} CPUs, {platform.machine()}"
    yield f"- {', '.join(f'{name} {version(name)}' for name in packages)}"
    yield f"- dynadock {version('dynadock-client')}"
    yield f"- Engine {engine}, over its unix socket"
    yield f"- {rounds}"


def document(setting_lines: Iterable[str], tables: Iterable[Table]) -> str:
    lines = [
        "# Measurements",
        "",
        "Made by `make bench` (`python bench/run.py`) against the engine that DOCKER_HOST names.",
        "Contestants take turns, ratios are those of the medians.",
        "",
        *setting_lines,
        "",
    ]
    for table in tables:
        lines += table.lines()
    return "\n".join(lines).rstrip() + "\n"
