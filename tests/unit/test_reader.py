"""Documents' bytes to plain trees, with PyYAML's loader in C and the one in Python."""

from __future__ import annotations

import contextlib
import importlib.util
import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dynadock.errors import SpecError
from dynadock.spec import reader


def module_with(monkeypatch, loader):
    """Load the reader anew, as it is on a PyYAML with or without its part in C."""
    if loader == "python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    spec = importlib.util.spec_from_file_location(f"reader_{loader}", reader.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=["c", "python"])
def read(request, monkeypatch):
    if request.param == "c" and not hasattr(yaml, "CSafeLoader"):
        pytest.skip("this PyYAML has no loader in C")
    module = module_with(monkeypatch, request.param)
    return lambda text: module.read_document(text, name="some.yaml")


def test_the_loader_in_c_is_taken_where_there_is_one(monkeypatch):
    fastest = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    assert module_with(monkeypatch, "c")._FastestLoader is fastest
    assert module_with(monkeypatch, "python")._FastestLoader is yaml.SafeLoader


READ = {
    "mapping": (b"a: 1", {"a": 1}),
    "json": (b'{"a": [1, 2.5, true, null, "x"]}', {"a": [1, 2.5, True, None, "x"]}),
    "json below comments": (b'# {"a": 0}\n\n  # {\n{"a": "# 1"}', {"a": "# 1"}),
    "comments before yaml": (b"# {\n\na: 1", {"a": 1}),
    "json indented with tabs": (b'{\n\t"a":\n\t1}', {"a": 1}),
    "json with a pair of surrogates": (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
    "yaml that starts like json": (b"{a: 1, b: [x]}", {"a": 1, "b": ["x"]}),
    "byte order mark": (b"\xef\xbb\xbfa: 1", {"a": 1}),
    "byte order mark before json": (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
    "response codes": (b"200: a\n404: b\ndefault: c", {"200": "a", "404": "b", "default": "c"}),
    "timestamps stay text": (
        b"2001-01-01: 2001-12-14t21:59:43.10-05:00\nb: [2002-12-14]",
        {"2001-01-01": "2001-12-14t21:59:43.10-05:00", "b": ["2002-12-14"]},
    ),
    "yes and no": (b"a: [yes, No, on, OFF, true]", {"a": [True, False, True, False, True]}),
    "quoted yes and no": (b"'yes': 'no'", {"yes": "no"}),
    "numbers": (b"a: [0x1f, 1_000, -3, 1.5, 1.0e+3]", {"a": [31, 1000, -3, 1.5, 1000.0]}),
    "nothing": (b"a:\nb: ~", {"a": None, "b": None}),
    "a lone equals sign": (b"a: =", {"a": "="}),
    "alias": (b"a: &x {b: [1]}\nc: *x", {"a": {"b": [1]}, "c": {"b": [1]}}),
    "merge": (b"a: &x {b: 1}\nd: {<<: *x, b: 2, c: 3}", {"a": {"b": 1}, "d": {"b": 2, "c": 3}}),
    "merge of several": (b"a: {<<: [{b: 1}, {b: 2, c: 3}]}", {"a": {"b": 1, "c": 3}}),
    "explicit tags": (b"a: [!!str 5, !!int '5', !!float '1']", {"a": ["5", 5, 1.0]}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), READ.values(), ids=READ)
def test_reads(read, text, expected):
    tree = read(text)
    assert tree == expected
    # 1 == True == 1.0: only the text tells them apart.
    assert json.dumps(tree, sort_keys=True) == json.dumps(expected, sort_keys=True)


BOMB = b"a: &a [x, x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (new, new, b", ".join([b"*%c" % old] * 10))
    for old, new in zip(b"abcdefgh", b"bcdefghi", strict=True)
)

REFUSED = {
    "nothing at all": (b"", "expected a mapping, got nothing"),
    "a list": (b"- a", "expected a mapping, got a list"),
    "text": (b"hello", "expected a mapping, got 'hello'"),
    "two documents": (b"a: 1\n---\nb: 1", "line 2, column 1: "),
    "no utf-8": (b"a: \xff", "no UTF-8 text: invalid start byte at byte 3"),
    "utf-16": ("a: 1".encode("utf-16"), "no UTF-8 text"),
    "a zero byte": (b"a: \x00", "not allowed"),
    "tabs for indentation": (b"a:\n\t- b", "line 2, column 1: "),
    "broken flow": (b"a: [1", "line "),
    "broken json": (b'{"a": 1', "line "),
    "key twice": (b"a: 1\nb: 2\na: 3", "line 3, column 1: the key 'a' is given twice"),
    "key twice, once a number": (b"200: 1\n'200': 2", "the key '200' is given twice"),
    "key twice in json": (b'{"a": {"b": 1, "c": 2, "b": 1}}', "the key 'b' is given twice"),
    "key is a boolean": (b"yes: 1", "line 1, column 1: the key 'yes' is not text unless"),
    "key is nothing": (b"~: 1", "the key '~' is not text"),
    "key is a float": (b"1.5: 1", "the key '1.5' is not text"),
    "key is a list": (b"? [a]\n: 1", "a key is text, not a mapping or a list"),
    "half a surrogate pair": (b'{"a": "\\ud800"}', "half of a surrogate pair"),
    "half a surrogate pair in a key": (b'{"\\ud800": 1}', "half of a surrogate pair"),
    "not a number": (b"a: .nan", "not a finite number"),
    "infinite": (b"a: -.inf", "not a finite number"),
    "infinite in json": (b'{"a": -1e999}', "-1e999 is not a finite number"),
    "not a number in json": (b'{"a": NaN}', "not a finite number"),
    "number too long": (b"a: " + b"9" * 5000, "is too long"),
    "number too long in json": (b'{"a": ' + b"9" * 5000 + b"}", "is too long"),
    "sexagesimal number without end": (b"a: 1" + b":1" * 500_000, "is too long"),
    "number without digits": (b"a: 0x_", "'0x_' is not a number"),
    "tag that is not a number's": (b"a: !!int x", "'x' is not a number"),
    "empty number": (b"a: !!int ''", "'' is not a number"),
    "tag that is no boolean's": (b"a: !!bool x", "is not a tag of this value"),
    "tag on the wrong kind": (b"a: !!int {}", "is not a tag of this value"),
    "python object": (b"a: !!python/object/apply:os.getcwd []", "is not a tag of this value"),
    "python name": (b"a: !!python/name:os.getcwd", "is not a tag of this value"),
    "binary": (b"a: !!binary aGk=", "is not a tag of this value"),
    "timestamp by tag": (b"a: !!timestamp 2001-01-01", "is not a tag of this value"),
    "merge of text": (b"a: {<<: b}", "'<<' merges mappings only"),
    "unknown alias": (b"a: *b", "undefined alias"),
    "cycle": (b"a: &a [*a]", "nested deeper than 100 levels"),
    "cycle of two": (b"a: &a {b: &b {a: *a}}", "nested deeper than 100 levels"),
    "cycle through a merge": (b"a: &a {<<: *a}", "nested deeper than 100 levels"),
    # libyaml itself may refuse, since PyYAML 6.0.4.
    "deep flow lists": (b"a: " + b"[" * 100_000, "nest"),
    "deep flow mappings": (b"a: " + b"{a: " * 100_000, "nested deeper than 100 levels"),
    "deep block lists": (b"- " * 100_000, "nested deeper than 100 levels"),
    "deep json": (b'{"a":' * 100_000, "nested deeper than 100 levels"),
    "json a bit too deep": (b'{"a":' * 100 + b"1" + b"}" * 100, "nested deeper than 100 levels"),
    "alias bomb": (BOMB, "more than 250000 values"),
    "merge bomb": (BOMB.replace(b"[x, x, x, x, x, x, x, x, x, x]", b"{x: [x, x, x]}").replace(
        b": &b [", b": &b {<<: [").replace(b"*a]", b"*a]}"), "more than 250000 values"),
    "text bomb": (b"a: &a " + b"x" * 2**20 + b"\nb: [" + b", ".join([b"*a"] * 16) + b"]",
        "more than 16 MiB of text"),
    "many values in json": (b'{"a":[' + b"1," * 250_000 + b"1]}", "more than 250000 values"),
    "too large": (b"#" * (16 * 2**20 + 1), "larger than 16 MiB"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "problem"), REFUSED.values(), ids=REFUSED)
def test_refuses(read, text, problem):
    with pytest.raises(SpecError) as refused:
        read(text)
    message = str(refused.value)
    assert message.startswith("some.yaml: ")
    assert problem in message
    assert "\n" not in message
    assert len(message) < 200


def test_refuses_many_values_before_they_use_up_the_memory():
    text = b"a: [" + b"1," * 300_000 + b"1]"
    with pytest.raises(SpecError, match="more than 250000 values"):
        reader.read_document(text, name="some.yaml")


def test_depth_is_allowed_up_to_the_limit(read):
    text = b"a: " + b"[" * 98 + b"x" + b"]" * 98
    tree = read(text)["a"]
    for _ in range(98):
        (tree,) = tree
    assert tree == "x"


def test_aliases_share_nothing(read):
    tree = read(b"a: &x {b: [1]}\nc: *x\nd: {<<: *x}")
    tree["a"]["b"].append(2)
    assert tree["c"] == tree["d"] == {"b": [1]}


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(st.dictionaries(st.text(), PLAIN, max_size=5))
def test_reads_any_json(tree):
    for text in (json.dumps(tree), json.dumps(tree, indent="\t", ensure_ascii=False)):
        assert reader.read_document(text.encode(), name="some.json") == tree


@given(st.binary() | st.text(alphabet="ab01:-?[]{}&*!<>|#%@`'\",. \n\t\\~=+").map(str.encode))
def test_any_bytes_are_read_or_refused(text):
    tree = {}
    with contextlib.suppress(SpecError):
        tree = reader.read_document(text, name="some.yaml")
    assert json.loads(json.dumps(tree)) == tree


COPIED = {
    "integer keys": ({200: {404: 1}}, {"200": {"404": 1}}),
    "tuples": ({"a": (1, 2)}, {"a": [1, 2]}),
    "scalars": ({"a": [None, True, 1, 1.5, "x"]}, {"a": [None, True, 1, 1.5, "x"]}),
}


@pytest.mark.parametrize(("tree", "expected"), COPIED.values(), ids=COPIED)
def test_copies(tree, expected):
    assert reader.plain_copy(tree, name="document") == expected


def test_a_copy_shares_nothing():
    shared = ["x"]
    tree = {"a": shared, "b": shared}
    copied = reader.plain_copy(tree, name="document")
    copied["a"].append("y")
    assert tree == {"a": ["x"], "b": ["x"]}
    assert copied["b"] == ["x"]


def cyclic():
    tree = {}
    tree["a"] = [tree]
    return tree


def doubled(times):
    tree = ["x"]
    for _ in range(times):
        tree = [tree, tree]
    return {"a": tree}


NOT_COPIED = {
    "cycle": (cyclic(), "nested deeper than 100 levels"),
    "shared bomb": (doubled(40), "more than 250000 values"),
    "text bomb": ({"a": ["x" * 2**20] * 17}, "more than 16 MiB of text"),
    "bytes": ({"a": b"x"}, "of the type bytes, which JSON does not know"),
    "set": ({"a": {1}}, "of the type set, which JSON does not know"),
    "not a number": ({"a": float("nan")}, "nan is not a finite number"),
    "boolean key": ({True: 1}, "the key True is not text"),
    "no key": ({None: 1}, "the key nothing is not text"),
    "key twice": ({200: 1, "200": 2}, "the key '200' is given twice"),
    "a huge number": ({"a": -(10**5000)}, "a number has more than 64 digits"),
    "a huge number for a key": ({10**64: 1}, "a number has more than 64 digits"),
    "half a surrogate pair": ({"a": "\udc80"}, "half of a surrogate pair"),
}


@pytest.mark.parametrize(("tree", "problem"), NOT_COPIED.values(), ids=NOT_COPIED)
def test_does_not_copy(tree, problem):
    with pytest.raises(SpecError, match=f"^document: .*{problem}"):
        reader.plain_copy(tree, name="document")


SWAGGER = {"swagger": "2.0", "info": {"version": "1.42"}, "paths": {}}


def test_a_swagger_document_passes():
    reader.check_swagger(SWAGGER, name="some.yaml")


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"swagger": 2.0}, "swagger: expected '2.0', got 2.0"),
        ({"swagger": "1.2"}, "swagger: expected '2.0', got '1.2'"),
        ({"swagger": None}, "swagger: expected '2.0', got nothing"),
        ({"swagger": {}}, "swagger: expected '2.0', got a mapping"),
        ({"paths": None}, "paths: expected a mapping, got nothing"),
        ({"paths": []}, "paths: expected a mapping, got a list"),
        ({"info": None}, "info.version: expected text, got nothing"),
        ({"info": {}}, "info.version: expected text, got nothing"),
        ({"info": {"version": 1.4}}, "info.version: expected text, got 1.4"),
    ],
)
def test_what_is_no_swagger_document_is_refused(changed, problem):
    with pytest.raises(SpecError) as refused:
        reader.check_swagger({**SWAGGER, **changed}, name="some.yaml")
    assert str(refused.value).startswith("some.yaml: ")
    assert str(refused.value).endswith(problem)


