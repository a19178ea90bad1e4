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

# bats test_tags=stopping,pid1,subreaper
@test "SIGINT or SIGQUIT ends the wrapper; a background job, which ignores both, is sent SIGTERM once" {
	needs pid1
	for start in start_pid1 start_plain; do
		for sig in INT QUIT; do
			$start -- -- sh -c "\"\$SPY\" --name app --exit-on $sig:0:300 --exit-on TERM:9 &
				\"\$SPY\" --name job --ignore INT --ignore QUIT --exit-on TERM:0:300 & wait"
			wait_for "$out" '^(app|job): ready' 2
			send "$sig"
			expect_end $((128 + $(kill -l "$sig")))
			assert_equal "$(heard app)" "$sig"
			assert_equal "$(heard job)" TERM
			assert_equal "$(events 'done' | tr , '\n' | sort | paste -sd,)" 'app: done,job: done'
		done
	done
}

# bats test_tags=stopping,pid1
@test "who ignores SIGINT alone is no background job, and is not told by SIGTERM" {
	needs pid1
	start_pid1 -- -v -- sh -c '"$SPY" --name app --ignore INT --exit-on USR2 & wait'
	app=$(pid_of app)
	send INT
	wait_for "$err" '^foster: waiting for pid [0-9]+ \(app\)$'
	"$SPY" --send "$app" USR2
	expect_end 130
	assert_equal "$(heard app)" USR2
}

# bats test_tags=stopping,pid1
@test "a background job whose parent lives is the parent's to end, and told when that has ended" {
	needs pid1
	start_pid1 -- -- sh -c 'sh -c "\"\$SPY\" --name job --ignore INT --ignore QUIT --exit-on TERM:0:300 &
		exec \"\$SPY\" --name app --exit-on INT:0:500" & exec "$SPY" --name program --die-on INT'
	wait_for "$out" '^(app|job|program): ready' 3
	send INT
	expect_end 130
	assert_equal "$(events '^(app|job): (got [IT]|done)')" 'app: got INT,app: done,job: got TERM,job: done'
}

# bats test_tags=stopping,pid1
@test "without /proc a background job can't be told apart, and waits for the next signal" {
	needs pid1
	start_pid1 --no-proc -- -v -- sh -c \
		'"$SPY" --name job --ignore INT --ignore QUIT --exit-on TERM:0:100 & wait'
	wait_for "$out" '^job: ready'
	send INT
	wait_for "$err" '^foster: waiting for process group [0-9]+$'
	[ -z "$(heard job)" ]
	send TERM
	expect_end 130
	assert_equal "$(heard job)" TERM
	grep -qx 'job: done' "$out"
}

# bats test_tags=stopping,tty,subreaper
@test "Ctrl-C reaches all once; a background job that ignores it is sent SIGTERM" {
	needs tty
	start_pty -- "$FOSTER" sh -c '"$SPY" --name app --exit-on INT:0:300 --exit-on TERM:9 &
		"$SPY" --name job --ignore INT --ignore QUIT --exit-on TERM:0:300 & wait'
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

# bats test_tags=stopping,pid1
@test "exited with 128 plus TERM, INT, QUIT or HUP: the others are told that signal once and finish" {
	needs pid1
	for sig in TERM INT QUIT HUP; do
		status=$((128 + $(kill -l "$sig")))
		start_pid1 -- -- sh -c "\"\$SPY\" --name worker --exit-on $sig:0:300 &
			exec \"\$SPY\" --name program --exit-on USR1:$status"
		wait_for "$out" '^(worker|program): ready' 2
		send USR1
		expect_end "$status"
		assert_equal "$(heard worker)" "$sig"
		grep -qx 'worker: done' "$out" || fail "$sig: the worker did not finish"
	done
}

# left_in_peace END OPTION...	a program that ends by itself; its worker and daemon hear nothing of it
left_in_peace() {
	local end=$1 worker daemon program

	shift
	start_plain -- "$@" -- sh -c "\"\$SPY\" --name worker --exit-on WINCH &
		\"\$SPY\" --setsid --name daemon --exit-on WINCH & exec \"\$SPY\" --name program $end"
	worker=$(pid_of worker)
	daemon=$(pid_of daemon)
	program=$(pid_of program)
	case $end in
	--die-on*) "$SPY" --send "$program" USR2 ;;
	*:138) send USR1 ;;
	*) "$SPY" --send "$program" USR1 ;;
	esac
	wait_end
	"$SPY" --send "$worker" WINCH
	"$SPY" --send "$daemon" WINCH
	wait_for "$out" '^(worker|daemon): done' 2
	assert_equal "$end: $(events '^(worker|daemon): got' | tr , '\n' | sort | paste -sd,)" \
		"$end: daemon: got WINCH,worker: got WINCH"
}

# bats test_tags=stopping
@test "ended by itself: foster leaves at once and sends nothing, and what is left lives on" {
	left_in_peace '--exit-on USR1:4'
	[ "$status" = 4 ]
	left_in_peace '--exit-on USR1:4' -g
	left_in_peace '--exit-on USR1:4' -c
}

# bats test_tags=stopping
@test "a signal that foster didn't send, or a status that only looks like one, is an end by itself" {
	left_in_peace '--die-on USR2'
	[ "$status" = 140 ]
	# foster forwarded USR1, and the program exits with 128+USR1
	left_in_peace '--exit-on USR1:138'
	[ "$status" = 138 ]
	left_in_peace '--exit-on USR1:137'
	[ "$status" = 137 ]
}

# bats test_tags=stopping,pid1
@test "ended by itself: the container ends at once" {
	needs pid1
	start_pid1 -- -- sh -c '"$SPY" --name worker --exit-on TERM:0:20000 &
		exec "$SPY" --name program --exit-on USR1:4'
	wait_for "$out" '^(worker|program): ready' 2
	send USR1
	expect_end 4
	run -1 grep -E 'worker: (got|done)' "$out"
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
		"$SPY" --send "$worker" USR2
		wait_for "$out" '^worker: done'
		case $sig in
		INT) assert_equal "$(heard worker)" 'INT USR2' ;;
		*) assert_equal "$(heard worker)" USR2 ;;
		esac
	done
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

# a wrapper that dies at once, a master that takes its time, and the master's worker
wrapper_master_worker() {
	echo "sh -c '\"\$SPY\" --name worker --exit-on $1:0:300 &
		exec \"\$SPY\" --name master --exit-on $1:0:300'; true"
}

