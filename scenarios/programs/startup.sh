#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Writes program.pl: as many functions as a program of that size has, which have to be compiled before
# it is ready. It then calls each of them once.
set -eu
case $1 in
small) functions=10000 ;;
medium) functions=40000 ;;
large) functions=90000 ;;
*) echo 'usage: startup.sh small|medium|large' >&2 && exit 2 ;;
esac

awk -v n="$functions" 'BEGIN {
	print "use strict; use warnings; use integer;"
	for (i = 0; i < n; i++) {
		printf "sub f%d { my ($x, $y) = @_; ", i
		printf "if ($x > %d) { $y += $x * %d } else { $y ^= $x }; ", i % 97, i % 13 + 1
		print "return $y & 0xffffff }"
	}
	print "$| = 1; print \"ready\\n\"; my $sum = 0;"
	for (i = 0; i < n; i++)
		printf "$sum = f%d(%d, $sum);\n", i, i % 101
	printf "printf \"checksum %%06x\\n\", $sum; print \"functions %d count\\n\";\n", n
}' >program.pl
