"""Names of images, read and refused as engines read and refuse them."""

from __future__ import annotations

import re

from dynadock.call.reference import ImageReference, parse_reference
from dynadock.config.registries import HUB
from dynadock.simulation.refusal import bad_request

USUAL_TAG = "latest"

_ALGORITHMS = ("sha256", "sha384", "sha512")

_ID = re.compile("[a-f0-9]{64}")
_DIGEST = re.compile("sha256:[a-f0-9]{64}")
_TAG = re.compile("[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}")


def read_name(text: str) -> ImageReference:
    """Return what an image is called; Refused, 400, in the engine's words for what is no name."""
    if _ID.fullmatch(text):
        raise bad_request(
            f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
        )
    try:
        return parse_reference(text)
    except ValueError:
        raise bad_request(f"invalid reference format{_about_case(text)}") from None


def _about_case(text: str) -> str:
    first, slash, rest = text.partition("/")
    if not slash or not (first == "localhost" or re.search("[.:A-Z]", first)):
        first, rest = HUB, text
    path = rest.partition(":")[0]
    if path == path.lower():
        return ""
    official = "library/" if first == HUB and "/" not in path else ""
    return f": repository name ({official}{path}) must be lowercase"


def full_id(text: str) -> str | None:
    """Return the id that a text is, written whole with or without ``sha256:``, None for others."""
    if _DIGEST.fullmatch(text):
        return text
    return f"sha256:{text}" if _ID.fullmatch(text) else None


def with_usual_tag(name: ImageReference) -> ImageReference:
    """Return a name with the tag that is meant where none is given."""
    return name if name.tag or name.digest else name._replace(tag=USUAL_TAG)


def with_tag(name: ImageReference, tag: str) -> ImageReference:
    """Return a name with another tag, which may be a digest; Refused, 400, if it is neither."""
    if _DIGEST.fullmatch(tag):
        return name._replace(tag="", digest=tag)
    if not _TAG.fullmatch(tag):
        raise bad_request("invalid tag format")
    return name._replace(tag=tag)


def new_name(repository: str, tag: str) -> ImageReference:
    """Return the name that an image is to get; Refused, 400, for what cannot be one."""
    name = read_name(repository)
    if name.digest:
        raise bad_request("cannot import digest reference")
    if str(name._replace(tag="")) in _ALGORITHMS:
        raise bad_request("refusing to create an ambiguous tag using digest algorithm as name")
    return with_tag(name, tag) if tag else with_usual_tag(name)


def key_of(name: ImageReference) -> str:
    """Return the whole name with its digest, or else its tag: what images are found by.

    Beside a digest a tag says nothing.
    """
    return f"{name.repository}@{name.digest}" if name.digest else f"{name.repository}:{name.tag}"
