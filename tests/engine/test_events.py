"""What an engine reports as it happens: events, and a container's statistics."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from closing import check_closed_while_read
from dynadock import BadRequest, NotFound, ServerError, TimedOut
from engine.engines import STREAM_VERSIONS
from engine.things import new_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock import Client
    from engine.answers import Expected

    NewContainer = Callable[..., str]

pytestmark = pytest.mark.at(*STREAM_VERSIONS)


def test_life_of_a_container(
    client: Client, expected: Expected, new_container: NewContainer
) -> None:
    name = new_name("container")
    with client.SystemEvents(filters={"container": [name]}) as events:
        new_container(name, Cmd=["sh", "-c", "exit 7"])
        client.ContainerStart(name)
        came = [next(events)]
        while came[-1].Action != "die":
            came.append(next(events))
    made = client.ContainerInspect(name).Id
    assert {(event.Type, event.Actor.ID) for event in came} == {("container", made)}
    # Podman reports more events.
    actions = [event.Action for event in came if event.Action in ("create", "start", "die")]
    assert actions == ["create", "start", "die"]
    assert came[-1].Actor.Attributes.exitCode == "7"
    assert [event.timeNano for event in came] == sorted(event.timeNano for event in came)
    filters = {"container": name, "event": ["create", "die"]}
    again = client.SystemEvents(filters=filters, since=came[0].time, until=time.time())
    usual = ["create", "die"]
    told = expected.value("SystemEvents: what it tells of a time that is over", usual)
    assert [event.Action for event in again] == told


def test_long_ago(client: Client) -> None:
    now = datetime.now().astimezone()
    events = client.SystemEvents(since=now - timedelta(days=9999), until=now - timedelta(days=9998))
    assert events.wait() is None
    assert events.closed


def test_nothing_happens(client: Client) -> None:
    nothing = {"container": [new_name("nothing")]}
    with pytest.raises(TimedOut):
        next(client.with_options(timeout=0.2).SystemEvents(filters=nothing))


def test_closed_by_another_thread(client: Client) -> None:
    events = client.SystemEvents(filters={"container": [new_name("nothing")]})
    check_closed_while_read(events)
    assert client.SystemPing() == "OK"


def test_filters_that_make_no_sense(client: Client, expected: Expected) -> None:
    unchecked = client.with_options(validate=False)
    with expected("SystemEvents: with filters that are no JSON"), pytest.raises(BadRequest):
        unchecked.SystemEvents(filters="red", until=time.time())


def test_time_that_is_none(client: Client, expected: Expected) -> None:
    unchecked = client.with_options(validate=False)
    if expected.value("SystemEvents: whether it takes any word for a time", False):
        assert list(unchecked.SystemEvents(since="yesterday", until=time.time())) == []
    else:
        with pytest.raises(ServerError, match="yesterday"):
            unchecked.SystemEvents(since="yesterday", until=time.time())


def test_stats(client: Client, running: str) -> None:
    # The engine needs its time for each, so they are asked for at once.
    with ThreadPoolExecutor(1) as pool:
        single = pool.submit(client.ContainerStats, running, stream=False)
        with client.ContainerStats(running) as stream:
            first, second = next(stream), next(stream)
    assert _moment(first) < _moment(second)
    for sample in (first, second, single.result()):
        assert sample.memory_stats.usage > 0
        # More than the one right after a start: the runtime's own are counted too (seen on 28.5).
        assert sample.pids_stats.current >= 1


def _moment(sample: Any) -> datetime:
    return datetime.fromisoformat(sample.read)


def test_stats_of_what_is_not_there(client: Client) -> None:
    for stream in (True, False):
        with pytest.raises(NotFound):
            client.ContainerStats(new_name("nothing"), stream=stream)


@pytest.mark.each_engine
def test_stats_end_with_the_container(client: Client, new_container: NewContainer) -> None:
    name = new_container()
    client.ContainerStart(name)
    with client.ContainerStats(name) as stream:
        assert next(stream).pids_stats.current == 1
        client.ContainerDelete(name, force=True)
        assert len(list(stream)) <= 5
