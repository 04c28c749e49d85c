#!/usr/bin/env python3
"""Uses the web page of `mien-server` in a real browser, as people do.

    check_page.py SERVER PHOTO CAMERA [CHECK…] [--clip MP4] [--axe FILE]

Prints a line a check; the exit status is 1 if one failed.
"""

import argparse
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

    def __init__(self, server, guarded, program, photo, clip, folder):
        self.server, self.guarded, self.program, self.photo, self.clip, self.folder = (
            server, guarded, program, photo, clip, folder)

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
        expect(page.run("document.getElementById('save-csv').disabled"), "there is something to save though nothing was read")

    def other_files(self, page):
        """Files of other kinds are named, and what can be read of a mixed drop is read."""
        page.expected += ["415", "422"]
        files = {"notes.txt": b"some notes", "IMG_2.HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64),
                 "clip.webm": b"\x1a\x45\xdf\xa3" + bytes(64)}
        for name, data in files.items():
            with open(os.path.join(self.folder, name), "wb") as file:
                file.write(data)
        notes, heic, clip = (os.path.join(self.folder, name) for name in files)
        page.drop(notes)
        page.wait("document.getElementById('notice').innerText.includes('notes.txt is neither a picture nor a video')", "words")
        expect(page.run("!document.getElementById('welcome').hidden"), "the first screen is gone")
        page.drop(self.photo, notes, clip, heic)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        words = page.text("#notice")
        expect("notes.txt is neither" in words and "Left out: clip.webm" in words, f"the page says {words!r}")
        # What the browser cannot show goes to the server as it is: that knows more kinds.
        page.wait("document.querySelectorAll('.thumb').length === 2 && "
                  "document.querySelectorAll('.thumb')[1].getAttribute('aria-label') === 'IMG_2.HEIC, failed'", "the HEIC")
        expect(sum("/v1/detect" in url for url in page.requests()) == 2, "the HEIC was not sent, or twice")
        page.click(".strip li:nth-child(2) button")
        page.wait("document.getElementById('faces-empty').innerText.length > 10", "what the server says of it")
        page.click("#notice-action")
        page.wait("document.getElementById('notice').innerText.includes('cannot show this video')", "the damaged video")

    def strip(self, page):
        """Many photos: how many are read, keys, removing one and all of them."""
        copies = []
        for index in range(3):
            copies.append(os.path.join(self.folder, f"copy-{index}.png"))
            with open(self.photo, "rb") as source, open(copies[-1], "wb") as file:
                file.write(source.read())
        page.drop(*copies)
        page.wait("document.getElementById('photo-count').innerText === '3 photos read'", "all three")
        page.run("document.querySelector('.thumb[aria-current]').focus()")
        for key, name in (("End", "copy-2"), ("Home", "copy-0"), ("ArrowRight", "copy-1")):
            page.key(key)
            page.wait(f"document.getElementById('caption').innerText === '{name}.png'", f"{name} after {key}")
            expect(page.run("document.activeElement.getAttribute('aria-current')") == "true", "the focus stays behind")
        expect(page.run("document.querySelectorAll('.thumb[tabindex=\"0\"]').length") == 1, "every photo is a stop of Tab")
        page.key("Delete")
        page.wait("document.querySelectorAll('.thumb').length === 2", "one photo less")
        page.wait("document.getElementById('caption').innerText === 'copy-2.png'", "its neighbour")
        page.click("#clear-photos")
        page.wait("document.getElementById('discard-dialog').open", "the question")
        page.click("#discard-dialog .primary")
        page.wait("!document.getElementById('welcome').hidden", "the first screen")

    def large_photo(self, page):
        """A photo of 48 million pixels is read by a server that takes 25 million, and told in its own pixels."""
        page.expected += ["413"]
        page.open(self.guarded.url)
        page.wait("document.getElementById('token-dialog').open", "the question")
        page.expected += ["401"]
        page.type(TOKEN)
        page.key("Enter")
        page.wait("document.getElementById('model').innerText.length > 5", "the page to start")
        page.run(self.made("8000", "6000", "context.drawImage(photo, 1000, 0, 6000, 6000)", "image/jpeg", "large.jpg"))
        page.wait("document.querySelectorAll('.face').length === 1", "a face", 90)
        page.click("#save-json")
        [picture] = json.loads(page.downloaded("large.json"))
        expect((picture["width"], picture["height"]) == (8000, 6000), f"the size: {picture['width']}x{picture['height']}")
        expect(picture["faces"][0]["box"]["width"] > 800, f"the box: {picture['faces'][0]['box']}")
        page.click(".explanation .quiet")
        page.wait("!document.querySelector('.explanation figure').hidden", "the map of the copy")

    def made(self, width, height, drawing, kind, name):
        """Drops a picture that is drawn in the browser."""
        with open(self.photo, "rb") as file:
            data = base64.b64encode(file.read()).decode()
        return """(async () => {
          const bytes = Uint8Array.from(atob('DATA'), (letter) => letter.charCodeAt(0));
          const photo = await createImageBitmap(new Blob([bytes]));
          const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
          const context = canvas.getContext('2d');
          DRAWING;
          const transfer = new DataTransfer();
          transfer.items.add(new File([await canvas.convertToBlob({ type: 'KIND' })], 'NAME', { type: 'KIND' }));
          document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
        })()""".replace("WIDTH", width).replace("HEIGHT", height).replace("DRAWING", drawing).replace("KIND", kind) \
            .replace("NAME", name).replace("DATA", data)

    def files_as_mien_writes_them(self, page):
        """What is saved of photos is byte for byte what `mien detect` writes."""
        names = [os.path.basename(self.photo), "blank.png", "-2 =, \"é\".png"]
        blank(os.path.join(self.folder, names[1]))
        for name in (names[0], names[2]):
            with open(self.photo, "rb") as source, open(os.path.join(self.folder, name), "wb") as file:
                file.write(source.read())
        page.drop(*(os.path.join(self.folder, name) for name in names))
        page.wait("document.getElementById('photo-count').innerText === '3 photos read'", "all three")
        page.click("#save-json")
        page.click("#save-csv")
        saved = {kind: page.downloaded(f"mien.{kind}") for kind in ("json", "csv")}
        for kind in saved:
            expect(saved[kind] == self.mien("detect", "--landmarks", "--min-confidence", "0.4", f"--{kind}", "-", "--", *names),
                   f"the page's {kind.upper()} of photos differs from mien's: {saved[kind].decode()}")

    def mien(self, *options):
        """What the command line writes, run in the folder of the files."""
        return subprocess.run([self.program, *options], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              check=True).stdout

    def rows_as_mien_writes_them(self, page):
        """A video that the server reads as a whole is saved byte for byte as `mien video` writes it; one that is read while it
        plays has the same columns, and frames by the same numbers and times."""
        name = os.path.basename(self.clip)
        whole = {kind: self.mien("video", self.clip, "--min-confidence", "0.4", f"--{flag}", "-")
                 for kind, flag in (("jsonl", "json"), ("csv", "csv"))}
        lines = [line.split(",") for line in whole["csv"].decode().split("\r\n")[:-1]]
        page.drop(self.clip)
        page.wait("document.querySelectorAll('.face').length >= 1", "a face")
        page.wait(lambda: sum("/frames" in url for url in page.requests()) > 20, "further frames")
        page.run("document.getElementById('video').pause()")
        self.settle(page)
        page.click("#save-csv")
        stem = os.path.splitext(name)[0]
        played = [line.split(",") for line in page.downloaded(f"{stem}.csv").decode().split("\r\n")[:-1]]
        expect(played[0] == lines[0], f"the columns: {played[0]}")
        # Browsers cut times off after the microsecond.
        times = {line[0]: float(line[1]) for line in lines[1:]}
        strange = [line[:2] for line in played[1:] if abs(times.get(line[0], -1) - float(line[1])) > 3e-6]
        expect(len(played) > 5 and not strange, f"frames that mien does not know: {strange[:5]}")
        os.remove(os.path.join(page.downloads, f"{stem}.csv"))
        page.click("#read-all")
        page.wait("document.getElementById('read-all').hidden", "the whole video", 120)
        expect(page.run("document.getElementById('readout').innerText") == "", "it is read twice")
        for kind in whole:
            page.click(f"#save-{kind[:4].rstrip('l')}")
            saved = page.downloaded(f"{stem}.{kind}")
            differing = [pair for pair in zip(saved.splitlines(), whole[kind].splitlines()) if pair[0] != pair[1]]
            expect(saved == whole[kind], f"the page's {kind} of a video differs from mien's in {len(differing)} lines: {differing[:1]}")
        # Every moment has been read: none has to be again.
        sent = sum("/frames" in url for url in page.requests())
        page.run("document.getElementById('video').currentTime = 5")
        page.wait("document.querySelectorAll('.face').length >= 1", "the faces of another moment")
        page.click("#play")
        page.run("new Promise((resolve) => setTimeout(resolve, 1000))")
        expect(sum("/frames" in url for url in page.requests()) == sent, "what the server has read is read again")
        page.click(".explanation .quiet")
        page.wait("!document.querySelector('.explanation figure').hidden", "the map of a frame that is fetched once more")

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
        label = page.run("document.querySelector('.explanation figure').getAttribute('aria-label')")
        expect(label.startswith("Face 1, happiness shows most in the "), f"the map's name: {label!r}")
        expect(page.run("document.querySelector('.explanation-map').hidden"), "the map is drawn small as well")
        # It is drawn over the large photo, in the face.
        coloured = """(() => {
          const { width, height } = document.getElementById('overlay');
          const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
          context.drawImage(document.getElementById('overlay'), 0, 0);
          const { data } = context.getImageData(0, 0, width, height);
          let count = 0;
          for (let i = 0; i < data.length; i += 4) count += data[i + 3] > 60 && data[i + 3] < 200 ? 1 : 0;
          return count / (width * height);
        })()"""
        expect(0.01 < page.run(coloured) < 0.5, f"{page.run(coloured):.3f} of the photo is coloured")
        page.click(".explanation .quiet")
        page.wait("document.querySelector('.explanation figure').hidden", "the map to go")
        expect(page.run(coloured) < 0.01, "the map stays on the photo")
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
        page.wait("document.querySelector('.correction-form')", "the form")
        expect(page.run("document.querySelector('.correction-form select').value") == "", "an answer is chosen already")
        offered = page.run("[...document.querySelectorAll('.correction-form option')].map((one) => one.value)")
        expect("happiness" not in offered and len(offered) == 8, f"offered: {offered}")
        words = page.text(".correction-form")
        expect("mien adapt" in words and "learns" not in words, f"the form says {words!r}")
        page.click(".correction-form .primary")
        expect(page.run("document.querySelector('.correction-form') !== null"), "sent without an answer")
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
        page.run("window.stream = document.getElementById('video').srcObject")
        page.click("#play")
        page.wait("document.getElementById('play').innerText === 'Resume'", "the pause")
        expect(page.run("window.stream.getTracks().every(({ readyState }) => readyState === 'ended')"),
               "the paused camera's light is on")
        self.settle(page)
        page.click("#save-json")
        rows = [json.loads(line) for line in page.downloaded("camera.jsonl").splitlines()]
        seen = [row for row in rows if row["track"] is not None]
        expect(len(seen) >= 3 and all(row["smoothed"]["happiness"] > 0.5 for row in seen), f"the readings: {seen}")
        expect([row["seconds"] for row in rows] == sorted(row["seconds"] for row in rows), "the order of time")
        expect(rows[-1]["frame"] > rows[0]["frame"] >= 0, "the numbers of frames")
        page.click("#save-csv")
        lines = list(csv.reader(io.StringIO(page.downloaded("camera.csv").decode())))
        expect(len(lines) == len(rows) + 1 and all(len(line) == len(lines[0]) for line in lines), "the rows of the CSV")
        count = len(rows)
        page.click("#play")
        page.wait("document.getElementById('play').innerText === 'Pause'", "the camera to go on")
        frames = len({event["requestId"] for event in page.all("Network.requestWillBeSent")
                      if "/frames" in event["request"]["url"]})
        page.wait(lambda: sum("/frames" in url for url in page.requests()) > frames + 3, "readings after the pause")
        # Stopping keeps what was read; only closing discards it, and asks.
        page.click("#close-source")
        page.wait("document.getElementById('close-source').innerText === 'Close'", "the end of the recording")
        self.settle(page)
        os.remove(os.path.join(page.downloads, "camera.jsonl"))
        page.click("#close-source")
        page.wait("document.getElementById('discard-dialog').open", "the question")
        page.click("#discard-dialog [data-cancel]")
        page.click("#save-json")
        expect(len(page.downloaded("camera.jsonl").splitlines()) > count, "the recording after it was stopped")
        page.click("#close-source")
        page.wait("!document.getElementById('welcome').hidden", "the first screen, without a question for what is saved")
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

    def why_on_a_running_camera(self, page):
        """*Why?* has the very frame that the list shows, however fast the camera runs."""
        page.click("#welcome [data-open=camera]")
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        for count in range(20):
            page.wait("document.querySelector('.explanation .quiet')?.innerText === 'Why?'", "the button")
            page.click(".explanation .quiet")
            page.wait("!document.querySelector('.explanation figure').hidden || "
                      "document.querySelector('.explanation .error').innerText", "an answer")
            problem = page.text(".explanation .error")
            expect(not problem, f"the {count + 1}. time the page says {problem!r}")
            page.click(".explanation .quiet")
        page.click(".correction .quiet")
        page.wait("document.querySelector('.correction-form')", "the form")

    def stale(self, page):
        """When the server goes away the last reading is dimmed; *Try now* asks again at once."""
        page.expected += ["ERR_INTERNET_DISCONNECTED"]
        network = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        page.click("#welcome [data-open=camera]")
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        expect(not page.run("document.getElementById('work').classList.contains('stale')"), "a live reading is dimmed")
        page.call("Network.emulateNetworkConditions", offline=True, **network)
        page.wait("document.getElementById('work').classList.contains('stale')", "the reading to be dimmed")
        page.wait("document.getElementById('stage-message').innerText.startsWith('No reading for')", "the words")
        page.wait("document.getElementById('notice').innerText.includes('does not answer')", "the notice")
        expect(page.text("#notice-action") == "Try now", f"the notice says {page.text('#notice')!r}")
        page.call("Network.emulateNetworkConditions", offline=False, **network)
        page.run("document.getElementById('notice-action').click()")
        page.wait("!document.getElementById('work').classList.contains('stale')", "a new reading")
        page.wait("document.getElementById('notice').hidden", "the notice to go")

    def camera_refused(self, page):
        """A camera that is refused, or not there."""
        for name, words in (("NotAllowedError", "was refused"), ("NotFoundError", "No camera")):
            page.run("navigator.mediaDevices.getUserMedia = () => "
                     f"Promise.reject(new DOMException('', '{name}'))")
            page.click("#welcome [data-open=camera]")
            page.wait(f"document.getElementById('notice').innerText.includes({json.dumps(words)})", words)
            expect(page.run("document.activeElement.closest('#welcome') !== null"), "the focus is lost")
        # What is open stays where the camera does not come.
        page.drop(self.photo)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.click("#sources [data-open=camera]")
        page.wait("document.getElementById('notice').innerText.includes('No camera')", "the words")
        expect(page.run("document.querySelectorAll('.face').length") == 1, "the photo is gone")

    def video(self, page):
        """A video: read while it plays, shown again from what was read."""
        self.play_clip(page)
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

    def jump(self, page):
        """What a jump left out is “not read”, not “no face”, and is read when it is played."""
        self.play_clip(page)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        video = "document.getElementById('video')"
        page.run(f"{video}.pause()")
        start = page.run(f"{video}.currentTime")
        page.run(f"{video}.currentTime = 2.2")
        page.wait("document.getElementById('stage-message').innerText.startsWith('Not read')", "“not read”")
        page.run("document.getElementById('timeline').focus()")
        page.wait("document.getElementById('timeline').getAttribute('aria-valuetext').includes('not read')", "the timeline")
        page.click("#play")
        page.wait("document.getElementById('play').innerText === 'Play again'", "the end")
        self.settle(page)
        middle = (max(start, 0.2) + 2.2) / 2
        page.run(f"{video}.currentTime = {middle}")
        page.wait("document.getElementById('stage-message').innerText.startsWith('Not read')", "“not read” in between")
        sent = sum("/frames" in url for url in page.requests())
        page.click("#play")
        page.wait(lambda: sum("/frames" in url for url in page.requests()) > sent, "what was jumped over to be read")
        page.wait("document.querySelectorAll('.face').length === 1 && document.getElementById('stage-message').hidden", "a face")

    def sound_only(self, page):
        """A video without a picture that the browser knows is told as such, and offered to the server."""
        page.expected += ["422", "415"]
        page.run("""(async () => {
          const audio = new AudioContext();
          const [tone, sink] = [audio.createOscillator(), audio.createMediaStreamDestination()];
          tone.connect(sink);
          tone.start();
          const recorder = new MediaRecorder(sink.stream, { mimeType: 'audio/webm;codecs=opus' });
          const parts = [];
          recorder.ondataavailable = (event) => parts.push(event.data);
          recorder.start();
          await new Promise((resolve) => setTimeout(resolve, 700));
          await new Promise((resolve) => { recorder.onstop = resolve; recorder.stop(); });
          const transfer = new DataTransfer();
          transfer.items.add(new File(parts, 'IMG_4.mov', { type: 'video/quicktime' }));
          document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
        })()""")
        page.wait("document.getElementById('notice').innerText.includes('This browser cannot show this video')", "the words")
        expect(page.text("#notice-action") == "Send it to the server", f"the offer: {page.text('#notice')!r}")
        expect("Waiting" not in page.text("#faces-empty"), "a face is waited for")
        expect(not any("/v1/video" in url for url in page.requests()), "it was sent without a question")
        page.click("#notice-action")
        page.wait("document.getElementById('notice').innerText.startsWith('IMG_4.mov: ')", "what the server says of it", 60)

    def cancelled(self, page):
        """A video that is being sent can be taken back, and is read while it plays as before."""
        page.run("""(() => {
          const plain = window.fetch;
          window.fetch = async (path, options) => {
            // The server takes its time.
            if (/^.v1.video.[0-9a-f]+$/.test(path) && options.method === 'GET') return new Response(JSON.stringify(
              { state: 'queued', progress: 0, error: null }), { status: 200 });
            return plain(path, options);
          };
        })()""")
        self.play_clip(page)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.click("#read-all")
        page.wait("document.getElementById('job').innerText.startsWith('Waiting')", "the job")
        expect(page.text("#read-all") == "Cancel", f"the button says {page.text('#read-all')!r}")
        page.run("new Promise((resolve) => setTimeout(resolve, 1500))")
        expect(not page.run("document.getElementById('work').classList.contains('stale')"), "the wait is taken for a server that is away")
        page.click("#read-all")
        page.wait("document.getElementById('notice').innerText.includes('stopped reading')", "the words")
        page.wait(lambda: any(event["request"]["method"] == "DELETE" and "/v1/video/" in event["request"]["url"]
                              for event in page.all("Network.requestWillBeSent")), "the job to be taken back")
        sent = sum("/frames" in url for url in page.requests())
        page.run("document.getElementById('video').currentTime = 2")
        page.run("document.getElementById('video').play()")
        page.wait(lambda: sum("/frames" in url for url in page.requests()) > sent, "frames to be read again")

    def play_clip(self, page):
        """Drops a video of three seconds that the browser records of the photo."""
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
        expect(not page.run("document.getElementById('forget-token').hidden"), "a token that was asked for twice cannot be forgotten")
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
            page.click(".more-bars")
            covered = page.run("""[...document.querySelectorAll('.panel button:not(:disabled), .panel summary')]
              .filter((one) => one.checkVisibility()).filter((one) => {
                scrollTo(0, 0);
                one.focus();
                const { left, top, width, height } = one.getBoundingClientRect();
                return document.elementFromPoint(left + width / 2, top + height / 2)?.closest('button, summary') !== one;
              }).map((one) => one.innerText)""")
            expect(covered == [], f"covered though they have the focus: {covered}")
        finally:
            page.call("Emulation.clearDeviceMetricsOverride")

    def fingers(self, page):
        """On a phone nothing is said of dropping and pasting, and a photo can be taken."""
        page.viewport(390, 844, 2, True)
        page.touch(True)
        try:
            page.open(self.server.url)
            page.wait("document.getElementById('model').innerText.length > 5", "the page to start")
            words = page.text("#welcome")
            expect("Take a photo" in words and "paste" not in words, f"a phone is told {words!r}")
        finally:
            page.touch(False)
            page.call("Emulation.clearDeviceMetricsOverride")
        expect("paste" in page.text("#welcome") and "Take a photo" not in page.text("#welcome"), "a mouse is told otherwise")

    def zoomed(self, page):
        """The picture can be enlarged, follows the selected face, and is in reach of the keyboard."""
        page.drop(self.photo)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        expect(page.run("document.getElementById('zoom-out').disabled"), "it can be made smaller than it is")
        width = page.run("document.getElementById('viewport').clientWidth")
        for _ in range(3):
            page.click("#zoom-in")
        expect(page.run("document.getElementById('viewport').clientWidth") > 2.5 * width, "it is not larger")
        expect(page.run("document.getElementById('scroller').tabIndex") == 0, "it cannot be scrolled by the keyboard")
        place = page.run("""(() => {
          const scroller = document.getElementById('scroller');
          return [scroller.scrollLeft + scroller.clientWidth / 2, scroller.scrollTop + scroller.clientHeight / 2]
            .map((value, index) => value / [scroller.scrollWidth, scroller.scrollHeight][index]);
        })()""")
        page.click("#save-json")
        [picture] = json.loads(page.downloaded(f"{os.path.splitext(os.path.basename(self.photo))[0]}.json"))
        box = picture["faces"][0]["box"]
        face = [(box["x"] + box["width"] / 2) / picture["width"], (box["y"] + box["height"] / 2) / picture["height"]]
        # The face is in the middle, or as near to it as the picture's edge lets it be.
        for at, wanted in zip(place, face):
            expect(abs(at - max(1 / 6, min(5 / 6, wanted))) < 0.12, f"the middle is at {place}, the face at {face}")

    def details(self, page):
        """What else is known of a face, and why a reading is doubtful."""
        page.run("""(() => {
          const plain = window.fetch;
          window.fetch = async (path, options) => {
            const response = await plain(path, options);
            if (!String(path).includes('/v1/detect')) return response;
            const json = await response.json();
            Object.assign(json.faces[0], { confident: false, reason: 'small' });
            return new Response(JSON.stringify(json), { status: 200 });
          };
        })()""")
        page.drop(self.photo)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        expect("small face" in page.text(".face-detail") and "few pixels" in page.text(".face-doubt"),
               f"the doubt: {page.text('.face')!r}")
        visible = "[...document.querySelectorAll('.bar')].filter((bar) => !bar.hidden).length"
        expect(page.run(visible) == 3, f"{page.run(visible)} bars")
        page.click(".more-bars")
        expect(page.run(visible) == 8, f"{page.run(visible)} bars of all")
        expect(page.run("document.querySelector('.details').open") is False, "the details are in the way")
        page.click(".details summary")
        page.wait("document.querySelectorAll('.details dt').length === 6", "the details")
        words = page.text(".details")
        for name in ("Is a face", "Looks", "Eyes open", "Mouth", "Brows raised"):
            expect(name in words, f"the details: {words!r}")

    def profile(self, page):
        """The profile that the server reads with is shown, and corrections are meant for it."""
        script = page.call("Page.addScriptToEvaluateOnNewDocument", source="""
          const plain = window.fetch;
          window.fetch = async (path, options) => {
            const response = await plain(path, options);
            if (String(path) !== '/v1/models') return response;
            const json = await response.json();
            json.models[0].profile = 'hall';
            return new Response(JSON.stringify(json), { status: response.status });
          };
        """)["identifier"]
        try:
            page.run("sessionStorage.clear()")
            page.open(self.server.url)
            page.wait("document.getElementById('model').innerText.endsWith('adapted by the profile hall')", "the profile")
            page.drop(self.photo)
            page.wait("document.querySelectorAll('.face').length === 1", "a face")
            page.click(".correction .quiet")
            page.wait("document.querySelector('.correction-form input:not([type])')?.value === 'hall'", "the profile in the form")
        finally:
            page.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script)

    def adapting(self, page):
        """Where the server fits profiles by request, corrections are followed by that, and the profile reads from then on."""
        script = page.call("Page.addScriptToEvaluateOnNewDocument", source="""
          const plain = window.fetch;
          window.names = [];
          window.asked = [];
          const answer = (json, status = 200) => new Response(JSON.stringify(json), { status });
          window.fetch = async (path, options) => {
            const [address, query] = String(path).split('?');
            if (address === '/openapi.json') {
              const json = await (await plain(path, options)).json();
              json.paths['/v1/profiles'] = json.paths['/v1/profiles/{profile}'] = {};
              return answer(json);
            }
            if (address === '/v1/profiles') return answer({ profiles: window.names.map((profile) => ({ profile })) });
            if (address.startsWith('/v1/profiles/')) {
              if (window.isWorse) return answer({ error: { code: 'worse', message: 'Fewer are read right.' } }, 409);
              window.names.push(address.slice(13));
              return answer({ corrections: 3, before: { correct: 1 }, after: { correct: 2 } });
            }
            if (address !== '/v1/detect') return plain(path, options);
            window.asked.push(new URLSearchParams(query).get('profile'));
            return plain(address, options);
          };
        """)["identifier"]
        try:
            page.open(self.server.url)
            page.wait("document.getElementById('model').innerText.length > 5", "the page to start")
            expect(page.run("document.getElementById('profile-choice').hidden"), "profiles are offered, and there are none")
            page.drop(self.photo)
            page.wait("document.querySelectorAll('.face').length === 1", "a face")
            page.click(".correction .quiet")
            page.wait("document.querySelector('.correction-form')", "the form")
            expect("mien adapt" not in page.text(".correction-form"), "somebody else has to adapt the model")
            page.run("document.querySelector('.correction-form select').value = 'sadness'")
            page.run("document.querySelector('.correction-form input:not([type])').value = 'hall'")
            page.click(".correction-form .primary")
            page.wait("document.querySelector('.adapt')?.checkVisibility()", "the offer")
            page.run("window.isWorse = true")
            page.click(".adapt")
            page.wait("document.querySelector('.correction .error').innerText === 'Fewer are read right.'", "the refusal")
            page.run("window.isWorse = false")
            page.click(".adapt")
            page.wait("document.getElementById('notice').innerText.includes('The profile hall is in use')", "what came of it")
            page.wait("window.asked.join() === ',hall'", "the photo to be read again")
            page.wait("document.getElementById('profile').value === 'hall'", "the profile to be chosen")
            page.run("document.getElementById('profile').value = ''")
            page.run("document.getElementById('profile').dispatchEvent(new Event('change'))")
            page.wait("window.asked.length === 3 && window.asked[2] === ''", "the photo to be read without a profile")
            page.wait("document.querySelectorAll('.face').length === 1", "a face")
        finally:
            page.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
            page.expected += ["409"]

    # Each of these brings the page into a state, for `accessible`.

    def _photo_state(self, page):
        page.drop(self.photo, blank(os.path.join(self.folder, "blank.png")))
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.click(".details summary")
        page.click(".more-bars")
        page.click(".explanation .quiet")
        page.wait("!document.querySelector('.explanation figure').hidden", "the map")
        page.click(".correction .quiet")
        page.wait("document.querySelector('.correction-form')", "the form")
        page.click("#zoom-in")

    def _failed_state(self, page):
        path = os.path.join(self.folder, "broken.jpg")
        with open(path, "wb") as file:
            file.write(b"\xff\xd8\xff nothing more")
        page.expected += ["422"]
        page.drop(path)
        page.wait("document.getElementById('faces-empty').innerText.length > 10", "words on the broken file")

    def _camera_state(self, page):
        page.click("#welcome [data-open=camera]")
        page.wait("document.querySelectorAll('.face').length === 1", "a face")

    def _paused_state(self, page):
        self._camera_state(page)
        page.click("#play")
        page.wait("document.getElementById('play').innerText === 'Resume'", "the pause")
        self.settle(page)

    def _discard_state(self, page):
        self._paused_state(page)
        page.click("#close-source")
        page.click("#close-source")
        page.wait("document.getElementById('discard-dialog').open", "the question")

    def _stale_state(self, page):
        page.expected += ["ERR_INTERNET_DISCONNECTED"]
        self._camera_state(page)
        page.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1)
        page.wait("document.getElementById('work').classList.contains('stale')", "the reading to be dimmed")
        page.wait("!document.getElementById('notice').hidden", "the notice")

    def _video_state(self, page):
        self.play_clip(page)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.run("document.getElementById('video').pause()")
        page.run("document.getElementById('video').currentTime = 2.5")
        self.settle(page)

    def _token_state(self, page):
        page.expected += ["401"]
        page.open(self.guarded.url)
        page.wait("document.getElementById('token-dialog').open", "the question")

    def accessible(self, page):
        """axe-core finds nothing in any state: light, dark, on a phone, and at 200 % zoom."""
        with open(self.axe, encoding="utf-8") as file:
            axe = file.read()
        states = [None] + [value for name, value in vars(Checks).items() if name.endswith("_state")]
        found = []
        for state in states:
            page.open(self.server.url)
            # Frames of the page before are not answered any more.
            page.events.clear()
            page.wait("document.getElementById('model').innerText.length > 5", "the page to start")
            if state:
                state(self, page)
            # `void`: the value of the script is a function, which cannot be handed over.
            page.run(f"void ({{}}); {axe}; void 0")
            if state is None:
                # It does find what is wrong.
                page.run("document.getElementById('main').append(document.createElement('img'))")
                blind = page.run("axe.run(document).then(({ violations }) => violations.map(({ id }) => id))")
                expect(blind == ["image-alt"], f"a picture without a text: {blind}")
                page.run("document.querySelector('#main > img').remove()")
            for scheme, size in (("light", (1280, 860)), ("dark", (1280, 860)), ("light", (640, 430)), ("dark", (390, 844))):
                page.viewport(*size)
                page.prefer(prefers_color_scheme=scheme)
                expect(page.run("document.documentElement.scrollWidth <= innerWidth"),
                       f"{size}: wider than the window in the state {state and state.__name__}")
                violations = page.run("axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => "
                                      "violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 160))]))")
                found += [f"{state and state.__name__} {scheme} {size[0]}: {one}" for one in violations]
            headings = page.run("[...document.querySelectorAll('h1')].filter((one) => one.checkVisibility()).length")
            expect(headings == 1, f"{headings} first headings in the state {state and state.__name__}")
            page.call("Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1)
            page.call("Emulation.clearDeviceMetricsOverride")
            page.prefer(prefers_color_scheme="light")
        expect(not found, "axe finds\n  " + "\n  ".join(found))

    def colours(self, page):
        """Bars have an edge that is seen, follow their numbers at once, and forced colours tell what is chosen."""
        page.drop(self.photo)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        contrast = """(() => {
          const luminance = (text) => {
            const [r, g, b] = text.match(/[0-9.]+/g).slice(0, 3).map((value) => value / 255)
              .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const fill = getComputedStyle(document.querySelector('.bar.best .bar-fill'));
          const pair = [fill.boxShadow, getComputedStyle(document.querySelector('.bar.best .bar-track')).backgroundColor];
          const [low, high] = pair.map(luminance).sort((a, b) => a - b);
          return (high + 0.05) / (low + 0.05);
        })()"""
        for scheme in ("light", "dark"):
            page.prefer(prefers_color_scheme=scheme)
            expect(page.run(contrast) >= 3, f"a bar's edge has a contrast of {page.run(contrast):.2f} in the {scheme}")
        still = "getComputedStyle(document.querySelector('.bar-fill')).transitionDuration"
        expect(page.run(still) in ("", "0s"), f"bars lag behind their numbers by {page.run(still)}")
        page.prefer(prefers_color_scheme="light", forced_colors="active")
        grounds = page.run("[...document.querySelectorAll('#sources button')].map((one) => getComputedStyle(one).backgroundColor)")
        expect(grounds[0] != grounds[1] and grounds[1] == grounds[2], f"the chosen tab is hidden: {grounds}")
        page.prefer(prefers_color_scheme="light", forced_colors="none")

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
                # The next check begins as in a new tab.
                page.run("sessionStorage.clear()")
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


# What is no check of its own, and checks that need a video of people.
HELPERS = {"settle", "play_clip", "made", "mien"}
NEEDS = {"rows_as_mien_writes_them": "clip", "accessible": "axe"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("server", type=os.path.abspath, help="the built mien-server; mien is beside it")
    parser.add_argument("photo", type=os.path.abspath, help="a picture with one smiling face")
    parser.add_argument("camera", type=os.path.abspath, help="an MJPEG file of such a face, in the camera's place")
    parser.add_argument("checks", nargs="*", help="which checks; all without")
    parser.add_argument("--clip", type=os.path.abspath, help="an MP4 of people; without it some checks are skipped")
    parser.add_argument("--axe", type=os.path.abspath, help="axe.min.js; without it its checks are skipped")
    options = parser.parse_intermixed_args()
    names = options.checks or [name for name, value in vars(Checks).items()
                               if not name.startswith("_") and name not in HELPERS and callable(value)]
    for name, option in NEEDS.items():
        if name in names and getattr(options, option) is None:
            print(f"skipped {name}: needs --{option}")
            names.remove(name)
    with tempfile.TemporaryDirectory(prefix="mien-page-") as folder:
        token_file = os.path.join(folder, "tokens")
        with open(token_file, "w") as file:
            file.write(TOKEN + "\n")
        server = Server(options.server, "--corrections", os.path.join(folder, "corrections.sqlite"),
                        "--state-dir", os.path.join(folder, "state"))
        guarded = Server(options.server, "--token-file", token_file, "--max-pixels", "25000000",
                         "--state-dir", os.path.join(folder, "guarded"))
        try:
            flags = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
                     f"--use-file-for-fake-video-capture={options.camera}")
            mien = os.path.join(os.path.dirname(options.server), "mien")
            checks = Checks(server, guarded, mien, options.photo, options.clip, folder)
            checks.axe = options.axe
            sys.exit(1 if run(checks, names, flags) else 0)
        finally:
            server.close()
            guarded.close()


if __name__ == "__main__":
    main()
