"""Unique names of the pytest plugin, whose they are, and that what carries them is removed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents import VERSIONS, operations_of
from dynadock.embedded import Engine
from dynadock.spec.data import bundled_data
from dynadock.testing import names, sweeping
from dynadock.testing.names import LABEL, Name, RunId, is_left_over, is_name, living_run, names_in
from dynadock.testing.sweeping import sweep


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    """Have a folder of locks that only this test knows."""
    monkeypatch.setenv("DYNADOCK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tests"


def as_if_at(run, *, place=None, minutes_ago=0):
    """Return a run's id as another place, or an earlier one, would have made it."""
    minute = int(time.time()) // 60 - minutes_ago
    return RunId((place or run.text[:6]) + names._written(minute, 5) + run.text[11:])


# Names


def test_a_name_is_good_for_everything_that_has_one():
    name = RunId.new().name()
    assert is_name(name)
    assert len(name) == 36
    assert name == name.lower()
    assert f"{name}-data".startswith(name)
    assert name.labels == {LABEL: name}
    assert type(name.labels[LABEL]) is str
    assert name.labels is not name.labels


def test_no_name_begins_with_another():
    run = RunId.new()
    made = {run.name() for _ in range(1000)}
    assert len(made) == 1000
    assert len({len(each) for each in made}) == 1
    assert all(run.made(each) for each in made)
    assert not any(RunId.new().made(each) for each in made)


@pytest.mark.parametrize(
    "text",
    ["{}", "/{}", "{}-data", "/{}_1", "localhost:5000/{}:latest", "localhost/{}x:1", "/web/{}"],
)
def test_what_carries_a_name(text):
    name = RunId.new().name()
    assert [*names_in(text.format(name))] == [name]


@pytest.mark.parametrize("text", ["x{}", "web-{}", "", "/", "dynadock-test-", "<none>:<none>"])
def test_what_does_not(text):
    assert not [*names_in(text.format(RunId.new().name()))]


@given(st.text())
def test_no_other_text_has_one(text):
    assert not [*names_in(text)]
    assert not is_name(text)
    assert not is_left_over(text)


def test_names_can_be_pickled_as_texts():
    name = RunId.new().name()
    assert f"{name}" == str(name) == Name(name)


# Whose they are


def test_a_living_run_has_left_nothing_over(own_folder):
    with living_run() as run:
        assert not is_left_over(run.name())
        assert [each.name for each in own_folder.iterdir()] == [run.text]
    assert is_left_over(run.name())
    assert not [*own_folder.iterdir()]


def test_runs_may_live_at_once():
    with living_run() as one, living_run() as other:
        assert not is_left_over(one.name())
        assert not is_left_over(other.name())
        assert one.text[:6] == other.text[:6]


@pytest.mark.parametrize(
    ("minutes", "left"), [(0, False), (24 * 60 - 1, False), (24 * 60 + 2, True)]
)
def test_a_run_in_another_place_is_over_after_a_day(minutes, left):
    with living_run() as run:
        other = as_if_at(run, place="zzzzzz", minutes_ago=minutes)
        assert is_left_over(other.name()) is left


def test_a_run_that_lives_for_days_is_not_over_in_its_own_place(own_folder):
    with living_run() as run:
        old = as_if_at(run, minutes_ago=24 * 60 * 30)
        descriptor = names._hold(own_folder / old.text)
        try:
            assert not is_left_over(old.name())
        finally:
            os.close(descriptor)
        assert is_left_over(old.name())


def test_without_a_folder_a_run_is_in_a_place_of_its_own(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DYNADOCK_CACHE", str(tmp_path / "file"))
    with living_run() as one, living_run() as other:
        assert one.text[:6] != other.text[:6]
        assert not is_left_over(one.name())


LIVE = """
import sys, time
from dynadock.testing.names import living_run
with living_run() as run:
    print(run.name(), flush=True)
    time.sleep(600)
"""


def test_a_killed_run_lives_no_more(own_folder):
    with subprocess.Popen([sys.executable, "-c", LIVE], stdout=subprocess.PIPE, text=True) as ran:
        name = ran.stdout.readline().strip()
        assert not is_left_over(name)
        ran.send_signal(signal.SIGKILL)
    assert is_left_over(name)
    assert len([*own_folder.iterdir()]) == 1
    with living_run() as run:
        assert [each.name for each in own_folder.iterdir()] == [run.text]


def _begin_and_look(count, found):
    for _ in range(count):
        with living_run() as run:
            found.put(is_left_over(run.name()))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="it needs fork, for speed")
