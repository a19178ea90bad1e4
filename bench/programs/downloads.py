# downloads.py: nginx and Apache with slow downloads, by the signal that their images name and
# by the one that is sent where an image names none.
# SPDX-License-Identifier: MIT
from loss import Downloads, row

NGINX = '''
daemon off;
worker_processes 2;
error_log stderr notice;
pid /tmp/nginx.pid;
events {}
http {
	access_log off;
	server {
		listen 127.0.0.1:8000;
		root /srv;
	}
}
'''
APACHE = '''
ServerRoot /usr/lib/apache2
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
Listen 127.0.0.1:8000
ServerName localhost
PidFile /tmp/apache.pid
DefaultRuntimeDir /tmp
User www-data
Group www-data
ErrorLog /dev/stderr
DocumentRoot /srv
'''

for form in 'exec', "sh -c 'setup; app'", 'trap that forwards', 'helper & exec app':
    row('nginx', 'nginx -c /srv/nginx.conf', Downloads(), form, 'QUIT',
        files={'/srv/nginx.conf': NGINX})
row('nginx', 'nginx -c /srv/nginx.conf', Downloads(), files={'/srv/nginx.conf': NGINX})
for form in 'exec', "sh -c 'setup; app'":
    row('Apache', 'apache2 -DFOREGROUND -f /srv/apache.conf', Downloads(), form, 'WINCH',
        files={'/srv/apache.conf': APACHE})
row('Apache', 'apache2 -DFOREGROUND -f /srv/apache.conf', Downloads(),
    files={'/srv/apache.conf': APACHE})
