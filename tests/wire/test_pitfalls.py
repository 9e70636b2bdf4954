"""Nine ways in which clients of the Engine API get streams wrong, each held here by its number."""

from __future__ import annotations

import gc
import socket
import threading

import pytest

from dynadock import Line, MalformedStream, StreamError, TimedOut, TruncatedStream, load
from dynadock.bound import time_allowed
from dynadock.call.bind import bind
from dynadock.options import DEFAULT_TIMEOUT, Options
from dynadock.spec.loader import load_spec
from wire.peer import (
    BEGINNINGS,
    MULTIPLEXED,
    OK,
    PATIENCE,
    RAW,
    answer,
    chunk,
    chunked,
    close_frame,
    expect,
    expect_input,
    expect_rest,
    frame,
    given_before,
    hang_up,
    head,
    in_pieces,
    logs,
    message,
    playing,
    reply,
    send,
    shake_hands,
    silence,
    streaming,
    switching,
    tell,
    wait,
)

FIRST = frame("stdout", b"FIRST")
ERROR = frame("stderr", b"ERROR")
SECOND = frame("stdout", b"SECOND")
ALL = [("stdout", b"FIRST"), ("stderr", b"ERROR"), ("stdout", b"SECOND")]

TAKING_OVER = {
    "attach": lambda client: client.ContainerAttach("web", stream=True, stdin=True, stdout=True),
    "exec": lambda client: client.ExecStart("e1"),
}


@pytest.mark.parametrize("begin", BEGINNINGS.values(), ids=BEGINNINGS)
@pytest.mark.parametrize("call", TAKING_OVER.values(), ids=TAKING_OVER)
def test_pitfall_1_first_bytes_behind_the_head_are_not_lost(call, begin):
    """Head and frames in one packet; clients that read beneath a buffer lose what is in it."""
    script = [answer(begin + FIRST + ERROR, SECOND), hang_up]
    with playing(script, script, script) as (_, client):
        assert list(call(client)) == ALL
        assert call(client).collect() == (b"FIRSTSECOND", b"ERROR")
        assert call(client).text() == "FIRSTERRORSECOND"


def test_pitfall_1_first_bytes_behind_the_head_are_not_lost_raw_or_in_a_websocket():
    first, second = message(b"FIRST"), message(b"SECOND") + close_frame()
    scripts = [
        [answer(switching(None) + b"FIRST", b"SECOND"), hang_up],
        [answer(switching() + FIRST, SECOND), hang_up],
        [shake_hands(first, second), hang_up],
    ]
    with playing(*scripts) as (_, client):
        assert client.Session().read() == b"FIRSTSECOND"
        assert client.ContainerAttach.raw("web").read() == FIRST + SECOND
        data = [each.data for each in client.ContainerAttachWebsocket("web")]
        assert data == [b"FIRST", b"SECOND"]


@pytest.mark.parametrize("begin", BEGINNINGS.values(), ids=BEGINNINGS)
def test_pitfall_1_the_bytes_behind_an_upgrade_are_no_reply_to_the_next_call(begin):
    """A pool takes a 101 for an empty reply, and what follows it for the next one."""
    gone = threading.Event()
    script = [answer(begin + FIRST), silence, tell(gone)]
    with playing(script, [OK, OK]) as (peer, client):
        with TAKING_OVER["exec"](client) as duplex:
            assert next(duplex) == ALL[0]
        assert gone.wait(PATIENCE)
        assert client.SystemPing() == "OK"
        assert client.SystemPing() == "OK"
    assert peer.connections == 2


