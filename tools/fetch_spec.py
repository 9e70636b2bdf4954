#!/usr/bin/env python3
"""Get the Docker Engine API's published documents, draw out their facts, check the bundled ones.

    fetch_spec.py 1.42                 download into the user's own folder, where load() looks first
    fetch_spec.py --facts 1.42         write the bundled form and its provenance
    fetch_spec.py --check --all        compare the bundled form with the facts of its sources

Sources are downloaded, or read from --from. --check also takes those in the user's own folder, and
downloads what is not there.

The exit code is 0, 1 (something failed or differs; a line says what) or 2 (wrong usage).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import requests

from dynadock.atomic import replacing
from dynadock.errors import SpecError
from dynadock.spec.build import open_document
from dynadock.spec.facts import differences, dump, facts
from dynadock.spec.library import bundled_folder, bundled_versions, document_name, user_folder
from dynadock.spec.reader import check_swagger, read_document
from dynadock.spec.versions import Version, parse_version

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BASE_URL = "https://raw.githubusercontent.com/moby/moby"
PUBLISHED = "https://github.com/moby/moby/blob"
PROVENANCE = "provenance.json"

MAX_DOWNLOAD = 8 * 1024 * 1024
MAX_REDIRECTS = 5
WAITS = 6
MAX_TIMEOUT = 3600
CHUNK = 64 * 1024

# Looked through from the top: a requests.Timeout may be a requests.ConnectionError too.
REASONS: tuple[tuple[type[Exception], str], ...] = (
    (requests.exceptions.InvalidSchema, "refused: only https:// is used"),
    (requests.exceptions.MissingSchema, "refused: only https:// is used"),
    (requests.Timeout, "the server does not answer in time"),
    (TimeoutError, "the download takes too long"),
    (requests.exceptions.SSLError, "no trusted TLS connection"),
    (requests.TooManyRedirects, f"more than {MAX_REDIRECTS} redirects"),
    (requests.ConnectionError, "the connection fails or breaks off"),
    (requests.exceptions.ChunkedEncodingError, "the connection fails or breaks off"),
    (ValueError, "the address, or the one it redirects to, makes no sense"),
    (requests.RequestException, "the download fails"),
)


class DownloadError(Exception):
    """A document could not be downloaded; the message names the address and the reason."""


@dataclass(frozen=True)
class Published:
    """Where the documents are published: a repository's raw files at one state of it."""

    base_url: str
    ref: str
    timeout: float

    def address(self, version: Version) -> str:
        """Return the address that a version is downloaded from."""
        return f"{self.base_url.rstrip('/')}/{self.ref}/api/docs/{document_name(version)}"

    def recorded_address(self, version: Version) -> str:
        """Return the address that the provenance names: one for readers where there is one."""
        if self.base_url.rstrip("/") == BASE_URL:
            return f"{PUBLISHED}/{self.ref}/api/docs/{document_name(version)}"
        return self.address(version)

    def read(self, version: Version) -> bytes:
        """Download a version; DownloadError when that cannot be done."""
        return download(self.address(version), timeout=self.timeout)


@dataclass(frozen=True)
class Job:
    """What a step works with: how a source is read, its address for the record, the folder."""

    read: Callable[[Version], bytes]
    recorded_address: Callable[[Version], str]
    folder: Path


def fetch(job: Job, version: Version) -> list[str]:
    """Put the source of a version into the folder, as it is."""
    source = job.read(version)
    checked_document(source, version)
    write(job.folder / document_name(version), source)
    print(f"{version}: {job.folder / document_name(version)}")
    return []


def write_facts(job: Job, version: Version) -> list[str]:
    """Put the facts of a version into the folder, and where they come from into the provenance."""
    source = job.read(version)
    tree = facts(checked_document(source, version))
    comment = (
        f"Facts of the Docker Engine API {version}, made by tools/fetch_spec.py --facts.\n"
        f"Where they come from stands in {PROVENANCE}."
    )
    write(job.folder / document_name(version), dump(tree, comment=comment))
    record = {"source": job.recorded_address(version), "sha256": hashlib.sha256(source).hexdigest()}
    write_provenance(job.folder, {**read_provenance(job.folder), str(version): record})
    print(f"{version}: {job.folder / document_name(version)}")
    return []


