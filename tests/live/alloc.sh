#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The collector alloc, by the library that a command is started with: every block, against what the
# program says of itself; samples, against the same over many seeds.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

SEEDS=${SEEDS:-50}

# memory NAME EXPRESSION...: of $tmp/NAME, whose program printed $tmp/NAME.truth
memory() {
	"$PYTHON" tests/live/memories.py "$tmp/$1" alloc "$2" "$tmp/$1.truth"
}

# truth NAME ARGUMENT... -- COMMAND...: a recording of a program that prints its own account
truth() {
	local name=$1
	record "$@"
	# The last line is the name of the run folder.
	sed '$d' "$tmp/$name.out" >"$tmp/$name.truth"
}

libraries() {
	ls -d /run/fathom-alloc.* /var/lib/fathom-alloc.* /tmp/fathom-alloc.* 2>/dev/null
}
before=$(libraries)

# --- every block -----------------------------------------------------------------------------------

truth heap -c alloc --alloc-interval 1 -- "$WORKLOADS/allocs" heap 8 400 7
tap_check "heap: exit status 0" is 0 "$status"
tap_check "heap: every site's objects and bytes, leaked and temporary ones" memory heap \
	'len(truth) > 10 and not differences()'
tap_check "heap: the ledger is closed, and nothing is lost" memory heap \
	'closed() and ledger["loss_share"] == 0 and ledger["kept"] == total("samples")'
tap_check "heap: all stacks are whole" memory heap \
	'collector["stacks"]["complete_share"] > 0.999'
tap_check "heap: they end in who asked for memory" memory heap \
	'all(s[0][-1] == site or s[0][-1].endswith("strdup") for s in stacks for site in truth
	     if site in s[0])'
tap_check "heap: intervals of what is exact are that" memory heap \
	'all(set(s[2]["alloc_space"].values()) == {s[1]["alloc_space"]} for s in stacks)'
tap_check "heap: what is in use was allocated, and no more than the peak" memory heap \
	'total("inuse_space") <= total("alloc_space") and
	 memory["totals"]["peak"]["bytes"] <= total("alloc_space")'
tap_check "heap: frees in the child of what its parent had are told apart" memory heap \
	'notes["frees_of_inherited"] > 0 and notes["frees_of_unknown"] == 0 and
	 notes["frees_missed"] == 0'

truth maps -c alloc --alloc-interval 1 --alloc-maps -- "$WORKLOADS/allocs" maps 40
tap_check "mappings: every site's objects and bytes" memory maps \
	'len(truth) > 3 and not differences() and closed()'

# The peak of one thread is known to the byte: that of a stack of blocks.
cat >"$tmp/peak.py" <<'PYTHON'
import ctypes, sys
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
for height in (5, 20, 10):
    blocks = [libc.malloc(1 << 20) for _ in range(height)]
    for block in blocks:
        libc.free(block)
PYTHON
record peak -c alloc --alloc-interval 1 -- "$PYTHON" "$tmp/peak.py"
echo '{}' >"$tmp/peak.truth"
tap_check "peak: 20 MiB at the same place, 35 in all" memory peak \
	'sum(1 for s in stacks if s[1]["peak_space"] == 20 << 20) == 1 and
	 sum(1 for s in stacks if s[1]["alloc_space"] == 35 << 20) == 1'
tap_check "peak: the sum of all sites is that of the whole" memory peak \
	'total("peak_space") == memory["totals"]["peak"]["bytes"] > 20 << 20'

record churn -c alloc -- "$WORKLOADS/allocs" churn 1000000 64
echo '{}' >"$tmp/churn.truth"
tap_check "churn: 64 million pairs in 64 threads, of which each sampled block is seen to be freed" \
	memory churn 'closed() and ledger["loss_share"] == 0 and notes["frees"] == ledger["kept"] > 10000 and
	 total("inuse_objects") == 0 and notes["frees_of_unknown"] == notes["in_use_table_full"] == 0 and
	 within(total("alloc_space"), 6.4e9, 0.05)'

# --- programs ----------------------------------------------------------------------------------------

