#!/usr/bin/env python3
"""Run the tests on engines at every version, and write what became of each operation.

    compat.py                  run what has no results yet, and write the page and the heat map
    compat.py --again          run everything anew
    compat.py --only d20-1.30  run these columns alone: NAME, or NAME-VERSION
    compat.py --draw           only write both of the results that there are
    compat.py --check FOLDER   hold the results that a run of the tests has left there
                               (DYNADOCK_TEST_RESULTS) against the page

The engines are those of DYNADOCK_TEST_ENGINES, the versions those of --api. Results lie in
build/compat, a file for each engine and version, so a run that was cut goes on where it was. A
column whose tests failed is run again.

The exit code is 0, 1 (a test failed, a column is missing, or something differs; lines say what) or
2 (wrong usage), 130 if it was interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import compat_page
from compat_page import Column
from dynadock import DynadockError, load
from dynadock.atomic import replacing
from dynadock.compat.results import Results
from dynadock.errors import SpecError
from dynadock.spec.library import available_versions
from dynadock.spec.versions import Version, VersionRange, parse_range, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build" / "compat"
PAGE = ROOT / "docs" / "compatibility.md"
MAP = ROOT / "build" / "compatibility.html"

ENGINES, API, RESULTS = "DYNADOCK_TEST_ENGINES", "DYNADOCK_TEST_API", "DYNADOCK_TEST_RESULTS"
VERSIONS = "1.30-1.42,newest"
NEWEST = "newest"

LONGEST = 1800
"""Seconds that the tests of one column may take."""

PATIENCE = 120
"""Seconds that a run which is interrupted may take to remove what it has made."""


class Todo(NamedTuple):
    """An engine at a version, and the file of its results."""

    name: str
    address: str
    version: Version

    @property
    def id(self) -> str:
        """What it is called: ``d20-1.30``."""
        return f"{self.name}-{self.version}"

    @property
    def file(self) -> Path:
        """Where its results are."""
        return FOLDER / f"{self.id}.json"


def columns(engines: Mapping[str, str], versions: str) -> list[Todo]:
    """Ask engines which of these versions they speak; SpecError or the call's own error."""
    wanted = [word if word == NEWEST else parse_range(word) for word in versions.split(",")]
    found = []
    for name, address in engines.items():
        with load(host=address) as client:
            facts = client.SystemVersion()
        announced = VersionRange(
            parse_version(facts.MinAPIVersion), parse_version(facts.ApiVersion)
        )
        spoken = [each for each in available_versions() if each in announced]
        found += [
            Todo(name, address, version)
            for version in spoken
            if any(version == spoken[-1] if each == NEWEST else version in each for each in wanted)
        ]
    return found


def is_done(todo: Todo) -> bool:
    """Tell whether there are results in which no test failed."""
    try:
        return not any(
            test.outcome in ("failed", "error") for test in Results.read(todo.file).tests
        )
    except SpecError:
        return False


def run(todos: Sequence[Todo], jobs: int) -> None:
    """Run the tests of each column; columns of one engine one after the other."""
    by_engine: dict[str, list[Todo]] = {}
    for todo in todos:
        by_engine.setdefault(todo.name, []).append(todo)
    FOLDER.mkdir(parents=True, exist_ok=True)
    stop = threading.Event()

    def run_all(of_engine: Iterable[Todo]) -> None:
        for todo in of_engine:
            if not stop.is_set():
                _run_one(todo, stop)

    with ThreadPoolExecutor(jobs) as pool:
        running = [pool.submit(run_all, each) for each in by_engine.values()]
        try:
            for each in running:
                each.result()
        except KeyboardInterrupt:
            # Once is enough: what runs is to tidy up.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            print("interrupted; what runs is ended, what is done stays", file=sys.stderr)
            sys.exit(130)
        finally:
            stop.set()


