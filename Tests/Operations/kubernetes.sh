#!/usr/bin/env bash
# The manifests of deploy/kubernetes against Kubernetes' own schemas, and two wrong ones that must be refused.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
validate="$(dirname "${MIEN_OPERATIONS_PYTHON:-/nowhere/python3}")/kubernetes-validate"
[[ -x $validate ]] || { echo "skipped: needs kubernetes-validate (scripts/test-operations.sh installs it)"; exit 77; }
# The oldest version in which Indexed Jobs have failure policies, and the newest that is known.
for version in 1.31.0 default; do
  options=(--strict)
  [[ $version == default ]] || options+=(--kubernetes-version "$version")
  "$validate" "${options[@]}" "$here"/deploy/kubernetes/*.yaml
done
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
sed 's/completionMode:/completionModus:/' "$here/deploy/kubernetes/detect-job.yaml" >"$folder/job.yaml"
sed 's/periodSeconds: 10/periodSeconds: soon/' "$here/deploy/kubernetes/serve.yaml" >"$folder/serve.yaml"
for file in "$folder"/*.yaml; do
  if "$validate" --strict "$file" >/dev/null 2>&1; then
    echo "a wrong manifest is accepted: $file" >&2
    exit 1
  fi
done
# The number of shards is written twice.
shards="$(sed -n 's/.*MIEN_SHARDS, value: "\([0-9]*\)".*/\1/p' "$here/deploy/kubernetes/detect-job.yaml")"
grep -q "^  completions: $shards " "$here/deploy/kubernetes/detect-job.yaml"
echo "kubernetes: the manifests fit the schemas"
