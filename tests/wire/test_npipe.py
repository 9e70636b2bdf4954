"""Windows' named pipes, but for what only Windows can do: that part is played over a socket."""

from __future__ import annotations

import sys

import pytest

from closing import check_closed_while_read
from dynadock import (
    ConnectionLost,
    PermissionDenied,
    SocketMissing,
    TimedOut,
    TransportError,
    TruncatedStream,
    Unsupported,
    load,
)
from dynadock.transport.endpoint import default_endpoint, parse_host
from dynadock.transport.links import npipe
from dynadock.transport.links.pipes import ACCESS_DENIED, ALL_BUSY, NOT_FOUND
from wire.peer import (
    OK,
    Peer,
    answer,
    chunked,
    expect,
    expect_rest,
    frame,
    hang_up,
    head,
    ignore,
    reply,
    send,
    silence,
    streaming,
    switching,
)
from wire.pipes import ScriptedPipes

HOST = "npipe:////./pipe/docker_engine"
EVENTS = head(200, {"Content-Type": "application/json"})


@pytest.fixture
def use(monkeypatch):
    """Let pipes lead to a peer, or to no server."""
    made = []

    def make(address, *faults, **options):
        made.append(ScriptedPipes(address, *faults, **options))
        monkeypatch.setattr(npipe, "system_pipes", lambda: made[-1])
        return made[-1]

    yield make
    assert all(pipe.is_closed for pipes in made for pipe in pipes.opened)


@pytest.mark.parametrize(
    "address",
    [
        HOST,
        r"npipe://\\.\pipe\docker_engine",
        "npipe:////server/pipe/docker_engine",
    ],
)
def test_addresses(address):
    endpoint = parse_host(address, "host=")
    assert endpoint.scheme == "npipe"
    assert str(endpoint) == address.replace("\\", "/")


@pytest.mark.parametrize(
    "address",
    ["npipe://docker_engine", "npipe:////./pipe/", "npipe:////./pip/x", "npipe:////./pipe/a\nb"],
)
def test_addresses_of_no_pipe(address):
    with pytest.raises(ValueError, match=r"a pipe's looks like npipe:////\./pipe/docker_engine"):
        parse_host(address, "host=")


def test_where_an_engine_is_on_windows():
    endpoint = default_endpoint(on_windows=True)
    assert (str(endpoint), endpoint.origin) == (HOST, "the default pipe")


@pytest.mark.skipif(sys.platform == "win32", reason="there are pipes on Windows")
@pytest.mark.parametrize("operation", ["SystemPing", "SystemEvents"])
def test_there_are_no_pipes_elsewhere(operation):
    with pytest.raises(Unsupported, match="npipe:// addresses are Windows' own"):
        load("1.42", host=HOST).operations[operation]()


def test_calls_share_a_connection(use):
    big = [{"Id": "x" * 1000}] * 500
    script = [answer(reply(text="OK")), answer(chunked(b"[", b"]")), answer(reply(json=big))]
    with Peer(script) as peer, load("1.42", host=HOST) as client:
        pipes = use(peer.address)
        assert client.SystemPing() == "OK"
        assert client.ContainerList() == []
        assert client.ContainerList() == big
    assert pipes.asked == [r"\\.\pipe\docker_engine"]
    assert {each.header("Host") for each in peer.requests} == {"localhost"}


def test_a_connection_that_the_engine_has_closed_is_not_used_again(use):
    with Peer([OK, hang_up], [OK]) as peer, load("1.42", host=HOST) as client:
        pipes = use(peer.address)
        assert client.SystemPing() == "OK"
        while pipes.opened[0].connection.fileno() >= 0 and _is_open(pipes.opened[0]):
            pass
        assert client.SystemPing() == "OK"
    assert len(pipes.opened) == 2


def _is_open(pipe):
    try:
        return pipe.waiting() == 0
    except OSError:
        return False


def test_a_reply_without_a_length_ends_with_the_connection(use):
    body = send(streaming("text/plain"), b"O", b"K")
    with Peer([expect, body, hang_up]) as peer, load("1.42", host=HOST) as client:
        use(peer.address)
        assert client.SystemPing() == "OK"


