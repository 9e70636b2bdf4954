"""Exceptions out of signal handlers, and handlers that call: at any point of a call.

No place of the pool is lost, no lock stays held, and no call gets the reply to another.
"""

from __future__ import annotations

import contextlib
import dis
import gc
import itertools
import logging
import random
import signal
import socketserver
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

from dynadock import TimedOut, load
from wire.peer import PATIENCE, reply

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="this system has no timers that interrupt"
)

INTERRUPTIONS = 1000
CONNECTIONS = 4


@pytest.fixture(autouse=True)
def quiet():
    """Have nobody listen to the log: logging's own locks stay held where it is interrupted."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


class Interrupted(Exception):
    """What the handler raises."""


class Engine(socketserver.ThreadingUnixStreamServer):
    """Answers each request with the name that is in its path, however many connections come."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class Handler(socketserver.StreamRequestHandler):
    pause = 0.0

    def handle(self):
        with contextlib.suppress(ConnectionError):
            while line := self.rfile.readline():
                name = line.split(b" ")[1].split(b"/")[3].decode()
                while self.rfile.readline().strip():
                    pass
                time.sleep(self.pause)
                self.wfile.write(reply(json={"Id": name}))


@contextlib.contextmanager
def engine(tmp_path, pause=0.0):
    handler = type("Paused", (Handler,), {"pause": pause})
    others = {*threading.enumerate()}
    with Engine(str(tmp_path / "engine.sock"), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"unix://{tmp_path}/engine.sock"
        finally:
            server.shutdown()
            # Each connection's thread ends when the client has closed it.
            for each in {*threading.enumerate()} - others:
                each.join(PATIENCE)


@contextlib.contextmanager
def handling(handler):
    before = signal.signal(signal.SIGALRM, handler)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def interrupt(_number, _frame):
    raise Interrupted


def value_of(client, name):
    return client.ContainerInspect(name).Id


def raw_value_of(client, name):
    return client.ContainerInspect.raw(name).json()["Id"]


WAYS = pytest.mark.parametrize("way", [value_of, raw_value_of], ids=["calls", "raw replies"])

# What an interrupted call has no chance to close is closed when it is collected, with a warning;
# and an exception that a handler raises while a destructor runs is Python's to drop. What counts is
# asserted: no place, no descriptor and no lock is lost.
remains = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@remains
@WAYS
def test_nothing_is_lost_to_exceptions_out_of_handlers(tmp_path, way):
    """By a timer, at any time of a call and a little beyond, so that some get through."""
    chance = random.Random(4)
    interrupted = completed = 0
    with engine(tmp_path) as address, handling(interrupt):
        client = load("1.42", host=address, connections=CONNECTIONS, timeout=20)
        # What is imported on first use is imported here: Python's own import locks stay held where
        # an import is interrupted.
        assert_all_places_are_there(client)
        longest = 2 * typical_seconds(lambda: (client.close(), way(client, "typical")))
        for number in itertools.count():
            if interrupted >= INTERRUPTIONS:
                break
            try:
                signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-5, longest))
                got = way(client, f"n{number}")
                signal.setitimer(signal.ITIMER_REAL, 0)
            except Interrupted:
                interrupted += 1
            else:
                completed += 1
                assert got == f"n{number}"
        assert completed > INTERRUPTIONS // 20
        assert_all_places_are_there(client)
        client.close()


def typical_seconds(call):
    """Return how long a call takes that has to open a connection, as after an interruption."""
    taken = []
    for _ in range(50):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return sorted(taken)[-10]


OWNERS = {"pool.py", "sending.py", "driver.py", "connector.py", "raw.py"}
"""The modules that hand connections and places on."""


