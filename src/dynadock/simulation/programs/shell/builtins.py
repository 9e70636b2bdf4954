"""The commands that are the shell's own, since they change the shell itself."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from dynadock.simulation.programs.shell.arithmetic import evaluate
from dynadock.simulation.programs.shell.commands import is_applet
from dynadock.simulation.programs.shell.executables import find_executable
from dynadock.simulation.programs.shell.expansion import MOST
from dynadock.simulation.programs.shell.failures import Failure, Jump, Leave, Return
from dynadock.simulation.programs.shell.invocation import read, words_of
from dynadock.simulation.programs.shell.jobs import NUMBERS, call
from dynadock.simulation.programs.shell.lexer import NAME, ScriptError
from dynadock.simulation.programs.shell.parser import RESERVED
from dynadock.simulation.programs.shell.scripts import NAMES, set_option

if TYPE_CHECKING:
    from dynadock.simulation.programs.shell.descriptors import Stream
    from dynadock.simulation.programs.shell.interpreter import Shell
    from dynadock.simulation.programs.shell.invocation import CommandFunction, Invocation
    from dynadock.simulation.programs.shell.jobs import Coroutine, Task

_SPECIAL = """
: . source break continue eval exec exit export readonly return set shift times trap unset
"""
SPECIAL = frozenset(_SPECIAL.split())
"""Commands whose assignments stay."""

SHARED = frozenset(["echo", "printf", "test", "[", "[[", "true", "false", "kill"])
"""Commands that are the shell's own and programs too."""

_PEEKED = 512
_NEWLINE, _BACKSLASH = b"\n\\"

_NAMES_OF_NUMBERS = {number: name for name, number in NUMBERS.items()}


