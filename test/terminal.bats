# terminal.bats: keys, job control and who has the terminal.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016  # set by helper.bash and by "run"; "$SPY" is for the shell inside
# shellcheck disable=SC2030,SC2031  # each test is a subshell

bats_require_minimum_version 1.8.0
load helper

shell=(env 'PS1=ready> ' bash --norc --noprofile -i)

# count REGEX N	whether so many lines of the output match
count() {
	[ "$(grep -Ec "$1" <<<"$output")" = "$2" ] || fail "not $2 x $1 in: $output"
}

# wakes	how often foster woke up
wakes() {
	status_field "$foster_pid" voluntary_ctxt_switches
}

# stays_asleep	whether foster sleeps through 300 ms
stays_asleep() {
	local before

	before=$(wakes)
	"$SPY" --for 300 >/dev/null
	[ $(($(wakes) - before)) -le 2 ] || fail "$(($(wakes) - before)) wake-ups"
}

# outer NAME	the PID out here of what printed "NAME: ready PID"
outer() {
	outer_pid "$(sed -n "s/^$1: ready //p" "$out" | head -n 1)"
}

# bats test_tags=terminal,tty,pid1
@test "Ctrl-C, Ctrl-\\ and window changes reach the program once, from the kernel" {
	needs tty pid1
	for init in '' --pid1; do
		# shellcheck disable=SC2086
		run -0 "$PTY" $init -- "$FOSTER" -- "$SPY" --listen <<-'END'
			expect ready
			send \x03
			expect got INT code SI_KERNEL
			send \x1c
			expect got QUIT code SI_KERNEL
			resize 40 90
			expect got WINCH code SI_KERNEL
			kill USR1
			expect got USR1
		END
		count '^(\^[C\\])*got (INT|QUIT|WINCH|USR1) ' 4
	done
}

# bats test_tags=terminal,tty,pid1
@test "a hang-up reaches foster, the session's leader, and is forwarded" {
	needs tty pid1
	for init in '' --pid1; do
		rm -f "$BATS_TEST_TMPDIR/log"
		# shellcheck disable=SC2086
		run -0 "$PTY" $init -- "$FOSTER" -- "$SPY" --exit-on HUP:3 --out "$BATS_TEST_TMPDIR/log" <<-END
			await $BATS_TEST_TMPDIR/log ready
			hangup
			wait
		END
		assert_line 'status 3'
		[ "$(grep -c 'got HUP' "$BATS_TEST_TMPDIR/log")" = 1 ]
	done
}

# bats test_tags=terminal,tty
@test "an ignored SIGINT or SIGQUIT alone makes it no background job: the program gets the terminal" {
	needs tty
	for sig in INT QUIT; do
		run -0 "$PTY" -- sh -c 'trap "" "$0"; exec "$FOSTER" "$SPY" --name main --default TTIN --exit-on TERM:5 --read-tty' $sig <<-'END'
			expect main: ready
			send hello\r
			expect main: read: hello
			kill TERM
			wait
		END
		assert_line 'status 5'
	done
}

# bats test_tags=terminal,tty,pid1
@test "foster bash has job control as PID 1, with no warning from the shell" {
	needs tty pid1
	for init in '' --pid1; do
		# shellcheck disable=SC2086
		run -0 "$PTY" $init -- env PS1='ready> ' "$FOSTER" -- bash --norc --noprofile -i <<-'END'
			expect ready>
			send "$SPY" --name one --default TSTP --exit-on INT\r
			expect one: ready
			foreground one
			send \x1a
			expect Stopped
			foreground bash
			send fg\r
			expect one: got CONT
			foreground one
			send \x03
			expect one: got INT code SI_KERNEL
			expect ready>
			foreground bash
			send exit 5\r
			wait
		END
		assert_line 'status 5'
		refute_output --partial 'no job control'
		refute_output --partial 'bash: '
	done
}

# bats test_tags=terminal,tty,pid1
@test "Ctrl-Z as PID 1: nobody could continue the program, so foster does" {
	needs tty pid1
	run -0 "$PTY" --pid1 -- "$FOSTER" -- "$SPY" --default TSTP --listen <<-'END'
		expect ready
		send \x1a
		expect got CONT
		send \x1a
		expect got CONT
		kill TSTP
		expect got CONT
		foreground spy
		send \x03
		expect got INT code SI_KERNEL
	END
}

