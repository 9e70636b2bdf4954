"""The documents that tests read, as the files that they are, without the code that is tested.

What a test expects of all versions, of their ends, or of the operations that one has, it takes from
here: so a new document is a new file for the tests too.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "specs"

ZOO = Path(__file__).parent / "cases" / "zoo.yaml"
"""An invented document, which holds the odd shapes."""

MAIN = "1.42"
"""The version that examples are written in; no document of it will change any more."""


def numbers_of(version: str) -> tuple[int, ...]:
    """Return what versions are ordered by: 1.9 comes before 1.30."""
    return tuple(map(int, version.split(".")))


VERSIONS = sorted((path.stem[1:] for path in FOLDER.glob("v*.yaml")), key=numbers_of)
"""All versions that are bundled, oldest first."""

OLDEST, NEWEST = VERSIONS[0], VERSIONS[-1]

NEXT = f"{numbers_of(NEWEST)[0]}.{numbers_of(NEWEST)[1] + 1}"
"""The version after the newest one, of which there is no document."""

A_FEW = (OLDEST, MAIN, NEWEST)
"""Versions that stand for all where all would take too long."""

SPAN = f"{OLDEST} to {NEWEST}"
"""What messages and pages say of all versions."""

_OPERATION_ID = re.compile(r'"operationId": ?"(\w+)"')


@cache
def operations_of(version: str) -> tuple[str, ...]:
    """Return the operationIds of a bundled document, each as often and where it stands there.

    Found as text, so that no reader of documents needs to be trusted.
    """
    return tuple(_OPERATION_ID.findall((FOLDER / f"v{version}.yaml").read_text(encoding="utf-8")))


@cache
def all_operations() -> frozenset[str]:
    """Return the operationIds that any of the bundled documents has."""
    return frozenset(each for version in VERSIONS for each in operations_of(version))
