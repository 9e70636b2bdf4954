"""A child of fork: it has its parent's client, but none of its connections."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading

import pytest

from wire.peer import (
    MULTIPLEXED,
    OK,
    PATIENCE,
    Peer,
    answer,
    frame,
    head,
    reply,
    send,
    tell,
    until_gone,
    wait,
)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


IN_CHILD = """
import os, sys, traceback
from dynadock import ConnectionLost, load

def in_child(work):
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert status == 0, "the child failed"
        return
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)

"""


def run(peer, program):
    """Run a program that forks in a process of its own, where no other threads are."""
    text = IN_CHILD + textwrap.dedent(program)
    command = [sys.executable, "-W", "error", "-c", text, peer.address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_a_child_opens_connections_of_its_own(kind):
    """Whatever the child does, the parent's connection stays usable."""
    with Peer([OK, OK, OK], [OK, OK], [OK], kind=kind) as peer:
        run(
            peer,
            """
            client = load("1.42", host=sys.argv[1])
            client.SystemPing()

            def work():
                assert client.SystemPing() == "OK"
                assert client.SystemPing() == "OK"
                client.close()
                in_child(client.SystemPing)

            in_child(work)
            assert client.SystemPing() == "OK"
            assert client.SystemPing() == "OK"
            client.close()
            """,
        )
    assert peer.connections == 3


def test_a_child_has_no_descriptor_of_its_parents_connections():
    with Peer([OK], [OK]) as peer:
        run(
            peer,
            """
            client = load("1.42", host=sys.argv[1])
            before = len(os.listdir("/proc/self/fd"))
            client.SystemPing()

            def work():
                assert len(os.listdir("/proc/self/fd")) == before
                client.SystemPing()

            in_child(work)
            client.close()
            """,
        )


def test_a_child_has_all_places_of_the_pool():
    part = answer(reply(text="OK")[:-1])
    rest = threading.Event()
    with Peer([part, wait(rest), send(b"K")], [OK, tell(rest)]) as peer:
        run(
            peer,
            """
            client = load("1.42", host=sys.argv[1], connections=1, timeout=20)
            response = client.SystemPing.raw()
            in_child(client.SystemPing)
            assert response.text == "OK"
            """,
        )


@pytest.mark.parametrize("leave", ["stream.close()", "del stream"])
def test_a_childs_end_of_a_stream_leaves_the_parents_alone(leave):
    stream = head(200, {"Content-Type": MULTIPLEXED, "Transfer-Encoding": "chunked"})
    data = frame("stdout", b"late")
    with Peer([answer(stream), send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data))]) as peer:
        run(
            peer,
            f"""
            import warnings
            client = load("1.42", host=sys.argv[1])
            stream = client.ContainerLogs("web", stdout=True, follow=True)

            def work():
                global stream
                warnings.simplefilter("ignore", ResourceWarning)
                {leave}

            in_child(work)
            assert [frame.data for frame in stream] == [b"late"]
            """,
        )


def test_a_child_cannot_read_its_parents_stream_and_the_error_says_why():
    stream = head(200, {"Content-Type": MULTIPLEXED, "Transfer-Encoding": "chunked"})
    tried = threading.Event()
    script = [answer(stream), wait(tried), send(b"0\r\n\r\n")]
    with Peer(script, [OK, tell(tried)]) as peer:
        run(
            peer,
            """
            client = load("1.42", host=sys.argv[1])
            stream = client.ContainerLogs("web", stdout=True, follow=True)

            def work():
                try:
                    next(stream)
                except ConnectionLost as error:
                    assert "a forked child has to open its own" in str(error), error
                else:
                    raise AssertionError("it was read")
                client.SystemPing()

            in_child(work)
            assert list(stream) == []
            """,
        )


def test_a_child_does_not_wait_for_a_thread_that_is_not_there():
    """Whatever another thread was doing at the fork, it does not go on with it in the child."""
    forks = 10
    with Peer(*[[until_gone(OK)]] * (2 + forks)) as peer:
        run(
            peer,
            f"""
            import threading

            client = load("1.42", host=sys.argv[1], timeout=20)
            client.SystemPing()
            over = threading.Event()

            def call():
                while not over.is_set():
                    client.SystemPing()

            thread = threading.Thread(target=call)
            thread.start()
            for _ in range({forks}):
                in_child(client.SystemPing)
            over.set()
            thread.join()
            client.close()
            """,
        )
        peer.scripts = peer.scripts[: peer.connections]
