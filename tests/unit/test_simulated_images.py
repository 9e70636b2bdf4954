"""Images of the simulated engine: what they are called, what is in them, and when they go.

What engines say and do was tried on Docker 26.1.
"""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents import MAIN, NEWEST, VERSIONS
from dynadock import APIError, load
from dynadock.call.values import Refused
from dynadock.record import plain
from dynadock.simulation.engine import SimulatedEngine
from dynadock.simulation.registry import add
from dynadock.simulation.state.seeds import busybox_tree, seed
from simulated import conforms

every_version = pytest.mark.parametrize("version", VERSIONS)

A_DIGEST = f"sha256:{'0' * 64}"
NO_HUB_IMAGE = (
    "pull access denied for {}, repository does not exist or may require 'docker login': denied:"
    " requested access to the resource is denied"
)


class Engine:
    """An engine and a client of it, which ``docker`` is."""

    def __init__(self, version="1.45"):
        self.engine = SimulatedEngine(seed=1)
        self.docker = load(version, host=f"embedded://{add(self.engine)}")
        self.state = self.engine.state

    def seed(self, name, **given):
        with self.state.lock:
            return seed(self.state, name, **given)

    def container(self, image="busybox", *, name=None, starts=False, **config):
        config = {"Cmd": ["sleep", "1000"], **config}
        created = self.docker.ContainerCreate(name=name, body={"Image": image, **config})
        if starts:
            self.docker.ContainerStart(created.Id)
        return created.Id

    def commit(self, name, image="busybox", *, files="f", **given):
        """Make an image from another one and a file; return its id."""
        container = self.container(image, starts=True)
        if files:
            started = self.docker.ContainerExec(
                container, Cmd=["sh", "-c", f"echo {name} > /{files}"], AttachStdout=True
            )
            with self.docker.ExecStart(started.Id) as output:
                list(output)
        made = self.docker.ImageCommit(container=container, **names(name), **given)
        self.docker.ContainerDelete(container, force=True)
        return made.Id

    def tags(self, **given):
        return sorted(tag for image in self.docker.ImageList(**given) for tag in image.RepoTags)

    def pull(self, image, **given):
        with self.docker.ImageCreate(fromImage=image, **given) as progress:
            return [plain(value) for value in progress]

    def events(self, kind="image"):
        seconds, fraction = divmod(self.state.clock.now(), 10**9)
        with self.docker.SystemEvents(
            since="1", until=f"{seconds}.{fraction:09d}", filters={"type": [kind]}
        ) as all_:
            return [plain(event) for event in all_]


def names(name):
    repository, _, tag = name.rpartition(":") if ":" in name else (name, "", "")
    return {"repo": repository, "tag": tag or "latest"}


@pytest.fixture
def engine():
    return Engine()


def refusal(call, *args, **given):
    with pytest.raises(APIError) as caught:
        call(*args, **given)
    return caught.value.status, caught.value.explanation


def tar_of(**files):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return archive.getvalue()


# What every version's document says


@every_version
def test_replies_are_as_the_documents_of_the_versions_have_them(version):
    engine = Engine(version)
    docker = engine.docker
    engine.commit("made:1", comment="a comment", author="me")
    engine.commit("", files="g")
    for wanted in ({}, {"all": True}, {"filters": {"dangling": ["true"]}}):
        lines = conforms(docker, "ImageList", docker.ImageList(**wanted))
        assert lines
    for name in ("busybox", "made:1"):
        conforms(docker, "ImageInspect", docker.ImageInspect(name))
        conforms(docker, "ImageHistory", docker.ImageHistory(name))
    conforms(docker, "ImageDelete", docker.ImageDelete("made:1"))
    pruned = conforms(docker, "ImagePrune", docker.ImagePrune())
    assert pruned.SpaceReclaimed


@pytest.mark.parametrize(
    ("version", "field", "is_there"),
    [
        ("1.43", "VirtualSize", True),
        ("1.44", "VirtualSize", False),
        ("1.44", "ContainerConfig", True),
        ("1.45", "ContainerConfig", False),
        ("1.51", "Parent", True),
        ("1.52", "Parent", False),
    ],
)
def test_fields_come_and_go_with_the_versions(version, field, is_there):
    assert (field in Engine(version).docker.ImageInspect("busybox")) is is_there


@pytest.mark.parametrize(
    ("version", "tags", "digests"),
    [("1.42", ["<none>:<none>"], ["<none>@<none>"]), ("1.43", [], [])],
)
def test_an_image_without_a_name_was_once_shown_under_one(version, tags, digests):
    engine = Engine(version)
    engine.commit("")
    (shown,) = engine.docker.ImageList(filters={"dangling": ["true"]})
    assert (shown.RepoTags, shown.RepoDigests) == (tags, digests)


