"""The command ``sh``: its options, and where its commands come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.simulation.programs.shell.failures import Failure, Interrupted
from dynadock.simulation.programs.shell.invocation import read, words_of
from dynadock.simulation.programs.shell.lexer import ScriptError, UnfinishedScript
from dynadock.simulation.programs.shell.parser import Parser

if TYPE_CHECKING:
    from dynadock.simulation.programs.shell.interpreter import Shell
    from dynadock.simulation.programs.shell.jobs import Coroutine

OPTIONS = {
    "e": "errexit",
    "f": "noglob",
    "I": "ignoreeof",
    "m": "monitor",
    "n": "noexec",
    "x": "xtrace",
    "v": "verbose",
    "C": "noclobber",
    "a": "allexport",
    "b": "notify",
    "u": "nounset",
    "E": "errtrace",
    "V": "vi",
    "c": "command",
    "s": "stdin",
    "i": "interactive",
}
"""Letters of ``set`` and what they are called; ``pipefail`` has none."""

_NOT_SET = frozenset("csi")
NAMES = (*(name for letter, name in OPTIONS.items() if letter not in _NOT_SET), "pipefail")

LETTERS = "uEbaCvxnmisIcfe"
"""Letters of ``$-`` in the order that it has them."""

GREETING = (
    "\n\nBusyBox v1.35.0 built-in shell (ash)\nEnter 'help' for a list of built-in commands.\n\n"
)
"""What a shell at a terminal begins with."""

_PIECE = 1023
"""Bytes of a script that a shell reads at a time from its input; commands get what follows."""

_LONGEST_COMMAND = 1024 * 1024


def set_option(shell: Shell, letter: str, name: str | None, *, on: bool) -> None:
    """Turn an option on or off, by its letter or, for ``o``, by its name.

    Raises:
        Failure: There is none.

    """
    option = name if letter == "o" else OPTIONS.get(letter)
    if option not in NAMES:
        raise Failure(f"illegal option -{letter}{f' {name}' if letter == 'o' else ''}")
    assert option is not None
    (shell.options.add if on else shell.options.discard)(option)


def run_shell(shell: Shell, words: list[str]) -> Coroutine[int]:
    """Be a shell with this command line, and return its status."""
    shell.name = words[0]
    try:
        source = _Source(shell, words[1:])
    except Failure as wrong:
        yield from shell.write(2, f"{words[0].rpartition('/')[2]}: {wrong}\n")
        return wrong.status
    shell.variables["PWD"] = shell.files.folder
    shell.exported.add("PWD")
    level = shell.variables.get("SHLVL", "")
    shell.variables["SHLVL"] = str(int(level[:9]) + 1 if level.isdigit() else 1)
    shell.exported.add("SHLVL")
    return (yield from shell.to_end(source.run()))


class _Source:
    """Where a shell's commands come from, by its command line."""

    def __init__(self, shell: Shell, arguments: list[str]) -> None:
        self._shell = shell
        self._is_command = self._is_input = self._wants_prompt = False
        rest = self._read_options(arguments)
        self._text = ""
        self._file = ""
        if self._is_command:
            if not rest:
                raise Failure("-c requires an argument")
            self._text = rest.pop(0)
            shell.options.add(OPTIONS["c"])
            if rest:
                shell.name = rest.pop(0)
        elif rest and not self._is_input:
            self._file = shell.name = rest.pop(0)
        shell.arguments = rest

    def _read_options(self, arguments: list[str]) -> list[str]:
        rest = [*arguments]
        while rest and rest[0][:1] in {"-", "+"} and rest[0] not in {"-", "+"}:
            word = rest.pop(0)
            if word == "--":
                break
            if word == "--login":
                continue
            for letter in word[1:]:
                self._read_option(letter, rest, on=word[0] == "-")
        else:
            if rest and rest[0] == "-":
                rest.pop(0)
        return rest

    def _read_option(self, letter: str, rest: list[str], *, on: bool) -> None:
        if letter == "c":
            self._is_command = True
        elif letter == "s":
            self._is_input = True
        elif letter == "i":
            self._wants_prompt = True
        elif letter != "l":
            name = rest.pop(0) if letter == "o" and rest else None
            set_option(self._shell, letter, name, on=on)

    def run(self) -> Coroutine[int]:
        """Run the commands."""
        shell = self._shell
        if self._wants_prompt:
            shell.is_interactive = True
        if self._is_command:
            return (yield from shell.run_text(self._text))
        if self._file:
            text = yield from self._content()
            shell.in_file = True
            return (yield from shell.run_text(text))
        stream = shell.descriptors.get(0)
        if stream is not None and stream.is_terminal:
            shell.is_interactive = True
        if shell.is_interactive and shell.task is not None and shell.task.pid == shell.process.pid:
            shell.process.handle("INT", "TERM", "QUIT")
        shell.options.add(OPTIONS["s"])
        return (yield from self._lines())

    def _content(self) -> Coroutine[str]:
        try:
            stream = self._shell.files.reader(self._file, self._shell.descriptors)
            blocks = []
            while block := (yield from read(stream)):
                blocks.append(block)
        except (OSError, ValueError) as error:
            self._shell.name = "sh"
            raise Failure(f"can't open '{self._file}': {words_of(error)}") from None
        return b"".join(blocks).replace(b"\0", b"").decode("utf-8", "surrogateescape")

    def _lines(self) -> Coroutine[int]:
        """Run commands as they come in, each as soon as it is whole."""
        text = ""
        status = 0
        is_over = False
        if self._shell.is_interactive:
            yield from self._shell.write(2, GREETING)
        yield from self._prompt("PS1")
        while not (is_over and not text):
            if not is_over:
                piece = yield from self._piece()
                is_over = not piece
                text += piece
            try:
                text, status = yield from self._run_whole(text, status, is_over=is_over)
            except (Interrupted, Failure, ScriptError) as wrong:
                if not self._shell.is_interactive:
                    raise
                status = yield from self._recover(wrong)
                text = ""
            if not is_over:
                yield from self._prompt("PS2" if text else "PS1")
        return status

    def _run_whole(self, text: str, status: int, *, is_over: bool) -> Coroutine[tuple[str, int]]:
        """Run the commands that are whole, and return what is left."""
        ready = text if is_over else text[: text.rfind("\n") + 1]
        parser = Parser(ready, is_whole=is_over)
        done = 0
        while True:
            try:
                commands = parser.next_commands()
            except UnfinishedScript:
                if is_over or len(text) > _LONGEST_COMMAND:
                    raise
                return text[done:], status
            if commands is None:
                return ("" if is_over else text[len(ready) :]), status
            done = parser.position
            if "noexec" not in self._shell.options:
                status = yield from self._shell.run(commands)

    def _piece(self) -> Coroutine[str]:
        stream = self._shell.descriptors.get(0)
        if stream is None:
            return ""
        while True:
            try:
                data = yield from read(stream, _PIECE)
            except OSError:
                return ""
            except Interrupted:
                yield from self._shell.write(2, "\n")
                yield from self._prompt("PS1")
                continue
            return data.replace(b"\0", b"").decode("utf-8", "surrogateescape")

    def _recover(self, wrong: Exception) -> Coroutine[int]:
        shell = self._shell
        shell.loops = 0
        if isinstance(wrong, Interrupted):
            yield from shell.write(2, "\n")
            shell.status = 130
        else:
            yield from shell.complain(str(wrong))
            shell.status = getattr(wrong, "status", 2)
        return shell.status

    def _prompt(self, name: str) -> Coroutine[None]:
        shell = self._shell
        if shell.is_interactive:
            default = {"PS1": "\\w \\$ ", "PS2": "> "}[name]
            yield from shell.write(2, _prompt_text(shell, shell.variables.get(name, default)))


def _prompt_text(shell: Shell, text: str) -> str:
    home = shell.value("HOME") or ""
    folder = shell.files.folder
    if home and home != "/" and (folder == home or folder.startswith(home + "/")):
        folder = "~" + folder[len(home) :]
    user = shell.process.user.partition(":")[0] or "root"
    meanings = {
        "\\w": folder,
        "\\W": folder.rpartition("/")[2] or folder,
        "\\$": "#" if user in {"root", "0"} else "$",
        "\\h": shell.process.hostname.partition(".")[0],
        "\\u": user,
        "\\n": "\n",
    }
    for letters, meaning in meanings.items():
        text = text.replace(letters, meaning)
    return text