# bats test_tags=terminal,pid1
@test "what a wrapper runs may suspend itself after the wrapper: PID 1 continues it a second later" {
	needs pid1
	# the time is for the first SIGCONT, which comes at once
	start_pid1 -- -- sh -c 'sh -c "kill -TSTP \$PPID; sleep 0.3; kill -TSTP \$\$; echo went on"; exit 3'
	wait_for "$out" '^went on'
	expect_end 3
}

# bats test_tags=terminal,pid1
@test "a program that stops itself with SIGTSTP is continued by PID 1, also without a terminal" {
	needs pid1
	start_pid1 -- -- "$SPY" --stop-self TSTP --exit-on USR1:3
	wait_for "$out" '^got CONT'
	send USR1
	wait_end
	[ "$status" = 3 ]
}

# bats test_tags=terminal,pid1
@test "a program that left its group and stops itself with SIGTSTP is continued as well" {
	needs pid1
	for init in '' --not-init; do
		# shellcheck disable=SC2086
		start_pid1 $init -- -- "$SPY" --setpgid --stop-self TSTP
		wait_for "$out" '^got CONT'
	done
}

# bats test_tags=terminal,tty,pid1
@test "a stop by SIGTTIN or SIGTTOU stays one, as PID 1 too, while the foreground has members" {
	needs tty pid1 proc
	for sig in TTIN TTOU; do
		for init in '' --pid1; do
			# shellcheck disable=SC2086
			start_pty $init -- "$FOSTER" -- "$SPY" --name main --stop-self "$sig"
			wait_for "$out" '^main: ready'
			wait_state "$(outer main)" T
			stays_asleep
			wait_state "$(outer main)" T
			send CONT
			wait_for "$out" '^main: got CONT'
		done
	done
}

# start_job_and_main	a shell's job has the terminal, which the program, main, reads
start_job_and_main() {
	start_pty --pid1 -- "$FOSTER" -- sh -c \
		'bash -c "set -m; \"\$SPY\" --name job --listen; :" & exec "$SPY" --name main --default TTIN --read-tty'
	wait_for "$out" ': ready' 2
	on_pty foreground job
	wait_for "$out" '^foreground .* job'
}

# bats test_tags=terminal,tty,pid1
@test "PID 1 gives a terminal whose foreground group has gone to the program that reads it" {
	needs tty pid1
	start_job_and_main
	kill -KILL "$(status_field "$(outer job)" PPid)" 2>/dev/null ||
		kill -KILL "$(ps -o ppid= -p "$(outer job)")"
	kill -KILL "$(outer job)"
	on_pty 'send hello\r'
	wait_for "$out" '^main: got CONT'
	wait_for "$out" '^main: read: hello'
	on_pty 'send \x03'
	wait_for "$out" 'main: got INT code SI_KERNEL'
}

# bats test_tags=terminal,tty,pid1
@test "PID 1 gives the terminal also when its foreground group goes after the program has stopped" {
	needs tty pid1
	start_job_and_main
	on_pty 'send hello\r'
	main=$(outer main) job=$(outer job)
	wait_state "$main" T
	kill -KILL "$(ps -o ppid= -p "$job")"
	kill -KILL "$job"
	wait_for "$out" '^main: got CONT'
	wait_for "$out" '^main: read: hello'
}

# bats test_tags=terminal,tty,pid1
@test "a program that somebody else continued gets neither a second SIGCONT nor the terminal" {
	needs tty pid1
	start_pty --pid1 -- "$FOSTER" -- sh -c \
		'bash -c "set -m; \"\$SPY\" --name job --listen; :" & exec "$SPY" --name main --stop-self TTIN --listen'
	wait_for "$out" ': ready' 2
	on_pty foreground job
	wait_for "$out" '^foreground .* job'
	main=$(outer main) job=$(outer job)
	wait_state "$main" T
	kill -CONT "$main"
	wait_for "$out" '^main: got CONT'
	kill -KILL "$(ps -o ppid= -p "$job")"
	kill -KILL "$job"
	wait_gone "$job"
	send USR1
	wait_for "$out" '^main: got USR1'
	[ "$(grep -c '^main: got CONT' "$out")" = 1 ]
}

