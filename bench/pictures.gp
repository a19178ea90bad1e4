# pictures.gp: the pictures of a run; data and out are set by whoever calls it.
# SPDX-License-Identifier: MIT
# Grey text and lines, and no background: readable on light and on dark pages.

set datafile separator "\t"
set terminal svg size 760,300 dynamic font "sans-serif,14"
set border 0
set style data boxes
set style fill solid
set boxwidth 0.7
set key off
set tics nomirror scale 0 textcolor rgb "#808080"
unset ytics
set title textcolor rgb "#808080"

# the lines of a test and a measure, foster's apart from the others'
rows(test, cases, what) = sprintf("< awk -F '\t' '$1 == \"%s\" && $2 == \"%s\" && $4 == \"%s\" && $3 != \"bare\"' '%s'", test, cases, what, data)
colour(name) = name eq "foster" ? 0x2e8b57 : name eq "bound" ? 0xa0a0a0 : 0x6a8fc0
label(x) = sprintf(x < 10 ? "%.2f" : x < 100 ? "%.1f" : "%.0f", x)

# bars with their number; by: in which unit
bars = 'plot file using 0:($8 * by):(colour(strcol(3))):xtic(3) linecolor rgb variable, \
	"" using 0:($8 * by):(label($8 * by)) with labels offset 0,0.7 textcolor rgb "#808080"'

set yrange [0:*]
set offsets 0, 0, graph 0.1, 0

set output out.'start.svg'
set title "start: ms from the exec of the init to the program's first instruction, over the bare program"
file = rows("start", "1", "start over"); by = 0.001
eval bars

set output out.'memory.svg'
set title "memory: kB that stay resident while the program runs"
file = rows("idle", "1", "resident"); by = 1
eval bars

fleet = system(sprintf("awk -F '\t' '$1 == \"fleet\" { n = $2 } END { print n }' '%s'", data))
set output out.'fleet.svg'
set title "memory: GB for a million containers, the kernel's included, over the bare program"
file = rows("fleet", fleet, "charged over"); by = 1.024
eval bars

set output out.'signal.svg'
set title "signal: µs of CPU to pass one on"
file = rows("signal", "500", "cpu"); by = 1
eval bars

set output out.'reap.svg'
set title "reaping: µs of CPU an orphan, of 100 that end together"
file = rows("reap", "burst 100", "cpu"); by = 1
eval bars
