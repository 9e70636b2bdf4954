"""Execs: further processes in running containers."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from dynadock.simulation.behaviour.output import output_type
from dynadock.simulation.behaviour.table import behaviour
from dynadock.simulation.refusal import Refused, bad_request, conflict, not_found, server_error
from dynadock.simulation.replies import TwoWay
from dynadock.simulation.state.detaching import DETACH_KEYS, parse_keys
from dynadock.simulation.state.sessions import Session

if TYPE_CHECKING:
    from dynadock.simulation.asked import Asked
    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.execs import Exec
    from dynadock.simulation.state.state import State


@behaviour
def ContainerExec(state: State, asked: Asked) -> Any:
    """A command in a running container, with its own environment, folder, user and terminal."""
    container = state.containers.find(asked.get("id"))
    if not asked.fields.get("Cmd"):
        raise bad_request("No exec command specified")
    _check_running(container, asked.get("id"))
    keys = asked.fields.get("DetachKeys")
    try:
        parse_keys(keys or DETACH_KEYS)
    except ValueError:
        raise server_error(f"Invalid escape keys ({keys}) provided") from None
    made = state.execs.create(container, dict(asked.fields))
    _resize(made, asked.fields)
    return {"Id": made.id}


@behaviour
def ExecStart(state: State, asked: Asked) -> Any:
    """Attached or detached; a command that cannot be run complains on stdout, exit code 126."""
    found = state.execs.find(asked.get("id"))
    _check_running(found.container, found.container.id)
    if asked.fields.get("Detach"):
        _begin(found, None)
        return None
    # Whether there are frames is what the start says; whether there is a terminal, the creation.
    is_raw = bool(asked.fields.get("Tty"))
    if is_raw:
        _resize(found, asked.fields)
    session = _session(state, found, is_raw=is_raw)
    try:
        _begin(found, session)
    except Refused as refused:
        # The connection is taken over already on engines.
        session.say(1, f"{refused.message}\r\n".encode())
        session.finish()
    return TwoWay(session, output_type(asked, is_tty=is_raw))


def _check_running(container: Container, name: str) -> None:
    container.ensure_running()
    if container.is_paused:
        raise conflict(f"Container {name} is paused, unpause the container before exec")


def _begin(found: Exec, session: Session | None) -> None:
    if found.exit_code is not None:
        raise conflict(f"Error: Exec command {found.id} has already run")
    if found.has_begun:
        raise conflict(f"Error: Exec command {found.id} is already running")
    found.begin(session)


def _session(state: State, found: Exec, *, is_raw: bool) -> Session:
    wanted = ((1, "AttachStdout"), (2, "AttachStderr"))
    keys = parse_keys(found.config.get("DetachKeys") or DETACH_KEYS)
    return Session(
        frozenset(channel for channel, name in wanted if found.config.get(name)),
        is_raw=is_raw,
        wants_input=bool(found.config.get("AttachStdin")),
        ends_input=not found.is_tty,
        changed=state.notify,
        keys=keys if found.is_tty else b"",
    )


def _resize(found: Exec, fields: dict[str, Any]) -> None:
    size = fields.get("ConsoleSize")
    if size:
        found.resize(*size)


@behaviour
def ExecInspect(state: State, asked: Asked) -> Any:
    """Whether it runs, its exit code, its process, and what it was made with."""
    found = state.execs.find(asked.get("id"))
    command: list[str] = found.config["Cmd"]
    user = found.config.get("User") or found.container.config.get("User")
    keys = parse_keys(found.config["DetachKeys"]) if found.config.get("DetachKeys") else b""
    process = {
        "tty": found.is_tty,
        "entrypoint": command[0],
        "arguments": command[1:],
        "privileged": bool(found.config.get("Privileged")),
    }
    return {
        "ID": found.id,
        "Running": found.is_running,
        "ExitCode": found.exit_code,
        "ProcessConfig": process | ({"user": user} if user else {}),
        "OpenStdin": bool(found.config.get("AttachStdin")),
        "OpenStderr": bool(found.config.get("AttachStderr")),
        "OpenStdout": bool(found.config.get("AttachStdout")),
        "CanRemove": False,
        "ContainerID": found.container.id,
        "DetachKeys": b64encode(keys).decode(),
        "Pid": found.pid,
    }


@behaviour
def ExecResize(state: State, asked: Asked) -> Any:
    """The size that the process's terminal has."""
    found = state.execs.find(asked.get("id"))
    _check_running(found.container, found.container.id)
    if found.exit_code is not None:
        raise not_found(f"process does not exist {found.id}: not found")
    found.resize(asked.get("h") or 0, asked.get("w") or 0)
