"""What goes wrong on purpose: what a user plans, and what every kind of client then meets."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynadock import (
    ConnectionLost,
    ConnectionRefused,
    NotFound,
    ServerError,
    StreamError,
    TimedOut,
    TransportError,
    TruncatedStream,
    UnknownOperation,
    load,
)
from dynadock.embedded import Engine
from dynadock.simulation.clock import Clock
from dynadock.simulation.faults import Damage

VERSION = "1.45"


@pytest.fixture
def engine():
    with Engine(seed=7) as made:
        yield made


@pytest.fixture(params=["in process", "over a socket"])
def client(request, engine):
    address = engine.address if request.param == "in process" else engine.url
    with load(VERSION, host=address, timeout=10, retries=0) as made:
        yield made


def test_calls_are_refused_and_nothing_is_done(engine, client):
    engine.fail("ContainerCreate")
    with pytest.raises(ServerError, match=r"500 from .*: ContainerCreate fails, as planned"):
        client.ContainerCreate(Image="busybox")
    assert client.ContainerList(all=True) == []


def test_with_the_status_and_the_words_that_are_planned(engine, client):
    engine.fail("container_create", status=404, message="No such image: app:1")
    with pytest.raises(NotFound, match="No such image: app:1") as caught:
        client.ContainerCreate(Image="busybox")
    assert caught.value.explanation == "No such image: app:1"
    assert engine.calls[-1].status == 404


def test_so_many_times(engine, client):
    fault = engine.fail("SystemPing", times=2)
    outcomes = []
    for _ in range(4):
        try:
            outcomes.append(client.SystemPing())
        except ServerError:
            outcomes.append("refused")
    assert outcomes == ["refused", "refused", "OK", "OK"]
    assert fault.met == 2


def test_only_calls_that_are_meant(engine, client):
    engine.fail("ContainerInspect", when=lambda call: call.arguments["id"] == "two")
    for name in ("one", "two"):
        engine.add_container(name)
    assert client.ContainerInspect("one").Name == "/one"
    with pytest.raises(ServerError):
        client.ContainerInspect("two")


def test_until_it_is_removed(engine, client):
    with engine.fail("SystemPing") as fault:
        with pytest.raises(ServerError):
            client.SystemPing()
        assert "1 calls met" in repr(fault)
    assert client.SystemPing() == "OK"
    fault.remove()


def test_the_first_of_several_counts(engine, client):
    engine.fail("SystemPing", status=503, times=1)
    engine.fail("SystemPing", status=500, times=1)
    statuses = []
    for _ in range(2):
        with pytest.raises(ServerError) as caught:
            client.SystemPing()
        statuses.append(caught.value.status)
    assert statuses == [503, 500]
    assert client.SystemPing() == "OK"


class TestStreams:
    @pytest.fixture
    def moments(self, engine, client):
        """Let some things happen, and give the arguments that ask for them as a stream."""
        began = int(engine.clock.now()) - 1
        for name in ("one", "two", "three"):
            client.ContainerCreate(name=name, Image="busybox")
        engine.clock.advance(10)
        return {"since": began, "until": began + 9}

    @pytest.mark.parametrize("count", [0, 1, 2, 3])
    def test_an_error_comes_behind_so_many_values(self, engine, client, moments, count):
        engine.fail("SystemEvents", after_values=count, message="the disk is full")
        seen = []
        with pytest.raises(StreamError, match="the disk is full"):
            seen.extend(each.Actor.Attributes["name"] for each in client.SystemEvents(**moments))
        assert seen == ["one", "two", "three"][:count]

    def test_a_pull_fails_on_its_way(self, engine, client):
        engine.add_image("app", cmd=["true"], pullable=True)
        engine.fail("ImageCreate", after_values=1, message="no space left on device", times=1)
        with pytest.raises(StreamError, match="no space left on device") as caught:
            client.ImageCreate(fromImage="app", tag="latest").wait()
        assert caught.value.value["errorDetail"]["message"] == "no space left on device"
        client.ImageCreate(fromImage="app", tag="latest").wait()
        assert client.ImageInspect("app").RepoTags == ["app:latest"]

    def test_a_stream_ends_in_the_midst_of_a_value(self, engine, client, moments):
        whole = len(client.SystemEvents.raw(**moments).content)
        engine.fail("SystemEvents", cut=whole)
        seen = []
        with pytest.raises(TruncatedStream):
            seen.extend(client.SystemEvents(**moments))
        assert 0 < len(seen) < 3

    def test_output_ends_in_the_midst_of_a_frame(self, engine, client):
        engine.program("app", stdout="a" * 1000)
        client.ContainerCreate(name="box", Image="app")
        client.ContainerStart("box")
        engine.fail("ContainerLogs", cut=800)
        got = []
        with pytest.raises(TruncatedStream):
            got.extend(client.ContainerLogs("box", stdout=True))
        assert len(b"".join(each.data for each in got)) < 1000

    def test_what_returns_no_stream_of_values_has_no_error_in_one(self, engine):
        with pytest.raises(ValueError, match="ContainerList returns no stream of values"):
            engine.fail("ContainerList", after_values=1)


class TestConnections:
    @pytest.mark.parametrize("cut", [0, 1, 9, 60, 200])
    def test_they_end_at_any_byte(self, engine, client, cut):
        for place in range(3):
            engine.add_container(f"box{place}")
        engine.fail("ContainerList", cut=cut, times=1)
        with pytest.raises(ConnectionLost):
            client.ContainerList()
        assert len(client.ContainerList()) == 3

    def test_what_was_asked_is_done_nevertheless(self, engine, client):
        engine.fail("ContainerCreate", cut=0)
        with pytest.raises(ConnectionLost):
            client.ContainerCreate(name="box", Image="busybox")
        assert client.ContainerInspect("box").State.Status == "created"

    def test_a_cut_behind_the_reply_is_none(self, engine, client):
        engine.fail("SystemPing", cut=100_000)
        assert client.SystemPing() == "OK"

    def test_slow_bytes_come_in_the_end(self, engine, client):
        client.SystemPing()
        engine.fail("SystemPing", slow=2000)
        begun = time.monotonic()
        assert client.SystemPing() == "OK"
        assert time.monotonic() - begun > 0.05

    def test_or_too_late(self, engine, client):
        engine.fail("SystemPing", slow=1)
        with pytest.raises(TimedOut):
            client.with_options(deadline=0.2).SystemPing()

    def test_a_delay_is_waited_for(self, engine, client):
        engine.fail("SystemPing", delay=0.1, times=1)
        begun = time.monotonic()
        assert client.SystemPing() == "OK"
        assert time.monotonic() - begun >= 0.1

    def test_or_not(self, engine, client):
        engine.fail("ContainerCreate", delay=60)
        with pytest.raises(TimedOut):
            client.with_options(timeout=0.1).ContainerCreate(name="box", Image="busybox")
        assert client.ContainerList(all=True) == []

    def test_a_refusal_may_be_late_too(self, engine, client):
        engine.fail("SystemPing", delay=0.05, status=503)
        with pytest.raises(ServerError, match="503"):
            client.SystemPing()

    def test_the_engine_dies_of_a_call_and_comes_back(self, engine, client):
        engine.add_container("box")
        client.SystemPing()
        engine.fail("ContainerKill", gone=True, times=1)
        with pytest.raises(ConnectionLost):
            client.ContainerKill("box")
        with pytest.raises(TransportError):
            client.SystemPing()
        engine.start()
        assert client.ContainerInspect("box").State.Running


def test_a_delay_is_on_the_engine_s_clock():
    with Engine(clock="manual") as engine:
        engine.fail("SystemPing", delay=3600)
        client, answers = engine.client(VERSION, timeout=10), []
        asking = threading.Thread(target=lambda: answers.append(client.SystemPing()))
        asking.start()
        while not engine.calls.of("SystemPing"):
            time.sleep(0.001)
        engine.clock.advance(3599)
        time.sleep(0.02)
        assert answers == []
        engine.clock.advance(1)
        asking.join(5)
        assert answers == ["OK"]


def test_retries_are_made_as_with_any_engine(engine):
    client = engine.client(VERSION)
    client.SystemPing()
    engine.stop()
    with pytest.raises(ConnectionRefused):
        client.ContainerList()
    engine.start()
    assert client.ContainerList() == []


@given(
    blocks=st.lists(st.binary(max_size=40), max_size=8),
    cut=st.none() | st.integers(0, 200),
    slow=st.none() | st.integers(1, 500),
)
def test_what_gets_through_is_the_beginning(blocks, cut, slow):
    clock = Clock(manual=True)
    damage = Damage(clock, cut, slow)
    came, whole = b"", b"".join(blocks)
    for block in blocks:
        damage.put(block)
        while (piece := damage.take()) != b"":
            if piece is None:
                # Whoever waits is woken when there is more.
                assert clock.next() > clock.now()
                clock.move(clock.next() - clock.now())
                clock.begin_next().cancel()
                clock.leave()
            came += piece or b""
    assert came == (whole if cut is None else whole[:cut])
    assert damage.is_cut == (cut is not None and len(whole) >= cut)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ContainerLst", "did you mean ContainerList"),
        ("containers.run", "did you mean"),
        ("", "no operation ''"),
    ],
)
def test_an_operation_that_nobody_knows_is_refused(engine, name, words):
    with pytest.raises(UnknownOperation, match=words):
        engine.fail(name)


def test_an_operation_of_any_version_that_is_spoken_is_known():
    with Engine(api="1.25-1.40") as engine:
        assert engine.fail("GetPluginPrivileges").met == 0


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"status": 200}, "status: expected one from 400 to 599, got 200"),
        ({"status": 500, "after_values": 1}, "after_values: a refused call has no values"),
        ({"after_values": -1}, "after_values: expected an integer, 0 or more, got -1"),
        ({"cut": 1.5}, "cut: expected an integer, 0 or more, got 1.5"),
        ({"times": 0}, "times: expected an integer, 1 or more, got 0"),
        ({"slow": 0}, "slow: expected more than 0 bytes"),
        ({"delay": -1}, "delay: expected seconds, 0 or more, got -1"),
        ({"delay": "1"}, "delay: expected seconds as a number, got '1'"),
        ({"when": "never"}, "when: expected a function"),
    ],
)
def test_what_makes_no_sense_is_refused(engine, wrong, words):
    with pytest.raises((TypeError, ValueError), match=words):
        engine.fail("SystemEvents", **wrong)
