"""A scripted peer: a server on a real socket that plays what a test writes down.

::

    with playing([answer(reply(json=[])), hang_up]) as (peer, client):
        client.ContainerList()
    assert peer.requests[0].target == "/v1.42/containers/json"

Each script is one connection, a list of steps, and connections play them in the order in which they
come. Whatever does not go by the scripts (a connection too many or too few, a request that nobody
expected, one that never came) is an AssertionError when the peer ends. Threads and sockets end with
it.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import json as json_module
import select
import socket
import ssl
import struct
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from dynadock import load

if TYPE_CHECKING:
    from dynadock import Client

PATIENCE = 30.0
"""Seconds after which a peer gives up on its own threads: a test that hangs is to fail."""

MULTIPLEXED = "application/vnd.docker.multiplexed-stream"
RAW = "application/vnd.docker.raw-stream"

CHANNELS = ("stdin", "stdout", "stderr")

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
"""What a websocket's messages are."""


@dataclass(frozen=True)
class Seen:
    """One request as it came: ``head`` and ``body`` raw, ``chunks`` where it came in chunks."""

    head: bytes
    body: bytes = b""
    chunks: tuple[bytes, ...] | None = None

    @property
    def method(self) -> str:
        return self._first_line[0]

    @property
    def target(self) -> str:
        return self._first_line[1]

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names and values in the order in which they came, repetitions and all."""
        lines = self.head.decode("latin-1").split("\r\n")[1:-2]
        pairs = (line.split(": ", 1) for line in lines)
        return [(name, value) for name, value in pairs]

    def header(self, name: str) -> str | None:
        """Return a header's value; AssertionError if it came more than once."""
        found = [value for each, value in self.headers if each.lower() == name.lower()]
        assert len(found) < 2, f"{name} came {len(found)} times"
        return found[0] if found else None

    @property
    def _first_line(self) -> list[str]:
        return self.head.split(b"\r\n", 1)[0].decode("ascii").split(" ")


class _Gone(Exception):
    """The client hung up."""


class _Stopped(Exception):
    """The test is over."""