# bats test_tags=stopping,pid1,subreaper
@test "-c: parents first: a master behind a wrapper is told, its worker when the master has ended" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -c -- sh -c "$(wrapper_master_worker TERM)"
		wait_for "$out" '^(worker|master): ready' 2
		send TERM
		expect_end 143
		assert_equal "$(events 'got|done')" \
			'master: got TERM,master: got CONT,master: done,worker: got TERM,worker: got CONT,worker: done'
	done
}

# bats test_tags=stopping,pid1,subreaper
@test "a SIGQUIT, SIGHUP or SIGUSR1 that the program alone got and died of: its group is told, parents first" {
	needs pid1
	for start in start_pid1 start_plain; do
		for sig in QUIT HUP USR1; do
			$start -- -- sh -c "$(wrapper_master_worker "$sig")"
			wait_for "$out" '^(worker|master): ready' 2
			send "$sig"
			expect_end $((128 + $(kill -l "$sig")))
			assert_equal "$(events "$sig|done")" \
				"master: got $sig,master: done,worker: got $sig,worker: done"
		done
	done
}

# bats test_tags=stopping,pid1,subreaper
@test "-c: what the program left is told the stop's signal, whatever the program died of" {
	needs pid1
	for options in '--stop QUIT/60/KILL' '-r TERM:QUIT'; do
		# shellcheck disable=SC2086
		start_pid1 -- -c $options -- sh -c '"$SPY" --name worker --exit-on QUIT:0:300 --exit-on TERM:9 &
			"$SPY" --name second --exit-on QUIT:0:100 --exit-on TERM:9 & trap "kill -TERM \$\$" QUIT
			while :; do wait; done'
		wait_for "$out" '^(worker|second): ready' 2
		send TERM
		expect_end 143
		assert_equal "$(heard worker) $(heard second)" 'QUIT QUIT'
	done
}

# bats test_tags=stopping,pid1
@test "-c without /proc: the whole group is told once the program has ended" {
	needs pid1
	start_pid1 --no-proc -- -c -- sh -c '"$SPY" --name worker --exit-on TERM:0:600 &
		sh -c "\"\$SPY\" --name below --exit-on TERM:0:100 & exec \"\$SPY\" --name above --leave CHLD --exit-on TERM:0:500" &
		exec "$SPY" --name program --exit-on TERM:4:300'
	wait_for "$out" ': ready' 4
	send TERM
	expect_end 4
	assert_equal "$(heard worker) $(heard above) $(heard below)" 'TERM TERM TERM'
	assert_regex "$(events '^program: done|got TERM|^below: done|above: done')" \
		'^program: got TERM,program: done,.*below: done,above: done$'
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

# bats test_tags=stopping,pid1,subreaper
@test "a zombie of the group that its parent outside never reaps holds nobody up: the parent is told" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -- sh -c '(: & exec "$SPY" --setsid --name outside --leave CHLD --exit-on TERM:0:300) & wait'
		wait_for "$out" '^outside: ready'
		wait_until eval '[ "$(zombies)" = 1 ]'
		send TERM
		expect_end 143
		assert_equal "$(heard outside)" TERM
		grep -qx 'outside: done' "$out"
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

# bats test_tags=stopping,pid1,subreaper
@test "the last of the group, whose parent is outside of it, is waited for and not told again" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -- sh -c '("$SPY" --name last --exit-on TERM:0:1000 &
			exec "$SPY" --setsid --name outside --exit-on TERM:0:100) & wait'
		wait_for "$out" '^(last|outside): ready' 2
		send TERM
		expect_end 143
		assert_equal "$(events '^last: (got TERM|done)')" 'last: got TERM,last: done'
		assert_equal "$(events '^outside: (got TERM|done)')" 'outside: got TERM,outside: done'
	done
}

# bats test_tags=stopping,pid1,subreaper
@test "the others get to finish: a daemon and the jobs of a shell with set -m are told once" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -- bash -c 'set -m; ("$SPY" --setsid --name daemon --exit-on TERM:0:300 &)
			"$SPY" --name job --exit-on TERM:0:300 & "$SPY" --name app --exit-on TERM:0:300'
		wait_for "$out" '^(daemon|job|app): ready' 3
		send TERM
		expect_end 143
		assert_equal "$(events 'TERM|done' | tr , '\n' | sort | paste -sd,)" \
			'app: done,app: got TERM,daemon: done,daemon: got TERM,job: done,job: got TERM'
	done
}

# bats test_tags=stopping,pid1,subreaper
@test "the others are told when the group is empty, not before" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -- sh -c '"$SPY" --setsid --name daemon --exit-on TERM:0:300 &
			"$SPY" --name app --exit-on TERM:0:500 & wait'
		wait_for "$out" '^(daemon|app): ready' 2
		send TERM
		expect_end 143
		assert_equal "$(events 'TERM|done')" \
			'app: got TERM,app: done,daemon: got TERM,daemon: done'
	done
}

# bats test_tags=stopping,pid1,subreaper
@test "the others are told parents first: a daemon's worker when the daemon has ended" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -- sh -c '(sh -c "\"\$SPY\" --setsid --name below --exit-on TERM:0:300 &
			exec \"\$SPY\" --setsid --name daemon --exit-on TERM:0:300" &)
			exec "$SPY" --name program --exit-on TERM:6'
		wait_for "$out" '^(below|daemon|program): ready' 3
		send TERM
		expect_end 6
		assert_equal "$(events '^(below|daemon): (got TERM|done)')" \
			'daemon: got TERM,daemon: done,below: got TERM,below: done'
	done
}

# others_are_told START SIG TOLD	SIG ends the program, and a daemon is told by TOLD
others_are_told() {
	local program

	"$1" -- sh -c '"$SPY" --setsid --name daemon --exit-on TERM:0:100 --exit-on QUIT:0:100 \
		--exit-on INT:0:100 & exec "$SPY" --name program --die-on '"$2"
	wait_for "$out" '^daemon: ready'
	program=$(pid_of program)
	# a SIGTERM to foster would begin a stop
	case $2 in
	TERM) "$SPY" --send "$program" TERM ;;
	*) send "$2" ;;
	esac
	expect_end $((128 + $(kill -l "$2")))
	assert_equal "$2: $(events '^daemon: (got|done)')" "$2: daemon: got $3,daemon: got CONT,daemon: done"
}

# bats test_tags=stopping,pid1,subreaper
@test "without a stop the others are told by SIGQUIT where that ended the program, else by SIGTERM" {
	needs pid1
	for start in start_pid1 start_plain; do
		others_are_told $start QUIT QUIT
		others_are_told $start INT TERM
		others_are_told $start TERM TERM
	done
	others_are_told start_pid1 HUP TERM
	others_are_told start_pid1 USR1 TERM
}

