#!/usr/bin/env python3
"""How many of a camera's frames the web page reads, end to end: Chromium and the server on one machine.

    Benchmarks/page.py CLIP

CLIP is a video that takes the place of the camera. Needs `make build`, chromium and ffmpeg; leave the machine idle.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, os.path.join(ROOT, "Tests", "MienCommandTests", "Browser"))
sys.dont_write_bytecode = True

from check_page import Server  # noqa: E402
from chromium import Page  # noqa: E402

SECONDS = 15


def main():
    with tempfile.TemporaryDirectory() as folder:
        camera = os.path.join(folder, "camera.mjpeg")
        subprocess.run(["ffmpeg", "-loglevel", "error", "-i", sys.argv[1], "-an", "-t", "30", "-r", "30", "-vf",
                        "scale=1280:720:force_original_aspect_ratio=decrease,pad=1280:720:(ow-iw)/2:(oh-ih)/2",
                        "-pix_fmt", "yuvj420p", "-q:v", "4", camera], check=True)
        server = Server(os.path.join(ROOT, ".build", "release", "mien-server"))
        page = Page("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
                    f"--use-file-for-fake-video-capture={camera}")
        try:
            page.open(server.url)
            page.wait("document.getElementById('model').innerText.length > 5", "the page")
            page.click("#welcome [data-open=camera]")
            page.wait("document.getElementById('readout').innerText.includes('readings')", "readings")
            time.sleep(3)
            count = len(page.all("Network.loadingFinished"))
            time.sleep(SECONDS)
            rate = (len(page.all("Network.loadingFinished")) - count) / SECONDS
            page.click("#play")
            page.click("#save-json")
            rows = [json.loads(line) for line in page.downloaded("camera.jsonl").splitlines()]
            faces = sum(row["track"] is not None for row in rows) / len({row["frame"] for row in rows})
            print(f"camera 1280x720   {rate:.1f} readings/s over {SECONDS} s, {page.text('#readout').split('·')[1].strip()} "
                  f"from frame to answer, {faces:.1f} faces a frame")
        finally:
            page.close()
            server.close()


if __name__ == "__main__":
    main()
