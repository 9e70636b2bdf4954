"""Streams of values: progress, events and statistics, however they are cut, wherever they end."""

from __future__ import annotations

import json
import warnings

import pytest

from dynadock import (
    APIError,
    ConnectionLost,
    JsonStream,
    MalformedStream,
    Record,
    StreamError,
    TimedOut,
    TruncatedStream,
)
from wire.peer import (
    OK,
    answer,
    chunk,
    chunked,
    expect,
    given_before,
    hang_up,
    head,
    in_pieces,
    playing,
    reply,
    reset,
    send,
    send_until_gone,
    silence,
    streaming,
)

JSON = "application/json"
CHUNKED = {"Content-Type": JSON, "Transfer-Encoding": "chunked"}
HEAD = head(200, CHUNKED)

VALUES = [
    {"status": "Pulling \u00e4\u20ac\U0001f600", "id": 'a"}{\\'},
    {"n": [1, -2.5e3, None, True, {}], "s": "[{"},
    {},
]


def written(separator, values=None, *, ascii_only=False, start=""):
    """Return values as engines write them, each followed by the separator."""
    texts = [json.dumps(each, ensure_ascii=ascii_only) for each in values or VALUES]
    return "".join(f"{start}{text}{separator}" for text in texts).encode()


SEPARATORS = {
    "CRLF": written("\r\n"),
    "LF": written("\n"),
    "nothing": written(""),
    "sequence": written("\n", start="\x1e"),
    "white space": written(" \r\n\t\n  "),
    "a byte order mark": b"\xef\xbb\xbf" + written("\n"),
}


# However it is cut


@pytest.mark.parametrize("body", SEPARATORS.values(), ids=SEPARATORS)
def test_the_end_of_the_connection_ends_values(body):
    with playing([answer(streaming(JSON) + body), hang_up]) as (_, client):
        events = client.SystemEvents()
        assert isinstance(events, JsonStream)
        assert list(events) == VALUES


@pytest.mark.parametrize("body", SEPARATORS.values(), ids=SEPARATORS)
@pytest.mark.parametrize("size", [1, 7])
def test_small_chunks_and_small_writes(body, size):
    chunks = b"".join(map(chunk, in_pieces(body, size)))
    whole = HEAD + chunks + chunk(b"")
    for pieces in ([whole], in_pieces(whole, 1), in_pieces(whole, 5)):
        with playing([answer(*pieces)]) as (_, client):
            assert list(client.SystemEvents()) == VALUES


def test_every_value_may_be_a_chunk_of_its_own_or_share_one():
    lines = SEPARATORS["CRLF"].splitlines(keepends=True)
    for chunks in (lines, [b"".join(lines)], [b"".join(lines[:2]), lines[2]]):
        with playing([answer(chunked(*chunks))]) as (_, client):
            assert list(client.SystemEvents()) == VALUES


@pytest.mark.parametrize("body", [SEPARATORS["CRLF"], SEPARATORS["nothing"]], ids=["CRLF", "none"])
def test_every_split_of_a_stream_that_the_connections_end_ends(body):
    data = streaming(JSON) + body
    cuts = range(1, len(data))
    scripts = [[answer(data[:cut], data[cut:]), hang_up] for cut in cuts]
    with playing(*scripts) as (_, client):
        for cut in cuts:
            assert list(client.SystemEvents()) == VALUES, cut


def test_every_split_of_a_stream_in_chunks():
    body = SEPARATORS["CRLF"]
    data = HEAD + chunk(body[:20]) + chunk(body[20:21]) + chunk(body[21:]) + chunk(b"")
    cuts = range(1, len(data))
    with playing(*[[answer(data[:cut], data[cut:])] for cut in cuts]) as (_, client):
        for cut in cuts:
            assert list(client.SystemEvents()) == VALUES, cut


def test_values_come_as_soon_as_they_are_whole():
    """Without a line's end behind them, and before the chunk ends."""
    first, second = (json.dumps(each).encode() for each in VALUES[:2])
    begun = HEAD + b"%x\r\n" % len(first + second) + first
    script = [answer(begun), silence]
    with playing(script, timeout=20) as (_, client), client.SystemEvents() as events:
        assert next(events) == VALUES[0]


