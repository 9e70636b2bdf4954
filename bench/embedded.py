"""What the embedded engine costs: start, calls in process and over a socket, streams.

    python bench/embedded.py [--docker PATH]     # with a docker command: `docker run` as well

Times are seconds of the clock, the best of several runs; a busy machine makes all of them longer.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from dynadock import load
from dynadock.embedded import Engine

VERSION = "1.42"
ROUNDS = 10_000
BLOCKS = ["dd", "if=/dev/zero", "bs=65536", "count=1600"]
BYTES = 65536 * 1600

ALONE = f"import time, dynadock; t = time.perf_counter(); c = dynadock.load({VERSION!r}, host={{}})"
SHOW = "print(time.perf_counter() - t)"


def best(measure, times=5):
    """Return the shortest of several measurements."""
    return min(measure() for _ in range(times))


def timed(act):
    """Return how long something takes."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def in_new_process(code):
    """Return the seconds that a new interpreter prints, which has compiled modules at hand."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return float(ran.stdout)


def first_engine():
    """Return how much longer it takes to load a client and its engine than the client alone."""
    alone = ALONE.format("'unix:///nowhere.sock'") + "; " + SHOW
    both = ALONE.format("'embedded://'") + "; c.endpoint; " + SHOW
    return best(lambda: in_new_process(both)) - best(lambda: in_new_process(alone))


def ten_listed(client):
    """Return the time of a list of ten containers."""
    for _ in range(10):
        client.ContainerCreate(Image="busybox", Cmd=["sleep", "600"])
    many = 500
    return best(lambda: timed(lambda: [client.ContainerList(all=True) for _ in range(many)])) / many


def one_round(client):
    """Create, start, inspect and delete a container."""
    made = client.ContainerCreate(Image="busybox", Cmd=["true"]).Id
    client.ContainerStart(made)
    client.ContainerInspect(made)
    client.ContainerDelete(made, force=True)


def read_all(stream):
    """Read a stream to its end, and return how long that took."""
    begun, size = time.perf_counter(), 0
    with stream:
        for frame in stream:
            size += len(frame.data)
    assert size == BYTES, size
    return time.perf_counter() - begun


def logs(client):
    """Return the megabytes per second of a followed log."""
    made = client.ContainerCreate(Image="busybox", Cmd=BLOCKS).Id
    client.ContainerStart(made)
    seconds = read_all(client.ContainerLogs(made, stdout=True, follow=True))
    client.ContainerDelete(made)
    return BYTES / 1e6 / seconds


def output(client, running):
    """Return the megabytes per second of an exec."""
    made = client.ContainerExec(running, Cmd=BLOCKS, AttachStdout=True).Id
    return BYTES / 1e6 / read_all(client.ExecStart(made))


def many_engines(count=500):
    """Return how long it takes to have many engines that each ran something, and threads left."""
    before = threading.active_count()
    begun = time.perf_counter()
    engines = [Engine(seed=number) for number in range(count)]
    for engine in engines:
        one_round(engine.client(VERSION))
    for engine in engines:
        engine.close()
    return time.perf_counter() - begun, threading.active_count() - before


def docker(path, *command, host):
    """Return how long the docker command takes."""
    environment = {**os.environ, "DOCKER_HOST": host}
    return timed(lambda: subprocess.run([path, *command], env=environment, check=True,
                                        capture_output=True))  # fmt: skip


def main():
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--docker", type=Path)
    options.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = options.parse_args()
    print(f"first engine of a process: {first_engine() * 1e3:.1f} ms more than load (<= 25)")
    later = best(lambda: timed(lambda: load(VERSION, host="embedded://").endpoint))
    print(f"a later engine: {later * 1e3:.2f} ms (<= 5)")
    with Engine() as engine, engine.client(VERSION) as client:
        print(f"list of ten, in process: {ten_listed(client) * 1e3:.3f} ms (<= 0.2)")
    with Engine() as engine, engine.client(VERSION) as client:
        seconds = timed(lambda: [one_round(client) for _ in range(chosen.rounds)])
        print(f"{chosen.rounds} rounds: {seconds:.1f} s (10000: <= 15)")
        running = client.ContainerCreate(Image="busybox", Cmd=["sleep", "600"]).Id
        client.ContainerStart(running)
        print(f"logs, in process: {logs(client):.0f} MB/s (>= 100)")
        print(f"exec, in process: {output(client, running):.0f} MB/s (>= 100)")
    seconds, threads = many_engines()
    print(f"500 engines, a round each: {seconds:.2f} s, {threads} threads left")
    with Engine() as engine, load(VERSION, host=engine.url) as client:
        for _ in range(1000):
            client.ContainerCreate(Image="busybox", Cmd=["sleep", "600"])
        seconds = best(lambda: timed(lambda: client.ContainerList(all=True)))
        print(f"list of 1000 over a socket: {seconds:.3f} s (<= 0.1)")
        if chosen.docker:
            run = best(lambda: docker(chosen.docker, "run", "--rm", "busybox", "true",
                                      host=engine.url))  # fmt: skip
            version = best(lambda: docker(chosen.docker, "version", host=engine.url))
            print(f"docker run: {run:.3f} s, {run / version:.2f} x docker version (<= 2)")


if __name__ == "__main__":
    main()
