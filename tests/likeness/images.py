"""Calls about images, as far as containers need them."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from likeness.containers import CONTAINERS
from likeness.pair import LABEL, Pair

if TYPE_CHECKING:
    from dynadock import Client

TAGS = st.sampled_from(["v1", "v2"])


class Images(Pair):
    """Rules about images and their names."""

    @rule(
        short=CONTAINERS,
        tag=TAGS,
        changes=st.sampled_from(
            [None, ["ENV MADE=yes"], ["CMD true"], ["LABEL tier=web"], ["ODD x"]]
        ),
        pause=st.booleans(),
    )
    def commit(self, short: str, tag: str, changes: Any, pause: bool) -> None:
        """Make an image of a container."""
        self.both(
            "ImageCommit",
            container=self.name(short),
            repo=self.name("made"),
            tag=tag,
            comment="made of it",
            author="somebody",
            changes=changes,
            pause=pause,
        )

    @rule(tag=TAGS, source=st.sampled_from(["busybox", "v1", "nobody"]))
    def tag_image(self, tag: str, source: str) -> None:
        """Give an image another name."""
        image = self.name("made:v1") if source == "v1" else source
        self.both("ImageTag", image, repo=self.name("made"), tag=tag)

    @rule(tag=TAGS)
    def inspect_image(self, tag: str) -> None:
        """Compare all that is known of an image."""
        self.each_until_alike(f"ImageInspect {tag}", lambda client: self._inspected(client, tag))

    def _inspected(self, client: Client, tag: str) -> Any:
        came = self.outcome(client, "ImageInspect", self.name(f"made:{tag}"))
        if came[0] == "fine" and not came[1]["Parent"]:
            return "another name of an image that is not the same one at both engines"
        return self._without_others(came, came[1:2])

    def _without_others(self, came: Any, images: Any) -> Any:
        """Leave out the names that an image has from others than this sequence."""
        if came[0] == "fine":
            for image in images:
                names = image["RepoTags"] or ()
                image["RepoTags"] = sorted(each for each in names if self.prefix in each)
        return came

    @rule(tag=TAGS)
    def history_of_image(self, tag: str) -> None:
        """Compare how an image came to be, down to the one that both engines have."""
        self.each_until_alike(f"ImageHistory {tag}", lambda client: self._history(client, tag))

    def _history(self, client: Client, tag: str) -> Any:
        came = self.outcome(client, "ImageHistory", self.name(f"made:{tag}"))
        if came[0] != "fine":
            return came
        own = takewhile(lambda each: "busybox:latest" not in (each["Tags"] or ()), came[1])
        return [
            {**each, "Tags": sorted(tag for tag in each["Tags"] or () if self.prefix in tag)}
            for each in own
        ]

    @rule(tag=TAGS, force=st.booleans())
    def delete_image(self, tag: str, force: bool) -> None:
        """Take an image's name away, and the image with its last one."""
        self.both("ImageDelete", self.name(f"made:{tag}"), force=force)

    @rule(dangling=st.booleans())
    def list_images(self, dangling: bool) -> None:
        """Compare lists of our images; of those without a name as many are."""
        filters: dict[str, list[str]] = {"reference": [f"{self.prefix}*"]}
        if dangling:
            filters = {"label": [f"{LABEL}={self.prefix}"], "dangling": ["true"]}
        self.each_until_alike(f"ImageList {filters}", lambda client: self._list(client, filters))

    def _list(self, client: Client, filters: Any) -> Any:
        came = self.outcome(client, "ImageList", filters=filters)
        return self._without_others(came, came[1])
