"""A headless Chromium, spoken to over a pipe, for suites that look at pages.

No network is needed and none is wished: every request that the page makes is recorded.
"""

import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

from verdicts import Failed, Skip

NAMES = ("chromium", "chromium-browser", "google-chrome")


class Browser:
    """One page of a browser of its own; use it in a `with`."""

    def __init__(self, seconds=60):
        program = next((path for path in map(shutil.which, NAMES) if path), None)
        if not program:
            raise Skip("no Chromium is here")
        self.program, self.seconds = program, seconds
        self.events, self.number, self.buffer = [], 0, b""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="lethe-browser-", dir=os.environ.get("LETHE_TMP"))
        (to_read, self.to_write), (self.to_hear, to_answer) = os.pipe(), os.pipe()

        def connect():
            # The browser reads from descriptor 3 and answers on 4.
            reads, answers = os.dup(to_read), os.dup(to_answer)
            os.dup2(reads, 3)
            os.dup2(answers, 4)

        self.process = subprocess.Popen(
            [self.program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--disable-background-networking", "--no-first-run", "--remote-debugging-pipe",
             f"--user-data-dir={self.folder}", "about:blank"],
            preexec_fn=connect, close_fds=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            env=dict(os.environ, HOME=self.folder))
        os.close(to_read)
        os.close(to_answer)
        self.session = None
        targets = self.ask("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        self.session = self.ask("Target.attachToTarget", targetId=page["targetId"],
                                flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        try:
            self.session = None
            self.ask("Browser.close")
            self.process.wait(10)
        except (Failed, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.to_write)
        os.close(self.to_hear)
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, method, **parameters):
        """One call of the DevTools protocol and its answer; events meanwhile are kept."""
        self.number += 1
        call = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            call["sessionId"] = self.session
        os.write(self.to_write, json.dumps(call).encode() + b"\0")
        deadline = time.monotonic() + self.seconds
        while True:
            message = self.hear(deadline)
            if message.get("id") != self.number:
                self.events.append(message)
                continue
            if "error" in message:
                raise Failed(f"the browser refuses {method}: {message['error'].get('message')}")
            return message["result"]

    def hear(self, deadline):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.to_hear], [], [], max(0, deadline - time.monotonic()))
            found = os.read(self.to_hear, 1 << 20) if ready else b""
            if not found:
                raise Failed("the browser does not answer")
            self.buffer += found
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def open(self, path, width=1440, height=900, scheme="light", media="screen"):
        """Shows a file as a screen of that width would, and waits until it is loaded."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=False)
        self.ask("Emulation.setEmulatedMedia", media=media,
                 features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events = []
        self.ask("Page.navigate", url=pathlib.Path(path).resolve().as_uri())
        deadline = time.monotonic() + self.seconds
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.hear(deadline))

    def requests(self):
        """The addresses that the page asked for since it was opened, itself among them."""
        return [event["params"]["request"]["url"] for event in self.events
                if event.get("method") == "Network.requestWillBeSent"]

    def complaints(self):
        """What the browser says of the page: violations of its policy, errors."""
        return [event["params"]["entry"]["text"] for event in self.events
                if event.get("method") == "Log.entryAdded"]

    def evaluate(self, script):
        found = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in found:
            raise Failed(f"a script of the suite failed: {found['exceptionDetails']}")
        return found["result"].get("value")

    def screenshot(self, path, whole=True):
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 16000), "scale": 1}
        shot = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole,
                        **({"clip": clip} if whole else {}))
        pathlib.Path(path).write_bytes(base64.b64decode(shot["data"]))

    def print(self):
        """The page on A4, as PDF."""
        done = self.ask("Page.printToPDF", preferCSSPageSize=True, printBackground=False)
        return base64.b64decode(done["data"])
