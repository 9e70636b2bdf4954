"""TLS: who is refused and why, and streams, as one side of a connection closes differently."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from closing import check_closed_while_read
from dynadock import TlsError, load, run
from engine.engines import addresses, no_address
from engine.things import IMAGE, LABELS
from lacking import give_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dynadock import Client

TLS = "DYNADOCK_TEST_TLS"
CERTIFICATES = "DYNADOCK_TEST_CERTIFICATES"

ENGINES = [pytest.param(address, id=name) for name, address in addresses(TLS).items()]

pytestmark = pytest.mark.parametrize(
    "address", ENGINES or [pytest.param("", marks=no_address(TLS))]
)


@pytest.fixture
def client(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", os.environ[CERTIFICATES])
    with load("1.42", host=address) as client:
        yield client


def test_calls(client: Client) -> None:
    assert client.SystemPing() == "OK"
    assert client.SystemPing.raw().url.startswith("https://")


@pytest.mark.parametrize("size", [0, 1, 20_000, 3_000_000])
def test_the_end_of_input_leaves_the_output_open(client: Client, size: int) -> None:
    sent = hashlib.sha256(bytes(range(256)).hex().encode()).digest() * (size // 32 + 1)
    sent = sent[:size]
    # The sum comes only behind the end of the input.
    command = ["sh", "-c", "cat; echo end >&2"]
    done = run(client, IMAGE, command, stdin=sent, Labels=LABELS)
    assert done == (0, sent, b"end\n")


def test_input_and_output_in_turns(client: Client) -> None:
    name = client.ContainerCreate(
        Image=IMAGE,
        Cmd=["sh", "-c", "read a; echo $a; read b; echo $b; cat; echo over"],
        OpenStdin=True,
        StdinOnce=True,
        Labels=LABELS,
    ).Id
    try:
        with client.ContainerAttach(name, stream=True, stdin=True, stdout=True) as duplex:
            client.ContainerStart(name)
            lines = duplex.lines()
            for word in ("one", "two"):
                duplex.write(f"{word}\n".encode())
                assert next(lines).text == word
            duplex.close_stdin()
            assert [line.text for line in lines] == ["over"]
    finally:
        client.ContainerDelete(name, force=True)


def test_closing_ends_what_another_thread_waits_for(client: Client) -> None:
    events = client.SystemEvents()
    check_closed_while_read(events)


def test_an_image_comes_down_and_goes_up(client: Client) -> None:
    archive = client.ImageGet(IMAGE).read()
    assert client.ImageLoad(body=archive).wait().Images == [IMAGE]


class Certificates:
    """A folder of certificates that the environment names, made of the right ones."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.folder = folder
        self.right = Path(os.environ[CERTIFICATES])
        for name in names:
            shutil.copy(self.right / name, folder)

    def write_client(self, authority: trustme.CA, **dates: dt.datetime) -> None:
        """Write a certificate of another authority, or of another time."""
        client = authority.issue_cert("somebody@box.example", **dates)
        client.cert_chain_pems[0].write_to_path(self.folder / "cert.pem")
        client.private_key_pem.write_to_path(self.folder / "key.pem")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    return tmp_path


def check_refusal(address: str, problem: str) -> None:
    """Check that plain calls and streams, and finding the version, tell the same."""
    client = load("1.42", host=address)
    for call in (client.SystemPing, client.SystemEvents, lambda: load(host=address)):
        with pytest.raises(TlsError, match=problem):
            call()


def test_no_certificate_of_ours(address: str, folder: Path) -> None:
    Certificates(folder, "ca.pem")
    check_refusal(address, f"wants a client's certificate: there is no cert.pem in {folder}")


def test_a_certificate_of_another_authority(address: str, folder: Path) -> None:
    Certificates(folder, "ca.pem").write_client(trustme.CA())
    check_refusal(address, f"refuses this client's certificate, {folder}/cert.pem: it is not")


def test_a_certificate_that_has_expired(address: str, folder: Path) -> None:
    certificates = Certificates(folder, "ca.pem")
    key = certificates.right / "ca-key.pem"
    if not key.exists():
        give_up(f"{CERTIFICATES} has no ca-key.pem to make an expired certificate with")
    authority = trustme.CA.from_pem((folder / "ca.pem").read_bytes(), key.read_bytes())
    past = dt.datetime(2020, 1, 2, tzinfo=dt.UTC)
    certificates.write_client(authority, not_before=past, not_after=past + dt.timedelta(days=1))
    check_refusal(address, f"refuses this client's certificate, {folder}/cert.pem: it ")


def test_an_authority_that_did_not_sign(address: str, folder: Path) -> None:
    Certificates(folder, "cert.pem", "key.pem")
    trustme.CA().cert_pem.write_to_path(folder / "ca.pem")
    check_refusal(address, f"certificate is of no authority among those in {folder}/ca.pem")


def test_a_name_that_the_certificate_does_not_have(address: str, folder: Path) -> None:
    Certificates(folder, "ca.pem", "cert.pem", "key.pem")
    # Another spelling of the same address, which no certificate has.
    check_refusal(address.replace("127.0.0.1", "127.1"), "made out to other names: .*'127.1'")


def test_without_tls(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_TLS_VERIFY", raising=False)
    check_refusal(address, "the engine wants TLS there")
