# python.bats: each of examples/python under foster in a container, and without an init.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154  # set by "run"

bats_require_minimum_version 1.8.0
load engines

setup() {
	needs_engine docker
	needs_image python
}

teardown() {
	remove_containers
}

# example [DOCKER-OPTION...] -- FILE [ARG...]	runs it in container "box", in the background
example() {
	local options=()

	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	docker run -d --name box -v "$root/examples/python:/examples:ro" -w /examples \
		"${options[@]}" python-test "$@" >/dev/null
}

# bare [DOCKER-OPTION...] -- FILE [ARG...]	the same without an init: Python is PID 1
bare() {
	example --entrypoint python3 "$@"
}

# printed LINE...	in this order at the end of what it printed
printed() {
	diff <(printf '%s\n' "$@") <(docker logs box 2>&1 | tail -n $#)
}

# bats test_tags=docker,python
@test "flag.py: SIGTERM, the item at hand is finished, all is put away, status 0" {
	example -- flag.py
	wait_for_log box '^item 2 begun'
	docker stop box
	[ "$(docker logs box | grep -c begun)" = "$(docker logs box | grep -c finished)" ]
	printed 'cleaned up'
	[ "$(inspect box State.ExitCode)" = 0 ]
}

# bats test_tags=docker,python
@test "flag.py behind a shell: the same, where without an init the item is lost" {
	example --entrypoint /foster -- -- sh -c 'echo set up; python3 flag.py; echo end'
	wait_for_log box '^item 2 begun'
	docker stop box
	logs_have box '^cleaned up'
	docker rm box
	example --entrypoint sh -- -c 'echo set up; python3 flag.py; echo end'
	wait_for_log box '^item 2 begun'
	docker stop -t 1 box
	run -1 logs_have box '^cleaned up'
	[ "$(inspect box State.ExitCode)" = 137 ]
}

# bats test_tags=docker,python
@test "flag.py, --timeout: a time-out from outside; it still puts all away, status 124" {
	example -e FOSTER_OPTIONS=--timeout=1 -- flag.py
	[ "$(wait_end box)" = 124 ]
	printed 'cleaned up'
}

# bats test_tags=docker,python,tty
@test "interrupt.py: Ctrl-C is a KeyboardInterrupt, and finally is run" {
	run -0 "$PTY" -- docker run --name box -it -v "$root/examples/python:/examples:ro" \
		-w /examples python-test interrupt.py 3>&- 4>&- <<-'END'
		expect ready
		send \x03
		expect cleaned up
		wait
	END
	[[ "$output" == *KeyboardInterrupt*"cleaned up"* ]]
	[ "$(inspect box State.ExitCode)" = 0 ]
}

# bats test_tags=docker,python
@test "interrupt.py own: a handler of its own, the second SIGINT ends it" {
	example -- interrupt.py own
	wait_for_log box ^ready
	docker kill -s INT box
	wait_for_log box '^once more'
	docker kill -s INT box
	wait_end box
	printed 'once more to end' KeyboardInterrupt 'cleaned up'
}

# bats test_tags=docker,python
@test "interrupt.py started by a shell with &: SIGINT is ignored; --default-signal INT resets it" {
	example --entrypoint sh -- -c '/foster python3 interrupt.py & wait'
	wait_for_log box ^ready
	logs_have box '^SIGINT is ignored'
	docker rm -f box
	example --entrypoint sh -- -c '/foster --default-signal INT python3 interrupt.py & wait'
	wait_for_log box ^ready
	run -1 logs_have box '^SIGINT is ignored'
}

# bats test_tags=docker,python
@test "alarm.py: signal.alarm is the program's own, foster uses no timer signal" {
	example -e FOSTER_OPTIONS=--timeout=50 -- alarm.py
	[ "$(wait_end box)" = 0 ]
	printed 'too slow, going on' 'fast enough'
}

# bats test_tags=docker,python
@test "ignore.py: SIG_DFL ends it with 129, where as PID 1 nothing happens" {
	example -- ignore.py
	[ "$(wait_end box)" = 129 ]
	printed 'given: default' 'ignored: still here'
	docker rm box
	bare -- ignore.py
	[ "$(wait_end box)" = 0 ]
	printed 'given: default' 'ignored: still here' 'default: still here'
}

# bats test_tags=docker,python
@test "ignore.py, --ignore-signal HUP: it is ignored from the start" {
	example -e FOSTER_OPTIONS=--ignore-signal=HUP -- ignore.py
	wait_end box
	logs_have box '^given: ignored'
}

# bats test_tags=docker,python
@test "children.py: it sees its own children's statuses, the orphan is foster's" {
	example -e FOSTER_OPTIONS=-w -- children.py
	[ "$(wait_end box)" = 0 ]
	logs_have box '^statuses \[0, 3, 5\]'
	logs_have box '^foster: pid [0-9]*: reaped, exited with status 0'
}

# bats test_tags=docker,python
@test "threads.py: the handler runs in the main thread, all workers finish" {
	example -- threads.py
	wait_for_log box ^ready
	docker stop box
	logs_have box '^handler in MainThread'
	logs_have box '^worker [0-2] finished' 3
	printed 'cleaned up'
	[ "$(inspect box State.ExitCode)" = 0 ]
}

# bats test_tags=docker,python
@test "blocked.py: the handler can't run during a long call of C; --stop's schedule ends it" {
	example -e FOSTER_OPTIONS=--stop=1 -- blocked.py
	wait_for_log box ^ready
	docker stop -t 60 box
	run -1 logs_have box '^handler'
	logs_have box '^foster: pid [0-9]* \(python3\): still running after 1 s, sending KILL'
	[ "$(inspect box State.ExitCode)" = 137 ]
}

# bats test_tags=docker,python
@test "aio.py: the task that is cancelled finishes what it does" {
	example -- aio.py
	wait_for_log box ^ready
	docker stop box
	printed 'work finished' 'cleaned up'
	[ "$(inspect box State.ExitCode)" = 0 ]
}

# bats test_tags=docker,python
@test "pool.py: with -c no result is lost, with the group told some are" {
	example -e FOSTER_OPTIONS=-c -- pool.py
	wait_for_log box '^begun 4'
	docker stop -t 30 box
	printed 'lost 0'
	[ "$(inspect box State.ExitCode)" = 0 ]
	docker rm box
	example -- pool.py
	wait_for_log box '^begun 4'
	docker stop -t 30 box
	logs_have box '^lost [1-9]'
}
