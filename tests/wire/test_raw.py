"""Raw replies: requests' own Response, unread, and what it does to the connections."""

from __future__ import annotations

import contextlib
import os
import threading

import pytest
import requests

from dynadock import RawDuplex
from wire.peer import (
    BINARY,
    CLOSE,
    OK,
    PATIENCE,
    RAW,
    TAR_STREAM,
    answer,
    chunk,
    chunked,
    close_frame,
    expect,
    expect_broken,
    expect_head,
    expect_message,
    expect_rest,
    frame,
    hang_up,
    head,
    message,
    playing,
    reply,
    reset,
    send,
    shake_hands,
    silence,
    streaming,
    switching,
    tell,
    wait,
)


@pytest.mark.parametrize("status", [200, 204, 301, 304, 400, 404, 500])
def test_raw_is_a_response_whatever_its_status(status):
    data = reply(status, headers={"X-Some": "thing"})
    with playing([answer(data), OK]) as (_, client):
        with client.ContainerInspect.raw("web") as response:
            assert isinstance(response, requests.Response)
            assert response.status_code == status
            assert response.headers["x-some"] == "thing"
            assert response.content == b""
        assert client.SystemPing() == "OK"


def test_raw_has_what_requests_has():
    with playing([answer(reply(404, json={"message": "nö"}))]) as (_, client):
        response = client.ContainerInspect.raw("web", size=True)
        assert response.json() == {"message": "nö"}
        assert not response.ok
        assert response.reason == "Not Found"
        assert response.request.method == "GET"
        assert response.request.url == response.url
        assert response.url.endswith("/v1.42/containers/web/json?size=true")
        with pytest.raises(requests.HTTPError, match="404"):
            response.raise_for_status()


def test_raw_sends_what_prepare_says():
    with playing([answer(reply(201, json={}))]) as (peer, client):
        client.ContainerCreate.raw(name="web", Image="a").close()
        expected = client.ContainerCreate.prepare(name="web", Image="a")
    (seen,) = peer.requests
    assert (seen.method, seen.target, seen.body) == (
        expected.method,
        expected.target,
        expected.body,
    )


def test_raw_sends_a_file_with_its_length(tmp_path):
    data = bytes(range(256)) * 300
    (tmp_path / "image.tar").write_bytes(data)
    with playing([answer(reply(200))], [answer(reply(200))]) as (peer, client):
        client.ImageLoad.raw(body=tmp_path / "image.tar").close()
        with (tmp_path / "image.tar").open("rb") as file:
            client.ImageLoad.raw(body=file).close()
    assert [each.body for each in peer.requests] == [data, data]
    assert {each.header("Content-Length") for each in peer.requests} == {str(len(data))}
    assert {each.chunks for each in peer.requests} == {None}


def test_raw_of_a_file_that_is_shorter_than_it_was_is_an_error(tmp_path):
    path = tmp_path / "image.tar"
    path.write_bytes(bytes(2_000_000))

    def shorten(connection):
        connection.peer.wait_for(connection.sock)
        os.truncate(path, 1000)

    shorter = pytest.raises(OSError, match="became shorter while it was sent")
    with playing([shorten, expect_head, expect_broken]) as (_, client), shorter:
        client.ImageLoad.raw(body=path)


def test_raw_is_not_decoded():
    packed = b"\x1f\x8b not really gzip"
    data = reply(200, packed, headers={"Content-Encoding": "gzip"})
    with playing([answer(data)]) as (_, client), client.ContainerExport.raw("web") as response:
        assert response.raw.read() == packed


def test_raw_comes_while_the_engine_is_still_sending():
    seen = [threading.Event(), threading.Event()]
    script = [
        answer(TAR_STREAM),
        wait(seen[0]),
        send(chunk(b"first")),
        wait(seen[1]),
        send(chunk(b"second") + chunk(b"")),
        OK,
    ]
    with playing(script) as (_, client):
        response = client.ImageGet.raw("a")
        assert response.status_code == 200
        pieces = response.iter_content(None)
        seen[0].set()
        assert next(pieces) == b"first"
        seen[1].set()
        assert list(pieces) == [b"second"]
        # It was read to its end: the connection is free for the next call.
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize(
    "unfinished",
    [[expect, send(TAR_STREAM + chunk(b"abc"))], [answer(reply(200, b"abc")[:-1])]],
    ids=["chunks", "Content-Length"],
)
def test_closing_early_ends_the_connection(unfinished):
    gone = threading.Event()
    with playing([*unfinished, silence, tell(gone)], [OK]) as (_, client):
        response = client.ImageGet.raw("a")
        response.close()
        assert gone.wait(PATIENCE)
        assert client.SystemPing() == "OK"


