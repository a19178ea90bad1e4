# stopping.bats: a stop, what is waited for, schedules, time-outs, and what a drain is for.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016,SC2030,SC2031,SC2034  # set by helper.bash and by "run"; "$SPY" is for the shell inside

bats_require_minimum_version 1.8.0
load helper

# a SIGQUIT leaves no core file behind
ulimit -S -c 0

# heard NAME	the signals that this spy got, in order, but for CONT
heard() {
	sed -n "s/^$1: got \([^ ]*\) .*/\1/p" "$out" | grep -vx CONT | paste -sd' '
}

# events REGEX	the lines that match, joined
events() {
	grep -E "$1" "$out" | sed 's/ code.*//' | paste -sd,
}

# a stop-watch, in ms
start_clock() {
	clock_start=${EPOCHREALTIME/./}
}
elapsed() {
	echo $(((${EPOCHREALTIME/./} - clock_start) / 1000))
}

# a program that ends with status 4 on USR1 and TERM, and a worker that takes its time
program_and_worker='"$SPY" --name worker --exit-on TERM:0:300 &
	exec "$SPY" --name program --exit-on USR1:4 --exit-on TERM:4'

# start_worker START NS-OPTION... -- FOSTER-OPTION...	foster with program_and_worker
start_worker() {
	"$@" sh -c "$program_and_worker"
	wait_for "$out" '^worker: ready'
	wait_for "$out" '^program: ready'
}

# bats test_tags=stopping,pid1
@test "behind a shell wrapper the application finishes, and is told once" {
	needs pid1
	for start in start_pid1 start_plain; do
		for script in '"$SPY" --name app --exit-on TERM:0:300 & wait' \
			'"$SPY" --name app --exit-on TERM:0:300; true'; do
			$start -- -- sh -c "$script"
			wait_for "$out" '^app: ready'
			send TERM
			expect_end 143
			assert_equal "$(heard app)" TERM
			grep -qx 'app: done' "$out"
		done
	done
}

# bats test_tags=stopping,pid1
@test "the exit status is the program's, however long the others take" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -- sh -c 'trap "exit 7" TERM; "$SPY" --name app --exit-on TERM:3:500 & wait'
		wait_for "$out" '^app: ready'
		send TERM
		expect_end 7
		assert_equal "$(heard app)" TERM
		grep -qx 'app: done' "$out"
	done
}

# bats test_tags=stopping,pid1
@test "all workers of a program that was asked to stop get to finish" {
	needs pid1
	start_pid1 -- -- sh -c 'for n in 1 2 3; do
		"$SPY" --name "w$n" --exit-on TERM:0:${n}00 & done; wait'
	wait_for "$out" '^w[123]: ready' 3
	send TERM
	expect_end 143
	assert_equal "$(events 'done' | tr , '\n' | sort | paste -sd,)" 'w1: done,w2: done,w3: done'
	assert_equal "$(heard w1)$(heard w2)$(heard w3)" TERMTERMTERM
}

# bats test_tags=stopping,pid1
@test "SIGQUIT passes through a shell wrapper that dies of it to nginx, which finishes" {
	needs pid1
	for start in start_pid1 start_plain; do
		for script in '"$SPY" --name nginx --exit-on QUIT:0:300 & wait' \
			'"$SPY" --name nginx --exit-on QUIT:0:300; true'; do
			$start -- -- sh -c "$script"
			wait_for "$out" '^nginx: ready'
			send QUIT
			expect_end 131
			assert_equal "$(heard nginx)" QUIT
			grep -qx 'nginx: done' "$out"
		done
	done
}

# bats test_tags=stopping,pid1
@test "SIGTERM rewritten to QUIT passes through a shell wrapper, too" {
	needs pid1
	start_pid1 -- -r TERM:QUIT -- sh -c '"$SPY" --name nginx --exit-on QUIT:0:300 & wait'
	wait_for "$out" '^nginx: ready'
	send TERM
	expect_end 131
	assert_equal "$(heard nginx)" QUIT
	grep -qx 'nginx: done' "$out"
}

# bats test_tags=stopping,pid1
@test "SIGUSR1 passes through a shell wrapper that dies of it, and foster stays" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -- sh -c '"$SPY" --name app --exit-on TERM:0:300; true'
		app=$(pid_of app)
		send USR1
		wait_for "$out" '^app: got USR1'
		wait_until eval '[ "$(status_field "$app" PPid)" != "$(status_field "$app" NSpgid)" ]'
		send TERM
		expect_end 138
		assert_equal "$(heard app)" 'USR1 TERM'
		grep -qx 'app: done' "$out"
	done
}

# bats test_tags=stopping,pid1
@test "SIGINT ends the wrapper; a background job that ignores it is sent SIGTERM" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -- sh -c '"$SPY" --name app --exit-on INT:0:300 --exit-on TERM:9 &
			"$SPY" --name job --ignore INT --ignore USR1 --ignore USR2 --exit-on TERM:0:300 & wait'
		wait_for "$out" '^(app|job): ready' 2
		send INT
		expect_end 130
		assert_equal "$(heard app)" INT
		assert_equal "$(heard job)" TERM
		assert_equal "$(events 'done' | tr , '\n' | sort | paste -sd,)" 'app: done,job: done'
	done
}

# bats test_tags=stopping,tty
@test "Ctrl-C reaches all once; a background job that ignores it is sent SIGTERM" {
	needs tty
	start_pty -- "$FOSTER" sh -c '"$SPY" --name app --exit-on INT:0:300 --exit-on TERM:9 &
		"$SPY" --name job --ignore INT --exit-on TERM:0:300 & wait'
	wait_for "$out" '^(app|job): ready' 2
	on_pty 'send \x03'
	wait_for "$out" 'app: done'
	wait_for "$out" 'job: done'
	on_pty wait
	wait_for "$out" '^status 130'
	assert_equal "$(grep -c 'app: got [IT]' "$out")" 1
	assert_equal "$(grep -c 'job: got TERM' "$out")" 1
}