def quote(text: str) -> str:
    """Return a value as ``export`` and ``trap`` print it."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _number(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text):
        raise Failure(f"Illegal number: {text}")
    return int(text)


def _colon(_invocation: Invocation) -> int:
    return 0


def _break(invocation: Invocation) -> int:
    return _jump(invocation, again=False)


def _continue(invocation: Invocation) -> int:
    return _jump(invocation, again=True)


def _jump(invocation: Invocation, *, again: bool) -> int:
    levels = _number(invocation.arguments[0]) if invocation.arguments else 1
    if levels == 0:
        raise Failure("Illegal number: 0")
    if invocation.shell.loops:
        raise Jump(levels, again=again)
    return 0


def _return(invocation: Invocation) -> int:
    raise Return(_status(invocation))


def _exit(invocation: Invocation) -> int:
    raise Leave(_status(invocation))


def _status(invocation: Invocation) -> int:
    if not invocation.arguments:
        return invocation.shell.status
    return _number(invocation.arguments[0]) & 255


def _eval(invocation: Invocation) -> Coroutine[int]:
    text = " ".join(invocation.arguments)
    return (yield from call(invocation.shell.run_text(text)))


def _source(invocation: Invocation) -> Coroutine[int]:
    shell = invocation.shell
    if not invocation.arguments:
        return invocation.warn("filename argument required", 2)
    name, *arguments = invocation.arguments
    text = yield from _script(shell, name)
    before = shell.arguments
    in_file, shell.in_file = shell.in_file, True
    shell.command_name = name
    if arguments:
        shell.arguments = arguments
    try:
        return (yield from call(shell.run_text(text)))
    except Return as returned:
        return returned.status
    finally:
        shell.in_file = in_file
        if arguments:
            shell.arguments = before


def _script(shell: Shell, name: str) -> Coroutine[str]:
    path = name
    if "/" not in name:
        folders = (shell.value("PATH") or "").split(":")
        places = [posixpath.join(folder or ".", name) for folder in folders]
        path = next((place for place in places if shell.files.kind(place) == "file"), "")
        if not path:
            raise Failure(f"{name}: not found")
    try:
        stream = shell.files.reader(path, shell.descriptors)
        blocks = []
        while block := (yield from read(stream)):
            blocks.append(block)
    except (OSError, ValueError) as error:
        raise Failure(f"can't open '{name}': {words_of(error)}") from None
    return b"".join(blocks).replace(b"\0", b"").decode("utf-8", "surrogateescape")


def _cd(invocation: Invocation) -> int:
    shell = invocation.shell
    operands = [each for each in invocation.arguments if each not in {"-P", "-L", "--"}]
    name = operands[0] if operands else shell.value("HOME") or ""
    shows = name == "-"
    if shows:
        name = shell.value("OLDPWD") or shell.files.folder
    if not name:
        return 0
    path = posixpath.normpath(shell.files.path(name))
    path = "/" + path.lstrip("/")
    try:
        kind = shell.files.files.stat(path).kind
    except (OSError, ValueError) as error:
        raise Failure(f"can't cd to {name}: {words_of(error)}") from None
    if kind != "folder":
        raise Failure(f"can't cd to {name}: Not a directory")
    shell.assign("OLDPWD", shell.files.folder)
    shell.files.folder = path
    shell.assign("PWD", path)
    if shows:
        invocation.print(path)
    return 0


def _pwd(invocation: Invocation) -> int:
    folder = invocation.shell.files.folder
    if "-P" in invocation.arguments:
        folder = invocation.shell.files.files.resolve(folder)
    invocation.print(folder)
    return 0


def _export(invocation: Invocation) -> int:
    return _declare(invocation, invocation.shell.exported)


def _readonly(invocation: Invocation) -> int:
    return _declare(invocation, invocation.shell.readonly)


def _declare(invocation: Invocation, names: set[str]) -> int:
    shell = invocation.shell
    operands = [each for each in invocation.arguments if each not in {"-p", "--"}]
    removes = operands[:1] == ["-n"]
    if not operands:
        for name in sorted(names):
            value = shell.variables.get(name)
            shown = "" if value is None else f"={quote(value)}"
            invocation.print(f"{invocation.name} {name}{shown}")
    for operand in operands[removes:]:
        name, equals, value = operand.partition("=")
        if not NAME.fullmatch(name):
            raise Failure(f"{name}: bad variable name")
        if equals:
            shell.assign(name, value)
        (names.discard if removes else names.add)(name)
    return 0


def _unset(invocation: Invocation) -> int:
    options = invocation.options("fv", stop=True)
    for name in options.operands:
        if "f" in options:
            invocation.shell.functions.pop(name, None)
        elif not NAME.fullmatch(name):
            raise Failure(f"{name}: bad variable name")
        else:
            invocation.shell.unset(name)
    return 0


def _local(invocation: Invocation) -> int:
    shell = invocation.shell
    if not shell.locals:
        raise Failure("not in a function")
    for operand in invocation.arguments:
        name, equals, value = operand.partition("=")
        if not NAME.fullmatch(name):
            raise Failure(f"{name}: bad variable name")
        shell.locals[-1].setdefault(name, shell.variables.get(name))
        if equals:
            shell.assign(name, value)
    return 0


def _set(invocation: Invocation) -> int:
    shell = invocation.shell
    rest = [*invocation.arguments]
    if not rest:
        for name in sorted(shell.variables):
            invocation.print(f"{name}={quote(shell.variables[name])}")
        return 0
    while rest and rest[0][:1] in {"-", "+"} and rest[0] not in {"-", "+"}:
        word = rest.pop(0)
        if word == "--":
            shell.arguments = rest
            return 0
        for letter in word[1:]:
            if letter == "o" and not rest:
                _show_options(invocation)
                return 0
            option = rest.pop(0) if letter == "o" else None
            set_option(shell, letter, option, on=word[0] == "-")
    if rest:
        shell.arguments = rest[1:] if rest[0] == "-" else rest
    return 0


def _show_options(invocation: Invocation) -> None:
    for name in NAMES:
        state = "on" if name in invocation.shell.options else "off"
        invocation.print(f"{name:<16}{state}")


def _shift(invocation: Invocation) -> int:
    count = _number(invocation.arguments[0]) if invocation.arguments else 1
    shell = invocation.shell
    if count > len(shell.arguments):
        return 1
    shell.arguments = shell.arguments[count:]
    return 0


def _trap(invocation: Invocation) -> int:
    shell = invocation.shell
    operands = [each for each in invocation.arguments if each != "--"]
    if not operands:
        for name, text in sorted(shell.traps.items(), key=lambda item: NUMBERS[item[0]]):
            invocation.print(f"trap -- {quote(text)} {name}")
        return 0
    resets = len(operands) == 1 or operands[0] == "-" or operands[0].isdigit()
    text = operands[0]
    names = operands[1:] if text == "-" or not resets else operands
    for operand in names:
        signal = signal_name(operand)
        if signal is None:
            return invocation.warn(
                f"trap: line {shell.line - 1}: {operand}: invalid signal specification"
            )
        _set_trap(shell, signal, None if resets else text)
    return 0


def _set_trap(shell: Shell, name: str, text: str | None) -> None:
    if text is None:
        shell.traps.pop(name, None)
    else:
        shell.traps[name] = text
    is_own = shell.task is not None and shell.task.pid == shell.process.pid
    if is_own and name not in {"EXIT", "KILL", "STOP"}:
        (shell.process.unhandle if text is None else shell.process.handle)(name)


def signal_name(text: str) -> str | None:
    """Return a signal's name by its name or number; None if there is none."""
    if text.isdigit():
        return _NAMES_OF_NUMBERS.get(int(text[:9]))
    name = text.upper().removeprefix("SIG")
    return name if name in NUMBERS else None


