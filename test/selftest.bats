# selftest.bats: can what the tests are made of be trusted? Needs any init as FOSTER.
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2016  # set by helper.bash and by "run"; "$SPY" is for the shell inside

bats_require_minimum_version 1.8.0
load helper

@test "spy tells ignored and blocked signals, also 32 to 34 and 64" {
	run -0 "$NS" --not-init --default all --ignore HUP --ignore 32 --ignore RTMIN \
		--ignore 64 --block 1 --block 33 --block RTMAX -- "$SPY" --state
	assert_line 'ignored 8000000280000001'
}

@test "spy tells descriptors, arguments, environment, limits, umask and directory" {
	cd "$BATS_TEST_TMPDIR"
	umask 0027
	run -0 env -i B=2 A=$'1\n2' "$NS" --not-init --keep 7 -- \
		"$SPY" --state --env -- '' 'two words' 7</dev/null
	assert_line 'fds 0 1 2 7'
	assert_line 'umask 0027'
	assert_line "cwd $BATS_TEST_TMPDIR"
	assert_line 'argv 4=[]'
	assert_line 'argv 5=[two words]'
	assert_line 'foreground -'
	[ "${lines[-2]}" = 'env B=2' ]
	[ "${lines[-1]}" = 'env A=1\n2' ]
}

@test "spy tells its state to a file when 0 to 2 are closed" {
	run -0 "$NS" --not-init --close 0,1,2 -- "$SPY" --out "$BATS_TEST_TMPDIR/log" --state
	wait_for "$BATS_TEST_TMPDIR/log" '^fds$'
}

@test "a pending signal is seen, and taken once spy listens" {
	start_plain --block USR1 --block 64 -- -- bash -c \
		'kill -USR1 $$; "$SPY" --send $$ 64; exec "$SPY" --state --listen'
	wait_for "$out" '^pending 8000000000000200$'
	wait_for "$out" '^got RTMIN\+30 code SI_USER'
	wait_for "$out" '^got USR1 code SI_USER'
}

@test "spy loses none of 1000 real-time signals, and keeps their order" {
	needs pid1
	start_pid1 -- -- "$SPY" --listen --exit-on TERM
	wait_for "$out" '^ready'
	program=$(outer_pid "$(sed -n 's/ready //p' "$out")")
	"$SPY" --send "$program" RTMIN+5 --value 1 --count 1000 --retry
	wait_for "$out" '^got RTMIN\+5 ' 1000
	run -0 sed -n 's/.* value //p' "$out"
	assert_equal "$output" "$(seq 1000)"
}

@test "spy tells each catchable signal by name, with its sender" {
	start_plain -- -- "$SPY" --listen
	wait_for "$out" '^ready'
	program=$(sed -n 's/ready //p' "$out")
	for sig in {1..8} {10..18} {20..64}; do
		"$SPY" --send "$program" "$sig"
	done
	wait_for "$out" '^got .* code SI_USER from [1-9]' 62
	wait_for "$out" '^got 32 '
	wait_for "$out" '^got RTMIN\+30 '
}

@test "spy finishes after its delay, and still tells what comes meanwhile" {
	start_plain -- -- "$SPY" --exit-on USR2:7:2000
	wait_for "$out" '^ready'
	send USR2
	wait_for "$out" '^leaving'
	send USR1
	wait_end
	[ "$status" = 7 ]
	[ "$(sed 's/ code.*//' "$out" | tail -n 4 | tr '\n' ,)" = 'got USR2,leaving,got USR1,done,' ]
}

@test "spy really stops, and is killed by what was asked for" {
	start_plain -- -- "$SPY" --stop-self STOP --die-on USR1
	wait_for "$out" '^ready'
	program=$(sed -n 's/ready //p' "$out")
	wait_state "$program" T
	"$SPY" --send "$program" CONT
	wait_for "$out" '^got CONT'
	send USR1
	wait_end
	[ "$status" = $((128 + 10)) ]
}

@test "a full queue is EAGAIN" {
	start_plain -- -- "$SPY" --stop-self STOP --listen
	wait_for "$out" '^ready'
	program=$(sed -n 's/ready //p' "$out")
	wait_state "$program" T
	prlimit --pid "$program" --sigpending=100
	run -1 "$SPY" --send "$program" RTMIN --value 1 --count 101
	assert_output --regexp '^send: EAGAIN after [0-9]+$'
}

@test "spy moves to a group and a session of its own, even where it leads its group" {
	run -0 "$NS" --not-init -- "$SPY" --setpgid --state
	refute_line "group $(sed -n 's/^pid //p' <<<"$output")"
	needs pid1
	start_pid1 -- -- "$SPY" --setpgid --setsid --listen
	wait_for "$out" '^session [1-9]'
	wait_for "$out" '^ready'
	program=$(sed -n 's/ready //p' "$out")
	[ "$(members "$program")" = "$program" ]
}

