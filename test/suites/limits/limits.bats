# limits.bats: nothing left of anything, with foster as PID 1.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016,SC2030,SC2031,SC2034,SC2153  # set by helper.bash and by "run"; "$SPY" is for the shell inside

bats_require_minimum_version 1.8.0
load limits

# bats test_tags=limits,pid1,root
@test "a full pids cgroup: signals, orphans and a stop are as ever, and a slot that is free is used" {
	needs root pid1
	new_cgroup pids
	echo 4 >"$cgroup/pids.max"
	start_pid1 -- -- sh -c '("$SPY" --name one --exit-on USR2 --exit-on TERM:0:300 &)
		"$SPY" --name two --exit-on TERM:0:300 &
		exec "$SPY" --name program --fork 3 --exit-on USR2:5'
	for n in one two program; do
		wait_for "$out" "^$n: ready"
	done
	# they and foster fill it
	assert_equal "$(<"$cgroup/pids.current")" 4
	assert_equal "$(grep -c '^program: fork: EAGAIN' "$out")" 3
	warm_up
	for n in 1 2 3; do
		send USR1
		wait_for "$out" '^program: got USR1' "$n"
	done
	"$SPY" --send "$(pid_of one)" USR2
	# reaped, so that there is room again
	wait_until eval '[ "$(<"$cgroup/pids.current")" = 3 ]'
	same_size
	send TERM
	wait_for "$out" '^two: done'
	send USR2
	expect_end 5
}

# bats test_tags=limits,pid1,root
@test "no room in the pids cgroup for the program: one line, and status 125" {
	needs root pid1
	new_cgroup pids
	echo 1 >"$cgroup/pids.max"
	run -125 as_pid1 -- true
	assert_output --regexp '^foster: .*: Resource temporarily unavailable$'
}

# bats test_tags=limits,pid1,root
@test "a full memory cgroup: foster outlives all that the kernel ends, and says why it left" {
	needs root pid1
	new_cgroup memory
	if [ "$v" = 1 ]; then
		echo 8M >"$cgroup/memory.limit_in_bytes"
		echo 8M 2>/dev/null >"$cgroup/memory.memsw.limit_in_bytes" || true
	else
		echo 8M >"$cgroup/memory.max"
		echo 0 2>/dev/null >"$cgroup/memory.swap.max" || true
	fi
	start_pid1 -- --report "$BATS_TEST_TMPDIR/report" -- bash -c '
		trap "tail /dev/zero; echo hog \$?" USR1; trap "exec tail /dev/zero" USR2
		echo ready; while :; do "$SPY" --for 100 >/dev/null; done'
	wait_for "$out" '^ready'
	send USR1
	wait_for "$out" '^hog 137'
	wait_state "$foster_pid" S
	before=$(size_of_foster)
	for n in 2 3 4; do
		send USR1
		wait_for "$out" '^hog 137' "$n"
	done
	wait_state "$foster_pid" S
	assert_equal "$(size_of_foster)" "$before"
	send USR2
	expect_end 137
	assert_equal "$(<"$BATS_TEST_TMPDIR/report")" 'killed by SIGKILL (9): the container ran out of memory'
}

# limited_life LIMIT...	(as prlimit has it) a life with as little as that
limited_life() {
	needs root pid1 prlimit
	wrap_foster "exec prlimit $*"
	start_pid1 -- --drain TERM/20/KILL -- "$SPY" --name program --exit-on TERM:3:200
	wait_for "$out" '^program: ready'
	before=$(size_of_foster)
	for n in 1 2 3; do
		send USR1
		wait_for "$out" '^program: got USR1' "$n"
	done
	orphans 50
	same_size
	send TERM
	expect_end 3
	grep -qx 'program: done' "$out"
	[ ! -s "$err" ] || fail "$(cat "$err")"
}

# bats test_tags=limits,pid1,root
@test "RLIMIT_SIGPENDING of 0: signals pass, orphans are reaped, the program finishes" {
	limited_life --sigpending=0
}

# bats test_tags=limits,pid1,root
@test "RLIMIT_NOFILE of 0: signals pass, orphans are reaped, the program finishes" {
	limited_life --nofile=0
}

