# pods.bats: what the reference and the guide promise for pods, on a real kubelet.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2053,SC2154,SC2016,SC2030,SC2031,SC2046  # set by "run"; single quotes are for "eval"; words

bats_require_minimum_version 1.8.0
load cluster

teardown() {
	[ -e "$FOSTER_ENGINES/kubelet.pid" ] || start_kubelet
	delete_all
}

@test "deletion: behind a shell wrapper the application finishes its work, and is told once" {
	pod box <<-'END'
		containers:
		- name: app
		  image: test:local
		  args: [sh, -c, "spy --name app --exit-on TERM:0:2000; echo end"]
	END
	wait_print box '^app: ready'
	delete box
	[ "$(wait_end box)" = 143 ]
	[ "$(printed box | grep -c '^app: got TERM')" = 1 ]
	printed box | grep -x 'app: done'
}

@test "deletion, the three grace periods: who is done in time is not killed, who isn't is" {
	for grace in 0 1 30; do
		pod "box$grace" <<-'END'
			containers:
			- name: app
			  image: test:local
			  args: [sh, -c, "spy --name app --exit-on TERM:0:0; echo end"]
			- name: slow
			  image: test:local
			  args: [sh, -c, "spy --name slow --exit-on TERM:0:600000; echo end"]
		END
	done
	for grace in 0 1 30; do
		wait_print "box$grace" '^app: ready'
		wait_print "box$grace" '^slow: ready' 1 slow
		delete "box$grace" --grace-period "$grace" $([ "$grace" != 0 ] || echo --force)
	done
	for grace in 0 1 30; do
		[ "$(wait_end "box$grace" app)" = 143 ]
		[ "$(wait_end "box$grace" slow)" = 137 ]
		printed "box$grace" | grep -x 'app: done'
		[ "$(printed "box$grace" slow | grep -c '^slow: got TERM')" = 1 ]
	done
}

# a kubelet asks twice, a second apart; dockershim passes both on, containerd only the first
@test "activeDeadlineSeconds: the program is told, and a second SIGTERM ends a leading pause" {
	pod box <<-'END'
		activeDeadlineSeconds: 30
		terminationGracePeriodSeconds: 300
		restartPolicy: Never
		containers:
		- {name: app, image: "test:local", args: [spy, --exit-on, TERM]}
		- name: paused
		  image: test:local
		  args: [spy, --exit-on, TERM]
		  env: [{name: FOSTER_OPTIONS, value: -v --stop=200/TERM/5/KILL}]
	END
	wait_print box '^ready' 1 paused
	keep box
	[ "$(wait_end box app)" = 0 ]
	[ "$(printed box | grep -c '^got TERM')" = 1 ]
	wait_print box '^foster: ' 2 paused
	[ "$(printed box paused | grep -c '^got')" = 0 ]
	cri tasks kill -s TERM "$(jq -r '.status.containerStatuses[] | select(.name == "paused").containerID' \
		"$BATS_TEST_TMPDIR/box.json" | sed 's,.*//,,')"
	[ "$(wait_end box paused)" = 0 ]
	[ "$(printed box paused | grep -c '^got TERM')" = 1 ]
}

@test "a leading pause: the endpoint is gone at once, and is served until the end of the pause" {
	pod box 'labels: {app: box}' <<-'END'
		terminationGracePeriodSeconds: 60
		containers:
		- name: app
		  image: test:local
		  args: [python3, -u, -m, http.server, "8080"]
		  env: [{name: FOSTER_OPTIONS, value: -v --stop=8/TERM/20/KILL}]
		  readinessProbe: {httpGet: {port: 8080}, periodSeconds: 1}
	END
	kubectl create -f - >/dev/null <<-'END'
		apiVersion: v1
		kind: Service
		metadata: {name: box}
		spec: {selector: {app: box}, ports: [{port: 8080}]}
	END
	wait_ready box
	wait_until 30 eval '[ -n "$(kubectl get endpoints box -o "jsonpath={.subsets[*].addresses[*].ip}")" ]'
	python3 - "$(of box .status.podIP)" >"$BATS_TEST_TMPDIR/client" 3>&- <<-'END' &
		import sys, time, urllib.request
		begin, served = time.monotonic(), 0
		while True:
		    try:
		        urllib.request.urlopen("http://%s:8080/" % sys.argv[1], timeout=20).read(1)
		        served += 1
		        last = time.monotonic()
		    except OSError as e:
		        print(served, int(last), e)
		        break
		    if served == 1:
		        print("begun", flush=True)
		    time.sleep(0.05)
	END
	client=$!
	wait_until 30 grep -qs begun "$BATS_TEST_TMPDIR/client"
	begin=$(python3 -c 'import time; print(int(time.monotonic()))')
	delete box
	wait_until 30 eval '[ -z "$(kubectl get endpoints box -o "jsonpath={.subsets[*].addresses[*].ip}")" ]'
	kill -0 "$client"
	[ "$(wait_end box)" = 143 ]
	wait "$client"
	read -r served last _ < <(tail -n 1 "$BATS_TEST_TMPDIR/client")
	echo "# served $served times, for $((last - begin)) s after the deletion" >&3
	[ "$served" -gt 20 ] && [ $((last - begin)) -ge 7 ]
}

