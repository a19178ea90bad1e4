# floods.bats: 100,000 of everything, with foster as PID 1.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016,SC2030,SC2031,SC2034  # set by helper.bash and by "run"; "$SPY" is for the shell inside

bats_require_minimum_version 1.8.0
load limits

# bats test_tags=floods,pid1,root
@test "100,000 orphans: each is reaped, and foster is as small as before" {
	needs root pid1 nsenter
	start_pid1 -- -w -- "$SPY" --name program --exit-on TERM:3
	wait_for "$out" '^program: ready'
	warm_up
	orphans 100000
	same_size
	assert_equal "$(grep -c ': reaped, exited with status 0$' "$err")" 100020
	send TERM
	expect_end 3
}

# values FILE	the real-time signals' values from 1 on; names the first that is out of order
in_order() {
	awk -v wanted="$2" '$3 == "RTMIN" && $NF > 0 && $NF != ++n { print "value", $NF, "not", n; exit 1 }
		END { if (n != wanted) { print n, "of", wanted; exit 1 } }' "$1"
}

# bats test_tags=floods,pid1,root
@test "100,000 signals while children die: none is lost, all are in order, no zombie stays" {
	needs root pid1 nsenter
	start_pid1 -- -w -- "$SPY" --name program --exit-on TERM:3
	wait_for "$out" '^program: ready'
	warm_up
	orphans 10000 &
	dying=$!
	send RTMIN --value 1 --count 100000 --retry
	wait "$dying"
	wait_long "$out" 'got RTMIN .* value 100000$'
	send RTMIN+1 --count 1000
	wait_long "$out" 'got RTMIN\+1 ' 1000
	in_order "$out" 100000
	same_size
	assert_equal "$(grep -c ': reaped, exited with status 0$' "$err")" 10020
	send TERM
	expect_end 3
}

# bats test_tags=floods,pid1,root
@test "a flood of SIGCHLD and one of SIGHUP at once: children are reaped, others pass, a stop ends it" {
	needs root pid1 nsenter
	start_pid1 -- -w -- "$SPY" --name program --leave HUP --ignore HUP --exit-on TERM:3
	wait_for "$out" '^program: ready'
	warm_up
	flood CHLD
	flood HUP
	orphans 2000
	wait_long "$err" 'reaped, exited with status 0$' 2020
	send RTMIN --value 1 --count 100 --retry
	send USR1
	wait_for "$out" 'got RTMIN .* value 100$'
	wait_for "$out" 'got USR1 '
	in_order "$out" 100
	kill -STOP "${started_pids[@]:1}"
	same_size
	kill -CONT "${started_pids[@]:1}"
	send TERM
	expect_end 3
}

# bats test_tags=floods,pid1,root
@test "a schedule's time comes in a flood too" {
	needs root pid1
	start_pid1 -- --stop TERM/500ms/KILL -- "$SPY" --name program --leave HUP --ignore HUP --listen
	wait_for "$out" '^program: ready'
	flood HUP
	flood CHLD
	send TERM
	expect_end 137
	grep -q 'still running after 500 ms, sending KILL$' "$err"
}

# bats test_tags=floods,pid1,root
@test "10,000 orphans while foster waits for the group: each is reaped, and foster doesn't grow" {
	needs root pid1 nsenter
	start_pid1 -- -w -- sh -c '"$SPY" --name app --exit-on USR2 & wait'
	app=$(pid_of app)
	send TERM
	wait_for "$out" '^app: got TERM'
	orphans 20
	wait_for "$err" ': reaped, ' 20
	before=$(size_of_foster)
	orphans 10000
	wait_long "$err" ': reaped, ' 10020
	# a look has a descriptor open meanwhile
	wait_until eval '[ "$(size_of_foster)" = "$before" ]'
	"$SPY" --send "$app" USR2
	expect_end 143
}

# bats test_tags=floods,pid1,root
@test "a reader that never reads: 10,000 orphans and 10,000 signals pass, a stop ends it" {
	needs root pid1 nsenter
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	exec {unread}<>"$BATS_TEST_TMPDIR/pipe"
	wrap_foster "exec 2>'$BATS_TEST_TMPDIR/pipe'; exec"
	start_pid1 -- -vvw -- "$SPY" --name program --exit-on TERM:3
	wait_for "$out" '^program: ready'
	warm_up
	orphans 10000
	send RTMIN --value 1 --count 10000 --retry
	wait_long "$out" 'got RTMIN .* value 10000$'
	in_order "$out" 10000
	same_size
	# it is full indeed
	run ! timeout 1 dd if=/dev/zero of="$BATS_TEST_TMPDIR/pipe" oflag=nonblock bs=4096 count=1 2>/dev/null
	send TERM
	expect_end 3
	exec {unread}>&-
}
