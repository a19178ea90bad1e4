# runtime.bats: what foster-runtime does with a config.json, and what runc does with that.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016  # set by "setup"; single quotes are jq's

bats_require_minimum_version 1.8.0
load runtime

@test "foster goes before the process's arguments, and nothing else changes" {
	fake_runc
	args /spy '' 'a b' $'new\nline' 'Grüße "\$' --stop
	create
	is_in_front
	diff <(jq -S 'del(.process.args)' "$dir/before.json") \
		<(config 'del(.process.args, .mounts[-1])')
	[ "$(config '.mounts[-1] | "\(.destination) \(.type) \(.options | contains(["bind", "ro"]))"')" = \
		'/dev/foster bind true' ]
}

@test "runc gets every command line as it is" {
	fake_runc
	for command in create start state kill delete exec ps events list run spec update pause checkpoint; do
		: >"$told"
		foster-runtime --root '/a b' "$command" --bundle "$bundle" '' $'x\ny' box create
		diff - "$told" <<<"--root
/a b
$command
--bundle
$bundle

x\\ny
box
create"
	done
}

@test "only a create is edited, whatever its options look like" {
	fake_runc
	for words in "exec --process $bundle/create box create" "--root create state box" \
		"--log create --log-format create list" "--unknown x create --bundle $bundle box" \
		"start --bundle $bundle create" "run --bundle $bundle box"; do
		# shellcheck disable=SC2086  # words
		foster-runtime $words
		is_left_alone || { echo "$words"; return 1; }
	done
	for words in "create --bundle $bundle box" "create --bundle=$bundle box" "create -b $bundle box" \
		"--debug --log x --root=y create --pid-file p --no-pivot -b=$bundle box" \
		"--cgroup-manager create create --bundle $bundle box"; do
		cp "$dir/before.json" "$bundle/config.json"
		# shellcheck disable=SC2086
		foster-runtime $words
		is_in_front || { echo "$words"; return 1; }
	done
	cp "$dir/before.json" "$bundle/config.json"
	cd "$bundle"
	foster-runtime create box
	is_in_front
}

@test "what has an init is left alone, and so is a pod's pause" {
	fake_runc
	for init in /foster /dev/foster /usr/bin/tini tini tini-static /tini-amd64 /usr/bin/dumb-init \
		/usr/libexec/catatonit/catatonit /sbin/docker-init /run/podman-init /dev/init /init /sbin/init \
		/lib/systemd/systemd /pause; do
		args "$init" -- /spy
		create
		is_left_alone || { echo "$init"; return 1; }
	done
	for program in /usr/bin/initdb /opt/systemd-thing tinix /app/paused /init.d/x; do
		args "$program"
		create
		is_in_front || { echo "$program"; return 1; }
	done
	args /bin/hold
	for key in io.kubernetes.cri.container-type io.kubernetes.cri-o.ContainerType; do
		edit_config '.annotations = {($words[0]): "sandbox"}' "$key"
		create
		is_left_alone
		edit_config '.annotations[$words[0]] = "container"' "$key"
		create
		is_in_front
	done
}

@test "a create of what was edited already changes nothing" {
	fake_runc
	create
	cp "$bundle/config.json" "$dir/before.json"
	create
	is_left_alone
}

@test "a container says yes or no, in the environment or else in the annotation" {
	fake_runc
	edit_config '.annotations = {"foster-runtime": "no"}'
	create
	is_left_alone
	edit_config '.process.env += ["FOSTER_RUNTIME=yes"]'
	create
	is_in_front
	edit_config '.process.env += ["FOSTER_RUNTIME=no"] | .annotations = {"foster-runtime": "yes"}'
	create
	is_left_alone
}

@test "only-on-request: only a container that says yes, or gives options" {
	fake_runc
	node only-on-request=yes
	create
	is_left_alone
	edit_config '.annotations = {"foster-runtime": "no"}'
	create
	is_left_alone
	edit_config '.annotations = {"foster-runtime": "yes"}'
	create
	is_in_front
	edit_config '.annotations = {"foster-runtime": "-v"}'
	create
	is_in_front -v
	edit_config 'del(.annotations) | .process.env += ["FOSTER_RUNTIME=yes"]'
	create
	is_in_front
}