class Connection:
    """One accepted connection, as the steps of a script see it."""

    def __init__(self, peer: Peer, sock: socket.socket) -> None:
        self.peer = peer
        self.sock = sock
        self._unread = bytearray()

    def receive(self) -> bytes:
        self.peer.wait_for(self.sock)
        try:
            data = self.sock.recv(65536)
        except (ConnectionError, ssl.SSLError):
            data = b""
        if not data:
            raise _Gone
        return data

    def _until(self, end: bytes) -> bytes:
        while end not in self._unread:
            self._unread += self.receive()
        return self._exactly(self._unread.index(end) + len(end))

    def _exactly(self, size: int) -> bytes:
        while len(self._unread) < size:
            self._unread += self.receive()
        found = bytes(self._unread[:size])
        del self._unread[:size]
        return found

    def read_head(self) -> Seen:
        return Seen(self._until(b"\r\n\r\n"))

    def read_request(self) -> Seen:
        head = self.read_head()
        if head.header("Transfer-Encoding") == "chunked":
            chunks = tuple(self._chunks())
            return Seen(head.head, b"".join(chunks), chunks)
        return Seen(head.head, self._exactly(int(head.header("Content-Length") or 0)))

    def next_request(self) -> Seen | None:
        """Return the next whole request, None when the client has hung up instead."""
        try:
            return self.read_request()
        except _Gone:
            return None

    def _chunks(self) -> Any:
        while size := int(self._until(b"\r\n"), 16):
            yield self._exactly(size)
            self._exactly(2)
        self._exactly(2)

    def read_to_end(self) -> bytes:
        """Return all that comes until the client hangs up."""
        with contextlib.suppress(_Gone):
            while True:
                self._unread += self.receive()
        return self._exactly(len(self._unread))

    def unexpected(self) -> bytes:
        """Return what comes after the last request."""
        return bytes(self._unread) or self.receive()

    def read_message(self) -> tuple[int, bytes]:
        """Return the next websocket message's kind and content; clients mask theirs."""
        first, second = self._exactly(2)
        assert first & 0x80, "a message in fragments"
        assert second & 0x80, "a message without a mask"
        size = second & 0x7F
        if size > 125:
            size = int.from_bytes(self._exactly(2 if size == 126 else 8), "big")
        mask = self._exactly(4) * (size // 4 + 1)
        masked = self._exactly(size)
        return first & 0x0F, _exclusive_or(masked, mask[:size])

    def send(self, pieces: Sequence[bytes]) -> None:
        """Send the pieces one by one, each only when the one before it has been taken."""
        for position, piece in enumerate(pieces):
            if position:
                self._wait_until_taken()
            try:
                self.sock.sendall(piece)
            except ConnectionError:
                raise _Gone from None

    def _wait_until_taken(self) -> None:
        # Never for ever: a client may have read all that it wants.
        deadline = time.monotonic() + 1
        while self._untaken() and time.monotonic() < deadline:
            time.sleep(0.0002)

    def _untaken(self) -> int:
        return struct.unpack("i", fcntl.ioctl(self.sock, termios.TIOCOUTQ, b"\0" * 4))[0]

    def hang_up(self) -> None:
        self.sock.close()


def _exclusive_or(left: bytes, right: bytes) -> bytes:
    number = int.from_bytes(left, "big") ^ int.from_bytes(right, "big")
    return number.to_bytes(len(left), "big")


Step = Callable[[Connection], None]


def expect(connection: Connection) -> None:
    """Take one whole request."""
    connection.peer.requests.append(connection.read_request())


def expect_head(connection: Connection) -> None:
    """Take one request's head and leave its body."""
    connection.peer.requests.append(connection.read_head())


def expect_slowly(seconds: float) -> Step:
    """Take one whole request, with a pause before each piece of it."""

    def step(connection: Connection) -> None:
        receive = connection.receive

        def pause_and_receive() -> bytes:
            time.sleep(seconds)
            return receive()

        connection.receive = pause_and_receive
        expect(connection)

    return step


def expect_broken(connection: Connection) -> None:
    """Take a request that its client does not finish."""
    connection.peer.broken.append(connection.read_to_end())


def send(*pieces: bytes) -> Step:
    """Send bytes, piece by piece."""
    return lambda connection: connection.send(pieces)


def send_until_gone(*pieces: bytes) -> Step:
    """Send bytes piece by piece, of which the client may have enough at any time."""

    def step(connection: Connection) -> None:
        with contextlib.suppress(_Gone):
            connection.send(pieces)

    return step


def answer(*pieces: bytes) -> Step:
    """Take one whole request and answer with bytes, piece by piece."""

    def step(connection: Connection) -> None:
        expect(connection)
        connection.send(pieces)

    return step


def hang_up(connection: Connection) -> None:
    """Close the connection."""
    connection.hang_up()


def reset(connection: Connection) -> None:
    """Close a TCP connection so that the client's next read fails."""
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.hang_up()


def silence(connection: Connection) -> None:
    """Send nothing until the client hangs up, and expect nothing of it."""
    surprise = connection.read_to_end()
    assert not surprise, surprise


def ignore(connection: Connection) -> None:
    """Read nothing, so that a client that sends has to wait, until it is gone; then hang up."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLRDHUP)
    poll.register(connection.peer.over, select.POLLIN)
    poll.poll(PATIENCE * 1000)
    connection.hang_up()


def finish_sending(connection: Connection) -> None:
    """Send nothing more, and go on reading."""
    connection.sock.shutdown(socket.SHUT_WR)


def expect_input(data: bytes) -> Step:
    """Take what comes after an upgrade: this and nothing else so far."""

    def step(connection: Connection) -> None:
        came = connection._exactly(len(data))
        assert came == data, came
        assert not connection._unread, connection._unread

    return step


def expect_rest(data: bytes = b"") -> Step:
    """Take what comes until the client sends no more, though it may go on reading."""

    def step(connection: Connection) -> None:
        came = connection.read_to_end()
        assert came == data, came

    return step


def echo(encode: Callable[[bytes], bytes] = bytes) -> Step:
    """Send back what comes, as it comes and encoded, until the client sends no more."""

    def step(connection: Connection) -> None:
        with contextlib.suppress(_Gone):
            while True:
                connection.send([encode(connection.receive())])

    return step


def relay(address: tuple[str, int]) -> Step:
    """Hand everything on to a server and back, as a proxy does that has connected there."""

    def step(connection: Connection) -> None:
        with socket.create_connection(address) as there:
            open_ends = {connection.sock: there, there: connection.sock}
            while open_ends:
                readable, _, _ = select.select([*open_ends, connection.peer.over], [], [])
                if readable == [connection.peer.over]:
                    break
                for source in readable:
                    _pass_on(source, open_ends)
        connection.hang_up()

    return step


def _pass_on(source: socket.socket, open_ends: dict[socket.socket, socket.socket]) -> None:
    """Pass on what has come from one end, or that nothing more comes."""
    if source in open_ends:
        with contextlib.suppress(ConnectionError):
            if data := source.recv(65536):
                open_ends[source].sendall(data)
                return
        # Whoever sends no more may be gone, and take nothing either.
        with contextlib.suppress(OSError):
            open_ends.pop(source).shutdown(socket.SHUT_WR)


def until_gone(*steps: Step) -> Step:
    """Play steps over and over until the client is gone, which is as it should be."""

    def step(connection: Connection) -> None:
        with contextlib.suppress(_Gone):
            while True:
                for each in steps:
                    each(connection)

    return step


def drip(data: bytes, seconds: float) -> Step:
    """Send a byte at a time with pauses, until the client is gone or there is no more."""

    def step(connection: Connection) -> None:
        with contextlib.suppress(_Gone):
            for byte in in_pieces(data, 1):
                connection.send([byte])
                time.sleep(seconds)

    return step


def pause(seconds: float) -> Step:
    """Do nothing for a while."""
    return lambda _connection: time.sleep(seconds)


def wait(event: threading.Event) -> Step:
    """Go on only when the test says so."""

    def step(_connection: Connection) -> None:
        assert event.wait(PATIENCE), "the test never said so"

    return step


def tell(event: threading.Event) -> Step:
    """Let the test know that the script came this far."""
    return lambda _connection: event.set()


def reply(
    status: int = 200,
    body: bytes = b"",
    *,
    json: Any = ...,
    text: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Write a reply with a Content-Length: JSON, text, or bytes without a Content-Type."""
    fields = {}
    if json is not ...:
        body, fields["Content-Type"] = json_module.dumps(json).encode(), "application/json"
    elif text is not None:
        body, fields["Content-Type"] = text.encode(), "text/plain; charset=utf-8"
    if status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        fields["Content-Length"] = str(len(body))
    return head(status, {**fields, **(headers or {})}) + body


def chunked(*chunks: bytes, status: int = 200, content_type: str = "application/json") -> bytes:
    """Write a reply in chunks, as engines do for all but short ones."""
    fields = {"Content-Type": content_type, "Transfer-Encoding": "chunked"}
    return head(status, fields) + b"".join(map(chunk, (*chunks, b"")))


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def head(status: int, fields: Mapping[str, str]) -> bytes:
    """Write a reply's head, blank line included."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def streaming(content_type: str | None, **fields: str) -> bytes:
    """Write the head of a reply that goes on until the connection ends."""
    named = {} if content_type is None else {"Content-Type": content_type}
    return head(200, {**named, **fields})


def switching(content_type: str | None = MULTIPLEXED, protocol: str = "tcp") -> bytes:
    """Write the head of a reply that upgrades the connection."""
    named = {} if content_type is None else {"Content-Type": content_type}
    return head(101, {**named, "Connection": "Upgrade", "Upgrade": protocol})


def frame(channel: str, data: bytes) -> bytes:
    """Write a frame of a container's output."""
    return struct.pack(">BxxxL", CHANNELS.index(channel), len(data)) + data


def shake_hands(*pieces: bytes) -> Step:
    """Take a request for a websocket and agree; the first piece comes with the head."""

    def step(connection: Connection) -> None:
        expect(connection)
        key = connection.peer.requests[-1].header("Sec-WebSocket-Key") or ""
        agreed = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Accept": accepted(key),
        }
        first, *others = pieces or (b"",)
        connection.send([head(101, agreed) + first, *others])

    return step


