"""``python -m dynadock diff``: what it prints and writes, and how it ends."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from dynadock import diff
from dynadock.command.app import app
from dynadock.explore.differences import Differences

FAILED = 1


def ran(*arguments):
    return CliRunner().invoke(app, ["diff", *arguments])


def test_it_prints_what_diff_shows():
    done = ran("1.40", "1.42", "ContainerCreate")
    assert done.exit_code == 0
    assert done.output == diff("1.40", "1.42").of("ContainerCreate").text() + "\n"


def test_other_forms():
    found = diff("1.41", "1.42")
    assert (
        Differences.from_dict(json.loads(ran("1.41", "1.42", "--format", "json").output)) == found
    )
    assert ran("1.41", "1.42", "--format", "markdown").output == found.markdown()
    assert ran("1.41", "1.42", "--format", "html").output.startswith("<!doctype html>")


def test_a_file_is_written(tmp_path):
    path = tmp_path / "diff.md"
    done = ran("1.41", "1.42", "--format", "markdown", "-o", str(path))
    assert (done.exit_code, done.output) == (0, "")
    assert path.read_text(encoding="utf-8") == diff("1.41", "1.42").markdown()


def test_a_file_that_cannot_be_written_is_said(tmp_path):
    done = ran("1.41", "1.42", "-o", str(tmp_path / "none" / "diff.md"))
    assert done.exit_code == FAILED
    assert "cannot be written: No such file or directory" in done.output


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["1.41", "1.42"], 1),
        (["1.40", "1.41", "--only", "harmless"], 1),
        (["1.42", "1.43", "--only", "breaking"], 0),
        (["1.42", "1.43"], 0),
        (["1.42", "1.42"], 0),
    ],
)
def test_the_exit_code_tells_what_there_is(arguments, code):
    assert ran(*arguments, "--exit-code").exit_code == code
    assert ran(*arguments).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["1.24", "1.42"], "there is no document for API 1.24"),
        (["1.40", "none.yaml"], "neither a version ('1.42') nor a file"),
        (["1.40", "1.42", "HostConfg"], "did you mean HostConfig?"),
    ],
)
def test_what_is_wrong_is_said(arguments, words):
    done = ran(*arguments)
    assert done.exit_code == FAILED
    assert words in done.output


def test_raw_documents_lack_what_the_overlay_adds():
    kinds = {
        raw: {row["kind"] for row in json.loads(ran("1.27", "1.28", *raw).output)["differences"]}
        for raw in (("--format", "json"), ("--format", "json", "--raw"))
    }
    corrected, raw = kinds.values()
    assert "operation-renamed" in corrected - raw
    assert "operation-id-changed" in raw - corrected
