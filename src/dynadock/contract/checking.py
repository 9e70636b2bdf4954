"""What in an exchange is not as its document says: found by openapi-core, told in our words.

openapi-core finds errors of types, choices, limits and required fields, in bodies, headers and
parameters. What it does not look at, or not well, is found here:

- the status and the Content-Type, which streams have too and whose forms vary, and bodies where
  none may be;
- fields that the document does not have: its own way to forbid them judges each part of an
  ``allOf`` by itself.

An engine may send anything: of each value the first `dynadock.contract.validators.MOST_ERRORS`
errors are looked at, in time that is linear in its size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.contract.finding import REPLY
from dynadock.contract.looking import Look
from dynadock.contract.replies import findings_in_reply, look_at_item
from dynadock.contract.requests import findings_in_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock.contract.exchange import Exchange
    from dynadock.contract.finding import Finding
    from dynadock.spec.model import Operation


def findings(exchange: Exchange, unchecked: Callable[[str], object] | None = None) -> list[Finding]:
    """Return what in an exchange is not as the document of its operation's version says.

    ``unchecked`` is called with the reason for each part that cannot be looked at. Nothing that an
    engine or a client sends raises.
    """
    note = unchecked or _ignore
    found: list[Finding] = []
    for look in (findings_in_request, findings_in_reply):
        try:
            found += look(exchange, note)
        except Exception as error:  # noqa: BLE001 - a call must not fail for what looks at it
            note(f"{exchange.operation.operation_id}: {type(error).__name__}")
    return found


def findings_in_item(operation: Operation, value: Any) -> list[Finding]:
    """Return what in a value of a stream of JSON is not as the document says."""
    look = Look(operation, REPLY)
    look_at_item(look, value)
    return look.findings


def _ignore(_reason: str) -> None:
    """Do without what nobody wants to hear of."""
