"""What takes its time and says how far it is: pull, push, build, load and import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from dynadock import NotFound, ServerError, StreamError, UnreadStreamWarning
from engine.engines import STREAM_VERSIONS
from engine.things import LABEL, LABELS, PREFIX, new_name, tar_of
from engine.tidy import MANIFESTS
from terminal import ESCAPE, terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dynadock import Client
    from engine.answers import Expected

    Build = Callable[..., Any]
    NewContainer = Callable[..., str]

pytestmark = pytest.mark.at(*STREAM_VERSIONS)


@pytest.fixture(scope="module")
def repository(registry: str) -> str:
    """The name of the run's own repository in the registry."""
    return f"{registry}/{PREFIX}"


@pytest.fixture
def tag(client: Client, image: str, repository: str) -> str:
    """A tag that the common image has in that repository's name, and the registry not."""
    tag = new_name("tag")
    client.ImageTag(image, repo=repository, tag=tag)
    return tag


@pytest.fixture
def pushed(client: Client, repository: str, tag: str) -> str:
    """The name of an image that the registry has, and the engine no more."""
    client.ImagePush(repository, tag=tag, X_Registry_Auth={}).wait()
    client.ImageDelete(f"{repository}:{tag}")
    return f"{repository}:{tag}"


def ask_registry(method: str, name: str, what: str) -> requests.Response:
    """Ask the registry for something of a repository: a manifest or a blob."""
    address, _, repository = name.partition("/")
    reply = requests.request(
        method,
        f"http://{address}/v2/{repository}/{what}",
        headers={"Accept": ", ".join(MANIFESTS)},
        timeout=30,
    )
    reply.raise_for_status()
    return reply


def digest_in_registry(name: str) -> str:
    repository, _, tag = name.rpartition(":")
    reply = ask_registry("HEAD", repository, f"manifests/{tag}")
    return reply.headers["Docker-Content-Digest"]


def test_push(client: Client, repository: str, tag: str) -> None:
    made = client.ImagePush(repository, tag=tag, X_Registry_Auth={}).wait()
    assert made.Digest == digest_in_registry(f"{repository}:{tag}")


def test_push_step_by_step(client: Client, repository: str, tag: str) -> None:
    with client.ImagePush(repository, tag=tag, X_Registry_Auth={}) as steps:
        said = [step.status for step in steps if "status" in step]
    assert repository in said[0]
    assert digest_in_registry(f"{repository}:{tag}") in said[-1]


def test_push_of_what_is_not_there(
    client: Client, expected: Expected, image: str, repository: str
) -> None:
    tag = new_name("tag")
    with expected("ImagePush: of a tag that is not there"):
        steps = client.ImagePush(repository, tag=tag, X_Registry_Auth={})
        with pytest.raises(StreamError) as caught:
            list(steps)
        assert (caught.value.status, caught.value.operation_id) == (200, "ImagePush")
        assert tag in caught.value.explanation
        assert tag in caught.value.value.errorDetail.message
        with pytest.raises(StreamError):
            next(steps)


def test_pull(client: Client, expected: Expected, image: str, pushed: str) -> None:
    digest = digest_in_registry(pushed)
    made = client.ImageCreate(fromImage=pushed).wait()
    usual = ["Digest", digest]
    key, value = expected.value("ImageCreate: key and value of what was pulled", usual)
    assert made[key] == value
    assert client.ImageInspect(pushed).Os == "linux"


def test_pull_step_by_step(client: Client, pushed: str) -> None:
    repository, _, tag = pushed.rpartition(":")
    with client.ImageCreate(fromImage=repository, tag=tag) as steps:
        said = [step.status for step in steps]
    assert len(said) >= 2
    assert client.ImageInspect(pushed).Os == "linux"


def test_pull_of_what_is_not_there(client: Client, expected: Expected, repository: str) -> None:
    name = f"{repository}:{new_name('tag')}"
    with (
        expected("ImageCreate: of what the registry does not have"),
        pytest.raises(NotFound, match="manifest unknown"),
    ):
        client.ImageCreate(fromImage=name).wait()
    with pytest.raises(NotFound):
        client.ImageInspect(name)