@pytest.mark.parametrize(("version", "expected"), [("1.42", None), ("1.43", [])])
def test_an_image_with_tags_alone_had_no_list_of_digests_once(version, expected):
    engine = Engine(version)
    engine.commit("a:1")
    (shown,) = engine.docker.ImageList(filters={"reference": ["a"]})
    assert shown.RepoDigests == expected


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"filter": "b"}, ["b:1"]),
        ({"filter": "b:*"}, ["b:1"]),
        ({"filter": "none"}, []),
        ({"filter": ""}, ["b:1", "busybox:latest"]),
        ({"filter": "b", "filters": {"reference": ["busybox"]}}, ["b:1", "busybox:latest"]),
    ],
)
def test_the_old_parameter_for_a_name_is_one_more_pattern(given, names):
    engine = Engine("1.40")
    engine.commit("b:1")
    shown = engine.docker.ImageList(**given)
    assert sorted(name for image in shown for name in image.RepoTags) == names


# Busybox


def test_a_busybox_is_there_from_the_beginning(engine):
    (image,) = engine.docker.ImageList()
    assert image.RepoTags == ["busybox:latest"]
    shown = engine.docker.ImageInspect("busybox")
    assert (shown.Config.Cmd, shown.Config.Entrypoint) == (["sh"], None)
    assert (shown.Os, shown.RootFS.Type, len(shown.RootFS.Layers)) == ("linux", "layers", 1)


def test_busybox_has_the_folders_and_users_that_programs_expect(engine):
    files = engine.state.containers.find(engine.container()).files
    assert files.stat("/tmp").mode == 0o1777
    assert files.stat("/bin/sh").mode == 0o755
    assert {"bin", "dev", "etc", "home", "proc", "root", "sys", "tmp", "usr", "var"} <= {
        *files.names("/")
    }
    assert files.resolve("/usr/bin/env") == "/bin/env"
    rows = [line.split(":") for line in files.read("/etc/passwd").decode().splitlines()]
    users = {row[0]: row[2] for row in rows}
    assert {"root": "0", "nobody": "65534", "www-data": "33"}.items() <= users.items()


def test_engines_share_the_files_of_busybox_and_no_ids():
    one, other = SimulatedEngine().state, SimulatedEngine().state
    assert one.images.find("busybox").layer is other.images.find("busybox").layer
    assert one.images.find("busybox").layer is busybox_tree()
    assert one.images.find("busybox").id != other.images.find("busybox").id


def test_a_seed_makes_the_same_ids():
    first, second = (Engine().docker.ImageInspect("busybox") for _ in range(2))
    assert (first.Id, first.RootFS, first.RepoDigests) == (
        second.Id,
        second.RootFS,
        second.RepoDigests,
    )


# Names


@pytest.mark.parametrize(
    "name",
    [
        *("busybox", "busybox:latest", "library/busybox", "docker.io/library/busybox"),
        *("docker.io/busybox:latest", "index.docker.io/library/busybox:latest"),
    ],
)
def test_an_image_has_short_and_long_names(engine, name):
    image = engine.docker.ImageInspect("busybox")
    assert engine.docker.ImageInspect(name).Id == image.Id
    container = engine.docker.ContainerInspect(engine.container(name))
    assert container.Image == image.Id


def test_an_image_is_found_by_its_id_its_digest_and_the_beginning_of_its_id(engine):
    image = engine.docker.ImageInspect("busybox")
    digits = image.Id.removeprefix("sha256:")
    (digest,) = image.RepoDigests
    for name in (image.Id, digits, digits[:12], digits[:3], f"sha256:{digits[:12]}", digest):
        assert engine.docker.ImageInspect(name).Id == image.Id


def test_a_name_comes_before_the_beginning_of_an_id(engine):
    image = engine.docker.ImageInspect("busybox")
    other = engine.commit("other:1")
    digits = image.Id.removeprefix("sha256:")[:12]
    engine.docker.ImageTag("other:1", repo=digits, tag="latest")
    assert engine.docker.ImageInspect(digits).Id == other


def test_the_beginning_of_several_ids_is_nobodys_name(engine):
    ids = [engine.commit(f"many:{number}", files="") for number in range(17)]
    digits = [each.removeprefix("sha256:") for each in ids]
    shared = next(each[0] for each in digits if [one[0] for one in digits].count(each[0]) > 1)
    status, said = refusal(engine.docker.ImageInspect, shared)
    assert (status, said) == (404, f"No such image: {shared}:latest")


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("nope", 404, "No such image: nope:latest"),
        ("docker.io/library/nope", 404, "No such image: nope:latest"),
        ("localhost:5000/a/b:c", 404, "No such image: localhost:5000/a/b:c"),
        ("sha256:1234", 404, "No such image: sha256:1234"),
        ("0" * 64, 404, f"No such image: {A_DIGEST}"),
        (f"nope@{A_DIGEST}", 404, f"No such image: nope@{A_DIGEST}"),
        ("UP", 400, "invalid reference format: repository name (library/UP) must be lowercase"),
        (
            "docker.io/X",
            400,
            "invalid reference format: repository name (library/X) must be lowercase",
        ),
        (
            "localhost/X/y:t",
            400,
            "invalid reference format: repository name (X/y) must be lowercase",
        ),
        ("a b", 400, "invalid reference format"),
        ("a:b:c", 400, "invalid reference format"),
    ],
)
def test_what_is_said_of_images_that_are_not_there(engine, name, status, said):
    docker = engine.docker
    for ask in (docker.ImageInspect, docker.ImageHistory, docker.ImageDelete, engine.container):
        assert refusal(ask, name) == (status, said)


