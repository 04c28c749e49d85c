#!/usr/bin/env python3
"""Which faces the detectors find: the tables of docs/detection.md and docs/video.md.

Usage: Benchmarks/faces.py [DETECTOR...]     default: blazeface haar

Needs `make build`, ffmpeg and the development data (../shared, or the folder that MIEN_SHARED names).
A detection counts as the marked face that it overlaps by an intersection over union of at least 0.4; each face counts
once. Detections on heads marked as too blurred are ignored. No table is written to a file.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("MIEN_SHARED") or ROOT.parent / "shared")
MIEN = ROOT / ".build/release/mien"
MARKS = json.loads((ROOT / "Tests/MienVisionTests/Fixtures/face-boxes.json").read_text())


def detect(pictures, detector, *options):
    command = [MIEN, "detect", "--detector", detector, "--json", "-", *options, *pictures]
    found = subprocess.run(command, capture_output=True, check=False)
    return {Path(picture["file"]).name: picture["faces"] for picture in json.loads(found.stdout)}


def corners(box):
    if isinstance(box, list):
        return box[0], box[1], box[0] + box[2], box[1] + box[3]
    return box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]


def common(a, b):
    (left, top, right, bottom), (x, y, end, low) = corners(a), corners(b)
    return max(0, min(right, end) - max(left, x)) * max(0, min(bottom, low) - max(top, y))


def area(box):
    left, top, right, bottom = corners(box)
    return (right - left) * (bottom - top)


def overlap(a, b):
    shared = common(a, b)
    return shared / (area(a) + area(b) - shared)


class Score:
    def __init__(self):
        self.found, self.marked, self.false, self.missed = {}, {}, 0, []

    def add(self, name, boxes, faces, ignored=()):
        for view, _ in faces:
            self.marked[view] = self.marked.get(view, 0) + 1
        left = list(faces)
        for box in boxes:
            best = max(left, key=lambda face: overlap(box, face[1]), default=None)
            if best and overlap(box, best[1]) >= 0.4:
                self.found[best[0]] = self.found.get(best[0], 0) + 1
                left.remove(best)
            elif not any(2 * common(box, other) >= area(box) for other in ignored):
                self.false += 1
        self.missed += [name] * len(left)

    def cell(self, view):
        return f"{self.found.get(view, 0)} of {self.marked.get(view, 0)}"


def frames(folder):
    clip = MARKS["clip"]
    numbers = "+".join(f"eq(n\\,{frame['frame']})" for frame in clip["frames"])
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", SHARED / "media" / clip["file"], "-vf", f"select={numbers}", "-fps_mode",
         "passthrough", f"{folder}/%03d.png"], check=True)
    return [(f"{index + 1:03}.png", frame) for index, frame in enumerate(clip["frames"])]


def clip(detector, marked, folder):
    score = Score()
    found = detect([f"{folder}/{name}" for name, _ in marked], detector)
    for name, frame in marked:
        faces = [(face["view"], face["box"]) for face in frame["faces"]]
        score.add(name, [face["box"] for face in found[name]], faces, frame["ignored"])
    return score


def upside_down(marked, folder):
    """The marked frames turned by 180 degrees, in a folder of their own, with the frontal faces that are marked in them."""
    turned = Path(folder) / "turned"
    turned.mkdir(exist_ok=True)
    width, height = 640, 360

    def over(box):
        return {**box, "x": width - box["x"] - box["width"], "y": height - box["y"] - box["height"]}

    frames = []
    for name, frame in marked:
        turn(Path(folder) / name, turned / name)
        faces = [{**face, "box": over(face["box"])} for face in frame["faces"]]
        frames.append((name, {**frame, "faces": faces, "ignored": [over(box) for box in frame["ignored"]]}))
    return frames, turned


def turn(picture, to):
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", picture, "-vf", "hflip,vflip", "-q:v", "2", to], check=True)


def cases(detector, group, options=()):
    truth = json.loads((SHARED / "cases/truth.json").read_text())
    names = [name for name in truth if name.startswith("faces/") and ("group" in name) == group]
    score = Score()
    found = detect([SHARED / "cases" / name for name in names], detector, *options)
    for name in names:
        faces = [("all", [max(0, box[0]), max(0, box[1]), box[2] + min(0, box[0]), box[3] + min(0, box[1])])
                 for box in truth[name]["faces"]]
        score.add(name, [face["box"] for face in found[Path(name).name]], faces)
    return score


def video(detector, folder):
    rows = Path(folder) / "rows.jsonl"
    subprocess.run(
        [MIEN, "video", SHARED / "media" / MARKS["clip"]["file"], "--detector", detector, "--json", rows],
        capture_output=True, check=True)
    found = {}
    for line in rows.read_text().splitlines():
        row = json.loads(line)
        if row["box"]:
            found.setdefault(row["frame"], []).append(row)
    score, switches, last, scene = Score(), 0, {}, None
    for frame in MARKS["clip"]["frames"]:
        here = found.get(frame["frame"], [])
        faces = [(face["view"], face["box"]) for face in frame["faces"]]
        score.add(frame["frame"], [row["box"] for row in here], faces, frame["ignored"])
        # The shots begin at frames 1, 84 and 208.
        shot = sum(frame["frame"] >= start for start in (1, 84, 208))
        if shot != scene:
            scene, last = shot, {}
        for face in frame["faces"]:
            best = max(here, key=lambda row: overlap(row["box"], face["box"]), default=None)
            if best and overlap(best["box"], face["box"]) >= 0.4:
                switches += last.get(face["person"], best["track"]) != best["track"]
                last[face["person"]] = best["track"]
    return score, switches


def main():
    detectors = sys.argv[1:] or ["blazeface", "haar"]
    with tempfile.TemporaryDirectory() as folder:
        marked = frames(folder)
        turned_frames, turned = upside_down(marked, folder)
        solvay = SHARED / "media/solvay1927.jpg"
        turn(solvay, turned / solvay.name)
        print("| pictures | " + " | ".join(detectors) + " |")
        print("|---|" + "---|" * len(detectors))
        rows = {}
        for detector in detectors:
            score = clip(detector, marked, folder)
            rows.setdefault("clip, each marked frame by itself: frontal", []).append(score.cell("frontal"))
            rows.setdefault("clip, profile", []).append(score.cell("profile"))
            rows.setdefault("clip, false faces", []).append(str(score.false))
            score, switches = video(detector, folder)
            rows.setdefault("clip, by `mien video`: frontal", []).append(score.cell("frontal"))
            rows.setdefault("`mien video`, profile", []).append(score.cell("profile"))
            rows.setdefault("`mien video`, false faces; changes of number within a shot", []).append(f"{score.false}; {switches}")
            score = clip(detector, turned_frames, turned)
            rows.setdefault("the marked frames upside down: frontal", []).append(score.cell("frontal"))
            rows.setdefault("the marked frames upside down, false faces", []).append(str(score.false))
            for name, file in [("", solvay), (", upside down", turned / solvay.name)]:
                people = detect([file], detector)[solvay.name]
                rows.setdefault(f"Solvay 1927{name}, 29 people: faces found", []).append(str(len(people)))
            score = cases(detector, group=False)
            rows.setdefault("one portrait in 23 ways: tilted, cropped, covered, dark", []).append(score.cell("all"))
            rows.setdefault("the portrait, false faces", []).append(str(score.false))
            score = cases(detector, group=True, options=("--min-face", "20"))
            rows.setdefault("a group of 20 faces of 24 to 200 px, `--min-face 20`", []).append(score.cell("all"))
            empty = [SHARED / "media/no-faces.jpg", SHARED / "media/expressions/no-face.jpg"]
            rows.setdefault("two photos without people: faces", []).append(
                str(sum(len(faces) for faces in detect(empty, detector).values())))
        for name, values in rows.items():
            print(f"| {name} | " + " | ".join(values) + " |")


if __name__ == "__main__":
    main()
