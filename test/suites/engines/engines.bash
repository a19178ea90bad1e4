# engines.bash: private container engines and their images, and the verbs of the tests here.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# All is kept in two folders: $FOSTER_ENGINES (sockets, configuration; temporary) and
# $FOSTER_CACHE (images; temporary as well if nobody names one). An engine is started and an
# image made when the first test asks for it.

here=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
root=${here%/test/suites/engines}
export FOSTER=${FOSTER:-$root/foster}
export SPY=${SPY:-$root/test/bin/spy} PTY=${PTY:-$root/test/bin/pty}
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-600}

# what Debian calls the packages of the engines
engine_packages=(docker.io containerd runc podman conmon catatonit tini mmdebstrap
	docker-compose python3 python3-yaml iptables util-linux mount)

# all that later commands need to know, from the folder alone
use_engines() {
	export DOCKER_HOST=unix://$FOSTER_ENGINES/docker.sock DOCKER_BUILDKIT=0
	export DOCKER_CONFIG=$FOSTER_ENGINES
	export CONTAINERD_ADDRESS=$FOSTER_ENGINES/containerd.sock
	export CONTAINERS_CONF=$FOSTER_ENGINES/containers.conf
	export CONTAINERS_STORAGE_CONF=$FOSTER_ENGINES/storage.conf
	case :$PATH: in
	*:"$FOSTER_ENGINES/bin":*) ;;
	*) PATH=$FOSTER_ENGINES/bin:$PATH:/usr/sbin:/sbin ;;
	esac
}

# makes the folders; whoever called it calls stop_engines and engines_down in the end
engines_up() {
	FOSTER_ENGINES=$(mktemp -d) || return
	export FOSTER_ENGINES
	export FOSTER_CACHE=${FOSTER_CACHE:-$FOSTER_ENGINES/cache}
	mkdir -p "$FOSTER_ENGINES/bin" "$FOSTER_CACHE" &&
		chmod 755 "$FOSTER_ENGINES" &&
		echo "{}" >"$FOSTER_ENGINES/config.json" &&
		# what is tested doesn't change while the tests run
		cp "$FOSTER" "$FOSTER_ENGINES/foster" || return
	use_engines
	link_commands
	cgroups >"$FOSTER_ENGINES/cgroups"
}

# Debian's, should there be others in PATH
link_commands() {
	local command

	for command in docker containerd runc podman ctr; do
		[ ! -x "/usr/bin/$command" ] || ln -sf "/usr/bin/$command" "$FOSTER_ENGINES/bin/"
	done
}

# What the engines write outside of the two folders goes where it is removed with them. Only
# where this mount namespace is nobody else's.
hide_folders() {
	local dir

	mount -t tmpfs tmpfs /dev/shm || return
	for dir in run etc; do
		mkdir -p "$FOSTER_ENGINES/hidden/$dir" "$FOSTER_ENGINES/hidden/work-$dir" &&
			mount -t overlay -o "lowerdir=/$dir,upperdir=$FOSTER_ENGINES/hidden/$dir,workdir=$FOSTER_ENGINES/hidden/work-$dir" \
				overlay "/$dir" || return
	done
}

# the folders that the engines make for their containers' cgroups and leave there
cgroups() {
	find /sys/fs/cgroup -mindepth 1 -maxdepth 2 -type d \
		'(' -name "${FOSTER_ENGINES##*/}" -o -name libpod_parent -o -name foster ')' 2>/dev/null
}

# ends what was started, by its PID: to be called where that PID means something
stop_engines() {
	local name pid

	if [ -s "$FOSTER_ENGINES/dockerd.pid" ]; then
		docker ps -aq | xargs -r docker rm -fv >/dev/null
	fi
	if [ -e "$CONTAINERS_CONF" ]; then
		podman pod rm -af -t 0 >/dev/null
		podman rm -af -t 0 >/dev/null
	fi
	for name in dockerd containerd; do
		[ -s "$FOSTER_ENGINES/$name.pid" ] || continue
		read -r pid <"$FOSTER_ENGINES/$name.pid"
		is_gone "$pid" || kill "$pid"
		wait_until 30 is_gone "$pid"
	done
	rm -f "$FOSTER_ENGINES"/{dockerd,containerd}.pid "$CONTAINERS_CONF"
}

