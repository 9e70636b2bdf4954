"""Images, the builder's cache, and what a registry says of an image."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dynadock import NotFound
from engine.things import IMAGE, LABEL, LABELS, MINE, PREFIX, known, new_name, tar_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynadock import Client
    from engine.answers import Expected

    NewContainer = Callable[..., str]


@pytest.fixture
def tagged(client: Client, image: str) -> str:
    """One more name of the common image, the test's own."""
    repository = new_name("image")
    assert client.ImageTag(image, repo=repository, tag="one") is None
    return f"{repository}:one"


@pytest.fixture
def committed(client: Client, new_container: NewContainer) -> str:
    """The id of a nameless image of the test's own."""
    container = new_container()
    made = client.ImageCommit(container=container, changes=[f"LABEL {LABEL}={LABELS[LABEL]}"])
    return made.Id


@pytest.fixture(scope="module")
def pushed(client: Client, image: str, registry: str) -> str:
    """The common image's name in the registry."""
    repository, tag = f"{registry}/{PREFIX}", new_name("tag")
    client.ImageTag(image, repo=repository, tag=tag)
    client.ImagePush(repository, tag=tag, X_Registry_Auth={}).wait()
    return f"{repository}:{tag}"


def test_list(client: Client, tagged: str) -> None:
    found = client.ImageList(filters={"reference": tagged})
    assert len(found) == 1
    assert any(tagged in tag for tag in found[0].RepoTags)
    assert client.ImageList(filters={"reference": new_name("nothing")}) == []


def test_list_with_digests(client: Client, expected: Expected, tagged: str) -> None:
    ids = [client.ImageInspect(tagged).Id]
    found = client.ImageList(all=True, digests=True, filters={"reference": tagged})
    came = None if found is None else [image.Id for image in found]
    assert came == expected.value("ImageList: ids, with digests", ids)


def test_inspect(client: Client, image: str) -> None:
    seen = client.ImageInspect(image)
    assert seen.Id.startswith("sha256:")
    assert any(IMAGE in tag for tag in seen.RepoTags)
    assert seen.Os == "linux"


def test_history(client: Client, image: str) -> None:
    history = client.ImageHistory(image)
    assert len(history) >= 1
    assert sum(layer.Size for layer in history) > 0


def test_tag_and_delete(client: Client, tagged: str) -> None:
    deleted = client.ImageDelete(tagged)
    assert any(tagged in each.get("Untagged", "") for each in deleted)
    with pytest.raises(NotFound) as caught:
        client.ImageInspect(tagged)
    assert "no such image" in caught.value.explanation.lower()


def test_commit(client: Client, new_container: NewContainer) -> None:
    repository = new_name("commit")
    made = client.ImageCommit(
        container=new_container(),
        repo=repository,
        tag="two",
        comment="as it was",
        author="the tests",
        changes=["ENV COLOUR=red", 'CMD ["true"]'],
    )
    seen = client.ImageInspect(f"{repository}:two")
    assert seen.Id.removeprefix("sha256:") == made.Id.removeprefix("sha256:")
    assert seen.Author == "the tests"
    assert "COLOUR=red" in seen.Config.Env
    assert seen.Config.Cmd == ["true"]


def test_prune(client: Client, committed: str) -> None:
    pruned = client.ImagePrune(filters={**MINE, "dangling": True})
    digest = committed.removeprefix("sha256:")
    assert any(digest in each.get("Deleted", "") for each in pruned.ImagesDeleted)


def test_search(client: Client, expected: Expected, registry: str, pushed: str) -> None:
    with expected("ImageSearch"):
        found = client.ImageSearch(term=f"{registry}/{PREFIX}", limit=5)
        key = expected.value("ImageSearch: key of the name", "name")
        assert pushed.rpartition(":")[0] in {each[key] for each in found}


def test_distribution(client: Client, expected: Expected, pushed: str) -> None:
    with expected("DistributionInspect"):
        seen = client.DistributionInspect(pushed)
        assert seen.Descriptor.digest.startswith("sha256:")
        assert {platform.os for platform in seen.Platforms} == {"linux"}


def test_distribution_of_what_is_not_there(client: Client, registry: str) -> None:
    with pytest.raises(NotFound):
        client.DistributionInspect(f"{registry}/{new_name('nothing')}:one")


def test_build_prune(client: Client, expected: Expected) -> None:
    with expected("BuildPrune"):
        # Of the user's own cache nothing is to go, and none of it is ten years old. Engines take
        # filters before the documents have them.
        old = {"until": ["87600h"]}
        filters = known(client.BuildPrune, filters=old) or {"filters": json.dumps(old)}
        assert client.with_options(unknown="send").BuildPrune(**filters).SpaceReclaimed == 0


def test_build(client: Client, image: str) -> None:
    name = new_name("build")
    context = tar_of(
        {
            "Dockerfile": f"FROM {image}\nARG COLOUR\nENV COLOUR=$COLOUR\nCOPY a /a\n".encode(),
            "a": b"x",
        }
    )
    made = client.ImageBuild(
        inputStream=context,
        t=[f"{name}:one", f"{name}:two"],
        buildargs={"COLOUR": "red"},
        labels=LABELS,
    ).wait()
    assert {client.ImageInspect(f"{name}:{tag}").Id for tag in ("one", "two")} == {made.ID}
    assert "COLOUR=red" in client.ImageInspect(f"{name}:two").Config.Env
