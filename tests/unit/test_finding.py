"""Searching: the wanted operation is among the first results."""

from __future__ import annotations

import os
import subprocess
import sys
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


def names(found):
    return [operation.operation_id for operation in found]


@pytest.mark.parametrize("words", ["qwertz", "?!", "the", "what is it", "docker", "q" * 10_000])
def test_what_means_nothing_finds_nothing(words):
    found = CLIENTS[MAIN].find(words)
    assert (found, found.places, found.definitions) == ([], (), ())


@pytest.mark.parametrize(
    ("strange", "plain"),
    [
        ("prune qwertz", "prune"),
        ("please show me how I can pause my container xyzzy", "pause container"),
        ("docker volume rm my-data", "docker volume rm"),
        ("list containers foobarbaz", "list containers"),
    ],
)
def test_a_strange_word_does_not_empty_the_answer(strange, plain):
    client = CLIENTS[MAIN]
    assert names(client.find(strange))[0] == names(client.find(plain))[0]


@pytest.mark.parametrize(
    ("words", "places"),
    [
        (
            "NanoCpus",
            [
                ("NanoCpus", "body", ("ContainerUpdate",)),
                ("HostConfig.NanoCpus", "body", ("ContainerCreate",)),
            ],
        ),
        (
            "--cpus",
            [
                ("NanoCpus", "body", ("ContainerUpdate",)),
                ("HostConfig.NanoCpus", "body", ("ContainerCreate",)),
                (
                    "TaskTemplate.Resources.Limits.NanoCPUs",
                    "body",
                    ("ServiceCreate", "ServiceUpdate"),
                ),
            ],
        ),
        ("one-shot", [("one_shot", "parameter", ("ContainerStats",))]),
        (
            "hostconfig.memory",
            [
                ("HostConfig.Memory", "body", ("ContainerCreate",)),
                ("HostConfig.Memory", "reply", ("ContainerInspect",)),
            ],
        ),
        ("remove unused", []),
    ],
)
def test_the_parameters_and_fields_that_were_found(words, places):
    found = CLIENTS[MAIN].find(words)
    assert [tuple(place) for place in found.places[: len(places)]] == places
    assert len(found.places) <= 6
    assert places or not found.places
    for name, _part, operations in places:
        lines = [line for line in repr(found).splitlines() if line.startswith(f"{name} ")]
        assert any(all(operation in line for operation in operations) for line in lines)


@pytest.mark.parametrize(
    ("words", "definition", "user"),
    [
        ("HostConfig", "HostConfig", "ContainerCreate"),
        ("containerstate", "ContainerState", "ContainerInspect"),
        ("RestartPolicy", "RestartPolicy", "ContainerCreate"),
        ("swarm_spec", "SwarmSpec", "SwarmInit"),
    ],
)
def test_definitions_are_found(words, definition, user):
    found = CLIENTS[MAIN].find(words)
    assert found.definitions == (definition,)
    assert user in names(found)[:3]
    assert f"client.schema({definition!r})" in repr(found)


@pytest.mark.parametrize(
    ("words", "thing"), [("stop container", "Container"), ("secret", "Secret"), ("nodes", "Node")]
)
def test_what_is_about_a_thing_comes_before_what_only_mentions_it(words, thing):
    found = CLIENTS[MAIN].find(words)
    assert {operation.tag for operation in found[:3]} == {thing}


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
    found = CLIENTS[MAIN].find("image in a container's HostConfig")
    assert "ContainerCreate" in names(found)
    images = CLIENTS[MAIN].find("image")
    assert {operation.tag for operation in images[:10]} == {"Image"}


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


def test_a_part_of_what_was_found_is_just_the_operations():
    part = CLIENTS[MAIN].find("NanoCpus")[:1]
    assert (part.places, part.definitions) == ((), ())
    assert len(repr(part).splitlines()) == 1


def test_every_operation_has_a_summary():
    for operation in CLIENTS[MAIN].operations.values():
        assert operation.summary
        assert operation.summary in operation.describe()


def test_every_process_makes_the_same_index():
    code = (
        "import json; from dynadock.explore import index;"
        "from dynadock.spec.loader import load_spec;"
        f"print(json.dumps(index._made(load_spec({MAIN!r}))))"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1
