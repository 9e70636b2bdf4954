"""What the simulated engine tells of what happens in it."""

from __future__ import annotations

from datetime import datetime

import pytest

from documents import NEWEST, VERSIONS, numbers_of
from dynadock import BadRequest, load
from dynadock.simulation.engine import SimulatedEngine
from dynadock.simulation.registry import add
from simulated import conforms

FAR = 32_503_680_000
"""A moment that no test reaches, in seconds."""


@pytest.fixture
def docker():
    return load("1.45", host="embedded://")


def run(docker, name, *command, image="busybox", **fields):
    docker.ContainerCreate(name=name, Image=image, Cmd=[*command], **fields)
    docker.ContainerStart(name)
    docker.ContainerWait(name)


def now(docker):
    """Return the engine's time."""
    return datetime.fromisoformat(docker.SystemInfo().SystemTime)


def happened(docker, **arguments):
    """Return what has happened until now."""
    until = f"{now(docker).timestamp() + 0.001:.6f}"
    return [*docker.SystemEvents(since=0, until=until, **arguments)]


def actions(events):
    return [f"{each.Type} {each.Action}" for each in events]


def test_the_events_of_a_container(docker):
    run(docker, "one", "true", Labels={"color": "red"})
    docker.ContainerDelete("one")
    events = happened(docker, filters={"container": ["one"]})
    assert actions(events) == [
        *("container create", "container start", "container die", "container destroy")
    ]
    attributes = events[0].Actor.Attributes
    assert attributes == {"color": "red", "image": "busybox", "name": "one"}
    assert events[2].Actor.Attributes.exitCode == "0"


@pytest.mark.parametrize("version", VERSIONS)
def test_an_event_is_what_the_document_says(version):
    docker = load(version, host="embedded://")
    run(docker, "one", "true")
    events = happened(docker)
    assert events
    for event in events:
        conforms(docker, "SystemEvents", event)
        assert event.time == event.timeNano // 10**9
        is_old = numbers_of(version) < (1, 52)
        of_containers = event.Type == "container"
        assert ("status" in event) == ("from" in event) == (is_old and of_containers)
        if is_old and of_containers:
            assert (event.status, event.id, event["from"]) == (
                *(event.Action, event.Actor.ID, "busybox"),
            )


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"event": ["die"]}, ["one die", "two die"]),
        ({"event": ["di"]}, []),
        ({"event": ["die"], "container": ["one"]}, ["one die"]),
        ({"event": ["die", "start"], "container": ["two"]}, ["two start", "two die"]),
        ({"container": ["o"], "event": ["die"]}, ["one die"]),
        ({"container": ["/one"]}, []),
        ({"label": ["color=red"], "event": ["create"]}, ["one create"]),
        ({"label": ["color"], "event": ["create"]}, ["one create", "two create"]),
        ({"label": ["color=red", "size"], "event": ["create"]}, []),
        ({"image": ["busybox"], "event": ["create"]}, ["one create", "two create"]),
        ({"image": ["busybox:latest"], "event": ["create"]}, ["two create"]),
        ({"type": ["container"], "event": ["die"]}, ["one die", "two die"]),
        ({"type": ["volume"]}, []),
        ({"type": ["Container"]}, []),
        ({"scope": ["local"], "event": ["die"]}, ["one die", "two die"]),
        ({"scope": ["swarm"]}, []),
        ({"event": ["exec_create"]}, ["two exec_create: true "]),
        ({"event": ["exec_start", "exec_d"]}, ["two exec_start: true ", "two exec_die"]),
        ({"event": ["exec_create: true"]}, []),
        ({"event": ["exec"]}, []),
        ({"daemon": ["nobody"]}, []),
        ({"anything": ["else"], "event": ["die"]}, ["one die", "two die"]),
    ],
    ids=str,
)
def test_filters(docker, filters, expected):
    run(docker, "one", "true", Labels={"color": "red"})
    docker.ContainerCreate(
        name="two", Image="busybox:latest", Cmd=["sleep", "60"], Labels={"color": "blue"}
    )
    docker.ContainerStart("two")
    docker.ExecStart(docker.ContainerExec("two", Cmd=["true"]).Id, Detach=True)
    docker.ContainerKill("two")
    events = happened(docker, filters=filters)
    assert [f"{each.Actor.Attributes.name} {each.Action}" for each in events] == expected


def test_pruning_is_an_event_of_nobody(docker):
    docker.ContainerPrune()
    (event,) = happened(docker, filters={"event": ["prune"]})
    assert (event.Actor.ID, event.Actor.Attributes) == ("", {"reclaimed": "0"})
    assert event.status == "prune"
    assert not {"id", "from"} & {*event}


