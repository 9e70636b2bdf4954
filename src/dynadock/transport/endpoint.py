"""Where an engine is: read from arguments, the environment and the docker command's contexts.

Nothing is sent over a network, and nothing is changed.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from dynadock.attribute import not_callable
from dynadock.errors import EndpointError, Unsupported

if TYPE_CHECKING:
    from dynadock.transport.proxy import Proxy

HOST_VARIABLE = "DOCKER_HOST"
CONTEXT_VARIABLE = "DOCKER_CONTEXT"
TLS_VARIABLE = "DOCKER_TLS_VERIFY"
UNVERIFIED_TLS_VARIABLE = "DOCKER_TLS"
CERTIFICATES_VARIABLE = "DOCKER_CERT_PATH"
CONFIG_VARIABLE = "DOCKER_CONFIG"
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
NO_CONTEXT = "default"
DEFAULT_SOCKET = "/var/run/docker.sock"
DEFAULT_PORT = 2375
DEFAULT_TLS_PORT = 2376

DEFAULT_PIPE = "//./pipe/docker_engine"

_UNSUPPORTED = ("https", "fd")
_SCHEMES = "unix://, tcp://, ssh:// and npipe://"
_PIPE = re.compile(r"//[^/]+/pipe/[^/]+")


class Tls(NamedTuple):
    """How a connection does TLS.

    ``folder`` holds ``ca.pem``, ``cert.pem`` and ``key.pem``, of which any may be missing, "" for
    none of them; ``verify`` is False to accept any certificate from the engine.
    """

    folder: str
    verify: bool = True


class Endpoint(NamedTuple):
    """The place of an engine.

    ``scheme`` is ``unix`` or ``npipe`` (then ``path`` is the socket's or the pipe's), ``tcp`` (then
    ``host`` and ``port``) or ``ssh`` (then ``host``, and ``user``, ``port`` and the socket's
    ``path`` if they were given);
    ``origin`` says why this place: ``host=``, ``DOCKER_HOST``, a context and where its name is
    from, or the default socket. ``tls`` is None for a connection without it, ``proxy`` for a
    direct one.
    """

    scheme: str
    origin: str
    path: str = ""
    host: str = ""
    port: int = 0
    user: str = ""
    tls: Tls | None = None
    proxy: Proxy | None = None

    def __str__(self) -> str:
        if self.scheme in ("unix", "npipe"):
            return f"{self.scheme}://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{user}{host}{port}{self.path}"


if not TYPE_CHECKING:
    # A NamedTuple's body takes no such statement.
    Endpoint.__call__ = not_callable("endpoint", "where the engine is")


def find_endpoint(host: str | None = None, context: str | None = None) -> Endpoint:
    """Return where the engine is, by the docker command's own precedence.

    ``host``, else ``context``, else ``$DOCKER_HOST``, else ``$DOCKER_CONTEXT``, else the
    ``currentContext`` of the docker command's configuration, else the first default socket that is
    there: ``/var/run/docker.sock``, the rootless engine's, Docker Desktop's; on Windows it is the
    pipe ``//./pipe/docker_engine``. EndpointError for what
    is no address, and for both ``host`` and ``context``; ConfigError for a context that there is
    not; Unsupported for kinds of address that this release does not speak.
    """
    if host is not None:
        if context is not None:
            raise EndpointError("host= and context= both say where the engine is; give one")
        return parse_host(host, "host=", _tls_of_environment())
    if context in (None, NO_CONTEXT):
        from_environment = os.environ.get(HOST_VARIABLE)
        if from_environment:
            return parse_host(from_environment, HOST_VARIABLE, _tls_of_environment())
    return _of_context(context) or default_endpoint(on_windows=os.name == "nt")


def _of_context(name: str | None) -> Endpoint | None:
    """Return the endpoint of a context, of the one that the user has chosen without a name."""
    from dynadock.config.contexts import chosen_context, read_context

    origin = "context="
    if name is None:
        name, origin = chosen_context()
    if name == NO_CONTEXT:
        return None
    context = read_context(name)
    if not context.host:
        return None
    has_tls = context.tls_folder or context.skip_tls_verify
    tls = Tls(context.tls_folder, verify=not context.skip_tls_verify) if has_tls else None
    return parse_host(context.host, f"context {name!r}, from {origin}", tls)


def default_endpoint(*, on_windows: bool) -> Endpoint:
    """Return where the engine is if nothing is configured."""
    if on_windows:
        return Endpoint("npipe", "the default pipe", path=DEFAULT_PIPE)
    return Endpoint("unix", "the default socket", path=_default_socket())


def _default_socket() -> str:
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home raises where there is none
    user_id = os.getuid() if hasattr(os, "getuid") else 0
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{user_id}"
    rootless = f"{runtime}/docker.sock"
    desktop = (f"{home}/.docker/run/docker.sock", f"{home}/.docker/desktop/docker.sock")
    for path in (DEFAULT_SOCKET, rootless, *desktop):
        if os.path.exists(path):  # noqa: PTH110 - the rest is text
            return path
    return DEFAULT_SOCKET


def parse_host(text: str, origin: str, tls: Tls | None = None) -> Endpoint:
    """Read an engine's address.

    It is ``unix:///path/of.sock``, ``tcp://host:port``, ``ssh://user@host:port/path`` or
    ``npipe:////./pipe/name``.

    ``tls`` counts for tcp only. EndpointError says what an address looks like.
    """
    scheme, separator, rest = text.partition("://")
    if not separator or not rest:
        raise _no_address(text, origin, "it looks like unix:///path/of.sock or tcp://host:2375")
    if scheme == "unix":
        if not rest.startswith("/"):
            raise _no_address(text, origin, "a socket's path starts with '/': unix:///path/of.sock")
        return Endpoint("unix", origin, path=rest)
    if scheme in ("tcp", "http"):
        return _parse_tcp(text, origin, tls)
    if scheme == "ssh":
        return _parse_ssh(text, origin)
    if scheme == "npipe":
        return _parse_pipe(text, rest, origin)
    if scheme in _UNSUPPORTED:
        raise Unsupported(f"{origin}: {scheme}:// is not supported; use {_SCHEMES}")
    raise _no_address(text, origin, f"{scheme}:// is unknown; there are {_SCHEMES}")


def _parse_pipe(text: str, path: str, origin: str) -> Endpoint:
    path = path.replace("\\", "/")
    if not _PIPE.fullmatch(path) or _has_odd_characters(path):
        raise _no_address(text, origin, f"a pipe's looks like npipe://{DEFAULT_PIPE}")
    return Endpoint("npipe", origin, path=path)


def _parse_tcp(text: str, origin: str, tls: Tls | None) -> Endpoint:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        host = parts.hostname
        default = DEFAULT_PORT if tls is None else DEFAULT_TLS_PORT
        port = default if parts.port is None else parts.port
    except ValueError as error:
        raise _no_address(text, origin, str(error)) from None
    if not host or _has_odd_characters(text):
        raise _no_address(text, origin, "it looks like tcp://host:2375")
    if "@" in parts.netloc:
        raise EndpointError(f"{origin}: an engine's address holds no user or password")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _no_address(text, origin, "only host and port can be given: tcp://host:2375")
    proxy = None
    if any(os.environ.get(name) for name in PROXY_VARIABLES):
        from dynadock.transport.proxy import find_proxy

        proxy = find_proxy(host, port, tls=tls is not None)
    return Endpoint("tcp", origin, host=host, port=port, tls=tls, proxy=proxy)


def _parse_ssh(text: str, origin: str) -> Endpoint:
    from urllib.parse import urlsplit

    example = "it looks like ssh://user@host:22/path/of.sock"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port or 0
    except ValueError as error:
        raise _no_address(text, origin, str(error)) from None
    if parts.password is not None:
        raise EndpointError(f"{origin}: an engine's address holds no password; ssh asks for it")
    user = parts.username or ""
    if not host or _has_odd_characters(text) or parts.query or parts.fragment:
        raise _no_address(text, origin, example)
    if host.startswith("-") or user.startswith("-"):
        raise _no_address(text, origin, "ssh would take a name with '-' in front for an option")
    path = "" if parts.path == "/" else parts.path
    return Endpoint("ssh", origin, path=path, host=host, port=port, user=user)


def _has_odd_characters(text: str) -> bool:
    return any(not c.isprintable() or c.isspace() for c in text)


def _tls_of_environment() -> Tls | None:
    """Return what the environment says of TLS, as the docker command reads it.

    Any text in ``DOCKER_TLS_VERIFY`` asks for TLS (``0`` too), any in ``DOCKER_TLS`` for TLS that
    accepts any certificate from the engine; the files are those in ``DOCKER_CERT_PATH``, else
    those of the docker command's configuration.
    """
    verify = bool(os.environ.get(TLS_VARIABLE))
    if not verify and not os.environ.get(UNVERIFIED_TLS_VARIABLE):
        return None
    configured = os.environ.get(CONFIG_VARIABLE) or os.path.expanduser("~/.docker")  # noqa: PTH111
    return Tls(os.environ.get(CERTIFICATES_VARIABLE) or configured, verify)


def _no_address(text: str, origin: str, problem: str) -> EndpointError:
    return EndpointError(f"{origin}: {text!r} is no address of an engine; {problem}")
