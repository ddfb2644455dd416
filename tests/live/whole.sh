#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Killed at any moment, a run leaves a whole folder or none, and a store whole baselines; nothing that
# was measured lives on. Two runs at once take turns.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/gating.bash

# whole FOLDER...: all files are there with the digests that the manifest lists, and no others
cat >"$tmp/whole.py" <<'PYTHON'
import hashlib, json, os, sys

for folder in sys.argv[1:]:
    with open(os.path.join(folder, "manifest.json")) as f:
        files = {one["name"]: one for one in json.load(f)["files"]}
    there = set(os.listdir(folder)) - {"manifest.json", "accepted.json"}
    assert there == set(files), f"{folder}: {there ^ set(files)}"
    for name, one in files.items():
        with open(os.path.join(folder, name), "rb") as f:
            assert hashlib.sha256(f.read()).hexdigest() == one["sha256"], f"{folder}/{name}"
PYTHON

marker=$(printf '31.%05d' $$)
knob short "command: [sh, -c, \"KNOB rounds=5; sleep 0.01\"]"
knob long "command: [sh, -c, \"sleep $marker & sleep $marker & wait\"]"

# killed MAXIMUM COMMAND...: after a random part of so many milliseconds
killed() {
	local pid
	"${@:2}" >/dev/null 2>&1 </dev/null &
	pid=$!
	sleep "$(printf '0.%03d' $((RANDOM % $1)))"
	kill -9 "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
}

mkdir "$tmp/runs"
for i in $(seq 50); do
	killed 400 "$FATHOM" run --no-profile --repeat 3 --warmup 0 -q -o "$tmp/runs/$i" \
		"$tmp/short.yaml"
done
shopt -s nullglob
complete=("$tmp"/runs/[0-9]*)
tap_check "killed 50 times: some runs were through, some were not (${#complete[@]})" \
	test "${#complete[@]}" -gt 0 -a "${#complete[@]}" -lt 50
tap_check "killed 50 times: what is there is whole" \
	"$PYTHON" "$tmp/whole.py" "${complete[@]}"

for i in 1 2 3; do
	killed 300 "$FATHOM" run --no-profile -q -o "$tmp/runs/long$i" "$tmp/long.yaml"
done
sleep 0.2
tap_check "killed: what was measured does not live on" is "" "$(pgrep -f "sleep $marker")"
tap_check "killed: what was not through is not there" \
	is "" "$(cd "$tmp/runs" && echo long*)"

"$FATHOM" run --no-profile --repeat 3 -q -o "$tmp/good" "$tmp/short.yaml" >/dev/null
for i in $(seq 50); do
	killed 60 "$FATHOM" baseline accept "$tmp/good" --note "number $i" --by test --store "$tmp/store"
done
status=0
"$FATHOM" baseline list --store "$tmp/store" --json >"$tmp/list.json" || status=$?
tap_check "a store whose writers were killed: it can be read" is 0 "$status"
tap_check "a store whose writers were killed: all baselines are whole" "$PYTHON" -c '
import json, sys
b = json.load(open(sys.argv[1]))["baselines"]
assert 0 < len(b) < 51 and all(one["whole"] for one in b), b
assert [int(one["id"]) for one in b] == sorted({int(one["id"]) for one in b})' "$tmp/list.json"
tap_check "a store whose writers were killed: so says whoever looks at the files" \
	"$PYTHON" "$tmp/whole.py" "$tmp"/store/*/short/[0-9]*
tap_check "a store whose writers were killed: it takes the next one" \
	"$FATHOM" baseline accept "$tmp/good" --note after --by test --store "$tmp/store" --no-wait

# Ten at once: each waits for its turn.
pids=()
for i in $(seq 10); do
	"$FATHOM" baseline accept "$tmp/good" --note "at once $i" --by test --store "$tmp/together" \
		>"$tmp/id$i" 2>&1 &
	pids+=($!)
done
failures=0
for pid in "${pids[@]}"; do
	wait "$pid" || failures=$((failures + 1))
done
tap_check "ten writers at once: none fails" is 0 "$failures"
tap_check "ten writers at once: ten IDs" is 10 "$(sort -u "$tmp"/id* | grep -c '^00')"

# Two that measure at once would measure each other.
"$FATHOM" run --no-profile --repeat 3 --warmup 0 -q -o "$tmp/first" "$tmp/long.yaml" >/dev/null 2>&1 &
pid=$!
started+=("$pid")
sleep 0.5
status=0
"$FATHOM" run --no-profile --repeat 1 -q --no-wait -o "$tmp/second" "$tmp/short.yaml" \
	>/dev/null 2>"$tmp/second.err" || status=$?
tap_check "a second run: refused with --no-wait" is 3 "$status"
tap_check "a second run: it says why" grep -q "another run" "$tmp/second.err"
tap_check "a second run: nothing is left of it" test ! -e "$tmp/second"
(
	sleep 1
	kill -INT "$pid"
) &
began=$(date +%s%N)
status=0
"$FATHOM" run --no-profile --repeat 1 -q -o "$tmp/third" "$tmp/short.yaml" >/dev/null 2>&1 || status=$?
waited=$((($(date +%s%N) - began) / 1000000))
tap_check "a third run: waits until the first is over ($waited ms)" test "$waited" -ge 800
tap_check "a third run: and then runs" is 0 "$status"
status=0
wait "$pid" || status=$?
tap_check "the first run was interrupted: exit status 5" is 5 "$status"
tap_check "the first run was interrupted: its folder is whole" "$PYTHON" "$tmp/whole.py" "$tmp/first"
tap_check "the first run was interrupted: nothing of it lives on" is "" "$(pgrep -f "sleep $marker")"
tap_done
