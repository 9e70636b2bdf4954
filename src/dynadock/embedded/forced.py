"""What tests put into an engine without asking it: images, and containers in any state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dynadock.simulation.asked import Asked
from dynadock.simulation.behaviour.containers import ContainerCreate
from dynadock.simulation.behaviour.creation import new_container
from dynadock.simulation.behaviour.networks import NetworkCreate
from dynadock.simulation.programs.canned import FOREVER, as_bytes
from dynadock.simulation.programs.process import STDOUT
from dynadock.simulation.state.seeds import seed, write_contents
from dynadock.spec.loader import load_version

if TYPE_CHECKING:
    from dynadock.simulation.behaviour.table import Behaviour
    from dynadock.simulation.engine import SimulatedEngine
    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.state import State

Variables = Mapping[str, str] | Sequence[str]
Contents = Mapping[str, str | bytes]

_HEALTH = ("starting", "healthy", "unhealthy")
STATUSES = (
    *("created", "running", "paused", "restarting", "removing", "exited", "dead"),
    *_HEALTH,
)
"""What a container may be made to be; the last three are running ones of that health."""


def variables(given: Variables) -> list[str]:
    """Return environment variables as engines have them: ``NAME=value``."""
    if isinstance(given, Mapping):
        return [f"{name}={value}" for name, value in given.items()]
    return list(given)


def words(command: str | Sequence[str]) -> list[str]:
    """Return a command as a list; TypeError for one text, which nobody splits here."""
    if isinstance(command, str):
        raise TypeError(f"a command is a list of words: expected {command.split()!r}?")
    return list(command)


def usual_command(image: str) -> list[str]:
    """Return the command of an image that says none: its name, without registry and tag."""
    return [image.rpartition("/")[2].partition("@")[0].partition(":")[0]]


def image_config(
    cmd: Sequence[str] | None,
    entrypoint: Sequence[str] | None,
    env: Variables,
    labels: Mapping[str, str] | None,
) -> dict[str, Any]:
    """Return an image's configuration, by the document's names."""
    given: dict[str, Any] = {
        "Cmd": None if cmd is None else words(cmd),
        "Entrypoint": None if entrypoint is None else words(entrypoint),
        "Env": variables(env),
        "Labels": dict(labels or {}),
    }
    return {key: value for key, value in given.items() if value}


def add_image(
    state: State,
    name: str,
    config: dict[str, Any],
    files: Contents,
    base: str | None,
    *,
    pullable: bool,
) -> str:
    """Add an image, which begins with the files of its base, and return its id.

    One without a command runs a program that does nothing until it is told to end.
    """
    has_command = bool(config.get("Cmd") or config.get("Entrypoint"))
    if not has_command:
        config["Cmd"] = usual_command(name)
    made = seed(state, name, files=files, config=config, base=base or "", pullable=pullable)
    if not has_command:
        state.programs.add(made.id, tuple(config["Cmd"]), FOREVER)
    return made.id


def container_body(
    image: str, cmd: Sequence[str] | None, env: Variables, labels: Mapping[str, str] | None
) -> dict[str, Any]:
    """Return the body of a container's creation."""
    body: dict[str, Any] = {"Image": image, "Env": variables(env)}
    if cmd is not None:
        body["Cmd"] = words(cmd)
    if labels is not None:
        body["Labels"] = dict(labels)
    return body


def add_container(
    engine: SimulatedEngine, name: str, body: dict[str, Any], status: str, exit_code: int
) -> Container:
    """Add a container that is in a state, whatever would have led there."""
    if status not in STATUSES:
        raise ValueError(f"status: expected one of {', '.join(STATUSES)}, got {status!r}")
    state = engine.state
    asked = _asked(engine, ContainerCreate, body)
    container, _ = new_container(state, asked._replace(arguments={"name": name}))
    if "Cmd" not in body and "Entrypoint" not in body:
        container.program = FOREVER
    _force(container, status, exit_code)
    return container


def write_logs(state: State, container: Container, output: str | bytes) -> None:
    """Let a container have written something to stdout."""
    container.log.write(state.clock.now(), STDOUT, as_bytes(output))
    container.log.finish(state.clock.now())


def _asked(engine: SimulatedEngine, behaviour: Behaviour, body: dict[str, Any]) -> Asked:
    operation = load_version(engine.newest)[behaviour.__name__]
    return Asked(operation, {}, body, {})


def _force(container: Container, status: str, exit_code: int) -> None:
    if status in ("running", "paused", *_HEALTH):
        container.start()
        if status == "paused":
            container.pause()
        elif status in _HEALTH:
            container.health.force(status)
    elif status != "created":
        container.status = status
        container.exit_code = exit_code
        container.started = container.finished = container.created


def add_volume(
    state: State,
    name: str,
    files: Contents,
    labels: Mapping[str, str] | None,
    options: Mapping[str, str] | None,
) -> None:
    """Add a volume with files, by absolute paths from its root."""
    volume = state.volumes.make(name, labels=labels, options=options)
    write_contents(volume.files, files)


def add_network(engine: SimulatedEngine, body: dict[str, Any]) -> str:
    """Add a network as a call with that body would, and return its id."""
    made: dict[str, str] = NetworkCreate(engine.state, _asked(engine, NetworkCreate, body))
    return made["Id"]
