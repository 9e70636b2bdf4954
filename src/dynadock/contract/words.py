"""What was expected and what came, in words; of what came never more than a bit, and no secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dynadock.contract.finding import shortened
from dynadock.show.counts import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_CHOICES = 12
_LONGEST_CHOICE = 40
_WRITTEN_OUT = ("enum", "pattern", "format")
"""Keywords whose errors nobody understands without the text that came."""

_KEYWORDS = {
    "minimum": "{} or more",
    "maximum": "{} or less",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "{} characters or more",
    "maxLength": "{} characters or fewer",
    "minItems": "{} items or more",
    "maxItems": "{} items or fewer",
    "minProperties": "{} fields or more",
    "maxProperties": "{} fields or fewer",
    "uniqueItems": "items that differ",
    "pattern": "a text like {}",
    "format": "a {}",
    "const": "{}",
}

_TYPES = {
    "string": "a text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}


def expected_by(keyword: str, wanted: Any) -> str:
    """Say what a keyword of JSON Schema wants."""
    if keyword == "type":
        return expected_types([wanted] if isinstance(wanted, str) else wanted)
    if keyword == "enum":
        return one_of(json.dumps(each) for each in wanted if each is not None)
    words = _KEYWORDS.get(keyword)
    if words is None:
        return f"what {keyword!r} of the document says"
    return words.format(shortened(str(wanted)))


def expected_types(types: Iterable[str]) -> str:
    """Say which types of JSON are meant."""
    return one_of(_TYPES.get(each, each) for each in types)


def one_of(choices: Iterable[str]) -> str:
    """Say that one of some choices is meant; of very many only the first are told."""
    texts = [shortened(each, _LONGEST_CHOICE) for each in choices]
    if len(texts) > _MOST_CHOICES:
        texts[_MOST_CHOICES:] = [f"{len(texts) - _MOST_CHOICES} others"]
    *others, last = texts or ["nothing"]
    return f"{', '.join(others)} or {last}" if others else last


def told(value: Any, keyword: str = "", *, is_secret: bool = False) -> str:
    """Say what came; a text is written out only where ``keyword`` asks for certain texts."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, (int, float)):
        return "a number" if is_secret else shortened(repr(value), _LONGEST_CHOICE)
    if not isinstance(value, str):
        return _container(value)
    if value and keyword in _WRITTEN_OUT and not is_secret:
        return shortened(json.dumps(value, ensure_ascii=False), _LONGEST_CHOICE)
    return f"a text of {counted(len(value), 'character')}" if value else "an empty text"


def _container(value: Any) -> str:
    if isinstance(value, dict):
        return f"an object of {counted(len(value), 'field')}"
    return f"a list of {counted(len(value), 'item')}" if isinstance(value, list) else "something"
