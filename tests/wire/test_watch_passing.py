"""What is watched, between raw clients and scripted peers: no byte is lost, and all is read."""

from __future__ import annotations

import json
import random
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from dynadock.compat.watch import Watch
from recording.record import Requests
from serving import comes_true, threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECONDS = 20


class Turn(NamedTuple):
    """A request as a client sends it, the peer's reply, and what is to be written down."""

    request: bytes
    reply: bytes
    line: dict[str, Any]


def read_exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise EOFError(data)
        data += piece
    return data


def read_to_end(connection: socket.socket) -> bytes:
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


def send_in_pieces(connection: socket.socket, data: bytes, size: int) -> None:
    for start in range(0, len(data), size):
        connection.sendall(data[start : start + size])


@contextmanager
def scripted_peer(path: Path, script: Callable[[socket.socket], None]) -> Iterator[None]:
    """Play the script with each connection to a unix socket; its failure is the test's failure."""
    players: list[Any] = []

    def play(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(SECONDS)
            script(connection)

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            if stopping.is_set():
                connection.close()
                return
            players.append(pool.submit(play, connection))

    stopping = threading.Event()
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener,
        ThreadPoolExecutor(max_workers=16) as pool,
    ):
        listener.bind(str(path))
        listener.listen(16)
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield
        finally:
            stopping.set()
            connect(path).close()
            accepting.join()
    for player in players:
        player.result()


def connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(SECONDS)
    connection.connect(str(path))
    return connection


class Watched(NamedTuple):
    """Where to connect to, and what has passed."""

    listen: Path
    seen: Requests


@contextmanager
def watched(folder: Path, script: Callable[[socket.socket], None]) -> Iterator[Watched]:
    """Give the socket of a proxy before a scripted peer; all has been read on leaving."""
    engine, listen = folder / "engine.sock", folder / "watch.sock"
    seen = Requests()
    with (
        scripted_peer(engine, script),
        Watch(f"unix://{engine}", f"unix://{listen}", recorder=seen) as watch,
    ):
        yield Watched(listen, seen)
        assert comes_true(lambda: not watch.connections)
    assert not threads()


