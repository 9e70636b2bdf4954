"""What differs between two versions, as users hold it: rows to choose from, to show, to write."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from dynadock.errors import SpecError
from dynadock.spec.cache import code_state, digest, read_text, write_text
from dynadock.spec.differences import comparison
from dynadock.spec.differences.rows import Difference, Use, is_inside
from dynadock.spec.differences.severities import BREAKING, FILE, HARMLESS, RISKY, SEVERITIES
from dynadock.spec.library import bundled_content
from dynadock.spec.loader import load_spec
from dynadock.spec.model import Spec
from dynadock.spec.names import closest
from dynadock.spec.versions import looks_like_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Protocol, SupportsIndex

    from dynadock.spec.loader import Source

    class Client(Protocol):
        """A client, whose layer is above this one."""

        @property
        def version(self) -> str:
            """The API version."""

    Side = Source | Spec | Client

FORMAT = "dynadock differences 1"
MOST_SHOWN = 100
"""Rows that a prompt shows; `Differences.text` has all of them."""


def diff(old: Side, new: Side, *, raw: bool = False) -> Differences:
    """Return what differs between two versions, from ``old`` to ``new``.

    Each is a version as text (``"1.40"``), the path of a document, a document that is loaded
    already (dict), or a client. They are compared as the overlay corrects them; with ``raw``, as
    they are.
    The kinds of differences and what each means to a program are listed in
    `dynadock.spec.differences.rows` and in ``specs/severities.yaml``.

    Raises SpecError for a version or a document that cannot be loaded, and for a client with
    ``raw``, since its document has been corrected.
    """
    specs = spec_of(old, raw=raw), spec_of(new, raw=raw)
    names = _name_of(old, specs[0]), _name_of(new, specs[1])
    return Differences(_compared(*specs), *names, specs=specs, raw=raw)


def diff_of_definition(old: Side, new: Spec, name: str) -> Differences:
    """Return what differs in a definition that both have, and in what is inside it."""
    narrowed = diff(old, new).of(name)
    if narrowed:
        return narrowed
    # No operation of both may have it.
    rows = comparison.compare_definition(spec_of(old), new, name)
    return narrowed._like(rows)  # noqa: SLF001 - of one class


def spec_of(source: Side, *, raw: bool = False) -> Spec:
    """Return the Spec of what `diff` takes."""
    if isinstance(source, (str, os.PathLike, dict)):
        return load_spec(source, raw=raw)
    spec = source if isinstance(source, Spec) else getattr(source, "_spec", None)
    if not isinstance(spec, Spec):
        return load_spec(source)  # type: ignore[arg-type]  # which says what was expected
    if raw:
        raise SpecError(
            f"raw: expected a version, a path or a document on both sides, got {source!r},"
            " which the overlay has corrected"
        )
    return spec


def _name_of(source: Side, spec: Spec) -> str:
    if isinstance(source, (str, os.PathLike)):
        text = os.fsdecode(source)
        return str(spec.version) if looks_like_version(text) else text
    return str(spec.version)


def _compared(old: Spec, new: Spec) -> list[Difference]:
    """Return the differences of two Specs, from the user's cache where both may be kept there."""
    if not (old.key and new.key):
        return comparison.compare(old, new)
    code = code_state(comparison.__file__)
    key = digest(b"differences", old.key.encode(), new.key.encode(), bundled_content(FILE), code)
    text = read_text(key)
    if text is not None:
        kept = json.loads(text)
        return [Difference._make([*row, tuple(map(Use._make, uses))]) for *row, uses in kept]
    rows = comparison.compare(old, new)
    write_text(key, json.dumps(rows, separators=(",", ":")).encode())
    return rows