def _read(invocation: Invocation) -> Coroutine[int]:
    shell = invocation.shell
    options = invocation.options("rp:n:t:su:d:", stop=True, status=2)
    if "p" in options and invocation.input.is_terminal:
        yield from shell.write(2, options.values["p"])
    try:
        stream = invocation.descriptors[int(options.values.get("u", "0"))]
    except (OSError, ValueError):
        return 1
    limit = int(options.values["n"]) if options.values.get("n", "").isdigit() else None
    due = None
    if "t" in options:
        due = shell.process.now() + int(float(options.values["t"]) * 1e9)
    reader = _LineReader(raw="r" in options, limit=limit)
    line, ended = yield from _line(shell, stream, reader, due)
    names = options.operands or ["REPLY"]
    for name in names:
        if not NAME.fullmatch(name):
            raise Failure(f"{name}: bad variable name")
    for name, value in zip(names, _read_fields(line, len(names), shell.separators), strict=True):
        shell.assign(name, value)
    return 0 if ended else 1


_Escaped = list[tuple[str, bool]]
"""Characters, and whether a backslash stood in front of each."""


class _LineReader:
    """Takes bytes up to a newline, or so many; a backslash takes away the next one's meaning."""

    def __init__(self, *, raw: bool, limit: int | None) -> None:
        self.found = bytearray()
        self.escaped: set[int] = set()
        self.is_ended = False
        self._raw = raw
        self._limit = limit
        self._after_backslash = False

    @property
    def is_done(self) -> bool:
        """Whether no more is wanted."""
        return self.is_ended or (self._limit is not None and len(self.found) >= self._limit)

    def take(self, piece: bytes) -> int:
        """Take what is wanted of a piece, and return how much that is."""
        line, newline, _ = piece.partition(b"\n")
        is_plain = self._limit is None and not self._after_backslash and b"\0" not in line
        if is_plain and (self._raw or b"\\" not in line) and len(self.found) < MOST:
            self.found += line
            self.is_ended = bool(newline)
            return len(line) + len(newline)
        for count, byte in enumerate(piece, 1):
            self._take(byte)
            if self.is_done:
                return count
            if len(self.found) > MOST:
                raise Failure("out of memory")
        return len(piece)

    def _take(self, byte: int) -> None:
        if self._after_backslash:
            self._after_backslash = False
            if byte != _NEWLINE:
                self.escaped.add(len(self.found))
                self.found.append(byte)
        elif byte == _NEWLINE:
            self.is_ended = True
        elif byte == _BACKSLASH and not self._raw:
            self._after_backslash = True
        elif byte:
            self.found.append(byte)


