"""What takes room on the engine's disk, which is memory."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.simulation.behaviour.container_views import listed
from dynadock.simulation.behaviour.facts import facts
from dynadock.simulation.behaviour.image_views import listed as image_line
from dynadock.simulation.behaviour.table import behaviour
from dynadock.simulation.behaviour.volume_views import volume_usage
from dynadock.simulation.refusal import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dynadock.simulation.asked import Asked
    from dynadock.simulation.state.state import State


class _Kind(NamedTuple):
    """A kind of things: what their lists are called, before and now, and how they are listed."""

    list_name: str
    summary_name: str
    rows: Callable[[State, Asked], list[dict[str, Any]]]
    is_active: Callable[[Mapping[str, Any]], bool]
    size: Callable[[Mapping[str, Any]], int]


@behaviour
def SystemDataUsage(state: State, asked: Asked) -> Any:
    """Sizes of images, containers and volumes, or of the types asked for; no build cache."""
    wanted = asked.get("type") or list(_KINDS)
    for name in wanted:
        if name not in _KINDS:
            raise bad_request(f"unknown object type: {name}")
    forms = facts("DataUsage", asked.operation.version)
    shown: dict[str, Any] = {}
    if forms["has_lists"]:
        shown["LayersSize"] = _size_of_layers(state) if "image" in wanted else 0
    for name, kind in _KINDS.items():
        rows = kind.rows(state, asked) if name in wanted else None
        if forms["has_lists"]:
            shown[kind.list_name] = rows
        if forms["has_summaries"] and rows is not None:
            shown[kind.summary_name] = _summary(state, kind, rows, with_items=asked.get("verbose"))
    return shown


def _summary(
    state: State, kind: _Kind, rows: list[dict[str, Any]], *, with_items: bool
) -> dict[str, Any]:
    active = [row for row in rows if kind.is_active(row)]
    total = sum(map(kind.size, rows))
    if kind is _KINDS["image"]:
        total = _size_of_layers(state)
    used = sum(map(kind.size, active))
    summary = {
        "ActiveCount": len(active),
        "TotalCount": len(rows),
        "Reclaimable": max(total - used, 0),
        "TotalSize": total,
    }
    return {**summary, "Items": rows} if with_items else summary


def _size_of_layers(state: State) -> int:
    layers = {layer.chain_id: layer.size for image in state.images for layer in image.layers}
    return sum(layers.values())


def _images(state: State, asked: Asked) -> list[dict[str, Any]]:
    known = facts("DataUsage", asked.operation.version)
    listing = asked.operation.spec[known["images_as_in"]]
    heads = {image.id for image in state.images.heads()}
    uses = state.images.uses_of_layers
    containers = Counter(each.image.id for each in state.containers if each.image is not None)
    rows = []
    for image in sorted(state.images, key=lambda image: image.created, reverse=True):
        names = state.images.names(image)
        if names or image.id in heads:
            row = image_line(image, names, listing, uses)
            rows.append({**row, "Containers": containers[image.id]})
    return rows


def _containers(state: State, asked: Asked) -> list[dict[str, Any]]:
    del asked
    newest_first = reversed([*state.containers])
    return [listed(state, each, with_size=True) for each in newest_first]


def _volumes(state: State, asked: Asked) -> list[dict[str, Any]]:
    del asked
    return [volume_usage(each) for each in state.volumes]


def _build_cache(state: State, asked: Asked) -> list[dict[str, Any]]:
    del state, asked
    return []


_RUNNING = frozenset({"paused", "restarting", "running"})

_KINDS: Mapping[str, _Kind] = {
    "image": _Kind(
        "Images",
        "ImageUsage",
        _images,
        lambda row: row["Containers"] > 0,
        lambda row: row["Size"] - row["SharedSize"],
    ),
    "container": _Kind(
        "Containers",
        "ContainerUsage",
        _containers,
        lambda row: row["State"] in _RUNNING,
        lambda row: row.get("SizeRw", 0),
    ),
    "volume": _Kind(
        "Volumes",
        "VolumeUsage",
        _volumes,
        lambda row: row["UsageData"]["RefCount"] > 0,
        lambda row: row["UsageData"]["Size"],
    ),
    "build-cache": _Kind(
        "BuildCache",
        "BuildCacheUsage",
        _build_cache,
        lambda row: row["InUse"],
        lambda row: row["Size"],
    ),
}
"""By what ``type`` calls them."""
