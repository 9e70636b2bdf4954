"""What simulated containers write and read, as Docker 26.1 has it: logs, and being attached."""

from __future__ import annotations

import socket
import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynadock import APIError, BadRequest, Conflict, NotFound, StreamClosed, TimedOut
from dynadock.embedded.engine import Engine
from dynadock.simulation.state.logs import LONGEST_ENTRY, MOST_KEPT
from dynadock.simulation.state.sessions import MOST_OUTPUT

BOTH = {"stdout": True, "stderr": True}
OUTPUT = {"stream": True, **BOTH}
ALL = {**OUTPUT, "stdin": True}


@pytest.fixture
def impatient(client):
    return client.with_options(timeout=0.05)


def create(client, *command, name="box", **fields):
    client.ContainerCreate(name=name, Image="busybox", Cmd=[*command], **fields)
    return name


def start(client, *command, name="box", **fields):
    create(client, *command, name=name, **fields)
    client.ContainerStart(name)
    return name


def shell(client, script, **fields):
    return start(client, "sh", "-c", script, **fields)


def frames(stream):
    return [(frame.channel, frame.data) for frame in stream]


def joined(found, channel):
    return b"".join(data for each, data in found if each == channel)


def actions(client, engine, kind="container"):
    """Return what has happened so far, in its order."""
    engine.clock.advance(1)
    now = int(engine.clock.now())
    events = client.SystemEvents(since=now - 10_000, until=now)
    return [each.Action for each in events if each.Type == kind]


# Logs


def test_a_log_keeps_channels_in_their_order(client):
    name = shell(client, "echo a; echo b >&2; echo c; printf d")
    assert frames(client.ContainerLogs(name, **BOTH)) == [
        ("stdout", b"a\n"),
        ("stderr", b"b\n"),
        ("stdout", b"c\n"),
        ("stdout", b"d"),
    ]
    assert client.ContainerLogs(name, stderr=True).collect() == (b"", b"b\n")


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        ({}, "abcd"),
        ({"tail": "all"}, "abcd"),
        ({"tail": "2"}, "cd"),
        ({"tail": "0"}, ""),
        ({"tail": "9"}, "abcd"),
        # As engines do with what is no count.
        ({"tail": "-1"}, "abcd"),
        ({"tail": "x"}, "abcd"),
        ({"since": 0.5}, "bcd"),
        ({"since": 2.5}, "d"),
        ({"since": 4}, ""),
        ({"until": 1.5}, "ab"),
        ({"since": 0.5, "until": 2.5}, "bc"),
        # The tail is taken first.
        ({"tail": "2", "since": 2.5}, "d"),
        ({"tail": "3", "until": 1.5}, "b"),
    ],
)
def test_which_lines_of_a_log(engine, client, arguments, lines):
    begin = engine.clock.now()
    name = shell(client, "for each in a b c d; do echo $each; sleep 1; done")
    engine.clock.advance(5)
    times = {key: f"{begin + arguments[key]:.9f}" for key in ("since", "until") if key in arguments}
    raw = client.ContainerLogs.raw(name, stdout=True, **{**arguments, **times})
    assert raw.content[8::10].decode() == lines


def test_a_tail_counts_lines_on_whichever_channel(client):
    name = shell(client, "echo a; echo b >&2")
    assert client.ContainerLogs(name, stdout=True, tail="1").collect() == (b"", b"")
    assert client.ContainerLogs(name, stdout=True, tail="2").collect() == (b"a\n", b"")


def test_times_of_lines(engine, client):
    name = shell(client, "echo a; sleep 1.5; printf b; sleep 1; echo c")
    engine.clock.advance(3)
    lines = [*client.ContainerLogs(name, stdout=True, timestamps=True).lines(timestamps=True)]
    assert [line.text for line in lines] == ["a", "bc"]
    began = lines[0].time
    # A line is there when its end is.
    assert [(line.time - began).total_seconds() for line in lines] == [0.0, 2.5]
    raw = client.ContainerLogs.raw(name, stdout=True, timestamps=True, tail="1").content
    assert raw[8:].split(b" ")[0].endswith(b"Z")
    assert len(raw[8:].split(b" ")[0]) == len("2023-11-14T22:13:20.000000000Z")


