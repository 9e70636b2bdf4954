"""Managed plugins, one that is made here and goes through the registry and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dynadock import NotFound
from engine.engines import STREAM_VERSIONS
from engine.plugin import ARCHITECTURE, archive
from engine.things import PREFIX, new_name

if TYPE_CHECKING:
    from dynadock import Client
    from engine.answers import Expected


@pytest.fixture
def plugin(client: Client, expected: Expected) -> str:
    """The name of a plugin of the test's own, not enabled."""
    name = f"{new_name('plugin')}:latest"
    with expected("PluginCreate"):
        assert client.PluginCreate(name=name, tarContext=archive(name)) is None
    return name


def test_inspect_and_list(client: Client, expected: Expected, plugin: str) -> None:
    with expected("PluginInspect"):
        seen = client.PluginInspect(plugin)
        assert (seen.Name, seen.Enabled) == (plugin, False)
        assert seen.Config.Entrypoint == ["/idle"]
    with expected("PluginList"):
        is_there = expected.value("PluginList: whether it has what was made", True)
        assert (plugin in {each.Name for each in client.PluginList()}) == is_there
        assert plugin not in {each.Name for each in client.PluginList(filters={"enabled": True})}


def test_set(client: Client, expected: Expected, plugin: str) -> None:
    with expected("PluginSet"):
        assert client.PluginSet(plugin, body=["COLOUR=blue"]) is None
        assert "COLOUR=blue" in client.PluginInspect(plugin).Settings.Env


def test_enable_and_disable(client: Client, expected: Expected, plugin: str) -> None:
    if client.SystemInfo().Architecture not in (ARCHITECTURE, "amd64"):
        pytest.skip(f"the plugin's program is for {ARCHITECTURE}")
    with expected("PluginEnable"):
        assert client.PluginEnable(plugin) is None
        assert client.PluginInspect(plugin).Enabled is True
    with expected("PluginDisable"):
        assert client.PluginDisable(plugin, force=True) is None
        assert client.PluginInspect(plugin).Enabled is False


def test_delete(client: Client, expected: Expected, plugin: str) -> None:
    with expected("PluginDelete"):
        assert client.PluginDelete(plugin) is None
        with pytest.raises(NotFound):
            client.PluginInspect(plugin)


@pytest.mark.at(*STREAM_VERSIONS)
def test_push_pull_and_upgrade(client: Client, expected: Expected, registry: str) -> None:
    name = f"{registry}/{PREFIX}:{new_name('plugin')}"
    digest, privileges = "", []
    with expected("PluginCreate"):
        # From an iterator, so that it is sent piece by piece.
        assert client.PluginCreate(name=name, tarContext=iter([archive(name)])) is None
    with expected("PluginPush"):
        digest = client.PluginPush(name, X_Registry_Auth={}).wait().Digest
        client.PluginDelete(name)
    with expected("GetPluginPrivileges"):
        privileges = client.GetPluginPrivileges(remote=name)
        assert "capabilities" in {each.Name for each in privileges}
    with expected("PluginPull"):
        with client.PluginPull(remote=name, name=name, body=privileges) as steps:
            said = [step.status for step in steps]
        assert any(digest in each for each in said)
    with expected("PluginUpgrade"):
        made = client.PluginUpgrade(name, remote=name, body=privileges).wait()
        assert made.Digest == digest
        assert client.PluginInspect(name).PluginReference == name


@pytest.mark.at(*STREAM_VERSIONS)
def test_push_and_pull_of_what_is_not_there(
    client: Client, expected: Expected, registry: str
) -> None:
    name = f"{registry}/{PREFIX}:{new_name('nothing')}"
    with pytest.raises(NotFound):
        client.PluginPush(name, X_Registry_Auth={})
    with expected("PluginPull: of what is not there"), pytest.raises(NotFound):
        client.PluginPull(remote=name, name=name, body=[])
