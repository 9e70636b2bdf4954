"""What goes over the wire: the bytes that `prepare` promised, over as few connections as can be."""

from __future__ import annotations

import io
import json
import re

import pytest

from dynadock import BodyError, NotFound, UnknownFieldWarning
from dynadock.wire.uploads import CHUNK
from wire.peer import CREATED, answer, chunked, expect_broken, playing, reply

FRAMING = {"host", "accept-encoding", "content-length", "transfer-encoding"}
"""Headers that HTTP itself adds to those of a Request."""

DONE = answer(reply(200))
LISTED = answer(reply(json=[]))

TAR = bytes(range(256)) * 1000

CALLS = {
    "query in the order of the arguments": (
        "ContainerList",
        (),
        {"size": True, "all": False, "limit": 3, "filters": {"label": ["a=b"], "status": "paused"}},
    ),
    "name in UTF-8": ("ContainerInspect", ("wéb ✓",), {}),
    "name that needs quotes": ("ContainerInspect", ("a b?c#d%20e;f",), {}),
    "image's name with registry, slashes and tag": ("ImageInspect", ("reg:5000/a/b:c",), {}),
    "digest": ("ImageInspect", ("a@sha256:0f",), {}),
    "query that needs quotes": ("ContainerTop", ("web",), {"ps_args": "-o a=b&c;d +é\n%41"}),
    "body in UTF-8": (
        "ContainerCreate",
        (),
        {"name": "web", "Image": "é", "Labels": {"✓": '"\\\n'}, "HostConfig": {"Memory": 2**40}},
    ),
    "body that is null in places": (
        "NetworkConnect",
        ("net",),
        {"body": {"Container": "web", "EndpointConfig": None}},
    ),
    "empty body": ("NodeUpdate", ("n",), {"version": 7}),
    "POST without a body": ("ContainerStart", ("web",), {}),
    "DELETE": ("ContainerDelete", ("web",), {"force": True, "v": True}),
    "HEAD": ("ContainerArchiveInfo", ("web",), {"path": "/a b"}),
    "PUT of bytes": ("PutContainerArchive", ("web",), {"path": "/", "body": TAR}),
    "PUT of no bytes": ("PutContainerArchive", ("web",), {"path": "/", "body": b""}),
    "header parameter": (
        "ServiceUpdate",
        ("web",),
        {"version": 2**40, "Name": "web", "X_Registry_Auth": {"username": "u?>", "password": "p"}},
    ),
}


@pytest.mark.parametrize("case", CALLS.values(), ids=CALLS)
def test_a_call_sends_what_prepare_says(case):
    name, args, kwargs = case
    with playing([DONE]) as (peer, client):
        operation = client.operations[name]
        expected = operation.prepare(*args, **kwargs)
        operation(*args, **kwargs)
    (seen,) = peer.requests
    assert (seen.method, seen.target) == (expected.method, expected.target)
    assert seen.body == (expected.body or b"")
    sent = {header: value for header, value in seen.headers if header.lower() not in FRAMING}
    assert sent == expected.headers
    # What has a length says so, unless there is none and the method needs none.
    length = seen.header("Content-Length")
    assert length == (str(len(seen.body)) if seen.method in ("POST", "PUT") or seen.body else None)
    assert seen.chunks is None


def test_the_bytes_of_a_small_request():
    with playing([LISTED]) as (peer, client):
        client.with_options(headers={"X-One": "1"}).ContainerList(all=True)
        user_agent = client.ContainerList.prepare().headers["User-Agent"]
    assert peer.requests[0].head == (
        b"GET /v1.42/containers/json?all=true HTTP/1.1\r\n"
        b"Host: localhost\r\n"
        b"Accept-Encoding: identity\r\n"
        b"User-Agent: %b\r\n"
        b"X-One: 1\r\n\r\n"
    ) % user_agent.encode("ascii")


def test_the_bytes_of_a_request_with_a_body():
    with playing([answer(reply(201, json={"Id": "1"}))]) as (peer, client):
        client.VolumeCreate(Name="v", Labels={"a": "ü"})
        (seen,) = peer.requests
    assert json.loads(seen.body) == {"Name": "v", "Labels": {"a": "ü"}}
    assert seen.header("Content-Type") == "application/json"


def test_a_repeated_key():
    with playing([answer(reply(200, b"tar"))]) as (peer, client):
        with client.ImageGetAll.raw(names=["a:1", "b&c"]) as response:
            assert response.content == b"tar"
        expected = client.ImageGetAll.prepare(names=["a:1", "b&c"]).target
    assert peer.requests[0].target == expected == "/v1.42/images/get?names=a%3A1&names=b%26c"


def test_no_newline_gets_into_the_head():
    with playing([DONE]) as (peer, client):
        loose = client.with_options(validate=False, query={"x\r\nX-Bad": "1\r\nX-Bad: 1"})
        loose.ContainerList(limit="1 HTTP/1.1\r\nX-Bad: 1")
    (seen,) = peer.requests
    assert seen.header("X-Bad") is None
    assert seen.target.startswith("/v1.42/containers/json?limit=1%20HTTP%2F1.1%0D%0AX-Bad%3A%201&")


