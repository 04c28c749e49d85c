#!/usr/bin/env python3
"""Reads photos with the package requests, and prints one line per face.

    detect.py PHOTO…

MIEN_URL is the server (http://127.0.0.1:8080), MIEN_TOKEN its token, if it asks for one.
"""

import os
import sys
import time

import requests

URL = os.environ.get("MIEN_URL", "http://127.0.0.1:8080")


def detect(session, path, attempts=5):
    """The picture's faces as the server gives them, or a ValueError that says why there are none."""
    with open(path, "rb") as file:
        picture = file.read()
    for _ in range(attempts):
        answer = session.post(f"{URL}/v1/detect", data=picture, timeout=60)
        if answer.status_code != 429:
            break
        # The server is busy, and says when to try again.
        time.sleep(float(answer.headers.get("Retry-After", 1)))
    if not answer.ok:
        raise ValueError(answer.json()["error"]["message"])
    return answer.json()["faces"]


def main(paths):
    if not paths:
        print("usage: detect.py PHOTO…", file=sys.stderr)
        return 64
    session = requests.Session()
    session.headers["Content-Type"] = "application/octet-stream"
    if token := os.environ.get("MIEN_TOKEN"):
        session.headers["Authorization"] = f"Bearer {token}"
    failures = 0
    for path in paths:
        try:
            faces = detect(session, path)
        except (OSError, ValueError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            failures += 1
            continue
        if not faces:
            print(f"{path}\tno face")
        for face in faces:
            box = face["box"]
            place = f"{box['x']},{box['y']} {box['width']}x{box['height']}"
            print(f"{path}\t{place}\t{face['emotion']}\t{face['probability']:.3f}")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
