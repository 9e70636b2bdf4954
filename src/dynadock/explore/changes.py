"""What changed from version to version: about an operation, a definition, a field."""

from __future__ import annotations

import shutil
import textwrap
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from dynadock.errors import SpecError
from dynadock.explore.difference_texts import text_about
from dynadock.explore.difference_views import NARROWEST, WIDEST
from dynadock.spec import changes
from dynadock.spec import history as lifetimes
from dynadock.spec.library import bundled_versions
from dynadock.spec.loader import load_version
from dynadock.spec.names import closest
from dynadock.spec.versions import parse_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dynadock.spec.differences.rows import Difference
    from dynadock.spec.versions import Version

ARRIVED, LEFT, CHANGED, RENAMED = "arrived", "left", "changed", "renamed"
_SIGNS = {ARRIVED: "+", LEFT: "-", CHANGED: "~", RENAMED: "~"}

_PARAMETERS = ("query", "path", "header")
_THINGS = ("operation", "parameter", "body", "field", "reply", "success", "error", "header")
"""How kinds of differences begin, before ``-added`` and ``-removed``, that are about a whole."""

_INDENT = " " * 8


class Change(NamedTuple):
    """One change: in which version something was added, removed, or became different.

    ``version`` is the first with the new state; ``kind`` is ``arrived``, ``left``, ``changed`` or
    ``renamed``; ``what`` is ``operation``, ``parameter``, ``body``, ``field`` (of the body, or of a
    definition), ``reply``, ``reply field``, ``reply header``, ``status`` or ``definition``;
    ``name`` is the operationId, the parameter's name on the wire, the field's path, and so on.
    ``words`` say what became of it, ``text`` is what our reference says of it, and ``severity``
    what it means to a program for the version before (see `dynadock.spec.differences.rows`).
    """

    version: Version
    kind: str
    what: str
    name: str
    words: str = ""
    text: str = ""
    severity: str = ""

    def __str__(self) -> str:
        line = " ".join(
            filter(None, [f"{self.version}  {_SIGNS[self.kind]}", self.what, self.name])
        )
        return f"{line}: {self.words}" if self.kind in {CHANGED, RENAMED} else line


