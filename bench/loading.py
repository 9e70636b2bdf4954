"""Loading every bundled version in one process: seconds and memory."""

from __future__ import annotations

import tempfile

import child
from report import Sample, Table, mebibytes, milliseconds

from dynadock.spec.library import bundled_versions

VERSIONS = [str(version) for version in bundled_versions()]

PROGRAM = f"""
{child.RESIDENT}
import time
import dynadock

size, begun = resident("VmRSS"), time.perf_counter()
clients = [dynadock.load(version) for version in {VERSIONS}]
print(time.perf_counter() - begun, resident("VmRSS") - size, len(clients))
"""


def measure(rounds: int) -> Table:
    with tempfile.TemporaryDirectory() as cache:
        # The first run compiles what the others read.
        runs = [_run(cache) for _ in range(rounds + 1)][1:]
    seconds, sizes = Sample([run[0] for run in runs]), Sample([run[1] for run in runs])
    return Table(
        f"Loading all {len(VERSIONS)} versions in one fresh process",
        "Over the bare `import dynadock`, with the compiled forms there.",
        ("", "median", "least", "expected"),
        [
            ["time", milliseconds(seconds.median), milliseconds(seconds.least), "<= 300 ms"],
            ["memory", mebibytes(sizes.median), mebibytes(sizes.least), "<= 60 MiB"],
        ],
    )


def _run(cache: str) -> tuple[float, float]:
    seconds, size, count = child.run(PROGRAM, cache)
    assert int(count) == len(VERSIONS)
    return float(seconds), float(size)