def _line(
    shell: Shell, stream: Stream, reader: _LineReader, due: int | None
) -> Coroutine[tuple[_Escaped, bool]]:
    """Read up to a newline and nothing behind it; tell whether there was one."""
    while not reader.is_done:
        piece = stream.peek(_PEEKED)
        if piece is None and (due is None or shell.process.now() < due):
            yield due
        elif not piece:
            return _characters(reader.found, reader.escaped), False
        else:
            stream.skip(reader.take(piece))
    return _characters(reader.found, reader.escaped), True


def _characters(data: bytearray, escaped: set[int]) -> _Escaped:
    if not escaped:
        return [(char, False) for char in data.decode("utf-8", "surrogateescape")]
    text = data.decode("latin-1")
    marked = [(char, index in escaped) for index, char in enumerate(text)]
    if data.isascii():
        return marked
    return [(char, False) for char in data.decode("utf-8", "surrogateescape")]


def _read_fields(line: _Escaped, count: int, separators: str) -> list[str]:
    """Split a line into so many fields, the last of which has all the rest."""
    blanks = {char for char in separators if char in " \t\n"}
    position = 0
    end = len(line)
    fields: list[str] = []

    def separates(index: int, among: object) -> bool:
        char, is_escaped = line[index]
        return not is_escaped and char in among  # type: ignore[operator]

    while position < end and separates(position, blanks):
        position += 1
    while len(fields) < count - 1 and position < end:
        begin = position
        while position < end and not separates(position, separators):
            position += 1
        fields.append("".join(char for char, _ in line[begin:position]))
        position = _behind_separator(line, position, separators, blanks)
    while end > position and separates(end - 1, blanks):
        end -= 1
    rest = "".join(char for char, _ in line[position:end])
    if rest[-1:] and rest[-1] in separators and not any(char in separators for char in rest[:-1]):
        rest = rest[:-1]
    fields.append(rest)
    return fields + [""] * (count - len(fields))


def _behind_separator(line: _Escaped, position: int, separators: str, blanks: set[str]) -> int:
    seen = False
    while position < len(line):
        char, is_escaped = line[position]
        if is_escaped or char not in separators or (seen and char not in blanks):
            break
        seen = seen or char not in blanks
        position += 1
    return position


def _wait(invocation: Invocation) -> Coroutine[int]:
    shell = invocation.shell
    if not invocation.arguments:
        for task in shell.background:
            if (yield from _waited(shell, task)) is None:
                return 128 + NUMBERS[shell.pending[0]]
        shell.background = []
        return 0
    status = 0
    for operand in invocation.arguments:
        found = job_of(shell, operand)
        if found is None:
            status = 127
            continue
        ended = yield from _waited(shell, found)
        if ended is None:
            return 128 + NUMBERS[shell.pending[0]]
        words = {143: "Terminated", 137: "Killed"}.get(ended)
        if words and found.killed_by:
            yield from shell.write(2, words + "\n")
        status = ended
    return status


def _waited(shell: Shell, task: Task) -> Coroutine[int | None]:
    while task.status is None:
        if shell.pending:
            return None
        yield None
    return task.status


def job_of(shell: Shell, text: str) -> Task | None:
    """Return a background job by its number (``%1``) or process id."""
    if text.startswith("%"):
        number = text[1:]
        if number in {"", "%", "+"}:
            return shell.background[-1] if shell.background else None
        if number.isdigit() and 0 < int(number[:9]) <= len(shell.background):
            return shell.background[int(number) - 1]
        return None
    return next((task for task in shell.background if str(task.pid) == text), None)


