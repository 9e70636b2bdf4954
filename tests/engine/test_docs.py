"""The guide's pages: what they show is what a user gets."""

from __future__ import annotations

from collections import Counter

import pytest

from sessions import (
    TOP,
    blocks_of,
    check,
    engine_of,
    is_of_the_guide,
    statements_of,
    swept,
    unexplained_blocks,
)

PAGES = sorted((TOP / "docs").glob("*.md"))

NOT_RUN: dict[tuple[str, str], int] = {
    ("images.md", "it needs a public registry"): 1,
    ("index.md", "it installs the package"): 2,
    ("prompt.md", "it is IPython's own"): 1,
    ("prompt.md", "it takes a terminal"): 1,
    ("remote.md", "it changes the docker command's configuration"): 1,
    ("remote.md", "it needs a host with an engine"): 2,
    ("remote.md", "it needs that context"): 1,
}
"""The blocks that are not run, by page and reason: no block leaves the tests unseen."""

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@every_page
def test_what_a_page_shows(page, speaker):
    kind = engine_of(page.read_text(encoding="utf-8"))
    with swept(speaker(kind), is_of_the_guide):
        check(page)


@every_page
def test_every_block_is_run_or_says_why_not(page):
    assert not unexplained_blocks(page.read_text(encoding="utf-8"))


def test_the_blocks_that_are_not_run():
    found = Counter(
        (page.name, block.why_not)
        for page in PAGES
        for block in blocks_of(page.read_text(encoding="utf-8"))
        if block.why_not is not None
    )
    assert found == NOT_RUN


def test_there_is_a_guide():
    assert sum(len(statements_of(page.read_text(encoding="utf-8"))) for page in PAGES) > 20
