"""Drives Chromium by its DevTools protocol (https://chromedevtools.github.io/devtools-protocol/) over a pipe.

Needs nothing but Python's own library.
"""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time


def installed():
    """The path of Chromium; None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for path in map(shutil.which, names) if path), None)


class Failure(Exception):
    """Something is not as it should be."""


class Page:
    """A browser with one page."""

    def __init__(self, *flags, width=1280, height=860):
        self.folder = tempfile.TemporaryDirectory(prefix="mien-browser-", ignore_cleanup_errors=True)
        self.downloads = os.path.join(self.folder.name, "downloads")
        os.mkdir(self.downloads)
        self._start(flags, width, height)
        self.events = []
        self._answers = {}
        self._arrived = threading.Condition()
        self._next = 0
        self._session = None
        threading.Thread(target=self._read, daemon=True).start()
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM", "Accessibility"):
            self.call(f"{domain}.enable")
        session, self._session = self._session, None
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=self.downloads)
        self._session = session
        self.call("Page.setInterceptFileChooserDialog", enabled=True)

    def _start(self, flags, width, height):
        to_browser, from_browser = os.pipe(), os.pipe()
        # Chromium reads from descriptor 3 and writes to 4; copies well above leave those two free to be replaced.
        theirs = [fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in (to_browser[0], from_browser[1])]

        def place():
            os.dup2(theirs[0], 3)
            os.dup2(theirs[1], 4)

        command = [
            installed(), "--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio",
            "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required", f"--window-size={width},{height}",
            f"--user-data-dir={self.folder.name}/profile", *flags,
        ]
        self.process = subprocess.Popen(
            command, preexec_fn=place, pass_fds=(3, 4), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        for fd in (*theirs, to_browser[0], from_browser[1]):
            os.close(fd)
        self._in, self._out = os.fdopen(to_browser[1], "wb", 0), os.fdopen(from_browser[0], "rb", 0)

    def _read(self):
        pending = b""
        while chunk := self._out.read(1 << 16):
            *messages, pending = (pending + chunk).split(b"\0")
            for text in messages:
                message = json.loads(text)
                with self._arrived:
                    if "id" in message:
                        self._answers[message["id"]] = message
                    else:
                        self.events.append((message["method"], message["params"]))
                    self._arrived.notify_all()
                if message.get("method") == "Page.javascriptDialogOpening":
                    self._leave(message)

    def _leave(self, message):
        """Answers the browser's question before a page with unsaved readings is left: yes, as the next check may begin."""
        answer = {"id": -1, "method": "Page.handleJavaScriptDialog", "params": {"accept": True}}
        self._in.write(json.dumps({**answer, "sessionId": message["sessionId"]}).encode() + b"\0")

    def call(self, method, **parameters):
        """Calls a method of the protocol and returns its result."""
        self._next += 1
        number = self._next
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._in.write(json.dumps(message).encode() + b"\0")
        with self._arrived:
            if not self._arrived.wait_for(lambda: number in self._answers, timeout=60):
                raise Failure(f"{method}: the browser does not answer")
            answer = self._answers.pop(number)
        if "error" in answer:
            raise Failure(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def close(self):
        """Ends the browser."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    # What happened

    def all(self, method):
        """The parameters of all events of a kind."""
        with self._arrived:
            return [parameters for name, parameters in self.events if name == method]

    def complaints(self):
        """What a developer would see in the console: exceptions, errors, warnings, what the policy blocked."""
        found = [event["exceptionDetails"].get("exception", {}).get("description", event["exceptionDetails"]["text"])
                 for event in self.all("Runtime.exceptionThrown")]
        found += [" ".join(str(one.get("value", one.get("description"))) for one in event["args"])
                  for event in self.all("Runtime.consoleAPICalled") if event["type"] in ("error", "warning", "assert")]
        found += [f"{event['entry']['text']} {event['entry'].get('url', '')}" for event in self.all("Log.entryAdded")
                  if event["entry"]["level"] in ("error", "warning")]
        return found

    def requests(self):
        """The addresses of all requests."""
        return [event["request"]["url"] for event in self.all("Network.requestWillBeSent")]

    # What a person does

    def open(self, url):
        """Goes to a page and waits for it."""
        loader = self.call("Page.navigate", url=url)["loaderId"]
        self.wait(lambda: any(event["frame"]["loaderId"] == loader for event in self.all("Page.frameNavigated")),
                  f"{url} to come")
        self.wait("document.readyState === 'complete'", f"{url} to load")

    def run(self, script):
        """The value of an expression."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True)
        if "exceptionDetails" in answer:
            raise Failure(f"{script}: {answer['exceptionDetails'].get('exception', {}).get('description')}")
        return answer["result"].get("value")

    def wait(self, condition, what, seconds=30):
        """Waits until an expression, or a function, is true; returns its value."""
        end = time.monotonic() + seconds
        while True:
            value = condition() if callable(condition) else self.run(condition)
            if value:
                return value
            if time.monotonic() > end:
                raise Failure(f"waited {seconds} s for {what}; the page says: {self.text()!r}")
            time.sleep(0.05)

    def text(self, selector="body"):
        """The visible text of an element."""
        return self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def click(self, selector):
        """Clicks in the middle of an element."""
        self.run(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'nearest'}})")
        x, y = self.run(f"(() => {{ const b = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
                        "return [b.x + b.width / 2, b.y + b.height / 2]; })()")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def key(self, name, text=None):
        """Presses a key, as `Tab`."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "ArrowLeft": 37, "ArrowRight": 39, "End": 35, "Home": 36, "Delete": 46}
        text = text or {"Enter": "\r", " ": " "}.get(name)
        common = {"key": name, "code": "Space" if name == " " else name, "windowsVirtualKeyCode": codes.get(name, 0)}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text):
        """Types into what has the focus."""
        self.call("Input.insertText", text=text)

    def drop(self, *paths):
        """Drops files on the page."""
        data = {"items": [], "files": list(paths), "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, x=300, y=300, data=data)

    def choose_files(self, count, *paths):
        """Answers the `count`th file dialog that the page opened."""
        event = self.wait(lambda: self.all("Page.fileChooserOpened")[count - 1:count], "a file dialog")[0]
        self.call("DOM.setFileInputFiles", files=list(paths), backendNodeId=event["backendNodeId"])

    def downloaded(self, name):
        """The content of a file that was saved."""
        path = os.path.join(self.downloads, name)
        self.wait(lambda: os.path.exists(path) and os.path.getsize(path) > 0, f"{name} among {os.listdir(self.downloads)}")
        with open(path, "rb") as file:
            return file.read()

    def viewport(self, width, height, scale=1, phone=False):
        """Gives the page another size."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=phone)

    def touch(self, enabled):
        """Has the page believe that it is touched by fingers, without a mouse."""
        self.call("Emulation.setTouchEmulationEnabled", enabled=enabled)

    def prefer(self, **features):
        """Sets media features, as `prefers_color_scheme="dark"`."""
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": name.replace("_", "-"), "value": value} for name, value in features.items()])

    def screenshot(self, path, whole=False):
        """Takes a picture of the page: PNG, or WebP by the file's name."""
        options = {"format": "webp", "quality": 82} if path.endswith(".webp") else {"format": "png"}
        data = self.call("Page.captureScreenshot", captureBeyondViewport=whole, **options)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
