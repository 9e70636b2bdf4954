"""A scripted engine that misbehaves as it is told, for `soak.py`.

It is a process of its own and listens on a unix socket and on 127.0.0.1 over tcp. Each request
carries a token in its path or query, which says what fault is to be played for it, and each good
answer carries the token back:

    soak-00000017-cut-body

One thing is left out, since no client could tell: a reply that nobody asked for and that comes
while the next request is on its way. What stands behind a reply here comes together with it.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import random
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 1.0
"""Seconds that the client waits for an answer; a silence here is longer."""

ITEMS = 6
"""Lines of a log, values of a stream."""

INTRUDER = "intruder-behind-"
"""What a token begins with in a reply that is somebody else's."""

_TOKEN = re.compile(r"soak-[0-9]{8}-([a-z0-9-]+)")
_PATHS = {
    "ContainerInspect": r"GET /v1\.42/containers/[^/]+/json",
    "ContainerArchiveInfo": r"HEAD /v1\.42/containers/[^/]+/archive",
    "ContainerCreate": r"POST /v1\.42/containers/create",
    "ContainerStart": r"POST /v1\.42/containers/[^/]+/start",
    "ContainerLogs": r"GET /v1\.42/containers/[^/]+/logs",
    "SystemEvents": r"GET /v1\.42/events",
    "PutContainerArchive": r"PUT /v1\.42/containers/[^/]+/archive",
    "ImageLoad": r"POST /v1\.42/images/load",
    "ContainerAttach": r"POST /v1\.42/containers/[^/]+/attach",
    "ExecStart": r"POST /v1\.42/exec/[^/]+/start",
}
_JSON = b"Content-Type: application/json"
_FRAMES = b"Content-Type: application/vnd.docker.multiplexed-stream"
_BLOCK = 64 * 1024


class Call(NamedTuple):
    """One request: what is asked for, by whom, and the fault to answer it with."""

    operation: str
    token: str
    fault: str

    @property
    def number(self) -> int:
        return int(self.token.split("-")[1])


def token_of(number: int, fault: str) -> str:
    return f"soak-{number:08d}-{fault}"


def line(token: str, position: int) -> str:
    return f"{position} {token} {'x' * (position * 37 % 90)}"


