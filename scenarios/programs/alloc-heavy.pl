# SPDX-License-Identifier: BSD-2-Clause
# Many small blocks: records in a table, strings that grow, trees that are built and dropped.
use strict;
use warnings;
use integer;

my %records = (small => 60_000, medium => 200_000, large => 600_000);
my $size = shift // '';
my $records = $records{$size} or die "usage: alloc-heavy.pl small|medium|large\n";
my $x = 42;

sub next_random {
	return $x = ($x * 1664525 + 1013904223) & 0xffffffff;
}

sub make_record {
	my $id = shift;
	my $r = next_random();
	return { id => $id, name => 'record-' . ($r % 5000), tags => [$r & 7, $r >> 4 & 7, $r >> 8 & 7],
		text => 'x' x ($r >> 12 & 127) };
}

sub fill_table {
	my ($table, $n) = @_;
	for my $id (1 .. $n) {
		my $record = make_record($id);
		push @{ $table->{ $record->{name} } }, $record;
	}
}

sub make_tree {
	my $depth = shift;
	return $depth ? [make_tree($depth - 1), make_tree($depth - 1)] : [];
}

sub tree_leaves {
	my $node = shift;
	return @$node ? tree_leaves($node->[0]) + tree_leaves($node->[1]) : 1;
}

my (%table, $leaves, $bytes);
fill_table(\%table, $records);
$leaves += tree_leaves(make_tree(10)) for 1 .. $records / 5000;
for my $name (sort keys %table) {
	$bytes += length $_->{text} for @{ $table{$name} };
}
printf "names %d leaves %d bytes %d\n", scalar keys %table, $leaves, $bytes;
print "records $records count\n";
