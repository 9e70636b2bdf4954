"""tools/compat.py: which columns there are, which are done, and what the files of columns say."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from documents import NEWEST
from dynadock.compat.results import Results
from dynadock.spec.versions import parse_range, parse_version
from engine.answers import Answer
from engine.engines import Engine, Target
from engine.ledger import Column, Ledger

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture(scope="module")
def compat():
    """Return the tool, which finds the module beside it as a program does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOOLS))
        spec = importlib.util.spec_from_file_location("compat", TOOLS / "compat.py")
        module = importlib.util.module_from_spec(spec)
        patch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        yield module


@pytest.fixture
def folder(compat, tmp_path, monkeypatch):
    monkeypatch.setattr(compat, "FOLDER", tmp_path)
    monkeypatch.setattr(compat, "PAGE", tmp_path / "compatibility.md")
    return tmp_path


@pytest.fixture
def target():
    at = [parse_version(each) for each in ("26.1", "1.24", "1.45")]
    return Target(Engine("d26", "unix:///d26.sock", "docker", *at), parse_version("1.30"))


def answer_to(case):
    said = {"status": 501, "message": "no", "value": None, "why": "It cannot."}
    return Answer(case, "docker", parse_range("all"), parse_range("all"), **said)


def column_file(folder, *, met=(), unmet=(), outcome="passed", test="passed", name="d26"):
    results = Results()
    results.add_engine(name, "docker", "26.1", "1.24", "1.45")
    results.add_cell("SystemInfo", "1.30", name, outcome, "why")
    results.add_test("test_it", name, "1.30", test)
    tree = {**results.as_dict(), "met": [*met], "unmet": [*unmet], "seconds": 1.0}
    (folder / f"{name}-1.30.json").write_text(json.dumps(tree))


def test_columns_are_what_an_engine_speaks_of_what_is_wanted(compat):
    todos = compat.columns({"here": "embedded://columns"}, "1.24-1.26,newest")
    assert [each.id for each in todos] == ["here-1.25", "here-1.26", f"here-{NEWEST}"]


@pytest.mark.parametrize(("outcome", "is_done"), [("passed", True), ("failed", False)])
def test_a_column_is_done_once_no_test_of_it_fails(compat, folder, outcome, is_done):
    todo = compat.Todo("d26", "unix:///d26.sock", parse_version("1.30"))
    assert not compat.is_done(todo)
    column_file(folder, test=outcome)
    assert compat.is_done(todo) is is_done


def test_half_a_file_is_no_column(compat, folder):
    (folder / "d26-1.30.json").write_text('{"format": "dynadock res')
    assert not compat.is_done(compat.Todo("d26", "", parse_version("1.30")))


def test_a_row_of_answers_that_nothing_meets_is_told(compat, folder):
    rows = [{"case": case, "row": "docker all at -1.35"} for case in ("A", "B")]
    column_file(folder, unmet=rows)
    column_file(folder, met=rows[:1], name="other")
    _, answers, wrong = compat.gather(folder)
    assert wrong == [
        "answers.yaml: nothing meets 'B' of docker all at -1.35 (at Docker 26.1 at 1.30)"
    ]
    assert [row["case"] for _, row in answers] == ["A"]


def test_a_run_is_held_against_the_page(compat, folder, capsys):
    column_file(folder)
    table = compat.compat_page.table_of(compat.gather(folder)[0])
    compat.PAGE.write_text(compat.compat_page.draw(table))
    assert compat.main(["--check", str(folder)]) == 0
    column_file(folder, outcome="refused")
    assert compat.main(["--check", str(folder)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "Docker 26.1 at 1.30: SystemInfo refused (why); the page says passed"


def test_a_check_of_nothing_fails(compat, folder, capsys):
    compat.PAGE.write_text("")
    assert compat.main(["--check", str(folder / "none")]) == 1
    assert "has no results" in capsys.readouterr().err


def report(outcome="passed", when="call"):
    return SimpleNamespace(
        outcome=outcome,
        when=when,
        duration=0.5,
        passed=outcome == "passed",
        failed=outcome == "failed",
    )


def cell(column, target, operation_id):
    found = column.results(target).cell(operation_id, target.version, "d26")
    return found.outcome, found.reason


def test_what_tests_see_becomes_cells(target):
    ledger = Ledger()
    ledger.note_call(target, "SystemInfo")
    ledger.note_answer(target, answer_to("SwarmInit"))
    ledger.note_answer(target, answer_to("ContainerDelete: of a running one"))
    ledger.settle("test_it", passed=True)
    ledger.put(target, "test_it", report(), None)
    ledger.go_on()
    column = ledger.columns[target]
    assert cell(column, target, "SystemInfo") == ("passed", "")
    assert cell(column, target, "SwarmInit") == ("refused", "501 no: It cannot.")
    assert cell(column, target, "ContainerDelete") == ("untried", "no test calls it")
    assert column.results(target).cell("VolumeUpdate", "1.30", "d26") is None


def test_what_was_called_last_is_to_blame_for_a_failure(target):
    ledger = Ledger()
    ledger.note_call(target, "SystemInfo")
    ledger.note_call(target, "SystemVersion")
    ledger.put(target, "test_it", report("failed"), AssertionError("1 is not 2\nand more"))
    ledger.go_on()
    column = ledger.columns[target]
    assert cell(column, target, "SystemVersion") == (
        "failed",
        "test_it: AssertionError: 1 is not 2",
    )
    assert cell(column, target, "SystemInfo") == ("untried", "no test calls it")


def test_what_a_fixture_calls_at_its_end_is_of_its_own_column(target):
    ledger, newer = Ledger(), target._replace(version=parse_version("1.45"))
    ledger.note_call(target, "SwarmLeave")
    ledger.note_call(newer, "SystemInfo")
    ledger.settle("test_it", passed=True, but=newer)
    assert cell(ledger.columns[target], target, "SwarmLeave") == ("passed", "")
    assert newer not in ledger.columns
    assert ledger.worked[newer] == {"SystemInfo"}


def test_an_error_names_whose_it_is(target):
    ledger = Ledger()
    ledger.note_call(target, "SystemInfo")
    error = RuntimeError("oh")
    error.operation_id = "ImageList"
    ledger.put(target, "test_it", report("failed", "setup"), error)
    results = ledger.columns[target].results(target)
    assert results.cell("ImageList", "1.30", "d26").outcome == "failed"
    assert [test.outcome for test in results.tests] == ["error"]


def test_a_call_that_worked_says_more_than_one_that_was_refused(target):
    column = Column()
    column.met[answer_to("SystemInfo")].append("test_one")
    column.worked["SystemInfo"].append("test_two")
    assert cell(column, target, "SystemInfo") == ("passed", "")
