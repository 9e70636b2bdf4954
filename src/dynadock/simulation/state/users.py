"""Users of containers: names and numbers, and what /etc/passwd says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.simulation.refusal import server_error

if TYPE_CHECKING:
    from dynadock.simulation.files.files import Files


def check_user(files: Files, user: str) -> None:
    """Refuse a user or group by a name that the container's files do not know, as engines do."""
    name, _, group = user.partition(":")
    if name and not name.isdecimal() and name not in _names_in(files, "/etc/passwd", "root"):
        raise server_error(f"unable to find user {name}: no matching entries in passwd file")
    if group and not group.isdecimal() and group not in _names_in(files, "/etc/group", "root"):
        raise server_error(f"unable to find group {group}: no matching entries in group file")


def _names_in(files: Files, path: str, always: str) -> set[str]:
    try:
        text = files.read(path).decode(errors="replace")
    except OSError:
        return {always}
    return {line.partition(":")[0] for line in text.splitlines()}
