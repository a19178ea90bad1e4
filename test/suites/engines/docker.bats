# docker.bats: foster under the Docker engine, as ENTRYPOINT and as the engine's own init.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016  # set by "run"; what is in single quotes is for the shell inside

bats_require_minimum_version 1.8.0
load engines

setup() {
	needs_engine docker
	needs_image test
}

teardown() {
	remove_containers
}

# start [DOCKER-OPTION...] -- PROGRAM...	in container "box", until it says ready
start() {
	split_options "$@"
	docker run -d --name box "${options[@]}" test "${command[@]}" >/dev/null
	wait_for_log box ready
}

### docker stop ###

# bats test_tags=docker
@test "docker stop: the program gets SIGTERM, and the container has its exit status" {
	start -- spy --exit-on TERM:7
	docker stop box
	[ "$(inspect box State.ExitCode)" = 7 ]
	logs_have box '^got TERM code SI_USER'
}

# bats test_tags=docker
@test "docker stop: an application behind a shell wrapper finishes its work" {
	start -- sh -c 'spy --name app --exit-on TERM:0:1500; echo end'
	docker stop box
	logs_have box '^app: done'
	[ "$(docker logs box 2>&1 | grep -c 'app: got TERM')" = 1 ]
	[ "$(inspect box State.ExitCode)" = 143 ]
}

# bats test_tags=docker
@test "docker stop: an application in the background of a shell wrapper finishes its work" {
	start -- sh -c 'spy --name app --exit-on TERM:0:1500 & wait'
	docker stop box
	logs_have box '^app: done'
}

# bats test_tags=docker
@test "docker stop -t: the engine's limit stays the bound" {
	start -- spy --name stubborn --listen
	docker stop -t 1 box
	logs_have box '^stubborn: got TERM'
	[ "$(inspect box State.ExitCode)" = 137 ]
}

# bats test_tags=docker
@test "docker stop of a program with no handler ends at once, with 143" {
	start -- sh -c 'echo ready; exec sleep 100'
	begin=$SECONDS
	docker stop box
	[ $((SECONDS - begin)) -lt 5 ]
	[ "$(inspect box State.ExitCode)" = 143 ]
}

# bats test_tags=docker
@test "STOPSIGNAL of an image is what docker stop sends to the program" {
	printf 'FROM test\nSTOPSIGNAL SIGQUIT\n' | docker build -q -t test-quit -
	docker run -d --name box test-quit spy --exit-on QUIT:5
	wait_for_log box ^ready
	docker stop box
	[ "$(inspect box State.ExitCode)" = 5 ]
	run -1 logs_have box '^got TERM'
}

# bats test_tags=docker
@test "--stop-signal passes through a shell wrapper that dies of it" {
	start --stop-signal QUIT -- sh -c 'spy --name app --exit-on QUIT:0:500; echo end'
	docker stop box
	logs_have box '^app: done'
	[ "$(inspect box State.ExitCode)" = 131 ]
}

# bats test_tags=docker
@test "a schedule in FOSTER_OPTIONS forces an end before docker stop would" {
	start -e 'FOSTER_OPTIONS=--stop TERM/500ms/USR1/500ms/KILL' -- spy --listen
	docker stop -t 60 box
	logs_have box '^got USR1'
	logs_have box '^foster: .*still running after 500 ms, sending USR1'
	[ "$(inspect box State.ExitCode)" = 137 ]
}

# bats test_tags=docker
@test "--drain: docker stop also reaches what docker exec started" {
	start -e FOSTER_OPTIONS=--drain=TERM/5/KILL -- spy --exit-on TERM
	docker exec -d box spy --out /exec.log --exit-on TERM:0:300
	wait_until 10 docker exec box grep ready /exec.log
	docker stop box
	docker cp box:/exec.log "$BATS_TEST_TMPDIR/"
	grep '^done' "$BATS_TEST_TMPDIR/exec.log"
}

### docker kill ###

