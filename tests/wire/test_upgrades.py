"""Connections that are taken over: both ways at once, half closed, and ended from either side."""

from __future__ import annotations

import contextlib
import io
import json
import os
import select
import socket
import threading
import time

import pytest

from dynadock import (
    BadRequest,
    ConnectionLost,
    Duplex,
    DynadockError,
    Line,
    RawDuplex,
    StreamClosed,
    StreamError,
    TimedOut,
    TransportError,
    TruncatedStream,
    Unsupported,
)
from wire.peer import (
    BEGINNINGS,
    MULTIPLEXED,
    OK,
    PATIENCE,
    RAW,
    answer,
    echo,
    expect,
    expect_input,
    expect_rest,
    finish_sending,
    frame,
    given_before,
    hang_up,
    head,
    ignore,
    in_pieces,
    pause,
    playing,
    reply,
    reset,
    send,
    silence,
    switching,
    tell,
    until_gone,
    wait,
)

MIB = 1 << 20

CALLS = {
    "attach": lambda client: client.ContainerAttach("web", stream=True, stdin=True, stdout=True),
    "exec": lambda client: client.ExecStart("e1"),
}
both_beginnings = pytest.mark.parametrize("begin", BEGINNINGS.values(), ids=BEGINNINGS)
both_calls = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
both_kinds = pytest.mark.parametrize("kind", ["unix", "tcp"])


def attach(client):
    return client.ContainerAttach("web", stream=True, stdin=True, stdout=True, stderr=True)


def out(data):
    return frame("stdout", data)


# The request


def test_attach_asks_for_an_upgrade():
    with playing([answer(switching()), hang_up]) as (peer, client):
        assert list(attach(client)) == []
    (seen,) = peer.requests
    assert seen.method == "POST"
    assert seen.target == (
        "/v1.42/containers/web/attach?stream=true&stdin=true&stdout=true&stderr=true"
    )
    assert seen.header("Connection") == "Upgrade"
    assert seen.header("Upgrade") == "tcp"
    assert seen.header("Content-Length") == "0"
    assert seen.body == b""


@pytest.mark.parametrize("arguments", [{}, {"Tty": True}, {"Detach": False}], ids=str)
def test_exec_asks_for_an_upgrade(arguments):
    with playing([answer(switching()), hang_up]) as (peer, client):
        assert list(client.ExecStart("e1", **arguments)) == []
    (seen,) = peer.requests
    assert (seen.method, seen.target) == ("POST", "/v1.42/exec/e1/start")
    assert seen.header("Connection") == "Upgrade"
    assert seen.header("Upgrade") == "tcp"
    assert seen.header("Content-Type") == "application/json"
    assert json.loads(seen.body) == arguments


def test_a_session_asks_for_its_own_protocol():
    with playing([answer(switching(None, "h2c")), hang_up]) as (peer, client):
        session = client.Session()
        assert type(session) is RawDuplex
        assert session.read() == b""
    (seen,) = peer.requests
    assert (seen.method, seen.target) == ("POST", "/v1.42/session")
    assert seen.header("Connection") == "Upgrade"
    assert seen.header("Upgrade") == "h2c"


def test_what_is_detached_is_no_stream():
    with playing([answer(reply(200)), OK]) as (peer, client):
        assert client.ExecStart("e1", Detach=True) is None
        assert client.SystemPing() == "OK"
    assert peer.requests[0].header("Upgrade") is None


# Both ways


@both_calls
@both_beginnings
def test_both_statuses_are_a_duplex(call, begin):
    script = [answer(begin), expect_input(b"one"), send(out(b"1")), expect_rest(b""), hang_up]
    with playing(script, [OK]) as (_, client):
        with call(client) as duplex:
            assert type(duplex) is Duplex
            duplex.write(b"one")
            assert next(duplex) == ("stdout", b"1")
            duplex.close_stdin()
            assert list(duplex) == []
        assert client.SystemPing() == "OK"


@both_kinds
@both_beginnings
def test_a_conversation(kind, begin):
    steps = [answer(begin + out(b"hello"))]
    for number in range(50):
        steps += [expect_input(b"%d?" % number), send(out(b"%d!" % number))]
    with playing([*steps, silence], kind=kind) as (_, client), attach(client) as duplex:
        assert next(duplex) == ("stdout", b"hello")
        for number in range(50):
            duplex.write(b"%d?" % number)
            assert next(duplex).data == b"%d!" % number


