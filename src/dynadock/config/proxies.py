"""The ``proxies`` section of ``config.json``: proxy settings for containers and builds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.config.folder import object_of, read_config, text_of
from dynadock.secret import Hidden

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dynadock.config.folder import Folder

_VARIABLES = {
    "httpProxy": "HTTP_PROXY",
    "httpsProxy": "HTTPS_PROXY",
    "noProxy": "NO_PROXY",
    "ftpProxy": "FTP_PROXY",
    "allProxy": "ALL_PROXY",
}


def proxy_variables(host: str, folder: Folder = None) -> dict[str, str]:
    """Return the environment variables that containers of the engine at ``host`` are to have.

    Each comes in both cases, ``HTTP_PROXY`` and ``http_proxy``. They are those of the section's
    entry for exactly ``host`` (``tcp://box:2375``), else of its entry ``default``. ConfigError if
    the file is invalid. Build arguments of the caller have precedence:
    ``{**proxy_variables(host), **buildargs}``.
    """
    config = read_config(folder)
    place = f"{config.path}: 'proxies'"
    entries = config.section("proxies")
    # An empty entry for the host counts too: it has no proxies. The entries are named by users, so
    # the case of these names matters.
    name = host if host in entries else "default"
    chosen = object_of({name: entries.get(name)}, name, place)
    # Addresses of proxies may hold passwords; a traceback may show what there is here.
    variables = Hidden()
    for field, variable in _VARIABLES.items():
        value = text_of(chosen, field, place)
        if value:
            variables[variable] = variables[variable.lower()] = value
    return dict(variables)


def with_variables(environment: Iterable[str] | None, variables: Mapping[str, str]) -> list[str]:
    """Return a container's ``Env`` and after it those of ``variables`` that it does not have.

    The case of names matters: with ``HTTP_PROXY=x``, ``http_proxy`` is still added. An entry
    ``NAME`` (which removes a variable) or ``NAME=`` counts as having it, too.
    """
    given = list(environment or ())
    names = {entry.partition("=")[0] for entry in given}
    return [*given, *(f"{name}={value}" for name, value in variables.items() if name not in names)]
