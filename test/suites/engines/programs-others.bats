# programs-others.bats: a JVM, other supervisors, and what people run at a terminal.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC1010,SC2030,SC2031,SC2034,SC2154,SC2016  # set by programs.bash; what is in single quotes is for a shell inside

bats_require_minimum_version 1.8.0
load programs

setup() {
	use_image programs
}

### Java ###

java() {
	box "$@" -- java Main
	wait_for ^ready
}

# bats test_tags=docker,programs
@test "Java: the shutdown hook runs to its end, and the status is 143" {
	java
	stops
	ends_as 143
	printed '^hook done'
}

# bats test_tags=docker,programs
@test "Java behind a shell: the shutdown hook runs to its end, and -e 143 makes a success of it" {
	mode=wrapped
	java -e 'FOSTER_OPTIONS=-e 143'
	stops
	ends_as 0
	printed '^hook done'
}

# bats test_tags=docker,programs
@test "Java: SIGQUIT prints a thread dump, and nothing more happens" {
	java
	sends QUIT
	wait_for '^Full thread dump'
	wait_for ^tick $(($(count ^tick) + 5))
	run -1 printed '^hook begun'
	[ "$(inspect box State.Status)" = running ]
}

### supervisord and cron ###

supervisord_stops() {
	box -- supervisord -c supervisord.conf
	wait_for '^app[01]: ready' 2
	stops
	ends_as "$1"
	printed '^app0: done'
	printed '^app1: done'
	[ "$(count '^app[01]: got TERM')" = 2 ]
}

# bats test_tags=docker,programs
@test "supervisord: it stops its programs, each is told once and finishes" {
	supervisord_stops 0
}

# bats test_tags=docker,programs
@test "supervisord behind a shell: it stops its programs, each is told once and finishes" {
	mode=wrapped
	supervisord_stops 143
}

no_zombies() {
	beside sh -c '! grep -ls "^State:.Z" /proc/[0-9]*/status'
}

cron_stops() {
	box -e FOSTER_OPTIONS=--drain=TERM/100/KILL -- cron -f
	wait_until 60 grep -qs ^ready "$dir/job"
	wait_until 60 no_zombies
	stops
	ends_as 143
	grep ^done "$dir/job"
	[ "$(grep -c '^got TERM' "$dir/job")" = 1 ]
}

# bats test_tags=docker,programs
@test "cron, --drain: a job that runs gets to finish, and its orphans are reaped" {
	cron_stops
}

# bats test_tags=docker,programs
@test "cron behind a shell, --drain: a job that runs gets to finish, and its orphans are reaped" {
	mode=wrapped
	cron_stops
}

### applications that end their own workers ###

# bats test_tags=docker,programs
@test "Celery, -c: the task at hand is finished, its worker isn't told behind its back" {
	box --user nobody -e FOSTER_OPTIONS=-c -- celery -A tasks worker -c 2 -l info
	wait_for 'celery@.* ready'
	docker exec box python3 -c 'import tasks; tasks.work.delay()'
	wait_for 'task begun'
	stops_until 'Warm shutdown'
	ends_as 0
	printed 'task finished'
	run -1 printed WorkerLostError
}

### shells and terminals ###

# bats test_tags=docker,programs
@test "bash with traps: each runs, EXIT last, and the status is the trap's" {
	box -- bash -c 'trap "echo on TERM; exit 5" TERM; trap "echo on EXIT" EXIT; trap "echo on USR1" USR1
		echo ready; while :; do sleep 1000 & wait $!; done'
	wait_for ^ready
	sends USR1
	wait_for '^on USR1'
	stops
	ends_as 5
	ends_with 'on TERM' 'on EXIT'
}

# bats test_tags=docker,programs
@test "bash with a trap and a command in the foreground: the trap needn't wait for it" {
	box -- bash -c 'trap "echo on TERM; exit 5" TERM; echo ready; sleep 1000; echo no'
	wait_for ^ready
	stops
	ends_as 5
	ends_with 'on TERM'
}

# made COMMAND...	make on a terminal; once both recipes run, Ctrl-C
made() {
	run -0 on_terminal docker run --name box -it -v "$dir:/srv" -w /srv programs "$@" <<-'END'
		expect ready
		expect ready
		send \x03
		wait
	END
	echo "$output"
	[ "$(grep -c 'got INT' <<<"$output")" = 2 ]
	[[ "$output" == *"status 130"* ]]
	[ "$(cd "$dir" && echo *)" = gate ]
}

# bats test_tags=docker,programs,tty
@test "make -j, Ctrl-C: the recipes end, half-made files are deleted" {
	made make -j2 -f /programs/Makefile
	[[ "$output" == *"Deleting file 'a'"* ]]
	[[ "$output" == *"Deleting file 'b'"* ]]
}

# bats test_tags=docker,programs,tty
@test "make -j behind a shell, Ctrl-C: the same, and the shell goes no further" {
	made sh -c 'make -j2 -f /programs/Makefile; echo end'
	[[ "$output" != *$'\n'end$'\n'* ]]
}

# bats test_tags=docker,programs
@test "a pipeline: SIGPIPE ends the writer, as without an init" {
	run -0 docker run --rm programs bash -c 'yes | head -n 1; echo "${PIPESTATUS[@]}"'
	[ "$output" = $'y\n141 0' ]
	run -141 docker run --rm programs bash -o pipefail -c 'yes | head -n 1'
}
