#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Whole user stacks from programs without frame pointers: workloads that are hard to unwind, and
# whose chain of calls is known.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash
hard=$WORKLOADS/unwind

# chains NAME SHARE FRAME...: of the workload $program with $arguments (default: NAME, for a second)
# so many percent of the stacks have the frames, and 99 % are whole (not if $whole is no)
chains() {
	local name=$1 share=$2 program=${program:-$1} comm words frames
	shift 2
	comm=${program:0:15} # as the kernel cuts it
	read -ra words <<<"${arguments:-1}"
	if [ ! -x "$hard/$program" ]; then
		tap_skip "$name" "its compiler is not installed"
		return
	fi
	frames=$(printf ", '%s'" "$@")
	record "$name" -F 999 -- "$hard/$program" "${words[@]}"
	check "$name" "$name: the frames are those that are there" \
		"chain('$comm'$frames) >= $share"
	[ "${whole:-}" = no ] || whole "$name" "$comm" 99
}

# --- workloads -----------------------------------------------------------------------------------

forty=()
for _ in {1..20}; do
	forty+=(outer_wide outer_narrow)
done
for kind in "" -static -static-pie; do
	chains "plain$kind" 98 main "${forty[@]}"
done
# musl's own code has no call frame information: what called main cannot be told, nor can what its
# functions were called from.
for kind in -musl -musl-static; do
	whole=no chains "plain$kind" 85 main "${forty[@]}" leaf_burn
	check "plain$kind" "plain$kind: nothing is made up above main" \
		'all(own.index("main") <= 1 for own, n in user_stacks("plain*") if "main" in own)'
done
if [ -x "$hard/plain-stripped" ]; then
	record plain-stripped -F 999 -- "$hard/plain-stripped" 1
	check plain-stripped "plain-stripped: there are as many frames as without names" \
		'chain("plain-stripped", *["[plain-stripped+*"] * 42) >= 98'
	whole plain-stripped plain-stripped 99
fi
record deeper -F 999 -- "$hard/plain" 1 200
check deeper "deeper than 127 frames: so many are kept" \
	'chain("plain", *["outer_wide|outer_narrow"] * 124) >= 98 and user() == sum(
	 n for own, n in user_stacks("plain") if len(own) == 127 or own[0] == "_start")'
check deeper "deeper than 127 frames: they are not called whole" \
	'stacks["ended"]["depth_limit"] > 0.97 * total()'

chains frames 95 main grows aligns aligns_and_grows frames_burn
chains signals 50 main interrupted_outer interrupted_inner
check signals "signals: the interrupted function is the handler's caller" \
	'chain("signals", "interrupted_outer", "interrupted_inner", "*", "on_alarm", "handler_burn") +
	 chain("signals", "interrupted_inner", "*", "*", "on_alarm", "handler_burn") > 40'
check signals "signals: what was interrupted at its first instruction has its own name" \
	'count("spins") > 0 and count("[signals+*") + count("never_called") == 0'
check signals "signals: all is called by main" \
	'chain("signals", "main", "interrupted_outer", "interrupted_inner") >= 99'
# The handler's stack is another one: what is passed up of a first sample does not reach beyond it.
whole=no program=signals arguments="1 own-stack" chains own-stack 85 main interrupted_outer \
	interrupted_inner
check own-stack "own-stack: some of it is in the handler" 'share("handler_burn") > 30'
chains clock 98 main asks
check clock "clock: the vDSO is called by the C library" \
	'chain("clock", "asks", "*clock_gettime*", "*") > 50'
chains plt 98 main calls_on
LD_BIND_NOT=1 program=plt chains plt-resolver 98 main calls_on
chains vfork 80 main starts_one in_the_child child_burn
chains exceptions 97 main catches
check exceptions "exceptions: the one who throws has its callers" \
	'chain("exceptions", "Level<1>::down*", "Level<0>::down*") > 60'
chains assembly 94 main calls_assembly "assembly_leaf|assembly_framed"
chains noreturn 98 main ends_in_a_call never_returns noreturn_burn
chains threads 98 thread_body thread_inner thread_burn
chains tail 98 main enters tail_burn
chains jump 97 main jumps_back
check jump "jump: before it, all frames are there" \
	'chain("jump", "main", "jumps_back", *["goes_down"] * 11, "before_jump_burn") > 40'
check jump "jump: after it, those that were left are gone" \
	'chain("jump", "main", "jumps_back", "after_jump_burn") > 40'
# The return address of its outermost function is the first byte of code that nobody has called:
# the byte before it is in other code, whose call frame information says nothing of this stack.
whole=no chains coroutine 45 coroutine_body coroutine_burn
check coroutine "coroutine: nothing is made up above it" \
	'all(own.index("coroutine_body") <= 1 for own, n in user_stacks("*") if "coroutine_body" in own)'
check coroutine "coroutine: the process's own stack" \
	'chain("coroutine", "main", "resumes", "own_burn") > 45'
arguments=1.5 chains rusty 95 rusty::rust_outer* rusty::rust_burn*
arguments=1.5 chains gopher 80 main.goOuter main.goInner main.goBurn
arguments="1.5 $hard/spot.so" chains late 45 main calls_library spot_enter spot_burn
arguments="1.5 $hard/spot.so" chains mappings 90 main visits spot_enter

# Two thousand processes that sleep beside it.
if [ -x "$hard/many" ]; then
	start "$hard/many" 600
	many=$pid
	wait_for eval "[ \"\$(pgrep -c -P $many)\" = 2000 ]"
	record many -F 999 -d 1 -p "$many"
	check many "many: the frames are those that are there" \
		'chain("many", "main", "works_on", "many_burn") >= 98'
	whole many many 99
	stop "$many"
fi

# --- next to libdw ---------------------------------------------------------------------------------

compare=$(dirname "$FATHOM")/walk_compare

# shellcheck disable=SC2317 # by tap_check
# as_libdw PROGRAM: 99 % of the same dumps, to a whole one, have the same frames by both walks
as_libdw() {
	"$compare" -r 499 -n 300 -s 50 -- "$hard/$1" 1 >"$tmp/$1.walks" || return 1
	cat "$tmp/$1.walks"
	awk '$1 == "samples" { n = $2 } $1 == "identical" { same = $2 }
		END { exit !(n > 50 && n - same <= 1 + n / 100) }' "$tmp/$1.walks"
}
for program in plain frames signals exceptions threads; do
	if [ ! -x "$compare" ] || [ ! -x "$hard/$program" ]; then
		tap_skip "$program: next to libdw" "it is not built"
	else
		tap_check "$program: its stacks are those that libdw finds" as_libdw "$program"
	fi
done
tap_done
