# cli.bats: the command line, FOSTER_OPTIONS, and the answer to what is wrong in them.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016  # set by helper.bash and by "run"; "$SPY" is for the shell inside

bats_require_minimum_version 1.8.0
load helper

# refused WORD OPTION...	nothing is started, and one line names the word, an empty one as ''
refused() {
	local word=${1:-"''"} seen=0
	shift
	"$FOSTER" "$@" >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr" || seen=$?
	[ "$seen" = 125 ] || fail "status $seen, not 125: foster $*"
	[ ! -s "$BATS_TEST_TMPDIR/stdout" ] || fail "started: foster $*"
	line=$(<"$BATS_TEST_TMPDIR/stderr")
	[ "$(wc -l <"$BATS_TEST_TMPDIR/stderr")" = 1 ] || fail "not one line: foster $*: $line"
	[[ $line =~ ^foster:\ .*[^:.]$ && ": ${line#foster: }" == *[:\ ]"$word: "* ]] ||
		fail "$word is not named: foster $*: $line"
}

# accepted OPTION...	the program is started, and nothing is said
accepted() {
	[ "$("$FOSTER" "$@" echo started 2>&1)" = started ] || fail "refused: foster $*"
}

# options_back OPTION...	as -vv prints them
options_back() {
	"$FOSTER" -vv "$@" -- true 2>&1 | sed -n 's/^foster: option://p' | tr -d '\n'
}

# same_options "OPTION..." "OPTION..."	mean the same
same_options() {
	local one two
	# shellcheck disable=SC2086
	one=$(options_back $1) two=$(options_back $2)
	[[ -n $one && $one == "$two" ]] || fail "${1:0:99} is '${one:0:99}', but ${2:0:99} is '${two:0:99}'"
}

# means SIG N	--ignore-signal SIG makes the signal N ignored, and no other
means() {
	local mask
	mask=$("$NS" --not-init --default all -- "$FOSTER" --ignore-signal "$1" "$SPY" --state |
		sed -n 's/^ignored //p')
	[ "$mask" = "$(printf %016x $((1 << ($2 - 1))))" ] || fail "$1 is '$mask', not signal $2"
}

# bats test_tags=cli
@test "options after the program's name are the program's" {
	run -0 "$FOSTER" echo -v -g --nope -- -e 300
	assert_output -- '-v -g --nope -- -e 300'
	run -0 "$FOSTER" -g ls -l /dev/null
	assert_output --regexp '^c.* /dev/null$'
}

# bats test_tags=cli
@test "-- ends the options, also before a program whose name begins with a dash" {
	ln -s "$(type -P echo)" "$BATS_TEST_TMPDIR/-x"
	PATH=$BATS_TEST_TMPDIR:$PATH run -0 "$FOSTER" -- -x one -- two
	assert_output 'one -- two'
	run -127 "$FOSTER" -g -- -no-such-program
	assert_output 'foster: -no-such-program: No such file or directory'
	run -127 "$FOSTER" -- --
	assert_output 'foster: --: No such file or directory'
}

# bats test_tags=cli
@test "a dash alone is no option" {
	PATH=/dev/null run -127 "$FOSTER" - -x
	assert_output --regexp '^foster: -: '
}

# bats test_tags=cli
@test "arguments reach the program as they are: empty, with blanks, with line breaks" {
	run -0 "$FOSTER" -g "$SPY" --state -- '' 'two words' $'a\nb' '*' -e
	assert_line 'argv 3=[]'
	assert_line 'argv 4=[two words]'
	assert_line 'argv 5=[a\nb]'
	assert_line 'argv 6=[*]'
	assert_line 'argv 7=[-e]'
	refute_line --partial 'argv 8='
}

# bats test_tags=cli
@test "an argument of 100 kB reaches the program" {
	long=$(head -c 100000 /dev/zero | tr '\0' x)
	"$FOSTER" "$SPY" --state -- "$long" | sed -n 's/^argv 3=//p' | cmp - <(echo "[$long]")
}

