"""What the pytest plugin is asked for: engines, versions, names that tests need."""

from __future__ import annotations

import pytest

from documents import NEWEST, NEXT, OLDEST, VERSIONS
from dynadock.spec.versions import parse_version
from dynadock.testing.asked import (
    check_report,
    read_engines,
    read_ranges,
    read_wanted,
)
from dynadock.testing.engines import Engine, ask, told
from dynadock.testing.needs import NoSuchName, is_operation, lacking
from dynadock.testing.targets import targets_on
from secret_values import SECRET, is_told_by

HERE = "--dynadock-engine"


def spoken(first, last):
    return [parse_version(each) for each in VERSIONS if first <= each <= last]


def on(oldest, newest, fault=""):
    return Engine("d", None, "docker", "1", parse_version(oldest), parse_version(newest), fault)


# Engines


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ([], [("embedded", None)]),
        (["embedded"], [("embedded", None)]),
        (["e=embedded://"], [("e", None)]),
        (["e=embedded://shop"], [("e", "embedded://shop")]),
        ([" d28=unix:///run/a=b.sock "], [("d28", "unix:///run/a=b.sock")]),
        (
            ["a.b_c+d-1=tcp://box:2375", "p=ssh://me@box"],
            [("a.b_c+d-1", "tcp://box:2375"), ("p", "ssh://me@box")],
        ),
    ],
)
def test_engines(texts, found):
    read = read_engines(texts, HERE)
    assert [(each.name, each.address and each.address.plain) for each in read] == found


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["d28"], "expected NAME=ADDRESS, such as d28=unix:///var/run/docker.sock, or 'embedded'"),
        (["unix:///run/docker.sock"], "expected NAME=ADDRESS"),
        (["d28="], "expected NAME=ADDRESS"),
        (["=unix:///a"], "expected NAME=ADDRESS"),
        (["a b=unix:///a"], "up to 64 letters, digits"),
        (["[x]=unix:///a"], "got '[x]=unix:///a'"),
        (["-x=unix:///a"], "expected NAME=ADDRESS"),
        ([f"{'x' * 65}=unix:///a"], "up to 64"),
        (["ü=unix:///a"], "letters"),
        (["a\nb=unix:///a"], "letters"),
        (["d=docker"], "--dynadock-engine d: 'docker' is not the address of an engine"),
        (["d=ftp://box:1"], "--dynadock-engine d: "),
        (["embedded=unix:///a"], "for engines of the test's own"),
        (["d=unix:///a", "d=unix:///b"], "two engines called d"),
    ],
)
def test_what_names_no_engine(texts, words):
    with pytest.raises(pytest.UsageError) as caught:
        read_engines(texts, HERE)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        f"tcp://user:{SECRET}@box:2375",
        f"d=tcp://user:{SECRET}@box:2375",
        f"x y=ssh://user:{SECRET}@box",
        f"d=tcp://box:2375?token={SECRET}",
        f"d=tcp://user:{SECRET}",
    ],
)
def test_no_secret_of_an_address_is_shown(text):
    with pytest.raises(pytest.UsageError) as caught:
        read_engines([text], HERE)
    assert not is_told_by(str(caught.value))


# Versions


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("newest", ["1.41"]),
        ("all", VERSIONS[: VERSIONS.index("1.41") + 1]),
        ("1.40-1.43", ["1.40", "1.41", "1.42", "1.43"]),
        ("1.30,1.41", ["1.30", "1.41"]),
        ("1.41, 1.30 ,newest", ["1.30", "1.41"]),
        ("v1.42", ["1.42"]),
        ("1.40-", ["1.40", "1.41"]),
        ("-1.26", ["1.25", "1.26"]),
        ("1.50-", ["1.50"]),
        ("newest,1.50-1.51", ["1.41", "1.50", "1.51"]),
    ],
)
def test_versions(text, found):
    assert [str(each) for each in read_wanted(text, "").of(spoken(OLDEST, "1.41"))] == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("new", "'new' is not an API version"),
        ("", "contains no API version"),
        ("1.40,,1.41", "contains no API version"),
        ("1.42-1.40", "no document for API 1.42-1.40"),
        (NEXT, f"no document for API {NEXT}; there are {OLDEST} to {NEWEST}"),
        ("1.2.3", "is not an API version"),
    ],
)
def test_what_is_no_version(text, words):
    with pytest.raises(pytest.UsageError, match=r"^--x: ") as caught:
        read_wanted(text, "--x")
    assert words in str(caught.value)


