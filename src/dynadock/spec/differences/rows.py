"""Differences as data: where, what, how bad, and in which operations.

=======================================  ==========================================================
kind                                     ``place``, ``old`` and ``new``
=======================================  ==========================================================
operation-added, -removed                the operationId
operation-renamed, operation-id-changed  the newer operationId; both operationIds
operation-moved                          the operationId; ``GET /path`` of both
deprecated, undeprecated                 an operation, a parameter or a field
parameter-added, -removed,               ``query all``, ``path id``, ``header X-Registry-Auth``; the
required-parameter-added                 word for its type
collection-changed                       a parameter; ``csv``, ``multi``, …
body-added, -removed,                    ``body``; the word for its type
required-body-added
reply-added, -removed                    ``reply``; the word for the type of what a success brings
reply-kind-changed                       ``reply``; kinds of `dynadock.spec.kinds`
success-added, -removed,                 ``status 304``; the status
error-added, -removed
media-type-added, -removed               ``body`` or ``reply``; the media type
header-added, -removed                   ``reply header X-Name``; the word for its type
field-added, -removed,                   a field; the word for its type
required-field-added
became-required, became-optional         a parameter, the body or a field
became-nullable, became-not-nullable     a body, a reply or a field
type-changed, -widened, -narrowed        anything with a value; words for types
type-described, type-opened              the same; one side said only ``object``, or nothing
format-changed                           the same; formats, None where there is none
enum-introduced, enum-dropped            the same; the list of values
enum-value-added, -removed               the same; one value
default-changed                          the same; values, None where there is none
bound-tightened, -loosened               the same; ``int64``, ``from 0``, ``at most 5 items``, …
pattern-changed                          the same; the patterns
=======================================  ==========================================================

A field's place is its definition and its path there, ``Resources.Memory`` or
``Mount.BindOptions.Propagation``; ``[]`` stands for a list's items, ``{}`` for a map's values.
Where an operation has it outside of definitions, the place is ``body A.B``, ``reply A.B`` or
``reply 404 A.B``. What is inside something that was added, removed or replaced has no row of its
own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dynadock.spec.differences.severities import severity_of, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable

REQUEST = "request"
REPLY = "reply"
BOTH = "both"


class Use(NamedTuple):
    """Where an operation has what differs.

    ``direction`` is request or reply, ``path`` leads there: ``query all``, ``body A.B``, ``reply
    [].State``, empty for the operation itself.
    """

    operation_id: str
    direction: str
    path: str


class Difference(NamedTuple):
    """One difference between two versions.

    ``place`` says where, ``definition`` is the name of the definition that has it, empty outside of
    definitions; ``kind`` is one of the table above, ``severity`` breaking, risky or harmless;
    ``old`` and ``new`` are what the table says, None where there is none; ``uses`` are the
    operations that have it, each in the direction and at the path where it has it first. An
    operation is called as in the newer version, unless only the older one has it.
    """

    place: str
    definition: str
    kind: str
    severity: str
    old: Any
    new: Any
    uses: tuple[Use, ...]

    @property
    def operations(self) -> tuple[str, ...]:
        """The operationIds, each once."""
        return tuple(dict.fromkeys(use.operation_id for use in self.uses))

    @property
    def direction(self) -> str:
        """``request``, ``reply`` or ``both``; empty for a definition that no operation uses."""
        return direction_of(use.direction for use in self.uses)

    @property
    def words(self) -> str:
        """What became of it, without its place: ``a new field, boolean``."""
        return words_of(self.kind, self.old, self.new)

    def within(self, operation_id: str) -> Difference | None:
        """Return what the difference is to one operation, None if it does not have it."""
        uses = tuple(use for use in self.uses if use.operation_id == operation_id)
        if not uses:
            return None
        if len(uses) == len(self.uses):
            return self
        severity = severity_of(self.kind, (use.direction for use in uses))
        return self._replace(uses=uses, severity=severity)

    def concerns(self, place: str) -> bool:
        """Tell whether it is at a place, inside it, or about something around it as a whole."""
        if is_inside(self.place, place):
            return True
        return is_inside(place, self.place) and self.kind.startswith(_WHOLE)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return {
            "place": self.place,
            "definition": self.definition,
            "direction": self.direction,
            "kind": self.kind,
            "severity": self.severity,
            "old": self.old,
            "new": self.new,
            "words": self.words,
            "uses": [
                {"operation": use.operation_id, "direction": use.direction, "path": use.path}
                for use in self.uses
            ],
        }

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Difference:
        """Return what `as_dict` was made of."""
        uses = (Use(each["operation"], each["direction"], each["path"]) for each in row["uses"])
        return cls(**{name: row[name] for name in cls._fields[:-1]}, uses=tuple(uses))

    def __str__(self) -> str:
        owner = "" if self.definition or self.place in self.operations else self.operations[0]
        return ": ".join(filter(None, [owner, self.place, self.words]))


_WHOLE = ("field-", "required-field-", "type-")
"""How kinds begin of which what is inside has no rows of its own."""


def is_inside(place: str, around: str) -> bool:
    """Tell whether a place is another one, or inside it."""
    return place == around or place.startswith((f"{around}.", f"{around}[", f"{around}{{"))


def direction_of(directions: Iterable[str]) -> str:
    """Return one word for several directions."""
    found = {*directions}
    return BOTH if len(found) > 1 else next(iter(found), "")