# bats test_tags=terminal,tty,pid1
@test "PID 1 takes the terminal from nobody: a program that reads in the background stays stopped" {
	needs tty pid1 proc
	start_job_and_main
	on_pty 'send hello\r'
	wait_state "$(outer main)" T
	stays_asleep
	wait_state "$(outer main)" T
	# nor does it keep the terminal open
	assert_equal "$(echo "/proc/$foster_pid/fd"/*)" "/proc/$foster_pid/fd/2"
	on_pty 'send \x03'
	wait_for "$out" 'job: got INT code SI_KERNEL'
	run ! grep -q '^main: got' "$out"
}

# bats test_tags=terminal,tty
@test "a session leader that isn't PID 1 doesn't spin, either, when its program is refused" {
	needs tty proc
	start_pty -- "$FOSTER" -- sh -c \
		'bash -c "set -m; \"\$SPY\" --name job --listen; :" & exec "$SPY" --name main --default TTIN --read-tty'
	wait_for "$out" ': ready' 2
	on_pty foreground job
	wait_for "$out" '^foreground .* job'
	on_pty 'send hello\r'
	wait_state "$(outer main)" T
	stays_asleep
	on_pty 'send \x03'
	wait_for "$out" 'job: got INT code SI_KERNEL'
}

# bats test_tags=terminal,pid1
@test "a stop by SIGSTOP is left alone" {
	needs pid1 proc
	for init in '' --not-init; do
		# shellcheck disable=SC2086
		start_pid1 $init -- -- "$SPY" --name main --stop-self STOP
		wait_for "$out" '^main: ready'
		program=$(outer main)
		wait_state "$program" T
		send USR1
		wait_until grep -qs '^ShdPnd:.*200$' "/proc/$program/status"
		wait_state "$program" T
		wait_state "$foster_pid" S
		send CONT
		wait_for "$out" '^main: got USR1'
	done
}

# bats test_tags=terminal,tty
@test "under a shell Ctrl-Z stops foster and its program; fg goes on and gives the terminal back" {
	needs tty
	run -0 "$PTY" -- "${shell[@]}" <<-'END'
		expect ready>
		send "$FOSTER" -- "$SPY" --name main --default TSTP --exit-on INT:5\r
		expect main: ready
		foreground main
		send \x1a
		expect Stopped
		foreground bash
		send fg\r
		expect main: got CONT
		foreground main
		send \x1a
		expect Stopped
		send fg\r
		expect main: got CONT
		foreground main
		send \x03
		expect main: got INT code SI_KERNEL
		expect ready>
		foreground bash
		send echo a$?\r
		expect a5
	END
	# one for each fg
	[ "$(grep -c 'main: got CONT' <<<"$output")" = 2 ]
}

# bats test_tags=terminal,tty
@test "a pipeline keeps its terminal: Ctrl-Z suspends it whole, fg continues it, Ctrl-C ends it" {
	needs tty
	export other=$BATS_TEST_TMPDIR/other
	run -0 "$PTY" -- "${shell[@]}" <<-END
		expect ready>
		send $FOSTER -- sh -c '"$SPY" --name other --out "$other" --default TSTP --exit-on INT:0 & exec "$SPY" --name main --default TSTP --exit-on INT:130' | sh -c 'trap "" INT; exec cat'\\r
		expect main: ready
		await $other other: ready
		foreground foster
		send \\x1a
		expect Stopped
		foreground bash
		send fg\\r
		expect main: got CONT
		await $other other: got CONT
		foreground foster
		send \\x03
		expect main: got INT code SI_USER
		await $other other: done
		expect ready>
		foreground bash
	END
	[ "$(grep -c INT "$other")" = 1 ]
}

# bats test_tags=terminal,tty
@test "a pager behind foster in a shell keeps the keys" {
	needs tty less
	run -0 "$PTY" -- "${shell[@]}" <<-'END'
		expect ready>
		send "$FOSTER" seq 1 3000 | LESS= less\r
		expect :
		send G
		expect 3000
		send q
		expect ready>
		foreground bash
	END
}

# bats test_tags=terminal,tty
@test "a stopped program goes on in the background with bg, and has the keys again with fg" {
	needs tty
	run -0 "$PTY" -- "${shell[@]}" <<-'END'
		expect ready>
		send "$FOSTER" -- "$SPY" --name main --default TSTP --listen\r
		expect main: ready
		send \x1a
		expect Stopped
		send bg\r
		expect main: got CONT
		foreground bash
		send echo a$((1))\r
		expect a1
		foreground bash
		send fg\r
		foreground foster
		send \x03
		expect main: got INT
		send \x1a
		expect Stopped
		send fg\r
		foreground main
	END
}

