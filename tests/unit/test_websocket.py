"""Websockets: the handshake, and messages cut anywhere."""

from __future__ import annotations

import base64
import logging
import os
import subprocess
import sys
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Asked
from websockets.protocol import Protocol, Side
from websockets.server import ServerProtocol

from cuts import parts, steps
from dynadock.errors import ConnectionLost, MalformedStream, TooLarge, TruncatedStream
from dynadock.wire.http1 import HeadReader, request_head
from dynadock.wire.messages import Headers, Request
from dynadock.wire.websocket import (
    WebSocketCodec,
    accepted,
    check_handshake,
    with_handshake,
)
from wire.peer import BINARY, CLOSE, PING, PONG, TEXT, close_frame, message

CONTINUED = 0
BYE = close_frame()


def decoded(codec, pieces):
    """Return all content that blocks bring, joined."""
    return b"".join(fed(codec, piece) for piece in pieces)


def fed(codec, data):
    """Return all content that a block brings, joined."""
    return b"".join(codec.feed(data))


CUTS = st.lists(st.integers(min_value=0, max_value=600), max_size=10)

ATTACH = Request("GET", "/attach/ws", {"Connection": "Upgrade", "Upgrade": "websocket"})


def received(sent):
    """Return what a server of the library makes of bytes that the client has sent."""
    server = Protocol(Side.SERVER, max_size=None)
    server.receive_data(sent)
    assert server.parser_exc is None
    return [(int(frame.opcode), bytes(frame.data)) for frame in server.events_received()]


# The handshake


def test_the_answer_to_a_key_is_the_one_of_the_rfc():
    assert accepted("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_each_request_asks_with_a_key_of_its_own():
    asked = [with_handshake(ATTACH).headers for _ in range(2)]
    assert [each["Sec-WebSocket-Version"] for each in asked] == ["13", "13"]
    keys = [each["Sec-WebSocket-Key"] for each in asked]
    assert [len(base64.b64decode(key, validate=True)) for key in keys] == [16, 16]
    assert keys[0] != keys[1]
    assert asked[0].items() >= ATTACH.headers.items()
    assert "Sec-WebSocket-Key" not in ATTACH.headers


def test_a_server_agrees():
    request = with_handshake(ATTACH)
    server = ServerProtocol()
    server.receive_data(request_head(request, "engine"))
    (asked,) = server.events_received()
    assert isinstance(asked, Asked)
    server.send_response(server.accept(asked))
    head = HeadReader().feed(b"".join(server.data_to_send()))
    assert head.status == 101
    check_handshake(request, head.headers)


WRONG_KEYS = {
    "none": {},
    "empty": {"Sec-WebSocket-Accept": ""},
    "another's": {"Sec-WebSocket-Accept": accepted("dGhlIHNhbXBsZSBub25jZQ==")},
}


@pytest.mark.parametrize("headers", WRONG_KEYS.values(), ids=WRONG_KEYS)
def test_a_wrong_key_is_refused(headers):
    with pytest.raises(MalformedStream, match="handshake was answered with a wrong key"):
        check_handshake(with_handshake(ATTACH), Headers(headers))


def test_the_key_itself_is_no_answer_to_it():
    request = with_handshake(ATTACH)
    headers = Headers({"Sec-WebSocket-Accept": request.headers["Sec-WebSocket-Key"]})
    with pytest.raises(MalformedStream, match="wrong key"):
        check_handshake(request, headers)


# Messages

EURO = "\u20ac".encode()

CONTENTS = {
    "none": (b"", b""),
    "one": (message(b"one"), b"one"),
    "empty ones": (message(b"") + message(b"a") + message(b"", TEXT) + message(b"b"), b"ab"),
    "text": (message(EURO, TEXT), EURO),
    "text that is none": (
        message(b"\xff\xfe\0", TEXT) + message(EURO[:1], TEXT),
        b"\xff\xfe\0\xe2",
    ),
    "a character in two messages": (message(EURO[:1], TEXT) + message(EURO[1:], TEXT), EURO),
    "fragments": (
        message(b"on", last=False)
        + message(b"", CONTINUED, last=False)
        + message(b"e", CONTINUED)
        + message(b"two"),
        b"onetwo",
    ),
    "a character in fragments": (
        message(EURO[:2], TEXT, last=False) + message(EURO[2:], CONTINUED),
        EURO,
    ),
    "a ping inside a message": (
        message(b"on", last=False) + message(b"?", PING) + message(b"e", CONTINUED),
        b"one",
    ),
    "a pong that nobody asked for": (message(b"a") + message(b"!", PONG) + message(b"b"), b"ab"),
    "long lengths": (message(b"x" * 126) + message(b"y" * 70_000), b"x" * 126 + b"y" * 70_000),
}


@pytest.mark.parametrize(("data", "content"), CONTENTS.values(), ids=CONTENTS)
def test_messages_cut_anywhere(data, content):
    data += BYE
    near = range(min(len(data), 200) + 1)
    cuts = [[data[:cut], data[cut:]] for cut in near]
    for pieces in [*cuts, *(steps(data, size) for size in (1, 2, 3, 7, len(data)))]:
        codec = WebSocketCodec()
        assert decoded(codec, pieces) == content
        assert (codec.done, codec.fault, codec.rest) == (True, None, b"")
        codec.finish()


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 3_000_000])
def test_messages_of_every_size(size):
    data = os.urandom(size)
    codec = WebSocketCodec()
    assert fed(codec, message(data)) == data
    assert received(codec.message(data)) == [(BINARY, data)]


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview], ids=lambda each: each.__name__)
def test_all_that_holds_bytes_is_sent(make):
    data = bytes(range(256))
    assert received(WebSocketCodec.message(make(data))) == [(BINARY, data)]


