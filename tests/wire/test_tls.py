"""TLS: trusted certificates, and errors that say which side's certificate is refused, and why.

Plain calls and streams have connections of different makings, so each is tried.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import socket
import ssl

import pytest
import trustme

from dynadock import EndpointError, TlsError, load
from wire.peer import OK, Peer, answer, hang_up, reply, send

OPERATIONS = ("SystemPing", "SystemEvents")
PAST = dt.datetime(2020, 1, 2, tzinfo=dt.UTC)
FUTURE = dt.datetime(2060, 1, 2, tzinfo=dt.UTC)

each_way = pytest.mark.parametrize("operation", OPERATIONS)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def server(authority, *names, oldest=ssl.TLSVersion.TLSv1_2, newest=None, clients=None, **dates):
    """Make a context for a peer whose certificate is made out to ``names``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("127.0.0.1", "::1")), **dates).configure_cert(context)
    context.minimum_version = oldest
    if newest:
        context.maximum_version = newest
    if clients:
        clients.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.fixture
def certificates(tmp_path, monkeypatch):
    """Make the folder of certificates that the environment names."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(folder))

    def make(authority=None, client=None):
        if authority:
            authority.cert_pem.write_to_path(folder / "ca.pem")
        if client:
            client.private_key_pem.write_to_path(folder / "key.pem")
            chain = b"".join(blob.bytes() for blob in client.cert_chain_pems)
            (folder / "cert.pem").write_bytes(chain)
        return folder

    return make


def call(operation, address):
    with load("1.42", host=address) as client:
        value = client.operations[operation]()
        return value if operation == "SystemPing" else list(value)


def fails(operation, peer, match):
    with peer, pytest.raises(TlsError, match=match) as caught:
        call(operation, peer.address)
    assert caught.value.endpoint == peer.address
    assert str(peer.address) in str(caught.value)


VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


@VERSIONS
@pytest.mark.parametrize("kind", ["tcp", "tcp6"])
def test_both_certificates_are_trusted(authority, certificates, version, kind):
    certificates(authority, authority.issue_cert("me@box"))
    tls = server(authority, clients=authority, newest=version, oldest=version)
    events = answer(reply(json={"Type": "x"}))
    with (
        Peer([OK], [events], kind=kind, tls=tls) as peer,
        load("1.42", host=peer.address) as client,
    ):
        assert client.SystemPing() == "OK"
        assert [event.Type for event in client.SystemEvents()] == ["x"]
    host = peer.address.removeprefix("tcp://")
    assert [each.header("Host") for each in peer.requests] == [host, host]


@each_way
@pytest.mark.parametrize(
    ("dates", "problem"),
    [
        ({"not_after": PAST, "not_before": PAST.replace(year=2019)}, "has expired"),
        ({"not_before": FUTURE, "not_after": FUTURE.replace(year=2061)}, "not valid yet.*clocks"),
    ],
    ids=["past", "future"],
)
def test_the_engines_certificate_is_of_another_time(
    authority, certificates, operation, dates, problem
):
    certificates(authority)
    fails(operation, Peer([], kind="tcp", tls=server(authority, **dates)), problem)


@each_way
@pytest.mark.parametrize("name", ["box.example", "127.0.0.9"])
def test_the_engines_certificate_is_another_ones(authority, certificates, operation, name):
    certificates(authority)
    problem = r"made out to other names: .*not valid for '127\.0\.0\.1'"
    fails(operation, Peer([], kind="tcp", tls=server(authority, name)), problem)


@each_way
def test_the_engines_authority_is_not_trusted(authority, certificates, operation):
    folder = certificates(trustme.CA())
    tls = server(authority)
    fails(operation, Peer([], kind="tcp", tls=tls), rf"no authority among those in {folder}/ca.pem")
    (folder / "ca.pem").unlink()
    fails(
        operation, Peer([], kind="tcp", tls=tls), rf"this system trusts; .* no ca.pem in {folder}"
    )


@each_way
def test_the_engine_is_its_own_authority(authority, certificates, operation, tmp_path):
    certificates(trustme.CA())
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    both = tmp_path / "both.pem"
    both.write_bytes(authority.private_key_pem.bytes() + authority.cert_pem.bytes())
    tls.load_cert_chain(both)
    fails(operation, Peer([], kind="tcp", tls=tls), "signed by itself, and is not among")


@each_way
def test_the_systems_authorities_count_only_without_others(
    authority, certificates, operation, tmp_path, monkeypatch
):
    authority.cert_pem.write_to_path(tmp_path / "system.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.pem"))
    folder = certificates(trustme.CA())
    fails(operation, Peer([], kind="tcp", tls=server(authority)), "no authority among those in")
    (folder / "ca.pem").unlink()
    with Peer([OK], kind="tcp", tls=server(authority)) as peer:
        call("SystemPing", peer.address)


@each_way
@VERSIONS
def test_the_engine_wants_a_certificate(authority, certificates, operation, version):
    folder = certificates(authority)
    tls = server(authority, clients=authority, newest=version, oldest=version)
    # OpenSSL's servers do not say in TLS 1.2 that they miss the client's certificate.
    problem = "certificate: there is no cert.pem in " + str(folder)
    fails(operation, Peer([], kind="tcp", tls=tls), problem)


@each_way
@VERSIONS
def test_the_engine_refuses_a_certificate(authority, certificates, operation, version):
    tls = server(authority, clients=authority, newest=version, oldest=version)
    folder = certificates(authority, trustme.CA().issue_cert("me@box"))
    refused = f"the engine refuses this client's certificate, {folder}/cert.pem: "
    unknown = refused + "it is not of an authority that the engine knows"
    fails(operation, Peer([], kind="tcp", tls=tls), unknown)
    old = {"not_after": PAST, "not_before": PAST.replace(year=2019)}
    certificates(authority, authority.issue_cert("me@box", **old))
    fails(operation, Peer([], kind="tcp", tls=tls), refused + "it has expired")


REFUSALS = {
    "engines": b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
    "others": b"\x15\x03\x01\x00\x02\x02\x46",
}
"""What servers with TLS answer to a plain request: those in Go, and those that know no HTTP."""


@each_way
@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_an_engine_with_tls_is_spoken_to_without(operation, refusal):
    peer = Peer([answer(refusal), hang_up], kind="tcp")
    fails(operation, peer, "the engine wants TLS there; DOCKER_TLS_VERIFY=1 or a context")


@each_way
def test_an_engine_without_tls_is_spoken_to_with(certificates, operation):
    certificates()
    peer = Peer([send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), hang_up], kind="tcp")
    fails(operation, peer, "what answers speaks no TLS; is it another port")


@each_way
def test_an_engine_that_speaks_old_versions_only(authority, certificates, operation):
    certificates(authority)
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        tls = server(authority, oldest=ssl.TLSVersion.TLSv1, newest=ssl.TLSVersion.TLSv1_1)
    tls.set_ciphers("ALL:@SECLEVEL=0")
    fails(operation, Peer([], kind="tcp", tls=tls), "only versions of TLS older than 1.2")


@pytest.mark.parametrize("way", ["DOCKER_TLS", "context"])
def test_any_certificate_will_do_if_the_user_says_so(
    authority, certificates, way, tmp_path, monkeypatch
):
    certificates(trustme.CA())
    monkeypatch.delenv("DOCKER_TLS_VERIFY")
    tls = server(authority, "box.example")
    with Peer([OK, OK], kind="tcp", tls=tls) as peer:
        if way == "context":
            name = hashlib.sha256(b"lax").hexdigest()
            meta = tmp_path / "contexts" / "meta" / name / "meta.json"
            meta.parent.mkdir(parents=True)
            engine = {"Host": peer.address, "SkipTLSVerify": True}
            meta.write_text(json.dumps({"Name": "lax", "Endpoints": {"docker": engine}}))
            monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
            monkeypatch.setenv("DOCKER_CONTEXT", "lax")
        else:
            monkeypatch.setenv("DOCKER_TLS", "1")
            monkeypatch.setenv("DOCKER_HOST", peer.address)
        with load("1.42") as client:
            assert client.endpoint.tls.verify is False
            assert client.SystemPing() == "OK"
            assert client.with_options(deadline=30).SystemPing() == "OK"


@each_way
@pytest.mark.parametrize(("missing", "there"), [("key", "cert"), ("cert", "key")])
def test_a_certificate_without_its_key(authority, certificates, operation, missing, there):
    folder = certificates(authority, authority.issue_cert("me"))
    (folder / f"{missing}.pem").unlink()
    problem = (
        f"the certificates in {folder} cannot be used: there is {there}.pem and no {missing}.pem"
    )
    with pytest.raises(EndpointError, match=problem):
        call(operation, "tcp://127.0.0.1:1")


def test_certificates_know_no_zones(authority, certificates, monkeypatch):
    find = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _host, *how, **more: find("::1", *how, **more)
    )
    certificates(authority)
    with Peer([OK], kind="tcp6", tls=server(authority, "fe80::1")) as peer:
        port = peer.address.rpartition(":")[2]
        assert load("1.42", host=f"tcp://[fe80::1%25eth0]:{port}").SystemPing() == "OK"


def test_a_key_may_stand_in_its_certificates_file(authority, certificates):
    folder = certificates(authority, authority.issue_cert("me"))
    whole = (folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes()
    (folder / "key.pem").unlink()
    (folder / "cert.pem").write_bytes(whole)
    with Peer([OK], kind="tcp", tls=server(authority, clients=authority)) as peer:
        assert load("1.42", host=peer.address).SystemPing() == "OK"


@each_way
def test_certificates_that_cannot_be_used(authority, certificates, operation, monkeypatch):
    folder = certificates(authority, authority.issue_cert("me"))
    (folder / "key.pem").write_text("no key")
    with pytest.raises(EndpointError, match=f"the certificates in {folder} cannot be used"):
        call(operation, "tcp://127.0.0.1:1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(folder / "none"))
    with pytest.raises(EndpointError, match=f"there is no folder of certificates {folder}/none"):
        call(operation, "tcp://127.0.0.1:1")
