"""Both directions of a connection read as HTTP, cut anywhere: nothing is lost, all is found."""

from __future__ import annotations

import json
from itertools import zip_longest

from hypothesis import given
from hypothesis import strategies as st

from dynadock.compat.dialogue import BODY, END, HEAD, RAW, Dialogue
from dynadock.compat.exchanges import Keeping, Reading
from dynadock.compat.masking import masked, masked_request
from dynadock.compat.pinning import Gate, Pin
from dynadock.compat.tapes import Queue, Tape
from dynadock.spec.library import bundled_versions
from dynadock.spec.loader import load_version
from dynadock.spec.versions import parse_version
from dynadock.wire.chunks import LAST_CHUNK, chunk
from secret_values import SECRET

UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"

chunks = st.lists(st.binary(min_size=1, max_size=80), max_size=6)
cuts = st.lists(st.integers(min_value=1, max_value=50), max_size=60)


@st.composite
def turns(draw):
    """Draw a request and its reply as bytes, and what each body decodes to."""
    number = draw(st.integers(0, 99))
    sent, came = draw(chunks), draw(chunks)
    head = f"POST /v1.42/containers/{number}/json HTTP/1.1\r\nHost: d\r\n"
    reply = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    if draw(st.booleans()):
        reply = "HTTP/1.1 100 Continue\r\n\r\n" + reply
    return _message(head, sent, draw), _message(reply, came, draw), b"".join(sent), b"".join(came)


def _message(head, pieces, draw):
    if draw(st.booleans()):
        framed = b"".join(map(chunk, pieces)) + LAST_CHUNK
        return head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + framed
    body = b"".join(pieces)
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


def pieces(data, sizes):
    position = 0
    for size in sizes:
        if data[position : position + size]:
            yield data[position : position + size]
        position += size
    if data[position:]:
        yield data[position:]


@given(st.lists(turns(), max_size=4), cuts, cuts, st.binary(max_size=60))
def test_parts_add_up_to_what_came(turns, sent_cuts, came_cuts, behind):
    sent, came = (b"".join(turn[side] for turn in turns) for side in (0, 1))
    last = b"POST /attach HTTP/1.1\r\nHost: d\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n"
    sent, came = sent + last + behind, came + UPGRADED + behind
    dialogue = Dialogue()
    there, back = [], []
    for piece in pieces(sent, sent_cuts):
        there += dialogue.sent(piece)
    for piece in pieces(came, came_cuts):
        data = piece
        while True:
            back += dialogue.received(data)
            there += dialogue.resume()
            if not dialogue.is_more:
                break
            data = b""
    assert b"".join(part.raw for part in there) == sent
    assert b"".join(part.raw for part in back) == came
    assert dialogue.is_raw
    assert not dialogue.fault
    for parts, side in ((there, 2), (back, 3)):
        assert sum(part.kind == HEAD and part.head is not None for part in parts) == len(turns) + 1
        bodies = b"".join(part.body for part in parts if part.kind == BODY)
        assert bodies == b"".join(turn[side] for turn in turns)
        assert sum(part.kind == END for part in parts) == len(turns) + (side == 2)
        assert b"".join(part.raw for part in parts if part.kind == RAW) == behind


@given(st.lists(turns(), max_size=4), cuts, cuts)
def test_exchanges_are_whole_however_they_are_cut(turns, sent_cuts, came_cuts):
    queue = Queue()
    tape = Tape(queue, 1, Keeping(), lambda: None)
    there, back = [], []
    for request, reply, _, _ in turns:
        for sent in pieces(request, sent_cuts):
            tape.sent(sent, there.append)
        for came in pieces(reply, came_cuts):
            tape.received(came, back.append)
    passed = [queue.take() for _ in range(len(queue))]
    assert b"".join(there) == b"".join(turn[0] for turn in turns)
    assert b"".join(back) == b"".join(turn[1] for turn in turns)
    assert [each.request_body.data for each in passed] == [turn[2] for turn in turns]
    assert [each.reply_body.data for each in passed] == [turn[3] for turn in turns]
    assert all(each.is_whole and not each.fault for each in passed)


@given(st.binary(max_size=300), st.binary(max_size=300), cuts)
def test_anything_may_come(sent, came, sizes):
    queue = Queue()
    reading = Reading(1, Keeping(), queue.put, queue.put)
    for there, back in zip_longest(pieces(sent, sizes), pieces(came, sizes[::-1]), fillvalue=b""):
        if there:
            reading.feed(True, there)
        if back:
            reading.feed(False, back)
    reading.feed(True, b"")
    reading.feed(False, b"")
    assert reading.is_over


@given(st.lists(turns(), max_size=4), cuts, cuts, st.binary(max_size=40))
def test_a_pin_lets_everything_else_pass(turns, sent_cuts, came_cuts, noise):
    engine, client = [], []
    pin = Pin(parse_version("1.42"), max(bundled_versions()))
    tape = Tape(Queue(), 1, Keeping(), lambda: None)
    gate = Gate(pin, tape, client.append, engine.append)
    closed = []
    sent = b"".join(turn[0] for turn in turns) + noise
    for piece in pieces(sent, sent_cuts):
        gate.sent(piece, engine.append)
    gate.end_of_sent(lambda: closed.append(True))
    for _, reply, _, _ in turns:
        for piece in pieces(reply, came_cuts):
            gate.received(piece, client.append)
    assert b"".join(engine) == sent
    assert b"".join(client) == b"".join(turn[1] for turn in turns)
    assert closed == [True]


def test_secrets_in_json_are_masked_by_schema_by_name_and_in_env():
    spec = load_version(parse_version("1.42"))
    schema = spec["ContainerCreate"].body.schema
    value = {
        "Image": "busybox",
        "Env": [f"A={SECRET}", "ALONE", ""],
        "env": [f"B={SECRET}"],
        "Labels": {"token": SECRET, "stage": "test"},
        "HostConfig": {"LogConfig": {"Config": {"key": SECRET}}, "Memory": 5},
        "Nested": [{"Password": SECRET, "Secrets": [{"SecretName": SECRET, "File": "f"}]}],
    }
    assert masked(value, schema, spec.definitions) == {
        "Image": "busybox",
        "Env": ["A=****", "****", ""],
        "env": ["B=****"],
        "Labels": {"token": "****", "stage": "test"},
        "HostConfig": {"LogConfig": {"Config": {"key": "****"}}, "Memory": 5},
        "Nested": [{"Password": "****", "Secrets": [{"SecretName": "****", "File": "f"}]}],
    }
    assert json.dumps(masked(value, None, {})).count(SECRET) == 1
    request = masked_request("GET", f"/a?token={SECRET}&b=1", {"X-Registry-Auth": SECRET}, None)
    assert request.shown_target == "/a?token=****&b=1"
    assert request.shown_headers == {"X-Registry-Auth": "****"}