def test_pull_that_fails_on_its_way(
    client: Client, expected: Expected, repository: str, new_container: NewContainer
) -> None:
    tag = new_name("tag")
    # Its label makes it unlike any other.
    changes = [f"LABEL {LABEL}={tag}"]
    client.ImageCommit(container=new_container(), repo=repository, tag=tag, changes=changes)
    client.ImagePush(repository, tag=tag, X_Registry_Auth={}).wait()
    client.ImageDelete(f"{repository}:{tag}")
    manifest = ask_registry("GET", repository, f"manifests/{tag}").json()
    ask_registry("DELETE", repository, f"blobs/{manifest['config']['digest']}")
    with expected("ImageCreate: of what lacks a part"):
        with pytest.raises(StreamError) as caught:
            client.ImageCreate(fromImage=repository, tag=tag).wait()
        assert (caught.value.status, caught.value.operation_id) == (200, "ImageCreate")
        assert "image configuration" in caught.value.explanation
    with pytest.raises(NotFound):
        client.ImageInspect(f"{repository}:{tag}")


def test_pull_that_is_dropped(client: Client, pushed: str) -> None:
    with pytest.warns(UnreadStreamWarning, match=r"ImageCreate .*dropped.*\.wait\(\)"):
        client.ImageCreate(fromImage=pushed)
    with (
        pytest.warns(UnreadStreamWarning, match=r"ImageCreate .*closed.*\.wait\(\)"),
        client.ImageCreate(fromImage=pushed),
    ):
        pass
    assert client.ImageCreate(fromImage=pushed).wait()


@pytest.fixture(scope="module")
def build(client: Client, image: str) -> Build:
    """Build an image of lines behind FROM."""

    def start(*lines: str, **arguments: Any) -> Any:
        dockerfile = "\n".join([f"FROM {image}", *lines])
        context = tar_of({"Dockerfile": dockerfile.encode(), "notes.txt": b"twelve bytes"})
        defaults = {"labels": LABELS, "forcerm": True, "nocache": True}
        return client.ImageBuild(inputStream=context, **{**defaults, **arguments})

    return start


def test_build(client: Client, build: Build) -> None:
    name = f"{new_name('build')}:one"
    made = build("COPY notes.txt /", "ENV COLOUR=red", t=name).wait()
    seen = client.ImageInspect(name)
    assert seen.Id == made.ID
    assert "COLOUR=red" in seen.Config.Env


def test_build_step_by_step(client: Client, build: Build) -> None:
    with build("RUN echo hello from inside") as steps:
        said = "".join(step.get("stream", "") for step in steps)
    assert "hello from inside\n" in said
    assert "Successfully built" in said


def test_build_shown_on_a_terminal(client: Client, build: Build) -> None:
    with terminal() as shown:
        made = build("RUN echo hello from inside").show(shown.file)
    assert client.ImageInspect(made.ID).Id == made.ID
    assert "hello from inside\n" in ESCAPE.sub("", shown.text)


