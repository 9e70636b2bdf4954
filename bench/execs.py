"""A short command in a running container: create, start, read to the end, inspect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import docker
from daemon import IMAGE, VERSION, UnixHTTPConnection, started
from race import race
from recorded import CONTAINER
from report import Table, milliseconds, times

from dynadock import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock import Client

    Run = Callable[[], None]

OURS = "dynadock"
PEER = "docker-py"
BARE = "http.client + socket"
COMMAND = ["true"]
JSON = {"Content-Type": "application/json"}
UPGRADE = {"Connection": "Upgrade", "Upgrade": "tcp"}


def measure_engine(client: Client, path: str, rounds: int) -> Table:
    with started(client, Image=IMAGE, Cmd=["sleep", "3600"]) as container:
        return _measure("the engine", path, container, rounds, "<= 1.05 x docker-py")


def measure_peer(path: str, rounds: int) -> Table:
    return _measure("a scripted peer", path, CONTAINER, rounds, "<= 0.7 x docker-py")


def _measure(whose: str, path: str, container: str, rounds: int, expected: str) -> Table:
    with docker.APIClient(f"unix://{path}", version=VERSION) as peer:
        contestants = {
            OURS: _ours(load(VERSION, host=f"unix://{path}"), container),
            PEER: _peers(peer, container),
            BARE: _bare(path, container),
        }
        samples = race(contestants, rounds)
    return Table(
        f"Running `true` in a container of {whose}",
        "ContainerExec, ExecStart read to the end, ExecInspect.",
        ("", "median", "least", "time to docker-py", f"time to {BARE}", "expected"),
        [
            [
                name,
                milliseconds(sample.median),
                milliseconds(sample.least),
                times(sample / samples[PEER]),
                times(sample / samples[BARE]),
                expected if name == OURS else "",
            ]
            for name, sample in samples.items()
        ],
    )


def _ours(client: Client, container: str) -> Run:
    def run() -> None:
        made = client.ContainerExec(container, Cmd=COMMAND, AttachStdout=True, AttachStderr=True)
        output = client.ExecStart(made.Id).collect()
        assert (*output, client.ExecInspect(made.Id).ExitCode) == (b"", b"", 0)

    return run


def _peers(client: docker.APIClient, container: str) -> Run:
    def run() -> None:
        made = client.exec_create(container, COMMAND)["Id"]
        output = client.exec_start(made, demux=True)
        assert (*output, client.exec_inspect(made)["ExitCode"]) == (None, None, 0)

    return run


def _bare(path: str, container: str) -> Run:
    connection = UnixHTTPConnection(path)

    def call(method: str, target: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body)
        connection.request(method, f"/v{VERSION}{target}", data, JSON)
        return json.loads(connection.getresponse().read())

    def start(made: str) -> bytes:
        upgrade = UnixHTTPConnection(path)
        upgrade.request("POST", f"/v{VERSION}/exec/{made}/start", b"{}", JSON | UPGRADE)
        # http.client knows no upgrades: it would end the reply at its head.
        with upgrade.sock:
            return b"".join(iter(lambda: upgrade.sock.recv(65536), b"")).partition(b"\r\n\r\n")[2]

    def run() -> None:
        body = {"Cmd": COMMAND, "AttachStdout": True, "AttachStderr": True}
        made = call("POST", f"/containers/{container}/exec", body)["Id"]
        output = start(made)
        assert (output, call("GET", f"/exec/{made}/json")["ExitCode"]) == (b"", 0)

    return run
