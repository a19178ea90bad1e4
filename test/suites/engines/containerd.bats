# containerd.bats: foster under containerd, by way of ctr.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016  # set by "run"; single quotes are for "eval"

bats_require_minimum_version 1.8.0
load engines

setup() {
	needs_engine docker
	needs_engine containerd
	needs_image rootfs
	export CONTAINERD_NAMESPACE=foster
	id=box$BATS_TEST_NUMBER
	out=$BATS_TEST_TMPDIR/out
}

teardown() {
	[ -n "${id-}" ] || return 0
	if ctr task kill -s KILL "$id" 2>/dev/null; then
		wait_until 20 eval 'ctr task ls | grep -q "^$id .*STOPPED" || ! ctr task ls | grep -q "^$id "'
		ctr task rm "$id" 2>/dev/null || true
	fi
	ctr container rm "$id" 2>/dev/null || true
}

# on_root [OPTION...] -- COMMAND...	ctr run, with the small system as a folder
on_root() {
	split_options "$@"
	ctr run "${options[@]}" --rootfs "$FOSTER_ENGINES/rootfs" "$id" "${command[@]}" 3>&- 4>&-
}

# out_has REGEX
out_has() {
	grep -Eqs -- "$1" "$out"
}

# bats test_tags=containerd
@test "ctr run: the exit status is the program's, foster is PID 1" {
	run -5 on_root --rm -- /foster -- sh -c 'cat /proc/1/comm; exit 5'
	[ "$output" = foster ]
}

# bats test_tags=containerd
@test "ctr task kill -s TERM: an application behind a shell wrapper finishes its work" {
	on_root -- /foster -- sh -c 'spy --name app --exit-on TERM:0:500; echo end' >"$out" 2>&1 &
	pid=$!
	wait_until 20 out_has '^app: ready'
	ctr task kill -s TERM "$id"
	status=0
	wait "$pid" || status=$?
	[ "$status" = 143 ]
	out_has '^app: done'
}

# bats test_tags=containerd
@test "ctr run behind ctr's own forwarding: a SIGUSR1 to ctr reaches the program once" {
	ctr run --rootfs "$FOSTER_ENGINES/rootfs" "$id" /foster -- spy --exit-on USR2 \
		>"$out" 2>&1 3>&- 4>&- &
	pid=$!
	wait_until 20 out_has '^ready'
	kill -USR1 "$pid"
	wait_until 20 out_has '^got USR1'
	ctr task kill -s USR2 "$id"
	wait "$pid"
	[ "$(grep -c '^got USR1' "$out")" = 1 ]
}

# bats test_tags=containerd
@test "ctr task exec: its orphans are reaped" {
	on_root -d -- /foster -- spy --listen
	ctr task exec --exec-id e1 "$id" /usr/bin/spy --fork 50 --double
	run -0 ctr task exec --exec-id e2 "$id" /bin/sh -c 'grep -ls "^State:.Z" /proc/[0-9]*/status | wc -l'
	[ "$output" = 0 ]
}

# bats test_tags=containerd,tty
@test "ctr run -t: bash has job control" {
	has_job_control ctr run -t --rootfs "$FOSTER_ENGINES/rootfs" "$id" \
		/foster -- bash --norc --noprofile
}
