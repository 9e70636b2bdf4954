"""What is asked of a container's places in networks: checked, and kept for when it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.simulation.behaviour.facts import facts
from dynadock.simulation.refusal import Refused, bad_request
from dynadock.simulation.state.endpoints import Endpoint, check_settings
from dynadock.simulation.state.networks import CONTAINER_MODE
from dynadock.simulation.state.ports import read_bindings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.state import State
    from dynadock.spec.versions import Version

_DEPRECATED = (
    "The container-wide MacAddress field is now deprecated. It should be specified in"
    " EndpointsConfig instead."
)


def place(
    state: State, container: Container, networking: Mapping[str, Any], version: Version
) -> list[str]:
    """Give a new container its places, without addresses; Refused for what engines refuse.

    Return what the caller is warned of. Networks need not be there before the container starts.
    """
    host_config = container.host_config
    host_config["PortBindings"] = read_bindings(host_config["PortBindings"])
    mode = str(host_config["NetworkMode"])
    main = state.networks.named(mode)
    if main is not None and mode != main.name:
        host_config["NetworkMode"] = main.id
        mode = main.name
    given = networking.get("EndpointsConfig") or {}
    asked = {_name_of(state, name): settings for name, settings in given.items()}
    if len(asked) > 1 and not facts("Networking", version)["many_at_creation"]:
        names = ", ".join(sorted(asked))
        raise bad_request(f"Container cannot be created with multiple network endpoints: {names}")
    if mode.startswith(CONTAINER_MODE):
        _share(state, container, mode.removeprefix(CONTAINER_MODE))
    elif not asked:
        asked = {mode: {}}
    if mode == "host":
        container.config["Hostname"] = facts("Info", version)["Name"]
    for name, settings in asked.items():
        container.endpoints[name] = Endpoint(name, _known(settings or {}))
    warnings = _keep_hardware_address(container, mode, version)
    _check_all(state, container)
    if mode.startswith(CONTAINER_MODE):
        container.endpoints.clear()
    if mode == "host" and host_config["PortBindings"]:
        warnings.append("Published ports are discarded when using host network mode")
    return warnings


def _name_of(state: State, name: str) -> str:
    """Return the name of a network that is named in one of its ways."""
    network = state.networks.named("bridge" if name == "default" else name)
    return name if network is None else network.name


def _known(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was asked for, without what only the engine says of a place."""
    return {name: settings[name] for name in ASKED if name in settings}


ASKED = ("IPAMConfig", "Links", "Aliases", "MacAddress", "DriverOpts", "GwPriority")


def _share(state: State, container: Container, name: str) -> None:
    """Let a container be in another one's networks, if that is there already."""
    try:
        other = state.containers.find(name)
    except Refused:
        return
    container.host_config["NetworkMode"] = f"{CONTAINER_MODE}{other.id}"


def _keep_hardware_address(container: Container, mode: str, version: Version) -> list[str]:
    """Move the container's one hardware address to its main network's, where that has none."""
    address = container.config.get("MacAddress")
    endpoint = container.endpoints.get(mode)
    if not address:
        return []
    if endpoint is not None:
        endpoint.asked.setdefault("MacAddress", address)
    if not facts("Networking", version)["many_at_creation"]:
        return []
    return [_DEPRECATED]


def _check_all(state: State, container: Container) -> None:
    """Refuse, 400, what cannot be asked of the networks, all of it in one text."""
    faults = []
    for name, endpoint in sorted(container.endpoints.items()):
        try:
            check_settings(state.networks.named(name), endpoint)
        except Refused as refused:
            faults.append(f"invalid config for network {name}: {refused.message}")
    if len(faults) > 1:
        faults = ["* " + fault.replace("\n", "\n\t") for fault in faults]
    if faults:
        raise bad_request("\n".join(faults))
