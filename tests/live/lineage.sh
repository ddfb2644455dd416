#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Devices that stand on others: each request is counted once, where it is served, and says through
# which device it came.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/disks.bash

requests=3000
mapping=fathom-test-$$
remove_mapping() {
	! command -v dmsetup >/dev/null || dmsetup remove --retry "$mapping" >/dev/null 2>&1
}
trap 'remove_mapping; disks_cleanup; recording_cleanup' EXIT

needs_collector io
if ! ram_disk lower 64M; then
	tap_skip "$(basename "$0")" "no loop device can be made here"
	tap_done
fi
lower=${loop#/dev/}

latencies() { # NAME EXPRESSION
	"$PYTHON" tests/live/latencies.py "$tmp/$1" io "$2" || {
		cat "$tmp/$1.err"
		return 1
	}
}

says() { # NAME WHAT EXPRESSION
	tap_check "$1: $2" latencies "$1" "$3"
}

# read_from NAME DEVICE
read_from() {
	record "$1" -c io --weight requests -- "$WORKLOADS/blocks" read "$2" $requests
	tap_check "$1: exit status 0" is 0 "$status"
	says "$1" "each request is counted once, at the device that served it" \
		"operations('$lower', 'read') == operations('*', 'read') == $requests and
		 weight('blocks') == $requests"
	says "$1" "the ledger is closed" 'closed()'
	says "$1" "the lower device has its name, kind and file" \
		"next((d['kind'], d['text']) for d in latency['devices'] if d['name'] == '$lower') ==
		 ('loop', '$ram/lower')"
}

read_from itself "/dev/$lower"
says itself "requests for the device itself came through no other" \
	"all(r['origin'] in ('$lower', '') for r in latency['routes'])"

# --- device mapper -----------------------------------------------------------------------------------

# A device's node may be made late or, without udev, not at all: it goes by its number.
node_of() {
	local major minor
	read -r major minor < <(dmsetup info -c --noheadings -o major,minor --separator ' ' "$1")
	mknod "$tmp/node" b "$major" "$minor"
}

if ! command -v dmsetup >/dev/null; then
	tap_skip "dm-linear" "dmsetup is not installed"
elif ! dmsetup targets 2>/dev/null | grep -q '^linear '; then
	tap_skip "dm-linear" "this kernel has no device mapper"
else
	sectors=$((32 << 11))
	dmsetup create "$mapping" --table "0 $sectors linear /dev/$lower 2048" && node_of "$mapping"
	upper=$(basename "$(realpath "/sys/dev/block/$(stat -c '%Hr:%Lr' "$tmp/node")")")
	read_from dm "$tmp/node"
	says dm "all came through $upper" "route('$lower', '$upper') == $requests"
	says dm "its name, kind and what is below it" \
		"next((d['kind'], d['text'], d['lower']) for d in latency['devices']
		      if d['name'] == '$upper') == ('dm', '$mapping', ['$lower'])"
	remove_mapping

	# It comes and goes while the recording runs.
	cat >"$tmp/short-lived" <<-SH
		dmsetup create $mapping --table "0 $sectors linear /dev/$lower 2048" || exit 1
		mknod $tmp/brief b \$(dmsetup info -c --noheadings -o major,minor --separator ' ' $mapping)
		"$WORKLOADS/blocks" read $tmp/brief $requests
		dmsetup remove --retry $mapping
	SH
	record brief -c io -- sh "$tmp/short-lived"
	says brief "a device that is gone at the end has its name all the same" \
		"any(d['kind'] == 'dm' and d['text'] == '$mapping' for d in latency['devices'])"
fi

# --- partitions ------------------------------------------------------------------------------------

# One of 32 MiB after the first, in a table of the oldest kind.
truncate -s 64M "$ram/parted"
"$PYTHON" - "$ram/parted" <<-'PYTHON'
	import struct, sys
	with open(sys.argv[1], "r+b") as disk:
	    disk.seek(446)
	    disk.write(struct.pack("<BBBBBBBBII", 0, 0, 2, 0, 0x83, 0, 2, 0, 2048, 65536))
	    disk.seek(510)
	    disk.write(b"\x55\xaa")
PYTHON
if ! loop=$(losetup -P -f --show "$ram/parted"); then
	tap_skip "partition" "no loop device with partitions here"
else
	loops+=("$loop")
	part=${loop#/dev/}p1
	wait_for test -e "/sys/class/block/$part"
	if [ ! -e "/sys/class/block/$part" ]; then
		tap_skip "partition" "this kernel does not read partitions of loop devices"
	else
		IFS=: read -r major minor <"/sys/class/block/$part/dev"
		mknod "$tmp/part" b "$major" "$minor"
		record part -c io --weight requests -- "$WORKLOADS/blocks" read "$tmp/part" $requests
		says part "requests are counted at the disk" \
			"operations('${loop#/dev/}', 'read') == operations('*', 'read') == $requests"
		says part "and came through the partition" \
			"route('${loop#/dev/}', '$part') == $requests"
	fi
fi

# --- a loop device over a file on a disk -----------------------------------------------------------

disk=$(df --output=source "$tmp" | tail -n 1)
disk=$(basename "$disk")
"$WORKLOADS/blocks" prepare "$tmp/backing" $((32 << 20))
if [ ! -e "/sys/class/block/$disk" ]; then
	tap_skip "file" "'$tmp' is on no disk"
elif ! loop=$(losetup --direct-io=on -f --show "$tmp/backing"); then
	tap_skip "file" "no loop device past the page cache here"
else
	loops+=("$loop")
	[ ! -e "/sys/class/block/$disk/partition" ] ||
		disk=$(basename "$(realpath "/sys/class/block/$disk/..")")
	record file -c io -a -- "$WORKLOADS/blocks" read "$loop" $requests
	says file "the program's requests are the loop device's" \
		"operations('${loop#/dev/}', 'read') == $requests"
	says file "which makes requests of its own to the disk, as many" \
		"operations('$disk', 'read') >= $requests"
fi
tap_done
