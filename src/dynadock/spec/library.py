"""Where documents are: the bundled folder, the user's own folder, and which comes first."""

from __future__ import annotations

import os
from functools import cache

from dynadock.errors import SpecError
from dynadock.spec.folders import DATA, folder_of_user
from dynadock.spec.versions import Version, looks_like_version, parse_version

DATA_VARIABLE = "DYNADOCK_DATA"
OVERLAY = "overlay.yaml"
_SUFFIX = ".yaml"


@cache
def bundled_folder() -> str:
    """Return the folder of the documents that come with the package.

    An installed package carries them inside; in a checkout they stand at the top, beside ``src``.
    """
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for above in (package, os.path.dirname(os.path.dirname(package))):
        folder = os.path.join(above, "specs")
        if os.path.isfile(os.path.join(folder, OVERLAY)):
            return folder
    raise SpecError(f"the installation at {package} carries no documents (no specs/{OVERLAY})")


def bundled_content(name: str) -> bytes:
    """Return a bundled file as it is, nothing if there is none."""
    try:
        with open(os.path.join(bundled_folder(), name), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def user_folder() -> str:
    """Return the folder of the user's own documents, which need not exist.

    ``specs`` in ``$DYNADOCK_DATA``, or in the platform's folder for a program's data.
    """
    return os.path.join(folder_of_user(DATA, DATA_VARIABLE), "specs")


def document_name(version: Version) -> str:
    """Return the file name of a version's document."""
    return f"v{version}{_SUFFIX}"


def find_document(version: Version) -> str:
    """Return the path of a version's document: the user's own one before the bundled one."""
    for folder in (user_folder(), bundled_folder()):
        path = os.path.join(folder, document_name(version))
        if os.path.isfile(path):
            return path
    known = available_versions()
    raise SpecError(
        f"there is no document for API {version}; there are {known[0]} to {known[-1]}"
        " (load() also takes a file's path; in a checkout tools/fetch_spec.py gets others)"
    )


def available_versions() -> list[Version]:
    """List the versions that `find_document` finds, oldest first."""
    return sorted({*_versions_in(user_folder()), *_versions_in(bundled_folder())})


def versions() -> tuple[str, ...]:
    """Return the API versions that there are documents for, as texts (``"1.42"``), oldest first.

    They are those that come with the package and those in the user's own folder: whatever `load`
    takes. `Client.versions` lists those of them that an engine speaks.
    """
    return tuple(str(each) for each in available_versions())


def bundled_versions() -> list[Version]:
    """List the versions that come with the package, oldest first."""
    return sorted(_versions_in(bundled_folder()))


def _versions_in(folder: str) -> set[Version]:
    try:
        names = os.listdir(folder)
    except OSError:
        return set()
    stems = {
        name.removesuffix(_SUFFIX)
        for name in names
        if name.startswith("v") and name.endswith(_SUFFIX)
    }
    return {parse_version(stem) for stem in stems if looks_like_version(stem)}
