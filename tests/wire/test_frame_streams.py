"""Output of containers: frames however they are cut, and whether there are any at all."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from dynadock import (
    APIError,
    ConnectionLost,
    Duplex,
    DynadockError,
    FrameStream,
    Line,
    MalformedStream,
    NotFound,
    Output,
    StreamError,
    TimedOut,
    TruncatedStream,
)
from dynadock.wire.frames import LARGEST_PIECE
from wire.peer import (
    MULTIPLEXED,
    OK,
    RAW,
    answer,
    chunk,
    expect,
    frame,
    given_before,
    hang_up,
    head,
    in_pieces,
    logs,
    playing,
    reply,
    reset,
    send,
    send_until_gone,
    silence,
    streaming,
    switching,
)

FRAMES = [
    ("stdout", b"one\n"),
    ("stderr", b"tw"),
    ("stdout", b""),
    ("stderr", b"o\n"),
    ("stdin", b"three"),
    ("stdout", b"\0\1\2\0\0\0\0\xff"),
]
BODY = b"".join(frame(*each) for each in FRAMES)
CHUNKED = head(200, {"Content-Type": MULTIPLEXED, "Transfer-Encoding": "chunked"})


def replaying(data, *, until_end=True):
    """Script a peer that sends frames and hangs up."""
    script = [answer(streaming(MULTIPLEXED), *([data] if isinstance(data, bytes) else data))]
    return [*script, hang_up] if until_end else script


# However they are cut


def test_frames_come_in_order_with_their_channels():
    with playing(replaying(BODY)) as (_, client):
        log = logs(client)
        assert isinstance(log, FrameStream)
        assert not log.is_terminal
        frames = list(log)
    assert frames == FRAMES
    assert [(each.channel, each.data) for each in frames] == FRAMES
    assert all(type(each.data) is bytes for each in frames)


def test_every_split_of_frames_that_the_connections_end_ends():
    data = streaming(MULTIPLEXED) + BODY
    cuts = range(1, len(data))
    with playing(*[[answer(data[:cut], data[cut:]), hang_up] for cut in cuts]) as (_, client):
        for cut in cuts:
            assert list(logs(client)) == FRAMES, cut


def test_every_split_of_frames_after_an_upgrade():
    data = switching() + BODY
    cuts = range(1, len(data))
    with playing(*[[answer(data[:cut], data[cut:]), hang_up] for cut in cuts]) as (_, client):
        for cut in cuts:
            assert list(client.ContainerAttach("web", stream=True)) == FRAMES, cut


def test_every_split_of_frames_in_chunks():
    """Chunks may end inside frames."""
    data = CHUNKED + chunk(BODY[:11]) + chunk(BODY[11:30]) + chunk(BODY[30:]) + chunk(b"")
    cuts = range(1, len(data))
    with playing(*[[answer(data[:cut], data[cut:])] for cut in cuts]) as (_, client):
        for cut in cuts:
            assert list(logs(client)) == FRAMES, cut


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13])
def test_small_writes(size):
    with playing(replaying(in_pieces(BODY, size))) as (_, client):
        assert list(logs(client)) == FRAMES


@pytest.mark.parametrize("size", [1, 3, 8])
def test_small_chunks(size):
    chunks = b"".join(map(chunk, in_pieces(BODY, size)))
    with playing([answer(CHUNKED + chunks + chunk(b""))]) as (_, client):
        assert list(logs(client)) == FRAMES


def _copied(log):
    stdout, stderr = io.BytesIO(), io.BytesIO()
    log.copy_to(stdout, stderr)
    return stdout.getvalue(), stderr.getvalue()


HELPERS = {
    "collect": lambda log: log.collect(),
    "text": lambda log: log.text(errors="replace"),
    "lines": lambda log: list(log.lines()),
    "copy_to": _copied,
}


TEXT = b"".join(data for _, data in FRAMES).decode("utf-8", "replace")
READ: dict[str, Any] = {
    # As with the docker command, frames of stdin go to stdout.
    "collect": Output(b"one\nthree\0\1\2\0\0\0\0\xff", b"two\n"),
    "text": TEXT,
    "lines": [
        Line("stdout", "one"),
        Line("stderr", "two"),
        Line("stdin", "three"),
        Line("stdout", "\0\1\2\0\0\0\0\ufffd"),
    ],
    "copy_to": (b"one\nthree\0\1\2\0\0\0\0\xff", b"two\n"),
}


@pytest.mark.parametrize("name", HELPERS)
def test_the_helpers_at_every_split(name):
    data = streaming(MULTIPLEXED) + BODY
    cuts = range(data.index(BODY), len(data))
    with playing(*[[answer(data[:cut], data[cut:]), hang_up] for cut in cuts]) as (_, client):
        for cut in cuts:
            came = HELPERS[name](logs(client))
            if name == "lines":
                # Unfinished lines come at the end, the channels in any order.
                assert came[:2] == READ[name][:2], cut
                assert sorted(came) == sorted(READ[name]), cut
            else:
                assert came == READ[name], cut


@pytest.mark.parametrize("name", HELPERS)
@pytest.mark.parametrize("taken", [1, 3])
def test_the_helpers_take_what_a_loop_has_left(name, taken):
    left = FRAMES[taken:]
    with playing(replaying(BODY)) as (_, client):
        log = logs(client)
        assert [next(log) for _ in range(taken)] == FRAMES[:taken]
        came = HELPERS[name](log)
        assert log.closed
    if name == "collect":
        stderr = b"".join(data for channel, data in left if channel == "stderr")
        assert came.stderr == stderr
        assert came.stdout == b"".join(data for channel, data in left if channel != "stderr")
    elif name == "text":
        assert came == b"".join(data for _, data in left).decode("utf-8", "replace")
    elif name == "lines":
        assert len(came) == {1: 3, 3: 3}[taken]
    else:
        assert came[1] == b"".join(data for channel, data in left if channel == "stderr")


def test_a_helper_takes_the_rest_of_a_frame_that_had_begun():
    half = len(FRAMES[0][1]) + 8 + 8 + 1
    pieces = [BODY[:half], BODY[half:]]
    with playing(replaying(pieces)) as (_, client):
        log = logs(client)
        assert next(log) == FRAMES[0]
        assert log.collect().stderr == b"two\n"


def test_lines_go_on_when_their_loop_stops():
    body = frame("stdout", b"1\n2\n3") + frame("stdout", b"\n4\n")
    with playing(replaying(body)) as (_, client):
        lines = logs(client).lines()
        for line in lines:
            assert line.text == "1"
            break
        assert [line.text for line in lines] == ["2", "3", "4"]


def test_lines_come_as_soon_as_they_are_whole():
    body = frame("stdout", b"first\nsec")
    script = [*replaying(body, until_end=False), silence]
    with playing(script, timeout=20) as (_, client), logs(client) as log:
        assert next(log.lines()) == Line("stdout", "first")


def test_text_is_decoded_when_it_is_whole():
    body = frame("stdout", "\u20ac".encode()[:1]) + frame("stdout", "\u20ac".encode()[1:])
    scripts = [replaying(each) for each in (body, body, frame("stdout", b"\xff"))]
    with playing(*scripts) as (_, client):
        assert logs(client).text() == "\u20ac"
        assert [line.text for line in logs(client).lines()] == ["\u20ac"]
        with pytest.raises(UnicodeDecodeError):
            logs(client).text(errors="strict")


def test_times_are_taken_apart_on_request():
    stamp = b"2024-02-03T04:05:06.789012345Z "
    body = frame("stdout", stamp + b"one\n") + frame("stderr", stamp + b"two\n")
    with playing(replaying(body), replaying(body), replaying(body)) as (peer, client):
        first, second = logs(client, timestamps=True).lines(timestamps=True)
        assert first == ("stdout", "one", "2024-02-03T04:05:06.789012345Z")
        assert first.time == datetime(2024, 2, 3, 4, 5, 6, 789012, UTC)
        assert (second.channel, second.text) == ("stderr", "two")
        plain = [line.text for line in logs(client, timestamps=True).lines()]
        assert plain == [(stamp + text).decode() for text in (b"one", b"two")]
        assert logs(client).text() == (stamp + b"one\n" + stamp + b"two\n").decode()
    assert [each.target.count("timestamps=true") for each in peer.requests] == [1, 1, 0]


def test_one_file_takes_both_channels_in_order():
    with playing(replaying(BODY)) as (_, client):
        file = io.BytesIO()
        logs(client).copy_to(file)
        assert file.getvalue() == b"".join(data for _, data in FRAMES)


def test_a_file_that_fails_ends_the_stream():
    class Full(io.RawIOBase):
        def write(self, _data):
            raise OSError(28, "No space left on device")

    with playing([*replaying(BODY, until_end=False), silence]) as (_, client):
        log = logs(client)
        with pytest.raises(OSError, match="No space left"):
            log.copy_to(Full())
        assert log.closed


def test_a_large_frame():
    data = bytes(range(256)) * 8192
    pieces = in_pieces(frame("stdout", data) + frame("stderr", b"end"), 100_000)
    scripts = [replaying(pieces) for _ in range(2)]
    with playing(*scripts) as (_, client):
        halves = [("stdout", data[:LARGEST_PIECE]), ("stdout", data[LARGEST_PIECE:])]
        assert list(logs(client)) == [*halves, ("stderr", b"end")]
        assert logs(client).collect() == (data, b"end")


def test_many_small_frames():
    frames = [("stdout" if number % 3 else "stderr", b"%d" % number) for number in range(20_000)]
    body = b"".join(frame(*each) for each in frames)
    with playing(replaying(body), replaying(body)) as (_, client):
        assert list(logs(client)) == frames
        apart = logs(client).collect()
    assert apart.stdout == b"".join(data for channel, data in frames if channel == "stdout")
    assert apart.stderr == b"".join(data for channel, data in frames if channel == "stderr")


def test_an_empty_log():
    scripts = [replaying(b"") for _ in range(4)]
    with playing(*scripts) as (_, client):
        assert list(logs(client)) == []
        assert logs(client).collect() == (b"", b"")
        assert logs(client).text() == ""
        assert list(logs(client).lines()) == []


# Where they end


CUTS = {
    "in a header": (1, "the header of a frame, after 1 of 8 bytes"),
    "before a header's end": (7, "the header of a frame, after 7 of 8 bytes"),
    "before the data": (8, "the data of a frame, after 0 of 5 bytes"),
    "in the data": (12, "the data of a frame, after 4 of 5 bytes"),
}


@pytest.mark.parametrize("begin", [streaming(MULTIPLEXED), switching()], ids=["200", "101"])
@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_an_end_inside_a_frame_is_an_error_after_the_frames_before(cut, begin):
    size, match = cut
    data = begin + frame("stdout", b"good") + frame("stderr", b"cut..")[:size]
    with playing([answer(data), hang_up], [OK]) as (peer, client):
        log = client.ContainerAttach("web", stream=True)
        assert given_before(TruncatedStream, log, f"{peer.address}.*{match}") == [
            ("stdout", b"good")
        ]
        assert log.closed
        assert given_before(TruncatedStream, log) == []
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize("name", HELPERS)
def test_the_helpers_do_not_end_quietly_either(name):
    data = frame("stdout", b"good\n") + frame("stdout", b"cut..")[:11]
    with playing(replaying(data)) as (_, client):
        log = logs(client)
        with pytest.raises(TruncatedStream):
            HELPERS[name](log)
        assert log.closed


def test_lines_before_an_end_inside_a_frame_are_given():
    data = frame("stdout", b"one\ntwo\nthr") + frame("stdout", b"ee\n")[:9]
    with playing(replaying(data)) as (_, client):
        given = given_before(TruncatedStream, logs(client).lines())
        assert [line.text for line in given][:2] == ["one", "two"]


CHUNKS_CUT = {
    "before the last chunk": CHUNKED + chunk(frame("stdout", b"good")),
    "in a chunk": CHUNKED + chunk(frame("stdout", b"good")) + b"ff\r\n",
    "between frames of a chunk": CHUNKED + b"ff\r\n" + frame("stdout", b"good"),
    "in a chunk's size": CHUNKED + chunk(frame("stdout", b"good")) + b"f",
}


@pytest.mark.parametrize("data", CHUNKS_CUT.values(), ids=CHUNKS_CUT)
def test_an_end_before_the_bodys_own_is_an_error_after_the_frames_before(data):
    with playing([answer(data), hang_up]) as (_, client):
        assert given_before(TruncatedStream, logs(client)) == [("stdout", b"good")]


def test_chunks_that_end_inside_a_frame():
    """The body is whole, but its last frame is not."""
    data = CHUNKED + chunk(frame("stdout", b"good") + frame("stdout", b"cut")[:9]) + chunk(b"")
    with playing([answer(data)]) as (_, client):
        assert given_before(TruncatedStream, logs(client)) == [("stdout", b"good")]


@pytest.mark.parametrize("size", [0, 1, 8, 10])
def test_a_reset_is_an_error_after_the_frames_before(size):
    data = switching() + frame("stdout", b"good") + frame("stderr", b"cut..")[:size]
    with playing([answer(data, b""), reset], [OK], kind="tcp") as (peer, client):
        log = client.ContainerAttach("web", stream=True)
        # A reset may overtake what the client has not read yet.
        assert given_before(ConnectionLost, log, peer.address) in ([], [("stdout", b"good")])
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize("size", [3, 10])
def test_silence_inside_a_frame_is_a_timeout_after_the_frames_before(size):
    data = frame("stdout", b"good") + frame("stderr", b"cut..")[:size]
    with playing([*replaying(data, until_end=False), silence], timeout=0.3) as (_, client):
        assert given_before(TimedOut, logs(client)) == [("stdout", b"good")]


NO_FRAMES = {
    "text": b"root@web:/# ls\r\n",
    "escapes": b"\x1b[1;31mred\x1b[0m in colour",
    "a channel that there is not": b"\4\0\0\0\0\0\0\1x",
    "padding that is none": b"\1\0\1\0\0\0\0\1x",
    "JSON": b'{"message": "hello"}',
}


@pytest.mark.parametrize("data", NO_FRAMES.values(), ids=NO_FRAMES)
@pytest.mark.parametrize("apart", [True, False], ids=["packets", "packet"])
def test_what_is_no_frame_is_an_error_after_the_frames_before(data, apart):
    good = frame("stdout", b"good")
    pieces = [good, data] if apart else [good + data]
    with playing([*replaying(pieces, until_end=False), silence], [OK], timeout=20) as (
        peer,
        client,
    ):
        log = logs(client)
        match = rf"{peer.address}: no frame .*with_options\(tty=True\)"
        assert given_before(MalformedStream, log, match) == [("stdout", b"good")]
        assert log.closed
        assert given_before(MalformedStream, log) == []
        assert client.SystemPing() == "OK"


@pytest.mark.parametrize("name", HELPERS)
def test_a_terminals_output_read_as_frames_says_what_to_do(name):
    script = [answer(streaming(RAW) + b"root@web:/# "), hang_up]
    with (
        playing(script, tty=False) as (_, client),
        pytest.raises(MalformedStream, match=r"with_options\(tty=True\)"),
    ):
        HELPERS[name](logs(client))


def test_a_terminals_output_that_is_shorter_than_a_header():
    script = [answer(streaming(RAW) + b"$ "), hang_up]
    with (
        playing(script, tty=False) as (_, client),
        pytest.raises((MalformedStream, TruncatedStream)),
    ):
        list(logs(client))


# The engine's own error


FAULT = b"error from daemon in stream: Error grabbing logs: invalid character\n"
FAULT_FRAME = b"\3\0\0\0" + len(FAULT).to_bytes(4, "big") + FAULT


@pytest.mark.parametrize("apart", [True, False], ids=["packets", "packet"])
def test_a_frame_that_reports_an_error_raises_it(apart):
    pieces = [frame("stdout", b"good"), FAULT_FRAME, frame("stdout", b"more")]
    data = pieces if apart else [b"".join(pieces)]

    script = [expect, send_until_gone(streaming(MULTIPLEXED), *data), silence]
    with playing(script, [OK]) as (_, client):
        log = logs(client)
        given = []
        with pytest.raises(StreamError, match="Error grabbing logs") as caught:
            given.extend(log)
        assert given == [("stdout", b"good")]
        assert caught.value.explanation == FAULT.decode().strip()
        assert caught.value.operation_id == "ContainerLogs"
        assert log.closed
        assert given_before(StreamError, log) == []
        assert client.SystemPing() == "OK"


def test_the_errors_value_is_what_carried_it():
    with playing(replaying(FAULT_FRAME)) as (_, client), pytest.raises(StreamError) as caught:
        list(logs(client))
    assert caught.value.value == FAULT


@pytest.mark.parametrize("name", HELPERS)
@pytest.mark.parametrize("size", [1, 6, 500])
def test_the_helpers_raise_the_engines_error_too(name, size):
    data = frame("stdout", b"good\n") + FAULT_FRAME
    script = replaying(in_pieces(data, size))
    with playing(script) as (_, client), pytest.raises(StreamError, match="Error grabbing logs"):
        HELPERS[name](logs(client))


def test_an_error_that_is_cut():
    with playing(replaying(FAULT_FRAME[:20])) as (_, client):
        assert given_before(TruncatedStream, logs(client)) == []


# Terminals


def test_a_terminals_output_has_one_channel():
    pieces = [b"one\r\n", b"two\r\n"]
    scripts = [[answer(streaming(RAW), *pieces), hang_up] for _ in range(5)]
    with playing(*scripts, tty=True) as (_, client):
        log = logs(client)
        assert log.is_terminal
        frames = list(log)
        assert {each.channel for each in frames} == {"console"}
        assert b"".join(each.data for each in frames) == b"one\r\ntwo\r\n"
        assert logs(client).collect() == (b"one\r\ntwo\r\n", b"")
        assert logs(client).text() == "one\r\ntwo\r\n"
        assert list(logs(client).lines()) == [Line("console", "one"), Line("console", "two")]
        assert _copied(logs(client)) == (b"one\r\ntwo\r\n", b"")


def test_a_terminal_may_print_what_looks_like_frames():
    """It is never guessed from bytes."""
    with playing([answer(streaming(RAW) + BODY), hang_up], tty=True) as (_, client):
        assert b"".join(each.data for each in logs(client)) == BODY


class Asked(NamedTuple):
    """An operation whose output may be a terminal's: its call, and what it asks when it must."""

    call: Any
    target: str
    answer: Any


