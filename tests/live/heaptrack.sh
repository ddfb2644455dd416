#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The collector alloc against heaptrack, on the same programs: as many allocations, the same peak, as
# much left, by the same functions. And redis, which brings an allocator of its own, by the library as
# by probes, against what it says of itself.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

# --- heaptrack ------------------------------------------------------------------------------------

interpreter() {
	local folder
	for folder in lib lib64 libexec; do
		find "$(dirname "$(realpath "$(command -v heaptrack)")")/../$folder/heaptrack" \
			-name heaptrack_interpret 2>/dev/null
	done | head -n 1
}

# both NAME COMMAND...: the same by heaptrack and by fathom; at the same addresses, on which the tables
# of some programs depend
both() {
	local name=$1
	shift
	setarch -R heaptrack --raw -o "$tmp/$name.heaptrack" "$@" >/dev/null 2>&1 </dev/null
	zstdcat "$tmp/$name.heaptrack.raw.zst" >"$tmp/$name.heaptrack.raw"
	"$interpret" <"$tmp/$name.heaptrack.raw" >"$tmp/$name.heaptrack.interpreted" 2>/dev/null
	status=0
	setarch -R "$FATHOM" record -q -c alloc --alloc-interval 1 -o "$tmp/$name" -- "$@" \
		>/dev/null 2>"$tmp/$name.err" </dev/null || status=$?
}

compare() { # NAME EXPRESSION
	"$PYTHON" tests/live/heaptrack.py "$tmp/$1" "$tmp/$1.heaptrack" "$2" || {
		cat "$tmp/$1.err"
		return 1
	}
}

# same NAME SLACK COMMAND...: up to so many bytes
same() {
	local name=$1 slack=$2
	shift 2
	both "$name" "$@"
	tap_check "$name: exit status 0" is 0 "$status"
	# Heaptrack's library needs others, which are loaded before it looks: the program, which may ask
	# for them later, gets them for nothing. And its name stands in the environment.
	tap_check "$name: as many allocations" compare "$name" \
		'near("alloc_objects", "allocations", 15)'
	tap_check "$name: the same peak, in bytes" compare "$name" \
		"near('peak_space', 'peak', $slack)"
	tap_check "$name: as much left, in bytes" compare "$name" "left($slack)"
	tap_check "$name: by the same functions" compare "$name" \
		"not unlike('alloc_objects', 'allocations', 2) and not unlike('peak_space', 'peak', $slack) and
		 top('alloc_objects', 'allocations') and top('peak_space', 'peak')"
	tap_check "$name: most of it was compared" compare "$name" \
		'compared("alloc_objects") > 0.8 and compared("peak_space") > 0.9'
}

cat >"$tmp/big.py" <<'PYTHON'
import json
lists = {str(i): [i] * (i % 50) for i in range(30000)}
blocks = [bytes(i % 3000) for i in range(20000)]
again = json.loads(json.dumps(lists))
PYTHON

make_repository() {
	local i
	git init -q "$tmp/repository" && cd "$tmp/repository" || return
	for i in 1 2 3 4 5 6 7 8; do
		seq $((i * 100)) $((i * 100 + 5000)) >numbers
		seq "$i" 700 >"more$i"
		git add . && git -c user.name=x -c user.email=x@x commit -q -m "$i" || return
	done
}

heaptrack_tests() {
	local cc1
	export PYTHONHASHSEED=0 GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
	same python 4096 "$PYTHON" "$tmp/big.py"
	cc1=$(gcc -print-prog-name=cc1 2>/dev/null)
	if [ -x "$cc1" ] && gcc -D_GNU_SOURCE -E tests/workloads/allocs.c -o "$tmp/source.i"; then
		# A table of 32 KiB for each 16 MiB that its garbage collector has pages in.
		same cc1 $((4096 + 32768)) "$cc1" -quiet -O1 "$tmp/source.i" -o /dev/null
	else
		tap_skip "cc1" "there is no gcc here"
	fi
	if command -v git >/dev/null && (make_repository); then
		same git 4096 git -C "$tmp/repository" --no-pager log -p --stat
	else
		tap_skip "git" "there is no git here, or it makes no repository"
	fi
	head -c 300000 "$FATHOM" >"$tmp/data"
	same xz 4096 xz -9 -k -c -T1 "$tmp/data"
}

interpret=$(interpreter)
if [ -z "$interpret" ] || ! command -v heaptrack_print >/dev/null ||
	! command -v zstdcat >/dev/null; then
	tap_skip "against heaptrack" "there is no heaptrack here, or no zstd"
