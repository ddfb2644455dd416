#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#	mixed.sh setup small|medium|large	writes access.log
#	mixed.sh run			the nightly report on it: sort, count, keep a compressed copy
set -eu

setup() {
	case $1 in
	small) lines=120000 ;;
	medium) lines=500000 ;;
	large) lines=1500000 ;;
	*) echo 'usage: mixed.sh setup small|medium|large' >&2 && exit 2 ;;
	esac
	# Products stay below 2^53, which awk's numbers hold.
	awk -v n="$lines" 'BEGIN {
		x = 1
		for (i = 0; i < n; i++) {
			x = (x * 69069 + 12345) % 4294967296
			a = int(x / 65536)
			printf "10.%d.%d.%d GET /page/%d %d %d\n", a % 4, int(a / 4) % 16, i % 200, \
				a % 211, a % 50 ? 200 : 500, int(a / 16) % 4096
		}
	}' >access.log
}

# A small buffer, so that there are runs on disk to be merged.
run() {
	sort -S 4M -T . -k 3,3 -k 1,1 -k 5,5n access.log >sorted.log
	awk '{ n[$3]++; bytes[$3] += $5; if ($4 == 500) bad++ }
	END {
		for (page in n)
			printf "%s %d %.0f\n", page, n[page], bytes[page]
		printf "errors %d\n", bad
	}' sorted.log | sort >report.txt
	gzip -6 -c sorted.log >sorted.log.gz
	echo "lines $(wc -l <sorted.log) count"
	echo "compressed_bytes $(wc -c <sorted.log.gz) bytes"
}

"$@"
