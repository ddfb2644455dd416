#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# doctor tells root, a user, and a user with capabilities what they may do, and leaves nothing.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh
FATHOM=${FATHOM:-build/fathom}

tmp=$(mktemp -d)
chmod 755 "$tmp"
trap 'rm -rf "$tmp"' EXIT
PATH=$PATH:/usr/sbin:/sbin

# Where another user may run it.
cp "$FATHOM" "$tmp/fathom"
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all)

if [ "$(id -u)" -ne 0 ]; then
	tap_skip "doctor" "needs root"
	tap_done
fi

# exits WANTED FILE COMMAND...: with standard output in FILE
# shellcheck disable=SC2317 # tap_check runs it
exits() {
	local wanted=$1 file=$2 status=0
	shift 2
	"$@" >"$file" 2>"$tmp/stderr" </dev/null || status=$?
	tail -n 3 "$file"
	cat "$tmp/stderr"
	[ "$status" -eq "$wanted" ] && [ ! -s "$tmp/stderr" ]
}

# is_valid FILE: against the schema
# shellcheck disable=SC2317 # tap_check runs it
is_valid() {
	python3 - "$1" <<-'PYTHON'
		import json, sys, jsonschema
		schema = json.load(open("docs/schemas/doctor.schema.json"))
		jsonschema.Draft202012Validator.check_schema(schema)
		report = json.load(open(sys.argv[1]))
		jsonschema.Draft202012Validator(schema).validate(report)
		checks = report["checks"]
		for state in ("degraded", "missing"):
		    assert report[state] == sum(c["state"] == state for c in checks), state
		required = [c for c in checks if c["needed"] == "required"]
		assert report["can_record"]["cpu"] == all(c["state"] != "missing" for c in required)
	PYTHON
}

# has FILE ID STATE [TEXT]: the check's state, and a part of what was found
# shellcheck disable=SC2317 # tap_check runs it
has() {
	python3 - "$@" <<-'PYTHON'
		import json, sys
		path, name, state = sys.argv[1:4]
		[check] = [c for c in json.load(open(path))["checks"] if c["id"] == name]
		print(check)
		assert check["state"] == state
		assert not sys.argv[4:] or sys.argv[4] in check["found"]
	PYTHON
}

settings() { cat /proc/self/mounts /proc/sys/kernel/{bpf_stats_enabled,perf_event_paranoid,kptr_restrict}; }
before=$(settings)

# Of what the kernel holds only our own: others load and unload meanwhile.
# shellcheck disable=SC2317 # tap_check runs it
leaves_nothing() {
	diff <(echo "$before") <(settings) || return 1
	# The kernel frees some programs a moment after their last descriptor is closed.
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		{ bpftool prog show; bpftool map show; } | grep fathom_probe || return 0
		sleep 0.2
	done
	return 1
}

# The last line and the exit status agree.
# shellcheck disable=SC2317 # tap_check runs it
is_decided() {
	local status=0
	"$FATHOM" doctor >"$tmp/root.txt" || status=$?
	tail -n 1 "$tmp/root.txt"
	case $status in
	0) last_is root '^recording is possible: ' ;;
	3) last_is root '^recording is impossible: .*: ' ;;
	*) return 1 ;;
	esac
}

# last_is NAME PATTERN: the last line of that text
# shellcheck disable=SC2317 # tap_check runs it
last_is() { tail -n 1 "$tmp/$1.txt" | grep "$2"; }

# shellcheck disable=SC2317 # tap_check runs it
is_quiet() { [ "$("$FATHOM" doctor -q)" = "$(tail -n 1 "$tmp/root.txt")" ]; }

# shellcheck disable=SC2317 # tap_check runs it
names_userns() { last_is userns 'user namespace' && ! last_is userns 'run as root'; }

# shellcheck disable=SC2317 # tap_check runs it
agrees_with_record() {
	local status=0
	"$FATHOM" record -q -d 0.2 -o "$tmp/run" || status=$?
	echo "record: $status, doctor: $possible"
	if [ "$status" -eq 0 ]; then [ "$possible" = 1 ]; else [ "$possible" = 0 ]; fi
}

tap_check "root can record, or is told why not" is_decided
possible=$(grep -c '^recording is possible: ' "$tmp/root.txt")
tap_check "record finds the same" agrees_with_record

if [ "$possible" = 1 ]; then
	tap_check "as JSON too" exits 0 "$tmp/root.json" "$FATHOM" doctor --json
	tap_check "the sampling program was attached and ran" \
		has "$tmp/root.json" program.perf_event ok "it ran"
	tap_check "BTF was found" has "$tmp/root.json" kernel.btf ok /sys/kernel/btf/vmlinux
else
	tap_check "as JSON too" exits 3 "$tmp/root.json" "$FATHOM" doctor --json
	tap_skip "the sampling program was attached and ran" "recording is impossible here"
	tap_skip "BTF was found" "recording is impossible here"
fi
tap_check "the JSON fits its schema and its own counts" is_valid "$tmp/root.json"
tap_check "-q says the last sentence only" is_quiet
tap_check "the release is the running kernel's" \
	has "$tmp/root.json" kernel.release ok "Linux $(uname -r), $(uname -m)"
tap_check "nothing is left behind or changed" leaves_nothing

# pmu: cycles are there if and only if a PMU is
if [ -d /sys/bus/event_source/devices/cpu ] || [ -d /sys/bus/event_source/devices/cpu_core ] ||
	compgen -G '/sys/bus/event_source/devices/armv8*' >/dev/null; then
	tap_check "hardware cycles are found" has "$tmp/root.json" event.cycles ok
else
	tap_check "no hardware cycles without a PMU" has "$tmp/root.json" event.cycles degraded
fi
if grep -q ' tracefs ' /proc/self/mounts; then
	tap_check "tracefs is found" has "$tmp/root.json" mount.tracefs ok "mounted at /"
else
	tap_check "tracefs is not mounted" has "$tmp/root.json" mount.tracefs ok "not mounted; not needed"
fi

tap_check "a user without rights is told so" \
	exits 3 "$tmp/user.txt" "${nobody[@]}" "$tmp/fathom" doctor
tap_check "and in the last sentence how to mend it" \
	last_is user '^recording is impossible: CAP_BPF and CAP_PERFMON .*setcap'
tap_check "and as JSON" exits 3 "$tmp/user.json" "${nobody[@]}" "$tmp/fathom" doctor --json
tap_check "which fits the schema" is_valid "$tmp/user.json"
tap_check "with the capabilities that are missing" \
	has "$tmp/user.json" capability.bpf missing "not effective"

if unshare -Ur true 2>/dev/null; then
	tap_check "root of a user namespace is told so" \
		exits 3 "$tmp/userns.txt" unshare -Ur "$FATHOM" doctor -q
	tap_check "and not to become root" names_userns
else
	tap_skip "root of a user namespace is told so" "no user namespaces here"
fi

# What doctor says to do must do.
caps=$(grep -o 'setcap [a-z_,]*+ep' "$tmp/user.txt" | head -n 1)
if [ "$possible" = 1 ] && $caps "$tmp/fathom" 2>/dev/null; then
	tap_check "with the capabilities that it asked for, a user can record" \
		exits 0 "$tmp/caps.json" setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$tmp/fathom" doctor --json
	tap_check "kernel names included" has "$tmp/caps.json" names.kallsyms ok
	tap_check "only the cost is not known" has "$tmp/caps.json" bpf.run_time degraded
else
	tap_skip "with the capabilities that it asked for, a user can record" "setcap does not work"
fi

tap_done
