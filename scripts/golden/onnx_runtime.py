"""Judges a model file by ONNX's checker and runs it in ONNX Runtime.

    .native/python/bin/python3 scripts/golden/onnx_runtime.py FOLDER

FOLDER holds model.onnx and faces.safetensors (`faces`, f32 [N, C, H, W]); outputs.safetensors is written beside them.
Prints the SHA-256 that the card must carry, worked out with ONNX's own classes.
"""

import hashlib
import pathlib
import sys

import onnx
import onnxruntime
from safetensors.numpy import load_file, save_file

folder = pathlib.Path(sys.argv[1])
model = onnx.load(folder / "model.onnx")
onnx.checker.check_model(model, full_check=True)

bare = onnx.ModelProto()
bare.graph.CopyFrom(model.graph)
bare.opset_import.extend(model.opset_import)
print("weightsSHA256", hashlib.sha256(bare.SerializeToString(deterministic=True)).hexdigest())

session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
faces = load_file(folder / "faces.safetensors")["faces"]
names = [output.name for output in session.get_outputs()]
save_file(dict(zip(names, session.run(names, {"faces": faces}))), folder / "outputs.safetensors")
