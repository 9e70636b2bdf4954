"""Volumes of simulated engines, and what is mounted in containers, as Docker 26.1."""

from __future__ import annotations

import re

import pytest

from documents import VERSIONS
from dynadock import APIError, BadRequest, Conflict, NotFound, ServerError, load
from dynadock.simulation import registry
from dynadock.simulation.engine import SimulatedEngine
from simulated import conforms

every_version = pytest.mark.parametrize("version", VERSIONS)
ANONYMOUS = "com.docker.volume.anonymous"


@pytest.fixture
def engine():
    return SimulatedEngine(manual_clock=True)


@pytest.fixture
def host(engine):
    name = registry.add(engine)
    yield f"embedded://{name}"
    registry.forget(name)


@pytest.fixture
def client(host):
    with load("1.45", host=host, timeout=10) as made:
        yield made


@pytest.fixture
def create(client):
    """Create a container, and give its name."""

    def make(name="box", **fields):
        client.ContainerCreate(
            **{"name": name, "Image": "busybox", "Cmd": ["sleep", "9"], **fields}
        )
        return name

    return make


@pytest.fixture
def start(client, create):
    """Create and start a container, and give its name."""

    def begin(name="box", **fields):
        client.ContainerStart(create(name, **fields))
        return name

    return begin


def volumes(client, **filters):
    return {each.Name for each in client.VolumeList(filters=filters).Volumes}


def mounts(client, name="box"):
    return {each.Destination: each for each in client.ContainerInspect(name).Mounts}


def said(client, script, name="box"):
    """Return what a shell in the container says."""
    exec_id = client.ContainerExec(
        name, AttachStdout=True, AttachStderr=True, Cmd=["sh", "-c", script]
    ).Id
    with client.ExecStart(exec_id) as stream:
        return b"".join(chunk.data for chunk in stream).decode()


def happenings(client, engine):
    """Return what happened to volumes until now."""
    engine.state.advance(2)
    now = engine.state.clock.now() // 10**9
    events = client.SystemEvents(since=1, until=now, filters={"type": ["volume"]})
    return [(each.Action, each.Actor.ID, dict(each.Actor.Attributes)) for each in events]


@every_version
def test_replies_are_what_the_document_of_the_version_says(version):
    with load(version, host="embedded://", timeout=10) as client:
        conforms(client, "VolumeCreate", client.VolumeCreate(Name="mine"))
        client.VolumeCreate(Name="other", Labels={"a": "b"}, Driver="local")
        binds = ["mine:/a:ro", "/tmp/x:/b"]
        client.ContainerCreate(name="box", Image="busybox", HostConfig={"Binds": binds})
        conforms(client, "ContainerInspect", client.ContainerInspect("box"))
        conforms(client, "ContainerList", client.ContainerList(all=True))
        conforms(client, "VolumeInspect", client.VolumeInspect("mine"))
        conforms(client, "VolumeList", client.VolumeList())
        conforms(client, "VolumePrune", client.VolumePrune())


# Made, found and removed


def test_a_volume_is_shown_as_it_was_asked_for(client):
    options = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
    made = client.VolumeCreate(Name="mine", Driver="local", Labels={"a": "1"}, DriverOpts=options)
    assert made == client.VolumeInspect("mine")
    assert (made.Driver, made.Scope, made.Labels, made.Options) == (
        "local",
        "local",
        {"a": "1"},
        options,
    )
    assert made.Mountpoint == "/var/lib/docker/volumes/mine/_data"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", made.CreatedAt)


def test_a_volume_that_is_there_is_given_again_as_it_is(client, engine):
    first = client.VolumeCreate(Name="mine")
    assert (first.Labels, first.Options) == (None, None)
    assert client.VolumeCreate(Name="mine", Labels={"a": "1"}) == first
    assert [action for action, *_ in happenings(client, engine)] == ["create"]


def test_a_volume_without_a_name_gets_one(client):
    made = client.VolumeCreate(Labels={"a": "1"})
    assert re.fullmatch("[0-9a-f]{64}", made.Name)
    assert made.Labels == {ANONYMOUS: "", "a": "1"}


REFUSED = [
    ({"Name": "a"}, BadRequest, "create a: volume name is too short, names should be at least two"),
    ({"Name": "-x"}, BadRequest, 'create -x: "-x" includes invalid characters for a local volume'),
    ({"Name": "x" * 256}, ServerError, "file name too long"),
    ({"Driver": "zz"}, NotFound, 'error looking up volume plugin zz: plugin "zz" not found'),
    ({"DriverOpts": {"zz": "1"}}, BadRequest, 'create other: invalid option: "zz"'),
    ({"DriverOpts": {"device": "d"}}, BadRequest, 'create other: missing required option: "type"'),
    ({"ClusterVolumeSpec": {}}, APIError, "This node is not a swarm manager"),
]


