"""Images removed: their names first, then they themselves, then those that they were made from.

The rules and words are those of Docker 26.1.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from dynadock.simulation.refusal import conflict
from dynadock.simulation.state.images import SHA256, SHORT
from dynadock.simulation.state.references import read_name, with_usual_tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dynadock.call.reference import ImageReference
    from dynadock.simulation.refusal import Refused
    from dynadock.simulation.state.container import Container
    from dynadock.simulation.state.images import Image
    from dynadock.simulation.state.state import State


class Conflict(NamedTuple):
    """Why an image stays: not even by force, or because a container uses it."""

    why: str
    is_hard: bool = False
    is_used: bool = False

    def refusal(self, image: Image) -> Refused:
        """Return it in the engine's words."""
        forced = "cannot be forced" if self.is_hard else "must be forced"
        return conflict(f"conflict: unable to delete {image.short_id} ({forced}) - {self.why}")


class Removal:
    """One removal: ``records`` are the lines of the reply, ``freed`` the bytes of layers gone."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._images = state.images
        self.records: list[dict[str, str]] = []
        self.freed = 0

    def remove(self, text: str, *, force: bool = False, prune: bool = True) -> None:
        """Remove what a name or an id means; with ``prune``, also what it was made from.

        Refused, 409, where that would take away what is used.
        """
        image = self._images.find(text)
        if _is_id_of(image, text):
            self._remove_by_id(image, force=force, prune=prune)
        else:
            self._remove_by_name(image, text, force=force, prune=prune)

    def _remove_by_name(self, image: Image, text: str, *, force: bool, prune: bool) -> None:
        user = _first(self._users[image.id])
        if not force and user is not None and _is_one_repository(self._images.names(image)):
            raise conflict(
                f'conflict: unable to remove repository reference "{text}" (must force) - container'
                f" {user.id[:SHORT]} is using its referenced image {image.short_id}"
            )
        name = with_usual_tag(read_name(text))
        self._untag(image, name)
        if not name.digest:
            self._untag_digests_alone(image, name)
        if not self._images.names(image):
            self._remove_whole(image, force=force, prune=prune, is_quiet=True)

    def _untag_digests_alone(self, image: Image, gone: ImageReference) -> None:
        """Take away a repository's digests from an image if it has none of its tags any more."""
        names = self._images.names(image)
        same = [name for name in names if name.repository == gone.repository]
        if not any(name.tag for name in same):
            for name in same:
                self._untag(image, name, is_told=False)

    def _remove_by_id(self, image: Image, *, force: bool, prune: bool) -> None:
        names = self._images.names(image)
        if _is_one_repository(names):
            found = self._conflict(image, force=force, is_name_in_way=False)
            if found is not None:
                raise found.refusal(image)
            for name in names:
                self._untag(image, name)
        self._remove_whole(image, force=force, prune=prune, is_quiet=False)

    def _remove_whole(self, image: Image, *, force: bool, prune: bool, is_quiet: bool) -> None:
        found = self._conflict(image, force=force)
        if found is not None:
            if is_quiet and (found.is_used or not self._is_dangling(image)):
                return
            raise found.refusal(image)
        for name in self._images.names(image):
            self._untag(image, name)
        parent = self._images.by_id.get(image.parent)
        gone = [
            each for each in self._images.remove(image) if each.chain_id not in self._layers_in_use
        ]
        self._images.tell("delete", image.id, image.id)
        self.records.append({"Deleted": image.id})
        self.records += ({"Deleted": layer.chain_id} for layer in gone)
        self.freed += sum(layer.size for layer in gone)
        if prune and parent is not None:
            self._remove_whole(parent, force=False, prune=True, is_quiet=True)

    def _untag(self, image: Image, name: ImageReference, *, is_told: bool = True) -> None:
        self._images.take_name(name)
        self.records.append({"Untagged": str(name)})
        if is_told:
            self._images.tell("untag", image.id, image.id, image)

    def _is_dangling(self, image: Image) -> bool:
        return not self._images.names(image) and not self._images.has_children(image)

    @cached_property
    def _users(self) -> Mapping[str, list[Container]]:
        """The containers of each image, by its id."""
        users: defaultdict[str, list[Container]] = defaultdict(list)
        for container in self._state.containers:
            if container.image is not None:
                users[container.image.id].append(container)
        return users

    @cached_property
    def _layers_in_use(self) -> frozenset[str]:
        """The layers that containers stand on, also those whose image is gone."""
        first = (users[0].image for users in self._users.values() if users)
        images = (image for image in first if image is not None)
        return frozenset(layer.chain_id for image in images for layer in image.layers)

    def _conflict(
        self, image: Image, *, force: bool, is_name_in_way: bool = True
    ) -> Conflict | None:
        if self._images.has_children(image):
            return Conflict("image has dependent child images", is_hard=True)
        users = self._users[image.id]
        running = _first(each for each in users if each.is_running or each.status == "restarting")
        if running is not None:
            why = f"image is being used by running container {running.id[:SHORT]}"
            return Conflict(why, is_hard=True, is_used=True)
        if force:
            return None
        if is_name_in_way and self._images.names(image):
            return Conflict("image is referenced in multiple repositories")
        if users:
            why = f"image is being used by stopped container {users[0].id[:SHORT]}"
            return Conflict(why, is_used=True)
        return None


def _first(containers: Iterable[Container]) -> Container | None:
    return next(iter(containers), None)


def _is_id_of(image: Image, text: str) -> bool:
    return image.id.startswith(text) or image.id.removeprefix(SHA256).startswith(text)


def _is_one_repository(names: list[ImageReference]) -> bool:
    """Tell whether names are one tag at most, and digests of the same repository."""
    tags = [name for name in names if name.tag]
    return len(tags) <= 1 and len({name.repository for name in names}) <= 1
