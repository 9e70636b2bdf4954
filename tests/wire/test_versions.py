"""Which version is spoken: asked for, agreed upon, or refused."""

from __future__ import annotations

import threading

import pytest

import dynadock
from documents import NEWEST, NEXT, OLDEST, SPAN
from dynadock import (
    BadRequest,
    ConnectionLost,
    DynadockError,
    ParameterError,
    SocketMissing,
    SpecError,
    TransportError,
    VersionError,
    load,
)
from dynadock.call.encode import USER_AGENT
from wire.peer import OK, PATIENCE, Peer, answer, expect, hang_up, head, playing, reply, tell

MISSING = object()


def ping(newest, status=200):
    fields = {} if newest is MISSING else {"Api-Version": newest}
    return answer(reply(status, text="OK", headers=fields))


def version(oldest, status=200):
    tree = {"Version": "99"} if oldest is MISSING else {"MinAPIVersion": oldest}
    return answer(reply(status, json=tree))


def targets(peer):
    return [each.target for each in peer.requests]


# An explicit version


def test_an_explicit_version_asks_nothing():
    with playing() as (peer, client):
        repr(client), dir(client), client.endpoint, client.version
        client.ContainerList.prepare(all=True)
        client.at("1.30").with_options(timeout=1).ContainerCreate.prepare(Image="a")
        assert peer.connections == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.ContainerList(),
        lambda client: client.ContainerCreate(Image="a"),
        lambda client: client.ContainerDelete("web"),
        lambda client: client.SystemPingHead(),
    ],
    ids=["GET", "POST", "DELETE", "HEAD"],
)
def test_the_first_call_is_one_request(call):
    fine = answer(head(200, {"Api-Version": "1.42", "Content-Length": "0"}))
    with playing([fine]) as (peer, client):
        call(client)
    assert len(peer.requests) == 1


def test_an_engine_that_names_no_versions_is_taken_to_speak_ours():
    with playing([answer(reply(json=[]))]) as (_, client):
        assert client.ContainerList() == []


TOO_NEW = "client version 1.42 is too new. Maximum supported API version is 1.41"
TOO_OLD = "client version 1.42 is too old. Minimum supported API version is 1.44"


@pytest.mark.parametrize(
    ("says", "spoken"),
    [(TOO_NEW, ("1.12", "1.41")), (TOO_OLD, ("1.44", "1.51"))],
    ids=["too new", "too old"],
)
@pytest.mark.parametrize("as_json", [True, False], ids=["JSON", "text"])
def test_a_refused_version_names_what_is_spoken(says, spoken, as_json):
    oldest, newest = spoken
    refusal = reply(400, json={"message": says}) if as_json else reply(400, text=says)
    # It is no passing thing: the second call is told the same, though it is not sent.
    script = [answer(refusal), ping(newest), version(oldest), ping(newest)]
    with playing(script) as (peer, client):
        for status in (400, 0):
            with pytest.raises(VersionError) as caught:
                client.ContainerCreate(Image="a")
            error = caught.value
            assert (error.minimum, error.maximum) == spoken
            assert (error.status, error.version, error.reply) == (status, "1.42", None)
            assert f"speaks API {oldest} to {newest}" in str(error)
            assert "1.42" in str(error)
            assert peer.address in str(error)
            assert ("nothing was sent" in str(error)) == (status == 0)
    assert targets(peer) == ["/v1.42/containers/create", "/_ping", "/version", "/_ping"]


def test_a_refused_version_is_spoken_when_the_engine_is_another():
    refusal = answer(reply(400, json={"message": TOO_NEW}))
    created = answer(reply(201, json={"Id": "1"}))
    script = [refusal, ping("1.41"), version("1.12"), ping("1.51"), created, created]
    with playing(script) as (peer, client):
        with pytest.raises(VersionError):
            client.ContainerCreate(Image="a")
        assert client.ContainerCreate(Image="a").Id == "1"
        assert client.ContainerCreate(Image="a").Id == "1"
    assert targets(peer)[3:] == ["/_ping", *["/v1.42/containers/create"] * 2]


def test_a_refused_version_does_not_hide_that_the_engine_is_gone():
    refusal = answer(reply(400, json={"message": TOO_NEW}))
    script = [refusal, ping("1.41"), version("1.12"), hang_up]
    with playing(script, [expect, hang_up]) as (_, client):
        with pytest.raises(VersionError):
            client.ContainerCreate(Image="a")
        with pytest.raises(ConnectionLost):
            client.ContainerCreate(Image="a")


