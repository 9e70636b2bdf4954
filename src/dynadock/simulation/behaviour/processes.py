"""The processes of a container, as ``ps`` on the host writes them."""

from __future__ import annotations

from time import gmtime, strftime
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.simulation.behaviour.facts import facts
from dynadock.simulation.behaviour.table import behaviour
from dynadock.simulation.clock import SECOND
from dynadock.simulation.refusal import conflict, server_error
from dynadock.simulation.state.container import INIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dynadock.simulation.asked import Asked
    from dynadock.simulation.programs.process import ProcessEntry
    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.state import State


@behaviour
def ContainerTop(state: State, asked: Asked) -> Any:
    """The main process and the execs, without children; ps_args choose columns, not processes."""
    container = state.containers.find(asked.get("id"))
    if container.status == "restarting":
        raise conflict(
            f"Container {container.id} is restarting, wait until the container is running"
        )
    container.ensure_running()
    columns = _columns(asked.get("ps_args"))
    titles = " ".join(each.title for each in columns).split()
    if "PID" not in titles:
        raise server_error("Couldn't find PID field in ps output")
    usage = facts("Usage", asked.operation.version)
    rows = [
        _fields(" ".join(each.write(line) for each in columns), len(titles))
        for line in _lines(state, container, usage)
    ]
    container.tell("top")
    return {"Titles": titles, "Processes": rows or None}


def _fields(line: str, count: int) -> list[str]:
    """Split a line of ps as engines do: at blanks, and the last field has the rest."""
    fields = line.split()
    return [*fields[: count - 1], " ".join(fields[count - 1 :])]


class _Line(NamedTuple):
    """What ps knows of a process: times in seconds, memory in KiB."""

    pid: int
    parent: int
    user: str
    command: str
    started: int
    age: int
    used: int
    is_tty: bool
    is_paused: bool
    resident: int
    virtual: int

    @property
    def name(self) -> str:
        program = self.command.partition(" ")[0]
        return program.rpartition("/")[2]

    @property
    def letter(self) -> str:
        return "D" if self.is_paused else "S"

    @property
    def status(self) -> str:
        leads = "s" if self.parent == _PARENT else ""
        return f"{self.letter}{leads}{'+' if self.is_tty and leads else ''}"

    @property
    def share(self) -> float:
        return 100 * self.used / self.age if self.age else 0.0


_PARENT = 1
"""The host's process that starts what runs in containers."""


def _entries(container: Container) -> list[ProcessEntry]:
    """Return what runs in a container, the init first that has begun its program, if it has one."""
    main, *others = container.processes()
    if not container.host_config.get("Init"):
        return [main, *others]
    init = main._replace(command=f"{INIT} -- {main.command}")
    return [init, main._replace(pid=container.pid + 1, parent=main.pid), *others]


def _lines(state: State, container: Container, usage: Mapping[str, int]) -> Iterator[_Line]:
    now = state.clock.now()
    for entry in _entries(container):
        age = max(now - entry.started, 0) // SECOND
        is_main = entry.pid == 1
        yield _Line(
            container.pid if is_main else entry.pid,
            container.pid if entry.parent == 1 else entry.parent or _PARENT,
            entry.user.partition(":")[0] or "root",
            entry.command,
            entry.started // SECOND,
            age,
            (usage["cpu_at_start"] + usage["cpu_each_second"] * age) // SECOND if is_main else 0,
            entry.is_tty,
            container.is_paused,
            usage["memory_of_process"] // 1024,
            usage["virtual_memory_of_process"] // 1024,
        )


# What ps is told


def _columns(arguments: str) -> list[_Column]:
    """Return the columns that arguments ask for; Refused in the words of ps for what is wrong."""
    letters, formats, is_bsd = _read(arguments.split())
    if formats:
        return [_column(text) for text in formats]
    layouts = _BSD_LAYOUTS if is_bsd else _LAYOUTS
    chosen = next((layouts[each] for each in letters if each in layouts), layouts[""])
    return [_COLUMNS[name] for name in chosen.split()]


def _read(words: list[str]) -> tuple[str, list[str], bool]:
    """Return the letters of all options, the formats asked for, and whether BSD's style is."""
    letters, formats, is_bsd = "", [], False
    rest = iter(words)
    for word in rest:
        if word.startswith("--"):
            _check_long(word, rest)
            continue
        of_bsd = not word.startswith("-") or "x" in word
        is_bsd = is_bsd or of_bsd
        cluster, has_format, attached = word.lstrip("-").partition("o")
        known = _BSD_LETTERS if of_bsd else _LETTERS
        if not {*cluster} <= known:
            raise server_error(f"ps: error: {_UNSUPPORTED[of_bsd]}")
        letters += cluster
        if has_format:
            text = attached or next(rest, "")
            if not text:
                raise server_error("ps: error: format specification must follow -o")
            formats += _formats(text)
    return letters, formats, is_bsd


_UNSUPPORTED = {True: "unsupported option (BSD syntax)", False: "unsupported SysV option"}
_LETTERS = frozenset("AaeFfHjlw")
_BSD_LETTERS = frozenset("aefjluwx")
_LONG = ("--cols", "--columns", "--forest", "--headers", "--rows", "--sort", "--width")
_LONG_WITHOUT_VALUE = ("--forest", "--headers")


def _check_long(word: str, rest: Iterator[str]) -> None:
    """Pass over a long option that only changes how lines look, with its value."""
    name, equals, _ = word.partition("=")
    if name not in _LONG:
        raise server_error("ps: error: unknown gnu long option")
    if not equals and name not in _LONG_WITHOUT_VALUE:
        next(rest, "")