def accepted(key: str) -> str:
    """Return the answer to a websocket's key (RFC 6455, section 1.3)."""
    proof = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    return base64.b64encode(proof).decode()


def message(data: bytes, kind: int = BINARY, *, last: bool = True) -> bytes:
    """Write a websocket message, or a fragment of one, as engines do: without a mask."""
    if len(data) < 126:
        size = bytes([len(data)])
    elif len(data) < 2**16:
        size = b"\x7e" + len(data).to_bytes(2, "big")
    else:
        size = b"\x7f" + len(data).to_bytes(8, "big")
    return bytes([kind | (0x80 if last else 0)]) + size + data


def close_frame(code: int | None = 1000, reason: bytes = b"") -> bytes:
    """Write the message that closes a websocket."""
    return message(b"" if code is None else code.to_bytes(2, "big") + reason, CLOSE)


def expect_message(kind: int, data: bytes) -> Step:
    """Take one websocket message."""

    def step(connection: Connection) -> None:
        came = connection.read_message()
        assert came == (kind, data), came

    return step


def in_pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


OK = answer(reply(text="OK"))
"""Take a ping, or whatever else is asked, and say that all is well."""

CREATED = answer(reply(201, json={"Id": "1"}))
"""Take what is to be made, and name it."""

JSON = {"Content-Type": "application/json"}