# bats test_tags=cli
@test "no program is an error that says so" {
	refused PROGRAM
	refused PROGRAM -g
	refused PROGRAM -e 3 --
}

# bats test_tags=cli
@test "an empty program name is not found" {
	run -127 --separate-stderr "$FOSTER" ''
	[ "$stderr" = 'foster: : No such file or directory' ]
	[ -z "$output" ]
}

# bats test_tags=cli
@test "each letter and each long name is taken" {
	for option in -g -c -s -w '-e 3' '-r USR1:TERM' '-p TERM' --group --single-child \
		--subreaper --warn-reaped '--exit-code 3' '--rewrite USR1:TERM' \
		'--parent-death-signal TERM' '--ignore-signal HUP' '--default-signal HUP' \
		'--stop 10' '--drain 10' '--timeout 60' '--report /dev/null'; do
		# shellcheck disable=SC2086
		accepted $option
	done
}

# bats test_tags=cli
@test "a value may stand in the same word or in the next, as getopt_long reads it" {
	same_options '-e 3:4' '-e3:4'
	same_options '-e 3:4' '--exit-code 3:4'
	same_options '-e 3:4' '--exit-code=3:4'
	same_options '--stop TERM/1/KILL' '--stop=TERM/1/KILL'
	refused -- -r -- true
	refused -g -p -g true
}

# bats test_tags=cli
@test "letters can be joined, the last with its value" {
	same_options '-g -w -c' '-gwc'
	same_options '-g -r USR1:TERM' '-grUSR1:TERM'
	same_options '-g -r USR1:TERM -c' '-gr USR1:TERM -c'
	refused -gx -gx true
	refused -g-w -g-w true
}

# bats test_tags=cli
@test "a long name may be cut short where that is unambiguous" {
	same_options '-g -w' '--gr --wa'
	same_options '--timeout 5 --stop 5' '--t 5 --sto=5'
	same_options '-c --drain 5 -e 3' '--si --dr 5 --ex=3'
	for word in --s --st= --p --re --i --v --de --; do
		[ "${#word}" -gt 2 ] || continue
		"$FOSTER" "$word" echo started >/dev/null 2>&1 && fail "$word was taken"
	done
	refused --s --s true
	refused --re=USR1:TERM --re=USR1:TERM true
	refused --v --v true
}

# bats test_tags=cli
@test "a whole name is not ambiguous, though another begins with it" {
	accepted --stop 10
	accepted --group
}

# bats test_tags=cli
@test "an unknown option is named" {
	for word in -x -? -: -1 '-é' --nope --nope=3 --g-roup --Group ---group '--group ' --=3 ---; do
		refused "$word" "$word" echo started
	done
}

# bats test_tags=cli
@test "an option that takes no value is given none" {
	for word in --group=1 --group= --pause=x --help=1 --ver=2 --verbose=2; do
		"$FOSTER" "$word" echo started >/dev/null 2>&1 && fail "$word was taken"
	done
	refused --group=1 --group=1 echo started
	refused --group= --group= echo started
}

# bats test_tags=cli
@test "an option without its value is named" {
	for word in -r -e -p -gr --rewrite --exit-code --parent-death-signal --ignore-signal \
		--default-signal --stop --drain --timeout --report --install; do
		refused "$word" "$word"
	done
}

# bats test_tags=cli
@test "a signal is a number from 1 to 64" {
	for n in {1..64}; do
		case $n in 9 | 19) continue ;; esac
		means "$n" "$n"
	done
}

# bats test_tags=cli
@test "a signal is a name in either case, with or without SIG" {
	while read -r n name; do
		case $n in 9 | 19) continue ;; esac
		for form in "$name" "SIG$name" "${name,,}" "Sig${name,,}"; do
			means "$form" "$n"
		done
	done < <(for n in {1..31}; do echo "$n $(kill -l "$n")"; done)
}

