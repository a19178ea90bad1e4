# programs-web.bats: who asked gets the answer; reloading and scaling reach the master alone.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the shell inside
# shellcheck disable=SC2030,SC2031,SC2034  # a test is a subshell of its own; mode is for "program"

bats_require_minimum_version 1.8.0
load engines

setup() {
	needs_engine docker
	needs_image programs
	dir=$BATS_TEST_TMPDIR/dir
	mkdir "$dir"
	chmod 755 "$dir"
}

teardown() {
	remove_containers
}

# answers URL	the server does
answers() {
	docker exec box curl -sf -o /dev/null "$1"
}

# ask URL	in a container that shares only the network, so that it outlives the server's
ask() {
	docker run -d --name box2 --network container:box --entrypoint curl programs \
		-sS --no-buffer -o /tmp/answer -w '%{http_code} %{size_download}\n' "$1" >/dev/null
}

# downloading	some of the answer has come
downloading() {
	docker exec box2 test -s /tmp/answer
}

# answered WHAT	the request was answered whole
answered() {
	[ "$(wait_end box2)" = 0 ] || { docker logs box2; return 1; }
	run -0 docker logs box2
	[ "$output" = "$1" ]
}

# workers NAME COUNT	so many processes have a command line with that
workers() {
	[ "$(docker exec box pgrep -fc -- "$1")" = "$2" ]
}

### nginx ###

