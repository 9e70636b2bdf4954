"""What is shown of a span of cells: why, what deviated, what was asked, and by which tests."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dynadock.compat.outcomes import BY_NAME, READ_FIRST, Outcome
from dynadock.contracts import FAILING
from dynadock.pages.markup import Content, Markup, element
from dynadock.pages.parts import Badge, code, fold, times
from dynadock.show.counts import counted
from dynadock.spec import history
from dynadock.spec.versions import parse_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from dynadock.compat.findings import Span

LOOKED_AT = ("failed", "deviating")
"""Outcomes that somebody has to look at."""

EXPLAINED = ("absent", "refused", "deviating", "failed")
"""Outcomes whose meaning is said where no reason is known."""

MOST_TESTS = 5
MOST_EXCHANGES = 5
MOST_DEVIATIONS = 30


def badge(outcome: str) -> Badge:
    """Return an outcome as it is shown outside of the map."""
    shown = BY_NAME[outcome]
    return Badge(shown.word, shown.tone, shown.sign)


def read_first() -> Iterator[Outcome]:
    """Yield the outcomes in the order in which a reader wants them."""
    return (BY_NAME[name] for name in READ_FIRST)


def left_out(count: int) -> Content:
    """Say how many are not shown, nothing if all are."""
    return element("p", f"And {count:,} more.", class_="quiet") if count > 0 else None


def why(operation_id: str, span: Span) -> Content:
    """Return the reason, as the run has it or as the documents do; nothing if all is well."""
    reason = span.reason
    if not reason and span.outcome == "absent":
        lifetime = history.of_operation(operation_id)
        version = parse_version(span.versions[0])
        reason = lifetime.relative_to(version).capitalize() + "." if lifetime else ""
    if not reason and span.outcome in EXPLAINED:
        reason = f"{BY_NAME[span.outcome].meaning.capitalize()}."
    return element("p", reason) if reason else None


def deviation_in_words(row: Mapping[str, Any]) -> str:
    """Return a deviation as a part of a line."""
    expected = f"expected {row['expected']}, " if row["expected"] else ""
    return f"{row['place'] or row['part']}: {expected}got {row['got'] or 'nothing'}"


def deviations(span: Span) -> Content:
    """Return what deviated, nothing if nothing did."""
    grave: list[Mapping[str, Any]] = []
    slight: list[Mapping[str, Any]] = []
    for row in span.deviations:
        (grave if row["kind"] in FAILING else slight).append(row)
    more = sum(cell.more_deviations for cell in span.cells)
    is_open = span.outcome in LOOKED_AT
    parts = []
    if grave:
        parts.append(
            _deviation_list(counted(len(grave), "deviation"), grave, more, is_open=is_open)
        )
    if slight:
        # Nine of ten are null where the document is silent.
        kinds = ", ".join(sorted({row["kind"] for row in slight}))
        words = f"{counted(len(slight), 'deviation')}, only counted ({kinds})"
        parts.append(_deviation_list(words, slight, 0 if grave else more))
    return parts


def _deviation_list(
    title: str, rows: Sequence[Mapping[str, Any]], more: int, *, is_open: bool = False
) -> Markup:
    items = [
        element(
            "li",
            element(
                "div",
                Badge(row["kind"], "warn" if row["kind"] in FAILING else "").markup(),
                element("span", row["part"], class_="quiet"),
                code(row["place"]) if row["place"] else None,
                element("span", times(row["count"]), class_="quiet count"),
                class_="line",
            ),
            element("p", _said(row)),
            class_="change",
        )
        for row in rows[:MOST_DEVIATIONS]
    ]
    left = max(0, len(rows) - MOST_DEVIATIONS) + more
    inside = [element("ul", items, class_="rows"), left_out(left)]
    return fold(title, inside, class_="minor", open_=is_open)


def _said(row: Mapping[str, Any]) -> str:
    expected = f"Expected {row['expected']}, got" if row["expected"] else "Got"
    home = f" ({row['definition']}.{row['field']})" if row["definition"] else ""
    return f"{expected} {row['got'] or 'nothing'}{home}."


def exchanges(span: Span) -> Content:
    """Return what was asked, nothing if nothing is known of it."""
    rows = span.exchanges
    if not rows:
        return None
    items = [
        element(
            "li",
            code(f"{row['method']} {row['target']}"),
            f" → {'no reply' if row['status'] is None else row['status']}",
            element("span", f", {times(row['count'])}{_times(row)}", class_="quiet count"),
        )
        for row in rows[:MOST_EXCHANGES]
    ]
    calls = counted(sum(row["count"] for row in rows), "call")
    inside = [element("ul", items, class_="rows"), left_out(len(rows) - MOST_EXCHANGES)]
    return fold(calls, inside, class_="minor", open_=span.outcome in LOOKED_AT)


def _times(row: Mapping[str, Any]) -> str:
    fastest, slowest = row["fastest"], row["slowest"]
    if fastest is None:
        return ""
    return f", {fastest:g} ms" if fastest == slowest else f", {fastest:g} to {slowest:g} ms"


def tests(span: Span) -> Content:
    """Return the tests that called it; those that differ in their parameters alone are one row."""
    known = Counter(test.partition("[")[0] for test in span.tests)
    if not known:
        return None
    items = [
        element("li", code(name), f" ({times(count)})" if count > 1 else None)
        for name, count in known.most_common(MOST_TESTS)
    ]
    more = len(known) - MOST_TESTS + span.untold_tests
    inside = [element("ul", items, class_="rows"), left_out(more)]
    total = known.total() + span.untold_tests
    return fold(counted(total, "test"), inside, class_="minor")
