"""Commands from start to end in one call: run and execute."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from dynadock import APIError, CommandTimeout, Conflict, NotFound, execute, run
from engine.engines import STREAM_VERSIONS
from engine.things import LABELS, MINE, eventually, new_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dynadock import Client
    from engine.answers import Expected

    NewContainer = Callable[..., str]

pytestmark = pytest.mark.each_engine

ALL_BYTES = bytes(range(256))
BOTH = "echo out; echo err >&2; exit 7"


class Refused(Exception):
    """What a caller's own data may raise."""


def broken() -> Iterator[bytes]:
    yield b"begun"
    raise Refused


def names(client: Client) -> set[str]:
    """Return the names of all containers of this run, those that have ended too."""
    found = client.ContainerList(all=True, filters=MINE)
    return {name.removeprefix("/") for each in found for name in each.Names}


@pytest.mark.at(*STREAM_VERSIONS)
def test_run(client: Client, image: str) -> None:
    name = new_name("run")
    done = run(client, image, ["sh", "-c", BOTH], name=name, Labels=LABELS)
    assert done == (7, b"out\n", b"err\n")
    assert done.exit_code == 7
    assert name not in names(client)


@pytest.mark.at(*STREAM_VERSIONS)
def test_run_with_input(client: Client, image: str) -> None:
    data = ALL_BYTES * 4096
    assert run(client, image, "cat", stdin=data, Labels=LABELS) == (0, data, b"")


def test_run_with_input_that_is_not_read(client: Client, expected: Expected, image: str) -> None:
    done = run(client, image, "echo hello", stdin=ALL_BYTES * 8192, Labels=LABELS)
    case = "ContainerAttach: whether output survives input that is not read"
    survives = expected.value(case, True)
    assert done.exit_code == 0
    assert done.stdout in ({b"hello\n"} if survives else {b"hello\n", b""})


def test_run_with_input_that_raises(client: Client, image: str) -> None:
    name = new_name("run")
    with pytest.raises(Refused):
        run(client, image, "cat", stdin=broken(), name=name, Labels=LABELS)
    assert name not in names(client)


def test_run_at_a_terminal(client: Client, image: str) -> None:
    done = run(client, image, "sh -c 'test -t 1 && echo out; echo err >&2'", Tty=True)
    assert done == (0, b"out\r\nerr\r\n", b"")


def test_run_of_what_the_image_says(client: Client, new_container: NewContainer) -> None:
    says = 'CMD ["sh", "-c", "echo $COLOUR; pwd"]'
    made = client.ImageCommit(container=new_container(), changes=[says])
    fields = {"Env": ["COLOUR=red"], "WorkingDir": "/var", "HostConfig": {"NetworkMode": "none"}}
    assert run(client, made.Id, Labels=LABELS, **fields).stdout == b"red\n/var\n"
    client.ImageDelete(made.Id)


def test_run_that_takes_too_long(client: Client, image: str) -> None:
    name = new_name("run")
    with pytest.raises(CommandTimeout) as caught:
        run(
            client,
            image,
            ["sh", "-c", "echo begun; echo oh >&2; exec sleep 600"],
            timeout=2,
            name=name,
            Labels=LABELS,
        )
    assert (caught.value.stdout, caught.value.stderr) == (b"begun\n", b"oh\n")
    assert name not in names(client)


def test_run_without_removing(client: Client, image: str) -> None:
    name = new_name("run")
    assert run(client, image, "true", remove=False, name=name, Labels=LABELS).exit_code == 0
    # Podman says stopped until it has tidied up.
    eventually(lambda: client.ContainerInspect(name).State.Status == "exited")


def test_run_without_removing_that_takes_too_long(client: Client, image: str) -> None:
    name = new_name("run")
    with pytest.raises(CommandTimeout):
        run(client, image, "sleep 600", timeout=1, remove=False, name=name, Labels=LABELS)
    assert client.ContainerWait(name).StatusCode == 137


