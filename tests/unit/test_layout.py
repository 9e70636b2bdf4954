"""How Records and lists look at a prompt."""

from __future__ import annotations

import ast

from hypothesis import given
from hypothesis import strategies as st

from dynadock.record import Record, Records
from dynadock.show.layout import DEEPEST, LONGEST_TEXT, MOST_ITEMS, MOST_MEMBERS, WIDTH, laid_out

TEXT = st.text(max_size=(LONGEST_TEXT - len("''")) // len(r"\U0002ebe1"))
"""Never cut, however it has to be written."""

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXT,
    lambda inner: st.lists(inner, max_size=MOST_ITEMS) | st.dictionaries(TEXT, inner, max_size=8),
    max_leaves=30,
)


def depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth, inner)) if isinstance(value, (dict, list)) and inner else 0


@given(VALUES)
def test_what_is_neither_deep_nor_long_reads_in_again(value: object) -> None:
    text = laid_out(value)
    if depth(value) <= DEEPEST:
        assert ast.literal_eval(text) == value


@given(VALUES)
def test_what_fits_on_a_line_is_what_python_writes(value: object) -> None:
    expected = repr(value)
    lines = laid_out(value).splitlines()
    if len(expected) < WIDTH - 2:
        assert "\n".join(lines) == "\n".join(expected.splitlines())


def test_what_is_long_or_many_or_deep_is_cut_and_says_so() -> None:
    deep: object = ["x" * WIDTH]
    for _ in range(DEEPEST):
        deep = [deep]
    text = laid_out(
        {
            "long": "x" * 200,
            "items": [*range(200)],
            "members": {str(i): "x" * 20 for i in range(MOST_MEMBERS + 3)},
            "deep": deep,
        }
    )
    assert "x…" in text
    assert f"… {200 - MOST_ITEMS} more" in text
    assert "… 3 more" in text
    assert "[… 1]" in text


def test_a_record_says_what_it_is() -> None:
    assert repr(Record()) == "Record()"
    assert repr(Record(Id="1", Tags=None)) == "Record({'Id': '1', 'Tags': None})"
    rows = Records([Record(Id="a" * 70, RepoTags=["b" * 60]), Record(Id="2", RepoTags=[])])
    assert repr(rows).splitlines() == [
        "[",
        "  {",
        f"    'Id': '{'a' * 70}',",
        f"    'RepoTags': ['{'b' * 60}'],",
        "  },",
        "  {'Id': '2', 'RepoTags': []},",
        "]",
    ]
