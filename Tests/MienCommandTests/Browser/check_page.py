#!/usr/bin/env python3
"""Uses the web page of `mien-server` in a real browser, as people do.

    check_page.py SERVER PHOTO CAMERA [CHECK…]

SERVER is the built mien-server, PHOTO a picture with one smiling face, CAMERA an MJPEG file of such a face that the
browser takes for its camera. Prints a line a check; the exit status is 1 where one failed.
"""

import base64
import csv
import io
import json
import os
import struct
import subprocess
import sys
import tempfile
import threading
import traceback
import zlib

from chromium import Failure, Page

TOKEN = "a-token-of-the-browser-tests"
EMOTIONS = ["anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]


class Server:
    """A running mien-server."""

    def __init__(self, program, *options):
        self.process = subprocess.Popen(
            [program, "serve", "--port", "0", *options], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        self.url = None
        for line in self.process.stderr:
            if '"listening"' in line:
                self.url = json.loads(line)["url"] + "/"
                break
        if not self.url:
            raise Failure("the server did not start")
        # A full pipe would stop the server.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def close(self):
        self.process.terminate()
        self.process.wait(40)


def expect(condition, what):
    if not condition:
        raise Failure(what)


def blank(path):
    """Writes a grey PNG."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x80" * 320) * 240
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 320, 240, 8, 0, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return path


class Checks:
    """Each method is a check; it starts on the page as it was just opened."""

    def __init__(self, server, guarded, photo, camera, folder):
        self.server, self.guarded, self.photo, self.camera, self.folder = server, guarded, photo, camera, folder

    @staticmethod
    def settle(page):
        """Waits until every frame that was taken is sent and answered, so that what was read stays the same."""
        def frames():
            sent = {event["requestId"] for event in page.all("Network.requestWillBeSent")
                    if "/frames" in event["request"]["url"]}
            return sent, sent <= {event["requestId"] for event in page.all("Network.loadingFinished")}

        def is_quiet():
            before = frames()
            page.run("new Promise((resolve) => setTimeout(resolve, 1000))")
            return before[1] and frames() == before

        page.wait(is_quiet, "the answers to the last frames")

    def photos(self, page):
        """Dropped photos: their faces and emotions."""
        page.drop(self.photo, blank(os.path.join(self.folder, "blank.png")))
        page.wait("document.querySelectorAll('.face').length === 1", "one face")
        expect(page.text(".face-emotion").lower() == "happiness", f"the emotion is {page.text('.face-emotion')!r}")
        expect(len(page.run("[...document.querySelectorAll('.bar')].map((bar) => bar.innerText)")) == 8, "eight bars")
        expect("1 face. Face 1: happiness" in page.text("#announcer"), f"announced: {page.text('#announcer')!r}")
        drawn = "(() => { const c = document.getElementById('overlay'); return c.getContext('2d')" \
            ".getImageData(0, 0, c.width, c.height).data.some((value) => value > 0); })()"
        expect(page.run(drawn), "nothing is drawn over the photo")
        page.wait("document.querySelectorAll('.thumb')[1].getAttribute('aria-label') === 'blank.png, 0 faces'", "no face")
        page.click(".strip li:nth-child(2) button")
        page.wait("document.getElementById('stage-message').innerText === 'No face found'", "the words for no face")
        expect(page.run("document.querySelectorAll('.face').length") == 0, "a face on a blank picture")

    def broken_photo(self, page):
        """A file that is no picture is named as such."""
        path = os.path.join(self.folder, "broken.jpg")
        with open(path, "wb") as file:
            file.write(b"\xff\xd8\xff nothing more")
        page.drop(path)
        page.wait("document.getElementById('faces-empty').innerText.length > 10", "words on the broken file")
        page.expected += ["422"]

    def exports(self, page):
        """What is saved is what was read."""
        page.drop(self.photo)
        page.wait("!document.getElementById('save-json').disabled", "readings")
        name = os.path.splitext(os.path.basename(self.photo))[0]
        page.click("#save-json")
        [picture] = json.loads(page.downloaded(f"{name}.json"))
        expect(picture["file"] == os.path.basename(self.photo), "the file's name")
        [face] = picture["faces"]
        expect(face["emotion"] == "happiness" and abs(sum(face["scores"].values()) - 1) < 1e-3, f"the face: {face}")
        page.click("#save-csv")
        header, row = csv.reader(io.StringIO(page.downloaded(f"{name}.csv").decode()))
        expect(header[9:17] == EMOTIONS and len(row) == len(header), f"the columns: {header}")
        expect(row[6] == "happiness" and int(row[2]) == face["box"]["x"], f"the row: {row}")
        page.click("#save-picture")
        saved = page.downloaded(f"{name}-mien.png")
        expect(struct.unpack(">II", saved[16:24]) == (picture["width"], picture["height"]), "the picture's size")

    def explanation(self, page):
        """Why a face is read as it is: a map over the face, by the button and by a second click on the face."""
        page.drop(self.photo)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.click(".explanation .quiet")
        page.wait("!document.querySelector('.explanation figure').hidden", "the map")
        expect("happiness" in page.text(".explanation figcaption"), f"below it: {page.text('.explanation figcaption')!r}")
        label = page.run("document.querySelector('.explanation-map').getAttribute('aria-label')")
        expect(label.startswith("Face 1, happiness shows most in the "), f"the map's name: {label!r}")
        coloured = page.run("""(() => {
          const map = document.querySelector('.explanation-map');
          const { data } = map.getContext('2d').getImageData(0, 0, map.width, map.height);
          let count = 0;
          for (let i = 0; i < data.length; i += 4) count += Math.abs(data[i] - data[i + 2]) > 40 ? 1 : 0;
          return count / (map.width * map.height);
        })()""")
        expect(0.02 < coloured < 0.9, f"{coloured:.2f} of the map is coloured")
        page.click(".explanation .quiet")
        page.wait("document.querySelector('.explanation figure').hidden", "the map to go")
        page.click("#save-json")
        [picture] = json.loads(page.downloaded(f"{os.path.splitext(os.path.basename(self.photo))[0]}.json"))
        box = picture["faces"][0]["box"]
        across, down = (box["x"] + box["width"] / 2) / picture["width"], (box["y"] + box["height"] / 2) / picture["height"]
        page.run(f"""(() => {{
          const viewport = document.getElementById('viewport');
          const {{ left, top, width, height }} = viewport.getBoundingClientRect();
          const place = {{ clientX: left + {across} * width, clientY: top + {down} * height }};
          viewport.dispatchEvent(new MouseEvent('click', place));
        }})()""")
        page.wait("!document.querySelector('.explanation figure').hidden", "the map after a click on the face")

    def correction(self, page):
        """A correction is kept by the server, with no picture unless asked."""
        page.drop(self.photo)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.click(".correction .quiet")
        page.run("document.querySelector('.correction-form select').value = 'sadness'")
        page.click(".correction-form .primary")
        page.wait("document.querySelector('.correction .quiet').innerText.startsWith('Stored')", "the thanks")
        [kept] = page.run("fetch('/v1/corrections?profile=me').then((response) => response.json())")["corrections"]
        expect(kept["emotion"] == "sadness" and kept["read"]["emotion"] == "happiness", f"kept: {kept}")
        expect(kept["hasCrop"] is False, "a picture is kept")

    def camera_readings(self, page):
        """The camera: readings come, with a track, a timeline and files."""
        page.click("#welcome [data-open=camera]")
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.wait("/[0-9] readings.s · [0-9]+ ms/.test(document.getElementById('readout').innerText)", "the speed")
        label = page.wait("document.getElementById('timeline').getAttribute('aria-valuetext').includes('%') && "
                          "document.getElementById('timeline').getAttribute('aria-valuetext')", "the timeline")
        expect("happiness" in label, f"the timeline says {label!r}")
        page.wait(lambda: sum("/frames" in url for url in page.requests()) > 5, "further frames")
        page.click(".switch label:nth-of-type(2)")
        page.click("#play")
        page.wait("document.getElementById('play').innerText === 'Resume'", "the pause")
        self.settle(page)
        page.click("#save-json")
        rows = [json.loads(line) for line in page.downloaded("camera.jsonl").splitlines()]
        seen = [row for row in rows if row["track"] is not None]
        expect(len(seen) >= 3 and all(row["smoothed"]["happiness"] > 0.5 for row in seen), f"the readings: {seen}")
        expect([row["seconds"] for row in rows] == sorted(row["seconds"] for row in rows), "the order of time")
        page.click("#save-csv")
        lines = list(csv.reader(io.StringIO(page.downloaded("camera.csv").decode())))
        expect(len(lines) == len(rows) + 1 and all(len(line) == len(lines[0]) for line in lines), "the rows of the CSV")
        page.click("#close-source")
        page.wait("!document.getElementById('welcome').hidden", "the first screen")
        page.wait(lambda: any(event["request"]["method"] == "DELETE" for event in page.all("Network.requestWillBeSent")),
                  "the session to be given up")

    def at_most_two_frames(self, page):
        """Never more than two frames are under way, however slow the server is."""
        page.run("""(() => {
          window.most = 0;
          let underWay = 0;
          const plain = window.fetch;
          window.fetch = async (path, options) => {
            if (!String(path).includes('/frames')) return plain(path, options);
            underWay += 1;
            window.most = Math.max(window.most, underWay);
            await new Promise((resolve) => setTimeout(resolve, 300));
            try { return await plain(path, options); } finally { underWay -= 1; }
          };
        })()""")
        page.click("#welcome [data-open=camera]")
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.run("new Promise((resolve) => setTimeout(resolve, 1500))")
        expect(page.run("window.most") == 2, f"{page.run('window.most')} frames were under way")

    def camera_refused(self, page):
        """A camera that is refused, or not there."""
        for name, words in (("NotAllowedError", "was refused"), ("NotFoundError", "No camera")):
            page.run("navigator.mediaDevices.getUserMedia = () => "
                     f"Promise.reject(new DOMException('', '{name}'))")
            page.click("#welcome [data-open=camera]")
            page.wait(f"document.getElementById('notice').innerText.includes({json.dumps(words)})", words)
            expect(page.run("document.activeElement.closest('#welcome') !== null"), "the focus is lost")

    def video(self, page):
        """A video: read while it plays, shown again from what was read."""
        with open(self.photo, "rb") as file:
            data = base64.b64encode(file.read()).decode()
        page.run("""(async () => {
          const bytes = Uint8Array.from(atob('DATA'), (letter) => letter.charCodeAt(0));
          const photo = await createImageBitmap(new Blob([bytes]));
          const canvas = Object.assign(document.createElement('canvas'), { width: 256, height: 256 });
          const draw = (x) => canvas.getContext('2d').drawImage(photo, x, 0, 400, 400, 0, 0, 256, 256);
          draw(0);
          const recorder = new MediaRecorder(canvas.captureStream(15), { mimeType: 'video/webm;codecs=vp8' });
          const parts = [];
          recorder.ondataavailable = (event) => parts.push(event.data);
          recorder.start();
          for (let i = 0; i < 45; i += 1) {
            draw(i);
            await new Promise((resolve) => setTimeout(resolve, 66));
          }
          await new Promise((resolve) => { recorder.onstop = resolve; recorder.stop(); });
          const transfer = new DataTransfer();
          transfer.items.add(new File(parts, 'clip.webm', { type: 'video/webm' }));
          const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
          document.body.dispatchEvent(new DragEvent('drop', options));
        })()""".replace("DATA", data))
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.wait("document.getElementById('play').innerText === 'Play again'", "the end")
        self.settle(page)
        sent = sum("/frames" in url for url in page.requests())
        expect(sent >= 3, f"{sent} frames were read")
        page.run("document.getElementById('timeline').focus()")
        page.key("Home")
        page.wait("document.getElementById('video').currentTime === 0", "the start")
        for _ in range(2):
            page.key("ArrowRight")
        page.wait("document.querySelectorAll('.face').length === 1", "the face that was read before")
        expect(sum("/frames" in url for url in page.requests()) == sent, "what was read is read again")
        page.wait("!document.getElementById('video').seeking", "the frame")
        drawn = "new Promise((resolve) => setTimeout(() => resolve(document.getElementById('overlay').toDataURL()), 500))"
        page.wait(lambda: page.run(drawn) == page.run(drawn), "the picture to stand still")
        before = page.run(drawn)
        page.run("document.getElementById('video').dispatchEvent(new Event('pause'))")
        expect(page.run(drawn) == before, "a pause shows the faces of another frame")

    def token(self, page):
        """A server that wants a token: asked for once, again where it is wrong, kept for the tab only."""
        page.expected += ["401"]
        page.open(self.guarded.url)
        page.wait("document.getElementById('token-dialog').open", "the question")
        expect(page.run("document.activeElement.id") == "token", "the focus is not on the field")
        page.type("not-the-token-it-wants")
        page.key("Enter")
        page.wait("document.getElementById('token-error').innerText.includes('not accept')", "the refusal")
        page.type(TOKEN)
        page.key("Enter")
        page.wait("document.getElementById('model').innerText.length > 5", "the model's name")
        expect(not page.run("document.getElementById('token-dialog').open"), "the question is still there")
        expect(page.run("Object.values(sessionStorage)") == [TOKEN], "the token is not in the tab's storage")
        expect(page.run("localStorage.length === 0 && document.cookie === ''"), "the token is kept elsewhere")
        page.drop(self.photo)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.open(self.guarded.url)
        page.wait("document.getElementById('model').innerText.length > 5", "the model's name again")
        page.click("#forget-token")
        page.wait("document.getElementById('token-dialog')?.open", "the question after the token was forgotten")

    def busy(self, page):
        """A busy server is left alone for as long as it asks, and tried again."""
        page.expected += ["429"]
        page.run("""(() => {
          const plain = window.fetch;
          window.times = [];
          window.fetch = (path, options) => {
            if (!String(path).includes('/v1/detect') || window.times.push(performance.now()) > 1) return plain(path, options);
            const headers = { 'Retry-After': '5' };
            return Promise.resolve(new Response('{"error": {"message": "busy"}}', { status: 429, headers }));
          };
        })()""")
        page.drop(self.photo)
        page.wait("document.getElementById('notice').innerText.includes('busy')", "the words for a busy server")
        page.wait("document.querySelectorAll('.face').length === 1", "a face after all")
        expect(page.run("window.times[1] - window.times[0]") >= 4990, "it was tried again too early")
        expect(page.run("document.getElementById('notice').hidden"), "the notice stays")

    def away(self, page):
        """A server that does not answer."""
        page.expected += ["ERR_INTERNET_DISCONNECTED"]
        network = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        page.call("Network.emulateNetworkConditions", offline=True, **network)
        page.drop(self.photo)
        page.wait("document.getElementById('notice').innerText.includes('does not answer')", "the words for it")
        page.call("Network.emulateNetworkConditions", offline=False, **network)
        page.wait("document.querySelectorAll('.face').length === 1", "a face after all")

    def unsure(self, page):
        """Where the server gives no emotion, the page says so."""
        page.run("""(() => {
          const plain = window.fetch;
          window.fetch = async (path, options) => {
            const response = await plain(path, options);
            if (!String(path).includes('/v1/detect')) return response;
            const json = await response.json();
            json.faces[0].confident = false;
            return new Response(JSON.stringify(json), { status: 200 });
          };
        })()""")
        page.drop(self.photo)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        expect(page.text(".face-emotion").lower() == "unsure", f"the page says {page.text('.face-emotion')!r}")
        expect("perhaps happiness" in page.text(".face-detail"), f"the page says {page.text('.face-detail')!r}")

    def keyboard(self, page):
        """All of it by the keyboard alone, with a name for all that has the focus."""
        def tab_to(selector):
            for _ in range(40):
                page.key("Tab")
                if page.run(f"document.activeElement.matches({json.dumps(selector)})"):
                    return
            raise Failure(f"Tab does not lead to {selector}")

        tab_to("#welcome [data-open=photos]")
        page.key("Enter")
        page.choose_files(1, self.photo)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        tab_to(".face-head")
        expect(page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid", "the focus is not seen")
        tab_to("#save-csv")
        page.key("Enter")
        page.downloaded(f"{os.path.splitext(os.path.basename(self.photo))[0]}.csv")
        nodes = page.call("Accessibility.getFullAXTree")["nodes"]
        for node in nodes:
            focusable = any(one["name"] == "focusable" and one["value"]["value"] for one in node.get("properties", []))
            if focusable and node["role"]["value"] not in ("RootWebArea", "generic", "main"):
                expect(node.get("name", {}).get("value"), f"without a name: {node['role']['value']}")

    def phone(self, page):
        """On a phone nothing is cut off, and what is touched is large enough."""
        page.viewport(390, 844, 2, True)
        try:
            page.open(self.server.url)
            for step in range(2):
                if step == 1:
                    page.drop(self.photo)
                    page.wait("document.querySelectorAll('.face').length === 1", "a face")
                expect(page.run("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the phone")
                small = page.run("[...document.querySelectorAll('button, select')].filter((one) => one.offsetParent && "
                                 "one.getBoundingClientRect().height < 38).map((one) => one.innerText)")
                expect(small == [], f"too small to touch: {small}")
        finally:
            page.call("Emulation.clearDeviceMetricsOverride")

    def served(self, page):
        """The files: what they are, that they are not sent twice, and that only this server is spoken to."""
        head = page.run("""(async () => {
          const response = await fetch('/');
          return Object.fromEntries(response.headers);
        })()""")
        expect(head["content-type"] == "text/html; charset=utf-8", f"the type: {head['content-type']}")
        for directive in ("default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"):
            expect(directive in head["content-security-policy"], f"the policy: {head['content-security-policy']}")
        again = page.run(f"fetch('/', {{ headers: {{ 'If-None-Match': {json.dumps(head['etag'])} }}, cache: 'no-store' }})"
                         ".then((response) => response.status)")
        expect(again == 304, f"an unchanged page is answered by {again}")
        blocked = page.run("fetch('https://example.org/').then(() => false, () => true)")
        expect(blocked, "another host can be reached")
        page.expected += ["example.org"]


def run(checks, names, browser_flags):
    """Runs checks, each on a fresh page; returns how many failed."""
    failed = 0
    page = Page(*browser_flags)
    try:
        for name in names:
            page.events.clear()
            page.expected = []
            try:
                page.open(checks.server.url)
                page.wait("document.getElementById('model').innerText.length > 5", "the page to start")
                getattr(checks, name)(page)
                complaints = [text for text in page.complaints() if not any(one in text for one in page.expected)]
                expect(not complaints, f"the console says: {complaints}")
                own = (checks.server.url, checks.guarded.url, "blob:", "data:")
                foreign = [url for url in page.requests() if not url.startswith(own) and "example.org" not in url]
                expect(not foreign, f"requests to elsewhere: {foreign}")
                print(f"ok      {name}", flush=True)
            except Failure as failure:
                failed += 1
                print(f"FAILED  {name}: {failure}", flush=True)
            except Exception:
                failed += 1
                print(f"FAILED  {name}: {traceback.format_exc()}", flush=True)
    finally:
        page.close()
    return failed


def main():
    program, photo, camera = map(os.path.abspath, sys.argv[1:4])
    names = sys.argv[4:] or [name for name, value in vars(Checks).items()
                             if not name.startswith("_") and callable(value) and not isinstance(value, staticmethod)]
    with tempfile.TemporaryDirectory(prefix="mien-page-") as folder:
        token_file = os.path.join(folder, "tokens")
        with open(token_file, "w") as file:
            file.write(TOKEN + "\n")
        server = Server(program, "--corrections", os.path.join(folder, "corrections.sqlite"))
        guarded = Server(program, "--token-file", token_file)
        try:
            flags = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
                     f"--use-file-for-fake-video-capture={camera}")
            sys.exit(1 if run(Checks(server, guarded, photo, camera, folder), names, flags) else 0)
        finally:
            server.close()
            guarded.close()


if __name__ == "__main__":
    main()