def _jobs(invocation: Invocation) -> int:
    shell = invocation.shell
    for index, task in enumerate(shell.background, 1):
        state = "Running" if task.status is None else "Done"
        mark = "+" if index == len(shell.background) else " "
        invocation.print(f"[{index}]{mark}  {state:<27}")
    shell.background = [task for task in shell.background if task.status is None]
    return 0


def _type(invocation: Invocation) -> int:
    status = 0
    for name in invocation.arguments:
        text = description(invocation.shell, name)
        invocation.print(text or f"{name}: not found")
        if not text:
            status = 127
    return status


def description(shell: Shell, name: str) -> str:
    """Say what a command is; empty if there is none."""
    if name in RESERVED:
        return f"{name} is a shell keyword"
    if name in shell.functions:
        return f"{name} is a function"
    if name in SPECIAL:
        return f"{name} is a special shell builtin"
    if name in BUILTINS or name in SHARED:
        return f"{name} is a shell builtin"
    place = place_of(shell, name)
    return f"{name} is {place}" if place else ""


def place_of(shell: Shell, name: str) -> str:
    """Return how a program would be called: by its own name, or by its path; empty if not."""
    if "/" not in name and is_applet(name):
        return name
    folders = [""] if "/" in name else (shell.value("PATH") or "").split(":")
    for folder in folders:
        path = posixpath.join(folder, name) if folder else name
        try:
            find_executable(shell.files, "", [path] if "/" in path else ["./" + path])
        except (OSError, ValueError):
            continue
        return path
    return ""


def _command(invocation: Invocation) -> Coroutine[int]:
    shell = invocation.shell
    options = invocation.options("vVp", stop=True, status=2)
    names = options.operands
    shell.command_name = ""
    if "v" in options or "V" in options:
        return _described(invocation, names[:1], verbose="V" in options)
    if not names:
        return 0
    if names[0] in BUILTINS or names[0] in SHARED:
        try:
            return (yield from shell.run_builtin(names))
        except (Failure, ScriptError) as wrong:
            yield from shell.complain(str(wrong))
            return getattr(wrong, "status", 2)
    return (yield from shell.execute(names, shell.environment()))


def _described(invocation: Invocation, names: list[str], *, verbose: bool) -> int:
    shell = invocation.shell
    for name in names:
        if verbose:
            text = description(shell, name)
        elif name in RESERVED or name in shell.functions or name in BUILTINS or name in SHARED:
            text = name
        else:
            text = place_of(shell, name)
        if not text:
            if verbose:
                invocation.print(f"{name}: not found")
            return 127
        invocation.print(text)
    return 0


def _umask(invocation: Invocation) -> int:
    shell = invocation.shell
    operands = [each for each in invocation.arguments if each != "-S"]
    if operands:
        if not re.fullmatch(r"[0-7]{1,4}", operands[0]):
            raise Failure(f"Illegal mode: {operands[0]}")
        shell.umask = int(operands[0], 8) & 0o777
    elif "-S" in invocation.arguments:
        bits = [(shell.umask >> shift) & 7 for shift in (6, 3, 0)]
        texts = [
            "".join(c for c, b in zip("rwx", (4, 2, 1), strict=True) if not bit & b) for bit in bits
        ]
        invocation.print(",".join(f"{who}={text}" for who, text in zip("ugo", texts, strict=True)))
    else:
        invocation.print(f"{shell.umask:04o}")
    return 0


def _getopts(invocation: Invocation) -> int:
    shell = invocation.shell
    if len(invocation.arguments) < 2:  # noqa: PLR2004 - the letters and the variable's name
        raise Failure("usage: getopts optstring var [arg]")
    letters, name, *arguments = invocation.arguments
    found = _next_option(invocation, letters, arguments or shell.arguments)
    shell.assign(name, found[0] if found else "?")
    shell.variables.pop("OPTARG", None)
    if found and found[1] is not None:
        shell.assign("OPTARG", found[1])
    return 0 if found else 1


