# SPDX-License-Identifier: BSD-2-Clause
# Writes files piece by piece, makes them reach the disk, reads them back in another order.
use strict;
use warnings;
use integer;
use Fcntl;
use IO::Handle;

use constant BLOCK => 131072;
use constant BLOCKS => 8;    # of a file: 1 MiB
use constant FILES => 64;

my %passes = (small => 2, medium => 8, large => 24);
my $size = shift // '';
my $passes = $passes{$size} or die "usage: io-heavy.pl small|medium|large\n";

sub block_of {
	my ($file, $block) = @_;
	return pack('N2', $file, $block) x (BLOCK / 8);
}

sub write_file {
	my $file = shift;
	sysopen my $out, "data.$file", O_WRONLY | O_CREAT | O_TRUNC or die "data.$file: $!\n";
	for my $block (0 .. BLOCKS - 1) {
		my $n = syswrite $out, block_of($file, $block);
		die "data.$file: $!\n" unless defined $n && $n == BLOCK;
	}
	# Every fourth only: as a database does it, and not as a benchmark of disks does.
	$file % 4 or $out->sync or die "data.$file: $!\n";
	close $out or die "data.$file: $!\n";
}

sub read_file {
	my $file = shift;
	my $sum = 0;
	sysopen my $in, "data.$file", O_RDONLY or die "data.$file: $!\n";
	for my $step (0 .. BLOCKS - 1) {
		my $block = $step * 37 % BLOCKS;
		sysseek $in, $block * BLOCK, 0 or die "data.$file: $!\n";
		my $n = sysread $in, my $data, BLOCK;
		die "data.$file: $!\n" unless defined $n && $n == BLOCK;
		$sum = ($sum * 31 + unpack '%32N*', $data) & 0xffffffff;
	}
	close $in;
	return $sum;
}

my $sum = 0;
for (1 .. $passes) {
	write_file($_) for 1 .. FILES;
	$sum = ($sum * 33 + read_file($_ * 7 % FILES + 1)) & 0xffffffff for 1 .. FILES;
	unlink map { "data.$_" } 1 .. FILES;
}
printf "checksum %08x\n", $sum;
printf "files %d count\n", $passes * FILES;
