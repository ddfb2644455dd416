# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # $out and $title are those of the guest that is judged
# judge_disks: what tests/kernels/run, which sources this, thinks of the recordings of disks and files
# that a guest has left in $out. An emulated machine is slow outside of the disk, too: how long a
# request takes is bounded, never equal.

latencies() { # NAME COLLECTOR EXPRESSION [NAME=FILE]...
	local name=$1 collector=$2 expression=$3
	shift 3
	"$PYTHON" tests/live/latencies.py "$out/$name" "$collector" "$expression" "$@" || {
		cat "$out/$name.err"
		return 1
	}
}

# finds NAME COLLECTOR WHAT EXPRESSION [NAME=FILE]...
finds() {
	local name=$1 collector=$2 what=$3 expression=$4
	shift 4
	tap_check "$title: $name: $what" latencies "$name" "$collector" "$expression" "$@"
}

# meanwhile NAME FIELD: by how much a number of the disk's counts has grown
meanwhile() {
	echo $(($(awk "{ print \$$2 }" "$out/$1.after") - $(awk "{ print \$$2 }" "$out/$1.before")))
}

judge_io() {
	local truth=truth=$out/io.truth bytes
	for name in io writeback; do
		tap_check "$title: $name: exit status 0" ended "$name" 0
		finds "$name" io "the ledger is closed" 'closed()'
	done
	finds io io "as many reads as the program made, and the kernel counted" \
		"operations('vda', 'read') == truth['read']['requests'] and
		 size('vda', 'read') == truth['read']['bytes'] and
		 0 <= $(meanwhile io 1) - operations('vda', 'read') <= 20" "$truth"
	finds io io "as many writes, and some of the file system's own" \
		"0 <= operations('vda', 'write') - truth['write']['requests'] <= 20" "$truth"
	finds io io "the program waited for no less, of which most was the device" \
		"all(stage('vda', o, 'device')['mean_ns'] <= stage('vda', o, 'total')['mean_ns'] <=
		     truth[o]['total_ns'] / truth[o]['requests'] and
		     all(stage('vda', o, 'total')[k] <= truth[o][k] * 33 / 32
		         for k in ('p50_ns', 'p95_ns', 'p99_ns')) and stage('vda', o, 'device')['p50_ns'] > 0
		     for o in ('read', 'write'))" "$truth"
	finds io io "with the function that made them" \
		"weight('blocks', 'blocks_read') > 0 and weight('blocks', 'blocks_write') > 0"
	bytes=$(($(meanwhile writeback 7) * 512))
	finds writeback io "all was written meanwhile, and 95 % of it has its writer" \
		"$bytes >= 256 * 65536 and weight('dd') >= 0.95 * 256 * 65536"
	finds writeback io "which is inferred" "inferred('vda', 'write') >= 0.95 * 256 * 65536"
	if [ ! -e "$out/dm.status" ]; then
		tap_skip "$title: devices on devices" "no device mapper, or no dmsetup"
		return
	fi
	tap_check "$title: dm: exit status 0" ended dm 0
	finds dm io "each request is counted once, and came through the mapping" \
		"operations('loop0', 'read') == operations('*', 'read') == truth['read']['requests'] ==
		 route('loop0', 'dm-0') and weight('blocks') == truth['read']['requests']" \
		"truth=$out/dm.truth"
	finds dm io "the mapping has its name, and what is below it" \
		"next((d['kind'], d['text'], d['lower']) for d in latency['devices']
		      if d['name'] == 'dm-0') == ('dm', 'data', ['loop0'])"
}

judge_file() {
	tap_check "$title: file: exit status 0" ended file 0
	finds file file "the ledger is closed" 'closed()'
	finds file file "100 blocks were read, written and synced" \
		"sum(p['operations'] for p in paths('*/fathom', 'read')) == 100 and
		 sum(p['operations'] for p in paths('*/copy', 'write')) == 100 and
		 sum(p['operations'] for p in paths('*/copy', '*sync')) == 1"
}

judge_disks() {
	local collector
	for collector in io file; do
		if grep -q -- '--collect must be' "$out/$collector.err"; then
			tap_skip "$title: $collector" "this fathom has no collector '$collector'"
		else
			"judge_$collector"
		fi
	done
}
