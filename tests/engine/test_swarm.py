"""A swarm of one node: its services, tasks, secrets, configs, and cluster volumes."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from engine.engines import STREAM_VERSIONS
from engine.things import IMAGE, LABELS, MINE, SWARM_ADDRESS, eventually, known, new_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock import Client
    from dynadock.streams.frames import FrameStream
    from engine.answers import Expected
    from engine.engines import Target

NOWHERE = "there-is-none"
"""Stands for what could not be made because the engine refuses to."""

SLEEPS = {
    "Image": IMAGE,
    "Command": ["sh", "-c", "echo hello from inside; echo and oh >&2; exec sleep 600"],
    "StopGracePeriod": 0,
}


BOTH = {"stdout": True, "stderr": True}


class Made(NamedTuple):
    """A secret or a config."""

    id: str
    name: str


@pytest.fixture(scope="module")
def service(client: Client, expected: Expected, swarm: None) -> str:
    """The id of a service that the module's tests share, and that runs."""
    with expected("ServiceCreate"):
        made = new_service(client, EndpointSpec={"Mode": "vip"})
        eventually(lambda: states_of_tasks(client, made) == ["running"])
        return made
    return NOWHERE


def new_service(client: Client, **spec: Any) -> str:
    template = {"ContainerSpec": SLEEPS, "RestartPolicy": {"Condition": "none"}}
    spec = {"Name": new_name("service"), "Labels": LABELS, "TaskTemplate": template, **spec}
    return client.ServiceCreate(**spec, X_Registry_Auth={}).ID


def states_of_tasks(client: Client, service: str) -> list[str]:
    return [task.Status.State for task in client.TaskList(filters={"service": service})]


@pytest.fixture
def secret(client: Client, expected: Expected, swarm: None) -> Iterator[Made]:
    """A secret of the test's own."""
    name, made = new_name("secret"), NOWHERE
    with expected("SecretCreate"):
        made = client.SecretCreate(Name=name, Data=b"hush", Labels=LABELS).ID
    yield Made(made, name)
    with expected("SecretDelete"):
        assert client.SecretDelete(made) is None


@pytest.fixture
def config(client: Client, expected: Expected, swarm: None) -> Iterator[Made]:
    """A config of the test's own."""
    name, made = new_name("config"), NOWHERE
    with expected("ConfigCreate"):
        made = client.ConfigCreate(Name=name, Data=b"a=b", Labels=LABELS).ID
    yield Made(made, name)
    with expected("ConfigDelete"):
        assert client.ConfigDelete(made) is None


@pytest.fixture
def node(client: Client, expected: Expected, swarm: None) -> str:
    """The id of the swarm's only node."""
    with expected("NodeList"):
        return client.NodeList()[0].ID
    return NOWHERE


def test_swarm_inspect(client: Client, expected: Expected, swarm: None) -> None:
    with expected("SwarmInspect"):
        seen = client.SwarmInspect()
        assert seen.JoinTokens.Worker.startswith("SWMTKN-")
        assert seen.Spec.EncryptionConfig.AutoLockManagers is True


def test_swarm_update(client: Client, expected: Expected, swarm: None) -> None:
    before: dict[str, Any] = {"Spec": {}, "Version": {"Index": 1}, "JoinTokens": {}}
    with expected("SwarmInspect"):
        before = client.SwarmInspect()
    spec = {**before["Spec"], "Orchestration": {"TaskHistoryRetentionLimit": 3}}
    with expected("SwarmUpdate"):
        version = before["Version"]["Index"]
        assert client.SwarmUpdate(version=version, rotateWorkerToken=True, body=spec) is None
        after = client.SwarmInspect()
        assert after.Spec.Orchestration.TaskHistoryRetentionLimit == 3
        assert after.JoinTokens.Worker != before["JoinTokens"]["Worker"]


def test_swarm_unlock_key(client: Client, expected: Expected, swarm: None) -> None:
    with expected("SwarmUnlockkey"):
        assert client.SwarmUnlockkey().UnlockKey.startswith("SWMKEY-")


def test_swarm_unlock_of_what_is_not_locked(
    client: Client, expected: Expected, swarm: None
) -> None:
    with expected("SwarmUnlock"):
        client.SwarmUnlock(UnlockKey="SWMKEY-1-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")


def test_swarm_join_from_within_a_swarm(client: Client, expected: Expected, swarm: None) -> None:
    with expected("SwarmJoin"):
        client.SwarmJoin(
            ListenAddr=SWARM_ADDRESS,
            AdvertiseAddr="127.0.0.1",
            RemoteAddrs=["127.0.0.1:1"],
            JoinToken="SWMTKN-1-x",
        )