def test_every_message_has_a_mask_of_its_own():
    sent = [WebSocketCodec.message(b"hello") for _ in range(2)]
    assert [each[1] & 0x80 for each in sent] == [0x80, 0x80]
    assert sent[0][2:6] != sent[1][2:6]


def test_a_fragment_is_given_before_its_message_is_whole():
    codec = WebSocketCodec()
    assert fed(codec, message(b"on", last=False)) == b"on"
    assert fed(codec, message(b"e", CONTINUED)[:-1]) == b""
    assert fed(codec, b"e") == b"e"


DATA = st.binary(max_size=140)
PINGS = st.lists(st.binary(max_size=125), max_size=2)
MESSAGES = st.lists(
    st.tuples(st.booleans(), st.lists(st.tuples(DATA, PINGS), min_size=1, max_size=4)), max_size=5
)


@given(messages=MESSAGES, cuts=CUTS, code=st.sampled_from([None, 1000, 1001]))
def test_any_messages_of_a_server_cut_anywhere(messages, cuts, code):
    server = Protocol(Side.SERVER)
    content, pings = b"", []
    for is_text, fragments in messages:
        begin = server.send_text if is_text else server.send_binary
        for number, (data, between) in enumerate(fragments, 1):
            send = begin if number == 1 else server.send_continuation
            send(data, fin=number == len(fragments))
            content += data
            for ping in between:
                server.send_ping(ping)
                pings.append(ping)
    server.send_close(code)
    codec = WebSocketCodec()
    came = b""
    for piece in parts(b"".join(server.data_to_send()), cuts):
        came += fed(codec, piece)
        server.receive_data(codec.outgoing())
    assert came == content
    assert (codec.done, codec.fault, codec.rest) == (True, None, b"")
    *pongs, closed = server.events_received()
    assert [(pong.opcode, bytes(pong.data)) for pong in pongs] == [(PONG, ping) for ping in pings]
    assert closed.opcode is Opcode.CLOSE
    assert server.close_rcvd.code == (code or 1005)
    assert server.parser_exc is None


# Answers


def test_a_ping_is_answered_once():
    codec = WebSocketCodec()
    assert fed(codec, message(b"a") + message(b"there?", PING)) == b"a"
    assert received(codec.outgoing()) == [(PONG, b"there?")]
    assert codec.outgoing() == b""


def test_every_ping_that_came_at_once_is_answered():
    codec = WebSocketCodec()
    fed(codec, message(b"1", PING) + message(b"2", PING) + BYE)
    assert received(codec.outgoing()) == [(PONG, b"1"), (PONG, b"2"), (CLOSE, b"\x03\xe8")]


def test_an_answer_waits_until_it_is_taken():
    codec = WebSocketCodec()
    fed(codec, message(b"there?", PING))
    fed(codec, message(b"a"))
    assert received(codec.outgoing()) == [(PONG, b"there?")]


def test_answers_that_nobody_takes_give_way_to_the_latest():
    codec = WebSocketCodec()
    for number in range(1000):
        fed(codec, message(b"%d" % number, PING))
    assert received(codec.outgoing()) == [(PONG, b"999")]