# bats test_tags=stopping,pid1
@test "a stopped process sees a stop, too" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -- "$SPY" --name app --stop-self STOP --exit-on TERM:5
		wait_state "$(pid_of app)" T
		send TERM
		expect_end 5
		$start -- -- sh -c '"$SPY" --name app --stop-self STOP --exit-on TERM:0:300 & wait'
		wait_state "$(pid_of app)" T
		send TERM
		expect_end 143
		grep -qx 'app: done' "$out"
	done
}

# bats test_tags=stopping,pid1
@test "a stopped process sees the signal that ended the program alone, too" {
	needs pid1
	start_pid1 -- -- sh -c '"$SPY" --name app --stop-self STOP --exit-on QUIT:0:300 & wait'
	wait_state "$(pid_of app)" T
	send QUIT
	expect_end 131
	grep -qx 'app: done' "$out"
}

# bats test_tags=stopping,pid1
@test "ended by TERM, INT, QUIT or HUP from elsewhere: the others are told once and finish" {
	needs pid1
	for sig in TERM INT QUIT HUP; do
		start_pid1 -- -- sh -c "\"\$SPY\" --name worker --exit-on $sig:0:300 &
			exec \"\$SPY\" --name program --die-on $sig"
		wait_for "$out" '^worker: ready'
		program=$(pid_of program)
		"$SPY" --send "$program" "$sig"
		expect_end $((128 + $(kill -l "$sig")))
		assert_equal "$(heard worker)" "$sig"
		grep -qx 'worker: done' "$out" || fail "$sig: the worker did not finish"
	done
}

# bats test_tags=stopping
@test "ended not on request: foster leaves at once, and the others are sent SIGTERM" {
	start_worker start_plain -- --
	send USR1
	expect_end 4
	wait_for "$out" '^worker: got TERM'
	wait_for "$out" '^worker: done'
	start_plain -- -- sh -c '"$SPY" --name worker --exit-on TERM:0:300 & exec "$SPY" --name program --die-on USR1'
	wait_for "$out" '^worker: ready'
	program=$(pid_of program)
	"$SPY" --send "$program" USR1
	expect_end 138
	wait_for "$out" '^worker: done'
	assert_equal "$(heard worker)" TERM
}

# bats test_tags=stopping,pid1
@test "ended not on request: the container ends at once" {
	needs pid1
	start_pid1 -- -- sh -c '"$SPY" --name worker --exit-on TERM:0:20000 &
		exec "$SPY" --name program --exit-on USR1:4'
	wait_for "$out" '^(worker|program): ready' 2
	send USR1
	expect_end 4
	run -1 grep 'worker: done' "$out"
}

# bats test_tags=stopping
@test "QUIT, HUP and INT begin no stop: a program that ends by itself after one is not waited for" {
	for sig in QUIT HUP INT; do
		start_plain -- -- sh -c "\"\$SPY\" --name worker --exit-on USR2 &
			exec \"\$SPY\" --name program --exit-on $sig:4"
		worker=$(pid_of worker)
		pid_of program
		send "$sig"
		expect_end 4
		wait_for "$out" '^worker: got TERM'
		"$SPY" --send "$worker" USR2
		wait_for "$out" '^worker: done'
	done
}

# bats test_tags=stopping
@test "-c: what a program that ended by itself leaves behind is told nothing" {
	start_worker start_plain -- -c --
	worker=$(pid_of worker)
	send USR1
	expect_end 4
	"$SPY" --send "$worker" USR2
	wait_for "$out" '^worker: got USR2'
	assert_equal "$(heard worker)" USR2
}

# bats test_tags=stopping,pid1
@test "-c: the program alone is told first, then what it left is told and waited for" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -c -- sh -c '"$SPY" --name worker --exit-on TERM:0:300 &
			exec "$SPY" --name program --exit-on TERM:4:300'
		wait_for "$out" '^(worker|program): ready' 2
		send TERM
		expect_end 4
		assert_equal "$(events 'TERM|done')" \
			'program: got TERM,program: done,worker: got TERM,worker: done'
	done
}

# bats test_tags=stopping,pid1
@test "-c: a program that ends its own workers finds them untold" {
	needs pid1
	start_pid1 -- -c -- sh -c '"$SPY" --name worker --exit-on USR2:0:200 & pid=$!
		trap "kill -USR2 $pid; wait $pid; exit 6" TERM; wait; exit 1'
	wait_for "$out" '^worker: ready'
	send TERM
	expect_end 6
	assert_equal "$(heard worker)" USR2
}

# bats test_tags=stopping,pid1
@test "a zombie of the group that its parent outside of it never reaps is not waited for" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -- sh -c '(: & exec "$SPY" --setsid --name outside --listen) & wait'
		wait_for "$out" '^outside: ready'
		wait_until eval '[ "$(zombies)" = 1 ]'
		send TERM
		expect_end 143
	done
}

# bats test_tags=stopping,pid1
@test "without /proc such a zombie counts until its parent ends" {
	needs pid1
	start_pid1 --no-proc -- -- sh -c '(: & exec "$SPY" --setsid --name outside \
		--exit-on USR2:0:500) & wait'
	outside=$(pid_of outside)
	wait_until eval '[ "$(zombies)" = 1 ]'
	send TERM
	"$SPY" --send "$outside" USR2
	expect_end 143
	grep -qx 'outside: done' "$out"
}

