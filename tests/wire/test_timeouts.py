"""The limits of time, wherever a reply stops or comes too slowly, whichever way it comes."""

from __future__ import annotations

import pytest

from dynadock import TimedOut, load
from wire.peer import JSON, OK, SHORT, Peer, answer, chunked, drip, expect, head, playing
from wire.test_faults import SILENCES

OWN_CONNECTION = {
    "timeout": ({"timeout": SHORT, "deadline": 20}, r"within 0\.3 s; with_options\(timeout"),
    "deadline": ({"deadline": SHORT}, r"within 0\.3 s; with_options\(deadline"),
    "deadline before timeout": (
        {"deadline": SHORT, "timeout": 20},
        r"within 0\.3 s; with_options\(deadline",
    ),
    "deadline without timeout": (
        {"deadline": SHORT, "timeout": None},
        r"within 0\.3 s; with_options\(deadline",
    ),
}
"""A plain call that has a deadline goes over a connection of its own."""


@pytest.mark.parametrize("script", SILENCES.values(), ids=SILENCES)
@pytest.mark.parametrize(("options", "message"), OWN_CONNECTION.values(), ids=OWN_CONNECTION)
def test_silence_anywhere_is_a_timeout_with_a_deadline_too(script, options, message):
    with playing(script, [OK]) as (peer, client):
        with pytest.raises(TimedOut, match=message) as caught:
            client.with_options(**options).ContainerList()
        assert caught.value.endpoint == peer.address
        assert client.SystemPing() == "OK"


LONG = b'["' + b"x" * 5000 + b'"]'
CHUNKED = head(200, {**JSON, "Transfer-Encoding": "chunked"})
DRIPS = {
    "status line": (b"", b"HTTP/1.1 200 " + b"x" * 5000),
    "head": (b"HTTP/1.1 200 OK\r\n", b"X-A: 1\r\n" * 600),
    "body": (head(200, {**JSON, "Content-Length": str(len(LONG))}), LONG),
    "body that the connection's end ends": (head(200, JSON), LONG),
    "a chunk's line": (CHUNKED, b"5;" + b"x" * 5000),
    "a chunk": (CHUNKED, b"1388\r\n" + b"x" * 5000),
    "small chunks": (CHUNKED, b"1\r\n \r\n" * 900),
    "trailers": (CHUNKED + b"2\r\n[]\r\n0\r\n", b"X-A: 1\r\n" * 600),
    "interim heads": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 200),
    "an error": (head(500, {"Content-Length": "5000"}), b"x" * 5000),
}


@pytest.mark.parametrize(("begun", "rest"), DRIPS.values(), ids=DRIPS)
def test_a_drip_anywhere_does_not_defeat_a_deadline(begun, rest):
    """Each byte comes within the timeout, but the reply would take a minute."""
    script = [answer(begun), drip(rest, 0.012)]
    with playing(script, [OK], deadline=SHORT, timeout=20) as (_, client):
        with pytest.raises(TimedOut, match=r"within 0\.3 s; with_options\(deadline"):
            client.ContainerList()
        assert client.with_options(deadline=None).SystemPing() == "OK"


@pytest.mark.parametrize("way", [{}, {"deadline": 20}], ids=["pool", "own connection"])
def test_a_timeout_is_for_each_wait(way):
    """A slow reply whose bytes keep coming is no timeout in the pool either."""
    whole = chunked(b'[{"Id": "1"}]')
    script = [expect, drip(whole, 0.01)]
    with playing(script, timeout=SHORT * 2, **way) as (_, client):
        assert client.ContainerList() == [{"Id": "1"}]


@pytest.mark.parametrize("options", [{"timeout": SHORT}, {"deadline": SHORT}], ids=str)
@pytest.mark.parametrize("name", ["SystemPing", "SystemEvents"])
def test_a_peer_that_never_shakes_hands_is_a_timeout(monkeypatch, tmp_path, options, name):
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))

    def listen(connection):
        connection.read_to_end()

    with (
        Peer([listen], kind="tcp") as peer,
        load("1.42", host=peer.address, **options) as client,
        pytest.raises(TimedOut),
    ):
        client.operations[name]()


def _greeted(connection):
    connection.receive()


def test_a_handshake_that_drips_does_not_defeat_a_deadline(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    # The head of a handshake's record that is as long as one may be.
    record = b"\x16\x03\x03\x40\x00" + b"\x02\x00\x3f\xfc" + b"x" * 5000
    with (
        Peer([_greeted, drip(record, 0.012)], kind="tcp") as peer,
        load("1.42", host=peer.address, deadline=SHORT, timeout=20) as client,
        pytest.raises(TimedOut),
    ):
        client.SystemPing()
