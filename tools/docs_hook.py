"""The guide's hook into mkdocs: adds the reference to the pages in docs/, and links to it.

They are made anew at each build and never written to docs/.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mkdocs.structure.files import File
from mkdocs.utils import get_relative_url

from reference_pages import FOLDER, INDEX, place_of, reference_pages

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

# Existing links are passed over as a whole, so that no link is put into another.
_LINK_OR_WORD = re.compile(r"<a\b.*?</a>|<code>(\w+)</code>", re.DOTALL)


def on_config(config: MkDocsConfig) -> None:
    """Put the reference at the end of the navigation; its index is its section's own page."""
    sections: dict[str, list[str | dict[str, str]]] = {}
    for page in reference_pages():
        entry = page.path if page.path == INDEX else {page.title: page.path}
        sections.setdefault(page.section, []).append(entry)
    config.nav = [
        *(entry for entry in config.nav or () if sections.keys().isdisjoint(entry)),
        *({section: pages} for section, pages in sections.items()),
    ]


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the reference's pages to the guide's files."""
    for page in reference_pages():
        files.append(File.generated(config, page.path, content=page.text))


def on_page_content(html: str, page: Page, **_: object) -> str:
    """Link the name of an operation in the guide's text to its section of the reference."""
    if page.url.startswith(f"{FOLDER}/"):
        return html

    def linked(found: re.Match[str]) -> str:
        place = place_of(found[1]) if found[1] else None
        if place is None:
            return found[0]
        return f'<a href="{get_relative_url(place, page.url)}">{found[0]}</a>'

    return _LINK_OR_WORD.sub(linked, html)
