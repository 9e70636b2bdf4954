"""Looking around: what it adds to an import, help, and search, in fresh processes."""

from __future__ import annotations

import json
import tempfile
from typing import TYPE_CHECKING, Any

import child
from daemon import VERSION
from report import Sample, Table, milliseconds, times

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMPORT = """
import time
begun = time.perf_counter()
{statement}
print(time.perf_counter() - begun)
"""

LOOK = f"""
import json, time
import dynadock

client = dynadock.load("{VERSION}", host="unix:///nowhere.sock")

def timed(look):
    begun = time.perf_counter()
    look()
    return time.perf_counter() - begun

seconds = {{}}
first = [timed(client.ContainerCreate.describe)]
helps = [timed(operation.describe) for operation in client.operations.values()]
found = [timed(lambda: client.find("remove unused"))]
later = [
    timed(lambda words=words: client.find(words))
    for words in ("remove unused", "contianer list", "copy files into a container", "CpuShares")
]
looked = {{"first_help": first, "help": helps, "first_find": found, "find": later}}
print(json.dumps(looked, separators=(",", ":")))
"""

OURS, OURS_IN_USE, PEER = "import dynadock", "from dynadock import load", "import docker"
EXPECTED = {
    "first_help": "<= 20 ms",
    "help": "<= 20 ms",
    "first_find": "<= 50 ms",
    "find": "<= 50 ms",
}
WHAT = {
    "first_help": "the first help of a process (ContainerCreate)",
    "help": "help for each operation after that",
    "first_find": "the first find of a process",
    "find": "find after that",
}


def measure(rounds: int, before: Path | None) -> Iterator[Table]:
    """Yield the tables; ``before`` is the src folder of an earlier state to import beside."""
    yield _imports(rounds, before)
    yield _looks(rounds)


def _imports(rounds: int, before: Path | None) -> Table:
    programs = {each: IMPORT.format(statement=each) for each in (OURS, OURS_IN_USE, PEER)}
    if before is not None:
        earlier = f"import sys; sys.path.insert(0, {str(before)!r})\n"
        for each in (OURS, OURS_IN_USE):
            programs[f"{each}, before"] = earlier + programs[each]
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    with tempfile.TemporaryDirectory() as cache:
        for number in range(rounds + 1):
            for name, program in programs.items():
                (taken,) = child.run(program, cache)
                # The first round fills Python's own cache of compiled modules.
                if number > 0:
                    seconds[name].append(float(taken))
    samples = {name: Sample(values) for name, values in seconds.items()}
    rows = [
        [
            name,
            milliseconds(sample.median),
            milliseconds(sample.least),
            times(sample / samples[PEER]),
        ]
        for name, sample in samples.items()
    ]
    return Table(
        "Importing",
        "Of a fresh process; what explains itself is loaded when it is asked for.",
        ("", "median", "least", "to docker-py"),
        rows,
    )


def _looks(rounds: int) -> Table:
    warm: list[dict[str, Any]] = []
    cold: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as cache:
        for number in range(rounds + 1):
            looked = _look(cache)
            if number > 0:
                warm.append(looked)
            with tempfile.TemporaryDirectory() as empty:
                cold.append(_look(empty))
    rows = [
        [what, *_times(Sample([each for look in warm for each in look[key]])), EXPECTED[key]]
        for key, what in WHAT.items()
    ]
    rows += [
        [f"{WHAT[key]}, ever", *_times(Sample([each for look in cold for each in look[key]])), ""]
        for key in ("first_help", "first_find")
    ]
    return Table(
        f"Help and find, API {VERSION}",
        "After load(); the texts are read when they are first asked for, parsed once and then kept"
        " in the cache. The last rows are with that cache empty.",
        ("", "median", "least", "most", "expected"),
        rows,
    )


def _look(cache: str) -> dict[str, Any]:
    (line,) = child.run(LOOK, cache)
    looked: dict[str, Any] = json.loads(line)
    return looked


def _times(sample: Sample) -> list[str]:
    found = (sample.median, sample.least, max(sample.values))
    return [milliseconds(each) for each in found]
