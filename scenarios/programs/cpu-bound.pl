# SPDX-License-Identifier: BSD-2-Clause
# Arithmetic and nothing else: primes by a sieve, and a checksum over random numbers.
use strict;
use warnings;
use integer;

my %rounds = (small => 3, medium => 12, large => 45);
my $size = shift // '';
my $rounds = $rounds{$size} or die "usage: cpu-bound.pl small|medium|large\n";

sub primes_below {
	my $limit = shift;
	my @composite;
	my $n = 0;
	for (my $i = 2; $i < $limit; $i++) {
		next if $composite[$i];
		$n++;
		for (my $k = $i * $i; $k < $limit; $k += $i) {
			$composite[$k] = 1;
		}
	}
	return $n;
}

# Numerical Recipes' generator, folded as Adler does.
sub checksum {
	my ($x, $n) = @_;
	my ($a, $b) = (1, 0);
	for (1 .. $n) {
		$x = ($x * 1664525 + 1013904223) & 0xffffffff;
		$a = ($a + ($x >> 16)) % 65521;
		$b = ($b + $a) % 65521;
	}
	return $b << 16 | $a;
}

for my $round (1 .. $rounds) {
	printf "primes %d checksum %08x\n", primes_below(150_000 + $round), checksum($round, 300_000);
}
print "rounds $rounds count\n";