def test_an_openapi_document_is_called_by_its_name():
    document = {"openapi": "3.1.0", "info": {"version": "1.42"}, "paths": {}}
    with pytest.raises(SpecError, match=r"^some\.yaml: an OpenAPI 3\.1\.0 document; expected"):
        reader.check_swagger(document, name="some.yaml")


def test_a_document_without_any_mark_is_no_swagger_document():
    with pytest.raises(SpecError, match=r"expected '2\.0', got nothing"):
        reader.check_swagger({"paths": {}}, name="some.yaml")


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("before", "line_break"),
    [
        *(("", each) for each in ("\n", "\r", "\r\n", "\x85", "\u2028", "\u2029")),
        ("a: 1\n...\n", "\n"),
        ("# a comment\n", "\n"),
    ],
)
def test_many_directives_are_not_even_read(before, line_break):
    text = before + "".join(f"%TAG !a{n}! tag:x,{n}:{line_break}" for n in range(90_000))
    with pytest.raises(SpecError, match=r"^x: more than 100 directives"):
        reader.read_document(text.encode(), name="x")


def test_a_few_directives_are_read():
    text = "%YAML 1.1\n%TAG !a! tag:yaml.org,2002:\n---\na: !a!str 1\nb: '100\n  %'"
    assert reader.read_document(text.encode(), name="x") == {"a": "1", "b": "100 %"}


@pytest.mark.parametrize("number", ["1" * 65, "1" * 5000, "-" + "9" * 64])
@pytest.mark.parametrize("form", ['{{"a": {}}}', "a: {}"])
def test_a_number_of_many_digits_is_refused(form, number):
    with pytest.raises(SpecError, match="is too long"):
        reader.read_document(form.format(number).encode(), name="x")


def test_a_message_does_not_hold_a_whole_document():
    name = "n" * 1_000_000
    with pytest.raises(SpecError, match="nnn") as caught:
        reader.read_document(f'{{"{name}": 1, "{name}": 2}}'.encode(), name="x")
    assert len(str(caught.value)) == 2000