@pytest.mark.parametrize("begin", BEGINNINGS.values(), ids=BEGINNINGS)
def test_pitfall_2_headers_may_be_split_anywhere(begin):
    """A header is whole when its eight bytes have come, however long that takes."""
    data = FIRST + ERROR + SECOND
    with playing([answer(begin, *in_pieces(data, 1)), hang_up]) as (_, client):
        assert list(TAKING_OVER["attach"](client)) == ALL
    cuts = range(1, len(data))
    scripts = [[answer(begin + data[:cut], data[cut:]), hang_up] for cut in cuts]
    with playing(*scripts) as (_, client):
        for cut in cuts:
            assert list(TAKING_OVER["attach"](client)) == ALL, cut


@pytest.mark.parametrize("size", range(1, len(SECOND)))
def test_pitfall_2_an_end_inside_a_frame_is_never_quiet(size):
    script = [answer(switching() + FIRST + ERROR + SECOND[:size]), hang_up]
    with playing(script, script) as (_, client):
        assert given_before(TruncatedStream, TAKING_OVER["exec"](client)) == ALL[:2]
        with pytest.raises(TruncatedStream):
            TAKING_OVER["exec"](client).collect()


TTY = {"terminal": (True, b"$ ls\r\n"), "no terminal": (False, FIRST)}


@pytest.mark.parametrize("content_type", [RAW, None])
@pytest.mark.parametrize(("tty", "data"), TTY.values(), ids=TTY)
@pytest.mark.parametrize("version", ["1.25", "1.41", "1.42", "1.44"])
def test_pitfall_3_a_raw_stream_proves_nothing_at_any_version(version, tty, data, content_type):
    """The container's own Tty decides, asked for once; never a guess at bytes."""
    question = [answer(reply(json={"Config": {"Tty": tty}}))]
    script = [answer(streaming(content_type) + data), hang_up]
    with playing(script, question, version=version) as (peer, client):
        expected = [("console", data)] if tty else ALL[:1]
        assert list(logs(client)) == expected
    assert [each.target for each in peer.requests[1:]] == [f"/v{version}/containers/web/json"]


def test_pitfall_3_a_multiplexed_stream_is_sure_and_the_caller_may_state_the_tty():
    scripts = [
        [answer(streaming(MULTIPLEXED) + FIRST), hang_up],
        [answer(streaming(RAW) + FIRST), hang_up],
        [answer(streaming(RAW) + FIRST), hang_up],
    ]
    with playing(*scripts) as (peer, client):
        assert list(logs(client)) == ALL[:1]
        assert list(logs(client.with_options(tty=False))) == ALL[:1]
        # No frame's header is printed as a log's text, nor the other way round.
        assert list(logs(client.with_options(tty=True))) == [("console", FIRST)]
    assert peer.connections == 3


def test_pitfall_3_a_terminals_output_read_as_frames_names_the_way_out():
    script = [answer(streaming(RAW) + b"root@web:/# "), hang_up]
    told = pytest.raises(MalformedStream, match=r"with_options\(tty=True\)")
    with playing(script, tty=False) as (_, client), told:
        list(logs(client))


FRAMINGS = {
    "until the end": (streaming(MULTIPLEXED), lambda data: data),
    "in chunks": (
        head(200, {"Content-Type": MULTIPLEXED, "Transfer-Encoding": "chunked"}),
        chunk,
    ),
    "upgraded": (switching(), lambda data: data),
}


@pytest.mark.parametrize(("begin", "encode"), FRAMINGS.values(), ids=FRAMINGS)
def test_pitfall_4_what_has_come_is_given_before_the_end(begin, encode):
    """The engine sends the second only when the first has been read."""
    steps = [threading.Event() for _ in ALL]
    script = [answer(begin)]
    for step, data in zip(steps, (FIRST, ERROR, SECOND), strict=True):
        script += [wait(step), send(encode(data))]
    script = [*script, silence]
    with playing(script, timeout=20) as (_, client), TAKING_OVER["attach"](client) as duplex:
        frames = iter(duplex)
        for step, expected in zip(steps, ALL, strict=True):
            step.set()
            assert next(frames) == expected


