#!/bin/sh
# machine.sh: the program of a foster that is PID 1 of an emulated machine: tells what it sees, then leaves work behind.
# SPDX-License-Identifier: MIT
# Everything it needs is in the machine's initramfs: foster, busybox, spy, and two binaries that can't run.

PATH=/bin
export PATH
/bin/busybox --install -s /bin
mkdir -p /proc /dev /tmp
mount -t proc proc /proc
mount -t devtmpfs dev /dev

# wait_for FILE REGEX	for 30 s, which is long, since an emulated machine is slow
wait_for() {
	n=0
	until grep -Eq "$2" "$1" 2>/dev/null; do
		n=$((n + 1))
		[ "$n" -lt 300 ] || return 1
		usleep 100000
	done
}

# told NAME COMMAND [ARG...]	what the tests on the outside look for
told() {
	name=$1
	shift
	if "$@"; then echo "told: $name: yes"; else echo "told: $name: no"; fi
}

zombies() {
	cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') Z '
}

no_zombies() {
	n=0
	until [ "$(zombies)" = 0 ]; do
		n=$((n + 1))
		[ "$n" -lt 300 ] || return 1
		usleep 100000
	done
}

# fails_with STATUS LINE COMMAND [ARG...]
fails_with() {
	status=$1 line=$2
	shift 2
	"$@" 2>/tmp/line
	[ $? = "$status" ] && [ "$(cat /tmp/line)" = "$line" ]
}

mask_and_dispositions() {
	/foster --ignore-signal RTMIN+3 --ignore-signal 64 /spy --state >/tmp/state &&
		grep -q '^ignored 8000001000000000$' /tmp/state && grep -q '^mask 0000000000000000$' /tmp/state
}

# each signal but KILL, STOP and CHLD, one after another, and one with a payload
all_signals() {
	/foster -r TERM:USR1 -r RTMIN+2:RTMAX /spy --listen --exit-on 63:7 >/tmp/signals &
	foster=$!
	wait_for /tmp/signals '^ready' || return
	for sig in 1 2 3 4 5 6 7 8 10 11 12 13 14 16 18 20 21 22 23 24 25 26 27 28 29 30 31 \
		32 33 34 37 38; do
		/spy --send "$foster" "$sig"
	done
	/spy --send "$foster" RTMIN+1 --value 4711 --count 5
	/spy --send "$foster" TERM
	/spy --send "$foster" RTMIN+2
	wait_for /tmp/signals '^got RTMIN\+30 ' || return
	/spy --send "$foster" 63
	wait "$foster"
	[ $? = 7 ] && [ "$(grep -c '^got RTMIN+1 code SI_QUEUE .* value 47' /tmp/signals)" = 5 ] &&
		[ "$(sed -n 's/^got \([^ ]*\) .*/\1/p' /tmp/signals | sort -u | wc -l)" = 35 ]
}

schedule() {
	/foster --timeout 200ms --stop TERM/0.3/KILL /spy --listen >/tmp/stubborn 2>/tmp/line
	[ $? = 124 ] && grep -q '^got TERM' /tmp/stubborn &&
		grep -q '^foster: pid [0-9]* (spy): still running after 300 ms, sending KILL$' /tmp/line
}

drained_descendant() {
	/foster --drain TERM/10/KILL -- sh -c \
		'setsid sh -c "trap \"echo finished >/tmp/drained; exit\" TERM; echo >/tmp/here; while :; do usleep 100000; done" &
		until [ -e /tmp/here ]; do usleep 100000; done; exit 3'
	[ $? = 3 ] && grep -q finished /tmp/drained
}

out_of_time() {
	/foster --timeout 300ms --report /tmp/report sleep 100
	[ $? = 124 ] && grep -q '^killed by SIGTERM (15)$' /tmp/report
}

told 'foster is PID 1 of the kernel' [ "$(readlink /proc/1/exe)" = /foster ]
told 'mask and ignored signals to the bit' mask_and_dispositions
told 'not found' fails_with 127 'foster: /none: No such file or directory' /foster /none
told 'no permission' fails_with 126 'foster: /proc: Permission denied' /foster /proc
told 'another architecture' fails_with 126 'foster: /other: the binary is for another architecture' /foster /other
told 'a loader that is missing' fails_with 126 'foster: /loaderless: the loader /no/loader is missing' /foster /loaderless
told 'every signal arrives' all_signals
told 'a schedule ends who does not listen' schedule
told 'out of time' out_of_time
told 'drained though not PID 1' drained_descendant
/spy --fork 300 --double --exit 0 >/dev/null
told 'of 300 orphans no zombie is left' no_zombies

# what the end must not cut short: one in the group, which the stop is for, and one in a session
# of its own, which the drain is for. This shell dies of SIGTERM at once.
worker='trap "usleep 500000; echo told: NAME finished; exit" TERM; echo >/tmp/NAME; while :; do usleep 100000; done'
sh -c "$(echo "$worker" | sed s/NAME/group/g)" &
setsid sh -c "$(echo "$worker" | sed s/NAME/session/g)" &
wait_for /tmp/group '^$' && wait_for /tmp/session '^$'
echo 'told: stop'
kill -TERM 1
while :; do
	usleep 100000
done
