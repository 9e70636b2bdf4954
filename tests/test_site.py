"""The guide as a site: it builds without a warning, links lead somewhere, nothing is fetched."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from dynadock.explore.card import card_of
from dynadock.spec.library import bundled_versions
from dynadock.spec.loader import load_version

TOP = Path(__file__).parents[1]
LINKS = {"a": "href", "area": "href"}
LOADED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src"}
NOT_LOADED = {"canonical", "next", "prev", "alternate"}
"""The relations of a <link> that name a page and load nothing."""


class Page(HTMLParser):
    """What a page has: its anchors, where it leads to, what it loads, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.words: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.anchors |= {found[name] for name in ("id", "name") if found.get(name)}
        if found.get(LINKS.get(tag)) is not None:
            self.links.append(found[LINKS[tag]])
        if found.get(LOADED.get(tag)) and found.get("rel") not in NOT_LOADED:
            self.loads.append(found[LOADED[tag]])

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site as `make docs` does, into a folder of its own."""
    if importlib.util.find_spec("mkdocs") is None:
        assert not os.environ.get("CI"), "mkdocs belongs to what tests need"
        pytest.skip("mkdocs is not installed; the extra 'docs' brings it")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(
        command, cwd=TOP, env=environment, capture_output=True, text=True, check=False
    )
    if built.returncode:
        pytest.fail(f"mkdocs build --strict:\n{built.stdout}{built.stderr}", pytrace=False)
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path) for path in site.rglob("*.html")}


def is_outside(link: str) -> bool:
    return bool(urlsplit(link).scheme or urlsplit(link).netloc)


def test_every_link_inside_leads_somewhere(site, pages):
    broken = []
    for path, page in pages.items():
        # What is shown for a page that is not there has its links from the top.
        start = site if path.name == "404.html" else path.parent
        for link in filter(lambda link: not is_outside(link), page.links):
            place, anchor = urldefrag(link)
            found = (start / unquote(place).lstrip("/")).resolve() if place else path
            found = found / "index.html" if found.is_dir() else found
            if not found.is_file() or (anchor and not _has(pages, found, unquote(anchor))):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert not broken


def _has(pages: dict[Path, Page], path: Path, anchor: str) -> bool:
    return path in pages and anchor in pages[path].anchors


def test_links_outside_have_their_form(pages):
    outside = {link for page in pages.values() for link in page.links if is_outside(link)}
    assert not [link for link in outside if urlsplit(link).scheme != "https" or " " in link]


def test_nothing_is_loaded_from_elsewhere(site, pages):
    loads = {(path, link) for path, page in pages.items() for link in page.loads}
    assert not [link for _, link in loads if is_outside(link) and not link.startswith("data:")]
    styles = [*site.rglob("*.css")]
    assert styles
    assert not [path for path in styles if "url(http" in path.read_text(encoding="utf-8")]


@pytest.fixture(scope="module")
def newest():
    return load_version(bundled_versions()[-1])


def test_the_reference_has_all_of_every_operation(site, pages, newest):
    texts = {path: page.text for path, page in pages.items()}
    for operation_id, operation in newest.items():
        path = site / "reference" / f"{operation.tag.lower()}.html"
        card = card_of(operation, depth=1)
        assert operation_id in pages[path].anchors
        rows = [*card.parameters, *(card.body.rows if card.body else ()), *card.reply.rows]
        for words in (card.summary, f"{card.method} {card.path}", *(row.name for row in rows)):
            assert words in texts[path], operation_id


def test_a_search_finds_every_operation(site, newest):
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    assert newest.keys() <= {entry["title"] for entry in index["docs"]}


CODE = (".md-typeset pre > code", ".md-typeset .jupyter-wrapper .jp-OutputArea-output pre")
"""What code, and what a notebook's cells print, is shown by."""

WHOLE_WORDS = {"overflow-wrap: normal", "word-break: normal"}
RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
BREAKS = re.compile(r"(overflow-wrap|word-break|word-wrap)\s*:\s*(anywhere|break-all|break-word)")


def rules(css):
    """Yield selectors and declarations, of rules in media queries too."""
    for selectors, declarations in RULE.findall(re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)):
        told = {" ".join(each.split()) for each in declarations.split(";")}
        yield from ((" ".join(each.split()), told) for each in selectors.split(","))


def test_no_word_is_broken_in_the_middle_of_a_line(site):
    ours = [*rules((site / "guide.css").read_text(encoding="utf-8"))]
    assert not [told for _, told in ours if any(map(BREAKS.match, told))]
    for selector in CODE:
        assert any(each == selector and told >= WHOLE_WORDS for each, told in ours), selector


def test_what_breaks_words_in_a_notebooks_page_is_overruled(site):
    text = (site / "tour.html").read_text(encoding="utf-8")
    used = {name for names in re.findall(r'class="([^"]*)"', text) for name in names.split()}
    breaking = {
        selector
        for selector, told in rules(
            "".join(re.findall(r"<style.*?>(.*?)</style>", text, re.DOTALL))
        )
        if any("break-all" in each for each in told)
        and used.issuperset(re.findall(r"\.([\w-]+)", selector))
    }
    assert breaking
    assert {f".md-typeset {selector}" for selector in breaking} <= {*CODE}
