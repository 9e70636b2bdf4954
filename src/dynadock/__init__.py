"""A Docker Engine API client built at run time out of the API's own documents.

::

    from dynadock import load
    client = load("1.42")
    client.ContainerList(all=True)

`load` makes a client of any version or document; ``from dynadock import v1_42`` is the import-time
form. Everything here is loaded when it is first asked for.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynadock.bound import BoundOperation
    from dynadock.call.interpret import NOT_MODIFIED
    from dynadock.call.record import Headers, Record
    from dynadock.call.request import Request
    from dynadock.client import Client, load
    from dynadock.errors import (
        AccessDenied,
        APIError,
        BadRequest,
        BodyError,
        Conflict,
        ConnectionLost,
        ConnectionRefused,
        DynadockError,
        DynadockWarning,
        EndpointError,
        Fault,
        NotFound,
        ParameterError,
        PermissionDenied,
        ServerError,
        SocketMissing,
        SpecError,
        TimedOut,
        TransportError,
        UnknownFieldWarning,
        UnknownOperation,
        Unsupported,
        ValidationError,
        VersionError,
    )
    from dynadock.options import Options

__version__ = "0.1.0"

__all__ = [
    "NOT_MODIFIED",
    "APIError",
    "AccessDenied",
    "BadRequest",
    "BodyError",
    "BoundOperation",
    "Client",
    "Conflict",
    "ConnectionLost",
    "ConnectionRefused",
    "DynadockError",
    "DynadockWarning",
    "EndpointError",
    "Fault",
    "Headers",
    "NotFound",
    "Options",
    "ParameterError",
    "PermissionDenied",
    "Record",
    "Request",
    "ServerError",
    "SocketMissing",
    "SpecError",
    "TimedOut",
    "TransportError",
    "UnknownFieldWarning",
    "UnknownOperation",
    "Unsupported",
    "ValidationError",
    "VersionError",
    "load",
]

_ERRORS = "dynadock.errors"
_HOMES = {
    "BoundOperation": "dynadock.bound",
    "Client": "dynadock.client",
    "Headers": "dynadock.call.record",
    "NOT_MODIFIED": "dynadock.call.interpret",
    "Options": "dynadock.options",
    "Record": "dynadock.call.record",
    "Request": "dynadock.call.request",
    "load": "dynadock.client",
}


def __getattr__(name: str) -> Any:
    if name in __all__:
        value = getattr(import_module(_HOMES.get(name, _ERRORS)), name)
    elif re.fullmatch(r"v[1-9]\d*_(0|[1-9]\d*)", name, re.ASCII):
        value = _client_at(name.replace("_", "."))
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def _client_at(version: str) -> Client:
    library = import_module("dynadock.spec.library")
    if version not in [f"v{known}" for known in library.available_versions()]:
        raise AttributeError(f"there is no document of API {version}")
    client: Client = import_module("dynadock.client").client_for(version)
    return client


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