@cache
def points_of(code):
    """Return the offsets of the bytecodes before which CPython may run a handler.

    It does so behind a call, at a function's begin, and where a loop has gone back to its begin. An
    exception at any other bytecode, as a trace function could raise it, leaves the interpreter
    itself in a state that no program can bring about.
    """
    steps = [*dis.get_instructions(code)]
    behind = {
        after.offset
        for before, after in itertools.pairwise(steps)
        if before.opname.startswith(("CALL", "RESUME"))
    }
    return behind | {step.argval for step in steps if step.opname == "JUMP_BACKWARD"}


@contextlib.contextmanager
def interrupted_at(count):
    """Raise Interrupted at the point of that number in `OWNERS`, as a handler would."""
    left = [count]

    def trace(frame, event, _argument):
        path = Path(frame.f_code.co_filename)
        if path.parent.name != "transport" or path.name not in OWNERS:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode" and frame.f_lasti in points_of(frame.f_code):
            left[0] -= 1
            if left[0] == 0:
                sys.settrace(None)
                raise Interrupted
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def descriptors():
    return len([*Path("/dev/fd").iterdir()])


@remains
@pytest.mark.timeout(600)
@WAYS
@pytest.mark.parametrize("kept", [True, False], ids=["kept", "new"])
def test_nothing_is_lost_wherever_a_call_is_interrupted(tmp_path, way, kept):
    """At each point of what owns connections and places at which Python runs a handler."""
    with engine(tmp_path) as address:
        client = load("1.42", host=address, connections=CONNECTIONS, timeout=20)
        assert_all_places_are_there(client)
        client.close()
        gc.collect()
        before = descriptors()
        for number in itertools.count(1):
            if kept:
                assert way(client, f"before{number}") == f"before{number}"
            else:
                client.close()
            try:
                with interrupted_at(number):
                    assert way(client, f"n{number}") == f"n{number}"
            except Interrupted:
                continue
            break
        assert number > 30
        assert sys.exc_info() == (None, None, None)
        assert_all_places_are_there(client)
        client.close()
        gc.collect()
        # The engine is in this process too, and closes its ends a moment later.
        end = time.monotonic() + PATIENCE
        while descriptors() > before and time.monotonic() < end:
            time.sleep(0.01)
        assert descriptors() <= before


def assert_all_places_are_there(client):
    """As many calls as there are connections go on at a time, and none waits for a lost place."""
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        for _ in range(3):
            names = [f"c{number}" for number in range(CONNECTIONS)]
            found = threads.map(lambda name: client.ContainerInspect(name).Id, names)
            assert list(found) == names
    with contextlib.ExitStack() as held:
        for number in range(CONNECTIONS):
            held.enter_context(client.ContainerInspect.raw(f"h{number}"))
        with pytest.raises(TimedOut, match="in use"):
            client.with_options(timeout=0.1).ContainerInspect("one too many")


def test_a_handler_may_call_the_client_itself(tmp_path):
    inner = []
    numbers = itertools.count()

    def call(_number, _frame):
        # It may itself be interrupted by the next one.
        name = f"inner{next(numbers)}"
        inner.append(client.ContainerInspect(name).Id == name)

    chance = random.Random(5)
    with (
        engine(tmp_path) as address,
        load("1.42", host=address, connections=CONNECTIONS, timeout=20) as client,
        handling(call),
    ):
        for number in range(400):
            signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-5, 3e-4))
            assert client.ContainerInspect(f"n{number}").Id == f"n{number}"
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert all(inner)
        assert len(inner) > 20
        assert_all_places_are_there(client)


def test_more_threads_than_connections_are_all_served(tmp_path):
    """An engine that answers in a millisecond: nobody waits to the end of the time for it."""
    threads_count, connections, calls = 64, 32, 50
    with (
        engine(tmp_path, pause=0.001) as address,
        load("1.42", host=address, connections=connections, timeout=20) as client,
        ThreadPoolExecutor(threads_count) as threads,
    ):

        def work(worker):
            for number in range(calls):
                name = f"w{worker}n{number}"
                assert client.ContainerInspect(name).Id == name

        for done in [threads.submit(work, worker) for worker in range(threads_count)]:
            done.result(PATIENCE)
