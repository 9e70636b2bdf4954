"""Measure dynadock beside docker-py and bare http.client, and write bench/RESULTS.md."""

from __future__ import annotations

import argparse
from pathlib import Path

import calls
import checks
import loading
import startup
from daemon import connected, containers
from report import document, setting

RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    options = _options()
    processes, rounds = options.processes, options.rounds
    with connected() as client, containers(client, options.containers):
        engine = client.SystemVersion().Version
        listed = len(client.ContainerList(all=True))
        tables = [
            startup.measure(processes),
            calls.measure(client, rounds),
            checks.measure(client, rounds),
            loading.measure(processes),
        ]
    counts = f"{processes} processes or {rounds} calls of each kind"
    text = document(setting(engine, listed, counts), tables)
    options.output.write_text(text, encoding="utf-8")
    print(text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--containers", type=int, default=100, help="how many the engine lists")
    parser.add_argument("--processes", type=int, default=15, help="fresh processes of each kind")
    parser.add_argument("--rounds", type=int, default=500, help="calls of each kind")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the tables go")
    return parser.parse_args()


if __name__ == "__main__":
    main()
