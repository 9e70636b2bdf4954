"""Proxies from the environment: CONNECT for everything, and engines that need none."""

from __future__ import annotations

import base64
import contextlib
import pickle
import socket
import ssl

import pytest
import trustme

from dynadock import EndpointError, TimedOut, TransportError, Unsupported, load
from dynadock.transport.endpoint import parse_host
from secret_values import SECRET, is_told_by
from tracebacks import check_hidden
from wire.peer import (
    OK,
    Peer,
    answer,
    echo,
    expect,
    expect_head,
    finish_sending,
    frame,
    hang_up,
    relay,
    reply,
    send,
    silence,
    switching,
)

USER = f"me:{SECRET}@"
OPERATIONS = ("SystemPing", "SystemEvents")
CONNECTED = send(b"HTTP/1.1 200 Connection established\r\n\r\n")

each_way = pytest.mark.parametrize("operation", OPERATIONS)


def place_of(peer):
    host, _, port = peer.address.removeprefix("tcp://").rpartition(":")
    return host, int(port)


@contextlib.contextmanager
def behind_a_proxy(*scripts, tls=None):
    """Have an engine, and a proxy that connects to it each time."""
    with Peer(*scripts, kind="tcp", tls=tls) as engine:
        way = [expect_head, CONNECTED, relay(place_of(engine))]
        with Peer(*[way] * len(scripts), kind="tcp") as proxy:
            yield engine, proxy


def address_of(engine):
    """Return an address that only the proxy can resolve."""
    return f"tcp://box.example:{place_of(engine)[1]}"


def use(monkeypatch, peer, name="HTTP_PROXY", user=""):
    host, port = place_of(peer)
    monkeypatch.setenv(name, f"http://{user}{host}:{port}")


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
def test_everything_goes_through_the_proxy(monkeypatch, name):
    upgrade = [expect, send(switching()), echo(lambda data: frame("stdout", data)), finish_sending]
    with behind_a_proxy([OK], upgrade) as (engine, proxy):
        use(monkeypatch, proxy, name)
        with load("1.42", host=address_of(engine), tty=False) as client:
            assert str(client.endpoint.proxy) == proxy.address.replace("tcp", "http")
            assert client.SystemPing() == "OK"
            with client.ContainerAttach("web", stream=True, stdin=True, stdout=True) as duplex:
                duplex.write(b"to and fro")
                duplex.close_stdin()
                assert duplex.collect().stdout == b"to and fro"
    place = address_of(engine).removeprefix("tcp://")
    assert [each.head for each in proxy.requests] == [
        f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode()
    ] * 2
    assert [each.header("Host") for each in engine.requests] == [place] * 2


