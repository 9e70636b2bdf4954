"""A simulated engine at a socket: what clients of any kind may rely on."""

from __future__ import annotations

import re
import socket
import stat
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from dynadock import EndpointError, load
from dynadock.embedded.incoming import Patience
from dynadock.embedded.listening import RemoteAccessWarning
from dynadock.embedded.pacing import GAP
from dynadock.embedded.server import Server
from dynadock.simulation.engine import SimulatedEngine
from serving import Wire, comes_true, request, serving, threads

UPGRADE = {"Connection": "Upgrade", "Upgrade": "tcp"}


@pytest.fixture
def server(tmp_path):
    with serving(tmp_path) as made:
        yield made


@pytest.fixture
def wire(server):
    with Wire(server.url) as made:
        yield made


@pytest.fixture
def client(server):
    with load("1.45", host=server.url, timeout=10) as made:
        yield made


def started(client, command, **config):
    """Start a container of busybox and return its id."""
    host = config.pop("HostConfig", {})
    body = {"Image": "busybox", "Cmd": command, "HostConfig": host, **config}
    made = client.ContainerCreate(body=body).Id
    client.ContainerStart(made)
    return made


# Addresses


def test_a_unix_socket_is_for_this_user_alone_and_gone_at_the_end(tmp_path):
    path = tmp_path / "engine.sock"
    with serving(tmp_path) as server:
        assert server.url == f"unix://{path}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


def test_a_socket_that_nobody_listens_at_any_more_is_replaced(tmp_path):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "engine.sock"))
    with serving(tmp_path) as server, Wire(server.url) as wire:
        assert wire.ask("GET", "/_ping").body == b"OK"


def test_a_socket_that_somebody_listens_at_is_left_to_them(tmp_path, server):
    with pytest.raises(EndpointError, match="another server"), serving(tmp_path):
        pass
    with Wire(server.url) as wire:
        assert wire.ask("GET", "/_ping").status == 200


def test_a_file_in_the_way_is_not_removed(tmp_path):
    (tmp_path / "engine.sock").write_text("mine")
    with pytest.raises(EndpointError, match="no socket"), serving(tmp_path):
        pass
    assert (tmp_path / "engine.sock").read_text() == "mine"


def test_a_socket_that_another_server_has_made_meanwhile_stays(tmp_path):
    path = tmp_path / "engine.sock"
    with serving(tmp_path):
        path.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
    assert path.exists()


def test_a_port_of_this_machine_may_be_picked_by_the_system(tmp_path):
    with serving(tmp_path, "tcp://127.0.0.1:0") as server, Wire(server.url) as wire:
        assert re.fullmatch(r"tcp://127\.0\.0\.1:[1-9][0-9]+", server.url)
        assert wire.ask("GET", "/_ping").body == b"OK"


@pytest.mark.parametrize("address", ["tcp://0.0.0.0:0", "tcp://[::]:0"])
def test_other_machines_are_let_in_only_where_that_is_said(tmp_path, address):
    with pytest.raises(EndpointError, match="other machines"), serving(tmp_path, address):
        pass
    with (
        pytest.warns(RemoteAccessWarning, match="other machines"),
        serving(tmp_path, address, allow_remote=True),
    ):
        pass


@pytest.mark.parametrize(
    "address",
    [
        "ssh://here",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:2375/path",
        "unix://relative",
        "embedded://",
        "unix:///" + "x" * 200,
        "unix:///no/such/folder/engine.sock",
    ],
)
def test_what_is_no_address_to_listen_at_is_refused_in_words(tmp_path, address):
    with pytest.raises(EndpointError), serving(tmp_path, address):
        pass


# Replies


def test_a_connection_is_kept_behind_the_ping_that_clients_begin_with(wire):
    ping = wire.ask("HEAD", "/_ping")
    assert ping.status == 200
    assert ping.headers["api-version"]
    assert re.fullmatch(
        r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", ping.headers["date"]
    )
    assert "connection" not in ping.headers
    assert wire.ask("GET", "/v1.42/containers/json").json == []


def test_a_connection_ends_where_the_request_says_so(wire):
    answer = wire.ask("GET", "/_ping", Connection="close")
    assert answer.headers["connection"] == "close"
    assert wire.to_end() == b""


def test_http_1_0_is_answered_without_chunks_and_without_keeping_alive(client, wire):
    container = started(client, ["echo", "hello"], Tty=True)
    client.ContainerWait(container)
    target = f"/v1.42/containers/{container}/logs?stdout=1"
    wire.send(f"GET {target} HTTP/1.0\r\n\r\n".encode())
    answer = wire.answer()
    assert "transfer-encoding" not in answer.headers
    assert answer.body == b"hello\r\n"


