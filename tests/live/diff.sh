#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# What changed between two recordings of a program of known shares, one of whose functions became
# dearer: the table, the limit and the picture.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/recording.bash

# diff NAME ARGUMENT...: JSON in $tmp/NAME.json; exit status in $status
diff_json() {
	local name=$1
	shift
	status=0
	"$FATHOM" diff --json "$@" >"$tmp/$name.json" 2>"$tmp/$name.err" || status=$?
}

# told NAME WHAT EXPRESSION: of 'd', the JSON, and f("FUNCTION"), an entry of it
told() {
	tap_check "$2" "$PYTHON" -c '
import json, sys
d = json.load(open(sys.argv[1]))
def f(name):
    return next(one for one in d["functions"] if one["function"] == name)
def near(value, truth, error):
    return abs(value - truth) <= error
if not eval(sys.argv[2]):
    print(json.dumps({one["function"]: [one["self"], one["p"]] for one in d["functions"][:5]}))
    sys.exit(1)' "$tmp/$1.json" "$3"
}

# parse is 10 of 100 parts, and then 30 of 120.
record before -F 999 -- "$WORKLOADS/knob" rounds=2500
record same -F 999 -- "$WORKLOADS/knob" rounds=2500
record after -F 999 -- "$WORKLOADS/knob" rounds=2500 parse=3
record slowly -F 499 -- "$WORKLOADS/knob" rounds=2500 parse=3
for name in before same after slowly; do
	tap_check "$name: there is enough to compare" \
		sh -c "'$FATHOM' hotspots --max-share 50 '$tmp/$name' | grep -q compute"
done

diff_json same --max-growth 3 "$tmp/before" "$tmp/same"
tap_check "the same work: nothing grew by 3 points" is 0 "$status"
told same "the same work: parse is as it was" 'near(f("parse")["self"]["delta"], 0, 0.02)'

diff_json after --max-growth 10 "$tmp/before" "$tmp/after"
tap_check "one function dearer: exit status 1" is 1 "$status"
told after "one function dearer: it alone exceeds the limit" \
	'[one["function"] for one in d["functions"] if one["exceeds"]] == ["parse"]'
told after "one function dearer: by 15 points" 'near(f("parse")["self"]["delta"], 0.15, 0.02)'
told after "one function dearer: what it takes from the other's share" \
	'near(f("compute")["self"]["delta"], -0.1333, 0.03)'
told after "one function dearer: the samples can tell" \
	'd["significance"] == "samples" and f("parse")["is_significant"]'

# On a busy machine a turn of the loop takes more CPU time at one time than at another.
diff_json absolute --scale absolute "$tmp/before" "$tmp/after"
told absolute "as it is: that function takes about three times as much" \
	'near(f("parse")["self"]["growth"], 2, 0.9)'
told absolute "as it is: all grew by less than what it is made of" \
	'd["all"]["delta"] < 0.6 * d["before"]["all"]'

diff_json slowly --scale absolute "$tmp/before" "$tmp/slowly"
told slowly "at half the rate: time is compared, not samples" 'd["value"] == "cpu"'
told slowly "at half the rate: that function takes about three times as much" \
	'near(f("parse")["self"]["growth"], 2, 0.9)'

status=0
"$FATHOM" diff -o "$tmp/x.svg" "$tmp/before" "$tmp/after" >"$tmp/x.out" || status=$?
tap_check "the picture: exit status 0" is 0 "$status"
tap_check "the picture is XML" xmllint --noout "$tmp/x.svg"
tap_check "the picture has the function and its verdict" \
	"$PYTHON" -c '
import sys, xml.dom.minidom
titles = xml.dom.minidom.parse(sys.argv[1]).getElementsByTagName("title")
texts = [one.firstChild.data.split("\n") for one in titles]
sys.exit(not any(t[0] == "parse" and t[-1].startswith("significant, p") for t in texts))' "$tmp/x.svg"
tap_check "the table names that function first" \
	sh -c "grep -A 1 FUNCTION '$tmp/x.out' | grep -q ' parse '"
tap_done
