"""Pages: what is put into them is shown and nothing else, and their colours can be read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynadock.pages.document import Section, document
from dynadock.pages.markup import Markup, element, joined, markup, visible
from dynadock.pages.matrix import MatrixCell, MatrixColumn, MatrixRow, RowGroup, matrix
from dynadock.pages.palette import COLOURS, PAIRS, TONES, contrast, variables
from dynadock.pages.parts import (
    Badge,
    Checks,
    Choice,
    Part,
    Tile,
    bar,
    facts,
    filters,
    fold,
    moment_in_words,
    table,
    tiles,
    versions_in_words,
)
from page_checks import Tree, faults

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></script><!--",
    "' onclick='x",
    "&lt;b&gt; &amp; &#60;",
    "javascript:alert(1)",
    "\x00\x1b[2J\ud800\u202egnp",
    "]]> {{x}} ${x}",
)

TEXTS = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(codec=None), min_size=1, max_size=30),
    st.text("<>&'\"=/!- ab\x00\ud800\u202e", min_size=1, max_size=20),
)


def everything(text):
    """Return a page that has a text at every place that takes one."""
    badge = Badge(text, "good", text)
    cell = MatrixCell("passed", "✓", text, "target")
    row = MatrixRow(text, "target", [cell, cell], text)
    columns = [MatrixColumn(text, text), MatrixColumn(text, f"{text}2")]
    parts = [
        tiles([Tile(text, text, "bad", text, text)]),
        table(text, [text, text], [[text, badge.markup()]], row_attributes=[{"data_words": text}]),
        bar([Part(2, text, "good"), Part(1, text, "bad")], text),
        facts([(text, text)]),
        fold(text, text, id="target"),
        filters(
            "held",
            [Choice("some", text, [(text, text)], text), Checks("more", text, [(text, badge)])],
            placeholder=text,
            noun=text,
        ),
        element("div", matrix("held", text, text, columns, [RowGroup(text, [row])])),
    ]
    sections = [Section("one", text, parts, text)]
    return document(text, sections, intro=text, scripts=("filter.js", "matrix.js"), wide=True)


@given(TEXTS)
def test_a_text_is_never_more_than_a_text(text):
    page = everything(text)
    assert not [*faults(page)]
    plain = Tree(everything("x"))
    tree = Tree(page)
    # Where a name may break depends on it.
    names = [each.name for each in tree.elements if each.name != "wbr"]
    assert names == [each.name for each in plain.elements if each.name != "wbr"]
    assert [sorted(each.attributes) for each in tree.named("td", "a", "option")] == [
        sorted(each.attributes) for each in plain.named("td", "a", "option")
    ]
    assert page.encode()
    assert tree.shown.count(visible(text)) >= 12


@given(TEXTS)
def test_what_is_escaped_is_what_was_there_as_far_as_it_can_be_seen(text):
    tree = Tree(f"<p>{markup(text)}</p>{element('a', title=text)}")
    assert tree.text_in("p") == visible(text)
    assert tree.elements[1].attributes["title"] == visible(text)


@given(st.text(max_size=40))
def test_what_can_be_seen_stays(text):
    seen = "".join(each for each in text if each.isprintable() or each in "\n\t")
    assert visible(seen) == seen


def test_markup_stays_and_everything_else_is_escaped():
    assert markup([Markup("<b>"), "<i>", 1, None, [2.5]]) == "<b>&lt;i&gt;12.5"
    assert element("p", "a", class_="x", hidden=True, id=None, data_of="b") == (
        '<p class="x" hidden data-of="b">a</p>'
    )
    assert joined(["<", "x"], element("br")) == "&lt;<br>x"


def test_a_class_of_texts_may_not_write_markup():
    class Sly(str):
        __slots__ = ()

        def __format__(self, _spec):
            return "<script>"

        def translate(self, _table):
            return "<script>"

        def replace(self, *_):
            return "<script>"

    assert "<script>" not in markup(Sly("x"))


def test_equal_arguments_give_an_equal_page():
    assert everything("a") == everything("a")


@pytest.mark.parametrize("side", ["light", "dark"])
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0]}-{pair[1]}")
def test_text_can_be_read(pair, side):
    front, ground, least = pair
    found = contrast(getattr(COLOURS[front], side), getattr(COLOURS[ground], side))
    assert found >= least, f"{found:.2f}"


def test_contrast_is_what_the_standard_defines():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#ffffff", "#ffffff") == pytest.approx(1)


def test_every_colour_that_the_style_names_is_in_the_palette():
    page = document("x", [])
    assert {*re.findall(r"var\(--([\w-]+)\)", page)} - {"cell", "gap"} <= {*COLOURS}
    assert {f"on-{tone}" for tone in TONES} <= {*COLOURS}
    assert variables().count("--ground:") == 2


@pytest.mark.parametrize(
    ("versions", "words"),
    [
        ([], ""),
        (["b"], "b"),
        (["a", "b", "c"], "a\N{EN DASH}c"),
        (["d", "a", "b"], "a\N{EN DASH}b, d"),
    ],
)
def test_versions_that_are_neighbours_become_ranges(versions, words):
    assert versions_in_words(versions, ["a", "b", "c", "d"]) == words


def test_a_moment_is_written_for_people_and_anything_else_stays():
    assert moment_in_words("2026-03-01T09:05:00+00:00") == "1 March 2026, 09:05 UTC"
    assert moment_in_words("yesterday") == "yesterday"
