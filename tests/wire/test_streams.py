"""Lifetimes of streams: how they end, what they leave behind, and replies that are none."""

from __future__ import annotations

import contextlib
import gc
import os
import select
import socket
import subprocess
import sys
import threading
import time
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from dynadock import (
    APIError,
    Conflict,
    ConnectionLost,
    ConnectionRefused,
    Duplex,
    FrameStream,
    JsonStream,
    MalformedStream,
    NotFound,
    RawDuplex,
    ServerError,
    SocketMissing,
    Stream,
    StreamClosed,
    StreamError,
    TarStream,
    TimedOut,
    TruncatedStream,
    UnreadStreamWarning,
    VersionError,
    load,
)
from dynadock.transport.links.sockets import SocketLink
from wire.peer import (
    MULTIPLEXED,
    OK,
    PATIENCE,
    SHORT,
    Peer,
    answer,
    busy,
    chunk,
    chunked,
    close_frame,
    drip,
    expect,
    expect_head,
    frame,
    given_before,
    hang_up,
    head,
    ignore,
    in_pieces,
    message,
    playing,
    reply,
    reset,
    send,
    shake_hands,
    silence,
    streaming,
    switching,
    tell,
    wait,
)

if TYPE_CHECKING:
    from collections.abc import Callable


CHUNKED = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
TAR = {"Content-Type": "application/x-tar", "Transfer-Encoding": "chunked"}


class Kind(NamedTuple):
    """One kind of stream: how to ask for it, and how a peer plays it.

    ``begin`` are steps up to the head; ``pieces`` two items on the wire, ``items`` what is read of
    them, ``end`` what follows.
    """

    type: type[Stream]
    call: Callable[[Any], Any]
    begin: list[Any]
    pieces: tuple[bytes, bytes]
    items: list[Any]
    end: list[Any]


LAST_CHUNK = send(chunk(b""))
OUTPUT = (frame("stdout", b"out"), frame("stderr", b"err"))
FRAMES = [("stdout", b"out"), ("stderr", b"err")]
PROGRESS = (chunk(b'{"status": "one"}\r\n'), chunk(b'{"status": "two"}\r\n'))
VALUES = [{"status": "one"}, {"status": "two"}]

KINDS = {
    "values": Kind(
        JsonStream,
        lambda client: client.SystemEvents(),
        [answer(head(200, CHUNKED))],
        PROGRESS,
        VALUES,
        [LAST_CHUNK],
    ),
    "progress": Kind(
        JsonStream,
        lambda client: client.ImageCreate(fromImage="a"),
        [answer(head(200, CHUNKED))],
        PROGRESS,
        VALUES,
        [LAST_CHUNK],
    ),
    "frames": Kind(
        FrameStream,
        lambda client: client.ContainerLogs("web", stdout=True),
        [answer(head(200, {**TAR, "Content-Type": MULTIPLEXED}))],
        (chunk(OUTPUT[0]), chunk(OUTPUT[1])),
        FRAMES,
        [LAST_CHUNK],
    ),
    "tar": Kind(
        TarStream,
        lambda client: client.ImageGet("a"),
        [answer(head(200, TAR))],
        (chunk(b"one"), chunk(b"two")),
        [b"one", b"two"],
        [LAST_CHUNK],
    ),
    "duplex": Kind(
        Duplex,
        lambda client: client.ContainerAttach("web", stream=True),
        [answer(switching())],
        OUTPUT,
        FRAMES,
        [hang_up],
    ),
    "exec": Kind(
        Duplex,
        lambda client: client.ExecStart("e"),
        [answer(streaming(MULTIPLEXED))],
        OUTPUT,
        FRAMES,
        [hang_up],
    ),
    "session": Kind(
        RawDuplex,
        lambda client: client.Session(),
        [answer(switching(None, "h2c"))],
        (b"one", b"two"),
        [b"one", b"two"],
        [hang_up],
    ),
    "websocket": Kind(
        Duplex,
        lambda client: client.ContainerAttachWebsocket("web"),
        [shake_hands()],
        (message(b"one"), message(b"two")),
        [("console", b"one"), ("console", b"two")],
        [send(close_frame()), hang_up],
    ),
}
IN_ITEMS = {name: kind for name, kind in KINDS.items() if name not in ("tar", "session")}
ACTING = KINDS["progress"]
OTHERS = {name: kind for name, kind in KINDS.items() if kind is not ACTING}

all_kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
kinds_of_items = pytest.mark.parametrize("kind", IN_ITEMS.values(), ids=IN_ITEMS)


def _unread(kind):
    """Expect the warning that a stream of this kind gives when it is closed early."""
    if kind is ACTING:
        return pytest.warns(UnreadStreamWarning, match=r"ImageCreate .*\.wait\(\)")
    return contextlib.nullcontext()


def _socket_of(stream):
    return stream._source._link._socket


# The end


@all_kinds
def test_a_stream_is_read_to_its_end(kind):
    script = [*kind.begin, send(*kind.pieces), *kind.end]
    with playing(script) as (_, client):
        stream = kind.call(client)
        assert type(stream) is kind.type
        assert isinstance(stream, Stream)
        assert stream.status in (200, 101)
        assert stream.fileno() >= 0
        assert not stream.closed
        assert list(stream) == kind.items
        assert stream.closed
        assert stream.fileno() == -1
        assert "at its end" in repr(stream)


