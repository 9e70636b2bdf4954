"""Patterns of documents: which are run here, in what time, and what becomes of the others."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from documents import VERSIONS
from dynadock import ParameterError, load
from dynadock.errors import BodyError
from dynadock.explore.describe import describe
from dynadock.spec.loader import load_spec
from dynadock.spec.patterns import LONGEST, read_pattern

RUN = {
    # Those of the published documents.
    "/?[a-zA-Z0-9_-]+": (["web", "/web", "a b"], ["", "//", "ä"]),
    "^/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$": (["/web", "a.b"], ["a", "_a", "a b", "web\n"]),
    "^[0-9a-fA-F]{64}$": (["0" * 64], ["0" * 63, "0" * 65, "g" * 64]),
    "": (["", "x"], []),
    "^$": ([""], ["x", "\n"]),
    "a": (["a", "bab"], ["b"]),
    r"a\$": (["a$"], ["a"]),
    "^(a|b$)": (["ax", "b"], ["b\n", "bx"]),
    "^(a|bc|)$": (["a", "bc", ""], ["b"]),
    "^(?:ab)*$": (["", "abab"], ["aba"]),
    "^a{2,}$": (["aa", "aaa"], ["a"]),
    "^a{2,3}?b{2}$": (["aabb", "aaabb"], ["abb", "aab"]),
    "^x{}$": (["x{}"], ["x"]),
    "^a.c$": (["abc"], ["a\nc"]),
    r"^[^a-c\]\-]$": (["d"], ["a", "]", "-"]),
    r"^[-a.][a-]$": (["-a", ".-"], ["b-"]),
    r"^\x41\u00e9\t\/\.$": (["Aé\t/."], ["Aé\t/x"]),
    r"^\w+-\d\s\D$": (["ä-1 x"], ["-1 x"]),
    r"^[\d_]+$": (["1_2"], ["a"]),
    r"\bweb\b": (["a web b"], ["webs"]),
    "^https?://[^/]+(/.*)?$": (["http://a", "https://a/b"], ["http:///"]),
    "^([0-9]{1,3}\\.){3}[0-9]{1,3}$": (["1.2.3.4"], ["1.2.3"]),
}


@pytest.mark.parametrize("pattern", RUN)
def test_what_is_run(pattern):
    read = read_pattern(pattern)
    assert read.reason == ""
    good, bad = RUN[pattern]
    assert [text for text in (*good, *bad) if read.fits(text)] == good


def patterns_in(node):
    """Yield every pattern in a corrected document's form."""
    members = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    if isinstance(node, dict) and isinstance(node.get("pattern"), str):
        yield node["pattern"]
    for member in members:
        yield from patterns_in(member)


def test_all_patterns_of_the_bundled_documents_are_run():
    found = set()
    for version in VERSIONS:
        form = load_spec(version)._compiled
        found |= {*patterns_in([*form["operations"].values(), *form["definitions"].values()])}
    assert found
    assert [pattern for pattern in found if read_pattern(pattern).reason] == []


NESTED = "an unbounded repeat stands inside another"
BESIDE = "two unbounded repeats stand beside each other"
AMBIGUOUS = "several ways may have to be tried"
ANYWHERE = "it may begin anywhere and be long"
DIALECT = "not all dialects have"
NOT_RUN = {
    "^(a+)+$": NESTED,
    "^(a*b)*$": NESTED,
    "^((a{2,}b){2,5}c)*$": NESTED,
    "^(a{1,5000}b)+$": NESTED,
    "a*a*": BESIDE,
    "^a+b+$": BESIDE,
    "^a+c?b+$": BESIDE,
    "^(a|b)*(x?)c*$": BESIDE,
    "^(a+|b){2,3}$": BESIDE,
    ".*.*x": BESIDE,
    "^.*x": AMBIGUOUS,
    "^(a|a)$": AMBIGUOUS,
    "^(foo|far)$": AMBIGUOUS,
    "a?" * 30 + "a" * 30: AMBIGUOUS,
    "^(a?){30}$": AMBIGUOUS,
    "(|)" * 40 + "x": AMBIGUOUS,
    r"(\b)?" * 40 + "x": AMBIGUOUS,
    "^(a{1,9}){1,9}b$": AMBIGUOUS,
    "^[^a]?b$": AMBIGUOUS,
    "^ä?ö": AMBIGUOUS,
    "[0-9]+x": ANYWHERE,
    "a{1,900}b": ANYWHERE,
    "^a|[0-9]+x": ANYWHERE,
    "[0-9]+$": ANYWHERE,
    "(a*b){2}": ANYWHERE,
    r"^(a)\1$": "it has a back-reference",
    r"^(?:a)\k<a>$": "it has a back-reference",
    "(?=a)a": DIALECT,
    "(?<name>a)": DIALECT,
    "(?i)a": DIALECT,
    "a++": DIALECT,
    "a**": DIALECT,
    "a{2}{3}": DIALECT,
    "a{,5}": DIALECT,
    r"\p{L}": DIALECT,
    r"\cA": DIALECT,
    r"\01": DIALECT,
    r"a\Z": DIALECT,
    r"\ud83d\ude00": DIALECT,
    r"\xg1": DIALECT,
    "[]a]": DIALECT,
    "[^]": DIALECT,
    "[[a]": DIALECT,
    "[a--b]": DIALECT,
    "[a&&b]": DIALECT,
    "[b-a]": DIALECT,
    r"[\d-x]": DIALECT,
    "(": "unfinished",
    "[a": "unfinished",
    "a\\": "unfinished",
    r"\x4": "unfinished",
    "a)": "is too many",
    "*a": "nothing that * repeats",
    "^a{3,2}": "it cannot be read here",
    "^a{99999999999}": "it cannot be read here",
    "(" * 5000 + ")" * 5000: "characters",
    "(" * 100 + ")" * 100: "nested deeper",
    "a" * 8_000_000: f"it has more than {LONGEST} characters",
}