# bats test_tags=stopping,pid1
@test "a process whose main thread has ended before the others is waited for" {
	needs pid1 cc
	cc -x c -o "$BATS_TEST_TMPDIR/threads" -pthread - <<-'END'
		#include <pthread.h>
		#include <signal.h>
		#include <unistd.h>
		static void *work(void *set) { int sig; sigwait(set, &sig); usleep(500000);
			write(1, "finished\n", 9); _exit(0); }
		int main(void) { static sigset_t set; pthread_t thread; sigemptyset(&set);
			sigaddset(&set, SIGTERM); pthread_sigmask(SIG_BLOCK, &set, NULL);
			pthread_create(&thread, NULL, work, &set); pthread_exit(NULL); }
	END
	start_pid1 -- -- sh -c '"$1" & wait' sh "$BATS_TEST_TMPDIR/threads"
	wait_until eval '[ "$(zombies)" = 1 ]'
	send TERM
	expect_end 143
	grep -qx finished "$out"
}

# bats test_tags=stopping,pid1
@test "the last of the group is waited for where it is the child of a process outside" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -- sh -c '("$SPY" --name last --exit-on TERM:0:500 &
			exec "$SPY" --setsid --name outside --listen) & wait'
		wait_for "$out" '^(last|outside): ready' 2
		send TERM
		expect_end 143
		assert_equal "$(events '^last: (got TERM|done)')" 'last: got TERM,last: done'
		assert_equal "$(heard outside | grep -o TERM)" ''
	done
}

# bats test_tags=stopping
@test "while it waits for what the program left, foster looks at most 10 times a second" {
	start_plain -- -v -- sh -c '"$SPY" --name w1 --exit-on TERM:0:1000 &
		"$SPY" --name w2 --exit-on TERM:0:2000 & wait'
	wait_for "$out" '^w[12]: ready' 2
	send TERM
	wait_for "$err" 'waiting for it'
	before=$(status_field "$foster_pid" voluntary_ctxt_switches)
	wait_for "$out" '^w1: done'
	after=$(status_field "$foster_pid" voluntary_ctxt_switches)
	expect_end 143
	[ $((after - before)) -le 14 ] || fail "$((after - before)) wake-ups in a second"
}

# bats test_tags=stopping,pid1
@test "-r TERM:0 begins no stop" {
	needs pid1
	start_worker start_pid1 -- -vv -r TERM:0 --
	send TERM
	wait_for "$err" 'TERM: dropped'
	send USR1
	expect_end 4
	assert_equal "$(heard program)" USR1
	run -1 grep 'worker: done' "$out"
}

# bats test_tags=stopping,pid1
@test "-r INT:TERM begins a stop" {
	needs pid1
	start_worker start_pid1 -- -r INT:TERM --
	send INT
	expect_end 4
	assert_equal "$(heard program) $(heard worker)" 'TERM TERM'
	grep -qx 'worker: done' "$out"
}

# bats test_tags=stopping,pid1
@test "-r TERM:INT begins a stop, whose signal is INT" {
	needs pid1
	start_pid1 -- -r TERM:INT -- sh -c '"$SPY" --name worker --exit-on INT:0:300 &
		exec "$SPY" --name program --exit-on INT:4'
	wait_for "$out" '^(worker|program): ready' 2
	send TERM
	expect_end 4
	assert_equal "$(heard program) $(heard worker)" 'INT INT'
	grep -qx 'worker: done' "$out"
}

# bats test_tags=stopping,pid1
@test "--stop: step after step, each but the first announced" {
	needs pid1
	start_pid1 -- --stop TERM/300ms/QUIT/1/HUP/300ms/KILL -- "$SPY" --name app --listen
	wait_for "$out" '^app: ready'
	start_clock
	send TERM
	expect_end 137
	[ "$(elapsed)" -ge 1600 ]
	assert_equal "$(heard app)" 'TERM QUIT HUP'
	assert_equal "$(cat "$err")" 'foster: pid 2 (app): still running after 300 ms, sending QUIT
foster: pid 2 (app): still running after 1 s, sending HUP
foster: pid 2 (app): still running after 300 ms, sending KILL'
}

# bats test_tags=stopping,pid1,subreaper
@test "--stop: the steps are for the whole group, and go on when the program has ended" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- --stop TERM/300ms/QUIT/300ms/KILL -- sh -c \
			'"$SPY" --name app --listen & "$SPY" --name app2 --listen & wait'
		wait_for "$out" '^app2?: ready' 2
		send TERM
		expect_end 143
		assert_equal "$(heard app),$(heard app2)" 'TERM QUIT,TERM QUIT'
		assert_equal "$(sed 's/pid [0-9]* (app2*)/who/' "$err" | paste -sd,)" \
			"foster: who and 1 more: still running after 300 ms, sending QUIT,$(
			)foster: who and 1 more: still running after 300 ms, sending KILL"
	done
}

# bats test_tags=stopping,pid1
@test "--stop TIME is TERM, then KILL; and a program that ends in time is not forced" {
	needs pid1
	start_pid1 -- --stop 300ms -- "$SPY" --name app --listen
	wait_for "$out" '^app: ready'
	send TERM
	expect_end 137
	assert_equal "$(heard app)" TERM
	start_pid1 -- --stop 20 -- "$SPY" --name app --exit-on TERM:5:300
	wait_for "$out" '^app: ready'
	send TERM
	expect_end 5
	[ ! -s "$err" ]
}

# bats test_tags=stopping,pid1
@test "--stop: further SIGTERMs send the first step again, and restart nothing" {
	needs pid1
	start_pid1 -- --stop HUP/2/USR2/10/KILL -- "$SPY" --name app --exit-on USR2:5
	wait_for "$out" '^app: ready'
	start_clock
	wait_until eval 'send TERM 2>/dev/null; has_ended "$started_pid"'
	[ "$(elapsed)" -ge 2000 ]
	expect_end 5
	[[ $(heard app) == 'HUP HUP HUP '*USR2* ]]
	run -1 grep 'got TERM' "$out"
}

