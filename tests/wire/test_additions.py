"""What every request gets: the path of the engine's address, and the configuration's headers."""

from __future__ import annotations

import logging
import os

import pytest

from docker_config import write_config
from dynadock import ConfigError, DynadockWarning, VersionError, load
from secret_values import SECRET, is_told_by
from tracebacks import check_hidden
from wire.peer import (
    CREATED,
    OK,
    Peer,
    answer,
    expect,
    finish_sending,
    hang_up,
    message,
    playing,
    reply,
    send,
    shake_hands,
    streaming,
    switching,
)

EVENTS = [answer(streaming("application/json") + b'{"Type": "x"}\n'), hang_up]
UPGRADE = [expect, send(switching()), finish_sending]
CALLS = {
    "value": ([OK], lambda client: client.SystemPing()),
    "body": ([CREATED], lambda client: client.ContainerCreate(Image="a")),
    "upload": ([OK], lambda client: client.PutContainerArchive("web", path="/", body=b"x")),
    "stream": (EVENTS, lambda client: [*client.SystemEvents()]),
    "upgrade": (
        UPGRADE,
        lambda client: (
            client.with_options(tty=False).ContainerAttach("web", stream=True, stdin=True).close()
        ),
    ),
    "raw upgrade": (
        UPGRADE,
        lambda client: client.ContainerAttach.raw("web", stream=True, stdin=True).close(),
    ),
    "websocket": (
        [shake_hands(message(b"x")), hang_up],
        lambda client: client.ContainerAttachWebsocket("web", stream=True).close(),
    ),
    "raw": ([OK], lambda client: client.SystemPing.raw().close()),
}

each_call = pytest.mark.parametrize(("script", "call"), CALLS.values(), ids=CALLS)


