"""A body in chunks whose bytes are only counted: the same numbers, and the same end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dynadock.wire.chunks import LAST_CHUNK, Chunked, chunk

BEHIND = b"GET / HTTP/1.1\r\n"

cuts = st.lists(st.integers(min_value=1, max_value=40), max_size=200)
bodies = st.lists(st.binary(min_size=1, max_size=60), max_size=30)


def pieces(data, sizes):
    position = 0
    for size in sizes:
        yield data[position : position + size]
        position += size
    yield data[position:]


@given(bodies, cuts, st.booleans())
def test_counted_is_what_would_be_decoded(chunks, sizes, is_cut):
    data = b"".join(map(chunk, chunks)) + (LAST_CHUNK + BEHIND if not is_cut else b"")
    counting, decoding = Chunked(), Chunked()
    for piece in pieces(data, sizes):
        size = counting.skim(piece) if not counting.done else -1
        counted = len(counting.feed(piece)) if size < 0 else size
        assert counted == len(decoding.feed(piece))
        assert (counting.done, counting.rest) == (decoding.done, decoding.rest)
        assert counting.fault is None
    assert counting.done is not is_cut


@given(bodies, cuts, st.binary(max_size=30))
def test_what_is_no_chunk_is_found_in_either_way(chunks, sizes, noise):
    data = b"".join(map(chunk, chunks)) + noise
    counting, decoding = Chunked(), Chunked()
    for piece in pieces(data, sizes):
        size = counting.skim(piece) if not counting.done else -1
        counted = len(counting.feed(piece)) if size < 0 else size
        assert counted == len(decoding.feed(piece))
        assert str(counting.fault) == str(decoding.fault)


def test_large_chunks_are_counted_without_being_decoded():
    body = Chunked()
    body.feed(b"10000\r\n" + bytes(100))
    assert body.skim(bytes(65436) + b"\r\n10000\r\n" + bytes(7)) == 65436 + 7
    assert body.skim(bytes(65529) + b"\r\n") == 65529
    assert body.skim(b"2\r\nab\r\n") == 2
    assert body.skim(b"0\r\n\r\n") == -1
    assert body.feed(b"0\r\n\r\n") == b""
    assert body.done
