# programs-databases.bats: no write that was acknowledged is lost, and no recovery is needed.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the shell inside
# shellcheck disable=SC2030,SC2031,SC2034  # a test is a subshell of its own; mode is for "program"

bats_require_minimum_version 1.8.0
load engines

setup() {
	needs_engine docker
	needs_image programs
}

teardown() {
	remove_containers
}

### PostgreSQL: SIGINT is its fast shutdown; at SIGTERM it waits for its clients ###

# postgres_stops DOCKER-OPTION...	while clients write; then the cluster's state is looked at
postgres_stops() {
	local bin=/usr/lib/postgresql/15/bin data=/var/lib/postgresql/15/main

	program --user postgres -v /var/lib/postgresql "$@" -- \
		$bin/postgres -D $data -c config_file=/etc/postgresql/15/main/postgresql.conf
	wait_for_log box 'ready to accept connections'
	docker exec box psql -qc 'create table t (n serial)'
	for _ in 1 2 3; do
		docker exec -d box sh -c 'yes "insert into t default values;" | psql -q'
	done
	wait_until 20 eval '[ "$(docker exec box psql -Atc "select count(*) from t")" -gt 100 ]'
	docker stop -t 60 box
	logs_have box 'database system is shut down'
	run -0 docker run --rm --volumes-from box --entrypoint $bin/pg_controldata programs $data
	[[ "$output" =~ "Database cluster state:"\ *"shut down"$'\n' ]]
}

# bats test_tags=docker,programs
@test "PostgreSQL, STOPSIGNAL SIGINT: clients write, and the cluster is shut down cleanly" {
	mode=plain
	postgres_stops --stop-signal INT
	[ "$(inspect box State.ExitCode)" = 0 ]
}

# bats test_tags=docker,programs
@test "PostgreSQL behind a shell, -r TERM:INT: clients write, and the cluster is shut down cleanly" {
	mode=wrapped
	postgres_stops -e FOSTER_OPTIONS=-r\ TERM:INT
}

### Redis ###

redis_stops() {
	program -- redis-server --bind 127.0.0.1 --dir /tmp --save 3600 1
	wait_for_log box 'Ready to accept connections'
	docker exec box redis-cli set last written
	docker stop -t 30 box
	logs_have box 'DB saved on disk'
	docker start box
	wait_for_log box 'Ready to accept connections' 2
	run -0 docker exec box redis-cli get last
	[ "$output" = written ]
}

# bats test_tags=docker,programs
@test "Redis: the last write is in its file" {
	mode=plain
	redis_stops
}

# bats test_tags=docker,programs
@test "Redis behind a shell: the last write is in its file" {
	mode=wrapped
	redis_stops
}

### MariaDB ###

mariadb_stops() {
	program -- mariadbd --user=mysql --skip-networking --socket=/tmp/socket
	wait_until 60 docker exec box mariadb -S /tmp/socket -e 'create database if not exists test;
		create table test.t (n int auto_increment primary key) engine=InnoDB' 2>/dev/null
	# each answer is a write that was acknowledged
	docker exec -d box sh -c 'yes "insert into test.t values (null); select last_insert_id();" |
		mariadb -S /tmp/socket -N --unbuffered >/tmp/acknowledged'
	wait_until 20 docker exec box sh -c '[ "$(wc -l </tmp/acknowledged)" -gt 100 ]'
	docker stop -t 60 box
	logs_have box 'mariadbd: Shutdown complete'
	docker start box
	wait_for_log box 'mariadbd: ready for connections' 2
	run -1 logs_have box 'crash recovery'
	run -0 docker exec box sh -c 'tail -n 1 /tmp/acknowledged; mariadb -S /tmp/socket -N -e "select max(n) from test.t"'
	[ "${lines[0]}" -le "${lines[1]}" ]
}

# bats test_tags=docker,programs
@test "MariaDB: all that it acknowledged is there, and it needs no recovery" {
	mode=plain
	mariadb_stops
}

# bats test_tags=docker,programs
@test "MariaDB behind a shell: all that it acknowledged is there, and it needs no recovery" {
	mode=wrapped
	mariadb_stops
}