@all_kinds
def test_after_the_end_there_is_nothing_more(kind):
    script = [*kind.begin, send(*kind.pieces), *kind.end]
    with playing(script) as (_, client):
        stream = kind.call(client)
        list(stream)
        assert list(stream) == []
        stream.close()
        assert list(stream) == []
        with stream:
            assert list(stream) == []


@pytest.mark.parametrize("name", ["values", "progress", "frames", "tar"])
def test_the_client_hangs_up_at_a_streams_end(name):
    """The engine would keep the connection open, but it cannot serve another call."""
    kind, gone = KINDS[name], threading.Event()
    with playing([*kind.begin, send(*kind.pieces), *kind.end, silence, tell(gone)]) as (_, client):
        stream = kind.call(client)
        list(stream)
        assert gone.wait(PATIENCE)


@all_kinds
def test_a_call_after_a_stream_works(kind):
    script = [*kind.begin, send(*kind.pieces), *kind.end]
    with playing([OK, OK], script) as (peer, client):
        assert client.SystemPing() == "OK"
        assert list(kind.call(client)) == kind.items
        assert client.SystemPing() == "OK"
    assert peer.connections == 2


@all_kinds
def test_a_call_after_half_a_stream_works(kind):
    gone = threading.Event()
    script = [*kind.begin, send(kind.pieces[0]), silence, tell(gone)]
    with playing(script, [OK]) as (_, client):
        with _unread(kind), kind.call(client) as stream:
            for item in stream:
                assert item == kind.items[0]
                break
        assert gone.wait(PATIENCE)
        assert client.SystemPing() == "OK"


@all_kinds
def test_calls_go_on_beside_a_stream(kind):
    more = threading.Event()
    script = [*kind.begin, send(kind.pieces[0]), wait(more), send(kind.pieces[1]), *kind.end]
    with playing(script, [OK, OK, OK]) as (peer, client), kind.call(client) as stream:
        assert client.SystemPing() == "OK"
        items = iter(stream)
        assert next(items) == kind.items[0]
        assert client.SystemPing() == "OK"
        more.set()
        assert next(items) == kind.items[1]
        assert client.SystemPing() == "OK"
        assert list(items) == []
    assert peer.connections == 2


def test_many_streams_at_once_starve_no_call():
    kind = KINDS["frames"]
    script = [*kind.begin, send(kind.pieces[0]), silence]
    with playing(*[script] * 40, [OK]) as (peer, client), contextlib.ExitStack() as streams:
        logs = [streams.enter_context(kind.call(client)) for _ in range(40)]
        assert client.SystemPing() == "OK"
        assert [next(log) for log in logs] == [kind.items[0]] * 40
    assert peer.connections == 41


def test_closing_the_client_leaves_an_open_stream_alone():
    kind, more = KINDS["frames"], threading.Event()
    script = [*kind.begin, wait(more), send(*kind.pieces), *kind.end]
    with playing(script) as (_, client), kind.call(client) as stream:
        client.close()
        more.set()
        assert list(stream) == kind.items


# Loops that stop and go on


@kinds_of_items
def test_a_loop_goes_on_where_the_last_one_left_off(kind):
    both = b"".join(kind.pieces)
    with playing([*kind.begin, send(both), *kind.end]) as (_, client), kind.call(client) as stream:
        for item in stream:
            assert item == kind.items[0]
            break
        assert list(stream) == kind.items[1:]


@kinds_of_items
def test_next_takes_one_item(kind):
    both = b"".join(kind.pieces)
    with playing([*kind.begin, send(both), *kind.end]) as (_, client), kind.call(client) as stream:
        assert next(stream) == kind.items[0]
        assert next(stream) == kind.items[1]
        for _ in range(2):
            with pytest.raises(StopIteration):
                next(stream)
        assert next(stream, None) is None


def test_many_loops_lose_nothing():
    frames = [("stdout", b"%d" % number) for number in range(100)]
    data = b"".join(frame(*each) for each in frames)
    script = [answer(streaming(MULTIPLEXED)), send(*in_pieces(data, 21)), hang_up]
    with playing(script) as (_, client), client.ContainerLogs("web", stdout=True) as log:
        seen = []
        for _ in range(33):
            for each in log:
                seen.append(each)
                break
            seen.append(next(log))
        assert seen + list(log) == frames


# Closing


@all_kinds
def test_a_closed_stream_is_not_read(kind):
    with playing([*kind.begin, silence]) as (_, client):
        stream = kind.call(client)
        with _unread(kind):
            stream.close()
        assert stream.closed
        assert stream.fileno() == -1
        assert "closed" in repr(stream)
        for _ in range(2):
            with pytest.raises(
                StreamClosed, match=r"\(API 1\.42\): the stream is closed"
            ) as caught:
                list(stream)
            assert isinstance(caught.value, ValueError)
        stream.close()


