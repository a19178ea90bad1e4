# signals.bats: what is forwarded, to whom, in which order, and what may never get in the way.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016  # set by helper.bash and by "run"; "$SPY" is for the shell inside
# shellcheck disable=SC2030,SC2031  # each test is a subshell

bats_require_minimum_version 1.8.0
load helper
real_foster=$FOSTER

to_group=(CONT WINCH INT TERM)
to_program=(1 {3..8} {10..14} 16 {20..27} {29..64})

# name_of NUMBER	as spy prints it
name_of() {
	case $1 in
	[A-Z]* | 32 | 33) echo "$1" ;;
	34) echo RTMIN ;;
	*) [ "$1" -lt 34 ] && kill -l "$1" || echo "RTMIN+$(($1 - 34))" ;;
	esac
}

# start_spy [NS-OPTION...] -- [FOSTER-OPTION...]	foster as PID 1, spy as the program
start_spy() {
	start_pid1 "$@" -- "$SPY" --listen
	wait_for "$out" '^ready'
	program=$(outer_pid "$(sed -n 's/^ready //p' "$out")")
}

# start_two [NS-OPTION...] -- [FOSTER-OPTION...]	the program, "main", and a worker in its group
start_two() {
	start_pid1 "$@" -- sh -c '"$SPY" --name worker --listen & exec "$SPY" --name main --listen'
	wait_for "$out" '^worker: ready'
	wait_for "$out" '^main: ready'
}

# start_full [--value]	a stopped program whose queue takes 10 signals, under a user of its own,
# who has no other ones pending; 15 are sent, with values from 1 on. Foster gets $options.
start_full() {
	needs root pid1 proc
	start_pid1 --uid $((47000 + BATS_TEST_NUMBER)) -- "${options[@]}" -- bash -c \
		'ulimit -S -i 10 && exec "$SPY" --stop-self STOP --listen'
	wait_for "$out" '^ready'
	program=$(outer_pid "$(sed -n 's/^ready //p' "$out")")
	wait_state "$program" T
	send RTMIN+1 --count 10 ${1:+"$1" 1}
	wait_until eval '[ "$(status_field "$program" SigQ)" = 10/10 ]'
	send RTMIN+1 --count 5 ${1:+"$1" 11}
	wait_for "$err" '^foster: RTMIN\+1: .*queue is full'
	# it tried again, several times
	wakes=$(status_field "$foster_pid" voluntary_ctxt_switches)
	wait_until wakes_since "$wakes" 5
}

# wakes_since COUNT N	whether foster woke up N times more than COUNT
wakes_since() {
	[ "$(status_field "$foster_pid" voluntary_ctxt_switches)" -ge $(($1 + $2)) ]
}

# reaches SIG NAME...	sends SIG to foster and waits until each of them got it
reaches() {
	all_reach "${*:2}" "$1"
}

# all_reach "NAME..." SIG...	the same for many signals at once
all_reach() {
	local name sig

	for sig in "${@:2}"; do
		send "$sig"
	done
	for name in $1; do
		wait_until has_all "$name" "${@:2}" ||
			fail "$name did not get $(missing "$name" "${@:2}")" || return
	done
}

# each_reaches NAME...	all that a process can receive but SIGCHLD, which is foster's own; a
# SIGCONT (SIGTERM brings another one) would cancel a stop signal, and the other way round
each_reaches() {
	all_reach "$*" "${to_program[@]}" INT WINCH && reaches CONT "$@" && reaches TERM "$@"
}

has_all() {
	[ -z "$(missing "$@")" ]
}

# missing NAME SIG...	what of this it did not get
missing() {
	local sig

	comm -23 <(for sig in "${@:2}"; do name_of "$sig"; done | sort) \
		<(got "$1" | tr ' ' '\n' | sort -u) | tr '\n' ' '
}

# got [NAME]	all signals that it got, in order
got() {
	sed -n "s/^${1:+$1: }got \([^ ]*\) .*/\1/p" "$out" | tr '\n' ' '
}

# values SIG	the payloads that came with it, in order
values() {
	sed -n "s/^got $1 .* value //p" "$out"
}

# foster_by SCRIPT	from now on foster is started by this bash script, in which it is "$@"
foster_by() {
	FOSTER=$BATS_TEST_TMPDIR/foster
	printf '#!/bin/bash\nset -- "%s" "$@"\n%s\n' "$real_foster" "$1" >"$FOSTER"
	chmod +x "$FOSTER"
}

