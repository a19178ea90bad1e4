# docs.bats: do the page, the README and the program say the same?
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2016  # set by helper.bash and by "run"; $ is for sed, and for a shell inside

bats_require_minimum_version 1.8.0
export BATS_TEST_TIMEOUT=300
load helper

top=${BATS_TEST_DIRNAME%/test}
page=$top/docs/foster.1
readme=$top/README.md
comparison=$top/docs/comparison.md

options_in_help() {
	"$FOSTER" --help | grep -Eo '(^  |^ *|, |\(also )--?[A-Za-z][a-z-]*' | grep -Eo -- '--?[A-Za-z].*' | sort -u
}

# from the .It lines of OPTIONS: ".It Fl l , L , -license" or ".It Fl e , -exit-code Ar CODE"
options_in_page() {
	sed -n '/^\.Sh OPTIONS/,/^\.Sh STOPPING/s/^\.It Fl //p' "$page" | sed 's/ Ar .*//; s/ , /\n/g' |
		sed 's/^/-/' | sort -u
}

# blocks KIND	the lines of the README's fenced blocks of that kind
blocks() {
	awk -v fence="\`\`\`$1" '$0 == fence { inside = 1; next } /^```/ { inside = 0 } inside' "$readme"
}

table() {
	sed -n '/^<!-- test\/peers -->$/,/^<!-- end -->$/{/^|/p;}' "$comparison"
}

@test "each option of --help is in the page, and the other way round" {
	[ "$(options_in_help | wc -l)" -gt 30 ]
	assert_equal "$(options_in_page)" "$(options_in_help)"
}

@test "the page names the argument of each option as --help does" {
	run -0 "$FOSTER" --help
	while read -r name argument; do
		assert_line --regexp "--$name $argument( |$)"
	done < <(sed -n 's/ Ns Op Cm \\&: Ns Ar \(AS\)/[:\1]/; s/ Ns Cm \\&: Ns Ar /:/
		s/^\.It Fl \(.* , \)\?-\([a-z-]*\) Ar /\2 /p' "$page" | sed 's/\[:AS]/\\[:AS\\]/')
}

@test "the page is clean for mandoc" {
	needs mandoc
	# what other pages are installed says nothing about this one
	run -0 sh -c 'mandoc -T lint "$1" 2>&1 |
		grep -v -e "mandoc.db" -e "referenced manual not found" || :' - "$page"
	refute_output
}

@test "the page has a line a sentence" {
	run ! grep -nE '^[^.].*[a-z)]\. +[A-Z]' "$page"
}

@test "each example of the page is understood" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	cd "$BATS_TEST_TMPDIR"
	for program in nginx celery java; do
		ln -s "$(type -P true)" "bin/$program"
	done
	for program in server job start-services; do
		ln -s "$(type -P true)" "$program"
	done
	ln -s "$FOSTER" bin/foster
	examples=0
	while read -r line; do
		PATH=$PWD/bin:$PATH run -0 sh -c "${line//\/dev\/termination-log/log}"
		refute_output
		examples=$((examples + 1))
	done < <(sed -n '/^\.Sh EXAMPLES/,$s/^\.Dl foster/foster/p' "$page" | sed 's/\\-/-/g')
	[ "$examples" -ge 5 ]
}

@test "each message of the page is one that foster has" {
	run -0 sed -n '/^\.Sh DIAGNOSTICS/,$s/^\.It Li "foster: \(.*\)"$/\1/p' "$page"
	for line in "${lines[@]}"; do
		# the reason, without what differs from case to case
		reason=${line#*: }
		case $reason in
		*Permission* | *permitted*) continue ;;
		reaped,*) reason=reaped, ;;
		'started '*) reason='started ' ;;
		'exited with status'*) reason='exited with status %d' ;;
		forwarded) reason="from pid %d: forwarded" ;;
		*TERM:\ *) reason=${reason##*: } ;;
		*'/bin/bash is missing') reason=interpreter ;;
		*'is missing') reason=loader ;;
		'still running'*) reason='still running after %s, sending %s' ;;
		*' ignores SIG'*) reason=' ignores SIG%s' ;;
		*'waiting for pid'*) reason='waiting for %s' ;;
		'SIGTERM from'*) reason=${reason/TERM/%s} ;;
		esac
		grep -aqF -- "$reason" "$FOSTER" || fail "no such message: $line ($reason)"
	done
}

