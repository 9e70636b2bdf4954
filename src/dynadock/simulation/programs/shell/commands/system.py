"""Commands about the machine, its users, its time and its processes, and those that run others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dynadock.simulation.programs.shell.builtins import job_of, signal_name
from dynadock.simulation.programs.shell.executables import find_executable
from dynadock.simulation.programs.shell.invocation import UsageError
from dynadock.simulation.programs.shell.jobs import NUMBERS
from dynadock.simulation.programs.shell.times import NANOSECOND, iso_form, moment_of, time_text
from dynadock.simulation.programs.shell.users import user_of

if TYPE_CHECKING:
    from dynadock.simulation.programs.shell.invocation import Invocation
    from dynadock.simulation.programs.shell.jobs import Coroutine, Task

_RELEASE = "6.1.0"
_VERSION = "#1 SMP PREEMPT_DYNAMIC"
_MACHINE = "x86_64"
_LISTED_SIGNALS = range(1, 32)


def run_whoami(invocation: Invocation) -> int:
    """Print the user's name."""
    user = user_of(invocation.shell)
    if user.name is None:
        return invocation.warn(f"unknown uid {user.uid}")
    invocation.print(user.name)
    return 0


def run_id(invocation: Invocation) -> int:
    """Print the user's and group's numbers and names; -u, -g, -n, -G."""
    options = invocation.options("ugnGr")
    user = user_of(invocation.shell)
    if "u" in options or "g" in options or "G" in options:
        number, name = (user.uid, user.name) if "u" in options else (user.gid, user.group)
        invocation.print(name if "n" in options and name else str(number))
        return 0
    group = _both(user.gid, user.group)
    invocation.print(f"uid={_both(user.uid, user.name)} gid={group} groups={group}")
    return 0


def _both(number: int, name: str | None) -> str:
    return str(number) if name is None else f"{number}({name})"


def run_groups(invocation: Invocation) -> int:
    """Print the user's group."""
    user = user_of(invocation.shell)
    invocation.print(user.group or str(user.gid))
    return 0


def run_pwd(invocation: Invocation) -> int:
    """Print the folder that it runs in."""
    invocation.print(invocation.shell.files.folder)
    return 0


def run_hostname(invocation: Invocation) -> int:
    """Print the container's name."""
    options = invocation.options("sdfi")
    if options.operands:
        return invocation.warn("sethostname: Operation not permitted")
    invocation.print(invocation.shell.process.hostname)
    return 0


def run_uname(invocation: Invocation) -> int:
    """Print the system's name; -a all of it."""
    options = invocation.options("snrvmpioa", {"all": "a"})
    parts = {
        "s": "Linux",
        "n": invocation.shell.process.hostname,
        "r": _RELEASE,
        "v": _VERSION,
        "m": _MACHINE,
        "o": "GNU/Linux",
    }
    letters = "snrvmo" if "a" in options else options.letters or "s"
    shown = [parts.get(letter, "unknown") for letter in "snrvmpio" if letter in letters]
    invocation.print(" ".join(shown))
    return 0


def run_nproc(invocation: Invocation) -> int:
    """Print how many processors there are."""
    invocation.print("2")
    return 0


def run_env(invocation: Invocation) -> int | Coroutine[int]:
    """Print the environment, or run a command in a changed one; -i empties it, -u removes."""
    options = invocation.options("iu:0", stop=True)
    words = [*options.operands]
    if words and words[0] == "-":
        words.pop(0)
        environment = {}
    else:
        environment = {} if "i" in options else dict(invocation.environment)
    for name in options.lists.get("u", []):
        environment.pop(name, None)
    while words and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    if words:
        return invocation.execute(words, environment)
    for name, value in environment.items():
        invocation.print(f"{name}={value}", end="\0" if "0" in options else "\n")
    return 0


def run_printenv(invocation: Invocation) -> int:
    """Print variables of the environment."""
    status = 0
    for name in invocation.arguments:
        if name in invocation.environment:
            invocation.print(invocation.environment[name])
        else:
            status = 1
    if not invocation.arguments:
        for name, value in invocation.environment.items():
            invocation.print(f"{name}={value}")
    return status


def run_date(invocation: Invocation) -> int:
    """Print the time: ``+FORMAT``, -u, -d TIME, -I, -R, -r FILE; the time zone is UTC."""
    options = invocation.options(
        "uRd:r:I::s:D:", {"utc": "u", "date": "d", "rfc-2822": "R", "iso-8601": "I"}
    )
    moment = invocation.now()
    if "d" in options:
        found = moment_of(options.values["d"], moment)
        if found is None:
            return invocation.warn(f"invalid date '{options.values['d']}'")
        moment = found
    elif "r" in options:
        moment = invocation.stat(options.values["r"]).mtime
    shown = "%a %b %e %H:%M:%S UTC %Y"
    if "R" in options:
        shown = "%a, %d %b %Y %H:%M:%S +0000"
    elif "I" in options:
        shown = iso_form(options.values.get("I", ""))
    if options.operands:
        if not options.operands[0].startswith("+"):
            return invocation.warn(f"invalid date '{options.operands[0]}'")
        shown = options.operands[0][1:]
    invocation.print(time_text(shown, moment))
    return 0


