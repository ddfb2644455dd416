#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The collector alloc in processes that run already: by probes on their allocators, and by those that
# a process has itself; what it asks beforehand, and refuses.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

LIBRARY=$(realpath -m "$(dirname "$FATHOM")/shim/libfathom-alloc.so")

# waiting NAME COMMAND...: in the background, until it is let go; its PID in $pid, its output in
# $tmp/NAME.truth
waiting() {
	local name=$1
	shift
	mkfifo "$tmp/$name.go"
	ALLOCS_WAIT=1 "$@" <"$tmp/$name.go" >"$tmp/$name.truth" 2>"$tmp/$name.say" &
	pid=$!
	started+=("$pid")
	exec 3>"$tmp/$name.go"
}

# attached NAME ARGUMENT...: records the process that waits, from before it is let go to its end
attached() {
	local name=$1 recorder now=0 before
	shift
	"$FATHOM" record -o "$tmp/$name" -c alloc -p "$pid" --max-slowdown none "$@" \
		>"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null &
	recorder=$!
	# When all is there, no more is opened.
	for _ in $(seq 30); do
		before=$now
		sleep 1
		now=$(find "/proc/$recorder/fd" 2>/dev/null | wc -l)
		[ "$now" -gt 30 ] && [ "$now" = "$before" ] && break
	done
	echo go >&3
	exec 3>&-
	status=0
	wait "$recorder" || status=$?
}

memory() {
	"$PYTHON" tests/live/memories.py "$tmp/$1" alloc "$2" "$tmp/$1.truth"
}

# A child begins without probes, and who frees at once is not looked for.
IN_THE_PROCESS='not [d for d in differences() if d[0] != "site_child" and not d[1].startswith("temporary")]'

waiting use "$WORKLOADS/allocs" heap 4 300 7
attached use --alloc-interval 1
tap_check "in use: exit status 0" is 0 "$status"
tap_check "in use: every site's objects and bytes, and those that are left" memory use \
	"len(truth) > 10 and $IN_THE_PROCESS"
tap_check "in use: the ledger is closed, nothing is lost" memory use \
	'closed() and ledger["loss_share"] == 0 and memory["how"] == "uprobes"'
tap_check "in use: nearly all stacks are whole" memory use \
	'collector["stacks"]["complete_share"] > 0.99'

waiting only "$WORKLOADS/allocs" heap 4 300 7
attached only --alloc-interval 1 --allocated-only
tap_check "allocated only: every site's objects and bytes" memory only \
	'len(truth) > 10 and not [d for d in differences() if d[0] != "site_child" and
	 d[1] in ("objects", "bytes")] and closed()'
tap_check "allocated only: nothing is said of what is in use" memory only \
	'not memory["has_frees"] and all(s[1]["inuse_space"] is None for s in stacks)'

waiting sampled "$WORKLOADS/allocs" churn 300000 2 1000
attached sampled --alloc-interval 64K
echo '{}' >"$tmp/sampled.truth"
tap_check "samples: 600,000 blocks of 1,000 bytes, within four standard errors" memory sampled \
	'within(of("run_churn")["alloc_space"], 600e6, 4 / (600e6 / 65536) ** 0.5)'
tap_check "samples: and nothing is left of them" memory sampled \
	'memory["totals"]["inuse"]["bytes"] < 1e6 and closed()'

waiting own env "LD_PRELOAD=$LIBRARY" FATHOM_ALLOC=interval=1 "$WORKLOADS/allocs" heap 4 300 7
attached own
tap_check "a process that tells of its blocks itself: by these probes, every one" memory own \
	"memory['how'] == 'usdt' and memory['interval_bytes'] == 1 and
	 len(truth) > 10 and not [d for d in differences() if d[0] != 'site_child'] and closed()"

# --- before it is done -----------------------------------------------------------------------------------

waiting busy "$WORKLOADS/allocs" churn 2000000000 1 100
echo go >&3
sleep 0.3
record refused -c alloc -p "$pid" -d 1 --max-slowdown 1.01
tap_check "too slow: exit status 6" is 6 "$status"
tap_check "too slow: and a sentence with both figures" \
	grep -Eq "calls its allocator [0-9]+ times a second.* [0-9.]+ times as slow, and the limit is 1.01" \
	"$tmp/refused.err"
tap_check "too slow: nothing is left behind" sh -c "! [ -e '$tmp/refused' ]"
record machine -c alloc -a -d 1 --max-slowdown 1
tap_check "the whole machine is asked, too: exit status 6" is 6 "$status"
record everyone -c alloc -a -d 1 --allocated-only --alloc-interval 16M --max-slowdown none
echo '{}' >"$tmp/everyone.truth"
tap_check "the whole machine: what is busiest is in it" memory everyone \
	'closed() and of("allocs")["alloc_space"] > 1e6'
stop "$pid"
tap_done
