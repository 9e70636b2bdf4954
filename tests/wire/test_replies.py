"""What becomes of replies: values, outcomes and headers, however the bytes arrive."""

from __future__ import annotations

import base64
import gzip
import json
import threading

import pytest

from dynadock import NOT_MODIFIED, APIError, Headers, Record, Records
from wire.peer import (
    JSON,
    PATIENCE,
    answer,
    chunked,
    hang_up,
    head,
    in_pieces,
    playing,
    reply,
    send,
    silence,
    tell,
    wait,
)

TEXT = {"Content-Type": "text/plain"}
CLOSE = {"Connection": "close"}

LISTED = [{"Id": "1", "Names": ["/wéb"], "State": None}]
LIST = json.dumps(LISTED, ensure_ascii=False).encode()

PATH_STAT = {"name": "a", "size": 5, "mode": 420, "linkTarget": ""}
ENCODED_STAT = base64.b64encode(json.dumps(PATH_STAT).encode()).decode()

REPLIES = {
    "JSON list": ("ContainerList", reply(200, LIST, headers=JSON), LISTED),
    "JSON object": ("SystemInfo", reply(json={"ID": "1", "Newer": {"a": [1.5]}}), {
        "ID": "1",
        "Newer": {"a": [1.5]},
    }),
    "JSON text": ("SwarmInit", reply(json="abc"), "abc"),
    "JSON null": ("ContainerChanges", reply(json=None), None),
    "JSON with a charset": (
        "ContainerList",
        reply(200, b"[]", headers={"Content-Type": "application/json; charset=utf-8"}),
        [],
    ),
    "JSON with a line end": ("ContainerList", reply(200, b"[]\n", headers=JSON), []),
    "JSON under 201": ("VolumeCreate", reply(201, json={"Name": "v"}), {"Name": "v"}),
    "chunks": ("ContainerList", chunked(LIST[:5], LIST[5:]), LISTED),
    "chunks of one byte": ("ContainerList", chunked(*in_pieces(LIST, 1)), LISTED),
    "chunks with extensions and trailers": (
        "ContainerList",
        head(200, {**JSON, "Transfer-Encoding": "chunked"})
        + b"2;a=b\r\n[]\r\n0;x\r\nX-T: 1\r\n\r\n",
        [],
    ),
    "chunks without anything": ("NodeUpdate", chunked(), None),
    "text": ("SystemPing", reply(text="OK"), "OK"),
    "text in chunks": ("SystemPing", chunked(b"O", b"K", content_type="text/plain"), "OK"),
    "text that is no UTF-8": ("SystemPing", reply(200, b"\xff", headers=TEXT), "\ufffd"),
    "text where the document says JSON": ("SystemInfo", reply(text="{}"), "{}"),
    "nothing": ("NodeUpdate", reply(200), None),
    "nothing, declared as JSON": ("NodeUpdate", reply(200, headers=JSON), None),
    "nothing where the document says something": ("PluginDelete", reply(200), None),
    "nothing under 201": ("ImageTag", reply(201), None),
    "204": ("ContainerStart", reply(204), None),
    "304": ("ContainerStart", reply(304), NOT_MODIFIED),
    "304 with a type": ("ContainerStop", reply(304, headers=JSON), NOT_MODIFIED),
    "100 before it": ("ContainerList", b"HTTP/1.1 100 Continue\r\n\r\n" + chunked(LIST), LISTED),
}  # fmt: skip

# Objects and lists come as kinds of ours, which are equal to Python's own and show themselves.
OF_OURS = {dict: Record, list: Records}

ARGUMENTS = {
    "ContainerChanges": {"id": "web"},
    "ContainerStart": {"id": "web"},
    "ContainerStop": {"id": "web"},
    "ImageTag": {"name": "a"},
    "NodeUpdate": {"id": "n", "version": 1},
    "PluginDelete": {"name": "a"},
}


@pytest.mark.parametrize("case", REPLIES.values(), ids=REPLIES)
def test_a_reply_becomes_a_value(case):
    name, data, value = case
    # A second call over the same connection: the reply was read to its end and no further.
    with playing([answer(data), answer(data)]) as (_, client):
        operation = client.operations[name]
        first = operation(**ARGUMENTS.get(name, {}))
        second = operation(**ARGUMENTS.get(name, {}))
    assert first == second == value
    assert type(first) is OF_OURS.get(type(value), type(value))


def test_nothing_and_not_modified_can_be_told_apart():
    with playing([answer(reply(204)), answer(reply(304))]) as (_, client):
        started, again = client.ContainerStart("web"), client.ContainerStart("web")
    assert started is None
    assert again is NOT_MODIFIED


@pytest.mark.parametrize("size", range(1, 40))
def test_chunks_may_arrive_in_any_pieces(size):
    data = chunked(LIST[:7], LIST[7:8], LIST[8:])
    with playing([answer(*in_pieces(data, size)), answer(reply(text="OK"))]) as (_, client):
        assert client.ContainerList() == LISTED
        assert client.SystemPing() == "OK"


def test_a_head_may_arrive_byte_by_byte():
    with playing([answer(*in_pieces(reply(json=LISTED), 1))]) as (_, client):
        assert client.ContainerList() == LISTED


