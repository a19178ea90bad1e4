<?php	// SPDX-License-Identifier: MIT
file_put_contents('out', "working\n", FILE_APPEND);
do {
	usleep(100000);
	clearstatcache();
} while (!file_exists('stopping'));
sleep(2);
echo "saved\n";
