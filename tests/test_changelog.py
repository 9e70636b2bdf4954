"""What the API's published changelog says of versions, against documents, differences and history.

`tests/cases/changelog.yaml` has its facts, in our own words. Each is looked for twice between each
two neighbouring versions: in the documents themselves, field by field, and among the differences
that are told; with the overlay's corrections and without.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from documents import OLDEST, VERSIONS
from dynadock.errors import SpecError
from dynadock.explore.changes import history
from dynadock.spec.changes import all_changes
from dynadock.spec.differences import Difference, compare
from dynadock.spec.fields import fields
from dynadock.spec.loader import load_version
from dynadock.spec.reader import read_document
from dynadock.spec.schema import flatten
from dynadock.spec.versions import parse_version

PATH = Path(__file__).parent / "cases" / "changelog.yaml"
PAIRS = [*itertools.pairwise(VERSIONS)]

ROWS = {
    ("operation", "added"): ("operation-added", "operation-renamed"),
    ("parameter", "added"): ("parameter-added", "required-parameter-added"),
    ("parameter", "removed"): ("parameter-removed",),
    ("request", "added"): ("field-added", "required-field-added"),
    ("request", "removed"): ("field-removed",),
    ("reply", "added"): ("field-added", "required-field-added"),
    ("reply", "removed"): ("field-removed",),
    ("value", "added"): ("enum-value-added", "enum-introduced"),
    ("code", "added"): ("error-added", "success-added"),
    ("media type", "added"): ("media-type-added",),
    ("required", "removed"): ("became-optional",),
    ("list", "added"): ("type-changed",),
}
"""Which differences say a fact of a kind."""

WHOLE = {
    "added": ("operation-added", "body-added", "reply-added", "field-added", "type-described"),
    "removed": ("operation-removed", "body-removed", "reply-removed", "field-removed"),
}
"""Which differences of something say what became of all that is in it."""

REPLACED = ("type-changed", "type-described", "type-opened", "operation-id-changed")


class Fact(NamedTuple):
    """A row of the file, for one of its operations.

    ``documents`` and ``corrected`` are the versions in which the documents have the change, as
    published and after the overlay; ``untold`` those in which differences do not tell it.
    """

    version: str
    kind: str
    change: str
    operation: str
    place: str
    part: str
    value: str
    documents: tuple[str, ...]
    corrected: tuple[str, ...]
    untold: tuple[str, ...]

    def __str__(self) -> str:
        words = (self.version, self.operation, self.part, self.place, self.value, self.change)
        return " ".join(each for each in words if each)

    @property
    def path(self) -> str:
        """Where differences have it in the operation."""
        parts = {"parameter": "query", "request": "body", "reply": "reply"}
        ours = {"code": f"status {self.place}", "media type": "reply", "operation": ""}
        return ours.get(self.kind, f"{parts.get(self.part)} {self.place}")


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [*value]


@cache
def rows_of_file() -> list[dict[str, Any]]:
    tree = read_document(PATH.read_bytes(), name=PATH.name)
    rows: list[dict[str, Any]] = tree["facts"]
    return rows


def facts_of(row: dict[str, Any]) -> list[Fact]:
    """Return a row's facts; what it leaves out is as the changelog says."""
    kind, version = row["kind"], row["version"]
    told = () if version == OLDEST else (version,)
    part = row.get("in", kind if kind in ("request", "reply", "parameter") else "")
    documents = tuple(listed(row.get("documents", told)))
    corrected = tuple(listed(row.get("corrected", told)))
    texts = (row.get("place", ""), part, row.get("value", ""))
    untold = tuple(listed(row.get("untold", ())))
    when = (documents, corrected, untold)
    return [
        Fact(version, kind, row["change"], operation, *texts, *when)
        for operation in listed(row["to"])
    ]


FACTS = [fact for row in rows_of_file() for fact in facts_of(row)]


@cache
def spec_of(version: str, *, raw: bool):
    return load_version(parse_version(version), raw=raw)


@cache
def schemas_of(version: str, operation_id: str, part: str, *, raw: bool):
    """Return the fields of a body or a reply, by their paths."""
    spec = spec_of(version, raw=raw)
    operation = spec[operation_id]
    if part == "request":
        schema = {} if operation.body is None else operation.body.schema
    else:
        schema = operation.reply.schema or {}
    return {field.path: field for field in fields(schema, spec.definitions)}


