"""The guide's hook into mkdocs: puts the reference's pages beside those in docs/.

They are made anew at each build and never written to docs/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mkdocs.structure.files import File

from reference_pages import INDEX, reference_pages

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files


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
