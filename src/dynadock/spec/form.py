"""A compiled document as text: a line of JSON for each part, read when the part is asked for.

A process uses a few of a version's operations and definitions; to read all of them would take
longer than a call does. The first line is the rest of the compiled form, with the names of the
operations, the definitions and so on in the order of the lines that follow.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

PARTED = ("operations", "definitions", "routes", "responses")
"""What is a mapping of many parts in a compiled form (see `dynadock.spec.compiler`)."""


class Parts(Mapping[str, Any]):
    """Values by name, each read from its line when it is first asked for."""

    def __init__(self, lines: Mapping[str, bytes]) -> None:
        self._lines = lines
        self._values: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            # Of two threads that read a part at once, both get the same value.
            return self._values.setdefault(name, json.loads(self._lines[name]))

    def __contains__(self, name: object) -> bool:
        return name in self._lines

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


def write_form(compiled: Mapping[str, Any]) -> bytes:
    """Return a compiled form as text."""
    names = {section: list(compiled[section]) for section in PARTED}
    values = [value for section in PARTED for value in compiled[section].values()]
    return b"\n".join(_line(each) for each in ({**compiled, **names}, *values))


def read_form(text: bytes) -> dict[str, Any]:
    """Return the compiled form that `write_form` wrote, its operations and definitions `Parts`."""
    first, *lines = text.split(b"\n")
    form: dict[str, Any] = json.loads(first)
    following = iter(lines)
    for section in PARTED:
        # The names come first: zip stops with them, before it takes a line of the next section.
        form[section] = Parts(dict(zip(form[section], following, strict=False)))
    return form


def _line(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
