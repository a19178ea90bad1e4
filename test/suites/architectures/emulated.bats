# emulated.bats: does the binary of another architecture keep the promises, under an emulator of its processor?
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2016  # set by helper.bash and by "run"; "$SPY" is for the shell inside
#
# FOSTER is a script that runs BINARY under qemu-user; what foster starts is this machine's.
# Left out, since the emulator has it its own way, and seen on the machines of boot.bats instead:
# - dispositions, mask and real-time numbers to the bit: it needs some signals itself
# - "the binary is for another architecture": execve(2) is this machine's
# - where s390x reads a loader's name: the headers here are in this machine's byte order
# - PR_SET_CHILD_SUBREAPER, which it refuses (foster says so), and pidfds, and so the drain of a foster that isn't PID 1
# - memory, system calls and wake-ups, which are the emulator's

bats_require_minimum_version 1.8.0
load ../../helper

@test "it is the version and the commit that were released" {
	run -0 "$FOSTER" --version
	assert_output "foster $VERSION - git.$COMMIT"
}

@test "arguments and environment reach the program" {
	run -0 env FOSTER_OPTIONS=-g A=b "$FOSTER" -- sh -c 'echo "$1:$A:$FOSTER_OPTIONS"' sh 'two words'
	assert_line 'two words:b:'
}

@test "the exit status is the program's, and -e changes it" {
	for status in 0 1 42 255; do
		run "-$status" "$FOSTER" sh -c "exit $status"
	done
	run -5 "$FOSTER" -e 7:5 -- sh -c 'exit 7'
}

@test "a program killed by a signal is 128+n, and the report says so" {
	run -137 "$FOSTER" --report "$BATS_TEST_TMPDIR/report" -- sh -c 'kill -KILL $$'
	assert_equal "$(cat "$BATS_TEST_TMPDIR/report")" 'killed by SIGKILL (9)'
}

@test "what can't be started is 127 or 126, and one line that says why" {
	run -127 "$FOSTER" /no/such/program
	assert_line 'foster: /no/such/program: No such file or directory'
	run -127 "$FOSTER" no-such-program
	assert_line 'foster: no-such-program: No such file or directory'
	run -126 "$FOSTER" /proc
	assert_line 'foster: /proc: Permission denied'
	printf '#!/no/interpreter\n' >"$BATS_TEST_TMPDIR/script"
	chmod +x "$BATS_TEST_TMPDIR/script"
	run -126 "$FOSTER" "$BATS_TEST_TMPDIR/script"
	assert_output --partial ': the interpreter /no/interpreter is missing'
}

@test "a missing loader is named, whatever the sizes of the two machines' words" {
	[ "$ARCH" != s390x ] || return 0	# see above
	echo 'void _start(void) {}' | cc -x c - -nostdlib -pie -fPIE -Wl,-dynamic-linker=/no/loader \
		-o "$BATS_TEST_TMPDIR/program"
	run -126 "$FOSTER" "$BATS_TEST_TMPDIR/program"
	assert_output --partial ': the loader /no/loader is missing'
}

@test "a text file without #! is a shell's" {
	echo 'echo "$0 $1"' >"$BATS_TEST_TMPDIR/text"
	chmod +x "$BATS_TEST_TMPDIR/text"
	run -0 "$FOSTER" "$BATS_TEST_TMPDIR/text" word
	assert_line "$BATS_TEST_TMPDIR/text word"
}

@test "options that are wrong are 125, and named" {
	run -125 "$FOSTER" --stop TREM/10/KILL -- true
	assert_output "foster: TREM/10/KILL: not a schedule: a signal's name was expected"
	run -125 "$FOSTER" -e 300 true
	assert_output --partial 'foster: -e 300: '
	FOSTER_OPTIONS='-r FOO:TERM' run -125 "$FOSTER" true
	assert_output --partial 'FOO:TERM'
}

@test "times are read and written in full, however wide a long is" {
	run -0 "$FOSTER" -vv --timeout 10000h --stop 2500ms/TERM/1.5m/KILL true
	assert_output --partial -- '--timeout 36000000s'
	assert_output --partial -- '--stop 2500ms/TERM/90s/KILL'
}

@test "signals reach the program as PID 1, rewritten and dropped as asked for" {
	needs pid1
	start_pid1 -- -r HUP:USR2 -r USR1:0 -- "$SPY" --listen --exit-on TERM:3
	wait_for "$out" '^ready'
	for sig in USR1 HUP INT QUIT WINCH; do
		send "$sig"
	done
	for sig in USR2 INT QUIT WINCH; do
		wait_for "$out" "^got $sig "
	done
	send TERM
	wait_end
	assert_equal "$status" 3
	run -1 grep -e '^got USR1' -e '^got HUP' "$out"
}

@test "orphans are reaped, however many" {
	needs pid1
	start_pid1 -- -- "$SPY" --fork 100 --double --listen --exit-on TERM:0
	wait_for "$out" '^ready'
	wait_until eval '[ "$(zombies)" = 0 ]'
	send TERM
	wait_end
	assert_equal "$status" 0
}

@test "a stop behind a shell wrapper lets the application finish" {
	needs pid1
	start_pid1 -- -- sh -c '"$SPY" --listen --exit-on TERM:0:300; exit 7'
	wait_for "$out" '^ready'
	send TERM
	wait_end
	wait_for "$out" '^done'
	assert_equal "$status" 143
}

@test "a schedule ends who does not listen, and says so" {
	needs pid1
	start_pid1 -- --stop TERM/200ms/KILL -- "$SPY" --name deaf --listen
	wait_for "$out" 'ready'
	send TERM
	wait_end
	assert_equal "$status" 137
	wait_for "$out" 'got TERM'
	grep -E '^foster: pid [0-9]+ \(deaf\): still running after 200 ms, sending KILL$' "$err"
}

@test "a drain waits for who left the group" {
	needs pid1
	start_pid1 -- --drain TERM/30/KILL -- sh -c \
		'"$SPY" --setsid --listen --exit-on TERM:0:300 & until grep -q ^ready "$0"; do sleep 0.1; done; exit 9' "$BATS_TEST_TMPDIR/out0"
	wait_end
	assert_equal "$status" 9
	wait_for "$out" '^done'
}

@test "out of time is 124" {
	run -124 "$FOSTER" --timeout 200ms -- "$SPY" --listen --exit-on TERM:0
	assert_line --partial 'got TERM'
}

@test "it installs itself, to the bit" {
	run -0 "$FOSTER" --install "$BATS_TEST_TMPDIR/foster"
	cmp "$BATS_TEST_TMPDIR/foster" "$BINARY"
}
