# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debian's Chromium, driven over the WebDriver protocol of its own chromedriver: nothing is downloaded for it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: Seconds that one command may take, on a machine at work.
PATIENCE = 120

#: No sandbox, which root cannot have in a container; no work of the browser's own on any network.
_ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-proxy-server",
]


class BrowserError(Exception):
    """What the driver says when a command fails."""


class Browser:
    """A session of one browser."""

    def __init__(self, port: int) -> None:
        """Begin a session at the driver that listens on a port."""
        self._base = f"http://127.0.0.1:{port}/session"
        self._direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        options = {"args": _ARGUMENTS, "perfLoggingPrefs": {"enableNetwork": True, "enablePage": False}}
        capabilities = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
            # A script's own limit of 30 s ends axe on the page of many hosts where other tests run beside it.
            "timeouts": {"script": PATIENCE * 1000},
            "unhandledPromptBehavior": "ignore",
        }
        session = self._send("POST", "", {"capabilities": {"alwaysMatch": capabilities}})
        self._base += f"/{session['sessionId']}"

    def _send(self, method: str, place: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + place, data, {"Content-Type": "application/json"}, method=method)
        try:
            with self._direct.open(request, timeout=PATIENCE) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise BrowserError(json.load(error)["value"]["message"]) from None

    def close(self) -> None:
        """End the session and its browser."""
        self._send("DELETE", "")

    def open(self, page: Path, place: str = "") -> None:
        """Load a page anew, at a place in it; also where it is open already."""
        self._send("POST", "/url", {"url": "about:blank"})
        self.logs("performance")
        self.logs("browser")
        self._send("POST", "/url", {"url": page.as_uri() + place})

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a function's body in the page and return its value; a promise is waited for."""
        return self._send("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def devtools(self, command: str, **parameters: Any) -> Any:
        """Send a command of the DevTools protocol."""
        return self._send("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def resize(self, width: int, height: int = 800) -> None:
        """Give the page a width and a height, in its own pixels."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    def logs(self, kind: str) -> list[dict[str, Any]]:
        """Return what was logged since the last call: `browser` or `performance`."""
        entries: list[dict[str, Any]] = self._send("POST", "/se/log", {"type": kind})
        return entries

    def requests(self) -> dict[str, str]:
        """Return the addresses that were asked for since the last call, each with what has kept it from the network."""
        asked: dict[str, str] = {}
        blocked: dict[str, str] = {}
        for entry in self.logs("performance"):
            message = json.loads(entry["message"])["message"]
            given = message["params"]
            if message["method"] == "Network.requestWillBeSent":
                asked[given["requestId"]] = given["request"]["url"]
            elif message["method"] == "Network.loadingFailed":
                blocked[given["requestId"]] = given.get("blockedReason", "")
        return {url: blocked.get(identifier, "") for identifier, url in asked.items()}

    def picture(self, whole: bool = False) -> bytes:
        """Return a PNG of what the window shows, or of the whole page."""
        taken = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(taken["data"])

    def pdf(self) -> bytes:
        """Return the page as it is printed, on the paper and with the margins that it asks for."""
        printed = self.devtools("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        return base64.b64decode(printed["data"])

    def dialog(self) -> str | None:
        """Return the text of a dialog that is open, None where none is."""
        try:
            return str(self._send("GET", "/alert/text"))
        except BrowserError:
            return None


@contextmanager
def browser(home: Path) -> Iterator[Browser]:
    """Give a browser that keeps whatever it keeps in a folder, and end it and its driver."""
    env = {**os.environ, "HOME": str(home), "TMPDIR": str(home), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    env.pop("XDG_CACHE_HOME", None)
    driver = subprocess.Popen(
        ["chromedriver", "--port=0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=env,
    )
    try:
        opened = Browser(_port(driver))
        try:
            yield opened
        finally:
            opened.close()
    finally:
        driver.terminate()
        driver.wait(PATIENCE)


def _port(driver: subprocess.Popen[bytes]) -> int:
    """Return the port that a driver has chosen, as it says itself."""
    assert driver.stdout
    said = []
    for line in driver.stdout:
        said.append(line.decode())
        words = line.decode().rstrip(".\n").split()
        if "started" in words and words[-1].isdigit():
            return int(words[-1])
    raise BrowserError("".join(said))