# removes all that engines_up and whoever came after it made
engines_down() {
	awk -v dir="$FOSTER_ENGINES/" -v cache="$FOSTER_CACHE/" \
		'index($2, dir) == 1 || index($2, cache) == 1 { print $2 }' /proc/mounts |
		sort -r | while read -r mount; do umount "$mount"; done
	cgroups | grep -vxFf "$FOSTER_ENGINES/cgroups" | while read -r dir; do
		find "$dir" -depth -type d -exec rmdir {} +
	done
	rm -rf "$FOSTER_ENGINES"
}

is_gone() {
	! [ -e "/proc/$1" ] || grep -qs '^State:	[ZX]' "/proc/$1/status"
}

# once FILE COMMAND [ARG...]	runs the command unless it was done already, by whomever; its
# failure and the end of its log are remembered
once() {
	local name=$1

	shift
	(
		flock 9
		if ! [ -e "$FOSTER_ENGINES/$name.result" ]; then
			if "$@" </dev/null >"$FOSTER_ENGINES/$name.log" 2>&1 9>&- 3>&- 4>&-; then
				echo 0
			else
				echo 1
			fi >"$FOSTER_ENGINES/$name.result"
		fi
		[ "$(cat "$FOSTER_ENGINES/$name.result")" = 0 ] && exit
		echo "$name failed:"
		tail -n 20 "$FOSTER_ENGINES/$name.log"
		exit 1
	) 9>"$FOSTER_ENGINES/$name.lock"
}

install_packages() {
	local missing=() package policy=/usr/sbin/policy-rc.d

	for package in "${engine_packages[@]}"; do
		dpkg-query -Wf '${Status}\n' "$package" 2>/dev/null | grep -q ' installed$' ||
			missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	command -v apt-get || return
	export DEBIAN_FRONTEND=noninteractive
	apt-get update || return
	# Debian's packages would start their own engines
	if ! [ -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
		trap 'rm -f "$policy"' RETURN
	fi
	apt-get install -y --no-install-recommends "${missing[@]}" || return
	link_commands
}

# one of its own, also where the machine runs one that dockerd would find
start_containerd() {
	once packages install_packages || return
	cat >"$FOSTER_ENGINES/containerd.toml" <<-END
		version = 2
		root = "$FOSTER_CACHE/containerd"
		state = "$FOSTER_ENGINES/containerd"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		address = "$CONTAINERD_ADDRESS"
		[plugins."io.containerd.internal.v1.opt"]
		path = "$FOSTER_ENGINES/opt"
	END
	setsid containerd -c "$FOSTER_ENGINES/containerd.toml" >"$FOSTER_ENGINES/containerd.log" 2>&1 &
	echo "$!" >"$FOSTER_ENGINES/containerd.pid"
	wait_until 30 answers "$!" ctr version
	ctr version || { tail -n 20 "$FOSTER_ENGINES/containerd.log"; return 1; }
}

# its init is a file that use_init exchanges; networks other than none are made by those who
# need them
start_docker() {
	once containerd start_containerd || return
	use_init "$FOSTER_ENGINES/foster"
	echo '{}' >"$FOSTER_ENGINES/daemon.json"
	setsid dockerd --config-file "$FOSTER_ENGINES/daemon.json" --containerd "$CONTAINERD_ADDRESS" \
		--data-root "$FOSTER_CACHE/docker" --exec-root "$FOSTER_ENGINES/exec" \
		-H "$DOCKER_HOST" --pidfile "$FOSTER_ENGINES/dockerd.pid" --bridge none --iptables=false \
		--ip6tables=false --exec-opt native.cgroupdriver=cgroupfs \
		--cgroup-parent "/${FOSTER_ENGINES##*/}" --init-path "$FOSTER_ENGINES/docker-init" >"$FOSTER_ENGINES/dockerd.log" 2>&1 &
	wait_until 30 answers "$!" docker version
	docker info >/dev/null || { tail -n 20 "$FOSTER_ENGINES/dockerd.log"; return 1; }
	# what a run left in the cache that had no time to clean up
	docker ps -aq | xargs -r docker rm -fv
}

# answers PID COMMAND...	true if the command succeeds, or if there is nobody to wait for
answers() {
	is_gone "$1" || "${@:2}" >/dev/null 2>&1
}

# runc, since crun doesn't take every machine's cgroups; limits that any machine grants
configure_podman() {
	once packages install_packages || return
	cat >"$CONTAINERS_CONF" <<-END
		[containers]
		default_ulimits = ["nofile=20000:20000", "nproc=1000:1000"]
		init_path = "$FOSTER_ENGINES/podman-init"
		netns = "none"
		log_driver = "k8s-file"
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime = "runc"
		infra_image = "localhost/pause:latest"
		lock_type = "file"
		static_dir = "$FOSTER_ENGINES/podman"
		tmp_dir = "$FOSTER_ENGINES/podman/tmp"
		volume_path = "$FOSTER_ENGINES/podman/volumes"
	END
	cat >"$CONTAINERS_STORAGE_CONF" <<-END
		[storage]
		driver = "overlay"
		graphroot = "$FOSTER_CACHE/podman"
		runroot = "$FOSTER_ENGINES/run"
	END
	use_init "$FOSTER_ENGINES/foster" podman
	podman info >/dev/null
}

check_runc() {
	once packages install_packages && runc --version
}

# use_init FILE [podman]	is from now on what --init starts, under Docker or Podman
use_init() {
	local init=$FOSTER_ENGINES/${2-docker}-init

	cp "$1" "$init.new" && mv "$init.new" "$init"
}

# needs_engine NAME	starts it; where it can't be had: a skip, in CI a failure
needs_engine() {
	local reason

	if [ "$(id -u)" != 0 ]; then
		reason="needs root"
	else
		case $1 in
		docker) reason=$(once docker start_docker) && return ;;
		podman) reason=$(once podman configure_podman) && return ;;
		containerd) reason=$(once containerd start_containerd) && return ;;
		runc) reason=$(once runc check_runc) && return ;;
		esac
	fi
	cannot "$reason"
}

