#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Block I/O of known amounts and of a known latency: what is counted, whose it is, and how long it
# took, against what the workload saw from outside.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

# holds NAME WHAT EXPRESSION: of the recording $tmp/NAME; see the functions below
holds() {
	local why
	if why=$("$PYTHON" tests/live/io_holds.py "$tmp/$1" "$3" 2>&1); then
		tap_ok "$2"
	else
		tap_not_ok "$2" "$3" "$why" "$(cat "$tmp/$1.err" 2>/dev/null)"
	fi
}

# What all recordings have in common.
sound() { # NAME WHAT
	holds "$1" "$2: the ledger is closed" 'closed()'
	holds "$1" "$2: nothing is lost but what the kernel did not tell" 'lost() <= unseen()'
	holds "$1" "$2: stacks and histograms have the same requests" 'agrees()'
}

# The file's own disk, if it has one that can be read past the cache.
disk=$tmp/disk
if ! "$WORKLOADS/blocks" prepare "$disk" $((16 << 20)) 2>"$tmp/prepare.err" ||
	! "$WORKLOADS/blocks" read "$disk" 1 >"$tmp/one.out" 2>>"$tmp/prepare.err"; then
	tap_skip "block I/O" "no direct I/O in '$tmp': $(head -1 "$tmp/prepare.err")"
	tap_done
fi
record direct -c io -- "$WORKLOADS/blocks" both "$disk" 4000
if [ "$status" -ne 0 ]; then
	tap_skip "block I/O" "$(tail -1 "$tmp/direct.err")"
	tap_done
fi
grep -ho '^{.*}$' "$tmp/direct.out" >"$tmp/direct.json"
if "$PYTHON" tests/live/io_holds.py "$tmp/direct" 'requests("*", "read") == 0' 2>/dev/null; then
	tap_skip "block I/O" "the files of '$tmp' are on no block device"
	tap_done
fi

sound direct "direct"
holds direct "direct: each read is a request" 'near(requests("*", "read"), 2000, seen(10))'
holds direct "direct: each write is a request" 'near(requests("*", "write"), 2000, seen(10))'
holds direct "direct: with all its bytes" 'near(nbytes("*", "read"), 2000 * 4096, seen(10) * 4096)'
holds direct "direct: only the command's" \
	'all(r == "blocks" for r, f, n in lines)'
holds direct "direct: the stack is that of the system call" \
	'share("*pread*", "blocks") + share("*pwrite*", "blocks") > 95'
holds direct "direct: the leaf says device and operation" \
	'all(f[-1].startswith("[") and f[-1].split()[1].rstrip("],") in
	     ("read", "write", "flush") for r, f, n in lines)'
holds direct "direct: no read takes longer than from outside" \
	'quantile("*", "read", "total", "p50") < outside("read", "p50_ns")'
holds direct "direct: most of the time from outside is the request's" \
	'total_ns("*", "read") > 0.3 * outside("read", "total_ns")'
holds direct "direct: stages make up the total" \
	'stage_ns("*", "read", "queue") + stage_ns("*", "read", "device") <= total_ns("*", "read")'

# Written by one process, and back by another.
record back -c io --weight bytes -a -- sh -c "dd if=/dev/zero of='$tmp/dirty' bs=64k count=64 && sync -d '$tmp/dirty'"
sound back "writeback"
holds back "writeback: it belongs to who dirtied it, by inference" \
	'inferred("dd") >= 64 * 65536 * 0.95'
holds back "writeback: its stack is that of the write" \
	'all(any(f.startswith(("ksys_write", "vfs_write")) for f in frames)
	     for r, frames, n in lines if r == "dd" and "inferred" in frames[-1])'

# A process that is not asked for.
start sleep 1000
asked_for=$pid
start "$WORKLOADS/blocks" read "$disk" 10000000
record target -c io -p "$asked_for" -d 1
stop "$pid"
stop "$asked_for"
sound target "filter"
holds target "filter: another process's requests are filtered" \
	'ledger["lost"]["filtered_target"] > 100 and ledger["kept"] == 0'

