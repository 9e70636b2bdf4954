"""What simulated containers use, and the processes in them."""

from __future__ import annotations

from datetime import datetime
from time import monotonic

import pytest

from documents import NEWEST, VERSIONS
from dynadock import BadRequest, NotFound, load
from dynadock.simulation.engine import SimulatedEngine
from dynadock.simulation.registry import add
from simulated import conforms

NEVER = "0001-01-01T00:00:00Z"


@pytest.fixture
def docker():
    return load("1.45", host="embedded://")


def sleeping(docker, name="one", **fields):
    docker.ContainerCreate(name=name, Image="busybox", Cmd=["sleep", "600"], **fields)
    docker.ContainerStart(name)


def moment(text):
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_reading_is_what_the_document_says(version):
    docker = load(version, host="embedded://")
    sleeping(docker)
    with docker.ContainerStats("one") as readings:
        conforms(docker, "ContainerStats", next(readings))
        docker.ContainerKill("one")
    conforms(docker, "ContainerStats", docker.ContainerStats("one", stream=False))


def test_what_is_used_grows(docker):
    sleeping(docker)
    with docker.ContainerStats("one") as readings:
        first, second = next(readings), next(readings)
    assert first.preread == NEVER
    assert second.preread == first.read
    assert second.precpu_stats == first.cpu_stats
    assert 0.9 < (moment(second.read) - moment(first.read)).total_seconds() < 5
    cpu, before = second.cpu_stats, second.precpu_stats
    assert cpu.cpu_usage.total_usage > before.cpu_usage.total_usage
    assert sum(cpu.cpu_usage.percpu_usage) == cpu.cpu_usage.total_usage
    assert cpu.system_cpu_usage > before.system_cpu_usage
    assert second.networks.eth0.rx_bytes > first.networks.eth0.rx_bytes
    assert (first.name, first.id) == ("/one", docker.ContainerInspect("one").Id)


def test_processes_and_limits_are_the_containers_own(docker):
    sleeping(docker, HostConfig={"Memory": 32 * 2**20, "PidsLimit": 50})
    docker.ExecStart(docker.ContainerExec("one", Cmd=["sleep", "600"]).Id, Detach=True)
    reading = docker.ContainerStats("one", stream=False, one_shot=True)
    assert reading.pids_stats == {"current": 2, "limit": 50}
    assert reading.memory_stats.limit == 32 * 2**20
    assert 0 < reading.memory_stats.usage < reading.memory_stats.limit


def test_without_a_stream_it_takes_a_second(docker):
    sleeping(docker)
    before = monotonic()
    reading = docker.ContainerStats("one", stream=False)
    assert monotonic() - before > 0.9
    assert reading.precpu_stats.cpu_usage.total_usage > 0
    assert reading.preread < reading.read


def test_on_a_clock_moved_by_hand_nobody_has_to_wait():
    engine = SimulatedEngine(manual_clock=True)
    docker = load("1.45", host=f"embedded://{add(engine)}", timeout=5)
    sleeping(docker)
    engine.state.advance(60)
    first = docker.ContainerStats("one", stream=False)
    second = docker.ContainerStats("one", stream=False)
    assert first == second
    used = first.cpu_stats.cpu_usage.total_usage - first.precpu_stats.cpu_usage.total_usage
    passed = first.cpu_stats.system_cpu_usage - first.precpu_stats.system_cpu_usage
    assert passed == 10**9 * first.cpu_stats.online_cpus
    assert 0 < used < 10**9
    engine.state.advance(1)
    assert docker.ContainerStats("one", stream=False).preread == first.read


def test_one_shot_comes_at_once_and_knows_no_reading_before(docker):
    sleeping(docker)
    before = monotonic()
    reading = docker.ContainerStats("one", stream=False, one_shot=True)
    assert monotonic() - before < 0.9
    assert reading.preread == NEVER
    assert reading.precpu_stats.cpu_usage.total_usage == 0
    assert "name" not in reading


def test_one_shot_is_no_stream(docker):
    sleeping(docker)
    with pytest.raises(BadRequest, match="cannot have stream=true and one-shot=true"):
        docker.ContainerStats("one", one_shot=True)


def test_who_does_not_run_uses_nothing(docker):
    docker.ContainerCreate(name="one", Image="busybox")
    reading = docker.ContainerStats("one", stream=False)
    assert (reading.read, reading.preread) == (NEVER, NEVER)
    assert (reading.pids_stats, reading.memory_stats) == ({}, {})
    assert reading.cpu_stats.cpu_usage.total_usage == 0
    assert "networks" not in reading
    assert reading.name == "/one"


def test_the_stream_goes_on_when_it_stops_and_ends_when_it_is_removed(docker):
    sleeping(docker)
    with docker.ContainerStats("one") as readings:
        running = next(readings)
        docker.ContainerKill("one")
        stopped = next(readings)
        docker.ContainerDelete("one")
        assert [*readings] == []
    assert (stopped.read, stopped.preread) == (NEVER, running.read)
    assert stopped.precpu_stats == running.cpu_stats


def test_nobody_is_measured_who_is_not_there():
    with pytest.raises(NotFound, match="No such container: none"):
        load(NEWEST, host="embedded://").ContainerStats("none")


@pytest.mark.parametrize("mode", ["none", "host"])
def test_without_a_network_of_its_own_it_uses_none(docker, mode):
    sleeping(docker, HostConfig={"NetworkMode": mode})
    assert "networks" not in docker.ContainerStats("one", stream=False, one_shot=True)