def test_a_mark_may_be_for_versions_to_come():
    (found,) = read_ranges(f"{NEXT}-", "")
    assert parse_version(NEXT) in found
    with pytest.raises(pytest.UsageError, match="expected a range"):
        read_ranges("new", "")


@pytest.mark.parametrize(
    ("engine", "text", "ids"),
    [
        (on("1.24", "1.41"), "newest", ["d-1.41"]),
        (on("1.24", "1.41"), "1.41,1.42", ["d-1.41", "d-1.42"]),
        (on("1.60", "1.70"), "newest", ["d"]),
        (on("1.60", "1.70"), "all", ["d"]),
        (on("1.24", "1.41")._replace(newest=None, fault="x"), "newest", ["d"]),
        (on("1.24", "1.41")._replace(newest=None, fault="x"), "1.30,newest", ["d-1.30"]),
    ],
)
def test_targets(engine, text, ids):
    assert [each.id for each in targets_on(engine, read_wanted(text, ""))] == ids


def test_why_there_is_no_speaking():
    def why(engine, text):
        return [each.unspoken for each in targets_on(engine, read_wanted(text, ""))]

    assert why(on("1.24", "1.41"), "1.41-1.42") == ["", "d speaks API 1.24 to 1.41, not 1.42"]
    assert why(on("1.60", "1.70"), "all") == [
        "d speaks API 1.60 to 1.70, and there are no documents for that"
    ]
    assert why(on("1.24", "1.41")._replace(newest=None, fault="gone"), "1.30") == [""]


def test_a_marked_embedded_engine_speaks_what_its_mark_says():
    (engine,) = map(ask, read_engines([], ""))
    assert [each.id for each in targets_on(engine, read_wanted("newest", ""), "1.30-1.41")] == [
        "embedded-1.41"
    ]


def test_an_engine_is_told_to_another_process(engine):
    asked = read_engines([f"e={engine.address}", "gone=unix:///nowhere.sock", "embedded"], "")
    engines = tuple(ask(each) for each in asked)
    assert [each.kind for each in engines] == ["embedded", "", "embedded"]
    assert "SocketMissing" in engines[1].fault
    facts = [each.facts() for each in engines]
    assert told(asked, facts)[0].spoken == engines[0].spoken
    assert [each.fault for each in told(asked, facts)] == [each.fault for each in engines]
    assert str(engines[1]).startswith("gone: not to be reached at unix:///nowhere.sock: Socket")


# Needs


@pytest.mark.parametrize(
    ("name", "version", "why"),
    [
        ("VolumeUpdate", "1.42", ""),
        ("VolumeUpdate", "1.41", "it arrived in 1.42"),
        ("volume_update", "1.30", "it arrived in 1.42"),
        ("ContainerCreate.platform", "1.40", "it arrived in 1.41"),
        ("ContainerCreate.platform", "1.41", ""),
        ("HostConfig.CgroupnsMode", "1.40", "it arrived in 1.41"),
        ("ContainerCreate.HostConfig.CgroupnsMode", "1.40", "it arrived in 1.41"),
        ("ContainerGetArchive", "1.42", "its last version is 1.27"),
        ("SystemInfo.CgroupVersion", "1.40", "it arrived in 1.41"),
        ("HostConfig.Mounts[].Type", "1.42", ""),
        ("HostConfig.Mounts.Type", "1.42", ""),
        ("HostConfig", "1.42", ""),
    ],
)
def test_needs(name, version, why):
    assert lacking(name, parse_version(version)) == why


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ContanerCreate.platform", "; did you mean 'ContainerCreate.platform'?"),
        ("ContainerCreate.nonsense", ""),
        ("HostConfig.Mounts.Nonsense", ""),
        ("HostConfig.Memory.More", ""),
        ("ContainerCreate.", ""),
        ("", ""),
        (".", ""),
    ],
)
def test_a_name_that_no_version_has(name, hint):
    with pytest.raises(NoSuchName) as caught:
        lacking(name, parse_version("1.42"))
    assert str(caught.value) == f"no API version has {name!r}{hint}"


def test_only_operations_are_absent():
    assert is_operation("VolumeUpdate")
    assert is_operation("ContainerGetArchive")
    assert not is_operation("ContainerCreate.platform")
    assert not is_operation("HostConfig")


# Reports


def test_a_report_s_name_says_what_it_is():
    assert check_report("a/b.HTML", "") == "a/b.HTML"
    with pytest.raises(pytest.UsageError, match=r"--r: expected a file \.html, \.json, \.xml"):
        check_report("report.txt", "--r")
