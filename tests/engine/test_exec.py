"""Commands in a running container: their output, their input, their terminals, their end."""

from __future__ import annotations

import hashlib
import io
import select
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from dynadock import Conflict, NotFound, StreamClosed
from engine.engines import MAIN_VERSION, STREAM_VERSIONS, engines
from engine.things import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock import Client
    from engine.answers import Expected
    from engine.engines import Engine

    NewContainer = Callable[..., str]
    Exec = Callable[..., str]

pytestmark = pytest.mark.at(*STREAM_VERSIONS)

ALL_BYTES = bytes(range(256))

FEW, MANY = 50, 1000
"""Short commands in a row: on most engines, and on one."""

NUMBERS = 6_500_000
"""Counting up to this gives 50 MB."""


@pytest.fixture(scope="module")
def exec_in(client: Client, running: str) -> Exec:
    """Make an exec of a command in the common container, attached to, and give its id."""

    def make(*command: str, **fields: Any) -> str:
        attached = {"AttachStdin": True, "AttachStdout": True, "AttachStderr": True}
        return client.ContainerExec(running, Cmd=list(command), **{**attached, **fields}).Id

    return make


def exit_code(client: Client, exec_id: str) -> int:
    """Return the exit code, which engines note a moment after the output has ended."""
    return eventually(lambda: _ended(client, exec_id)).ExitCode


def _ended(client: Client, exec_id: str) -> Any:
    seen = client.ExecInspect(exec_id)
    return None if seen.Running or seen.ExitCode is None else seen


def test_output_apart(client: Client, exec_in: Exec) -> None:
    made = exec_in("sh", "-c", "echo out; echo err >&2; exit 7")
    with client.ExecStart(made) as duplex:
        assert duplex.is_terminal is False
        frames = set(duplex)
    assert frames == {("stdout", b"out\n"), ("stderr", b"err\n")}
    assert exit_code(client, made) == 7


def test_no_output(client: Client, exec_in: Exec) -> None:
    made = exec_in("true")
    assert list(client.ExecStart(made)) == []
    assert exit_code(client, made) == 0


@pytest.mark.parametrize("script", ["exit 0", "exit 255", "kill -9 $$"])
def test_exit_code(client: Client, exec_in: Exec, script: str) -> None:
    made = exec_in("sh", "-c", script)
    assert client.ExecStart(made).collect() == (b"", b"")
    assert exit_code(client, made) == {"exit 0": 0, "exit 255": 255, "kill -9 $$": 137}[script]


def test_talk_with_a_command(client: Client, exec_in: Exec) -> None:
    made = exec_in("cat")
    with client.ExecStart(made) as duplex:
        for word in (b"one\n", b"two\n"):
            duplex.write(word)
            assert next(duplex) == ("stdout", word)
        duplex.write(b"three")
        duplex.close_stdin()
        assert duplex.collect() == (b"three", b"")
        with pytest.raises(StreamClosed):
            duplex.write(b"four")
    assert exit_code(client, made) == 0


def test_output_goes_on_behind_the_end_of_input(client: Client, exec_in: Exec) -> None:
    made = exec_in("sh", "-c", "wc -c; sleep 0.2; echo still here")
    with client.ExecStart(made) as duplex:
        duplex.write(b"12345")
        duplex.close_stdin()
        assert [line.text for line in duplex.lines()] == ["5", "still here"]


def test_every_byte_both_ways(client: Client, exec_in: Exec) -> None:
    data = ALL_BYTES * 8192
    received = client.ExecStart(exec_in("cat")).communicate(data)
    assert received.stdout == data
    assert received.stderr == b""


def test_input_of_many_kinds(client: Client, exec_in: Exec) -> None:
    digest = hashlib.sha256(ALL_BYTES * 512).hexdigest()
    for data in (ALL_BYTES * 512, io.BytesIO(ALL_BYTES * 512), [ALL_BYTES] * 512):
        output = client.ExecStart(exec_in("sha256sum")).communicate(data)
        assert output.stdout.split()[0].decode() == digest


def test_command_that_does_not_read_its_input(
    client: Client, expected: Expected, exec_in: Exec
) -> None:
    made = exec_in("sh", "-c", "echo done")
    output = client.ExecStart(made).communicate(ALL_BYTES * 8192)
    survives = expected.value("ExecStart: whether output survives input that is not read", True)
    assert output.stdout in ({b"done\n"} if survives else {b"done\n", b""})
    assert exit_code(client, made) == 0


def test_terminal(client: Client, exec_in: Exec) -> None:
    made = exec_in("sh", "-c", "test -t 0 && echo out && echo err >&2; exit 3", Tty=True)
    with client.ExecStart(made, Tty=True) as duplex:
        assert duplex.is_terminal is True
        assert [line.text for line in duplex.lines()] == ["out", "err"]
    assert exit_code(client, made) == 3


def test_terminal_that_is_talked_to(client: Client, exec_in: Exec) -> None:
    made = exec_in("cat", Tty=True)
    with client.ExecStart(made, Tty=True) as duplex:
        # The terminal echoes what is typed; Ctrl-D is the end.
        duplex.write(b"hello\n\x04")
        assert duplex.collect() == (b"hello\r\nhello\r\n", b"")


def test_terminal_that_is_resized(client: Client, exec_in: Exec) -> None:
    made = exec_in("sh", "-c", "echo ready; read _; stty size", Tty=True)
    with client.ExecStart(made, Tty=True) as duplex:
        assert next(duplex).data == b"ready\r\n"
        duplex.resize(height=50, width=132)
        duplex.write(b"\n")
        assert duplex.text().split() == ["50", "132"]


