"""The command sed."""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dynadock.simulation.programs.shell import regex
from dynadock.simulation.programs.shell.commands.texts import whole
from dynadock.simulation.programs.shell.invocation import Lines, UsageError, words_of

if TYPE_CHECKING:
    from dynadock.simulation.programs.shell.invocation import Invocation
    from dynadock.simulation.programs.shell.jobs import Coroutine

_MOST_SPACE = 1024 * 1024
_MOST_WORK = 1024 * 1024
_TURN = 512
_MOST_JUMPS = 1_000_000
_ENDING = "\n;}"


class _Wrong(Exception):
    pass


@dataclass(slots=True)
class _Address:
    """A line's number, ``$``, an expression, or ``first~step``; ``+N`` counts on from a start."""

    number: int | None = None
    step: int = 0
    is_last: bool = False
    expression: re.Pattern[bytes] | None = None
    is_count: bool = False


@dataclass(slots=True)
class _Command:
    letter: str
    first: _Address | None = None
    last: _Address | None = None
    negated: bool = False
    text: bytes = b""
    expression: re.Pattern[bytes] | None = None
    replacement: list[bytes | int | str] = field(default_factory=list)
    flags: str = ""
    which: int = 1
    table: bytes = b""
    jump: int = 0
    active_until: int | None = None
    is_active: bool = False


