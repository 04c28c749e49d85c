#!/usr/bin/env python3
"""CK+48 by person: `mien-s`, fine-tuned in ten folds with no person in two of them; the last epoch of each is kept, and
reads the faces that it has not seen. Prints how many frames and how many sequences (the mean over their frames) are
classified correctly, with 95 % intervals by person.

    Benchmarks/ckplus48.py ck48.safetensors RUN-FOLDER [--set KEY=VALUE …] [--precision bf16]

A folder that holds the finished runs is only measured. Needs `make build`.
"""

import argparse
import array
import collections
import csv
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
MIEN = ROOT / ".build/release/mien"


def indices(path, *names):
    """The I32 tensors of a set of faces that say who and which sequence each face is."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        for name in names:
            if name not in header:
                sys.exit(f"{path}: no {name}s are known; expected CK+48 as `mien dataset import ckplus48` writes it")
            start, end = header[name]["data_offsets"]
            file.seek(8 + length + start)
            values = array.array("i", file.read(end - start))
            if sys.byteorder == "big":
                values.byteswap()
            yield values


def share(right):
    """The mean of a dictionary's lists, taken together."""
    values = [value for group in right.values() for value in group]
    return sum(values) / len(values)


def interval(right, repeats=2000):
    """The 95 % interval by the percentiles of a bootstrap over people."""
    people = list(right)
    chance = random.Random(1)
    means = []
    for _ in range(repeats):
        drawn = [value for person in chance.choices(people, k=len(people)) for value in right[person]]
        means.append(sum(drawn) / len(drawn))
    means.sort()
    return means[int(0.025 * repeats)], means[int(0.975 * repeats) - 1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=pathlib.Path)
    parser.add_argument("runs", type=pathlib.Path)
    parser.add_argument("--set", action="append", default=[], help="a key of the recipe and its value")
    parser.add_argument("--precision", default="f32", help="of the training: f32 or bf16")
    options = parser.parse_args()
    people, sequences = indices(options.faces, "subject", "sequence")
    if not (options.runs / "summary.json").exists():
        if options.runs.exists():
            command = ["--resume", options.runs]
        else:
            command = ["mien-s-ckplus48", "--init", "mien-s", "-o", options.runs]
            command += ["--precision", options.precision]
            command += [word for setting in options.set for word in ("--set", setting)]
        command = [MIEN, "train", *command, "--data", options.faces]
        subprocess.run(command, check=True)

    frames = collections.defaultdict(list)
    clips = collections.defaultdict(list)
    classes = collections.defaultdict(list)
    rows = []
    folds = sorted(options.runs.glob("fold-*"), key=lambda path: int(path.name.split("-")[1]))
    with tempfile.TemporaryDirectory() as folder:
        for fold in folds:
            file = f"{folder}/{fold.name}.csv"
            command = [MIEN, "evaluate", "--run", fold, "--data", options.faces, "--split", "validation"]
            subprocess.run([*command, "--predictions", file], check=True, stdout=subprocess.DEVNULL)
            with open(file, newline="") as text:
                read = list(csv.DictReader(text))
            emotions = [name for name in read[0] if name not in ("index", "label", "prediction")]
            sums, right = {}, 0
            for row in read:
                face = int(row["index"])
                is_right = row["label"] == row["prediction"]
                right += is_right
                frames[people[face]].append(is_right)
                classes[row["label"]].append(is_right)
                total = sums.setdefault(sequences[face], (people[face], row["label"], collections.Counter()))[2]
                total.update({name: float(row[name]) for name in emotions})
            for person, label, total in sums.values():
                clips[person].append(max(emotions, key=lambda name: total[name]) == label)
            rows.append((fold.name, len({people[int(row["index"])] for row in read}), len(read), right / len(read)))

    print("| fold | people | frames | accuracy |\n|---|---|---|---|")
    for name, count, faces, accuracy in rows:
        print(f"| {name.split('-')[1]} | {count} | {faces} | {100 * accuracy:.1f} % |")
    print()
    for name, right in (("frames", frames), ("sequences", clips)):
        low, high = interval(right)
        count = sum(map(len, right.values()))
        print(f"{name}: {100 * share(right):.2f} % of {count}, 95 % interval by person {100 * low:.1f} to {100 * high:.1f} %")
    recalls = {label: sum(values) / len(values) for label, values in sorted(classes.items())}
    print(f"mean over folds: {100 * sum(row[3] for row in rows) / len(rows):.2f} %")
    print(f"mean recall over emotions: {100 * sum(recalls.values()) / len(recalls):.2f} %")
    print("; ".join(f"{label} {100 * recall:.1f} %" for label, recall in recalls.items()))


if __name__ == "__main__":
    main()
