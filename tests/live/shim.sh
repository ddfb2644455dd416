#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The library of allocations by itself: programs run with it as without, and the kernel sees at its
# probes what a workload says that it did.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash
library=$(dirname "$FATHOM")/shim/libfathom-alloc.so
if [ ! -e "$library" ]; then
	echo "Bail out! '$library' is not built"
	exit 1
fi
# A file of its own: nobody else's probes are there.
cp "$library" "$tmp/libfathom-alloc.so"
library=$tmp/libfathom-alloc.so

# with SETTINGS COMMAND...
with() {
	FATHOM_ALLOC=$1 LD_PRELOAD=$library "${@:2}"
}

# --- programs run as without ------------------------------------------------------------------------

tap_check "the heap is what a program may expect: without the library" "$WORKLOADS/heap_calls"
for settings in interval=2,maps=0 interval=2,maps=1 interval=1,maps=1 interval=524288,maps=1 nonsense; do
	tap_check "the heap is what a program may expect: $settings" \
		with "$settings" "$WORKLOADS/heap_calls"
done

same_output() { # SETTINGS COMMAND...
	local settings=$1
	shift
	"$@" >"$tmp/bare" 2>&1 && with "$settings" "$@" >"$tmp/with" 2>&1 && cmp "$tmp/bare" "$tmp/with"
}
for settings in interval=1,maps=1 interval=4096; do
	tap_check "the workload does the same: $settings" \
		same_output "$settings" "$WORKLOADS/allocs" heap 8 1000
	tap_check "python3 does the same: $settings" \
		same_output "$settings" "$PYTHON" -c 'print(sum(len(str(i)) for i in range(200000)))'
	tap_check "a shell and its children do the same: $settings" \
		same_output "$settings" bash -c 'for i in 1 2 3; do echo $i | sort | (cat; echo x); done'
done

passes_under_valgrind() {
	with interval=2 valgrind -q --error-exitcode=9 "$WORKLOADS/allocs" churn 1000 4
}
if command -v valgrind >/dev/null; then
	tap_check "valgrind finds nothing" passes_under_valgrind
else
	tap_skip "valgrind finds nothing" "there is no valgrind here"
fi

# As a child of a command that is recorded may be built.
runs_with_asan() {
	ASAN_OPTIONS=verify_asan_link_order=0 with interval=2 "$tmp/asan"
}
echo '#include <stdlib.h>
int main(void) { void *volatile p = malloc(5000); p = realloc(p, 70000); free(p); return 0; }' >"$tmp/asan.c"
if "${CC:-gcc}" -fsanitize=address "$tmp/asan.c" -o "$tmp/asan" 2>"$tmp/why" && "$tmp/asan"; then
	tap_check "a program with AddressSanitizer runs" runs_with_asan
else
	tap_skip "a program with AddressSanitizer runs" "${CC:-gcc} makes none here"
fi

# --- who has it -------------------------------------------------------------------------------------

variables() { # SETTINGS PRELOAD
	FATHOM_ALLOC=$1 LD_PRELOAD=$2 "$WORKLOADS/heap_calls" environment | tr '\n' ' '
}
tap_check "children have it, too" \
	is "$library interval=1,follow=1 " "$(variables interval=1,follow=1 "$library")"
tap_check "children do not have it where that is not wanted" \
	is "- - " "$(variables interval=1,follow=0 "$library")"
tap_check "what the user has preloaded stays" \
	is "libm.so.6:libc.so.6 - " \
	"$(variables interval=1,follow=0 "libm.so.6:$library:libc.so.6")"

# --- what the kernel sees -----------------------------------------------------------------------------

tracing=/sys/kernel/tracing
[ -e $tracing/uprobe_events ] || mount -t tracefs none $tracing 2>/dev/null
group=fathom_shim_$$
instance=$tracing/instances/$group
case $(uname -m) in
x86_64) registers=(%di %si %dx) caller='+0(%sp)' ;;
aarch64) registers=(%x0 %x1 %x2) caller='%x30' ;;
esac
names=(address bytes weight)