# Bodies that are read while they are sent


def _generated(*chunks):
    return (each for each in chunks)


STREAMS = {
    "generator": (lambda: _generated(b"ab", b"c" * 70000), (b"ab", b"c" * 70000)),
    "list": (lambda: [b"ab", b"cd"], (b"ab", b"cd")),
    "empty pieces": (lambda: [b"", b"ab", b"", b"cd", b""], (b"ab", b"cd")),
    "nothing": (lambda: iter([]), ()),
    "views and arrays": (lambda: [bytearray(b"ab"), memoryview(b"cd")], (b"ab", b"cd")),
    "file": (lambda: io.BytesIO(b"x" * (CHUNK + 9)), (b"x" * CHUNK, b"x" * 9)),
    "file, read in part": (lambda: _at(io.BytesIO(b"abcdef"), 2), (b"cdef",)),
    "empty file": (lambda: io.BytesIO(b""), ()),
    "lines that look like chunks": (lambda: [b"0\r\n\r\n", b"\r\n"], (b"0\r\n\r\n", b"\r\n")),
}


def _at(file, position):
    file.seek(position)
    return file


@pytest.mark.parametrize(("make", "chunks"), STREAMS.values(), ids=STREAMS)
def test_a_stream_is_sent_in_chunks(make, chunks):
    with playing([DONE]) as (peer, client):
        client.PutContainerArchive("web", path="/", body=make())
        prepared = client.PutContainerArchive.prepare("web", path="/", body=make())
    (seen,) = peer.requests
    assert seen.chunks == chunks
    assert seen.header("Transfer-Encoding") == "chunked"
    assert seen.header("Content-Length") is None
    assert seen.header("Content-Type") == "application/x-tar"
    assert b"".join(prepared.body) == seen.body


def test_a_file_from_disk_is_sent_and_left_open(tmp_path):
    path = tmp_path / "a.tar"
    path.write_bytes(TAR)
    with playing([DONE]) as (peer, client), path.open("rb") as file:
        client.PutContainerArchive("web", path="/", body=file)
        assert not file.closed
        assert file.read() == b""
    assert peer.requests[0].body == TAR


def test_bytes_and_views_have_a_length():
    with playing([DONE], [DONE]) as (peer, client):
        client.PutContainerArchive("web", path="/", body=bytearray(b"abc"))
        client.PutContainerArchive("web", path="/", body=memoryview(b"abc"))
    assert [(each.body, each.header("Content-Length")) for each in peer.requests] == [
        (b"abc", "3"),
        (b"abc", "3"),
    ]


class _Broken(Exception):
    pass


