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
		# Now and then 6.1 has no room for a stack in a table that is nearly empty.
		allocated $name "the ledger is closed, and next to nothing is lost" \
			'closed() and lost() <= 2 and ledger["kept"] == total("samples") > 0'
		allocated $name "its stacks are whole" 'collector["stacks"]["complete_share"] > 0.99'
	done
	allocated alloc-heap "every site's objects and bytes, leaked and temporary ones" \
		'len(truth) > 10 and accounted()' "$out/alloc-heap.truth"
	allocated alloc-heap "frees of what the parent had are told apart, and none is missed" \
		'notes["frees_of_inherited"] > 0 and notes["frees_of_unknown"] == 0 and
		 notes["frees_missed"] == 0'
	allocated alloc-maps "every site's objects and bytes" \
		'len(truth) > 3 and accounted()' "$out/alloc-maps.truth"
	# Which blocks are sampled follows from the seed: this is no matter of chance.
	allocated alloc-sampled "the whole within 10 %, and most intervals hold the truth" \
		'within(sum(of(site)["alloc_space"] for site in truth),
		        sum(t["bytes"] for t in truth.values()), 0.1) and
		 (lambda hits, n: n > 20 and hits >= 0.85 * n)(*coverage())' "$out/alloc-sampled.truth"
}

turns() { # NAME ARGUMENT...
	"$PYTHON" tests/kernels/turns.py "$out/$1" 3 "$(cat "$out/$1.turns")" "${@:2}" || {
		cat "$out/$1.err"
		return 1
	}
}

judge_alloc_running() {
	local name
	for name in alloc-running alloc-running-allocated alloc-running-sampled; do
		tap_check "$title: $name: exit status 0" ended $name 0
		allocated $name "the ledger is closed, and next to nothing is lost" \
			'closed() and lost() <= 2 and ledger["kept"] == total("samples") > 0'
		allocated $name "its stacks are whole" 'collector["stacks"]["complete_share"] > 0.99'
		allocated $name "all of it is the program's" \
			'all(s[0][0] == "allocator" and "main" in s[0] for s in stacks)'
	done
	tap_check "$title: alloc-running: every block, and what is in use" turns alloc-running
	tap_check "$title: alloc-running-allocated: every block" turns alloc-running-allocated \
		--allocated-only
	# The recording may end between a malloc and its free.
	allocated alloc-running "pairs are in use no more" \
		"of('pairs')['alloc_space'] == of('pairs')['alloc_objects'] * 500 > 0 and
		 of('pairs')['inuse_objects'] <= 1"
	# About 30 samples of a turn's blocks, and 115 of its pairs.
	allocated alloc-running-sampled "as many of both, within 30 %" \
		"within(of('pairs')['alloc_space'] / 500000, of('each')['alloc_space'] / 123406, 0.3) and
		 of('each')['alloc_space'] > 3 * 123406 and
		 of('pairs')['samples'] < of('pairs')['alloc_objects'] / 5 and
		 of('pairs')['inuse_objects'] < 10"
}

judge_alloc() {
	judge_alloc_commands
	judge_alloc_running
	tap_check "$title: no library of allocations is left behind" test ! -s "$out/alloc.left"
}
