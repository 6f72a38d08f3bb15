"""A browser without a window, driven by Chromium's DevTools protocol over two pipes, by no other package."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

BEGIN = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""The protocol's pipes are numbers 3 and 4 of the browser."""

READY = """document.readyState === 'complete' &&
    (document.documentElement.dataset.ready !== undefined || document.scripts.length === 0)"""
"""What a page says of itself once it is drawn, or once it has given up; one without scripts is drawn."""

LONGEST = 120.0
"""Seconds after which what a page does not come to is a fault."""

OPTIONS = (
    "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
)  # fmt: skip


def program() -> str | None:
    """Return where a browser is, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def _is_of_the_test(told: dict[str, Any]) -> bool:
    """Tell what is said of tests that read a canvas again and again, maybe when the next page is open."""
    entry = told.get("entry", {})
    return (entry.get("source"), entry.get("level")) == ("rendering", "warning")


class Browser:
    """One page at a time; what it asks of the network and what goes wrong in it is kept."""

    def __init__(self, found: str, profile: Path) -> None:
        pairs = [os.pipe(), os.pipe()]
        theirs = [fcntl.fcntl(pairs[0][0], fcntl.F_DUPFD, 10), fcntl.fcntl(pairs[1][1], fcntl.F_DUPFD, 10)]
        words = [found, *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", BEGIN, *map(str, theirs), *words],
            pass_fds=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for end in (*theirs, pairs[0][0], pairs[1][1]):
            os.close(end)
        self._out, self._in = os.fdopen(pairs[0][1], "wb"), os.fdopen(pairs[1][0], "rb")
        self._count, self._rest = 0, b""
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        (target,) = [each for each in self.send("Target.getTargets")["targetInfos"] if each["type"] == "page"]
        attached = self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its answer; events on the way are kept."""
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        self._out.flush()
        while True:
            found = self._next()
            if found.get("id") == self._count:
                if "error" in found:
                    raise RuntimeError(f"{method}: {found['error']}")
                answer: dict[str, Any] = found["result"]
                return answer
            self.events.append(found)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._in.fileno(), 2**20)
            if not more:
                raise RuntimeError("the browser has ended")
            self._rest += more
        line, self._rest = self._rest.split(b"\0", 1)
        message: dict[str, Any] = json.loads(line)
        return message

    def open(self, file: Path, width: int = 1280, height: int = 900, *, dark: bool = False) -> None:
        """Open a file in a page of this size, and wait until it says that it is ready."""
        self.events.clear()
        phone = width < 600
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=phone,
        )  # fmt: skip
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.send("Emulation.setEmulatedMedia", features=scheme)
        self.send("Page.navigate", url=file.absolute().as_uri())
        self.until(READY)

    def until(self, true: str) -> None:
        """Wait until an expression is true on the page."""
        end = time.monotonic() + LONGEST
        while not self.evaluate(true):
            if time.monotonic() > end:
                raise RuntimeError(f"the page does not come to this: {true}")
            time.sleep(0.02)

    def evaluate(self, script: str) -> Any:
        """Return what an expression is on the page."""
        found = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise RuntimeError(str(found["exceptionDetails"]))
        return found["result"].get("value")

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """Move, press, release or turn the wheel at a place of the page."""
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, x: float, y: float) -> None:
        """Press and release the left button."""
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", clickCount=1)

    def key(self, name: str, modifiers: int = 0) -> None:
        """Press and release a key."""
        codes = {"PageUp": 33, "PageDown": 34, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38,
                 "ArrowRight": 39, "ArrowDown": 40, "Tab": 9}  # fmt: skip
        for kind in ("rawKeyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent", type=kind, key=name, code=name, modifiers=modifiers,
                windowsVirtualKeyCode=codes[name],
            )  # fmt: skip

    def screenshot(self, file: Path, *, whole: bool = True) -> Path:
        """Keep a picture of the page."""
        found = self.send("Page.captureScreenshot", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(found["data"]))
        return file

    @property
    def requests(self) -> list[str]:
        """Return what the page asked for, itself included."""
        return [
            e["params"]["request"]["url"]
            for e in self.events
            if e.get("method") == "Network.requestWillBeSent"
        ]

    @property
    def complaints(self) -> list[str]:
        """Return what the page threw, logged as an error, or was refused by its policy."""
        kinds = ("Runtime.exceptionThrown", "Log.entryAdded")
        told = [e["params"] for e in self.events if e.get("method") in kinds]
        return [json.dumps(each) for each in told if not _is_of_the_test(each)]

    def close(self) -> None:
        """End the browser."""
        try:
            self.send("Browser.close")
        except (RuntimeError, OSError):
            self._process.kill()
        self._process.wait(LONGEST)
        self._out.close()
        self._in.close()
