"""From a document's text to its compiled form: read, checked, corrected, compiled."""

from __future__ import annotations

from functools import cache
from typing import Any

from dynadock.spec.compiler import compile_document
from dynadock.spec.document import Document
from dynadock.spec.facts import facts
from dynadock.spec.library import OVERLAY, bundled_content
from dynadock.spec.openapi_input import is_openapi, read_openapi
from dynadock.spec.overlay import Overlay
from dynadock.spec.reader import check_swagger, plain_copy, read_document


def build_from_text(content: bytes, *, name: str, raw: bool = False) -> dict[str, Any]:
    """Build the compiled form of a document's text (YAML or JSON); SpecError with ``name``.

    If it is ``raw``, the overlay corrects nothing.
    """
    return _build(read_document(content, name=name), name=name, raw=raw)


def build_from_tree(tree: dict[str, Any], *, name: str, raw: bool = False) -> dict[str, Any]:
    """Build the compiled form of a document that a caller has parsed; ``tree`` is left alone."""
    return _build(plain_copy(tree, name=name), name=name, raw=raw)


def _build(tree: dict[str, Any], *, name: str, raw: bool) -> dict[str, Any]:
    document = open_document(tree, name=name)
    if not raw:
        bundled_overlay().apply(document)
    return compile_document(document)


def open_document(tree: dict[str, Any], *, name: str) -> Document:
    """Check a parsed document and return its facts as a Document that may be changed.

    Takes Swagger 2.0, and OpenAPI 3.0 and 3.1.
    """
    if is_openapi(tree):
        return Document(read_openapi(tree, name=name), name=name)
    check_swagger(tree, name=name)
    return Document(facts(tree), name=name)


@cache
def bundled_overlay() -> Overlay:
    """Return the overlay that comes with the package."""
    return Overlay(read_document(bundled_content(OVERLAY), name=OVERLAY))
