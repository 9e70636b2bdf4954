"""The guide's pages: what they show is what a user gets."""

from __future__ import annotations

from collections import Counter

import pytest

from sessions import (
    TOP,
    blocks_of,
    check,
    engines_of,
    is_of_the_guide,
    only_real,
    statements_of,
    swept,
    unexplained_blocks,
)

PAGES = sorted((TOP / "docs").glob("*.md"))

NOT_RUN: dict[tuple[str, str], int] = {
    ("images.md", "it needs a public registry"): 1,
    ("index.md", "it installs the package"): 2,
    ("many-versions.md", "it is a command of a shell, and needs three engines"): 1,
    ("many-versions.md", "it is part of examples/versions/footprint.py"): 2,
    ("many-versions.md", "it is part of examples/versions/test_footprint.py"): 1,
    ("many-versions.md", "it needs the docker command"): 1,
    ("prompt.md", "it is IPython's own"): 1,
    ("prompt.md", "it takes a terminal"): 1,
    ("remote.md", "it changes the docker command's configuration"): 1,
    ("remote.md", "it needs a host with an engine"): 2,
    ("remote.md", "it needs that context"): 1,
    ("testing.md", "it is a command of a shell, and needs engines"): 1,
    ("testing.md", "it is part of examples/testing/keeper.py"): 1,
    ("testing.md", "it is part of examples/testing/test_keeper.py"): 4,
    ("testing.md", "it serves until it is stopped"): 1,
    ("testing.md", "it takes a suite"): 1,
    ("versions.md", "it is for a shell"): 1,
}
"""The blocks that are not run, by page and reason: no block leaves the tests unseen."""

NOT_EMBEDDED: dict[tuple[str, str], int] = {
    ("coming-from-docker-py.md", "it asks a registry"): 1,
    ("containers.md", "a container talks to another"): 1,
    ("errors.md", "it builds an image"): 1,
    ("images.md", "it builds images and asks registries"): 1,
    ("remote.md", "it asks a registry"): 1,
    ("streams.md", "it builds an image"): 1,
}
"""The pages and blocks that an embedded engine does not run, by page and reason."""

RUNS = [(page, kind) for page in PAGES for kind in engines_of(page.read_text(encoding="utf-8"))]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@pytest.mark.parametrize(("page", "kind"), RUNS, ids=[f"{kind}-{page.name}" for page, kind in RUNS])
def test_what_a_page_shows(page, kind, speaker):
    with swept(speaker(kind), is_of_the_guide):
        check(page, kind)


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


def test_what_an_embedded_engine_does_not_run():
    found = Counter(
        (page.name, why) for page in PAGES for why in only_real(page.read_text(encoding="utf-8"))
    )
    assert found == NOT_EMBEDDED


PART = "it is part of "


def test_parts_of_files_are_what_the_files_have():
    shown = [
        (block.why_not.removeprefix(PART), "\n".join(block.lines))
        for page in PAGES
        for block in blocks_of(page.read_text(encoding="utf-8"))
        if block.why_not is not None and block.why_not.startswith(PART)
    ]
    assert shown
    for name, text in shown:
        assert f"\n{text}\n" in (TOP / name).read_text(encoding="utf-8"), text


def test_there_is_a_guide():
    assert sum(len(statements_of(page.read_text(encoding="utf-8"))) for page in PAGES) > 20