def test_tls_goes_through_the_proxy(monkeypatch, tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("box.example").configure_cert(tls)
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    events = answer(reply(json={"Type": "x"}))
    with behind_a_proxy([OK], [events], tls=tls) as (engine, proxy):
        use(monkeypatch, proxy, "HTTPS_PROXY")
        with load("1.42", host=address_of(engine)) as client:
            assert client.SystemPing() == "OK"
            assert [event.Type for event in client.SystemEvents()] == ["x"]


@each_way
def test_only_the_proxy_gets_its_credentials(monkeypatch, operation):
    refusal = reply(407, text="who are you?", headers={"Proxy-Authenticate": "Basic"})
    with Peer([expect_head, send(refusal), hang_up], kind="tcp") as proxy:
        use(monkeypatch, proxy, user=f"me:s%40{SECRET}@")
        client = load("1.42", host="tcp://box.example:2375")
        with pytest.raises(TransportError, match="407 Proxy Authentication Required") as caught:
            client.operations[operation]()
    encoded = base64.b64encode(f"me:s@{SECRET}".encode()).decode()
    assert proxy.requests[0].header("Proxy-Authorization") == f"Basic {encoded}"
    error = caught.value
    assert f"the proxy {client.endpoint.proxy}, from HTTP_PROXY, refuses" in str(error)
    assert error.endpoint == "tcp://box.example:2375"
    told = [repr(client), repr(client.endpoint), str(client.endpoint), str(error), repr(error)]
    told += [repr(pickle.dumps(client))]
    check_hidden(error)
    for text in told:
        assert not is_told_by(text)
        assert encoded not in text


@each_way
def test_the_proxy_is_not_there(monkeypatch, operation):
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    monkeypatch.setenv("HTTP_PROXY", f"{USER}127.0.0.1:{port}")
    client = load("1.42", host="tcp://box.example:2375")
    problem = rf"the proxy http://127\.0\.0\.1:{port}, from HTTP_PROXY, is not reached"
    with pytest.raises(TransportError, match=problem) as caught:
        client.operations[operation]()
    check_hidden(caught.value)


def test_an_engine_below_a_path_is_asked_for_by_its_host(monkeypatch):
    with behind_a_proxy([OK]) as (engine, proxy):
        use(monkeypatch, proxy)
        with load("1.42", host=f"{address_of(engine)}/base") as client:
            assert client.SystemPing() == "OK"
    place = address_of(engine).removeprefix("tcp://")
    assert proxy.requests[0].head.startswith(f"CONNECT {place} HTTP/1.1\r\n".encode())
    assert engine.requests[0].target == "/base/v1.42/_ping"


@each_way
@pytest.mark.parametrize("words", [b"SSH-2.0-x\r\n", b"HTTP/1.1 200 O", b""])
def test_what_is_no_proxy(monkeypatch, operation, words):
    with Peer([expect_head, send(words), hang_up], kind="tcp") as proxy:
        use(monkeypatch, proxy, user=USER)
        client = load("1.42", host="tcp://box.example:2375")
        with pytest.raises(TransportError, match="HTTP_PROXY, does not answer as one") as caught:
            client.operations[operation]()
    check_hidden(caught.value)


@each_way
def test_a_silent_proxy(monkeypatch, operation):
    with Peer([expect_head, silence], kind="tcp") as proxy:
        use(monkeypatch, proxy, user=USER)
        client = load("1.42", host="tcp://box.example:2375", timeout=0.3)
        with pytest.raises(TimedOut, match="through http://127") as caught:
            client.operations[operation]()
    check_hidden(caught.value)


@pytest.mark.parametrize("kind", ["unix", "tcp", "tcp6"])
def test_local_engines_are_reached_without_a_proxy(monkeypatch, kind):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with Peer([OK, OK], kind=kind) as peer, load("1.42", host=peer.address) as client:
        assert client.endpoint.proxy is None
        assert client.SystemPing() == "OK"
        assert client.with_options(deadline=20).SystemPing() == "OK"


def proxy_of(host):
    return parse_host(host, "host=").proxy


@pytest.mark.parametrize(
    ("excepted", "straight", "proxied"),
    [
        ("", ["localhost", "127.9.9.9:1", "[::1]", "LOCALHOST."], ["box", "10.0.0.1", "[fe80::1]"]),
        ("*", ["box", "10.0.0.1"], []),
        ("example.com", ["example.com", "a.example.com", "A.Example.Com."], ["badexample.com"]),
        (".example.com", ["a.example.com"], ["example.com", "badexample.com"]),
        ("*.example.com", ["a.example.com"], ["example.com"]),
        ("x, box:2375 ,y", ["box", "box:2375", "x:9"], ["box:2376"]),
        ("10.0.0.0/8", ["10.9.9.9"], ["11.0.0.1", "box"]),
        ("10.0.0.1,[fd00::1]:99,fd00::2", ["10.0.0.1", "[fd00::1]:99", "[fd00::2]"], ["[fd00::1]"]),
        ("fd00::/8", ["[fd12::1]"], ["[fe80::1]", "10.0.0.1"]),
        ("10.0.0.0/99,,", [], ["10.0.0.1"]),
    ],
)
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_hosts_in_no_proxy(monkeypatch, name, excepted, straight, proxied):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    monkeypatch.setenv(name, excepted)
    assert [host for host in straight if proxy_of(f"tcp://{host}")] == []
    assert [host for host in proxied if not proxy_of(f"tcp://{host}")] == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("proxy", "http://proxy:80"),
        ("proxy:3128", "http://proxy:3128"),
        ("http://me:secret@proxy:3128/", "http://proxy:3128"),
        ("http://[fd00::1]:3128", "http://[fd00::1]:3128"),
    ],
)
def test_how_a_proxy_is_written(monkeypatch, text, shown):
    monkeypatch.setenv("HTTP_PROXY", text)
    assert str(proxy_of("tcp://box")) == shown
    assert repr(proxy_of("tcp://box")) == f"<proxy {shown} from HTTP_PROXY>"


@pytest.mark.parametrize("text", ["http://me:secret@", "http://me:secret@b:x", "ftp://me:secret@p"])
def test_what_names_no_proxy(monkeypatch, text):
    monkeypatch.setenv("HTTP_PROXY", text)
    with pytest.raises(EndpointError, match="HTTP_PROXY is not the address of a proxy") as caught:
        load("1.42", host="tcp://box:2375")
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("scheme", ["https", "socks5"])
def test_proxies_of_other_kinds(monkeypatch, scheme):
    monkeypatch.setenv("HTTP_PROXY", f"{scheme}://me:secret@proxy:1")
    with pytest.raises(Unsupported, match=f"HTTP_PROXY: {scheme}:// proxies") as caught:
        load("1.42", host="tcp://box:2375")
    assert "secret" not in str(caught.value)


def test_http_proxy_is_ignored_in_cgi(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://evil:1")
    monkeypatch.setenv("REQUEST_METHOD", "GET")
    assert proxy_of("tcp://box") is None