def test_node_list_and_inspect(client: Client, expected: Expected, node: str) -> None:
    with expected("NodeList"):
        assert [each.ID for each in client.NodeList(filters={"role": "manager"})] == [node]
        assert client.NodeList(filters={"role": "worker"}) == []
    with expected("NodeInspect"):
        assert client.NodeInspect(node).ManagerStatus.Leader is True


def test_node_update(client: Client, expected: Expected, node: str) -> None:
    version = 1
    with expected("NodeInspect"):
        version = client.NodeInspect(node).Version.Index
    with expected("NodeUpdate"):
        fields = {"Role": "manager", "Availability": "active", "Labels": {"colour": "red"}}
        assert client.NodeUpdate(node, version=version, **fields) is None
        assert client.NodeInspect(node).Spec.Labels.colour == "red"


def test_node_delete_of_the_only_manager(client: Client, expected: Expected, node: str) -> None:
    with expected("NodeDelete"):
        client.NodeDelete(node, force=True)


def test_service_inspect_and_list(client: Client, expected: Expected, service: str) -> None:
    with expected("ServiceInspect"):
        seen = client.ServiceInspect(service, insertDefaults=True)
        assert seen.Spec.TaskTemplate.ContainerSpec.Command == SLEEPS["Command"]
        assert seen.Spec.Mode.Replicated.Replicas == 1
    with expected("ServiceList"):
        assert service in {each.ID for each in client.ServiceList(filters=MINE)}
        status = known(client.ServiceList, status=True)
        (listed,) = client.ServiceList(filters={"id": service}, **status)
        assert ("ServiceStatus" in listed) == bool(status)
        assert not status or listed.ServiceStatus.RunningTasks == 1


def test_service_update_and_rollback(client: Client, expected: Expected, swarm: None) -> None:
    made, version = NOWHERE, 1
    spec: dict[str, Any] = {"Name": NOWHERE, "Labels": {}}
    with expected("ServiceCreate"):
        made = new_service(client, Mode={"Replicated": {"Replicas": 0}})
        seen = client.ServiceInspect(made)
        version, spec = seen.Version.Index, seen.Spec
    with expected("ServiceUpdate"):
        changed = {**spec, "Labels": {**spec["Labels"], "colour": "red"}}
        # What an engine says of a service has fields of later versions.
        update = client.with_options(unknown="send").ServiceUpdate
        update(made, version=version, registryAuthFrom="spec", body=changed)
        seen = client.ServiceInspect(made)
        assert seen.Spec.Labels.colour == "red"
        update(made, version=seen.Version.Index, rollback="previous", body=changed)
        assert "colour" not in client.ServiceInspect(made).Spec.Labels
    with expected("ServiceDelete"):
        assert client.ServiceDelete(made) is None


def test_service_update_of_an_old_version(client: Client, expected: Expected, service: str) -> None:
    spec: dict[str, Any] = {"Name": NOWHERE}
    with expected("ServiceInspect"):
        spec = client.ServiceInspect(service).Spec
    with expected("ServiceUpdate: of an old version"):
        client.with_options(unknown="send").ServiceUpdate(service, version=1, body=spec)


def test_tasks(client: Client, expected: Expected, service: str) -> None:
    task = NOWHERE
    with expected("TaskList"):
        (found,) = client.TaskList(filters={"service": service})
        task = found.ID
    with expected("TaskInspect"):
        seen = client.TaskInspect(task)
        assert seen.ServiceID == service
        assert seen.Status.State == "running"


@pytest.fixture
def task(client: Client, expected: Expected, service: str) -> str:
    """The id of the service's only task."""
    with expected("TaskList"):
        return client.TaskList(filters={"service": service})[0].ID
    return NOWHERE


def test_logs(client: Client, target: Target, expected: Expected, service: str, task: str) -> None:
    at = [client, *(client.at(str(v)) for v in target.engine.versions_at(*STREAM_VERSIONS))]
    written = (b"hello from inside\n", b"and oh\n")
    with expected("ServiceLogs"):
        eventually(lambda: all(client.ServiceLogs(service, **BOTH).collect()))
        assert [each.ServiceLogs(service, **BOTH).collect() for each in at] == [written] * len(at)
    with expected("TaskLogs"):
        assert [each.TaskLogs(task, **BOTH).collect() for each in at] == [written] * len(at)


def test_logs_that_are_followed(
    client: Client, expected: Expected, service: str, task: str
) -> None:
    with expected("ServiceLogs"):
        assert followed(client.ServiceLogs(service, follow=True, timestamps=True, **BOTH))
    with expected("TaskLogs"):
        assert followed(client.TaskLogs(task, follow=True, timestamps=True, **BOTH))


def followed(stream: FrameStream) -> bool:
    """Look at the lines that come first, and leave."""
    with stream:
        lines = stream.lines(timestamps=True)
        came = {next(lines), next(lines)}
    assert {(line.channel, line.text) for line in came} == {
        ("stdout", "hello from inside"),
        ("stderr", "and oh"),
    }
    return all(line.time is not None for line in came)


