"""The engine itself: what it is, what it holds, and logging in to registries through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dynadock import Headers, ParameterError
from engine.things import LABELS, new_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock import Client
    from engine.answers import Expected
    from engine.engines import Target

    NewContainer = Callable[..., str]


def test_ping(client: Client, expected: Expected, target: Target) -> None:
    assert client.SystemPing() == "OK"
    with expected("SystemPingHead"):
        head = client.SystemPingHead()
        assert isinstance(head, Headers)
        assert head.Api_Version == str(target.engine.newest)


def test_version(client: Client, target: Target) -> None:
    version = client.SystemVersion()
    assert version.ApiVersion == str(target.engine.newest)
    assert version.Os == "linux"


def test_info(client: Client, image: str) -> None:
    info = client.SystemInfo()
    assert info.OSType == "linux"
    assert info.Images >= 1
    assert "bridge" in info.Plugins.Network


def test_data_usage(client: Client, expected: Expected, new_container: NewContainer) -> None:
    container = client.ContainerInspect(new_container()).Id
    volume = client.VolumeCreate(Name=new_name("volume"), Labels=LABELS).Name
    usage = client.SystemDataUsage()
    if "Containers" not in usage:
        # From 1.53 on there are summaries, with lists for who asks.
        usage = client.SystemDataUsage(verbose=True)
        kinds = ("Container", "Volume", "Image")
        containers, volumes, images = (usage[f"{kind}Usage"]["Items"] for kind in kinds)
    else:
        containers, volumes, images = usage.Containers, usage.Volumes, usage.Images
        has_size = expected.value("SystemDataUsage: layers have a size", True)
        assert (usage.LayersSize > 0) == has_size
    assert container in {each.Id for each in containers}
    assert volume in {each.Name for each in volumes}
    assert len(images) >= 1


def test_data_usage_of_one_kind(client: Client, expected: Expected) -> None:
    if "type" not in {each.name for each in client.SystemDataUsage.parameters}:
        with pytest.raises(ParameterError, match="arrived in"):
            client.SystemDataUsage(type=["volume"])
        return
    usage = client.SystemDataUsage(type=["volume", "container"])
    assert usage.get("Volumes", usage.get("VolumeUsage")) is not None
    case = "SystemDataUsage: whether it leaves out what was not asked for"
    assert (not usage.get("Images", usage.get("ImageUsage"))) == expected.value(case, True)


@pytest.mark.anywhere
def test_login(client: Client, expected: Expected, registry: str) -> None:
    with expected("SystemAuth"):
        reply = client.SystemAuth(username="tester", password="hunter2", serveraddress=registry)
        assert reply.Status == "Login Succeeded"
