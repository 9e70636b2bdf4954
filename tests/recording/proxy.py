"""A recording proxy: it passes on every byte, and writes down what the client asked of the engine.

``python tests/recording/proxy.py LISTEN ENGINE LOG`` listens on the unix socket LISTEN, connects to
the engine's unix socket ENGINE for each connection, and appends a JSON line to the file LOG for
each request: ``method``, ``target``, ``headers`` (names in small letters), ``body`` where the
request had one in JSON, and the ``status`` of the reply (null where none came).

Forwarding knows nothing of HTTP: two threads a connection copy bytes, and pass a half-close on as
one. What they copied goes onto two tapes besides, which a recorder reads request by request and
reply by reply. It stops where HTTP stops: at an upgrade, or at a reply that lasts until its
connection ends.
"""

from __future__ import annotations

import argparse
import json
import queue
import signal
import socket
import socketserver
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

PIECE = 65536
LINE_END = b"\r\n"
NO_BODY = frozenset({204, 304})
SWITCHING_PROTOCOLS = 101


class TapeEnded(Exception):
    """The connection ended within a message, or before the next one."""


class Tape:
    """The bytes of one direction, kept for a reader who may come late."""

    def __init__(self) -> None:
        self._pieces: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._unread = b""
        self._stopped = False

    def write(self, piece: bytes) -> None:
        """Take what was copied; an empty piece is the end."""
        if not self._stopped:
            self._pieces.put(piece)

    def stop(self) -> None:
        """Keep nothing more, as it will not be read."""
        self._stopped = True

    def read(self, size: int) -> bytes:
        """Return the next ``size`` bytes, as soon as they are there."""
        while len(self._unread) < size:
            self._wait_for_more()
        piece, self._unread = self._unread[:size], self._unread[size:]
        return piece

    def read_line(self) -> bytes:
        """Return the next line without its end."""
        while LINE_END not in self._unread:
            self._wait_for_more()
        line, _, self._unread = self._unread.partition(LINE_END)
        return line

    def _wait_for_more(self) -> None:
        piece = self._pieces.get()
        if not piece:
            raise TapeEnded
        self._unread += piece


@dataclass
class Head:
    """The first line of a message and its headers, the names in small letters."""

    words: list[str]
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def chunked(self) -> bool:
        return self.headers.get("transfer-encoding", "").lower() == "chunked"

    @property
    def length(self) -> int | None:
        text = self.headers.get("content-length")
        return None if text is None else int(text)

    @property
    def is_json(self) -> bool:
        return self.headers.get("content-type", "").partition(";")[0].strip() == "application/json"


def read_head(tape: Tape) -> Head:
    """Read a message up to the empty line; a repeated header's values are joined by commas."""
    head = Head(tape.read_line().decode("latin-1").split(" ", 2))
    while line := tape.read_line().decode("latin-1"):
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip()
        known = head.headers.get(name)
        head.headers[name] = value if known is None else f"{known}, {value}"
    return head


def read_body(tape: Tape, head: Head) -> bytes:
    """Read a body as its head frames it: in chunks or by a length, 0 where none is given."""
    if head.chunked:
        return read_chunks(tape)
    return tape.read(head.length or 0)


def read_chunks(tape: Tape) -> bytes:
    body = b""
    while size := int(tape.read_line().partition(b";")[0], 16):
        body += tape.read(size)
        tape.read_line()
    while tape.read_line():
        pass  # trailers, up to the empty line that ends them
    return body


def read_reply(tape: Tape, method: str) -> tuple[int, bool]:
    """Read the final reply to a request: its status, and whether HTTP goes on after it."""
    while True:
        head = read_head(tape)
        status = int(head.words[1])
        if status == SWITCHING_PROTOCOLS:
            return status, False
        if status >= 200:
            break
    if method == "HEAD" or status in NO_BODY:
        return status, True
    if not head.chunked and head.length is None:
        return status, False
    read_body(tape, head)
    return status, True


def record(sent: Tape, received: Tape, write: Callable[[dict[str, Any]], None]) -> None:
    """Write down each request on a connection's tapes, as soon as its reply has come."""
    goes_on = True
    with suppress(TapeEnded):
        while goes_on:
            head = read_head(sent)
            method, target = head.words[:2]
            line: dict[str, Any] = {"method": method, "target": target, "headers": head.headers}
            line["status"] = None
            try:
                body = read_body(sent, head)
                if body and head.is_json:
                    line["body"] = json.loads(body)
                line["status"], goes_on = read_reply(received, method)
            finally:
                write(line)
    sent.stop()
    received.stop()


def copy(source: socket.socket, target: socket.socket, tape: Tape) -> None:
    """Copy until the source has no more, and say so to the target, whose answers may still flow."""
    # A peer that is gone ends one direction; what it sent before may be on its way in the other.
    with suppress(ConnectionError):
        while piece := source.recv(PIECE):
            target.sendall(piece)
            tape.write(piece)
    tape.write(b"")
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
    with suppress(OSError):
        source.shutdown(socket.SHUT_RD)


class Connection(socketserver.BaseRequestHandler):
    """One client's connection, from its first byte to the end of both directions."""

    server: RecordingProxy
    request: socket.socket

    def handle(self) -> None:
        sent, received = Tape(), Tape()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as engine:
            engine.connect(self.server.engine)
            threads = [
                threading.Thread(target=copy, args=(self.request, engine, sent)),
                threading.Thread(target=copy, args=(engine, self.request, received)),
                threading.Thread(target=record, args=(sent, received, self.server.write)),
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()


class RecordingProxy(socketserver.ThreadingUnixStreamServer):
    """The proxy as a context manager: it serves within, and has written all down on leaving.

    On leaving it waits for the connections that are still open, so the client is to end first.
    """

    request_queue_size = 64

    def __init__(self, listen: Path, engine: Path, log: Path) -> None:
        super().__init__(str(listen), Connection)
        self.engine = str(engine)
        self._log = log
        self._lock = threading.Lock()
        self._serving = threading.Thread(target=self.serve_forever, args=(0.05,))

    def __enter__(self) -> RecordingProxy:  # noqa: PYI034
        self._serving.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._serving.join()
        self.server_close()
        Path(str(self.server_address)).unlink(missing_ok=True)

    def write(self, line: dict[str, Any]) -> None:
        """Append one request to the log."""
        with self._lock, self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Pass on every byte; write requests down.")
    parser.add_argument("listen", type=Path, help="the unix socket to listen on")
    parser.add_argument("engine", type=Path, help="the engine's unix socket")
    parser.add_argument("log", type=Path, help="the file to append a JSON line a request to")
    given = parser.parse_args()
    endings = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, endings)
    with RecordingProxy(given.listen, given.engine, given.log):
        signal.sigwait(endings)


if __name__ == "__main__":
    main()
