"""Terminals of simulated containers: what is typed, shown, sized and left."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynadock import BadRequest, Conflict, TimedOut
from dynadock.simulation.state.detaching import KeyWatch, parse_keys

ALL = {"stream": True, "stdin": True, "stdout": True, "stderr": True}
ATTACHED = {"AttachStdin": True, "AttachStdout": True, "AttachStderr": True}

CAT = ("sh", "-c", "while read -r line; do echo [$line]; done; echo end")


@pytest.fixture
def start(client):
    def begin(*command, name="box", **fields):
        client.ContainerCreate(
            name=name, Image="busybox", Cmd=[*command], Tty=True, OpenStdin=True, **fields
        )
        client.ContainerStart(name)
        return name

    return begin


def read_until(duplex, end):
    came = b""
    while not came.endswith(end):
        came += next(duplex).data
    return came


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (b"hello\n", b"hello\r\n[hello]\r\n"),
        # The return key.
        (b"hello\r", b"hello\r\n[hello]\r\n"),
        (b"a\nb\n", b"a\r\nb\r\n[a]\r\n[b]\r\n"),
        # Taking back a character, a line.
        (b"ax\x7fb\n", b"ax\b \bb\r\n[ab]\r\n"),
        (b"\x7fa\n", b"a\r\n[a]\r\n"),
        (b"abc\x15d\n", b"abc\b \b\b \b\b \bd\r\n[d]\r\n"),
        # The end where a line begins, and a line's without a line end.
        (b"\x04", b"end\r\n"),
        (b"a\n\x04", b"a\r\n[a]\r\nend\r\n"),
        (b"\x01\n", b"^A\r\n[\x01]\r\n"),
        ("é\n".encode(), "é\r\n[é]\r\n".encode()),
    ],
)
def test_what_is_typed(client, start, typed, shown):
    start(*CAT)
    with client.ContainerAttach("box", **ALL) as duplex:
        duplex.write(typed)
        assert read_until(duplex, shown) == shown


@pytest.mark.parametrize(("key", "signal"), [(b"\x03", "INT"), (b"\x1c", "QUIT")])
def test_keys_that_are_signals(engine, client, start, key, signal):
    start("sh", "-c", f"trap 'echo caught; exit 9' {signal}; echo ready; while :; do sleep 1; done")
    with client.ContainerAttach("box", logs=True, **ALL) as duplex:
        assert read_until(duplex, b"ready\r\n")
        duplex.write(key)
        engine.clock.advance(1)
        shown = b"^" + bytes([key[0] + 0x40])
        assert duplex.text().encode() == shown + b"caught\r\n"
    assert client.ContainerWait("box").StatusCode == 9


def test_its_size(client, start):
    start("sh", "-c", "while read -r _; do stty size; done", HostConfig={"ConsoleSize": [10, 20]})
    with client.ContainerAttach("box", **ALL) as duplex:
        duplex.write(b"\n")
        assert read_until(duplex, b"10 20\r\n")
        duplex.resize(height=40, width=120)
        duplex.write(b"\n")
        assert read_until(duplex, b"40 120\r\n")
        client.ContainerPause("box")
        duplex.resize(height=5, width=6)
        client.ContainerUnpause("box")
        duplex.write(b"\n")
        assert read_until(duplex, b"5 6\r\n")
    client.ContainerKill("box")
    with pytest.raises(Conflict, match="is not running"):
        client.ContainerResize("box", h=1, w=1)


@pytest.mark.parametrize(
    ("of_exec", "of_start", "size"),
    [
        ({"ConsoleSize": [11, 22]}, {}, b"11 22"),
        ({"ConsoleSize": [11, 22]}, {"ConsoleSize": [33, 44]}, b"33 44"),
        ({}, {"ConsoleSize": [33, 44]}, b"33 44"),
    ],
)
def test_the_size_of_an_exec(client, start, of_exec, of_start, size):
    start("sleep", "600")
    made = client.ContainerExec("box", Cmd=["stty", "size"], Tty=True, **ATTACHED, **of_exec).Id
    output = client.ExecStart(made, Tty=True, **of_start).collect().stdout
    assert output == size + b"\r\n"


def test_a_change_of_size_is_a_signal(engine, client, start):
    start("sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 1; done")
    with client.ContainerAttach("box", logs=True, **ALL) as duplex:
        assert read_until(duplex, b"ready\r\n")
        duplex.resize(height=7, width=8)
        # A trap waits for the end of what runs in the foreground.
        engine.clock.advance(1)
        assert read_until(duplex, b"7 8\r\n")


# Leaving


@pytest.mark.parametrize(
    ("keys", "typed", "shown"),
    [
        ("", b"a\x10\x11", b"a"),
        ("", b"\x10b\x10\x11", b"^Pb"),
        # Twice the first of two keys begins nothing anew.
        ("", b"\x10\x10\x11\n", None),
        ("ctrl-a", b"a\x01behind", b"a"),
        ("ctrl-a,b", b"\x01c\x01b", b"^Ac"),
        ("x,y,z", b"xyxyz\n", None),
        ("x,y,z", b"axyz", b"a"),
        ("ctrl-@", b"\0", b""),
        ("ctrl-\\", b"\x1c", b""),
        ("DEL", b"\x7f", b""),
        ("a", b"a", b""),
    ],
)
def test_keys_that_leave(client, start, keys, typed, shown):
    start("cat")
    with client.ContainerAttach("box", **ALL, **({"detachKeys": keys} if keys else {})) as duplex:
        for at in range(len(typed)):
            duplex.write(typed[at : at + 1])
        if shown is None:
            assert read_until(duplex, b"\r\n")
            with pytest.raises(TimedOut):
                client.with_options(timeout=0.05).ContainerWait("box")
            return
        assert duplex.collect().stdout == shown
    assert client.ContainerInspect("box").State.Running
    with client.ContainerAttach("box", **ALL) as again:
        again.write(b"still\x15here\n")
        assert read_until(again, b"here\r\nhere\r\n")


def test_leaving_is_told(engine, client, start):
    start("cat")
    with client.ContainerAttach("box", **ALL) as duplex:
        duplex.write(b"\x10\x11")
        assert duplex.text() == ""
    engine.clock.advance(1)
    now = int(engine.clock.now())
    seen = [each.Action for each in client.SystemEvents(since=now - 100, until=now)]
    assert seen[-2:] == ["attach", "detach"]


def test_keys_mean_nothing_without_a_terminal(client):
    client.ContainerCreate(name="box", Image="busybox", Cmd=["cat"], OpenStdin=True)
    client.ContainerStart("box")
    with client.ContainerAttach("box", detachKeys="ctrl-a", **ALL) as duplex:
        duplex.write(b"\x01\n")
        assert next(duplex) == ("stdout", b"\x01\n")


def test_an_exec_that_is_left(client, start):
    """For Docker this is a failure, 20.10 to 28.5: it says so, and the process ends."""
    start("sleep", "600")
    made = client.ContainerExec("box", Cmd=["cat"], Tty=True, DetachKeys="ctrl-a", **ATTACHED).Id
    assert client.ExecInspect(made).DetachKeys == "AQ=="
    with client.ExecStart(made, Tty=True) as duplex:
        duplex.write(b"\x01")
        said = b"exec attach failed: error on attach stdin: read escape sequence\r\n"
        assert duplex.collect().stdout == said
    seen = client.ExecInspect(made)
    assert (seen.Running, seen.ExitCode) == (False, 126)
    assert [each[-1] for each in client.ContainerTop("box").Processes] == ["sleep 600"]


@pytest.mark.parametrize("keys", ["ctrl-", "foo", "ctrl-1", "a,,b", ",", "ctrl-A", "é"])
def test_what_names_no_keys(client, start, keys):
    start("cat")
    with pytest.raises(BadRequest) as caught:
        client.ContainerAttach("box", detachKeys=keys, **ALL)
    assert caught.value.explanation == f"Invalid detach keys ({keys}) provided"


def test_closing_input_ends_the_output_and_not_the_process(client, start):
    start("sh", "-c", "cat; echo end")
    with client.ContainerAttach("box", **ALL) as duplex:
        duplex.write(b"a\n")
        assert read_until(duplex, b"a\r\na\r\n")
        duplex.close_stdin()
        assert duplex.text() == ""
    assert client.ContainerInspect("box").State.Running


def naive_watch(keys, typed):
    """Return what passes, and whether the keys are pressed, one key after the other."""
    passed, seen = b"", b""
    for at in range(len(typed)):
        seen += typed[at : at + 1]
        if seen == keys:
            return passed, True
        if not keys.startswith(seen):
            passed, seen = passed + seen, b""
    return passed, False


@given(
    st.binary(min_size=1, max_size=3).map(lambda keys: bytes(key % 3 for key in keys)),
    st.lists(st.binary(max_size=5).map(lambda keys: bytes(key % 3 for key in keys)), max_size=6),
)
def test_keys_are_found_however_they_come(keys, pieces):
    watch = KeyWatch(keys)
    passed = b""
    for piece in pieces:
        passed += watch.passed(piece)
        if watch.is_pressed:
            break
    assert (passed, watch.is_pressed) == naive_watch(keys, b"".join(pieces))


def test_names_of_keys():
    assert parse_keys("ctrl-p,ctrl-q") == b"\x10\x11"
    assert parse_keys("ctrl-@,ctrl-[,ctrl-],ctrl-^,ctrl-_,a,DEL") == b"\0\x1b\x1d\x1e\x1fa\x7f"
