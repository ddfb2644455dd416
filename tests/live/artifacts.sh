#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# What a recording leaves: files that other programs read, the same bytes each time, in a folder of
# the right owner that replaces nothing but its like.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

# With hostile names: a comm of control characters, semicolons and broken UTF-8 is still one root.
cp "$WORKLOADS/vdso" "$tmp/$(printf 'a;b\001\n\377')"
cp "$WORKLOADS/burn" "$tmp/burn me"
record run -F 999 --per-thread -- sh -c '"$0"/a* 1 & "$0/burn me" 2; wait' "$tmp"
run=$tmp/run
check run "hostile names: each stays one root" \
	'total("burn me/*") > 300 and total("a*b*/*") > 5 and closed()'
check run "hostile names: no control characters" \
	'all(c >= " " for r, fs, n in lines for c in r + "".join(fs))'

# --- files -------------------------------------------------------------------------------------

tap_check "cpu.folded is sorted bytewise" env LC_ALL=C sort -c "$run/cpu.folded"
tap_check "cpu.folded has each stack once" \
	is "" "$(sed 's/ [0-9]*$//' "$run/cpu.folded" | LC_ALL=C sort | uniq -d)"
tap_check "cpu.folded is valid UTF-8" iconv -f UTF-8 -t UTF-8 -o /dev/null "$run/cpu.folded"
tap_check "cpu.folded has nothing but stacks and counts" \
	is "" "$(grep -Ev '^.+ [1-9][0-9]*$' "$run/cpu.folded")"
if command -v xmllint >/dev/null; then
	tap_check "cpu.svg is well-formed" xmllint --noout "$run/cpu.svg"
else
	tap_skip "cpu.svg is well-formed" "no xmllint here (libxml2-utils)"
fi
if command -v go >/dev/null; then
	export HOME="$tmp" PPROF_TMPDIR="$tmp"
	for view in top raw traces; do
		tap_check "go tool pprof -$view opens cpu.pb.gz" \
			go tool pprof "-$view" "$run/cpu.pb.gz"
	done
	tap_check "go tool pprof: burn_seventy leads the samples" bash -c \
		"go tool pprof -top -sample_index=samples '$run/cpu.pb.gz' 2>&1 | grep -q burn_seventy"
	tap_check "go tool pprof: says nothing of what it cannot do" \
		is "" "$(go tool pprof -top "$run/cpu.pb.gz" 2>&1 >/dev/null)"
	tap_check "go tool pprof: labels tell processes apart" bash -c \
		"go tool pprof -tags '$run/cpu.pb.gz' 2>&1 | grep -q 'burn me'"
else
	tap_skip "go tool pprof" "no go here (golang-go)"
fi

# --- other commands on the same folder, twice ---------------------------------------------------

"$FATHOM" report --json "$run" >"$tmp/report.json"
for what in "report $run" "report --json $run" "report --tree $run" \
	"report --function burn_seventy $run" "flame $run" "flame $run/cpu.folded" \
	"report --json $run/cpu.pb.gz"; do
	# shellcheck disable=SC2086 # words
	tap_check "the same bytes twice: ${what//"$tmp/"/}" \
		cmp <("$FATHOM" $what 2>&1) <("$FATHOM" $what 2>&1)
done
tap_check "report says what cpu.folded says" "$PYTHON" - "$run" "$tmp/report.json" <<-'PYTHON'
	import json, sys
	want = 0
	for line in open(sys.argv[1] + "/cpu.folded", encoding="utf-8"):
	    stack, n = line.rsplit(" ", 1)
	    want += int(n) * ("burn_seventy" in stack.split(";"))
	def totals(o):
	    if isinstance(o, dict):
	        if o.get("function") == "burn_seventy" and "total" in o:
	            yield o["total"]
	        for v in o.values():
	            yield from totals(v)
	    elif isinstance(o, list):
	        for v in o:
	            yield from totals(v)
	got = set(totals(json.load(open(sys.argv[2]))))
	print(want, got)
	assert want > 0 and want in got
PYTHON