# bats test_tags=terminal,tty
@test "a program started in the background leaves the terminal alone, and gets it with fg" {
	needs tty
	run -0 "$PTY" -- "${shell[@]}" <<-'END'
		expect ready>
		send "$FOSTER" -- "$SPY" --name main --exit-on QUIT:5 &\r
		expect main: ready
		foreground bash
		send echo a$((1))\r
		expect a1
		send fg\r
		foreground foster
		send \x03
		expect main: got INT
		send \x1c
		expect main: got QUIT
		expect ready>
		foreground bash
	END
}

# bats test_tags=terminal,tty
@test "a background program that reads the terminal stops with foster; fg lets it read" {
	needs tty
	run -0 "$PTY" -- "${shell[@]}" <<-'END'
		expect ready>
		send set -b\r
		expect ready>
		send "$FOSTER" -- "$SPY" --name main --block-read &\r
		expect main: ready
		expect Stopped
		foreground bash
		send fg\r
		foreground main
		send hello\r
		expect main: read: hello
	END
}

# bats test_tags=terminal,tty
@test "a background program that stops itself stops foster, not the rest of its pipeline" {
	needs tty proc ps
	export log=$BATS_TEST_TMPDIR/log
	start_pty -- "${shell[@]}"
	on_pty 'expect ready>'
	on_pty 'send "$FOSTER" -- "$SPY" --out "$log" --stop-self TSTP | "$SPY" --name other --listen &\r'
	wait_for "$log" '^ready'
	wait_for "$out" 'other: ready'
	program=$(sed -n 's/^ready //p' "$log")
	wait_state "$(ps -o ppid= -p "$program" | tr -d ' ')" T
	wait_state "$program" T
	"$SPY" --send "$(sed -n 's/.*other: ready //p' "$out")" USR1
	wait_for "$out" 'other: got USR1'
	run ! grep -q 'other: got TSTP' "$out"
}

# bats test_tags=terminal,tty
@test "Ctrl-Z where nobody could continue foster (docker exec -it) continues the program" {
	needs tty
	run -0 "$PTY" -- "$FOSTER" -- "$SPY" --default TSTP --exit-on INT:5 <<-'END'
		expect ready
		send \x1a
		expect got CONT
		send \x1a
		expect got CONT
		foreground spy
		send \x03
		expect got INT code SI_KERNEL
		wait
	END
	assert_line 'status 5'
}

# bats test_tags=terminal,tty
@test "a script that starts foster with & keeps the terminal" {
	needs tty
	run -0 "$PTY" -- sh -c '"$FOSTER" -- "$SPY" --name main --listen &
		read -r line; echo "script: $line"; read -r line; echo "script: $line"' <<-'END'
		expect main: ready
		foreground sh
		send hello\r
		expect script: hello
		foreground sh
		send again\r
		expect script: again
	END
}

# bats test_tags=terminal,tty
@test "the terminal is the program's also with its descriptors 0 to 2 redirected" {
	needs tty
	export log=$BATS_TEST_TMPDIR/log
	run -0 "$PTY" -- "${shell[@]}" <<-END
		expect ready>
		send "\$FOSTER" -- "\$SPY" --name main --exit-on INT:5 </dev/null >"\$log" 2>&1\r
		await $log ready
		foreground main
		send \x03
		await $log got INT code SI_KERNEL
		foreground bash
		send echo a\$?\r
		expect a5
	END
}

# bats test_tags=terminal,tty
@test "in a pipeline the program gets the terminal when it reads it, whichever of its ends foster is" {
	needs tty
	# shellcheck disable=SC2089,SC2090  # it is one argument, to a shell
	reader='read line </dev/tty; echo "$0 read $line"; exec "$SPY" --name $0 --exit-on INT'
	# shellcheck disable=SC2090
	export reader
	run -0 "$PTY" -- sh -c 'tail -f /dev/null | "$FOSTER" -- sh -c "$reader" last
		"$FOSTER" -- sh -c "$reader" first | cat' <<-'END'
		send hello\r
		expect last read hello
		expect last: ready
		foreground last
		send \x03
		expect last: got INT code SI_KERNEL
		send again\r
		expect first read again
		expect first: ready
		foreground first
		send \x03
		expect first: got INT code SI_KERNEL
	END
}