@test "preStop runs first, and its time is the grace period's" {
	pod box <<-'END'
		terminationGracePeriodSeconds: 30
		containers:
		- name: app
		  image: test:local
		  args: [sh, -c, "spy --name app --exit-on TERM:0:500; echo end"]
		  lifecycle: {preStop: {exec: {command: [sh, -c, "echo hook >/proc/1/fd/2; sleep 2; echo hooked >/proc/1/fd/2"]}}}
	END
	wait_print box '^app: ready'
	delete box
	[ "$(wait_end box)" = 143 ]
	[ "$(printed box | grep -oE 'hook$|hooked|got TERM|done' | paste -sd ' ')" = 'hook hooked got TERM done' ]
}

@test "the message of a container says how it ended, for each kind of end" {
	pod box <<-'END'
		restartPolicy: Never
		containers:
		- {name: good, image: "test:local", args: ["true"], env: [&report {name: FOSTER_OPTIONS, value: --report=/dev/termination-log}]}
		- {name: three, image: "test:local", args: [sh, -c, exit 3], env: [*report]}
		- {name: segv, image: "test:local", args: [sh, -c, kill -SEGV $$$$], env: [*report]}
		- {name: missing, image: "test:local", args: [/no/such], env: [*report]}
		- {name: late, image: "test:local", args: [sleep, "100"], env: [{name: FOSTER_OPTIONS, value: --report=/dev/termination-log --timeout=1}]}
		- {name: mapped, image: "test:local", args: [sh, -c, exit 3], env: [{name: FOSTER_OPTIONS, value: "--report=/dev/termination-log -e 3"}]}
		- {name: own, image: "test:local", args: [sh, -c, "echo mine >/dev/termination-log; exit 1"], env: [*report]}
	END
	while IFS='|' read -r name status message; do
		[ "$(wait_end box "$name")" = "$status" ]
		run -0 status_of box "$name" .state.terminated.message
		[[ $output == $message ]] || { echo "$name: $output"; return 1; }
	done <<-'END'
		good|0|exited with status 0
		three|3|exited with status 3
		segv|139|killed by SIGSEGV (11)
		missing|127|foster: /no/such: No such file or directory
		late|124|timed out after 1 s, killed by SIGTERM (15)
		mapped|0|exited with status 3
		own|1|mine*exited with status 1
	END
}

@test "out of memory: of the program, and of a child" {
	pod box <<-'END'
		restartPolicy: Never
		containers:
		- name: app
		  image: test:local
		  args: &eat [python3, -c, "x = b'1' * (1 << 30)"]
		  env: &report [{name: FOSTER_OPTIONS, value: --report=/dev/termination-log}]
		  resources: &small {limits: {memory: 64Mi}}
		- name: child
		  image: test:local
		  args: [sh, -c, "python3 -c \"x = b'1' * (1 << 30)\"; exit 7"]
		  env: *report
		  resources: *small
	END
	[ "$(wait_end box app)" = 137 ]
	[ "$(status_of box app .state.terminated.message)" = 'killed by SIGKILL (9): the container ran out of memory' ]
	[ "$(wait_end box child)" = 7 ]
	[ "$(status_of box child .state.terminated.message)" = 'exited with status 7; the container ran out of memory' ]
}

@test "exec probes that leave orphans, for a minute, with at most 60 processes" {
	pod box <<-'END'
		containers:
		- name: app
		  image: test:local
		  args: [spy, --listen]
		  livenessProbe: &probe {exec: {command: [spy, --fork, "5", --double]}, periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 2}
		- name: bare
		  image: plain:local
		  command: [spy, --listen]
		  env: [{name: FOSTER_RUNTIME, value: "no"}]
	END
	wait_ready box
	pids=$(awk -F: '$2 == "pids" { print $3 }' "/proc/$(task_of box)/cgroup")
	# runc's own threads count as well, as long as they come in
	echo 60 >"/sys/fs/cgroup/pids$pids/pids.max"
	begin=$SECONDS
	until [ $((SECONDS - begin)) -ge 60 ]; do
		kubectl exec box -c bare -- spy --fork 1 --double >/dev/null
	done
	[ "$(zombies box)" = 0 ]
	[ "$(status_of box app .restartCount)" = 0 ]
	[ "$(zombies box bare)" -gt 5 ]
	[ -z "$(kubectl get events -o name --field-selector "involvedObject.uid=${uids[box]},reason=Unhealthy")" ]
	delete box --grace-period 1
}

