"""What is tried again: only what cannot have had an effect, and never in silence."""

from __future__ import annotations

import logging
import socket
import threading
import time
from pathlib import Path

import pytest

from dynadock import ConnectionLost, ConnectionRefused, SocketMissing, TimedOut, load
from wire.peer import (
    CREATED,
    OK,
    PATIENCE,
    Peer,
    answer,
    expect,
    hang_up,
    playing,
    reply,
    reset,
    silence,
    tell,
)

CALLS = {
    "GET": lambda client: client.SystemPing(),
    "HEAD": lambda client: client.SystemPingHead(),
    "POST": lambda client: client.ContainerStart("web"),
    "PUT": lambda client: client.ImageTag("a", repo="b"),
    "DELETE": lambda client: client.ContainerDelete("web"),
    "stream": lambda client: client.ContainerLogs("web", stdout=True),
    "upload": lambda client: client.PutContainerArchive("web", path="/", body=b"x"),
    "upgrade": lambda client: client.ContainerAttach("web", stream=True, stdin=True),
}


@pytest.fixture
def warned(caplog):
    caplog.set_level(logging.INFO, "dynadock.transport")
    return lambda: [each.getMessage() for each in caplog.records]


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """Have short pauses, and know them."""
    taken = []
    sleep = time.sleep

    def pause(seconds):
        taken.append(seconds)
        sleep(min(seconds, 0.01))

    monkeypatch.setattr("dynadock.transport.tries.time.sleep", pause)
    return taken


# Nobody there


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("retries", [0, 1, 4])
def test_a_refused_connection_is_tried_again(call, retries, tmp_path, warned, pauses):
    with (
        load("1.42", host=f"unix://{tmp_path}/none.sock", retries=retries) as client,
        pytest.raises(SocketMissing) as caught,
    ):
        call(client)
    # A second try within a moment tells nothing new.
    assert (f"tried {retries + 1} times" in str(caught.value)) == (retries > 1)
    assert ("tried" in str(caught.value)) == (retries > 1)
    assert len(warned()) == retries
    assert pauses == [0.1, 0.2, 0.4, 0.8][:retries]


def test_there_is_one_retry_by_default(tmp_path, pauses):
    with (
        load("1.42", host=f"unix://{tmp_path}/none.sock") as client,
        pytest.raises(SocketMissing),
    ):
        client.SystemPing()
    assert pauses == [0.1]


def test_two_tries_that_fail_in_different_ways_are_told():
    script = [answer(reply(text="OK")), expect, hang_up]
    with playing(script) as (peer, client):
        client.SystemPing()
        # The kept connection ends under the call, and by then nobody listens any more.
        Path(peer.address.removeprefix("unix://")).unlink()
        with pytest.raises(SocketMissing, match="tried 2 times"):
            client.SystemPing()


def test_pauses_do_not_grow_for_ever(tmp_path, pauses):
    with (
        load("1.42", host=f"unix://{tmp_path}/none.sock", retries=20) as client,
        pytest.raises(SocketMissing, match="tried 21 times"),
    ):
        client.SystemPing()
    assert max(pauses) == 2.0


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_engine_that_comes_meanwhile_is_reached(call, tmp_path, monkeypatch):
    """It is told of the call once, whatever the call does."""
    path = tmp_path / "engine.sock"
    refused = answer(reply(404, json={"message": "no"}))
    with Peer([refused]) as peer, load("1.42", host=f"unix://{path}") as client:
        monkeypatch.setattr(
            "dynadock.transport.tries.time.sleep",
            lambda _seconds: path.symlink_to(peer.address.removeprefix("unix://")),
        )
        with pytest.raises(Exception, match="404"):
            call(client)
    assert len(peer.requests) == 1


def test_a_port_where_nobody_listens_is_tried_again(warned):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{unused.getsockname()[1]}"
    with (
        load("1.42", host=address, retries=2) as client,
        pytest.raises(ConnectionRefused, match="tried 3 times"),
    ):
        client.ContainerStart("web")
    assert "POST /v1.42/containers/web/start: try 1 failed" in warned()[0]
    assert address in warned()[0]