def test_parts_of_a_long_line_have_one_time(engine, client):
    def program(process):
        process.write(1, b"x" * LONGEST_ENTRY)
        yield process.now() + 10**9
        process.write(1, b"y\nnext\n")
        return 0

    engine.program("busybox", ["long"], program)
    name = start(client, "long")
    engine.clock.advance(2)
    found = frames(client.ContainerLogs(name, stdout=True))
    assert [len(data) for _, data in found] == [LONGEST_ENTRY, 2, 5]
    stamped = frames(client.ContainerLogs(name, stdout=True, timestamps=True))
    first, second, third = (data.split(b" ")[0] for _, data in stamped)
    assert first == second < third


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40)), max_size=30))
def test_log_attach_and_program_agree(writes):
    """Whatever a program writes, in whatever pieces, everybody has it whole and in its order."""

    def program(process):
        for channel, data in writes:
            process.write(channel, data)
            yield process.now()
        return 0

    with Engine(clock="manual") as engine, engine.client("1.45", timeout=5) as client:
        engine.program("busybox", ["random"], program)
        name = create(client, "random")
        with client.ContainerAttach(name, **OUTPUT) as attached:
            client.ContainerStart(name)
            seen = frames(attached)
        logged = frames(client.ContainerLogs(name, **BOTH))
    for channel, number in (("stdout", 1), ("stderr", 2)):
        written = b"".join(data for each, data in writes if each == number)
        assert joined(seen, channel) == joined(logged, channel) == written
        lines = [data for each, data in logged if each == channel]
        assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines[:-1])
    numbers = {1: "stdout", 2: "stderr"}
    assert seen == [(numbers[channel], data) for channel, data in writes if data]


@given(st.lists(st.integers(0, 3 * LONGEST_ENTRY), max_size=4), st.data())
def test_log_of_long_lines_however_they_are_cut(lengths, data):
    text = b"".join(b"x" * length + b"\n" for length in lengths)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    pieces = [text[begin:end] for begin, end in pairwise([0, *cuts, len(text)])]

    def program(process):
        for piece in pieces:
            process.write(1, piece)
            yield process.now()
        return 0

    with Engine(clock="manual") as engine, engine.client("1.45", timeout=5) as client:
        engine.program("busybox", ["cut"], program)
        name = start(client, "cut")
        found = [frame.data for frame in client.ContainerLogs(name, stdout=True)]
    expected = [
        line[at : at + LONGEST_ENTRY]
        for line in text.splitlines(keepends=True)
        for at in range(0, len(line), LONGEST_ENTRY)
    ]
    assert found == expected


def test_details_of_lines(client):
    options = {"labels": "b, a", "env": "F,E,G", "tag": "x{{.Name}}"}
    shell(
        client,
        "echo hi",
        Labels={"a": "1", "b": "2", "c": "3"},
        Env=["E=5", "F=6"],
        HostConfig={"LogConfig": {"Type": "json-file", "Config": options}},
    )
    assert client.ContainerLogs("box", stdout=True, details=True).text() == (
        "E=5,F=6,a=1,b=2,tag=xbox hi\n"
    )
    shell(client, "echo hi", name="plain")
    assert client.ContainerLogs("plain", stdout=True, details=True).text() == " hi\n"


def test_drivers(client):
    for driver in ("local", "json-file", ""):
        name = f"of-{driver or 'nothing'}"
        shell(client, "echo hi", name=name, HostConfig={"LogConfig": {"Type": driver}})
        assert client.ContainerLogs(name, stdout=True).text() == "hi\n"
        shown = client.ContainerInspect(name).HostConfig.LogConfig
        assert shown == {"Type": driver or "json-file", "Config": {}}
    shell(client, "echo hi", HostConfig={"LogConfig": {"Type": "none"}})
    with pytest.raises(APIError, match="logging driver does not support reading") as caught:
        client.ContainerLogs("box", stdout=True)
    assert caught.value.status == 501
    assert client.ContainerAttach("box", logs=True, stdout=True).text() == ""


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"Type": "bogus"}, 'error looking up logging plugin bogus: plugin "bogus" not found'),
        (
            {"Type": "json-file", "Config": {"nope": "1"}},
            "unknown log opt 'nope' for json-file log driver",
        ),
    ],
)
def test_drivers_that_there_are_not(client, config, words):
    with pytest.raises(BadRequest) as caught:
        create(client, "true", HostConfig={"LogConfig": config})
    assert caught.value.explanation == words