# bats test_tags=stopping,pid1
@test "--stop without KILL at its end forces nothing" {
	needs pid1
	start_pid1 -- --stop TERM/200ms/QUIT -- "$SPY" --name app --exit-on QUIT:5:2000
	wait_for "$out" '^app: ready'
	send TERM
	expect_end 5
	assert_equal "$(heard app)" 'TERM QUIT'
	grep -qx 'app: done' "$out"
}

# bats test_tags=stopping,pid1
@test "--stop: its signals are not rewritten" {
	needs pid1
	start_pid1 -- -r TERM:USR1 -r QUIT:USR2 --stop TERM/200ms/QUIT -- \
		"$SPY" --name app --exit-on QUIT:5
	wait_for "$out" '^app: ready'
	send TERM
	expect_end 5
	assert_equal "$(heard app)" 'TERM QUIT'
}

# bats test_tags=stopping,pid1
@test "--stop cancels --timeout" {
	needs pid1
	start_pid1 -- --timeout 1 --stop TERM/20/KILL -- "$SPY" --name app --exit-on TERM:3:1500
	wait_for "$out" '^app: ready'
	send TERM
	expect_end 3
	assert_equal "$(heard app)" TERM
}

# bats test_tags=stopping,pid1
@test "--stop with a leading pause: nothing for that time, while the program still serves" {
	needs pid1
	start_pid1 -- -v --stop 1/TERM/20/KILL -- "$SPY" --name app --exit-on TERM:5
	wait_for "$out" '^app: ready'
	start_clock
	send TERM
	wait_for "$err" 'stop: begins'
	send USR1
	expect_end 5
	[ "$(elapsed)" -ge 1000 ]
	assert_equal "$(heard app)" 'USR1 TERM'
	run -1 grep 'still running' "$err"
}

# bats test_tags=stopping,pid1
@test "a program that ends in the pause: what is left gets the first step at once" {
	needs pid1
	start_worker start_pid1 -- -v --stop 50/TERM/20/KILL --
	send TERM
	wait_for "$err" 'stop: begins'
	send USR1
	expect_end 4
	assert_equal "$(heard worker)" TERM
	grep -qx 'worker: done' "$out"
}

# bats test_tags=stopping,pid1
@test "a second SIGTERM ends the pause" {
	needs pid1
	start_pid1 -- -v --stop 50/TERM/20/KILL -- "$SPY" --name app --exit-on TERM:5
	wait_for "$out" '^app: ready'
	send TERM
	wait_for "$err" 'stop: begins'
	send TERM
	expect_end 5
	assert_equal "$(heard app)" TERM
	# the schedule goes on from there
	start_pid1 -- -v --stop 50/TERM/100ms/KILL -- "$SPY" --name app --listen
	wait_for "$out" '^app: ready'
	send TERM
	wait_for "$err" 'stop: begins'
	send TERM
	expect_end 137
	assert_equal "$(heard app)" TERM
}

# bats test_tags=stopping,pid1
@test "an end by Ctrl-C starts the schedule, without its pause" {
	needs pid1
	start_pid1 -- --stop 50/TERM/500ms/KILL -- sh -c '"$SPY" --name app --listen &
		"$SPY" --name job --ignore INT --exit-on TERM:0:100 & wait'
	wait_for "$out" '^(app|job): ready' 2
	send INT
	expect_end 130
	assert_equal "$(heard job)" TERM
	grep -qx 'job: done' "$out"
	assert_regex "$(cat "$err")" '^foster: pid [0-9]+ \(app\): still running after 500 ms, sending KILL$'
}

# bats test_tags=stopping,pid1
@test "-c --stop: the steps are for the program alone, then for what it left" {
	needs pid1
	start_pid1 -- -c --stop TERM/200ms/QUIT/20/KILL -- sh -c \
		'"$SPY" --name worker --exit-on TERM:0:200 & exec "$SPY" --name program --exit-on QUIT:4:200'
	wait_for "$out" '^(worker|program): ready' 2
	send TERM
	expect_end 4
	assert_equal "$(events 'TERM|QUIT|done')" "program: got TERM,program: got QUIT,program: done,$(
	)worker: got TERM,worker: done"
}

# bats test_tags=stopping,pid1
@test "--timeout begins the stop by itself: status 124, and all get to finish" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- --timeout 500ms -- sh -c '"$SPY" --name app --exit-on TERM:0:300 & wait'
		expect_end 124
		assert_equal "$(events 'got TERM|done')" 'app: got TERM,app: done'
	done
}

# bats test_tags=stopping,pid1
@test "--timeout with a schedule: status 124, also after KILL" {
	needs pid1
	start_pid1 -- --timeout 500ms --stop QUIT/300ms/KILL -- "$SPY" --name app --listen
	expect_end 124
	assert_equal "$(heard app)" QUIT
	start_pid1 -- --timeout 500ms --stop QUIT/20/KILL -- "$SPY" --name app --exit-on QUIT:3
	expect_end 124
}

# bats test_tags=stopping,pid1
@test "--timeout: its SIGTERM is rewritten" {
	needs pid1
	start_pid1 -- --timeout 500ms -r TERM:QUIT -- "$SPY" --name app --exit-on QUIT:3
	expect_end 124
	assert_equal "$(heard app)" QUIT
}

# bats test_tags=stopping
@test "--timeout: a program that ends in time has its own status, and nobody waits" {
	start_clock
	run -3 as_plain -- --timeout 20 -- "$SPY" --exit 3
	[ "$(elapsed)" -lt 10000 ]
}