elif ! setarch -R true; then
	tap_skip "against heaptrack" "addresses cannot be the same twice here"
else
	heaptrack_tests
fi

# --- redis --------------------------------------------------------------------------------------------

requests=20000
socket=$tmp/redis.sock
redis=(redis-server --port 0 --unixsocket "$socket" --save '' --appendonly no --dir "$tmp"
	--daemonize no)

answers() {
	redis-cli -s "$socket" ping | grep -q PONG
}

# Each request sets one of so many keys; what redis says of itself afterwards is in $tmp/$1.*
load() {
	redis-benchmark -s "$socket" -n $requests -c 10 -t set -d 100 -r 1000 -q >/dev/null 2>&1
	redis-cli -s "$socket" info commandstats | tr , '\n' |
		sed -n 's/^cmdstat_set:calls=//p' >"$tmp/$1.calls"
	redis-cli -s "$socket" info memory | tr -d '\r' | sed -n 's/^used_memory://p' >"$tmp/$1.used"
}

allocs() { # NAME EXPRESSION
	"$PYTHON" tests/live/memories.py "$tmp/$1" alloc "$2" || {
		cat "$tmp/$1.err"
		return 1
	}
}

# agree EXPRESSION: about two recordings, a and b
agree() {
	"$PYTHON" - "$tmp/shim" "$tmp/probes" "$1" <<-'PYTHON'
		import sys
		from collections import Counter
		sys.path.insert(0, "tests/live")
		import memories
		a, b = (memories.Run(folder, "alloc") for folder in sys.argv[1:3])
		REQUEST = "readQueryFromClient"
		def objects(run):
		    return run.of(REQUEST)["alloc_objects"]
		def top(run):
		    sites = Counter()
		    for frames, values, _ in run.stacks:
		        frames = [f for f in frames if f not in ("malloc", "calloc", "realloc")]
		        if REQUEST in frames:
		            sites[frames[-2], frames[-1]] += values["alloc_objects"]
		    return sites.most_common(1)[0][0]
		if not eval(sys.argv[3]):
		    print("not true:", sys.argv[3])
		    sys.exit(f"{objects(a)} and {objects(b)} blocks of requests, mostly {top(a)} and {top(b)}")
	PYTHON
}

redis_tests() {
	"$FATHOM" record -q -c alloc --alloc-interval 1 -o "$tmp/shim" -- "${redis[@]}" \
		>/dev/null 2>"$tmp/shim.err" </dev/null &
	recording=$!
	wait_for answers
	load shim
	redis-cli -s "$socket" shutdown nosave
	wait $recording
	tap_check "redis: with the library: exit status 0" is 0 $?

	start "${redis[@]}"
	wait_for answers
	"$FATHOM" record -q -c alloc --alloc-interval 1 --max-slowdown none -p "$pid" -o "$tmp/probes" \
		>/dev/null 2>"$tmp/probes.err" </dev/null &
	recording=$!
	sleep 5
	load probes
	kill -TERM $recording
	wait $recording
	tap_check "redis: with probes: exit status 0" is 0 $?
	redis-cli -s "$socket" shutdown nosave

	for name in shim probes; do
		tap_check "redis: $name: all requests were made" is $requests "$(cat "$tmp/$name.calls")"
		tap_check "redis: $name: the ledger is closed, and nothing is lost" allocs $name \
			'closed() and ledger["loss_share"] == 0'
		tap_check "redis: $name: 99 % of the stacks are whole" allocs $name \
			'collector["stacks"]["complete_share"] >= 0.99'
		tap_check "redis: $name: every request is there" allocs $name \
			"of('setCommand')['alloc_objects'] >= $requests"
	done
	tap_check "redis: a request takes as many blocks with one as with the other, within 2 %" \
		agree 'abs(objects(a) - objects(b)) <= 0.02 * objects(b)'
	tap_check "redis: and most of them at the same place" agree 'top(a) == top(b)'
	# It counts what its allocator has rounded up, fathom what it asked for.
	tap_check "redis: what is in use is what redis says, within 10 %" allocs shim \
		"within(total('inuse_space'), $(cat "$tmp/shim.used"), 0.1)"
}

if ! command -v redis-server >/dev/null || ! command -v redis-benchmark >/dev/null; then
	tap_skip "redis" "there is no redis-server here"
else
	redis_tests
fi
tap_done
