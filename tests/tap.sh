# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# tap: results of shell tests in the Test Anything Protocol (https://testanything.org). Source it:
#
#	. tests/tap.sh
#	tap_check "a folder is made" mkdir "$tmp/x"	# ok if the command succeeds
#	tap_ok "the sum is right"
#	tap_not_ok "the sum is right" "got 3, wanted 4"
#	tap_skip "cgroup filter" "no cgroup v2 here"
#	tap_done	# the plan; ends the script: 0 if nothing failed
#
# A script that ends without tap_done has no plan, which tests/run counts as a failure.

tap_count=0
tap_failures=0

# Lines of standard input as diagnostics, so that no output can be taken for a result.
tap_diag() {
	sed 's/^/# /'
}

# A name is one line, and '#' would begin a directive.
tap_name() {
	printf '%s' "$1" | tr '\n#' '  '
}

# tap_ok NAME
tap_ok() {
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s\n' "$tap_count" "$(tap_name "$1")"
}

# tap_not_ok NAME [WHY...]: WHY may have many lines
tap_not_ok() {
	tap_count=$((tap_count + 1))
	tap_failures=$((tap_failures + 1))
	printf 'not ok %d - %s\n' "$tap_count" "$(tap_name "$1")"
	shift
	[ $# -eq 0 ] || printf '%s\n' "$@" | tap_diag
}

# tap_skip NAME REASON
tap_skip() {
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s # SKIP %s\n' "$tap_count" "$(tap_name "$1")" "$(tap_name "$2")"
}

# tap_check NAME COMMAND [ARG...]: what the command printed is shown only if it fails. Runs it in
# a subshell without 'set -e', so it may be a shell function; variables that it sets are lost.
tap_check() {
	local name=$1 output status=0
	shift
	output=$("$@" 2>&1) || status=$?
	if [ "$status" -eq 0 ]; then
		tap_ok "$name"
	else
		tap_not_ok "$name" "exit status $status of: $*" "$output"
	fi
}

# tap_done: prints the plan and ends the script
tap_done() {
	printf '1..%d\n' "$tap_count"
	[ "$tap_failures" -eq 0 ]
	exit $?
}
