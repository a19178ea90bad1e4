# guides.bats: each command of the guides for clusters is typed, and prints what they show.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154  # set by "run"

bats_require_minimum_version 1.8.0
export BATS_TEST_TIMEOUT=900
load cluster

teardown() {
	delete_all
}

guide=$root/test/suites/engines/guide

# is_as_said GUIDE
is_as_said() {
	run "$guide" "$root/docs/$1"
	grep -v '^as said: ' <<<"$output"
	[ "$status" = 0 ]
}

@test "docs/kubernetes.md: every command prints what is shown" {
	needs_engine podman
	needs_image podman
	run -0 "$guide" --not-run "$root/docs/kubernetes.md"
	[ "$output" = 'kubernetes.md: From an image volume: a part of examples/kubernetes/image-volume.yaml' ]
	is_as_said kubernetes.md
}

@test "docs/fleet.md: every command prints what is shown" {
	# the guide makes it
	kubectl delete runtimeclass foster
	is_as_said fleet.md
}
