# exit.bats: the exit status, and how the program's end is told in words.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016  # set by helper.bash and by "run"; "$SPY" is for the shell inside

bats_require_minimum_version 1.8.0
load helper

# those whose default is not to end a process
harmless=' 17 18 19 20 21 22 23 28 '

# expect_status N COMMAND...	says what was seen instead
expect_status() {
	local seen=0

	"${@:2}" >/dev/null 2>&1 || seen=$?
	[ "$seen" = "$1" ] || fail "status $seen, not $1: ${*:2}"
}

# on_full_disk ROOM SCRIPT	a shell in a directory where no more than ROOM bytes fit into "file"
on_full_disk() {
	local size
	size=$(getconf PAGESIZE)
	"$NS" --limit 30 -- sh -c 'mount -t tmpfs -o size="$1" none /mnt && cd /mnt &&
		echo first >file && head -c $(($1 - 6 - $2)) /dev/zero >>file && eval "$3"' \
		sh "$size" "$1" "$2" 3>&- 4>&-
}

# fake_cgroup FILE [NS-OPTION...] -- FOSTER-ARG...	foster as PID 1; the program can count
# up what FILE, below /sys/fs/cgroup, says of the processes killed for want of memory
fake_cgroup() {
	local file=$1
	shift
	split_options "$@"
	"$NS" --limit 30 "${ns_options[@]}" -- sh -c 'mount -t tmpfs none /sys/fs/cgroup || exit 99
		export counter=/sys/fs/cgroup/$1
		mkdir -p "${counter%/*}" && printf "low 0\noom 7\noom_kill 5\nmax 0\n" >"$counter"
		shift && exec "$FOSTER" "$@"' sh "$file" "${foster_args[@]}" 3>&- 4>&-
}
count_up='printf "low 0\noom 9\noom_kill 6\nmax 0\n" >"$counter"'

# bats test_tags=exit
@test "each of the 256 exit statuses is passed on" {
	for n in {0..255}; do
		expect_status "$n" "$FOSTER" "$SPY" --exit "$n"
	done
}

# bats test_tags=exit,pid1
@test "each of the 256 exit statuses is passed on by PID 1" {
	needs pid1
	for n in {0..255}; do
		expect_status "$n" as_pid1 -- "$SPY" --exit "$n"
	done
}

# bats test_tags=exit
@test "128+n where signal n ended the program, for each signal that can" {
	for n in {1..64}; do
		[[ $harmless == *" $n "* ]] ||
			expect_status $((128 + n)) "$FOSTER" --default-signal PIPE "$SPY" --die "$n"
	done
}

# bats test_tags=exit,pid1
@test "128+n where signal n ended the program of PID 1, for each signal that can" {
	needs pid1
	for n in {1..64}; do
		[[ $harmless == *" $n "* ]] ||
			expect_status $((128 + n)) as_pid1 -- "$SPY" --die "$n"
	done
}

# bats test_tags=exit
@test "a status is not lost where foster was started with SIGCHLD ignored" {
	run -7 as_plain --ignore CHLD -- "$SPY" --exit 7
	needs pid1
	run -7 as_pid1 --ignore CHLD -- "$SPY" --exit 7
}

# bats test_tags=exit
@test "124 where the time-out ran out, however the program then ended" {
	run -124 "$FOSTER" --timeout 100ms "$SPY" --exit-on TERM:7
	run -124 "$FOSTER" --timeout 100ms "$SPY" --die-on TERM
	run -124 "$FOSTER" --timeout 100ms --stop TERM/100ms/KILL "$SPY" --listen
}

# bats test_tags=exit
@test "the program's own status where it ended before the time-out" {
	run -7 "$FOSTER" --timeout 60 "$SPY" --exit 7
	run -137 "$FOSTER" --timeout 60 "$SPY" --die KILL
}