def test_a_tag_is_one_more_name_and_is_taken_from_who_had_it(engine):
    docker = engine.docker
    docker.ImageTag("busybox", repo="localhost:5000/mine")
    docker.ImageTag("busybox", repo="other/deep", tag="1")
    assert docker.ImageInspect("busybox").RepoTags == [
        *("busybox:latest", "other/deep:1", "localhost:5000/mine:latest")
    ]
    made = engine.commit("made:1")
    docker.ImageTag("made:1", repo="other/deep", tag="1")
    assert docker.ImageInspect("other/deep:1").Id == made
    assert "other/deep:1" not in docker.ImageInspect("busybox").RepoTags
    told = [event["Actor"]["Attributes"]["name"] for event in engine.events()]
    assert told == [
        *("localhost:5000/mine:latest", "other/deep:1", "made:1", "other/deep:1"),
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"repo": "UP"},
            "invalid reference format: repository name (library/UP) must be lowercase",
        ),
        ({"repo": "fine", "tag": "b!d"}, "invalid tag format"),
        ({"repo": f"fine@{A_DIGEST}"}, "cannot import digest reference"),
        (
            {"repo": "sha256", "tag": "0" * 63},
            "refusing to create an ambiguous tag using digest algorithm as name",
        ),
        (
            {"repo": "0" * 64},
            f"invalid repository name ({'0' * 64}), cannot specify 64-byte hexadecimal strings",
        ),
    ],
)
def test_names_that_no_image_can_have(engine, given, said):
    container = engine.container()
    docker = engine.docker
    assert refusal(docker.ImageTag, "busybox", **given) == (400, said)
    assert refusal(docker.ImageCommit, container=container, **given) == (400, said)
    assert refusal(docker.ImageCreate, fromSrc="-", inputImage=b"", **given) == (400, said)
    assert engine.tags() == ["busybox:latest"]


# Lists


@pytest.fixture
def family():
    """Busybox, three images that come from it one after another, and one without a name."""
    engine = Engine()
    engine.commit("a:1", changes=["LABEL kind=first place=x"])
    engine.commit("a:2", "a:1", changes=["LABEL kind=second"])
    engine.commit("localhost:5000/b:2", "a:2", changes=["LABEL kind=third"])
    engine.commit("", changes=["LABEL kind=nameless"])
    return engine


ALL = ["a:1", "a:2", "busybox:latest", "localhost:5000/b:2"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ALL),
        ({"reference": ["a"]}, ["a:1", "a:2"]),
        ({"reference": ["a:1", "busy*"]}, ["a:1", "busybox:latest"]),
        ({"reference": ["*:2"]}, ["a:2"]),
        ({"reference": ["*/*"]}, ["localhost:5000/b:2"]),
        ({"reference": ["**:2"]}, ["a:2"]),
        ({"reference": ["[ab]*"]}, ["a:1", "a:2", "busybox:latest"]),
        ({"reference": ["docker.io/library/busybox"]}, []),
        ({"dangling": ["false"]}, ALL),
        ({"dangling": ["true"]}, []),
        ({"label": ["kind"]}, ["a:1", "a:2", "localhost:5000/b:2"]),
        ({"label": ["kind=second"]}, ["a:2"]),
        ({"label": ["kind=third", "place=x"]}, ["localhost:5000/b:2"]),
        ({"label": ["kind=third", "place=y"]}, []),
        ({"since": ["a:1"]}, ["a:2", "localhost:5000/b:2"]),
        ({"before": ["a:2"]}, ["a:1", "busybox:latest"]),
        ({"before": ["a:2", "a:1"]}, ["busybox:latest"]),
        ({"since": ["busybox"], "before": ["a:2"]}, ["a:1"]),
        ({"until": ["1h"]}, ["busybox:latest"]),
        ({"until": ["2000-01-01"]}, []),
    ],
)
def test_filters_of_lists_mean_what_they_mean_to_docker(family, filters, expected):
    assert family.tags(filters=filters) == expected


def test_images_without_a_name_are_listed_if_nothing_was_made_from_them(family):
    docker = family.docker
    docker.ImageDelete("a:2")
    nameless = [image.Labels["kind"] for image in docker.ImageList() if not image.RepoTags]
    assert nameless == ["nameless"]
    shown = [image.Labels["kind"] for image in docker.ImageList(all=True) if not image.RepoTags]
    assert shown == ["nameless", "second"]
    dangling = docker.ImageList(filters={"dangling": ["true"]})
    assert [image.Labels["kind"] for image in dangling] == ["nameless"]


def test_a_list_begins_with_the_newest(family):
    made = [image.Created for image in family.docker.ImageList(all=True)]
    assert made == sorted(made, reverse=True)
    assert family.docker.ImageList()[-1].RepoTags == ["busybox:latest"]


def test_a_filter_of_names_shows_these_alone(engine):
    engine.docker.ImageTag("busybox", repo="other", tag="1")
    (shown,) = engine.docker.ImageList(filters={"reference": ["other"]})
    assert (shown.RepoTags, shown.RepoDigests) == (["other:1"], [])


def test_shared_sizes_are_counted_for_who_asks(engine):
    engine.commit("a:1")
    made, busybox = engine.docker.ImageList(**{"shared-size": True})
    assert made.SharedSize == busybox.SharedSize == busybox.Size
    assert made.Size - made.SharedSize == len("a:1\n")
    assert {image.SharedSize for image in engine.docker.ImageList()} == {-1}