JSON_BODY = {"host": "d", "content-type": "application/json", "content-length": "18"}
CONVERSATIONS = {
    "a JSON body with a length": [
        Turn(
            b"POST /v1.42/containers/create?name=web HTTP/1.1\r\nHost: d\r\n"
            b'Content-Type: application/json\r\nContent-Length: 18\r\n\r\n{"Image":"b\xc3\xbcsy"} ',
            b'HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\n{"Id":"a"}',
            {
                "method": "POST",
                "target": "/v1.42/containers/create?name=web",
                "headers": JSON_BODY,
                "body": {"Image": "büsy"},
                "status": 201,
            },
        )
    ],
    "a JSON body in chunks, and a reply in chunks with a trailer": [
        Turn(
            b"POST /x HTTP/1.1\r\nHost: d\r\nTRANSFER-ENCODING: chunked\r\n"
            b"Content-Type: application/json; charset=utf-8\r\n\r\n"
            b'4\r\n{"a"\r\n00A;ext=1\r\n:[1, 2, 3]\r\n1\r\n}\r\n0\r\n\r\n',
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
            {
                "method": "POST",
                "target": "/x",
                "headers": {
                    "host": "d",
                    "transfer-encoding": "chunked",
                    "content-type": "application/json; charset=utf-8",
                },
                "body": {"a": [1, 2, 3]},
                "status": 200,
            },
        ),
        Turn(
            b"GET /after HTTP/1.1\r\nHost: d\r\n\r\n",
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            {"method": "GET", "target": "/after", "headers": {"host": "d"}, "status": 404},
        ),
    ],
    "replies without a body": [
        Turn(
            b"HEAD /_ping HTTP/1.1\r\nHost: d\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
            {"method": "HEAD", "target": "/_ping", "headers": {"host": "d"}, "status": 200},
        ),
        Turn(
            b"POST /start HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\n\r\n",
            {
                "method": "POST",
                "target": "/start",
                "headers": {"host": "d", "content-length": "0"},
                "status": 204,
            },
        ),
        Turn(
            b"POST /stop HTTP/1.1\r\nHost: d\r\n\r\n",
            b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
            {"method": "POST", "target": "/stop", "headers": {"host": "d"}, "status": 304},
        ),
    ],
    "a body that is not JSON, and headers given twice": [
        Turn(
            b"PUT /archive HTTP/1.1\r\nHost: d\r\nContent-Type: application/x-tar\r\n"
            b"Content-Length: 8\r\n"
            b"X-Twice: a\r\nx-twice:b\r\n\r\n\r\n\r\n\x00\xff{}",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\r\n\r",
            {
                "method": "PUT",
                "target": "/archive",
                "headers": {
                    "host": "d",
                    "content-type": "application/x-tar",
                    "content-length": "8",
                    "x-twice": "a, b",
                },
                "status": 200,
            },
        )
    ],
    "the JSON value null": [
        Turn(
            b"POST /commit HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
            b"Content-Length: 5\r\n\r\nnull\n",
            b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
            {
                "method": "POST",
                "target": "/commit",
                "headers": {"host": "d", "content-type": "application/json", "content-length": "5"},
                "body": None,
                "status": 201,
            },
        )
    ],
    "an upgrade that is refused, and a request after it": [
        Turn(
            b"POST /attach HTTP/1.1\r\nHost: d\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n",
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}",
            {
                "method": "POST",
                "target": "/attach",
                "headers": {"host": "d", "upgrade": "tcp", "connection": "Upgrade"},
                "status": 404,
            },
        ),
        Turn(
            b"GET /a?b=c%20d HTTP/1.1\r\nHost: d\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
            {"method": "GET", "target": "/a?b=c%20d", "headers": {"host": "d"}, "status": 200},
        ),
    ],
}


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("turns", CONVERSATIONS.values(), ids=CONVERSATIONS.keys())
def test_pipelined_requests_in_pieces_of_any_size(turns: list[Turn], size: int, tmp_path: Path):
    arrived = []

    def script(connection: socket.socket) -> None:
        for turn in turns:
            arrived.append(read_exactly(connection, len(turn.request)))
            send_in_pieces(connection, turn.reply, size)
        arrived.append(read_to_end(connection))

    with watched(tmp_path, script) as (listen, seen), connect(listen) as client:
        send_in_pieces(client, b"".join(turn.request for turn in turns), size)
        client.shutdown(socket.SHUT_WR)
        replies = read_to_end(client)
    assert b"".join(arrived) == b"".join(turn.request for turn in turns)
    assert replies == b"".join(turn.reply for turn in turns)
    assert seen.lines == [turn.line for turn in turns]


ATTACH = b"POST /attach HTTP/1.1\r\nHost: d\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n"
LOOKS_LIKE_HTTP = b"GET /inside HTTP/1.1\r\nHost: d\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n", 101),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n", 200),
    ],
    ids=["101", "200 until the connection ends"],
)
def test_an_upgraded_connection_carries_bytes_both_ways_after_a_half_close(
    head: bytes, status: int, tmp_path: Path
):
    arrived = []

    def script(connection: socket.socket) -> None:
        arrived.append(read_exactly(connection, len(ATTACH)))
        connection.sendall(head + b"first words")
        arrived.append(read_to_end(connection))
        connection.sendall(b"last words, in answer to the half-close")

    with watched(tmp_path, script) as (listen, seen), connect(listen) as client:
        client.sendall(ATTACH + LOOKS_LIKE_HTTP)
        received = read_exactly(client, len(head + b"first words"))
        client.sendall(LOOKS_LIKE_HTTP)
        client.shutdown(socket.SHUT_WR)
        received += read_to_end(client)
    assert arrived == [ATTACH, LOOKS_LIKE_HTTP * 2]
    assert received == head + b"first words" + b"last words, in answer to the half-close"
    assert [(line["target"], line["status"]) for line in seen.lines] == [("/attach", status)]


