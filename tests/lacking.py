"""What a run does without: a test skips and says so, or fails where a whole run is required."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

REQUIRED = "DYNADOCK_REQUIRE_ENGINES"


def is_required() -> bool:
    """Tell whether what a whole run needs has to be there."""
    return os.environ.get(REQUIRED, "") not in ("", "0")


def give_up(why: str) -> NoReturn:
    """Skip, or fail where that is required; at the head of a file all of it."""
    if is_required():
        pytest.fail(why, pytrace=False)
    pytest.skip(why, allow_module_level=True)
