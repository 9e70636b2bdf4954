"""A Docker Engine API client built at run time out of the API's own documents.

::

    from dynadock import load
    client = load("1.42")
    client.ContainerList(all=True)

`load` makes a client of any version or document; ``from dynadock import v1_42`` is the import-time
form. Everything here is loaded at first use.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # `_HOMES` for type checkers, to which `as` means that a name is exported.
    from dynadock import config as config
    from dynadock import embedded as embedded
    from dynadock import errors as errors
    from dynadock.archive.pack import build_context as build_context
    from dynadock.archive.pack import pack as pack
    from dynadock.bound import BoundOperation as BoundOperation
    from dynadock.call.interpret import NOT_MODIFIED as NOT_MODIFIED
    from dynadock.client import Client as Client
    from dynadock.client import load as load
    from dynadock.commands import Completed as Completed
    from dynadock.commands import execute as execute
    from dynadock.commands import run as run
    from dynadock.compat.watch import Watch as Watch
    from dynadock.compat.watch import watch as watch
    from dynadock.config.store import erase_credentials as erase_credentials
    from dynadock.config.store import store_credentials as store_credentials
    from dynadock.contract.deviations import Deviations as Deviations
    from dynadock.contracts import Contract as Contract
    from dynadock.errors import *  # noqa: F403 - all of its classes, and nothing else, is public
    from dynadock.explore.changes import history as history
    from dynadock.explore.differences import Differences as Differences
    from dynadock.explore.differences import diff as diff
    from dynadock.explore.openapi import openapi as openapi
    from dynadock.options import Options as Options
    from dynadock.prompt.enabling import enable_completion as enable_completion
    from dynadock.record import Record as Record
    from dynadock.record import Records as Records
    from dynadock.record import plain as plain
    from dynadock.secret import reveal as reveal
    from dynadock.spec.library import versions as versions
    from dynadock.streams.download import ByteStream as ByteStream
    from dynadock.streams.download import Download as Download
    from dynadock.streams.download import TarStream as TarStream
    from dynadock.streams.duplex import Duplex as Duplex
    from dynadock.streams.duplex import RawDuplex as RawDuplex
    from dynadock.streams.frames import FrameStream as FrameStream
    from dynadock.streams.frames import Output as Output
    from dynadock.streams.stream import Stream as Stream
    from dynadock.streams.values import JsonStream as JsonStream
    from dynadock.wire.frames import Frame as Frame
    from dynadock.wire.lines import Line as Line
    from dynadock.wire.messages import Headers as Headers
    from dynadock.wire.messages import Request as Request

__version__ = "0.1.0"

_HOMES = {
    "dynadock.archive.pack": ("build_context", "pack"),
    "dynadock.bound": ("BoundOperation",),
    "dynadock.wire.frames": ("Frame",),
    "dynadock.call.interpret": ("NOT_MODIFIED",),
    "dynadock.wire.lines": ("Line",),
    "dynadock.record": ("Record", "Records", "plain"),
    "dynadock.wire.messages": ("Headers", "Request"),
    "dynadock.client": ("Client", "load"),
    "dynadock.commands": ("Completed", "execute", "run"),
    "dynadock.compat.watch": ("Watch", "watch"),
    "dynadock.config.store": ("erase_credentials", "store_credentials"),
    "dynadock.explore.openapi": ("openapi",),
    "dynadock.contract.deviations": ("Deviations",),
    "dynadock.contracts": ("Contract",),
    "dynadock.explore.changes": ("history",),
    "dynadock.explore.differences": ("Differences", "diff"),
    "dynadock.options": ("Options",),
    "dynadock.prompt.enabling": ("enable_completion",),
    "dynadock.secret": ("reveal",),
    "dynadock.spec.library": ("versions",),
    "dynadock.streams.download": ("ByteStream", "Download", "TarStream"),
    "dynadock.streams.duplex": ("Duplex", "RawDuplex"),
    "dynadock.streams.frames": ("FrameStream", "Output"),
    "dynadock.streams.stream": ("Stream",),
    "dynadock.streams.values": ("JsonStream",),
}
"""Where the public names are, except for errors.py, all of whose classes are public."""

_MODULES = ("config", "embedded", "errors")
"""What is offered as a module."""


def __getattr__(name: str) -> Any:
    value: Any
    home = next((module for module, names in _HOMES.items() if name in names), None)
    if home:
        value = getattr(_module(home), name)
    elif name in _MODULES:
        value = _module(f"{__name__}.{name}")
    elif name == "__all__":
        value = _public_names()
    elif _looks_like_version(name):
        value = _client_at(name.replace("_", "."))
    elif not name.startswith("_") and name in (errors := _errors()):
        value = errors[name]
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{_hint(name)}")
    globals()[name] = value
    return value


def _hint(name: str) -> str:
    """Say what a name means that people know from docker-py, empty for others."""
    if name.startswith("_"):
        return ""
    meaning = _module("dynadock.spec.elsewhere").module_names().get(name)
    return f"; did you mean dynadock.{meaning.means[0]}{meaning.remark}?" if meaning else ""


def _errors() -> dict[str, type]:
    module = _module("dynadock.errors")
    classes = {name: value for name, value in vars(module).items() if isinstance(value, type)}
    return {name: each for name, each in classes.items() if each.__module__ == module.__name__}


def _public_names() -> list[str]:
    return sorted({*_errors(), *(name for names in _HOMES.values() for name in names)})


def _module(name: str) -> Any:
    # importlib would do the same, but would have to be loaded.
    __import__(name)
    return sys.modules[name]


def _looks_like_version(name: str) -> bool:
    import re

    return re.fullmatch(r"v[1-9]\d*_(0|[1-9]\d*)", name, re.ASCII) is not None


def _client_at(version: str) -> Client:
    library = _module("dynadock.spec.library")
    if version not in [f"v{known}" for known in library.available_versions()]:
        raise AttributeError(f"there is no document of API {version}")
    client: Client = _module("dynadock.client").client_for(version)
    return client


def __dir__() -> list[str]:
    versions = _module("dynadock.spec.library").available_versions()
    clients = (f"v{each.major}_{each.minor}" for each in versions)
    special = [name for name in globals() if name.startswith("__")]
    return sorted({*_public_names(), *_MODULES, *clients, *special})


def load_ipython_extension(shell: Any) -> None:
    """Turn on completion inside calls in IPython: what ``%load_ext dynadock`` does."""
    _module("dynadock.prompt.ipython").add_to(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Undo `load_ipython_extension`: what ``%unload_ext dynadock`` does."""
    _module("dynadock.prompt.ipython").remove_from(shell)