def test_a_lock_is_not_lost_to_those_who_look_for_dead_ones():
    context = multiprocessing.get_context("spawn")
    found = context.Queue()
    ran = [context.Process(target=_begin_and_look, args=(150, found)) for _ in range(3)]
    for each in ran:
        each.start()
    answers = [found.get(timeout=60) for _ in range(450)]
    for each in ran:
        each.join()
    assert not any(answers)


# Sweeping


def fill(client, name, *, by_name):
    """Make one thing of each kind, labelled or called so."""
    called = (lambda what: f"{name}-{what}") if by_name else (lambda what: f"other-{what}")
    labels = {} if by_name else name.labels
    client.VolumeCreate(Name=called("volume"), Labels=labels)
    client.NetworkCreate(Name=called("network"), Labels=labels)
    mounts = [{"Type": "volume", "Source": called("volume"), "Target": "/data"}]
    client.ContainerCreate(
        name=called("container"),
        Image="busybox",
        Cmd=["sleep", "100"],
        Labels=labels,
        HostConfig={"NetworkMode": called("network"), "Mounts": mounts},
    )
    client.ContainerStart(called("container"))
    if by_name:
        client.ImageTag("busybox", repo=called("image"), tag="1")


def state_of(client):
    return (
        sorted(each for row in client.ContainerList(all=True) for each in row.Names),
        sorted(each.Name for each in client.NetworkList()),
        sorted(each.Name for each in client.VolumeList().Volumes or ()),
        sorted(each for row in client.ImageList() for each in row.RepoTags),
    )


@pytest.mark.parametrize("by_name", [True, False])
def test_what_carries_a_name_is_removed_and_nothing_else(by_name):
    with Engine() as engine, engine.client() as client:
        run = RunId.new()
        ours, others = run.name(), run.name()
        fill(client, others, by_name=True)
        before = state_of(client)
        fill(client, ours, by_name=by_name)
        assert state_of(client) != before
        assert sweep(client, lambda each: each == ours) == []
        assert state_of(client) == before
        assert sweep(client, run.made) == []
        assert state_of(client)[0] == []


def test_a_labelled_image_is_removed_with_all_its_tags():
    with Engine() as engine, engine.client() as client:
        name = RunId.new().name()
        engine.add_image("shop:1", labels=name.labels)
        client.ImageTag("shop:1", repo="shop", tag="2")
        assert sweep(client, lambda each: each == name) == []
        assert state_of(client)[3] == ["busybox:latest"]


def test_what_cannot_be_removed_is_told():
    with Engine() as engine, engine.client() as client:
        name = RunId.new().name()
        client.VolumeCreate(Name=name)
        engine.fail("VolumeDelete", status=500, message="disk is full")
        (left,) = sweep(client, lambda each: each == name, patience=0.2)
        assert str(left).startswith(f"volume {name}: VolumeDelete")
        assert "disk is full" in str(left)


def test_what_is_in_use_is_tried_again(monkeypatch):
    with Engine() as engine, engine.client() as client:
        name = RunId.new().name()
        client.NetworkCreate(Name=name)
        engine.fail("NetworkDelete", status=403, message="has active endpoints", times=2)
        assert sweep(client, lambda each: each == name) == []


def test_what_is_deleted_and_stays_is_told(monkeypatch):
    rows = [row | {"makes_others": True} for row in bundled_data(sweeping.DATA)["kinds"]]
    monkeypatch.setattr(sweeping, "bundled_data", lambda name: {"kinds": rows})
    monkeypatch.setattr(sweeping, "_removed", lambda client, thing: None)
    with Engine() as engine, engine.client() as client:
        name = RunId.new().name()
        client.VolumeCreate(Name=name)
        (left,) = sweep(client, lambda each: each == name, patience=0.2)
        assert str(left) == f"volume {name}: it was deleted, and is still there"


def test_the_oldest_version_does_too():
    with Engine(api="1.25") as engine, engine.client() as client:
        name = RunId.new().name()
        fill(client, name, by_name=True)
        assert sweep(client, lambda each: each == name) == []
        assert state_of(client)[0] == []


def test_its_data_names_operations_that_there_are():
    kinds = bundled_data(sweeping.DATA)["kinds"]
    of_all = set.intersection(*(set(operations_of(each)) for each in VERSIONS))
    newest = set(operations_of(VERSIONS[-1]))
    for kind in kinds:
        names_of_it = {kind["list"], kind["delete"]}
        assert names_of_it <= (newest if kind.get("elsewhere_none") else of_all)