def test_logs_of_a_terminal(client: Client, expected: Expected, swarm: None) -> None:
    with expected("ServiceCreate"):
        made = new_service(client, TaskTemplate={"ContainerSpec": {**SLEEPS, "TTY": True}})
        eventually(lambda: client.ServiceLogs(made, **BOTH).text().count("\n") == 2)
        (task,) = client.TaskList(filters={"service": made})
        for logs in (client.ServiceLogs(made, **BOTH), client.TaskLogs(task.ID, **BOTH)):
            assert logs.is_terminal is True
            assert [line.text for line in logs.lines()] == ["hello from inside", "and oh"]
        client.ServiceDelete(made)


def test_secrets(client: Client, expected: Expected, secret: Made) -> None:
    seen = client.SecretInspect(secret.id)
    assert (seen.Spec.Name, dict(seen.Spec.Labels)) == (secret.name, LABELS)
    assert "Data" not in seen.Spec
    assert secret.id in {each.ID for each in client.SecretList()}
    with expected("SecretUpdate"):
        changed = {**seen.Spec, "Labels": {"colour": "red"}}
        update = client.with_options(unknown="send").SecretUpdate
        assert update(secret.id, version=seen.Version.Index, body=changed) is None
        assert client.SecretInspect(secret.id).Spec.Labels.colour == "red"


def test_configs(client: Client, expected: Expected, config: Made) -> None:
    spec: dict[str, Any] = {"Name": NOWHERE}
    version = 1
    with expected("ConfigInspect"):
        seen = client.ConfigInspect(config.id)
        version, spec = seen.Version.Index, seen.Spec
        assert base64.b64decode(spec["Data"]) == b"a=b"
    with expected("ConfigList"):
        assert config.id in {each.ID for each in client.ConfigList(filters=MINE)}
    with expected("ConfigUpdate"):
        changed = {**spec, "Labels": {"colour": "red"}}
        assert client.ConfigUpdate(config.id, version=version, body=changed) is None
        assert client.ConfigInspect(config.id).Spec.Labels.colour == "red"


def test_secret_and_config_in_a_service(
    client: Client, expected: Expected, secret: Made, config: Made
) -> None:
    file = {"UID": "0", "GID": "0", "Mode": 0o400}
    of_secret = {"Name": "hush", **file}
    of_config = {"Name": "/etc/settings", **file}
    container = {
        **SLEEPS,
        "Secrets": [{"SecretID": secret.id, "SecretName": secret.name, "File": of_secret}],
        "Configs": [{"ConfigID": config.id, "ConfigName": config.name, "File": of_config}],
    }
    with expected("ServiceCreate"):
        made = new_service(client, TaskTemplate={"ContainerSpec": container})
        seen = client.ServiceInspect(made).Spec.TaskTemplate.ContainerSpec
        assert dict(seen.Secrets[0].File) == of_secret
        assert dict(seen.Configs[0].File) == of_config
        client.ServiceDelete(made)


@pytest.mark.api("1.44-")
def test_a_filter_of_system_calls_is_given_as_its_bytes(
    client: Client, expected: Expected, swarm: None
) -> None:
    profile = b'{"defaultAction": "SCMP_ACT_ALLOW"}'
    filtered = {"Privileges": {"Seccomp": {"Mode": "custom", "Profile": profile}}}
    with expected("ServiceCreate"):
        made = new_service(client, TaskTemplate={"ContainerSpec": {**SLEEPS, **filtered}})
        seen = client.ServiceInspect(made).Spec.TaskTemplate.ContainerSpec.Privileges
        assert base64.b64decode(seen.Seccomp.Profile) == profile
        client.ServiceDelete(made)


def test_update_of_a_cluster_volume(client: Client, expected: Expected, swarm: None) -> None:
    name = new_name("volume")
    access = {"AccessMode": {"Scope": "single", "Sharing": "none", "MountVolume": {}}}
    drained = {"Availability": "drain", **access}
    with expected("VolumeUpdate"):
        update = client.VolumeUpdate
        volume, version = NOWHERE, 1
        with expected("VolumeCreate: of a cluster volume"):
            made = client.VolumeCreate(Name=name, Driver="csi.none", ClusterVolumeSpec=access)
            volume, version = made.ClusterVolume.ID, made.ClusterVolume.Version.Index
        assert update(volume, version=version, Spec=drained) is None
        seen = client.VolumeInspect(name).ClusterVolume
        assert seen.Spec.Availability == "drain"
        with expected("VolumeUpdate: by the volume's name"):
            update(name, version=seen.Version.Index, Spec=drained)
        assert client.VolumeDelete(name, force=True) is None
