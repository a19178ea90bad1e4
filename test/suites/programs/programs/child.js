// Writes through gzip until its end, which SIGTERM begins.
// SPDX-License-Identifier: MIT
'use strict';
const fs = require('fs');
const gzip = require('child_process').spawn('gzip', {
	stdio: ['pipe', fs.openSync('data.gz', 'w'), 'inherit'],
});

gzip.stdin.on('error', (error) => console.error(error.message));
gzip.on('exit', (status) => {
	if (status === 0) console.log('saved');
	process.exit(status === 0 ? 0 : 1);
});
gzip.stdin.write('begun\n');
process.on('SIGTERM', () => {
	console.error('told node');
	setTimeout(() => gzip.stdin.end('last words\n'), 2000);
});
console.log('ready');
