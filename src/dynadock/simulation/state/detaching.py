"""The keys by which whoever is attached to a terminal leaves it, and lets it run on."""

from __future__ import annotations

DETACH_KEYS = "ctrl-p,ctrl-q"
"""The keys that leave a terminal where nobody names others."""

_CONTROL = "@abcdefghijklmnopqrstuvwxyz[\\]^_"
_PREFIX = "ctrl-"


def parse_keys(text: str) -> bytes:
    """Return the bytes of keys that are named as the docker command names them: ``ctrl-p,q``.

    ValueError for what names no key.
    """
    return bytes(_code(name) for name in text.split(","))


def _code(name: str) -> int:
    if len(name) == 1 and name.isascii():
        return ord(name)
    letter = name.removeprefix(_PREFIX)
    if name == "DEL":
        return 0x7F
    if len(letter) == 1 and name.startswith(_PREFIX) and letter in _CONTROL:
        return _CONTROL.index(letter)
    raise ValueError(f"{name!r} names no key")


class KeyWatch:
    """Looks for a sequence of keys in what is typed, and keeps back what may become one.

    As on engines, a sequence that breaks off is given on whole, with the key that broke it: that
    key begins no new one. Without ``keys`` everything passes.
    """

    def __init__(self, keys: bytes = b"") -> None:
        self._keys = keys
        self._seen = 0
        self.is_pressed = False

    def passed(self, data: bytes) -> bytes:
        """Return what may go on of what is typed; nothing behind the keys, once they are pressed.

        `is_pressed` tells afterwards whether that is so.
        """
        keys = self._keys
        if not keys or not (self._seen or keys[0] in data):
            return data
        passed = bytearray()
        for key in data:
            if key == keys[self._seen]:
                self._seen += 1
                if self._seen == len(keys):
                    self.is_pressed = True
                    break
            else:
                passed += keys[: self._seen]
                passed.append(key)
                self._seen = 0
        return bytes(passed)
