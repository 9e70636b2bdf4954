"""How deep JSON is nested: counted without reading it, since what is too deep is not to be read."""

from __future__ import annotations

import json
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dynadock import record


def levels(value):
    inner = [*value.values()] if isinstance(value, dict) else value
    return 1 + max(map(levels, inner), default=0) if isinstance(value, (dict, list)) else 0


HOSTILE_TEXTS = st.text(st.sampled_from('[]{}"\\,: a'), max_size=5)
HOSTILE_VALUES = st.recursive(
    st.none() | HOSTILE_TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE_TEXTS, inner, max_size=3),
)


@given(value=HOSTILE_VALUES)
@example(value=["]", ["]", ["]", ["]"]]]])
@example(value=["[", "[", "["])
@example(value={"\\": {'"]': {"\\\\": [[]]}}})
def test_depth_is_that_of_brackets_and_not_of_texts(value):
    data = json.dumps(value).encode()
    with mock.patch.multiple(record, DEEPEST=3, LONGEST_SHALLOW=0):
        if levels(value) > 3:
            with pytest.raises(record.NestedTooDeeply, match="nested deeper than 3 levels"):
                record.read_json(data)
        else:
            assert record.read_json(data) == value
