"""Records and headers beyond what the properties hold: assignment, deletion, messages."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dynadock import Completed, Frame, Headers, Line, Output, Record, Records, plain
from dynadock.config.credentials import Credentials
from dynadock.record import DECODER
from secret_values import SECRET


@pytest.fixture
def record():
    return json.loads(
        '{"State": {"Pid": 5}, "items": [{"a": 1}], "os.version": "x"}', object_hook=Record
    )


def test_attributes_all_the_way_down(record):
    assert record.State.Pid == 5
    assert record["items"][0].a == 1
    assert record["os.version"] == "x"


def test_methods_win_over_keys_of_the_same_name(record):
    assert dict(record.items())["State"] == {"Pid": 5}
    assert callable(record.items)
    with pytest.raises(AttributeError, match=r"record\['items'\] ="):
        record.items = 1


def test_setting_and_deleting(record):
    record.New = {"a": 1}
    record.State.Pid = 6
    assert record["New"] == {"a": 1}
    assert record["State"] == {"Pid": 6}
    del record.New
    assert "New" not in record
    with pytest.raises(AttributeError, match="no key 'New'"):
        del record.New


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("state", "did you mean 'State'?"),
        ("St_ate", "did you mean 'State'?"),
        ("Qwertz", "there is no key 'Qwertz'"),
    ],
)
def test_a_key_that_is_not_there(record, name, part):
    with pytest.raises(AttributeError) as caught:
        getattr(record, name)
    assert part in str(caught.value)
    assert not hasattr(record, name)
    assert getattr(record, name, None) is None
    with pytest.raises(KeyError):
        record[name]


def test_tab_completion_offers_keys_that_are_names(record):
    assert {"State", "items", "keys"} <= set(dir(record))
    assert "os.version" not in dir(record)
    assert "x" in dir(Record({1: 2, "x": 3}))


def test_it_looks_like_what_it_is(record):
    assert repr(Record(a=Record(b=1))) == "Record({'a': {'b': 1}})"
    assert repr(Record()) == "Record()"
    assert isinstance(record, dict)
    assert not Record()


def test_what_dicts_do():
    record = Record(a=1)
    assert record | {"b": 2} == {"a": 1, "b": 2}
    assert {"b": 2} | record == {"a": 1, "b": 2}
    record |= {"c": 3}
    assert type(record) is Record
    assert record.pop("a") == 1
    assert record.setdefault("d", 4) == 4
    assert {**record} == {"c": 3, "d": 4}
    with pytest.raises(TypeError, match="unhashable"):
        hash(record)
    match record:
        case {"c": found}:
            assert found == 3


@pytest.fixture
def headers():
    return Headers({"api-version": "1.41", "X-Two": "b"})


SPELLINGS = ["Api-Version", "api-version", "API-VERSION", "Api_Version", "api_version"]


@pytest.mark.parametrize("name", SPELLINGS)
def test_headers_in_any_spelling(headers, name):
    assert headers[name] == headers.get(name) == "1.41"
    assert name in headers
    assert headers.setdefault(name, "other") == "1.41"
    assert headers.pop(name) == "1.41"
    assert headers == {"X-Two": "b"}


@pytest.mark.parametrize("name", SPELLINGS)
def test_headers_set_in_any_spelling(headers, name):
    headers[name] = "2"
    headers.update({name: "3"})
    assert headers == {"Api-Version": "3", "X-Two": "b"}
    del headers[name]
    assert headers == {"X-Two": "b"}
    assert headers.get(name) is None
    assert headers.get(name, "x") == "x"


def test_headers_as_attributes(headers):
    assert headers.Api_Version == headers.api_version == "1.41"
    headers.Api_Version = "2"
    assert headers["api-version"] == "2"
    assert {"Api_Version", "X_Two"} <= set(dir(headers))
    with pytest.raises(AttributeError, match="no key"):
        _ = headers.Nothing
    assert 5 not in headers


def test_headers_stay_headers(headers):
    for twin in (
        copy.copy(headers),
        pickle.loads(pickle.dumps(headers)),
        headers | {"x-three": "c"},
    ):
        assert type(twin) is Headers
        assert twin["x-two"] == "b"
    assert (headers | {"x-three": "c"})["X-THREE"] == "c"
    assert Headers([("a", "b")]) == {"A": "b"}


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


def kinds_in(value):
    """Give the types of a value and of all that is in it."""
    yield type(value)
    members = value.values() if isinstance(value, dict) else value
    for member in members if isinstance(value, (dict, list)) else ():
        yield from kinds_in(member)


@given(TREES)
def test_plain_replies_are_dicts_and_lists_all_through(tree):
    reply = DECODER.decode(json.dumps(tree))
    if isinstance(reply, list):
        reply = Records(reply, "ContainerList")
    made = plain(reply)
    assert made == reply == tree
    assert {*kinds_in(made)} <= {dict, list, str, int, float, bool, type(None)}
    assert json.dumps(made) == json.dumps(reply)
    assert yaml.safe_load(yaml.safe_dump({"a": plain(Record(a=reply))})) == {"a": {"a": tree}}
    for twin in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        assert twin == tree
        assert {*kinds_in(twin)} == {*kinds_in(made)}


def test_a_plain_copy_is_a_copy(record):
    made = plain(record)
    made["State"]["Pid"] = 6
    made["items"].append(1)
    assert record.State.Pid == 5
    assert len(record["items"]) == 1


@pytest.mark.parametrize(
    ("value", "made"),
    [
        (Line("stdout", "a", "2026"), {"channel": "stdout", "text": "a", "timestamp": "2026"}),
        (Frame("stderr", b"a"), {"channel": "stderr", "data": b"a"}),
        (Output(b"a", b""), {"stdout": b"a", "stderr": b""}),
        (Completed(0, b"a", b""), {"exit_code": 0, "stdout": b"a", "stderr": b""}),
        ([Line("stdout", "a")], [{"channel": "stdout", "text": "a", "timestamp": None}]),
        (Headers({"api_version": "1"}), {"Api-Version": "1"}),
        ({"a": (1, Record(b=2))}, {"a": [1, {"b": 2}]}),
        ("OK", "OK"),
        (None, None),
        (b"a", b"a"),
    ],
)
def test_plain_values_of_other_kinds(value, made):
    assert plain(value) == made
    assert {*kinds_in(plain(value))} <= {*kinds_in(made)}


def test_plain_credentials_stay_masked():
    assert yaml.safe_dump(plain(Credentials(password=SECRET))) == "password: '****'\n"


@pytest.mark.parametrize("around", [lambda inner: Record(a=inner), lambda inner: Records([inner])])
def test_plain_goes_as_deep_as_it_must(around):
    value = 5
    for _ in range(50_000):
        value = around(value)
    value = plain(value)
    for _ in range(50_000):
        assert type(value) in (dict, list)
        (value,) = value.values() if isinstance(value, dict) else value
    assert value == 5


def test_what_holds_itself_does_so_in_the_copy():
    record = Record()
    record.own = [record]
    made = plain(record)
    assert made["own"][0] is made