# bats test_tags=limits,pid1,root
@test "RLIMIT_NPROC of 2, foster and the program: the same, for a user without privileges" {
	needs root pid1
	# this one is not for root
	ulimit -S -u 2
	start_pid1 --uid $((300000 + $$ % 100000)) -- -- "$SPY" --name program --fork 1 --exit-on TERM:3:200
	wait_for "$out" '^program: ready'
	grep -q '^program: fork: EAGAIN' "$out"
	send USR1
	wait_for "$out" '^program: got USR1'
	send TERM
	expect_end 3
	grep -qx 'program: done' "$out"
	[ ! -s "$err" ]
}

# wrapping MAX	PIDs that wrap around while the drain ends one after the other
wrapping() {
	needs root pid1
	wrap_foster "echo $1 2>/dev/null >/proc/sys/kernel/pid_max && exec"
	run "$NS" -- bash -c "echo $1 >/proc/sys/kernel/pid_max"
	[ "$status" = 0 ] || skip 'pid_max is not one of the namespace: Linux before 6.14'
	start_pid1 -- --drain TERM/1h/KILL -- bash -c '
		for n in 1 2 3 4 5; do (setsid "$SPY" --name "d$n" --exit-on USR2 &); done
		exec "$SPY" --name program --exit-on USR1:4'
	for n in d1 d2 d3 d4 d5 program; do
		wait_for "$out" "^$n: ready"
	done
	# each is a new number until they begin anew
	nsenter --target "$foster_pid" --pid --mount "$SPY" --fork 600 >/dev/null 3>&- 4>&-
	send USR1
	wait_for "$out" '^d[1-5]: got TERM' 5
	"$SPY" --send "$(pid_of d2)" USR2
	# a drain touches a page of the stack that was not used before
	nsenter --target "$foster_pid" --pid --mount "$SPY" --fork 10 >/dev/null 2>&1 3>&- 4>&- || :
	wait_until eval '[ "$(namespace | wc -l)" = 5 ]'
	before=$(size_of_foster)
	# at 301 it is always the same number, and one that is taken is refused
	newcomers=0
	while [ "$newcomers" -lt 30 ]; do
		nsenter --target "$foster_pid" --pid --mount "$SPY" --fork 10 >/dev/null 2>&1 3>&- 4>&- || :
		newcomers=$((newcomers + 1))
	done
	same_size
	for n in 1 3 4 5; do
		"$SPY" --send "$(pid_of "d$n")" USR2
	done
	expect_end 4
	for n in 1 2 3 4 5; do
		assert_equal "$(grep -c "^d$n: got TERM" "$out")" 1
		grep -qx "d$n: done" "$out"
	done
	[ ! -s "$err" ]
}

# bats test_tags=limits,pid1,root
@test "PIDs that wrap around at 400 during a drain: each is told once, and finishes" {
	wrapping 400
}

# bats test_tags=limits,pid1,root
@test "PIDs at their least, 301, during a drain: each is told once, and finishes" {
	wrapping 301
}

# small_disk COMMANDS	runs them, then foster, with a tmpfs of one page at $BATS_TEST_TMPDIR/disk
small_disk() {
	needs root pid1
	disk=$BATS_TEST_TMPDIR/disk
	mkdir "$disk"
	wrap_foster "mount -t tmpfs -o size=4k none '$disk'; $1 exec"
}

# bats test_tags=limits,pid1,root
@test "a full disk: the report's line is absent, foster says so, and the status is the program's" {
	small_disk "head -c 4096 /dev/zero >'$BATS_TEST_TMPDIR/disk/report';"
	run -3 as_pid1 -- --report "$disk/report" -- bash -c "wc -c <'$disk/report'; exit 3"
	assert_line 4096
	assert_line "foster: $disk/report: No space left on device"
	[ "${#lines[@]}" = 2 ]
}

