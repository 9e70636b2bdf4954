"""HTTP/1.1 as a client speaks it: heads and bodies, cut anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuts import decoded, parts, steps
from dynadock.errors import MalformedStream, TruncatedStream
from dynadock.wire import http1
from dynadock.wire.chunks import Chunked
from dynadock.wire.http1 import (
    Head,
    HeadReader,
    Sized,
    UntilClose,
    body_decoder,
    request_head,
)
from dynadock.wire.messages import Headers, Request

CUTS = st.lists(st.integers(min_value=0, max_value=400), max_size=10)


# Requests

TYPED = {"Content-Type": "application/json"}
UPGRADE = {"Connection": "Upgrade", "Upgrade": "tcp"}
REQUESTS = {
    "no body": (Request("GET", "/v1.42/info?a=b%20c", {}), []),
    "no body where one is usual": (Request("POST", "/x", {}), ["Content-Length: 0"]),
    "no body to put": (Request("PUT", "/x", {}), ["Content-Length: 0"]),
    "no body to delete": (Request("DELETE", "/x", {}), []),
    "bytes": (Request("POST", "/x", TYPED, b"{}"), ["Content-Type: application/json", "L 2"]),
    "empty bytes": (Request("POST", "/x", {}, b""), ["Content-Length: 0"]),
    "chunks": (Request("PUT", "/x", {}, iter([b"a"])), ["Transfer-Encoding: chunked"]),
    "upgrade": (
        Request("POST", "/x", UPGRADE, b"{}"),
        ["Connection: Upgrade", "Upgrade: tcp", "L 2"],
    ),
    "framing of the caller's": (
        Request("POST", "/x", {"content-length": "7", "TRANSFER-ENCODING": "gzip"}, b"abc"),
        ["L 3"],
    ),
    "latin-1": (Request("GET", "/x", {"X-Name": "Zürich"}), ["X-Name: Zürich"]),
}


@pytest.mark.parametrize(("request_", "fields"), REQUESTS.values(), ids=REQUESTS)
def test_request_heads(request_, fields):
    fields = [field.replace("L ", "Content-Length: ") for field in fields]
    line = f"{request_.method} {request_.target} HTTP/1.1"
    ours = ["Host: engine", "Accept-Encoding: identity"]
    expected = "\r\n".join([line, *ours, *fields, "", ""])
    assert request_head(request_, "engine") == expected.encode("latin-1")


def test_a_host_among_the_headers_has_precedence():
    head = request_head(Request("GET", "/x", {"host": "other"}), "engine")
    assert head == b"GET /x HTTP/1.1\r\nHost: other\r\nAccept-Encoding: identity\r\n\r\n"


UNSAFE = {
    "method": Request("GET /", "/x", {}),
    "no method": Request("", "/x", {}),
    "no target": Request("GET", "", {}),
    **{f"target {char!r}": Request("GET", f"/x{char}y", {}) for char in "\r\n\0 \t\x7fü"},
    **{f"header {char!r}": Request("GET", "/x", {"A": f"b{char}c"}) for char in "\r\n\0€"},
    **{f"name {char!r}": Request("GET", "/x", {f"A{char}": "b"}) for char in "\r\n\0 :ü"},
    "no name": Request("GET", "/x", {"": "b"}),
}


@pytest.mark.parametrize("request_", UNSAFE.values(), ids=UNSAFE)
def test_what_would_break_a_request_is_refused(request_):
    with pytest.raises(ValueError):
        request_head(request_, "engine")


def test_an_unsafe_host_is_refused():
    with pytest.raises(ValueError, match="'Host'"):
        request_head(Request("GET", "/x", {}), "engine\r\nA: b")


# Heads

HEADS = {
    "docker": (
        b"HTTP/1.1 200 OK\r\nServer: Docker/20.10 (linux)\r\nTransfer-Encoding: chunked\r\n\r\n",
        Head(
            200,
            "OK",
            Headers(
                {
                    "Server": "Docker/20.10 (linux)",
                    "Transfer-Encoding": "chunked",
                }
            ),
        ),
    ),
    "upgraded": (
        b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
        Head(101, "UPGRADED", Headers({"Connection": "Upgrade", "Upgrade": "tcp"})),
    ),
    "no headers, no reason": (b"HTTP/1.1 204\r\n\r\n", Head(204, "", Headers())),
    "an empty reason": (b"HTTP/1.0 200 \r\n\r\n", Head(200, "", Headers(), 0)),
    "repeated and odd headers": (
        b"HTTP/1.1 200 Very Fine\r\nX-A: 1\r\nx-a:2\r\nEmpty:\r\nX-B: \t b: c \t\r\nX-A: 3\r\n\r\n",
        Head(200, "Very Fine", Headers({"X-A": "1, 2, 3", "Empty": "", "X-B": "b: c"})),
    ),
    "folded": (
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\n  2\r\n\t3\r\n\r\n",
        Head(200, "OK", Headers({"X-A": "1 2 3"})),
    ),
    "bare line feeds": (b"HTTP/1.1 200 OK\nA: b\n\n", Head(200, "OK", Headers({"A": "b"}))),
    "latin-1": (
        b"HTTP/1.1 404 N\xfc\r\nA: \xe4\r\n\r\n",
        Head(404, "Nü", Headers({"A": "ä"})),
    ),
    "interim": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103\r\nLink: x\r\n\r\nHTTP/1.1 500 Oh\r\n\r\n",
        Head(500, "Oh", Headers()),
    ),
}


def read_head(pieces, reader=None):
    """Return the head, and all that came behind it: the reader's rest and the pieces left."""
    reader = reader or HeadReader()
    for index, piece in enumerate(pieces):
        head = reader.feed(piece)
        if head is not None:
            return head, reader.rest + b"".join(pieces[index + 1 :])
    return None, b""


