"""Completion in IPython: a matcher beside its own."""

from __future__ import annotations

from collections import ChainMap
from typing import Any

from dynadock.prompt.offers import offers

NAME = "dynadock"
PRIORITY = 200
"""Above those of IPython, so that what ours suppresses has not been asked yet."""

_SLOW = {"IPCompleter.jedi_matcher"}
"""IPython's matcher that offers arguments' names and variables too, and takes long to do so."""


def add_to(shell: Any) -> None:
    """Add the matcher to a shell, once."""
    remove_from(shell)
    shell.Completer.custom_matchers.append(_matcher(shell.Completer))


def remove_from(shell: Any) -> None:
    """Take the matcher out of a shell, if it is there."""
    matchers = shell.Completer.custom_matchers
    matchers[:] = [each for each in matchers if getattr(each, "matcher_identifier", "") != NAME]


def _matcher(completer: Any) -> Any:
    from IPython.core.completer import SimpleCompletion, context_matcher

    def match(context: Any) -> Any:
        above = context.full_text.split("\n")[: context.cursor_line]
        text = "\n".join([*above, context.text_until_cursor])
        found = offers(text, ChainMap(completer.namespace, completer.global_namespace))
        fragment = text[found.start :] if found else "\n"
        if found is None or "\n" in fragment:
            return {"completions": []}
        # Where an argument's name may stand, a variable may stand as well.
        words = [*found.words, *(() if found.are_all else completer.global_matches(fragment))]
        return {
            "completions": [SimpleCompletion(text=word, type="dynadock") for word in words],
            "matched_fragment": fragment,
            "suppress": True if found.are_all else _SLOW,
            "ordered": True,
        }

    return context_matcher(identifier=NAME, priority=PRIORITY)(match)
