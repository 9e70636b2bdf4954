"""A Docker Engine API client built at run time out of the API's own documents.

::

    from dynadock import load
    client = load("1.42")
    client.ContainerList(all=True)

`load` makes a client of any version or document; ``from dynadock import v1_42`` is the import-time
form. Everything here is loaded when it is first asked for.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynadock.archive.pack import build_context, pack
    from dynadock.bound import BoundOperation
    from dynadock.call.frames import Frame
    from dynadock.call.interpret import NOT_MODIFIED
    from dynadock.call.lines import Line
    from dynadock.call.record import Headers, Record, Records
    from dynadock.call.request import Request
    from dynadock.client import Client, load
    from dynadock.commands import Completed, execute, run
    from dynadock.config.store import erase_credentials, store_credentials
    from dynadock.errors import (
        AccessDenied,
        APIError,
        BadRequest,
        BodyError,
        CommandTimeout,
        ConfigError,
        Conflict,
        ConnectionLost,
        ConnectionRefused,
        DynadockError,
        DynadockWarning,
        EndpointError,
        Fault,
        MalformedStream,
        NotFound,
        ParameterError,
        PermissionDenied,
        ServerError,
        SocketMissing,
        SpecError,
        StreamClosed,
        StreamError,
        TimedOut,
        TlsError,
        TooLarge,
        TransportError,
        TruncatedStream,
        UnknownFieldWarning,
        UnknownOperation,
        UnreadStreamWarning,
        UnsafeMember,
        Unsupported,
        ValidationError,
        VersionError,
    )
    from dynadock.options import Options
    from dynadock.streams.download import ByteStream, Download, TarStream
    from dynadock.streams.duplex import Duplex, RawDuplex
    from dynadock.streams.frames import FrameStream, Output
    from dynadock.streams.stream import Stream
    from dynadock.streams.values import JsonStream

__version__ = "0.1.0"

__all__ = [
    "NOT_MODIFIED",
    "APIError",
    "AccessDenied",
    "BadRequest",
    "BodyError",
    "BoundOperation",
    "ByteStream",
    "Client",
    "CommandTimeout",
    "Completed",
    "ConfigError",
    "Conflict",
    "ConnectionLost",
    "ConnectionRefused",
    "Download",
    "Duplex",
    "DynadockError",
    "DynadockWarning",
    "EndpointError",
    "Fault",
    "Frame",
    "FrameStream",
    "Headers",
    "JsonStream",
    "Line",
    "MalformedStream",
    "NotFound",
    "Options",
    "Output",
    "ParameterError",
    "PermissionDenied",
    "RawDuplex",
    "Record",
    "Records",
    "Request",
    "ServerError",
    "SocketMissing",
    "SpecError",
    "Stream",
    "StreamClosed",
    "StreamError",
    "TarStream",
    "TimedOut",
    "TlsError",
    "TooLarge",
    "TransportError",
    "TruncatedStream",
    "UnknownFieldWarning",
    "UnknownOperation",
    "UnreadStreamWarning",
    "UnsafeMember",
    "Unsupported",
    "ValidationError",
    "VersionError",
    "build_context",
    "erase_credentials",
    "execute",
    "load",
    "pack",
    "run",
    "store_credentials",
]

_ERRORS = "dynadock.errors"
_HOMES = {
    "BoundOperation": "dynadock.bound",
    "ByteStream": "dynadock.streams.download",
    "Client": "dynadock.client",
    "Completed": "dynadock.commands",
    "Download": "dynadock.streams.download",
    "Duplex": "dynadock.streams.duplex",
    "Frame": "dynadock.call.frames",
    "FrameStream": "dynadock.streams.frames",
    "Headers": "dynadock.call.record",
    "JsonStream": "dynadock.streams.values",
    "Line": "dynadock.call.lines",
    "NOT_MODIFIED": "dynadock.call.interpret",
    "Options": "dynadock.options",
    "Output": "dynadock.streams.frames",
    "RawDuplex": "dynadock.streams.duplex",
    "Record": "dynadock.call.record",
    "Records": "dynadock.call.record",
    "Request": "dynadock.call.request",
    "Stream": "dynadock.streams.stream",
    "TarStream": "dynadock.streams.download",
    "build_context": "dynadock.archive.pack",
    "erase_credentials": "dynadock.config.store",
    "execute": "dynadock.commands",
    "load": "dynadock.client",
    "pack": "dynadock.archive.pack",
    "run": "dynadock.commands",
    "store_credentials": "dynadock.config.store",
}


def __getattr__(name: str) -> Any:
    if name in __all__:
        value = getattr(_module(_HOMES.get(name, _ERRORS)), name)
    elif _looks_like_version(name):
        value = _client_at(name.replace("_", "."))
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def _module(name: str) -> Any:
    # importlib would have to be loaded for the same.
    __import__(name)
    return sys.modules[name]


def _looks_like_version(name: str) -> bool:
    # Imported here for start-up time: most callers load a version.
    import re  # noqa: PLC0415

    return re.fullmatch(r"v[1-9]\d*_(0|[1-9]\d*)", name, re.ASCII) is not None


def _client_at(version: str) -> Client:
    library = _module("dynadock.spec.library")
    if version not in [f"v{known}" for known in library.available_versions()]:
        raise AttributeError(f"there is no document of API {version}")
    client: Client = _module("dynadock.client").client_for(version)
    return client


def __dir__() -> list[str]:
    # Versions are not among them: tools that look at all that is offered would load every document.
    special = (name for name in globals() if name.startswith("__"))
    return sorted({*__all__, *special, "config", "errors"})
