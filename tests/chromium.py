"""A headless Chromium for tests of pages: it opens a file, and tells what it complained of.

Where ``DYNADOCK_TEST_CHROMIUM`` names one, the tests with it have to run; else they use one that is
installed, or are skipped.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path

from websockets.sync.client import connect

from lacking import give_up

VARIABLE = "DYNADOCK_TEST_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--remote-debugging-port=0",
    "about:blank",
)
PATIENCE = 60


def program():
    """Return the browser's path, None where there is none; one that was named has to be there."""
    named = os.environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        assert found, f"{VARIABLE} names {named!r}, which is not there"
        return found
    return next(filter(None, map(shutil.which, NAMES)), None)


def needed():
    """Return the browser's path, or skip the test; fails where all has to be there."""
    return program() or give_up(f"no Chromium here; {VARIABLE} names one")


@contextlib.contextmanager
def chromium(path=None):
    """Start a browser with a folder of its own, and give it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [path or needed(), f"--user-data-dir={folder}", *FLAGS]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, **quiet) as process:
            try:
                yield Browser(_port(Path(folder) / "DevToolsActivePort", process))
            finally:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()


def _port(file, process):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert process.poll() is None, "the browser ended at once"
        with contextlib.suppress(OSError, ValueError, IndexError):
            return int(file.read_text().split()[0])
        time.sleep(0.05)
    raise AssertionError("the browser does not say its port")


class Browser:
    def __init__(self, port):
        self.port = port

    @contextlib.contextmanager
    def page(self, **how):
        """Give an empty page; ``how`` is for `Page.look`."""
        # Neither looks for a proxy.
        asking = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(asking):
            asking.request("PUT", "/json/new?about:blank")
            url = json.load(asking.getresponse())["webSocketDebuggerUrl"]
        direct = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        with connect(url, sock=direct, max_size=None, open_timeout=PATIENCE) as link:
            page = Page(link)
            for domain in ("Page", "Runtime", "Log", "Network"):
                page.do(f"{domain}.enable")
            page.look(**how)
            yield page


class Page:
    """A page in the browser; ``complaints`` are errors and warnings, ``asked`` what it loaded."""

    def __init__(self, link):
        self._link = link
        self._ids = itertools.count(1)
        self._events = []
        self.complaints = []
        self.asked = []

    def do(self, method, **params):
        """Do what the DevTools protocol calls so, and return its result."""
        number = next(self._ids)
        self._link.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._link.recv(timeout=PATIENCE))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    def _note(self, message):
        name, params = message["method"], message["params"]
        self._events.append(name)
        if name == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        elif name == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"]["text"])
        elif name == "Runtime.consoleAPICalled":
            self.complaints.append(json.dumps(params["args"]))
        elif name == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])

    def look(self, *, width=1440, height=900, dark=False, script=True, touch=False):
        """Set the window's size, day or night, and whether scripts run."""
        self.do(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=touch,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.do("Emulation.setEmulatedMedia", features=[scheme])
        self.do("Emulation.setScriptExecutionDisabled", value=not script)

    def open(self, url):
        """Open a page and wait until it is loaded."""
        self._events.clear()
        self.do("Page.navigate", url=url)
        while "Page.loadEventFired" not in self._events:
            self._note(json.loads(self._link.recv(timeout=PATIENCE)))

    def value(self, expression):
        """Return what an expression gives."""
        result = self.do("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def press(self, key):
        """Press a key."""
        text = {"Enter": "\r"}.get(key)
        given = {"key": key, "code": key}
        if text:
            given |= {"text": text, "windowsVirtualKeyCode": 13}
        self.do("Input.dispatchKeyEvent", type="keyDown", **given)
        self.do("Input.dispatchKeyEvent", type="keyUp", key=key, code=key)

    def shot(self, path, *, whole=False):
        """Write a picture of it."""
        made = self.do("Page.captureScreenshot", captureBeyondViewport=whole)
        Path(path).write_bytes(base64.b64decode(made["data"]))

    def pdf(self, path=None):
        """Return it as it is printed, and write that."""
        made = self.do("Page.printToPDF", preferCSSPageSize=True, printBackground=False)
        content = base64.b64decode(made["data"])
        if path:
            Path(path).write_bytes(content)
        return content