# without_cap_kill	foster may not signal what has another user
without_cap_kill() {
	needs root setpriv
	foster_by 'exec setpriv --bounding-set -kill "$@"'
}

# errors_to_pipe	foster's standard error is a pipe whose one reader is $reader
errors_to_pipe() {
	export pipe=$BATS_TEST_TMPDIR/pipe
	rm -f "$pipe"
	mkfifo "$pipe"
	exec {reader}<>"$pipe"
	foster_by 'exec "$@" 2>"$pipe"'
}

fill_pipe() {
	run -1 dd if=/dev/zero of="$pipe" bs=4096 oflag=nonblock
	run -1 dd if=/dev/zero of="$pipe" bs=1 oflag=nonblock
}

# flood SIG	without end, to foster
flood() {
	"$SPY" --send "$foster_pid" "$1" --count 1000000000 >/dev/null 3>&- 4>&- &
	started_pids+=("$!")
	flood_pid=$!
}

# bats test_tags=signals,pid1
@test "every signal from 1 to 64 reaches the program, but KILL, STOP and CHLD" {
	needs pid1
	for init in '' --not-init; do
		# shellcheck disable=SC2086
		start_pid1 $init -- -- "$SPY" --name main --listen
		wait_for "$out" '^main: ready'
		each_reaches main
		wait_for "$out" '^main: got CONT ' 2 # one follows SIGTERM
		[ "$(got main | wc -w)" = 62 ]
	done
}

# bats test_tags=signals,pid1
@test "SIGTERM, SIGINT, SIGWINCH and SIGCONT reach the program's whole group, each once" {
	needs pid1
	start_two --
	for sig in "${to_group[@]}"; do
		reaches "$sig" main worker
	done
	reaches USR1 main
	wait_for "$out" '^worker: got CONT ' 2
	[ "$(got main)" = 'CONT WINCH INT TERM CONT USR1 ' ]
	[ "$(got worker)" = 'CONT WINCH INT TERM CONT ' ]
}

# bats test_tags=signals,pid1
@test "every other signal reaches the program alone, not its workers" {
	needs pid1
	start_two --
	all_reach "main" "${to_program[@]}"
	reaches CONT main worker
	reaches WINCH main worker
	[ "$(got worker)" = 'CONT WINCH ' ]
}

# bats test_tags=signals,pid1
@test "-g: every signal reaches the whole group" {
	needs pid1
	start_two -- -g
	each_reaches main worker
}

# bats test_tags=signals,pid1
@test "-c: every signal reaches the program alone, SIGTERM too" {
	needs pid1
	start_two -- -c
	each_reaches main
	"$SPY" --send "$(outer_pid "$(sed -n 's/^worker: ready //p' "$out")")" USR1
	wait_for "$out" '^worker: got USR1'
	[ "$(got worker)" = 'USR1 ' ]
}

# bats test_tags=signals,pid1
@test "SIGCHLD sent to foster is not forwarded" {
	needs pid1
	start_spy --
	send CHLD
	send USR1
	wait_for "$out" '^got USR1'
	[ "$(got)" = 'USR1 ' ]
}

# bats test_tags=signals,pid1
@test "what a schedule sends goes where SIGTERM goes: to the group, with -c to the program" {
	needs pid1
	start_two -- --stop QUIT
	send TERM
	wait_for "$out" '^main: got QUIT'
	wait_for "$out" '^worker: got QUIT'
	start_two -- -c --stop QUIT
	send TERM
	wait_for "$out" '^main: got QUIT'
	"$SPY" --send "$(outer_pid "$(sed -n 's/^worker: ready //p' "$out")")" USR1
	wait_for "$out" '^worker: got USR1'
	[ "$(got worker)" = 'USR1 ' ]
}

# bats test_tags=signals,pid1
@test "once the program has ended, every signal goes to what is left of its group" {
	needs pid1
	for option in '' -c; do
		# shellcheck disable=SC2086
		start_pid1 -- $option -- sh -c '"$SPY" --name a --listen & "$SPY" --name b --listen & wait'
		wait_for "$out" ': ready' 2
		shell=$(outer_pid 2)
		send TERM
		wait_gone "$shell"
		wait_for "$out" ': got TERM' 2
		each_reaches a b
		send USR2 --value 7
		wait_for "$out" '^(a|b): got USR2' 4
	done
}