def _run_one(todo: Todo, stop: threading.Event) -> None:
    begun = time.monotonic()
    todo.file.unlink(missing_ok=True)
    environment = {
        **os.environ,
        ENGINES: f"{todo.name}={todo.address}",
        API: str(todo.version),
        RESULTS: str(FOLDER),
    }
    command = [sys.executable, "-m", "pytest", "tests/engine", "-p", "no:cacheprovider", "-q"]
    log = todo.file.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # So that Ctrl-C comes to it once, from here.
            start_new_session=True,
        )
        while process.poll() is None:
            if stop.wait(0.5) or time.monotonic() - begun > LONGEST:
                _end(process)
    seconds = round(time.monotonic() - begun)
    print(f"{todo.id:14} {_said_of(todo, log)}, {seconds} s", flush=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Interrupt a run, which then removes what it has made, or else kill it."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _said_of(todo: Todo, log: Path) -> str:
    if not todo.file.exists():
        return f"no results; see {log}"
    results = Results.read(todo.file)
    failed = sum(test.outcome in ("failed", "error") for test in results.tests)
    counts = [f"{count} {name}" for name, count in results.counts.items() if count]
    said = f"{len(results.tests)} tests; operations: {', '.join(counts)}"
    return f"{failed} FAILED of {said}; see {log}" if failed else said


def gather(folder: Path) -> tuple[Results, list[tuple[Column, dict[str, Any]]], list[str]]:
    """Read a folder's columns: their results, which answers were met where, and which nowhere."""
    results = Results(how="make compat")
    answers: list[tuple[Column, dict[str, Any]]] = []
    unmet: dict[str, str] = {}
    met: set[str] = set()
    for path in sorted(folder.glob("*.json")):
        part = Results.read(path)
        tree = json.loads(path.read_text(encoding="utf-8"))
        results.merge(part)
        column = Column(compat_page.label(part.engines[0]), parse_version(part.versions[0]))
        answers += [(column, row) for row in tree["met"]]
        met.update(map(_key, tree["met"]))
        unmet.update((_key(row), str(column)) for row in tree["unmet"])
    lines = [f"answers.yaml: nothing meets {row} (at {at})" for row, at in unmet.items()]
    return (
        results,
        answers,
        [line for row, line in zip(unmet, lines, strict=True) if row not in met],
    )


def _key(row: Mapping[str, Any]) -> str:
    return f"{row['case']!r} of {row['row']}"


def draw() -> list[str]:
    """Write the page and the heat map; return what is wrong with the results."""
    results, answers, wrong = gather(FOLDER)
    text = compat_page.draw(compat_page.table_of(results), answers)
    with replacing(PAGE) as file:
        file.write(text.encode())
    results.write(MAP)
    print(f"wrote {PAGE.relative_to(ROOT)} and {MAP.relative_to(ROOT)}: {results}")
    failed = [test for test in results.tests if test.outcome in ("failed", "error")]
    return [
        *wrong,
        *(f"{each.engine} at {each.version}: {each.id}: {each.reason}" for each in failed),
    ]


def check(folder: Path) -> list[str]:
    """Hold the results of a run against the page; return the differences."""
    results, _, _ = gather(folder)
    table = compat_page.table_of(results)
    if not table:
        return [f"{folder} has no results; a whole run of tests/engine writes them ({RESULTS})"]
    lines = compat_page.differences(table, compat_page.read(PAGE.read_text(encoding="utf-8")))
    if not lines:
        print(f"{PAGE.name} says what came of {', '.join(map(str, table))}")
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--api", default=VERSIONS, help=f"versions of the API ({VERSIONS})")
    parser.add_argument("--only", metavar="COLUMN", nargs="+", default=[], help="d20, d20-1.30")
    parser.add_argument("--again", action="store_true", help="run what has results, too")
    parser.add_argument("--jobs", type=int, default=2, help="engines at a time (2)")
    parser.add_argument("--draw", action="store_true", help="run nothing")
    parser.add_argument("--check", metavar="FOLDER", type=Path, help="results to hold against")
    options = parser.parse_args(arguments)
    if options.check:
        wrong = check(options.check)
    else:
        wrong = [] if options.draw else _work(options, parser)
        wrong += draw()
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


def _work(options: argparse.Namespace, parser: argparse.ArgumentParser) -> list[str]:
    """Run what is to be run; return which columns have no results."""
    # As Ctrl-C does, so that what runs is ended and tidies up.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    words = [each.partition("=") for each in os.environ.get(ENGINES, "").split()]
    if not words:
        parser.error(f"{ENGINES} names no engine: name=address ...")
    try:
        todos = columns({name: address for name, _, address in words}, options.api)
    except DynadockError as error:
        parser.error(str(error))
    if options.only:
        known = {each for todo in todos for each in (todo.name, todo.id)}
        if not known.issuperset(options.only):
            parser.error(f"there is no {', '.join({*options.only} - known)}")
        todos = [each for each in todos if {each.name, each.id} & {*options.only}]
    left = [each for each in todos if options.again or not is_done(each)]
    print(f"{len(left)} of {len(todos)} columns are to be run", flush=True)
    run(left, options.jobs)
    return [f"{each.id}: no results" for each in todos if not each.file.exists()]


if __name__ == "__main__":
    sys.exit(main())