# bats test_tags=terminal,tty
@test "the script has the terminal again after the program's end and after a failed start" {
	needs tty
	for program in '"$SPY" --exit 3' '"$SPY" --die KILL' /no/such/program; do
		run -0 "$PTY" -- sh -c "\"\$FOSTER\" -- $program"'
			echo "script: $?"; read -r line; echo "script: $line"' <<-'END'
			expect script:
			foreground sh
			send hello\r
			expect script: hello
		END
	done
}

# bats test_tags=terminal,tty,subreaper
@test "the script has the terminal again where the program left an empty foreground group" {
	needs tty
	run -0 "$PTY" -- sh -c '"$FOSTER" --drain KILL -- bash -c "
			set -m; \"\$SPY\" --name job --listen; :"
		echo "script: $?"; read -r line; echo "script: $line"' <<-'END'
		expect job: ready
		foreground job
		kill WINCH
		send \x03
		expect job: got INT code SI_KERNEL
	END
	start_pty -- sh -c '"$FOSTER" --drain KILL -- bash -c "
		echo bash \$\$; set -m; \"\$SPY\" --name job --listen; :"
		echo "script: $?"; read -r line; echo "script: $line"'
	wait_for "$out" '^job: ready'
	on_pty foreground job
	wait_for "$out" '^foreground .* job'
	kill -KILL "$(sed -n 's/^bash //p' "$out")"
	wait_for "$out" '^script: 137'
	on_pty 'send hello\r'
	wait_for "$out" '^script: hello'
}

# bats test_tags=terminal,tty,pid1
@test "a PID namespace whose terminal is held outside: the program has it" {
	needs tty pid1
	run -0 "$PTY" -- "${shell[@]}" <<-'END'
		expect ready>
		send "$NS" --no-setsid -- "$FOSTER" -- "$SPY" --name main --default TSTP --exit-on QUIT:5\r
		expect main: ready
		foreground main
		send \x03
		expect main: got INT code SI_KERNEL
		send \x1a
		expect main: got CONT
		send \x1c
		expect main: got QUIT code SI_KERNEL
		expect ready>
		send echo a$?\r
		expect a5
	END
	count 'main: got INT' 1
}

# bats test_tags=terminal,tty,pid1
@test "a PID namespace in the background of a terminal held outside steals nothing" {
	needs tty pid1
	run -0 "$PTY" -- "${shell[@]}" <<-'END'
		expect ready>
		send "$NS" --no-setsid -- "$FOSTER" -- "$SPY" --name main --listen &\r
		expect main: ready
		foreground bash
		send echo a$((1))\r
		expect a1
		foreground bash
	END
}

# bats test_tags=terminal,tty
@test "Ctrl-C reaches the program's group alone: a script around foster goes on, with 130" {
	needs tty
	for sh in sh bash; do
		run -0 "$PTY" -- "$sh" -c '"$FOSTER" -- "$SPY" --name main --leave INT --listen
			echo "script: $?"; read -r line; echo "script: $line"' <<-'END'
			expect main: ready
			foreground main
			send \x03
			expect script: 130
			send hello\r
			expect script: hello
			wait
		END
		assert_line 'status 0'
	done
}

# bats test_tags=terminal,tty,pid1
@test "without /dev the terminal is found by the descriptors that lead to it" {
	needs tty pid1
	run -0 "$PTY" --pid1 --no-dev -- "$FOSTER" "$SPY" --name program --exit-on INT:4 \
		<<<$'expect ready\nforeground program\nsend \\x03\nwait'
	assert_line 'status 4'
}

# bats test_tags=terminal,pid1
@test "PID 1 with no terminal leaves a program stopped that stops by SIGTTIN" {
	needs pid1
	start_pid1 -- -- "$SPY" --name program --stop-self TTIN --exit-on USR1:3
	wait_for "$out" '^program: ready'
	wait_state "$(pid_of program)" T
	send CONT
	wait_for "$out" '^program: got CONT '
	send USR1
	expect_end 3
}

# bats test_tags=terminal,tty
@test "also where SIGINT and SIGQUIT were ignored, an end by Ctrl-C is the whole group's" {
	needs tty
	run -0 "$PTY" -- sh -c 'trap "" INT QUIT; "$FOSTER" --default-signal INT -- "$SPY" --name main --die-on INT
		echo "script: $?"; "$FOSTER" --default-signal INT -- sh -c "kill -INT \$\$"; echo "again: $?"' <<-'END'
		expect main: ready
		send \x03
		expect script: 130
		expect again: 130
		wait
	END
}

