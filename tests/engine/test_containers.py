"""Containers and what runs in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dynadock import NOT_MODIFIED, BadRequest, Conflict, DoubtfulArgumentWarning, NotFound
from engine.things import LABEL, LABELS, MIB, MINE, PREFIX, eventually, new_name, tar_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock import Client
    from engine.answers import Expected

    NewContainer = Callable[..., str]


@pytest.fixture
def started(client: Client, new_container: NewContainer) -> str:
    """The name of a running container of the test's own."""
    name = new_container()
    client.ContainerStart(name)
    return name


def status(client: Client, name: str) -> str:
    return client.ContainerInspect(name).State.Status


def test_create_and_inspect(client: Client, image: str) -> None:
    name = new_name("web")
    made = client.ContainerCreate(
        name=name,
        Image=image,
        Cmd=["httpd", "-f"],
        Env=["COLOUR=red"],
        WorkingDir="/tmp",
        Labels=LABELS,
        ExposedPorts={"80/tcp": {}},
        HostConfig={
            "Memory": 64 * MIB,
            "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "0"}]},
            "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2},
            "CapAdd": ["NET_ADMIN"],
        },
    )
    seen = client.ContainerInspect(name)
    assert seen.Id == made.Id
    assert seen.Name == f"/{name}"
    assert seen.State.Status == "created"
    assert "COLOUR=red" in seen.Config.Env
    assert seen.Config.Cmd == ["httpd", "-f"]
    assert seen.Config.WorkingDir == "/tmp"
    assert seen.Config.Labels[LABEL] == PREFIX
    assert seen.HostConfig.Memory == 64 * MIB
    assert list(seen.HostConfig.PortBindings) == ["80/tcp"]
    assert seen.HostConfig.RestartPolicy.MaximumRetryCount == 2


def test_keys_in_other_letters_are_obeyed(client: Client, image: str) -> None:
    name = new_name("letters")
    fields = {"image": image, "LABELS": LABELS, "hostconfig": {"memory": 64 * MIB}}
    client.with_options(unknown="send").ContainerCreate(name=name, body=fields)
    seen = client.ContainerInspect(name)
    assert seen.HostConfig.Memory == 64 * MIB
    assert seen.Config.Labels[LABEL] == PREFIX


def test_a_port_that_only_its_bindings_name(
    client: Client, new_container: NewContainer, expected: Expected
) -> None:
    bindings = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "0"}]}
    with pytest.warns(DoubtfulArgumentWarning, match=r"write ExposedPorts=\{'80/tcp': \{\}\}"):
        name = new_container(HostConfig={"PortBindings": bindings})
    client.ContainerStart(name)
    published = [*(client.ContainerInspect(name).NetworkSettings.Ports or {})]
    assert published == expected.value("ContainerStart: ports that only their bindings name", [])


def test_inspect_with_size(client: Client, expected: Expected, running: str) -> None:
    least = expected.value("ContainerInspect: least size of busybox", MIB)
    assert client.ContainerInspect(running, size=True).SizeRootFs > least


def test_list(client: Client, running: str, new_container: NewContainer) -> None:
    waiting = new_container()

    def names(**arguments: object) -> set[str]:
        found = client.ContainerList(**arguments)
        return {name.removeprefix("/") for container in found for name in container.Names}

    assert running in names()
    assert waiting not in names()
    assert {running, waiting} <= names(all=True)
    assert names(all=True, filters={**MINE, "status": ["created"]}) >= {waiting}
    assert running not in names(all=True, filters={**MINE, "status": ["created"]})
    assert names(all=True, filters={"name": waiting}) == {waiting}
    assert names(all=True, filters={"label": f"{LABEL}=nothing"}) == set()


def test_start_and_stop(client: Client, new_container: NewContainer) -> None:
    name = new_container()
    assert client.ContainerStart(name) is None
    assert client.ContainerStart(name) is NOT_MODIFIED
    assert status(client, name) == "running"
    assert client.ContainerStop(name, t=0) is None
    assert client.ContainerStop(name, t=0) is NOT_MODIFIED
    assert status(client, name) == "exited"