# bats test_tags=stopping,pid1
@test "foster stopped and continued: the deadlines stay what they were" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- --stop TERM/1/USR2/10/KILL -- "$SPY" --name app --exit-on USR2:5
		wait_for "$out" '^app: ready'
		start_clock
		send TERM
		wait_for "$out" '^app: got TERM'
		wait_until eval 'send STOP 2>/dev/null; send CONT 2>/dev/null; has_ended "$started_pid"'
		took=$(elapsed)
		expect_end 5
		[ "$took" -ge 1000 ] && [ "$took" -lt 3000 ] || fail "$took ms"
	done
}

# bats test_tags=stopping,pid1
@test "SIGALRM belongs to the program, also while a time-out and a schedule run" {
	needs pid1
	start_pid1 -- --timeout 20 --stop TERM/2/USR2/20/KILL -- "$SPY" --name app --exit-on USR2:5
	wait_for "$out" '^app: ready'
	send ALRM
	wait_for "$out" '^app: got ALRM'
	send TERM
	wait_for "$out" '^app: got TERM'
	send ALRM
	expect_end 5
	assert_equal "$(heard app)" 'ALRM TERM ALRM USR2'
}

# a daemon that takes its time, in a session of its own, and a program that ends on USR1
daemon_and_program='("$SPY" --setsid --name daemon --exit-on TERM:0:300 &)
	exec "$SPY" --name program --exit-on USR1:6 --exit-on TERM:6'

# bats test_tags=stopping,pid1,subreaper
@test "--drain: daemons in sessions of their own are told, and finish; the status stays" {
	needs pid1
	for start in start_pid1 start_plain; do
		for sig in USR1 TERM; do
			$start -- --drain TERM/20/KILL -- sh -c "$daemon_and_program"
			wait_for "$out" '^(daemon|program): ready' 2
			send "$sig"
			expect_end 6
			assert_equal "$(heard daemon)" TERM
			grep -qx 'daemon: done' "$out"
		done
	done
}

# bats test_tags=stopping,pid1,subreaper
@test "--drain with a pause: nobody is told before it is over, or a SIGTERM ends it" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -v --drain 60/TERM/60/KILL -- sh -c "$daemon_and_program"
		wait_for "$out" '^(daemon|program): ready' 2
		send USR1
		wait_for "$err" '^foster: drain: begins'
		send WINCH
		[ -z "$(heard daemon)" ]
		send TERM
		expect_end 6
		assert_equal "$(heard daemon)" TERM
		grep -qx 'daemon: done' "$out"
		start_clock
		$start -- --drain 400ms/TERM/60/KILL -- sh -c "$daemon_and_program"
		wait_for "$out" '^(daemon|program): ready' 2
		send USR1
		expect_end 6
		[ "$(elapsed)" -ge 400 ]
		grep -qx 'daemon: done' "$out"
	done
}

# bats test_tags=stopping,pid1
@test "--drain begins when the stop's group is empty" {
	needs pid1
	start_pid1 -- --drain HUP/20/KILL -- sh -c '"$SPY" --setsid --name daemon --exit-on HUP:0:300 &
		"$SPY" --name app --exit-on TERM:0:500 & wait'
	wait_for "$out" '^(daemon|app): ready' 2
	send TERM
	expect_end 143
	assert_equal "$(events 'TERM|HUP|done')" \
		'app: got TERM,app: done,daemon: got HUP,daemon: done'
}

# bats test_tags=stopping,pid1,root
@test "--drain as PID 1 is also for what entered the container" {
	needs root pid1 nsenter
	start_pid1 -- --drain TERM/20/KILL -- "$SPY" --name program --exit-on USR1:6
	wait_for "$out" '^program: ready'
	nsenter --target "$foster_pid" --pid --mount "$SPY" --name entered --exit-on TERM:0:300 \
		>>"$out" 2>&1 3>&- &
	started_pids+=("$!")
	wait_for "$out" '^entered: ready'
	send USR1
	expect_end 6
	assert_equal "$(events 'TERM|done')" 'program: done,entered: got TERM,entered: done'
}

# bats test_tags=stopping,subreaper,pidfd
@test "--drain elsewhere is for all descendants, and for nobody else" {
	log=$BATS_TEST_TMPDIR/other
	"$SPY" --out "$log" --listen 3>&- &
	other=$!
	started_pids+=("$other")
	start_plain -- --drain TERM/20/KILL -- sh -c '(sh -c "\"\$SPY\" --setsid --name below \
		--exit-on TERM:0:300 & exec \"\$SPY\" --setsid --name daemon --exit-on TERM:0:300" &)
		exec "$SPY" --name program --exit-on USR1:6'
	wait_for "$out" '^(below|daemon|program): ready' 3
	wait_for "$log" '^ready'
	send USR1
	expect_end 6
	assert_equal "$(grep -cE '^(below|daemon): got TERM' "$out")" 2
	assert_equal "$(grep -cE '^(below|daemon): done' "$out")" 2
	"$SPY" --send "$other" USR2
	wait_for "$log" '^got USR2'
	run -1 grep 'got TERM' "$log"
}

# bats test_tags=stopping,pid1,subreaper
@test "--drain: what does not end is announced and killed" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- --drain TERM/300ms/KILL -- sh -c '"$SPY" --setsid --name daemon --listen &
			exec "$SPY" --name program --exit-on USR1:6'
		daemon=$(pid_of daemon)
		wait_for "$out" '^program: ready'
		send USR1
		expect_end 6
		is_gone "$daemon"
		assert_equal "$(heard daemon)" TERM
		assert_regex "$(cat "$err")" \
			'^foster: pid [0-9]+ \(daemon\): still running after 300 ms, sending KILL$'
	done
}