def test_nothing_is_to_be_sent_unasked():
    codec = WebSocketCodec()
    fed(codec, message(b"a") + message(b"!", PONG))
    assert codec.outgoing() == b""


# The end


@pytest.mark.parametrize("code", [None, 1000, 1001])
@pytest.mark.parametrize("reason", [b"", b"so long"])
def test_a_close_frame_is_the_end(code, reason):
    bye = close_frame(code, reason if code else b"")
    codec = WebSocketCodec()
    assert fed(codec, message(b"one") + bye + b"anything\xff") == b"one"
    assert (codec.done, codec.fault, codec.rest) == (True, None, b"")
    assert received(codec.outgoing()) == [(CLOSE, bye[2:])]
    assert fed(codec, message(b"more") + message(b"", PING)) == b""
    assert codec.outgoing() == b""
    codec.finish()


@pytest.mark.parametrize("code", [1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 3000, 4999])
def test_a_close_frame_may_tell_of_an_error(code):
    codec = WebSocketCodec()
    assert fed(codec, message(b"one") + close_frame(code, "too b\u00e4d".encode())) == b"one"
    assert not codec.done
    assert type(codec.fault) is ConnectionLost
    assert str(codec.fault) == f"the websocket was closed with code {code} too b\u00e4d"
    assert received(codec.outgoing())[0][0] == CLOSE
    assert fed(codec, message(b"more")) == b""
    codec.finish()


def test_an_error_without_a_reason():
    codec = WebSocketCodec()
    fed(codec, close_frame(1011))
    assert str(codec.fault) == "the websocket was closed with code 1011"


@pytest.mark.parametrize(("code", "kind"), [(1000, TruncatedStream), (1011, ConnectionLost)])
def test_a_close_frame_inside_a_message_leaves_it_unfinished(code, kind):
    codec = WebSocketCodec()
    assert fed(codec, message(b"on", last=False) + close_frame(code)) == b"on"
    assert not codec.done
    assert type(codec.fault) is kind


def test_an_end_without_a_close_frame_is_one_too_early():
    data = message(b"one") + message(b"tw", last=False) + message(b"", PING)
    data += message(b"o" * 130, CONTINUED) + BYE
    for cut in range(len(data)):
        codec = WebSocketCodec()
        assert (b"onetw" + b"o" * 130).startswith(fed(codec, data[:cut]))
        assert (codec.done, codec.fault) == (False, None)
        with pytest.raises(TruncatedStream, match="without a close frame"):
            codec.finish()


# What is no websocket

MASKED = Frame(Opcode.BINARY, b"x").serialize(mask=True)
GARBAGE = {
    "HTTP": (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100, "mask|reserved"),
    "zeros": (bytes(8), "continuation"),
    "a masked frame": (MASKED, "mask"),
    **{
        f"reserved bit {bit:#x}": (bytes([0x82 | bit, 1]) + b"x", "reserved bits")
        for bit in (0x40, 0x20, 0x10)
    },
    **{
        f"the unknown opcode {kind}": (message(b"x", kind), "opcode")
        for kind in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    },
    "a continuation of nothing": (message(b"x", CONTINUED), "unexpected continuation"),
    "a message inside a message": (message(b"", last=False) + message(b"y"), "expected a cont"),
    **{
        f"a {name} in fragments": (message(b"", kind, last=False), "fragmented control frame")
        for name, kind in (("ping", PING), ("pong", PONG), ("close", CLOSE))
    },
    **{
        f"a {name} that is too long": (message(b"x" * 126, kind), "control frame too long")
        for name, kind in (("ping", PING), ("pong", PONG), ("close", CLOSE))
    },
    "a close of one byte": (message(b"x", CLOSE), "close frame too short"),
    **{
        f"a close with code {code}": (close_frame(code), "invalid status code")
        for code in (0, 5, 999, 1004, 1005, 1006, 1015, 2999, 5000)
    },
    "a close whose reason is not text": (close_frame(1000, b"\xff"), "utf-8"),
}


@pytest.mark.parametrize(("data", "match"), GARBAGE.values(), ids=GARBAGE)
def test_what_is_no_frame_is_a_fault_after_the_messages_before(data, match):
    data = message(b"one") + data
    for pieces in ([data], steps(data, 1)):
        codec = WebSocketCodec()
        assert decoded(codec, pieces) == b"one"
        assert not codec.done
        with pytest.raises(MalformedStream, match=f"not a frame of a websocket: .*({match})"):
            raise codec.fault
        assert fed(codec, message(b"more")) == b""
        codec.finish()


