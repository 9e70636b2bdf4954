"""The project's own table as a page: what became of which operations where, written and read.

What did not pass stands in rows of Markdown tables. `read` gets the cells back from the rows, so
the page itself is what later runs are held against.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.spec import history
from dynadock.spec.library import available_versions
from dynadock.spec.loader import load_version
from dynadock.spec.versions import Version, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dynadock.compat.results import EngineFacts, Results

OUTCOMES = ("passed", "deviating", "refused", "failed", "untried")
"""Those of an operation that the version's document has."""


class Column(NamedTuple):
    """An engine, as the page calls it, at an API version."""

    engine: str
    version: Version

    def __str__(self) -> str:
        return f"{self.engine} at {self.version}"


@dataclass
class Found:
    """What is said of a column: outcomes of operations that did not pass, and what deviates.

    ``deviations`` has pairs of an operation and what is otherwise than documented.
    """

    outcomes: dict[str, tuple[str, str]] = field(default_factory=dict)
    deviations: set[tuple[str, str]] = field(default_factory=set)

    def outcome(self, operation_id: str) -> tuple[str, str]:
        """Return an operation's outcome, and why unless it is passed or deviating."""
        if any(name == operation_id for name, _ in self.deviations):
            return "deviating", ""
        return self.outcomes.get(operation_id, ("passed", ""))


Table = dict[Column, Found]


def label(facts: EngineFacts) -> str:
    """Return what the page calls an engine: ``Docker 20.10``."""
    return (
        "the embedded engine"
        if facts.kind == "embedded"
        else f"{facts.kind.title()} {facts.release}"
    )


def table_of(results: Results) -> Table:
    """Return what results say."""
    labels = {each.name: label(each) for each in results.engines}
    table: Table = {}
    for cell in results.cells:
        column = Column(labels[cell.engine], parse_version(cell.version))
        found = table.setdefault(column, Found())
        if cell.outcome == "deviating":
            found.deviations.update((cell.operation, words_of(row)) for row in cell.deviations)
        elif cell.outcome not in ("passed", "absent"):
            found.outcomes[cell.operation] = (cell.outcome, " ".join(cell.reason.split()))
    known = {(labels[cell.engine], cell.version, cell.operation) for cell in results.cells}
    for column, found in table.items():
        for operation_id in _documented(column.version):
            if (column.engine, str(column.version), operation_id) not in known:
                found.outcomes[operation_id] = ("untried", "nothing is known of it")
    return table


_SURE = ("null", "nothing", "no body")
"""What may come instead of a value and is the same each time."""


def words_of(deviation: Mapping[str, Any]) -> str:
    """Say what is otherwise than documented, in words that are the same each time and version."""
    expected, got = deviation["expected"], deviation["got"]
    if deviation["place"] == "status":
        return f"status {got}, which is not documented"
    home = deviation["definition"]
    if home and deviation["field"]:
        home += ("" if deviation["field"][0] in "[{" else ".") + deviation["field"]
    if deviation["kind"] == "wrong" and got == "nothing":
        return f"{home or deviation['place']}: missing, though it is required"
    if deviation["kind"] != "transport" and got not in _SURE:
        got = "something else"
    return f"{home or deviation['place'] or 'body'}: expected {expected}, got {got}"


# Writing


def draw(table: Table, answers: Sequence[tuple[Column, Mapping[str, Any]]] = ()) -> str:
    """Return the page; ``answers`` are the rows of answers.yaml that were met, with where."""
    sections = [_HEAD, *_counted(table)]
    for title, text, rows, heads in (
        ("Refused", _REFUSED, _reasons(table, "refused"), ("operations", "where", "why")),
        (
            "Otherwise than documented",
            _DEVIATING,
            _deviations(table),
            ("operations", "where", "what"),
        ),
        ("In their own way", _OWN, _answers(table, answers), ("call", "where", "why")),
        ("Failed", _FAILED, _reasons(table, "failed"), ("operations", "where", "why")),
        ("Not tried", _UNTRIED, _reasons(table, "untried"), ("operations", "where", "why")),
        ("Not in every document", _ABSENT, _absent(table), ("operation", "API versions")),
    ):
        lines = [*rows]
        sections.append(f"\n## {title}\n\n{text if lines else _NONE}\n")
        if lines:
            sections += ["", _line(heads), _line("---" for _ in heads), *map(_line, lines), ""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(sections)).rstrip("\n") + "\n"


