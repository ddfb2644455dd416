# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# disks: what live tests of disks and files share. Source it from the project root, first of all: it
# runs the script again in a mount namespace of its own, so that whatever was mounted there is
# unmounted however the script ends, and sources tests/live/recording.bash.
#
# $ram is a folder in memory, $loops the loop devices to be given back.
if [ -z "${FATHOM_OWN_MOUNTS-}" ] && [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
	FATHOM_OWN_MOUNTS=1 exec unshare -m --propagation private "$BASH" "$0" "$@"
fi
. tests/live/recording.bash

ram=$tmp/ram
loops=()
disks_cleanup() {
	local loop
	# Those inside of others come later in the list. Lazily: a FUSE file system whose server is
	# gone or hangs must not hold up the rest.
	findmnt -rn -o TARGET | grep "^$tmp/" | tac | while read -r mounted; do
		[ "$mounted" = "$ram" ] || umount -l "$mounted"
	done
	for loop in "${loops[@]}"; do
		losetup -d "$loop" 2>/dev/null
	done
	umount -l "$ram" 2>/dev/null
}
trap 'disks_cleanup; recording_cleanup' EXIT

if [ -z "${FATHOM_OWN_MOUNTS-}" ]; then
	tap_skip "$(basename "$0")" "no mount namespace can be made here"
	tap_done
fi
mkdir "$ram"
if ! mount -t tmpfs -o size=1G tmpfs "$ram"; then
	tap_skip "$(basename "$0")" "no tmpfs can be mounted here"
	tap_done
fi
# perf and bpftrace look for it there and nowhere else.
[ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null

# needs_collector NAME: ends the script with a SKIP if fathom was built without it
needs_collector() {
	record collector-there -c "$1" -d 0.1
	if grep -q -- '--collect must be' "$tmp/collector-there.err"; then
		tap_skip "$(basename "$0")" "this fathom has no collector '$1'"
		tap_done
	fi
	rm -rf "$tmp/collector-there"
}

# loop_of FILE: a loop device with that backing file in $loop; 1 if there can be none
loop_of() {
	loop=$(losetup -f --show "$1") || return 1
	loops+=("$loop")
}

# ram_disk NAME BYTES: a loop device over a file in memory in $loop
ram_disk() {
	truncate -s "$2" "$ram/$1" && loop_of "$ram/$1"
}

# ram_ext4 NAME BYTES: ext4 on a ram_disk at $tmp/NAME, which is without a journal, so that the only
# blocks written are those that somebody wrote, and its tables are written by mkfs and not later
ram_ext4() {
	ram_disk "$1" "$2" &&
		mkfs.ext4 -q -O ^has_journal -E lazy_itable_init=0,nodiscard "$loop" &&
		mkdir -p "$tmp/$1" && mount "$loop" "$tmp/$1"
}

# now_ns: nanoseconds on the clock of the kernel's events
now_ns() {
	"$PYTHON" -c 'import time; print(time.monotonic_ns())'
}
