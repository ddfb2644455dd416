#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Flame graphs of recordings of real programs: what a picture holds is what an independent count over
# the folded stacks finds, stack for stack; so it is in what 'fathom record' draws itself.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

FLAMEGRAPH=$(realpath -m "${FLAMEGRAPH:-$(dirname "$FATHOM")/flamegraph}")

cat >"$tmp/work.py" <<'PYTHON'
import json, re
for i in range(100000):
    json.dumps({"key%d" % j: [j, j * 0.5] for j in range(30)})
    re.sub(r"(\w+)\s", lambda m: m[1], "some words to look at " * 20)
PYTHON
cat >"$tmp/work.js" <<'JS'
for (let i = 0; i < 1e7; i++)
	JSON.parse(JSON.stringify({ a: i, b: [i, "x".repeat(i % 50)] }));
JS
cat >"$tmp/Work.java" <<'JAVA'
public class Work {
	public static void main(String[] arguments) {
		java.util.Map<String, Integer> m = new java.util.HashMap<>();
		for (int i = 0; ; i++)
			m.merge("k" + i % 5000, 1, Integer::sum);
	}
}
JAVA
for i in $(seq 400); do
	printf 'int f%d(int *x, int n) { int s = %d; while (n--) s += x[n] * %d; return s; }\n' "$i" "$i" "$i"
done >"$tmp/work.c"
head -c 30000000 /dev/urandom | od -A n -x >"$tmp/numbers"

# same NAME COMMAND...: one second of it
same() {
	local name=$1 folder=$tmp/$1
	shift
	if ! command -v "$1" >/dev/null; then
		tap_skip "$name" "$1 is not installed"
		return
	fi
	record "$name" -F 999 -d 1 -- "$@"
	if [ ! -s "$folder/cpu.folded" ]; then
		tap_not_ok "$name: recorded" "$(cat "$folder.err")"
		return
	fi
	"$FLAMEGRAPH" "$folder/cpu.folded" >"$folder.svg" 2>"$folder.said"
	"$FLAMEGRAPH" --minwidth 0 "$folder/cpu.folded" >"$folder.all.svg" 2>>"$folder.said"
	"$FLAMEGRAPH" --html "$folder/cpu.folded" >"$folder.html" 2>>"$folder.said"
	tap_check "$name: nothing had to be mended" is "" "$(cat "$folder.said")"
	tap_check "$name: valid XML" xmllint --noout --huge "$folder.svg" "$folder/cpu.svg"
	"$FLAMEGRAPH" --extract "$folder.svg" >"$folder.of_svg"
	"$FLAMEGRAPH" --extract "$folder.html" >"$folder.of_html"
	"$FLAMEGRAPH" --extract "$folder/cpu.svg" >"$folder.of_own"
	tap_check "$name: an independent count agrees" "$PYTHON" tests/live/flame_counts.py \
		"$folder/cpu.folded" "$folder.of_svg" "$folder.of_html" "$folder.of_own"
	tap_check "$name: the drawn frames are those of the stacks" "$PYTHON" \
		tests/live/flame_counts.py --drawn "$folder/cpu.folded" "$folder.all.svg"
}

same python3 "$PYTHON" "$tmp/work.py"
same jit "$WORKLOADS/jit" 1
same perl perl -e '$h{$_ % 5000} .= chr(65 + $_ % 26) for 1 .. 1e8'
same node node "$tmp/work.js"
same java java "$tmp/Work.java"
same gcc gcc -O2 -c -o /dev/null "$tmp/work.c"
same xz xz -9 -c "$tmp/numbers"
same gzip gzip -9 -c "$tmp/numbers"
same openssl openssl speed -seconds 1 sha256
same git git -C "$tmp" hash-object "$tmp/numbers" "$tmp/numbers" "$tmp/numbers"
same sort sort "$tmp/numbers"
same sqlite3 sqlite3 :memory: \
	'with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c'
same bash bash -c 'for ((i = 0; ; i++)); do x=${i//1/2}; done'
record whole -a -F 499 -d 2 -- sh -c "sort $tmp/numbers | gzip >/dev/null"
"$FLAMEGRAPH" --extract "$tmp/whole/cpu.svg" >"$tmp/whole.of_own"
tap_check "the whole machine: an independent count agrees" "$PYTHON" tests/live/flame_counts.py \
	"$tmp/whole/cpu.folded" "$tmp/whole.of_own"
tap_done
