# podman.bats: foster under Podman: as its init, in pods, and by "podman kube play".
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016  # set by "run"; what is in single quotes is for the shell inside

bats_require_minimum_version 1.8.0
load engines

setup() {
	needs_engine docker
	needs_engine podman
	needs_image podman
	examples=$root/examples/kubernetes
}

teardown() {
	[ -e "$CONTAINERS_CONF" ] || return 0
	podman pod rm -af >/dev/null 2>&1
	podman rm -af -t 0 >/dev/null 2>&1
}

# log_has CONTAINER REGEX [COUNT]
log_has() {
	[ "$(podman logs "$1" 2>&1 | grep -Ec -- "$2")" -ge "${3:-1}" ]
}

# wait_log CONTAINER REGEX [COUNT]
wait_log() {
	wait_until 20 log_has "$@" || { podman logs "$1" 2>&1 | tail -n 30 >&2; return 1; }
}

# field CONTAINER FIELD	as in "podman inspect": State.ExitCode
field() {
	podman inspect -f "{{.$2}}" "$1"
}

# play FILE	one of our examples, or one made of it
play() {
	podman kube play --network none "$1"
}

# change FILE PROGRAM...	a copy of an example, changed by a piece of Python: "pod" is its spec
change() {
	/usr/bin/python3 - "$examples/$1" "$BATS_TEST_TMPDIR/$1" "$2" <<-'END'
		import sys, yaml
		source, target, program = sys.argv[1:]
		with open(source) as f:
		    document = yaml.safe_load(f)
		exec(program, {"pod": document["spec"], "main": document["spec"]["containers"][0]})
		with open(target, "w") as f:
		    yaml.safe_dump(document, f)
	END
	changed=$BATS_TEST_TMPDIR/$1
}

# grace FILE	its terminationGracePeriodSeconds, or Kubernetes' default; Podman 4.3 accepts it, but
# has a limit of its own
grace() {
	sed -n 's/^ *terminationGracePeriodSeconds: //p' "$1" | grep . || echo 30
}

# zombies_in CONTAINER
zombies_in() {
	podman exec "$1" sh -c 'grep -ls "^State:.Z" /proc/[0-9]*/status | wc -l'
}

### podman run ###

# bats test_tags=podman
@test "podman run --init with foster as init_path: it is PID 1, and a wrapper's work is finished" {
	podman run -d --name box --init --entrypoint '[]' test \
		sh -c 'spy --name app --exit-on TERM:0:500; echo end'
	wait_log box ready
	[[ "$(podman exec box sh -c 'tr "\0" " " </proc/1/cmdline')" == *"-- sh -c "* ]]
	[ "$(podman exec box cat /proc/1/comm)" != sh ]
	podman stop box
	log_has box '^app: done'
	[ "$(field box State.ExitCode)" = 143 ]
}

# bats test_tags=podman
@test "podman run: foster as ENTRYPOINT, podman stop, and the program's exit status" {
	podman run -d --name box test spy --exit-on TERM:7
	wait_log box ready
	podman stop box
	[ "$(field box State.ExitCode)" = 7 ]
	for status in 0 127; do
		run "-$status" podman run --rm test spy --exit $status
	done
	run -139 podman run --rm test spy --die SEGV
}

# bats test_tags=podman
@test "podman kill -s: every signal by its number reaches the program" {
	podman run -d --name box test spy --listen
	wait_log box ready
	for sig in {1..8} {10..16} 18 {20..64}; do
		podman kill -s "$sig" box >/dev/null || { echo "signal $sig"; return 1; }
	done
	wait_log box ^got 62
	[ "$(podman logs box 2>&1 | grep ^got | cut -d' ' -f2 | sort -u | wc -l)" = 61 ]
}

# bats test_tags=podman,tty
@test "podman run -it: bash has job control, with no warning" {
	has_job_control podman run --name box -it test bash --norc --noprofile
}

# bats test_tags=podman
@test "podman run --read-only, nobody, no capability: all works" {
	podman run -d --name box --read-only --user 65534 --cap-drop ALL \
		--security-opt no-new-privileges test \
		sh -c 'spy --fork 20 --double; spy --name app --exit-on TERM:0:500; echo end'
	wait_log box '^app: ready'
	[ "$(zombies_in box)" = 0 ]
	podman stop box
	log_has box '^app: done'
	run -1 log_has box '^foster:'
}

### pods ###

# bats test_tags=podman
@test "a pod that shares its PID namespace: foster -P is its PID 1, reaps, and ends with it" {
	podman pod create --name pod --share pid >/dev/null
	podman run -d --pod pod --name box --entrypoint '["spy", "--listen"]' test
	wait_log box ready
	[ "$(podman exec box cat /proc/1/comm)" = foster ]
	podman exec box spy --fork 50 --double
	wait_until 10 eval '[ "$(zombies_in box)" = 0 ]'
	infra=$(podman pod inspect -f '{{.InfraContainerID}}' pod)
	podman pod stop -t 5 pod
	[ "$(field "$infra" State.ExitCode)" = 0 ]
}

