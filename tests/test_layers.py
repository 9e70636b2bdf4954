"""The layers of the package, read from its source: imports, and what code must not contain."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

import dynadock
from documents import MAIN
from dynadock.spec.library import bundled_versions
from dynadock.spec.loader import load_version
from dynadock.spec.versions import parse_version
from wire.peer import OK, Peer

SOURCE = Path(dynadock.__file__).parent
LAYERS = (
    *("errors", "warn", "deadline", "atomic", "secret", "keywords", "attribute"),
    *("spec", "accounts", "contracts", "options", "archive", "config", "show", "record", "pages"),
    *("wire", "call", "explore", "contract", "simulation", "transport", "streams"),
    *("configured", "bound", "client"),
    *("commands", "embedded", "compat", "testing", "command", "prompt", "__main__"),
)
"""From the lowest to the highest; each may import what stands before it, and itself."""

PURE = {*LAYERS[: LAYERS.index("transport")]}
OF_THE_NETWORK = {
    *(
        "asyncio",
        "http",
        "requests",
        "select",
        "selectors",
        "socket",
        "ssl",
        "urllib3",
    ),
}
LATE = {
    *("jsonschema", "openapi_core", "yaml", "requests", "urllib3", "platformdirs"),
    *("tarfile", "websockets", "rich", "rapidfuzz", "click", "h11"),
}
SLOW = {
    *("base64", "copy", "dataclasses", "datetime", "hashlib", "inspect", "pathlib"),
    *("random", "shutil", "tempfile", "urllib"),
}
"""Modules of the standard library that few calls need, and that take milliseconds to load."""


class Import(NamedTuple):
    """One import: both modules, its line, and whether it is for type checkers only."""

    importer: str
    line: int
    module: str
    names: tuple[str, ...]
    for_types: bool
    function: str


@cache
def modules():
    return {
        "dynadock." + path.relative_to(SOURCE).with_suffix("").as_posix().replace("/", "."): path
        for path in SOURCE.rglob("*.py")
        if path.name != "__init__.py"
    }


@cache
def tree_of(module):
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


def imports_of(module):
    yield from _imports(module, tree_of(module), for_types=False, function="")


def _imports(module, node, *, for_types, function):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(module, child.lineno, alias.name, (), for_types, function)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{module}:{child.lineno} imports relatively"
            names = tuple(alias.name for alias in child.names)
            yield Import(module, child.lineno, child.module, names, for_types, function)
        elif isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            body = ast.Module(child.body, [])
            yield from _imports(module, body, for_types=True, function=function)
            rest = ast.Module(child.orelse, [])
            yield from _imports(module, rest, for_types=for_types, function=function)
        else:
            inside = child.name if isinstance(child, ast.FunctionDef) else function
            yield from _imports(module, child, for_types=for_types, function=inside)


ALL_IMPORTS = [each for module in modules() for each in imports_of(module)]


def layer_of(module):
    """Return the layer of one of the package's modules, the module's own name below the package."""
    return module.split(".")[1] if "." in module else ""


def test_every_module_is_in_a_layer():
    assert {layer_of(module) for module in modules()} == set(LAYERS)


def test_layers_import_only_what_stands_below_them():
    wrong = [
        each
        for each in ALL_IMPORTS
        if each.module.startswith("dynadock.")
        and LAYERS.index(layer_of(each.module)) > LAYERS.index(layer_of(each.importer))
    ]
    assert not wrong


def test_nothing_but_the_version_is_imported_from_the_package_itself():
    found = {name for each in ALL_IMPORTS if each.module == "dynadock" for name in each.names}
    assert found <= {"__version__"}


def test_modules_import_each_other_in_no_circle():
    graph = {module: set() for module in modules()}
    for each in ALL_IMPORTS:
        if not each.for_types:
            inner = {f"{each.module}.{name}" for name in each.names} & set(modules())
            graph[each.importer] |= inner or {each.module} & set(modules())
    assert len(list(TopologicalSorter(graph).static_order())) == len(modules())


@pytest.mark.parametrize("layer", sorted(PURE))
def test_pure_layers_know_no_network(layer):
    wrong = [
        each
        for each in ALL_IMPORTS
        if layer_of(each.importer) == layer and each.module.split(".")[0] in OF_THE_NETWORK
    ]
    assert not wrong


def test_only_transport_opens_connections_and_only_the_embedded_engine_listens():
    users = {
        layer_of(each.importer)
        for each in ALL_IMPORTS
        if each.module.split(".")[0] in OF_THE_NETWORK and not each.for_types
    }
    assert users == {"transport", "embedded"}


def run(code):
    """Run ``code`` in a new interpreter and return what it prints."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    return ran.stdout.split()