# bats test_tags=signals,pid1
@test "a signal with a payload reaches the program alone, payload and sender intact" {
	needs pid1
	for option in '' -g; do
		# shellcheck disable=SC2086
		start_two --not-init -- $option
		for sig in HUP USR1 INT PIPE WINCH 32 34 64; do
			"$SPY" --send "$foster_pid" "$sig" --value -7 3>&- 4>&- &
			sig=$(name_of "$sig")
			wait_for "$out" "^main: got ${sig/+/\\+} code SI_QUEUE from $! uid $UID value -7$"
		done
		reaches CONT main worker
		[ "$(got worker)" = 'CONT ' ]
	done
}

# bats test_tags=signals,pid1
@test "a signal to foster's thread, tgkill(2), is one as of kill(2): it goes to the group" {
	needs pid1
	start_two --
	send INT --thread
	wait_for "$out" '^(main|worker): got INT code SI_USER' 2
	send RTMIN+1 --thread
	wait_for "$out" '^main: got RTMIN\+1 code SI_USER'
}

# bats test_tags=signals,pid1
@test "a payload that a process of the container sends to PID 1 keeps its sender, too" {
	needs pid1
	export go=$BATS_TEST_TMPDIR/go
	mkfifo "$go"
	start_pid1 -- -- sh -c '(read -r x <"$go"; exec "$SPY" --send 1 RTMIN+1 --value -5) &
		echo "sender $!"; exec "$SPY" --listen'
	wait_for "$out" '^ready'
	echo >"$go"
	wait_for "$out" "^got RTMIN\+1 code SI_QUEUE from $(sed -n 's/^sender //p' "$out") uid 0 value -5$"
}

# bats test_tags=signals,pid1
@test "SIGTERM with a payload keeps it, and still begins a stop" {
	needs pid1
	start_two -- -v
	send TERM --value 3
	wait_for "$out" '^main: got TERM code SI_QUEUE from .* value 3$'
	wait_for "$err" '^foster: stop begins'
	wait_for "$out" '^main: got CONT'
}

# bats test_tags=signals,pid1
@test "5000 real-time signals with payloads arrive one for one, in order" {
	needs pid1
	start_spy --
	send RTMIN+3 --value 1 --count 5000 --retry
	wait_for "$out" '^got RTMIN\+3 ' 5000
	[ "$(values RTMIN+3)" = "$(seq 5000)" ]
}

# bats test_tags=signals,pid1
@test "each real-time number keeps its own order when several come at once" {
	needs pid1
	start_spy --
	for n in 1 2 3; do
		send "RTMIN+$n" --value 1 --count 1000 --retry 3>&- 4>&- &
	done
	for n in 1 2 3; do
		wait_for "$out" "^got RTMIN\+$n " 1000
		[ "$(values "RTMIN+$n")" = "$(seq 1000)" ] || fail "RTMIN+$n"
	done
}

# bats test_tags=signals,pid1
@test "real-time signals of kill(2), without a payload, are never merged" {
	needs pid1
	start_pid1 -- -- "$SPY" --stop-self STOP --listen
	wait_for "$out" '^ready'
	wait_state "$(outer_pid "$(sed -n 's/^ready //p' "$out")")" T
	send RTMIN --count 300
	send 64 --count 300
	send 32 --count 300
	send CONT
	wait_for "$out" '^got RTMIN ' 300
	wait_for "$out" '^got RTMIN\+30 ' 300
	wait_for "$out" '^got 32 ' 300
	[ "$(got | wc -w)" = 901 ]
}

# bats test_tags=signals,pid1
@test "-g: real-time signals of kill(2) reach each of the group one for one" {
	needs pid1
	start_two -- -g
	send RTMIN+7 --count 500
	wait_for "$out" '^main: got RTMIN\+7 ' 500
	wait_for "$out" '^worker: got RTMIN\+7 ' 500
}

# bats test_tags=signals,pid1
@test "a program that moved itself to another group gets the signal as well, and once" {
	needs pid1
	start_pid1 -- -- sh -c '"$SPY" --name worker --listen &
		exec "$SPY" --name main --setpgid --listen'
	wait_for "$out" ': ready' 2
	for sig in "${to_group[@]}"; do
		reaches "$sig" main worker
	done
	reaches USR1 main
	[ "$(got main)" = 'CONT WINCH INT TERM CONT USR1 ' ]
}

