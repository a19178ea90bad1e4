# survey.bats: what examples/survey says about a stop, and about zombies.
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2016  # set by helper.bash and by "run"; $ is for a shell inside
# bats file_tags=root,pid1

bats_require_minimum_version 1.8.0
load helper

survey=${BATS_TEST_DIRNAME%/test}/examples/survey
behind_shell=(sh -c '"$SPY" --name app --listen; echo')
with_child=(sh -c 'sleep 60 & exec "$SPY" --name app --listen')

setup() {
	export SPY_TEST=$BATS_TEST_TMPDIR
	needs root pid1
}

# surveyed COMMAND [ARG...]	what the survey says of the namespace that has the command as PID 1
surveyed() {
	FOSTER=$(type -P "$1") start_pid1 -- "${@:2}"
	[[ $* != *'--name app'* ]] || app=$(pid_of app)
	look_again
}

look_again() {
	run -0 --separate-stderr "$survey" "$foster_pid"
	assert_equal "$stderr" ''
}

@test "a shell as PID 1: SIGTERM is dropped, and neither it nor the application is told" {
	surveyed "${behind_shell[@]}"
	assert_line --regexp "^PID 1 is sh \($foster_pid here\): .*2 processes$"
	assert_line '  SIGTERM        is dropped: sh has no handler for it, and is PID 1'
	assert_line "  shell in front sh ($foster_pid) stands before app ($app)"
	assert_line "  told nothing   sh ($foster_pid), app ($app)"
}

@test "a shell with a trap for SIGTERM as PID 1: the application is told nothing" {
	surveyed sh -c 'trap "exit 0" TERM; "$SPY" --name app --listen; echo'
	assert_line '  SIGTERM        sh handles it'
	assert_line "  told nothing   app ($app)"
}

@test "a program that handles SIGTERM as PID 1 is told, and cares for what it started" {
	surveyed "${with_child[@]}"
	assert_line --regexp '^PID 1 is app .* 2 processes$'
	assert_line '  SIGTERM        app handles it'
	refute_line --partial 'told nothing'
	refute_line --partial 'shell in front'
}

@test "a program that has no handler as PID 1 is told nothing" {
	surveyed sleep 60
	assert_line '  SIGTERM        is dropped: sleep has no handler for it, and is PID 1'
	assert_line "  told nothing   sleep ($foster_pid)"
}

@test "inits that tell the program alone: the application behind a shell is told nothing" {
	needs tini dumb-init catatonit
	for init in tini 'dumb-init -c' catatonit; do
		# shellcheck disable=SC2086  # words
		surveyed $init -- "${behind_shell[@]}"
		assert_line '  SIGTERM        goes on to sh alone'
		assert_line "  zombies        none; ${init%% *} reaps"
		assert_line "  told nothing   app ($app)"
		kill_started
	done
}

@test "inits that tell the group: the application is cut short when the shell has ended" {
	needs tini dumb-init catatonit
	for init in 'tini -g' dumb-init 'catatonit -g'; do
		# shellcheck disable=SC2086
		surveyed $init -- "${behind_shell[@]}"
		assert_line '  SIGTERM        goes on to the process group of sh'
		assert_line "  cut short      app ($app): killed as soon as sh has ended"
		refute_line --partial 'told nothing'
		kill_started
	done
	TINI_KILL_PROCESS_GROUP="" surveyed tini -- "${behind_shell[@]}"
	assert_line '  SIGTERM        goes on to the process group of sh'
	kill_started
	DUMB_INIT_SETSID=0 surveyed dumb-init -- "${behind_shell[@]}"
	assert_line '  SIGTERM        goes on to sh alone'
}

@test "an init that a script names in its first line is known" {
	needs tini
	printf '#!%s /bin/sh\n"$SPY" --name app --listen; echo\n' "$(type -P tini)" >"$BATS_TEST_TMPDIR/script"
	chmod +x "$BATS_TEST_TMPDIR/script"
	surveyed "$BATS_TEST_TMPDIR/script" app
	app=$(pid_of app)
	look_again
	assert_line --partial 'PID 1 is tini '
	assert_line "  told nothing   app ($app)"
}