@pytest.mark.parametrize(
    ("filters", "status", "said"),
    [
        ({"nope": ["x"]}, 400, "invalid filter 'nope'"),
        ({"label!": ["x"]}, 400, "invalid filter 'label!'"),
        ({"dangling": ["maybe"]}, 400, "invalid filter 'dangling=[maybe]'"),
        ({"dangling": ["true", "false"]}, 400, "invalid filter 'dangling=[false true]'"),
        ({"since": ["nope"]}, 404, "No such image: nope:latest"),
        ({"before": ["nope"]}, 404, "No such image: nope:latest"),
        ({"until": ["zz"]}, 500, 'failed to parse value as time or duration: "zz"'),
        ({"reference": ["[a"]}, 500, "syntax error in pattern"),
    ],
)
def test_filters_that_mean_nothing(engine, filters, status, said):
    assert refusal(engine.docker.ImageList, filters=filters) == (status, said)


# Removing


def test_a_name_goes_first_and_the_image_with_the_last(engine):
    docker = engine.docker
    made = engine.commit("a:1")
    docker.ImageTag("a:1", repo="b", tag="1")
    assert plain(docker.ImageDelete("a:1")) == [{"Untagged": "a:1"}]
    untagged, deleted, layer = docker.ImageDelete("b:1")
    assert (untagged, deleted) == ({"Untagged": "b:1"}, {"Deleted": made})
    assert layer.Deleted not in (made, None)
    told = [(event["Action"], event["Actor"]["ID"]) for event in engine.events()[2:]]
    assert told == [("untag", made), ("untag", made), ("delete", made)]


def test_an_image_with_several_names_is_removed_by_its_id_only_by_force(engine):
    docker = engine.docker
    made = engine.commit("a:1")
    docker.ImageTag("a:1", repo="b", tag="1")
    short = made[7:19]
    said = (
        f"conflict: unable to delete {short} (must be forced) - image is referenced in multiple"
        " repositories"
    )
    assert refusal(docker.ImageDelete, made) == refusal(docker.ImageDelete, short) == (409, said)
    lines = plain(docker.ImageDelete(made, force=True))
    assert lines[:3] == [{"Untagged": "a:1"}, {"Untagged": "b:1"}, {"Deleted": made}]


def test_several_tags_of_one_repository_are_several_names(engine):
    made = engine.commit("a:1")
    engine.docker.ImageTag("a:1", repo="a", tag="2")
    assert refusal(engine.docker.ImageDelete, made)[0] == 409
    assert engine.tags() == ["a:1", "a:2", "busybox:latest"]


def test_a_tag_and_a_digest_of_one_repository_go_together(engine):
    image = engine.docker.ImageInspect("busybox")
    gone = plain(engine.docker.ImageDelete(image.Id))
    assert gone[:3] == [
        {"Untagged": "busybox:latest"},
        {"Untagged": image.RepoDigests[0]},
        {"Deleted": image.Id},
    ]


def test_images_that_were_made_only_on_the_way_go_with_the_last_one(engine):
    docker = engine.docker
    ids = [engine.commit("a:1"), engine.commit("a:2", "a:1"), engine.commit("a:3", "a:2")]
    for name in ("a:1", "a:2"):
        assert plain(docker.ImageDelete(name)) == [{"Untagged": name}]
    gone = [line.Deleted for line in docker.ImageDelete("a:3") if "Deleted" in line]
    assert [each for each in gone if each in ids] == ids[::-1]
    assert engine.tags() == ["busybox:latest"]


def test_they_stay_for_who_asks_not_to_prune(engine):
    docker = engine.docker
    first = engine.commit("a:1")
    engine.commit("a:2", "a:1")
    docker.ImageDelete("a:1")
    docker.ImageDelete("a:2", noprune=True)
    assert docker.ImageInspect(first).RepoTags == []


def test_an_image_that_others_were_made_from_stays_even_by_force(engine):
    docker = engine.docker
    made = engine.commit("a:1")
    engine.commit("a:2", "a:1")
    said = (
        f"conflict: unable to delete {made[7:19]} (cannot be forced) - image has dependent child"
        " images"
    )
    assert refusal(docker.ImageDelete, made) == (409, said)
    assert refusal(docker.ImageDelete, made, force=True) == (409, said)
    assert plain(docker.ImageDelete("a:1", force=True)) == [{"Untagged": "a:1"}]
    assert docker.ImageInspect(made).RepoTags == []


def test_an_image_stays_while_a_container_uses_it_that_has_ended(engine):
    docker = engine.docker
    made = engine.commit("a:1")
    container = engine.container("a:1")
    by_name = (
        'conflict: unable to remove repository reference "a:1" (must force) - container'
        f" {container[:12]} is using its referenced image {made[7:19]}"
    )
    by_id = (
        f"conflict: unable to delete {made[7:19]} (must be forced) - image is being used by stopped"
        f" container {container[:12]}"
    )
    assert refusal(docker.ImageDelete, "a:1") == (409, by_name)
    assert refusal(docker.ImageDelete, made) == (409, by_id)
    assert plain(docker.ImageDelete("a:1", force=True)) == [{"Untagged": "a:1"}, {"Deleted": made}]
    docker.ContainerStart(container)
    assert docker.ContainerInspect(container).Image == made


