"""Images that are there from the beginning, or as soon as a user says what is in them."""

from __future__ import annotations

from functools import cache
from posixpath import dirname
from typing import TYPE_CHECKING, Any, Final

from dynadock.simulation.files.files import Files
from dynadock.simulation.files.layer import Layer
from dynadock.simulation.programs.finding import APPLET
from dynadock.simulation.programs.shell.commands import APPLETS
from dynadock.simulation.state.configs import merged_config, usual_of_images
from dynadock.simulation.state.images import Image, Step
from dynadock.simulation.state.references import new_name
from dynadock.spec.data import bundled_data

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynadock.simulation.state.images import Images
    from dynadock.simulation.state.state import State

    Contents = Mapping[str, str | bytes]

BUSYBOX: Final = "busybox"

BUILT: Final = 1_727_395_200 * 10**9
"""The moment at which the seeded busybox was made: long before any container of it."""

_PROGRAMS = (b"#!", b"\x7fELF")


def seed_busybox(state: State) -> None:
    """Let an engine have a busybox, which can also be pulled again."""
    images = state.images
    config = usual_of_images() | {"Cmd": ["sh"]}
    image = Image(
        images.new_id(),
        config,
        (images.new_layer(busybox_tree()),),
        BUILT,
        (
            Step(BUILT, "ADD busybox.tar.gz / # buildkit", adds_layer=True),
            Step(BUILT, 'CMD ["sh"]'),
        ),
    )
    put(images, image, BUSYBOX)


@cache
def busybox_tree() -> Layer:
    """Return the files of busybox, which all engines of this process share."""
    facts = bundled_data("embedded.yaml")["busybox"]
    files = Files(now=lambda: BUILT)
    for path, mode in facts["folders"].items():
        files.make_folder(path, int(mode, 8))
    for path, text in facts["files"].items():
        files.write(path, text.encode())
    for path, mode in facts["modes"].items():
        files.set_mode(path, int(mode, 8))
    for name in APPLETS:
        files.write(f"/bin/{name}", APPLET, mode=0o755)
    for path, target in facts["links"].items():
        files.make_link(target, path)
    return files.freeze()


def seed(
    state: State,
    name: str,
    *,
    files: Contents | Layer | None = None,
    config: Mapping[str, Any] | None = None,
    base: str | None = BUSYBOX,
    pullable: bool = False,
) -> Image:
    """Make an image of this name, and return it; a name that is taken is the new one's.

    ``files`` are texts or bytes by absolute paths (folders end with a slash), put on what the image
    ``base`` has, or a whole tree of its own; ``config`` has the fields of an image's configuration
    and takes the rest from ``base``. Without ``base`` nothing is taken over. With
    ``pullable``, the image is not there until somebody pulls it.

    Refused, as engines do, for names that cannot be, or if there is no such base; ValueError for
    paths that are not absolute, OSError for those that cannot be.
    """
    images, now = state.images, state.clock.now()
    below = images.find(base) if base else None
    own = {**usual_of_images(), **(config or {})}
    layers = () if below is None or isinstance(files, Layer) else below.layers
    history = () if below is None else below.history
    tree = files if isinstance(files, Layer) else _written(state, files or {}, below)
    adds_layer = tree.size_of_changes > 0 or not layers or bool(files)
    if adds_layer:
        layers = (*layers, images.new_layer(tree))
    image = Image(
        images.new_id(),
        own if below is None else merged_config(own, below.config),
        layers,
        now,
        (*history, Step(now, "COPY . / # buildkit", adds_layer=adds_layer)),
    )
    put(images, image, name, is_there=not pullable)
    return image


def put(images: Images, image: Image, text: str, *, is_there: bool = True) -> None:
    """Let an image be pulled by a name, and have it there already unless told otherwise."""
    name = new_name(text, "")
    digest = images.offer(image, name)
    if is_there:
        images.add(image)
        images.give_name(image, name)
        images.give_name(image, digest)


def _written(state: State, contents: Contents, below: Image | None) -> Layer:
    files = Files(None if below is None else below.layer, now=state.clock.now)
    write_contents(files, contents)
    return files.freeze()


def write_contents(files: Files, contents: Contents) -> None:
    """Write texts or bytes at absolute paths (folders end with a slash); programs may be run.

    ValueError for paths that are not absolute, OSError for those that cannot be.
    """
    for path, content in contents.items():
        if not path.startswith("/"):
            raise ValueError(f"files: expected absolute paths, got {path!r}")
        data = content.encode() if isinstance(content, str) else content
        if path.endswith("/"):
            files.make_folder(path, parents=True)
            continue
        if dirname(path) != "/":
            files.make_folder(dirname(path), parents=True)
        files.write(path, data, mode=0o755 if data.startswith(_PROGRAMS) else 0o644)