# bats test_tags=exit
@test "-e CODE reports CODE as 0, and -e CODE:AS as AS" {
	run -0 "$FOSTER" -e 143 "$SPY" --die TERM
	run -0 "$FOSTER" --exit-code 3 "$SPY" --exit 3
	run -9 "$FOSTER" --exit-code=3:9 "$SPY" --exit 3
	run -255 "$FOSTER" -e0:255 "$SPY" --exit 0
	run -4 "$FOSTER" -e 3:9 "$SPY" --exit 4
}

# bats test_tags=exit
@test "-e can be given for all 256 statuses, and is applied once" {
	options=()
	for n in {0..255}; do
		options+=(-e "$n:$(((n + 1) % 256))")
	done
	for n in {0..255}; do
		expect_status $(((n + 1) % 256)) "$FOSTER" "${options[@]}" "$SPY" --exit "$n"
	done
}

# bats test_tags=exit
@test "-e is applied to the 124 of a time-out" {
	run -5 "$FOSTER" -e 124:5 --timeout 100ms "$SPY" --exit-on TERM:7
	run -124 "$FOSTER" -e 7:5 --timeout 100ms "$SPY" --exit-on TERM:7
}

# bats test_tags=exit
@test "-e is applied to a 125, 126 or 127 of the program's own" {
	for n in 125 126 127; do
		expect_status 1 "$FOSTER" -e "$n:1" "$SPY" --exit "$n"
	done
}

# bats test_tags=exit
@test "-e is not applied to foster's own 125, 126 and 127" {
	touch "$BATS_TEST_TMPDIR/no-program"
	run -127 "$FOSTER" -e 127 -- /no/such/program
	run -126 "$FOSTER" -e 126 -- "$BATS_TEST_TMPDIR/no-program"
	run -125 "$FOSTER" -e 125 --report /no/such/file true
	run -125 "$FOSTER" -e 125 --no-such-option true
}

# bats test_tags=exit,subreaper
@test "--report and standard error tell why a program could not be started" {
	run -127 --separate-stderr "$FOSTER" --report "$BATS_TEST_TMPDIR/r" -- /no/such/program
	[ "$stderr" = 'foster: /no/such/program: No such file or directory' ]
	run -126 --separate-stderr "$FOSTER" --report "$BATS_TEST_TMPDIR/r" -- "$BATS_TEST_TMPDIR"
	assert_equal "$(<"$BATS_TEST_TMPDIR/r")" "foster: /no/such/program: No such file or directory
foster: $BATS_TEST_TMPDIR: Permission denied"
}

# bats test_tags=exit,subreaper
@test "--report tells an exit in words" {
	run -3 --separate-stderr "$FOSTER" --report "$BATS_TEST_TMPDIR/r" "$SPY" --exit 3
	[ -z "$output$stderr" ]
	[ "$(<"$BATS_TEST_TMPDIR/r")" = 'exited with status 3' ]
}

# bats test_tags=exit
@test "--report tells each signal by name and number" {
	while read -r n name; do
		rm -f "$BATS_TEST_TMPDIR/r"
		expect_status $((128 + n)) "$FOSTER" --report "$BATS_TEST_TMPDIR/r" "$SPY" --die "$n"
		assert_equal "$(<"$BATS_TEST_TMPDIR/r")" "killed by $name ($n)"
	done <<-'END'
		1 SIGHUP
		9 SIGKILL
		11 SIGSEGV
		15 SIGTERM
		31 SIGSYS
		34 SIGRTMIN
		37 SIGRTMIN+3
		64 SIGRTMAX
	END
}

# bats test_tags=exit
@test "--report tells the program's own end, whatever the exit status was made" {
	run -1 "$FOSTER" -e 3:1 --report "$BATS_TEST_TMPDIR/r" "$SPY" --exit 3
	[ "$(<"$BATS_TEST_TMPDIR/r")" = 'exited with status 3' ]
}

