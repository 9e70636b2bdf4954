"""The tour: a notebook that runs as it stands, and shows what it shows in a user's Jupyter."""

from __future__ import annotations

import re

import pytest

from notebooks import RICH, TEXT, code_cells, differences, read, run
from sessions import EMBEDDED, STAND_INS, TOP, is_of_the_guide, swept

TOUR = TOP / "docs" / "tour.ipynb"
LIST = "client.ContainerList("


@pytest.fixture(scope="module")
def tour():
    return read(TOUR)


def _quiet_jupyter(monkeypatch, folder):
    """Keep what a kernel writes and reads out of the user's own folders."""
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(folder / name.lower()))


# What runs the kernel is not ours, nor is what it warns of.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["docker", EMBEDDED])
def test_what_the_tour_shows(kind, tour, speaker, monkeypatch, tmp_path):
    _quiet_jupyter(monkeypatch, tmp_path)
    if kind == EMBEDDED:
        # It reaches no registry, so that cells which ask one are left out.
        for variable in STAND_INS.values():
            monkeypatch.delenv(variable, raising=False)
    with swept(speaker(kind), is_of_the_guide):
        fresh = run(tour, TOUR.parent)
    assert not [*differences(tour, fresh)]
    _check_the_table(fresh)


def _check_the_table(notebook):
    """A list of containers is a table in a notebook, beside the text for where there is no HTML."""
    (cell,) = [cell for cell in code_cells(notebook) if cell.source.startswith(LIST)]
    (output,) = cell.outputs
    assert {RICH, TEXT} <= output.data.keys()
    assert "<table" in output.data[RICH]
    assert "guide-tour" in output.data[RICH]


def test_every_cell_is_stored_with_what_it_shows(tour):
    _check_the_table(tour)
    assert [cell.execution_count for cell in code_cells(tour)] == [
        *range(1, len(code_cells(tour)) + 1)
    ]
    assert not [
        output
        for cell in code_cells(tour)
        for output in cell.outputs
        if output.output_type == "error" or output.get("name") == "stderr"
    ]


def test_nothing_of_the_machine_is_stored(tour):
    text = TOUR.read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|tmp|work|Users)/", text)
    assert set(re.findall(r"\w+://[^\s'\",<>)]+", text)) <= {"unix:///var/run/docker.sock"}
    assert tour.metadata.keys() == {"kernelspec", "language_info"}