# needs_image NAME...	makes it; names as in the function image_*
needs_image() {
	local name reason

	for name; do
		reason=$(once "image-$name" "image_$name") || cannot "$reason" || return
	done
}

cannot() {
	echo "$1" >&2
	[ "${CI-}" != true ] || return 1
	skip "${1//$'\n'/ }"
}

# no registry is asked: the images that Dockerfiles begin with are made of Debian's packages;
# one stands for two
image_base() {
	# as in the images that these stand for
	local path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

	docker image inspect debian:bookworm-slim python:3-slim >/dev/null 2>&1 && return
	mmdebstrap --variant=minbase --dpkgopt=force-unsafe-io --include=python3 bookworm - \
		>"$FOSTER_CACHE/base.tar" &&
		docker import -c 'CMD ["bash"]' -c "ENV PATH=$path" "$FOSTER_CACHE/base.tar" \
			debian:bookworm-slim &&
		docker tag debian:bookworm-slim python:3-slim &&
		rm "$FOSTER_CACHE/base.tar"
}

# by the Dockerfile, as a user does it
image_built() {
	once image-base image_base &&
		docker build --network host -t built "$root"
}

# what the Dockerfile ends in
image_foster() {
	mkdir -p "$FOSTER_ENGINES/foster-image" &&
		cp "$FOSTER_ENGINES/foster" "$FOSTER_ENGINES/foster-image/" &&
		docker build -q -t foster -f - "$FOSTER_ENGINES/foster-image" <<-'END'
			FROM scratch
			COPY foster /foster
			ENTRYPOINT ["/foster"]
		END
}

# a small system with foster as its ENTRYPOINT, and the program that tells what it gets
image_test() {
	once image-base image_base &&
		mkdir -p "$FOSTER_ENGINES/test-image" &&
		cp "$FOSTER_ENGINES/foster" "$SPY" "$FOSTER_ENGINES/test-image/" &&
		docker build -q -t test -f - "$FOSTER_ENGINES/test-image" <<-'END'
			FROM debian:bookworm-slim
			COPY spy /usr/bin/spy
			COPY foster /foster
			ENTRYPOINT ["/foster", "--"]
		END
}

# the same without foster, and with another init
image_plain() {
	once image-base image_base &&
		mkdir -p "$FOSTER_ENGINES/plain-image" &&
		cp "$SPY" "$(command -v tini-static)" "$FOSTER_ENGINES/plain-image/" &&
		docker build -q -t plain -f - "$FOSTER_ENGINES/plain-image" <<-'END'
			FROM debian:bookworm-slim
			COPY spy tini-static /usr/bin/
		END
}