# bats test_tags=exit
@test "--report and -v tell that the time-out ran out, and how the program ended then" {
	run -124 --separate-stderr "$FOSTER" --timeout 50ms --report "$BATS_TEST_TMPDIR/r" "$SPY" --die-on TERM
	run -124 --separate-stderr "$FOSTER" --timeout 1 -v --report "$BATS_TEST_TMPDIR/r" "$SPY" --exit-on TERM:0
	[[ $stderr == *"foster: $SPY: timed out after 1 s, exited with status 0"* ]]
	run -124 "$FOSTER" --timeout 50ms --stop TERM/50ms/KILL --report "$BATS_TEST_TMPDIR/r" \
		"$SPY" --ignore TERM --for 60000
	assert_equal "$(<"$BATS_TEST_TMPDIR/r")" 'timed out after 50 ms, killed by SIGTERM (15)
timed out after 1 s, exited with status 0
timed out after 50 ms, killed by SIGKILL (9)'
}

# bats test_tags=exit,pid1
@test "--report and -v tell of foster's own KILL as PID 1, too" {
	needs pid1
	report=$BATS_TEST_TMPDIR/r
	start_pid1 -- -v --stop TERM/50ms/KILL --report "$report" -- "$SPY" --name program --listen
	wait_for "$out" '^program: ready'
	send TERM
	expect_end 137
	assert_equal "$(<"$report")" 'killed by SIGKILL (9)'
	grep -qF "foster: $SPY: killed by SIGKILL (9)" "$err"
}

# bats test_tags=exit
@test "-v tells the same on standard error, and nothing on standard output" {
	run -3 --separate-stderr "$FOSTER" -v "$SPY" --exit 3
	[ -z "$output" ]
	[[ $stderr == *'exited with status 3'* ]]
	run -137 --separate-stderr "$FOSTER" -v "$SPY" --die KILL
	[[ $stderr == *'killed by SIGKILL (9)'* ]]
	[[ $stderr != *memory* ]]
}

# bats test_tags=exit
@test "--report appends one line, to a path as it was at the start" {
	cd "$BATS_TEST_TMPDIR"
	echo before >r
	run -3 "$FOSTER" --report r sh -c 'cd /; exit 3'
	run -0 "$FOSTER" --report r true
	[ "$(cat -A r)" = $'before$\nexited with status 3$\nexited with status 0$' ]
}

# bats test_tags=exit
@test "--report: a link that the program puts in its place is not followed" {
	cd "$BATS_TEST_TMPDIR"
	touch other
	run -3 "$FOSTER" --report r sh -c 'ln r kept && ln -sf other r; exit 3'
	[ "$(cat kept)" = 'exited with status 3' ]
	[ ! -s other ]
}

# bats test_tags=exit
@test "--report is written when the program ends, though foster stays for its group" {
	start_plain -- --report "$BATS_TEST_TMPDIR/r" sh -c \
		'"$SPY" --name rest --listen --exit-on USR1 & exec "$SPY" --name app --exit-on TERM:3'
	wait_for "$out" ': ready' 2
	send TERM
	wait_for "$BATS_TEST_TMPDIR/r" '^exited with status 3$'
	run ! is_gone "$foster_pid"
	send USR1
	wait_end
	[ "$status" = 3 ]
	[ "$(wc -l <"$BATS_TEST_TMPDIR/r")" = 1 ]
}

# bats test_tags=exit
@test "a report file that can't be opened is status 125, before the program starts" {
	mkdir "$BATS_TEST_TMPDIR/dir"
	mkfifo "$BATS_TEST_TMPDIR/fifo-without-reader"
	for file in /no/such/dir/file "$BATS_TEST_TMPDIR"/{dir,fifo-without-reader}; do
		run -125 --separate-stderr "$FOSTER" --report "$file" echo started
		[ -z "$output" ] || fail "started with '$file'"
		[[ $stderr == "foster: $file: "* && $stderr != *$'\n'* ]] || fail "$file: $stderr"
	done
	run -125 --separate-stderr "$FOSTER" --report '' echo started
	[ -z "$output" ]
	[ "$stderr" = "foster: --report '': not a file's name" ]
}

