"""What a simulated engine refuses of configurations, and what it makes of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dynadock import APIError, Client, load

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARED = {"NetworkMode": "container:other"}
MEGABYTE = 2**20

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"WorkingDir": "here"}, "the working directory 'here' is invalid"),
    ({"Env": ["=x"]}, "invalid environment variable: =x"),
    ({"StopSignal": "NONE"}, "invalid signal: NONE"),
    ({"Healthcheck": {"Interval": 5}}, "Interval in Healthcheck cannot be less than 1ms"),
    ({"Healthcheck": {"Retries": -1}}, "Retries in Healthcheck cannot be negative"),
    ({"HostConfig": {"Memory": MEGABYTE}}, "Minimum memory limit allowed is 6MB"),
    (
        {"HostConfig": {"Memory": 9 * MEGABYTE, "MemorySwap": 8 * MEGABYTE}},
        "Minimum memoryswap limit should be larger than memory limit",
    ),
    (
        {"HostConfig": {"MemorySwap": 8 * MEGABYTE}},
        "You should always set the Memory limit when using Memoryswap limit",
    ),
    (
        {"HostConfig": {"NanoCpus": 10**9, "CpuQuota": 5000}},
        "Conflicting options: Nano CPUs and CPU Quota cannot both be set",
    ),
    ({"HostConfig": {"CpuQuota": 1}}, "CPU cfs quota can not be less than 1ms (i.e. 1000)"),
    ({"HostConfig": {"OomScoreAdj": -5000}}, "range for oom score adj is [-1000, 1000]"),
    ({"HostConfig": {"PidMode": "odd"}}, "invalid PID mode: odd"),
    ({"HostConfig": {"CapAdd": ["ODD"]}}, 'invalid CapAdd: unknown capability: "CAP_ODD"'),
    ({"HostConfig": {"ExtraHosts": ["odd"]}}, 'bad format for add-host: "odd"'),
    (
        {"HostConfig": {"RestartPolicy": {"Name": "always", "MaximumRetryCount": 2}}},
        "maximum retry count can only be used with 'on-failure'",
    ),
    (
        {"HostConfig": {"RestartPolicy": {"Name": "always"}, "AutoRemove": True}},
        "can't create 'AutoRemove' container with restart policy",
    ),
    ({"Hostname": "h", "HostConfig": SHARED}, "hostname and the network mode"),
    (
        {"ExposedPorts": {"80/tcp": {}}, "HostConfig": SHARED},
        "port exposing and the container type",
    ),
    ({"HostConfig": {**SHARED, "Dns": ["1.1.1.1"]}}, "dns and the network mode"),
    ({"HostConfig": {"NetworkMode": "container:"}}, "invalid container format container:<name|id>"),
    # The network mode comes first, and even before the image.
    (
        {"Image": "nobody", "Hostname": "h", "HostConfig": {**SHARED, "Memory": 1}},
        "hostname and the network mode",
    ),
]


@pytest.fixture
def client() -> Iterator[Client]:
    with load("1.45", host="embedded://", timeout=10) as found:
        yield found


def make(client: Client, **fields: Any) -> str:
    body = {"Image": "busybox", "Cmd": ["sleep", "600"], **fields}
    client.ContainerCreate(name="box", body=body)
    return "box"


@pytest.mark.parametrize(("fields", "words"), REFUSED, ids=[words for _, words in REFUSED])
@pytest.mark.filterwarnings("ignore::dynadock.DoubtfulArgumentWarning")
def test_what_is_wrong_by_itself(client: Client, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(APIError) as caught:
        make(client, **fields)
    assert caught.value.status == 400
    assert words in caught.value.explanation


class TestUpdates:
    @pytest.mark.parametrize(
        ("host", "change", "words"),
        [
            ({}, {"Memory": 64 * MEGABYTE}, "smaller than already set memoryswap limit"),
            ({"CpuQuota": 5000}, {"NanoCpus": 10**9}, "as CPU Quota has already been set"),
            ({"NanoCpus": 10**9}, {"CpuQuota": 5000}, "as NanoCPUs has already been set"),
            ({"AutoRemove": True}, {"RestartPolicy": {"Name": "always"}}, "AutoRemove is enabled"),
        ],
    )
    def test_what_does_not_go_with_what_is_there(
        self, client: Client, host: dict[str, Any], change: dict[str, Any], words: str
    ) -> None:
        box = make(client, HostConfig=host)
        with pytest.raises(APIError) as caught:
            client.ContainerUpdate(box, body=change)
        assert caught.value.status == 409
        assert words in caught.value.explanation

    def test_only_what_is_said_changes(self, client: Client) -> None:
        box = make(client, HostConfig={"CpuShares": 5, "PidsLimit": 10})
        client.ContainerUpdate(box, body={"CpuShares": 0, "RestartPolicy": {"Name": "always"}})
        shown = client.ContainerInspect(box).HostConfig
        assert (shown.CpuShares, shown.PidsLimit) == (5, 10)
        assert shown.RestartPolicy == {"Name": "always", "MaximumRetryCount": 0}
        client.ContainerUpdate(box, body={"PidsLimit": -1, "RestartPolicy": {"Name": ""}})
        shown = client.ContainerInspect(box).HostConfig
        assert (shown.PidsLimit, shown.RestartPolicy.Name) == (0, "always")


class TestFromTheImage:
    def test_a_command_of_one_s_own_keeps_no_entrypoint(self, client: Client) -> None:
        client.ContainerCreate(name="first", Image="busybox")
        client.ImageCommit(
            container="first", repo="made", changes=['ENTRYPOINT ["echo"]', 'CMD ["from image"]']
        )
        for name, fields, command in (
            ("both", {}, ["echo", "from image"]),
            ("arguments", {"Cmd": ["own"]}, ["echo", "own"]),
            ("none", {"Entrypoint": [""], "Cmd": ["true"]}, ["true"]),
            ("own", {"Entrypoint": ["env"]}, ["env"]),
        ):
            client.ContainerCreate(name=name, Image="made", **fields)
            shown = client.ContainerInspect(name)
            assert [shown.Path, *shown.Args] == command, name

    def test_null_says_nothing(self, client: Client) -> None:
        make(client, Tty=None, HostConfig={"Privileged": None})
        shown = client.ContainerInspect("box")
        assert (shown.Config.Tty, shown.HostConfig.Privileged) == (False, False)

    def test_old_versions_share_memory(self, client: Client) -> None:
        make(client)
        assert client.ContainerInspect("box").HostConfig.IpcMode == "private"
        with load("1.39", host="embedded://", timeout=10) as old:
            make(old)
            assert old.ContainerInspect("box").HostConfig.IpcMode == "shareable"


class TestFiles:
    def test_the_working_folder_is_there_at_once(self, client: Client) -> None:
        box = make(client, WorkingDir="/made/up")
        paths = [each.Path for each in client.ContainerChanges(box)]
        assert paths == ["/made", "/made/up"]

    def test_even_where_programs_only_read(self, client: Client) -> None:
        box = make(client, WorkingDir="/made/up", HostConfig={"ReadonlyRootfs": True, "Init": True})
        client.ContainerStart(box)
        paths = {each.Path for each in client.ContainerChanges(box)}
        assert {"/made/up", "/sbin/docker-init"} <= paths

    def test_a_volume_is_seen_when_it_is_needed(self, client: Client) -> None:
        box = make(client, HostConfig={"Binds": ["data:/vol"]})
        assert not client.ContainerChanges(box)
        client.ContainerArchiveInfo(box, path="/vol")
        assert [each.Path for each in client.ContainerChanges(box)] == ["/vol"]


class TestInit:
    @pytest.mark.parametrize(
        ("command", "code", "why"),
        [
            ("not-a-command", 127, "No such file or directory"),
            ("/etc/passwd", 126, "Permission denied"),
        ],
    )
    def test_it_runs_whether_its_program_is_there_or_not(
        self, client: Client, command: str, code: int, why: str
    ) -> None:
        box = make(client, Cmd=[command], HostConfig={"Init": True})
        client.ContainerStart(box)
        assert client.ContainerWait(box).StatusCode == code
        with client.ContainerLogs(box, stdout=True, stderr=True) as logs:
            assert (
                logs.collect().stderr.decode() == f"[FATAL tini (7)] exec {command} failed: {why}\n"
            )

    def test_it_is_the_first_process(self, client: Client) -> None:
        box = make(client, HostConfig={"Init": True})
        client.ContainerStart(box)
        top = client.ContainerTop(box, ps_args="-o pid,ppid,args")
        (init, _, first), (_, parent, second) = top.Processes
        assert (first, second) == ("/sbin/docker-init -- sleep 600", "sleep 600")
        assert parent == init == str(client.ContainerInspect(box).State.Pid)


def test_who_cannot_start_for_its_user_has_no_places_for_mounts(client: Client) -> None:
    host = {"Init": True, "Tmpfs": {"/scratch": ""}, "Binds": ["data:/vol"]}
    box = make(client, User="stranger", HostConfig=host)
    with pytest.raises(APIError, match="unable to find user stranger"):
        client.ContainerStart(box)
    assert not client.ContainerChanges(box)