_HEAD = """# Compatibility

<!-- drawn by `make compat`: do not edit -->

What this project's own tests found on real engines: every operation of the API, at every version
from 1.30 to 1.42 and at the newest that an engine speaks. `make compat` runs them and writes this
page; nothing in it is written by hand. What is not listed below did what the tests expect and what
the version's document says.

## Counts

"""

_REFUSED = "The engine does not do it, and says so: the status, its words, and why."
_DEVIATING = (
    "It works, and what came is not what the version's document says: a status or a media type\n"
    "that it does not have, null where it rules that out, a value of another type."
)
_OWN = "Single cases, of operations that work, in which an engine does something of its own."
_FAILED = "A test failed."
_UNTRIED = "No test calls it there."
_ABSENT = "These come and go with the API's version, whatever the engine."
_NONE = "None."


def _counted(table: Table) -> Iterator[str]:
    yield _line(("engine", "API", "operations", *OUTCOMES))
    yield _line(("---", "---", *("---:" for _ in range(1 + len(OUTCOMES)))))
    for engine in _engines(table):
        rows = [
            (version, _counts(table, Column(engine, version))) for version in _spoken(table, engine)
        ]
        for counts, group in groupby(rows, key=lambda row: row[1]):
            spans = _runs([version for version, _ in group])
            yield _line((_capital(engine), spans, str(sum(counts)), *map(str, counts)))


def _counts(table: Table, column: Column) -> tuple[int, ...]:
    found, names = table[column], _documented(column.version)
    said = {*found.outcomes, *(name for name, _ in found.deviations)}.intersection(names)
    outcomes = [found.outcome(name)[0] for name in said]
    counts = {each: outcomes.count(each) for each in OUTCOMES}
    return tuple({**counts, "passed": len(names) - len(said)}.values())


def _reasons(table: Table, outcome: str) -> Iterator[tuple[str, ...]]:
    cells = (
        (reason, operation_id, column)
        for column, found in table.items()
        for operation_id, (what, reason) in found.outcomes.items()
        if what == outcome
    )
    return _grouped(table, cells)


def _deviations(table: Table) -> Iterator[tuple[str, ...]]:
    cells = (
        (words, operation_id, column)
        for column, found in table.items()
        for operation_id, words in found.deviations
    )
    return _grouped(table, cells)


