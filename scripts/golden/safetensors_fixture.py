#!/usr/bin/env python3
"""Writes Tests/MienCoreTests/Fixtures/python.safetensors with the reference implementation.

    pip install numpy safetensors==0.8.0 && scripts/golden/safetensors_fixture.py
"""
import pathlib

import numpy as np
from safetensors.numpy import save_file

OUT = pathlib.Path(__file__).resolve().parents[2] / "Tests/MienCoreTests/Fixtures/python.safetensors"

save_file(
    {
        "bytes": np.arange(6, dtype=np.uint8).reshape(2, 3),
        "signed": np.array([-128, 127], np.int8),
        "ints": np.array([[-2**31], [2**31 - 1]], np.int32),
        "longs": np.array([-2**63, 2**63 - 1], np.int64),
        "halves": np.array([0.5, -2.0], np.float16),
        "floats": np.linspace(-1, 1, 5, dtype=np.float32),
        "doubles": np.array([[[1e300]]], np.float64),
        "scalar": np.array(0.25, np.float32),
        "none": np.zeros((0, 4), np.float32),
    },
    OUT, metadata={"note": "Gefühl \"quoted\"\n", "empty": ""})