# bats test_tags=cli
@test "RTMIN is 34 and RTMAX 64, and what lies between is counted from either" {
	means RTMIN 34
	means sigrtmax 64
	for n in {0..30}; do
		means "RTMIN+$n" $((34 + n))
		means "SIGRTMAX-$n" $((64 - n))
	done
}

# bats test_tags=cli
@test "what is no signal is named, wherever a signal is expected" {
	for word in 0 65 -1 +15 15x 0x0f 1.5 '' ' ' TREM SIG SIGSIGTERM 'TERM ' ' TERM' TERM,INT TER \
		RTMIN+31 RTMAX-31 RTMIN-1 RTMAX+1 RTMIN+ RTMAX- RTMIN+x RTMIN+-1 RTMIN3 SIG15 EXIT \
		4294967311 18446744073709551631 RTMIN+4294967296; do
		refused "$word" -p "$word" echo started
		refused "$word" --ignore-signal "$word" echo started
		refused "$word" --default-signal="$word" echo started
		refused "$word:INT" -r "$word:INT" echo started
		[ "$word" = 0 ] || refused "INT:$word" --rewrite "INT:$word" echo started
	done
}

# bats test_tags=cli
@test "what is no rewriting is named, with the whole word" {
	for word in TERM TERM: :TERM : '' 0:TERM TERM:INT:HUP TERM=INT FOO:TERM TERM:FOO TERM/INT; do
		refused "$word" -r "$word" echo started
	done
}

# bats test_tags=cli
@test "KILL, STOP and CHLD, which are never forwarded, can't be rewritten" {
	for word in KILL:TERM STOP:0 chld:TERM 9:15 SIGCLD:0; do
		refused "$word" -r "$word" echo started
	done
	accepted -r TERM:KILL
}

# bats test_tags=cli
@test "KILL and STOP can't be ignored or set to their default" {
	for word in KILL STOP 9 sigstop; do
		refused "$word" --ignore-signal "$word" echo started
	done
}

# bats test_tags=cli
@test "a time is a decimal number of seconds, or of ms, s, m or h" {
	while read -r one two; do
		same_options "--timeout $one" "--timeout $two"
		same_options "--stop TERM/$one/KILL" "--stop TERM/$two/KILL"
	done <<-'END'
		5 5s
		1.5 1500ms
		0.001 1ms
		2m 120s
		1.5m 90
		2h 120m
		0.25h 900s
		10.0 10
		007 7
		24h 86400
		0.0000000001 1ms
		0.0010000000001 2ms
		0.0020000000000 2ms
		0.00000000001h 1ms
		999999.9h 3599999640
		1777777773500ms 1777777773.5
		3600000000000ms 1000000h
	END
	[ "$(options_back --timeout 5)" != "$(options_back --timeout 5ms)" ]
}

# bats test_tags=cli
@test "what is no time is named" {
	for word in '' x s ms 1x 1ss 1sm 1d 1us 1S 1H -1 +1 1.5.2 . 1,5 1e3 0x10 inf nan '1 ' ' 1' '1 s' \
		99999999999999999999 18446744073709551617 99999999999999h \
		1000001h 60000001m 3600000000001ms 1000000.5h 3600000000000.1ms; do
		refused "$word" --timeout "$word" echo started
		refused "$word" --timeout="$word" echo started
	done
}

# bats test_tags=cli
@test "a schedule is signals with times between them, after a time or not" {
	for word in TERM TERM/10/KILL 5/TERM/20/KILL 5/TERM TERM/10/QUIT/2/KILL sigterm/1.5m/SigKill \
		RTMIN+3/100ms/RTMAX-1/0.5h/KILL 0/TERM/0/KILL 10 1.5h .5 \
		.5/TERM/.5h/KILL; do
		accepted --stop "$word"
		accepted --drain "$word"
	done
}

# bats test_tags=cli
@test "a time alone is short for TERM/TIME/KILL" {
	for time in 10 0.5 20ms 2m; do
		same_options "--stop $time" "--stop TERM/$time/KILL"
		same_options "--drain $time" "--drain TERM/$time/KILL"
	done
}

