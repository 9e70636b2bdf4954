"""A scripted engine that replays recorded replies as fast as the socket takes them.

It is a process of its own, so that its work is not done in the time of the client's.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from http import HTTPStatus
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer
from typing import TYPE_CHECKING, NamedTuple

import recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

LINES = "lines"
BLOCKS = "blocks"
EVENTS = "/events"


class Sizes(NamedTuple):
    """How long the replies are."""

    lines: int = 1
    blocks: int = 1
    events: int = 1


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


def _replies(sizes: Sizes) -> dict[tuple[str, str], recorded.Reply]:
    no_terminal = recorded.json_reply(
        "200 OK", {"Id": recorded.CONTAINER, "Config": {"Tty": False}}
    )
    logs = {LINES: recorded.log_of_lines(sizes.lines), BLOCKS: recorded.log_of_blocks(sizes.blocks)}
    replies = recorded.exec_replies()
    for container, log in logs.items():
        replies["GET", f"{recorded.API}/containers/{container}/logs"] = log
        replies["GET", f"{recorded.API}/containers/{container}/json"] = no_terminal
    replies["GET", f"{recorded.API}{EVENTS}"] = recorded.events(sizes.events)
    return replies


class _Handler(StreamRequestHandler):
    """Reads requests and replies to them, until either side closes the connection."""

    replies: dict[tuple[str, str], recorded.Reply]

    def handle(self) -> None:
        closes = False
        with contextlib.suppress(ConnectionError):
            while not closes and (line := self.rfile.readline()):
                method, target, _ = line.decode().split()
                closes = self._read_rest() | self._answer(method, target.partition("?")[0])

    def _read_rest(self) -> bool:
        """Read headers and body; return whether the client asks to close the connection."""
        headers = {}
        while line := self.rfile.readline().strip():
            name, _, value = line.decode().lower().partition(":")
            headers[name] = value.strip()
        self.rfile.read(int(headers.get("content-length", 0)))
        return headers.get("connection") == "close"

    def _answer(self, method: str, path: str) -> bool:
        """Send a reply; return whether the connection ends with it."""
        reply = self.replies.get((method, path))
        if reply is None:
            reply = recorded.json_reply(f"{HTTPStatus.NOT_FOUND} Not Found", {"message": path})
        if not reply.times:
            self.request.sendall(reply.head + reply.tail)
            return reply.closes
        self.request.sendall(reply.head)
        for _ in range(reply.times):
            self.request.sendall(reply.piece)
        self.request.sendall(reply.tail)
        return reply.closes


class _Server(ThreadingUnixStreamServer):
    daemon_threads = True


def _serve(path: str, sizes: Sizes) -> None:
    _Handler.replies = _replies(sizes)
    with _Server(path, _Handler) as server:
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    _serve(sys.argv[1], Sizes(*map(int, sys.argv[2:])))
