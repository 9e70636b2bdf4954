"""tools/fetch_spec.py, against a server on this machine that speaks TLS."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "fetch_spec.py"


def load_tool():
    spec = importlib.util.spec_from_file_location("fetch_spec", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


fetch_spec = load_tool()


def source_of(version="1.42", extra=""):
    return f"""
swagger: '2.0'
info: {{title: A title, version: '{version}'}}
basePath: /v{version}
paths:
  /_ping:
    get:
      operationId: SystemPing
      summary: A sentence.
      responses:
        200: {{description: Another one., schema: {{type: string, example: OK}}}}
{extra}""".encode()


SOURCE = source_of()


class Handler(BaseHTTPRequestHandler):
    """Answers each path with what the test has put there."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append(self.path)
        self.close_connection = True
        answer = self.server.answers.get(self.path)
        if answer is None:
            self.send_error(404)
        else:
            answer(self)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    """A peer whose answers are functions of its handler, by path."""

    daemon_threads = False

    def __init__(self, certificate):
        super().__init__(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        # The handshake belongs to the thread that answers: no client holds up the next.
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://localhost:{self.server_port}"
        self.answers = {}
        self.asked = []
        self.over = threading.Event()

    def handle_error(self, *_):
        """Say nothing: clients that hang up early are what is being tested."""


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Make a certificate for localhost, its key in the same file."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("the openssl command, which makes the server's certificate, is not there")
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", path.with_suffix(".key"), "-out", path],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_bytes(path.with_suffix(".key").read_bytes() + path.read_bytes())
    return path


@pytest.fixture
def server(certificate, monkeypatch):
    for variable in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with Server(certificate) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The user's folder, with an older document in it."""
    monkeypatch.setenv("DYNADOCK_DATA", str(tmp_path))
    folder = tmp_path / "specs"
    folder.mkdir()
    (folder / "v1.42.yaml").write_text("what was there before")
    return folder


@pytest.fixture
def run(capsys):
    """Run the tool in this process; return its exit code, lines of output and of errors."""

    def run(*arguments):
        code = fetch_spec.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out.splitlines(), captured.err.splitlines()

    return run


def whole(body, status=200, **headers):
    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def cut_short(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(SOURCE) + 1))
    handler.end_headers()
    handler.wfile.write(SOURCE)


def chunks_without_end(handler, status=200):
    handler.send_response(status)
    handler.send_header("Location", "/elsewhere")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    with contextlib.suppress(OSError):
        while not handler.server.over.is_set():
            handler.wfile.write(b"10000\r\n" + b"#" * 0x10000 + b"\r\n")


def silent(handler):
    handler.server.over.wait(60)


def silent_after_the_head(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "10")
    handler.end_headers()
    handler.server.over.wait(60)


def dripping(handler):
    """Send a byte now and then, fewer than would be an answer, each before a wait is too long."""
    with contextlib.suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
        while not handler.server.over.wait(0.05):
            handler.wfile.write(b".")


FAILURES = {
    "another version": (whole(source_of("1.41")), "v1.42.yaml: the document is of version 1.41"),
    "not yaml": (whole(b"<html>\n\t<p>: [ moved"), "v1.42.yaml: "),
    "no mapping": (whole(b"gone"), "v1.42.yaml: expected a mapping, got 'gone'"),
    "empty": (whole(b""), "v1.42.yaml: expected a mapping, got nothing"),
    "openapi 3": (
        whole(SOURCE.replace(b"swagger: '2.0'", b"openapi: 3.0.0")),
        "v1.42.yaml: an OpenAPI 3.0.0 document; expected one of Swagger 2.0",
    ),
    "not to be loaded": (
        whole(SOURCE.replace(b"operationId", b"operation")),
        "v1.42.yaml: paths./_ping.get: ",
    ),
    "too large": (whole(b"#" * (8 * 2**20 + 1)), "{address}: larger than 8 MiB"),
    "without end": (chunks_without_end, "{address}: larger than 8 MiB"),
    "cut short": (cut_short, "{address}: the connection fails or breaks off"),
    "404": (whole(b"", status=404), "{address}: the server answers 404"),
    "500": (whole(SOURCE, status=500), "{address}: the server answers 500"),
    "204": (whole(b"", status=204), "{address}: the server answers 204"),
    "redirect to itself": (
        whole(b"", status=302, Location="?again"),
        "{address}: more than 5 redirects",
    ),
    "redirect to a file": (
        whole(b"", status=302, Location="file:///etc/hostname"),
        "{address}: refused: only https:// is used",
    ),
    "redirect to nonsense": (
        whole(b"", status=302, Location="https://[/"),
        "{address}: the address, or the one it redirects to, makes no sense",
    ),
    "redirect without end": (
        partial(chunks_without_end, status=302),
        "{elsewhere}: the server answers 404",
    ),
    "redirect nowhere": (whole(SOURCE, status=302), "{address}: the server answers 302"),
}


