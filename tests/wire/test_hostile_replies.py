"""Replies that ask for memory, time or depth without end: refused by a bound, or passed on."""

from __future__ import annotations

import base64
import copy
import gzip
import io
import json
import pickle

import pytest
import rich.console
import yaml

from dynadock import (
    APIError,
    Conflict,
    MalformedStream,
    ServerError,
    StreamError,
    TimedOut,
    TooLarge,
    VersionError,
    execute,
)
from dynadock.record import DEEPEST, Record, Records, read_json
from wire.peer import (
    JSON,
    MULTIPLEXED,
    OK,
    RAW,
    answer,
    expect,
    frame,
    head,
    ignore,
    logs,
    playing,
    reply,
    send_until_gone,
    shake_hands,
    streaming,
    switching,
)

LIMIT = 100_000
WAY_OUT = rf"longer than {LIMIT} bytes; with_options\(limit=…\) sets what is held"
BLOCK = b"x" * 10_000


def without_end(begin, *more):
    """Send what there is of it until the client has had enough."""
    return [expect, send_until_gone(begin, *more * 10_000)]


def output(*more, content_type=MULTIPLEXED):
    return without_end(streaming(content_type), *more)


# Output without end

ENDLESS = {
    "frames": (lambda: output(frame("stdout", BLOCK)), None),
    "one frame": (
        lambda: without_end(streaming(MULTIPLEXED) + b"\1\0\0\0\xff\xff\xff\xff", BLOCK),
        None,
    ),
    "a terminal's": (lambda: output(BLOCK, content_type=RAW), True),
}
endless = pytest.mark.parametrize(("script", "tty"), ENDLESS.values(), ids=ENDLESS)


@endless
@pytest.mark.parametrize("timestamps", [False, True])
def test_a_line_without_end_is_given_as_far_as_the_limit(script, tty, timestamps):
    with playing(script(), [OK], limit=LIMIT, tty=tty) as (_, client):
        stream = logs(client)
        lines = stream.lines(timestamps=timestamps)
        assert len(next(lines).text) == LIMIT
        with pytest.raises(TooLarge, match=f"a line is {WAY_OUT}"):
            next(lines)
        assert stream.closed
        assert client.SystemPing() == "OK"


@endless
@pytest.mark.parametrize("method", ["text", "collect"])
def test_what_is_gathered_is_bounded(script, tty, method):
    with playing(script(), [OK], limit=LIMIT, tty=tty) as (peer, client):
        stream = logs(client)
        with pytest.raises(
            TooLarge, match=f"what is gathered of the stream is {WAY_OUT}"
        ) as caught:
            getattr(stream, method)()
        assert caught.value.endpoint == peer.address
        assert stream.closed
        with pytest.raises(TooLarge):
            next(stream)
        assert client.SystemPing() == "OK"


def test_so_is_what_is_read_of_a_file():
    script = without_end(streaming("application/x-tar"), BLOCK)
    with playing(script, limit=LIMIT) as (_, client):
        archive = client.ImageGet("a")
        assert len(archive.read(2 * LIMIT)) == 2 * LIMIT
        with pytest.raises(TooLarge, match=f"what is read of the stream is {WAY_OUT}"):
            archive.read()
        assert archive.closed


def test_so_is_what_a_command_writes():
    made = answer(reply(201, json={"Id": "e" * 64}))
    attached = [expect, send_until_gone(switching(), *[frame("stderr", BLOCK)] * 10_000)]
    with playing([made], attached, limit=LIMIT) as (_, client), pytest.raises(TooLarge):
        execute(client, "web", ["yes"])


@endless
def test_output_that_is_passed_on_has_no_limit(script, tty):
    with playing(script(), limit=LIMIT, tty=tty) as (_, client), logs(client) as stream:
        came = 0
        for piece in stream:
            came += len(piece.data)
            if came > 30 * LIMIT:
                break


