"""Encoding, beyond the cases: binary bodies and whose headers win."""

from __future__ import annotations

import io

import pytest

from dynadock import BodyError, ParameterError, load
from dynadock.call.encode import TAR, USER_AGENT
from dynadock.wire.uploads import CHUNK

CLIENT = load("1.42", host="unix:///nowhere.sock")


def test_bytes_are_sent_as_they_are():
    request = CLIENT.ImageLoad.prepare(body=b"tar")
    assert request.body == b"tar"
    assert request.headers == {"User-Agent": USER_AGENT, "Content-Type": TAR}


@pytest.mark.parametrize(
    ("body", "chunks"),
    [
        (io.BytesIO(b"x" * (CHUNK + 1)), [b"x" * CHUNK, b"x"]),
        (io.BytesIO(b""), []),
        (iter([b"a", b"", b"b"]), [b"a", b"b"]),
        ([b"a", bytearray(b"b"), memoryview(b"c")], [b"a", b"b", b"c"]),
    ],
)
def test_streams_are_sent_in_chunks(body, chunks):
    request = CLIENT.ImageLoad.prepare(body=body)
    assert not isinstance(request.body, bytes)
    assert list(request.body) == chunks


def test_a_stream_is_not_touched_before_it_is_sent():
    file = io.BytesIO(b"tar")
    request = CLIENT.ImageLoad.prepare(body=file)
    assert file.tell() == 0
    assert b"".join(request.body) == b"tar"


def test_a_stream_that_gives_no_bytes():
    request = CLIENT.ImageLoad.prepare(body=iter([b"a", "b"]))
    with pytest.raises(TypeError, match="expected an iterator of bytes, it gave a str"):
        list(request.body)


def test_the_parameters_header_wins_over_the_bodys():
    request = CLIENT.ImageBuild.prepare(body=b"gz", Content_type="application/gzip")
    assert {k.lower(): v for k, v in request.headers.items()} == {
        "user-agent": USER_AGENT,
        "content-type": "application/gzip",
    }


def test_the_options_headers_win_over_all():
    client = CLIENT.with_options(headers={"USER-AGENT": "me", "content-type": "x/y"})
    assert client.ImageBuild.prepare(body=b"gz", Content_type="application/gzip").headers == {
        "USER-AGENT": "me",
        "content-type": "x/y",
    }


def test_the_options_query_comes_last():
    client = CLIENT.with_options(query={"limit": 2, "x": [1, 2]})
    assert client.ContainerList.prepare(limit=1).target.endswith("?limit=2&x=1&x=2")


@pytest.mark.parametrize(
    "query", [{"x": b"y"}, {"x": "\ud800"}, {"\ud800": "x"}, {"x": {"a": b"b"}}]
)
def test_a_query_that_cannot_be_written(query):
    with pytest.raises(ParameterError) as caught:
        CLIENT.with_options(query=query).SystemPing.prepare()
    assert [fault.location for fault in caught.value.faults] == ["query"]


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\n", "ä"])
def test_names_of_headers_that_are_none(name):
    with pytest.raises(ParameterError, match="headers"):
        CLIENT.with_options(headers={name: "x"}).SystemPing.prepare()


@pytest.mark.parametrize("value", [5, None, b"x", "a\r\nb", "a\0", "a\v", "a\x7f", "ü"])
def test_values_of_headers_that_are_none(value):
    with pytest.raises(ParameterError, match=r"headers\.X-A"):
        CLIENT.with_options(headers={"X-A": value}).SystemPing.prepare()


@pytest.mark.parametrize("name", ["Connection", "sec-websocket-key", "Transfer-Encoding"])
def test_headers_that_the_connection_makes_itself(name):
    with pytest.raises(ParameterError, match="the connection makes this header itself"):
        CLIENT.with_options(headers={name: "x"}).ContainerAttachWebsocket.prepare("web")


@pytest.mark.parametrize("name", ["Connection", "content-length", "Transfer-Encoding"])
def test_headers_of_a_document_that_the_connection_makes_itself(name):
    parameter = {"name": name, "in": "header", "type": "string"}
    operation = {"operationId": "ThingMake", "parameters": [parameter]}
    paths = {"/things": {"post": operation}}
    client = load({"swagger": "2.0", "info": {"version": "1.42"}, "paths": paths}, host="unix:///x")
    assert client.ThingMake.prepare()
    with pytest.raises(ParameterError, match="the connection makes this header itself") as caught:
        client.with_options(validate=False).ThingMake.prepare(**{name: "5"})
    assert caught.value.faults[0].place == name.replace("-", "_")


@pytest.mark.parametrize("validate", [True, False])
@pytest.mark.parametrize(
    "arguments", [{"all": 2**15_000}, {"limit": 2**15_000}, {"filters": {"id": 2**15_000}}]
)
def test_numbers_that_python_does_not_write(arguments, validate):
    with pytest.raises(ParameterError):
        CLIENT.with_options(validate=validate).ContainerList.prepare(**arguments)


@pytest.mark.parametrize("validate", [True, False])
def test_moments_and_bodies_that_python_does_not_write(validate):
    client = CLIENT.with_options(validate=validate)
    with pytest.raises(ParameterError):
        client.SystemEvents.prepare(since=2**15_000)
    with pytest.raises(ParameterError):
        client.ContainerStop.prepare("web", t=2**15_000)
    with pytest.raises(BodyError, match="cannot be written as JSON"):
        client.ContainerUpdate.prepare("web", body={"Memory": 2**15_000})


def test_two_of_the_same_call_are_equal():
    arguments = {"name": "web", "Image": "x", "HostConfig": {"Memory": 5}}
    one, other = (CLIENT.ContainerCreate.prepare(**arguments) for _ in range(2))
    assert one == other