def _grouped(table: Table, cells: Iterable[tuple[str, str, Column]]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each reason and each set of places, with all operations that have both."""
    places: dict[tuple[str, str], set[Column]] = {}
    for reason, operation_id, column in cells:
        places.setdefault((reason, operation_id), set()).add(column)
    rows: dict[tuple[str, str], list[str]] = {}
    for (reason, operation_id), columns in places.items():
        where = _where(table, columns, [operation_id])
        rows.setdefault((reason, where), []).append(operation_id)
    # Rows whose operations come and go say the same of all of them.
    for (reason, where), names in sorted(rows.items(), key=lambda row: (min(row[1]), row[0])):
        yield ", ".join(f"`{name}`" for name in sorted(names)), where, reason


def _answers(
    table: Table, answers: Iterable[tuple[Column, Mapping[str, Any]]]
) -> Iterator[tuple[str, ...]]:
    places: dict[tuple[str, str], set[Column]] = {}
    for column, row in answers:
        operation_id, _, case = row["case"].partition(": ")
        if case:
            said = f"{row['status']} {row['message']}. " if row["status"] is not None else ""
            places.setdefault((row["case"], said + row["why"]), set()).add(column)
    for (case, why), columns in sorted(places.items()):
        operation_id, _, words = case.partition(": ")
        yield f"`{operation_id}`: {words}", _where(table, columns, [operation_id]), why


def _absent(table: Table) -> Iterator[tuple[str, str]]:
    versions = {column.version for column in table}
    for lifetime in sorted(history.operations(), key=lambda each: each.name):
        known = [any(version in each for each in lifetime.ranges) for version in versions]
        if any(known) and not all(known):
            yield f"`{lifetime.name}`", str(lifetime)


def _where(table: Table, columns: set[Column], operations: Sequence[str]) -> str:
    """Say where: engines, and their versions where these are not all that have the operations."""
    return "; ".join(
        engine + _versions_in_words(table, engine, columns, operations)
        for engine in _engines(table)
        if any(column.engine == engine for column in columns)
    )


def _versions_in_words(
    table: Table, engine: str, columns: set[Column], operations: Sequence[str]
) -> str:
    spoken = _having(table, engine, operations)
    found = [version for version in spoken if Column(engine, version) in columns]
    return "" if found == spoken else f" at {_runs(found)}"


def _having(table: Table, engine: str, operations: Sequence[str]) -> list[Version]:
    """List the versions of an engine's columns whose documents have one of the operations."""
    return [
        version
        for version in _spoken(table, engine)
        if any(name in _documented(version) for name in operations)
    ]


def _runs(versions: Sequence[Version]) -> str:
    """Write versions, those that follow each other as one span."""
    known = _known()
    numbered = [(known.index(each) - place, each) for place, each in enumerate(versions)]
    runs = [
        [version for _, version in run] for _, run in groupby(numbered, key=lambda each: each[0])
    ]
    return ", ".join(_span(run[0], run[-1]) for run in runs)


def _span(first: Version, last: Version) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _engines(table: Table) -> list[str]:
    """List the engines: Docker's, Podman's, the embedded one, each by release."""
    names = {column.engine for column in table}
    return sorted(names, key=lambda name: (name.startswith("the "), name))


def _spoken(table: Table, engine: str) -> list[Version]:
    return sorted(column.version for column in table if column.engine == engine)


@cache
def _known() -> list[Version]:
    return [*available_versions()]


@cache
def _documented(version: Version) -> tuple[str, ...]:
    return tuple(each.operation_id for each in load_version(version).values())


def _capital(engine: str) -> str:
    return engine[0].upper() + engine[1:]


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


# Reading


def read(text: str) -> Table:
    """Return the table that a page was drawn of, without what is said of single cases."""
    sections = {part.partition("\n")[0]: [*_rows_in(part)] for part in text.split("\n## ")}
    table: Table = {
        Column(_small(engine), version): Found()
        for engine, span, *_ in sections.get("Counts", ())
        for version in _versions_in(span)
    }
    for title, outcome in (("Refused", "refused"), ("Failed", "failed"), ("Not tried", "untried")):
        for operations, where, reason in sections.get(title, ()):
            for operation_id, column in _cells(table, operations, where):
                table[column].outcomes[operation_id] = (outcome, reason)
    for operations, where, words in sections.get("Otherwise than documented", ()):
        for operation_id, column in _cells(table, operations, where):
            table[column].deviations.add((operation_id, words))
    return table


def _small(engine: str) -> str:
    return engine[0].lower() + engine[1:] if engine.startswith("The ") else engine


def _rows_in(part: str) -> Iterator[list[str]]:
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    for line in lines[2:]:
        cells = re.split(r"(?<!\\)\|", line)[1:-1]
        yield [cell.strip().replace("\\|", "|") for cell in cells]


def _versions_in(spans: str) -> Iterator[Version]:
    for span in spans.split(", "):
        first, last = (parse_version(each) for each in (*span.split("-"), span)[:2])
        yield first
        if last != first:
            yield from _between(first, last)


def _between(first: Version, last: Version) -> Iterator[Version]:
    """Yield the versions behind the first, up to the last."""
    yield from (each for each in _known() if first < each <= last)


def _cells(table: Table, operations: str, where: str) -> Iterator[tuple[str, Column]]:
    for operation_id in re.findall(r"`(\w+)`", operations):
        for place in where.split("; "):
            engine, _, spans = place.partition(" at ")
            versions = _versions_in(spans) if spans else _having(table, engine, [operation_id])
            for version in versions:
                column = Column(engine, version)
                if column in table and operation_id in _documented(version):
                    yield operation_id, column


# Comparing


def differences(table: Table, page: Table) -> list[str]:
    """Say where results are not as a page says, column by column.

    A deviation of the page that did not come again is none: an engine with nothing to say may say
    null one day and nothing the next.
    """
    return [
        f"{column}: {line}"
        for column, found in table.items()
        for line in _of_column(found, page.get(column), column.version)
    ]


def _of_column(found: Found, said: Found | None, version: Version) -> Iterator[str]:
    if said is None:
        yield "the page has no such column"
        return
    for operation_id in _documented(version):
        now, then = found.outcome(operation_id), said.outcome(operation_id)
        if now != then and not {now[0], then[0]} <= {"passed", "deviating"}:
            yield f"{operation_id} {_said(now)}; the page says {_said(then)}"
    for operation_id, words in sorted(found.deviations - said.deviations):
        yield f"{operation_id} is not as documented, and the page does not say so: {words}"


def _said(outcome: tuple[str, str]) -> str:
    return " ".join(each for each in (outcome[0], f"({outcome[1]})" if outcome[1] else "") if each)
