"""Who a process runs as, by the container's own files of users and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from dynadock.simulation.files.files import Files
    from dynadock.simulation.programs.shell.interpreter import Shell

_LONGEST = 1024 * 1024


class User(NamedTuple):
    """Numbers, and names where the files have them."""

    uid: int
    gid: int
    name: str | None
    group: str | None


def user_of(shell: Shell) -> User:
    """Return the user of the process: by name, number, or either with a group behind a colon."""
    files = shell.process.files
    user, _, group = shell.process.user.partition(":")
    rows = rows_of(files, "/etc/passwd")
    uid, gid = 0, 0
    row = next((row for row in rows if user and user in {row[0], row[2]}), None)
    if row is not None:
        uid, gid = _number(row[2]), _number(row[3])
    elif user.isdigit():
        uid = _number(user)
    if group:
        groups = rows_of(files, "/etc/group")
        found = next((each for each in groups if each[0] == group), None)
        gid = _number(found[2] if found else group)
    return User(uid, gid, name_of(files, "/etc/passwd", uid), name_of(files, "/etc/group", gid))


def name_of(files: Files, path: str, number: int) -> str | None:
    """Return the name of a user or group, None if the file has none; root is always known."""
    for row in rows_of(files, path):
        if row[2] == str(number):
            return row[0]
    return "root" if number == 0 else None


def number_of(files: Files, path: str, name: str) -> int | None:
    """Return the number that a name or a number means; None if the file has no such name."""
    if name.isdigit():
        return _number(name)
    row = next((row for row in rows_of(files, path) if row[0] == name), None)
    if row is not None:
        return _number(row[2])
    return 0 if name == "root" else None


def rows_of(files: Files, path: str) -> list[list[str]]:
    """Return a file's rows with at least four fields."""
    try:
        data = files.read_at(path, 0, _LONGEST)
    except OSError:
        return []
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    rows = [line.split(":") for line in lines if not line.startswith("#")]
    return [row for row in rows if len(row) > 3]  # noqa: PLR2004 - a group's row has four


def _number(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 11 else 0  # noqa: PLR2004 - 32 bits
