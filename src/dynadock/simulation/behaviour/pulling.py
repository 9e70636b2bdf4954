"""Pulls: images that a registry has come into the engine, layer by layer, as far as they lack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.config.registries import HUB
from dynadock.simulation.refusal import not_found
from dynadock.simulation.state.images import SHA256, SHORT
from dynadock.simulation.state.references import read_name, with_tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.call.reference import ImageReference
    from dynadock.simulation.state.images import Image, ImageLayer, Images
    from dynadock.simulation.state.state import State

    Values = list[dict[str, Any]]

_BAR = 50


def pull(state: State, text: str, tag: str) -> Values:
    """Pull what a name means, all tags of it where there is neither tag nor digest.

    The images are there at once; return what is said on the way. Refused, 404, if no registry has
    such an image.
    """
    images = state.images
    name = read_name(text.removesuffix(":"))
    name = with_tag(name, tag) if tag else name
    wanted = [name] if name.tag or name.digest else _all_tags(images, name)
    found = [(each, *_offered(images, each)) for each in wanted]
    values: Values = []
    is_newer = False
    for each, digest, image in found:
        is_there = images.called(each) is image
        values.append({"status": f"Pulling from {name.path}", "id": _id_of(each)})
        if not is_there:
            values += _layers(images, image)
            images.add(image)
        for given in (each, digest):
            if images.called(given) is not image:
                images.give_name(image, given)
        values.append({"status": f"Digest: {digest.digest}"})
        is_newer = is_newer or not is_there
    said = "Downloaded newer image" if is_newer else "Image is up to date"
    values.append({"status": f"Status: {said} for {name}"})
    images.tell("pull", str(name), str(name._replace(tag="", digest="")), found[0][-1])
    return values


def _offered(images: Images, name: ImageReference) -> tuple[ImageReference, Image]:
    found = images.offered(name)
    if found is None:
        raise _no_such(images, name)
    return found


def _id_of(name: ImageReference) -> str:
    return str(name) if name.digest else name.tag


def _all_tags(images: Images, name: ImageReference) -> list[ImageReference]:
    tags = images.offered_tags(name.repository)
    if not tags:
        raise _no_such(images, name)
    return [name._replace(tag=tag) for tag in tags]


def _no_such(images: Images, name: ImageReference) -> Exception:
    """Return the refusal in the words of the registry: the Hub tells nobody what there is not."""
    repository = name._replace(tag="", digest="")
    is_known = bool(images.offered_tags(name.repository))
    if name.registry == HUB and not is_known:
        return not_found(
            f"pull access denied for {repository}, repository does not exist or may require"
            " 'docker login': denied: requested access to the resource is denied"
        )
    if name.tag or name.digest:
        return not_found(f"manifest for {name} not found: manifest unknown: manifest unknown")
    return not_found(
        f"repository {name} not found: name unknown: repository name not known to registry"
    )


def _layers(images: Images, image: Image) -> Iterator[dict[str, Any]]:
    """Yield what is said of an image's layers: which are there already, and how the others come."""
    there = images.uses_of_layers
    missing = [layer for layer in image.layers if not there[layer.chain_id]]
    for layer in image.layers:
        yield _said(layer, "Already exists" if there[layer.chain_id] else "Pulling fs layer")
    for layer in missing:
        yield _said(layer, "Downloading", layer.size)
        yield _said(layer, "Verifying Checksum")
        yield _said(layer, "Download complete")
    for layer in missing:
        yield _said(layer, "Extracting", layer.size)
        yield _said(layer, "Pull complete")


def _said(layer: ImageLayer, status: str, size: int | None = None) -> dict[str, Any]:
    value: dict[str, Any] = {"status": status, "progressDetail": {}}
    if size is not None:
        value["progressDetail"] = {"current": size, "total": size}
        value["progress"] = f"[{'=' * _BAR}>] {_in_units(size):>8}/{_in_units(size)}"
    value["id"] = layer.diff_id.removeprefix(SHA256)[:SHORT]
    return value


def _in_units(size: int) -> str:
    number, unit = float(size), "B"
    for larger in ("kB", "MB", "GB"):
        if number < 1000:  # noqa: PLR2004
            break
        number, unit = number / 1000, larger
    return f"{number:.4g}{unit}"
