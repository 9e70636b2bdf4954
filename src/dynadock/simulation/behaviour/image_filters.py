"""The filters of lists and prunes of images, with their real meaning."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dynadock.archive.patterns import Patterns
from dynadock.call.moments import moment_of
from dynadock.simulation.behaviour.container_filters import has_labels
from dynadock.simulation.refusal import Refused, server_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dynadock.call.reference import ImageReference
    from dynadock.simulation.state.images import Image
    from dynadock.simulation.state.state import State

    Filters = Mapping[str, list[str]]

OF_LISTS = frozenset({"dangling", "label", "before", "since", "reference", "until"})
OF_PRUNES = frozenset({"dangling", "label", "label!", "until"})


class Period(NamedTuple):
    """Between which moments images have to be made, both of them left out; 0 is no bound."""

    after: int
    before: int

    def has(self, image: Image) -> bool:
        """Tell whether an image was made then."""
        return image.created > self.after and (not self.before or image.created < self.before)


def period_of(state: State, filters: Filters) -> Period:
    """Return what ``since``, ``before`` and ``until`` say together."""
    since = [state.images.find(text).created for text in filters.get("since", ())]
    before = [state.images.find(text).created for text in filters.get("before", ())]
    before += [moment_asked(state, text) for text in filters.get("until", ())]
    return Period(max(since, default=0), min(before, default=0))


def moment_asked(state: State, text: str) -> int:
    """Return the moment that a filter names; Refused, 500, if it names none."""
    try:
        return moment_of(text, state.clock.now())
    except Refused as refused:
        raise server_error(refused.message) from None


def with_old_filter(filters: Filters, pattern: str | None) -> Filters:
    """Return the filters with the pattern of the parameter ``filter``, which old versions have.

    It is one more pattern of ``reference``, and none if it is empty.
    """
    if not pattern:
        return filters
    return {**filters, "reference": [*filters.get("reference", ()), pattern]}


def chooser_of_names(filters: Filters) -> Callable[[ImageReference], bool]:
    """Return what tells whether a name fits one of the patterns of the filter ``reference``.

    A pattern is compared with the whole short name, and with the name without its tag (Go's
    ``path.Match``). Refused, 500, for a pattern that is malformed.
    """
    wanted = filters.get("reference")
    if not wanted:
        return lambda _: True
    try:
        patterns = Patterns([[_of_names(text) for text in wanted]])
    except ValueError:
        raise server_error("syntax error in pattern") from None

    def fits(name: ImageReference) -> bool:
        short = str(name._replace(tag="", digest=""))
        return any(patterns.after(patterns.start, text).matched for text in (str(name), short))

    return fits


def _of_names(pattern: str) -> str:
    """Return a pattern in which two stars mean no more than one."""
    return re.sub(r"(\\.)|\*+", lambda found: found[1] or "*", pattern, flags=re.DOTALL)


def has_wanted_labels(image: Image, filters: Filters) -> bool:
    """Tell whether an image has all labels of ``label``, and not all of ``label!`` (26.1)."""
    unwanted = filters.get("label!", [])
    is_unwanted = bool(unwanted) and has_labels(image.labels, unwanted)
    return has_labels(image.labels, filters.get("label", [])) and not is_unwanted
