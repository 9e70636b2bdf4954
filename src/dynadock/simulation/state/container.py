"""One container and its life: created, running, paused, restarting, exited, removed.

Nothing here waits. What takes time in a container (stopping it, a restart's delay) is due on the
engine's clock, and whoever wants to know of it looks at the container's state.
"""

from __future__ import annotations

from contextlib import contextmanager
from posixpath import dirname
from typing import TYPE_CHECKING, Any

from dynadock.simulation.files.container import container_files
from dynadock.simulation.files.files import Files
from dynadock.simulation.programs.finding import NoProgram, init_without_program
from dynadock.simulation.programs.process import USUAL_PATH, Process, ProcessEntry
from dynadock.simulation.refusal import Refused, conflict
from dynadock.simulation.state import etc
from dynadock.simulation.state.environments import changed_environment
from dynadock.simulation.state.health import Health
from dynadock.simulation.state.log_drivers import NOTHING_LOGGED
from dynadock.simulation.state.logs import Log
from dynadock.simulation.state.runs import Run
from dynadock.simulation.state.signals import SIGNALS, signal_named
from dynadock.simulation.state.terminals import for_terminal
from dynadock.simulation.state.users import check_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dynadock.simulation.clock import Timer
    from dynadock.simulation.programs.process import Program
    from dynadock.simulation.state.endpoints import Endpoint
    from dynadock.simulation.state.execs import Exec
    from dynadock.simulation.state.images import Image
    from dynadock.simulation.state.mounts import Mount
    from dynadock.simulation.state.ports import Bindings
    from dynadock.simulation.state.sessions import Session
    from dynadock.simulation.state.state import State

USUAL_STOP_TIMEOUT = 10
"""Seconds from a stop's signal to KILL, where nobody says (seen on 26.1)."""

FIRST_DELAY = 0.1
LONGEST_DELAY = 60.0
STABLE_AFTER = 10.0
"""Seconds before a restart: doubled each time, and forgotten by who ran that long."""

NEVER_STARTED = 128
"""The exit code of who could not be started, unless the complaint is about the program."""

INIT = "/sbin/docker-init"
"""Where the init is mounted that an engine has, so that an empty file is seen there (26.1)."""


