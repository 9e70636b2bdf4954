"""The table of docs/faults.md: every cell of it is played."""

from __future__ import annotations

import contextlib
import gzip
import logging
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import dynadock
from dynadock import load
from privileges import without_configuration, without_privileges
from wire.peer import (
    JSON,
    OK,
    PATIENCE,
    SHORT,
    Peer,
    Step,
    answer,
    chunk,
    drip,
    expect,
    frame,
    hang_up,
    head,
    reply,
    reset,
    send_until_gone,
    silence,
    streaming,
    switching,
    tell,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock import Client

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
LIMIT = 50_000


class Kind(NamedTuple):
    """A kind of operation: a call that reads all of its reply, and a good reply to it."""

    call: Callable[[Client], Any]
    good: bytes


OUTPUT = frame("stdout", b"hello\n")
KINDS = {
    "GET": Kind(lambda client: client.ContainerInspect("web"), reply(json={"Id": "1"})),
    "POST": Kind(lambda client: client.ContainerCreate(Image="a"), reply(201, json={"Id": "1"})),
    "stream": Kind(
        lambda client: list(client.ContainerLogs("web", stdout=True, follow=True)),
        streaming("application/vnd.docker.multiplexed-stream") + OUTPUT,
    ),
    "upload": Kind(
        lambda client: client.PutContainerArchive("web", path="/", body=b"x" * 1000),
        reply(200, json={"Id": "1"}),
    ),
    "upgrade": Kind(
        lambda client: list(client.ContainerAttach("web", stream=True, stdout=True)),
        switching() + OUTPUT,
    ),
}


# The faults, and the clients that they happen to


class Scene(NamedTuple):
    """A client to which the fault happens at its next call; it works again after ``mend``."""

    client: Client
    mend: Callable[[], Any]
    peer: Peer | None = None


Fault = Callable[[Kind, Path], "contextlib.AbstractContextManager[Scene]"]


def _nothing() -> None:
    """Have nothing to mend."""


def _after(path: Path, peer: Peer) -> Callable[[], None]:
    """Return a function that makes the engine reachable at the client's address."""

    def mend() -> None:
        path.unlink(missing_ok=True)
        path.symlink_to(peer.address.removeprefix("unix://"))

    return mend


@contextlib.contextmanager
def _missing(_kind: Kind, folder: Path) -> Iterator[Scene]:
    path = folder / "engine.sock"
    with Peer([OK]) as peer, load("1.42", host=f"unix://{path}") as client:
        yield Scene(client, _after(path, peer))


@contextlib.contextmanager
def _refused(_kind: Kind, folder: Path) -> Iterator[Scene]:
    path = folder / "engine.sock"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))
    with Peer([OK]) as peer, load("1.42", host=f"unix://{path}") as client:
        yield Scene(client, _after(path, peer))


@contextlib.contextmanager
def _forbidden(_kind: Kind, folder: Path) -> Iterator[Scene]:
    path = folder / "engine.sock"
    with (
        socket.socket(socket.AF_UNIX) as listener,
        Peer([OK]) as peer,
        load("1.42", host=f"unix://{path}") as client,
    ):
        listener.bind(str(path))
        path.chmod(0)
        listener.listen()
        with contextlib.ExitStack() as poor:
            poor.enter_context(without_privileges())
            poor.enter_context(without_configuration())

            def mend() -> None:
                poor.close()
                _after(path, peer)()

            yield Scene(client, mend)