@both_kinds
@both_beginnings
def test_the_far_side_sees_the_end_of_input_and_its_output_still_arrives(kind, begin):
    """It closes one direction only: the output comes after it."""
    script = [
        answer(begin),
        expect_rest(b"b\na\n"),
        send(out(b"a\n"), out(b"b\n"), frame("stderr", b"sorted\n")),
        hang_up,
    ]
    with playing(script, [OK], kind=kind) as (_, client):
        duplex = attach(client)
        duplex.write(b"b\n")
        duplex.write(b"a\n")
        duplex.close_stdin()
        assert duplex.collect() == (b"a\nb\n", b"sorted\n")
        assert client.SystemPing() == "OK"


@both_kinds
def test_the_end_of_input_may_be_sent_more_than_once(kind):
    """Even when the peer has closed meanwhile; its last output is still there."""
    ended = threading.Event()
    script = [answer(switching()), expect_rest(b"x"), send(out(b"y")), hang_up, tell(ended)]
    with playing(script, kind=kind) as (_, client), attach(client) as duplex:
        duplex.write(b"x")
        duplex.close_stdin()
        duplex.close_stdin()
        assert ended.wait(PATIENCE)
        duplex.close_stdin()
        assert duplex.collect().stdout == b"y"


def test_nothing_is_written_after_the_end_of_input():
    script = [answer(switching()), expect_rest(b"x"), send(out(b"y")), hang_up]
    with playing(script) as (_, client), attach(client) as duplex:
        duplex.write(b"x")
        duplex.close_stdin()
        with pytest.raises((StreamClosed, TransportError)):
            duplex.write(b"more")
        # The output can still be read.
        assert duplex.collect().stdout == b"y"


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview], ids=lambda each: each.__name__)
def test_all_that_holds_bytes_is_written(make):
    data = bytes(range(256))
    script = [answer(switching()), expect_input(data), send(out(data)), hang_up]
    with playing(script) as (_, client), attach(client) as duplex:
        duplex.write(b"")
        duplex.write(make(data))
        assert duplex.collect().stdout == data


@pytest.mark.parametrize("wrong", ["text", 17, None, [1]], ids=str)
def test_nothing_else_is_written(wrong):
    script = [answer(switching()), expect_input(b"x"), hang_up]
    with playing(script) as (_, client), attach(client) as duplex:
        with pytest.raises(TypeError):
            duplex.write(wrong)
        duplex.write(b"x")
        assert list(duplex) == []


def test_one_thread_writes_while_another_reads():
    data = os.urandom(2 * MIB)
    with playing([answer(switching()), echo(out), hang_up]) as (_, client):
        duplex = attach(client)

        def write():
            for piece in in_pieces(data, 10_000):
                duplex.write(piece)
            duplex.close_stdin()

        writer = threading.Thread(target=write)
        writer.start()
        assert b"".join(each.data for each in duplex) == data
        writer.join()


@pytest.mark.parametrize("timeout", [None, 20], ids=["for ever", "timeout"])
def test_closing_ends_a_write_that_waits(timeout):
    """The peer reads nothing; another thread closes."""
    begun = threading.Event()

    def close():
        assert begun.wait(PATIENCE)
        time.sleep(0.05)
        duplex.close()

    with playing([answer(switching()), ignore], timeout=timeout) as (_, client):
        duplex = attach(client)
        closer = threading.Thread(target=close)
        closer.start()
        begun.set()
        with pytest.raises(StreamClosed):
            duplex.write(b"x" * 8 * MIB)
        closer.join()


@pytest.mark.parametrize("option", ["timeout", "deadline"])
def test_a_write_that_nobody_reads_is_a_timeout(option):
    script = [answer(switching()), ignore]
    with playing(script, **{option: 0.3}) as (_, client), attach(client) as duplex:
        with pytest.raises(TimedOut, match=option):
            duplex.write(b"x" * 8 * MIB)
        # How much of it has arrived is unknown, so nothing can follow.
        assert duplex.closed


