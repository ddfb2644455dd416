#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Every place has a name, or says where it is: the kernel, the vDSO, JIT code, files that are gone,
# stripped, replaced or in a container, processes that lived for milliseconds.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

# --- short-lived processes ---------------------------------------------------------------------

for how in fork exec; do
	record "storm-$how" -F 999 -- "$WORKLOADS/storm" 300 "$how"
	# "300 processes, 1.640 s of CPU time, 1.503 s in storm_burn"
	read -r _ _ all _ _ _ _ burnt _ < <(grep processes "$tmp/storm-$how.out")
	check "storm-$how" "storm ($how): at least 80 % of what is in storm_burn is named so" \
		"share('storm_burn', 'storm') > 0.8 * 100 * $burnt / $all"
	check "storm-$how" "storm ($how): less than 2 % have unnamed frames" \
		'unnamed() < 2'
	check "storm-$how" "storm ($how): the ledger is closed" 'closed()'
	check "storm-$how" "storm ($how): processes are told apart" \
		'collector["processes_other"]["processes"] + len(collector["processes"]) > 200'
done

# --- the kernel and the vDSO -------------------------------------------------------------------

record vdso -F 999 -- "$WORKLOADS/vdso" 1.5
check vdso "the vDSO has a name" \
	'count("__vdso_clock_gettime", "vdso") + count("[vdso+0x*", "vdso") > 5'
check vdso "the vDSO is a module" \
	'any("vdso" in t["module"] for t in collector["top"] if "clock_gettime" in t["function"])'
if [ "$(uname -m)" = x86_64 ]; then
	check vdso "a system call begins with its entry" \
		'count("entry_SYSCALL_64*_[k]", "vdso") > 5'
else
	check vdso "a system call begins with its entry" 'count("el0t_64_sync_[k]", "vdso") > 5'
fi
check vdso "its kernel function has a name" 'count("*_sys_getppid_[k]", "vdso") > 0'
check vdso "kernel frames stand above user frames" \
	'all(k == sorted(k) for k in ([f.endswith("_[k]") for f in fs] for r, fs, n in lines))'
# syscall() of the C library has no frame of its own, which hides who called it.
check vdso "half of the time is in the vDSO, half in system calls" \
	'about("ask_for_the_time", "*", 50, 8) and
	 near(share("make_system_calls"), 50, 8) and share("syscall") > 30 and
	 share("__vdso_*") > 30 and count("[empty]") == 0'
check vdso "no address of the kernel is without a name" 'count("[kernel+*") == 0'
check vdso "nothing is called [unknown]" 'count("*[unknown]*") == 0'

# --- deep stacks -------------------------------------------------------------------------------

record deep -F 999 -- "$WORKLOADS/deep" 1
check deep "deep recursion: 127 frames are kept" \
	'max(sum(not f.endswith("_[k]") for f in fs) for r, fs, n in lines) == 127'
check deep "deep recursion: the innermost is among them" 'share("burn_at_the_bottom") > 95'
check deep "deep recursion: it is not called complete" \
	'stacks["ended"]["depth_limit"] > 0.9 * total() and stacks["complete"] < 0.1 * total()'
record shallow -F 999 -- "$WORKLOADS/deep" 1 100
check shallow "100 frames are not cut" \
	'stacks["ended"]["depth_limit"] == 0 and share("main") > 95'

# --- exec, dlclose -----------------------------------------------------------------------------

record reexec -F 999 -- "$WORKLOADS/reexec" 1 "$WORKLOADS/burn" 1
check reexec "exec: names of the first image" 'share("before_exec", "reexec") > 90'
check reexec "exec: names of the second image" 'about("burn_seventy", "burn", 70, 5)'
check reexec "exec: the two are not mixed up" \
	'count("before_exec", "burn") == 0 and count("burn_*", "reexec") == 0'

# Two programs at the same fixed addresses: what /proc shows of the second is not the first's.
if ! cc -no-pie -x c /dev/null -c -o "$tmp/cc.o" 2>/dev/null; then
	tap_skip "fork and exec at fixed addresses" "no cc here"
else
	for name in x y; do
		cc -O1 -fno-omit-frame-pointer -no-pie -DWORK="fixed_$name" -o "$tmp/fixed_$name" \
			tests/workloads/fixed.c
	done
	record fixed -F 999 -- "$tmp/fixed_x" 40 "$tmp/fixed_y"
	check fixed "fork and exec at fixed addresses: both have run" \
		'count("fixed_x", "fixed_x") > 300 and count("fixed_y", "fixed_y") > 300'
	check fixed "fork and exec at fixed addresses: the two are not mixed up" \
		'count("fixed_y", "fixed_x") == 0 and count("fixed_x", "fixed_y") == 0'
fi

if ldconfig -p | grep -q 'libz\.so\.1 '; then
	record plugin -F 999 -- "$WORKLOADS/plugin" 1
	check plugin "dlclose: a library that is gone has its names" \
		'count("crc32*") + count("[libz*+0x*") > 0.5 * total()'
	check plugin "dlclose: its callers have theirs" 'about("after_dlclose", "*", 33, 8)'
else
	tap_skip "dlclose" "libz.so.1 is not installed"
fi

# --- files that are gone, replaced, stripped ------------------------------------------------------

cp "$WORKLOADS/burn" "$tmp/gone"
start "$tmp/gone" 600
wait_for grep -q gone "/proc/$pid/maps"
rm "$tmp/gone"
record gone -F 499 -p "$pid" -d 1
check gone "a deleted program has its names" 'about("burn_seventy", "gone", 70, 8)'
check gone "a deleted program: its module is named without (deleted)" \
	'all(t["module"] == "gone" for t in collector["top"] if t["function"] == "burn_seventy")'
