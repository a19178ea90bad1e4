# programs-others.bats: a JVM, other supervisors, and what people run at a terminal.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016  # set by "run"; what is in single quotes is for the shell inside
# shellcheck disable=SC2030,SC2031,SC2034  # a test is a subshell of its own; mode is for "program"

bats_require_minimum_version 1.8.0
load engines

setup() {
	needs_engine docker
	needs_image programs
	dir=$BATS_TEST_TMPDIR/dir
	mkdir "$dir"
	chmod 755 "$dir"
}

teardown() {
	remove_containers
}

# on_terminal PROGRAM...	on a terminal; what is typed comes from standard input
on_terminal() {
	"$PTY" --size 24x80 -- docker run --name box -it -v "$dir:/srv" -w /srv programs "$@" 3>&- 4>&-
}

### Java ###

# java	a class with a shutdown hook that takes a while
java() {
	cat >"$dir/Main.java" <<-'END'
		public class Main {
			public static void main(String[] args) throws Exception {
				Runtime.getRuntime().addShutdownHook(new Thread(() -> {
					try { Thread.sleep(1000); } catch (InterruptedException e) { return; }
					System.out.println("hook done");
				}));
				System.out.println("ready");
				for (int n = 1;; n++) {
					Thread.sleep(100);
					System.out.println("tick " + n);
				}
			}
		}
	END
	docker run --rm -v "$dir:/srv" --entrypoint ecj programs -proc:none -17 -d /srv /srv/Main.java
	program -v "$dir:/srv" "$@" -- java -cp /srv Main
	wait_for_log box ^ready
}

# bats test_tags=docker,programs
@test "Java: the shutdown hook runs to its end, and the status is 143" {
	mode=plain
	java
	docker stop -t 60 box
	logs_have box '^hook done'
	[ "$(inspect box State.ExitCode)" = 143 ]
}

# bats test_tags=docker,programs
@test "Java behind a shell: the shutdown hook runs to its end, and -e 143 makes a success of it" {
	mode=wrapped
	java -e 'FOSTER_OPTIONS=-e 143'
	docker stop -t 60 box
	logs_have box '^hook done'
	[ "$(inspect box State.ExitCode)" = 0 ]
}

# bats test_tags=docker,programs
@test "Java: SIGQUIT prints a thread dump, and nothing more happens" {
	mode=plain
	java
	docker kill -s QUIT box
	wait_for_log box '^Full thread dump'
	ticks=$(docker logs box 2>&1 | grep -c ^tick)
	wait_for_log box ^tick $((ticks + 5))
	[ "$(inspect box State.Status)" = running ]
	run -1 logs_have box '^hook done'
}

### supervisord and cron ###

supervisord_stops() {
	cat >"$dir/supervisord.conf" <<-'END'
		[supervisord]
		nodaemon=true
		user=root
		logfile=/dev/null
		logfile_maxbytes=0
		pidfile=/tmp/supervisord.pid
		[program:app]
		command=spy --name app%(process_num)d --exit-on TERM:0:500
		process_name=app%(process_num)d
		numprocs=2
		stdout_logfile=/dev/stdout
		stdout_logfile_maxbytes=0
	END
	program -v "$dir:/srv" -- supervisord -c /srv/supervisord.conf
	wait_for_log box '^app[01]: ready' 2
	docker stop -t 60 box
	logs_have box '^app0: done'
	logs_have box '^app1: done'
	[ "$(docker logs box 2>&1 | grep -c '^app[01]: got TERM')" = 2 ]
}

# bats test_tags=docker,programs
@test "supervisord: it stops its programs, each is told once and finishes" {
	mode=plain
	supervisord_stops
	[ "$(inspect box State.ExitCode)" = 0 ]
}

# bats test_tags=docker,programs
@test "supervisord behind a shell: it stops its programs, each is told once and finishes" {
	mode=wrapped
	supervisord_stops
}

cron_stops() {
	echo '@reboot root spy --out /srv/log --fork 20 --double --exit-on TERM:0:500' >"$dir/crontab"
	program -v "$dir:/srv" -e FOSTER_OPTIONS=--drain=TERM/10/KILL -- \
		sh -c 'cp /srv/crontab /etc/cron.d/job; exec cron -f'
	wait_until 20 grep -qs ^ready "$dir/log"
	no_zombies box
	docker stop -t 60 box
	grep '^done' "$dir/log"
}

