"""From a fresh process to the first result: seconds of the CPU and of the clock, and memory."""

from __future__ import annotations

import resource
import tempfile
import time
from typing import TYPE_CHECKING, NamedTuple

import child
from daemon import VERSION
from race import turns
from report import Sample, Table, mebibytes, milliseconds, times

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LOAD = f"""
from dynadock import load
client = load("{VERSION}")
"""

PREPARE = f"""{LOAD}
client.ContainerList.prepare(all=True)
"""

DYNADOCK = f"""{LOAD}
found = client.ContainerList(all=True)
assert isinstance(found, list)
"""

DOCKER_PY = f"""
import os, docker
found = docker.APIClient(os.environ["DOCKER_HOST"], version="{VERSION}").containers(all=True)
assert isinstance(found, list)
"""

HTTP_CLIENT = f"""
import http.client, json, os, socket
connection = http.client.HTTPConnection("localhost")
connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
connection.sock.connect(os.environ["DOCKER_HOST"].removeprefix("unix://"))
connection.request("GET", "/v{VERSION}/containers/json?all=true")
found = json.loads(connection.getresponse().read())
assert isinstance(found, list)
"""

# The clock is the same one in every process.
LAST_WORDS = f"""
import time
print(time.monotonic())
{child.RESIDENT}
print(resident("VmHWM"))
"""

WARM = "dynadock, compiled form there"
COLD = "dynadock, no compiled form"
PEER = "docker-py"
BARE = "http.client + json"
PREPARED_COLD = "load and prepare, no compiled form"
CALLS = {WARM: DYNADOCK, COLD: DYNADOCK, PEER: DOCKER_PY, BARE: HTTP_CLIENT}
PARTS = {
    "Python alone": "",
    "import dynadock": "import dynadock",
    "from dynadock import load": "from dynadock import load",
    "load": LOAD,
    "load and prepare": PREPARE,
    PREPARED_COLD: PREPARE,
}
"""All that comes before something is sent; each has the one before it in it."""

PROGRAMS = CALLS | PARTS
WITHOUT_CACHE = (COLD, PREPARED_COLD)
EXPECTED = {
    WARM: "CPU <= 1.5 x http.client, <= 0.55 x docker-py; memory <= 0.75 x docker-py",
    COLD: "CPU <= 1.2 x docker-py",
}


class Start(NamedTuple):
    """What one process took: seconds of the CPU (user and system), of the clock, and bytes."""

    cpu: float
    wall: float
    peak: float


def measure(rounds: int) -> Table:
    starts: dict[str, list[Start]] = {name: [] for name in PROGRAMS}
    with tempfile.TemporaryDirectory() as cache:
        # A first round fills the cache, and Python's own of compiled modules.
        for name in PROGRAMS:
            _start(cache, name)
        for name in turns(PROGRAMS, rounds):
            starts[name].append(_start(cache, name))
    return _table(
        _samples(starts, "cpu"),
        _samples(starts, "wall"),
        _samples(starts, "peak"),
    )


def _start(cache: str, name: str) -> Start:
    if name not in WITHOUT_CACHE:
        return _run(PROGRAMS[name], cache)
    with tempfile.TemporaryDirectory() as empty:
        return _run(PROGRAMS[name], empty)


def _run(program: str, cache: str) -> Start:
    used, begun = _cpu_of_children(), time.monotonic()
    ended, peak = child.run(program + LAST_WORDS, cache)
    return Start(_cpu_of_children() - used, float(ended) - begun, int(peak))


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _samples(starts: Mapping[str, Iterable[Start]], field: str) -> dict[str, Sample]:
    return {name: Sample([getattr(each, field) for each in starts[name]]) for name in starts}


def _table(
    cpu: Mapping[str, Sample], wall: Mapping[str, Sample], peak: Mapping[str, Sample]
) -> Table:
    rows = [
        [
            name,
            milliseconds(cpu[name].median),
            milliseconds(cpu[name].least),
            milliseconds(wall[name].median),
            mebibytes(peak[name].median),
            times(cpu[name] / cpu[BARE]),
            times(cpu[name] / cpu[PEER]),
            times(wall[name] / wall[PEER]),
            times(peak[name] / peak[PEER]),
            EXPECTED.get(name, ""),
        ]
        for name in PROGRAMS
    ]
    return Table(
        f"Fresh process to the first ContainerList(all=True), API {VERSION}",
        "CPU is user and system time of the whole process; time is the clock's, from the start of"
        " the interpreter to the decoded list; the peak is the resident memory's. The rows below"
        f" {BARE} are the parts of what comes before the call is sent.",
        (
            *("", "CPU", "least CPU", "time", "peak", "CPU to http.client", "CPU to docker-py"),
            *("time to docker-py", "memory to docker-py", "expected"),
        ),
        rows,
    )
