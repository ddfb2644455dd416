#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Whole user stacks from programs as distributions build them: optimised, stripped, without frame
# pointers; interpreters, compilers, JIT code, assembly, servers; and from processes that hardly
# live.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

# steady NAME PROCESS COMMAND...: 99 % are whole, once it has started
steady() {
	local name=$1 process=$2
	shift 2
	if ! command -v "$1" >/dev/null; then
		tap_skip "$name" "$1 is not installed"
		return
	fi
	start "$@"
	sleep 0.3
	record "$name" -F 999 -d 2 -p "$pid"
	stop "$pid"
	whole "$name" "$process" 99
}

# from_start NAME PROCESS SHARE COMMAND...: the same from its first instruction to its end
from_start() {
	local name=$1 process=$2 share=$3
	shift 3
	record "$name" -F 999 -d 4 -- "$@"
	whole "$name" "$process" "$share"
}

cat >"$tmp/work.py" <<'PYTHON'
import json, re
def walk(x, depth):
    if depth:
        return walk(x, depth - 1)
    return sum(len(json.dumps(v)) for v in x) + len(sorted(map(str, x), key=lambda s: s[::-1]))
data = [{"key%d" % i: [i, i * 0.5, "text" * (i % 7)]} for i in range(200)]
while True:
    walk(data, 20)
    re.sub(r"(\w+)\s", lambda m: m[1], "some words to look at " * 50)
PYTHON
cat >"$tmp/work.pl" <<'PERL'
sub walk { my ($d) = @_; return $d ? walk($d - 1) : work(); }
sub work { my %h; $h{$_ % 97} .= chr(65 + $_ % 26) for 1 .. 500; my $n = 0;
           for (sort { $h{$a} cmp $h{$b} } keys %h) { $n++ if $h{$_} =~ /A.*B(C|D)/; } return $n; }
walk(20) while 1;
PERL
cat >"$tmp/work.js" <<'JS'
const crypto = require("crypto"), zlib = require("zlib");
function mix(n) { let x = 1; for (let i = 0; i < n; i++) x = (x * 31 + i) % 1000003; return x; }
function objects(n) { const a = []; for (let i = 0; i < n; i++) a.push({ k: "key" + i, v: mix(i) });
	a.sort((p, q) => p.v - q.v); return JSON.parse(JSON.stringify(a)); }
for (;;) { mix(100000); objects(500); "a b c ".repeat(500).replace(/(\w) /g, "$1");
	crypto.createHash("sha256").update("x".repeat(10000)).digest(); zlib.deflateSync("y".repeat(20000)); }
JS
for ((i = 0; i < 3000; i++)); do
	echo "int f$i(int *a, int n) { int s = $i; for (int i = 0; i < n; i++)" \
		"s += a[i] > $i ? a[i] * s : s / (a[i] | 1); return s; }"
done >"$tmp/large.c"
head -c 4000000 "$FATHOM" >"$tmp/bytes"

steady python3 "python*" "$PYTHON" "$tmp/work.py"
[ "$(readlink -f /usr/bin/python3)" = "$(readlink -f "$PYTHON")" ] ||
	steady system-python3 "python*" /usr/bin/python3 "$tmp/work.py"
steady perl perl perl "$tmp/work.pl"
for _ in {1..20}; do
	cat "$tmp/bytes"
done >"$tmp/more"
steady xz xz xz -2 -T1 -c "$tmp/more"
steady gzip gzip gzip -9 -c "$tmp/more"
from_start cc1 cc1 99 gcc -O2 -c "$tmp/large.c" -o /dev/null
steady node "node" node "$tmp/work.js"
steady openssl openssl openssl speed -seconds 5 sha256 rsa2048 aes-128-cbc

# --- servers -------------------------------------------------------------------------------------

if ! command -v redis-server >/dev/null || ! command -v redis-benchmark >/dev/null; then
	tap_skip "redis-server" "it is not installed"
else
	start redis-server --port 0 --unixsocket "$tmp/redis.sock" --save "" --dir "$tmp"
	server=$pid
	wait_for redis-cli -s "$tmp/redis.sock" ping
	start redis-benchmark -s "$tmp/redis.sock" -l -q -t set,get,lpush,lrange_100,zadd -r 10000
	record redis -F 999 -p "$server" -d 2
	stop "$pid"
	stop "$server"
	whole redis redis-server 99
fi

postgres=$(find /usr/lib/postgresql -path '*/bin/postgres' -printf '%h\n' 2>/dev/null | tail -n 1)
if [ -z "$postgres" ] || ! id postgres >/dev/null 2>&1; then
	tap_skip "postgres" "it is not installed"
else
	mkdir "$tmp/pg"
	chown postgres "$tmp/pg"
	as_postgres() { (cd "$tmp/pg" && runuser -u postgres -- env PATH="$postgres:$PATH" "$@"); }
	as_postgres initdb -N -A trust -D "$tmp/pg/data" >/dev/null 2>"$tmp/initdb.err"
	start runuser -u postgres -- "$postgres/postgres" -D "$tmp/pg/data" -k "$tmp/pg" \
		-c listen_addresses= -c fsync=off
	runuser=$pid
	wait_for as_postgres psql -h "$tmp/pg" -c "select 1" postgres
	as_postgres pgbench -q -i -h "$tmp/pg" postgres >/dev/null 2>&1
	server=$(head -n 1 "$tmp/pg/data/postmaster.pid")
	start runuser -u postgres -- "$postgres/pgbench" -n -c 2 -T 60 -h "$tmp/pg" postgres
	benchmark=$pid
	wait_for pgrep -u postgres -x pgbench
	record postgres -F 999 -d 2 --comm postgres
	whole postgres postgres 99
	stop "$benchmark"
	kill -INT "$server"
	wait_for eval "! kill -0 $server"
	stop "$runuser"
fi

# --- processes that hardly live ------------------------------------------------------------------

names=(err file hash str strtab keyset)
objects=()
for i in {1..20}; do
	objects+=("${names[i % 6]}")
done
# shellcheck disable=SC2016 # for the inner shell
from_start tree "*" 98 sh -c 'for f; do
	gcc -std=gnu11 -O1 -D_GNU_SOURCE -I. -c "user/base/$f.c" -o /dev/null; done' sh "${objects[@]}"
check tree "tree: samples have the names of their processes" \
	"100 * total('[[]*') + 100 * total('') < total() and total('cc1') > 0.3 * total()"
from_start storm storm 95 "$WORKLOADS/storm" 300 exec
tap_done
