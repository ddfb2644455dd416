# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# gating: what live tests of run and gate share. Source it from the project root.
. tests/live/recording.bash

# knob NAME [LINE]...: writes $tmp/NAME.yaml, a scenario of the workload 'knob' with these lines
# added; ${KNOB} in them is the program
knob() {
	local name=$1 line
	shift
	{
		echo "name: $name"
		echo "description: a program whose cost is known"
		echo "kind: micro"
		for line; do
			echo "${line//KNOB/$WORKLOADS/knob}"
		done
	} >"$tmp/$name.yaml"
}

# variants BEFORE AFTER: lines for knob(): what is turned in each variant
variants() {
	printf '%s\n' "command: [KNOB, rounds=${rounds:-200}, \"\${turned}\", \"\${also}\"]" "variants:" \
		"  - name: before" "    parameters: {turned: ${1%,*}, also: ${1##*,}}" \
		"  - name: after" "    parameters: {turned: ${2%,*}, also: ${2##*,}}"
}

# gate NAME ARGUMENT...: runs and judges $tmp/NAME.yaml's variants; JSON in $tmp/NAME.json, exit status
# in $status. A machine that others disturb says nothing about the gate: up to five tries, fewer when
# a minute and a half is over, and then $disturbed says why. GATE_POLICY names another policy, for
# who works on this beside other work.
gate() {
	local name=$1 try
	shift
	for try in 1 2 3 4 5; do
		status=0 disturbed=
		"$FATHOM" gate --ab "$tmp/$name.yaml" --profile smoke -q --json --force \
			${GATE_POLICY:+--policy "$GATE_POLICY"} -o "$tmp/$name.run" "$@" \
			>"$tmp/$name.json" 2>"$tmp/$name.err" </dev/null || status=$?
		disturbed=$(grep -o '"reason": "host_[a-z]*' "$tmp/$name.json" | head -n 1)
		if [ -z "$disturbed" ] || [ "$SECONDS" -ge 90 ]; then
			break
		fi
		echo "# try $try of $name: $disturbed"
	done
}

# judged NAME COMMAND...: tap_check of what the last gate() says, unless the machine was disturbed
judged() {
	if [ -n "$disturbed" ]; then
		tap_skip "$1" "others disturbed this machine, try after try: ${disturbed##*\"}"
	else
		tap_check "$@"
	fi
}

cat >"$tmp/verdict.py" <<'PYTHON'
import json, sys

with open(sys.argv[1]) as f:
    g = json.load(f)
c = g["cases"][0] if g["cases"] else {}
m = {one["name"]: one for one in c.get("metrics", [])}


def changes(collector="cpu"):
    for f in c.get("functions", []):
        if f["collector"] == collector and f.get("comparison"):
            return f["comparison"]["changes"]
    return []


def classes(*which):
    return [f["function"] for f in changes() if f["class"] in which]


def near(a, b, off):
    return abs(a - b) <= off


if not eval(sys.argv[2]):
    print(g["verdict"], g["reason"], g["explanation"], g["retry"])
    for name, one in m.items():
        if one["is_gated"]:
            print(name, one["verdict"], one["reason"], one["before"], one["after"], one["p_adjusted"])
    for f in changes()[:12]:
        print({k: f[k] for k in ("function", "class", "before", "after", "p_adjusted", "contribution",
                                 "caller", "counterpart")})
    print(c.get("notes"))
    sys.exit(1)
PYTHON

# verdict NAME WHAT EXPRESSION: a Python expression over the verdict, with the names above
verdict() {
	judged "$2" "$PYTHON" "$tmp/verdict.py" "$tmp/$1.json" "$3"
}