@pytest.mark.parametrize("name", ["ContainerStop", "ContainerRestart"])
def test_a_container_that_takes_its_own_time_to_stop_is_waited_for(
    client: Client, new_container: NewContainer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("dynadock.bound.DEFAULT_TIMEOUT", 0.5)
    container = new_container(StopTimeout=2, StopSignal="SIGTERM")
    client.ContainerStart(container)
    assert client.operations[name](container) is None


def test_restart(client: Client, started: str) -> None:
    before = client.ContainerInspect(started).State.StartedAt
    assert client.ContainerRestart(started, t=0) is None
    after = client.ContainerInspect(started).State
    assert after.Status == "running"
    assert after.StartedAt != before


def test_kill_and_wait(client: Client, started: str) -> None:
    assert client.ContainerKill(started, signal="SIGKILL") is None
    assert client.ContainerWait(started).StatusCode == 137


def test_wait_for_an_exit_code(client: Client, new_container: NewContainer) -> None:
    name = new_container(Cmd=["sh", "-c", "exit 7"])
    client.ContainerStart(name)
    assert client.ContainerWait(name).StatusCode == 7
    assert client.ContainerInspect(name).State.ExitCode == 7


def test_pause(client: Client, started: str) -> None:
    assert client.ContainerPause(started) is None
    assert status(client, started) == "paused"
    assert client.ContainerUnpause(started) is None
    # Docker 26.1 notes it a moment later when it is busy (seen).
    eventually(lambda: status(client, started) == "running")


def test_rename(client: Client, new_container: NewContainer) -> None:
    old, new = new_container(), new_name("renamed")
    assert client.ContainerRename(old, name=new) is None
    assert client.ContainerInspect(new).Name == f"/{new}"
    with pytest.raises(NotFound):
        client.ContainerInspect(old)


def test_update(client: Client, expected: Expected, started: str) -> None:
    with expected("ContainerUpdate"):
        client.ContainerUpdate(started, Memory=32 * MIB, MemorySwap=64 * MIB, CpuShares=512)
        host_config = client.ContainerInspect(started).HostConfig
        assert host_config.Memory == 32 * MIB
        assert host_config.CpuShares == 512


def test_top(client: Client, running: str) -> None:
    top = client.ContainerTop(running)
    assert any("PID" in title for title in top.Titles)
    assert any("sleep 600" in cell for row in top.Processes for cell in row)


def test_changes(client: Client, new_container: NewContainer) -> None:
    name = new_container(Cmd=["touch", "/tmp/new"])
    client.ContainerStart(name)
    client.ContainerWait(name)
    changes = {change.Path: change.Kind for change in client.ContainerChanges(name)}
    assert changes["/tmp/new"] == 1


def test_resize(client: Client, new_container: NewContainer) -> None:
    name = new_container(Tty=True)
    client.ContainerStart(name)
    assert client.ContainerResize(name, h=24, w=80) is None


def test_delete(client: Client, expected: Expected, started: str) -> None:
    with expected("ContainerDelete: of a running one"), pytest.raises(Conflict):
        client.ContainerDelete(started)
    assert client.ContainerDelete(started, force=True, v=True) is None
    with pytest.raises(NotFound):
        client.ContainerInspect(started)


def test_prune(client: Client, new_container: NewContainer) -> None:
    label = f"{LABEL}.prune={new_name('prune')}"
    key, value = label.split("=")
    name = new_container(Labels={**LABELS, key: value})
    made = client.ContainerInspect(name).Id
    assert client.ContainerPrune(filters={"label": label}).ContainersDeleted == [made]


def test_copy_in_and_look(client: Client, new_container: NewContainer) -> None:
    name = new_container()
    archive = tar_of({"notes.txt": b"twelve bytes"})
    assert client.PutContainerArchive(name, path="/tmp", inputStream=archive) is None
    stat = client.ContainerArchiveInfo(name, path="/tmp/notes.txt").X_Docker_Container_Path_Stat
    assert (stat.name, stat.size) == ("notes.txt", 12)


def test_exec(client: Client, expected: Expected, running: str) -> None:
    name = new_name("file")
    made = client.ContainerExec(running, Cmd=["sh", "-c", f"touch /tmp/{name}; exit 3"])
    assert client.ExecInspect(made.Id).Running is False
    assert client.ExecStart(made.Id, Detach=True) is None
    eventually(lambda: f"/tmp/{name}" in _changed(client, running))
    ended = expected.value(
        "ExecInspect: Running and ExitCode of a detached one that ended", [False, 3]
    )
    seen = eventually(lambda: _exec_that_is(client, made.Id, ended))
    assert seen.ContainerID == client.ContainerInspect(running).Id
    assert seen.ProcessConfig.entrypoint == "sh"


def _changed(client: Client, container: str) -> set[str]:
    # Of a container without changes engines say null.
    return {each.Path for each in client.ContainerChanges(container) or ()}


def _exec_that_is(client: Client, exec_id: str, running_and_code: list[object]) -> object:
    seen = client.ExecInspect(exec_id)
    return seen if [seen.Running, seen.ExitCode] == running_and_code else None


def test_exec_resize(client: Client, running: str) -> None:
    made = client.ContainerExec(running, Cmd=["sleep", "600"], Tty=True, AttachStdout=True)
    client.ExecStart(made.Id, Detach=True, Tty=True)
    eventually(lambda: client.ExecInspect(made.Id).Running)
    assert client.ExecResize(made.Id, h=24, w=80) is None


def test_what_is_not_there(client: Client) -> None:
    name = new_name("nothing")
    with pytest.raises(NotFound) as caught:
        client.ContainerInspect(name)
    error = caught.value
    assert (error.status, error.operation_id) == (404, "ContainerInspect")
    assert name in error.explanation
    assert (error.version, error.host) == (client.version, str(client.endpoint))


def test_name_that_is_taken(
    client: Client, expected: Expected, image: str, new_container: NewContainer
) -> None:
    name = new_container()
    with expected("ContainerCreate: of a name that is taken"):
        with pytest.raises(Conflict) as caught:
            client.ContainerCreate(name=name, Image=image)
        assert caught.value.status == 409
        assert name in caught.value.explanation


def test_signal_that_there_is_not(client: Client, expected: Expected, running: str) -> None:
    with expected("ContainerKill: with an unknown signal"), pytest.raises(BadRequest):
        client.ContainerKill(running, signal="SIGNOTHING")


def test_what_makes_no_sense(client: Client, running: str) -> None:
    unchecked = client.with_options(validate=False)
    with pytest.raises(BadRequest) as caught:
        unchecked.ContainerResize(running, h="tall", w="wide")
    assert caught.value.status == 400
    assert "tall" in caught.value.explanation or '"h"' in caught.value.explanation


def test_error_without_a_body(client: Client, running: str) -> None:
    with pytest.raises(BadRequest) as caught:
        client.ContainerArchiveInfo(running, path="")
    assert "gave no reason" in caught.value.explanation
