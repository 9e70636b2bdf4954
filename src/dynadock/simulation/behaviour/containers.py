"""Containers: made, looked at, started, stopped and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.simulation.behaviour.container_filters import chosen
from dynadock.simulation.behaviour.container_views import inspected, listed
from dynadock.simulation.behaviour.creation import new_container
from dynadock.simulation.behaviour.table import behaviour
from dynadock.simulation.refusal import Refused, bad_request, conflict, server_error
from dynadock.simulation.replies import NOTHING, Later, NotModified, Streaming, Values
from dynadock.simulation.state.signals import is_signal, signal_named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.simulation.asked import Asked
    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.state import State


def _container(state: State, asked: Asked) -> Container:
    return state.containers.find(asked.get("id"))


@behaviour
def ContainerList(state: State, asked: Asked) -> Any:
    """The running ones, or all; the newest first; by every filter of the documents."""
    limit = asked.get("limit") or 0
    takes_all = bool(asked.get("all")) or limit > 0
    found = chosen(state, asked.filters, takes_all=takes_all)
    found.reverse()
    if limit > 0:
        found = found[:limit]
    return [listed(state, each, with_size=bool(asked.get("size"))) for each in found]


@behaviour
def ContainerCreate(state: State, asked: Asked) -> Any:
    """From a seeded, pulled or committed image; all of the configuration is kept and shown."""
    container, warnings = new_container(state, asked)
    return {"Id": container.id, "Warnings": warnings}


@behaviour
def ContainerInspect(state: State, asked: Asked) -> Any:
    """Everything that documents know, as far as it means something here."""
    return inspected(
        _container(state, asked), asked.operation.version, with_size=bool(asked.get("size"))
    )


@behaviour
def ContainerStart(state: State, asked: Asked) -> Any:
    """Runs the program of the command; complaints about it are runc's."""
    container = _container(state, asked)
    if (container.is_running and not container.is_paused) or container.status == "restarting":
        return NotModified()
    container.start()
    return None


@behaviour
def ContainerStop(state: State, asked: Asked) -> Any:
    """The stop signal, and KILL after the timeout; answers when the container has ended."""
    container = _container(state, asked)
    if not container.is_running and container.status != "restarting":
        return NotModified()
    refused = f"cannot stop container: {asked.get('id')}"
    container.stop(asked.get("t"), _stop_signal(asked, refused))
    return Later(lambda: None if container.is_running else NOTHING)


@behaviour
def ContainerRestart(state: State, asked: Asked) -> Any:
    """A stop, and a start as soon as it has ended."""
    container = _container(state, asked)
    before = container.run
    refused = f"Cannot restart container {asked.get('id')}"
    signal = _stop_signal(asked, refused) if container.is_running else ""
    try:
        container.restart(asked.get("t"), signal)
    except Refused as problem:
        raise server_error(f"{refused}: {problem.message}") from None
    return Later(lambda: None if container.run is before and before is not None else NOTHING)


@behaviour
def ContainerKill(state: State, asked: Asked) -> Any:
    """Any of Linux's signals; a first process ignores those that it does not handle."""
    name = asked.get("id")
    signal = _signal_to_send(name, _given_signal(asked) or "KILL")
    try:
        container = _container(state, asked)
    except Refused as refused:
        problem = f"cannot kill container: {name}: {refused.message}"
        raise Refused(problem, refused.status) from None
    container.kill(signal)


def _given_signal(asked: Asked) -> str:
    given = asked.get("signal")
    return "" if given is None else str(given)


def _signal_to_send(of: str, text: str) -> str:
    refused = f"cannot kill container: {of}: "
    if not is_signal(text):
        raise bad_request(f"{refused}invalid signal: {text}")
    name = signal_named(text)
    if name is None:
        raise bad_request(f"{refused}the linux daemon does not support signal {text}")
    return name


def _stop_signal(asked: Asked, refused: str) -> str:
    """Return the signal that a call names, empty for the container's own."""
    text = _given_signal(asked)
    if text and not is_signal(text):
        raise server_error(f"{refused}: invalid signal: {text}")
    return signal_named(text) or ""


@behaviour
def ContainerPause(state: State, asked: Asked) -> Any:
    """Its processes have no turns until it goes on."""
    _container(state, asked).pause()


@behaviour
def ContainerUnpause(state: State, asked: Asked) -> Any:
    """Its processes go on where they were."""
    _container(state, asked).unpause()


@behaviour
def ContainerRename(state: State, asked: Asked) -> Any:
    """Its name, everywhere at once."""
    name = (asked.get("name") or "").removeprefix("/")
    if not name:
        raise bad_request("Neither old nor new names may be empty")
    container = _container(state, asked)
    if name == container.name:
        raise bad_request("Renaming a container with the same name as its current name")
    try:
        state.containers.check_name(name, shown=f"/{name}")
    except Refused as refused:
        problem = f"Error when allocating new name: {refused.message}"
        raise Refused(problem, refused.status) from None
    old = container.name
    state.containers.rename(container, name)
    state.networks.rename(container)
    container.tell("rename", oldName=f"/{old}")


_STOP_FIRST = ": stop the container before removing or force remove"


@behaviour
def ContainerDelete(state: State, asked: Asked) -> Any:
    """With force a running one is killed; with v its anonymous volumes go as well."""
    container = _container(state, asked)
    if container.is_running or container.status == "restarting":
        if not asked.get("force"):
            how = " and must be unpaused first" if container.is_paused else _STOP_FIRST
            raise conflict(
                f'cannot remove container "/{container.name}": container is {container.status}{how}'
            )
        container.kill("KILL")

    def remove_once_ended() -> Any:
        if container.is_running:
            return None
        if container.status != "removed":
            state.containers.remove(container, with_volumes=bool(asked.get("v")))
        return NOTHING

    return Later(remove_once_ended)


@behaviour
def ContainerWait(state: State, asked: Asked) -> Any:
    """Its three conditions; the head of the reply goes out at once."""
    container = _container(state, asked)
    condition = asked.get("condition") or "not-running"
    if condition not in ("not-running", "next-exit", "removed"):
        raise bad_request(f'invalid condition: "{condition}"')
    # Counted now: the container may have come to its end before anybody draws a value.
    return Streaming(Values(_exit_of(container, condition, container.exits)))


def _exit_of(container: Container, condition: str, exits: int) -> Iterator[Any]:
    while not _has_come(container, condition, exits):
        yield None
    shown = {"StatusCode": container.exit_code}
    if container.error and container.status != "removed":
        yield shown | {"Error": {"Message": container.error}}
    else:
        yield shown


def _has_come(container: Container, condition: str, exits: int) -> bool:
    if container.status == "removed":
        return True
    if condition == "removed":
        return False
    if condition == "next-exit":
        return container.exits > exits
    return not container.is_running and container.status != "restarting"


@behaviour
def ContainerResize(state: State, asked: Asked) -> Any:
    """The size that the process's terminal has."""
    container = _container(state, asked)
    rows, columns = asked.get("h") or 0, asked.get("w") or 0
    container.ensure_running().resize(rows, columns)
    container.tell("resize", height=rows, width=columns)
