"""A served engine and raw connections to it, for tests of what comes over sockets."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager
from typing import NamedTuple

from dynadock.embedded.server import Server
from dynadock.simulation.engine import SimulatedEngine

PATIENCE = 10.0
"""Seconds after which a test that waits has failed."""


@contextmanager
def serving(folder, address="", *, versions=None, **options):
    """Serve a new engine at a socket in a folder, or at an address."""
    engine = SimulatedEngine(versions=versions)
    with Server(engine, address or f"unix://{folder}/engine.sock", **options) as server:
        yield server


class Answered(NamedTuple):
    """A reply: its head taken apart, and its body with chunks joined."""

    status: int
    headers: dict[str, str]
    body: bytes
    chunks: tuple[bytes, ...] = ()

    @property
    def json(self):
        return json.loads(self.body)


class Wire:
    """A raw connection."""

    def __init__(self, url):
        scheme, _, place = url.partition("://")
        if scheme == "unix":
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(place)
        else:
            host, _, port = place.rpartition(":")
            self.sock = socket.create_connection((host, int(port)))
        self.sock.settimeout(PATIENCE)
        self.unread = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def ask(self, method, target, body=None, **headers):
        """Send a request, whose body is bytes or a JSON value, and return the reply."""
        self.send(request(method, target, body, **headers))
        return self.answer(method)

    def answer(self, method="GET"):
        """Return the next reply; one that has no length ends with the connection."""
        head = self.head()
        if method == "HEAD" or head.status in (101, 204, 304):
            return head
        if head.headers.get("transfer-encoding") == "chunked":
            chunks = tuple(iter(self.chunk, b""))
            return head._replace(body=b"".join(chunks), chunks=chunks)
        if "content-length" in head.headers:
            return head._replace(body=self.exactly(int(head.headers["content-length"])))
        return head._replace(body=self.to_end())

    def head(self):
        """Return a reply's head, without its body."""
        line, *lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")[:-2]
        fields = (line.split(": ", 1) for line in lines)
        return Answered(int(line.split()[1]), {name.lower(): value for name, value in fields}, b"")

    def chunk(self):
        """Return the next chunk's data, none for the last one."""
        size = int(self.until(b"\r\n"), 16)
        data = self.exactly(size)
        assert self.exactly(2) == b"\r\n"
        return data

    def until(self, end):
        while end not in self.unread:
            self._receive()
        return self.exactly(self.unread.index(end) + len(end))

    def exactly(self, size):
        while len(self.unread) < size:
            self._receive()
        found = bytes(self.unread[:size])
        del self.unread[:size]
        return found

    def _receive(self):
        data = self.sock.recv(65536)
        assert data, f"the connection has ended behind {bytes(self.unread)!r}"
        self.unread += data

    def to_end(self):
        """Return all that still comes."""
        blocks = [bytes(self.unread)]
        while data := self.sock.recv(65536):
            blocks.append(data)
        return b"".join(blocks)

    def is_silent(self, seconds):
        """Tell whether nothing comes for some time."""
        self.sock.settimeout(seconds)
        try:
            data = self.sock.recv(65536)
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(PATIENCE)
        self.unread += data
        return False


def request(method, target, body=None, **headers):
    """Write a request down; ``Content_Type`` is a header's name."""
    fields = {"Host": "d", **{name.replace("_", "-"): text for name, text in headers.items()}}
    data = body
    if body is not None and not isinstance(body, bytes):
        data = json.dumps(body).encode()
        fields["Content-Type"] = "application/json"
    if data is not None:
        fields["Content-Length"] = str(len(data))
    lines = "".join(f"{name}: {text}\r\n" for name, text in fields.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode() + (data or b"")


def comes_true(condition, seconds=PATIENCE):
    """Tell whether something becomes so in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def threads():
    """Return how many threads serve just now."""
    return sum(thread.name.startswith("dynadock") for thread in threading.enumerate())