def test_who_sends_no_frames_is_told_so():
    codec = WebSocketCodec()
    fed(codec, message(b"x", 5))
    ((kind, data),) = received(codec.outgoing())
    assert (kind, data[:2]) == (CLOSE, (1002).to_bytes(2, "big"))


@given(data=st.binary(max_size=300), cuts=CUTS)
def test_any_bytes_mean_the_same_however_they_are_cut(data, cuts):
    whole, cut = WebSocketCodec(), WebSocketCodec()
    assert decoded(cut, parts(data, cuts)) == fed(whole, data)
    assert (cut.done, str(cut.fault)) == (whole.done, str(whole.fault))


# Bounds


LARGEST_MESSAGE = 8 << 20
"""Bytes; the limit that these tests set."""


def announced(size, kind=BINARY, *, last=True):
    return bytes([kind | (0x80 if last else 0), 127]) + size.to_bytes(8, "big")


TOO_LONG = {
    "a little": announced(LARGEST_MESSAGE + 1),
    "as long as can be": announced(2**63 - 1),
    "longer than can be": announced(2**64 - 1),
    "a ping": announced(LARGEST_MESSAGE + 1, PING),
    "in fragments": message(b"ten bytes.", last=False)
    + announced(LARGEST_MESSAGE - 9, CONTINUED, last=False),
}


@pytest.mark.parametrize("data", TOO_LONG.values(), ids=TOO_LONG)
def test_a_message_that_is_too_long_is_refused_before_it_comes(data):
    codec = WebSocketCodec(LARGEST_MESSAGE)
    assert fed(codec, message(b"one") + data) in (b"one", b"oneten bytes.")
    with pytest.raises(
        TooLarge, match=rf"longer than {LARGEST_MESSAGE} bytes; with_options\(limit"
    ):
        raise codec.fault
    ((kind, data),) = received(codec.outgoing())
    assert (kind, data[:2]) == (CLOSE, (1009).to_bytes(2, "big"))


def test_the_largest_message():
    codec = WebSocketCodec(LARGEST_MESSAGE)
    assert fed(codec, announced(LARGEST_MESSAGE)) == b""
    block = bytes(1 << 20)
    came = [fed(codec, block) for _ in range(LARGEST_MESSAGE >> 20)]
    assert set(came[:-1]) == {b""}
    assert len(came[-1]) == LARGEST_MESSAGE
    assert codec.fault is None


def test_a_large_message_in_small_pieces_takes_no_longer():
    """Looked through or copied again for each piece, it would take hours."""
    data = os.urandom(8 << 20)
    codec = WebSocketCodec()
    assert decoded(codec, steps(message(data), 64)) == data


ENDLESS = {
    "empty messages": (b"", message(b"")),
    "empty fragments": (message(b"", last=False), message(b"", CONTINUED, last=False)),
    "tiny messages": (b"", message(b"x")),
    "tiny fragments": (message(b"", last=False), message(b"x", CONTINUED, last=False)),
    "empty pings": (b"", message(b"", PING)),
    "pings inside a message": (message(b"", last=False), message(b"x" * 125, PING)),
    "pongs": (b"", message(b"x" * 125, PONG)),
    "bytes behind the end": (BYE, message(b"x")),
    "bytes behind a fault": (MASKED, message(b"x")),
}


@pytest.mark.parametrize(("begun", "piece"), ENDLESS.values(), ids=ENDLESS)
def test_nothing_piles_up_however_much_comes(begun, piece):
    """Not even answers that nobody takes."""
    codec = WebSocketCodec()
    fed(codec, begun)
    block = piece * 200
    tracemalloc.start()
    try:
        fed(codec, block)
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(40):
            fed(codec, block)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 10_000


# The library


def test_nothing_is_logged(caplog):
    """Frames hold what containers print and are told, which is nobody's business."""
    codec = WebSocketCodec()
    with caplog.at_level(logging.DEBUG):
        fed(codec, message(b"\xff secret", TEXT) + message(b"?", PING) + message(b"x", 5))
    assert isinstance(codec.fault, MalformedStream)
    assert caplog.records == []


def test_it_is_loaded_without_what_it_does_not_need():
    code = f"import sys, {WebSocketCodec.__module__}; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(ran.stdout.split())
    assert "websockets.protocol" in loaded
    assert loaded.isdisjoint({"asyncio", "ssl", "http.client", "websockets.client"})
