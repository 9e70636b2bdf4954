"""What only looks: some fifty calls, some of them refused, to hold replies against documents."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

from dynadock import APIError, TransportError, UnknownOperation
from dynadock.streams.stream import Stream

if TYPE_CHECKING:
    from dynadock import Client

NOBODY = "dynadock-nobody-has-this-name"

_ITEMS = 2
"""Of each stream so many items are read."""

LISTS = (
    *("SystemInfo", "SystemVersion", "SystemPing", "SystemPingHead", "SystemDataUsage"),
    *("ImageList", "NetworkList", "VolumeList", "PluginList", "SwarmInspect", "NodeList"),
    *("ServiceList", "TaskList", "SecretList", "ConfigList", "SwarmUnlockkey"),
)
"""Operations that are called without arguments."""

OF_NOBODY = (
    *("ContainerInspect", "ContainerTop", "ContainerChanges", "ImageInspect", "ImageHistory"),
    *("NetworkInspect", "VolumeInspect", "ExecInspect", "PluginInspect", "NodeInspect"),
    *("ServiceInspect", "TaskInspect", "SecretInspect", "ConfigInspect"),
)
"""Operations that are called with a name that nothing has."""


def calls(things: Any) -> list[tuple[str, tuple[str, ...], dict[str, Any]]]:
    """Return all calls; ``things`` has the names of what is there."""
    container = (things["container"],)
    image = (things["image"],)
    return [
        *((name, (), {}) for name in LISTS),
        ("SystemEvents", (), {"since": "1", "until": "2"}),
        ("ContainerList", (), {"all": True}),
        ("ContainerList", (), {"all": True, "size": True}),
        *((name, container, {}) for name in ("ContainerInspect", "ContainerTop", "ContainerStats")),
        ("ContainerInspect", container, {"size": True}),
        ("ContainerLogs", container, {"stdout": True}),
        ("ContainerChanges", container, {}),
        ("ContainerStats", container, {"stream": False}),
        ("ContainerArchiveInfo", container, {"path": "/etc"}),
        ("ContainerArchive", container, {"path": "/etc/passwd"}),
        ("ImageList", (), {"all": True}),
        *((name, image, {}) for name in ("ImageInspect", "ImageHistory", "ImageGet")),
        ("NetworkInspect", (things["network"],), {}),
        ("VolumeInspect", (things["volume"],), {}),
        ("ExecInspect", (things["exec"],), {}),
        *((name, (NOBODY,), {}) for name in OF_NOBODY),
        ("ContainerLogs", (NOBODY,), {"stdout": True}),
    ]


def read_everything(client: Client, things: Any) -> int:
    """Make all calls that the client's version has; return how many."""
    made = 0
    for name, args, options in calls(things):
        # The engine may refuse, and Podman 4.3 has no reply at all to some.
        with suppress(APIError, TransportError, UnknownOperation):
            operation = getattr(client, name)
            made += 1
            came = operation(*args, **options)
            if isinstance(came, Stream):
                with came:
                    [*islice(came, _ITEMS)]
    return made
