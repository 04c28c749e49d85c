"""What the checks of the page share: a running server, pictures, and what a person does over and over."""

import base64
import json
import os
import struct
import subprocess
import threading
import zlib

from chromium import Failure

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


class Base:
    """What checks work with. Each check is a method of a subclass; it starts on the page as it was just opened."""

    def __init__(self, server, guarded, program, photo, clip, folder):
        self.server, self.guarded, self.program, self.photo, self.clip, self.folder = (
            server, guarded, program, photo, clip, folder)

    @staticmethod
    def settle(page):
        """Waits until every frame that was taken is sent and answered, so that what was read stays the same."""
        # What the page before this one had sent is given up without a word.
        loader = page.call("Page.getFrameTree")["frameTree"]["frame"]["loaderId"]

        def frames():
            sent = {event["requestId"] for event in page.all("Network.requestWillBeSent")
                    if "/frames" in event["request"]["url"] and event["loaderId"] == loader}
            # One that the page gave up, as it was paused, has no answer.
            over = page.all("Network.loadingFinished") + page.all("Network.loadingFailed")
            return sent, sent <= {event["requestId"] for event in over}

        def is_quiet():
            before = frames()
            page.run("new Promise((resolve) => setTimeout(resolve, 1000))")
            return before[1] and frames() == before

        page.wait(is_quiet, "the answers to the last frames")

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

    def mien(self, *options):
        """What the command line writes, run in the folder of the files."""
        return subprocess.run([self.program, *options], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              check=True).stdout

    def play_clip(self, page, faces=45):
        """Drops a video of three seconds that the browser records: `faces` of its 45 frames of the photo, then grey ones."""
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
            if (i < FACES) draw(i);
            else Object.assign(canvas.getContext('2d'), { fillStyle: i % 2 ? '#777' : '#888' }).fillRect(0, 0, 256, 256);
            await new Promise((resolve) => setTimeout(resolve, 66));
          }
          await new Promise((resolve) => { recorder.onstop = resolve; recorder.stop(); });
          const transfer = new DataTransfer();
          transfer.items.add(new File(parts, 'clip.webm', { type: 'video/webm' }));
          const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
          document.body.dispatchEvent(new DragEvent('drop', options));
        })()""".replace("DATA", data).replace("FACES", str(faces)))

    @staticmethod
    def play_sound(page):
        """Drops a video without a picture, which the browser records."""
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

    def wait_for_job(self, page):
        """Has a video read by a server that takes its time."""
        page.run("""(() => {
          const plain = window.fetch;
          window.fetch = async (path, options) => {
            if (/^.v1.video.[0-9a-f]+$/.test(path) && options.method === 'GET') return new Response(JSON.stringify(
              { state: 'queued', progress: 0, error: null }), { status: 200 });
            return plain(path, options);
          };
        })()""")
        self.play_clip(page)
        page.wait("document.querySelectorAll('.face').length === 1", "a face")
        page.click("#read-all")
        page.wait("document.getElementById('job').innerText.startsWith('Waiting')", "the job")
        page.wait(lambda: self.jobs(page), "the job at the server")

    @staticmethod
    def jobs(page):
        """The videos that the server has of this page."""
        return page.run("fetch('/v1/video').then((response) => response.json())")["videos"]
