"""What became of the tests of a run, by engine and API version: counts, results, and its rest."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pytest

    from dynadock.compat.results import Results

SHOWN_ALWAYS = ("passed", "failed", "skipped", "deselected")
OUTCOMES = ("passed", "failed", "errors", "xfailed", "xpassed", "skipped", "deselected")
"""In the order of the table's columns."""

IDLE = ("skipped", "deselected")
RAN = ("passed", "failed", "errors", "xfailed", "xpassed")

MOST_FAILURES = 500
"""Failures that are kept for the summary."""

_NOT_ALLOWED = 405
_FIRST_OF_ENGINE = 500
"""Statuses from here on are the engine's own trouble; those below answer a call that was wrong."""

Key = tuple[str, str]
"""An engine's name and a version."""


class Failure(NamedTuple):
    """A test that failed, and what it said last."""

    test: str
    key: Key
    reason: str


class _Test:
    """What is known of a test that is not over yet."""

    def __init__(self) -> None:
        self.outcome = "passed"
        self.reason = ""
        self.seconds = 0.0


class Tally:
    """Counts outcomes by engine and version, and fills `Results` from what tests called.

    It is fed with pytest's reports, in the process that reports them; those of tests on an engine
    have an attribute ``dynadock`` with plain values (see `dynadock.testing.run`).
    """

    def __init__(self, keys: Iterable[Key] = (), results: Results | None = None) -> None:
        self.counts: dict[Key, Counter[str]] = {key: Counter() for key in keys}
        self.deviations: dict[Key, Counter[str]] = {}
        self.failures: list[Failure] = []
        self.results = results
        self._open: dict[Any, _Test] = {}
        self._calls: dict[tuple[str, str, str], _Calls] = {}

    def deselect(self, key: Key, count: int = 1) -> None:
        """Count tests that are out of their own range."""
        self._of(key)["deselected"] += count

    def _of(self, key: Key) -> Counter[str]:
        return self.counts.setdefault(key, Counter())

    def add(self, report: pytest.TestReport) -> None:
        """Take a report of one phase of a test."""
        said = getattr(report, "dynadock", None)
        if not isinstance(said, dict) or report.outcome not in ("passed", "failed", "skipped"):
            return
        key = (said["engine"], said["version"])
        place = (report.nodeid, getattr(report, "worker_id", ""))
        test = self._open.setdefault(place, _Test())
        test.seconds += report.duration
        outcome = _outcome(report)
        if outcome:
            self._of(key)[outcome] += 1
            if outcome in ("failed", "errors"):
                test.reason = test.reason or _reason(report)
                if len(self.failures) < MOST_FAILURES:
                    self.failures.append(Failure(report.nodeid, key, _reason(report)))
            elif outcome == "skipped":
                test.reason = _reason(report)
            if outcome != "passed" or test.outcome == "passed":
                test.outcome = outcome
        if report.when == "teardown":
            self._finish(key, self._open.pop(place), said)

    def _finish(self, key: Key, test: _Test, said: dict[str, Any]) -> None:
        for each in said.get("deviations", ()):
            counts = self.deviations.setdefault(key, Counter())
            counts["failing" if each["is_failing"] else "others"] += 1
        if self.results is not None and key[1]:
            self._report(self.results, key, test, said)

    def _report(self, results: Results, key: Key, test: _Test, said: dict[str, Any]) -> None:
        engine, version = key
        words = {"errors": "error", "xfailed": "skipped", "xpassed": "passed"}
        results.add_test(
            said["test"],
            engine,
            version,
            words.get(test.outcome, test.outcome),
            seconds=test.seconds,
            reason=test.reason,
        )
        for name, why in said.get("absent", ()):
            results.add_cell(name, version, engine, "absent", why, test=said["test"])
        has_failed = test.outcome in ("failed", "errors")
        for row in said.get("exchanges", ()):
            name, at = row["operation_id"], row["version"]
            results.add_cell(name, at, engine, "untried", test=said["test"], exchanges=[row])
            if not has_failed:
                self._calls.setdefault((name, at, engine), _Calls()).add(row)
        if has_failed and said.get("at_fault"):
            name, at = said["at_fault"]
            results.add_cell(name, at, engine, "failed", test.reason, test=said["test"])
        for row in said.get("deviations", ()):
            outcome, why = ("deviating", row["words"]) if row["is_failing"] else ("untried", "")
            for name, where in row["operations"].items():
                told = [row | {"place": where}]
                results.add_cell(name, row["version"], engine, outcome, why, deviations=told)

    def close(self) -> None:
        """Put into the results what all tests together say of each operation.

        One has passed if it was answered in a test that passed, be it that there is no such thing
        (404), which the test has then expected; it is refused if all that came were 405 or
        500 and above. What was called in a test that failed proves nothing by that.
        """
        for (name, version, engine), calls in self._calls.items():
            if self.results is not None:
                outcome, why = ("passed", "") if calls.worked else ("refused", calls.reason)
                self.results.add_cell(name, version, engine, outcome, why)
        self._calls.clear()

    @property
    def totals(self) -> Counter[str]:
        """The counts of all engines and versions together."""
        totals: Counter[str] = Counter()
        for counts in self.counts.values():
            totals.update(counts)
        return totals

    @property
    def ran(self) -> int:
        """How many tests ran on an engine, whatever became of them."""
        return sum(self.totals[name] for name in RAN)

    @property
    def idle(self) -> int:
        """How many did not run: skipped, or out of their own range."""
        return sum(self.totals[name] for name in IDLE)

    def table(self) -> list[Sequence[str]]:
        """Return the counts as rows of texts, the first with the names of columns."""
        totals = self.totals
        shown = [each for each in OUTCOMES if each in SHOWN_ALWAYS or totals[each]]
        rows: list[Sequence[str]] = [
            ["engine", "API", *shown, *(["deviations"] if self.deviations else [])]
        ]
        for key, counts in self.counts.items():
            row = [key[0], key[1] or "-", *(str(counts[each]) for each in shown)]
            if self.deviations:
                row.append(str(self.deviations.get(key, Counter())["failing"]))
            rows.append(row)
        return rows


class _Calls:
    """The calls of one operation, at a version of an engine, in tests that passed."""

    def __init__(self) -> None:
        self.worked = False
        self.reason = ""

    def add(self, row: dict[str, Any]) -> None:
        """Take a call."""
        status = row["status"]
        self.worked = self.worked or (status < _FIRST_OF_ENGINE and status != _NOT_ALLOWED)
        self.reason = f"{row['method']} -> {row['status']}"


def _outcome(report: pytest.TestReport) -> str:
    """Say what a phase adds to the counts; empty where that is nothing."""
    is_expected = hasattr(report, "wasxfail")
    if report.skipped:
        return "xfailed" if is_expected else "skipped"
    if report.failed:
        return "failed" if report.when == "call" else "errors"
    if report.passed and report.when == "call":
        return "xpassed" if is_expected else "passed"
    return ""


def _reason(report: pytest.TestReport) -> str:
    """Return what a report says last, as one line."""
    if report.skipped and isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr or "")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if crash is not None and lines else "".join(lines[-1:])