# bats test_tags=stopping,pid1,subreaper
@test "in a stop the others are told the stop's signal" {
	needs pid1
	for options in '-r TERM:INT' '--stop INT/60/KILL'; do
		# shellcheck disable=SC2086
		start_pid1 -- $options -- sh -c '"$SPY" --setsid --name daemon --exit-on TERM:0:100 \
			--exit-on INT:0:100 & exec "$SPY" --name program --exit-on INT:6'
		wait_for "$out" '^(daemon|program): ready' 2
		send TERM
		expect_end 6
		assert_equal "$(heard daemon)" INT
	done
}

# bats test_tags=stopping,pid1,subreaper
@test "of the others, too, a background job that ignores INT and QUIT is told by SIGTERM" {
	needs pid1
	start_pid1 -- --stop INT/60/KILL -- sh -c '"$SPY" --setsid --name daemon --ignore INT --ignore QUIT \
		--exit-on TERM:0:100 & exec "$SPY" --name program --exit-on INT:6'
	wait_for "$out" '^(daemon|program): ready' 2
	send TERM
	expect_end 6
	assert_equal "$(heard daemon)" TERM
}

# bats test_tags=stopping,pid1
@test "as PID 1 without /proc the others are told all at once, and waited for" {
	needs pid1
	start_pid1 --no-proc -- -- sh -c '(sh -c "\"\$SPY\" --setsid --name below --exit-on TERM:0:100 &
		exec \"\$SPY\" --setsid --name daemon --leave CHLD --exit-on TERM:0:600" &)
		"$SPY" --name app --exit-on TERM:0:300 & wait'
	wait_for "$out" '^(below|daemon|app): ready' 3
	send TERM
	expect_end 143
	assert_equal "$(heard app) $(heard daemon) $(heard below)" 'TERM TERM TERM'
	assert_equal "$(events 'done')" 'app: done,below: done,daemon: done'
}

# bats test_tags=stopping,pid1
@test "without /proc another signal is for the whole group, and then, as PID 1, for everybody" {
	needs pid1
	start_pid1 --no-proc -- -- sh -c '"$SPY" --setsid --name daemon --exit-on USR1 &
		"$SPY" --name app --exit-on USR2 & wait'
	wait_for "$out" '^(daemon|app): ready' 2
	send TERM
	wait_for "$out" '^app: got TERM'
	send HUP
	wait_for "$out" '^app: got HUP'
	assert_equal "$(heard daemon)" ''
	send USR2
	wait_for "$out" '^daemon: got TERM'
	send HUP
	wait_for "$out" '^daemon: got HUP'
	send USR1
	expect_end 143
	assert_equal "$(heard app) / $(heard daemon)" 'TERM HUP USR2 / TERM HUP USR1'
}

# bats test_tags=stopping,pid1
@test "the /proc of another PID namespace counts as none" {
	needs pid1
	start_pid1 --host-proc -- -v -- sh -c '"$SPY" --setsid --name daemon --exit-on TERM:0:300 &
		"$SPY" --name app --exit-on TERM:0:300 & wait'
	wait_for "$out" '^(daemon|app): ready' 2
	send TERM
	expect_end 143
	grep -qE '^foster: waiting for process group [0-9]+$' "$err"
	assert_equal "$(events 'TERM|done')" 'app: got TERM,app: done,daemon: got TERM,daemon: done'
}

# bats test_tags=stopping,root,subreaper
@test "elsewhere without /proc the others are neither told nor waited for, and a line says so" {
	needs root unshare
	wrap_foster 'exec unshare --mount sh -c "mount -t tmpfs none /proc && exec \"\$@\"" sh'
	start_plain -- -- sh -c '"$SPY" --setsid --name daemon --exit-on USR2 &
		"$SPY" --name worker --exit-on TERM:0:300 & wait'
	wait_for "$out" '^worker: ready'
	daemon=$(pid_of daemon)
	send TERM
	expect_end 143
	grep -qx 'worker: done' "$out"
	assert_equal "$(grep '^foster:' "$err")" 'foster: no /proc: processes outside the group are neither asked nor waited for'
	"$SPY" --send "$daemon" USR2
	wait_for "$out" '^daemon: done'
	assert_equal "$(heard daemon)" USR2
}

# bats test_tags=stopping,pid1,root
@test "parents first also under hidepid, and where the kernel has no list of children" {
	needs root pid1 setpriv perl
	plain=$FOSTER
	export socket=$BATS_TEST_TMPDIR/socket
	for before in 'mount -o remount,hidepid=2 /proc
		exec setpriv --reuid 65534 --regid 65534 --clear-groups' \
		'perl -MIO::Socket::UNIX -e "IO::Socket::UNIX->new(Local => q($socket), Listen => 1) or die"
		mount --bind "$socket" /proc/1/task/1/children
		! cat /proc/1/task/1/children 2>/dev/null || exit
		exec'; do
		FOSTER=$plain
		wrap_foster "$before"
		start_pid1 -- -c -- sh -c '("$SPY" --setsid --name daemon --exit-on TERM:0:100 &)
			sh -c "\"\$SPY\" --name worker --exit-on TERM:0:100 &
			exec \"\$SPY\" --name master --exit-on TERM:0:300"; true'
		wait_for "$out" '^(daemon|worker|master): ready' 3
		send TERM
		expect_end 143
		assert_equal "$(events 'TERM|done')" "master: got TERM,master: done,$(
		)worker: got TERM,worker: done,daemon: got TERM,daemon: done"
	done
}

# count_wakeups	n: how often foster wakes up in a second, which took ms
count_wakeups() {
	local before

	wait_state "$foster_pid" S
	before=$(status_field "$foster_pid" voluntary_ctxt_switches)
	start_clock
	"$SPY" --for 1000 >"$BATS_TEST_TMPDIR/second"
	n=$(($(status_field "$foster_pid" voluntary_ctxt_switches) - before))
	ms=$(elapsed)
}

# bats test_tags=stopping,subreaper
@test "while it waits for what the program left, nothing wakes foster up" {
	start_plain -- -v -- sh -c '"$SPY" --name worker --exit-on USR2 & wait'
	worker=$(pid_of worker)
	send INT
	wait_for "$err" 'waiting for pid'
	count_wakeups
	# but for the line after 5 s, on a slow machine
	[ "$n" -le "$(grep -c 'has ended, waiting' "$err")" ] || fail "$n wake-ups in $ms ms"
	"$SPY" --send "$worker" USR2
	expect_end 130
}

