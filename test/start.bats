# start.bats: what the program is given, what foster keeps, and what can't be started.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016  # set by helper.bash and by "run"; "$SPY" is for the shell inside
# shellcheck disable=SC2030,SC2031,SC2034  # each test is a subshell; what eval uses

bats_require_minimum_version 1.8.0
load helper

# same_as_directly [NS-OPTION...]	what spy is told is the same with and without foster
same_as_directly() {
	local mode direct through

	for mode in --not-init $(pid1_mode); do
		direct=$("$NS" "$mode" "$@" -- "$SPY" --state --env | told)
		through=$("$NS" "$mode" "$@" -- "$FOSTER" "$SPY" --state --env | told)
		[[ -n $direct && $direct == "$through" ]] ||
			fail "$mode $*: $(diff <(echo "$direct") <(echo "$through"))"
	done
}
# an option of ns that means PID 1, where that can be
pid1_mode() {
	! "$NS" -- true 2>/dev/null || echo --host-proc
}
told() {
	# pdeathsig is ns's own
	grep -Ev '^(pid|ppid|pgid|sid|foreground|pdeathsig) '
}

# start_and_settle [NS-OPTION...] -- FOSTER-ARG...	until the program is ready and foster waits
start_and_settle() {
	start_plain "$@"
	wait_for "$out" '^ready'
	wait_until eval '[ "$(readlink "/proc/$foster_pid/cwd")" = / ]'
}

# what foster holds open, in order
kept() {
	local fd list=
	for fd in $(cd "/proc/$foster_pid/fd" && echo *); do
		list+="$(readlink "/proc/$foster_pid/fd/$fd") "
	done
	echo "$list"
}

# state_of FIELD	what spy told of it in $out
state_of() {
	sed -n "s/^$1 //p" "$out"
}

# not_started STATUS REASON WORD [ARG...]	one line "foster: WORD: REASON"; PATH is $path
not_started() {
	local seen=0

	env PATH="${path-$PATH}" "$FOSTER" "${@:3}" >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr" || seen=$?
	[ "$(cat "$BATS_TEST_TMPDIR/stdout" "$BATS_TEST_TMPDIR/stderr")" = "foster: $3: $2" ] ||
		fail "$3: $(cat "$BATS_TEST_TMPDIR"/std{out,err})"
	[ "$seen" = "$1" ] || fail "$3: status $seen, not $1"
}

# a_file NAME TEXT	an executable file in the test's directory, which is entered
a_file() {
	cd "$BATS_TEST_TMPDIR" || return
	printf %b "$2" >"$1"
	chmod +x "$1"
}

# bats test_tags=start
@test "the program sees what it would see if it had been started directly" {
	cd "$BATS_TEST_TMPDIR"
	umask 0137
	ulimit -S -n 200 -c 0
	same_as_directly
	A=1 B='' same_as_directly --block TERM --block CHLD --ignore HUP --keep 5 5</dev/null
}

# bats test_tags=start
@test "each ignored signal stays ignored, and each default a default" {
	same_as_directly --default all
	for n in {1..8} {10..18} {20..64}; do
		"$NS" --not-init --default all --ignore "$n" -- "$FOSTER" "$SPY" --state |
			grep -qx "ignored $(printf %016x $((1 << (n - 1))))" || fail "signal $n"
	done
}

# bats test_tags=start
@test "the signal mask is the program's to the bit, for each signal" {
	for n in {1..64}; do
		"$NS" --not-init --block "$n" -- "$FOSTER" "$SPY" --state |
			grep -qx "mask $(printf %016x $((n == 9 || n == 19 ? 0 : 1 << (n - 1))))" || fail "signal $n"
	done
	all=()
	for n in {1..64}; do
		all+=(--block "$n")
	done
	same_as_directly "${all[@]}"
}

# bats test_tags=start,pid1
@test "PID 1 gives mask and dispositions back to the bit, too" {
	needs pid1
	for options in '' '--ignore CHLD --ignore INT --block TTOU' '--ignore 32 --ignore 33 --block 34' \
		'--block 32 --block 33 --ignore 34 --ignore 64' '--block 1 --block 64 --ignore TTIN'; do
		# shellcheck disable=SC2086
		run -0 as_pid1 --default all $options -- "$SPY" --state
		seen=$(grep -E '^(mask|ignored) ' <<<"$output")
		# shellcheck disable=SC2086
		run -0 "$NS" --default all $options -- "$SPY" --state
		assert_equal "$seen" "$(grep -E '^(mask|ignored) ' <<<"$output")"
	done
}

