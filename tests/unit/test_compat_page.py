"""tools/compat_page.py: what a page was drawn of is read back from it, and held against results."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents import operations_of
from dynadock.compat.results import Results
from dynadock.spec.versions import parse_version

TOOL = Path(__file__).parents[2] / "tools" / "compat_page.py"


def load_tool():
    spec = importlib.util.spec_from_file_location("compat_page", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


compat_page = load_tool()
Column, Found = compat_page.Column, compat_page.Found

ENGINES = ("Docker 20.10", "Podman 4.3", "Podman 5.8", "the embedded engine")
VERSIONS = ("1.39", "1.40", "1.41", "1.42", "1.45")
# SystemPingHead arrived in 1.40, VolumeUpdate in 1.42.
OPERATIONS = ("ContainerList", "SystemPingHead", "VolumeUpdate", "SwarmInit")
REASONS = ("404 Not Found: Its router does not know the path.", "a | b", "it says `no`; or not")


@st.composite
def tables(draw):
    table = {}
    for engine in draw(st.sets(st.sampled_from(ENGINES), min_size=1)):
        for version in draw(st.sets(st.sampled_from(VERSIONS), min_size=1)):
            table[Column(engine, parse_version(version))] = draw(columns(version))
    return table


def columns(version):
    names = st.sampled_from([each for each in OPERATIONS if each in operations_of(version)])
    why = st.tuples(st.sampled_from(("refused", "failed", "untried")), st.sampled_from(REASONS))
    deviations = st.sets(st.tuples(names, st.sampled_from(("A.B: null, not a text", "status 201"))))
    return st.builds(Found, st.dictionaries(names, why), deviations)


@given(tables())
def test_a_page_has_all_that_it_was_drawn_of(table):
    page = compat_page.read(compat_page.draw(table))
    assert page == table
    assert compat_page.differences(table, page) == []


@pytest.fixture
def table():
    at = [Column("Docker 20.10", parse_version(each)) for each in ("1.40", "1.41")]
    return {at[0]: Found({"SwarmInit": ("refused", "no")}), at[1]: Found()}


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (
            Found({"SwarmInit": ("refused", "never")}),
            "SwarmInit refused (never); the page says refused (no)",
        ),
        (Found(), "SwarmInit passed; the page says refused (no)"),
        (
            Found({"SwarmInit": ("refused", "no"), "SystemInfo": ("failed", "test_it: oh")}),
            "SystemInfo failed (test_it: oh); the page says passed",
        ),
        (
            Found({"SwarmInit": ("refused", "no")}, {("SystemInfo", "status 201")}),
            "SystemInfo is not as documented, and the page does not say so: status 201",
        ),
    ],
)
def test_a_cell_that_differs_is_told(table, found, line):
    page = compat_page.read(compat_page.draw(table))
    column = min(table)
    assert compat_page.differences({column: found}, page) == [f"Docker 20.10 at 1.40: {line}"]


def test_a_column_that_the_page_does_not_have_is_told(table):
    other = Column("Docker 99.0", parse_version("1.40"))
    (line,) = compat_page.differences({other: Found()}, table)
    assert line == "Docker 99.0 at 1.40: the page has no such column"


def test_a_deviation_that_did_not_come_again_is_none(table):
    column = max(table)
    page = {column: Found(deviations={("SystemInfo", "status 201")})}
    assert compat_page.differences({column: Found()}, page) == []


def test_a_page_counts_operations_and_says_where(table):
    lines = compat_page.draw(table).splitlines()
    assert "| Docker 20.10 | 1.40 | 106 | 105 | 0 | 1 | 0 | 0 |" in lines
    assert "| Docker 20.10 | 1.41 | 106 | 106 | 0 | 0 | 0 | 0 |" in lines
    assert "| `SwarmInit` | Docker 20.10 at 1.40 | no |" in lines


def test_results_are_a_table():
    results = Results()
    results.add_engine("d20", "docker", "20.10", "1.12", "1.41")
    results.add_cell("SystemInfo", "1.41", "d20", "passed")
    results.add_cell("SwarmInit", "1.41", "d20", "refused", "in two\nlines")
    null = {
        "kind": "denied-null",
        "place": "Config.Shell",
        "definition": "ContainerConfig",
        "field": "Shell",
        "expected": "a list",
        "got": "null",
    }
    results.add_cell("ContainerInspect", "1.41", "d20", "deviating", deviations=[null])
    ((column, found),) = compat_page.table_of(results).items()
    assert column == Column("Docker 20.10", parse_version("1.41"))
    assert found.outcome("SystemInfo") == ("passed", "")
    assert found.outcome("SwarmInit") == ("refused", "in two lines")
    assert found.outcome("ContainerInspect") == ("deviating", "")
    assert found.outcome("SystemVersion") == ("untried", "nothing is known of it")
    words = "ContainerConfig.Shell: expected a list, got null"
    assert found.deviations == {("ContainerInspect", words)}
