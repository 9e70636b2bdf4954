"""Results as JUnit's XML, which build servers show."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import quoteattr

from dynadock.pages.markup import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dynadock.compat.results import Cell, Results

_ELEMENTS = {
    "failed": "failure",
    "deviating": "failure",
    "error": "error",
    "skipped": "skipped",
    "refused": "skipped",
    "absent": "skipped",
    "untried": "skipped",
}
"""The element that a test has for its outcome; one that passed has none."""


class _Case(NamedTuple):
    name: str
    seconds: float
    outcome: str
    reason: str


def junit(results: Results) -> str:
    """Return the document: a suite for each version of each engine, with its tests.

    A suite of which no test is known has its operations for tests.
    """
    suites = list(_suites(results))
    everything = [case for _, cases in suites for case in cases]
    lines = ['<?xml version="1.0" encoding="utf-8"?>']
    lines.append(f"<testsuites {_attributes('dynadock', everything)}>")
    for name, cases in suites:
        lines.append(f" <testsuite {_attributes(name, cases)}>")
        lines.extend(_case(name, case) for case in cases)
        lines.append(" </testsuite>")
    return "\n".join([*lines, "</testsuites>", ""])


def _suites(results: Results) -> Iterator[tuple[str, list[_Case]]]:
    cases: dict[tuple[str, str], list[_Case]] = {}
    for test in results.tests:
        case = _Case(test.id, test.seconds, test.outcome, test.reason)
        cases.setdefault((test.engine, test.version), []).append(case)
    tested = {*cases}
    for cell in results.cells:
        if (cell.engine, cell.version) not in tested:
            cases.setdefault((cell.engine, cell.version), []).append(_of_cell(cell))
    for engine in results.engines:
        for version in results.versions:
            if found := cases.get((engine.name, version)):
                yield f"{engine.name}-{version}", found


def _of_cell(cell: Cell) -> _Case:
    reason = cell.reason or cell.outcome
    return _Case(cell.operation, 0.0, cell.outcome, "" if cell.outcome == "passed" else reason)


def _attributes(name: str, cases: Iterable[_Case]) -> str:
    elements = [_ELEMENTS.get(case.outcome) for case in cases]
    seconds = sum(case.seconds for case in cases)
    return (
        f'name={_quoted(name)} tests="{len(elements)}" failures="{elements.count("failure")}"'
        f' errors="{elements.count("error")}" skipped="{elements.count("skipped")}"'
        f' time="{seconds:.3f}"'
    )


def _case(suite: str, case: _Case) -> str:
    start = (
        f"  <testcase classname={_quoted(suite)} name={_quoted(case.name)}"
        f' time="{case.seconds:.3f}"'
    )
    element = _ELEMENTS.get(case.outcome)
    if element is None:
        return f"{start}/>"
    return f"{start}><{element} message={_quoted(case.reason)}/></testcase>"


def _quoted(text: str) -> str:
    """Return an attribute's value; what XML cannot hold is shown escaped, as Python writes it."""
    return quoteattr(visible(text), {"\n": "&#10;"})
