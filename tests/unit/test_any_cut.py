"""Whatever decodes bytes gives the same items and the same error, in whatever blocks these come.

A block is what a socket happened to have. What a caller sees must not depend on it: for each
decoder thousands of inputs, whole and broken, are read at once, byte by byte, and cut at random.
Where an item is a part of something (a body's bytes, output that is not kept until its frame is
whole), parts are joined before they are compared, and nothing else is.
"""

from __future__ import annotations

import gzip
import random
import re
import zlib
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuts import parts, steps
from dynadock.errors import TooLarge, TransportError
from dynadock.wire import frames as frames_module
from dynadock.wire.chunks import Chunked, chunk
from dynadock.wire.coding import Unpacker
from dynadock.wire.exchange import Exchange
from dynadock.wire.frames import (
    ConsoleDecoder,
    EngineFault,
    Frame,
    FrameDecoder,
    Pieces,
    encode_frame,
)
from dynadock.wire.json_values import JsonDecoder
from dynadock.wire.lines import LineAssembler
from dynadock.wire.messages import Request
from dynadock.wire.websocket import WebSocketCodec
from wire.peer import CLOSE, PING, TEXT, close_frame, message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Seen = tuple[list[Any], str]
"""Items in their order, and how it ended: with an error, or well."""

FAULTS = (TransportError, EngineFault, UnicodeDecodeError)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Let what has a bound of its own reach it with few bytes."""
    monkeypatch.setattr(frames_module, "LARGEST_PIECE", 12)
    monkeypatch.setattr(frames_module, "LONGEST_MESSAGE", 9)
    frames_module._HEADERS.clear()
    yield
    frames_module._HEADERS.clear()


def told(error: BaseException | None) -> str:
    return "" if error is None else f"{type(error).__name__}: {error}"


def without_quotation(end: str) -> str:
    """Leave out which bytes an error quotes: these may be more where more have come."""
    return re.sub(r"""\bb(['"]).*\1""", "…", end)


def seen(decoder: Any, pieces: Iterable[bytes], feed: Callable[[bytes], Iterable[Any]]) -> Seen:
    """Read pieces with a decoder, to its fault or the connection's end."""
    items: list[Any] = []
    for piece in pieces:
        items += feed(piece)
    try:
        if decoder.fault is None:
            items += decoder.finish() or ()
    except FAULTS as error:
        return items, told(error)
    return items, told(decoder.fault)


def joined(items: Iterable[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Join neighbours of one channel; what is empty is none."""
    groups = groupby((item for item in items if item[1]), lambda item: item[0])
    return [(channel, b"".join(data for _, data in group)) for channel, group in groups]


# The decoders


def frames(pieces):
    decoder = FrameDecoder()
    return seen(decoder, pieces, decoder.feed)


def output(pieces):
    decoder = FrameDecoder()
    runs, end = seen(decoder, pieces, lambda piece: decoder.feed_pieces(piece).runs())
    return joined(runs), end


def terminal(pieces):
    decoder = ConsoleDecoder()
    runs, end = seen(decoder, pieces, decoder.feed)
    return joined(runs), end


def lines_of(decoder: Any, options: dict[str, Any]) -> Callable[[Iterable[bytes]], Seen]:
    """Return what reads lines as a stream does it: until one of the two has a fault."""

    def lines(pieces: Iterable[bytes]) -> Seen:
        frames, assembler = decoder(), LineAssembler(**options)
        found: list[Any] = []
        for piece in pieces:
            if options.get("timestamps"):
                found += assembler.feed(Pieces.of(frames.feed(piece)))
            else:
                found += assembler.feed(frames.feed_pieces(piece))
            if assembler.fault is not None or frames.fault is not None:
                break
        fault = assembler.fault or frames.fault
        if fault is None:
            try:
                frames.finish()
            except TransportError as error:
                fault = error
        if not isinstance(fault, UnicodeDecodeError):
            found += assembler.finish()
        return found, told(fault or assembler.fault)

    return lines


def values(pieces):
    decoder = JsonDecoder(60)
    found, end = seen(decoder, pieces, decoder.feed)
    # Not compared as they are: 1 is 1.0 and true, and NaN is not itself.
    return [*map(repr, found)], end


def body(pieces):
    decoder = Chunked()
    found, end = seen(decoder, pieces, lambda piece: [decoder.feed(piece)])
    rest = decoder.rest if decoder.done else b""
    return [b"".join(found), decoder.done, rest], without_quotation(end)


def messages(pieces):
    codec = WebSocketCodec(40)
    found, end = seen(codec, pieces, codec.feed)
    return [*found, codec.done], end


def unpacked(pieces):
    packing = Unpacker(60)
    found = []
    try:
        found += [packing.feed(piece) for piece in pieces]
        packing.finish()
    except TransportError:
        # One that is both damaged and too large is refused for what is seen of it first.
        return [], "refused"
    return [b"".join(found)], ""


def reply(pieces, *, limit=50):
    """Read a whole reply by its exchange."""
    exchange = Exchange(Request("GET", "/", {}), "engine")
    rest = chain(filter(None, pieces), [b""])
    try:
        _carried_out(exchange.begin(), rest)
        whole = _carried_out(exchange.read_all(limit), rest)
    except TransportError as error:
        end = without_quotation(told(error))
        return [], "refused" if "compressed" in end or isinstance(error, TooLarge) else end
    head = exchange.head
    return [head.status, head.reason, dict(head.headers), whole], ""


def _carried_out(exchanging, rest):
    class Link:
        def offer(self, data):
            return len(data), b""

        def receive(self):
            return next(rest, b"")

    try:
        step = next(exchanging)
        while True:
            step = exchanging.send(step(Link()))
    except StopIteration as done:
        return done.value


# What they read

OK = b"HTTP/1.1 200 OK\r\n"
NANO = b"2026-11-23T15:59:27.338614253Z "
PLAIN_TEXT = (b"\n", b"\r\n", b"a\n", b"no frames\r\n", b"\xff", "é☃".encode(), b"\0", b"\x03")
HEADERS = (
    *(bytes((kind, 0, 0, 0, 0, 0, 0, size)) for kind in (0, 1, 2, 3, 4) for size in (0, 1, 2, 8)),
    *(bytes((kind, 0, 0, 0)) + b"\xff" * 4 for kind in (1, 3)),
    *(b"\1\0\0\0", b"\1\0\0", b"\n\1\0\0", b"\n\1\0\0\0\0\0\0\1a", b"\2\0\1\0\0\0\0\1a"),
)
FRAMES = (
    *HEADERS,
    *PLAIN_TEXT,
    *(encode_frame("stdout", data) for data in (b"", b"a\n", b"b", b"c\nd", b"x" * 12, b"y" * 25)),
    *(encode_frame("stderr", data) for data in (b"e\n", b"\xe2\x98", b"\x83\n", b"z" * 13)),
    *(encode_frame(name, NANO + b"t\n") for name in ("stdout", "stderr")),
    *(
        b"\3\0\0\0\0\0\0" + bytes([len(why)]) + why
        for why in (b"", b"no disk", b"n" * 9, b"n" * 40)
    ),
)
STATEFUL = tuple(
    encode_frame("stdout", data)
    for data in (
        b"\x1b$B",
        b"\x1b(B",
        b'$"',
        b"\n",
        b"~{",
        b"~}",
        b"+AGE",
        b"-",
        b"\x82",
        b"a\n",
        b"~\n",
    )
)
TERMINAL = (*PLAIN_TEXT, NANO, NANO + b"a\r\n", b"10%\r20%\r\r\n", b"x" * 7, b"\xe2\x98", b"\x83")
JSON = (
    *(b'{"a":1}', b"\r\n", b"\x1e", b"[", b"]", b'{"a":[', b"}]}", b'"', b'"\\"]"', b"\\", b","),
    *(b"1", b"-", b".5", b"e9", b"true", b"nul", b"l", b"NaN ", b" ", b"\xe2\x98", b"\x83", b":"),
    *(b'"' + b"x" * 55 + b'"', b"[" * 101, b"]" * 100, b"[" * 30, b"]" * 30, b"\xef\xbb\xbf"),
    *(b"<html>", b"truefalse", b"9" * 40, b'"\xf0\x9f\x90\xb3"', b"[1, 2", b"]\n"),
)
CHUNKS = (
    *(chunk(data) for data in (b"a", b"b" * 9, b"c" * 16, b"\r\n0\r\n\r\n")),
    *(
        b"0\r\n\r\n",
        b"0\r\n",
        b"A: b\r\n",
        b" folded\r\n",
        b"\r\n",
        b"\r",
        b"\n",
        b";x",
        b" ;y=1\r\n",
    ),
    *(
        b"5\r\n",
        b"5",
        b"hello",
        b"0000000000000000",
        b"1\r\nab",
        b"Content-Length: x\r\n",
        b"G\r\n",
    ),
)
MESSAGES = (
    *(message(data) for data in (b"", b"one", b"x" * 39, b"y" * 41)),
    *(
        message(b"on", last=False),
        message(b"e", 0),
        message(b"", 0, last=False),
        message(b"!", PING),
    ),
    *(message(b"\xff\xfe", TEXT), message(b"x", 5), message(b"x", CLOSE), message(b"z" * 130)),
    *(
        close_frame(),
        close_frame(1011, b"why"),
        close_frame(999),
        b"\x82",
        b"\x82\x7f",
        b"\0",
        b"\xff",
    ),
)


def gzipped(data):
    return gzip.compress(data, mtime=0)


PACKED = (
    *(pack(data) for pack in (gzipped, zlib.compress) for data in (b"", b"a", b"b" * 40)),
    *(gzipped(b"c" * 61), b"\x1f\x8b", b"\0", b"\0" * 9, b"\x78\x9c", b"\xff"),
)
HTTP = (
    *(
        OK,
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 101 Go\r\n\r\n",
        b"HTTP/1.1 204\r\n",
        b"HTT",
    ),
    *(
        b"Content-Length: 5\r\n",
        b"Content_Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"\r\n",
    ),
    *(b"Content-Encoding: gzip\r\n", b"A: b\r\n", b" c\r\n", b"A\r\n", b"\n", b"\x15", b"\x15\3\1"),
    *(b"\r\n5\r\nhello\r\n0\r\n\r\n", b"\r\nhello", b"x" * 51, b"\r\n" + gzipped(b"hello")),
)


class Kind(NamedTuple):
    """A decoder, what its inputs are made of, how they begin, and how many are read."""

    read: Callable[[Iterable[bytes]], Seen]
    made_of: tuple[bytes, ...]
    begin: bytes = b""
    count: int = 1500


A_FRAME = encode_frame("stdout", b"a\n")

KINDS = {
    "frames": Kind(frames, FRAMES, A_FRAME, 4000),
    "output": Kind(output, FRAMES, A_FRAME, 4000),
    "terminal": Kind(terminal, TERMINAL, count=500),
    "lines": Kind(lines_of(FrameDecoder, {}), FRAMES, A_FRAME, 2500),
    "lines within a limit": Kind(lines_of(FrameDecoder, {"limit": 6}), FRAMES, A_FRAME),
    "lines that must be text": Kind(lines_of(FrameDecoder, {"errors": "strict"}), FRAMES, A_FRAME),
    **{
        f"lines in {encoding}": Kind(
            lines_of(FrameDecoder, {"encoding": encoding}), STATEFUL, A_FRAME, 300
        )
        for encoding in ("iso2022_jp", "utf-7", "hz", "shift_jis")
    },
    "lines with times": Kind(lines_of(FrameDecoder, {"timestamps": True}), FRAMES, A_FRAME),
    "lines of a terminal": Kind(lines_of(ConsoleDecoder, {"limit": 40}), TERMINAL),
    "lines of a terminal with times": Kind(
        lines_of(ConsoleDecoder, {"timestamps": True, "errors": "strict"}), TERMINAL
    ),
    "JSON values": Kind(values, JSON, count=3000),
    "chunks": Kind(body, CHUNKS),
    "messages of a websocket": Kind(messages, MESSAGES),
    "packed bodies": Kind(unpacked, PACKED),
    "replies": Kind(reply, HTTP, OK, 2500),
}

MUTATIONS = (
    lambda data, place, _: data,
    lambda data, place, _: data[:place],
    lambda data, place, byte: data[:place] + data[place + 1 :],
    lambda data, place, byte: data[:place] + bytes([byte]) + data[place:],
    lambda data, place, byte: data[:place] + bytes([byte]) + data[place + 1 :],
)


def drawn(kind: Kind, chance: random.Random) -> bytes:
    """Draw an input: some of what the kind is made of, and perhaps a byte of it changed."""
    made = b"".join(chance.choices(kind.made_of, k=chance.randrange(1, 9)))
    data = kind.begin * chance.randrange(2) + made
    place, byte = chance.randrange(len(data) + 1), chance.randrange(256)
    return chance.choice(MUTATIONS)(data, place, byte)


def check(kind: Kind, data: bytes, places: Iterable[int]) -> None:
    whole = kind.read([data])
    for pieces in (steps(data, 1), parts(data, places)):
        assert kind.read(pieces) == whole, (data, pieces)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_corpus_of_inputs(kind):
    chance = random.Random(21)
    for _ in range(kind.count):
        data = drawn(kind, chance)
        check(kind, data, [chance.randrange(len(data) + 1) for _ in range(chance.randrange(1, 5))])


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@given(data=st.data())
def test_any_input(kind, data):
    made_of = st.sampled_from(kind.made_of) | st.binary(max_size=9)
    made = kind.begin + b"".join(data.draw(st.lists(made_of, max_size=8)))
    check(kind, made, data.draw(st.lists(st.integers(0, len(made)), max_size=6)))


# What an item is, beside being the same


def test_a_large_frame_is_pieces_of_one_size_and_the_rest():
    data = bytes(range(30))
    expected = [
        Frame("stderr", data[:12]),
        Frame("stderr", data[12:24]),
        Frame("stderr", data[24:]),
    ]
    assert frames(steps(encode_frame("stderr", data), 7)) == (expected, "")
    assert frames([encode_frame("stderr", data[:24])]) == (expected[:2], "")
    assert frames([encode_frame("stderr", data[:12])]) == (expected[:1], "")


def test_a_line_feed_behind_a_frame_is_its_end_and_another_is_none():
    data = A_FRAME + b"\n" + A_FRAME + b"\n\n" + A_FRAME
    found, end = frames([data])
    assert found == [Frame("stdout", text) for text in (b"a\n", b"\n", b"a\n", b"\n")]
    assert "MalformedStream: no frame begins with b'\\n" in end


def test_a_long_message_of_the_engine_is_cut():
    data = b"\3\0\0\0\xff\xff\xff\xff" + b"no" * 30
    assert frames([data]) == frames(steps(data, 3)) == ([], "EngineFault: nononono" + "n…")