# bats test_tags=exit
@test "--report to a FIFO reaches its reader" {
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	cat "$BATS_TEST_TMPDIR/fifo" >"$BATS_TEST_TMPDIR/read" 3>&- &
	# returns when there is a reader
	exec 8>"$BATS_TEST_TMPDIR/fifo"
	run -3 "$FOSTER" --report "$BATS_TEST_TMPDIR/fifo" "$SPY" --exit 3 8>&-
	exec 8>&-
	wait_for "$BATS_TEST_TMPDIR/read" '^exited with status 3$'
}

# bats test_tags=exit,subreaper
@test "a FIFO that nobody empties does not hold foster up" {
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	exec 8<>"$BATS_TEST_TMPDIR/fifo"
	# until it is full; a pipe takes less than a page only where there is room for it all
	timeout 1 dd if=/dev/zero of="$BATS_TEST_TMPDIR/fifo" bs=4096 oflag=nonblock status=none || true
	run -3 --separate-stderr timeout 10 "$FOSTER" --report "$BATS_TEST_TMPDIR/fifo" "$SPY" --exit 3 8>&-
	[[ $stderr == "foster: $BATS_TEST_TMPDIR/fifo: "* ]]
}

# bats test_tags=exit,subreaper
@test "a report that does not fit is a line, and the exit status stays" {
	[ -e /dev/full ] || skip 'needs /dev/full'
	run -3 --separate-stderr "$FOSTER" --report /dev/full "$SPY" --exit 3
	[[ $stderr == 'foster: /dev/full: '* && $stderr != *$'\n'* ]]
}

# bats test_tags=exit,root,pid1,subreaper
@test "on a full disk the report is complete or absent, whatever room there is" {
	needs root pid1
	for room in 0 1 20 21 100; do
		run -3 on_full_disk "$room" '"$FOSTER" --report file "$SPY" --exit 3; s=$?
			head -n 1 file; tr -d "\0" <file | tail -n +2; exit $s'
		assert_line 'first'
		case $room in
		0 | 1 | 20) refute_line --regexp '^exited' && assert_line --regexp '^foster: file: ' ;;
		*) assert_line 'exited with status 3' && refute_line --regexp '^foster: ' ;;
		esac || fail "with room for $room"
	done
}

# bats test_tags=exit
@test "with a limit on file sizes the report is complete or absent" {
	head -c 1020 /dev/zero >"$BATS_TEST_TMPDIR/r"
	run -3 "$NS" --not-init -- bash -c 'ulimit -f 1
		exec "$FOSTER" --report "$1" "$SPY" --exit 3' bash "$BATS_TEST_TMPDIR/r"
	assert_line --regexp '^foster: .*/r: '
	[ "$(wc -c <"$BATS_TEST_TMPDIR/r")" = 1020 ]
}

# bats test_tags=exit
@test "a report file at its very limit does not end foster by SIGXFSZ" {
	head -c 1024 /dev/zero >"$BATS_TEST_TMPDIR/r"
	run -3 "$NS" --not-init --default XFSZ -- bash -c 'ulimit -f 1
		exec "$FOSTER" --report "$1" "$SPY" --exit 3' bash "$BATS_TEST_TMPDIR/r"
	[ "$(wc -c <"$BATS_TEST_TMPDIR/r")" = 1024 ]
}

