"""What a peer sends is held in a small multiple of the bound, in however many pieces it comes.

A list of pieces of two bytes takes twenty times what is in them.
"""

from __future__ import annotations

import tracemalloc
import zlib
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import pytest

from cuts import steps
from dynadock.errors import TooLarge, TransportError
from dynadock.spec.loader import load_spec
from dynadock.streams.download import ByteStream
from dynadock.streams.flow import Origin
from dynadock.streams.frames import FrameStream
from dynadock.wire import frames
from dynadock.wire.chunks import LONGEST_TRAILERS, Chunked, chunk
from dynadock.wire.coding import Unpacker
from dynadock.wire.exchange import Exchange
from dynadock.wire.frames import FrameDecoder, Pieces
from dynadock.wire.http1 import LONGEST_HEAD, HeadReader
from dynadock.wire.json_values import JsonDecoder
from dynadock.wire.lines import LineAssembler
from dynadock.wire.messages import Headers, Request
from dynadock.wire.websocket import WebSocketCodec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIMIT = 25_000
MOST = 5 * LIMIT + 150_000
"""Bytes at the peak: what is kept, what it is copied to at the end, and what comes at a time."""

TWO = b"xx"
FOREVER = 6 * LIMIT
"""Pieces: more than anything takes that has a bound."""

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n"


class Replaying:
    """A connection, or a link, that has these bytes for whoever reads."""

    status = 200
    headers = Headers()

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def receive(self) -> bytes:
        return next(self._pieces, b"")

    def offer(self, data: Any) -> tuple[int, bytes]:
        return len(data), b""

    def close(self) -> None:
        pass


def whole_reply(pieces):
    """Read a reply as a value is read."""
    exchange = Exchange(Request("GET", "/", {}), "engine")
    link = Replaying(pieces)
    for exchanging in (exchange.begin(), exchange.read_all(LIMIT)):
        try:
            step = next(exchanging)
            while True:
                step = exchanging.send(step(link))
        except StopIteration:
            pass


def by_decoder(make: Callable[[], Any], feed: str = "feed") -> Callable[[Iterator[bytes]], None]:
    """Return what feeds a decoder until it has a fault, which is raised."""

    def read(pieces: Iterator[bytes]) -> None:
        decoder = make()
        for piece in pieces:
            getattr(decoder, feed)(piece)
            if decoder.fault is not None:
                raise decoder.fault

    return read


def lines(channel: str, **options: Any) -> Callable[[Iterator[bytes]], None]:
    def read(pieces: Iterator[bytes]) -> None:
        assembler = LineAssembler(limit=LIMIT, **options)
        for piece in pieces:
            list(assembler.feed(Pieces([channel], [piece])))
            if assembler.fault is not None:
                raise assembler.fault

    return read


def stream(kind: type, method: str, **options: Any) -> Callable[[Iterator[bytes]], None]:
    operation = load_spec("1.42")["ContainerLogs"]
    origin = Origin(operation, "engine", LIMIT)
    return lambda pieces: getattr(kind(Replaying(pieces), origin, **options), method)()


def begun(*first: bytes, then: bytes = TWO, count: int = FOREVER) -> Callable[[], Iterator[bytes]]:
    return lambda: chain(first, repeat(then, count))


def packed(level: int) -> Callable[[], Iterator[bytes]]:
    data = zlib.compress(b"x" * 4 * LIMIT, level)
    return lambda: iter([OK + b"Content-Encoding: deflate\r\n\r\n", *steps(data, 2)])


BODY_OF_TWOS = b"".join([chunk(TWO)] * 1000)
OUTPUT = b"\1\0\0\0\xff\xff\xff\xff"
TERMINAL = {"is_terminal": True}

HELD = {
    "chunks of two bytes": (whole_reply, begun(OK + CHUNKS, then=chunk(TWO))),
    "many chunks of two bytes at a time": (whole_reply, begun(OK + CHUNKS, then=BODY_OF_TWOS)),
    "an error in chunks of two bytes": (
        whole_reply,
        begun(OK.replace(b"200", b"500") + CHUNKS, then=chunk(TWO)),
    ),
    "a body that the connection ends": (whole_reply, begun(OK + b"\r\n")),
    "a packed body": (whole_reply, packed(0)),
    "a body that is packed well": (whole_reply, packed(9)),
    "a line": (lines("stdout"), begun()),
    "a line of a terminal": (lines("console"), begun()),
    "a line with times": (lines("console", timestamps=True), begun()),
    "a line in a legacy encoding": (lines("stderr", encoding="cp1252"), begun()),
    "a text in a value": (by_decoder(lambda: JsonDecoder(LIMIT)), begun(b'{"a":"')),
    "a list in a value": (by_decoder(lambda: JsonDecoder(LIMIT)), begun(b'{"a":[0', then=b",1")),
    "all of a terminal's output": (stream(FrameStream, "collect", **TERMINAL), begun()),
    "all text of a terminal": (stream(FrameStream, "text", **TERMINAL), begun()),
    "all output in one frame": (stream(FrameStream, "collect", is_terminal=False), begun(OUTPUT)),
    "all bytes of a stream": (stream(ByteStream, "read"), begun()),
}


