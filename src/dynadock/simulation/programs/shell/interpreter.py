"""Runs a script's commands: one shell, with its variables, functions and open files."""

from __future__ import annotations

import contextlib
import errno
import re
from typing import TYPE_CHECKING, Any

from dynadock.simulation.programs.process import USUAL_PATH
from dynadock.simulation.programs.shell import patterns
from dynadock.simulation.programs.shell.builtins import BUILTINS, SHARED, SPECIAL
from dynadock.simulation.programs.shell.commands import command_of
from dynadock.simulation.programs.shell.descriptors import BLOCK, Given, Null, Pipe, failure
from dynadock.simulation.programs.shell.disk import Disk
from dynadock.simulation.programs.shell.executables import Executable, find_executable
from dynadock.simulation.programs.shell.expansion import (
    MOST,
    expand_pattern,
    expand_text,
    expand_words,
)
from dynadock.simulation.programs.shell.failures import (
    Failure,
    Interrupted,
    Jump,
    Leave,
    Return,
)
from dynadock.simulation.programs.shell.invocation import Invocation, run_applet
from dynadock.simulation.programs.shell.jobs import NUMBERS, call
from dynadock.simulation.programs.shell.lexer import NAME, ScriptError
from dynadock.simulation.programs.shell.parser import Parser
from dynadock.simulation.programs.shell.scripts import LETTERS, OPTIONS, run_shell
from dynadock.simulation.programs.shell.syntax import (
    Background,
    Case,
    Either,
    For,
    Function,
    If,
    Pipeline,
    Redirected,
    Sequence,
    Simple,
    Subshell,
    While,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.simulation.programs.shell.descriptors import Descriptors, Stream
    from dynadock.simulation.programs.shell.jobs import Coroutine, Jobs, Task
    from dynadock.simulation.programs.shell.syntax import Command, Redirection

MOST_DEPTH = 1000
"""Commands, functions and files inside each other while they run."""

MOST_VARIABLES = 10_000
"""Variables of one shell."""

DEATHS = {"TERM": "Terminated", "KILL": "Killed", "HUP": "Hangup", "QUIT": "Quit"}
"""What is said of a child that a signal ended."""

NOT_FOUND = 127
NOT_EXECUTABLE = 126
DEFAULT_SEPARATORS = " \t\n"


class Shell:
    """One shell; `fork` makes the copy that a subshell is."""

    def __init__(self, jobs: Jobs, descriptors: Descriptors, environment: dict[str, str]) -> None:
        self.jobs = jobs
        self.process = jobs.process
        self.descriptors = descriptors
        self.variables = {"IFS": DEFAULT_SEPARATORS, "OPTIND": "1", "PS1": "\\w \\$ ", "PS4": "+ "}
        self.variables["PATH"] = USUAL_PATH
        self.exported: set[str] = set()
        self.readonly: set[str] = set()
        for name, value in environment.items():
            if NAME.fullmatch(name):
                self.variables[name] = value[:MOST]
                self.exported.add(name)
        self.functions: dict[str, Command] = {}
        self.options: set[str] = set()
        self.arguments: list[str] = []
        self.name = "sh"
        self.command_name = ""
        self.line = 0
        self.in_file = False
        self.status = 0
        self.pid = self.process.pid
        self.task: Task | None = None
        self.background: list[Task] = []
        self.last_background: int | None = None
        self.traps: dict[str, str] = {}
        self.pending: list[str] = []
        self.is_interactive = False
        self.is_subshell = False
        self.is_alone = False
        self.umask = 0o022
        self.files = Disk(self.process.files, "/")
        self.locals: list[dict[str, str | None]] = []
        self.loops = 0
        self.option_place = (1, 0)
        self._depth = 0
        self._tested = 0
        self._random = self.process.now() // 1000
        self._status_of_substitution = 0

    # Variables.

    @property
    def separators(self) -> str:
        """What unquoted expansions are split at."""
        return self.variables.get("IFS", DEFAULT_SEPARATORS)

    def value(self, name: str) -> str | None:
        """Return a variable's text, or None if it is not set."""
        if name == "RANDOM":
            self._random = (self._random * 1103515245 + 12345) & 0x7FFFFFFF
            return str(self._random >> 16)
        if name == "PPID":
            return "0" if self.pid == 1 else "1"
        if name == "LINENO":
            return str(self.line)
        return self.variables.get(name)

    def parameter(self, name: str) -> str | None:
        """Return a variable's text, or that of a positional or special parameter."""
        if name.isdigit():
            number = int(name[:9])
            if number == 0:
                return self.name
            return self.arguments[number - 1] if number <= len(self.arguments) else None
        if name in {"@", "*"}:
            return " ".join(self.arguments) if self.arguments else None
        special: dict[str, Callable[[], str | None]] = {
            "?": lambda: str(self.status),
            "$": lambda: str(self.pid),
            "#": lambda: str(len(self.arguments)),
            "!": lambda: None if self.last_background is None else str(self.last_background),
            "-": self._letters,
        }
        return special[name]() if name in special else self.value(name)

    def _letters(self) -> str:
        return "".join(letter for letter in LETTERS if OPTIONS[letter] in self.options)

    def assign(self, name: str, value: str) -> None:
        """Set a variable.

        Raises:
            Failure: It may not be set, or is too large.

        """
        if name in self.readonly:
            raise Failure(f"{name}: is read only")
        if len(value) > MOST or (
            len(self.variables) >= MOST_VARIABLES and name not in self.variables
        ):
            raise Failure("out of memory")
        self.variables[name] = value
        if "allexport" in self.options:
            self.exported.add(name)

    def unset(self, name: str) -> None:
        """Forget a variable.

        Raises:
            Failure: It may not be set.

        """
        if name in self.readonly:
            raise Failure(f"{name}: is read only")
        self.variables.pop(name, None)
        self.exported.discard(name)

    def environment(self) -> dict[str, str]:
        """Return what commands are given."""
        return {name: self.variables[name] for name in self.variables if name in self.exported}

    # Children.

    def fork(self) -> Shell:
        """Return a copy for a subshell; traps are not inherited, but what is ignored stays so."""
        child = Shell(self.jobs, self.descriptors.copy(), {})
        child.variables = dict(self.variables)
        child.exported = set(self.exported)
        child.readonly = set(self.readonly)
        child.functions = dict(self.functions)
        child.options = set(self.options)
        child.arguments = list(self.arguments)
        child.name, child.pid, child.umask = self.name, self.pid, self.umask
        child.status, child.line, child.in_file = self.status, self.line, self.in_file
        child.last_background = self.last_background
        child.traps = {name: text for name, text in self.traps.items() if not text}
        child.is_subshell = True
        child.files = Disk(self.process.files, self.files.folder)
        child._tested = self._tested
        child._depth = self._depth
        return child

    def start(self, command: Command, child: Shell, name: str = "") -> Task:
        """Run a command as a child.

        Raises:
            Failure: There are too many.

        """
        child.is_alone = isinstance(command, Simple)
        body = child.to_end(child.run(command))
        try:
            task = self.jobs.start(name or self.name, body, child.descriptors)
        except BlockingIOError:
            raise Failure("can't fork: Resource temporarily unavailable") from None
        child.task = task
        task.receives = child.receive
        return task

    def receive(self, signal: str) -> bool:
        """Take a signal if there is a trap for it, which runs when the present command ends."""
        if self.is_interactive and signal == "INT" and signal not in self.traps:
            if self.task is not None:
                self.task.thrown = Interrupted()
            return True
        if self.is_interactive and signal in {"TERM", "QUIT"} and signal not in self.traps:
            return True
        if signal not in self.traps:
            return False
        if self.traps[signal]:
            self.pending.append(signal)
        return True

    def wait_for(self, task: Task) -> Coroutine[int]:
        """Wait until a child has ended, and return its status."""
        while task.status is None:
            yield None
        return task.status

    def reap(self, task: Task) -> Coroutine[int]:
        """Wait for a child, and say so if a signal ended it."""
        status = yield from self.wait_for(task)
        if task.killed_by in DEATHS:
            yield from self.write(2, DEATHS[task.killed_by] + "\n")
        return status

    # Whole scripts.

    def to_end(self, body: Coroutine[int]) -> Coroutine[int]:
        """Run a shell's commands and whatever comes at its end; return its status."""
        status = yield from self._guarded(body)
        trap = self.traps.pop("EXIT", "")
        if trap:
            self.status = status
            after = yield from self._guarded(self.run_text(trap))
            status = after if self._has_left else status
        return status

    def _guarded(self, body: Coroutine[int]) -> Coroutine[int]:
        self._has_left = False
        try:
            return (yield from call(body))
        except Leave as leave:
            self._has_left = True
            return leave.status
        except Return as returned:
            return returned.status
        except Jump:
            return 0
        except Interrupted:
            return 130
        except (Failure, ScriptError) as wrong:
            self._has_left = True
            yield from self.complain(str(wrong))
            return getattr(wrong, "status", 2)

    def run_text(self, text: str) -> Coroutine[int]:
        """Run a script line by line, so that a mistake further down does not matter yet.

        Raises:
            ScriptError: It is no script.

        """
        parser = Parser(text)
        status = 0
        while True:
            try:
                commands = parser.next_commands()
            except ScriptError:
                self.line = parser.line
                raise
            if commands is None:
                break
            if "noexec" not in self.options:
                status = yield from call(self.run(commands))
        return status

    def complain(self, message: str) -> Coroutine[None]:
        """Write what is wrong, with who says so and where."""
        line = f"line {self.line if self.in_file else max(self.line - 1, 0)}: "
        if self.command_name:
            prefix = f"{self.name}: {self.command_name}: {line}"
        else:
            prefix = f"{self.name}: {line if self.in_file else ''}"
        yield from self.write(2, f"{prefix}{message}\n")

    def write(self, number: int, text: str) -> Coroutine[None]:
        """Write a text to a descriptor, whatever comes of it."""
        stream = self.descriptors.get(number)
        data = text.encode("utf-8", "surrogateescape")
        while data and stream is not None:
            try:
                taken = stream.write(data)
            except OSError as error:
                if isinstance(error, BrokenPipeError):
                    raise
                return
            data = data[taken:]
            if data:
                yield None

    def output_of(self, commands: Command | None) -> Coroutine[str]:
        """Run commands in a subshell and return what they print, without the last newlines.

        Raises:
            Failure: It is too much.

        """
        if commands is None:
            self._status_of_substitution = 0
            return ""
        pipe = Pipe(self.jobs)
        child = self.fork()
        child.descriptors.put(1, pipe.writer)
        pipe.reader.users += 1
        task = self.start(commands, child)
        blocks: list[bytes] = []
        size = 0
        try:
            while (block := pipe.reader.read(BLOCK)) != b"":
                if block is None:
                    yield None
                    continue
                blocks.append(block)
                size += len(block)
                if size > MOST:
                    raise Failure("out of memory")
        finally:
            pipe.reader.leave()
        self._status_of_substitution = yield from self.wait_for(task)
        text = b"".join(blocks).replace(b"\0", b"").decode("utf-8", "surrogateescape")
        return text.rstrip("\n")

    # Commands.

    def run(self, command: Command) -> Coroutine[int]:
        """Run a command, and return its status, which is also kept.

        Raises:
            Leave: The script is over.
            Failure: The script cannot go on.

        """
        self._depth += 1
        if self._depth > MOST_DEPTH:
            self._depth -= 1
            raise Failure("recursion too deep")
        if self.jobs.step():
            yield self.process.now()
        try:
            self.status = yield _RUN[type(command)](self, command)
        finally:
            self._depth -= 1
        if self.pending:
            yield from self._run_traps()
        return self.status

    def _run_traps(self) -> Coroutine[None]:
        status = self.status
        while self.pending:
            signal = self.pending.pop(0)
            trap = self.traps.get(signal)
            if trap:
                yield from call(self.run_text(trap))
                self.status = status

    def _exit_on_failure(self, status: int) -> None:
        if status and "errexit" in self.options and not self._tested:
            raise Leave(status)

    @contextlib.contextmanager
    def _testing(self) -> Any:
        self._tested += 1
        try:
            yield
        finally:
            self._tested -= 1

    def _sequence(self, command: Sequence) -> Coroutine[int]:
        status = 0
        for each in command.commands:
            status = yield from self.run(each)
        return status

    def _either(self, command: Either) -> Coroutine[int]:
        with self._testing():
            status: int = yield from self.run(command.first)
        last = len(command.rest) - 1
        for index, (operator, each) in enumerate(command.rest):
            if (operator == "&&") != (status == 0):
                continue
            if index < last:
                with self._testing():
                    status = yield from self.run(each)
            else:
                status = yield from self.run(each)
        return status

    def _background(self, command: Background) -> Coroutine[int]:
        child = self.fork()
        if not self.is_interactive:
            child.descriptors.put(0, Null())
        task = self.start(command.command, child)
        self.background = [each for each in self.background if each.status is None][-500:]
        self.background.append(task)
        self.last_background = task.pid
        yield from ()
        return 0

    def _subshell(self, command: Subshell) -> Coroutine[int]:
        status = yield from self.reap(self.start(command.body, self.fork()))
        self._exit_on_failure(status)
        return status

    def _pipeline(self, command: Pipeline) -> Coroutine[int]:
        if len(command.commands) == 1:
            with self._testing():
                status: int = yield from self.run(command.commands[0])
        else:
            status = yield from self._piped(command.commands)
        if command.is_negated:
            return int(status == 0)
        self._exit_on_failure(status)
        return status

    def _piped(self, commands: tuple[Command, ...]) -> Coroutine[int]:
        tasks = []
        before: Stream | None = None
        for index, each in enumerate(commands):
            child = self.fork()
            if before is not None:
                child.descriptors.put(0, before)
                before.leave()
                before = None
            if index < len(commands) - 1:
                pipe = Pipe(self.jobs)
                child.descriptors.put(1, pipe.writer)
                before = pipe.reader
                before.users += 1
            tasks.append(self.start(each, child))
        statuses: list[int] = []
        for task in tasks:
            statuses += [(yield from self.wait_for(task))]
        if "pipefail" in self.options:
            return next((status for status in statuses[::-1] if status), 0)
        return statuses[-1]

    def _redirected(self, command: Redirected) -> Coroutine[int]:
        return (yield from self._with(command.redirections, lambda: self.run(command.command)))

    def _with(
        self,
        redirections: tuple[Redirection, ...],
        body: Callable[[], Coroutine[int]],
        *,
        ends_script: bool = False,
    ) -> Coroutine[int]:
        """Run something with other descriptors; 1 if they cannot be opened.

        Raises:
            Failure: They cannot, and that ``ends_script``.

        """
        if not redirections:
            return (yield from body())
        before = self.descriptors
        self.descriptors = before.copy()
        try:
            try:
                yield from self.redirect(redirections)
            except Failure as wrong:
                if ends_script:
                    raise
                yield from self._complain_from(before, str(wrong))
                return 1
            return (yield from body())
        finally:
            self.descriptors.close()
            self.descriptors = before

    def _complain_from(self, descriptors: Descriptors, message: str) -> Coroutine[None]:
        present, self.descriptors = self.descriptors, descriptors
        try:
            yield from self.complain(message)
        finally:
            self.descriptors = present

    def redirect(self, redirections: tuple[Redirection, ...]) -> Coroutine[None]:
        """Open what redirections name.

        Raises:
            Failure: It cannot be opened.

        """
        for each in redirections:
            target = yield from expand_text(self, each.target)
            if each.operator in {"<<", "<<-"}:
                data = target.encode("utf-8", "surrogateescape")
                self.descriptors.put(each.descriptor, Given(data))
            elif each.operator in {"<&", ">&"} and (target == "-" or target.isdigit()):
                self.descriptors.put(each.descriptor, self._duplicated(target))
            elif each.operator == "<&":
                raise Failure(f"{target}: bad file descriptor")
            else:
                stream = self._opened(each.operator, target)
                self.descriptors.put(each.descriptor, stream)
                if each.operator in {"&>", ">&"}:
                    self.descriptors.put(2, stream)

    def _duplicated(self, target: str) -> Stream | None:
        if target == "-":
            return None
        stream = self.descriptors.get(int(target[:9]))
        if stream is None:
            raise Failure(f"{target}: Bad file descriptor", 1)
        return stream

    def _opened(self, operator: str, target: str) -> Stream:
        reads = operator == "<"
        try:
            if reads:
                return self.files.reader(target, self.descriptors)
            if (
                operator == ">"
                and "noclobber" in self.options
                and self.files.kind(target) == "file"
            ):
                raise failure(errno.EEXIST)
            append = operator in {">>", "<>"}
            mode = 0o666 & ~self.umask
            return self.files.writer(target, self.descriptors, append=append, mode=mode)
        except (OSError, ValueError) as error:
            what = "can't open" if reads else "can't create"
            words = getattr(error, "strerror", None) or str(error)
            if getattr(error, "errno", 0) in {errno.ENOENT, errno.ENOTDIR}:
                words = "no such file" if reads else "nonexistent directory"
            raise Failure(f"{what} {target}: {words}", 1) from None

    def _if(self, command: If) -> Coroutine[int]:
        for condition, then in command.cases:
            with self._testing():
                status = yield from self.run(condition)
            if status == 0:
                return (yield from self.run(then))
        if command.otherwise is not None:
            return (yield from self.run(command.otherwise))
        return 0

    def _while(self, command: While) -> Coroutine[int]:
        status = 0
        self.loops += 1
        try:
            while True:
                try:
                    with self._testing():
                        condition = yield from self.run(command.condition)
                    if (condition == 0) == command.until:
                        return status
                    status = yield from self.run(command.body)
                except Jump as jump:
                    status = 0
                    if not self._goes_on(jump):
                        return status
        finally:
            self.loops -= 1

    def _for(self, command: For) -> Coroutine[int]:
        values = self.arguments
        if command.words is not None:
            values = yield from expand_words(self, command.words)
        status = 0
        self.loops += 1
        try:
            for value in [*values]:
                self.assign(command.name, value)
                try:
                    status = yield from self.run(command.body)
                except Jump as jump:
                    status = 0
                    if not self._goes_on(jump):
                        break
        finally:
            self.loops -= 1
        return status

    def _goes_on(self, jump: Jump) -> bool:
        """Tell whether the present loop goes on; raise the jump again if it is another one's."""
        if jump.levels > 1 and self.loops > 1:
            jump.levels -= 1
            raise jump
        return jump.again

    def _case(self, command: Case) -> Coroutine[int]:
        text = yield from expand_text(self, command.word)
        for branch in command.branches:
            for pattern in branch.patterns:
                expanded = yield from expand_pattern(self, pattern)
                if patterns.is_match(expanded, text):
                    return 0 if branch.body is None else (yield from self.run(branch.body))
        return 0

    def _function(self, command: Function) -> Coroutine[int]:
        self.functions[command.name] = command.body
        yield from ()
        return 0

    # Simple commands.

    def _simple(self, command: Simple) -> Coroutine[int]:
        self.line = command.line
        self._status_of_substitution = 0
        words = yield from expand_words(self, command.words)
        assignments = []
        for each in command.assignments:
            value = yield from expand_text(self, each.value)
            if not words:
                self.assign(each.name, value)
            assignments.append((each.name, value))
        if "xtrace" in self.options and (words or assignments):
            yield from self._trace(assignments, words)
        if not words:
            done = self._status_of_substitution
            status = yield from self._with(command.redirections, lambda: _just(done))
        elif words[0] == "exec":
            status = yield from self._exec(words, command.redirections)
        else:
            status = yield from self._with(
                command.redirections,
                lambda: self._command(words, assignments),
                ends_script=words[0] in SPECIAL and words[0] not in self.functions,
            )
        self._exit_on_failure(status)
        return status

    def _trace(self, assignments: list[tuple[str, str]], words: list[str]) -> Coroutine[None]:
        shown = [f"{name}={quoted(value)}" for name, value in assignments]
        shown += [quoted(word) for word in words]
        prefix = self.variables.get("PS4", "")
        yield from self.write(2, prefix + " ".join(shown) + "\n")

    def _command(self, words: list[str], assignments: list[tuple[str, str]]) -> Coroutine[int]:
        name = words[0]
        if name in self.functions:
            return (yield from self._temporarily(assignments, self._called(words)))
        if name in BUILTINS or name in SHARED:
            return (yield from self._builtin(words, assignments))
        environment = {**self.environment(), **dict(assignments)}
        return (yield from self.execute(words, environment))

    def _builtin(self, words: list[str], assignments: list[tuple[str, str]]) -> Coroutine[int]:
        name = words[0]
        if name in SPECIAL:
            for each, value in assignments:
                self.assign(each, value)
            return (yield from self.run_builtin(words))
        return (yield from self._temporarily(assignments, self.run_builtin(words)))

    def run_builtin(self, words: list[str]) -> Coroutine[int]:
        """Run one of the shell's own commands.

        Raises:
            Failure: It went so wrong that a script ends.

        """
        invocation = Invocation(self, words, self.environment(), own=True)
        before, self.command_name = self.command_name, words[0]
        function = BUILTINS.get(words[0]) or command_of(words[0])
        try:
            status: int = yield from call(run_applet(invocation, function))
        except (Failure, ScriptError) as wrong:
            if words[0] in SPECIAL:
                raise
            yield from invocation.flush()
            yield from self.complain(str(wrong))
            status = getattr(wrong, "status", 2)
        self.command_name = before
        return status

    def _temporarily(
        self, assignments: list[tuple[str, str]], body: Coroutine[int]
    ) -> Coroutine[int]:
        """Run something with variables that are exported and then as before."""
        if not assignments:
            return (yield from body)
        names = {name for name, _ in assignments}
        before = {name: self.variables.get(name) for name in names}
        exported = names & self.exported
        for name, value in assignments:
            self.assign(name, value)
            self.exported.add(name)
        try:
            return (yield from body)
        finally:
            self.exported -= names - exported
            self.restore(before)

    def restore(self, before: dict[str, str | None]) -> None:
        """Set variables to what they were; None is not set."""
        for name, value in before.items():
            if value is None:
                self.variables.pop(name, None)
                self.exported.discard(name)
            else:
                self.variables[name] = value

    def _called(self, words: list[str]) -> Coroutine[int]:
        arguments, self.arguments = self.arguments, words[1:]
        loops, self.loops = self.loops, 0
        self.locals.append({})
        try:
            return (yield from self.run(self.functions[words[0]]))
        except Return as returned:
            return returned.status
        finally:
            self.arguments = arguments
            self.loops = loops
            self.restore(self.locals.pop())

    def _exec(self, words: list[str], redirections: tuple[Redirection, ...]) -> Coroutine[int]:
        yield from self.redirect(redirections)
        if not words[1:]:
            return 0
        self.command_name = "exec"
        status = yield from self.execute(words[1:], self.environment(), replaces=True)
        self.traps.pop("EXIT", None)
        raise Leave(status)

    def execute(
        self,
        words: list[str],
        environment: dict[str, str],
        *,
        replaces: bool = False,
        complain: Callable[[str, OSError], Coroutine[None]] | None = None,
    ) -> Coroutine[int]:
        """Run a program with its arguments; 127 if there is none, 126 if it is none."""
        name = words[0]
        try:
            found = find_executable(self.files, self.variables.get("PATH", ""), words)
        except (OSError, ValueError) as error:
            status = NOT_FOUND
            text = "not found"
            if getattr(error, "errno", 0) in {errno.EACCES, errno.ENOEXEC, errno.EISDIR}:
                status = NOT_EXECUTABLE
                text = "Permission denied"
            if complain is not None and isinstance(error, OSError):
                yield from complain(name, error)
            else:
                yield from self.complain(f"{name}: {text}")
            return status
        if found.applet in {"sh", "ash"}:
            replaces = replaces or (self.is_alone and not self.traps)
            return (yield from self._nested(found, environment, replaces=replaces))
        invocation = Invocation(self, found.words, environment)
        try:
            return (yield call(run_applet(invocation, command_of(found.applet))))  # type: ignore[no-any-return]
        except BrokenPipeError:
            return 128 + NUMBERS["PIPE"]

    def _nested(
        self, found: Executable, environment: dict[str, str], *, replaces: bool
    ) -> Coroutine[int]:
        """Run another shell, as a child of its own unless it takes this one's place."""
        if self._depth > MOST_DEPTH // 2:
            raise Failure("recursion too deep")
        child = Shell(self.jobs, self.descriptors.copy(), environment)
        child.files = Disk(self.process.files, self.files.folder)
        child.umask = self.umask
        child._depth = self._depth + 10
        child.traps = {name: text for name, text in self.traps.items() if not text}
        if replaces:
            child.pid, child.task = self.pid, self.task
            if self.task is not None:
                self.task.receives = child.receive
            return (yield from run_shell(child, found.words))
        task = self.jobs.start(
            " ".join(found.words), run_shell(child, found.words), child.descriptors
        )
        child.pid, child.task = task.pid, task
        task.receives = child.receive
        return (yield from self.reap(task))


_RUN: dict[type, Callable[[Shell, Any], Coroutine[int]]] = {
    Sequence: Shell._sequence,  # noqa: SLF001
    Either: Shell._either,  # noqa: SLF001
    Background: Shell._background,  # noqa: SLF001
    Subshell: Shell._subshell,  # noqa: SLF001
    Pipeline: Shell._pipeline,  # noqa: SLF001
    Redirected: Shell._redirected,  # noqa: SLF001
    If: Shell._if,  # noqa: SLF001
    While: Shell._while,  # noqa: SLF001
    For: Shell._for,  # noqa: SLF001
    Case: Shell._case,  # noqa: SLF001
    Function: Shell._function,  # noqa: SLF001
    Simple: Shell._simple,  # noqa: SLF001
}


def _just(status: int) -> Coroutine[int]:
    yield from ()
    return status


def quoted(text: str) -> str:
    """Return a text as it would have to be typed."""
    if re.fullmatch(r"[-+,./0-9:@A-Z\]^_a-z]*", text):
        return text
    return "'" + text.replace("'", "'\"'\"'") + "'"
