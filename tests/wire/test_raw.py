"""Raw replies: requests' own Response, unread, and what it does to the connections."""

from __future__ import annotations

import contextlib
import threading

import pytest
import requests

from dynadock import Unsupported
from wire.peer import (
    PATIENCE,
    answer,
    chunk,
    chunked,
    expect,
    hang_up,
    head,
    playing,
    reply,
    reset,
    send,
    silence,
    tell,
    wait,
)

STREAM = head(200, {"Content-Type": "application/x-tar", "Transfer-Encoding": "chunked"})
OK = answer(reply(text="OK"))


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


def test_raw_is_not_decoded():
    packed = b"\x1f\x8b not really gzip"
    data = reply(200, packed, headers={"Content-Encoding": "gzip"})
    with playing([answer(data)]) as (_, client), client.ContainerExport.raw("web") as response:
        assert response.raw.read() == packed


def test_raw_comes_while_the_engine_is_still_sending():
    seen = [threading.Event(), threading.Event()]
    script = [
        answer(STREAM),
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
    [[expect, send(STREAM + chunk(b"abc"))], [answer(reply(200, b"abc")[:-1])]],
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
    script = [answer(STREAM + chunk(b"abc")), silence, tell(gone)]
    with playing(script, [OK]) as (_, client):
        with client.ImageGet.raw("a") as response:
            assert next(response.iter_content(2)) == b"ab"
        assert gone.wait(PATIENCE)
        assert client.SystemPing() == "OK"


def test_forgetting_it_ends_the_connection():
    """Who opens closes; but nothing may leak from those who do not."""
    gone = threading.Event()
    with playing([answer(STREAM + chunk(b"abc")), silence, tell(gone)], [OK]) as (_, client):
        client.ImageGet.raw("a")
        assert gone.wait(PATIENCE)
        assert client.SystemPing() == "OK"


def test_a_stream_that_breaks_is_requests_error():
    with playing([answer(STREAM + chunk(b"abc")), hang_up], [OK]) as (_, client):
        response = client.ImageGet.raw("a")
        with pytest.raises(requests.RequestException):
            list(response.iter_content(None))
        assert client.SystemPing() == "OK"


def test_a_stream_that_is_reset_is_requests_error():
    script = [answer(STREAM + chunk(b"abc")), reset]
    with playing(script, [OK], kind="tcp") as (_, client):
        response = client.ImageGet.raw("a")
        with pytest.raises(requests.RequestException):
            list(response.iter_content(None))
        assert client.SystemPing() == "OK"


def test_many_streams_at_once_starve_no_call():
    stream = [answer(STREAM + chunk(b"abc")), silence]
    with playing(*[stream] * 15, [OK]) as (peer, client), contextlib.ExitStack() as streams:
        for _ in range(15):
            streams.enter_context(client.ImageGet.raw("a"))
        assert client.SystemPing() == "OK"
    assert peer.connections == 16


def test_closing_the_client_leaves_an_open_stream_alone():
    go_on = threading.Event()
    script = [answer(STREAM + chunk(b"abc")), wait(go_on), send(chunk(b"def") + chunk(b""))]
    with playing(script) as (_, client), client.ImageGet.raw("a") as response:
        client.close()
        go_on.set()
        assert response.content == b"abcdef"


# What cannot be had

UPGRADES = {
    "ContainerAttach": ("web",),
    "ContainerAttachWebsocket": ("web",),
    "ExecStart": ("1",),
    "Session": (),
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


@pytest.mark.parametrize(("name", "args"), UPGRADES.items(), ids=UPGRADES)
def test_upgrades_are_refused_before_anything_is_sent(name, args):
    with playing() as (_, client):
        operation = client.operations[name]
        for call in (operation, operation.raw):
            with pytest.raises(Unsupported, match=name) as caught:
                call(*args)
            assert "raw(" not in str(caught.value)


@pytest.mark.parametrize(("name", "arguments"), STREAMS.items(), ids=STREAMS)
def test_streams_are_to_be_had_raw_only(name, arguments):
    args, kwargs = arguments
    with playing([answer(chunked(b"some", b"thing"))]) as (peer, client):
        operation = client.operations[name]
        with pytest.raises(Unsupported, match=rf"{name}\.raw\("):
            operation(*args, **kwargs)
        assert peer.connections == 0
        with operation.raw(*args, **kwargs) as response:
            assert response.content == b"something"


def test_what_streams_only_sometimes_is_a_value_the_other_times():
    steps = [answer(reply(json={"read": "now"})), answer(reply(200))]
    with playing(steps) as (_, client):
        assert client.ContainerStats("web", stream=False).read == "now"
        assert client.ExecStart("1", Detach=True) is None