# bats test_tags=stopping,root,subreaper
@test "--drain elsewhere: what even KILL can't end is named a second later, and left" {
	needs root setpriv
	wrap_foster 'exec setpriv --bounding-set=-kill'
	start_plain -- --drain TERM/200ms/KILL -- sh -c \
		'setpriv --reuid 65534 "$SPY" --setsid --name daemon --default TERM --listen &
		exec "$SPY" --name program --exit-on USR1:6'
	wait_for "$out" '^(daemon|program): ready' 2
	start_clock
	send USR1
	expect_end 6
	[ "$(elapsed)" -ge 1100 ] && [ "$(elapsed)" -lt 5000 ]
	assert_regex "$(tail -n 1 "$err")" '^foster: pid [0-9]+ \(daemon\): still there after KILL, left behind$'
}

# bats test_tags=stopping,pid1
@test "--drain as PID 1: after a final KILL foster leaves at once" {
	needs pid1
	start_pid1 -- -v --drain KILL -- sh -c '"$SPY" --setsid --name daemon --listen &
		exec "$SPY" --name program --exit-on USR1:6'
	wait_for "$out" '^(daemon|program): ready' 2
	send USR1
	expect_end 6
	run -1 grep -E 'still' "$err"
}

# bats test_tags=stopping,pid1,subreaper
@test "--drain with nothing left: foster leaves at once, and says nothing" {
	needs pid1
	start_clock
	run -5 as_pid1 -- --drain 20/TERM/20/KILL -- "$SPY" --exit 5
	run -5 as_plain -- --drain 20/TERM/20/KILL -- "$SPY" --exit 5
	[ "$(elapsed)" -lt 10000 ]
	[ -z "$output" ]
}

# bats test_tags=stopping,pid1
@test "--drain as PID 1 needs no /proc" {
	needs pid1
	start_pid1 --no-proc -- --drain TERM/20/KILL -- sh -c "$daemon_and_program"
	wait_for "$out" '^(daemon|program): ready' 2
	send USR1
	expect_end 6
	grep -qx 'daemon: done' "$out"
}

# bats test_tags=stopping,root,subreaper
@test "--drain elsewhere without /proc is for the group, and a line says so" {
	needs root unshare
	wrap_foster 'exec unshare --mount sh -c "mount -t tmpfs none /proc && exec \"\$@\"" sh'
	start_plain -- --drain TERM/20/KILL -- sh -c \
		'"$SPY" --name worker --exit-on TERM:0:300 & exec "$SPY" --name program --exit-on USR1:6'
	wait_for "$out" '^(worker|program): ready' 2
	send USR1
	expect_end 6
	grep -qx 'worker: done' "$out"
	grep -q '^foster: .*no /proc' "$err"
}

# bats test_tags=pid1
@test "in the pause, too, who ignores the first step's signal is told by SIGTERM" {
	needs pid1
	# the shell's background job ignores SIGINT; untold it would last until as_pid1's limit
	run -3 as_pid1 -- --stop 1/INT/60/KILL -- sh -c 'sleep 50 & kill -TERM 1; sleep .2; exit 3'
}

# bats test_tags=pid1
@test "who was told by SIGTERM already is not told again for ignoring Ctrl-C" {
	needs pid1
	start_pid1 -- bash -c "trap : TERM
		'$SPY' --name worker --ignore INT --exit-on TERM:0:500 &
		while :; do wait; done"
	wait_for "$out" '^worker: ready'
	send TERM
	wait_for "$out" '^worker: leaving'
	send INT
	wait_end
	[ "$(grep -c '^worker: got TERM' "$out")" = 1 ]
}

# bats test_tags=pid1
@test "a schedule of KILL alone ends what Ctrl-C left" {
	needs pid1
	run -130 as_pid1 -- --stop KILL -- sh -c '(trap "" TERM INT; sleep 50) & sleep .1; kill -INT $$'
}

# bats test_tags=pid1
@test "a schedule of one signal is over with Ctrl-C: what is left is waited for" {
	needs pid1
	start_pid1 -- --stop INT -- sh -c '"$SPY" --name worker --exit-on INT:0:300 & wait'
	wait_for "$out" '^worker: ready'
	send INT
	expect_end 130
	assert_equal "$(heard worker)" INT
	grep -qx 'worker: done' "$out"
}

# bats test_tags=stopping,pid1,subreaper
@test "--drain: a later SIGTERM delivers its first step again, other signals find nobody" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- --drain TERM/60/KILL -- sh -c '("$SPY" --setsid --name daemon --exit-on USR2 &)
			exec "$SPY" --name program --exit-on USR1:4'
		daemon=$(pid_of daemon)
		wait_for "$out" '^program: ready'
		send USR1
		wait_for "$out" '^daemon: got TERM '
		send HUP
		send TERM
		wait_for "$out" '^daemon: got TERM ' 2
		"$SPY" --send "$daemon" USR2
		expect_end 4
		assert_equal "$(heard daemon)" 'TERM TERM USR2'
		[ -z "$(cat "$err")" ] || fail "$(cat "$err")"
	done
}

# stop_what_is_left SCHEDULE SPY-OPTIONS	a SIGHUP ends the program, then a SIGTERM finds its worker
stop_what_is_left() {
	start_pid1 -- --stop "$1" -- sh -c "\"\$SPY\" --name worker $2 & wait"
	wait_for "$out" '^worker: ready'
	send HUP
	wait_for "$out" '^worker: got HUP '
	send TERM
	expect_end 129
}

# bats test_tags=stopping,pid1
@test "a SIGTERM that comes while foster waits for the group begins the schedule" {
	needs pid1
	stop_what_is_left USR2/60/KILL '--exit-on USR2:0:300'
	assert_equal "$(heard worker)" 'HUP USR2'
	grep -qx 'worker: done' "$out"
}