def test_several_values_in_one_packet_come_one_by_one():
    body = written("\n", [{"n": number} for number in range(500)])
    script = [answer(HEAD + chunk(body)), silence]
    with playing(script, timeout=20) as (_, client), client.SystemEvents() as events:
        assert [next(events).n for _ in range(500)] == list(range(500))


def test_values_other_than_objects():
    body = b'1 "two" [3] null true -4.5e1\n6'
    with playing([answer(chunked(body))]) as (_, client):
        assert list(client.SystemEvents()) == [1, "two", [3], None, True, -45.0, 6]


def test_objects_are_records_all_the_way_down():
    event = {"Actor": {"Attributes": [{"exitCode": "0"}]}}
    with playing([answer(chunked(json.dumps(event).encode()))]) as (_, client):
        (value,) = client.SystemEvents()
    assert isinstance(value, Record)
    assert value.Actor.Attributes[0].exitCode == "0"


def test_a_large_value():
    large = {"stream": "x" * 2**20, "nested": [[["[{"] * 1000]] * 50}
    body = json.dumps(large).encode()
    chunks = b"".join(map(chunk, in_pieces(body, 4096)))
    with playing([answer(HEAD, *in_pieces(chunks, 30_000), chunk(b""))]) as (_, client):
        assert list(client.SystemEvents()) == [large]


def test_what_is_no_utf8_does_not_end_the_stream():
    """Engines pass on what builds print."""
    body = b'{"stream": "\xff\xfeabc"}\r\n{"stream": "ok"}\r\n'
    with playing([answer(chunked(body))]) as (_, client):
        assert [value.stream for value in client.SystemEvents()] == ["\ufffd\ufffdabc", "ok"]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        "application/json-seq",
        "application/x-ndjson",
        "application/jsonl",
        "text/plain",
        None,
    ],
)
def test_what_a_stream_is_called_does_not_matter(content_type):
    with playing([answer(streaming(content_type) + SEPARATORS["LF"]), hang_up]) as (_, client):
        assert list(client.SystemEvents()) == VALUES


@pytest.mark.parametrize("version", ["1.25", "1.30", "1.41", "1.42"])
def test_every_version_streams(version):
    script = [answer(chunked(SEPARATORS["CRLF"]))]
    with playing(script, script, version=version) as (peer, client):
        assert list(client.SystemEvents()) == VALUES
        assert client.ImageCreate(fromImage="a").wait() == VALUES[-1]
    assert peer.requests[0].target == f"/v{version}/events"


# Where it ends


GOOD = b'{"a": 1}\r\n'

CUTS = {
    "inside an object": b'{"b": ',
    "inside a string": b'{"b": "abc',
    "inside an escape": b'{"b": "abc\\',
    "inside a character": b'{"b": "\xc3',
    "inside a list": b"[1, 2",
    "inside a constant": b"tru",
    "inside a number": b"-",
    "before an object's last byte": b'{"b": {"c": 2}',
}


@pytest.mark.parametrize("framing", ["end", "chunks", "length"])
@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_an_end_inside_a_value_is_an_error_after_the_values_before(cut, framing):
    body = GOOD + cut
    data = {
        "end": streaming(JSON) + body,
        "chunks": chunked(body),
        "length": reply(200, body),
    }[framing]
    with playing([answer(data), hang_up], [OK]) as (peer, client):
        events = client.SystemEvents()
        match = f"{peer.address}: the stream ended inside a value that begins with"
        assert given_before(TruncatedStream, events, match) == [{"a": 1}]
        assert events.closed
        assert given_before(TruncatedStream, events, match) == []
        assert client.SystemPing() == "OK"


ENDS = {
    "before the last chunk": HEAD + chunk(GOOD),
    "in a chunk's size": HEAD + chunk(GOOD) + b"1",
    "behind a chunk's size": HEAD + chunk(GOOD) + b"10\r\n",
    "in a chunk": HEAD + chunk(GOOD) + chunk(b'{"b": 2}')[:-6],
    "between values of a chunk": HEAD + b"20\r\n" + GOOD,
    "before a chunk's end": HEAD + chunk(GOOD)[:-2],
    "in a chunk's end": HEAD + chunk(GOOD)[:-1],
    "in the last chunk": HEAD + chunk(GOOD) + b"0\r\n",
    "in the last chunk's end": HEAD + chunk(GOOD) + b"0\r\n\r",
    "in the trailers": HEAD + chunk(GOOD) + b"0\r\nX-A: 1\r\n",
    "before the end of the length": reply(200, GOOD + b'{"b": 2}')[:-8],
}