probes_end() {
	[ ! -d "$instance" ] || { echo 0 >"$instance/tracing_on"; echo 0 >"$instance/events/$group/enable"; rmdir "$instance"; }
	for probe in made freed moving moved mapped unmapped; do
		echo "-:$group/$probe" >>"$tracing/uprobe_events"
	done
} 2>/dev/null
trap 'probes_end; recording_cleanup' EXIT

# Where they are, as readelf has it: another reader of the same notes.
probes_begin() {
	local name offset args i
	while read -r name offset; do
		case $name in
		made) args=3 ;;
		moving) args=1 ;;
		*) args=2 ;;
		esac
		names=(address bytes weight)
		case $name in
		freed) names[1]=temporary ;;
		moved) names[1]=ok ;;
		esac
		printf 'p:%s/%s %s:%s' "$group" "$name" "$library" "$offset"
		for ((i = 0; i < args; i++)); do printf ' %s=%s:u64' "${names[i]}" "${registers[i]}"; done
		printf ' caller=%s:u64\n' "$caller"
	done < <(readelf -n "$library" | awk '/Name:/ {name = $2} /Location:/ && name != "settling" {sub(",", "", $2); print name, $2}') \
		>"$tmp/probes"
	[ "$(wc -l <"$tmp/probes")" = 6 ] || { echo "not six probes:"; cat "$tmp/probes"; return 1; }
	cat "$tmp/probes" >>"$tracing/uprobe_events" || return 1
	mkdir "$instance" && echo mono >"$instance/trace_clock" && echo 1 >"$instance/options/record-tgid" &&
		echo 16384 >"$instance/buffer_size_kb" && echo 1 >"$instance/events/$group/enable"
}

# traced NAME SETTINGS COMMAND...: events into $tmp/NAME.trace, output into $tmp/NAME.out
traced() {
	local name=$1
	shift
	echo >"$instance/trace"
	with "$@" >"$tmp/$name.out" || return 1
	cat "$instance/trace" >"$tmp/$name.trace"
}
judge() { # HOW NAME NAME0
	"$PYTHON" tests/live/shim_events.py "$1" "$tmp/$2.trace" "$tmp/$2.out" "$tmp/$3.trace" "$tmp/$3.out"
}

if ! [ -w $tracing/uprobe_events ]; then
	tap_skip "what the kernel sees" "no uprobe_events in $tracing"
	tap_done
fi
if ! probes_begin 2>"$tmp/why"; then
	tap_not_ok "probes can be placed where the notes say" "$(cat "$tmp/why" "$tmp/probes")"
	tap_done
fi
tap_ok "probes can be placed where the notes say"

traced none interval=1 "$WORKLOADS/allocs" heap 4 0
traced all interval=1 "$WORKLOADS/allocs" heap 4 2000
tap_check "each block is told of: all that the workload did, and nothing else" judge compare all none
tap_check "the function above a probe is the one that was called" \
	"$PYTHON" tests/live/shim_events.py callers "$tmp/all.trace" "$library"
traced none_sampled interval=4096,seed=1 "$WORKLOADS/allocs" heap 4 0
traced sampled interval=4096,seed=1 "$WORKLOADS/allocs" heap 4 8000
tap_check "kept blocks stand for all of them, and only their frees are told of" \
	judge estimate sampled none_sampled
fewer() {
	local kept all
	kept=$(grep -c ': made:' "$tmp/sampled.trace")
	all=$(grep -c ': freed:' "$tmp/sampled.trace")
	echo "$kept made, $all freed"
	[ "$kept" -gt 500 ] && [ "$kept" -lt 12000 ] && [ "$all" -le "$kept" ]
}
tap_check "of sampled blocks few pass the probes" fewer
traced no_maps interval=1000000000,maps=1 "$WORKLOADS/allocs" maps 0
traced maps interval=1000000000,maps=1 "$WORKLOADS/allocs" maps 20
tap_check "mappings are told of to the byte" judge compare maps no_maps
traced quiet interval=1000000000 "$WORKLOADS/allocs" maps 20
tap_check "mappings are told of only where that is asked for" is 0 "$(grep -c mapped: "$tmp/quiet.trace")"

tap_done
