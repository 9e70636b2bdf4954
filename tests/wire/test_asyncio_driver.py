"""The conversation under a second driver: a small one for asyncio, over a link of its own.

What the blocking driver does, this one does with the same steps; so the life of a request is
written once, and only waiting twice.
"""

from __future__ import annotations

import asyncio
import threading

import pytest

from dynadock.errors import ConnectionLost, MalformedStream, TooLarge, TransportError
from dynadock.wire.exchange import Exchange
from dynadock.wire.messages import Request
from wire.peer import (
    PATIENCE,
    Peer,
    answer,
    chunk,
    echo,
    expect,
    expect_head,
    expect_rest,
    hang_up,
    head,
    reply,
    send,
    silence,
    switching,
    wait,
)

GET = Request("GET", "/x", {})
UPGRADE = Request("POST", "/x", {"Connection": "Upgrade", "Upgrade": "tcp"})


class AsyncLink(asyncio.Protocol):
    """A socket as asyncio has it, with back-pressure both ways."""

    def __init__(self):
        self._came = bytearray()
        self._ended = False
        self._lost = None
        self._changed = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self._came += data
        self.transport.pause_reading()
        self._changed.set()

    def eof_received(self):
        self._ended = True
        self._changed.set()
        return True  # the way out stays open

    def connection_lost(self, error):
        self._ended, self._lost = True, error
        self._changed.set()
        self._writable.set()

    def pause_writing(self):
        self._writable.clear()

    def resume_writing(self):
        self._writable.set()

    def _taken(self):
        data = bytes(self._came)
        self._came.clear()
        self._changed.clear()
        if not self._ended:
            self.transport.resume_reading()
        return data

    async def receive(self):
        while not self._came and not self._ended:
            await self._changed.wait()
        if not self._came and self._lost is not None:
            raise self._lost
        return self._taken()

    async def send(self, data):
        if self.transport.is_closing():
            raise BrokenPipeError("the connection is closed")
        self.transport.write(bytes(data))
        await self._writable.wait()

    async def offer(self, data):
        if self._came:
            return 0, self._taken()
        sending = asyncio.ensure_future(self.send(data))
        hearing = asyncio.ensure_future(self._changed.wait())
        await asyncio.wait({sending, hearing}, return_when=asyncio.FIRST_COMPLETED)
        hearing.cancel()
        if not sending.done() and not self._came:
            await sending
        if sending.done():
            sending.result()
        else:
            sending.cancel()
        return len(data), self._taken() if self._came else b""

    async def close_sending(self):
        self.transport.write_eof()


async def carry_out(steps, link):
    """The second driver: the first one with ``await``."""
    try:
        step = next(steps)
        while True:
            try:
                came = await step(link)
            except OSError as error:
                step = steps.throw(ConnectionLost(str(error)))
            else:
                step = steps.send(came)
    except StopIteration as done:
        return done.value


async def connected(peer):
    loop = asyncio.get_running_loop()
    path = peer.address.removeprefix("unix://")
    _, link = await loop.create_unix_connection(AsyncLink, path)
    return link


def converse(script, talk):
    """Play a script, and have ``talk`` speak with it over an asyncio link."""

    async def main(peer):
        link = await connected(peer)
        try:
            return await asyncio.wait_for(talk(link), PATIENCE)
        finally:
            link.transport.abort()
            await asyncio.sleep(0)

    with Peer(script) as peer:
        return asyncio.run(main(peer)), peer


def asking(request, limit=None):
    """Return a talk of one request whose reply is read whole."""

    async def talk(link):
        exchange = Exchange(request, "localhost")
        await carry_out(exchange.begin(), link)
        body = await carry_out(exchange.read_all(limit), link)
        return exchange.head.status, body, exchange.is_reusable

    return talk


WHOLE = {
    "a length": (reply(text="OK"), (200, b"OK", True)),
    "chunks": (
        head(200, {"Transfer-Encoding": "chunked"}) + chunk(b"O") + chunk(b"K") + chunk(b""),
        (200, b"OK", True),
    ),
    "interim heads": (b"HTTP/1.1 102 Processing\r\n\r\n" + reply(text="OK"), (200, b"OK", True)),
    "no body": (head(204, {}), (204, b"", True)),
}


@pytest.mark.parametrize(("data", "result"), WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_whole_reply(data, result, size):
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    came, peer = converse([answer(*pieces), silence], asking(GET))
    assert came == result
    assert peer.requests[0].method == "GET"


def test_bytes_behind_a_reply_are_noticed():
    came, _ = converse([answer(reply(text="OK") + b"x"), silence], asking(GET))
    assert came == (200, b"OK", False)


def test_a_reply_that_the_connections_end_ends():
    came, _ = converse([answer(head(200, {}) + b"all"), hang_up], asking(GET))
    assert came == (200, b"all", False)


def test_an_early_refusal_ends_an_upload():
    sent = []

    def body():
        while True:
            sent.append(1)
            yield b"x" * 65536

    refused = reply(413, text="no", headers={"Connection": "close"})
    request = Request("PUT", "/x", {}, body())
    came, _ = converse([expect_head, send(refused), expect_rest_of_any], asking(request))
    assert came == (413, b"no", False)
    assert len(sent) < 1000


def expect_rest_of_any(connection):
    connection.read_to_end()


def test_an_upload_is_sent_whole_while_progress_comes():
    stream = head(200, {"Transfer-Encoding": "chunked"}) + chunk(b"begun ")
    request = Request("POST", "/x", {}, iter([b"a" * 100_000] * 20))
    script = [expect_head, send(stream), take_chunks(2_000_000), send(chunk(b"done") + chunk(b""))]
    came, _ = converse([*script, silence], asking(request))
    assert came == (200, b"begun done", True)


def take_chunks(size):
    def step(connection):
        assert sum(map(len, connection._chunks())) == size

    return step


def test_bytes_behind_a_101_and_half_close():
    async def talk(link):
        exchange = Exchange(UPGRADE, "localhost")
        await carry_out(exchange.begin(), link)
        assert exchange.is_upgraded
        first = await carry_out(exchange.receive(), link)
        await carry_out(exchange.send(b"in"), link)
        await carry_out(exchange.close_sending(), link)
        rest = b""
        while data := await carry_out(exchange.receive(), link):
            rest += data
        return first, rest

    came, _ = converse([expect, send(switching() + b"early "), echo(), send(b"!"), hang_up], talk)
    assert came == (b"early ", b"in!")


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ([expect, hang_up], TransportError),
        ([answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), hang_up], ConnectionLost),
        ([answer(b"SSH-2.0\r\n"), hang_up], MalformedStream),
        ([answer(switching()), silence], MalformedStream),
        ([answer(reply(text="x" * 100)), silence], TooLarge),
    ],
    ids=["lost", "cut short", "no HTTP", "unasked 101", "too large"],
)
def test_what_goes_wrong_is_the_same_error(script, error):
    with pytest.raises(error):
        converse(script, asking(GET, 50))


def test_a_deadline_is_a_cancellation():
    never = threading.Event()

    async def talk(link):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await asking(GET)(link)
        never.set()

    converse([expect, wait(never), expect_rest()], talk)
