# runtime.bash: the verbs of the tests here.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034  # output is for the tests
#
# $bin is in front of PATH. It has foster-runtime with foster beside it, a logger that writes
# $logged, and where "fake_runc" was called a runc that only tells its arguments.

root=$(cd "${BASH_SOURCE[0]%/*}/../../.." && pwd)
export FOSTER=${FOSTER:-$root/foster} SPY=${SPY:-$root/test/bin/spy}
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-300}

setup() {
	# whoever is in a container must be able to reach what is mounted from here
	dir=$(mktemp -d) bin=$dir/bin bundle=$dir/bundle
	logged=$dir/logged told=$dir/told
	chmod 755 "$dir"
	mkdir "$bin" "$bundle" "$bundle/rootfs"
	cp "$root/packaging/runtime/foster-runtime" "$FOSTER" "$bin"
	# shellcheck disable=SC2016  # for the script
	printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>"%s"\n' "$logged" >"$bin/logger"
	chmod 755 "$bin/logger"
	: >"$logged"
	PATH=$bin:$PATH
	cp "$SPY" "$bundle/rootfs/spy"
	chmod 777 "$bundle/rootfs"
	(cd "$bundle" && runc spec && cp config.json "$dir/before.json")
	edit_config '.process.terminal = false | .process.args = ["/spy", "--exit", "0"]
		| .linux.cgroupsPath = "foster-runtime-test"
		| .linux.namespaces |= map(select(.type != "network"))'
	ids=()
}

teardown() {
	local id

	for id in "${ids[@]}"; do
		runc delete --force "$id" 2>/dev/null || true
	done
	rm -rf /etc/foster-runtime.conf "$dir"
}

# edit_config FILTER [WORD...]	on top of the test's earlier edits; the words are $words in it
edit_config() {
	# shellcheck disable=SC2016  # jq's
	jq --argjson words "$(as_json "${@:2}")" "$1" "$dir/before.json" >"$bundle/config.json"
	cp "$bundle/config.json" "$dir/before.json"
}

as_json() {
	[ $# = 0 ] || printf '%s\001' "$@" | jq -Rsc 'split("\u0001")[:-1]'
	[ $# != 0 ] || echo '[]'
}

# args ARG...	are the process's
args() {
	# shellcheck disable=SC2016  # jq's
	edit_config '.process.args = $words' "$@"
}

# config FILTER	what is in config.json now, as runc reads it
config() {
	jq -nSr "input | $1" "$bundle/config.json"
}

# node LINE...	is the node's file
node() {
	printf '%s\n' "$@" >/etc/foster-runtime.conf
}

# one argument, one line; line breaks inside are shown as \n
fake_runc() {
	cat >"$bin/runc" <<-END
		#!/bin/bash
		printf '%s\n' "\${@//\$'\n'/\\\\n}" >>"$told"
	END
	chmod 755 "$bin/runc"
}

# create	as an engine does it; nothing may be written to the container's output
create() {
	foster-runtime --root /run/foster-test --log "$dir/log" create --bundle "$bundle" \
		--pid-file "$dir/pid" box >"$dir/said" 2>&1
	status=$?
	cat "$dir/said"
	[ "$status" = 0 ] && [ ! -s "$dir/said" ]
}

# is_in_front [OPTION...]	of the arguments that the process had
is_in_front() {
	# shellcheck disable=SC2016  # jq's
	diff <(jq -nc --argjson words "$(as_json "$@")" \
		'input | ["/dev/foster"] + $words + ["--"] + .process.args' "$dir/before.json") \
		<(config '.process.args | tojson') &&
		[ "$(config '.mounts[-1].source')" = "$bin/foster" ] && [ ! -s "$logged" ]
}

is_left_alone() {
	cmp "$dir/before.json" "$bundle/config.json" && [ ! -s "$logged" ]
}

# is_passed_on REGEX	as it was, and one line says why
is_passed_on() {
	cat "$logged"
	cmp "$dir/before.json" "$bundle/config.json" && [ ! -e "$bundle/config.json.foster" ] &&
		[ "$(wc -l <"$logged")" = 1 ] &&
		grep -qE -- "^-t foster-runtime -- .*is left as it is: .*$1" "$logged" && : >"$logged"
}

# run_container	to its end, with runc; its output is $output
run_container() {
	local state

	ids+=(box)
	foster-runtime create --bundle "$bundle" box >"$dir/out" 2>&1 </dev/null || { cat "$dir/out"; return 1; }
	foster-runtime start box
	until state=$(foster-runtime state box | jq -r .status) && [ "$state" = stopped ]; do sleep 0.05; done
	output=$(cat "$dir/out")
	foster-runtime delete box
}
