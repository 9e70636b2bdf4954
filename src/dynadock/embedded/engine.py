"""An engine inside the program, for tests and for machines that have no Docker."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Self

from dynadock.client import load
from dynadock.embedded.clock import EngineClock
from dynadock.errors import NotFound, StuckProgramWarning
from dynadock.simulation import registry
from dynadock.simulation.engine import SimulatedEngine
from dynadock.simulation.refusal import Refused
from dynadock.spec.versions import parse_range
from dynadock.warn import warn_caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from dynadock.client import Client
    from dynadock.embedded.faults import Fault
    from dynadock.embedded.forced import Contents, Variables
    from dynadock.embedded.place import SocketPlace
    from dynadock.simulation.calls import Call, Calls
    from dynadock.simulation.programs.function import Functions
    from dynadock.simulation.snapshots import Snapshot
    from dynadock.spec.loader import Source

_LAST_CHANCE = 1.0
"""Seconds that functions have to end in when their engine is closed."""

_NOT_FOUND = 404


class Engine:
    """A Docker engine in this process, which answers as Docker does and needs none.

    ``api`` are the API versions that it speaks (``"1.30-1.45"``, all by default). ``seed`` makes
    its ids and names the same each time. ``clock`` is ``"real"`` or ``"manual"``: that one stands
    still until ``engine.clock.advance(seconds)`` moves it. A ``strict`` one refuses (400) what the
    documents do not know or do not allow; the others are as lenient as engines are. By its ``name``
    it is found as ``embedded://name`` in the whole process.

    It is closed by ``with`` or `close`; until then nothing but running Python functions and a
    server, if ``url`` was asked for, takes a thread or a descriptor.

    Raises SpecError for a range without documents, ValueError for a name that another engine has.
    """

    def __init__(
        self,
        *,
        api: str | None = None,
        seed: int | str | None = None,
        clock: Literal["real", "manual"] = "real",
        strict: bool = False,
        name: str = "",
    ) -> None:
        if clock not in ("real", "manual"):
            raise ValueError(f"clock: expected 'real' or 'manual', got {clock!r}")
        self._engine = SimulatedEngine(
            versions=None if api is None else parse_range(api),
            seed=seed,
            manual_clock=clock == "manual",
            strict=strict,
        )
        self._state = self._engine.state
        self._name = registry.add(self._engine, name)
        self._functions: Functions | None = None
        self._place: SocketPlace | None = None
        self._engine.when_gone = self._leave_place
        self._is_closed = False
        self.clock = EngineClock(self._state)

    # How it is reached

    @property
    def address(self) -> str:
        """Its address in this process: what ``load(host=…)`` and ``$DOCKER_HOST`` here take."""
        return f"embedded://{self._name}"

    @property
    def url(self) -> str:
        """Its address for others, for ``$DOCKER_HOST``: a socket for this user alone.

        A server begins there when this is first asked for, with some threads, and ends with the
        engine.
        """
        if self._place is None:
            from dynadock.embedded.place import SocketPlace

            self._place = SocketPlace(self._engine)
            if not self._engine.is_gone:
                self._place.open()
        return self._place.url

    def _leave_place(self) -> None:
        if self._place is not None:
            self._place.leave()

    def client(self, source: Source | None = None, **options: Any) -> Client:
        """Return a client of this engine: ``load`` with its address.

        Without a version, the newest that both sides speak.
        """
        return load(source, host=self.address, **options)

    # What there is

    def add_image(
        self,
        name: str,
        *,
        cmd: Sequence[str] | None = None,
        entrypoint: Sequence[str] | None = None,
        env: Variables = (),
        labels: Mapping[str, str] | None = None,
        files: Contents | None = None,
        config: Mapping[str, Any] | None = None,
        base: str | None = "busybox",
        pullable: bool = False,
    ) -> str:
        """Add an image, and return its id; the name is taken from an image that has it.

        ``files`` are texts or bytes by absolute paths; those that begin with ``#!`` are executable.
        Whatever else an image configures goes into ``config``, by the document's names (``User``,
        ``WorkingDir``, ``Healthcheck``). It begins with all files of ``base``, or with none.
        With ``pullable`` it is not there until it is pulled. Without a command it runs a program
        that writes nothing and ends, well, when it is stopped.

        Raises NotFound without that base, ValueError or OSError for names and paths that cannot be.
        """
        from dynadock.embedded.forced import add_image, image_config

        with self._state.lock:
            given = image_config(cmd, entrypoint, env, labels)
            with self._refusing():
                return add_image(
                    self._state,
                    name,
                    given | dict(config or {}),
                    files or {},
                    base,
                    pullable=pullable,
                )

    def add_container(
        self,
        name: str,
        *,
        image: str = "busybox",
        status: str = "running",
        cmd: Sequence[str] | None = None,
        env: Variables = (),
        labels: Mapping[str, str] | None = None,
        exit_code: int = 0,
        logs: str | bytes = b"",
        body: Mapping[str, Any] | None = None,
    ) -> str:
        """Add a container in any state, and return its id.

        ``status`` is a container's (created, running, paused, restarting, removing, exited, dead)
        or the health of one that runs (starting, healthy, unhealthy). ``logs`` is what it has
        written to stdout; ``body`` has what else its creation says, by the document's names.
        Without a command, one that runs does nothing until it is stopped.

        Raises NotFound without the image, ValueError for another status or what engines refuse.
        """
        from dynadock.embedded.forced import add_container, container_body, write_logs

        asked = container_body(image, cmd, env, labels) | dict(body or {})
        with self._state.lock, self._refusing():
            try:
                made = add_container(self._engine, name, asked, status, exit_code)
                write_logs(self._state, made, logs)
                return made.id
            finally:
                self._state.settle()
                self._state.notify()

    def add_volume(
        self,
        name: str,
        *,
        files: Contents | None = None,
        labels: Mapping[str, str] | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        """Add a volume, with ``files`` by absolute paths from its root, or change one.

        Raises ValueError for what engines refuse.
        """
        from dynadock.embedded.forced import add_volume

        with self._state.lock, self._refusing():
            add_volume(self._state, name, files or {}, labels, options)

    def add_network(
        self,
        name: str,
        *,
        subnet: str = "",
        labels: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> str:
        """Add a network, and return its id.

        ``subnet`` is as in ``"10.1.0.0/16"``; ``body`` has what else its creation says, by the
        document's names. Raises ValueError for what engines refuse.
        """
        from dynadock.embedded.forced import add_network

        ranges = {"IPAM": {"Config": [{"Subnet": subnet}]}} if subnet else {}
        asked = {"Name": name, "Labels": dict(labels or {}), **ranges, **(body or {})}
        with self._state.lock, self._refusing():
            return add_network(self._engine, asked)

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Raise what the engine refuses as what users catch."""
        try:
            yield
        except Refused as refused:
            if refused.status == _NOT_FOUND:
                details = {"status": _NOT_FOUND, "explanation": refused.message}
                raise NotFound(refused.message, **details) from None
            raise ValueError(refused.message) from None

    # What runs

    def program(
        self,
        image: str,
        command: Sequence[str] | Callable[..., Any] = (),
        function: Callable[..., Any] | None = None,
        *,
        stdout: str | bytes = b"",
        stderr: str | bytes = b"",
        lines: Iterable[tuple[float, str, str | bytes]] = (),
        exit_code: int = 0,
        after: float = 0,
        runs: Literal["once", "forever"] = "once",
        signals: Mapping[str, int | None] | None = None,
    ) -> None:
        """Say what a command runs in containers of an image, which is made if it is not there.

        All commands that begin with these words run it; the longest beginning counts, and no words
        are every command. It is a function, or what it writes: ``stdout`` and ``stderr`` at once,
        ``lines`` as ``(seconds since its start, "stdout", text)``. ``after`` that many seconds it
        ends with ``exit_code``, or never, if it ``runs="forever"``. ``signals`` maps those that it
        handles to the exit code with which they end it, None for nothing; by default it ends at
        TERM, INT and QUIT, with 0.

        A function is called with a `RunningProgram`, in a thread of its own that takes turns with
        the engine; it returns its exit code (None is 0). A generator function is steps instead, as
        `dynadock.simulation.programs.process` describes them, and takes no thread.

        Raises TypeError or ValueError for what makes no program.
        """
        from dynadock.embedded.forced import words
        from dynadock.embedded.programs import Told, program_of

        if callable(command):
            function = command
        given = [] if callable(command) else words(command)
        if function is None:
            told = Told(stdout, stderr, lines, exit_code, after, runs, signals)
            program = told.program()
        else:
            program = program_of(function, self._all_functions)
        with self._state.lock:
            self._state.programs.add(self._image_id(image, given), tuple(given), program)

    @property
    def _all_functions(self) -> Functions:
        if self._functions is None:
            from dynadock.simulation.programs.function import Functions

            self._functions = Functions(self._state)
        return self._functions

    def _image_id(self, name: str, command: list[str]) -> str:
        from dynadock.embedded.forced import usual_command

        try:
            return self._state.images.find(name).id
        except Refused:
            return self.add_image(name, cmd=command or usual_command(name))

    @property
    def errors(self) -> list[BaseException]:
        """The exceptions that Python functions have raised as programs, the newest 100."""
        return [] if self._functions is None else list(self._functions.errors)

    # What goes wrong

    def fail(
        self,
        operation: str,
        *,
        status: int | None = None,
        message: str | None = None,
        delay: float = 0,
        after_values: int | None = None,
        cut: int | None = None,
        slow: float | None = None,
        gone: bool = False,
        times: int | None = None,
        when: Callable[[Call], object] | None = None,
    ) -> Fault:
        """Plan what goes wrong with the next calls of an operation, and return it.

        By itself, or with a ``status`` or a ``message``, calls are refused and nothing is done.
        Nor is anything if the engine is ``gone``: no reply comes, and it stays away until `start`.
        Otherwise calls are done, but: ``delay`` seconds (of the engine's clock) later; an error
        ends their stream of values ``after_values`` of these; their connection ends after ``cut``
        bytes of the reply, its head included; only ``slow`` bytes of it come in a second.

        It meets ``times`` calls, or all until it is removed, of those for which ``when(call)`` is
        true. Of several faults of an operation the first counts. What a client does by itself it
        does here too: with its ``retries``, it asks again if the connection ended.

        Raises UnknownOperation, which suggests a name; ValueError for what makes no sense.
        """
        from dynadock.embedded.faults import Wanted, plan

        wanted = Wanted(status, message, delay, after_values, cut, slow, gone, times, when)
        return plan(self._engine, operation, wanted)

    def stop(self) -> None:
        """Be gone: connections break, and nobody gets another one. Containers run on.

        That is what clients see of a daemon that ends, if it leaves its containers alone
        (``live-restore``).
        """
        self._engine.go()
        if self._place is not None:
            self._place.close()

    def start(self) -> None:
        """Be back, at the same addresses."""
        self._engine.come_back()
        if self._place is not None:
            self._place.open()

    # What happened

    @property
    def calls(self) -> Calls:
        """What was asked and answered, the newest 1000 calls; ``calls.of(operationId)``."""
        return self._engine.calls

    def report(self) -> str:
        """Return what a failing test shows: the containers, and the last calls, without secrets."""
        from dynadock.embedded.report import report

        return report(self._engine, self.errors)

    def snapshot(self) -> Snapshot:
        """Keep everything that the engine knows: containers, images, files, logs, events.

        Files are shared until they change, so that it is cheap. What is under way is not kept; see
        `restore`.
        """
        from dynadock.simulation.snapshots import Snapshot

        return Snapshot(self._state)

    def restore(self, saved: Snapshot) -> None:
        """Put back what was kept, as often as wanted.

        Programs of containers that ran begin anew; execs, attached callers and waits have ended. A
        manual clock shows the moment of the snapshot again. Faults and calls stay as they are.
        ValueError for another engine's snapshot.
        """
        if saved.state is not self._state:
            raise ValueError("restore: it is another engine's snapshot")
        saved.put_back()

    def close(self) -> None:
        """End everything for good; may be called again.

        StuckProgramWarning names Python functions that do not end: those that never wait.
        """
        if self._is_closed:
            return
        self._is_closed = True
        self.stop()
        if self._place is not None:
            self._place.remove()
        registry.forget(self._name)
        with self._state.lock:
            for container in self._state.containers:
                container.drop()
        if self._functions is not None:
            self._end_functions(self._functions)

    def _end_functions(self, functions: Functions) -> None:
        stuck = functions.close(_LAST_CHANCE)
        if stuck:
            warn_caller(
                f"{', '.join(stuck)}: still running after its engine was closed; a function ends at"
                " its next read, write or wait",
                StuckProgramWarning,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        count = len(self._state.containers)
        return f"<embedded engine at {self.address}, {count} containers, {len(self.calls)} calls>"
