#!/usr/bin/env python3
"""Write specs/history.json and specs/changes.json: what API versions know, and what changed.

    draw_history.py            write the files; needed after a document or the overlay changed
    draw_history.py --check    only say whether the files are what would be written

The exit code is 0, or 1 when --check finds a difference.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dynadock.spec import changes, history
from dynadock.spec.draw import draw_changes, draw_history, dump_changes, dump_history
from dynadock.spec.library import bundled_content, bundled_folder, bundled_versions, document_name
from dynadock.spec.loader import load_spec


def main() -> int:
    """Carry out the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    folder = Path(bundled_folder())
    specs = [load_spec(folder / document_name(version)) for version in bundled_versions()]
    drawn = {
        history.FILE: dump_history(draw_history(specs)),
        changes.FILE: dump_changes(draw_changes(specs)),
    }
    if not arguments.check:
        for name, content in drawn.items():
            (folder / name).write_bytes(content)
        return 0
    stale = [name for name, content in drawn.items() if bundled_content(name) != content]
    for name in stale:
        print(f"draw_history: {name} is not what the documents and the overlay give; draw it anew")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
