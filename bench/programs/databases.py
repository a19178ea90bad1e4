# databases.py: PostgreSQL, MariaDB and Redis with writers, which count what was acknowledged.
# SPDX-License-Identifier: MIT
import socket

from loss import Records, SqlRecords, row


class Postgres(SqlRecords):
    client_program = 'psql -h /tmp -U postgres -qAt'
    socket = '/tmp/.s.PGSQL.5432'
    setup = 'create table t (n serial);\n'
    insert = 'insert into t default values returning n;\n'


class MariaDB(SqlRecords):
    client_program = 'mariadb -S /tmp/socket -N --unbuffered mysql'
    socket = '/tmp/socket'
    setup = 'create table t (n int auto_increment primary key) engine=InnoDB;\n'
    insert = 'insert into t values (null); select last_insert_id();\n'


class Redis(Records):
    def prepare(self):
        self.connect(6379).close()

    def ask(self, server, *words):
        server.sendall(f'{" ".join(words)}\r\n'.encode())
        return server.recv(100).decode()

    def open(self):
        server = self.connect(6379)
        return lambda: self.ask(server, 'RPUSH', 'list', 'record').startswith(':')

    def count(self):
        with self.connect(6379) as server:
            answer = self.ask(server, 'LLEN', 'list')
        return answer[1:] if answer.startswith(':') else None


AS = 'setpriv --reuid={0} --regid={0} --clear-groups '
POSTGRES = AS.format('postgres') + '/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/bench -k /tmp'
MARIADB = 'mariadbd --user=mysql --skip-networking --socket=/tmp/socket --pid-file=/tmp/pid'
REDIS = 'redis-server --dir /srv'

for form in 'exec', "sh -c 'setup; app'", 'app | tee log':
    row('PostgreSQL', POSTGRES, Postgres(), form, 'INT')
for form in 'exec', "sh -c 'setup; app'":
    row('PostgreSQL', POSTGRES, Postgres(), form)
    row('MariaDB', MARIADB, MariaDB(), form)
row('PostgreSQL, synchronous_commit=off', POSTGRES + ' -c synchronous_commit=off', Postgres(),
    "sh -c 'setup; app'", 'INT')
row('MariaDB, flush_log_at_trx_commit=0', MARIADB + ' --innodb-flush-log-at-trx-commit=0',
    MariaDB(), "sh -c 'setup; app'")
for form in 'exec', "sh -c 'setup; app'", 'trap that forwards', 'app | tee log':
    row('Redis, snapshots', REDIS + ' --save 3600 1', Redis(), form)
row('Redis, snapshots', REDIS + ' --save 3600 1 --daemonize yes; exec tail -f /dev/null', Redis(),
    "sh -c 'daemon; exec app'")
row('Redis, append-only file', REDIS + ' --appendonly yes', Redis(), "sh -c 'setup; app'")
