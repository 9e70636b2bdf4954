"""Credentials on the wire: which bytes are sent for whom, and to whom never."""

from __future__ import annotations

import pickle
from contextlib import nullcontext

import pytest

from docker_config import Programs, write_config
from docker_config import answer as helped
from dynadock import APIError, ConfigError, StreamError, store_credentials
from wire.peer import answer, chunked, playing, reply

R = "r.example:5000"

HEADER = (
    "eyJzZXJ2ZXJhZGRyZXNzIjoici5leGFtcGxlOjUwMDAiLCJ1c2VybmFtZSI6InUiLCJwYXNzd29yZCI6Ij8_Pj4ifQ=="
)
"""User u with the password ??>> at that registry, whose base64 has a ``_`` and padding."""

TOKEN = "eyJzZXJ2ZXJhZGRyZXNzIjoici5leGFtcGxlOjUwMDAiLCJpZGVudGl0eXRva2VuIjoiSURUIn0="
"""The identity token IDT for that registry."""

EVERY = (
    "eyJyLmV4YW1wbGU6NTAwMCI6eyJzZXJ2ZXJhZGRyZXNzIjoici5leGFtcGxlOjUwMDAiLCJ1c2VybmFtZSI6InUiLCJw"
    "YXNzd29yZCI6Ij8_Pj4ifX0="
)
"""`HEADER`'s account in a map from registry to account."""

DONE = answer(chunked(b'{"status":"done"}\n'))
VALUE = answer(reply(json={"ID": "x"}))
SERVICE = {"TaskTemplate": {"ContainerSpec": {"Image": f"{R}/a:1"}}}