class _Parser:
    def __init__(self, invocation: Invocation, text: str, *, extended: bool) -> None:
        self._invocation = invocation
        self._text = text
        self._at = 0
        self._extended = extended
        self._last = ""

    def commands(self) -> list[_Command]:
        found: list[_Command] = []
        open_ones: list[int] = []
        labels: dict[str, int] = {}
        while self._skip(" \t\n;"):
            command = self._command()
            if command.letter == "{":
                open_ones.append(len(found))
            elif command.letter == "}":
                if not open_ones:
                    raise _Wrong("unexpected '}'")
                found[open_ones.pop()].jump = len(found)
            elif command.letter == ":":
                labels[command.text.decode("utf-8", "surrogateescape")] = len(found)
            found.append(command)
        if open_ones:
            raise _Wrong("unmatched '{'")
        for command in found:
            if command.letter in "btT":
                label = command.text.decode("utf-8", "surrogateescape")
                if label and label not in labels:
                    raise _Wrong(f"can't find label for jump to '{label}'")
                command.jump = labels[label] if label else len(found)
        return found

    def _skip(self, chars: str) -> bool:
        while self._at < len(self._text) and self._text[self._at] in chars:
            self._at += 1
        if self._text.startswith("#", self._at):
            end = self._text.find("\n", self._at)
            self._at = len(self._text) if end < 0 else end
            return self._skip(chars)
        return self._at < len(self._text)

    def _command(self) -> _Command:
        command = _Command("")
        command.first = self._address()
        self._skip(" \t")
        if command.first is not None and self._text.startswith(",", self._at):
            self._at += 1
            self._skip(" \t")
            command.last = self._address()
            if command.last is None:
                raise _Wrong("unexpected ','")
        self._skip(" \t")
        while self._text.startswith("!", self._at):
            command.negated = True
            self._at += 1
            self._skip(" \t")
        if self._at >= len(self._text):
            raise _Wrong("missing command")
        command.letter = self._text[self._at]
        self._at += 1
        self._read_rest(command)
        return command

    def _read_rest(self, command: _Command) -> None:
        letter = command.letter
        if letter == "s":
            self._substitution(command)
        elif letter == "y":
            self._transliteration(command)
        elif letter in "aic":
            command.text = self._appended()
        elif letter in "btT:rwR":
            self._skip(" \t")
            ends = "\n" if letter in "rwR" else _ENDING
            begin = self._at
            while self._at < len(self._text) and self._text[self._at] not in ends:
                self._at += 1
            command.text = self._text[begin : self._at].strip().encode("utf-8", "surrogateescape")
        elif letter in "qQ":
            self._skip(" \t")
            digits = re.compile(r"\d{0,3}").match(self._text, self._at)
            assert digits is not None
            self._at = digits.end()
            command.which = int(digits[0] or 0)
        elif letter not in "{}pPdDnNgGhHx=l":
            raise _Wrong(f"unsupported command {letter}")
        if letter in "pPdDnNgGhHx=l}qQsy":
            self._skip(" \t")
            if self._at < len(self._text) and self._text[self._at] not in _ENDING + "#":
                raise _Wrong(
                    "unknown option to s" if letter == "s" else "extra characters after command"
                )

    def _address(self) -> _Address | None:
        rest = re.compile(r"\+(\d{1,9})|(\d{1,9})(?:~(\d{1,9}))?|\$").match(self._text, self._at)
        if rest:
            self._at = rest.end()
            if rest[0] == "$":
                return _Address(is_last=True)
            if rest[1]:
                return _Address(number=int(rest[1]), is_count=True)
            return _Address(number=int(rest[2]), step=int(rest[3] or 0))
        if self._text[self._at : self._at + 1] in {"/", "\\"}:
            if self._text[self._at] == "\\":
                self._at += 1
            delimiter = self._text[self._at : self._at + 1]
            self._at += 1
            text = self._until(delimiter)
            ignores = self._text.startswith("I", self._at)
            self._at += ignores
            return _Address(expression=self._compiled(text, ignore_case=ignores))
        return None

    def _compiled(self, text: str, *, ignore_case: bool = False) -> re.Pattern[bytes]:
        text = text or self._last
        if not text:
            raise _Wrong("no previous regexp")
        self._last = text
        try:
            return regex.compiled(text, extended=self._extended, ignore_case=ignore_case)
        except regex.RegexFailure as wrong:
            raise _Wrong(f"bad regex '{text}': {wrong}") from None

    def _until(self, delimiter: str, *, is_regex: bool = True) -> str:
        """Read up to a delimiter; one with a backslash in front stands for itself."""
        found = []
        in_bracket = False
        while self._at < len(self._text):
            char = self._text[self._at]
            self._at += 1
            if char == "\\" and self._at < len(self._text) and not in_bracket:
                following = self._text[self._at]
                self._at += 1
                if following == delimiter:
                    found.append(following)
                elif following == "n" and is_regex:
                    found.append("\n")
                else:
                    found.append("\\" + following)
                continue
            if is_regex and char == "[" and not in_bracket:
                in_bracket = True
                rest = re.compile(r"\^?\]?").match(self._text, self._at)
                assert rest is not None
                found.append(char + rest[0])
                self._at = rest.end()
                continue
            if char == "]" and in_bracket:
                in_bracket = False
            elif char == delimiter and not in_bracket:
                return "".join(found)
            found.append(char)
        raise _Wrong(f"unmatched '{delimiter}'")

    def _substitution(self, command: _Command) -> None:
        delimiter = self._text[self._at : self._at + 1]
        if not delimiter or delimiter in "\n\\":
            raise _Wrong("bad option in substitution expression")
        self._at += 1
        pattern = self._until(delimiter)
        replacement = self._until(delimiter, is_regex=False)
        flags = re.compile(r"[gpIiem0-9]*").match(self._text, self._at)
        assert flags is not None
        self._at = flags.end()
        command.flags = re.sub(r"\d", "", flags[0])
        number = re.search(r"\d{1,6}", flags[0])
        command.which = int(number[0]) if number else 1
        if self._text.startswith("w", self._at):
            end = self._text.find("\n", self._at)
            end = len(self._text) if end < 0 else end
            command.text = self._text[self._at + 1 : end].strip().encode()
            self._at = end
        ignores = "I" in command.flags or "i" in command.flags
        command.expression = self._compiled(pattern, ignore_case=ignores)
        command.replacement = _replacement(replacement)
        highest = max((part for part in command.replacement if isinstance(part, int)), default=0)
        if highest > command.expression.groups:
            raise _Wrong(f"bad regex '{pattern}': Invalid back reference")

    def _transliteration(self, command: _Command) -> None:
        delimiter = self._text[self._at : self._at + 1]
        if not delimiter:
            raise _Wrong("bad y")
        self._at += 1
        texts = [
            self._until(delimiter, is_regex=False).replace("\\n", "\n").replace("\\\\", "\\")
            for _ in range(2)
        ]
        first, second = (text.encode("utf-8", "surrogateescape") for text in texts)
        if len(first) != len(second):
            raise _Wrong("strings for 'y' command are different lengths")
        command.table = bytes.maketrans(first, second)

    def _appended(self) -> bytes:
        rest = re.compile(r"[ \t]*(?:\\\n)?").match(self._text, self._at)
        assert rest is not None
        self._at = rest.end()
        found = []
        while self._at < len(self._text):
            char = self._text[self._at]
            self._at += 1
            if char == "\n":
                break
            if char == "\\" and self._at < len(self._text):
                char = self._text[self._at]
                self._at += 1
            found.append(char)
        if not found:
            raise _Wrong("expected \\ after a, c or i")
        return ("".join(found) + "\n").encode("utf-8", "surrogateescape")