def test_a_write_takes_as_long_as_the_far_side_reads():
    """A timeout is for each wait, not for all of a long write."""
    data = b"x" * 4 * MIB

    def slowly(connection):
        left = len(data)
        while left:
            left -= len(connection.receive())
            pause(0.02)(connection)

    script = [answer(switching()), slowly, send(out(b"done")), hang_up]
    with playing(script, timeout=0.6) as (_, client), attach(client) as duplex:
        duplex.write(data)
        assert duplex.collect().stdout == b"done"


@both_kinds
def test_writing_to_a_closed_peer_is_an_error_and_reading_goes_on(kind):
    gone = threading.Event()
    script = [answer(switching() + out(b"last words")), hang_up, tell(gone)]
    with playing(script, kind=kind) as (peer, client), attach(client) as duplex:
        assert gone.wait(PATIENCE)
        with pytest.raises(ConnectionLost, match=peer.address):
            duplex.write(b"x" * 8 * MIB)
        # Over tcp the reset that the writing brought about may overtake them.
        if kind == "unix":
            assert duplex.collect().stdout == b"last words"


def test_nothing_is_written_after_the_end():
    with playing([answer(switching()), hang_up]) as (_, client):
        duplex = attach(client)
        assert list(duplex) == []
        for action in (lambda: duplex.write(b"x"), duplex.close_stdin):
            with pytest.raises(StreamClosed, match="at its end"):
                action()


def test_select_reports_when_there_is_something_to_read():
    go_on = threading.Event()
    script = [answer(switching()), wait(go_on), send(out(b"now")), hang_up]
    with playing(script) as (_, client), attach(client) as duplex:
        assert select.select([duplex], [duplex], [], 0) == ([], [duplex], [])
        go_on.set()
        assert select.select([duplex], [], [], PATIENCE)[0] == [duplex]
        assert list(duplex) == [("stdout", b"now")]


# Terminals


def test_a_terminal():
    script = [
        answer(switching(RAW) + b"$ "),
        expect_input(b"ls\r"),
        send(b"ls\r\nfile\r\n"),
        expect_input(b"\x04"),
        send(b"exit\r\n"),
        hang_up,
    ]
    with playing(script, tty=True) as (_, client), attach(client) as duplex:
        assert duplex.is_terminal
        assert next(duplex) == ("console", b"$ ")
        duplex.write(b"ls\r")
        lines = duplex.lines()
        assert next(lines) == Line("console", "ls")
        assert next(lines) == Line("console", "file")
        duplex.write(b"\x04")
        assert list(lines) == [Line("console", "exit")]


RESIZES = {
    "attach": (CALLS["attach"], "/v1.42/containers/web/resize?h=40&w=120"),
    "exec": (CALLS["exec"], "/v1.42/exec/e1/resize?h=40&w=120"),
}


@pytest.mark.parametrize(("call", "target"), RESIZES.values(), ids=RESIZES)
def test_resizing_is_another_call(call, target):
    resized = threading.Event()
    script = [answer(switching()), wait(resized), send(out(b"wide")), hang_up]
    with playing(script, [answer(reply(200)), OK]) as (peer, client), call(client) as duplex:
        assert duplex.resize(40, 120) is None
        resized.set()
        assert duplex.collect().stdout == b"wide"
        assert client.SystemPing() == "OK"
    assert [(each.method, each.target) for each in peer.requests[1:2]] == [("POST", target)]


def test_resizing_by_name():
    scripts = [[answer(switching()), silence], [answer(reply(200))]]
    with playing(*scripts) as (peer, client), attach(client) as duplex:
        duplex.resize(width=80, height=25)
    assert peer.requests[1].target.endswith("/resize?h=25&w=80")


def test_resizing_what_has_no_terminal_raises_what_the_engine_says():
    refusal = reply(400, json={"message": "no terminal"})
    scripts = [[answer(switching()), silence], [answer(refusal)]]
    with playing(*scripts) as (_, client), attach(client) as duplex:
        with pytest.raises(BadRequest, match="no terminal"):
            duplex.resize(40, 120)
        assert not duplex.closed


def test_resizing_has_a_time_of_its_own():
    """The deadline of a call is that of its stream."""
    scripts = [[answer(switching()), silence], [answer(reply(200))]]
    with playing(*scripts, deadline=20) as (_, client), attach(client) as duplex:
        duplex.resize(40, 120)


