"""What scripts/gpu.sh does with run folders and FaceSets on this side.

    results.py shrink RUN TARGET                copies a run folder's recipe and weights, rounded to 16 bits
    results.py collect FOLDER RUNS              unpacks the parts of runs.tar in FOLDER into run folders in RUNS
    results.py few FACES TARGET TRAIN TEST      the first faces of a FaceSet: so many to train on and to choose by
"""

import io
import pathlib
import sys
import tarfile

import numpy as np

from host import RUNS, read_tensors, tensor_bytes, with_type


def shrink(run, target):
    if not (run / "recipe.yaml").exists():
        raise SystemExit(f"{run}: expected a run folder, which has a recipe.yaml")
    (target / "checkpoints").mkdir(parents=True)
    recipe = (run / "recipe.yaml").read_text().replace(str(run.resolve().parent), RUNS)
    (target / "recipe.yaml").write_text(recipe)
    for file in ("metrics.csv", "result.json"):
        if (run / file).exists():
            (target / file).write_bytes((run / file).read_bytes())
    files = ["best"] if (run / "result.json").exists() else ["best", "last"]
    for name in files:
        file = run / f"checkpoints/{name}.safetensors"
        if file.exists():
            (target / f"checkpoints/{name}.safetensors").write_bytes(with_type(file.read_bytes(), "F32", "F16"))


def collect(folder, runs):
    parts = sorted(folder.glob("runs.tar.*"))
    if not parts:
        raise SystemExit(f"{folder}: expected runs.tar.0 and so on, found none")
    try:
        archive = tarfile.open(fileobj=io.BytesIO(b"".join(part.read_bytes() for part in parts)))
    except tarfile.TarError as error:
        raise SystemExit(f"{folder}: runs.tar is damaged: {error}")
    for member in archive:
        name = pathlib.PurePosixPath(member.name)
        if not member.isfile() or ".." in name.parts or name.is_absolute():
            raise SystemExit(f"{folder}: {member.name} is no file of a run folder")
        target = runs / name
        if target.exists():
            raise SystemExit(f"{target} exists already: unpack into another folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        data = archive.extractfile(member).read()
        if target.name == "recipe.yaml":
            data = data.replace(RUNS.encode(), str(runs.resolve()).encode())
        if target.suffix == ".safetensors":
            data = with_type(data, "F16", "F32")
        target.write_bytes(data)
        print(f"{target}: {len(data)} bytes")


def few(faces, target, train, test):
    tensors, metadata = read_tensors(faces.read_bytes())
    split = tensors["split"]
    chosen = np.concatenate([np.flatnonzero(split == 0)[:train], np.flatnonzero(split == 1)[:test]])
    target.write_bytes(tensor_bytes({name: values[chosen] for name, values in tensors.items()}, metadata))


def main():
    match sys.argv[1:]:
        case ["shrink", run, target]:
            shrink(pathlib.Path(run), pathlib.Path(target))
        case ["collect", folder, runs]:
            collect(pathlib.Path(folder), pathlib.Path(runs))
        case ["few", faces, target, train, test]:
            few(pathlib.Path(faces), pathlib.Path(target), int(train), int(test))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
