#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Operations on files: each is counted, once, under its path; sockets and pipes are apart.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

# Beside what others test in /tmp, which may be memory.
folder=$(mktemp -d -p /var/tmp files.XXXXXX)
trap 'recording_cleanup; rm -rf "$folder"' EXIT

# agrees NAME: with what the workload has printed
agrees() {
	"$PYTHON" tests/live/files_agree.py "$tmp/$1" "$tmp/$1.truth"
}

# file_holds NAME JQ: an expression about the file collector
file_holds() {
	"$PYTHON" - "$tmp/$1/summary.json" "$2" <<-'END'
		import json, sys
		with open(sys.argv[1], encoding="utf-8") as f:
		    c = next(c for c in json.load(f)["collectors"] if c["name"] == "file")
		paths = {(r["path"].rsplit("/", 1)[-1], r["operation"]): r for r in c["latency"]["paths"]}
		groups = {(g["subject"], g["operation"]): g for g in c["latency"]["groups"]}
		slots = [s for (subject, _), g in groups.items() if subject not in ("socket", "pipe", "other")
		         for s in zip(g["slots"]["lower_ns"], g["slots"]["n"])]
		outliers = c["latency"]["outliers"] or {"kept": 0, "faster": 0, "lost": 0}
		slower = outliers["kept"] + outliers["faster"] + outliers["lost"]
		notes, ledger, stacks = c.get("notes", {}), c["ledger"], c["stacks"]
		if not eval("(" + sys.argv[2] + ")"):
		    print("does not hold:", sys.argv[2])
		    print(json.dumps([notes, ledger, stacks, [list(k) for k in paths], [list(k) for k in groups]]))
		    sys.exit(1)
	END
}

# record_files NAME WHAT ARGUMENT...: what the workload prints goes beside it
record_files() {
	local name=$1 what=$2
	shift 2
	record "$name" -q -c file "$@" -- sh -c "'$WORKLOADS/files' $what '$folder' >'$tmp/$name.truth'"
}

record_files calls calls
tap_check "calls: exit status 0" is 0 "$status"
tap_check "calls: operations, bytes, errors and time of each path are the program's own" agrees calls
tap_check "calls: sockets and pipes are apart" file_holds calls \
	'groups["socket", "read"]["operations"] == groups["pipe", "write"]["operations"] == 100'
tap_check "calls: what has no path is filtered, and counted" file_holds calls \
	'ledger["lost"]["filtered_apart"] >= 400'
tap_check "calls: all stacks are whole" file_holds calls 'stacks["complete_share"] > 0.95'
tap_check "calls: the stack ends in the operation" grep -q \
	'^files;.*;main;calls;.*pread.*;\[.* read\] [0-9]*$' "$tmp/calls/file.folded"
tap_check "calls: writes wait for nobody, fsync does" file_holds calls \
	'paths["data", "write"]["touched"] == 0 and paths["data", "fsync"]["touched"] > 0'

record_files only calls --path '*/data'
tap_check "--path: the others are filtered" file_holds only \
	'{name for name, _ in paths} == {"data"} and ledger["lost"]["filtered_path"] > 40'
tap_check "--path: this one is whole" file_holds only \
	'paths["data", "read"]["operations"] == 1001 and paths["data", "write"]["operations"] == 256'

record_files slow calls --slower 0.05
tap_check "--slower: each operation that is slower is told of" file_holds slow \
	'sum(n for lower, n in slots if lower >= 50000) <= slower
	 <= sum(n for lower, n in slots if lower > 50000 / 1.04) and slower >= 3'

record_files faults faults
if grep -q page_faults_ "$tmp/faults/summary.json"; then
	tap_skip "faults: each major fault is counted" "this kernel has no tracepoint, or no mappings"
else
	tap_check "faults: each major fault is counted, with its file" agrees faults
	tap_check "faults: the device was asked" file_holds faults \
		'paths["mapped", "fault"]["touched"] == paths["mapped", "fault"]["operations"] > 20'
fi

record_files uring uring
if [ "$status" -ne 0 ] && ! [ -s "$tmp/uring.truth" ]; then
	tap_skip "io_uring: each request is counted" "there is no io_uring here"
elif grep -q io_uring_not_followed "$tmp/uring/summary.json"; then
	tap_skip "io_uring: each request is counted" "this kernel does not tell which request completes"
else
	tap_check "io_uring: each request is counted, with its file" agrees uring
	tap_check "io_uring: the stack is the submitter's" grep -q \
		'^files;.*;main;uring;.*\[.* read\] [0-9]*$' "$tmp/uring/file.folded"
fi

# Hardly anything is lost although there is much: tables are read as fast as they become full.
record storm -q -c file -a -- sh -c "for i in 1 2 3 4 5; do ls -lR /usr/share >/dev/null; done"
tap_check "storm: hardly anything is lost" file_holds storm \
	'ledger["loss_share"] < 0.001 and ledger["kept"] > 10000'
tap_check "storm: every path is there" file_holds storm \
	'notes["paths_table_full"] == notes["paths_dropped"] == 0 and notes["paths"] > 1000'
tap_done