LOADED = "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"


def test_the_package_alone_loads_nothing():
    loaded = run(f"import dynadock; {LOADED}")
    assert "dynadock" in loaded
    assert LATE.isdisjoint(loaded)
    ours = "import sys, dynadock; print(*(n for n in sys.modules if n.startswith('dynadock')))"
    assert run(ours) == ["dynadock"]


def test_a_call_without_a_body_needs_no_checker_and_no_yaml():
    load_version(bundled_versions()[-1])  # so that its compiled form is there
    version = bundled_versions()[-1]
    call = f"dynadock.load('{version}').ContainerList.prepare(all=True, filters={{'id': 'x'}})"
    loaded = run(f"import dynadock; {call}; {LOADED}")
    assert "dynadock" in loaded
    assert LATE.isdisjoint(loaded)
    assert SLOW.isdisjoint({*loaded} - {*run(LOADED)})


def test_a_call_loads_no_search_and_no_hints():
    call = f"import sys, dynadock; dynadock.load({MAIN!r}).ContainerList.prepare(all=True)"
    loaded = run(f"{call}; print(*sys.modules)")
    unneeded = {"dynadock.spec.hints", "dynadock.spec.elsewhere", "dynadock.call.hints"}
    assert not [name for name in loaded if name in unneeded or "dynadock.explore" in name]


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_a_call_over_a_plain_socket_needs_no_other_http_stack_and_no_tls(kind):
    unneeded = {*LATE, "ssl", "http", "email", "socketserver", "subprocess", "tempfile"}
    load_version(parse_version(MAIN))  # so that its compiled form is there
    with Peer([OK], kind=kind) as peer:
        call = f"print(dynadock.load({MAIN!r}, host={peer.address!r}).SystemPing())"
        loaded = run(f"import dynadock; {call}; {LOADED}")
    assert loaded[0] == "OK"
    assert not unneeded & ({*loaded} - {*run(LOADED)})


@pytest.mark.parametrize(("contract", "is_loaded"), [("off", False), ("record", True)])
def test_a_contract_is_loaded_only_where_one_is_wanted(contract, is_loaded):
    with Peer([OK]) as peer:
        load = f"dynadock.load({MAIN!r}, host={peer.address!r}, contract={contract!r})"
        call = f"import sys, dynadock; c = {load}; before = {{*sys.modules}}; c.SystemPing()"
        loaded = run(f"{call}; print('openapi_core' in before, *sys.modules)")
    assert loaded[0] == "False"
    found = {name for name in loaded if name.startswith(("openapi_core", "dynadock.contract"))}
    assert ({"openapi_core", "dynadock.contract.deviations", "dynadock.contracts"} <= found) == (
        is_loaded
    )
    assert bool(found) == is_loaded


@cache
def operation_names():
    names = set()
    for version in bundled_versions():
        spec = load_version(version)
        names |= {*spec, *spec.names}
    return names


def texts_of(module):
    """Yield every text in a module that is no docstring, with its line."""
    tree = tree_of(module)
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


NAMES_OPERATIONS = {"dynadock.commands"}
"""What names operations: the helpers `run` and `execute`."""

OTHER_WORDS = {
    "dynadock.testing.plugin": {"session"},
    "dynadock.simulation.state.execs": {"exec_start"},
}
"""Words that happen to be an operation's name too: a scope of pytest's fixtures, an event."""


@pytest.mark.parametrize("module", sorted({*modules()} - NAMES_OPERATIONS))
def test_code_names_no_operation_and_no_version(module):
    named = [
        (line, text)
        for line, text in texts_of(module)
        if (text in operation_names() and text not in OTHER_WORDS.get(module, ()))
        or re.fullmatch(r"v?1\.\d+", text)
    ]
    assert not named


def test_there_is_no_module_for_everything():
    assert not {"utils", "helpers", "common", "misc"} & {m.rpartition(".")[2] for m in modules()}
