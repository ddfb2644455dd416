#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# flame: flame graphs in a real browser (headless Chromium, driven by puppeteer-core). TAP.
#	FATHOM=build/fathom tests/browser/flame.sh [TOPIC]...	as in flame/run.js
#	O=build			where what npm fetches is kept
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 3
# shellcheck source=tests/tap.sh
. tests/tap.sh

FATHOM=${FATHOM:-build/fathom}
tmp=$(mktemp -d) || exit 3
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/browser/modules.bash
. tests/browser/modules.bash

skip_all() {
	tap_skip "flame graphs in a browser" "$1"
	tap_done
}

[ -n "$CHROMIUM" ] || skip_all "no Chromium here"
for command in node npm python3; do
	command -v "$command" >/dev/null || skip_all "no $command here"
done

fetch_modules || skip_all "npm could not fetch puppeteer-core: $modules_error"

# Nested, recursive and narrow frames: 2,000 stacks of names that come again and again.
awk 'BEGIN {
	srand(5)
	for (i = 0; i < 2000; i++) {
		line = "app"; depth = 1 + int(rand() * 9)
		for (d = 0; d < depth; d++) line = line ";f" int(rand() * rand() * 30)
		print line, 1 + int(1 / (rand() + 0.001))
	}
}' >"$tmp/many.folded"
# More nodes than are kept in the file: the narrowest are rests.
awk 'BEGIN {
	srand(9)
	n = split("read write parse poll alloc free lock send render layout mark sweep", word, " ")
	for (i = 0; i < 60000; i++) {
		line = "app"; depth = 8 + int(rand() * 26)
		for (d = 0; d < depth; d++)
			line = line ";" word[1 + int(rand() * n)] "_" int(rand() * rand() * 40)
		print line, 1 + int(1 / (rand() + 0.001))
	}
}' >"$tmp/huge.folded"
awk 'BEGIN {
	for (i = 0; i < 5; i++) {
		line = "app"
		for (d = 0; d < 300; d++) line = line ";level_" d (d > 40 * i ? "_" i : "")
		print line, 10 + i
	}
}' >"$tmp/deep.folded"
printf '%s\n' 'sh;main;work;read_[k] 60' 'sh;main;work;think 30' 'sh;main;rest 10' \
	>"$tmp/few.folded"
printf '%s\n' 'sh;main;work 30' 'sh;main;work_[i] 20' 'sh;main;rest 10' >"$tmp/same.folded"
printf '%s\n' 'main;read 60' 'main;READ 40' >"$tmp/capital.folded"
printf '%s\n' '"><script>window.owned=1</script>]]>&amp;<img src="x" onerror="window.owned=1"> 5' \
	'</metadata></script></svg><script>window.owned=1</script>;--><a href="javascript:owned=1"> 3' \
	>"$tmp/evil.folded"

printf '%s\n' 'sh;main;work;read_[k] 60' 'sh;main;work;think 30' 'sh;main;rest 10' \
	'sh;main;old;deep 15' >"$tmp/before.folded"
printf '%s\n' 'sh;main;work;read_[k] 75' 'sh;main;work;think 30' 'sh;main;rest 5' \
	'sh;main;fresh 5' >"$tmp/after.folded"

# So many names that not even all of them are in the file.
awk 'BEGIN { for (i = 0; i < 400000; i++) print "app;function_" i * 7919 % 1000003, 1 + i % 7 }' \
	>"$tmp/names.folded"

picture() { # picture OUTPUT INPUT [OPTION...]
	local out=$1 in=$2
	shift 2
	"$FATHOM" flame "$@" -o "$tmp/$out" "$tmp/$in.folded" ||
		{ tap_not_ok "pictures are written" "$out"; tap_done; }
}
for name in many few capital evil deep huge names; do
	picture "$name.svg" "$name"
done
picture pruned.svg many --min-width 4
picture same.svg same --subtitle "a second line that is too long for a window that is narrow, $tmp"
picture few.html few --html
picture evil.html evil --html
difference() { # difference OUTPUT [OPTION...]
	"$FATHOM" diff --quiet --noise none "${@:2}" -o "$tmp/$1" "$tmp/before.folded" \
		"$tmp/after.folded" >"$tmp/table" ||
		{ tap_not_ok "pictures are written" "$1"; tap_done; }
}
difference diff.svg
difference negated.svg --negate
difference percent.svg --color-by percent
difference panes.svg --panes 2
difference judged.svg --noise samples
# Of so few samples nothing can be told.
printf 'app;few 3\napp;fewer 2\n' >"$tmp/before.folded"
printf 'app;few 1\napp;fewer 4\n' >"$tmp/after.folded"
difference noise.svg --noise samples
"$FATHOM" flame --extract --json "$tmp/names.svg" 2>/dev/null | head -n 1 | grep -q '"unlisted"' ||
	tap_not_ok "the names have no room"
grep -q '^rest_frames ' "$tmp/huge.svg" || tap_not_ok "the largest picture has rests"

node tests/browser/flame/run.js "$tmp" "$modules/node_modules" "$@"
