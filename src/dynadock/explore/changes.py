"""What changed about an operation from version to version."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dynadock.spec import history
from dynadock.spec.library import bundled_versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dynadock.spec.history import Lifetime
    from dynadock.spec.model import Operation
    from dynadock.spec.versions import Version


class Change(NamedTuple):
    """One change: in which version ``what`` was added or removed.

    ``version`` is the first with the new state, ``kind`` ``arrived`` or ``left``, ``what``
    ``operation``, ``parameter`` or ``field``, and ``name`` the operationId, the parameter's name on
    the wire or the field's path.
    """

    version: Version
    kind: str
    what: str
    name: str

    def __str__(self) -> str:
        sign = {"arrived": "+", "left": "-"}[self.kind]
        return f"{self.version}  {sign} {self.what} {self.name}"


class Changes(tuple[Change, ...]):
    """Changes, oldest first; prints as one line each."""

    __slots__ = ()

    def __repr__(self) -> str:
        first, *_, last = bundled_versions()
        return "\n".join(map(str, self)) or f"no change from {first} to {last}"


def changes_of(operation: Operation) -> Changes:
    """Return what was added and removed since the oldest bundled document.

    A field that was added or removed together with its parent has no change of its own.
    """
    found = [*_of_lifetime("operation", history.of_operation(operation.operation_id))]
    for lifetime in history.parameters_of(operation.operation_id):
        found += _of_lifetime("parameter", lifetime)
    fields = [
        change
        for lifetime in history.fields_of(operation.operation_id)
        for change in _of_lifetime("field", lifetime)
    ]
    found += _without_children(fields)
    return Changes(sorted(found))


def _of_lifetime(what: str, lifetime: Lifetime | None) -> Iterator[Change]:
    if lifetime is None:
        return
    versions = bundled_versions()
    for each in lifetime.ranges:
        if each.first is not None:
            yield Change(each.first, "arrived", what, lifetime.name)
        if each.last is not None:
            yield Change(versions[versions.index(each.last) + 1], "left", what, lifetime.name)


def _without_children(changes: Iterable[Change]) -> Iterator[Change]:
    changes = [*changes]
    known = {(change.version, change.kind, change.name) for change in changes}
    for change in changes:
        if not any((change.version, change.kind, above) in known for above in _above(change.name)):
            yield change


def _above(path: str) -> Iterator[str]:
    """Yield the paths of the fields around one."""
    while "." in path:
        path = path.rpartition(".")[0]
        yield path
        yield path.rstrip("[]{}")