@all_kinds
def test_a_closed_stream_gives_nothing_that_has_come_before(kind):
    """As with a file: closed is closed, however much was waiting to be read."""
    both = b"".join(kind.pieces)
    with playing([*kind.begin, send(both), silence]) as (_, client):
        stream = kind.call(client)
        if kind in IN_ITEMS.values():
            assert next(stream) == kind.items[0]
        else:
            assert stream.read(2) == b"on"
        with _unread(kind):
            stream.close()
        assert given_before(StreamClosed, stream) == []


@pytest.mark.parametrize("read", ["collect", "text", "lines"])
def test_a_closed_stream_of_frames_gives_nothing_to_its_helpers(read):
    with playing([answer(switching() + b"".join(OUTPUT)), silence]) as (_, client):
        stream = client.ContainerAttach("web", stream=True)
        assert next(stream) == FRAMES[0]
        stream.close()
        with pytest.raises(StreamClosed):
            list(getattr(stream, read)())


@all_kinds
def test_a_closed_stream_has_a_repr_but_takes_no_input(kind):
    with playing([*kind.begin, silence]) as (_, client):
        with _unread(kind), kind.call(client) as stream:
            pass
        assert stream.status in (200, 101)
        assert stream.headers
        if isinstance(stream, (Duplex, RawDuplex)):
            for action in (lambda: stream.write(b"x"), stream.close_stdin):
                with pytest.raises(StreamClosed):
                    action()


@all_kinds
@pytest.mark.parametrize("timeout", [None, 20], ids=["for ever", "timeout"])
def test_closing_from_another_thread_ends_a_read(kind, timeout):
    reading, gone = threading.Event(), threading.Event()

    def close():
        assert reading.wait(PATIENCE)
        # Most likely the other thread waits in its read by then; any other time is as good.
        time.sleep(0.05)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnreadStreamWarning)
            stream.close()

    def items():
        for item in stream:
            yield item
            reading.set()

    script = [*kind.begin, send(kind.pieces[0]), silence, tell(gone)]
    with playing(script, [OK], timeout=timeout) as (_, client):
        stream = kind.call(client)
        closer = threading.Thread(target=close)
        closer.start()
        given = given_before(StreamClosed, items(), "closed while it was read")
        closer.join()
        assert given == kind.items[:1]
        assert gone.wait(PATIENCE)
        assert given_before(StreamClosed, stream) == []
        assert client.SystemPing() == "OK"


def test_closing_from_another_thread_ends_a_read_with_a_deadline(monkeypatch):
    """Whenever it comes: here right between one step and the next."""
    with playing([answer(switching() + OUTPUT[0]), silence], deadline=20) as (_, client):
        stream = client.ContainerAttach("web", stream=True)
        allow = SocketLink.allow

        def closed_meanwhile(link, seconds):
            stream.close()
            allow(link, seconds)

        monkeypatch.setattr(SocketLink, "allow", closed_meanwhile)
        assert next(stream) == FRAMES[0]
        with pytest.raises(StreamClosed):
            next(stream)


@all_kinds
def test_an_exception_closes_the_stream_and_comes_out(kind):
    gone = threading.Event()
    script = [*kind.begin, silence, tell(gone)]
    with playing(script) as (_, client):
        stream = kind.call(client)
        with pytest.raises(KeyError, match="mine"), stream:
            raise KeyError("mine")
        assert stream.closed
        assert gone.wait(PATIENCE)
        assert given_before(StreamClosed, stream) == []


# Forgotten streams


@pytest.mark.parametrize("kind", OTHERS.values(), ids=OTHERS)
def test_a_forgotten_stream_hangs_up_and_warns(kind):
    gone = threading.Event()
    with playing([*kind.begin, silence, tell(gone)], [OK]) as (_, client):
        with pytest.warns(ResourceWarning, match="left open; close it, or use with") as caught:
            kind.call(client)
        assert len(caught) == 1
        assert "(API 1.42)" in str(caught[0].message)
        assert gone.wait(PATIENCE)
        assert client.SystemPing() == "OK"


def test_a_forgotten_stream_that_acts_warns_visibly():
    gone = threading.Event()
    script = [*ACTING.begin, silence, tell(gone)]
    with playing(script) as (_, client):
        with pytest.warns(
            UnreadStreamWarning, match=r"dropped before its end.*\.wait\(\)"
        ) as caught:
            ACTING.call(client)
        assert len(caught) == 1
        assert gone.wait(PATIENCE)


ACTS = {
    "ImageCreate": {"fromImage": "a"},
    "ImageBuild": {"body": b""},
    "ImageLoad": {"body": b""},
    "ImagePush": {"name": "a"},
    "PluginPull": {"remote": "p"},
    "PluginPush": {"name": "p"},
    "PluginUpgrade": {"name": "p", "remote": "q"},
}


@pytest.mark.parametrize(("name", "arguments"), ACTS.items(), ids=ACTS)
def test_every_stream_that_acts_warns_when_it_is_dropped(name, arguments):
    with playing([answer(head(200, CHUNKED)), silence]) as (_, client):
        stream = client.operations[name](**arguments)
        with pytest.warns(UnreadStreamWarning, match=rf"{name} \(API 1\.42\)"):
            stream.close()


