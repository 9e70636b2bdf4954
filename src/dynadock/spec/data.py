"""Data files of ours beside the documents: YAML, read once and then from the user's cache."""

from __future__ import annotations

from functools import cache
from typing import Any

from dynadock.spec.cache import digest, read_compiled, write_compiled
from dynadock.spec.library import bundled_content


@cache
def bundled_data(name: str) -> dict[str, Any]:
    """Return what a bundled file says, ``{}`` if there is none; SpecError if it is no mapping."""
    content = bundled_content(name)
    if not content:
        return {}
    key = digest(b"data", content)
    tree = read_compiled(key)
    if tree is None:
        from dynadock.spec.reader import read_document

        tree = read_document(content, name=name)
        write_compiled(key, tree)
    return tree
