#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Samples in time, of a program that says itself when it did what: it alternates between two
# functions every half second.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

# in_time RUN COLLECTOR WHAT EXPRESSION: as times.py has it
times_hold() {
	"$PYTHON" tests/live/times.py "$tmp/$1" "$2" "$3" || {
		cat "$tmp/$1.err"
		return 1
	}
}
in_time() {
	tap_check "$1: $3" times_hold "$1" "$2" "$4"
}

truth() { # RUN SLOT_NS
	in_time "$1" cpu "slots are as long as was asked for" "slot == $2"
	in_time "$1" cpu "each sample has its time, the start of a slot within the recording" \
		"all(t is not None and t % slot == 0 and 0 <= t < span for t, *_ in samples)"
	# A sample may be taken where a turn calls the clock, but not in the other function.
	in_time "$1" cpu "in each turn there is its function and not the other" \
		"all(share(during(a, b), f) > 90 and
		     share(during(a, b), {'turn_odd': 'turn_even', 'turn_even': 'turn_odd'}[f]) == 0
		     for f, a, b, _ in turns('$tmp/$1.turns'))"
	# Those of the slots at both ends are not counted, and ticks are drawn.
	in_time "$1" cpu "each turn has as many samples as its CPU time says" \
		"all(abs(sum(s[1] for s in during(a, b)) - cpu / 1e9 * $3) <=
		     0.15 * cpu / 1e9 * $3 + 2 * slot / 1e9 * $3 + 10
		     for f, a, b, cpu in turns('$tmp/$1.turns'))"
	in_time "$1" cpu "a thread has no more samples in a slot than fit" \
		"all(sum(s[1] for s in samples if s[0] == at) <= slot / 1e9 * $3 + 2
		     for at in {s[0] for s in samples})"
	in_time "$1" cpu "the slots add up to what was kept, and nothing is lost of it" \
		"total == folded == ledger['kept'] and timeline['untimed'] == 0"
	in_time "$1" cpu "the tables had room" \
		"not any(ledger['lost'][c] for c in ('counts_full', 'stack_table_full', 'drain'))"
}

record fine -F 999 --timeline=10ms -- "$WORKLOADS/turns" 6 "$tmp/fine.turns"
tap_check "exit status 0" is 0 "$status"
truth fine 10000000 999
record default -F 499 --timeline -- "$WORKLOADS/turns" 4 "$tmp/default.turns"
truth default 20000000 499

tap_check "the same stack in two slots is one line of folded stacks" \
	is "" "$(sed 's/ [0-9]*$//' "$tmp/fine/cpu.folded" | sort | uniq -d)"

# range FROM TO FUNCTION: what report tells of it
range() {
	"$FATHOM" report --json --range "$1-$2" "$tmp/fine" >"$tmp/range.json" &&
		"$PYTHON" -c "
import json, sys
report = json.load(open('$tmp/range.json'))
share = {f['function']: f['total_share'] for f in report['functions']}
print(report['range'], report['total'], share)
sys.exit(not (share.get('$3', 0) > 0.9 and report['total'] > 5))"
}
# The middle of the first two turns: the program starts soon after the recording.
turn_middle() { # NUMBER
	"$PYTHON" tests/live/times.py "$tmp/fine" cpu \
		"print((turns('$tmp/fine.turns')[$1][1] + 100000000) // 1000000) or True"
}
even=$(turn_middle 0) odd=$(turn_middle 1)
tap_check "report --range has the first turn" range "${even}ms" "$((even + 300))ms" turn_even
tap_check "report --range has the second turn" range "${odd}ms" "$((odd + 300))ms" turn_odd

# Two busy CPUs and the finest slots: each sample may be an entry of its own.
start "$WORKLOADS/burn" 10
start "$WORKLOADS/burn" 10
record busy -F 999 --timeline=1ms -d 3
in_time busy cpu "two busy CPUs, 1 ms: slots are as long" 'slot == 1000000'
in_time busy cpu "two busy CPUs, 1 ms: the tables had room" \
	"not any(ledger['lost'][c] for c in ('counts_full', 'stack_table_full', 'drain'))"
in_time busy cpu "two busy CPUs, 1 ms: all that was kept is there" "total == ledger['kept'] > 1000"
in_time busy cpu "two busy CPUs, 1 ms: there are samples all the time" \
	'len({t // 100000000 for t, *_ in samples}) >= 28'

record without -F 999 -- "$WORKLOADS/turns" 2 "$tmp/without.turns"
in_time without cpu "without --timeline no sample has a time" \
	"timeline is None and all(t is None for t, *_ in samples)"
in_time without cpu "without --timeline equal samples are one" \
	"len({(tuple(f), l['tid']) for _, _, f, l in samples}) > 0 and total == ledger['kept']"

# Another collector, whose events belong to when they end.
record files -c file --timeline=100ms -- "$WORKLOADS/files" calls "$tmp"
if [ -e "$tmp/files/file.pb.gz" ]; then
	in_time files file "operations on files have their time" \
		"samples and all(t is not None and t % slot == 0 and 0 <= t < span for t, *_ in samples)"
	in_time files file "their slots add up" "total == ledger['kept']"
else
	tap_skip "operations on files have their time" "they are not followed here"
fi
tap_done