def test_terminal_that_the_start_does_not_mention(
    client: Client, expected: Expected, exec_in: Exec
) -> None:
    channel = expected.value("ExecStart: channel of a terminal that it does not tell of", "stdout")
    assert list(client.ExecStart(exec_in("echo", "hello", Tty=True))) == [(channel, b"hello\r\n")]


def test_terminal_that_only_the_start_mentions(
    client: Client, expected: Expected, exec_in: Exec
) -> None:
    channel = expected.value("ExecStart: channel without a terminal that it tells of", "console")
    assert list(client.ExecStart(exec_in("echo", "hello"), Tty=True)) == [(channel, b"hello\n")]


def test_detached(client: Client, exec_in: Exec) -> None:
    assert client.ExecStart(exec_in("true"), Detach=True) is None


def test_closed_before_its_end(client: Client, exec_in: Exec) -> None:
    made = exec_in("sh", "-c", "echo begun; sleep 600")
    with client.ExecStart(made) as duplex:
        assert next(duplex).data == b"begun\n"
    with pytest.raises(StreamClosed):
        next(duplex)
    assert client.SystemPing() == "OK"


def test_raw_and_another_call(client: Client, exec_in: Exec) -> None:
    with client.ExecStart.raw(exec_in("echo", "hello")) as duplex:
        assert duplex.status == 101
        assert duplex.headers["Upgrade"] == "tcp"
        assert duplex.read() == b"\x01\0\0\0\0\0\0\x06hello\n"
    assert client.SystemPing() == "OK"
    output = client.ExecStart(exec_in("echo", "again")).collect()
    assert output.stdout == b"again\n"


def test_waiting_with_select(client: Client, expected: Expected, exec_in: Exec) -> None:
    with client.ExecStart(exec_in("cat")) as duplex:
        duplex.write(b"hello\n")
        if expected.value("ExecStart: whether there is a descriptor", True):
            assert select.select([duplex], [], [], 30)[0] == [duplex]
        assert next(duplex).data == b"hello\n"


def test_of_what_is_not_there(client: Client) -> None:
    with pytest.raises(NotFound):
        client.ExecStart("0" * 64)


def test_once_more(client: Client, expected: Expected, exec_in: Exec) -> None:
    made = exec_in("true")
    client.ExecStart(made).collect()
    with expected("ExecStart: of one that has run"):
        # Docker switches protocols first, and then can say so only as if the command did.
        assert b"has already run" in client.ExecStart(made).collect().stdout


def test_in_a_container_that_does_not_run(
    client: Client, expected: Expected, new_container: NewContainer
) -> None:
    name = new_container()
    with expected("ContainerExec: in a container that does not run"), pytest.raises(Conflict):
        client.ContainerExec(name, Cmd=["true"])


def test_command_that_there_is_not(client: Client, expected: Expected, exec_in: Exec) -> None:
    made = exec_in("no-such-command")
    stdout, stderr = client.ExecStart(made).collect()
    channel = "stdout" if b"no-such-command" in stdout else "stderr"
    assert b"no-such-command" in stdout + stderr
    came = [exit_code(client, made), channel]
    assert came == expected.value("ExecStart: code and channel of no such command", [127, "stdout"])


@pytest.mark.each_engine
@pytest.mark.timeout(300)
def test_no_first_byte_is_lost(client: Client, engine: Engine, exec_in: Exec) -> None:
    # The first bytes of a short command's output may come along with the reply's head.
    count = MANY if engine == _engine_with_patience() else FEW

    def echoed(number: int) -> bytes:
        return client.ExecStart(exec_in("echo", str(number), AttachStdin=False)).collect().stdout

    with ThreadPoolExecutor(4) as pool:
        came = list(pool.map(echoed, range(count)))
    assert came == [b"%d\n" % number for number in range(count)]


def _engine_with_patience() -> Engine:
    speakers = [each for each in engines() if MAIN_VERSION in each.main_versions]
    return (speakers or engines())[0]


class Digest:
    """A file that keeps nothing but the digest of what is written to it."""

    def __init__(self, turns: list[Digest]) -> None:
        self._sha256 = hashlib.sha256()
        self._turns = turns

    def write(self, data: bytes) -> None:
        self._sha256.update(data)
        if self._turns[-1:] != [self]:
            self._turns.append(self)

    def hexdigest(self) -> str:
        return self._sha256.hexdigest()


@cache
def digest_of(*numbers: int) -> str:
    sha256 = hashlib.sha256()
    lines = map(b"%d\n".__mod__, range(*numbers))
    while block := b"".join(islice(lines, 100_000)):
        sha256.update(block)
    return sha256.hexdigest()


@pytest.mark.each_engine
def test_100_megabytes_of_both_outputs(client: Client, exec_in: Exec) -> None:
    script = f"seq 1 {NUMBERS} & seq {NUMBERS} -1 1 >&2; wait"
    turns: list[Digest] = []
    stdout, stderr = Digest(turns), Digest(turns)
    client.ExecStart(exec_in("sh", "-c", script)).copy_to(stdout, stderr)
    assert stdout.hexdigest() == digest_of(1, NUMBERS + 1)
    assert stderr.hexdigest() == digest_of(NUMBERS, 0, -1)
    assert len(turns) > 100