@pytest.mark.parametrize("pattern", NOT_RUN, ids=[each[:30] for each in NOT_RUN])
def test_what_is_left_to_the_engine(pattern):
    read = read_pattern(pattern)
    assert NOT_RUN[pattern] in read.reason
    assert read.fits("anything")


SETS = st.sampled_from(["a", "b", "c", "[ab]", "[^a]", ".", r"\w", r"\d", r"\b", "é"])
REPEATS = ["*", "+", "?", "*?", "{2}", "{1,3}", "{2,}", "{0,90}"]
PATTERNS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "^"]),
    st.recursive(
        SETS,
        lambda inner: (
            st.lists(inner, min_size=1, max_size=4).map("".join)
            | st.lists(inner, min_size=1, max_size=3).map(lambda each: f"({'|'.join(each)})")
            | st.builds("({}){}".format, inner, st.sampled_from(REPEATS))
        ),
        max_leaves=6,
    ),
    st.sampled_from(["", "$", "c"]),
)
MANY = 20_000
TEXTS = ["a" * MANY, "a" * MANY + "!", "ab" * MANY + "!", "b" * MANY + "a", "aab" * MANY + "\n"]


@pytest.mark.timeout(30)
@given(PATTERNS)
@example("^([ab]{2})*$")
@example("(([ab]){2}){1,3}c")
def test_what_is_run_takes_linear_time(pattern):
    read = read_pattern(pattern)
    assume(read.expression is not None)
    for text in TEXTS:
        expected = re.search(pattern.replace("$", r"\Z"), text) is not None
        assert read.fits(text) is expected


def client_with(pattern):
    """Return a client whose operation has that pattern wherever one may stand."""
    text = {"type": "string", "pattern": pattern}
    texts = {"type": "array", "items": text}
    fields = {"A": text, "B": texts, "C": {"type": "object", "additionalProperties": text}}
    schema = {"type": "object", "properties": {**fields, "D": {"$ref": "#/definitions/Text"}}}
    operation = {
        "operationId": "ThingMake",
        "parameters": [
            {"name": "q", "in": "query", **text},
            {"name": "r", "in": "query", **texts},
            {"name": "X-S", "in": "header", **text},
            {"name": "thing", "in": "body", "schema": schema},
        ],
    }
    document = {
        "swagger": "2.0",
        "info": {"version": "1.42"},
        "paths": {"/things": {"post": operation}},
        "definitions": {"Text": text},
    }
    return load(document, host="unix:///nowhere.sock")


PLACES = {
    "q": lambda text: {"q": text},
    "r[1]": lambda text: {"r": ["b", text]},
    "X_S": lambda text: {"X_S": text},
    "A": lambda text: {"A": text},
    "B[1]": lambda text: {"B": ["b", text]},
    "C.x": lambda text: {"C": {"x": text}},
    "D": lambda text: {"D": text},
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("arguments", PLACES.values(), ids=PLACES)
def test_no_pattern_hangs_a_call(arguments):
    client = client_with("^(a+)+$")
    text = "a" * 10_000 + "!"
    assert client.ThingMake.prepare(**arguments(text))


@pytest.mark.parametrize(("place", "arguments"), PLACES.items(), ids=PLACES)
def test_patterns_are_checked_wherever_they_stand(place, arguments):
    make = client_with("^b+$").ThingMake.prepare
    assert make(**arguments("b"))
    with pytest.raises((ParameterError, BodyError)) as caught:
        make(**arguments("b\n"))
    (fault,) = caught.value.faults
    assert fault.place == place
    assert fault.problem == r"expected text that matches ^b+$, got 'b\n'"


def test_help_says_which_patterns_are_not_checked():
    checked = describe(client_with("^b+$")._spec["ThingMake"])
    assert checked.count("matches ^b+$") == len(PLACES)
    left = describe(client_with("^(a+)+$")._spec["ThingMake"])
    note = "pattern not checked here, as an unbounded repeat stands inside another: ^(a+)+$"
    assert left.count(note) == len(PLACES)
    assert len(describe(client_with("a" * 1_000_000)._spec["ThingMake"])) < 10_000
