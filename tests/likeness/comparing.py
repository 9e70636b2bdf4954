"""What two engines answer, made comparable: ids, moments and all else of one engine put aside.

`differences.yaml` lists what is not compared, each with its reason.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).with_name("differences.yaml")

_ID = re.compile(r"\b(sha256:)?[0-9a-f]{64}\b|(?<![0-9a-zA-Z])[0-9a-f]{12}(?![0-9a-zA-Z])")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_AGO = re.compile(r"(Less than a second|About a minute|\d+ seconds?|\d+ minutes?)( ago)?")
_ADDRESS = re.compile(r"\b\d+\.\d+\.\d+\.\d+(/\d+)?\b")
_MAC = re.compile(r"\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b")

_MASKS = (
    (_ID, "ID"),
    (_MOMENT, "MOMENT"),
    (_AGO, "AGO"),
)


@cache
def left_out() -> dict[str, dict[str, str]]:
    """Return the fields that are not compared, by operation ("*": all): a path and why."""
    return yaml.safe_load(TABLE.read_text(encoding="utf-8"))


def comparable(operation_id: str, value: Any, subnet: str) -> Any:
    """Return a value of a reply without what is one engine's own.

    Addresses that begin with ``subnet`` were asked for, or lie in a range that was: they are
    compared, as are the hardware addresses that are made of them.
    """
    table = left_out()
    paths = {**table.get("*", {}), **table.get(operation_id, {})}
    return _Comparable(frozenset(paths), subnet).masked(value, "")


class _Comparable:
    def __init__(self, ignored: frozenset[str], subnet: str) -> None:
        self._ignored = ignored
        self._subnet = f"{subnet}."
        self._hardware = "02:42:" + ":".join(f"{int(part):02x}" for part in subnet.split("."))

    def masked(self, value: Any, path: str) -> Any:
        if path in self._ignored or f"*{path[path.rfind('.') :]}" in self._ignored:
            return f"({type(value).__name__})" if value is not None else "(NoneType)"
        if isinstance(value, dict):
            return {
                self._text(str(key)): self.masked(each, f"{path}.{key}")
                for key, each in sorted(value.items())
            }
        if isinstance(value, (list, tuple)):
            return [self.masked(each, f"{path}[]") for each in value]
        if isinstance(value, bytes):
            return self._text(value.decode("utf-8", "backslashreplace"))
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        for pattern, mask in _MASKS:
            text = pattern.sub(mask, text)
        text = _MAC.sub(lambda found: self._kept(found[0], self._hardware, "MAC"), text)
        return _ADDRESS.sub(lambda found: self._kept(found[0], self._subnet, "ADDRESS"), text)

    @staticmethod
    def _kept(text: str, beginning: str, mask: str) -> str:
        return text if text.startswith(beginning) else mask