def address_in(server, version="1.42", ref="master"):
    return f"{server.url}/{ref}/api/docs/v{version}.yaml"


@pytest.mark.parametrize(("answer", "problem"), FAILURES.values(), ids=FAILURES)
def test_a_failed_download_is_one_line_and_replaces_nothing(server, home, run, answer, problem):
    server.answers["/master/api/docs/v1.42.yaml"] = answer
    server.answers["/master/api/docs/v1.42.yaml?again"] = answer
    code, out, err = run("1.42", "--base-url", server.url)
    assert (code, out, len(err)) == (1, [], 1)
    places = {"address": address_in(server), "elsewhere": f"{server.url}/elsewhere"}
    assert err[0].startswith("fetch_spec: " + problem.format(**places))
    assert [path.name for path in home.iterdir()] == ["v1.42.yaml"]
    assert (home / "v1.42.yaml").read_text() == "what was there before"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (silent, "the server does not answer in time"),
        (silent_after_the_head, "the connection fails or breaks off"),
    ],
)
def test_a_slow_server_is_given_up(server, home, run, answer, problem):
    server.answers["/master/api/docs/v1.42.yaml"] = answer
    code, out, err = run("1.42", "--base-url", server.url, "--timeout", "0.4")
    assert (code, out) == (1, [])
    assert err == [f"fetch_spec: {address_in(server)}: {problem}"]
    assert (home / "v1.42.yaml").read_text() == "what was there before"


def test_a_server_that_never_ends_is_given_up(server, home, run, monkeypatch):
    monkeypatch.setattr(fetch_spec, "WAITS", 1)
    server.answers["/master/api/docs/v1.42.yaml"] = dripping
    code, out, err = run("1.42", "--base-url", server.url, "--timeout", "2")
    assert (code, out) == (1, [])
    assert err == [f"fetch_spec: {address_in(server)}: the download takes too long"]
    assert (home / "v1.42.yaml").read_text() == "what was there before"