# bats test_tags=stopping,pid1
@test "without /proc a step names the process group, or what is left" {
	needs pid1
	start_pid1 --no-proc -- --stop TERM/200ms/KILL -- "$SPY" --listen
	wait_for "$out" '^ready'
	send TERM
	expect_end 137
	assert_regex "$(grep "^foster:" "$err")" '^foster: process group [0-9]+: still running after 200 ms, sending KILL$'
	start_pid1 --no-proc -- --drain TERM/200ms/KILL -- sh -c \
		'"$SPY" --setsid --name daemon --listen & exec "$SPY" --name program --exit-on USR1:6'
	wait_for "$out" '^(daemon|program): ready' 2
	send USR1
	expect_end 6
	assert_equal "$(grep "^foster:" "$err")" 'foster: what is left: still running after 200 ms, sending KILL'
}

# bats test_tags=stopping,root
@test "what even KILL can't end of the group is named a second later, and left" {
	needs root setpriv
	wrap_foster 'exec setpriv --bounding-set=-kill'
	start_plain -- --stop TERM/200ms/KILL -- sh -c \
		'setpriv --reuid 65534 "$SPY" --name worker --listen &
		exec "$SPY" --name program --exit-on TERM:6'
	wait_for "$out" '^(worker|program): ready' 2
	send TERM
	expect_end 6
	assert_regex "$(tail -n 1 "$err")" '^foster: pid [0-9]+ \(worker\): still there after KILL, left behind$'
	[ -z "$(heard worker)" ]
}

# bats test_tags=stopping
@test "a SIGTERM between the wait and the reaping of the program's end is a stop all the same" {
	needs strace
	wrap_foster 'exec strace -D -qq -o /dev/null -e trace=wait4 -e signal=none \
		-e inject=wait4:delay_enter=1000000:when=2+'
	for option in '' --stop=INT/60/KILL; do
		# shellcheck disable=SC2086
		start_plain -- $option -- sh -c '"$SPY" --name worker --ignore INT --exit-on TERM:0:1000 &
			exec "$SPY" --name program --exit-on USR1:3'
		wait_for "$out" '^(worker|program): ready' 2
		program=$(pid_of program)
		send USR1
		wait_state "$program" Z
		# SIGCHLD is taken
		wait_until eval '[ $((0x$(status_field "$foster_pid" ShdPnd) & 0x10000)) = 0 ]'
		send TERM
		expect_end 3
		grep -qx 'worker: done' "$out" || fail 'the worker was left behind'
		assert_equal "$(heard worker)" TERM
	done
}

# bats test_tags=stopping,pid1
@test "a stop that is rewritten to SIGTERM and comes with the program's end is one, too" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -r RTMIN+3:TERM -- sh -c '"$SPY" --name worker --exit-on TERM:0:300 &
			exec "$SPY" --name program --exit-on USR1:3'
		wait_for "$out" '^(worker|program): ready' 2
		program=$(pid_of program)
		kill -STOP "$foster_pid"
		wait_state "$foster_pid" T
		"$SPY" --send "$program" USR1
		wait_state "$program" Z
		send RTMIN+3
		kill -CONT "$foster_pid"
		expect_end 3
		assert_equal "$(heard worker)" TERM
		grep -qx 'worker: done' "$out"
	done
}

# bats test_tags=stopping,pid1
@test "--stop: a step is also for who is stopped, and continues it" {
	needs pid1
	start_pid1 -- --stop QUIT/60/KILL -- "$SPY" --name app --exit-on QUIT:5
	wait_for "$out" '^app: ready'
	app=$(pid_of app)
	kill -STOP "$app"
	wait_state "$app" T
	send TERM
	expect_end 5
}

# bats test_tags=stopping,root
@test "a program that not even KILL can end is never left" {
	needs root setpriv
	wrap_foster 'exec setpriv --bounding-set=-kill'
	start_plain -- --stop TERM/200ms/KILL -- setpriv --reuid 65534 "$SPY" --name program --exit-on USR2:6
	wait_for "$out" '^program: ready'
	send TERM
	wait_for "$err" ': still running after 200 ms, sending KILL$'
	# it tries again each second
	before=$(status_field "$foster_pid" voluntary_ctxt_switches)
	wait_until eval '[ "$(status_field "$foster_pid" voluntary_ctxt_switches)" -ge $((before + 2)) ]'
	"$SPY" --send "$(pid_of program)" USR2
	expect_end 6
	assert_equal "$(heard program)" USR2
}

# bats test_tags=stopping,pid1
@test "without /proc a program that SIGINT ended leaves nobody to wait for" {
	needs pid1
	run -130 as_pid1 --no-proc -- sh -c 'kill -INT $$'
	[[ $output != *foster:* ]]
}

# bats test_tags=stopping,pid1
@test "a SIGTERM while foster waits for the group has no pause before its first step" {
	needs pid1
	stop_what_is_left 60/USR2/200ms/KILL --listen
	assert_equal "$(heard worker)" 'HUP USR2'
}

# bats test_tags=stopping,pid1
@test "a SIGTERM while foster waits for the group: who ignores the first step is told by SIGTERM" {
	needs pid1
	stop_what_is_left USR2/60/KILL '--ignore USR2 --exit-on TERM:0:100'
	assert_equal "$(heard worker)" 'HUP TERM'
}

# bats test_tags=stopping
@test "--timeout: a program that ended in time has its own status, however long the others take" {
	start_plain -- --timeout 1 -- sh -c \
		'"$SPY" --name worker --exit-on INT:0:1500 & exec "$SPY" --name program --die-on INT'
	wait_for "$out" '^(worker|program): ready' 2
	send INT
	expect_end 130
	assert_equal "$(heard worker)" INT
}