# bats test_tags=stopping,pid1
@test "without /proc foster looks 10 times a second while it waits for the group" {
	needs pid1
	start_pid1 --no-proc -- -v -- sh -c '"$SPY" --name worker --exit-on USR2 & wait'
	worker=$(pid_of worker)
	send TERM
	wait_for "$err" 'waiting for process group'
	count_wakeups
	[[ $n -ge 2 && $n -le $((ms / 100 + 4)) ]] || fail "$n wake-ups in $ms ms"
	"$SPY" --send "$worker" USR2
	expect_end 143
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
@test "--stop: the steps are for the others, too, once the group is empty" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- --stop TERM/300ms/QUIT/60/KILL -- sh -c '"$SPY" --setsid --name daemon \
			--exit-on QUIT:0:100 & exec "$SPY" --name program --exit-on TERM:6'
		wait_for "$out" '^(daemon|program): ready' 2
		send TERM
		expect_end 6
		assert_equal "$(heard daemon)" 'TERM QUIT'
		assert_regex "$(cat "$err")" \
			'^foster: pid [0-9]+ \(daemon\): still running after 300 ms, sending QUIT$'
	done
}

# bats test_tags=stopping,pid1,subreaper
@test "a final KILL ends all, the others and theirs, too: status 137 if the program was among them" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- --stop TERM/300ms/KILL -- sh -c '(sh -c "\"\$SPY\" --setsid --name below --listen &
			exec \"\$SPY\" --setsid --name daemon --listen" &)
			"$SPY" --name worker --listen & exec "$SPY" --name program --listen'
		wait_for "$out" '^(below|daemon|worker|program): ready' 4
		pids=$(for name in below daemon worker program; do pid_of $name; done)
		send TERM
		expect_end 137
		for pid in $pids; do
			is_gone "$pid" || fail "$pid is left"
		done
		# it was not its turn to be told
		[ -z "$(heard daemon)$(heard below)" ]
		assert_regex "$(cat "$err")" \
			'^foster: pid [0-9]+ \(program\).*: still running after 300 ms, sending KILL$'
	done
}

# bats test_tags=stopping,pid1,subreaper
@test "a final KILL ends the others, too, where the program has ended: its status stays" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- --stop TERM/300ms/KILL -- sh -c '"$SPY" --setsid --name daemon --listen &
			exec "$SPY" --name program --exit-on TERM:6'
		daemon=$(pid_of daemon)
		wait_for "$out" '^program: ready'
		send TERM
		expect_end 6
		is_gone "$daemon"
		assert_equal "$(heard daemon)" TERM
	done
}

# bats test_tags=stopping,pid1,subreaper
@test "with --drain the KILL of --stop is for the program and its group, then the drain begins" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -v --stop TERM/300ms/KILL --drain TERM/60/KILL -- sh -c '"$SPY" --setsid --name daemon \
			--exit-on TERM:0:300 & "$SPY" --name worker --listen & exec "$SPY" --name program --listen'
		wait_for "$out" '^(daemon|worker|program): ready' 3
		worker=$(pid_of worker)
		send TERM
		expect_end 137
		is_gone "$worker"
		assert_equal "$(events '^daemon: (got TERM|done)')" 'daemon: got TERM,daemon: done'
		assert_equal "$(grep -oE 'sending KILL|drain begins' "$err" | paste -sd,)" 'sending KILL,drain begins'
	done
}

# bats test_tags=stopping,pid1,subreaper
@test "a SIGTERM that the user sends again is passed on again, also to what is left" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -v -- sh -c '"$SPY" --setsid --name daemon --exit-on USR2 &
			"$SPY" --name worker --exit-on USR2 & trap : TERM; "$SPY" --name app --exit-on USR2; exit 4'
		wait_for "$out" '^(daemon|worker|app): ready' 3
		for n in 1 2; do
			send TERM
			wait_for "$out" '^app: got TERM' $n
			wait_for "$out" '^worker: got TERM' $n
		done
		"$SPY" --send "$(pid_of app)" USR2
		wait_for "$err" 'waiting for pid [0-9]+ \(worker\)$'
		send TERM
		wait_for "$out" '^worker: got TERM' 3
		"$SPY" --send "$(pid_of worker)" USR2
		wait_for "$out" '^daemon: got TERM'
		send TERM
		wait_for "$out" '^daemon: got TERM' 2
		"$SPY" --send "$(pid_of daemon)" USR2
		expect_end 4
		assert_equal "$(heard app),$(heard worker),$(heard daemon)" \
			'TERM TERM USR2,TERM TERM TERM USR2,TERM TERM USR2'
	done
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
@test "a stop that begins before --timeout runs out cancels it, with or without --stop" {
	needs pid1
	for options in '--stop TERM/60/KILL' ''; do
		# shellcheck disable=SC2086
		start_pid1 -- --timeout 3 $options -- "$SPY" --name app --exit-on TERM:3:3500
		wait_for "$out" '^app: ready'
		send TERM
		expect_end 3
		assert_equal "$(heard app)" TERM
	done
}

# bats test_tags=stopping,pid1
@test "--stop with a leading pause: nothing for that time, while the program still serves" {
	needs pid1
	start_pid1 -- -v --stop 1/TERM/20/KILL -- "$SPY" --name app --exit-on TERM:5
	wait_for "$out" '^app: ready'
	start_clock
	send TERM
	wait_for "$err" 'stop begins'
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
	wait_for "$err" 'stop begins'
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
	wait_for "$err" 'stop begins'
	send TERM
	expect_end 5
	assert_equal "$(heard app)" TERM
	# the schedule goes on from there
	start_pid1 -- -v --stop 50/TERM/100ms/KILL -- "$SPY" --name app --listen
	wait_for "$out" '^app: ready'
	send TERM
	wait_for "$err" 'stop begins'
	send TERM
	expect_end 137
	assert_equal "$(heard app)" TERM
}

# bats test_tags=stopping,pid1
@test "an end by Ctrl-C starts the schedule, without its pause" {
	needs pid1
	start_pid1 -- --stop 50/TERM/500ms/KILL -- sh -c '"$SPY" --name app --listen &
		"$SPY" --name job --ignore INT --ignore QUIT --exit-on TERM:0:100 & wait'
	wait_for "$out" '^(app|job): ready' 2
	send INT
	expect_end 130
	assert_equal "$(heard job)" TERM
	grep -qx 'job: done' "$out"
	assert_regex "$(cat "$err")" '^foster: pid [0-9]+ \(app\): still running after 500 ms, sending KILL$'
}

# schedule_after START SIG END	the program ends by SIG, as a signal or an exit status; its worker
# is told that, then by the schedule's second step, and killed
schedule_after() {
	local program

	"$1" -- --stop 50/USR2/200ms/HUP/200ms/KILL -- sh -c \
		"\"\$SPY\" --name worker --listen & exec \"\$SPY\" --name program $3"
	wait_for "$out" '^worker: ready'
	program=$(pid_of program)
	case $3 in
	--die*) "$SPY" --send "$program" "$2" ;;
	*) send USR1 ;;
	esac
	expect_end $((128 + $(kill -l "$2")))
	assert_equal "$(heard worker)" "$2 HUP"
	assert_equal "$(grep -c ': still running after 200 ms, sending' "$err")" 2
}

