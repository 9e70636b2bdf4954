"""What containers have written, and write: logs, of terminals too."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from closing import check_closed_while_read
from dynadock import BadRequest, NotFound, ParameterError, StreamClosed, TimedOut, load
from engine.engines import STREAM_VERSIONS
from engine.things import new_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock import Client
    from dynadock.streams.frames import FrameStream
    from engine.answers import Expected
    from engine.engines import Engine

    NewContainer = Callable[..., str]

pytestmark = pytest.mark.at(*STREAM_VERSIONS)

LONG = 50_000
"""Characters of a line that engines cut into several frames."""

SCRIPT = f"""
echo first
echo second >&2
head -c {LONG} /dev/zero | tr '\\0' x
echo
sleep 1.2
echo third
printf 'no end'
"""
STDOUT = ["first", "x" * LONG, "third", "no end"]
STDERR = ["second"]

BOTH = {"stdout": True, "stderr": True}


@pytest.fixture(scope="module")
def talkers(client: Client, new_container: NewContainer) -> dict[bool, str]:
    """Two containers that have written the same, the second (True) at a terminal."""
    names = {tty: new_container(Cmd=["sh", "-c", SCRIPT], Tty=tty) for tty in (False, True)}
    for name in names.values():
        client.ContainerStart(name)
    for name in names.values():
        assert client.ContainerWait(name).StatusCode == 0
    return names


@pytest.fixture(scope="module")
def talker(talkers: dict[bool, str]) -> str:
    """A container that has written to both of its outputs."""
    return talkers[False]


@pytest.fixture(scope="module")
def terminal(talkers: dict[bool, str]) -> str:
    """A container that has written to its terminal."""
    return talkers[True]


@pytest.fixture(scope="module")
def silent(client: Client, new_container: NewContainer) -> str:
    """A container that has written one line, and sleeps."""
    name = new_container(Cmd=["sh", "-c", "echo begun; exec sleep 600"])
    client.ContainerStart(name)
    return name


@pytest.fixture
def counting(client: Client, new_container: NewContainer) -> str:
    """A container that goes on writing, ten lines a second."""
    name = new_container(Cmd=["sh", "-c", "i=0; while sleep 0.1; do echo $((i+=1)); done"])
    client.ContainerStart(name)
    return name


def texts(stream: FrameStream, channel: str, **options: Any) -> list[str]:
    return [line.text for line in stream.lines(**options) if line.channel == channel]


def test_frames(client: Client, talker: str) -> None:
    with client.ContainerLogs(talker, **BOTH) as log:
        assert log.is_terminal is False
        frames = list(log)
    assert {frame.channel for frame in frames} == {"stdout", "stderr"}
    assert _joined(frames, "stdout") == "\n".join(STDOUT)
    assert _joined(frames, "stderr") == "second\n"
    assert len(frames) > len(STDOUT) + len(STDERR)


def _joined(frames: list[Any], channel: str) -> str:
    return b"".join(frame.data for frame in frames if frame.channel == channel).decode()


def test_lines(client: Client, talker: str) -> None:
    lines = list(client.ContainerLogs(talker, **BOTH).lines())
    assert [line.text for line in lines if line.channel == "stdout"] == STDOUT
    assert [line.text for line in lines if line.channel == "stderr"] == STDERR
    assert {line.timestamp for line in lines} == {None}


def test_one_output(client: Client, talker: str) -> None:
    assert texts(client.ContainerLogs(talker, stdout=True), "stdout") == STDOUT
    assert client.ContainerLogs(talker, stdout=True).collect().stderr == b""
    assert client.ContainerLogs(talker, stderr=True).collect() == (b"", b"second\n")


def test_text_and_collect(client: Client, talker: str) -> None:
    with client.ContainerLogs(talker, **BOTH) as log:
        written = b"".join(frame.data for frame in log)
    assert client.ContainerLogs(talker, **BOTH).text() == written.decode()
    output = client.ContainerLogs(talker, **BOTH).collect()
    assert output.stdout.decode() == "\n".join(STDOUT)
    assert output.stderr.decode() == "second\n"


def test_copy_to(client: Client, talker: str) -> None:
    stdout, stderr = io.BytesIO(), io.BytesIO()
    client.ContainerLogs(talker, **BOTH).copy_to(stdout, stderr)
    assert (stdout.getvalue(), stderr.getvalue()) == client.ContainerLogs(talker, **BOTH).collect()
    both = io.BytesIO()
    client.ContainerLogs(talker, **BOTH).copy_to(both)
    assert len(both.getvalue()) == len(stdout.getvalue()) + len(stderr.getvalue())


def test_timestamps(client: Client, talker: str) -> None:
    lines = list(client.ContainerLogs(talker, timestamps=True, **BOTH).lines(timestamps=True))
    assert [line.text for line in lines if line.channel == "stdout"] == STDOUT
    assert [line.text for line in lines if line.channel == "stderr"] == STDERR
    state = client.ContainerInspect(talker).State
    # Podman has whole seconds; Docker notes the end before it has read the last line.
    begin, end = (_moment(each) for each in (state.StartedAt, state.FinishedAt))
    leeway = timedelta(seconds=1)
    assert all(begin - leeway <= line.time <= end + leeway for line in lines)
    times = [line.time for line in lines if line.channel == "stdout"]
    assert times == sorted(times)
    assert times[-1] - times[0] >= timedelta(seconds=1)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_tail(client: Client, expected: Expected, talker: str) -> None:
    tail = texts(client.ContainerLogs(talker, tail="1", **BOTH), "stdout")
    assert tail == expected.value("ContainerLogs: tail of a line without an end", ["no end"])
    assert client.ContainerLogs(talker, tail="0", **BOTH).collect() == (b"", b"")
    assert len(list(client.ContainerLogs(talker, tail="all", **BOTH).lines())) == 5


def test_since_and_until(client: Client, talker: str) -> None:
    lines = list(client.ContainerLogs(talker, timestamps=True, **BOTH).lines(timestamps=True))
    (third,) = [line.time for line in lines if line.text == "third"]
    assert texts(client.ContainerLogs(talker, since=third, **BOTH), "stdout") == STDOUT[-2:]
    later = third + timedelta(hours=1)
    assert client.ContainerLogs(talker, since=later, **BOTH).collect() == (b"", b"")
    if "until" in {each.name for each in client.ContainerLogs.parameters}:
        assert texts(client.ContainerLogs(talker, until=third, **BOTH), "stdout") == STDOUT[:2]
    else:
        with pytest.raises(ParameterError, match="arrived in"):
            client.ContainerLogs(talker, until=third, **BOTH)


def test_terminal(client: Client, terminal: str) -> None:
    with client.ContainerLogs(terminal, **BOTH) as log:
        assert log.is_terminal is True
        frames = list(log)
    assert {frame.channel for frame in frames} == {"console"}
    assert _joined(frames, "console") == "\r\n".join(["first", "second", *STDOUT[1:]])
    lines = client.ContainerLogs(terminal, **BOTH).lines()
    assert [line.text for line in lines] == ["first", "second", *STDOUT[1:]]
    assert client.ContainerLogs(terminal, **BOTH).collect().stderr == b""


def test_terminal_with_timestamps(client: Client, terminal: str) -> None:
    lines = list(client.ContainerLogs(terminal, timestamps=True, **BOTH).lines(timestamps=True))
    short = [line.text for line in lines if len(line.text) < LONG]
    assert short == ["first", "second", *STDOUT[2:]]
    assert all(line.time is not None for line in lines)


def test_what_the_caller_says_of_a_terminal(client: Client, talker: str, terminal: str) -> None:
    raw = client.with_options(tty=True).ContainerLogs(terminal, **BOTH)
    assert raw.text().startswith("first\r\nsecond\r\n")
    framed = client.with_options(tty=False).ContainerLogs(talker, **BOTH)
    assert framed.collect().stderr == b"second\n"


def test_no_output_chosen(client: Client, talker: str) -> None:
    with pytest.raises(BadRequest, match="choose at least one stream"):
        client.ContainerLogs(talker)


def test_raw(client: Client, talker: str) -> None:
    reply = client.ContainerLogs.raw(talker, stderr=True)
    assert reply.status_code == 200
    assert reply.content == b"\x02\0\0\0\0\0\0\x07second\n"


def test_of_what_is_not_there(client: Client) -> None:
    with pytest.raises(NotFound):
        client.ContainerLogs(new_name("nothing"), **BOTH)


@pytest.mark.each_engine
def test_of_what_is_not_there_as_a_first_call(engine: Engine, client: Client) -> None:
    name = new_name("nothing")
    with load(client.version, host=engine.address) as fresh, pytest.raises(NotFound) as caught:
        fresh.ContainerLogs(name, **BOTH)
    assert name in caught.value.explanation


def test_follow_ends_with_the_container(client: Client, counting: str) -> None:
    with client.ContainerLogs(counting, follow=True, **BOTH) as log:
        lines = log.lines()
        assert next(lines).text == "1"
        client.ContainerStop(counting, t=0)
        rest = [line.text for line in lines]
    assert rest == [str(number) for number in range(2, 2 + len(rest))]


def test_follow_that_another_thread_closes(client: Client, silent: str) -> None:
    log = client.ContainerLogs(silent, follow=True, **BOTH)
    # Podman 4.3 sends not even the reply's head before there is output, so there must be some.
    assert next(log) == ("stdout", b"begun\n")
    check_closed_while_read(log)
    with pytest.raises(StreamClosed):
        next(log)


@pytest.mark.each_engine
def test_follow_of_silence(client: Client, silent: str) -> None:
    log = client.with_options(timeout=0.5).ContainerLogs(silent, follow=True, **BOTH)
    assert next(log) == ("stdout", b"begun\n")
    with pytest.raises(TimedOut):
        next(log)
    assert log.closed


@pytest.mark.each_engine
def test_follow_until_a_deadline(client: Client, counting: str) -> None:
    log = client.with_options(deadline=1).ContainerLogs(counting, follow=True, **BOTH)
    lines = []
    with pytest.raises(TimedOut):
        lines.extend(line.text for line in log.lines())
    assert log.closed