def test_the_warning_points_at_the_line_that_dropped_the_stream():
    """By default a warning is shown once for each line: one inside dynadock would hide the rest."""
    script = [*ACTING.begin, silence]
    with playing(script, script) as (_, client):
        with pytest.warns(UnreadStreamWarning) as closed:
            ACTING.call(client).close()
        with pytest.warns(UnreadStreamWarning) as left:  # noqa: SIM117 - the place is looked at
            with ACTING.call(client):
                pass
    assert [each[0].filename for each in (closed, left)] == [__file__, __file__]


def test_a_stream_that_acts_warns_after_half_of_it():
    with playing([*ACTING.begin, send(ACTING.pieces[0]), silence]) as (_, client):
        pull = ACTING.call(client)
        assert next(pull) == VALUES[0]
        with pytest.warns(UnreadStreamWarning):
            pull.close()


ENDS = {
    "read": list,
    "waited for": lambda pull: pull.wait(),
    "read item by item": lambda pull: [next(pull), next(pull), next(pull, None)],
}


@pytest.mark.parametrize("read", ENDS.values(), ids=ENDS)
def test_nothing_warns_after_the_end(read):
    with playing([*ACTING.begin, send(*ACTING.pieces), *ACTING.end]) as (_, client):
        with ACTING.call(client) as pull:
            read(pull)
        pull.close()
        del pull
        gc.collect()


BREAKS = {
    "the engine's error": ([send(chunk(b'{"error": "no space"}')), silence], StreamError),
    "a lost connection": ([hang_up], TruncatedStream),
    "no JSON": ([send(chunk(b"<html>")), silence], MalformedStream),
}


@pytest.mark.parametrize(("steps", "error"), BREAKS.values(), ids=BREAKS)
def test_nothing_warns_after_an_error(steps, error):
    """The error says more than the warning would."""
    with playing([*ACTING.begin, *steps]) as (_, client):
        with pytest.raises(error), ACTING.call(client) as pull:
            list(pull)
        assert pull.closed
        pull.close()
        del pull
        gc.collect()


def test_nothing_warns_when_an_exception_leaves_the_with_block():
    with playing([*ACTING.begin, silence]) as (_, client):
        with pytest.raises(KeyError), ACTING.call(client) as pull:
            raise KeyError
        del pull
        gc.collect()


