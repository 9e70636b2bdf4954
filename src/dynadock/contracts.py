"""What a caller wants of exchanges that are not as the document says: `Contract`.

How they are found is in `dynadock.contract`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from dynadock.errors import SpecError
from dynadock.spec.names import closest
from dynadock.spec.versions import VersionRange, parse_range, parse_version

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    Mode = Literal["off", "record", "warn", "raise"]

    Allow = str | os.PathLike[str] | Mapping[str, Any] | Iterable[Mapping[str, Any]] | None

ZERO, NEWER, UNDOCUMENTED = "zero", "newer", "undocumented"
DENIED_NULL, WRONG, TRANSPORT = "denied-null", "wrong", "transport"

CLASSES = {
    ZERO: "null, or an empty text, where the document is silent: Go's nothing",
    NEWER: "a field that a newer document has",
    UNDOCUMENTED: "a field of no document",
    DENIED_NULL: "null where the document says that there is none",
    WRONG: "a type, a choice or a limit of the document's that a value does not keep to",
    TRANSPORT: "a status, a Content-Type or a body that the document does not have",
}
"""The classes of deviations, the least important first, and what each is."""

FAILING = (DENIED_NULL, WRONG, TRANSPORT)
"""The classes that `warn` and `raise` take unless they are told otherwise."""

OFF = "off"
MODES = (OFF, "record", "warn", "raise")

_FIELDS = ("to", "place", "kind", "api", "engine", "why")


class Allowed(NamedTuple):
    """A row of the deviations that a caller knows of: which it means, and ``why`` they are.

    ``operations`` are operationIds, ``places`` places in exchanges (``State.Pid``, ``status``) or
    fields of definitions (``ContainerState.Pid``), ``kinds`` classes, ``engines`` words that stand
    in what an engine calls itself (``Docker/26.1``); each means any where it is empty.
    """

    operations: tuple[str, ...]
    places: tuple[str, ...]
    kinds: tuple[str, ...]
    api: VersionRange
    engines: tuple[str, ...]
    why: str

    def holds(self, finding: Any, engine: str = "") -> bool:
        """Tell whether the row means a `dynadock.contract.finding.Finding` of an engine."""
        return (
            (not self.operations or finding.operation_id in self.operations)
            and (not self.kinds or finding.kind in self.kinds)
            and (not self.places or finding.place in self.places or finding.home in self.places)
            and parse_version(finding.version) in self.api
            and (not self.engines or any(each in engine for each in self.engines))
        )

    def __str__(self) -> str:
        parts = (self.operations, self.places, self.kinds, self.engines)
        words = [", ".join(part) for part in parts if part]
        return f"{'; '.join(words)} at API {self.api} ({self.why})"


class Contract:
    """What becomes of exchanges that are not as the document says; frozen.

    ``mode`` is ``"record"`` (`Client.deviations` has them), ``"warn"`` (and ContractWarning at the
    caller's line) or ``"raise"`` (and ContractError once the reply is complete). ``classes`` are
    those that warn and raise; see `CLASSES`. ``allow`` are deviations that are known: the path of a
    YAML file, or its content, a list of rows (``to``, ``place``, ``kind``, ``api``, ``engine``,
    and the ``why``, which each row needs). They neither warn nor raise.

    Raises ValueError or TypeError for what these may not be, SpecError for a file of no use.
    """

    __slots__ = ("allowed", "classes", "mode")
    mode: Mode
    classes: tuple[str, ...]
    allowed: tuple[Allowed, ...]

    def __init__(
        self, mode: Mode = "record", classes: Iterable[str] = FAILING, allow: Allow = None
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"mode: expected {_listed(MODES)}, got {mode!r}")
        if isinstance(classes, str):
            classes = (classes,)
        chosen = tuple(_known(each, CLASSES, "class") for each in classes)
        set_slot = object.__setattr__
        set_slot(self, "mode", mode)
        set_slot(self, "classes", chosen)
        set_slot(self, "allowed", _rows(allow))

    def __setattr__(self, name: str, _value: Any) -> None:
        raise AttributeError(f"{name}: contracts are frozen; make another one")

    def why(self, finding: Any, engine: str = "") -> Allowed | None:
        """Return the row that allows a finding of an engine, None if none does."""
        return next((row for row in self.allowed if row.holds(finding, engine)), None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Contract) and self._values == other._values

    def __hash__(self) -> int:
        return hash(self._values)

    @property
    def _values(self) -> tuple[Any, ...]:
        return (self.mode, self.classes, self.allowed)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: Any) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restored, self._values)

    def __repr__(self) -> str:
        known = f", {len(self.allowed)} rows allowed" if self.allowed else ""
        return f"<Contract {self.mode!r} of {', '.join(self.classes) or 'nothing'}{known}>"


def contract_of(value: Any) -> Contract | None:
    """Return what an option's value stands for, None where exchanges are not looked at."""
    contract = value if isinstance(value, Contract) else _BY_MODE[value]
    return None if contract.mode == OFF else contract


def _restored(mode: Mode, classes: tuple[str, ...], allowed: tuple[Allowed, ...]) -> Contract:
    made = Contract(mode, classes)
    object.__setattr__(made, "allowed", allowed)
    return made


def _rows(allow: Allow) -> tuple[Allowed, ...]:
    if allow is None:
        return ()
    if isinstance(allow, (list, tuple)):
        return tuple(_row(row, f"row {number}") for number, row in enumerate(allow, 1))
    if isinstance(allow, dict):
        return (_row(allow, "the row"),)
    if isinstance(allow, (bytes, set)) or not (
        isinstance(allow, str) or hasattr(allow, "__fspath__")
    ):
        raise TypeError(f"allow: expected a file's path or rows, got {type(allow).__name__}")
    return _rows_of_file(allow)


def _rows_of_file(path: Any) -> tuple[Allowed, ...]:
    import os

    import yaml

    from dynadock.spec.files import LARGEST_DOCUMENT, read_regular

    name = os.fsdecode(path)
    try:
        tree = yaml.safe_load(read_regular(name, LARGEST_DOCUMENT))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise SpecError(f"{name} cannot be read: {error}") from error
    if not isinstance(tree, list):
        raise SpecError(f"{name}: expected a list of rows, each with a 'why'")
    return tuple(_row(row, f"{name}, row {number}") for number, row in enumerate(tree, 1))


def _row(row: Any, where: str) -> Allowed:
    if not isinstance(row, dict):
        raise SpecError(f"{where}: expected a mapping with {_listed(_FIELDS)}, got {row!r:.80}")
    for field in row:
        _known(field, _FIELDS, f"field of {where}:", SpecError)
    if not isinstance(row.get("why"), str) or not row["why"].strip():
        raise SpecError(f"{where}: it has no 'why', which says why the deviation is allowed")
    if not any(row.get(field) for field in ("to", "place", "kind")):
        raise SpecError(f"{where}: it would allow all; say 'to', 'place' or 'kind'")
    kinds = _texts(row, "kind", where)
    for kind in kinds:
        _known(kind, CLASSES, f"class in {where}:", SpecError)
    (api,) = _texts(row, "api", where) or ("all",)
    return Allowed(
        _texts(row, "to", where),
        _texts(row, "place", where),
        kinds,
        parse_range(api),
        _texts(row, "engine", where),
        " ".join(row["why"].split()),
    )


def _texts(row: Mapping[str, Any], field: str, where: str) -> tuple[str, ...]:
    value = row.get(field)
    values = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(each, str) for each in values) or (field == "api" and len(values) > 1):
        raise SpecError(f"{where}: {field}: expected text, in quotes where it is a number")
    return tuple(values)


def _known(name: Any, known: Iterable[str], what: str, wrong: type[Exception] = ValueError) -> str:
    names = [*known]
    if name in names:
        return str(name)
    meant = closest(name, names) if isinstance(name, str) else None
    hint = f"did you mean {meant!r}? There" if meant else "there"
    raise wrong(f"there is no {what} {name!r:.80}; {hint} are {', '.join(names)}")


def _listed(names: Iterable[str]) -> str:
    *others, last = map(repr, names)
    return f"{', '.join(others)} or {last}"


_BY_MODE = {mode: Contract(mode) for mode in MODES}  # type: ignore[arg-type]