def test_an_image_stays_while_a_container_runs_it(engine):
    docker = engine.docker
    made = engine.commit("a:1")
    container = engine.container("a:1", starts=True)
    said = (
        f"conflict: unable to delete {made[7:19]} (cannot be forced) - image is being used by"
        f" running container {container[:12]}"
    )
    assert refusal(docker.ImageDelete, made, force=True) == (409, said)
    assert plain(docker.ImageDelete("a:1", force=True)) == [{"Untagged": "a:1"}]
    assert docker.ImageInspect(made).Id == made


def test_an_image_stays_while_a_container_waits_for_its_next_start(engine):
    made = engine.commit("a:1")
    restarts = {"RestartPolicy": {"Name": "always"}}
    container = engine.container("a:1", starts=True, Cmd=["false"], HostConfig=restarts)
    assert engine.docker.ContainerInspect(container).State.Status == "restarting"
    status, said = refusal(engine.docker.ImageDelete, made, force=True)
    assert (status, "is being used by running container" in said) == (409, True)


def test_one_of_several_names_of_an_image_in_use_goes(engine):
    engine.docker.ImageTag("busybox", repo="other", tag="1")
    engine.container("busybox", starts=True)
    assert plain(engine.docker.ImageDelete("other:1")) == [{"Untagged": "other:1"}]


def test_a_prune_takes_what_has_no_name(family):
    docker = family.docker
    (nameless,) = docker.ImageList(filters={"dangling": ["true"]})
    pruned = docker.ImagePrune()
    assert nameless.Id in [line.Deleted for line in pruned.ImagesDeleted]
    assert pruned.SpaceReclaimed == len("\n")
    assert family.tags() == ALL
    assert family.events()[-1]["Actor"] == {"ID": "", "Attributes": {"reclaimed": "1"}}
    assert docker.ImagePrune() == {"ImagesDeleted": None, "SpaceReclaimed": 0}


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ({}, ["a:1"]),
        ({"label": ["kind=third"]}, ["a:1", "a:2", "busybox:latest"]),
        ({"label!": ["kind"]}, ["a:1", "a:2", "localhost:5000/b:2"]),
        ({"until": ["1h"]}, ["a:1", "a:2", "localhost:5000/b:2"]),
        ({"until": ["2000-01-01"]}, ALL),
    ],
)
def test_a_prune_of_all_takes_what_no_container_uses(family, filters, left):
    family.container("a:1")
    family.docker.ImagePrune(filters={"dangling": ["false"], **filters})
    assert family.tags() == left


@pytest.mark.parametrize(
    ("filters", "status", "said"),
    [
        ({"reference": ["x"]}, 400, "invalid filter 'reference'"),
        ({"dangling": ["x"]}, 400, "invalid filter 'dangling=[x]'"),
        ({"until": ["x"]}, 500, 'failed to parse value as time or duration: "x"'),
        ({"until": ["1h", "2h"]}, 500, "more than one until filter specified"),
    ],
)
def test_filters_that_a_prune_does_not_take(engine, filters, status, said):
    assert refusal(engine.docker.ImagePrune, filters=filters) == (status, said)


# Pulling


def test_a_pull_of_what_is_there_says_so(engine):
    image = engine.docker.ImageInspect("busybox")
    digest = image.RepoDigests[0].partition("@")[2]
    for name in ("busybox", "docker.io/library/busybox"):
        assert engine.pull(name, tag="latest") == [
            {"status": "Pulling from library/busybox", "id": "latest"},
            {"status": f"Digest: {digest}"},
            {"status": "Status: Image is up to date for busybox:latest"},
        ]
    told = engine.events()[-1]
    assert (told["Action"], told["Actor"]["ID"]) == ("pull", "busybox:latest")
    assert told["Actor"]["Attributes"]["name"] == "busybox"


def test_a_pull_of_what_a_user_seeded_brings_it_layer_by_layer(engine):
    engine.seed("localhost:5000/app:2", files={"/big": "x" * 5000}, pullable=True)
    assert engine.tags() == ["busybox:latest"]
    base, *values = engine.pull("localhost:5000/app", tag="2")[1:]
    assert base["status"] == "Already exists"
    assert [value["status"] for value in values] == [
        "Pulling fs layer",
        "Downloading",
        "Verifying Checksum",
        "Download complete",
        "Extracting",
        "Pull complete",
        f"Digest: {engine.docker.ImageInspect('localhost:5000/app:2').RepoDigests[0][-71:]}",
        "Status: Downloaded newer image for localhost:5000/app:2",
    ]
    assert values[1]["progressDetail"] == {"current": 5000, "total": 5000}
    assert len({value["id"] for value in values[:6]} | {base["id"]}) == 2
    image = engine.docker.ImageInspect("localhost:5000/app:2")
    assert image.Size - engine.docker.ImageInspect("busybox").Size == 5000
    files = engine.state.containers.find(engine.container("localhost:5000/app:2")).files
    assert files.stat("/big").size == 5000


