"""One run of a command: its arguments, what it reads and prints, and how it says what is wrong."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, NamedTuple

from dynadock.simulation.programs.shell.descriptors import BLOCK, Stream
from dynadock.simulation.programs.shell.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeAlias

    from dynadock.simulation.files.nodes import Stat
    from dynadock.simulation.programs.shell.interpreter import Shell
    from dynadock.simulation.programs.shell.jobs import Coroutine

    CommandFunction: TypeAlias = Callable[["Invocation"], "int | Coroutine[int]"]

LONGEST_LINE = 4 * 1024 * 1024
"""Bytes of a line that a command holds; a longer one is taken apart."""

BANNER = "BusyBox v1.35.0 multi-call binary."


class UsageError(Exception):
    """The command line makes no sense; the status is the command's own for that."""

    def __init__(self, message: str = "", status: int = 1, *, with_usage: bool = True) -> None:
        super().__init__(message)
        self.status = status
        self.with_usage = with_usage


class Options(NamedTuple):
    """The letters given, the last value of each that takes one, and what is no option."""

    letters: str
    values: Mapping[str, str]
    lists: Mapping[str, list[str]]
    operands: list[str]

    def __contains__(self, letter: object) -> bool:
        """Tell whether an option was given."""
        return isinstance(letter, str) and letter in self.letters


class Invocation:
    """What a command is given."""

    def __init__(
        self, shell: Shell, words: list[str], environment: dict[str, str], *, own: bool = False
    ) -> None:
        self.shell = shell
        self.name = words[0].rpartition("/")[2] or words[0]
        self.arguments = words[1:]
        self.environment = environment
        self.disk = shell.files
        self.descriptors = shell.descriptors
        self.status = 0
        self._title = shell.name if own else self.name
        self._own = own
        self._out: list[bytes] = []
        self._errors: list[bytes] = []
        self._size = 0

    # What it prints.

    def print(self, text: str = "", end: str = "\n") -> None:
        """Print a text; what is printed is written by `flush`, at the latest at the end."""
        self.put((text + end).encode("utf-8", "surrogateescape"))

    def put(self, data: bytes) -> None:
        """Print bytes."""
        self._out.append(data)
        self._size += len(data)

    @property
    def is_due(self) -> bool:
        """Whether so much is printed that it should be flushed."""
        return self._size >= BLOCK

    def warn(self, message: str, status: int = 1) -> int:
        """Say what is wrong, and return the status, which the command then ends with."""
        text = f"{self._title}: {message}\n"
        self._errors.append(text.encode("utf-8", "surrogateescape"))
        self.status = status
        return status

    def warn_plainly(self, message: str) -> None:
        """Say what is wrong, without who says so."""
        self._errors.append(f"{message}\n".encode("utf-8", "surrogateescape"))

    def warn_of(self, name: str, error: BaseException, what: str = "", status: int = 1) -> int:
        """Say what is wrong with a file: ``what 'name': words`` or ``name: words``."""
        shown = f"{what} '{name}'" if what else name
        return self.warn(f"{shown}: {words_of(error)}", status)

    def fail(self, message: str, status: int = 2) -> Failure:
        """Return what to raise if one of the shell's own commands ends the script."""
        return Failure(message, status)

    def flush(self) -> Coroutine[None]:
        """Write what was printed.

        Raises:
            OSError: It cannot be written.

        """
        if self._errors:
            data, self._errors = b"".join(self._errors), []
            yield from self.shell.write(2, data.decode("utf-8", "surrogateescape"))
        if self._out:
            data, self._out, self._size = b"".join(self._out), [], 0
            yield from self.write(data)

    def write(self, data: bytes, number: int = 1) -> Coroutine[None]:
        """Write bytes at once.

        Raises:
            OSError: They cannot be written.

        """
        yield from write(self.descriptors[number], data)

    # What it reads.

    @property
    def input(self) -> Stream:
        """The standard input; reading it fails if it is closed."""
        return self.descriptors.get(0) or Stream()

    def open(self, name: str) -> Stream:
        """Open a file for reading; ``-`` is the standard input.

        Raises:
            OSError: It cannot be.

        """
        return self.input if name == "-" else self.disk.reader(name, self.descriptors)

    def inputs(
        self, names: list[str], what: str = "", status: int = 1
    ) -> Iterator[tuple[str, Stream]]:
        """Open files one after another, the standard input if there are none.

        What cannot be opened is complained of as `warn_of` does, and left out.
        """
        for name in names or ["-"]:
            try:
                stream = self.open(name)
            except (OSError, ValueError) as error:
                self.warn_of(name, error, what, status)
            else:
                yield name, stream

    def stat(self, name: str, *, follow: bool = True) -> Stat:
        """Return what there is about a file.

        Raises:
            OSError: There is none.

        """
        return self.disk.files.stat(self.disk.path(name), follow=follow)

    def now(self) -> int:
        """Return the time in nanoseconds."""
        return self.shell.process.now()

    def execute(
        self, words: list[str], environment: dict[str, str] | None = None
    ) -> Coroutine[int]:
        """Run another program, and return its status."""
        yield from self.flush()
        environment = self.environment if environment is None else environment
        return (yield from self.shell.execute(words, environment, complain=self._cannot_execute))

    def _cannot_execute(self, name: str, error: OSError) -> Coroutine[None]:
        shown = name if self.name == "xargs" else f"can't execute '{name}'"
        self.warn(f"{shown}: {error.strerror}")
        yield from self.flush()

    # Its options.

    def options(
        self,
        letters: str,
        long: Mapping[str, str] | None = None,
        *,
        stop: bool = False,
        status: int = 1,
    ) -> Options:
        """Read options as getopt does: ``n:`` takes a value, with ``stop`` the first operand ends.

        Raises:
            UsageError: One is unknown, or lacks its value.

        """
        return _Reading(letters, long or {}, status).read(self.arguments, stop=stop)


