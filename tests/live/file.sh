#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# File operations of a database, a server, git and a compiler, against what strace and bpftrace
# count of the same processes at the same time, and what bpftrace measures.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/disks.bash
tracefs=/sys/kernel/tracing

needs_collector file
if [ ! -e "$tracefs/events/syscalls" ]; then
	tap_skip "$(basename "$0")" "no tracepoints of system calls here"
	tap_done
fi
for program in bpftrace strace; do
	if ! command -v "$program" >/dev/null; then
		tap_skip "$(basename "$0")" "$program is not installed"
		tap_done
	fi
done
calls=$("$PYTHON" tests/live/file_truth.py strace-calls "$tracefs")

latencies() { # NAME EXPRESSION
	"$PYTHON" tests/live/latencies.py "$tmp/$1" file "$2" "truth=$tmp/$1.truth" || {
		cat "$tmp/$1.err"
		return 1
	}
}

says() { # NAME WHAT EXPRESSION
	tap_check "$1: $2" latencies "$1" "$3"
}

# watched NAME COMMAND...: fathom, bpftrace and strace see the command from its first instruction to
# its end; none of them is among those that are watched. 1 if one of them does not start.
watched() {
	local name=$1 pid fathom bpftrace strace
	shift
	# shellcheck disable=SC2016 # for the inner shell
	bash -c 'kill -STOP $$; exec "$@"' bash "$@" >"$tmp/$name.out" 2>&1 </dev/null &
	pid=$!
	wait_for grep -q '^State:.*T' "/proc/$pid/status"
	"$PYTHON" tests/live/file_truth.py program "$tracefs" "$pid" >"$tmp/$name.bt"
	bpftrace -f json -o "$tmp/$name.bpftrace" "$tmp/$name.bt" >/dev/null 2>"$tmp/$name.bt.err" &
	bpftrace=$!
	"$FATHOM" record -c file -p "$pid" -d 120 -o "$tmp/$name" >/dev/null 2>"$tmp/$name.err" &
	fathom=$!
	strace -f -yy -T -o "$tmp/$name.strace" -e "trace=$calls" -p "$pid" 2>"$tmp/$name.strace.err" &
	strace=$!
	wait_for grep -q attached "$tmp/$name.strace.err"
	wait_for grep -q attached_probes "$tmp/$name.bpftrace"
	sleep 2 # it says so before the last of them is
	kill -CONT "$pid"
	wait "$pid"
	kill -INT "$fathom" "$bpftrace" 2>/dev/null
	wait "$fathom" "$bpftrace" "$strace"
	"$PYTHON" tests/live/file_truth.py sum "$tmp/$name.bpftrace" "$tmp/$name.strace" \
		>"$tmp/$name.truth"
	# What was really done, for who looks at a failure.
	sed -n 's/^ "strace_share"/# strace -T, of what the tracepoints say/p' "$tmp/$name.truth"
}

# judged NAME: operations on files and folders
judged() {
	# strace does not tell of each open what it has opened.
	says "$1" "bpftrace and strace have counted the same" \
		"{c: n for c, n in truth['calls']['bpftrace'].items() if 'open' not in c} ==
		 {c: n for c, n in truth['calls']['strace'].items() if 'open' not in c} != {}"
	says "$1" "so has fathom" \
		"all(of_files(glob)[1] == truth['bpftrace'][family]['n']
		     for family, glob in (('read', 'read'), ('write', 'write'),
		                          ('sync', '*sync'), ('open', 'open')))"
	# bpftrace's begin before fathom's program and end behind it, which costs what it costs: a few
	# microseconds here. Opens that failed are in fathom's.
	says "$1" "their times in all are within 5 %, or what the programs themselves take" \
		"all(within(sum(s['mean_ns'] * s['n'] for g in of_files(glob)[0]
		                for s in g['stages'] if s['stage'] == 'total' and s['n']),
		            truth['bpftrace'][family]['ns'], 0.05, 15000 * truth['bpftrace'][family]['n'])
		     for family, glob in (('read', 'read'), ('write', 'write'), ('sync', '*sync')))"
	says "$1" "the ledger is closed, and nothing is lost" \
		'closed() and not any(n for cause, n in ledger["lost"].items()
		                      if not cause.startswith("filtered"))'
}

