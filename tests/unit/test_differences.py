"""What differs between two versions: facts about published documents, and planted changes."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from documents import NEWEST, OLDEST
from dynadock import Differences, SpecError, diff, load
from dynadock.spec.differences import compare, comparison
from dynadock.spec.differences.severities import SEVERITIES
from dynadock.spec.library import bundled_folder, bundled_versions
from dynadock.spec.loader import load_version
from dynadock.spec.versions import parse_version


def spec_of(version):
    return load_version(parse_version(version))


def rows_of(old, new):
    """Return the differences of two versions as (severity, direction, kind, place)."""
    rows = compare(spec_of(old), spec_of(new))
    return [(row.severity, row.direction, row.kind, row.place) for row in rows]


FACTS = [
    ("1.40", "1.41", "harmless", "request", "parameter-added", "query platform"),
    ("1.40", "1.41", "harmless", "both", "field-added", "HostConfig.CgroupnsMode"),
    ("1.41", "1.42", "harmless", "request", "operation-added", "VolumeUpdate"),
    ("1.27", "1.28", "risky", "request", "operation-renamed", "ContainerArchive"),
    ("1.28", "1.27", "risky", "request", "operation-renamed", "ContainerGetArchive"),
    ("1.51", "1.52", "breaking", "request", "parameter-removed", "query keep-storage"),
    ("1.51", "1.52", "breaking", "request", "type-changed", "query platform"),
    ("1.45", "1.46", "risky", "request", "field-removed", "body CheckDuplicate"),
    ("1.43", "1.44", "breaking", "reply", "field-removed", "ImageSummary.VirtualSize"),
    ("1.41", "1.42", "risky", "both", "enum-value-added", "MountType"),
    ("1.39", "1.40", "risky", "reply", "success-removed", "status 101"),
    ("1.52", "1.53", "risky", "reply", "media-type-added", "reply"),
]


@pytest.mark.parametrize("fact", FACTS, ids=" ".join)
def test_facts_of_published_documents(fact):
    old, new, *row = fact
    assert tuple(row) in rows_of(old, new)


@pytest.mark.parametrize("version", bundled_versions(), ids=str)
def test_a_version_does_not_differ_from_itself(version):
    assert compare(load_version(version), load_version(version)) == []


PAIRS = [*itertools.pairwise(bundled_versions())]


@pytest.mark.parametrize(("old", "new"), PAIRS, ids=str)
def test_each_difference_is_told_once(old, new):
    rows = compare(load_version(old), load_version(new))
    told = [(row.place, row.kind, repr(row.old), repr(row.new), row.operations) for row in rows]
    assert len({*told}) == len(told)


def test_operations_and_definitions_are_told_by_many_names():
    found = diff("1.27", "1.28")
    renamed = found.of("ContainerArchive")
    assert [row.kind for row in renamed] == ["operation-renamed"]
    for name in ("ContainerGetArchive", "container_archive", "container_get_archive"):
        assert found.of(name) == renamed
    found = diff("1.40", "1.42")
    assert {row.place for row in found.of("Mount")} == {
        "Mount.BindOptions.CreateMountpoint",
        "MountType",
    }
    assert [row.place for row in found.of("HostConfig.KernelMemory")] == ["Resources.KernelMemory"]
    assert {row.place for row in found.of("HostConfig.Mounts")} == {
        row.place for row in found.of("Mount")
    }
    # What arrived as a whole concerns what is in it.
    assert [row.place for row in found.of("ServiceSpec.Mode.GlobalJob")] == [
        "ServiceSpec.Mode.GlobalJob"
    ]
    assert not found.of("ContainerPrune")


def test_one_operation_has_its_own_severity():
    found = diff("1.40", "1.42")
    (row,) = found.of("HostConfig.Capabilities")
    assert (row.severity, row.direction) == ("breaking", "both")
    (sent,) = [each for each in found.of("ContainerCreate") if each.place == row.place]
    (read,) = [each for each in found.of("ContainerInspect") if each.place == row.place]
    assert [(each.severity, each.direction) for each in (sent, read)] == [
        ("risky", "request"),
        ("breaking", "reply"),
    ]


@pytest.mark.parametrize("name", ["HostConfg", "container_lst", "HostConfig.Nonsense"])
def test_unknown_names_are_refused(name):
    with pytest.raises(SpecError, match=r"neither 1\.40 nor 1\.42 has an operation"):
        diff("1.40", "1.42").of(name)


def test_severities_part_the_whole():
    found = diff("1.40", "1.42")
    parts = [found.breaking, found.risky, found.harmless]
    assert [row for part in parts for row in part] == [*found]
    assert found.counts == dict(zip(SEVERITIES, map(len, parts), strict=True))
    assert isinstance(found[:2], Differences)
    assert [*found[:2]] == [found[0], found[1]]


def test_all_that_loads_is_compared(tmp_path):
    path = Path(bundled_folder(), "v1.41.yaml")
    expected = diff("1.40", "1.41")
    tree = json.loads("".join(path.read_text(encoding="utf-8").partition("{")[1:]))
    new = load("1.41", host="unix:///nowhere.sock")
    for other in (path, str(path), tree, new, spec_of("1.41")):
        assert [*diff("1.40", other)] == [*expected]
    assert diff("1.40", path).new == str(path)
    assert diff("v1.40", new).new == "1.41"
    with pytest.raises(SpecError, match=r"raw: expected a version, a path or a document"):
        diff("1.40", new, raw=True)
    with pytest.raises(SpecError, match=r"got the number 1\.4"):
        diff(1.4, new)


def test_an_operation_and_a_definition_compare_themselves():
    client = load("1.42", host="unix:///nowhere.sock")
    found = client.ContainerCreate.diff("1.40")
    assert found == diff("1.40", "1.42").of("ContainerCreate")
    assert repr(found).startswith("API 1.40 to 1.42, ContainerCreate: ")
    assert client.schema("Mount").diff("1.40") == diff("1.40", "1.42").of("Mount")
    with pytest.raises(SpecError, match=r"API 1\.25 has no definition 'ClusterVolume'"):
        client.schema("ClusterVolume").diff("1.25")


def test_a_definition_that_no_operation_has_is_compared_too():
    def document(kind):
        tree = {"A": {"type": "object", "properties": {"X": {"type": kind}}}}
        return {"swagger": "2.0", "info": {"version": "1.1"}, "paths": {}, "definitions": tree}

    older, newer = (
        load(document(each), host="unix:///nowhere.sock") for each in ("string", "integer")
    )
    assert not diff(older, newer)
    (row,) = newer.schema("A").diff(older)
    assert (row.place, row.kind, row.direction, row.operations) == ("A.X", "type-changed", "", ())


def test_a_second_time_it_is_read_from_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DYNADOCK_CACHE", str(tmp_path))
    first = diff("1.40", "1.41")
    monkeypatch.setattr(comparison, "compare", None)
    again = diff("1.40", "1.41")
    assert [*again] == [*first]
    assert all(type(row.uses[0]) is type(first[0].uses[0]) for row in again)


@pytest.mark.parametrize("width", [50, 72, 100])
def test_text_keeps_to_its_width(width):
    lines = diff(OLDEST, NEWEST).text(width).splitlines()
    assert max(map(len, lines)) <= width


def test_a_prompt_shows_the_first_of_very_many():
    found = diff(OLDEST, NEWEST)
    shown, whole = repr(found), found.text()
    assert shown.splitlines()[-1] == f"… {len(found) - 100} more; text() has them all"
    assert len(shown) < len(whole)
    assert whole.startswith(shown.splitlines()[0])


def test_text_tells_place_words_and_our_own_words():
    text = diff("1.40", "1.41").of("HostConfig").text(100)
    assert "  HostConfig (sent to ContainerCreate; in replies of ContainerInspect)\n" in text
    assert '    + CgroupnsMode  a new field, string\n                    "private" shows it' in text


def test_pages_stand_alone():
    page = diff("1.40", "1.41").html()
    assert page.startswith("<!doctype html>")
    assert "CgroupnsMode" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
