"""Execs in simulated containers, as Docker 26.1 has them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents import VERSIONS
from dynadock import BadRequest, Conflict, NotFound, ServerError, TimedOut
from dynadock.embedded.engine import Engine
from dynadock.simulation.programs.process import MOST_INPUT
from dynadock.simulation.state.execs import CLEANUP
from simulated import conforms

ATTACHED = {"AttachStdin": True, "AttachStdout": True, "AttachStderr": True}
FAILED = "OCI runtime exec failed: exec failed: "
MISSING = "no such file or directory"
UNABLE = f"{FAILED}unable to start container process: "


@pytest.fixture
def box(client):
    """A running container."""
    name = "box"
    client.ContainerCreate(
        name=name, Image="busybox", Cmd=["sleep", "600"], Env=["A=1", "B=2"], WorkingDir="/tmp"
    )
    client.ContainerStart(name)
    return name


@pytest.fixture
def made(client, box):
    """Make an exec, attached to, and give its id."""

    def make(*command, **fields):
        return client.ContainerExec(box, Cmd=[*command], **{**ATTACHED, **fields}).Id

    return make


@pytest.fixture
def said(client, made):
    """Run a command, and give what it said on stdout."""

    def run(*command, **fields):
        return client.ExecStart(made(*command, **fields)).collect().stdout.decode()

    return run


def inspected(client, exec_id):
    return conforms(client, "ExecInspect", client.ExecInspect(exec_id), nulls=["ExitCode"])


def events(client, engine):
    """Return what happened to execs so far, with their exit codes."""
    engine.clock.advance(1)
    now = int(engine.clock.now())
    seen = client.SystemEvents(since=now - 10_000, until=now)
    return [
        (each.Action, each.Actor.Attributes.get("exitCode"))
        for each in seen
        if each.Action.startswith("exec_")
    ]


def test_its_life(engine, client, made):
    exec_id = made("sh", "-c", "echo a; sleep 1; echo b >&2; exit 3", User="1000", Privileged=True)
    seen = inspected(client, exec_id)
    assert (seen.Running, seen.ExitCode, seen.Pid) == (False, None, 0)
    with client.ExecStart(exec_id) as duplex:
        assert next(duplex) == ("stdout", b"a\n")
        seen = inspected(client, exec_id)
        assert (seen.Running, seen.ExitCode) == (True, None)
        assert seen.Pid > 1
        assert client.ContainerInspect("box").ExecIDs == [exec_id]
        commands = [each[-1] for each in client.ContainerTop("box").Processes]
        assert commands[0] == "sleep 600"
        assert commands[1].startswith("sh -c echo a; sleep 1;")
        engine.clock.advance(1)
        assert list(duplex) == [("stderr", b"b\n")]
    seen = inspected(client, exec_id)
    assert (seen.Running, seen.ExitCode) == (False, 3)
    assert client.ContainerInspect("box").ExecIDs is None
    assert seen.ProcessConfig == {
        "tty": False,
        "entrypoint": "sh",
        "arguments": ["-c", "echo a; sleep 1; echo b >&2; exit 3"],
        "privileged": True,
        "user": "1000",
    }
    assert (seen.OpenStdin, seen.OpenStdout, seen.OpenStderr) == (True, True, True)
    command = "sh -c echo a; sleep 1; echo b >&2; exit 3"
    assert events(client, engine) == [
        (f"exec_create: {command}", None),
        (f"exec_start: {command}", None),
        ("exec_die", "3"),
    ]


@pytest.mark.parametrize(
    ("command", "fields", "output"),
    [
        (["sh", "-c", "pwd"], {}, "/tmp\n"),
        (["sh", "-c", "pwd"], {"WorkingDir": "/etc"}, "/etc\n"),
        (["sh", "-c", "echo $A$B$C"], {}, "12\n"),
        (["sh", "-c", "echo $A$B$C"], {"Env": ["B=3", "C=4"]}, "134\n"),
        # A name alone takes a variable away.
        (["sh", "-c", "echo ${A-none}$B"], {"Env": ["A"]}, "none2\n"),
        (["sh", "-c", "echo ${A-none}"], {"Env": ["A="]}, "\n"),
        (["id", "-u"], {"User": "1000"}, "1000\n"),
        (["sh", "-c", "echo out; echo err >&2"], {"AttachStdout": False}, ""),
    ],
)
def test_what_a_command_runs_in(said, command, fields, output):
    assert said(*command, **fields) == output


@pytest.mark.parametrize(
    ("command", "fields", "complaint"),
    [
        (["nosuch"], {}, f'{UNABLE}exec: "nosuch": executable file not found in $PATH: unknown'),
        (
            ["/no/such"],
            {},
            f'{UNABLE}exec: "/no/such": stat /no/such: no such file or directory: unknown',
        ),
        (
            ["pwd"],
            {"WorkingDir": "/nope"},
            f'{UNABLE}chdir to cwd ("/nope") set in config.json failed: {MISSING}: unknown',
        ),
        (["pwd"], {"WorkingDir": "tmp"}, f"{FAILED}Cwd must be an absolute path: unknown"),
        (
            ["id"],
            {"User": "nobodyx"},
            "unable to find user nobodyx: no matching entries in passwd file",
        ),
        # Complaints come on stdout even if nobody wanted that.
        (
            ["nosuch"],
            {"AttachStdout": False},
            f'{UNABLE}exec: "nosuch": executable file not found in $PATH: unknown',
        ),
    ],
)
def test_what_cannot_be_run(client, made, command, fields, complaint):
    exec_id = made(*command, **fields)
    assert client.ExecStart(exec_id).collect() == (f"{complaint}\r\n".encode(), b"")
    seen = inspected(client, exec_id)
    assert (seen.Running, seen.ExitCode) == (False, 126)


def test_what_cannot_be_run_never_ends(engine, client, made):
    client.ExecStart(made("nosuch")).collect()
    assert events(client, engine) == [("exec_create: nosuch ", None), ("exec_start: nosuch ", None)]


def test_once_more(client, made):
    exec_id = made("true")
    client.ExecStart(exec_id).collect()
    ran = f"Error: Exec command {exec_id} has already run"
    assert client.ExecStart(exec_id).collect().stdout.decode() == f"{ran}\r\n"
    with pytest.raises(Conflict, match=ran):
        client.ExecStart(exec_id, Detach=True)
    exec_id = made("sleep", "60")
    with client.ExecStart(exec_id):
        runs = f"Error: Exec command {exec_id} is already running"
        assert client.ExecStart(exec_id).collect().stdout.decode() == f"{runs}\r\n"
        with pytest.raises(Conflict, match=runs):
            client.ExecStart(exec_id, Detach=True)


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"Cmd": []}, BadRequest, "No exec command specified"),
        ({}, BadRequest, "No exec command specified"),
        (
            {"Cmd": ["true"], "DetachKeys": "ctrl-"},
            ServerError,
            "Invalid escape keys (ctrl-) provided",
        ),
    ],
)
def test_what_makes_no_exec(client, box, fields, error, words):
    with pytest.raises(error) as caught:
        client.ContainerExec(box, **fields)
    assert caught.value.explanation == words


def test_of_what_is_not_there(client):
    for call in (client.ExecStart, client.ExecInspect):
        with pytest.raises(NotFound, match="No such exec instance"):
            call("0" * 64)
    with pytest.raises(NotFound, match="No such container"):
        client.ContainerExec("nobody", Cmd=["true"])


def test_in_a_paused_container(client, box, made):
    exec_id = made("true")
    client.ContainerPause(box)
    full = client.ContainerInspect(box).Id
    with pytest.raises(Conflict) as caught:
        made("true")
    words = "is paused, unpause the container before exec"
    assert caught.value.explanation == f"Container {box} {words}"
    for options in ({}, {"Detach": True}):
        with pytest.raises(Conflict) as caught:
            client.ExecStart(exec_id, **options)
        assert caught.value.explanation == f"Container {full} {words}"


def test_in_a_restarting_container(client):
    policy = {"Name": "always"}
    client.ContainerCreate(
        name="box", Image="busybox", Cmd=["false"], HostConfig={"RestartPolicy": policy}
    )
    client.ContainerStart("box")
    full = client.ContainerInspect("box").Id
    with pytest.raises(Conflict) as caught:
        client.ContainerExec("box", Cmd=["true"])
    words = "is restarting, wait until the container is running"
    assert caught.value.explanation == f"Container {full} {words}"
    with pytest.raises(Conflict) as caught:
        client.ContainerAttach("box", stream=True, stdout=True)
    assert caught.value.explanation == f"container box {words}"


def test_its_size_once_it_has_ended(client, made):
    exec_id = made("true", Tty=True)
    client.ExecStart(exec_id, Tty=True).collect()
    with pytest.raises(NotFound, match=f"process does not exist {exec_id}: not found"):
        client.ExecResize(exec_id, h=1, w=1)


def test_pauses_with_its_container(engine, client, box, made):
    with client.ExecStart(made("sh", "-c", "sleep 1; echo a")) as duplex:
        client.ContainerPause(box)
        engine.clock.advance(60)
        client.ContainerUnpause(box)
        assert duplex.collect().stdout == b"a\n"


def test_ends_with_its_container(engine, client, box, made):
    exec_id, never = made("sh", "-c", "echo a; sleep 60"), made("true")
    with client.ExecStart(exec_id) as duplex:
        assert next(duplex).data == b"a\n"
        client.ContainerKill(box)
        assert list(duplex) == []
    assert client.ExecInspect(exec_id).ExitCode == 137
    with pytest.raises(Conflict, match="is not running"):
        client.ExecStart(never)
    # Engines forget the execs when they have cleaned up.
    engine.clock.advance(CLEANUP)
    for each in (exec_id, never):
        with pytest.raises(NotFound):
            client.ExecInspect(each)
    with pytest.raises(Conflict, match="is not running"):
        made("true")


def test_output_outlives_its_container(client, box, made):
    with client.ExecStart(made("sh", "-c", "echo a; sleep 60")) as duplex:
        client.ContainerDelete(box, force=True)
        assert duplex.collect().stdout == b"a\n"


def test_a_restarted_container_has_its_own(engine, client, box, made):
    client.ContainerRestart(box, t=0)
    exec_id = made("sh", "-c", "sleep 1; exit 5")
    client.ExecStart(exec_id, Detach=True)
    engine.clock.advance(2)
    assert client.ExecInspect(exec_id).ExitCode == 5


def test_detached_runs_on_alone(engine, client, made):
    exec_id = made("sh", "-c", "cat; sleep 1; exit 4")
    assert client.ExecStart(exec_id, Detach=True) is None
    assert inspected(client, exec_id).Running
    engine.clock.advance(1)
    assert inspected(client, exec_id).ExitCode == 4


def test_runs_on_when_its_client_has_left(engine, client, made):
    exec_id = made("sh", "-c", "sleep 1; echo lost; exit 6")
    client.ExecStart(exec_id).close()
    engine.clock.advance(1)
    assert inspected(client, exec_id).ExitCode == 6


def test_the_end_of_input_is_not_the_end_of_output(engine, client, made):
    with client.ExecStart(made("sh", "-c", "wc -c; sleep 1; echo here")) as duplex:
        duplex.write(b"12345")
        duplex.close_stdin()
        engine.clock.advance(1)
        assert duplex.collect().stdout == b"5\nhere\n"


def test_input_that_nobody_reads_waits_at_the_client(client, made):
    """No more than so much of it is kept; the end of the command frees the client."""
    exec_id = made("sleep", "60")
    duplex = client.with_options(timeout=0.05).ExecStart(exec_id)
    taken = 0
    while taken < 10 * MOST_INPUT:
        try:
            duplex.write(b"x" * 64 * 1024)
        except TimedOut:
            break
        taken += 64 * 1024
    assert taken <= MOST_INPUT
    duplex.close()


def test_a_terminal_is_of_the_creation_and_frames_are_of_the_start(client, made):
    script = ("sh", "-c", "test -t 1 && echo yes || echo no")
    assert list(client.ExecStart(made(*script, Tty=True))) == [("stdout", b"yes\r\n")]
    assert list(client.ExecStart(made(*script), Tty=True)) == [("console", b"no\n")]


BLOCKS = st.lists(st.binary(min_size=1, max_size=3000), max_size=8)


@settings(max_examples=40)
@given(BLOCKS)
def test_what_goes_in_comes_out(blocks):
    with Engine(clock="manual") as engine, engine.client("1.45", timeout=5) as client:
        client.ContainerCreate(name="box", Image="busybox", Cmd=["sleep", "600"])
        client.ContainerStart("box")
        exec_id = client.ContainerExec("box", Cmd=["cat"], **ATTACHED).Id
        output = client.ExecStart(exec_id).communicate(blocks)
        assert (output.stdout, output.stderr) == (b"".join(blocks), b"")
        assert client.ExecInspect(exec_id).ExitCode == 0


def test_a_slow_reader_makes_the_command_wait(engine, client, made):
    count = 200
    written = []

    def program(process):
        for number in range(count):
            while process.is_full:
                yield None
            process.write(1 + number % 2, b"x" * 64 * 1024)
            written.append(number)
        return 0

    engine.program("busybox", ["much"], program)
    with client.ExecStart(made("much")) as duplex:
        assert len(written) < count // 4
        stdout, stderr = duplex.collect()
    assert (len(stdout), len(stderr)) == (count * 32 * 1024, count * 32 * 1024)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_has_what_its_document_says(engine, made, version):
    exec_id = made("sh", "-c", "read _; exit 3", User="0", Tty=True, DetachKeys="ctrl-x")
    with engine.client(version, timeout=5) as client:
        inspected(client, exec_id)
        with client.ExecStart(exec_id, Tty=True) as duplex:
            inspected(client, exec_id)
            duplex.write(b"\n")
            assert duplex.text() == "\r\n"
        assert inspected(client, exec_id).ExitCode == 3


def test_a_process_inside_signals_another(engine, client):
    trap = "trap 'echo got; exit 6' USR1; while :; do sleep 1; done"
    client.ContainerCreate(name="trapped", Image="busybox", Cmd=["sh", "-c", trap])
    client.ContainerStart("trapped")
    command = ["sh", "-c", "kill -9 1; kill 4000000; kill -USR1 1; echo $?"]
    made = client.ContainerExec("trapped", Cmd=command, **ATTACHED).Id
    said = client.ExecStart(made).collect()
    assert said.stdout == b"0\n"
    assert said.stderr == b"sh: can't kill pid 4000000: No such process\n"
    engine.clock.advance(1)
    assert client.ContainerLogs("trapped", stdout=True).collect().stdout == b"got\n"
    assert client.ContainerInspect("trapped").State.ExitCode == 6
