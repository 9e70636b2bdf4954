"""A version's document as OpenAPI 3.1 for other tools, corrected, and with our own texts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynadock.explore.texts import bundled_texts
from dynadock.spec.library import bundled_folder, document_name
from dynadock.spec.loader import load_file, load_spec
from dynadock.spec.model import Spec
from dynadock.spec.openapi import convert

if TYPE_CHECKING:
    from dynadock.spec.loader import Source

TITLE = "Docker Engine API"

ABOUT = (
    "Paths, names, types and codes are those of the document that the Moby project publishes,"
    " corrected where engines were seen to do otherwise. The descriptions are dynadock's own."
)
"""What is said of a document that comes with the package."""

LICENSE = {"name": "Apache License 2.0", "identifier": "Apache-2.0"}
"""The license of the published documents, and of our corrections and texts."""


def openapi(source: Source | Spec, *, descriptions: bool = True) -> dict[str, Any]:
    """Return a document of OpenAPI 3.1 as plain values, which JSON and YAML can hold.

    ``source`` is a version (``"1.42"``), the path of a document, an open one, or a Spec.
    ``descriptions`` are texts about operations, parameters, bodies and fields. The result is the
    same each time, with all corrections of the overlay; `dynadock.spec.openapi` says what is left
    out. SpecError as for `dynadock.load`.
    """
    spec = source if isinstance(source, Spec) else load_spec(source)
    document = convert(spec, bundled_texts() if descriptions else None)
    if _is_bundled(spec):
        info = {"title": TITLE, "version": document["info"]["version"], "license": dict(LICENSE)}
        document["info"] = {**info, "description": ABOUT} if descriptions else info
    return document


def _is_bundled(spec: Spec) -> bool:
    """Tell whether a spec is that of a document that comes with the package."""
    path = Path(bundled_folder(), document_name(spec.version))
    # The same content is the same Spec.
    return path.is_file() and load_file(str(path)) is spec