def run_kill(invocation: Invocation) -> int | Coroutine[int]:
    """Send a signal, TERM unless another is named, to processes."""
    words = [*invocation.arguments]
    if words and words[0] == "-l":
        return _list_signals(invocation, words[1:])
    signal = "TERM"
    if words and re.fullmatch("-[A-Za-z0-9]+", words[0]) and words[0] != "--":
        text = words.pop(0)[1:]
        if text == "s" and words:
            text = words.pop(0)
        name = signal_name(text)
        if name is None:
            return invocation.warn(f"bad signal name '{text}'")
        signal = name
    if words and words[0] == "--":
        words.pop(0)
    if not words:
        return invocation.warn("you need to specify whom to kill")
    return _kill_all(invocation, words, signal)


def _list_signals(invocation: Invocation, words: list[str]) -> int:
    if not words:
        names = {number: name for name, number in NUMBERS.items()}
        for number in _LISTED_SIGNALS:
            invocation.print(f"{number:2d}) {names[number]}")
    for word in words:
        name = signal_name(str(int(word) & 127) if word.isdigit() else word)
        if name is None:
            return invocation.warn(f"unknown signal '{word}'")
        invocation.print(name if word.isdigit() else str(NUMBERS[name]))
    return 0


def _kill_all(invocation: Invocation, words: list[str], signal: str) -> Coroutine[int]:
    shell = invocation.shell
    for word in words:
        job = job_of(shell, word) if word.startswith("%") else None
        if not re.fullmatch(r"-?\d{1,9}", word) and job is None:
            invocation.warn(f"invalid number '{word}'")
            continue
        pid = job.pid if job is not None else int(word)
        if not (shell.jobs.signal(pid, signal) or shell.process.kill(pid, signal)):
            invocation.warn(f"can't kill pid {pid}: No such process")
    yield shell.process.now()
    return invocation.status


def run_killall(invocation: Invocation) -> Coroutine[int]:
    """Send a signal to all processes of a name."""
    words = [*invocation.arguments]
    signal = "TERM"
    quiet = False
    while words and words[0].startswith("-"):
        option = words.pop(0)[1:]
        if option == "q":
            quiet = True
        else:
            signal = signal_name(option) or signal
    for name in words:
        found = [pid for pid, _, command in _listed(invocation) if _name_of(command) == name]
        own = invocation.shell.task
        for pid in found:
            if own is None or pid != own.pid:
                invocation.shell.jobs.signal(pid, signal) or invocation.shell.process.kill(
                    pid, signal
                )
        if not found and not quiet:
            invocation.warn(f"{name}: no process killed")
        elif not found:
            invocation.status = 1
    yield invocation.now()
    return invocation.status


def _name_of(command: str) -> str:
    return command.split(" ", maxsplit=1)[0].rpartition("/")[2]


def run_pidof(invocation: Invocation) -> int:
    """Print the numbers of processes of these names."""
    found = [
        str(pid)
        for pid, _, command in _listed(invocation)
        if _name_of(command) in invocation.arguments
    ]
    if found:
        invocation.print(" ".join(found[::-1]))
    return 0 if found else 1


def run_ps(invocation: Invocation) -> int:
    """Print the processes."""
    invocation.print("PID   USER     COMMAND")
    for pid, user, command in _listed(invocation):
        invocation.print(f"{pid:5d} {user:<8.8} {command}")
    return 0


def _listed(invocation: Invocation) -> list[tuple[int, str, str]]:
    """Return all processes: the container's, the tasks of this one, and this command."""
    shell = invocation.shell
    user = user_of(shell)
    name = user.name or str(user.uid)
    found = {
        entry.pid: (entry.pid, entry.user or "root", entry.command)
        for entry in shell.process.processes()
    }
    for task in shell.jobs.tasks:
        found.setdefault(task.pid, (task.pid, name, task.command))
    own = " ".join([invocation.name, *invocation.arguments])
    if all(command != own for _, _, command in found.values()):
        pid = max(found, default=0) + 1
        found[pid] = (pid, name, own)
    return [found[pid] for pid in sorted(found)]


def run_which(invocation: Invocation) -> int:
    """Print where programs are."""
    status = 0
    for name in invocation.options("a").operands:
        folders = [""] if "/" in name else invocation.environment.get("PATH", "").split(":")
        for folder in folders:
            path = f"{folder.rstrip('/')}/{name}" if folder else name
            try:
                find_executable(invocation.disk, "", [path])
            except (OSError, ValueError):
                continue
            invocation.print(path)
            break
        else:
            status = 1
    return status


def run_time(invocation: Invocation) -> Coroutine[int]:
    """Run a command and say how long it took."""
    words = [word for word in invocation.arguments if word != "-p"]
    if not words:
        raise UsageError
    begin = invocation.now()
    status = yield from invocation.execute(words)
    seconds = (invocation.now() - begin) / NANOSECOND
    for label, took in (("real", seconds), ("user", 0.0), ("sys", 0.0)):
        invocation.warn_plainly(f"{label}\t{int(took) // 60}m {took % 60:.2f}s")
    return status