# bats test_tags=stopping,pid1,subreaper
@test "an end by TERM, INT or QUIT from elsewhere starts the schedule, its first step done" {
	needs pid1
	for sig in TERM INT QUIT; do
		schedule_after start_pid1 $sig "--die-on $sig"
	done
	schedule_after start_plain TERM '--die-on TERM'
}

# bats test_tags=stopping,pid1,subreaper
@test "an exit with 128 plus TERM, INT or QUIT starts the schedule, too" {
	needs pid1
	for sig in TERM INT QUIT; do
		schedule_after start_pid1 $sig "--exit-on USR1:$((128 + $(kill -l $sig)))"
	done
	schedule_after start_plain INT '--exit-on USR1:130'
}

# bats test_tags=stopping,pid1,subreaper
@test "three limits end what ignores SIGTERM behind a shell that was ended from elsewhere" {
	needs pid1
	for start in as_pid1 as_plain; do
		start_clock
		run -143 "$start" -- --timeout 3 --stop 1 --drain 1 -- \
			sh -c '(trap "" TERM; sleep 100)& sleep .5; kill $$'
		[ "$(elapsed)" -ge 1500 ]
		assert_output --regexp '^foster: pid [0-9]+ \((sh|sleep)\): still running after 1 s, sending KILL$'
	done
}

# bats test_tags=stopping,pid1,subreaper
@test "an end from elsewhere is no stop: the others are told by SIGTERM, not by the schedule's signal" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- --stop HUP/60/KILL -- sh -c '"$SPY" --setsid --name daemon --exit-on TERM:0:100 &
			exec "$SPY" --name program --die-on TERM'
		wait_for "$out" '^daemon: ready'
		"$SPY" --send "$(pid_of program)" TERM
		expect_end 143
		assert_equal "$(heard daemon)" TERM
	done
}

# bats test_tags=stopping,pid1
@test "an end by SIGHUP, or by another signal that foster forwarded, does not start the schedule" {
	needs pid1
	for sig in HUP USR1; do
		start_pid1 -- --stop TERM/200ms/KILL -- sh -c \
			"\"\$SPY\" --name worker --exit-on $sig:0:1000 & exec \"\$SPY\" --name program --die-on $sig"
		wait_for "$out" '^(worker|program): ready' 2
		send "$sig"
		expect_end $((128 + $(kill -l "$sig")))
		assert_equal "$(events '^worker: got [^C]|done')" "worker: got $sig,worker: done"
		[ ! -s "$err" ] || fail "$(cat "$err")"
	done
}

# bats test_tags=stopping,pid1
@test "--stop QUIT/..: SIGQUIT begins the stop and goes to the whole group, as SIGTERM's QUIT does" {
	needs pid1
	for sig in QUIT TERM; do
		start_pid1 -- -v --stop QUIT/300ms/TERM/60/KILL -- sh -c '"$SPY" --name worker --exit-on TERM &
			exec "$SPY" --name program --leave CHLD --exit-on TERM:4'
		wait_for "$out" '^(worker|program): ready' 2
		send "$sig"
		expect_end 4
		assert_equal "$(heard program),$(heard worker)" 'QUIT TERM,QUIT TERM'
		grep -q "^foster: stop begins: SIG$sig from outside the PID namespace$" "$err"
	done
}

