#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Unwind tables of this machine's own files say what libdw says, row by row.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh

check=$(dirname "$FATHOM")/bench/bench_cfi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# sample N: every n-th program and library, so that there are N of them
sample() {
	find /usr/bin /usr/lib -type f \( -perm -100 -o -name '*.so.*' \) -size +4k | LC_ALL=C sort |
		awk -v n="$1" '{ line[NR] = $0 } END { for (i = 0; i < n && i < NR; i++)
			print line[1 + int(i * NR / n)] }'
}

# Files that must be right whatever the sample holds: what nearly every process has mapped.
always() {
	local program
	for program in python3 perl bash openssl; do
		program=$(command -v "$program") || continue
		realpath "$program"
		ldd "$program" 2>/dev/null | grep -o '/[^ ]*'
	done | xargs -r realpath | sort -u
}

# value NAME: of the last comparison
# shellcheck disable=SC2317
value() { awk -v name="$1" '$1 == name { print $2 }' "$tmp/out"; }

# agrees FILE: no unexplained difference in the files of that list, and something was compared
# shellcheck disable=SC2317 # tap_check runs it
agrees() {
	"$check" -v - <"$1" >"$tmp/out" || { tail -n 60 "$tmp/out"; return 1; }
	cat "$tmp/out"
	[ "$(value unexplained)" = 0 ] && [ "$(value rows_same)" -gt 10000 ]
}

# few NAME N: not more than one row in N
# shellcheck disable=SC2317
few() {
	echo "$1: $(value "$1") of $(value rows)"
	[ $(($(value "$1") * $2)) -le "$(value rows)" ]
}

# shellcheck disable=SC2317
fails() {
	"$check" -w - <"$1" >"$tmp/wrong" && return 1
	grep -q ' unexplained$' "$tmp/wrong"
}

if [ ! -x "$check" ]; then
	tap_not_ok "unwind tables" "'$check' is not there: 'make live' builds it"
	tap_done
fi
always >"$tmp/always"
sample 200 >"$tmp/sample"
tap_check "what most processes have mapped is as libdw says" agrees "$tmp/always"
tap_check "nearly all of its rows can be followed" few rows_cfa_unsupported 1000
tap_check "a sample of all files is as libdw says" agrees "$tmp/sample"
tap_check "the comparison fails where a table is wrong" fails "$tmp/always"
tap_done
