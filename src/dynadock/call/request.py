"""One HTTP request, complete and unsent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dynadock.options import SECRET_HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_USER_OF_ADDRESS = re.compile("(%3A%2F%2F)(?:(?!%2F|%22)[^&])*(%40)")
"""What stands between ``://`` and ``@``, as it is written in a query."""

Data = bytes | bytearray | memoryview
"""Bytes, however they are held."""


class Request(NamedTuple):
    """One HTTP request, complete and unsent.

    ``target`` is path and query as they are sent; ``body`` bytes, an iterator of bytes (sent in
    chunks), or None.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | Iterator[bytes] | None = None

    def __repr__(self) -> str:
        headers = {
            name: "…" if name.lower() in SECRET_HEADERS else value
            for name, value in self.headers.items()
        }
        # A body may be a secret (SecretCreate, SystemAuth), so its size has to do.
        body = f"{len(self.body)} bytes" if isinstance(self.body, bytes) else self.body
        target = shown_target(self.target)
        return f"Request({self.method} {target}, headers={headers}, body={body})"


def shown_target(target: str) -> str:
    """Return a target as it may be shown: without the passwords of addresses in its query.

    Build arguments tell of proxies, which may have one.
    """
    return _USER_OF_ADDRESS.sub(r"\1…\2", target)