def test_closing_after_a_part_ends_the_connection():
    gone = threading.Event()
    script = [answer(TAR_STREAM + chunk(b"abc")), silence, tell(gone)]
    with playing(script, [OK]) as (_, client):
        with client.ImageGet.raw("a") as response:
            assert next(response.iter_content(2)) == b"ab"
        assert gone.wait(PATIENCE)
        assert client.SystemPing() == "OK"


def test_forgetting_it_ends_the_connection():
    """The caller has to close; but nothing may leak where it does not."""
    gone = threading.Event()
    with playing([answer(TAR_STREAM + chunk(b"abc")), silence, tell(gone)], [OK]) as (_, client):
        client.ImageGet.raw("a")
        assert gone.wait(PATIENCE)
        assert client.SystemPing() == "OK"


def test_a_stream_that_breaks_is_requests_error():
    with playing([answer(TAR_STREAM + chunk(b"abc")), hang_up], [OK]) as (_, client):
        response = client.ImageGet.raw("a")
        with pytest.raises(requests.RequestException):
            list(response.iter_content(None))
        assert client.SystemPing() == "OK"


def test_a_stream_that_is_reset_is_requests_error():
    script = [answer(TAR_STREAM + chunk(b"abc")), reset]
    with playing(script, [OK], kind="tcp") as (_, client):
        response = client.ImageGet.raw("a")
        with pytest.raises(requests.RequestException):
            list(response.iter_content(None))
        assert client.SystemPing() == "OK"


def test_many_streams_at_once_starve_no_call():
    stream = [answer(TAR_STREAM + chunk(b"abc")), silence]
    with playing(*[stream] * 15, [OK]) as (peer, client), contextlib.ExitStack() as streams:
        for _ in range(15):
            streams.enter_context(client.ImageGet.raw("a"))
        assert client.SystemPing() == "OK"
    assert peer.connections == 16


def test_closing_the_client_leaves_an_open_stream_alone():
    go_on = threading.Event()
    script = [answer(TAR_STREAM + chunk(b"abc")), wait(go_on), send(chunk(b"def") + chunk(b""))]
    with playing(script) as (_, client), client.ImageGet.raw("a") as response:
        client.close()
        go_on.set()
        assert response.content == b"abcdef"


# Operations that upgrade their connection, and streams

UPGRADES = {
    "ContainerAttach": (("web",), {"stream": True}),
    "ContainerAttachWebsocket": (("web",), {}),
    "ExecStart": (("1",), {}),
    "Session": ((), {}),
}

STREAMS = {
    "ContainerArchive": (("web",), {"path": "/"}),
    "ContainerExport": (("web",), {}),
    "ContainerLogs": (("web",), {"stdout": True}),
    "ContainerStats": (("web",), {}),
    "ImageBuild": ((), {"body": b""}),
    "ImageCreate": ((), {"fromImage": "a"}),
    "ImageGet": (("a",), {}),
    "ImageLoad": ((), {"body": b""}),
    "ImagePush": (("a",), {"X_Registry_Auth": {}}),
    "SystemEvents": ((), {}),
}

UPLOADS = ("ImageBuild", "ImageCreate", "ImageLoad")

NO_WEBSOCKETS = [name for name in UPGRADES if name != "ContainerAttachWebsocket"]


@pytest.mark.parametrize("name", NO_WEBSOCKETS)
@pytest.mark.parametrize("begin", [switching(), streaming(RAW)], ids=["101", "200"])
def test_raw_of_an_upgrade_is_both_ways(name, begin):
    """It never goes through the pool, which would take a 101 for an empty reply."""
    args, kwargs = UPGRADES[name]
    script = [answer(begin + b"early"), expect_rest(b"question"), send(b"answer"), hang_up]
    with playing(script, [OK]) as (_, client):
        with client.operations[name].raw(*args, **kwargs) as duplex:
            assert isinstance(duplex, RawDuplex)
            assert duplex.status in (101, 200)
            assert duplex.read(5) == b"early"
            duplex.write(b"question")
            duplex.close_stdin()
            assert duplex.read() == b"answer"
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize("name", NO_WEBSOCKETS)
def test_a_raw_upgrade_leaves_nothing_for_the_next_call(name):
    """Bytes behind a 101 are no reply to the next request."""
    args, kwargs = UPGRADES[name]
    gone = threading.Event()
    script = [answer(switching() + frame("stdout", b"x")), silence, tell(gone)]
    with playing(script, [OK, OK]) as (peer, client):
        client.operations[name].raw(*args, **kwargs).close()
        assert gone.wait(PATIENCE)
        assert client.SystemPing() == "OK"
        assert client.SystemPing() == "OK"
    assert peer.connections == 2