REPLACED = {
    "by an older one": (TOO_NEW, "1.41", "1.12"),
    "by one that has forgotten the version": (TOO_OLD, "1.51", "1.44"),
}


@pytest.mark.parametrize(("says", "newest", "oldest"), REPLACED.values(), ids=REPLACED)
@pytest.mark.parametrize("name", ["ContainerList", "ContainerLogs"])
def test_an_engine_that_was_replaced_is_noticed_at_the_next_error(name, says, newest, oldest):
    """The client goes on over a new connection and sees no more of it than that."""
    before = answer(reply(text="OK", headers={"Api-Version": "1.43"}))
    refusal = answer(reply(400, json={"message": says}, headers={"Api-Version": newest}))
    then = [refusal, ping(newest), version(oldest)]
    arguments = ("web",) if name == "ContainerLogs" else ()
    # A stream has a connection of its own, and the questions another.
    scripts = [then] if name == "ContainerList" else [then[:1], then[1:]]
    closed = threading.Event()
    with playing([before, hang_up, tell(closed)], *scripts) as (_, client):
        client.SystemPing()
        assert closed.wait(PATIENCE)
        with pytest.raises(VersionError, match=f"speaks API {oldest} to {newest}"):
            client.operations[name](*arguments)


def test_an_engine_that_answers_to_any_version_is_noticed_after_a_failure():
    before = answer(reply(text="OK", headers={"Api-Version": "1.43"}))
    other = answer(reply(text="OK", headers={"Api-Version": "1.41"}))
    with (
        playing([before, expect, hang_up], [other, ping("1.41"), version("1.24")]) as (_, client),
    ):
        client.SystemPing()
        with pytest.raises(ConnectionLost):
            client.ContainerStart("web")
        with pytest.raises(VersionError, match=r"1\.24 to 1\.41"):
            client.SystemPing()


def test_a_bad_request_of_a_version_that_is_spoken_is_one():
    refusal = answer(reply(400, json={"message": "bad"}))
    script = [refusal, ping("1.51"), version("1.24"), refusal]
    with playing(script) as (peer, client):
        for _ in range(2):
            with pytest.raises(BadRequest, match="bad"):
                client.ContainerCreate(Image="a")
    # The version is known to be spoken from then on.
    assert targets(peer) == [
        "/v1.42/containers/create",
        "/_ping",
        "/version",
        "/v1.42/containers/create",
    ]


def test_a_bad_request_after_a_good_one_asks_nothing():
    with playing([OK, answer(reply(400, json={"message": "bad"}))]) as (_, client):
        client.SystemPing()
        with pytest.raises(BadRequest, match="bad"):
            client.ContainerCreate(Image="a")


def test_an_answer_of_an_engine_that_does_not_speak_the_version():
    """Podman answers to any version in the path, and announces its own."""
    created = reply(201, json={"Id": "1"}, headers={"Api-Version": "1.41"})
    script = [answer(created), ping("1.41"), version("1.24")]
    with playing(script) as (_, client), pytest.raises(VersionError) as caught:
        client.ContainerCreate(Image="a")
    error = caught.value
    assert (error.status, error.minimum, error.maximum) == (201, "1.24", "1.41")
    # What was done was done, and its id must not be lost.
    assert error.reply == {"Id": "1"}
    assert "what the call did is done" in str(error)


def test_an_error_of_an_engine_that_does_not_speak_the_version():
    missing = reply(404, json={"message": "no"}, headers={"Api-Version": "1.41"})
    script = [answer(missing), ping("1.41"), version("1.24")]
    with playing(script) as (_, client), pytest.raises(VersionError) as caught:
        client.ContainerInspect("web")
    assert (caught.value.status, caught.value.reply) == (404, None)
    assert "stands" not in str(caught.value)


def test_an_older_version_than_the_engines_newest_is_fine():
    created = answer(reply(201, json={"Id": "1"}, headers={"Api-Version": "1.51"}))
    with playing([created]) as (_, client):
        assert client.ContainerCreate(Image="a").Id == "1"


UNHELPFUL = {
    "no Api-Version": [ping(MISSING)],
    "no such path": [ping(MISSING, 404)],
    "the end of the connection": [expect, hang_up],
}