def test_what_was_removed_can_be_pulled_again(engine):
    image = engine.docker.ImageInspect("busybox")
    engine.docker.ImageDelete("busybox")
    assert engine.tags() == []
    engine.pull("busybox", tag="latest")
    again = engine.docker.ImageInspect("busybox")
    assert (again.Id, again.RepoDigests) == (image.Id, image.RepoDigests)


def test_a_pull_by_digest_gives_no_tag(engine):
    engine.seed("app:1", pullable=True)
    (digest,) = [value for value in engine.pull("app", tag="1") if "Digest" in value["status"]]
    name = f"app@{digest['status'].removeprefix('Digest: ')}"
    engine.docker.ImageDelete("app:1")
    for wanted, tag in ((name, {}), ("app", {"tag": name.partition("@")[2]})):
        values = engine.pull(wanted, **tag)
        assert values[0] == {"status": "Pulling from library/app", "id": name}
        image = engine.docker.ImageInspect(name)
        assert (image.RepoTags, image.RepoDigests) == ([], [name])


def test_a_pull_without_a_tag_brings_all(engine):
    for tag in ("1", "2"):
        engine.seed(f"app:{tag}", files={"/tag": tag}, pullable=True)
    values = engine.pull("app")
    assert [value["id"] for value in values if "Pulling from" in value["status"]] == ["1", "2"]
    assert values[-1] == {"status": "Status: Downloaded newer image for app"}
    assert engine.tags() == ["app:1", "app:2", "busybox:latest"]
    engine.docker.ImageDelete("app:1")
    again = [value["status"] for value in engine.pull("app")]
    assert again.count("Pull complete") == 1
    assert again[-1] == "Status: Downloaded newer image for app"


def test_a_pull_of_what_is_there_changes_nothing(engine):
    before = engine.docker.ImageInspect("busybox")
    engine.pull("busybox", tag="latest")
    assert engine.docker.ImageInspect("busybox") == before


def test_a_pull_takes_a_name_back_from_another_image(engine):
    image = engine.docker.ImageInspect("busybox")
    other = engine.commit("busybox:latest")
    assert engine.docker.ImageInspect("busybox").Id == other
    values = engine.pull("busybox", tag="latest")
    assert values[-1] == {"status": "Status: Downloaded newer image for busybox:latest"}
    assert engine.docker.ImageInspect("busybox").Id == image.Id


@pytest.mark.parametrize(
    ("name", "tag", "status", "said"),
    [
        ("nope", "latest", 404, NO_HUB_IMAGE.format("nope")),
        ("docker.io/a/nope", "1", 404, NO_HUB_IMAGE.format("a/nope")),
        ("nope", None, 404, NO_HUB_IMAGE.format("nope")),
        (
            "busybox",
            "nope",
            404,
            "manifest for busybox:nope not found: manifest unknown: manifest unknown",
        ),
        (
            "localhost:5000/a",
            "1",
            404,
            "manifest for localhost:5000/a:1 not found: manifest unknown: manifest unknown",
        ),
        (
            "localhost:5000/a",
            None,
            404,
            (
                "repository localhost:5000/a not found: name unknown: repository name not known to"
                " registry"
            ),
        ),
        (
            "UP",
            "1",
            400,
            "invalid reference format: repository name (library/UP) must be lowercase",
        ),
        ("busybox", "b!d", 400, "invalid tag format"),
    ],
)
def test_pulls_of_what_no_registry_has(engine, name, tag, status, said):
    given = {} if tag is None else {"tag": tag}
    assert refusal(engine.docker.ImageCreate, fromImage=name, **given) == (status, said)


# Seeding


def test_an_image_is_seeded_with_files_and_a_configuration(engine):
    engine.seed(
        "app",
        files={"/etc/app/conf": "fine", "/srv/run": "#!/bin/sh\necho run\n", "/empty/": ""},
        config={"Entrypoint": ["/srv/run"], "Env": ["A=1"], "Labels": {"a": "b"}, "User": "nobody"},
    )
    config = engine.docker.ImageInspect("app").Config
    assert (config.Entrypoint, config.Env, config.User) == (["/srv/run"], ["A=1"], "nobody")
    container = engine.docker.ContainerInspect(engine.container("app", Cmd=None))
    assert (container.Path, container.Config.Labels) == ("/srv/run", {"a": "b"})
    files = engine.state.containers.find(container.Id).files
    assert files.read("/etc/app/conf") == b"fine"
    assert files.stat("/srv/run").mode == 0o755
    assert files.stat("/etc/app/conf").mode == 0o644
    assert files.names("/empty") == []
    assert files.exists("/bin/sh")


def test_an_image_can_be_seeded_without_a_base(engine):
    engine.seed("bare:1", base=None, files={"/only": "this"}, config={"Cmd": ["/only"]})
    files = engine.state.containers.find(engine.container("bare:1")).files
    assert files.read("/only") == b"this"
    assert not files.exists("/bin")
    assert len(engine.docker.ImageInspect("bare:1").RootFS.Layers) == 1


def test_what_cannot_be_seeded(engine):
    with pytest.raises(ValueError, match="expected absolute paths, got 'x/y'"):
        engine.seed("app", files={"x/y": ""})
    with pytest.raises(IsADirectoryError):
        engine.seed("app", files={"/bin": ""})
    for name, base in (("UP", "busybox"), ("app", "nope")):
        with pytest.raises(Refused):
            engine.seed(name, base=base)
    assert engine.tags() == ["busybox:latest"]


