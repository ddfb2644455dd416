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

# offline AT SECONDS NAME: records for five seconds, at AT of which CPU 1 goes off for so long; on
# CPU 1 a workload that is known by its name works before and another afterwards.
offline() {
	local fathom
	start taskset -c 1 "$WORKLOADS/vdso" 1
	"$FATHOM" record -F 499 -d 5 -o "$tmp/$3" >"$tmp/$3.out" 2>"$tmp/$3.err" </dev/null &
	fathom=$!
	sleep "$1"
	echo 0 >$switch
	sleep "$2"
	echo 1 >$switch
	sleep 0.1
	start taskset -c 1 "$WORKLOADS/jit" 10
	status=0
	wait "$fathom" || status=$?
	stop "$pid"
}

# So shortly that it is over before fathom looks, which it does every second, and long.
for case in "1.2 1.5" "1.2 0.2" "1.7 0.2"; do
	read -r at seconds <<<"$case"
	offline "$at" "$seconds" "off$at-$seconds"
	what="CPU 1 off at $at s for $seconds s"
	tap_check "$what: exit status 0" is 0 "$status"
	check "off$at-$seconds" "$what: it was recorded before" 'total("vdso") > 5'
	check "off$at-$seconds" "$what: it is recorded afterwards" 'total("jit") > 20'
	check "off$at-$seconds" "$what: the recording goes on to its end" \
		'near(summary["span_ns"], 5e9, 0.5e9)'
	check "off$at-$seconds" "$what: the ledger is closed" 'closed()'
done
tap_check "CPU 1 is on again" is 1 "$(cat $switch)"
tap_done
