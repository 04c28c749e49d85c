#!/usr/bin/env python3
"""Uses the web page of `mien-server` in a real browser, as people do.

    check_page.py SERVER PHOTO CAMERA [CHECK…] [--clip MP4] [--axe FILE]

Prints one line per check; the exit status is 1 if one failed.
"""

import argparse
import os
import sys
import tempfile
import traceback

from access_checks import AccessChecks
from chromium import Failure, Page
from file_checks import FileChecks
from live_checks import LiveChecks
from photo_checks import PhotoChecks
from support import TOKEN, Server, expect


class Checks(PhotoChecks, FileChecks, LiveChecks, AccessChecks):
    """All checks."""


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


# What some checks need.
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
    names = options.checks or [name for group in Checks.__bases__ for name in vars(group) if not name.startswith("_")]
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
