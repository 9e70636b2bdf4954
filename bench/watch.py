"""What watching costs: bytes and pings through `watch`, through a plain proxy, and without either.

``python bench/watch.py`` starts three processes: a peer that answers pings and takes and gives
bytes as fast as it can, a proxy that does nothing but copy between sockets, and
``python -m dynadock watch``. Everything is asked in turns, so that a busy machine is so for all.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 64 * 1024
MEGABYTES = 128
ROUNDS = 9
PINGS = 400

PING = b"GET /v1.45/_ping HTTP/1.1\r\nHost: d\r\n\r\n"
PONG = (
    b"HTTP/1.1 200 OK\r\nApi-Version: 1.45\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: 2\r\n\r\nOK"
)
GET = b"GET /v1.45/images/get HTTP/1.1\r\nHost: d\r\n\r\n"
PUT = b"POST /v1.45/images/load HTTP/1.1\r\nHost: d\r\nContent-Type: application/x-tar\r\n"
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
CHUNK = b"10000\r\n%b\r\n" % bytes(BLOCK)
LAST = b"0\r\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n"


def listen(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    return listener


def peer(path: str) -> None:
    """Answer what this benchmark asks."""
    listener = listen(path)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        while data := connection.recv(BLOCK):
            if data.startswith(PING):
                connection.sendall(PONG)
            elif data.startswith(GET):
                connection.sendall(STREAM)
                for _ in range(MEGABYTES * 2**20 // BLOCK):
                    connection.sendall(CHUNK)
                connection.sendall(LAST)
            else:
                while not data.endswith(LAST):
                    data = connection.recv(BLOCK)
                connection.sendall(EMPTY)


def plain(path: str, to: str) -> None:
    """Copy between sockets, and nothing else."""
    listener = listen(path)
    while True:
        connection, _ = listener.accept()
        there = socket.socket(socket.AF_UNIX)
        there.connect(to)
        for ends in ((connection, there), (there, connection)):
            threading.Thread(target=_copy, args=ends, daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(BLOCK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def pings(path: str) -> float:
    """Return the milliseconds of a ping over a kept connection."""
    times = []
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        for _ in range(PINGS):
            begun = time.perf_counter()
            client.sendall(PING)
            came = b""
            while len(came) < len(PONG):
                came += client.recv(BLOCK)
            times.append(time.perf_counter() - begun)
    return 1000 * sum(times) / len(times)


def downloads(path: str) -> float:
    """Return megabytes a second from the peer."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        begun = time.perf_counter()
        client.sendall(GET)
        data = b""
        while not data.endswith(LAST):
            data = client.recv(BLOCK)
        return MEGABYTES / (time.perf_counter() - begun)


def uploads(path: str) -> float:
    """Return megabytes a second to the peer."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        begun = time.perf_counter()
        client.sendall(PUT + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(MEGABYTES * 2**20 // BLOCK):
            client.sendall(CHUNK)
        client.sendall(LAST)
        client.recv(BLOCK)
        return MEGABYTES / (time.perf_counter() - begun)


@contextlib.contextmanager
def running(*command: str, path: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process until this is left, from when it listens."""
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL) as process:
        try:
            while not Path(path).exists():
                time.sleep(0.02)
            yield process
        finally:
            process.terminate()


def processor_time(process: subprocess.Popen[bytes]) -> float:
    """Return the seconds of processor time that a process has taken so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        direct, copied, watched = (f"{folder}/{name}" for name in ("peer", "plain", "watch"))
        watch = ("-m", "dynadock", "watch", "-H", f"unix://{watched}", "--to", f"unix://{direct}")
        stack.enter_context(running(__file__, "peer", direct, path=direct))
        processes = {
            "plain proxy": stack.enter_context(
                running(__file__, "plain", copied, direct, path=copied)
            ),
            "watch": stack.enter_context(running(*watch, path=watched)),
        }
        ways = {"direct": direct, "plain proxy": copied, "watch": watched}
        for path in ways.values():
            pings(path)
        figures: dict[str, list[float]] = {name: [] for name in ways}
        for measure in (downloads, uploads, pings):
            taken: dict[str, list[float]] = {name: [] for name in ways}
            spent = dict.fromkeys(processes, 0.0)
            for _ in range(ROUNDS):
                for name, path in ways.items():
                    begun = processor_time(processes[name]) if name in processes else 0
                    taken[name].append(measure(path))
                    if name in processes:
                        spent[name] += processor_time(processes[name]) - begun
            for name, values in taken.items():
                figures[name].append(median(values))
            print(f"{measure.__name__}: processor time of", spent)
        print(f"{'':14}{'ping, ms':>12}{'down, MB/s':>12}{'up, MB/s':>12}")
        for name, (down, up, ping) in figures.items():
            values = (ping, down, up)
            print(f"{name:14}{values[0]:12.3f}{values[1]:12.0f}{values[2]:12.0f}")
        (*plain_ones, _), (*watch_ones, _) = figures["plain proxy"], figures["watch"]
        share = min(one / other for one, other in zip(watch_ones, plain_ones, strict=True))
        added = figures["watch"][2] - figures["direct"][2]
        print(
            f"watch passes {share:.2f} of the plain proxy's bytes and adds {added:.3f} ms to a ping"
        )


if __name__ == "__main__":
    {"peer": peer, "plain": plain}.get(sys.argv[1] if sys.argv[1:] else "", main)(*sys.argv[2:])
