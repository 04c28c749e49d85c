"""Trains the runs of a plan on a GPU host, from the bundle that `scripts/gpu.sh pack` makes.

    run.sh check [--minutes 3]     is all there, does CUDA compute what the CPU does, how fast are the plan's runs
    run.sh train --minutes 9       train as many epochs as fit, and put weights and metrics into $OUT

Options: --device cuda|cpu (default: cuda), --only NAME… (these runs of the plan alone), --trial SECONDS (length of a speed
trial), --precision bf16|f32 (on a GPU; default: bf16).

A run's number of epochs is chosen so that its learning rate reaches the end of its schedule within the time: the runs are
tried side by side for some seconds first. `train` uses the speeds that an earlier `check` on the same machine measured.
At the end of the time all runs are stopped as by Ctrl-C, which leaves a checkpoint. $OUT (default: gpu-out) then holds
runs.tar in parts of less than 16 MB: for each run recipe.yaml, metrics.csv, the log and the best weights, rounded to 16
bits, and for those that did not finish their last state.
"""

import argparse
import csv
import importlib.util
import io
import json
import lzma
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import time

import numpy as np

import faceset_codec

BUNDLE = pathlib.Path(__file__).resolve().parent
WORK = pathlib.Path(os.environ.get("MIEN_GPU_WORK", "/tmp/mien-gpu"))
OUT = pathlib.Path(os.environ.get("OUT", "gpu-out"))
PROGRAM = WORK / "mien-train"
FACES = WORK / "faces.safetensors"
PART = 15_900_000  # bytes of one part of runs.tar
PARTS = 4
RUNS = "@RUNS@"  # stands for the folder of the runs in a recipe that travels, since it names its teachers by path
RESERVE = 25  # seconds to stop the runs and to pack what they made
STARTUP = 12  # seconds until a run's first step


# ------------------------------------------------------------------------------------------------------ Environment


def torch_folder():
    """The folder of the host's torch, without importing it."""
    if "MIEN_TORCH" in os.environ:
        return pathlib.Path(os.environ["MIEN_TORCH"])
    found = importlib.util.find_spec("torch")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("python3 has no torch: install torch 2.11.0, or let MIEN_TORCH name its folder")
    return pathlib.Path(found.submodule_search_locations[0])


def environment():
    """The environment in which mien-train finds the host's libtorch and its CUDA libraries."""
    torch = torch_folder()
    nvidia = torch.parent / "nvidia"
    folders = [torch / "lib", *sorted(p for p in nvidia.glob("*/lib") if p.is_dir())]
    earlier = os.environ.get("LD_LIBRARY_PATH")
    path = ":".join([str(folder) for folder in folders] + ([earlier] if earlier else []))
    # English alone: trim_locales.py left out the others. Kernels are loaded when they are first used.
    return {**os.environ, "LD_LIBRARY_PATH": path, "CUDA_MODULE_LOADING": "LAZY", "LC_ALL": "C", "LANG": "C"}


def prepare():
    """Unpacks the program and the faces, once on a machine."""
    (WORK / "runs").mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    for file, packed in ((PROGRAM, "mien-train.xz"), (FACES, "faces.packed")):
        if not file.exists() and not (BUNDLE / packed).exists():
            raise SystemExit(f"{file} is not there, and this bundle has no {packed}: run a whole one here first")
    if not PROGRAM.exists():
        made = PROGRAM.with_suffix(".new")
        made.write_bytes(lzma.decompress((BUNDLE / "mien-train.xz").read_bytes()))
        made.chmod(0o755)
        made.rename(PROGRAM)
    if not FACES.exists():
        made = FACES.with_suffix(".new")
        try:
            made.write_bytes(faceset_codec.unpack((BUNDLE / "faces.packed").read_bytes()))
        except (ValueError, IndexError) as error:
            raise SystemExit(f"faces.packed is damaged: {error}")
        made.rename(FACES)
    for folder in sorted((BUNDLE / "runs").glob("*")):
        target = WORK / "runs" / folder.name
        if not target.exists():
            shutil.copytree(folder, target)
            for file in target.glob("checkpoints/*.safetensors"):
                file.write_bytes(with_type(file.read_bytes(), "F16", "F32"))
            recipe = target / "recipe.yaml"
            recipe.write_text(recipe.read_text().replace(RUNS, str(WORK / "runs")))
    print(f"unpacked in {time.monotonic() - begin:.1f} s: {FACES.stat().st_size} bytes of faces, SHA-256 as packed")