def test_what_has_no_size_says_so():
    with playing([answer(switching(None)), hang_up]) as (_, client), client.Session() as session:
        assert not hasattr(session, "resize")


# Input and output at once


def _large():
    return os.urandom(8 * MIB)


INPUTS = {
    "bytes": lambda data: data,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "list": lambda data: in_pieces(data, 1_000_000),
    "iterator": lambda data: iter(in_pieces(data, 70_000)),
    "file": io.BytesIO,
}


@pytest.mark.parametrize("make", INPUTS.values(), ids=INPUTS)
@both_kinds
def test_communicating_with_a_peer_that_echoes(make, kind):
    data = _large()
    with playing([answer(switching()), echo(out), hang_up], [OK], kind=kind) as (_, client):
        result = attach(client).communicate(make(data))
        assert result.stdout == data
        assert result.stderr == b""
        assert client.SystemPing() == "OK"


@both_beginnings
@pytest.mark.parametrize("data", [b"", iter(()), io.BytesIO()], ids=["bytes", "iterator", "file"])
def test_communicating_without_input_sends_its_end(begin, data):
    script = [answer(begin), expect_rest(b""), send(out(b"done")), hang_up]
    with playing(script) as (_, client):
        assert attach(client).communicate(data) == (b"done", b"")


def test_communicating_sends_the_end_of_input_by_default():
    script = [answer(switching()), expect_rest(b""), send(out(b"done")), hang_up]
    with playing(script) as (_, client):
        assert attach(client).communicate() == (b"done", b"")


def test_communicating_without_any_input_leaves_it_open():
    script = [answer(switching()), send(out(b"done")), finish_sending, silence]
    with playing(script) as (_, client):
        assert attach(client).communicate(None) == (b"done", b"")


@both_kinds
def test_communicating_with_a_peer_that_never_reads(kind):
    """A command may end without having read its input; what it wrote is whole."""
    data = _large()
    script = [answer(switching()), send(*in_pieces(out(data), MIB)), finish_sending, ignore]
    with playing(script, [OK], kind=kind) as (_, client):
        assert attach(client).communicate(_large()).stdout == data
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize("waits", [True, False], ids=["input to come", "input to send"])
@both_kinds
def test_communicating_with_a_peer_that_hangs_up_on_unread_input(kind, waits):
    """To hang up on what is unread is a reset (Podman 4.3); all of the output has come before."""
    read, ended = threading.Event(), threading.Event()

    def data():
        yield b"x" * 1000 if waits else _large()
        ended.wait(5)

    def some_input(connection):
        connection.peer.wait_for(connection.sock)

    script = [answer(switching()), some_input, send(out(b"true")), wait(read), hang_up]
    with playing(script, [OK], kind=kind) as (_, client):
        duplex = attach(client)
        with letting_go(ended), duplex.sending(data()):
            frames = iter(duplex)
            assert next(frames) == ("stdout", b"true")
            read.set()
            assert list(frames) == []
            ended.set()
        assert client.SystemPing() == "OK"


def test_communicating_with_a_peer_that_reads_half():
    script = [
        answer(switching()),
        expect_input_of(MIB),
        send(out(b"enough")),
        finish_sending,
        ignore,
    ]
    with playing(script, [OK]) as (_, client):
        assert attach(client).communicate(_large()) == (b"enough", b"")
        assert client.SystemPing() == "OK"


def expect_input_of(size):
    """Take that much of the input and leave the rest."""
    return lambda connection: connection._exactly(size)


def test_communicating_with_a_peer_that_writes_before_it_reads():
    """Neither side may wait for the other to read first."""
    data = _large()
    pieces = in_pieces(out(data), MIB)
    script = [answer(switching()), send(*pieces), expect_rest(data), send(out(b"end")), hang_up]
    with playing(script) as (_, client):
        assert attach(client).communicate(data).stdout == data + b"end"


def test_communicating_with_a_terminal():
    script = [answer(switching(RAW)), expect_rest(b"ls\r"), send(b"file\r\n"), hang_up]
    with playing(script, tty=True) as (_, client):
        assert attach(client).communicate(b"ls\r") == (b"file\r\n", b"")