def test_pitfall_4_values_bytes_and_lines_are_given_before_the_end():
    """An unfinished line waits for its end; whole lines come at once."""
    json_head = head(200, {"Content-Type": "application/json"})
    scripts = [
        [answer(json_head + b'{"a": 1}{"b"'), silence],
        [answer(streaming("application/x-tar") + b"bytes"), silence],
        [answer(streaming(MULTIPLEXED) + frame("stdout", b"whole\nunfinished")), silence],
        [answer(switching(None) + b"bytes"), silence],
    ]
    with playing(*scripts, timeout=20) as (_, client):
        with client.SystemEvents() as events:
            assert next(events) == {"a": 1}
        with client.ImageGet("a") as download:
            assert download.read1(100) == b"bytes"
        with logs(client, follow=True) as log:
            assert next(log.lines()) == Line("stdout", "whole")
        with client.Session() as session:
            assert session.read1(100) == b"bytes"


@pytest.mark.parametrize("kind", ["unix", "tcp"])
@pytest.mark.parametrize("begin", BEGINNINGS.values(), ids=BEGINNINGS)
@pytest.mark.parametrize("call", TAKING_OVER.values(), ids=TAKING_OVER)
def test_pitfall_5_half_a_close_is_seen_and_output_still_arrives(call, begin, kind):
    """A command that sorts its input answers only after the input's end."""
    script = [answer(begin), expect_rest(b"b\na\n"), send(frame("stdout", b"a\nb\n")), hang_up]
    with playing(script, script, kind=kind) as (_, client):
        duplex = call(client)
        duplex.write(b"b\na\n")
        duplex.close_stdin()
        assert duplex.text() == "a\nb\n"
        assert call(client).communicate(b"b\na\n").stdout == b"a\nb\n"


@pytest.mark.parametrize("begin", BEGINNINGS.values(), ids=BEGINNINGS)
@pytest.mark.parametrize("call", TAKING_OVER.values(), ids=TAKING_OVER)
@pytest.mark.parametrize("version", ["1.25", "1.41", "1.42", "1.44"])
def test_pitfall_6_both_statuses_take_the_connection_over(version, call, begin):
    """No document lists 101 for ExecStart, and engines answer it all the same."""
    script = [answer(begin), expect_input(b"?"), send(SECOND), hang_up]
    with playing(script, version=version) as (peer, client), call(client) as duplex:
        duplex.write(b"?")
        assert list(duplex) == ALL[2:]
    (seen,) = peer.requests
    assert (seen.header("Connection"), seen.header("Upgrade")) == ("Upgrade", "tcp")


WITHOUT_END = {
    "SystemEvents": ((), {}),
    "ContainerLogs": (("web",), {"follow": True, "stdout": True}),
    "ServiceLogs": (("web",), {"follow": True, "stdout": True}),
    "TaskLogs": (("web",), {"follow": True, "stdout": True}),
    "ContainerStats": (("web",), {}),
    "ContainerWait": (("web",), {}),
    "ContainerAttach": (("web",), {"stream": True}),
    "ContainerAttachWebsocket": (("web",), {"stream": True}),
    "ExecStart": (("e1",), {}),
    "Session": ((), {}),
    "ImageCreate": ((), {"fromImage": "a"}),
    "ImagePush": (("a",), {}),
    "ImageBuild": ((), {"body": b""}),
    "ImageLoad": ((), {"body": b""}),
}


@pytest.mark.parametrize(("name", "arguments"), WITHOUT_END.items(), ids=WITHOUT_END)
def test_pitfall_7_what_may_take_for_ever_has_no_time_out_of_its_own(name, arguments):
    args, kwargs = arguments
    bound = bind(load_spec("1.42")[name], args, kwargs, Options())
    assert time_allowed(bound, Options()) is None
    # A caller who wants a timeout gets it.
    assert time_allowed(bound, Options(timeout=5)) == 5


