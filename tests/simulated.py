"""Runs programs in a simulated container, on a clock that only they move."""

from __future__ import annotations

from typing import NamedTuple

from conforming import conforms  # noqa: F401 (tests of behaviours take it from here)
from dynadock.simulation.files.files import Files
from dynadock.simulation.programs.process import Process
from dynadock.simulation.programs.shell.commands import APPLETS
from dynadock.simulation.programs.shell.program import run_busybox

START = 1_700_000_000 * 10**9
MOST_TURNS = 200_000


class Ran(NamedTuple):
    """What came of a program, and how much time went by."""

    out: bytes
    err: bytes
    code: int | None
    seconds: float
    turns: int


class Container:
    """A container with busybox in it; ``pid`` 1 unless it is an exec that is tried."""

    def __init__(self, *argv, env=None, cwd="/", pid=1, is_tty=False, user=""):
        self.time = START
        self.files = busybox_files(lambda: self.time)
        self.out, self.err = [], []
        self.limit = None
        self.process = Process(
            argv=[*argv],
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                 "HOME": "/root", **(env or {})},
            cwd=cwd, user=user, hostname="box", files=self.files, now=lambda: self.time,
            output=lambda fd, data: (self.out if fd == 1 else self.err).append(data),
            is_tty=is_tty, pid=pid,
        )  # fmt: skip
        self.turns = 0
        self.code = None
        self.due = self.time
        self.steps = run_busybox(self.process)

    def go(self, seconds=None, most_turns=MOST_TURNS):
        """Run until the program ends, waits for ever, or that much time has gone by."""
        end = None if seconds is None else self.time + int(seconds * 10**9)
        while self.code is None and self.turns < most_turns:
            if self.due is None or (end is not None and self.due > end):
                break
            self.time = max(self.time, self.due)
            self.wake()
        if end is not None:
            self.time = end
        return self

    def wake(self):
        """Resume the program once."""
        self.turns += 1
        try:
            self.due = next(self.steps)
        except StopIteration as stop:
            self.code = stop.value

    def feed(self, data, *, end=False):
        """Give it input."""
        self.process.stdin.feed(data)
        if end:
            self.process.stdin.end()
        self.due = self.time
        return self

    def signal(self, name):
        """Send it a signal as the scheduler does: only what it handles reaches it."""
        assert self.process.handles(name)
        self.process.signal(name)
        self.due = self.time
        return self

    @property
    def ran(self):
        out, err = b"".join(self.out), b"".join(self.err)
        return Ran(out, err, self.code, (self.time - START) / 10**9, self.turns)


def busybox_files(now):
    """Return files as those of a container of busybox."""
    files = Files(now=now)
    for folder, mode in (
        *(("/bin", 0o755), ("/dev", 0o755), ("/etc", 0o755), ("/root", 0o755)),
        *(("/tmp", 0o1777), ("/proc", 0o755), ("/usr/bin", 0o755)),
    ):
        files.make_folder(folder, mode, parents=True)
        files.set_mode(folder, mode)
    for name, minor in (("null", 3), ("zero", 5), ("full", 7)):
        files.make_device(f"/dev/{name}", (1, minor))
    files.write("/bin/busybox", b"\x7fELF busybox", mode=0o755)
    for name in APPLETS:
        if name != "busybox":
            files.make_link("busybox", f"/bin/{name}")
    files.write("/etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    files.write("/etc/group", b"root:x:0:\n")
    return files


def shell(script, *arguments, stdin=b"", **options):
    """Run ``sh -c script`` to its end."""
    box = Container("sh", "-c", script, *arguments, **options)
    return box.feed(stdin, end=True).go().ran