def check(job: Job, version: Version) -> list[str]:
    """Return how the folder's document and provenance differ from the source of a version."""
    name = document_name(version)
    source = job.read(version)
    expected = facts(checked_document(source, version))
    bundled = read_document((job.folder / name).read_bytes(), name=name)
    names = {"left_name": "the bundled document", "right_name": "the source"}
    lines = [f"{name}: {line}" for line in differences(bundled, expected, **names)]
    return lines + check_record(job, version, hashlib.sha256(source).hexdigest())


def check_record(job: Job, version: Version, found: str) -> list[str]:
    """Return how the provenance of a version differs from its source's SHA-256."""
    record = read_provenance(job.folder).get(str(version))
    if record is None:
        return [f"{PROVENANCE}: {version} is not recorded"]
    recorded = record.get("sha256")
    if recorded != found:
        return [f"{PROVENANCE}: {version}: sha256: {recorded} is recorded, the source has {found}"]
    return []


def check_leftovers(job: Job, versions: Sequence[Version]) -> list[str]:
    """Return what the provenance records beyond ``versions``."""
    known = {str(version) for version in versions}
    beyond = [version for version in read_provenance(job.folder) if version not in known]
    return [f"{PROVENANCE}: {version} is recorded, but not bundled" for version in beyond]


def checked_document(source: bytes, version: Version) -> dict[str, Any]:
    """Return the tree of a source; SpecError unless it can be loaded as ``version``."""
    name = document_name(version)
    tree = read_document(source, name=name)
    check_swagger(tree, name=name)
    found = open_document(tree, name=name).version
    if found != version:
        raise SpecError(f"{name}: the document is of version {found}")
    return tree


def download(address: str, *, timeout: float) -> bytes:
    """Return what is at an https address; DownloadError for anything else than a whole answer.

    ``timeout`` is in seconds, for each wait; a whole download may take `WAITS` times as long.
    """
    try:
        return within(timeout * WAITS, lambda: get(address, timeout=timeout))
    except (requests.RequestException, TimeoutError, ValueError) as error:
        reason = next(text for kind, text in REASONS if isinstance(error, kind))
        raise DownloadError(f"{address}: {reason}") from error


def within(seconds: float, work: Callable[[], bytes]) -> bytes:
    """Return what ``work`` returns; TimeoutError, without ending it, when it takes longer.

    A server that sends a byte now and then ends none of requests' own timeouts.
    """
    future: Future[bytes] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is taken
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future.result(seconds)


class Session(requests.Session):
    """A session over https only, which leaves redirects to its user."""

    def __init__(self) -> None:
        super().__init__()
        # Without an adapter for it, requests refuses http:// itself.
        self.adapters.pop("http://")

    def get_redirect_target(self, _response: requests.Response) -> None:
        """Return no target, as requests would first read a redirect's body, however long it is."""


def get(address: str, *, timeout: float) -> bytes:
    """Return the body at an address or where it redirects to, no more than `MAX_DOWNLOAD`."""
    with Session() as session:
        for _ in range(MAX_REDIRECTS + 1):
            with session.get(address, stream=True, timeout=timeout) as reply:
                if not reply.is_redirect:
                    return body_of(reply)
                address = urljoin(address, reply.headers["Location"])
    raise requests.TooManyRedirects


def body_of(reply: requests.Response) -> bytes:
    """Read the body of a 200 reply; DownloadError for another one or one that is too large."""
    if reply.status_code != requests.codes.ok:
        raise DownloadError(f"{reply.url}: the server answers {reply.status_code}")
    body = bytearray()
    for chunk in reply.iter_content(CHUNK):
        body += chunk
        if len(body) > MAX_DOWNLOAD:
            raise DownloadError(f"{reply.url}: larger than {MAX_DOWNLOAD // 2**20} MiB")
    return bytes(body)


def write(path: Path, content: bytes) -> None:
    """Write or replace a file, in a folder that is made if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, synced=True) as file:
        file.write(content)


def read_provenance(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what the folder's provenance records by version, nothing where there is no file."""
    path = folder / PROVENANCE
    if not path.is_file():
        return {}
    records = read_document(path.read_bytes(), name=PROVENANCE)
    for version, record in records.items():
        if not isinstance(record, dict):
            raise SpecError(f"{PROVENANCE}: {version}: expected a mapping")
    return records


def write_provenance(folder: Path, records: dict[str, dict[str, Any]]) -> None:
    """Write the folder's provenance, oldest version first."""
    ordered = {text: records[text] for text in sorted(records, key=parse_version)}
    write(folder / PROVENANCE, (json.dumps(ordered, indent=2) + "\n").encode())


