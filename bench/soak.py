"""One client under threads, for minutes, on an engine that does everything wrong that it can.

    python bench/soak.py [--seconds 600] [--threads 8] [--seed N]

Calls and streams of all kinds go through one client for each address (a unix socket and tcp, in
turns), to a scripted peer (`soak_peer.py`). Each call carries a token, which names the fault that
its answer is to have. What may come of a call: its own answer, a TransportError, or the APIError
that the peer meant for it. All else is a failure: another's answer, another exception, a warning, a
call that hangs; a descriptor or a thread that is left when the client is closed; memory that grows.
Failures are printed with the seed and the fault, and the program ends with 1.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import gc
import hashlib
import itertools
import logging
import os
import random
import statistics
import sys
import threading
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from soak_peer import FAULTS, ITEMS, PATIENCE, line, playing, token_of

from dynadock import load
from dynadock.errors import APIError, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dynadock import Client

VERSION = "1.42"
CONNECTIONS = 4
FIRST_REDIRECT = 300
ROUNDS = 12
LONGEST_CALL = 20.0
"""Seconds after which a call hangs: no fault lasts nearly as long."""

LARGEST_GROWTH = 8 * 1024
"""KiB that the process may have more in the last fifth than in the first after the warm-up."""

WARM_UP = 0.2
"""Of the whole time: caches fill, threads get their memory."""

WITH_DEADLINE = 0.2
"""Of the calls have one, which nothing here reaches: they have connections of their own."""

LEAST_ANSWERED = 0.9
"""Of the calls whose fault is harmless; the others met a connection that an earlier one spoilt."""

FEW = 3
"""Calls that say nothing: any may meet such a connection."""

GOOD = 0.4
"""Of the calls are answered without any fault."""

RARE = "silence"
"""Faults that begin like this cost seconds, and are played ten times less often."""


class Wrong(Exception):
    """An answer that is not the call's own."""


def same(found: Any, expected: Any) -> None:
    if found != expected:
        raise Wrong(f"came {found!r:.300}, not {expected!r:.300}")


# Calls: each checks that its answer is its own


def inspect(client: Client, token: str, _: random.Random) -> None:
    same(client.ContainerInspect(token).Id, token)


def create(client: Client, token: str, _: random.Random) -> None:
    same(client.ContainerCreate(name=token, Image="soak").Id, token)


def start(client: Client, token: str, _: random.Random) -> None:
    same(client.ContainerStart(token) or None, None)


def stat(client: Client, token: str, _: random.Random) -> None:
    headers = client.ContainerArchiveInfo(token, path="/")
    same(headers["X-Docker-Container-Path-Stat"]["name"], token)


def logs(client: Client, token: str, _: random.Random) -> None:
    with client.ContainerLogs(token, stdout=True, stderr=True) as log:
        lines = [(each.channel, each.text) for each in log.lines()]
    channels = itertools.cycle(["stdout", "stderr"])
    same(lines, list(zip(channels, (line(token, n) for n in range(ITEMS)), strict=False)))


def frames(client: Client, token: str, _: random.Random) -> None:
    with client.ContainerLogs(token, stdout=True, stderr=True) as log:
        texts = [frame.data.decode() for frame in log]
    same(texts, [f"{line(token, n)}\n" for n in range(ITEMS)])


def events(client: Client, token: str, _: random.Random) -> None:
    with client.SystemEvents(filters={"container": [token]}) as stream:
        values = [(value.id, value.time) for value in stream]
    same(values, [(token, position) for position in range(ITEMS)])


def broken_off(client: Client, token: str, _: random.Random) -> None:
    """Leave a stream after its first value."""
    with client.SystemEvents(filters={"container": [token]}) as stream:
        for value in stream:
            same(value.id, token)
            break


def archive(client: Client, token: str, chance: random.Random) -> None:
    sent = token.encode() * chance.randrange(1, 5000)
    same(client.PutContainerArchive(token, path="/", inputStream=sent), None)


def image(client: Client, token: str, chance: random.Random) -> None:
    blocks = [token.encode() * 1000 for _ in range(chance.randrange(1, 10))]
    tarball: Any = iter(blocks) if chance.random() < 0.5 else b"".join(blocks)
    asked = client.with_options(query={"soak": token})
    with asked.ImageLoad(imagesTarball=tarball) as stream:
        words = [value.stream for value in stream]
    same(words, [f"{token} {hashlib.sha256(b''.join(blocks)).hexdigest()}"] * ITEMS)


def attach(client: Client, token: str, chance: random.Random) -> None:
    asked = client.ContainerAttach(token, stream=True, stdin=True, stdout=True, stderr=True)
    _talk(asked, token, chance)


def execute(client: Client, token: str, chance: random.Random) -> None:
    _talk(client.ExecStart(token, Detach=False, Tty=False), token, chance)


