# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # $out and $title are those of tests/kernels/run
# judge_memory: what the recordings of guest_memory.sh must say. A part of tests/kernels/run.

memories() { # NAME EXPRESSION
	"$PYTHON" tests/live/memories.py "$out/$1" kmem "$2" || {
		cat "$out/$1.err"
		return 1
	}
}

touched() { # NAME EXPRESSION
	sed -n '/^{/p' "$out/$1.out" >"$out/$1.truth"
	"$PYTHON" tests/live/touched.py "$FATHOM" "$out/$1" "$2" "$out/$1.truth" || {
		cat "$out/$1.err"
		return 1
	}
}

# An emulated machine is a while until it has the tables of a program that has just begun, and its
# stacks may be short until then: what is judged is who asked in the kernel, or in the program what it
# does for long.
judge_memory() {
	local name
	for name in kmem-holds kmem-machine; do
		tap_check "$title: $name: exit status 0" ended $name 0
		tap_check "$title: $name: the ledger is closed, and little is lost" memories $name \
			'closed() and ledger["kept"] > 0 and ledger["loss_share"] < 0.02'
	done
	tap_check "$title: kmem: objects are counted by who asks" memories kmem-holds \
		"of('open_sockets', '[cache *')['inuse_objects'] >= 600 and
		 of('open_eventfds', '[cache *')['alloc_objects'] >= 300 and
		 within(of('open_eventfds', '[cache *')['inuse_objects'],
		        of('open_eventfds', '[cache *')['alloc_objects'] / 2, 0.2)"
	tap_check "$title: kmem: blocks and pages are counted by who asks" memories kmem-holds \
		"of('open_eventfds', '[kmalloc-*')['alloc_objects'] >= 300 and
		 of('*pipe_write_[k]', '[pages order 0]')['inuse_objects'] == 300"
	tap_check "$title: kmem: caches have their names, or that is said" memories kmem-holds \
		"'caches_not_told' in notes or of('open_eventfds', '[cache filp]')['alloc_objects'] == 300"
	tap_check "$title: kmem: pages for objects are told apart" memories kmem-holds \
		"of('[slab pages order *')['alloc_objects'] > 3"
	for name in anon huge release machine; do
		tap_check "$title: pagefault-$name: exit status 0" ended pagefault-$name 0
		tap_check "$title: pagefault-$name: the ledger is closed, and little is lost" \
			touched pagefault-$name 'closed() and ledger["loss_share"] < 0.02'
	done
	tap_check "$title: pagefault: each page that is touched is a fault" touched pagefault-anon \
		"4096 <= of('faults', 'touch_anon') < 4200"
	# Before 6.2 a thread adds its pages up 64 at a time, of all kinds.
	tap_check "$title: pagefault: what is touched becomes resident" touched pagefault-anon \
		"within(of('rss_growth', 'touch_anon'), truth['bytes'], 0.1) and
		 within(of('rss_growth', '[resident anon]'), truth['bytes'], 0.04)"
	tap_check "$title: pagefault: huge or not" touched pagefault-huge \
		"within(of('rss_growth', 'touch_anon'), truth['bytes'], 0.15)"
	tap_check "$title: pagefault: what is given back is told" touched pagefault-release \
		"within(of('rss_released', '[released anon]'), truth['bytes'] / 2, 0.07)"
	tap_check "$title: pagefault: what they are of is told, or that it is not" touched pagefault-anon \
		"'faults_without_kind' in notes or of('faults', '[minor fault anon]') >= 4096"
	tap_check "$title: pagefault: sampled" touched pagefault-machine \
		"within(of('faults', 'touch_anon'), 16384, 0.1) and
		 within(of('rss_growth', 'touch_anon'), truth['bytes'], 0.25)"
}
