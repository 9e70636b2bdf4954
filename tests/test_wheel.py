"""What is handed out: an sdist, and a wheel built from it, that carry the documents."""

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import pytest

from documents import VERSIONS, operations_of

TOP = Path(__file__).parents[1]

PROBE = """
import json, sys, dynadock
from dynadock import load
from dynadock.spec.library import bundled_versions
client = load("1.42", host="unix:///nowhere.sock")
print(json.dumps({
    "file": dynadock.__file__,
    "versions": [str(version) for version in bundled_versions()],
    "operations": list(client.operations),
    "target": client.ContainerList.prepare(all=True).target,
    "page": dynadock.diff("1.41", "1.42").html()[:15],
}))
"""


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(TOP))
    return folder


def test_the_sdist_carries_what_the_project_needs_to_build_and_test(distributions):
    (sdist,) = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {f"specs/v{version}.yaml" for version in VERSIONS}
    wanted |= {
        "specs/overlay.yaml",
        "specs/changes.json",
        "specs/history.json",
        "specs/severities.yaml",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "NOTICE",
        "Makefile",
        "tests/test_wheel.py",
    }
    assert wanted <= names


def test_an_installed_wheel_loads_its_own_documents(distributions, tmp_path):
    (wheel,) = distributions.glob("*.whl")
    environment = tmp_path / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", str(environment))
    python = str(environment / "bin" / "python")
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet")
    run(*pip, "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel))
    # Its dependencies, but not this checkout: a .pth file's folder brings no .pth files of its own.
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    (Path(site) / "dependencies.pth").write_text(sysconfig.get_path("purelib"))

    home = tmp_path / "home"
    told = {"PATH": os.environ["PATH"], "HOME": str(home)}
    found = json.loads(run(python, "-I", "-c", PROBE, cwd=tmp_path, env=told))

    assert Path(found["file"]).is_relative_to(environment)
    assert found["versions"] == VERSIONS
    assert sorted(found["operations"]) == sorted(operations_of("1.42"))
    assert found["target"] == "/v1.42/containers/json?all=true"
    assert found["page"] == "<!doctype html>"