# bats test_tags=limits,pid1,root
@test "room for half of the report's line: none of it is there" {
	small_disk "head -c 4090 /dev/zero >'$BATS_TEST_TMPDIR/disk/report'; exec 9<'$BATS_TEST_TMPDIR/disk/report';"
	start_pid1 -- --report "$disk/report" --drain TERM/20/KILL -- bash -c \
		'(setsid "$SPY" --name left --exit-on USR2 &); exec "$SPY" --name program --exit-on USR1:3'
	left=$(pid_of left)
	wait_for "$out" '^program: ready'
	send USR1
	wait_for "$err" "^foster: $disk/report: No space left on device\$"
	assert_equal "$(stat -c %s "/proc/$left/root$disk/report")" 4090
	"$SPY" --send "$left" USR2
	expect_end 3
}

# bats test_tags=limits,pid1,root
@test "--install on a full disk: one line, status 125, and nothing is left there" {
	needs root pid1
	disk=$BATS_TEST_TMPDIR/disk
	mkdir "$disk"
	run "$NS" -- bash -c "mount -t tmpfs -o size=4k none '$disk'
		\"\$FOSTER\" --install '$disk/foster'; echo \$?; ls -A '$disk' | wc -l"
	assert_line "foster: $disk/foster: No space left on device"
	assert_line 125
	assert_line 0
	[ "${#lines[@]}" = 3 ]
}

# bats test_tags=limits,pid1,root
@test "10,000 descriptors inherited: the program has them all, foster keeps one" {
	needs root pid1
	wrap_foster 'ulimit -n 10100; for ((fd = 0; fd < 10000; fd++)); do exec {high}</dev/null; done; exec'
	start_pid1 -- -- "$SPY" --name program --state --exit-on TERM:3
	wait_for "$out" '^program: ready'
	assert_equal "$(sed -n 's/^program: fds//p' "$out" | wc -w)" 10003
	assert_equal "$(ls "/proc/$foster_pid/fd")" 2
	warm_up
	orphans 100
	same_size
	send TERM
	expect_end 3
}

# bats test_tags=limits,pid1,root
@test "an environment of 2 MB reaches the program to the bit, without FOSTER_OPTIONS" {
	needs root pid1
	wrap_foster 'ulimit -s 65536; long=$(printf "%0100000d" 0)
		for ((n = 0; n < 20; n++)); do export "V$n=$n$long"; done; unset long
		cat /proc/self/environ >/dev/null; export FOSTER_OPTIONS="-e 7:3"
		env -0 | sort -z | grep -zv -e ^FOSTER_OPTIONS= -e ^_= | sha256sum >&2; exec'
	start_pid1 -- -- bash -c 'env -0 | sort -z | grep -zv -e ^_= | sha256sum; env | wc -c; echo ready; exec "$SPY" --name program --exit-on TERM:7'
	wait_for "$out" '^program: ready'
	assert_equal "$(head -n 1 "$out")" "$(head -n 1 "$err")"
	[ "$(sed -n 2p "$out")" -gt 2000000 ]
	warm_up
	orphans 100
	same_size
	send TERM
	expect_end 3
}

# bats test_tags=limits
@test "no clock but the monotonic one is asked, so that one that is set disturbs no deadline" {
	needs strace
	run -143 strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=all "$FOSTER" --timeout 50ms \
		--stop 50ms/USR1/50ms/TERM -e 124:143 -- "$SPY" --leave TERM --listen
	foster=$(awk '/execve/ { print $1; exit }' "$BATS_TEST_TMPDIR/trace")
	# the vDSO answers for this clock, or else the call
	grep -E "^$foster +(clock_|gettimeofday|time|timer|setitimer|alarm)" "$BATS_TEST_TMPDIR/trace" |
		run -1 grep -v 'clock_gettime(CLOCK_MONOTONIC'
}

# bats test_tags=limits,pid1,root
@test "in a time namespace whose clock is a year ahead a schedule's times come" {
	needs root pid1 unshare
	wrap_foster 'exec unshare --time --monotonic 31536000 --boottime 31536000'
	start_pid1 --not-init -- --stop TERM/100ms/USR2/100ms/KILL -- "$SPY" --name program --listen
	wait_for "$out" '^program: ready'
	send TERM
	expect_end 137
	assert_equal "$(sed -n 's/^program: got \([^ ]*\) .*/\1/p' "$out" | grep -vx CONT | paste -sd' ')" 'TERM USR2'
}
