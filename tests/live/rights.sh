#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Without rights fathom says which; with four capabilities it works; it leaves nothing in the kernel.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

# Where another user can run it, and write.
cp "$FATHOM" "$tmp/fathom"
cp "$WORKLOADS/burn" "$tmp/burn"
chmod 1777 "$tmp"
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)

# as_nobody NAME CAPABILITIES ARGUMENT...: like record
as_nobody() {
	local name=$1 caps=$2
	shift 2
	status=0
	"${nobody[@]}" --inh-caps="-all$caps" --ambient-caps="-all$caps" --bounding-set="-all$caps" \
		"$tmp/fathom" record -o "$tmp/$name" "$@" >"$tmp/$name.out" 2>"$tmp/$name.err" \
		</dev/null || status=$?
}

if ! command -v setpriv >/dev/null || ! "${nobody[@]}" true 2>/dev/null; then
	tap_skip "rights" "cannot become another user here"
	tap_done
fi

as_nobody none "" -d 0.5
tap_check "without rights: exit status 3" is 3 "$status"
tap_check "without rights: one sentence that names the mend, no folder" \
	says_in_one_sentence none "CAP_BPF.*CAP_PERFMON.*root"
as_nobody command "" -d 0.5 -- "$tmp/burn" 602
tap_check "without rights: a command is not started" is 3 "$status"
tap_check "without rights: nor left behind" is "" "$(pgrep -f "^$tmp/burn 602")"

caps=,+bpf,+perfmon,+sys_ptrace,+syslog,+dac_read_search
if ! "${nobody[@]}" --inh-caps="-all$caps" --ambient-caps="-all$caps" true 2>/dev/null; then
	tap_skip "with capabilities" "cannot keep capabilities here"
else
	as_nobody caps "$caps" -F 499 -d 1 -- "$tmp/burn" 5
	tap_check "with capabilities alone: exit status 0" is 0 "$status"
	check caps "with capabilities alone: names are found" \
		'about("burn_seventy", "burn", 70, 8)'
	check caps "with capabilities alone: the kernel has names" \
		'count("*_[k]") > 0 and count("[kernel+*") == 0'
	check caps "with capabilities alone: the ledger is closed" 'closed()'
	tap_check "with capabilities alone: the folder is the user's" \
		is "" "$(find "$tmp/caps" -not -uid 65534)"
	check caps "with capabilities alone: the cost is known, or said not to be" \
		'collector["cost"]["kernel_ns"] is None or collector["cost"]["kernel_ns"] > 0'
	start "$tmp/burn" 600
	as_nobody other "$caps" -F 499 -d 1 -p "$pid"
	check other "with capabilities alone: another user's process" \
		'about("burn_seventy", "burn", 70, 8)'
	stop "$pid"

	# One missing after the other: it works with less, or says in one sentence what it needs.
	for missing in bpf perfmon; do
		as_nobody "no-$missing" "${caps/,+$missing/}" -d 0.5
		tap_check "without CAP_${missing^^}: exit status 3" is 3 "$status"
		tap_check "without CAP_${missing^^}: one sentence that names it, no folder" \
			says_in_one_sentence "no-$missing" "CAP_${missing^^}"
	done
fi

# --- what it leaves in the kernel ----------------------------------------------------------------

stats=/proc/sys/kernel/bpf_stats_enabled
before=$(cat $stats)
record after -F 99 -d 0.3
check after "the kernel's share of the cost is known" 'collector["cost"]["kernel_ns"] > 0'
tap_check "BPF statistics are as before" is "$before" "$(cat $stats)"

# Others may load programs meanwhile: only those of our names.
ours() {
	{ bpftool prog show; bpftool map show; } | grep -E 'name (on_sample|on_fork|on_exec|on_exit|stacks_[01]|counts_[01]) '
}
if ! bpftool prog show >/dev/null 2>&1; then
	tap_skip "no programs or maps are left" "no bpftool here"
else
	# Programs of other recordings on this machine are not ours to judge.
	before=$(ours | wc -l)
	"$FATHOM" record -q -F 99 -d 5 -o "$tmp/watched" -- sleep 5 >/dev/null &
	sleep 1.5
	tap_check "programs and maps are there while it records" test "$(ours | wc -l)" -gt "$before"
	wait $!
	# The kernel frees some a moment after their last descriptor is closed.
	none_left() { [ "$(ours | wc -l)" -le "$before" ]; }
	tap_check "no programs or maps are left" wait_for none_left
	"$FATHOM" record -q -F 99 -d 60 -o "$tmp/watched2" >/dev/null 2>&1 &
	sleep 1.5
	kill -9 $!
	{ wait $!; } 2>/dev/null
	tap_check "nor after SIGKILL" wait_for none_left
	tap_check "nor are BPF statistics left on" is 0 "$(cat $stats)"
fi
tap_done
