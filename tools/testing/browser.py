"""A browser without a screen, led through its debugging pipe (the Chrome DevTools Protocol), with
nothing but Python's standard library.

    with browser.Browser(program) as it:
        page = it.open("file:///…/report.html", width=1280, scheme="dark")
        page.evaluate("document.title")
        page.screenshot("/tmp/report.png")
        page.complaints, page.requests
"""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

# For one answer, on a slow machine.
PATIENCE = 60


class Browser:
    def __init__(self, program):
        self._home = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        commands, self._write = os.pipe()
        self._read, answers = os.pipe()
        # Away from 3 and 4, which the browser reads from and writes to.
        commands, answers = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 64)
                             for fd in self._replaced(commands, answers))

        def pipes():
            os.dup2(commands, 3)
            os.dup2(answers, 4)

        self._process = subprocess.Popen(
            [program, "--headless", "--remote-debugging-pipe", "--disable-gpu", "--no-sandbox",
             "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
             "--hide-scrollbars", f"--user-data-dir={self._home}/profile"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"HOME": self._home, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            pass_fds=(3, 4), preexec_fn=pipes)
        os.close(commands)
        os.close(answers)
        self._buffer = b""
        self._last = 0
        self._target = None
        self.events = []

    @staticmethod
    def _replaced(*descriptors):
        """Each descriptor once; it is closed when the next is asked for."""
        for descriptor in descriptors:
            yield descriptor
            os.close(descriptor)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._write)  # the end of the pipe ends the browser
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)
        shutil.rmtree(self._home, ignore_errors=True)

    def call(self, method, session=None, **parameters):
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") != self._last:
                self.events.append(answer)
                continue
            if "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']['message']}")
            return answer["result"]

    def wait(self, method, session):
        """The next event of that name; those before it are kept."""
        for event in self.events:
            if event.get("method") == method and event.get("sessionId") == session:
                return event
        while True:
            event = self._next()
            self.events.append(event)
            if event.get("method") == method and event.get("sessionId") == session:
                return event

    def _next(self):
        end = time.monotonic() + PATIENCE
        while b"\0" not in self._buffer:
            if not select.select([self._read], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError("the browser does not answer")
            more = os.read(self._read, 1 << 20)
            if not more:
                raise RuntimeError(f"the browser ended: {self._process.wait()}")
            self._buffer += more
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def open(self, address, width=1280, height=900, scheme="light", media="screen"):
        """The page at `address`, loaded, as `scheme` (light, dark) and `media` (screen, print)
        show it. The page before it is closed."""
        if self._target:
            self.call("Target.closeTarget", targetId=self._target)
        self._target = target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable", session)
        self.call("Emulation.setDeviceMetricsOverride", session, width=width, height=height,
                  deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", session, media=media,
                  features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        self.call("Page.navigate", session, url=address)
        self.wait("Page.loadEventFired", session)
        return Page(self, session)


class Page:
    def __init__(self, browser, session):
        self._browser = browser
        self._session = session

    def _events(self, *methods):
        return [event["params"] for event in self._browser.events
                if event.get("method") in methods and event.get("sessionId") == self._session]

    @property
    def complaints(self):
        """What the page's console and the browser's log say."""
        return [json.dumps(event)[:500] for event in self._events(
            "Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")]

    @property
    def requests(self):
        """The addresses that were asked for, the page's own among them."""
        return [event["request"]["url"] for event in self._events("Network.requestWillBeSent")]

    def evaluate(self, expression):
        answer = self._browser.call("Runtime.evaluate", self._session, expression=expression,
                                    returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return answer["result"].get("value")

    def screenshot(self, path):
        """The whole page, as a PNG."""
        data = self._browser.call("Page.captureScreenshot", self._session,
                                  captureBeyondViewport=True)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def pdf(self):
        return base64.b64decode(self._browser.call("Page.printToPDF", self._session)["data"])
