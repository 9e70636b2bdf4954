"""Managed plugins, one that is made here and goes through the registry and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dynadock import NotFound
from engine.plugin import ARCHITECTURE, archive
from engine.things import PREFIX, new_name, progress

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
        assert plugin in {each.Name for each in client.PluginList()}
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


@pytest.fixture
def pushed(client: Client, expected: Expected, registry: str) -> str:
    """The name of a plugin that the registry has, and the engine no more."""
    name = f"{registry}/{PREFIX}:{new_name('plugin')}"
    with expected("PluginCreate"):
        client.PluginCreate(name=name, tarContext=archive(name))
        progress(client.PluginPush.raw(name, X_Registry_Auth={}))
        client.PluginDelete(name)
    return name


def test_pull_and_upgrade(client: Client, expected: Expected, pushed: str) -> None:
    with expected("GetPluginPrivileges"):
        privileges = client.GetPluginPrivileges(remote=pushed)
        assert "capabilities" in {each.Name for each in privileges}
        progress(client.PluginPull.raw(remote=pushed, name=pushed, body=privileges))
        progress(client.PluginUpgrade.raw(pushed, remote=pushed, body=privileges))
        assert client.PluginInspect(pushed).PluginReference == pushed
