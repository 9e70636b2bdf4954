"""Execs: further processes in a running container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.simulation.programs.finding import NOT_EXECUTABLE, NOT_FOUND, NoProgram
from dynadock.simulation.programs.process import Process
from dynadock.simulation.refusal import Refused, not_found
from dynadock.simulation.state.environments import changed_environment
from dynadock.simulation.state.runs import Run
from dynadock.simulation.state.signals import FIRST_OF_SIGNALS, SIGNALS
from dynadock.simulation.state.terminals import for_terminal
from dynadock.simulation.state.users import check_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.simulation.files.files import Files
    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.sessions import Session
    from dynadock.simulation.state.state import State

MOST_KEPT = 64 * 1024
"""Bytes of a health check's output."""

CLEANUP = 0.5
"""Seconds from a container's end until its execs are forgotten."""

_COMPLAINT = "OCI runtime exec failed: exec failed: unable to start container process: {}: unknown"
_DETACHED = b"exec attach failed: error on attach stdin: read escape sequence\r\n"


class Exec:
    """A process that was asked for in a container: not begun, running or ended.

    ``config`` is what it was created with.
    """

    def __init__(
        self, state: State, container: Container, identity: str, config: dict[str, Any]
    ) -> None:
        self.id = identity
        self.container = container
        self.config = config
        self.run: Run | None = None
        self.exit_code: int | None = None
        self.has_begun = False
        self.pid = 0
        self.when_ended: Callable[[int], object] = _nothing
        self.output_so_far = b""
        self._state = state
        self._size: tuple[int, int] = (0, 0)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy takes over: all but what is under way, which has ended there."""
        ended = {"exit_code": FIRST_OF_SIGNALS + SIGNALS["KILL"]} if self.is_running else {}
        return self.__dict__ | {"run": None, "when_ended": _nothing} | ended

    @property
    def is_running(self) -> bool:
        """Whether it has begun and not ended."""
        return self.run is not None and self.exit_code is None

    @property
    def is_tty(self) -> bool:
        """Whether it has a terminal."""
        return bool(self.config.get("Tty"))

    def begin(self, session: Session | None) -> None:
        """Begin to run, for somebody who is attached or for nobody.

        What cannot be run is a complaint on stdout and exit code 126, as on engines.
        """
        self.has_begun = True
        container = self.container
        self._tell("exec_start: ")
        process = self._process()
        try:
            check_user(container.files, process.user)
            _check_folder(container.files, process.cwd)
            program = self._state.programs.find(container.image, process)
        except NoProgram as missing:
            self._fail(_COMPLAINT.format(missing.complaint) + missing.behind, session)
            return
        except Refused as refused:
            self._fail(refused.message, session)
            return
        run = self.run = Run(self._state, process, program, self._ended, is_protected=False)
        self.pid = run.pid
        if session is None:
            process.stdin.end()
        else:
            self._attach(session, run)
        run.begin()

    def _process(self) -> Process:
        container, config = self.container, self.config
        env = container.environment | ({"TERM": "xterm"} if self.is_tty else {})
        process = Process(
            argv=list(config["Cmd"]),
            env=changed_environment(env, config.get("Env") or ()),
            cwd=config.get("WorkingDir") or container.config.get("WorkingDir") or "/",
            user=config.get("User") or container.config.get("User") or "",
            hostname=str(container.config.get("Hostname", "")),
            files=container.files,
            now=self._state.clock.now,
            output=self._write,
            is_tty=self.is_tty,
            pid=self._state.ids.new_pid(),
            listed=container.processes,
        )
        process.kill = container.signal_process
        process.rows, process.columns = self._size
        return process

    def _attach(self, session: Session, run: Run) -> None:
        run.attach(session)
        session.on_detach = self._detach
        if not session.wants_input:
            run.process.stdin.end()

    def _detach(self, session: Session) -> None:
        """Let go of a terminal: for engines this is a failure, and the process ends (26.1)."""
        session.say(1, _DETACHED)
        session.finish()
        self.exit_code = NOT_EXECUTABLE
        if self.run is not None:
            self.run.end(NOT_FOUND)

    def tell_of_creation(self) -> None:
        """Let everybody know that there is a new exec."""
        self._tell("exec_create: ")

    def _tell(self, action: str) -> None:
        first, *rest = self.config["Cmd"]
        self.container.tell(f"{action}{first} {' '.join(rest)}", execID=self.id)

    def _fail(self, complaint: str, session: Session | None) -> None:
        self.exit_code = NOT_EXECUTABLE
        if session is not None:
            session.say(1, f"{complaint}\r\n".encode())
            session.finish()
        self.when_ended(NOT_EXECUTABLE)

    def _write(self, channel: int, data: bytes) -> None:
        if self.is_tty:
            channel, data = 1, for_terminal(data)
        if self.run is not None:
            self.run.output(channel, data)
        if len(self.output_so_far) < MOST_KEPT:
            self.output_so_far += data[:MOST_KEPT]
        self._state.notify()

    def _ended(self, exit_code: int) -> None:
        if self.exit_code is None:
            self.exit_code = exit_code
        self.container.tell("exec_die", execID=self.id, exitCode=exit_code)
        self.when_ended(exit_code)

    def end_with_container(self) -> None:
        """End it, as nothing outlives a container's main process."""
        if self.run is not None:
            self.run.end(FIRST_OF_SIGNALS + SIGNALS["KILL"])

    def kill(self) -> None:
        """End it."""
        self.end_with_container()

    def pause(self) -> None:
        """Pause it with its container."""
        if self.run is not None:
            self.run.pause()

    def unpause(self) -> None:
        """Let it go on with its container."""
        if self.run is not None:
            self.run.unpause()

    def resize(self, rows: int, columns: int) -> None:
        """Tell its terminal a new size, now or once it begins."""
        self._size = (rows, columns)
        if self.run is not None:
            self.run.resize(rows, columns)


