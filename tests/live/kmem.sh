#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Memory that the kernel allocates for programs of which it is known what they open: all of it, and
# sampled.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

memories() { # NAME EXPRESSION
	"$PYTHON" tests/live/memories.py "$tmp/$1" kmem "$2" || {
		cat "$tmp/$1.err"
		return 1
	}
}

says() { # NAME WHAT EXPRESSION
	tap_check "$1: $2" memories "$1" "$3"
}

# sound NAME: what holds of every recording
sound() {
	tap_check "$1: exit status 0" is 0 "$status"
	says "$1" "the ledger is closed" 'closed() and ledger["kept"] == total("samples") > 0'
	says "$1" "next to nothing is lost" 'ledger["loss_share"] < 0.01'
}

n=300

record holds -c kmem --alloc-interval 1 -d 3 -- "$WORKLOADS/kobjects" $n hold
sound holds
says holds "an eventfd takes a file and a block; half of them are closed" \
	"of('open_eventfds', '[cache filp]')['alloc_objects'] == $n and
	 of('open_eventfds', '[cache filp]')['inuse_objects'] == $n / 2 and
	 $n <= of('open_eventfds', '[kmalloc-*')['alloc_objects'] < 1.3 * $n"
says holds "a socket takes a socket and a file, and all are open" \
	"all(of('open_sockets', cache)[value] == $n for cache in ('[cache sock_inode_cache]', '[cache filp]')
	     for value in ('alloc_objects', 'inuse_objects', 'peak_objects'))"
says holds "a pipe takes two files, and a page for its first byte" \
	"of('open_pipes', '[cache filp]')['inuse_objects'] == 2 * $n and
	 of('fill_pipes', '*pipe_write_[k]', '[pages order 0]')['inuse_objects'] == $n"
says holds "pages for objects are told apart from others" \
	"of('open_pipes', '[slab pages order *]')['alloc_objects'] > 3 and
	 of('open_pipes', '[cache *]', '*allocate_slab_[k]')['alloc_objects'] == 0"
says holds "bytes are those of whole objects" \
	"of('fill_pipes', '*pipe_write_[k]')['alloc_space'] == $n * $(getconf PAGESIZE) and
	 of('open_sockets', '[cache filp]')['alloc_space'] % $n == 0"
says holds "nothing is estimated" 'memory["interval_bytes"] == 1'

# What the kernel says of one cache while it is watched, against what is allocated and not freed.
objects() { awk -v cache="$1" '$1 == cache { print $2 }' /proc/slabinfo; }
if [ -n "$(objects sock_inode_cache)" ]; then
	before=$(objects sock_inode_cache)
	"$FATHOM" record -c kmem --alloc-interval 1 -a -d 4 -o "$tmp/slabinfo" >"$tmp/slabinfo.out" \
		2>"$tmp/slabinfo.err" </dev/null &
	recording=$!
	sleep 2.5
	start "$WORKLOADS/kobjects" 2000 hold
	wait $recording
	status=$?
	grown=$(($(objects sock_inode_cache) - before))
	stop "$pid"
	tap_check "slabinfo: exit status 0" is 0 $status
	# Objects in the CPUs' own slabs count as active, whether they are or not.
	says slabinfo "a cache grows by as many objects as are in use ($grown)" \
		"2000 <= of('[cache sock_inode_cache]')['inuse_objects'] < 2100 and
		 abs($grown - of('[cache sock_inode_cache]')['inuse_objects']) < 200"
else
	tap_skip "slabinfo: a cache grows by as many objects as are in use" "no /proc/slabinfo with that cache"
fi

record gone -c kmem --alloc-interval 1 -- sh -c "'$WORKLOADS/kobjects' $n exit; sleep 1"
sound gone
says gone "what a process had open goes with it" \
	"all(of(site, '[cache filp]')['inuse_objects'] == 0 < of(site, '[cache filp]')['alloc_objects']
	     for site in ('open_eventfds', 'open_sockets', 'open_pipes')) and
	 of('fill_pipes', '[pages order 0]')['inuse_objects'] == 0"
says gone "it was there at the peak" \
	"of('open_sockets', '[cache sock_inode_cache]')['peak_objects'] >= $n - 5"

# The estimate of n blocks of s bytes has a deviation of sqrt(n (1 - p)) / p, p = 1 - exp(-s/interval).
record sampled -c kmem --alloc-interval 4K -d 3 -- "$WORKLOADS/kobjects" 4000 hold
sound sampled
says sampled "a part of the blocks tells of all of them: filp, five deviations" \
	"(lambda v: abs(v['alloc_objects'] - 4000) < 5 * (4000 * 25) ** 0.5 and
	            100 < v['samples'] < 800)(of('open_sockets', '[cache filp]'))"
says sampled "pages: as large as the interval" \
	"(lambda v: abs(v['inuse_objects'] - 4000) < 5 * (4000 * 0.6) ** 0.5 and
	            2000 < v['samples'] < 3000)(of('fill_pipes', '*pipe_write_[k]'))"
says sampled "what is closed is in use no more" \
	"(lambda v: abs(v['inuse_objects'] - 2000) < 5 * (2000 * 25) ** 0.5)(
	     of('open_eventfds', '[cache filp]'))"

record allocated -c kmem --alloc-interval 1 --allocated-only -d 3 -- "$WORKLOADS/kobjects" $n hold
tap_check "allocated only: not for the memory of the kernel" grep -q "allocated-only" "$tmp/allocated.err"

start "$WORKLOADS/kobjects" $n hold
record other -c kmem --alloc-interval 1 -p "$pid" -d 1
stop "$pid"
tap_check "other: a process that does nothing allocates nothing: exit status 0" is 0 "$status"
says other "no other is counted" 'closed() and ledger["kept"] == total("samples") < 50 and
	ledger["fired"] > 0'
tap_done
