#!/usr/bin/env bash
# Builds the reference of the library products into .build/docs from docs/Mien.docc and the libraries' doc comments. A
# warning of DocC, such as a link to a symbol that does not exist, is an error, and so is Swift code of a page that does not
# compile.
#
#   scripts/docs.sh [SWIFT-BUILD-OPTION…]
#
# The same options as an earlier `swift build` find everything built. `swift package dump-symbol-graph` would build anew, and
# fails on the C targets beside a C++ standard.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The library products, but for MienVideoShim, which has no Swift in it.
products=(MienCore MienONNX MienVision MienInference MienEvaluation MienAdaptation MienDatasets MienReports MienRuns MienTorch MienModels MienTraining)
# By target: to a library product SwiftPM also compiles the programs of the packages it depends on, protoc among them.
for target in MienAdaptation MienDatasets MienEvaluation MienReports MienTraining; do swift build "$@" --target "$target"; done
built="$(swift build "$@" --show-bin-path)"

rm -rf .build/docs .build/docs-symbols
mkdir -p .build/docs-symbols
# What the modules import of C; SwiftPM writes a map for targets that have none of their own.
maps=()
for map in "$built"/C*.build/module.modulemap Sources/CSystem*/module.modulemap \
  .build/checkouts/*/Sources/C*/include/module.modulemap; do
  maps+=(-Xcc "-fmodule-map-file=$PWD/${map#"$PWD"/}")
done
python3 scripts/check-snippets.py -- -I "$built/Modules" "${maps[@]}"
target="$(swiftc -print-target-info | sed -n 's/^ *"triple": "\(.*\)",$/\1/p' | head -n 1)"
for product in "${products[@]}"; do
  swift symbolgraph-extract -module-name "$product" -I "$built/Modules" "${maps[@]}" -target "$target" \
    -minimum-access-level public -skip-synthesized-members -output-dir .build/docs-symbols
done
python3 scripts/link-symbols.py .build/docs-symbols
# Parameters are described where their names do not say it all, so not every one is.
docc convert docs/Mien.docc --additional-symbol-graph-dir .build/docs-symbols --output-path .build/docs \
  --fallback-display-name Mien --fallback-bundle-identifier mien --disable-parameters-and-returns-validation \
  --warnings-as-errors
# The site's root leads to the first page.
cat >.build/docs/index.html <<'HTML'
<!doctype html>
<meta charset="utf-8">
<title>Mien</title>
<meta http-equiv="refresh" content="0; url=documentation/mien/">
<a href="documentation/mien/">Mien</a>
HTML
echo "The reference is in $PWD/.build/docs; to read it: python3 -m http.server --directory .build/docs 8000"