@test "kubectl exec -it: bash has job control, resizes and Ctrl-C, and its orphans are reaped" {
	pod box <<-'END'
		containers: [{name: app, image: "test:local", args: [spy, --listen]}]
	END
	wait_ready box
	run -0 on_terminal kubectl exec -it box -- bash --norc --noprofile <<-'END'
		send until stty size | grep -q '^24 80$'; do sleep 0.1; done; echo sized $((40 + 1))\r
		expect sized 41
		resize 30 100
		send until stty size | grep -q '^30 100$'; do sleep 0.1; done; echo resized $((40 + 2))\r
		expect resized 42
		send spy --default TSTP --listen --die-on INT\r
		expect ready
		send \x1a
		expect Stopped
		send fg\r
		expect got CONT
		send \x03
		expect got INT
		send spy --fork 5 --double; exit 5\r
		wait
	END
	[[ "$output" == *"status "* && "$output" == *"exit code 5"* ]] || { echo "$output"; return 1; }
	[[ "$output" != *"no job control"* ]]
	[ "$(zombies box)" = 0 ]
}

@test "kubectl attach -it: the program has the terminal, resizes, Ctrl-C once, and its end is seen" {
	pod box <<-'END'
		restartPolicy: Never
		containers:
		- name: app
		  image: test:local
		  stdin: true
		  tty: true
		  args: [bash, --norc, --noprofile]
	END
	wait_ready box
	run -0 on_terminal kubectl attach -it box <<-'END'
		send \r
		expect # 
		resize 30 100
		send until stty size | grep -q '^30 100$'; do sleep 0.1; done; echo resized $((40 + 2))\r
		expect resized 42
		send spy --default TSTP --listen --die-on USR1\r
		expect ready
		send \x03
		expect got INT
		send \x1a
		expect Stopped
		send fg\r
		expect got CONT
		send \x1a
		expect Stopped
		send kill -USR1 %1; fg; exit 5\r
		wait
	END
	[ "$(wait_end box)" = 5 ] || { echo "$output"; return 1; }
	[[ "$output" != *"no job control"* ]]
	[ "$(printed box | grep -c 'got INT')" = 1 ]
}

@test "shareProcessNamespace: each foster has its own orphans, PID 1 is the pause: foster -P" {
	pod box <<-'END'
		shareProcessNamespace: true
		containers:
		- &one {name: app, image: "test:local", args: [sh, -c, "spy --name app --exit-on TERM:0:1000; echo end"]}
		- {<<: *one, name: side, args: [sh, -c, "spy --name side --exit-on TERM:0:2000; echo end"]}
	END
	wait_print box '^app: ready'
	wait_print box '^side: ready' 1 side
	[ "$(kubectl exec box -c app -- cat /proc/1/comm)" = foster ]
	kubectl exec box -c app -- cat /proc/1/cmdline | tr '\0' ' ' | grep -x '/foster -P '
	kubectl exec box -c app -- spy --fork 20 --double
	[ "$(zombies box)" = 0 ]
	delete box
	[ "$(wait_end box app)" = 143 ]
	[ "$(wait_end box side)" = 143 ]
	for name in app side; do
		[ "$(printed box $name | grep -c "^$name: got TERM")" = 1 ]
		printed box $name | grep -x "$name: done"
	done
}