@pytest.mark.parametrize("kind", ["unix", "tcp"])
@pytest.mark.parametrize("data", ENDS.values(), ids=ENDS)
def test_an_end_before_the_bodys_own_is_an_error_after_the_values_before(data, kind):
    with playing([answer(data), hang_up], [OK], kind=kind) as (peer, client):
        events = client.SystemEvents()
        assert given_before(TruncatedStream, events, peer.address) == [{"a": 1}]
        assert client.SystemPing() == "OK"


NOTHING_YET = [HEAD, HEAD + b"1", HEAD + b"5\r\n", head(200, {"Content-Length": "9"})]


@pytest.mark.parametrize("data", NOTHING_YET, ids=range(4))
def test_an_end_before_the_first_value(data):
    with playing([answer(data), hang_up]) as (_, client):
        assert given_before(TruncatedStream, client.SystemEvents()) == []


@pytest.mark.parametrize("data", [*ENDS.values(), streaming(JSON) + GOOD + b'{"b"'], ids=range(12))
def test_a_reset_is_an_error_after_the_values_before(data):
    with playing([answer(data, b""), reset], [OK], kind="tcp") as (peer, client):
        events = client.SystemEvents()
        given = given_before(ConnectionLost, events, peer.address)
        # A reset may overtake what the client has not read yet.
        assert given in ([], [{"a": 1}])
        assert client.SystemPing() == "OK"


GARBAGE = {
    "a page": b"<html>",
    "words": b"panic: runtime error",
    "a word": b"yes\n",
    "a bracket": b"}",
    "a comma": b', {"b": 2}',
    "a colon": b": 1",
    "an object that is none": b"{b: 2}",
    "an object without an end, then another": b'{"b": \x1e{"c": 3}',
    "a frame": b"\1\0\0\0\0\0\0\5hello",
    "a control character in a string": b'{"b": "\x00\n"}',
    "too deep": b"[" * 200_000 + b"]" * 200_000,
    "a number that is none": b"0123 ",
}


@pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.parametrize("apart", [True, False], ids=["packets", "packet"])
def test_what_is_no_json_is_an_error_after_the_values_before(body, apart):
    """At once, as the next byte may never come."""
    pieces = [HEAD + chunk(GOOD), chunk(body)]
    if not apart:
        pieces = [b"".join(pieces)]

    script = [expect, send_until_gone(*pieces), silence]
    with playing(script, [OK], timeout=20) as (peer, client):
        events = client.SystemEvents()
        assert given_before(MalformedStream, events, f"{peer.address}: no JSON")[:1] == [{"a": 1}]
        assert events.closed
        assert given_before(MalformedStream, events) == []
        assert client.SystemPing() == "OK"


def test_a_malformed_value_shows_no_more_than_its_beginning():
    secret = "hunter2" * 20
    script = [answer(chunked(b"nonsense" + b" " * 100 + secret.encode()))]
    with playing(script) as (_, client), pytest.raises(MalformedStream) as caught:
        list(client.SystemEvents())
    assert secret not in str(caught.value)


# Errors inside


