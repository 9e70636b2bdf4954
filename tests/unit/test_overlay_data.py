"""The overlay that comes with the package, against all documents that come with the package.

A user's own document is never refused for an entry that finds nothing in it; among the bundled
ones, an entry that finds nothing is a mistake.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from documents import NEWEST, OLDEST
from dynadock.call.encodings import ENCODINGS
from dynadock.call.kinds import OUTPUT
from dynadock.secret import is_secret_name
from dynadock.spec.build import bundled_overlay, open_document
from dynadock.spec.compiler import compile_document
from dynadock.spec.fields import fields
from dynadock.spec.kinds import KINDS
from dynadock.spec.library import bundled_folder, bundled_versions, document_name
from dynadock.spec.model import Spec
from dynadock.spec.reader import read_document
from dynadock.spec.schema import flatten, schema_at
from dynadock.spec.shape import faults_of_schema
from dynadock.spec.versions import Version, VersionRange, parse_version

if TYPE_CHECKING:
    from dynadock.spec.document import Document
    from dynadock.spec.overlay import Target

REPLY_KEYS = {"kind", "unless", "wait", "decode", "acts", "tty", "resize", "upgrade", "rows"}
OPEN = VersionRange(None, None)


class Corrected(NamedTuple):
    """A bundled document after the overlay, and the targets that were found in it."""

    document: Document
    matched: set[Target]


@cache
def corrected(version: Version) -> Corrected:
    path = Path(bundled_folder(), document_name(version))
    document = open_document(read_document(path.read_bytes(), name=path.name), name=path.name)
    return Corrected(document, bundled_overlay().apply(document))


def is_there(target: Target, document: Document) -> bool:
    """Tell if a document has the operation or the definition that a target is about."""
    root, _, name = target.name.rpartition(":")
    return name in (document.definitions if root == "definition" else document.operations)


@cache
def spec(version: str) -> Spec:
    return Spec(compile_document(corrected(parse_version(version)).document))


TARGETS = [
    pytest.param(
        entry.versions,
        target,
        id=f"{entry.section}[{entry.position}] {target.name}"
        f" {entry.keys.get('name', entry.keys.get('field', ''))}".rstrip(),
    )
    for entry in bundled_overlay().entries
    for target in entry.targets
]


@pytest.mark.parametrize(("versions", "target"), TARGETS)
def test_every_target_is_in_a_document(versions, target):
    found = [version for version in bundled_versions() if target in corrected(version).matched]
    assert found, f"{target} is in no document of API {versions}"


@pytest.mark.parametrize(
    ("versions", "target"), [case for case in TARGETS if case.values[0] != OPEN]
)
def test_a_stated_range_holds_from_its_first_to_its_last_version(versions, target):
    meant = [version for version in bundled_versions() if version in versions]
    if versions.last is None:
        # Where an operation or a definition has left the API there is nothing to correct.
        there = [version for version in meant if is_there(target, corrected(version).document)]
        meant = [version for version in meant if version <= max(there)]
    missing = [str(version) for version in meant if target not in corrected(version).matched]
    assert meant
    assert not missing, (
        f"specs/overlay.yaml, {target.section}[{target.position}]: {target.name} has no such thing"
        f" in API {', '.join(missing)}; say in its `versions` where it has"
    )


def test_every_stated_version_is_a_bundled_one():
    stated = {
        version
        for entry in bundled_overlay().entries
        for version in entry.versions
        if version is not None
    }
    assert stated <= set(bundled_versions())


def test_every_entry_has_a_reason_that_is_a_sentence():
    short = [
        f"{entry.section}[{entry.position}]"
        for entry in bundled_overlay().entries
        if len(entry.keys["why"]) < len("A password.") or not entry.keys["why"].endswith(".")
    ]
    assert not short


@pytest.mark.parametrize("version", bundled_versions(), ids=str)
def test_corrected_schemas_have_the_shape_of_schemas(version):
    document = corrected(version).document
    schemas = dict(document.definitions)
    for name, operation in document.operations.items():
        if operation.body is not None:
            schemas[f"{name}.body"] = operation.body["schema"]
        if operation.success is not None:
            schemas[f"{name}.reply"] = operation.success.get("schema", {})
    faults = [
        fault
        for place, schema in schemas.items()
        for fault in faults_of_schema(schema, place, document.definitions)
    ]
    assert not faults


@pytest.mark.parametrize("version", bundled_versions(), ids=str)
def test_encodings_and_kinds_are_those_that_the_code_knows(version):
    document = corrected(version).document
    encodings, kinds, keys = set(), set(), set()
    for operation in document.operations.values():
        for parameter in operation.parameters:
            for node in (parameter, parameter.get("items", {})):
                encodings.add(node.get("x-encoding", "string"))
        reply = operation.node.get("x-reply", {})
        kinds.add(reply.get("kind", "value"))
        keys.update(reply)
    assert encodings <= set(ENCODINGS)
    assert kinds <= set(KINDS)
    assert keys <= REPLY_KEYS


@pytest.mark.parametrize("version", bundled_versions(), ids=str)
def test_what_a_reply_refers_to_is_an_argument_of_its_operation(version):
    strange = [
        f"{operation.operation_id}: {name}"
        for operation in spec(str(version)).values()
        for name in _arguments_in_reply(operation)
        if name not in _argument_names(operation)
    ]
    assert not strange


def _arguments_in_reply(operation):
    wait = operation.reply.wait
    waits = [wait] if isinstance(wait, str) else [*wait]
    waits = [name for name in waits if name not in ("", "forever")]
    told = [operation.reply.tty["argument"]] if "argument" in operation.reply.tty else []
    return [*operation.reply.unless, *waits, *told]


@pytest.mark.parametrize("version", bundled_versions(), ids=str)
def test_output_names_an_operation_that_knows_its_tty(version):
    of_version = spec(str(version))
    for operation in of_version.values():
        if operation.reply.kind in OUTPUT:
            rule = operation.reply.tty
            asked = of_version[rule["operation"]]
            assert [p.name for p in asked.positional] == [p.name for p in operation.positional]
            schema, definitions = asked.reply.schema, of_version.definitions
            for key in rule["field"].split("."):
                schema = flatten(schema, definitions)["properties"][key]
            assert schema["type"] == "boolean"


@pytest.mark.parametrize("version", bundled_versions(), ids=str)
def test_terminals_are_resized_by_operations_of_the_same_path(version):
    of_version = spec(str(version))
    resized = [operation for operation in of_version.values() if operation.reply.resize]
    assert len(resized) == 2
    for operation in resized:
        resize = of_version[operation.reply.resize]
        assert [each.name for each in resize.positional] == [
            each.name for each in operation.positional
        ]
        assert {each.name for each in resize.parameters} >= {"h", "w"}


def _argument_names(operation):
    names = {parameter.name for parameter in operation.parameters}
    return names if operation.body is None else names | set(operation.body.properties)


@pytest.mark.parametrize("version", bundled_versions(), ids=str)
def test_units_stand_on_integers_and_base64_on_text(version):
    odd = [
        f"{operation.operation_id}: {field.path}"
        for operation in spec(str(version)).values()
        if operation.body is not None
        for field in fields(operation.body.schema, operation.body.definitions)
        if ("x-unit" in field.schema and field.schema["type"] != "integer")
        or ("x-encoding" in field.schema and field.schema["type"] != "string")
    ]
    assert not odd


@pytest.mark.parametrize("version", bundled_versions(), ids=str)
def test_parameters_for_credentials_say_of_which_registry(version):
    silent, strange = [], []
    for operation in spec(str(version)).values():
        silent += [
            f"{operation.operation_id}: {each.name}"
            for each in operation.parameters
            if (each.encoding == "base64-json") != bool(each.credentials)
            or (each.credentials and not (each.secret and is_secret_name(each.name)))
        ]
        for parameter in operation.credentials:
            rule = dict(parameter.credentials)
            places = rule.pop("unless", [])
            ((kind, place),) = rule.items()
            assert kind in ("image", "term", "registries")
            assert kind != "registries" or place == "all"
            places = places if kind == "registries" else [*places, place]
            strange += [each for each in places if not _is_argument(operation, each)]
    assert not silent
    assert set(strange) <= {"registryAuthFrom", "rollback"}  # which the oldest documents lack


def _is_argument(operation, place):
    if place in operation.by_name:
        return True
    return operation.body is not None and place in {each.path for each in operation.body.fields()}


@pytest.mark.parametrize("version", bundled_versions(), ids=str)
def test_proxy_variables_have_the_type_of_their_parameter(version):
    of_version = spec(str(version))
    assert {name for name, each in of_version.items() if each.takes_proxies} == {
        "ContainerCreate",
        "ImageBuild",
    }
    assert of_version["ImageBuild"].by_name["buildargs"].proxies
    body = of_version["ContainerCreate"].body
    assert body.properties[body.proxies]["type"] == "array"


# From here on: important corrections, version by version. None means that the keyword is not there.

NAMES = [
    ("1.25", "ContainerArchive", "ContainerGetArchive"),
    ("1.27", "ContainerArchiveInfo", "ContainerArchiveHead"),
    ("1.26", "PutContainerArchive", "ContainerPutArchive"),
    ("1.27", "put_container_archive", "ContainerPutArchive"),
    ("1.28", "ContainerArchive", "ContainerArchive"),
]


@pytest.mark.parametrize(("version", "name", "operation_id"), NAMES)
def test_names(version, name, operation_id):
    assert spec(version).find(name).operation_id == operation_id


REGISTRY_AUTH = {"in": "header", "x-encoding": "base64-json", "x-secret": True}
REPEATED = {"type": "array", "items": {"type": "string"}, "collectionFormat": "multi"}
PLATFORM = {
    "type": "object",
    "properties": {
        "architecture": {"type": "string"},
        "os": {"type": "string"},
        "os.version": {"type": "string"},
        "variant": {"type": "string"},
        "os.features": {"type": "array", "items": {"type": "string"}},
    },
}
PLATFORMS = {
    "items": {"type": "string", "x-encoding": "json-object", "x-content": PLATFORM},
    "collectionFormat": "multi",
}

PARAMETERS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("1.42", "ContainerList", "filters", {"x-encoding": "filters"}),
    ("1.27", "VolumePrune", "filters", {"in": "query", "x-encoding": "filters"}),
    ("1.30", "ImageBuild", "buildargs", {"type": "string", "x-encoding": "json-object"}),
    ("1.42", "ImageBuild", "cachefrom", {"x-encoding": "json-array"}),
    ("1.42", "ImageBuild", "t", REPEATED),
    ("1.28", "ImageBuild", "extrahosts", REPEATED),
    ("1.25", "ImageCommit", "changes", REPEATED),
    ("1.25", "ImageCreate", "changes", REPEATED),
    ("1.42", "ImageCreate", "changes", {"collectionFormat": "multi"}),
    ("1.25", "ImageGetAll", "names", {"collectionFormat": "multi"}),
    ("1.50", "ImageDelete", "platforms", PLATFORMS),
    ("1.48", "ImageGet", "platform", {"type": "string", "x-encoding": "json-object"}),
    ("1.52", "ImageGet", "platform", {"type": "array", "x-encoding": None, **PLATFORMS}),
    ("1.46", "ImagePush", "platform", {"x-encoding": "json-object", "x-content": PLATFORM}),
    ("1.42", "ImageCreate", "platform", {"type": "string", "x-encoding": None}),
    ("1.42", "ImagePush", "X-Registry-Auth", {"required": True, **REGISTRY_AUTH}),
    ("1.42", "PluginPush", "X-Registry-Auth", REGISTRY_AUTH),
    ("1.27", "ImageBuild", "Content-type", {"enum": None, "default": None}),
    ("1.42", "ContainerLogs", "since", {"x-encoding": "timestamp"}),
    ("1.42", "SystemEvents", "until", {"x-encoding": "timestamp"}),
    ("1.42", "ContainerLogs", "tail", {"x-encoding": "count"}),
    ("1.25", "ContainerLogs", "details", {"in": "query", "type": "boolean"}),
    ("1.25", "PluginEnable", "timeout", {"x-send-default": 0, "x-encoding": "seconds"}),
    ("1.26", "GetPluginPrivileges", "remote", {"required": True}),
    ("1.42", "ImageBuild", "pull", {"type": "boolean"}),
]


@pytest.mark.parametrize(("version", "operation_id", "name", "keywords"), PARAMETERS)
def test_parameters(version, operation_id, name, keywords):
    operation = corrected(parse_version(version)).document.operations[operation_id]
    parameter = operation.parameter(name)
    assert parameter is not None
    assert {keyword: parameter.get(keyword) for keyword in keywords} == keywords


def test_buildkit_is_refused_with_the_way_out():
    document = corrected(parse_version("1.42")).document
    refused = document.operations["ImageBuild"].parameter("version")["x-refuse"]
    assert list(refused) == ["2"]
    assert "docker build" in refused["2"]


@pytest.mark.parametrize("name", ["ab", "a.b", "/web-1", "x", "A_b"])
@pytest.mark.parametrize("version", [OLDEST, "1.38", "1.39", NEWEST])
def test_names_of_containers_that_an_engine_takes_pass(version, name):
    assert re.search(spec(version)["ContainerCreate"].by_name["name"].pattern, name)


@pytest.mark.parametrize("name", ["-ab", "_ab", "a b", "ab/", "//ab"])
@pytest.mark.parametrize("version", [OLDEST, "1.38", "1.39", NEWEST])
def test_names_of_containers_that_every_engine_refuses_do_not_pass(version, name):
    assert not re.search(spec(version)["ContainerCreate"].by_name["name"].pattern, name)


BODIES: list[tuple[str, str, dict[str, Any]]] = [
    ("1.25", "ImageCreate", {"schema": {"type": "string", "format": "binary"}}),
    ("1.27", "ContainerPutArchive", {"schema": {"type": "string", "format": "binary"}}),
    ("1.38", "PutContainerArchive", {"schema": {"type": "string", "format": "binary"}}),
    ("1.42", "ExecStart", {"x-send-default": {}}),
    ("1.42", "ImageCommit", {"x-send-default": {}}),
    ("1.42", "PluginPull", {"x-send-default": []}),
    ("1.42", "NodeUpdate", {"required": True}),
]


@pytest.mark.parametrize(("version", "operation_id", "keywords"), BODIES)
def test_bodies(version, operation_id, keywords):
    body = corrected(parse_version(version)).document.operations[operation_id].body
    assert {keyword: body.get(keyword) for keyword in keywords} == keywords


REPLIES: list[tuple[str, str, dict[str, Any]]] = [
    ("1.42", "SystemInfo", {"kind": "value", "wait": ""}),
    ("1.25", "ContainerLogs", {"kind": "frames"}),
    ("1.29", "TaskLogs", {"kind": "frames"}),
    ("1.42", "ContainerAttach", {"kind": "duplex", "wait": "forever"}),
    ("1.42", "ExecStart", {"kind": "duplex", "unless": {"Detach": True}}),
    ("1.31", "Session", {"kind": "raw-duplex", "upgrade": "h2c"}),
    ("1.42", "ImagePush", {"acts": True}),
    ("1.42", "SystemEvents", {"acts": False}),
    ("1.25", "ContainerAttach", {"resize": "ContainerResize", "upgrade": "tcp"}),
    ("1.42", "ContainerAttachWebsocket", {"kind": "websocket"}),
    ("1.42", "ContainerStats", {"kind": "json-stream", "unless": {"stream": False}}),
    ("1.42", "SystemEvents", {"kind": "json-stream", "wait": "forever"}),
    ("1.25", "PluginPull", {"kind": "json-stream"}),
    ("1.42", "ImageLoad", {"kind": "json-stream"}),
    ("1.42", "ContainerExport", {"kind": "tar"}),
    (
        "1.27",
        "ContainerArchiveHead",
        {"kind": "headers", "decode": {"X-Docker-Container-Path-Stat": "base64-json"}},
    ),
    ("1.42", "SystemPingHead", {"kind": "headers"}),
    ("1.42", "PluginDelete", {"kind": "none"}),
    ("1.42", "ContainerWait", {"kind": "value", "wait": "forever"}),
    ("1.42", "ContainerStop", {"kind": "value", "wait": "t"}),
    ("1.42", "ContainerList", {"kind": "value", "wait": {"size": True}}),
    ("1.42", "PluginEnable", {"kind": "value", "wait": "forever"}),
]


@pytest.mark.parametrize(("version", "operation_id", "attributes"), REPLIES)
def test_replies(version, operation_id, attributes):
    reply = spec(version)[operation_id].reply
    assert {name: getattr(reply, name) for name in attributes} == attributes


BINDING = ("HostConfig", "PortBindings", "80/tcp", 0, "HostPort")
SERVICE = ("TaskTemplate", "ContainerSpec")

FIELDS: list[tuple[str, str, tuple[str | int, ...], dict[str, Any]]] = [
    ("1.25", "ContainerCreate", ("HostConfig", "MemorySwappiness"), {"minimum": -1}),
    ("1.51", "ContainerUpdate", ("MemorySwappiness",), {"minimum": -1, "maximum": 100}),
    ("1.25", "ContainerCreate", ("HostConfig", "LogConfig", "Type"), {"enum": None}),
    ("1.34", "ContainerCreate", BINDING, {"type": "string"}),
    ("1.35", "ContainerCreate", BINDING, {"type": "string"}),
    ("1.34", "ContainerCreate", ("Cmd",), {"type": ["array", "string"]}),
    ("1.35", "ContainerCreate", ("Cmd",), {"type": ["array", "string"]}),
    ("1.51", "ContainerCreate", ("Entrypoint",), {"type": ["array", "string"]}),
    ("1.25", "ContainerCreate", ("Volumes", "/data"), {"type": "object"}),
    ("1.36", "ContainerCreate", ("Volumes", "/data"), {"type": "object"}),
    ("1.25", "ContainerCreate", ("HostConfig", "Init"), {"type": "boolean"}),
    ("1.39", "ContainerCreate", ("HostConfig", "KernelMemory"), {"type": "integer"}),
    ("1.42", "ContainerCreate", ("HostConfig", "KernelMemory"), {"type": None}),
    ("1.42", "ContainerUpdate", ("KernelMemory",), {"type": "integer"}),
    ("1.27", "ContainerCreate", ("HostConfig", "NanoCpus"), {"type": "integer"}),
    ("1.26", "ContainerCreate", ("StopTimeout",), {"x-unit": "seconds"}),
    ("1.26", "ContainerCreate", ("Healthcheck", "Interval"), {"x-unit": "nanoseconds"}),
    ("1.44", "ContainerCreate", ("Healthcheck", "StartInterval"), {"x-unit": "nanoseconds"}),
    ("1.42", "ContainerExec", ("Detach",), {"type": "boolean"}),
    ("1.25", "SecretCreate", ("Data",), {"type": "string", "x-encoding": "base64"}),
    ("1.30", "SecretUpdate", ("Data",), {"type": "string", "x-secret": True}),
    ("1.30", "ConfigCreate", ("Data",), {"type": "string", "x-encoding": "base64"}),
    ("1.51", "ConfigCreate", ("Data",), {"x-encoding": "base64", "x-secret": True}),
    (
        "1.44",
        "ServiceCreate",
        ("TaskTemplate", "ContainerSpec", "Privileges", "Seccomp", "Profile"),
        {"type": "string", "x-encoding": "base64"},
    ),
    ("1.25", "SystemAuth", ("identitytoken",), {"type": "string", "x-secret": True}),
    ("1.42", "SystemAuth", ("password",), {"x-secret": True}),
    ("1.38", "NetworkCreate", ("IPAM", "Options", "a"), {"type": "string"}),
    ("1.40", "NetworkCreate", ("IPAM", "Config", 0, "AuxiliaryAddresses", "a"), {"type": "string"}),
    ("1.30", "NetworkCreate", ("ConfigFrom", "Network"), {"type": "string"}),
    ("1.29", "NetworkCreate", ("ConfigFrom", "Network"), {"type": None}),
    ("1.42", "SwarmInit", ("AutoLockManagers",), {"type": "boolean"}),
    ("1.25", "SwarmInit", ("Availability",), {"enum": ["active", "pause", "drain"]}),
    ("1.42", "SwarmJoin", ("JoinToken",), {"x-secret": True}),
    ("1.25", "ContainerCreate", ("Env",), {"x-secret": True}),
    ("1.51", "ContainerCreate", ("HostConfig", "LogConfig", "Config"), {"x-secret": True}),
    ("1.42", "ContainerExec", ("Env",), {"x-secret": True}),
    ("1.42", "ImageCommit", ("Env",), {"x-secret": True}),
    ("1.25", "ServiceCreate", (*SERVICE, "Env"), {"x-secret": True}),
    ("1.42", "VolumeCreate", ("DriverOpts",), {"x-secret": True}),
    ("1.42", "SwarmUnlock", ("UnlockKey",), {"x-secret": True}),
    ("1.30", "SwarmUpdate", ("CAConfig", "SigningCAKey"), {"x-secret": True}),
    ("1.42", "SwarmUpdate", ("Dispatcher", "HeartbeatPeriod"), {"x-unit": "nanoseconds"}),
    ("1.25", "ServiceCreate", (*SERVICE, "Healthcheck", "Retries"), {"type": "integer"}),
    ("1.42", "ServiceCreate", (*SERVICE, "Healthcheck", "Timeout"), {"x-unit": "nanoseconds"}),
    ("1.25", "ServiceCreate", (*SERVICE, "Secrets", 0, "SecretID"), {"type": "string"}),
    ("1.42", "ServiceUpdate", (*SERVICE, "StopGracePeriod"), {"x-unit": "nanoseconds"}),
    ("1.42", "ServiceUpdate", ("RollbackConfig", "Monitor"), {"x-unit": "nanoseconds"}),
    ("1.25", "ServiceCreate", ("EndpointSpec", "Ports", 0, "PublishMode"), {"type": "string"}),
    ("1.42", "ServiceCreate", ("TaskTemplate", "PluginSpec", "privileges"), {"type": "array"}),
    (
        "1.42",
        "ServiceCreate",
        ("TaskTemplate", "PluginSpec", "privileges", 0, "value"),
        {"type": "array"},
    ),
    ("1.42", "VolumeCreate", ("ClusterVolumeSpec", "Availability"), {"type": "string"}),
    (
        "1.42",
        "VolumeUpdate",
        ("Spec", "AccessibilityRequirements", "Requisite", 0, "Segments", "zone"),
        {"type": "string"},
    ),
]


@pytest.mark.parametrize(("version", "operation_id", "path", "keywords"), FIELDS)
def test_fields_of_bodies(version, operation_id, path, keywords):
    body = spec(version)[operation_id].body
    schema = schema_at(body.schema, body.definitions, path)
    assert {keyword: schema.get(keyword) for keyword in keywords} == keywords


@pytest.mark.parametrize("version", bundled_versions(), ids=str)
def test_every_restart_policy_of_the_engines_passes(version):
    body = spec(str(version))["ContainerCreate"].body
    schema = schema_at(body.schema, body.definitions, ("HostConfig", "RestartPolicy", "Name"))
    assert set(schema["enum"]) >= {"", "no", "always", "unless-stopped", "on-failure"}


REPLY_FIELDS: list[tuple[str, str, tuple[str | int, ...], dict[str, Any]]] = [
    ("1.35", "SecretCreate", (), {"properties": {"ID": {"type": "string"}}}),
    ("1.36", "SecretCreate", (), {"required": ["ID"]}),
    ("1.51", "ConfigCreate", (), {"required": ["ID"]}),
    ("1.51", "ContainerExec", (), {"required": ["Id"]}),
    ("1.27", "ServiceUpdate", ("Warnings", 0), {"type": "string"}),
    ("1.25", "ServiceCreate", ("Warnings", 0), {"type": "string"}),
    ("1.25", "NetworkPrune", ("NetworksDeleted", 0), {"type": "string"}),
    ("1.25", "NetworkPrune", ("VolumesDeleted",), {"type": None}),
    ("1.39", "SystemDataUsage", ("Containers", 0, "Image"), {"type": "string"}),
    ("1.40", "SystemDataUsage", ("Containers", 0, "Image"), {"type": "string"}),
    ("1.52", "SystemDataUsage", ("Containers", 0, "Image"), {"type": "string"}),
    ("1.52", "SystemDataUsage", ("VolumeUsage", "Items", 0, "Name"), {"type": "string"}),
    ("1.25", "ContainerInspect", ("NetworkSettings", "Ports", "80/tcp"), {"type": "array"}),
    (
        "1.25",
        "ContainerInspect",
        ("NetworkSettings", "Networks", "bridge", "IPAddress"),
        {"type": "string"},
    ),
    ("1.25", "ContainerInspect", ("ExecIDs", 0), {"type": "string"}),
    ("1.48", "ContainerStats", ("networks",), {"type": "object"}),
    ("1.47", "ImageList", (0, "Manifests", 0, "ImageData"), {"type": "object"}),
    ("1.32", "SystemInfo", ("Swarm", "RemoteManagers"), {"type": "array", "default": None}),
]


@pytest.mark.parametrize(("version", "operation_id", "path", "keywords"), REPLY_FIELDS)
def test_fields_of_replies(version, operation_id, path, keywords):
    document = corrected(parse_version(version)).document
    root = document.operations[operation_id].success["schema"]
    schema = schema_at(root, document.definitions, path)
    assert {keyword: schema.get(keyword) for keyword in keywords} == keywords


@pytest.mark.parametrize("version", bundled_versions(), ids=str)
def test_what_a_definition_requires_is_among_its_properties(version):
    document = corrected(version).document
    missing = [
        f"{name}.{required}"
        for name, definition in document.definitions.items()
        for holder in (definition, *definition.get("properties", {}).values())
        for required in holder.get("required", ())
        if required not in holder.get("properties", {})
    ]
    assert not missing