def test_the_end_of_input_leaves_the_output_open(use):
    data = bytes(range(256)) * 1000
    output = send(frame("stdout", b"all of it"))
    script = [expect, send(switching()), expect_rest(data), output, hang_up]
    with Peer(script) as peer, load("1.42", host=HOST, tty=False) as client:
        pipes = use(peer.address)
        duplex = client.ContainerAttach("web", stream=True, stdin=True, stdout=True)
        assert duplex.communicate(data).stdout == b"all of it"
    # Before the message of no bytes the pipe is empty, and there is no other one like it.
    done = pipes.opened[0].did
    assert done[-2:] == [("flush", 0), ("write", 0)]
    assert all(size for _, size in done[:-2])


def test_input_cannot_end_alone_in_a_pipe_without_messages(use):
    with Peer([expect, send(switching())]) as peer, load("1.42", host=HOST, tty=False) as client:
        use(peer.address, takes_messages=False)
        duplex = client.ContainerAttach("web", stream=True, stdin=True, stdout=True)
        with duplex, pytest.raises(Unsupported, match="this pipe is one of bytes"):
            duplex.close_stdin()


def test_a_busy_pipe_is_tried_again(use):
    with Peer([OK]) as peer, load("1.42", host=HOST) as client:
        pipes = use(peer.address, ALL_BUSY, ALL_BUSY, ALL_BUSY)
        assert client.SystemPing() == "OK"
    assert len(pipes.asked) == 4


@pytest.mark.parametrize("operation", ["SystemPing", "SystemEvents"])
@pytest.mark.parametrize(
    ("code", "kind", "problem"),
    [
        (ALL_BUSY, TimedOut, "no connection in time"),
        (NOT_FOUND, SocketMissing, "is the engine running"),
        (ACCESS_DENIED, PermissionDenied, "this user may not open it"),
        (53, TransportError, "Windows error 53"),
    ],
)
def test_pipes_that_do_not_open(use, operation, code, kind, problem):
    use("", code, ...)
    with pytest.raises(kind, match=problem) as caught:
        load("1.42", host=HOST, timeout=0.1).operations[operation]()
    assert type(caught.value) is kind
    assert caught.value.endpoint == HOST


@pytest.mark.parametrize("operation", ["SystemPing", "SystemEvents"])
def test_a_silent_engine(use, operation):
    with Peer([expect, silence]) as peer, load("1.42", host=HOST, timeout=0.2) as client:
        use(peer.address)
        with pytest.raises(TimedOut, match=r"no answer within 0\.2 s"):
            client.operations[operation]()


def test_an_engine_that_does_not_read(use):
    with Peer([ignore]) as peer, load("1.42", host=HOST, timeout=0.2) as client:
        use(peer.address)
        with pytest.raises(TimedOut):
            client.ImageLoad(body=b"x" * 4_000_000)


@pytest.mark.parametrize(
    ("operation", "kind"), [("SystemPing", ConnectionLost), ("SystemEvents", TruncatedStream)]
)
def test_an_engine_that_hangs_up(use, operation, kind):
    with Peer([expect, hang_up]) as peer, load("1.42", host=HOST) as client:
        use(peer.address)
        with pytest.raises(kind):
            client.operations[operation]()


def test_closing_ends_what_another_thread_waits_for(use):
    with Peer([answer(EVENTS), silence]) as peer, load("1.42", host=HOST) as client:
        use(peer.address)
        events = client.SystemEvents()
        check_closed_while_read(events)


def test_what_came_at_the_last_moment_is_not_lost(use, monkeypatch):
    script = [expect, send(EVENTS, b'{"Type": "x"}\n'), hang_up]
    with Peer(script) as peer, load("1.42", host=HOST, timeout=30) as client:
        pipes = use(peer.address)
        read = []

        def impatient(pipe, size):
            operation = type(pipe).read(pipe, size)
            wait = operation.wait
            # It says that time is over, though it waited until there was something.
            operation.wait = lambda seconds: (wait(seconds), False)[1]
            read.append(operation)
            return operation

        opens = pipes.open

        def open_impatient(path):
            pipe = opens(path)
            pipe.read = lambda size: impatient(pipe, size)
            return pipe

        pipes.open = open_impatient
        assert [event.Type for event in client.SystemEvents()] == ["x"]
    assert read