# bats test_tags=cli
@test "a schedule has up to 16 steps" {
	printf -v fifteen 'USR1/1/%.0s' {1..15}
	for option in --stop --drain; do
		accepted "$option" "${fifteen}KILL"
		refused "${fifteen}USR2/1/KILL" "$option" "${fifteen}USR2/1/KILL" echo started
	done
	run -0 options_back --stop "${fifteen}KILL"
	[ "$(grep -o USR1 <<<"$output" | wc -l)" = 15 ]
}

# bats test_tags=cli
@test "what is no schedule is named, with the whole word" {
	for word in '' / TERM/ /TERM TERM/10 TERM/10/ 10/ 10/20 5/5/TERM TERM/KILL TERM//KILL \
		TERM/10/9 TERM/10/FOO FOO TERM/x/KILL TERM/-1/KILL TERM/10/KILL/ 5/10/15 x/TERM \
		TERM/10/KILL/1 TERM:10:KILL 'TERM /10/KILL' TERM/10d/KILL 99999999999999999999 \
		5/0 TERM/10/15 TERM/10/9/KILL RTMIN+31/1/KILL; do
		refused "$word" --stop "$word" echo started
		refused "$word" --drain="$word" echo started
	done
}

# bats test_tags=cli
@test "what is no exit status is named" {
	for word in 256 300 -1 +1 '' x 1x 1:256 1:x 1:2:3 :1 : 0x1 1.5 ' 1' 4294967297 99999999999999999999; do
		refused "$word" -e "$word" echo started
		refused "$word" --exit-code="$word" echo started
	done
}

# bats test_tags=cli
@test "a wrong word of 100 kB is one line, which begins with it" {
	long=$(head -c 100000 /dev/zero | tr '\0' x)
	for option in "-r$long" "--stop=$long" "--$long" "-e$long" "--report=$long"; do
		run -125 "$FOSTER" "$option" echo started
		[ "${#lines[@]}" = 1 ]
		grep -Eq '^foster: .*xxxxxxxxxx.*: [a-zA-Z]' <<<"$output" ||
			fail "${option:0:8}: ${output:0:40} ... ${output: -40}"
	done
}

# bats test_tags=cli
@test "a program's name of 100 kB is one line, and it is not started" {
	long=$(head -c 100000 /dev/zero | tr '\0' x)
	for name in "$long" "/$long"; do
		status=0
		"$FOSTER" "$name" 2>"$BATS_TEST_TMPDIR/stderr" || status=$?
		[ "$status" = 126 ] || [ "$status" = 127 ]
		[ "$(wc -l <"$BATS_TEST_TMPDIR/stderr")" = 1 ]
		grep -Eq '^foster: /?xx.*: File ?name too long$' "$BATS_TEST_TMPDIR/stderr"
	done
}

# bats test_tags=cli
@test "a line about a word with line breaks or control characters stays one line" {
	run -125 --separate-stderr "$FOSTER" -p $'A\nB\rC\e[1m\x7f' echo started
	[[ $stderr == 'foster: -p A\nB\rC'* && $stderr != *[$'\n\r\e\x7f']* ]]
	run -127 --separate-stderr "$FOSTER" $'/no\nfoster: such'
	[[ $stderr != *$'\n'* ]]
}

# bats test_tags=cli
@test "a word that is no text in any encoding is passed on, or named, as it is" {
	run -127 --separate-stderr "$FOSTER" $'/\xff\xfe%s%n'
	[ "$stderr" = $'foster: /\xff\xfe%s%n: No such file or directory' ]
}

# bats test_tags=cli
@test "the first wrong word of several is the one that is named" {
	refused FOO --ignore-signal FOO -e 300 --nope true
}

# bats test_tags=cli
@test "everything is checked before the program starts, also behind what is right" {
	refused 300 -g -vv --stop 10 -r USR1:TERM -e 3 -e 300 echo started
}

