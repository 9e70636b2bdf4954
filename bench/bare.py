"""The same bytes read with the standard library alone, as a measure of the time."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from daemon import VERSION, UnixHTTPConnection, connect

if TYPE_CHECKING:
    import http.client
    from collections.abc import Callable, Iterator

MOST = 1024 * 1024
READ = 64 * 1024


def ask(
    connection: http.client.HTTPConnection, target: str, decode: Callable[[bytes], Any] = bytes
) -> Any:
    """Return what the decoder makes of the whole body, over a connection that stays open."""
    connection.request("GET", f"/v{VERSION}{target}")
    return decode(connection.getresponse().read())


def by_socket(path: str, target: str) -> Iterator[bytes]:
    """Yield what comes out of a socket, the reply's head and chunk sizes among it."""
    with connect(path) as connection:
        head = f"GET /v{VERSION}{target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        while block := connection.recv(MOST):
            yield block


def by_http_client(path: str, target: str) -> Iterator[bytes]:
    """Yield the body as http.client reads it."""
    connection = UnixHTTPConnection(path)
    connection.request("GET", f"/v{VERSION}{target}")
    with connection.getresponse() as reply:
        while block := reply.read(READ):
            yield block
    connection.close()


def frames(blocks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield a log's frames, each of which is a chunk of its own; nothing is checked."""
    unpack = struct.Struct(">BxxxI").unpack_from
    rest = next(blocks)
    rest = rest[rest.index(b"\r\n\r\n") + 4 :]
    for block in blocks:
        data, position = rest + block, 0
        while (line_end := data.find(b"\r\n", position)) >= 0:
            start = line_end + 2
            end = start + int(data[position:line_end], 16)
            if end + 2 > len(data) or start == end:
                break
            word, _ = unpack(data, start)
            yield word, data[start + 8 : end]
            position = end + 2
        rest = data[position:]
