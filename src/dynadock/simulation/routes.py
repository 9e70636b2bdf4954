"""From a request's method and target to the operation that is asked for, as engines find it."""

from __future__ import annotations

import re
from posixpath import normpath
from typing import TYPE_CHECKING, NamedTuple

from dynadock.call.path import segments_of
from dynadock.call.percent import first_bad_escape, quote_path, unquote
from dynadock.errors import MalformedStream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynadock.spec.model import Spec

_ONE_SEGMENT = frozenset({"configs", "nodes", "secrets", "services", "tasks"})
"""What has names of one segment.

Everything else takes ``a/b`` for a name, containers too, and even nothing (seen on Docker 26.1).
"""

_USUAL = re.compile(r"(?:/v([0-9.]+)(?=/))?(/(?:[A-Za-z0-9_:@~-][A-Za-z0-9_.:@~/-]*)?)(?:\?(.*))?")
_VERSION = re.compile(r"/v([0-9.]+)(/.*)", re.DOTALL)
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?]*")


class Place(NamedTuple):
    """What a request's target says.

    ``version`` is the text behind ``/v`` at the path's beginning, empty if there is none; ``path``
    what follows, decoded; ``query`` what stands behind ``?``, as it came. ``moved_to`` is where
    an engine sends a client (301) whose path has empty or dot segments, else empty.
    """

    version: str
    path: str
    query: str
    moved_to: str = ""


class Route(NamedTuple):
    """An operation, and the parts of the path by its parameters' names."""

    operation_id: str
    segments: dict[str, str]


def read_target(target: str) -> Place:
    """Take a request's target apart.

    Whatever has the form of a version is one (``/v1.45.1``, ``/v9``): if no such version is spoken,
    that is to be said only of paths that lead somewhere. Paths are decoded before they are looked
    at, so that ``%2F`` is a slash and ``%2e`` a dot. Raises MalformedStream for a ``%`` in a path
    that begins no escape, which Go's HTTP server refuses in plain text.
    """
    usual = _USUAL.fullmatch(target)
    if usual is not None:
        version, path, query = usual.groups()
        if "//" not in path and "/." not in path:
            return Place(version or "", path, query or "")
    authority = _AUTHORITY.match(target)
    raw, _, query = target[authority.end() if authority else 0 :].partition("?")
    if first_bad_escape(raw):
        raise MalformedStream(f"the request's path holds a % that begins no escape: {raw[:60]!r}")
    whole = unquote(raw)
    cleaned = _cleaned(whole)
    moved_to = "" if whole == cleaned else quote_path(cleaned) + (query and f"?{query}")
    versioned = _VERSION.fullmatch(whole)
    version, path = versioned.groups() if versioned else ("", whole)
    return Place(version, path, query, moved_to)


def _cleaned(path: str) -> str:
    """Write a path as engines want it: from the root, without empty and dot segments."""
    # More than one slash at the beginning may mean something to POSIX, and to nobody here.
    cleaned = normpath("/" + path.lstrip("/"))
    return f"{cleaned}/" if path.endswith("/") and cleaned != "/" else cleaned


def too_new(asked: str, newest: object) -> str:
    """Return the words in which engines refuse a version that they do not speak yet (400)."""
    return f"client version {asked} is too new. Maximum supported API version is {newest}"


class Routes:
    """The operations of one version by their paths."""

    def __init__(self, spec: Spec) -> None:
        self._by_method: Mapping[str, Mapping[str, list[list[str]]]] = spec.routes

    def find(self, method: str, path: str) -> Route | None:
        """Return what a path without a version means, None for nothing.

        Engines answer 404 "page not found" to that, whether the path is there for other methods or
        not. Paths without parameters go before others: ``/images/json`` is a list, though an image
        may be called ``json``.
        """
        found = self._by_method.get(method)
        if found is None or not path.startswith("/"):
            return None
        exact = found.get(path)
        if exact is not None:
            return Route(exact[0][0], {})
        for key in (f"*{path[path.rfind('/') + 1 :]}", "*"):
            for operation_id, template in found.get(key, ()):
                segments = segments_of(template, path)
                if segments is not None and _fits(template, segments):
                    return Route(operation_id, segments)
        return None


def _fits(template: str, segments: dict[str, str]) -> bool:
    """Tell whether what stands in a path may be a name there."""
    if template.split("/", 2)[1] not in _ONE_SEGMENT:
        return True
    return all(each and "/" not in each for each in segments.values())
