"""Removing what a run has made in an engine, whatever became of the tests that made it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import requests

from dynadock import APIError
from engine.things import LABEL, MINE, PREFIX

if TYPE_CHECKING:
    from dynadock import Client

MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)


def tidy(client: Client) -> None:
    """Remove every container, network, volume, image and plugin of this run."""
    _remove_containers(client)
    for network in client.NetworkList(filters=MINE):
        client.NetworkDelete(network.Id)
    for volume in client.VolumeList(filters=MINE).Volumes or ():
        client.VolumeDelete(volume.Name, force=True)
    _remove_images(client)
    _remove_plugins(client)


def _remove_containers(client: Client) -> None:
    for container in client.ContainerList(all=True):
        if any(name.lstrip("/").startswith(PREFIX) for name in container.Names or ()):
            # A service's containers go away by themselves, perhaps just now.
            with suppress(APIError):
                client.ContainerDelete(container.Id, force=True, v=True)


def _remove_images(client: Client) -> None:
    for image in client.ImageList():
        tags = [tag for tag in image.RepoTags or () if f"/{PREFIX}" in f"/{tag}"]
        for tag in tags:
            client.ImageDelete(tag, force=True)
        untagged = not image.RepoTags or image.RepoTags == ["<none>:<none>"]
        if untagged and (image.Labels or {}).get(LABEL) == PREFIX:
            client.ImageDelete(image.Id, force=True)


def _remove_plugins(client: Client) -> None:
    # Podman has no plugins, and says so with 404.
    with suppress(APIError):
        for plugin in client.PluginList():
            if f"/{PREFIX}" in f"/{plugin.Name}":
                client.PluginDelete(plugin.Name, force=True)


def tidy_registry(address: str, account: tuple[str, str] | None = None) -> None:
    """Remove what this run has pushed; the name of its repository stays, empty."""
    repository = f"http://{address}/v2/{PREFIX}"
    with requests.Session() as session:
        session.auth = account
        _remove_tags(session, repository)


def _remove_tags(session: requests.Session, repository: str) -> None:
    for tag in session.get(f"{repository}/tags/list", timeout=30).json().get("tags") or ():
        known = session.head(
            f"{repository}/manifests/{tag}", headers={"Accept": ", ".join(MANIFESTS)}, timeout=30
        )
        digest = known.headers.get("Docker-Content-Digest")
        if known.ok and digest:
            session.delete(f"{repository}/manifests/{digest}", timeout=30)