@cache
def is_there(fact: Fact, version: str, *, raw: bool) -> bool:
    """Tell from the document alone if it has what a fact is about."""
    operation = spec_of(version, raw=raw).get(fact.operation)
    if operation is None or fact.kind == "operation":
        return operation is not None
    if fact.part in ("request", "reply"):
        return is_in_schema(fact, version, raw=raw)
    if fact.part == "parameter":
        parameter = operation.by_name.get(fact.place)
        return parameter is not None and (fact.kind == "parameter" or parameter.items is not None)
    reply = operation.reply
    return fact.place in (reply.codes if fact.kind == "code" else reply.media_types)


def is_in_schema(fact: Fact, version: str, *, raw: bool) -> bool:
    field = schemas_of(version, fact.operation, fact.part, raw=raw).get(fact.place)
    if field is None or fact.kind in ("request", "reply"):
        return field is not None
    if fact.kind == "required":
        return field.required
    schema = flatten(field.schema, spec_of(version, raw=raw).definitions)
    return fact.value in schema.get("enum", ())


def says(row, fact: Fact) -> bool:
    """Tell if a difference says a fact, of it or of something that it is in."""
    for use in row.uses:
        if use.operation_id != fact.operation:
            continue
        if use.path == fact.path and says_exactly(row, fact):
            return True
        whole = (*WHOLE[fact.change], *REPLACED)
        if row.kind in whole and (not use.path or holds(use.path, fact)):
            return True
    return False


def is_at(row, fact: Fact) -> bool:
    return any((use.operation_id, use.path) == (fact.operation, fact.path) for use in row.uses)


def says_exactly(row, fact: Fact) -> bool:
    if row.kind not in ROWS[fact.kind, fact.change]:
        return False
    if fact.kind == "value":
        return fact.value in (row.new if row.kind == "enum-introduced" else [row.new])
    return fact.kind != "media type" or row.new == fact.place


def holds(path: str, fact: Fact) -> bool:
    """Tell if what stands at a path has the fact's place, or what the fact says of it, in it."""
    rest = fact.path.removeprefix(path)
    if not rest:
        return fact.kind in ("value", "required")
    return rest != fact.path and rest[0] in " .[{"


def says_elsewhere(row, fact: Fact, old: str, new: str, *, raw: bool) -> bool:
    """Tell if a fact is said of another place with the same definition; each is told once."""
    if fact.part not in ("request", "reply") or not row.definition:
        return False
    for version in (old, new):
        if fact.operation in spec_of(version, raw=raw):
            field = schemas_of(version, fact.operation, fact.part, raw=raw).get(fact.place)
            if field is not None and row.definition == field.home.definition:
                inside = row.place.removeprefix(row.definition).removeprefix(".")
                return inside == field.home.path and says_exactly(row, fact)
    return False


def changes(fact: Fact, old: str, new: str, *, raw: bool) -> bool:
    """Tell from the documents alone if it is between these that a fact comes true."""
    before, after = (is_there(fact, version, raw=raw) for version in (old, new))
    return after and not before if fact.change == "added" else before and not after


@pytest.mark.parametrize("raw", [False, True], ids=["corrected", "published"])
@pytest.mark.parametrize(("old", "new"), PAIRS, ids=str)
def test_differences_have_what_the_changelog_says_and_when(old, new, raw):
    rows: dict[str, list[Difference]] = {}
    for row in compare(spec_of(old, raw=raw), spec_of(new, raw=raw)):
        for operation_id in row.operations:
            rows.setdefault(operation_id, []).append(row)
    wrong = []
    for fact in FACTS:
        near = rows.get(fact.operation, ())
        is_so = changes(fact, old, new, raw=raw)
        told = is_so and any(
            says(row, fact) or says_elsewhere(row, fact, old, new, raw=raw) for row in near
        )
        exactly = any(says_exactly(row, fact) and is_at(row, fact) for row in near)
        if (new in (fact.documents if raw else fact.corrected)) != is_so:
            wrong.append(f"{fact}: {'' if is_so else 'not '}in the documents")
        elif is_so and told == (new in fact.untold):
            wrong.append(f"{fact}: {'' if told else 'not '}among the differences")
        elif exactly and not is_so:
            wrong.append(f"{fact}: among the differences, but not in the documents")
    assert not wrong, "\n".join(wrong)


