"""What ``import dynadock`` offers."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import types
from importlib.metadata import version as installed_version

import pytest

import dynadock
from documents import A_FEW, VERSIONS
from dynadock import errors

MODULES = {"config", "embedded", "errors"}


def test_all_is_sorted_and_without_doubles():
    assert dynadock.__all__ == sorted(set(dynadock.__all__))
    assert set(dynadock.__all__) <= set(dir(dynadock))


def test_what_is_offered_is_public():
    offered = {name for name in dir(dynadock) if not name.startswith("__")}
    versions = {f"v{each.replace('.', '_')}" for each in VERSIONS}
    assert offered == {*dynadock.__all__, *MODULES, *versions}


def test_who_looks_at_all_that_is_offered_reads_no_document():
    code = (
        "import inspect, dynadock; found = dict(inspect.getmembers(dynadock));"
        "clients = [found[name] for name in found if name.startswith('v1_')];"
        "print(len(clients), sum('_spec' in vars(client) for client in clients))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [str(len(VERSIONS)), "0"]


def imports_for_types():
    """Yield what type checkers read: from which module, which name, and as what."""
    for node in ast.walk(ast.parse(inspect.getsource(dynadock))):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for line in node.body:
                yield from ((line.module, each.name, each.asname) for each in line.names)


def test_type_checkers_are_told_of_the_same_names_in_the_same_places():
    homes = {(module, name) for module, names in dynadock._HOMES.items() for name in names}
    modules = {("dynadock", name) for name in MODULES}
    told = {(module, name) for module, name, _ in imports_for_types()}
    assert told == homes | modules | {("dynadock.errors", "*")}
    assert all(shown == name for _, name, shown in imports_for_types() if name != "*")


@pytest.mark.parametrize("name", dynadock.__all__)
def test_every_name_is_there_and_lives_in_the_package(name):
    value = getattr(dynadock, name)
    home = getattr(value, "__module__", "dynadock")
    assert home.startswith("dynadock")
    assert getattr(value, "__name__", name) == name
    assert value.__doc__


def test_all_is_all_that_is_public():
    for name in dynadock.__all__:
        getattr(dynadock, name)
    public = {
        name
        for name, value in vars(dynadock).items()
        if not name.startswith(("_", "v1_")) and not isinstance(value, types.ModuleType)
    }
    # Names that the module imports for its own use.
    own = {"annotations", "TYPE_CHECKING", "Any"}
    # What IPython looks for.
    own |= {"load_ipython_extension", "unload_ipython_extension"}
    assert public - own == set(dynadock.__all__)


def test_errors_are_exported_all_and_alone():
    public = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert public & set(dynadock.__all__) >= {"DynadockError", "NotFound", "Fault", "TimedOut"}
    own = {name for name in public if getattr(errors, name).__module__ == errors.__name__}
    assert own <= set(dynadock.__all__)
    assert not (public - own) & set(dynadock.__all__)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_modules_that_are_offered_are_there(name):
    code = f"import dynadock; print(dynadock.{name}.__name__)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == f"dynadock.{name}"


def test_a_star_import_gives_all():
    code = "from dynadock import *; import dynadock; print(set(dynadock.__all__) - set(globals()))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'dynadock' has no attribute 'nothing'"):
        _ = dynadock.nothing
    assert not hasattr(dynadock, "v2_42")
    assert not hasattr(dynadock, "v1_")
    assert not hasattr(dynadock, "NamedTuple")
    assert not hasattr(dynadock, "__wrapped__")


@pytest.mark.parametrize("version", A_FEW)
def test_versions_can_be_imported(version):
    client = getattr(dynadock, "v" + version.replace(".", "_"))
    assert isinstance(client, dynadock.Client)
    assert client.version == version
    assert getattr(dynadock, "v" + version.replace(".", "_")) is client


def test_an_imported_client_looks_for_its_engine_at_the_first_call(monkeypatch):
    code = (
        "from dynadock import v1_41; import os;"
        "os.environ['DOCKER_HOST'] = 'tcp://later:1'; print(v1_41.endpoint)"
    )
    monkeypatch.setenv("DOCKER_HOST", "nonsense")
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "tcp://later:1"


def test_a_version_that_is_not_there_cannot_be_imported():
    with pytest.raises(AttributeError, match=r"no document of API v1\.99"):
        _ = dynadock.v1_99


def test_the_version_of_the_distribution():
    assert dynadock.__version__ == installed_version("dynadock-client")