@pytest.mark.parametrize(("fields", "error", "words"), REFUSED)
def test_what_engines_refuse(client, fields, error, words):
    with pytest.raises(error, match=re.escape(words)):
        client.VolumeCreate(**{"Name": "other", **fields})
    assert volumes(client) == set()


def test_a_volume_of_another_driver_is_not_given_again(client):
    client.VolumeCreate(Name="mine")
    with pytest.raises(
        NotFound, match='create mine: error looking up volume plugin zz: plugin "zz"'
    ):
        client.VolumeCreate(Name="mine", Driver="zz")


def test_updates_need_a_swarm(client):
    with pytest.raises(APIError, match="volume update only valid for cluster volumes") as refused:
        client.VolumeUpdate("mine", version=1, Spec={})
    assert refused.value.status == 503


def test_a_missing_volume(client):
    for call in (client.VolumeInspect, client.VolumeDelete):
        with pytest.raises(NotFound, match="get none: no such volume"):
            call("none")
    client.VolumeDelete("none", force=True)


FILTERS = [
    ({"name": ["in"]}, {"mine"}),
    ({"name": ["^o.her$"]}, {"other"}),
    ({"label": ["a"]}, {"mine"}),
    ({"label": ["a=2"]}, set()),
    ({"label": ["a=1", "b"]}, {"mine"}),
    ({"driver": ["local"]}, {"mine", "other"}),
    ({"driver": ["loc"]}, set()),
    ({"dangling": ["true"]}, {"other"}),
    ({"dangling": ["0"]}, {"mine"}),
]


@pytest.mark.parametrize(("filters", "found"), FILTERS)
def test_filters_have_their_meaning(client, create, filters, found):
    client.VolumeCreate(Name="mine", Labels={"a": "1", "b": ""})
    client.VolumeCreate(Name="other")
    create(HostConfig={"Binds": ["mine:/data"]})
    assert volumes(client, **filters) == found


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"zz": ["1"]}, "invalid filter 'zz'"),
        ({"dangling": ["zz"]}, r"invalid filter 'dangling=\[zz\]'"),
    ],
)
def test_filters_that_engines_refuse(client, filters, words):
    with pytest.raises(BadRequest, match=words):
        client.VolumeList(filters=filters)


def test_a_volume_in_a_container_stays(client, create):
    create(HostConfig={"Binds": ["mine:/data"]})
    identity = client.ContainerInspect("box").Id
    for force in (False, True):
        with pytest.raises(Conflict, match=rf"remove mine: volume is in use - \[{identity}\]"):
            client.VolumeDelete("mine", force=force)
    client.ContainerDelete("box", v=True)
    client.VolumeDelete("mine")


@pytest.fixture
def several(client, create):
    """Volumes with and without names, one of each in a container; give the idle nameless one."""
    create(HostConfig={"Binds": ["used:/data"]}, Volumes={"/own": {}})
    client.VolumeCreate(Name="named", Labels={"keep": ""})
    client.VolumeCreate(Name="optional", DriverOpts={"type": "tmpfs", "device": "tmpfs"})
    return client.VolumeCreate().Name


def test_pruning_takes_those_without_a_name(client, several):
    assert client.VolumePrune() == {"VolumesDeleted": [several], "SpaceReclaimed": 0}


def test_pruning_takes_all_if_that_is_said(client, several):
    assert set(client.VolumePrune(filters={"all": ["1"]}).VolumesDeleted) == {several, "named"}


def test_pruning_took_all_in_older_versions(client, host, several):
    with load("1.41", host=host, timeout=10) as older:
        assert set(older.VolumePrune().VolumesDeleted) == {several, "named"}


@pytest.mark.usefixtures("several")
def test_pruning_goes_by_labels(client):
    def pruned(**labels):
        return client.VolumePrune(filters={"all": ["true"], **labels}).VolumesDeleted

    assert pruned(label=["nonesuch"]) == []
    assert "named" not in pruned(**{"label!": ["keep"]})
    assert pruned(label=["keep"]) == ["named"]


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"name": ["1"]}, "invalid filter 'name'"),
        ({"all": ["zz"]}, "invalid filter 'all': strconv.ParseBool"),
        ({"all": ["1", "0"]}, r"invalid filter 'all=\[1 0\]': only one value is expected"),
    ],
)
def test_pruning_by_what_engines_refuse(client, filters, words):
    with pytest.raises(BadRequest, match=words):
        client.VolumePrune(filters=filters)


