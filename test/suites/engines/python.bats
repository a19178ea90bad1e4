# python.bats: each of examples/python under foster in a container, and where it differs without an init.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154  # set by programs.bash and by "run"

bats_require_minimum_version 1.8.0
load programs

setup() {
	use_image signals
}

# python FILE [ARG...]	under foster
python() {
	box -- python3 "$@"
}

### SIGTERM ###

# bats test_tags=docker,python
@test "a program without a handler: SIGTERM ends it with 143, where without an init it must be killed" {
	python interrupt.py
	wait_for '^ready'
	stops
	ends_as 143
	run -1 printed '^cleaned up'
	docker rm box
	bare -- python3 interrupt.py
	wait_for '^ready' 2
	stops -t 1
	ends_as 137
}

# bats test_tags=docker,python
@test "flag.py: the item at hand is finished, all is put away, status 0" {
	python flag.py
	wait_for '^item 2 begun'
	stops
	ends_as 0
	[ "$(count ' begun$')" = "$(count ' finished$')" ]
	ends_with 'cleaned up'
}

# bats test_tags=docker,python
@test "flag.py behind a shell: the same, where without an init the item at hand is lost" {
	box -- sh -c 'echo set up; python3 flag.py; echo end'
	wait_for '^item 2 begun'
	stops
	ends_as 143
	[ "$(count ' begun$')" = "$(count ' finished$')" ]
	ends_with 'cleaned up'
	docker rm box
	truncate -s 0 "$log" "$log.err"
	bare -- sh -c 'echo set up; python3 flag.py; echo end'
	wait_for '^item 2 begun'
	stops -t 1
	ends_as 137
	run -1 printed '^cleaned up'
}

# bats test_tags=docker,python
@test "flag.py, --timeout: a time-out from outside; it finishes and puts all away, status 124" {
	box -e FOSTER_OPTIONS=--timeout=1 -- python3 flag.py
	ends_as 124
	[ "$(count ' begun$')" = "$(count ' finished$')" ]
	ends_with 'cleaned up'
}

### SIGINT ###

# bats test_tags=docker,python,tty
@test "interrupt.py: Ctrl-C is a KeyboardInterrupt, and finally is run" {
	run -0 on_terminal docker run --name box -it "$image" python3 interrupt.py <<-'END'
		expect ready
		send \x03
		expect cleaned up
		wait
	END
	[[ "$output" == *KeyboardInterrupt$'\n'"cleaned up"$'\n'* ]]
	[[ "$output" == *"status 0"* ]]
}

# bats test_tags=docker,python
@test "interrupt.py own: a handler of its own, the second SIGINT ends it" {
	python interrupt.py own
	wait_for '^ready'
	sends INT
	wait_for '^once more to end'
	sends INT
	ends_as 0
	ends_with 'once more to end' KeyboardInterrupt 'cleaned up'
}

# bats test_tags=docker,python
@test "interrupt.py started by a shell with &: SIGINT is ignored; --default-signal INT resets it" {
	bare -- sh -c '/foster python3 interrupt.py & wait'
	wait_for '^ready'
	printed '^SIGINT is ignored'
	docker rm -f box
	truncate -s 0 "$log" "$log.err"
	bare -- sh -c '/foster --default-signal INT python3 interrupt.py & wait'
	wait_for '^ready'
	run -1 printed '^SIGINT is ignored'
}

### SIGALRM, SIGHUP ###

# bats test_tags=docker,python
@test "alarm.py: the timer and SIGALRM are the program's own, also with --timeout" {
	box -e FOSTER_OPTIONS=--timeout=100 -- python3 alarm.py
	ends_as 0
	ends_with 'too slow, going on' 'fast enough'
}

# bats test_tags=docker,python
@test "signal.alarm without a handler: ends it with 142, where as PID 1 nothing happens" {
	local late='import signal, time; signal.alarm(1); time.sleep(2); print("still here")'

	python -c "$late"
	ends_as 142
	run -1 printed 'still here'
	docker rm box
	bare -- python3 -c "$late"
	ends_as 0
	ends_with 'still here'
}

# bats test_tags=docker,python
@test "ignore.py: SIGHUP at its default ends it with 129, where as PID 1 nothing happens" {
	python ignore.py
	ends_as 129
	ends_with 'given: default' 'ignored: still here'
	docker rm box
	bare -- python3 ignore.py
	ends_as 0
	ends_with 'given: default' 'ignored: still here' 'default: still here'
}

# bats test_tags=docker,python
@test "ignore.py, --ignore-signal HUP: it is ignored from the start" {
	box -e FOSTER_OPTIONS=--ignore-signal=HUP -- python3 ignore.py
	ends_as 129
	ends_with 'given: ignored' 'ignored: still here'
}

### SIGCHLD ###

# bats test_tags=docker,python
@test "children.py: it collects its own; the orphan is foster's, where as PID 1 it stays a zombie" {
	box -e FOSTER_OPTIONS=-w -- python3 children.py
	ends_as 0
	printed '^foster: .*: reaped, exited with status 0$'
	[ "$(grep -v ^foster: "$log")" = $'statuses 0 3 5\nzombies 0' ]
	docker rm box
	bare -- python3 children.py
	ends_as 0
	ends_with 'statuses 0 3 5' 'zombies 1'
}

### what decides when a handler runs ###

# bats test_tags=docker,python
@test "threads.py: the handler runs in the main thread, and all workers finish" {
	python threads.py
	wait_for '^ready'
	stops
	ends_as 0
	printed '^handler in MainThread$'
	printed '^worker [123] finished$' 3
	ends_with 'cleaned up'
}

# bats test_tags=docker,python
@test "blocked.py: no handler runs during a long call of C; --stop's schedule ends it, and says so" {
	box -e FOSTER_OPTIONS=--stop=1 -- python3 blocked.py
	wait_for '^ready'
	stops
	ends_as 137
	run -1 printed '^handler'
	printed '^foster: pid [0-9]+ \(python3\): still running after 1 s, sending KILL$'
}

# bats test_tags=docker,python
@test "aio.py: the task that is cancelled finishes what it does" {
	python aio.py
	wait_for '^ready'
	stops
	ends_as 0
	ends_with 'work finished' 'cleaned up'
}

# bats test_tags=docker,python
@test "pool.py: with -c its workers finish the work, with the group told it is lost" {
	box -e FOSTER_OPTIONS=-c -- python3 pool.py
	wait_for '^finished 1 2'
	stops
	ends_as 0
	[ "$(count ^begun)" = "$(count ^finished)" ]
	printed '^last one [0-9]+$'
	docker rm box
	truncate -s 0 "$log" "$log.err"
	python pool.py
	wait_for '^finished 1 2'
	stops
	ends_as 1
	printed '^lost: a worker was ended by somebody else$'
}
