"""Loading every bundled version in one process: seconds and memory."""

from __future__ import annotations

import tempfile

import child
from report import Sample, Table, mebibytes, milliseconds

PROGRAM = f"""
{child.RESIDENT}
import time
import dynadock

size, begun = resident("VmRSS"), time.perf_counter()
clients = [dynadock.load(f"1.{{minor}}") for minor in range(25, 56)]
print(time.perf_counter() - begun, resident("VmRSS") - size, len(clients))
"""


def measure(rounds: int) -> Table:
    with tempfile.TemporaryDirectory() as cache:
        # The first run compiles what the others read.
        runs = [_run(cache) for _ in range(rounds + 1)][1:]
    seconds, sizes = Sample([run[0] for run in runs]), Sample([run[1] for run in runs])
    return Table(
        "Loading all 31 versions in one fresh process",
        "Over the bare `import dynadock`, with the compiled forms there.",
        ("", "median", "least", "expected"),
        [
            ["time", milliseconds(seconds.median), milliseconds(seconds.least), "<= 300 ms"],
            ["memory", mebibytes(sizes.median), mebibytes(sizes.least), "<= 60 MiB"],
        ],
    )


def _run(cache: str) -> tuple[float, float]:
    seconds, size, count = child.run(PROGRAM, cache)
    assert count == "31"
    return float(seconds), float(size)