@pytest.mark.parametrize("then", UNHELPFUL.values(), ids=UNHELPFUL)
def test_an_answer_is_not_lost_when_the_engine_names_no_version(then):
    """The call was answered: what comes of a question of our own must not take its place."""
    refused = answer(reply(400, json={"message": "bad"}))
    # A question over a kept connection that ends is asked again.
    again = [then] if hang_up in then else []
    with (
        playing([refused, *then], *again) as (_, client),
        pytest.raises(BadRequest, match="bad"),
    ):
        client.ContainerCreate(Image="a")


def test_a_result_is_not_lost_when_the_engine_is_gone_afterwards():
    created = reply(201, json={"Id": "1"}, headers={"Api-Version": "1.41"})
    gone = [expect, hang_up]
    with (
        playing([answer(created), *gone], gone) as (_, client),
        pytest.raises(VersionError) as caught,
    ):
        client.ContainerCreate(Image="a")
    assert caught.value.maximum == "1.41"
    assert caught.value.reply == {"Id": "1"}


def test_each_version_is_found_out_for_itself():
    newer = reply(200, text="OK", headers={"Api-Version": "1.41"})
    script = [answer(newer), ping("1.41"), version("1.24"), answer(newer)]
    with playing(script) as (peer, client):
        with pytest.raises(VersionError):
            client.SystemPing()
        assert client.at("1.41").SystemPing() == "OK"
    assert targets(peer)[3] == "/v1.41/_ping"


# Agreement

AGREED = {
    "newer engine": ("1.99", "1.24", NEWEST),
    "engine of a later major version": ("2.0", "1.24", NEWEST),
    "as new": (NEWEST, "1.24", NEWEST),
    "older engine": ("1.41", "1.12", "1.41"),
    "the oldest one": (OLDEST, "1.12", OLDEST),
    "only the oldest one": (OLDEST, OLDEST, OLDEST),
    "only the newest one": ("1.99", NEWEST, NEWEST),
    "no minimum": ("1.42", MISSING, "1.42"),
    "a minimum that is none": ("1.42", "none", "1.42"),
    "a minimum that is not text": ("1.42", 1.24, "1.42"),
}


@pytest.mark.parametrize(("newest", "oldest", "agreed"), AGREED.values(), ids=AGREED)
def test_the_newest_common_version_is_taken(newest, oldest, agreed):
    with playing([ping(newest), version(oldest), OK], version=None) as (peer, client):
        assert client.version == agreed
        assert targets(peer) == ["/_ping", "/version"]
        client.SystemPing()
    assert targets(peer)[2:] == [f"/v{agreed}/_ping"]


DISJOINT = {
    "too new an engine": ("1.99", NEXT),
    "too old an engine": ("1.24", "1.12"),
    "too old an engine that names no minimum": ("1.24", MISSING),
}


@pytest.mark.parametrize(("newest", "oldest"), DISJOINT.values(), ids=DISJOINT)
def test_no_common_version(newest, oldest):
    with Peer([ping(newest), version(oldest)]) as peer, pytest.raises(SpecError) as caught:
        load(host=peer.address)
    for part in (peer.address, newest, SPAN):
        assert part in str(caught.value)


def test_a_version_in_the_middle_of_nothing():
    """Between two bundled ones there may be none at all: a minimum above the maximum."""
    with Peer([ping("1.30"), version("1.40")]) as peer, pytest.raises(SpecError):
        load(host=peer.address)


VERSIONS = {
    "an error": version(MISSING, 500),
    "no JSON": answer(reply(200, text="<html>")),
    "a list": answer(reply(json=[])),
    "nothing": answer(reply(204)),
}


@pytest.mark.parametrize("second", VERSIONS.values(), ids=VERSIONS)
def test_an_unhelpful_version_reply_is_no_minimum(second):
    with playing([ping("1.42"), second], version=None) as (_, client):
        assert client.version == "1.42"


PINGS = {
    "no Api-Version": ping(MISSING),
    "an empty one": ping(""),
    "one that is none": ping("latest"),
    "a web server": answer(reply(404, b"<html>", headers={"Content-Type": "text/html"})),
    "a registry": answer(reply(404, json={"errors": []})),
}


@pytest.mark.parametrize("first", PINGS.values(), ids=PINGS)
def test_what_is_no_engine_is_said_to_be_none(first):
    wanted = "is it a Docker Engine"
    with Peer([first]) as peer, pytest.raises(DynadockError, match=wanted) as caught:
        load(host=peer.address)
    assert peer.address in str(caught.value)


