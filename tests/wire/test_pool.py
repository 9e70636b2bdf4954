"""One client for many threads: how many connections it has, and who waits for one."""

from __future__ import annotations

import contextlib
import gc
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dynadock import ConnectionLost, TimedOut, load
from wire.peer import (
    OK,
    PATIENCE,
    SHORT,
    TAR_STREAM,
    Peer,
    answer,
    chunk,
    expect,
    hang_up,
    head,
    reply,
    send,
    silence,
    tell,
    wait,
)

PART = answer(TAR_STREAM + chunk(b"abc"))


def of_one(peer, **options):
    """Return a client that has one connection."""
    return load("1.42", host=peer.address, connections=1, **options)


def test_no_more_connections_than_allowed():
    """The peer takes two connections; a third would be one too many."""

    def serve(connection):
        for _ in iter(connection.next_request, None):
            connection.send([reply(text="OK")])

    with (
        Peer([serve], [serve]) as peer,
        ThreadPoolExecutor(16) as threads,
        load("1.42", host=peer.address, connections=2) as client,
    ):
        calls = [threads.submit(client.SystemPing) for _ in range(400)]
        assert {call.result(PATIENCE) for call in calls} == {"OK"}
    assert peer.connections <= 2


def test_a_call_waits_for_a_free_connection(caplog):
    caplog.set_level(logging.INFO, "dynadock.transport")
    asked, go_on = threading.Event(), threading.Event()
    slow = [expect, tell(asked), wait(go_on), send(reply(json={"StatusCode": 0})), OK]
    with Peer(slow) as peer, of_one(peer) as client, ThreadPoolExecutor(2) as threads:
        first = threads.submit(client.ContainerWait, "web")
        assert asked.wait(PATIENCE)
        assert caplog.messages == []
        second = threads.submit(client.SystemPing)
        while not caplog.messages:
            time.sleep(0.001)
        go_on.set()
        assert first.result(PATIENCE).StatusCode == 0
        assert second.result(PATIENCE) == "OK"
    assert peer.connections == 1
    assert caplog.messages == [f"{peer.address}: all 1 connections are in use, a call waits"]


@pytest.mark.parametrize("connections", [1, 2])
def test_who_waits_is_served_in_the_order_of_coming(connections):
    """Ten calls come one after the other while all connections are held, and go out so."""
    names = [f"c{number}" for number in range(10)]
    served = []

    def serve(connection):
        while seen := connection.next_request():
            served.append(seen.target.split("/")[3])
            connection.send([reply(json={"Id": served[-1]})])

    held = [answer(reply(json={"Id": "held"})[:-1]), silence]
    scripts = [held] * (connections - 1) + [[PART, silence], [serve]]
    with (
        Peer(*scripts) as peer,
        load("1.42", host=peer.address, connections=connections) as client,
        contextlib.ExitStack() as holding,
        ThreadPoolExecutor(len(names)) as threads,
    ):
        for _ in range(connections - 1):
            holding.enter_context(client.ContainerInspect.raw("held"))
        first = client.ImageGet.raw("a")
        pool = client._connector.pool
        calls = []
        for number, name in enumerate(names, 1):
            calls.append(threads.submit(client.ContainerInspect, name))
            while sum(_waits(pool, each) for each in [*pool._places]) < number:
                time.sleep(0.001)
        first.close()
        assert [call.result(PATIENCE).Id for call in calls] == names
    assert served == names


def _waits(pool, number):
    place = pool._places[number]()
    return place is not None and place.bell is not None


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_waiting_too_long_says_that_all_are_in_use(kind):
    asked, go_on = threading.Event(), threading.Event()
    slow = [expect, tell(asked), wait(go_on), send(reply(json={"StatusCode": 0})), OK]
    with Peer(slow, kind=kind) as peer, of_one(peer) as client, ThreadPoolExecutor(1) as threads:
        first = threads.submit(client.ContainerWait, "web")
        assert asked.wait(PATIENCE)
        with pytest.raises(
            TimedOut, match=r"all 1 connections are in use.*within 0\.3 s"
        ) as caught:
            client.with_options(timeout=SHORT).SystemPing()
        assert "load(connections=…)" in str(caught.value)
        assert peer.address in str(caught.value)
        go_on.set()
        first.result(PATIENCE)
        assert client.SystemPing() == "OK"


def test_waiting_is_bounded_as_connecting_is(monkeypatch):
    """Not by the time that the call itself may take, which may be for ever."""
    monkeypatch.setattr("dynadock.transport.sending.CONNECT_TIMEOUT", 0.1)
    with (
        Peer([PART, silence]) as peer,
        of_one(peer) as client,
        client.ImageGet.raw("a"),
        pytest.raises(TimedOut, match="in use"),
    ):
        client.ContainerWait("web")


def test_a_raw_reply_has_a_connection_until_it_is_closed():
    with Peer([PART, silence], [OK]) as peer, of_one(peer) as client:
        with client.ImageGet.raw("a"), pytest.raises(TimedOut, match="raw"):
            client.with_options(timeout=SHORT).SystemPing()
        assert client.SystemPing() == "OK"


