// server.js: the same for Node.js.
// SPDX-License-Identifier: MIT
const server = require('http').createServer((request, response) => {
	if (request.url !== '/slow')
		return response.end('done');
	console.log('in flight');
	require('fs').readFile('/srv/gate', () => response.end('done'));
}).listen(8000, '127.0.0.1');
process.on('SIGTERM', () => {
	console.log('SIGTERM');
	server.close(() => console.log('closed'));
});
