"""The page of a run: operations by versions of engines as a heat map, and what cells rest on."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from dynadock.compat.findings import Findings, Span, count_outcomes, without_version
from dynadock.compat.outcomes import BY_NAME
from dynadock.compat.report_details import (
    LOOKED_AT,
    badge,
    deviation_in_words,
    deviations,
    exchanges,
    left_out,
    read_first,
    tests,
    why,
)
from dynadock.explore.difference_rows import difference_list
from dynadock.pages.document import Section, document
from dynadock.pages.markup import Content, Markup, element, joined
from dynadock.pages.matrix import MatrixCell, MatrixColumn, MatrixRow, RowGroup, matrix
from dynadock.pages.parts import (
    Badge,
    Checks,
    Choice,
    Part,
    Tile,
    bar,
    code,
    facts,
    filters,
    fold,
    moment_in_words,
    table,
    tiles,
    versions_in_words,
)
from dynadock.show.counts import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dynadock.compat.results import EngineFacts, Results
    from dynadock.spec.differences import Difference

    Changes = Mapping[tuple[str, str], Sequence[Difference]]

MOST_SPANS = 4_000
"""Spans up to which calls and tests are shown of those in which nothing went wrong, too."""

MOST_LOOKED_AT = 200
MOST_FAILED_TESTS = 200
MOST_IN_WORDS = 3

_MAP = "map"
_BRIEF = (
    "As there is so much of it, calls and tests are shown only of what failed or deviates; the"
    " results as JSON have them all."
)
_FAILED = ("failed", "error")


def page(results: Results, *, differences: bool = True, beside: Sequence[str] = ()) -> str:
    """Return a run's page as the text of its file.

    ``differences`` shows beside the cells what the documents changed; ``beside`` names files that
    hold the same results in other forms, in the folder of the page.
    """
    return _Page(results, differences=differences, beside=beside).text()


class _Entry(NamedTuple):
    """An operation with its spans by engine."""

    number: int
    operation_id: str
    spans: Mapping[str, Sequence[Span]]

    @property
    def id(self) -> str:
        return f"o{self.number}"

    def id_of(self, engine: int, span: int) -> str:
        return f"o{self.number}e{engine}s{span}"

    def id_of_pair(self, pair: tuple[str, str]) -> str:
        return f"o{self.number}v{'-'.join(pair)}"


class _Page:
    """What the parts of the page have in common."""

    def __init__(self, results: Results, *, differences: bool, beside: Sequence[str]) -> None:
        self._results = results
        self._tests = results.tests
        self._beside = beside
        self._findings = Findings(results)
        self._changes = self._findings.changes() if differences else {}
        self._engines = [each.name for each in results.engines]
        self._tags = list(self._findings.by_tag())
        names = [name for _, operations in self._tags for name in operations]
        self._entries = {
            name: _Entry(
                number,
                name,
                {engine: self._findings.spans(name, engine) for engine in self._engines},
            )
            for number, name in enumerate(names)
        }
        spans = sum(len(each) for entry in self._entries.values() for each in entry.spans.values())
        self._is_long = spans > MOST_SPANS
        outcomes = {
            engine: [
                span.outcome
                for entry in self._entries.values()
                for span in entry.spans[engine]
                for _ in span.versions
            ]
            for engine in self._engines
        }
        self._counts = {engine: count_outcomes(each) for engine, each in outcomes.items()}
        self._total = count_outcomes(each for some in outcomes.values() for each in some)

    def text(self) -> str:
        """Return the page."""
        sections = [
            Section("summary", "Summary", self._summary()),
            Section("engines", "Engines", self._engine_table()),
            Section(_MAP, "Operations by engine and version", self._map(), "Map"),
        ]
        if looked_at := self._looked_at():
            sections.append(Section("attention", "What to look at", looked_at))
        entries = joined(map(self._entry, self._entries.values()), "\n")
        sections.append(Section("operations", "Operations one by one", entries, "Operations"))
        if self._tests:
            sections.append(Section("tests", "Tests", self._test_tables()))
        sections.append(Section("about", "How this was made", self._about(), "About"))
        return document(
            "Compatibility report",
            sections,
            intro=element("p", self._lead(), class_="lead"),
            scripts=("filter.js", "matrix.js"),
            wide=True,
        )

    def _lead(self) -> str:
        versions = self._findings.versions
        span = f"{versions[0]} to {versions[-1]}" if versions else "of no version"
        made = f", made {moment_in_words(self._results.made)}" if self._results.made else ""
        return (
            f"{counted(len(self._entries), 'operation')} of the Engine API {span}"
            f" on {counted(len(self._engines), 'engine')}{made}."
        )

    # The summary, and the engines

    def _summary(self) -> Content:
        shown = tiles(
            Tile(
                f"{self._total[outcome.name]:,}",
                outcome.word.capitalize(),
                outcome.tone,
                outcome.sign,
                outcome.meaning,
            )
            for outcome in read_first()
        )
        return [shown, bar(_parts(self._total), "All cells")]

    def _engine_table(self) -> Markup:
        rows = [self._engine(each) for each in self._results.engines]
        columns = ("Engine", "What it is", "Speaks", "Asked in", "Reached by", "Cells", "Tests")
        return table("Engines", columns, rows, class_="stack")

    def _engine(self, engine: EngineFacts) -> Sequence[Content]:
        spoken = [version for name, version in self._findings.columns if name == engine.name]
        counts = self._counts[engine.name]
        tried = ", ".join(
            f"{counts[each.name]:,} {each.word}" for each in read_first() if counts[each.name]
        )
        return (
            _fixed(engine.name),
            _fixed(" ".join(filter(None, (engine.kind.capitalize(), engine.release))) or "unknown"),
            _fixed(" to ".join(filter(None, (engine.oldest, engine.newest))) or "unknown"),
            _fixed(versions_in_words(spoken, self._findings.versions) or "no version"),
            engine.address_kind or "unknown",
            [bar(_parts(counts), engine.name), element("span", tried, class_="quiet")],
            _fixed(self._tests_of(engine.name)),
        )

    def _tests_of(self, engine: str) -> str:
        outcomes = [test.outcome for test in self._tests if test.engine == engine]
        kinds = [f"{outcomes.count(each):,} {each}" for each in dict.fromkeys(sorted(outcomes))]
        return ", ".join(kinds) or "none"

    # The map

    def _map(self) -> Content:
        columns = [MatrixColumn(version, engine) for engine, version in self._findings.columns]
        groups = [
            RowGroup(tag, [self._row(self._entries[name]) for name in names])
            for tag, names in self._tags
        ]
        form = filters(
            "cells",
            [
                Choice("group", "Engine", [(each, each) for each in self._engines]),
                Choice("title", "Version", [(each, each) for each in self._findings.versions]),
                Choice("tag", "Tag", [(tag, tag) for tag, _ in self._tags]),
                Checks(
                    "kind", "Outcomes", [(each.name, badge(each.name)) for each in read_first()]
                ),
            ],
            placeholder="Operation, method or path",
            noun="operations",
        )
        caption = "What became of each operation at each version of each engine"
        signs = (element("li", badge(each.name).markup()) for each in read_first())
        key = element("ul", signs, class_="key", aria_label="Signs", data_plain=True)
        return [form, key, matrix("cells", caption, "Operation", columns, groups)]

    def _row(self, entry: _Entry) -> MatrixRow:
        cells = [
            MatrixCell(
                span.outcome,
                BY_NAME[span.outcome].sign,
                BY_NAME[span.outcome].word,
                entry.id_of(self._engines.index(engine), number),
            )
            for engine in self._engines
            for number, span in enumerate(entry.spans[engine])
            for _ in span.versions
        ]
        return MatrixRow(entry.operation_id, entry.id, cells, self._place(entry.operation_id))

    def _place(self, operation_id: str) -> str:
        operation = self._findings.operation(operation_id)
        return f"{operation.method} {operation.path}" if operation else ""

    def _looked_at(self) -> Content:
        """Return what failed or deviates; what is said alike of several places is one row."""
        found: dict[tuple[str, str, str], list[tuple[_Entry, int, int]]] = {}
        for entry in self._entries.values():
            for place, engine in enumerate(self._engines):
                for number, span in enumerate(entry.spans[engine]):
                    if span.outcome in LOOKED_AT:
                        said = without_version(_reason(span), span.versions[0])
                        key = (entry.operation_id, span.outcome, said)
                        found.setdefault(key, []).append((entry, place, number))
        if not found:
            return None
        rows = [self._looked_at_row(some) for some in [*found.values()][:MOST_LOOKED_AT]]
        columns = ("Operation", "Outcome", "Where", "Why")
        shown = table("What failed or deviates", columns, rows, class_="stack")
        return [shown, left_out(len(found) - MOST_LOOKED_AT)]

    def _looked_at_row(self, found: Sequence[tuple[_Entry, int, int]]) -> Sequence[Content]:
        entry, place, number = found[0]
        first = entry.spans[self._engines[place]][number]
        where = [
            element("div", _fixed(f"{span.engine} {self._in_words(span.versions)}"))
            for span in (each.spans[self._engines[at]][turn] for each, at, turn in found)
        ]
        link = element("a", entry.operation_id, href=f"#{entry.id_of(place, number)}")
        return (link, badge(first.outcome).markup(), where, _reason(first))

    # Operations

    def _entry(self, entry: _Entry) -> Markup:
        counts = count_outcomes(
            span.outcome for spans in entry.spans.values() for span in spans for _ in span.versions
        )
        summary = [
            element("span", entry.operation_id, class_="name"),
            element("span", code(self._place(entry.operation_id)), class_="place"),
            element(
                "span",
                (
                    Badge(f"{counts[each.name]} {each.word}", each.tone, each.sign).markup()
                    for each in read_first()
                    if counts[each.name]
                ),
                class_="counts",
            ),
        ]
        changes = self._changes.get(entry.operation_id, {})
        engines = [
            self._on_engine(entry, place, changes)
            for place, engine in enumerate(self._engines)
            if entry.spans[engine]
        ]
        columns: list[Content] = [element("div", engines, class_="col")]
        if self._changes:
            columns.append(self._history(entry, changes))
        inside = element("div", columns, class_="body twin" if self._changes else "body")
        return fold(summary, inside, class_="entry", id=entry.id)

    def _on_engine(self, entry: _Entry, place: int, changes: Changes) -> Markup:
        engine = self._engines[place]
        spans = [
            self._span(entry, place, number, changes) for number in range(len(entry.spans[engine]))
        ]
        return element("div", element("h3", engine), spans, class_="engine")

    def _span(self, entry: _Entry, place: int, number: int, changes: Changes) -> Markup:
        span = entry.spans[self._engines[place]][number]
        line = element(
            "div",
            badge(span.outcome).markup(),
            element("strong", self._in_words(span.versions)),
            class_="line",
        )
        pair = (span.before, span.versions[0])
        is_brief = self._is_long and span.outcome not in LOOKED_AT
        return element(
            "div",
            line,
            why(entry.operation_id, span),
            deviations(span),
            _change_link(entry, pair, changes),
            None if is_brief else [exchanges(span), tests(span)],
            class_="finding",
            id=entry.id_of(place, number),
        )

    def _history(self, entry: _Entry, changes: Changes) -> Markup:
        edges = {
            (span.before, span.versions[0]) for spans in entry.spans.values() for span in spans
        }
        parts = [
            element(
                "div",
                element(
                    "h4",
                    f"{pair[0]} to {pair[1]} ",
                    Badge("where the outcome changes", "info").markup() if pair in edges else None,
                ),
                difference_list(rows),
                id=entry.id_of_pair(pair),
                class_="why" if pair in edges else None,
            )
            for pair, rows in changes.items()
        ]
        nothing = element("p", "Nothing, in these versions.", class_="quiet")
        return element(
            "div", element("h3", "What its document changed"), parts or nothing, class_="col"
        )

    def _in_words(self, versions: Sequence[str]) -> str:
        return versions_in_words(versions, self._findings.versions)

    # Tests, and where it all comes from

    def _test_tables(self) -> Content:
        tests = self._tests
        outcomes = [test.outcome for test in tests]
        parts = [
            Part(outcomes.count("failed"), "failed", "bad"),
            Part(outcomes.count("error"), "in error", "warn"),
            Part(outcomes.count("passed"), "passed", "good"),
            Part(outcomes.count("skipped"), "skipped", ""),
        ]
        words = ", ".join(f"{each.size:,} {each.label}" for each in parts if each.size)
        shown: list[Content] = [element("p", words), bar(parts, "Tests")]
        failed = [test for test in tests if test.outcome in _FAILED]
        if failed:
            rows = [
                (code(test.id), f"{test.engine} {test.version}", test.outcome, test.reason)
                for test in failed[:MOST_FAILED_TESTS]
            ]
            columns = ("Test", "Where", "Outcome", "Why")
            shown += [element("h3", "Failed"), table("Tests that failed", columns, rows)]
            shown.append(left_out(len(failed) - MOST_FAILED_TESTS))
        return [*shown, self._skipped()]

    def _skipped(self) -> Content:
        reasons = Counter(test.reason for test in self._tests if test.outcome == "skipped")
        if not reasons:
            return None
        often = sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
        rows = [
            (reason or "no reason given", f"{count:,}")
            for reason, count in often[:MOST_FAILED_TESTS]
        ]
        made = table("Why tests were skipped", ("Why", "Tests"), rows)
        return [element("h3", "Skipped"), made, left_out(len(often) - MOST_FAILED_TESTS)]

    def _about(self) -> Content:
        links: Content = joined(
            (element("a", each, href=f"./{each}") for each in self._beside), ", "
        )
        rows: list[tuple[str, Content]] = []
        if self._results.made:
            rows.append(
                (
                    "Made",
                    element(
                        "time", moment_in_words(self._results.made), datetime=self._results.made
                    ),
                )
            )
        if self._results.how:
            rows.append(("Made by", code(self._results.how)))
        if self._beside:
            rows.append(("The same as data", links))
        meaning = facts(
            (f"{each.word.capitalize()} ({each.sign})", each.meaning) for each in read_first()
        )
        return [
            facts(rows) if rows else None,
            element(
                "p",
                "Every cell comes from calls that tests made to the engine at that version."
                " Where several tests called an operation, the worst of their outcomes is shown.",
            ),
            element("p", _BRIEF) if self._is_long else None,
            meaning,
        ]


def _parts(counts: Mapping[str, int]) -> Iterator[Part]:
    for each in read_first():
        yield Part(counts[each.name], each.word, each.tone or "none")


def _reason(span: Span) -> str:
    return span.reason or "; ".join(map(deviation_in_words, span.deviations[:MOST_IN_WORDS]))


def _fixed(text: str) -> Markup:
    return element("span", text, class_="fixed")


def _change_link(entry: _Entry, pair: tuple[str, str], changes: Changes) -> Content:
    if pair not in changes:
        return None
    words = f"{counted(len(changes[pair]), 'change')} of its document from {pair[0]} to {pair[1]}"
    return element("p", element("a", words, href=f"#{entry.id_of_pair(pair)}"), class_="minor")