# bats test_tags=start
@test "an inherited SIGCHLD of ignored is the program's, and the default is foster's" {
	start_and_settle --ignore CHLD -- "$SPY" --state --exit-on USR1:7
	[ "$((0x$(state_of ignored) >> 16 & 1))" = 1 ]
	[ "$((0x$(status_field "$foster_pid" SigIgn) >> 16 & 1))" = 0 ]
	send USR1
	wait_end
	[ "$status" = 7 ]
}

# bats test_tags=start
@test "a signal that arrives before the program runs is delivered to it" {
	block=(--default INT --default QUIT)
	# without those that stop or are ignored by default, and PIPE and XFSZ from its own PID
	signals=({1..8} {10..12} {14..16} 24 26 27 {29..64})
	for n in "${signals[@]}"; do
		block+=(--block "$n")
	done
	# what is sent while blocked waits for foster
	new_files
	"$NS" --not-init "${block[@]}" -- bash -c 'for n; do kill -"$n" $$; done
		exec "$FOSTER" "$SPY" --listen' bash "${signals[@]}" >"$out" 2>&1 3>&- &
	started_pids+=("$!")
	for n in "${signals[@]}"; do
		name=$n
		[ "$n" -gt 31 ] || name=$(kill -l "$n")
		[ "$n" -lt 34 ] || name="RTMIN\\+$((n - 34))"
		[ "$n" != 34 ] || name=RTMIN
		wait_for "$out" "^got ${name#SIG} code"
	done
}

# bats test_tags=start
@test "--ignore-signal starts the program with each signal ignored" {
	for n in {1..64}; do
		case $n in 9 | 19) continue ;; esac
		run -0 "$NS" --not-init --default all -- "$FOSTER" --ignore-signal "$n" "$SPY" --state
		[[ $output == *"ignored $(printf %016x $((1 << (n - 1))))"* ]] || fail "$n: $output"
	done
}

# bats test_tags=start
@test "--default-signal starts the program with each signal at its default" {
	ignore=()
	for n in {1..8} {10..18} {20..64}; do
		ignore+=(--ignore "$n")
	done
	for n in {1..8} {10..18} {20..64}; do
		run -0 "$NS" --not-init "${ignore[@]}" -- "$FOSTER" --default-signal "$n" "$SPY" --state
		want=$(printf %016x $((0xfffffffffffbfeff & ~(1 << (n - 1)))))
		[[ $output == *"ignored $want"* ]] || fail "$n: $output"
	done
}

# bats test_tags=start
@test "of --ignore-signal and --default-signal the last holds, and both can be repeated" {
	run -0 "$NS" --not-init --default all --ignore TERM -- "$FOSTER" --ignore-signal INT \
		--ignore-signal HUP --default-signal INT --default-signal TERM --default-signal 34 \
		--ignore-signal 34 "$SPY" --state
	assert_line 'ignored 0000000200000001'
}

# bats test_tags=start
@test "--ignore-signal and --default-signal leave the mask and foster itself alone" {
	start_and_settle --default all --block TERM -- --default-signal TERM --ignore-signal CHLD \
		--ignore-signal USR1 "$SPY" --state --exit-on USR2:7
	[ "$(state_of mask)" = 0000000000004000 ]
	[ "$(status_field "$foster_pid" SigIgn)" = 0000000000000000 ]
	send USR2
	wait_end
	[ "$status" = 7 ]
}

# bats test_tags=start
@test "the program leads a process group of its own, in foster's session" {
	start_and_settle -- "$SPY" --state --listen
	[ "$(state_of pgid)" = "$(state_of pid)" ]
	[ "$(state_of sid)" = "$foster_pid" ]
	[ "$(state_of ppid)" = "$foster_pid" ]
	needs pid1
	run -0 as_pid1 -- "$SPY" --state
	assert_line 'sid 1'
	assert_line 'ppid 1'
	assert_line "pgid $(sed -n 's/^pid //p' <<<"$output")"
}

# bats test_tags=start,tty
@test "in the terminal's foreground the program's group is it before the program runs" {
	needs tty
	run -0 "$PTY" -- "$FOSTER" "$SPY" --state <<<wait
	assert_line "foreground $(sed -n 's/^pgid //p' <<<"$output")"
	needs pid1
	run -0 "$PTY" --pid1 -- "$FOSTER" "$SPY" --state <<<wait
	assert_line "foreground $(sed -n 's/^pgid //p' <<<"$output")"
}

