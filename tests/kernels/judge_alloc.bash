# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # $out and $title are those of the guest that is judged
# judge_alloc: what the recordings of guest_alloc.sh must say, against what the programs said. A part of
# tests/kernels/run.

allocs() { # NAME EXPRESSION [TRUTH]
	"$PYTHON" tests/live/memories.py "$out/$1" alloc "$2" ${3+"$3"} || {
		cat "$out/$1.err"
		return 1
	}
}

# allocated NAME WHAT EXPRESSION [TRUTH]
allocated() {
	local name=$1 what=$2
	shift 2
	tap_check "$title: $name: $what" allocs "$name" "$@"
}

judge_alloc_commands() {
	local name
	for name in alloc-heap alloc-maps alloc-sampled; do
		tap_check "$title: $name: exit status 0" ended $name 0
		# The last line is the name of the run folder.
		sed '$d' "$out/$name.out" >"$out/$name.truth"
		allocated $name "the ledger is closed, and nothing is lost" \
			'closed() and ledger["loss_share"] == 0 and ledger["kept"] == total("samples") > 0'
		allocated $name "its stacks are whole" 'collector["stacks"]["complete_share"] > 0.999'
	done
	allocated alloc-heap "every site's objects and bytes, leaked and temporary ones" \
		'len(truth) > 10 and not differences()' "$out/alloc-heap.truth"
	allocated alloc-heap "frees of what the parent had are told apart, and none is missed" \
		'notes["frees_of_inherited"] > 0 and notes["frees_of_unknown"] == 0 and
		 notes["frees_missed"] == 0'
	allocated alloc-maps "every site's objects and bytes" \
		'len(truth) > 3 and not differences()' "$out/alloc-maps.truth"
	# Which blocks are sampled follows from the seed: this is no matter of chance.
	allocated alloc-sampled "the whole within 10 %, and most intervals hold the truth" \
		'within(sum(of(site)["alloc_space"] for site in truth),
		        sum(t["bytes"] for t in truth.values()), 0.1) and
		 (lambda hits, n: n > 20 and hits >= 0.85 * n)(*coverage())' "$out/alloc-sampled.truth"
}

# What each() of allocator asks for, once a turn; realloc takes two of the blocks back, and what is
# left is never freed.
each_calls=9
each_bytes=$((1001 + 3000 + 2001 + 40001 + 50000 + 6001 + 6400 + 7001 + 8001))
each_left=$((each_bytes - 1001 - 2001))

judge_alloc_running() {
	local name turns
	for name in alloc-running alloc-running-allocated alloc-running-sampled; do
		tap_check "$title: $name: exit status 0" ended $name 0
		allocated $name "the ledger is closed, and nothing is lost" \
			'closed() and ledger["loss_share"] == 0 and ledger["kept"] == total("samples") > 0'
		allocated $name "its stacks are whole" 'collector["stacks"]["complete_share"] > 0.99'
		allocated $name "all of it is the program's" \
			'all(s[0][0] == "allocator" and "main" in s[0] for s in stacks)'
	done
	for name in alloc-running alloc-running-allocated; do
		turns=$(cat "$out/$name.turns")
		allocated $name "whole turns, to the byte" \
			"(lambda v: 3 <= v['alloc_objects'] / $each_calls <= $turns and
			            v['alloc_space'] / $each_bytes == v['alloc_objects'] / $each_calls and
			            v['alloc_objects'] % $each_calls == 0)(of('each'))"
		allocated $name "as many of the pairs" \
			"of('pairs')['alloc_space'] == of('pairs')['alloc_objects'] * 500 > 0 and
			 of('pairs')['alloc_objects'] % 1000 == 0 and
			 abs(of('pairs')['alloc_objects'] / 1000 - of('each')['alloc_objects'] / $each_calls) <= 1"
	done
	allocated alloc-running "what is left is in use, to the byte, and pairs are temporary" \
		"of('each')['inuse_space'] * $each_bytes == of('each')['alloc_space'] * $each_left and
		 of('each')['inuse_objects'] * $each_calls == of('each')['alloc_objects'] * ($each_calls - 2) and
		 of('pairs')['inuse_space'] == 0 and
		 of('pairs')['temporary_space'] == of('pairs')['alloc_space']"
	# About 30 samples of a turn's blocks, and 115 of its pairs.
	allocated alloc-running-sampled "as many of both, within 30 %" \
		"within(of('pairs')['alloc_space'] / 500000, of('each')['alloc_space'] / $each_bytes, 0.3) and
		 of('each')['alloc_space'] > 3 * $each_bytes and
		 of('pairs')['samples'] < of('pairs')['alloc_objects'] / 5 and
		 of('pairs')['inuse_space'] == 0"
}

judge_alloc() {
	judge_alloc_commands
	judge_alloc_running
	tap_check "$title: no library of allocations is left behind" test ! -s "$out/alloc.left"
}
