"""One part of an exchange, looked at: what is found in it, and in values by their schemas."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from dynadock.contract.documented import documented
from dynadock.contract.finding import Finding
from dynadock.contract.nodes import Spot, unknown_fields
from dynadock.contract.words import expected_by, told
from dynadock.contracts import DENIED_NULL, NEWER, UNDOCUMENTED, WRONG, ZERO
from dynadock.secret import is_secret_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from dynadock.contract.newer import NamesOf
    from dynadock.contract.nodes import Steps
    from dynadock.contract.validators import Wrong
    from dynadock.spec.model import Operation
    from dynadock.spec.schema import Schema

    SchemaOf = Callable[[Operation], "Schema | None"]
    """Finds the schema that a value has, in whatever version's operation."""

REQUIRED = "it, as it is required"

_MOST_OF_PART = 1
"""Errors of a parameter that are told: the first says what is wrong."""

MOST_FOUND = 500
"""Findings of one part of an exchange, or of one item of a stream."""

_MOST_UNKNOWN = 5_000
"""Unknown fields of one value that are looked at: in a list, each item has the same ones."""

_OF_ZERO = ("format",)
"""Keywords that Go's zero value of a text, an empty one, does not keep to.

Enums are not among them: whoever chooses by one does not expect an empty text.
"""


class Look:
    """What is found in the request or the reply of an exchange."""

    def __init__(self, operation: Operation, part: str) -> None:
        self.operation = operation
        self.part = part
        self.documented = documented(operation.spec)
        self._found: dict[tuple[str, str], Finding] = {}
        self._unknown_places: set[str] = set()

    @property
    def findings(self) -> list[Finding]:
        """What was found, each once."""
        return [*self._found.values()]

    def add(self, kind: str, place: str, **details: str) -> None:
        """Note a finding; see `Finding` for the details."""
        key = (kind, place)
        if key not in self._found and len(self._found) < MOST_FOUND:
            operation = self.operation
            self._found[key] = Finding(
                kind, operation.operation_id, self.documented.version, self.part, place, **details
            )

    def add_unknown(
        self, place: str, name: str, where: str, names_of: NamesOf, **details: str
    ) -> None:
        """Note a thing that the document does not have; other versions' may have it.

        ``names_of`` gives the names that an operation has in the place that ``where`` says.
        """
        found = self.documented.elsewhere(self.operation, f"{self.part} {where}", names_of)
        newer = found.first_with(name)
        if newer:
            self.add(NEWER, place, since=str(newer), **details)
            return
        older = found.last_with(name)
        expected = f"nothing, as its last version is {older}" if older else "nothing"
        self.add(UNDOCUMENTED, place, expected=expected, **details)

    def parts(self, wrongs: Iterable[Wrong]) -> None:
        """Note what is wrong with parameters and headers."""
        for wrong in wrongs:
            place = f"{wrong.location} {wrong.name}"
            if wrong.is_missing:
                self.add(WRONG, place, expected=REQUIRED, got="nothing")
            is_secret = is_secret_name(wrong.name) or wrong.name in self.operation.secrets
            for error in wrong.errors[:_MOST_OF_PART]:
                expected = expected_by(error.validator, error.validator_value)
                got = told(error.instance, error.validator, is_secret=is_secret)
                self.add(WRONG, place, expected=expected, got=got)
            if not wrong.is_missing and not wrong.errors:
                self.add(WRONG, place, expected="a value of its type", got="a text of another form")

    def value(self, value: Any, schema_of: SchemaOf, errors: Iterable[Any]) -> None:
        """Look at a value with a schema; ``errors`` are jsonschema's."""
        schema = schema_of(self.operation)
        if schema is None:
            return
        root = self.documented.nodes.of(schema)
        for error in errors:
            for leaf in _leaves(error):
                self._error(leaf, Spot(root, leaf.absolute_path))
        for steps, name in islice(unknown_fields(root, value), _MOST_UNKNOWN):
            self._unknown(Spot(root, steps), steps, name, schema_of)

    def _error(self, error: Any, spot: Spot) -> None:
        keyword, wanted, value = error.validator, error.validator_value, error.instance
        if keyword == "required":
            for name in wanted:
                if name not in value:
                    self.add_at(spot.below(name), WRONG, expected=REQUIRED, got="nothing")
            return
        if value is None:
            is_denied = spot.node is not None and spot.node.is_nullable is False
            kind = DENIED_NULL if is_denied else ZERO
        else:
            kind = ZERO if value == "" and keyword in _OF_ZERO else WRONG
        got = told(value, keyword, is_secret=spot.is_secret)
        self.add_at(spot, kind, expected=expected_by(keyword, wanted), got=got)

    def add_at(self, spot: Spot, kind: str, **details: str) -> None:
        """Note a finding about what stands somewhere in a value."""
        self.add(kind, spot.place, **spot.filed, **details)

    def _unknown(self, spot: Spot, steps: Steps, name: str, schema_of: SchemaOf) -> None:
        """Note an unknown field; ``spot`` is that of the object which has it."""
        field = spot.below(name)
        if field.place in self._unknown_places or len(self._unknown_places) > MOST_FOUND:
            return
        self._unknown_places.add(field.place)

        def names_of(operation: Operation) -> Collection[str]:
            schema = schema_of(operation)
            if schema is None:
                return ()
            node = Spot(documented(operation.spec).nodes.of(schema), steps).node
            return () if node is None else node.names

        self.add_unknown(field.place, name, spot.place, names_of, got="the field", **field.filed)


def _leaves(error: Any) -> Iterator[Any]:
    """Yield the errors that say the most: of what may be null too, those of what is not null."""
    if error.validator == "anyOf" and error.context:
        branches = [
            number
            for number, branch in enumerate(error.validator_value)
            if branch.get("type") != "null"
        ]
        if len(branches) == 1:
            for inner in error.context:
                if inner.relative_schema_path[0] == branches[0]:
                    yield from _leaves(inner)
            return
    yield error
