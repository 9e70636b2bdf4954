"""Secrets in memory: what holds one shows a mask, and `reveal` gives what is behind it.

Whatever prints, formats, logs, joins or writes JSON reads a text's characters, or a mapping's
items, and asks no repr. So a `Secret` has the mask for its characters, and keeps what it hides
beside them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

MASK = "****"
"""What is shown in place of a secret."""

# Compiled when it is first asked for: a start need not wait.
_OF_SECRETS = r"auth(?!ors?$)|cookie|token|secret|passw|credential|api-?key|x-registry-config"


class _OnlyHere:
    """What a secret is held in: it is its own copy, and not pickled."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: Any) -> Self:
        return self

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise not_pickled()


class Secret(_OnlyHere, str):
    """A text that reads as a mask, ``****`` or ``shown``; `reveal` gives the text that it hides.

    It equals that text, is empty if that is, and is not pickled.
    """

    __slots__ = ("_hidden",)
    _hidden: str

    def __new__(cls, hidden: str, shown: str = MASK) -> Self:
        """Hide a text, which may be a secret already."""
        plain = plain_string(hidden)
        made = super().__new__(cls, shown if plain else "")
        made._hidden = plain
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and self._hidden == plain_string(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self._hidden)


class SecretBytes(_OnlyHere, bytes):
    """Bytes whose repr and text show how many they are; they are not pickled."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"

    __str__ = __repr__


class Hidden(_OnlyHere, dict[str, Any]):
    """A dict whose repr shows its keys alone, and that is not pickled.

    Its values are what they were: it is for what must not be shown, and is used by us alone.
    """

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{key!r}: …" for key in self) + "}"

    def __rich_repr__(self) -> Iterator[Any]:
        """Yield what rich shows, which looks into dicts by itself."""
        yield from self


class _HiddenTuple(tuple[Any, ...]):
    """A tuple whose repr shows how long it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} values>"

    def __rich_repr__(self) -> Iterator[Any]:
        """Yield what rich shows, which looks into tuples by itself."""
        yield len(self)


_NO_ARGUMENTS = _HiddenTuple()


def hidden(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], Hidden]:
    """Return a call's arguments so that a traceback which shows locals does not show them."""
    return _HiddenTuple(args) if args else _NO_ARGUMENTS, Hidden(kwargs)


def not_pickled() -> TypeError:
    """Return what is raised where a secret would get into a file or to another process."""
    return TypeError("credentials are not pickled; give them again where they are needed")


def conceal(value: Any) -> Any:
    """Return a value whose texts and bytes are secrets, inside mappings and lists too.

    What is empty stays as it is.
    """
    if isinstance(value, str):
        return value if isinstance(value, Secret) or not value else Secret(value)
    if isinstance(value, bytes):
        return SecretBytes(value)
    if isinstance(value, Mapping):
        return Hidden({key: conceal(member) for key, member in value.items()})
    if isinstance(value, (list, tuple)):
        return [conceal(member) for member in value]
    return value


def reveal(value: Any) -> Any:
    """Return what a value hides, in plain: the one way to see a secret that is held.

    ``value`` may be a text or bytes, a mapping (``reveal(request.headers)``, credentials), of which
    a dict is returned, or a list or tuple, of which a list is; other values are returned as they
    are.
    """
    if isinstance(value, str):
        return plain_string(value) if isinstance(value, Secret) else value
    if isinstance(value, SecretBytes):
        return bytes(value)
    if isinstance(value, Mapping):
        return {reveal(key): reveal(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [reveal(member) for member in value]
    return value


def plain_string(text: str) -> str:
    """Return a text by itself: what a secret hides, the value of an enum's member."""
    if isinstance(text, Secret):
        return text._hidden  # noqa: SLF001 - nobody else asks for it
    return str.__str__(text)


def is_secret_name(name: str) -> bool:
    """Tell whether a header or parameter is secret by its name; documents may mark others."""
    return re.search(_OF_SECRETS, name, re.IGNORECASE) is not None


def discreet_address(address: str) -> str:
    """Return an address that shows no user and password, if both stand in it."""
    plain = plain_string(address)
    scheme, mark, rest = plain.partition("://") if "://" in plain else ("", "", plain)
    user, _, place = rest.rpartition("@")
    return Secret(plain, f"{scheme}{mark}{MASK}@{place}") if ":" in user else address
