"""What an operation is asked: its arguments and its body, read as engines read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynadock.spec.model import Operation


class Asked(NamedTuple):
    """A request to one operation.

    ``arguments`` are by the wire's names, with the document's defaults; ``body`` is a JSON value,
    the bytes of a binary body, or None; ``wants_upgrade`` tells that the connection may be taken
    over.
    """

    operation: Operation
    arguments: Mapping[str, Any]
    body: Any
    headers: Mapping[str, str]
    wants_upgrade: bool = False

    def get(self, name: str, default: Any = None) -> Any:
        """Return an argument, ``default`` if it was not given."""
        return self.arguments.get(name, default)

    @property
    def fields(self) -> dict[str, Any]:
        """The body's fields, none where there is no body."""
        return self.body if isinstance(self.body, dict) else {}

    @property
    def filters(self) -> dict[str, list[str]]:
        """The filters, none where there are none."""
        return self.arguments.get("filters") or {}