# bats test_tags=stopping,pid1
@test "the signal that --stop names first begins no stop where -r drops it, and one that becomes it does" {
	needs pid1
	start_pid1 -- -v -r QUIT:0 -r USR1:QUIT --stop QUIT/60/KILL -- "$SPY" --name program --exit-on QUIT:4
	wait_for "$out" '^program: ready'
	send QUIT
	send HUP
	wait_for "$out" '^program: got HUP'
	run -1 grep 'stop begins' "$err"
	send USR1
	expect_end 4
	assert_equal "$(heard program)" 'HUP QUIT'
	grep -q '^foster: stop begins: SIGUSR1 ' "$err"
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
		wait_for "$err" '^foster: drain begins'
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

# bats test_tags=stopping,pid1,root
@test "--drain as PID 1: foster looks 10 times a second whether what entered has ended" {
	needs root pid1 nsenter
	start_pid1 -- --drain TERM/60/KILL -- "$SPY" --name program --exit-on USR1:6
	wait_for "$out" '^program: ready'
	nsenter --target "$foster_pid" --pid --mount "$SPY" --name entered --exit-on USR2 \
		>>"$out" 2>&1 3>&- &
	started_pids+=("$!")
	entered=$(pid_of entered)
	send USR1
	wait_for "$out" '^entered: got TERM'
	count_wakeups
	[[ $n -ge 2 && $n -le $((ms / 100 + 4)) ]] || fail "$n wake-ups in $ms ms"
	"$SPY" --send "$entered" USR2
	expect_end 6
	assert_equal "$(heard entered)" 'TERM USR2'
}

# bats test_tags=stopping,subreaper
@test "--drain elsewhere is for all descendants, parents first, and for nobody else" {
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
	assert_equal "$(events '^(below|daemon): (got TERM|done)')" \
		'daemon: got TERM,daemon: done,below: got TERM,below: done'
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
@test "--drain elsewhere without /proc finds nobody, and a line says so" {
	needs root unshare
	wrap_foster 'exec unshare --mount sh -c "mount -t tmpfs none /proc && exec \"\$@\"" sh'
	for sig in USR1 TERM; do
		start_plain -- --drain TERM/20/KILL -- sh -c '"$SPY" --name worker --exit-on TERM:0:300 --exit-on USR2 &
			"$SPY" --setsid --name daemon --exit-on USR2 & exec "$SPY" --name program --exit-on USR1:6 --exit-on TERM:6'
		wait_for "$out" '^(worker|daemon|program): ready' 3
		worker=$(pid_of worker)
		daemon=$(pid_of daemon)
		send $sig
		expect_end 6
		assert_equal "$(grep '^foster:' "$err")" 'foster: no /proc: processes outside the group are neither asked nor waited for'
		# in a stop the group is waited for
		[ $sig = USR1 ] || grep -qx 'worker: done' "$out"
		[ $sig = TERM ] || "$SPY" --send "$worker" USR2
		"$SPY" --send "$daemon" USR2
		wait_for "$out" '^(worker|daemon): done' 2
		assert_equal "$(heard worker),$(heard daemon)" "${sig/USR1/USR2},USR2"
	done
}

# bats test_tags=pid1
@test "in the pause, too, a background job that ignores the first step's signal is told by SIGTERM" {
	needs pid1
	# the shell's background job ignores SIGINT and SIGQUIT; untold it would last until as_pid1's limit
	run -3 as_pid1 -- --stop 1/INT/60/KILL -- sh -c 'sleep 50 & kill -TERM 1; sleep .2; exit 3'
}

# bats test_tags=pid1
@test "who was told by SIGTERM already is not told again for ignoring Ctrl-C" {
	needs pid1
	start_pid1 -- bash -c "trap : TERM
		'$SPY' --name worker --ignore INT --ignore QUIT --exit-on TERM:0:500 &
		while :; do wait; done"
	wait_for "$out" '^worker: ready'
	send TERM
	wait_for "$out" '^worker: leaving'
	send INT
	wait_end
	[ "$(grep -c '^worker: got TERM' "$out")" = 1 ]
}

# bats test_tags=stopping,pid1
@test "the whole group was told by SIGTERM: not again, whatever the program then dies of" {
	needs pid1 python3
	cat >"$BATS_TEST_TMPDIR/app.py" <<-'END'
		import os, signal, time
		def save(*_):
		    os.write(1, b"worker: saving\n")
		    time.sleep(2)
		    os.write(1, b"worker: saved\n")
		    os._exit(0)
		if os.fork() == 0:
		    signal.signal(signal.SIGTERM, save)
		    os.write(1, b"worker: ready\n")
		else:
		    signal.signal(signal.SIGTERM, signal.default_int_handler)
		    os.write(1, b"program: ready\n")
		while True:
		    signal.pause()
	END
	start_pid1 -- -- env --default-signal=INT,QUIT python3 "$BATS_TEST_TMPDIR/app.py"
	wait_for "$out" '^(worker|program): ready' 2
	send TERM
	expect_end 130
	assert_equal "$(grep -E 'sav' "$out" | paste -sd,)" 'worker: saving,worker: saved'
}

# bats test_tags=stopping,pid1
@test "who ignores SIGINT from within its handler is not told by SIGTERM while it saves" {
	needs pid1 python3
	cat >"$BATS_TEST_TMPDIR/app.py" <<-'END'
		import os, signal
		def save(*_):
		    signal.signal(signal.SIGINT, signal.SIG_IGN)
		    os.write(1, b"app: saving\n")
		    signal.sigwait([signal.SIGUSR1])
		    os.write(1, b"app: saved\n")
		    os._exit(0)
		signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
		signal.signal(signal.SIGINT, save)
		os.write(1, b"app: ready %d\n" % os.getpid())
		while True:
		    signal.pause()
	END
	start_pid1 -- -v -- sh -c 'env --default-signal=INT,QUIT python3 "$1" &
		exec "$SPY" --name program --exit-on USR2:130' sh "$BATS_TEST_TMPDIR/app.py"
	wait_for "$out" '^(app|program): ready' 2
	send INT
	wait_for "$out" '^app: saving'
	"$SPY" --send "$(pid_of program)" USR2
	wait_for "$err" '^foster: waiting for pid [0-9]+ \(python'
	"$SPY" --send "$(pid_of app)" USR1
	expect_end 130
	grep -qx 'app: saved' "$out"
}

# bats test_tags=stopping,pid1
@test "who is born into the group after all of it was told is its parent's to end" {
	needs pid1
	start_pid1 -- -v -- bash -c '"$SPY" --name first --exit-on TERM &
		trap "\"\$SPY\" --name late --exit-on USR2 & exit 3" TERM; while :; do wait; done'
	wait_for "$out" '^first: ready'
	send TERM
	wait_for "$err" '^foster: waiting for pid [0-9]+ \((late|bash|spy)\)'
	"$SPY" --send "$(pid_of late)" USR2
	expect_end 3
	assert_equal "$(heard first),$(heard late)" TERM,USR2
}

# bats test_tags=stopping,pid1
@test "an earlier signal that the program survived does not count as telling: neither QUIT nor INT after it" {
	needs pid1
	# the worker is born when an INT has come
	for end in QUIT INT; do
		start_pid1 -- -- sh -c '"$SPY" --name old --exit-on QUIT:0:100 --exit-on USR2:0:100 &
			trap "" HUP; trap "trap - INT; \"\$SPY\" --name new --exit-on INT:0:300 --exit-on QUIT:0:300 &" INT
			echo "program $$"; while :; do wait; done'
		wait_for "$out" '^old: ready'
		wait_for "$out" '^program'
		send INT
		wait_for "$out" '^new: ready'
		case $end in
		QUIT) send QUIT ;;
		INT)
			# foster's last is another, more than a second later, and this INT is the program's alone
			"$SPY" --for 1500 >/dev/null
			send HUP
			"$SPY" --send "$(outer_pid "$(sed -n 's/^program //p' "$out")")" INT
			wait_for "$out" '^new: leaving'
			"$SPY" --send "$(pid_of old)" USR2
			;;
		esac
		expect_end $((128 + $(kill -l "$end")))
		assert_equal "$(heard new)" "$end"
		grep -qx 'new: done' "$out"
		case $end in
		QUIT) assert_equal "$(heard old)" 'INT QUIT' ;;
		INT) assert_equal "$(heard old)" 'INT INT USR2' ;;
		esac
	done
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
@test "--drain: a later SIGTERM delivers its first step again, SIGHUP reaches the others, SIGINT nobody" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- --drain TERM/60/KILL -- sh -c '("$SPY" --setsid --name daemon --exit-on USR2 &)
			exec "$SPY" --name program --exit-on USR1:4'
		daemon=$(pid_of daemon)
		wait_for "$out" '^program: ready'
		send USR1
		wait_for "$out" '^daemon: got TERM '
		for sig in INT WINCH TSTP; do
			send $sig
		done
		send HUP
		wait_for "$out" '^daemon: got HUP '
		send TERM
		wait_for "$out" '^daemon: got TERM ' 2
		"$SPY" --send "$daemon" USR2
		expect_end 4
		assert_equal "$(heard daemon)" 'TERM HUP TERM USR2'
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
@test "a SIGTERM after an end from elsewhere sends the first step, and the schedule goes on" {
	needs pid1
	start_pid1 -- -v --stop USR2/4/QUIT/60/KILL -- sh -c \
		'"$SPY" --name worker --exit-on QUIT & exec "$SPY" --name program --die-on TERM'
	wait_for "$out" '^worker: ready'
	"$SPY" --send "$(pid_of program)" TERM
	wait_for "$out" '^worker: got TERM'
	send TERM
	expect_end 143
	assert_equal "$(heard worker)" 'TERM USR2 QUIT'
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
	assert_equal "$(grep "^foster:" "$err")" 'foster: some processes: still running after 200 ms, sending KILL'
}

