"""A heat map: rows in groups by columns in groups, whose cells lead to what they rest on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dynadock.pages.markup import Content, Markup, element, joined
from dynadock.pages.parts import scrolled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FEW, SOME = 24, 56
"""Up to so many columns, cells are large, or middle-sized."""


class MatrixColumn(NamedTuple):
    """A column: its title, the group that it stands in, and what a filter calls both."""

    title: str
    group: str


class MatrixCell(NamedTuple):
    """A cell: the kind of its look, the sign in it, the word that is read out, where it leads."""

    kind: str
    sign: str
    word: str
    target: str


class MatrixRow(NamedTuple):
    """A row: title, the id of what it opens, its cells, and words that a search finds too."""

    title: str
    target: str
    cells: Sequence[MatrixCell]
    words: str = ""


class RowGroup(NamedTuple):
    """Rows under a title."""

    title: str
    rows: Sequence[MatrixRow]


def matrix(
    id_: str,
    caption: str,
    corner: str,
    columns: Sequence[MatrixColumn],
    groups: Iterable[RowGroup],
) -> Markup:
    """Return the heat map as a table in a box of its own, in which its headings stay in sight.

    Columns of one group stand beside each other.
    """
    spans: list[tuple[str, int]] = []
    for column in columns:
        if spans and spans[-1][0] == column.group:
            spans[-1] = (column.group, spans[-1][1] + 1)
        else:
            spans.append((column.group, 1))
    top = element(
        "tr",
        element("th", corner, scope="col", rowspan=2, class_="corner"),
        (
            element("th", element("span", name), scope="colgroup", colspan=span, data_group=name)
            for name, span in spans
        ),
    )
    starts = _starts(columns)
    titles = element(
        "tr",
        (
            element(
                "th",
                element("span", column.title),
                scope="col",
                class_="first" if number in starts else None,
                data_column=number,
                data_title=column.title,
                data_of=column.group,
            )
            for number, column in enumerate(columns)
        ),
    )
    size = "large" if len(columns) <= FEW else "middle" if len(columns) <= SOME else "small"
    table = element(
        "table",
        element("caption", caption, class_="unseen"),
        element("thead", top, titles),
        (_group(each, len(columns), starts) for each in groups),
        class_=f"matrix {size}",
        id=id_,
        data_matrix=True,
    )
    return scrolled(table, caption, class_="map")


def _starts(columns: Sequence[MatrixColumn]) -> set[int]:
    return {
        number
        for number, column in enumerate(columns)
        if number == 0 or columns[number - 1].group != column.group
    }


def _group(group: RowGroup, width: int, starts: set[int]) -> Markup:
    title = element(
        "tr",
        element("th", element("span", group.title), scope="rowgroup", colspan=width + 1),
        class_="group",
    )
    rows = (_row(each, group.title, starts) for each in group.rows)
    return element("tbody", title, "\n", joined(rows, "\n"), data_tag=group.title)


def _row(row: MatrixRow, tag: str, starts: set[int]) -> Markup:
    cells: Content = (_cell(each, number in starts) for number, each in enumerate(row.cells))
    return element(
        "tr",
        element("th", element("a", _breakable(row.title), href=f"#{row.target}"), scope="row"),
        cells,
        data_item=True,
        data_tag=tag,
        data_opens=row.target,
        data_words=row.words or None,
    )


def _breakable(title: str) -> Markup:
    """Return a name that a narrow column may break in front of a capital."""
    return joined(re.split(r"(?<=[a-z])(?=[A-Z])", title), element("wbr"))


def _cell(cell: MatrixCell, is_first: bool) -> Markup:
    # tabindex: the arrow keys move among cells, and rows' headings lead to the same place, so that
    # nobody has to go through thousands of links by the Tab key.
    link = element(
        "a",
        cell.sign,
        class_=cell.kind,
        href=f"#{cell.target}",
        tabindex="-1",
        aria_label=cell.word,
    )
    return element("td", link, class_="first" if is_first else None)