# bats test_tags=signals,pid1
@test "-g: also each of the other signals reaches a program that moved to another group" {
	needs pid1
	start_pid1 -- -g -- sh -c '"$SPY" --name worker --listen &
		exec "$SPY" --name main --setsid --listen'
	wait_for "$out" ': ready' 2
	all_reach "main worker" "${to_program[@]}"
}

# bats test_tags=signals,pid1
@test "where the program's group has no member any more, the program gets the signal" {
	needs pid1
	start_pid1 -- -- "$SPY" --name main --setsid --listen
	wait_for "$out" '^main: ready'
	for sig in "${to_group[@]}"; do
		reaches "$sig" main
	done
}

# bats test_tags=signals,root
@test "where the program's group may not be signalled, the program gets the signal" {
	without_cap_kill
	start_plain -- -- sh -c 'setpriv --reuid 47011 "$SPY" --name worker --listen &
		exec "$SPY" --name main --setpgid --listen'
	wait_for "$out" ': ready' 2
	reaches INT main
	reaches WINCH main
	[ "$(got worker)" = '' ]
}

# bats test_tags=signals,root
@test "a signal that can't be delivered is a line, and foster stays" {
	without_cap_kill
	start_plain -- -- setpriv --reuid 47011 "$SPY" --exit-on USR2:3
	wait_for "$out" '^ready'
	for sig in HUP INT TERM RTMIN+2; do
		send "$sig"
		wait_for "$err" "^foster: ${sig/+/\\+}: Operation not permitted$"
	done
	"$SPY" --send "$(sed -n 's/^ready //p' "$out")" USR2
	wait_end
	[ "$status" = 3 ]
}

# bats test_tags=signals,pid1
@test "a kill that fails for whatever reason is a line, and foster stays" {
	needs pid1 strace
	start_spy --
	strace -qq -o "$BATS_TEST_TMPDIR/trace" -p "$foster_pid" -e trace=kill \
		-e inject=kill:error=EPERM 2>/dev/null 3>&- 4>&- &
	tracer=$!
	wait_until grep -qs '^TracerPid:	[1-9]' "/proc/$foster_pid/status"
	send USR1
	wait_for "$err" '^foster: USR1: Operation not permitted$'
	kill "$tracer"
	wait_until grep -qs '^TracerPid:	0' "/proc/$foster_pid/status"
	send USR2
	wait_for "$out" '^got USR2'
}

# bats test_tags=signals,pid1,root
@test "the program's queue is full: foster says so once, and nothing is lost afterwards" {
	start_full --value
	send CONT
	wait_for "$out" '^got RTMIN\+1 ' 15
	[ "$(values RTMIN+1)" = "$(seq 15)" ]
	send USR1
	wait_for "$out" '^got USR1'
	[ "$(got | wc -w)" = 17 ]
	[ "$(grep -c 'queue is full' "$err")" = 1 ]
}

# bats test_tags=signals,pid1,root
@test "the program's queue is full: the kernel merges real-time signals of kill(2), and none waits" {
	needs root pid1 proc setpriv
	# a user of its own: foster's, or another whose queue is full while foster's has room
	for user in --uid setpriv; do
		if [ "$user" = --uid ]; then
			start_pid1 --uid 47090 -- -- bash -c 'ulimit -S -i 10 && exec "$SPY" --stop-self STOP --listen'
		else
			start_pid1 -- -- setpriv --reuid 47091 --clear-groups bash -c \
				'ulimit -S -i 10 && exec "$SPY" --stop-self STOP --listen'
		fi
		wait_for "$out" '^ready'
		program=$(outer_pid "$(sed -n 's/^ready //p' "$out")")
		wait_state "$program" T
		send RTMIN+1 --count 10
		wait_until eval '[ "$(status_field "$program" SigQ)" = 10/10 ]'
		send RTMIN+1 --count 5
		send USR1
		wait_until grep -qs '^ShdPnd:.*2[0-9a-f][0-9a-f]$' "/proc/$program/status"
		send CONT
		wait_for "$out" '^got USR1'
		wait_for "$out" '^got RTMIN\+1 ' 10
		send USR2
		wait_for "$out" '^got USR2'
		[ "$(got | tr ' ' '\n' | grep -c RTMIN+1)" = 10 ]
		[ ! -s "$err" ]
	done
}

