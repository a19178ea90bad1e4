# reaping.bats: no zombie stays, and reaping costs no wake-up that isn't needed.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016,SC2030,SC2031,SC2034  # set by helper.bash and by "run"; "$SPY" is for the shell inside

bats_require_minimum_version 1.8.0
load helper

# 2000 forks take long on a slow machine
wait_seconds=$((3 * wait_seconds))

# alone NAME	waits until foster and the spy of that name are all that there is
alone() {
	wait_for "$out" "^$1: ready" && wait_until eval '[ "$(namespace | wc -l)" = 2 ]'
}

wakeups() {
	status_field "$foster_pid" voluntary_ctxt_switches
}

# bats test_tags=reaping,pid1,subreaper
@test "1, 100 and 1000 orphans are all reaped, and -w has a line for each" {
	needs pid1
	for start in start_pid1 start_plain; do
		for count in 1 100 1000; do
			$start -- -w -- "$SPY" --name program --fork "$count" --double --listen
			alone program
			assert_equal "$(grep -c ': reaped, exited with status 0$' "$err")" "$count"
			kill_started
		done
	done
}

# bats test_tags=reaping,pid1,subreaper
@test "-w tells how each orphan ended" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -w -- sh -c '("$SPY" --exit 7 &); ("$SPY" --die KILL &)
			exec "$SPY" --name program --exit-on USR1'
		wait_for "$err" '^foster: pid [0-9]+: reaped, exited with status 7$'
		wait_for "$err" '^foster: pid [0-9]+: reaped, killed by SIGKILL \(9\)$'
		wait_for "$out" '^program: ready'
		send USR1
		wait_end
		assert_equal "$(wc -l <"$err")" 2
	done
}

# bats test_tags=reaping,subreaper
@test "without -w nothing is said about orphans" {
	run -0 --separate-stderr as_plain -- "$SPY" --fork 10 --double --exit 0
	[ -z "$stderr" ]
}

# bats test_tags=reaping,pid1,subreaper
@test "a daemon that forked twice is adopted, and reaped when it ends" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -w -- sh -c '(setsid sh -c "\"\$SPY\" --name daemon --exit-on USR2:3 &" &)
			exec "$SPY" --name program --listen'
		daemon=$(pid_of daemon)
		wait_until eval '[ "$(status_field "$daemon" PPid)" = "$foster_pid" ]'
		"$SPY" --send "$daemon" USR2
		wait_for "$err" 'reaped, exited with status 3$'
		alone program
	done
}

# bats test_tags=reaping,pid1,subreaper
@test "an orphan that was a zombie already is reaped" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -w -- sh -c '("$SPY" --name holder --zombie --exit-on USR2:3 &)
			exec "$SPY" --name program --listen'
		holder=$(pid_of holder)
		assert_equal "$(zombies)" 1
		"$SPY" --send "$holder" USR2
		wait_for "$err" reaped 2
		alone program
	done
}

# bats test_tags=reaping,pid1
@test "children that ended before foster was there are reaped" {
	needs pid1 perl
	# no shell: they reap by themselves
	cat >"$BATS_TEST_TMPDIR/foster" <<-END
		#!/usr/bin/perl
		for (1 .. 3) {
			my \$child = fork or exit 7;
			my \$stat = '';
			until (\$stat =~ /\\) Z /) {
				open my \$file, '<', "/proc/\$child/stat" or die;
				\$stat = <\$file>;
			}
		}
		exec '$FOSTER', @ARGV;
	END
	chmod +x "$BATS_TEST_TMPDIR/foster"
	FOSTER=$BATS_TEST_TMPDIR/foster
	for start in start_pid1 start_plain; do
		$start -- -- "$SPY" --name program --listen
		alone program
	done
}

# bats test_tags=reaping,pid1
@test "children that were there before foster are reaped when they end" {
	needs pid1
	printf '#!/bin/sh\n"$SPY" --name older --exit-on USR2:3 &\nexec "%s" "$@"\n' "$FOSTER" \
		>"$BATS_TEST_TMPDIR/foster"
	chmod +x "$BATS_TEST_TMPDIR/foster"
	FOSTER=$BATS_TEST_TMPDIR/foster
	for start in start_pid1 start_plain; do
		$start -- -w -- "$SPY" --name program --listen
		older=$(pid_of older)
		"$SPY" --send "$older" USR2
		wait_for "$err" 'reaped, exited with status 3$'
		alone program
	done
}