# bats test_tags=cli
@test "-r can be repeated, the last for a signal wins, and 0 drops it" {
	start_plain -- -r USR1:HUP -r USR2:INT -r WINCH:0 -r USR1:RTMIN+3 "$SPY" --exit-on INT
	wait_for "$out" '^ready'
	send WINCH
	send USR1
	wait_for "$out" '^got RTMIN\+3 '
	send USR2
	wait_end
	run -0 sed -n 's/^got \(.*\) code.*/\1/p' "$out"
	[ "$output" = $'RTMIN+3\nINT' ]
}

# bats test_tags=cli
@test "-p sends the signal when foster's own parent dies" {
	start_plain -- -- sh -c '"$FOSTER" -p USR1 "$SPY" --exit-on USR1 & wait'
	wait_for "$out" '^ready'
	program=$(sed -n 's/ready //p' "$out")
	kill -KILL "$(status_field "$(status_field "$program" PPid)" PPid)"
	wait_for "$out" '^got USR1 '
	wait_gone "$program"
}

# bats test_tags=cli
@test "-v says what foster does on standard error, -vv each signal too" {
	start_plain -- -v "$SPY" --exit-on USR1
	wait_for "$out" '^ready'
	send USR1
	wait_end
	run ! grep -i usr1 "$err"
	start_plain -- -vv "$SPY" --exit-on USR1
	wait_for "$out" '^ready'
	send USR1
	wait_end
	grep '^foster: .*USR1' "$err"
	run ! grep -v '^foster: ' "$err"
}

# bats test_tags=cli
@test "without -v nothing is said" {
	run -3 "$FOSTER" "$SPY" --exit 3
	[ -z "$output" ]
	run -137 "$FOSTER" -s "$SPY" --die KILL
	[ -z "$output" ]
}

# bats test_tags=cli
@test "-w says a line for each orphan" {
	for n in 1 3; do
		run -0 --separate-stderr "$FOSTER" -w sh -c \
			'"$SPY" --fork $1 --double; exec "$SPY" --for 200' sh "$n"
		[ "$(grep -c '^foster: .*reaped' <<<"$stderr")" = "$n" ] || fail "$n: $stderr"
	done
}

# bats test_tags=cli
@test "-P starts nothing and leaves with 0 at SIGTERM or SIGINT, at no other signal" {
	for sig in TERM INT; do
		for start in start_plain start_pid1; do
			[ $start = start_plain ] || needs pid1
			$start -- --pause
			send HUP
			send USR1
			send "$sig"
			wait_end
			[ "$status" = 0 ] || fail "$start $sig: $status"
		done
	done
}

# bats test_tags=cli
@test "-P with a program is an error that names it" {
	refused echo -P echo started
	refused echo --pause -- echo started
}

# bats test_tags=cli
@test "FOSTER_OPTIONS is read, split at blanks" {
	FOSTER_OPTIONS=$' -e  3:4\t--exit-code=5:6 \n' run -4 "$FOSTER" "$SPY" --exit 3
	FOSTER_OPTIONS=$' -e  3:4\t--exit-code=5:6 \n' run -6 "$FOSTER" "$SPY" --exit 5
	for options in '' ' ' $'\n'; do
		FOSTER_OPTIONS=$options run -3 "$FOSTER" "$SPY" --exit 3
		[ -z "$output" ]
	done
	# as in the shell, what else can't be seen is no blank
	FOSTER_OPTIONS=$'-g\x1f-w' run -125 "$FOSTER" echo started
	assert_output 'foster: FOSTER_OPTIONS: -g\x1f-w: no such option'
}

# bats test_tags=cli
@test "FOSTER_OPTIONS is read before the command line" {
	FOSTER_OPTIONS='-e 3:4 -e 5:6' run -7 "$FOSTER" -e 3:7 "$SPY" --exit 3
	FOSTER_OPTIONS='-e 3:4 -e 5:6' run -6 "$FOSTER" -e 3:7 "$SPY" --exit 5
	FOSTER_OPTIONS='-e 3:4' run -4 "$FOSTER" -- "$SPY" --exit 3
}