def test_a_message_of_a_websocket_is_refused_by_its_length():
    shaken = shake_hands(b"\x82\x7f" + (2**40).to_bytes(8, "big"))
    with playing([shaken, ignore], limit=LIMIT) as (_, client):
        attached = client.ContainerAttachWebsocket("web", stream=True, stdout=True)
        with pytest.raises(TooLarge, match=f"a message of the websocket is {WAY_OUT}"):
            attached.collect()


def test_a_value_without_end():
    script = without_end(streaming("application/json") + b'{"a":1}{"b":"', BLOCK)
    with playing(script, [OK], limit=LIMIT) as (_, client):
        events = client.SystemEvents()
        assert next(events) == {"a": 1}
        with pytest.raises(TooLarge, match=f"a value in the stream is {WAY_OUT}"):
            next(events)
        assert client.SystemPing() == "OK"


def test_an_engines_message_without_end_is_not_waited_for():
    begun = frame("stdout", b"a\n") + b"\3\0\0\0\xff\xff\xff\xff"
    script = without_end(streaming(MULTIPLEXED) + begun, BLOCK)
    with playing(script, [OK]) as (_, client):
        lines = logs(client).lines()
        assert next(lines).text == "a"
        with pytest.raises(StreamError, match=r"an error in the stream .*: x+…$"):
            next(lines)
        assert client.SystemPing() == "OK"


# Packed replies

EMPTY = gzip.compress(b"", mtime=0)


def packed(*more):
    return without_end(head(200, {**JSON, "Content-Encoding": "gzip"}), *more)


@pytest.mark.parametrize("member", [EMPTY, EMPTY * 3000], ids=["one by one", "many at a time"])
def test_members_without_content_and_without_end(member):
    with playing(packed(member), [OK], limit=LIMIT) as (_, client):
        with pytest.raises(TooLarge, match=WAY_OUT):
            client.ContainerList()
        assert client.SystemPing() == "OK"


def test_a_deadline_ends_them_too():
    script = packed(EMPTY * 3000)
    with (
        playing(script, limit=None, deadline=0.3) as (_, client),
        pytest.raises(TimedOut, match="deadline"),
    ):
        client.ContainerList()


# Depth

TOO_DEEP = f"nested deeper than {DEEPEST} levels"


def lists(levels):
    return b"[" * levels + b"]" * levels


def objects(levels):
    return b'{"a":' * (levels - 1) + b"{}" + b"}" * (levels - 1)


def with_brackets_in_text(levels):
    """Write lists in which text seems to close each one."""
    return b'["]\\"]\\\\",' * (levels - 1) + b"[]" + b"]" * (levels - 1)


NESTED = {"lists": lists, "objects": objects, "texts": with_brackets_in_text}
nested = pytest.mark.parametrize("nest", NESTED.values(), ids=NESTED)
deeper = pytest.mark.parametrize("levels", [DEEPEST + 1, 300, 980, 100_000])


@nested
def test_the_deepest_value_can_be_used_in_every_way(nest):
    with playing([answer(reply(200, nest(DEEPEST), headers=JSON))]) as (_, client):
        value = client.ContainerInspect("web")
    twin = read_json(nest(DEEPEST))
    plain = json.loads(nest(DEEPEST))
    for outer in (Record(a=value), Records([value], "ContainerList"), Records([value])):
        same = type(outer)(a=twin) if isinstance(outer, Record) else Records([twin])
        assert outer == same
        assert copy.deepcopy(outer) == pickle.loads(pickle.dumps(outer)) == outer
        assert len(repr(outer)) < 10_000
        assert json.loads(json.dumps(outer, indent=1)) is not None
        assert "text/html" in outer._repr_mimebundle_()
        rich.console.Console(file=io.StringIO(), width=80).print(outer)
    assert yaml.safe_load(yaml.safe_dump(plain)) == value == plain


