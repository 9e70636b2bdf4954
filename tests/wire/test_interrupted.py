"""Exceptions out of signal handlers, and handlers that call: at any point of a call.

No place of the pool is lost, no lock stays held, and no call gets the reply to another.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import random
import signal
import socketserver
import threading
import time
from concurrent.futures import ThreadPoolExecutor

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


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("stream", [False, True], ids=["calls", "raw replies"])
def test_nothing_is_lost_to_exceptions_out_of_handlers(tmp_path, stream):
    chance = random.Random(4)
    interrupted = 0
    with engine(tmp_path) as address, handling(interrupt):
        client = load("1.42", host=address, connections=CONNECTIONS, timeout=20)
        # What is imported on first use is imported here: Python's own import locks stay held where
        # an import is interrupted.
        assert_all_places_are_there(client)
        number = 0
        while interrupted < INTERRUPTIONS:
            number += 1
            name = f"n{number}"
            try:
                signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-5, 4e-4))
                if stream:
                    got = client.ContainerInspect.raw(name).json()["Id"]
                else:
                    got = client.ContainerInspect(name).Id
                signal.setitimer(signal.ITIMER_REAL, 0)
                assert got == name
            except Interrupted:
                interrupted += 1
        assert_all_places_are_there(client)
        client.close()


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


def test_more_threads_than_connections_are_served_in_order(tmp_path):
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
