"""Requests read out of bytes: whatever is sent comes out, and what is in doubt is refused."""

from __future__ import annotations

import time
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuts import parts, steps
from dynadock import MalformedStream, TruncatedStream, reveal
from dynadock.wire.exchange import Exchange
from dynadock.wire.http1 import LONGEST_HEAD
from dynadock.wire.messages import Headers, Request
from dynadock.wire.requests import RequestReader

GET = b"GET /_ping HTTP/1.1\r\nHost: d\r\n"
POST = b"POST /x HTTP/1.1\r\nHost: d\r\n"


class Sink:
    """A link that takes whatever is sent, and answers when it is asked."""

    def __init__(self):
        self.sent = BytesIO()

    def offer(self, data):
        return self.sent.write(data), b""

    def receive(self):
        return b"HTTP/1.1 204 No Content\r\n\r\n"


def sent(request):
    """Return the bytes that an exchange sends for a request."""
    link, following, came = Sink(), Exchange(request, "d").begin(), None
    try:
        while True:
            came = following.send(came)(link)
    except StopIteration:
        return link.sent.getvalue()


def read(pieces):
    """Return a reader that has read pieces up to the request's end, with the body; what is left."""
    reader, body, left = RequestReader(), [], list(pieces)
    while left and not reader.done:
        body.append(reader.feed(left.pop(0)))
        if reader.fault is not None:
            raise reader.fault
    return reader, b"".join(body), reader.rest + b"".join(left)


NAMES = st.from_regex(r"X-[A-Z0-9-]{1,9}", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=9).map(str.strip)
BODIES = st.none() | st.binary(max_size=99) | st.lists(st.binary(max_size=40), max_size=4)
REQUESTS = st.builds(
    Request,
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE"]),
    st.from_regex(r"/[!-~]{0,20}", fullmatch=True),
    st.dictionaries(NAMES, VALUES, max_size=4),
    BODIES,
)


@given(REQUESTS, st.lists(st.integers(0, 400), max_size=6), st.binary(max_size=20))
def test_what_an_exchange_sends_comes_out_however_it_is_cut(request, cuts, behind):
    body = request.body
    whole = b"".join(body) if isinstance(body, list) else body or b""
    target, headers = reveal(request.target), reveal(request.headers)
    made = Request(request.method, target, headers, iter(body) if type(body) is list else body)
    reader, came, rest = read(parts(sent(made) + behind, cuts))
    assert reader.done
    assert (reader.head.method, reader.head.target) == (request.method, target)
    assert Headers(headers).items() <= reader.head.headers.items()
    assert (came, rest) == (whole, behind)