# --- schemas -----------------------------------------------------------------------------------

is_valid() { # SCHEMA FILE
	"$PYTHON" - "$1" "$2" <<-'PYTHON'
		import json, sys, jsonschema
		schema, data = (json.load(open(path)) for path in sys.argv[1:])
		jsonschema.Draft202012Validator.check_schema(schema)
		jsonschema.Draft202012Validator(schema).validate(data)
	PYTHON
}
record machine -F 99 -d 0.5 --json
if ! "$PYTHON" -c 'import jsonschema' 2>/dev/null; then
	# The interpreter that is found first may have been installed beside the distribution's.
	PYTHON=/usr/bin/python3
fi
if "$PYTHON" -c 'import jsonschema' 2>/dev/null; then
	for name in summary manifest; do
		schema=docs/schemas/$name.schema.json
		tap_check "$name.json of a command is valid" is_valid "$schema" "$run/$name.json"
		tap_check "$name.json of the machine is valid" \
			is_valid "$schema" "$tmp/machine/$name.json"
	done
	tap_check "report --json is valid" is_valid docs/schemas/report.schema.json \
		"$tmp/report.json"
else
	tap_skip "schemas" "no jsonschema here (python3-jsonschema)"
fi
tap_check "--json prints the summary" cmp "$tmp/machine.out" "$tmp/machine/summary.json"
tap_check "without --json the folder's name is printed" is "$run" "$(cat "$tmp/run.out")"

# --- the folder --------------------------------------------------------------------------------

cp -a "$run" "$tmp/before"
record run -F 99 -d 0.2
tap_check "-o refuses a folder that is there: exit status 2" is 2 "$status"
tap_check "-o refuses a folder that is there: says so and what to do" \
	grep -q "^fathom: '$run' is there already: .*--force" "$tmp/run.err"
tap_check "-o refuses a folder that is there: and leaves it alone" diff -r "$run" "$tmp/before"
record run -F 99 -d 0.2 --force
tap_check "--force replaces a run folder: exit status 0" is 0 "$status"
check run "--force replaces a run folder: the new one is there" \
	'summary["target"] == "whole machine" and closed()'
tap_check "--force leaves nothing else behind" \
	is "" "$(find "$tmp" -maxdepth 1 -name '.*' -not -name . | grep -v '/\.\(cache\|config\)')"

# What --force must not replace: each stays as it is.
mkdir "$tmp/photos" "$tmp/nested" "$tmp/empty" "$tmp/extension"
echo 1 >"$tmp/photos/1.jpg"
cp "$tmp/before/manifest.json" "$tmp/nested/"
mkdir "$tmp/nested/folder"
echo 2 >"$tmp/nested/folder/2.jpg"
echo '{"manifest_version": 3, "name": "not ours"}' >"$tmp/extension/manifest.json"
echo 3 >"$tmp/extension/3.js"
echo 4 >"$tmp/file"
ln -s photos "$tmp/link"
for place in photos nested empty extension file link; do
	before=$(find "$tmp/$place" "$tmp/photos" -ls)
	record "$place" -F 99 -d 0.2 --force
	tap_check "--force refuses what is no run folder ($place): exit status 2" is 2 "$status"
	tap_check "--force refuses what is no run folder ($place): it is as before" \
		is "$before" "$(find "$tmp/$place" "$tmp/photos" -ls)"
done
record nowhere/run -F 99 -d 0.2 2>/dev/null
"$FATHOM" record -F 99 -d 0.2 -o "$tmp/nowhere/run" >/dev/null 2>"$tmp/nowhere.err"
tap_check "-o into a folder that is not there: exit status 2" is 2 $?

SUDO_UID=65534 SUDO_GID=65534 "$FATHOM" record -q -F 99 -d 0.2 -o "$tmp/sudo" >/dev/null
tap_check "under sudo all of it belongs to the user" \
	is "" "$(find "$tmp/sudo" -not \( -uid 65534 -gid 65534 \))"
tap_check "under sudo it is complete" test -s "$tmp/sudo/manifest.json"
tap_done