@pytest.fixture
def configure(tmp_path, monkeypatch):
    """Write a configuration, and have it."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return lambda config: write_config(tmp_path, config)


# A path


@each_call
def test_every_request_begins_with_the_path(script, call):
    with Peer(script, kind="tcp") as peer:
        client = load("1.42", host=f"{peer.address}/behind/a%20proxy/")
        with client:
            call(client)
    (seen,) = peer.requests
    assert seen.target.startswith("/behind/a%20proxy/v1.42/")
    assert seen.header("Host") == peer.address.removeprefix("tcp://")


def test_versions_are_asked_for_below_the_path():
    ping = answer(reply(text="OK", headers={"Api-Version": "1.42"}))
    version = answer(reply(json={"MinAPIVersion": "1.24"}))
    with Peer([ping, version], kind="tcp") as peer, load(host=f"{peer.address}/x") as client:
        assert client.version == "1.42"
        assert client.ContainerList.prepare().target == "/x/v1.42/containers/json"
    assert [each.target for each in peer.requests] == ["/x/_ping", "/x/version"]


def test_a_version_that_is_refused_is_found_out_below_the_path():
    newer = {"Api-Version": "1.30"}
    script = [
        answer(reply(400, json={"message": "too new"}, headers=newer)),
        answer(reply(text="OK", headers=newer)),
        answer(reply(json={"MinAPIVersion": "1.24"})),
    ]
    with (
        Peer(script, kind="tcp") as peer,
        load("1.42", host=f"{peer.address}/x") as client,
        pytest.raises(VersionError, match=r"1\.24 to 1\.30"),
    ):
        client.ContainerList()
    assert [each.target for each in peer.requests[1:]] == ["/x/_ping", "/x/version"]


def test_the_raw_reply_names_the_whole_address():
    with (
        Peer([OK], kind="tcp") as peer,
        load("1.42", host=f"{peer.address}/x") as client,
        client.SystemPing.raw() as response,
    ):
        assert response.url == f"{peer.address.replace('tcp', 'http')}/x/v1.42/_ping"


# Headers

HEADERS = {
    "X-Mine": SECRET,
    "x-other": "2",
    "User-Agent": "other",
    "content-type": "text/odd",
    "Host": "elsewhere",
    "Connection": "close",
    "Content-Length": "7",
}


@each_call
def test_every_request_has_the_headers(script, call, configure, caplog):
    """As with the docker command: not in place of what the request has, or the connection makes."""
    caplog.set_level(logging.DEBUG, "dynadock")
    configure({"HttpHeaders": HEADERS})
    with playing(script) as (peer, client):
        call(client)
    (seen,) = peer.requests
    assert (seen.header("X-Mine"), seen.header("x-other")) == (SECRET, "2")
    assert seen.header("User-Agent").startswith("dynadock/")
    assert seen.header("Host") == "localhost"
    assert seen.header("Connection") in (None, "Upgrade")
    assert seen.header("Content-Length") != "7"
    assert caplog.messages
    assert not is_told_by(caplog.text)


def test_a_requests_own_headers_count(configure):
    configure({"HttpHeaders": {**HEADERS, "x-Same": "1", "X-same": "2"}})
    client = load("1.42", headers={"x-mine": "from me"})
    request = client.ContainerCreate.prepare(Image="a")
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["x-mine"] == "from me"
    assert "X-Mine" not in request.headers
    assert {name: value for name, value in request.headers.items() if name.lower() == "x-same"} == {
        "X-same": "2"
    }
    assert client.ContainerList.prepare().headers["content-type"] == "text/odd"


def test_they_are_asked_with_too(configure):
    configure({"HttpHeaders": {"X-Mine": "1"}})
    ping = answer(reply(text="OK", headers={"Api-Version": "1.42"}))
    version = answer(reply(json={"MinAPIVersion": "1.24"}))
    with Peer([ping, version]) as peer, load(host=peer.address):
        pass
    assert [each.header("X-Mine") for each in peer.requests] == ["1", "1"]


def test_they_are_not_shown(configure):
    configure({"HttpHeaders": {"X-Mine": SECRET, "X-Blue": SECRET}})
    with playing([OK]) as (_, client):
        request = client.ContainerList.prepare()
        with client.SystemPing.raw() as response:
            shown = [repr(request), str(request.shown_headers), repr(response.request.headers)]
        shown += [repr(client), repr(client._connector._additions)]
    assert request.headers["X-Blue"] == SECRET
    assert [text for text in shown if is_told_by(text)] == []


FAULTS = {
    "a name": ({"a b": SECRET}, "'a b': this is not the name of a header"),
    "a line break": ({"X-A": f"{SECRET}\r\nX-B: 1"}, "'X-A': expected text without line breaks"),
    "no ASCII": ({"X-A": f"{SECRET}é"}, "'X-A': expected ASCII text"),
    "no text": ({"X-A": [SECRET]}, "'X-A' is not text"),
    "no object": ([SECRET], "'HttpHeaders' is not an object"),
    "two": ({"a b": "", "X-A": "\0"}, "'a b': this is not .*; 'X-A': expected text without"),
}


@pytest.mark.parametrize(("headers", "problem"), FAULTS.values(), ids=FAULTS)
def test_what_cannot_be_sent(headers, problem, configure):
    configure({"HttpHeaders": headers})
    with pytest.raises(ConfigError, match=problem) as caught:
        load("1.42", host="unix:///nowhere.sock").ContainerList()
    assert "config.json" in str(caught.value)
    check_hidden(caught.value)


def test_a_configuration_that_cannot_be_read_is_warned_of_once(configure):
    """The docker command does so; a call by ``host=`` may need nothing of it."""
    configure("{damaged")
    with playing([OK, OK]) as (_, client):
        with pytest.warns(DynadockWarning, match=r"no HttpHeaders are sent: .*not JSON") as caught:
            assert client.SystemPing() == "OK"
        assert client.SystemPing() == "OK"
    assert [each.filename for each in caught] == [__file__]


def test_no_configuration_is_no_matter(configure, tmp_path, monkeypatch):
    configure(None)
    assert load("1.42").ContainerList.prepare()
    monkeypatch.setenv("DOCKER_CONFIG", f"{os.devnull}/none")
    assert load("1.42").ContainerList.prepare()
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "none"))
    assert load("1.42").ContainerList.prepare()