@pytest.mark.parametrize(("data", "head"), HEADS.values(), ids=HEADS)
def test_heads_cut_anywhere(data, head):
    behind = b"\r\n\r\nHTTP/1.1 \x00"
    for cut in range(len(data) + 1):
        assert read_head([data[:cut], data[cut:] + behind]) == (head, behind)
    for size in (1, 2, 3, 7):
        assert read_head(steps(data + behind, size)) == (head, behind)


@pytest.mark.parametrize(("data", "head"), HEADS.values(), ids=HEADS)
def test_heads_truncated_at_every_byte(data, head):
    for cut in range(len(data)):
        reader = HeadReader()
        assert reader.feed(data[:cut]) is None
        with pytest.raises(TruncatedStream) as caught:
            reader.finish()
        if cut == 0:
            assert "before any reply came" in str(caught.value)
        else:
            assert "in the middle of the reply's head" in str(caught.value)


NO_HEADS = {
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x16",
    "frames": b"\x01\x00\x00\x00\x00\x00\x00\x05hello",
    "HTTP/2": b"\x00\x00\x12\x04\x00\x00\x00",
    "version": b"HTTP/2 200\r\n\r\n",
    "body of the last reply": b'{"a": 1}HTTP/1.1 200 OK\r\n\r\n',
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "short status": b"HTTP/1.1 20 OK\r\n\r\n",
    "status below 100": b"HTTP/1.1 099 OK\r\n\r\n",
    "NUL in the reason": b"HTTP/1.1 200 O\0K\r\n\r\n",
    "form feed in the reason": b"HTTP/1.1 200 O\x0cK\r\n\r\n",
    "no colon": b"HTTP/1.1 200 OK\r\nA b\r\n\r\n",
    "space before the colon": b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
    "no name": b"HTTP/1.1 200 OK\r\n: b\r\n\r\n",
    "folded status line": b"HTTP/1.1 200 OK\r\n A: b\r\n\r\n",
    "blanks behind the status line": b"HTTP/1.1 200 OK\r\n\t\r\nA: b\r\n\r\n",
    "NUL in a header": b"HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n",
    "CR in a header": b"HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
}


@pytest.mark.parametrize("name", ["Content_Length", "content_length", "Transfer_Encoding"])
def test_a_header_that_is_spelled_almost_like_framing_is_none(name):
    data = f"HTTP/1.1 200 OK\r\n{name}: 5\r\nContent-Length: 3\r\nX_Y: z\r\n\r\n".encode()
    head, _ = read_head([data])
    assert head.headers == {"Content-Length": "3", "X-Y": "z"}
    head, _ = read_head([data.replace(b"Content-", b"X-")])
    assert isinstance(body_decoder(head, "GET"), UntilClose)


@pytest.mark.parametrize("data", NO_HEADS.values(), ids=NO_HEADS)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_what_is_no_http(data, size):
    with pytest.raises(MalformedStream, match=r"no HTTP|no status line|not a header"):
        read_head(steps(data, size))


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * (http1.LONGEST_HEAD // 6),
        b"HTTP/1.1 200 OK\r\nA: " + b" " * http1.LONGEST_HEAD,
        b"HTTP/1.1 200 OK\r\nA: " + b" " * http1.LONGEST_HEAD + b"\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * (http1.LONGEST_HEAD // 25 + 1),
    ],
    ids=["headers", "header", "whole", "interim heads"],
)
@pytest.mark.parametrize("size", [4096, 1 << 20])
def test_heads_have_an_end(data, size):
    with pytest.raises(MalformedStream, match="longer than 262144 bytes"):
        read_head(steps(data, size))