def _run(code, address, *options):
    """Run Python in a process of its own, with its default filters, and return what it wrote."""
    done = subprocess.run(
        [sys.executable, "-P", *options, "-c", code, address],
        env={name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


DROPPED = {
    "forgotten": "client.ImageCreate(fromImage='a')",
    "closed": "client.ImageCreate(fromImage='a').close()",
    "left": "with client.ImageCreate(fromImage='a'): pass",
    "kept until the program ends": "pull = client.ImageCreate(fromImage='a')",
}


@pytest.mark.parametrize("drop", DROPPED.values(), ids=DROPPED)
def test_the_warning_is_visible_by_default(drop):
    code = f"import sys, dynadock\nclient = dynadock.load('1.42', host=sys.argv[1])\n{drop}\n"
    with Peer([*ACTING.begin, silence]) as peer:
        code, out, err = _run(code, peer.address)
    assert code == 0, err
    assert out == ""
    assert "UnreadStreamWarning: ImageCreate (API 1.42)" in err
    assert ".wait()" in err


def test_other_forgotten_streams_are_silent_by_default():
    code = (
        "import sys, dynadock\n"
        "client = dynadock.load('1.42', host=sys.argv[1])\n"
        "client.ContainerLogs('web', stdout=True)\n"
    )
    with Peer([*KINDS["frames"].begin, silence]) as peer:
        assert _run(code, peer.address) == (0, "", "")
    with Peer([*KINDS["frames"].begin, silence]) as peer:
        code, _, err = _run(code, peer.address, "-X", "dev")
    assert code == 0
    assert "ResourceWarning: ContainerLogs (API 1.42)" in err


def test_a_program_may_end_with_a_stream_open():
    code = (
        "import sys, dynadock\n"
        "client = dynadock.load('1.42', host=sys.argv[1])\n"
        "log = client.ContainerLogs('web', stdout=True)\n"
        "print(next(log).data)\n"
    )
    kind = KINDS["frames"]
    with Peer([*kind.begin, send(kind.pieces[0]), silence]) as peer:
        assert _run(code, peer.address) == (0, "b'out'\n", "")


# Ctrl-C


INTERRUPTED = """
import os, signal, sys, threading, time
import dynadock

client = dynadock.load("1.42", host=sys.argv[1])

def interrupt():
    sys.stdin.readline()
    time.sleep(0.1)
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

def sockets():
    names = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            names.append(os.readlink(f"/proc/self/fd/{fd}"))
        except FileNotFoundError:
            pass
    return [name for name in names if name.startswith("socket:")]

before = sockets()
threading.Thread(target=interrupt, name="interrupter").start()
try:
    CALL
except KeyboardInterrupt:
    print("interrupted")
for thread in threading.enumerate():
    if thread.name == "interrupter":
        thread.join()
print([thread.name for thread in threading.enumerate()])
print(len(sockets()) - len(before))
"""

INTERRUPTIBLE = {
    "waiting for the head": ("client.ContainerLogs('web', stdout=True)", [expect]),
    "reading": (
        "list(client.ContainerLogs('web', stdout=True))",
        [*KINDS["frames"].begin, send(chunk(OUTPUT[0]))],
    ),
    "waiting for progress": ("client.ImageCreate(fromImage='a').wait()", ACTING.begin),
    "sending an upload": ("client.ImageLoad(body=iter(lambda: b'x' * 65536, b''))", [expect_head]),
    "sending input and reading": (
        "client.ExecStart('e').communicate(iter(lambda: b'x' * 65536, b''))",
        [answer(switching())],
    ),
    "a websocket": ("list(client.ContainerAttachWebsocket('web'))", [shake_hands()]),
}


@pytest.mark.parametrize(("call", "script"), INTERRUPTIBLE.values(), ids=INTERRUPTIBLE)
def test_an_interruption_leaves_no_thread_and_no_socket(call, script):
    reached = threading.Event()
    with Peer([*script, tell(reached), ignore]) as peer:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", INTERRUPTED.replace("CALL", call), peer.address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert reached.wait(PATIENCE)
            out, err = process.communicate("now\n", timeout=60)
        finally:
            process.kill()
            process.wait()
    assert err == ""
    assert out.splitlines() == ["interrupted", "['MainThread']", "0"]


# Waiting


@all_kinds
def test_streams_wait_for_ever_by_default(kind):
    with playing([*kind.begin, silence]) as (_, client), _unread(kind), kind.call(client) as stream:
        driver = getattr(stream._source, "_driver", stream._source)
        assert driver._link._socket.gettimeout() is None


SOME = pytest.mark.parametrize("name", ["frames", "progress", "duplex", "websocket"])


@SOME
@pytest.mark.parametrize("option", ["timeout", "deadline"])
def test_an_engine_that_never_answers_is_a_timeout(name, option):
    gone = threading.Event()
    with playing([expect, silence, tell(gone)], [OK]) as (peer, client):
        hasty = client.with_options(**{option: 0.1})
        with pytest.raises(TimedOut, match=rf"within 0\.1 s; with_options\({option}") as caught:
            KINDS[name].call(hasty)
        assert caught.value.endpoint == peer.address
        assert isinstance(caught.value, TimeoutError)
        assert gone.wait(PATIENCE)
        assert client.SystemPing() == "OK"


@all_kinds
def test_a_stream_that_falls_silent_times_out_after_what_came_before(kind):
    gone = threading.Event()
    script = [*kind.begin, send(kind.pieces[0]), silence, tell(gone)]
    with playing(script, timeout=SHORT) as (_, client):
        stream = kind.call(client)
        message = r"within 0\.3 s; with_options\(timeout"
        assert given_before(TimedOut, stream, message) == kind.items[:1]
        assert stream.closed
        assert gone.wait(PATIENCE)
        assert given_before(TimedOut, stream, message) == []


@SOME
def test_a_stream_that_falls_silent_misses_the_deadline_after_what_came_before(name):
    kind, gone = KINDS[name], threading.Event()
    script = [*kind.begin, send(kind.pieces[0]), silence, tell(gone)]
    with playing(script, deadline=SHORT) as (_, client):
        stream = kind.call(client)
        message = r"within 0\.3 s; with_options\(deadline"
        assert given_before(TimedOut, stream, message) == kind.items[:1]
        assert stream.closed
        assert gone.wait(PATIENCE)
        assert given_before(TimedOut, stream, message) == []


def _endless(kind):
    """Return bytes that never make an item, and never the end."""
    if kind.type in (TarStream, RawDuplex):
        return None
    if kind.begin == KINDS["websocket"].begin:
        return message(b"x" * 60_000)
    if kind.end == [LAST_CHUNK]:
        inner = b'"' if kind.type is JsonStream else b"\1\0\0\0\0\1\0\0"
        return chunk(inner + b"x" * 60_000)
    return frame("stdout", b"x" * 60_000)


DRIPPING = {name: kind for name, kind in KINDS.items() if _endless(kind)}


@pytest.mark.parametrize("kind", DRIPPING.values(), ids=DRIPPING)
def test_a_deadline_holds_against_a_drip(kind):
    """Each byte comes within the timeout, but the item is never whole."""
    script = [*kind.begin, drip(_endless(kind), 0.02)]
    with playing(script, timeout=10, deadline=SHORT) as (_, client):
        stream = kind.call(client)
        with pytest.raises(TimedOut, match=r"within 0\.3 s; with_options\(deadline"):
            list(stream)
        assert stream.closed


def test_a_deadline_holds_against_a_head_that_drips():
    script = [expect, drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 5000, 0.02)]
    with playing(script, deadline=SHORT) as (_, client), pytest.raises(TimedOut, match="deadline"):
        client.SystemEvents()


def test_a_deadline_holds_against_a_value_that_drips():
    """Plain calls have a deadline, too."""
    begun = head(200, {"Content-Type": "application/json", "Content-Length": "5000"})
    script = [expect, send(begun), drip(b" " * 5000, 0.02)]
    with playing(script, deadline=SHORT) as (_, client), pytest.raises(TimedOut, match="deadline"):
        client.ContainerList()


def test_a_drip_within_the_timeout_is_no_timeout():
    data = frame("stdout", b"slowly")
    script = [answer(streaming(MULTIPLEXED)), drip(data, 0.05), hang_up]
    with playing(script, timeout=SHORT * 2) as (_, client):
        assert list(client.ContainerLogs("web", stdout=True)) == [("stdout", b"slowly")]


def test_a_deadline_that_is_kept_is_none():
    gone = reply(404, json={"message": "gone"})
    values = [answer(reply(json=[{"Id": "1"}])), answer(gone)]
    kind = KINDS["frames"]
    script = [*kind.begin, send(*kind.pieces), *kind.end]
    with playing(values, script) as (_, client):
        patient = client.with_options(deadline=20)
        assert patient.ContainerList()[0].Id == "1"
        assert list(kind.call(patient)) == kind.items
        with pytest.raises(NotFound, match="gone"):
            patient.ContainerInspect("web")


@pytest.mark.parametrize(
    "options", [{}, {"timeout": None}, {"deadline": 0.1}, {"timeout": 0.1}], ids=str
)
@pytest.mark.parametrize("family", ["tcp", "unix"])
def test_connecting_is_bounded_though_reading_is_not(monkeypatch, tmp_path, options, family):
    if options in ({}, {"timeout": None}):
        monkeypatch.setattr("dynadock.transport.sending.CONNECT_TIMEOUT", 0.1)
    tcp = family == "tcp"
    path = str(tmp_path / "busy.sock")
    with socket.socket(socket.AF_INET if tcp else socket.AF_UNIX) as listener:
        listener.bind(("127.0.0.1", 0) if tcp else path)
        address = f"tcp://127.0.0.1:{listener.getsockname()[1]}" if tcp else f"unix://{path}"
        client = load("1.42", host=address, **options)
        with busy(listener), pytest.raises(TimedOut, match="no connection in time") as caught:
            client.SystemEvents()
    assert caught.value.endpoint == address


def test_no_engine_is_the_same_error_as_of_calls(tmp_path):
    path = tmp_path / "none.sock"
    with load("1.42", host=f"unix://{path}") as client, pytest.raises(SocketMissing) as missing:
        client.SystemEvents()
    assert str(path) in str(missing.value)
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))
    with load("1.42", host=f"unix://{path}") as client, pytest.raises(ConnectionRefused):
        client.ContainerAttach("web")


