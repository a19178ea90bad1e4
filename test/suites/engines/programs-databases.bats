# programs-databases.bats: no write that was acknowledged is lost, and no recovery is needed.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC1010,SC2030,SC2031,SC2034,SC2154,SC2016  # set by programs.bash; what is in single quotes is for a shell inside

bats_require_minimum_version 1.8.0
load programs

setup() {
	use_image programs
}

### PostgreSQL: SIGINT is its fast shutdown; at SIGTERM it waits for its clients ###

sql() {
	beside psql -q -U postgres -Atc "$1"
}

has_rows() {
	[ "$(sql 'select count(*) from t')" -gt 100 ]
}

# postgres_stops DOCKER-OPTION...	while clients write; then the cluster's state is looked at
postgres_stops() {
	local bin=/usr/lib/postgresql/15/bin data=/var/lib/postgresql/15/main

	echo 'local all all trust' >"$dir/hba"
	box --user postgres "$@" -- $bin/postgres -D $data -c hba_file=/srv/hba \
		-c config_file=/etc/postgresql/15/main/postgresql.conf
	wait_for 'ready to accept connections'
	sql 'create table t (n serial)'
	for _ in 1 2 3; do
		in_background beside sh -c 'yes "insert into t default values;" | psql -q -U postgres'
	done
	wait_until 60 has_rows
	stops
	wait "$client" || :
	printed 'database system is shut down'
	mkdir -p "$dir/data/global"
	docker cp box:$data/global/pg_control "$dir/data/global/"
	run -0 docker run --rm -v "$dir:/srv" --entrypoint $bin/pg_controldata programs /srv/data
	[[ "$output" =~ "Database cluster state:"\ *"shut down"$'\n' ]]
}

# bats test_tags=docker,programs
@test "PostgreSQL, STOPSIGNAL SIGINT: clients write, and the cluster is shut down cleanly" {
	postgres_stops --stop-signal INT
	[ "$(inspect box State.ExitCode)" = 0 ]
}

# bats test_tags=docker,programs
@test "PostgreSQL behind a shell, STOPSIGNAL SIGINT: clients write, and the cluster is shut down cleanly" {
	mode=wrapped
	postgres_stops --stop-signal INT
}

# bats test_tags=docker,programs
@test "PostgreSQL behind a shell, -r TERM:INT: clients write, and the cluster is shut down cleanly" {
	mode=wrapped
	postgres_stops -e FOSTER_OPTIONS=-r\ TERM:INT
}

### Redis ###

redis_stops() {
	box -- redis-server --bind 127.0.0.1 --dir /srv --save 3600 1
	wait_for 'Ready to accept connections'
	beside redis-cli set last written
	stops
	ends_as "$1"
	printed 'DB saved on disk'
	again
	wait_for 'Ready to accept connections' 2
	[ "$(beside redis-cli get last)" = written ]
}

# bats test_tags=docker,programs
@test "Redis: the last write is in its file" {
	redis_stops 0
}

# bats test_tags=docker,programs
@test "Redis behind a shell: the last write is in its file" {
	mode=wrapped
	redis_stops 143
}

### MariaDB ###

acknowledged() {
	[ "$(wc -l <"$dir/answer")" -gt 100 ]
}

mariadb_stops() {
	box -- mariadbd --user=mysql --skip-networking --socket=/tmp/socket
	wait_for 'mariadbd: ready for connections'
	beside mariadb -S /tmp/socket -e 'create database test;
		create table test.t (n int auto_increment primary key) engine=InnoDB'
	# each answer is a write that was acknowledged
	in_background beside sh -c 'yes "insert into test.t values (null); select last_insert_id();" |
		mariadb -S /tmp/socket -N --unbuffered 2>/dev/null'
	wait_until 60 acknowledged
	stops
	ends_as "$1"
	printed 'mariadbd: Shutdown complete'
	again
	wait_for 'mariadbd: ready for connections' 2
	run -1 printed 'crash recovery'
	last=$(grep -a '^[0-9]' "$dir/answer" | tail -n 1)
	[ "$(beside mariadb -S /tmp/socket -N -e 'select max(n) from test.t')" -ge "$last" ]
}

# bats test_tags=docker,programs
@test "MariaDB: all that it acknowledged is there, and it needs no recovery" {
	mariadb_stops 0
}

# bats test_tags=docker,programs
@test "MariaDB behind a shell: all that it acknowledged is there, and it needs no recovery" {
	mode=wrapped
	mariadb_stops 143
}
