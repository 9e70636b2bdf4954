"""Keeps a service in a container: replaces it, saves what it knows, looks after its health."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dynadock import NotFound, ServerError, execute

if TYPE_CHECKING:
    from dynadock import Client


class SaveError(Exception):
    """A service did not give what it knows."""


def replace(client: Client, name: str, image: str, *, tries: int = 3) -> None:
    """Run a service with another image; the old container stays until that is there."""
    pull(client, image, tries)
    with suppress(NotFound):
        client.ContainerDelete(name, force=True)
    client.ContainerCreate(name=name, Image=image)
    client.ContainerStart(name)


def pull(client: Client, image: str, tries: int) -> None:
    """Pull an image, more than once if the registry fails."""
    name, _, tag = image.partition(":")
    for left in reversed(range(tries)):
        try:
            client.ImageCreate(fromImage=name, tag=tag or "latest").wait()
        except ServerError:
            if not left:
                raise
        else:
            return


def save(client: Client, name: str) -> bytes:
    """Return what a service's command ``dump`` writes."""
    dumped = execute(client, name, ["dump"])
    if dumped.exit_code:
        raise SaveError(f"{name}: {dumped.stderr.decode().strip()}")
    return dumped.stdout


def ailing(client: Client) -> list[str]:
    """Return the names of the containers that are not healthy."""
    found = client.ContainerList(filters={"health": "unhealthy"})
    return sorted(each.Names[0].lstrip("/") for each in found)


def sweep(client: Client, *, days: int) -> list[str]:
    """Delete the containers that ended more than so many days ago, and return their names."""
    now = datetime.fromisoformat(client.SystemInfo().SystemTime)
    swept = []
    for each in client.ContainerList(all=True, filters={"status": "exited"}):
        ended = datetime.fromisoformat(client.ContainerInspect(each.Id).State.FinishedAt)
        if now - ended > timedelta(days=days):
            client.ContainerDelete(each.Id)
            swept.append(each.Names[0].lstrip("/"))
    return sorted(swept)
