#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The shares of functions, threads and processes of known truth, and ledgers that close.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

ledger_checks() { # NAME WHAT
	check "$1" "$2: the ledger is closed" 'closed()'
	# On a virtual machine a sample may come in the middle of another: counted, and rare.
	check "$1" "$2: less than 1 of 1,000 is lost" 'ledger["loss_share"] < 0.001'
	check "$1" "$2: nearly every frame has a name" 'unnamed() < 2'
}

record burn -F 999 -- "$WORKLOADS/burn" 5
tap_check "one thread: exit status 0" is 0 "$status"
check burn "one thread: there are samples enough" 'total("burn") > 1000'
check burn "one thread: 70 % in burn_seventy" 'near(share("burn_seventy", "burn"), 70, 3)'
check burn "one thread: 20 % in burn_twenty" 'near(share("burn_twenty", "burn"), 20, 3)'
check burn "one thread: 10 % in burn_ten" 'near(share("burn_ten", "burn"), 10, 3)'
check burn "one thread: only the command is in it" 'total() == total("burn")'
check burn "one thread: it is called by main" \
	'all("main" in f for r, f, n in lines if f[-1].startswith("burn_"))'
check burn "one thread: cpu time is samples times the period" \
	'near(collector["values"][1]["total"] / collector["values"][0]["total"], 1e9 / 999, 1)'
check burn "one thread: the summary has the same shares" \
	'all(near(100 * t["total_share"], share(t["function"]), 0.1) for t in collector["top"]
	     if t["function"].startswith("burn_"))'
ledger_checks burn "one thread"

record threads -F 999 --per-thread -- "$WORKLOADS/burn" 4 threads
for part in "70 seventy" "20 twenty" "10 ten"; do
	read -r percent name <<<"$part"
	check threads "a thread each: $percent % in thread burn-$percent" \
		"near(100 * total('burn-$percent/*') / total('burn*'), $percent, 3)"
	check threads "a thread each: burn-$percent is in burn_$name alone" \
		"share('burn_$name', 'burn-$percent/*') > 95"
done
check threads "a thread each: roots are COMM/TID" \
	'all(r.split("/")[1].isdigit() for r, f, n in lines)'
check threads "a thread each: three threads have three TIDs" \
	'len({r for r, f, n in lines if r.startswith("burn-")}) == 3'
ledger_checks threads "a thread each"

record children -F 999 -- "$WORKLOADS/burn" 4 children
for part in "70 seventy" "20 twenty" "10 ten"; do
	read -r percent name <<<"$part"
	check children "a child each: $percent % in process burn-$percent" \
		"near(100 * total('burn-$percent') / total('burn*'), $percent, 3)"
	check children "a child each: burn-$percent is in burn_$name alone" \
		"share('burn_$name', 'burn-$percent') > 95"
done
ledger_checks children "a child each"
tap_done