# A disk that takes its time: a loop device on a file system of our own.
slow_disk() { # DELAY_US [EVERY SLOW_US]
	mkdir -p "$tmp/fuse"
	"$WORKLOADS/slowdisk" "$tmp/fuse" $((32 << 20)) "$@" >"$tmp/fuse.out" 2>"$tmp/fuse.err" &
	slow_pid=$!
	started+=("$slow_pid")
	local i
	for ((i = 0; i < 50; i++)); do
		grep -q ready "$tmp/fuse.out" && break
		sleep 0.1
	done
	loop=$(losetup --find --show --direct-io=on "$tmp/fuse/disk" 2>>"$tmp/fuse.err")
}
no_slow_disk() {
	[ -z "${loop:-}" ] || losetup -d "$loop" 2>/dev/null
	kill "$slow_pid" 2>/dev/null
	wait "$slow_pid" 2>/dev/null
	umount "$tmp/fuse" 2>/dev/null
}

slow_disk 5000 10 20000
if [ -z "$loop" ]; then
	tap_skip "a slow disk" "no FUSE or no loop device: $(tail -1 "$tmp/fuse.err")"
else
	record slow -c io -a --slower 15 -- "$WORKLOADS/blocks" read "$loop" 200
	grep -ho '^{.*}$' "$tmp/slow.out" >"$tmp/slow.json"
	name=$(basename "$loop")
	sound slow "slow disk"
	holds slow "slow disk: each read is a request" "near(requests('$name', 'read'), 200, 10)"
	holds slow "slow disk: it takes as long as the disk does" \
		"4.9e6 < quantile('$name', 'read', 'device', 'p50') < 7e6"
	holds slow "slow disk: one in ten takes four times as long" \
		"19e6 < quantile('$name', 'read', 'device', 'p95') < 26e6"
	holds slow "slow disk: as seen from outside" \
		"near(quantile('$name', 'read', 'total', 'p50'), outside('read', 'p50_ns'), 1e6)"
	holds slow "slow disk: the slow ones are listed" \
		"near(len(slow('$name')), 20, 4) and all(s['stack'] for s in slow('$name'))"
fi
no_slow_disk

# What a loop device's file costs its disk.
truncate -s 32M "$tmp/image"
loop=$(losetup --find --show --direct-io=on "$tmp/image" 2>"$tmp/loop.err")
if [ -z "$loop" ]; then
	tap_skip "a loop device" "$(tail -1 "$tmp/loop.err")"
else
	"$WORKLOADS/blocks" prepare "$loop" $((32 << 20)) >/dev/null
	record loop -c io -a -- "$WORKLOADS/blocks" read "$loop" 500
	sound loop "loop"
	holds loop "loop: the device has the requests" \
		"near(requests('$(basename "$loop")', 'read'), 500, 10)"
	holds loop "loop: and so has its file's disk, with where they came from" \
		"near(route('$(basename "$loop")'), 500, seen(20))"
	losetup -d "$loop"
fi

# The same through the page cache: the file is written back later, by whichever thread.
loop=$(losetup --find --show --direct-io=off "$tmp/image" 2>"$tmp/loop.err")
if [ -z "$loop" ]; then
	tap_skip "a loop device with a cache" "$(tail -1 "$tmp/loop.err")"
else
	record cached -c io -a -- sh -c "dd if=/dev/zero of=$loop bs=1M count=16 conv=fsync 2>&1 &&
		sync $tmp/image"
	sound cached "cached loop"
	holds cached "cached loop: what is written back came through the device" \
		"0.9 * (16 << 20) <= sum(r['bytes'] for r in latency['routes']
		                         if r['origin'] == '$(basename "$loop")') <= 24 << 20"
	losetup -d "$loop"
fi
tap_done