def test_a_seeded_image_takes_a_name_that_is_taken(engine):
    first = engine.seed("app:1")
    second = engine.seed("app:1", files={"/new": ""})
    assert engine.docker.ImageInspect("app:1").Id == second.id != first.id


# What becomes an image: a container, an archive


def test_a_commit_freezes_files_as_one_more_layer(engine):
    docker = engine.docker
    container = engine.container(starts=True)
    files = engine.state.containers.find(container).files
    with engine.state.lock:
        files.write("/kept", b"then")
    made = docker.ImageCommit(container=container, repo="a", tag="1", comment="why", author="me").Id
    with engine.state.lock:
        files.write("/kept", b"changed since")
    image = docker.ImageInspect("a:1")
    assert (image.Id, image.Parent) == (made, docker.ImageInspect("busybox").Id)
    assert (image.Comment, image.Author) == ("why", "me")
    assert image.Size - docker.ImageInspect("busybox").Size == len("then")
    assert image.RootFS.Layers[:-1] == docker.ImageInspect("busybox").RootFS.Layers
    assert engine.state.containers.find(engine.container("a:1")).files.read("/kept") == b"then"
    newest, parent, *_ = docker.ImageHistory("a:1")
    assert (newest.Id, newest.Tags, newest.Size) == (made, ["a:1"], len("then"))
    assert (newest.CreatedBy, newest.Comment) == ("sleep 1000", "why")
    assert (parent.Id, parent.Tags) == (image.Parent, ["busybox:latest"])


def test_a_commit_of_nothing_changed_has_no_layer_of_its_own(engine):
    made = engine.docker.ImageInspect(engine.commit("a:1", files=""))
    assert made.RootFS == engine.docker.ImageInspect("busybox").RootFS
    assert engine.docker.ImageHistory("a:1")[0].Size == 0


def test_a_running_container_is_paused_while_it_is_committed(engine):
    container = engine.container(name="one", starts=True)
    made = engine.docker.ImageCommit(container="one", repo="a", tag="1", comment="why").Id
    everything = engine.events() + engine.events("container")
    told = [each for each in everything if each["Action"] not in ("create", "start", "attach")]
    told.sort(key=lambda event: event["timeNano"])
    assert [event["Action"] for event in told] == ["pause", "tag", "commit", "unpause"]
    assert told[2]["Actor"]["ID"] == container
    assert told[2]["Actor"]["Attributes"] == {
        "comment": "why",
        "image": "busybox",
        "imageID": made,
        "imageRef": "a:1",
        "name": "one",
    }
    engine.docker.ImageCommit(container="one", pause=False)
    assert engine.docker.ContainerInspect("one").State.Status == "running"
    assert [event["Action"] for event in engine.events("container")].count("pause") == 1


def test_a_commit_takes_a_configuration_over_where_it_has_none_itself(engine):
    container = engine.container(
        Env=["A=1", "B=2"], Labels={"a": "1"}, ExposedPorts={"80/tcp": {}}, WorkingDir="/tmp"
    )
    own = {"Env": ["B=3"], "Labels": {"b": "2"}, "Cmd": ["x"], "User": "nobody"}
    made = engine.docker.ImageCommit(container=container, body=own).Id
    config = engine.docker.ImageInspect(made).Config
    assert config.Env == ["B=3", "A=1"]
    assert config.Labels == {"a": "1", "b": "2"}
    assert (config.Cmd, config.User, config.WorkingDir) == (["x"], "nobody", "/tmp")
    assert [*config.ExposedPorts] == ["80/tcp"]


