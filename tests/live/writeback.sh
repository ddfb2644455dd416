#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# What kernel threads write goes back to the process that has dirtied it, and says that this is
# inferred.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/disks.bash

needs_collector io
if ! ram_ext4 disk 512M; then
	tap_skip "$(basename "$0")" "no loop device can be made here"
	tap_done
fi
device=${loop#/dev/}

# Programs with names that nobody else has. They write to the page cache and are gone, or asleep,
# when somebody else has it written.
for name in dirty-one dirty-two dirty-asleep; do
	cp "$(command -v dd)" "$tmp/$name"
done
cat >"$tmp/writers" <<'SH'
cd "$1" || exit 1
"$2/dirty-one" if=/dev/zero of=disk/one bs=256K count=160 status=none
"$2/dirty-two" if=/dev/zero of=disk/two bs=4K count=4096 status=none
set -m
{ head -c 24M /dev/zero; sleep 60; } | "$2/dirty-asleep" of=disk/asleep bs=64K iflag=fullblock status=none &
until [ "$(stat -c %s disk/asleep 2>/dev/null)" = 25165824 ]; do
	sleep 0.1
done
sync -f disk
kill -- "-$(jobs -p)"
SH

written() { # sectors (Documentation/block/stat.rst)
	awk '{ print $7 }' "/sys/block/$device/stat"
}

latencies() { # NAME EXPRESSION
	"$PYTHON" tests/live/latencies.py "$tmp/$1" io "$2" || {
		cat "$tmp/$1.err"
		return 1
	}
}

# goes_back NAME OPTION...
goes_back() {
	local name=$1 before after bytes one=$((40 << 20)) two=$((16 << 20)) asleep=$((24 << 20))
	shift
	rm -f "$tmp"/disk/*
	sync -f "$tmp/disk"
	before=$(written)
	record "$name" -c io --weight bytes "$@" -- bash "$tmp/writers" "$tmp" "$tmp"
	after=$(written)
	bytes=$(((after - before) * 512))
	tap_check "$name: all of it was written meanwhile" \
		test "$bytes" -ge $((one + two + asleep))
	tap_check "$name: 95 % of what the device wrote has its writer" latencies "$name" \
		"weight('dirty-*') >= 0.95 * $bytes"
	tap_check "$name: each has what it wrote" latencies "$name" \
		"within(weight('dirty-one'), $one, 0.05, 0) and
		 within(weight('dirty-two'), $two, 0.05, 0) and
		 within(weight('dirty-asleep'), $asleep, 0.05, 0)"
	tap_check "$name: and it says that this is inferred" latencies "$name" \
		"0.95 * $bytes <= inferred('$device', 'write') <= size('$device', 'write') <= $bytes"
	tap_check "$name: the ledger is closed" latencies "$name" 'closed()'
}
goes_back machine -a
goes_back command

# Written by the process itself: nothing to infer.
"$WORKLOADS/blocks" prepare "$tmp/disk/direct" $((16 << 20))
record direct -c io --weight bytes -- "$WORKLOADS/blocks" write "$tmp/disk/direct" 2000
tap_check "direct: whoever writes past the page cache is not inferred" latencies direct \
	"weight('blocks') >= 2000 * 4096 and inferred('$device', 'write') <= 65536"
tap_done