@test "behind an init, a program without a shell cares for what it started" {
	needs tini
	surveyed tini -- "${with_child[@]}"
	assert_line '  SIGTERM        goes on to app alone'
	refute_line --partial 'told nothing'
}

@test "foster: nobody is told nothing, and nobody is cut short" {
	surveyed "$FOSTER" -- "${behind_shell[@]}"
	assert_line '  SIGTERM        goes on to all that sh started'
	assert_line '  zombies        none; foster reaps'
	refute_line --partial 'told nothing'
	refute_line --partial 'cut short'
}

@test "foster under the name of another init is known" {
	for name in tini docker-init dumb-init catatonit; do
		ln -sf "$FOSTER" "$BATS_TEST_TMPDIR/$name"
		surveyed "$BATS_TEST_TMPDIR/$name" -- "${behind_shell[@]}"
		assert_line "  SIGTERM        goes on to all that sh started (this $name is foster)"
		kill_started
	done
}

@test "zombies are counted, with whoever doesn't reap them" {
	surveyed sh -c '(sleep 0.01 & sleep 0.02 &); exec sleep 60'
	wait_until eval '[ "$(zombies)" = 2 ]'
	look_again
	assert_line --regexp '^  zombies        2, the oldest began [0-9]+ s ago; 2 of them wait for sleep, which does not reap$'
}

@test "a zombie whose own parent lives isn't PID 1's" {
	surveyed "$FOSTER" -- sh -c 'sh -c "sleep 0.01 & exec sleep 60"; true'
	wait_until eval '[ "$(zombies)" = 1 ]'
	look_again
	assert_line --regexp '^  zombies        1, the oldest began .* ago; none of them waits for PID 1$'
}

@test "what came by exec is told nothing, but by a foster that drains" {
	needs nsenter
	for options in -v '--drain 5'; do
		# shellcheck disable=SC2086
		surveyed "$FOSTER" $options -- "${behind_shell[@]}"
		rm -f "$BATS_TEST_TMPDIR/log"
		nsenter -t "$foster_pid" -p -m "$SPY" --out "$BATS_TEST_TMPDIR/log" --listen 3>&- &
		wait_for "$BATS_TEST_TMPDIR/log" ready
		look_again
		case $options in
		-v) assert_line --regexp '^  told nothing   spy \([0-9]+\)$' ;;
		*) refute_line --partial 'told nothing' ;;
		esac
		kill_started
	done
}

@test "inside of a container it sees that one, and not itself" {
	needs nsenter
	surveyed sleep 60
	run -0 nsenter -t "$foster_pid" -p -m sh <"$survey"
	assert_line --regexp '^PID 1 is sleep: .*1 process$'
	assert_line '  told nothing   sleep (1)'
}

@test "a user sees less than root, and is told so" {
	needs setpriv
	surveyed sleep 60
	run -0 setpriv --reuid 65534 --regid 65534 --clear-groups sh -s "$foster_pid" <"$survey"
	refute_line --partial 'PID 1 is'
	assert_line --regexp '^[0-9]+ processes of others could not be looked at; root can\.$'
}

@test "it sends no signal and writes to nothing" {
	needs strace
	surveyed sleep 60
	strace -f -e trace=openat,kill,tkill,tgkill,ptrace,unlink,mkdir -o "$BATS_TEST_TMPDIR/trace" \
		"$survey" "$foster_pid" >/dev/null
	grep -q openat "$BATS_TEST_TMPDIR/trace"
	run ! grep -E 'kill\(|ptrace\(|unlink\(|mkdir\(' "$BATS_TEST_TMPDIR/trace"
	run ! grep -E 'O_WRONLY|O_RDWR|O_CREAT' <(grep -vF '"/dev/null"' "$BATS_TEST_TMPDIR/trace")
}
