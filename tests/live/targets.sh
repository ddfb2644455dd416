#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# What is asked for is recorded, all of it and nothing else.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

# --- processes ---------------------------------------------------------------------------------

start "$WORKLOADS/burn" 600
stranger=$pid
start "$WORKLOADS/family" 600
family=$pid
record family -F 499 -p "$family" -d 1
tap_check "-p: exit status 0" is 0 "$status"
check family "-p: the process" 'count("parent_burn", "family") > 5'
check family "-p: its children" 'count("child_burn", "family") > 5'
check family "-p: its grandchildren" 'count("grandchild_burn", "family") > 5'
check family "-p: nothing else" 'total() == total("family")'
check family "-p: the ledger is closed" 'closed()'
check family "-p: the summary says what was watched" "'PID $family' in summary['target']"

record alone -F 499 -p "$family" --no-children -d 1
check alone "--no-children: the process" 'count("parent_burn", "family") > 5'
check alone "--no-children: no children" 'count("*child_burn") == 0'
check alone "--no-children: the ledger is closed" 'closed()'

record two -F 499 -p "$family,$stranger" -d 1
check two "-p PID,PID: both" 'total("family") > 5 and total("burn") > 5'
check two "-p PID,PID: nothing else" 'total() == total("family") + total("burn")'

# Children that are there already when the recording begins.
start "$WORKLOADS/burn" 600 children
children=$pid
wait_for pgrep -P "$children" -x burn-70
record existing -F 499 -p "$children" -d 1
check existing "-p: children from before" 'total("burn-70") > 5 and total("burn-20") > 5'
for pid in $(pgrep -P "$children"); do
	started+=("$pid")
	kill -9 "$pid"
done

record nobody -p 4194304 -d 1
tap_check "-p: a PID that is not there has exit status 2" is 2 "$status"
tap_check "-p: and one sentence" says_in_one_sentence nobody "PID 4194304"
stop "$family"

# --- threads -----------------------------------------------------------------------------------

start "$WORKLOADS/burn" 600 threads
threads=$pid
wait_for grep -qx burn-10 "/proc/$threads/task/"*/comm
tid=$(basename "$(dirname "$(grep -lx burn-20 "/proc/$threads/task/"*/comm)")")
record threads -F 499 -p "$threads" --per-thread -d 1
for name in burn-70 burn-20 burn-10; do
	check threads "-p: its thread $name" "total('$name/*') > 5"
done
record tid -F 499 -t "$tid" --per-thread -d 1
check tid "-t: the thread" "total('burn-20/$tid') > 5"
check tid "-t: no other" "total() == total('burn-20/$tid')"
check tid "-t: the ledger is closed" 'closed()'

# --- names -------------------------------------------------------------------------------------

record comm -F 499 --comm 'burn-[27]0' --per-thread -d 1
check comm "--comm: those that match" 'total("burn-70/*") > 5 and total("burn-20/*") > 5'
check comm "--comm: no others" 'total() == total("burn-70/*") + total("burn-20/*")'
check comm "--comm: the ledger is closed" 'closed()'
record comms -F 499 --comm nothing --comm 'burn-?0' --comm 'bur[!m]' --per-thread -d 1
check comms "--comm twice: any may match" 'total("burn-*/*") > 5 and total("burn/*") > 5'
check comms "--comm twice: no others" 'total() == total("burn*")'
stop "$threads"

# --- cgroups -----------------------------------------------------------------------------------

root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
cgroup=$root/fathom-live-$$
if [ -z "$root" ]; then
	tap_skip "--cgroup" "no cgroup2 hierarchy is mounted"
elif ! mkdir "$cgroup" "$cgroup/inner" 2>/dev/null; then
	tap_skip "--cgroup" "cannot make a cgroup in $root"
else
	start "$WORKLOADS/vdso" 600
	echo "$pid" >"$cgroup/inner/cgroup.procs"
	inner=$pid
	for path in "$cgroup" "fathom-live-$$/inner"; do
		record cgroup -F 499 --cgroup "$path" -d 1.5 --force
		what="--cgroup $([ "$path" = "$cgroup" ] && echo "with a path, from below" ||
			echo "with a name")"
		check cgroup "$what: its process" 'total("vdso") > 5'
		check cgroup "$what: no other" 'total() == total("vdso")'
		check cgroup "$what: the ledger is closed" 'closed()'
	done
	stop "$inner"
	wait_for rmdir "$cgroup/inner"
	wait_for rmdir "$cgroup"
	record no-cgroup --cgroup "$cgroup" -d 1
	tap_check "--cgroup: one that is not there has exit status 2" is 2 "$status"
	tap_check "--cgroup: and one sentence" says_in_one_sentence no-cgroup "fathom-live-"
