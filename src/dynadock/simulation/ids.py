"""What the engine makes up: ids, names, ports' and processes' numbers; the same for one seed."""

from __future__ import annotations

import os
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_QUALITIES = (
    *("amber", "brisk", "calm", "dapper", "eager", "fluent", "gentle", "hazel", "idle", "jolly"),
    *("keen", "lucid", "mellow", "nimble", "opal", "plucky", "quiet", "rustic", "sunny", "tidy"),
    *("upbeat", "vivid", "witty", "young", "zesty"),
)
_ANIMALS = (
    *("badger", "cormorant", "dolphin", "egret", "falcon", "gecko", "heron", "ibis", "jackal"),
    *("kestrel", "lemur", "marten", "newt", "otter", "puffin", "quail", "raven", "stork", "tapir"),
    *("urchin", "viper", "weasel", "yak", "zebra"),
)

FIRST_PID = 1000


class Ids:
    """Where ids and names come from: the same ones in the same order for the same seed."""

    def __init__(self, seed: int | str | None = None) -> None:
        self._seed = seed
        self._drawn = count()
        self._pids = count(FIRST_PID)

    def __deepcopy__(self, _memo: object) -> Ids:
        """Return itself: what was drawn is not drawn again."""
        return self

    def draw(self) -> bytes:
        """Return 32 bytes that have not come before."""
        if self._seed is None:
            return os.urandom(32)
        from hashlib import sha256

        return sha256(f"{self._seed}:{next(self._drawn)}".encode()).digest()

    def new_id(self) -> str:
        """Return 64 hex digits that contain a letter: all digits would be read as a number."""
        while True:
            text = self.draw().hex()
            if not text[:12].isdecimal():
                return text

    def new_name(self, is_taken: Callable[[str], bool]) -> str:
        """Return a name for a container that has none."""
        while True:
            drawn = self.draw()
            name = f"{_QUALITIES[drawn[0] % len(_QUALITIES)]}_{_ANIMALS[drawn[1] % len(_ANIMALS)]}"
            if not is_taken(name):
                return name
            name += str(int.from_bytes(drawn[2:4], "big"))
            if not is_taken(name):
                return name

    def new_pid(self) -> int:
        """Return a number for a process, as the host sees it."""
        return next(self._pids)
