"""Lifetimes of operations, parameters and fields, and what is said of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dynadock.spec import history
from dynadock.spec.library import bundled_folder, bundled_versions
from dynadock.spec.loader import load_version
from dynadock.spec.versions import parse_range, parse_version

SPECS = {version: load_version(version) for version in bundled_versions()}


@pytest.mark.parametrize(
    ("ranges", "version", "text"),
    [
        ("1.41-", "1.40", "it arrived in 1.41"),
        ("-1.39", "1.40", "its last version is 1.39"),
        ("1.36-1.37,1.40-1.41", "1.30", "it arrived in 1.36"),
        ("1.36-1.37,1.40-1.41", "1.38", "it arrived in 1.40"),
        ("1.36-1.37,1.40-1.41", "1.42", "its last version is 1.41"),
        ("1.40", "1.39", "it arrived in 1.40"),
        ("1.40", "1.41", "its last version is 1.40"),
        ("-1.31,1.36-", "1.33", "it arrived in 1.36"),
    ],
)
def test_what_is_said_at_a_version(ranges, version, text):
    lifetime = history.Lifetime(tuple(map(parse_range, ranges.split(","))), "Thing")
    assert lifetime.relative_to(parse_version(version)) == text
    assert str(lifetime) == ranges.replace(",", ", ")


def test_what_all_versions_have_has_no_lifetime():
    assert history.of_operation("ContainerList") is None
    assert history.of_parameter("ContainerList", "all") is None
    assert history.of_field("ContainerCreate", "Image") is None


def test_what_no_version_has_has_none():
    assert history.of_operation("ContainerLst") is None
    assert history.of_parameter("Nothing", "all") is None
    assert history.of_field("ContainerCreate", "HostConfig.Bogus") is None


@pytest.mark.parametrize(
    ("lifetime", "since"),
    [
        (history.of_operation("VolumeUpdate"), "1.42"),
        (history.of_operation("volume_update"), "1.42"),
        (history.of_operation("ContainerGetArchive"), None),
        (history.of_parameter("ContainerStats", "one-shot"), "1.41"),
        (history.of_parameter("ContainerStats", "one_shot"), "1.41"),
        (history.of_field("ContainerCreate", "HostConfig.CgroupnsMode"), "1.41"),
        (
            history.of_field("ContainerCreate", "HostConfig.Mounts[].BindOptions.NonRecursive"),
            "1.40",
        ),
        (
            history.of_field("ContainerCreate", "NetworkingConfig.EndpointsConfig{}.GwPriority"),
            "1.48",
        ),
    ],
    ids=str,
)
def test_since(lifetime, since):
    assert lifetime is not None
    assert str(lifetime.since or None) == str(since)


def tree():
    return json.loads(Path(bundled_folder(), history.FILE).read_text(encoding="utf-8"))


def lifetimes(known):
    """Turn a map from a thing to the versions that know it into what the file should say."""
    versions = list(SPECS)
    return {
        thing: [version in where for version in versions]
        for thing, where in known.items()
        if len(where) < len(versions)
    }


def told(section):
    """Read a section of the file as what `lifetimes` gives."""
    return {
        thing: [any(version in parse_range(each) for each in text.split(",")) for version in SPECS]
        for thing, text in section.items()
    }


def test_operations_are_those_of_the_documents():
    known = {}
    for version, spec in SPECS.items():
        for operation_id in spec:
            known.setdefault(operation_id, set()).add(version)
    assert told(tree()["operations"]) == lifetimes(known)


@pytest.mark.parametrize("section", ["parameters", "fields"])
def test_parts_of_operations_are_those_of_the_documents(section):
    known = {}
    for version, spec in SPECS.items():
        for operation_id, operation in spec.items():
            for name in names_of(operation, section):
                known.setdefault(operation_id, {}).setdefault(name, set()).add(version)
    for operation_id, parts in known.items():
        having = [version for version, spec in SPECS.items() if operation_id in spec]
        expected = {
            name: [version in where for version in SPECS]
            for name, where in parts.items()
            if len(where) < len(having)
        }
        found = told(tree()[section].get(operation_id, {}))
        # If a part has a lifetime of its own, the fields inside it need none.
        for name, lifetime in found.items():
            assert expected.get(name) == lifetime, (operation_id, name)
        untold = {name for name in expected if name not in found}
        assert {name for name in untold if not inside_of_one(name, found)} == set()


def names_of(operation, section):
    if section == "parameters":
        return [parameter.name for parameter in operation.parameters]
    return [] if operation.body is None else [field.path for field in operation.body.fields()]


def inside_of_one(name, told_ones):
    return any(name.startswith((f"{each}.", f"{each}[", f"{each}{{")) for each in told_ones)
