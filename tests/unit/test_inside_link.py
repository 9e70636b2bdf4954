"""A link in process is a connection: it waits, ends, is used again and cut as one over sockets."""

from __future__ import annotations

import json
import re
import threading
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynadock.simulation.engine import SimulatedEngine
from dynadock.simulation.programs.process import MOST_INPUT
from dynadock.transport.links.inside import InsideLink

PING = b"GET /v1.45/_ping HTTP/1.1\r\nHost: x\r\n\r\n"
MISSING = b"GET /v1.45/containers/nobody/json HTTP/1.1\r\nHost: x\r\n\r\n"
EVENTS = b"GET /v1.45/events HTTP/1.1\r\nHost: x\r\n\r\n"
UPGRADE = "Connection: Upgrade\r\nUpgrade: tcp\r\n"


def post(path, value=None, headers=""):
    body = b"" if value is None else json.dumps(value).encode()
    return (
        f"POST /v1.45/{path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{headers}\r\n"
    ).encode() + body


def create(name, *command, **fields):
    return post(f"containers/create?name={name}", {"Image": "busybox", "Cmd": [*command], **fields})


@pytest.fixture
def engine():
    return SimulatedEngine(manual_clock=True, seed=1)


@pytest.fixture
def connect(engine):
    """Make connected links, all closed in the end."""
    made = []

    def make(seconds=5):
        link = InsideLink(engine)
        link.allow(seconds)
        made.append(link)
        return link

    yield make
    for link in made:
        link.close()


def asked(link, request):
    """Send a request and return the reply's status and what of its body came with the head."""
    link.send(request)
    return answer(link)


def answer(link):
    head, _, body = link.receive().partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body


def run(connect, name, *command, **fields):
    link = connect()
    assert asked(link, create(name, *command, **fields))[0] == 201
    assert asked(link, post(f"containers/{name}/start"))[0] == 204
    return name


def attach(connect, name, seconds=5):
    link = connect(seconds)
    path = f"containers/{name}/attach?stream=1&stdin=1&stdout=1&logs=1"
    assert asked(link, post(path, headers=UPGRADE))[0] == 101
    return link


def test_one_request_after_another(connect):
    link = connect()
    for _ in range(3):
        assert link.is_idle()
        assert asked(link, PING) == (200, b"OK")
        assert asked(link, MISSING)[0] == 404
    assert link.is_idle()


def test_requests_that_come_at_once_are_answered_in_their_order(connect):
    link = connect()
    link.send(PING + create("box", "true") + MISSING + PING)
    assert not link.is_idle()
    assert [answer(link)[0] for _ in range(4)] == [200, 201, 404, 200]
    assert link.is_idle()
    assert link.receive() == b""


def test_a_request_that_comes_while_another_is_answered(connect):
    link = connect()
    link.send(PING)
    link.send(MISSING[:10])
    assert answer(link) == (200, b"OK")
    assert link.receive() == b""
    link.send(MISSING[10:])
    assert answer(link)[0] == 404


def test_input_that_comes_with_the_request_to_attach(connect):
    run(connect, "box", "cat", OpenStdin=True)
    link = connect()
    path = "containers/box/attach?stream=1&stdin=1&stdout=1"
    link.send(post(path, headers=UPGRADE) + b"early\n")
    assert answer(link)[0] == 101
    assert link.receive() == b"\x01\0\0\0\0\0\0\x06early\n"


@given(st.data())
def test_a_request_is_the_same_however_it_is_cut(data):
    """Bodies with a length and in chunks, and whatever stands behind them."""
    chunked = (
        b"POST /v1.45/containers/create?name=two HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        b'11\r\n{"Image":"busybox\r\n12\r\n","Cmd":["true"] }\r\n0\r\n\r\n'
    )
    requests = PING + create("one", "true") + chunked + MISSING
    whole = replies_to([requests])
    assert [int(each) for each in re.findall(rb"HTTP/1\.1 (\d+)", whole)] == [200, 201, 201, 404]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(requests)), max_size=8)))
    pieces = [requests[begin:end] for begin, end in pairwise([0, *cuts, len(requests)])]
    assert replies_to(pieces) == whole


def replies_to(pieces):
    engine = SimulatedEngine(manual_clock=True, seed=1)
    link = InsideLink(engine)
    came = b""
    for piece in pieces:
        link.send(piece)
        came += b"".join(iter(link.receive, b""))
    return came


@pytest.mark.parametrize(
    "garbage",
    [
        b"what\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01 hello",
        PING.replace(b"Host: x", b"Host: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked"),
        PING.replace(b"Host: x", b"Host: x\r\nTransfer-Encoding: chunked") + b"zz\r\n",
    ],
)
def test_what_is_no_request_is_refused_and_ends_the_connection(connect, garbage):
    link = connect()
    link.send(garbage + (b"" if garbage.endswith(b"\r\n") else b"\n"))
    link.send(b"whatever comes behind it")
    status, body = answer(link)
    assert status == 400
    assert json.loads(body)["message"]
    assert link.receive() == b""
    assert not link.is_idle()