def test_a_log_line_shows_no_query(tmp_path, warned):
    with (
        load("1.42", host=f"unix://{tmp_path}/none.sock", query={"token": "s3cret"}) as client,
        pytest.raises(SocketMissing),
    ):
        client.SystemPing()
    assert "s3cret" not in "".join(warned())


@pytest.mark.parametrize("name", ["SystemPing", "SystemEvents"])
def test_a_deadline_counts_more_than_retries(name, tmp_path, pauses):
    """There is no use in a pause at whose end the time is over."""
    options = {"retries": 1000, "deadline": 0.05}
    with (
        load("1.42", host=f"unix://{tmp_path}/none.sock", **options) as client,
        pytest.raises(SocketMissing),
    ):
        client.operations[name]()
    assert not pauses


# A kept connection that is closed


def _closing(first, *then):
    """Close a connection only when the next request has come, so that the client cannot know."""
    return [first, *then]


@pytest.mark.parametrize(
    ("kind", "end"),  # unix sockets know no reset
    [("unix", hang_up), ("tcp", hang_up), ("tcp", reset)],
    ids=["unix, closed", "tcp, closed", "tcp, reset"],
)
@pytest.mark.parametrize("name", ["GET", "HEAD"])
def test_a_kept_connection_that_ends_without_an_answer(kind, name, end, warned):
    with playing(_closing(OK, expect, end), [OK], kind=kind) as (peer, client):
        client.SystemPing()
        CALLS[name](client)
    assert [each.method for each in peer.requests] == ["GET", name, name]
    assert len(warned()) == 1
    assert "try 1 failed" in warned()[0]


def test_such_a_call_is_not_tried_again_if_the_caller_does_not_want_it(warned):
    with playing(_closing(OK, expect, hang_up), retries=0) as (_, client):
        client.SystemPing()
        with pytest.raises(ConnectionLost, match="broke"):
            client.SystemPing()
    assert not warned()


@pytest.mark.parametrize("name", ["POST", "PUT", "DELETE"])
def test_what_may_have_been_acted_on_is_never_sent_twice(name, warned):
    with playing(_closing(OK, expect, hang_up), retries=5) as (peer, client):
        client.SystemPing()
        words = "whether the engine acted on the request is not known"
        with pytest.raises(ConnectionLost, match=words):
            CALLS[name](client)
    assert len(peer.requests) == 2
    assert not warned()


@pytest.mark.parametrize("name", ["upload", "upgrade"])
def test_a_connection_of_its_own_that_ends_is_never_sent_twice(name):
    with (
        playing([expect, hang_up], retries=5) as (peer, client),
        pytest.raises(ConnectionLost, match="whether the engine acted"),
    ):
        CALLS[name](client)
    assert len(peer.requests) == 1


def test_a_new_connection_that_ends_was_not_stale():
    """The engine took it, and then broke: it would do so again."""
    with playing([expect, hang_up], retries=5) as (_, client), pytest.raises(ConnectionLost):
        client.SystemPing()


@pytest.mark.parametrize("begun", [b"H", b"HTTP/1.1 200 OK\r\n"])
def test_an_answer_that_has_begun_is_not_asked_for_again(begun):
    with playing(_closing(OK, answer(begun), hang_up), retries=5) as (_, client):
        client.SystemPing()
        with pytest.raises(ConnectionLost):
            client.SystemPing()


def test_a_connection_that_fell_silent_is_not_stale():
    with playing(_closing(OK, expect, silence), retries=5, timeout=0.3) as (_, client):
        client.SystemPing()
        with pytest.raises(TimedOut):
            client.SystemPing()


@pytest.mark.parametrize("name", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_a_connection_that_was_closed_before_is_not_used(name, kind, warned):
    """That it is closed can be seen, so that what must not be sent twice goes over a new one."""
    closed = threading.Event()
    with playing([OK, hang_up, tell(closed)], [CREATED], kind=kind) as (peer, client):
        client.SystemPing()
        assert closed.wait(PATIENCE)
        CALLS[name](client)
    assert len(peer.requests) == 2
    assert not warned()


def test_raw_replies_are_tried_again_too(warned):
    with playing(_closing(OK, expect, hang_up), [OK]) as (_, client):
        client.SystemPing()
        assert client.SystemPing.raw().text == "OK"
    assert len(warned()) == 1