@test "each target of make that the README and CONTRIBUTING.md name is there" {
	targets=$(grep -ho '\bmake [a-z][a-z-]*' "$readme" "$top/CONTRIBUTING.md" | sort -u)
	grep -q 'make run' <<<"$targets"
	while read -r _ target; do
		make -n -C "$top" "$target" >/dev/null || fail "no such target: $target"
	done <<<"$targets"
}

# bats test_tags=root,pid1
@test "make run ends with what the README shows" {
	needs root pid1 unshare
	run -0 --separate-stderr "$top/examples/run"
	assert_equal "$stderr" ''
	assert_equal "$(tail -n 3 <<<"$output")" "$(grep -A 2 '^ *saved at a stop' "$readme")"
}

# bats test_tags=root
@test "where namespaces are refused, make run says what is missing, and shows the rest" {
	needs root setpriv unshare
	run -0 --separate-stderr setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "$top/examples/run"
	assert_equal "$stderr" ''
	assert_line 'A container needs fresh namespaces, and here they are refused:'
	assert_line --partial 'docker run --cap-add SYS_ADMIN'
	assert_line --regexp '^without an init +0 of 5 records +not shown +not shown$'
	assert_line --regexp '^with foster +5 of 5 records +0 of 20 +134$'
}

# bats test_tags=root
@test "to a user, make run says how users can be given namespaces" {
	needs root setpriv
	bin=$(mktemp -d)
	chmod 755 "$bin"
	printf '#!/bin/sh\necho refused >&2\nexit 1\n' >"$bin/unshare"
	chmod 755 "$bin/unshare"
	PATH=$bin:$PATH run -0 setpriv --reuid 65534 --regid 65534 --clear-groups sh <"$top/examples/run"
	rm -r "$bin"
	assert_line '    refused'
	assert_line --partial kernel.unprivileged_userns_clone=1
	assert_line --regexp '^with foster +5 of 5 records +0 of 20 +134$'
}