def test_errors_are_json_with_a_message(wire):
    answer = wire.ask("GET", "/v1.42/containers/none/json")
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {"message": "No such container: none"}
    assert wire.ask("GET", "/nowhere").json == {"message": "page not found"}


def test_a_success_without_a_body_says_so(client, wire):
    container = started(client, ["sleep", "60"])
    started_exec = client.ContainerExec(container, body={"Cmd": ["true"]}).Id
    answer = wire.ask("POST", f"/v1.42/exec/{started_exec}/start", {"Detach": True})
    assert (answer.status, answer.headers["content-length"]) == (200, "0")
    killed = wire.ask("POST", f"/v1.42/containers/{container}/kill")
    assert (killed.status, "content-length" in killed.headers) == (204, False)


def test_requests_that_come_at_once_are_answered_in_their_order(wire):
    wire.send(request("GET", "/_ping") + request("GET", "/nowhere") + request("HEAD", "/_ping"))
    assert [wire.answer().status, wire.answer().status, wire.answer("HEAD").status] == [
        200,
        404,
        200,
    ]


def test_a_body_may_come_in_chunks_and_after_a_word_to_go_on(wire):
    head = request("POST", "/v1.42/containers/create", Content_Type="application/json")
    more = b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    wire.send(head.removesuffix(b"\r\n") + more)
    assert wire.head().status == 100
    wire.send(b'8\r\n{"Image"\r\n')
    wire.send(b'b\r\n:"busybox"}\r\n0\r\n\r\n')
    assert wire.answer().status == 201


# Streams


def test_a_streams_head_goes_out_at_once_and_each_value_is_a_chunk(client, wire):
    container = client.ContainerCreate(body={"Image": "busybox", "Cmd": ["true"]}).Id
    wire.send(request("POST", f"/v1.42/containers/{container}/wait?condition=next-exit"))
    head = wire.head()
    assert (head.status, head.headers["transfer-encoding"]) == (200, "chunked")
    assert wire.is_silent(0.05)
    client.ContainerStart(container)
    assert wire.chunk() == b'{"StatusCode":0}\r\n'
    assert wire.chunk() == b""
    assert wire.ask("GET", "/_ping").body == b"OK"


def test_a_peer_that_hangs_up_on_a_stream_frees_whoever_serves_it(server, client):
    container = started(client, ["sleep", "600"])
    before = threads()
    for target in (
        f"containers/{container}/wait",
        f"containers/{container}/logs?follow=1&stdout=1",
    ):
        method = "POST" if target.endswith("wait") else "GET"
        with Wire(server.url) as wire:
            wire.send(request(method, f"/v1.42/{target}"))
            assert wire.head().status == 200
            assert threads() == before + 1
        assert comes_true(lambda: threads() == before)


def test_the_engine_hears_of_readers_who_hang_up(server, client):
    def readers():
        return client.SystemInfo().NEventsListener

    assert readers() == 0
    with Wire(server.url) as wire:
        wire.send(request("GET", "/v1.42/events"))
        assert wire.head().status == 200
        assert comes_true(lambda: readers() == 1)
    assert comes_true(lambda: readers() == 0)
    with Wire(server.url) as wire:
        wire.send(request("GET", "/v1.42/events"))
    assert comes_true(lambda: readers() == 0)


def test_a_half_close_is_hanging_up_on_a_stream(client, wire):
    container = started(client, ["sleep", "600"])
    before = threads()
    wire.send(request("POST", f"/v1.42/containers/{container}/wait"))
    assert wire.head().status == 200
    wire.sock.shutdown(socket.SHUT_WR)
    assert comes_true(lambda: threads() == before - 1)


def test_a_peer_that_hangs_up_before_the_answer_frees_whoever_serves_it(server, client):
    container = started(client, ["sleep", "600"])
    before = threads()
    with Wire(server.url) as wire:
        wire.send(request("POST", f"/v1.42/containers/{container}/stop?t=100"))
        assert wire.is_silent(0.05)
        assert threads() == before + 1
    assert comes_true(lambda: threads() == before)


def test_a_request_that_comes_during_a_stream_is_answered_behind_it(client, wire):
    container = started(client, ["sleep", "0.1"])
    wait = request("POST", f"/v1.42/containers/{container}/wait")
    wire.send(wait)
    assert wire.head().status == 200
    wire.send(request("GET", "/_ping"))
    assert wire.chunk().startswith(b'{"StatusCode":0')
    assert wire.chunk() == b""
    assert wire.answer().body == b"OK"


# Who is attached


def attached(wire, container, query="stream=1&stdout=1&stderr=1&stdin=1", version="1.45"):
    target = f"/v{version}/containers/{container}/attach?{query}"
    wire.send(request("POST", target, **UPGRADE))
    return wire.head()