def test_the_oldest_version_has_what_it_brought():
    wrong = [
        str(fact)
        for fact in FACTS
        if fact.version == OLDEST
        if is_there(fact, OLDEST, raw=False) != (fact.change == "added" and not fact.corrected)
    ]
    assert not wrong


def is_or_holds(name: str, place: str) -> bool:
    rest = place.removeprefix(name)
    return not rest or (rest != place and rest[0] in ".[{")


ARRIVED = {"added": "arrived", "removed": "left"}
WHAT = {
    "operation": "operation",
    "parameter": "parameter",
    "request": "field",
    "reply": "reply field",
}


def test_history_has_what_the_changelog_says_and_when():
    wrong = []
    for fact in FACTS:
        if fact.kind in WHAT:
            exactly, around = versions_in_history(fact)
            if not exactly <= {*fact.corrected} <= exactly | around:
                wrong.append(f"{fact}: history has it in {', '.join(sorted(exactly | around))}")
    assert not wrong, "\n".join(wrong)


def versions_in_history(fact: Fact) -> tuple[set[str], set[str]]:
    """Return when history has a fact, and when it has one of what the fact's place is in."""
    exactly, around = set(), set()
    for change in history(fact.operation):
        if change.kind not in (ARRIVED[fact.change], "changed"):
            continue
        whole = change.what in ("operation", "reply") or is_or_holds(change.name, fact.place)
        if whole:
            around.add(str(change.version))
        is_it = (change.what, change.name) == (WHAT[fact.kind], fact.place or fact.operation)
        if is_it and change.kind != "changed":
            exactly.add(str(change.version))
    # What one operation has in several places is told in one of them, and of the definition.
    for home in {home_of(fact, version) for version in VERSIONS} - {""}:
        with contextlib.suppress(SpecError):  # which says that no version changed its definition
            of_home = [each for each in history(home) if each.kind == ARRIVED[fact.change]]
            around |= {str(each.version) for each in of_home if each.name == home}
    return exactly, around


def home_of(fact: Fact, version: str) -> str:
    """Return the definition's field, ``Commit.Expected``, that a fact is about, "" for none."""
    if fact.part not in ("request", "reply") or fact.operation not in spec_of(version, raw=False):
        return ""
    field = schemas_of(version, fact.operation, fact.part, raw=False).get(fact.place)
    return "" if field is None or not field.home.definition else ".".join(field.home)


def test_nothing_leaves_and_comes_back():
    gone: dict[tuple[str, ...], str] = {}
    back = []
    for version, row in all_changes():
        way = row.kind.rpartition("-")[2]
        what = str(row.old or row.new) if row.kind.startswith("media-type") else ""
        where = (row.place, "" if row.definition else row.uses[0].operation_id, what)
        if way == "removed":
            gone[where] = str(version)
        elif way == "added" and where in gone:
            back.append(f"{row.place}: gone in {gone[where]}, back in {version}")
    assert back == []


def test_every_row_says_what_it_has_to():
    for row in rows_of_file():
        told = [] if row["version"] == OLDEST else [row["version"]]
        differs = [key for key in ("documents", "corrected") if key in row]
        assert all(row[key] != told for key in differs), row
        assert bool(differs or "untold" in row) == ("why" in row), row
        assert row.get("why", "A sentence.").endswith("."), row
        assert (row["kind"], row["change"]) in ROWS, row


def test_there_are_facts_of_all_kinds_and_times():
    kinds = Counter(row["kind"] for row in rows_of_file())
    assert kinds.total() >= 280
    assert {kind for kind, _ in ROWS} == {*kinds}
    # The changelog has only filters and events of these, and other values of one field.
    assert {*VERSIONS} - {row["version"] for row in rows_of_file()} == {"1.33", "1.36", "1.51"}
    assert len({(fact[:7]) for fact in FACTS}) == len(FACTS)
