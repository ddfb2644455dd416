# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# recording: what live tests of 'fathom record' share. Source it from the project root: it sources
# tests/tap.sh, ends the script with a SKIP where it cannot record, and makes a folder $tmp that is
# removed in the end, with the processes that were started by start().
. tests/tap.sh
FATHOM=$(realpath -m "${FATHOM:-build/fathom}")
WORKLOADS=$(realpath -m "${WORKLOADS:-build/workloads}")
if [ ! -x "$FATHOM" ] || [ ! -x "$WORKLOADS/burn" ]; then
	echo "Bail out! '$FATHOM' or the workloads in '$WORKLOADS' are not built"
	exit 1
fi
PATH=$PATH:/usr/sbin:/sbin
# Not a wrapper that looks for a version each time.
PYTHON=$(python3 -c "import sys; print(sys.executable)")

# Not below /tmp's own permissions: other users look into it too.
tmp=$(mktemp -d)
chmod 755 "$tmp"
started=()

recording_cleanup() {
	local pid
	for pid in "${started[@]}"; do
		kill -9 "$pid" 2>/dev/null
	done
	rm -rf "$tmp"
}
trap recording_cleanup EXIT
trap 'exit 130' INT TERM

if [ "$(id -u)" -ne 0 ]; then
	tap_skip "$(basename "$0")" "needs root"
	tap_done
fi

# record NAME ARGUMENT...: into $tmp/NAME; what it prints into $tmp/NAME.{out,err}; exit status in
# $status
# shellcheck disable=SC2034 # for the includer
record() {
	local name=$1
	shift
	status=0
	"$FATHOM" record -o "$tmp/$name" "$@" >"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null ||
		status=$?
}

# start COMMAND...: in the background until the script ends; its PID in $pid
start() {
	"$@" >/dev/null 2>&1 </dev/null &
	pid=$!
	started+=("$pid")
	disown "$pid"
}

# stop PID: now, and wait until it is gone
stop() {
	kill -9 "$1" 2>/dev/null
	while kill -0 "$1" 2>/dev/null; do
		sleep 0.05
	done
}

# wait_for COMMAND...: until it succeeds, ten seconds at most
wait_for() {
	local i
	for ((i = 0; i < 100; i++)); do
		if "$@" >/dev/null 2>&1; then
			return 0
		fi
		sleep 0.1
	done
	return 1
}

# holds NAME EXPRESSION: about the recording $tmp/NAME; holds.py says what an expression may use
holds() {
	"$PYTHON" tests/live/holds.py "$tmp/$1" "$2" || {
		cat "$tmp/$1.err"
		return 1
	}
}

# check NAME WHAT EXPRESSION: the same as a result of the test
check() {
	tap_check "$2" holds "$1" "$3"
}

# whole NAME PROCESS SHARE: at least so many percent of the process's user stacks reach their root, to
# a whole sample: on a busy machine there are few
whole() {
	check "$1" "$1: at least $3 % of its stacks are whole" \
		"user('$2') > 40 and broken('$2') <= math.ceil((100 - $3) / 100 * user('$2'))"
}

# is WANTED GOT
is() {
	[ "$1" = "$2" ] || {
		echo "wanted '$1', got '$2'"
		return 1
	}
}

# says_in_one_sentence NAME TEXT: standard error is one line with such a text (a basic regular
# expression), and no folder is left
says_in_one_sentence() {
	local err=$tmp/$1.err
	cat "$err"
	[ "$(wc -l <"$err")" -eq 1 ] && grep -q "^fathom: .*$2" "$err" && leaves_nothing "$1"
}

# leaves_nothing NAME: neither the folder nor a temporary one
leaves_nothing() {
	local left
	left=$(find "$tmp" -maxdepth 1 \( -name "$1" -o -name ".$1*" -o -name ".fathom*" \))
	is "" "$left"
}