def test_a_long_head_is_read():
    value = "x" + " " * 200_000 + "y"
    head, _ = read_head(steps(f"HTTP/1.1 200 OK\r\nA: {value} \r\n\r\n".encode(), 4096))
    assert head.headers["A"] == value


@given(st.binary(max_size=80), CUTS)
def test_garbage_for_a_head_does_no_harm(garbage, cuts):
    reader = HeadReader()
    try:
        head, _ = read_head(parts(b"HTTP/1.1 200 OK\r\n" + garbage, cuts), reader)
    except MalformedStream:
        return
    if head is None:
        with pytest.raises(TruncatedStream):
            reader.finish()


# Which body follows

CHUNKS = ("Transfer-Encoding", "chunked")
FRAMINGS = {
    "chunks": (200, "GET", [CHUNKS], Chunked),
    "chunks in capitals": (200, "GET", [("transfer-encoding", " Chunked ")], Chunked),
    "length": (200, "GET", [("Content-Length", "5")], Sized),
    "the same length twice": (200, "GET", [("Content-Length", "5, 5")], Sized),
    "length 0": (200, "GET", [("Content-Length", "0")], None),
    "close": (200, "GET", [], UntilClose),
    "an error": (404, "GET", [CHUNKS], Chunked),
    "HEAD": (200, "HEAD", [("Content-Length", "5")], None),
    "204": (204, "POST", [CHUNKS], None),
    "304": (304, "POST", [("Content-Length", "5")], None),
    "101": (101, "POST", [CHUNKS], UntilClose),
    "CONNECT": (200, "CONNECT", [("Content-Length", "5")], UntilClose),
    "CONNECT refused": (403, "CONNECT", [("Content-Length", "5")], Sized),
}


def head_of(status, fields):
    return Head(status, "", Headers(fields))


@pytest.mark.parametrize(("status", "method", "fields", "kind"), FRAMINGS.values(), ids=FRAMINGS)
def test_which_body_follows(status, method, fields, kind):
    decoder = body_decoder(head_of(status, fields), method)
    assert decoder.done is (kind is None)
    assert kind is None or type(decoder) is kind


@pytest.mark.parametrize(
    "field",
    [
        ("Content-Length", "5, 6"),
        ("Content-Length", ""),
        ("Content-Length", "-1"),
        ("Content-Length", "+5"),
        ("Content-Length", "5x"),
        ("Content-Length", "\u0665"),
        ("Content-Length", "9" * 21),
        ("Content-Length", "\xa05"),
        ("Content-Length", "5, 5\x85"),
        ("Transfer-Encoding", "gzip, chunked"),
        ("Transfer-Encoding", "identity"),
        ("Transfer-Encoding", "chunked, chunked"),
        ("Transfer-Encoding", ""),
        ("Transfer-Encoding", "\xa0chunked"),
        ("Transfer-Encoding", "chunked\x85"),
    ],
)
def test_framings_that_cannot_be_followed(field):
    with pytest.raises(MalformedStream):
        body_decoder(head_of(200, [field]), "GET")


@pytest.mark.parametrize("codings", ["chunked", "identity"])
def test_chunks_and_a_length_are_refused(codings):
    fields = [("Content-Length", "5"), ("Transfer-Encoding", codings)]
    with pytest.raises(MalformedStream, match="and has a Content-Length too: '5'"):
        body_decoder(head_of(200, fields), "GET")
    assert body_decoder(head_of(304, fields), "GET").done


# Bodies


def test_no_body():
    decoder = body_decoder(head_of(204, []), "GET")
    assert decoder.feed(b"HTTP") == decoder.feed(b"/1.1") == b""
    assert decoder.rest == b"HTTP/1.1"
    decoder.finish()


@pytest.mark.parametrize("cut", range(8))
def test_a_body_of_known_length(cut):
    decoder = Sized(5)
    data = b"hello!!"
    assert decoded(decoder, [data[:cut], data[cut:]]) == b"hello"
    assert (decoder.done, decoder.rest, decoder.fault) == (True, b"!!", None)
    decoder.finish()


@pytest.mark.parametrize("came", range(5))
def test_a_body_of_known_length_truncated(came):
    decoder = Sized(5)
    assert decoder.feed(b"hello"[:came]) == b"hello"[:came]
    assert not decoder.done
    with pytest.raises(TruncatedStream, match=f"after {came} of the body's 5 bytes"):
        decoder.finish()


def test_a_body_until_the_end_of_the_connection():
    decoder = UntilClose()
    assert decoded(decoder, [b"a", b"", b"b\r\n"]) == b"ab\r\n"
    assert (decoder.done, decoder.rest) == (False, b"")
    decoder.finish()
    assert decoder.done