def _nested(path, value):
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


OPERATIONS = {
    "ContainerLogs": Asked(
        lambda client, **more: client.ContainerLogs("web", stdout=True, **more),
        "/v1.42/containers/web/json",
        "Config.Tty",
    ),
    "ContainerAttach": Asked(
        lambda client: client.ContainerAttach("web", stream=True),
        "/v1.42/containers/web/json",
        "Config.Tty",
    ),
    "ExecStart": Asked(
        lambda client: client.ExecStart("e1"), "/v1.42/exec/e1/json", "ProcessConfig.tty"
    ),
    "ServiceLogs": Asked(
        lambda client: client.ServiceLogs("s1", stdout=True),
        "/v1.42/services/s1",
        "Spec.TaskTemplate.ContainerSpec.TTY",
    ),
    "TaskLogs": Asked(
        lambda client: client.TaskLogs("t1", stdout=True),
        "/v1.42/tasks/t1",
        "Spec.ContainerSpec.TTY",
    ),
}
all_operations = pytest.mark.parametrize("asked", OPERATIONS.values(), ids=OPERATIONS)
UNSURE = {
    "raw": streaming(RAW),
    "none": streaming(None),
    "octets": streaming("application/octet-stream"),
}


@all_operations
@pytest.mark.parametrize("begin", UNSURE.values(), ids=UNSURE)
@pytest.mark.parametrize("tty", [True, False])
def test_what_is_not_sure_is_asked_once(asked, begin, tty):
    data = b"raw" if tty else frame("stdout", b"framed")
    question = answer(reply(json=_nested(asked.answer, tty)))
    with playing([answer(begin + data), hang_up], [question]) as (peer, client):
        log = asked.call(client)
        assert log.is_terminal is tty
        assert list(log) == [("console", b"raw") if tty else ("stdout", b"framed")]
    assert [(each.method, each.target) for each in peer.requests[1:]] == [("GET", asked.target)]