@test "each suite has a target, and make help tells of it" {
	cd "$top"
	for run in test/suites/*/run; do
		name=${run#test/suites/}
		name=${name%/run}
		# what takes hours is no check
		make -n "check-$name" >/dev/null 2>&1 && name=check-$name
		make -n "$name" | grep -qF 'test/suite ' || fail "$run"
		make -s help | grep -q "^$name " || fail "$run"
	done
}

@test "the README's examples print what it says" {
	mkdir "$BATS_TEST_TMPDIR/dir"
	cd "$BATS_TEST_TMPDIR/dir"
	ln -s "$FOSTER" foster
	blocks console >../said
	[ -s ../said ]
	while read -r line; do
		echo "$line"
		case $line in
		'$ '*) env -u FOSTER_OPTIONS bash -c "${line#??}" 2>&1 3>&- || : ;;
		esac
	done < <(grep '^\$ ' ../said) | cat >../seen
	assert_equal "$(cat ../seen)" "$(cat ../said)"
}

@test "the README's commands that are for a shell can be run" {
	cd "$top"
	while read -r line; do
		case $line in
		docker* | kubectl* | sudo*) ;;	# tested elsewhere, or for a machine that has an engine
		*) run -0 bash -c "$line" ;;
		esac
	done < <(blocks sh)
}

@test "the README's pod gives options that foster understands" {
	value=$(sed -n 's/.*FOSTER_OPTIONS, value: "\(.*\)".*/\1/p' "$readme")
	[ -n "$value" ]
	FOSTER_OPTIONS=${value//\/dev\/termination-log/$BATS_TEST_TMPDIR/log} run -0 "$FOSTER" -- true
	run -0 cat "$BATS_TEST_TMPDIR/log"
	assert_output 'exited with status 0'
	run -0 "$FOSTER" --install "$BATS_TEST_TMPDIR/foster"
}

@test "each file that the README links to is there" {
	while read -r file; do
		[ -e "$top/$file" ] || fail "no such file: $file"
	done < <(grep -o '](\([^)]*\))' "$readme" | tr -d '()]' | sort -u)
}

@test "the README repeats no option list and no version" {
	run -0 "$FOSTER" --version
	version=${output#foster }
	run ! grep -F "${version%% *}" "$readme"
	run ! grep -E '^ *-[a-zA-Z], --' "$readme"
}

# bats test_tags=root,pid1,slow,release-build
@test "foster's column of comparison.md's table is what test/peers prints" {
	needs root pid1 tini tini-static dumb-init catatonit setpriv
	said=$(table)
	[ -n "$said" ]
	# foster's column: a busy machine may make a peer's race end the other way. What depends
	# on the compiler or the kernel is tested elsewhere.
	run -0 --separate-stderr "$BATS_TEST_DIRNAME/peers"
	assert_equal "$(grep -v -e '^| memory' -e '^| size' <<<"$output" | cut -d '|' -f 2,3)" \
		"$(grep -v -e '^| memory' -e '^| size' <<<"$said" | cut -d '|' -f 2,3)"
}

@test "the README's table is a part of comparison.md's" {
	rows=0
	while IFS= read -r row; do
		grep -qFx -- "$row" <(table) || fail "not in comparison.md: $row"
		rows=$((rows + 1))
	done < <(sed -n '/^## Beside the others$/,/^## /{/^|/p;}' "$readme")
	[ "$rows" -ge 7 ]
}

# bats test_tags=root,pid1
@test "where a peer is better: packages, smaller files, and a program that needs no more than any init" {
	needs root pid1 tini dumb-init catatonit dpkg-query
	run -0 dpkg-query -W tini dumb-init catatonit
	size() { stat -Lc %s "$(type -P "$1")"; }
	[ "$(size dumb-init)" -lt "$(size tini)" ]
	[ "$(size tini)" -lt "$(size "$FOSTER")" ]
	for init in tini dumb-init catatonit "$FOSTER"; do
		FOSTER=$(type -P "$init") start_pid1 -- -- "$SPY" --name app --exit-on TERM:3:200
		wait_for "$out" '^app: ready'
		kill -TERM "$foster_pid"
		expect_end 3
		wait_for "$out" '^app: done'
	done
}

@test "--license prints LICENSE" {
	"$FOSTER" --license | cmp - "$top/LICENSE"
}

@test "the Dockerfile ends in an image that holds foster and its licences alone" {
	run -0 sed -n '/^FROM scratch$/,$ { /^#/!p; }' "$top/Dockerfile"
	assert_output $'FROM scratch\nCOPY --from=build /src/foster /foster\nCOPY LICENSE packaging/COPYRIGHT.musl /licenses/\nENTRYPOINT ["/foster"]\nCMD ["--help"]'
}

@test "what .dockerignore lets through is enough to build foster" {
	needs musl-gcc
	cd "$top"
	mkdir "$BATS_TEST_TMPDIR/context"
	while read -r pattern; do
		# shellcheck disable=SC2086  # a pattern
		cp ${pattern#!} "$BATS_TEST_TMPDIR/context"
	done < <(grep '^!' .dockerignore)
	run -0 make -C "$BATS_TEST_TMPDIR/context" COMMIT=0123456789ab
	run -0 "$BATS_TEST_TMPDIR/context/foster" --version
	assert_output --partial ' - git.0123456789ab'
}

# bats test_tags=docs
@test "each test that security.md and design.md name is there" {
	for page in security design; do
		names=$(sed -n 's/^|.*| \([^|]*\) |$/\1/p' "$here/../docs/$page.md" |
			grep -o '`[a-zA-Z-][^`]* [^`]*`' | tr -d '`')
		[ "$(wc -l <<<"$names")" -gt 15 ] || fail "$page.md: $names"
		while IFS= read -r name; do
			grep -qFx "@test \"$name\" {" "$here"/*.bats || fail "$page.md: no test: $name"
		done <<<"$names"
	done
}

# bats test_tags=docs
@test "each figure of performance.md is what its data file makes" {
	diff "$top/docs/performance.md" <("$top/bench/fill-in" --print)
	grep -q '| reached |' "$top/docs/performance.md"
}
