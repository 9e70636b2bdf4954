"""A command in a container, from creation to its exit code, in one call.

These two functions are the only code that names operations; they use a client like any other
caller.
"""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from dynadock.call.values import shown
from dynadock.deadline import Deadline
from dynadock.errors import (
    APIError,
    CommandTimeout,
    Conflict,
    DynadockError,
    NotFound,
    ServerError,
    TimedOut,
)
from dynadock.secret import Hidden
from dynadock.streams.duplex import check_input
from dynadock.streams.frames import Gathered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dynadock.bound import BoundOperation
    from dynadock.client import Client
    from dynadock.streams.duplex import Duplex, Input

Value = TypeVar("Value", str, int, bool)

_OPERATIONS = {
    "create": "ContainerCreate",
    "attach": "ContainerAttach",
    "start": "ContainerStart",
    "wait": "ContainerWait",
    "kill": "ContainerKill",
    "remove": "ContainerDelete",
    "create exec": "ContainerExec",
    "start exec": "ExecStart",
    "inspect exec": "ExecInspect",
}

_PAUSES = (0.05, 0.2, 1.0)
"""Seconds between attempts to remove a container."""

_SHORTEST_PAUSE = 0.001
_LONGEST_PAUSE = 0.25


class Completed(NamedTuple):
    """A command that has ended: its exit code and what it wrote, as bytes.

    A terminal (``Tty=True``) has one output only, which is ``stdout``.
    """

    exit_code: int
    stdout: bytes
    stderr: bytes


def run(
    client: Client,
    image: str,
    command: str | Sequence[str] = (),
    *,
    stdin: Input | None = None,
    timeout: float | None = None,
    remove: bool = True,
    **fields: Any,
) -> Completed:
    """Run a command in a new container and return its exit code and output.

    Creates the container, attaches, starts it, sends ``stdin`` and its end, collects the output,
    waits for the exit code, and removes the container with its anonymous volumes. The engine must
    have ``image`` already. ``command``, if it is text, is split as a shell would split it; without
    ``command``, the image's own runs. ``fields`` are further arguments of the operation that
    creates containers (``HostConfig``, ``Env``, ``name``, ``platform``, …). ``remove=False`` keeps
    the container. ``stdin`` is bytes, an open binary file or an iterable of bytes; None gives the
    command no input.

    Output of more bytes than the option ``limit`` raises TooLarge.

    ``timeout`` are the seconds that the command may run: after these CommandTimeout is raised, with
    the output until then, and the container is killed and removed. Raises what the operations
    raise: NotFound if there is no such image, and so on; DynadockError for a reply that lacks what
    it has to have.
    """
    # An environment may hold secrets, and a traceback may show what is here.
    fields = Hidden(fields)
    host_config = fields.get("HostConfig")
    if isinstance(host_config, Mapping) and host_config.get("AutoRemove"):
        raise ValueError("HostConfig.AutoRemove: leave it out; run removes the container itself")
    running = _Command(f"a command in {image}", timeout)
    has_input = check_input(stdin)
    attached = {"AttachStdin": has_input, "AttachStdout": True, "AttachStderr": True}
    once = {"OpenStdin": has_input, "StdinOnce": has_input}
    first = {"Image": image, "Cmd": _words(command) or None}
    wanted = Hidden({**first, **attached, **once, **fields})
    container = _field(client, "create", _operation(client, "create")(**wanted), "Id", str)
    attaching = client.with_options(tty=bool(fields.get("Tty")))
    try:
        with running.in_time():
            return _run(attaching, container, stdin, running)
    except BaseException as error:
        # Killed before it is removed, since Podman 5 sends SIGTERM first and waits for 10 s.
        if remove or isinstance(error, CommandTimeout):
            _kill(client, container)
        raise
    finally:
        if remove:
            _remove(client, container)


def _run(client: Client, container: str, stdin: Input | None, command: _Command) -> Completed:
    channels = {"stdin": stdin is not None, "stdout": True, "stderr": True}
    attach = _operation(_limited(client, command.deadline), "attach")
    # Attached before it starts, so that nothing of its output is missed.
    with attach(container, stream=True, **channels) as duplex:
        _operation(_limited(client, command.deadline), "start")(container)
        command.collect(duplex, stdin)
    ended = _operation(_limited(client, command.deadline), "wait")(container)
    return command.ended(_field(client, "wait", ended, "StatusCode", int))


def _kill(client: Client, container: str) -> None:
    """Kill a container, unless it has ended already or did not start."""
    with contextlib.suppress(APIError):
        _operation(client, "kill")(container)


