#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# engine: the parts of a flame graph's script that need no document, under node. TAP.
#	tests/browser/engine.sh
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 3
# shellcheck source=tests/tap.sh
. tests/tap.sh

if ! command -v node >/dev/null; then
	tap_skip "trees of a flame graph under node" "no node here"
	tap_done
fi
exec node tests/browser/engine/run.js
