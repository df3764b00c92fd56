#!/bin/sh
# Creates .venv with the pinned packages. PYTHON=... names the interpreter, else the first that is 3.11 or later.
set -eu
cd "$(dirname "$0")/.."

new_enough() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in "${PYTHON:-python3.11}" python3 python3.12 python3.13 python; do
        if new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "Tehai needs Python 3.11 or later with venv; name one with PYTHON=/path/to/python" >&2
    exit 1
}

for tool in cargo cc; do
    command -v "$tool" >/dev/null || {
        echo "Tehai needs $tool to build its engine, and it was not found" >&2
        exit 1
    }
done

if [ ! -x .venv/bin/python ] || ! new_enough .venv/bin/python; then
    python=$(find_python)
    echo "Creating .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements/lock.txt
# Where writing of bytecode is switched off, every start would pay for compiling again.
.venv/bin/python -m compileall -q -j 0 .venv/lib >/dev/null 2>&1 || true
