"""The page of what differs between two versions."""

import pytest
from hypothesis import given, settings

import dynadock
from documents import MAIN, NEWEST, OLDEST
from dynadock.explore.differences import Differences
from dynadock.spec.differences import Difference, Use
from dynadock.spec.differences.severities import SEVERITIES
from page_checks import Tree, faults
from unit.test_pages import TEXTS


def items_of(tree):
    return [each for each in tree.named("tr") if "data-item" in each.attributes]


@pytest.mark.parametrize(("old", "new"), [(OLDEST, NEWEST), ("1.40", MAIN), (MAIN, "1.40")])
def test_every_difference_is_a_row_with_what_filters_need(old, new):
    differences = dynadock.diff(old, new)
    page = differences.html()
    assert not [*faults(page)]
    items = items_of(Tree(page))
    assert len(items) == len(differences)
    for severity in SEVERITIES:
        found = [each for each in items if each.attributes["data-severity"] == severity]
        assert len(found) == differences.counts[severity]
    assert differences.html() == page


def test_a_row_says_what_became_of_it():
    differences = dynadock.diff("1.40", MAIN)
    text = Tree(differences.html()).shown
    for row in differences:
        assert row.words in text


def test_no_difference_is_a_page_too():
    differences = dynadock.diff(MAIN, MAIN)
    assert not [*faults(differences.html())]
    assert "There is no difference." in Tree(differences.html()).shown


@given(TEXTS)
@settings(max_examples=20)
def test_texts_of_documents_stay_texts(text):
    uses = (Use(text, "request", text), Use(f"{text}2", "reply", text))
    rows = [
        Difference(text, text, "enum-value-added", "risky", None, text, uses),
        Difference(text, "", "type-changed", "breaking", text, text, uses[:1]),
        Difference(text, "", "field-added", "harmless", None, {text: text}, ()),
    ]
    differences = Differences(rows, text, text, about=text)
    page = differences.html()
    assert not [*faults(page)]
    assert len(items_of(Tree(page))) == len(rows)
