"""Keys of registries in the docker command's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.secret import plain_string

if TYPE_CHECKING:
    from collections.abc import Iterable

HUB = "docker.io"
HUB_INDEX = "index.docker.io"
HUB_KEY = f"https://{HUB_INDEX}/v1/"
"""The Docker Hub's name in image references, its other name, and the key of its credentials."""

_VERSIONS = ("", "v1", "v2")


def auth_key(registry: str) -> str:
    """Return the key of the credentials for ``registry``: its host and port, or `HUB_KEY`.

    ``registry`` may be an address with scheme and path as well, as ``docker login`` takes them.
    """
    host, _ = _host_and_path(registry)
    return HUB_KEY if host in (HUB, HUB_INDEX) else host


def matching_keys(registry: str, keys: Iterable[str]) -> list[str]:
    """Return those of ``keys`` that stand for ``registry``, the best first.

    The docker command looks for the exact key, then for an address of the same host: old releases
    wrote ``https://r.example/v1/``. Unlike with the docker command, the Hub is also found under
    other keys than `HUB_KEY`, such as the one that ``docker login index.docker.io`` writes, but not
    under one whose path means something else (``https://index.docker.io/v1/access-token``).
    """
    wanted = auth_key(registry)
    found = [key for key in keys if auth_key(key) == wanted and (wanted != HUB_KEY or _is_hub(key))]
    return sorted(found, key=lambda key: key != wanted)


def _is_hub(key: str) -> bool:
    _, path = _host_and_path(key)
    return path.strip("/") in _VERSIONS


def _host_and_path(address: str) -> tuple[str, str]:
    address = plain_string(address)
    _, scheme, rest = address.partition("://")
    host, _, path = (rest if scheme else address).partition("/")
    # Only an address with a scheme may have a user before an "@".
    return host.rpartition("@")[2] if scheme else host, path