CALLS = {
    "pull": (DONE, lambda c: c.ImageCreate(fromImage=f"{R}/a").wait()),
    "push": (DONE, lambda c: c.ImagePush(f"{R}/a", tag="1").wait()),
    "plugin pull": (DONE, lambda c: c.PluginPull(remote=f"{R}/p").wait()),
    "plugin upgrade": (DONE, lambda c: c.PluginUpgrade("p", remote=f"{R}/p").wait()),
    "plugin push": (DONE, lambda c: c.PluginPush(f"{R}/p").wait()),
    "plugin privileges": (VALUE, lambda c: c.GetPluginPrivileges(remote=f"{R}/p")),
    "distribution": (VALUE, lambda c: c.DistributionInspect(f"{R}/a")),
    "search": (VALUE, lambda c: c.ImageSearch(term=f"{R}/a")),
    "service": (VALUE, lambda c: c.ServiceCreate(**SERVICE)),
    "service update": (VALUE, lambda c: c.ServiceUpdate("x", version=1, **SERVICE)),
    "raw": (DONE, lambda c: c.ImageCreate.raw(fromImage=f"{R}/a").close()),
    "with a deadline": (VALUE, lambda c: c.with_options(deadline=9).DistributionInspect(f"{R}/a")),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The configuration folder of the environment, with an account at the registry."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    write_config(tmp_path / "config", {"auths": {R: {"username": "u", "password": "??>>"}}})
    return tmp_path / "config"


@pytest.mark.parametrize(("script", "call"), CALLS.values(), ids=CALLS)
def test_the_bytes_of_the_header(folder, script, call):
    with playing([script]) as (peer, client):
        call(client)
    (seen,) = peer.requests
    assert f"\r\nX-Registry-Auth: {HEADER}\r\n".encode() in seen.head
    assert seen.header("X-Registry-Config") is None


@pytest.mark.parametrize(("script", "call"), CALLS.values(), ids=CALLS)
def test_none_where_none_are_wanted(folder, script, call):
    with playing([script], credentials=False) as (peer, client):
        call(client)
    (seen,) = peer.requests
    # An engine refuses a push without the header; this is an empty object.
    assert seen.header("X-Registry-Auth") == ("e30=" if "push?" in seen.target else None)


@pytest.mark.parametrize(("script", "call"), CALLS.values(), ids=CALLS)
def test_accounts_in_code(script, call):
    accounts = {R: {"username": "u", "password": "??>>"}}
    with playing([script], credentials=accounts) as (peer, client):
        call(client)
    assert peer.requests[0].header("X-Registry-Auth") == HEADER


def test_what_the_caller_says_wins(folder):
    with playing([DONE], [DONE], [VALUE]) as (peer, client):
        client.ImagePush(f"{R}/a", X_Registry_Auth={}).wait()
        client.ImageCreate(fromImage=f"{R}/a", X_Registry_Auth={"username": "me"}).wait()
        named = client.with_options(headers={"x-registry-auth": "mine"})
        named.DistributionInspect(f"{R}/a")
    sent = [seen.header("X-Registry-Auth") for seen in peer.requests]
    assert sent == ["e30=", "eyJ1c2VybmFtZSI6Im1lIn0=", "mine"]


def test_a_build_brings_all(folder):
    with playing([DONE], [DONE]) as (peer, client):
        client.ImageBuild(inputStream=b"x").wait()
        client.with_options(credentials=False).ImageBuild(inputStream=b"x").wait()
    first, second = peer.requests
    assert first.header("X-Registry-Config") == EVERY
    assert second.header("X-Registry-Config") is None
    assert first.header("X-Registry-Auth") is None


@pytest.mark.parametrize("kept", ["in the file", "by a helper"])
def test_an_identity_token(folder, tmp_path, monkeypatch, kept):
    config = {"auths": {R: {"identitytoken": "IDT"}}}
    if kept == "by a helper":
        Programs(tmp_path / "bin", monkeypatch).add_helper("one", {"get": helped("<token>", "IDT")})
        config = {"credHelpers": {R: "one"}}
    write_config(folder, config)
    with playing([DONE]) as (peer, client):
        client.ImageCreate(fromImage=f"{R}/a").wait()
    assert peer.requests[0].header("X-Registry-Auth") == TOKEN


def test_a_login_is_known_to_the_next_call(folder):
    write_config(folder, {"auths": {"unused.invalid": {}}})
    said = reply(json={"Status": "Login Succeeded", "IdentityToken": "IDT"})
    with playing([VALUE, answer(said), VALUE]) as (peer, client):
        client.DistributionInspect(f"{R}/a")
        given = {"username": "u", "password": "p", "serveraddress": R}
        store_credentials(R, {**given, **client.SystemAuth(**given)})
        client.DistributionInspect(f"{R}/a")
    before, login, after = [seen.header("X-Registry-Auth") for seen in peer.requests]
    assert (before, login) == (None, None)
    assert after.startswith(TOKEN[:40])


@pytest.mark.parametrize("status", [301, 307])
@pytest.mark.parametrize(("script", "call"), CALLS.values(), ids=CALLS)
def test_a_redirect_takes_them_nowhere(folder, script, call, status):
    is_raw = call is CALLS["raw"][1]
    with playing(kind="tcp") as (elsewhere, _):
        place = elsewhere.address.replace("tcp://", "http://")
        moved = reply(status, headers={"Location": f"{place}/v1.42/images/create"})
        refused = nullcontext() if is_raw else pytest.raises(APIError)
        with playing([answer(moved)], kind="tcp") as (peer, client), refused:
            call(client)
    assert elsewhere.connections == 0
    assert len(peer.requests) == 1


def test_a_client_that_is_pickled_holds_none_and_finds_its_own(folder):
    accounts = {R: {"username": "me", "password": "s3cret"}}
    with playing([VALUE], [VALUE], credentials=accounts) as (peer, client):
        client.DistributionInspect(f"{R}/a")
        data = pickle.dumps(client)
        assert b"s3cret" not in data
        with pickle.loads(data) as other:
            other.DistributionInspect(f"{R}/a")
    assert peer.requests[1].header("X-Registry-Auth") == HEADER


def test_errors_hold_none(folder):
    refused = chunked(b'{"errorDetail":{"message":"denied"},"error":"denied"}\n')
    scripts = [answer(reply(401, json={"message": "denied"}))], [answer(refused)]
    with playing(*scripts) as (_, client):
        for kind, call in ((APIError, CALLS["distribution"][1]), (StreamError, CALLS["pull"][1])):
            with pytest.raises(kind) as caught:
                call(client)
            told = f"{caught.value}{caught.value!r}{vars(caught.value)}"
            assert HEADER not in told
            assert "??>>" not in told


def test_nothing_is_sent_where_the_configuration_is_damaged(folder):
    write_config(folder, "{")
    with playing() as (peer, client):
        for _, call in CALLS.values():
            with pytest.raises(ConfigError, match=r"config\.json is not JSON"):
                call(client)
    assert peer.connections == 0
