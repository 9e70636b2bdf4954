"""Which other versions' documents have what one document does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dynadock.errors import SpecError, UnknownOperation
from dynadock.spec.library import available_versions
from dynadock.spec.loader import load_version

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from dynadock.spec.model import Operation, Spec
    from dynadock.spec.versions import Version

    NamesOf = Callable[[Operation], Collection[str]]
    """Gives the names that there are somewhere in an operation, in whatever version's document."""


class Elsewhere(NamedTuple):
    """The names that there are somewhere in an operation, in newer versions and in older ones.

    Those that are nearest to the operation's own version come first.
    """

    newer: tuple[tuple[Version, Collection[str]], ...]
    older: tuple[tuple[Version, Collection[str]], ...]

    def first_with(self, name: str) -> Version | None:
        """Return the first newer version that has a name."""
        return next((version for version, names in self.newer if name in names), None)

    def last_with(self, name: str) -> Version | None:
        """Return the last older version that has a name."""
        return next((version for version, names in self.older if name in names), None)


def elsewhere(operation: Operation, names_of: NamesOf) -> Elsewhere:
    """Look into the documents of all other versions; one that cannot be read has nothing."""
    own = operation.version
    found = [*_all(operation, names_of)]
    newer = tuple(each for each in found if each[0] > own)
    return Elsewhere(newer, tuple(each for each in reversed(found) if each[0] < own))


def _all(operation: Operation, names_of: NamesOf) -> Iterator[tuple[Version, Collection[str]]]:
    for version in available_versions():
        try:
            found = counterpart(operation, load_version(version))
        except SpecError:
            continue
        if found is not None:
            yield version, names_of(found)


def counterpart(operation: Operation, spec: Spec) -> Operation | None:
    """Return an operation as another version has it, whatever it is called there."""
    try:
        return spec.find(operation.operation_id)
    except UnknownOperation:
        for operation_id, path in spec.paths(operation.method):
            if path == operation.path:
                return spec[operation_id]
    return None
