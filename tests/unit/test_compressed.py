"""Compressed archives read as what they are archives of, cut anywhere, never held as a whole."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynadock.archive.compressed import Blocks, decompressed, format_of
from dynadock.errors import MalformedStream, TruncatedStream

COMPRESS = {"": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}
MIB = 1024 * 1024


def blocks(data, size):
    return Blocks(data[at : at + size] for at in range(0, len(data), size))


def read(data, *, cut=700, size=1000, limit=10 * MIB):
    file = decompressed(blocks(data, cut), limit=limit)
    return b"".join(iter(lambda: file.read(size), b""))


@given(
    st.sampled_from([*COMPRESS]),
    st.lists(st.binary(max_size=300), min_size=1, max_size=3),
    st.integers(1, 50),
    st.integers(1, 500),
)
def test_parts_follow_one_another_however_they_are_cut(name, parts, cut, size):
    body = b"".join(map(COMPRESS[name], parts))
    if name or not format_of(body):
        assert read(body, cut=cut, size=size) == b"".join(parts)


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz"])
def test_what_is_cut_or_damaged_is_told_apart(name):
    body = COMPRESS[name](bytes(range(256)) * 100)
    assert format_of(body) == name
    with pytest.raises(TruncatedStream):
        read(body[: len(body) // 2])
    with pytest.raises(MalformedStream):
        read(body[:30] + b"damage" + body[36:])


def test_what_is_not_known_says_so():
    with pytest.raises(MalformedStream, match="zstd"):
        read(b"\x28\xb5\x2f\xfd and more")


def test_an_empty_archive_and_a_short_one_are_as_they_are():
    assert read(b"") == b""
    assert read(b"\x1f") == b"\x1f"


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz"])
def test_a_bomb_takes_no_more_memory_than_others_and_ends_at_the_limit(name):
    body = COMPRESS[name](bytes(40 * MIB))
    tracemalloc.start()
    file = decompressed(blocks(body, len(body)), limit=20 * MIB)
    with pytest.raises(MalformedStream, match="more than may be"):
        sum(map(len, iter(lambda: file.read(64 * 1024), b"")))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * MIB
