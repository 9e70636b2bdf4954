"""What may become of an operation at a version of an engine, and of a test, as data."""

from __future__ import annotations

from typing import NamedTuple


class Outcome(NamedTuple):
    """One thing that may come of it.

    ``sign`` stands for it in a small cell, ``word`` elsewhere; ``tone`` is that of the pages'
    palette, empty for none.
    """

    name: str
    sign: str
    word: str
    tone: str
    meaning: str


OUTCOMES = (
    Outcome("untried", "·", "not tried", "", "no test has called it"),
    Outcome("absent", "○", "not there", "", "the version's document does not have it"),
    Outcome("passed", "✓", "passed", "good", "it was called, and did what the document says"),
    Outcome("refused", "⊘", "refused", "calm", "the engine does not do it, and says so"),
    Outcome("deviating", "!", "deviating", "warn", "it works, but not as the document says"),
    Outcome("failed", "✗", "failed", "bad", "a test of it failed"),
)
"""All of them, from the weakest: where two are said of one cell, the later one holds."""

BY_NAME = {each.name: each for each in OUTCOMES}
RANK = {each.name: place for place, each in enumerate(OUTCOMES)}

READ_FIRST = ("failed", "deviating", "refused", "passed", "absent", "untried")
"""The order in which a reader wants them."""

TEST_OUTCOMES = ("skipped", "passed", "failed", "error")
"""What may become of a test, from the weakest."""