def _breaking(error):
    yield b"abc"
    raise error


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "error",
    [
        _Broken("mine"),
        FileNotFoundError(2, "mine"),
        PermissionError(13, "mine"),
        TimeoutError("mine"),
        ConnectionResetError(104, "mine"),
        BrokenPipeError(32, "mine"),
        OSError(5, "mine"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_stream_that_breaks_is_its_owners_error(error):
    """What the caller's own iterator raises is no fault of the connection."""
    with playing([expect_broken], [DONE]) as (peer, client):
        with pytest.raises(type(error), match="mine") as caught:
            client.PutContainerArchive("web", path="/", body=_breaking(error))
        assert caught.value is error
        client.PutContainerArchive("web", path="/", body=[b"whole"])
    # An engine has to see that this was not all of it.
    assert peer.broken[0].endswith(b"3\r\nabc\r\n")
    assert peer.requests[0].body == b"whole"


@pytest.mark.parametrize(
    "body", [[1, 2], ["a"], [b"a", "b"], [None]], ids=["integers", "text", "a text", "nothing"]
)
def test_a_stream_of_something_else_is_refused(body):
    """``bytes(5)`` would be five zeros."""
    with playing() as (_, client), pytest.raises(BodyError, match="bytes"):
        client.PutContainerArchive("web", path="/", body=body)


def test_a_stream_that_turns_out_to_be_something_else_is_not_completed():
    with playing([expect_broken]) as (peer, client), pytest.raises(TypeError, match="bytes"):
        client.PutContainerArchive("web", path="/", body=_generated(b"abc", 5))
    assert peer.broken[0].endswith(b"3\r\nabc\r\n")


@pytest.mark.timeout(20)
def test_a_text_file_is_refused(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("abc")
    with (
        path.open(encoding="utf-8") as file,
        playing() as (_, client),
        pytest.raises(BodyError, match="binary"),
    ):
        client.PutContainerArchive("web", path="/", body=file)


# Options


def test_options_add_headers_and_query():
    with playing([LISTED, LISTED], headers={"X-One": "1"}) as (peer, client):
        other = client.with_options(headers={"X-Two": "2"}, query={"new": ["a", "b"], "n": 1})
        other.ContainerList(all=True)
        client.ContainerList()
    first, second = peer.requests
    assert first.target == "/v1.42/containers/json?all=true&new=a&new=b&n=1"
    assert (first.header("X-One"), first.header("X-Two")) == ("1", "2")
    assert second.target == "/v1.42/containers/json"
    assert (second.header("X-One"), second.header("X-Two")) == ("1", None)


@pytest.mark.parametrize(
    ("name", "value"),
    [("User-Agent", "mine/1"), ("user-agent", "mine/1"), ("Host", "me"), ("accept-encoding", "x")],
)
def test_a_header_of_the_options_replaces_one_of_ours(name, value):
    with playing([LISTED], headers={name: value}) as (peer, client):
        client.ContainerList()
    assert peer.requests[0].header(name) == value


def test_a_content_type_of_the_options_replaces_ours():
    with playing([DONE]) as (peer, client):
        plain = client.with_options(headers={"content-type": "application/gzip"})
        plain.PutContainerArchive("web", path="/", body=b"abc")
    assert peer.requests[0].header("Content-Type") == "application/gzip"


def test_unchecked_arguments_go_as_they_are():
    with playing([LISTED, CREATED], validate=False) as (peer, client):
        client.ContainerList(all="perhaps", limit="ten", newer=[1, 2])
        client.ContainerCreate(body={"Imaeg": 5})
    assert peer.requests[0].target == (
        "/v1.42/containers/json?all=perhaps&limit=ten&newer=1&newer=2"
    )
    assert json.loads(peer.requests[1].body) == {"Imaeg": 5}


def test_unknown_things_are_sent_when_asked_for():
    with playing([LISTED, CREATED], unknown="send") as (peer, client):
        client.ContainerList(newer=True)
        client.ContainerCreate(Image="a", HostConfig={"Newer": {"a": 1}}, Newest=1)
    assert peer.requests[0].target == "/v1.42/containers/json?newer=true"
    assert json.loads(peer.requests[1].body) == {
        "Image": "a",
        "HostConfig": {"Newer": {"a": 1}},
        "Newest": 1,
    }


def test_unknown_things_are_sent_with_a_warning_when_asked_for():
    with playing([LISTED, CREATED], unknown="warn") as (peer, client):
        with pytest.warns(UnknownFieldWarning, match="newer") as caught:
            client.ContainerList(newer=True)
        # A warning points at the line that it is about.
        assert [each.filename for each in caught] == [__file__]
        with pytest.warns(UnknownFieldWarning, match=r"HostConfig\.Newer") as caught:
            client.ContainerCreate(Image="a", HostConfig={"Newer": 1})
        assert [each.filename for each in caught] == [__file__]
    assert peer.requests[0].target == "/v1.42/containers/json?newer=true"
    assert json.loads(peer.requests[1].body) == {"Image": "a", "HostConfig": {"Newer": 1}}


def test_wrong_arguments_open_no_connection():
    with playing() as (_, client):
        with pytest.raises(ValueError, match="al: unknown parameter"):
            client.ContainerList(al=True)
        with pytest.raises(ValueError, match="Imaeg"):
            client.ContainerCreate(Imaeg="a")
        with pytest.raises(ValueError, match="X-Bad"):
            client.with_options(headers={"X-Bad": "a\r\nb"}).ContainerList()


# Connections


def test_one_connection_serves_call_after_call():
    steps = [
        answer(reply(text="OK")),
        answer(chunked(b"[", b"]")),
        answer(reply(204)),
        answer(reply(304)),
        answer(reply(404, json={"message": "no"})),
        answer(reply(200, headers={"Content-Length": "5"})),
        CREATED,
    ]
    with playing(steps) as (peer, client):
        client.SystemPing()
        client.ContainerList()
        client.ContainerStart("web")
        client.ContainerStart("web")
        with pytest.raises(NotFound):
            client.ContainerInspect("web")
        client.ContainerArchiveInfo("web", path="/")
        client.ContainerCreate(Image="a")
    assert len(peer.requests) == 7


def test_versions_and_options_share_connections():
    with playing([answer(reply(text="OK"))] * 3) as (peer, client):
        client.SystemPing()
        client.at("1.30").SystemPing()
        client.with_options(timeout=5).SystemPing()
    assert [each.target for each in peer.requests] == [
        "/v1.42/_ping",
        "/v1.30/_ping",
        "/v1.42/_ping",
    ]


def test_a_host_header_names_the_engine():
    with playing([answer(reply(text="OK"))], kind="tcp") as (peer, client):
        client.SystemPing()
        assert peer.requests[0].header("Host") == peer.address.removeprefix("tcp://")


def test_the_user_agent_says_who_calls():
    with playing([answer(reply(text="OK"))]) as (peer, client):
        client.SystemPing()
    assert re.fullmatch(r"dynadock/\d+\.\d+\.\d+", peer.requests[0].header("User-Agent"))
