"""Addresses of engines: what they mean, what is none, and that none shows a secret."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dynadock
from docker_config import write_config
from dynadock import ConfigError, EndpointError, Unsupported, load
from dynadock.config.address import Address, masked
from dynadock.config.contexts import Context
from dynadock.transport.endpoint import Endpoint, find_endpoint, parse_host
from dynadock.transport.proxy import authorization
from secret_values import SECRET, is_told_by
from tracebacks import check_hidden

REFUSALS = (EndpointError, ConfigError, Unsupported, TypeError)


def at(text, **tls):
    return parse_host(text, "host=", **tls)


ADDRESSES = {
    # As the docker command (28.2) takes them.
    "1.2.3.4:2375": ("tcp", "", "1.2.3.4", 2375),
    "box:1": ("tcp", "", "box", 1),
    ":2375": ("tcp", "", "localhost", 2375),
    " :2375\n": ("tcp", "", "localhost", 2375),
    "\t tcp://box:1 ": ("tcp", "", "box", 1),
    " unix:///x.sock ": ("unix", "/x.sock", "", 0),
    "[::1]:1": ("tcp", "", "::1", 1),
    "tcp://": ("tcp", "", "localhost", 2375),
    "tcp://box": ("tcp", "", "box", 2375),
    "tcp://:1": ("tcp", "", "localhost", 1),
    "tcp://Box.Example.": ("tcp", "", "Box.Example.", 2375),
    "tcp://box:1/": ("tcp", "", "box", 1),
    "tcp://box:1/base/": ("tcp", "/base", "box", 1),
    "box:1/base/x": ("tcp", "/base/x", "box", 1),
    "tcp://box:1/b%20c": ("tcp", "/b%20c", "box", 1),
    "tcp://box:1/b c/é": ("tcp", "/b%20c/%C3%A9", "box", 1),
    "tcp://box:1/50%": ("tcp", "/50%25", "box", 1),
    # Others do.
    "http://box:1": ("tcp", "", "box", 1),
    "tcp://[fe80::1%eth0]:1": ("tcp", "", "fe80::1%eth0", 1),
    "tcp://[fe80::1%25eth0]:1": ("tcp", "", "fe80::1%eth0", 1),
    "tcp://[fe80::1%25Eth-0.5]:1": ("tcp", "", "fe80::1%Eth-0.5", 1),
    "tcp://[fe80::1%25]:1": ("tcp", "", "fe80::1%25", 1),
    "unix:///a b.sock": ("unix", "/a b.sock", "", 0),
    "unix:///a%20b.sock": ("unix", "/a b.sock", "", 0),
    "unix:///a%2520b.sock": ("unix", "/a%20b.sock", "", 0),
    "unix:///50%.sock": ("unix", "/50%.sock", "", 0),
    "unix:///a@b:c?d#e.sock": ("unix", "/a@b:c?d#e.sock", "", 0),
    "unix:///\udcff.sock": ("unix", "/\udcff.sock", "", 0),
    "unix:///%FF.sock": ("unix", "/\udcff.sock", "", 0),
}


@pytest.mark.parametrize(("text", "place"), ADDRESSES.items(), ids=map(ascii, ADDRESSES))
def test_an_address(text, place):
    endpoint = at(text)
    assert (endpoint.scheme, endpoint.path, endpoint.host, endpoint.port) == place
    assert at(str(endpoint)) == endpoint


def test_a_socket_by_the_very_name_comes_first(tmp_path):
    """The docker command decodes nothing here, so an address that works there works here."""
    plain, escaped = tmp_path / "a b.sock", tmp_path / "a%20b.sock"
    assert at(f"unix://{escaped}").path == str(plain)
    escaped.touch()
    assert at(f"unix://{escaped}").path == str(escaped)
    assert at(f"unix://{plain}").path == str(plain)
    twice = str(escaped).replace("%", "%25")
    assert at(f"unix://{twice}").path == str(escaped)
    assert at(str(at(f"unix://{escaped}"))).path == str(escaped)


PORT = "a port is a number from 1 to 65535"
NO_HOST = "no host has such a name"
WRONG = {
    "": "it looks like unix:///path/of.sock or tcp://host:2375",
    "box": "it looks like unix:///path/of.sock or tcp://host:2375",
    "/run/docker.sock": "it looks like unix:///path/of.sock",
    "TCP://box": "there are unix://, tcp://, ssh://, npipe:// and embedded://",
    "unix://": "starts with '/'",
    "unix://x.sock": "starts with '/'",
    "unix:///a\0b": "no file has such a name",
    "unix:///a%00b": "no file has such a name",
    "unix:///\ud800": "no file has such a name",
    "tcp://box:0": PORT,
    "tcp://box:65536": PORT,
    "tcp://box:²": PORT,
    "tcp://box:-1": PORT,
    "tcp://box:" + "0" * 5000 + "1": PORT,
    "tcp://box:1:2": "an IPv6 address stands in brackets",
    "::1": "an IPv6 address stands in brackets",
    "tcp://[box]:1": "what stands in brackets is not an IPv6 address",
    "tcp://[fe80::1%]:1": "what stands in brackets is not an IPv6 address",
    "tcp://[fe80::1%a b]:1": "what stands in brackets is not an IPv6 address",
    "tcp://☃:2375": "in ASCII it may be xn--n3h",
    "tcp://bücher.example": "in ASCII it may be xn--bcher-kva.example",
    "tcp://a。b": "the host's name is not in ASCII",
    "tcp://\ud800": NO_HOST,
    "tcp://a..b": NO_HOST,
    "tcp://.box": NO_HOST,
    "tcp://" + "a" * 64: NO_HOST,
    "tcp://bo x": NO_HOST,
    "tcp://bo%78": NO_HOST,
    "tcp://box\r\nX": NO_HOST,
    "tcp://box/a\r\nX: y": "a character that cannot be printed",
    "tcp://box/\ud800": "a character that cannot be printed",
    "tcp://box?x=1": "only host, port and a path can be given",
    "tcp:///run/docker.sock": "it has a path and no host; a socket's address is unix:///",
}


@pytest.mark.parametrize(("text", "problem"), WRONG.items(), ids=lambda text: ascii(text)[:40])
def test_what_is_no_address(text, problem, monkeypatch, tmp_path):
    with pytest.raises(EndpointError) as caught:
        load("1.42", host=text)
    assert problem in str(caught.value)
    assert str(caught.value).startswith("host=: ")
    if text and "\0" not in text and "\ud800" not in text:
        monkeypatch.setenv("DOCKER_HOST", text)
        with pytest.raises(EndpointError, match=r"^DOCKER_HOST: "):
            load("1.42")
        monkeypatch.delenv("DOCKER_HOST")
    if text:
        _write_context(tmp_path, "mine", text)
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        with pytest.raises(EndpointError, match=r"^context 'mine', from context=: "):
            load("1.42", context="mine")


def _write_context(folder, name, host):
    path = folder / "contexts" / "meta" / name / "meta.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}}))


def test_https_says_how_tls_is_asked_for():
    with pytest.raises(Unsupported, match=r"write tcp:// and set DOCKER_TLS_VERIFY=1"):
        at("https://box:2376")


@pytest.mark.parametrize("blanks", [" ", "\t\n"])
def test_blanks_are_the_default_socket(blanks, monkeypatch, tmp_path):
    write_config(tmp_path, {"currentContext": "gone"})
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", blanks)
    assert find_endpoint().origin == "the default socket"


ODD = {
    "host": [Path("/var/run/docker.sock"), b"unix:///x", 5, 2.5, True, ["tcp://a"], object()],
    "context": [Path("x"), b"x", 5, False, {"a": 1}],
}


@pytest.mark.parametrize(("name", "value"), [(name, each) for name in ODD for each in ODD[name]])
def test_what_is_no_text(name, value):
    with pytest.raises(
        TypeError, match=f"{name}: expected .* as text.*, got {type(value).__name__}"
    ):
        load("1.42", **{name: value})
    with pytest.raises(TypeError, match=f"{name}: expected"):
        load(**{name: value})


# Any address

SCHEMES = st.sampled_from(["tcp://", "unix:///", "ssh://", "npipe://", "http://", "x://", ""])
PIECES = st.sampled_from(
    [
        *"@:/?#%[]\0 \n\\.-\uff20。☃\ud800\udcff",
        "%25",
        "%20",
        "%00",
        "::1",
        "fe80::1%eth0",
        "box",
        "0",
        "2375",
    ]
)
ANY_TEXT = st.text(st.characters()) | st.builds(
    lambda scheme, pieces: scheme + "".join(pieces), SCHEMES, st.lists(PIECES, max_size=8)
)


@given(ANY_TEXT)
@settings(max_examples=600)
def test_any_text_is_an_endpoint_or_refused(text):
    try:
        endpoint = find_endpoint(text)
    except REFUSALS:
        return
    assert isinstance(endpoint, Endpoint)
    assert at(str(endpoint)) == endpoint
    assert pickle.loads(pickle.dumps(endpoint)) == endpoint
    json.dumps(endpoint)
    assert endpoint.authority.isascii()
    assert not {*endpoint.authority} & {*" \r\n"}
    assert not {*f"{endpoint.base_path}"} & {*" \r\n?#"}


@given(ANY_TEXT | st.integers() | st.binary() | st.none() | st.lists(st.text()))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_anything_in_any_form_is_an_endpoint_or_refused(tmp_path, value):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_CONFIG", str(tmp_path))
        forms = [{"host": value}, {"context": value}, {"context": "mine"}]
        if isinstance(value, str):
            _write_context(tmp_path, "mine", value)
        if isinstance(value, str) and "\0" not in value and "\ud800" not in ascii(value):
            _set_where_it_can_be(patch, "DOCKER_HOST", value)
            _set_where_it_can_be(patch, "HTTP_PROXY", value)
            _set_where_it_can_be(patch, "NO_PROXY", value)
            forms += [{}, {"host": "tcp://box:1"}]
        for form in forms:
            try:
                client = load("1.42", **form)
            except REFUSALS:
                continue
            assert isinstance(client.endpoint, Endpoint)


def _set_where_it_can_be(patch, name, value):
    try:
        patch.setenv(name, value)
    except UnicodeError:
        patch.delenv(name, raising=False)


# Secrets

USER = f"me:{SECRET}@"
TELLING = [
    f"tcp://{USER}box:1",
    f"tcp://{USER}box:99999",
    f"tcp://{USER}box:x",
    f"tcp://{USER}",
    f"tcp://{SECRET}@box",
    f"tcp://me:{SECRET}",
    f"tcp://me:{SECRET}/x",
    f"tcp://me:p/{SECRET}@box",
    f"tcp://me:{SECRET}\uff20box:1",
    f"tcp://me:{SECRET}%40box",
    f"tcp://{USER}bücher",
    f"tcp://{USER}[::1",
    f"tcp://{USER}bo x",
    f"tcp://box?token={SECRET}",
    f"tcp://box#{SECRET}",
    f"{USER}box:99999",
    f"me:{SECRET}",
    f"tcp:/{USER}box",
    f"tcp//{USER}box:1",
    f"foo://{USER}box",
    f"https://{USER}box",
    f"me:{SECRET}@x://y",
    f"fd://{USER}box",
    f"unix://{USER}box",
    f"npipe://{USER}box",
    f"ssh://{USER}box:99999",
    f"ssh://{USER}box",
    f"ssh://{USER}b x",
]


@pytest.mark.parametrize("text", TELLING, ids=range(len(TELLING)))
def test_no_wrong_address_tells_a_secret(text, monkeypatch, tmp_path):
    _write_context(tmp_path, "mine", text)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for call in (
        lambda: load("1.42", host=text),
        lambda: load(host=text),
        lambda: load("1.42", context="mine"),
        lambda: dynadock.client.client_for("1.42").ContainerList(),
    ):
        monkeypatch.setenv("DOCKER_HOST", text)
        with pytest.raises((EndpointError, Unsupported)) as caught:
            call()
        check_hidden(caught.value)
    assert not is_told_by(masked(text))
    assert not is_told_by(repr(Address(text)) + str(Address(text)))
    assert not is_told_by(repr(Context("mine", text)))


PROXIES = [
    f"http://{USER}p:x",
    f"http://{USER}",
    f"ftp://{USER}p",
    f"socks5://{USER}p",
    f"http://{USER}bücher",
    f"{USER}p:0",
    f"http://me:{SECRET}\uff20p",
]


@pytest.mark.parametrize("text", PROXIES)
def test_no_wrong_proxy_tells_a_secret(text, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", text)
    with pytest.raises((EndpointError, Unsupported)) as caught:
        load("1.42", host="tcp://box:1")
    assert str(caught.value).startswith("HTTP_PROXY")
    check_hidden(caught.value)


def test_a_host_outside_of_ascii_tells_no_secret_of_its_proxy(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://{USER}p:3128")
    with pytest.raises(EndpointError, match="the host's name is not in ASCII") as caught:
        load("1.42", host="tcp://bücher.example")
    check_hidden(caught.value)


@pytest.mark.parametrize("user", [USER, f"{SECRET}@", f"\udcff:{SECRET}@"])
def test_an_endpoint_holds_nothing_of_its_proxys_user(user, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://{user}p:3128")
    endpoint = load("1.42", host="tcp://box:1").endpoint
    dumped = [json.dumps(endpoint), json.dumps(endpoint._asdict()), repr(endpoint._asdict())]
    dumped += [repr(endpoint), str(endpoint), repr([*endpoint])]
    dumped += [pickle.dumps(endpoint, protocol).decode("latin-1") for protocol in range(2, 6)]
    assert [text for text in dumped if is_told_by(text)] == []
    twin = pickle.loads(pickle.dumps(endpoint))
    assert (twin, str(twin.proxy)) == (endpoint, "http://p:3128")


def test_the_proxy_of_a_pickled_endpoint_still_gets_its_user(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://me:s%40x@p:3128")
    proxy = pickle.loads(pickle.dumps(at("tcp://box:1"))).proxy
    assert authorization(proxy) == "Basic bWU6c0B4"
    # Another proxy is not told.
    monkeypatch.setenv("HTTP_PROXY", "http://me:s%40x@q:3128")
    assert authorization(proxy) == ""


def test_a_name_of_255_characters_is_too_long():
    name = ".".join(["a" * 62] * 4)
    with pytest.raises(EndpointError, match=NO_HOST):
        at(f"tcp://{name}.aaa")
    assert at(f"tcp://{name}").host == name