ERRORS = {
    "both": {"errorDetail": {"code": 1, "message": "no space"}, "error": "no space"},
    "error": {"error": "no space"},
    "detail": {"errorDetail": {"message": "no space"}},
    "Podman's": {"error": "no space", "cause": "disk", "message": "full", "response": 500},
    "with more": {"id": "a", "status": "Pushing", "errorDetail": {"message": "no space"}},
}
ONE = {"status": "one"}
TWO = {"status": "two"}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("name", ["ImageCreate", "SystemEvents"])
def test_an_error_inside_is_raised_after_the_values_before(error, name):
    body = written("\r\n", [ONE, TWO, error])
    arguments = {"fromImage": "a"} if name == "ImageCreate" else {}
    with playing([answer(chunked(body))], [OK]) as (peer, client):
        stream = client.operations[name](**arguments)
        given = []
        with pytest.raises(StreamError, match="no space") as caught:
            given.extend(stream)
        assert given == [ONE, TWO]
        assert isinstance(caught.value, APIError)
        assert caught.value.explanation == "no space"
        assert caught.value.value == error
        assert isinstance(caught.value.value, Record)
        assert caught.value.status == 200
        assert caught.value.operation_id == name
        assert caught.value.host == peer.address
        assert str(caught.value).startswith(f"{name} (API 1.42)")
        assert str(caught.value).endswith(f"{peer.address}: no space")
        assert stream.closed
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize("apart", [True, False], ids=["packets", "packet"])
def test_after_an_error_inside_there_is_only_that_error(apart):
    """Whatever comes behind it, and whether it has come already."""
    chunks = [chunk(written("\r\n", [each])) for each in (ONE, ERRORS["both"], TWO)]
    pieces = chunks if apart else [b"".join(chunks)]

    with playing([expect, send_until_gone(HEAD, *pieces), silence]) as (_, client):
        stream = client.ImageCreate(fromImage="a")
        assert given_before(StreamError, stream) == [ONE]
        assert given_before(StreamError, stream) == []
        with pytest.raises(StreamError):
            next(stream)
        with pytest.raises(StreamError):
            stream.wait()


def test_an_error_at_every_split():
    body = written("\r\n", [ONE, ERRORS["both"]])
    data = HEAD + chunk(body) + chunk(b"")
    # The error's last byte is all that is waited for.
    cuts = range(1, data.index(b"}\r\n\r\n"))
    with playing(*[[answer(data[:cut], data[cut:])] for cut in cuts]) as (_, client):
        for cut in cuts:
            assert given_before(StreamError, client.ImageCreate(fromImage="a")) == [ONE], cut


def test_an_error_is_raised_though_the_stream_goes_on():
    body = written("\r\n", [ONE, ERRORS["both"]])
    script = [answer(HEAD + chunk(body)), silence]
    with playing(script, timeout=20) as (_, client), pytest.raises(StreamError, match="no space"):
        client.ImageCreate(fromImage="a").wait()


def test_an_error_first():
    with playing([answer(chunked(written("\n", [ERRORS["error"]])))]) as (_, client):
        assert given_before(StreamError, client.ImagePush("a")) == []


NO_ERRORS = [
    {"error": ""},
    {"error": None},
    {"errorDetail": {}},
    {"errorDetail": None, "error": None},
    {"status": "error: not really"},
    {"aux": {"error": "inside"}},
    ["error"],
    "error",
]


@pytest.mark.parametrize("value", NO_ERRORS, ids=str)
def test_what_only_looks_like_an_error_is_a_value(value):
    with playing([answer(chunked(written("\n", [value])))]) as (_, client):
        assert list(client.ImageCreate(fromImage="a")) == [value]


def test_a_dropped_connection_after_an_error_is_the_error():
    body = written("\r\n", [ERRORS["both"]])
    with playing([answer(HEAD + chunk(body)), hang_up]) as (_, client), pytest.raises(StreamError):
        client.ImageCreate(fromImage="a").wait()


# What was made


DIGEST = "sha256:" + "ab" * 32
OTHER = "sha256:" + "cd" * 32

MADE = {
    "built": (
        [
            {"stream": "Step 1/1 : FROM busybox\n"},
            {"aux": {"ID": DIGEST}},
            {"stream": "Successfully built abababababab\n"},
            {"stream": "Successfully tagged web:latest\n"},
        ],
        {"ID": DIGEST},
    ),
    "built, told in words": ([{"stream": "Successfully built abababababab\n"}], {"ID": "ab" * 6}),
    "pushed": (
        [
            {"status": "latest: digest: sha256:.. size: 527"},
            {"progressDetail": {}, "aux": {"Tag": "latest", "Digest": DIGEST, "Size": 527}},
        ],
        {"Tag": "latest", "Digest": DIGEST, "Size": 527},
    ),
    "pulled": (
        [
            {"status": "Pulling from library/busybox", "id": "latest"},
            {"status": f"Digest: {DIGEST}"},
            {"status": "Status: Image is up to date for busybox:latest"},
        ],
        {"Digest": DIGEST},
    ),
    "imported": ([{"status": DIGEST}], {"ID": DIGEST}),
    "loaded": ([{"stream": "Loaded image: web:latest\n"}], {"Images": ["web:latest"]}),
    "loaded by id": ([{"stream": f"Loaded image ID: {DIGEST}\n"}], {"Images": [DIGEST]}),
    "loaded two": (
        [{"stream": "Loaded image: web:1\n"}, {"stream": "Loaded image: web:2\n"}],
        {"Images": ["web:1", "web:2"]},
    ),
    "loaded by Podman": (
        [{"stream": "Loaded image: localhost/a:1,localhost/b:2\n"}],
        {"Images": ["localhost/a:1", "localhost/b:2"]},
    ),
    "nothing said": ([ONE, TWO], TWO),
    "two ids": ([{"aux": {"ID": DIGEST}}, {"aux": {"ID": OTHER}}], {"ID": OTHER}),
}


