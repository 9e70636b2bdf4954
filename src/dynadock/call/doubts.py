"""What a body may hold and is surely a mistake: keywords of ours, which the overlay gives fields.

Each is a keyword for jsonschema's validator. Its errors are warned of; they say what to write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dynadock.call.forms import NO_FORM, words_of
from dynadock.call.values import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jsonschema import ValidationError

    Doubt = Callable[[Any, Any, Any, Any], Iterator[ValidationError]]


def _one_text(_validator: Any, is_command: Any, value: Any, _schema: Any) -> Iterator[Any]:
    """Doubt a command that is one text: engines look for a program of that whole name."""
    from jsonschema import ValidationError

    if is_command and isinstance(value, str) and len(value.split()) > 1:
        words = words_of(value)
        split = "" if words is NO_FORM else f"{shown(words)} for a program and its arguments, or "
        problem = f"engines take the text {shown(value)} for one word"
        yield ValidationError(f"{problem}; write {split}{shown([value])} if you mean that")


def _keys_in(_validator: Any, rule: Any, value: Any, _schema: Any) -> Iterator[Any]:
    """Doubt those keys of one map below ``value`` that another does not have.

    ``rule`` has the places of both, ``keys`` and ``within``, and what becomes of such keys
    (``else``).
    """
    from jsonschema import ValidationError

    if not isinstance(rule, Mapping) or not {"keys", "within", "else"} <= rule.keys():
        # A user's own document may say anything.
        return
    keys, within = (_map_at(value, str(rule[name])) for name in ("keys", "within"))
    lacking = [key for key, each in keys.items() if each and key not in within]
    if lacking:
        wanted = shown({**within, **{key: {} for key in lacking}})
        # The place is that of the keys, as if the keyword stood there.
        yield ValidationError(
            f"{rule['else']}; write {rule['within']}={wanted}", path=str(rule["keys"]).split(".")
        )


def _map_at(value: Any, place: str) -> Mapping[str, Any]:
    for name in place.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


DOUBTS: Mapping[str, Doubt] = {"x-words": _one_text, "x-keys-in": _keys_in}
"""The keywords by name."""
