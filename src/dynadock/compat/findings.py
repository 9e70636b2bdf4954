"""Cells put together for a reader: neighbours of which the same is said, and what explains them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from dynadock.compat.outcomes import BY_NAME
from dynadock.contracts import FAILING
from dynadock.errors import SpecError
from dynadock.spec.loader import load_version
from dynadock.spec.versions import parse_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from dynadock.compat.results import Cell, Results
    from dynadock.spec.differences import Difference
    from dynadock.spec.model import Operation, Spec

OTHERS = "Other"
"""The tag of operations that no document of ours has."""


class Span(NamedTuple):
    """Neighbouring versions of one engine in which the same became of an operation.

    ``before`` is the version in front of the first of them, empty if that is the engine's first.
    """

    engine: str
    versions: tuple[str, ...]
    before: str
    outcome: str
    reason: str
    cells: tuple[Cell, ...]

    @property
    def deviations(self) -> list[Mapping[str, Any]]:
        """What deviated, each once, with how often it did in all of them."""
        counted: dict[tuple[str, ...], dict[str, Any]] = {}
        for cell in self.cells:
            for row in cell.deviations:
                key = _said(row)
                known = counted.get(key)
                count = row["count"] + (known["count"] if known else 0)
                counted[key] = {**(known or row), "count": count}
        return list(counted.values())

    @property
    def exchanges(self) -> list[Mapping[str, Any]]:
        """What was asked, a row for each method and status."""
        counted: dict[tuple[str, int | None], dict[str, Any]] = {}
        for cell in self.cells:
            for row in cell.exchanges:
                known = counted.setdefault(
                    (row["method"], row["status"]), {**row, "count": 0, "others": 0}
                )
                known["count"] += row["count"] + row["others"]
                for name, choose in (("fastest", min), ("slowest", max)):
                    times = [each[name] for each in (known, row) if each[name] is not None]
                    known[name] = choose(times, default=None)
        return sorted(counted.values(), key=lambda each: -each["count"])

    @property
    def tests(self) -> list[str]:
        """The tests that called it, each once."""
        return list(dict.fromkeys(test for cell in self.cells for test in cell.tests))

    @property
    def untold_tests(self) -> int:
        """How many more there are that no cell has kept."""
        return sum(cell.more_tests for cell in self.cells)


def _said(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row[name] for name in ("kind", "part", "place", "expected", "got"))


class Findings:
    """A run's results as a reader wants them, with the documents that they are about."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self.versions = results.versions
        self.operations = results.operations
        self.specs = dict(_specs(self.versions))
        tried = {(cell.engine, cell.version) for cell in results.cells}
        self.columns = [
            (engine.name, version)
            for engine in results.engines
            for version in self.versions
            if (engine.name, version) in tried
        ]
        """Engines and the versions that they were asked in."""

    def operation(self, operation_id: str) -> Operation | None:
        """Return an operation as its newest document has it, None if none does."""
        specs = reversed(self.specs.values())
        return next((spec[operation_id] for spec in specs if operation_id in spec), None)

    def by_tag(self) -> Iterator[tuple[str, list[str]]]:
        """Yield tags with their operations, both by name."""
        tags: dict[str, list[str]] = {}
        for operation_id in self.operations:
            operation = self.operation(operation_id)
            tag = operation.tag if operation and operation.tag else OTHERS
            tags.setdefault(tag, []).append(operation_id)
        yield from sorted(tags.items(), key=lambda each: (each[0] == OTHERS, each[0]))

    def outcome(self, operation_id: str, engine: str, version: str) -> str:
        """Return what became of a cell; of one that nobody spoke of, what the document says."""
        cell = self.results.cell(operation_id, version, engine)
        if cell is not None:
            return cell.outcome
        spec = self.specs.get(version)
        return "absent" if spec is not None and operation_id not in spec else "untried"

    def spans(self, operation_id: str, engine: str) -> list[Span]:
        """Return what became of an operation on one engine, neighbours of one kind together."""
        made: list[Span] = []
        before = ""
        said: object = None
        for name, version in self.columns:
            if name != engine:
                continue
            cell = self.results.cell(operation_id, version, engine)
            outcome = self.outcome(operation_id, engine, version)
            reason = cell.reason if cell else ""
            cells = (cell,) if cell else ()
            saying = (outcome, without_version(reason, version), _grave(cell))
            if saying == said:
                last = made[-1]
                made[-1] = last._replace(
                    versions=(*last.versions, version), cells=(*last.cells, *cells)
                )
            else:
                made.append(Span(engine, (version,), before, outcome, reason, cells))
            before, said = version, saying
        return made

    def changes(self) -> dict[str, dict[tuple[str, str], list[Difference]]]:
        """Return what the documents changed about each operation, by pairs of versions.

        The pairs are neighbours in the run, and those that stand beside each other on an engine.
        """
        from dynadock.spec.differences import compare

        found: dict[str, dict[tuple[str, str], list[Difference]]] = {}
        for old, new in self._pairs():
            for difference in compare(self.specs[old], self.specs[new]):
                for operation_id in difference.operations:
                    part = difference.within(operation_id)
                    if part is not None and operation_id in self.operations:
                        found.setdefault(operation_id, {}).setdefault((old, new), []).append(part)
        return found

    def _pairs(self) -> list[tuple[str, str]]:
        pairs = {*pairwise(self.versions)}
        for engine in self.results.engines:
            spoken = [version for name, version in self.columns if name == engine.name]
            pairs.update(pairwise(spoken))
        known = [pair for pair in pairs if {*pair} <= {*self.specs}]
        return sorted(known, key=lambda pair: [parse_version(each) for each in reversed(pair)])


def without_version(reason: str, version: str) -> str:
    """Return a reason as it is compared with those of other versions, which name theirs."""
    return reason.replace(version, "")


def _grave(cell: Cell | None) -> set[tuple[str, ...]]:
    """Return what a program may trip over in a cell."""
    rows = cell.deviations if cell else ()
    return {_said(row) for row in rows if row["kind"] in FAILING}


def _specs(versions: Sequence[str]) -> Iterator[tuple[str, Spec]]:
    for version in versions:
        try:
            yield version, load_version(parse_version(version))
        except SpecError:
            # A run may have been of a document that is not here; it is shown without it.
            continue


def count_outcomes(outcomes: Iterable[str]) -> dict[str, int]:
    """Return how many there are of each outcome."""
    counts = dict.fromkeys(BY_NAME, 0)
    for outcome in outcomes:
        counts[outcome] += 1
    return counts
