#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# What is lost is counted, by cause, and --max-loss makes it an exit code.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

# Thousands of different stacks a second, in tables for a few.
for entries in 1 16 64; do
	record "tiny$entries" -F 19999 --table-entries "$entries" -- "$WORKLOADS/stacks" 1
	tap_check "$entries entries: exit status 0 without a limit" is 0 "$status"
	check "tiny$entries" "$entries entries: full tables are counted" \
		'ledger["lost"]["stack_table_full"] > 0'
	check "tiny$entries" "$entries entries: the ledger is closed" 'closed()'
	check "tiny$entries" "$entries entries: something is kept all the same" 'total() > 0'
	check "tiny$entries" "$entries entries: the share is of the wanted events" \
		'near(ledger["loss_share"],
		      1 - ledger["kept"] / (ledger["fired"] - ledger["filtered"]), 1e-5)'
done
tap_check "losses are told of" grep -Eq ' [1-9][0-9]* lost' "$tmp/tiny1.err"

record limited -F 19999 --table-entries 1 --max-loss 1 -- "$WORKLOADS/stacks" 1
tap_check "--max-loss 1: exit status 6" is 6 "$status"
tap_check "--max-loss 1: says why" grep -q '^fathom: .* lost, more than --max-loss 1$' \
	"$tmp/limited.err"
check limited "--max-loss 1: the folder is there" 'closed() and ledger["loss_share"] > 0.01'
record fine -F 999 --max-loss 1 -- "$WORKLOADS/stacks" 1
tap_check "--max-loss 1 with tables of the right size: exit status 0" is 0 "$status"
check fine "tables of the right size lose nothing" 'closed() and ledger["loss_share"] == 0'
# At ten times the rate the kernel may throttle; whatever else is lost would be fathom's.
record fast -F 9999 -- "$WORKLOADS/stacks" 2
check fast "nor at ten times the rate, but for what the kernel throttles" \
	'closed() and all(n == 0 for cause, n in ledger["lost"].items()
	                  if cause != "throttled" and not cause.startswith("filtered"))'

# While a tracing program of somebody else runs, the kernel skips ours. bpftrace wants tracefs at its
# place: it gets one of its own if there is none.
tracer_reason=
if ! command -v bpftrace >/dev/null; then
	tracer_reason="bpftrace is not installed"
else
	unshare -m sh -c '[ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing
		exec bpftrace -e "tracepoint:syscalls:sys_enter_getppid { @[kstack, ustack, comm] = count(); }"' \
		>"$tmp/bpftrace" 2>&1 &
	tracer=$!
	wait_for grep -q Attaching "$tmp/bpftrace" ||
		tracer_reason="bpftrace does not run: $(tail -n 1 "$tmp/bpftrace")"
fi
if [ -n "$tracer_reason" ]; then
	tap_skip "events that interrupt other tracing programs are counted" "$tracer_reason"
else
	record inbpf -F 997 -a -- python3 -c '
import os, time
end = time.time() + 2
while time.time() < end: os.getppid()'
	kill -INT "$tracer"
	wait "$tracer"
	check inbpf "events that interrupt other tracing programs are counted" \
		'closed() and ledger["lost"]["in_bpf_program"] > 20 and ledger["loss_share"] > 0.005'
fi
tap_done
