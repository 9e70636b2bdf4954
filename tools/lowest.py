"""Writes the oldest version of each dependency that pyproject.toml allows, as constraints for pip.

python tools/lowest.py > constraints.txt
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"


def lowest(requirement: str) -> str:
    """Return ``name==version`` for ``name>=version``; ValueError for a dependency without bound.

    What comes behind a semicolon, where the dependency is wanted, stays.
    """
    bounds, semicolon, where = requirement.partition(";")
    match = re.fullmatch(r"([\w.-]+)\s*>=\s*([\w.]+)(\s*,.*)?", bounds.strip())
    if match is None:
        raise ValueError(f"{requirement!r} does not begin with a name and its lowest version")
    return f"{match[1]}=={match[2]}{semicolon}{where}"


if __name__ == "__main__":
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    print("\n".join(map(lowest, project["dependencies"])))
