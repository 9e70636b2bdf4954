"""Contexts: the engines that the docker command knows by name.

``docker context create`` writes one to ``contexts/meta/<digest of its name>/meta.json``, and what
TLS needs to ``contexts/tls/<digest>/docker/``, as ``ca.pem``, ``cert.pem`` and ``key.pem``, of
which any may be missing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from dynadock.config.folder import (
    config_folder,
    object_of,
    read_config,
    read_object,
    spelling,
    text_of,
)
from dynadock.errors import ConfigError
from dynadock.spec.names import closest

if TYPE_CHECKING:
    from dynadock.config.folder import Folder

CONTEXT_VARIABLE = "DOCKER_CONTEXT"
NO_CONTEXT = "default"
"""The name that stands for the environment and the default socket, not for a context."""

_ENDPOINT = "docker"
_META_FILE = "meta.json"
_TLS_FILES = ("ca.pem", "cert.pem", "key.pem")


class Context(NamedTuple):
    """An engine that has a name.

    ``host`` is its address, "" where the context says none: then it is the default socket.
    ``tls_folder`` holds what TLS needs, "" if there is nothing; ``skip_tls_verify`` asks for TLS
    that believes any certificate. With neither of both the connection is a plain one.
    """

    name: str
    host: str = ""
    tls_folder: str = ""
    skip_tls_verify: bool = False


class Choice(NamedTuple):
    """Which context the user has chosen, and where: ``origin`` is "" if nowhere."""

    name: str
    origin: str


def chosen_context(folder: Folder = None) -> Choice:
    """Return the context that ``$DOCKER_CONTEXT`` names, else ``currentContext`` in config.json.

    It need not exist. (To the docker command ``$DOCKER_HOST`` comes before both.) ConfigError if
    the file cannot be read.
    """
    from_environment = os.environ.get(CONTEXT_VARIABLE)
    if from_environment:
        return Choice(from_environment, CONTEXT_VARIABLE)
    config = read_config(folder)
    current = config.text("currentContext")
    if current:
        return Choice(current, f"currentContext in {config.path}")
    return Choice(NO_CONTEXT, "")


def read_context(name: str, folder: Folder = None) -> Context:
    """Return the context called ``name``; an empty one for ``default``, which is none.

    ConfigError if there is none, naming those there are, or if its files make no sense.
    """
    if name == NO_CONTEXT:
        return Context(name)
    contexts = os.path.join(config_folder(folder), "contexts")
    path = _meta_file(contexts, name)
    values = read_object(path)
    if values is None:
        raise _unknown(name, folder)
    endpoints = object_of(values, "Endpoints", path)
    if _ENDPOINT not in endpoints:
        raise ConfigError(f"context {name!r} names no engine of Docker: see {path}")
    engine = object_of(endpoints, _ENDPOINT, path)
    skips = engine.get(spelling(engine, "SkipTLSVerify")) is True
    return Context(name, text_of(engine, "Host", path), _tls_folder(contexts, name), skips)


def context_names(folder: Folder = None) -> list[str]:
    """Return the names of all contexts that can be read, sorted, ``default`` before them."""
    names = set()
    metas = os.path.join(config_folder(folder), "contexts", "meta")
    for digest in _names_in(metas):
        path = os.path.join(metas, digest, _META_FILE)
        try:
            name = text_of(read_object(path) or {}, "Name", path)
        except ConfigError:
            # One that is damaged is no reason to hide the others.
            continue
        names.add(name)
    return [NO_CONTEXT, *sorted(names - {"", NO_CONTEXT})]


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _meta_file(contexts: str, name: str) -> str:
    return os.path.join(contexts, "meta", _digest(name), _META_FILE)


def _tls_folder(contexts: str, name: str) -> str:
    # Imported here for start-up time: few users have contexts.
    from pathlib import Path  # noqa: PLC0415

    folder = Path(contexts, "tls", _digest(name), _ENDPOINT)
    try:
        found = any((folder / file).is_file() for file in _TLS_FILES)
    except OSError as error:
        # Not taken for a context without TLS: that would be a plain connection.
        raise ConfigError(f"{folder} cannot be read: {error.strerror or error}") from None
    return str(folder) if found else ""


def _digest(name: str) -> str:
    # Imported here for start-up time: few users have contexts.
    import hashlib  # noqa: PLC0415

    # No name holds half a surrogate pair, but an argument or a variable may.
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _unknown(name: str, folder: Folder) -> ConfigError:
    known = context_names(folder)
    meant = closest(name, known)
    hint = f"did you mean {meant!r}? " if meant else ""
    return ConfigError(f"there is no context {name!r}; {hint}There are: {', '.join(known)}")
