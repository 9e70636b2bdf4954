"""The results of a run: operations by versions by engines, with what each cell rests on.

A run adds engines, tests and cells as they come; what several processes have is merged. A cell
keeps its worst outcome, by the order of `OUTCOMES`, and a bounded number of rows of each kind.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.atomic import replacing
from dynadock.compat.outcomes import BY_NAME, RANK, TEST_OUTCOMES
from dynadock.errors import SpecError
from dynadock.spec.versions import parse_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

FORMAT = "dynadock results 1"
"""What the file says of itself."""

LARGEST = 64 * 2**20
"""Bytes of a file of results that is read."""

MOST_REASONS = 4
MOST_TESTS = 12
MOST_DEVIATIONS = 40
MOST_TARGETS = 3
"""What a cell keeps of each kind: targets are those of one method and status."""

LONGEST = 600
"""Characters of a text that is kept; the rest is left out."""


class EngineFacts(NamedTuple):
    """An engine that took part: its name in the run, and what it says of itself.

    ``kind`` is docker, podman, embedded or another word, ``address_kind`` that of its address
    (unix, tcp, ssh, embedded), which is no secret.
    """

    name: str
    kind: str = ""
    release: str = ""
    oldest: str = ""
    newest: str = ""
    address_kind: str = ""


class TestOutcome(NamedTuple):
    """What became of a test on one version of one engine."""

    id: str
    engine: str
    version: str
    outcome: str
    seconds: float
    reason: str


class Cell:
    """What became of one operation at one version of one engine, and what shows it.

    ``reasons`` are those of the outcome that holds; ``exchanges`` have a row for each method,
    status and (some) targets, with ``count``, ``fastest`` and ``slowest`` in milliseconds and
    ``others``, further ones of that method and status with targets of their own.
    """

    __slots__ = (
        "deviations",
        "engine",
        "exchanges",
        "more_deviations",
        "more_tests",
        "operation",
        "outcome",
        "reasons",
        "tests",
        "version",
    )

    def __init__(self, operation: str, version: str, engine: str) -> None:
        self.operation = operation
        self.version = version
        self.engine = engine
        self.outcome = ""
        self.reasons: list[str] = []
        self.tests: list[str] = []
        self.more_tests = 0
        self.exchanges: list[dict[str, Any]] = []
        self.deviations: list[dict[str, Any]] = []
        self.more_deviations = 0

    @property
    def reason(self) -> str:
        """The reasons as one text."""
        return "; ".join(self.reasons)

    def say(self, outcome: str, reasons: Iterable[str]) -> None:
        """Take an outcome if it is worse than what was known, or further reasons of the same."""
        known = RANK.get(self.outcome, -1)
        if RANK[outcome] < known:
            return
        if RANK[outcome] > known:
            self.outcome, self.reasons = outcome, []
        for reason in reasons:
            if reason and reason not in self.reasons and len(self.reasons) < MOST_REASONS:
                self.reasons.append(reason)

    def add_test(self, test_id: str) -> None:
        """Note a test that called it."""
        if test_id in self.tests:
            return
        if len(self.tests) < MOST_TESTS:
            self.tests.append(test_id)
        else:
            self.more_tests += 1

    def add_exchange(self, row: Mapping[str, Any]) -> None:
        """Count an exchange, or a row of them."""
        alike = [
            each
            for each in self.exchanges
            if (each["method"], each["status"]) == (row["method"], row["status"])
        ]
        same = next((each for each in alike if each["target"] == row["target"]), None)
        if same is None and len(alike) >= MOST_TARGETS:
            alike[0]["others"] += row["count"] + row["others"]
        elif same is None:
            self.exchanges.append(dict(row))
        else:
            same["count"] += row["count"]
            same["others"] += row["others"]
            for name, choose in (("fastest", min), ("slowest", max)):
                known = [each[name] for each in (same, row) if each[name] is not None]
                same[name] = choose(known, default=None)

    def add_deviation(self, row: Mapping[str, Any]) -> None:
        """Count a deviation with those that say the same."""
        same = next((each for each in self.deviations if _alike(each, row)), None)
        if same is not None:
            same["count"] += row["count"]
        elif len(self.deviations) < MOST_DEVIATIONS:
            self.deviations.append(dict(row))
        else:
            self.more_deviations += 1

    def merge(self, other: Cell) -> None:
        """Take in what another process has of the same cell."""
        self.say(other.outcome, other.reasons)
        for test in other.tests:
            self.add_test(test)
        for row in other.exchanges:
            self.add_exchange(row)
        for row in other.deviations:
            self.add_deviation(row)
        self.more_tests += other.more_tests
        self.more_deviations += other.more_deviations

    def as_dict(self) -> dict[str, Any]:
        """Return it as it stands in the file."""
        row: dict[str, Any] = {
            "operation": self.operation,
            "version": self.version,
            "engine": self.engine,
            "outcome": self.outcome,
            "reason": self.reason,
            "tests": list(self.tests),
            "exchanges": [dict(each) for each in self.exchanges],
            "deviations": [dict(each) for each in self.deviations],
        }
        if len(self.reasons) > 1:
            row["reasons"] = list(self.reasons)
        for name, count in (("tests", self.more_tests), ("deviations", self.more_deviations)):
            if count:
                row[f"more_{name}"] = count
        return row

    def __repr__(self) -> str:
        return f"<{self.operation} {self.version} on {self.engine}: {self.outcome}>"


class Results:
    """What a run found out; equal runs give equal files but for ``made``.

    ``made`` is when it was made, as ISO 8601 writes it, ``how`` the command or the words that say
    how one gets it again. Neither is asked of the clock here.
    """

    def __init__(self, *, made: str = "", how: str = "") -> None:
        self.made = made
        self.how = how
        self._engines: dict[str, EngineFacts] = {}
        self._tests: dict[tuple[str, str, str], TestOutcome] = {}
        self._cells: dict[tuple[str, str, str], Cell] = {}

    def add_engine(
        self,
        name: str,
        kind: str = "",
        release: str = "",
        oldest: object = "",
        newest: object = "",
        *,
        address_kind: str = "",
    ) -> None:
        """Add an engine, or what is known of it meanwhile."""
        given = (name, kind, release, oldest, newest, address_kind)
        facts = EngineFacts(*(_short(each) for each in given))
        known = self._engines.get(facts.name, EngineFacts(facts.name))
        self._engines[facts.name] = EngineFacts(
            *(new or old for new, old in zip(facts, known, strict=True))
        )

    def add_test(
        self,
        test_id: str,
        engine: str,
        version: object,
        outcome: str,
        *,
        seconds: float = 0.0,
        reason: str = "",
    ) -> None:
        """Add what became of a test: passed, failed, error or skipped; the worst one holds."""
        _one_of(outcome, TEST_OUTCOMES, "a test's outcome")
        made = TestOutcome(
            _short(test_id),
            _short(engine),
            _version(version),
            outcome,
            round(float(seconds), 4),
            _short(reason),
        )
        self._engines.setdefault(made.engine, EngineFacts(made.engine))
        key = (made.id, made.engine, made.version)
        known = self._tests.get(key)
        if known is None or _test_rank(made) > _test_rank(known):
            self._tests[key] = made

    def add_cell(
        self,
        operation_id: str,
        version: object,
        engine: str,
        outcome: str,
        reason: str = "",
        *,
        test: str = "",
        exchanges: Iterable[object] = (),
        deviations: Iterable[object] = (),
    ) -> None:
        """Say what became of an operation at a version of an engine; what was said stays.

        Exchanges and deviations are mappings, or objects with these attributes: ``method``,
        ``target``, ``status``, ``milliseconds``; and ``kind``, ``part``, ``place``, ``definition``,
        ``field``, ``expected``, ``got``, ``since``, ``count``, ``first``, ``allowed``. Their texts
        are shown as they are, so secrets in them are masked by who gives them. An unknown outcome
        is a ValueError.
        """
        _one_of(outcome, BY_NAME, "an outcome")
        cell = self._cell(_short(operation_id), _version(version), _short(engine))
        cell.say(outcome, [_short(reason)])
        if test:
            cell.add_test(_short(test))
        for exchange in exchanges:
            cell.add_exchange(_exchange(exchange))
        for deviation in deviations:
            cell.add_deviation(_deviation(deviation, cell.operation))

    def _cell(self, operation_id: str, version: str, engine: str) -> Cell:
        key = (operation_id, version, engine)
        cell = self._cells.get(key)
        if cell is None:
            self._engines.setdefault(engine, EngineFacts(engine))
            cell = self._cells[key] = Cell(operation_id, version, engine)
        return cell

    @property
    def engines(self) -> Sequence[EngineFacts]:
        """The engines, in the order in which they were added."""
        return tuple(self._engines.values())

    @property
    def versions(self) -> Sequence[str]:
        """The versions of which something is known, oldest first."""
        known = {version for _, version, _ in (*self._cells, *self._test_keys())}
        return sorted(known, key=parse_version)

    @property
    def operations(self) -> Sequence[str]:
        """The operations of which something is known, by name."""
        return sorted({operation for operation, _, _ in self._cells})

    @property
    def tests(self) -> Sequence[TestOutcome]:
        """The tests, by id, engine and version."""
        order = self._order()
        return sorted(self._tests.values(), key=lambda each: order(*each[:3]))

    @property
    def cells(self) -> Sequence[Cell]:
        """The cells, by operation, engine and version."""
        order = self._order()
        return sorted(
            self._cells.values(), key=lambda each: order(each.operation, each.engine, each.version)
        )

    def cell(self, operation_id: str, version: object, engine: str) -> Cell | None:
        """Return a cell, None where nothing was said of it."""
        return self._cells.get((operation_id, _version(version), engine))

    @property
    def counts(self) -> dict[str, int]:
        """How many cells there are of each outcome."""
        counts = dict.fromkeys(BY_NAME, 0)
        for cell in self._cells.values():
            counts[cell.outcome] += 1
        return counts

    def merge(self, other: Results) -> None:
        """Take in what another run, or another process of the same run, has found out."""
        for facts in other.engines:
            self.add_engine(**facts._asdict())
        for test in other.tests:
            self.add_test(*test[:4], seconds=test.seconds, reason=test.reason)
        for cell in other.cells:
            self._cell(cell.operation, cell.version, cell.engine).merge(cell)
        self.made = max(self.made, other.made)
        self.how = self.how or other.how

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values, in a fixed order."""
        return {
            "format": FORMAT,
            "made": self.made,
            "how": self.how,
            "engines": [each._asdict() for each in self.engines],
            "versions": list(self.versions),
            "counts": self.counts,
            "cells": [each.as_dict() for each in self.cells],
            "tests": [each._asdict() for each in self.tests],
        }

    @classmethod
    def from_dict(cls, tree: Any) -> Results:
        """Read what `as_dict` gives; SpecError if it is something else, which says where."""
        if not isinstance(tree, Mapping) or tree.get("format") != FORMAT:
            said = tree.get("format") if isinstance(tree, Mapping) else None
            raise SpecError(
                f'expected results with "format": "{FORMAT}", got {_quoted(said)};'
                " Results.write makes such a file"
            )
        results = cls(made=_text(tree, "made"), how=_text(tree, "how"))
        for place, row in _rows(tree, "engines"):
            with _Reading(place):
                results.add_engine(**{name: _text(row, name) for name in EngineFacts._fields})
        for place, row in _rows(tree, "cells"):
            with _Reading(place):
                results._read_cell(row)
        for place, row in _rows(tree, "tests"):
            with _Reading(place):
                texts = [_text(row, name) for name in ("id", "engine", "version", "outcome")]
                results.add_test(*texts, seconds=row["seconds"], reason=_text(row, "reason"))
        return results

    def _read_cell(self, row: Mapping[str, Any]) -> None:
        operation, version, engine, outcome = (
            _text(row, name) for name in ("operation", "version", "engine", "outcome")
        )
        self.add_cell(
            operation,
            version,
            engine,
            outcome,
            exchanges=row["exchanges"],
            deviations=row["deviations"],
        )
        cell = self._cell(operation, version, engine)
        cell.say(outcome, map(_short, row.get("reasons") or [row["reason"]]))
        for test in row["tests"]:
            cell.add_test(_short(test))
        cell.more_tests += int(row.get("more_tests", 0))
        cell.more_deviations += int(row.get("more_deviations", 0))

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Results:
        """Read a file that `write` made; SpecError if it cannot be."""
        from dynadock.spec.files import read_regular

        try:
            content = read_regular(os.fspath(path), LARGEST)
            return cls.from_dict(json.loads(content))
        except SpecError as error:
            raise SpecError(f"{os.fspath(path)}: {error}") from None
        except (OSError, ValueError, RecursionError) as error:
            raise SpecError(f"{os.fspath(path)} cannot be read as results: {error}") from None

    def json(self) -> str:
        """Return the file's text."""
        return json.dumps(self.as_dict(), indent=1) + "\n"

    def junit(self) -> str:
        """Return JUnit's XML: a suite for each engine and version, with its tests.

        A suite of which no test is known has its cells for tests.
        """
        from dynadock.compat.junit import junit

        return junit(self)

    def html(self, *, differences: bool = True, beside: Sequence[str] = ()) -> str:
        """Return the page: a heat map whose cells open what they rest on.

        ``differences`` adds what changed between the versions about each operation, as far as
        there are documents of them; ``beside`` names files that the page points to.
        """
        from dynadock.compat.report import page

        return page(self, differences=differences, beside=beside)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write a file, or replace it as a whole: the page, JUnit's XML, or else JSON.

        The name decides: ``.html`` is the page, with the two others beside it, ``.xml`` JUnit's.
        """
        target = Path(path)
        suffix = target.suffix.lower()
        if suffix in (".html", ".htm"):
            beside = (target.with_suffix(".json"), target.with_suffix(".xml"))
            for other in beside:
                self.write(other)
            text = self.html(beside=[each.name for each in beside])
        else:
            text = self.junit() if suffix == ".xml" else self.json()
        with replacing(path) as file:
            file.write(text.encode())

    def _test_keys(self) -> Iterator[tuple[str, str, str]]:
        return ((name, version, engine) for name, engine, version in self._tests)

    def _order(self) -> Callable[[str, str, str], tuple[str, int, int]]:
        """Return what rows are sorted by."""
        engines = {name: place for place, name in enumerate(self._engines)}
        versions = {version: place for place, version in enumerate(self.versions)}
        return lambda name, engine, version: (name, engines[engine], versions[version])

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {name}" for name, count in self.counts.items() if count)
        return f"<Results {len(self._engines)} engines, {len(self.versions)} versions: {counts}>"


class _Reading:
    """Says at which row of a file something is wrong."""

    def __init__(self, place: str) -> None:
        self._place = place

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, KeyError):
            raise SpecError(f"{self._place}: {error.args[0]!r} is missing") from None
        if isinstance(error, (TypeError, ValueError, AttributeError)):
            raise SpecError(f"{self._place}: {error}") from None


def _rows(tree: Mapping[str, Any], name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    rows = tree.get(name)
    if not isinstance(rows, list):
        raise SpecError(f"{name}: expected a list, got {_quoted(rows)}")
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise SpecError(f"{name}[{number}]: expected an object, got {_quoted(row)}")
        yield f"{name}[{number}]", row


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if not isinstance(value, str):
        raise SpecError(f"{name}: expected a text, got {_quoted(value)}")
    return value


def _quoted(value: object) -> str:
    return _short(repr(value), 80)


def _short(value: object, longest: int = LONGEST) -> str:
    text = str(value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _version(version: object) -> str:
    return _version_of(str(version))


@lru_cache(maxsize=256)
def _version_of(text: str) -> str:
    return str(parse_version(text))


def _one_of(value: str, known: Iterable[str], what: str) -> None:
    if value not in known:
        raise ValueError(f"expected {what}: {', '.join(known)}; got {value!r}")


def _test_rank(test: TestOutcome) -> int:
    return TEST_OUTCOMES.index(test.outcome)


def _get(row: object, name: str, default: Any = None) -> Any:
    return row.get(name, default) if isinstance(row, Mapping) else getattr(row, name, default)


def _exchange(given: object) -> dict[str, Any]:
    """Return an exchange, or a row of them, as a cell has it."""
    milliseconds = _get(given, "milliseconds")
    status = _get(given, "status")
    return {
        "method": _short(_get(given, "method")),
        "target": _short(_get(given, "target")),
        "status": None if status is None else int(status),
        "count": _count(given, 1),
        "others": int(_get(given, "others", 0)),
        "fastest": _rounded(_get(given, "fastest", milliseconds)),
        "slowest": _rounded(_get(given, "slowest", milliseconds)),
    }


def _rounded(milliseconds: Any) -> float | None:
    return None if milliseconds is None else round(float(milliseconds), 2)


_OF_DEVIATIONS = (
    *("kind", "part", "place", "definition", "field"),
    *("expected", "got", "since", "first", "allowed"),
)


def _deviation(given: object, operation_id: str) -> dict[str, Any]:
    """Return a deviation as a cell has it: its texts, and how often it was met."""
    row: dict[str, Any] = {name: _short(_get(given, name) or "") for name in _OF_DEVIATIONS}
    places = _get(given, "operations")
    if isinstance(places, Mapping) and operation_id in places:
        # It is grouped by its definition, which stands elsewhere in another operation.
        row["place"] = _short(places[operation_id])
    row["count"] = _count(given, 1)
    return row


def _count(given: object, default: int) -> int:
    # A tuple has a method of that name.
    count = _get(given, "count", default)
    return count if isinstance(count, int) else default


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    names = ("kind", "part", "place", "expected", "got")
    return all(one[name] == other[name] for name in names)
