"""Searching as people do: of many phrases nearly all have a right answer in front."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import yaml

from documents import MAIN, NEWEST
from dynadock import load

PHRASES = yaml.safe_load(
    (Path(__file__).parents[1] / "cases" / "phrases.yaml").read_text(encoding="utf-8")
)


def half(*, tuned):
    """Return the phrases that the search was tuned on, or the others, which it was not."""
    phrases = sorted(PHRASES)
    random.Random(20).shuffle(phrases)
    middle = len(phrases) // 2
    return phrases[:middle] if tuned else phrases[middle:]


@pytest.mark.parametrize("version", [MAIN, NEWEST])
@pytest.mark.parametrize(("tuned", "first", "in_three"), [(True, 0.97, 0.99), (False, 0.91, 0.98)])
def test_nearly_all_phrases_have_a_right_answer_in_front(tuned, first, in_three, version):
    client = load(version, host="unix:///nowhere.sock")
    phrases = half(tuned=tuned)
    found = {phrase: [each.operation_id for each in client.find(phrase)] for phrase in phrases}
    not_first = [each for each in phrases if not {*found[each][:1]} & {*PHRASES[each]}]
    missed = [each for each in phrases if not {*found[each][:3]} & {*PHRASES[each]}]
    assert len(not_first) <= (1 - first) * len(phrases), not_first
    assert len(missed) <= (1 - in_three) * len(phrases), missed


def test_there_are_phrases_about_every_kind_of_thing():
    meant = {name for names in PHRASES.values() for name in names}
    operations = load(MAIN, host="unix:///nowhere.sock").operations
    assert meant <= {*operations}
    assert {operations[name].tag for name in meant} >= {*operations.by_tag} - {"Session"}
    assert len(PHRASES) > 250
