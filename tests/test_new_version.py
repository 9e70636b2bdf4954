"""A new API version is a new file: one that is invented, from its published form to a call.

The two steps of CONTRIBUTING's "Data" are taken in a copy of the checkout. Beside that, nothing but
a document may say which version is the newest one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from documents import FOLDER, NEWEST, NEXT, OLDEST, SPAN, VERSIONS, operations_of

TOP = Path(__file__).parents[1]
PAGES = ("README.md", "docs/index.md")
PROGRAMS = ("src", "tests", "tools", "bench")

GONE = operations_of(NEWEST)[-1]
SHINE = {"type": "object", "properties": {"Gloss": {"type": "integer"}}}
IN_SHINE = {"$ref": "#/definitions/Shine"}
POLISH = {
    "operationId": "ContainerPolish",
    "summary": "Polish a container",
    "tags": ["Polish"],
    "parameters": [
        {"name": "id", "in": "path", "required": True, "type": "string", "description": "Which"},
        {"name": "wax", "in": "query", "type": "boolean", "default": False},
        {"name": "how", "in": "body", "schema": {"type": "object", "properties": {"On": IN_SHINE}}},
    ],
    "responses": {"200": {"description": "It shines.", "schema": IN_SHINE}},
}

WORDLESS = {
    "operations.ContainerList.parameters.shiny",
    "operations.ContainerPolish.summary",
    "operations.ContainerPolish.about",
    "operations.ContainerPolish.parameters.id",
    "operations.ContainerPolish.parameters.wax",
    "operations.ContainerPolish.body",
    "operations.ContainerPolish.body_fields.On",
    "operations.ContainerPolish.reply",
    "definitions.HostConfig.fields.Shine",
    "definitions.Shine.fields.Gloss",
    "tags.Polish.summary",
}
"""All that is new, and no more."""

PROBE = f"""
import json, sys
sys.path.insert(0, "tests")
import documents, wording
from dynadock import UnknownOperation, diff, history, load
from dynadock.explore.texts import bundled_texts
from dynadock.spec.library import bundled_versions
from dynadock.spec.loader import load_spec

client, before = load("{NEXT}", host="unix:///nowhere.sock"), load("{NEWEST}")
create = before.ContainerCreate.prepare

def wordless(version):
    return {{*wording.missing(wording.things_of(load_spec(version), bundled_texts()))}}

def refusal(call):
    try:
        call()
    except Exception as error:
        return str(error)

print(json.dumps({{
    "versions": [str(version) for version in bundled_versions()],
    "operations": [sorted(client.operations), sorted(documents.operations_of("{NEXT}"))],
    "target": client.ContainerPolish.prepare("web", wax=True, On={{"Gloss": 2}}).target,
    "gone": refusal(lambda: client.{GONE}),
    "new": refusal(lambda: before.ContainerPolish),
    "parameter": refusal(lambda: before.ContainerList.prepare(shiny=True)),
    "field": refusal(lambda: create(HostConfig={{"Shine": {{"Gloss": 2}}}})),
    "differs": [str(row) for row in diff("{NEWEST}", "{NEXT}")],
    "history": [str(change) for change in history("ContainerPolish")],
    "found": [each.operation_id for each in client.find("polish")],
    "wordless": sorted(wordless("{NEXT}") - wordless("{NEWEST}")),
}}))
"""


def published() -> bytes:
    """Return what might be published as the next version: the newest one, with changes."""
    source = (FOLDER / f"v{NEWEST}.yaml").read_bytes()
    tree = yaml.load(source, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    tree["info"]["version"], tree["basePath"] = NEXT, f"/v{NEXT}"
    tree["definitions"]["Shine"] = SHINE
    paths = tree["paths"]
    paths["/containers/{id}/polish"] = {"post": POLISH}
    shiny = {"name": "shiny", "in": "query", "type": "boolean", "description": "Only these"}
    paths["/containers/json"]["get"]["parameters"].append(shiny)
    host_config = tree["definitions"]["HostConfig"]
    host_config.get("allOf", [host_config])[-1]["properties"]["Shine"] = IN_SHINE
    for methods in paths.values():
        for method in [each for each in methods if methods[each].get("operationId") == GONE]:
            del methods[method]
    return json.dumps(tree).encode()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Take both steps in a copy of the checkout; return what runs a Python program there."""
    top = tmp_path_factory.mktemp("checkout")
    for folder in ("src", "specs", "tools", "tests"):
        shutil.copytree(TOP / folder, top / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(TOP / "pyproject.toml", top)
    (top / f"v{NEXT}.yaml").write_bytes(published())

    def run(*arguments):
        # The tests' own cache serves the copy too: its code has the same sizes and times.
        environment = {**os.environ, "PYTHONPATH": str(top / "src")}
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=top,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("tools/fetch_spec.py", "--facts", NEXT, "--from", f"v{NEXT}.yaml", "--ref", "invented")
    run("tools/draw_history.py")
    return run


def test_an_invented_version_needs_two_steps_and_words(run):
    found = json.loads(run("-c", PROBE))
    assert found["versions"] == [*VERSIONS, NEXT]
    assert found["operations"][0] == found["operations"][1]
    assert found["target"] == f"/v{NEXT}/containers/web/polish?wax=true"
    assert f"its last version is {NEWEST}" in found["gone"]
    for new in ("new", "parameter", "field"):
        assert f"it arrived in {NEXT}" in found[new]
    assert sorted(found["differs"]) == sorted(
        [
            f"{GONE}: the operation is gone",
            "ContainerPolish: a new operation",
            "ContainerList: query shiny: a new parameter, boolean",
            "HostConfig.Shine: a new field, Shine",
        ]
    )
    assert found["history"] == [f"{NEXT}  + operation ContainerPolish"]
    assert found["found"][0] == "ContainerPolish"
    assert found["wordless"] == sorted(WORDLESS)


def test_the_tests_of_versions_know_it(run):
    paths = [f"tests/unit/test_{name}.py" for name in ("library", "loader", "changes")]
    run("-m", "pytest", "-q", "-p", "no:cacheprovider", *paths)


def test_no_program_says_which_version_is_the_newest():
    literal = re.compile(rf"(?<![\d.]){re.escape(NEWEST)}(?![\d.])")
    programs = [path for each in PROGRAMS for path in (TOP / each).rglob("*.py")]
    named = [path for path in programs if literal.search(path.read_text(encoding="utf-8"))]
    assert programs
    assert not named, f"these name API {NEWEST}; let them take it from tests/documents.py"


@pytest.mark.parametrize("page", PAGES)
def test_pages_say_which_versions_come_along(page):
    words = " ".join((TOP / page).read_text(encoding="utf-8").split())
    said = re.findall(rf"{re.escape(OLDEST)} to \d+\.\d+", words)
    assert said == [SPAN], f"{page}: the documents of {SPAN} are bundled; say so, once"
