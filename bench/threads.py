"""One client for many threads: calls a second."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import docker
from daemon import IMAGE, VERSION, UnixHTTPConnection, socket_path, started
from race import race
from report import Table, significant, times

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from report import Sample

    from dynadock import Client

Call = Callable[[], Any]

OURS = "dynadock"
PEER = "docker-py"
BARE = "http.client + json"
THREADS = (1, 8, 32)


def measure(client: Client, calls: int, rounds: int) -> Table:
    """Let each client make ``calls`` calls at a time, by as many threads as each row says."""
    rows = []
    with (
        started(client, Image=IMAGE, Cmd=["sleep", "3600"]) as container,
        _peer() as peer,
        contextlib.ExitStack() as opened,
    ):
        for operation, contestants in _contestants(client, peer, container, opened).items():
            for count in THREADS:
                rows += _rows(operation, count, calls, _race(contestants, count, calls, rounds))
    return Table(
        "One client for many threads",
        f"{calls} calls shared out among the threads; each has its own connection of http.client.",
        ("", "threads", "client", "calls a second", "time to docker-py", "time to http.client"),
        rows,
    )


@contextlib.contextmanager
def _peer() -> Iterator[docker.APIClient]:
    # By default it keeps ten connections and discards the others.
    address = f"unix://{socket_path()}"
    with docker.APIClient(address, version=VERSION, max_pool_size=max(THREADS)) as peer:
        yield peer


def _contestants(
    client: Client, peer: docker.APIClient, container: str, opened: contextlib.ExitStack
) -> dict[str, dict[str, Call]]:
    return {
        "SystemPing": {
            OURS: client.SystemPing,
            PEER: peer.ping,
            BARE: _bare("/_ping", bytes, opened),
        },
        "ContainerInspect": {
            OURS: lambda: client.ContainerInspect(container),
            PEER: lambda: peer.inspect_container(container),
            BARE: _bare(f"/containers/{container}/json", json.loads, opened),
        },
    }


def _bare(path: str, decode: Callable[[bytes], Any], opened: contextlib.ExitStack) -> Call:
    own = threading.local()

    def call() -> Any:
        if not hasattr(own, "connection"):
            own.connection = UnixHTTPConnection(socket_path())
            opened.callback(own.connection.close)
        own.connection.request("GET", f"/v{VERSION}{path}")
        return decode(own.connection.getresponse().read())

    return call


def _race(
    contestants: Mapping[str, Call], count: int, calls: int, rounds: int
) -> dict[str, Sample]:
    with ThreadPoolExecutor(count) as threads:

        def all_of(call: Call) -> Call:
            def share() -> None:
                for _ in range(calls // count):
                    call()

            def run() -> None:
                for done in [threads.submit(share) for _ in range(count)]:
                    done.result()

            return run

        return race({name: all_of(call) for name, call in contestants.items()}, rounds)


def _rows(operation: str, count: int, calls: int, samples: Mapping[str, Sample]) -> list[list[str]]:
    made = calls // count * count
    return [
        [
            operation,
            str(count),
            name,
            significant(made / sample.median),
            times(sample / samples[PEER]),
            times(sample / samples[BARE]),
        ]
        for name, sample in samples.items()
    ]