def test_communicating_takes_the_rest_of_what_was_begun():
    script = [answer(switching() + out(b"1") + out(b"2")), expect_rest(b"xy"), hang_up]
    with playing(script) as (_, client):
        duplex = attach(client)
        assert next(duplex) == ("stdout", b"1")
        duplex.write(b"x")
        assert duplex.communicate(b"y") == (b"2", b"")


class Mine(Exception):
    """Raised by inputs of these tests."""


OWN_ERRORS = {
    "its own": Mine("broken"),
    "an OSError": OSError(5, "Input/output error"),
    "a time-out": TimedOut("mine", "elsewhere"),
    "a lost connection": ConnectionLost("mine", "elsewhere"),
    "another stream's end": TruncatedStream("mine", "elsewhere"),
    "a closed stream": StreamClosed("mine"),
    "a wrong type": TypeError("mine"),
}


@pytest.mark.parametrize("error", OWN_ERRORS.values(), ids=OWN_ERRORS)
@pytest.mark.parametrize("before", [0, 1, 100])
def test_an_inputs_own_exception_comes_out(error, before):
    """The peer must not take half of the input for all of it."""

    def data():
        for _ in range(before):
            yield b"x" * 1000
        raise error

    gone = threading.Event()
    script = [answer(switching()), expect_rest(b"x" * 1000 * before), tell(gone)]
    with playing(script, [OK], deadline=3) as (_, client):
        duplex = attach(client)
        with pytest.raises(type(error)) as caught:
            duplex.communicate(data())
        assert caught.value is error
        assert duplex.closed
        assert gone.wait(PATIENCE)
        assert client.SystemPing() == "OK"


def test_an_input_that_is_no_bytes_is_an_error():
    for data in (["text"], iter([17]), io.StringIO("text")):
        with playing([answer(switching()), silence]) as (_, client), pytest.raises(TypeError):
            attach(client).communicate(data)


def test_an_input_that_is_slow_to_come_does_not_hold_up_the_end():
    """A command that has ended needs no more input, however long that would take."""
    late = threading.Event()
    waited = []

    def data():
        yield b"x"
        waited.append(late.wait(5))
        yield b"y"

    script = [answer(switching()), expect_input(b"x"), send(out(b"done")), hang_up]
    with playing(script) as (_, client), letting_go(late):
        assert attach(client).communicate(data()) == (b"done", b"")
        assert not waited


@contextlib.contextmanager
def letting_go(event):
    """Let an input that waits for the event come to its end when the block ends, and its thread."""
    try:
        yield
    finally:
        event.set()
        for thread in threading.enumerate():
            if thread.name == "dynadock input":
                thread.join(PATIENCE)


def test_an_output_that_breaks_ends_the_input():
    """No thread is left running."""
    script = [answer(switching() + out(b"good") + out(b"cut")[:9]), hang_up]
    with playing(script) as (_, client), pytest.raises(TruncatedStream):
        attach(client).communicate(b"x" * 8 * MIB)


def test_the_engines_error_ends_the_input():
    fault = b"\3\0\0\0\0\0\0\4oops"
    script = [answer(switching() + fault), ignore]
    with playing(script) as (_, client), pytest.raises(StreamError, match="oops"):
        attach(client).communicate(b"x" * 8 * MIB)


@pytest.mark.parametrize("option", ["timeout", "deadline"])
def test_communicating_is_bounded(option):
    script = [answer(switching() + out(b"begun")), ignore]
    with playing(script, **{option: 0.3}) as (_, client), pytest.raises(TimedOut, match=option):
        attach(client).communicate(b"x" * 8 * MIB)


def test_a_deadline_holds_while_both_sides_are_busy():
    flood = until_gone(send(out(b"x" * 1000)), pause(0.01))
    script = [answer(switching()), flood, hang_up]
    with playing(script, deadline=0.3) as (_, client):
        duplex = attach(client)
        with pytest.raises(TimedOut, match="deadline"):
            duplex.communicate(iter(lambda: b"x" * 1000, b""))


def test_sending_while_a_loop_reads():
    data = _large()
    with playing([answer(switching()), echo(out), hang_up]) as (_, client):
        duplex = attach(client)
        size = 0
        with duplex.sending(data):
            for each in duplex:
                assert each.data == data[size : size + len(each.data)]
                size += len(each.data)
        assert size == len(data)
        assert duplex.closed