### podman kube play ###

# bats test_tags=podman
@test "command.yaml: foster as command; the item at hand is finished when the pod is stopped" {
	play "$examples/command.yaml"
	wait_log worker-worker 'item 1 begun'
	[ "$(podman exec worker-worker cat /proc/1/comm)" = foster ]
	podman pod stop -t "$(grace "$examples/command.yaml")" worker
	log_has worker-worker '^cleaned up'
	[ "$(podman logs worker-worker | grep -c begun)" = "$(podman logs worker-worker | grep -c finished)" ]
	[ "$(field worker-worker State.ExitCode)" = 0 ]
}

# bats test_tags=podman
@test "command.yaml: how it ended is in the file that a kubelet mounts at /dev/termination-log" {
	touch "$BATS_TEST_TMPDIR/message"
	change command.yaml "
main['volumeMounts'] = [{'name': 'm', 'mountPath': '/dev/termination-log'}]
pod['volumes'] = [{'name': 'm', 'hostPath': {'path': '$BATS_TEST_TMPDIR/message', 'type': 'File'}}]"
	play "$changed"
	wait_log worker-worker 'item 1 begun'
	podman pod stop -t "$(grace "$changed")" worker
	[ "$(cat "$BATS_TEST_TMPDIR/message")" = "exited with status 0" ]
}

# bats test_tags=podman
@test "pause.yaml: it serves during the leading pause, without a preStop hook, and then ends" {
	# enough for what the test asks meanwhile
	change pause.yaml "main['command'][2] = '15/TERM/20/KILL'"
	play "$changed"
	ask='import urllib.request as r; print(r.urlopen("http://127.0.0.1:8080/").status)'
	wait_until 20 podman exec server-server python3 -c "$ask"
	podman stop -t "$(($(grace "$changed") + 10))" server-server 3>&- &
	wait_until 10 eval '[ "$(field server-server State.Status)" = stopping ]'
	# Podman lets nothing more in
	run -0 nsenter -n -t "$(field server-server State.Pid)" python3 -c "$ask"
	[ "$output" = 200 ]
	wait "$!"
	[ "$(field server-server State.ExitCode)" = 143 ]
}

# bats test_tags=podman
@test "init-container.yaml: an image without foster gets it from an init container" {
	play "$examples/init-container.yaml"
	wait_log handed-app 'set up'
	[ "$(podman exec handed-app cat /proc/1/comm)" = foster ]
	[ "$(podman exec handed-app stat -c %a /handed/foster)" = 755 ]
	podman pod stop -t 30 handed
	# the shell died of SIGTERM, and so did what it ran
	[ "$(field handed-app State.ExitCode)" = 143 ]
	run -1 log_has handed-app '^end'
}

# bats test_tags=podman
@test "shared.yaml: foster is a subreaper where the pod's pause is PID 1" {
	play "$examples/shared.yaml"
	wait_log shared-worker 'item 1 begun'
	wait_log shared-side 'item 1 begun'
	log_has shared-worker '^foster: not PID 1: child subreaper'
	podman stop -t 30 shared-worker
	log_has shared-worker '^cleaned up'
	run -1 log_has shared-side '^cleaned up'
	# a kubelet too ends the containers before the pause
	podman stop -t 30 shared-side
	log_has shared-side '^cleaned up'
}

# bats test_tags=podman
@test "probe.yaml: what a probe leaves behind is reaped" {
	play "$examples/probe.yaml"
	wait_log probed-worker 'item 1 begun'
	for _ in 1 2 3; do
		podman healthcheck run probed-worker
	done
	wait_until 10 eval '[ "$(podman exec probed-worker sh -c "grep -lx sleep /proc/[0-9]*/comm | wc -l")" = 0 ]'
	[ "$(zombies_in probed-worker)" = 0 ]
}

# bats test_tags=podman
@test "job.yaml: a job that takes too long is asked to end, and its status is 124" {
	# the test has less time
	change job.yaml "main['command'][2] = '8s'"
	play "$changed"
	[ "$(timeout 30 podman wait job-job)" = 124 ]
	log_has job-job '^cleaned up'
}

# bats test_tags=podman
@test "image-volume.yaml: it differs from init-container.yaml in where foster comes from alone" {
	run -0 /usr/bin/python3 - "$examples/init-container.yaml" "$examples/image-volume.yaml" <<-'END'
		import sys, yaml
		one, other = (yaml.safe_load(open(f))["spec"] for f in sys.argv[1:])
		one["containers"] == other["containers"] or sys.exit("containers")
		print(other["volumes"][0]["image"]["reference"], one["initContainers"][0]["image"])
	END
	[ "$output" = "foster foster" ]
}
