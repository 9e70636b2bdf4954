"""Events from a scripted peer, beside the parsing of their JSON alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import bare
import docker
from daemon import VERSION
from peer import EVENTS
from race import race
from report import Table, milliseconds, significant, times

from dynadock import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

OURS = "dynadock: for event in SystemEvents()"
PEER = "docker-py: events(decode=True)"
HTTP = "http.client: read(65536) + json.loads of the lines"
PARSING = "json.loads of the lines alone"
EXPECTED = {OURS: "<= 2 x json.loads alone"}


def measure(path: str, count: int, rounds: int) -> Table:
    client = load(VERSION, host=f"unix://{path}")
    lines = _lines(path)
    with docker.APIClient(f"unix://{path}", version=VERSION) as peer:
        contestants: Mapping[str, Callable[[], Any]] = {
            OURS: lambda: _exhaust(client.SystemEvents(), count),
            PEER: lambda: _exhaust(peer.events(decode=True), count),
            HTTP: lambda: _exhaust(map(json.loads, _lines(path)), count),
            PARSING: lambda: _exhaust(map(json.loads, lines), count),
        }
        samples = race(contestants, rounds)
    average = sum(map(len, lines)) / count
    return Table(
        f"{count} events of {average:.0f} bytes from a scripted peer",
        "As Docker 26.1 writes them: each in a chunk of its own.",
        ("", "median", "least", "events/s", "time to json.loads", "time to docker-py", "expected"),
        [
            [
                name,
                milliseconds(sample.median),
                milliseconds(sample.least),
                significant(count / sample.median),
                times(sample / samples[PARSING]),
                times(sample / samples[PEER]),
                EXPECTED.get(name, ""),
            ]
            for name, sample in samples.items()
        ],
    )


def _lines(path: str) -> list[bytes]:
    return b"".join(bare.by_http_client(path, EVENTS)).splitlines()


def _exhaust(events: Iterable[dict[str, Any]], count: int) -> None:
    seen = 0
    for event in events:
        seen += "Action" in event
    assert seen == count
