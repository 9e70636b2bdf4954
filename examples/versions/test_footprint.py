"""The tool on several engines and versions: see "Many versions and engines" in the guide."""

import footprint
import pytest


@pytest.fixture
def container(dynadock_client, dynadock_name):
    dynadock_client.ContainerCreate(
        name=dynadock_name, Image="busybox", Cmd=["sleep", "600"], Labels=dynadock_name.labels
    )
    dynadock_client.ContainerStart(dynadock_name)
    return dynadock_name


def test_an_image_has_a_size(dynadock_client):
    assert footprint.size_of_image(dynadock_client, "busybox") > 1000


def test_containers_are_found_by_label(dynadock_client, container):
    assert footprint.named_by_label(dynadock_client, container.labels) == [container]


def test_space_is_left(dynadock_client, dynadock_name):
    dynadock_client.VolumeCreate(Name=dynadock_name, Labels=dynadock_name.labels)
    assert footprint.free_space(dynadock_client, dynadock_name) > 0


@pytest.mark.dynadock_needs("HostConfig.CgroupnsMode")
def test_cgroups_are_private_if_that_is_asked_for(dynadock_client, dynadock_name):
    dynadock_client.ContainerCreate(
        name=dynadock_name, Image="busybox", HostConfig={"CgroupnsMode": "private"}
    )
    assert footprint.is_private(dynadock_client, dynadock_name)


@pytest.mark.dynadock_api("1.42-")
def test_a_stop_may_name_its_signal(dynadock_client, container):
    dynadock_client.ContainerStop(container, signal="KILL")
    assert dynadock_client.ContainerInspect(container).State.ExitCode == 137