stop "$pid"

cp "$WORKLOADS/burn" "$tmp/replaced"
cp "$WORKLOADS/storm" "$tmp/new"
start "$tmp/replaced" 600
wait_for grep -q replaced "/proc/$pid/maps"
mv "$tmp/new" "$tmp/replaced"
record replaced-run -F 499 -p "$pid" -d 1
check replaced-run "a replaced program has the names of the one that runs" \
	'about("burn_seventy", "replaced", 70, 8) and count("storm*") == 0'
stop "$pid"

if ! command -v objcopy >/dev/null; then
	tap_skip "stripped programs" "no objcopy here (binutils)"
else
	strip -o "$tmp/stripped" "$WORKLOADS/burn"
	record stripped-run -F 499 -- "$tmp/stripped" 1
	check stripped-run "a stripped program: its places are module+offset" \
		'share("[stripped+0x*]", "stripped") > 90'
	check stripped-run "a stripped program: they count as unnamed" 'stacks["unnamed_share"] > 0.9'
	check stripped-run "a stripped program: nothing is called [unknown]" \
		'count("*[unknown]*") == 0'
	# The offset is the address as the file has it, so that other tools find the place.
	check stripped-run "a stripped program: offsets are the addresses of the file" \
		"sum(n for r, fs, n in lines for f in fs if f.startswith('[stripped+0x') and
		 0 <= int(f[len('[stripped+'):-1], 16) -
		 0x$(nm "$WORKLOADS/burn" | awk '$3 == "burn_seventy" { print $1 }') < 0x$(nm -S \
			"$WORKLOADS/burn" | awk '$4 == "burn_seventy" { print $2 }')) / total() > 0.4"

	# By .gnu_debuglink, beside the program.
	objcopy --only-keep-debug "$WORKLOADS/burn" "$tmp/linked.debug"
	(cd "$tmp" && strip -o linked "$WORKLOADS/burn" &&
		objcopy --add-gnu-debuglink=linked.debug linked)
	record linked-run -F 499 -- "$tmp/linked" 1
	check linked-run "a separate debug file is found by debuglink" \
		'about("burn_seventy", "linked", 70, 8)'

	# By build ID, below /usr/lib/debug, which only this mount namespace sees.
	id=$(readelf -n "$WORKLOADS/burn" | sed -n 's/.*Build ID: //p')
	inside='mount -t tmpfs tmpfs /usr/lib/debug && mkdir -p "/usr/lib/debug/.build-id/${1:0:2}" &&
		cp "$2" "/usr/lib/debug/.build-id/${1:0:2}/${1:2}.debug" || exit 9
		shift 2; exec "$@"'
	if [ -z "$id" ] || [ ! -d /usr/lib/debug ] || ! unshare --mount true 2>/dev/null; then
		tap_skip "a separate debug file by build ID" \
			"needs a build ID, /usr/lib/debug and mount namespaces"
	else
		unshare --mount bash -c "$inside" bash "$id" "$tmp/linked.debug" "$FATHOM" record \
			-o "$tmp/by-id" -F 499 -- "$tmp/stripped" 1 >/dev/null 2>"$tmp/by-id.err"
		check by-id "a separate debug file is found by build ID" \
			'about("burn_seventy", "stripped", 70, 8)'
	fi
fi

# --- JIT compilers -----------------------------------------------------------------------------

record jit -F 999 -- "$WORKLOADS/jit" 1.5
check jit "a perf map names generated code, 75 %" 'about("jit_three_quarters_[j]", "*", 75, 5)'
check jit "a perf map names generated code, 25 %" 'about("jit_quarter_[j]", "*", 25, 5)'
check jit "generated code has its callers" \
	'all("main" in fs for r, fs, n in lines if any(f.startswith("jit_") for f in fs))'
record no-map -F 999 -- "$WORKLOADS/jit" 1 no-map
check no-map "generated code without a map says that it is anonymous memory" \
	'share("[anon*+0x*]") > 80 and count("*[unknown]*") == 0'

# Of a container: its own /tmp, its own PID 1, a program that only it sees.
inside='mount -t tmpfs tmpfs /mnt && cp "$1" /mnt/jit && mount -t tmpfs tmpfs /tmp && exec /mnt/jit 600'
if ! unshare --pid --mount --fork true 2>/dev/null; then
	tap_skip "a perf map in a container" "cannot make namespaces here"
else
	start unshare --pid --mount --fork --kill-child bash -c "$inside" bash "$WORKLOADS/jit"
	container=$pid
	wait_for pgrep -P "$container" -x jit
	# Not a divisor of the work's 10 ms: samples would fall on the same moments of it.
	record container -F 487 -p "$(pgrep -P "$container")" -d 1.5
	check container "a container: its perf map is read by its own PID" \
		'about("jit_three_quarters_[j]", "*", 75, 8)'
	check container "a container: its program is read" 'share("spend") > 80'
	stop "$container"
fi

if ! command -v node >/dev/null; then
	tap_skip "node --perf-basic-prof" "node is not installed"
else
	record node -F 499 -- node --perf-basic-prof --logfile=/dev/null --no-turbo-inlining -e '
		function hot_in_javascript(n) { let x = 1; for (let i = 0; i < n; i++) x = x * 31 % 1000003 + i; return x; }
		const end = Date.now() + 1500; while (Date.now() < end) hot_in_javascript(100000);'
	check node "node: its function has a name" 'share("*hot_in_javascript*", "node") > 30'
	check node "node: nothing is called [unknown]" 'count("*[unknown]*") == 0'
	rm -f "/tmp/perf-$(sed -n 's/.*"pid": \([0-9]*\),/\1/p' "$tmp/node/summary.json" | head -n 1).map"
fi
tap_done