# --- a database that waits for the disk ------------------------------------------------------------

if ! command -v sqlite3 >/dev/null; then
	tap_skip "sqlite" "it is not installed"
else
	{
		echo 'create table t (a integer primary key, b text);'
		for ((i = 0; i < 200; i++)); do
			echo "insert into t values ($i, hex(randomblob(100)));"
		done
		echo 'select count(*), max(length(b)) from t;'
	} >"$tmp/sqlite.sql"
	watched sqlite sqlite3 -init "$tmp/sqlite.sql" "$tmp/sqlite.db" .quit
	judged sqlite
	says sqlite "it waits for the journal and the database" \
		"400 < sum(p['operations'] for p in paths('$tmp/sqlite.db*', '*sync')) <=
		 truth['bpftrace']['sync']['n']"
fi

# --- a server and its clients ------------------------------------------------------------------------

postgres=$(find /usr/lib/postgresql -path '*/bin/postgres' -printf '%h\n' 2>/dev/null | tail -n 1)
if [ -z "$postgres" ] || ! id postgres >/dev/null 2>&1; then
	tap_skip "postgres" "it is not installed"
else
	mkdir "$tmp/pg"
	chown postgres "$tmp/pg"
	cat >"$tmp/pg/work" <<-SH
		cd $tmp/pg
		PATH=$postgres:\$PATH
		pg_ctl -s -w -D $tmp/pg/data -o "-k $tmp/pg -c listen_addresses=" -l $tmp/pg/log start
		pgbench -n -c 2 -t 100 -h $tmp/pg postgres
		pg_ctl -s -w -D $tmp/pg/data -m fast stop
	SH
	(cd "$tmp/pg" && runuser -u postgres -- "$postgres/initdb" -N -A trust -D "$tmp/pg/data" &&
		runuser -u postgres -- sh -c "
			$postgres/pg_ctl -s -w -D $tmp/pg/data -o '-k $tmp/pg -c listen_addresses=' start
			$postgres/pgbench -q -i -h $tmp/pg postgres
			$postgres/pg_ctl -s -w -D $tmp/pg/data -m fast stop") >"$tmp/pg.out" 2>&1
	watched postgres runuser -u postgres -- sh "$tmp/pg/work"
	judged postgres
	says postgres "it waits for its log" \
		"sum(p['operations'] for p in paths('*/pg_wal/*', '*sync')) > 50"
fi

# --- many small files ----------------------------------------------------------------------------------

if ! command -v git >/dev/null; then
	tap_skip "git" "it is not installed"
else
	export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
	mkdir "$tmp/repository"
	(
		cd "$tmp/repository" || exit
		git init -q .
		for ((i = 0; i < 30; i++)); do
			for ((j = 0; j < 10; j++)); do
				seq "$i" $((i + 100 * j)) >"file$j"
			done
			git add . && git -c user.name=t -c user.email=t@example.org commit -qm "$i"
		done
	)
	watched git git -C "$tmp/repository" -c gc.autoDetach=false gc -q
	judged git
	says git "it reads the objects" \
		"sum(p['operations'] for p in paths('$tmp/repository/.git/objects/*')) > 20"
fi

if ! command -v gcc >/dev/null; then
	tap_skip "gcc" "it is not installed"
else
	# shellcheck disable=SC2016 # for the inner shell
	watched gcc sh -c 'for f; do gcc -std=gnu11 -O1 -D_GNU_SOURCE -I. -c "$f" -o "'"$tmp"'/object.o"
		done' sh user/base/{err,str,hash}.c
	judged gcc
	says gcc "it waits for the sources" "sum(p['operations'] for p in paths('*.h')) > 0"
fi
tap_done
