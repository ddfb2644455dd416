#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Page faults and resident memory of programs of which it is known what they touch, against what the
# kernel says of them.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

touched() { # NAME EXPRESSION
	"$PYTHON" tests/live/touched.py "$FATHOM" "$tmp/$1" "$2" "$tmp/$1.out" || {
		cat "$tmp/$1.err"
		return 1
	}
}

says() { # NAME WHAT EXPRESSION
	tap_check "$1: $2" touched "$1" "$3"
}

# of_toucher NAME WHAT PAGES ARGUMENT...
of_toucher() {
	local name=$1 what=$2 pages=$3
	shift 3
	record "$name" -q -c pagefault "$@" -- "$WORKLOADS/toucher" "$what" "$pages"
	sed -i '/^{/!d' "$tmp/$name.out" # without what fathom prints
	tap_check "$name: exit status 0" is 0 "$status"
	says "$name" "the ledger is closed" 'closed()'
	says "$name" "next to nothing is lost" 'ledger["loss_share"] < 0.01'
}

pages=10000
exact=(--alloc-interval 1)

of_toucher anon anon $pages "${exact[@]}"
says anon "each page that is touched is a fault, of who touches it" \
	"$pages <= of('faults', 'touch_anon') < $pages + 5"
# The kernel counts pages that it copies the program's arguments through, which is no page fault.
says anon "all faults are those that getrusage has counted, but what exec touches itself" \
	"truth['minor'] + truth['major'] - 100 < total('faults') <= truth['minor'] + truth['major'] + 5"
says anon "what became resident is what was touched" \
	"within(of('rss_growth', 'touch_anon'), truth['bytes'], 0.001)"
says anon "growth without what was released is what is resident at most" \
	"within(total('rss_growth') - total('rss_released'), truth['resident'], 0.02)"
says anon "all of it is anonymous memory" \
	"of('rss_growth', '[resident anon]') >= truth['bytes'] * 0.999 and
	 of('faults', '[minor fault anon]') >= $pages"

of_toucher shmem shmem $pages "${exact[@]}"
says shmem "each page is a fault, and resident" \
	"$pages <= of('faults', 'touch_shmem') < $pages + 5 and
	 within(of('rss_growth', 'touch_shmem'), truth['bytes'], 0.001)"
says shmem "all of it is shared memory" \
	"of('rss_growth', '[resident shmem]') >= truth['bytes'] * 0.999 and
	 of('faults', '[minor fault shmem]') >= $pages"

of_toucher file file $pages "${exact[@]}"
says file "a fault brings more than a page of a file: what is resident is told all the same" \
	"of('faults', 'touch_file') <= $pages and
	 within(of('rss_growth', 'touch_file'), truth['bytes'], 0.01)"
says file "all of it is a file's" "of('rss_growth', '[resident file]') >= truth['bytes'] * 0.99"

of_toucher huge huge $((16 * 1024)) "${exact[@]}"
says huge "huge or not, what is touched becomes resident" \
	"within(of('rss_growth', 'touch_anon'), truth['bytes'], 0.035)"
if grep -q '\[never\]' /sys/kernel/mm/transparent_hugepage/enabled 2>/dev/null ||
	[ ! -e /sys/kernel/mm/transparent_hugepage/enabled ]; then
	tap_skip "huge: with few faults" "there are no huge pages here"
else
	says huge "with few faults" "of('faults', 'touch_anon') < $((16 * 1024)) / 4"
fi

of_toucher release release $pages "${exact[@]}"
says release "what is given back is told of who gives it back" \
	"within(of('rss_released', 'release_anon'), truth['bytes'] / 2, 0.01) and
	 of('rss_growth', 'release_anon') == 0"

# After a fork both have the pages: a copy takes the place of what was there.
of_toucher forks forks $pages "${exact[@]}"
says forks "pages that are copied on write are faults, and nothing more is resident" \
	"$pages <= of('faults', 'touch_copied') < $pages + 5 and
	 of('rss_growth', 'touch_copied') < truth['bytes'] / 50"

# Of n faults with one in 127: a CPU's countdown goes on over all of its processes.
of_toucher sampled anon 100000 # at the default interval
says sampled "faults: as many as there were, within what one sample stands for on each CPU" \
	"abs(of('faults', 'touch_anon') - 100000) <= 127 * 2 * $(nproc) + 5 * 127 and
	 notes['faults_per_sample'] == 127"
says sampled "growth: unbiased, five deviations" \
	"abs(of('rss_growth', 'touch_anon') - truth['bytes']) <
	     5 * (truth['bytes'] / 4096 * 127) ** 0.5 * 4096"
says sampled "few of them are events" "of('samples', 'touch_anon') < 100000 / 40"

# All of the machine, against the kernel's own counter.
all_faults() { awk '$1 == "pgfault" { print $2 }' /proc/vmstat; }
"$FATHOM" record -q -c pagefault -a -o "$tmp/all" -d 3 >"$tmp/all.out" 2>"$tmp/all.err" </dev/null &
recording=$!
sleep 2.5
before=$(all_faults)
"$WORKLOADS/toucher" anon 100000 >"$tmp/all.truth"
after=$(all_faults)
wait $recording
tap_check "all: exit status 0" is 0 $?
cp "$tmp/all.truth" "$tmp/all.out"
says all "what was touched in the middle is among it ($((after - before)) faults)" \
	"abs(of('faults', 'touch_anon') - 100000) <= 127 * 2 * $(nproc) + 5 * 127 and
	 notes['faults_of_all'] >= 100000"
says all "what is kept is what perf has counted" \
	"within(total('faults'), notes['faults_of_all'], 0.1)"

start "$WORKLOADS/burn" 60
record other -q -c pagefault "${exact[@]}" -p "$pid" -d 1
echo '{}' >"$tmp/other.out"
tap_check "other: exit status 0" is 0 "$status"
says other "no other is counted" \
	'closed() and ledger["kept"] < 200 and ledger["lost"]["filtered_target"] >= 0'
tap_done