def test_pruning_tells_how_much_room_there_is_again(client, start, engine):
    start(HostConfig={"Binds": ["mine:/data"]})
    said(client, "printf 12345 > /data/x")
    client.ContainerDelete("box", force=True)
    assert client.VolumePrune(filters={"all": ["1"]}).SpaceReclaimed == 5
    assert happenings(client, engine)[-1] == ("prune", "", {"reclaimed": "5"})


# Mounted


def test_files_are_shared_while_containers_run_and_outlive_them(client, start):
    start("one", HostConfig={"Binds": ["mine:/data"]})
    start("two", HostConfig={"Binds": ["mine:/else:ro"]})
    said(client, "echo hello > /data/x", "one")
    assert said(client, "cat /else/x", "two") == "hello\n"
    assert "Read-only file system" in said(client, "echo no > /else/x", "two")
    for name in ("one", "two"):
        client.ContainerDelete(name, force=True, v=True)
    start("three", HostConfig={"Binds": ["mine:/data"]})
    assert said(client, "cat /data/x", "three") == "hello\n"


def test_folders_of_the_machine_are_shared_too(client, start):
    start("one", HostConfig={"Binds": ["/srv/shop:/data"]})
    start("two", HostConfig={"Binds": ["/srv:/srv:ro"]})
    said(client, "echo hello > /data/x", "one")
    assert said(client, "cat /srv/shop/x", "two") == "hello\n"


SHOWN = [
    ("mine:/data", "volume", "z", True, ""),
    ("mine:/data:ro", "volume", "ro", False, ""),
    ("mine:/data:rw,Z", "volume", "rw,Z", True, ""),
    ("/srv:/data", "bind", "", True, "rprivate"),
    ("/srv:/data:ro,z", "bind", "ro,z", False, "rprivate"),
    ("/srv/:/data/:rslave", "bind", "rslave", True, "rslave"),
]


@pytest.mark.parametrize("case", SHOWN)
def test_binds_as_they_are_shown(client, create, case):
    text, kind, mode, writable, propagation = case
    create(HostConfig={"Binds": [text]})
    (shown,) = client.ContainerInspect("box").Mounts
    (listed,) = client.ContainerList(all=True)
    assert listed.Mounts == [shown]
    is_volume = {"Name": "mine", "Driver": "local"} if kind == "volume" else {}
    assert shown == {
        "Type": kind,
        "Source": "/var/lib/docker/volumes/mine/_data" if is_volume else "/srv",
        "Destination": "/data",
        "Mode": mode,
        "RW": writable,
        "Propagation": propagation,
        **is_volume,
    }


WRONG_BINDS = [
    (
        "rel/x:/y",
        BadRequest,
        'create rel/x: "rel/x" includes invalid characters for a local volume',
    ),
    ("a:/y", BadRequest, "create a: volume name is too short"),
    ("rel", ServerError, "invalid mount path: 'rel' mount path must be absolute"),
    ("mine:rel", ServerError, "invalid volume specification: 'mine:rel': invalid mount config for"),
    ("mine:/", ServerError, "invalid specification: destination can't be '/'"),
    ("mine:/x:zz", ServerError, "invalid mode: zz"),
    ("mine:/x:ro,rw", ServerError, "invalid mode: ro,rw"),
    ("a:b:c:d", ServerError, "invalid volume specification: 'a:b:c:d'"),
    (":/x", ServerError, "invalid volume specification: ':/x'"),
    ("/srv:/x:nocopy", ServerError, 'for type "bind": field VolumeOptions must not be specified'),
    ("mine:/x:rslave", ServerError, 'for type "volume": field BindOptions must not be specified'),
]


@pytest.mark.parametrize(("text", "error", "words"), WRONG_BINDS)
def test_binds_that_engines_refuse(client, create, text, error, words):
    with pytest.raises(error, match=re.escape(words)):
        create(HostConfig={"Binds": [text]})
    assert client.ContainerList(all=True) == []


def test_two_mounts_at_one_place(create):
    with pytest.raises(BadRequest, match="Duplicate mount point: /x"):
        create(
            HostConfig={
                "Binds": ["mine:/x"],
                "Mounts": [{"Type": "volume", "Source": "other", "Target": "/x/"}],
            }
        )


