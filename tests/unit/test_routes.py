"""From method and target to an operation, as Docker 26.1 answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents import VERSIONS, ZOO
from dynadock import MalformedStream
from dynadock.call.percent import quote_path
from dynadock.simulation.routes import Route, Routes, read_target
from dynadock.spec.loader import load_spec

SPEC = load_spec("1.45")


def routes(version="1.45"):
    return Routes(load_spec(version))


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("/v1.45/containers/json", ("1.45", "/containers/json", "", "")),
        ("/containers/json", ("", "/containers/json", "", "")),
        ("/v1.45/info?a=b&c=%20", ("1.45", "/info", "a=b&c=%20", "")),
        ("/info?", ("", "/info", "", "")),
        ("/info??a", ("", "/info", "?a", "")),
        ("/v1.45.1/info", ("1.45.1", "/info", "", "")),
        ("/v9/info", ("9", "/info", "", "")),
        ("/v../info", ("..", "/info", "", "")),
        ("/v1.45", ("", "/v1.45", "", "")),
        ("/v1.45/", ("1.45", "/", "", "")),
        ("/vx/info", ("", "/vx/info", "", "")),
        ("/V1.45/info", ("", "/V1.45/info", "", "")),
        ("/v1.45/v1.44/info", ("1.45", "/v1.44/info", "", "")),
        ("/v1.45/images/a%2Fb%3ac/json", ("1.45", "/images/a/b:c/json", "", "")),
        ("/images/a%20b/json", ("", "/images/a b/json", "", "")),
        ("/images/a+b/json", ("", "/images/a+b/json", "", "")),
        ("/images/%c3%a4%FF/json", ("", "/images/ä\ufffd/json", "", "")),
        ("http://d:80/v1.45/info?x", ("1.45", "/info", "x", "")),
        ("/containers/.x/json", ("", "/containers/.x/json", "", "")),
        ("/x?a=//../", ("", "/x", "a=//../", "")),
    ],
)
def test_a_target_taken_apart(target, place):
    assert read_target(target) == place


@pytest.mark.parametrize(
    ("target", "moved_to"),
    [
        ("//info", "/info"),
        ("/v1.45//info?x=1", "/v1.45/info?x=1"),
        ("/v1.45/containers//json", "/v1.45/containers/json"),
        ("/v1.45/../info", "/info"),
        ("/v1.45/containers/./json", "/v1.45/containers/json"),
        ("/v1.45/images/a%2F..%2Fb%20c/json?x=%31", "/v1.45/images/b%20c/json?x=%31"),
        ("/..", "/"),
        ("/a/../", "/"),
        ("/a/b/./", "/a/b/"),
        ("*", "/%2A"),
    ],
)
def test_odd_segments_are_sent_elsewhere(target, moved_to):
    assert read_target(target).moved_to == moved_to


@pytest.mark.parametrize("target", ["/containers/%zz/json", "/%", "/v1.45/%1", "//%gg"])
def test_a_stray_percent_in_a_path_is_refused(target):
    with pytest.raises(MalformedStream):
        read_target(target)


FOUND = [
    ("GET", "/containers/json", "ContainerList", {}),
    ("GET", "/containers/x/json", "ContainerInspect", {"id": "x"}),
    ("GET", "/containers/a/b/json", "ContainerInspect", {"id": "a/b"}),
    ("GET", "/containers/prune/json", "ContainerInspect", {"id": "prune"}),
    ("GET", "/containers/a/attach/json", "ContainerInspect", {"id": "a/attach"}),
    ("GET", "/containers/x/attach/ws", "ContainerAttachWebsocket", {"id": "x"}),
    ("POST", "/containers/create", "ContainerCreate", {}),
    ("POST", "/containers/create/start", "ContainerStart", {"id": "create"}),
    ("POST", "/containers/prune", "ContainerPrune", {}),
    ("DELETE", "/containers/json", "ContainerDelete", {"id": "json"}),
    ("HEAD", "/containers/x/archive", "ContainerArchiveInfo", {"id": "x"}),
    ("GET", "/containers/x/archive", "ContainerArchive", {"id": "x"}),
    ("PUT", "/containers/x/archive", "PutContainerArchive", {"id": "x"}),
    ("HEAD", "/_ping", "SystemPingHead", {}),
    ("GET", "/_ping", "SystemPing", {}),
    ("GET", "/images/json", "ImageList", {}),
    ("GET", "/images/json/json", "ImageInspect", {"name": "json"}),
    ("GET", "/images/search", "ImageSearch", {}),
    ("GET", "/images/get", "ImageGetAll", {}),
    ("GET", "/images/a/b:tag/json", "ImageInspect", {"name": "a/b:tag"}),
    ("GET", "/images/a/json/history", "ImageHistory", {"name": "a/json"}),
    ("GET", "/images/a/get", "ImageGet", {"name": "a"}),
    ("POST", "/images/h:5000/a/push", "ImagePush", {"name": "h:5000/a"}),
    ("DELETE", "/images/a/b", "ImageDelete", {"name": "a/b"}),
    ("GET", "/distribution/a/b/json", "DistributionInspect", {"name": "a/b"}),
    ("GET", "/plugins/a/b/json", "PluginInspect", {"name": "a/b"}),
    ("GET", "/plugins/privileges", "GetPluginPrivileges", {}),
    ("POST", "/plugins/a/b/upgrade", "PluginUpgrade", {"name": "a/b"}),
    ("GET", "/volumes/a/b", "VolumeInspect", {"name": "a/b"}),
    ("GET", "/volumes/prune", "VolumeInspect", {"name": "prune"}),
    ("GET", "/volumes/", "VolumeInspect", {"name": ""}),
    ("GET", "/networks/create", "NetworkInspect", {"id": "create"}),
    ("GET", "/networks/a/b", "NetworkInspect", {"id": "a/b"}),
    ("POST", "/exec/a/b/start", "ExecStart", {"id": "a/b"}),
    ("GET", "/services/web/logs", "ServiceLogs", {"id": "web"}),
    ("GET", "/secrets/create", "SecretInspect", {"id": "create"}),
]


@pytest.mark.parametrize(("method", "path", "operation_id", "segments"), FOUND)
def test_paths_lead_where_an_engine_takes_them(method, path, operation_id, segments):
    assert routes().find(method, path) == Route(operation_id, segments)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nope"),
        ("GET", "/"),
        ("GET", ""),
        ("GET", "*"),
        ("GET", "*json"),
        ("GET", "/v1.44/info"),
        ("POST", "/containers/json"),
        ("GET", "/containers/create"),
        ("GET", "/containers/json/"),
        ("PUT", "/containers/x/json"),
        ("PATCH", "/_ping"),
        ("HEAD", "/containers/json"),
        ("get", "/info"),
        ("OPTIONS", "/info"),
        ("GET", "/services/a/b"),
        ("GET", "/nodes/a/b"),
        ("GET", "/tasks/a/b"),
        ("GET", "/secrets/a/b"),
        ("GET", "/secrets/"),
        ("GET", "/nodes/"),
        ("POST", "/configs/a/b/update"),
        ("GET", "/services/a/b/logs"),
        ("POST", "/volumes/a/b"),
    ],
)
def test_other_paths_lead_nowhere(method, path):
    assert routes().find(method, path) is None


@pytest.mark.parametrize("version", VERSIONS)
def test_every_operation_is_found_under_its_own_path(version):
    spec = load_spec(version)
    for operation_id, operation in spec.items():
        names = {each.name: f"a{n}" for n, each in enumerate(operation.positional)}
        path = operation.path
        for name, text in names.items():
            path = path.replace("{" + name + "}", text)
        place = read_target(spec.base_path + path)
        assert place == (version, path, "", "")
        assert Routes(spec).find(operation.method, place.path) == Route(operation_id, names)


def test_what_a_version_lacks_is_nowhere_in_it():
    assert routes("1.41").find("PUT", "/volumes/x") is None
    assert routes("1.42").find("PUT", "/volumes/x") is not None


def test_paths_with_more_parameters():
    found = Routes(load_spec(ZOO)).find("POST", "/cages/7/doors/left")
    assert found == Route("DoorOpen", {"cage-id": "7", "door": "left"})
    assert Routes(load_spec(ZOO)).find("POST", "/cages/7/doors/left/open") is None


@given(st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1))
def test_a_name_comes_out_as_it_went_in(name):
    if name in (".", ".."):
        return
    place = read_target(f"/v1.45/images/{quote_path(name)}/json")
    assert Routes(SPEC).find("GET", place.path) == Route("ImageInspect", {"name": name})
