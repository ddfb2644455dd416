#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# engine: the parts of a flame graph's script that need no document, under node. TAP.
#	FATHOM=build/fathom tests/browser/engine.sh
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 3
# shellcheck source=tests/tap.sh
. tests/tap.sh

FATHOM=${FATHOM:-build/fathom}
tmp=$(mktemp -d) || exit 3
trap 'rm -rf "$tmp"' EXIT
if ! command -v node >/dev/null; then
	tap_skip "trees of a flame graph under node" "no node here"
	tap_done
fi

# So many stacks that not all of them fit into the picture, and so few that they do.
stacks() { # stacks NUMBER DEPTH
	awk -v n="$1" -v depth="$2" 'BEGIN {
		srand(n)
		for (i = 0; i < n; i++) {
			line = "app"; d = 1 + int(rand() * depth)
			while (d--) line = line ";function_" int(rand() * rand() * rand() * 3000)
			print line, 1 + int(1 / (rand() + 0.001))
		}
	}'
}
stacks 300 9 >"$tmp/few.folded"
stacks 60000 40 >"$tmp/many.folded"
for name in few many; do
	"$FATHOM" flame -o "$tmp/$name.svg" "$tmp/$name.folded" ||
		{ tap_not_ok "pictures are written" "$name"; tap_done; }
done
node tests/browser/engine/run.js 1 "$tmp/few.svg" "$tmp/few.folded" "$tmp/many.svg" \
	"$tmp/many.folded"