def _replacement(text: str) -> list[bytes | int | str]:
    """Return texts, numbers of groups, and letters that change case."""
    found: list[bytes | int | str] = []
    for part in re.finditer(r"\\(.)|(&)|([^\\&]+)|(\\)", text, re.DOTALL):
        if part[2]:
            found.append(0)
        elif part[1] and part[1].isdigit():
            found.append(int(part[1]))
        elif part[1] and part[1] in "LUElu":
            found.append(part[1])
        elif part[1]:
            char = {"n": "\n", "t": "\t", "r": "\r"}.get(part[1], part[1])
            found.append(char.encode("utf-8", "surrogateescape"))
        else:
            found.append((part[3] or part[4]).encode("utf-8", "surrogateescape"))
    return found


def run_sed(invocation: Invocation) -> Coroutine[int]:
    """Edit lines by commands: -n, -e, -f, -i, -E, -r, -s, -z is left out."""
    options = invocation.options("nre:f:Ei::sz", {"quiet": "n", "regexp-extended": "E"})
    operands = [*options.operands]
    texts = [*options.lists.get("e", [])]
    for name in options.lists.get("f", []):
        data = yield from whole(invocation.open(name))
        texts.append(data.decode("utf-8", "surrogateescape"))
    if not texts:
        if not operands:
            raise UsageError
        texts.append(operands.pop(0))
    extended = "r" in options or "E" in options
    try:
        commands = _Parser(invocation, "\n".join(texts), extended=extended).commands()
    except _Wrong as wrong:
        return invocation.warn(str(wrong))
    editor = _Editor(invocation, commands, is_quiet="n" in options)
    if "i" not in options:
        yield from editor.run(operands or ["-"])
        return editor.status or invocation.status
    for name in operands:
        yield from _edit_in_place(invocation, editor, name, options.values["i"])
    return editor.status or invocation.status


def _edit_in_place(
    invocation: Invocation, editor: _Editor, name: str, suffix: str
) -> Coroutine[None]:
    files = invocation.disk.files
    try:
        path = invocation.disk.path(name)
        before = files.read(path)
    except (OSError, ValueError) as error:
        invocation.warn_of(name, error)
        return
    editor.target = []
    yield from editor.run([name])
    if suffix:
        files.write(path + suffix, before)
    files.write(path, b"".join(editor.target))