def test_raw_of_a_websocket_is_the_content_of_its_messages():
    script = [
        shake_hands(message(b"early")),
        expect_message(BINARY, b"question"),
        send(message(b"answer"), close_frame()),
        expect_message(CLOSE, b"\x03\xe8"),
        hang_up,
    ]
    with playing(script, [OK]) as (_, client):
        with client.ContainerAttachWebsocket.raw("web") as duplex:
            assert isinstance(duplex, RawDuplex)
            assert duplex.read1() == b"early"
            duplex.write(b"question")
            assert duplex.read() == b"answer"
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize("name", UPGRADES)
def test_raw_of_an_upgrade_that_is_refused_is_the_refusal(name):
    args, kwargs = UPGRADES[name]
    with playing([answer(reply(404, json={"message": "no such thing"}))], [OK]) as (_, client):
        with client.operations[name].raw(*args, **kwargs) as duplex:
            assert duplex.status == 404
            assert b"no such thing" in duplex.read()
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize("name", UPGRADES)
def test_raw_asks_for_the_upgrade_as_the_call_does(name):
    args, kwargs = UPGRADES[name]
    with playing([answer(reply(404))]) as (peer, client):
        operation = client.operations[name]
        operation.raw(*args, **kwargs).close()
        expected = operation.prepare(*args, **kwargs)
    (seen,) = peer.requests
    assert (seen.method, seen.target) == (expected.method, expected.target)
    assert seen.header("Connection") == "Upgrade"
    assert seen.header("Upgrade") == expected.headers["Upgrade"]


@pytest.mark.parametrize(("name", "arguments"), STREAMS.items(), ids=STREAMS)
def test_raw_of_other_streams_is_a_response(name, arguments):
    args, kwargs = arguments
    streamed = [answer(chunked(b"some", b"thing"))]
    # An upload has a connection of its own; that of others, read to their end, serves again.
    scripts = [streamed, [OK]] if name in UPLOADS else [[*streamed, OK]]
    with playing(*scripts) as (_, client):
        with client.operations[name].raw(*args, **kwargs) as response:
            assert isinstance(response, requests.Response)
            assert response.content == b"something"
        assert client.SystemPing() == "OK"


def test_what_streams_only_sometimes_is_a_value_the_other_times():
    steps = [answer(reply(json={"read": "now"})), answer(reply(200)), answer(reply(200))]
    with playing(steps) as (_, client):
        assert client.ContainerStats("web", stream=False).read == "now"
        assert client.ExecStart("1", Detach=True) is None
        assert isinstance(client.ExecStart.raw("1", Detach=True), requests.Response)


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("length", ["5, 6", "x", "-1"])
def test_a_length_where_no_body_follows_means_nothing(status, length):
    """RFC 9112, section 6.3; urllib3 would refuse two lengths, and leave the connection open."""
    with playing([answer(head(status, {"Content-Length": length})), OK], connections=1) as (
        peer,
        client,
    ):
        with client.SystemPing.raw() as response:
            assert (response.status_code, response.content) == (status, b"")
            assert response.headers["Content-Length"] == length
        assert client.SystemPing() == "OK"
    assert peer.connections == 1


def test_a_reply_that_cannot_be_wrapped_leaves_no_connection(monkeypatch):
    def fail(*_arguments):
        raise MemoryError

    monkeypatch.setattr("dynadock.transport.raw.as_requests_response", fail)
    with playing([OK, silence], [OK], connections=1) as (_, client):
        with pytest.raises(MemoryError):
            client.SystemPing.raw()
        assert client.SystemPing() == "OK"


def test_a_reply_that_is_closed_and_then_released_is_not_kept():
    """As an interruption right behind its end does: closed by the call, released by the file."""
    with playing([OK, silence], [OK], connections=1) as (peer, client):
        response = client.SystemPing.raw()
        driver = response.raw._fp._driver
        assert driver.read_all(None) == b"OK"
        driver.close()
        driver.release()
        assert not client._connector.pool._kept
        assert client.SystemPing() == "OK"
    assert peer.connections == 2
