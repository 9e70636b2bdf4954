#!/bin/sh
# Runs pytest in .venv-lowest, where every dependency of the package has the oldest version that
# pyproject.toml allows; what only the tests need is as new as there is.
#
#   tools/run_lowest.sh ARGUMENTS      what pytest is given
set -eu

cd "$(dirname -- "$0")/.."
venv=.venv-lowest
python=${PYTHON:-python3}

stamp=$("$python" -V; pwd -P; cksum <pyproject.toml)
if [ "$stamp" != "$(cat "$venv/.installed" 2>/dev/null)" ]; then
    "$python" -m venv --clear "$venv"
    "$venv/bin/python" tools/lowest.py >"$venv/constraints.txt"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --constraint "$venv/constraints.txt" -e ".[test]"
    printf '%s\n' "$stamp" >"$venv/.installed"
fi
"$venv/bin/python" -m pip freeze | grep -Eix -f "$venv/constraints.txt"
exec "$venv/bin/python" -m pytest "$@"