class _Editor:
    """Runs the commands for each line."""

    def __init__(self, invocation: Invocation, commands: list[_Command], *, is_quiet: bool) -> None:
        self._invocation = invocation
        self._commands = commands
        self._is_quiet = is_quiet
        self.target: list[bytes] | None = None
        self.status = 0
        self._hold = b""
        self._is_over = False

    def run(self, names: list[str]) -> Coroutine[None]:
        self._number = 0
        self._is_over = False
        self._waiting: list[bytes] = []
        self._at = 0
        self._streams = self._invocation.inputs(names)
        self._lines: Lines | None = None
        for command in self._commands:
            command.is_active = False
        while not self._is_over:
            line = yield from self._next()
            if line is None:
                break
            yield from self._cycle(line)
            yield from self._flush()

    def _next(self) -> Coroutine[bytes | None]:
        """Return the next line of all files."""
        yield from self._fill()
        if self._at >= len(self._waiting):
            return None
        line = self._waiting[self._at]
        self._at += 1
        self._number += 1
        if self._number % _TURN == 0:
            yield self._invocation.now()
        return line

    def _fill(self) -> Coroutine[None]:
        while self._at >= len(self._waiting):
            if self._lines is None:
                found = next(self._streams, None)
                if found is None:
                    return
                self._name = found[0]
                self._lines = Lines(found[1])
            try:
                self._waiting = yield from self._lines.next()
            except OSError as error:
                self._invocation.warn(f"read error on '{self._name}': {words_of(error)}")
                self._waiting = []
            self._at = 0
            if not self._waiting:
                self._lines = None

    def _is_last(self) -> Coroutine[bool]:
        yield from self._fill()
        return self._at >= len(self._waiting)

    def _put(self, data: bytes) -> None:
        if self.target is None:
            self._invocation.put(data)
        else:
            self.target.append(data)

    def _flush(self) -> Coroutine[None]:
        stream = self._invocation.descriptors.get(1)
        if self._invocation.is_due or (stream is not None and stream.is_terminal):
            yield from self._invocation.flush()

    def _take(self, line: bytes) -> None:
        self._space = line.removesuffix(b"\n")
        self._end = line[len(self._space) :]

    def _cycle(self, line: bytes) -> Coroutine[None]:
        self._take(line)
        self._after: list[bytes] = []
        self._replaced = False
        prints = (yield from self._commands_for_line()) and not self._is_quiet
        if prints:
            self._put(self._space + self._end)
        if self._after and not self._end:
            self._put(b"\n")
        for text in self._after:
            self._put(text)

    def _commands_for_line(self) -> Coroutine[bool]:
        """Run the commands, and tell whether the line is printed after them."""
        at = jumps = work = 0
        while at < len(self._commands):
            command = self._commands[at]
            at += 1
            if not (yield from self._selects(command)):
                at = command.jump + 1 if command.letter == "{" else at
                continue
            outcome = yield from self._do(command)
            if outcome in {"end", "drop"}:
                return outcome == "end"
            if outcome:
                at = command.jump if outcome == "jump" else 0
                jumps += 1
                work += len(self._space)
            if jumps > _MOST_JUMPS:
                raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
            if work > _MOST_WORK or jumps % _TURN == _TURN - 1:
                work = 0
                yield self._invocation.now()
        return True

    def _selects(self, command: _Command) -> Coroutine[bool]:
        if command.first is None:
            return True
        if command.last is None:
            matched = yield from self._matches(command.first)
        else:
            matched = yield from self._in_range(command)
        return matched != command.negated

    def _in_range(self, command: _Command) -> Coroutine[bool]:
        assert command.first is not None
        assert command.last is not None
        last = command.last
        if not command.is_active:
            begins = yield from self._matches(command.first)
            if not begins:
                return False
            command.is_active = True
            command.active_until = last.number
            if last.is_count:
                command.active_until = self._number + (last.number or 0)
            if command.active_until is not None and command.active_until <= self._number:
                command.is_active = False
            return True
        if command.active_until is not None:
            if self._number >= command.active_until:
                command.is_active = False
            return self._number <= command.active_until
        ends = yield from self._matches(last)
        if ends:
            command.is_active = False
        return True

    def _matches(self, address: _Address) -> Coroutine[bool]:
        if address.is_last:
            return (yield from self._is_last())
        if address.expression is not None:
            return address.expression.search(self._space) is not None
        number = address.number or 0
        if address.step:
            return self._number >= number and (self._number - number) % address.step == 0
        return self._number == number

    def _do(self, command: _Command) -> Coroutine[str]:
        """Do a command; return ``end`` or ``drop`` if it ends the cycle, ``jump`` or ``again``."""
        letter = command.letter
        if letter in "nNdDqQ":
            return (yield from self._do_moving(command))
        if letter in "btT":
            if letter == "b" or self._replaced == (letter == "t"):
                self._replaced = False
                return "jump"
        elif letter == "s":
            self._substitute(command)
        elif letter in "rRw":
            self._do_with_file(command)
        else:
            self._do_plain(command, letter)
            if letter == "c":
                return "drop"
        return ""

    def _do_plain(self, command: _Command, letter: str) -> None:
        if letter in "pP=ilc":
            self._print(command, letter)
        elif letter == "y":
            self._space = self._space.translate(command.table)
        elif letter == "a":
            self._after.append(command.text)
        elif letter in "gG":
            self._space = self._hold if letter == "g" else self._space + b"\n" + self._hold
        elif letter in "hH":
            self._hold = self._space if letter == "h" else self._hold + b"\n" + self._space
        elif letter == "x":
            self._space, self._hold = self._hold, self._space
        self._check_size(len(self._space) + len(self._hold))

    def _print(self, command: _Command, letter: str) -> None:
        if letter == "c" and command.last and command.is_active:
            return
        self._put(
            {
                "p": self._space + b"\n",
                "P": self._space.split(b"\n")[0] + b"\n",
                "=": b"%d\n" % self._number,
                "l": self._space.decode("latin-1").encode("unicode_escape") + b"$\n",
            }.get(letter, command.text)
        )

    @staticmethod
    def _check_size(size: int) -> None:
        if size > _MOST_SPACE:
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    def _do_with_file(self, command: _Command) -> None:
        name = command.text.decode("utf-8", "surrogateescape")
        disk = self._invocation.disk
        try:
            if command.letter == "w":
                stream = disk.writer(name, self._invocation.descriptors, append=True)
                stream.write(self._space + b"\n")
            else:
                self._after.append(disk.files.read(disk.path(name)))
        except (OSError, ValueError):
            return

    def _do_moving(self, command: _Command) -> Coroutine[str]:
        letter = command.letter
        if letter in "qQ":
            self._is_over = True
            self.status = command.which
            return "end" if letter == "q" else "drop"
        if letter == "d":
            return "drop"
        if letter == "D":
            _, newline, rest = self._space.partition(b"\n")
            if not newline:
                return "drop"
            self._space = rest
            return "again"
        if (yield from self._is_last()):
            self._is_over = True
            return "end"
        if letter == "n":
            if not self._is_quiet:
                self._put(self._space + self._end)
            line = yield from self._next()
            self._take(line or b"")
        else:
            line = yield from self._next()
            before = self._space
            self._take(line or b"")
            self._space = before + b"\n" + self._space
            self._check_size(len(self._space))
        return ""

    def _substitute(self, command: _Command) -> None:
        assert command.expression is not None
        parts = []
        at = count = 0
        done = 0
        size = 0
        for found in command.expression.finditer(self._space):
            count += 1
            if count < command.which:
                continue
            piece = _filled(command.replacement, found)
            parts += [self._space[at : found.start()], piece]
            size += len(piece)
            self._check_size(size)
            at = found.end()
            done += 1
            if "g" not in command.flags:
                break
        if not done:
            return
        self._replaced = True
        self._space = b"".join(parts) + self._space[at:]
        if "p" in command.flags:
            self._put(self._space + b"\n")
        if command.text:
            self._do_with_file(_Command("w", text=command.text))


def _filled(replacement: list[bytes | int | str], found: re.Match[bytes]) -> bytes:
    parts: list[bytes] = []
    case = once = ""
    for part in replacement:
        if isinstance(part, str):
            if part in "lu":
                once = part
            else:
                case = "" if part == "E" else part
            continue
        text = (found[part] or b"") if isinstance(part, int) else part
        if case:
            text = text.upper() if case == "U" else text.lower()
        if once and text:
            first = text[:1].upper() if once == "u" else text[:1].lower()
            text, once = first + text[1:], ""
        parts.append(text)
    return b"".join(parts)
