"""Plays sessions of the docker command, and puts aside what differs from one time to the next."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
import termios
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from terminal import ESCAPE

if TYPE_CHECKING:
    import io
    from collections.abc import Iterable, Sequence

SESSIONS = Path(__file__).with_name("sessions.yaml")
PREFIX = "ses-"
"""What everything is called that sessions make, so that it can be removed again."""

LONGEST = 20
"""Seconds that a step may take."""

HUNG = 124
"""The exit code of a step that took longer."""

_UNIT = r"(?:second|minute|hour|day|week|month|year)s?"
PUT_ASIDE = [
    (re.compile(r"sha256:[0-9a-f]{64}|\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b"), "<id>"),
    (
        re.compile(
            r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[ ]?[+-]\d\d:?\d\d(?: UTC)?)?"
        ),
        "<time>",
    ),
    (re.compile(rf"(?:Less than a second|About an? {_UNIT}|\d+ {_UNIT})( ago)?"), r"<while>\1"),
    (re.compile(r"\b\d+(?:\.\d+)? ?[kKMGT]?i?B\b"), "<size>"),
    (re.compile(r"\b172\.\d+\.\d+\.\d+\b"), "<address>"),
    (re.compile(r"BusyBox v\S+(?: \(Debian [^)]*\))?"), "BusyBox"),
    (re.compile(r":3[2-9]\d{3}(?=->)"), ":<port>"),
    (re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}"), "<mac>"),
    (re.compile(r"\b\d\d:\d\d(?::\d\d)?\b"), "<clock>"),
    (re.compile(r"[ \t]+"), " "),
    (re.compile(r"(/\S* # )\1+"), r"\1"),
]
"""What is put aside, in this order: ids, moments, sizes, addresses, how wide columns are, and how
often a prompt is drawn."""


class Step(NamedTuple):
    """A script for sh, what it gets to read, and how what it writes is compared.

    ``compare`` is ``text``, ``sorted`` lines, ``labels`` (of ``Label: value`` lines), ``keys`` of
    JSON, or ``code`` alone; lines that fit ``without`` are left out. With ``typed`` it runs at a
    terminal: each of these texts is typed when the one before it has been shown.
    """

    script: str
    stdin: str = ""
    typed: Sequence[tuple[str, str]] = ()
    compare: str = "text"
    without: str = ""


class Session(NamedTuple):
    """Steps one after another, on one engine; ``since`` is the command's first release for it."""

    name: str
    steps: tuple[Step, ...]
    since: int = 0


def sessions() -> list[Session]:
    """Return all sessions."""
    rows = yaml.safe_load(SESSIONS.read_text(encoding="utf-8"))
    return [_session(name, row) for name, row in rows.items()]


def _session(name: str, row: Any) -> Session:
    steps = row["steps"] if isinstance(row, dict) else row
    since = row.get("since", 0) if isinstance(row, dict) else 0
    made = (Step(**each) if isinstance(each, dict) else Step(each) for each in steps)
    return Session(name, tuple(made), since)


class Shown(NamedTuple):
    """What a step showed, without what was put aside."""

    script: str
    code: int
    stdout: Any
    stderr: Any

    @property
    def has_hung(self) -> bool:
        """Whether it was ended for taking too long."""
        return self.code in (HUNG, -signal.SIGKILL)


