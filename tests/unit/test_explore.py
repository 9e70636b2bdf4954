"""Looking around: signatures, help, search, and what ``dir`` offers."""

from __future__ import annotations

import inspect
import pydoc

import pytest

from dynadock import load
from dynadock.explore.describe import describe
from dynadock.explore.signature import signature_of
from dynadock.explore.types import python_type, word_for_reply, word_for_schema
from dynadock.spec.loader import load_spec

CLIENT = load("1.42", host="unix:///nowhere.sock")


@pytest.mark.parametrize(
    ("operation_id", "signature"),
    [
        (
            "ContainerList",
            "(*, all: bool = None, limit: int = None, size: bool = None, filters: dict = None)",
        ),
        ("ContainerInspect", "(id: str, *, size: bool = None)"),
        ("SystemPing", "()"),
        ("ImageSearch", "(*, term: str, limit: int = None, filters: dict = None, "),
        ("PluginEnable", "(name: str, *, timeout: "),
        ("PluginSet", "(name: str, *, body: list)"),
        ("ImageLoad", "(*, quiet: bool = None, imagesTarball: bytes)"),
        ("ImagePush", "(name: str, *, tag: str = None, X_Registry_Auth: dict = None)"),
        ("NetworkConnect", "(id: str, *, container: dict = None, Container: str = None, "),
    ],
)
def test_signatures(operation_id, signature):
    assert str(inspect.signature(getattr(CLIENT, operation_id))).startswith(signature)


def test_signatures_hold_what_a_call_takes():
    signature = inspect.signature(CLIENT.ContainerCreate)
    assert {"name", "platform", "body", "Image", "HostConfig"} <= set(signature.parameters)
    for parameter in signature.parameters.values():
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert parameter.default is None
    signature.bind(name="web", Image="x")
    with pytest.raises(TypeError):
        signature.bind("web")


@pytest.mark.parametrize(
    ("operation_id", "required"),
    [
        ("ContainerInspect", ["id"]),
        ("ImageSearch", ["term"]),
        ("ImagePush", ["name"]),  # what is sent by default need not be given
        ("PluginEnable", ["name"]),
        ("ConfigUpdate", ["id", "version"]),  # nor is the body of one's own fields
        ("PluginSet", ["name", "body"]),
    ],
)
def test_what_must_be_given_has_no_default(operation_id, required):
    parameters = signature_of(load_spec("1.42")[operation_id]).parameters.values()
    assert [p.name for p in parameters if p.default is inspect.Parameter.empty] == required


HELP = [
    (
        "ContainerWait",
        [
            "POST /containers/{id}/wait (API 1.42, Container)",
            "Parameters:",
            "  id         string  path, required",
            "  condition  string  query, one of 'not-running', 'next-exit', 'removed'",
            "since 1.30",
            "Reply: ContainerWaitResponse",
            "Errors: 400 BadRequest, 404 NotFound, 500 ServerError",
        ],
    ),
    ("VolumeUpdate", ["PUT /volumes/{name} (API 1.42, Volume, since 1.42)"]),
    (
        "ContainerStats",
        ["one_shot  boolean  query, ", "since 1.41", "Reply: a stream of values (JsonStream)"],
    ),
    ("SystemPingHead", ["Reply: headers"]),
    (
        "ImageBuild",
        ["t ", "list of string", "X_Registry_Config", "object (dict)", "Body: inputStream"],
    ),
    ("ContainerCreate", ["matches ^", "Body: body", "required", "  HostConfig ", "    Memory "]),
    ("ContainerCreate", ["since 1.41", "one of ", "as one value (also body=)"]),
    (
        "ContainerLogs",
        [
            "since",
            "timestamp",
            "tail",
            "integer or string",
            "Reply: a stream of output (FrameStream)",
        ],
    ),
    ("ContainerList", ["the engine assumes False", "filters (dict of lists)"]),
    ("NetworkConnect", ["Body: container (", "  Container "]),
    ("ContainerStart", ["Reply: nothing", "Errors: "]),
]