# a hundred orphans that USR1 to the group ends, and a program that it doesn't
crowd='i=0; while [ $i -lt 100 ]; do (sleep 100 &); i=$((i + 1)); done
	exec "$SPY" --name program --listen'

# bats test_tags=reaping,subreaper
@test "one wake-up serves all that ended together" {
	start_plain -- -- sh -c "$crowd"
	program=$(pid_of program)
	wait_until eval '[ "$(ps -o pid= --ppid "$foster_pid" | wc -l)" = 101 ]'
	send STOP
	wait_state "$foster_pid" T
	before=$(wakeups)
	kill -USR1 -- "-$program"
	wait_until eval '[ "$(ps -o stat= --ppid "$foster_pid" | grep -c ^Z)" = 100 ]'
	send CONT
	alone program
	[ $(($(wakeups) - before)) -le 4 ] || fail "$(($(wakeups) - before)) wake-ups"
}

# bats test_tags=reaping,pid1
@test "600 that end while foster is stopped, more than it reaps in one go: no zombie stays" {
	needs pid1
	export go=$BATS_TEST_TMPDIR/go
	mkfifo "$go"
	start_pid1 -- -- sh -c 'read -r x <"$go"; exec "$SPY" --name program --fork 600 --double --listen'
	wait_until pgrep -P "$foster_pid" sh
	kill -STOP "$foster_pid"
	wait_state "$foster_pid" T
	echo >"$go"
	wait_for "$out" '^program: ready'
	wait_until eval '[ "$(ps -o stat= --ppid "$foster_pid" | grep -c ^Z)" = 600 ]'
	kill -CONT "$foster_pid"
	alone program
}

# bats test_tags=reaping,pid1
@test "a stream of orphans at a high rate is kept up with" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -- sh -c '"$SPY" --fork 500 --double & "$SPY" --fork 500 --double & wait
			exec "$SPY" --name program --listen'
		alone program
	done
}

# bats test_tags=reaping,pid1,subreaper
@test "an orphan is also reaped while foster stays for what the program left" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -v -w -- sh -c '("$SPY" --setsid --name orphan --exit-on USR2:3 &)
			"$SPY" --name app --exit-on USR2:0:300 & wait'
		orphan=$(pid_of orphan)
		app=$(pid_of app)
		send TERM
		wait_for "$err" 'waiting for pid [0-9]+ \(app\)'
		"$SPY" --send "$orphan" USR2
		wait_for "$err" 'reaped, exited with status 3$'
		"$SPY" --send "$app" USR2
		wait_end
		[ "$status" = 143 ]
	done
}

# bats test_tags=reaping,pid1,subreaper
@test "no zombie is left behind when foster leaves elsewhere than as PID 1" {
	needs pid1 perl
	export go=$BATS_TEST_TMPDIR/go
	mkfifo "$go"
	new_files
	# a PID 1 that reaps its own child alone, and then looks who is there
	"$NS" --default INT --default QUIT --pidfile "$out.pid" -- perl -e 'system(@ARGV);
		for (glob "/proc/[0-9]*/stat") { open my $stat, "<", $_ or next; print "there: ", <$stat> }
		print "status ", $? >> 8, "\n"' \
		"$FOSTER" sh -c 'read -r x <"$go"; exec "$SPY" --name program --fork 600 --double --exit 5' \
		>"$out" 2>"$err" 3>&- 4>&- &
	started_pid=$!
	started_pids+=("$!")
	wait_until pidfile_or_end
	wait_until eval 'child=$(pgrep -P "$(<"$out.pid")" foster)'
	# more than it reaps in one go, and the program among the first
	wait_until pgrep -P "$child" sh
	kill -STOP "$child"
	wait_state "$child" T
	echo >"$go"
	wait_until eval '[ "$(ps -o stat= --ppid "$child" | grep -c ^Z)" = 601 ]'
	kill -CONT "$child"
	wait_for "$out" '^status 5$'
	wait_for "$out" '^there: .* \(perl\) '
	run -1 grep '^there: .*) Z ' "$out"
}

