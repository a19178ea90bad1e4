<?php
// slow.php: the same for php-fpm.
// SPDX-License-Identifier: MIT
touch('/srv/flight');
while (@file_get_contents('/srv/gate') === false)
	continue;  // a signal came in between
echo 'done';
