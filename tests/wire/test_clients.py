"""Clients and their connections: shared, closed, copied, used by several threads."""

from __future__ import annotations

import copy
import pickle
import socket
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dynadock import load
from wire.peer import OK, PATIENCE, Peer, expect, playing, reply, send, silence, tell, wait


def test_a_with_block_closes_what_is_idle():
    closed = threading.Event()
    with Peer([OK, silence, tell(closed)]) as peer:
        with load("1.42", host=peer.address) as client:
            client.SystemPing()
            assert not closed.is_set()
        assert closed.wait(PATIENCE)


def test_a_closed_client_goes_on_over_a_new_connection():
    with playing([OK], [OK]) as (peer, client):
        client.SystemPing()
        client.close()
        client.close()
        assert client.SystemPing() == "OK"
    assert peer.connections == 2


def test_a_client_that_never_called_can_be_closed():
    with playing() as (peer, client):
        client.close()
    assert peer.connections == 0


def test_a_forgotten_client_leaves_no_connection():
    closed = threading.Event()
    with Peer([OK, silence, tell(closed)]) as peer:
        load("1.42", host=peer.address).SystemPing()
        assert closed.wait(PATIENCE)


def test_a_client_that_is_never_closed_ends_with_the_program_without_a_word():
    """Also one that a module holds, which is gone before the client is."""
    program = """
        import sys
        from dynadock import load
        client = load("1.42", host=sys.argv[1])
        client.SystemPing()
        """
    with Peer([OK]) as peer:
        command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program), peer.address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copy_has_connections_of_its_own(duplicate):
    with playing([OK, OK], [OK]) as (peer, client):
        client.SystemPing()
        with duplicate(client) as other:
            assert peer.connections == 1
            assert (other.version, other.endpoint) == (client.version, client.endpoint)
            assert other.SystemPing() == "OK"
            assert client.SystemPing() == "OK"
    assert peer.connections == 2


def test_a_copy_carries_no_credentials():
    headers = {"Authorization": "Bearer s3cret", "X-Registry-Auth": "s3cret", "X-One": "1"}
    with playing([OK], headers=headers) as (peer, client):
        pickled = pickle.dumps(client)
        assert b"s3cret" not in pickled
        with pickle.loads(pickled) as other:
            other.SystemPing()
    (seen,) = peer.requests
    assert (seen.header("Authorization"), seen.header("X-Registry-Auth")) == (None, None)
    assert seen.header("X-One") == "1"


def test_a_restored_client_looks_for_its_engine_afresh(monkeypatch):
    with Peer() as first, Peer([OK]) as second:
        monkeypatch.setenv("DOCKER_HOST", first.address)
        pickled = pickle.dumps(load("1.42"))
        monkeypatch.setenv("DOCKER_HOST", second.address)
        with pickle.loads(pickled) as client:
            assert client.SystemPing() == "OK"


# Several threads


def test_two_calls_at_once_have_a_connection_each():
    arrived = [threading.Event(), threading.Event()]
    # Each is answered only when both have come.
    scripts = [
        [expect, tell(arrived[here]), wait(arrived[1 - here]), send(reply(text="OK"))]
        for here in (0, 1)
    ]
    with playing(*scripts) as (peer, client), ThreadPoolExecutor(2) as threads:
        calls = [threads.submit(client.SystemPing) for _ in range(2)]
        assert [call.result(PATIENCE) for call in calls] == ["OK", "OK"]
    assert peer.connections == 2


def test_a_call_in_another_thread_does_not_wait_for_a_slow_one():
    asked, done = threading.Event(), threading.Event()
    slow = [expect, tell(asked), wait(done), send(reply(json={"StatusCode": 0}))]
    with playing(slow, [OK]) as (_, client), ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(client.ContainerWait, "web")
        assert asked.wait(PATIENCE)
        assert client.SystemPing() == "OK"
        done.set()
        assert waiting.result(PATIENCE).StatusCode == 0


def test_each_thread_gets_its_own_reply():
    everybody_here = threading.Barrier(8)

    def echo(connection):
        for number, seen in enumerate(iter(connection.next_request, None)):
            if number == 0:
                everybody_here.wait(PATIENCE)
            connection.send([reply(json={"Name": seen.target.split("/")[3]})])

    names = [f"web{number}" for number in range(400)]
    with playing(*[[echo]] * 8) as (_, client), ThreadPoolExecutor(8) as threads:
        found = list(threads.map(client.ContainerInspect, names))
    assert [each.Name for each in found] == names


def test_threads_may_ask_for_the_same_operation_at_once():
    barrier = threading.Barrier(8)

    def ask(client):
        barrier.wait(PATIENCE)
        return client.ContainerCreate.prepare(Image="a", HostConfig={"Memory": 1 << 30})

    with playing() as (_, client), ThreadPoolExecutor(8) as threads:
        found = list(threads.map(ask, [client] * 8))
    assert len({(each.target, each.body) for each in found}) == 1


# Addresses


def _has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")
def test_an_ipv6_address():
    with playing([OK], kind="tcp6") as (peer, client):
        assert client.SystemPing() == "OK"
        assert str(client.endpoint) == peer.address
    assert peer.requests[0].header("Host") == peer.address.removeprefix("tcp://")


def test_http_is_another_name_for_tcp():
    with Peer([OK], kind="tcp") as peer:
        client = load("1.42", host=peer.address.replace("tcp://", "http://"))
        assert client.SystemPing() == "OK"
        client.close()


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_proxies_of_the_environment_are_left_out(monkeypatch, variable, kind):
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    with playing([OK, OK], kind=kind) as (_, client):
        assert client.SystemPing() == "OK"
        with client.SystemPing.raw() as response:
            assert response.text == "OK"
