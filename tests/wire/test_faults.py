"""Connections that fail: told apart by what went wrong, and no worse for the next call."""

from __future__ import annotations

import socket
import stat
import threading
import traceback

import pytest

from dynadock import (
    ConnectionLost,
    ConnectionRefused,
    DynadockError,
    EndpointError,
    PermissionDenied,
    ServerError,
    SocketMissing,
    TimedOut,
    TransportError,
    load,
)
from privileges import without_configuration, without_privileges
from wire.peer import (
    JSON,
    OK,
    PATIENCE,
    SHORT,
    Peer,
    answer,
    busy,
    chunk,
    chunked,
    endless,
    expect,
    expect_broken,
    expect_head,
    hang_up,
    head,
    playing,
    reply,
    reset,
    send,
    silence,
    tell,
    wait,
)

LIST = b'[{"Id": "1"}, {"Id": "2"}]'
WHOLE = reply(200, LIST, headers=JSON)
CHUNKED = chunked(LIST[:10], LIST[10:])


# Nobody there


def _address(path):
    return f"unix://{path}"


def _failing_call(address, **options):
    with load("1.42", host=address, **options) as client, pytest.raises(DynadockError) as caught:
        client.ContainerList()
    error = caught.value
    assert isinstance(error, OSError)
    assert error.endpoint == address
    assert address in str(error)
    assert "host=" in str(error)
    return error


@pytest.mark.parametrize("name", ["none.sock", "no/such/folder.sock"])
def test_no_socket(tmp_path, name):
    error = _failing_call(_address(tmp_path / name))
    assert type(error) is SocketMissing
    assert "no such socket" in str(error)


def test_a_socket_appears_later(tmp_path):
    with Peer([OK]) as peer, load("1.42", host=_address(tmp_path / "later.sock")) as client:
        with pytest.raises(SocketMissing):
            client.SystemPing()
        (tmp_path / "later.sock").symlink_to(peer.address.removeprefix("unix://"))
        assert client.SystemPing() == "OK"


def test_nobody_listens_at_a_socket(tmp_path):
    path = tmp_path / "old.sock"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert type(_failing_call(_address(path))) is ConnectionRefused


