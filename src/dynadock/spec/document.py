"""A Swagger 2.0 document with its shape checked: operations by operationId, and definitions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dynadock.errors import SpecError
from dynadock.spec.shape import (
    LONGEST_NAME,
    faults_of_composition,
    faults_of_parameter,
    faults_of_schema,
    faults_of_unfolding,
    plain_references,
)
from dynadock.spec.versions import Version, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
LOCATIONS = ("path", "query", "header", "body")

_PATH = re.compile(r"/[\w.~!$&'()*+,;=:@%{}/-]*", re.ASCII)
_PLACE = re.compile(r"\{([^{}]+)\}")
_BRACES = frozenset("{}")
_TOKEN = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_LEADING_VERSION = re.compile(r"v?\d+\.\d+")


class DocumentedOperation:
    """One operation as its document has it: ``node`` is the mapping below path and method."""

    # No dataclass: it loads inspect, for which the first start of all would wait.
    __slots__ = ("method", "node", "operation_id", "path")

    def __init__(self, operation_id: str, method: str, path: str, node: dict[str, Any]) -> None:
        self.operation_id = operation_id
        self.method = method
        self.path = path
        self.node = node

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """All parameters, the body among them."""
        found: list[dict[str, Any]] = self.node["parameters"]
        return found

    def parameter(self, name: str) -> dict[str, Any] | None:
        """Return the path, query or header parameter of that wire name."""
        return next((p for p in self.parameters if p["name"] == name and p["in"] != "body"), None)

    @property
    def body(self) -> dict[str, Any] | None:
        """The body parameter, where there is one."""
        return next((p for p in self.parameters if p["in"] == "body"), None)

    @property
    def success(self) -> dict[str, Any] | None:
        """The first response with a 2xx code, where the document has one."""
        for code, response in self.node["responses"].items():
            if code.startswith("2"):
                found: dict[str, Any] = response
                return found
        return None


class Document:
    """A document's operations and definitions, ready to be corrected and compiled.

    Takes the tree that `dynadock.spec.reader` gives and keeps it (it is changed in place by the
    overlay). Raises SpecError with the place of whatever has not the shape of Swagger 2.0, of an
    operation that has no operationId or one that another has, and of a ``$ref`` that does not lead
    to a definition of the same document.
    """

    def __init__(self, tree: dict[str, Any], *, name: str) -> None:
        self.name = name
        self.version = self._read_version(tree)
        self.base_path = self._read_base_path(tree)
        self.definitions: dict[str, dict[str, Any]] = self._mappings(tree, "definitions")
        self._shared_parameters = self._mappings(tree, "parameters")
        self._shared_responses = self._mappings(tree, "responses")
        self.operations: dict[str, DocumentedOperation] = {}
        for path, item in self._mappings(tree, "paths").items():
            self._add_path(path, item)
        self._check_schemas()

    def _fail(self, place: str, problem: str) -> SpecError:
        return SpecError(f"{self.name}: {place}: {problem}")

    def _read_version(self, tree: dict[str, Any]) -> Version:
        text = tree["info"]["version"]
        match = _LEADING_VERSION.match(text)
        if match is None:
            raise self._fail("info.version", f"{text!r} does not start like a version ('1.42')")
        return parse_version(match[0])

    def _read_base_path(self, tree: dict[str, Any]) -> str:
        path = tree.get("basePath", "")
        if not isinstance(path, str) or not re.fullmatch(r"(/[\w.~-]*)*", path, re.ASCII):
            raise self._fail("basePath", f"expected a path such as '/v1.42', got {path!r}")
        return path.rstrip("/")

    def _mappings(self, tree: dict[str, Any], key: str) -> dict[str, dict[str, Any]]:
        """Return the mapping of mappings at ``key``, empty where there is none."""
        section = tree.get(key) or {}
        if not isinstance(section, dict):
            raise self._fail(key, f"expected a mapping, got {type(section).__name__}")
        for name, value in section.items():
            self._check_length(key, name)
            if not isinstance(value, dict):
                raise self._fail(f"{key}.{name}", f"expected a mapping, got {type(value).__name__}")
        return section

    def _check_length(self, place: str, name: str) -> None:
        if len(name) > LONGEST_NAME:
            problem = f"the name has more than {LONGEST_NAME} characters"
            raise self._fail(f"{place}.{name}", problem)

    def _add_path(self, path: str, item: dict[str, Any]) -> None:
        if not _PATH.fullmatch(path):
            raise self._fail(f"paths.{path}", "a path starts with '/' and holds no odd characters")
        if not _BRACES.isdisjoint(_PLACE.sub("", path)):
            raise self._fail(f"paths.{path}", "braces enclose the name of a parameter")
        if "$ref" in item:
            raise self._fail(f"paths.{path}", f"$ref {item['$ref']!r} is refused")
        common = item.get("parameters", [])
        for method in METHODS:
            node = item.get(method)
            if node is not None:
                self._add_operation(method, path, node, common)

    def _add_operation(self, method: str, path: str, node: Any, common: Any) -> None:
        place = f"paths.{path}.{method}"
        if not isinstance(node, dict):
            raise self._fail(place, f"expected a mapping, got {type(node).__name__}")
        operation_id = node.get("operationId")
        if not isinstance(operation_id, str) or not operation_id.isidentifier():
            raise self._fail(place, f"expected an operationId that is a name, got {operation_id!r}")
        if operation_id in self.operations:
            raise self._fail(place, f"operationId {operation_id!r} is taken by another operation")
        self._check_length(place, operation_id)
        tags = node.get("tags", [])
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise self._fail(f"{place}.tags", "expected a list of names")
        node["parameters"] = self._parameters(place, node.get("parameters", []), common)
        node["responses"] = self._responses(place, node.get("responses", {}))
        self._check_template(place, path, node["parameters"])
        operation = DocumentedOperation(operation_id, method.upper(), path, node)
        self.operations[operation_id] = operation

    def _parameters(self, place: str, own: Any, common: Any) -> list[dict[str, Any]]:
        # An operation's own parameter takes the place of the path's.
        found = self._listed_parameters(place, common) | self._listed_parameters(place, own)
        if sum(location == "body" for location, _ in found) > 1:
            raise self._fail(f"{place}.parameters", "an operation has one body at most")
        return list(found.values())

    def _listed_parameters(self, place: str, nodes: Any) -> dict[tuple[str, str], dict[str, Any]]:
        """Return parameters by what tells them from each other: place and name."""
        if not isinstance(nodes, list):
            raise self._fail(f"{place}.parameters", "expected a list")
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for position, node in enumerate(nodes):
            at = f"{place}.parameters[{position}]"
            parameter = self._dereference(at, node, "parameters", self._shared_parameters)
            self._check_parameter(at, parameter)
            location, name = parameter["in"], parameter["name"]
            # Headers are the same in any case (RFC 9110, section 5.1).
            key = (location, name.lower() if location == "header" else name)
            if key in found:
                raise self._fail(at, f"{name!r} is in the {location} already")
            found[key] = parameter
        return found

    def _check_parameter(self, place: str, parameter: dict[str, Any]) -> None:
        if not isinstance(parameter.get("name"), str) or not parameter["name"]:
            raise self._fail(place, "a parameter needs a name")
        self._check_length(place, parameter["name"])
        if parameter.get("in") not in LOCATIONS:
            raise self._fail(
                place,
                f"{parameter['name']!r} is in {parameter.get('in')!r};"
                f" a parameter can be in {', '.join(LOCATIONS)}",
            )
        if parameter["in"] == "body" and not isinstance(parameter.setdefault("schema", {}), dict):
            raise self._fail(place, "the body's schema is not a mapping")
        if parameter["in"] == "header" and not _TOKEN.fullmatch(parameter["name"]):
            raise self._fail(place, f"{parameter['name']!r} is not the name of a header")
        if parameter["in"] != "body":
            for problem in faults_of_parameter(parameter, place):
                raise SpecError(f"{self.name}: {problem}")

    def _check_template(self, place: str, path: str, parameters: list[dict[str, Any]]) -> None:
        in_template = set(_PLACE.findall(path))
        declared = {parameter["name"] for parameter in parameters if parameter["in"] == "path"}
        if in_template != declared:
            odd = ", ".join(sorted(in_template ^ declared))
            raise self._fail(place, f"the path's template and its path parameters differ: {odd}")

    def _responses(self, place: str, node: Any) -> dict[str, dict[str, Any]]:
        if not isinstance(node, dict):
            raise self._fail(f"{place}.responses", "expected a mapping")
        found = {}
        for code, response in node.items():
            at = f"{place}.responses.{code}"
            found[str(code)] = self._dereference(at, response, "responses", self._shared_responses)
            self._check_headers(f"{at}.headers", found[str(code)].get("headers", {}))
        return found

    def _check_headers(self, place: str, headers: Any) -> None:
        if not isinstance(headers, dict):
            raise self._fail(place, f"expected a mapping, got {type(headers).__name__}")
        for name, node in headers.items():
            if not _TOKEN.fullmatch(name):
                raise self._fail(place, f"{name!r} is not the name of a header")
            self._check_length(place, name)
            if not isinstance(node, dict):
                problem = f"expected a mapping, got {type(node).__name__}"
                raise self._fail(f"{place}.{name}", problem)
            for problem in faults_of_parameter(node, f"{place}.{name}"):
                raise SpecError(f"{self.name}: {problem}")

    def _dereference(
        self, place: str, node: Any, section: str, shared: dict[str, dict[str, Any]]
    ) -> dict[str, Any]:
        if not isinstance(node, dict):
            raise self._fail(place, f"expected a mapping, got {type(node).__name__}")
        reference = node.get("$ref")
        if reference is None:
            return node
        start = f"#/{section}/"
        target = reference.removeprefix(start) if str(reference).startswith(start) else ""
        if target not in shared or "$ref" in shared[target]:
            raise self._fail(place, f"$ref {reference!r} does not lead to one of its {section}")
        return dict(shared[target])

    def _check_schemas(self) -> None:
        for _, schema in self._schemas():
            plain_references(schema)
        for place, schema in self._schemas():
            for problem in faults_of_schema(schema, place, self.definitions):
                raise SpecError(f"{self.name}: {problem}")
        for find_faults in (faults_of_composition, faults_of_unfolding):
            for problem in find_faults(self._schemas(), self.definitions):
                raise SpecError(f"{self.name}: {problem}")

    def _schemas(self) -> Iterator[tuple[str, Any]]:
        for name, schema in self.definitions.items():
            yield f"definitions.{name}", schema
        for operation in self.operations.values():
            if operation.body is not None:
                yield f"{operation.operation_id}.body", operation.body["schema"]
            for code, response in operation.node["responses"].items():
                yield f"{operation.operation_id}.{code}", response.get("schema", {})
