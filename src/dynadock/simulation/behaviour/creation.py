"""From a creation's body to a container: what is checked, and what comes from the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.simulation.behaviour.checking import check_configuration, check_network_mode
from dynadock.simulation.behaviour.facts import facts
from dynadock.simulation.behaviour.mounting import give_mounts
from dynadock.simulation.behaviour.placing import place
from dynadock.simulation.refusal import bad_request
from dynadock.simulation.state.configs import copied, merged_config, usual
from dynadock.simulation.state.container import Container
from dynadock.simulation.state.log_drivers import check_log_config

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynadock.simulation.asked import Asked
    from dynadock.simulation.state.state import State
    from dynadock.spec.versions import Version

_OF_THE_CALL = ("HostConfig", "NetworkingConfig")


def new_container(state: State, asked: Asked) -> tuple[Container, list[str]]:
    """Make the container that a request describes; Refused for what engines refuse.

    Return it, with what the caller is warned of.
    """
    fields = asked.fields
    given = fields.get("HostConfig") or {}
    check_network_mode(fields, given)
    if not fields.get("Image"):
        raise bad_request("config cannot be empty in order to create a container")
    host_config = _host_config(given, asked.operation.version)
    check_configuration(fields, host_config)
    check_log_config(host_config["LogConfig"])
    image = state.images.find(fields["Image"])
    identity = state.ids.new_id()
    config = _config(fields, image.config, identity)
    if not (config["Entrypoint"] or config["Cmd"]):
        raise bad_request("no command specified")
    name = (asked.get("name") or "").removeprefix("/")
    container = Container(
        state,
        identity,
        name or state.containers.new_name(),
        image=image,
        config=config,
        host_config=host_config,
    )
    version = asked.operation.version
    warnings = place(state, container, fields.get("NetworkingConfig") or {}, version)
    if name:
        # Docker looks at the name when it is content with the rest (26.1).
        state.containers.check_name(name)
    container.make_working_folder()
    give_mounts(state, container)
    state.containers.add(container)
    container.tell("create")
    return container, warnings


def _config(fields: dict[str, Any], image: dict[str, Any], identity: str) -> dict[str, Any]:
    config = merged_config(usual("Config") | _said(fields), image)
    config["Hostname"] = config["Hostname"] or identity[:12]
    config["Labels"] = config["Labels"] or {}
    if config["Entrypoint"] == [""]:
        # So the image's entrypoint is put aside, and its command as well.
        config["Entrypoint"] = None
    return config


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a request says of a container itself; null says nothing."""
    return {
        name: copied(value)
        for name, value in fields.items()
        if value is not None and name not in _OF_THE_CALL
    }


_UNLIMITED = {"PidsLimit": 0, "MemorySwappiness": -1}
"""What the docker command sends where it means nothing, and engines forget (26.1)."""

_LEFT_OUT = ("KernelMemory", "KernelMemoryTCP")
"""What Go leaves out where it is 0."""


def _host_config(given: dict[str, Any], version: Version) -> dict[str, Any]:
    host_config = facts("HostConfig", version) | _said(given)
    policy = host_config["RestartPolicy"]
    host_config["RestartPolicy"] = {
        "Name": policy.get("Name") or "no",
        "MaximumRetryCount": policy.get("MaximumRetryCount", 0),
    }
    log_config = host_config["LogConfig"] or {}
    host_config["LogConfig"] = {
        "Type": log_config.get("Type") or "json-file",
        "Config": log_config.get("Config") or {},
    }
    if host_config["Memory"] and not host_config["MemorySwap"]:
        host_config["MemorySwap"] = 2 * host_config["Memory"]
    if host_config["NetworkMode"] in ("", "default"):
        host_config["NetworkMode"] = "bridge"
    for name, unlimited in _UNLIMITED.items():
        if (host_config.get(name) or 0) <= unlimited:
            host_config[name] = None
    for name in _LEFT_OUT:
        if not host_config.get(name):
            host_config.pop(name, None)
    return host_config