def _remove(client: Client, container: str) -> None:
    """Remove a container; Podman 4.3 refuses that for a moment while the container is ending."""
    for pause in _PAUSES:
        try:
            _operation(client, "remove")(container, force=True, v=True)
        except NotFound:
            return
        except (Conflict, ServerError):
            time.sleep(pause)
        else:
            return
    _operation(client, "remove")(container, force=True, v=True)


def execute(
    client: Client,
    container: str,
    command: str | Sequence[str],
    *,
    stdin: Input | None = None,
    timeout: float | None = None,
    **fields: Any,
) -> Completed:
    """Run a command in a running container and return its exit code and output.

    ``command``, if it is text, is split as a shell would split it. ``fields`` are further arguments
    of the operation that creates execs (``Env``, ``User``, ``WorkingDir``, ``Tty``, …). ``stdin``
    is as for `run`.

    Output of more bytes than the option ``limit`` raises TooLarge.

    After ``timeout`` seconds CommandTimeout is raised, with the output until then; the command
    itself may go on, since the API has no way to stop an exec. Raises what the operations raise:
    NotFound without the container, Conflict if it does not run; DynadockError for a reply that
    lacks what it has to have.
    """
    # As in `run`.
    fields = Hidden(fields)
    running = _Command(f"a command in {container}", timeout)
    attached = {"AttachStdin": check_input(stdin), "AttachStdout": True, "AttachStderr": True}
    is_terminal = bool(fields.get("Tty"))
    wanted = Hidden({"Cmd": _words(command), **attached, **fields})
    created = _operation(client, "create exec")(container, **wanted)
    exec_id = _field(client, "create exec", created, "Id", str)
    with running.in_time():
        starting = _limited(client, running.deadline).with_options(tty=is_terminal)
        with _operation(starting, "start exec")(exec_id, Tty=is_terminal) as duplex:
            running.collect(duplex, stdin)
        return running.ended(_exit_code(client, exec_id, running.deadline))


def _exit_code(client: Client, exec_id: str, deadline: Deadline) -> int:
    """Return the exit code; engines report it a moment after the output has ended."""
    pause = _SHORTEST_PAUSE
    inspect = _operation(client, "inspect exec")
    while True:
        state = inspect(exec_id)
        is_running = _field(client, "inspect exec", state, "Running", bool)
        if not is_running and state.get("ExitCode", 0) is not None:
            return _field(client, "inspect exec", state, "ExitCode", int)
        if deadline.is_over():
            raise TimedOut(f"{exec_id[:12]} has no exit code yet")
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


class _Command:
    """A running command: its name in messages, its deadline, and its output so far."""

    def __init__(self, name: str, timeout: float | None) -> None:
        if timeout is not None and not timeout > 0:
            raise ValueError(f"timeout: expected seconds above 0 or None, got {timeout!r}")
        self.deadline = Deadline(timeout)
        self._name = name
        self._output = Gathered()

    def collect(self, duplex: Duplex, stdin: Input | None) -> None:
        """Send the input and gather the output until it ends."""
        with duplex.sending(stdin):
            duplex.gather(self._output)

    def ended(self, exit_code: int) -> Completed:
        return Completed(exit_code, *self._output.output())

    @contextlib.contextmanager
    def in_time(self) -> Iterator[None]:
        """Turn a TimedOut into CommandTimeout if the command's time is over."""
        try:
            yield
        except TimedOut as error:
            if not self.deadline.is_over():
                raise
            message = f"{self._name}: not done within {self.deadline.seconds:g} s"
            raise CommandTimeout(message, *self._output.output()) from error


def _operation(client: Client, does: str) -> BoundOperation:
    return client.operations[_OPERATIONS[does]]


def _field(client: Client, does: str, reply: Any, name: str, kind: type[Value]) -> Value:
    """Return a field of a reply; DynadockError where it is not what the engine has to send."""
    value = reply.get(name) if isinstance(reply, dict) else None
    if type(value) is kind and value != "":
        return value
    call = f"{_OPERATIONS[does]} (API {client.version}): {client.endpoint}"
    expected = f"a reply with {name} ({kind.__name__})"
    raise DynadockError(f"{call}: expected {expected}, got {shown(reply)}")


def _limited(client: Client, deadline: Deadline) -> Client:
    """Return a client whose calls end when the command's time is over."""
    left = deadline.left()
    return client if left is None else client.with_options(deadline=left, timeout=None)


def _words(command: str | Sequence[str]) -> list[str]:
    return shlex.split(command) if isinstance(command, str) else list(command)
