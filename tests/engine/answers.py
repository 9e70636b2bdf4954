"""What engines answer where they do not do what the documents say: reading ``answers.yaml``."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from dynadock import APIError, UnknownOperation
from dynadock.spec.versions import VersionRange, parse_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dynadock import Client
    from engine.engines import Target

TABLE = Path(__file__).with_name("answers.yaml")


@dataclass(frozen=True)
class Answer:
    """A row of the table for one case: who answers so, and what.

    It is either an error (``status`` and words of its ``message``) or a ``value`` of its own. An
    error that ``ends`` a test is all that the engine has to say to it.
    """

    case: str
    engine: str
    releases: VersionRange
    api: VersionRange
    status: int | None
    message: str
    value: Any = field(hash=False)
    ends: bool = False
    why: str = ""

    def is_of(self, target: Target) -> bool:
        """Tell whether the row speaks of that engine at that API version."""
        return (
            self.engine == target.engine.kind
            and target.engine.release in self.releases
            and target.version in self.api
        )

    @property
    def operation_id(self) -> str:
        return operation_of(self.case)


def operation_of(case: str) -> str:
    """Return the operationId of a case such as ``ContainerTop: of a stopped one``."""
    return case.partition(":")[0]


@cache
def table() -> tuple[Answer, ...]:
    """Read the table, one answer for each case of a row."""
    rows = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return tuple(answer for row in rows for answer in _answers(row))


def _answers(row: dict[str, Any]) -> Iterator[Answer]:
    cases = row["to"] if isinstance(row["to"], list) else [row["to"]]
    for case in cases:
        yield Answer(
            case,
            row["engine"],
            parse_range(row.get("releases", "all")),
            parse_range(row.get("api", "all")),
            row.get("status"),
            row.get("message", ""),
            row.get("value"),
            row.get("ends", False),
            row["why"],
        )


def end_of(target: Target, error: APIError) -> Answer | None:
    """Return the row that says that a test ends with that error, None if none does."""
    said = (error.operation_id, error.status)
    for answer in table():
        is_about_it = answer.ends and answer.is_of(target) and said == (answer.case, answer.status)
        if is_about_it and answer.message in error.explanation:
            return answer
    return None


class Expected:
    """What one engine at one API version is expected to do.

    ``with expected("ContainerUpdate"):`` runs its block; where the table has an answer for the
    case, the block must end in exactly that error. An operation that the version's document does
    not know must end in UnknownOperation. ``expected.value(case, usual)`` is the value that the
    table has for the case, else the usual one.
    """

    def __init__(self, target: Target, client: Client, note: Callable[[Answer], None]) -> None:
        self._target = target
        self._client = client
        self._note = note

    @contextmanager
    def __call__(self, case: str) -> Iterator[None]:
        answer = self._answer(case)
        if operation_of(case) not in self._client.operations:
            with pytest.raises(UnknownOperation, match="arrived in"):
                yield
        elif answer is None:
            yield
        else:
            with pytest.raises(APIError) as caught:
                yield
            self._hold(answer, caught.value)

    def value(self, case: str, usual: Any) -> Any:
        """Return what the table says that comes instead of the usual value."""
        answer = self._answer(case)
        if answer is None:
            return usual
        assert answer.status is None, f"{TABLE.name} has an error and no value for {case}"
        self._note(answer)
        return answer.value

    def _answer(self, case: str) -> Answer | None:
        found = [each for each in table() if each.case == case and each.is_of(self._target)]
        assert len(found) <= 1, f"{TABLE.name} has {len(found)} rows for {case} at {self._target}"
        return found[0] if found else None

    def _hold(self, answer: Answer, error: APIError) -> None:
        came = (error.operation_id, error.status)
        assert came == (answer.operation_id, answer.status), error
        assert answer.message in error.explanation
        self._note(answer)
