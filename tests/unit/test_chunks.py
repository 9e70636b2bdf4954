"""Bodies in chunks, cut anywhere."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuts import decoded, parts, steps
from dynadock.errors import MalformedStream, TruncatedStream
from dynadock.wire import chunks as chunks_module
from dynadock.wire.chunks import LAST_CHUNK, Chunked, chunk

CUTS = st.lists(st.integers(min_value=0, max_value=400), max_size=10)


def test_chunks_for_sending():
    assert chunk(b"x" * 255) == b"ff\r\n" + b"x" * 255 + b"\r\n"
    assert chunk(b"") == b""
    assert LAST_CHUNK == b"0\r\n\r\n"


CHUNKED = {
    "empty": (b"0\r\n\r\n", b""),
    "one": (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
    "several": (b"1\r\na\r\n2\r\nbc\r\n1\r\nd\r\n0\r\n\r\n", b"abcd"),
    "CRLF within": (b"6\r\n\r\na\r\n\n\r\n2\r\n\r\n\r\n0\r\n\r\n", b"\r\na\r\n\n\r\n"),
    "any case, leading zeros": (
        b"00a\r\n0123456789\r\n0A\r\nabcdefghij\r\n000\r\n\r\n",
        b"0123456789abcdefghij",
    ),
    "extensions": (b'3;a="b;c";d\r\nabc\r\n1 ;x=y\r\nd\r\n2 \t\r\nef\r\n0;z\r\n\r\n', b"abcdef"),
    "trailers": (b"3\r\nabc\r\n0\r\nX-A: b\r\n c\r\nX-B:\r\n\r\n", b"abc"),
}


@pytest.mark.parametrize(("data", "body"), CHUNKED.values(), ids=CHUNKED)
def test_chunks_cut_anywhere(data, body):
    behind = b"HTTP/1.1 200 OK\r\n\r\n"
    cuts = [[data[:cut], data[cut:] + behind] for cut in range(len(data) + 1)]
    for pieces in [*cuts, *(steps(data + behind, size) for size in (1, 2, 3, 4, 5, 1000))]:
        decoder = Chunked()
        assert decoded(decoder, pieces) == body
        assert (decoder.done, decoder.rest, decoder.fault) == (True, behind, None)
        decoder.finish()


@pytest.mark.parametrize(("data", "body"), CHUNKED.values(), ids=CHUNKED)
def test_chunks_truncated_at_every_byte(data, body):
    for cut in range(len(data)):
        decoder = Chunked()
        assert body.startswith(decoder.feed(data[:cut]))
        assert (decoder.done, decoder.fault) == (False, None)
        with pytest.raises(TruncatedStream):
            decoder.finish()


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", "before the last chunk"),
        (b"5", "before the last chunk"),
        (b"3\r\nabc\r\n", "before the last chunk"),
        (b"5\r\n", "after 0 of a chunk's 5 bytes"),
        (b"5\r\nab", "after 2 of a chunk's 5 bytes"),
        (b"2\r\nab", "after all 2 bytes of a chunk, before the CRLF"),
        (b"2\r\nab\r", "after all 2 bytes of a chunk, before the CRLF"),
        (b"0\r\n", "after the last chunk, before the empty line"),
        (b"0\r\nX-A: b", "after the last chunk, before the empty line"),
    ],
)
def test_where_chunks_were_truncated(data, where):
    decoder = Chunked()
    decoder.feed(data)
    with pytest.raises(TruncatedStream, match=where):
        decoder.finish()


BROKEN = {
    "no chunk": b"hello\r\n",
    "no size": b"\r\n",
    "sign": b"+5\r\nhello\r\n",
    "prefix": b"0x5\r\nhello\r\n",
    "underscore": b"1_0\r\n",
    "space before the size": b" 5\r\nhello\r\n",
    "bare line feed": b"5\nhello\r\n",
    "size too large": b"8" + b"0" * 15 + b"\r\n",
    "NUL in an extension": b"5;a=\0\r\n",
    "CR in an extension": b"5;a\rb\r\nhello",
    "frames": b"\x01\x00\x00\x00\x00\x00\x00\x05hello",
    "size of too many digits": b"0" * 20 + b"5\r\nhello",
    "a length in trailers that is none": b"0\r\nContent-Length: x\r\n\r\n",
    "two lengths in trailers": b"0\r\nContent-Length: 5\r\ncontent-length: 6\r\n\r\n",
    "a coding in trailers": b"0\r\nTransfer-Encoding: gzip\r\n\r\n",
    "two codings in trailers": b"0\r\n" + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n",
    "bare line feed behind trailers": b"0\r\nA: b\n\r\n",
    "another chunk for a trailer": b"0\r\n5\r\nhello\r\n0\r\n\r\n",
    "the next reply for a trailer": b"0\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\n",
    "no name of a trailer": b"0\r\n: b\r\n\r\n",
    "NUL in a trailer": b"0\r\nA: b\0\r\n\r\n",
    "CR in a trailer": b"0\r\nA: b\rB: c\r\n\r\n",
    "blanks before trailers": b"0\r\n A: b\r\n\r\n",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("size", [1, 2, 9, 1000])
def test_broken_chunks(broken, size):
    decoder = Chunked()
    assert decoded(decoder, steps(b"2\r\nok\r\n" + broken + b"X" * 20, size)) == b"ok"
    assert isinstance(decoder.fault, MalformedStream)
    assert not decoder.done
    assert decoder.feed(b"5\r\nhello\r\n") == b""
    decoder.finish()


@pytest.mark.parametrize("end", [b"X\r\n", b"\rX", b"\n\r\n", b"\r\r"])
@pytest.mark.parametrize("size", [1, 2, 6, 1000])
@pytest.mark.parametrize("before", [[], [b"abc"], [b"abc", b"d"], [b"ab", b"c" * 20, b"d"]])
def test_chunks_that_do_not_end_where_they_should(before, end, size):
    sent = b"".join(map(chunk, before)) + b"5\r\nhello" + end + b"0\r\n\r\n"
    for pieces in (steps(sent, size), [sent[:4], sent[4:]]):
        decoder = Chunked()
        assert decoded(decoder, pieces) == b"".join(before) + b"hello"
        assert "a chunk of 5 bytes ends with" in str(decoder.fault)


@pytest.mark.parametrize(
    "data",
    [
        b"5;" + b"x" * chunks_module.LONGEST_CHUNK_LINE,
        b"5;" + b"x" * chunks_module.LONGEST_CHUNK_LINE + b"\r\nhello\r\n0\r\n\r\n",
        b"0;" + b"x" * chunks_module.LONGEST_CHUNK_LINE + b"\r\n\r\n",
        b"0\r\nA: " + b"x" * chunks_module.LONGEST_TRAILERS,
        b"0\r\n" + b"A: b\r\n" * (chunks_module.LONGEST_TRAILERS // 6 + 1) + b"\r\n",
    ],
    ids=["endless extension", "extension", "last extension", "endless trailer", "trailers"],
)
@pytest.mark.parametrize("size", [4096, 1 << 20])
def test_what_is_dropped_has_an_end(data, size):
    decoder = Chunked()
    assert decoded(decoder, steps(data, size)) == b""
    assert isinstance(decoder.fault, MalformedStream)


@pytest.mark.parametrize("dropped", [b"5;", b"5 ", b"0;", b"0\t"])
def test_what_is_dropped_byte_by_byte_costs_little(dropped):
    sent = dropped + dropped[1:] * (chunks_module.LONGEST_CHUNK_LINE - len(dropped))
    begun = time.thread_time()
    decoder = Chunked()
    assert decoded(decoder, steps(sent, 1)) == b""
    assert decoder.fault is None
    assert time.thread_time() - begun < 1


def test_a_chunk_is_given_as_it_comes():
    decoder = Chunked()
    assert decoder.feed(b"fffffffffff\r\nab") == b"ab"
    assert decoder.feed(b"cd") == b"cd"
    assert not decoder.done


def test_more_sizes_than_are_remembered(monkeypatch):
    monkeypatch.setattr(chunks_module, "_LARGEST_CACHE", 3)
    chunks_module._SIZES.clear()
    blocks = [b"x" * (1 + size % 7) for size in range(40)]
    decoder = Chunked()
    sent = b"".join(map(chunk, blocks)) + LAST_CHUNK
    assert decoder.feed(sent[:4]) + decoder.feed(sent[4:]) == b"".join(blocks)
    assert decoder.done
    assert len(chunks_module._SIZES) <= 3
    assert 0 < len(decoder._expected) <= 3


def test_chunks_larger_than_can_be_read_are_refused(monkeypatch):
    monkeypatch.setattr(chunks_module, "LARGEST_CHUNK", 0xABCDE)
    decoder = Chunked()
    assert decoder.feed(b"abcde\r\nx") == b"x"
    decoder = Chunked()
    assert decoder.feed(b"abcdf\r\nx") == b""
    assert isinstance(decoder.fault, MalformedStream)


@given(st.lists(st.binary(max_size=40), max_size=12), CUTS)
def test_any_chunks_cut_anywhere(blocks, cuts):
    sent = b"".join(map(chunk, blocks)) + LAST_CHUNK
    decoder = Chunked()
    assert decoded(decoder, parts(sent, cuts)) == b"".join(blocks)
    assert (decoder.done, decoder.rest, decoder.fault) == (True, b"", None)


SIZES = st.lists(st.sampled_from([1, 5, 5, 5, 9, 15, 16, 16, 16, 40, 255, 256, 300]), max_size=12)


@given(SIZES, CUTS, st.integers(0, 2000), st.binary(max_size=3))
def test_how_chunks_are_cut_makes_no_difference(sizes, cuts, place, damage):
    sent = b"".join(chunk(b"\r\n5\r\nhello"[: size % 13] + b"x" * size) for size in sizes)
    sent = (sent + LAST_CHUNK)[:place] + damage + (sent + LAST_CHUNK)[place + len(damage) :]
    outcomes = set()
    for pieces in ([sent], parts(sent, cuts), steps(sent, 1)):
        decoder = Chunked()
        body = decoded(decoder, pieces)
        try:
            decoder.finish()
            ended = ""
        except TruncatedStream as error:
            ended = str(error)
        # The wrong bytes that the message quotes are those that have come.
        fault = str(decoder.fault).partition(" with ")[0]
        outcomes.add((body, fault, ended, decoder.done, decoder.rest))
    assert len(outcomes) == 1


@given(st.lists(st.binary(max_size=20), max_size=4), st.binary(max_size=40), CUTS)
def test_garbage_for_chunks_does_no_harm(blocks, garbage, cuts):
    sent = b"".join(map(chunk, blocks)) + garbage
    decoder = Chunked()
    body = decoded(decoder, parts(sent, cuts))
    assert body.startswith(b"".join(blocks))
    assert decoder.fault is None or isinstance(decoder.fault, MalformedStream)
    at_once = Chunked()
    assert at_once.feed(sent) == body
    assert (at_once.fault is None, at_once.done) == (decoder.fault is None, decoder.done)
    if not decoder.done and decoder.fault is None:
        with pytest.raises(TruncatedStream):
            decoder.finish()
