"""One HTTP request, complete and unsent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from dynadock.options import MASK, is_secret_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_USER_OF_ADDRESS = re.compile("(%3A%2F%2F)(?:(?!%2F|%22)[^&])*(%40)")
"""What stands between ``://`` and ``@``, as it is written in a query."""

Data = bytes | bytearray | memoryview
"""The types that hold bytes."""


class Request(NamedTuple):
    """One HTTP request, complete and unsent.

    ``target`` is path and query as they are sent; ``body`` bytes, an iterator of bytes (sent in
    chunks, or with its length if it is `dynadock.call.uploads.Measured`), or None. ``secrets``
    names query parameters and headers whose values are masked when the request is shown, beside
    those that are secret by their names (`dynadock.options.is_secret_name`).
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | Iterator[bytes] | None = None
    secrets: frozenset[str] = frozenset()

    @property
    def shown_target(self) -> str:
        """The target with its secrets masked."""
        path, mark, query = self.target.partition("?")
        return path + mark + "&".join(map(self._shown_pair, query.split("&")))

    def _shown_pair(self, pair: str) -> str:
        name, mark, _ = pair.partition("=")
        if mark and unquote(name) in self.secrets:
            return name + mark + MASK
        # Build arguments may be addresses of proxies, and these may hold a password.
        return _USER_OF_ADDRESS.sub(rf"\1{MASK}\2", pair)

    @property
    def shown_headers(self) -> dict[str, str]:
        """The headers with their secrets masked."""
        secrets = {name.lower() for name in self.secrets}
        return {
            name: MASK if is_secret_name(name) or name.lower() in secrets else value
            for name, value in self.headers.items()
        }

    def __repr__(self) -> str:
        # A body may be a secret (SecretCreate, SystemAuth), so only its size is shown.
        body = f"{len(self.body)} bytes" if isinstance(self.body, bytes) else self.body
        head = f"{self.method} {self.shown_target}"
        return f"Request({head}, headers={self.shown_headers}, body={body})"
