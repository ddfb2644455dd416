# SPDX-License-Identifier: BSD-2-Clause
# One process that answers calls, one after the other: each takes a request apart, looks things up,
# keeps a little and makes an answer. Tells the latency of each; the answers' digest is in answers.txt.
use strict;
use warnings;
use integer;
use POSIX ();

my %calls = (small => 3_000, medium => 10_000, large => 30_000);
my $size = shift // '';
my $calls = $calls{$size} or die "usage: steady-state.pl small|medium|large\n";

# Time::HiRes is not part of perl-base: clock_gettime(CLOCK_MONOTONIC) by its number.
my %clock_gettime = (x86_64 => 228, aarch64 => 113);
my $machine = (POSIX::uname())[4];
my $number = $clock_gettime{$machine} or die "steady-state.pl: no clock on $machine\n";

sub now_ns {
	my $time = "\0" x 16;
	syscall($number, 1, $time) and die "clock_gettime: $!\n";
	my ($s, $ns) = unpack 'qq', $time;
	return $s * 1_000_000_000 + $ns;
}

my ($x, $sum, $errors) = (7, 0, 0);
my (%sessions, @latencies);

sub make_request {
	$x = ($x * 1664525 + 1013904223) & 0xffffffff;
	return sprintf 'GET /items/%d?user=u%d&sort=%s&limit=%d', $x >> 8 & 1023, $x >> 18 & 255,
		$x & 256 ? 'name' : 'price', 64 + ($x >> 4 & 31);
}

sub parse_request {
	my $request = shift;
	my ($path, $query) = $request =~ m{^GET /(\w+/\d+)\?(.*)$} or return;
	my %fields = map { split /=/, $_, 2 } split /&/, $query;
	return ($path, \%fields);
}

sub find_items {
	my ($path, $fields) = @_;
	my ($first) = $path =~ /(\d+)$/;
	my @items = map { { name => "item$_", price => $_ * 7919 % 1000 } }
		$first .. $first + $fields->{limit};
	return $fields->{sort} eq 'name' ? sort { $a->{name} cmp $b->{name} } @items :
		sort { $a->{price} <=> $b->{price} || $a->{name} cmp $b->{name} } @items;
}

sub answer {
	my $request = shift;
	my ($path, $fields) = parse_request($request) or return;
	my $seen = ++$sessions{ $fields->{user} };
	return "$path for $fields->{user} ($seen): " .
		join ', ', map { "$_->{name} at $_->{price}" } find_items($path, $fields);
}

my $start = now_ns();
for (1 .. $calls) {
	my $request = make_request();
	my $before = now_ns();
	my $answer = answer($request);
	push @latencies, now_ns() - $before;
	$errors++, next unless defined $answer;
	$sum = ($sum * 31 + unpack '%32C*', $answer) & 0xffffffff;
}
my $span = now_ns() - $start;

{
	no integer;
	printf "latency %.3f us\n", $_ / 1000 for @latencies;
	printf "throughput %.3f calls/s\n", $calls / ($span / 1e9);
	printf "error_rate %.6f ratio\n", $errors / $calls;
	print "calls $calls count\n";
}
open my $out, '>', 'answers.txt' or die "answers.txt: $!\n";
printf $out "calls %d sessions %d digest %08x\n", $calls, scalar keys %sessions, $sum;
close $out or die "answers.txt: $!\n";