@test "orphans and zombies are there, and are counted" {
	needs pid1
	start_pid1 -- -- "$SPY" --fork 20 --double --zombie --listen
	wait_for "$out" '^ready'
	wait_until eval '[ "$(zombies)" = 1 ]'
}

@test "ns passes mask and dispositions to the bit, as PID 1 and not" {
	needs pid1
	for init in '' --not-init; do
		# shellcheck disable=SC2086
		run -0 "$NS" --not-init --default all --ignore CHLD --ignore 34 --block 32 \
			--block 64 -- "$NS" $init -- "$SPY" --state
		assert_line 'ignored 0000000200010000'
		assert_line 'mask 8000000080000000'
		assert_line 'fds 0 1 2'
	done
}

@test "ns passes the exit status through, also with SIGCHLD ignored" {
	needs pid1
	run -7 "$NS" --ignore CHLD -- "$SPY" --exit 7
	run -137 "$NS" -- sh -c 'exec "$SPY" --send 1 KILL & wait; exit 137'
}

@test "ns ends what hangs, with all that it started" {
	needs pid1
	for init in '' --not-init; do
		# shellcheck disable=SC2086
		run -99 "$NS" $init --limit 1 -- sh -c '"$SPY" --setsid --listen & "$SPY" --listen'
		assert_line --regexp '^ready'
		assert_line 'ns: still running after 1 s, killed'
	done
}

@test "as PID 1: a fresh /proc, none, no /dev, a read-only root, another user" {
	needs root pid1
	run -0 "$NS" -- sh -c 'echo /proc/[0-9]*'
	assert_output '/proc/1'
	run -0 "$NS" --no-proc --no-dev -- sh -c 'echo /proc/* /dev/*'
	assert_output '/proc/* /dev/*'
	run -1 "$NS" --read-only -- touch /x
	run -0 "$NS" --uid 1234 -- sh -c \
		'id -u; grep -c "^Cap...:	0*$" /proc/self/status; grep NoNew /proc/self/status'
	assert_output $'1234\n5\nNoNewPrivs:	1'
}

@test "a user namespace does where there is no root" {
	needs userns
	run -0 "$NS" --userns -- "$SPY" --state
	assert_line 'pid 1'
}

@test "the namespace ends with ns" {
	needs pid1
	start_pid1 -- -- "$SPY" --listen
	wait_for "$out" '^ready'
	kill -KILL "$started_pid"
	wait_gone "$foster_pid"
}

@test "nothing that a test started outlives it" {
	start_plain -- -- sh -c '"$SPY" --listen & "$SPY" --listen & wait'
	wait_for "$out" '^ready' 2
	kill_started
	while read -r pid; do
		wait_gone "$pid"
	done < <(sed -n 's/ready //p' "$out")
}

@test "a shell on the terminal has job control" {
	needs tty
	run -0 "$PTY" --size 30x100 -- env PS1='ready> ' bash --norc --noprofile -i <<-'END'
		expect ready>
		send stty size; tty -s && echo a$((1))\r
		expect 30 100
		expect a1
		send "$SPY" --name one --default TSTP --listen\r
		expect one: ready
		foreground one
		send \x1a
		expect Stopped
		foreground bash
		send fg\r
		expect got CONT
		resize 40 90
		expect got WINCH
		send \x03
		expect one: got INT code SI_KERNEL
		kill WINCH
		send \x1a
		expect Stopped
		send exit\rexit 5\r
		wait
	END
	assert_line 'status 5'
	refute_output --partial 'no job control'
}

@test "the terminal's leader is PID 1, and hears of the hang-up" {
	needs tty pid1
	run -0 "$PTY" --pid1 -- "$SPY" --state --listen --exit-on HUP:3 \
		--out "$BATS_TEST_TMPDIR/log" <<-END
		await $BATS_TEST_TMPDIR/log ready
		kill USR1
		await $BATS_TEST_TMPDIR/log got USR1
		hangup
		wait
	END
	assert_line 'status 3'
	run -0 cat "$BATS_TEST_TMPDIR/log"
	assert_line 'pid 1'
	assert_line 'sid 1'
	assert_line 'foreground 1'
	assert_line --partial 'got HUP code SI_KERNEL'
}

@test "what the terminal never shows is status 99, with what it did show" {
	needs tty
	run -99 "$PTY" -- echo seen <<<'expect unseen'
	assert_output --partial 'the command has ended; seen since the last match:'
}

@test "a terminal in the background is typed at line by line" {
	needs tty pid1
	start_pty --pid1 -- "$SPY" --read-tty
	wait_for "$out" '^ready 1'
	on_pty 'send hello\r'
	wait_for "$out" '^read: hello'
	send USR2
	wait_for "$out" '^got USR2'
}

@test "with CI=true what is missing is a failure" {
	CI=true run -1 needs no-such-program
	assert_output --partial 'needs no-such-program'
}
