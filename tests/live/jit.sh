#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# What real JIT compilers made has names: Node's, and those of a JVM that is asked for them.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

# --- Node ----------------------------------------------------------------------------------------

# Functions that are compiled one after the other, while the map is being read.
javascript='
	function spend(n) { let x = 1; for (let i = 0; i < n; i++) x = x * 31 % 1000003 + i; return x; }
	const late = [];
	for (let i = 0; i < 20; i++)
		late.push(new Function("n", "function late_" + i +
			"(n) { let x = " + i + "; for (let k = 0; k < n; k++) x = x * 31 % 1000003 + k; return x; }" +
			"return late_" + i + "(n);"));
	const end = Date.now() + 2500;
	let i = 0;
	while (Date.now() < end) {
		const until = Date.now() + 100;
		while (Date.now() < until) { spend(20000); late[i](40000); }
		i = (i + 1) % late.length;
	}'
if ! command -v node >/dev/null; then
	tap_skip "node" "node is not installed"
else
	record node -F 499 -- node --perf-basic-prof --no-turbo-inlining -e "$javascript"
	check node "node: what it compiled has names" \
		'share("*spend*", "node") + share("*late_*", "node") > 60'
	check node "node: so has what it compiled late: the map is read again as it grows" \
		'len({i for i in range(20) if count("*late_%d *" % i) or count("*late_%d_[j]" % i)}) > 10'
	node_pid=$(sed -n 's/.*"pid": \([0-9]*\),/\1/p' "$tmp/node/summary.json" | head -n 1)
	rm -f "/tmp/perf-$node_pid.map" isolate*-v8.log
fi

# --- Java ----------------------------------------------------------------------------------------

cat >"$tmp/Hot.java" <<'END'
public class Hot {
	static long spendInJava(long n) {
		long x = 1;
		for (long i = 0; i < n; i++)
			x = x * 31 % 1000003 + i;
		return x;
	}
	public static void main(String[] a) {
		long end = System.nanoTime() + (long) (Double.parseDouble(a[0]) * 1e9), sum = 0;
		while (System.nanoTime() < end)
			sum += spendInJava(100000);
		System.exit(sum == 0 ? 1 : 0);
	}
}
END
# remove_map NAME: what the JVM of a recording wrote
remove_map() {
	sed -n 's/.*"pid": \([0-9]*\),/\1/p' "$tmp/$1/summary.json" | while IFS= read -r id; do
		rm -f "/tmp/perf-$id.map"
	done
}
if ! command -v javac >/dev/null || ! command -v jcmd >/dev/null; then
	tap_skip "java" "no JDK here (javac, jcmd)"
elif ! jcmd_help=$(javac -version 2>&1) || [[ ! $jcmd_help =~ ^javac\ (1[7-9]|[2-9][0-9]) ]]; then
	tap_skip "java" "jcmd Compiler.perfmap needs JDK 17, this is $jcmd_help"
else
	(cd "$tmp" && javac Hot.java)
	record java -F 199 --java-perfmap -- java -cp "$tmp" Hot 6
	check java "java --java-perfmap: what it compiled has names, though it ended by itself" \
		'share("*Hot.spendInJava*", "java") > 40'
	check java "java --java-perfmap: it was asked" \
		'collector["names"]["java"]["maps"] > 0 and collector["names"]["java"]["failed"] == 0'
	remove_map java

	# As another user, whose jcmd must not be ours, and who goes on after the recording.
	chmod 755 "$tmp" && chmod 644 "$tmp"/Hot.class
	start setpriv --reuid=65534 --regid=65534 --clear-groups java -cp "$tmp" Hot 600
	java_pid=$pid
	wait_for grep -q libjvm "/proc/$java_pid/maps"
	record other -F 199 --java-perfmap -p "$java_pid" -d 1.5
	check other "java of another user: what it compiled has names" \
		'share("*Hot.spendInJava*", "java") > 40'
	tap_check "java of another user: the map is that user's" \
		is 65534 "$(stat -c %u "/tmp/perf-$java_pid.map")"
	stop "$java_pid"
	remove_map other

	start java -cp "$tmp" Hot 600
	java_pid=$pid
	wait_for grep -q libjvm "/proc/$java_pid/maps"
	record unasked -F 199 -p "$java_pid" -d 1
	check unasked "without --java-perfmap nobody is asked" \
		'collector["names"]["java"]["maps"] == 0 and not count("*spendInJava*")'
	stop "$java_pid"
fi
tap_done