WRONG_MOUNTS = [
    ({"Type": "bind", "Source": "/nope", "Target": "/x"}, "bind source path does not exist: /nope"),
    (
        {"Type": "bind", "Source": "rel", "Target": "/x"},
        "invalid mount path: 'rel' mount path must",
    ),
    ({"Type": "bind", "Target": "/x"}, "field Source must not be empty"),
    ({"Type": "tmpfs", "Target": "/x", "Source": "z"}, "field Source must not be specified"),
    ({"Type": "cluster", "Target": "/x"}, 'for type "cluster": mount type unknown'),
    ({"Type": "volume", "Source": "mine"}, "field Target must not be empty"),
    ({"Type": "volume", "Target": "rel"}, "invalid mount path: 'rel' mount path must be absolute"),
    ({"Type": "volume", "Target": "/"}, "invalid specification: destination can't be '/'"),
    (
        {"Type": "volume", "Source": "mine", "Target": "/x", "VolumeOptions": {"Subpath": "../y"}},
        "subpath must be a relative path within the volume",
    ),
    (
        {"Type": "volume", "Target": "/x", "BindOptions": {}},
        'BindOptions must not be specified on mount type "volume"',
    ),
    (
        {"Type": "volume", "Source": "/abs", "Target": "/x"},
        'create /abs: "/abs" includes invalid characters',
    ),
]


@pytest.mark.parametrize(("row", "words"), WRONG_MOUNTS)
def test_mounts_that_engines_refuse(create, row, words):
    with pytest.raises(BadRequest, match=re.escape(words)):
        create(HostConfig={"Mounts": [row]})


def test_mounts_as_they_are_shown(client, create):
    rows = [
        {"Type": "volume", "Source": "mine", "Target": "/a", "ReadOnly": True},
        {"Type": "volume", "Target": "/b"},
        {
            "Type": "bind",
            "Source": "/new",
            "Target": "/c",
            "BindOptions": {"CreateMountpoint": True},
        },
        {"Type": "tmpfs", "Target": "/d"},
    ]
    create(HostConfig={"Mounts": rows})
    shown = mounts(client)
    assert (shown["/a"].Name, shown["/a"].RW, shown["/a"].Mode) == ("mine", False, "z")
    assert re.fullmatch("[0-9a-f]{64}", shown["/b"].Name)
    assert (shown["/c"].Source, shown["/c"].Propagation) == ("/new", "rprivate")
    assert shown["/d"] == {
        "Type": "tmpfs",
        "Source": "",
        "Destination": "/d",
        "Mode": "",
        "RW": True,
        "Propagation": "",
    }


def test_a_volume_made_for_a_mount_has_what_that_says(client, create):
    options = {"Labels": {"a": "1"}, "DriverConfig": {"Name": "local"}}
    row = {"Type": "volume", "Source": "mine", "Target": "/x", "VolumeOptions": options}
    create(HostConfig={"Mounts": [row]})
    assert client.VolumeInspect("mine").Labels == {"a": "1"}


@pytest.mark.parametrize("is_copied", [True, False])
def test_a_new_volume_begins_with_what_the_image_has_there(client, start, is_copied):
    row = {"Type": "volume", "Source": "mine", "Target": "/etc"}
    start(HostConfig={"Mounts": [{**row, "VolumeOptions": {"NoCopy": not is_copied}}]})
    files = said(client, "for each in /etc/*; do echo $each; done").split()
    assert ("/etc/passwd" in files) == is_copied
    assert "/etc/hosts" in files


def test_a_volume_with_files_is_taken_as_it_is(client, start):
    start("one", HostConfig={"Binds": ["mine:/data"]})
    said(client, "echo mine > /data/x", "one")
    start("two", HostConfig={"Binds": ["mine:/etc"]})
    assert said(client, "[ -e /etc/passwd ] || cat /etc/x", "two") == "mine\n"


def test_a_part_of_a_volume(client, start, create):
    start("one", HostConfig={"Binds": ["mine:/data"]})
    row = {"Type": "volume", "Source": "mine", "Target": "/x", "VolumeOptions": {"Subpath": "in"}}
    create("two", HostConfig={"Mounts": [row]})
    with pytest.raises(NotFound, match=r"cannot access path .*/mine/_data/in: lstat"):
        client.ContainerStart("two")
    said(client, "mkdir /data/in && echo deep > /data/in/file", "one")
    client.ContainerStart("two")
    assert said(client, "cat /x/file", "two") == "deep\n"


