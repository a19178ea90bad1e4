# compare.bats: docs/engines.md shows what is seen.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash

bats_require_minimum_version 1.8.0
load engines

# bats test_tags=docker,podman,tty
@test "docs/engines.md: foster's columns are what a fresh run of test/suites/engines/compare shows" {
	needs_engine docker
	needs_engine podman
	needs_image podman
	./compare --foster >"$BATS_TEST_TMPDIR/now"
	sed -n '/^<!-- test.suites.engines.compare -->/,/^<!-- end -->/{ /^|/p }' "${root:?}/docs/engines.md" |
		awk -F'|' -v OFS='|' '{ print "", $2, $5, $7, "" }' >"$BATS_TEST_TMPDIR/said"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/said")" -gt 10 ]
	diff "$BATS_TEST_TMPDIR/said" "$BATS_TEST_TMPDIR/now"
}
