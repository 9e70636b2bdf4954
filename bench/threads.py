"""One client for many threads: calls a second."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import docker
from bare import ask
from daemon import IMAGE, TIMEOUT, VERSION, UnixHTTPConnection, socket_path, started
from race import race
from report import Table, significant, times

from dynadock import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from report import Sample

    from dynadock import Client

Call = Callable[[], Any]
Contestants = dict[str, Call]

OURS = "dynadock"
PEER = "docker-py"
BARE = "http.client + json"
MOST = 32
THREADS = (1, 8, MOST)
MANY = (8, MOST)


def measure_engine(client: Client, calls: int, rounds: int) -> Table:
    """Let each client make ``calls`` calls at a time, by as many threads as each row says."""
    with (
        started(client, Image=IMAGE, Cmd=["sleep", "3600"]) as container,
        _Clients(client, socket_path()) as clients,
    ):
        operations = {
            "SystemPing": clients.pings(),
            "ContainerInspect": clients.inspections(container),
        }
        rows = [
            row
            for operation, contestants in operations.items()
            for row in _rows(operation, contestants, THREADS, calls=calls, rounds=rounds)
        ]
    return _table("One client for many threads", rows, calls)


def measure_peer(path: str, calls: int, rounds: int) -> Table:
    """Let them do so with a scripted peer, which takes next to no time."""
    with _Clients(load(VERSION, host=f"unix://{path}"), path) as clients:
        expected = "<= 1.0 x http.client"
        made = _rows(
            "SystemPing", clients.pings(), MANY, calls=calls, rounds=rounds, expected=expected
        )
        rows = [*made]
    return _table("One client for many threads, with a scripted peer", rows, calls)


class _Clients(contextlib.ExitStack):
    """The contestants: one client of each kind, and connections of http.client."""

    def __init__(self, client: Client, path: str) -> None:
        super().__init__()
        self._path = path
        self._ours = client.with_options(timeout=TIMEOUT)
        # By default it keeps ten connections and discards the others.
        peer = docker.APIClient(f"unix://{path}", version=VERSION, max_pool_size=MOST)
        self._peer = self.enter_context(peer)

    def pings(self) -> Contestants:
        return {
            OURS: self._ours.SystemPing,
            PEER: self._peer.ping,
            BARE: self._bare("/_ping", bytes),
        }

    def inspections(self, container: str) -> Contestants:
        return {
            OURS: partial(self._ours.ContainerInspect, container),
            PEER: partial(self._peer.inspect_container, container),
            BARE: self._bare(f"/containers/{container}/json", json.loads),
        }

    def _bare(self, target: str, decode: Callable[[bytes], Any]) -> Call:
        own = threading.local()

        def call() -> Any:
            if not hasattr(own, "connection"):
                own.connection = UnixHTTPConnection(self._path)
                self.callback(own.connection.close)
            return ask(own.connection, target, decode)

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


def _rows(
    operation: str,
    contestants: Contestants,
    counts: Iterable[int],
    *,
    calls: int,
    rounds: int,
    expected: str = "",
) -> Iterable[list[str]]:
    for count in counts:
        made = calls // count * count
        samples = _race(contestants, count, calls, rounds)
        for name, sample in samples.items():
            yield [
                operation,
                str(count),
                name,
                significant(made / sample.median),
                times(sample / samples[PEER]),
                times(sample / samples[BARE]),
                expected if name == OURS else "",
            ]


def _table(title: str, rows: list[list[str]], calls: int) -> Table:
    return Table(
        title,
        f"{calls} calls shared out among the threads; each has its own connection of http.client.",
        (
            *("", "threads", "client", "calls a second"),
            *("time to docker-py", "time to http.client", "expected"),
        ),
        rows,
    )