def test_run_without_the_image(client: Client) -> None:
    with pytest.raises(NotFound):
        run(client, new_name("nothing"), "true")


def test_run_of_no_such_command(client: Client, image: str) -> None:
    # Docker refuses to start it, Podman to attach to it, which prepares it for that.
    name = new_name("run")
    with pytest.raises(APIError, match="no-such-command"):
        run(client, image, "no-such-command", name=name, Labels=LABELS)
    assert name not in names(client)


def test_run_of_a_name_that_is_taken(client: Client, image: str, running: str) -> None:
    with pytest.raises(APIError, match="in use"):
        run(client, image, "true", name=running)
    assert client.ContainerInspect(running).State.Running


@pytest.mark.at(*STREAM_VERSIONS)
def test_execute(client: Client, running: str) -> None:
    assert execute(client, running, ["sh", "-c", BOTH]) == (7, b"out\n", b"err\n")
    assert execute(client, running, "echo 'two  words'").stdout == b"two  words\n"


@pytest.mark.at(*STREAM_VERSIONS)
def test_execute_with_input(client: Client, running: str) -> None:
    data = ALL_BYTES * 4096
    assert execute(client, running, "cat", stdin=data) == (0, data, b"")


def test_execute_with_input_of_many_kinds(client: Client, running: str) -> None:
    for data in (io.BytesIO(b"hello"), iter([b"hel", b"lo"])):
        assert execute(client, running, "wc -c", stdin=data).stdout == b"5\n"
    assert execute(client, running, "cat", stdin=b"") == (0, b"", b"")


def test_execute_with_input_that_is_not_read(
    client: Client, expected: Expected, running: str
) -> None:
    done = execute(client, running, "echo hello", stdin=ALL_BYTES * 8192)
    survives = expected.value("ExecStart: whether output survives input that is not read", True)
    assert done.exit_code == 0
    assert done.stdout in ({b"hello\n"} if survives else {b"hello\n", b""})


def test_execute_with_input_that_raises(client: Client, running: str) -> None:
    with pytest.raises(Refused):
        execute(client, running, "cat", stdin=broken())
    assert client.SystemPing() == "OK"


def test_execute_at_a_terminal(client: Client, running: str) -> None:
    done = execute(client, running, ["sh", "-c", "test -t 1 && echo out; exit 3"], Tty=True)
    assert done == (3, b"out\r\n", b"")


def test_execute_takes_further_fields(client: Client, running: str) -> None:
    done = execute(client, running, ["sh", "-c", "echo $COLOUR; pwd"], Env=["COLOUR=red"])
    assert done.stdout == b"red\n/\n"


def test_execute_that_takes_too_long(client: Client, running: str) -> None:
    with pytest.raises(CommandTimeout) as caught:
        execute(client, running, ["sh", "-c", "echo begun; exec sleep 2"], timeout=1)
    assert caught.value.stdout == b"begun\n"
    # It is not stopped: there is nothing in the API that could.
    eventually(lambda: not any("sleep 2" in row for row in commands(client, running)))


def commands(client: Client, container: str) -> list[str]:
    return [" ".join(row) for row in client.ContainerTop(container).Processes]


def test_execute_of_no_such_command(client: Client, expected: Expected, running: str) -> None:
    done = execute(client, running, "no-such-command")
    usual = [127, "stdout"]
    code, channel = expected.value("ExecStart: code and channel of no such command", usual)
    assert done.exit_code == code
    assert b"no-such-command" in getattr(done, channel)


def test_execute_where_nothing_runs(
    client: Client, expected: Expected, new_container: NewContainer
) -> None:
    with pytest.raises(NotFound):
        execute(client, new_name("nothing"), "true")
    name = new_container()
    with expected("ContainerExec: in a container that does not run"), pytest.raises(Conflict):
        execute(client, name, "true")