def read_local(place: Path, version: Version) -> bytes:
    """Return a version's source from a file, or from a folder that has it under its usual name."""
    return (place / document_name(version) if place.is_dir() else place).read_bytes()


def read_own(version: Version, otherwise: Callable[[Version], bytes]) -> bytes:
    """Return a version's source from the user's folder, ``otherwise`` where it has none."""
    path = Path(user_folder(), document_name(version))
    return path.read_bytes() if path.is_file() else otherwise(version)


def version_argument(text: str) -> Version:
    """Read a version from the command line."""
    try:
        return parse_version(text)
    except SpecError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def ref_argument(text: str) -> str:
    """Read a commit, tag or branch from the command line; it becomes a part of addresses."""
    if not re.fullmatch(r"[\w-][\w./-]*", text) or ".." in text:
        raise argparse.ArgumentTypeError(f"{text!r} is no commit, tag or branch")
    return text


def seconds_argument(text: str) -> float:
    """Read a positive number of seconds from the command line."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= MAX_TIMEOUT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds up to {MAX_TIMEOUT}")
    return seconds


STEPS: dict[str, Callable[[Job, Version], list[str]]] = {
    "fetch": fetch,
    "facts": write_facts,
    "check": check,
}


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; an invalid one ends the program with the exit code 2."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("versions", nargs="*", type=version_argument, metavar="VERSION", help="such as 1.42")
    add("--all", action="store_true", help="every version that is bundled")
    steps = parser.add_mutually_exclusive_group()
    for step, text in (
        ("facts", "write the bundled form, and its provenance"),
        ("check", "compare the bundled form and its provenance with the sources"),
    ):
        steps.add_argument(
            f"--{step}", dest="step", action="store_const", const=step, default="fetch", help=text
        )
    add("--from", dest="source", type=Path, metavar="DIR-OR-FILE", help="read, do not download")
    add("--into", type=Path, metavar="DIR", help="the folder to write to or to check")
    add("--ref", type=ref_argument, help="the repository's state (a commit, tag or branch)")
    add("--base-url", default=BASE_URL, metavar="URL", help="of the repository's raw files")
    add("--timeout", type=seconds_argument, default=10, metavar="SECONDS", help="of each wait")
    arguments = parser.parse_args(argv)
    if arguments.all == bool(arguments.versions):
        parser.error("give versions, or --all")
    several = arguments.all or len(arguments.versions) > 1
    if several and arguments.source and not arguments.source.is_dir():
        parser.error("--from: several versions need a folder")
    if arguments.step == "facts" and arguments.source and not arguments.ref:
        parser.error("--facts --from needs --ref: the provenance names where the files come from")
    return arguments


def plan(arguments: argparse.Namespace) -> Job:
    """Decide where sources are read and results written."""
    published = Published(arguments.base_url, arguments.ref or "master", arguments.timeout)
    read: Callable[[Version], bytes] = published.read
    if arguments.source:
        read = partial(read_local, arguments.source)
    elif arguments.step == "check":
        read = partial(read_own, otherwise=published.read)
    usual = user_folder if arguments.step == "fetch" else bundled_folder
    return Job(read, published.recorded_address, arguments.into or Path(usual()))


def take(step: Callable[[], list[str]]) -> bool:
    """Carry out one step, print what is wrong, and tell whether nothing is."""
    try:
        lines = step()
    except (SpecError, DownloadError) as error:
        lines = [str(error)]
    except OSError as error:
        lines = [f"{error.filename}: {error.strerror}" if error.filename else str(error)]
    for line in lines:
        print(f"fetch_spec: {line}", file=sys.stderr)
    return not lines


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the command line ``argv``; return the exit code."""
    arguments = parse(argv)
    try:
        job = plan(arguments)
        versions = bundled_versions() if arguments.all else arguments.versions
    except SpecError as error:
        print(f"fetch_spec: {error}", file=sys.stderr)
        return 1
    step = STEPS[arguments.step]
    done = [take(partial(step, job, version)) for version in versions]
    if arguments.step == "check" and arguments.all:
        done.append(take(partial(check_leftovers, job, versions)))
    if arguments.step == "check" and all(done):
        print(f"{len(versions)} documents are the facts of their sources")
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
