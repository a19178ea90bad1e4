# runtime.bats: foster-runtime as a RuntimeClass, and as the node's default.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154  # set by "run"

bats_require_minimum_version 1.8.0
load cluster

teardown() {
	delete_all
}

@test "RuntimeClass foster: an image that knows nothing of foster has it, and its pause is left alone" {
	pod box 'annotations: {foster-runtime: "-v --stop=2/TERM/20/KILL --report=/dev/termination-log"}' <<-'END'
		runtimeClassName: foster
		shareProcessNamespace: false
		containers:
		- &app {name: app, image: "plain:local", command: [sh, -c, "spy --name app --exit-on TERM:0:1000; echo end"]}
		- {<<: *app, name: without, env: [{name: FOSTER_RUNTIME, value: "no"}]}
		- {<<: *app, name: own, command: [tini-static, --, spy, --name, app, --listen]}
	END
	for name in app without own; do
		wait_print box '^app: ready' 1 $name
	done
	[ "$(kubectl exec box -c app -- cat /proc/1/comm)" = foster ]
	[ "$(kubectl exec box -c without -- cat /proc/1/comm)" = sh ]
	[ "$(kubectl exec box -c own -- cat /proc/1/comm)" = tini-static ]
	delete box --grace-period 20
	[ "$(wait_end box)" = 143 ]
	printed box | grep -x 'app: done'
}

@test "RuntimeClass foster: a read-only root, no root user, no capabilities" {
	pod box <<-'END'
		runtimeClassName: foster
		securityContext: {runAsUser: 1234, runAsNonRoot: true}
		containers:
		- name: app
		  image: plain:local
		  command: [spy, --state, --listen]
		  securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
	END
	wait_print box '^ready'
	printed box | grep -x 'ppid 1'
	kubectl exec box -- spy --fork 20 --double
	[ "$(zombies box)" = 0 ]
	run -2 kubectl exec box -- sh -c 'echo >/dev/foster'
	delete box --grace-period 1
	[ "$(wait_end box)" = 137 ]
}

@test "RuntimeClass foster: an annotation that says nothing, or a /dev of the node's, starts as without" {
	# a runtime makes files in it: not in the machine's
	dev=$BATS_TEST_TMPDIR/dev
	mkdir "$dev"
	cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty "$dev"
	pod box 'annotations: {foster-runtime: "--stop=TREM/10"}' <<-'END'
		runtimeClassName: foster
		containers: [{name: app, image: "plain:local", command: [spy, --state, --listen]}]
	END
	pod dev <<-END
		runtimeClassName: foster
		volumes: [{name: dev, hostPath: {path: $dev}}]
		containers: [{name: app, image: "plain:local", command: [spy, --state, --listen], volumeMounts: [{name: dev, mountPath: /dev}]}]
	END
	for name in box dev; do
		wait_print $name '^ready'
		printed $name | grep -x "pid 1" || { printed $name; return 1; }
	done
	[ ! -e "$dev/foster" ]
}
