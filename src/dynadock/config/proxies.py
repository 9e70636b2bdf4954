"""The ``proxies`` section of ``config.json``: what containers and builds are told of proxies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.config.folder import object_of, read_config, text_of

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

    Each in both cases, ``HTTP_PROXY`` and ``http_proxy``. They are those of the part called
    ``host``, written just so (``tcp://box:2375``), else of the part ``default``. ConfigError if the
    file makes no sense. For a build's arguments, those of the caller win name by name:
    ``{**proxy_variables(host), **buildargs}``.
    """
    config = read_config(folder)
    place = f"{config.path}: 'proxies'"
    parts = config.section("proxies")
    # A part of the host's own counts even if it is empty: then it has no proxies. The parts' names
    # are no fixed ones, and so count in their own letters only.
    name = host if host in parts else "default"
    chosen = object_of({name: parts.get(name)}, name, place)
    variables = {}
    for field, variable in _VARIABLES.items():
        value = text_of(chosen, field, place)
        if value:
            variables[variable] = variables[variable.lower()] = value
    return variables


def with_variables(environment: Iterable[str] | None, variables: Mapping[str, str]) -> list[str]:
    """Return a container's ``Env`` with ``variables`` behind, save for those it has already.

    A name counts as it is written: ``HTTP_PROXY=x`` leaves ``http_proxy`` to be added. ``NAME``
    alone, by which a variable is taken away, and ``NAME=`` count too.
    """
    given = list(environment or ())
    names = {entry.partition("=")[0] for entry in given}
    return [*given, *(f"{name}={value}" for name, value in variables.items() if name not in names)]
