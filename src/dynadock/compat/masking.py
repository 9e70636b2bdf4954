"""What passed, without its secrets: targets, headers, and bodies of JSON by their schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.secret import MASK, is_secret_name
from dynadock.spec.schema import flatten
from dynadock.wire.messages import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynadock.spec.model import Operation

_ENVIRONMENT = "env"
"""The field, in any letters, that holds environment variables wherever it stands."""


def masked_request(
    method: str, target: str, headers: Mapping[str, str], operation: Operation | None
) -> Request:
    """Return a request whose ``shown_target`` and ``shown_headers`` show no secret."""
    secrets = frozenset() if operation is None else operation.secrets
    return Request(method, target, headers, None, secrets)


def masked(value: Any, schema: dict[str, Any] | None, definitions: Mapping[str, Any]) -> Any:
    """Return a JSON value with its secrets masked: by their schema, their names, and in ``Env``.

    Of a variable, ``NAME=value``, the name stays. A value of another type than its schema's is
    masked by names alone.
    """
    node = {} if not schema else flatten(schema, definitions)
    if node.get("x-secret"):
        return hidden(value)
    if isinstance(value, dict):
        properties = node.get("properties") or {}
        others = node.get("additionalProperties")
        others = others if isinstance(others, dict) else None
        return {
            key: hidden(each)
            if _is_secret(key, each)
            else masked(each, properties.get(key, others), definitions)
            for key, each in value.items()
        }
    if isinstance(value, list):
        items = node.get("items")
        return [masked(each, items, definitions) for each in value]
    return value


def _is_secret(key: str, value: Any) -> bool:
    if key.lower() == _ENVIRONMENT:
        return True
    # Objects and lists of a service's secrets say where these are, and not what.
    return is_secret_name(key) and not isinstance(value, (dict, list, bool))


def hidden(value: Any) -> Any:
    """Return a JSON value in which nothing but its form and the names in it can be seen."""
    if isinstance(value, str):
        name, mark, rest = value.partition("=")
        return f"{name}={MASK}" if mark and rest and name.isidentifier() else value and MASK
    if isinstance(value, dict):
        return {key: hidden(each) for key, each in value.items()}
    if isinstance(value, list):
        return [hidden(each) for each in value]
    return value if value is None or isinstance(value, bool) else MASK
