"""Removing what tests have made in an engine, by its label and by its name."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.deadline import Deadline
from dynadock.errors import APIError, NotFound
from dynadock.spec.data import bundled_data
from dynadock.testing.names import LABEL, is_name, names_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dynadock.client import Client

DATA = "sweeping.yaml"

PATIENCE = 20.0
"""Seconds for what cannot be removed at once: a network whose containers are just going away."""

_PAUSE = 0.1


class Thing(NamedTuple):
    """Something that a test has made: which kind of thing, which one, and how to delete it.

    ``makes_others`` tells that more may appear while it goes away.
    """

    what: str
    key: str
    delete: str
    arguments: dict[str, Any]
    makes_others: bool


class Left(NamedTuple):
    """Something that could not be removed, and why."""

    thing: Thing
    reason: str

    def __str__(self) -> str:
        return f"{self.thing.what} {self.thing.key}: {self.reason}"


def sweep(client: Client, is_ours: Callable[[str], bool], patience: float = PATIENCE) -> list[Left]:
    """Remove all that carries a name that is ours, and return what could not be removed.

    What cannot be removed is tried again, and what makes others, such as a service its containers,
    is looked for again until nothing is there. Raises a DynadockError where the engine does not
    list them.
    """
    deadline = Deadline(patience)
    left: list[Left] | None = None
    while found := [*_things(client, is_ours)]:
        if left is not None and deadline.is_over():
            return left or [Left(each, "it was deleted, and is still there") for each in found]
        left = [each for each in (_removed(client, thing) for thing in found) if each]
        if left:
            time.sleep(_PAUSE)
        elif not any(thing.makes_others for thing in found):
            break
    return []


def _removed(client: Client, thing: Thing) -> Left | None:
    try:
        client.operations[thing.delete](thing.key, **thing.arguments)
    except NotFound:
        return None
    except APIError as error:
        return Left(thing, str(error))
    return None


def _things(client: Client, is_ours: Callable[[str], bool]) -> Iterator[Thing]:
    for kind in bundled_data(DATA)["kinds"]:
        if kind["list"] not in client.operations:
            continue
        for row in _listed(client, kind):
            for key in _keys(row, kind, is_ours):
                yield Thing(
                    kind["what"],
                    key,
                    kind["delete"],
                    kind.get("as", {}),
                    makes_others=kind.get("makes_others", False),
                )


def _listed(client: Client, kind: dict[str, Any]) -> list[Any]:
    try:
        reply = client.operations[kind["list"]](**kind.get("with", {}))
    except APIError:
        if kind.get("elsewhere_none"):
            return []
        raise
    return (_field(reply, kind["rows"]) if "rows" in kind else reply) or []


def _keys(row: Any, kind: dict[str, Any], is_ours: Callable[[str], bool]) -> Iterator[str]:
    """Yield by what a row is to be deleted; nothing if it is not ours."""
    names = _field(row, kind["names"]) or []
    names = [names] if isinstance(names, str) else names
    ours = [text for text in names if any(map(is_ours, names_in(text)))]
    label = (_field(row, kind["labels"]) or {}).get(LABEL)
    is_labelled = isinstance(label, str) and is_name(label) and is_ours(label)
    if kind.get("by_name") and not is_labelled:
        yield from ours
    elif ours or is_labelled:
        yield _field(row, kind["key"])


def _field(row: Any, path: str) -> Any:
    for name in path.split("."):
        row = (row or {}).get(name)
    return row
