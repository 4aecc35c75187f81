#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Lay images out in a grid: montage.pl IN OUT makes OUT/montage.pgm of all IN/*.pgm, in the order of their names.
#
# User code of the pipeline `montage`, in another language than that of `edges`: pipelines share files, nothing else.
use strict;
use warnings;
use List::Util qw(max);
use POSIX qw(ceil);

use constant GAP        => 8;           # pixels around each image
use constant BACKGROUND => chr 40;      # dark grey

my ($in, $out) = @ARGV;
my @images  = map { read_pgm($_) } sort glob "'$in'/*.pgm";
my $columns = max(1, ceil(sqrt @images));
my $rows    = max(1, ceil(@images / $columns));
my $cell_w  = GAP + max(0, map { $_->{width} } @images);
my $cell_h  = GAP + max(0, map { $_->{height} } @images);

my $width  = $columns * $cell_w + GAP;
my $height = $rows * $cell_h + GAP;
my $pixels = BACKGROUND x ($width * $height);

for my $number (0 .. $#images) {
    my $image = $images[$number];
    my $left  = GAP + $cell_w * ($number % $columns) + int(($cell_w - GAP - $image->{width}) / 2);
    my $top   = GAP + $cell_h * int($number / $columns) + int(($cell_h - GAP - $image->{height}) / 2);
    for my $y (0 .. $image->{height} - 1) {
        my $row = substr $image->{pixels}, $y * $image->{width}, $image->{width};
        substr($pixels, ($top + $y) * $width + $left, $image->{width}) = $row;
    }
}

write_pgm("$out/montage.pgm", $width, $height, $pixels);
printf "montage of %d images: %d x %d pixels\n", scalar @images, $width, $height;

sub read_pgm {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!\n";
    my $bytes = do { local $/; <$file> };
    $bytes =~ /\AP5\s+(\d+)\s+(\d+)\s+255\s/ or die "$path is no PGM of one byte a pixel\n";
    my ($width, $height, $start) = ($1, $2, $+[0]);
    length($bytes) - $start == $width * $height or die "$path is cut short\n";
    return { width => $width, height => $height, pixels => substr($bytes, $start) };
}

sub write_pgm {
    my ($path, $width, $height, $pixels) = @_;
    open my $file, '>:raw', $path or die "$path: $!\n";
    print {$file} "P5 $width $height 255\n", $pixels;
    close $file or die "$path: $!\n";
}
