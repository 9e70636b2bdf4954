"""From a request to the operation that it means, in the document of the version that it names."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from dynadock.errors import DynadockError, MalformedStream
from dynadock.simulation.routes import Routes, read_target
from dynadock.spec.library import available_versions
from dynadock.spec.loader import load_version

if TYPE_CHECKING:
    from dynadock.spec.model import Operation, Spec
    from dynadock.spec.versions import Version

_MOST_ROUTES = 64


class Recognised(NamedTuple):
    """What a request asks for: the operation, None where there is none, and why not."""

    operation: Operation | None
    why: str = ""


class Recogniser:
    """Knows the operations of all versions that there are documents of."""

    def __init__(self) -> None:
        self._known = {str(each): each for each in available_versions()}
        self.newest = max(self._known.values())

    def version(self, text: str) -> Version | None:
        """Return a version by its text if there is a document of it."""
        return self._known.get(text)

    def find(self, method: str, target: str, spoken: str = "") -> Recognised:
        """Find the operation of a request.

        A path without a version is one of the newest: that of the engine, which its replies name
        (``spoken``), if there is a document of that.
        """
        try:
            place = read_target(target)
        except MalformedStream as fault:
            return Recognised(None, str(fault))
        if place.moved_to:
            return Recognised(None, "the path has empty or dot segments")
        version = self._known.get(place.version or spoken)
        if version is None and place.version:
            return Recognised(None, f"there is no document of API {place.version}")
        try:
            spec, routes = _routes(version or self.newest)
        except DynadockError as error:
            return Recognised(None, str(error))
        route = routes.find(method, place.path)
        if route is None:
            return Recognised(None, f"no operation of API {spec.version}")
        return Recognised(spec[route.operation_id])


@lru_cache(maxsize=_MOST_ROUTES)
def _routes(version: Version) -> tuple[Spec, Routes]:
    spec = load_version(version)
    return spec, Routes(spec)


def is_known_at(version: Version, method: str, path: str) -> bool:
    """Tell whether a version has an operation at a path."""
    return _routes(version)[1].find(method, path) is not None
