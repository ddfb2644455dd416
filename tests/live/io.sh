#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Block requests against what others say of the same: fio of how many it made and how long it waited
# for each, the kernel of how many a device served, and blktrace's events of how long the device had
# each.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/disks.bash

needs_collector io
if ! command -v fio >/dev/null; then
	tap_skip "$(basename "$0")" "fio is not installed"
	tap_done
fi
if ! ram_ext4 memory 256M; then
	tap_skip "$(basename "$0")" "no loop device can be made here"
	tap_done
fi
memory=${loop#/dev/}
# Times of the file stay in memory, so that all that is written is what fio writes.
mount -o remount,lazytime "$tmp/memory"
"$WORKLOADS/blocks" prepare "$tmp/memory/file" $((128 << 20))

# The disk below $tmp, if it is one.
disk=$(df --output=source "$tmp" | tail -n 1)
disk=${disk#/dev/}
if [ -e "/sys/class/block/$disk" ]; then
	"$WORKLOADS/blocks" prepare "$tmp/file" $((128 << 20))
	# Requests are counted where they are served: at the disk, not its partition.
	[ ! -e "/sys/class/block/$disk/partition" ] ||
		disk=$(basename "$(realpath "/sys/class/block/$disk/..")")
else
	disk=
fi

# fio_job NAME FILE ENGINE KIND DEPTH: what makes it; its result goes to $tmp/NAME.fio. 4 KiB at random
# places are neither merged nor split, so that one of fio's operations is one request. Three
# seconds are enough for a 99th percentile of more than a thousand.
fio_job() {
	job=(fio --name=job --thread=0 "--filename=$2" "--ioengine=$3" "--rw=$4" "--iodepth=$5"
		--bs=4k --direct=1 --norandommap --randrepeat=1 --time_based --runtime=3
		--lat_percentiles=0 --clat_percentiles=1 --percentile_list=50:95:99
		--output-format=json "--output=$tmp/$1.fio")
}

# engine_works ENGINE
engine_works() {
	fio --name=try --filename="$tmp/memory/file" --ioengine="$1" --rw=read --bs=4k --direct=1 \
		--io_size=4k --output=/dev/null >/dev/null 2>&1
}

latencies() { # NAME EXPRESSION [NAME=FILE]...: as latencies.py has it
	local name=$1 expression=$2
	shift 2
	"$PYTHON" tests/live/latencies.py "$tmp/$name" io "$expression" "$@" || {
		cat "$tmp/$name.err"
		return 1
	}
}

# says NAME WHAT EXPRESSION [FILES]: with fio's result as 'job'
says() {
	local name=$1 what=$2 expression=$3
	shift 3
	tap_check "$name: $what" latencies "$name" "$expression" "job=$tmp/$name.fio" "$@"
}

# completed DEVICE: reads that it has ended, milliseconds that they took in all, and the same of writes
# (Documentation/block/stat.rst)
completed() {
	awk '{ print $1, $4, $5, $8 }' "/sys/block/$1/stat"
}

# all_there DEVICE OPERATION: fio's requests are all counted, or as lost: programs in the kernel are not
# run while they run already on that CPU, which may be when many requests end at once, or begin: then
# nobody knows of it (1 of 1,000 here)
all_there() {
	# Its own program's pages, and the file system's, may be read from the same disk.
	echo "-500 <= fio(job, '$2')['total_ios'] - operations('$1', '$2') <=
	      lost + fio(job, '$2')['total_ios'] / 1000 and
	      0 <= size('$1', '$2') - operations('$1', '$2') * 4096 <= 100 << 20"
}

# counted DEVICE FILE ENGINE KIND DEPTH: all of fio's requests are there and nobody else's
counted() {
	local device=$1 engine=$3 kind=$4 depth=$5 name=$1-$3-$4-$5
	local before after reads read_ms writes write_ms
	if ! engine_works "$engine"; then
		tap_skip "$name" "fio's engine $engine does not work here"
		return
	fi
	fio_job "$name" "${@:2}"
	before=$(completed "$device")
	record "$name" -c io -- "${job[@]}"
	after=$(completed "$device")
	read -r reads read_ms writes write_ms < <(echo "$before $after" |
		awk '{ print $5 - $1, $6 - $2, $7 - $3, $8 - $4 }')
	says "$name" "as many reads as fio made" \
		"$(all_there "$device" read)"
	if [ "$device" = "$memory" ]; then
		says "$name" "as many writes" \
			"$(all_there "$device" write)"
		# The file system itself may write a block or two of its own.
		says "$name" "the kernel has counted the same" \
			"0 <= $reads - operations('$device', 'read') <= lost and
			 0 <= $writes - operations('$device', 'write') <= 20 + lost"
		# It begins where the request is made, before all programs that see its beginning, and
		# ends behind all that see its end.
		says "$name" "and its mean is the same" \
			"all(within(stage('$device', o, 'total')['mean_ns'], ms * 1e6 / n, 0.05, 10000)
			     for o, n, ms in (('read', $reads, $read_ms),
			                      ('write', operations('$device', 'write'), $write_ms)) if n)"
	else
		# A file's times are written now and then, and the journal.
		says "$name" "as many writes, and some of the file system's own" \
			"-lost <= operations('$device', 'write') - fio(job, 'write')['total_ios'] <= 20"
	fi
	says "$name" "the ledger is closed, and less than 1 of 1,000 is lost" \
		'closed() and lost - ledger["lost"]["completion_unseen"] <= ledger["kept"] / 1000 and
		 ledger["lost"]["completion_unseen"] <= ledger["kept"] / 50'
	says "$name" "they are fio's stacks" \
		"weight('fio') >= 0.99 * weight() > 0 and weight('fio', '*_[k]') >= 0.99 * weight('fio')"
	says "$name" "no request waits longer for the device than in all" \
		"all(stage('$device', o, 'device')[k] <= stage('$device', o, 'total')[k]
		     for o in ('read', 'write') if operations('$device', o)
		     for k in ('mean_ns', 'max_ns', *QUANTILES))"
	says "$name" "fio waited for no less" \
		"all(stage('$device', o, 'total')['mean_ns'] <=
		     fio(job, o)['mean_ns'] + fio(job, o)['submit_ns']
		     for o in ('read', 'write') if operations('$device', o))"
	# Those whose completion was not seen seem to be, until the device uses their places again.
	says "$name" "nothing of it was on its way in the end" \
		'ledger["lost"]["in_flight_end"] <= 32 + min(ledger["lost"]["completion_unseen"], 256)'
}