@all_operations
def test_multiplexed_is_sure(asked):
    """Whatever the caller says, no operation is asked."""
    script = [answer(streaming(MULTIPLEXED) + frame("stderr", b"framed")), hang_up]
    with playing(script, script, script) as (peer, client):
        for each in (client, client.with_options(tty=True), client.with_options(tty=False)):
            log = asked.call(each)
            assert not log.is_terminal
            assert list(log) == [("stderr", b"framed")]
    assert peer.connections == 3


@pytest.mark.parametrize("parameters", ["; charset=utf-8", ";v=1"])
def test_multiplexed_is_sure_however_it_is_written(parameters):
    begin = streaming(MULTIPLEXED.upper() + parameters)
    with playing([answer(begin + frame("stdout", b"x")), hang_up]) as (_, client):
        assert list(logs(client)) == [("stdout", b"x")]


@all_operations
@pytest.mark.parametrize("begin", UNSURE.values(), ids=UNSURE)
def test_a_terminal_that_the_call_states_is_not_asked_about(asked, begin):
    scripts = [
        [answer(begin + frame("stdout", b"framed")), hang_up],
        [answer(begin + b"raw"), hang_up],
    ]
    with playing(*scripts) as (peer, client):
        assert list(asked.call(client.with_options(tty=False))) == [("stdout", b"framed")]
        assert list(asked.call(client.with_options(tty=True))) == [("console", b"raw")]
    assert peer.connections == 2


