"""Warnings that are shown with the caller's line: the innermost one outside of this package."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

    from dynadock.errors import DynadockWarning


def warn_caller(message: str, kind: type[DynadockWarning]) -> None:
    """Warn, with the innermost line that is not this package's own."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - there is no other way to a caller
    level = 2
    while frame is not None and _is_ours(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
        level += 1
    warnings.warn(message, kind, stacklevel=level)


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == "dynadock"