for depth in 1 8 32; do
	counted "$memory" "$tmp/memory/file" libaio randread $depth
	counted "$memory" "$tmp/memory/file" io_uring randrw $depth
done
counted "$memory" "$tmp/memory/file" libaio randwrite 8
if [ -z "$disk" ]; then
	tap_skip "a disk" "'$tmp' is on none"
else
	counted "$disk" "$tmp/file" libaio randread 1
	counted "$disk" "$tmp/file" io_uring randrw 32
fi

# --- as fio sees it --------------------------------------------------------------------------------

# What fio measures begins and ends in user space: system calls, the file system and its own being
# woken up take 5 to 20 us of a virtual machine, as much as the fastest devices. They are within
# 5 % of a device that takes a millisecond; two of a hundred requests take five, which is the 99th
# percentile and not the 95th.
as_fio_has_it() {
	latencies "$1" "stage('$slow', '$2', 'total')['n'] == fio(job, '$2')['total_ios'] and
		all(within(stage('$slow', '$2', 'total')[k], fio(job, '$2')[k], 0.05, 3000)
		    for k in ('mean_ns', *QUANTILES))" "job=$tmp/$1.fio"
}
mkdir "$tmp/slow"
slow=
if [ -e /dev/fuse ]; then
	start "$WORKLOADS/slowdisk" "$tmp/slow" $((64 << 20)) 1000 50 5000
	wait_for test -e "$tmp/slow/disk" && loop_of "$tmp/slow/disk" && slow=${loop#/dev/}
fi
if [ -z "$slow" ]; then
	tap_skip "as fio sees it" "there is no FUSE, or no loop device on it"
else
	for kind in randread randwrite; do
		# Whoever else is working here makes some wake-ups late: fio goes before them, as far as it
		# can, and one of three runs is enough.
		for attempt in 1 2 3; do
			name=slow-$kind-$attempt
			fio_job "$name" "/dev/$slow" psync $kind 1
			record "$name" -c io -- chrt -f 1 "${job[@]}"
			! as_fio_has_it "$name" "${kind#rand}" >/dev/null 2>&1 || break
		done
		tap_check "a slow disk, $kind: mean, median, 95th and 99th percentile are fio's" \
			as_fio_has_it "$name" "${kind#rand}"
	done
fi

# --- as the kernel's own events have it --------------------------------------------------------------

# traced DEVICE FILE KIND DEPTH
traced() {
	local device=$1 kind=$3 depth=$4 name=traced-$1-$3-$4 operation
	if [ -n "$missing" ]; then
		tap_skip "$name" "$missing"
		return
	fi
	fio_job "$name" "$2" libaio "$kind" "$depth"
	# Others may use the disk at the same time: fio leaves the PID of who does the work in a file
	# in its folder.
	record "$name" -c io -- tests/live/blk_trace.bash "$device" "$tmp/$name.events" \
		env -C "$ram" "${job[@]}" '--exec_prerun=echo $PPID'
	tap_check "$name: the tracer has lost nothing" is 0 "$(cat "$tmp/$name.events.lost")"
	"$PYTHON" tests/live/blk_trace.py "$tmp/$name.events" "$(cat "$ram/job.prerun.txt")" \
		>"$tmp/$name.events.json"
	for operation in read write; do
		[[ $kind == "rand$operation" || $kind == randrw ]] || continue
		says "$name" "$operation: issue to completion is that of blktrace's events" \
			"one_step(stage('$device', '$operation', 'device'), events['$operation']['d2c'])" \
			"events=$tmp/$name.events.json"
		says "$name" "$operation: in all no less, and no more than since it was queued" \
			"events['$operation']['d2c']['mean_ns'] * 31 / 32 - 500 <=
			 stage('$device', '$operation', 'total')['mean_ns'] <=
			 events['$operation']['q2c']['mean_ns'] * 33 / 32 + 500" \
			"events=$tmp/$name.events.json"
	done
	# btt cannot tell whose a request is.
	[ "$device" = "$memory" ] || return 0
	if ! command -v btt >/dev/null; then
		tap_skip "$name: btt's mean of D2C" "blktrace is not installed"
		return
	fi
	# Sorted and in a file, as btt wants them. It leaves more files where it is run.
	blkparse -q -O -i - -d "$tmp/$name.bin" <"$tmp/$name.events" >/dev/null 2>&1
	(cd "$tmp" && btt -i "$name.bin" -o "$name.btt" >/dev/null 2>&1)
	awk '$1 == "D2C" { printf "%.0f\n", $3 * 1e9; exit }' "$tmp/$name.btt.avg" >"$tmp/$name.d2c"
	says "$name" "btt's mean of D2C" \
		"step_apart(sum(stage('$device', o, 'device')['mean_ns'] * operations('$device', o)
		                for o in ('read', 'write') if operations('$device', o)) /
		            (operations('$device', 'read') + operations('$device', 'write')), d2c)" "d2c=$tmp/$name.d2c"
}
missing=$(tests/live/blk_trace.bash --missing)
traced "$memory" "$tmp/memory/file" randrw 1
traced "$memory" "$tmp/memory/file" randread 32
[ -z "$disk" ] || traced "$disk" "$tmp/file" randread 1
[ -z "$slow" ] || traced "$slow" "/dev/$slow" randrw 8
tap_done
