"""The page of a run: what it says, in how many bytes, and that texts of others stay texts."""

import re

import pytest
from hypothesis import given, settings

from documents import MAIN, VERSIONS
from dynadock.compat import report
from dynadock.compat.outcomes import OUTCOMES
from dynadock.compat.report_details import badge
from dynadock.compat.results import Results
from page_checks import Tree, faults
from sample_results import sample_results
from unit.test_pages import TEXTS

FEW = ["1.40", "1.41", MAIN]
LARGEST = 3_000_000


@pytest.fixture(scope="module")
def page():
    return sample_results(FEW).html()


def test_it_keeps_to_what_every_page_has_to(page):
    assert not [*faults(page)]


@given(TEXTS)
@settings(max_examples=15)
def test_texts_of_others_stay_texts(text):
    results = Results(made=text, how=text)
    results.add_engine(text, text, text, text, text, address_kind=text)
    for version, outcome in zip(FEW, ("failed", "deviating", "refused"), strict=True):
        exchange = {"method": text, "target": text, "status": 200, "milliseconds": 1}
        deviation = dict.fromkeys(
            ("kind", "part", "place", "definition", "field", "expected", "got", "since", "allowed"),
            text,
        )
        results.add_cell(
            text,
            version,
            text,
            outcome,
            text,
            test=text,
            exchanges=[exchange],
            deviations=[deviation],
        )
        results.add_test(text, text, version, "failed", reason=text)
        results.add_test(f"{text}2", text, version, "skipped", reason=text)
    assert not [*faults(results.html(differences=False, beside=["run.json"]))]


def test_every_cell_has_its_sign_and_leads_to_what_it_rests_on(page):
    results = sample_results(FEW)
    tree = Tree(page)
    cells = [
        each for each in tree.named("a") if "td" in each.inside and "tabindex" in each.attributes
    ]
    assert len(cells) == len(results.operations) * len(FEW) * 2
    counts = results.counts
    shown = [each.attributes["class"] for each in cells]
    assert {name: shown.count(name) for name in counts if counts[name]} == {
        name: count for name, count in counts.items() if count
    }
    assert {each.attributes["aria-label"] for each in cells} <= {
        badge(outcome.name).word for outcome in OUTCOMES
    }
    ids = {each.attributes.get("id") for each in tree.named("div")}
    assert {each.attributes["href"][1:] for each in cells} <= ids


def test_each_sign_is_of_one_outcome_alone():
    assert len({each.sign for each in OUTCOMES}) == len(OUTCOMES)


def test_what_the_run_did_not_say_the_documents_do():
    results = Results()
    for version in ("1.40", "1.41", MAIN):
        results.add_cell("SystemPing", version, "d", "passed")
    results.add_cell("VolumeUpdate", MAIN, "d", "passed")
    text = Tree(results.html(differences=False)).shown
    assert "It arrived in 1.42." in text


def test_neighbours_of_which_the_same_is_said_are_told_together():
    results = Results()
    for version in FEW:
        results.add_cell("SystemPing", version, "d", "refused", "not today")
    results.add_cell("SystemPing", "1.44", "d", "refused", "nor then")
    for version in FEW:
        # A message has the version in it, and is the same all the same.
        results.add_cell("SystemInfo", version, "d", "failed", f"SystemInfo (API {version}): 500")
    text = Tree(results.html(differences=False)).shown
    assert "1.40\N{EN DASH}1.42not today" in text
    assert "1.44nor then" in text
    assert "1.40\N{EN DASH}1.42SystemInfo (API 1.40): 500" in text
    assert text.count("SystemInfo (API 1.41)") == 0


def test_what_the_documents_changed_stands_beside_where_the_outcome_changes():
    results = Results()
    results.add_cell("VolumeUpdate", "1.41", "d", "absent")
    results.add_cell("VolumeUpdate", "1.42", "d", "passed")
    page = results.html()
    text = Tree(page).shown
    assert "1.41 to 1.42 where the outcome changes" in text
    assert "a new operation" in text
    assert re.search(r"href=\"#o0v1\.41-1\.42\"", page)
    assert "a new operation" not in Tree(results.html(differences=False)).shown


def test_a_run_of_an_unknown_version_is_shown_without_its_document():
    results = Results()
    for version in ("1.41", "1.999"):
        results.add_cell("SystemPing", version, "d", "passed")
        results.add_cell("Invented", version, "d", "failed", "why")
    assert not [*faults(results.html())]


def test_an_empty_run_has_a_page_too():
    assert not [*faults(Results().html())]


def test_equal_runs_have_equal_pages(page):
    assert sample_results(FEW).html() == page


def test_the_page_of_a_whole_run_is_bounded():
    versions = [each for each in VERSIONS if each != VERSIONS[0]][-15:]
    engines = [f"engine-{number}.5" for number in range(7)]
    page = sample_results(versions, engines).html()
    assert len(page.encode()) < LARGEST


def test_a_very_long_page_leaves_out_calls_of_what_went_well(monkeypatch):
    results = sample_results(FEW)
    text = Tree(results.html()).shown
    assert "As there is so much of it" not in text
    monkeypatch.setattr(report, "MOST_SPANS", 10)
    short = Tree(results.html()).shown
    assert "As there is so much of it" in short
    assert "/images/json" in text
    assert len(short) < len(text) * 0.6