def test_events_come_as_they_happen(docker):
    with docker.SystemEvents(filters={"type": ["container"]}) as events:
        docker.ContainerCreate(name="one", Image="busybox")
        assert next(events).Action == "create"
        docker.ContainerRename("one", name="two")
        renamed = next(events)
    assert (renamed.Action, renamed.Actor.Attributes.name) == ("rename", "two")


def test_what_was_before_comes_only_to_whom_asks_for_it(docker):
    docker.ContainerCreate(name="early", Image="busybox")
    with docker.SystemEvents() as events:
        docker.ContainerCreate(name="late", Image="busybox")
        assert next(events).Actor.Attributes.name == "late"
    with docker.SystemEvents(since=1) as events:
        assert next(events).Actor.Attributes.name == "early"


def test_the_last_256_events_can_be_asked_for(docker):
    for number in range(300):
        docker.ContainerCreate(name=f"c{number}", Image="busybox")
    events = happened(docker)
    assert [each.Actor.Attributes.name for each in events] == [f"c{n}" for n in range(44, 300)]


def test_it_ends_when_its_time_has_come(docker):
    with docker.SystemEvents(until=now(docker).timestamp() + 0.3) as events:
        docker.ContainerCreate(name="one", Image="busybox")
        assert [each.Action for each in events] == ["create"]


def test_what_is_past_ends_at_once(docker):
    assert [*docker.SystemEvents(until=1)] == []


def test_since_and_until_take_fractions(docker):
    docker.ContainerCreate(name="one", Image="busybox")
    (event,) = happened(docker)
    moment = event.timeNano
    exactly = f"{moment // 10**9}.{moment % 10**9:09d}"
    later = f"{(moment + 1) // 10**9}.{(moment + 1) % 10**9:09d}"
    assert [*docker.SystemEvents(since=exactly, until=exactly)] == [event]
    assert [*docker.SystemEvents(since=later, until=later)] == []


def test_what_was_after_the_end_does_not_come(docker):
    for name in ("one", "two", "three"):
        docker.ContainerCreate(name=name, Image="busybox")
    one, two, three = happened(docker)
    asked = {"since": _exactly(two), "until": _exactly(two)}
    assert [*docker.SystemEvents(**asked)] == [two]
    assert [*docker.SystemEvents(until=_exactly(two))] == [one, two]
    assert [*docker.SystemEvents(since=_exactly(two), until=_exactly(three))] == [two, three]


def _exactly(event):
    return f"{event.timeNano // 10**9}.{event.timeNano % 10**9:09d}"


def test_on_a_clock_moved_by_hand_it_ends_when_that_shows_the_time():
    engine = SimulatedEngine(manual_clock=True)
    docker = load("1.45", host=f"embedded://{add(engine)}", timeout=5)
    with docker.SystemEvents(until=now(docker).timestamp() + 60) as events:
        docker.ContainerCreate(name="one", Image="busybox")
        engine.state.advance(61)
        docker.ContainerCreate(name="two", Image="busybox")
        assert [each.Actor.Attributes.name for each in events] == ["one"]


def test_it_cannot_end_before_it_begins(docker):
    with pytest.raises(
        BadRequest, match=r"`since` time \(20\.5\) cannot be after `until` time \(10\)"
    ):
        docker.SystemEvents(since=20.5, until=10)


def test_whoever_listens_is_counted(docker):
    with docker.SystemEvents(), docker.SystemEvents(until=FAR):
        assert docker.SystemInfo().NEventsListener == 2
    assert docker.SystemInfo().NEventsListener == 0


def test_a_reader_who_never_reads_misses_the_oldest_of_more_than_1024_events(docker):
    with docker.SystemEvents() as events:
        for number in range(700):
            docker.ContainerCreate(name=f"c{number}", Image="busybox")
            docker.ContainerDelete(f"c{number}")
        first = next(events)
    assert (first.Action, first.Actor.Attributes.name) == ("create", "c188")


def test_the_type_of_the_lines_is_that_of_before_unless_another_is_asked_for():
    docker = load(NEWEST, host="embedded://")
    reply = docker.SystemEvents.raw(until=1)
    assert reply.headers["Content-Type"] == "application/json"
    asked = docker.with_options(headers={"Accept": "application/json, application/jsonl"})
    assert asked.SystemEvents.raw(until=1).headers["Content-Type"] == "application/jsonl"
    older = asked.at("1.45")
    assert older.SystemEvents.raw(until=1).headers["Content-Type"] == "application/json"
