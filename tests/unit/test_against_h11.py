"""Our reader of replies beside h11, which knows nothing of us, over many thousands of broken ones.

What ours takes, h11 takes and reads alike, and the other way round. What is meant to differ stands
in `OURS_ALONE` and `H11_ALONE`, each with the reply that shows it and the reason.
"""

from __future__ import annotations

import random
import re
import time
import tracemalloc
from itertools import repeat
from typing import NamedTuple

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuts import parts, steps
from dynadock.errors import MalformedStream, TruncatedStream
from dynadock.wire.chunks import LONGEST_CHUNK_LINE, LONGEST_TRAILERS, chunk
from dynadock.wire.http1 import LONGEST_HEAD, HeadReader, body_decoder
from dynadock.wire.messages import header_case


class Asked(NamedTuple):
    """What is known of the request when its reply is read."""

    method: str = "GET"
    upgrade: bool = False


GET, HEAD, UPGRADE = Asked(), Asked("HEAD"), Asked("POST", upgrade=True)
QUESTIONS = (GET, HEAD, UPGRADE)


class Reading(NamedTuple):
    """What a reader makes of a connection's bytes.

    ``refused`` is its complaint, None where it takes the reply; then ``behind`` is what comes
    after the reply's end. ``body`` is what was given until then.
    """

    head: tuple[int, str, dict[str, str]] | None
    body: bytes
    behind: bytes = b""
    refused: Exception | None = None


# The two readers


def ours(pieces, asked):
    """Read a reply that comes in pieces, then the connection's end."""
    reader, pieces = HeadReader(), iter(pieces)
    body, read = [], None
    try:
        head = None
        while head is None:
            piece = next(pieces, None)
            head = reader.finish() if piece is None else reader.feed(piece)
        read = (head.status, head.reason, _comparable(head.headers.items()))
        decoder = body_decoder(head, asked.method)
        body.append(decoder.feed(reader.rest))
        while not decoder.done and decoder.fault is None:
            piece = next(pieces, None)
            if piece is None:
                decoder.finish()
                break
            body.append(decoder.feed(piece))
        if decoder.fault is not None:
            raise decoder.fault
    except (MalformedStream, TruncatedStream) as fault:
        return Reading(read, b"".join(body), refused=fault)
    return Reading(read, b"".join(body), decoder.rest + b"".join(pieces))