def test_what_speaks_no_http_is_an_error_of_ours():
    greeting = answer(b"220 smtp.example.org ESMTP\r\n")
    with Peer([greeting, hang_up]) as peer, pytest.raises(TransportError):
        load(host=peer.address)


def test_negotiation_without_an_engine(tmp_path):
    with pytest.raises(SocketMissing, match="none"):
        load(host=f"unix://{tmp_path}/none.sock")


def test_agreement_brings_options_along():
    script = [ping("1.42"), version("1.24"), OK]
    with playing(script, version=None, headers={"X-One": "1"}) as (peer, client):
        client.SystemPing()
    assert [each.header("X-One") for each in peer.requests][2] == "1"


# What is spoken


@pytest.mark.parametrize(
    ("newest", "oldest", "spoken"),
    [
        ("1.42", "1.40", ("1.40", "1.41", "1.42")),
        ("1.42", "1.42", ("1.42",)),
        (NEXT, NEWEST, (NEWEST,)),
        (OLDEST, MISSING, (OLDEST,)),
        ("1.9", "1.8", ()),
    ],
)
def test_a_client_tells_what_the_engine_speaks_whatever_its_own_version_is(newest, oldest, spoken):
    with playing([ping(newest), version(oldest)], version="1.30") as (peer, client):
        assert client.versions() == spoken
    assert targets(peer) == ["/_ping", "/version"]


def test_it_is_asked_each_time():
    script = [ping("1.42"), version("1.42"), ping("1.43"), version("1.43")]
    with playing(script) as (_, client):
        assert (client.versions(), client.versions()) == (("1.42",), ("1.43",))


def test_what_is_no_engine_speaks_no_versions(tmp_path):
    with (
        playing([ping(MISSING)]) as (_, client),
        pytest.raises(DynadockError, match="is it a Docker Engine"),
    ):
        client.versions()
    with pytest.raises(SocketMissing):
        load("1.42", host=f"unix://{tmp_path}/nowhere.sock").versions()


def test_all_versions_are_those_that_load_takes():
    assert dynadock.versions()[0] == OLDEST
    assert dynadock.versions()[-1] == NEWEST
    assert all(load(each).version == each for each in (OLDEST, NEWEST))


# The import-time form


@pytest.fixture
def _fresh_module():
    """Have a module that has made no client yet, and reset it afterwards."""
    vars(dynadock).pop("v1_42", None)
    yield
    vars(dynadock).pop("v1_42", None)


@pytest.mark.usefixtures("_fresh_module")
def test_the_import_time_form_looks_for_its_engine_at_the_first_call(monkeypatch):
    from dynadock import v1_42

    assert v1_42 is dynadock.v1_42
    assert v1_42.version == "1.42"
    with Peer([OK]) as peer:
        monkeypatch.setenv("DOCKER_HOST", peer.address)
        assert v1_42.SystemPing() == "OK"
        v1_42.close()
    assert targets(peer) == ["/v1.42/_ping"]


def test_the_environment_names_the_engine(monkeypatch):
    with Peer([OK]) as peer:
        monkeypatch.setenv("DOCKER_HOST", peer.address)
        with load("1.42") as client:
            assert client.SystemPing() == "OK"
            assert "DOCKER_HOST" in client.endpoint.origin


def test_an_explicit_host_comes_before_the_environments(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with playing([OK]) as (_, client):
        assert client.SystemPing() == "OK"


def test_what_is_asked_of_the_engine_is_sent_as_any_call():
    """With the client's own User-Agent, and the headers of the options."""
    headers = {"X-Forwarded-User": "me", "user-agent": "mine/1"}
    with playing([ping("1.42"), version("1.24")], version=None, headers=headers) as (peer, _):
        pass
    with playing([ping("1.42"), version("1.24")], version=None) as (plain, _):
        pass
    asked = [(each.target, each.header("User-Agent")) for each in plain.requests]
    assert asked == [("/_ping", USER_AGENT), ("/version", USER_AGENT)]
    for each in peer.requests:
        assert each.header("User-Agent") == "mine/1"
        assert each.header("X-Forwarded-User") == "me"


@pytest.mark.parametrize("headers", [{"a b": "c"}, {"X-A": "b\r\nc: d"}, {"Upgrade": "h2c"}])
def test_headers_that_cannot_be_sent_are_a_fault_before_anything_is_asked(headers):
    with Peer() as peer, pytest.raises(ParameterError, match="headers"):
        load(host=peer.address, headers=headers)