TAR_STREAM = head(200, {"Content-Type": "application/x-tar", "Transfer-Encoding": "chunked"})
"""The head of an archive in chunks."""

BEGINNINGS = {"101": switching(), "200": streaming(MULTIPLEXED)}
"""The heads that frames come after, by their status: of an upgraded connection, and of another."""

SHORT = 0.3
"""Seconds after which a client of a silent peer gives up."""


class Peer:
    """A server for as long as its ``with`` block; ``kind`` is unix, tcp or tcp6.

    With ``tls`` it speaks TLS; a connection on which that fails is to have an empty script.
    """

    def __init__(
        self, *scripts: list[Step], kind: str = "unix", tls: ssl.SSLContext | None = None
    ) -> None:
        self.scripts = scripts
        self.kind = kind
        self.tls = tls
        self.requests: list[Seen] = []
        """Requests that scripts took."""
        self.broken: list[bytes] = []
        """Requests that their client did not finish, as far as they came."""
        self.connections = 0
        self.address = ""
        """What ``load`` takes as ``host``."""
        self._problems: list[str] = []
        self._threads: list[threading.Thread] = []
        self.over, self._wake = socket.socketpair()

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        self._listener = self._listening()
        self.address = self._address()
        self._start(self._accept)
        return self

    def __exit__(self, kind: object, *_rest: object) -> None:
        self._wake.close()
        while self._threads:
            thread = self._threads.pop()
            thread.join(PATIENCE)
            if thread.is_alive():
                self._problems.append(f"{thread.name} does not end")
        self.over.close()
        self._listener.close()
        self._folder.cleanup()
        if self.connections < len(self.scripts):
            self._problems.append(f"{self.connections} of {len(self.scripts)} connections came")
        # An exception on its way says more than what follows from it.
        assert kind is not None or not self._problems, self._problems

    def wait_for(self, sock: socket.socket) -> None:
        """Wait until there is something to read; what came before the end of the test counts."""
        if isinstance(sock, ssl.SSLSocket) and sock.pending():
            return
        readable, _, _ = select.select([sock, self.over], [], [])
        if sock not in readable:
            raise _Stopped

    def _listening(self) -> socket.socket:
        if self.kind == "unix":
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(Path(self._folder.name, "peer.sock")))
        else:
            listener = socket.socket(socket.AF_INET6 if self.kind == "tcp6" else socket.AF_INET)
            listener.bind(("::1" if self.kind == "tcp6" else "127.0.0.1", 0))
        listener.listen()
        return listener

    def _address(self) -> str:
        if self.kind == "unix":
            return f"unix://{self._listener.getsockname()}"
        host, port = self._listener.getsockname()[:2]
        return f"tcp://[{host}]:{port}" if self.kind == "tcp6" else f"tcp://{host}:{port}"

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, name=f"peer {len(self._threads)}")
        thread.start()
        self._threads.append(thread)

    def _accept(self) -> None:
        try:
            while True:
                self.wait_for(self._listener)
                sock, _ = self._listener.accept()
                number, self.connections = self.connections, self.connections + 1
                if number < len(self.scripts):
                    self._start(self._play, sock, self.scripts[number])
                else:
                    self._problems.append(f"connection {number + 1}, which nobody expected")
                    sock.close()
        except _Stopped:
            pass

    def _play(self, sock: socket.socket, script: list[Step]) -> None:
        if self.kind != "unix":
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            sock = self._secured(sock)
        except OSError as error:
            if script:
                self._problems.append(f"TLS: {error}")
            sock.close()
            return
        with sock:
            connection = Connection(self, sock)
            try:
                for step in script:
                    step(connection)
                if sock.fileno() >= 0:
                    self._expect_no_more(connection)
            except (_Gone, _Stopped):
                self._problems.append("the script was not played to its end")
            except Exception as error:  # noqa: BLE001 - a thread has nobody to raise to
                self._problems.append(f"the script broke: {error!r}")

    def _secured(self, sock: socket.socket) -> socket.socket:
        if self.tls is None:
            return sock
        sock.settimeout(PATIENCE)
        return self.tls.wrap_socket(sock, server_side=True)

    def _expect_no_more(self, connection: Connection) -> None:
        """Keep the connection until the client or the test is done with it."""
        with contextlib.suppress(_Gone, _Stopped):
            self._problems.append(f"nobody expected {connection.unexpected()!r}")