# bats test_tags=signals,pid1,root
@test "the program's queue is full: other signals go past those that wait" {
	start_full --value
	send USR1
	send HUP
	wait_until grep -qs '^ShdPnd:.*201$' "/proc/$program/status"
	send TERM
	wait_for "$out" '^got TERM'
	wait_for "$out" '^got RTMIN\+1 ' 15
	[ "$(values RTMIN+1)" = "$(seq 15)" ]
}

# bats test_tags=signals,pid1,root
@test "the program's queue is full: once it ends, foster does, too" {
	start_full --value
	kill -KILL "$program"
	wait_end
	[ "$status" = 137 ]
}

# bats test_tags=signals,pid1,root
@test "the program's queue is full: orphans are still reaped" {
	start_full --value
	nsenter -t "$foster_pid" -p -- "$SPY" --fork 20 --double
	wait_until eval '[ "$(zombies)" = 0 ]'
}

# bats test_tags=signals,pid1,root
@test "the program's queue is full: SIGTERM begins the schedule, whatever it is rewritten to" {
	options=(-r TERM:RTMIN+3 --stop 300ms)
	start_full --value
	send TERM
	expect_end 137
	grep -q ': still running after 300 ms, sending KILL$' "$err"
}

# bats test_tags=signals,pid1,root
@test "the program's queue is full: a time-out begins the stop all the same, also as a real-time signal" {
	options=(-v -r TERM:RTMIN+3 --timeout 8)
	start_full --value
	# the stop's SIGCONT continues the program
	wait_for "$err" '^foster: stop begins: timed out after 8 s$'
	wait_for "$out" '^got RTMIN\+3 '
	wait_for "$out" '^got RTMIN\+1 ' 15
	[ "$(values RTMIN+1)" = "$(seq 15)" ]
	kill -KILL "$program"
	expect_end 124
}

# bats test_tags=signals,pid1,root
@test "the program's own limit of queued signals is lower than what waits for foster: each number arrives" {
	needs root pid1 proc
	for limit in 10 1 0; do
		start_pid1 --uid $((47100 + limit)) -- -- bash -c "ulimit -S -i $limit && exec \"\$SPY\" --listen"
		wait_for "$out" '^ready'
		kill -STOP "$foster_pid"
		wait_state "$foster_pid" T
		send RTMIN+1 --count 30
		send RTMIN+2 --count 30
		kill -CONT "$foster_pid"
		wait_for "$out" '^got RTMIN\+1 '
		wait_for "$out" '^got RTMIN\+2 '
		send USR1
		wait_for "$out" '^got USR1'
		[ ! -s "$err" ]
	done
}

# bats test_tags=signals,pid1
@test "foster's own limit of queued signals, and the program's, are those it was given" {
	needs pid1 proc
	ulimit -i 1000
	start_pid1 -- -- "$SPY" --state --listen
	wait_for "$out" '^rlimit sigpending 1000 1000$'
	wait_for "$out" '^ready'
	wait_until grep -Eq '^Max pending signals +1000 +1000 ' "/proc/$foster_pid/limits"
}

# bats test_tags=signals,pid1
@test "a SIGPIPE that foster's own writing caused is not forwarded" {
	needs pid1
	for options in '' --no-proc; do
		errors_to_pipe
		# shellcheck disable=SC2086
		start_spy $options -- -vv
		exec {reader}<&-
		for sig in USR1 USR2 64 CONT; do
			send "$sig"
			wait_for "$out" "^got $(name_of "$sig" | sed 's/+/\\+/') "
		done
		[ "$(got)" = 'USR1 USR2 RTMIN+30 CONT ' ]
	done
}

# bats test_tags=signals,pid1
@test "a SIGXFSZ that foster's own writing caused is not forwarded" {
	needs pid1 prlimit
	start_spy -- -vv
	prlimit --pid "$foster_pid" --fsize=10
	for sig in USR1 USR2 64 CONT; do
		send "$sig"
		wait_for "$out" "^got $(name_of "$sig" | sed 's/+/\\+/') "
	done
	[ "$(got)" = 'USR1 USR2 RTMIN+30 CONT ' ]
}