class Differences(Sequence[Difference]):
    """What differs between two versions: a read-only sequence of `Difference`, worst first.

    ``old`` and ``new`` are the two sides' names, ``about`` the operation or definition that they
    were narrowed down to, else empty; ``is_raw`` tells whether the overlay was left out. Prints as
    text, the first rows of very many.
    """

    def __init__(
        self,
        rows: Iterable[Difference],
        old: str,
        new: str,
        *,
        specs: tuple[Spec, Spec] | None = None,
        raw: bool = False,
        about: str = "",
        texts: Mapping[str, str] | None = None,
    ) -> None:
        self._rows = sorted(rows, key=lambda row: SEVERITIES.index(row.severity))
        self._specs = specs
        self._texts = texts or {}
        self.old = old
        self.new = new
        self.is_raw = raw
        self.about = about

    def _like(self, rows: Iterable[Difference], about: str | None = None) -> Differences:
        return Differences(
            rows,
            self.old,
            self.new,
            specs=self._specs,
            raw=self.is_raw,
            about=self.about if about is None else about,
            texts=self._texts,
        )

    @overload
    def __getitem__(self, place: SupportsIndex) -> Difference: ...

    @overload
    def __getitem__(self, place: slice) -> Differences: ...

    def __getitem__(self, place: SupportsIndex | slice) -> Difference | Differences:
        if isinstance(place, slice):
            return self._like(self._rows[place])
        return self._rows[place]

    def __len__(self) -> int:
        return len(self._rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Differences) and (
            (self.old, self.new, self.is_raw, self._rows)
            == (other.old, other.new, other.is_raw, other._rows)
        )

    __hash__ = None  # type: ignore[assignment]  # values of JSON are in it

    @property
    def breaking(self) -> Differences:
        """Those with which a call that was right is refused, or a value that was read is gone."""
        return self.only(BREAKING)

    @property
    def risky(self) -> Differences:
        """Those that may go unnoticed and mean something else."""
        return self.only(RISKY)

    @property
    def harmless(self) -> Differences:
        """Those that a program for the older version does not notice."""
        return self.only(HARMLESS)

    def only(self, severity: str) -> Differences:
        """Return those of one severity."""
        return self._like(row for row in self._rows if row.severity == severity)

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each severity."""
        found = Counter(row.severity for row in self._rows)
        return {severity: found[severity] for severity in SEVERITIES}

    def of(self, name: str) -> Differences:
        """Return what concerns an operation or a definition.

        ``name`` is an operationId, also in snake_case or an older one; the name of a definition
        (``HostConfig``), which includes those inside it; or a field of one (``HostConfig.Memory``).
        A difference that several operations have is, to one of them, as bad as it is there. Raises
        SpecError, which suggests a name, if neither version knows it.
        """
        operation_id = self._operation_called(name)
        if operation_id:
            narrowed = (row.within(operation_id) for row in self._rows)
            return self._like((row for row in narrowed if row is not None), operation_id)
        chosen = self._chosen_by_definition(name)
        if chosen is None:
            raise SpecError(self._unknown(name))
        return self._like((row for row in self._rows if chosen(row)), name)

    def _operation_called(self, name: str) -> str:
        """Return the operationId that rows have for a name, "" if it is no operation's."""
        if self._specs is None:
            return name if any(name in row.operations for row in self._rows) else ""
        old, new = self._specs
        for spec in (new, old):
            found = name if name in spec else spec.names.get(name)
            if found is not None and (spec is new or found not in new):
                return self._renamed.get(found, found)
        return ""

    @property
    def _renamed(self) -> dict[str, str]:
        kinds = {"operation-renamed", "operation-id-changed"}
        return {row.old: row.new for row in self._rows if row.kind in kinds}

    def _chosen_by_definition(self, name: str) -> Callable[[Difference], bool] | None:
        if self._specs is None:
            known = any(row.definition and is_inside(row.place, name) for row in self._rows)
            return (lambda row: is_inside(row.place, name)) if known else None
        from dynadock.explore.places import homes_of, names_inside

        homes = {each for spec in self._specs for each in homes_of(spec, name)}
        if not homes:
            return None
        inside = {each for spec in self._specs for each in names_inside(spec, name)}
        return lambda row: row.definition in inside or any(row.concerns(each) for each in homes)

    def _unknown(self, name: str) -> str:
        known = {each for spec in self._specs or () for each in (*spec, *spec.definitions)}
        meant = closest(name, known)
        hint = f"; did you mean {meant}?" if meant else ""
        return f"neither {self.old} nor {self.new} has an operation or a definition {name!r}{hint}"

    def text_about(self, row: Difference) -> str:
        """Return the first sentence of our text about what differs, empty if there is none."""
        if self._specs is None:
            return self._texts.get(_key(row), "")
        from dynadock.explore.difference_texts import text_about

        old, new = self._specs
        return text_about(row, new.version) or text_about(row, old.version)

    def text(self, width: int | None = None) -> str:
        """Return all rows as text, grouped by severity, then by operation or definition.

        Without a ``width`` it is as wide as the terminal, within bounds.
        """
        from dynadock.explore.difference_views import as_text

        return as_text(self, width)

    def markdown(self) -> str:
        """Return a document in Markdown (GitHub's), with a table for each severity."""
        from dynadock.explore.difference_views import as_markdown

        return as_markdown(self)

    def html(self) -> str:
        """Return a page for browsers: one file, which loads nothing, with filters."""
        from dynadock.explore.difference_page import page

        return page(self)

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain values; `from_dict` reads them."""
        rows = [{**row.as_dict(), "text": self.text_about(row)} for row in self._rows]
        return {
            "format": FORMAT,
            "old": self.old,
            "new": self.new,
            "about": self.about,
            "raw": self.is_raw,
            "counts": self.counts,
            "differences": rows,
        }

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any]) -> Differences:
        """Return what `as_dict` was made of; SpecError if ``tree`` is nothing of the kind."""
        if tree.get("format") != FORMAT:
            raise SpecError(f"expected {FORMAT!r} as the format, got {tree.get('format')!r}")
        rows = [Difference.from_dict(each) for each in tree["differences"]]
        texts = {
            _key(row): each["text"] for row, each in zip(rows, tree["differences"], strict=True)
        }
        names = tree["old"], tree["new"]
        return cls(rows, *names, raw=tree["raw"], about=tree["about"], texts=texts)

    def json(self) -> str:
        """Return `as_dict` as JSON."""
        return json.dumps(self.as_dict(), indent=1, ensure_ascii=False)

    def __repr__(self) -> str:
        from dynadock.explore.difference_views import as_text

        return as_text(self, most=MOST_SHOWN)

    def _repr_markdown_(self) -> str:
        return self.markdown()


def _key(row: Difference) -> str:
    """Return what a row's text is kept under; values of JSON are no keys themselves."""
    return json.dumps(row)