def test_a_raw_reply_has_a_connection_until_it_is_read():
    whole = answer(TAR_STREAM + chunk(b"abc") + chunk(b""))
    with Peer([whole, OK]) as peer, of_one(peer) as client:
        response = client.ImageGet.raw("a")
        assert response.content == b"abc"
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize("last", [PART, answer(head(200, {"Connection": "close"}) + b"abc")])
def test_a_raw_reply_that_is_forgotten_gives_its_connection_back(last):
    with Peer(*[[last, silence]] * 3, [OK]) as peer, of_one(peer) as client:
        for _ in range(3):
            client.ImageGet.raw("a")
            gc.collect()
        assert client.SystemPing() == "OK"


def test_a_reply_that_ends_its_connection_counts_until_it_is_read():
    last = answer(head(200, {"Connection": "close"}) + b"abc")
    with Peer([last, silence], [OK]) as peer, of_one(peer) as client:
        with client.ImageGet.raw("a"), pytest.raises(TimedOut, match="in use"):
            client.with_options(timeout=SHORT).SystemPing()
        assert client.SystemPing() == "OK"


FAILURES = {
    "lost": ([expect, hang_up], ConnectionLost),
    "lost in the body": ([answer(reply(text="OK")[:-1]), hang_up], ConnectionLost),
    "silence": ([expect, silence], TimedOut),
    "silence in the body": ([answer(reply(text="OK")[:-1]), silence], TimedOut),
}


@pytest.mark.parametrize(("script", "error"), FAILURES.values(), ids=FAILURES)
def test_a_call_that_fails_gives_its_connection_back(script, error):
    with Peer(*[script] * 3, [OK]) as peer, of_one(peer, timeout=SHORT) as client:
        for _ in range(3):
            with pytest.raises(error):
                client.SystemPing()
        assert client.with_options(timeout=20).SystemPing() == "OK"


def test_no_place_is_lost_to_an_engine_that_is_not_there(tmp_path):
    address = f"unix://{tmp_path}/engine.sock"
    with load("1.42", host=address, connections=1, retries=0, timeout=SHORT) as client:
        for _ in range(3):
            with pytest.raises(OSError, match="no such socket"):
                client.SystemPing()


def test_streams_need_no_place():
    stream = [answer(TAR_STREAM), silence]
    with (
        Peer(stream, stream, [OK]) as peer,
        of_one(peer) as client,
        client.ImageGet("a"),
        client.ImageGet("a"),
    ):
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize("connections", [0, -1, True, 1.5, "8"])
def test_a_size_that_is_none(connections):
    with pytest.raises(ValueError, match="connections: expected an integer above 0"):
        load("1.42", host="unix:///nowhere.sock", connections=connections)


def test_connections_that_are_opened_and_closed_warn_of_nothing(caplog):
    scripts = [[OK, silence]] * 3
    with caplog.at_level(logging.WARNING), Peer(*scripts) as peer:
        for _ in range(3):
            with of_one(peer) as client:
                assert client.SystemPing() == "OK"
    assert not caplog.records


# Closing while calls run


def test_closing_lets_a_call_in_flight_finish():
    asked, go_on, closed = threading.Event(), threading.Event(), threading.Event()
    slow = [expect, tell(asked), wait(go_on), send(reply(json={"StatusCode": 0}))]
    # Its connection is not kept, since it belongs to what was closed.
    with Peer([*slow, silence, tell(closed)], [OK]) as peer, ThreadPoolExecutor(1) as threads:
        client = of_one(peer)
        call = threads.submit(client.ContainerWait, "web")
        assert asked.wait(PATIENCE)
        client.close()
        go_on.set()
        assert call.result(PATIENCE).StatusCode == 0
        assert closed.wait(PATIENCE)
        assert client.SystemPing() == "OK"
        client.close()


def test_closing_does_not_lose_waiting_calls():
    asked, go_on = threading.Event(), threading.Event()
    slow = [expect, tell(asked), wait(go_on), send(reply(json={"StatusCode": 0})), silence]
    with Peer(slow, [OK]) as peer, ThreadPoolExecutor(2) as threads, of_one(peer) as client:
        first = threads.submit(client.ContainerWait, "web")
        assert asked.wait(PATIENCE)
        second = threads.submit(client.SystemPing)
        client.close()
        go_on.set()
        assert first.result(PATIENCE).StatusCode == 0
        assert second.result(PATIENCE) == "OK"


def test_closing_over_and_over_breaks_no_call():
    def serve(connection):
        with contextlib.suppress(OSError):
            for _ in iter(connection.next_request, None):
                connection.send([reply(text="OK")])

    stop = threading.Event()

    def close(client):
        while not stop.is_set():
            client.close()

    # Each call may need a connection of its own, and most do not.
    scripts = [[serve]] * 400
    with Peer(*scripts) as peer, load("1.42", host=peer.address, connections=4) as client:
        with ThreadPoolExecutor(9) as threads:
            closing = threads.submit(close, client)
            calls = [threads.submit(client.SystemPing) for _ in range(400)]
            try:
                assert {call.result(PATIENCE) for call in calls} == {"OK"}
            finally:
                stop.set()
            closing.result(PATIENCE)
        peer.scripts = scripts[: peer.connections]
