"""From an endpoint to a link: the one place that knows every kind of address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynadock.transport.links.sockets import SocketLink, dial_tcp, dial_unix

if TYPE_CHECKING:
    import socket

    from dynadock.transport.endpoint import Endpoint
    from dynadock.transport.links.link import Link


def connect(endpoint: Endpoint, timeout: float | None) -> Link:
    """Return a connection to an endpoint, made within ``timeout`` seconds; OSError if it fails."""
    if endpoint.scheme == "npipe":
        from dynadock.transport.links.npipe import PipeLink, dial_pipe

        return PipeLink(dial_pipe(endpoint, timeout))
    if endpoint.scheme == "embedded":
        from dynadock.simulation.registry import engine_at
        from dynadock.transport.links.inside import InsideLink

        return InsideLink(engine_at(endpoint.path))
    if endpoint.tls is None:
        return SocketLink(_dial(endpoint, timeout))
    from dynadock.transport.links.tls import TlsLink, client_context

    context = client_context(endpoint.tls)
    connection = _dial(endpoint, timeout)
    try:
        # Certificates are made out to addresses without a zone.
        link = TlsLink(connection, context, endpoint.host.partition("%")[0])
        link.shake_hands()
    except BaseException:
        connection.close()
        raise
    return link


def _dial(endpoint: Endpoint, timeout: float | None) -> socket.socket:
    if endpoint.scheme == "unix":
        return dial_unix(endpoint.path, timeout)
    if endpoint.scheme == "ssh":
        from dynadock.transport.links.ssh import dial_ssh

        return dial_ssh(endpoint, timeout)
    if endpoint.proxy is not None:
        from dynadock.transport.links.tunnel import dial_through

        return dial_through(endpoint.proxy, endpoint, timeout)
    return dial_tcp(endpoint.host, endpoint.port, timeout)
