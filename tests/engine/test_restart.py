"""A real engine that is killed under its clients, and started again in the same place."""

from __future__ import annotations

import errno
import os
import shlex
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from dynadock import (
    ConnectionLost,
    ConnectionRefused,
    SocketMissing,
    TransportError,
    TruncatedStream,
    load,
)
from engine.things import IMAGE, LABELS, MINE, eventually
from lacking import give_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock import Client

RESTART = "DYNADOCK_TEST_RESTART"
HOST = "DYNADOCK_TEST_RESTART_HOST"

PATIENCE = 120

pytestmark = pytest.mark.timeout(300)


class Mortal:
    """An engine that may be killed: only these tests use it."""

    def __init__(self, command: str, host: str) -> None:
        self.host = host
        self._command = shlex.split(command)

    def kill(self) -> None:
        """Kill it as kill -9 does, and wait until it is dead."""
        subprocess.run([*self._command, "kill"], check=True, timeout=PATIENCE)
        # A dying process takes connections until the last of its threads is gone.
        eventually(self._is_dead)

    def _is_dead(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self.host.removeprefix("unix://")) == errno.ECONNREFUSED

    def start(self) -> None:
        """Start it again and wait until it answers; nothing if it runs."""
        # What an engine's processes inherit they keep open: no pipe, which would never end.
        command = [*self._command, "start"]
        subprocess.run(command, check=True, timeout=PATIENCE, stdout=subprocess.DEVNULL)


@pytest.fixture
def engine() -> Iterator[Mortal]:
    command, host = os.environ.get(RESTART), os.environ.get(HOST)
    if not command or not host:
        give_up(f"{RESTART} and {HOST} name no engine that may be killed")
    engine = Mortal(command, host)
    engine.start()
    yield engine
    engine.start()
    with load("1.42", host=host) as client:
        for each in client.ContainerList(all=True, filters=MINE):
            client.ContainerDelete(each.Id, force=True)


@pytest.fixture
def client(engine: Mortal) -> Iterator[Client]:
    with load("1.42", host=engine.host) as client:
        yield client


def _container(client: Client) -> str:
    """Have a container that runs, and says something now and then."""
    command = ["sh", "-c", "while echo here; do sleep 1; done"]
    name: str = client.ContainerCreate(Image=IMAGE, Cmd=command, Labels=LABELS).Id
    client.ContainerStart(name)
    return name


def test_killed_between_calls(engine: Mortal, client: Client) -> None:
    name = _container(client)
    assert client.ContainerInspect(name).State.Running is True
    engine.kill()
    for call in (client.ContainerInspect, client.ContainerStart, client.ContainerLogs):
        options = {"stdout": True} if call is client.ContainerLogs else {}
        with pytest.raises((ConnectionRefused, SocketMissing), match="engine"):
            call(name, **options)
    engine.start()
    assert client.ContainerInspect(name).Config.Labels == LABELS
    client.ContainerStart(name)
    client.ContainerDelete(name, force=True)


def test_killed_and_started_between_calls(engine: Mortal, client: Client) -> None:
    """No call fails: a kept connection is known to be closed before a request goes over it."""
    name = _container(client)
    engine.kill()
    engine.start()
    client.ContainerRename(name, name="dynadock-tests-renamed")
    assert client.ContainerInspect(name).Name == "/dynadock-tests-renamed"


def _wait(client: Client, name: str, begun: threading.Event) -> Any:
    begun.set()
    return client.ContainerWait(name)


def _follow(client: Client, name: str, begun: threading.Event) -> Any:
    with client.ContainerLogs(name, stdout=True, follow=True) as log:
        for _ in log:
            begun.set()


def _watch(client: Client, name: str, begun: threading.Event) -> Any:
    with client.ContainerStats(name) as statistics:
        for _ in statistics:
            begun.set()


def _talk(client: Client, name: str, begun: threading.Event) -> Any:
    fields = {"Cmd": ["cat"], "AttachStdin": True, "AttachStdout": True}
    with client.ExecStart(client.ContainerExec(name, **fields).Id) as cat:
        cat.write(b"hello")
        assert next(cat).data == b"hello"
        begun.set()
        return list(cat)


def _upload(client: Client, _name: str, begun: threading.Event) -> Any:
    def endless() -> Iterator[bytes]:
        while True:
            yield bytes(65536)
            begun.set()

    return client.ImageCreate(fromSrc="-", body=endless()).wait()


def test_killed_during_calls(engine: Mortal, client: Client) -> None:
    """Every waiting call raises or ends, each in its way, and none hangs."""
    name = _container(client)
    kinds = (_wait, _follow, _watch, _talk, _upload)
    begun = {kind: threading.Event() for kind in kinds}
    with ThreadPoolExecutor(len(kinds)) as threads:
        calls = {kind: threads.submit(kind, client, name, begun[kind]) for kind in kinds}
        try:
            assert all(each.wait(PATIENCE) for each in begun.values())
            # The engine knows of the waiting one once it answers a later call.
            eventually(lambda: client.ContainerInspect(name).State.Running)
        finally:
            engine.kill()
        faults = {kind: call.exception(PATIENCE) for kind, call in calls.items()}
    assert isinstance(faults[_wait], ConnectionLost)
    assert "the connection broke" in str(faults[_wait])
    assert isinstance(faults[_follow], TruncatedStream)
    assert isinstance(faults[_watch], TruncatedStream)
    # An upgraded stream ends with its connection, which looks the same whatever ended that.
    assert faults[_talk] is None or isinstance(faults[_talk], TransportError)
    assert isinstance(faults[_upload], ConnectionLost)
    assert "whether the engine acted on the request is not known" in str(faults[_upload])
    engine.start()
    assert client.SystemPing() == "OK"
    assert client.ContainerInspect(name).Config.Labels == LABELS


def test_a_patient_client_waits_for_it(engine: Mortal, client: Client) -> None:
    name = _container(client)
    engine.kill()
    with ThreadPoolExecutor(1) as threads:
        started = threads.submit(engine.start)
        # Some hundred seconds at two for each pause.
        patient = client.with_options(retries=60)
        assert patient.ContainerInspect(name).Config.Labels == LABELS
        started.result(PATIENCE)
