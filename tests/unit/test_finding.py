"""Searching: the wanted operation is among the first results."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from documents import MAIN, NEWEST, operations_of
from dynadock import load

CASES = yaml.safe_load(
    (Path(__file__).parents[1] / "cases" / "finding.yaml").read_text(encoding="utf-8")
)
VERSIONS = [MAIN, NEWEST]
CLIENTS = {version: load(version, host="unix:///nowhere.sock") for version in VERSIONS}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES, ids=[case["words"] for case in CASES])
def test_what_is_asked_for_comes_first(case, version):
    # A newer version may have lost what is asked for.
    wanted = [each for each in case["found"] if version == MAIN or each in operations_of(version)]
    found = [each.operation_id for each in CLIENTS[version].find(case["words"])]
    assert set(wanted) <= set(found[: case.get("first", len(case["found"]))]), found[:8]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("words", ["qwertz", "prune qwertz", "?!", "the"])
def test_what_means_nothing_finds_nothing(words):
    assert CLIENTS[MAIN].find(words) == []


def test_what_is_found_prints_as_names_and_summaries():
    client = CLIENTS[MAIN]
    found = client.find("remove unused")
    lines = repr(found).splitlines()
    assert len(lines) == len(found)
    for line, operation in zip(lines, found, strict=True):
        name, summary = line.split(None, 1)
        assert (name, summary) == (operation.operation_id, operation.summary)
    assert [line.split() for line in repr(found[:2]).splitlines()] == [
        line.split() for line in lines[:2]
    ]
    assert repr(client.find("qwertz")) == "nothing found"
    assert found[0] == client.operations[found[0].operation_id]


def test_names_count_more_than_fields():
    found = [operation.operation_id for operation in CLIENTS[MAIN].find("image")]
    assert found.index("ImageList") < found.index("ContainerCreate")


def test_no_words_find_all():
    found = CLIENTS[MAIN].find(" ")
    assert [each.operation_id for each in found] == sorted(CLIENTS[MAIN].operations)
    assert repr(found).endswith(f"… {len(found) - 30} more")


@pytest.mark.parametrize("version", VERSIONS)
def test_groups_hold_every_operation_once(version):
    groups = CLIENTS[version].operations.by_tag
    assert list(groups) == sorted(groups)
    for tag, operations in groups.items():
        assert all(operation.tag == tag for operation in operations)
    names = [each.operation_id for operations in groups.values() for each in operations]
    assert sorted(names) == sorted(CLIENTS[version].operations)
    assert "ContainerList " in repr(groups["Container"])
    assert "more" not in repr(groups["Container"])


def test_every_operation_has_a_summary():
    for operation in CLIENTS[MAIN].operations.values():
        assert operation.summary
        assert operation.summary in operation.describe()