# bats test_tags=start,tty
@test "in the terminal's background foster steals nothing" {
	needs tty
	run -0 "$PTY" -- bash -c 'set -m; "$FOSTER" "$SPY" --state & wait; echo shell $$' <<<wait
	assert_line "foreground $(sed -n 's/^shell //p' <<<"$output")"
}

# bats test_tags=start,tty
@test "started with & by a script without job control, foster steals nothing" {
	needs tty
	run -0 "$PTY" -- sh -c '"$FOSTER" "$SPY" --state & wait; echo shell $$' <<<wait
	assert_line "foreground $(sed -n 's/^shell //p' <<<"$output")"
}

# bats test_tags=start,tty,pid1
@test "a terminal held outside the PID namespace is taken in its foreground alone" {
	needs tty pid1
	run -0 "$PTY" -- "$NS" --no-setsid -- "$FOSTER" "$SPY" --state <<<wait
	assert_line "foreground $(sed -n 's/^pgid //p' <<<"$output")"
	run -0 "$PTY" -- bash -c 'set -m; "$NS" --no-setsid -- "$FOSTER" "$SPY" --state & wait' <<<wait
	assert_line 'foreground 0'
}

# bats test_tags=start
@test "LISTEN_PID and WATCHDOG_PID name the program where they named foster" {
	for modes in --not-init $(pid1_mode); do
		run -0 "$NS" "$modes" -- sh -c 'LISTEN_PID=$$ WATCHDOG_PID=$$ LISTEN_PIDFDID=5 LISTEN_FDS=1 \
			exec "$FOSTER" "$SPY" --state --env'
		program=$(sed -n 's/^pid //p' <<<"$output")
		assert_line "env LISTEN_PID=$program"
		assert_line "env WATCHDOG_PID=$program"
		assert_line 'env LISTEN_FDS=1'
		refute_line --partial 'LISTEN_PIDFDID'
	done
}

# bats test_tags=start
@test "LISTEN_PID and WATCHDOG_PID that name another process stay" {
	run -0 env -i A=1 LISTEN_PID=999999999 WATCHDOG_PID=1x B=2 "$FOSTER" "$SPY" --env
	assert_output $'env A=1\nenv LISTEN_PID=999999999\nenv WATCHDOG_PID=1x\nenv B=2'
	run -0 sh -c 'exec env -i WATCHDOG_PID=$$ "$FOSTER" "$SPY" --state --env'
	assert_line "env WATCHDOG_PID=$(sed -n 's/^pid //p' <<<"$output")"
	refute_line --partial LISTEN_PID
}

# bats test_tags=start
@test "the program keeps every inherited descriptor" {
	for options in '' "--report $BATS_TEST_TMPDIR/r"; do
		# shellcheck disable=SC2086
		run -0 "$NS" --not-init --keep 3,5,9,100,1000 -- "$FOSTER" $options "$SPY" --state \
			3</dev/null 5</dev/null 9>/dev/null 100</ 1000</dev/null
		assert_line 'fds 0 1 2 3 5 9 100 1000'
	done
}

# bats test_tags=start
@test "what foster opens is never one of 0 to 2 in the program" {
	for closed in 0 1 2 0,1 0,2 1,2 0,1,2; do
		for mode in --not-init $(pid1_mode); do
			rm -f "$BATS_TEST_TMPDIR/log"
			"$NS" "$mode" --close "$closed" -- "$FOSTER" --report "$BATS_TEST_TMPDIR/r" -v \
				"$SPY" --out "$BATS_TEST_TMPDIR/log" --state 2>/dev/null
			seen=$(sed -n 's/^fds *//p' "$BATS_TEST_TMPDIR/log")
			[ "$seen" = "$(tr -d "$closed" <<<'0 1 2' | xargs)" ] || fail "$mode $closed: $seen"
		done
	done
	run -0 sort -u "$BATS_TEST_TMPDIR/r"
	assert_output 'exited with status 0'
}

# bats test_tags=start,tty
@test "the terminal is never one of 0 to 2 in a program that has none of them" {
	needs tty
	log=$BATS_TEST_TMPDIR/log
	run -0 "$PTY" -- "$NS" --not-init --no-setsid --close 0,1,2 -- "$FOSTER" \
		"$SPY" --out "$log" --state <<<wait
	grep -qx fds "$log"
}

