"""One HTTP request, complete and unsent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dynadock.options import MASK, is_secret_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_USER_OF_ADDRESS = re.compile("(%3A%2F%2F)(?:(?!%2F|%22)[^&])*(%40)")
"""What stands between ``://`` and ``@``, as it is written in a query."""

Data = bytes | bytearray | memoryview
"""Bytes, however they are held."""


class Request(NamedTuple):
    """One HTTP request, complete and unsent.

    ``target`` is path and query as they are sent; ``body`` bytes, an iterator of bytes (sent in
    chunks, or with its length if it is `dynadock.call.uploads.Measured`), or None. ``secrets``
    names query parameters and headers whose values are not shown, beside those that tell by their
    names.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | Iterator[bytes] | None = None
    secrets: frozenset[str] = frozenset()

    @property
    def shown_target(self) -> str:
        """The target as anybody may see it."""
        path, mark, query = self.target.partition("?")
        return path + mark + "&".join(map(self._shown_pair, query.split("&")))

    def _shown_pair(self, pair: str) -> str:
        # Imported here for start-up time: few requests are shown.
        from urllib.parse import unquote  # noqa: PLC0415

        name, mark, _ = pair.partition("=")
        if mark and unquote(name) in self.secrets:
            return name + mark + MASK
        # Build arguments tell of proxies, whose addresses may have a password.
        return _USER_OF_ADDRESS.sub(rf"\1{MASK}\2", pair)

    @property
    def shown_headers(self) -> dict[str, str]:
        """The headers as anybody may see them."""
        secrets = {name.lower() for name in self.secrets}
        return {
            name: MASK if is_secret_name(name) or name.lower() in secrets else value
            for name, value in self.headers.items()
        }

    def __repr__(self) -> str:
        # A body may be a secret (SecretCreate, SystemAuth), so its size has to do.
        body = f"{len(self.body)} bytes" if isinstance(self.body, bytes) else self.body
        head = f"{self.method} {self.shown_target}"
        return f"Request({head}, headers={self.shown_headers}, body={body})"