def _formats(text: str) -> list[str]:
    """Split a list of formats; a title of one's own goes to the end of the text."""
    names, equals, title = text.partition("=")
    formats = [each for each in names.split(",") if each]
    if equals and formats:
        formats[-1] += f"={title}"
    return formats


def _column(text: str) -> _Column:
    name, equals, title = text.partition("=")
    name = name.partition(":")[0]
    column = _COLUMNS.get(name)
    if column is None or name in _OF_LAYOUTS:
        raise server_error(f'ps: error: unknown user-defined format specifier "{name}"')
    return column._replace(title=title) if equals else column


class _Column(NamedTuple):
    """A column: its title, and what it says of a process."""

    title: str
    write: Callable[[_Line], str]


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _short_clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d}"


def _elapsed(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    return f"{days}-{_clock(rest)}" if days else _clock(rest).removeprefix("00:")


def _number_of(user: str) -> str:
    return "0" if user == "root" else user


def _shown(form: str) -> Callable[[_Line], str]:
    return lambda line: strftime(form, gmtime(line.started))


def _fixed(text: str) -> Callable[[_Line], str]:
    return lambda _line: text


def _of(title: str, write: Callable[[_Line], str], *names: str) -> dict[str, _Column]:
    return dict.fromkeys(names, _Column(title, write))


_COLUMNS: Mapping[str, _Column] = {
    **_of("PID", lambda line: str(line.pid), "pid", "tgid"),
    **_of("PPID", lambda line: str(line.parent), "ppid"),
    **_of("PGID", lambda line: str(line.pid), "pgid", "pgrp"),
    **_of("SID", lambda line: str(line.pid), "sid", "sess"),
    **_of("USER", lambda line: line.user, "user", "uname"),
    **_of("EUSER", lambda line: line.user, "euser"),
    **_of("RUSER", lambda line: line.user, "ruser"),
    **_of("UID", lambda line: _number_of(line.user), "uid", "euid"),
    **_of("UID", lambda line: line.user, "UID"),
    **_of("GID", _fixed("0"), "gid", "egid"),
    **_of("GROUP", _fixed("root"), "group", "egroup"),
    **_of("COMMAND", lambda line: line.command, "args", "command"),
    **_of("CMD", lambda line: line.command, "cmd"),
    **_of("COMMAND", lambda line: line.name, "comm", "fname"),
    **_of("CMD", lambda line: line.name, "ucmd", "ucomm"),
    **_of("TT", _fixed("?"), "tty", "tt"),
    **_of("TTY", _fixed("?"), "tname"),
    **_of("STAT", lambda line: line.status, "stat"),
    **_of("S", lambda line: line.letter, "s", "state"),
    **_of("TIME", lambda line: _clock(line.used), "time", "cputime"),
    **_of("TIME", lambda line: _short_clock(line.used), "bsdtime"),
    **_of("ELAPSED", lambda line: _elapsed(line.age), "etime"),
    **_of("ELAPSED", lambda line: str(line.age), "etimes"),
    **_of("STARTED", _shown("%H:%M:%S"), "start"),
    **_of("STARTED", _shown("%a %b %e %H:%M:%S %Y"), "lstart"),
    **_of("STIME", _shown("%H:%M"), "stime", "start_time"),
    **_of("START", _shown("%H:%M"), "bsdstart"),
    **_of("VSZ", lambda line: str(line.virtual), "vsz", "vsize"),
    **_of("RSS", lambda line: str(line.resident), "rss", "rsz", "rssize"),
    **_of("SZ", lambda line: str(line.virtual // 4), "sz"),
    **_of("%CPU", lambda line: f"{line.share:.1f}", "pcpu", "%cpu"),
    **_of("C", lambda line: str(int(line.share)), "c"),
    **_of("%MEM", _fixed("0.0"), "pmem", "%mem"),
    **_of("NI", _fixed("0"), "ni", "nice"),
    **_of("PRI", _fixed("19"), "pri"),
    **_of("PRI", _fixed("80"), "PRI"),
    **_of("PRI", _fixed("20"), "priority"),
    **_of("NLWP", _fixed("1"), "nlwp", "thcount"),
    **_of("PSR", _fixed("0"), "psr"),
    **_of("F", _fixed("4"), "f", "flag", "flags"),
    **_of("WCHAN", _fixed("-"), "wchan"),
    **_of("ADDR", _fixed("-"), "ADDR"),
    **_of("TPGID", lambda line: str(line.pid), "tpgid"),
}
"""What ``-o`` takes (procps 4.0); those in capitals are only parts of the layouts below."""

_OF_LAYOUTS = frozenset({"ADDR", "PRI", "UID"})

_LAYOUTS = {
    "": "pid tname time ucmd",
    "f": "UID pid ppid c stime tname time cmd",
    "F": "UID pid ppid c sz rss psr stime tname time cmd",
    "l": "f s uid pid ppid c PRI ni ADDR sz wchan tname time ucmd",
    "j": "pid pgid sid tname time ucmd",
}
_BSD_LAYOUTS = {
    "": "pid tname stat bsdtime command",
    "u": "user pid pcpu pmem vsz rss tname stat bsdstart bsdtime command",
    "l": "f uid pid ppid priority ni vsz rss wchan stat tname bsdtime command",
    "j": "ppid pid pgid sid tname tpgid stat uid bsdtime command",
}
