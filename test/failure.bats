# failure.bats: what foster runs without, what it survives, and that it never grows.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016,SC2030,SC2031,SC2034  # set by helper.bash and by "run"; "$SPY" is for the shell inside

bats_require_minimum_version 1.8.0
load helper

# full_life START [NS-OPTION...] -- [FOSTER-OPTION...]	orphans, signals, a stop behind a shell
full_life() {
	"$@" sh -c '"$SPY" --fork 5 --double; "$SPY" --name app --exit-on TERM:0:300; true'
	wait_for "$out" '^app: ready'
	send WINCH
	wait_for "$out" '^app: got WINCH'
	send TERM
	expect_end 143
	assert_equal "$(sed -n 's/^app: got \([^ ]*\) .*/\1/p' "$out" | grep -vx CONT | paste -sd' ')" 'WINCH TERM'
	grep -qx 'app: done' "$out" || fail 'the application did not finish'
}

# calls_before_main CALL	how many the sanitizers and the loader make, which then block signals
calls_before_main() {
	if [ -z "${SANITIZERS_DIR-}" ]; then
		echo 0
		return
	fi
	strace -qq -e signal=none -e trace=rt_sigprocmask,"$1" "$real" -V 2>&1 >/dev/null | awk -v call="$1(" '
		/^rt_sigprocmask\(SIG_SETMASK, ~\[\],/ && ++masks == 2 { exit }
		index($0, call) == 1 { n++ }
		END { print n + 0 }'
}

# failing CALL:ERROR[:when=FIRST[..LAST][+STEP]]	foster, and foster alone, meets this error from
# now on
failing() {
	local call=${1%%:*} error first=1 last='' rest=+ before

	error=${1#*:}
	if [[ $error == *:when=* ]]; then
		[[ $error =~ ^(.*):when=([0-9]+)(..([0-9]+))?(.*)$ ]]
		error=${BASH_REMATCH[1]} first=${BASH_REMATCH[2]} last=${BASH_REMATCH[4]} rest=${BASH_REMATCH[5]}
	fi
	before=$(calls_before_main "$call")
	[ -z "$last" ] || rest=..$((last + before))$rest
	printf '#!/bin/sh\nexec strace -D -qq -o /dev/null -e trace=%s -e signal=none -e inject=%s:error=%s:when=%s "%s" "$@"\n' \
		"$call" "$call" "$error" "$((first + before))$rest" "$real" >"$BATS_TEST_TMPDIR/foster"
	chmod +x "$BATS_TEST_TMPDIR/foster"
	FOSTER=$BATS_TEST_TMPDIR/foster
}
real=${FOSTER:-}

# same_life CALL:ERROR[:WHEN]...	a full life with each of them
same_life() {
	needs strace
	real=$FOSTER
	for failure; do
		echo "$failure"
		failing "$failure"
		full_life start_plain -- --
	done
}

# bats test_tags=failure,pid1,root
@test "no /proc, no /dev, a user without capabilities: all the same" {
	needs root pid1
	full_life start_pid1 --no-proc -- --
	full_life start_pid1 --no-dev -- --
	full_life start_pid1 --uid 65534 -- --
	full_life start_pid1 --no-proc --no-dev --uid 65534 -- --
	full_life start_plain --uid 65534 -- --
}

# bats test_tags=failure,pid1,root
@test "a read-only root, alone and with all else missing: all the same" {
	needs root pid1
	for more in '' '--no-proc --no-dev --uid 65534'; do
		# shellcheck disable=SC2086
		run -143 as_pid1 --read-only $more -- bash -c '"$SPY" --fork 5 --double
			"$SPY" --name app --exit-on TERM:0:300 & "$SPY" --for 500
			"$SPY" --send 1 TERM; wait'
		assert_line --partial 'app: got TERM'
		assert_line 'app: done'
		refute_line --partial foster
	done
}

# bats test_tags=failure,pid1
@test "descriptors 0 to 2 closed: foster runs, and the program finds them closed" {
	needs pid1
	for start in as_pid1 as_plain; do
		for closed in 0 1 2 0,1,2; do
			run -5 $start --close "$closed" -- -v --report "$BATS_TEST_TMPDIR/report" \
				"$SPY" --out "$BATS_TEST_TMPDIR/log" --state --exit 5
		done
	done
	assert_equal "$(grep '^fds' "$BATS_TEST_TMPDIR/log" | sort -u | paste -sd,)" \
		'fds,fds 0 1,fds 0 2,fds 1 2'
	assert_equal "$(sort -u "$BATS_TEST_TMPDIR/report")" 'exited with status 5'
}

# bats test_tags=failure,pid1
@test "without standard error nothing that foster says ends up elsewhere" {
	needs pid1
	start_pid1 --close 2 -- -vvw --report "$BATS_TEST_TMPDIR/report" -- sh -c \
		'"$SPY" --fork 5 --double; exec "$SPY" --name program --exit-on USR1:5'
	wait_for "$out" '^program: ready'
	send USR1
	expect_end 5
	assert_equal "$(cat "$BATS_TEST_TMPDIR/report")" 'exited with status 5'
	run -1 grep foster "$out"
}

# bats test_tags=failure
@test "wait4 that is interrupted or fails at times: the same life" {
	same_life wait4:EINTR:when=1..3 wait4:EINTR:when=1+2 wait4:ENOSYS:when=2..3
}

# bats test_tags=failure
@test "kill that is interrupted or refused for a moment: the same life" {
	same_life kill:EINTR:when=1 kill:EINTR:when=1+2 kill:EAGAIN:when=1
}

# bats test_tags=failure
@test "rt_sigtimedwait that is interrupted or fails at times: the same life" {
	same_life rt_sigtimedwait:EINTR:when=1..5 rt_sigtimedwait:EINTR:when=1+2 \
		rt_sigtimedwait:ENOSYS:when=2..4
}

# bats test_tags=failure
@test "prctl, close_range, prlimit64 and chdir that are missing or refused: the same life" {
	same_life prctl:ENOSYS prctl:EPERM close_range:ENOSYS close_range:EPERM \
		close_range:EINVAL prlimit64:EPERM chdir:EACCES
}

# bats test_tags=failure
@test "openat, read and ioctl that fail: the same life" {
	same_life openat:EACCES openat:EINTR:when=1 ioctl:ENOTTY getdents64:EPERM
}

# bats test_tags=failure
@test "without close_range, by whatever reason, no pipe stays open all the same" {
	needs strace
	real=$FOSTER
	for error in ENOSYS EPERM EINVAL; do
		failing "close_range:$error"
		start_plain -- -- "$SPY" --name program --exit-on USR1
		wait_for "$out" '^program: ready'
		wait_state "$foster_pid" '[St]'
		wait_until eval '[ "$(echo "/proc/$foster_pid/fd"/*)" = "/proc/$foster_pid/fd/2" ]'
		send USR1
		expect_end 0
	done
}

# bats test_tags=failure
@test "a program can be started where waiting is interrupted, and its end is never missed" {
	needs strace
	real=$FOSTER
	for failure in wait4:EINTR:when=1..2 wait4:ENOSYS:when=2 rt_sigtimedwait:EINTR:when=1..9; do
		failing "$failure"
		for n in 0 3; do
			run -$n timeout 20 "$FOSTER" "$SPY" --exit "$n"
		done
		run -127 timeout 20 "$FOSTER" /no/such/program
	done
}

# a daemon that is foster's own child, and one below it
two_daemons='(sh -c "\"\$SPY\" --setsid --name below --exit-on TERM:0:300 &
		exec \"\$SPY\" --setsid --name daemon --exit-on TERM:0:300" &)
	exec "$SPY" --name program --exit-on USR1:6'

# bats test_tags=failure
@test "--drain without pidfds is for foster's own children: also those that become so" {
	needs strace
	real=$FOSTER
	for failure in pidfd_open:ENOSYS pidfd_open:EPERM pidfd_send_signal:ENOSYS; do
		failing "$failure"
		start_plain -- --drain TERM/1500ms/TERM/1500ms/TERM/1500ms/TERM/20/KILL -- \
			sh -c "$two_daemons"
		wait_for "$out" '^(below|daemon|program): ready' 3
		send USR1
		expect_end 6
		assert_equal "$(sed -n 's/^\([a-z]*\): done/\1/p' "$out" | paste -sd,)" program,daemon,below
	done
}

# bats test_tags=failure
@test "a signal that can't be delivered is a line, and foster stays" {
	needs strace
	real=$FOSTER
	failing kill:EPERM:when=1..8
	start_plain -- -- "$SPY" --name program --exit-on USR2:5
	wait_for "$out" '^program: ready'
	send USR1
	wait_for "$err" '^foster: USR1: Operation not permitted$'
	send HUP
	wait_for "$err" '^foster: HUP: Operation not permitted$'
	send USR2
	expect_end 5
	assert_equal "$(sed -n 's/^program: got \([^ ]*\) .*/\1/p' "$out")" USR2
}

# bats test_tags=failure
@test "clone that fails is one line, and status 125" {
	needs strace
	real=$FOSTER
	for failure in clone:EAGAIN clone:ENOMEM; do
		failing "$failure"
		run -125 timeout 20 "$FOSTER" true
		[ "${#lines[@]}" = 1 ]
		assert_output --regexp '^foster: .*: (Resource temporarily unavailable|Out of memory|Cannot allocate memory)$'
	done
}

# what it has in memory, and how many descriptors
size_of_foster() {
	grep -E '^(VmRSS|VmData|VmStk|VmSize):' "/proc/$foster_pid/status" | tr -s '\t ' ' '
	printf 'descriptors: %s\n' "$(echo "/proc/$foster_pid/fd"/* | wc -w)"
}

# bats test_tags=failure,pid1
@test "memory and descriptors are the same after 2000 orphans and 2000 signals" {
	needs pid1
	in=$BATS_TEST_TMPDIR/in
	mkfifo "$in"
	exec {go}<>"$in"
	for start in start_pid1 start_plain; do
		$start -- -- sh -c '"$SPY" --name first --fork 50 --double --exit-on USR1
			read -r go; for n in 1 2 3 4; do "$SPY" --name "n$n" --fork 500 --double; done
			exec "$SPY" --name program --listen'
		first=$(pid_of first)
		"$SPY" --send "$first" USR1
		wait_for "$out" '^first: done'
		send WINCH --count 50
		wait_state "$foster_pid" S
		before=$(size_of_foster)
		echo go >&"$go"
		for n in 1 2 3 4; do
			wait_for "$out" "^n$n: forked 500"
		done
		wait_for "$out" '^program: ready'
		send RTMIN --value 1 --count 2000 --retry
		wait_for "$out" '^program: got RTMIN ' 2000
		assert_equal "$(size_of_foster)" "$before"
	done
}

# bats test_tags=failure,release-build
@test "it allocates no memory after the start" {
	needs strace
	printf '#!/bin/sh\nexec strace -D -qq -o "%s" -e signal=none "%s" "$@"\n' \
		"$BATS_TEST_TMPDIR/trace" "$FOSTER" >"$BATS_TEST_TMPDIR/foster"
	chmod +x "$BATS_TEST_TMPDIR/foster"
	FOSTER=$BATS_TEST_TMPDIR/foster full_life start_plain -- -vvw --stop TERM/20/KILL --
	grep -q 'clone' "$BATS_TEST_TMPDIR/trace"
	run -1 grep -E '^(brk|mmap|mremap)' <(sed '1,/^v*clone/d' "$BATS_TEST_TMPDIR/trace")
}

# bats test_tags=failure
@test "what fails before the program starts is one line, and status 125" {
	needs strace
	real=$FOSTER
	while read -r failure line; do
		failing "$failure"
		run -125 timeout 20 "$FOSTER" -p TERM -- "$SPY" --exit 3
		assert_output --regexp "^foster: $line\$"
	done <<-'END'
		prctl:EINVAL:when=1 --parent-death-signal: Invalid argument
		prctl:ENOTUNIQ:when=1 --parent-death-signal: .*
		rt_sigprocmask:EINVAL rt_sigprocmask: Invalid argument
	END
}

# bats test_tags=failure
@test "a payload that may not be passed on is a signal all the same" {
	needs strace
	real=$FOSTER
	failing rt_sigqueueinfo:EPERM
	start_plain -- -- "$SPY" --name program --exit-on USR2:3
	wait_for "$out" '^program: ready'
	send USR1 --value 7
	wait_for "$out" '^program: got USR1 code SI_USER'
	send USR2
	expect_end 3
}

# bats test_tags=failure
@test "reads and writes that are interrupted leave --help, --install and --report whole" {
	needs strace
	real=$FOSTER
	help=$("$FOSTER" --help)
	cd "$BATS_TEST_TMPDIR"
	failing write:EINTR:when=1
	run -0 "$FOSTER" --help
	assert_output "$help"
	run -0 "$FOSTER" --install written
	cmp written "$real"
	run -3 "$FOSTER" --report report "$SPY" --exit 3
	[ "$(cat report)" = 'exited with status 3' ]
	failing read:EINTR:when=1
	run -0 "$FOSTER" --install read
	cmp read "$real"
}

# bats test_tags=failure
@test "--install that can't read or write is status 125, and leaves nothing" {
	needs strace
	real=$FOSTER
	mkdir "$BATS_TEST_TMPDIR/empty"
	cd "$BATS_TEST_TMPDIR/empty"
	for failure in read:EIO:when=1 read:EIO:when=2 write:EIO:when=1 fchmod:EPERM fsync:EIO; do
		failing "$failure"
		run -125 "$FOSTER" --install copy
		assert_output --regexp '^foster: copy: (I/O error|Input/output error|Operation not permitted)$'
		[ -z "$(ls -A)" ] || fail "$failure: $(ls -A)"
	done
}

# bats test_tags=failure,pid1
@test "--install needs /proc, and says so" {
	needs pid1
	run -125 as_pid1 --no-proc -- --install "$BATS_TEST_TMPDIR/copy"
	assert_equal "$(grep '^foster:' <<<"$output")" 'foster: /proc/self/exe: No such file or directory'
}

# bats test_tags=failure,pid1
@test "without close_range and /proc no pipe stays open either" {
	needs strace pid1
	real=$FOSTER
	failing close_range:ENOSYS
	start_pid1 --no-proc --keep 5,99 -- -- "$SPY" --name program --exit-on USR1 5</dev/null 99</dev/null
	wait_for "$out" '^program: ready'
	wait_until eval '[ "$(echo "/proc/$foster_pid/fd"/*)" = "/proc/$foster_pid/fd/2" ]'
	send USR1
	expect_end 0
}

# bats test_tags=failure,pid1
@test "traced by a process of the container, and let go of: nothing is lost" {
	needs strace pid1
	start_pid1 -- -- sh -c '(setsid strace -qq -o "$0" -p 1 &); exec "$SPY" --name program --fork 5 --double \
		--exit-on USR1:3' "$BATS_TEST_TMPDIR/trace"
	wait_for "$out" '^program: ready'
	wait_for "$BATS_TEST_TMPDIR/trace" .
	send WINCH
	wait_for "$out" '^program: got WINCH'
	tracer=$(sed -n 's/^TracerPid:[[:space:]]*//p' "/proc/$foster_pid/status")
	kill -KILL "$tracer"
	wait_gone "$tracer"
	send USR2
	wait_for "$out" '^program: got USR2'
	wait_until eval '[ "$(zombies)" = 0 ]'
	send USR1
	expect_end 3
}

# bats test_tags=failure,pid1
@test "a standard error that is a full socket does not hold foster up" {
	needs pid1 perl
	wrap_foster "exec perl -MSocket -e 'socketpair(A, B, AF_UNIX, SOCK_STREAM, 0) or die; \$^F = 99;
		open(STDERR, \">&\", \*A); fcntl(B, 2, 0); use Fcntl; fcntl(A, F_SETFL, O_NONBLOCK);
		1 while defined syswrite(A, \"x\" x 4096); fcntl(A, F_SETFL, 0); exec @ARGV'"
	start_plain -- -vv -- "$SPY" --name main --exit-on USR1:5
	wait_for "$out" '^main: ready'
	send USR2
	send USR1
	expect_end 5
}