class Player:
    """Runs steps with one binary of the docker command, at one engine."""

    def __init__(self, docker: Path, host: str, folder: Path) -> None:
        self._folder = folder
        commands = folder / "bin"
        commands.mkdir(parents=True)
        (commands / "docker").symlink_to(docker)
        (folder / "config").mkdir()
        self._environment = {
            "PATH": f"{commands}:{os.environ['PATH']}",
            "DOCKER_HOST": host,
            "DOCKER_CONFIG": str(folder / "config"),
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }

    def play(self, session: Session) -> list[Shown]:
        """Run a session's steps in a folder of its own."""
        work = Path(tempfile.mkdtemp(dir=self._folder))
        try:
            return [self._shown(step, work) for step in session.steps]
        finally:
            self.tidy()

    def tidy(self) -> None:
        """Remove what sessions have made."""
        for listing, remove in (
            (f"ps -aq --filter name={PREFIX}", "rm -fv"),
            (f"volume ls -q --filter name={PREFIX}", "volume rm -f"),
            (f"network ls -q --filter name={PREFIX}", "network rm"),
            # By name: an id would remove what others call so too.
            (f"images '{PREFIX}*' --format '{{{{.Repository}}}}:{{{{.Tag}}}}'", "rmi -f"),
        ):
            names = self._run(f"docker {listing}", "").stdout.decode().split()
            if names:
                self._run(f"docker {remove} {' '.join(names)}", "")

    def _shown(self, step: Step, folder: Path) -> Shown:
        if step.typed:
            return self._shown_at_a_terminal(step, folder)
        ran = self._run(step.script, step.stdin, folder)
        out, err = (part.decode(errors="replace") for part in (ran.stdout, ran.stderr))
        compare = COMPARED[step.compare]
        return Shown(
            step.script, ran.returncode, *(_without(step, compare(each)) for each in (out, err))
        )

    def _shown_at_a_terminal(self, step: Step, folder: Path) -> Shown:
        ours, theirs = os.openpty()
        termios.tcsetwinsize(theirs, (24, 80))
        process = subprocess.Popen(
            ["sh", "-c", step.script],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=self._environment,
            cwd=folder,
            start_new_session=True,
        )
        os.close(theirs)
        too_long = Timer(LONGEST, os.killpg, (process.pid, signal.SIGKILL))
        too_long.start()
        with process, os.fdopen(ours, "r+b", buffering=0) as terminal:
            shown = _typed(terminal, step.typed)
        too_long.cancel()
        lines = _without(step, _lines(ESCAPE.sub("", shown)))
        return Shown(step.script, process.returncode, lines, [])

    def _run(
        self, script: str, stdin: str, folder: Path | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        # With all that it leaves behind, if it takes too long.
        return subprocess.run(
            ["timeout", "-k", "1", str(LONGEST), "sh", "-c", script],
            input=stdin.encode(),
            capture_output=True,
            env=self._environment,
            cwd=folder or self._folder,
            check=False,
        )


def _typed(terminal: io.FileIO, typed: Iterable[tuple[str, str]]) -> str:
    """Type each text when the one before it has been shown; return all that is shown."""
    seen, searched = "", 0
    left = list(typed)
    while True:
        while left and (found := seen.find(left[0][0], searched)) >= 0:
            searched = found + len(left[0][0])
            terminal.write(left.pop(0)[1].encode())
        try:
            block = terminal.read(4096)
        except OSError:
            # Linux says so where nobody has the other end any more.
            return seen
        seen += block.decode(errors="replace")


def _without(step: Step, shown: Any) -> Any:
    if not step.without or not isinstance(shown, list):
        return shown
    return [line for line in shown if not re.search(step.without, str(line))]


def put_aside(text: str) -> str:
    """Return a text without what differs from one time to the next."""
    for pattern, name in PUT_ASIDE:
        text = pattern.sub(name, text)
    return text


def _lines(text: str) -> list[str]:
    return [line.strip(" ") for line in put_aside(text).split("\n")]


def _labels(text: str) -> list[str]:
    found = (re.match(r"\s*[A-Z][^:]*:", line) for line in text.split("\n"))
    return [match[0].strip() for match in found if match]


def _keys(text: str) -> Any:
    try:
        return sorted(set(_paths(json.loads(text), "")))
    except ValueError:
        return _lines(text)


def _paths(value: Any, path: str) -> list[str]:
    if isinstance(value, dict):
        return [found for key, each in value.items() for found in _paths(each, f"{path}.{key}")]
    if isinstance(value, list):
        return [found for each in value for found in _paths(each, f"{path}[]")] or [f"{path}[]"]
    return [f"{path} {type(value).__name__}"]


COMPARED = {
    "text": _lines,
    "sorted": lambda text: sorted(_lines(text)),
    "labels": _labels,
    "keys": _keys,
    "code": lambda _: None,
}
