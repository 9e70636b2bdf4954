"""The real engine that sessions are compared with, and the binaries that play them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from engine.engines import engines
from lacking import give_up

if TYPE_CHECKING:
    from engine.engines import Engine

BINARIES = "DYNADOCK_TEST_DOCKER"
"""Paths of releases of the docker command, with colons between them."""


RELEASE = (26, 1)


def found() -> Engine | None:
    """Return the real engine that others are compared with, None where there is none."""
    of_docker = (each for each in engines() if each.kind == "docker" and not each.fault)
    return next((each for each in of_docker if each.release == RELEASE), None)


def docker_26() -> str:
    """Return the address of Docker 26.1; the test gives up where there is none."""
    engine = found()
    return give_up("Docker 26.1 is not among the engines") if engine is None else engine.address


def binaries() -> dict[str, Path]:
    """Return the docker commands that there are, by what each says of itself: ``26.1.5``."""
    paths = [Path(each) for each in os.environ.get(BINARIES, "").split(":") if each]
    return {_release(path): path for path in paths}


def _release(path: Path) -> str:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"[0-9]+\.[0-9]+\.[0-9]+", said)[0]
