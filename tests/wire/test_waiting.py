"""How long a call waits: not measured, but read from what the transport is told."""

from __future__ import annotations

import pytest
import requests

from dynadock import Options, TimedOut
from dynadock.bound import time_allowed
from dynadock.call.bind import bind
from dynadock.options import DEFAULT_TIMEOUT
from dynadock.spec.loader import load_spec
from wire.peer import answer, expect, pause, playing, reply, silence

WAITS = {
    "a list": ("ContainerList", (), {}, DEFAULT_TIMEOUT),
    "an inspection": ("ContainerInspect", ("web",), {"size": False}, DEFAULT_TIMEOUT),
    "a measuring list": ("ContainerList", (), {"size": True}, None),
    "a measuring inspection": ("ContainerInspect", ("web",), {"size": True}, None),
    "a comparing list": ("ImageList", (), {"shared_size": True}, None),
    "a creation": ("ContainerCreate", (), {"Image": "busybox"}, None),
    "a start": ("ContainerStart", ("web",), {}, None),
    "a wait": ("ContainerWait", ("web",), {"condition": "removed"}, None),
    "a stop when the container says": ("ContainerStop", ("web",), {}, None),
    "a restart when the container says": ("ContainerRestart", ("web",), {}, None),
    "a stop at once": ("ContainerStop", ("web",), {"t": 0}, DEFAULT_TIMEOUT),
    "a slow stop": ("ContainerStop", ("web",), {"t": 300}, DEFAULT_TIMEOUT + 300),
    "a stop whenever": ("ContainerStop", ("web",), {"t": -1}, None),
    "a slow restart": ("ContainerRestart", ("web",), {"t": 300}, DEFAULT_TIMEOUT + 300),
    "a slow plugin": ("PluginEnable", ("p",), {"timeout": 90}, None),
    "a plugin": ("PluginEnable", ("p",), {}, None),
    "a swarm that is left": ("SwarmLeave", (), {"force": True}, None),
    "a prune": ("ImagePrune", (), {}, None),
    "a commit": ("ImageCommit", (), {"container": "web"}, None),
    "an upload": ("PutContainerArchive", ("web",), {"path": "/", "body": b""}, None),
}


@pytest.mark.parametrize("case", WAITS.values(), ids=WAITS)
def test_auto_makes_room_for_what_takes_long(case):
    name, args, kwargs, expected = case
    bound = bind(load_spec("1.42")[name], args, kwargs, Options())
    assert time_allowed(bound, Options()) == expected


@pytest.mark.parametrize("case", WAITS.values(), ids=WAITS)
@pytest.mark.parametrize("timeout", [5, 0.5, None])
def test_the_callers_own_timeout_counts_as_it_is(case, timeout):
    name, args, kwargs, _ = case
    options = Options(timeout=timeout)
    bound = bind(load_spec("1.42")[name], args, kwargs, options)
    assert time_allowed(bound, options) == timeout


@pytest.mark.parametrize("timeout", [0.3, 1])
def test_the_message_names_the_limit(timeout):
    script, message = [expect, silence], f"within {timeout:g} s"
    with playing(script, timeout=timeout) as (_, client), pytest.raises(TimedOut, match=message):
        client.SystemPing()


@pytest.mark.parametrize("kind", ["unix", "tcp"])
@pytest.mark.parametrize("timeout", ["auto", None, 30])
def test_an_upload_may_stall_for_longer_than_a_connection_may_take(monkeypatch, kind, timeout):
    """Engines unpack while they read: the limit for connecting is none for sending."""
    monkeypatch.setattr("dynadock.transport.sending.CONNECT_TIMEOUT", 0.1)
    body = b"x" * 2**24
    with playing([pause(0.5), answer(reply(200))], kind=kind, timeout=timeout) as (peer, client):
        client.PutContainerArchive("web", path="/", body=body)
    assert peer.requests[0].body == body


def socket_of(response):
    """Return the socket that a raw reply is still read from."""
    return response.raw._fp._driver._link._socket


@pytest.mark.parametrize(
    ("operation", "timeout", "limit"),
    [
        ("ImageGet", "auto", None),
        ("ContainerInspect", "auto", DEFAULT_TIMEOUT),
        *(
            (operation, limit, limit)
            for operation in ("ImageGet", "ContainerInspect")
            for limit in (None, 5)
        ),
    ],
)
def test_a_raw_reply_waits_as_the_call_does(operation, timeout, limit):
    part = reply(200, b"abc")[:-1]
    with playing([answer(part), silence], timeout=timeout) as (_, client):
        response = client.operations[operation].raw("a")
        assert socket_of(response).gettimeout() == limit
        response.close()


def test_a_stream_that_idles_too_long_is_requests_error():
    with playing([answer(reply(200, b"abc")[:-1]), silence], timeout=0.3) as (_, client):
        response = client.ImageGet.raw("a")
        with pytest.raises(requests.RequestException, match="timed out"):
            response.content  # noqa: B018
