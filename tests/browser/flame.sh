#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# flame: the script in a flame graph, in a real browser (headless Chromium). A state is given in
# the address, the document as the script leaves it is printed and looked at. TAP.
#	FATHOM=build/fathom tests/browser/flame.sh
# shellcheck disable=SC2317 # functions are called by tap_check
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 3
# shellcheck source=tests/tap.sh
. tests/tap.sh

FATHOM=${FATHOM:-build/fathom}
browser=$(command -v chromium chromium-browser google-chrome | head -n 1)
tmp=$(mktemp -d) || exit 3
trap 'rm -rf "$tmp"' EXIT
if [ -z "$browser" ]; then
	tap_skip "flame graph in a browser" "no Chromium here"
	tap_done
fi

# page NAME[#STATE]: the document after its script has run, without it, a tag a line
page() {
	timeout 60 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$tmp/user" \
		--disable-background-networking --disable-component-update --disable-sync \
		--no-first-run --virtual-time-budget=2000 --window-size=1220,800 \
		--dump-dom "file://$tmp/$1" 2>/dev/null |
		sed -e '/<script>/,/<\/script>/d' -e 's/></>\n</g'
}

# Share of the stacks that have a frame matching $1, as the picture should say it.
share() {
	awk -v re="$1" '{
		n = $NF; sub(/ [0-9]+$/, ""); all += n; k = split($0, frame, ";"); hit = 0
		for (i = 1; i <= k; i++) { sub(/_\[[ki]\]$/, "", frame[i]); if (frame[i] ~ re) hit = 1 }
		if (hit) sum += n
	} END { printf "Matched: %.2f%%\n", 100 * sum / all }' "$2"
}

# Nested, recursive and narrow frames: 2,000 stacks of names that come again and again.
awk 'BEGIN {
	srand(5)
	for (i = 0; i < 2000; i++) {
		line = "app"; depth = 1 + int(rand() * 9)
		for (d = 0; d < depth; d++) line = line ";f" int(rand() * rand() * 30)
		print line, 1 + int(1 / (rand() + 0.001))
	}
}' >"$tmp/many.folded"
printf '%s\n' 'sh;main;work;read_[k] 60' 'sh;main;work;think 30' 'sh;main;rest 10' \
	>"$tmp/few.folded"
printf '%s\n' '"><script>document.title="owned"</script>;]]>&<b onload="x"> 5' >"$tmp/evil.folded"
for name in many few evil; do
	"$FATHOM" flame -o "$tmp/$name.svg" "$tmp/$name.folded" || exit 3
done
"$FATHOM" flame --min-width 4 -o "$tmp/pruned.svg" "$tmp/many.folded" || exit 3

matched() { # matched PICTURE PATTERN ENCODED: what the picture says against the input
	local says wants
	says=$(page "$1.svg#search=$3" | grep -o 'Matched: [^<]*')
	wants=$(share "$2" "$tmp/many.folded")
	echo "the picture says '$says', the input '$wants'"
	[ "$says" = "$wants" ]
}

tap_check "a search sums nested matches once" matched many '^f1' '%5Ef1'
tap_check "a search sums alternatives" matched many '^f(3|22)$' '%5Ef(3%7C22)%24'
tap_check "a search finds what is too narrow to draw" matched pruned '^f1' '%5Ef1'
tap_check "rare names are found among narrow frames" matched pruned '^f2[0-9]$' '%5Ef2%5B0-9%5D%24'

pruned_boxes() { grep -q 'class="few"' "$tmp/pruned.svg"; }
tap_check "the picture of that test has narrow frames" pruned_boxes

capital() {
	[ "$(page 'few.svg#search=READ' | grep -o 'Matched: [^<]*')" = "Matched: 0.00%" ] &&
		[ "$(page 'few.svg#search=read' | grep -o 'Matched: [^<]*')" = "Matched: 60.00%" ]
}
tap_check "a capital letter makes the case matter" capital

highlighted() {
	page 'few.svg#search=work' >"$tmp/out"
	[ "$(grep -c 'class="[^"]*hit' "$tmp/out")" = 1 ] && grep -A 1 'class="hit"' "$tmp/out" |
		grep -q '<title>work'
}
tap_check "what matches is marked, and nothing else" highlighted

broken_pattern() {
	page 'few.svg#search=(' >"$tmp/out"
	! grep -q 'Matched' "$tmp/out" && ! grep -q 'class="hit"' "$tmp/out" &&
		grep -q 'class="tools"' "$tmp/out"
}
tap_check "a broken pattern finds nothing and breaks nothing" broken_pattern

# Boxes in order: 0 all, 1 sh, 2 main, 3 rest, 4 work, 5 read, 6 think.
box() { # box FILE NAME: the rectangle and the group's attributes on one line
	grep -B 1 -A 4 "<title>$2\$" "$1" | tr '\n' ' '
}
zoomed() {
	page 'few.svg#zoom=4' >"$tmp/out"
	box "$tmp/out" main | grep -q 'class="above".*width="1199.50"' &&
		box "$tmp/out" work | grep -q 'width="1199.50"' &&
		box "$tmp/out" read | grep -q 'width="799.50"' &&
		box "$tmp/out" rest | grep -q 'display="none"' &&
		! box "$tmp/out" work | grep -q 'above'
}
tap_check "a zoom fills the width, fades what is above, hides what is beside" zoomed

zoomed_search() {
	[ "$(page 'few.svg#zoom=4&search=read' | grep -o 'Matched: [^<]*')" = \
		"Matched: 60.00% (66.67% of the zoomed)" ]
}
tap_check "a search says its share of the zoomed frame too" zoomed_search

flipped() {
	[ "$(page few.svg | grep -o 'class="row" transform="[^"]*"' | head -n 1)" = \
		'class="row" transform="translate(0 106)"' ] &&
		[ "$(page 'few.svg#icicle=1' | grep -o 'class="row" transform="[^"]*"' |
			head -n 1)" = 'class="row" transform="translate(0 38)"' ]
}
tap_check "a flip puts the root at the top" flipped

foreign_state() {
	page 'few.svg#zoom=99999999999&search=%00%3Cb%3E&icicle=x&y' >"$tmp/out"
	grep -q 'class="tools"' "$tmp/out" && box "$tmp/out" sh | grep -q 'width="1199.50"'
}
tap_check "a state that makes no sense is survived" foreign_state

names_are_text() {
	page 'evil.svg#zoom=2&search=script' >"$tmp/out"
	! grep -q '<title>owned' "$tmp/out" && ! grep -q '<b onload' "$tmp/out" &&
		grep -q 'Matched: 100.00%' "$tmp/out"
}
tap_check "hostile names stay text" names_are_text

tap_done