def test_pull_and_push_shown_on_a_terminal(
    client: Client, repository: str, tag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with terminal() as shown:
        pushed = client.ImagePush(repository, tag=tag, X_Registry_Auth={}).show(shown.file)
    assert pushed.Digest in ESCAPE.sub("", shown.text).replace("\n", "")
    client.ImageDelete(f"{repository}:{tag}")
    with terminal() as shown:
        made = client.ImageCreate(fromImage=repository, tag=tag).show(shown.file)
    assert client.ImageInspect(f"{repository}:{tag}")
    assert made
    assert ESCAPE.sub("", shown.text).strip()
    client.ImageCreate(fromImage=repository, tag=tag).show()
    assert capsys.readouterr() == ("", "")


def test_quiet_build(client: Client, build: Build) -> None:
    made = build("ENV COLOUR=red", q=True).wait()
    assert "COLOUR=red" in client.ImageInspect(made.ID).Config.Env


def test_build_that_fails(client: Client, expected: Expected, build: Build) -> None:
    said = []
    with pytest.raises(StreamError) as caught:
        said.extend(step.get("stream", "") for step in build("RUN echo oh dear; exit 7"))
    assert "oh dear\n" in said
    error = caught.value
    assert (error.status, error.operation_id) == (200, "ImageBuild")
    assert error.explanation.rstrip().endswith("7")
    came = (error.value.get("errorDetail") or {}).get("code")
    assert came == expected.value("ImageBuild: code of a command that failed", 7)


def test_build_that_fails_raises_from_wait(build: Build) -> None:
    with pytest.raises(StreamError, match=r"nothing\.txt|no such file"):
        build("COPY nothing.txt /").wait()


def files_in_image(client: Client, new_container: NewContainer, name: str) -> set[str]:
    """Return what the build has copied to /context."""
    container = new_container(Image=name)
    found = client.ContainerArchive(container, path="/context").members()
    return {member.name.removeprefix("context/") for member, file in found if file is not None}


@pytest.fixture
def folder(image: str, tmp_path: Path) -> Path:
    """A folder to build from, whose .dockerignore leaves most of it out."""
    files = {
        "Dockerfile": f"FROM {image}\nCOPY . /context/\n",
        ".dockerignore": "# what is not to be sent\n**/*.log\n!deep/keep.log\nsecret\n",
        "notes.txt": "hello",
        "some.log": "no",
        "deep/some.log": "no",
        "deep/keep.log": "yes",
        "secret/key": "no",
    }
    for name, text in files.items():
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "folder"


def test_build_from_a_folder(client: Client, new_container: NewContainer, folder: Path) -> None:
    name = f"{new_name('build')}:one"
    made = client.ImageBuild(inputStream=folder, t=name, labels=LABELS).wait()
    assert client.ImageInspect(name).Id == made.ID
    came = files_in_image(client, new_container, name)
    assert came == {".dockerignore", "Dockerfile", "notes.txt", "deep/keep.log"}


def test_build_with_a_dockerfile_from_elsewhere(
    client: Client, new_container: NewContainer, image: str, folder: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "Other"
    elsewhere.write_text(f"FROM {image}\nCOPY deep notes.txt /context/\n", encoding="utf-8")
    name = f"{new_name('build')}:one"
    client.ImageBuild(inputStream=folder, dockerfile=str(elsewhere), t=name, labels=LABELS).wait()
    assert files_in_image(client, new_container, name) == {"keep.log", "notes.txt"}


def test_build_with_ignore_rules_of_its_own(
    client: Client, new_container: NewContainer, folder: Path
) -> None:
    own_rules = folder / "Dockerfile.dockerignore"
    own_rules.write_text("*\n!some.log\n", encoding="utf-8")
    name = f"{new_name('build')}:one"
    client.ImageBuild(inputStream=folder, t=name, labels=LABELS).wait()
    assert files_in_image(client, new_container, name) == {"some.log"}


def test_build_of_nonsense(client: Client) -> None:
    with pytest.raises(ServerError):
        client.ImageBuild(inputStream=b"this is no archive")


def test_save_and_load(client: Client, image: str, tmp_path: Path) -> None:
    name = f"{new_name('image')}:one"
    repository, _, tag = name.partition(":")
    client.ImageTag(image, repo=repository, tag=tag)
    before = client.ImageInspect(name).Id
    saved = tmp_path / "image.tar"
    assert client.ImageGet(name).save(saved) == saved.stat().st_size > 0
    client.ImageDelete(name)
    with saved.open("rb") as file:
        for archive in (saved.read_bytes(), saved, file, iter(_blocks(saved))):
            made = client.ImageLoad(imagesTarball=archive).wait()
            assert [each.endswith(name) for each in made.Images] == [True]
            assert client.ImageInspect(name).Id == before
            client.ImageDelete(name)
    assert list(client.ImageLoad(imagesTarball=saved, quiet=True))
    assert client.ImageInspect(name).Id == before


def _blocks(path: Path) -> list[bytes]:
    data = path.read_bytes()
    return [data[start : start + 1_000_000] for start in range(0, len(data), 1_000_000)]


def test_load_of_nonsense(client: Client, expected: Expected) -> None:
    with expected("ImageLoad: of what is no archive"), pytest.raises(StreamError):
        client.ImageLoad(imagesTarball=b"rubbish" * 1000).wait()


def test_import(client: Client, expected: Expected) -> None:
    repository = new_name("import")
    made = client.ImageCreate(
        fromSrc="-",
        repo=repository,
        tag="one",
        message="made here",
        changes=["ENV COLOUR=red", "ENV SHAPE=round"],
        inputImage=tar_of({"hello": b"there"}),
    ).wait()
    assert {"COLOUR=red", "SHAPE=round"} <= set(client.ImageInspect(made.ID).Config.Env)
    with expected("ImageInspect: of an import by its tag"):
        assert client.ImageInspect(f"{repository}:one").Id == made.ID