def _talk(duplex: Any, token: str, chance: random.Random) -> None:
    sent = token.encode() * chance.randrange(1, 2000)
    with duplex:
        echoed = duplex.communicate(sent).stdout
    # An upgraded connection has no end but its own: it may end early, and nobody can tell.
    whole = "-in-" in token or echoed == sent
    if not sent.startswith(echoed) or not whole:
        raise Wrong(f"the echo of {len(sent)} bytes is {len(echoed)} bytes: {echoed[:200]!r}")


CALLS: dict[Callable[[Client, str, random.Random], None], str] = {
    inspect: "ContainerInspect",
    create: "ContainerCreate",
    start: "ContainerStart",
    stat: "ContainerArchiveInfo",
    logs: "ContainerLogs",
    frames: "ContainerLogs",
    events: "SystemEvents",
    broken_off: "SystemEvents",
    archive: "PutContainerArchive",
    image: "ImageLoad",
    attach: "ContainerAttach",
    execute: "ExecStart",
}
FITTING = {
    call: [name for name, fault in FAULTS.items() if fault.fits(operation)]
    for call, operation in CALLS.items()
}


# What comes of them


class Failure(NamedTuple):
    """One kind of failure, and what it was in the first case."""

    what: str
    fault: str

    def __str__(self) -> str:
        return f"{self.what} (fault {self.fault})"


class Tally:
    """Counts from all threads, and failures with the first example of each."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.played: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.failures: Counter[Failure] = Counter()
        self.latest: dict[str, str] = {}  # errors by their faults
        self._lock = threading.Lock()

    def note(self, fault: str, error: Exception | None) -> None:
        with self._lock:
            self.played[fault] += 1
            if error is None:
                self.answered[fault] += 1
            else:
                self.errors[type(error).__name__] += 1
                self.latest[fault] = f"{error!r:.300}"

    def fail(self, what: str, fault: str, example: object) -> None:
        failure = Failure(what, fault)
        with self._lock:
            self.failures[failure] += 1
            if self.failures[failure] == 1:
                print(f"FAILED, seed {self.seed}: {failure}: {example}", flush=True)


def is_allowed(error: Exception, token: str, fault: str) -> bool:
    """Tell whether a call may end so.

    An APIError has to be the one that the peer meant for it, or to say of a success that its body
    is not what it should be.
    """
    if not isinstance(error, APIError):
        return isinstance(error, TransportError)
    if error.status < FIRST_REDIRECT:
        return fault.startswith("length-")
    is_own = token in error.explanation or not error.body  # what answers HEAD has no body
    return fault == f"error-{error.status}" and is_own


class Worker(threading.Thread):
    """Makes calls until it is told to stop; ``busy`` is the call at hand and since when."""

    def __init__(
        self, client: Client, over: str, tally: Tally, numbers: Iterator[int], seed: str
    ) -> None:
        super().__init__(name=f"soak {seed}", daemon=True)
        self.stopping = False
        self.busy = ("", 0.0)
        self._clients = (client, client.with_options(deadline=2 * LONGEST_CALL))
        self._over = over
        self._tally = tally
        self._numbers = numbers
        self._chance = random.Random(seed)

    def run(self) -> None:
        while not self.stopping:
            call = self._chance.choice(list(CALLS))
            fault = self._fault(FITTING[call])
            token = token_of(next(self._numbers), fault)
            self.busy = (f"{call.__name__} {token}", time.monotonic())
            self._make(call, token, fault)
        self.busy = ("", 0.0)

    def _fault(self, fitting: list[str]) -> str:
        if self._chance.random() < GOOD:
            return "none"
        fault = self._chance.choice(fitting)
        if fault.startswith(RARE) and self._chance.random() < 0.9:
            return "none"
        return fault

    def _make(self, call: Callable[..., None], token: str, fault: str) -> None:
        client = self._clients[self._chance.random() < WITH_DEADLINE]
        try:
            call(client, token, self._chance)
        except Exception as error:  # noqa: BLE001 - all that comes is counted, and judged
            self._tally.note(fault, error)
            if not is_allowed(error, token, fault):
                what = f"{CALLS[call]} over {self._over}: {type(error).__name__}"
                self._tally.fail(what, fault, f"{token}: {error}")
        else:
            self._tally.note(fault, None)
            if FAULTS[fault].is_fatal:
                self._tally.fail(f"{CALLS[call]} over {self._over}: an answer", fault, token)


# The process


def descriptors() -> dict[str, str]:
    """Return what the process has open, by number."""
    found = {}
    for entry in Path("/proc/self/fd").iterdir():
        # The listing's own is gone by now.
        with contextlib.suppress(FileNotFoundError):
            found[entry.name] = str(entry.readlink())
    return found


def resident() -> int:
    """Return the KiB of memory that the process has."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0])


