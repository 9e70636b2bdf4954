"""A reply as requests has it: unread and undecoded."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from dynadock.transport.driver import Driver
    from dynadock.transport.endpoint import Endpoint
    from dynadock.wire.messages import Request


def as_requests_response(driver: Driver, request: Request, endpoint: Endpoint) -> requests.Response:
    """Wrap an open reply; its ``request`` is what was sent, without body and secrets."""
    prepared = requests.PreparedRequest()
    prepared.method = request.method
    prepared.url = f"{_base(endpoint)}{request.shown_target}"
    prepared.headers = requests.structures.CaseInsensitiveDict(request.shown_headers)
    response = _Response(
        body=ReplyFile(driver),
        headers=_understood(driver.headers),
        status=driver.status,
        reason=driver.reason,
        version=11,
        request_method=request.method,
        preload_content=False,
        decode_content=False,
    )
    response.headers.update(driver.headers)
    return HTTPAdapter().build_response(prepared, response)


def _understood(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers without a length that urllib3 would refuse.

    A reply without a body may have any (RFC 9112, section 6.3); ours is read by its own decoder.
    """
    is_plain = headers.get("Content-Length", "0").isdecimal()
    return {name: value for name, value in headers.items() if is_plain or name != "Content-Length"}


class _Response(HTTPResponse):
    def stream(
        self, amt: int | None = None, decode_content: bool | None = None
    ) -> Generator[bytes, None, None]:
        """Yield what comes as it comes; urllib3 does so only for chunks that it decodes itself."""
        while data := self.read1(amt, decode_content=decode_content):
            yield data


class ReplyFile(io.RawIOBase):
    """The body of a reply as a file, which holds the connection until it is read or closed."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._left = b""

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with some bytes as soon as there are any; 0 at the end."""
        view = memoryview(buffer).cast("B")
        data = self.read1(len(view))
        view[: len(data)] = data
        return len(data)

    def read1(self, size: int | None = -1) -> bytes:
        """Return some bytes as soon as there are any, at most ``size``; none at the end."""
        data = self._left or self._receive()
        most = len(data) if size is None or size < 0 else size
        self._left = data[most:]
        return data[:most]

    def _receive(self) -> bytes:
        try:
            data = self._driver.receive()
        except BaseException:
            self._driver.close()
            raise
        if not data:
            self._driver.release()
        return data

    def fileno(self) -> int:
        """Return the connection's descriptor, -1 once closed."""
        return self._driver.fileno()

    def close(self) -> None:
        """Close the connection, unless it was read to its end and serves another call."""
        if not self.closed:
            super().close()
            self._driver.release()


def _base(endpoint: Endpoint) -> str:
    if endpoint.scheme != "tcp":
        return "http://localhost"
    scheme = "http" if endpoint.tls is None else "https"
    return f"{scheme}://{endpoint.authority}"
