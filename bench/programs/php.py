# php.py: php-fpm behind nginx in one container, with requests in flight.
# SPDX-License-Identifier: MIT
from loss import Requests, row

FPM = '''
[global]
error_log = /dev/stderr
process_control_timeout = 60s
[www]
user = www-data
listen = 127.0.0.1:9000
pm = static
pm.max_children = 8
'''
NGINX = '''
daemon off;
error_log stderr notice;
pid /tmp/nginx.pid;
events {}
http {
	access_log off;
	server {
		listen 127.0.0.1:8000;
		location / {
			fastcgi_pass 127.0.0.1:9000;
			fastcgi_param SCRIPT_FILENAME /srv/slow.php;
			fastcgi_param REQUEST_METHOD GET;
		}
	}
}
'''
SLOW = '<?php file_put_contents("/srv/jobs", "begun\\n", FILE_APPEND); sleep(2); echo "done";'
FILES = {'/srv/fpm.conf': FPM, '/srv/nginx.conf': NGINX, '/srv/slow.php': SLOW}
PHP, WEB = 'php-fpm8.2 -y /srv/fpm.conf', 'nginx -c /srv/nginx.conf'
LOAD = Requests(ports=(9000, 8000))

for stop in 'QUIT', 'TERM':
    row('php-fpm, nginx', f'{PHP} -D; exec {WEB}', LOAD, "sh -c 'daemon; exec app'", stop, FILES)
row('php-fpm, nginx', f'{PHP} -F & exec {WEB}', LOAD, "sh -c 'php-fpm & exec nginx'", 'QUIT', FILES)
