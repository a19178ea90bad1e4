# limits.bash: what the tests of limits and floods have in common.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154  # set by helper.bash, or for the tests

load ../../helper

# these are long tests, on any machine
BATS_TEST_TIMEOUT=240

# orphans COUNT	made in foster's namespace by one that came from outside
orphans() {
	nsenter --target "$foster_pid" --pid --mount "$SPY" --orphans "$1" \
		>"$BATS_TEST_TMPDIR/orphans" 3>&- 4>&-
	[ "$(<"$BATS_TEST_TMPDIR/orphans")" = "orphans $1" ] || fail "$(tail -n 3 "$BATS_TEST_TMPDIR/orphans")"
}

# anonymous memory, what it could have, and the number of descriptors; pages of the file come
# as the kernel reads them
size_of_foster() {
	grep -E '^(VmSize|RssAnon|VmData|VmStk|VmLck):' "/proc/$foster_pid/status" | tr -s '\t ' ' '
	printf 'descriptors: %s\n' "$(echo "/proc/$foster_pid/fd"/* | wc -w)"
}

# some of everything, so that each page that is ever touched is there; sets before
warm_up() {
	orphans 20
	send WINCH --count 20
	send RTMIN --value -5 --count 5 --retry
	wait_for "$out" 'got RTMIN .* value -1$'
	wait_until eval '[ "$(zombies)" = 0 ]'
	wait_state "$foster_pid" S
	before=$(size_of_foster)
}

# same_size	foster is as large as after warm_up, once all zombies are gone
same_size() {
	wait_until eval '[ "$(zombies)" = 0 ]'
	wait_state "$foster_pid" S
	assert_equal "$(size_of_foster)" "$before"
}

# wait_long FILE REGEX [COUNT]	as wait_for, for what takes long, and of which there is much
wait_long() {
	local end=$((SECONDS + 100))

	until [ "$(grep -Ec -- "$2" "$1")" -ge "${3:-1}" ]; do
		[ "$SECONDS" -lt "$end" ] ||
			fail "waited 100 s for ${3:-1} x $2, seen $(grep -Ec -- "$2" "$1"): $(tail -n 3 "$1")" || return
		sleep 0.1
	done
}

# flood SIG	to foster, until it ends; sets flood_pid
flood() {
	"$SPY" --send "$foster_pid" "$1" --count 1000000000 >/dev/null 3>&- 4>&- &
	flood_pid=$!
	started_pids+=("$!")
}

# new_cgroup CONTROLLER	an own one, of either version; sets cgroup, and v=1 or 2
new_cgroup() {
	local top=/sys/fs/cgroup

	if [ -d "$top/$1" ]; then
		cgroup=$top/$1/foster-test-$$-$BATS_TEST_NUMBER v=1
	else
		cgroup=$top/foster-test-$$-$BATS_TEST_NUMBER v=2
		echo "+$1" 2>/dev/null >"$top/cgroup.subtree_control" || true
	fi
	if mkdir "$cgroup" 2>/dev/null && compgen -G "$cgroup/$1.*" >/dev/null; then
		wrap_foster "echo 0 >'$cgroup/cgroup.procs' && exec"
		return
	fi
	[ ! -d "$cgroup" ] || rmdir "$cgroup"
	cgroup=
	[ "${CI-}" != true ] || fail "needs a cgroup with the controller $1, in CI" || return
	skip "no cgroup of one's own with the controller $1"
}

# one that is still dying holds it for a moment
remove_cgroup() {
	[ ! -d "${cgroup-}" ] || rmdir "$cgroup" 2>/dev/null
}

teardown() {
	kill_started
	[ -z "${cgroup-}" ] || wait_until remove_cgroup
}