@test "options: the annotation's, or FOSTER_OPTIONS, or else the node's" {
	fake_runc
	node 'options=--stop=20  -v'
	create
	is_in_front --stop=20 -v
	edit_config '.process.env += ["FOSTER_OPTIONS=-g -e 3:0"]'
	create
	is_in_front -g -e 3:0
	[ "$(config '.process.env | map(select(startswith("FOSTER"))) | length')" = 0 ]
	edit_config '.annotations = {"foster-runtime": " -c --stop 5/TERM/20/KILL\t--drain=TERM/5/KILL\n"}'
	create
	is_passed_on 'neither yes, no nor options'
	edit_config '.annotations = {"foster-runtime": "-c --stop 5/TERM/20/KILL\t--drain=TERM/5/KILL\n"}'
	create
	is_in_front -c --stop 5/TERM/20/KILL --drain=TERM/5/KILL
}

@test "every option of foster's that goes with a program can be given, and no other" {
	fake_runc
	for option in $("$FOSTER" --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -o -- '--.*'); do
		case $option in
		--install | --pause | --help | --version | --license) continue ;;
		--rewrite) value='=HUP:TERM' ;;
		--stop | --drain) value='=TERM/5/KILL' ;;
		--timeout) value='=1h' ;;
		--exit-code) value='=3' ;;
		--report) value='=/dev/shm' ;;
		--*-signal) value='=USR1' ;;
		*) value='' ;;
		esac
		edit_config '.annotations = {"foster-runtime": $words[0]}' "$option$value"
		create
		is_in_front "$option$value" || { echo "$option"; return 1; }
		options=1
	done
	[ "$options" = 1 ]
	for option in --install=/etc/x '--install /etc/x' --ins=/etc/x -P --pause --pau -h --help -V --version \
		-l -L --license -gP -gh --sto=TERM -x '-v sleep' '-v -- sleep' '--stop' '-v --stop --drain' --stop=TREM/10 \
		--stop= '-g-' '--' '-' '-v;id' '-r FOO:TERM' '-e 300' '-v 3'; do
		edit_config '.annotations = {"foster-runtime": $words[0]}' "$option"
		create
		is_passed_on . || { echo "$option"; return 1; }
	done
	edit_config '.annotations = {} | .process.env += ["FOSTER_OPTIONS=--install=/etc/x"]'
	create
	is_passed_on 'not options'
	[ ! -e /etc/x ]
}

@test "a report is left out where the container has no such file of its own" {
	fake_runc
	node 'options=-v --report=/dev/termination-log'
	create
	is_in_front -v
	edit_config '.mounts += [{destination: "/dev/termination-log", type: "bind", source: "/x"}]'
	create
	is_in_front -v --report=/dev/termination-log
	[ ! -e /dev/termination-log ]
}