def test_nothing_is_asked_of_a_log(client):
    shell(client, "echo a")
    with pytest.raises(BadRequest, match="you must choose at least one stream"):
        client.ContainerLogs("box")
    with pytest.raises(NotFound):
        client.ContainerLogs("nobody", stdout=True)


def test_follow_from_now_on(engine, client):
    shell(client, "echo a; sleep 1; echo b; sleep 1; echo c >&2")
    with client.ContainerLogs("box", follow=True, tail="0", **BOTH) as log:
        engine.clock.advance(1)
        assert next(log) == ("stdout", b"b\n")
        engine.clock.advance(5)
        assert frames(log) == [("stderr", b"c\n")]


def test_follow_waits_and_can_be_closed(client, impatient):
    shell(client, "echo a; sleep 60")
    log = impatient.ContainerLogs("box", follow=True, stdout=True)
    assert next(log).data == b"a\n"
    with pytest.raises(TimedOut):
        next(log)
    log = client.ContainerLogs("box", follow=True, stdout=True)
    next(log)
    closing = threading.Timer(0.05, log.close)
    closing.start()
    with pytest.raises(StreamClosed):
        next(log)
    closing.join()


def test_follow_ends_with_each_end_of_the_container(engine, client):
    policy = {"Name": "on-failure", "MaximumRetryCount": 2}
    shell(client, "echo a; sleep 1; exit 1", HostConfig={"RestartPolicy": policy})
    with client.ContainerLogs("box", follow=True, stdout=True) as log:
        engine.clock.advance(30)
        assert frames(log)[0] == ("stdout", b"a\n")
    # The log goes on over restarts.
    assert client.ContainerLogs("box", stdout=True).text() == "a\na\na\n"
    # Of who does not run nothing is to be waited for.
    assert client.ContainerLogs("box", follow=True, stdout=True).text() == "a\na\na\n"


def test_follow_of_a_container_that_never_ran(client):
    create(client, "true")
    assert client.ContainerLogs("box", follow=True, stdout=True).text() == ""


def test_follow_until_a_moment(engine, client):
    begin = engine.clock.now()
    shell(client, "while sleep 1; do echo a; done")
    log = client.ContainerLogs("box", follow=True, stdout=True, until=f"{begin + 3.5:.3f}")
    engine.clock.advance(60)
    assert log.text() == "a\na\na\n"


def test_log_of_a_terminal(client):
    shell(client, "echo a; echo b >&2", Tty=True)
    with client.ContainerLogs("box", **BOTH) as log:
        assert log.is_terminal
        assert log.text() == "a\r\nb\r\n"
    assert client.ContainerLogs("box", stderr=True).text() == ""


def test_old_entries_are_forgotten_and_readers_go_on(engine, client):
    block = b"x" * (LONGEST_ENTRY - 1) + b"\n"
    count = 2 * MOST_KEPT // LONGEST_ENTRY

    def program(process):
        for number in range(count):
            process.write(1, block)
            if not number % 64:
                yield process.now()
        return 0

    engine.program("busybox", ["much"], program)
    create(client, "much")
    client.ContainerStart("box")
    client.ContainerWait("box")
    size = sum(len(frame.data) for frame in client.ContainerLogs("box", stdout=True))
    assert MOST_KEPT // 2 < size <= MOST_KEPT


# Attaching


def test_attach_before_the_start(engine, client):
    create(client, "sh", "-c", "echo a; echo b >&2; exit 3")
    with client.ContainerAttach("box", **OUTPUT) as attached:
        client.ContainerStart("box")
        assert frames(attached) == [("stdout", b"a\n"), ("stderr", b"b\n")]
    assert client.ContainerWait("box").StatusCode == 3
    assert actions(client, engine) == ["create", "attach", "start", "die"]


