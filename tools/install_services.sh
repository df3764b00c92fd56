#!/bin/sh
# Installs what `make test-services` needs beyond `make setup`. So far that is nothing: these tests start the real server
# as a process of its own, and build a wheel and install it in a fresh environment. A client in a second language
# is not there yet; what it needs will be installed here.
set -eu
cd "$(dirname "$0")/.."

if [ ! -x .venv/bin/python ]; then
    echo "run make setup first" >&2
    exit 1
fi
.venv/bin/python -m maturin --version
echo "nothing else to install; no client in a second language yet"