# bats test_tags=exit,root,pid1
@test "a kill that the container's cgroup (v2) counts is told as the lack of memory" {
	needs root pid1
	run -137 fake_cgroup memory.events -- --report /dev/stderr sh -c "$count_up; kill -KILL \$\$"
	assert_output 'killed by SIGKILL (9): the container ran out of memory'
	for no_proc in '' --no-proc; do
		# shellcheck disable=SC2086
		run -137 fake_cgroup memory.events $no_proc -- -v sh -c "$count_up; kill -KILL \$\$"
		assert_output --partial 'killed by SIGKILL (9): the container ran out of memory'
	done
	# those that were counted before
	run -137 fake_cgroup memory.events -- -v sh -c 'kill -KILL $$'
	assert_output --partial 'killed by SIGKILL (9)'
	refute_output --partial memory
}

# bats test_tags=exit,root,pid1
@test "a kill that the container's cgroup (v1) counts is told as the lack of memory" {
	needs root pid1
	grep -q '^[0-9]*:memory:' /proc/self/cgroup || skip 'needs cgroup v1'
	run -137 fake_cgroup memory/memory.oom_control -- --report /dev/stderr \
		sh -c "$count_up; kill -KILL \$\$"
	assert_output 'killed by SIGKILL (9): the container ran out of memory'
}

# bats test_tags=exit,root,pid1
@test "where the lack of memory ended another process, that is told behind the program's own end" {
	needs root pid1
	run -137 fake_cgroup memory.events -- --report /dev/stderr sh -c "$count_up; exit 137"
	assert_output 'exited with status 137; the container ran out of memory'
	run -3 fake_cgroup memory.events -- -v sh -c "$count_up; exit 3"
	assert_line 'foster: sh: exited with status 3; the container ran out of memory'
	run -143 fake_cgroup memory.events -- --report /dev/stderr sh -c "$count_up; kill \$\$"
	assert_output 'killed by SIGTERM (15); the container ran out of memory'
}

# bats test_tags=exit,root,pid1
@test "memory is not blamed for what it didn't do, a KILL of foster's own least of all" {
	needs root pid1
	run -137 fake_cgroup memory.events -- --report /dev/stderr sh -c 'kill -KILL $$'
	assert_output 'killed by SIGKILL (9)'
	run -3 fake_cgroup memory.events -- --report /dev/stderr sh -c 'exit 3'
	assert_output 'exited with status 3'
	run -137 fake_cgroup memory.events -- -v --stop TERM/100ms/KILL sh -c "$count_up; trap '' TERM
		kill -TERM 1; while :; do sleep 1; done"
	assert_line 'foster: sh: killed by SIGKILL (9)'
	refute_output --partial memory
}

# bats test_tags=exit,root,subreaper
@test "a program that the kernel ends for want of memory is told so" {
	needs root python3
	own=$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)
	group=/sys/fs/cgroup/memory${own%/}/foster-test-$$
	if [ -z "$own" ] || ! mkdir "$group" 2>/dev/null; then
		skip 'no memory cgroup can be made'
	fi
	echo 64M >"$group/memory.limit_in_bytes"
	run -137 timeout 30 sh -c 'echo $$ >"$1/tasks" &&
		exec "$FOSTER" --report /dev/stderr python3 -c "a = bytearray(1 << 30)"' sh "$group"
	wait_until rmdir "$group"
	assert_output 'killed by SIGKILL (9): the container ran out of memory'
}

# bats test_tags=exit
@test "a report that does not fit leaves another's line behind it" {
	needs strace
	report=$BATS_TEST_TMPDIR/r
	head -c 1020 /dev/zero >"$report"
	wrap_foster 'ulimit -f 1; exec strace -D -qq -o /dev/null -e trace=lseek -e signal=none \
		-e inject=lseek:delay_enter=2000000:when=2+'
	start_plain -- --report "$report" -- "$SPY" --exit 3
	wait_until eval '[ "$(stat -c %s "$report")" = 1024 ]'
	echo another >>"$report"
	expect_end 3
	[ "$(tail -n 1 "$report" | tr -d '\0')" = 'exitanother' ] || fail "$(tail -n 1 "$report" | tr -d '\0')"
}