def test_pitfall_7_connecting_is_bounded_all_the_same(monkeypatch, tmp_path):
    monkeypatch.setattr("dynadock.transport.sending.CONNECT_TIMEOUT", 0.1)
    path = str(tmp_path / "busy.sock")
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(path)
        listener.listen(0)
        first.connect(path)
        client = load("1.42", host=f"unix://{path}")
        with pytest.raises(TimedOut, match="no connection in time"):
            client.SystemEvents()


@pytest.mark.parametrize("name", ["ContainerStop", "ContainerRestart"])
def test_pitfall_7_stopping_may_take_the_time_that_it_gives(name):
    bound = bind(load_spec("1.42")[name], ("web",), {"t": 300}, Options())
    assert time_allowed(bound, Options()) == DEFAULT_TIMEOUT + 300


def test_pitfall_7_an_idle_time_out_and_a_deadline_are_the_callers():
    scripts = [[answer(streaming(MULTIPLEXED) + FIRST), silence]] * 2
    with playing(*scripts) as (_, client):
        for option in ("timeout", "deadline"):
            log = logs(client.with_options(**{option: 0.3}), follow=True)
            assert given_before(TimedOut, log, option) == ALL[:1]


def test_pitfall_8_held_streams_pin_no_connection_of_calls():
    script = [answer(streaming(MULTIPLEXED) + FIRST), silence]
    with playing(*[script] * 10, [OK] * 10) as (peer, client):
        held = [logs(client, follow=True) for _ in range(10)]
        for log in held:
            assert next(log) == ALL[0]
            assert client.SystemPing() == "OK"
        for log in held:
            log.close()
    assert peer.connections == 11


ABANDONED = {
    "with": lambda log: log.__exit__(None, None, None),
    "close": lambda log: log.close(),
    "broken off": lambda log: next(iter(log)) and log.close(),
}


@pytest.mark.parametrize("leave", ABANDONED.values(), ids=ABANDONED)
def test_pitfall_8_an_abandoned_stream_hangs_up(leave):
    gone = threading.Event()
    with playing([answer(streaming(MULTIPLEXED) + FIRST), silence, tell(gone)], [OK]) as (
        _,
        client,
    ):
        leave(logs(client, follow=True))
        assert gone.wait(PATIENCE)
        assert client.SystemPing() == "OK"


def test_pitfall_8_a_forgotten_stream_hangs_up_and_warns():
    gone = threading.Event()
    with playing([answer(streaming(MULTIPLEXED) + FIRST), silence, tell(gone)]) as (_, client):
        log = logs(client, follow=True)
        assert next(log) == ALL[0]
        with pytest.warns(ResourceWarning, match="left open"):
            del log
        gc.collect()
        assert gone.wait(PATIENCE)


@pytest.mark.parametrize("together", [True, False], ids=["one chunk", "chunks"])
def test_pitfall_9_an_error_after_200_is_raised_after_what_came_before(together):
    values = [b'{"status": "one"}\r\n', b'{"status":', b' "two"}\r\n']
    values += [b'{"errorDetail": {"message": "denied"}, "error": "denied"}\r\n']
    data = chunked(b"".join(values)) if together else chunked(*values)
    with playing([answer(data)], [answer(data)], [answer(data)]) as (_, client):
        expected = [{"status": "one"}, {"status": "two"}]
        assert given_before(StreamError, client.ImagePush("a"), "denied") == expected
        assert given_before(StreamError, client.ImageCreate(fromImage="a"), "denied") == expected
        with pytest.raises(StreamError, match="denied"):
            client.ImageLoad(body=b"").wait()


def test_pitfall_9_a_pull_that_breaks_off_is_no_success():
    begun = head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
    script = [expect, send(begun + chunk(b'{"status": "one"}\r\n')), hang_up]
    with playing(script) as (_, client), pytest.raises(TruncatedStream):
        client.ImageCreate(fromImage="a").wait()