@pytest.mark.parametrize("version", ["1.25", "1.41", "1.42", "1.44"])
def test_the_question_is_put_at_the_same_version(version):
    script = [answer(streaming(None) + b"raw"), hang_up]
    question = [answer(reply(json={"Config": {"Tty": True}}))]
    with playing(script, question, version=version) as (peer, client):
        assert list(logs(client)) == [("console", b"raw")]
    assert peer.requests[1].target == f"/v{version}/containers/web/json"


def test_the_question_names_the_container_as_the_call_did():
    script = [answer(streaming(None) + b"raw"), hang_up]
    question = [answer(reply(json={"Config": {"Tty": True}}))]
    name = "my web+\u00e4"
    with playing(script, question) as (peer, client):
        list(client.ContainerLogs(name, stdout=True))
    logged, inspected = (each.target.split("/")[3] for each in peer.requests)
    assert logged == inspected == "my%20web%2B%C3%A4"


def test_what_the_question_leaves_open_is_no_terminal():
    """Podman leaves out fields that are false."""
    for answered in ({}, {"Config": {}}, {"Config": None}, {"Config": {"Tty": None}}):
        script = [answer(streaming(None) + frame("stdout", b"x")), hang_up]
        with playing(script, [answer(reply(json=answered))]) as (_, client):
            assert list(logs(client)) == [("stdout", b"x")]