def test_an_entrypoint_of_its_own_makes_the_command_of_below_void(engine):
    container = engine.container(Cmd=["sleep", "1000"])
    made = engine.docker.ImageCommit(container=container, changes=['ENTRYPOINT ["e"]']).Id
    config = engine.docker.ImageInspect(made).Config
    assert (config.Entrypoint, config.Cmd) == (["e"], None)


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        (["CMD sleep 5"], "Cmd", ["/bin/sh", "-c", "sleep 5"]),
        (['CMD ["sleep", "5"]'], "Cmd", ["sleep", "5"]),
        (["CMD"], "Cmd", ["/bin/sh", "-c"]),
        (["cmd x \\\n y"], "Cmd", ["/bin/sh", "-c", "x  y"]),
        (['ENTRYPOINT ["e"]'], "Entrypoint", ["e"]),
        (['ENTRYPOINT ["e"]'], "Cmd", None),
        (["CMD c", 'ENTRYPOINT ["e"]'], "Cmd", ["/bin/sh", "-c", "c"]),
        (["ENV A=1 B='two words' C=\"x y\""], "Env", ["A=1", "B=two words", "C=x y"]),
        (["ENV A some words"], "Env", ["A=some words"]),
        (["ENV A=1\nENV A=2 B=$A"], "Env", ["A=2", "B=1"]),
        (
            ["ENV A=1", 'ENV B=\'$A\' C=\\$A D="${A}\\"" E=${X:-e}'],
            "Env",
            ["A=1", "B=$A", "C=$A", 'D=1"', "E=e"],
        ),
        (["LABEL a=b 'c d'=e"], "Labels", {"a": "b", "c d": "e"}),
        (["EXPOSE 80 90-91/udp"], "ExposedPorts", {"80/tcp": {}, "90/udp": {}, "91/udp": {}}),
        (["VOLUME /a /b"], "Volumes", {"/a": {}, "/b": {}}),
        (['VOLUME ["/a b"]'], "Volumes", {"/a b": {}}),
        (["WORKDIR /a", "WORKDIR b/../c"], "WorkingDir", "/a/c"),
        (["USER me:us"], "User", "me:us"),
        (["STOPSIGNAL 9"], "StopSignal", "9"),
        (["ONBUILD RUN x", "ONBUILD RUN y"], "OnBuild", ["RUN x", "RUN y"]),
        (["HEALTHCHECK NONE"], "Healthcheck", {"Test": ["NONE"]}),
        (
            ["HEALTHCHECK --interval=5s --retries=3 CMD echo hi"],
            "Healthcheck",
            {"Interval": 5 * 10**9, "Retries": 3, "Test": ["CMD-SHELL", "echo hi"]},
        ),
        (['HEALTHCHECK CMD ["a", "b"]'], "Healthcheck", {"Test": ["CMD", "a", "b"]}),
        (["# a comment", "", "USER x"], "User", "x"),
    ],
)
def test_instructions_change_the_configuration(engine, changes, field, expected):
    with engine.docker.ImageCreate(
        fromSrc="-", repo="a", tag="1", changes=changes, inputImage=tar_of(x="")
    ) as progress:
        list(progress)
    assert plain(engine.docker.ImageInspect("a:1").Config)[field] == expected


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("RUN x", "RUN is not a valid change command"),
        ("FOO x", "FOO is not a valid change command"),
        ("", "file with no instructions"),
        ("# only", "file with no instructions"),
        ("ENV", "ENV requires at least one argument"),
        ("ENV X", "ENV must have two arguments"),
        ("LABEL X", "LABEL must have two arguments"),
        ("ENV a=1 b", 'Syntax error - can\'t find = in "b". Must be of the form: name=value'),
        (
            "ENV A='x",
            (
                'failed to process "\'x": unexpected end of statement while looking for matching'
                " single-quote"
            ),
        ),
        ("CMD [1]", "when using JSON array syntax, arrays must be comprised of strings only"),
        ("EXPOSE a", "Invalid containerPort: a"),
        ("EXPOSE 5-3", "Invalid containerPort: 5-3"),
        ("EXPOSE 80/foo", "Invalid proto: foo"),
        ("STOPSIGNAL", "STOPSIGNAL requires exactly one argument"),
        ("HEALTHCHECK FOO", 'Unknown type "FOO" in HEALTHCHECK (try CMD)'),
        ("HEALTHCHECK --foo=1 CMD x", "unknown flag: foo"),
        ("HEALTHCHECK --interval=zz CMD x", 'time: invalid duration "zz"'),
    ],
)
def test_instructions_that_change_nothing(engine, change, said):
    container = engine.container()
    assert refusal(engine.docker.ImageCommit, container=container, changes=[change]) == (400, said)
    assert len(engine.docker.ImageList(all=True)) == 1


@given(st.lists(st.text(max_size=30), max_size=3), st.sampled_from(["ENV", "LABEL", "EXPOSE", ""]))
def test_whatever_is_written_there_is_taken_or_refused(changes, name):
    assert status_of_import([f"{name} {each}" for each in changes]) in (200, 400)


def status_of_import(changes):
    call = SHARED.docker.ImageCreate
    try:
        with call(fromSrc="-", changes=changes, inputImage=tar_of(x="")) as progress:
            (value,) = progress
    except APIError as error:
        return error.status
    SHARED.docker.ImageDelete(value.status)
    return 200


SHARED = Engine(MAIN)


def test_an_archive_becomes_an_image_of_one_layer(engine):
    docker = engine.docker
    with docker.ImageCreate(
        fromSrc="-", repo="a", tag="1", message="why", inputImage=tar_of(x="hello")
    ) as progress:
        (value,) = progress
    image = docker.ImageInspect("a:1")
    assert value.status == image.Id
    assert (image.Comment, image.Size, image.Parent) == ("why", len("hello"), "")
    files = engine.state.containers.find(engine.container("a:1")).files
    assert files.read("/x") == b"hello"
    told = [(event["Action"], event["Actor"]["Attributes"]["name"]) for event in engine.events()]
    assert told == [("tag", "a:1"), ("import", image.Id)]


def test_what_is_no_archive_becomes_no_image(engine):
    call = engine.docker.ImageCreate
    assert refusal(call, fromSrc="-", repo="a", inputImage=b"no archive at all") == (
        500,
        "unexpected EOF",
    )
    assert engine.tags() == ["busybox:latest"]


def test_a_commit_of_no_container(engine):
    call = engine.docker.ImageCommit
    assert refusal(call, container="nope") == (404, "No such container: nope")
    assert refusal(call) == (400, 'invalid name or ID supplied: ""')


def test_what_is_not_simulated_says_so():
    docker = Engine(NEWEST).docker
    assert refusal(docker.ImageGet, "busybox")[0] == 501