def test_a_client_may_ask_for_the_end(connect):
    link = connect()
    link.send(PING.replace(b"Host: x", b"Host: x\r\nConnection: close") + PING)
    came = link.receive()
    assert b"\r\nConnection: close\r\n" in came
    assert link.receive() == b""
    assert not link.is_idle()


def test_head_requests_have_no_body(connect):
    link = connect()
    assert asked(link, PING.replace(b"GET", b"HEAD")) == (200, b"")
    assert asked(link, PING) == (200, b"OK")


# Waiting


@pytest.mark.parametrize("step", ["stream", "answer", "send"])
def test_no_wait_takes_longer_than_allowed(connect, step):
    run(connect, "box", "sleep", "600", OpenStdin=True)
    if step == "send":
        link = attach(connect, "box")
        link.send(b"x" * MOST_INPUT)
        waits = lambda: link.send(b"x")  # noqa: E731 - which call waits is what differs
    else:
        link = connect()
        request = EVENTS if step == "stream" else post("containers/box/stop?t=-1&signal=CONT")
        link.send(request)
        if step == "stream":
            assert answer(link)[0] == 200
        waits = link.receive
    link.allow(0.05)
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        waits()
    assert 0.04 < time.monotonic() - begun < 1


def test_an_answer_that_comes_late_is_the_same_link_s(engine, connect):
    run(connect, "box", "sleep", "600")
    link = connect(0.05)
    link.send(post("containers/box/stop?t=1"))
    with pytest.raises(TimeoutError):
        link.receive()
    engine.state.advance(1)
    assert answer(link)[0] == 204
    assert link.is_idle()


def test_a_stream_goes_on_behind_a_wait_that_was_too_long(connect):
    link = connect(0.05)
    assert asked(link, EVENTS)[0] == 200
    with pytest.raises(TimeoutError):
        link.receive()
    assert asked(connect(), create("box", "true"))[0] == 201
    assert b'"create"' in link.receive()


# Ends


@pytest.mark.parametrize("request_", [EVENTS, None], ids=["a stream", "a session"])
def test_close_wakes_who_waits(connect, request_):
    run(connect, "box", "cat", OpenStdin=True)
    if request_ is None:
        link = attach(connect, "box", None)
    else:
        link = connect(None)
        assert asked(link, request_)[0] == 200
    closing = threading.Timer(0.05, link.close)
    closing.start()
    assert link.receive() == b""
    closing.join()
    link.close()
    for use in (link.receive, lambda: link.send(PING), link.close_sending):
        with pytest.raises(OSError, match="closed"):
            use()
    assert link.fileno() == -1
    assert not link.is_idle()


def test_who_leaves_a_stream_is_forgotten(engine, connect):
    link = connect()
    assert asked(link, EVENTS)[0] == 200
    assert engine.state.events.readers == 1
    link.close()
    assert engine.state.events.readers == 0


def test_half_closed(connect):
    """The end of input reaches the process, and output goes on."""
    run(connect, "box", "sh", "-c", "wc -c; echo end", OpenStdin=True, StdinOnce=True)
    link = attach(connect, "box")
    link.send(b"12345")
    link.close_sending()
    link.close_sending()
    came = b"".join(iter(link.receive, b""))
    assert came == b"\x01\0\0\0\0\0\0\x025\n\x01\0\0\0\0\0\0\x04end\n"
    assert link.receive() == b""
    assert not link.is_idle()


def test_half_closed_between_requests_says_nothing(connect):
    link = connect()
    link.close_sending()
    assert asked(link, PING) == (200, b"OK")


def test_input_waits_for_who_reads_it(connect):
    run(connect, "box", "sh", "-c", "sleep 600; cat", OpenStdin=True)
    link = attach(connect, "box", 0.05)
    sent = 0
    while sent < 10 * MOST_INPUT:
        try:
            link.send(b"x" * 1024)
        except TimeoutError:
            break
        sent += 1024
    assert sent == MOST_INPUT


def test_an_engine_that_goes_ends_its_connections(engine, connect):
    link, idle = connect(None), connect()
    assert asked(link, EVENTS)[0] == 200
    assert asked(idle, PING)[0] == 200
    going = threading.Timer(0.05, engine.go)
    going.start()
    assert link.receive() == b""
    going.join()
    assert not idle.is_idle()
    with pytest.raises(BrokenPipeError):
        idle.send(PING)
    with pytest.raises(ConnectionRefusedError):
        connect()
    engine.come_back()
    assert asked(connect(), PING) == (200, b"OK")
