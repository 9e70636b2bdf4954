"""A scripted engine that replays recorded replies as fast as the socket takes them.

It is a process of its own, so that its work is not done in the time of the client's.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingUnixStreamServer
from typing import TYPE_CHECKING, NamedTuple

import recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

LINES = "lines"
BLOCKS = "blocks"
EVENTS = "/events"

READ = 64 * 1024
END_OF_HEAD = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
CLOSE = b"Connection: close"
NOT_FOUND = recorded.json_reply("404 Not Found", {"message": "nothing is recorded for this"})


class Sizes(NamedTuple):
    """How long the replies are."""

    lines: int = 1
    blocks: int = 1
    events: int = 1
    containers: int = 1


@contextlib.contextmanager
def scripted(sizes: Sizes) -> Iterator[str]:
    """Have a peer in a process of its own, and the path of its socket."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "peer.sock"))
        command = [sys.executable, __file__, path, *map(str, sizes)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == b"ready\n"
                yield path
            finally:
                process.terminate()


def logs_path(container: str) -> str:
    return f"/containers/{container}/logs?stdout=true&stderr=true"


def _replies(sizes: Sizes) -> dict[bytes, recorded.Reply]:
    """Return the replies by the beginnings of the requests, up to the query."""
    no_terminal = recorded.json_reply(
        "200 OK", {"Id": recorded.CONTAINER, "Config": {"Tty": False}}
    )
    logs = {LINES: recorded.log_of_lines(sizes.lines), BLOCKS: recorded.log_of_blocks(sizes.blocks)}
    got = {
        "/_ping": recorded.ping(),
        EVENTS: recorded.events(sizes.events),
        "/containers/json": recorded.listed(sizes.containers),
        f"/containers/{recorded.CONTAINER}/json": recorded.inspected(),
    }
    for container, log in logs.items():
        got[f"/containers/{container}/logs"] = log
        got[f"/containers/{container}/json"] = no_terminal
    replies = {("GET", path): reply for path, reply in got.items()} | recorded.exec_replies()
    return {
        f"{method} {recorded.API}{path}".encode(): reply
        for (method, path), reply in replies.items()
    }


class _Handler(BaseRequestHandler):
    """Replies to requests until either side closes the connection.

    What it does for each is little, for the client is what is measured.
    """

    replies: dict[bytes, recorded.Reply]

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            while head := self._request_head():
                line = head[: head.index(b" HTTP/")]
                reply = self.replies.get(line.partition(b"?")[0], NOT_FOUND)
                self._send(reply)
                if reply.closes or CLOSE in head:
                    return

    def _request_head(self) -> bytes:
        """Read a request and return its head, nothing at the end of the connection."""
        data = b""
        while (end := data.find(END_OF_HEAD)) < 0:
            came = self.request.recv(READ)
            if not came:
                return b""
            data += came
        if not data.startswith(b"GET"):
            self._skip_body(data, end)
        return data[:end]

    def _skip_body(self, data: bytes, end: int) -> None:
        length = LENGTH.search(data, 0, end)
        missing = int(length[1]) - len(data[end + len(END_OF_HEAD) :]) if length else 0
        while missing > 0:
            came = self.request.recv(min(READ, missing))
            if not came:
                return
            missing -= len(came)

    def _send(self, reply: recorded.Reply) -> None:
        self.request.sendall(reply.head)
        for _ in range(reply.times):
            self.request.sendall(reply.piece)
        if reply.tail:
            self.request.sendall(reply.tail)


class _Server(ThreadingUnixStreamServer):
    daemon_threads = True


def _serve(path: str, sizes: Sizes) -> None:
    _Handler.replies = _replies(sizes)
    with _Server(path, _Handler) as server:
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    _serve(sys.argv[1], Sizes(*map(int, sys.argv[2:])))
