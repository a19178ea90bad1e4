# programs-web.bats: who asked gets the answer; reloading and scaling reach the master alone.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC1010,SC2030,SC2031,SC2034,SC2154  # set by programs.bash

bats_require_minimum_version 1.8.0
load programs

setup() {
	use_image programs
}

get() {
	beside curl -sf "http://127.0.0.1:8000$1"
}

# answers PATH WHAT
answers() {
	[ "$(get "$1")" = "$2" ]
}

# download	more than all buffers hold, by a client that waits for the gate
download() {
	truncate -s 30000000 "$dir/file"
	in_background beside /programs/slow-reader
	wait_until 60 grep -q ' 200 OK$' "$dir/answer"
}

downloaded() {
	wait "$asking"
	grep ' 200 OK$' "$dir/answer"
	[ "$(tail -n 1 "$dir/answer")" = 30000000 ]
}

### nginx ###

nginx() {
	echo 'return 200 one;' >"$dir/version"
	box "$@" -- nginx -c /programs/nginx.conf
	wait_until 60 answers /version one
}

nginx_stops() {
	nginx "$@"
	download
	stops_until 'gracefully shutting down'
	downloaded
}

# bats test_tags=docker,programs
@test "nginx, STOPSIGNAL SIGQUIT: a slow download is finished" {
	nginx_stops --stop-signal QUIT
	ends_as 0
}

# bats test_tags=docker,programs
@test "nginx behind a shell, STOPSIGNAL SIGQUIT: a slow download is finished" {
	mode=wrapped
	nginx_stops --stop-signal QUIT
	ends_as 131
}

# bats test_tags=docker,programs
@test "nginx behind a shell, -r TERM:QUIT: a slow download is finished" {
	mode=wrapped
	nginx_stops -e 'FOSTER_OPTIONS=-r TERM:QUIT'
	ends_as 131
}

nginx_reloads() {
	nginx
	download
	echo 'return 200 two;' >"$dir/version"
	sends HUP
	wait_until 60 answers /version two
	open_gate
	downloaded
	mv "$dir/access.log" "$dir/access.log.1"
	sends USR1
	wait_until 60 test -e "$dir/access.log"
	[ "$(inspect box State.Status)" = running ]
	sends QUIT
}

# bats test_tags=docker,programs
@test "nginx: HUP reloads and loses no request, USR1 opens the logs anew" {
	nginx_reloads
	ends_as 0
}

# bats test_tags=docker,programs
@test "nginx behind a shell: HUP ends the shell, and reloads nginx all the same; then USR1, QUIT" {
	mode=wrapped
	nginx_reloads
	ends_as 129
	printed 'gracefully shutting down' 2
}

### Apache ###

apache_stops() {
	echo up >"$dir/version"
	box "$@" -- apache2 -D FOREGROUND -f /programs/apache.conf
	wait_until 60 answers /version up
	download
	stops_until 'caught SIGWINCH, shutting down gracefully'
	downloaded
	ends_as 0
}

# bats test_tags=docker,programs
@test "Apache, STOPSIGNAL SIGWINCH: a slow download is finished" {
	apache_stops --stop-signal WINCH
}

# bats test_tags=docker,programs
@test "Apache behind a shell, -r TERM:WINCH: a slow download is finished" {
	mode=wrapped
	apache_stops -e 'FOSTER_OPTIONS=-r TERM:WINCH'
}

### a request in flight: gunicorn, uvicorn, Node.js ###

# finishes REGEX COMMAND...	the server says REGEX when it was told to stop, the request is
# answered afterwards
finishes() {
	box -- "${@:2}"
	wait_until 60 answers / done
	in_background get /slow
	wait_for '^in flight'
	stops_until "$1"
	answered done
}

gunicorn=('Handling signal: term' gunicorn -w 2 wsgi:app)
uvicorn=('Waiting for connections to close' python3 -m uvicorn asgi:app)
node=('^SIGTERM' node server.js)

# bats test_tags=docker,programs
@test "gunicorn: a request in flight is answered" {
	finishes "${gunicorn[@]}"
	ends_as 0
}

# bats test_tags=docker,programs
@test "gunicorn behind a shell: a request in flight is answered" {
	mode=wrapped
	finishes "${gunicorn[@]}"
	ends_as 143
}

# bats test_tags=docker,programs
@test "gunicorn: TTIN adds a worker, TTOU takes one away, HUP exchanges them" {
	box -- gunicorn -w 1 wsgi:app
	wait_for 'Booting worker'
	sends TTIN
	wait_for 'Booting worker' 2
	sends TTIN
	wait_for 'Booting worker' 3
	sends TTOU
	wait_for 'Worker exiting'
	sends HUP
	wait_for 'Hang up: Master'
	wait_for 'Booting worker' 4
	wait_for 'Worker exiting' 3
	wait_until 60 answers / done
}

# bats test_tags=docker,programs
@test "uvicorn: a request in flight is answered" {
	finishes "${uvicorn[@]}"
	ends_as 0
}

# bats test_tags=docker,programs
@test "uvicorn behind a shell: a request in flight is answered" {
	mode=wrapped
	finishes "${uvicorn[@]}"
	ends_as 143
}

# bats test_tags=docker,programs
@test "Node.js: a request in flight is answered, and it is told once" {
	finishes "${node[@]}"
	ends_as 0
	[ "$(count ^SIGTERM)" = 1 ]
}

# bats test_tags=docker,programs
@test "Node.js behind a shell: a request in flight is answered, and it is told once" {
	mode=wrapped
	finishes "${node[@]}"
	ends_as 143
	[ "$(count ^SIGTERM)" = 1 ]
}

### PHP ###

php_stops() {
	chmod 777 "$dir"
	box "$@" -- php-fpm8.2 -y /programs/fpm.conf
	wait_for 'ready to handle connections'
	in_background beside env SCRIPT_FILENAME=/programs/slow.php REQUEST_METHOD=GET \
		cgi-fcgi -bind -connect 127.0.0.1:9000
	wait_until 60 test -e "$dir/flight"
	stops_until 'Finishing|Terminating'
	wait "$asking"
	[ "$(tail -n 1 "$dir/answer")" = done ]
}

# bats test_tags=docker,programs
@test "php-fpm, STOPSIGNAL SIGQUIT: a request in flight is answered" {
	php_stops --stop-signal QUIT
	ends_as 0
}

# bats test_tags=docker,programs
@test "php-fpm behind a shell makes a session of its own; with --drain a request in flight is answered" {
	mode=wrapped
	php_stops -e FOSTER_OPTIONS=--drain=QUIT/100/KILL
	ends_as 143
}
