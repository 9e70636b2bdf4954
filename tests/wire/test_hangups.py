"""The watcher of sockets: who is called back, when, and how one that fails stops no other."""

from __future__ import annotations

import queue
import socket

import pytest

from dynadock.embedded.hangups import Watcher
from serving import PATIENCE


@pytest.fixture
def watcher():
    made = Watcher()
    yield made
    made.close()


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


class Calls:
    """What was called back: what was read, and whether the peer was gone."""

    def __init__(self, sock):
        self._sock = sock
        self._calls = queue.Queue()

    def __call__(self, is_over):
        self._calls.put((self._sock.recv(100), is_over))

    def next(self):
        return self._calls.get(timeout=PATIENCE)

    def are_over(self, seconds=0.1):
        try:
            self._calls.get(timeout=seconds)
        except queue.Empty:
            return True
        return False


def test_input_its_end_and_a_hang_up_are_told_apart(watcher, pair):
    ours, theirs = pair
    calls = Calls(ours)
    watcher.watch(ours, calls)
    theirs.send(b"typed")
    assert calls.next() == (b"typed", False)
    theirs.shutdown(socket.SHUT_WR)
    assert calls.next() == (b"", False)
    watcher.only_hang_up(ours)
    while not calls.are_over():
        pass
    theirs.close()
    assert calls.next() == (b"", True)
    watcher.forget(ours)


def test_a_socket_that_is_put_off_is_left_alone_until_it_may_go_on(watcher, pair):
    ours, theirs = pair
    calls, may_go_on = Calls(ours), []
    watcher.watch(ours, calls)
    watcher.put_off(ours, lambda: bool(may_go_on))
    theirs.send(b"typed")
    assert calls.are_over()
    may_go_on.append(True)
    assert calls.next() == (b"typed", False)
    watcher.forget(ours)


def test_a_socket_that_is_forgotten_is_left_alone(watcher, pair):
    ours, theirs = pair
    calls = Calls(ours)
    watcher.watch(ours, calls)
    watcher.forget(ours)
    watcher.forget(ours)
    theirs.send(b"typed")
    assert calls.are_over()


@pytest.mark.parametrize("is_put_off", [False, True])
def test_one_that_fails_stops_no_other(watcher, pair, caplog, is_put_off):
    def fail(_=None):
        raise ZeroDivisionError

    failed = queue.Queue()
    ours, theirs = pair
    watcher.watch(ours, fail, lambda: failed.put(True))
    if is_put_off:
        watcher.put_off(ours, fail)
    theirs.send(b"typed")
    assert failed.get(timeout=PATIENCE)
    assert "ZeroDivisionError" in caplog.text
    other, their_other = socket.socketpair()
    with other, their_other:
        calls = Calls(other)
        watcher.watch(other, calls)
        their_other.send(b"more")
        assert calls.next() == (b"more", False)
        watcher.forget(other)
