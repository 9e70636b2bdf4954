"""Which connection serves another call: only one on which nothing at all is in doubt."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dynadock import MalformedStream, load
from dynadock.transport.pool import KEPT_SECONDS
from wire.peer import (
    OK,
    PATIENCE,
    Peer,
    answer,
    chunk,
    expect,
    head,
    playing,
    reply,
    send,
    silence,
    tell,
    until_gone,
)

PONG = reply(text="OK")
CHUNKED = {"Transfer-Encoding": "chunked"}

INTERIM = {
    "continue": b"HTTP/1.1 100 Continue\r\n\r\n",
    "processing": b"HTTP/1.1 102 Processing\r\nX-A: 1\r\n\r\n",
    "early hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    "unknown": b"HTTP/1.1 199 What\r\n\r\n",
    "many": b"HTTP/1.1 102 Processing\r\n\r\n" * 50,
}


@pytest.mark.parametrize("interim", INTERIM.values(), ids=INTERIM)
@pytest.mark.parametrize("apart", [False, True])
def test_an_interim_head_is_not_the_reply(interim, apart):
    """The call gets its own reply, and so does the next one, over the same connection."""
    first = reply(json={"Id": "first"})
    pieces = (interim, first) if apart else (interim + first,)
    second = answer(reply(json={"Id": "second"}))
    with playing([answer(*pieces), second]) as (peer, client):
        assert client.ContainerInspect("a").Id == "first"
        assert client.ContainerInspect("b").Id == "second"
    assert peer.connections == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.SystemPing(),
        lambda client: client.ContainerStart("a"),
        lambda client: client.ContainerLogs("a", stdout=True),
        lambda client: client.PutContainerArchive("a", path="/", body=b"x"),
        lambda client: client.SystemPing.raw(),
    ],
    ids=["value", "nothing", "stream", "upload", "raw"],
)
def test_a_switch_of_protocols_that_nobody_asked_for(call):
    switch = head(101, {"Connection": "Upgrade", "Upgrade": "tcp"})
    with playing([answer(switch + PONG), silence], [OK]) as (_, client):
        with pytest.raises(MalformedStream, match="101"):
            call(client)
        assert client.SystemPing() == "OK"


NOT_AGAIN = {
    "bytes behind a body": PONG + b"x",
    "a reply behind a reply": PONG + reply(text="of somebody else"),
    "bytes behind the last chunk": head(200, CHUNKED) + chunk(b"OK") + chunk(b"") + b"x",
    "bytes behind a 204": head(204, {}) + b"x",
    "bytes behind a 304": head(304, {}) + b"x",
    "chunks behind a 304": head(304, CHUNKED) + chunk(b"OK") + chunk(b""),
    "chunks behind a 204": head(204, CHUNKED) + chunk(b""),
    "a body of a 304": head(304, {"Content-Length": "2"}) + b"OK",
    "close": reply(text="OK", headers={"Connection": "close"}),
    "close among others": reply(text="OK", headers={"Connection": "Keep-Alive, CLOSE"}),
    "HTTP/1.0": PONG.replace(b"HTTP/1.1", b"HTTP/1.0"),
}


@pytest.mark.parametrize("data", NOT_AGAIN.values(), ids=NOT_AGAIN)
@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_a_connection_that_is_in_doubt_serves_no_other_call(data, kind):
    with playing([answer(data), silence], [OK], kind=kind) as (_, client):
        client.SystemPing()
        assert client.SystemPing() == "OK"


def test_bytes_that_come_late_are_no_reply():
    """Behind the reply, before the next call: the connection is looked at before it is used."""
    late = threading.Event()
    script = [OK, send(reply(text="of somebody else")), tell(late), silence]
    with playing(script, [OK]) as (_, client):
        assert client.SystemPing() == "OK"
        assert late.wait(PATIENCE)
        assert client.SystemPing() == "OK"


REFUSED = {
    **{f"length {each}": head(200, {"Content-Length": each}) for each in ("-12", "+12", "1_2")},
    "size +c": head(200, CHUNKED) + b"+c\r\nabcdefghijkl\r\n0\r\n\r\n",
    "size 0xc": head(200, CHUNKED) + b"0xc\r\nabcdefghijkl\r\n0\r\n\r\n",
    "coding": head(200, {"Transfer-Encoding": "gzip, chunked"}) + b"0\r\n\r\n",
    "a length beside chunks": head(200, {**CHUNKED, "Content-Length": "2"}) + b"0\r\n\r\n",
    "NUL": head(200, {"X-A": "a\0b", "Content-Length": "0"}),
    "bare CR": head(200, {"X-A": "a\rb", "Content-Length": "0"}),
    "no colon": b"HTTP/1.1 200 OK\r\nContent-Length 0\r\n\r\n",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "blank before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("name", ["SystemInfo", "SystemEvents"])
def test_framing_that_is_not_clear_is_refused(data, name):
    """By plain calls and streams alike, as docs/faults.md says of what is no HTTP."""
    with playing([answer(data), silence], [OK]) as (_, client):
        with pytest.raises(MalformedStream):
            list(client.operations[name]())
        assert client.SystemPing() == "OK"


def test_a_304_has_no_body_whatever_its_head_says():
    with playing([answer(head(304, CHUNKED)), OK], timeout=5) as (peer, client):
        client.ContainerStart("web")
        assert client.SystemPing() == "OK"
    assert peer.connections == 1


MANY_FILES = """
import os, resource, sys
from dynadock import load

hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
while os.open(os.devnull, os.O_RDONLY) < 1024:
    pass
client = load("1.42", host=sys.argv[1])
print(client.SystemPing(), client.SystemPing())
client.close()
"""


@pytest.mark.skipif(
    sys.platform == "win32",
    reason="Windows has no module resource, by which the limit of descriptors is raised",
)
def test_a_process_with_many_open_files_keeps_its_connections():
    """select knows no descriptor beyond 1,023; whether a connection is idle is asked of poll."""
    with Peer([OK, OK]) as peer:
        command = [sys.executable, "-W", "error", "-c", MANY_FILES, peer.address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("OK OK\n", "")
    assert peer.connections == 1


# How long they are kept, and which comes first


@pytest.fixture
def clock(monkeypatch):
    """Have time pass only for those who keep connections."""
    now = [1000.0]
    monkeypatch.setattr("dynadock.transport.pool.time.monotonic", lambda: now[0])
    return now


def test_a_connection_is_not_kept_for_ever(clock):
    closed = threading.Event()
    with playing([OK, OK, silence, tell(closed)], [OK]) as (_, client):
        client.SystemPing()
        clock[0] += KEPT_SECONDS - 1
        client.SystemPing()
        clock[0] += KEPT_SECONDS
        client.SystemPing()
        assert closed.wait(PATIENCE)


def test_the_last_one_kept_is_taken_first_and_the_others_grow_old(clock):
    both = threading.Barrier(2)

    def together(connection):
        expect(connection)
        both.wait(PATIENCE)
        connection.send([PONG])

    script = [together, until_gone(OK)]
    with Peer(script, script) as peer, load("1.42", host=peer.address) as client:
        with ThreadPoolExecutor(2) as threads:
            calls = [threads.submit(client.SystemPing) for _ in range(2)]
            assert [call.result(PATIENCE) for call in calls] == ["OK", "OK"]
        oldest, latest = (link for link, _ in client._connector.pool._kept)
        clock[0] += KEPT_SECONDS - 1
        client.SystemPing()
        clock[0] += 2
        client.SystemPing()
        assert oldest.fileno() == -1
        assert latest.fileno() >= 0