# bats test_tags=start
@test "foster keeps only standard error and the report file open" {
	start_and_settle --keep 5,9 -- "$SPY" --listen 5</dev/null 9</dev/null
	[ "$(kept)" = "$err " ] || fail "$(kept)"
	start_and_settle --keep 5,9 -- --report "$BATS_TEST_TMPDIR/r" "$SPY" --listen 5</dev/null 9</dev/null
	[ "$(kept)" = "$err $BATS_TEST_TMPDIR/r " ] || fail "$(kept)"
	# also where there is one descriptor alone between the two
	wrap_foster 'exec 3</dev/null; exec'
	start_and_settle -- --report "$BATS_TEST_TMPDIR/r" "$SPY" --listen
	[ "$(kept)" = "$err $BATS_TEST_TMPDIR/r " ] || fail "$(kept)"
}

# bats test_tags=start
@test "PID 1 keeps only standard error and the report file open" {
	needs pid1
	start_pid1 --keep 5 -- --report "$BATS_TEST_TMPDIR/r" "$SPY" --listen 5</dev/null
	wait_for "$out" '^ready'
	wait_until eval '[ "$(kept)" = "$err $BATS_TEST_TMPDIR/r " ]'
}

# bats test_tags=start,tty
@test "of a terminal foster keeps one descriptor more where it isn't PID 1, and none where it is" {
	needs tty pid1
	start_pty -- "$FOSTER" "$SPY" --listen
	wait_for "$out" '^ready'
	wait_until eval '[ "$(kept | wc -w)" = 2 ]'
	[[ $(kept) == *'/dev/tty '* ]]
	exec {script}>&-
	start_pty --pid1 -- "$FOSTER" "$SPY" --listen
	wait_for "$out" '^ready'
	wait_until eval '[ "$(kept | wc -w)" = 1 ]'
}

# bats test_tags=start
@test "a pipe ends for its reader when the program closes it" {
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	"$FOSTER" bash -c 'exec >&- 3>&-; exec "$SPY" --out "$1" --listen' bash \
		"$BATS_TEST_TMPDIR/log2" >"$BATS_TEST_TMPDIR/pipe" 3>&- &
	started_pids+=("$!")
	run -0 timeout 10 cat "$BATS_TEST_TMPDIR/pipe"
	wait_for "$BATS_TEST_TMPDIR/log2" '^ready'
	run ! has_ended "${started_pids[-1]}"
}

# bats test_tags=start
@test "foster moves to /, and the program doesn't" {
	cd "$BATS_TEST_TMPDIR"
	start_and_settle -- "$SPY" --state --listen
	[ "$(state_of cwd)" = "$BATS_TEST_TMPDIR" ]
	[ "$(readlink "/proc/$foster_pid/cwd")" = / ]
}

# bats test_tags=start
@test "where it is not PID 1, foster adopts orphans, and says so with -v" {
	start_plain -- -v sh -c '("$SPY" --listen &); exec "$SPY" --name program --listen'
	wait_for "$out" '^ready'
	orphan=$(state_of ready)
	wait_until eval '[ "$(status_field "$orphan" PPid)" = "$foster_pid" ]'
	grep -q '^foster: .*subreaper' "$err"
	needs pid1
	run -0 as_pid1 -- -v true
	refute_line --partial subreaper
}

# bats test_tags=start
@test "no page table is copied for the program" {
	needs strace
	strace -V >/dev/null && strace -o /dev/null true || skip 'strace may not trace'
	run -0 strace -f -e trace=fork,vfork,clone,clone3 "$FOSTER" true
	[ "$(grep -Ec '(clone|fork)[0-9]*\(' <<<"$output")" = 1 ]
	assert_line --regexp 'CLONE_VM\|CLONE_VFORK|vfork\('
}

# bats test_tags=start
@test "a program that does not exist is status 127, and one line that names it" {
	not_started 127 'No such file or directory' /no/such/program
	not_started 127 'No such file or directory' no-such-program arg
	not_started 127 'No such file or directory' ./no-such-program
	path='' not_started 127 'No such file or directory' no-such-program
}

# bats test_tags=start
@test "a program that is there but may not be run is status 126" {
	cd "$BATS_TEST_TMPDIR"
	echo 'echo ran' >plain
	mkdir dir
	not_started 126 'Permission denied' ./plain
	not_started 126 'Permission denied' ./dir
	path=$PWD not_started 126 'Permission denied' plain
	ln -s loop loop
	"$FOSTER" ./loop 2>err && fail 'started' || [ $? = 126 ]
}

# bats test_tags=start
@test "a binary that is being written is status 126" {
	cp "$SPY" "$BATS_TEST_TMPDIR/busy"
	exec 8>>"$BATS_TEST_TMPDIR/busy"
	not_started 126 'Text file busy' "$BATS_TEST_TMPDIR/busy"
	exec 8>&-
}