@pytest.mark.parametrize(("values", "made"), MADE.values(), ids=MADE)
@pytest.mark.parametrize("read_before", [0, 1], ids=["at once", "after a part"])
def test_wait_returns_what_was_made(values, made, read_before):
    with playing([answer(chunked(written("\r\n", values)))]) as (_, client):
        stream = client.ImageCreate(fromImage="a")
        for _ in range(read_before):
            next(stream)
        result = stream.wait()
        assert result == made
        assert isinstance(result, Record)
        assert stream.closed
        # Calling it again returns the same.
        assert stream.wait() == made
        assert list(stream) == []


def test_wait_after_reading_returns_what_was_made():
    values, made = MADE["built"]
    with playing([answer(chunked(written("\r\n", values)))]) as (_, client):
        stream = client.ImageBuild(body=b"")
        assert list(stream) == values
        assert stream.wait() == made


def test_wait_without_any_value_is_none():
    with playing([answer(chunked())]) as (_, client):
        assert client.ImageCreate(fromImage="a").wait() is None


def test_wait_of_other_streams_is_their_last_value():
    values = [{"aux": {"ID": "no result of an event"}}, {"status": "die"}]
    with playing([answer(chunked(written("\n", values)))]) as (_, client):
        assert client.SystemEvents().wait() == {"status": "die"}


def test_wait_raises_what_reading_raises():
    scripts = [
        [answer(HEAD + chunk(GOOD)), hang_up],
        [answer(HEAD + chunk(GOOD + b"?")), silence],
        [answer(HEAD + chunk(GOOD)), silence],
        [answer(HEAD + chunk(written("\n", [ERRORS["both"]]))), silence],
    ]
    errors = (TruncatedStream, MalformedStream, TimedOut, StreamError)
    with playing(*scripts, timeout=0.3) as (_, client):
        for error in errors:
            stream = client.ImageCreate(fromImage="a")
            for _ in range(2):
                with pytest.raises(error):
                    stream.wait()


def test_a_stream_that_is_waited_for_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        script = [answer(chunked(GOOD))]
        with playing(script) as (_, client), client.ImageCreate(fromImage="a") as pull:
            pull.wait()


# Values that are no streams


def test_stats_are_a_stream_by_default():
    samples = written("\n", [{"read": "1"}, {"read": "2"}])
    single = answer(reply(json={"read": "3"}))
    with playing([answer(chunked(samples))], [single, single]) as (peer, client):
        assert [sample.read for sample in client.ContainerStats("web")] == ["1", "2"]
        assert client.ContainerStats("web", stream=False).read == "3"
        assert client.ContainerStats("web", stream=False, one_shot=True).read == "3"
    assert [each.target.partition("stats")[2] for each in peer.requests] == [
        "",
        "?stream=false",
        "?stream=false&one-shot=true",
    ]


@pytest.mark.parametrize("option", [{}, {"deadline": 20}], ids=["as it is", "deadline"])
def test_a_single_value_that_is_broken_is_an_error(option):
    script = [answer(reply(200, b'{"read": ', headers={"Content-Type": JSON}))]
    with playing(script, **option) as (_, client), pytest.raises(APIError, match="JSON"):
        client.ContainerStats("web", stream=False)


def test_progress_is_read_while_the_engine_works():
    """One value at a time, each as soon as it is there."""
    values = [chunk(written("\r\n", [{"n": number}])) for number in range(5)]
    script = [answer(HEAD), *map(send, values), send(chunk(b""))]
    with playing(script) as (_, client):
        assert [value.n for value in client.ImageCreate(fromImage="a")] == list(range(5))
