#!/usr/bin/env python3
"""Write specs/history.json: which API versions know an operation, a parameter, a body field.

    draw_history.py            write the file; needed after a document or the overlay changed
    draw_history.py --check    only say whether the file is what would be written

The exit code is 0, or 1 when --check finds a difference.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dynadock.spec.draw import draw_history, dump_history
from dynadock.spec.history import FILE
from dynadock.spec.library import bundled_folder, bundled_versions, document_name
from dynadock.spec.loader import load_spec


def main() -> int:
    """Carry out the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    folder = Path(bundled_folder())
    documents = [folder / document_name(version) for version in bundled_versions()]
    drawn = dump_history(draw_history(map(load_spec, documents)))
    if not arguments.check:
        (folder / FILE).write_bytes(drawn)
    elif (folder / FILE).read_bytes() != drawn:
        print(f"draw_history: {FILE} is not what the documents and the overlay give; draw it anew")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