LINES = st.sampled_from(
    [
        *(b"GET / HTTP/1.1\r\n", b"POST /a?b HTTP/1.0\r\n", b"Host: d\r\n", b"\r\n", b"\n", b"\r"),
        *(b"Content-Length: 3\r\n", b"Content-Length: 0\r\n", b"Content_Length: 9\r\n"),
        *(b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n", b"0\r\n\r\n", b"abc", b"A: b \r\n"),
        *(b" folded\r\n", b"A", b":", b"\0", b"Connection: close\r\n", b"HTTP/1.1 200 OK\r\n"),
    ]
)


def outcome(pieces):
    try:
        reader, body, rest = read(pieces)
    except MalformedStream:
        return "refused"
    return reader.head, body, rest, reader.done


@given(st.lists(LINES, max_size=9).map(b"".join), st.lists(st.integers(0, 200), max_size=9))
def test_anything_is_read_or_refused_however_it_is_cut(data, cuts):
    whole, pieces, single = outcome([data]), outcome(parts(data, cuts)), outcome(steps(data, 1))
    if whole == "refused" or whole[3]:
        assert whole == pieces == single


def test_requests_stand_behind_each_other():
    one, two = sent(Request("POST", "/a", {}, b"abc")), sent(Request("GET", "/b", {}))
    reader, body, rest = read([one + two])
    assert (reader.head.target, body, rest) == ("/a", b"abc", two)
    reader, body, rest = read([rest])
    assert (reader.head.target, body, rest) == ("/b", b"", b"")


def test_what_stands_behind_an_upgrade_is_left_as_it_is():
    headers = {"Connection": "Upgrade", "Upgrade": "tcp"}
    reader, _, rest = read([sent(Request("POST", "/a", headers)) + b"\0raw"])
    assert (reader.head.upgrade, rest) == ("tcp", b"\0raw")


@pytest.mark.parametrize(
    ("lines", "upgrade", "is_persistent"),
    [
        (b"", "", True),
        (b"Connection: Upgrade\r\nUpgrade: h2c\r\n", "h2c", True),
        (b"Upgrade: tcp\r\n", "", True),
        (b"Connection: keep-alive, upgrade\r\nUpgrade: tcp\r\n", "tcp", True),
        (b"Connection: upgrade\r\n", "", True),
        (b"Connection: close\r\n", "", False),
        (b"Connection: a, Close\r\n", "", False),
        (b"Connection: a\r\nConnection: close\r\n", "", False),
    ],
)
def test_what_the_peer_wants_of_the_connection(lines, upgrade, is_persistent):
    reader, *_ = read([GET + lines + b"\r\n"])
    assert (reader.head.upgrade, reader.head.is_persistent) == (upgrade, is_persistent)


def test_an_old_peer_wants_nothing():
    data = b"GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: x\r\nExpect: 100-continue\r\n\r\n"
    head = read([data])[0].head
    assert (head.minor, head.is_persistent, head.upgrade) == (0, False, "")
    assert not head.expects_continue


def test_a_peer_may_wait_before_it_sends_the_body():
    reader, *_ = read([POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"])
    assert reader.head.expects_continue
    assert not reader.done
    assert reader.feed(b"abc") == b"abc"
    assert reader.done


def test_the_head_is_there_before_the_body():
    reader = RequestReader()
    assert reader.feed(POST + b"Content-Length: 3\r\n\r\na") == b"a"
    assert reader.head.target == "/x"
    assert not reader.done
    assert reader.feed(b"bcd") == b"bc"
    assert (reader.done, reader.rest) == (True, b"d")


def test_values_are_without_the_blanks_around_them():
    head = read([GET + b"A: \t b c \t\r\nB:d\r\nC:\r\n\r\n"])[0].head
    assert (head.headers["A"], head.headers["B"], head.headers["C"]) == ("b c", "d", "")


def test_a_header_that_came_twice_is_joined():
    assert read([GET + b"a: 1\r\nA: 2\r\n\r\n"])[0].head.headers["A"] == "1, 2"


def test_no_other_spelling_passes_for_framing():
    reader, _, rest = read([POST + b"Content_Length: 3\r\nTransfer_Encoding: x\r\n\r\nabc"])
    assert (reader.done, rest) == (True, b"abc")
    assert "Content-Length" not in reader.head.headers


REFUSED = {
    "both framings": POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    "two lengths": POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n",
    "a length twice": POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\n",
    "a list of lengths": POST + b"Content-Length: 3, 3\r\n\r\n",
    "a length with a sign": POST + b"Content-Length: +3\r\n\r\n",
    "a negative length": POST + b"Content-Length: -3\r\n\r\n",
    "no length": POST + b"Content-Length: \r\n\r\n",
    "a length in hexadecimal": POST + b"Content-Length: 0x3\r\n\r\n",
    "another coding": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    "a coding twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    "chunks of HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a folded line": GET + b"A: b\r\n c\r\n\r\n",
    "a folded first line": b"GET / HTTP/1.1\r\n Host: d\r\n\r\n",
    "a blank before the colon": GET + b"Content-Length : 3\r\n\r\n",
    "no colon": GET + b"A\r\n\r\n",
    "no name": GET + b": a\r\n\r\n",
    "a name with a blank": GET + b"A b: c\r\n\r\n",
    "a name beyond ASCII": GET + b"\xe4: c\r\n\r\n",
    "a CR alone": GET + b"A: b\rContent-Length: 3\r\n\r\n",
    "a LF alone": GET + b"A: b\nContent-Length: 3\r\n\r\n",
    "a NUL in a value": GET + b"A: b\0c\r\n\r\n",
    "a NUL in the target": b"GET /\0 HTTP/1.1\r\nHost: d\r\n\r\n",
    "a target beyond ASCII": b"GET /\xc3\xa4 HTTP/1.1\r\nHost: d\r\n\r\n",
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "two Hosts": GET + b"Host: e\r\n\r\n",
    "no target": b"GET HTTP/1.1\r\nHost: d\r\n\r\n",
    "another version": b"GET / HTTP/1.2\r\nHost: d\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an empty line first": b"\r\n" + GET + b"\r\n",
    "two blanks": b"GET  / HTTP/1.1\r\nHost: d\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\n\r\n\r\n",
    "a bad chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "a huge head": GET + b"A: " + LONGEST_HEAD * b"a" + b"\r\n\r\n",
    "very many headers": GET + LONGEST_HEAD // 6 * b"A: b\r\n" + b"\r\n",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("size", [7, 10**6])
def test_what_is_in_doubt_is_refused(data, size):
    with pytest.raises(MalformedStream):
        read(steps(data, size))


@pytest.mark.parametrize("data", [b"SSH-2.0-x\r\n", b"GET /\n", b"{}\n", b"HTTP/1.1 200 OK\r\n"])
def test_what_can_become_no_request_is_not_waited_for(data):
    with pytest.raises(MalformedStream, match="no HTTP request came"):
        RequestReader().feed(data)


def test_a_head_without_end_is_not_kept():
    reader = RequestReader()
    reader.feed(GET + b"A: ")
    for _ in range(LONGEST_HEAD // 64 - 1):
        reader.feed(b"a" * 64)
    with pytest.raises(MalformedStream, match="longer than"):
        reader.feed(b"a" * 64)


@pytest.mark.parametrize("data", [GET + b"A: " + b"a" * 100_000, b"GET /" + b"a" * 100_000])
def test_a_head_that_comes_byte_by_byte_takes_linear_time(data):
    reader, start = RequestReader(), time.process_time()
    for byte in steps(data, 1):
        reader.feed(byte)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    "end", [b"", b"Content-Length: 3\r\n\r\nab", b"Transfer-Encoding: chunked\r\n\r\n3"]
)
def test_a_connection_that_breaks_in_the_middle(end):
    reader = RequestReader()
    reader.feed(POST + end)
    with pytest.raises(TruncatedStream):
        reader.finish()


def test_a_connection_may_end_between_requests():
    RequestReader().finish()
    read([GET + b"\r\n"])[0].finish()