def test_attach_without_streaming(client):
    shell(client, "echo a; echo b >&2; sleep 60")
    assert client.ContainerAttach("box", **BOTH).collect() == (b"", b"")
    assert client.ContainerAttach("box", logs=True, **BOTH).collect() == (b"a\n", b"b\n")
    assert client.ContainerAttach("box", logs=True, stderr=True).collect() == (b"", b"b\n")


def test_attach_with_all_that_was_written(engine, client):
    shell(client, "echo a; sleep 1; echo b")
    with client.ContainerAttach("box", logs=True, **OUTPUT) as attached:
        engine.clock.advance(1)
        assert frames(attached) == [("stdout", b"a\n"), ("stdout", b"b\n")]


def test_attach_to_a_stopped_container_waits_for_its_start(client, impatient):
    shell(client, "echo a")
    with pytest.raises(TimedOut):
        impatient.ContainerAttach("box", **OUTPUT).collect()
    with client.ContainerAttach("box", **OUTPUT) as attached:
        client.ContainerStart("box")
        assert attached.collect().stdout == b"a\n"


def test_attach_to_a_paused_container(client):
    shell(client, "sleep 60")
    client.ContainerPause("box")
    with pytest.raises(Conflict) as caught:
        client.ContainerAttach("box", **OUTPUT)
    assert caught.value.explanation == (
        "container box is paused, unpause the container before attach"
    )


def test_pause_while_attached(engine, client, impatient):
    shell(client, "sleep 1; echo a")
    with client.ContainerAttach("box", **OUTPUT) as attached:
        client.ContainerPause("box")
        engine.clock.advance(60)
        with pytest.raises(TimedOut):
            impatient.ContainerLogs("box", follow=True, stdout=True).collect()
        client.ContainerUnpause("box")
        assert attached.collect().stdout == b"a\n"


def test_several_are_attached(client):
    create(client, "cat", OpenStdin=True)
    with (
        client.ContainerAttach("box", **ALL) as first,
        client.ContainerAttach("box", **ALL) as second,
        client.ContainerAttach("box", stream=True, stderr=True) as third,
    ):
        client.ContainerStart("box")
        first.write(b"one\n")
        second.write(b"two\n")
        expected = [("stdout", b"one\n"), ("stdout", b"two\n")]
        for each in (first, second):
            assert [next(each), next(each)] == expected
        client.ContainerKill("box")
        assert frames(third) == []


@pytest.mark.parametrize("leaves", ["close", "close_stdin"])
def test_input_that_ends_with_who_gives_it(client, leaves):
    """StdinOnce: the first who leaves, or half-closes, ends the input of all."""
    create(client, "sh", "-c", "cat; echo end; sleep 60", OpenStdin=True, StdinOnce=True)
    first = client.ContainerAttach("box", **ALL)
    second = client.ContainerAttach("box", **ALL)
    client.ContainerStart("box")
    first.write(b"one\n")
    getattr(first, leaves)()
    assert [next(second), next(second)] == [("stdout", b"one\n"), ("stdout", b"end\n")]
    first.close()
    second.close()


def test_input_that_outlives_who_gives_it(client):
    create(client, "cat", OpenStdin=True)
    first = client.ContainerAttach("box", **ALL)
    client.ContainerStart("box")
    first.write(b"one\n")
    first.close_stdin()
    # Whose input ends without the process's hears no more either.
    assert first.collect() == (b"one\n", b"")
    with client.ContainerAttach("box", **ALL) as second:
        second.write(b"two\n")
        assert next(second) == ("stdout", b"two\n")
    assert client.ContainerInspect("box").State.Running


def test_output_only_is_no_input(client, impatient):
    shell(client, "cat; echo end; sleep 60", OpenStdin=True, StdinOnce=True)
    client.ContainerAttach("box", **OUTPUT).close()
    with pytest.raises(TimedOut):
        impatient.ContainerLogs("box", follow=True, stdout=True).collect()


