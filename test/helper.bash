# helper.bash: the verbs that the tests are written in.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A test may use $FOSTER, $SPY, $NS and $PTY. What it starts in the background sets:
# foster_pid	foster, as seen from outside its namespace
# out, err	the files that it and the program write to

bats_require_minimum_version 1.8.0
if ! bats_load_library bats-support 2>/dev/null; then
	load /usr/lib/bats/bats-support/load.bash
	load /usr/lib/bats/bats-assert/load.bash
else
	bats_load_library bats-assert
fi

here=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
export FOSTER=${FOSTER:-${here%/*}/foster}
export SPY=${SPY:-$here/bin/spy} NS=${NS:-$here/bin/ns} PTY=${PTY:-$here/bin/pty}
# Another user can't enter a clone in /root, or in a home: what tests run is copied then.
if [ "$(id -u)" = 0 ] && ! "$NS" --not-init --uid 65534 -- test -x "$FOSTER" -a -x "$SPY" 2>/dev/null; then
	chmod 711 "$BATS_RUN_TMPDIR"
	tools=$BATS_RUN_TMPDIR/tools
	[ -d "$tools" ] || {
		mkdir "$tools.$$" && cp "$FOSTER" "$SPY" "$NS" "$PTY" "$tools.$$" && mv -T "$tools.$$" "$tools"
	}
	FOSTER=$tools/${FOSTER##*/} SPY=$tools/spy NS=$tools/ns PTY=$tools/pty
fi
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-60}
# how long a test waits for anything
wait_seconds=${WAIT_SECONDS:-10}
started_pids=()

setup() {
	# what a test leaves behind is known by this, however it was started
	export SPY_TEST=$BATS_TEST_TMPDIR
}

teardown() {
	kill_started
}

# skips the test, with the reason; where CI=true nothing may be skipped
needs() {
	local what

	for what; do
		case $what in
		root) [ "$(id -u)" = 0 ] ;;
		userns) "$NS" --userns -- true ;;
		pid1) "$NS" -- true ;;
		tty) "$PTY" -- true </dev/null ;;
		proc) [ -e /proc/self/status ] ;;
		*) command -v "$what" ;;
		esac >/dev/null 2>&1 && continue
		[ "${CI-}" != true ] || fail "needs $what, which must be there in CI" || return
		skip "needs $what"
	done
}