fi

# --- CPUs --------------------------------------------------------------------------------------

if [ "$(nproc)" -lt 2 ]; then
	tap_skip "--cpu" "needs two CPUs"
else
	taskset -cp 0 "$stranger" >/dev/null
	start taskset -c 1 "$WORKLOADS/vdso" 600
	other=$pid
	record cpu -F 499 --cpu 0 -d 1
	check cpu "--cpu 0: what is on CPU 0" 'count("burn_seventy", "burn") > 5'
	check cpu "--cpu 0: nothing of CPU 1" 'total("vdso") == 0'
	check cpu "--cpu 0: the ledger is closed" 'closed()'
	check cpu "--cpu 0: half as many events" 'ledger["fired"] < 1.5 * 499'
	record cpu1 -F 499 --cpu 1 -d 1
	check cpu1 "--cpu 1: the other way round" 'total("vdso") > 5 and total("burn") == 0'
	stop "$other"
fi
record no-cpu --cpu 9999 -d 1
tap_check "--cpu: one that is not there has exit status 2" is 2 "$status"

# --- the whole machine -------------------------------------------------------------------------

start "$WORKLOADS/stacks" 600
other=$pid
# By a name of its own: others may record here, too.
ours=fathom-$$
cp "$FATHOM" "$tmp/$ours"
FATHOM=$tmp/$ours record machine -F 499 -d 1
check machine "whole machine: all that works" 'total("burn") > 5 and total("stacks") > 5'
check machine "whole machine: without fathom itself" "total('$ours') == 0"
check machine "whole machine: without the idle task" 'total("swapper*") == 0'
check machine "whole machine: what fathom used is in the ledger" \
	'ledger["lost"]["filtered_self"] > 0'
check machine "whole machine: the ledger is closed" 'closed()'
check machine "whole machine: processes are summed up" \
	'near(sum(p["value"] for p in collector["processes"]) +
	      collector["processes_other"]["value"], total(), 0)'
stop "$other"

record all -F 499 -a -- "$WORKLOADS/vdso" 1.5
check all "-a with a command: the command" 'total("vdso") > 5'
check all "-a with a command: and the others" 'total("burn") > 5'
check all "-a with a command: it ends with the command" 'summary["span_ns"] < 10e9'
stop "$stranger"

record idle -F 499 --idle -d 1
check idle "--idle: idle CPUs have samples" \
	'total("swapper*") > 0 or collector["ticks_missed"] > 0.8 * 499 * collector["cpus_sampled"]'

# --- PID namespaces ----------------------------------------------------------------------------

inside='burn=$1 fathom=$2 out=$3
"$burn" 4 &
"$fathom" record -q -F 499 --with-pid -p $! -d 1.5 -o "$out" && echo $! >"$out.pid"
kill -9 $!
wait'
if ! unshare --pid --fork --mount-proc true 2>"$tmp/unshare"; then
	tap_skip "PID namespace" "$(head -n 1 "$tmp/unshare")"
else
	unshare --pid --fork --mount-proc bash -c "$inside" bash "$WORKLOADS/burn" "$FATHOM" \
		"$tmp/inner" >"$tmp/inner.out" 2>"$tmp/inner.err"
	inner=$(cat "$tmp/inner.pid")
	tap_check "PID namespace: an inner PID is small" test "${inner:-9999}" -lt 100
	check inner "PID namespace: -p means the inner PID" "total('burn-$inner') > 5"
	check inner "PID namespace: labels have the inner PID" "total() == total('burn-$inner')"
	check inner "PID namespace: names are found" 'about("burn_seventy", "*", 70, 8)'
	check inner "PID namespace: the ledger is closed" 'closed()'

	# From outside: the outer PID, and everything of the namespace.
	start unshare --pid --fork --mount-proc "$WORKLOADS/burn" 600
	outer=$pid
	wait_for pgrep -P "$outer" -x burn
	started+=("$(pgrep -P "$outer")")
	record outer -F 499 --with-pid -p "$(pgrep -P "$outer")" -d 1
	check outer "PID namespace: from outside the outer PID" \
		"total('burn-$(pgrep -P "$outer")') > 5 and about('burn_seventy', '*', 70, 8)"
fi
tap_done