# bats test_tags=docker,programs
@test "cron, --drain: a job that runs gets to finish" {
	mode=plain
	cron_stops
}

# bats test_tags=docker,programs
@test "cron behind a shell, --drain: a job that runs gets to finish" {
	mode=wrapped
	cron_stops
}

### applications that end their own workers ###

# bats test_tags=docker,programs
@test "Celery, -c: the task at hand is finished, its worker isn't told behind its back" {
	mode=plain
	cat >"$dir/tasks.py" <<-'END'
		import time
		import celery
		app = celery.Celery("tasks", broker="filesystem://")
		app.conf.broker_transport_options = {"data_folder_in": "/tmp", "data_folder_out": "/tmp"}
		@app.task
		def work():
		    print("task begun", flush=True)
		    time.sleep(3)
		    print("task finished", flush=True)
	END
	program -v "$dir:/srv" -w /srv --user nobody -e FOSTER_OPTIONS=-c -- celery -A tasks worker -c 2 -l info
	wait_for_log box 'celery@.* ready'
	docker exec -w /srv box python3 -c 'import tasks; tasks.work.delay()'
	wait_for_log box 'task begun'
	docker stop -t 60 box
	logs_have box 'Warm shutdown'
	logs_have box 'task finished'
	run -1 logs_have box 'WorkerLostError'
	[ "$(inspect box State.ExitCode)" = 0 ]
}

### shells and terminals ###

# bats test_tags=docker,programs
@test "bash with traps: each runs, EXIT last, and the status is the trap's" {
	mode=plain
	program -- bash -c 'trap "echo on TERM; exit 5" TERM; trap "echo on EXIT" EXIT; trap "echo on USR1" USR1
		echo ready; while :; do sleep 100 & wait $!; done'
	wait_for_log box ^ready
	docker kill -s USR1 box
	wait_for_log box '^on USR1'
	docker stop box
	[ "$(docker logs box 2>&1 | tail -n 2 | xargs)" = "on TERM on EXIT" ]
	[ "$(inspect box State.ExitCode)" = 5 ]
}

# bats test_tags=docker,programs
@test "bash with a trap and a command in the foreground: the trap needn't wait for it" {
	mode=plain
	program -- bash -c 'trap "echo on TERM; exit 5" TERM; echo ready; sleep 1000; echo no'
	wait_for_log box ^ready
	begin=$SECONDS
	docker stop -t 60 box
	[ $((SECONDS - begin)) -lt 30 ]
	logs_have box '^on TERM'
	[ "$(inspect box State.ExitCode)" = 5 ]
}

# bats test_tags=docker,programs,tty
@test "make -j, Ctrl-C: the recipes end once, half-made files are deleted" {
	printf 'all: a b\na b:\n\t@touch $@; spy --name $@ --die-on INT; touch $@.late\n' >"$dir/Makefile"
	run -0 on_terminal make -j2 <<-'END'
		expect ready
		expect ready
		send \x03
		wait
	END
	[[ "$output" == *"Deleting file 'a'"* ]]
	[[ "$output" == *"Deleting file 'b'"* ]]
	[ "$(grep -c 'got INT' <<<"$output")" = 2 ]
	[ "$(cd "$dir" && echo *)" = Makefile ]
	[ "$(inspect box State.ExitCode)" = 130 ]
}

# bats test_tags=docker,programs,tty
@test "make behind a shell, Ctrl-C: the same, and the shell is told as well" {
	printf 'all: a\na:\n\t@touch $@; spy --name $@ --die-on INT; touch $@.late\n' >"$dir/Makefile"
	run -0 on_terminal sh -c 'make; echo end' <<-'END'
		expect ready
		send \x03
		wait
	END
	[[ "$output" == *"Deleting file 'a'"* ]]
	[ "$(cd "$dir" && echo *)" = Makefile ]
	[ "$(inspect box State.ExitCode)" = 130 ]
}

# bats test_tags=docker,programs
@test "a pipeline: SIGPIPE ends the writer, as without an init" {
	run -0 docker run --rm programs bash -c 'yes | head -n 1; echo "${PIPESTATUS[@]}"'
	[ "$output" = $'y\n141 0' ]
	run -141 docker run --rm programs bash -o pipefail -c 'yes | head -n 1'
}