def frame(channel, data):
    return struct.pack(">BxxxL", channel, len(data)) + data


@pytest.mark.parametrize(
    ("version", "is_tty", "media_type"),
    [
        ("1.41", False, "raw"),
        ("1.41", True, "raw"),
        ("1.42", False, "multiplexed"),
        ("1.42", True, "raw"),
    ],
)
def test_an_upgrade_takes_the_connection_over(client, wire, version, is_tty, media_type):
    container = started(client, ["cat"], OpenStdin=True, Tty=is_tty)
    head = attached(wire, container, version=version)
    assert head.status == 101
    assert head.headers["connection"] == "Upgrade"
    assert head.headers["upgrade"] == "tcp"
    assert head.headers["content-type"] == f"application/vnd.docker.{media_type}-stream"


def test_the_answer_to_an_upgrade_is_called_upgraded(client, wire):
    container = started(client, ["cat"], OpenStdin=True)
    wire.send(request("POST", f"/v1.45/containers/{container}/attach?stream=1", **UPGRADE))
    assert wire.until(b"\r\n") == b"HTTP/1.1 101 UPGRADED\r\n"


def test_output_comes_a_moment_behind_the_head_of_an_upgrade(client, wire):
    container = started(client, ["sh", "-c", "echo hello; cat"], OpenStdin=True)
    wire.send(
        request("POST", f"/v1.45/containers/{container}/attach?stream=1&logs=1&stdout=1", **UPGRADE)
    )
    assert wire.head().status == 101
    assert not wire.unread
    began = time.monotonic()
    assert wire.exactly(14) == frame(1, b"hello\n")
    assert time.monotonic() - began > GAP / 2


def test_output_waits_until_a_slow_client_has_read_the_head(client, wire):
    container = started(client, ["sh", "-c", "echo hello; cat"], OpenStdin=True)
    target = f"/v1.45/containers/{container}/attach?stream=1&logs=1&stdout=1"
    wire.send(request("POST", target, **UPGRADE))
    time.sleep(20 * GAP)
    assert wire.sock.recv(65536).endswith(b"\r\n\r\n")
    assert wire.exactly(14) == frame(1, b"hello\n")


def test_without_an_upgrade_output_follows_the_head_until_its_end(client, wire):
    container = started(client, ["sh", "-c", "sleep 0.1; echo hello"])
    answer = wire.ask("POST", f"/v1.45/containers/{container}/attach?stream=1&stdout=1")
    assert answer.status == 200
    assert {"content-length", "transfer-encoding"}.isdisjoint(answer.headers)
    assert answer.body == frame(1, b"hello\n")


def test_a_half_close_is_the_end_of_input_and_not_of_the_call(client, wire):
    container = started(
        client, ["sh", "-c", "cat; sleep 0.1; echo done"], OpenStdin=True, StdinOnce=True
    )
    attached(wire, container)
    wire.send(b"typed\n")
    wire.sock.shutdown(socket.SHUT_WR)
    assert wire.to_end() == frame(1, b"typed\n") + frame(1, b"done\n")


def test_what_comes_behind_a_request_to_upgrade_is_input(client, wire):
    container = started(client, ["cat"], OpenStdin=True, StdinOnce=True)
    target = f"/v1.45/containers/{container}/attach?stream=1&stdout=1&stdin=1"
    wire.send(request("POST", target, **UPGRADE) + b"GET /_ping HTTP/1.1\r\n")
    assert wire.head().status == 101
    wire.sock.shutdown(socket.SHUT_WR)
    assert wire.to_end() == frame(1, b"GET /_ping HTTP/1.1\r\n")


def test_what_comes_behind_a_refused_upgrade_is_no_request(wire):
    target = "/v1.45/containers/none/attach?stream=1"
    wire.send(request("POST", target, **UPGRADE) + request("GET", "/_ping"))
    answer = wire.answer()
    assert (answer.status, answer.headers["connection"]) == (404, "close")
    assert wire.to_end() == b""


def sent_until_it_waits(wire, most):
    sent = 0
    with suppress(TimeoutError):
        while sent < most:
            sent += wire.sock.send(bytes(65536))
    return sent


def test_input_waits_for_a_program_that_does_not_read(client, wire):
    container = started(client, ["sh", "-c", "sleep 1; wc -c"], OpenStdin=True, StdinOnce=True)
    attached(wire, container)
    wire.sock.settimeout(0.2)
    sent = sent_until_it_waits(wire, most=64 * 2**20)
    assert sent < 8 * 2**20
    wire.sock.settimeout(10)
    wire.sock.shutdown(socket.SHUT_WR)
    assert wire.to_end() == frame(1, b"%d\n" % sent)


