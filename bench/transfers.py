"""Images of a gigabyte, each way: seconds, and the growth of the process's memory."""

from __future__ import annotations

import contextlib
import os
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import child
from daemon import VERSION
from race import turns
from report import Sample, Table, mebibytes, milliseconds, significant, times

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dynadock import Client

MEBIBYTE = 2**20

# Everything is imported and connected before the clock runs and the memory is looked at.
FRAME = """
import os, sys, time
{resident}
{setup}
before, begun = resident("VmRSS"), time.perf_counter()
{action}
print(time.perf_counter() - begun, resident("VmHWM") - before)
"""

DYNADOCK = f"""
from dynadock import load
import dynadock.streams.opening
client = load("{VERSION}")
client.SystemPing()
"""

DOCKER_PY = f"""
import docker
client = docker.APIClient(os.environ["DOCKER_HOST"], version="{VERSION}", timeout=600)
client.ping()
"""

SOCKET = """
import socket
connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
connection.connect(os.environ["DOCKER_HOST"].removeprefix("unix://"))
"""

OURS = "dynadock"
PEER = "docker-py"
BARE = "bare socket"
EXPECTED = {OURS: "speed >= 0.95 x the bare socket, growth <= 32 MiB"}

SAVING = {
    OURS: (
        DYNADOCK,
        """
with open(os.devnull, "wb") as sink:
    client.ImageGet({image!r}).copy_to(sink)
""",
    ),
    PEER: (
        DOCKER_PY,
        """
with open(os.devnull, "wb") as sink:
    for block in client.get_image({image!r}):
        sink.write(block)
""",
    ),
    BARE: (
        SOCKET,
        """
connection.sendall(
    b"GET /v{version}/images/{image}/get HTTP/1.1\\r\\n"
    b"Host: localhost\\r\\nConnection: close\\r\\n\\r\\n"
)
with open(os.devnull, "wb") as sink:
    while block := connection.recv(2**20):
        sink.write(block)
""",
    ),
}

LOADING = {
    OURS: (
        DYNADOCK,
        """
with open({file!r}, "rb") as file:
    client.ImageLoad(body=file).wait()
""",
    ),
    PEER: (
        DOCKER_PY,
        """
with open({file!r}, "rb") as file:
    list(client.load_image(file))
""",
    ),
    BARE: (
        SOCKET,
        """
connection.sendall(
    b"POST /v{version}/images/load HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n"
    b"Content-Type: application/x-tar\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n"
)
with open({file!r}, "rb") as file:
    while block := file.read(2**16):
        connection.sendall(b"%x\\r\\n%b\\r\\n" % (len(block), block))
connection.sendall(b"0\\r\\n\\r\\n")
while connection.recv(2**16):
    pass
""",
    ),
}


def measure(client: Client, size: int, rounds: int) -> list[Table]:
    """Measure with an image of ``size`` MiB, made and removed here."""
    with tempfile.TemporaryDirectory() as folder, _image(client, size) as image:
        file = str(Path(folder, "image.tar"))
        client.ImageGet(image).save(file)
        values = {"image": image, "file": file, "version": VERSION}
        return [
            _table(f"Saving an image of {size} MiB to a null sink", SAVING, values, size, rounds),
            # The engine writes it to a disk, whose speed varies.
            _table(
                f"Loading an image of {size} MiB from a file", LOADING, values, size, 3 * rounds
            ),
        ]


@contextlib.contextmanager
def _image(client: Client, size: int) -> Iterator[str]:
    name = f"dynadock-bench-{os.getpid()}:big"
    repo, _, tag = name.partition(":")
    try:
        client.ImageCreate(fromSrc="-", repo=repo, tag=tag, body=_tar(size)).wait()
        yield name
    finally:
        client.ImageDelete(name, force=True)


def _tar(size: int) -> Iterator[bytes]:
    """Yield an archive of one file that nothing can compress."""
    member = tarfile.TarInfo("data")
    member.size = size * MEBIBYTE
    yield member.tobuf()
    for _ in range(size):
        yield os.urandom(MEBIBYTE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _table(
    title: str,
    programs: Mapping[str, tuple[str, str]],
    values: Mapping[str, str],
    size: int,
    rounds: int,
) -> Table:
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    with tempfile.TemporaryDirectory() as cache:
        # The first round fills Python's cache of compiled modules, the client's and the kernel's.
        for name in [*programs, *turns(programs, rounds)]:
            setup, action = programs[name]
            code = FRAME.format(
                resident=child.RESIDENT, setup=setup, action=action.format_map(values)
            )
            seconds, growth = child.run(code, cache)
            runs[name].append((float(seconds), float(growth)))
    runs = {name: each[1:] for name, each in runs.items()}
    taken = {name: Sample([seconds for seconds, _ in each]) for name, each in runs.items()}
    return Table(
        title,
        "A fresh process each time; it is up and connected when the clock starts.",
        ("", "median", "least", "MiB/s", "growth", f"speed to {BARE}", "expected"),
        [
            [
                name,
                milliseconds(sample.median),
                milliseconds(sample.least),
                significant(size / sample.median),
                mebibytes(max(growth for _, growth in runs[name])),
                times(taken[BARE] / sample),
                EXPECTED.get(name, ""),
            ]
            for name, sample in taken.items()
        ],
    )
