"""The engine itself: what it says of itself."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from dynadock.simulation.behaviour.facts import facts
from dynadock.simulation.behaviour.table import behaviour
from dynadock.simulation.clock import rfc3339
from dynadock.simulation.replies import Text

if TYPE_CHECKING:
    from dynadock.simulation.asked import Asked
    from dynadock.simulation.state.state import State

_PING = {
    "Builder-Version": "1",
    "Cache-Control": "no-cache, no-store, must-revalidate",
    "Pragma": "no-cache",
    "Swarm": "inactive",
}
"""What a ping says besides what every reply says; 1 is the builder that is no BuildKit."""


@behaviour
def SystemPing(state: State, asked: Asked) -> Any:
    """OK, and headers that say what it speaks; its builder is the one that is no BuildKit."""
    del state, asked
    return Text("OK", _PING)


@behaviour
def SystemPingHead(state: State, asked: Asked) -> Any:
    """As SystemPing, without the text."""
    del state, asked
    return Text("", _PING)


@behaviour
def SystemVersion(state: State, asked: Asked) -> Any:
    """The API versions that it speaks; the engine's own number says that it is embedded."""
    known = facts("Version", asked.operation.version)
    spoken = {"ApiVersion": str(state.versions.last), "MinAPIVersion": str(state.versions.first)}
    details = {
        name: str(known[name]) for name in ("Arch", "BuildTime", "GitCommit", "GoVersion", "Os")
    }
    details |= {"KernelVersion": known["KernelVersion"], "Experimental": "false", **spoken}
    engine = {"Name": "Engine", "Version": known["Version"], "Details": details}
    return {**known, **spoken, "Components": [engine]}


@behaviour
def SystemInfo(state: State, asked: Asked) -> Any:
    """Counts of what is there; a machine of 4 CPUs and 8 GiB that does not exist; no swarm."""
    known = facts("Info", asked.operation.version)
    states = Counter(each.status for each in state.containers)
    return {
        **known,
        "ID": state.identity,
        "Containers": states.total(),
        "ContainersRunning": states["running"],
        "ContainersPaused": states["paused"],
        "ContainersStopped": states.total() - states["running"] - states["paused"],
        "Images": len(state.images.by_id),
        "NEventsListener": state.events.readers,
        "SystemTime": rfc3339(state.clock.now()),
    }


@behaviour
def SystemAuth(state: State, asked: Asked) -> Any:
    """Every account is let in, and no token is given."""
    del state, asked
    return {"Status": "Login Succeeded", "IdentityToken": ""}
