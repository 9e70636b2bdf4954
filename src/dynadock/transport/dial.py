"""Sockets connected to an endpoint, for whoever speaks over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.transport.sockets import dial_tcp, dial_unix

if TYPE_CHECKING:
    import socket

    from dynadock.transport.endpoint import Endpoint


def dial(endpoint: Endpoint, timeout: float | None) -> socket.socket:
    """Connect within ``timeout`` seconds; OSError (TimeoutError among them) where that fails."""
    if endpoint.scheme == "unix":
        return dial_unix(endpoint.path, timeout)
    if endpoint.scheme == "ssh":
        # Imported here for start-up time: few engines are reached by ssh.
        from dynadock.transport.ssh import dial_ssh  # noqa: PLC0415

        return dial_ssh(endpoint, timeout)
    if endpoint.scheme == "npipe":
        # Imported here for start-up time: pipes are Windows' own.
        from dynadock.transport.npipe import dial_pipe  # noqa: PLC0415

        return dial_pipe(endpoint, timeout)
    if endpoint.proxy is not None:
        # Imported here for start-up time: few engines are behind a proxy.
        from dynadock.transport.tunnel import dial_through  # noqa: PLC0415

        return dial_through(endpoint.proxy, endpoint, timeout)
    return dial_tcp(endpoint.host, endpoint.port, timeout)