record children -c alloc --alloc-interval 1 -- sh -c "'$WORKLOADS/allocs' heap 1 50 3; true"
sed '$d' "$tmp/children.out" >"$tmp/children.truth"
tap_check "children: a program that the command starts is there, too" memory children \
	'not differences()'
record alone -c alloc --alloc-interval 1 --no-follow -- \
	sh -c "'$WORKLOADS/allocs' heap 1 50 3; true"
tap_check "children: and not with --no-follow" \
	sh -c "! grep -q site_ '$tmp/alone/alloc.folded' && grep -q '^sh;' '$tmp/alone/alloc.folded'"

record static -c alloc --alloc-interval 1 --max-slowdown none -- "$WORKLOADS/unwind/plain-static"
tap_check "static: it is said that the program cannot have the library" \
	grep -q "plain-static' is linked statically" "$tmp/static.err"
tap_check "static: and its own allocator is probed" \
	sh -c "[ $status = 0 ] && [ -s '$tmp/static/alloc.folded' ]"
echo 'pairs 20000 1000' >"$tmp/pairs"
"$FATHOM" record -o "$tmp/whole" -c alloc --alloc-interval 1 --max-slowdown none -- \
	"$WORKLOADS/allocator-static" <"$tmp/pairs" >/dev/null 2>&1
echo '{}' >"$tmp/whole.truth"
tap_check "static: from the first call to the last, through its exec" memory whole \
	'total("alloc_space") >= 20000 * 1000 and total("inuse_objects") < 100 and closed()'

record lone -c alloc --alloc-interval 1 --max-slowdown none --no-follow --alloc-maps -- \
	"$WORKLOADS/allocator-static"
tap_check "static: what is not followed there is said" \
	grep -q "alloc-maps is without effect here" "$tmp/lone.err"

# Who has no tables to wait for does not wait: half a second for each process.
began=$(date +%s%N)
record frames -c alloc --alloc-interval 1 --user-stacks fp -- \
	sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true; done'
tap_check "frame pointers: programs start without waiting" \
	[ $(($(date +%s%N) - began)) -lt 4000000000 ]

if command -v valgrind >/dev/null; then
	record valgrind -c alloc --alloc-interval 1 -- \
		sh -c "valgrind -q --tool=none '$WORKLOADS/allocs' churn 1000 4; exit \$?"
	tap_check "valgrind, which would execute the probes itself: its program lives" is 0 "$status"
else
	tap_skip "valgrind, which would execute the probes itself" "there is no valgrind here"
fi

tap_check "no library is left behind" is "$before" "$(libraries)"

# --- samples -------------------------------------------------------------------------------------------

for seed in $(seq "$SEEDS"); do
	truth "seed$seed" -c alloc --alloc-interval 4096 --alloc-seed "$seed" -- \
		"$WORKLOADS/allocs" heap 4 3000 7
done
over_seeds() {
	"$PYTHON" - "$tmp" "$SEEDS" <<-'PYTHON'
		import sys
		sys.path.insert(0, "tests/live")
		import memories
		folder, seeds = sys.argv[1], int(sys.argv[2])
		hits = n = 0
		estimates, errors = [], 0
		for seed in range(1, seeds + 1):
		    name = f"{folder}/seed{seed}"
		    run = memories.Run(name, "alloc", memories.load(name + ".truth"))
		    h, of = run.coverage()
		    hits, n = hits + h, n + of
		    truth = sum(t["bytes"] for t in run.truth.values())
		    estimates.append(sum(run.of(s)["alloc_space"] for s in run.truth) / truth)
		    errors += not run.closed()
		mean = sum(estimates) / len(estimates)
		print(f"{hits} of {n} intervals, mean {mean:.4f}, {errors} ledgers open")
		ok = n > 20 * seeds and 0.92 <= hits / n <= 0.98 and abs(mean - 1) < 0.01 and not errors
		sys.exit(not ok)
	PYTHON
}
tap_check "samples: the mean of totals is within 1 %, and 92 to 98 % of the intervals hold the truth" \
	over_seeds
tap_done
