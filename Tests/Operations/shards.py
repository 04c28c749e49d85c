#!/usr/bin/env python3
"""The JSON Lines of `mien detect -o` and `mien video -o`, read by DuckDB as they are.

Tests/Operations/shards.py PROGRAMS
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

try:
    import duckdb
except ImportError:
    print("skipped: needs duckdb (scripts/test-operations.sh installs it)")
    sys.exit(77)

HERE = pathlib.Path(__file__).resolve().parents[2]
PHOTO = HERE / ".native/samples/astronaut.png"
if not PHOTO.exists():
    print("skipped: needs the sample photo (make setup)")
    sys.exit(77)
mien = pathlib.Path(sys.argv[1]).resolve() / "mien"


def run(*arguments):
    subprocess.run([mien, *arguments], check=True, stderr=subprocess.DEVNULL)


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    (folder / "photos/sub").mkdir(parents=True)
    for number in range(7):
        shutil.copy(PHOTO, folder / f"photos/{'sub/' if number % 2 else ''}p{number}.png")
    # A name with what JSON, SQL and shells treat specially, a picture without a face, and a damaged one.
    shutil.copy(PHOTO, folder / "photos/it's a \"photo\", ü.png")
    (folder / "photos/grey.pgm").write_bytes(b"P5 64 64 255\n" + bytes([128]) * 4096)
    (folder / "photos/damaged.png").write_bytes(PHOTO.read_bytes()[:40])
    for shard in (1, 2, 3):
        run("detect", folder / "photos", "-o", folder / "out", "--shard", f"{shard}/3")
    run("merge", folder / "out", "-o", folder / "all.jsonl")

    # Spark passes over names that start with an underscore; DuckDB and pandas are given a pattern.
    for source in (f"{folder}/out/*.jsonl", f"{folder}/all.jsonl"):
        table = f"read_json_auto('{source}')"
        count, files, faces, failed = duckdb.sql(
            f"select count(*), count(distinct file), sum(len(faces)), count(error) from {table}"
        ).fetchall()[0]
        assert (count, files, faces, failed) == (10, 10, 8, 1), (count, files, faces, failed)
        rows = duckdb.sql(
            f"select face.emotion, avg(face.scores.happiness), min(face.box.width) from (select unnest(faces) as face "
            f"from {table}) group by all"
        ).fetchall()
        assert len(rows) == 1 and rows[0][0] == "happiness" and rows[0][1] > 0.5 and rows[0][2] > 20, rows

    frame = b"FRAME\n" + bytes([128]) * (64 * 64 * 3)
    (folder / "clips").mkdir()
    for clip in ("one", "two"):
        (folder / f"clips/{clip}.y4m").write_bytes(b"YUV4MPEG2 W64 H64 F25:1 Ip A1:1 C444\n" + frame * 5)
    run("video", folder / "clips", "-o", folder / "rows", "--detector", "none")
    rows = duckdb.sql(
        f"select file, count(*), max(seconds), count(smoothed), avg(smoothed.neutral) from "
        f"read_json_auto('{folder}/rows/*.jsonl') group by file order by file"
    ).fetchall()
    assert [(row[0][-7:], row[1], round(row[2], 3), row[3]) for row in rows] == [
        ("one.y4m", 5, 0.16, 5), ("two.y4m", 5, 0.16, 5)], rows
print("shards: DuckDB reads photos and videos")
