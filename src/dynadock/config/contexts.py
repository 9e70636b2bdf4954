"""Contexts: the engines that the docker command knows by name.

``docker context create`` writes one to ``contexts/meta/<digest of its name>/meta.json``, and its
certificates to ``contexts/tls/<digest>/docker/``, as ``ca.pem``, ``cert.pem`` and ``key.pem``, of
which any may be missing. Folders by other names, made by hand, count by the ``Name`` in their
``meta.json``: ``docker context ls`` lists them, though that command cannot use them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from dynadock.config.address import masked
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
    from collections.abc import Iterator

    from dynadock.config.folder import Folder

CONTEXT_VARIABLE = "DOCKER_CONTEXT"
NO_CONTEXT = "default"
"""The name by which the docker command means no context, but the environment or the default
socket."""

_ENDPOINT = "docker"
_META_FILE = "meta.json"
_TLS_FILES = ("ca.pem", "cert.pem", "key.pem")


class Context(NamedTuple):
    """An engine that has a name.

    ``host`` is its address, "" if the context has none: then it is the default socket.
    ``tls_folder`` holds its certificates, "" if there are none; ``skip_tls_verify`` asks for TLS
    that accepts any certificate of the engine. With neither of these the connection has no TLS.
    """

    name: str
    host: str = ""
    tls_folder: str = ""
    skip_tls_verify: bool = False

    def __repr__(self) -> str:
        values = self._replace(host=masked(self.host))._asdict().items()
        return f"Context({', '.join(f'{name}={value!r}' for name, value in values)})"


class Choice(NamedTuple):
    """Which context the user has chosen, and where: ``origin`` is "" if nowhere."""

    name: str
    origin: str


def chosen_context(folder: Folder = None) -> Choice:
    """Return the context that ``$DOCKER_CONTEXT`` names, else ``currentContext`` in config.json.

    It need not exist. (The docker command looks at ``$DOCKER_HOST`` before both.) ConfigError if
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
    """Return the context called ``name``; an empty one for ``default``, which is no context.

    ConfigError if it does not exist, with the names of those that do, or if its files are invalid.
    """
    if name == NO_CONTEXT:
        return Context(name)
    contexts = os.path.join(config_folder(folder), "contexts")
    own = _folder_of(name, contexts)
    path = _meta_file(contexts, own)
    values = read_object(path)
    if values is None:
        raise _unknown(name, folder)
    endpoints = object_of(values, "Endpoints", path)
    if _ENDPOINT not in endpoints:
        raise ConfigError(f"context {name!r} names no engine of Docker: see {path}")
    engine = object_of(endpoints, _ENDPOINT, path)
    skips = engine.get(spelling(engine, "SkipTLSVerify")) is True
    # Certificates may have been left under the digest; without them there would be no TLS.
    tls = _tls_folder(contexts, own) or _tls_folder(contexts, _digest(name))
    return Context(name, text_of(engine, "Host", path), tls, skips)


def _folder_of(name: str, contexts: str) -> str:
    """Return the folder of a context: the digest of its name, else one whose file names it.

    ConfigError if there are several of the latter.
    """
    digest = _digest(name)
    if os.path.exists(_meta_file(contexts, digest)):
        return digest
    found = [folder for folder, each in _found(contexts) if each == name]
    if len(found) > 1:
        paths = ", ".join(_meta_file(contexts, folder) for folder in sorted(found))
        raise ConfigError(f"more than one context is called {name!r}: {paths}")
    return found[0] if found else digest


def _found(contexts: str) -> Iterator[tuple[str, str]]:
    """Yield the folders of all contexts that can be read, and the names in them."""
    for folder in _names_in(os.path.join(contexts, "meta")):
        path = _meta_file(contexts, folder)
        try:
            name = text_of(read_object(path) or {}, "Name", path)
        except ConfigError:
            # One damaged context must not hide the others.
            continue
        yield folder, name


def context_names(folder: Folder = None) -> list[str]:
    """Return the names of all contexts that can be read, sorted, ``default`` before them."""
    names = {name for _, name in _found(os.path.join(config_folder(folder), "contexts"))}
    return [NO_CONTEXT, *sorted(names - {"", NO_CONTEXT})]


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _meta_file(contexts: str, folder: str) -> str:
    return os.path.join(contexts, "meta", folder, _META_FILE)


def _tls_folder(contexts: str, own: str) -> str:
    from pathlib import Path

    folder = Path(contexts, "tls", own, _ENDPOINT)
    try:
        found = any((folder / file).is_file() for file in _TLS_FILES)
    except OSError as error:
        # Not taken for a context without certificates: the connection would be unencrypted.
        raise ConfigError(f"{folder} cannot be read: {error.strerror or error}") from None
    return str(folder) if found else ""


def _digest(name: str) -> str:
    import hashlib

    # An argument or a variable may hold half a surrogate pair, though no context's name does.
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _unknown(name: str, folder: Folder) -> ConfigError:
    known = context_names(folder)
    meant = closest(name, known)
    hint = f"did you mean {meant!r}? " if meant else ""
    return ConfigError(f"there is no context {name!r}; {hint}There are: {', '.join(known)}")
