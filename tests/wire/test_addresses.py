"""Addresses that lead to an engine, however they are written; and what is said of none."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys

import pytest

from dynadock import SocketMissing, load
from wire.peer import OK, Peer, answer, hang_up, streaming

EVENTS = [answer(streaming("application/json") + b'{"Type": "x"}\n'), hang_up]


def use(client):
    """Make a call over a kept connection, and one over its own."""
    with client:
        assert client.SystemPing() == "OK"
        assert [event.Type for event in client.SystemEvents()] == ["x"]


@pytest.mark.parametrize("written", ["a b.sock", "a%20b.sock", "%61 b.sock"])
@pytest.mark.parametrize("form", ["host", "DOCKER_HOST"])
def test_a_socket_with_a_blank_is_reached(written, form, tmp_path, monkeypatch):
    with Peer([OK], EVENTS) as peer:
        (tmp_path / "a b.sock").symlink_to(peer.address.removeprefix("unix://"))
        address = f"unix://{tmp_path}/{written}"
        monkeypatch.setenv("DOCKER_HOST", address)
        use(load("1.42", host=address) if form == "host" else load("1.42"))


@pytest.mark.parametrize("written", ["a%20b.sock", "a%2520b.sock"])
def test_a_socket_with_an_escape_in_its_name_is_reached(written, tmp_path):
    with Peer([OK], EVENTS) as peer:
        (tmp_path / "a%20b.sock").symlink_to(peer.address.removeprefix("unix://"))
        use(load("1.42", host=f"unix://{tmp_path}/{written}"))


@pytest.mark.parametrize("zone", ["%lo", "%25lo"])
def test_an_address_with_a_zone_is_reached(zone, monkeypatch):
    """The way to it is the system's, which is played here: loopback addresses have no zone."""
    find = socket.getaddrinfo
    asked = []

    def found(host, *where, **how):
        asked.append(host)
        return find("::1", *where, **how)

    monkeypatch.setattr(socket, "getaddrinfo", found)
    with Peer([OK], EVENTS, kind="tcp6") as peer:
        port = peer.address.rpartition(":")[2]
        use(load("1.42", host=f"tcp://[fe80::1{zone}]:{port}"))
    assert asked == ["fe80::1%lo"] * 2
    assert {each.header("Host") for each in peer.requests} == {f"[fe80::1]:{port}"}


@pytest.mark.parametrize("written", ["127.0.0.1:{}", " 127.0.0.1:{} ", ":{}", "tcp://:{}"])
def test_a_port_alone_is_reached(written, monkeypatch):
    with Peer([OK], EVENTS, kind="tcp") as peer:
        monkeypatch.setenv("DOCKER_HOST", written.format(peer.address.rpartition(":")[2]))
        use(load("1.42"))


# No engine, as a script shows it


@contextlib.contextmanager
def nobody_at_a_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield f"tcp://127.0.0.1:{unused.getsockname()[1]}"


@contextlib.contextmanager
def nobody_at_a_socket():
    yield "unix:///nowhere.sock"


@contextlib.contextmanager
def no_such_host():
    yield "tcp://nobody.invalid:2375"


@contextlib.contextmanager
def no_ssh():
    yield "ssh://box"


NOBODY = {
    "there is no such socket": nobody_at_a_socket,
    "nothing listens there": nobody_at_a_port,
    "it cannot be reached": no_such_host,
    "there is no program 'ssh' in PATH": no_ssh,
}

CALLS = {
    "load": "dynadock.load()",
    "value": "dynadock.load('1.42').SystemPing()",
    "stream": "dynadock.load('1.42').SystemEvents()",
    "module": "dynadock.v1_42.SystemPing()",
}


@pytest.mark.parametrize("code", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(("words", "nobody"), NOBODY.items(), ids=NOBODY)
def test_a_script_shows_one_error(words, nobody, code, tmp_path):
    """Python's own errors say nothing that ours does not, and a second try is none of its news."""
    program = f"import dynadock\n{code}\n"
    with nobody() as address:
        environment = {
            **{
                name: os.environ[name]
                for name in ("DYNADOCK_CACHE", "PYTHONPATH")
                if name in os.environ
            },
            "DOCKER_HOST": address,
            "DOCKER_CONFIG": str(tmp_path),
            "PATH": str(tmp_path),
        }
        ran = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ran.stderr.count("Traceback (most recent call last)") == 1, ran.stderr
    assert "another exception" not in ran.stderr
    last = ran.stderr.splitlines()[-1]
    assert last.startswith("dynadock.errors.")
    assert f"{address} (DOCKER_HOST): " in last
    assert words in last
    assert "tried" not in last
    if code == CALLS["load"]:
        assert len(ran.stderr.splitlines()) <= 12, ran.stderr


def test_an_error_has_no_cause_that_repeats_it(tmp_path):
    for call in (
        lambda: load(host=f"unix://{tmp_path}/none.sock"),
        lambda: load("1.42", host=f"unix://{tmp_path}/none.sock").SystemPing(),
    ):
        with pytest.raises(SocketMissing) as caught:
            call()
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__