@contextlib.contextmanager
def playing(
    *scripts: list[Step], version: str = "1.42", kind: str = "unix", **options: Any
) -> Iterator[tuple[Peer, Client]]:
    """Have a peer that plays the scripts, and a client of it."""
    with Peer(*scripts, kind=kind) as peer, load(version, host=peer.address, **options) as client:
        yield peer, client


def given_before(
    error: type[Exception], items: Iterable[Any], match: str | None = None
) -> list[Any]:
    """Read until the error that is to come, and return what came before it."""
    given: list[Any] = []
    with pytest.raises(error, match=match):
        given.extend(items)
    return given


@contextlib.contextmanager
def busy(listener: socket.socket) -> Iterator[None]:
    """Have a listener whose queue is full: it takes no more connections."""
    with contextlib.ExitStack() as waiting:
        listener.listen(0)
        while True:
            one = waiting.enter_context(socket.socket(listener.family))
            one.settimeout(0.1)
            try:
                one.connect(listener.getsockname())
            except (TimeoutError, BlockingIOError):
                break
        yield


def endless() -> Iterator[bytes]:
    """Yield a body that has no end."""
    while True:
        yield b"x" * 65536


def logs(client: Client, **arguments: Any) -> Any:
    """Ask for a container's output, both channels of it."""
    return client.ContainerLogs("web", stdout=True, stderr=True, **arguments)