# bats test_tags=signals,pid1
@test "a standard error that nobody reads does not make foster deaf, also with -vv and no /proc" {
	needs pid1
	for options in '' --no-proc; do
		errors_to_pipe
		# shellcheck disable=SC2086
		start_pid1 $options -- -vv -w -- "$SPY" --name main --listen
		wait_for "$out" '^main: ready'
		fill_pipe
		each_reaches main
		exec {reader}<&-
	done
}

# bats test_tags=signals,pid1
@test "lines that standard error could not take are dropped, later ones come again" {
	needs pid1
	errors_to_pipe
	start_spy -- -vv
	fill_pipe
	send USR1
	wait_for "$out" '^got USR1'
	cat <&"$reader" >"$BATS_TEST_TMPDIR/errors" 3>&- 4>&- &
	started_pids+=("$!")
	wait_until eval '[ "$(stat -c %s "$BATS_TEST_TMPDIR/errors")" -ge 4096 ]'
	send USR2
	wait_until grep -aq 'foster: .*USR2' "$BATS_TEST_TMPDIR/errors"
	run ! grep -aq 'foster: .*USR1' "$BATS_TEST_TMPDIR/errors"
}

# bats test_tags=signals,pid1
@test "a flood of signals does not keep foster from reaping" {
	needs pid1 proc
	export go=$BATS_TEST_TMPDIR/go
	mkfifo "$go"
	for sig in HUP WINCH RTMIN; do
		start_pid1 -- -r HUP:0 -r WINCH:0 -r RTMIN:0 -- sh -c \
			'read -r x <"$go"; exec "$SPY" --fork 100 --double --listen'
		flood "$sig"
		echo >"$go"
		wait_for "$out" '^ready'
		wait_until eval '[ "$(zombies)" = 0 ]'
		! has_ended "$flood_pid" || fail "$sig: the flood has ended"
		kill "$flood_pid"
	done
}

# bats test_tags=signals,pid1
@test "a flood of one signal does not keep the others back, nor the program's end" {
	needs pid1
	for sig in HUP CHLD; do
		start_pid1 -- -r HUP:0 -- "$SPY" --name main --exit-on QUIT:3
		wait_for "$out" '^main: ready'
		flood "$sig"
		for other in USR1 34 64 TERM QUIT; do
			reaches "$other" main
		done
		wait_end
		[ "$status" = 3 ] || fail "$sig: status $status"
	done
}

# bats test_tags=signals,pid1
@test "a signal of a high number does not wait until all of the lower ones were served" {
	needs pid1
	start_pid1 -- -vv -- "$SPY" --name main --listen
	wait_for "$out" '^main: ready'
	kill -STOP "$foster_pid"
	wait_state "$foster_pid" T
	send RTMIN --value 1 --count 300
	send 64
	kill -CONT "$foster_pid"
	wait_for "$err" 'RTMIN from ' 300
	wait_for "$err" 'RTMAX from '
	[ "$(sed '/RTMAX from /q' "$err" | grep -c 'RTMIN from ')" -lt 100 ]
}

# bats test_tags=signals,pid1
@test "a flood of orphans does not keep signals back" {
	needs pid1
	start_pid1 -- -- sh -c '(while :; do (: &); done) & exec "$SPY" --name main --listen'
	wait_for "$out" '^main: ready'
	flood CHLD
	for sig in USR1 RTMIN TERM; do
		reaches "$sig" main
	done
	send 64 --value 1 --count 500 --retry
	wait_for "$out" '^main: got RTMIN\+30 ' 500
}

# bats test_tags=signals,pid1
@test "-r delivers a signal as another one" {
	needs pid1
	start_spy -- -r TERM:QUIT -r usr1:sigusr2 -r 1:64 --rewrite RTMIN+3:WINCH
	for sig in USR1 HUP RTMIN+3 TERM; do
		send "$sig"
	done
	wait_for "$out" '^got QUIT'
	for sig in USR2 'RTMIN\+30' WINCH; do
		wait_for "$out" "^got $sig "
	done
	[ "$(got | wc -w)" = 5 ] # SIGCONT follows what a stop sends
}