class Memory:
    """What the process had while calls were made."""

    def __init__(self) -> None:
        self._seen: list[int] = []

    def look(self) -> None:
        self._seen.append(resident())

    def growth(self) -> tuple[int, int]:
        """Return the medians of the first fifth after the warm-up and of the last, in KiB."""
        warm = self._seen[int(len(self._seen) * WARM_UP) :]
        fifth = max(1, len(warm) // 5)
        return int(statistics.median(warm[:fifth])), int(statistics.median(warm[-fifth:]))


def one_round(workers: list[Worker], end: float, tally: Tally, memory: Memory) -> None:
    """Have workers make calls until ``end`` (monotonic), and wait for their last ones."""
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        time.sleep(0.05 if time.monotonic() > end - 1 else 0.5)
        if time.monotonic() > end:
            for worker in workers:
                worker.stopping = True
        else:
            memory.look()
        stop_at_a_hang(workers, tally)


def stop_at_a_hang(workers: list[Worker], tally: Tally) -> None:
    for worker in workers:
        what, since = worker.busy
        if what and time.monotonic() - since > LONGEST_CALL:
            tally.fail("hang", what, f"for {LONGEST_CALL} seconds; where each thread is:")
            faulthandler.dump_traceback(file=sys.stdout)
            summarize(tally, None)
            # The thread would keep the process from ending.
            os._exit(1)


def check_nothing_is_left(before: tuple[dict[str, str], set[str]], tally: Tally) -> None:
    """Hold the process without a client against what it was before the first call."""
    gc.collect()
    open_before, threads_before = before
    left = {number: what for number, what in descriptors().items() if number not in open_before}
    if left:
        some = dict(itertools.islice(left.items(), 5))
        tally.fail("descriptors are left", "any", f"{len(left)}, among them {some}")
    threads = {thread.name for thread in threading.enumerate()} - threads_before
    if threads:
        tally.fail("threads are left", "any", threads)


def note_what_is_raised_aside(tally: Tally) -> None:
    """Count as failures: warnings, and what threads and finalizers raise."""
    warnings.simplefilter("error")
    sys.unraisablehook = lambda raised: tally.fail(
        f"in {raised.object!r:.100}", "any", repr(raised.exc_value)
    )
    threading.excepthook = lambda raised: tally.fail(
        f"in a thread: {raised.exc_type.__name__}", "any", repr(raised.exc_value)
    )


def check_answers(tally: Tally) -> None:
    harmless = [name for name, fault in FAULTS.items() if fault.is_harmless]
    for fault in harmless:
        played, answered = tally.played[fault], tally.answered[fault]
        if answered < played * LEAST_ANSWERED - FEW:
            latest = tally.latest[fault]
            tally.fail("too few answers", fault, f"{answered} of {played}, the latest: {latest}")


def summarize(tally: Tally, memory: Memory | None) -> None:
    made, answered = tally.played.total(), tally.answered.total()
    print(f"\nseed {tally.seed}: {made} calls, {answered} answered")
    print("errors: " + ", ".join(f"{name} {count}" for name, count in tally.errors.most_common()))
    print("faults (answered of played):")
    for fault in FAULTS:
        print(f"  {fault:20} {tally.answered[fault]:7} of {tally.played[fault]}")
    print(f"descriptors {len(descriptors())}, threads {threading.active_count()}")
    if memory is not None:
        first, last = memory.growth()
        print(f"memory: {first} KiB after the warm-up, {last} KiB at the end")
    print(f"failures: {tally.failures.total()}")
    for failure, count in tally.failures.most_common():
        print(f"  {count:6} x {failure}")


def soak(seconds: float, threads: int, seed: int) -> bool:
    """Make calls for some seconds; tell whether all went as it should."""
    tally, memory, numbers = Tally(seed), Memory(), itertools.count()
    note_what_is_raised_aside(tally)
    with playing(seed) as addresses:
        clients = {
            over: load(
                VERSION, host=host, connections=CONNECTIONS, timeout=PATIENCE, credentials=False
            )
            for over, host in addresses.items()
        }
        begun = time.monotonic()
        before = (descriptors(), {thread.name for thread in threading.enumerate()})
        turns = itertools.cycle(clients.items())
        for number, (over, client) in zip(range(ROUNDS), turns, strict=False):
            workers = [
                Worker(client, over, tally, numbers, f"{seed}.{number}.{thread}")
                for thread in range(threads)
            ]
            end = begun + seconds * (number + 1) / ROUNDS
            one_round(workers, end, tally, memory)
            client.close()
            check_nothing_is_left(before, tally)
    check_answers(tally)
    first, last = memory.growth()
    if last - first > LARGEST_GROWTH:
        tally.fail("memory grows", "any", f"by {last - first} KiB")
    summarize(tally, memory)
    return not tally.failures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=600, help="how long (600)")
    parser.add_argument("--threads", type=int, default=8, help="how many make calls (8)")
    parser.add_argument("--seed", type=int, default=None, help="what is drawn; printed")
    given = parser.parse_args()
    seed = random.randrange(10**6) if given.seed is None else given.seed
    logging.getLogger("dynadock").addHandler(logging.NullHandler())
    print(f"soak: seed {seed}, {given.threads} threads, {given.seconds:g} seconds", flush=True)
    return 0 if soak(given.seconds, given.threads, seed) else 1


if __name__ == "__main__":
    sys.exit(main())