@pytest.mark.parametrize(
    "host_config", [{"Tmpfs": {"/x": "mode=700"}}, {"Mounts": [{"Type": "tmpfs", "Target": "/x"}]}]
)
def test_files_in_memory_are_new_each_time(client, start, host_config):
    start(HostConfig=host_config)
    said(client, "echo gone > /x/file; echo kept > /file")
    client.ContainerRestart("box", t=0)
    assert said(client, "[ -e /x/file ] || cat /file") == "kept\n"
    assert len(mounts(client)) == ("Mounts" in host_config)


def test_files_in_memory_with_options_that_are_none(create, client):
    create(HostConfig={"Tmpfs": {"/x": "zz=1m"}})
    with pytest.raises(ServerError, match='invalid tmpfs option "zz"'):
        client.ContainerStart("box")
    with pytest.raises(BadRequest, match="invalid mount path: 'x' mount path must be absolute"):
        create("other", HostConfig={"Tmpfs": {"x": ""}})


def test_the_volumes_of_another_container(client, start):
    binds = ["mine:/data", "other:/else:ro", "/srv:/srv"]
    start("one", Volumes={"/own": {}}, HostConfig={"Binds": binds})
    start("two", HostConfig={"VolumesFrom": ["one"], "Binds": ["new:/data"]})
    start("three", HostConfig={"VolumesFrom": ["one:ro"]})
    first, second, third = (mounts(client, name) for name in ("one", "two", "three"))
    assert first.keys() == second.keys() == third.keys()
    assert (second["/data"].Name, third["/data"].Name) == ("new", "mine")
    assert second["/own"].Name == first["/own"].Name
    assert {place: mount.RW for place, mount in second.items()} == {
        "/data": True,
        "/else": False,
        "/own": True,
        "/srv": True,
    }
    assert not any(mount.RW for mount in third.values())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("none", "No such container: none"),
        ("box:zz", "invalid mode: zz"),
        ("", "volumes-from specification cannot be an empty string"),
    ],
)
def test_volumes_from_what_engines_refuse(create, text, words):
    create()
    with pytest.raises(BadRequest, match=words):
        create("other", HostConfig={"VolumesFrom": [text]})


def test_what_is_asked_for_comes_before_the_images(client, create):
    create(Volumes={"/data": {}, "/own": {}}, HostConfig={"Binds": ["mine:/data"]})
    shown = mounts(client)
    assert shown["/data"].Name == "mine"
    assert (shown["/own"].Mode, shown["/own"].RW) == ("", True)
    assert client.VolumeInspect(shown["/own"].Name).Labels == {ANONYMOUS: ""}


def test_volumes_without_a_name_go_with_their_container_if_that_is_said(client, create):
    create(Volumes={"/own": {}}, HostConfig={"Binds": ["mine:/data"]})
    client.ContainerDelete("box")
    assert len(volumes(client)) == 2
    create(Volumes={"/own": {}}, HostConfig={"Binds": ["mine:/data", "/nameless"]})
    client.ContainerDelete("box", v=True)
    assert len(volumes(client)) == 2


def test_volumes_without_a_name_stay_while_another_container_has_them(client, create):
    create("one", Volumes={"/own": {}})
    create("two", HostConfig={"VolumesFrom": ["one"]})
    client.ContainerDelete("one", v=True)
    assert len(volumes(client)) == 1
    client.ContainerDelete("two", v=True)
    assert volumes(client) == set()


def test_a_container_that_removes_itself_takes_its_volumes_along(client, start):
    binds = {"AutoRemove": True, "Binds": ["mine:/data"]}
    start(Volumes={"/own": {}}, HostConfig=binds)
    assert len(volumes(client)) == 2
    client.ContainerKill("box")
    assert volumes(client) == {"mine"}


def test_events_of_a_volume(client, engine, create):
    create(HostConfig={"Binds": ["mine:/data:ro"]})
    identity = client.ContainerInspect("box").Id
    client.ContainerStart("box")
    client.ContainerDelete("box", force=True)
    client.VolumeDelete("mine")
    place = {"destination": "/data", "propagation": "", "read/write": "false"}
    assert happenings(client, engine) == [
        ("create", "mine", {"driver": "local"}),
        ("mount", "mine", {"container": identity, "driver": "local", **place}),
        ("unmount", "mine", {"container": identity, "driver": "local"}),
        ("destroy", "mine", {"driver": "local"}),
    ]


def test_what_is_on_volumes_is_no_change_of_the_container(client, start):
    start(HostConfig={"Binds": ["mine:/tmp"]})
    said(client, "echo x > /tmp/file")
    assert client.ContainerChanges("box") is None
