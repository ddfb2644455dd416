# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# modules: what drives a browser. Source it from the project root: $CHROMIUM is the browser, and
# fetch_modules gets puppeteer-core into $modules/node_modules.
#	O=build			where what npm fetches is kept
modules=${O:-build}/browser
CHROMIUM=${CHROMIUM:-$(command -v chromium chromium-browser google-chrome | head -n 1)}
export CHROMIUM

# The packages of the lock file, by their checksums; none of them may run anything here. If that
# fails, why is in $modules_error.
fetch_modules() {
	local have=$modules/package-lock.json output
	cmp -s tests/browser/package-lock.json "$have" && [ -d "$modules/node_modules" ] && return
	mkdir -p "$modules" || return
	cp tests/browser/package.json tests/browser/package-lock.json "$modules/" || return
	output=$(cd "$modules" && timeout 120 npm ci --ignore-scripts --no-audit --no-fund 2>&1) &&
		return
	# shellcheck disable=SC2034 # for the includer
	modules_error=$(head -n 1 <<<"$output")
	rm -f "$have"
	return 1
}