def theirs(data, asked):
    """Read the same with h11."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=10**7)
    upgrade = [("Connection", "Upgrade"), ("Upgrade", "tcp")] if asked.upgrade else []
    connection.send(
        h11.Request(method=asked.method, target="/", headers=[("Host", "engine"), *upgrade])
    )
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    connection.receive_data(b"")
    body, read = [], None
    try:
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                body.append(bytes(event.data))
            elif isinstance(event, h11.Response) or event.status_code == 101:
                read = _head_of(event)
            if read is not None and read[0] == 101:
                return Reading(read, connection.trailing_data[0])
    except h11.RemoteProtocolError as fault:
        return Reading(read, b"".join(body), refused=fault)
    return Reading(read, b"".join(body), connection.trailing_data[0])


def _head_of(event):
    fields = {}
    for name, value in event.headers:
        if name.lower() in (b"content_length", b"transfer_encoding"):
            continue  # no framing; left out by ours, whose headers have one name for both spellings
        fields.setdefault(header_case(name.decode()), []).append(value.decode("latin-1"))
    joined = {name: ", ".join(values) for name, values in fields.items()}
    return (event.status_code, event.reason.decode("latin-1"), _comparable(joined.items()))


def _comparable(headers):
    """Write framing as h11 does: the same length once, codings in small letters."""
    found = dict(headers)
    if "Content-Length" in found:
        lengths = sorted({length.strip(" \t") for length in found["Content-Length"].split(",")})
        found["Content-Length"] = ",".join(lengths)
    if "Transfer-Encoding" in found:
        found["Transfer-Encoding"] = found["Transfer-Encoding"].lower()
    return found


# What is meant to differ


class Difference(NamedTuple):
    """One way in which one of the two takes what the other refuses.

    ``shown`` is a reply that shows it, ``complaint`` what the other says (a pattern), ``sent`` what
    else has to stand in the reply's bytes (a pattern).
    """

    why: str
    shown: bytes
    complaint: str
    sent: bytes = b""
    asked: Asked = GET


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKS = OK + b"Transfer-Encoding: chunked\r\n\r\n"
NO_FRAMING = "Content-Length|Transfer-Encoding"
WITHOUT_BODY = rb"HTTP/1\.[0-9] (?:1[0-9][0-9]|204|304)"

OURS_ALONE = {
    "blanks before an extension": Difference(
        "RFC 9112, section 7.1.1: a recipient takes blanks on either side of the semicolon",
        CHUNKS + b"5 ;a=b\r\nhello\r\n0\r\n\r\n",
        r"illegal chunk header: bytearray\(b['\"][0-9A-Fa-f]+[ \\t]+;",
    ),
    "framing of what has no body": Difference(
        "RFC 9112, section 6.3: these end with their heads, regardless of their headers",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: +5\r\n\r\n",
        NO_FRAMING,
        WITHOUT_BODY,
    ),
    "framing of what answers HEAD": Difference(
        "the same",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        NO_FRAMING,
        asked=HEAD,
    ),
    "an upgrade nobody asked for": Difference(
        "h11 knows the request; with us the transport does, and this reader does not",
        b"HTTP/1.1 101 UPGRADED\r\n\r\nhello",
        "SWITCH_UPGRADE event without a pending proposal",
    ),
}

H11_ALONE = {
    "another major version": Difference(
        "RFC 9112, section 2.3: its messages need not look like these",
        b"HTTP/2.0 200 OK\r\n\r\n",
        "no HTTP reply came",
        rb"HTTP/[02-9]\.[0-9] ",
    ),
    "controls in a header": Difference(
        "RFC 9110, section 5.5: they are invalid; h11 forgives all but NUL and blanks",
        OK + b"A: b\x01c\r\n\r\n",
        "is not a header",
        rb"[\x01-\x08\x0e-\x1f\x7f]",
    ),
    "controls in a reason": Difference(
        "RFC 9112, section 4: it is text",
        b"HTTP/1.1 200 O\x01K\r\n\r\n",
        "no status line",
        rb"[\x01-\x08\x0e-\x1f\x7f]",
    ),
    "chunks and a length": Difference(
        "RFC 9112, section 6.3: an error, as readers differ in which of the two they follow",
        OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "transfer coding and has a Content-Length too",
    ),
    "a carriage return or NUL in an extension": Difference(
        "RFC 9112, section 2.2: a bare CR is invalid; nor is NUL in any grammar",
        CHUNKS + b"5;a\rb\r\nhello\r\n0;a\0b\r\n\r\n",
        "no chunk begins with",
        rb"[0-9A-Fa-f];[^\n]*(?:\0|\r[^\n])",
    ),
    "bare line feeds behind the last chunk": Difference(
        "RFC 9112, section 2.2 lets these end the lines of a head, and of nothing else",
        CHUNKS + b"0\r\nA: b\n\r\n",
        "no trailer",
        rb"[^\r]\n",
    ),
    "controls in a trailer": Difference(
        "as in a header",
        CHUNKS + b"0\r\nA: b\x01c\r\n\r\n",
        "no trailer",
        rb"[\x01-\x08\x0e-\x1f\x7f]",
    ),
    "a long head": Difference(
        "what is kept has an end",
        OK + b"A: " + b"b" * LONGEST_HEAD + b"\r\n\r\n",
        "head is longer than",
    ),
    "a long line of a chunk": Difference(
        "the same",
        CHUNKS + b"0;" + b"b" * LONGEST_CHUNK_LINE + b"\r\n\r\n",
        "line of a chunk is longer than",
    ),
    "long trailers": Difference(
        "the same",
        CHUNKS + b"0\r\nA: " + b"b" * LONGEST_TRAILERS + b"\r\n\r\n",
        "trailers are longer than",
    ),
}


def is_meant(difference, data, asked, complaint):
    return (
        re.search(difference.complaint, str(complaint)) is not None
        and re.search(difference.sent, data) is not None
        and difference.asked in (GET, asked)
    )


@pytest.mark.parametrize("difference", OURS_ALONE.values(), ids=OURS_ALONE)
def test_what_ours_alone_takes(difference):
    assert ours([difference.shown], difference.asked).refused is None
    complaint = theirs(difference.shown, difference.asked).refused
    assert is_meant(difference, difference.shown, difference.asked, complaint)


@pytest.mark.parametrize("difference", H11_ALONE.values(), ids=H11_ALONE)
def test_what_h11_alone_takes(difference):
    assert theirs(difference.shown, difference.asked).refused is None
    complaint = ours([difference.shown], difference.asked).refused
    assert is_meant(difference, difference.shown, difference.asked, complaint)


def check(data, asked, *cuttings):
    """Hold what ours makes of a reply against h11, and against ours with the reply cut up."""
    ours_whole, read_by_h11 = ours([data], asked), theirs(data, asked)
    about = (data, asked, ours_whole, read_by_h11)
    for pieces in cuttings:
        cut = ours(pieces, asked)
        assert cut[:3] == ours_whole[:3], (pieces, cut, *about)
        assert type(cut.refused) is type(ours_whole.refused), (pieces, cut, *about)
    if ours_whole.refused is None and read_by_h11.refused is None:
        assert ours_whole == read_by_h11, about
        return
    shorter, longer = sorted((ours_whole.body, read_by_h11.body), key=len)
    assert longer.startswith(shorter), about
    if ours_whole.refused is None:
        allowed, complaint = OURS_ALONE, read_by_h11.refused
    elif read_by_h11.refused is None:
        allowed, complaint = H11_ALONE, ours_whole.refused
    else:
        return
    assert any(is_meant(each, data, asked, complaint) for each in allowed.values()), about


# Replies, and what happens to them

CHUNKED_HELLO = b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
NEXT = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext"

GOOD = {
    "a length": OK + b"Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
    "a length of nothing": OK + b"Content-Length: 0\r\n\r\n",
    "a reply behind a length": OK + b"Content-Length: 5\r\n\r\nhello" + NEXT,
    "a length twice": OK + b"Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello",
    "a length listed": OK + b"Content-Length: 5, 5\r\n\r\nhello",
    "chunks": CHUNKS + CHUNKED_HELLO,
    "no chunks": CHUNKS + b"0\r\n\r\n",
    "a reply behind chunks": CHUNKS + CHUNKED_HELLO + NEXT,
    "many chunks": CHUNKS
    + b"".join(chunk(b"x" * size) for size in (1, 1, 9, 16, 17))
    + b"0\r\n\r\n",
    "chunks with line ends": CHUNKS + chunk(b"\r\n0\r\n\r\n") + chunk(b"\n") + b"0\r\n\r\n",
    "extensions": CHUNKS + b'5;a="b;c";d\r\nhello\r\n0;e\r\n\r\n',
    "zeros and blanks": CHUNKS + b"0005 \t\r\nhello\r\n000\r\n\r\n",
    "trailers": CHUNKS + b"5\r\nhello\r\n0\r\nA: b\r\nExpires: never\r\n\r\n" + NEXT,
    "until the end": OK + b"Connection: close\r\n\r\nhello",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
    "nothing at all": b"HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n" + NEXT,
    "not modified": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n" + NEXT,
    "no reason": b"HTTP/1.1 404\r\nContent-Length: 2\r\n\r\nno",
    "an error": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno",
    "folds": OK + b"A: b\r\n c\r\n\td\r\nContent-Length:\r\n 5\r\n\r\nhello",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "Latin-1": b"HTTP/1.1 200 \xfc\r\nA: \xe4\xa0\xff\r\nContent-Length: 5\r\n\r\nhello",
    "100": b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\nhello",
    "102, 103, 199": b"HTTP/1.1 102 P\r\nA: b\r\n\r\nHTTP/1.1 103 E\r\nLink: <a>\r\n\r\n"
    b"HTTP/1.1 199\r\n\r\n" + CHUNKS + CHUNKED_HELLO,
    "101": b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n\x01\0\0\0hello",
    "101 behind 100": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 UPGRADED\r\n\r\nhello",
}

ALL_IN_ONE = (
    OK + b"A: b\r\n c\r\nTransfer-Encoding: chunked\r\n\r\n5;d\r\nhello\r\n0\r\nE: f\r\n\r\n" + OK
)

INTERESTING = (
    *(bytes([byte]) for byte in b'\0\t\n\x0b\x0c\r\x1c\x1f "+,-./0158:;=AaXx_\x7f\x85\xa0\xff'),
    *(b"\r\n", b"\r\n\r\n", b"\n\n", b"\n\r\n", b"\r\r\n", b"\r\n ", b"\r\n\t", b" \r\n", b": "),
    *(b"0x", b"1_0", b"-1", b"+5", b"5, 6", b"00000000000000000", b"9" * 19, b"ffffffffffffffff"),
    *(
        b"0\r\n\r\n",
        b"0\r\n",
        b"5\r\n",
        b"5;a\r\n",
        b"5 ;a\r\n",
        b"A\r\n",
        b": b\r\n",
        b"A : b\r\n",
    ),
    *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 ", b"HTTP/2.0 ", b"HTTP/1.1 100 Continue\r\n\r\n"),
    *(b"HTTP/1.1 101 Go\r\n\r\n", b"099", b"100", b"101", b"199", b"204", b"304", b"999"),
    *(b"0\r\nContent-Length: x\r\n", b"0\r\nTransfer-Encoding: chunked\r\n\tb\r\n", b"\r\n A: b"),
    *(b"0\r\nContent-Length: 5\r\nContent-Length: 6\r\n", b"0\r\n a: b\r\n", b"0" * 15, b"0" * 20),
    *(b"chunked", b", chunked", b"gzip, ", b"identity", b"CHUNKED", b"chunked\r\n"),
    *(b"\r\nContent-Length: 5\r\n", b"\r\nContent-Length: 6\r\n", b"\r\nContent-Length:\r\n"),
    *(b"\r\nContent_Length: 5\r\n", b"\r\nTransfer_Encoding: chunked\r\n", b"\r\nX_Y: 1\r\nX-Y: 2"),
    *(b"\r\nTransfer-Encoding: chunked\r\n", b"\r\nTransfer-Encoding:\xa0chunked\r\n"),
    *(b"\r\nTransfer-Encoding: chunked, chunked\r\n", b"\r\nTransfer-Encoding: identity\r\n"),
)

MUTATIONS = (
    lambda data, place, length, _: data[:place] + data[place + length :],
    lambda data, place, _, piece: data[:place] + piece + data[place:],
    lambda data, place, _, piece: data[:place] + piece + data[place + len(piece) :],
    lambda data, place, length, piece: data[:place] + piece + data[place + length :],
    lambda data, place, length, _: data[: place + length] + data[place:],
    lambda data, place, length, _: data[:place] + data[place : place + length] * 3 + data[place:],
    lambda data, place, length, _: _flipped(data, place, length % 8),
    lambda data, place, _, __: data[:place],
)


def _flipped(data, place, bit):
    flipped = bytes(byte ^ (1 << bit) for byte in data[place : place + 1])
    return data[:place] + flipped + data[place + 1 :]


def mutated(data, mutation, place, length, piece):
    return MUTATIONS[mutation](data, place % (len(data) + 1), length, piece)


@pytest.mark.parametrize("asked", QUESTIONS, ids=repr)
@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_good_replies_cut_anywhere(data, asked):
    assert ours([data], asked).refused is None
    cuts = ([data[:cut], data[cut:]] for cut in range(len(data) + 1))
    check(data, asked, *cuts, *(steps(data, size) for size in (1, 2, 3, 7)))


@pytest.mark.parametrize("asked", QUESTIONS, ids=repr)
@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_replies_that_end_anywhere(data, asked):
    for end in range(len(data)):
        check(data[:end], asked, steps(data[:end], 1))


@pytest.mark.parametrize("piece", INTERESTING, ids=repr)
@pytest.mark.parametrize("mutation", [1, 2], ids=["between", "instead"])
def test_interesting_bytes_anywhere(piece, mutation):
    for place in range(len(ALL_IN_ONE) + 1):
        check(mutated(ALL_IN_ONE, mutation, place, 0, piece), GET)


@pytest.mark.parametrize("seed", range(10))
def test_a_corpus_of_broken_replies(seed):
    chance = random.Random(seed)
    for _ in range(600):
        data = chance.choice([*GOOD.values()])
        for _ in range(chance.choice((1, 1, 2, 3))):
            data = mutated(
                data,
                chance.randrange(len(MUTATIONS)),
                chance.randrange(1000),
                chance.randrange(1, 12),
                chance.choice(INTERESTING),
            )
        places = [chance.randrange(len(data) + 1) for _ in range(chance.randrange(1, 6))]
        asked = chance.choice((GET, GET, HEAD, UPGRADE))
        check(data, asked, parts(data, places), steps(data, 1))


def listed(choices, most):
    return st.lists(st.sampled_from(choices), max_size=most).map(b"".join)


STATUS_LINES = [OK] * 4 + [
    b"HTTP/1.%b %b%b\r\n" % (minor, status, reason)
    for minor in (b"0", b"1")
    for status in (b"200", b"204", b"304", b"404", b"101", b"600", b"20", b"2000", b"1e2")
    for reason in (b"", b" ", b" Very  Fine", b"  \t")
]
INTERIM = [
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 103\r\nLink: <a>\r\n\r\n",
    b"HTTP/1.1 199 X\n\n",
    b"HTTP/1.1 101 Go\r\n\r\n",
]
HEADERS = [
    *(b"A: b\r\n", b"a:c\r\n", b"B:\r\n", b"B: \t b c \r\n", b"A: b\n", b" folded\r\n", b"\t\r\n"),
    *(b"X_A: 1\r\n", b"X-A: 2\r\n", b": b\r\n", b"A : b\r\n", b"A\r\n", b"!#$%&'*+.^`|~: x\r\n"),
    *(b"Connection: close\r\n", b"Connection: Upgrade\r\nUpgrade: tcp\r\n", b"A: b\rc\r\n"),
]
FRAMINGS = [
    b"",
    *(b"Content-Length: %b\r\n" % length for length in (b"5", b"05", b"0", b"5, 5", b"5,6", b"")),
    *(b"Content-Length: %b\r\n" % length for length in (b"+5", b"0x5", b"5_0", b"-1", b"5;")),
    *[b"Transfer-Encoding: chunked\r\n"] * 6,
    *(b"Transfer-Encoding: %b\r\n" % coding for coding in (b"Chunked ", b"gzip", b"chunked;a=b")),
    *(b"TRANSFER-ENCODING:\r\n chunked\r\n", b"Content_Length: 5\r\n", b"Transfer_Encoding: x\r\n"),
]
BODIES = [
    *(CHUNKED_HELLO, b"hello", b"5\r\nhello\r\n", b"0\r\n\r\n", b"0\r\n", b"\r\n", b"\n", NEXT),
    *(b"5;a=b\r\nhello\r\n", b"5 ; a\r\nhello\r\n", b"0;z\r\n", b"A: b\r\n", b" c\r\n", b"-1\r\n"),
    *(b"0x5\r\nhello\r\n", b"+5\r\nhello\r\n", b"1_0\r\n", b"5\nhello\n", b"5\r\nhell\r\n"),
    *(b"05\r\nhello\r\n", b"00000000000000005\r\nhello\r\n", b"5\r\nhello", b"A b\r\n", b": c\r\n"),
]
ENDS = st.sampled_from([b"\r\n"] * 8 + [b"\n", b"\r", b"\r\r\n", b" \r\n", b""])
REPLIES = st.tuples(
    st.one_of(st.just(b""), listed(INTERIM, 3)),
    st.sampled_from(STATUS_LINES),
    listed(HEADERS, 3),
    st.one_of(st.sampled_from(FRAMINGS), listed(FRAMINGS, 3)),
    listed(HEADERS, 2),
    ENDS,
    st.one_of(listed(BODIES, 5), st.binary(max_size=12)),
).map(b"".join) | st.sampled_from([*GOOD.values()])
CHANGES = st.lists(
    st.tuples(
        st.integers(0, len(MUTATIONS) - 1),
        st.integers(0, 300),
        st.integers(1, 12),
        st.sampled_from(INTERESTING) | st.binary(min_size=1, max_size=3),
    ),
    max_size=4,
)
CUTS = st.lists(st.integers(0, 300), max_size=8)


@given(REPLIES, CHANGES, CUTS, st.sampled_from(QUESTIONS))
def test_any_reply_broken_and_cut_anywhere(data, changes, cuts, asked):
    for change in changes:
        data = mutated(data, *change)
    check(data, asked, parts(data, cuts), steps(data, 1))


# What a reply may cost

ENDLESS = {
    "reason": (OK[:-2], b"b"),
    "header": (OK + b"A: ", b"b"),
    "headers": (OK, b"A: b\r\n"),
    "folds": (OK + b"A: b\r\n", b" \r\n"),
    "carriage returns": (OK + b"A: b", b"\r"),
    "interim heads": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "chunks": (CHUNKS, b"1\r\na\r\n"),
    "chunks of many widths": (CHUNKS, b"1\r\na\r\n01 \r\na\r\n001;b\r\na\r\n"),
    "extension": (CHUNKS + b"5;", b"b"),
    "blanks behind a size": (CHUNKS + b"5", b" "),
    "chunks with extensions": (CHUNKS, b"1;" + b"b" * 100 + b"\r\na\r\n"),
    "trailer": (CHUNKS + b"0\r\nA: ", b"b"),
    "trailers": (CHUNKS + b"0\r\n", b"A: b\r\n"),
    "length": (OK + b"Content-Length: 999999999999999999\r\n\r\n", b"b"),
    "until the end": (OK + b"\r\n", b"b"),
}


def spent(pieces):
    """Return the seconds that a reader works on pieces; those of other programs do not count."""
    begun = time.thread_time()
    ours(pieces, GET)
    return time.thread_time() - begun


@pytest.mark.parametrize(("beginning", "more"), ENDLESS.values(), ids=ENDLESS)
def test_bytes_that_come_one_by_one_cost_the_same_each(beginning, more):
    sent = beginning + more * (32 * 1024 // len(more))
    quarter = min(spent(steps(sent[: len(sent) // 4], 1)) for _ in range(3))
    whole = min(spent(steps(sent, 1)) for _ in range(2))
    assert whole < 4 * quarter * 3 + 0.25
    assert whole < 3


def held(pieces):
    """Return the bytes that a reader of endless pieces has at most, besides the body it gives."""
    reader, decoder = HeadReader(), None
    tracemalloc.start()
    try:
        for piece in pieces:
            if decoder is not None:
                decoder.feed(piece)
            elif (head := reader.feed(piece)) is not None:
                decoder = body_decoder(head, "GET")
                decoder.feed(reader.rest)
            if decoder is not None and decoder.fault is not None:
                break
    except MalformedStream:
        pass
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return most


@pytest.mark.parametrize(("beginning", "more"), ENDLESS.values(), ids=ENDLESS)
def test_an_endless_reply_is_not_kept(beginning, more):
    block = more * (4096 // len(more) + 1)
    assert held([beginning, *repeat(block, 400)]) < 4 * LONGEST_HEAD