def test_a_file_is_no_socket(tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    assert type(_failing_call(_address(path))) is ConnectionRefused


def test_a_path_that_is_too_long_for_a_socket(tmp_path):
    """No request was sent, so ConnectionLost would be wrong."""
    with pytest.raises((EndpointError, TransportError), match="too long") as caught:
        load("1.42", host=_address(tmp_path / ("x" * 200))).ContainerList()
    assert not isinstance(caught.value, ConnectionLost)


def test_no_permission(tmp_path):
    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as listener, load("1.42", host=_address(path)) as client:
        listener.bind(str(path))
        path.chmod(0)
        listener.listen()
        with (
            without_privileges(),
            without_configuration(),
            pytest.raises(PermissionDenied, match="right group") as caught,
        ):
            client.ContainerList()
    assert str(path) in str(caught.value)


def _closed_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def test_nobody_listens_at_a_port():
    assert type(_failing_call(f"tcp://127.0.0.1:{_closed_port()}")) is ConnectionRefused


@pytest.mark.parametrize("host", ["a" * 64, "a..b"], ids=["long", "empty label"])
def test_a_host_that_cannot_be(host):
    """No request was sent, so ConnectionLost would be wrong."""
    with pytest.raises((EndpointError, TransportError)) as caught:
        load("1.42", host=f"tcp://{host}:2375").ContainerList()
    assert not isinstance(caught.value, ConnectionLost)


@pytest.mark.parametrize("zone", ["eth0", "1"])
def test_an_ipv6_address_with_a_zone_is_reached(monkeypatch, zone):
    """The system finds the way by the zone, which is none of the engine's business."""
    asked = []
    find = socket.getaddrinfo

    def found(host, *where, **how):
        asked.append(host)
        return find(host.partition("%")[0].replace("fe80::1", "::1"), *where, **how)

    monkeypatch.setattr(socket, "getaddrinfo", found)
    with Peer([OK], kind="tcp6") as peer:
        port = peer.address.rpartition(":")[2]
        with load("1.42", host=f"tcp://[fe80::1%{zone}]:{port}") as client:
            assert client.SystemPing() == "OK"
    assert asked == [f"fe80::1%{zone}"]
    assert peer.requests[0].header("Host") == f"[fe80::1]:{port}"


ODD_HOSTS = ["a_b", "ex*ample", "[::1%nosuch]", "[v1.a]", "a%20b", "xn--a", "-", "a" * 64, "a..b"]


@pytest.mark.parametrize("host", ODD_HOSTS)
@pytest.mark.parametrize("name", ["SystemPing", "SystemEvents"])
def test_odd_hosts_fail_in_our_own_words(host, name):
    address = f"tcp://{host}:1"
    with pytest.raises((EndpointError, TransportError)) as caught:
        load("1.42", host=address, timeout=2).operations[name]()
    assert "host=" in str(caught.value)


def test_a_host_that_nobody_knows(monkeypatch):
    def unknown(*_where, **_how):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = _failing_call("tcp://engine.invalid:2375")
    assert type(error) is TransportError
    assert "Name or service not known" in str(error)


def test_a_port_that_takes_no_connections():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        with busy(listener):
            address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
            assert type(_failing_call(address, timeout=SHORT)) is TimedOut


def test_a_socket_that_takes_no_connections(tmp_path):
    """No request was sent, so ConnectionLost would be wrong."""
    path = tmp_path / "busy.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        with busy(listener):
            error = _failing_call(_address(path), timeout=SHORT)
    assert not isinstance(error, ConnectionLost)


# Nothing comes


SILENCES = {
    "before the reply": [expect, silence],
    "in the status line": [answer(b"HTTP/1.1 2"), silence],
    "in the head": [answer(b"HTTP/1.1 200 OK\r\nContent-Le"), silence],
    "after the head": [answer(head(200, {**JSON, "Content-Length": "5"})), silence],
    "in the body": [answer(WHOLE[:-5]), silence],
    "before the first chunk": [answer(CHUNKED[: CHUNKED.index(b"\r\n\r\n") + 4]), silence],
    "in a chunk's size": [answer(CHUNKED[:-12]), silence],
    "in a chunk": [answer(CHUNKED[:-20]), silence],
    "before the last chunk": [answer(CHUNKED[: -len(chunk(b""))]), silence],
    "in the last chunk": [answer(CHUNKED[:-2]), silence],
    "where only the connection's end ends it": [answer(head(200, JSON) + LIST), silence],
}


@pytest.mark.parametrize("kind", ["unix", "tcp"])
@pytest.mark.parametrize("script", SILENCES.values(), ids=SILENCES)
def test_silence_is_a_timeout(script, kind):
    with playing(script, [OK], kind=kind) as (peer, client):
        with pytest.raises(TimedOut, match=r"within 0\.3 s; with_options\(timeout") as caught:
            client.with_options(timeout=SHORT).ContainerList()
        assert isinstance(caught.value, TimeoutError)
        assert caught.value.endpoint == peer.address
        # Over another connection: a late reply on the first one is for no call.
        assert client.SystemPing() == "OK"
    assert peer.connections == 2


@pytest.mark.parametrize("place", ["before the reply", "in the body"])
def test_a_script_shows_one_error(place):
    """Ours says all that the system's did."""
    for script in (SILENCES[place], BREAKS[place]):
        with playing(script) as (_, client), pytest.raises(TransportError) as caught:
            client.with_options(timeout=SHORT).ContainerList()
        shown = "".join(traceback.format_exception(caught.value))
        assert shown.count("Traceback (most recent call last)") == 1


# The connection breaks


BREAKS = {
    "before the reply": [expect, hang_up],
    "before the request is read": [hang_up],
    "in the status line": [answer(b"HTTP/1.1 2"), hang_up],
    "after the status line": [answer(b"HTTP/1.1 200 OK\r\n"), hang_up],
    "in the head's first line": [answer(b"HTTP/1.1 200 OK\r\nContent-Ty"), hang_up],
    "between the head's lines": [
        answer(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"),
        hang_up,
    ],
    "before the head's blank line": [
        answer(head(200, {**JSON, "Content-Length": "5"})[:-2]),
        hang_up,
    ],
    "in Content-Length": [answer(head(200, {**JSON, "Content-Length": "26"})[:-5]), hang_up],
    "after the head": [answer(head(200, {**JSON, "Content-Length": "5"})), hang_up],
    "in the body": [answer(WHOLE[:-5]), hang_up],
    "before the body's last byte": [answer(WHOLE[:-1]), hang_up],
    "before the first chunk": [answer(CHUNKED[: CHUNKED.index(b"\r\n\r\n") + 4]), hang_up],
    "in a chunk's size": [answer(CHUNKED[:-12]), hang_up],
    "in a chunk": [answer(CHUNKED[:-20]), hang_up],
    "between chunks": [answer(CHUNKED[: -len(chunk(LIST[10:]) + chunk(b""))]), hang_up],
    "before the last chunk": [answer(CHUNKED[: -len(chunk(b""))]), hang_up],
}


@pytest.mark.parametrize("kind", ["unix", "tcp"])
@pytest.mark.parametrize("script", BREAKS.values(), ids=BREAKS)
def test_a_broken_connection_is_lost(script, kind):
    """A reply that is cut short is never taken for a whole one."""
    with playing(script, [OK], kind=kind) as (peer, client):
        with pytest.raises(ConnectionLost, match="broke") as caught:
            client.ContainerList()
        assert caught.value.endpoint == peer.address
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize(
    "before", [b"", b"HTTP/1.1 200 OK\r\n", WHOLE[:-5], CHUNKED[:-9]], ids=range(4)
)
def test_a_reset_connection_is_lost(before):
    with playing([answer(before), reset], [OK], kind="tcp") as (_, client):
        with pytest.raises(ConnectionLost, match="broke"):
            client.ContainerList()
        assert client.SystemPing() == "OK"


NO_HTTP = {
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x16",
    "nothing but lines": b"\r\n\r\n\r\n\r\n",
    "a status that is none": b"HTTP/1.1 abc OK\r\n\r\n",
    "a version that is none": b"HTTQ/1.1 200 OK\r\n\r\n",
    "a header without an end": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 100_000,
    "a chunk's size that is none": head(200, {"Transfer-Encoding": "chunked"}) + b"zz\r\n",
    "a chunk's size below zero": head(200, {"Transfer-Encoding": "chunked"}) + b"-1\r\n\r\n",
    "two lengths": head(200, {"Content-Length": "5, 6"}) + b"hello",
}


@pytest.mark.parametrize("data", NO_HTTP.values(), ids=NO_HTTP)
def test_what_is_no_http_is_an_error_of_ours(data):
    with playing([answer(data), hang_up], [OK]) as (_, client):
        with pytest.raises(TransportError):
            client.ContainerList()
        assert client.SystemPing() == "OK"


def test_an_idle_connection_that_was_closed_is_replaced():
    closed = threading.Event()
    with playing([OK, hang_up, tell(closed)], [OK]) as (_, client):
        assert client.SystemPing() == "OK"
        assert closed.wait(PATIENCE)
        assert client.SystemPing() == "OK"


def test_a_connection_is_replaced_when_its_reply_says_so():
    last = answer(reply(text="OK", headers={"Connection": "close"}))
    with playing([last], [last]) as (peer, client):
        assert client.SystemPing() == "OK"
        assert client.SystemPing() == "OK"
    assert peer.connections == 2


def test_nothing_is_sent_twice():
    """Whether a lost request was acted on is unknown, so none is repeated."""
    with playing([expect, hang_up], [expect, hang_up], [expect, hang_up]) as (peer, client):
        for call in (client.SystemPing, client.SwarmInspect, client.ContainerPrune):
            with pytest.raises(ConnectionLost):
                call()
    assert [each.method for each in peer.requests] == ["GET", "GET", "POST"]


# While the request is being sent


@pytest.mark.timeout(30)
@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_an_engine_may_hang_up_in_the_middle_of_a_request(kind):
    with playing([expect_head, hang_up], [OK], kind=kind) as (_, client):
        with pytest.raises(ConnectionLost):
            client.PutContainerArchive("web", path="/", body=endless())
        assert client.SystemPing() == "OK"


@pytest.mark.timeout(30)
def test_an_answer_in_the_middle_of_a_request_is_heard():
    """Engines refuse some uploads after their first bytes, and hang up."""
    refused = reply(500, json={"message": "no room"}, headers={"Connection": "close"})
    with playing([expect_head, send(refused), hang_up], [OK]) as (_, client):
        with pytest.raises(ServerError, match="no room"):
            client.PutContainerArchive("web", path="/", body=endless())
        assert client.SystemPing() == "OK"


@pytest.mark.timeout(30)
def test_an_engine_that_takes_no_more_of_a_request_is_a_timeout():
    gone = threading.Event()
    with playing([expect_head, wait(gone), expect_broken], [OK]) as (_, client):
        with pytest.raises(TimedOut):
            client.with_options(timeout=SHORT).PutContainerArchive("web", path="/", body=endless())
        gone.set()
        assert client.SystemPing() == "OK"