def peak_of(read: Callable[[Iterator[bytes]], None], pieces: Iterator[bytes]) -> int:
    tracemalloc.start()
    try:
        read(pieces)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


@pytest.mark.parametrize(("read", "pieces"), HELD.values(), ids=HELD)
def test_what_is_held_has_the_option_for_its_bound(read, pieces):
    kept: list[int] = []

    def reading(data: Iterator[bytes]) -> None:
        with pytest.raises(TooLarge, match=rf" {LIMIT} bytes.*; with_options\(limit=…\) "):
            read(data)
        kept.append(1)

    assert peak_of(reading, pieces()) < MOST
    assert kept


def of_head(pieces):
    reader = HeadReader()
    for piece in pieces:
        reader.feed(piece)


OF_ITS_OWN = {
    "a head": (of_head, begun(OK + b"A: "), LONGEST_HEAD),
    "trailers": (by_decoder(Chunked), begun(b"0\r\n", then=b"A:b\r\n"), LONGEST_TRAILERS),
    "an error of the engine": (
        by_decoder(FrameDecoder),
        begun(b"\3\0\0\0\xff\xff\xff\xff"),
        frames.LONGEST_MESSAGE,
    ),
}


@pytest.mark.parametrize(("read", "pieces", "bound"), OF_ITS_OWN.values(), ids=OF_ITS_OWN)
def test_what_no_option_bounds_has_a_bound_of_its_own(read, pieces, bound):
    def reading(data: Iterator[bytes]) -> None:
        with pytest.raises((TransportError, frames.EngineFault)):
            read(data)

    assert peak_of(reading, pieces()) < 6 * bound


GIVEN = {
    "frames of a large one": (by_decoder(FrameDecoder), begun(OUTPUT, count=LIMIT)),
    "output of a large frame": (
        by_decoder(FrameDecoder, "feed_pieces"),
        begun(OUTPUT, count=LIMIT),
    ),
    "line feeds between frames": (
        by_decoder(FrameDecoder),
        begun(then=b"\1\0\0\0\0\0\0\0\n", count=LIMIT),
    ),
}


@pytest.mark.parametrize(("read", "pieces"), GIVEN.values(), ids=GIVEN)
def test_what_is_given_as_it_comes_is_not_held(read, pieces, monkeypatch):
    monkeypatch.setattr(frames, "LARGEST_PIECE", LIMIT)
    assert peak_of(read, pieces()) < MOST


def test_a_message_of_a_websocket_is_bounded_before_it_comes():
    codec = WebSocketCodec(LIMIT)
    assert peak_of(lambda _: codec.feed(b"\x82\x7f" + (2**40).to_bytes(8, "big")), iter(())) < LIMIT
    with pytest.raises(TooLarge, match=rf"a message of the websocket is longer than {LIMIT} bytes"):
        raise codec.fault


def test_a_message_in_pieces_of_two_bytes_is_held_once_and_copied():
    size = (LIMIT - 1).to_bytes(8, "big")
    codec = WebSocketCodec(LIMIT)
    came: list[bytes] = []

    def read(pieces: Iterator[bytes]) -> None:
        for piece in pieces:
            came.extend(codec.feed(piece))

    pieces = chain([b"\x82\x7f" + size], repeat(TWO, LIMIT // 2))
    assert peak_of(read, pieces) < MOST
    assert list(map(len, came)) == [LIMIT - 1]


# Work, counted


class Counting:
    """zlib, with the bytes counted that it is given."""

    def __init__(self) -> None:
        self.count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(zlib, name)

    def decompressobj(self, **options: Any) -> Any:
        counting, inner = self, zlib.decompressobj(**options)

        class Member:
            def decompress(self, data: bytes, most: int) -> bytes:
                counting.count += len(data)
                return inner.decompress(data, most)

            def __getattr__(self, name: str) -> Any:
                return getattr(inner, name)

        return Member()


def gzip_member(data: bytes) -> bytes:
    maker = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    return maker.compress(data) + maker.flush()


EMPTY_BLOCK = b"\0\0\0\xff\xff"
MANY = {
    "empty members of gzip": gzip_member(b"") * 20_000,
    "empty members of zlib": zlib.compress(b"") * 20_000,
    "short members": gzip_member(b"a") * 20_000,
    "members of all sizes": b"".join(gzip_member(b"ab" * size) for size in range(3000)),
    "empty blocks in one member": b"\x78\x9c" + EMPTY_BLOCK * 80_000 + b"\3\0\0\0\0\1",
}


@pytest.mark.parametrize("data", MANY.values(), ids=MANY)
@pytest.mark.parametrize("size", [1 << 16, 1 << 30])
def test_many_members_take_linear_time(data, size, monkeypatch):
    """To give zlib all that is left for each of them would be bytes by the thousand million."""
    counting = Counting()
    monkeypatch.setattr("dynadock.wire.coding.zlib", counting)
    packing = Unpacker(None)
    for piece in steps(data, size):
        packing.feed(piece)
    packing.finish()
    assert counting.count < 20 * len(data)
