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


def half(group, *, tuned):
    """Return the phrases of a group that the search was tuned on, or those that it was not."""
    phrases = sorted(PHRASES[group])
    random.Random(20).shuffle(phrases)
    middle = len(phrases) // 2
    return phrases[:middle] if tuned else phrases[middle:]


GROUPS = {
    "before, tuned on": ("before", half("before", tuned=True), 0.99, 1.00),
    "before, unseen": ("before", half("before", tuned=False), 0.95, 1.00),
    "after, tuned on": ("after", half("after", tuned=True), 0.96, 1.00),
    "after, unseen": ("after", half("after", tuned=False), 0.85, 0.98),
    "last, tuned on": ("last", half("last", tuned=True), 0.94, 1.00),
    "last, unseen": ("last", half("last", tuned=False), 0.91, 0.97),
    "more, tuned on": ("more", sorted(PHRASES["more"]), 0.93, 0.98),
    "blind, tuned on": ("blind", half("blind", tuned=True), 0.89, 1.00),
    "blind, unseen": ("blind", half("blind", tuned=False), 0.81, 0.91),
    "people, tuned on": ("people", sorted(PHRASES["people"]), 0.95, 1.00),
    "people, unseen": ("people_unseen", sorted(PHRASES["people_unseen"]), 0.88, 0.97),
    "people, later": ("people_later", sorted(PHRASES["people_later"]), 0.85, 0.96),
}
"""Phrases, and the shares of them that have a right answer first, and in the first three.

The halves called unseen, but that of ``people``, were not looked at one by one; their totals were,
so that they are not blind any more.
"""


@pytest.mark.parametrize("group", GROUPS)
def test_nearly_all_phrases_have_a_right_answer_in_front(group):
    client = load(MAIN, host="unix:///nowhere.sock")
    section, phrases, first, in_three = GROUPS[group]
    found = {phrase: [each.operation_id for each in client.find(phrase)] for phrase in phrases}
    right = {phrase: {*PHRASES[section][phrase]} for phrase in phrases}
    not_first = [each for each in phrases if not right[each] & {*found[each][:1]}]
    missed = [each for each in phrases if not right[each] & {*found[each][:3]}]
    assert len(phrases) - len(not_first) >= first * len(phrases), not_first
    assert len(phrases) - len(missed) >= in_three * len(phrases), missed


def test_the_newest_version_answers_as_well():
    client = load(NEWEST, host="unix:///nowhere.sock")
    rows = [row for section in PHRASES.values() for row in section.items()]
    found = [
        bool({*names} & {each.operation_id for each in client.find(phrase)[:3]})
        for phrase, names in rows
    ]
    assert sum(found) >= 0.96 * len(rows)


def test_there_are_phrases_about_every_kind_of_thing():
    rows = PHRASES["before"]
    meant = {name for section in PHRASES.values() for names in section.values() for name in names}
    operations = load(MAIN, host="unix:///nowhere.sock").operations
    assert meant <= {*operations}
    assert {operations[name].tag for name in meant} >= {*operations.by_tag} - {"Session"}
    assert len(rows) > 250
