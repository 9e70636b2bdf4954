"""Where an engine is: read from arguments, the environment and the docker command's contexts.

Nothing is sent over a network, and nothing is changed.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from dynadock.attribute import not_callable
from dynadock.config.address import DEFAULT_PIPE, Address, place_of
from dynadock.errors import EndpointError

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
ORIGIN_OF_HOST = "host="
DEFAULT_SOCKET = "/var/run/docker.sock"
DEFAULT_PORT = 2375
DEFAULT_TLS_PORT = 2376

_LOOKS_ESCAPED = r"%(?=[0-9A-Fa-f]{2})"


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
    ``host`` and ``port``, and the ``path`` that all requests begin with, if there is one) or
    ``ssh`` (then ``host``, and ``user``, ``port`` and the socket's ``path`` if they were given);
    ``origin`` says why this place: ``host=``, ``DOCKER_HOST``, a context and where its name is
    from, or the default socket. ``tls`` is None for a connection without it, ``proxy`` for a
    direct one. It holds no secret. Its text is an address, which leads to the same place.
    """

    scheme: str
    origin: str
    path: str = ""
    host: str = ""
    port: int = 0
    user: str = ""
    tls: Tls | None = None
    proxy: Proxy | None = None

    @property
    def base_path(self) -> str:
        """The path that all requests begin with, "" for none."""
        return self.path if self.scheme == "tcp" else ""

    @property
    def authority(self) -> str:
        """What the Host header says: engines ignore it, HTTP/1.1 wants it.

        The zone of an IPv6 address means nothing to the other side (RFC 6874, section 3).
        """
        if self.scheme != "tcp":
            return "localhost"
        return f"{_bracketed(self.host.partition('%')[0])}:{self.port}"

    def __str__(self) -> str:
        if self.scheme == "unix":
            # Without what would be read as something else: escapes, blanks at the end.
            path = self.path.rstrip()
            blanks = self.path[len(path) :]
            return f"unix://{re.sub(_LOOKS_ESCAPED, '%25', path)}{_escaped(blanks)}"
        if self.scheme in ("npipe", "embedded"):
            return f"{self.scheme}://{self.path}"
        host = _bracketed(self.host.replace("%", "%25"))
        user = f"{_escaped(self.user)}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        path = _escaped(self.path, "/") if self.scheme == "ssh" else self.path
        return f"{self.scheme}://{user}{host}{port}{path}"


if not TYPE_CHECKING:
    # Type checkers shall report such a call; a NamedTuple's body takes no condition.
    Endpoint.__call__ = not_callable("endpoint", "where the engine is")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _escaped(text: str, safe: str = "") -> str:
    if re.fullmatch(r"[A-Za-z0-9._~/-]*", text):
        return text
    from urllib.parse import quote

    return quote(text, safe)


def find_endpoint(host: str | Address | None = None, context: str | None = None) -> Endpoint:
    """Return where the engine is, by the docker command's own precedence.

    ``host``, else ``context``, else ``$DOCKER_HOST``, else ``$DOCKER_CONTEXT``, else the
    ``currentContext`` of the docker command's configuration, else the first default socket that is
    there: ``/var/run/docker.sock``, the rootless engine's, Docker Desktop's; on Windows it is the
    pipe ``//./pipe/docker_engine``. Raises EndpointError if the address is invalid, or if both
    ``host`` and ``context`` are given; ConfigError if there is no such context; Unsupported for
    kinds of addresses that this release does not support.
    """
    if host is not None:
        host = Address.of(host)
        if context is not None:
            raise EndpointError("host= and context= both say where the engine is; give one")
        return parse_host(host, ORIGIN_OF_HOST, _tls_of_environment())
    if context in (None, NO_CONTEXT):
        from_environment = Address(os.environ.get(HOST_VARIABLE, ""))
        if from_environment.plain.strip():
            return parse_host(from_environment, HOST_VARIABLE, _tls_of_environment())
        if from_environment.plain:
            # The docker command takes blanks for its default, and looks at no context then.
            return default_endpoint(on_windows=os.name == "nt")
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


def parse_host(host: str | Address, origin: str, tls: Tls | None = None) -> Endpoint:
    """Return the endpoint at an address, see `dynadock.config.address`.

    It is ``unix:///path/of.sock``, ``tcp://host:port/path``, ``ssh://user@host:port/path`` or
    ``npipe:////./pipe/name``. ``tls`` counts for tcp only. EndpointError, or Unsupported, says what
    an address looks like.
    """
    # Only in this form from here on, as the lines that raise show what stands beside them.
    host = Address.of(host)
    place = place_of(host, origin)
    found = Endpoint(place.scheme, origin, place.path, place.host, place.port, place.user)
    if place.scheme != "tcp":
        return found
    found = found._replace(
        tls=tls, port=place.port or (DEFAULT_PORT if tls is None else DEFAULT_TLS_PORT)
    )
    if any(os.environ.get(name) for name in PROXY_VARIABLES):
        from dynadock.transport.proxy import find_proxy

        return found._replace(proxy=find_proxy(found.host, found.port, tls=tls is not None))
    return found


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
