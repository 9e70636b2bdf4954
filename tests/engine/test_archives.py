"""Files into containers and out of them, and images and whole file systems as archives."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from dynadock import NotFound, StreamClosed, UnsafeMember
from engine.engines import STREAM_VERSIONS
from engine.things import MIB, new_name, tar_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dynadock import Client
    from dynadock.streams.download import TarStream
    from engine.answers import Expected

    NewContainer = Callable[..., str]

pytestmark = pytest.mark.at(*STREAM_VERSIONS)

FILES = {
    "box/notes.txt": b"twelve bytes",
    "box/empty": b"",
    "box/deep/all bytes": bytes(range(256)) * 1024,
}


@pytest.fixture(scope="module")
def box(client: Client, new_container: NewContainer) -> str:
    """A container, never started, with `FILES` below /var; no test changes them."""
    name = new_container()
    assert client.PutContainerArchive(name, path="/var", inputStream=tar_of(FILES)) is None
    return name


def contents(archive: TarStream) -> dict[str, bytes]:
    return {member.name: file.read() for member, file in archive.members() if member.isfile()}


@pytest.mark.parametrize("kind", ["bytes", "path", "folder", "file", "iterator", "memory"])
def test_copy_in(client: Client, new_container: NewContainer, tmp_path: Path, kind: str) -> None:
    data = tar_of(FILES)
    path, folder = tmp_path / "archive.tar", tmp_path / "folder"
    path.write_bytes(data)
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    name = new_container()
    with path.open("rb") as file:
        body: dict[str, Any] = {
            "bytes": data,
            "path": path,
            "folder": folder,
            "file": file,
            "iterator": (data[start : start + 7000] for start in range(0, len(data), 7000)),
            "memory": io.BytesIO(data),
        }
        assert client.PutContainerArchive(name, path="/tmp", inputStream=body[kind]) is None
    assert contents(client.ContainerArchive(name, path="/tmp/box")) == FILES


def test_copy_into_what_is_not_there(
    client: Client, expected: Expected, new_container: NewContainer
) -> None:
    name, path, archive = new_container(), "/no/such/folder", iter([tar_of(FILES)])
    if expected.value("PutContainerArchive: whether it makes the folder", False):
        client.PutContainerArchive(name, path=path, inputStream=archive)
        assert contents(client.ContainerArchive(name, path=f"{path}/box")) == FILES
    else:
        with pytest.raises(NotFound):
            client.PutContainerArchive(name, path=path, inputStream=archive)


def test_look_through(client: Client, box: str) -> None:
    seen = {}
    for member, file in client.ContainerArchive(box, path="/var/box").members():
        assert (file is None) == member.isdir()
        seen[member.name.rstrip("/")] = None if file is None else file.read()
    assert seen == {"box": None, "box/deep": None, **FILES}


def test_header(client: Client, box: str) -> None:
    with client.ContainerArchive(box, path="/var/box/notes.txt") as archive:
        stat = archive.headers.X_Docker_Container_Path_Stat
        assert (stat.name, stat.size) == ("notes.txt", 12)
        assert contents(archive) == {"notes.txt": b"twelve bytes"}
    looked = client.ContainerArchiveInfo(box, path="/var/box/notes.txt")
    assert looked.X_Docker_Container_Path_Stat == stat


def test_save(client: Client, box: str, tmp_path: Path) -> None:
    saved = tmp_path / "box.tar"
    size = client.ContainerArchive(box, path="/var/box").save(saved)
    assert size == saved.stat().st_size
    with tarfile.open(saved) as archive:
        assert archive.extractfile("box/notes.txt").read() == b"twelve bytes"
    assert list(tmp_path.iterdir()) == [saved]


def test_extract(client: Client, box: str, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert client.ContainerArchive(box, path="/var/box").extract(folder) == []
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    assert {name: path.read_bytes() for name, path in found.items() if path.is_file()} == FILES


def test_extract_what_leads_out(
    client: Client, new_container: NewContainer, tmp_path: Path
) -> None:
    # Docker itself refuses a relative link that leads out of where it puts the archive.
    name = new_container()
    link = tarfile.TarInfo("links/out")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    inside = tarfile.TarInfo("links/notes.txt")
    inside.size = 5
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(link)
        archive.addfile(inside, io.BytesIO(b"hello"))
    client.PutContainerArchive(name, path="/var", inputStream=buffer.getvalue())
    with pytest.raises(UnsafeMember) as caught:
        client.ContainerArchive(name, path="/var/links").extract(tmp_path / "strict")
    assert caught.value.member == "links/out"
    skipped = client.ContainerArchive(name, path="/var/links").extract(
        tmp_path / "loose", unsafe="skip"
    )
    assert skipped == ["links/out"]
    assert [each.name for each in (tmp_path / "loose" / "links").iterdir()] == ["notes.txt"]


def test_read_bit_by_bit(client: Client, box: str) -> None:
    with client.ContainerArchive(box, path="/var/box/deep") as archive:
        whole = b"".join(iter(lambda: archive.read(1000), b""))
        assert archive.closed
        assert archive.read() == b""
    with tarfile.open(fileobj=io.BytesIO(whole)) as opened:
        assert opened.extractfile("deep/all bytes").read() == FILES["box/deep/all bytes"]


def test_closed_before_its_end(client: Client, box: str) -> None:
    with client.ContainerArchive(box, path="/var/box") as archive:
        assert len(archive.read(10)) == 10
    with pytest.raises(StreamClosed):
        archive.read(10)
    assert client.SystemPing() == "OK"


def test_copy_out_of_what_is_not_there(client: Client, box: str) -> None:
    with pytest.raises(NotFound):
        client.ContainerArchive(box, path="/no/such/file")
    with pytest.raises(NotFound):
        client.ContainerArchive(new_name("nothing"), path="/")


def test_from_one_container_into_another(
    client: Client, box: str, new_container: NewContainer
) -> None:
    other = new_container()
    with client.ContainerArchive(box, path="/var/box") as archive:
        client.PutContainerArchive(other, path="/var", inputStream=archive)
    assert contents(client.ContainerArchive(other, path="/var/box")) == FILES


def test_export(client: Client, expected: Expected, box: str, tmp_path: Path) -> None:
    saved = tmp_path / "all.tar"
    least = expected.value("ContainerInspect: least size of busybox", MIB)
    assert client.ContainerExport(box).save(saved) > least
    with tarfile.open(saved) as archive:
        names = {name.removeprefix("./") for name in archive.getnames()}
        assert {"bin", "var/box/notes.txt"} <= names
    with client.ContainerExport(box) as stream:
        for member, file in stream.members():
            if member.name.endswith("var/box/notes.txt"):
                assert file.read() == b"twelve bytes"
                break
        else:
            pytest.fail("no such file in it")


def test_raw_export(client: Client, box: str) -> None:
    with client.ContainerExport.raw(box) as reply:
        reply.raw.decode_content = False
        with tarfile.open(fileobj=reply.raw, mode="r|") as archive:
            assert any(member.name.endswith("var/box/notes.txt") for member in archive)


def test_export_of_what_is_not_there(client: Client) -> None:
    with pytest.raises(NotFound):
        client.ContainerExport(new_name("nothing"))


def tags_in(archive: TarStream) -> list[str]:
    """Return the names of the images in an archive."""
    files = contents(archive)
    assert archive.closed
    return [tag for entry in json.loads(files["manifest.json"]) for tag in entry["RepoTags"]]


def test_save_an_image(client: Client, image: str) -> None:
    (tag,) = tags_in(client.ImageGet(image))
    assert tag.endswith(image)


def test_save_several_images(client: Client, image: str) -> None:
    other = f"{new_name('image')}:one"
    repository, _, tag = other.partition(":")
    client.ImageTag(image, repo=repository, tag=tag)
    tags = tags_in(client.ImageGetAll(names=[image, other]))
    assert {name for name in (image, other) for tag in tags if tag.endswith(name)} == {image, other}
    client.ImageDelete(other)


def test_save_an_image_that_is_not_there(client: Client) -> None:
    with pytest.raises(NotFound):
        client.ImageGet(new_name("nothing"))