@contextlib.contextmanager
def _busy(_kind: Kind, folder: Path) -> Iterator[Scene]:
    path = folder / "engine.sock"
    with (
        socket.socket(socket.AF_UNIX) as listener,
        contextlib.ExitStack() as waiting,
        Peer([OK]) as peer,
        load("1.42", host=f"unix://{path}", timeout=SHORT) as client,
    ):
        listener.bind(str(path))
        listener.listen(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                one = waiting.enter_context(socket.socket(socket.AF_UNIX))
                one.setblocking(False)
                one.connect(str(path))
        yield Scene(client, _after(path, peer))


@contextlib.contextmanager
def _exhausted(_kind: Kind, _folder: Path) -> Iterator[Scene]:
    held = [answer(reply(200, b"abc")[:-1]), silence]
    with (
        Peer(held, [OK]) as peer,
        load("1.42", host=peer.address, connections=1, timeout=SHORT) as client,
        client.ImageGet.raw("a") as response,
    ):
        yield Scene(client, response.close)


@contextlib.contextmanager
def _idle(kind: Kind, _folder: Path) -> Iterator[Scene]:
    closed = threading.Event()
    with (
        Peer([OK, hang_up, tell(closed)], [answer(kind.good), OK]) as peer,
        load("1.42", host=peer.address) as client,
    ):
        client.SystemPing()
        assert closed.wait(PATIENCE)
        yield Scene(client, _nothing, peer)


@contextlib.contextmanager
def _stale(kind: Kind, _folder: Path) -> Iterator[Scene]:
    is_harmless = kind is KINDS["GET"]
    then = [answer(kind.good), OK] if is_harmless else [OK]
    with Peer([OK, expect, hang_up], then) as peer, load("1.42", host=peer.address) as client:
        client.SystemPing()
        yield Scene(client, _nothing, peer)


def _playing(steps: Callable[[Kind], list[Step]], *, kind: str = "unix", **options: Any) -> Fault:
    """Have the fault happen on a new connection; the next call has another."""

    @contextlib.contextmanager
    def fault(of: Kind, _folder: Path) -> Iterator[Scene]:
        with (
            Peer(steps(of), [OK], kind=kind) as peer,
            load("1.42", host=peer.address, **options) as client,
        ):
            yield Scene(client, _nothing, peer)

    return fault


@contextlib.contextmanager
def _replaced(kind: Kind, _folder: Path) -> Iterator[Scene]:
    refusal = {"message": "client version 1.42 is too new. Maximum supported API version is 1.41"}
    older = {"Api-Version": "1.41"}
    refused = answer(reply(400, json=refusal, headers=older))
    asked = [
        answer(reply(text="OK", headers=older)),
        answer(reply(json={"MinAPIVersion": "1.12"})),
    ]
    newer = answer(reply(text="OK", headers={"Api-Version": "1.43"}))
    is_plain = kind in (KINDS["GET"], KINDS["POST"])
    then = [[refused, *asked, newer, OK]] if is_plain else [[refused], [*asked, newer, OK]]
    closed = threading.Event()
    with (
        Peer([newer, hang_up, tell(closed)], *then) as peer,
        load("1.42", host=peer.address) as client,
    ):
        client.SystemPing()
        assert closed.wait(PATIENCE)
        yield Scene(client, _nothing, peer)


def _too_long(status: int) -> bytes:
    begun = head(status, {**JSON, "Transfer-Encoding": "chunked"})
    return begun + chunk(b" " * 9000) * 100


def _body_cut(kind: Kind) -> bytes:
    return kind.good[:-3]


PACKED = reply(200, gzip.compress(b" " * 10**7), headers={**JSON, "Content-Encoding": "gzip"})
MOVED = reply(301, headers={"Location": "/v1.42/_ping"})
HEAD_PART = b"HTTP/1.1 200 OK\r\nContent-Ty"

FAULTS: dict[str, Fault] = {
    "missing": _missing,
    "refused": _refused,
    "forbidden": _forbidden,
    "busy": _busy,
    "exhausted": _exhausted,
    "idle": _idle,
    "stale": _stale,
    "lost": _playing(lambda _: [expect, hang_up]),
    "reset": _playing(lambda _: [expect, reset], kind="tcp"),
    "lost-head": _playing(lambda _: [answer(HEAD_PART), hang_up]),
    "lost-body": _playing(lambda kind: [answer(_body_cut(kind)), hang_up]),
    "silent": _playing(lambda _: [expect, silence], timeout=SHORT),
    "silent-head": _playing(lambda _: [answer(HEAD_PART), silence], timeout=SHORT),
    "silent-body": _playing(lambda kind: [answer(_body_cut(kind)), silence], timeout=SHORT),
    "drip": _playing(
        lambda _: [expect, drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 9000, 0.01)],
        deadline=SHORT,
    ),
    "no-http": _playing(lambda _: [answer(b"SSH-2.0-OpenSSH_9.2\r\n"), hang_up]),
    "endless-head": _playing(
        lambda _: [expect, send_until_gone(b"HTTP/1.1 200 OK\r\n", b"X-A: 1\r\n" * 100_000)]
    ),
    "endless-body": _playing(lambda _: [expect, send_until_gone(_too_long(200))], limit=LIMIT),
    "endless-error": _playing(lambda _: [expect, send_until_gone(_too_long(500))], limit=LIMIT),
    "bomb": _playing(lambda _: [answer(PACKED), hang_up], limit=LIMIT),
    "redirect": _playing(lambda _: [answer(MOVED), hang_up]),
    "error": _playing(lambda _: [answer(reply(500, json={"message": "no"})), hang_up]),
    "replaced": _replaced,
}


# The table


def _rows() -> dict[str, dict[str, str]]:
    """Read the table: for each id, what is said of each kind."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    first, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert first[2:] == [*KINDS]
    return {row[0].strip("`"): dict(zip(KINDS, row[2:], strict=True)) for row in rows}


ROWS = _rows()
CELLS = [(row, kind) for row, cells in ROWS.items() for kind in cells if cells[kind] != "—"]


def test_every_row_is_played_and_every_fault_has_a_row():
    assert {*ROWS} == {*FAULTS}


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("row", "name"), CELLS, ids=[f"{row}-{name}" for row, name in CELLS])
def test_a_cell(row, name, tmp_path, caplog):
    said, kind = ROWS[row][name], KINDS[name]
    expected = re.search(r"`(\w+)`", said)
    with FAULTS[row](kind, tmp_path) as scene:
        if expected is None:
            kind.call(scene.client)
        else:
            with pytest.raises(getattr(dynadock, expected[1])) as caught:
                kind.call(scene.client)
            assert "tried" not in str(caught.value)
            if expected[1] == "ConnectionLost" and row != "lost-body":
                assert ("is not known" in str(caught.value)) == _changes_something(name)
        tries = [each for each in caplog.records if each.levelno >= logging.WARNING]
        assert len(tries) == ("again" in said)
        scene.mend()
        assert scene.client.with_options(timeout=20, deadline=None).SystemPing() == "OK"


def _changes_something(name: str) -> bool:
    return name in ("POST", "upload", "upgrade")
