"""What hostile peers send to a served engine: it is refused or cut off, and others are served."""

from __future__ import annotations

import contextlib
import json
import resource
import socket
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynadock.call.received import LONGEST_BODY
from dynadock.embedded.incoming import Patience
from dynadock.wire.http1 import LONGEST_HEAD
from serving import Wire, comes_true, request, serving, threads

POST = b"POST /v1.42/containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
GET = b"GET /_ping HTTP/1.1\r\nHost: d\r\n"
BODY = b'{"Image":"busybox"}'
CHUNKED = b"Transfer-Encoding: chunked\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
INNER = b"POST /v1.42/containers/create?name=smuggled HTTP/1.1\r\nHost: d\r\n\r\n"

REFUSED = {
    # No HTTP
    "nothing of HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n",
    "only line ends": b"\r\n" * 100,
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /_ping\r\n\r\n",
    "HTTP/3.7": b"GET /_ping HTTP/3.7\r\nHost: d\r\n\r\n",
    "no host": b"GET /_ping HTTP/1.1\r\n\r\n",
    "two hosts": GET + b"Host: e\r\n\r\n",
    "NUL in the target": b"GET /_pi\0ng HTTP/1.1\r\nHost: d\r\n\r\n",
    "NUL in a header": GET + b"X: a\0b\r\n\r\n",
    "a blank in the target": b"GET /_ping /x HTTP/1.1\r\nHost: d\r\n\r\n",
    "CR alone": GET + b"X: a\rY: b\r\n\r\n",
    "a method that is no token": b"G(T /_ping HTTP/1.1\r\nHost: d\r\n\r\n",
    # Heads that two readers may read otherwise
    "LF alone": b"GET /_ping HTTP/1.1\nHost: d\n\n",
    "LF alone once": GET + b"X: y\nZ: w\r\n\r\n",
    "a folded line": GET + b"X: y\r\n z\r\n\r\n",
    "a folded first line": b"GET /_ping HTTP/1.1\r\n Host: d\r\n\r\n",
    "a blank before a colon": GET + b"X : y\r\n\r\n",
    "no name": GET + b": y\r\n\r\n",
    "no colon": GET + b"X\r\n\r\n",
    # Two ends of one body
    "length and chunks": POST + LENGTH + CHUNKED + b"\r\n0\r\n\r\n" + INNER,
    "chunks and length": POST + CHUNKED + LENGTH + b"\r\n0\r\n\r\n" + INNER,
    "two lengths": POST + LENGTH + b"Content-Length: 0\r\n\r\n" + BODY,
    "the same length twice": POST + LENGTH + LENGTH + b"\r\n" + BODY,
    "lengths in a list": POST + b"Content-Length: 19, 19\r\n\r\n" + BODY,
    "a length with a sign": POST + b"Content-Length: +19\r\n\r\n" + BODY,
    "a negative length": POST + b"Content-Length: -1\r\n\r\n" + BODY,
    "a length in hex": POST + b"Content-Length: 0x13\r\n\r\n" + BODY,
    "a length beyond all numbers": POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
    "an empty length": POST + b"Content-Length:\r\n\r\n" + BODY,
    "chunked in a list": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + INNER,
    "chunked twice": POST + CHUNKED + CHUNKED + b"\r\n0\r\n\r\n" + INNER,
    "another coding": POST + b"Transfer-Encoding: identity\r\n\r\n" + INNER,
    "chunked with a blank": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + INNER,
    "chunked with a tab inside": POST + b"Transfer-Encoding: chun\tked\r\n\r\n0\r\n\r\n" + INNER,
    "chunked with VT": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + INNER,
    "chunks in HTTP/1.0": POST.replace(b"1.1", b"1.0") + CHUNKED + b"\r\n0\r\n\r\n" + INNER,
    # Chunks that are none
    "a size that is none": POST + CHUNKED + b"\r\nzz\r\n",
    "a size with a sign": POST + CHUNKED + b"\r\n+5\r\nhello\r\n0\r\n\r\n",
    "a size in C's hex": POST + CHUNKED + b"\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "a negative size": POST + CHUNKED + b"\r\n-1\r\n",
    "a size beyond all numbers": POST + CHUNKED + b"\r\n" + b"f" * 40 + b"\r\n",
    "a chunk that is longer than it says": POST + CHUNKED + b"\r\n2\r\nhello\r\n0\r\n\r\n",
    "a trailer that is none": POST + CHUNKED + b"\r\n0\r\nno trailer\r\n\r\n",
    "an endless size": POST + CHUNKED + b"\r\n" + b"0" * (LONGEST_HEAD + 70_000),
    "endless trailers": POST + CHUNKED + b"\r\n0\r\n" + b"X: y\r\n" * (LONGEST_HEAD // 4),
    # Too much
    "an endless request line": b"GET /" + b"a" * (LONGEST_HEAD + 70_000),
    "an endless header": GET + b"X: " + b"a" * (LONGEST_HEAD + 70_000),
    "endless headers": GET + b"X: y\r\n" * (LONGEST_HEAD // 4),
    "a body that is announced to be too long": POST + b"Content-Length: %d\r\n\r\n" % 2**40,
    # Targets
    "an escape that is none": b"GET /v1.42/containers/%zz/json HTTP/1.1\r\nHost: d\r\n\r\n",
    "an authority": b"CONNECT d:80 HTTP/1.1\r\nHost: d\r\n\r\n",
    "an asterisk": b"OPTIONS * HTTP/1.1\r\nHost: d\r\n\r\n",
    "a way out of the path": b"GET /v1.42/../../etc/passwd HTTP/1.1\r\nHost: d\r\n\r\n",
    "a way out in escapes": b"GET /v1.42/images/%2e%2e%2f%2e%2e/json HTTP/1.1\r\nHost: d\r\n\r\n",
    "NUL in escapes": b"GET /v1.42/containers/%00/json HTTP/1.1\r\nHost: d\r\n\r\n",
    "a line end in escapes": b"GET /a%0d%0aX:%20y/../b HTTP/1.1\r\nHost: d\r\n\r\n",
    "another server": b"GET http://e/nowhere HTTP/1.1\r\nHost: d\r\n\r\n",
    # Bodies
    "JSON that is none": POST + b"Content-Length: 1\r\n\r\n{",
    "deep JSON": POST + b"Content-Length: 200000\r\n\r\n" + b"[" * 200_000,
    "JSON with NaN": POST + b'Content-Length: 14\r\n\r\n{"Image": NaN}',
    "JSON that is no UTF-8": POST + b'Content-Length: 13\r\n\r\n{"Image":"\xff"}',
    "a bomb for a name": POST + b"Content-Length: %d\r\n\r\n" % (2**20) + b'"' + b"a" * (2**20 - 1),
}

SHORT = {name: data for name, data in REFUSED.items() if len(data) < 2_000}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("hostile")) as made:
        yield made


@pytest.fixture(autouse=True)
def others_are_served(server):
    yield
    with Wire(server.url) as wire:
        assert wire.ask("GET", "/_ping").body == b"OK"
        assert wire.ask("GET", "/v1.42/containers/json?all=1").json == []


def answers(server, data, *, ends=True):
    """Send bytes, and return all that comes back."""
    with Wire(server.url) as wire:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            wire.send(data)
            if ends:
                wire.sock.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            return wire.to_end()
    return b""


def statuses(came):
    """Return the statuses of replies, the first of which begins at once."""
    return [int(part.split(b" ", 1)[0]) for part in came.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_what_is_no_good_request_gets_one_answer_that_says_so(server, data):
    came = answers(server, data)
    found = statuses(came)
    assert len(found) <= 1
    assert all(400 <= status < 500 or status in (301, 501) for status in found), came
    if found and found != [301]:
        head, _, body = came.partition(b"\r\n\r\n")
        assert b"application/json" in head
        assert json.loads(body)["message"] or found == [404]


@pytest.mark.parametrize("data", SHORT.values(), ids=SHORT)
def test_the_same_comes_of_it_byte_by_byte(server, data):
    with Wire(server.url) as wire:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for position in range(len(data)):
                wire.send(data[position : position + 1])
            wire.sock.shutdown(socket.SHUT_WR)
        came = wire.to_end()
    assert len(statuses(came)) <= 1
    assert all(400 <= each < 500 or each in (301, 501) for each in statuses(came))


def test_an_escape_in_a_redirect_adds_no_header(server):
    came = answers(server, b"GET /a%0d%0aX:%20y/../b%0d%0aZ:%20w HTTP/1.1\r\nHost: d\r\n\r\n")
    head = came.partition(b"\r\n\r\n")[0]
    assert not [line for line in head.split(b"\r\n") if line.startswith((b"X:", b"Z:"))]


def test_the_absolute_form_names_the_same_thing(server):
    came = answers(server, b"GET http://anywhere/_ping HTTP/1.1\r\nHost: d\r\n\r\n")
    assert statuses(came) == [200]


def test_what_is_wrong_with_a_later_request_does_not_take_the_first_ones_answer(server):
    came = answers(server, request("GET", "/_ping") + GET + b"X : y\r\n\r\n" + INNER)
    assert statuses(came) == [200, 400]


def test_a_great_many_requests_at_once_are_answered_one_by_one(server):
    assert statuses(answers(server, request("GET", "/_ping") * 2_000)) == [200] * 2_000


def test_a_body_that_never_ends_is_refused_before_it_fills_memory(server):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Wire(server.url) as wire:
        wire.send(POST + CHUNKED + b"\r\n")
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        with contextlib.suppress(BrokenPipeError, ConnectionResetError, TimeoutError):
            for _ in range(4 * LONGEST_BODY // 65536):
                wire.send(chunk)
        assert wire.answer().status == 413
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (after - before) * 1024 < 4 * LONGEST_BODY


def test_a_peer_that_waits_for_a_word_is_refused_without_sending_its_body(server):
    with Wire(server.url) as wire:
        wire.send(POST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % 2**30)
        assert wire.answer().status == 413


def test_a_peer_that_leaves_in_the_middle_of_an_upload_leaves_nothing_behind(server):
    before = threads()
    for _ in range(20):
        with Wire(server.url) as wire:
            wire.send(b"POST /v1.42/images/load HTTP/1.1\r\nHost: d\r\n" + CHUNKED)
            wire.send(b"\r\n10000\r\n" + bytes(30_000))
    assert comes_true(lambda: threads() == before)


def test_uploads_of_all_peers_together_have_a_bound(tmp_path):
    head = b"POST /v1.42/images/load HTTP/1.1\r\nHost: d\r\nContent-Length: 1000000\r\n\r\n"
    with serving(tmp_path, most_bytes=1_000_000) as server:
        with Wire(server.url) as first, Wire(server.url) as second:
            first.send(head + bytes(900_000))
            assert second.is_silent(0.05)
            second.send(head + bytes(900_000))
            assert second.answer().status == 503
            first.sock.shutdown(socket.SHUT_WR)
            assert first.answer().status == 400
        with Wire(server.url) as wire:
            body = bytes(1_000_000)
            assert wire.ask("POST", "/v1.42/containers/none/attach", body).status != 503
            assert wire.ask("PUT", "/v1.42/containers/none/archive?path=/", body).status == 404


def test_slow_peers_do_not_hold_up_others(tmp_path):
    patience = Patience(head=1, idle=1, body=1)
    with serving(tmp_path, patience=patience) as server:
        slow = [Wire(server.url) for _ in range(100)]
        for wire in slow:
            wire.send(b"GET /_ping HT")
        began = time.monotonic()
        with Wire(server.url) as wire:
            assert wire.ask("GET", "/_ping").status == 200
        assert time.monotonic() - began < 1
        for wire in slow:
            assert wire.answer().status == 408
            wire.sock.close()


def test_a_peer_that_takes_no_answer_holds_up_nobody(server):
    with Wire(server.url) as deaf:
        deaf.sock.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            while True:
                deaf.send(request("GET", "/v1.42/version") * 100)
        with Wire(server.url) as wire:
            assert wire.ask("GET", "/_ping").status == 200


PIECES = st.sampled_from(
    [
        *(b"GET /_ping HTTP/1.1\r\n", b"POST /v1.42/containers/create HTTP/1.1\r\n"),
        *(b"Host: d\r\n", b"Content-Length: 2\r\n", b"Transfer-Encoding: chunked\r\n"),
        *(b"Upgrade: tcp\r\n", b"Connection: Upgrade\r\n", b"Expect: 100-continue\r\n"),
        *(b"\r\n", b"\n", b"\r", b" ", b"\0", b"0\r\n\r\n", b"2\r\n{}\r\n", b"{}", b"\xff"),
    ]
)


@settings(max_examples=150)
@given(st.lists(PIECES | st.binary(max_size=8), max_size=12).map(b"".join))
def test_whatever_comes_is_answered_or_cut_off(server, data):
    came = answers(server, data)
    assert not came or came.startswith(b"HTTP/1.1 ")
    assert 500 not in statuses(came)


def test_hostile_peers_at_the_same_time_leave_it_running(server):
    def play():
        for data in SHORT.values():
            answers(server, data)

    players = [threading.Thread(target=play) for _ in range(8)]
    for player in players:
        player.start()
    for player in players:
        player.join(60)
    assert comes_true(lambda: threads() == 1)