def test_a_container_without_open_input_reads_none(client):
    create(client, "sh", "-c", "cat; echo end")
    with client.ContainerAttach("box", **ALL) as attached:
        attached.write(b"lost")
        client.ContainerStart("box")
        assert attached.collect().stdout == b"end\n"


def test_input_from_before_the_start(client):
    create(client, "cat", OpenStdin=True, StdinOnce=True)
    with client.ContainerAttach("box", **ALL) as attached:
        attached.write(b"early ")
        attached.write(b"bird")
        attached.close_stdin()
        client.ContainerStart("box")
        assert attached.collect().stdout == b"early bird"
    assert client.ContainerWait("box").StatusCode == 0


def test_a_slow_reader_makes_the_program_wait(engine, client):
    block = b"x" * 64 * 1024
    written = []

    def program(process):
        for number in range(100):
            while process.is_full:
                yield None
            process.write(1, block)
            written.append(number)
            yield process.now()
        return 0

    engine.program("busybox", ["much"], program)
    create(client, "much")
    attached = client.ContainerAttach("box", **OUTPUT)
    client.ContainerStart("box")
    for _ in range(10):
        engine.clock.advance(1)
    assert len(written) * len(block) <= MOST_OUTPUT + len(block)
    assert len(attached.collect().stdout) == 100 * len(block)
    assert client.ContainerWait("box").StatusCode == 0


def test_a_slow_reader_who_leaves_is_not_waited_for(engine, client):
    def program(process):
        for _ in range(100):
            while process.is_full:
                yield None
            process.write(1, b"x" * 64 * 1024)
        return 7

    engine.program("busybox", ["much"], program)
    create(client, "much")
    with client.ContainerAttach("box", **OUTPUT):
        client.ContainerStart("box")
    assert client.ContainerWait("box").StatusCode == 7


def test_remove_while_attached(engine, client):
    create(client, "sh", "-c", "echo a; sleep 60", HostConfig={"AutoRemove": True})
    attached = client.ContainerAttach("box", **OUTPUT)
    waiting = client.ContainerWait.raw("box", condition="removed")
    client.ContainerStart("box")
    client.ContainerKill("box")
    assert attached.collect().stdout == b"a\n"
    assert waiting.json()["StatusCode"] == 137
    assert client.ContainerList(all=True) == []
    assert actions(client, engine) == ["create", "attach", "start", "kill", "die", "destroy"]


def test_attach_without_an_upgrade(client):
    """A 200 of a raw stream, whatever is in it (26.1); only the request says what is meant."""
    shell(client, "echo a; sleep 60")
    reply = asked_of(client, "POST /v1.45/containers/box/attach?logs=1&stdout=1 HTTP/1.1", "")
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Type: application/vnd.docker.raw-stream" in head
    assert b"chunked" not in head
    assert body == b"\x01\0\0\0\0\0\0\x02a\n"


@pytest.mark.parametrize(("version", "media_type"), [("1.41", "raw"), ("1.42", "multiplexed")])
def test_types_of_output(engine, version, media_type):
    with engine.client(version, timeout=5) as client:
        shell(client, "echo a")
        shell(client, "echo a", name="terminal", Tty=True)
        found = {}
        for name in ("box", "terminal"):
            with client.ContainerAttach.raw(name, logs=True, stdout=True) as raw:
                assert raw.status == 101
                found[name] = raw.headers["Content-Type"]
        kind = "application/vnd.docker.{}-stream".format
        assert found == {"box": kind(media_type), "terminal": kind("raw")}


# Websockets

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
HANDSHAKE = f"""\
Connection: Upgrade\r
Upgrade: websocket\r
Sec-WebSocket-Version: 13\r
Sec-WebSocket-Key: {KEY}\r
"""


def asked_of(client, line, headers):
    """Return all bytes that come for a request without a body."""
    from dynadock.simulation.registry import engine_at
    from dynadock.transport.links.inside import InsideLink

    link = InsideLink(engine_at(str(client.endpoint).removeprefix("embedded://")))
    link.allow(5)
    link.send(f"{line}\r\nHost: x\r\n{headers}\r\n".encode())
    came = b"".join(iter(link.receive, b""))
    link.close()
    return came