# Broken before it begins


HEADS = {
    "before the reply": b"",
    "in the status line": b"HTTP/1.1 2",
    "after the status line": b"HTTP/1.1 200 OK\r\n",
    "in a header": b"HTTP/1.1 200 OK\r\nContent-Ty",
    "before the blank line": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
    "in the blank line": b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r",
    "after an interim head": b"HTTP/1.1 100 Continue\r\n\r\n",
}


@pytest.mark.parametrize("kind", ["unix", "tcp"])
@pytest.mark.parametrize("data", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("name", ["frames", "duplex", "websocket"])
def test_an_end_before_the_stream_begins(kind, data, name):
    with playing([expect, send(data), hang_up], [OK], kind=kind) as (peer, client):
        with pytest.raises(ConnectionLost) as caught:
            KINDS[name].call(client)
        assert caught.value.endpoint == peer.address
        assert peer.address in str(caught.value)
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize("data", HEADS.values(), ids=HEADS)
def test_a_reset_before_the_stream_begins(data):
    with playing([expect, send(data), reset], [OK], kind="tcp") as (peer, client):
        with pytest.raises(ConnectionLost) as caught:
            client.SystemEvents()
        assert caught.value.endpoint == peer.address
        assert client.SystemPing() == "OK"


def test_no_exception_is_its_own_cause():
    """Following the causes of an error has to end."""
    with playing([expect, hang_up]) as (_, client), pytest.raises(ConnectionLost) as caught:
        client.SystemEvents()
    seen = []
    error = caught.value
    while error is not None:
        assert not any(error is each for each in seen)
        seen.append(error)
        error = error.__cause__


NO_HTTP = {
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "nothing but lines": b"\r\n\r\n\r\n\r\n",
    "a frame": frame("stdout", b"hello"),
    "a status that is none": b"HTTP/1.1 abc OK\r\n\r\n",
    "a version that is none": b"HTTQ/1.1 200 OK\r\n\r\n",
    "no header": b"HTTP/1.1 200 OK\r\nwhat is this\r\n\r\n",
    "endless headers": b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * 40_000 + b"\r\n",
    "a header without an end": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 300_000,
    "two lengths": head(200, {"Content-Length": "5, 6"}) + b"hello",
    "an unknown coding": head(200, {"Transfer-Encoding": "gzip, chunked"}) + b"hello",
}


@pytest.mark.parametrize("data", NO_HTTP.values(), ids=NO_HTTP)
def test_what_is_no_http_is_malformed(data):
    def until_refused(connection):
        with contextlib.suppress(ConnectionError):
            connection.sock.sendall(data)
        connection.sock.close()

    with playing([expect, until_refused], [OK]) as (peer, client):
        with pytest.raises(MalformedStream) as caught:
            client.SystemEvents()
        assert caught.value.endpoint == peer.address
        assert client.SystemPing() == "OK"


NO_CHUNKS = {
    "a size that is none": b"zz\r\n",
    "a size below zero": b"-1\r\n\r\n",
    "a size without an end": b"1" * 21,
    "a chunk without its end": b"2\r\n{}!!",
    "a chunk that is longer than it says": b"1\r\n{}\r\n",
}


@pytest.mark.parametrize("data", NO_CHUNKS.values(), ids=NO_CHUNKS)
@pytest.mark.parametrize("with_head", [True, False])
def test_broken_chunks_are_malformed_after_what_came_before(data, with_head):
    good = chunk(b'{"a": 1}')
    begun = [head(200, CHUNKED) + good + data] if with_head else [head(200, CHUNKED), good, data]
    with playing([answer(*begun), silence]) as (peer, client):
        stream = client.SystemEvents()
        assert given_before(MalformedStream, stream, f"{peer.address}.*chunk")[:1] == [{"a": 1}]
        assert stream.closed


# What is no stream after all


REFUSALS = {
    "with a length": reply(404, json={"message": "no such thing: web"}),
    "in chunks": chunked(b'{"message": "no such ', b'thing: web"}', status=404),
    "up to the end": head(404, {"Content-Type": "application/json"})
    + b'{"message": "no such thing: web"}',
    "as text": reply(404, text="no such thing: web\n"),
}


@all_kinds
@pytest.mark.parametrize("data", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("first", [True, False], ids=["the first call", "a later call"])
def test_a_refusal_is_an_error_with_the_engines_message(kind, data, first):
    scripts = [[answer(*in_pieces(data, 50)), hang_up]]
    if not first:
        scripts.insert(0, [OK])
    with playing(*scripts) as (_, client):
        if not first:
            client.SystemPing()
        with pytest.raises(NotFound, match="no such thing: web") as caught:
            kind.call(client)
        assert caught.value.explanation == "no such thing: web"
        assert caught.value.status == 404
        assert b"no such thing: web" in caught.value.body


@pytest.mark.parametrize(
    ("status", "error"), [(409, Conflict), (500, ServerError), (301, APIError)], ids=str
)
@all_kinds
def test_other_refusals(kind, status, error):
    data = reply(status, json={"message": "not now"}, headers={"Location": "/elsewhere"})
    with playing([answer(data)], [OK]) as (_, client):
        with pytest.raises(error) as caught:
            kind.call(client)
        assert caught.value.status == status
        assert caught.value.operation_id in str(caught.value)
        assert client.SystemPing() == "OK"


def test_a_refusal_is_bounded_by_the_timeout():
    begun = head(404, {"Content-Length": "50"})
    script = [answer(begun + b"no such"), silence]
    with playing(script, timeout=SHORT) as (_, client), pytest.raises(TimedOut):
        client.SystemEvents()


def test_a_refusal_that_is_cut_is_lost():
    begun = head(404, {"Content-Length": "50"})
    script = [answer(begun + b"no such"), hang_up]
    with playing(script) as (_, client), pytest.raises(TruncatedStream):
        client.SystemEvents()


@all_kinds
def test_no_content_is_no_stream(kind):
    """Engines answer so where there is nothing to stream; PluginPull's document says so."""
    with playing([answer(reply(204))], [OK]) as (_, client):
        assert kind.call(client) is None
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize("name", ["values", "progress", "frames", "tar"])
@pytest.mark.parametrize("framing", ["length", "chunks", "end"])
def test_an_empty_stream_ends_at_once(name, framing):
    kind = KINDS[name]
    kinds = {"values": "application/json", "progress": "application/json", "frames": MULTIPLEXED}
    named = {"Content-Type": kinds.get(name, "application/x-tar")}
    script = {
        "length": [answer(head(200, {**named, "Content-Length": "0"}))],
        "chunks": [answer(head(200, {**named, "Transfer-Encoding": "chunked"}) + chunk(b""))],
        "end": [answer(head(200, named)), hang_up],
    }[framing]
    with playing(script, [OK]) as (_, client):
        stream = kind.call(client)
        assert type(stream) is kind.type
        assert list(stream) == []
        if isinstance(stream, JsonStream):
            assert stream.wait() is None
        assert client.SystemPing() == "OK"


PAGE = b"<html><body><h1>Welcome to our proxy</h1></body></html>"


@all_kinds
@pytest.mark.parametrize("content_type", ["text/html", "text/html; charset=utf-8"])
def test_a_web_page_is_no_stream(kind, content_type):
    """Some proxy has answered, and not the engine; that must not pass for a result."""
    data = reply(200, PAGE, headers={"Content-Type": content_type})
    with playing([answer(data)], [OK]) as (_, client):
        with pytest.raises(APIError, match="HTML page"):
            kind.call(client)
        assert client.SystemPing() == "OK"


# The engine's version


@all_kinds
def test_an_engine_that_refuses_the_version_is_known_by_its_first_reply(kind):
    refused = reply(400, json={"message": "client version 1.42 is too new. Maximum is 1.41"})
    ping = answer(reply(text="OK", headers={"Api-Version": "1.41"}))
    version = answer(reply(json={"MinAPIVersion": "1.12"}))
    with playing([answer(refused)], [ping, version]) as (_, client):
        with pytest.raises(
            VersionError, match=r"speaks API 1\.12 to 1\.41, this client 1\.42"
        ) as caught:
            kind.call(client)
        assert (caught.value.minimum, caught.value.maximum) == ("1.12", "1.41")
        assert caught.value.status == 400


@pytest.mark.parametrize("name", ["values", "progress", "frames", "tar"])
def test_an_engine_that_answers_at_a_version_that_it_does_not_speak(name):
    """Podman does so. The stream is closed, as no caller gets it."""
    kind, gone = KINDS[name], threading.Event()
    fields = {**CHUNKED, "Api-Version": "1.41"}
    ping = answer(reply(text="OK", headers={"Api-Version": "1.41"}))
    version = answer(reply(json={"MinAPIVersion": "1.12"}))
    script = [answer(head(200, fields) + kind.pieces[0]), silence, tell(gone)]
    with playing(script, [ping, version]) as (_, client):
        with pytest.raises(VersionError, match="it answered anyway"):
            kind.call(client)
        assert gone.wait(PATIENCE)


def test_a_bad_request_of_an_engine_that_speaks_the_version_is_itself():
    refused = reply(400, json={"message": "bad parameter"}, headers={"Api-Version": "1.44"})
    ping = answer(reply(text="OK", headers={"Api-Version": "1.44"}))
    version = answer(reply(json={"MinAPIVersion": "1.12"}))
    with playing([answer(refused)], [ping, version]) as (_, client):
        with pytest.raises(APIError, match="bad parameter") as caught:
            client.ContainerLogs("web", stdout=True)
        assert not isinstance(caught.value, VersionError)


# Options


def test_options_are_sent_with_streams():
    kind = KINDS["frames"]
    script = [*kind.begin, send(*kind.pieces), *kind.end]
    with playing(script) as (peer, client):
        asking = client.with_options(headers={"X-Trace": "17"}, query={"new": [1, 2]})
        assert list(kind.call(asking)) == kind.items
    (seen,) = peer.requests
    assert seen.header("X-Trace") == "17"
    assert seen.target == "/v1.42/containers/web/logs?stdout=true&new=1&new=2"
    assert seen.header("Host") == "localhost"
    assert seen.header("User-Agent").startswith("dynadock/")
    assert seen.header("Content-Length") is None
    assert seen.header("Accept-Encoding") in (None, "identity")


SECRET = "c2VjcmV0IQ"

FAILING = {
    "a refusal": [answer(reply(404, json={"message": "nothing"}))],
    "a lost connection": [expect, hang_up],
    "no HTTP": [expect, send(b"SSH-2.0\r\n"), hang_up],
    "an error inside": [answer(chunked(b'{"error": "no space"}'))],
    "a broken stream": [answer(head(200, CHUNKED) + chunk(b'{"a"')), hang_up],
    "silence": [expect, silence],
}


@pytest.mark.parametrize("script", FAILING.values(), ids=FAILING)
def test_secrets_are_in_no_message(script):
    """Neither headers nor credentials among the arguments are shown."""
    headers = {"Authorization": f"Bearer {SECRET}"}
    with playing(script, timeout=SHORT * 2) as (peer, client):
        telling = client.with_options(headers=headers)
        with pytest.raises((APIError, OSError)) as caught:
            telling.ImageCreate(fromImage="a", X_Registry_Auth={"password": SECRET}).wait()
        assert SECRET in peer.requests[0].header("Authorization")
        error = caught.value
        while error is not None:
            told = [
                str(error),
                repr(error),
                *getattr(error, "__notes__", []),
                *map(repr, error.args),
            ]
            assert not any(SECRET in text for text in told)
            error = error.__cause__ if error.__cause__ is not error else None


def test_a_repr_of_a_stream_names_it_and_shows_no_data():
    with playing([answer(head(200, CHUNKED)), silence]) as (_, client):
        telling = client.with_options(headers={"Authorization": SECRET})
        with telling.SystemEvents() as events:
            assert repr(events) == "<JsonStream of SystemEvents (API 1.42), open>"


# Waiting for more than one


def test_select_reports_when_there_is_something_to_read():
    go_on = [threading.Event(), threading.Event()]
    scripts = [
        [*KINDS["frames"].begin, wait(each), send(*KINDS["frames"].pieces), LAST_CHUNK]
        for each in go_on
    ]
    with playing(*scripts) as (_, client), contextlib.ExitStack() as streams:
        logs = [streams.enter_context(KINDS["frames"].call(client)) for _ in go_on]
        assert select.select(logs, [], [], 0) == ([], [], [])
        go_on[1].set()
        assert select.select(logs, [], [], PATIENCE)[0] == [logs[1]]
        assert list(logs[1]) == FRAMES
        go_on[0].set()
        assert select.select(logs[:1], [], [], PATIENCE)[0] == logs[:1]
        assert list(logs[0]) == FRAMES