@pytest.mark.parametrize("value", [None, [], [{"Config": {"Tty": True}}], "x", {"Config": "x"}, 5])
def test_an_answer_that_tells_nothing(value):
    scripts = [[answer(streaming(RAW)), hang_up], [answer(reply(json=value))]]
    expected = (
        r"ContainerInspect: expected a reply with Config.Tty \(bool\), got .*with_options\(tty"
    )
    with playing(*scripts) as (_, client), pytest.raises(DynadockError, match=expected):
        logs(client)


@pytest.mark.parametrize("server", ["Docker/26.1.5 (linux)", "Docker/20.10.24+dfsg1 (linux)"])
@pytest.mark.parametrize("tty", [True, False, None])
def test_dockers_exec_goes_by_its_own_argument(server, tty):
    """Docker frames the output unless ExecStart's own Tty is true, however the exec was made."""
    begin = head(200, {"Content-Type": RAW, "Server": server})
    data = b"raw" if tty else frame("stdout", b"framed")
    arguments = {} if tty is None else {"Tty": tty}
    with playing([answer(begin + data), hang_up]) as (peer, client):
        duplex = client.ExecStart("e1", **arguments)
        assert duplex.is_terminal is bool(tty)
        assert list(duplex) == [("console", b"raw") if tty else ("stdout", b"framed")]
    assert peer.connections == 1