@nested
@deeper
def test_a_deeper_value_is_refused(nest, levels):
    with playing([answer(reply(200, nest(levels), headers=JSON)), OK]) as (_, client):
        with pytest.raises(APIError, match=TOO_DEEP) as caught:
            client.ContainerInspect("web")
        assert caught.value.status == 200
        assert client.SystemPing() == "OK"


def test_levels_of_a_long_reply_are_not_counted_but_those_that_cannot_be_read_are_refused():
    """To count them would take an eighth of the time in which a long list is read."""
    padding = b'["' + b"a" * 20_000 + b'",'
    bodies = [padding + lists(levels) + b"]" for levels in (3 * DEEPEST, 100_000)]
    scripts = [answer(reply(200, body, headers=JSON)) for body in bodies]
    with playing([*scripts, OK]) as (_, client):
        value = client.ContainerInspect("web")
        assert value == json.loads(bodies[0])
        assert len(repr(value)) < 10_000
        with pytest.raises(APIError, match=TOO_DEEP):
            client.ContainerInspect("web")
        assert client.SystemPing() == "OK"


@nested
@deeper
def test_a_deeper_value_in_a_stream_is_refused(nest, levels):
    body = b'{"a":1}' + nest(levels)
    sent = reply(200, body, headers=JSON)
    with playing([expect, send_until_gone(sent)]) as (_, client):
        events = client.SystemEvents()
        assert next(events) == {"a": 1}
        with pytest.raises(MalformedStream, match=TOO_DEEP):
            next(events)


@nested
@deeper
def test_a_deeper_value_in_a_header_is_refused(nest, levels):
    field = base64.b64encode(nest(min(levels, 10_000))).decode()
    headers = {"X-Docker-Container-Path-Stat": field}
    tar = {**headers, "Content-Type": "application/x-tar"}
    scripts = [answer(reply(200, b"", headers=headers))], [answer(reply(200, b"", headers=tar))]
    with playing(*scripts) as (_, client):
        with pytest.raises(APIError, match=TOO_DEEP):
            client.ContainerArchiveInfo("web", path="/")
        archive = client.ContainerArchive("web", path="/")
        with archive, pytest.raises(APIError, match=TOO_DEEP):
            archive.headers  # noqa: B018 - reading it decodes it


@nested
@deeper
def test_an_error_with_a_deeper_body_is_that_error(nest, levels):
    bodies = [nest(levels), b'{"message": "no", "more": ' + nest(levels) + b"}"]
    scripts = [
        answer(reply(status, body, headers=JSON)) for body in bodies for status in (409, 500)
    ]
    with playing(scripts) as (_, client):
        for body in bodies:
            for kind in (Conflict, ServerError):
                with pytest.raises(kind) as caught:
                    client.ContainerStart("web")
                assert caught.value.body == body


@nested
@deeper
def test_a_deeper_message_of_the_engine_in_a_frame_is_text(nest, levels):
    message = nest(levels)
    body = b"\3" + frame("stdin", message)[1:]
    sent = reply(200, body, headers={"Content-Type": MULTIPLEXED})
    script = [expect, send_until_gone(sent)]
    with playing(script) as (_, client), pytest.raises(StreamError) as caught:
        logs(client).collect()
    assert message.startswith(caught.value.value)


@nested
@deeper
def test_what_versions_an_engine_speaks_may_be_told_too_deeply(nest, levels):
    told = answer(reply(200, b'{"MinAPIVersion": ' + nest(levels) + b"}", headers=JSON))
    ping = answer(reply(text="OK", headers={"Api-Version": "1.30"}))
    scripts = [answer(reply(400, b"{}", headers={**JSON, "Api-Version": "1.30"})), ping, told]
    with playing(scripts) as (_, client), pytest.raises(VersionError, match=r"up to 1\.30"):
        client.ContainerList()


def test_what_is_no_json_is_not_called_deep():
    script = [answer(reply(200, b"[" * DEEPEST, headers=JSON))]
    with (
        playing(script) as (_, client),
        pytest.raises(APIError, match="declared to be JSON and is not"),
    ):
        client.ContainerList()