# bats test_tags=stopping
@test "--timeout: where TERM is dropped, its SIGTERM is sent all the same" {
	run -124 as_plain -- -r TERM:0 --timeout 1 -- "$SPY" --name program --exit-on TERM:5
	assert_line --regexp '^program: got TERM'
}

# bats test_tags=stopping
@test "--timeout 0 stops at once" {
	run -124 as_plain -- --timeout 0 -- sleep 60
}

# bats test_tags=stopping,subreaper
@test "--drain: a worker of a program that ended by itself gets the drain's signal alone" {
	start_plain -- --drain USR2/20/KILL -- sh -c '"$SPY" --name worker --exit-on USR2:0:100 &
		exec "$SPY" --name program --exit-on USR1:6'
	wait_for "$out" '^(worker|program): ready' 2
	send USR1
	expect_end 6
	assert_equal "$(heard worker)" USR2
}

# bats test_tags=stopping
@test "a signal with a payload that ends the program is one that asked for its end" {
	start_plain -- -- sh -c '"$SPY" --name worker --exit-on USR1:0:300 &
		exec "$SPY" --name program --die-on USR1'
	wait_for "$out" '^(worker|program): ready' 2
	send USR1 --value 7
	expect_end 138
	assert_equal "$(heard worker)" USR1
	grep -qx 'worker: done' "$out"
}

# bats test_tags=stopping,subreaper
@test "who is stopped and ignores SIGINT is told by SIGTERM, and continued" {
	start_plain -- -- sh -c '"$SPY" --name worker --ignore INT --stop-self STOP --exit-on TERM:0 &
		exec "$SPY" --name program --die-on INT'
	wait_for "$out" '^(worker|program): ready' 2
	wait_state "$(pid_of worker)" T
	send INT
	expect_end 130
	assert_equal "$(heard worker)" TERM
}

# bats test_tags=stopping,pid1,subreaper,pidfd
@test "--drain: a stopped daemon is told, too, wherever it hangs" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- --drain TERM/20/KILL -- sh -c '(sh -c "\"\$SPY\" --setsid --name below \
			--exit-on TERM:0 & exec \"\$SPY\" --setsid --name daemon --exit-on TERM:0:300" &)
			exec "$SPY" --name program --exit-on USR1:6'
		wait_for "$out" '^(below|daemon|program): ready' 3
		for name in below daemon; do
			pid=$(pid_of $name)
			kill -STOP "$pid"
			wait_state "$pid" T
		done
		send USR1
		expect_end 6
		assert_equal "$(grep -cE '^(below|daemon): got TERM' "$out")" 2
		assert_equal "$(grep -cE '^(below|daemon): done' "$out")" 2
	done
}

# bats test_tags=stopping
@test "while it waits for what is left, foster opens no descriptor for good" {
	needs proc
	start_plain -- -v -- sh -c '"$SPY" --name worker --ignore INT --exit-on TERM:0:1000 &
		exec "$SPY" --name program --die-on INT'
	wait_for "$out" '^(worker|program): ready' 2
	send INT
	wait_for "$err" 'waiting for it'
	"$SPY" --for 500 >/dev/null
	wait_until eval '[ "$(echo "/proc/$foster_pid/fd"/*)" = "/proc/$foster_pid/fd/2" ]'
	run ! has_ended "$started_pid"
	expect_end 130
}

# bats test_tags=stopping,pid1,root
@test "--drain: the group's number, used anew, is not the program's group any more" {
	needs root pid1 nsenter
	log=$BATS_TEST_TMPDIR/log
	start_pid1 -- -v --drain 60/TERM/60/KILL -- sh -c \
		'"$SPY" --setsid --name daemon --exit-on USR2 & exec "$SPY" --name program --exit-on USR1:6'
	wait_for "$out" '^(daemon|program): ready' 2
	group=$(sed -n 's/^program: ready //p' "$out")
	send USR1
	wait_for "$err" 'drain: begins'
	nsenter --target "$foster_pid" --pid --mount sh -c 'echo $(($1 - 1)) >/proc/sys/kernel/ns_last_pid
		"$SPY" --out "$2" --setpgid --exit-on USR2 & wait' sh "$group" "$log" 3>&- &
	started_pids+=("$!")
	wait_for "$log" "^ready $group$"
	send WINCH
	send USR1
	wait_state "$foster_pid" S
	"$SPY" --send "$(outer_pid "$group")" USR2
	wait_for "$log" '^got USR2'
	"$SPY" --send "$(pid_of daemon)" USR2
	expect_end 6
	assert_equal "$(grep -c '^got' "$log")" 1
}

# bats test_tags=stopping
@test "a name may hold a bracket and what looks like a state" {
	start_plain -- --stop TERM/300ms/KILL -- sh -c '"$SPY" --name "w) Z 1" --listen & exec "$SPY" --name program --exit-on TERM:3'
	wait_for "$out" ': ready' 2
	send TERM
	expect_end 3
	grep -qE '^foster: pid [0-9]+ \(w\) Z 1\): still running' "$err"
}

# bats test_tags=stopping
@test "a report file at its very limit: what is left of the group gets no SIGXFSZ" {
	head -c 1024 /dev/zero >"$BATS_TEST_TMPDIR/r"
	wrap_foster 'ulimit -f 1; exec'
	start_plain --default XFSZ -- --report "$BATS_TEST_TMPDIR/r" -- sh -c \
		'"$SPY" --name worker --exit-on TERM:0:500 & exec "$SPY" --name program --exit-on TERM:3'
	wait_for "$out" '^(worker|program): ready' 2
	send TERM
	expect_end 3
	assert_equal "$(heard worker)" TERM
}
