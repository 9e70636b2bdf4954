"""The pytest plugin on engines: a user's suite, and that nothing of it is left."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from functools import partial

import pytest

from dynadock import APIError, NotFound
from dynadock.testing.names import RunId, is_left_over
from dynadock.testing.sweeping import sweep
from engine.things import IMAGE

SUITE = """
    import pytest

    @pytest.fixture
    def made(dynadock_client, dynadock_name):
        with open("names", "a") as file:
            print(dynadock_name, file=file)
        dynadock_client.VolumeCreate(Name=dynadock_name, Labels=dynadock_name.labels)
        dynadock_client.NetworkCreate(Name=f"{dynadock_name}-net")
        dynadock_client.ContainerCreate(
            name=f"{dynadock_name}-box",
            Image="busybox:latest",
            Cmd=["sleep", "600"],
            HostConfig={
                "NetworkMode": f"{dynadock_name}-net",
                "Mounts": [{"Type": "volume", "Source": dynadock_name, "Target": "/data"}],
            },
        )
        dynadock_client.ContainerStart(f"{dynadock_name}-box")
        dynadock_client.ImageTag("busybox:latest", repo=dynadock_name, tag="1")
        return f"{dynadock_name}-box"

    def test_state(dynadock_client, made):
        assert dynadock_client.ContainerInspect(made).State.Running

    def test_fails(made):
        raise RuntimeError("on purpose")

    @pytest.mark.dynadock_api("1.41-")
    @pytest.mark.dynadock_needs("HostConfig.CgroupnsMode")
    def test_newer(dynadock_client): dynadock_client.ContainerList()
"""


def names_in(client):
    found = [name for row in client.ContainerList(all=True) for name in row.Names]
    found += [row.Name for row in (*client.NetworkList(), *(client.VolumeList().Volumes or ()))]
    return found + [tag for row in client.ImageList() for tag in row.RepoTags or ()]


@pytest.mark.each_engine
def test_a_suite_leaves_nothing(client, engine, image, pytester, monkeypatch):
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    pytester.makepyfile(SUITE)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--tb=no"]
    address = "embedded" if engine.kind == "embedded" else f"x={engine.address}"
    command += [f"--dynadock-engine={address}", "--dynadock-api=1.40,newest", "-W", "error"]
    ran = subprocess.run(
        command, cwd=pytester.path, capture_output=True, text=True, check=False, timeout=100
    )
    assert "2 failed, 3 passed, 1 deselected" in ran.stdout, ran.stdout + ran.stderr
    made = (pytester.path / "names").read_text().split()
    assert len(made) == 4
    assert not [name for name in names_in(client) if any(each in name for each in made)]


@pytest.mark.each_engine
def test_what_an_earlier_run_has_left_is_removed(client, engine, image):
    # As a run elsewhere that began two days ago has named it.
    old = RunId("elsewh" + "0f000" + "dead").name()
    assert is_left_over(old)
    client.VolumeCreate(Name=f"{old}-data")
    client.ContainerCreate(name=old, Image=IMAGE, Labels=old.labels, Cmd=["sleep", "600"])
    client.ContainerStart(old)
    living = RunId.new().name()
    client.VolumeCreate(Name=living)
    try:
        assert sweep(client, is_left_over) == []
        assert not [each for each in names_in(client) if old in each]
        assert client.VolumeInspect(living).Name == living
    finally:
        assert sweep(client, partial(str.__eq__, living)) == []
    with pytest.raises(NotFound):
        client.VolumeInspect(living)


@pytest.mark.each_engine
def test_what_a_swarm_has_is_removed(swarm, client, image):
    name = RunId.new().name()
    task = {"ContainerSpec": {"Image": IMAGE, "Command": ["sleep", "600"]}}
    try:
        # Podman has secrets, and nothing else of this; an embedded engine has none of it.
        with suppress(APIError):
            client.SecretCreate(Name=f"{name}-secret", Data="aGVsbG8=")
        with suppress(APIError):
            client.ConfigCreate(Name=f"{name}-config", Data="aGVsbG8=", Labels=name.labels)
            client.ServiceCreate(Name=f"{name}-service", TaskTemplate=task)
    finally:
        assert sweep(client, partial(str.__eq__, name)) == []
    with suppress(APIError):
        assert name not in str([*client.SecretList()])
        assert name not in str([*client.ConfigList(), *client.ServiceList()])