def _next_option(
    invocation: Invocation, letters: str, arguments: list[str]
) -> tuple[str, str | None] | None:
    """Return the next option's letter and value, None if there is none, and remember where."""
    shell = invocation.shell
    number = _option_index(shell)
    place = shell.option_place[1] if shell.option_place[0] == number else 0
    word = arguments[number - 1] if 0 < number <= len(arguments) else ""
    if not place and (len(word) < 2 or word[0] != "-" or word == "--"):  # noqa: PLR2004
        shell.assign("OPTIND", str(number + (word == "--")))
        return None
    place = place or 1
    letter = word[place]
    rest = word[place + 1 :]
    after = (number, place + 1) if rest else (number + 1, 0)
    value: str | None = None
    kind = "unknown"
    at = letters.find(letter)
    if at >= 0 and letter != ":":
        kind = "known"
        if letters[at + 1 : at + 2] == ":":
            following = arguments[after[0] - 1 : after[0]]
            kind = "known" if rest or following else "incomplete"
            value = rest or "".join(following)
            after = (number + 1 if rest else after[0] + len(following), 0)
    shell.option_place = after
    shell.assign("OPTIND", str(after[0]))
    if kind == "known":
        return letter, value
    return _wrong_option(invocation, letter, kind, is_quiet=letters.startswith(":"))


def _option_index(shell: Shell) -> int:
    """Return which argument is looked at; a script that sets OPTIND to 1 begins anew."""
    index = shell.variables.get("OPTIND", "1")
    number = int(index) if re.fullmatch(r"\d{1,8}", index) else 1
    if number == 1 and shell.option_place[0] != 1:
        shell.option_place = (1, 0)
    return number


def _wrong_option(
    invocation: Invocation, letter: str, kind: str, *, is_quiet: bool
) -> tuple[str, str | None]:
    if is_quiet:
        return ("?" if kind == "unknown" else ":"), letter
    unknown, incomplete = f"Illegal option -{letter}", f"No arg for -{letter} option"
    invocation.warn_plainly(unknown if kind == "unknown" else incomplete)
    return "?", None


def _times(invocation: Invocation) -> int:
    for _ in range(2):
        invocation.print("0m0.000s 0m0.000s")
    return 0


def _ulimit(invocation: Invocation) -> int:
    if not [each for each in invocation.arguments if not each.startswith("-")]:
        invocation.print("unlimited")
    return 0


def _let(invocation: Invocation) -> int:
    value = 0
    for text in invocation.arguments:
        value = evaluate(text, invocation.shell)
    return int(value == 0)


def _help(invocation: Invocation) -> int:
    names = " ".join(sorted({*BUILTINS, *SHARED}))
    lines = re.findall(r".{1,62}(?: |$)", names)
    invocation.print("Built-in commands:\n------------------")
    for line in lines:
        invocation.print(f"\t{line.strip()}")
    return 0


def _nothing(_invocation: Invocation) -> int:
    return 0


BUILTINS: dict[str, CommandFunction] = {
    ":": _colon,
    ".": _source,
    "source": _source,
    "alias": _nothing,
    "bg": _nothing,
    "break": _break,
    "cd": _cd,
    "chdir": _cd,
    "command": _command,
    "continue": _continue,
    "eval": _eval,
    "exec": _nothing,
    "exit": _exit,
    "export": _export,
    "getopts": _getopts,
    "hash": _nothing,
    "help": _help,
    "jobs": _jobs,
    "let": _let,
    "local": _local,
    "pwd": _pwd,
    "read": _read,
    "readonly": _readonly,
    "return": _return,
    "set": _set,
    "shift": _shift,
    "times": _times,
    "trap": _trap,
    "type": _type,
    "ulimit": _ulimit,
    "umask": _umask,
    "unalias": _nothing,
    "unset": _unset,
    "wait": _wait,
}
