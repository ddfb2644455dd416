#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# A CPU goes offline and comes back while fathom records.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

switch=/sys/devices/system/cpu/cpu1/online
if [ ! -w $switch ] || [ "$(cat $switch)" != 1 ]; then
	tap_skip "CPU hotplug" "CPU 1 cannot be switched here"
	tap_done
fi
trap 'echo 1 >$switch; recording_cleanup' EXIT
if ! echo 0 2>/dev/null >$switch; then
	tap_skip "CPU hotplug" "the kernel refuses to switch CPU 1 off"
	tap_done
fi
echo 1 >$switch

# offline SECONDS NAME: records for five seconds, in the second of which CPU 1 goes off; on CPU 1
# a workload that is known by its name works before and another afterwards.
offline() {
	local fathom
	start taskset -c 1 "$WORKLOADS/vdso" 1
	"$FATHOM" record -F 499 -d 5 -o "$tmp/$2" >"$tmp/$2.out" 2>"$tmp/$2.err" </dev/null &
	fathom=$!
	sleep 1.2
	echo 0 >$switch
	sleep "$1"
	echo 1 >$switch
	sleep 0.1
	start taskset -c 1 "$WORKLOADS/jit" 10
	status=0
	wait "$fathom" || status=$?
	stop "$pid"
}

for seconds in 1.5 0.2; do
	offline $seconds "off$seconds"
	what="CPU 1 off for $seconds s"
	tap_check "$what: exit status 0" is 0 "$status"
	check "off$seconds" "$what: it was recorded before" 'total("vdso") > 5'
	check "off$seconds" "$what: it is recorded afterwards" 'total("jit") > 20'
	check "off$seconds" "$what: the recording goes on to its end" \
		'near(summary["span_ns"], 5e9, 0.5e9)'
	check "off$seconds" "$what: the ledger is closed" 'closed()'
done
tap_check "CPU 1 is on again" is 1 "$(cat $switch)"
tap_done
