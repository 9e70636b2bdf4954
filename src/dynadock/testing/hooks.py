"""The hooks of a run on engines: what pytest is told, and what is put together from its reports.

`dynadock.testing.plugin` registers them when engines, versions, a report or a contract were asked
for. Under pytest-xdist workers choose and run tests, and the controller sweeps, counts and reports:
each report of a test on an engine has an attribute ``dynadock`` with plain values for that.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from dynadock.errors import DynadockError
from dynadock.testing import summary
from dynadock.testing.choosing import SKIPPED, TARGET
from dynadock.testing.needs import is_operation
from dynadock.testing.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Generator

    from dynadock.compat.results import Results
    from dynadock.testing.run import Run
    from dynadock.testing.targets import Target

_DESELECTED = "dynadock_deselected"
"""The entry in what a worker gives back."""

_AT_FAULT = pytest.StashKey[tuple[str, str] | None]()

_FAILED = pytest.ExitCode.TESTS_FAILED
_BETTER_THAN_FAILED = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


class Hooks:
    """The hooks of one process; ``tally`` is filled where reports come together."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._tally: Tally | None = None
        self._deselected: dict[tuple[str, str], int] = {}
        self._has_deselected = False
        self._notes: list[str] = []

    @property
    def tally(self) -> Tally:
        """What became of the tests so far."""
        if self._tally is None:
            keys = [_key(each) for each in self._run.all_targets]
            results = self._new_results() if self._run.reports else None
            self._tally = Tally(keys, results)
        return self._tally

    def _new_results(self) -> Results:
        from dynadock.compat.results import Results

        results = Results(made=datetime.now(UTC).isoformat(timespec="seconds"))
        for each in self._run.engines:
            results.add_engine(
                each.name,
                each.kind,
                each.release,
                each.oldest or "",
                each.newest or "",
                address_kind=each.scheme,
            )
        return results

    # Begin

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Sweep what killed runs have left, before any worker begins."""
        if not self._run.is_worker and not session.config.option.collectonly:
            assert self._run.id  # from now on, the run lives
            self._notes += self._run.sweep_left_over()

    def pytest_report_header(self) -> list[str]:
        """Say which engines there are."""
        return [f"dynadock: {each}" for each in self._run.engines]

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker what the engines have said."""
        node.workerinput.update(self._run.for_worker())

    # Tests

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a test once for each of its targets."""
        if TARGET not in metafunc.fixturenames:
            return
        targets = self._run.targets(metafunc.definition, metafunc.fixturenames)
        ids = [each.id for each in targets]
        metafunc.parametrize(TARGET, targets, ids=ids, indirect=True)

    def note(self, chosen: list[pytest.Item], deselected: list[pytest.Item]) -> None:
        """Take note of tests that are to run, and of those that are out of their own range."""
        for item in deselected:
            key = _key(self._run.target_of(item))
            self._deselected[key] = self._deselected.get(key, 0) + 1
        if not self._run.is_worker:
            self._take_deselected([[*key, count] for key, count in self._deselected.items()])
        for item in chosen:
            if TARGET in getattr(item, "fixturenames", ()):
                item.user_properties += _properties(self._run.target_of(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put into a report where the test ran, and at its end what it called."""
        report = yield
        if TARGET not in getattr(item, "fixturenames", ()):
            return report
        target = self._run.target_of(item)
        said: dict[str, Any] = {
            "engine": target.name,
            "version": target.version,
            "test": _without(item.nodeid, target.id),
        }
        if report.failed:
            at_fault = _at_fault(call) or self._run.last_call()
            item.stash.setdefault(_AT_FAULT, at_fault)
            report.sections.append((f"dynadock {target.id}", str(target.engine)))
        if report.when == "teardown":
            said |= self._at_end(item, report)
        report.dynadock = said  # type: ignore[attr-defined]
        return report

    def _at_end(self, item: pytest.Item, report: pytest.TestReport) -> dict[str, Any]:
        exchanges, deviations = self._run.watched()
        failing = sum(each["count"] for each in deviations if each["is_failing"])
        if self._run.contract != "off":
            made = ("dynadock_deviations", failing)
            item.user_properties.append(made)
            report.user_properties.append(made)
        at_fault = item.stash.get(_AT_FAULT, None)
        said: dict[str, Any] = {"exchanges": exchanges, "deviations": deviations}
        said["at_fault"] = None if at_fault is None else [*at_fault]
        lacked = item.stash.get(SKIPPED, ())
        said["absent"] = [[name, why] for name, why in lacked if is_operation(name)]
        return said

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a report, where all of them come together."""
        if not self._run.is_worker:
            self.tally.add(report)

    # End

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker has deselected; all of them have the same."""
        self._take_deselected(getattr(node, "workeroutput", {}).get(_DESELECTED, []))

    def _take_deselected(self, rows: list[Any]) -> None:
        if not self._has_deselected:
            self._has_deselected = bool(rows)
            for engine, version, count in rows:
                self.tally.deselect((engine, version), count)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Sweep once more, write the reports, and fail a run that ran nothing."""
        if self._run.is_worker:
            rows = [[*key, count] for key, count in self._deselected.items()]
            session.config.workeroutput[_DESELECTED] = rows  # type: ignore[attr-defined]
            return
        if session.config.option.collectonly:
            return
        self._notes += self._run.sweep_own()
        self.tally.close()
        fault = summary.none_ran(self.tally) or self._written()
        if fault and session.exitstatus in _BETTER_THAN_FAILED:
            session.exitstatus = _FAILED
        path = os.environ.get(summary.VARIABLE)
        if path:
            with suppress(OSError), open(path, "a", encoding="utf-8") as file:  # noqa: PTH123
                file.write(summary.markdown(self.tally, self._run.engines, self._notes))

    def _written(self) -> str:
        """Write the reports; return why one cannot be, and note that."""
        results, fault = self.tally.results, ""
        for path in self._run.reports if results else ():
            assert results is not None
            try:
                results.write(path)
            except (DynadockError, OSError) as error:
                fault = f"the report {path} cannot be written: {error}"
                self._notes.append(fault)
        return fault

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        """Show the table."""
        if config.option.collectonly or not self.tally.counts:
            return
        terminalreporter.section("dynadock")
        for line in summary.lines_of(self.tally.table()):
            terminalreporter.line(line)
        for engine in self._run.engines:
            if engine.fault:
                terminalreporter.line(str(engine), red=True)
        for note in (summary.none_ran(self.tally), *self._notes):
            if note:
                terminalreporter.line(note, red=True)
        for path in self._run.reports:
            terminalreporter.line(f"report: {path}")

    def pytest_unconfigure(self) -> None:
        """Close connections, and end the run for others."""
        self._run.close()


def _key(target: Target) -> tuple[str, str]:
    return target.name, target.version


def _without(nodeid: str, target: str) -> str:
    """Return a test's name without its target, so that it is the same on all of them."""
    name, bracket, arguments = nodeid.partition("[")
    rest = arguments.removeprefix(target)
    return name if rest == "]" else name + bracket + rest.removeprefix("-")


def _properties(target: Target) -> list[tuple[str, object]]:
    """Return what JUnit's XML says of a test."""
    return [
        ("dynadock_engine", target.name),
        ("dynadock_kind", target.kind),
        ("dynadock_release", target.release),
        ("dynadock_version", target.version),
    ]


def _at_fault(call: pytest.CallInfo[Any]) -> tuple[str, str] | None:
    """Return operationId and version of the call that raised, None if it was none of ours."""
    error = call.excinfo.value if call.excinfo else None
    name, version = (getattr(error, each, "") for each in ("operation_id", "version"))
    if isinstance(error, DynadockError) and name and version:
        return str(name), str(version)
    return None
