"""The ``HttpHeaders`` of ``config.json``: what is sent to every engine with every request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.config.folder import text_of

if TYPE_CHECKING:
    from dynadock.config.folder import Configuration

SECTION = "HttpHeaders"


def http_headers(config: Configuration) -> dict[str, str]:
    """Return the headers that the configuration adds to requests; what they may be is not checked.

    ConfigError if one is not text.
    """
    place = f"{config.path}: {SECTION!r}"
    headers = config.section(SECTION)
    return {name: text_of(headers, name, place) for name in headers}