class Container:
    """A container, its files, its log, and its main process while it runs.

    ``program`` is what it runs whatever its command says, if it is not None. ``status`` is the
    documents' own word. ``exits`` counts how often it has come to an end, so that
    a waiter knows the next one.
    """

    def __init__(
        self,
        state: State,
        identity: str,
        name: str,
        *,
        image: Image | None,
        config: dict[str, Any],
        host_config: dict[str, Any],
    ) -> None:
        self.id = identity
        self.name = name
        self.image = image
        self.config = config
        self.host_config = host_config
        self.created = state.clock.now()
        layer = None if image is None else image.layer
        self.files = container_files(layer, state.clock.now)
        if host_config.get("ReadonlyRootfs"):
            cwd = config.get("WorkingDir") or "/"
            if not self.files.exists(cwd):
                self.files.make_folder(cwd, parents=True)
            self.files.read_only = True
        self.log = Log()
        self.endpoints: dict[str, Endpoint] = {}
        self.sandbox = ""
        self.etc = Files(now=state.clock.now)
        self.mounts: list[Mount] = []
        self.unplaced: list[Mount] = []
        self.ports: Bindings = {}
        self.execs: dict[str, Exec] = {}
        self.sessions: list[Session] = []
        self.status = "created"
        self.exit_code = 0
        self.error = ""
        self.started = 0
        self.finished = 0
        self.restart_count = 0
        self.exits = 0
        self.was_killed_for_memory = False
        self.health = Health(self, state)
        self.run: Run | None = None
        self.program: Program | None = None
        self._state = state
        self._is_stopped_by_hand = False
        self._was_sent_a_signal = False
        self._delay = FIRST_DELAY
        self._timer: Timer | None = None
        self._when_ended: list[Callable[[], None]] = []

    # What it is

    @property
    def is_running(self) -> bool:
        """Whether its main process is there, which may be paused."""
        return self.run is not None

    @property
    def is_paused(self) -> bool:
        """Whether it is paused."""
        return self.status == "paused"

    @property
    def is_tty(self) -> bool:
        """Whether its main process has a terminal."""
        return bool(self.config.get("Tty"))

    @property
    def log_driver(self) -> str:
        """Where its log goes."""
        return str(self.host_config["LogConfig"]["Type"])

    @property
    def pid(self) -> int:
        """Its main process's number as the host sees it, 0 while there is none."""
        return 0 if self.run is None else self.run.pid

    @property
    def image_name(self) -> str:
        """The image as it was named when the container was made."""
        return str(self.config.get("Image", ""))

    @property
    def command(self) -> list[str]:
        """The whole command: entrypoint and arguments."""
        return [*(self.config.get("Entrypoint") or ()), *(self.config.get("Cmd") or ())]

    @property
    def environment(self) -> dict[str, str]:
        """The variables of its processes."""
        env = {"PATH": USUAL_PATH, "HOSTNAME": str(self.config.get("Hostname", ""))}
        if self.is_tty:
            env["TERM"] = "xterm"
        env = changed_environment(env, self.config.get("Env") or ())
        env.setdefault("HOME", "/root")
        return env

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        return self.config.get("Labels") or {}

    def tell(self, action: str, **attributes: object) -> None:
        """Let everybody know what happened to it."""
        known = {**self.labels, "image": self.image_name, "name": self.name}
        self._state.events.add("container", action, self.id, {**known, **attributes})

    def processes(self) -> list[ProcessEntry]:
        """List what runs in it, execs too."""
        runs = [self.run, *(each.run for each in self.execs.values())]
        return [
            ProcessEntry(
                run.process.pid,
                0,
                run.process.user or "root",
                " ".join(run.process.argv),
                run.began,
                run.process.is_tty,
            )
            for run in runs
            if run is not None and run.exit_code is None
        ]

    def signal_process(self, pid: int, signal: str) -> bool:
        """Send one of its processes a signal from inside; False if none has that number.

        The kernel lets nobody inside kill the first one.
        """
        for run in (self.run, *(each.run for each in self.execs.values())):
            if run is not None and run.exit_code is None and run.process.pid == pid:
                if (pid, signal) != (1, "KILL"):
                    run.kill(signal)
                return True
        return False

    def drop(self) -> None:
        """Let nothing in it go on, and all who wait for it wait no more: it is forgotten."""
        self._forget_timer()
        self.health.stop()
        for run in (self.run, *(each.run for each in self.execs.values())):
            if run is not None:
                run.drop()
        self.run = None
        self._end_sessions()
        self.status = "removed"
        self._count_exit()

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy takes over: all but what is under way."""
        passing: dict[str, Any] = {"run": None, "sessions": [], "_timer": None, "_when_ended": []}
        return self.__dict__ | passing

    def come_back(self) -> None:
        """Go on as a copy of one that ran: its program begins anew, and nobody is told."""
        if self.status == "restarting":
            self._timer = self._state.clock.after(self._delay, self._restart_by_itself)
        elif self.status in ("running", "paused"):
            is_paused = self.status == "paused"
            self.run = self._begin()
            self.health.go_on()
            if is_paused:
                self.run.pause()

    # What can be done with it

    def start(self) -> None:
        """Begin to run; Refused if that is not possible, which the container remembers."""
        if self.is_paused:
            raise conflict("cannot start a paused container, try unpause instead")
        self._forget_timer()
        self.error = ""
        try:
            self._state.networks.connect(self)
            self._state.mounts.begin(self)
            self.make_working_folder()
            check_user(self.files, self.config.get("User") or "")
            self._state.mounts.place(self)
            etc.write(self._state, self)
            self._make_place_for_init()
            self.run = self._begin()
        except Refused as refused:
            self._fail(refused.message, NEVER_STARTED)
            raise
        except NoProgram as missing:
            complaint = _COMPLAINT.format(missing.complaint) + missing.behind
            self._fail(complaint, missing.exit_code)
            raise Refused(complaint, 400) from None
        self.status = "running"
        self.exit_code = 0
        self._is_stopped_by_hand = False
        self._was_sent_a_signal = False
        self.started = self._state.clock.now()
        self.tell("start")
        self.health.begin()

    @property
    def _cwd(self) -> str:
        return self.config.get("WorkingDir") or "/"

    def make_working_folder(self) -> None:
        """Make the folder where the program begins, even where it may only read."""
        if not self.files.exists(self._cwd):
            with self._writing():
                self.files.make_folder(self._cwd, parents=True)

    def _make_place_for_init(self) -> None:
        if self.host_config.get("Init") and not self.files.exists(INIT):
            with self._writing():
                self.files.make_folder(dirname(INIT), parents=True)
                self.files.write(INIT, b"", mode=0o644)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        is_read_only, self.files.read_only = self.files.read_only, False
        try:
            yield
        finally:
            self.files.read_only = is_read_only

    def _begin(self) -> Run:
        state = self._state
        process = Process(
            argv=self.command,
            env=self.environment,
            cwd=self._cwd,
            user=self.config.get("User") or "",
            hostname=str(self.config.get("Hostname", "")),
            files=self.files,
            now=state.clock.now,
            output=self._write,
            is_tty=self.is_tty,
            listed=self.processes,
        )
        process.kill = self.signal_process
        process.rows, process.columns = self.host_config.get("ConsoleSize") or (0, 0)
        program = self.program or self._found_program(process)
        has_init = bool(self.host_config.get("Init"))
        run = Run(state, process, program, self._ended, is_protected=not has_init)
        if has_init:
            # The host's number of the program itself, behind that of its init.
            state.ids.new_pid()
        run.sessions, self.sessions = self.sessions, []
        if not self.config.get("OpenStdin"):
            process.stdin.end()
        for session in run.sessions:
            session.join(run)
        run.begin()
        return run

    def _found_program(self, process: Process) -> Program:
        try:
            return self._state.programs.find(self.image, process)
        except NoProgram as missing:
            if not self.host_config.get("Init"):
                raise
            return init_without_program(missing.exit_code)

    def _write(self, channel: int, data: bytes) -> None:
        if self.is_tty:
            channel, data = 1, for_terminal(data)
        if self.log_driver != NOTHING_LOGGED:
            self.log.write(self._state.clock.now(), channel, data)
        if self.run is not None:
            self.run.output(channel, data)
        self._state.notify()

    def attach(self, session: Session) -> None:
        """Give somebody what the main process writes from now on, or once it runs."""
        if self.run is None:
            self.sessions.append(session)
            session.on_leave = self._leave
        else:
            self.run.attach(session)

    def _leave(self, session: Session) -> None:
        if session in self.sessions:
            self.sessions.remove(session)
        elif self.run is not None:
            self.run.detach(session)

    def _fail(self, why: str, exit_code: int) -> None:
        self.error = why
        self.exit_code = exit_code
        self._state.networks.disconnect(self)
        self._state.mounts.end(self)
        self._end_sessions()
        self._state.notify()
        if self.host_config.get("AutoRemove"):
            self._state.containers.remove(self, with_volumes=True)

    def _count_exit(self) -> None:
        self.exits += 1
        self._state.notify()

    def _end_sessions(self) -> None:
        for session in self.sessions:
            session.finish()
        self.sessions.clear()

    def _ended(self, exit_code: int) -> None:
        """Note that the main process has ended; everything else in the container ends with it."""
        state, now = self._state, self._state.clock.now()
        for each in list(self.execs.values()):
            each.end_with_container()
        state.execs.forget_soon(self)
        self.health.end()
        self.log.finish(now)
        if self.run is not None:
            for session in self.run.sessions:
                session.finish()
        self.run = None
        self.finished = now
        self.exit_code = exit_code
        state.networks.disconnect(self)
        state.mounts.end(self)
        seconds = (now - self.started) // 1_000_000_000
        self.tell("die", execDuration=seconds, exitCode=exit_code)
        when_ended, self._when_ended = self._when_ended, []
        if self._restarts(exit_code):
            self._wait_for_restart(seconds)
        else:
            self.status = "exited"
            self._count_exit()
        for act in when_ended:
            act()
        if self.host_config.get("AutoRemove") and not self.is_running:
            state.containers.remove(self, with_volumes=True)
        state.notify()

    # Restarts

    def _restarts(self, exit_code: int) -> bool:
        policy = self.host_config.get("RestartPolicy") or {}
        name = policy.get("Name") or "no"
        if self._is_stopped_by_hand:
            return False
        most = policy.get("MaximumRetryCount") or 0
        if name == "on-failure":
            return exit_code != 0 and (not most or self.restart_count < most)
        # Any signal is a stop for this policy (26.1).
        return name == "always" or (name == "unless-stopped" and not self._was_sent_a_signal)

    def _wait_for_restart(self, seconds_running: float) -> None:
        self.status = "restarting"
        if seconds_running >= STABLE_AFTER:
            self._delay = FIRST_DELAY
        self._timer = self._state.clock.after(self._delay, self._restart_by_itself)
        self._delay = min(self._delay * 2, LONGEST_DELAY)

    def _restart_by_itself(self) -> None:
        self._timer = None
        self.restart_count += 1
        try:
            self.start()
        except Refused:
            self.status = "exited"

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # Signals

    def kill(self, signal: str) -> None:
        """Send its main process a signal; TERM without SIG. Refused if there is none."""
        configured = self.config.get("StopSignal")
        # Whoever is killed by hand is not restarted, even by a signal that it ignores, and goes on
        # if it was paused (26.1).
        by_hand = signal == "KILL" or not configured or signal == self._stop_signal
        self._was_sent_a_signal = True
        if self.status == "restarting":
            if by_hand:
                self.give_up_restarting()
            return
        if self.run is None:
            raise conflict(
                f"cannot kill container: {self.name}: container {self.id} is not running"
            )
        self._is_stopped_by_hand = self._is_stopped_by_hand or by_hand
        self.tell("kill", signal=SIGNALS[signal])
        run = self.run
        if signal == "KILL":
            run.is_paused = False
        run.kill(signal)
        if by_hand and signal != "KILL" and self.is_paused:
            self.unpause()

    @property
    def _stop_signal(self) -> str:
        return signal_named(self.config.get("StopSignal") or "TERM") or "TERM"

    def give_up_restarting(self) -> None:
        """Let a container that waits for its next start be an ended one."""
        self._forget_timer()
        self._is_stopped_by_hand = True
        self.status = "exited"
        self._count_exit()

    def stop(self, timeout: int | None, signal: str = "") -> None:
        """Begin to stop: its signal at once, KILL after the timeout in seconds (-1: never).

        The event ``stop`` comes when it has stopped.
        """
        if self.run is None:
            self.give_up_restarting()
            return
        run = self.run
        seconds = timeout
        if seconds is None:
            configured = self.config.get("StopTimeout")
            seconds = USUAL_STOP_TIMEOUT if configured is None else configured
        self._is_stopped_by_hand = True
        self._when_ended.append(lambda: self.tell("stop"))
        self.kill(signal or self._stop_signal)
        self._is_stopped_by_hand = True
        if seconds >= 0:
            self._state.clock.after(seconds, lambda: self._kill_still(run))

    def _kill_still(self, run: Run) -> None:
        if self.run is run:
            self.kill("KILL")

    def restart(self, timeout: int | None, signal: str = "") -> None:
        """Stop it if it runs, and start it as soon as it has stopped."""
        if self.run is None:
            if self.status == "restarting":
                self._forget_timer()
            self.start()
            self.tell("restart")
            return
        self.stop(timeout, signal)
        self._when_ended.append(self._start_again)

    def _start_again(self) -> None:
        # The container is exited for no moment that anybody could see.
        auto_remove, self.host_config["AutoRemove"] = self.host_config.get("AutoRemove"), False
        try:
            self.start()
        except Refused:
            return
        finally:
            self.host_config["AutoRemove"] = auto_remove
        self.tell("restart")

    def pause(self) -> None:
        """Let nothing in it go on."""
        if self.is_paused:
            raise conflict(f"Container {self.id} is already paused")
        self._ensure_running()
        assert self.run is not None
        self.status = "paused"
        self.run.pause()
        for each in self.execs.values():
            each.pause()
        self.tell("pause")

    def unpause(self) -> None:
        """Let it go on."""
        if not self.is_paused:
            raise Refused(f"Container {self.id} is not paused", 500)
        assert self.run is not None
        self.status = "running"
        self.run.unpause()
        for each in self.execs.values():
            each.unpause()
        self.tell("unpause")

    def _ensure_running(self) -> None:
        if self.status == "restarting":
            raise conflict(
                f"Container {self.id} is restarting, wait until the container is running"
            )
        if self.run is None:
            raise conflict(f"container {self.id} is not running")

    def ensure_running(self) -> Run:
        """Return its main process's run; Refused, 409, without one."""
        self._ensure_running()
        assert self.run is not None
        return self.run


_COMPLAINT = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed:"
    " runc create failed: unable to start container process: {}: unknown"
)
