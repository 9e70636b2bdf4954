"""Streams over TLS: what is different there is how one side of a connection closes."""

from __future__ import annotations

import hashlib
import os
import threading
from typing import TYPE_CHECKING

import pytest

from dynadock import StreamClosed, load, run
from engine.engines import NO_ENGINE, addresses, engines
from engine.things import IMAGE, LABELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock import Client

TLS = "DYNADOCK_TEST_TLS"
CERTIFICATES = "DYNADOCK_TEST_CERTIFICATES"

ENGINES = [pytest.param(address, id=name) for name, address in addresses(TLS).items()]
NO_TLS = pytest.mark.skip(reason=f"{TLS} names no engine" if engines() else NO_ENGINE)

pytestmark = pytest.mark.parametrize("address", ENGINES or [pytest.param("", marks=NO_TLS)])


@pytest.fixture
def client(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", os.environ[CERTIFICATES])
    with load("1.42", host=address) as client:
        yield client


def test_calls(client: Client) -> None:
    assert client.SystemPing() == "OK"
    assert client.SystemPing.raw().url.startswith("https://")


@pytest.mark.parametrize("size", [0, 1, 20_000, 3_000_000])
def test_the_end_of_input_leaves_the_output_open(client: Client, size: int) -> None:
    sent = hashlib.sha256(bytes(range(256)).hex().encode()).digest() * (size // 32 + 1)
    sent = sent[:size]
    # The sum comes only behind the end of the input.
    command = ["sh", "-c", "cat; echo end >&2"]
    done = run(client, IMAGE, command, stdin=sent, Labels=LABELS)
    assert done == (0, sent, b"end\n")


def test_input_and_output_in_turns(client: Client) -> None:
    name = client.ContainerCreate(
        Image=IMAGE,
        Cmd=["sh", "-c", "read a; echo $a; read b; echo $b; cat; echo over"],
        OpenStdin=True,
        StdinOnce=True,
        Labels=LABELS,
    ).Id
    try:
        with client.ContainerAttach(name, stream=True, stdin=True, stdout=True) as duplex:
            client.ContainerStart(name)
            lines = duplex.lines()
            for word in ("one", "two"):
                duplex.write(f"{word}\n".encode())
                assert next(lines).text == word
            duplex.close_stdin()
            assert [line.text for line in lines] == ["over"]
    finally:
        client.ContainerDelete(name, force=True)


def test_closing_ends_what_another_thread_waits_for(client: Client) -> None:
    events = client.SystemEvents()
    timer = threading.Timer(0.2, events.close)
    timer.start()
    with pytest.raises(StreamClosed):
        list(events)
    timer.join()


def test_an_image_comes_down_and_goes_up(client: Client) -> None:
    archive = client.ImageGet(IMAGE).read()
    assert client.ImageLoad(body=archive).wait().Images == [IMAGE]
