#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Verdicts on a program whose cost is known: what became dearer, what only moved, what waits.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/gating.bash

# The next command that a verdict asks for.
next_of() {
	"$PYTHON" -c 'import json, sys; print(json.load(open(sys.argv[1]))["next_command"])' \
		"$tmp/$1.json" | sed "s|^fathom|$FATHOM|"
}

# One function 10 % dearer, which is 8 % of all.
mapfile -t lines < <(variants compute=1 compute=1.1)
knob dearer "${lines[@]}"
gate dearer --repeat 20 --profile-repeat 12
judged "10 % dearer: exit status 1" is 1 "$status"
verdict dearer "10 % dearer: regressed" 'g["verdict"] == "regressed" and g["reason"] == "regression"'
verdict dearer "10 % dearer: it alerted again in fresh processes" \
	'g["retry"]["was_retried"] and g["retry"]["is_confirmed"]'
verdict dearer "10 % dearer: by 8 %" 'near(m["cpu_ns"]["change"], 0.08, 0.02)'
verdict dearer "10 % dearer: that function comes first" \
	'changes()[0]["function"] == "compute" and changes()[0]["class"] == "grown"'
verdict dearer "10 % dearer: by 10 %" \
	'near(changes()[0]["after"] / changes()[0]["before"], 1.1, 0.04)'
verdict dearer "10 % dearer: it makes up all of the change" \
	'near(changes()[0]["contribution"], 1, 0.3)'
verdict dearer "10 % dearer: no other function is blamed" 'classes("grown", "new") == ["compute"]'
verdict dearer "10 % dearer: the next command asks for that function" \
	'"compute" in g["next_command"]'
judged "10 % dearer: the next command works" sh -c "$(next_of dearer)"
for file in gate.json gate.md gate.junit.xml summary.json samples.jsonl report.md junit.xml \
	metrics.txt after.cpu.diff.svg after.cpu.svg before.cpu.pb.gz manifest.json; do
	tap_check "10 % dearer: $file is there" test -s "$tmp/dearer.run/$file"
done
tap_check "10 % dearer: the differential flame graph is XML" \
	xmllint --noout "$tmp/dearer.run/after.cpu.diff.svg"
tap_check "10 % dearer: the report for CI is XML" xmllint --noout "$tmp/dearer.run/gate.junit.xml"
for name in gate:gate.json scenario_summary:summary.json manifest:manifest.json; do
	tap_check "10 % dearer: ${name#*:} is as its schema says" "$PYTHON" -c '
import json, jsonschema, sys
jsonschema.validate(json.load(open(sys.argv[2])), json.load(open(sys.argv[1])))' \
		"docs/schemas/${name%:*}.schema.json" "$tmp/dearer.run/${name#*:}"
done
tap_check "10 % dearer: samples.jsonl is as its schema says" "$PYTHON" -c '
import json, jsonschema, sys
schema = json.load(open(sys.argv[1]))
for line in open(sys.argv[2]):
    jsonschema.validate(json.loads(line), schema)' \
	docs/schemas/samples.schema.json "$tmp/dearer.run/samples.jsonl"

# A fifth of all goes from one callee to its sibling.
mapfile -t lines < <(variants compute=1,parse=1 compute=0.75,parse=3)
knob moved "${lines[@]}"
gate moved
judged "moved: exit status 0" is 0 "$status"
verdict moved "moved: passed" 'g["verdict"] == "passed"'
verdict moved "moved: both functions moved" 'sorted(classes("moved")) == ["compute", "parse"]'
verdict moved "moved: within their caller, the one for the other" \
	'all(f["caller"] == "serve" and f["counterpart"] in ("compute", "parse")
	     for f in changes() if f["class"] == "moved")'

# Half as much time again, asleep.
mapfile -t lines < <(variants sleep_ms=0 sleep_ms=0.5)
knob asleep "${lines[@]}"
gate asleep
judged "asleep: exit status 1" is 1 "$status"
verdict asleep "asleep: wall time regressed" 'm["wall_ns"]["verdict"] == "regressed"'
verdict asleep "asleep: no function of the program is blamed" \
	'not set(classes("grown", "new")) & {"compute", "parse", "render", "serve", "main"}'
verdict asleep "asleep: it says that this is waiting" \
	'any(n.startswith("waiting:") for n in c["notes"])'

judged "asleep: the next command works, though no function is to blame" sh -c "$(next_of asleep)"

# Or writing.
mapfile -t lines < <(variants write_kb=0,"file=$tmp/written" write_kb=16,"file=$tmp/written")
knob writing "${lines[@]}" "collectors: [cpu, io]"
gate writing
verdict writing "writing: regressed" 'g["verdict"] == "regressed"'
verdict writing "writing: no function of the program is blamed" \
	'not set(classes("grown", "new")) & {"compute", "parse", "render", "serve", "main"}'
verdict writing "writing: what it writes is told" \
	'm["written_bytes"]["after"] > 10 * m["written_bytes"]["before"]'

# Others that take the CPUs while it measures.
knob disturbed "${lines[@]}"
mapfile -t lines < <(variants compute=1 compute=1.1)
knob disturbed "${lines[@]}"
for _ in $(seq $(($(nproc) * 2))); do
	start sh -c 'while :; do :; done'
done
status=0
"$FATHOM" gate --ab "$tmp/disturbed.yaml" --profile smoke --no-profile -q --json \
	-o "$tmp/disturbed.run" >"$tmp/disturbed.json" 2>/dev/null </dev/null || status=$?
for pid in "${started[@]}"; do
	kill "$pid"
done
disturbed=
tap_check "disturbed: exit status 4" is 4 "$status"
verdict disturbed "disturbed: neither green nor red, since the machine was busy" \
	'g["verdict"] == "inconclusive" and g["reason"].startswith("host_")'
tap_done