# bats test_tags=reaping,pid1
@test "a zombie that is the program's own child stays the program's" {
	needs pid1
	start_pid1 -- -w -- "$SPY" --fork 1 --double --zombie --name program --listen
	wait_for "$err" reaped
	wait_for "$out" '^program: ready'
	assert_equal "$(zombies)" 1
	assert_equal "$(grep -c reaped "$err")" 1
}

# bats test_tags=reaping,pid1
@test "an orphan that stops and continues disturbs nobody" {
	needs pid1
	start_pid1 -- -w -- sh -c '("$SPY" --name orphan --stop-self STOP --exit-on CONT:3 &)
		exec "$SPY" --name program --exit-on USR1:5'
	wait_state "$(pid_of orphan)" T
	wait_for "$out" '^program: ready'
	orphan=$(pid_of orphan)
	kill -CONT "$orphan"
	wait_for "$err" 'reaped, exited with status 3$'
	send USR1
	wait_end
	[ "$status" = 5 ]
}

# bats test_tags=reaping,pid1
@test "nothing wakes foster up while nothing happens" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -- sh -c '"$SPY" --name clock --exit-on USR2:0:1500 &
			exec "$SPY" --name program --listen'
		clock=$(pid_of clock)
		pid_of program
		wait_state "$foster_pid" S
		"$SPY" --send "$clock" USR2
		wait_for "$out" '^clock: leaving'
		before=$(wakeups)
		wait_for "$out" '^clock: done'
		assert_equal "$(wakeups)" "$before"
	done
}

# bats test_tags=reaping,pid1
@test "a far time-out costs no wake-up either" {
	needs pid1
	start_pid1 -- --timeout 1h --stop 1h/TERM/1h/KILL -- sh -c \
		'"$SPY" --name clock --exit-on USR2:0:1500 & exec "$SPY" --name program --listen'
	clock=$(pid_of clock)
	pid_of program
	wait_state "$foster_pid" S
	"$SPY" --send "$clock" USR2
	wait_for "$out" '^clock: leaving'
	before=$(wakeups)
	wait_for "$out" '^clock: done'
	assert_equal "$(wakeups)" "$before"
}

# bats test_tags=reaping,pid1,subreaper
@test "-P starts nothing and stays until SIGTERM or SIGINT, then status 0" {
	needs pid1
	for start in start_pid1 start_plain; do
		for sig in TERM INT; do
			$start -- -P
			wait_state "$foster_pid" S
			send HUP
			send USR1
			assert_equal "$(namespace | grep -vcx "$foster_pid")" 0
			send "$sig"
			wait_end
			[ "$status" = 0 ]
			[ ! -s "$err" ]
		done
	done
}

# bats test_tags=reaping,pid1
@test "a child that was there before foster, and whose end is no SIGCHLD, is reaped, too" {
	needs pid1
	wrap_foster 'exec "$SPY" --clone-child'
	for start in start_pid1 start_plain; do
		$start -- -w -- "$SPY" --name program --listen
		wait_for "$out" '^program: ready'
		child=$(outer_pid "$(sed -n 's/^child //p' "$out")")
		kill -TERM "$child"
		wait_gone "$child"
		send CHLD
		wait_for "$err" '^foster: pid [0-9]+: reaped, killed by SIGTERM'
		[ "$(zombies)" = 0 ]
	done
}

# bats test_tags=reaping,pid1,root
@test "-P reaps the orphans of those that enter its namespace" {
	needs root pid1 nsenter
	start_pid1 -- -w -P
	wait_state "$foster_pid" S
	run -0 nsenter --target "$foster_pid" --pid --mount "$SPY" --fork 20 --double
	wait_for "$err" reaped 20
	wait_until eval '[ "$(namespace)" = "$foster_pid" ]'
}

# bats test_tags=reaping
@test "-P with a program is an error" {
	run -125 as_plain -- -P true
	[ "${#lines[@]}" = 1 ]
	assert_line --partial true
}

# bats test_tags=reaping,subreaper
@test "where foster is not PID 1 it adopts orphans, and says so with -v" {
	start_plain -- -v -- sh -c '("$SPY" --setsid --name daemon --listen &)
		exec "$SPY" --name program --exit-on USR1'
	daemon=$(pid_of daemon)
	wait_until eval '[ "$(status_field "$daemon" PPid)" = "$foster_pid" ]'
	grep -q '^foster: .*subreaper' "$err"
}
