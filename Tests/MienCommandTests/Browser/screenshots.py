#!/usr/bin/env python3
"""Takes the pictures of the web page in docs/images.

    screenshots.py SERVER SHARED OUT [NAME…]

SERVER is the built mien-server (its checkout has the sample photo in .native), SHARED a folder with `media` (CONTRIBUTING.md), OUT the folder for the pictures. Needs
chromium and ffmpeg.
"""

import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

from check_page import Server  # noqa: E402
from chromium import Page  # noqa: E402

SAMPLE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", "..", ".native", "samples", "astronaut.png"))
MANY = "document.querySelectorAll('.face').length >= 20"
ONE = "document.querySelectorAll('.face').length >= 1"


class Shots:
    """Each method is a picture: it brings the page, opened in a size and theme, into a state."""

    def __init__(self, media, folder):
        self.media, self.folder = media, folder

    def file(self, *names):
        return [os.path.join(self.media, name) for name in names]

    def group_photo(self):
        """The photo of 1927 without the colours that somebody gave it since."""
        path = os.path.join(self.folder, "solvay1927.jpg")
        if not os.path.exists(path):
            subprocess.run(["ffmpeg", "-loglevel", "error", "-i", *self.file("solvay1927.jpg"), "-vf", "hue=s=0", path], check=True)
        return path

    def photo(self, page):
        page.drop(SAMPLE, *self.file("two_people.jpg"), self.group_photo(), *self.file("obama.jpg"))
        page.wait(ONE, "a face")
        page.wait("document.getElementById('photo-count').innerText.startsWith('4 photos')", "all photos")
        page.click(".explanation .quiet")
        page.wait("!document.querySelector('.explanation figure').hidden", "the map")

    def dark(self, page):
        page.drop(SAMPLE)
        page.wait(ONE, "a face")
        page.run("document.querySelector('.details').open = true")

    def group(self, page):
        page.drop(self.group_photo())
        page.wait(MANY, "faces")
        page.run("document.querySelectorAll('.face-head')[4].click()")

    def phone_group(self, page):
        self.group(page)
        page.run("scrollTo(0, 300)")

    def phone(self, page):
        page.drop(SAMPLE)
        page.wait(ONE, "a face")

    def start(self, page):
        pass

    def phone_start(self, page):
        pass

    def video(self, page):
        page.drop(*self.file("hamilton.mp4"))
        page.wait(ONE, "a face")
        page.click("#read-all")
        page.wait("document.getElementById('read-all').hidden", "the whole video", 120)
        page.run("document.getElementById('video').pause()")
        page.run("new Promise((resolve) => { const video = document.getElementById('video');"
                 "video.addEventListener('seeked', resolve, { once: true }); video.currentTime = 6.5; })")
        page.wait(ONE, "a face")

    def phone_video(self, page):
        self.video(page)

    def jump(self, page):
        page.drop(*self.file("hamilton.mp4"))
        page.wait(ONE, "a face")
        page.run("new Promise((resolve) => setTimeout(resolve, 2500))")
        page.run("document.getElementById('video').currentTime = 6")
        page.run("new Promise((resolve) => setTimeout(resolve, 1500))")
        page.run("document.getElementById('video').pause()")
        page.run("document.getElementById('video').currentTime = 4.5")

    def camera(self, page):
        page.click("#welcome [data-open=camera]")
        page.wait(ONE, "a face")
        page.run("new Promise((resolve) => setTimeout(resolve, 9000))")

    def error(self, page):
        bad = os.path.join(self.folder, "holiday.jpg")
        with open(bad, "wb") as file:
            file.write(b"\xff\xd8\xff nothing more")
        notes = os.path.join(self.folder, "notes.txt")
        with open(notes, "w") as file:
            file.write("notes")
        page.drop(bad, notes)
        page.wait("document.getElementById('faces-empty').innerText.length > 12", "the error")

    def away(self, page):
        self.camera(page)
        page.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1)
        page.run("new Promise((resolve) => setTimeout(resolve, 4500))")


HELPERS = {"__init__", "file", "group_photo"}
SIZES = {"phone": (390, 844, 2, True), "zoom": (640, 430, 2, False)}


def main():
    program, shared, out = map(os.path.abspath, sys.argv[1:4])
    names = sys.argv[4:] or [name for name, value in vars(Shots).items() if callable(value) and name not in HELPERS]
    media = os.path.join(shared, "media")
    with tempfile.TemporaryDirectory() as folder:
        camera = os.path.join(folder, "camera.mjpeg")
        subprocess.run(["ffmpeg", "-loglevel", "error", "-i", os.path.join(media, "hamilton.mp4"), "-an", "-r", "30", "-vf",
                        "scale=1280:720:force_original_aspect_ratio=decrease,pad=1280:720:(ow-iw)/2:(oh-ih)/2",
                        "-pix_fmt", "yuvj420p", "-q:v", "4", camera], check=True)
        server = Server(program, "--corrections", os.path.join(folder, "corrections.sqlite"))
        page = Page("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
                    f"--use-file-for-fake-video-capture={camera}", "--hide-scrollbars")
        shots = Shots(media, folder)
        try:
            for name in names:
                method, _, look = name.partition("-")
                size = SIZES.get(look or method.split("_")[0], (1280, 860, 1, False))
                page.viewport(*size)
                page.touch(size[3])
                dark = "dark" in name
                page.prefer(prefers_color_scheme="dark" if dark else "light", forced_colors="active" if look == "forced" else "none")
                page.open(server.url)
                page.wait("document.getElementById('model').innerText.length > 5", "the page")
                getattr(shots, method)(page)
                page.run("new Promise((resolve) => setTimeout(resolve, 400))")
                page.screenshot(os.path.join(out, "page.webp" if name == "photo" else f"page-{name.replace('_', '-')}.webp"))
                page.call("Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1)
        finally:
            page.close()
            server.close()


if __name__ == "__main__":
    main()
