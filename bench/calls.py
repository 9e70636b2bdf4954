"""Single calls over a connection that is open already."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import docker
from bare import ask
from daemon import TIMEOUT, VERSION, UnixHTTPConnection, socket_path
from race import race
from recorded import CONTAINER
from report import Sample, Table, milliseconds, times

from dynadock import load

if TYPE_CHECKING:
    from dynadock import Client

Call = Callable[[], Any]

OURS = "dynadock"
PEER = "docker-py"
BARE = "http.client + json"

PING = "SystemPing"
SYSTEM = "SystemVersion"
INSPECT = "ContainerInspect"
LIST = "ContainerList(all=True)"


class Asked(NamedTuple):
    """An operation, what is expected of dynadock, and how often it is called at each turn."""

    operation: str
    expected: str = ""
    in_a_row: int = 1


WITH_ENGINE = (
    Asked(PING, "<= 0.6 x docker-py"),
    Asked(SYSTEM),
    Asked(LIST, "<= 1.0 x docker-py"),
)
WITH_PEER = (
    Asked(PING, "<= 0.85 x http.client, <= 0.25 x docker-py", 40),
    Asked(INSPECT, "<= 1.0 x http.client + json", 40),
    Asked(LIST, "<= 1.3 x http.client + json"),
)


def measure_engine(client: Client, rounds: int) -> Table:
    """Call the engine, which takes most of the time."""
    return _measure("One call", client, socket_path(), WITH_ENGINE, rounds)


def measure_peer(path: str, containers: int, rounds: int) -> Table:
    """Call a scripted peer, which takes next to no time and lists so many containers."""
    title = f"One call to a scripted peer, which lists {containers} containers"
    return _measure(title, load(VERSION, host=f"unix://{path}"), path, WITH_PEER, rounds)


def _measure(title: str, client: Client, path: str, wanted: Iterable[Asked], rounds: int) -> Table:
    rows = []
    with (
        docker.APIClient(f"unix://{path}", version=VERSION) as peer,
        contextlib.closing(UnixHTTPConnection(path)) as bare,
    ):
        contestants = _contestants(client.with_options(timeout=TIMEOUT), peer, bare)
        for asked in wanted:
            samples = race(contestants[asked.operation], rounds, asked.in_a_row)
            rows += _rows(asked, samples)
    return Table(
        title,
        "A connection is open already, and contestants take turns.",
        ("", "client", "median", "least", "to docker-py", "to http.client", "expected"),
        rows,
    )


def _contestants(
    client: Client, peer: docker.APIClient, bare: UnixHTTPConnection
) -> dict[str, dict[str, Call]]:
    return {
        PING: {
            OURS: client.SystemPing,
            PEER: peer.ping,
            BARE: partial(ask, bare, "/_ping"),
        },
        SYSTEM: {
            OURS: client.SystemVersion,
            PEER: peer.version,
            BARE: partial(ask, bare, "/version", json.loads),
        },
        INSPECT: {
            OURS: partial(client.ContainerInspect, CONTAINER),
            PEER: partial(peer.inspect_container, CONTAINER),
            BARE: partial(ask, bare, f"/containers/{CONTAINER}/json", json.loads),
        },
        LIST: {
            OURS: partial(client.ContainerList, all=True),
            PEER: partial(peer.containers, all=True),
            BARE: partial(ask, bare, "/containers/json?all=true", json.loads),
        },
    }


def _rows(asked: Asked, samples: Mapping[str, Sample]) -> list[list[str]]:
    return [
        [
            asked.operation,
            name,
            milliseconds(sample.median),
            milliseconds(sample.least),
            times(sample / samples[PEER]),
            times(sample / samples[BARE]),
            asked.expected if name == OURS else "",
        ]
        for name, sample in samples.items()
    ]
