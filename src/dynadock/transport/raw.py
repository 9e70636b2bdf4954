"""A reply as requests has it: unread and undecoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

    from dynadock.call.request import Request
    from dynadock.transport.endpoint import Endpoint


def as_requests_response(
    response: BaseHTTPResponse, request: Request, endpoint: Endpoint
) -> requests.Response:
    """Wrap an open reply; its ``request`` tells what was sent but body and secrets."""
    prepared = requests.PreparedRequest()
    prepared.method = request.method
    prepared.url = f"{_base(endpoint)}{request.shown_target}"
    prepared.headers = requests.structures.CaseInsensitiveDict(request.shown_headers)
    return HTTPAdapter().build_response(prepared, response)


def _base(endpoint: Endpoint) -> str:
    if endpoint.scheme != "tcp":
        return "http://localhost"
    scheme = "http" if endpoint.tls is None else "https"
    return scheme + str(endpoint).removeprefix("tcp")