# splits "[NS-OPTION...] -- ARG..." at the first "--"
split_options() {
	ns_options=()
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		ns_options+=("$1")
		shift
	done
	[ $# -gt 0 ] || fail "missing --, as in: [NS-OPTION...] -- FOSTER-ARG..." || return
	shift
	foster_args=("$@")
}

# as_pid1 [NS-OPTION...] -- FOSTER-ARG...	foster as PID 1, to its end; for "run", which bats
# itself could not end: hence the limit
as_pid1() {
	split_options "$@" || return
	"$NS" --limit $((3 * wait_seconds)) "${ns_options[@]}" -- "$FOSTER" "${foster_args[@]}" 3>&- 4>&-
}

# as_plain [NS-OPTION...] -- FOSTER-ARG...	the same, but not as PID 1
as_plain() {
	as_pid1 --not-init "$@"
}

# start_pid1 [NS-OPTION...] -- FOSTER-ARG...	in the background; returns when foster runs.
# Its input is $in or /dev/null.
start_pid1() {
	split_options "$@" || return
	new_files
	# a shell starts its background jobs with these ignored
	"$NS" --default INT --default QUIT --pidfile "$out.pid" "${ns_options[@]}" -- \
		"$FOSTER" "${foster_args[@]}" <"${in:-/dev/null}" >"$out" 2>"$err" 3>&- 4>&- &
	started_pid=$!
	started_pids+=("$!")
	wait_until pidfile_or_end
	[ -s "$out.pid" ] || fail "not started: $(cat "$err")" || return
	read -r foster_pid <"$out.pid"
	wait_until is_no_longer "$NS" "$foster_pid"
}

# start_plain [NS-OPTION...] -- FOSTER-ARG...	the same, but not as PID 1
start_plain() {
	start_pid1 --not-init "$@"
}

# start_pty [PTY-OPTION...] -- COMMAND [ARG...]	a command on a terminal, in the background;
# foster_pid is the session's leader, $out has what the terminal shows
start_pty() {
	new_files
	mkfifo "$out.script"
	"$PTY" "$@" <"$out.script" >"$out" 2>"$err" 3>&- 4>&- &
	started_pid=$!
	started_pids+=("$!")
	exec {script}>"$out.script"
	on_pty leader
	wait_for "$out" '^leader '
	foster_pid=$(sed -n 's/^leader \([0-9]*\).*/\1/p' "$out")
}

# on_pty LINE	a line of pty's script for what start_pty started
on_pty() {
	echo "$*" >&"$script"
}

new_files() {
	out=$BATS_TEST_TMPDIR/out${#started_pids[@]}
	err=$BATS_TEST_TMPDIR/err${#started_pids[@]}
}

pidfile_or_end() {
	[ -s "$out.pid" ] || has_ended "$started_pid"
}

is_no_longer() {
	! [ "/proc/$2/exe" -ef "$1" ]
}

# wait_until COMMAND [ARG...]	until it succeeds; eval '[ "$(zombies)" = 0 ]' is one, too
wait_until() {
	local end=$((SECONDS + wait_seconds + 1))

	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || fail "waited $wait_seconds s for: $*" || return
		sleep 0.01
	done
}

# wait_for FILE REGEX [COUNT]	until so many lines of it match (extended)
wait_for() {
	local end=$((SECONDS + wait_seconds + 1))

	until [ "$(grep -Ecs -- "$2" "$1")" -ge "${3:-1}" ] 2>/dev/null; do
		[ "$SECONDS" -lt "$end" ] || {
			echo "waited $wait_seconds s for ${3:-1} x $2 in ${1##*/}:"
			cat -- "$1"
			return 1
		} >&2
		sleep 0.01
	done
}

# wait_state PID STATE	until it is in this state: T stopped, Z zombie, S sleeping
wait_state() {
	wait_until grep -qs "^State:	$2" "/proc/$1/status"
}

# wait_gone PID	until it has ended; as a zombie it may still wait for the machine's init
wait_gone() {
	wait_until is_gone "$1"
}

is_gone() {
	! grep -qs '^State:	[^ZX]' "/proc/$1/status"
}

# wait_end	until what start_* started last has ended; sets status
wait_end() {
	wait_until has_ended "$started_pid"
	status=0
	# shellcheck disable=SC2034  # for the test, as "run" sets it
	wait "$started_pid" || status=$?
}

# expect_end STATUS	the same, and with this status
expect_end() {
	wait_end
	[ "$status" = "$1" ] || fail "status $status, not $1: $(tail -n 20 "$out" "$err")"
}

# bash reaps its children by itself
has_ended() {
	! kill -0 "$1" 2>/dev/null
}

# wrap_foster COMMANDS	what runs before foster, in its process, and ends in an exec of it
wrap_foster() {
	printf '#!/bin/bash\n%s "%s" "$@"\n' "$1" "$FOSTER" >"$BATS_TEST_TMPDIR/foster"
	chmod +x "$BATS_TEST_TMPDIR/foster"
	FOSTER=$BATS_TEST_TMPDIR/foster
}

# send SIG [--value V] [--count N] [--retry]	to foster; SIG as spy reads it
send() {
	"$SPY" --send "$foster_pid" "$@"
}

# processes of foster's namespace, zombies too; without one, foster's descendants
namespace() {
	local p

	if [ "/proc/$foster_pid/ns/pid" -ef /proc/self/ns/pid ]; then
		ps -e -o pid= -o ppid= | awk -v root="$foster_pid" '
			{ parent[$1] = $2 }
			END {
				for (p in parent) {
					for (q = p; q in parent && q != root; q = parent[q]);
					if (q == root)
						print p
				}
			}'
		return
	fi
	for p in /proc/[0-9]*; do
		[ "$p/ns/pid" -ef "/proc/$foster_pid/ns/pid" ] && echo "${p#/proc/}"
	done
	return 0
}

# status_field PID FIELD	its last word, which is that of the innermost namespace
status_field() {
	awk -v field="$2:" '$1 == field { print $NF }' "/proc/$1/status" 2>/dev/null
}

# outer_pid NSPID	the PID here of what is NSPID in foster's namespace
outer_pid() {
	local p

	for p in $(namespace); do
		if [ "$(status_field "$p" NSpid)" = "$1" ]; then
			echo "$p"
			return
		fi
	done
	return 1
}

# pid_of NAME	the PID here of the spy of that name, once it is ready
pid_of() {
	wait_for "$out" "^$1: ready" && outer_pid "$(sed -n "s/^$1: ready //p" "$out")"
}

# zombies	how many there are in foster's namespace
zombies() {
	local p count=0

	for p in $(namespace); do
		! grep -qs '^State:	Z' "/proc/$p/status" || count=$((count + 1))
	done
	echo "$count"
}

# members PGID	who is in the group (PIDs and PGID as in the namespace), without zombies
members() {
	local p

	for p in $(namespace); do
		[ "$(status_field "$p" NSpgid)" = "$1" ] || continue
		grep -qs '^State:	Z' "/proc/$p/status" || status_field "$p" NSpid
	done | sort -n
}

# by PID: bash's own children, then what has this test's mark in its environment
kill_started() {
	local p files

	[ -z "${script-}" ] || exec {script}>&-
	for p in "${started_pids[@]}"; do
		! jobs -pr | grep -qx "$p" || kill -KILL "$p" 2>/dev/null || true
	done
	# what forks meanwhile is found the next time
	for _ in 1 2 3 4 5; do
		files=$(SPY_TEST='' grep -lsxzF "SPY_TEST=$BATS_TEST_TMPDIR" /proc/[0-9]*/environ) ||
			[ -n "$files" ] || return 0
		for p in $files; do
			p=${p#/proc/}
			kill -KILL "${p%/environ}" 2>/dev/null || true
		done
	done
}