@test "what is no container's config.json is passed on as it was, and a line says why" {
	fake_runc
	while IFS= read -r line; do
		printf '%s' "${line%%	*}" >"$bundle/config.json"
		cp "$bundle/config.json" "$dir/before.json"
		: >"$told"
		create
		is_passed_on "${line##*	}" || { echo "$line"; return 1; }
		[ "$(tail -n 1 "$told")" = box ]
	done <<-'END'
		
		null	
		[]	
		{	
		"text"	
		{"process": null}	
		{"process": {"args": null}, "mounts": []}	
		{"process": {"args": []}, "mounts": []}	
		{"process": {"args": [3]}, "mounts": []}	
		{"process": {"args": "/spy"}, "mounts": []}	
		{"process": {"args": ["/spy"]}}	not its own
		{"process": {"args": ["/spy"]}, "mounts": []}	not its own
		{"process": {"args": ["/spy"]}, "mounts": [{"destination": "/dev", "type": "bind"}]}	not its own
		{"process": {"args": ["/spy"]}, "mounts": [{"destination": "/dev", "type": "tmpfs"}, {"destination": "//dev/", "type": "bind"}]}	not its own
		{"process": {"args": ["/spy"]}, "mounts": [{"type": "tmpfs"}]}	
		{"process": {"args": ["/spy"]}, "mounts": [3]}	
		{"process": {"args": ["/spy"], "env": [3]}, "mounts": [{"destination": "/dev", "type": "tmpfs"}]}	
		{"process": {"args": ["/spy"], "env": "A=b"}, "mounts": [{"destination": "/dev", "type": "tmpfs"}]}	
		{"process": {"args": ["/spy"]}, "mounts": [{"destination": "/dev", "type": "tmpfs"}], "annotations": {"foster-runtime": 3}}	
		{"process": {"args": ["/spy"]}, "mounts": [{"destination": "/dev", "type": "tmpfs"}], "annotations": "no"}	
		{"process": {"args": ["/spy"]}, "mounts": [{"destination": "/dev", "type": "tmpfs"}], "annotations": {"foster-runtime": "on\nand \"on\""}}	neither yes
	END
	rm "$bundle/config.json"
	create
	[ "$(wc -l <"$logged")" = 1 ]
	[ ! -e "$bundle/config.json" ]
}

@test "a container that may have one process only is left alone" {
	fake_runc
	while read -r left_alone more; do
		jq -nc "{process: {args: [\"/spy\"]}, mounts: [{destination: \"/dev\", type: \"tmpfs\"}]} | $more" \
			>"$dir/before.json"
		cp "$dir/before.json" "$bundle/config.json"
		create
		if [ "$left_alone" = yes ]; then
			is_passed_on 'a second process'
		else
			is_in_front
		fi || { echo "$more"; return 1; }
	done <<-'END'
		yes .linux.resources.pids.limit = 1
		no .linux.resources.pids.limit = 2
		no .linux.resources.pids.limit = -1
		yes .process.rlimits = [{type: "RLIMIT_NPROC", soft: 1, hard: 4}]
		no .process.rlimits = [{type: "RLIMIT_NPROC", soft: 2, hard: 4}]
		no .process.rlimits = [{type: "RLIMIT_NPROC", soft: 18446744073709551615, hard: 18446744073709551615}]
		no .process.rlimits = [{type: "RLIMIT_CORE", soft: 1, hard: 1}]
	END
}

@test "a config.json that is odd but right is edited: no env, null, other order, spaces, much of it" {
	fake_runc
	while IFS= read -r line; do
		printf '%s' "$line" >"$bundle/config.json"
		cp "$bundle/config.json" "$dir/before.json"
		create
		is_in_front || { echo "$line"; return 1; }
	done <<-'END'
		{"mounts": [{"destination": "//dev/", "type": "tmpfs"}], "process": {"args": ["/spy"]}}
		{"annotations":null,"mounts":[{"type":"tmpfs","destination":"/dev"}],"process":{"env":null,"args":["/spy"]}} trailing
		{"process":{"args":["/spy"],"args":["\u0041\ud83d\ude00\u0007","{\"#\":[[\"1\"]]}"]},"mounts":[{"type":"tmpfs","destination":"/dev"}]}
	END
	python3 - "$dir/before.json" "$bundle/config.json" <<-'END'
		import json, sys
		config = json.load(open(sys.argv[1]))
		config["process"]["env"] = ["V%d=%s" % (i, "x" * 100) for i in range(10000)]
		for name in sys.argv[1:]:
		    json.dump(config, open(name, "w"))
	END
	create
	is_in_front
}

@test "no number loses a digit, and no text that looks like one" {
	fake_runc
	python3 - "$dir/before.json" "$bundle/config.json" <<-'END'
		import json, sys
		config = json.load(open(sys.argv[1]))
		long = [2**64 - 1, -2**63, 2**53 + 1, 10**15 + 1, 10**16 + 1, 9223372036854771712, -1, 0]
		config["process"]["rlimits"] = [{"type": "RLIMIT_CORE", "hard": n, "soft": n} for n in long]
		config["linux"]["seccomp"] = {"syscalls": [{"args": [{"value": n, "valueTwo": n} for n in long]}]}
		config["process"]["env"] = ["A=18446744073709551615", 'B={"x":18446744073709551615}', "C=\\\":18446744073709551615,",
		    'D={"#":[["18446744073709551615"]]}', "18446744073709551615", "\\", "\u00e9\u0001"]
		config["annotations"] = {"#": "18446744073709551615", "18446744073709551615": "["}
		for name in sys.argv[1:]:
		    json.dump(config, open(name, "w"), indent=1 if name == sys.argv[1] else None)
	END
	create
	python3 - "$dir/before.json" "$bundle/config.json" <<-'END'
		import json, sys
		before, after = (json.load(open(name)) for name in sys.argv[1:])
		assert after["process"]["args"][:2] == ["/dev/foster", "--"]
		del after["process"]["args"][:2], after["mounts"][-1]
		assert before == after, (before, after)
	END
}

@test "where jq or foster can't be used the container starts without, and a line says why" {
	fake_runc
	for program in "$bin/jq" "$bin/foster"; do
		printf '#!/bin/sh\necho broken here >&2; exit 3\n' >"$program"
		chmod 755 "$program"
		create
		is_passed_on 'broken here'
		rm "$program"
		[ "$program" = "$bin/foster" ] || continue
		create
		is_passed_on 'foster'
		echo 'not a program' >"$program"
		create
		is_passed_on 'foster'
	done
	printf '#!/bin/sh\nexit 127\n' >"$bin/logger"
	create
	cmp "$dir/before.json" "$bundle/config.json"
}

@test "a full or a read-only disk leaves the old config.json" {
	fake_runc
	mount -t tmpfs -o size=64k tmpfs "$bundle"
	cp "$dir/before.json" "$bundle/config.json"
	head -c 1M /dev/zero >"$bundle/fill" 2>/dev/null || true
	create
	is_passed_on 'space'
	rm "$bundle/fill"
	mount -o remount,ro "$bundle"
	create
	is_passed_on 'Read-only'
	umount "$bundle"
}

@test "killed at whatever step, the config.json is the old one or the new one" {
	fake_runc
	chmod 640 "$bundle/config.json"
	create
	cp "$bundle/config.json" "$dir/after.json"
	[ "$(stat -c %a "$bundle/config.json")" = 640 ]
	old=0 new=0
	strace -f -qq -o "$dir/trace" "$bin/foster-runtime" create --bundle "$bundle" box
	# calls that leave no trace outside of the process aside
	for call in $(grep -oE '\<(execve|v?fork|clone|clone3|pipe2|wait4|write|copy_file_range|ioctl|fchmod|fchown|fsetxattr|utimensat|rename(at)?2?|unlink(at)?|exit_group)\(' "$dir/trace" | tr -d '(' | sort -u); do
		# each process at its first such call, then each at its second, until none makes so many
		for ((n = 1; ; n++)); do
			cp "$dir/before.json" "$bundle/config.json"
			(strace -f -o "$dir/trace" -e trace="$call" -e inject="$call:signal=KILL:when=$n" \
				"$bin/foster-runtime" create --bundle "$bundle" box || true) >/dev/null 2>&1
			grep -q 'killed by SIGKILL' "$dir/trace" || break
			if cmp -s "$dir/before.json" "$bundle/config.json"; then
				old=$((old + 1))
			elif cmp -s "$dir/after.json" "$bundle/config.json"; then
				new=$((new + 1))
			else
				echo "half a config.json after $call $n"
				return 1
			fi
		done
	done
	echo "# killed at $((old + new)) calls: $old times the old one, $new times the new one" >&3
	[ "$old" -gt 10 ] && [ "$new" -gt 0 ]
}

@test "runc: foster is PID 1, in an image without a shell that stays as it was" {
	args /spy --state --env --exit 5
	edit_config '.process.env += ["FOSTER_OPTIONS=-v", "A=b"]'
	run_container
	grep '^foster: .*exited with status 5' <<<"$output"
	grep -x 'ppid 1' <<<"$output"
	grep -x 'env A=b' <<<"$output"
	[[ $output != *FOSTER* ]]
	[ "$(cd "$bundle/rootfs" && find . -type f)" = ./spy ]
}

@test "runc: in a user namespace, with a read-only root, foster in a folder that only root enters" {
	chmod 700 "$bin"
	args /spy --state --exit 5
	edit_config '.root.readonly = true
		| .mounts |= map(select(.type != "sysfs" and .type != "cgroup"))
		| .linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings'
	run_container
	grep -x 'ppid 1' <<<"$output"
}

@test "runc: any user, no capabilities, no new privileges" {
	args /spy --state --exit 5
	edit_config '.process.user = {uid: 1234, gid: 1234} | .process.capabilities = {}
		| .process.noNewPrivileges = true'
	run_container
	grep -x 'ppid 1' <<<"$output"
}

@test "runc: foster cannot be changed from inside" {
	args /dev/foster --install /dev/foster
	edit_config '.process.args = ["/spy", "--out", "/dev/foster", "--exit", "0"]'
	run_container
	cmp "$FOSTER" "$bin/foster"
}
