"""Exceptions out of signal handlers, in the midst of calls to an engine in the same process.

The call is lost, and may be half done; the engine is not: no lock stays held, and everything that
is asked of it afterwards, by whichever thread, is answered.
"""

from __future__ import annotations

import logging
import random
import signal
import threading
import time
from itertools import count

import pytest

from dynadock.embedded.engine import Engine
from dynadock.simulation.engine import SimulatedEngine

pytestmark = [
    pytest.mark.skipif(
        not hasattr(signal, "setitimer"), reason="this system has no timers that interrupt"
    ),
    # What an interrupted call has no chance to close is closed when it is collected, with a
    # warning; what a handler raises while a destructor runs is Python's to drop.
    pytest.mark.filterwarnings(
        "ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
    ),
]

INTERRUPTIONS = 200
PATIENCE = 10


class Interrupted(BaseException):
    """What a handler raises that is as Ctrl-C."""


class TooLate(Exception):
    """What a handler raises that is an error like others."""


@pytest.fixture(params=[Interrupted, TooLate])
def interruption(request):
    """The exception that a handler of alarms raises."""

    def interrupt(_number, _frame):
        raise request.param

    logging.disable(logging.CRITICAL)
    before = signal.signal(signal.SIGALRM, interrupt)
    yield request.param
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    logging.disable(logging.NOTSET)


def work(client, name):
    """Do a bit of everything in which somebody waits, writes and is told something."""
    script = "read x; echo hi $x; sleep 0.001; echo end"
    client.ContainerCreate(
        name=name, Image="busybox", Cmd=["sh", "-c", script], OpenStdin=True, StdinOnce=True
    )
    with client.ContainerAttach(name, stream=True, stdin=True, stdout=True) as duplex:
        client.ContainerStart(name)
        duplex.write(b"you\n")
        assert duplex.text() == "hi you\nend\n"
    assert client.ContainerWait(name).StatusCode == 0
    made = client.ContainerExec("common", Cmd=["echo", "x"], AttachStdout=True).Id
    assert client.ExecStart(made).text() == "x\n"
    assert client.ExecInspect(made).ExitCode == 0
    assert client.ContainerLogs(name, stdout=True).text() == "hi you\nend\n"
    client.ContainerDelete(name)


def typical_seconds(client):
    taken = []
    for number in range(20):
        begun = time.perf_counter()
        work(client, f"typical{number}")
        taken.append(time.perf_counter() - begun)
    return sorted(taken)[-5]


def assert_another_thread_is_served(client, name):
    done = []
    thread = threading.Thread(target=lambda: (work(client, name), done.append(name)), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert done == [name]


@pytest.mark.timeout(120)
def test_the_engine_outlives_interrupted_calls(interruption):
    chance = random.Random(7)
    interrupted = completed = 0
    with Engine() as engine, engine.client("1.45", timeout=PATIENCE) as client:
        client.ContainerCreate(name="common", Image="busybox", Cmd=["sleep", "600"])
        client.ContainerStart("common")
        longest = 1.5 * typical_seconds(client)
        for number in count():
            if interrupted >= INTERRUPTIONS:
                break
            try:
                signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-5, longest))
                work(client, f"work{number}")
                signal.setitimer(signal.ITIMER_REAL, 0)
            except interruption:
                interrupted += 1
            else:
                completed += 1
            if number % 50 == 0:
                assert_another_thread_is_served(client, f"other{number}")
        assert completed > INTERRUPTIONS // 20
        for each in client.ContainerList(all=True):
            client.ContainerDelete(each.Id, force=True)
        assert client.ContainerList(all=True) == []


@pytest.mark.parametrize("when", ["soon", "at its time"])
def test_what_is_broken_off_is_done_later(when):
    done = []

    def act():
        done.append(len(done))
        if len(done) == 1:
            raise Interrupted

    state = SimulatedEngine(manual_clock=True).state
    if when == "soon":
        state.soon(act)
    else:
        state.clock.after(0, act)
    with pytest.raises(Interrupted):
        state.settle()
    for _ in range(2):
        state.settle()
        assert done == [0, 1]
