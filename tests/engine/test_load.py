"""One client under load: many threads, many calls, many streams, and what is left of them."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from dynadock import NotFound, execute, load
from engine.things import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dynadock import Client
    from engine.engines import Target

THREADS = 32
CALLS = 500
CONNECTIONS = 8
STREAMS = 200
MARK = "here is "

pytestmark = [pytest.mark.one_engine, pytest.mark.timeout(600)]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Log nothing: pytest keeps each line, which looks like a leak of memory here."""
    logger = logging.getLogger("dynadock")
    level = logger.level
    logger.setLevel(logging.WARNING)
    yield
    logger.setLevel(level)


@pytest.fixture
def shared(target: Target) -> Iterator[Client]:
    """An unused client, with fewer connections than there are threads."""
    with load(str(target.version), host=target.engine.address, connections=CONNECTIONS) as client:
        yield client


@pytest.fixture(scope="module")
def names(client: Client, new_container: Callable[..., str]) -> list[str]:
    """Containers that say their names and run on."""
    made = []
    for _ in range(4):
        name = new_container(
            Cmd=["sh", "-c", f"echo {MARK}$HOSTNAME; exec sleep 3600"],
            Hostname=f"load-{len(made)}",
        )
        client.ContainerStart(name)
        made.append(name)
    for name in made:
        eventually(lambda name=name: client.ContainerLogs(name, stdout=True).text())
    return made


def _descriptors() -> dict[str, str]:
    """Return what this process has open, by the numbers."""
    found = {}
    for each in Path("/proc/self/fd").iterdir():
        # The folder's own descriptor is gone when it is looked at.
        with suppress(FileNotFoundError):
            found[each.name] = str(each.readlink())
    return found


def _sockets() -> int:
    return sum(target.startswith("socket:") for target in _descriptors().values())


@contextmanager
def _counted_sockets() -> Iterator[list[int]]:
    """Count this process's sockets again and again: one is one connection at the engine."""
    counts, over = [_sockets()], threading.Event()

    def count() -> None:
        while not over.wait(0.01):
            counts.append(_sockets())

    counting = threading.Thread(target=count)
    counting.start()
    try:
        yield counts
    finally:
        over.set()
        counting.join()


def _inspect(client: Client, name: str, _text: str) -> None:
    assert client.ContainerInspect(name).Name == f"/{name}"


def _list(client: Client, name: str, _text: str) -> None:
    (found,) = client.ContainerList(filters={"name": f"^/{name}$"})
    assert found.Names == [f"/{name}"]


def _ping(client: Client, _name: str, _text: str) -> None:
    assert client.SystemPing() == "OK"


def _fail(client: Client, name: str, text: str) -> None:
    with pytest.raises(NotFound, match=text):
        client.ContainerInspect(f"{name}-{text}")


def _log(client: Client, name: str, _text: str) -> None:
    hostname = client.ContainerInspect(name).Config.Hostname
    assert client.ContainerLogs(name, stdout=True, stderr=True).text() == f"{MARK}{hostname}\n"


def _exec(client: Client, name: str, text: str) -> None:
    done = execute(client, name, ["sh", "-c", f"echo {text}; cat >&2"], stdin=text.encode())
    assert done == (0, f"{text}\n".encode(), text.encode())


ROUND = [_inspect, _list, _ping, _inspect, _log] * 10
ROUND[17] = ROUND[42] = _exec
ROUND[33] = _fail
"""What a thread does in turn. Every 25th runs a command, which takes an engine most of its time."""


def test_threads_share_a_client(shared: Client, names: list[str]) -> None:
    """Each thread gets its own replies; nothing is left open, and no more than allowed ever was."""
    assert shared.SystemPing() == "OK"
    shared.close()
    gc.collect()
    before = _descriptors()

    def work(thread: int) -> int:
        for number in range(CALLS):
            # Each begins elsewhere, so that all kinds of calls meet each other.
            call = ROUND[(number + 7 * thread) % len(ROUND)]
            call(shared, names[(number + thread) % len(names)], f"t{thread}c{number}e")
        return CALLS

    with _counted_sockets() as counts, ThreadPoolExecutor(THREADS) as threads:
        done = list(threads.map(work, range(THREADS)))
    assert done == [CALLS] * THREADS
    # Calls share the pool's; a stream has one of its own, and a thread one stream at a time.
    assert max(counts) - counts[0] <= CONNECTIONS + THREADS
    gc.collect()
    assert _sockets() - counts[0] <= CONNECTIONS
    shared.close()
    assert _descriptors() == before


class Relay:
    """Stands before an engine at a socket of its own, and counts who connects."""

    def __init__(self, path: Path, engine: str) -> None:
        self.address = f"unix://{path}"
        self.connections = 0
        self._path = path
        self._engine = engine.removeprefix("unix://")

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        listening = asyncio.start_unix_server(self._serve, self._path)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result()
        return self

    def __exit__(self, *_why: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        there, back = await asyncio.open_unix_connection(self._engine)
        await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@pytest.mark.real
def test_an_engine_sees_no_more_connections_than_the_pool_has(
    target: Target, names: list[str], tmp_path: Path
) -> None:
    def work(thread: int) -> None:
        for call in (_ping, _inspect, _list, _fail) * 12:
            call(client, names[thread % len(names)], "gone")

    with (
        Relay(tmp_path / "relay.sock", target.engine.address) as relay,
        load(str(target.version), host=relay.address, connections=CONNECTIONS) as client,
        ThreadPoolExecutor(THREADS) as threads,
    ):
        list(threads.map(work, range(THREADS)))
    # All connections of the whole run: each is kept and used again.
    assert 1 < relay.connections <= CONNECTIONS


@pytest.mark.real
def test_memory_stays_the_same(shared: Client, names: list[str]) -> None:
    """Ten thousand calls one after another; the first thousand fill what is filled once."""
    calls = (_ping, _inspect, _ping, _list, _fail, _inspect, _ping, _ping, _inspect, _list)

    def work(rounds: int) -> None:
        for number in range(rounds):
            for call in calls:
                call(shared, names[number % len(names)], "gone")

    tracemalloc.start()
    try:
        work(100)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        work(900)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Less than ten bytes of each call.
    assert after - before < 90_000
    assert _sockets() >= 1


@pytest.mark.real
def test_abandoned_streams_leave_nothing(shared: Client, names: list[str]) -> None:
    """Each warns that it was not closed, and is closed all the same."""
    shared.SystemPing()
    gc.collect()
    before = _descriptors()

    def follow(number: int) -> object:
        log = shared.ContainerLogs(names[number % len(names)], stdout=True, follow=True)
        assert next(log).data.startswith(MARK.encode())
        return log

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        logs = [follow(number) for number in range(STREAMS)]
        assert len(_descriptors()) >= len(before) + STREAMS
        logs.clear()
        gc.collect()
    told = [each for each in caught if issubclass(each.category, ResourceWarning)]
    assert len(told) == len(caught) == STREAMS
    assert all("was left open; close it, or use with" in str(each.message) for each in told)
    assert _descriptors() == before
    assert shared.SystemPing() == "OK"