def report_host(device):
    """Prints what may differ between hosts."""
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, NumPy {np.__version__}")
    try:
        version = (torch_folder() / "version.py").read_text()
        print("torch", next(line.split("'")[1] for line in version.splitlines() if line.startswith("__version__")))
    except (OSError, StopIteration, IndexError):
        print(f"torch of unknown version in {torch_folder()}")
    for command in (["ldd", "--version"], ["nvidia-smi", "-L"]):
        if shutil.which(command[0]) and (device == "cuda" or command[0] == "ldd"):
            answer = subprocess.run(command, capture_output=True, text=True)
            print((answer.stdout or answer.stderr).splitlines()[0])
    missing = subprocess.run(["ldd", str(PROGRAM)], capture_output=True, text=True, env=environment()).stdout
    missing = [line.strip() for line in missing.splitlines() if "not found" in line]
    for line in missing:
        print(f"MISSING {line}")
    return not missing


# ------------------------------------------------------------------------------------------------------ Safetensors


def read_tensors(data):
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    kinds = {"F32": "<f4", "F16": "<f2", "U8": "u1", "I32": "<i4", "I64": "<i8"}
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:end], kinds[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata


def tensor_bytes(tensors, metadata):
    names = {"f4": "F32", "f2": "F16", "u1": "U8", "i4": "I32", "i8": "I64"}
    header, body = {"__metadata__": metadata}, []
    offset = 0
    for name, values in tensors.items():
        header[name] = {
            "dtype": names[values.dtype.str[1:]], "shape": list(values.shape),
            "data_offsets": [offset, offset + values.nbytes],
        }
        body.append(np.ascontiguousarray(values).tobytes())
        offset += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(body)


def with_type(data, source, target):
    """A safetensors file with its tensors of one float type in another, unless a number would become infinite."""
    kinds = {"F32": np.float32, "F16": np.float16}
    tensors, metadata = read_tensors(data)
    for name, values in tensors.items():
        if values.dtype == kinds[source]:
            with np.errstate(over="ignore"):
                changed = values.astype(kinds[target])
            if np.isfinite(changed).all():
                tensors[name] = changed
    return tensor_bytes(tensors, metadata)


def progress_of(run):
    """Step, seconds and epochs of a run's last checkpoint; None before the first."""
    try:
        _, metadata = read_tensors((run / "checkpoints/last.safetensors").read_bytes())
        return json.loads(metadata["mien.checkpoint"])
    except (OSError, KeyError, ValueError, struct.error):
        return None


# ------------------------------------------------------------------------------------------------------------- Runs


class Plan:
    def __init__(self, options):
        plan = json.loads((BUNDLE / "plan.json").read_text())
        self.options = options
        self.stages = []
        for stage in plan["stages"]:
            runs = [run for run in stage["runs"] if not options.only or run["name"] in options.only]
            if runs:
                self.stages.append({"share": stage["share"], "runs": runs})
        whole = sum(stage["share"] for stage in self.stages)
        if not self.stages:
            raise SystemExit(f"the plan has no run called {', '.join(options.only)}")
        for stage in self.stages:
            stage["share"] /= whole

    def command(self, run, folder, epochs, together, autotune, teachers_in, extra=()):
        """The command that trains `run` of the plan in `folder`."""
        threads = 2 if self.options.device == "cuda" else max(1, (os.cpu_count() or 1) // together)
        command = [str(PROGRAM), "train"]
        if (folder / "recipe.yaml").exists():
            command += ["--resume", str(folder)]
        else:
            places = {name: [base / name for base in teachers_in] for name in run.get("teachers", [])}
            trained = {
                name: [place for place in folders if (place / "checkpoints/best.safetensors").exists()]
                for name, folders in places.items()
            }
            teachers = [str(folders[0]) for folders in trained.values() if folders]
            settings = [*run.get("set", []), f"name={run['name']}", *extra]
            if epochs:
                settings.append(f"epochs={epochs}")
            settings.append(f"teachers.runs=[{', '.join(teachers)}]")
            command += [str(BUNDLE / "recipes" / run["recipe"]), "-o", str(folder)]
            for setting in settings:
                command += ["--set", setting]
        command += ["--data", str(FACES), "--device", self.options.device, "--threads", str(threads)]
        if self.options.device == "cuda":
            command += ["--autotune"] if autotune else []
            command += ["--precision", self.options.precision]
        return command


def start(command, log):
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as stream:
        return subprocess.Popen(
            command, stdout=stream, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment())


def stop(processes, patience=15):
    """Ctrl-C for all of them, and the end of those that take too long."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + patience
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def tail(log, lines=4):
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n".join("    " + line for line in text.splitlines()[-lines:])


def rows(run):
    """The epochs in metrics.csv."""
    try:
        with open(run / "metrics.csv", newline="") as file:
            return list(csv.DictReader(file))
    except OSError:
        return []


def batch_size(folder):
    for line in (folder / "recipe.yaml").read_text().splitlines():
        if line.startswith("batchSize:"):
            return int(line.split(":")[1])
    raise SystemExit(f"{folder}/recipe.yaml has no batchSize")


def rate_of(folder):
    """Faces per second of a trial run, without its first epoch where it has more than one; 0 where it did nothing."""
    progress = progress_of(folder)
    if not progress or not progress["step"]:
        return 0.0
    steps, seconds = progress["step"], progress["seconds"]
    if progress["epochs"] and progress["epochs"][0]["step"] < steps:
        steps -= progress["epochs"][0]["step"]
        seconds -= progress["epochs"][0]["seconds"]
    return steps * batch_size(folder) / max(seconds, 1e-6)


def trial(plan, stage, seconds, autotune, teachers_in):
    """The speeds of a stage's runs, in faces per second, when they run side by side."""
    name = "autotuned" if autotune else "plain"
    processes = []
    for run in stage["runs"]:
        folder = WORK / "trial" / name / run["name"]
        shutil.rmtree(folder, ignore_errors=True)
        log = WORK / "trial" / name / f"{run['name']}.log"
        command = plan.command(run, folder, None, len(stage["runs"]), autotune, teachers_in)
        processes.append((run["name"], folder, log, start(command, log)))
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(p.poll() is None for *_, p in processes):
        time.sleep(0.2)
    stop([process for *_, process in processes])
    rates = {}
    for run, folder, log, _ in processes:
        rates[run] = rate_of(folder)
        print(f"  {run}: {rates[run]:.0f} faces per second ({name})", flush=True)
        if rates[run] == 0:
            print(tail(log), flush=True)
    return rates


def measured(plan, seconds, budget):
    """The speeds of all runs, and whether cuDNN's tuning pays; measured in `budget` seconds at most."""
    begin = time.monotonic()
    result = {"autotune": False, "rates": {}}
    bases = [WORK / "runs", WORK / "trial/plain", WORK / "trial/autotuned"]
    for number, stage in enumerate(plan.stages):
        if time.monotonic() - begin > budget - seconds:
            print(f"no time to try stage {number + 1}")
            break
        print(f"stage {number + 1}: {len(stage['runs'])} runs side by side for {seconds} s", flush=True)
        rates = trial(plan, stage, seconds, result["autotune"], bases)
        if number == 0 and plan.options.device == "cuda" and time.monotonic() - begin < budget - 2 * seconds:
            tuned = trial(plan, stage, seconds, True, bases)
            # The slowest run decides what fits.
            if min(tuned.values()) > 1.05 * min(rates.values()):
                rates, result["autotune"] = tuned, True
        result["rates"].update(rates)
    if not any(result["rates"].values()):
        raise SystemExit("no run of the plan made a step")
    (WORK / "rates.json").write_text(json.dumps(result, indent=1))
    return result


def faces_per_epoch(plan):
    split = read_tensors(FACES.read_bytes())[0]["split"]
    return int((split == 0).sum())


def fitting(stage, rates, seconds, faces):
    """The runs of a stage that fit into `seconds` and their epochs: the last ones are left out where too few would."""
    runs = list(stage["runs"])
    while True:
        share = len(stage["runs"]) / len(runs)
        chosen = []
        for run in runs:
            # A run that was not tried gets its least epochs.
            rate = rates.get(run["name"]) or 0
            epochs = int(0.93 * rate * share * max(0, seconds - STARTUP) / faces) if rate else run.get("least", 1)
            chosen.append((run, min(run["epochs"], epochs)))
        if len(runs) == 1 or all(epochs >= run.get("least", 1) for run, epochs in chosen):
            return [(run, max(2, epochs)) for run, epochs in chosen]
        print(f"  {runs[-1]['name']} is left out: too few epochs would fit")
        runs.pop()


def train_stage(plan, chosen, autotune, deadline):
    """Trains the chosen runs side by side until they end or the deadline is near."""
    processes = []
    for run, epochs in chosen:
        folder, log = WORK / "runs" / run["name"], WORK / "runs" / f"{run['name']}.log"
        command = plan.command(run, folder, epochs, len(chosen), autotune, [WORK / "runs"])
        print(f"  {run['name']}: {epochs} of {run['epochs']} epochs", flush=True)
        processes.append((run["name"], folder, log, start(command, log)))
    told = time.monotonic()
    while time.monotonic() < deadline and any(p.poll() is None for *_, p in processes):
        time.sleep(0.2)
        if time.monotonic() - told > 30:
            told = time.monotonic()
            for name, folder, *_ in processes:
                print(f"  {name}: {summary(folder)}", flush=True)
    stop([process for *_, process in processes])
    for name, folder, log, process in processes:
        finished = (folder / "result.json").exists()
        print(f"  {name}: {'finished' if finished else 'stopped'}, {summary(folder)}", flush=True)
        if not rows(folder):
            print(tail(log), flush=True)


def summary(folder):
    """The newest epoch of a run, and the best of each head."""
    epochs = rows(folder)
    if not epochs:
        return "no epoch yet"
    text = f"epoch {epochs[-1]['epoch']}, {float(epochs[-1]['seconds']):.0f} s"
    for column in epochs[-1]:
        if column.startswith("validation_") and column.endswith("_accuracy") and "balanced" not in column:
            best = max(float(row[column]) for row in epochs if row[column])
            text += f", {column[11:-9]} {100 * float(epochs[-1][column]):.2f} % (best {100 * best:.2f} %)"
    return text


# ---------------------------------------------------------------------------------------------------------- Results


class Parts(io.RawIOBase):
    """A stream that is written to files of at most PART bytes, and refuses more than PARTS of them."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("runs.tar.*"):
            old.unlink()
        self.folder, self.written = folder, 0

    def writable(self):
        return True

    def write(self, data):
        data = bytes(data)
        for begin in range(0, len(data), 1 << 16):
            piece = data[begin : begin + (1 << 16)]
            while piece:
                number, inside = divmod(self.written, PART)
                fits = piece[: PART - inside]
                with open(self.folder / f"runs.tar.{number}", "ab") as file:
                    file.write(fits)
                self.written += len(fits)
                piece = piece[len(fits) :]
        return len(data)


def collect(plan):
    """Puts what the runs made into $OUT: first all best weights, then what it takes to go on."""
    names = [run["name"] for stage in plan.stages for run in stage["runs"]]
    folders = [WORK / "runs" / name for name in names if (WORK / "runs" / name / "recipe.yaml").exists()]
    for file in (WORK / "rates.json", WORK / "parity.json"):
        if file.exists():
            shutil.copy(file, OUT / file.name)
    if not folders:
        return
    items = []
    for folder in folders:
        recipe = (folder / "recipe.yaml").read_text().replace(str(WORK / "runs"), RUNS)
        items.append((f"{folder.name}/recipe.yaml", recipe.encode()))
        for file in ("metrics.csv", "result.json"):
            if (folder / file).exists():
                items.append((f"{folder.name}/{file}", (folder / file).read_bytes()))
        best = folder / "checkpoints/best.safetensors"
        if best.exists():
            items.append((f"{folder.name}/checkpoints/best.safetensors", with_type(best.read_bytes(), "F32", "F16")))
        log = folder.with_suffix(".log")
        if log.exists():
            items.append((f"{folder.name}/train.log", log.read_bytes()[-200_000:]))
    for folder in folders:
        last = folder / "checkpoints/last.safetensors"
        if last.exists() and not (folder / "result.json").exists():
            items.append((f"{folder.name}/checkpoints/last.safetensors", with_type(last.read_bytes(), "F32", "F16")))
    stream = Parts(OUT)
    with tarfile.open(fileobj=stream, mode="w|") as archive:
        for name, data in items:
            if stream.written + len(data) > PART * PARTS - 100_000:
                print(f"left behind for its size: {name}, {len(data)} bytes")
                continue
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    print(f"{stream.written} bytes of results of {len(folders)} runs in {OUT}", flush=True)


# ----------------------------------------------------------------------------------------------------------- Parity


def parity(plan):
    """Four steps of the first run on the CPU and on the device, from the same weights: do they end alike?"""
    tensors, metadata = read_tensors(FACES.read_bytes())
    split = tensors["split"]
    chosen = np.concatenate([np.flatnonzero(split == 0)[:128], np.flatnonzero(split == 1)[:64]])
    small = WORK / "parity.safetensors"
    small.write_bytes(tensor_bytes({name: values[chosen] for name, values in tensors.items()}, metadata))
    run = plan.stages[0]["runs"][0]
    # Dropout and noise draw differently on a GPU.
    settings = [
        "epochs=1", "batchSize=32", "model.options.dropout=0", "model.options.stochasticDepth=0", "augmentation.noise=0",
        "schedule.warmupEpochs=0", "teachers.runs=[]", "averageDecay=0.9", "progressive.side=48",
    ]
    kinds = {"start": ("cpu", 1e-12, []), "cpu": ("cpu", 0.01, [])}
    if plan.options.device == "cuda":
        kinds |= {"f32": ("cuda", 0.01, ["--precision", "f32"]), "bf16": ("cuda", 0.01, [])}
    else:
        kinds |= {"again": ("cpu", 0.01, [])}
    found = {}
    processes = []
    for kind, (device, rate, flags) in kinds.items():
        folder = WORK / "parity" / kind
        shutil.rmtree(folder, ignore_errors=True)
        command = [str(PROGRAM), "train", str(BUNDLE / "recipes" / run["recipe"]), "-o", str(folder), "--data", str(small)]
        for setting in [*run.get("set", []), *settings, f"optimizer.learningRate={rate}"]:
            command += ["--set", setting]
        command += ["--device", device, "--threads", str(min(4, os.cpu_count() or 1)), *flags]
        log = WORK / "parity" / f"{kind}.log"
        log.unlink(missing_ok=True)
        processes.append((kind, folder, log, start(command, log)))
    holds = True
    for kind, folder, log, process in processes:
        try:
            process.wait(240)
        except subprocess.TimeoutExpired:
            process.kill()
        progress = progress_of(folder)
        if not progress or not progress["epochs"]:
            print(f"PARITY: the run {kind} failed:\n{tail(log, 12)}", flush=True)
            holds = False
            continue
        weights = read_tensors((folder / "checkpoints/last.safetensors").read_bytes())[0]
        found[kind] = ({n: v for n, v in weights.items() if n.startswith("weights.")}, progress["epochs"][0])
    if "start" not in found or "cpu" not in found or len(found) == 2:
        raise SystemExit("the device does not train at all: nothing else was tried")

    def vector(kind, statistics):
        tensors = found[kind][0]
        return np.concatenate([tensors[n].ravel() for n in sorted(tensors) if (".running" in n) == statistics])

    before, right, loss = vector("start", False), vector("cpu", False), found["cpu"][1]["trainingLoss"]
    moved = np.linalg.norm(right - before)
    report = {}
    for kind in [kind for kind in found if kind not in ("start", "cpu")]:
        limits = {"f32": (0.01, 1e-3, 1e-3), "bf16": (0.25, 0.03, 0.03), "again": (0, 0, 0)}[kind]
        statistics = np.linalg.norm(vector(kind, True) - vector("cpu", True)) / np.linalg.norm(vector("cpu", True))
        values = (
            float(np.linalg.norm(vector(kind, False) - right) / moved),
            float(abs(found[kind][1]["trainingLoss"] - loss) / loss), float(statistics),
        )
        good = all(np.isfinite(v) and v <= limit for v, limit in zip(values, limits))
        holds = holds and good
        report[kind] = dict(zip(("update", "loss", "statistics"), values))
        print(
            f"PARITY {kind} with the CPU after 4 steps: update differs by {values[0]:.2e}, loss by {values[1]:.2e}, "
            f"running statistics by {values[2]:.2e}: {'holds' if good else f'FAILS (limits {limits})'}", flush=True)
    (WORK / "parity.json").write_text(json.dumps(report))
    return holds


# ------------------------------------------------------------------------------------------------------------- Main


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=("check", "train"))
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--trial", type=float, default=25)
    parser.add_argument("--precision", choices=("bf16", "f32"), default="bf16")
    options = parser.parse_args()
    begin = time.monotonic()
    deadline = begin + 60 * options.minutes
    plan = Plan(options)
    OUT.mkdir(parents=True, exist_ok=True)
    prepare()
    holds = report_host(options.device)
    if options.mode == "check":
        holds = parity(plan) and holds
        try:
            measured(plan, options.trial, deadline - time.monotonic() - 10)
        finally:
            collect(plan)
        print(f"check: {'all well' if holds else 'SOMETHING FAILED'} after {time.monotonic() - begin:.0f} s")
        raise SystemExit(0 if holds else 1)
    known = WORK / "rates.json"
    if known.exists():
        speeds = json.loads(known.read_text())
        print(f"speeds of an earlier check: {speeds}")
    else:
        speeds = measured(plan, options.trial, 3 * options.trial)
    shutil.rmtree(WORK / "trial", ignore_errors=True)
    faces = faces_per_epoch(plan)
    ends = deadline - RESERVE
    left = 1.0
    for number, stage in enumerate(plan.stages):
        now = time.monotonic()
        until = now + (ends - now) * min(1, stage["share"] / left)
        left -= stage["share"]
        chosen = fitting(stage, speeds["rates"], until - now, faces)
        print(f"stage {number + 1}: {until - now:.0f} s for {len(chosen)} runs", flush=True)
        train_stage(plan, chosen, speeds["autotune"], until)
        collect(plan)
    print(f"train: done after {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