# bats test_tags=terminal,tty
@test "a program that left its group and stopped has the terminal with fg" {
	needs tty
	run -0 "$PTY" -- "${shell[@]}" <<-'END'
		expect ready>
		send set -b\r
		expect ready>
		send "$FOSTER" -- "$SPY" --name main --setpgid --block-read\r
		expect main: ready
		expect Stopped
		foreground bash
		send fg\r
		send hello\r
		expect main: read: hello
	END
}

# bats test_tags=terminal,tty
@test "the script has the terminal again where the program left others in its group" {
	needs tty
	run -0 "$PTY" -- sh -c '"$FOSTER" -- sh -c "\"\$SPY\" --name worker --listen & read -r go; exit 3"
		echo "script: $?"; read -r line; echo "script: $line"' <<-'END'
		expect worker: ready
		send go\r
		expect script: 3
		foreground sh
		send hello\r
		expect script: hello
	END
}

# bats test_tags=terminal,tty,pid1
@test "PID 1 whose own group is the foreground gives the terminal to the program that reads it" {
	needs tty pid1
	run -0 "$PTY" --pid1 -- sh -c 'trap "" INT QUIT; exec "$FOSTER" -- "$SPY" --name main --block-read' <<-'END'
		expect main: ready
		send hello\r
		expect main: read: hello
	END
}

# bats test_tags=terminal,tty,pid1
@test "PID 1 gives the terminal to a program that left its group, too" {
	needs tty pid1
	start_pty --pid1 -- "$FOSTER" -- "$SPY" --name main --setpgid --default TTIN --read-tty
	wait_for "$out" '^main: ready'
	on_pty 'send hello\r'
	wait_for "$out" '^main: read: hello'
}

# bats test_tags=terminal,tty
@test "fg continues the program once" {
	needs tty
	run -0 "$PTY" -- "${shell[@]}" <<-'END'
		expect ready>
		send "$FOSTER" -- "$SPY" --name main --default TSTP --exit-on QUIT --listen\r
		expect main: ready
		send \x1a
		expect Stopped
		send fg\r
		expect main: got CONT
		foreground main
		send \x03
		expect main: got INT
		send \x1c
		expect main: got QUIT
		expect ready>
	END
	[ "$(grep -c 'main: got CONT' <<<"$output")" = 1 ] || fail "$output"
}

# bats test_tags=terminal,tty
@test "a background program that stops by SIGTTOU stops foster, too, and goes on with fg" {
	needs tty
	run -0 "$PTY" -- "${shell[@]}" <<-'END'
		expect ready>
		send set -b\r
		expect ready>
		send "$FOSTER" -- "$SPY" --name main --stop-self TTOU --listen &\r
		expect main: ready
		expect Stopped
		foreground bash
		send fg\r
		foreground main
		expect main: got CONT
	END
}

# bats test_tags=terminal,tty,pid1
@test "PID 1: Ctrl-C reaches all once, and nobody is told again" {
	needs tty pid1
	start_pty --pid1 -- "$FOSTER" sh -c '"$SPY" --name app --exit-on USR1 &
		exec "$SPY" --name program --die-on INT'
	wait_for "$out" '^(app|program): ready' 2
	program=$(pid_of program)
	on_pty 'send \x03'
	wait_for "$out" 'app: got INT'
	wait_gone "$program"
	wait_state "$foster_pid" S
	"$SPY" --for 200 >/dev/null
	"$SPY" --send "$(pid_of app)" USR1
	on_pty wait
	wait_for "$out" '^status 130'
	assert_equal "$(grep -c 'app: got INT' "$out")" 1
}

# bats test_tags=terminal,tty
@test "-c: a SIGINT from elsewhere, in the foreground, is told to the others after the program's end" {
	needs tty
	start_pty -- "$FOSTER" -c -- sh -c '"$SPY" --name app --exit-on INT:0:300 &
		exec "$SPY" --name program --die-on INT'
	wait_for "$out" '^(app|program): ready' 2
	kill -INT "$foster_pid"
	wait_for "$out" 'app: got INT'
	on_pty wait
	wait_for "$out" '^status 130'
}