# bats test_tags=stopping,root,subreaper
@test "what even KILL can't end of the group is named a second later, and left" {
	needs root setpriv
	wrap_foster 'exec setpriv --bounding-set=-kill'
	start_plain -- --stop TERM/200ms/KILL -- sh -c \
		'setpriv --reuid 65534 "$SPY" --name worker --listen &
		exec "$SPY" --name program --exit-on TERM:6'
	wait_for "$out" '^(worker|program): ready' 2
	send TERM
	start_clock
	expect_end 6
	[ "$(elapsed)" -ge 1100 ]
	assert_regex "$(tail -n 1 "$err")" '^foster: pid [0-9]+ \(worker\): still there after KILL, left behind$'
	[ -z "$(heard worker)" ]
}

# bats test_tags=stopping,subreaper
@test "a SIGTERM between the wait and the reaping of the program's end is a stop all the same" {
	needs strace
	wrap_foster 'exec strace -D -qq -o /dev/null -e trace=wait4 -e signal=none \
		-e inject=wait4:delay_enter=2000000:when=2+'
	for option in '' --stop=INT/60/KILL; do
		# shellcheck disable=SC2086
		start_plain -- $option -- sh -c '"$SPY" --name worker --ignore INT --ignore QUIT --exit-on TERM:0:1000 &
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
@test "--stop: a step reaches a suspended process too, and continues it" {
	needs pid1
	start_pid1 -- --stop QUIT/60/KILL -- "$SPY" --name app --exit-on QUIT:5
	wait_for "$out" '^app: ready'
	app=$(pid_of app)
	kill -STOP "$app"
	wait_state "$app" T
	send TERM
	expect_end 5
}

# bats test_tags=stopping,root,subreaper
@test "a program that not even KILL can end is named a second later and left, too: status 137" {
	needs root setpriv
	wrap_foster 'exec setpriv --bounding-set=-kill'
	start_plain -- --stop TERM/200ms/KILL -- setpriv --reuid 65534 "$SPY" --name program --exit-on USR2:6
	program=$(pid_of program)
	send TERM
	start_clock
	expect_end 137
	[ "$(elapsed)" -ge 1100 ]
	grep -qE '^foster: pid [0-9]+ \(program\): still running after 200 ms, sending KILL$' "$err"
	assert_regex "$(tail -n 1 "$err")" '^foster: pid [0-9]+ \(program\): still there after KILL, left behind$'
	"$SPY" --send "$program" USR2
	wait_for "$out" '^program: done'
	assert_equal "$(heard program)" USR2
}

# bats test_tags=stopping,subreaper
@test "elsewhere than as PID 1 foster stays after KILL until no child is left" {
	start_plain -- --stop TERM/200ms/KILL -- sh -c '"$SPY" --setsid --name daemon --listen &
		exec "$SPY" --name program --listen'
	daemon=$(pid_of daemon)
	program=$(pid_of program)
	kill -STOP "$daemon"
	send TERM
	expect_end 137
	for pid in $daemon $program; do
		# not even a zombie, which another would have to reap
		[ ! -e "/proc/$pid" ] || fail "$pid is there: $(grep State "/proc/$pid/status")"
	done
}

# bats test_tags=stopping,pid1
@test "without /proc a program that SIGINT ended leaves nobody to wait for" {
	needs pid1
	run -130 as_pid1 --no-proc -- sh -c 'kill -INT $$'
	[[ $output != *foster:* ]]
}

# bats test_tags=stopping,pid1
@test "a SIGTERM while foster waits for the group begins the schedule in full, with its pause" {
	needs pid1
	start_clock
	stop_what_is_left 600ms/USR2/200ms/KILL --listen
	[ "$(elapsed)" -ge 800 ]
	assert_equal "$(heard worker)" 'HUP USR2'
}

# bats test_tags=stopping,pid1,subreaper
@test "a SIGTERM while foster waits for the group: a background job is told by SIGTERM, not by INT" {
	needs pid1
	stop_what_is_left INT/60/KILL '--ignore INT --ignore QUIT --exit-on TERM:0:100'
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
@test "--timeout 0 is no time-out" {
	start_plain -- --timeout 0 -- "$SPY" --name program --exit-on USR2:6:500
	wait_for "$out" '^program: ready'
	send USR2
	expect_end 6
	assert_equal "$(heard program)" USR2
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
@test "who is suspended and ignores INT and QUIT is told by SIGTERM, and continued" {
	start_plain -- -- sh -c '"$SPY" --name worker --ignore INT --ignore QUIT --stop-self STOP --exit-on TERM:0 &
		exec "$SPY" --name program --die-on INT'
	wait_for "$out" '^(worker|program): ready' 2
	wait_state "$(pid_of worker)" T
	send INT
	expect_end 130
	assert_equal "$(heard worker)" TERM
}

# bats test_tags=stopping,pid1,subreaper
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

# bats test_tags=stopping,subreaper
@test "while it waits for what is left, foster opens no descriptor for good" {
	needs proc
	start_plain -- -v -- sh -c '"$SPY" --name worker --exit-on USR2 & exec "$SPY" --name program --die-on INT'
	worker=$(pid_of worker)
	wait_for "$out" '^program: ready'
	send INT
	wait_for "$err" 'waiting for pid'
	"$SPY" --for 500 >/dev/null
	wait_until eval '[ "$(echo "/proc/$foster_pid/fd"/*)" = "/proc/$foster_pid/fd/2" ]'
	"$SPY" --send "$worker" USR2
	expect_end 130
}

# bats test_tags=stopping,pid1
@test "-v tells what began the stop: the signal and its sender, or the time-out" {
	needs pid1
	start_pid1 -- -v -- "$SPY" --exit-on TERM
	wait_for "$out" '^ready'
	send TERM
	expect_end 0
	assert_equal "$(grep -o 'stop begins.*' "$err")" 'stop begins: SIGTERM from outside the PID namespace'
	start_plain -- -v -- "$SPY" --exit-on TERM
	wait_for "$out" '^ready'
	kill -TERM "$foster_pid"
	expect_end 0
	assert_equal "$(grep -o 'stop begins.*' "$err")" "stop begins: SIGTERM from pid $BASHPID ($(</proc/$BASHPID/comm))"
	run -124 as_plain -- -v --timeout 300ms -- "$SPY" --exit-on TERM
	assert_line 'foster: stop begins: timed out after 300 ms'
	run -0 as_plain -- -v -- "$SPY" --exit 0
	refute_output --partial 'stop:'
}

# bats test_tags=stopping,tty
@test "-v tells a stop that the kernel began: a hang-up, say" {
	needs tty
	start_pty -- sh -c 'exec "$FOSTER" -v --stop HUP/60/KILL "$SPY" --name app --exit-on HUP:3 2>"$1"' sh "$BATS_TEST_TMPDIR/log"
	wait_for "$out" '^app: ready'
	on_pty hangup
	wait_for "$BATS_TEST_TMPDIR/log" '^foster: stop begins: SIGHUP from the kernel$'
	wait_gone "$foster_pid"
}

# bats test_tags=stopping,pid1,subreaper
@test "-v names whom foster waits for: the program, its group, the others" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -v -- sh -c '"$SPY" --setsid --name daemon --exit-on USR2 &
			"$SPY" --name w1 --exit-on USR2 & "$SPY" --name w2 --exit-on TERM &
			exec "$SPY" --name program --exit-on TERM:4:300'
		wait_for "$out" '^(daemon|w1|w2|program): ready' 4
		w2=$(pid_of w2)
		send TERM
		wait_for "$err" '^foster: waiting for pid [0-9]+ \(program\)$'
		wait_for "$err" '^foster: waiting for pid [0-9]+ \(w1\)$'
		"$SPY" --send "$(pid_of w1)" USR2
		wait_for "$err" "^foster: waiting for pid $(sed -n 's/^daemon: ready //p' "$out") \(daemon\)$"
		"$SPY" --send "$(pid_of daemon)" USR2
		expect_end 4
		assert_equal "$(grep -c '^foster: waiting for' "$err")" 3
		run -1 grep -E 'left behind|killed$' "$err"
	done
}

# bats test_tags=stopping
@test "-v names them again in a minute; without -v nothing wakes foster up in a stop" {
	needs strace
	export trace=$BATS_TEST_TMPDIR/trace
	wrap_foster 'exec strace -D -qq -o "$trace" -e trace=rt_sigtimedwait -e signal=none'
	for option in -v --; do
		start_plain -- $option "$SPY" --name program --exit-on USR2:4
		wait_for "$out" '^program: ready'
		send TERM
		wait_for "$out" '^program: got TERM'
		wait_state "$foster_pid" S
		send USR2
		expect_end 4
		case $option in
		-v) grep -qE '\{tv_sec=(59|60), ' "$trace" ;;
		*) run -1 grep -E 'tv_sec=[1-9]' "$trace" ;;
		esac
	done
}

