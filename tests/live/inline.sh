#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Functions that a compiler has inlined have their names, their callers and their lines; so have
# stripped Go programs; and what that may cost is bounded.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

# line_of TEXT: the line of the workload's source that ends in that comment
line_of() {
	grep -n "/\* $1 \*/" tests/workloads/inlined.c | cut -d: -f1
}

# --- folded stacks -------------------------------------------------------------------------------

record inline -F 999 -- "$WORKLOADS/inlined" 2
check inline "inlined functions are in the stacks, 75 %" \
	'about("spin_innermost_[i]", "inlined", 75, 6) and about("spin_plain", "inlined", 25, 6)'
check inline "they stand in their callers, in order" \
	'all(f[f.index("spin_innermost_[i]") - 3:][:3] == ["main", "spin_outermost", "spin_middle_[i]"]
	 for r, f, n in lines if "spin_innermost_[i]" in f)'
check inline "they do not change what is counted" 'closed() and not count("spin_outermost_[i]")'
check inline "lines were found, within the budget" \
	'0 < collector["names"]["with_inlined"] <= collector["names"]["with_lines"] <=
	 collector["names"]["addresses"] and collector["names"]["over_budget"] == 0'
check inline "the summary says that they are inlined" \
	'any(t["function"] == "spin_innermost" and t["kind"] == "inlined" for t in collector["top"])'

record without -F 999 --no-inline -- "$WORKLOADS/inlined" 1
check without "--no-inline: the function that stands there has it all" \
	'about("spin_outermost", "inlined", 75, 8) and not count("*_[i]") and
	 not count("spin_innermost*")'
check without "--no-inline: nothing was looked for" 'collector["names"]["addresses"] == 0'

# --- lines ---------------------------------------------------------------------------------------

# has_lines: the report tells the loop's line from its callers'
has_lines() {
	"$FATHOM" report --lines --tree --json "$tmp/inline" >"$tmp/lines.json" || return 1
	"$PYTHON" - "$tmp/lines.json" "$(line_of 'the line of the loop')" \
		"$(line_of 'the line of the inner call')" "$(line_of 'the line of the outer call')" <<-'END'
		import json, sys
		nodes = json.load(open(sys.argv[1]))["nodes"]
		def share(function, line):
		    return sum(n["total_share"] for n in nodes if n["function"] == function and
		               n["line"] == line and n["file"].endswith("/tests/workloads/inlined.c"))
		loop, inner, outer = (int(a) for a in sys.argv[2:5])
		found = share("spin_innermost", loop), share("spin_middle", inner), share("spin_outermost", outer)
		print(found)
		sys.exit(not (found[0] > 0.3 and found[1] > 0.6 and found[2] > 0.6))
	END
}
tap_check "fathom report --lines: each function is at its line" has_lines

# pprof_has TEXT: the file as pprof shows it
pprof_has() {
	PPROF_TMPDIR=$tmp go tool pprof -top -lines "$tmp/inline/cpu.pb.gz" 2>/dev/null |
		tee "$tmp/pprof.out" | grep -q "$1" || { cat "$tmp/pprof.out"; return 1; }
}
if ! go tool pprof -h 2>&1 | grep -q lines; then
	tap_skip "pprof shows lines" "no go tool pprof here"
else
	tap_check "pprof shows the lines of inlined functions" pprof_has \
		"spin_innermost .*inlined.c:$(line_of 'the line of the loop') (inline)"
fi

# --- stripped, and what it may cost ----------------------------------------------------------------

if ! command -v objcopy >/dev/null; then
	tap_skip "a separate debug file" "no objcopy here (binutils)"
else
	objcopy --only-keep-debug "$WORKLOADS/inlined" "$tmp/apart.debug"
	(cd "$tmp" && strip -o apart "$WORKLOADS/inlined" &&
		objcopy --add-gnu-debuglink=apart.debug apart)
	record apart-run -F 999 -- "$tmp/apart" 1
	check apart-run "the debug information of a separate file is used" \
		'about("spin_innermost_[i]", "apart", 75, 8)'
fi

record tight -F 999 --inline-budget 0.001 -- "$WORKLOADS/inlined" 1
check tight "a tight budget: the function that stands there is named" \
	'about("spin_outermost", "inlined", 75, 8)'

# --- Go ------------------------------------------------------------------------------------------

go_source='package main

import (
	"os"
	"strconv"
	"time"
)

func step(x uint64) uint64 { return x*6364136223846793005 + 1442695040888963407 }

//go:noinline
func spinGo(n int) uint64 {
	x := uint64(1)
	for i := 0; i < n; i++ {
		x = step(x)
	}
	return x
}

func main() {
	seconds, _ := strconv.ParseFloat(os.Args[1], 64)
	end := time.Now().Add(time.Duration(seconds * 1e9))
	for time.Now().Before(end) {
		if spinGo(1000000) == 0 {
			os.Exit(1)
		}
	}
}
'
if ! command -v go >/dev/null; then
	tap_skip "stripped Go programs" "go is not installed"
else
	mkdir "$tmp/go"
	printf '%s' "$go_source" >"$tmp/go/main.go"
	printf 'module stripped\ngo 1.18\n' >"$tmp/go/go.mod"
	for mode in exe pie; do
		(cd "$tmp/go" && GOFLAGS=-mod=mod GOCACHE=${GOCACHE:-$tmp/gocache} go build -buildmode=$mode \
			-ldflags "-s -w" -o "$tmp/go-$mode" .) || echo "# go build -buildmode=$mode failed"
		record "go-$mode-run" -F 499 -- "$tmp/go-$mode" 1.5
		check "go-$mode-run" "a stripped Go program ($mode) has the names of its functions" \
			"share('main.spinGo', 'go-$mode') > 80"
		check "go-$mode-run" "a stripped Go program ($mode) has its inlined functions" \
			"count('main.step_[i]', 'go-$mode') > 0"
		check "go-$mode-run" "a stripped Go program ($mode) has its lines" \
			'collector["names"]["with_lines"] > 0 and collector["files_failed"] == 0'
	done
fi
tap_done
