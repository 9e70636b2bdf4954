"""Replies without an end, or larger than they look: bounded in whatever part of them it is."""

from __future__ import annotations

import gzip
import resource
import zlib

import pytest

from dynadock import MalformedStream, TooLarge, TransportError
from wire.peer import (
    JSON,
    OK,
    answer,
    chunk,
    chunked,
    expect,
    hang_up,
    head,
    playing,
    reply,
    send_until_gone,
)

LIMIT = 100_000

WAYS = {"pool": {}, "own connection": {"deadline": 20.0}}
"""How a value's reply comes: over the pool, or, with a deadline, over a connection of its own."""

ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def _body(size):
    return b'["' + b"x" * (size - 4) + b'"]'


SHAPES = {
    "a length": lambda data, status, **fields: reply(status, data, headers={**JSON, **fields}),
    "chunks": lambda data, status, **fields: (
        head(status, {**JSON, "Transfer-Encoding": "chunked", **fields})
        + b"".join(chunk(data[start : start + 7000]) for start in range(0, len(data), 7000))
        + chunk(b"")
    ),
    "the connection's end": lambda data, status, **fields: head(status, {**JSON, **fields}) + data,
}


@ways
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_value_may_be_as_long_as_the_limit(way, shape):
    script = [answer(shape(_body(LIMIT), 200)), hang_up]
    with playing(script, limit=LIMIT, **way) as (_, client):
        assert len(client.ContainerList()[0]) == LIMIT - 4


@ways
@pytest.mark.parametrize("status", [200, 500], ids=["value", "error"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_longer_one_is_an_error_that_names_the_option(way, shape, status):
    script = [expect, send_until_gone(shape(_body(LIMIT + 1), status)), hang_up]
    with playing(script, [OK], limit=LIMIT, **way) as (peer, client):
        with pytest.raises(TooLarge, match=r"100000 bytes; with_options\(limit=…\)") as caught:
            client.ContainerList()
        assert caught.value.endpoint == peer.address
        assert peer.address in str(caught.value)
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize("name", ["ContainerLogs", "ImageGet"])
def test_an_error_in_place_of_a_stream_is_bounded_too(name):
    script = [expect, send_until_gone(chunked(*[b"x" * 5000] * 50, status=500)), hang_up]
    with playing(script, [OK], limit=LIMIT) as (_, client):
        with pytest.raises(TooLarge):
            client.operations[name]("web")
        assert client.SystemPing() == "OK"


@ways
@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_body_without_end(way, status):
    """It is given up at the limit, whether or not there is an end."""

    def endless(connection):
        begun = head(status, {**JSON, "Transfer-Encoding": "chunked"})
        send_until_gone(begun, *[chunk(b" " * 65536)] * 10_000)(connection)

    scripts = [[expect, endless], [OK]]
    with playing(*scripts, limit=1_000_000, **way) as (_, client):
        with pytest.raises(TooLarge):
            client.ContainerList()
        assert client.SystemPing() == "OK"


@ways
def test_a_length_beyond_the_limit_is_not_even_read(way):
    huge = head(200, {**JSON, "Content-Length": str(10**15)}) + b"["
    script = [expect, send_until_gone(huge, *[b" " * 65536] * 1000)]
    with playing(script, **way) as (_, client), pytest.raises(TooLarge):
        client.ContainerList()


def test_no_limit_is_none():
    with playing([answer(reply(200, _body(10**6), headers=JSON))], limit=None) as (_, client):
        assert len(client.ContainerList()[0]) == 10**6 - 4


def test_a_stream_has_no_limit_as_a_whole():
    script = [answer(chunked(*[b"x" * 1000] * 300, content_type="application/x-tar"))]
    with playing(script, limit=LIMIT) as (_, client), client.ImageGet("a") as archive:
        assert sum(map(len, archive)) == 300_000


# Packed replies

BOMB = gzip.compress(b"[" + b" " * 300_000_000 + b"]", 9)
"""300 MB in 300 kB."""

PACKINGS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "GZIP": lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:]),
}


