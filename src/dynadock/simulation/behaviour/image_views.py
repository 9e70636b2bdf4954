"""Images as replies show them: one whole, a line of a list, the steps of a history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.simulation.behaviour.documented import documented
from dynadock.simulation.behaviour.facts import facts
from dynadock.simulation.clock import SECOND, rfc3339
from dynadock.simulation.state.configs import usual_of_images
from dynadock.simulation.state.images import SHA256
from dynadock.spec.versions import Version

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable

    from dynadock.call.reference import ImageReference
    from dynadock.simulation.state.images import Image
    from dynadock.simulation.state.state import State
    from dynadock.spec.model import Operation

ARCHITECTURE = "amd64"
SYSTEM = "linux"

_NOBODY_ASKED = -1
_ONLY_IN_SOME = ("VirtualSize", "Container", "ContainerConfig", "Parent", "DockerVersion")
_NAMELESS_SINCE = Version(1, 43)
"""Before it, images without a name are shown under one, and lists of names may be null (26.1)."""

_STORE = "/var/lib/docker/overlay2"


def inspected(state: State, image: Image, operation: Operation) -> dict[str, Any]:
    """Return everything about an image, as ImageInspect has it in this version."""
    images = state.images
    shown = {
        "Id": image.id,
        "RepoTags": images.tags(image),
        "RepoDigests": images.digests(image),
        "Parent": image.parent,
        "Comment": image.comment,
        "Created": rfc3339(image.created),
        "ContainerConfig": image.container_config or usual_of_images(),
        "DockerVersion": _release(operation) if image.container else "",
        "Author": image.author,
        "Config": image.config,
        "Architecture": ARCHITECTURE,
        "Os": SYSTEM,
        "Size": image.size,
        "VirtualSize": image.size,
        "GraphDriver": {"Name": "overlay2", "Data": _places_of(image)},
        "RootFS": {"Type": "layers", "Layers": [layer.diff_id for layer in image.layers]},
        "Metadata": {"LastTagTime": rfc3339(images.tagged_at(image))},
    }
    if image.container:
        shown["Container"] = image.container
    return documented(operation, shown, _ONLY_IN_SOME)


def _release(operation: Operation) -> str:
    """Return what an engine calls itself in images that it has made."""
    release: str = facts("Info", operation.version)["ServerVersion"]
    return release


def _places_of(image: Image) -> dict[str, str]:
    return places_of_layers(reversed(_layers_of(image)))


def places_of_container(container_id: str, image: Image | None) -> dict[str, str]:
    """Return where a container's own layer lies, and those of its image below it."""
    below = _layers_of(image) if image else []
    return places_of_layers([container_id, f"{container_id}-init", *reversed(below)])


def _layers_of(image: Image) -> list[str]:
    return [layer.chain_id.removeprefix(SHA256) for layer in image.layers]


def places_of_layers(names: Iterable[str]) -> dict[str, str]:
    """Return where layers lie on the engine's disk, the topmost first, as overlay2 has them."""
    top, *below = (f"{_STORE}/{name}" for name in names)
    shown = {name: f"{top}/{name.removesuffix('Dir').lower()}" for name in ("MergedDir", "WorkDir")}
    shown["UpperDir"] = f"{top}/diff"
    if below:
        shown["LowerDir"] = ":".join(f"{place}/diff" for place in below)
    return shown


def listed(
    image: Image,
    names: list[ImageReference],
    operation: Operation,
    uses_of_layers: Counter[str] | None = None,
) -> dict[str, Any]:
    """Return an image as a line of ImageList, with these of its names.

    ``uses_of_layers`` is counted only for who asks for shared sizes.
    """
    tags: list[str] | None = [str(name) for name in names if name.tag]
    digests: list[str] | None = [str(name) for name in names if name.digest]
    if operation.version < _NAMELESS_SINCE:
        tags = tags or (None if names else ["<none>:<none>"])
        digests = digests or (None if names else ["<none>@<none>"])
    shown = {
        "Id": image.id,
        "ParentId": image.parent,
        "RepoTags": tags,
        "RepoDigests": digests,
        "Created": image.created // SECOND,
        "Size": image.size,
        "SharedSize": _NOBODY_ASKED,
        "VirtualSize": image.size,
        "Labels": image.config.get("Labels"),
        "Containers": _NOBODY_ASKED,
    }
    if uses_of_layers is not None:
        shared = (layer.size for layer in image.layers if uses_of_layers[layer.chain_id] > 1)
        shown["SharedSize"] = sum(shared)
    return documented(operation, shown, _ONLY_IN_SOME)


def history(state: State, image: Image) -> list[dict[str, Any]]:
    """Return the steps that made an image, the newest first; ids and tags where they are known."""
    layers = list(image.layers)
    shown: list[dict[str, Any]] = []
    for step in reversed(image.history):
        size = layers.pop().size if step.adds_layer and layers else 0
        shown.append(
            {
                "Id": "<missing>",
                "Created": step.created // SECOND,
                "CreatedBy": step.created_by,
                "Tags": None,
                "Size": size,
                "Comment": step.comment,
            }
        )
    for line, each in zip(shown, (image, *state.images.parents(image)), strict=False):
        line["Id"] = each.id
        line["Tags"] = state.images.tags(each) or None
    return shown
