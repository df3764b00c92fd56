#!/bin/sh
# Installs what `make test-services` needs beyond `make setup`: the client in a second language, built from the contract.
# The other tests of that verb start the real server as a process of its own, and build a wheel and install it in a fresh
# environment; they need nothing more.
set -eu
cd "$(dirname "$0")/.."

tools/build_go_client.sh