def _check_folder(files: Files, path: str) -> None:
    """Refuse a working folder that there is not; unlike a container's, none is made."""
    if not path.startswith("/"):
        raise Refused(
            "OCI runtime exec failed: exec failed: Cwd must be an absolute path: unknown", 400
        )
    try:
        kind = files.stat(path).kind
    except OSError as error:
        problem = str(error.strerror).lower()
    else:
        problem = "" if kind == "folder" else "not a directory"
    if problem:
        complaint = f'chdir to cwd ("{path}") set in config.json failed: {problem}'
        raise NoProgram(complaint, NOT_EXECUTABLE)


def _nothing(_exit_code: int) -> None:
    """Do nothing when an exec has ended."""


class Execs:
    """All execs of an engine by their ids, as long as their containers are there."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.by_id: dict[str, Exec] = {}

    def create(self, container: Container, config: dict[str, Any]) -> Exec:
        """Make one that can be begun."""
        made = Exec(self._state, container, self._state.ids.new_id(), config)
        self.by_id[made.id] = made
        container.execs[made.id] = made
        made.tell_of_creation()
        return made

    def begin_hidden(self, container: Container, command: list[str]) -> Exec:
        """Run a command that nobody can ask for: a health check."""
        config = {"Cmd": command}
        made = Exec(self._state, container, self._state.ids.new_id(), config)
        self._state.soon(lambda: made.begin(None))
        return made

    def find(self, identity: str) -> Exec:
        """Return the exec of that id; Refused, 404, without one."""
        found = self.by_id.get(identity)
        if found is None:
            raise not_found(f"No such exec instance: {identity}")
        return found

    def forget(self, container: Container) -> None:
        """Forget those of a container that is removed, or has ended."""
        for identity in container.execs:
            self.by_id.pop(identity, None)
        container.execs.clear()

    def forget_soon(self, container: Container) -> None:
        """Forget those of a container that has ended, once their ends can have been looked at.

        Engines do so when they have cleaned up behind it, some moments later.
        """
        gone = list(container.execs)

        def forget() -> None:
            for identity in gone:
                self.by_id.pop(identity, None)
                container.execs.pop(identity, None)

        if gone:
            self._state.clock.after(CLEANUP, forget)
