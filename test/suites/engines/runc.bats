# runc.bats: foster in an OCI bundle of its own, with and without a terminal.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016  # set by "run"; single quotes are for "eval"

bats_require_minimum_version 1.8.0
load engines

setup() {
	needs_engine runc
	needs_engine docker
	needs_image rootfs
	state=$FOSTER_ENGINES/runc
	id=box$BATS_TEST_NUMBER
	bundle=$BATS_TEST_TMPDIR/bundle
	out=$BATS_TEST_TMPDIR/out
	mkdir -p "$bundle"
	ln -s "$FOSTER_ENGINES/rootfs" "$bundle/rootfs"
}

teardown() {
	[ -z "${id-}" ] || runc --root "$state" delete -f "$id" 2>/dev/null || true
}

# spec TERMINAL COMMAND...	runc's own config.json, with these changed
spec() {
	(cd "$bundle" && runc spec)
	python3 - "$bundle/config.json" "$@" <<-'END'
		import json, os, sys
		file, terminal, *args = sys.argv[1:]
		with open(file) as f:
		    config = json.load(f)
		config["process"]["terminal"] = terminal == "true"
		config["process"]["args"] = args
		config["root"]["path"] = os.path.realpath(os.path.dirname(file) + "/rootfs")
		with open(file, "w") as f:
		    json.dump(config, f)
	END
}

# in_bundle COMMAND...	runc with that bundle
in_bundle() {
	runc --root "$state" run -b "$bundle" "$@" "$id" 3>&- 4>&-
}

# out_has REGEX
out_has() {
	grep -Eqs -- "$1" "$out"
}

# bats test_tags=runc
@test "runc run: the exit status is the program's, foster is PID 1" {
	spec false /foster -- sh -c 'cat /proc/1/comm; exit 5'
	run -5 in_bundle
	[ "$output" = foster ]
}

# bats test_tags=runc
@test "runc run: a read-only root and the few capabilities of runc spec are enough" {
	spec false /foster -- sh -c 'spy --fork 50 --double; grep -ls "^State:.Z" /proc/[0-9]*/status; touch /x'
	run -1 in_bundle
	[[ "$output" == "forked 50"*"Read-only file system"* ]]
	[[ "$output" != */proc/* ]]
}

# bats test_tags=runc
@test "runc kill TERM: an application behind a shell wrapper finishes its work" {
	spec false /foster -- sh -c 'spy --name app --exit-on TERM:0:500; echo end'
	in_bundle >"$out" 2>&1 &
	pid=$!
	wait_until 20 out_has '^app: ready'
	runc --root "$state" kill "$id" TERM
	status=0
	wait "$pid" || status=$?
	[ "$status" = 143 ]
	out_has '^app: done'
}

# bats test_tags=runc
@test "runc kill: every number from 1 to 64 arrives, but for KILL, STOP and CHLD" {
	spec false /foster -- spy --listen
	in_bundle >"$out" 2>&1 &
	wait_until 20 out_has '^ready'
	for sig in {1..8} {10..16} 18 {20..64}; do
		runc --root "$state" kill "$id" "$sig" || { echo "signal $sig"; return 1; }
	done
	wait_until 10 eval '[ "$(grep ^got "$out" | cut -d" " -f2 | sort -u | wc -l)" = 61 ]'
}

# bats test_tags=runc
@test "runc run -d: the bundle goes on without runc, and its state is told" {
	spec false /foster -- spy --exit-on TERM
	in_bundle -d --pid-file "$BATS_TEST_TMPDIR/pid" >"$out" 2>&1
	wait_until 20 out_has '^ready'
	runc --root "$state" kill "$id" TERM
	wait_until 20 is_gone "$(cat "$BATS_TEST_TMPDIR/pid")"
	out_has '^done'
	run -0 runc --root "$state" state "$id"
	[[ "$output" == *'"status": "stopped"'* ]]
}

# bats test_tags=runc,tty
@test "runc run with a terminal: bash has job control" {
	spec true /foster -- bash --norc --noprofile
	has_job_control runc --root "$state" run -b "$bundle" "$id"
}

# bats test_tags=runc,tty
@test "runc exec with a terminal: Ctrl-C ends a second foster's program with 130, the first stays" {
	spec false /foster -- spy --listen
	in_bundle >"$out" 2>&1 &
	wait_until 20 out_has '^ready'
	run -0 on_terminal runc --root "$state" exec -t "$id" /foster spy --die-on INT <<-'END'
		expect ready
		send \x03
		wait
	END
	[[ "$output" == *"status 130"* ]]
	# not "nothing": runc hands on the SIGURG that Go's runtime sends itself
	run -1 out_has '^got INT'
}