# bats test_tags=docker
@test "docker kill -s: every signal that Docker can name reaches the program, but for KILL, STOP and CHLD" {
	names=(ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT PIPE POLL PROF PWR QUIT SEGV STKFLT
		SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ
		RTMIN RTMIN+{1..15} RTMAX-{1..14} RTMAX)
	start -- spy --listen
	for name in "${names[@]}"; do
		docker kill -s "$name" box >/dev/null
		case $name in
		CHLD | CLD) continue ;;
		IOT) name=ABRT ;;
		POLL) name=IO ;;
		RTMAX) name=RTMIN+30 ;;
		RTMAX-*) name=RTMIN+$((30 - ${name#RTMAX-})) ;;
		esac
		echo "$name"
	done | sort -u >"$BATS_TEST_TMPDIR/sent"
	# all but CHLD and CLD; and SIGTERM is followed by a SIGCONT of foster's own
	wait_for_log box ^got $((${#names[@]} - 2 + 1))
	docker logs box 2>&1 | sed -n 's/^got \([^ ]*\) code SI_USER .*/\1/p' | sort -u >"$BATS_TEST_TMPDIR/got"
	diff "$BATS_TEST_TMPDIR/sent" "$BATS_TEST_TMPDIR/got"
}

# bats test_tags=docker
@test "docker kill -s: a signal in lower case, with SIG, or as a number arrives as well" {
	start -- spy --listen
	for word in usr1 SIGUSR2 1 sigrtmin+3 64; do
		docker kill -s $word box >/dev/null
	done
	wait_for_log box '^got RTMIN\+30'
	[ "$(docker logs box 2>&1 | sed -n 's/^got \([^ ]*\) .*/\1/p' | paste -sd' ')" = \
		"USR1 USR2 HUP RTMIN+3 RTMIN+30" ]
}

# bats test_tags=docker
@test "docker kill -s STOP and CONT: foster alone stops, and goes on with what came meanwhile" {
	start -- spy --listen
	pid=$(inspect box State.Pid)
	docker kill -s STOP box
	wait_until 10 grep -q '^State:	T' "/proc/$pid/status"
	[ "$(docker exec box sh -c 'grep -lxs "State:	T (stopped)" /proc/[0-9]*/status')" = /proc/1/status ]
	docker kill -s USR1 box
	docker kill -s CONT box
	wait_for_log box '^got USR1'
	wait_for_log box '^got CONT'
}

# bats test_tags=docker
@test "docker kill ends a container that ignores all else" {
	start -- spy --listen
	docker kill box
	[ "$(wait_end box)" = 137 ]
}

### exit status ###

# bats test_tags=docker
@test "docker inspect has the program's own exit status, or 128+n" {
	for status in 0 3 125 255; do
		run "-$status" docker run --name box test spy --exit $status
		[ "$(inspect box State.ExitCode)" = $status ] || { echo "status $status"; return 1; }
		docker rm box
	done
	for sig in 9 11 15; do
		run "-$((128 + sig))" docker run --name box test spy --die $sig
		[ "$(inspect box State.ExitCode)" = $((128 + sig)) ] || { echo "signal $sig"; return 1; }
		docker rm box
	done
}

# bats test_tags=docker
@test "a program that isn't there is 127, one that can't be run 126, with a line in docker logs" {
	run -127 docker run --name box test no-such-program
	logs_have box '^foster: no-such-program: No such file or directory$'
	docker rm box
	run -126 docker run --name box test /etc/passwd
	logs_have box '^foster: /etc/passwd: Permission denied$'
}

# bats test_tags=docker
@test "--timeout ends a container by itself, with 124" {
	run -124 docker run -e FOSTER_OPTIONS=--timeout=0.5 test spy --exit-on TERM:0:300
	[[ "$output" == *"got TERM"*done* ]]
}

# bats test_tags=docker
@test "--restart on-failure: the engine sees each failure, and starts foster again" {
	docker run -d --name box --restart on-failure:2 test sh -c 'echo started; exit 3'
	wait_until 30 eval '[ "$(inspect box RestartCount) $(inspect box State.Status)" = "2 exited" ]'
	[ "$(inspect box State.ExitCode)" = 3 ]
	logs_have box '^started$' 3
}

# bats test_tags=docker
@test "--memory: what was killed for want of memory is told as such" {
	run -137 docker run --name box --memory 32m --memory-swap 32m -v "$BATS_TEST_TMPDIR:/report" \
		-e 'FOSTER_OPTIONS=-v --report /report/line' test tail /dev/zero
	[ "$(cat "$BATS_TEST_TMPDIR/line")" = "killed by SIGKILL (9): the container ran out of memory" ]
	logs_have box '^foster: .*killed by SIGKILL \(9\): the container ran out of memory$'
	[ "$(inspect box State.OOMKilled)" = true ]
}

# bats test_tags=docker
@test "docker kill is not taken for a want of memory: a program's SIGKILL is told without" {
	run -137 docker run --memory 32m -v "$BATS_TEST_TMPDIR:/report" \
		-e 'FOSTER_OPTIONS=--report /report/line' test spy --die KILL
	[ "$(cat "$BATS_TEST_TMPDIR/line")" = "killed by SIGKILL (9)" ]
}

### the terminal ###

# bats test_tags=docker,tty
@test "docker run -it: bash has job control, with no warning" {
	has_job_control docker run --name box -it test bash --norc --noprofile
}

# bats test_tags=docker,tty
@test "docker run -it: Ctrl-C and Ctrl-\\ reach the program once" {
	run -0 on_terminal docker run --name box -it test spy --listen --exit-on USR1 <<-'END'
		expect ready
		send \x03
		expect got INT code SI_KERNEL
		send \x1c
		expect got QUIT code SI_KERNEL
		send \x03
		expect got INT code SI_KERNEL
	END
	[ "$(grep -c 'got INT' <<<"$output")" = 2 ]
	[ "$(grep -c 'got QUIT' <<<"$output")" = 1 ]
}

# bats test_tags=docker,tty
@test "docker run -it: Ctrl-C behind a shell wrapper ends both, with 130" {
	run -0 on_terminal docker run --name box -it test sh -c 'spy --name app --exit-on INT:0:300; echo end' <<-'END'
		expect ready
		send \x03
		expect app: done
		wait
	END
	[[ "$output" == *"status 130"* ]]
}

# bats test_tags=docker,tty
@test "docker run -it: Ctrl-Z in a program without job control does nothing" {
	ignores_ctrl_z docker run --rm --name box -it test spy --default TSTP --exit-on INT
}

# The client hears of changes from some time after the program's begin only: what comes before
# is lost in every container. So the size changes to and fro until both were seen.
resize_until_seen() {
	echo "resize 33 $((100 + (columns ^= 1)))"
	logs_have box '^33 100' && logs_have box '^33 101'
}

# bats test_tags=docker,tty
@test "docker run -it: the window's size arrives, and its changes" {
	local columns=0

	run -0 on_terminal docker run --name box -it test \
		sh -c 'trap "stty size" WINCH; echo ready; while :; do sleep 0.1; done' \
		< <(
			echo expect ready
			wait_until 40 resize_until_seen
			printf '%s\n' 'resize 44 99' 'expect 44 99'
		)
}

# bats test_tags=docker,tty
@test "docker run -it: detach, attach, and the keys still arrive" {
	run -0 on_terminal docker run --name box -it test spy --exit-on INT:9 <<-'END'
		expect ready
		send \x10\x11
		wait
	END
	[ "$(inspect box State.Status)" = running ]
	run -0 on_terminal docker attach box <<-'END'
		expect got WINCH
		send \x03
		expect got INT code SI_KERNEL
		wait
	END
	[ "$(inspect box State.ExitCode)" = 9 ]
}

# bats test_tags=docker,tty
@test "docker run -it, Ctrl-D: a program reads the end of its input" {
	run -0 on_terminal docker run --name box -it test sh -c 'echo ready; cat; echo end' <<-'END'
		expect ready
		send text\r
		expect text
		expect text
		send \x04
		expect end
		wait
	END
}

### pipes ###

# bats test_tags=docker
@test "docker run -i: all input arrives, then its end; all output, then its end" {
	run -3 sh -c 'seq 200000 | docker run --rm -i test sh -c "sha256sum; exit 3"'
	[ "$output" = "$(seq 200000 | sha256sum)" ]
}

# bats test_tags=docker
@test "docker run: standard output and standard error stay apart" {
	run -0 --separate-stderr docker run --rm test sh -c 'echo out; echo err >&2'
	[ "$output" = out ]
	[ "$stderr" = err ]
}

### docker exec ###

# bats test_tags=docker
@test "docker exec: its orphans are reaped" {
	start -- spy --listen
	docker exec box spy --fork 50 --double
	wait_until 10 no_zombies box
}

# bats test_tags=docker
@test "docker exec: it has its own exit status, and the program gets no signal" {
	start -- spy --listen
	run -4 docker exec box spy --exit 4
	run -143 docker exec box spy --die TERM
	run -1 logs_have box ^got
}

# bats test_tags=docker,tty
@test "docker exec -it with foster: Ctrl-Z, which nobody could undo, does nothing" {
	start -- spy --listen
	ignores_ctrl_z docker exec -it box /foster spy --default TSTP --exit-on INT
}

# bats test_tags=docker
@test "HEALTHCHECK: the orphans of a check are reaped" {
	start --health-cmd 'spy --fork 20 --double >>/checks' --health-interval 100ms -- spy --listen
	wait_until 30 docker exec box sh -c '[ $(wc -l </checks) -ge 3 ]'
	wait_until 10 eval '[ "$(zombies box)" -lt 20 ]'
	[ "$(inspect box State.Health.Status)" = healthy ]
}

### what a container may be denied ###

# bats test_tags=docker
@test "a read-only root, nobody, no capability, no new privileges: all works" {
	start --read-only --user 65534 --cap-drop ALL --security-opt no-new-privileges -- \
		sh -c 'spy --fork 20 --double; spy --name app --exit-on TERM:0:500; echo end'
	wait_for_log box '^app: ready'
	no_zombies box
	docker stop box
	logs_have box '^app: done'
	[ "$(inspect box State.ExitCode)" = 143 ]
	run -1 logs_have box '^foster:'
}

# bats test_tags=docker
@test "no capability and another user as the program: what can't be signalled is told, not fatal" {
	start --cap-drop ALL --cap-add SETUID --cap-add SETGID -- \
		setpriv --reuid 65534 --regid 65534 --clear-groups spy --exit-on TERM
	docker kill -s USR1 box
	wait_for_log box '^foster: USR1: Operation not permitted$'
	[ "$(inspect box State.Status)" = running ]
}

### where foster isn't PID 1 ###

# bats test_tags=docker
@test "--pid=container: foster is a subreaper, and its container can be stopped alone" {
	start -- spy --listen
	docker run -d --name box2 --pid container:box -e FOSTER_OPTIONS=-v test \
		sh -c '(spy --name orphan --exit-on USR1 &); exec spy --exit-on TERM:0:300'
	wait_for_log box2 '^ready'
	wait_for_log box2 '^orphan: ready'
	logs_have box2 '^foster: not PID 1: child subreaper$'
	orphan=$(docker logs box2 2>&1 | sed -n 's/^orphan: ready //p')
	parent=$(docker exec box2 sed -n 's/^PPid:	//p' "/proc/$orphan/status")
	[ "$(docker exec box2 cat "/proc/$parent/comm")" = foster ]
	[ "$parent" != 1 ]
	docker exec box2 spy --send "$orphan" USR1
	wait_until 10 no_zombies box2
	run ! docker exec box2 test -e "/proc/$orphan"
	docker stop box2
	[ "$(inspect box2 State.ExitCode)" = 0 ]
	[ "$(inspect box State.Status)" = running ]
	run -1 logs_have box ^got
}

# bats test_tags=docker
@test "--pid=host: foster is a subreaper, and stops what is its own" {
	start --pid host -- sh -c '(spy --name orphan --exit-on USR1 &); exec spy --exit-on TERM:6:300'
	wait_for_log box '^ready'
	wait_for_log box '^orphan: ready'
	orphan=$(docker logs box 2>&1 | sed -n 's/^orphan: ready //p')
	[ "$(sed -n 's/^PPid:	//p' "/proc/$orphan/status")" = "$(inspect box State.Pid)" ]
	kill -USR1 "$orphan"
	wait_until 10 eval '! [ -e "/proc/$orphan" ]'
	docker stop box
	[ "$(inspect box State.ExitCode)" = 6 ]
}

### the engine's own init ###

# bats test_tags=docker
@test "init-path: docker info reads foster's version, without a warning" {
	run -0 docker info
	version=$("$FOSTER_ENGINES/foster" --version)
	[[ "$output" == *"init version: ${version##*git.}"* ]]
	[ "$(docker info -f '{{.InitCommit.ID}}')" = "${version##*git.}" ]
	run -1 grep -i 'level=\(warning\|error\).*init' "$FOSTER_ENGINES/dockerd.log"
}

# bats test_tags=docker
@test "docker run --init with foster as init-path: it is PID 1, and a wrapper's work is finished" {
	start --init --entrypoint '' -- sh -c 'spy --name app --exit-on TERM:0:500; echo end'
	[[ "$(docker exec box sh -c 'tr "\0" " " </proc/1/cmdline')" == "/sbin/docker-init -- sh -c "* ]]
	docker stop box
	logs_have box '^app: done'
	[ "$(inspect box State.ExitCode)" = 143 ]
}

# bats test_tags=docker
@test "two inits, --init and ENTRYPOINT: the work is finished, no orphan stays, the status is right" {
	start --init -- sh -c 'spy --fork 20 --double; spy --name app --exit-on TERM:0:500; exit 3'
	wait_for_log box '^app: ready'
	no_zombies box
	docker stop box
	logs_have box '^app: done'
	[ "$(docker logs box 2>&1 | grep -c '^app: got TERM')" = 1 ]
	[ "$(inspect box State.ExitCode)" = 143 ]
}

### the image ###

# bats test_tags=docker
@test "our Dockerfile builds an image that holds foster and its licences alone" {
	needs_image built
	run -127 docker run --rm built no-such-program
	[ "$output" = "foster: no-such-program: No such file or directory" ]
	run -0 docker run --rm --entrypoint /foster built --version
	[ "${output% - *}" = "$("$FOSTER" --version | sed 's/ - .*//')" ]
	docker create --name box built
	run -0 sh -c 'docker export box | tar -t | grep -v -e /$ -e ^.dockerenv -e ^dev/ -e ^etc/ | sort'
	[ "$output" = $'foster\nlicenses/COPYRIGHT.musl\nlicenses/LICENSE' ]
}
