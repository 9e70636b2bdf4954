"""Names that people know from the docker command and from docker-py, and what they mean here.

Read from ``specs/elsewhere.yaml``, whose head says how its rows are made.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.spec.data import bundled_data

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "elsewhere.yaml"

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")
_SHORTEST_PLURAL = 4


class Meaning(NamedTuple):
    """What a name stands for: ``means`` are operations, arguments or fields; ``note`` how."""

    means: tuple[str, ...]
    note: str

    @property
    def remark(self) -> str:
        """The note as it stands behind a name, empty if there is none."""
        return f" ({self.note})" if self.note else ""


def words_of(name: str) -> tuple[str, ...]:
    """Return a name's words in lower case: ``ContainerList`` and ``containers.list`` are alike.

    The plural's ``s`` does not count.
    """
    return tuple(_singular(word.lower()) for word in _WORD.findall(name))


def _singular(word: str) -> str:
    is_plural = len(word) >= _SHORTEST_PLURAL and word.endswith("s") and not word.endswith("ss")
    return word[:-1] if is_plural else word


@cache
def operations() -> Mapping[tuple[str, ...], Meaning]:
    """Return what the names of commands and methods mean, by their words."""
    rows = _data().get("operations", {})
    return {words_of(name): _meaning(row) for name, row in rows.items()}


@cache
def arguments() -> Mapping[str, Mapping[str, Meaning]]:
    """Return what the names of options and keywords mean, by operation and `folded`."""
    found: dict[str, dict[str, Meaning]] = {}
    for group in _data().get("arguments", ()):
        rows = {folded(name): _meaning(row) for name, row in group["names"].items()}
        for operation_id in group["of"]:
            found.setdefault(operation_id, {}).update(rows)
    return found


def without_said_first(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return a name's words without those that may stand in front of any name of an operation."""
    said_first = _data().get("said_first", ())
    while len(words) > 1 and words[0] in said_first:
        words = words[1:]
    return words


@cache
def module_names() -> Mapping[str, Meaning]:
    """Return what the names in docker-py's module mean."""
    return {name: _meaning(row) for name, row in _data().get("module", {}).items()}


def folded(name: str) -> str:
    """Return an argument's name without case and separators: ``--mem-limit`` is ``memlimit``."""
    return re.sub(r"[\W_]", "", name).lower()


def _meaning(row: str) -> Meaning:
    means, _, note = row.partition("(")
    return Meaning(tuple(means.replace(",", " ").split()), note.strip().removesuffix(")"))


def _data() -> Mapping[str, Any]:
    return bundled_data(FILE)
