# programs.bash: the verbs of the tests with a program in Docker's container "box".
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# image	what "box" runs
# dir	a folder of the test's own, /srv in the box
# log	what the program prints; log.err: on standard error, where foster speaks too. No order
#	between the two: Docker has none.
# pid	the box's first process, as seen from here
# mode	"wrapped": what runs is behind a shell that has something to do before and after

# shellcheck source-path=SCRIPTDIR source=engines.bash
. "${BASH_SOURCE[0]%/*}/engines.bash"

# use_image NAME	in a test file's setup
use_image() {
	image=$1
	needs_engine docker
	needs_image "$image"
	remove_containers  # where the test before ran into its limit
	dir=$BATS_TEST_TMPDIR/dir
	log=$BATS_TEST_TMPDIR/log
	mkdir -m 755 "$dir"
	truncate -s 0 "$log" "$log.err"
	mkfifo "$dir/gate"
	chmod 666 "$dir/gate"
}

# box [DOCKER-OPTION...] -- COMMAND...	starts it
box() {
	local options=()

	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	# shellcheck disable=SC2016  # for the shell inside
	[ "${mode-}" != wrapped ] || set -- sh -c 'echo set up; "$@"; echo end' sh "$@"
	new_box run --name box -v "$dir:/srv" "${options[@]}" "$image" "$@"
}

# bare [DOCKER-OPTION...] -- COMMAND...	the same without an init: the command is PID 1
bare() {
	box --entrypoint '' "$@"
}

# again	starts the box that has ended once more
again() {
	new_box start -a box
}

# new_box DOCKER-ARG...	returns when it runs; or when it has ended already
new_box() {
	docker "$@" >>"$log" 2>>"$log.err" </dev/null 3>&- 4>&- &
	client=$!
	wait_until 60 runs_or_ended || show_log
}

runs_or_ended() {
	pid=$(inspect box State.Pid 2>/dev/null)
	[ "${pid:-0}" != 0 ] || is_gone "$client"
}

# wait_for REGEX [COUNT]	until so many lines of what it printed match
wait_for() {
	wait_until 60 printed_or_ended "$@" || :
	printed "$@" || show_log
}

printed_or_ended() {
	printed "$@" || is_gone "$client"
}

# printed REGEX [COUNT]	at least so many lines match
printed() {
	[ "$(count "$1")" -ge "${2:-1}" ]
}

# count REGEX
count() {
	cat "$log" "$log.err" | grep -Ec -- "$1"
}

# ends_with LINE...	what it printed on standard output
ends_with() {
	diff <(printf '%s\n' "$@") <(tail -n $# "$log")
}

# is false, for a test that fails here
show_log() {
	tail -n 40 "$log" "$log.err" >&2
	return 1
}

# ends_as STATUS	waits for the box's end
ends_as() {
	local status=0

	wait "$client" || status=$?
	[ "$status" = "$1" ] || { echo "exit status $status" >&2; show_log; }
}

# sends SIG	as docker kill does
sends() {
	docker kill -s "$1" box >/dev/null
}

# stops [DOCKER-OPTION...]	with more time than it takes, if no option says otherwise
stops() {
	docker stop -t 100 "$@" box >/dev/null
}

# stops_until REGEX [DOCKER-OPTION...]	told to stop, it says that it knows; then the gate is opened
stops_until() {
	stops "${@:2}" 3>&- 4>&- &
	wait_for "$1"
	open_gate
}

# open_gate	whoever reads /srv/gate goes on
open_gate() {
	# shellcheck disable=SC2016  # for the shell inside
	timeout 100 sh -c 'echo >"$1"' - "$dir/gate"
}

# beside COMMAND...	in the box's file system and network, but no process of the box: it
# gets no signal, and outlives it, though not for long
beside() {
	timeout 100 nsenter -t "$pid" -m -n -- "$@"
}

# in_background COMMAND...	what it prints is in $dir/answer
in_background() {
	"$@" >"$dir/answer" 2>&1 </dev/null 3>&- 4>&- &
	asking=$!
}

# answered TEXT	what runs in the background ends well, having printed that
answered() {
	wait "$asking"
	[ "$(cat "$dir/answer")" = "$1" ] || { cat "$dir/answer" >&2; return 1; }
}

# whoever still waits at the gate would hold up bats
teardown() {
	remove_containers
	[ -n "${asking-}" ] || return 0
	timeout 100 bash -c 'echo >&0' <>"$dir/gate"
	wait "$asking" || :
}
