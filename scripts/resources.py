"""Writes Sources/CMienResources/mien_resources.c, the list of the files that are inside the programs.

    python3 scripts/resources.py            writes the list
    python3 scripts/resources.py --check    fails if the list is not what the folders hold
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = ROOT / "Sources/CMienResources"
LIST = TARGET / "mien_resources.c"
# Setup fetches them, and the flags of `mien-faces.pc` say where they are: each is embedded by a header beside it.
FETCHED = {
    "faces/face_detection_full_range.tflite": "mien_face_detector.inc",
    "faces/face_landmark.tflite": "mien_face_landmarks.inc",
}
ABOVE = [*ROOT.glob("models/*.onnx"), *ROOT.glob("recipes/**/*.yaml")]
BESIDE = [TARGET / "openapi.json", *TARGET.glob("page/*")]


def text():
    files = {str(path.relative_to(ROOT)): f'#embed "../../{path.relative_to(ROOT)}"' for path in ABOVE}
    files |= {str(path.relative_to(TARGET)): f'#embed "{path.relative_to(TARGET)}"' for path in BESIDE}
    files |= {name: f"#include <{header}>" for name, header in FETCHED.items()}
    names = sorted(files, key=str.encode)
    arrays = "".join(f"static const uint8_t file_{i}[] = {{\n{files[name]}\n}};\n" for i, name in enumerate(names))
    rows = "".join(f'    {{"{name}", file_{i}, sizeof file_{i}}},\n' for i, name in enumerate(names))
    return f"""// Written by scripts/resources.py.

#include "mien_resources.h"

#include <stdlib.h>
#include <string.h>

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"

{arrays}
#pragma clang diagnostic pop

// In the order of strcmp.
static const mien_resource files[] = {{
{rows}}};

size_t mien_resource_count(void) {{ return sizeof files / sizeof files[0]; }}

const mien_resource *mien_resource_at(size_t index) {{
  return index < mien_resource_count() ? &files[index] : NULL;
}}

static int compare(const void *name, const void *file) {{ return strcmp(name, ((const mien_resource *)file)->name); }}

const mien_resource *mien_resource_named(const char *name) {{
  return bsearch(name, files, mien_resource_count(), sizeof files[0], compare);
}}
"""


if "--check" in sys.argv[1:]:
    if LIST.read_text() != text():
        sys.exit("Sources/CMienResources/mien_resources.c is out of date: run python3 scripts/resources.py")
else:
    LIST.write_text(text())
