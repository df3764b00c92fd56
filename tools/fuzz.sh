#!/bin/sh
# Fuzzes the decoders with atheris: tools/fuzz.sh [SECONDS FOR EACH] [DECODER...]; default 60 s and all of them.
#
# Installs requirements/fuzz.txt into .tools/fuzz, beside the environment and not into it (after `make setup`). What was
# found interesting stays in .tools/fuzz/corpus and is where the next run begins. A crash stops the run with exit code 1,
# its input in .tools/fuzz/crashes and the way to run it again. Ends with the sum of inputs and 0 where nothing was found.
set -eu
cd "$(dirname "$0")/.."

seconds=${1:-60}
[ $# -eq 0 ] || shift
python=${PYTHON:-.venv/bin/python}
folder=.tools/fuzz
# Inputs above this are slow and say nothing new; the limit on messages is tested elsewhere.
bytes_max=65536
# An input that takes longer, or more memory, is a finding.
input_seconds_max=20
memory_mb_max=2048

if ! cmp -s requirements/fuzz.txt "$folder/installed.txt"; then
    mkdir -p "$folder"
    "$python" -m pip install --quiet --disable-pip-version-check --upgrade --no-deps --only-binary :all: \
        --target "$folder/packages" --requirement requirements/fuzz.txt
    cp requirements/fuzz.txt "$folder/installed.txt"
fi
PYTHONPATH="service:.:$folder/packages"
export PYTHONPATH

[ $# -gt 0 ] || set -- $("$python" -c 'from tests.hostile.decoders import DECODERS; print(*sorted(DECODERS))')
mkdir -p "$folder/crashes" "$folder/logs"
sum=0
for decoder in "$@"; do
    log="$folder/logs/$decoder.txt"
    if ! "$python" -m tests.hostile.fuzz "$decoder" "$folder/corpus/$decoder" -max_total_time="$seconds" \
        -max_len="$bytes_max" -timeout="$input_seconds_max" -rss_limit_mb="$memory_mb_max" -print_final_stats=1 \
        -artifact_prefix="$folder/crashes/$decoder-" >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        echo "$decoder: found something; the input is in $folder/crashes. To run it again:" >&2
        echo "  PYTHONPATH=$PYTHONPATH $python -m tests.hostile.fuzz $decoder $folder/crashes/NAME" >&2
        exit 1
    fi
    count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    echo "$decoder: ${count:-0} inputs in $seconds s, $(ls "$folder/corpus/$decoder" | wc -l) kept"
    sum=$((sum + ${count:-0}))
done
echo "$sum inputs, nothing found"
