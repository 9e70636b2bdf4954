#!/bin/sh
# Makes .venv and installs the project into it, editable, with its dependencies.
#
#   tools/setup_venv.sh           what the package itself needs
#   tools/setup_venv.sh EXTRA     and those of one extra in pyproject.toml (test, docs, bench)
#
# PYTHON=... chooses the interpreter; otherwise the first one found that is new enough.
# A run that has nothing to do leaves pip alone and takes milliseconds.
set -eu

extra=${1:-}
oldest=3.11
cd "$(dirname -- "$0")/.."
project=$(pwd -P)
venv=$project/.venv

say() {
    printf '%s\n' "$@" >&2
}

fail() {
    say "$@"
    exit 1
}

stamp_file() {
    printf '%s/.installed%s' "$venv" "${1:+-$1}"
}

# All that an installation depends on: a tree that was moved or copied needs a new one, and so
# does a .venv whose interpreter was replaced.
fingerprint() {
    version=$("$venv/bin/python" -V 2>/dev/null) || return 1
    printf '%s, PYTHON=%s, %s, pyproject.toml %s\n' \
        "$venv" "${PYTHON:-}" "$version" "$(cksum <pyproject.toml)"
}

is_current() {
    now=$(fingerprint) && [ "$now" = "$(cat "$(stamp_file "$extra")" 2>/dev/null)" ]
}

# Prints the interpreter's own path, even where the name leads into a virtual environment: that may
# be the very .venv that is about to be replaced.
own_path_if_new_enough() {
    "$1" - "$oldest" 2>/dev/null <<'END'
import sys
print(sys._base_executable)
sys.exit(sys.version_info < tuple(map(int, sys.argv[1].split("."))))
END
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3 python3.14 python3.13 python3.12 python3.11
    fi
    for name; do
        if python=$(own_path_if_new_enough "$name"); then
            return
        fi
    done
    fail "dynadock needs Python $oldest or newer; $1 is $(describe "$1")." \
        "Install one, or say where it is: make PYTHON=/path/to/python$oldest ..."
}

describe() {
    if command -v "$1" >/dev/null; then
        "$1" -V 2>&1
    else
        echo "not there"
    fi
}

has_venv() {
    "$python" -c 'import ensurepip, venv' 2>/dev/null
}

# Debian and its kin keep ensurepip out of python3, in python3-venv (python3.X-venv for a Python
# beside the default one).
ensure_venv_module() {
    has_venv && return
    case ${name##*/} in
        python3.*) package=${name##*/}-venv ;;
        *) package=python3-venv ;;
    esac
    if ! command -v apt-get >/dev/null; then
        fail "$python cannot make a virtual environment: it has no ensurepip module." \
            "Install what your system calls python3-venv, then run this again."
    fi
    if [ "$(id -u)" -eq 0 ]; then
        install_package
        has_venv && return
    fi
    fail "$python cannot make a virtual environment: the package $package is not installed." \
        "Run this, then try again: sudo apt-get install $package"
}

install_package() {
    say "Installing $package: without it $python cannot make a virtual environment"
    # An update that fails for one source of many need not stop the installation.
    log=$(
        exec 2>&1 </dev/null
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        apt-get install -qq -y --no-install-recommends "$package"
    ) || say "$log"
}

# The script pip says where it is: no answer, or another place, if .venv is half-made, was moved, or
# has another Python.
is_usable() {
    "$venv/bin/python" -c "" 2>/dev/null || return 1
    lib=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    case $("$venv/bin/pip" --version 2>/dev/null) in
        *" from $venv/lib/$lib/"*) return 0 ;;
        *) return 1 ;;
    esac
}

make_venv() {
    find_python
    is_usable && return
    ensure_venv_module
    "$python" -m venv --clear "$venv"
}

install_project() {
    say "Setting up .venv${extra:+ for $extra}"
    make_venv
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -e ".${extra:+[$extra]}"
    fingerprint >"$(stamp_file "")"
    [ -z "$extra" ] || fingerprint >"$(stamp_file "$extra")"
}

is_current || install_project