# bats test_tags=signals,pid1
@test "-r does not rewrite twice: two signals can change places" {
	needs pid1
	start_spy -- -r USR1:USR2 -r USR2:USR1
	send USR1
	wait_for "$out" '^got USR2'
	send USR2
	wait_for "$out" '^got USR1'
	[ "$(got)" = 'USR2 USR1 ' ]
}

# bats test_tags=signals,pid1
@test "-r FROM:0 drops a signal, with or without a payload" {
	needs pid1
	start_spy -- -r HUP:0 -r RTMIN:0 -r TERM:0
	send HUP
	send RTMIN
	send RTMIN --value 1
	send TERM
	send USR1
	wait_for "$out" '^got USR1'
	send 64
	wait_for "$out" '^got RTMIN\+30'
	[ "$(got)" = 'USR1 RTMIN+30 ' ]
}

# bats test_tags=signals,pid1
@test "-r: the last one for a signal wins, also one that undoes the others" {
	needs pid1
	start_spy -- -r HUP:0 -r HUP:USR1 -r HUP:USR2 -r RTMIN:0 -r RTMIN:RTMIN
	send HUP
	wait_for "$out" '^got USR2'
	send RTMIN
	wait_for "$out" '^got RTMIN '
	[ "$(got)" = 'USR2 RTMIN ' ]
}

# bats test_tags=signals,pid1
@test "-r keeps the payload, and a real-time signal's order" {
	needs pid1
	start_spy -- -r RTMIN+1:RTMAX -r HUP:USR1
	send RTMIN+1 --value 1 --count 300 --retry
	send HUP --value 9
	wait_for "$out" '^got USR1 code SI_QUEUE .* value 9$'
	wait_for "$out" '^got RTMIN\+30 ' 300
	[ "$(values RTMIN+30)" = "$(seq 300)" ]
}

# bats test_tags=signals,pid1
@test "a signal that arrives before the program runs is delivered to the program" {
	needs pid1
	foster_by 'for s in 1 2 10 64; do "$SPY" --send $$ $s; done; exec "$@"'
	for init in '' --not-init; do
		# shellcheck disable=SC2086
		start_pid1 $init --block 1 --block 2 --block 10 --block 64 -- -- "$SPY" --listen
		for sig in HUP INT USR1 'RTMIN\+30'; do
			wait_for "$out" "^got $sig "
		done
	done
}

# bats test_tags=signals,pid1
@test "no handler runs any code" {
	needs pid1 proc
	start_spy --
	grep -Eq '^SigCgt:	0+$' "/proc/$foster_pid/status"
}

# bats test_tags=signals,pid1,root
@test "-r: a real-time signal that has to wait is delivered as the other one" {
	options=(-r RTMIN+2:RTMIN+1)
	start_full --value
	send RTMIN+2 --count 5
	send CONT
	wait_for "$out" '^got RTMIN\+1 ' 20
	run ! grep -q 'got RTMIN+2' "$out"
}

# bats test_tags=signals,pid1,root
@test "-r: what becomes a real-time signal waits behind the one that is held" {
	options=(-r USR1:RTMIN+1)
	start_full --value
	send USR1
	send CONT
	wait_for "$out" '^got RTMIN\+1 ' 16
	[ "$(values RTMIN+1)" = "$(seq 15)" ]
}

# bats test_tags=signals,pid1,root
@test "-r: a real-time signal that becomes another one goes past those that wait" {
	options=(-r RTMIN+2:USR1)
	start_full --value
	send RTMIN+2
	wait_until grep -qs '^ShdPnd:.*2[0-9a-f][0-9a-f]$' "/proc/$program/status"
	send CONT
	wait_for "$out" '^got RTMIN\+1 ' 15
}

# bats test_tags=signals
@test "a payload that may not be passed on: the signal is for the program alone all the same" {
	needs strace
	wrap_foster 'exec strace -D -qq -o /dev/null -e trace=rt_sigqueueinfo -e signal=none -e inject=rt_sigqueueinfo:error=EPERM'
	start_plain -- -g -- sh -c '"$SPY" --name worker --exit-on USR2 & exec "$SPY" --name program --exit-on USR2:3'
	wait_for "$out" '^(worker|program): ready' 2
	send USR1 --value 7
	wait_for "$out" '^program: got USR1 code SI_USER'
	send USR2
	expect_end 3
	run ! grep -q '^worker: got USR1' "$out"
}
