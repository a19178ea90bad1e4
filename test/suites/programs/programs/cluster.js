// Two workers; a request is answered 2 s after SIGTERM, for which the primary waits.
// SPDX-License-Identifier: MIT
'use strict';
const cluster = require('cluster');
const fs = require('fs');
const http = require('http');

if (cluster.isPrimary) {
	let listening = 0;
	cluster.on('listening', () => { if (++listening === 2) console.log('ready'); });
	process.on('SIGTERM', () => {
		console.error('told primary');
		cluster.disconnect();
	});
	cluster.fork();
	cluster.fork();
} else {
	http.createServer((request, response) => {
		const answer = () => {
			if (fs.existsSync('stopping')) setTimeout(() => response.end('saved\n'), 2000);
			else setTimeout(answer, 100);
		};
		console.log('working');
		answer();
	}).listen('node.sock');
}