# nginx DOCKER-OPTION...	with a file that takes some seconds to download
nginx() {
	cat >"$dir/nginx.conf" <<-'END'
		daemon off;
		worker_processes 1;
		error_log stderr notice;
		pid /tmp/nginx.pid;
		events {}
		http {
			access_log /tmp/access.log;
			server {
				listen 127.0.0.1:8080;
				root /srv;
				limit_rate 100k;
				location = /version { return 200 one; }
			}
		}
	END
	head -c 400000 /dev/zero >"$dir/file"
	chmod 644 "$dir"/*
	program -v "$dir:/srv" "$@" -- nginx -c /srv/nginx.conf
	wait_until 20 answers http://127.0.0.1:8080/version
}

nginx_stops() {
	nginx "$@"
	ask http://127.0.0.1:8080/file
	wait_until 20 downloading
	docker stop -t 60 box
	answered '200 400000'
}

# bats test_tags=docker,programs
@test "nginx, STOPSIGNAL SIGQUIT: a slow download is finished" {
	mode=plain
	nginx_stops --stop-signal QUIT
	[ "$(inspect box State.ExitCode)" = 0 ]
}

# bats test_tags=docker,programs
@test "nginx behind a shell, STOPSIGNAL SIGQUIT: a slow download is finished" {
	mode=wrapped
	nginx_stops --stop-signal QUIT
}

# bats test_tags=docker,programs
@test "nginx behind a shell, -r TERM:QUIT: a slow download is finished" {
	mode=wrapped
	nginx_stops -e 'FOSTER_OPTIONS=-r TERM:QUIT'
}

nginx_reloads() {
	nginx
	[ "$(docker exec box curl -s http://127.0.0.1:8080/version)" = one ]
	sed -i 's/return 200 one/return 200 two/' "$dir/nginx.conf"
	ask http://127.0.0.1:8080/file
	wait_until 20 downloading
	docker kill -s HUP box
	wait_until 20 eval '[ "$(docker exec box curl -s http://127.0.0.1:8080/version)" = two ]'
	answered '200 400000'
	docker exec box mv /tmp/access.log /tmp/access.log.1
	docker kill -s USR1 box
	wait_until 20 docker exec box test -e /tmp/access.log
	[ "$(inspect box State.Status)" = running ]
}

# bats test_tags=docker,programs
@test "nginx: HUP reloads and loses no request, USR1 opens the logs anew" {
	mode=plain
	nginx_reloads
}

# bats test_tags=docker,programs
@test "nginx behind a shell: HUP ends the shell, and reloads nginx all the same; then USR1, QUIT" {
	mode=wrapped
	nginx_reloads
	docker kill -s QUIT box
	wait_end box
	logs_have box 'gracefully shutting down'
}

### Apache ###

apache_stops() {
	cat >"$dir/apache.conf" <<-'END'
		ServerRoot /usr/lib/apache2
		LoadModule mpm_event_module modules/mod_mpm_event.so
		LoadModule authz_core_module modules/mod_authz_core.so
		LoadModule env_module modules/mod_env.so
		LoadModule ratelimit_module modules/mod_ratelimit.so
		Listen 127.0.0.1:8080
		ServerName localhost
		PidFile /tmp/apache.pid
		DefaultRuntimeDir /tmp
		User www-data
		Group www-data
		ErrorLog /dev/stderr
		DocumentRoot /srv
		SetOutputFilter RATE_LIMIT
		SetEnv rate-limit 100
	END
	head -c 400000 /dev/zero >"$dir/file"
	chmod 644 "$dir"/*
	program -v "$dir:/srv" "$@" -- apache2 -D FOREGROUND -f /srv/apache.conf
	wait_until 20 answers http://127.0.0.1:8080/apache.conf
	ask http://127.0.0.1:8080/file
	wait_until 20 downloading
	docker stop -t 60 box
	answered '200 400000'
}

# bats test_tags=docker,programs
@test "Apache, STOPSIGNAL SIGWINCH: a slow download is finished" {
	mode=plain
	apache_stops --stop-signal WINCH
	[ "$(inspect box State.ExitCode)" = 0 ]
}

# bats test_tags=docker,programs
@test "Apache behind a shell, -r TERM:WINCH: a slow download is finished" {
	mode=wrapped
	apache_stops -e 'FOSTER_OPTIONS=-r TERM:WINCH'
}

### gunicorn and uvicorn ###

# python_stops URL COMMAND...	a request that takes 2 s is in flight
python_stops() {
	cat >"$dir/wsgi.py" <<-'END'
		import time
		def app(environ, start_response):
		    if environ["PATH_INFO"] == "/slow":
		        print("in flight", flush=True)
		        time.sleep(2)
		    start_response("200 OK", [("Content-Length", "4")])
		    return [b"done"]
	END
	cat >"$dir/asgi.py" <<-'END'
		import asyncio
		async def app(scope, receive, send):
		    if scope["type"] != "http":
		        raise NotImplementedError
		    if scope["path"] == "/slow":
		        print("in flight", flush=True)
		        await asyncio.sleep(2)
		    await send({"type": "http.response.start", "status": 200,
		                "headers": [(b"content-length", b"4")]})
		    await send({"type": "http.response.body", "body": b"done"})
	END
	program -v "$dir:/srv" -w /srv -- "$@"
	wait_until 30 answers http://127.0.0.1:8000/
	ask http://127.0.0.1:8000/slow
	wait_for_log box 'in flight'
	docker stop -t 60 box
	answered '200 4'
}

# bats test_tags=docker,programs
@test "gunicorn: a request in flight is answered" {
	mode=plain
	python_stops gunicorn -w 2 wsgi:app
	[ "$(inspect box State.ExitCode)" = 0 ]
}

# bats test_tags=docker,programs
@test "gunicorn behind a shell: a request in flight is answered" {
	mode=wrapped
	python_stops gunicorn -w 2 wsgi:app
}

# bats test_tags=docker,programs
@test "gunicorn: TTIN adds a worker, TTOU takes one away, HUP exchanges them" {
	mode=plain
	printf 'def app(environ, start_response):\n    start_response("200 OK", [])\n    return []\n' >"$dir/wsgi.py"
	program -v "$dir:/srv" -w /srv -- gunicorn -w 1 wsgi:app
	# the master and its workers
	wait_until 20 workers '^.usr.bin.python3 .*wsgi:app' 2
	docker kill -s TTIN box
	wait_until 20 workers '^.usr.bin.python3 .*wsgi:app' 3
	docker kill -s TTIN box
	wait_until 20 workers '^.usr.bin.python3 .*wsgi:app' 4
	docker kill -s TTOU box
	wait_until 20 workers '^.usr.bin.python3 .*wsgi:app' 3
	docker kill -s HUP box
	wait_for_log box 'Hang up: Master'
	wait_until 20 answers http://127.0.0.1:8000/
	[ "$(inspect box State.Status)" = running ]
}

# bats test_tags=docker,programs
@test "uvicorn: a request in flight is answered" {
	mode=plain
	python_stops python3 -m uvicorn asgi:app
	[ "$(inspect box State.ExitCode)" = 0 ]
}

# bats test_tags=docker,programs
@test "uvicorn behind a shell: a request in flight is answered" {
	mode=wrapped
	python_stops python3 -m uvicorn asgi:app
}

### Node.js ###

node_stops() {
	cat >"$dir/server.js" <<-'END'
		const server = require('http').createServer((request, response) => {
			if (request.url !== '/slow') return response.end('done');
			console.log('in flight');
			setTimeout(() => response.end('done'), 2000);
		}).listen(8000, '127.0.0.1');
		process.on('SIGTERM', () => {
			console.log('SIGTERM');
			server.close(() => console.log('closed'));
		});
	END
	program -v "$dir:/srv" -- node /srv/server.js
	wait_until 20 answers http://127.0.0.1:8000/
	ask http://127.0.0.1:8000/slow
	wait_for_log box 'in flight'
	docker stop -t 60 box
	answered '200 4'
	logs_have box '^closed'
	[ "$(docker logs box 2>&1 | grep -c ^SIGTERM)" = 1 ]
}

# bats test_tags=docker,programs
@test "Node.js: a request in flight is answered" {
	mode=plain
	node_stops
	[ "$(inspect box State.ExitCode)" = 0 ]
}

# bats test_tags=docker,programs
@test "Node.js behind a shell: a request in flight is answered" {
	mode=wrapped
	node_stops
}

### PHP ###

php_stops() {
	cat >"$dir/fpm.conf" <<-'END'
		[global]
		daemonize = no
		error_log = /dev/stderr
		process_control_timeout = 20s
		[www]
		user = www-data
		listen = 127.0.0.1:9000
		pm = static
		pm.max_children = 2
	END
	printf '<?php touch("/tmp/flight"); sleep(2); echo "done";' >"$dir/slow.php"
	chmod 644 "$dir"/*
	program -v "$dir:/srv" "$@" -- php-fpm8.2 -y /srv/fpm.conf
	wait_for_log box 'ready to handle connections'
	docker run -d --name box2 --network container:box -e SCRIPT_FILENAME=/srv/slow.php \
		-e REQUEST_METHOD=GET --entrypoint cgi-fcgi programs -bind -connect 127.0.0.1:9000 >/dev/null
	wait_until 20 docker exec box test -e /tmp/flight
	docker stop -t 60 box
	[ "$(wait_end box2)" = 0 ] || { docker logs box; docker logs box2; return 1; }
	logs_have box2 '^done$'
}

# bats test_tags=docker,programs
@test "php-fpm, STOPSIGNAL SIGQUIT: a request in flight is answered" {
	mode=plain
	php_stops --stop-signal QUIT
	[ "$(inspect box State.ExitCode)" = 0 ]
}

# bats test_tags=docker,programs
@test "php-fpm behind a shell makes a session of its own; with --drain a request in flight is answered" {
	mode=wrapped
	php_stops -e FOSTER_OPTIONS=--drain=QUIT/30/KILL
}
