#!/usr/bin/env bash
# Make .venv with the Python named as the only argument, or with the newest one found. Installs Debian's python3-venv
# when it is missing and we are root.
set -euo pipefail

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    local name
    for name in "$1" python3 python3.14 python3.13 python3.12 python3.11; do
        if is_new_enough "$name"; then
            echo "$name"
            return
        fi
    done
    echo "Belltower needs Python 3.11 or later: install it, or name it:  make PYTHON=/path/to/python3" >&2
    return 1
}

install_venv_module() {
    local version
    version=$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [[ $(id -u) -ne 0 ]] || ! command -v apt-get >/dev/null; then
        echo "This Python cannot make virtual environments. On Debian, as root:  apt-get install $version" >&2
        return 1
    fi
    echo "Installing $version"
    export DEBIAN_FRONTEND=noninteractive
    local install=(apt-get -qq -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "$version")
    "${install[@]}" </dev/null >/dev/null 2>&1 || { apt-get -qq update && "${install[@]}" </dev/null >/dev/null; }
}

# One that works is kept.
.venv/bin/python -m pip --version >/dev/null 2>&1 && is_new_enough .venv/bin/python && exit 0
python=$(find_python "$1")
"$python" -c 'import ensurepip, venv' 2>/dev/null || install_venv_module "$python"
echo "Making .venv with $("$python" --version)"
"$python" -m venv --clear .venv
