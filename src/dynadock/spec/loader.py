"""From what a caller names (a version, a file, an open document) to a Spec."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from dynadock.errors import SpecError
from dynadock.spec.cache import code_state, digest, read_text, write_text
from dynadock.spec.files import LARGEST_DOCUMENT, read_regular
from dynadock.spec.form import read_form, write_form
from dynadock.spec.library import OVERLAY, bundled_content, find_document
from dynadock.spec.model import Spec
from dynadock.spec.versions import Version, looks_like_version, parse_version

if TYPE_CHECKING:
    from collections.abc import Mapping

Source = str | os.PathLike[str] | dict[str, Any]


def load_spec(source: Source, *, raw: bool = False) -> Spec:
    """Return the Spec of a version (``"1.42"``), a file's path or an open document.

    Versions are looked for among the user's own documents, then among the bundled ones. A ``raw``
    one is as its document has it, not corrected by the overlay. SpecError says what is wrong with a
    version, a file or its content.
    """
    if isinstance(source, dict):
        from dynadock.spec.build import build_from_tree

        return Spec(build_from_tree(source, name="document", raw=raw))
    if isinstance(source, str) and "://" in source:
        raise SpecError(f"{source!r}: documents at addresses are not loaded; download it first")
    if isinstance(source, str) and looks_like_version(source):
        return load_version(parse_version(source), raw=raw)
    if isinstance(source, (str, os.PathLike)):
        return load_file(os.fsdecode(source), raw=raw)
    raise SpecError(_odd_source(source))


def _odd_source(source: object) -> str:
    if isinstance(source, (int, float)):
        return (
            f"expected a version as text, got the number {source!r}:"
            " as a number 1.30 would be 1.3; write load('1.30')"
        )
    return f"expected a version, a path or a document, got {type(source).__name__}"


def load_version(version: Version, *, raw: bool = False) -> Spec:
    """Return the Spec of a version; SpecError if there is no document for it."""
    path = find_document(version)
    spec = load_file(path, raw=raw)
    if spec.version != version:
        raise SpecError(f"{path} is a document of API {spec.version}, not {version}")
    return spec


def load_file(path: str, *, raw: bool = False) -> Spec:
    """Return the Spec of a document in a file: compiled once, then read from the cache.

    In one process the same content is the same Spec.
    """
    content = _read(path)
    key = digest(content, b"" if raw else _overlay_state(), _compiler_state())
    spec = _specs.get(key)
    if spec is None:
        spec = _specs[key] = Spec(_compiled(key, content, path, raw=raw), key)
    return spec


_specs: dict[str, Spec] = {}


def _read(path: str) -> bytes:
    try:
        return read_regular(path, LARGEST_DOCUMENT)
    except FileNotFoundError:
        raise SpecError(
            f"{path!r} is neither a version ('1.42') nor a file; load() without either takes the"
            " newest version that both sides speak"
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SpecError(f"{path} cannot be read: {reason}") from error


def _compiled(key: str, content: bytes, name: str, *, raw: bool) -> Mapping[str, Any]:
    text = read_text(key)
    if text is None:
        from dynadock.spec.build import build_from_text

        text = write_form(build_from_text(content, name=name, raw=raw))
        write_text(key, text)
    return read_form(text)


@cache
def _overlay_state() -> bytes:
    return digest(bundled_content(OVERLAY)).encode()


@cache
def _compiler_state() -> bytes:
    return code_state(__file__)