@pytest.mark.parametrize("server", ["Libpod/4.3.1 (linux)", "mydocker/1.0 (Docker)"])
def test_anyone_elses_exec_is_asked_about(server):
    begin = head(200, {"Content-Type": RAW, "Server": server})
    question = [answer(reply(json={"ProcessConfig": {"tty": True}}))]
    with playing([answer(begin + b"raw"), hang_up], question) as (peer, client):
        assert list(client.ExecStart("e1", Tty=False)) == [("console", b"raw")]
    assert peer.requests[1].target == "/v1.42/exec/e1/json"


def test_dockers_logs_and_attach_are_asked_about():
    begin = head(200, {"Content-Type": RAW, "Server": "Docker/26.1.5 (linux)"})
    question = [answer(reply(json={"Config": {"Tty": True}}))]
    with playing([answer(begin + b"raw"), hang_up], question) as (peer, client):
        assert list(logs(client)) == [("console", b"raw")]
    assert peer.connections == 2


def test_the_caller_knows_better_than_dockers_rule():
    begin = head(200, {"Content-Type": RAW, "Server": "Docker/26.1.5 (linux)"})
    with playing([answer(begin + b"raw"), hang_up], tty=True) as (_, client):
        assert list(client.ExecStart("e1", Tty=False)) == [("console", b"raw")]


