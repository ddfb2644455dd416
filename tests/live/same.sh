#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# A program against itself, twenty times: never regressed.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/gating.bash

rounds=60
mapfile -t lines < <(variants compute=1 compute=1)
knob same "${lines[@]}"
regressed=0 passed=0 said=
for i in $(seq 20); do
	status=0
	"$FATHOM" gate --ab "$tmp/same.yaml" --profile smoke --no-profile --no-retry -q --json \
		--force --seed "$i" -o "$tmp/run" >"$tmp/same.json" 2>&1 </dev/null || status=$?
	said+="$status "
	case $status in
	0) passed=$((passed + 1)) ;;
	1) regressed=$((regressed + 1)) ;;
	4) ;;
	*) tap_not_ok "run $i: exit status 0 or 4" "$status" "$(head -c 2000 "$tmp/same.json")" ;;
	esac
done
tap_check "20 times the same program: never regressed ($said)" is 0 "$regressed"
# What disturbs the machine makes some of them inconclusive, and then says so.
tap_check "20 times the same program: some are shown to be the same" test "$passed" -gt 0
tap_done
