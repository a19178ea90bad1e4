# java.py: a JVM that takes records, and writes them to disk in its shutdown hook
# (Main.java).
# SPDX-License-Identifier: MIT
from loss import Records, row


class Java(Records):
    def prepare(self):
        self.connect().close()

    def ask(self, server, word):
        server.sendall(f'{word}\n'.encode())
        return server.recv(100).decode().strip()

    def open(self):
        server = self.connect()
        return lambda: self.ask(server, 'record')

    def count(self):
        with self.connect() as server:
            return self.ask(server, 'count')


for form in 'exec', "sh -c 'setup; app'", 'trap that forwards':
    row('Java', 'java -XX:TieredStopAtLevel=1 -cp /opt Main', Java(), form)