# the image of examples/python
image_signals() {
	once image-base image_base && once image-foster image_foster &&
		docker build -q -t signals "$root/examples/python"
}

# the image of examples/
image_worker() {
	once image-base image_base && once image-foster image_foster &&
		docker build -q -t worker -f "$root/examples/docker/Dockerfile" "$root/examples" &&
		docker build -q -t pause -f "$root/examples/docker/Dockerfile.pause" "$root/examples"
}

# all real programs in one layer
image_programs() {
	once image-base image_base &&
		cp -r "$here/programs" "$FOSTER_ENGINES/programs-image" &&
		cp "$FOSTER_ENGINES/foster" "$SPY" "$FOSTER_ENGINES/programs-image/" &&
		docker build --network host -t programs "$FOSTER_ENGINES/programs-image"
}

# Docker's images for Podman, under localhost/ as if it had built them
image_podman() {
	once image-worker image_worker && once image-test image_test &&
		once image-plain image_plain &&
		docker save foster pause test plain worker python:3-slim -o "$FOSTER_ENGINES/podman.tar" &&
		podman load -i "$FOSTER_ENGINES/podman.tar" &&
		rm "$FOSTER_ENGINES/podman.tar"
}

# a root file system as a folder, for runc and ctr
image_rootfs() {
	once image-test image_test &&
		mkdir -p "$FOSTER_ENGINES/rootfs" &&
		docker create --name rootfs test &&
		docker export rootfs | tar -xC "$FOSTER_ENGINES/rootfs" &&
		docker rm rootfs
}

### the verbs of the tests ###

# wait_until SECONDS COMMAND [ARG...]	until it succeeds; false if it doesn't
wait_until() {
	local end=$((SECONDS + $1 + 1)) limit=$1

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || { echo "waited $limit s for: $*" >&2; return 1; }
		sleep 0.05
	done
}

# logs_have CONTAINER REGEX [COUNT]	so many lines of what it printed match
logs_have() {
	[ "$(docker logs "$1" 2>&1 | grep -Ec -- "$2")" -ge "${3:-1}" ]
}

# wait_for_log CONTAINER REGEX [COUNT]
wait_for_log() {
	wait_until 40 logs_have "$@" || { docker logs "$1" 2>&1 | tail -n 30 >&2; return 1; }
}

# inspect CONTAINER FIELD	as in "docker inspect": State.ExitCode
inspect() {
	docker inspect -f "{{.$2}}" "$1"
}

# wait_end CONTAINER	until it has ended; prints its exit status
wait_end() {
	timeout 60 docker wait "$1"
}

# how many zombies there are in the container's PID namespace
zombies() {
	docker exec "$1" sh -c 'grep -ls "^State:.Z" /proc/[0-9]*/status | wc -l'
}

no_zombies() {
	[ "$(zombies "$1")" = 0 ]
}

# on_terminal COMMAND...	on a terminal; what is typed comes from standard input
on_terminal() {
	"$PTY" --limit 40 --size 24x80 -- "$@" 3>&- 4>&-
}

# has_job_control COMMAND...	which runs bash: Ctrl-Z, fg and Ctrl-C are as at home, without a warning
has_job_control() {
	run -0 on_terminal "$@" <<-'END'
		send spy --default TSTP --listen --die-on INT\r
		expect ready
		send \x1a
		expect Stopped
		send fg\r
		expect got CONT
		send \x03
		expect got INT
		send echo status $(($? + 100))\r
		expect status 230
		send exit 5\r
		wait
	END
	# shellcheck disable=SC2154  # set by run
	[[ "$output" == *"status 5"* ]]
	[[ "$output" != *"no job control"* ]]
	[[ "$output" != *"terminal process group"* ]]
}

# ignores_ctrl_z COMMAND...	which runs a spy that SIGTSTP would suspend, and SIGINT ends
ignores_ctrl_z() {
	run -0 on_terminal "$@" <<-'END'
		expect ready
		send \x1a
		expect ^Z
		send \x03
		expect got INT
		wait
	END
	[[ "$output" == *"status 0"* ]]
}

# splits "[OPTION...] -- COMMAND..." at the first "--"
split_options() {
	options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	command=("$@")
}

remove_containers() {
	docker ps -aq --filter name=^box | xargs -r docker rm -fv >/dev/null
}
