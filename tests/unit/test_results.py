"""The results of a run: what is kept, how it is merged, and the forms in which it is written."""

import json
import xml.etree.ElementTree as ET
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynadock.compat.outcomes import OUTCOMES, RANK, READ_FIRST, TEST_OUTCOMES
from dynadock.compat.results import (
    FORMAT,
    LONGEST,
    MOST_DEVIATIONS,
    MOST_REASONS,
    MOST_TARGETS,
    MOST_TESTS,
    Results,
)
from dynadock.errors import SpecError

VERSIONS = st.sampled_from(["1.9", "1.30", "1.41"])
NAMES = st.one_of(st.sampled_from(["a", "b", "<&>\x00\ud800"]), st.text(max_size=8))
EXCHANGES = st.builds(
    dict,
    method=st.sampled_from(["GET", "POST"]),
    target=NAMES,
    status=st.sampled_from([200, 404, None]),
    milliseconds=st.sampled_from([None, 1.25, 7]),
)
DEVIATIONS = st.builds(
    dict, kind=st.sampled_from(["wrong", "zero"]), place=NAMES, got=NAMES, count=st.integers(1, 9)
)
CELLS = st.tuples(
    NAMES,
    VERSIONS,
    NAMES,
    st.sampled_from([each.name for each in OUTCOMES]),
    NAMES,
    NAMES,
    st.lists(EXCHANGES, max_size=4),
    st.lists(DEVIATIONS, max_size=4),
)
TESTS = st.tuples(NAMES, NAMES, VERSIONS, st.sampled_from(TEST_OUTCOMES), NAMES)


@st.composite
def runs(draw):
    results = Results(made=draw(NAMES), how=draw(NAMES))
    for name in draw(st.lists(NAMES, max_size=3)):
        results.add_engine(name, draw(NAMES), "1.2", "1.9", "1.41", address_kind="unix")
    for *cell, reason, test, exchanges, deviations in draw(st.lists(CELLS, max_size=8)):
        results.add_cell(*cell, reason, test=test, exchanges=exchanges, deviations=deviations)
    for *test, reason in draw(st.lists(TESTS, max_size=4)):
        results.add_test(*test, seconds=0.25, reason=reason)
    return results


@given(runs())
def test_what_is_written_is_what_is_read(results):
    tree = json.loads(results.json())
    assert tree["format"] == FORMAT
    assert Results.from_dict(tree).as_dict() == results.as_dict() == tree


@given(runs(), runs())
def test_merging_keeps_the_worst_and_adds_the_counts(one, other):
    merged = Results()
    merged.merge(one)
    assert merged.as_dict()["cells"] == one.as_dict()["cells"]
    merged.merge(other)
    for cell in merged.cells:
        parts = [
            part
            for part in (
                each.cell(cell.operation, cell.version, cell.engine) for each in (one, other)
            )
            if part is not None
        ]
        assert cell.outcome == max((part.outcome for part in parts), key=RANK.get)
        count = sum(row["count"] + row["others"] for part in parts for row in part.exchanges)
        assert sum(row["count"] + row["others"] for row in cell.exchanges) == count
    again = Results()
    again.merge(other)
    again.merge(one)
    assert again.counts == merged.counts


@given(runs())
def test_junit_is_xml_with_every_test_once(results):
    tree = ET.fromstring(results.junit())
    cases = tree.findall(".//testcase")
    assert len(cases) == int(tree.get("tests"))
    tested = {(test.engine, test.version) for test in results.tests}
    untested = [cell for cell in results.cells if (cell.engine, cell.version) not in tested]
    assert len(cases) == len(results.tests) + len(untested)
    for name in ("failure", "error", "skipped"):
        assert len(tree.findall(f".//{name}")) == int(
            tree.get(f"{name}s".replace("skippeds", "skipped"))
        )


@pytest.mark.parametrize("better", range(len(OUTCOMES)))
def test_the_later_outcome_of_the_table_holds(better):
    for worse in range(better, len(OUTCOMES)):
        for order in ((better, worse), (worse, better)):
            results = Results()
            for place in order:
                results.add_cell("A", "1.41", "d", OUTCOMES[place].name, f"why {place}")
            cell = results.cell("A", "1.41", "d")
            assert cell.outcome == OUTCOMES[worse].name
            assert cell.reason == f"why {worse}"


def test_outcomes_are_told_in_an_order_of_their_own():
    assert sorted(READ_FIRST) == sorted(RANK)
    assert READ_FIRST[0] == OUTCOMES[-1].name == "failed"


def test_a_cell_is_bounded():
    results = Results()
    for number in range(200):
        results.add_cell(
            "A",
            "1.41",
            "d",
            "failed",
            f"{number} {'x' * 2 * LONGEST}",
            test=f"t{number}",
            exchanges=[{"method": "GET", "target": f"/{number}", "status": 200}],
            deviations=[{"kind": "wrong", "place": f"P{number}"}],
        )
    cell = results.cell("A", "1.41", "d")
    assert len(cell.reasons) == MOST_REASONS
    assert all(len(each) == LONGEST for each in cell.reasons)
    assert (len(cell.tests), cell.more_tests) == (MOST_TESTS, 200 - MOST_TESTS)
    assert len(cell.deviations) == MOST_DEVIATIONS
    assert cell.more_deviations == 200 - MOST_DEVIATIONS
    assert len(cell.exchanges) == MOST_TARGETS
    assert cell.exchanges[0]["others"] == 200 - MOST_TARGETS
    assert len(results.json()) < 20_000