class _Reading:
    def __init__(self, letters: str, long: Mapping[str, str], status: int) -> None:
        self._letters = letters
        self._long = long
        self._status = status
        self._given: list[str] = []
        self._lists: dict[str, list[str]] = {}

    def read(self, arguments: list[str], *, stop: bool) -> Options:
        operands: list[str] = []
        rest = iter(arguments)
        for argument in rest:
            if argument == "--":
                break
            if argument.startswith("--"):
                self._read_long(argument[2:], rest)
            elif argument.startswith("-") and argument != "-":
                self._read_letters(argument[1:], rest)
            else:
                operands.append(argument)
                if stop:
                    break
        operands += rest
        values = {letter: given[-1] for letter, given in self._lists.items()}
        return Options("".join(self._given), values, self._lists, operands)

    def _read_letters(self, letters: str, rest: Iterator[str]) -> None:
        for index, letter in enumerate(letters):
            place = self._letters.find(letter)
            if place < 0 or letter == ":":
                raise UsageError(f"invalid option -- '{letter}'", self._status)
            self._given.append(letter)
            following = self._letters[place + 1 : place + 3]
            if following.startswith(":"):
                value: str | None = letters[index + 1 :]
                if not value and following != "::":
                    value = next(rest, None)
                if value is None:
                    raise UsageError(f"option requires an argument -- '{letter}'", self._status)
                self._lists.setdefault(letter, []).append(value)
                return

    def _read_long(self, name: str, rest: Iterator[str]) -> None:
        name, equals, value = name.partition("=")
        letter = self._long.get(name)
        if letter is None:
            raise UsageError(f"unrecognized option '--{name}'", self._status)
        self._given.append(letter)
        place = self._letters.find(letter)
        if self._letters[place + 1 : place + 2] == ":":
            given = value if equals else next(rest, "")
            self._lists.setdefault(letter, []).append(given)


class Lines:
    """The lines of a stream, in lists of as many as there are."""

    def __init__(self, stream: Stream, end: bytes = b"\n") -> None:
        self._stream = stream
        self._end = end
        self._rest: list[bytes] = []
        self._size = 0

    def next(self) -> Coroutine[list[bytes]]:
        """Return some lines with their ends, an empty list at the end of the stream.

        Raises:
            OSError: It cannot be read.

        """
        while True:
            block = yield from read(self._stream)
            if not block:
                last = b"".join(self._rest)
                self._rest = []
                return [last] if last else []
            whole, end, rest = block.rpartition(self._end)
            if end or self._size > LONGEST_LINE:
                first = b"".join([*self._rest, whole, end] if end else [*self._rest, rest])
                self._rest, self._size = ([rest] if rest and end else []), len(rest)
                return split_lines(first, self._end)
            self._rest.append(rest)
            self._size += len(rest)


def split_lines(data: bytes, end: bytes = b"\n") -> list[bytes]:
    """Return lines with their ends, of which the last one may lack its own."""
    lines = data.split(end)
    last = lines.pop()
    found = [line + end for line in lines]
    return [*found, last] if last else found


def read(stream: Stream, size: int = BLOCK) -> Coroutine[bytes]:
    """Return some bytes of a stream, none at its end.

    Raises:
        OSError: It cannot be read.

    """
    while (piece := stream.read(size)) is None:
        yield None
    return piece


def write(stream: Stream, data: bytes) -> Coroutine[None]:
    """Write bytes to a stream, as there is room.

    Raises:
        OSError: They cannot be written.

    """
    position = 0
    while position < len(data):
        piece = data if not position and len(data) <= BLOCK else data[position : position + BLOCK]
        taken = stream.write(piece)
        position += taken
        if not taken:
            yield None


def words_of(error: BaseException) -> str:
    """Return the system's words for an error."""
    return getattr(error, "strerror", None) or str(error)


def run_applet(invocation: Invocation, function: CommandFunction) -> Coroutine[int]:
    """Run a command to its end, and return its status."""
    try:
        result = function(invocation)
        if isinstance(result, Generator):
            result = yield from result
    except UsageError as error:
        result = _usage(invocation, error)
    except BrokenPipeError:
        raise
    except OSError as error:
        result = invocation.warn(words_of(error))
    except (ValueError, OverflowError, MemoryError, RecursionError):
        result = invocation.warn("invalid argument")
    try:
        yield from invocation.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        result = invocation.warn(f"write error: {words_of(error)}")
        yield from invocation.flush()
    return result


def _usage(invocation: Invocation, error: UsageError) -> int:
    if error.args[0]:
        invocation.warn(str(error))
    if error.with_usage:
        invocation._errors.append(  # noqa: SLF001
            usage_of(invocation.name).encode("utf-8", "surrogateescape")
        )
    return error.status


def usage_of(name: str) -> str:
    """Return how a command is called; what its options mean is in busybox's own manual."""
    return f"{BANNER}\n\nUsage: {name} [OPTIONS] [ARGUMENTS]\n"
