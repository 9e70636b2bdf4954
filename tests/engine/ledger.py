"""What a run on engines has seen: calls, answers and deviations, and what that says of each column.

A column is one engine at one API version. Its file is what ``tools/compat.py`` makes the project's
table of: results as `dynadock.compat.results` writes them, and beside them which rows of
``answers.yaml`` were met (``met``), which were not, of those that speak of no version that a usual
run looks at (``unmet``), and the seconds that its tests took.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dynadock.atomic import replacing
from dynadock.compat.results import Results
from dynadock.spec.loader import load_version
from engine.answers import table
from engine.engines import Target

if TYPE_CHECKING:
    from pathlib import Path

    from dynadock import Client
    from dynadock.contract.deviations import Deviation
    from engine.answers import Answer


@dataclass
class Column:
    """What the tests of one version have seen of an engine at that version."""

    worked: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Operations, and the tests in which they did what the tests expect."""
    failed: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    """Operations, and the tests that failed at them, with the reason."""
    deviations: dict[str, list[Deviation]] = field(default_factory=lambda: defaultdict(list))
    exchanges: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    met: dict[Answer, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Answers of the table, and the tests that met them."""
    tests: dict[str, tuple[str, float, str]] = field(default_factory=dict)
    """What became of each test, how long it took, and why."""

    def put(self, test: str, outcome: str, seconds: float, reason: str) -> None:
        """Note what became of one part of a test; what is worse than passed stays."""
        known, before, why = self.tests.get(test, ("passed", 0.0, ""))
        known, why = (known, why) if known != "passed" else (outcome, reason)
        self.tests[test] = (known, before + seconds, why)

    def results(self, target: Target) -> Results:
        """Return what became of every operation that the version's document has."""
        results = Results()
        engine, version = target.engine, target.version
        results.add_engine(
            engine.name,
            engine.kind,
            str(engine.release),
            engine.oldest,
            engine.newest,
            address_kind=engine.address.partition(":")[0],
        )
        for operation in load_version(version).values():
            name = operation.operation_id
            outcome, reason, tests = self._outcome(name)
            for test in tests or ("",):
                results.add_cell(name, version, engine.name, outcome, reason, test=test)
            seen = {"exchanges": self.exchanges[name], "deviations": self.deviations[name]}
            results.add_cell(name, version, engine.name, outcome, **seen)
        for test, (outcome, seconds, reason) in self.tests.items():
            results.add_test(test, engine.name, version, outcome, seconds=seconds, reason=reason)
        return results

    def _outcome(self, operation_id: str) -> tuple[str, str, list[str]]:
        if operation_id in self.failed:
            test, reason = self.failed[operation_id][0]
            return "failed", f"{test}: {reason}", [each for each, _ in self.failed[operation_id]]
        tests = self.worked.get(operation_id, [])
        if tests:
            return ("deviating" if self.deviations.get(operation_id) else "passed"), "", tests
        for answer, tests in self.met.items():
            if answer.case == operation_id and answer.status is not None:
                return "refused", f"{answer.status} {answer.message}: {answer.why}", tests
        return "untried", "no test calls it", []


class Ledger:
    """What a run has seen: the calls that worked, the answers that came, and if it was whole.

    A call has worked if the test that made it passes: that a stream begins says little of it.
    """

    def __init__(self) -> None:
        self.worked: dict[Target, set[str]] = {}
        self.met: set[tuple[Target, Answer]] = set()
        self.whole = True
        self.columns: dict[Target, Column] = defaultdict(Column)
        self._called: list[tuple[Target, str]] = []
        self._answered: list[tuple[Target, Answer]] = []
        self._clients: dict[Target, Client] = {}

    def watch(self, target: Target, client: Client) -> None:
        """Look at what this client has recorded whenever something is settled."""
        self._clients[target] = client

    def note_call(self, target: Target, operation_id: str) -> None:
        """Note a call that raised nothing."""
        self._called.append((target, operation_id))

    def note_answer(self, target: Target, answer: Answer) -> None:
        """Note that an answer of the table came."""
        self._answered.append((target, answer))
        self.met.add((target, answer))

    def settle(self, test: str, *, passed: bool, but: Target | None = None) -> None:
        """Say whether what was called since the last time was called in vain.

        It stands in the columns of what it was called at: fixtures of one version may end when a
        test of the next one begins. ``but`` is a column that the test says nothing of.
        """
        if not passed:
            return
        for target, operation_id in dict.fromkeys(self._called):
            self.worked.setdefault(target, set()).add(operation_id)
            if target != but:
                self.columns[target].worked[operation_id].append(test)
        for target, answer in dict.fromkeys(self._answered):
            if target != but:
                self.columns[target].met[answer].append(test)

    def put(self, target: Target, test: str, report: Any, error: BaseException | None) -> None:
        """Put down what became of a part of a test, which is about a version, in its column."""
        column = self.columns[target]
        reason = "" if error is None else f"{type(error).__name__}: {error}".partition("\n")[0]
        outcome = report.outcome
        if report.failed and report.when != "call":
            outcome = "error"
        column.put(test, outcome, report.duration, reason)
        client = self._clients.get(target)
        if report.failed:
            # An assertion that fails is mostly about what was called last.
            called = [name for at, name in self._called if at == target]
            to_blame = getattr(error, "operation_id", None) or (called[-1:] or [None])[0]
            if to_blame is not None:
                column.failed[to_blame].append((test, reason))
        elif report.passed and client is not None:
            self._take(column, client, str(target.version))

    def _take(self, column: Column, client: Client, version: str) -> None:
        """Take what the client has recorded; clients of other versions made of it share that."""
        for deviation in client.deviations.failing:
            if deviation.part == "reply" and deviation.version == version:
                for operation_id in deviation.operations:
                    column.deviations[operation_id].append(deviation)
        for row in client.deviations.exchanges:
            if row.version == version:
                column.exchanges[row.operation_id].append(row._asdict())

    def go_on(self) -> None:
        """Forget what is settled."""
        self._called.clear()
        self._answered.clear()
        for client in self._clients.values():
            client.deviations.clear()

    def write(self, folder: Path) -> None:
        """Write a file for each column of which all tests have run."""
        folder.mkdir(parents=True, exist_ok=True)
        for target, column in self.columns.items():
            if target.version not in target.engine.wanted_versions:
                continue
            usual = [Target(target.engine, each) for each in target.engine.main_versions]
            unmet = [
                answer
                for answer in table()
                if answer.is_of(target) and answer not in column.met
                if not any(answer.is_of(each) for each in usual)
            ]
            tree = {
                **column.results(target).as_dict(),
                "met": [_row(answer) for answer in column.met],
                "unmet": [_row(answer) for answer in unmet],
                "seconds": round(sum(seconds for _, seconds, _ in column.tests.values()), 1),
            }
            name = f"{target.engine.name}-{target.version}.json"
            with replacing(folder / name) as file:
                file.write((json.dumps(tree, indent=1) + "\n").encode())


def _row(answer: Answer) -> dict[str, Any]:
    """Return a row of the table as a column's file has it."""
    return {
        "case": answer.case,
        "status": answer.status,
        "message": answer.message,
        "value": answer.value,
        "why": answer.why,
        "row": f"{answer.engine} {answer.releases} at {answer.api}",
    }
