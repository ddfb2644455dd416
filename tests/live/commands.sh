#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# How a recording begins and ends: commands, signals, durations, targets that exit.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

# --- a command from its first instruction -------------------------------------------------------

record early -F 4999 -- "$WORKLOADS/early"
tap_check "a command: exit status 0" is 0 "$status"
check early "a command: half of its time is before main" 'about("before_main", "*", 50, 5)'
check early "a command: half of its time is in main" 'about("in_main", "*", 50, 5)'
check early "a command: the dynamic loader is seen" \
	'any(t["module"].startswith(("ld-", "ld.so")) for t in collector["top"])'
check early "a command: nothing of fathom from before its exec" \
	'total("fathom") == 0 and total() == total("early")'
check early "a command: the ledger is closed" 'closed()'

record fails -F 99 -- sh -c 'exit 7'
tap_check "a command that fails: exit status 5" is 5 "$status"
tap_check "a command that fails: its status is said" grep -q "ended with status 7" "$tmp/fails.err"
check fails "a command that fails: its status is in both files" \
	'summary["exit_status"] == 7 and manifest["exit_status"] == 7'
record killed -F 99 -- sh -c 'kill -9 $$'
tap_check "a command that is killed: exit status 5" is 5 "$status"
check killed "a command that is killed: 128 and the signal" 'manifest["exit_status"] == 137'
record passes -F 99 -- true
check passes "a command that succeeds: 0 is in both files" \
	'summary["exit_status"] == 0 and manifest["exit_status"] == 0'
check passes "a command: its words are in both files" \
	'summary["command"] == ["true"] and manifest["command"] == ["true"]'

record missing -- /nonexistent/program
tap_check "a command that is not there: exit status 2" is 2 "$status"
tap_check "a command that is not there: one sentence, no folder" \
	says_in_one_sentence missing "cannot start '/nonexistent/program': No such file"
record forbidden -- "$tmp/passes/summary.json"
tap_check "a command that is no program: exit status 3" is 3 "$status"
tap_check "a command that is no program: one sentence, no folder" \
	says_in_one_sentence forbidden "cannot start '$tmp/passes/summary.json': Permission denied"

# The command's own output and input are its own.
echo input >"$tmp/stdin"
"$FATHOM" record -q -o "$tmp/own" -- sh -c 'read -r x; echo "got $x"; echo error >&2' \
	<"$tmp/stdin" >"$tmp/own.out" 2>"$tmp/own.err"
tap_check "a command: standard input and output are its own" \
	is "got input" "$(head -n 1 "$tmp/own.out")"
tap_check "a command: standard error is its own" is error "$(cat "$tmp/own.err")"

# --- durations and ends ------------------------------------------------------------------------

record second -F 99 -d 1
check second "-d 1 lasts a second" 'near(summary["span_ns"], 1e9, 0.3e9)'
check second "-d 1: exit_status is null without a command" \
	'summary["exit_status"] is None and manifest["exit_status"] is None'
record fraction -F 99 -d 0.25
check fraction "-d 0.25 lasts a quarter" 'near(summary["span_ns"], 0.25e9, 0.3e9)'
record cut -F 99 -d 1 -- sleep 60
check cut "-d ends a recording before its command" 'near(summary["span_ns"], 1e9, 0.3e9)'
tap_check "-d with a command: exit status 0" is 0 "$status"

start "$WORKLOADS/vdso" 1.5
record target -F 499 -p "$pid"
tap_check "a target that exits ends the recording: exit status 0" is 0 "$status"
check target "a target that exits: it is recorded to its end" 'total("vdso") > 5'
check target "a target that exits: soon afterwards" 'summary["span_ns"] < 4.5e9'
check target "a target that exits: the ledger is closed" 'closed()'

# Dead, but not yet waited for: a target that is a zombie is gone as well.
start bash -c "'$WORKLOADS/vdso' 1.5 & exec sleep 600"
parent=$pid
wait_for pgrep -P "$parent" -x vdso
record zombie -F 499 -p "$(pgrep -P "$parent")" -d 15
check zombie "a target that nobody waits for ends the recording too" 'summary["span_ns"] < 6e9'
stop "$parent"

# --- signals -----------------------------------------------------------------------------------

start "$WORKLOADS/burn" 600
burn=$pid

# interrupt SIGNAL NAME ARGUMENT...: sends it after a second; exit status in $status
interrupt() {
	local signal=$1 name=$2 fathom
	shift 2
	"$FATHOM" record -F 499 -o "$tmp/$name" "$@" >"$tmp/$name.out" 2>"$tmp/$name.err" \
		</dev/null &
	fathom=$!
	sleep 1.5
	kill "-$signal" "$fathom"
	status=0
	{ wait "$fathom" || status=$?; } 2>/dev/null
}

is_whole() { # NAME
	"$PYTHON" - "$tmp/$1" <<-'PYTHON'
		import hashlib, json, os, sys
		run = sys.argv[1]
		files = {f["name"]: f for f in json.load(open(run + "/manifest.json"))["files"]}
		print(sorted(os.listdir(run)), sorted(files))
		assert set(os.listdir(run)) == set(files) | {"manifest.json"}
		assert {"cpu.folded", "cpu.pb.gz", "cpu.svg", "summary.json"} <= set(files)
		for name, file in files.items():
		    data = open(os.path.join(run, name), "rb").read()
		    assert len(data) == file["size"], name
		    assert hashlib.sha256(data).hexdigest() == file["sha256"], name
	PYTHON
}

for signal in INT TERM HUP; do
	interrupt "$signal" "$signal" -p "$burn"
	tap_check "SIG$signal ends the recording: exit status 0" is 0 "$status"
	tap_check "SIG$signal: the folder is whole" is_whole "$signal"
	check "$signal" "SIG$signal: with what was recorded" 'total("burn") > 5 and closed()'
done
if (trap '' HUP && record nohup -F 99 -d 1.5 -- sh -c 'kill -HUP $PPID; sleep 0.8') &&
	"$PYTHON" tests/live/holds.py "$tmp/nohup" 'summary["span_ns"] > 0.7e9' >/dev/null; then
	tap_ok "a SIGHUP that is ignored, as by nohup, ends nothing"
else
	tap_not_ok "a SIGHUP that is ignored, as by nohup, ends nothing" "$(cat "$tmp/nohup.err")"
fi
interrupt INT command -- "$WORKLOADS/vdso" 601
tap_check "SIGINT with a command: exit status 0" is 0 "$status"
check command "SIGINT with a command: with what was recorded" 'total("vdso") > 5 and closed()'
tap_check "SIGINT with a command: the command is ended" \
	is "" "$(pgrep -f "^$WORKLOADS/vdso 601")"
interrupt KILL killed-fathom -p "$burn"
tap_check "SIGKILL: no folder of that name" test ! -e "$tmp/killed-fathom"
tap_done
