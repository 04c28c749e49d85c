#!/usr/bin/env bash
# Builds Examples/FaceTimeline as the package of its own that it is, and runs it on a video where one is given.
#
#   scripts/build-example.sh [VIDEO]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/setup.sh runtime
export PKG_CONFIG_PATH="$PWD/.native/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
cd Examples/FaceTimeline
swift build -c release --jobs "${JOBS:-2}" --product FaceTimeline
if (($#)); then .build/release/FaceTimeline "$1"; fi