class Changes(tuple[Change, ...]):
    """Changes, oldest first; prints as one line each, with our words about it below."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n".join(self._lines()) or _nothing(None, None)

    def _lines(self) -> Iterator[str]:
        columns = shutil.get_terminal_size((WIDEST, 0)).columns
        width = min(max(columns, NARROWEST), WIDEST)
        for change in self:
            yield from textwrap.wrap(str(change), width, subsequent_indent=_INDENT)
            for line in textwrap.wrap(change.text, width - len(_INDENT)):
                yield f"{_INDENT}{line}"


class ChangesBetween(Changes):
    """Those of some versions only, which it says if there are none."""

    first: str | None
    last: str | None

    def __repr__(self) -> str:
        return "\n".join(self._lines()) or _nothing(self.first, self.last)


def _nothing(first: str | None, last: str | None) -> str:
    oldest, *_, newest = bundled_versions()
    return f"no change from {first or oldest} to {last or newest}"


def history(name: str, first: str | None = None, last: str | None = None) -> Changes:
    """Return what changed about an operation, a definition or a field of one, oldest first.

    ``name`` is an operationId (also in snake_case, or an older one), a definition (``HostConfig``,
    with the definitions inside it), or a field of one (``HostConfig.CgroupnsMode``). With ``first``
    and ``last``, versions as text, it is what changed from the one to the other. Raises SpecError
    if no version knows the name, and for versions in the wrong order.
    """
    operation_id = _operation_called(name)
    if operation_id is not None:
        return history_of_operation(operation_id, first, last)
    found = _split(name)
    if found is None:
        raise SpecError(_unknown(name))
    definition, path = found
    rows = [*_of_field(definition, path)] if path else [*_of_definition(definition)]
    if path and not rows and not _is_field(name, definition):
        raise SpecError(_unknown(name))
    return _between([*_of_lifetime(definition), *rows], first, last)


def history_of_operation(
    operation_id: str, first: str | None = None, last: str | None = None
) -> Changes:
    """Return what changed about an operation: itself, arguments and replies, oldest first.

    It is told under the name that the operation has in each version. What was added or removed
    together with what is around it has no change of its own.
    """
    rows = (_in_operation(version, row) for version, row in changes.changes_of(operation_id))
    return _between(rows, first, last)


def _in_operation(version: Version, row: Difference) -> Change:
    use = row.uses[0]
    what, name = _thing_at(use.path, use.operation_id)
    return _change(version, row, what, name)


def _thing_at(path: str, operation_id: str) -> tuple[str, str]:
    part, _, below = path.partition(" ")
    if not part:
        return "operation", operation_id
    if part in _PARAMETERS:
        return "parameter", below
    if part == "body":
        return ("field", below) if below else ("body", "")
    if part == "status":
        return part, below
    if below.startswith("header "):
        return "reply header", below.removeprefix("header ")
    return ("reply field", below) if below else ("reply", "")


def _change(version: Version, row: Difference, what: str, name: str) -> Change:
    text = text_about(row, version) or text_about(row, _version_before(version))
    return Change(version, _kind_of(row), what, name, row.words, text, row.severity)


@cache
def _version_before(version: Version) -> Version:
    return max((each for each in bundled_versions() if each < version), default=version)


def _kind_of(row: Difference) -> str:
    if row.kind in changes.RENAMED:
        return RENAMED
    thing, _, end = row.kind.removeprefix("required-").rpartition("-")
    if thing in _THINGS and end in {"added", "removed"}:
        return ARRIVED if end == "added" else LEFT
    return CHANGED


def _of_definition(name: str) -> Iterator[Change]:
    inside = changes.definitions_inside(name)
    for version, row in changes.all_changes():
        if row.definition in inside:
            yield _change(version, row, "field", row.place)


def _of_field(definition: str, path: str) -> Iterator[Change]:
    places = [
        f"{name}.{rest}" if rest else name for name, rest in changes.homes_of(definition, path)
    ]
    for version, row in changes.all_changes():
        if row.definition and any(row.concerns(place) for place in places):
            yield _change(version, row, "field", row.place)


def _of_lifetime(name: str) -> Iterator[Change]:
    """Yield when a definition arrived and left; what it has may have been there before it."""
    lifetime = changes.of_definition(name)
    versions = bundled_versions()
    for each in lifetime.ranges if lifetime else ():
        if each.first is not None:
            yield Change(each.first, ARRIVED, "definition", name)
        if each.last is not None:
            after = versions[versions.index(each.last) + 1]
            yield Change(after, LEFT, "definition", name)


def _between(found: Iterable[Change], first: str | None, last: str | None) -> Changes:
    start = None if first is None else parse_version(first)
    end = None if last is None else parse_version(last)
    if start and end and start > end:
        raise SpecError(f"{first} is newer than {last}; the older version comes first")
    chosen = (
        change
        for change in found
        if (start is None or change.version > start) and (end is None or change.version <= end)
    )
    ordered = sorted(chosen, key=lambda each: (each.version, each.kind, each.what, each.name))
    if start is None and end is None:
        return Changes(ordered)
    between = ChangesBetween(ordered)
    between.first, between.last = str(start or "") or None, str(end or "") or None
    return between


def _operation_called(name: str) -> str | None:
    """Return an operationId of any version, None if the name is none."""
    newest = load_version(bundled_versions()[-1])
    found = name if name in newest else newest.names.get(name)
    if found is not None:
        return found
    lifetime = lifetimes.of_operation(name)
    return None if lifetime is None else lifetime.name


def _split(name: str) -> tuple[str, str] | None:
    from dynadock.explore.places import split_name

    return split_name(name, changes.definitions())


def _is_field(name: str, definition: str) -> bool:
    """Tell whether versions have a field that never changed: one of them, then, tells for all."""
    from dynadock.explore.places import homes_of

    lifetime = changes.of_definition(definition)
    last = lifetime.ranges[-1].last if lifetime else None
    return any(homes_of(load_version(last or bundled_versions()[-1]), name))


def _unknown(name: str) -> str:
    newest = load_version(bundled_versions()[-1])
    meant = closest(name, {*newest, *changes.definitions()})
    hint = f"; did you mean {meant}?" if meant else ""
    return f"no version has an operation, a definition or a field {name!r}{hint}"