@pytest.mark.parametrize(("operation_id", "parts"), HELP)
def test_help(operation_id, parts):
    text = describe(load_spec("1.42")[operation_id])
    position = 0
    for part in parts:
        assert part in text
        if part.endswith(":"):
            assert text.index(part) >= position
            position = text.index(part)
    assert all(line == line.rstrip() for line in text.splitlines())


def test_help_has_as_many_levels_as_asked_for():
    operation = load_spec("1.42")["ContainerCreate"]
    assert "  CpuShares " not in describe(operation, depth=1)
    assert "  CpuShares " in describe(operation)
    assert "  HostPort " not in describe(operation)
    assert "  HostPort " in describe(operation, depth=5)
    assert CLIENT.ContainerCreate.describe(depth=1) == describe(operation, depth=1)
    assert "client.ContainerCreate.describe(depth=3)" in describe(operation)
    assert "describe(depth=" not in describe(operation, depth=9)


def test_help_begins_with_what_it_does_and_ends_with_a_call():
    text = describe(load_spec("1.42")["ContainerKill"])
    assert text.startswith("Send a signal to a container's main process\n")
    assert text.endswith("\nExample:\n  client.ContainerKill('web', signal='SIGTERM')")
    assert "By name" in text  # what a parameter means
    assert "container may still run" in text  # what comes back


def test_pythons_own_help():
    text = pydoc.render_doc(CLIENT.ContainerWait, renderer=pydoc.plaintext)
    assert "ContainerWait(id: str, *, condition: str = None)" in text
    assert "POST /containers/{id}/wait" in text
    assert "Operation" in pydoc.render_doc(CLIENT, renderer=pydoc.plaintext)
    assert type(CLIENT.ContainerWait).__doc__.startswith("An operation, ")


def test_tab_completion():
    offered = dir(CLIENT)
    assert {"ContainerList", "container_list", "find", "at", "operations"} <= set(offered)
    assert "ContainerArchive" in dir(CLIENT.at("1.25"))
    assert "VolumeUpdate" not in dir(CLIENT.at("1.41"))


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        (None, "any"),
        ({}, "any"),
        ({"type": "string"}, "string"),
        ({"type": ["array", "string"]}, "array or string"),
        ({"$ref": "#/definitions/T"}, "T"),
        ({"type": "array", "items": {"$ref": "#/definitions/T"}}, "list of T"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "map of integer"),
        ({"properties": {}}, "object"),
        ({"allOf": [{"$ref": "#/definitions/T"}]}, "object"),
    ],
)
def test_words_for_schemas(schema, word):
    assert word_for_schema(schema, {"T": {"type": "object"}}) == word


@pytest.mark.parametrize(
    ("operation_id", "word"),
    [
        ("ContainerList", "list of ContainerSummary"),
        ("ContainerDelete", "nothing"),
        ("ImageGet", "a tar archive (TarStream)"),
        ("PluginDelete", "nothing"),
        ("ContainerArchiveInfo", "headers"),
    ],
)
def test_words_for_replies(operation_id, word):
    assert word_for_reply(load_spec("1.42")[operation_id]) == word


def test_python_types():
    assert [python_type(word) for word in ("string", "integer", "filters")] == [str, int, dict]
    assert python_type("no such").__name__ == "Any"


@pytest.mark.parametrize(
    ("operation_id", "part"),
    [
        ("ContainerLogs", "  Iterate over its frames, or take .lines(), .text(), "),
        ("ContainerAttach", ".write(data) sends input, .close_stdin() ends it."),
        ("ImagePush", "  Let .wait() run it to the end, or .show() with its progress, or iterate."),
        ("SystemEvents", "  Iterate over the values, and close it when you have seen enough."),
        ("ContainerStats", "With stream=False it is\n  not a stream but the value itself."),
        ("ImageGet", ".save(path) or .extract(folder) it"),
        (
            "ImageBuild",
            "Body: inputStream (bytes, Path, open file, iterator or pack(…); optional)\n",
        ),
        ("ImageBuild", "  also as body=\n"),
        ("ImageBuild", "Example:\n  from dynadock import pack\n  client.ImageBuild("),
        ("PluginSet", "Body: body (list of string; required)\n"),
    ],
)
def test_help_says_what_to_give_and_what_to_do_with_what_comes(operation_id, part):
    assert part in describe(load_spec("1.42")[operation_id])