# bats test_tags=stopping,pid1
@test "whom foster waits for is counted: and 2 more" {
	needs pid1
	start_pid1 -- -v -- sh -c 'for n in 1 2 3; do "$SPY" --name "w$n" --exit-on USR2 & done
		exec "$SPY" --name program --exit-on TERM:4'
	wait_for "$out" '^(w[123]|program): ready' 4
	send TERM
	wait_for "$err" '^foster: waiting for pid [0-9]+ \(w[123]\) and 2 more$'
	for n in 1 2 3; do
		"$SPY" --send "$(pid_of "w$n")" USR2
	done
	expect_end 4
}

# bats test_tags=stopping,pid1
@test "what keeps foster for 5 s after the program's end is named, without -v too, once" {
	needs pid1
	start_pid1 -- -- sh -c '"$SPY" --name app --exit-on USR2 & "$SPY" --name app --exit-on USR2:0:1500 &
		exec "$SPY" --name program --exit-on TERM:4:1000'
	wait_for "$out" '^(app|program): ready' 3
	program=$(sed -n 's/^program: ready //p' "$out")
	start_clock
	send TERM
	wait_for "$err" .
	[ "$(elapsed)" -ge 6000 ]
	while read -r pid; do
		"$SPY" --send "$(outer_pid "$pid")" USR2
	done < <(sed -n 's/^app: ready //p' "$out")
	expect_end 4
	assert_regex "$(cat "$err")" '^foster: sh has ended, waiting for pid [0-9]+ \(app\) and 1 more$'
}

# bats test_tags=stopping,pid1,subreaper
@test "the line after 5 s is for the others, too" {
	needs pid1
	start_plain -- -- sh -c '"$SPY" --setsid --name daemon --exit-on USR2 &
		exec "$SPY" --name program --exit-on TERM:4'
	daemon=$(pid_of daemon)
	wait_for "$out" '^program: ready'
	send TERM
	wait_for "$err" .
	assert_equal "$(cat "$err")" "foster: sh has ended, waiting for pid $daemon (daemon)"
	"$SPY" --send "$daemon" USR2
	expect_end 4
}

# bats test_tags=stopping,pid1
@test "a program that ignores the stop's signal is named at once, without -v too" {
	needs pid1
	start_pid1 -- -- sh -c 'trap "" TERM; "$SPY" --name worker --exit-on USR2; exit 4'
	worker=$(pid_of worker)
	send TERM
	wait_for "$err" .
	send TERM
	wait_for "$out" '^worker: got TERM' 2
	"$SPY" --send "$worker" USR2
	expect_end 4
	assert_equal "$(cat "$err")" 'foster: pid 2 (sh) ignores SIGTERM'
	start_pid1 -- --stop INT/60/KILL -- "$SPY" --name program --ignore INT --exit-on USR2:5
	wait_for "$out" '^program: ready'
	send TERM
	wait_for "$err" '^foster: pid 2 \(program\) ignores SIGINT$'
	send USR2
	expect_end 5
	assert_equal "$(wc -l <"$err")" 1
}

# bats test_tags=stopping,pid1,subreaper
@test "-v names what is left behind, and what is killed, when foster leaves" {
	needs pid1
	for start in start_pid1 start_plain; do
		$start -- -v -- sh -c '"$SPY" --setsid --name daemon --exit-on USR2 & exec "$SPY" --name program --exit-on USR1:6'
		wait_for "$out" '^(daemon|program): ready' 2
		send USR1
		expect_end 6
		assert_regex "$(tail -n 1 "$err")" '^foster: pid [0-9]+ \(daemon\): left behind$'
	done
	for start in start_pid1 start_plain; do
		$start -- -v --stop TERM/200ms/KILL -- sh -c '"$SPY" --setsid --name daemon --listen &
			exec "$SPY" --name program --exit-on TERM:6'
		wait_for "$out" '^(daemon|program): ready' 2
		send TERM
		expect_end 6
		assert_regex "$(tail -n 1 "$err")" '^foster: pid [0-9]+ \(daemon\): killed$'
	done
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
	wait_for "$err" 'drain begins'
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

# bats test_tags=stopping,subreaper
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