# bats test_tags=cli
@test "FOSTER_OPTIONS is removed from the environment, and nothing else is" {
	run -0 env -i A=1 FOSTER_OPTIONS=-g FOSTER_OPTIONSX=2 FOSTER_OPTION=3 B= "$FOSTER" "$SPY" --env
	assert_output $'env A=1\nenv FOSTER_OPTIONSX=2\nenv FOSTER_OPTION=3\nenv B='
	run -0 env -i A=1 FOSTER_OPTIONS= "$FOSTER" "$SPY" --env
	assert_output 'env A=1'
}

# bats test_tags=cli
@test "what is wrong in FOSTER_OPTIONS is named, with that name" {
	while read -r word options; do
		FOSTER_OPTIONS=$options refused "$word" echo started
		[[ $line == 'foster: FOSTER_OPTIONS: '* ]] || fail "$options: $line"
	done <<-'END'
		FOO:TERM -g -r FOO:TERM
		-x -x
		--nope --nope
		300 -e 300
		TERM/10 --stop TERM/10
		1x --timeout=1x
		--s --s
		-r -g -r
		true -g true
		ls -- ls
	END
}

# bats test_tags=cli
@test "a value missing in FOSTER_OPTIONS is not taken from the command line" {
	FOSTER_OPTIONS=-p refused -p TERM echo started
}

# bats test_tags=cli
@test "FOSTER_OPTIONS may hold 200 options" {
	printf -v options -- '-e %s:9 ' {1..200}
	FOSTER_OPTIONS=$options run -9 "$FOSTER" -- "$SPY" --exit 200
	FOSTER_OPTIONS=$options run -201 "$FOSTER" -- "$SPY" --exit 201
}

# bats test_tags=cli
@test "-vv prints the options back in a form that means the same" {
	while read -r options; do
		# shellcheck disable=SC2086
		back=$(options_back $options)
		[[ -n $back && $back != *...* ]] || fail "not printed back: $options: $back"
		same_options "$options" "$back"
	done <<-'END'
		-g
		-c -w
		-s -e 3
		-r HUP:QUIT -r 34:0 -r RTMAX-1:TERM -r 32:33
		--ignore-signal HUP --default-signal RTMIN+7 --ignore-signal 33 --ignore-signal 64
		-p USR1 -e 1 -e 2:3 -e 143
		--stop 5/TERM/20/QUIT/100ms/KILL --drain 1.5
		--stop RTMIN+3 --timeout 90m --report /dev/null
		--drain 0/TERM/0/KILL --timeout 0.1234
	END
}

# bats test_tags=cli
@test "-vv prints back the longest options, too" {
	words=()
	for n in {1..8} {10..16} 18 {20..64}; do
		words+=(-r "$n:RTMIN+20" --ignore-signal "$n")
	done
	for n in {0..255}; do
		words+=(-e "$n:$((255 - n))")
	done
	same_options "${words[*]}" "$(options_back "${words[@]}")"
}

# bats test_tags=cli
@test "-h and --help name every option on standard output, and start nothing" {
	for word in -h --help --hel; do
		run -0 --separate-stderr "$FOSTER" "$word"
		[ -z "$stderr" ]
		for name in -{g,c,r,p,e,s,P,w,v,h,V,l} --{group,single-child,rewrite} \
			--{ignore-signal,default-signal,parent-death-signal,stop,drain,timeout} \
			--{exit-code,report,subreaper,pause,install,warn-reaped,verbose} \
			--{help,version,license} FOSTER_OPTIONS; do
			[[ $output == *[[:space:]]"$name"* ]] || fail "$name is not in $word"
		done
	done
	run -0 "$FOSTER" --help echo started
	refute_line started
}

# bats test_tags=cli
@test "the help begins with how foster is called" {
	run -0 "$FOSTER" --help
	[[ ${lines[0]} == 'usage: foster [OPTION]... [--] PROGRAM [ARG]...' ]]
}