def test_a_large_reply_arrives_whole():
    many = [{"Id": f"{number:064x}", "Labels": {"a": "é" * 50}} for number in range(5000)]
    data = json.dumps(many).encode()
    with playing([answer(chunked(*in_pieces(data, 32768)))]) as (_, client):
        assert client.ContainerList(all=True) == many


@pytest.mark.parametrize("fields", [{**JSON, **CLOSE}, JSON], ids=["Connection: close", "HTTP/1.0"])
def test_a_reply_may_end_with_its_connection(fields):
    data = head(200, fields) + LIST
    if "Connection" not in fields:
        data = data.replace(b"HTTP/1.1", b"HTTP/1.0")
    with playing([answer(data), hang_up], [answer(reply(text="OK"))]) as (_, client):
        assert client.ContainerList() == LISTED
        assert client.SystemPing() == "OK"


def test_records_reach_to_the_bottom():
    tree = {"State": {"Health": {"Log": [{"ExitCode": 1}]}}}
    with playing([answer(reply(json=tree))]) as (_, client):
        found = client.ContainerInspect("web")
    assert found.State.Health.Log[0].ExitCode == 1


# HEAD


def test_a_reply_to_head_is_its_headers():
    fields = {"X-Docker-Container-Path-Stat": ENCODED_STAT, "Content-Length": "12345"}
    steps = [answer(head(200, fields)), answer(reply(text="OK"))]
    with playing(steps) as (peer, client):
        found = client.ContainerArchiveInfo("web", path="/a")
        # There is no body to wait for, whatever Content-Length says.
        assert client.SystemPing() == "OK"
    assert peer.requests[0].method == "HEAD"
    assert isinstance(found, Headers)
    assert found.X_Docker_Container_Path_Stat == PATH_STAT
    assert found["x-docker-container-path-stat"].size == 5
    assert found["Content-Length"] == "12345"


def test_a_ping_by_head():
    fields = {"Api-Version": "1.42", "Docker-Experimental": "false", "Content-Length": "0"}
    with playing([answer(head(200, fields))]) as (_, client):
        assert client.SystemPingHead() == fields


@pytest.mark.parametrize("value", ["%%%", "AAAA", "e30", ""], ids=repr)
def test_an_encoded_header_that_is_broken_is_an_error_of_ours(value):
    """``e30`` lacks its padding."""
    fields = {"X-Docker-Container-Path-Stat": value}
    with playing([answer(head(200, fields))]) as (_, client):
        with pytest.raises(APIError, match="X-Docker-Container-Path-Stat") as caught:
            client.ContainerArchiveInfo("web", path="/a")
        assert caught.value.status == 200


# Broken replies


@pytest.mark.parametrize(
    "body",
    [b"{", b"[1,]", b"<html>", b"\xff\xfe", b"[" * 100_000, b"{} {}"],
    ids=["cut", "comma", "HTML", "no UTF-8", "deep", "two"],
)
def test_broken_json_is_an_error_of_ours(body):
    steps = [answer(reply(200, body, headers=JSON)), answer(reply(text="OK"))]
    with playing(steps) as (_, client):
        with pytest.raises(APIError, match=r"to be JSON and is not|nested deeper than") as caught:
            client.ContainerList()
        assert caught.value.body == body
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status):
    """Engines answer 301 to paths that they would clean up; a POST would become a GET."""
    moved = reply(status, text="Moved", headers={"Location": "/v1.42/_ping"})
    with playing([answer(moved), answer(moved), answer(reply(text="OK"))]) as (peer, client):
        for call in (lambda: client.ContainerInspect("web"), lambda: client.ContainerStart("web")):
            with pytest.raises(APIError, match=str(status)) as caught:
                call()
            assert caught.value.status == status
        assert client.SystemPing() == "OK"
    assert [each.method for each in peer.requests] == ["GET", "POST", "GET"]


def test_what_comes_after_a_reply_is_not_the_next_one():
    late = reply(json=[{"Id": "not asked for"}])
    read, sent = threading.Event(), threading.Event()
    steps = [answer(reply(json=[])), wait(read), send(late), tell(sent)]
    with playing(steps, [answer(reply(json=LISTED))]) as (_, client):
        assert client.ContainerList() == []
        read.set()
        assert sent.wait(PATIENCE)
        assert client.ContainerList() == LISTED


def test_what_comes_together_with_a_reply_is_not_the_next_one():
    both = reply(json=[]) + reply(json=[{"Id": "not asked for"}])
    with playing([answer(both), silence], [answer(reply(json=LISTED))]) as (_, client):
        assert client.ContainerList() == []
        assert client.ContainerList() == LISTED


def test_a_page_in_place_of_json_is_an_error():
    page = reply(200, b"<html>log in</html>", headers={"Content-Type": "text/html"})
    with (
        playing([answer(page)]) as (_, client),
        pytest.raises(APIError, match="an HTML page came"),
    ):
        client.SystemInfo()


def test_a_compressed_reply_is_read():
    packed = reply(200, gzip.compress(LIST), headers={**JSON, "Content-Encoding": "gzip"})
    with playing([answer(packed)]) as (_, client):
        assert client.ContainerList() == LISTED
