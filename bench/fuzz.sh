#!/usr/bin/env bash
# Send whatever schemathesis makes of our OpenAPI documents to the embedded engine: bench/fuzz.sh
# [VERSION…]
# (all versions without any), EXAMPLES each. schemathesis has a virtual environment of its own.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-.venv/bin/python}
venv=${FUZZ_VENV:-build/fuzz-venv}
if ! [ -x "$venv/bin/schemathesis" ]; then
  "$python" -m venv "$venv"
  "$venv/bin/pip" install --quiet "schemathesis>=4.0"
fi

versions=("$@")
if [ ${#versions[@]} = 0 ]; then
  for file in specs/v*.yaml; do
    file=${file##*/v}
    versions+=("${file%.yaml}")
  done
fi

folder=$(mktemp -d)
trap 'kill %1 2>/dev/null || true; rm -rf "$folder"' EXIT
"$python" -m dynadock serve -H tcp://127.0.0.1:0 >"$folder/serve" 2>"$folder/errors" &
until address=$(grep -o '127.0.0.1:[0-9]*' "$folder/serve"); do sleep 0.2; done

# Streams that nobody ends, and an upgrade, are not for a tool that reads replies whole.
for version in "${versions[@]}"; do
  echo "== $version"
  "$python" -m dynadock openapi "$version" -o "$folder/v$version.json"
  PYTHONPATH=bench SCHEMATHESIS_HOOKS=fuzz_checks "$venv/bin/schemathesis" run "$folder/v$version.json" \
    --url "http://$address/v$version" --checks nothing_failed_inside --phases fuzzing \
    --max-examples "${EXAMPLES:-5}" --seed "${SEED:-1}" --request-timeout 5 --continue-on-failure \
    --exclude-operation-id Session --exclude-operation-id SystemEvents \
    --exclude-operation-id ContainerAttach --no-color >"$folder/report" 2>&1 ||
    grep -q 'Serialization not possible' "$folder/report" || { cat "$folder/report"; exit 1; }
  if grep -Eq '[0-9]+ (failed|errored|unique failure)' "$folder/report"; then
    cat "$folder/report"
    exit 1
  fi
  grep -E '[0-9]+ generated' "$folder/report"
done
if grep -q Traceback "$folder/errors"; then
  cat "$folder/errors"
  exit 1
fi
