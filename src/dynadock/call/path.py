"""Path parameters: what may stand in a request's path, and how it is written there."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dynadock.call.percent import quote_path
from dynadock.call.values import Mismatch, unexpected
from dynadock.secret import plain_string

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynadock.spec.model import Operation, Spec

_PARAMETER = re.compile(r"\{([^{}]+)\}")
_OF_ONE_PARAMETER = 3
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def checked_segment(value: Any) -> str:
    """Return a path parameter's value as the path means it.

    A leading ``/``, as in the names that ContainerList gives, is taken off. Mismatch for what an
    engine would read as another path: nothing, empty or dot segments (it answers 301 to these),
    control characters.
    """
    if not isinstance(value, str):
        raise unexpected("string", value)
    text = plain_string(value).removeprefix("/")
    if not text:
        raise Mismatch("expected a name or an id, got an empty one")
    if _CONTROL.search(text):
        raise unexpected("text without control characters", value)
    if any(segment in ("", ".", "..") for segment in text.split("/")):
        raise unexpected("a name without empty, '.' or '..' segments", value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise unexpected("text that UTF-8 can write", value) from None
    return text


def fill(operation: Operation, segments: Mapping[str, str]) -> str:
    """Write values into the operation's path template, percent-encoded."""
    path = operation.path
    for name, text in segments.items():
        path = path.replace("{" + name + "}", quote_path(text))
    return path


def segments_of(template: str, path: str) -> dict[str, str] | None:
    """Return a decoded path's parts by the parameters of its template, None if it does not fit.

    Names may hold slashes, and may be empty.
    """
    first, name, last = _around_only_parameter(template)
    if not name:
        fits = _pattern(template).fullmatch(path)
        names = _PARAMETER.findall(template)
        return None if fits is None else dict(zip(names, fits.groups(), strict=True))
    end = len(path) - len(last)
    if end < len(first) or not (path.startswith(first) and path.endswith(last)):
        return None
    return {name: path[len(first) : end]}


@lru_cache(maxsize=1024)
def _around_only_parameter(template: str) -> tuple[str, str, str]:
    """Return what stands before a template's only parameter, its name, and what stands behind.

    Without a name for templates of none, and of more parameters, which are rare.
    """
    parts = _PARAMETER.split(template)
    first, name, last = parts if len(parts) == _OF_ONE_PARAMETER else ("", "", "")
    return first, name, last


@lru_cache(maxsize=256)
def _pattern(template: str) -> re.Pattern[str]:
    literals = _PARAMETER.split(template)[::2]
    return re.compile("([^/]+)".join(map(re.escape, literals)))


def other_operation_at(operation: Operation, segments: Mapping[str, str]) -> str | None:
    """Return the operationId that an engine would take the path for, None if it is the right one.

    ``ServiceInspect("web/logs")`` would be ServiceLogs of ``web``: names may hold slashes, and
    engines match paths by patterns.
    """
    rivals = _rivals(operation)
    path = fill(operation, segments) if rivals else ""
    for rival, literals in rivals:
        if _fits(literals, path):
            return rival
    return None


def _rivals(operation: Operation) -> tuple[tuple[str, list[str]], ...]:
    return _rivals_in(operation.spec, operation.operation_id)


@lru_cache(maxsize=1024)
def _rivals_in(spec: Spec, operation_id: str) -> tuple[tuple[str, list[str]], ...]:
    """List the operations of the same method and resource with the literals of their paths."""
    operation = spec[operation_id]
    resource = operation.path.split("/")[1]
    return tuple(
        (rival, _literals(template))
        for rival, template in spec.paths(operation.method)
        if rival != operation_id
        and template.split("/")[1] == resource
        and not _covers(template, operation.path)
        and _may_meet(template, operation.path)
    )


def _literals(template: str) -> list[str]:
    """Return what stands around a template's parameters, at both ends too."""
    return re.split(r"\{[^{}]+\}", template)


def _fits(literals: list[str], path: str) -> bool:
    """Tell whether a path is these literals with something between each two of them.

    Each is looked for at the first place where it may be: whatever stands behind it fits as well
    there as further on. So no place is looked at twice.
    """
    first, last = literals[0], literals[-1]
    if len(literals) == 1:
        return path == first
    if not (path.startswith(first) and path.endswith(last)):
        return False
    place, end = len(first), len(path) - len(last)
    for literal in literals[1:-1]:
        place = path.find(literal, place + 1, end)
        if place < 0:
            return False
        place += len(literal)
    return place < end


def _may_meet(rival: str, template: str) -> bool:
    """Tell whether a path of one may be one of the other, by how they begin and end."""
    theirs, own = _literals(rival), _literals(template)
    return (
        (theirs[0].startswith(own[0]) or own[0].startswith(theirs[0]))
        and (theirs[-1].endswith(own[-1]) or own[-1].endswith(theirs[-1]))
        and (len(theirs) > 1 or len(rival) > len("".join(own)))
    )


def _covers(template: str, other: str) -> bool:
    """Tell whether every path of ``other`` fits ``template``: then engines try ``other`` first."""
    filled = re.sub(r"\{[^{}]+\}", "\x00", other)
    return _fits(_literals(template), filled)