def run_timeout(invocation: Invocation) -> Coroutine[int]:
    """Run a command and end it after so many seconds: -s SIGNAL, -k SECONDS."""
    options = invocation.options("s:k:", stop=True)
    if len(options.operands) < 2:  # noqa: PLR2004 - the seconds and a command
        raise UsageError
    text, *words = options.operands
    found = re.fullmatch(r"(\d{1,9}(?:\.\d*)?)([smhd]?)", text)
    signal = signal_name(options.values.get("s", "TERM"))
    if not found:
        return invocation.warn(f"invalid number '{text}'")
    if signal is None:
        return invocation.warn(f"bad signal name '{options.values['s']}'")
    seconds = float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]
    due = invocation.now() + int(seconds * NANOSECOND)
    task = start_program(invocation, words)
    while task.status is None:
        yield due
        if task.status is None and invocation.now() >= due:
            invocation.shell.jobs.signal(task.pid, signal)
            due += 10**18
    if task.killed_by == "TERM":
        invocation.warn_plainly("Terminated")
    return task.status


def start_program(invocation: Invocation, words: list[str]) -> Task:
    """Run a program as a child beside the command that asks for it."""
    child = invocation.shell.fork()
    body = child.to_end(child.execute(words, dict(invocation.environment)))
    task = invocation.shell.jobs.start(" ".join(words), body, child.descriptors)
    child.task = task
    task.receives = child.receive
    return task


def run_nohup(invocation: Invocation) -> Coroutine[int]:
    """Run a command."""
    if not invocation.arguments:
        raise UsageError
    return (yield from invocation.execute(invocation.arguments))


run_nice = run_setsid = run_stdbuf = run_nohup


def run_xargs(invocation: Invocation) -> Coroutine[int]:
    """Run a command with arguments from the input: -n, -I, -0, -r, -t, -L."""
    from dynadock.simulation.programs.shell.commands.texts import count_of, whole

    options = invocation.options("n:I:0rtL:P:s:", stop=True)
    data = yield from whole(invocation.input)
    text = data.decode("utf-8", "surrogateescape")
    words = options.operands or ["echo"]
    if "I" in options:
        mark = options.values["I"]
        items = [line.strip() for line in text.split("\n") if line.strip()]
        batches = [[word.replace(mark, item) for word in words] for item in items]
    else:
        items = text.split("\0") if "0" in options else _quoted_words(text)
        items = [item for item in items if item or "0" not in options]
        size = count_of(options.values.get("n", options.values.get("L", ""))) or 5000
        batches = [[*words, *items[at : at + size]] for at in range(0, max(len(items), 1), size)]
        if not items and "r" in options:
            batches = []
    status = 0
    for batch in batches:
        if "t" in options:
            invocation.warn_plainly(" ".join(batch))
        code = yield from invocation.execute(batch)
        if code in {126, 127}:
            return code
        status = 123 if code else status
        yield invocation.now()
    return status


def _quoted_words(text: str) -> list[str]:
    found = []
    for word in re.finditer(r"(?:\\.|'[^']*'|\"[^\"]*\"|[^\s'\"\\])+", text, re.DOTALL):
        plain = re.sub(
            r"\\(.)|'([^']*)'|\"([^\"]*)\"",
            lambda part: part[1] or part[2] or part[3] or "",
            word[0],
            flags=re.DOTALL,
        )
        found.append(plain)
    return found


def run_tty(invocation: Invocation) -> int:
    """Print the terminal's name."""
    stream = invocation.descriptors.get(0)
    is_terminal = stream is not None and stream.is_terminal
    invocation.print("/dev/pts/0" if is_terminal else "not a tty")
    return int(not is_terminal)


def run_stty(invocation: Invocation) -> int:
    """Print or change nothing but the terminal's size."""
    process = invocation.shell.process
    if not invocation.input.is_terminal:
        return invocation.warn("standard input: Inappropriate ioctl for device")
    if invocation.arguments == ["size"]:
        invocation.print(f"{process.rows} {process.columns}")
    return 0


def run_clear(invocation: Invocation) -> int:
    """Clear the screen."""
    invocation.print("\x1b[H\x1b[J", end="")
    return 0


def run_reset(invocation: Invocation) -> int:
    """Reset the terminal."""
    if invocation.descriptors[1].is_terminal:
        invocation.print("\x1bc\x1b(B\x1b[m\x1b[J\x1b[?25h", end="")
    return 0


def run_sync(_invocation: Invocation) -> int:
    """Do nothing: what is in memory is all there is."""
    return 0


def run_uptime(invocation: Invocation) -> int:
    """Print the time."""
    shown = time_text("%H:%M:%S", invocation.now())
    invocation.print(f" {shown} up 0 min,  0 users,  load average: 0.00, 0.00, 0.00")
    return 0