@all_operations
def test_a_question_that_is_refused_says_why_it_was_put(asked):
    refusal = [answer(reply(404, json={"message": "no such thing"}))]
    with playing([answer(streaming(RAW) + b"raw"), silence], refusal) as (_, client):
        with pytest.raises(NotFound, match="no such thing") as caught:
            asked.call(client)
        (note,) = caught.value.__notes__
        assert "whether output is a terminal" in note
        assert "with_options(tty=" in note
        # The stream is closed: its peer has seen the client hang up. The refusal's connection
        # is whole, and goes on.
    assert isinstance(caught.value, APIError)


BROKEN_QUESTIONS = {
    "no JSON": [answer(reply(200, b"what?", headers={"Content-Type": "application/json"}))],
    "a lost connection": [expect, hang_up],
    "an error": [answer(reply(500, json={"message": "oops"}))],
}


@pytest.mark.parametrize("question", BROKEN_QUESTIONS.values(), ids=BROKEN_QUESTIONS)
def test_a_question_that_fails_closes_the_stream(question):
    script = [answer(streaming(RAW) + b"raw"), silence]
    with playing(script, question) as (_, client), pytest.raises(DynadockError):
        logs(client)


def test_the_deadline_is_for_the_question_too():
    """It is for the whole call, with the question about the terminal."""
    script = [answer(streaming(RAW) + b"raw"), silence]
    silent = [expect, silence]
    options = {"timeout": 2, "deadline": 0.3}
    late = pytest.raises(TimedOut, match="deadline")
    with playing(script, silent, **options) as (_, client), late:
        logs(client)


def test_the_timeout_is_for_the_question_too():
    script = [answer(streaming(RAW) + b"raw"), silence]
    silent = [expect, silence]
    with playing(script, silent, timeout=0.3) as (_, client), pytest.raises(TimedOut):
        logs(client)


def test_a_stream_is_read_while_the_next_one_is_asked_about():
    """The question goes over the pool, and its connection serves the next one too."""
    question = answer(reply(json={"Config": {"Tty": False}}))
    scripts = [
        [answer(streaming(None)), send(frame("stdout", each)), hang_up] for each in (b"a", b"b")
    ]
    with playing(scripts[0], [question, question, OK], scripts[1]) as (peer, client):
        first = logs(client)
        second = logs(client)
        assert client.SystemPing() == "OK"
        assert list(second) == [("stdout", b"b")]
        assert list(first) == [("stdout", b"a")]
    assert peer.connections == 3


def test_a_log_is_no_duplex_and_attach_is_one():
    scripts = [[answer(streaming(MULTIPLEXED)), hang_up] for _ in range(2)]
    with playing(*scripts) as (_, client):
        log = logs(client)
        assert not isinstance(log, Duplex)
        assert not hasattr(log, "write")
        list(log)
        duplex = client.ContainerAttach("web")
        assert isinstance(duplex, Duplex)
        list(duplex)
