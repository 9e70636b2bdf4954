"""Unique names for what tests make, and whose they are: this run's, another's, a killed one's.

A name is ``dynadock-test-RUN-TEST``. RUN says where the run takes place (6 characters), the minute
in which it began (5) and a random number (4), TEST is random (6): 36 characters that are good for
containers, networks, volumes, images, services and hosts. The run's own process holds a lock for as
long as it lives. So a later run in the same place, which finds things but no lock, knows that they
are left over; from another place it knows so once they are a day old.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import sys
import time
from hashlib import sha256
from pathlib import Path
from string import ascii_lowercase, digits
from typing import TYPE_CHECKING, NamedTuple

from dynadock.spec.cache import CACHE_VARIABLE
from dynadock.spec.folders import CACHE, folder_of_user

if TYPE_CHECKING:
    from collections.abc import Iterator

LABEL = "dynadock.test"
"""The label's key; its value is the name."""

OLDEST_ELSEWHERE = 24 * 60
"""Minutes after which a run in another place is taken to be over."""

_PREFIX = "dynadock-test-"
_SIGNS = digits + ascii_lowercase
_PLACE, _MINUTE, _RUN, _TEST = 6, 5, 4, 6
_FORM = re.compile(
    rf"{_PREFIX}([0-9a-z]{{{_PLACE}}})([0-9a-z]{{{_MINUTE}}})([0-9a-z]{{{_RUN}}})-"
    rf"[0-9a-z]{{{_TEST}}}"
)
_IN_A_NAME = re.compile(rf"(?:\A|/){_FORM.pattern}")


class Name(str):
    """A unique name for what a test makes, and with ``labels`` the same as a label.

    What has the label, and what is called so or begins with it (``f"{name}-data"``), is removed
    after the test.
    """

    __slots__ = ()

    @property
    def labels(self) -> dict[str, str]:
        """The label that says whose a thing is, as a new dict, to which others may be added."""
        return {LABEL: str(self)}


def names_in(text: str) -> Iterator[str]:
    """Yield the name with which a text begins, or a part of it behind a slash."""
    for found in _IN_A_NAME.finditer(text):
        yield found[0].lstrip("/")


def is_name(text: str) -> bool:
    """Tell whether a text is such a name, as the label's value is."""
    return _FORM.fullmatch(text) is not None


class RunId(NamedTuple):
    """What all names of a run have in common."""

    text: str

    @classmethod
    def new(cls, place: str = "") -> RunId:
        """Make one for a run that begins now, in a place of its own if none is given."""
        minute = int(time.time()) // 60
        return cls(f"{place or _random(_PLACE)}{_written(minute, _MINUTE)}{_random(_RUN)}")

    def name(self) -> Name:
        """Make a name that nothing else has."""
        return Name(f"{_PREFIX}{self.text}-{_random(_TEST)}")

    def made(self, name: str) -> bool:
        """Tell whether a name is one of this run's."""
        return name.startswith(f"{_PREFIX}{self.text}-")


@contextlib.contextmanager
def living_run() -> Iterator[RunId]:
    """Make a run's id, and hold its lock, by which others see that it lives.

    Without a folder for locks the run is in a place of its own.
    """
    folder = _folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        run = RunId.new(_place())
        path = folder / run.text
        descriptor = _hold(path)
    except OSError:
        yield RunId.new()
        return
    try:
        _remove_dead(folder)
        yield run
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)


def is_left_over(name: str) -> bool:
    """Tell whether a name is of a run that is no more."""
    found = _FORM.fullmatch(name)
    if found is None:
        return False
    place, minute, run = found.groups()
    if place == _place():
        is_held = _is_held(_folder() / f"{place}{minute}{run}")
        if is_held is not None:
            return not is_held
    return int(time.time()) // 60 - int(minute, 36) > OLDEST_ELSEWHERE


def _folder() -> Path:
    return Path(folder_of_user(CACHE, CACHE_VARIABLE)) / "tests"


def _place() -> str:
    """Return what stands for the folder of locks, in as many letters as there is room for.

    It is that of one machine since its start; two containers with a path and a host's name in
    common have file systems of their own.
    """
    folder = _folder()
    parts = [str(folder.resolve()), *_of_machine()]
    with contextlib.suppress(OSError):
        found = folder.stat()
        parts += [str(found.st_dev), str(found.st_ino)]
    digest = sha256("\0".join(parts).encode()).digest()
    return _written(int.from_bytes(digest), _PLACE)


def _of_machine() -> list[str]:
    import platform

    found = [platform.node()]
    with contextlib.suppress(OSError):
        found.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
    return found


def _hold(path: Path) -> int:
    """Make a file that is locked for as long as it is open, and return its descriptor."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(descriptor, is_shared=False)
            # Before it was locked, somebody may have taken it for a dead run's, and removed it.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(path.stat(), os.fstat(descriptor)):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _remove_dead(folder: Path) -> None:
    """Remove the locks of killed runs; that a lock is missing says the same of them."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if _is_held(path) is False:
                path.unlink()


def _is_held(path: Path) -> bool | None:
    """Tell whether a lock is held; None where that is not to be found out."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        _lock(descriptor, is_shared=True)
    except BlockingIOError:
        return True
    except OSError:
        return True if sys.platform == "win32" else None
    else:
        return False
    finally:
        os.close(descriptor)


def _lock(descriptor: int, *, is_shared: bool) -> None:
    """Lock a file for its owner, or only look if it is: BlockingIOError, OSError if it is."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK if is_shared else msvcrt.LK_LOCK, 1)
        return
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB if is_shared else fcntl.LOCK_EX)


def _random(count: int) -> str:
    return "".join(secrets.choice(_SIGNS) for _ in range(count))


def _written(number: int, count: int) -> str:
    """Write a number in base 36, its last ``count`` digits."""
    signs = []
    for _ in range(count):
        number, rest = divmod(number, len(_SIGNS))
        signs.append(_SIGNS[rest])
    return "".join(reversed(signs))
