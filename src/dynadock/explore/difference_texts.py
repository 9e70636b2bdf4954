"""Our words about what differs, from ``specs/reference.yaml``: the first sentence of each text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dynadock.explore.texts import BODY, REPLY, bundled_texts
from dynadock.spec.fields import Home

if TYPE_CHECKING:
    from dynadock.spec.differences.rows import Difference
    from dynadock.spec.versions import Version

_END = re.compile(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)\s+(?=[A-Z{\"'])")
"""Where a sentence ends; not behind the dot of an abbreviation in the middle of one."""

_PARAMETERS = ("query", "path", "header")


class OperationAt(NamedTuple):
    """An operation's name at a version, which is all that texts ask of it."""

    operation_id: str
    version: Version


def first_sentence(text: str) -> str:
    """Return a text's first sentence."""
    end = _END.search(text)
    return text[: end.start()] if end else text


def text_about(row: Difference, version: Version) -> str:
    """Return what our texts say at a version about what differs, empty if they say nothing."""
    if row.definition:
        path = row.place.removeprefix(row.definition).removeprefix(".")
        home = Home(row.definition, path)
        return first_sentence(bundled_texts().of_definition(version, home))
    found = (_text_in(OperationAt(use.operation_id, version), use.path) for use in row.uses)
    return first_sentence(next(filter(None, found), ""))


def _text_in(operation: OperationAt, path: str) -> str:
    """Return the text about what stands at a path of a `Use`."""
    texts = bundled_texts()
    part, _, below = path.partition(" ")
    if not part:
        return texts.of_operation(operation, "summary")
    if part in _PARAMETERS:
        return texts.of_parameter(operation, below.removesuffix("[]"))
    if part in {BODY, REPLY} and below:
        return texts.of_field(operation, part, Home("", below))
    return ""
