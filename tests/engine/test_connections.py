"""Clients and how they reach an engine: negotiation, versions, options, copies, addresses."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import dynadock
from dynadock import (
    ParameterError,
    SocketMissing,
    TimedOut,
    TlsError,
    UnknownOperation,
    VersionError,
    execute,
    load,
    run,
)
from dynadock.spec.library import available_versions
from engine.engines import TCP, addresses, engines, no_address
from engine.things import IMAGE, LABELS, new_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock import Client
    from engine.answers import Expected
    from engine.engines import Engine, Target

    NewContainer = Callable[..., str]

each_engine = pytest.mark.each_engine

TCP_ENGINES = [pytest.param(*pair, id=pair[0]) for pair in addresses(TCP).items()]


@each_engine
def test_negotiation(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine.address)
    with load() as client:
        assert client.version == str(engine.main_versions[-1])
        assert str(client.endpoint) == engine.address
        assert client.endpoint.origin == "DOCKER_HOST"
        assert client.SystemVersion().ApiVersion == str(engine.newest)


@pytest.mark.real
@each_engine
def test_version_that_is_too_new(engine: Engine, expected: Expected) -> None:
    too_new = available_versions()[-1]
    if too_new <= engine.newest:
        pytest.skip(f"{engine.name} speaks every version that there is a document for")
    errors = []
    with load(str(too_new), host=engine.address) as client:
        for _ in range(2):
            with pytest.raises(VersionError) as caught:
                client.SystemVersion()
            errors.append(caught.value)
    for error in errors:
        assert f"{engine.oldest} to {engine.newest}" in str(error)
        assert str(too_new) in str(error)
        assert (error.minimum, error.maximum) == (str(engine.oldest), str(engine.newest))
    error, unsent = errors
    assert (unsent.status, "nothing was sent" in str(unsent)) == (0, True)
    status = expected.value("SystemVersion: status at a version that is not announced", 400)
    assert error.status == status
    assert (error.reply is not None) == (status == 200)


def test_socket_that_is_not_there(tmp_path: Path) -> None:
    host = f"unix://{tmp_path}/nothing.sock"
    client = load("1.42", host=host)
    with pytest.raises(SocketMissing) as caught:
        client.SystemPing()
    assert caught.value.endpoint == host
    assert isinstance(caught.value, OSError)


def test_negotiation_without_an_engine(tmp_path: Path) -> None:
    with pytest.raises(SocketMissing):
        load(host=f"unix://{tmp_path}/nothing.sock")


def test_import_time_form(client: Client, target: Target) -> None:
    # In a process of its own: the module keeps the client, and the client its endpoint.
    name = f"v{target.version}".replace(".", "_")
    program = (
        f"from dynadock import {name}; print({name}.version, {name}.SystemVersion().ApiVersion)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={**os.environ, "DOCKER_HOST": target.engine.address},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.split() == [str(target.version), str(target.engine.newest)]


def test_import_time_form_of_a_version_that_there_is_not() -> None:
    with pytest.raises(AttributeError, match=r"no document of API v1\.999"):
        dynadock.v1_999  # noqa: B018


@each_engine
def test_at_another_version(client: Client) -> None:
    older = client.at("1.30")
    assert (older.version, older.endpoint) == ("1.30", client.endpoint)
    assert older.SystemPing() == "OK"
    with pytest.raises(UnknownOperation, match=r"arrived in 1\.40"):
        older.SystemPingHead()


@each_engine
def test_snake_case(client: Client) -> None:
    assert client.system_version() == client.SystemVersion()


@each_engine
def test_options(client: Client, new_container: NewContainer) -> None:
    name = new_container()

    def names(client: Client) -> set[str]:
        return {name.lstrip("/") for each in client.ContainerList() for name in each.Names}

    assert name not in names(client)
    assert name in names(client.with_options(query={"all": True}))


@each_engine
def test_unknown_fields_on_the_way_out(client: Client, image: str) -> None:
    fields = {"Image": image, "HostConfig": {"Colour": "red"}}
    with pytest.raises(dynadock.BodyError, match="Colour"):
        client.ContainerCreate(name=new_name("odd"), body=fields)
    sending = client.with_options(unknown="send")
    made = sending.ContainerCreate(name=new_name("odd"), body=fields)
    assert client.ContainerInspect(made.Id).State.Status == "created"


@each_engine
def test_wrong_call_sends_nothing(client: Client) -> None:
    name = new_name("wrong")
    with pytest.raises(ParameterError):
        client.VolumeCreate(Name=name, Colour="red", Driver=3)
    assert not client.VolumeList(filters={"name": name}).Volumes


@each_engine
def test_timeout(client: Client, running: str) -> None:
    with pytest.raises(TimedOut):
        client.with_options(timeout=0.2).ContainerWait(running)
    assert client.ContainerInspect(running).State.Running is True


@each_engine
def test_pickled_client(engine: Engine) -> None:
    version = str(engine.main_versions[-1])
    with load(version, host=engine.address, timeout=30) as client:
        copied = pickle.loads(pickle.dumps(client))
        assert (copied.version, copied.options.timeout) == (version, 30)
        assert copied.SystemVersion() == client.SystemVersion()
        copied.close()


@each_engine
def test_closed_client_opens_again(engine: Engine) -> None:
    with load(str(engine.main_versions[-1]), host=engine.address) as client:
        assert client.SystemPing() == "OK"
    assert client.SystemPing() == "OK"
    client.close()


@each_engine
def test_threads_share_a_client(client: Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        pings = list(pool.map(lambda _: client.SystemPing(), range(32)))
    assert pings == ["OK"] * 32


@each_engine
def test_raw_reply(client: Client, engine: Engine, running: str) -> None:
    reply = client.ContainerInspect.raw(running)
    assert (reply.status_code, reply.headers["Api-Version"]) == (200, str(engine.newest))
    assert reply.json() == client.ContainerInspect(running)
    assert reply.request.method == "GET"


@each_engine
def test_raw_reply_that_is_an_error(client: Client) -> None:
    reply = client.ContainerInspect.raw(new_name("nothing"))
    assert reply.status_code == 404
    assert "no such container" in reply.json()["message"].lower()


over_tcp = pytest.mark.parametrize(
    ("name", "address"),
    TCP_ENGINES or [pytest.param("", "", id="no engine", marks=no_address(TCP))],
)


@over_tcp
def test_tcp(name: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    monkeypatch.delenv("DOCKER_TLS_VERIFY", raising=False)
    (engine,) = [each for each in engines() if each.name == name]
    with load() as over_tcp, load(host=engine.address) as over_unix:
        assert over_tcp.endpoint.scheme == "tcp"
        assert over_tcp.version == over_unix.version
        volume = over_unix.VolumeCreate(Name=new_name("tcp"), Labels=LABELS).Name
        try:
            assert over_tcp.VolumeInspect(volume).Labels == LABELS
            assert over_tcp.VolumeInspect.raw(volume).json()["Name"] == volume
        finally:
            over_tcp.VolumeDelete(volume)


@over_tcp
def test_upgrades_over_tcp(name: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_TLS_VERIFY", raising=False)
    with load(host=address) as client:
        sent = bytes(range(256)) * 4000
        # The sum comes only behind the end of the input.
        done = run(client, IMAGE, ["sh", "-c", "cat; echo end >&2"], stdin=sent, Labels=LABELS)
        assert done == (0, sent, b"end\n")
        asleep = client.ContainerCreate(Image=IMAGE, Cmd=["sleep", "600"], Labels=LABELS).Id
        try:
            client.ContainerStart(asleep)
            assert execute(client, asleep, ["wc", "-c"], stdin=sent).stdout == b"1024000\n"
        finally:
            client.ContainerDelete(asleep, force=True)


@over_tcp
def test_tls_with_an_engine_that_speaks_none(
    name: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(Path(__file__).parent))
    client = load("1.40", host=address)
    for call in (client.SystemPing, client.SystemEvents):
        with pytest.raises(TlsError, match="what answers speaks no TLS"):
            call()


@each_engine
def test_a_version_that_the_environment_pins(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_API_VERSION", "1.40")
    with load(host=engine.address) as client:
        assert client.version == "1.40"
        assert client.SystemPing() == "OK"