# bats test_tags=start
@test "a start that fails has the same status and line in PID 1" {
	needs pid1
	run -127 as_pid1 -- /no/such/program
	assert_output 'foster: /no/such/program: No such file or directory'
	run -126 as_pid1 -- /
	assert_output 'foster: /: Permission denied'
	run -127 as_pid1 --close 0,1,2 -- /no/such/program
	assert_output ''
}

# bats test_tags=start
@test "the line about a missing interpreter names it" {
	a_file my-script '#!/no/such/interpreter -x\necho ran\n'
	not_started 126 'the interpreter /no/such/interpreter is missing' ./my-script
	path=$PWD:$PATH not_started 126 'the interpreter /no/such/interpreter is missing' my-script
	a_file my-script '#! \t /no/such/interpreter\n'
	not_started 126 'the interpreter /no/such/interpreter is missing' ./my-script
	a_file my-script '#!/no/such/interpreter'
	not_started 126 'the interpreter /no/such/interpreter is missing' ./my-script
}

# bats test_tags=start
@test "a carriage return at the interpreter's end is shown" {
	a_file my-script '#!/bin/sh\r\necho ran\r\n'
	not_started 126 'the interpreter /bin/sh\r is missing' ./my-script
}

# bats test_tags=start
@test "an interpreter that is a script whose own interpreter is missing: that one is named" {
	a_file inner '#!/no/such/interpreter\n'
	a_file my-script "#!$PWD/inner\n"
	not_started 126 'the interpreter /no/such/interpreter is missing' ./my-script
}

# bats test_tags=start
@test "the line about a missing loader names it" {
	needs cc
	cd "$BATS_TEST_TMPDIR"
	cc -x c -Wl,--dynamic-linker=/no/such/loader.so -o program - <<<'int main(void) { return 0; }'
	not_started 126 'the loader /no/such/loader.so is missing' ./program
	a_file my-script "#!$PWD/program\n"
	not_started 126 'the loader /no/such/loader.so is missing' ./my-script
}

# bats test_tags=start
@test "a binary for another architecture is said to be one" {
	cd "$BATS_TEST_TMPDIR"
	cp "$SPY" program
	printf '\231\231' | dd of=program bs=1 seek=18 conv=notrunc status=none
	not_started 126 'the binary is for another architecture' ./program
	path=$PWD:$PATH not_started 126 'the binary is for another architecture' program
}

# bats test_tags=start
@test "a text file without #! is run by /bin/sh, with its arguments" {
	a_file my-script 'echo "$0: $# $1 $2"; exit 3\n'
	run -3 "$FOSTER" ./my-script 'one two' ''
	assert_output './my-script: 2 one two '
	PATH=$PWD:$PATH run -3 "$FOSTER" my-script
	assert_output "$PWD/my-script: 0  "
	PATH=$PWD:$PATH run -3 "$FOSTER" -v my-script
	assert_line --regexp '^foster: pid [0-9]+: started my-script$'
	assert_line 'foster: my-script: exited with status 3'
	a_file my-script '# \0303\0251\nexit 4\n'
	run -4 "$FOSTER" ./my-script
}

# bats test_tags=start
@test "an empty file and a binary one are not run by /bin/sh" {
	a_file program ''
	not_started 126 'Exec format error' ./program
	a_file program 'echo ran\n\0000\0001\n'
	not_started 126 'Exec format error' ./program
	path=$PWD:$PATH not_started 126 'Exec format error' program
}

# bats test_tags=start
@test "a binary that is cut short is not run by /bin/sh" {
	cd "$BATS_TEST_TMPDIR"
	for size in 4 16 63; do
		head -c "$size" "$SPY" >"program$size"
		chmod +x "program$size"
		run -126 "$FOSTER" "./program$size"
		assert_output --regexp '^foster: [^:]*: .*[^.]$'
		[ "${#lines[@]}" = 1 ]
	done
}

# bats test_tags=start
@test "PATH is searched in its order, past directories that don't have it" {
	mkdir "$BATS_TEST_TMPDIR"/{one,two,three}
	a_file two/tool 'echo two\n'
	a_file three/tool 'echo three\n'
	PATH=/no/such:/dev/null:$PWD/one:$PWD/two:$PWD/three:$PATH run -0 "$FOSTER" tool
	assert_output two
	touch one/tool
	PATH=$PWD/one:$PWD/two:$PATH run -0 "$FOSTER" tool
	assert_output two
	rm one/tool && mkdir one/tool
	PATH=$PWD/one:$PWD/two:$PATH run -0 "$FOSTER" tool
	assert_output two
}

