"""One thing in one exchange that is not as the document says."""

from __future__ import annotations

from typing import Any, NamedTuple

REQUEST, REPLY = "request", "reply"
"""The parts of an exchange."""

LONGEST_SHOWN = 60
"""Characters of a name, or of what came, that are kept."""


class Finding(NamedTuple):
    """A deviation in one exchange.

    ``kind`` is one of `dynadock.contracts.CLASSES`, ``part`` where it is: request or reply.
    ``place`` leads there: ``State.Pid``, ``Mounts[].Mode``, ``status``, ``header Content-Type``,
    ``query all``. ``definition`` and ``field`` say the same by the definition it belongs to, both
    empty where it belongs to none. ``expected`` and ``got`` are in words, without secrets;
    ``since`` is the first newer version whose document has it.
    """

    kind: str
    operation_id: str
    version: str
    part: str
    place: str
    definition: str = ""
    field: str = ""
    expected: str = ""
    got: str = ""
    since: str = ""

    @property
    def home(self) -> str:
        """The definition and its field: ``ContainerState.Pid``; empty if it has no definition."""
        if not self.definition:
            return ""
        separator = "." if self.field and not self.field.startswith(("[", "{")) else ""
        return f"{self.definition}{separator}{self.field}"

    @property
    def words(self) -> str:
        """It as a line: ``State.Pid: expected an integer, got a text of 3 characters``."""
        part = f"{self.part}, " if self.part == REQUEST else ""
        return f"{part}{self.place or 'body'}: {said(self)}"


def said(row: Any) -> str:
    """Say what a finding, or a group of them, has in place of what."""
    if row.since:
        return f"no such field at this version; it arrived in {row.since}"
    if not row.expected:
        return f"got {row.got}"
    return f"expected {row.expected}, got {row.got}"


def shortened(text: str, most: int = LONGEST_SHOWN) -> str:
    """Return a text that may be long and of anybody, on one line and printable."""
    cut = text if len(text) <= most else f"{text[: most - 1]}…"
    return cut if cut.isprintable() else cut.encode("unicode_escape").decode("ascii")
