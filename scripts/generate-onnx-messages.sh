#!/usr/bin/env bash
# Makes Sources/MienONNX/ONNXMessages.pb.swift from onnx-subset.proto. Run it after a change to the .proto only: the
# result is committed. Needs `protoc` (Debian: protobuf-compiler) and `protoc-gen-swift` of the swift-protobuf version
# that Package.swift pins (`swift build -c release --product protoc-gen-swift` in its checkout) on PATH.
set -euo pipefail
cd "$(dirname "$0")/../Sources/MienONNX"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
protoc --swift_opt=Visibility=Internal --swift_opt=UseAccessLevelOnImports=true --swift_out="$out" onnx-subset.proto
{
  echo "// swift-format-ignore-file"
  cat "$out"/onnx-subset.pb.swift
} > ONNXMessages.pb.swift
