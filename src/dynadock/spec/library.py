"""Where documents are: the bundled folder, the user's own folder, and which comes first."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from dynadock.errors import SpecError
from dynadock.spec.versions import Version, looks_like_version, parse_version

DATA_VARIABLE = "DYNADOCK_DATA"
OVERLAY = "overlay.yaml"


@cache
def bundled_folder() -> Path:
    """Return the folder of the documents that come with the package.

    An installed package carries them inside; in a checkout they stand at the top, beside ``src``.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "specs", package.parents[1] / "specs"):
        if (folder / OVERLAY).is_file():
            return folder
    raise SpecError(f"the installation at {package} carries no documents (no specs/{OVERLAY})")


def user_folder() -> Path:
    """Return the folder of the user's own documents, which need not exist.

    ``$DYNADOCK_DATA/specs`` where that variable is set, else ``specs`` in the platform's folder for
    a program's data.
    """
    chosen = os.environ.get(DATA_VARIABLE)
    if chosen:
        return Path(chosen) / "specs"
    # Imported here for start-up time: only a call without the variable needs it.
    from platformdirs import user_data_path  # noqa: PLC0415

    try:
        return user_data_path("dynadock", appauthor=False) / "specs"
    except RuntimeError:
        # A user without a home (no passwd entry, as in many containers) has no folder either.
        return Path(os.devnull) / "specs"


def document_name(version: Version) -> str:
    """Return the file name of a version's document."""
    return f"v{version}.yaml"


def find_document(version: Version) -> Path:
    """Return the path of a version's document: the user's own one before the bundled one."""
    for folder in (user_folder(), bundled_folder()):
        path = folder / document_name(version)
        if path.is_file():
            return path
    known = available_versions()
    raise SpecError(
        f"there is no document for API {version}; there are {known[0]} to {known[-1]}"
        " (load() also takes a file's path; in a checkout tools/fetch_spec.py gets others)"
    )


def available_versions() -> list[Version]:
    """List the versions that `find_document` finds, oldest first."""
    return sorted({*_versions_in(user_folder()), *_versions_in(bundled_folder())})


def bundled_versions() -> list[Version]:
    """List the versions that come with the package, oldest first."""
    return sorted(_versions_in(bundled_folder()))


def _versions_in(folder: Path) -> set[Version]:
    stems = (path.stem for path in folder.glob("v*.yaml"))
    return {parse_version(stem) for stem in stems if looks_like_version(stem)}
