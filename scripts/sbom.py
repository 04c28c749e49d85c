#!/usr/bin/env python3
"""Writes a software bill of materials (CycloneDX 1.6, JSON) of an installed folder.

scripts/sbom.py INSTALLED > sbom.cdx.json

Components: the Swift packages that are linked in (Package.resolved), OpenVINO or libtorch, the networks, and the Debian
packages that the programs need. Two runs over the same commit write the same bytes.
"""

import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import uuid

HERE = pathlib.Path(__file__).resolve().parents[1]


def sha256(path):
    return [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}]


def licence(identifier):
    return [{"license": {"id": identifier}}]


# Licences of the packages in Package.resolved, as their LICENSE files say.
LICENCES = {"grdb.swift": "MIT", "yams": "MIT", "hummingbird": "Apache-2.0"}


def swift_packages():
    """The resolved packages; all others of them are Apple's or the SSWG's, under Apache 2.0."""
    pins = json.loads((HERE / "Package.resolved").read_text())["pins"]
    for pin in sorted(pins, key=lambda pin: pin["identity"]):
        location = pin["location"].removesuffix(".git").removeprefix("https://")
        version = pin["state"].get("version", pin["state"]["revision"])
        yield {
            "type": "library", "name": pin["identity"], "version": version,
            "purl": f"pkg:swift/{location}@{version}", "licenses": licence(LICENCES.get(pin["identity"], "Apache-2.0")),
        }


def wheels(installed):
    """Native libraries out of Python wheels, by the metadata that is installed with them."""
    for metadata in sorted((installed / "share/doc/mien").glob("*/METADATA")):
        fields = dict(re.findall(r"^(Name|Version): (.*)$", metadata.read_text(errors="replace"), re.M))
        name = fields["Name"].lower()
        yield {
            "type": "library", "name": name, "version": fields["Version"],
            "purl": f"pkg:pypi/{name}@{fields['Version']}",
            "licenses": licence("Apache-2.0" if name == "openvino" else "BSD-3-Clause"),
        }


def swift():
    """The runtime that is linked into the programs."""
    told = subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout
    version = re.search(r"Swift version (\S+)", told)
    yield {
        "type": "library", "name": "swift", "licenses": licence("Apache-2.0"),
        **({"version": version[1], "purl": f"pkg:swift/github.com/swiftlang/swift@{version[1]}"} if version else {}),
    }


def networks():
    """The networks inside the programs: Mien's own, and those that find faces (docs/face-networks.md)."""
    for folder, identifier in ((HERE / "models", "MIT"), (HERE / ".native/faces", "Apache-2.0")):
        for path in sorted([*folder.glob("*.onnx"), *folder.glob("*.tflite")]):
            yield {
                "type": "machine-learning-model", "name": path.stem, "hashes": sha256(path),
                "licenses": licence(identifier),
            }


def debian_packages(installed):
    for name in sorted((installed / "share/doc/mien/packages").read_text().split()):
        version = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Version}", name], capture_output=True, text=True).stdout
        yield {
            "type": "library", "scope": "optional" if "videoio" in name else "required", "name": name,
            **({"version": version} if version else {}), "purl": f"pkg:deb/debian/{name}" + (f"@{version}" if version else ""),
        }


def main():
    installed = pathlib.Path(sys.argv[1])
    version = subprocess.run([HERE / "scripts/version.sh"], capture_output=True, text=True, check=True).stdout.strip()
    moment = os.environ.get("SOURCE_DATE_EPOCH") or subprocess.run(
        ["git", "-C", HERE, "log", "-1", "--format=%ct"], capture_output=True, text=True).stdout.strip() or "0"
    time = subprocess.run(
        ["date", "-u", "-d", f"@{moment}", "+%Y-%m-%dT%H:%M:%SZ"], capture_output=True, text=True, check=True)
    programs = [
        {"type": "application", "name": path.name, "version": version, "hashes": sha256(path), "licenses": licence("MIT")}
        for path in sorted((installed / "bin").iterdir())
    ]
    components = programs + list(swift()) + list(swift_packages()) + list(wheels(installed)) + list(networks())
    components += debian_packages(installed)
    for component in components:
        component["bom-ref"] = component.get("purl") or f"{component['type']}:{component['name']}"
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "serialNumber": "urn:uuid:" + str(
            uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(components, sort_keys=True) + moment)),
        "metadata": {
            "timestamp": time.stdout.strip(),
            "component": {
                "type": "application", "bom-ref": "mien", "name": "mien", "version": version, "licenses": licence("MIT")},
        },
        "components": components,
        "dependencies": [{"ref": "mien", "dependsOn": sorted(component["bom-ref"] for component in components)}],
    }
    json.dump(document, sys.stdout, indent=1, sort_keys=True)
    print()


main()