@pytest.fixture
def plain_listener():
    """A server that would take requests without TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def url_of(listener):
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_http_is_refused(plain_listener, home, run):
    code, out, err = run("1.42", "--base-url", url_of(plain_listener))
    assert (code, out, len(err)) == (1, [], 1)
    assert err[0].endswith("refused: only https:// is used")
    with pytest.raises(BlockingIOError):
        plain_listener.accept()


def test_a_redirect_to_http_is_refused(server, plain_listener, home, run):
    target = f"{url_of(plain_listener)}/v1.42.yaml"
    server.answers["/master/api/docs/v1.42.yaml"] = whole(b"", status=302, Location=target)
    code, out, err = run("1.42", "--base-url", server.url)
    assert (code, out) == (1, [])
    assert err == [f"fetch_spec: {address_in(server)}: refused: only https:// is used"]
    with pytest.raises(BlockingIOError):
        plain_listener.accept()


@pytest.mark.parametrize("url", ["localhost", "ftp://localhost", "", "https://", "https://[::1/"])
def test_what_is_no_https_address_is_refused(home, run, url):
    code, out, err = run("1.42", "--base-url", url)
    assert (code, out, len(err)) == (1, [], 1)


def test_an_unknown_certificate_is_refused(server, home, run, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    code, out, err = run("1.42", "--base-url", server.url)
    assert (code, out) == (1, [])
    assert err == [f"fetch_spec: {address_in(server)}: no trusted TLS connection"]
    assert server.asked == []


def test_nobody_listens(home, run):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    code, out, err = run("1.42", "--base-url", f"https://127.0.0.1:{port}")
    assert (code, out, len(err)) == (1, [], 1)
    assert err[0].endswith("the connection fails or breaks off")


def test_a_document_is_downloaded_as_it_is(server, home, run):
    server.answers["/main/api/docs/v1.42.yaml"] = whole(SOURCE)
    path = home / "v1.42.yaml"
    assert run("1.42", "--base-url", server.url + "/", "--ref", "main") == (
        0,
        [f"1.42: {path}"],
        [],
    )
    assert path.read_bytes() == SOURCE
    assert [path.name for path in home.iterdir()] == ["v1.42.yaml"]


def test_a_redirect_over_https_is_followed(server, home, run):
    server.answers["/master/api/docs/v1.42.yaml"] = whole(b"", status=302, Location="/elsewhere")
    server.answers["/elsewhere"] = whole(SOURCE)
    assert run("1.42", "--base-url", server.url)[0] == 0
    assert (home / "v1.42.yaml").read_bytes() == SOURCE


def test_one_failure_does_not_keep_the_others(server, home, run):
    server.answers["/master/api/docs/v1.41.yaml"] = whole(source_of("1.41"))
    code, out, err = run("1.40", "1.41", "--base-url", server.url)
    assert (code, len(out), len(err)) == (1, 1, 1)
    assert (home / "v1.41.yaml").read_bytes() == source_of("1.41")


def test_a_folder_that_is_not_there_is_made(server, tmp_path, run):
    server.answers["/master/api/docs/v1.42.yaml"] = whole(SOURCE)
    folder = tmp_path / "a" / "b"
    assert run("1.42", "--base-url", server.url, "--into", folder)[0] == 0
    assert (folder / "v1.42.yaml").read_bytes() == SOURCE


def test_a_folder_that_is_a_file_is_one_line(tmp_path, run):
    (tmp_path / "file").write_text("")
    (tmp_path / "v1.42.yaml").write_bytes(SOURCE)
    code, out, err = run("1.42", "--from", tmp_path, "--into", tmp_path / "file")
    assert (code, out, len(err)) == (1, [], 1)
    assert err[0] == f"fetch_spec: {tmp_path / 'file'}: File exists"


def test_a_failed_replacement_leaves_no_unfinished_file(tmp_path, run):
    (tmp_path / "source.yaml").write_bytes(SOURCE)
    target = tmp_path / "specs" / "v1.42.yaml"
    target.mkdir(parents=True)
    code, out, err = run("1.42", "--from", tmp_path / "source.yaml", "--into", target.parent)
    assert (code, out, err) == (1, [], [f"fetch_spec: {target}: Is a directory"])
    assert list(target.parent.iterdir()) == [target]


@pytest.fixture
def sources(tmp_path):
    """A folder with the published form of two versions."""
    folder = tmp_path / "published"
    folder.mkdir()
    for version in ("1.42", "1.43"):
        (folder / f"v{version}.yaml").write_bytes(source_of(version))
    return folder


@pytest.fixture
def bundle(sources, tmp_path, run):
    """A folder with the bundled form of the sources."""
    folder = tmp_path / "bundle"
    code, out, err = run(
        *("--facts", "1.43", "1.42", "--from", sources, "--ref", "0123abc", "--into", folder)
    )
    assert (code, len(out), err) == (0, 2, [])
    return folder


FACTS = """\
# Facts of the Docker Engine API 1.42, made by tools/fetch_spec.py --facts.
# Where they come from stands in provenance.json.
{
 "swagger": "2.0",
 "info": {"version": "1.42"},
 "basePath": "/v1.42",
 "paths": {
  "/_ping": {
   "get": {
    "operationId": "SystemPing",
    "responses": {"200": {"schema": {"type": "string"}}}
   }
  }
 }
}
"""


def test_facts_are_written_with_their_provenance(bundle):
    assert sorted(path.name for path in bundle.iterdir()) == [
        *("provenance.json", "v1.42.yaml", "v1.43.yaml")
    ]
    assert (bundle / "v1.42.yaml").read_text() == FACTS
    records = json.loads((bundle / "provenance.json").read_text())
    assert list(records) == ["1.42", "1.43"]
    assert records["1.42"] == {
        "source": "https://github.com/moby/moby/blob/0123abc/api/docs/v1.42.yaml",
        "sha256": hashlib.sha256(SOURCE).hexdigest(),
    }


def test_facts_of_a_file_leave_other_records_alone(bundle, tmp_path, run):
    before = json.loads((bundle / "provenance.json").read_text())
    source = tmp_path / "other.yaml"
    source.write_bytes(source_of("1.9"))
    code, _, _ = run("--facts", "1.9", "--from", source, "--ref", "other", "--into", bundle)
    after = json.loads((bundle / "provenance.json").read_text())
    assert code == 0
    assert list(after) == ["1.9", "1.42", "1.43"]
    assert after["1.9"]["source"].endswith("/other/api/docs/v1.9.yaml")
    assert {version: after[version] for version in before} == before


def test_facts_of_a_download_name_its_address(server, tmp_path, run):
    server.answers["/v9/api/docs/v1.42.yaml"] = whole(SOURCE)
    arguments = ("--facts", "1.42", "--base-url", server.url, "--ref", "v9", "--into", tmp_path)
    assert run(*arguments)[0] == 0
    assert (tmp_path / "v1.42.yaml").read_text() == FACTS
    records = json.loads((tmp_path / "provenance.json").read_text())
    assert records["1.42"]["source"] == address_in(server, ref="v9")


def test_check_finds_nothing_where_nothing_has_changed(bundle, sources, run):
    assert run("--check", "1.42", "1.43", "--from", sources, "--into", bundle) == (
        0,
        ["2 documents are the facts of their sources"],
        [],
    )


def replaced(folder, name, old, new):
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


CHANGES = {
    "a value": (
        *("v1.42.yaml", '"type": "string"', '"type": "integer"'),
        "v1.42.yaml: paths./_ping.get.responses.200.schema.type: 'integer' != 'string'",
    ),
    "something more": (
        *("v1.42.yaml", '"type": "string"', '"type": "string", "format": "byte"'),
        "v1.42.yaml: paths./_ping.get.responses.200.schema.format: only in the bundled document",
    ),
    "something less": (
        *("v1.42.yaml", '    "operationId": "SystemPing",\n', ""),
        "v1.42.yaml: paths./_ping.get.operationId: only in the source",
    ),
    "not yaml": ("v1.42.yaml", '"swagger":', '"swagger": [', "v1.42.yaml: line "),
    "sum": ("provenance.json", '"sha256": "', '"sha256": "0', "provenance.json: 1.42: sha256: 0"),
    "no record": ("provenance.json", '"1.42"', '"1.41"', "provenance.json: 1.42 is not recorded"),
    "broken record": ("provenance.json", "{", "[", "provenance.json: "),
    "odd record": ("provenance.json", '"1.42": {', '"1.41": 5, "1.42": {', "provenance.json: 1.41"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_check_names_each_difference(bundle, sources, run, change):
    name, old, new, line = change
    replaced(bundle, name, old, new)
    code, out, err = run("--check", "1.42", "--from", sources, "--into", bundle)
    assert (code, out, len(err)) == (1, [], 1)
    assert err[0].startswith(f"fetch_spec: {line}")


def test_check_names_a_changed_source(bundle, sources, run):
    (sources / "v1.42.yaml").write_bytes(source_of(extra="consumes: [text/plain]"))
    code, out, err = run("--check", "1.42", "--from", sources, "--into", bundle)
    assert (code, out, len(err)) == (1, [], 2)
    assert err[0] == "fetch_spec: v1.42.yaml: consumes: only in the source"
    assert err[1].startswith("fetch_spec: provenance.json: 1.42: sha256: ")


def test_check_names_what_is_not_there(bundle, sources, run):
    (bundle / "v1.42.yaml").unlink()
    (sources / "v1.43.yaml").unlink()
    code, out, err = run("--check", "1.42", "1.43", "--from", sources, "--into", bundle)
    assert (code, out) == (1, [])
    assert err == [
        f"fetch_spec: {bundle / 'v1.42.yaml'}: No such file or directory",
        f"fetch_spec: {sources / 'v1.43.yaml'}: No such file or directory",
    ]


def test_check_takes_the_users_document_and_downloads_what_is_not_there(bundle, server, home, run):
    (home / "v1.42.yaml").write_bytes(SOURCE)
    server.answers["/master/api/docs/v1.43.yaml"] = whole(source_of("1.43"))
    code, _, err = run("--check", "1.42", "1.43", "--base-url", server.url, "--into", bundle)
    assert (code, err) == (0, [])
    assert server.asked == ["/master/api/docs/v1.43.yaml"]


def test_check_of_all_names_what_is_recorded_but_not_bundled(bundle, sources, run):
    replaced(bundle, "provenance.json", '"1.42"', '"1.7"')
    _, _, err = run("--check", "--all", "--from", sources, "--into", bundle)
    assert "fetch_spec: provenance.json: 1.7 is recorded, but not bundled" in err


def test_all_with_missing_sources_names_each_of_them(sources, tmp_path, run):
    folder = tmp_path / "bundle"
    code, out, err = run("--facts", "--all", "--from", sources, "--ref", "x", "--into", folder)
    assert (code, len(out)) == (1, 2)
    assert f"fetch_spec: {sources / 'v1.25.yaml'}: No such file or directory" in err
    assert len(err) == len(fetch_spec.bundled_versions()) - 2


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "give versions, or --all"),
        (["--all", "1.42"], "give versions, or --all"),
        (["latest"], "'latest' is not an API version"),
        (["1.42", "--facts", "--check"], "not allowed with argument"),
        (["1.42", "1.43", "--from", str(TOOL)], "--from: several versions need a folder"),
        (["1.42", "--facts", "--from", str(TOOL)], "--facts --from needs --ref"),
        (["1.42", "--ref", "../x"], "'../x' is no commit, tag or branch"),
        (["1.42", "--ref", "a?b"], "'a?b' is no commit, tag or branch"),
        (["1.42", "--timeout", "0"], "'0' is not a number of seconds"),
        (["1.42", "--timeout", "nan"], "'nan' is not a number of seconds"),
        (["1.42", "--timeout", "soon"], "'soon' is not a number of seconds"),
    ],
)
def test_wrong_usage(capsys, arguments, problem):
    with pytest.raises(SystemExit) as ended:
        fetch_spec.main(arguments)
    assert ended.value.code == 2
    assert problem in capsys.readouterr().err


def test_it_runs_as_a_program(sources, tmp_path):
    environment = {**os.environ, "DYNADOCK_DATA": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-W", "error", TOOL, "1.42", "1.44", "--from", sources],
        check=False, capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stdout == f"1.42: {tmp_path / 'specs' / 'v1.42.yaml'}\n"
    assert ran.stderr == f"fetch_spec: {sources / 'v1.44.yaml'}: No such file or directory\n"


def test_the_bundled_documents_are_the_facts_of_the_published_ones(run):
    published = os.environ.get("DYNADOCK_TEST_DOCUMENTS")
    if not published:
        pytest.skip("set DYNADOCK_TEST_DOCUMENTS to the folder of published documents")
    code, _, err = run("--check", "--all", "--from", published)
    assert (code, err) == (0, [])
