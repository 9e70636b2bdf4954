"""OpenAPI 3.0 and 3.1 read: a user's own document as the Swagger 2.0 that everything here knows.

The opposite of `dynadock.spec.openapi`, whose documents survive it but for header parameters named
Content-Type. The rules are those of https://spec.openapis.org/oas/v3.1.1. Refused, each with its
place and what to do, is what a call cannot do or a schema of Swagger cannot say: other servers than
one path, security, callbacks, webhooks, cookies, styles such as deepObject, forms, and the schemas
that `dynadock.spec.openapi_input_schemas` names. What only describes is left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dynadock.spec.document import METHODS
from dynadock.spec.openapi import BODY_NAME, FILTERS, ITEM_SCHEMA, is_json
from dynadock.spec.openapi_input_schemas import SchemaReader, described
from dynadock.spec.openapi_schemas import COMPONENTS, JSON
from dynadock.spec.shape import DEEPEST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dynadock.spec.schema import Schema

_READ = re.compile(r"3\.[01](\.\d+)?")

_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//[^/?#]*", re.IGNORECASE)
"""What stands before the path in an absolute URL (RFC 3986, section 3)."""

_NO_PARAMETERS = frozenset({"accept", "content-type", "authorization"})
"""Headers whose definitions "SHALL be ignored": contents and security say them."""

_FORMS = ("application/x-www-form-urlencoded", "multipart/")

_STYLES = {
    ("form", True): "multi",
    ("form", False): "csv",
    # As written out, and as the one key after the other that explode makes of it.
    ("spaceDelimited", False): "ssv",
    ("pipeDelimited", False): "pipes",
    ("spaceDelimited", True): "multi",
    ("pipeDelimited", True): "multi",
}

_JSON_KINDS = {"object": "json-object", "array": "json-array"}
_BASE64URL = "base64url"


def is_openapi(tree: Mapping[str, Any]) -> bool:
    """Tell whether a document says that it is one of OpenAPI 3."""
    return "openapi" in tree and "swagger" not in tree


def read_openapi(tree: dict[str, Any], *, name: str) -> dict[str, Any]:
    """Return the facts of an OpenAPI document, a plain tree, as a Swagger 2.0 tree for `Document`.

    SpecError, which starts with ``name``, for what is not supported and for what is no OpenAPI.
    Takes linear time: what components hold is read once.
    """
    return _Input(tree, name).document()


class _Input(SchemaReader):
    """The reading of one document."""

    def __init__(self, tree: dict[str, Any], name: str) -> None:
        super().__init__(name)
        self._tree = tree
        self._components = self.mapping_at(tree, "components", "")
        self._read: dict[str, Any] = {}

    def document(self) -> dict[str, Any]:
        tree = self._tree
        version = tree["openapi"]
        if not isinstance(version, str) or not _READ.fullmatch(version):
            self.fail("openapi", f"expected 3.0 or 3.1 as text, got {described(version)}")
        info = self.mapping_at(tree, "info", "")
        if not isinstance(info.get("version"), str):
            self.fail("info.version", f"expected text, got {described(info.get('version'))}")
        self._refuse(tree, "", "webhooks", "leave them out: engines call nobody")
        self._check_security(tree, "")
        schemas = self.mapping_at(self._components, "schemas", "components")
        return {
            "swagger": "2.0",
            "info": {"version": info["version"]},
            "basePath": self._base_path(),
            "definitions": {
                name: self.schema(node, f"components.schemas.{name}")
                for name, node in schemas.items()
            },
            "paths": {
                path: self._path(self.mapping(item, f"paths.{path}"), f"paths.{path}")
                for path, item in self.mapping(tree.get("paths"), "paths").items()
            },
        }

    def _refuse(self, node: Mapping[str, Any], place: str, keyword: str, advice: str) -> None:
        if node.get(keyword):
            self.fail(f"{place}.{keyword}" if place else keyword, f"not supported; {advice}")

    def _check_security(self, node: Mapping[str, Any], place: str) -> None:
        wanted = node.get("security")
        # [{}] says that nothing is needed.
        if wanted and wanted != [{}]:
            advice = "leave it out, and give credentials as headers or certificates to load()"
            self._refuse(node, place, "security", advice)

    def _base_path(self) -> str:
        found: list[str] = []
        for position, each in enumerate(self.list_at(self._tree, "servers", "")):
            place = f"servers[{position}]"
            server = self.mapping(each, place)
            url = server.get("url")
            if not isinstance(url, str):
                self.fail(f"{place}.url", f"expected text, got {described(url)}")
            if "{" in url:
                advice = "write the path without variables, such as '/v1.42'"
                self.fail(f"{place}.url", f"variables are not supported; {advice}")
            path = _ADDRESS.sub("", url, count=1).rstrip("/")
            if found and path != found[0]:
                advice = "keep the server whose path this engine has"
                self.fail(f"{place}.url", f"a second path, {path!r}, is not supported; {advice}")
            found.append(path)
        return found[0] if found else ""

    def _path(self, item: dict[str, Any], place: str) -> dict[str, Any]:
        found = {key: item[key] for key in ("$ref",) if key in item}
        self._refuse(item, place, "servers", "the document's own count for all paths")
        self._refuse(item, place, "trace", "leave it out: no engine knows this method")
        found["parameters"] = self._parameters(item, place)
        for method in METHODS:
            if item.get(method) is not None:
                node = self.mapping(item[method], f"{place}.{method}")
                found[method] = self._operation(node, f"{place}.{method}")
        return found

    def _operation(self, node: dict[str, Any], place: str) -> dict[str, Any]:
        self._refuse(node, place, "servers", "the document's own count for all paths")
        self._refuse(node, place, "callbacks", "leave them out: engines call nobody")
        self._check_security(node, place)
        kept = ("operationId", "tags", "deprecated")
        found: dict[str, Any] = {key: node[key] for key in kept if key in node}
        found["parameters"] = self._parameters(node, place)
        if node.get("requestBody") is not None:
            body = self._found(
                node["requestBody"], f"{place}.requestBody", "requestBodies", self._body
            )
            found["parameters"].append(dict(body["parameter"]))
            found["consumes"] = body["consumes"]
        responses, produces = self._responses(node, place)
        found["responses"] = responses
        if produces:
            found["produces"] = produces
        return found

    def _found(
        self, node: Any, place: str, section: str, read: Callable[[dict[str, Any], str], Any]
    ) -> Any:
        """Return what is read of a node, or of the component that its ``$ref`` leads to."""
        mapping = self.mapping(node, place)
        if "$ref" not in mapping:
            return read(mapping, place)
        start = f"#/components/{section}/"
        reference = mapping["$ref"]
        target = str(reference).removeprefix(start)
        components = self.mapping_at(self._components, section, "components")
        component = components.get(_plain(target))
        if not str(reference).startswith(start) or component is None:
            self.fail(place, f"$ref {reference!r} does not lead to one of components.{section}")
        key = f"components.{section}.{_plain(target)}"
        if key not in self._read:
            if "$ref" in self.mapping(component, key):
                self.fail(key, "a $ref to a $ref is not supported; write out what it leads to")
            self._read[key] = read(component, key)
        return self._read[key]

    def _parameters(self, node: dict[str, Any], place: str) -> list[dict[str, Any]]:
        found = []
        for position, each in enumerate(self.list_at(node, "parameters", place)):
            at = f"{place}.parameters[{position}]"
            parameter = self._found(each, at, "parameters", self._parameter)
            if parameter is not None:
                # The overlay corrects an operation's own.
                found.append(dict(parameter))
        return found

    def _parameter(self, node: dict[str, Any], place: str) -> dict[str, Any] | None:
        location, name = node.get("in"), node.get("name")
        if location == "cookie":
            self.fail(place, "cookies are not supported; leave the parameter out, or use a header")
        if location == "body":
            self.fail(place, "a body is no parameter in OpenAPI 3; write a requestBody")
        if location == "header" and isinstance(name, str) and name.lower() in _NO_PARAMETERS:
            return None
        kept = ("name", "in", "required", "deprecated")
        found: dict[str, Any] = {key: node[key] for key in kept if key in node}
        if node.get("content"):
            return found | self._parameter_content(node, place)
        schema = self._resolved(node.get("schema", {}), f"{place}.schema")
        found |= self._values(schema, f"{place}.schema")
        if found.get("type") == "array":
            found["collectionFormat"] = self._collection(node, place)
        elif node.get("style") not in (None, "form", "simple"):
            advice = "'form' and 'simple' are"
            self.fail(f"{place}.style", f"{described(node['style'])} is not supported; {advice}")
        return found

    def _collection(self, node: dict[str, Any], place: str) -> str:
        in_query = node.get("in") == "query"
        style = node.get("style", "form" if in_query else "simple")
        explode = node.get("explode", style == "form")
        if not isinstance(explode, bool):
            self.fail(f"{place}.explode", f"expected true or false, got {described(explode)}")
        if not in_query and style == "simple":
            return "csv"
        found = _STYLES.get((style, explode)) if isinstance(style, str) and in_query else None
        if found is None:
            known = "form, spaceDelimited and pipeDelimited" if in_query else "simple"
            self.fail(f"{place}.style", f"{described(style)} is not supported; take {known}")
        return found

    def _values(self, schema: Schema, place: str) -> dict[str, Any]:
        """Return the keywords of a parameter whose value has a schema, or of an array's members."""
        if _holds_json(schema):
            return self._encoded(schema, place)
        found, _ = self.value(schema)
        kind = found.get("type", "string")
        if kind == "object" or "properties" in schema:
            advice = "say content: {application/json: …} if it is JSON"
            self.fail(place, f"an object is not supported as a parameter; {advice}")
        for keyword in ("anyOf", "oneOf", "allOf", "not"):
            if keyword in schema:
                self.unsupported(place, keyword, "give a parameter one type")
        if isinstance(kind, list):
            self.fail(f"{place}.type", "several types are not supported; give a parameter one type")
        found.pop("required", None)
        if kind == "array":
            items = self._resolved(schema.get("items", {}), f"{place}.items")
            found["items"] = self._values(items, f"{place}.items")
            if found["items"].get("type") == "array":
                self.fail(f"{place}.items", "lists of lists are not supported")
        return found

    def _parameter_content(self, node: dict[str, Any], place: str) -> dict[str, Any]:
        content = self.mapping_at(node, "content", place)
        if len(content) != 1 or not is_json(next(iter(content))):
            self.fail(f"{place}.content", f"expected {JSON} and nothing else")
        ((media_type, inner),) = content.items()
        at = f"{place}.content.{media_type}"
        schema = self.mapping(inner, at).get("schema", {})
        if schema == FILTERS:
            return {"type": "string", "x-encoding": "filters"}
        return {"type": "string", **self._json_in(schema, f"{at}.schema")}

    def _encoded(self, schema: Schema, place: str) -> dict[str, Any]:
        found = self._json_in(schema.get("contentSchema", {}), f"{place}.contentSchema")
        if schema.get("contentEncoding") == _BASE64URL:
            found["x-encoding"] = "base64-json"
        kept, _ = self.value(schema)
        return {key: kept[key] for key in ("type", "x-secret") if key in kept} | found

    def _json_in(self, node: Any, place: str) -> dict[str, Any]:
        """Return what is to be known of JSON in a parameter, whose schema must stand by itself."""
        schema = self.schema(self._resolved(node, place), place)
        if (where := _first_reference(schema)) is not None:
            advice = "write out what it leads to"
            self.fail(place, f"$ref {where!r} is not followed inside a parameter; {advice}")
        kind = schema.setdefault("type", "object")
        if not isinstance(kind, str) or kind not in _JSON_KINDS:
            self.fail(place, f"expected the type object or array, got {described(kind)}")
        found = {"x-encoding": _JSON_KINDS[kind], "x-content": schema}
        return found | {"x-secret": True} if schema.pop("x-secret", False) else found

    def _resolved(self, node: Any, place: str) -> Schema:
        """Return the schema that a ``$ref`` at its top leads to."""
        schemas = self.mapping_at(self._components, "schemas", "components")
        if node is True:
            node = {}
        steps = 0
        while "$ref" in self.mapping(node, place):
            reference = str(node["$ref"])
            node = schemas.get(_plain(reference.removeprefix(COMPONENTS)))
            steps += 1
            if not reference.startswith(COMPONENTS) or node is None:
                self.fail(place, f"$ref {reference!r} leads nowhere")
            if steps > DEEPEST:
                self.fail(place, f"the $ref leads through more than {DEEPEST} others")
        found: Schema = node
        return found

    def _body(self, node: dict[str, Any], place: str) -> dict[str, Any]:
        content = self.mapping_at(node, "content", place)
        for media_type in content:
            if media_type.lower().startswith(_FORMS):
                advice = f"describe the body as {JSON} or as binary"
                self.fail(f"{place}.content", f"{media_type} is not supported; {advice}")
        schema: Schema = {"type": "string", "format": "binary"}
        for media_type, each in content.items():
            if is_json(media_type):
                at = f"{place}.content.{media_type}"
                schema = self.schema(self.mapping(each, at).get("schema", {}), f"{at}.schema")
                break
        name = node.get(BODY_NAME, "body")
        parameter = {"name": name, "in": "body", "schema": schema}
        if "required" in node:
            parameter["required"] = node["required"]
        return {"parameter": parameter, "consumes": [*content]}

    def _responses(self, node: dict[str, Any], place: str) -> tuple[dict[str, Any], list[str]]:
        found: dict[str, Any] = {}
        produces: dict[str, None] = {}
        for code, each in self.mapping_at(node, "responses", place).items():
            read = self._found(each, f"{place}.responses.{code}", "responses", self._response)
            found[code] = dict(read["response"])
            if code.startswith("2"):
                produces |= dict.fromkeys(read["produces"])
        return found, [*produces]

    def _response(self, node: dict[str, Any], place: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        headers = self.mapping_at(node, "headers", place)
        if headers:
            found["headers"] = {
                name: self._found(each, f"{place}.headers.{name}", "headers", self._header)
                for name, each in headers.items()
                if name.lower() != "content-type"
            }
        content = self.mapping_at(node, "content", place)
        for media_type, each in content.items():
            at = f"{place}.content.{media_type}"
            inner = self.mapping(each, at)
            for key in ("schema", ITEM_SCHEMA, "itemSchema"):
                if key in inner and "schema" not in found and _is_read(media_type):
                    found["schema"] = self.schema(inner[key], f"{at}.{key}")
        return {"response": found, "produces": [*content]}

    def _header(self, node: dict[str, Any], place: str) -> dict[str, Any]:
        schema = self._resolved(node.get("schema", {}), f"{place}.schema")
        found, _ = self.value(schema)
        if isinstance(found.get("type"), list) or found.get("type") == "object":
            # Nobody reads more than its text.
            return {"type": "string"}
        found.pop("required", None)
        return found


def _is_read(media_type: str) -> bool:
    """Tell whether values of a media type are looked into: JSON and text."""
    return is_json(media_type) or media_type.lower().startswith("text/")


def _holds_json(schema: Mapping[str, Any]) -> bool:
    return schema.get("contentMediaType") == JSON and "contentSchema" in schema


def _first_reference(schema: Any) -> str | None:
    if isinstance(schema, dict):
        if "$ref" in schema:
            return str(schema["$ref"])
        schema = list(schema.values())
    found = map(_first_reference, schema if isinstance(schema, list) else ())
    return next((each for each in found if each is not None), None)


def _plain(pointer: str) -> str:
    """Return the name at the end of a JSON pointer (RFC 6901)."""
    return pointer.replace("~1", "/").replace("~0", "~")