def test_merging_bounded_exchanges_loses_none():
    runs = []
    for half in range(2):
        results = Results()
        rows = [
            {"method": "GET", "target": f"/{half}/{number}", "status": 200} for number in range(50)
        ]
        results.add_cell("A", "1.41", "d", "passed", exchanges=rows)
        runs.append(results)
    runs[0].merge(runs[1])
    rows = runs[0].cell("A", "1.41", "d").exchanges
    assert len(rows) == MOST_TARGETS
    assert sum(row["count"] + row["others"] for row in rows) == 100


def test_exchanges_and_deviations_may_be_objects():
    class Row(NamedTuple):
        method: str
        target: str
        status: int
        milliseconds: float

    class Found(NamedTuple):
        kind: str
        place: str

    results = Results()
    rows = [Row("GET", "/a", 200, 2.5), Row("GET", "/a", 200, 1.5)]
    results.add_cell(
        "A", "1.41", "d", "passed", exchanges=rows, deviations=[Found("zero", "X")] * 2
    )
    cell = results.cell("A", "1.41", "d")
    assert cell.exchanges == [
        {
            "method": "GET",
            "target": "/a",
            "status": 200,
            "count": 2,
            "others": 0,
            "fastest": 1.5,
            "slowest": 2.5,
        }
    ]
    assert [(row["place"], row["count"]) for row in cell.deviations] == [("X", 2)]


def test_a_deviation_of_several_operations_is_at_its_place_in_this_one():
    results = Results()
    row = {"kind": "wrong", "place": "Id", "operations": {"A": "[].Id", "B": "Id"}}
    results.add_cell("A", "1.41", "d", "deviating", deviations=[row])
    assert results.cell("A", "1.41", "d").deviations[0]["place"] == "[].Id"


def test_what_is_known_of_an_engine_adds_up():
    results = Results()
    results.add_cell("A", "1.41", "d", "passed")
    results.add_engine("d", "docker")
    results.add_engine("d", release="28", oldest="1.24")
    (engine,) = results.engines
    assert (engine.kind, engine.release, engine.oldest, engine.newest) == (
        "docker",
        "28",
        "1.24",
        "",
    )


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ([], 'expected results with "format"'),
        ({"format": "other"}, "got 'other'"),
        ({"format": FORMAT, "made": 1}, "made: expected a text, got 1"),
        ({"format": FORMAT, "made": "", "how": "", "engines": {}}, "engines: expected a list"),
        ({"format": FORMAT, "made": "", "how": ""}, "engines: expected a list, got None"),
        (
            {"format": FORMAT, "made": "", "how": "", "engines": [3]},
            r"engines\[0\]: expected an object, got 3",
        ),
        (
            {"format": FORMAT, "made": "", "how": "", "engines": [{"name": "d"}]},
            r"engines\[0\]: 'kind' is missing",
        ),
        (
            {
                "format": FORMAT,
                "made": "",
                "how": "",
                "engines": [],
                "cells": [
                    {
                        "operation": "A",
                        "version": "1.41",
                        "engine": "d",
                        "outcome": "fine",
                        "reason": "",
                        "tests": [],
                        "exchanges": [],
                        "deviations": [],
                    }
                ],
            },
            r"cells\[0\]: expected an outcome: untried, .*; got 'fine'",
        ),
    ],
)
def test_a_wrong_file_is_told_with_its_place(tree, words):
    with pytest.raises(SpecError, match=words):
        Results.from_dict(tree)


def test_files_are_written_by_their_names(tmp_path):
    results = Results()
    results.add_cell("A", "1.41", "d", "passed")
    results.write(tmp_path / "run.html")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["run.html", "run.json", "run.xml"]
    assert Results.read(tmp_path / "run.json").as_dict() == results.as_dict()
    assert ET.parse(tmp_path / "run.xml").getroot().tag == "testsuites"
    assert 'href="./run.json"' in (tmp_path / "run.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff", b"[]"])
def test_a_file_of_something_else_is_told_with_its_path(tmp_path, content):
    path = tmp_path / "run.json"
    path.write_bytes(content)
    with pytest.raises(SpecError, match=r"run\.json"):
        Results.read(path)
    with pytest.raises(SpecError, match="nowhere"):
        Results.read(tmp_path / "nowhere")


def test_a_wrong_outcome_or_version_is_refused():
    results = Results()
    with pytest.raises(ValueError, match=r"an outcome: .*'good'"):
        results.add_cell("A", "1.41", "d", "good")
    with pytest.raises(ValueError, match=r"a test's outcome: .*'xfailed'"):
        results.add_test("t", "d", "1.41", "xfailed")
    with pytest.raises(SpecError, match="not an API version"):
        results.add_cell("A", "newest", "d", "passed")
    assert repr(results).startswith("<Results 0 engines, 0 versions")