@test "an init container with --install: read-only root, no root user, no capabilities" {
	pod box <<-'END'
		securityContext: {runAsUser: 1234, runAsGroup: 1234, runAsNonRoot: true}
		volumes: [{name: handed, emptyDir: {}}]
		initContainers:
		- name: foster
		  image: foster:local
		  command: [/foster, --install, /handed/foster]
		  securityContext: &tight {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
		  volumeMounts: [{name: handed, mountPath: /handed}]
		containers:
		- name: app
		  image: plain:local
		  command: [/handed/foster, --report, /dev/termination-log, --, sh, -c, "spy --name app --exit-on TERM:0:1000; echo end"]
		  securityContext: *tight
		  volumeMounts: [{name: handed, mountPath: /handed, readOnly: true}]
	END
	wait_print box '^app: ready'
	[ "$(kubectl exec box -- cat /proc/1/comm)" = foster ]
	kubectl exec box -- grep -x 'CapBnd:	0000000000000000' /proc/1/status
	delete box
	[ "$(wait_end box)" = 143 ]
	printed box | grep -x 'app: done'
}

@test "Jobs: the program's exit status decides, as -e and --timeout have it" {
	while read -r name options script; do
		kubectl create -f - >/dev/null <<-END
			apiVersion: batch/v1
			kind: Job
			metadata: {name: $name}
			spec:
			  backoffLimit: 0
			  template:
			    spec:
			      restartPolicy: Never
			      containers:
			      - {name: app, image: "test:local", args: [sh, -c, "$script"], env: [{name: FOSTER_OPTIONS, value: "$options"}]}
		END
	done <<-'END'
		good -v exit 0
		bad -v exit 3
		mapped --exit-code=3 exit 3
		late --timeout=1 sleep 100
	END
	for name in good mapped; do
		kubectl wait --for condition=Complete "job/$name" --timeout 180s
	done
	for name in bad late; do
		kubectl wait --for condition=Failed "job/$name" --timeout 180s
	done
	[ "$(kubectl get pods -l job-name=late -o 'jsonpath={.items[0].status.containerStatuses[0].state.terminated.exitCode}')" = 124 ]
}

@test "a Job past its activeDeadlineSeconds: its program gets to finish" {
	kubectl create -f - >/dev/null <<-'END'
		apiVersion: batch/v1
		kind: Job
		metadata: {name: overdue}
		spec:
		  backoffLimit: 0
		  activeDeadlineSeconds: 60
		  template:
		    spec:
		      restartPolicy: Never
		      containers: [{name: app, image: "test:local", args: [sh, -c, "spy --name app --exit-on TERM:0:1000; echo end"]}]
	END
	wait_until 60 eval 'name=$(kubectl get pods -l job-name=overdue -o name) && [ -n "$name" ]'
	name=${name#pod/}
	known "$name"
	wait_print "$name" '^app: ready'
	keep "$name"
	[ "$(wait_end "$name")" = 143 ]
	printed "$name" | grep -x 'app: done'
	kubectl wait --for condition=Failed job/overdue --timeout 180s
}

@test "a restart: the new container is as the first one, and the last one's status is kept" {
	pod box <<-'END'
		restartPolicy: Always
		containers:
		- name: app
		  image: test:local
		  args: [sh, -c, "sleep 1000 & setsid sleep 1000 & spy --state --exit 5; exit 5"]
		  env: [{name: FOSTER_OPTIONS, value: --report=/dev/termination-log}]
	END
	wait_until 90 eval '[[ $(status_of box app .restartCount) -ge 2 ]]'
	[ "$(status_of box app .lastState.terminated.exitCode)" = 5 ]
	message=$(status_of box app .lastState.terminated.message)
	[ "$message" = 'exited with status 5' ] || { echo "$message"; return 1; }
	wait_until 30 eval 'kubectl logs box app | grep -qx "sid 1"'
}

@test "a kubelet that restarts is not noticed, and the pod still stops as it should" {
	pod box <<-'END'
		containers:
		- {name: app, image: "test:local", args: [sh, -c, "spy --name app --exit-on TERM:0:2000; echo end"]}
	END
	wait_print box '^app: ready'
	keep box
	before=$(task_of box)
	stop_one kubelet
	start_kubelet
	# the API server doesn't notice that a kubelet is away: the new one answers
	wait_until 60 kubectl exec box -- true
	[ "$(task_of box)" = "$before" ]
	[ "$(printed box | grep -c '^app: got')" = 0 ]
	stop_one kubelet
	delete box
	start_kubelet
	[ "$(wait_end box)" = 143 ]
	[ "$(printed box | grep -c '^app: got TERM')" = 1 ]
	printed box | grep -x 'app: done'
}

@test "beside tini and no init: only with foster does what the shell runs get to finish" {
	pod box <<-'END'
		terminationGracePeriodSeconds: 10
		containers:
		- &app {name: app, image: "test:local", args: [sh, -c, "spy --name app --exit-on TERM:0:1000; echo end"]}
		- {<<: *app, name: tini, image: "plain:local", command: [tini-static, --]}
		- {<<: *app, name: group, image: "plain:local", command: [tini-static, -g, --]}
		- {<<: *app, name: none, image: "plain:local", command: [env], env: [{name: FOSTER_RUNTIME, value: "no"}]}
	END
	for name in app tini group none; do
		wait_print box '^app: ready' 1 $name
	done
	delete box
	while read -r name status got finished; do
		[ "$(wait_end box "$name")" = "$status" ]
		# whom tini -g tells may be killed before it can say so
		[ "$name" = group ] || [ "$(printed box "$name" | grep -c '^app: got TERM')" = "$got" ] ||
			{ echo "$name"; printed box "$name"; return 1; }
		[ "$(printed box "$name" | grep -c '^app: done')" = "$finished" ]
	done <<-'END'
		app 143 1 1
		tini 143 0 0
		group 143 - 0
		none 137 0 0
	END
}