@pytest.mark.parametrize(("version", "opcode"), [("1.27", 0x81), ("1.28", 0x82), ("1.45", 0x82)])
def test_websocket_on_the_wire(engine, version, opcode):
    """Binary messages from 1.28 on, without frames; a close when the process has ended (26.1)."""
    with engine.client(version, timeout=5) as client:
        shell(client, "echo hi")
        path = f"/v{version}/containers/box/attach/ws?logs=1&stdout=1"
        reply = asked_of(client, f"GET {path} HTTP/1.1", HANDSHAKE)
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    # The example of RFC 6455, section 1.3.
    assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    assert body == bytes([opcode, 3]) + b"hi\n" + b"\x88\x02\x03\xe8"


@pytest.mark.parametrize(
    "headers",
    [
        "",
        "Connection: Upgrade\r\nUpgrade: tcp\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
        HANDSHAKE.replace("13", "12"),
        HANDSHAKE.replace("Connection: Upgrade\r\n", ""),
    ],
)
def test_what_asks_for_no_websocket(client, headers):
    shell(client, "echo hi")
    reply = asked_of(client, "GET /v1.45/containers/box/attach/ws?logs=1 HTTP/1.1", headers)
    assert reply.startswith(b"HTTP/1.1 400 ")


def test_websocket_talks(client):
    create(client, "sh", "-c", "read word; echo got $word; echo err >&2", OpenStdin=True)
    with client.ContainerAttachWebsocket("box", **ALL) as duplex:
        client.ContainerStart("box")
        duplex.write(b"hello\n")
        assert duplex.text() == "got hello\nerr\n"


def test_who_leaves_a_websocket_ends_the_input(client):
    create(client, "sh", "-c", "cat; echo end", OpenStdin=True, StdinOnce=True)
    with client.ContainerAttachWebsocket("box", **ALL) as duplex:
        client.ContainerStart("box")
        duplex.write(b"hello\n")
        assert next(duplex).data == b"hello\n"
    assert client.ContainerWait("box").StatusCode == 0
    assert client.ContainerLogs("box", stdout=True).text() == "hello\nend\n"


@pytest.mark.parametrize(
    "sent",
    [
        # A close, masked as a client's frames are; one that is not; no frame at all.
        b"\x88\x82\0\0\0\0\x03\xe8",
        b"\x81\x02hi",
        b"\xff" * 20,
    ],
    ids=["close", "unmasked", "garbage"],
)
def test_websockets_that_end(client, sent):
    from dynadock.simulation.registry import engine_at
    from dynadock.transport.links.inside import InsideLink

    shell(client, "cat; sleep 60", OpenStdin=True)
    link = InsideLink(engine_at(str(client.endpoint).removeprefix("embedded://")))
    link.allow(5)
    path = "/v1.45/containers/box/attach/ws?stream=1&stdin=1&stdout=1"
    link.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n{HANDSHAKE}\r\n".encode())
    assert link.receive().startswith(b"HTTP/1.1 101 ")
    link.send(sent)
    rest = b"".join(iter(link.receive, b""))
    # What is answered, if anything, is a close.
    assert rest[:1] in (b"", b"\x88")
    link.close()
    assert client.ContainerInspect("box").State.Running


# Over a socket, as others reach the engine


def test_over_a_socket(engine, client):
    create(client, "sh", "-c", "read word; echo got $word", OpenStdin=True, StdinOnce=True)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(engine.url.removeprefix("unix://"))
        path = "/v1.45/containers/box/attach/ws?stream=1&stdin=1&stdout=1"
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{HANDSHAKE}\r\n".encode())
        assert sock.recv(65536).startswith(b"HTTP/1.1 101 ")
        client.ContainerStart("box")
        sock.sendall(b"\x81\x84\0\0\0\0hey\n")
        came = b"".join(iter(lambda: sock.recv(65536), b""))
    assert came == b"\x82\x08got hey\n\x88\x02\x03\xe8"