# bats test_tags=start
@test "an empty part of PATH is the working directory, and a name with a slash isn't searched" {
	a_file tool 'echo here\n'
	for path in : :/no/such /no/such: /no/such::/no/such; do
		run -0 env PATH="$path" "$FOSTER" tool
		assert_output here
	done
	mkdir sub
	path=$PWD not_started 127 'No such file or directory' sub/tool
}

# bats test_tags=start
@test "without PATH the usual directories are searched" {
	run -0 env -u PATH "$FOSTER" sh -c 'echo ran'
	assert_output ran
}

# bats test_tags=start
@test "a PATH whose directories are too long is searched all the same" {
	a_file tool 'echo ran\n'
	long=$(head -c 5000 /dev/zero | tr '\0' x)
	run -0 env PATH="/$long:$PWD" "$FOSTER" tool
	assert_output ran
	long=$(yes '/no/such' | head -n 5000 | tr '\n' :)
	run -0 env PATH="$long$PWD" "$FOSTER" tool
	assert_output ran
}

# bats test_tags=start,root
@test "where no process can be made, that is status 125" {
	needs root
	cp "$FOSTER" "$BATS_TEST_TMPDIR/foster"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR"
	run -125 "$NS" --not-init --uid 54321 -- bash -c 'ulimit -u 1; exec "$0" echo started' \
		"$BATS_TEST_TMPDIR/foster"
	assert_output --regexp '^foster: [^:]*: Resource temporarily unavailable$'
}

# bats test_tags=start,release-build
@test "foster is one static binary, loaded anywhere, with nothing to change while it runs" {
	needs readelf
	run -0 readelf -W -h -l -d "$FOSTER"
	assert_line --regexp '^ *Type: *DYN'
	assert_line --regexp '^ *GNU_RELRO '
	assert_line --regexp '^ *GNU_STACK .* RW  '
	for what in INTERP NEEDED TEXTREL 'RWE'; do
		refute_line --regexp "(^|[ (])$what([ )]|\$)"
	done
}

# bats test_tags=start,release-build
@test "foster is no larger than 64 KiB" {
	size=$(wc -c <"$FOSTER")
	[ "$size" -le 65536 ] || fail "$size bytes"
}

# bats test_tags=start,pid1,release-build
@test "until a stop foster is at most 96 kB resident, 24 kB of them its own" {
	needs pid1
	# the environment lies on the stack, and a test's is larger than a container's
	# shellcheck disable=SC2046
	export -n $(compgen -e)
	start_pid1 -- -- "$SPY" --listen
	wait_for "$out" '^ready'
	wait_state "$foster_pid" S
	[ "$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$foster_pid/status")" -le 96 ]
	[ "$(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$foster_pid/status")" -le 24 ]
}

# bats test_tags=start
@test "a standard error that nobody reads any more does not change the status of a failed start" {
	mkfifo "$BATS_TEST_TMPDIR/err"
	exec 8<>"$BATS_TEST_TMPDIR/err"
	exec 9>"$BATS_TEST_TMPDIR/err"
	exec 8<&-
	run -127 sh -c '"$NS" --not-init --default all -- "$FOSTER" /no/such/program 2>&9'
	exec 9>&-
}

# bats test_tags=start,root
@test "a binary that may be run but not read: the kernel's reason is said" {
	needs root cc
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR"
	cp "$FOSTER" foster
	cc -x c -Wl,--dynamic-linker=/no/such/loader.so -o program - <<<'int main(void) { return 0; }'
	chmod 711 program
	run -126 "$NS" --not-init --uid 54321 -- ./foster ./program
	assert_output 'foster: ./program: No such file or directory'
}

# bats test_tags=start
@test "of two scripts whose interpreters are missing, the first in PATH is the one that is named" {
	mkdir "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
	printf '#!/no/first\n' >"$BATS_TEST_TMPDIR/a/foster-test-script"
	printf '#!/no/second\n' >"$BATS_TEST_TMPDIR/b/foster-test-script"
	chmod +x "$BATS_TEST_TMPDIR"/?/foster-test-script
	PATH=$BATS_TEST_TMPDIR/a:$BATS_TEST_TMPDIR/b:$PATH run -126 "$FOSTER" foster-test-script
	assert_output --partial '/no/first is missing'
}