def test_sending_ends_with_its_block():
    with playing([answer(switching() + out(b"1")), ignore]) as (_, client):
        duplex = attach(client)
        with duplex.sending(iter(lambda: b"x" * 65536, b"")):
            assert next(duplex) == ("stdout", b"1")
        assert duplex.closed


def test_an_exception_in_the_block_comes_out():
    with playing([answer(switching()), ignore]) as (_, client):
        duplex = attach(client)
        with pytest.raises(Mine), duplex.sending(b"x" * 8 * MIB):
            raise Mine
        assert duplex.closed


def test_sending_nothing_leaves_the_input_open():
    script = [answer(switching()), expect_input(b"later"), send(out(b"ok")), hang_up]
    with playing(script) as (_, client):
        duplex = attach(client)
        with duplex.sending(None):
            duplex.write(b"later")
            assert list(duplex) == [("stdout", b"ok")]
        assert duplex.closed


def test_many_at_once():
    data = os.urandom(MIB)
    script = [answer(switching()), echo(out), hang_up]
    results = []
    with playing(*[script] * 8) as (_, client):
        threads = [
            threading.Thread(target=lambda: results.append(attach(client).communicate(data).stdout))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == [data] * 8


# Raw


def test_a_session_is_raw_both_ways():
    data = bytes(range(256)) * 1000
    script = [
        answer(switching(None, "h2c") + b"\0\0\0\4"),
        expect_input(b"PRI * HTTP/2.0"),
        send(*in_pieces(data, 9999)),
        expect_rest(b"bye"),
        send(b"end"),
        hang_up,
    ]
    with playing(script, [OK]) as (_, client):
        with client.Session() as session:
            assert session.read(4) == b"\0\0\0\4"
            session.write(b"PRI * HTTP/2.0")
            assert session.read(len(data)) == data
            session.write(b"bye")
            session.close_stdin()
            assert session.read1() in (b"e", b"en", b"end")
            assert b"end".endswith(session.read())
        assert client.SystemPing() == "OK"


def test_every_split_of_a_session():
    data = switching(None, "h2c") + b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"
    cuts = range(1, len(data))
    scripts = [[answer(data[:cut], data[cut:]), hang_up] for cut in cuts]
    with playing(*scripts) as (_, client):
        for cut in cuts:
            assert client.Session().read() == b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", cut


def test_a_sessions_length_is_none():
    """After 101 everything is the other protocol's, whatever the head says."""
    begin = head(101, {"Upgrade": "h2c", "Connection": "Upgrade", "Content-Length": "3"})
    with playing([answer(begin + b"abcdef"), hang_up]) as (_, client):
        assert client.Session().read() == b"abcdef"


def test_a_session_serves_as_a_file():
    with playing([answer(switching(None) + b"one\ntwo\n"), hang_up]) as (_, client):
        file = io.BytesIO()
        assert client.Session().copy_to(file) == 8
        assert file.getvalue() == b"one\ntwo\n"


def test_a_session_that_is_reset():
    with playing([answer(switching(None) + b"x", b""), reset], kind="tcp") as (_, client):
        assert b"".join(given_before(ConnectionLost, client.Session())) in (b"", b"x")


# Replies that are framed after all


def test_a_reply_that_comes_in_chunks():
    """A proxy that knows no upgrades may answer so; output can be read all the same."""
    begin = head(200, {"Content-Type": MULTIPLEXED, "Transfer-Encoding": "chunked"})
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(out(b"hi")), out(b"hi"))
    with playing([answer(begin + body)], [OK]) as (_, client):
        assert attach(client).collect() == (b"hi", b"")
        assert client.SystemPing() == "OK"


def test_tcp_keystrokes_do_not_wait_for_each_other():
    script = [answer(switching()), silence]
    with playing(script, kind="tcp") as (_, client), attach(client) as duplex:
        sock = duplex._source._link._socket
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_websockets_way_out_is_named():
    """An error for an unavailable feature names what is available."""
    script = [expect, send(switching()), hang_up]
    with playing(script) as (_, client), pytest.raises((DynadockError, Unsupported)):
        client.ContainerAttachWebsocket("web")
