"""Measure dynadock beside docker-py and bare http.client, and write bench/RESULTS.md."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import calls
import checks
import events
import execs
import exploring
import loading
import logs
import peer
import remote
import startup
import threads
import transfers
from daemon import connected, containers, socket_path
from report import document, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from report import Table

    from dynadock import Client

RESULTS = Path(__file__).with_name("RESULTS.md")

LINES = 200_000
BLOCKS = 2_048
EVENTS = 100_000
ENGINE_LINES = 150_000
IMAGE_MEBIBYTES = 1_024
LISTED = 1_000


def main() -> None:
    options = _options()
    tables: list[Table] = []
    with connected() as client:
        engine = client.SystemVersion().Version
        for name in options.only:
            for table in SECTIONS[name](client, options):
                print(*table.lines(), sep="\n", flush=True)
                tables.append(table)
    counts = (
        f"{options.containers} containers listed; {options.processes} processes,"
        f" {options.rounds} calls or {options.repeats} streams of each kind"
    )
    text = document(setting(engine, counts), tables)
    options.output.write_text(text, encoding="utf-8")


def _plain_calls(client: Client, options: argparse.Namespace) -> Iterator[Table]:
    processes, rounds = options.processes, options.rounds
    with containers(client, options.containers):
        yield startup.measure(processes)
        yield calls.measure_engine(client, rounds)
    yield checks.measure(client, rounds)
    yield loading.measure(processes)


def _logs(client: Client, options: argparse.Namespace) -> Iterator[Table]:
    frames, blocks = _scaled(LINES, options), _scaled(BLOCKS, options)
    with peer.scripted(peer.Sizes(lines=frames, blocks=blocks)) as path:
        yield logs.measure_lines(path, frames, options.repeats)
        yield logs.measure_blocks(path, blocks, options.repeats)
    yield logs.measure_engine(
        client, socket_path(), _scaled(ENGINE_LINES, options), options.repeats
    )


def _transfers(client: Client, options: argparse.Namespace) -> Iterator[Table]:
    # Each takes seconds, most of them the engine's.
    rounds = min(options.repeats, 3)
    yield from transfers.measure(client, _scaled(IMAGE_MEBIBYTES, options), rounds)


def _events(_client: Client, options: argparse.Namespace) -> Iterator[Table]:
    count = _scaled(EVENTS, options)
    with peer.scripted(peer.Sizes(events=count)) as path:
        yield events.measure(path, count, options.repeats)


def _execs(client: Client, options: argparse.Namespace) -> Iterator[Table]:
    with peer.scripted(peer.Sizes()) as path:
        yield execs.measure_peer(path, options.rounds)
    yield execs.measure_engine(client, socket_path(), max(1, options.rounds // 12))


def _threads(client: Client, options: argparse.Namespace) -> Iterator[Table]:
    yield threads.measure_engine(client, options.rounds * 2, options.repeats)


def _scripted(_client: Client, options: argparse.Namespace) -> Iterator[Table]:
    listed = _scaled(LISTED, options)
    with peer.scripted(peer.Sizes(containers=listed)) as path:
        yield calls.measure_peer(path, listed, max(1, options.rounds // 4))
        yield threads.measure_peer(path, options.rounds * 2, options.repeats)


def _tls(client: Client, options: argparse.Namespace) -> Iterator[Table]:
    if not options.tls or not options.certificates:
        print("bench: no --tls and --certificates, so TLS is not measured", file=sys.stderr)
        return
    yield remote.measure(client, options.tls, options.certificates, options.rounds)


def _exploring(_client: Client, options: argparse.Namespace) -> Iterator[Table]:
    yield from exploring.measure(options.processes, options.before)


def _scaled(size: int, options: argparse.Namespace) -> int:
    return max(1, round(size * options.scale))


SECTIONS = {
    "calls": _plain_calls,
    "scripted": _scripted,
    "logs": _logs,
    "transfers": _transfers,
    "events": _events,
    "execs": _execs,
    "threads": _threads,
    "tls": _tls,
    "exploring": _exploring,
}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--containers", type=int, default=100, help="how many the engine lists")
    parser.add_argument("--processes", type=int, default=15, help="fresh processes of each kind")
    parser.add_argument("--rounds", type=int, default=500, help="calls of each kind")
    parser.add_argument("--repeats", type=int, default=7, help="streams of each kind")
    parser.add_argument("--scale", type=float, default=1.0, help="makes all streams so much longer")
    parser.add_argument(
        "--tls",
        default=os.environ.get("DYNADOCK_BENCH_TLS"),
        help="tcp://host:port of the same engine over TLS (DYNADOCK_BENCH_TLS)",
    )
    parser.add_argument(
        "--certificates",
        type=Path,
        default=os.environ.get("DYNADOCK_BENCH_CERTIFICATES"),
        help="a folder with its ca.pem and our cert.pem and key.pem (DYNADOCK_BENCH_CERTIFICATES)",
    )
    parser.add_argument(
        "--before", type=Path, help="an earlier state's src folder, to measure its import beside"
    )
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the tables go")
    return parser.parse_args()


if __name__ == "__main__":
    main()
