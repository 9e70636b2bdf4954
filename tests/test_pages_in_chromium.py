"""Pages in a real browser: no complaint, nothing loaded, with their script and without."""

import pytest

import dynadock
from chromium import chromium, needed
from documents import MAIN
from dynadock.compat.watch_page import watch_page
from sample_results import sample_results
from unit.test_watch_page import known

VERSIONS = ["1.39", "1.40", "1.41", MAIN]
WIDTHS = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 390, "height": 844}}

MAKERS = {
    "report": lambda: sample_results(VERSIONS).html(beside=["run.json", "run.xml"]),
    "differences": lambda: dynadock.diff("1.25", MAIN).html(),
    "watch": lambda: watch_page(known()),
}

pytestmark = pytest.mark.timeout(600)
"""A browser starts slowly where much else is running."""


@pytest.fixture(scope="module")
def browser():
    with chromium(needed()) as started:
        yield started


@pytest.fixture(scope="module")
def pages(tmp_path_factory, browser):
    folder = tmp_path_factory.mktemp("pages")
    for name, make in MAKERS.items():
        (folder / f"{name}.html").write_text(make(), encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in MAKERS}


def clean(page, url):
    assert page.complaints == []
    assert {each.partition("#")[0] for each in page.asked if not each.startswith("data:")} == {url}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", MAKERS)
def test_it_opens_without_a_complaint_and_fits_the_window(browser, pages, name, width, dark):
    with browser.page(**WIDTHS[width], dark=dark, touch=width == "narrow") as page:
        page.open(pages[name])
        ground = page.value("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") is not dark
        assert page.value("document.documentElement.scrollWidth") <= WIDTHS[width]["width"]
        assert page.value("document.querySelector('form').hidden") is False
        clean(page, pages[name])


@pytest.mark.parametrize("name", MAKERS)
def test_it_is_all_there_without_its_script(browser, pages, name):
    with browser.page(script=False) as page:
        page.open(pages[name])
        page.do("Emulation.setScriptExecutionDisabled", value=False)
        assert page.value("document.querySelector('form').checkVisibility()") is False
        assert page.value(
            "[...document.querySelectorAll('section')].every(e => e.checkVisibility())"
        )
        clean(page, pages[name])


@pytest.mark.parametrize("name", MAKERS)
def test_it_prints(browser, pages, name):
    with browser.page() as page:
        page.open(pages[name])
        assert page.pdf().startswith(b"%PDF-")
        page.do("Emulation.setEmulatedMedia", media="print")
        assert page.value("document.querySelector('.banner').checkVisibility()") is False
        assert page.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        clean(page, pages[name])


def test_a_cell_opens_its_details_without_the_script_too(browser, pages):
    with browser.page(script=False) as page:
        page.open(f"{pages['report']}#o3e1s0")
        page.do("Emulation.setScriptExecutionDisabled", value=False)
        assert page.value("document.querySelector('#o3').open") is True
        assert page.value("document.querySelector('#o3e1s0').checkVisibility()") is True


def type_into(page, selector, value):
    page.value(
        f"(() => {{ const field = document.querySelector({selector!r}); field.value = {value!r};"
        " field.dispatchEvent(new Event('input', {bubbles: true})) })()"
    )


def rows_of(page):
    return page.value(
        "[...document.querySelectorAll('#cells tr[data-item]:not([hidden])')]"
        ".map(row => row.cells[0].textContent)"
    )


def columns_of(page):
    return page.value(
        "[...document.querySelectorAll('#cells th[data-column]:not([hidden])')]"
        ".map(each => `${each.dataset.of} ${each.dataset.title}`)"
    )


def test_filters_leave_what_is_asked_for(browser, pages):
    with browser.page() as page:
        page.open(pages["report"])
        everything = rows_of(page)
        type_into(page, "#cells-text", "volume DELETE")
        assert rows_of(page) == ["VolumeDelete"]
        assert page.value("document.querySelector('#operations .entry:not([hidden])').id")
        assert page.value("document.querySelector('output').textContent") == (
            f"1 of {len(everything)} operations"
        )
        type_into(page, "#cells-text", "")
        type_into(page, "#cells-group", "podman-1")
        type_into(page, "#cells-title", "1.40")
        assert columns_of(page) == ["podman-1 1.40"]
        assert page.value("document.querySelector('#cells th[data-group=podman-1]').colSpan") == 1
        page.value("document.querySelectorAll('.checks input').forEach(e => {"
                   " if (e.value !== 'failed' && e.checked) e.click() })")  # fmt: skip
        failed = rows_of(page)
        assert failed
        assert len(failed) < len(everything)
        page.value("document.querySelector('form button').click()")
        assert rows_of(page) == everything
        clean(page, pages["report"])


def test_a_cell_opens_beside_the_map_and_the_keyboard_goes_through_it(browser, pages):
    with browser.page() as page:
        page.open(pages["report"])
        page.value("document.querySelector('#cells td a').focus()")
        assert page.value("document.activeElement.tabIndex") == 0
        page.press("ArrowRight")
        page.press("ArrowDown")
        assert page.value("document.activeElement.closest('td').cellIndex") == 2
        page.press("Enter")
        drawer = "document.querySelector('.drawer')"
        assert page.value(f"{drawer}.hidden") is False
        assert page.value(f"{drawer}.querySelectorAll('.finding.chosen').length") == 1
        assert page.value("document.activeElement.className") == "inside"
        page.press("Escape")
        assert page.value(f"{drawer}.hidden") is True
        assert page.value("document.activeElement.closest('td').cellIndex") == 2
        assert page.value("document.querySelectorAll('.entry > .body').length") == len(
            rows_of(page)
        )
        clean(page, pages["report"])


def test_few_stops_of_the_tab_key_lie_in_the_map(browser, pages):
    with browser.page() as page:
        page.open(pages["report"])
        stops = page.value(
            "document.querySelectorAll('#cells [href]:not([tabindex=\"-1\"])').length"
        )
        assert stops == len(rows_of(page)) + 1


def test_what_says_little_is_hidden_at_first(browser, pages):
    with browser.page() as page:
        page.open(pages["watch"])
        shown = "[...document.querySelectorAll('#deviating tr[data-item]')].map(e => e.hidden)"
        assert page.value(shown) == [False, True]
        page.value("document.querySelector('[data-filters=deviating] button').click()")
        assert page.value(shown) == [False, False]


def test_groups_and_parts_without_a_row_are_hidden(browser, pages):
    with browser.page() as page:
        page.open(pages["differences"])
        headings = (
            "[...document.querySelectorAll('h2, .group h3')].filter(e => e.checkVisibility())"
            ".map(e => e.textContent)"
        )
        type_into(page, "#main-text", "CgroupnsMode")
        assert page.value(headings) == ["Summary", "Harmless", "HostConfig"]
        clean(page, pages["differences"])