# bats test_tags=cli
@test "-V and --version print one line in the form that the Docker engine reads" {
	for word in -V --version; do
		run -0 --separate-stderr "$FOSTER" "$word"
		[ -z "$stderr" ]
		[ "${#lines[@]}" = 1 ]
		[[ $output =~ ^foster\ [0-9.]+[^\ ]*\ -\ git\.[0-9a-z]+$ ]] || fail "$output"
	done
}

# bats test_tags=cli
@test "-l, -L and --license print the licence, whole" {
	for word in -l -L --license; do
		"$FOSTER" "$word" | cmp - "${here%/*}/LICENSE" || fail "$word"
	done
}

# bats test_tags=cli
@test "what can't be printed is an error" {
	[ -e /dev/full ] || skip 'needs /dev/full'
	for word in --help --version --license; do
		status=0
		"$FOSTER" "$word" >/dev/full 2>"$BATS_TEST_TMPDIR/stderr" || status=$?
		[ "$status" = 125 ] || fail "$word: $status"
		grep -q '^foster: ' "$BATS_TEST_TMPDIR/stderr"
	done
}

# bats test_tags=cli
@test "--install copies foster itself, for everybody to run" {
	cd "$BATS_TEST_TMPDIR"
	umask 077
	run -0 "$FOSTER" --install copy
	[ -z "$output" ]
	cmp copy "$FOSTER"
	[ "$(stat -c %a copy)" = 755 ]
	run -0 "$FOSTER" --install=/"$PWD"/copy2
	run -0 ./copy --install copy3
	run -3 ./copy3 "$SPY" --exit 3
	[ "$(echo ./*)" = './copy ./copy2 ./copy3' ]
}

# bats test_tags=cli
@test "--install replaces what is there, also a foster that runs" {
	cd "$BATS_TEST_TMPDIR"
	cp "$FOSTER" copy
	ln copy linked
	FOSTER=$PWD/copy start_plain -- "$SPY" --exit-on USR1:3
	wait_for "$out" '^ready'
	run -0 "$FOSTER" --install copy
	run ! [ copy -ef linked ]
	cmp copy "$FOSTER"
	send USR1
	wait_end
	[ "$status" = 3 ]
}

# bats test_tags=cli,root,pid1
@test "--install is complete or not at all, also on a full disk" {
	needs root pid1
	run -125 "$NS" --limit 30 -- sh -c 'mount -t tmpfs -o size=16k none /mnt && cd /mnt && echo old >copy
		"$FOSTER" --install copy; s=$?; ls -A; cat copy; exit $s'
	assert_output $'foster: copy: No space left on device\ncopy\nold'
}

# bats test_tags=cli
@test "--install to where nothing can be is status 125, and names the file" {
	mkdir "$BATS_TEST_TMPDIR/dir"
	refused /no/such/dir/copy --install /no/such/dir/copy
	refused "$BATS_TEST_TMPDIR/dir" --install "$BATS_TEST_TMPDIR/dir"
	refused /dev/null/copy --install /dev/null/copy
	run -125 "$FOSTER" --install "$(head -c 4095 /dev/zero | tr '\0' x)"
	[ "$(ls -A "$BATS_TEST_TMPDIR/dir")" = '' ]
}

# bats test_tags=cli
@test "--install starts no program, and naming one installs nothing" {
	refused echo --install "$BATS_TEST_TMPDIR/copy" echo started
	[ ! -e "$BATS_TEST_TMPDIR/copy" ]
}

@test "-vv tells of -P, too" {
	start_plain -- -vv -P
	wait_for "$err" '^foster: option: -P$'
	send TERM
	expect_end 0
}

@test "a line about a long word of control characters is cut between two of them" {
	for before in '' a aa aaa; do
		run -126 "$FOSTER" "$before$(printf '\001%.0s' {1..3000})"
		assert_output --regexp "^foster: $before(\\\\x01)+\.\.\.: File ?name too long$"
		[ "${#output}" -lt 4096 ]
	done
}
