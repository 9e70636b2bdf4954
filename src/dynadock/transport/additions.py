"""What every request to an engine gets besides what its call makes.

It is the path that the engine's address ends with, before its own, and the ``HttpHeaders`` of the
docker command's configuration, in so far as it has none by these names. The docker command does
both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.config.folder import read_config
from dynadock.config.headers import SECTION, http_headers
from dynadock.errors import ConfigError, DynadockWarning
from dynadock.warn import warn_caller
from dynadock.wire.fields import OF_THE_CONNECTION, WITHOUT_CONTROLS, has_controls, is_token
from dynadock.wire.messages import Request

if TYPE_CHECKING:
    from dynadock.transport.endpoint import Endpoint

_NOT_TAKEN = OF_THE_CONNECTION | {"host"}
"""Headers, in lower case, that the connection makes; the docker command ignores them as well."""


class Additions:
    """What the requests to one engine get; read once, when the first of them is made.

    ConfigError for headers that cannot be sent. A configuration that cannot be read is a warning,
    as with the docker command: it may have no headers at all.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._path = endpoint.base_path
        self._headers = _headers()

    def to(self, request: Request) -> Request:
        """Return the request as it is to be sent; the headers that are added are not shown."""
        if not self._path and not self._headers:
            return request
        target, headers = request.sent()
        own = {name.lower() for name in headers}
        added = {name: value for name, value in self._headers.items() if name.lower() not in own}
        return Request(
            request.method,
            self._path + target,
            {**headers, **added},
            request.body,
            request.secrets.union(added),
        )


def _headers() -> dict[str, str]:
    try:
        config = read_config()
    except ConfigError as error:
        warn_caller(f"no {SECTION} are sent: {error}", DynadockWarning)
        return {}
    headers = http_headers(config)
    problems = {name: _problem(name, value) for name, value in headers.items()}
    faults = [f"{name!r}: {problem}" for name, problem in problems.items() if problem]
    if faults:
        # A traceback shows local variables.
        del headers
        raise ConfigError(f"{config.path}: {SECTION!r}: {'; '.join(faults)}")
    # Of names that differ in case only, the last counts.
    by_name = {name.lower(): (name, value) for name, value in headers.items()}
    return dict(pair for name, pair in by_name.items() if name not in _NOT_TAKEN)


def _problem(name: str, value: str) -> str:
    """Return why a header cannot be sent, "" if it can; nothing of its value is in it."""
    if not is_token(name):
        return "this is not the name of a header"
    if not value.isascii():
        return "expected ASCII text"
    return WITHOUT_CONTROLS if has_controls(value) else ""
