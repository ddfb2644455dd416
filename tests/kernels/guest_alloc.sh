# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# Memory of programs in a guest: a part of guest.sh. judge_alloc.bash judges it.

run alloc-heap ./fathom record -c alloc --alloc-interval 1 -o /out/alloc-heap -- ./allocs heap 4 200 7
run alloc-maps ./fathom record -c alloc --alloc-interval 1 --alloc-maps -o /out/alloc-maps -- \
	./allocs maps 20
run alloc-sampled ./fathom record -c alloc --alloc-interval 4096 --alloc-seed 7 \
	-o /out/alloc-sampled -- ./allocs heap 4 1500 7

# running NAME ARGUMENT...: a recording of a process that runs and does the same again and again, each
# turn told to it, until that ends. When it begins depends on the machine.
running() {
	name=$1
	shift
	rm -f /tmp/told
	mkfifo /tmp/told
	./allocator </tmp/told >/dev/null &
	allocator=$!
	exec 3>/tmp/told
	./fathom record -c alloc -p $allocator -d 6 "$@" -o "/out/$name" \
		>"/out/$name.out" 2>"/out/$name.err" </dev/null &
	recording=$!
	turns=0
	while [ $turns -lt 100 ] && kill -0 $recording 2>/dev/null; do
		echo each >&3
		sleep 0.2
		echo pairs 1000 500 >&3
		sleep 0.2
		turns=$((turns + 1))
	done
	wait $recording
	echo $? >"/out/$name.status"
	echo $turns >"/out/$name.turns"
	exec 3>&-
	wait $allocator
}

# On arm64 the C library's functions begin with what only single-stepping can run.
for options in "alloc-running --alloc-interval 1" "alloc-running-sampled --alloc-interval 4096" \
	"alloc-running-allocated --alloc-interval 1 --allocated-only"; do
	# shellcheck disable=SC2086 # several words
	running $options --max-slowdown none --slow
done
find /run /var/lib /tmp -maxdepth 1 -name 'fathom-alloc.*' >/out/alloc.left 2>/dev/null
