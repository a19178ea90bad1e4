# web_node.py: Node.js with requests in flight.
# SPDX-License-Identifier: MIT
from loss import Requests, row

SERVER = '''
const fs = require('fs');
const server = require('http').createServer((request, response) => {
	if (request.url !== '/slow')
		return response.end('done');
	fs.appendFileSync('/srv/jobs', 'begun\\n');
	setTimeout(() => response.end('done'), 2000);
}).listen(8000, '127.0.0.1');
'''
HANDLER = "process.on('SIGTERM', () => server.close());\n"
PACKAGE = '{"name": "server", "version": "1.0.0", "scripts": {"start": "node server.js"}}'
FILES = {'/srv/server.js': SERVER + HANDLER, '/srv/package.json': PACKAGE}

for form in 'exec', "sh -c 'setup; app'", 'trap that forwards':
    row('Node.js', 'node server.js', Requests(path='/slow'), form, files=FILES)
row('Node.js', 'npm start', Requests(path='/slow'), 'npm start', files=FILES)
row('Node.js without a handler', 'node server.js', Requests(path='/slow'),
    files={'/srv/server.js': SERVER})
