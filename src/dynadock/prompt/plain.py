"""Completion at Python's own prompt: a completer before the one that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynadock.prompt.offers import offers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Completer = Callable[[str, int], str | None]


class PlainCompleter:
    """Offers what we know at readline's prompt, and what another completer offers elsewhere.

    ``readline`` is that module, or one that is used like it.
    """

    def __init__(self, readline: Any, names: Mapping[str, Any], other: Completer | None) -> None:
        self._readline = readline
        self._names = names
        self.other = other
        self._words: Sequence[str] | None = None

    def __call__(self, text: str, state: int) -> str | None:
        """Return a word that may stand for ``text``; readline asks with 0, 1, … until None."""
        if state == 0:
            self._words = self._known()
        if self._words is None:
            return self.other(text, state) if self.other else None
        return self._words[state] if state < len(self._words) else None

    def _known(self) -> Sequence[str] | None:
        """Return the words for what readline takes to be the text, None where we know nothing."""
        begin, end = self._readline.get_begidx(), self._readline.get_endidx()
        line = self._readline.get_line_buffer()[:end]
        found = offers(line, self._names)
        if found is None:
            return None
        # What readline cuts off begins elsewhere: at a hyphen inside of a key, before a dot.
        whole = [line[: found.start] + word for word in found.words]
        return [each[begin:] for each in whole if each.startswith(line[:begin])]


def complete_in(readline: Any, names: Mapping[str, Any]) -> None:
    """Let a prompt that reads lines with ``readline`` complete what we know, by the Tab key."""
    other = readline.get_completer()
    if isinstance(other, PlainCompleter):
        other = other.other
    readline.set_completer(PlainCompleter(readline, names, other))
    is_libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if is_libedit else "tab: complete")
