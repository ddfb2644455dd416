#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# blk_trace: blktrace's events of one device while a command runs, as an independent truth.
#
#	blk_trace.bash DEVICE FILE COMMAND...	events go to FILE, and how many found no room to
#						FILE.lost; exits as COMMAND did
#	blk_trace.bash --missing		says why there is no such trace here, if so
#
# blktrace(8) itself reads relay files of debugfs, which a locked-down kernel refuses. The same
# events in the same form come out of the tracer "blk" (kernel/trace/blktrace.c; CONFIG_
# BLK_DEV_IO_TRACE) if its option "bin" is set, and blkparse and btt take them. There is one such
# tracer on a machine, so it is taken only if nobody has it.
#
# Let it be started by the recorder that it is compared with: of two at one event the one that came
# last is called last. The tracer's own work takes some microseconds more at a completion than at an
# issue, which a recorder behind it would take for the device's.
set -u
tracefs=/sys/kernel/tracing

set_to() {
	echo "$2" >"$tracefs/$1"
}

missing() {
	if [ ! -e "$tracefs/current_tracer" ]; then
		echo "no tracefs here"
	elif ! grep -qw blk "$tracefs/available_tracers"; then
		echo "this kernel has no tracer 'blk'"
	elif ! grep -qx nop "$tracefs/current_tracer"; then
		echo "somebody else is tracing"
	fi
}

if [ "$1" = --missing ]; then
	missing
	exit 0
fi
device=$1 file=$2
shift 2
if [ -n "$(missing)" ]; then
	missing >&2
	exit 1
fi
reader=

# shellcheck disable=SC2317,SC2329 # by the trap
restore() {
	echo 0 >"/sys/block/$device/trace/enable"
	[ -z "$reader" ] || kill "$reader" 2>/dev/null
	wait
	set_to current_tracer nop
	set_to trace_options nobin
	set_to trace_options context-info
	set_to trace_clock local
	set_to buffer_size_kb "$size"
}
size=$(sed 's/ .*//' "$tracefs/buffer_size_kb")
trap restore EXIT
trap 'exit 130' INT TERM

set_to current_tracer blk
set_to trace_options nocontext-info
set_to trace_options bin
set_to trace_clock mono
set_to buffer_size_kb 16384
set_to trace ''
# The stages that are compared; plugs and remaps would be as many again.
echo queue,requeue,issue,complete >"/sys/block/$device/trace/act_mask"
cat "$tracefs/trace_pipe" >"$file" &
reader=$!
echo 1 >"/sys/block/$device/trace/enable"
status=0
"$@" || status=$?
echo 0 >"/sys/block/$device/trace/enable"
sleep 0.5 # the reader has had all when it waits for more
awk -F: '/overrun|dropped/ { n += $2 } END { print n + 0 }' "$tracefs"/per_cpu/cpu*/stats \
	>"$file.lost"
exit "$status"
