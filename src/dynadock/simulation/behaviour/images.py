"""Images: listed, looked at, tagged, pulled, committed and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.simulation.behaviour import image_filters as filters_of
from dynadock.simulation.behaviour.filters import check_names, flag
from dynadock.simulation.behaviour.image_changes import changed
from dynadock.simulation.behaviour.image_removal import Removal
from dynadock.simulation.behaviour.image_views import history, inspected, listed
from dynadock.simulation.behaviour.pulling import pull
from dynadock.simulation.behaviour.table import behaviour
from dynadock.simulation.files.files import Files
from dynadock.simulation.files.tar import ArchiveRefused, unpack
from dynadock.simulation.refusal import Refused, bad_request, server_error
from dynadock.simulation.replies import Streaming, Values
from dynadock.simulation.state.configs import merged_config, usual_of_images
from dynadock.simulation.state.images import SHA256, Image, Step
from dynadock.simulation.state.references import new_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dynadock.call.reference import ImageReference
    from dynadock.simulation.asked import Asked
    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.state import State


@behaviour
def ImageList(state: State, asked: Asked) -> Any:
    """By every filter of the documents, the newest first; without manifests of platforms."""
    filters = filters_of.with_old_filter(asked.filters, asked.get("filter"))
    check_names(filters, filters_of.OF_LISTS)
    is_dangling = bool(flag(filters, "dangling"))
    period = filters_of.period_of(state, filters)
    fits = filters_of.chooser_of_names(filters)
    uses = state.images.uses_of_layers if asked.get("shared-size") else None
    lines = []
    for image in sorted(state.images, key=lambda image: image.created, reverse=True):
        if not period.has(image) or not filters_of.has_wanted_labels(image, filters):
            continue
        names = [name for name in state.images.names(image) if fits(name)]
        is_head = not state.images.has_children(image)
        if is_dangling:
            is_shown = is_head and not any(name.tag for name in names)
        else:
            takes_nameless = "dangling" not in filters and (is_head or asked.get("all"))
            is_shown = bool(names) or takes_nameless
        if is_shown and (names or "reference" not in filters):
            lines.append(listed(image, names, asked.operation, uses))
    return lines


@behaviour
def ImageInspect(state: State, asked: Asked) -> Any:
    """Everything that documents know of images of one platform; no manifests, no descriptor."""
    return inspected(state, state.images.find(asked.get("name")), asked.operation)


@behaviour
def ImageHistory(state: State, asked: Asked) -> Any:
    """Its steps, with the ids of those that were images here."""
    return history(state, state.images.find(asked.get("name")))


@behaviour
def ImageTag(state: State, asked: Asked) -> Any:
    """One more name, which is taken away from the image that had it."""
    repository = asked.get("repo") or ""
    if not repository:
        # Docker 26.1 does nothing and says 200, which no document has.
        raise bad_request("invalid reference format")
    name = new_name(repository, asked.get("tag") or "")
    image = state.images.find(asked.get("name"))
    _give(state, image, name)


def _give(state: State, image: Image, name: ImageReference) -> None:
    state.images.give_name(image, name)
    state.images.tell("tag", image.id, str(name), image)


@behaviour
def ImageDelete(state: State, asked: Asked) -> Any:
    """Names, images and what they were made from, with the conflicts that engines have."""
    removal = Removal(state)
    removal.remove(
        asked.get("name"), force=bool(asked.get("force")), prune=not asked.get("noprune")
    )
    return removal.records


@behaviour
def ImagePrune(state: State, asked: Asked) -> Any:
    """Those without a tag, or all that no container uses, by the filters until and label."""
    filters = asked.filters
    check_names(filters, filters_of.OF_PRUNES)
    is_dangling = flag(filters, "dangling") is not False
    until = filters.get("until", [])
    if len(until) > 1:
        raise server_error("more than one until filter specified")
    latest = filters_of.moment_asked(state, until[0]) if until else None
    removal = Removal(state)
    for image in state.images.heads() if is_dangling else state.images:
        if latest is not None and image.created > latest:
            continue
        if filters_of.has_wanted_labels(image, filters):
            _prune(state, removal, image, is_dangling=is_dangling)
    state.events.add("image", "prune", "", {"reclaimed": removal.freed})
    return {"ImagesDeleted": removal.records or None, "SpaceReclaimed": removal.freed}


def _prune(state: State, removal: Removal, image: Image, *, is_dangling: bool) -> None:
    names = state.images.names(image)
    if is_dangling and any(name.tag for name in names):
        return
    if image.id not in state.images.by_id or (not names and state.images.has_children(image)):
        return
    for text in [str(name) for name in names] or [image.id.removeprefix(SHA256)]:
        try:
            removal.remove(text)
        except Refused:
            continue


@behaviour
def BuildPrune(state: State, asked: Asked) -> Any:
    """Nothing, since nothing is built here."""
    del state, asked
    return {"CachesDeleted": None, "SpaceReclaimed": 0}


@behaviour
def ImageCreate(state: State, asked: Asked) -> Any:
    """A pull of what was seeded, or the import of a tar archive; nothing is fetched from URLs."""
    wanted = asked.get("fromImage")
    if wanted:
        return Streaming(Values(iter(pull(state, wanted, asked.get("tag") or ""))))
    source = asked.get("fromSrc") or ""
    if source != "-":
        raise server_error(f'Get "{source or "http:"}": http: no Host in request URL')
    image = _imported(state, asked)
    return Streaming(Values(iter([{"status": image.id}])))


def _imported(state: State, asked: Asked) -> Image:
    repository = asked.get("repo") or ""
    name = new_name(repository, asked.get("tag") or "") if repository else None
    config = changed(usual_of_images(), asked.get("changes") or ())
    comment = asked.get("message") or "Imported from -"
    now = state.clock.now()
    files = Files(now=state.clock.now)
    try:
        unpack(files, "/", _blocks(asked.body))
    except ArchiveRefused as refused:
        raise server_error(str(refused)) from None
    layer = state.images.new_layer(files.freeze())
    step = Step(now, comment=comment, adds_layer=True)
    image = Image(state.images.new_id(), config, (layer,), now, (step,), comment=comment)
    state.images.add(image)
    if name is not None:
        _give(state, image, name)
    state.images.tell("import", image.id, image.id, image)
    return image


def _blocks(body: Any) -> Iterable[bytes]:
    return [body] if isinstance(body, bytes) else body or ()


@behaviour
def ImageCommit(state: State, asked: Asked) -> Any:
    """A container's files as a new layer, its configuration as changed by body and instructions."""
    repository = asked.get("repo") or ""
    name = new_name(repository, asked.get("tag") or "") if repository else None
    container = _committed(state, asked)
    pauses = asked.get("pause", True) and container.is_running and not container.is_paused
    if pauses:
        container.pause()
    try:
        # Docker has paused it already when it reads the instructions (26.1).
        own = {**usual_of_images(), **asked.fields} if asked.fields else container.config
        config = merged_config(changed(own, asked.get("changes") or ()), container.config)
        image = _committed_image(state, asked, container, config)
        if name is not None:
            _give(state, image, name)
        reference = {} if name is None else {"imageRef": name}
        container.tell("commit", comment=asked.get("comment") or "", imageID=image.id, **reference)
    finally:
        if pauses:
            container.unpause()
    return {"Id": image.id}


def _committed(state: State, asked: Asked) -> Container:
    text = asked.get("container") or ""
    if not text:
        raise bad_request('invalid name or ID supplied: ""')
    return state.containers.find(text)


def _committed_image(
    state: State, asked: Asked, container: Container, config: dict[str, Any]
) -> Image:
    below, now = container.image, state.clock.now()
    comment = asked.get("comment") or ""
    layers = () if below is None else below.layers
    adds_layer = not layers or bool(container.files.changes())
    if adds_layer:
        layers = (*layers, state.images.new_layer(container.files.freeze()))
    created_by = " ".join(container.config.get("Cmd") or ())
    step = Step(now, created_by, comment, adds_layer=adds_layer)
    image = Image(
        state.images.new_id(),
        config,
        layers,
        now,
        (*(() if below is None else below.history), step),
        parent="" if below is None else below.id,
        comment=comment,
        author=asked.get("author") or "",
        container=container.id,
        container_config=container.config,
    )
    state.images.add(image)
    return image