def test_output_waits_for_a_client_that_does_not_read(client, wire):
    command = ["sh", "-c", "head -c 16000000 /dev/zero"]
    container = client.ContainerCreate(body={"Image": "busybox", "Cmd": command, "Tty": True}).Id
    attached(wire, container, query="stream=1&stdout=1")
    client.ContainerStart(container)
    time.sleep(0.2)
    assert client.ContainerInspect(container).State.Running
    assert len(wire.to_end()) == 16_000_000
    assert comes_true(lambda: not client.ContainerInspect(container).State.Running)


def test_a_client_that_is_gone_is_no_longer_attached(server, client):
    container = started(client, ["sleep", "600"], OpenStdin=True)
    before = threads()
    for half_closes_first in (True, False):
        with Wire(server.url) as wire:
            attached(wire, container)
            if half_closes_first:
                wire.sock.shutdown(socket.SHUT_WR)
            assert threads() == before + 1
            time.sleep(0.05)
        assert comes_true(lambda: threads() == before)


# Bounds


def test_a_head_that_takes_too_long_is_given_up(tmp_path):
    patience = Patience(head=0.2, idle=0.2, body=0.2)
    with serving(tmp_path, patience=patience) as server, Wire(server.url) as wire:
        began = time.monotonic()
        wire.send(b"GET /_ping HTTP/1.1\r\n")
        for _ in range(20):
            time.sleep(0.02)
            try:
                wire.send(b"X: y\r\n")
            except OSError:
                break
        assert wire.answer().status == 408
        assert time.monotonic() - began < 1


def test_connections_that_say_nothing_are_given_up(tmp_path):
    patience = Patience(head=0.2, idle=0.2, body=0.2)
    with serving(tmp_path, patience=patience) as server:
        with Wire(server.url) as wire:
            assert wire.to_end() == b""
        with Wire(server.url) as wire:
            assert wire.ask("GET", "/_ping").status == 200
            assert wire.to_end() == b""
        with Wire(server.url) as wire:
            wire.send(
                b"POST /v1.42/containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: 5\r\n\r\n"
            )
            assert wire.answer().status == 408


def test_connections_beyond_the_limit_are_refused(tmp_path):
    with serving(tmp_path, most_connections=3) as server:
        wires = [Wire(server.url) for _ in range(3)]
        assert all(wire.ask("GET", "/_ping").status == 200 for wire in wires)
        with Wire(server.url) as wire:
            assert wire.answer().status == 503
        wires.pop().sock.close()
        assert comes_true(lambda: threads() == 3)
        with Wire(server.url) as wire:
            assert wire.ask("GET", "/_ping").status == 200
        for wire in wires:
            wire.sock.close()


def test_many_clients_are_served_at_a_time(server):
    def ask(found):
        with load("1.42", host=server.url, timeout=30) as client:
            for _ in range(5):
                container = started(client, ["true"])
                found.append(client.ContainerWait(container).StatusCode)
                client.ContainerDelete(container)

    found: list[int] = []
    askers = [threading.Thread(target=ask, args=(found,)) for _ in range(20)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(60)
    assert found == [0] * 100


# The end


DESCRIPTORS = Path("/proc/self/fd")


@pytest.mark.skipif(not DESCRIPTORS.exists(), reason="needs /proc")
def test_nothing_is_left_when_a_server_ends(tmp_path):
    with serving(tmp_path):
        pass
    before = {*DESCRIPTORS.iterdir()}
    with serving(tmp_path) as server, load("1.45", host=server.url, timeout=10) as client:
        container = started(client, ["sleep", "600"], OpenStdin=True)
        wires = [Wire(server.url) for _ in range(4)]
        wires[0].send(request("POST", f"/v1.42/containers/{container}/wait"))
        attached(wires[1], container)
        wires[2].send(b"POST /x HTTP/1.1\r\nHost: d\r\nContent-Length: 10\r\n\r\nhalf")
        wires[3].ask("GET", "/_ping")
        began = time.monotonic()
        server.close()
        assert time.monotonic() - began < 1
        assert threads() == 0
        for wire in wires:
            wire.sock.close()
    assert {*DESCRIPTORS.iterdir()} <= before


def test_a_server_may_be_closed_twice_and_an_engine_served_again(tmp_path):
    engine = SimulatedEngine()
    for _ in range(2):
        server = Server(engine, f"unix://{tmp_path}/engine.sock")
        with load("1.42", host=server.url) as client:
            client.ContainerCreate(body={"Image": "busybox"})
        server.close()
        server.close()
    with Server(engine, "tcp://127.0.0.1:0") as server, load("1.42", host=server.url) as client:
        assert len(client.ContainerList(all=True)) == 2
