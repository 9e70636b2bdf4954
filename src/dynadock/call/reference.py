"""Image references, ``registry:port/path:tag@digest``, parsed as the docker command does.

The grammar is that of the distribution project's image references, compared with what release 28.2
of the docker command makes of the same texts:

- What stands before the first ``/`` is a registry if it has a ``.``, a ``:`` or an upper case
  letter, or is ``localhost``; else the image is one of the Docker Hub, ``docker.io``, which is also
  called ``index.docker.io``.
- The Hub's images of one part lie under ``library/``.
- A registry is a host name or an address (IPv6 in brackets), perhaps with a port. Its letters may
  be of either case; a path's are lower case, and a path has at most 255 characters.
- Digests are those of sha256, sha384 and sha512.

Of the texts that the docker command takes, one kind is refused here: those whose first part has a
``.`` and a ``_``, which are neither a registry nor anything that one could hold.
"""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from dynadock.config.registries import HUB, HUB_INDEX

LONGEST_PATH = 255
LONGEST_TAG = 128

_OFFICIAL = "library/"
_DIGITS_OF = {"sha256": 64, "sha384": 96, "sha512": 128}

_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
_PART = re.compile("[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
_TAG = re.compile(rf"[a-zA-Z0-9_][a-zA-Z0-9_.-]{{0,{LONGEST_TAG - 1}}}")
_ID = re.compile("[a-f0-9]{64}")


class ImageReference(NamedTuple):
    """What an image is called: ``docker.io``, ``library/busybox``, a tag and a digest, or "".

    As text it is in its short form, as people write it: ``busybox:1.36``.
    """

    registry: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def repository(self) -> str:
        """The whole name without tag and digest, as the docker command sends it to engines."""
        return f"{self.registry}/{self.path}"

    def __str__(self) -> str:
        tag = self.tag and f":{self.tag}"
        digest = self.digest and f"@{self.digest}"
        return f"{self._short_name()}{tag}{digest}"

    def _short_name(self) -> str:
        if self.registry != HUB:
            return self.repository
        name = self.path.removeprefix(_OFFICIAL)
        short = self.path if "/" in name else name
        # What would be read as another image ("docker.io/a.b/c" as c of a.b) stays in full.
        is_clear = _split(short) == (self.registry, self.path) and not _ID.fullmatch(short)
        return short if is_clear else self.repository


def registry_of_image(text: str) -> str:
    """Return the registry of an image reference, "" if ``text`` is none."""
    try:
        return parse_reference(text).registry
    except ValueError:
        return ""


def registry_of_term(text: str) -> str:
    """Return the registry that a search asks for ``text``, which need be no reference.

    Engines take what stands before the first ``/`` for one if it has a ``.`` or a ``:``, or is
    ``localhost``, and ask the Docker Hub otherwise (the engine's source). "" if it is no host.
    """
    first, slash, _ = text.partition("/")
    if not slash or not (first == "localhost" or "." in first or ":" in first):
        return HUB
    return first if _HOST.fullmatch(first) else ""


def parse_reference(text: str) -> ImageReference:
    """Read an image reference; nothing is added to it but the Hub's name and ``library/``.

    ValueError says what is wrong. An image's id or digest alone is no reference.
    """
    if "://" in text:
        # Not shown: an address may hold a password.
        raise ValueError("an image reference has no scheme such as https://")
    if _ID.fullmatch(text):
        raise ValueError("64 hexadecimal digits are an image's id, no image reference")
    named, at, digest = text.partition("@")
    start = named.rfind("/") + 1
    colon = named.find(":", start)
    name, tag = (named, None) if colon < 0 else (named[:colon], named[colon + 1 :])
    registry, path = _split(name)
    _check_registry(registry)
    _check_path(path, name)
    if tag is not None and not _TAG.fullmatch(tag):
        _refuse("tag", f"1 to {LONGEST_TAG} letters, digits, '_' and (not first) '.' or '-'", tag)
    if at:
        _check_digest(digest)
    return ImageReference(registry, path, tag or "", digest)


def _split(name: str) -> tuple[str, str]:
    """Return the registry and the path that ``name`` stands for."""
    first, slash, rest = name.partition("/")
    if not slash or not _is_registry(first):
        registry, path = HUB, name
    else:
        registry, path = HUB if first == HUB_INDEX else first, rest
    if registry == HUB and "/" not in path:
        path = _OFFICIAL + path
    return registry, path


def _is_registry(first: str) -> bool:
    return first == "localhost" or "." in first or ":" in first or first.lower() != first


def _check_registry(registry: str) -> None:
    if not _HOST.fullmatch(registry):
        _refuse("registry", "a host or an address, perhaps with a port", registry)


def _check_path(path: str, name: str) -> None:
    if len(path) > LONGEST_PATH:
        _refuse("name", f"at most {LONGEST_PATH} characters", name)
    for part in path.split("/"):
        if not part:
            _refuse("name", "something on each side of a '/'", name)
        if part.lower() != part:
            _refuse("name", "lower case", name)
        if not _PART.fullmatch(part):
            _refuse("name", "a-z and 0-9 with '.', '_', '__' or hyphens between them", name)


def _check_digest(digest: str) -> None:
    algorithm, _, digits = digest.partition(":")
    count = _DIGITS_OF.get(algorithm)
    if count is None:
        _refuse("digest", f"{', '.join(_DIGITS_OF)}, a ':' and hexadecimal digits", digest)
    if not re.fullmatch(f"[a-f0-9]{{{count}}}", digits):
        _refuse("digest", f"{count} hexadecimal digits in lower case", digest)


def _refuse(what: str, expected: str, text: str) -> NoReturn:
    shown = text if len(text) <= LONGEST_TAG else f"{text[:LONGEST_TAG]}..."
    raise ValueError(f"an image reference's {what}: expected {expected}, got {shown!r}")
