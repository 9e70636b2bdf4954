"""Images: configurations and layers of files, their names, and those that can be pulled."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.simulation.refusal import not_found
from dynadock.simulation.state.references import full_id, key_of, read_name, with_usual_tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock.call.reference import ImageReference
    from dynadock.simulation.files.layer import Layer
    from dynadock.simulation.state.state import State

SHA256 = "sha256:"
SHORT = 12
"""The digits of an id that people are shown."""


class ImageLayer(NamedTuple):
    """One layer of an image: its own digest, that of it and all below, and all files up to it."""

    diff_id: str
    chain_id: str
    tree: Layer

    @property
    def size(self) -> int:
        """The bytes that this layer adds."""
        return self.tree.size_of_changes


class Step(NamedTuple):
    """A step of an image's history; ``adds_layer`` tells whether it made one of the layers."""

    created: int
    created_by: str = ""
    comment: str = ""
    adds_layer: bool = False


class Image:
    """An image: its id with ``sha256:``, what containers take over from it, and its files.

    ``parent`` is the id of the image that it was committed on, here; a pulled one has none. Nothing
    of an image changes, so that snapshots share it.
    """

    def __init__(
        self,
        identity: str,
        config: dict[str, Any],
        layers: tuple[ImageLayer, ...],
        created: int,
        history: tuple[Step, ...],
        *,
        parent: str = "",
        comment: str = "",
        author: str = "",
        container: str = "",
        container_config: dict[str, Any] | None = None,
    ) -> None:
        self.id = identity
        self.config = config
        self.layers = layers
        self.created = created
        self.history = history
        self.parent = parent
        self.comment = comment
        self.author = author
        self.container = container
        self.container_config = container_config

    def __deepcopy__(self, _memo: object) -> Image:
        return self

    @property
    def layer(self) -> Layer:
        """All its files."""
        return self.layers[-1].tree

    @property
    def size(self) -> int:
        """The bytes of all layers."""
        return sum(layer.size for layer in self.layers)

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        return self.config.get("Labels") or {}

    @property
    def short_id(self) -> str:
        """The beginning of its id, as people are shown it."""
        return self.id.removeprefix(SHA256)[:SHORT]


class Images:
    """An engine's images by their ids, what they are called, and what its registries hold.

    ``uses_of_layers`` counts the images that have a layer, by the layer's chain id.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self.by_id: dict[str, Image] = {}
        self._owners: dict[str, str] = {}
        self._names: dict[str, dict[str, ImageReference]] = {}
        self._offered: dict[str, tuple[ImageReference, Image]] = {}
        self._tagged: dict[str, int] = {}
        self._children: Counter[str] = Counter()
        self.uses_of_layers: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Image]:
        return iter(list(self.by_id.values()))

    def __len__(self) -> int:
        return len(self.by_id)

    # Finding

    def find(self, text: str) -> Image:
        """Return the image that a name, an id or the beginning of one means, in this order.

        Refused where there is none or more than one (404), or where a text is no name (400).
        """
        identity = full_id(text)
        if identity is not None:
            found = self.by_id.get(identity)
            if found is None:
                raise not_found(f"No such image: {identity}")
            return found
        name = with_usual_tag(read_name(text))
        found = self.called(name) or self._beginning_with(text)
        if found is None:
            raise not_found(f"No such image: {name}")
        return found

    def _beginning_with(self, text: str) -> Image | None:
        beginning = SHA256 + text.removeprefix(SHA256)
        fitting = [image for key, image in self.by_id.items() if key.startswith(beginning)]
        return fitting[0] if len(fitting) == 1 else None

    def called(self, name: ImageReference) -> Image | None:
        """Return the image that has exactly this name, None if none has."""
        return self.by_id.get(self._owners.get(key_of(name), ""))

    def names(self, image: Image) -> list[ImageReference]:
        """Return all that an image is called, with tags or digests, in the order of the texts."""
        return [name for _, name in sorted(self._names.get(image.id, {}).items())]

    def tags(self, image: Image) -> list[str]:
        """Return an image's names with tags, as people write them."""
        return [str(name) for name in self.names(image) if name.tag]

    def digests(self, image: Image) -> list[str]:
        """Return an image's names with digests, as people write them."""
        return [str(name) for name in self.names(image) if name.digest]

    def tagged_at(self, image: Image) -> int:
        """Return the moment at which an image was last given a name, 0 for never."""
        return self._tagged.get(image.id, 0)

    def has_children(self, image: Image) -> bool:
        """Tell whether other images were made from one."""
        return self._children[image.id] > 0

    def parents(self, image: Image) -> Iterator[Image]:
        """Yield the image that one was made from, that image's, and so on, as far as kept."""
        parent = self.by_id.get(image.parent)
        while parent is not None:
            yield parent
            parent = self.by_id.get(parent.parent)

    def heads(self) -> list[Image]:
        """Return the images that no other was made from."""
        return [image for image in self.by_id.values() if not self.has_children(image)]

    # Changing

    def add(self, image: Image) -> None:
        """Keep an image, which has no name yet; it may be there already."""
        if image.id in self.by_id:
            return
        self.by_id[image.id] = image
        self._count(image, 1)

    def _count(self, image: Image, change: int) -> None:
        self._children[image.parent] += change
        for layer in image.layers:
            self.uses_of_layers[layer.chain_id] += change

    def give_name(self, image: Image, name: ImageReference) -> None:
        """Let an image be called so, and no other one any more."""
        name = name._replace(tag="") if name.digest else name
        self.take_name(name)
        self._owners[key_of(name)] = image.id
        self._names.setdefault(image.id, {})[key_of(name)] = name
        self._tagged[image.id] = self._state.clock.now()

    def take_name(self, name: ImageReference) -> None:
        """Let no image be called so."""
        owner = self._owners.pop(key_of(name), None)
        if owner is not None:
            del self._names[owner][key_of(name)]

    def remove(self, image: Image) -> list[ImageLayer]:
        """Forget an image without a name; return the layers that no other image has."""
        del self.by_id[image.id]
        self._tagged.pop(image.id, None)
        self._names.pop(image.id, None)
        self._count(image, -1)
        return [each for each in reversed(image.layers) if not self.uses_of_layers[each.chain_id]]

    def tell(self, action: str, actor: str, name: str, image: Image | None = None) -> None:
        """Let everybody know what happened to an image; its labels are told while it is there."""
        labels = {} if image is None else image.labels
        self._state.events.add("image", action, actor, {**labels, "name": name})

    def new_layer(self, tree: Layer) -> ImageLayer:
        """Return files as a layer of its own."""
        ids = self._state.ids
        return ImageLayer(SHA256 + ids.new_id(), SHA256 + ids.new_id(), tree)

    def new_id(self) -> str:
        """Return an id for an image."""
        return SHA256 + self._state.ids.new_id()

    # What registries hold

    def offer(self, image: Image, name: ImageReference) -> ImageReference:
        """Let an image be pulled by this name with a tag; return its name with a digest."""
        digest = name._replace(tag="", digest=self.new_id())
        self._offered[key_of(name)] = (digest, image)
        self._offered[key_of(digest)] = (digest, image)
        return digest

    def offered(self, name: ImageReference) -> tuple[ImageReference, Image] | None:
        """Return an image that can be pulled by this name, and its name with a digest."""
        return self._offered.get(key_of(name))

    def offered_tags(self, repository: str) -> list[str]:
        """Return the tags that can be pulled of a repository, sorted."""
        beginning = f"{repository}:"
        return sorted(
            key.removeprefix(beginning) for key in self._offered if key.startswith(beginning)
        )
