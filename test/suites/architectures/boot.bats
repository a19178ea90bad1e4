# boot.bats: foster as PID 1 of a Linux kernel, on an emulated machine.
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154  # set by bats
#
# One machine for all tests: machine.sh is what runs there, and CONSOLE what it showed.

bats_require_minimum_version 1.8.0
bats_load_library bats-support 2>/dev/null || load /usr/lib/bats/bats-support/load.bash

setup_file() {
	export CONSOLE=$BATS_FILE_TMPDIR/console
	"$BATS_TEST_DIRNAME/boot" "$ARCH" "$BINARY" </dev/null 2>&1 | tr -d '\r' >"$CONSOLE" || true
}

# in a serial console's text a kernel's line may stand right before
shows() {
	grep -Fq -- "$1" "$CONSOLE" || fail "the console does not show: $1
$(tail -n 60 "$CONSOLE")"
}

tells() {
	shows "told: $1: yes"
}

@test "it is PID 1 of the kernel, and runs the program" {
	tells 'foster is PID 1 of the kernel'
}

@test "mask and ignored signals reach the program to the bit" {
	tells 'mask and ignored signals to the bit'
}

@test "what can't be started is 127 or 126, and one line that says why" {
	for reason in 'not found' 'no permission' 'another architecture' 'a loader that is missing'; do
		tells "$reason"
	done
}

@test "every signal reaches the program, rewritten as asked for, five of one number with their payload" {
	tells 'every signal arrives'
}

@test "a schedule ends who does not listen, and says so" {
	tells 'a schedule ends who does not listen'
}

@test "out of time is 124, and the report says how it ended" {
	tells 'out of time'
}

@test "a foster that isn't PID 1 drains its descendants" {
	tells 'drained though not PID 1'
}

@test "of 300 orphans no zombie is left" {
	tells 'of 300 orphans no zombie is left'
}

@test "a stop lets the application behind the shell finish, then the drain who left the group" {
	order=$(sed -n 's/.*told: \(stop\|group finished\|session finished\)$/\1/p' "$CONSOLE")
	[ "$order" = $'stop\ngroup finished\nsession finished' ] || fail "$order
$(tail -n 60 "$CONSOLE")"
}

@test "the drain ends with the last process, and waits for no thread of the kernel" {
	shows 'session finished'
	run ! grep -F 'still running' "$CONSOLE"
}

@test "the kernel sees the program's exit status, as -e changed it" {
	shows 'Attempted to kill init! exitcode=0x00002a00'
}