def test_the_peer_may_half_close_first(tmp_path: Path):
    arrived = []

    def script(connection: socket.socket) -> None:
        arrived.append(read_exactly(connection, len(ATTACH)))
        connection.sendall(b"HTTP/1.1 101 UPGRADED\r\n\r\nall I have")
        connection.shutdown(socket.SHUT_WR)
        arrived.append(read_to_end(connection))

    with watched(tmp_path, script) as (listen, _), connect(listen) as client:
        client.sendall(ATTACH)
        assert read_to_end(client) == b"HTTP/1.1 101 UPGRADED\r\n\r\nall I have"
        client.sendall(b"and I have more")
    assert arrived == [ATTACH, b"and I have more"]


def test_more_than_any_buffer_holds_goes_both_ways_at_once(tmp_path: Path):
    up, down = (random.Random(seed).randbytes(3_000_000) for seed in (1, 2))
    arrived = []

    def script(connection: socket.socket) -> None:
        read_exactly(connection, len(ATTACH))
        connection.sendall(b"HTTP/1.1 101 UPGRADED\r\n\r\n")
        sending = threading.Thread(target=connection.sendall, args=(down,))
        sending.start()
        arrived.append(read_to_end(connection))
        sending.join()

    def send(client: socket.socket) -> None:
        client.sendall(ATTACH + up)
        client.shutdown(socket.SHUT_WR)

    with watched(tmp_path, script) as (listen, _), connect(listen) as client:
        sending = threading.Thread(target=send, args=(client,))
        sending.start()
        received = read_to_end(client)
        sending.join()
    assert arrived == [up]
    assert received == b"HTTP/1.1 101 UPGRADED\r\n\r\n" + down


@pytest.mark.parametrize(
    ("sent", "reply", "statuses"),
    [
        (b"GET /a HTTP/1.1\r\nHost: d\r\n\r\n", b"", [None]),
        (b"GET /a HTTP/1.1\r\nHost: d\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Le", [None]),
        (b"POST /a HTTP/1.1\r\nHost: d\r\nContent-Length: 9\r\n\r\n{}", b"", [None]),
        (b"GET /a HTTP/1.1\r\nHost: d\r\nHost", b"", []),
        (b"", b"", []),
    ],
    ids=["no reply", "half a reply", "half a request", "half a head", "nothing"],
)
def test_a_connection_that_ends_early(
    sent: bytes, reply: bytes, statuses: list[None], tmp_path: Path
):
    arrived = []

    def script(connection: socket.socket) -> None:
        arrived.append(read_exactly(connection, len(sent)))
        connection.sendall(reply)

    with watched(tmp_path, script) as (listen, seen), connect(listen) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        assert read_to_end(client) == reply
    assert arrived == [sent]
    assert [line["status"] for line in seen.lines] == statuses


def test_connections_at_once_write_whole_lines(tmp_path: Path):
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    everybody_is_here = threading.Barrier(8, timeout=SECONDS)
    turns = range(10, 30)

    def request(number: int, turn: int) -> bytes:
        body = json.dumps([number, turn, "x" * 5000]).encode()
        return (
            b"POST /%d HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (number, len(body), body)
        )

    def script(connection: socket.socket) -> None:
        everybody_is_here.wait()
        for turn in turns:
            read_exactly(connection, len(request(0, turn)))
            connection.sendall(reply)

    def ask(number: int) -> None:
        with connect(listen) as client:
            for turn in turns:
                client.sendall(request(number, turn))
                assert read_exactly(client, len(reply)) == reply

    with watched(tmp_path, script) as (listen, seen), ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(ask, range(8)))
    written = [(line["target"], *line["body"][:2]) for line in seen.lines]
    assert sorted(written) == [
        (f"/{number}", number, turn) for number in range(8) for turn in turns
    ]


def test_a_gap_behind_the_head_of_an_upgrade_stays(tmp_path: Path):
    head = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"

    def script(connection: socket.socket) -> None:
        read_exactly(connection, len(ATTACH))
        # Both at once, as they would be found by who passes them on too late.
        connection.sendall(head + b"output")

    with watched(tmp_path, script) as (listen, _), connect(listen) as client:
        client.sendall(ATTACH)
        # docker-py reads the head with a buffer, and loses what comes with it.
        assert client.recv(65536) == head
        assert read_to_end(client) == b"output"
