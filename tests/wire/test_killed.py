"""An engine whose process is killed, and started again in the same place."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dynadock import (
    ConnectionLost,
    ConnectionRefused,
    TransportError,
    VersionError,
    load,
)
from wire.peer import PATIENCE

ENGINE = r"""
import json, os, socketserver, sys, time

class Engine(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline():
            method, target, _ = line.decode().split()
            size = 0
            while field := self.rfile.readline().strip():
                name, _, value = field.decode().lower().partition(":")
                size = int(value) if name == "content-length" else size
            self.rfile.read(size)
            self.answer(target)

    def answer(self, target):
        newest = sys.argv[2]
        if "/logs" in target:
            kind = "application/vnd.docker.multiplexed-stream"
            self.send(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode())
            self.send(b"\x01\0\0\0\0\0\0\3one")
        if "/logs" in target or "/wait" in target:
            print("busy", flush=True)
            time.sleep(1000)
        asked = target.split("/")[1].removeprefix("v")
        too_new = asked[:1].isdigit() and float(asked) > float(newest)
        said = {"message": "too new"} if too_new else {"Id": "1", "MinAPIVersion": "1.24"}
        body, status = json.dumps(said).encode(), "400 Bad Request" if too_new else "200 OK"
        fields = f"Content-Type: application/json\r\nApi-Version: {newest}"
        head = f"HTTP/1.1 {status}\r\n{fields}\r\nContent-Length: {len(body)}\r\n\r\n"
        self.send(head.encode() + body)

    def send(self, data):
        self.wfile.write(data)
        self.wfile.flush()

class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

# Engines take the place of a socket that a killed one has left.
if os.path.exists(sys.argv[1]):
    os.unlink(sys.argv[1])
with Server(sys.argv[1], Engine) as server:
    print("ready", flush=True)
    server.serve_forever()
"""


class Process:
    """An engine in a process of its own, which can be killed and started again."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._process: subprocess.Popen[str] | None = None

    def start(self, newest: str = "1.43") -> None:
        command = [sys.executable, "-c", ENGINE, self.path, newest]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.await_word("ready")

    def await_word(self, word: str) -> None:
        """Wait until the engine says that it is so far."""
        assert self._process is not None
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == f"{word}\n"

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(PATIENCE)
            self._process.stdout.close()
            self._process = None


@pytest.fixture
def engine(tmp_path):
    process = Process(str(tmp_path / "engine.sock"))
    process.start()
    try:
        yield process
    finally:
        process.kill()


@pytest.fixture
def client(engine):
    with load("1.42", host=f"unix://{engine.path}") as client:
        yield client


def test_killed_between_calls(engine, client):
    assert client.ContainerInspect("web").Id == "1"
    engine.kill()
    with pytest.raises(ConnectionRefused, match="is the engine up"):
        client.ContainerInspect("web")
    engine.start()
    assert client.ContainerInspect("web").Id == "1"


@pytest.mark.parametrize("name", ["ContainerInspect", "ContainerStart"])
def test_killed_and_started_between_calls_is_not_even_noticed(engine, client, name):
    """The kept connection is seen to be closed before anything is sent over it."""
    client.operations[name]("web")
    engine.kill()
    engine.start()
    client.operations[name]("web")


def test_killed_during_a_call(engine, client):
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(client.ContainerWait, "web")
        engine.await_word("busy")
        engine.kill()
        with pytest.raises(ConnectionLost, match="whether the engine acted"):
            waiting.result(PATIENCE)
    engine.start()
    assert client.ContainerInspect("web").Id == "1"


def test_killed_during_a_stream(engine, client):
    with client.ContainerLogs("web", stdout=True, follow=True) as log:
        assert next(log).data == b"one"
        engine.kill()
        # Without a length the connection's end is the stream's.
        assert list(log) == []
    engine.start()
    assert client.ContainerInspect("web").Id == "1"


def test_killed_under_many_threads(engine, client):
    """Every call returns or raises, none hangs, and the client stays usable."""
    stop = threading.Event()

    def call():
        answers = 0
        while not stop.is_set():
            with contextlib.suppress(TransportError):
                answers += client.ContainerInspect("web").Id == "1"
        return answers

    patient = client.with_options(retries=8)
    with ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(call) for _ in range(8)]
        try:
            for _ in range(3):
                patient.ContainerInspect("web")
                engine.kill()
                engine.start()
        finally:
            stop.set()
        assert all(each.result(PATIENCE) > 0 for each in calls)
    assert client.ContainerInspect("web").Id == "1"


@pytest.mark.parametrize("meanwhile", [True, False], ids=["noticed", "unnoticed"])
def test_started_again_as_an_older_engine(engine, client, meanwhile):
    assert client.ContainerInspect("web").Id == "1"
    engine.kill()
    if meanwhile:
        with pytest.raises(ConnectionRefused):
            client.ContainerInspect("web")
    engine.start("1.41")
    for _ in range(2):
        with pytest.raises(VersionError, match=r"speaks API 1\.24 to 1\.41, this client 1\.42"):
            client.ContainerInspect("web")
    assert client.at("1.41").ContainerInspect("web").Id == "1"
    engine.kill()
    engine.start("1.43")
    assert client.ContainerInspect("web").Id == "1"


def test_a_client_waits_for_an_engine_that_comes_back(engine, client):
    engine.kill()
    again = threading.Timer(0.3, engine.start)
    again.start()
    try:
        assert client.with_options(retries=8).ContainerStart("web").Id == "1"
    finally:
        again.join()
