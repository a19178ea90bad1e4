# runtime.bats: foster for every container of an engine: its own init, or foster-runtime.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2030,SC2031,SC2154,SC2016  # set by "run"; single quotes are for a shell inside

bats_require_minimum_version 1.8.0
load engines

# a dockerd of this file's own, which reads its configuration as often as a test likes; it is
# started with what it doesn't read again
setup_file() {
	needs_engine docker
	needs_image plain
	needs_image test
	cp "$root/packaging/runtime/foster-runtime" "$FOSTER_ENGINES/foster" "$FOSTER_ENGINES/bin/"
	export node=$FOSTER_ENGINES/node
	mkdir "$node"
	docker save plain test -o "$node/images.tar"
	export DOCKER_HOST=unix://$node/docker.sock
	start_node '{}'
	docker load -qi "$node/images.tar"
}

teardown_file() {
	docker ps -aq | xargs -r docker rm -fv >/dev/null
	stop_node
}

# start_node JSON	its daemon.json
start_node() {
	echo "$1" >"$node/daemon.json"
	setsid dockerd --config-file "$node/daemon.json" --containerd "$CONTAINERD_ADDRESS" \
		--containerd-namespace node --containerd-plugins-namespace node-plugins \
		--data-root "$node/data" --exec-root "$node/exec" -H "$DOCKER_HOST" \
		--pidfile "$node/pid" --bridge none --iptables=false --ip6tables=false \
		--exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/${FOSTER_ENGINES##*/}" \
		>"$node/log" 2>&1 3>&- 4>&- &
	wait_until 60 answers "$!" docker version
	docker info >/dev/null || { tail -n 20 "$node/log"; return 1; }
}

stop_node() {
	local pid

	[ -s "$node/pid" ] || return 0
	pid=$(cat "$node/pid")
	kill "$pid"
	wait_until 30 is_gone "$pid"
}

setup() {
	runtime=$FOSTER_ENGINES/bin/foster-runtime
}

teardown() {
	remove_containers
	rm -f /etc/foster-runtime.conf
}

# with_runtime DEFAULT	dockerd reads it, until docker info says that it did
with_runtime() {
	echo '{"runtimes": {"foster": {"path": "'"$runtime"'"}}, "default-runtime": "'"$1"'"}' >"$node/daemon.json"
	kill -HUP "$(cat "$node/pid")"
	wait_until 20 eval 'docker info -f "{{.DefaultRuntime}} {{json .Runtimes}}" | grep -q "^'"$1"' .*\"foster\""'
}

# what each container is tried with: it is told to stop, and behind a shell
finishes_its_work() {
	wait_for_log box '^app: ready'
	docker stop -t 20 box >/dev/null
	[ "$(wait_end box)" = 143 ]
	docker logs box | grep -x 'app: done'
}

work=(sh -c 'spy --name app --exit-on TERM:0:500; echo end')

# bats test_tags=docker
@test "docker run --runtime foster: PID 1 is foster, the status is the program's, the image stays as it was" {
	with_runtime runc
	run -5 docker run --name box --runtime foster plain sh -c 'cat /proc/1/comm; exit 5'
	[ "$output" = foster ]
	[ -z "$(docker diff box)" ]
	docker rm box
	docker run -d --name box --runtime foster plain "${work[@]}"
	finishes_its_work
}

# bats test_tags=docker
@test "dockerd's default-runtime foster: each container has it, and exec, restart and -it are as ever" {
	with_runtime foster
	docker run -d --name box plain "${work[@]}"
	[ "$(docker exec box cat /proc/1/comm)" = foster ]
	finishes_its_work
	docker start box
	[ "$(docker exec box cat /proc/1/comm)" = foster ]
	run -0 on_terminal docker run --rm -it plain bash --norc --noprofile <<-'END'
		send spy --default TSTP --listen --die-on INT\r
		expect ready
		send \x1a
		expect Stopped
		send fg\r
		expect got CONT
		send \x03
		expect got INT
		send exit 5\r
		wait
	END
	[[ "$output" == *"status 5"* && "$output" != *"no job control"* ]]
}

# bats test_tags=docker
@test "docker run --runtime foster beside --init, an init of the image's own, and FOSTER_RUNTIME=no" {
	with_runtime runc
	[ "$(docker run --rm --runtime foster --init plain cat /proc/1/comm)" = docker-init ]
	[ "$(docker run --rm --runtime foster test sh -c 'tr "\0" " " </proc/1/cmdline')" = \
		'/foster -- sh -c tr "\0" " " </proc/1/cmdline ' ]
	[ "$(docker run --rm --runtime foster -e FOSTER_RUNTIME=no plain cat /proc/1/comm)" = cat ]
	[ "$(docker run --rm --runtime foster -e FOSTER_OPTIONS='-e 3:7' plain sh -c 'exit 3'; echo $?)" = 7 ]
	echo only-on-request=yes >/etc/foster-runtime.conf
	[ "$(docker run --rm --runtime foster plain cat /proc/1/comm)" = cat ]
	[ "$(docker run --rm --runtime foster -e FOSTER_RUNTIME=yes plain cat /proc/1/comm)" = foster ]
}

# bats test_tags=docker
@test "docker run --runtime foster: a read-only root, another user, no capabilities, limits" {
	with_runtime runc
	[ "$(docker run --rm --runtime foster --read-only --user 1234 --cap-drop ALL \
		--security-opt no-new-privileges --ulimit core=-1 plain cat /proc/1/comm)" = foster ]
	run ! docker run --rm --runtime foster plain sh -c 'echo >/dev/foster'
	# its /dev is the machine's
	[ "$(docker run --rm --runtime foster -v /dev:/dev plain cat /proc/1/comm)" = cat ]
	[ ! -e /dev/foster ]
}

# bats test_tags=docker
@test "daemon.json, init and init-path: each container has foster" {
	stop_node
	start_node '{"init": true, "init-path": "'"$FOSTER_ENGINES/foster"'"}'
	docker run --rm plain sh -c '/proc/1/exe --version' | grep '^foster '
	docker run -d --name box plain "${work[@]}"
	finishes_its_work
	stop_node
	start_node '{}'
}

# bats test_tags=podman
@test "podman --runtime: PID 1 is foster; an annotation gives options, or says no" {
	export DOCKER_HOST=unix://$FOSTER_ENGINES/docker.sock
	needs_engine podman
	needs_image podman
	run -5 podman --runtime "$runtime" run --rm plain sh -c 'cat /proc/1/comm; exit 5'
	[ "$output" = foster ]
	[ "$(podman --runtime "$runtime" run --rm --annotation foster-runtime=no plain cat /proc/1/comm)" = cat ]
	run -7 podman --runtime "$runtime" run --rm --annotation 'foster-runtime=-e 3:7' plain sh -c 'exit 3'
	[ "$(podman --runtime "$runtime" run --rm --annotation foster-runtime=--install=/x plain cat /proc/1/comm)" = cat ]
	[ "$(podman --runtime "$runtime" run --rm --init plain cat /proc/1/comm)" != cat ]
	[ "$(podman --runtime "$runtime" run --rm --uidmap 0:100000:65536 --read-only plain cat /proc/1/comm)" = foster ]
}

# bats test_tags=podman
@test "containers.conf: init_path is what --init starts, and with foster-runtime each container has foster" {
	export DOCKER_HOST=unix://$FOSTER_ENGINES/docker.sock
	needs_engine podman
	needs_image podman
	podman run --rm --init plain sh -c '/proc/1/exe --version' | grep '^foster '
	{
		sed 's/^runtime = .*/runtime = "foster"/' "$CONTAINERS_CONF"
		echo "[engine.runtimes]"
		echo "foster = [\"$runtime\"]"
	} >"$BATS_TEST_TMPDIR/containers.conf"
	export CONTAINERS_CONF=$BATS_TEST_TMPDIR/containers.conf
	[ "$(podman run --rm plain cat /proc/1/comm)" = foster ]
	[ "$(podman run --rm --env FOSTER_RUNTIME=no plain cat /proc/1/comm)" = cat ]
}