def frame(channel: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", channel, len(data)) + data


# Connections


class _Gone(Exception):
    """The client has hung up, or the fault is to hang up on it."""


class Connection:
    """One accepted connection: reads requests, and sends or breaks off as a fault wants."""

    def __init__(self, sock: socket.socket, seed: int) -> None:
        self.sock = sock
        self.chance = random.Random(seed)
        self._unread = b""

    def serve(self) -> None:
        try:
            with self.sock, contextlib.suppress(_Gone, ConnectionError):
                while True:
                    self._answer()
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is not to blame
            print(f"the peer itself failed: {error!r}", flush=True)

    def _answer(self) -> None:
        head = self._until(b"\r\n\r\n").decode("latin-1")
        call = _call(head)
        fault = FAULTS[call.fault]
        if fault.is_early:
            fault.play(self, Reply())
        body = self._body(head.lower())
        reply = _good_reply(call, body)
        fault.play(self, reply)
        if reply.upgrades:
            self._echo()

    def _body(self, head: str) -> bytes:
        if "transfer-encoding: chunked" not in head:
            length = re.search(r"content-length: ([0-9]+)", head)
            return self._exactly(int(length[1]) if length else 0)
        pieces = []
        while size := int(self._until(b"\r\n"), 16):
            pieces.append(self._exactly(size))
            self._exactly(2)
        self._exactly(2)
        return b"".join(pieces)

    def _echo(self) -> None:
        """Send input back in frames, until the client ends it."""
        data, self._unread = self._unread, b""
        while data := data or self.sock.recv(_BLOCK):
            self.send(frame(1, data))
            data = b""
        raise _Gone

    def _until(self, end: bytes) -> bytes:
        while end not in self._unread:
            self._receive()
        return self._exactly(self._unread.index(end) + len(end))

    def _exactly(self, size: int) -> bytes:
        while len(self._unread) < size:
            self._receive()
        found, self._unread = self._unread[:size], self._unread[size:]
        return found

    def _receive(self) -> None:
        data = self.sock.recv(_BLOCK)
        if not data:
            raise _Gone
        self._unread += data

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def drip(self, data: bytes) -> None:
        """Send in pieces, with pauses."""
        place = 0
        while place < len(data):
            step = self.chance.randint(1, max(2, len(data) // 20))
            self.send(data[place : place + step])
            place += step
            time.sleep(0.001)

    def close(self) -> None:
        raise _Gone

    def reset(self) -> None:
        if self.sock.family != socket.AF_UNIX:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise _Gone

    def pause(self, most: float) -> None:
        time.sleep(self.chance.uniform(0, most))

    def part(self, data: bytes) -> bytes:
        """Return a beginning of data that lacks at least its last byte."""
        return data[: self.chance.randrange(len(data))]


def _call(head: str) -> Call:
    method, target, _ = head.split(" ", 2)
    asked = f"{method} {target}"
    operation = next(name for name, path in _PATHS.items() if re.match(path, asked))
    token = _TOKEN.search(target)
    assert token, head
    return Call(operation, token[0], token[1])


# Good replies


@dataclass(frozen=True)
class Reply:
    """A reply, as good as it can be."""

    status: bytes = b"200 OK"
    version: bytes = b"HTTP/1.1"
    fields: tuple[bytes, ...] = ()
    body: bytes = b""
    token: str = ""
    pieces: int = 0  # how many chunks the body comes in; 0 is a length
    answers_head: bool = False

    @property
    def upgrades(self) -> bool:
        return self.status.startswith(b"101")

    @property
    def has_body(self) -> bool:
        return not (self.answers_head or self.status[:3] in (b"101", b"204", b"304"))

    @property
    def framing(self) -> tuple[bytes, ...]:
        if not self.has_body:
            return ()
        if self.pieces:
            return (b"Transfer-Encoding: chunked",)
        return (b"Content-Length: %d" % len(self.body),)

    @property
    def head(self) -> bytes:
        return self.head_with(*self.framing)

    def head_with(self, *framing: bytes) -> bytes:
        first = self.version + b" " + self.status
        return b"\r\n".join([first, *self.fields, *framing, b"", b""])

    @property
    def payload(self) -> bytes:
        """The body in its framing."""
        if not self.has_body:
            return b""
        return _chunked(self.body, self.pieces) if self.pieces else self.body

    def __bytes__(self) -> bytes:
        return self.head + self.payload


def _chunked(body: bytes, pieces: int) -> bytes:
    size = len(body) // pieces + 1
    blocks = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(block), block) for block in blocks) + b"0\r\n\r\n"


def _good_reply(call: Call, sent: bytes) -> Reply:
    reply = replace(_ANSWERS[call.operation](call.token, sent), token=call.token)
    if call.fault.startswith("error-"):
        explanation = json.dumps({"message": f"refused {call.token}"}).encode()
        status = {b"404": b"404 Not Found", b"409": b"409 Conflict"}.get(
            call.fault[-3:].encode(), b"500 Internal Server Error"
        )
        reply = replace(reply, status=status, fields=(_JSON,), body=explanation)
    # Streams come in chunks as engines send them, all else in one of three framings.
    return replace(reply, pieces=ITEMS if _FRAMES in reply.fields else call.number % 3)


def _value(status: bytes, **fields: object) -> Reply:
    return Reply(status, fields=(_JSON,), body=json.dumps(fields).encode() + b"\n")


def _log(token: str, _: bytes) -> Reply:
    lines = (f"{line(token, position)}\n".encode() for position in range(ITEMS))
    frames = b"".join(frame(1 + place % 2, text) for place, text in enumerate(lines))
    return Reply(fields=(_FRAMES,), body=frames)


def _values(token: str, sent: bytes) -> Reply:
    digest = hashlib.sha256(sent).hexdigest()
    values = (
        {"id": token, "stream": f"{token} {digest}", "Type": "container", "time": position}
        for position in range(ITEMS)
    )
    return Reply(fields=(_JSON,), body=b"".join(json.dumps(v).encode() + b"\n" for v in values))


def _upgrade(*_: object) -> Reply:
    return Reply(b"101 UPGRADED", fields=(_FRAMES, b"Connection: Upgrade", b"Upgrade: tcp"))


def _stat(token: str, _: bytes) -> Reply:
    stat = b64encode(json.dumps({"name": token}).encode())
    return Reply(fields=(b"X-Docker-Container-Path-Stat: " + stat,), answers_head=True)


_ANSWERS: dict[str, Callable[[str, bytes], Reply]] = {
    "ContainerInspect": lambda token, _: _value(b"200 OK", Id=token, Config={"Tty": False}),
    "ContainerArchiveInfo": _stat,
    "ContainerCreate": lambda token, _: _value(b"201 Created", Id=token, Warnings=[]),
    "ContainerStart": lambda *_: Reply(b"204 No Content"),
    "ContainerLogs": _log,
    "SystemEvents": _values,
    "PutContainerArchive": lambda *_: Reply(),
    "ImageLoad": _values,
    "ContainerAttach": _upgrade,
    "ExecStart": _upgrade,
}


# Faults


class Fault(NamedTuple):
    """``play`` answers with it, on what operations (all without a pattern).

    ``is_early``: before the request's body is read. ``is_harmless``: a call gets its answer all the
    same, unless an earlier one has left it a bad connection. ``is_fatal``: it gets none.
    """

    play: Callable[[Connection, Reply], object]
    on: str = ""
    is_early: bool = False
    is_harmless: bool = False
    is_fatal: bool = False

    def fits(self, operation: str) -> bool:
        return re.search(self.on, operation) is not None


def _then(*actions: Callable[[Connection, Reply], object]) -> Callable[[Connection, Reply], object]:
    def play(connection: Connection, reply: Reply) -> None:
        for action in actions:
            action(connection, reply)

    return play


def _send(change: Callable[[Reply], bytes]) -> Callable[[Connection, Reply], object]:
    return lambda connection, reply: connection.send(change(reply))


def _interim(*heads: bytes) -> Callable[[Connection, Reply], object]:
    before = b"".join(b"HTTP/1.1 %b\r\n\r\n" % head for head in heads)
    return _send(lambda reply: before + bytes(reply))


def _intruder(reply: Reply) -> bytes:
    """Return a whole reply of the same kind that is for somebody else."""
    body = reply.body or json.dumps({"Id": reply.token}).encode()
    body = body.replace(reply.token.encode(), (INTRUDER + reply.token).encode())
    fields = reply.fields or (_JSON,)
    return bytes(replace(reply, status=b"200 OK", fields=fields, body=body, answers_head=False))


def _without_body(
    status: bytes, *framing: bytes, behind: Callable[[Reply], bytes] = lambda _: b""
) -> Callable[[Connection, Reply], object]:
    """Return a fault: a reply that has no body, whatever its framing says."""

    def change(reply: Reply) -> bytes:
        head = replace(reply, status=status, fields=()).head_with(*framing)
        return head + behind(reply)

    return _send(change)


def _close(connection: Connection, _: Reply) -> None:
    connection.close()


def _reset(connection: Connection, _: Reply) -> None:
    connection.reset()


def _soon(connection: Connection, _: Reply) -> None:
    connection.pause(0.03)


def _silence(*_: object) -> None:
    time.sleep(PATIENCE * 1.5)


def _drip(connection: Connection, reply: Reply) -> None:
    connection.drip(bytes(reply))


def _part_of_head(connection: Connection, reply: Reply) -> None:
    connection.send(connection.part(reply.head))


def _part_of_body(connection: Connection, reply: Reply) -> None:
    connection.send(reply.head + connection.part(reply.payload))


def _part_of_echo(connection: Connection, reply: Reply) -> None:
    connection.send(reply.head + connection.part(frame(1, b"x" * 100))[:99])


def _until_close(version: bytes) -> Callable[[Reply], bytes]:
    def change(reply: Reply) -> bytes:
        return replace(reply, version=version).head_with(b"Connection: close") + reply.body

    return change


def _length(change: int) -> Callable[[Reply], bytes]:
    def with_wrong_length(reply: Reply) -> bytes:
        length = len(reply.body) + change
        return reply.head_with(b"Content-Length: %d" % length) + reply.body

    return with_wrong_length


def _packed(broken: bytes = b"") -> Callable[[Reply], bytes]:
    def change(reply: Reply) -> bytes:
        packed = broken or gzip.compress(reply.body)
        fields = (*reply.fields, b"Content-Encoding: gzip")
        return bytes(replace(reply, fields=fields, body=packed))

    return change


def _sized(*framing: bytes) -> Callable[[Connection, Reply], object]:
    return _send(lambda reply: reply.head_with(*framing) + reply.body)


def _chunks(
    *framing: bytes, change: Callable[[bytes], bytes] = bytes
) -> Callable[[Connection, Reply], object]:
    """Return a fault: a body in two chunks, changed, behind a framing that need not be its own."""
    framing = framing or (b"Transfer-Encoding: chunked",)
    return _send(lambda reply: reply.head_with(*framing) + change(_chunked(reply.body, 2)))


def _as_http_10(reply: Reply) -> bytes:
    return bytes(replace(reply, version=b"HTTP/1.0", pieces=0))


_told = _send(lambda reply: reply.head_with(b"Connection: close", *reply.framing) + reply.payload)
WHOLE = _send(bytes)
PLAIN = "Inspect|Create|ArchiveInfo|ContainerStart"
WITH_BODY = "Inspect|Create|Logs|Events|ImageLoad"
VALUES = "Inspect|Create"
NO_UPGRADE = f"{WITH_BODY}|{PLAIN}|PutContainerArchive"
UPGRADE = "Attach|Exec"

FAULTS = {
    "none": Fault(WHOLE, is_harmless=True),
    "delay": Fault(_then(_soon, WHOLE), is_harmless=True),
    "drip": Fault(_drip, is_harmless=True),
    "silence": Fault(_then(_silence, _close), is_fatal=True),
    "silence-in-head": Fault(_then(_part_of_head, _silence, _close), is_fatal=True),
    "silence-in-body": Fault(_then(_part_of_body, _silence, _close), WITH_BODY),
    "no-http": Fault(_then(_send(lambda _: b"\0\1 what?\r\n\r\n"), _close), is_fatal=True),
    # Connections that end
    "close-early": Fault(_close, is_early=True, is_fatal=True),
    "reset-early": Fault(_reset, is_early=True, is_fatal=True),
    "close-before": Fault(_close, is_fatal=True),
    "reset-before": Fault(_reset, is_fatal=True),
    "close-in-head": Fault(_then(_part_of_head, _close), is_fatal=True),
    "reset-in-head": Fault(_then(_part_of_head, _reset), is_fatal=True),
    "close-in-body": Fault(_then(_part_of_body, _close), WITH_BODY),
    "reset-in-body": Fault(_then(_part_of_body, _reset), WITH_BODY),
    "close-in-echo": Fault(_then(_part_of_echo, _close), UPGRADE),
    "reset-in-echo": Fault(_then(_part_of_echo, _reset), UPGRADE),
    "close-behind": Fault(_then(WHOLE, _close), NO_UPGRADE, is_harmless=True),
    "reset-behind": Fault(_then(WHOLE, _soon, _reset), NO_UPGRADE),
    "close-idle": Fault(_then(WHOLE, _soon, _close), NO_UPGRADE, is_harmless=True),
    "close-told": Fault(_then(_told, _close), NO_UPGRADE, is_harmless=True),
    "close-told-late": Fault(_then(_told, _soon, _close), NO_UPGRADE, is_harmless=True),
    "until-close": Fault(
        _then(_send(_until_close(b"HTTP/1.1")), _close), WITH_BODY, is_harmless=True
    ),
    "http-10": Fault(_then(_send(_until_close(b"HTTP/1.0")), _close), WITH_BODY, is_harmless=True),
    "http-10-length": Fault(_then(_send(_as_http_10), _close), NO_UPGRADE, is_harmless=True),
    # Heads before the reply
    "interim-100": Fault(_interim(b"100 Continue"), is_harmless=True),
    "interim-102": Fault(_interim(b"102 Processing"), is_harmless=True),
    "interim-103": Fault(_interim(b"103 Early Hints\r\nLink: </a>"), is_harmless=True),
    "interim-199": Fault(_interim(b"199 Odd", b"100 Continue"), is_harmless=True),
    "unasked-101": Fault(_interim(b"101 UPGRADED\r\nUpgrade: tcp"), NO_UPGRADE, is_fatal=True),
    # Bytes that are nobody's
    "extra-bytes": Fault(_send(lambda reply: bytes(reply) + b"\r\nextra"), NO_UPGRADE),
    "extra-reply": Fault(_send(lambda reply: bytes(reply) + _intruder(reply)), NO_UPGRADE),
    "body-behind-204": Fault(_without_body(b"204 No Content", behind=_intruder), "ContainerStart"),
    "body-behind-304": Fault(
        _without_body(b"304 Not Modified", behind=_intruder), "ContainerStart"
    ),
    "length-304": Fault(
        _without_body(b"304 Not Modified", b"Content-Length: 20"),
        "ContainerStart",
        is_harmless=True,
    ),
    "chunked-304": Fault(
        _without_body(b"304 Not Modified", b"Transfer-Encoding: chunked"),
        "ContainerStart",
        is_harmless=True,
    ),
    "body-behind-head": Fault(
        _send(lambda reply: reply.head_with(b"Content-Length: 20") + b'{"Id": "intruder-x"}'),
        "ArchiveInfo",
    ),
    # Framing that is wrong
    "length-short": Fault(_send(_length(-5)), WITH_BODY),
    "length-long": Fault(_then(_send(_length(5)), _close), WITH_BODY),
    "lengths-two": Fault(
        _sized(b"Content-Length: 1", b"Content-Length: 2"), WITH_BODY, is_fatal=True
    ),
    "length-signed": Fault(
        _send(lambda reply: reply.head_with(b"Content-Length: +%d" % len(reply.body)) + reply.body),
        WITH_BODY,
        is_fatal=True,
    ),
    "length-and-chunks": Fault(
        _chunks(b"Content-Length: 3", b"Transfer-Encoding: chunked"), WITH_BODY
    ),
    "coding-unknown": Fault(_chunks(b"Transfer-Encoding: gzip, chunked"), WITH_BODY, is_fatal=True),
    "chunk-size-broken": Fault(_chunks(change=lambda body: b"0x" + body), WITH_BODY, is_fatal=True),
    "chunk-end-broken": Fault(_chunks(change=lambda body: body[:-7] + b"XX0\r\n\r\n"), WITH_BODY),
    "chunk-last-missing": Fault(_then(_chunks(change=lambda body: body[:-5]), _close), WITH_BODY),
    "chunk-trailers": Fault(
        _chunks(change=lambda body: body[:-2] + b"A: b\r\n\r\n"), WITH_BODY, is_harmless=True
    ),
    # Contents
    "gzip": Fault(_send(_packed()), VALUES, is_harmless=True),
    "gzip-broken": Fault(_send(_packed(b"\x1f\x8b no gzip")), VALUES, is_fatal=True),
    "error-404": Fault(WHOLE, is_fatal=True),
    "error-409": Fault(WHOLE, is_fatal=True),
    "error-500": Fault(_then(WHOLE, _close), is_fatal=True),
}


# The process


def serve(path: str, seed: int) -> None:
    """Serve until standard input ends; the tcp port is printed first."""
    unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    unix.bind(path)
    unix.listen(128)
    tcp = socket.create_server(("127.0.0.1", 0), backlog=128)
    for listener in (unix, tcp):
        threading.Thread(target=_accept, args=(listener, seed), daemon=True).start()
    print(tcp.getsockname()[1], flush=True)
    sys.stdin.read()


def _accept(listener: socket.socket, seed: int) -> None:
    while True:
        connection, _ = listener.accept()
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        seed += 1
        threading.Thread(target=Connection(connection, seed).serve, daemon=True).start()


@contextlib.contextmanager
def playing(seed: int) -> Iterator[dict[str, str]]:
    """Have a peer in a process of its own, and its addresses: of unix and of tcp.

    RuntimeError at the end if the peer itself has failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "peer.sock"))
        command = [sys.executable, __file__, path, str(seed)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            port = int(process.stdout.readline())
            try:
                yield {"unix": f"unix://{path}", "tcp": f"tcp://127.0.0.1:{port}"}
            finally:
                process.stdin.close()
                failures = process.stdout.read().decode()
    if failures:
        raise RuntimeError(failures)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
