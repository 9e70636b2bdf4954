"""Logs, of a scripted peer that is faster than any client and of a real engine that is not."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import bare
import docker
from daemon import IMAGE, VERSION, started
from peer import BLOCKS, LINES, logs_path
from race import race
from recorded import BLOCK, LINE
from report import Sample, Table, milliseconds, significant, times

from dynadock import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dynadock import Client
    from dynadock.streams.frames import FrameStream
    from dynadock.wire.frames import Frame

    Read = Callable[[], int]
    """Reads a log to its end and returns how many bytes of output it had."""

ITERATED = "dynadock: for frame in log"
LINED = "dynadock: log.lines()"
TEXT = "dynadock: log.text()"
COLLECTED = "dynadock: log.collect()"
HELPERS = (LINED, TEXT, COLLECTED)
PEER_ITERATED = "docker-py: logs(stream=True)"
PEER_WHOLE = "docker-py: logs()"
HTTP = "http.client: read(65536)"
STRUCT = "bare socket, struct loop"
SOCKET = "bare socket"
REFERENCES = (PEER_ITERATED, PEER_WHOLE, HTTP, SOCKET)

MEGABYTE = 1_000_000
WRITER = "yes {text} | head -n {count}"


def measure_lines(path: str, frames: int, rounds: int) -> Table:
    expected = dict.fromkeys(HELPERS, ">= 10 x the iterator") | {ITERATED: ">= 5 x the iterator"}
    return _table(
        f"{frames} frames of {LINE} bytes, stdout and stderr mixed, from a scripted peer",
        "As Docker 26.1 writes them: each in a chunk of its own.",
        _race(path, LINES, frames * LINE, rounds),
        ("frames/s", frames),
        expected,
    )


def measure_blocks(path: str, frames: int, rounds: int) -> Table:
    return _table(
        f"{frames} frames of 64 KiB from a scripted peer",
        "Each in a chunk of its own.",
        _race(path, BLOCKS, frames * BLOCK, rounds),
        ("MB/s", frames * BLOCK / MEGABYTE),
        {
            ITERATED: ">= 1.0 x docker-py, >= 0.7 x http.client",
            TEXT: ">= 1.0 x logs()",
            COLLECTED: ">= 1.0 x logs()",
        },
    )


def measure_engine(client: Client, path: str, lines: int, rounds: int) -> Table:
    """Logs that a container of the engine has written."""
    lines_each = lines // 2
    writers = [WRITER.format(text=letter * (LINE - 1), count=lines_each) for letter in "oe"]
    command = ["sh", "-c", f"{writers[0]} & {writers[1]} >&2; wait"]
    with started(client, Image=IMAGE, Cmd=command) as container:
        client.ContainerWait(container)
        samples = _race(path, container, 2 * lines_each * LINE, rounds)
    return _table(
        f"{lines} lines of {LINE} bytes from the engine",
        "What a container has written to stdout and stderr.",
        samples,
        ("MB/s", lines * LINE / MEGABYTE),
        dict.fromkeys((ITERATED, *HELPERS), ">= 0.9 x the bare socket"),
    )


def _race(path: str, name: str, size: int, rounds: int) -> dict[str, Sample]:
    client = load(VERSION, host=f"unix://{path}")
    with docker.APIClient(f"unix://{path}", version=VERSION) as peer:
        ways = _contestants(client, peer, path, name)
        return race({who: partial(_checked, way, size) for who, way in ways.items()}, rounds)


def _checked(read: Read, size: int) -> None:
    # http.client returns the headers of frames as well, a bare socket those of chunks too.
    assert read() >= size


def _contestants(client: Client, peer: docker.APIClient, path: str, name: str) -> dict[str, Read]:
    log = partial(client.ContainerLogs, name, stdout=True, stderr=True)
    return {
        ITERATED: lambda: _size_of_frames(log()),
        LINED: lambda: _size_of_lines(log()),
        TEXT: lambda: len(log().text()),
        COLLECTED: lambda: sum(map(len, log().collect())),
        PEER_ITERATED: lambda: _size(peer.logs(name, stream=True, follow=False)),
        PEER_WHOLE: lambda: len(peer.logs(name)),
        HTTP: lambda: _size(bare.by_http_client(path, logs_path(name))),
        STRUCT: lambda: _size(
            data for _, data in bare.frames(bare.by_socket(path, logs_path(name)))
        ),
        SOCKET: lambda: _size(bare.by_socket(path, logs_path(name))),
    }


def _size(blocks: Iterable[bytes]) -> int:
    size = 0
    for block in blocks:
        size += len(block)
    return size


def _size_of_frames(log: Iterable[Frame]) -> int:
    size = 0
    for frame in log:
        size += len(frame.data)
    return size


def _size_of_lines(log: FrameStream) -> int:
    size = 0
    for line in log.lines():
        size += len(line.text) + 1
    return size


def _table(
    title: str,
    explanation: str,
    samples: Mapping[str, Sample],
    amount: tuple[str, float],
    expected: Mapping[str, str],
) -> Table:
    unit, much = amount
    return Table(
        title,
        f"{explanation} Ratios are of speeds.",
        ("", "median", "least", unit, *(f"to {name}" for name in REFERENCES), "expected"),
        [
            [
                name,
                milliseconds(sample.median),
                milliseconds(sample.least),
                significant(much / sample.median),
                *(times(samples[each] / sample) for each in REFERENCES),
                expected.get(name, ""),
            ]
            for name, sample in samples.items()
        ],
    )