@ways
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize(("coding", "pack"), PACKINGS.items(), ids=[*PACKINGS])
def test_a_compressed_value_is_decompressed(way, shape, coding, pack):
    packed = shape(pack(_body(LIMIT)), 200, **{"Content-Encoding": coding})
    with playing([answer(packed), hang_up], limit=LIMIT, **way) as (_, client):
        assert len(client.ContainerList()[0]) == LIMIT - 4


@ways
@pytest.mark.parametrize("status", [200, 500])
def test_a_decompression_bomb_is_too_large(way, status):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    packed = reply(status, BOMB, headers={**JSON, "Content-Encoding": "gzip"})
    with (
        playing([expect, send_until_gone(packed)], limit=2_000_000, **way) as (_, client),
        pytest.raises(TooLarge, match="2000000 bytes, decompressed"),
    ):
        client.ContainerList()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100_000, "kilobytes"


UNPACKABLE = {
    "not packed": ("gzip", b'["not packed"]', "cannot be decompressed"),
    "cut short": ("gzip", gzip.compress(_body(5000))[:-20], "ends too early"),
    "an unknown packing": ("br", b"x", "unknown Content-Encoding: 'br'"),
    "two packings": ("gzip, gzip", gzip.compress(b"[]"), "unknown Content-Encoding"),
}


@ways
@pytest.mark.parametrize(("coding", "body", "problem"), UNPACKABLE.values(), ids=UNPACKABLE)
def test_replies_that_cannot_be_decompressed(way, coding, body, problem):
    script = [answer(reply(200, body, headers={**JSON, "Content-Encoding": coding}))]
    with playing(script, **way) as (peer, client):
        with pytest.raises(MalformedStream, match=problem) as caught:
            client.ContainerList()
        assert caught.value.endpoint == peer.address


def test_no_compressed_replies_are_asked_for():
    stream = answer(reply(json={}))
    with playing([OK], [stream]) as (peer, client):
        client.SystemPing()
        list(client.SystemEvents())
    asked = [each.header("Accept-Encoding") for each in peer.requests]
    assert asked == ["identity"] * 2


# Heads

HEADS = {
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * 100_000,
    "large headers": b"HTTP/1.1 200 OK\r\n" + (b"X-A: " + b"a" * 60_000 + b"\r\n") * 20,
    "a header without end": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 1_000_000,
    "a status line without end": b"HTTP/1.1 200 " + b"a" * 1_000_000,
    "interim replies without end": b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000,
}


@ways
@pytest.mark.parametrize("data", HEADS.values(), ids=HEADS)
def test_a_head_without_end(way, data):
    pieces = [data[start : start + 65536] for start in range(0, len(data), 65536)]
    with playing([expect, send_until_gone(*pieces)], [OK], **way) as (_, client):
        with pytest.raises(MalformedStream):
            client.ContainerList()
        assert client.SystemPing() == "OK"


@ways
def test_trailers_without_end(way):
    begun = head(200, {**JSON, "Transfer-Encoding": "chunked"}) + chunk(b"[]") + b"0\r\n"
    script = [expect, send_until_gone(begun, *[b"X-A: 1\r\n" * 5000] * 20)]
    with playing(script, [OK], **way) as (_, client):
        with pytest.raises(TransportError):
            client.ContainerList()
        assert client.SystemPing() == "OK"


@ways
def test_a_chunks_line_without_end(way):
    begun = head(200, {**JSON, "Transfer-Encoding": "chunked"}) + b"5;"
    script = [expect, send_until_gone(begun, *[b"a" * 65536] * 20)]
    with playing(script, [OK], **way) as (_, client):
        with pytest.raises(TransportError):
            client.ContainerList()
        assert client.SystemPing() == "OK"
