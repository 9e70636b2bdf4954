"""The folders of one user that belong to this package: its data, and what it can make again."""

from __future__ import annotations

import os
import sys

DATA = ("user_data_path", "XDG_DATA_HOME", "~/.local/share")
"""Where a user's data is: platformdirs' name for it, the variable that moves it, its usual place.

The last two are those of the XDG Base Directory Specification.
"""

CACHE = ("user_cache_path", "XDG_CACHE_HOME", "~/.cache")
"""Where a program keeps what it can make again."""


def folder_of_user(kind: tuple[str, str, str], variable: str) -> str:
    """Return the folder of ``kind`` (`DATA`, `CACHE`), which need not exist.

    It is what the environment's ``variable`` says, else the platform's own for this package. A user
    without a home (no passwd entry, as in many containers) has none: no file can be in what is
    returned then.
    """
    chosen = os.environ.get(variable)
    if chosen:
        return chosen
    method, xdg_variable, usual = kind
    if sys.platform != "linux":
        return _by_platformdirs(method)
    base = os.environ.get(xdg_variable, "")
    # A relative path in the variable is to be ignored.
    if not os.path.isabs(base):
        base = os.path.expanduser(usual)
    return os.path.join(base, "dynadock") if os.path.isabs(base) else os.devnull


def _by_platformdirs(method: str) -> str:
    import platformdirs

    try:
        return str(getattr(platformdirs, method)("dynadock", appauthor=False))
    except RuntimeError:
        return os.devnull
