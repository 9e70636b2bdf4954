"""From a fresh process to the first result: seconds and peak memory."""

from __future__ import annotations

import tempfile
import time
from typing import TYPE_CHECKING

import child
from daemon import VERSION
from report import Sample, Table, mebibytes, milliseconds, times

if TYPE_CHECKING:
    from collections.abc import Mapping

DYNADOCK = f"""
from dynadock import load
found = load("{VERSION}").ContainerList(all=True)
"""

DOCKER_PY = f"""
import os, docker
found = docker.APIClient(os.environ["DOCKER_HOST"], version="{VERSION}").containers(all=True)
"""

HTTP_CLIENT = f"""
import http.client, json, os, socket
connection = http.client.HTTPConnection("localhost")
connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
connection.sock.connect(os.environ["DOCKER_HOST"].removeprefix("unix://"))
connection.request("GET", "/v{VERSION}/containers/json?all=true")
found = json.loads(connection.getresponse().read())
"""

# The clock is the same one in every process.
LAST_WORDS = f"""
import time
print(time.monotonic())
assert isinstance(found, list)
{child.RESIDENT}
print(resident("VmHWM"))
"""

WARM = "dynadock, compiled form there"
COLD = "dynadock, no compiled form"
PEER = "docker-py"
BARE = "http.client + json"
PROGRAMS = {WARM: DYNADOCK, COLD: DYNADOCK, PEER: DOCKER_PY, BARE: HTTP_CLIENT}
EXPECTED = {WARM: "time <= 1.0 x, memory <= 1.1 x", COLD: "time <= 1.6 x"}


def measure(rounds: int) -> Table:
    seconds: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    peaks: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    with tempfile.TemporaryDirectory() as cache:
        for number in range(rounds + 1):
            for name in PROGRAMS:
                taken, peak = _run_in(cache, name)
                # The first round fills the cache, and Python's own of compiled modules.
                if number > 0:
                    seconds[name].append(taken)
                    peaks[name].append(peak)
    return _table(
        {name: Sample(values) for name, values in seconds.items()},
        {name: Sample(values) for name, values in peaks.items()},
    )


def _run_in(cache: str, name: str) -> tuple[float, float]:
    if name != COLD:
        return _run(PROGRAMS[name], cache)
    with tempfile.TemporaryDirectory() as empty:
        return _run(PROGRAMS[name], empty)


def _run(program: str, cache: str) -> tuple[float, float]:
    begun = time.monotonic()
    ended, peak = child.run(program + LAST_WORDS, cache)
    return float(ended) - begun, int(peak)


def _table(seconds: Mapping[str, Sample], peaks: Mapping[str, Sample]) -> Table:
    rows = [
        [
            name,
            milliseconds(seconds[name].median),
            milliseconds(seconds[name].least),
            mebibytes(peaks[name].median),
            times(seconds[name] / seconds[PEER]),
            times(peaks[name] / peaks[PEER]),
            EXPECTED.get(name, ""),
        ]
        for name in PROGRAMS
    ]
    return Table(
        f"Fresh process to the first ContainerList(all=True), API {VERSION}",
        "From the start of the interpreter to the decoded list; the peak is the resident memory's.",
        ("", "median", "least", "peak", "time to docker-py", "memory to docker-py", "expected"),
        rows,
    )
