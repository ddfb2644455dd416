#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The scenarios of the repository run at once, everywhere; a running service can be one.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/gating.bash

for file in scenarios/*.yaml; do
	name=$(basename "$file" .yaml)
	status=0
	"$FATHOM" run "$file" --matrix size=small --repeat 2 --profile-repeat 2 --warmup 1 -q \
		-o "$tmp/$name" >/dev/null 2>"$tmp/$name.err" </dev/null || status=$?
	# How much profiling costs depends on what else the machine does.
	case $status in
	0 | 6) tap_ok "$name: it runs" ;;
	*) tap_not_ok "$name: it runs" "$status" "$(cat "$tmp/$name.err")" ;;
	esac
	tap_check "$name: all repetitions were right" "$PYTHON" -c '
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert len(lines) >= 5 and all(l["outcome"] == "ok" for l in lines), lines
assert sum(l["is_profile"] and not l["is_warmup"] for l in lines) == 2' "$tmp/$name/samples.jsonl"
	tap_check "$name: stacks were taken, and few were lost" "$PYTHON" -c '
import json, sys
c = json.load(open(sys.argv[1]))["cases"][0]
for one in c["collectors"]:
    assert one["ledger"]["loss_share"] < 0.05, one["ledger"] # of a hundred samples
    assert one["ledger"]["fired"] == one["ledger"]["kept"] + sum(one["ledger"]["lost"].values())
assert any(one["ledger"]["kept"] for one in c["collectors"]), c["collectors"]' "$tmp/$name/summary.json"
	tap_check "$name: summary.json is as its schema says" "$PYTHON" -c '
import json, jsonschema, sys
jsonschema.validate(json.load(open(sys.argv[2])), json.load(open(sys.argv[1])))' \
		docs/schemas/scenario_summary.schema.json "$tmp/$name/summary.json"
done
tap_check "nothing is left of their fixtures" \
	is "" "$(find /tmp -maxdepth 1 -name 'fathom-run-*' -newer "$tmp/verdict.py")"

# A service that works all the time; it is looked at for half a second at a time.
start "$WORKLOADS/burn" 100
cat >"$tmp/service.yaml" <<YAML
name: service
description: a process that runs already
kind: real
pid: $pid
duration: 500ms
collectors: [cpu]
YAML
status=0
"$FATHOM" run "$tmp/service.yaml" --repeat 2 --profile-repeat 2 --warmup 0 -q -o "$tmp/service" \
	>/dev/null 2>"$tmp/service.err" </dev/null || status=$?
tap_check "a service: exit status 0" is 0 "$status"
tap_check "a service: its CPU time is that of the window" "$PYTHON" -c '
import json, sys
lines = [json.loads(line)["values"] for line in open(sys.argv[1])]
assert all(0.1e9 < v["cpu_ns"] < 0.6e9 and 0.4e9 < v["wall_ns"] < 0.9e9 for v in lines[:2]), lines' \
	"$tmp/service/samples.jsonl"
tap_check "a service: its functions are named" grep -q burn_seventy "$tmp/service/cpu.folded"
tap_check "a service: it still runs" kill -0 "$pid"

# A server that would never end: in both passes it is over when it is ready. It allocates on its way.
cat >"$tmp/server.yaml" <<'YAML'
name: server
description: from its start to the first line
kind: micro
command: [perl, -e, '$| = 1; my %h = map { ($_ => [$_]) } 1 .. 200000; print "listening\n"; sleep 1000']
ready: {stdout: "^listening$", stop: true}
collectors: [cpu, alloc]
timeout: 20s
YAML
status=0
began=$(date +%s)
"$FATHOM" run "$tmp/server.yaml" --repeat 3 --profile-repeat 2 --warmup 0 -q -o "$tmp/server" \
	>/dev/null 2>"$tmp/server.err" </dev/null || status=$?
took=$(($(date +%s) - began))
# Short as it is, its profile may cost more than it may.
tap_check "a server that is stopped when it is ready: it is not void ($status)" \
	test "$status" -eq 0 -o "$status" -eq 6
tap_check "a server that is stopped when it is ready: nobody waits for its end ($took s)" test "$took" -lt 20
tap_check "a server that is stopped when it is ready: all of it was profiled" "$PYTHON" -c '
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert [l["is_profile"] for l in lines] == [False] * 3 + [True] * 2, lines
assert all(l["outcome"] == "ok" for l in lines), lines
c = json.load(open(sys.argv[2]))["cases"][0]
assert c["alloc_bytes"] > 10e6, c["alloc_bytes"]' "$tmp/server/samples.jsonl" "$tmp/server/summary.json"
tap_done
